//! Messages that end an open session.

use wego_ledger::limits::{HEADS_PER_MESSAGE_MAX, MESSAGE_BYTES_MAX, ROSTER_STEPS_MAX};
use wego_proto::{
    prost::Message as _,
    v1::{self, reject::Reason, session_message::Body},
};
use wego_tests::byzantine::{Byzantine, encode};

use super::Scene;

/// Messages that end an open session, each with its reason and word.
fn breaches(liar: &Byzantine, hello: &v1::Hello) -> Vec<(&'static str, Reason, &'static str, Vec<u8>)> {
    let note = v1::Note { origin: 2, epoch: 1, seq: 1, hash8: vec![1; 8], want: 0 };
    let entries =
        |request| Body::Entries(v1::Entries { request, entries: vec![], done: true, epochs: vec![] });
    let too_many_notes = vec![note; HEADS_PER_MESSAGE_MAX + 1];
    let chain = |versions| Body::RosterChain(v1::RosterChain { versions });
    let current = liar.roster.current();
    let mut next = current.content().clone();
    next.version = 2;
    next.prev_hash = current.hash().as_bytes().to_vec();
    next.federation_id = current.federation().as_bytes().to_vec();
    let unsigned =
        |roster: &v1::Roster| v1::SignedRoster { roster: roster.encode_to_vec(), signatures: vec![] };
    let skipping = v1::Roster { version: 3, ..next.clone() };
    let elsewhere = v1::Roster { federation_id: vec![9; 32], ..next.clone() };
    let other_genesis = v1::Roster { federation_name: "Elsewhere".to_owned(), ..current.content().clone() };
    let mut by_one = unsigned(&next);
    // Its log key decides nothing; and one signature would be below the threshold.
    wego_proto::roster::add_signature(&mut by_one, &liar.log_key);
    let one = liar.story(&[], &["One"]);
    let half =
        v1::ForkProof { left: Some(one[0].to_wire_without_payload()), right: None, epochs: Vec::new() };
    let twice = v1::ForkProof { right: half.left.clone(), ..half.clone() };
    let two = liar.story(&one, &["Two"]);
    let follows = v1::ForkProof { right: Some(two[1].to_wire_without_payload()), ..half.clone() };
    let proofs = |proof: v1::ForkProof| Body::ForkProofs(v1::ForkProofs { proofs: vec![proof] });
    vec![
        ("a second greeting", Reason::OutOfOrder, "out_of_order", encode(Body::Hello(liar.hello(hello)))),
        ("entries pushed", Reason::OutOfOrder, "out_of_order", encode(entries(0))),
        ("entries nobody asked for", Reason::OutOfOrder, "out_of_order", encode(entries(7))),
        (
            "payloads nobody asked for",
            Reason::OutOfOrder,
            "out_of_order",
            encode(Body::Payloads(v1::Payloads::default())),
        ),
        (
            "a hash nobody asked for",
            Reason::OutOfOrder,
            "out_of_order",
            encode(Body::HashAnswer(v1::HashAnswer::default())),
        ),
        (
            "heads nobody asked for",
            Reason::OutOfOrder,
            "out_of_order",
            encode(Body::Heads(v1::HeadsAnswer::default())),
        ),
        ("nothing in a message", Reason::Malformed, "malformed", vec![]),
        ("a body of a later version", Reason::Malformed, "malformed", vec![0xfa, 0x7d, 0]),
        ("garbage", Reason::Malformed, "malformed", vec![0xff; 64]),
        ("a field that ends early", Reason::Malformed, "malformed", vec![0x0a, 0x7f, 1]),
        (
            "a digest of 31 bytes",
            Reason::Malformed,
            "malformed",
            encode(Body::HeadsDigest(v1::HeadsDigest { digest: vec![1; 31], known_store: 0 })),
        ),
        (
            "a byte more than a message may have",
            Reason::TooLarge,
            "too_large",
            vec![0; MESSAGE_BYTES_MAX + 1],
        ),
        (
            "a note too many",
            Reason::TooLarge,
            "too_large",
            encode(Body::Notes(v1::Notes { notes: too_many_notes })),
        ),
        (
            "a bucket too many",
            Reason::TooLarge,
            "too_large",
            encode(Body::HeadsRequest(v1::HeadsRequest { since: 0, buckets: vec![1; 129] })),
        ),
        (
            "a roster version too many",
            Reason::TooLarge,
            "too_large",
            encode(chain(vec![v1::SignedRoster::default(); ROSTER_STEPS_MAX + 1])),
        ),
        (
            "a roster that is none",
            Reason::Malformed,
            "malformed",
            encode(chain(vec![v1::SignedRoster::default()])),
        ),
        ("an unsigned roster", Reason::BadRoster, "bad_roster", encode(chain(vec![unsigned(&next)]))),
        ("a roster signed by no committee", Reason::BadRoster, "bad_roster", encode(chain(vec![by_one]))),
        (
            "a roster that skips a version",
            Reason::BadRoster,
            "bad_roster",
            encode(chain(vec![unsigned(&skipping)])),
        ),
        (
            "a roster of another federation",
            Reason::DifferentFederation,
            "different_federation",
            encode(chain(vec![unsigned(&elsewhere)])),
        ),
        (
            "another founding roster",
            Reason::DifferentFederation,
            "different_federation",
            encode(chain(vec![unsigned(&other_genesis)])),
        ),
        ("half a fork proof", Reason::BadEntry, "bad_fork_proof", encode(proofs(half))),
        ("one entry twice as a fork", Reason::BadEntry, "bad_fork_proof", encode(proofs(twice))),
        ("two entries in order as a fork", Reason::BadEntry, "bad_fork_proof", encode(proofs(follows))),
        (
            "a fork proof too many",
            Reason::TooLarge,
            "too_large",
            encode(Body::ForkProofs(v1::ForkProofs { proofs: vec![v1::ForkProof::default(); 257] })),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_breach_of_an_open_session_ends_it_with_its_reason_and_changes_nothing() {
    let scene = Scene::set().await;
    for at in 0.. {
        let before = scene.before();
        let line = scene.greet().await;
        let Some((what, reason, word, bytes)) = breaches(&scene.liar, &line.hello).into_iter().nth(at) else {
            break;
        };
        line.send_bytes(bytes).await;
        scene.refuses(what, line, reason, word, &before).await;
    }
    scene.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_is_no_message_is_refused_like_one() {
    let scene = Scene::set().await;
    // Length and flags of the gRPC framing: five bytes before each message.
    let frames = [
        ("half a message", "\0\0\0\0\x64abc"),
        ("half a frame", "\0\0\0"),
        ("an unknown compression", "\x07\0\0\0\x01a"),
        ("a compression nobody agreed on", "\x01\0\0\0\x01a"),
        ("not gRPC at all", "GET / HTTP/1.1\r\n\r\n"),
    ];
    for (what, frame) in frames {
        let before = scene.before();
        let line = scene.liar.post(&scene.cluster.seats[0], frame.to_owned()).await;
        scene.refuses(what, line, Reason::Malformed, "malformed", &before).await;
    }
    scene.goes_on().await;
}
