//! Claims about hostile texts: whatever a city, a roster or a reader writes, it stays text.

use axum::http::Method;
use wego_proto::{
    id::RecordId,
    prost::Message,
    record::v1::{Adoption, Dataset, LangText, Practice},
    v1::{MemberRole, MemberView, record::Kind},
};

use super::{
    Answer, ask,
    cities::federation,
    fixture::{self, Fixture},
    get, record,
    records::text,
    request,
    richest::{mvoting, trees},
};

const EVIL: &str =
    "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>[x](javascript:alert(1))\u{202e}\u{1b}[2J";

/// `message` with [`EVIL`] in every text field of it and of all it contains: found by its encoding, so that a
/// field added later is covered without a line here.
fn poisoned<M: Message + Default>(message: &M) -> M {
    M::decode(poison(&message.encode_to_vec()).as_slice()).unwrap()
}

fn poison(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let tag = varint(&mut rest);
        put(&mut out, tag);
        match tag & 7 {
            0 => put(&mut out, varint(&mut rest)),
            2 => {
                let len = usize::try_from(varint(&mut rest)).unwrap();
                let (field, after) = rest.split_at(len);
                rest = after;
                let value = if is_message(field) { poison(field) } else { poisoned_text(field) };
                put(&mut out, value.len() as u64);
                out.extend(value);
            }
            other => panic!("no record has wire type {other}"),
        }
    }
    out
}

/// A reference to another record stays one, so that the page with the reference is reached.
fn poisoned_text(field: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(field).unwrap();
    if text.parse::<RecordId>().is_ok() { field.to_vec() } else { format!("{EVIL}{text}{EVIL}").into_bytes() }
}

/// Texts of the fixture never happen to parse as messages: their first letters are no valid tags in sequence.
fn is_message(field: &[u8]) -> bool {
    let mut rest = field;
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        if rest[0] >= 0x80 && rest.len() < 2 {
            return false;
        }
        let tag = varint(&mut rest);
        match (tag & 7, tag >> 3) {
            (0, 1..=20) if !rest.is_empty() && rest.iter().any(|byte| *byte < 0x80) => _ = varint(&mut rest),
            (2, 1..=20) if !rest.is_empty() && rest.iter().any(|byte| *byte < 0x80) => {
                let len = varint(&mut rest);
                if len > rest.len() as u64 {
                    return false;
                }
                rest = &rest[usize::try_from(len).unwrap()..];
            }
            _ => return false,
        }
    }
    true
}

fn varint(rest: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let Some((byte, after)) = rest.split_first() else { return value };
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            break;
        }
    }
    value
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[track_caller]
fn assert_harmless(answer: &Answer) {
    for wrong in ["<script", "<img", "onerror=alert(1)>", "href=\"javascript", "\u{202e}", "\u{1b}"] {
        // Quoted and escaped, the words themselves may stand in the text.
        let wrong = wrong.strip_suffix('>').map_or(wrong, |_| "onerror=alert(1)><");
        answer.says_nothing_of(wrong);
    }
    for tag in answer.text.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        let name = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap_or_default();
        assert!(!["script", "img", "iframe", "object", "base", "style"].contains(&name), "<{tag}>");
        assert!(
            !tag.split('"').step_by(2).any(|outside| outside.contains(" on") || outside.contains(" style=")),
            "<{tag}>"
        );
    }
}

#[tokio::test]
async fn a_hostile_text_in_any_field_of_any_record_stays_text() {
    let adoption =
        match federation().records.remove(&fixture::record_id(22)).unwrap().view.record.unwrap().kind {
            Some(Kind::Adoption(adoption)) => adoption,
            other => panic!("{other:?}"),
        };
    let records = [
        Kind::Practice(poisoned::<Practice>(&mvoting())),
        Kind::Adoption(poisoned::<Adoption>(&adoption)),
        Kind::Dataset(poisoned::<Dataset>(&trees())),
    ];
    for (number, kind) in (60..).zip(records) {
        for target in
            [record(number), "/?q=alert".to_owned(), "/member/kr-seoul".to_owned(), "/".to_owned(), record(1)]
        {
            let mut library = federation();
            library.publish("kr-seoul", number, 1, kind.clone());
            let answer = ask(library, request(Method::GET, &target)).await;
            assert_eq!(answer.status, 200, "{target}");
            assert_harmless(&answer);
        }
        let mut library = federation();
        library.publish("kr-seoul", number, 1, kind.clone());
        // The poison arrived: otherwise nothing was shown.
        ask(library, request(Method::GET, &record(number)))
            .await
            .says("&lt;script&gt;alert(1)&lt;/script&gt;");
    }
}

#[tokio::test]
async fn every_field_of_the_richest_records_is_poisoned() {
    // Guards the test above against a fixture or an encoding walk that leaves fields out.
    let practice = format!("{:?}", poisoned::<Practice>(&mvoting()));
    assert!(practice.matches("<script>").count() > 60, "{}", practice.matches("<script>").count());
    let dataset = format!("{:?}", poisoned::<Dataset>(&trees()));
    assert!(dataset.matches("<script>").count() > 40, "{}", dataset.matches("<script>").count());
}

#[tokio::test]
async fn a_hostile_roster_stays_text() {
    let mut member = fixture::city(1, "kr-seoul", EVIL, &[("en", EVIL), (EVIL, EVIL)], MemberRole::Member);
    member.country = EVIL.to_owned();
    member.portal_url = format!("javascript:alert('{EVIL}')");
    let view = MemberView { member: Some(member), self_: true, ..Default::default() };
    for target in ["/", "/federation", "/member/kr-seoul", "/about", "/?q=x", "/nowhere"] {
        let mut library = Fixture::new(EVIL, vec![view.clone()], 0);
        library.publish("kr-seoul", 1, 1, Kind::Practice(mvoting()));
        assert_harmless(&ask(library, request(Method::GET, target)).await);
    }
}

#[tokio::test]
async fn a_hostile_reason_and_translator_stay_text() {
    let mut library = federation();
    library.retract("kr-seoul", 1, 1, EVIL);
    let answer = ask(library, request(Method::GET, &record(1))).await;
    answer.says("Withdrawn by Seoul");
    assert_harmless(&answer);
    let mut practice = mvoting();
    practice.problem = vec![LangText {
        translator_city: EVIL.to_owned(),
        origin: 2,
        source_lang: EVIL.to_owned(),
        ..text("en", "x")
    }];
    let mut library = federation();
    library.publish("kr-seoul", 1, 1, Kind::Practice(practice));
    assert_harmless(&ask(library, request(Method::GET, &record(1))).await);
}

#[tokio::test]
async fn a_hostile_request_stays_text() {
    let evil = crate::portal::reader::encoded(EVIL);
    for target in [
        format!("/?q={evil}"),
        format!("/?q=city:{evil}+topic:{evil}"),
        format!("/?q=x&lang={evil}"),
        format!("/?q=x&page={evil}"),
        format!("/?{evil}={evil}"),
        format!("/member/{evil}"),
        format!("/member/kr-seoul?kind={evil}"),
        format!("/member/kr-seoul?kind=practice&after={evil}"),
        format!("/record/{evil}"),
        format!("/{evil}"),
    ] {
        assert_harmless(&get(&target).await);
    }
}

#[tokio::test]
async fn no_page_source_opens_a_way_around_escaping() {
    let sources = concat!(
        include_str!("../frame.rs"),
        include_str!("../text.rs"),
        include_str!("../markdown.rs"),
        include_str!("../format.rs"),
        include_str!("../refusal.rs"),
        include_str!("../visit.rs"),
        include_str!("../pages/start.rs"),
        include_str!("../pages/results.rs"),
        include_str!("../pages/record.rs"),
        include_str!("../pages/practice.rs"),
        include_str!("../pages/adoption.rs"),
        include_str!("../pages/dataset.rs"),
        include_str!("../pages/core.rs"),
        include_str!("../pages/facts.rs"),
        include_str!("../pages/provenance.rs"),
        include_str!("../pages/member.rs"),
        include_str!("../pages/federation.rs"),
        include_str!("../pages/about.rs"),
    );
    assert!(!sources.contains("PreEscaped"));
}
