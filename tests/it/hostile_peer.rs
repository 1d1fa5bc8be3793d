//! A member gone rogue: whatever it says, it is told why it is refused, nothing it said counts, and the others go on.

use std::collections::BTreeMap;

use wego_ledger::{
    limits::{ENTRIES_PER_MESSAGE_MAX, HEADS_PER_MESSAGE_MAX, MESSAGE_BYTES_MAX, ROSTER_STEPS_MAX},
    log::Head,
};
use wego_node::engine::view::View;
use wego_proto::{
    entry::{Payload, Verified},
    id::{FederationId, Hash, Origin, Position},
    key::Purpose,
    prost::Message as _,
    v1::{self, reject::Reason, session_message::Body},
};
use wego_tests::{
    Cluster,
    byzantine::{Byzantine, Line, encode},
    client::Client,
    records::{practice, publish},
    until,
};

mod fork;
mod greedy;
mod host;
mod liar;

/// Honest nodes of the federation; the last member is hostile and runs none.
const HONEST: usize = 3;
/// Seat of the hostile member.
const SEAT: usize = HONEST;

/// Three honest nodes that know one another, and a hostile member that holds real keys.
struct Scene {
    cluster: Cluster,
    liar: Byzantine,
}

/// What a lie must not change.
#[derive(Debug, PartialEq)]
struct Standing {
    heads: BTreeMap<Origin, Head>,
    sessions: Vec<(Origin, u64)>,
    writable: bool,
    roster_version: u64,
    forks: usize,
}

impl Scene {
    async fn set() -> Self {
        let mut cluster = Cluster::found(HONEST + 1).await;
        cluster.seats[SEAT].release();
        for n in 0..HONEST {
            cluster.up(n).await;
        }
        for n in 0..HONEST {
            cluster.connected(n, HONEST - 1).await;
        }
        let liar = Byzantine::holding(&cluster.seats[SEAT]);
        Self { cluster, liar }
    }

    fn view(&self) -> std::sync::Arc<View> {
        self.cluster.node(0).reader().view()
    }

    fn standing(&self) -> Standing {
        let view = self.view();
        let honest = view.sessions.iter().filter(|(origin, _)| **origin != self.liar.origin);
        Standing {
            heads: view.heads.clone(),
            sessions: honest.map(|(origin, session)| (*origin, session.since_ms)).collect(),
            writable: view.not_writable.is_none(),
            roster_version: view.roster.current().version(),
            forks: view.forks.len(),
        }
    }

    fn refused(&self, word: &str) -> u64 {
        let status = self.cluster.node(0).reader().status();
        status.refused.iter().find(|refused| refused.reason == word).map_or(0, |refused| refused.count)
    }

    async fn greet(&self) -> Line {
        self.liar.greet(&self.cluster.seats[0]).await
    }

    async fn call(&self) -> Line {
        self.liar.call(&self.cluster.seats[0]).await
    }

    /// The session is closed for this reason, counted once under this word, and nothing else has changed.
    async fn refuses(&self, what: &str, mut line: Line, reason: Reason, word: &str, before: &Before) {
        let reject = line.rejected().await;
        assert_eq!(reject.reason(), reason, "{what}: {}", reject.text);
        assert!(!reject.text.is_empty(), "{what}");
        until(&format!("{what} is counted as {word}"), || self.refused(word) == before.count(word) + 1).await;
        until(what, || !self.view().sessions.contains_key(&self.liar.origin)).await;
        assert_eq!(self.standing(), before.standing, "{what}");
    }

    fn before(&self) -> Before {
        let refused = self.cluster.node(0).reader().status().refused;
        Before {
            standing: self.standing(),
            counts: refused.into_iter().map(|refused| (refused.reason, refused.count)).collect(),
        }
    }

    /// The honest nodes still write, exchange and agree.
    async fn goes_on(self) {
        for n in 0..HONEST {
            let client = Client::of_profile(&self.cluster.seats[n].created.profile_dir).await;
            client.catalogue().publish(publish(practice(&format!("Practice of {n}")))).await.unwrap();
        }
        until("everybody's entry is at node 0", || {
            (1..=HONEST as u32).all(|origin| self.view().heads.contains_key(&Origin(origin)))
        })
        .await;
        self.cluster.converge(0).await;
        self.cluster.stop().await;
    }
}

struct Before {
    standing: Standing,
    counts: BTreeMap<String, u64>,
}

impl Before {
    fn count(&self, word: &str) -> u64 {
        self.counts.get(word).copied().unwrap_or(0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greeting_that_is_not_that_of_the_member_at_the_other_end_opens_nothing() {
    type Spoil = fn(v1::Hello) -> v1::Hello;
    let cases: [(&str, Reason, &str, Spoil); 9] = [
        ("wrong federation", Reason::DifferentFederation, "different_federation", |hello| v1::Hello {
            federation_id: vec![9; 32],
            ..hello
        }),
        ("unknown member", Reason::UnknownMember, "wrong_member", |hello| v1::Hello { member: 99, ..hello }),
        ("no member", Reason::UnknownMember, "wrong_member", |hello| v1::Hello { member: 0, ..hello }),
        ("another member", Reason::UnknownMember, "wrong_member", |hello| v1::Hello { member: 2, ..hello }),
        ("this very member", Reason::UnknownMember, "wrong_member", |hello| v1::Hello { member: 1, ..hello }),
        ("a later wire version", Reason::VersionUnsupported, "version_unsupported", |hello| v1::Hello {
            wire_min: 2,
            wire_max: 9,
            ..hello
        }),
        ("no wire version", Reason::VersionUnsupported, "version_unsupported", |hello| v1::Hello {
            wire_min: 0,
            wire_max: 0,
            ..hello
        }),
        ("a short federation id", Reason::Malformed, "malformed", |hello| v1::Hello {
            federation_id: vec![9; 31],
            ..hello
        }),
        ("a long store id", Reason::Malformed, "malformed", |hello| v1::Hello {
            store_id: vec![9; 17],
            ..hello
        }),
    ];
    let scene = Scene::set().await;
    for (what, reason, word, spoil) in cases {
        let before = scene.before();
        let line = scene.call().await;
        line.send(Body::Hello(spoil(scene.liar.hello(&line.hello)))).await;
        scene.refuses(what, line, reason, word, &before).await;
    }
    scene.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_a_greeting_may_come_first() {
    let scene = Scene::set().await;
    let early = [
        Body::Notes(v1::Notes::default()),
        Body::Pull(v1::Pull { request: 1, origin: 1, epoch: 1, from: 1, until: 9, ..Default::default() }),
        Body::HeadsRequest(v1::HeadsRequest::default()),
        Body::RosterChain(v1::RosterChain::default()),
        Body::ForkProofs(v1::ForkProofs::default()),
        Body::PayloadRequest(v1::PayloadRequest::default()),
    ];
    for body in early {
        let before = scene.before();
        let what = format!("early {body:?}");
        let line = scene.call().await;
        line.send(body).await;
        scene.refuses(&what, line, Reason::OutOfOrder, "out_of_order", &before).await;
    }
    scene.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_after_the_handshake_is_hung_up_on() {
    let scene = Scene::set().await;
    let before = scene.before();
    let line = scene.call().await;
    scene.refuses("silence", line, Reason::OutOfOrder, "silent", &before).await;
    scene.goes_on().await;
}

/// Messages that end an open session, each with its reason and word.
fn breaches(liar: &Byzantine, hello: &v1::Hello) -> Vec<(&'static str, Reason, &'static str, Vec<u8>)> {
    let note = v1::Note { origin: 2, epoch: 1, seq: 1, hash8: vec![1; 8], want: 0 };
    let entries = |request| Body::Entries(v1::Entries { request, entries: vec![], done: true });
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
    let half = v1::ForkProof { left: Some(one[0].to_wire_without_payload()), right: None };
    let twice = v1::ForkProof { left: half.left.clone(), right: half.left.clone() };
    let two = liar.story(&one, &["Two"]);
    let follows = v1::ForkProof { left: half.left.clone(), right: Some(two[1].to_wire_without_payload()) };
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
        line.send(Body::Entries(v1::Entries { request: pull.request, entries, done: true })).await;
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

/// A payload as large as an entry may carry.
fn largest_payload() -> Payload {
    Payload { nonce: [1; 16], content: vec![0; wego_proto::entry::PAYLOAD_BYTES_MAX] }
}
