//! A small federation held in memory: really signed entries under a really signed roster, and a search by
//! plain comparison. It stands for the node's verified copy and must not be cleverer than it.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use wego_catalogue::{Searchable, kind};
use wego_proto::{
    entry::{Header, Payload, Verified},
    id::{FederationId, Hash, Origin, Position, RecordId},
    key::SecretKey,
    prost::Message as _,
    record::v1::{AdoptionStage, LangText, RecordKind},
    roster::add_signature,
    v1::{self, EntryKind, record::Kind},
};

use crate::portal::{Library, LibraryError};

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
    versions: Vec<v1::Version>,
    proof: v1::RecordProof,
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
        let number = kind::number(kind::kind_of(&record).unwrap());
        let view = v1::RecordView { record: Some(record.clone()), ..v1::RecordView::default() };
        self.append(handle, id, ago_ms, EntryKind::RecordPut, number, record.encode_to_vec(), view)
    }

    /// Withdraws a record.
    pub(super) fn retract(&mut self, handle: &str, id: u8, ago_ms: u64, reason: &str) -> RecordId {
        let record = self.records.get(&record_id(id)).and_then(|held| held.view.record.clone());
        let view = v1::RecordView {
            record,
            retracted: true,
            retract_reason: reason.to_owned(),
            ..v1::RecordView::default()
        };
        let content = v1::Retraction { reason: reason.to_owned() }.encode_to_vec();
        self.append(handle, id, ago_ms, EntryKind::Retract, 0, content, view)
    }

    #[expect(clippy::too_many_arguments, reason = "one entry has that many parts")]
    fn append(
        &mut self,
        handle: &str,
        id: u8,
        ago_ms: u64,
        kind: EntryKind,
        number: u32,
        content: Vec<u8>,
        mut view: v1::RecordView,
    ) -> RecordId {
        let id = record_id(id);
        let federation = FederationId::try_from(self.federation.federation_id.as_slice()).unwrap();
        let own = handle == self.own_handle;
        let city = self
            .federation
            .members
            .iter_mut()
            .find(|city| city.member.as_ref().unwrap().handle == handle)
            .unwrap();
        let member = city.member.clone().unwrap();
        let seq = city.head.as_ref().map_or(1, |head| head.seq + 1);
        let at = Position { epoch: 1, seq };
        let header = Header {
            origin: Origin(member.idx),
            at,
            prev: Hash::new([7; 32]),
            key_no: 1,
            roster_version: 1,
            hlc_ms: NOW_MS - ago_ms,
            kind: kind as i32,
            record_id: Some(id),
            base: None,
            payload: None,
            record_kind: number,
            request_id: None,
            epoch_start: None,
        };
        let payload_bytes = u32::try_from(content.len()).unwrap();
        let entry = Verified::sign(
            header,
            Some(Payload { nonce: [9; 16], content }),
            &federation,
            &log_key(member.idx),
        );
        let provenance = v1::Provenance {
            origin: member.idx,
            handle: handle.to_owned(),
            city: crate::portal::visit::names(&member),
            at: Some(at.into()),
            entry_hash: entry.hash().as_bytes().to_vec(),
            key_no: 1,
            key: log_key(member.idx).public().as_bytes().to_vec(),
            signed_at_ms: NOW_MS - ago_ms,
            received_at_ms: if own { 0 } else { NOW_MS - ago_ms + 4_000 },
            origin_seen_ms: city.seen_ms,
            verified: true,
        };
        city.head = Some(v1::Head { origin: member.idx, epoch: 1, seq, hash: provenance.entry_hash.clone() });
        let mut versions = self.records.remove(&id).map(|held| held.versions).unwrap_or_default();
        city.records += u64::from(versions.is_empty());
        versions.push(v1::Version {
            provenance: Some(provenance.clone()),
            kind: kind.into(),
            payload_bytes,
            payload_held: true,
        });
        view.record_id = id.as_bytes().to_vec();
        view.provenance = Some(provenance);
        view.versions = u32::try_from(versions.len()).unwrap();
        let proof = v1::RecordProof {
            entry: Some(entry.to_wire()),
            federation_id: federation.as_bytes().to_vec(),
            origin_handle: handle.to_owned(),
        };
        self.records.insert(id, Held { view, versions, proof });
        id
    }

    fn trouble(&self) -> Result<(), LibraryError> {
        match self.trouble {
            None => Ok(()),
            Some(Trouble::Unavailable) => Err(LibraryError::Unavailable),
            Some(Trouble::Panics) => panic!("a bug in the library"),
        }
    }

    fn newest_first(&self) -> Vec<&Held> {
        let mut held: Vec<&Held> = self.records.values().collect();
        held.sort_by_key(|held| std::cmp::Reverse(held.provenance().signed_at_ms));
        held
    }

    fn adoptions_of(&self, id: &RecordId) -> Vec<v1::AdoptionView> {
        let adopts = |held: &&Held| matches!(held.kind(), Some(Kind::Adoption(adoption)) if adoption.target_id == id.to_string());
        let view = |held: &Held| {
            let Some(Kind::Adoption(adoption)) = held.kind() else { unreachable!("filtered") };
            v1::AdoptionView {
                record_id: held.view.record_id.clone(),
                handle: held.provenance().handle.clone(),
                stage: adoption.stage,
                since: adoption.since.clone(),
                reason_withdrawn: adoption.reason_withdrawn.clone(),
            }
        };
        self.records.values().filter(adopts).map(view).collect()
    }
}

impl Held {
    pub(super) fn provenance(&self) -> &v1::Provenance {
        self.view.provenance.as_ref().unwrap()
    }

    fn kind(&self) -> Option<&Kind> {
        self.view.record.as_ref()?.kind.as_ref()
    }

    fn record_kind(&self) -> RecordKind {
        self.view.record.as_ref().and_then(kind::kind_of).unwrap_or_default()
    }

    fn texts(&self) -> (&[LangText], &[LangText]) {
        let core = match self.kind() {
            Some(Kind::Practice(practice)) => practice.core.as_ref(),
            Some(Kind::Dataset(dataset)) => dataset.core.as_ref(),
            _ => None,
        };
        core.map_or((&[], &[]), |core| (&core.title, &core.summary))
    }

    /// What filters compare: field and value.
    fn values(&self) -> Vec<(&'static str, String)> {
        let mut values = vec![
            ("kind", kind::word(self.record_kind()).to_owned()),
            ("city", self.provenance().handle.clone()),
            ("country", self.provenance().handle[..2].to_uppercase()),
        ];
        if let Some(searchable) = self.view.record.as_ref().and_then(Searchable::of) {
            values.extend(searchable.topics.iter().map(|(_, code)| ("topic", (*code).to_owned())));
            values.extend(searchable.stage.map(|word| ("stage", word.to_owned())));
        }
        values.extend(self.texts().0.iter().map(|title| ("lang", title.lang.clone())));
        values
    }

    fn matches(&self, query: &str) -> bool {
        let all = format!("{:?}", self.view.record).to_lowercase();
        query.split_whitespace().all(|word| match word.split_once(':') {
            Some((field, value)) => {
                self.values().iter().any(|(known, found)| *known == field && found == value)
            }
            None => all.contains(&word.to_lowercase()),
        })
    }
}

impl Library for Fixture {
    fn search(&self, request: v1::SearchRequest) -> Result<v1::SearchReply, LibraryError> {
        self.trouble()?;
        if !request.query.matches('"').count().is_multiple_of(2) {
            return Err(LibraryError::BadQuery("at character 1: this phrase is not finished <b>".into()));
        }
        let found = self
            .newest_first()
            .into_iter()
            .filter(|held| !held.view.retracted && held.matches(&request.query));
        let found: Vec<&Held> = found.collect();
        let wanted = [request.reader_lang.clone()];
        let choose = |texts: &[LangText]| crate::portal::language::choose(&wanted, texts).cloned();
        let hit = |held: &&Held| v1::Hit {
            record_id: held.view.record_id.clone(),
            kind: held.record_kind().into(),
            title: choose(held.texts().0),
            summary: choose(held.texts().1),
            provenance: held.view.provenance.clone(),
            score: 1.0,
        };
        let coverage = |city: &v1::MemberView| v1::Coverage {
            handle: city.member.as_ref().unwrap().handle.clone(),
            seq: city.head.as_ref().map_or(0, |head| head.seq),
            seen_ms: city.seen_ms,
        };
        let is = |word: &str| request.query.contains(word);
        Ok(v1::SearchReply {
            total: found.len() as u64,
            facets: if request.facets { facets(&found) } else { Vec::new() },
            hits: found.iter().skip(request.offset as usize).take(request.limit as usize).map(hit).collect(),
            coverage: self.federation.members.iter().map(coverage).collect(),
            also_searched: if is("open") { vec!["Open data".to_owned()] } else { Vec::new() },
            corrected: if is("goverment") { vec!["government".to_owned()] } else { Vec::new() },
            behind: if is("behind") { 12 } else { 0 },
        })
    }

    fn record(&self, id: &RecordId) -> Result<Option<v1::RecordView>, LibraryError> {
        self.trouble()?;
        let Some(held) = self.records.get(id) else { return Ok(None) };
        Ok(Some(v1::RecordView { adoptions: self.adoptions_of(id), ..held.view.clone() }))
    }

    fn history(&self, id: &RecordId) -> Result<Option<v1::HistoryReply>, LibraryError> {
        self.trouble()?;
        Ok(self.records.get(id).map(|held| v1::HistoryReply { versions: held.versions.clone() }))
    }

    fn list(&self, request: v1::ListRequest) -> Result<v1::ListReply, LibraryError> {
        self.trouble()?;
        let is_asked = |held: &&Held| {
            (request.kind == 0 || held.record_kind() == request.kind())
                && (request.handle.is_empty() || held.provenance().handle == request.handle)
                && (request.retracted || !held.view.retracted)
        };
        let summary = |held: &Held| v1::RecordSummary {
            record_id: held.view.record_id.clone(),
            kind: held.record_kind().into(),
            title: held.texts().0.to_vec(),
            handle: held.provenance().handle.clone(),
            at: held.provenance().at,
            signed_at_ms: held.provenance().signed_at_ms,
            ..v1::RecordSummary::default()
        };
        let from: usize = request.page_token.parse().unwrap_or(0);
        let all: Vec<v1::RecordSummary> =
            self.newest_first().into_iter().filter(is_asked).map(summary).collect();
        let until = (from + request.page_size as usize).min(all.len());
        let next_page_token = if until < all.len() { until.to_string() } else { String::new() };
        Ok(v1::ListReply { records: all[from.min(until)..until].to_vec(), next_page_token })
    }

    fn export(&self, id: &RecordId) -> Result<Option<v1::RecordProof>, LibraryError> {
        self.trouble()?;
        Ok(self.records.get(id).filter(|held| held.view.record.is_some()).map(|held| held.proof.clone()))
    }

    fn members(&self) -> v1::ListMembersReply {
        self.federation.clone()
    }

    fn roster_chain(&self) -> v1::RosterChain {
        self.chain.clone()
    }

    fn now_ms(&self) -> u64 {
        NOW_MS
    }

    fn own_handle(&self) -> String {
        self.own_handle.clone()
    }
}

fn facets(found: &[&Held]) -> Vec<v1::Facet> {
    let mut counts: BTreeMap<&str, BTreeMap<String, u64>> = BTreeMap::new();
    for (field, value) in found.iter().flat_map(|held| held.values()) {
        *counts.entry(field).or_default().entry(value).or_default() += 1;
    }
    let facet = |(field, values): (&str, BTreeMap<String, u64>)| {
        let mut values: Vec<v1::FacetValue> = values
            .into_iter()
            .map(|(value, count)| v1::FacetValue { label: value.clone(), value, count })
            .collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.count));
        v1::Facet { field: field.to_owned(), values }
    };
    counts.into_iter().map(facet).collect()
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
