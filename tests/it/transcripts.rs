//! Every command as its user sees it: transcripts that are run, and compared to the letter.
//!
//! A file in `transcripts/` is a script and what came of it. Lines that begin with `$` are run in this process,
//! against real nodes; what they print is indented, `!` marks standard error, `=` the exit code. Names and order of
//! JSON fields are a contract, so a change of this text must be meant: `WEGO_TRANSCRIPTS=write` writes it anew.

use std::{collections::BTreeSet, fs, path::PathBuf};

use clap::CommandFactory as _;

mod plain;
mod script;
mod stage;

use script::{Line, words};
use stage::Stage;

/// Commands that no transcript can show, each with why.
const WITHOUT: &[(&str, &str)] = &[("wego-node demo", "runs until it is interrupted; its own tests hold it")];

/// Commands of `wego` whose output is no data but a file or nothing: `--json` changes nothing there.
const WITHOUT_JSON: &[&str] = &[
    "wego practice template",
    "wego record export",
    "wego fork export-proof",
    "wego profile add",
    "wego profile use",
    "wego profile remove",
    "wego completion",
    "wego man",
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("it/transcripts")
}

/// Runs a transcript and compares it with its file, or writes the file.
fn holds(name: &str) {
    let path = folder().join(format!("{name}.txt"));
    let expected = fs::read_to_string(&path).unwrap();
    let mut stage = Stage::new();
    let actual = script::print(script::read(&expected).into_iter().map(|line| stage.perform(line)));
    stage.clear();
    if std::env::var_os("WEGO_TRANSCRIPTS").is_some_and(|value| value == "write") {
        fs::write(&path, actual).unwrap();
        return;
    }
    if let Some(difference) = difference(&expected, &actual) {
        panic!("{name}.txt is not what happened; WEGO_TRANSCRIPTS=write writes it anew\n{difference}");
    }
}

/// The first line that differs, with the command it belongs to.
fn difference(expected: &str, actual: &str) -> Option<String> {
    let mut command = "";
    let (mut expected, mut actual) = (expected.lines(), actual.lines());
    loop {
        match (expected.next(), actual.next()) {
            (None, None) => return None,
            (Some(one), Some(other)) if one == other => {
                if one.starts_with("$ ") {
                    command = one;
                }
            }
            (one, other) => {
                let [one, other] = [one, other].map(|line| line.unwrap_or("(the end)"));
                return Some(format!("{command}\n  expected: {one}\n  actual:   {other}"));
            }
        }
    }
}

#[test]
fn founding_a_federation_reads_as_written() {
    holds("founding");
}

#[test]
fn practices_read_as_written() {
    holds("practices");
}

#[test]
fn adoptions_read_as_written() {
    holds("adoptions");
}

#[test]
fn datasets_and_their_import_read_as_written() {
    holds("datasets");
}

#[test]
fn searching_reads_as_written() {
    holds("search");
}

#[test]
fn records_and_proofs_read_as_written() {
    holds("records");
}

#[test]
fn members_peers_and_status_read_as_written() {
    holds("nodes");
}

#[test]
fn erasures_read_as_written() {
    holds("erasures");
}

#[test]
fn forks_read_as_written() {
    holds("forks");
}

#[test]
fn keys_and_recovery_read_as_written() {
    holds("keys");
}

#[test]
fn enrolment_reads_as_written() {
    holds("enrolment");
}

#[test]
fn governance_reads_as_written() {
    holds("governance");
}

#[test]
fn the_audit_log_reads_as_written() {
    holds("audit");
}

#[test]
fn profiles_read_as_written() {
    holds("profiles");
}

#[test]
fn repairs_read_as_written() {
    holds("repairs");
}

#[test]
fn backups_and_restoring_read_as_written() {
    holds("backup");
}

#[test]
fn what_needs_no_node_and_what_is_misspelt_reads_as_written() {
    holds("programs");
}

#[test]
fn every_file_of_the_folder_is_run() {
    let this = fs::read_to_string(folder().join("../transcripts.rs")).unwrap();
    for file in fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()) {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let is_run = this.contains(&format!("holds(\"{name}\")"));
        assert!(is_run || file.extension().is_some_and(|end| end == "rs"), "{name}.txt is run by no test");
    }
}

#[test]
fn every_command_has_a_transcript_for_people_and_one_for_programs() {
    let programs = [wego_cli::command(), wego_node::commands::Cli::command()];
    let (mut shown, mut shown_as_json) = (BTreeSet::new(), BTreeSet::new());
    for line in transcripts() {
        let words = words(&line);
        let Some(program) =
            programs.iter().find(|program| words.first().is_some_and(|w| w == program.get_name()))
        else {
            panic!("no program of ours: {line}");
        };
        let path = path_of(program, &words);
        if words.iter().any(|word| word == "--json") {
            shown_as_json.insert(path.clone());
        } else {
            shown.insert(path);
        }
    }
    let all: Vec<_> = programs.iter().flat_map(|program| leaves(program, program.get_name())).collect();
    assert!(all.len() > 30, "the tree of commands was not walked: {all:?}");
    let excused = |path: &String| WITHOUT.iter().any(|(name, _)| name == path);
    let missing: Vec<_> = all.iter().filter(|path| !shown.contains(*path) && !excused(path)).collect();
    assert!(missing.is_empty(), "no transcript shows {missing:?}");
    let speaks_json = |path: &&String| path.starts_with("wego ") && !WITHOUT_JSON.contains(&path.as_str());
    let missing: Vec<_> =
        all.iter().filter(speaks_json).filter(|path| !shown_as_json.contains(*path)).collect();
    assert!(missing.is_empty(), "no transcript shows the JSON of {missing:?}");
}

/// All command lines of all transcripts.
fn transcripts() -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let texts = files.filter(|file| file.extension().is_some_and(|end| end == "txt"));
    let lines = texts.flat_map(|file| script::read(&fs::read_to_string(file).unwrap()));
    lines.filter_map(|line| if let Line::Command { text, .. } = line { Some(text) } else { None }).collect()
}

/// The full names of the commands that do something.
fn leaves(command: &clap::Command, path: &str) -> Vec<String> {
    let below = command.get_subcommands().filter(|command| command.get_name() != "help");
    let found: Vec<_> =
        below.flat_map(|inner| leaves(inner, &format!("{path} {}", inner.get_name()))).collect();
    if found.is_empty() { vec![path.to_owned()] } else { found }
}

/// The command that a line calls, as far as it is one.
fn path_of(program: &clap::Command, words: &[String]) -> String {
    let mut command = program;
    let mut path = program.get_name().to_owned();
    for word in &words[1..] {
        if let Some(inner) = command.find_subcommand(word) {
            path = format!("{path} {word}");
            command = inner;
        }
    }
    path
}

#[test]
fn the_template_names_every_topic() {
    let template = fs::read_to_string(folder().join("practices.txt")).unwrap();
    let named: BTreeSet<_> = template.split_whitespace().collect();
    for topic in wego_catalogue::vocabulary::concepts(wego_catalogue::vocabulary::WEGO_TOPIC) {
        assert!(named.contains(topic.code), "wego practice template does not name {}", topic.code);
    }
}

#[test]
fn a_difference_is_shown_with_its_command() {
    assert_eq!(difference("$ a\n  1\n", "$ a\n  1\n"), None);
    let shown = difference("$ a\n  1\n$ b\n  2\n", "$ a\n  1\n$ b\n  3\n").unwrap();
    assert_eq!(shown, "$ b\n  expected:   2\n  actual:     3");
    assert!(difference("$ a\n", "$ a\n  1\n").unwrap().contains("(the end)"));
}
