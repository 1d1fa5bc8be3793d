//! Somebody who signs entries for tests.
//!
//! Deterministic: one origin always signs the same log. Its key must never be used outside tests.

use std::collections::BTreeMap;

use wego_proto::{
    entry::{EndpointChange, EpochStart, Header, Payload, Verified},
    id::{FederationId, Hash, Origin, Position, RecordId, RequestId},
    key::{PublicKey, SecretKey},
    presence::Presentation,
    v1::{self, EntryKind},
};
use zeroize::Zeroizing;

/// A member that signs one log.
#[derive(Debug)]
pub struct Author {
    origin: Origin,
    federation: FederationId,
    key: SecretKey,
    next: Position,
    prev: Hash,
    /// Its newest opening of each later epoch.
    openings: BTreeMap<u32, Hash>,
}

impl Author {
    /// The author of this origin.
    #[must_use]
    pub fn new(origin: u32) -> Self {
        let seed = Zeroizing::new(*Hash::of(&[b"author", &origin.to_be_bytes()]).as_bytes());
        Self {
            origin: Origin(origin),
            federation: FederationId::new([7; 32]),
            key: SecretKey::from_seed(&seed),
            next: Position::FIRST,
            prev: Hash::of(&[&origin.to_be_bytes()]),
            openings: BTreeMap::new(),
        }
    }

    /// Its origin.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// What its entries verify with, in [`Author::federation`].
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.key.public()
    }

    /// The federation it signs for.
    #[must_use]
    pub fn federation(&self) -> FederationId {
        self.federation
    }

    /// Its next entry, with a payload of so many bytes.
    #[must_use]
    pub fn next(&mut self, payload_bytes: usize) -> Verified {
        let entry = self.sign(self.next, self.prev, None, payload_bytes);
        self.advance(&entry);
        entry
    }

    /// Its next entries.
    #[must_use]
    pub fn batch(&mut self, entries: usize, payload_bytes: usize) -> Vec<Verified> {
        (0..entries).map(|_| self.next(payload_bytes)).collect()
    }

    /// Another entry at the position of `entry`, after the same predecessor.
    #[must_use]
    pub fn fork_of(&self, entry: &Verified) -> Verified {
        let payload_bytes = entry.payload().map_or(0, |payload| payload.content.len());
        self.sign(entry.header().at, entry.header().prev, None, payload_bytes + 1)
    }

    /// Goes on from `entry`, as if it were the last one signed.
    pub fn go_on_from(&mut self, entry: &Verified) {
        self.advance(entry);
    }

    /// Opens a later epoch on `base`.
    #[must_use]
    pub fn open_epoch(&mut self, epoch: u32, base: Position, base_hash: Hash) -> Verified {
        let at = Position { epoch, seq: 1 };
        let base_opening = self.openings.get(&base.epoch).copied();
        let start = EpochStart {
            base,
            base_hash,
            proof_hash: None,
            store: None,
            log_key: None,
            next_digest: None,
            base_opening,
        };
        let entry = self.sign(at, base_hash, Some(start), 1);
        self.openings.insert(epoch, entry.hash());
        self.advance(&entry);
        entry
    }

    /// The request id of its entry at `at`.
    #[must_use]
    pub fn request_id(at: Position) -> RequestId {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&at.epoch.to_be_bytes());
        bytes[8..].copy_from_slice(&at.seq.to_be_bytes());
        RequestId::new(bytes)
    }

    /// Its next entry, a version of `record` with a payload of so many bytes.
    #[must_use]
    pub fn put(&mut self, record: RecordId, payload_bytes: usize) -> Verified {
        self.about(EntryKind::RecordPut, record, payload_bytes)
    }

    /// Its next entry, which orders to erase `record`.
    #[must_use]
    pub fn erase(&mut self, record: RecordId) -> Verified {
        self.about(EntryKind::Erase, record, 0)
    }

    /// Its next entry, which says that it is called `name`.
    #[must_use]
    pub fn call(&mut self, name: &str) -> Verified {
        let plain = self.sign(self.next, self.prev, None, 0);
        let names = vec![v1::MemberName { lang: "en".to_owned(), text: name.to_owned() }];
        let presentation = Some(Presentation { names, portal_url: None });
        let kind = EntryKind::Presentation as i32;
        let header = Header { kind, payload: None, presentation, ..plain.header().clone() };
        let entry = Verified::sign(header, None, &self.federation, &self.key);
        self.advance(&entry);
        entry
    }

    /// Its next entry, which says that it is reached at `endpoint`.
    #[must_use]
    pub fn move_to(&mut self, endpoint: &str) -> Verified {
        let plain = self.sign(self.next, self.prev, None, 0);
        let change = EndpointChange {
            endpoints: vec![endpoint.to_owned()],
            transport_keys: vec![self.key.public()],
            number: 1,
            proofs: Vec::new(),
        };
        let kind = EntryKind::Endpoint as i32;
        let header = Header { kind, payload: None, endpoint_change: Some(change), ..plain.header().clone() };
        let entry = Verified::sign(header, None, &self.federation, &self.key);
        self.advance(&entry);
        entry
    }

    fn about(&mut self, kind: EntryKind, record: RecordId, payload_bytes: usize) -> Verified {
        let plain = self.sign(self.next, self.prev, None, payload_bytes);
        let erase = (kind == EntryKind::Erase).then_some(1);
        let header = Header { kind: kind as i32, record_id: Some(record), erase, ..plain.header().clone() };
        let payload = plain.payload().filter(|_| erase.is_none()).cloned();
        let entry = Verified::sign(Header { payload: None, ..header }, payload, &self.federation, &self.key);
        self.advance(&entry);
        entry
    }

    fn advance(&mut self, entry: &Verified) {
        let at = entry.header().at;
        self.next = at.next().unwrap_or(at);
        self.prev = entry.hash();
    }

    fn sign(
        &self,
        at: Position,
        prev: Hash,
        epoch_start: Option<EpochStart>,
        payload_bytes: usize,
    ) -> Verified {
        let header = Header {
            origin: self.origin,
            at,
            prev,
            key_no: 1,
            roster_version: 1,
            hlc_ms: at.seq,
            kind: EntryKind::RecordPut as i32,
            record_id: None,
            base: None,
            payload: None,
            record_kind: 1,
            request_id: Some(Self::request_id(at)),
            epoch_start,
            erase: None,
            recovery_key: None,
            endpoint_change: None,
            presentation: None,
        };
        // Bytes that do not compress and differ at every position.
        let block = *Hash::of(&[&self.origin.0.to_be_bytes(), &at.seq.to_be_bytes()]).as_bytes();
        let content = block.into_iter().cycle().take(payload_bytes).collect();
        let payload = Payload { nonce: [9; 16], content };
        Verified::sign(header, Some(payload), &self.federation, &self.key)
    }
}
