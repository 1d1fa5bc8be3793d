//! What a simulated run stands on: virtual time, reproducible chance, keys and a signed roster.

use std::collections::BTreeMap;

use wego_proto::{
    id::Origin,
    key::SecretKey,
    prost::Message as _,
    roster::add_signature,
    v1::{self, MemberStatus},
};

use crate::roster::History;

/// Virtual time and what is planned.
#[derive(Debug)]
pub struct Clock<T> {
    now_ms: u64,
    planned: BTreeMap<(u64, u64), T>,
    order: u64,
}

impl<T> Clock<T> {
    /// Time starts at `now_ms`.
    #[must_use]
    pub fn new(now_ms: u64) -> Self {
        Self { now_ms, planned: BTreeMap::new(), order: 0 }
    }

    /// Virtual time, ms.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Lets time pass in which nothing happens: what is planned is put off.
    pub fn skip(&mut self, ms: u64) {
        self.now_ms += ms;
        let planned = std::mem::take(&mut self.planned);
        self.planned = planned.into_iter().map(|((at, order), what)| ((at + ms, order), what)).collect();
    }

    /// Plans something; of things planned for one moment, the one planned first happens first.
    pub fn at(&mut self, ms: u64, what: T) {
        self.order += 1;
        self.planned.insert((ms.max(self.now_ms), self.order), what);
    }

    /// The next thing planned before `end`, after moving time to it; at the end, moves time to the end.
    pub fn next_before(&mut self, end: u64) -> Option<T> {
        let due = self.planned.first_entry().filter(|first| first.key().0 <= end);
        let Some(due) = due else {
            self.now_ms = end;
            return None;
        };
        let ((ms, _), what) = due.remove_entry();
        self.now_ms = ms;
        Some(what)
    }
}

/// Reproducible chance: SplitMix64 (Steele et al. 2014).
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// The same seed gives the same run.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.draw() % end.max(1)
    }

    /// Bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.draw() as u8)
    }
}

/// A simulated roster expires after a month, ms since 1970. Only runs over months come that far.
const SOFT_EXPIRY_MS: u64 = 30 * 24 * 60 * 60 * 1_000;

/// Members with keys and a roster they all signed.
#[derive(Debug)]
pub struct Federation {
    /// The roster.
    pub roster: History,
}

impl Federation {
    /// `members` active members with one log key each.
    ///
    /// # Panics
    /// Never: the roster is signed here by its only governance key.
    #[must_use]
    #[expect(clippy::expect_used, reason = "made and signed a few lines above")]
    pub fn new(members: usize) -> Self {
        let governance = key(u32::MAX, 0);
        let roster = v1::Roster {
            format: 1,
            version: 1,
            federation_name: "simulated".to_owned(),
            soft_expires_at_ms: SOFT_EXPIRY_MS,
            governance: Some(v1::Governance {
                keys: vec![governance.public().as_bytes().to_vec()],
                threshold: 1,
                ..Default::default()
            }),
            members: (1..=members as u32).map(member).collect(),
            ..Default::default()
        };
        let mut signed = v1::SignedRoster { roster: roster.encode_to_vec(), signatures: vec![] };
        add_signature(&mut signed, &governance);
        let chain = v1::RosterChain { versions: vec![signed] };
        Self { roster: History::open(chain).expect("signed by its only key") }
    }

    /// The version after the first, signed by the only governance key.
    #[must_use]
    pub fn next_version(&self, change: impl FnOnce(&mut v1::Roster)) -> v1::SignedRoster {
        let first = self.roster.current();
        let mut roster = first.content().clone();
        roster.version += 1;
        roster.federation_id = first.federation().as_bytes().to_vec();
        roster.prev_hash = first.hash().as_bytes().to_vec();
        change(&mut roster);
        let mut signed = v1::SignedRoster { roster: roster.encode_to_vec(), signatures: vec![] };
        add_signature(&mut signed, &key(u32::MAX, 0));
        signed
    }

    /// The member of a node's number.
    #[must_use]
    pub fn origin(&self, node: usize) -> Origin {
        Origin(node as u32 + 1)
    }

    /// A member's log key.
    #[must_use]
    pub fn log_key(&self, origin: Origin) -> SecretKey {
        key(origin.0, 1)
    }

    /// A member's transport key.
    #[must_use]
    pub fn transport_key(&self, origin: Origin) -> SecretKey {
        key(origin.0, 2)
    }

    /// The key that a member's first log key has committed to.
    #[must_use]
    pub fn next_log_key(&self, origin: Origin) -> SecretKey {
        key(origin.0, 3)
    }

    /// A member's recovery key.
    #[must_use]
    pub fn recovery_key(&self, origin: Origin) -> SecretKey {
        key(origin.0, 4)
    }
}

fn member(idx: u32) -> v1::Member {
    let mut city_id = [0; 32];
    city_id[..4].copy_from_slice(&idx.to_be_bytes());
    v1::Member {
        idx,
        city_id: city_id.to_vec(),
        handle: format!("city-{idx}"),
        names: vec![v1::MemberName { lang: "en".to_owned(), text: format!("City {idx}") }],
        transport_keys: vec![key(idx, 2).public().as_bytes().to_vec()],
        log_keys: vec![v1::LogKey {
            key_no: 1,
            key: key(idx, 1).public().as_bytes().to_vec(),
            from: Some(v1::Position { epoch: 1, seq: 1 }),
            until: None,
            ..Default::default()
        }],
        next_log_key_digest: key(idx, 3).public().digest().as_bytes().to_vec(),
        recovery_digest: key(idx, 4).public().digest().as_bytes().to_vec(),
        status: MemberStatus::Active as i32,
        ..Default::default()
    }
}

fn key(member: u32, purpose: u8) -> SecretKey {
    let mut seed = [purpose; 32];
    seed[..4].copy_from_slice(&member.to_be_bytes());
    SecretKey::from_seed(&seed.into())
}
