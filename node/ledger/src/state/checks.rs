//! What is checked of entries beside the state: costs no state, so it can run on any thread.

use std::collections::BTreeMap;

use wego_proto::{
    entry::{EntryError, Header, Unverified},
    fork, v1,
};

use super::Difference;
use crate::{
    fork::{ForkEvidence, first_difference},
    limits::{ENTRIES_PER_MESSAGE_MAX, OPENINGS_MAX},
    log::{Run, RunError, verify_held},
    reject::Reject,
    roster::History,
};

/// Parses and verifies the entries of a message, and the openings that they continue from.
///
/// # Errors
/// [`Reject`] for [`Input::Refused`](super::Input::Refused).
pub fn verify_entries(
    entries: Vec<v1::Entry>,
    epochs: Vec<v1::Entry>,
    roster: &History,
) -> Result<Option<Run>, Reject> {
    let parsed = |entries: Vec<v1::Entry>, what, max| {
        if entries.len() > max {
            return Err(Reject::TooLarge { what, max });
        }
        let parsed: Result<Vec<_>, _> = entries.into_iter().map(Unverified::parse).collect();
        parsed.map_err(|error| match error {
            EntryError::Field(error) => error.into(),
            other => Reject::BadEntry(RunError::Unreadable(other)),
        })
    };
    let entries = parsed(entries, "entries of a message", ENTRIES_PER_MESSAGE_MAX)?;
    let below = parsed(epochs, "openings of a message", OPENINGS_MAX)?;
    if entries.is_empty() {
        return Ok(None);
    }
    Ok(Some(Run::verify_after(entries, below, roster)?))
}

/// Compares a run with what is held at its positions.
///
/// Hashes first: only the entry that differs costs a signature.
#[must_use]
pub fn compare(run: &Run, held: &BTreeMap<u64, Unverified>, roster: &History) -> Difference {
    let Some((theirs, ours)) = first_difference(run, held) else { return Difference::None };
    let openings = theirs.header().epoch_start.is_some();
    if theirs.header().prev != ours.header().prev && !openings {
        return Difference::Before(theirs.header().at.seq);
    }
    let Header { origin, at, .. } = *theirs.header();
    let mut epochs = roster.epochs(origin).clone();
    epochs.include(run.openings().iter().cloned());
    let branch = epochs.held(at.epoch).or_else(|| epochs.get(at.epoch)).map(|epoch| epoch.opening.hash());
    let proof = verify_held(ours, roster).ok().map(|ours| fork::of(theirs, &ours, &epochs, branch));
    let evidence = proof.and_then(|proof| ForkEvidence::check(&proof, roster).ok());
    evidence.map_or(Difference::None, |evidence| Difference::Fork(Box::new(evidence)))
}

/// The entries of an answer as a receiver will believe them: as many, from the first on, as verify.
#[must_use]
pub fn verify_start(entries: Vec<v1::Entry>, roster: &History) -> Option<Run> {
    Run::verify_start(entries.into_iter().map_while(|entry| Unverified::parse(entry).ok()).collect(), roster)
}
