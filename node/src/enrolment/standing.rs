//! How far a city's admission is: what the roster says of its keys, and how many of the committee have signed a
//! roster that would admit them. Counts only what verifies; a pure function of what it is given.

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

    fn is_of(&self, member: &Member) -> bool {
        member.log_keys.iter().any(|key| key.key == self.log_key)
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

/// Where a city stands with `roster` in force and `proposals` collecting signatures.
#[must_use]
pub fn standing(roster: &Roster, proposals: &[v1::SignedRoster], keys: &CardKeys) -> Standing {
    let member = roster.members().values().find(|member| keys.is_of(member));
    let mut standing = Standing {
        member: member.map(|member| member.status),
        needed: roster.governance().threshold,
        ..Standing::default()
    };
    for proposal in proposals {
        let Ok(draft) = Draft::parse(&proposal.roster) else { continue };
        let follows = draft.content.version == roster.version() + 1
            && draft.content.prev_hash == roster.hash().as_bytes();
        if follows && draft.members.values().any(|member| keys.is_of(member)) {
            standing.proposed = true;
            standing.signatures = standing.signatures.max(roster.governance().count_signatures(proposal));
        }
    }
    standing
}
