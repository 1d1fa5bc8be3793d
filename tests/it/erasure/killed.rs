//! A node that is killed in the middle of erasing: the order stands or was never given, and what was ordered is done.

use std::time::Duration;

use wego_proto::{
    id::RecordId,
    v1::{self, EraseReason},
};
use wego_tests::{
    client::Client,
    process::{Federation, Signal, wait_for},
    records::{practice, publish},
};

use super::{SECRET, betrayed, request_id};

/// How often the node is killed, each time a little later after the order was sent.
const ROUNDS: u64 = 6;
/// How much later, ms.
const STEP_MS: u64 = 6;

#[test]
fn killed_at_any_moment_of_an_erasure_a_node_finishes_it_when_it_is_back() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut federation = Federation::start(&["kr-seoul", "fr-paris"]);
    for round in 0..ROUNDS {
        let client = runtime.block_on(Client::of_profile(&federation.sites[0].profile()));
        let record = practice(&format!("About {SECRET} {round}"));
        let id = runtime.block_on(client.catalogue().publish(publish(record))).unwrap();
        let record_id = id.into_inner().record_id;
        let order = v1::EraseRequest {
            request_id: request_id(),
            record_id: record_id.clone(),
            reason: EraseReason::LegalOrder as i32,
            dry_run: false,
        };
        let sent = order.clone();
        let answer = runtime.spawn(async move { client.catalogue().erase(sent).await });
        let later = Duration::from_millis(round * STEP_MS);
        let _passed =
            runtime.block_on(async { tokio::time::timeout(later, std::future::pending::<()>()).await });
        federation.sites[0].end(Signal::KILL);
        let _cut_short_or_not = runtime.block_on(answer).unwrap();
        federation.sites[0].start();
        federation.sites[0].answers();
        let client = runtime.block_on(Client::of_profile(&federation.sites[0].profile()));
        wait_for("it may write again, and takes the same order", || {
            runtime.block_on(client.catalogue().erase(order.clone())).is_ok()
        });
        let id = RecordId::try_from(record_id.as_slice()).unwrap().to_string();
        wait_for("both members have carried it out", || {
            let status = federation.sites[0].wego(&["erase", "status", &id, "--json"]);
            status.code == Some(0) && status.json()["erasures"][0]["carried_out"] == 2
        });
    }
    for site in &mut federation.sites {
        // The start after an erasure writes the databases anew.
        site.end(Signal::TERM);
        site.start();
        site.answers();
        site.end(Signal::TERM);
        assert_eq!(betrayed(&site.dir), Vec::<String>::new(), "{}", site.handle);
    }
}
