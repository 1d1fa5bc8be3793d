//! Claims about the files: what is downloaded is what an outsider can check.

use axum::http::Method;
use wego_proto::{
    armour::{self, Label},
    proof,
    roster::Roster,
    v1::{RecordProof, RosterChain, record::Kind},
};

use super::{ask, cities::federation, fixture, get, record, request};

#[tokio::test]
async fn the_two_files_prove_a_record_offline() {
    let proof = get(&format!("{}/proof.pem", record(1))).await;
    let roster = get("/roster.pem").await;
    assert_eq!((proof.status.as_u16(), roster.status.as_u16()), (200, 200));
    let chain: RosterChain = armour::read(Label::Roster, &roster.text).unwrap();
    let roster = Roster::open_chain(chain).unwrap().pop().unwrap();
    let proof: RecordProof = armour::read(Label::RecordProof, &proof.text).unwrap();
    let proven = proof::verify(&proof, &roster).unwrap();
    assert_eq!(proven.member.handle, "kr-seoul");
    assert!(matches!(proven.record.unwrap().kind, Some(Kind::Practice(_))));
}

#[tokio::test]
async fn the_files_are_saved_under_the_names_of_the_command() {
    let page = get(&record(1)).await;
    for (target, name) in [
        (format!("{}/proof.pem", record(1)), format!("wego-{}.pem", fixture::record_id(1))),
        ("/roster.pem".to_owned(), "wego-roster.pem".to_owned()),
    ] {
        let file = get(&target).await;
        assert_eq!(file.header("content-disposition"), format!("attachment; filename=\"{name}\""));
        assert_eq!(file.header("content-type"), "application/x-pem-file");
        page.says(&format!("href=\"{target}\" download=\"{name}\""));
    }
}

#[tokio::test]
async fn what_is_not_held_or_erased_has_no_proof() {
    for id in ["00", "ffffffffffffffffffffffffffffffff", "..%2f..%2fetc%2fpasswd", "%ff", "%00"] {
        assert_eq!(get(&format!("/record/{id}/proof.pem")).await.status, 404, "{id}");
    }
    let mut library = federation();
    library.records.get_mut(&fixture::record_id(1)).unwrap().view.record = None;
    let target = format!("{}/proof.pem", record(1));
    assert_eq!(ask(library, request(Method::GET, &target)).await.status, 410);
}
