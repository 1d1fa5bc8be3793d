//! The nine founding cities of WeGO: names, places and offices as of September 2010. Holds no records.

use wego_proto::v1::MemberRole;

use super::founding::{City, Plan, Portals};
use crate::init::Committee;

/// Name of the federation.
pub(super) const FEDERATION: &str = "World e-Governments Organization of Cities and Local Governments";
/// How many of the eight committee members sign the roster.
pub(super) const THRESHOLD: u32 = 5;
/// Each of nine nodes on one disk keeps only so much free, MiB.
const RESERVE_MIB: u64 = 16;

/// A founding city, in the order of the roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Founder {
    /// President.
    Seoul,
    /// Vice-president.
    Paris,
    /// Vice-president.
    Edmonton,
    /// Vice-president.
    SaoPaulo,
    /// Vice-president.
    Barcelona,
    /// Vice-president.
    SanFrancisco,
    /// Vice-president.
    Frankfurt,
    /// Vice-president.
    Beijing,
    /// Member, far away and at the end of a bad line.
    Dakar,
}

/// What the roster says of a city.
struct Facts {
    handle: &'static str,
    country: &'static str,
    place: &'static str,
    role: MemberRole,
    /// The city's own name first, English second.
    names: &'static [(&'static str, &'static str)],
}

impl Founder {
    /// All of them, in the order of the roster.
    pub const ALL: [Self; 9] = [
        Self::Seoul,
        Self::Paris,
        Self::Edmonton,
        Self::SaoPaulo,
        Self::Barcelona,
        Self::SanFrancisco,
        Self::Frankfurt,
        Self::Beijing,
        Self::Dakar,
    ];

    /// Its place in [`Founder::ALL`].
    pub(super) const fn index(self) -> usize {
        self as usize
    }

    /// As in `kr-seoul`.
    #[must_use]
    pub fn handle(self) -> &'static str {
        self.facts().handle
    }

    /// ISO 3166-1 alpha-2.
    #[must_use]
    pub fn country(self) -> &'static str {
        self.facts().country
    }

    /// UN/LOCODE without a space.
    #[must_use]
    pub fn place(self) -> &'static str {
        self.facts().place
    }

    /// Its name in English.
    #[must_use]
    pub fn name(self) -> &'static str {
        let names = self.facts().names;
        names.iter().find(|(lang, _)| *lang == "en").map_or(names[0].1, |(_, name)| name)
    }

    /// The language it works in.
    #[must_use]
    pub fn lang(self) -> &'static str {
        self.facts().names[0].0
    }

    /// Its name in the language it works in.
    pub(super) fn own_name(self) -> &'static str {
        self.facts().names[0].1
    }

    /// Its office, in words.
    pub(super) fn office(self) -> &'static str {
        match self.facts().role {
            MemberRole::President => "president",
            MemberRole::VicePresident => "vice-president",
            _ => "member",
        }
    }

    fn facts(self) -> &'static Facts {
        &FACTS[self.index()]
    }

    fn city(self) -> City {
        let Facts { handle, country, place, role, names } = self.facts();
        City {
            handle: (*handle).to_owned(),
            names: names.iter().map(|(lang, name)| ((*lang).to_owned(), (*name).to_owned())).collect(),
            country: (*country).to_owned(),
            place: (*place).to_owned(),
            role: *role,
            committee: if *role == MemberRole::Member { Committee::Abstains } else { Committee::Sits },
        }
    }
}

/// The founding: president and vice-presidents sit on the committee, five of these eight sign.
pub(super) fn plan() -> Plan {
    Plan {
        name: FEDERATION.to_owned(),
        threshold: THRESHOLD,
        cities: Founder::ALL.into_iter().map(Founder::city).collect(),
        portals: Portals::Open,
        reserve_mib: RESERVE_MIB,
    }
}

const FACTS: [Facts; 9] = [
    Facts {
        handle: "kr-seoul",
        country: "KR",
        place: "KRSEL",
        role: MemberRole::President,
        names: &[
            ("ko", "서울"),
            ("en", "Seoul"),
            ("fr", "Séoul"),
            ("es", "Seúl"),
            ("pt", "Seul"),
            ("ca", "Seül"),
            ("zh-Hans", "首尔"),
        ],
    },
    Facts {
        handle: "fr-paris",
        country: "FR",
        place: "FRPAR",
        role: MemberRole::VicePresident,
        names: &[
            ("fr", "Paris"),
            ("en", "Paris"),
            ("es", "París"),
            ("ca", "París"),
            ("ko", "파리"),
            ("zh-Hans", "巴黎"),
        ],
    },
    Facts {
        handle: "ca-edmonton",
        country: "CA",
        place: "CAEDM",
        role: MemberRole::VicePresident,
        names: &[("en", "Edmonton"), ("fr", "Edmonton"), ("ko", "에드먼턴"), ("zh-Hans", "埃德蒙顿")],
    },
    Facts {
        handle: "br-sao-paulo",
        country: "BR",
        place: "BRSAO",
        role: MemberRole::VicePresident,
        names: &[("pt-BR", "São Paulo"), ("en", "São Paulo"), ("ko", "상파울루"), ("zh-Hans", "圣保罗")],
    },
    Facts {
        handle: "es-barcelona",
        country: "ES",
        place: "ESBCN",
        role: MemberRole::VicePresident,
        names: &[
            ("ca", "Barcelona"),
            ("en", "Barcelona"),
            ("es", "Barcelona"),
            ("fr", "Barcelone"),
            ("ko", "바르셀로나"),
            ("zh-Hans", "巴塞罗那"),
        ],
    },
    Facts {
        handle: "us-san-francisco",
        country: "US",
        place: "USSFO",
        role: MemberRole::VicePresident,
        names: &[("en", "San Francisco"), ("ko", "샌프란시스코"), ("zh-Hans", "旧金山")],
    },
    Facts {
        handle: "de-frankfurt",
        country: "DE",
        place: "DEFRA",
        role: MemberRole::VicePresident,
        names: &[
            ("de", "Frankfurt am Main"),
            ("en", "Frankfurt"),
            ("fr", "Francfort-sur-le-Main"),
            ("es", "Fráncfort del Meno"),
            ("ko", "프랑크푸르트"),
            ("zh-Hans", "法兰克福"),
        ],
    },
    Facts {
        handle: "cn-beijing",
        country: "CN",
        place: "CNBJS",
        role: MemberRole::VicePresident,
        names: &[
            ("zh-Hans", "北京"),
            ("en", "Beijing"),
            ("fr", "Pékin"),
            ("de", "Peking"),
            ("es", "Pekín"),
            ("pt", "Pequim"),
            ("ko", "베이징"),
        ],
    },
    Facts {
        handle: "sn-dakar",
        country: "SN",
        place: "SNDKR",
        role: MemberRole::Member,
        names: &[
            ("fr", "Dakar"),
            ("en", "Dakar"),
            ("wo", "Ndakaaru"),
            ("ko", "다카르"),
            ("zh-Hans", "达喀尔"),
        ],
    },
];
