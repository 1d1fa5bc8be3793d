//! A practice and a dataset that fill every field there is, so that no field is forgotten on a page.

use wego_proto::record::v1::{
    ContactRef, Core, Dataset, Dates, Distribution, EvidenceLevel, ExternalId, LangText, Link, Metric, Money,
    Period, Practice, Provenance, PublicationState, Relation, Stage, TextOrigin,
};

use super::{
    fixture::record_id,
    records::{core, place, text, translated},
};

fn won(amount: &str) -> Option<Money> {
    Some(Money { currency: "KRW".to_owned(), amount: amount.to_owned(), price_year: 2024 })
}

/// Everything a practice can say.
pub(super) fn mvoting() -> Practice {
    Practice {
        core: Some(mvoting_core()),
        problem: vec![
            text("ko", "공청회에는 늘 같은 사람들이 왔습니다. 일하는 시민과 청년은 낮에 올 수 없었습니다."),
            english(
                "The same few people came to every hearing.\nPeople with jobs, and the young, could not come in the daytime.",
            ),
        ],
        approach: vec![english(
            "Every office may put a question to residents. Sign-in uses the existing public identity service, so nobody had to register anew.\n\nDistrict offices help people without a phone to vote.",
        )],
        results: vec![english(
            "1.2 million votes in 2024, from all 25 districts. Turnout among people under 30 rose from 3 to 19 per cent.",
        )],
        what_failed: vec![english(
            "The first version asked for a nine-step registration; two thirds gave up. Prizes for voting attracted duplicate accounts and were ended.",
        )],
        conditions: vec![english(
            "A public identity service that most adults already have, and a council that commits itself to the result beforehand.",
        )],
        lessons: vec![english(
            "Publish what became of each decision. Silence after a vote costs more trust than a lost vote.",
        )],
        stage: Stage::Scaled.into(),
        started_year: 2014,
        cost_total: won("2350000000"),
        cost_per_year: won("410000000"),
        fte: "6.5".to_owned(),
        months_to_live: 11,
        population_served: 9_411_000,
        evidence: EvidenceLevel::EvidenceLevel3.into(),
        solution_ids: vec!["https://github.example/seoul/mvoting".to_owned()],
        headline: vec![
            Metric {
                label: vec![text("en", "votes"), text("ko", "투표")],
                value: "1204311".to_owned(),
                unit: String::new(),
                year: 2024,
            },
            Metric {
                label: vec![text("en", "of the budget decided")],
                value: "0.5".to_owned(),
                unit: "%".to_owned(),
                year: 2024,
            },
        ],
        owner_organisation: "서울특별시 시민참여과".to_owned(),
        ..Practice::default()
    }
}

/// Translated by a person from the first, Korean version.
fn english(words: &str) -> LangText {
    translated("en", words, "ko", TextOrigin::Human, 1)
}

fn mvoting_core() -> Core {
    let human = TextOrigin::Human;
    let titles = vec![
        text("ko", "엠보팅: 시민이 휴대전화로 정하는 주민참여예산"),
        english("mVoting: residents decide the participatory budget by phone"),
        translated(
            "fr",
            "mVoting : le budget participatif décidé par téléphone",
            "en",
            TextOrigin::Machine,
            1,
        ),
        translated("zh", "mVoting：市民用手机决定参与式预算", "ko", human, 1),
    ];
    let summary = vec![
        text("ko", "해마다 100만 명이 넘는 시민이 휴대전화로 시 예산의 일부를 직접 정합니다."),
        english("Each year more than a million residents decide part of the city’s budget on their phones."),
    ];
    let mut core = core(
        titles,
        summary,
        &[("wego-topic", "participation"), ("wego-topic", "mobile"), ("eu-data-theme", "GOVE")],
        place("KR", "KRSEL", &["KR-11"]),
    );
    core.body = vec![text(
        "en",
        "## How a vote runs\n\n1. Any office **proposes** a question.\n2. A moderator checks it for *neutral wording*.\n3. Residents vote for two weeks.\n\nThe source code is [on the city’s repository](https://github.example/seoul/mvoting) and the rules are at https://mvoting.example/rules.\n\n- Identity: public sign-in\n- One vote for each person",
    )];
    core.dates = Some(Dates {
        created: "2014-03-01".to_owned(),
        modified: "2025-11-20".to_owned(),
        assured_on: "2025-11-20".to_owned(),
        ..Dates::default()
    });
    core.contacts = vec![ContactRef {
        role: "Citizen participation office".to_owned(),
        label: vec![text("ko", "시민참여과")],
        public_phone: "+82 2 120".to_owned(),
        public_url: "https://mvoting.example/contact".to_owned(),
        ..ContactRef::default()
    }];
    core.links = vec![Link {
        rel: "about".to_owned(),
        url: "https://mvoting.example/".to_owned(),
        media_type: "text/html".to_owned(),
        lang: "ko".to_owned(),
    }];
    core.relations = vec![Relation { r#type: "based_on".to_owned(), target: record_id(3).to_string() }];
    core.alt_ids = vec![ExternalId { scheme: "opsi".to_owned(), value: "case-1187".to_owned() }];
    core.keywords = ["participatory budgeting", "mobile", "투표"].map(str::to_owned).to_vec();
    core
}

/// Everything a dataset can say.
pub(super) fn trees() -> Dataset {
    let mut core = core(
        vec![text("en", "Trees of Edmonton")],
        vec![text("en", "Every tree on public land with species, year of planting and trunk diameter.")],
        &[("wego-topic", "open-data"), ("eu-data-theme", "ENVI")],
        place("CA", "CAEDM", &["CA-AB"]),
    );
    core.provenance = Some(Provenance {
        imported_from: "https://data.edmonton.example/data.json".to_owned(),
        importer: "data-json/1".to_owned(),
        source_hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
        fetched_at: "2025-10-23T04:00:00Z".to_owned(),
        original_publisher: "City of Edmonton".to_owned(),
        source_id: "edmonton-open-data".to_owned(),
    });
    let file = |title: &str, format: &str, media_type: &str, byte_size| Distribution {
        access_url: "https://data.edmonton.example/d/eecg-fc54".to_owned(),
        download_url: format!(
            "https://data.edmonton.example/api/views/eecg-fc54/rows.{}",
            format.to_lowercase()
        ),
        media_type: media_type.to_owned(),
        format: format.to_owned(),
        title: title.to_owned(),
        description: "Updated every night from the asset system.".to_owned(),
        byte_size,
        conforms_to: "https://www.rfc-editor.org/rfc/rfc4180".to_owned(),
        licence: "https://data.edmonton.example/licence-of-the-file".to_owned(),
        rights: "Free of third-party rights.".to_owned(),
        described_by: "https://data.edmonton.example/trees/columns".to_owned(),
    };
    Dataset {
        core: Some(core),
        identifier: "https://data.edmonton.example/api/views/eecg-fc54".to_owned(),
        publisher: "City of Edmonton, Urban Forestry".to_owned(),
        distributions: vec![file("All trees", "CSV", "text/csv", 48_211_034), file("All trees", "GeoJSON", "application/geo+json", 0)],
        frequency: "R/P1D".to_owned(),
        temporal: Some(Period { start: "1990-01-01".to_owned(), end: "2025-10-22".to_owned() }),
        access_level: "public".to_owned(),
        state: PublicationState::Published.into(),
        spatial: "{\"type\":\"Polygon\",\"coordinates\":[[[-113.71,53.39],[-113.27,53.39],[-113.27,53.71],[-113.71,53.71],[-113.71,53.39]]]}".to_owned(),
        languages: vec!["en".to_owned()],
        landing_page: "https://data.edmonton.example/Environment/Trees/eecg-fc54".to_owned(),
        dataset_licence: "https://data.edmonton.example/licence".to_owned(),
        themes: vec!["Environmental Services".to_owned()],
        modified: "2025-10-22".to_owned(),
        issued: "2013-05-01".to_owned(),
        described_by: "https://data.edmonton.example/trees/dictionary".to_owned(),
        rights: "Name the city.".to_owned(),
        publisher_within: vec!["City of Edmonton".to_owned()],
    }
}
