//! Who is a member, with which keys, since when: the chain of roster versions, kept whole.
//!
//! Old entries are verified with old keys, so no version is ever forgotten; the newest one decides who may speak
//! and write. The number of the version in force never decreases.

use wego_proto::{
    id::{FederationId, Origin, Position},
    key::PublicKey,
    roster::{Member, Roster, RosterError},
    v1,
};

/// All roster versions from the first to the one in force.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    versions: Vec<Roster>,
    current: Roster,
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
        Ok(Self { versions, current })
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
        self.current.member_by_transport_key(key)
    }

    /// The key that may sign this position of a member's log.
    #[must_use]
    pub fn log_key(&self, origin: Origin, key_no: u32, at: Position) -> Option<&PublicKey> {
        self.member(origin)?.log_key(key_no, at)
    }
}
