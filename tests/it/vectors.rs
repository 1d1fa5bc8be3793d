//! The published vectors in `proto/vectors`: what holds and what does not, for whoever writes another verifier.
//!
//! They are made here from fixed seeds, so that nobody need believe a file: `WEGO_VECTORS=write` writes them anew. `wego`
//! judges every one of them, and so does `tests/verifier`, which is written in another language from the specification.

use std::{collections::BTreeMap, ffi::OsString, fs, path::PathBuf};

use serde_json::{Value, json};
use wego_cli::Stdio;
use wego_proto::{
    armour::{self, Label},
    prost::Message,
};

mod backups;
mod cast;
mod exported;
mod proofs;
mod python;
mod rosters;
mod signatures;

use python::Python;

/// One file and what must be said of it.
#[derive(Debug)]
struct Vector {
    name: &'static str,
    kind: &'static str,
    /// Of a proof, the roster vector that it is judged by.
    roster: Option<&'static str>,
    holds: bool,
    why: &'static str,
    bytes: Vec<u8>,
}

impl Vector {
    /// An armoured file.
    fn armoured(
        (name, holds, why): (&'static str, bool, &'static str),
        kind: &'static str,
        label: Label,
        message: &impl Message,
    ) -> Self {
        let preamble = [format!("test vector: {why}")];
        let bytes = armour::write(label, &preamble, message).into_bytes();
        Self { name, kind, roster: None, holds, why, bytes }
    }

    fn file(&self) -> String {
        file_of(self.name, self.kind)
    }

    fn told(&self) -> Value {
        let mut told = json!({ "name": self.name, "file": self.file(), "kind": self.kind });
        if let Some(roster) = self.roster {
            told["roster"] = json!(file_of(roster, "roster"));
        }
        told["holds"] = json!(self.holds);
        told["why"] = json!(self.why);
        told
    }
}

fn file_of(name: &str, kind: &str) -> String {
    format!("{name}.{}", if kind == "backup" { "wego" } else { "pem" })
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../proto/vectors")
}

fn all() -> Vec<Vector> {
    let mut all = rosters::all();
    all.extend(signatures::all());
    all.extend(backups::all());
    all.extend(proofs::all());
    all
}

/// Every file as it must be, by name.
fn files() -> BTreeMap<String, Vec<u8>> {
    let all = all();
    let index = Value::Array(all.iter().map(Vector::told).collect());
    let index = serde_json::to_string_pretty(&index).unwrap() + "\n";
    let mut files: BTreeMap<_, _> = all.into_iter().map(|vector| (vector.file(), vector.bytes)).collect();
    files.insert("index.json".to_owned(), index.into_bytes());
    files
}

fn published() -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder()).unwrap().map(Result::unwrap);
    files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect()
}

#[test]
fn the_published_vectors_are_those_made_from_the_seeds() {
    let expected = files();
    assert_eq!(expected.len(), all().len() + 1, "two vectors have one name");
    if std::env::var_os("WEGO_VECTORS").is_some_and(|value| value == "write") {
        for (name, _) in published().iter().filter(|(name, _)| !expected.contains_key(*name)) {
            fs::remove_file(folder().join(name)).unwrap();
        }
        for (name, bytes) in &expected {
            fs::write(folder().join(name), bytes).unwrap();
        }
        return;
    }
    let actual = published();
    let names = expected.keys().chain(actual.keys());
    let different: Vec<_> = names.filter(|name| expected.get(*name) != actual.get(*name)).collect();
    assert!(different.is_empty(), "WEGO_VECTORS=write writes them anew: {different:?}");
}

/// What `wego` says of a file: whether it holds, and its words.
fn ours(kind: &str, file: &str, roster: Option<&str>) -> (bool, String) {
    let mut args = vec!["wego", kind, "verify", file];
    args.extend(roster.iter().flat_map(|roster| ["--roster", roster]));
    let (stdio, _, err) = Stdio::captured("");
    let code = wego_cli::run(args.into_iter().map(OsString::from), stdio);
    let said = err.text();
    assert!([0, 7].contains(&code), "{file}: exit code {code}, {said}");
    (code == 0, said)
}

#[test]
fn wego_judges_every_vector_as_the_index_says() {
    let path = |file: String| folder().join(file).to_str().unwrap().to_owned();
    let mut wrong = Vec::new();
    for vector in all() {
        let roster = vector.roster.map(|roster| path(file_of(roster, "roster")));
        let (holds, said) = ours(vector.kind, &path(vector.file()), roster.as_deref());
        if holds != vector.holds {
            wrong.push(format!("{}: {} {said}", vector.name, vector.why));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_independent_verifier_judges_every_vector_as_the_index_says() {
    let Some(python) = Python::find() else { return };
    let found = python.run(&["vectors", folder().to_str().unwrap()]).1;
    let mut wrong = Vec::new();
    for vector in all() {
        let verdict = &found[vector.name];
        if verdict["holds"] != json!(vector.holds) {
            wrong.push(format!("{}: {} {verdict}", vector.name, vector.why));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
