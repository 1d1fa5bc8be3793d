//! Asking for too much, and reading too little.

use std::time::Instant;

use wego_ledger::limits::SERVED_PER_PEER_MAX;
use wego_node::engine::{Act, Existence, Mode, Write};
use wego_proto::{
    id::{RecordId, RequestId},
    v1::{self, session_message::Body},
};
use wego_tests::{DEADLINE, client::Client, until};

use super::{SEAT, Scene, largest_payload};

/// Entries of the largest size that fill every buffer between two nodes.
const FILLING: u8 = 24;

fn everything(request: u32) -> Body {
    Body::Pull(v1::Pull { request, origin: 1, epoch: 1, from: 1, until: u64::MAX, headers_only: false })
}

/// Writes entries so large that no buffer holds all of them.
async fn fill(scene: &Scene) {
    for n in 0..FILLING {
        let write = Write {
            request_id: RequestId::new([n; 16]),
            record_id: RecordId::new([n; 16]),
            record_kind: 1,
            act: Act::Put {
                content: largest_payload().content,
                expected_base: None,
                existence: Existence::Optional,
            },
            mode: Mode::Commit,
        };
        scene.cluster.node(0).engine().write(write).await.unwrap();
    }
    scene.cluster.converge(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_without_end_or_sense_are_answered_with_what_there_is() {
    let scene = Scene::set().await;
    fill(&scene).await;
    let mut line = scene.greet().await;
    let ranges = [
        (1, 1, 1, u64::MAX, u64::from(FILLING)),
        (1, 1, 0, u64::MAX, u64::from(FILLING)),
        (1, 1, u64::MAX, u64::MAX, 0),
        (1, 1, 9, 8, 0),
        (1, 7, 1, u64::MAX, 0),
        (99, 1, 1, u64::MAX, 0),
        (0, 0, 0, 0, 0),
    ];
    for (request, (origin, epoch, from, until, expected)) in (1..).zip(ranges) {
        let pull = v1::Pull { request, origin, epoch, from, until, headers_only: true };
        line.send(Body::Pull(pull)).await;
        let mut got = 0;
        loop {
            let part = line.until(|body| match body {
                Body::Entries(entries) if entries.request == request => Some(entries.clone()),
                _ => None,
            });
            let part = part.await;
            got += part.entries.len() as u64;
            if part.done {
                break;
            }
        }
        assert_eq!(got, expected, "{pull:?}");
    }
    scene.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_more_than_is_served_at_once_ends_the_session() {
    let scene = Scene::set().await;
    fill(&scene).await;
    let before = scene.before();
    let mut line = scene.greet().await;
    for request in 1..=SERVED_PER_PEER_MAX as u32 + 1 {
        line.send(everything(request)).await;
    }
    until("it is counted", || scene.refused("too_large") == before.count("too_large") + 1).await;
    until("the session is closed", || !scene.view().sessions.contains_key(&scene.liar.origin)).await;
    line.ended().await;
    assert_eq!(scene.standing(), before.standing);
    scene.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_reads_nothing_is_dropped_and_the_others_go_on() {
    let scene = Scene::set().await;
    fill(&scene).await;
    let before = scene.standing();
    let mut line = scene.greet().await;
    until("its session is open", || scene.view().sessions.contains_key(&scene.liar.origin)).await;
    line.send(everything(1)).await;
    // Each is answered; nothing is read. It ends when the outbox is full.
    let ask = Body::PayloadRequest(v1::PayloadRequest::default());
    until("its outbox is full", || {
        for _ in 0..32 {
            let _ = line.try_send(ask.clone());
        }
        !scene.view().sessions.contains_key(&scene.liar.origin)
    })
    .await;
    assert_eq!(scene.standing(), before, "the honest sessions are those from before");
    let admin = Client::of_profile(&scene.cluster.seats[0].created.profile_dir).await;
    let handle = &scene.cluster.seats[SEAT].city.handle;
    let begun = Instant::now();
    // Only a session whose task has ended leaves room to dial this member again.
    loop {
        let peers = admin.admin().list_peers(v1::ListPeersRequest {}).await.unwrap().into_inner().peers;
        let peer = peers.iter().find(|peer| peer.handle == *handle).unwrap();
        if peer.state() == v1::PeerState::Waiting {
            break;
        }
        assert!(begun.elapsed() < DEADLINE, "{peer:?}");
    }
    line.ended().await;
    scene.goes_on().await;
}
