//! A member that does not forget: it hands out what was erased, and lies about what others have done.

use wego_proto::{
    entry::{Header, Verified},
    id::{Origin, RecordId},
    key::Purpose,
    prost::Message as _,
    v1::{self, EntryKind, reject::Reason, session_message::Body},
};
use wego_tests::{Cluster, byzantine::Byzantine, until};

use super::{SECRET, betrayed, data, holds_secret};

const RECORD: RecordId = RecordId::new([0x5a; 16]);

/// A log that publishes a record and orders it to be erased.
fn story(liar: &Byzantine) -> Vec<Verified> {
    let put = Header { record_id: Some(RECORD), ..liar.header(None) };
    let put = liar.sign(put, &format!("About {SECRET}"));
    let header = Header {
        record_id: Some(RECORD),
        kind: EntryKind::Erase as i32,
        erase: Some(1),
        ..liar.header(Some(&put))
    };
    let order = Verified::sign(header, None, &liar.roster.federation(), &liar.log_key);
    vec![put, order]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_is_not_taken_back_from_who_still_hands_it_out() {
    let mut cluster = Cluster::found(2).await;
    cluster.seats[1].release();
    let liar = Byzantine::holding(&cluster.seats[1]);
    cluster.up(0).await;
    let log = story(&liar);
    let mut line = liar.greet(&cluster.seats[0]).await;
    line.announce(&log).await;
    let pull = line.asked().await;
    line.serve(&pull, &log).await;
    until("both entries are held", || {
        let view = cluster.node(0).reader().view();
        view.heads.get(&liar.origin).is_some_and(|head| head.at.seq == 2)
    })
    .await;
    let request =
        v1::Pull { request: 9, origin: liar.origin.0, epoch: 1, from: 1, until: 9, ..Default::default() };
    line.send(Body::Pull(request)).await;
    let handed_on = line
        .until(|body| match body {
            Body::Entries(entries) if entries.request == 9 => Some(entries.entries.clone()),
            _ => None,
        })
        .await;
    assert_eq!(handed_on.len(), 2);
    assert!(handed_on.iter().all(|entry| entry.payload.is_none()), "it is not handed on either");
    drop(line);
    cluster.down(0).await;
    assert_eq!(betrayed(&data(&cluster, 0)), Vec::<String>::new(), "it was never written down");
    assert!(holds_secret(&log[0].payload().unwrap().content), "the secret was handed out");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_its_signer_did_not_sign_ends_the_session_and_counts_for_nothing() {
    let mut cluster = Cluster::found(2).await;
    cluster.seats[1].release();
    let liar = Byzantine::holding(&cluster.seats[1]);
    cluster.up(0).await;
    let forged = v1::Receipt {
        member: 1,
        key_no: 1,
        at: Some(v1::Position { epoch: 1, seq: 1 }),
        counter: u64::MAX,
        store_id: vec![1; 16],
        roster_version: 1,
        applied: vec![v1::Applied { origin: 2, epoch: 1, seq: 99 }],
    };
    let receipt = forged.encode_to_vec();
    let federation = liar.roster.federation();
    let parts = [federation.as_bytes().as_slice(), &receipt];
    let signature = liar.log_key.sign(Purpose::Receipt, &parts);
    let signed = v1::SignedReceipt { receipt, signature: signature.as_bytes().to_vec() };
    let mut line = liar.greet(&cluster.seats[0]).await;
    line.send(Body::Receipts(v1::Receipts { known: vec![], receipts: vec![signed] })).await;
    assert_eq!(line.rejected().await.reason(), Reason::Malformed);
    let view = cluster.node(0).reader().view();
    assert!(view.receipts.get(&Origin(1)).is_none_or(|receipt| receipt.counter < u64::MAX));
    cluster.stop().await;
}
