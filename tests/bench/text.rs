//! Records of about 1 KiB whose words differ as words of real catalogues do: few very frequent, many rare, in five
//! languages. The same number gives the same record.

use wego_proto::{
    record::v1::{Concept, Core, Jurisdiction, LangText, Level, Practice, Stage},
    v1::{Record, record::Kind},
};

/// Rare words of each language.
const RARE_WORDS: u64 = 20_000;
/// Characters of the longer texts; five of them and the rest come to about 1 KiB.
const TEXT_CHARS: usize = 150;

struct Tongue {
    lang: &'static str,
    gap: &'static str,
    /// Bytes of one of its characters, more or less.
    char_bytes: usize,
    words: &'static str,
    syllables: &'static str,
}

const TONGUES: [Tongue; 5] = [
    Tongue {
        lang: "ko",
        gap: " ",
        char_bytes: 3,
        words: "서울 시민 교통 데이터 공개 버스 정보 서비스 행정 환경 안전 복지 주차 도로 예산 민원 포털 스마트 도시 전자정부",
        syllables: "가 나 다 라 마 바 사 아 자 차 카 타 파 하 강 산",
    },
    Tongue {
        lang: "zh",
        gap: "",
        char_bytes: 3,
        words: "城市 开放 数据 交通 市民 服务 环境 公交 政府 信息 安全 停车 道路 预算 智慧 电子 平台 健康 教育 水务",
        syllables: "天 地 人 和 水 火 木 金 土 山 石 田 风 云 雨 雪",
    },
    Tongue {
        lang: "pt",
        gap: " ",
        char_bytes: 1,
        words: "cidade dados abertos transporte ônibus serviço cidadão saúde educação orçamento segurança ambiente água rua estacionamento governo eletrônico portal informação pública",
        syllables: "ca de li mo nu pra que ro são ti ves xa bor fim gua jo",
    },
    Tongue {
        lang: "de",
        gap: " ",
        char_bytes: 1,
        words: "Stadt offene Daten Verkehr Bürger Dienst Umwelt Straße Haushalt Sicherheit Verwaltung Parken Wasser Bildung Gesundheit Antrag Portal elektronisch Auskunft Fahrplan",
        syllables: "ab be dorf ein feld ge haus land mut ober rat stein tal un ver zug",
    },
    Tongue {
        lang: "en",
        gap: " ",
        char_bytes: 1,
        words: "city open data transport bus service citizen health education budget safety environment water street parking government electronic portal information public",
        syllables: "ash bel cor den elm fen gar hol ing ley mer nor ox ral ton wick",
    },
];

const TOPICS: [&str; 4] = ["open-data", "u-city", "training", "best-practices"];

/// The `n`th record.
pub(crate) fn record(n: u64) -> Record {
    let mut draw = Draw(n);
    let tongue = &TONGUES[(n % TONGUES.len() as u64) as usize];
    let long = |draw: &mut Draw| tongue.text(draw, TEXT_CHARS / tongue.char_bytes);
    let core = Core {
        title: tongue.text(&mut draw, 40 / tongue.char_bytes),
        summary: tongue.text(&mut draw, 120 / tongue.char_bytes),
        topics: vec![Concept {
            scheme: "wego-topic".to_owned(),
            uri: TOPICS[draw.below(TOPICS.len() as u64) as usize].to_owned(),
        }],
        jurisdiction: Some(Jurisdiction {
            level: Level::City as i32,
            country: "KR".to_owned(),
            place: "KRSEL".to_owned(),
            ..Default::default()
        }),
        licence: "CC-BY-4.0".to_owned(),
        ..Default::default()
    };
    let practice = Practice {
        core: Some(core),
        problem: long(&mut draw),
        approach: long(&mut draw),
        results: long(&mut draw),
        what_failed: long(&mut draw),
        conditions: long(&mut draw),
        stage: Stage::Live as i32,
        started_year: 2000 + (n % 20) as i32,
        owner_organisation: format!("Office {}", draw.below(500)),
        ..Default::default()
    };
    Record { kind: Some(Kind::Practice(practice)) }
}

/// Queries as readers ask them, in all five languages: words, phrases, filters, mistakes.
pub(crate) const QUERIES: [&str; 40] = [
    "교통",
    "서울 버스",
    "\"공개 데이터\"",
    "스마트 도시 민원",
    "주차 lang:ko",
    "전자정부 topic:open-data",
    "시민 -버스",
    "데이타",
    "城市",
    "开放数据",
    "\"智慧城市\"",
    "公交 服务",
    "环境 topic:training",
    "停车 lang:zh",
    "政府信息 -预算",
    "水务平台",
    "dados",
    "dados abertos",
    "\"serviço pública\"",
    "onibus",
    "saúde lang:pt",
    "governo eletronico",
    "orçamento -água",
    "transprte",
    "Verkehr",
    "offene Daten",
    "\"Bürger Dienst\"",
    "Strasse",
    "Haushalt lang:de",
    "Verwaltung topic:u-city",
    "Umwelt -Wasser",
    "Gesundheid",
    "transport",
    "open data",
    "\"city budget\"",
    "parking lang:en",
    "citizen kind:practice",
    "water -street",
    "goverment",
    "",
];

impl Tongue {
    fn text(&self, draw: &mut Draw, chars: usize) -> Vec<LangText> {
        let mut text = String::new();
        let mut written = 0;
        while written < chars {
            if written > 0 {
                text.push_str(self.gap);
            }
            let word = self.word(draw);
            written += word.chars().count() + self.gap.len();
            text.push_str(&word);
        }
        vec![LangText { lang: self.lang.to_owned(), text, ..Default::default() }]
    }

    /// Every other word is a frequent one; of the rare ones the first come up most often, as Zipf found.
    fn word(&self, draw: &mut Draw) -> String {
        if draw.below(2) == 0 {
            let words: Vec<_> = self.words.split(' ').collect();
            let bound = words.len() as u64;
            return words[draw.below(bound).min(draw.below(bound)) as usize].to_owned();
        }
        let syllables: Vec<_> = self.syllables.split(' ').collect();
        let base = syllables.len() as u64;
        let mut rank = RARE_WORDS / (1 + draw.below(RARE_WORDS)) * base + draw.below(base);
        let mut word = String::new();
        loop {
            word.push_str(syllables[(rank % base) as usize]);
            rank /= base;
            if rank == 0 {
                return word;
            }
        }
    }
}

/// Numbers without a pattern, the same ones every time (SplitMix64, Steele et al. 2014).
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}
