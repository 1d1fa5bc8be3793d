//! Nine cities and what they published: a federation as readers will see it, in nine languages.

use wego_proto::{
    record::v1::{
        Adoption, Concept, ContactRef, Core, Dataset, Dates, Distribution, EvidenceLevel, ExternalId,
        Jurisdiction, LangText, Level, Link, Metric, Money, Period, Practice, Provenance, PublicationState,
        Relation, Stage, TextOrigin,
    },
    v1::{MemberRole, MemberStatus, MemberView, Position, record::Kind},
};

use super::fixture::{DAY_MS, Fixture, MINUTE_MS, NOW_MS, adoption_stage, city, record_id};

/// The federation of the tests, seen from Dakar.
pub(super) fn federation() -> Fixture {
    let mut fixture = Fixture::new("WeGO", members(), NOW_MS + 200 * DAY_MS);
    fixture.publish("kr-seoul", 1, 40 * DAY_MS, Kind::Practice(mvoting()));
    fixture.publish("kr-seoul", 1, 20 * DAY_MS, Kind::Practice(mvoting()));
    fixture.publish("kr-seoul", 1, 2 * DAY_MS, Kind::Practice(mvoting()));
    fixture.publish("de-frankfurt", 2, 5 * DAY_MS, Kind::Practice(one_number()));
    fixture.publish("br-sao-paulo", 3, 9 * DAY_MS, Kind::Practice(water()));
    fixture.publish("cn-beijing", 4, 11 * DAY_MS, Kind::Practice(one_window()));
    fixture.publish("sn-dakar", 5, 3 * MINUTE_MS, Kind::Practice(civil_registry()));
    fixture.publish("ca-edmonton", 6, 31 * DAY_MS, Kind::Practice(open_data()));
    fixture.publish("de-frankfurt", 20, 8 * DAY_MS, Kind::Adoption(adoption(1, 4, "2024-03")));
    fixture.publish("br-sao-paulo", 21, 6 * DAY_MS, Kind::Adoption(adoption(1, 3, "2025")));
    fixture.publish("es-barcelona", 22, 4 * DAY_MS, Kind::Adoption(ended_adoption()));
    fixture.publish("ca-edmonton", 30, 31 * DAY_MS, Kind::Dataset(trees()));
    fixture.publish("es-barcelona", 31, 12 * DAY_MS, Kind::Dataset(air_quality()));
    fixture.publish("fr-paris", 40, 60 * DAY_MS, Kind::Practice(kiosks()));
    fixture.retract(
        "fr-paris",
        40,
        3 * DAY_MS,
        "Remplacée par une nouvelle fiche après l’évaluation de 2025.",
    );
    fixture
}

fn members() -> Vec<MemberView> {
    let view = |member, ago_ms: u64, connected| MemberView {
        member: Some(member),
        seen_ms: if ago_ms == 0 { 0 } else { NOW_MS - ago_ms },
        connected,
        ..MemberView::default()
    };
    let mut suspended =
        city(8, "us-san-francisco", "USSFO", &[("en", "San Francisco")], MemberRole::VicePresident);
    suspended.status = MemberStatus::Suspended.into();
    let dakar = city(9, "sn-dakar", "SNDKR", &[("fr", "Dakar"), ("wo", "Ndakaaru")], MemberRole::Member);
    let mut paris = view(
        city(7, "fr-paris", "FRPAR", &[("fr", "Paris"), ("ko", "파리")], MemberRole::VicePresident),
        40 * MINUTE_MS,
        true,
    );
    paris.forked = true;
    paris.fork_at = Some(Position { epoch: 1, seq: 3 });
    vec![
        view(
            city(
                2,
                "br-sao-paulo",
                "BRSAO",
                &[("pt-BR", "São Paulo"), ("ko", "상파울루")],
                MemberRole::VicePresident,
            ),
            12 * MINUTE_MS,
            true,
        ),
        view(
            city(
                3,
                "ca-edmonton",
                "CAEDM",
                &[("en", "Edmonton"), ("fr", "Edmonton")],
                MemberRole::VicePresident,
            ),
            3 * DAY_MS + MINUTE_MS,
            false,
        ),
        view(
            city(
                4,
                "cn-beijing",
                "CNBJS",
                &[("zh", "北京市"), ("en", "Beijing"), ("de", "Peking")],
                MemberRole::VicePresident,
            ),
            25 * MINUTE_MS,
            true,
        ),
        view(
            city(
                5,
                "de-frankfurt",
                "DEFRA",
                &[("de", "Frankfurt am Main"), ("en", "Frankfurt")],
                MemberRole::VicePresident,
            ),
            MINUTE_MS / 2,
            true,
        ),
        view(
            city(6, "es-barcelona", "ESBCN", &[("ca", "Barcelona")], MemberRole::ExecutiveCommittee),
            2 * MINUTE_MS,
            true,
        ),
        paris,
        view(
            city(
                1,
                "kr-seoul",
                "KRSEL",
                &[("ko", "서울특별시"), ("en", "Seoul"), ("zh", "首尔"), ("fr", "Séoul"), ("de", "Seoul")],
                MemberRole::President,
            ),
            4 * MINUTE_MS,
            true,
        ),
        MemberView { self_: true, ..view(dakar, 1, false) },
        view(suspended, 0, false),
    ]
}

/// An original text.
pub(super) fn text(lang: &str, text: &str) -> LangText {
    LangText {
        lang: lang.to_owned(),
        text: text.to_owned(),
        origin: TextOrigin::Original.into(),
        ..LangText::default()
    }
}

fn translated(
    lang: &str,
    words: &str,
    from: &str,
    origin: TextOrigin,
    translated_from_version: u64,
) -> LangText {
    LangText {
        origin: origin.into(),
        source_lang: from.to_owned(),
        translated_from_version,
        ..text(lang, words)
    }
}

fn place(country: &str, place: &str, ancestors: &[&str]) -> Option<Jurisdiction> {
    Some(Jurisdiction {
        level: Level::City.into(),
        country: country.to_owned(),
        place: place.to_owned(),
        ancestors: ancestors.iter().map(|one| (*one).to_owned()).collect(),
        geocoding_uri: String::new(),
    })
}

fn topics(codes: &[(&str, &str)]) -> Vec<Concept> {
    codes
        .iter()
        .map(|(scheme, code)| Concept { scheme: (*scheme).to_owned(), uri: (*code).to_owned() })
        .collect()
}

fn core(
    titles: Vec<LangText>,
    summary: Vec<LangText>,
    codes: &[(&str, &str)],
    jurisdiction: Option<Jurisdiction>,
) -> Core {
    Core {
        title: titles,
        summary,
        topics: topics(codes),
        jurisdiction,
        licence: "CC-BY-4.0".to_owned(),
        ..Core::default()
    }
}

fn won(amount: &str) -> Option<Money> {
    Some(Money { currency: "KRW".to_owned(), amount: amount.to_owned(), price_year: 2024 })
}

/// Everything a practice can say.
pub(super) fn mvoting() -> Practice {
    let human = TextOrigin::Human;
    let titles = vec![
        text("ko", "엠보팅: 시민이 휴대전화로 정하는 주민참여예산"),
        translated("en", "mVoting: residents decide the participatory budget by phone", "ko", human, 1),
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
        translated(
            "en",
            "Each year more than a million residents decide part of the city’s budget on their phones.",
            "ko",
            human,
            1,
        ),
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
    Practice {
        core: Some(core),
        problem: vec![
            text("ko", "공청회에는 늘 같은 사람들이 왔습니다. 일하는 시민과 청년은 낮에 올 수 없었습니다."),
            translated(
                "en",
                "The same few people came to every hearing.\nPeople with jobs, and the young, could not come in the daytime.",
                "ko",
                human,
                1,
            ),
        ],
        approach: vec![translated(
            "en",
            "Every office may put a question to residents. Sign-in uses the existing public identity service, so nobody had to register anew.\n\nDistrict offices help people without a phone to vote.",
            "ko",
            human,
            1,
        )],
        results: vec![translated(
            "en",
            "1.2 million votes in 2024, from all 25 districts. Turnout among people under 30 rose from 3 to 19 per cent.",
            "ko",
            human,
            1,
        )],
        what_failed: vec![translated(
            "en",
            "The first version asked for a nine-step registration; two thirds gave up. Prizes for voting attracted duplicate accounts and were ended.",
            "ko",
            human,
            1,
        )],
        conditions: vec![translated(
            "en",
            "A public identity service that most adults already have, and a council that commits itself to the result beforehand.",
            "ko",
            human,
            1,
        )],
        lessons: vec![translated(
            "en",
            "Publish what became of each decision. Silence after a vote costs more trust than a lost vote.",
            "ko",
            human,
            1,
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

fn simple(core: Core, stage: Stage, started_year: i32, owner: &str, told: [Vec<LangText>; 3]) -> Practice {
    let [problem, approach, results] = told;
    Practice {
        core: Some(core),
        problem,
        approach,
        results,
        stage: stage.into(),
        started_year,
        owner_organisation: owner.to_owned(),
        ..Practice::default()
    }
}

fn one_number() -> Practice {
    let core = core(
        vec![
            text("de", "115: Eine Nummer für alle Ämter"),
            translated("en", "115: one number for every public office", "de", TextOrigin::Human, 1),
        ],
        vec![
            text(
                "de",
                "Wer 115 wählt, bekommt in drei von vier Fällen sofort eine Antwort, gleich welche Ebene zuständig ist.",
            ),
            translated(
                "en",
                "Three callers in four get their answer at once, whichever level of government is responsible.",
                "de",
                TextOrigin::Human,
                1,
            ),
        ],
        &[("wego-topic", "call-centre"), ("eu-data-theme", "GOVE")],
        place("DE", "DEFRA", &["DE-HE"]),
    );
    let told = [
        vec![text("de", "Niemand wusste, welches Amt zuständig ist.")],
        vec![text("de", "Ein Wissensbestand für alle, gepflegt von den Ämtern.")],
        vec![text("de", "75 % der Anrufe werden in 30 Sekunden angenommen.")],
    ];
    simple(core, Stage::Live, 2009, "Bürgeramt", told)
}

fn water() -> Practice {
    let core = core(
        vec![text("pt-BR", "Água aberta: medições públicas do abastecimento em tempo real")],
        vec![text(
            "pt-BR",
            "Moradores veem a pressão e a qualidade da água do seu bairro, atualizadas a cada quinze minutos.",
        )],
        &[("wego-topic", "open-data"), ("eu-data-theme", "ENVI")],
        place("BR", "BRSAO", &["BR-SP"]),
    );
    let told = [
        vec![text("pt-BR", "As interrupções eram conhecidas só por reclamações.")],
        vec![text("pt-BR", "Sensores em 1.400 pontos publicam os dados sem intermediários.")],
        vec![text("pt-BR", "As reclamações caíram 38 %.")],
    ];
    simple(core, Stage::Live, 2021, "Secretaria Municipal de Inovação", told)
}

fn one_window() -> Practice {
    let core = core(
        vec![
            text("zh", "一窗受理：政务服务“只进一扇门”"),
            translated("en", "One window for every permit", "zh", TextOrigin::Machine, 1),
        ],
        vec![text("zh", "企业和居民在一个窗口提交一次材料，后台由各部门协同办理。")],
        &[("wego-topic", "public-services")],
        place("CN", "CNBJS", &["CN-BJ"]),
    );
    let told = [
        vec![text("zh", "办事要跑多个部门，材料重复提交。")],
        vec![text("zh", "统一受理平台，数据共享。")],
        vec![text("zh", "平均办理时间由 12 天缩短到 3 天。")],
    ];
    simple(core, Stage::Scaled, 2018, "北京市政务服务管理局", told)
}

fn civil_registry() -> Practice {
    let core = core(
        vec![text("fr", "L’acte de naissance au guichet du quartier, même sans réseau")],
        vec![text("fr", "Dix-neuf guichets délivrent les actes hors ligne et se synchronisent la nuit.")],
        &[("wego-topic", "public-services"), ("wego-topic", "digital-inclusion")],
        place("SN", "SNDKR", &["SN-DK"]),
    );
    let told = [
        vec![text("fr", "Un enfant sur quatre n’avait pas d’acte.")],
        vec![text("fr", "Registres signés localement, fusionnés la nuit.")],
        vec![text("fr", "Délai moyen : un jour au lieu de vingt-deux.")],
    ];
    simple(core, Stage::Pilot, 2024, "Centre principal d’état civil", told)
}

fn open_data() -> Practice {
    let core = core(
        vec![text("en", "Open by default: every dataset leaves with its documentation")],
        vec![text(
            "en",
            "A dataset is published the day its owner signs the description; nothing waits for a portal team.",
        )],
        &[("wego-topic", "open-data")],
        place("CA", "CAEDM", &["CA-AB"]),
    );
    let told = [
        vec![text("en", "Requests took months.")],
        vec![text("en", "Publishing became part of the system’s acceptance.")],
        vec![text("en", "1,900 datasets, median age of an update 26 hours.")],
    ];
    simple(core, Stage::Live, 2010, "Open City and Technology", told)
}

fn kiosks() -> Practice {
    let core = core(
        vec![text("fr", "Bornes d’information dans les mairies d’arrondissement")],
        vec![text("fr", "Des bornes tactiles pour les démarches courantes.")],
        &[("wego-topic", "public-services")],
        place("FR", "FRPAR", &[]),
    );
    simple(core, Stage::Ended, 2012, "Direction de la démocratie", [vec![], vec![], vec![]])
}

fn adoption(of: u8, stage: i32, since: &str) -> Adoption {
    Adoption {
        target_id: record_id(of).to_string(),
        target_version: 1,
        stage: adoption_stage(stage),
        since: since.to_owned(),
        changed: vec![text("de", "Anmeldung mit der BundID, Fragen nur vom Stadtparlament.")],
        reused: vec![text("en", "Source code, moderation rules and the question template.")],
        cost: Some(Money { currency: "EUR".to_owned(), amount: "184000".to_owned(), price_year: 2024 }),
        recommend: 4,
        jurisdiction: place("DE", "DEFRA", &["DE-HE"]),
        ..Adoption::default()
    }
}

fn ended_adoption() -> Adoption {
    Adoption {
        reason_withdrawn: vec![
            text("ca", "Hem passat a Decidim, que ja feia servir la ciutat."),
            translated("en", "We moved to Decidim, which the city already ran.", "ca", TextOrigin::Human, 0),
        ],
        ..adoption(1, 5, "2019-05")
    }
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
    }
}

fn air_quality() -> Dataset {
    let core = core(
        vec![
            text("ca", "Qualitat de l’aire per estació"),
            text("es", "Calidad del aire por estación"),
            text("en", "Air quality by station"),
        ],
        vec![text("ca", "Mesures horàries de les vuit estacions de la ciutat.")],
        &[("eu-data-theme", "ENVI")],
        place("ES", "ESBCN", &["ES-CT"]),
    );
    Dataset {
        core: Some(core),
        identifier: "qualitat-aire".to_owned(),
        publisher: "Ajuntament de Barcelona".to_owned(),
        state: PublicationState::Published.into(),
        ..Dataset::default()
    }
}
