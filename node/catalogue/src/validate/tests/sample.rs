//! One complete record of each kind, to be altered by tests.

use wego_proto::{
    record::v1::{
        Adoption, AdoptionStage, Concept, ContactRef, Core, Dataset, Dates, Distribution, ExternalId,
        Jurisdiction, LangText, Level, Link, Metric, Money, Practice, Provenance, PublicationState, Relation,
        Stage,
    },
    v1::{self, record},
};

use crate::vocabulary::WEGO_TOPIC;

pub(super) fn practice() -> Practice {
    let say = |said: &str| vec![text("ko", said)];
    Practice {
        core: Some(full_core()),
        problem: say("번호가 너무 많다"),
        approach: say("한 번호로 모았다"),
        results: say("대기 시간이 줄었다"),
        what_failed: say("첫해 인력이 모자랐다"),
        conditions: say("모든 부서의 협조"),
        stage: Stage::Live.into(),
        started_year: 2007,
        cost_total: Some(Money {
            currency: "KRW".to_owned(),
            amount: "1250000.50".to_owned(),
            price_year: 2010,
        }),
        headline: vec![Metric { label: say("통화"), value: "-3.5".to_owned(), ..Default::default() }],
        owner_organisation: "다산콜재단".to_owned(),
        ..Default::default()
    }
}

pub(super) fn adoption() -> Adoption {
    Adoption {
        target_id: "0a".repeat(16),
        stage: AdoptionStage::Live.into(),
        since: "2024-05".to_owned(),
        jurisdiction: jurisdiction(),
        ..Default::default()
    }
}

pub(super) fn dataset() -> Dataset {
    let url = "https://example.org/data.csv".to_owned();
    Dataset {
        core: Some(full_core()),
        identifier: "https://example.org/id/1".to_owned(),
        publisher: "City of Example".to_owned(),
        distributions: vec![Distribution { download_url: url, ..Default::default() }],
        state: PublicationState::Published.into(),
        modified: "2024-05-17".to_owned(),
        ..Default::default()
    }
}

pub(super) fn of_practice(practice: Practice) -> v1::Record {
    v1::Record { kind: Some(record::Kind::Practice(practice)) }
}

pub(super) fn of_adoption(adoption: Adoption) -> v1::Record {
    v1::Record { kind: Some(record::Kind::Adoption(adoption)) }
}

pub(super) fn of_dataset(dataset: Dataset) -> v1::Record {
    v1::Record { kind: Some(record::Kind::Dataset(dataset)) }
}

fn full_core() -> Core {
    let contact = ContactRef {
        role: "open data office".to_owned(),
        label: vec![text("ko", "열린데이터 담당")],
        public_url: "https://example.org/ask".to_owned(),
        public_phone: "+82 2 120".to_owned(),
        ..Default::default()
    };
    let url = "https://example.org/120".to_owned();
    Core {
        title: vec![text("ko", "120 다산콜센터")],
        summary: vec![text("ko", "전화 한 통으로")],
        body: vec![text("ko", "첫째 줄\n둘째 줄")],
        topics: vec![topic()],
        jurisdiction: jurisdiction(),
        dates: Some(Dates { assured_on: "2024-02-29".to_owned(), ..Default::default() }),
        licence: "CC-BY-4.0".to_owned(),
        contacts: vec![contact],
        links: vec![Link {
            url,
            media_type: "text/html".to_owned(),
            lang: "ko".to_owned(),
            ..Default::default()
        }],
        relations: vec![Relation { r#type: "based_on".to_owned(), target: "0a".repeat(16) }],
        alt_ids: vec![ExternalId { scheme: "doi".to_owned(), value: "10.1/2".to_owned() }],
        provenance: Some(Provenance {
            source_id: "guide".to_owned(),
            source_hash: "ab".repeat(32),
            ..Default::default()
        }),
        keywords: vec!["민원".to_owned()],
    }
}

fn jurisdiction() -> Option<Jurisdiction> {
    let (country, place) = ("KR".to_owned(), "KRSEL".to_owned());
    Some(Jurisdiction { level: Level::City.into(), country, place, ..Default::default() })
}

pub(super) fn topic() -> Concept {
    Concept { scheme: WEGO_TOPIC.to_owned(), uri: "call-centre".to_owned() }
}

pub(super) fn text(lang: &str, text: &str) -> LangText {
    LangText { lang: lang.to_owned(), text: text.to_owned(), ..Default::default() }
}
