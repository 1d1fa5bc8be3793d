//! Claims about records that say less than others: erased ones, and ones that a wrong clock dated.

use std::sync::Arc;

use axum::http::Method;
use wego_proto::v1::{EraseReason, ErasedBy};

use super::{
    ask,
    cities::federation,
    fixture::{DAY_MS, Fixture, MINUTE_MS, NOW_MS, record_id},
    record, request,
};

async fn get(library: &Arc<Fixture>, target: &str) -> super::Answer {
    ask(Arc::clone(library), request(Method::GET, target)).await
}

#[tokio::test]
async fn an_erased_record_is_gone_and_its_page_says_who_erased_it_when_and_why() {
    let mut library = federation();
    library.erase("kr-seoul", 1, DAY_MS, EraseReason::ConsentWithdrawn);
    let library = Arc::new(library);
    let page = get(&library, &record(1)).await;
    assert_eq!(page.status, 410);
    page.says("Erased record: ")
        .says("Erased on 2025-11-22 by Seoul.")
        .says("Reason: Somebody named took their consent back (2)")
        .says("What remains is the signed proof that it existed.")
        .says_nothing_of("Untitled")
        .says_nothing_of("proof.pem");
    let proof = get(&library, &format!("{}/proof.pem", record(1))).await;
    assert_eq!(proof.status, 410);
    proof.says("Erased record").says_nothing_of("Page not found");
    let adoption = get(&library, &record(20)).await;
    assert_eq!(adoption.status, 200);
    adoption.says(">Erased record</a>");
}

#[tokio::test]
async fn a_record_that_was_taken_down_names_the_federation_and_an_unknown_reason_its_number() {
    let mut library = federation();
    library.erase("kr-seoul", 1, DAY_MS, EraseReason::Mistake);
    let held = library.records.get_mut(&record_id(1)).unwrap();
    let ordered_at_ms = NOW_MS - 2 * DAY_MS;
    held.view.erased_by = Some(ErasedBy { reason: 77, handle: String::new(), ordered_at_ms });
    let page = get(&Arc::new(library), &record(1)).await;
    page.says("Taken down on 2025-11-21 by the federation.").says("Reason: unknown (77)");
}

#[tokio::test]
async fn a_record_that_is_dated_in_the_future_is_as_old_as_its_arrival_and_says_so() {
    let mut library = federation();
    let held = library.records.get_mut(&record_id(1)).unwrap();
    let provenance = held.view.provenance.as_mut().unwrap();
    provenance.signed_at_ms = NOW_MS + 50 * 365 * DAY_MS;
    provenance.received_at_ms = NOW_MS - 3 * DAY_MS - MINUTE_MS;
    held.versions.last_mut().unwrap().provenance = Some(provenance.clone());
    let library = Arc::new(library);
    let wrong = "dated in the future: its author’s clock is wrong";
    get(&library, &record(1)).await.says(wrong).says("2025-11-20 15:59 UTC");
    get(&library, "/member/kr-seoul").await.says(&format!("2025-11-20 · {wrong}")).says_nothing_of("2075-");
    get(&library, "/").await.says_nothing_of("just now <span class=\"badge\"");
}
