//! Who is a member, with which keys, since when: the chain of roster versions, kept whole.
//!
//! Old entries are verified with old keys, so no version is ever forgotten; the newest one decides who may speak
//! and write. The number of the version in force never decreases. What members' own logs say of their keys stands
//! beside it: governance admits and removes, a member changes its keys by itself.

use std::collections::BTreeMap;

use wego_proto::{
    entry::{EndpointChange, Ground, Header, Unverified, Verified},
    epochs::{Epoch, EpochError, Epochs, reign},
    id::{FederationId, Origin, Position},
    key::PublicKey,
    presence::Presentation,
    roster::{Member, Roster, RosterError},
    v1,
};

use crate::limits::ENDPOINT_CHANGES_MAX;

mod now;

static NO_EPOCHS: Epochs = Epochs::NONE;

/// All roster versions from the first to the one in force.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    versions: Vec<Roster>,
    current: Roster,
    epochs: BTreeMap<Origin, Epochs>,
    endpoints: BTreeMap<Origin, Announced>,
    presentations: BTreeMap<Origin, Presentation>,
    /// How many changes of endpoints were looked at.
    changes: BTreeMap<Origin, usize>,
}

/// What a member's log said last of its endpoints and transport keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Announced {
    /// Where in the log.
    pub at: Position,
    /// When, by the member's clock, ms since 1970: for display, and for the member itself.
    pub hlc_ms: u64,
    /// What.
    pub change: EndpointChange,
    /// By which roster version, and in which reign, it is valid.
    stands: (u64, u32),
}

impl History {
    /// Opens a chain from version 1 on.
    ///
    /// # Errors
    /// The first version that does not verify or follow.
    pub fn open(chain: v1::RosterChain) -> Result<Self, RosterError> {
        let mut versions = Roster::open_chain(chain)?;
        let Some(current) = versions.pop() else {
            // `open_chain` refuses an empty chain; this arm only spares a panic.
            return Err(RosterError::NotNext { known: 0, found: 0 });
        };
        Ok(Self {
            versions,
            current,
            epochs: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            presentations: BTreeMap::new(),
            changes: BTreeMap::new(),
        })
    }

    /// Accepts the next version.
    ///
    /// # Errors
    /// [`RosterError`]; the version in force stays.
    pub fn adopt(&mut self, next: v1::SignedRoster) -> Result<(), RosterError> {
        let next = self.current.succeeded_by(next)?;
        self.versions.push(std::mem::replace(&mut self.current, next));
        Ok(())
    }

    /// Puts versions in force whose first follows one that is in force: later ones give way to it.
    pub(crate) fn replace(&mut self, branch: Vec<Roster>) {
        for next in branch {
            while self.current.version() >= next.version() {
                let Some(before) = self.versions.pop() else { return };
                self.current = before;
            }
            self.versions.push(std::mem::replace(&mut self.current, next));
        }
    }

    /// The version with this number.
    #[must_use]
    pub fn at(&self, version: u64) -> Option<&Roster> {
        if version == self.current.version() {
            return Some(&self.current);
        }
        self.versions.get(usize::try_from(version.checked_sub(1)?).ok()?)
    }

    /// The version in force.
    #[must_use]
    pub fn current(&self) -> &Roster {
        &self.current
    }

    /// The federation.
    #[must_use]
    pub fn federation(&self) -> FederationId {
        self.current.federation()
    }

    /// The versions after `version`, oldest first, at most `max`.
    #[must_use]
    pub fn since(&self, version: u64, max: usize) -> Vec<v1::SignedRoster> {
        let all = self.versions.iter().chain(std::iter::once(&self.current));
        all.filter(|roster| roster.version() > version)
            .take(max)
            .map(|roster| roster.signed().clone())
            .collect()
    }

    /// A member, also one that no longer takes part.
    #[must_use]
    pub fn member(&self, origin: Origin) -> Option<&Member> {
        self.current.members().get(&origin)
    }

    /// The active member that this transport key speaks for.
    #[must_use]
    pub fn speaker(&self, key: &PublicKey) -> Option<&Member> {
        let members = self.current.members().values();
        members
            .filter(|member| member.is_active())
            .find(|member| self.transport_keys(member.origin).contains(key))
    }

    /// The keys that may speak for a member in TLS: what its log said last, unless the roster has said something new
    /// since.
    #[must_use]
    pub fn transport_keys(&self, origin: Origin) -> &[PublicKey] {
        match (self.endpoints.get(&origin), self.member(origin)) {
            (Some(announced), _) => &announced.change.transport_keys,
            (None, Some(member)) => &member.transport_keys,
            (None, None) => &[],
        }
    }

    /// Where a member's peer listener is, as [`History::transport_keys`].
    #[must_use]
    pub fn endpoints(&self, origin: Origin) -> &[String] {
        match (self.endpoints.get(&origin), self.member(origin)) {
            (Some(announced), _) => &announced.change.endpoints,
            (None, Some(member)) => &member.raw.endpoints,
            (None, None) => &[],
        }
    }

    /// The epochs known of a member's log.
    #[must_use]
    pub fn epochs(&self, origin: Origin) -> &Epochs {
        self.epochs.get(&origin).unwrap_or(&NO_EPOCHS)
    }

    /// The epoch that a verified opening opens, under the newest roster; admits nothing.
    ///
    /// # Errors
    /// [`EpochError`].
    pub fn opened(&self, opening: &Verified) -> Result<Epoch, EpochError> {
        let origin = opening.header().origin;
        let member = self.member(origin).ok_or(EpochError::WrongKey)?;
        self.epochs(origin).opened(member, opening)
    }

    /// Judges an opening, its signature too; admits nothing.
    ///
    /// # Errors
    /// [`EpochError`].
    pub fn judge(&self, opening: Unverified) -> Result<Epoch, EpochError> {
        let origin = opening.header().origin;
        let member = self.member(origin).ok_or(EpochError::WrongKey)?;
        let judged = self.epochs(origin).judge(member, &self.federation(), opening);
        judged.map(|(epoch, _)| epoch)
    }

    /// Takes over the versions of `other`, and keeps what the members' logs have said meanwhile.
    pub fn become_versions_of(&mut self, other: Self) {
        (self.versions, self.current) = (other.versions, other.current);
    }

    /// Takes in epochs whose openings are durable, if not in the store. Returns whether anything changed.
    pub fn admit(&mut self, origin: Origin, epochs: Vec<Epoch>) -> bool {
        self.epochs.entry(origin).or_default().admit(epochs)
    }

    /// Takes in an epoch whose opening is in the store. Returns whether anything changed.
    pub fn hold(&mut self, origin: Origin, epoch: Epoch) -> bool {
        self.epochs.entry(origin).or_default().hold(epoch)
    }

    /// Notes that nothing of an epoch is in the store any more.
    pub fn release(&mut self, origin: Origin, number: u32) {
        if let Some(epochs) = self.epochs.get_mut(&origin) {
            epochs.release(number);
        }
    }

    /// Takes in what a member's log says of its endpoints: `headers` are those of it that count and change them, oldest
    /// first. A change that does not stand on the one before is passed over. Returns whether anything changed.
    ///
    /// What was heard stays when it counts no more, until the roster or another key than the log key has spoken: else a
    /// thief of the log key could take it back, and the member's recovery would reach nobody.
    pub fn hear(&mut self, origin: Origin, headers: &[Header]) -> bool {
        self.changes.insert(origin, headers.len());
        let Some(member) = self.member(origin) else { return false };
        let ground = self.ground(origin);
        let stands = (ground.roster_version, reign(self.epochs(origin).tip()));
        let mut valid = member.transport_keys.as_slice();
        let mut last: Option<(&Header, &EndpointChange)> = None;
        for header in headers.iter().filter(|header| header.roster_version >= ground.roster_version) {
            let number = last.map_or(0, |(_, last)| last.number);
            let change = header.endpoint_change.as_ref();
            if let Some(change) = change.filter(|one| one.follows(&ground, number, valid)) {
                valid = &change.transport_keys;
                last = Some((header, change));
            }
        }
        let known = self.endpoints.get(&origin);
        let number = last.map_or(0, |(_, last)| last.number);
        let same_rule = |known: &&Announced| known.stands.0 == stands.0 && known.stands.1 >= stands.1;
        if known.filter(same_rule).is_some_and(|known| known.change.number > number) {
            return false;
        }
        let said = |(header, change): (&Header, &EndpointChange)| Announced {
            at: header.at,
            hlc_ms: header.hlc_ms,
            change: change.clone(),
            stands,
        };
        let last = last.map(said);
        let changed = known.map(|known| &known.change) != last.as_ref().map(|last| &last.change);
        match last {
            Some(last) => self.endpoints.insert(origin, last),
            None => self.endpoints.remove(&origin),
        };
        changed
    }

    /// What a member's next change of endpoints stands on.
    #[must_use]
    pub fn ground(&self, origin: Origin) -> Ground {
        let roster_version =
            self.roster_spoke(origin, |member| (member.endpoints.clone(), member.transport_keys.clone()));
        Ground { federation: self.federation(), origin, roster_version }
    }

    /// Whether another change of a member's endpoints would be looked at.
    #[must_use]
    pub fn has_room_for_a_change(&self, origin: Origin) -> bool {
        self.changes.get(&origin).is_none_or(|looked| *looked < ENDPOINT_CHANGES_MAX)
    }

    /// What a member's log said last of its endpoints, where that is what counts.
    #[must_use]
    pub fn announced(&self, origin: Origin) -> Option<&Announced> {
        self.endpoints.get(&origin)
    }

    /// The key that may sign this position of a member's log.
    #[must_use]
    pub fn log_key(&self, origin: Origin, key_no: u32, at: Position) -> Option<PublicKey> {
        self.epochs(origin).log_key(self.member(origin)?, key_no, at)
    }

    /// The version in which the roster last said something new of this part of a member.
    fn roster_spoke<T: PartialEq>(&self, origin: Origin, part: impl Fn(&v1::Member) -> T) -> u64 {
        let said = |roster: &Roster| Some(part(&roster.members().get(&origin)?.raw));
        let newest = said(&self.current);
        let before = self.versions.iter().rev().find(|roster| said(roster) != newest);
        before.map_or(0, Roster::version) + 1
    }
}

#[cfg(test)]
mod tests;
