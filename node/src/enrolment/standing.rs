//! How far a city's admission is: what the roster says of its keys, and how many of the committee have signed a
//! roster that would admit them. Counts only what verifies; pure functions of what they are given.

use std::collections::BTreeSet;

use wego_proto::{
    card::MemberCard,
    key::PublicKey,
    roster::{Draft, Member, Roster},
    v1,
};

/// The keys and names by which a card is found in a roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardKeys {
    /// Signs entries.
    pub log_key: PublicKey,
    /// Speaks for the node.
    pub transport_key: PublicKey,
    /// As in `nl-leiden`.
    pub handle: String,
}

impl CardKeys {
    pub(super) fn of(card: &MemberCard) -> Self {
        Self {
            log_key: card.log_key,
            transport_key: card.transport_key,
            handle: card.inception.handle.clone(),
        }
    }
}

/// How far an admission is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// What the roster in force says; `None`: the city is not in it.
    pub member: Option<v1::MemberStatus>,
    /// Whether a roster that admits it collects signatures.
    pub proposed: bool,
    /// Distinct signatures of the keys that must sign, on the furthest such roster.
    pub signatures: usize,
    /// How many are needed.
    pub needed: usize,
}

/// A roster that collects signatures, as far as admissions are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collecting {
    /// Log keys of all its members.
    members: BTreeSet<PublicKey>,
    /// Distinct signatures of the keys that must sign.
    signatures: usize,
}

impl Collecting {
    /// Those of `proposals` that follow `roster`. Reads and verifies whole rosters: too dear for every question.
    #[must_use]
    pub fn of(roster: &Roster, proposals: &[v1::SignedRoster]) -> Vec<Self> {
        let read = |proposal: &v1::SignedRoster| {
            let draft = Draft::parse(&proposal.roster).ok()?;
            let follows = draft.content.version == roster.version() + 1
                && draft.content.prev_hash == roster.hash().as_bytes();
            follows.then(|| Self {
                members: draft.members.values().flat_map(log_keys).collect(),
                signatures: roster.governance().count_signatures(proposal),
            })
        };
        proposals.iter().filter_map(read).collect()
    }
}

fn log_keys(member: &Member) -> impl Iterator<Item = PublicKey> {
    member.log_keys.iter().map(|key| key.key)
}

/// Where a city stands with `roster` in force and others collecting signatures.
#[must_use]
pub fn standing(roster: &Roster, collecting: &[Collecting], keys: &CardKeys) -> Standing {
    let member = roster.members().values().find(|member| log_keys(member).any(|key| key == keys.log_key));
    let admitting = || collecting.iter().filter(|one| one.members.contains(&keys.log_key));
    Standing {
        member: member.map(|member| member.status),
        proposed: admitting().next().is_some(),
        signatures: admitting().map(|one| one.signatures).max().unwrap_or(0),
        needed: roster.governance().threshold,
    }
}
