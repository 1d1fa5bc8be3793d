//! Nine cities and what they published: a federation as readers will see it, in nine languages.

use wego_proto::v1::{self, MemberRole, MemberStatus, MemberView, Position, record::Kind};

use super::{
    fixture::{DAY_MS, Fixture, MINUTE_MS, NOW_MS, city},
    records, richest,
};

/// The federation of the tests, seen from Dakar.
pub(super) fn federation() -> Fixture {
    let mut fixture = Fixture::new("WeGO", members(), NOW_MS + 200 * DAY_MS);
    fixture.publish("kr-seoul", 1, 40 * DAY_MS, Kind::Practice(richest::mvoting()));
    fixture.publish("kr-seoul", 1, 20 * DAY_MS, Kind::Practice(richest::mvoting()));
    fixture.publish("kr-seoul", 1, 2 * DAY_MS, Kind::Practice(richest::mvoting()));
    fixture.publish("de-frankfurt", 2, 5 * DAY_MS, Kind::Practice(records::one_number()));
    fixture.publish("br-sao-paulo", 3, 9 * DAY_MS, Kind::Practice(records::water()));
    fixture.publish("cn-beijing", 4, 11 * DAY_MS, Kind::Practice(records::one_window()));
    fixture.publish("sn-dakar", 5, 3 * MINUTE_MS, Kind::Practice(records::civil_registry()));
    fixture.publish("ca-edmonton", 6, 31 * DAY_MS, Kind::Practice(records::open_data()));
    fixture.publish("de-frankfurt", 20, 8 * DAY_MS, Kind::Adoption(records::adoption(1, 4, "2024-03")));
    fixture.publish("br-sao-paulo", 21, 6 * DAY_MS, Kind::Adoption(records::adoption(1, 3, "2025")));
    fixture.publish("es-barcelona", 22, 4 * DAY_MS, Kind::Adoption(records::ended_adoption()));
    fixture.publish("ca-edmonton", 30, 31 * DAY_MS, Kind::Dataset(richest::trees()));
    fixture.publish("es-barcelona", 31, 12 * DAY_MS, Kind::Dataset(records::air_quality()));
    fixture.publish("fr-paris", 40, 60 * DAY_MS, Kind::Practice(records::kiosks()));
    fixture.retract(
        "fr-paris",
        40,
        3 * DAY_MS,
        "Remplacée par une nouvelle fiche après l’évaluation de 2025.",
    );
    fixture
}

fn members() -> Vec<MemberView> {
    use MemberRole::{ExecutiveCommittee, Member, President, VicePresident};
    let sao_paulo = [("pt-BR", "São Paulo"), ("ko", "상파울루")];
    let beijing = [("zh", "北京市"), ("en", "Beijing"), ("de", "Peking")];
    let frankfurt = [("de", "Frankfurt am Main"), ("en", "Frankfurt")];
    let seoul = [("ko", "서울특별시"), ("en", "Seoul"), ("zh", "首尔"), ("fr", "Séoul"), ("de", "Seoul")];
    let dakar = [("fr", "Dakar"), ("wo", "Ndakaaru")];
    let mut suspended = city(8, "us-san-francisco", "USSFO", &[("en", "San Francisco")], VicePresident);
    suspended.status = MemberStatus::Suspended.into();
    let paris = city(7, "fr-paris", "FRPAR", &[("fr", "Paris"), ("ko", "파리")], VicePresident);
    let fork_at = Some(Position { epoch: 1, seq: 3 });
    vec![
        connected(city(2, "br-sao-paulo", "BRSAO", &sao_paulo, VicePresident), 12),
        seen(city(3, "ca-edmonton", "CAEDM", &[("en", "Edmonton")], VicePresident), 3 * DAY_MS + MINUTE_MS),
        connected(city(4, "cn-beijing", "CNBJS", &beijing, VicePresident), 25),
        connected(city(5, "de-frankfurt", "DEFRA", &frankfurt, VicePresident), 0),
        connected(city(6, "es-barcelona", "ESBCN", &[("ca", "Barcelona")], ExecutiveCommittee), 2),
        MemberView { forked: true, fork_at, ..connected(paris, 40) },
        connected(city(1, "kr-seoul", "KRSEL", &seoul, President), 4),
        MemberView { self_: true, ..seen(city(9, "sn-dakar", "SNDKR", &dakar, Member), 0) },
        MemberView { member: Some(suspended), ..MemberView::default() },
    ]
}

fn connected(member: v1::Member, minutes_ago: u64) -> MemberView {
    MemberView { connected: true, ..seen(member, minutes_ago * MINUTE_MS) }
}

fn seen(member: v1::Member, ago_ms: u64) -> MemberView {
    MemberView { member: Some(member), seen_ms: NOW_MS - ago_ms, ..MemberView::default() }
}
