//! Who must have signed which entry of a run. Decides nothing about where the run goes.

use std::borrow::Cow;

use wego_proto::{
    entry::{Unverified, Verified},
    epochs::{Epoch, EpochError, Epochs},
    id::{Hash, Origin},
    roster::Member,
};

use super::{FIRST_EPOCH, RunError};
use crate::roster::History;

/// What the entries of one run are held against.
pub(super) struct Signers<'a> {
    roster: &'a History,
    epochs: Cow<'a, Epochs>,
    /// Of a run that begins with an opening: that one's epoch, after those it continues from.
    openings: Vec<Epoch>,
}

impl<'a> Signers<'a> {
    /// For a run that begins with `first`. An opening is judged by what came with it, for it may continue from another
    /// one than those known here.
    pub(super) fn of(
        first: &Unverified,
        below: Vec<Unverified>,
        roster: &'a History,
    ) -> Result<Self, RunError> {
        let origin = first.header().origin;
        let mut signers = Self { roster, epochs: Cow::Borrowed(roster.epochs(origin)), openings: Vec::new() };
        if first.header().epoch_start.is_none() {
            return Ok(signers);
        }
        for opening in below {
            let at = opening.header().at;
            if opening.header().origin != origin {
                return Err(RunError::NotConsecutive { at });
            }
            let (epoch, _) = signers.judge(opening)?;
            signers.epochs.to_mut().include([epoch]);
        }
        let (epoch, _) = signers.judge(first.clone())?;
        let id = epoch.id();
        signers.epochs.to_mut().include([epoch]);
        signers.openings = signers.epochs.chain(id).into_iter().cloned().collect();
        Ok(signers)
    }

    pub(super) fn into_openings(self) -> Vec<Epoch> {
        self.openings
    }

    pub(super) fn root(&self, origin: Origin) -> Option<Hash> {
        self.roster.member(origin).map(Member::log_root)
    }

    /// Checks an entry's own signature.
    pub(super) fn verify(&self, entry: Unverified) -> Result<Verified, RunError> {
        if entry.header().epoch_start.is_some() {
            return self.judge(entry).map(|(_, opening)| opening);
        }
        verify_in(entry, self.roster, self.openings.last())
    }

    pub(super) fn verify_before(&self, entry: Unverified, next: &Verified) -> Result<Verified, RunError> {
        let (header, after) = (entry.header(), next.header());
        let (origin, at) = (after.origin, after.at);
        if header.origin != origin || header.at.next() != Some(at) {
            return Err(RunError::NotConsecutive { at });
        }
        // An opening says who signs from here on, so its own signature is asked for whatever follows it.
        if header.key_no != after.key_no || header.epoch_start.is_some() {
            let signed = self.verify(entry.clone())?;
            let chained = next.ancestor(entry);
            return chained.map(|_| signed).map_err(|error| RunError::Entry { origin, at, error });
        }
        let at = header.at;
        next.ancestor(entry).map_err(|error| RunError::Entry { origin, at, error })
    }

    fn judge(&self, opening: Unverified) -> Result<(Epoch, Verified), RunError> {
        let (origin, epoch) = (opening.header().origin, opening.header().at.epoch);
        let member = taking_part(&opening, self.roster)?;
        let judged = self.epochs.judge(member, &self.roster.federation(), opening);
        judged.map_err(|error| match error {
            EpochError::UnknownBase(epoch) => RunError::UnknownEpoch { origin, epoch },
            error => RunError::Opening { origin, epoch, error },
        })
    }
}

/// Checks the own signature of an entry that is held.
pub(crate) fn verify_held(entry: Unverified, roster: &History) -> Result<Verified, RunError> {
    let header = entry.header();
    if header.epoch_start.is_some() {
        return Signers::of(&entry, Vec::new(), roster)?.verify(entry);
    }
    let held = roster.epochs(header.origin).held(header.at.epoch);
    verify_in(entry, roster, held)
}

/// Checks the own signature of an entry that opens nothing, in an epoch as `branch` opens it, or as it counts.
fn verify_in(entry: Unverified, roster: &History, branch: Option<&Epoch>) -> Result<Verified, RunError> {
    let member = taking_part(&entry, roster)?;
    let header = entry.header();
    let (origin, at, key_no) = (header.origin, header.at, header.key_no);
    let epochs = roster.epochs(origin);
    let branch = branch.filter(|branch| branch.number == at.epoch).or_else(|| epochs.get(at.epoch));
    let key = match branch {
        Some(epoch) => epoch.log_key(key_no),
        None if at.epoch == FIRST_EPOCH => epochs.log_key(member, key_no, at),
        None => return Err(RunError::UnknownEpoch { origin, epoch: at.epoch }),
    };
    let key = key.ok_or(RunError::UnknownKey { origin, key_no, at })?;
    entry.verify(&roster.federation(), &key).map_err(|error| RunError::Entry { origin, at, error })
}

/// The author, if the roster has not cut it off before this entry.
fn taking_part<'a>(entry: &Unverified, roster: &'a History) -> Result<&'a Member, RunError> {
    let (origin, at) = (entry.header().origin, entry.header().at);
    let member = roster.member(origin).ok_or(RunError::UnknownMember(origin))?;
    if member.cut.is_some_and(|cut| at > cut.at) {
        return Err(RunError::BeyondCut { origin, at });
    }
    Ok(member)
}
