//! Records in eight languages, the logs they come in, and an index to put them into.

use tempfile::TempDir;
use wego_catalogue::encode;
use wego_proto::{
    entry::Unverified,
    id::{Hash, Origin, Position, RecordId, StoreId},
    prost::Message as _,
    record::v1::{Concept, Core, Dataset, Jurisdiction, LangText, Practice, PublicationState, Stage},
    v1::{self, EntryKind, record},
};

use crate::{
    search::{Facets, Found, Names, Page, Query, QueryError, Search},
    store::{Arrived, Cursor, Projection as _},
};

pub(super) const STORE: StoreId = StoreId::new([9; 16]);
pub(super) const MEMORY_BYTES: usize = 15_000_000;

pub(super) const SEOUL: Origin = Origin(1);
pub(super) const SHENZHEN: Origin = Origin(2);
pub(super) const MUNICH: Origin = Origin(3);
pub(super) const GAVA: Origin = Origin(4);
pub(super) const SAO_PAULO: Origin = Origin(5);
pub(super) const EDMONTON: Origin = Origin(6);

/// A member's log, entry by entry.
pub(super) struct Log {
    origin: Origin,
    at: Position,
}

impl Log {
    pub(super) fn of(origin: Origin) -> Self {
        Self { origin, at: Position::FIRST }
    }

    pub(super) fn put(&mut self, id: u8, record: &v1::Record) -> Unverified {
        self.entry(EntryKind::RecordPut, Some(record_id(id)), Some(encode(record)))
    }

    pub(super) fn put_bytes(&mut self, id: u8, content: Vec<u8>) -> Unverified {
        self.entry(EntryKind::RecordPut, Some(record_id(id)), Some(content))
    }

    pub(super) fn put_erased(&mut self, id: u8) -> Unverified {
        self.entry(EntryKind::RecordPut, Some(record_id(id)), None)
    }

    pub(super) fn retract(&mut self, id: u8) -> Unverified {
        self.entry(EntryKind::Retract, Some(record_id(id)), None)
    }

    pub(super) fn erase(&mut self, id: u8) -> Unverified {
        self.entry(EntryKind::Erase, Some(record_id(id)), None)
    }

    pub(super) fn ack(&mut self) -> Unverified {
        self.entry(EntryKind::Ack, None, None)
    }

    /// Opens the next epoch after `base`.
    pub(super) fn begin_epoch(&mut self, base: Position) -> Unverified {
        self.at = Position { epoch: self.at.epoch + 1, seq: 1 };
        let start = v1::EpochStart {
            base: Some(base.into()),
            base_hash: vec![0; 32],
            base_opening: vec![0; if base.epoch > 1 { 32 } else { 0 }],
            ..Default::default()
        };
        self.entry_with(EntryKind::EpochStart, None, None, Some(start))
    }

    fn entry(&mut self, kind: EntryKind, id: Option<RecordId>, content: Option<Vec<u8>>) -> Unverified {
        self.entry_with(kind, id, content, None)
    }

    fn entry_with(
        &mut self,
        kind: EntryKind,
        id: Option<RecordId>,
        content: Option<Vec<u8>>,
        epoch_start: Option<v1::EpochStart>,
    ) -> Unverified {
        let nonce = [7; 16];
        let digest = content.as_ref().map(|content| Hash::of(&[&nonce, content]));
        let header = v1::EntryHeader {
            format: 1,
            origin: self.origin.0,
            epoch: self.at.epoch,
            seq: self.at.seq,
            prev: vec![0; 32],
            key_no: 1,
            kind: kind.into(),
            record_id: id.map(|id| id.as_bytes().to_vec()).unwrap_or_default(),
            payload_len: u32::try_from(content.as_ref().map_or(0, Vec::len)).unwrap(),
            payload_hash: digest.map(|hash| hash.as_bytes().to_vec()).unwrap_or_default(),
            epoch_start,
            ..Default::default()
        };
        self.at = self.at.next().unwrap();
        Unverified::parse(v1::Entry {
            header: header.encode_to_vec(),
            signature: vec![0; 64],
            payload: content.map(|content| v1::Payload { nonce: nonce.to_vec(), content }),
        })
        .unwrap()
    }
}

pub(super) fn record_id(id: u8) -> RecordId {
    RecordId::new([id; 16])
}

/// An index in a directory of its own.
pub(super) struct Indexed {
    pub(super) dir: TempDir,
    pub(super) search: Search,
}

impl Indexed {
    pub(super) fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let search = Search::open(&dir.path().join("search"), STORE, MEMORY_BYTES).unwrap();
        Self { dir, search }
    }

    pub(super) fn with(entries: &[Unverified]) -> Self {
        let indexed = Self::empty();
        feed(&indexed.search, entries, 64);
        indexed
    }

    pub(super) fn ids(&self, query: &str) -> Vec<u8> {
        ids(&self.search, query)
    }

    pub(super) fn found(&self, query: &str) -> Found {
        found(&self.search, query)
    }
}

/// Entries of an unknown moment: no answer depends on it.
pub(super) fn arrived(entries: &[Unverified]) -> Vec<Arrived> {
    entries.iter().cloned().map(Arrived::from).collect()
}

/// Feeds entries as the follower does, in batches of `batch`, each made visible at once.
pub(super) fn feed(search: &Search, entries: &[Unverified], batch: usize) {
    loop {
        let from = usize::try_from(search.next_cursor().unwrap().0).unwrap();
        let rest = &entries[from.min(entries.len())..];
        let Some(batch) = rest.chunks(batch).next() else { return };
        search.apply(&arrived(batch), Cursor((from + batch.len()) as u64)).unwrap();
        search.settle().unwrap();
    }
}

struct Known;

impl Names for Known {
    fn city(&self, name: &str) -> Option<Origin> {
        match name {
            "kr-seoul" | "KRSEL" => Some(SEOUL),
            "DEMUC" => Some(MUNICH),
            _ => None,
        }
    }

    fn has_topic(&self, _: &str) -> bool {
        true
    }
}

pub(super) fn parse(query: &str) -> Result<Query, QueryError> {
    Query::parse(query, &Known)
}

pub(super) fn found(search: &Search, query: &str) -> Found {
    search.find(&parse(query).unwrap(), Page::default(), Facets::Count).unwrap()
}

/// The first bytes of the ids of what is found, best first.
pub(super) fn ids(search: &Search, query: &str) -> Vec<u8> {
    found(search, query).hits.iter().map(|hit| hit.record_id.as_bytes()[0]).collect()
}

/// A practice under construction.
#[derive(Default)]
pub(super) struct Draft {
    core: Core,
    results: Vec<LangText>,
    stage: Stage,
}

pub(super) fn titled(titles: &[(&str, &str)]) -> Draft {
    let title = titles.iter().map(|(lang, title)| text(lang, title)).collect();
    Draft { core: Core { title, ..Core::default() }, ..Draft::default() }
}

impl Draft {
    pub(super) fn summary(mut self, lang: &str, summary: &str) -> Self {
        self.core.summary.push(text(lang, summary));
        self
    }

    pub(super) fn results(mut self, lang: &str, results: &str) -> Self {
        self.results.push(text(lang, results));
        self
    }

    pub(super) fn keyword(mut self, keyword: &str) -> Self {
        self.core.keywords.push(keyword.to_owned());
        self
    }

    pub(super) fn topic(mut self, scheme: &str, code: &str) -> Self {
        self.core.topics.push(Concept { scheme: scheme.to_owned(), uri: code.to_owned() });
        self
    }

    pub(super) fn at(mut self, country: &str, place: &str) -> Self {
        let (country, place) = (country.to_owned(), place.to_owned());
        self.core.jurisdiction = Some(Jurisdiction { country, place, ..Jurisdiction::default() });
        self
    }

    pub(super) fn licence(mut self, licence: &str) -> Self {
        self.core.licence = licence.to_owned();
        self
    }

    pub(super) fn stage(mut self, stage: Stage) -> Self {
        self.stage = stage;
        self
    }

    pub(super) fn practice(self) -> v1::Record {
        let (core, stage) = (Some(self.core), self.stage.into());
        let practice = Practice { core, results: self.results, stage, ..Practice::default() };
        v1::Record { kind: Some(record::Kind::Practice(practice)) }
    }

    pub(super) fn dataset(self, identifier: &str) -> v1::Record {
        let dataset = Dataset {
            dataset_licence: self.core.licence.clone(),
            core: Some(Core { licence: String::new(), ..self.core }),
            identifier: identifier.to_owned(),
            state: PublicationState::Published.into(),
            ..Dataset::default()
        };
        v1::Record { kind: Some(record::Kind::Dataset(dataset)) }
    }
}

fn text(lang: &str, text: &str) -> LangText {
    LangText { lang: lang.to_owned(), text: text.to_owned(), ..LangText::default() }
}

/// What six cities have published: the ids are those that the golden queries expect.
pub(super) fn corpus() -> Vec<Unverified> {
    let mut seoul = Log::of(SEOUL);
    let mut entries = vec![
        seoul.put(
            10,
            &titled(&[("ko", "서울특별시는 전자정부를 운영한다")])
                .summary("ko", "시민을 위한 우수사례를 모았다")
                .at("KR", "KRSEL")
                .licence("CC-BY-4.0")
                .stage(Stage::Live)
                .practice(),
        ),
        seoul.put(
            11,
            &titled(&[("ko", "수돗물 수질")]).at("KR", "KRSEL").licence("CC-BY-4.0").dataset("OA-15488"),
        ),
        seoul.put(
            12,
            &titled(&[("ko", "열린데이터광장")])
                .topic("wego-topic", "open-data")
                .at("KR", "KRSEL")
                .licence("MIT")
                .dataset("https://data.seoul.go.kr/dataList/OA-12"),
        ),
    ];
    entries.push(
        Log::of(SHENZHEN).put(
            20,
            &titled(&[("zh-Hans", "电子政务最佳实践")])
                .results("zh-Hans", "城市规划数据全部开放")
                .at("CN", "CNSZX")
                .stage(Stage::Scaled)
                .practice(),
        ),
    );
    let mut munich = Log::of(MUNICH);
    entries.extend([
        munich.put(
            30,
            &titled(&[("de", "Straßenverzeichnis der Stadt München")])
                .at("DE", "DEMUC")
                .dataset("99012012001000"),
        ),
        munich.put(
            31,
            &titled(&[("de", "Portal für Bürger"), ("en", "Citizen portal")])
                .summary("de", "Jede Straße mit open data")
                .at("DE", "DEMUC")
                .stage(Stage::Live)
                .practice(),
        ),
    ]);
    let mut gava = Log::of(GAVA);
    entries.extend([
        gava.put(
            40,
            &titled(&[("ca", "L'Ajuntament i l'habitatge")])
                .results("ca", "col·laboració ciutadana")
                .at("ES", "ESGAV")
                .practice(),
        ),
        gava.put(
            41,
            &titled(&[("ca", "Dades obertes")])
                .topic("wego-topic", "open-data")
                .at("ES", "ESGAV")
                .dataset("gava-1"),
        ),
        gava.put(
            42,
            &titled(&[("es", "Participación vecinal")]).at("ES", "ESGAV").stage(Stage::Pilot).practice(),
        ),
    ]);
    let mut sao_paulo = Log::of(SAO_PAULO);
    entries.extend([
        sao_paulo.put(
            50,
            &titled(&[("pt-BR", "Participação em São Paulo")])
                .at("BR", "BRSAO")
                .stage(Stage::Live)
                .practice(),
        ),
        sao_paulo.put(
            51,
            &titled(&[("pt-BR", "Dados abertos do município")])
                .topic("wego-topic", "open-data")
                .at("BR", "BRSAO")
                .dataset("sp:51"),
        ),
    ]);
    let mut edmonton = Log::of(EDMONTON);
    entries.extend([
        edmonton.put(
            60,
            &titled(&[("en", "Open data"), ("fr", "Données ouvertes")])
                .topic("wego-topic", "open-data")
                .at("CA", "CAEDM")
                .practice(),
        ),
        edmonton.put(
            61,
            &titled(&[("en", "Edmonton open government portal")]).at("CA", "CAEDM").stage(Stage::Live).practice(),
        ),
        edmonton.put(
            62,
            &titled(&[("en", "Snow clearing")])
                .summary("en", "How the e-government office publishes open data on streets")
                .at("CA", "CAEDM")
                .practice(),
        ),
        edmonton.put(
            63,
            &titled(&[("en", "Budget")])
                .results("en", "Some data that is open, see https://data.edmonton.ca/d/ab12-cd34 or mail open@edmonton.ca")
                .at("CA", "CAEDM")
                .practice(),
        ),
    ]);
    entries
}
