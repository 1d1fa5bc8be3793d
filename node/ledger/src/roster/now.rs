//! A member as it is now: what the roster gave it, and what its own log has said since. The one source for all that
//! shows a member: its names, addresses and keys.
//!
//! The roster gives a key once, and the log goes on to others by itself; a page that shows the roster's key may show one
//! that signs nothing any more. Nothing here decides what counts: that is the standing of the log.

use wego_proto::{
    entry::Header,
    epochs::FIRST_EPOCH,
    id::{Origin, Position},
    presence::Presentation,
    roster::Committed,
    v1,
};

use super::History;
use crate::{log::Bound, standing::Standing};

impl History {
    /// A member with everything that its log said since, as far as that counts.
    #[must_use]
    pub fn member_now(&self, origin: Origin, standing: Option<&Standing>) -> Option<v1::Member> {
        let bytes = |hash: Option<wego_proto::id::Hash>| hash.map(|hash| hash.as_bytes().to_vec());
        let Committed { next_log_key, recovery } = self.committed(origin);
        let keys = self.transport_keys(origin).iter();
        Some(v1::Member {
            names: self.names(origin).to_vec(),
            portal_url: self.portal_url(origin).to_owned(),
            endpoints: self.endpoints(origin).to_vec(),
            transport_keys: keys.map(|key| key.as_bytes().to_vec()).collect(),
            log_keys: self.log_keys(origin, standing),
            next_log_key_digest: bytes(next_log_key).unwrap_or_default(),
            recovery_digest: bytes(recovery).unwrap_or_default(),
            ..self.member(origin)?.raw.clone()
        })
    }

    /// The keys of a member's log, one for each epoch that counts, oldest first, with the positions that it signs there. The
    /// one without an end signs what comes next; where a fork or a cut ends the log, there is none.
    #[must_use]
    pub fn log_keys(&self, origin: Origin, standing: Option<&Standing>) -> Vec<v1::LogKey> {
        let Some(member) = self.member(origin) else { return Vec::new() };
        let Some(standing) = standing else { return member.raw.log_keys.clone() };
        let mut keys = Vec::new();
        for epoch in standing.epochs() {
            let bound = standing.bound(epoch);
            let given = member.raw.log_keys.iter().filter(|key| key.from.is_some_and(|at| at.epoch == epoch));
            let opened = standing.opening(epoch).and_then(|hash| self.epochs(origin).find((epoch, hash)));
            let from = Some(Position { epoch, seq: 1 }.into());
            let opened = opened.map(|opened| v1::LogKey {
                key_no: opened.key_no,
                key: opened.key.as_bytes().to_vec(),
                from,
                ..Default::default()
            });
            match opened {
                Some(key) => keys.push(ending(key, epoch, bound)),
                None => keys.extend(given.map(|key| ending(key.clone(), epoch, bound))),
            }
        }
        // Given by the roster, and not taken up yet.
        let newest = standing.epochs().next_back().unwrap_or(FIRST_EPOCH);
        let later = |key: &&v1::LogKey| key.from.is_some_and(|at| at.epoch > newest);
        if member.is_active() && standing.fork().is_none() {
            keys.extend(member.raw.log_keys.iter().filter(later).cloned());
        }
        keys
    }

    /// What a member has committed to for the next change of its log key.
    #[must_use]
    pub fn committed(&self, origin: Origin) -> Committed {
        let Some(member) = self.member(origin) else { return Committed::default() };
        let epochs = self.epochs(origin);
        Committed {
            next_log_key: epochs.next_digest(member, epochs.tip()),
            recovery: member.committed(epochs.tip()).recovery,
        }
    }

    /// What a member's log said last of its names and portal, where that counts.
    #[must_use]
    pub fn presentation(&self, origin: Origin) -> Option<&Presentation> {
        self.presentations.get(&origin)
    }

    /// What a member is called.
    #[must_use]
    pub fn names(&self, origin: Origin) -> &[v1::MemberName] {
        let said = self.presentations.get(&origin).map(|said| said.names.as_slice());
        let given = || self.member(origin).map_or(&[][..], |member| &member.raw.names);
        said.filter(|names| !names.is_empty()).unwrap_or_else(given)
    }

    /// Where a member's pages are; empty for nowhere.
    #[must_use]
    pub fn portal_url(&self, origin: Origin) -> &str {
        let said = self.presentations.get(&origin).and_then(|said| said.portal_url.as_deref());
        said.or_else(|| Some(&self.member(origin)?.raw.portal_url)).unwrap_or_default()
    }

    /// Takes in the last entry that counts of a member's log on its names and portal, if there is one. The roster's word
    /// holds where it says something new of them in a later version than the author knew. Returns whether anything changed.
    pub fn hear_presentation(&mut self, origin: Origin, header: Option<&Header>) -> bool {
        let spoke = self.roster_spoke(origin, |member| (member.names.clone(), member.portal_url.clone()));
        let said = header.filter(|header| header.roster_version >= spoke);
        let said = said.and_then(|header| header.presentation.clone());
        let before = match said.clone() {
            Some(said) => self.presentations.insert(origin, said),
            None => self.presentations.remove(&origin),
        };
        before != said
    }
}

/// The key, not beyond what counts of the epoch.
fn ending(key: v1::LogKey, epoch: u32, bound: Bound) -> v1::LogKey {
    let after = bound.last.checked_add(1).filter(|_| bound != Bound::OPEN);
    let after = after.map(|seq| v1::Position { epoch, seq });
    let sooner =
        |until: &v1::Position| after.is_none_or(|after| (until.epoch, until.seq) < (after.epoch, after.seq));
    let until = key.until.filter(sooner).or(after);
    v1::LogKey { until, ..key }
}
