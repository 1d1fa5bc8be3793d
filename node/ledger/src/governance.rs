//! What becomes of a roster version that somebody hands in: adopted, kept as a proposal, or kept as half of a conflict.
//!
//! A version is judged by its signatures and by the versions known, never by a clock, by who brought it, or by what
//! came first, as far as that can be: two versions that are both fully signed are the one thing where the first one
//! stays in force. Then nothing more is adopted until a version settles it, and that one puts every node on the same
//! branch. The rules are in `roster.proto`.

use std::collections::BTreeMap;

use wego_proto::{
    id::Hash,
    roster::{
        self, CONFLICT_VERSIONS_MAX, Draft, Roster, RosterError, check_settlement, has_forged,
        join_signatures,
    },
    v1,
};

use crate::{limits::CONFLICTS_MAX, roster::History};

mod places;
mod verdict;

pub use verdict::{Refusal, Verdict};

/// What was kept beside the versions in force: all of it durable.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Governance {
    proposals: BTreeMap<Hash, v1::SignedRoster>,
    /// By number: versions that were all fully signed, the one in force among them once there are two.
    contested: BTreeMap<u64, BTreeMap<Hash, v1::SignedRoster>>,
}

impl Governance {
    /// The versions that collect signatures, those with most signatures first.
    pub fn proposals(&self) -> impl Iterator<Item = &v1::SignedRoster> {
        let mut ranked: Vec<_> = self.proposals.iter().collect();
        ranked.sort_by_key(|(hash, proposal)| (std::cmp::Reverse(proposal.signatures.len()), **hash));
        ranked.into_iter().map(|(_, proposal)| proposal)
    }

    /// The conflicts by number, also those settled.
    pub fn conflicts(&self) -> impl Iterator<Item = (u64, Vec<v1::SignedRoster>)> {
        let several = self.contested.iter().filter(|(_, versions)| versions.len() > 1);
        several.map(|(number, versions)| (*number, versions.values().cloned().collect()))
    }

    /// The number that is in conflict, if one is.
    #[must_use]
    pub fn open_conflict(&self, history: &History) -> Option<u64> {
        let in_force = history.current().version();
        let open = self.contested.iter().filter(|(number, of)| **number >= in_force && of.len() > 1);
        open.map(|(number, _)| *number).next_back()
    }

    /// What becomes of a version.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn judge(&self, history: &History, signed: &v1::SignedRoster) -> Result<Verdict, Refusal> {
        let draft = Draft::parse(&signed.roster).map_err(RosterError::Field)?;
        if draft.federation != history.federation() {
            return Err(RosterError::OtherFederation { found: draft.federation }.into());
        }
        let (known, found) = (history.current().version(), draft.content.version);
        if history.at(found).is_some_and(|kept| kept.hash() == draft.hash) {
            return Ok(Verdict::Known);
        }
        match self.open_conflict(history) {
            _ if found <= known => self.beside(history, &draft, signed),
            Some(open) if found == open => self.beside(history, &draft, signed),
            Some(open) if found == open + 1 => self.settling(history, open, &draft, signed),
            None if found == known + 1 => self.following(history, &draft, signed),
            _ => Err(Refusal::NotNext { known, found }),
        }
    }

    /// A version of a peer that says it is contested: both halves may come before either is adopted.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn contest(
        &self,
        history: &History,
        versions: &[v1::SignedRoster],
    ) -> Result<Vec<v1::SignedRoster>, Refusal> {
        let mut several: BTreeMap<u64, BTreeMap<Hash, v1::SignedRoster>> = BTreeMap::new();
        for signed in versions {
            let draft = Draft::parse(&signed.roster).map_err(RosterError::Field)?;
            let number = draft.content.version;
            let version = match history.at(number) {
                Some(kept) if kept.hash() == draft.hash => kept.signed().clone(),
                // Without signatures that count for nothing.
                _ => self.fully_signed(history, &draft, signed)?.signed().clone(),
            };
            several.entry(number).or_default().insert(draft.hash, version);
        }
        Ok(self.news(history, several))
    }

    /// Of versions that are fully signed those that are half of a conflict and not kept yet.
    fn news(
        &self,
        history: &History,
        several: BTreeMap<u64, BTreeMap<Hash, v1::SignedRoster>>,
    ) -> Vec<v1::SignedRoster> {
        let mut news = Vec::new();
        for (number, versions) in several {
            let known = self.contested.get(&number).cloned().unwrap_or_default();
            let mut all = known.clone();
            all.extend(history.at(number).map(|kept| (kept.hash(), kept.signed().clone())));
            all.extend(versions);
            if all.len() > 1 && self.is_open(history, number, &all) {
                let room = self.room_beside(number);
                news.extend(
                    all.into_iter()
                        .filter(|(hash, _)| !known.contains_key(hash))
                        .take(room)
                        .map(|(_, one)| one),
                );
            }
        }
        news
    }

    /// Takes a proposal that was made durable.
    pub(crate) fn propose(&mut self, version: v1::SignedRoster) {
        self.proposals.insert(Hash::of(&[&version.roster]), version);
    }

    /// Lets go of proposals.
    pub(crate) fn drop_proposals(&mut self, hashes: &[Hash]) {
        hashes.iter().for_each(|hash| drop(self.proposals.remove(hash)));
    }

    /// Takes versions of a conflict that were made durable.
    pub(crate) fn keep_conflict(&mut self, versions: Vec<v1::SignedRoster>) {
        for version in versions {
            if let Ok(draft) = Draft::parse(&version.roster) {
                self.contested.entry(draft.content.version).or_default().insert(draft.hash, version);
            }
        }
    }

    /// The proposals that can no longer be adopted, or were.
    pub(crate) fn superseded(&self, history: &History) -> Vec<Hash> {
        let gone = |hash: &Hash, signed: &v1::SignedRoster| {
            history.current().hash() == *hash || self.judge(history, signed).is_err()
        };
        self.proposals.iter().filter(|(hash, signed)| gone(hash, signed)).map(|(hash, _)| *hash).collect()
    }

    /// The versions kept under a contested number.
    pub(crate) fn contested(&self, number: u64) -> Option<Vec<v1::SignedRoster>> {
        let versions = self.contested.get(&number).filter(|versions| versions.len() > 1)?;
        Some(versions.values().cloned().collect())
    }

    fn following(
        &self,
        history: &History,
        draft: &Draft,
        signed: &v1::SignedRoster,
    ) -> Result<Verdict, Refusal> {
        let current = history.current();
        precedes(current, draft)?;
        if !draft.content.resolves.is_empty() {
            return Err(Refusal::UnknownConflict);
        }
        let keys = [&draft.governance, current.governance()];
        let joined = self.joined(draft, signed, &keys);
        match current.succeeded_by(joined.clone()) {
            Ok(next) => Ok(Verdict::Adopt(vec![next])),
            Err(error) if has_forged(signed, &joined, &keys) => Err(Refusal::Forged(error)),
            Err(_) => self.propose_or_refuse(draft, joined, current),
        }
    }

    /// A version that settles the open conflict.
    fn settling(
        &self,
        history: &History,
        open: u64,
        draft: &Draft,
        signed: &v1::SignedRoster,
    ) -> Result<Verdict, Refusal> {
        let in_conflict = Refusal::InConflict { version: open };
        let contested = self.contested.get(&open).ok_or_else(|| in_conflict.clone())?;
        let named = |at: usize| {
            let hash: Hash = draft.content.resolves.get(at)?.as_slice().try_into().ok()?;
            contested.get(&hash)
        };
        let (Some(one), Some(other)) = (named(0), named(1)) else { return Err(in_conflict) };
        let prev = Hash::try_from(draft.content.prev_hash.as_slice()).map_err(|_| in_conflict.clone())?;
        let mut branch = self.lineage(history, open, &prev).ok_or_else(|| in_conflict.clone())?;
        let holds = branch.last().or_else(|| history.at(open)).ok_or(in_conflict)?;
        precedes(holds, draft)?;
        let before = self.predecessor(history, holds.content()).ok_or(Refusal::UnknownConflict)?;
        let keys = [&draft.governance, holds.governance(), before.governance()];
        let joined = self.joined(draft, signed, &keys);
        match holds.succeeded_by(joined.clone()) {
            Ok(next) if check_settlement(before.governance(), (one, other), &next).is_ok() => {
                branch.push(next);
                Ok(Verdict::Adopt(branch))
            }
            Err(error) if has_forged(signed, &joined, &keys) => Err(Refusal::Forged(error)),
            _ => self.propose_or_refuse(draft, joined, holds),
        }
    }

    /// A version under a number that is decided, or about which two decisions are known.
    fn beside(
        &self,
        history: &History,
        draft: &Draft,
        signed: &v1::SignedRoster,
    ) -> Result<Verdict, Refusal> {
        let (known, found) = (history.current().version(), draft.content.version);
        if self.contested.get(&found).is_some_and(|versions| versions.contains_key(&draft.hash)) {
            return Ok(Verdict::Known);
        }
        let version = match self.fully_signed(history, draft, signed) {
            // What did not get its signatures in time is nothing special.
            Err(Refusal::Bad(RosterError::TooFewSignatures { .. }) | Refusal::OtherBranch { .. }) => {
                return Err(Refusal::NotNext { known, found });
            }
            version => version?.signed().clone(),
        };
        match self.news(history, BTreeMap::from([(found, BTreeMap::from([(draft.hash, version)]))])) {
            news if news.is_empty() => Err(Refusal::Decided { known, found }),
            news => Ok(Verdict::Conflict(news)),
        }
    }

    /// Conflicts matter at the version in force and above; below only what a later version names, as proof of it.
    fn is_open(&self, history: &History, number: u64, versions: &BTreeMap<Hash, v1::SignedRoster>) -> bool {
        let named = |after: &Roster| {
            after
                .content()
                .resolves
                .iter()
                .any(|hash| versions.keys().any(|known| known.as_bytes() == hash.as_slice()))
        };
        number >= history.current().version()
            || history
                .at(number + 1)
                .is_some_and(|after| !after.content().resolves.is_empty() && named(after))
    }

    fn room_beside(&self, number: u64) -> usize {
        match self.contested.get(&number) {
            Some(versions) => CONFLICT_VERSIONS_MAX.saturating_sub(versions.len()),
            None if self.contested.len() >= CONFLICTS_MAX => 0,
            None => CONFLICT_VERSIONS_MAX,
        }
    }

    fn fully_signed(
        &self,
        history: &History,
        draft: &Draft,
        signed: &v1::SignedRoster,
    ) -> Result<Roster, Refusal> {
        let found = draft.content.version;
        let before = self.predecessor(history, &draft.content).ok_or(Refusal::OtherBranch { found })?;
        // Before any signature: a version that could never follow costs nobody anything.
        precedes(&before, draft)?;
        let keys = [&draft.governance, before.governance()];
        let counting = join_signatures(signed, signed, &keys);
        before.succeeded_by(counting.clone()).map_err(|error| match has_forged(signed, &counting, &keys) {
            true => Refusal::Forged(error),
            false => Refusal::Bad(error),
        })
    }

    /// What a version lacks to follow the one before it, as far as that one is known.
    pub(crate) fn lacks(&self, history: &History, signed: &v1::SignedRoster) -> Option<RosterError> {
        let draft = Draft::parse(&signed.roster).ok()?;
        self.predecessor(history, &draft.content)?.succeeded_by(signed.clone()).err()
    }

    /// The version that this one follows, in force or contested.
    fn predecessor(&self, history: &History, content: &v1::Roster) -> Option<Roster> {
        let number = content.version.checked_sub(1).filter(|number| *number > 0)?;
        let hash = Hash::try_from(content.prev_hash.as_slice()).ok()?;
        let mut branch = self.lineage(history, number, &hash)?;
        branch.pop().or_else(|| history.at(number).cloned())
    }

    /// The contested versions that lead from the versions in force to this one; none when it is in force itself.
    fn lineage(&self, history: &History, number: u64, hash: &Hash) -> Option<Vec<Roster>> {
        if history.at(number).is_some_and(|kept| kept.hash() == *hash) {
            return Some(Vec::new());
        }
        let signed = self.contested.get(&number)?.get(hash)?;
        let draft = Draft::parse(&signed.roster).ok()?;
        let prev = Hash::try_from(draft.content.prev_hash.as_slice()).ok()?;
        let mut branch = self.lineage(history, number.checked_sub(1)?, &prev)?;
        let before = branch.last().or_else(|| history.at(number - 1))?;
        let version = before.succeeded_by(signed.clone()).ok()?;
        branch.push(version);
        Some(branch)
    }

    /// With the valid signatures known here.
    fn joined(
        &self,
        draft: &Draft,
        signed: &v1::SignedRoster,
        keys: &[&roster::Governance],
    ) -> v1::SignedRoster {
        join_signatures(self.proposals.get(&draft.hash).unwrap_or(signed), signed, keys)
    }
}

/// As [`Roster::precedes`]; another branch is nobody's mistake.
fn precedes(before: &Roster, draft: &Draft) -> Result<(), Refusal> {
    before.precedes(draft).map_err(|error| match error {
        RosterError::OtherPredecessor { version } => Refusal::OtherBranch { found: version },
        error => Refusal::Bad(error),
    })
}

#[cfg(test)]
mod bench;
#[cfg(test)]
mod explore;
#[cfg(test)]
mod tests;
