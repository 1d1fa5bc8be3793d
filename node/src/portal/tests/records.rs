//! What the nine cities published, in nine languages. The two richest records are beside.

use wego_proto::record::v1::{
    Adoption, Concept, Core, Dataset, Jurisdiction, LangText, Level, Money, Practice, PublicationState,
    Stage, TextOrigin,
};

use super::fixture::{adoption_stage, record_id};

/// An original text.
pub(super) fn text(lang: &str, text: &str) -> LangText {
    LangText {
        lang: lang.to_owned(),
        text: text.to_owned(),
        origin: TextOrigin::Original.into(),
        ..LangText::default()
    }
}

pub(super) fn translated(
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

pub(super) fn place(country: &str, place: &str, ancestors: &[&str]) -> Option<Jurisdiction> {
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

pub(super) fn core(
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

pub(super) fn one_number() -> Practice {
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

pub(super) fn water() -> Practice {
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

pub(super) fn one_window() -> Practice {
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

pub(super) fn civil_registry() -> Practice {
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

pub(super) fn open_data() -> Practice {
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

pub(super) fn kiosks() -> Practice {
    let core = core(
        vec![text("fr", "Bornes d’information dans les mairies d’arrondissement")],
        vec![text("fr", "Des bornes tactiles pour les démarches courantes.")],
        &[("wego-topic", "public-services")],
        place("FR", "FRPAR", &[]),
    );
    simple(core, Stage::Ended, 2012, "Direction de la démocratie", [vec![], vec![], vec![]])
}

pub(super) fn adoption(of: u8, stage: i32, since: &str) -> Adoption {
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

pub(super) fn ended_adoption() -> Adoption {
    Adoption {
        reason_withdrawn: vec![
            text("ca", "Hem passat a Decidim, que ja feia servir la ciutat."),
            translated("en", "We moved to Decidim, which the city already ran.", "ca", TextOrigin::Human, 0),
        ],
        ..adoption(1, 5, "2019-05")
    }
}

pub(super) fn air_quality() -> Dataset {
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
