//! Logs to be projected: entries as they would have been put, with signatures that nobody here checks.

use prost::Message as _;
use tempfile::TempDir;
use wego_proto::{
    entry::{Payload, Unverified},
    id::{Origin, Position, RecordId, StoreId},
    record::v1::{Adoption, AdoptionStage, Core, Dataset, LangText, Practice, Provenance},
    v1::{self, EntryKind, record},
};

use crate::{
    records::Records,
    store::{Arrived, Cursor, NoGuard, Projection as _},
};

pub(super) const STORE: StoreId = StoreId::new([7; 16]);

/// A projection in a directory of its own.
pub(super) struct Sample {
    pub(super) records: Records,
    pub(super) dir: TempDir,
}

impl Sample {
    pub(super) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let records = Records::open(&dir.path().join("records"), STORE, &NoGuard).unwrap();
        Self { records, dir }
    }

    pub(super) fn of(entries: &[Unverified]) -> Self {
        let sample = Self::new();
        sample.apply(entries);
        sample
    }

    /// Applies the entries after those already applied, in one batch.
    pub(super) fn apply(&self, entries: &[Unverified]) {
        let next = self.records.cursor().unwrap().0 + entries.len() as u64;
        self.records.apply(&arrived(entries), Cursor(next)).unwrap();
    }

    /// What a crash at this moment would leave: the files as they are, without anything still in memory.
    pub(super) fn after_a_crash(&self) -> Self {
        let dir = TempDir::new().unwrap();
        copy(&self.dir.path().join("records"), &dir.path().join("records"));
        let records = Records::open(&dir.path().join("records"), STORE, &NoGuard).unwrap();
        Self { records, dir }
    }
}

/// Entries of an unknown moment.
pub(super) fn arrived(entries: &[Unverified]) -> Vec<Arrived> {
    entries.iter().cloned().map(Arrived::from).collect()
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let target = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy(&file.path(), &target);
        } else {
            std::fs::copy(file.path(), target).unwrap();
        }
    }
}

/// An entry to be: its header, and the payload's content.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    header: v1::EntryHeader,
    content: Option<Vec<u8>>,
}

impl Draft {
    /// A version of record number `id`, at one position later per call of the test.
    pub(super) fn new(origin: u32, seq: u64, kind: EntryKind, id: u8) -> Self {
        let header = v1::EntryHeader {
            format: 1,
            origin,
            epoch: 1,
            seq,
            prev: vec![0; 32],
            key_no: 1,
            hlc_ms: seq * 10,
            kind: kind.into(),
            record_id: vec![id; 16],
            ..Default::default()
        };
        Self { header, content: None }
    }

    pub(super) fn put(origin: u32, seq: u64, id: u8, record: &v1::Record) -> Self {
        let kind = wego_catalogue::kind_of(record).unwrap();
        let content = wego_catalogue::encode(record);
        Self::new(origin, seq, EntryKind::RecordPut, id).record_kind(kind as u32).content(content)
    }

    pub(super) fn retract(origin: u32, seq: u64, id: u8, reason: &str) -> Self {
        let content = v1::Retraction { reason: reason.to_owned() }.encode_to_vec();
        Self::new(origin, seq, EntryKind::Retract, id).content(content)
    }

    pub(super) fn start_epoch(origin: u32, epoch: u32, base: Position) -> Self {
        let mut draft = Self::new(origin, 1, EntryKind::EpochStart, 0);
        draft.header.record_id.clear();
        draft.header.epoch = epoch;
        let start = v1::EpochStart {
            base: Some(base.into()),
            base_hash: vec![0; 32],
            base_opening: vec![0; if base.epoch > 1 { 32 } else { 0 }],
            ..Default::default()
        };
        draft.header.epoch_start = Some(start);
        draft
    }

    pub(super) fn erase(origin: u32, seq: u64, id: u8, reason: u32) -> Self {
        let mut draft = Self::new(origin, seq, EntryKind::Erase, id);
        draft.header.erase = Some(v1::Erase { reason });
        draft
    }

    pub(super) fn record_kind(mut self, number: u32) -> Self {
        self.header.record_kind = number;
        self
    }

    pub(super) fn record_id(mut self, id: &[u8; 16]) -> Self {
        self.header.record_id = id.to_vec();
        self
    }

    pub(super) fn hlc(mut self, hlc_ms: u64) -> Self {
        self.header.hlc_ms = hlc_ms;
        self
    }

    pub(super) fn epoch(mut self, epoch: u32) -> Self {
        self.header.epoch = epoch;
        self
    }

    pub(super) fn content(mut self, content: Vec<u8>) -> Self {
        self.content = Some(content);
        self
    }

    pub(super) fn without_payload(self) -> Unverified {
        self.parse(false)
    }

    pub(super) fn entry(self) -> Unverified {
        self.parse(true)
    }

    fn parse(mut self, held: bool) -> Unverified {
        let nonce = [0; 16];
        if let Some(content) = &self.content {
            let digest = Payload { nonce, content: content.clone() }.digest();
            self.header.payload_len = digest.len;
            self.header.payload_hash = digest.hash.as_bytes().to_vec();
        }
        let payload = self.content.filter(|_| held);
        let payload = payload.map(|content| v1::Payload { nonce: nonce.to_vec(), content });
        let entry = v1::Entry { header: self.header.encode_to_vec(), signature: vec![0; 64], payload };
        Unverified::parse(entry).unwrap()
    }
}

pub(super) fn id(number: u8) -> RecordId {
    RecordId::new([number; 16])
}

pub(super) fn at(seq: u64) -> Position {
    Position { epoch: 1, seq }
}

pub(super) fn practice(title: &str) -> v1::Record {
    let core = Core { title: vec![text(title)], ..Default::default() };
    let practice = Practice { core: Some(core), ..Default::default() };
    v1::Record { kind: Some(record::Kind::Practice(practice)) }
}

pub(super) fn dataset(title: &str, source: &str) -> v1::Record {
    let source_hash = "ab".repeat(32);
    let provenance = Provenance { source_id: source.to_owned(), source_hash, ..Default::default() };
    let core = Core { title: vec![text(title)], provenance: Some(provenance), ..Default::default() };
    let identifier = format!("{title}.csv");
    let dataset = Dataset { core: Some(core), identifier, ..Default::default() };
    v1::Record { kind: Some(record::Kind::Dataset(dataset)) }
}

pub(super) fn adoption(target: u8, stage: AdoptionStage) -> v1::Record {
    let reason_withdrawn =
        if stage == AdoptionStage::Withdrawn { vec![text("too dear")] } else { Vec::new() };
    let adoption = Adoption {
        target_id: id(target).to_string(),
        stage: stage.into(),
        since: "2024".to_owned(),
        reason_withdrawn,
        ..Default::default()
    };
    v1::Record { kind: Some(record::Kind::Adoption(adoption)) }
}

pub(super) fn text(text: &str) -> LangText {
    LangText { lang: "en".to_owned(), text: text.to_owned(), ..Default::default() }
}

/// All answers about the records of the samples: what a reader can see.
pub(super) fn everything(records: &Records) -> String {
    let ids: Vec<RecordId> = (0..10).map(id).collect();
    let rows: Vec<_> = ids.iter().map(|id| records.record(id).unwrap()).collect();
    let versions: Vec<_> = ids.iter().map(|id| records.versions(id).unwrap()).collect();
    let adoptions: Vec<_> = ids.iter().map(|id| records.adoptions(id).unwrap()).collect();
    format!("{rows:#?}{versions:#?}{adoptions:#?}{:#?}", records.counts().unwrap())
}

pub(super) fn origin(number: u32) -> Origin {
    Origin(number)
}
