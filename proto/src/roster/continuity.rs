//! What a version must keep of the one before it, whatever a committee signs.
//!
//! Old entries are verified with the newest roster, and names stand in old records: a mistake here would break what
//! was promised for ever. The rules are listed in `roster.proto`. Nothing here asks who has signed.

use thiserror::Error;

use super::{Draft, LogKey, Member, Roster};
use crate::v1::{self, MemberRole, MemberStatus};

/// What a version breaks; the member is named by its handle in the version before.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Breach {
    /// A member is missing. It stays in the roster for ever: give it a status instead.
    #[error("leaves out member {0}")]
    MemberGone(String),
    /// The idx, city id or handle of a member is another.
    #[error("gives member {0} another city id or handle")]
    OtherIdentity(String),
    /// An idx was given that is not above all others.
    #[error("gives the new member {0} a number that is not above all others")]
    IdxNotNew(String),
    /// A new member is not active.
    #[error("admits {0} without making it active")]
    AdmittedInactive(String),
    /// Log keys were taken away, changed, or appended out of order.
    #[error("changes the log keys that {0} had, or appends them out of order")]
    LogKeys(String),
    /// A member that is not active has no cut.
    #[error("removes {0} without a cut")]
    NoCut(String),
    /// An active member has a cut.
    #[error("leaves the cut of {0}, which is active")]
    CutOfActive(String),
    /// The cut of a member that was not active before either is another.
    #[error("moves the cut of {0}")]
    CutMoved(String),
    /// Two active members preside.
    #[error("gives the presidency to two members")]
    TwoPresidents,
    /// A term ends before it begins.
    #[error("ends the term of {0} before it begins")]
    Term(String),
    /// An ordered erasure is missing.
    #[error("takes back a takedown")]
    TakedownGone,
    /// What it resolves is not the version before and another one.
    #[error("resolves a conflict that the version before is not part of")]
    Resolves,
}

pub(super) fn check(before: &Roster, next: &Draft) -> Result<(), Breach> {
    for old in before.members().values() {
        let new = next.members.get(&old.origin).ok_or_else(|| Breach::MemberGone(old.handle.clone()))?;
        check_member(old, new)?;
    }
    let last = before.members().keys().next_back();
    for new in next.members.values().filter(|member| !before.members().contains_key(&member.origin)) {
        if last.is_some_and(|last| new.origin < *last) {
            return Err(Breach::IdxNotNew(new.handle.clone()));
        }
        check_admission(new)?;
    }
    let presides = |member: &&Member| member.is_active() && member.role == MemberRole::President;
    if next.members.values().filter(presides).count() > 1 {
        return Err(Breach::TwoPresidents);
    }
    for member in next.members.values() {
        let v1::Member { term_from_ms, term_until_ms, .. } = member.raw;
        if term_until_ms != 0 && term_until_ms < term_from_ms {
            return Err(Breach::Term(member.handle.clone()));
        }
    }
    let kept = |order: &v1::Takedown| next.content.takedowns.contains(order);
    if !before.content().takedowns.iter().all(kept) {
        return Err(Breach::TakedownGone);
    }
    check_resolves(&next.content)
}

fn check_member(old: &Member, new: &Member) -> Result<(), Breach> {
    let handle = || old.handle.clone();
    if old.city_id != new.city_id || old.handle != new.handle {
        return Err(Breach::OtherIdentity(handle()));
    }
    if !extends(&old.log_keys, &new.log_keys) {
        return Err(Breach::LogKeys(handle()));
    }
    match (old.is_active(), new.is_active()) {
        (_, true) if new.cut.is_some() => Err(Breach::CutOfActive(handle())),
        (_, false) if new.cut.is_none() => Err(Breach::NoCut(handle())),
        (false, false) if old.cut.is_some() && new.cut != old.cut => Err(Breach::CutMoved(handle())),
        _ => Ok(()),
    }
}

fn check_admission(new: &Member) -> Result<(), Breach> {
    if new.status != MemberStatus::Active || new.cut.is_some() {
        return Err(Breach::AdmittedInactive(new.handle.clone()));
    }
    if !in_order(&new.log_keys) {
        return Err(Breach::LogKeys(new.handle.clone()));
    }
    Ok(())
}

/// An open key may be closed; nothing else of the keys before changes.
fn extends(old: &[LogKey], new: &[LogKey]) -> bool {
    let kept = |(old, new): (&LogKey, &LogKey)| {
        (old.key_no, old.key, old.from) == (new.key_no, new.key, new.from)
            && ((old.until, old.committed) == (new.until, new.committed) || old.until.is_none())
    };
    old.len() <= new.len() && old.iter().zip(new).all(kept) && in_order(&new[old.len().saturating_sub(1)..])
}

/// Numbers and beginnings go up, and no key ends before it begins.
fn in_order(keys: &[LogKey]) -> bool {
    let goes_up = |pair: &[LogKey]| pair[0].key_no < pair[1].key_no && pair[0].from < pair[1].from;
    keys.windows(2).all(goes_up) && keys.iter().all(|key| key.until.is_none_or(|until| key.from <= until))
}

fn check_resolves(next: &v1::Roster) -> Result<(), Breach> {
    match next.resolves.as_slice() {
        [] => Ok(()),
        [one, other]
            if one < other && [one, other].contains(&&next.prev_hash) && one.len() == other.len() =>
        {
            Ok(())
        }
        _ => Err(Breach::Resolves),
    }
}

#[cfg(test)]
mod tests;
