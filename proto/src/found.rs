//! The first roster of a federation, made from its members' cards. Who may sign it, and when it counts, is said in
//! [`crate::roster`].

use std::collections::BTreeMap;

use crate::{
    WIRE_VERSIONS,
    card::MemberCard,
    entry::FORMAT,
    id::Position,
    v1::{self, MemberRole, MemberStatus},
};

/// What the founders agree on.
#[derive(Debug, Clone)]
pub struct Founding {
    /// Name of the federation.
    pub name: String,
    /// How many governance keys must sign: more than half of them.
    pub threshold: u32,
    /// Offices by handle; everybody else is a member.
    pub offices: BTreeMap<String, MemberRole>,
    /// Now, ms since 1970.
    pub issued_at_ms: u64,
    /// When admissions stop unless the roster is renewed, ms since 1970; 0 is never.
    pub soft_expires_at_ms: u64,
}

impl Founding {
    /// Version 1: the members in the order of their cards, numbered from 1.
    #[must_use]
    pub fn genesis(&self, cards: &[MemberCard]) -> v1::Roster {
        let mut governance = v1::Governance { threshold: self.threshold, ..Default::default() };
        for (idx, card) in (1..).zip(cards) {
            if let Some(key) = card.governance_key {
                governance.add_key(key.as_bytes().to_vec(), idx);
            }
        }
        v1::Roster {
            format: 1,
            version: 1,
            federation_name: self.name.clone(),
            issued_at_ms: self.issued_at_ms,
            soft_expires_at_ms: self.soft_expires_at_ms,
            governance: Some(governance),
            wire_min: *WIRE_VERSIONS.start(),
            wire_max: *WIRE_VERSIONS.end(),
            entry_format: FORMAT,
            members: (1..)
                .zip(cards)
                .map(|(idx, card)| card.member(idx, self.role(card), self.issued_at_ms))
                .collect(),
            ..Default::default()
        }
    }

    fn role(&self, card: &MemberCard) -> MemberRole {
        self.offices.get(&card.inception.handle).copied().unwrap_or(MemberRole::Member)
    }
}

impl MemberCard {
    /// The city as a member: active, with its first log key.
    #[must_use]
    pub fn member(&self, idx: u32, role: MemberRole, term_from_ms: u64) -> v1::Member {
        let inception = &self.inception;
        v1::Member {
            idx,
            city_id: self.city_id.as_bytes().to_vec(),
            handle: inception.handle.clone(),
            names: inception.names.clone(),
            country: inception.country.clone(),
            place: inception.place.clone(),
            endpoints: self.endpoints.clone(),
            transport_keys: vec![self.transport_key.as_bytes().to_vec()],
            log_keys: vec![v1::LogKey {
                key_no: 1,
                key: self.log_key.as_bytes().to_vec(),
                from: Some(Position::FIRST.into()),
                until: None,
                ..Default::default()
            }],
            next_log_key_digest: inception.next_log_key_digest.clone(),
            recovery_digest: inception.recovery_digest.clone(),
            status: MemberStatus::Active as i32,
            role: role as i32,
            cut: None,
            term_from_ms,
            term_until_ms: 0,
            portal_url: self.portal_url.clone(),
        }
    }

    /// What of a member that a roster admits is not as in its card, and would let somebody else be the city: `None` when
    /// all of it is. Names, place and endpoints are not looked at: a committee may put them right.
    #[must_use]
    pub fn differs_from_admitted(&self, member: &v1::Member) -> Option<&'static str> {
        let own = self.member(member.idx, member.role(), member.term_from_ms);
        if member.city_id != own.city_id {
            return Some("city id");
        }
        // Not even an older or a later key beside the own one.
        if member.log_keys != own.log_keys {
            return Some("log key");
        }
        self.differs_from_newest(member)
    }

    /// As [`MemberCard::differs_from_admitted`] for a member that was given new keys and keeps its old ones for what
    /// they signed.
    #[must_use]
    pub fn differs_from_newest(&self, member: &v1::Member) -> Option<&'static str> {
        let own = self.member(member.idx, member.role(), member.term_from_ms);
        let newest = member.log_keys.last().map(|key| key.key.as_slice());
        [
            (newest == Some(self.log_key.as_bytes().as_slice()), "log key"),
            (member.transport_keys == own.transport_keys, "transport key"),
            (member.next_log_key_digest == own.next_log_key_digest, "next log key digest"),
            (member.recovery_digest == own.recovery_digest, "recovery digest"),
        ]
        .into_iter()
        .find_map(|(same, what)| (!same).then_some(what))
    }
}
