//! Claims without entries behind them.

use std::time::Duration;

use wego_ledger::limits::HEADS_PER_MESSAGE_MAX;
use wego_proto::v1::{self, session_message::Body};
use wego_tests::{
    client::Client,
    records::{practice, publish},
    until,
};

use super::{HONEST, Scene};

fn claim(origin: u32, seq: u64) -> Body {
    let note = v1::Note { origin, epoch: 1, seq, hash8: vec![0xee; 8], want: 0 };
    Body::Notes(v1::Notes { notes: vec![note] })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_names_entries_it_never_delivers_is_left_for_an_honest_one() {
    let scene = Scene::set().await;
    let mut line = scene.greet().await;
    for origin in 1..=HONEST as u32 + 1 {
        line.send(claim(origin, u64::MAX)).await;
    }
    let asked = line.asked().await;
    assert_eq!(asked.from, 1);
    // It goes on lying for as long as the honest ones write.
    let lying = tokio::spawn(async move {
        while line.try_send(claim(2, u64::MAX - 1)) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let client = Client::of_profile(&scene.cluster.seats[1].created.profile_dir).await;
    for n in 0..20 {
        client.catalogue().publish(publish(practice(&format!("Practice {n}")))).await.unwrap();
    }
    scene.cluster.converge(1).await;
    assert!(scene.view().not_writable.is_none(), "naming this node's own log proves nothing");
    lying.abort();
    scene.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_of_logs_that_no_roster_knows_leave_no_trace() {
    let scene = Scene::set().await;
    let before = scene.standing();
    let mut line = scene.greet().await;
    for round in 0..20_u32 {
        let note = |n: u32| {
            let (origin, epoch) =
                if n.is_multiple_of(2) { (1_000 + n + round, 1) } else { (2, 2 + n + round) };
            v1::Note { origin, epoch, seq: u64::from(n) + 1, hash8: vec![1; 8], want: 0 }
        };
        let notes = (0..HEADS_PER_MESSAGE_MAX as u32).map(note).collect();
        line.send(Body::Notes(v1::Notes { notes })).await;
    }
    // Answered in order: when this is, all notes were looked at.
    line.send(Body::PayloadRequest(v1::PayloadRequest::default())).await;
    let reason = line.until(|body| match body {
        Body::Reject(reject) => Some(reject.reason()),
        // An epoch may have been opened; its opening would show it. Nothing else is asked for.
        Body::Pull(pull) => {
            assert!(
                (pull.from, pull.until) == (1, 1) && pull.epoch > 1,
                "{pull:?} of a log that nobody knows"
            );
            None
        }
        _ => None,
    });
    assert_eq!(reason.await, v1::reject::Reason::NotSupportedYet);
    until("the session is shown", || scene.view().sessions.contains_key(&scene.liar.origin)).await;
    assert_eq!(scene.view().sessions[&scene.liar.origin].lag_entries, 0, "nothing is remembered");
    assert_eq!(scene.standing(), before);
    scene.goes_on().await;
}
