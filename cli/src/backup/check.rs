//! Reading a backup file: all of it, or only what it says of itself.

use std::{
    fs::File,
    io::{BufReader, Read, Seek as _},
    path::Path,
};

use indicatif::ProgressBar;
use wego_proto::{
    backup::{Disagreement, Fault, Item, KnownVersions, Manifest, Problem, Reading, Whole},
    id::FederationId,
    roster::Roster,
};

use crate::error::Failure;

/// Read from the disk at once.
const BUFFER_BYTES: usize = 256 * 1_024;

/// What a backup is checked against.
#[derive(Debug, Default)]
pub(crate) struct Against {
    /// Roster versions that the user has from elsewhere.
    pub(crate) known: KnownVersions,
    /// The federation that the user expects.
    pub(crate) federation: Option<FederationId>,
}

/// A backup that is whole.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) manifest: Manifest,
    pub(crate) roster: Roster,
    pub(crate) whole: Whole,
}

/// Checks a backup from its first byte to its last, on a thread of its own so that an interrupt is noticed meanwhile.
pub(crate) async fn check(path: &Path, against: Against, bar: ProgressBar) -> Result<Checked, Failure> {
    let file = path.to_owned();
    let checked = tokio::task::spawn_blocking(move || read(&file, &against, &bar)).await;
    checked.unwrap_or_else(|error| {
        Err(Failure::failed("the check ended abnormally", "report this as a bug").because(error))
    })
}

fn read(path: &Path, against: &Against, bar: &ProgressBar) -> Result<Checked, Failure> {
    let file = File::open(path).map_err(|error| Failure::of_file("read", path, error))?;
    bar.set_length(file.metadata().map_or(0, |meta| meta.len()));
    let damaged = |fault| of_fault(path, fault);
    let mut reading = Reading::begin(BufReader::with_capacity(BUFFER_BYTES, file)).map_err(damaged)?;
    let (mut manifest, mut roster, mut whole) = (None, None, None);
    let mut known = against.known.clone();
    while let Some(item) = reading.next_item().map_err(damaged)? {
        bar.set_position(reading.bytes());
        match item {
            Item::Manifest(found) => {
                expected(&found, against).map_err(|error| of_disagreement(path, error))?;
                manifest = Some(found);
            }
            Item::Roster(version) => {
                known.compare(&version).map_err(|error| of_disagreement(path, error))?;
                roster = Some(version);
            }
            Item::End(end) => whole = Some(end),
            Item::Fork(..) | Item::Entries(_) | Item::File(_) => {}
        }
    }
    bar.finish_and_clear();
    known.agree().map_err(|error| of_disagreement(path, error))?;
    match (manifest, roster, whole) {
        (Some(manifest), Some(roster), Some(whole)) => Ok(Checked { manifest, roster, whole }),
        // The reader says so itself before.
        _ => Err(of_fault(path, Fault { frame: 0, offset: 0, problem: Problem::Truncated })),
    }
}

fn expected(manifest: &Manifest, against: &Against) -> Result<(), Disagreement> {
    match against.federation {
        Some(expected) if expected != manifest.federation => {
            Err(Disagreement::OtherFederation { found: manifest.federation })
        }
        _ => Ok(()),
    }
}

/// What a file says of itself: the manifest, signed by the key of the member that it names in the roster behind it.
/// `None` when it is no backup at all.
pub(crate) fn opening(path: &Path) -> Result<Option<(Manifest, Roster)>, Failure> {
    let mut file = File::open(path).map_err(|error| Failure::of_file("read", path, error))?;
    let damaged = |fault| of_fault(path, fault);
    // A short file is no backup; anything else that goes wrong is met again below.
    let mut begins = [0; 8];
    if file.read_exact(&mut begins).is_err() || begins != *wego_proto::backup::MAGIC {
        return Ok(None);
    }
    file.rewind().map_err(|error| Failure::of_file("read", path, error))?;
    let mut reading = Reading::begin(BufReader::with_capacity(BUFFER_BYTES, file)).map_err(damaged)?;
    let (mut manifest, mut roster) = (None, None);
    while let Some(item) = reading.next_item().map_err(damaged)? {
        match item {
            Item::Manifest(found) => manifest = Some(found),
            Item::Roster(version) => roster = Some(version),
            // The first frame after the rosters: by now the manifest was held against them.
            _ => break,
        }
    }
    Ok(manifest.zip(roster))
}

fn of_fault(path: &Path, fault: Fault) -> Failure {
    let what = format!("{} is no whole backup", path.display());
    match fault.problem {
        Problem::Io(error) => Failure::of_file("read", path, error),
        Problem::NotABackup => Failure::integrity(
            format!("{} is no backup", path.display()),
            "give a file that `wego backup create` wrote",
        ),
        _ => Failure::integrity(
            what,
            "do not restore from it: take another copy, and look at the disk or the way it came",
        )
        .because(fault),
    }
}

fn of_disagreement(path: &Path, error: Disagreement) -> Failure {
    Failure::integrity(
        format!("{} is not of the federation and roster given", path.display()),
        "do not restore from it: ask where this file comes from",
    )
    .because(error)
}
