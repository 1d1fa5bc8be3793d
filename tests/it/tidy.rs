//! The rules of the house that a machine can hold: who may use whom, how long things may be, what stands where.
//!
//! Each rule is a function from text to findings and has a test that shows it can fail. This file must never
//! make an exception without a reason beside it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use clap::CommandFactory as _;
use wego_node::commands::Cli;

mod documents;
mod edges;
mod levels;
mod places;
mod shape;
mod supply;

/// Files above the bound, each with why it is better whole. To shrink, never to grow.
const LONG_FILES: &[(&str, &str)] = &[];

/// Functions above the bound, as `path::name`, each with why it is better whole.
const LONG_FUNCTIONS: &[(&str, &str)] = &[];

/// A text file of the repository; its path is relative to the root, with `/`.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The lines before the tests at the end.
    fn production(&self) -> &str {
        self.text.find("\n#[cfg(test)]\nmod ").map_or(self.text.as_str(), |end| &self.text[..end])
    }

    /// Whether all of it is tests.
    fn is_test(&self) -> bool {
        let in_tests = self.path.starts_with("tests/it/") || self.path.starts_with("tests/sim/");
        in_tests || self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every text file but what is built or fetched.
fn repository() -> Vec<Source> {
    let mut files = Vec::new();
    collect(&root(), "", &mut files);
    assert!(files.len() > 50, "the repository was not found");
    files
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<Source>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(Result::unwrap).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().into_string().unwrap();
        let kind = entry.file_type().unwrap();
        if [".git", "target"].contains(&name.as_str()) || kind.is_symlink() {
            continue;
        }
        let path = format!("{prefix}{name}");
        if kind.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files);
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            files.push(Source { path, text });
        }
    }
}

/// Fails with every finding on a line of its own.
fn none(findings: impl IntoIterator<Item = String>) {
    let findings: Vec<_> = findings.into_iter().collect();
    assert!(findings.is_empty(), "\n  {}", findings.join("\n  "));
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

#[test]
fn crates_depend_only_on_crates_above_them() {
    let manifests = repository().into_iter().filter(|file| file.path.ends_with("Cargo.toml"));
    none(manifests.flat_map(|file| edges::findings(&file.path, &file.text)));
}

#[test]
fn a_file_of_the_node_uses_only_lower_levels_and_its_own_folder() {
    none(repository().iter().filter_map(levels::of_node).flatten());
}

#[test]
fn files_and_functions_are_short() {
    let (files, functions) = too_long();
    none(files.into_iter().chain(functions).filter(|(name, _)| !is_excused(name)).map(|(_, what)| what));
}

#[test]
fn every_exception_is_still_needed() {
    let (files, functions) = too_long();
    let needed: BTreeMap<_, _> = files.into_iter().chain(functions).collect();
    let idle = LONG_FILES.iter().chain(LONG_FUNCTIONS).filter(|(name, _)| !needed.contains_key(*name));
    none(idle.map(|(name, _)| format!("{name} is short enough: strike it from the table")));
}

type Findings = Vec<(String, String)>;

/// Files and functions above their bounds, by name.
fn too_long() -> (Findings, Findings) {
    let rust: Vec<_> = repository().into_iter().filter(Source::is_rust).collect();
    let files = rust.iter().filter_map(|file| Some((file.path.clone(), shape::long_file(file)?))).collect();
    // Tests may hold tables of cases; what they claim is read, not their shape.
    let production = rust.iter().filter(|file| !file.is_test());
    (files, production.flat_map(shape::long_functions).collect())
}

fn is_excused(name: &str) -> bool {
    LONG_FILES.iter().chain(LONG_FUNCTIONS).any(|(excused, _)| *excused == name)
}

#[test]
fn every_rust_file_says_what_it_is_for() {
    none(repository().iter().filter(|file| file.is_rust()).filter_map(shape::no_purpose));
}

#[test]
fn no_module_has_a_name_that_says_nothing() {
    none(repository().iter().filter(|file| file.is_rust()).filter_map(|file| shape::empty_name(&file.path)));
}

#[test]
fn only_known_names_stand_at_the_top() {
    let names = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    none(names.filter_map(|name| places::unknown_at_the_top(&name)));
}

#[test]
fn no_file_names_a_place_of_one_machine() {
    none(repository().iter().flat_map(places::machine_paths));
}

#[test]
fn commands_in_documents_exist() {
    let files = repository();
    let documents = files.iter().filter(|file| documents::CHECKED.contains(&file.path.as_str()));
    none(documents.flat_map(|file| documents::unknown_commands(&file.path, &file.text, &Cli::command())));
}

#[test]
fn the_lock_file_keeps_the_floors_and_bans() {
    none(supply::findings(&read("deny.toml"), &read("Cargo.lock")));
}
