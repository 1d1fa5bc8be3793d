//! Claims about the command as a whole that need no node.

use std::{ffi::OsString, fs};

use clap::{CommandFactory as _, Parser as _};

use super::*;

fn wego(line: &str, home: &std::path::Path) -> (u8, String, String) {
    let (mut stdio, out, err) = Stdio::captured("");
    let home = home.as_os_str().to_owned();
    stdio.env = Box::new(move |name| (name == "HOME").then(|| home.clone()));
    let args = std::iter::once("wego").chain(line.split_whitespace()).map(OsString::from);
    (run(args, stdio), out.text(), err.text())
}

fn anywhere(line: &str) -> (u8, String, String) {
    wego(line, std::path::Path::new("/nonexistent"))
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn what_needs_no_node_needs_no_profile() {
    assert!(anywhere("practice template").1.contains("what_failed:"));
    assert!(anywhere("completion bash").1.contains("wego"));
    assert!(anywhere("exit-codes --json").1.contains("\"apiVersion\": \"wego/v1\""));
    assert!(anywhere("help exit-codes").1.contains("7  integrity violation"));
    let dir = tempfile::tempdir().expect("a folder");
    assert_eq!(anywhere(&format!("man --out {}", dir.path().display())).0, 0);
    assert!(dir.path().join("wego-practice-publish.1").is_file());
}

#[test]
fn a_reason_for_the_audit_log_has_a_bound() {
    let with = |reason: &str| anywhere(&format!("exit-codes --audit-reason {reason}")).0;
    assert_eq!((with(&"요".repeat(500)), with(&"요".repeat(501)), with("a\u{7}b")), (0, 2, 2));
}

#[test]
fn every_error_ends_in_a_hint_and_says_nothing_on_stdout() {
    for (line, code) in [
        ("status", 2),
        ("status --profile nowhere", 9),
        ("practice show", 2),
        ("practice show zz", 2),
        ("practise", 2),
        ("search x --limit 0", 2),
        ("record verify /nonexistent --roster /nonexistent", 9),
        ("import data-json /nonexistent.json --dry-run", 9),
        ("import data-json data.json --dry-run", 2),
        ("--profile ../../etc status", 9),
    ] {
        let (exit, out, err) = anywhere(line);
        assert_eq!((exit, out.as_str()), (code, ""), "{line}: {err}");
        assert!(err.starts_with("error: "), "{line}: {err}");
        let hint = err.split("\n\n").last().unwrap_or_default();
        let hint = hint.trim_end().strip_prefix("hint: ").unwrap_or_else(|| panic!("{line}: {err}"));

        let (exit, out, err) = anywhere(&format!("--json {line}"));
        assert_eq!((exit, out.as_str()), (code, ""), "{line}: {err}");
        let object: serde_json::Value =
            serde_json::from_str(&err).unwrap_or_else(|e| panic!("{line}: {e}: {err}"));
        assert_eq!((&object["exit_code"], &object["hint"]), (&code.into(), &hint.into()), "{line}: {err}");
        let what = object["error"].as_str().unwrap_or_default();
        assert!(!what.is_empty() && !what.starts_with("error"), "{line}: {err}");
    }
}

#[test]
fn talk_before_an_error_is_part_of_its_object_and_stays_text_without_one() {
    let context = |flags: &str| {
        let (stdio, _, err) = Stdio::captured("");
        let args = ["wego", "exit-codes"].into_iter().chain(flags.split_whitespace());
        let cli = Cli::try_parse_from(args).expect("a command line");
        (Context::new(cli.global, stdio, Paint { out: false, err: true }), err)
    };
    let failure = Failure::not_found("no such city", "name another").because("it left");

    let (mut cx, err) = context("--json");
    cx.say("Seoul will go.");
    cx.warn("slow");
    assert_eq!(cx.report(&failure), ExitCode::NotFound);
    let object: serde_json::Value = serde_json::from_str(&err.text()).expect("one object");
    let expected = serde_json::json!({
        "apiVersion": "wego/v1", "error": "no such city", "caused_by": ["it left"], "hint": "name another",
        "exit_code": 9, "said": ["Seoul will go.", "warning: slow"],
    });
    assert_eq!(object, expected);

    let (mut cx, err) = context("--json");
    cx.say("Seoul went.");
    cx.end_talk();
    assert_eq!(err.text(), "Seoul went.\n");

    let (mut cx, err) = context("");
    cx.say("Seoul will go.");
    assert_eq!(err.text(), "Seoul will go.\n", "at once");
    cx.report(&failure);
    assert!(err.text().ends_with("hint:\u{1b}[0m name another\n"), "{:?}", err.text());
}

#[test]
fn colour_is_used_only_where_it_is_wanted() {
    let painted = |line: &str, tty: bool, env: &'static [(&'static str, &'static str)]| {
        let (mut stdio, _, err) = Stdio::captured("");
        stdio.err_is_tty = tty;
        stdio.env = Box::new(|name| env.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).into()));
        let args = std::iter::once("wego").chain(line.split(' ')).map(OsString::from);
        assert_ne!(run(args, stdio), 0);
        err.text().contains('\x1b')
    };
    assert!(painted("status", true, &[]));
    assert!(!painted("status", false, &[]));
    assert!(!painted("status", true, &[("NO_COLOR", "1")]));
    assert!(!painted("status", true, &[("TERM", "dumb")]));
    assert!(!painted("status --color never", true, &[]));
    assert!(painted("status --color=always", false, &[("NO_COLOR", "1")]));
}

#[test]
fn an_import_can_be_tried_without_any_node() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("city.json");
    let person = r#"{"fn": "Person 1", "hasEmail": "mailto:person-1@example.org"}"#;
    let good = format!(
        r#"{{"title": "Trees\u001b]0;pwn\u0007", "identifier": "t", "publisher": "P", "contactPoint": {person}}}"#
    );
    fs::write(&file, format!(r#"{{"dataset": [{good}, {{"identifier": "bad"}}]}}"#)).expect("a file");
    let (code, out, err) = anywhere(&format!("import data-json {} --dry-run", file.display()));
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("skipped: dataset[1]: title is missing"), "{err}");
    assert!(err.contains("dropped 1 name of contact persons and 1 e-mail address"), "{err}");
    assert!(out.contains("add") && !err.contains('\x1b') && !err.contains("person-1"), "{out}{err}");
    let (_, json, _) = anywhere(&format!("import data-json {} --dry-run --json", file.display()));
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(
        (&json["plan"]["add"], &json["plan"]["errors"], &json["listed"]),
        (&1.into(), &1.into(), &2.into())
    );
}

#[test]
fn a_source_over_its_limit_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("huge.json");
    // Sparse: takes no room on the disk.
    fs::File::create(&file)
        .and_then(|file| file.set_len(import::data_json::SOURCE_BYTES_MAX + 1))
        .expect("a file");
    let (code, _, err) = anywhere(&format!("import data-json {} --dry-run", file.display()));
    assert_eq!(code, 1);
    assert!(err.contains("larger than 256 MiB"), "{err}");
}

#[test]
fn an_unknown_key_in_a_profile_is_named() {
    let home = tempfile::tempdir().expect("a folder");
    let dir = home.path().join(".config/wego/profiles/kr-seoul");
    fs::create_dir_all(&dir).expect("a folder");
    fs::write(
        dir.join("profile.toml"),
        "address = 'a:1'\nserver_key = ''\nhandle = 'kr-seoul'\nadress = 'x'\n",
    )
    .expect("a file");
    let (code, _, err) = wego("status", home.path());
    assert_eq!(code, 2);
    assert!(err.contains("adress") && err.contains("the keys are address"), "{err}");
}
