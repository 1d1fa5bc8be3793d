//! Reads the files of an audit log: events a page at a time, and whether they are what was written. Never writes.

use std::{fs, path::Path};

use wego_proto::{
    audit::{Break, Chain, Line, hash_of},
    id::Hash,
    key::PublicKey,
};

use super::{
    AuditError,
    event::Entry,
    files::{Segment, segments},
};

/// Lines one call reads: half a second of signatures.
pub(super) const LINES_MAX: usize = 20_000;
/// Breaks one call names.
const BREAKS_MAX: usize = 100;

/// Which events are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Not older, ms since 1970.
    pub since_ms: u64,
    /// Older than this; 0 is any.
    pub until_ms: u64,
    /// This actor; empty is any.
    pub actor: String,
    /// Contained in the action.
    pub action: String,
    /// Only what was refused.
    pub refused: bool,
}

impl Filter {
    fn wants(&self, entry: &Entry) -> bool {
        let at_ms = entry.at_ms();
        at_ms >= self.since_ms
            && (self.until_ms == 0 || at_ms < self.until_ms)
            && (self.actor.is_empty() || self.actor == entry.actor)
            && entry.action.to_lowercase().contains(&self.action.to_lowercase())
            && (!self.refused || entry.result == "refused")
    }
}

/// Some events, newest first.
#[derive(Debug)]
pub struct Page {
    /// The events.
    pub events: Vec<Entry>,
    /// Where the next page begins: before this event.
    pub next: Option<u64>,
}

/// Events before number `before`, or the newest, `size` at most.
///
/// # Errors
/// [`AuditError::Io`].
pub fn list(dir: &Path, filter: &Filter, before: Option<u64>, size: usize) -> Result<Page, AuditError> {
    let mut page = Page { events: Vec::new(), next: None };
    let mut read = 0;
    let before = before.unwrap_or(u64::MAX);
    for segment in found(dir)?.into_iter().rev().filter(|segment| segment.first < before) {
        let text = content(&segment)?;
        for entry in text.lines().rev().filter_map(Entry::parse).filter(|entry| entry.n < before) {
            read += 1;
            let n = entry.n;
            if filter.wants(&entry) {
                page.events.push(entry);
            }
            if page.events.len() >= size || read >= LINES_MAX {
                page.next = Some(n).filter(|n| *n > 1);
                return Ok(page);
            }
        }
    }
    Ok(page)
}

/// What a walk over some lines found.
#[derive(Debug)]
pub struct Checked {
    /// First event walked over.
    pub first: Option<u64>,
    /// Last event walked over.
    pub last: Option<(u64, Hash)>,
    /// Where the log is not what was written.
    pub breaks: Vec<Break>,
    /// Where to go on; none at the end.
    pub next: Option<u64>,
}

/// Checks events from number `from` on; `noted` must be among all there are.
///
/// # Errors
/// [`AuditError::Io`].
pub fn verify(
    dir: &Path,
    keys: &[PublicKey],
    from: u64,
    noted: Option<(u64, Hash)>,
) -> Result<Checked, AuditError> {
    let all = found(dir)?;
    // The one with the event before, whose hash the first one names.
    let begin = all.iter().rposition(|segment| segment.first < from).unwrap_or(0);
    let mut before = None;
    let mut walk: Option<Chain<'_>> = None;
    let mut checked = Checked { first: None, last: None, breaks: Vec::new(), next: None };
    let mut read = 0;
    'files: for segment in &all[begin.min(all.len())..] {
        let text = content(segment)?;
        for line in text.split_terminator('\n') {
            if walk.is_none() {
                let n = Line::parse(line).map_or_else(|| next_of(before), |line| line.n());
                if n < from {
                    before = Some((n, hash_of(line)));
                    continue;
                }
            }
            let chain = walk.get_or_insert_with(|| begun(keys, before, noted));
            if read >= LINES_MAX {
                checked.next = Some(next_of(chain.last()));
                break 'files;
            }
            read += 1;
            checked.breaks.extend(chain.step(line).err().filter(|_| checked.breaks.len() < BREAKS_MAX));
        }
    }
    let chain = walk.unwrap_or_else(|| begun(keys, before, noted));
    (checked.first, checked.last) = (chain.first(), chain.last());
    // A head noted is missed where it could have been: at the end, or before the oldest event there is.
    let is_due = noted.is_some_and(|(n, _)| match checked.next {
        None => n >= from,
        Some(_) => from <= 1 && checked.first.is_some_and(|first| n < first),
    });
    checked.breaks.extend(chain.finish().err().filter(|_| is_due));
    Ok(checked)
}

/// Checks the newest file that has events in it: at every start, so that damage is noticed before it is old.
///
/// # Errors
/// [`AuditError::Io`].
pub fn verify_newest(dir: &Path, keys: &[PublicKey]) -> Result<Vec<Break>, AuditError> {
    for segment in found(dir)?.into_iter().rev() {
        if !content(&segment)?.is_empty() {
            return Ok(verify(dir, keys, segment.first, None)?.breaks);
        }
    }
    Ok(Vec::new())
}

fn begun<'k>(keys: &'k [PublicKey], before: Option<(u64, Hash)>, noted: Option<(u64, Hash)>) -> Chain<'k> {
    let chain = Chain::new(keys, before);
    match noted {
        Some(noted) => chain.expect(noted),
        None => chain,
    }
}

fn next_of(last: Option<(u64, Hash)>) -> u64 {
    last.map_or(1, |(n, _)| n.saturating_add(1))
}

fn found(dir: &Path) -> Result<Vec<Segment>, AuditError> {
    segments(dir).map_err(AuditError::io("reading", dir))
}

fn content(segment: &Segment) -> Result<String, AuditError> {
    // Damage must not keep the rest from being read.
    let mut bytes = fs::read(&segment.path).map_err(AuditError::io("reading", &segment.path))?;
    // An event that is being written is not there yet.
    bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
