//! A small federation held in memory: really signed entries under a really signed roster. It must not need a
//! node, a disk or a clock.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use wego_catalogue::kind;
use wego_proto::{
    entry::{Header, Payload, Verified},
    id::{FederationId, Hash, Origin, Position, RecordId},
    key::SecretKey,
    prost::Message as _,
    record::v1::AdoptionStage,
    roster::add_signature,
    v1::{self, EntryKind, record::Kind},
};

use crate::portal::visit::names;

/// The moment at which every visit happens: 2025-11-23 16:00 UTC.
pub(super) const NOW_MS: u64 = 1_763_913_600_000;
pub(super) const MINUTE_MS: u64 = 60_000;
pub(super) const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

/// A federation.
pub(super) struct Fixture {
    pub(super) federation: v1::ListMembersReply,
    pub(super) chain: v1::RosterChain,
    pub(super) records: BTreeMap<RecordId, Held>,
    pub(super) own_handle: String,
    /// What every call answers instead, if anything.
    pub(super) trouble: Option<Trouble>,
}

/// What can be wrong with a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    Unavailable,
    Panics,
}

/// A record with all its versions.
pub(super) struct Held {
    pub(super) view: v1::RecordView,
    pub(super) versions: Vec<v1::Version>,
    pub(super) proof: v1::RecordProof,
}

impl Fixture {
    pub(super) fn new(name: &str, members: Vec<v1::MemberView>, soft_expires_at_ms: u64) -> Self {
        let roster = v1::Roster {
            format: 1,
            version: 1,
            federation_name: name.to_owned(),
            issued_at_ms: NOW_MS - 90 * DAY_MS,
            soft_expires_at_ms,
            governance: Some(v1::Governance {
                keys: (1..=3).map(|seed| key(seed).public().as_bytes().to_vec()).collect(),
                threshold: 2,
                ..Default::default()
            }),
            members: members.iter().filter_map(|view| view.member.clone()).collect(),
            ..v1::Roster::default()
        };
        let mut signed = v1::SignedRoster { roster: roster.encode_to_vec(), signatures: Vec::new() };
        add_signature(&mut signed, &key(1));
        add_signature(&mut signed, &key(2));
        let federation_id = Hash::of(&[&signed.roster]).as_bytes().to_vec();
        let own = members.iter().find(|view| view.self_).and_then(|view| view.member.clone());
        Self {
            federation: v1::ListMembersReply {
                federation_name: name.to_owned(),
                federation_id,
                roster_expired: false,
                roster_version: 1,
                members,
            },
            chain: v1::RosterChain { versions: vec![signed] },
            records: BTreeMap::new(),
            own_handle: own.unwrap_or_default().handle,
            trouble: None,
        }
    }

    /// Publishes a version of a record, signed by its owner so long ago.
    pub(super) fn publish(&mut self, handle: &str, id: u8, ago_ms: u64, kind: Kind) -> RecordId {
        let record = v1::Record { kind: Some(kind) };
        let written = Written {
            kind: EntryKind::RecordPut,
            record_kind: kind::number(kind::kind_of(&record).unwrap()),
            content: record.encode_to_vec(),
        };
        let view = v1::RecordView { record: Some(record), ..v1::RecordView::default() };
        self.append(handle, record_id(id), ago_ms, written, view)
    }

    /// Withdraws a record.
    pub(super) fn retract(&mut self, handle: &str, id: u8, ago_ms: u64, reason: &str) -> RecordId {
        let content = v1::Retraction { reason: reason.to_owned() }.encode_to_vec();
        let view = v1::RecordView {
            record: self.records[&record_id(id)].view.record.clone(),
            retracted: true,
            retract_reason: reason.to_owned(),
            ..v1::RecordView::default()
        };
        let written = Written { kind: EntryKind::Retract, record_kind: 0, content };
        self.append(handle, record_id(id), ago_ms, written, view)
    }

    /// Erases a record, by its owner's order.
    pub(super) fn erase(&mut self, handle: &str, id: u8, ago_ms: u64, reason: v1::EraseReason) -> RecordId {
        let by =
            v1::ErasedBy { reason: reason.into(), handle: handle.to_owned(), ordered_at_ms: NOW_MS - ago_ms };
        let view = v1::RecordView {
            retracted: true,
            erased: true,
            erased_by: Some(by),
            ..v1::RecordView::default()
        };
        let written = Written { kind: EntryKind::Erase, record_kind: 0, content: Vec::new() };
        self.append(handle, record_id(id), ago_ms, written, view)
    }

    fn append(
        &mut self,
        handle: &str,
        id: RecordId,
        ago_ms: u64,
        written: Written,
        view: v1::RecordView,
    ) -> RecordId {
        let federation = FederationId::try_from(self.federation.federation_id.as_slice()).unwrap();
        let mut cities = self.federation.members.iter_mut();
        let city = cities.find(|city| city.member.as_ref().unwrap().handle == handle).unwrap();
        let (kind, payload_bytes) = (written.kind.into(), u32::try_from(written.content.len()).unwrap());
        let entry = signed(city, id, NOW_MS - ago_ms, written, &federation);
        let provenance = provenance(city, &entry);
        let at = entry.header().at;
        let hash = provenance.entry_hash.clone();
        city.head = Some(v1::Head { origin: provenance.origin, epoch: at.epoch, seq: at.seq, hash });
        let mut versions = self.records.remove(&id).map(|held| held.versions).unwrap_or_default();
        city.records += u64::from(versions.is_empty());
        city.records -= u64::from(view.retracted);
        versions.push(v1::Version {
            provenance: Some(provenance.clone()),
            kind,
            payload_bytes,
            payload_held: payload_bytes > 0,
        });
        let view = v1::RecordView {
            record_id: id.as_bytes().to_vec(),
            provenance: Some(provenance),
            versions: u32::try_from(versions.len()).unwrap(),
            ..view
        };
        let proof = v1::RecordProof {
            entry: Some(entry.to_wire()),
            federation_id: federation.as_bytes().to_vec(),
            origin_handle: handle.to_owned(),
            epochs: vec![],
        };
        self.records.insert(id, Held { view, versions, proof });
        id
    }
}

/// What an entry does and carries.
struct Written {
    kind: EntryKind,
    record_kind: u32,
    content: Vec<u8>,
}

/// The next entry of a city's log.
fn signed(
    city: &v1::MemberView,
    id: RecordId,
    hlc_ms: u64,
    written: Written,
    federation: &FederationId,
) -> Verified {
    let idx = city.member.as_ref().unwrap().idx;
    let header = Header {
        origin: Origin(idx),
        at: Position { epoch: 1, seq: city.head.as_ref().map_or(1, |head| head.seq + 1) },
        prev: Hash::new([7; 32]),
        key_no: 1,
        roster_version: 1,
        hlc_ms,
        kind: written.kind.into(),
        record_id: Some(id),
        base: None,
        payload: None,
        record_kind: written.record_kind,
        request_id: None,
        epoch_start: None,
        erase: None,
        recovery_key: None,
        endpoint_change: None,
        presentation: None,
    };
    let payload = Payload { nonce: [9; 16], content: written.content };
    Verified::sign(header, Some(payload), federation, &log_key(idx))
}

fn provenance(city: &v1::MemberView, entry: &Verified) -> v1::Provenance {
    let member = city.member.as_ref().unwrap();
    let header = entry.header();
    v1::Provenance {
        origin: member.idx,
        handle: member.handle.clone(),
        city: names(member),
        at: Some(header.at.into()),
        entry_hash: entry.hash().as_bytes().to_vec(),
        key_no: header.key_no,
        key: log_key(member.idx).public().as_bytes().to_vec(),
        signed_at_ms: header.hlc_ms,
        received_at_ms: if city.self_ { 0 } else { header.hlc_ms + 4_000 },
        origin_seen_ms: city.seen_ms,
        verified: true,
    }
}

/// A city as the roster has it.
pub(super) fn city(
    idx: u32,
    handle: &str,
    place: &str,
    names: &[(&str, &str)],
    role: v1::MemberRole,
) -> v1::Member {
    let name =
        |(lang, text): &(&str, &str)| v1::MemberName { lang: (*lang).to_owned(), text: (*text).to_owned() };
    v1::Member {
        idx,
        city_id: Hash::of(&[handle.as_bytes()]).as_bytes().to_vec(),
        handle: handle.to_owned(),
        names: names.iter().map(name).collect(),
        country: handle[..2].to_uppercase(),
        place: place.to_owned(),
        transport_keys: vec![key(100 + u8::try_from(idx).unwrap()).public().as_bytes().to_vec()],
        log_keys: vec![v1::LogKey {
            key_no: 1,
            key: log_key(idx).public().as_bytes().to_vec(),
            from: Some(Position::FIRST.into()),
            until: None,
            ..Default::default()
        }],
        status: v1::MemberStatus::Active.into(),
        role: role.into(),
        term_from_ms: NOW_MS - 400 * DAY_MS,
        portal_url: format!("https://{}.example/", &handle[3..]),
        ..v1::Member::default()
    }
}

/// The id of the record with this number.
pub(super) fn record_id(number: u8) -> RecordId {
    RecordId::new([number; 16])
}

/// An adoption's stage by its number.
pub(super) fn adoption_stage(number: i32) -> i32 {
    AdoptionStage::try_from(number).unwrap().into()
}

fn log_key(idx: u32) -> SecretKey {
    key(200 + u8::try_from(idx).unwrap())
}

fn key(seed: u8) -> SecretKey {
    // PKCS #8 of an Ed25519 key is this prefix and 32 bytes.
    let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    der.extend([seed; 32]);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64.encode(&der));
    SecretKey::from_pem(&pem).unwrap()
}
