//! Entries that are not what was asked for.

use wego_ledger::limits::ENTRIES_PER_MESSAGE_MAX;
use wego_proto::{
    entry::Verified,
    id::{FederationId, Hash, Origin, Position},
    key::Purpose,
    prost::Message as _,
    v1::{self, reject::Reason, session_message::Body},
};
use wego_tests::{byzantine::Byzantine, until};

use super::Scene;

/// Answers to a pull of entries 1 to 3 of the hostile member's own log.
fn false_answers(liar: &Byzantine) -> Vec<(&'static str, Reason, &'static str, Vec<v1::Entry>)> {
    let log = liar.story(&[], &["One", "Two", "Three"]);
    let wire: Vec<_> = log.iter().map(Verified::to_wire).collect();
    let pick = |seqs: &[usize]| seqs.iter().map(|seq| wire[*seq - 1].clone()).collect::<Vec<_>>();
    let spoilt = |spoil: fn(&mut v1::Entry)| {
        let mut entries = wire.clone();
        entries.iter_mut().for_each(spoil);
        entries
    };
    let signed_as = |change: &dyn Fn(&mut wego_proto::entry::Header)| {
        let mut header = liar.header(None);
        change(&mut header);
        vec![liar.sign(header, "One").to_wire()]
    };
    let elsewhere = Verified::sign(liar.header(None), None, &FederationId::new([9; 32]), &liar.log_key);
    let of_header = |header: v1::EntryHeader| {
        let header = header.encode_to_vec();
        let federation = liar.roster.federation();
        let signature = liar.log_key.sign(Purpose::Entry, &[federation.as_bytes(), &header]);
        vec![v1::Entry { header, signature: signature.as_bytes().to_vec(), payload: None }]
    };
    let plain = v1::EntryHeader::decode(wire[0].header.as_slice()).unwrap();
    let critical = v1::Extension { id: 77, critical: true, value: vec![] };
    let bulky = v1::Extension { id: 77, critical: false, value: vec![0; 1_024] };
    let (bad, malformed) = (Reason::BadEntry, Reason::Malformed);
    vec![
        ("a forged signature", bad, "bad_entry", spoilt(|entry| entry.signature[0] ^= 1)),
        ("a changed header", bad, "bad_entry", spoilt(|entry| *entry.header.last_mut().unwrap() ^= 1)),
        ("a signature of 63 bytes", malformed, "malformed", spoilt(|entry| entry.signature.truncate(63))),
        ("no header", malformed, "malformed", spoilt(|entry| entry.header.clear())),
        ("a gap", bad, "bad_entry", pick(&[1, 3])),
        ("the wrong order", bad, "bad_entry", pick(&[2, 1])),
        ("one entry twice", bad, "bad_entry", pick(&[1, 1])),
        ("entries from the middle", Reason::OutOfOrder, "out_of_order", pick(&[2, 3])),
        ("a stranger's entry", bad, "bad_entry", signed_as(&|header| header.origin = Origin(99))),
        ("an honest member's name", bad, "bad_entry", signed_as(&|header| header.origin = Origin(2))),
        ("a key it does not have", bad, "bad_entry", signed_as(&|header| header.key_no = 2)),
        ("another root", bad, "bad_entry", signed_as(&|header| header.prev = Hash::new([9; 32]))),
        (
            "a position far beyond",
            Reason::OutOfOrder,
            "out_of_order",
            signed_as(&|header| {
                header.at = Position { epoch: 1, seq: 3 };
            }),
        ),
        ("another federation", bad, "bad_entry", vec![elsewhere.to_wire()]),
        (
            "a truncated payload",
            bad,
            "bad_entry",
            spoilt(|entry| {
                entry.payload.as_mut().unwrap().content.pop();
            }),
        ),
        (
            "another payload",
            bad,
            "bad_entry",
            spoilt(|entry| entry.payload.as_mut().unwrap().content[0] ^= 1),
        ),
        ("another nonce", bad, "bad_entry", spoilt(|entry| entry.payload.as_mut().unwrap().nonce[0] ^= 1)),
        (
            "a nonce of 3 bytes",
            malformed,
            "malformed",
            spoilt(|entry| entry.payload.as_mut().unwrap().nonce.truncate(3)),
        ),
        (
            "an unknown critical extension",
            malformed,
            "malformed",
            of_header(v1::EntryHeader { extensions: vec![critical], ..plain.clone() }),
        ),
        (
            "a header over 1 KiB",
            Reason::TooLarge,
            "too_large",
            of_header(v1::EntryHeader { extensions: vec![bulky], ..plain.clone() }),
        ),
        ("another format", malformed, "malformed", of_header(v1::EntryHeader { format: 2, ..plain.clone() })),
        (
            "position 2^53",
            malformed,
            "malformed",
            of_header(v1::EntryHeader { seq: 1 << 53, ..plain.clone() }),
        ),
        ("epoch 2", malformed, "malformed", of_header(v1::EntryHeader { epoch: 2, ..plain })),
        (
            "an entry too many",
            Reason::TooLarge,
            "too_large",
            vec![wire[0].clone(); ENTRIES_PER_MESSAGE_MAX + 1],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_are_not_what_was_asked_for_are_refused_and_none_is_kept() {
    let scene = Scene::set().await;
    let log = scene.liar.story(&[], &["One", "Two", "Three"]);
    for (what, reason, word, mut entries) in false_answers(&scene.liar) {
        if entries.len() > ENTRIES_PER_MESSAGE_MAX {
            // So that the message itself is within its limit.
            entries.iter_mut().for_each(|entry| entry.payload = None);
        }
        let before = scene.before();
        let mut line = scene.greet().await;
        line.announce(&log).await;
        let pull = line.asked().await;
        assert_eq!((pull.origin, pull.from, pull.until), (scene.liar.origin.0, 1, 3), "{what}");
        line.send(Body::Entries(v1::Entries { request: pull.request, entries, done: true, epochs: vec![] }))
            .await;
        scene.refuses(what, line, reason, word, &before).await;
    }
    scene.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_were_taken_in_once_are_not_taken_in_again() {
    let scene = Scene::set().await;
    let log = scene.liar.story(&[], &["One", "Two", "Three"]);
    let mut line = scene.greet().await;
    line.announce(&log[..2]).await;
    let pull = line.asked().await;
    line.serve(&pull, &log).await;
    until("two entries are stored", || {
        scene.view().heads.get(&scene.liar.origin).is_some_and(|head| head.at.seq == 2)
    })
    .await;
    scene.cluster.converge(0).await;
    let before = scene.before();
    line.announce(&log).await;
    let next = line.asked().await;
    assert_eq!((next.from, next.until), (3, 3));
    line.serve(&v1::Pull { request: next.request, ..pull }, &log[..2]).await;
    scene.refuses("a replay", line, Reason::OutOfOrder, "out_of_order", &before).await;
    scene.goes_on().await;
}
