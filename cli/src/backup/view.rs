//! How a backup looks.

use serde::Serialize;
use wego_proto::{backup::Manifest, roster::Roster};

use super::Checked;
use crate::{
    context::{Context, Format},
    error::Failure,
    output::{self, Style, Table, one_line},
};

/// What is known of a backup file.
#[derive(Debug, Serialize)]
pub(crate) struct Backup {
    pub(crate) file: String,
    pub(crate) state: State,
    pub(crate) handle: String,
    federation_name: String,
    federation_id: String,
    taken_at: Option<String>,
    #[serde(skip)]
    pub(crate) taken_at_ms: u64,
    software: String,
    roster_version: u64,
    pub(crate) own_head: Option<String>,
    pub(crate) entries: u64,
    logs: usize,
    forks: u32,
    private_keys: bool,
    pub(crate) bytes: u64,
    /// Once it was checked.
    digest: Option<String>,
}

/// Whether a backup file was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// From its first byte to its last.
    Whole,
    /// Only what it says of itself.
    NotChecked,
    /// It does not hold.
    Damaged,
}

impl State {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::NotChecked => "not checked",
            Self::Damaged => "damaged",
        }
    }
}

impl Backup {
    /// Of a file that was checked.
    pub(crate) fn whole(file: String, checked: &Checked) -> Self {
        let Checked { manifest, roster, whole } = checked;
        let digest = Some(whole.digest.to_string());
        Self { state: State::Whole, digest, ..Self::told(file, manifest, roster, whole.bytes) }
    }

    /// Of a file that says this of itself.
    pub(crate) fn told(file: String, manifest: &Manifest, roster: &Roster, bytes: u64) -> Self {
        let content = &manifest.content;
        Self {
            file,
            state: State::NotChecked,
            handle: content.handle.clone(),
            federation_name: roster.content().federation_name.clone(),
            federation_id: manifest.federation.to_string(),
            taken_at: output::rfc3339(content.taken_at_ms),
            taken_at_ms: content.taken_at_ms,
            software: content.software.clone(),
            roster_version: content.roster_version,
            own_head: manifest.own_head().map(|(at, _)| at.to_string()),
            entries: content.entries,
            logs: manifest.heads.len(),
            forks: content.forks,
            private_keys: content.secrets,
            bytes,
            digest: None,
        }
    }

    /// Of a file whose beginning does not hold.
    pub(crate) fn damaged(file: String, bytes: u64) -> Self {
        Self {
            file,
            state: State::Damaged,
            handle: String::new(),
            federation_name: String::new(),
            federation_id: String::new(),
            taken_at: None,
            taken_at_ms: 0,
            software: String::new(),
            roster_version: 0,
            own_head: None,
            entries: 0,
            logs: 0,
            forks: 0,
            private_keys: false,
            bytes,
            digest: None,
        }
    }
}

#[derive(Serialize)]
struct One<'a> {
    backup: &'a Backup,
}

/// Prints a backup that is whole.
pub(crate) fn print(backup: &Backup, cx: &mut Context) -> Result<(), Failure> {
    if cx.format == Format::Json {
        return cx.print_json(&One { backup });
    }
    let good = cx.styled(Style::Good, backup.state.word());
    let age = output::ago(cx.now_ms(), backup.taken_at_ms);
    cx.print(&format!("{good}: backup of {}, taken {age}\n\n", one_line(&backup.handle)))?;
    let mut facts = Table::pairs();
    facts.row(["federation", &backup.federation_name]);
    facts.row(["federation id", &backup.federation_id]);
    facts.row(["roster version", &backup.roster_version.to_string()]);
    facts.row(["taken", backup.taken_at.as_deref().unwrap_or("unknown")]);
    facts.row(["own head", backup.own_head.as_deref().unwrap_or("nothing written")]);
    facts.row(["entries", &backup.entries.to_string()]);
    facts.row(["logs", &backup.logs.to_string()]);
    facts.row(["fork proofs", &backup.forks.to_string()]);
    facts.row(["private keys", if backup.private_keys { "inside" } else { "none" }]);
    facts.row(["software", &backup.software]);
    facts.row(["size", &output::bytes(backup.bytes)]);
    facts.row(["digest", backup.digest.as_deref().unwrap_or("not checked")]);
    cx.print_table(facts)
}
