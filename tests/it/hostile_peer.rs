//! A member gone rogue: whatever it says, it is told why it is refused, nothing it said counts, and the others go on.

use std::collections::BTreeMap;

use wego_ledger::log::Head;
use wego_node::engine::view::View;
use wego_proto::{
    entry::Payload,
    id::Origin,
    v1::{self, reject::Reason, session_message::Body},
};
use wego_tests::{
    Cluster,
    byzantine::{Byzantine, Line},
    client::Client,
    records::{practice, publish},
    until,
};

mod answers;
mod breaches;
mod clock;
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
        cluster.writable().await;
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
            forks: view.forks().len(),
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

/// A payload as large as an entry may carry.
fn largest_payload() -> Payload {
    Payload { nonce: [1; 16], content: vec![0; wego_proto::entry::PAYLOAD_BYTES_MAX] }
}
