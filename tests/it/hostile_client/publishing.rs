//! Records and requests that are not what they must be.

use std::time::Duration;

use tonic::Code;
use wego_proto::{
    prost::Message as _,
    v1::{self, Outcome, publish_many_reply::Result as Answer},
};
use wego_tests::{
    Cluster,
    client::Client,
    raw,
    records::{english, practice, publish},
};

use super::{altered, entries, one_node, refused};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_record_is_named_by_its_path_and_nothing_is_written() {
    let (cluster, client) = one_node().await;
    type Alter = fn(&mut wego_proto::record::v1::Practice);
    let cases: [(&str, Alter); 12] = [
        ("core", |p| p.core = None),
        ("core.title", |p| p.core.as_mut().unwrap().title.clear()),
        ("core.summary", |p| p.core.as_mut().unwrap().summary.clear()),
        ("core.topics", |p| p.core.as_mut().unwrap().topics.clear()),
        ("core.jurisdiction", |p| p.core.as_mut().unwrap().jurisdiction = None),
        ("core.licence", |p| p.core.as_mut().unwrap().licence.clear()),
        ("problem", |p| p.problem.clear()),
        ("approach", |p| p.approach.clear()),
        ("owner_organisation", |p| p.owner_organisation.clear()),
        ("started_year", |p| p.started_year = 0),
        ("core.title[0].text", |p| p.core.as_mut().unwrap().title = english("bell\u{7} and \u{1b}[31m")),
        ("core.title[0].text", |p| p.core.as_mut().unwrap().title = english(&"x".repeat(301))),
    ];
    for (path, alter) in cases {
        let answer = client.catalogue().publish(altered(alter)).await;
        refused(path, answer, Code::InvalidArgument, &format!("\n  {path} "));
    }
    let nothing = v1::PublishRequest { record: None, ..publish(practice("")) };
    refused(
        "no record",
        client.catalogue().publish(nothing).await,
        Code::InvalidArgument,
        "record is missing",
    );
    let no_kind = publish(v1::Record { kind: None });
    refused("no kind", client.catalogue().publish(no_kind).await, Code::InvalidArgument, "record is missing");
    assert_eq!(entries(&cluster), 0);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_with_more_faults_than_fit_an_answer_is_answered_all_the_same() {
    let (cluster, client) = one_node().await;
    let long = |p: &mut wego_proto::record::v1::Practice| {
        p.solution_ids = vec!["\u{7}서울".repeat(40); 50];
        p.org_ids = p.solution_ids.clone();
        p.core.as_mut().unwrap().keywords = vec!["\u{1}"; 50].into_iter().map(str::to_owned).collect();
    };
    let answer = client.catalogue().publish(altered(long)).await;
    refused("many faults", answer, Code::InvalidArgument, "core.keywords[0]");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_at_the_bound_it_breaks() {
    let (cluster, client) = one_node().await;
    let text = "x".repeat(60_000);
    let large = |p: &mut wego_proto::record::v1::Practice| {
        for field in [&mut p.problem, &mut p.approach, &mut p.results, &mut p.what_failed, &mut p.conditions]
        {
            *field = english(&text);
        }
    };
    let answer = client.catalogue().publish(altered(large)).await;
    refused("more than an entry may carry", answer, Code::InvalidArgument, "262144");
    let huge = publish(practice(&"x".repeat(1_100_000)));
    refused(
        "more than a request may have",
        client.catalogue().publish(huge).await,
        Code::OutOfRange,
        "limit",
    );
    let reason = v1::RetractRequest {
        request_id: vec![1; 16],
        record_id: vec![1; 16],
        reason: "x".repeat(1_001),
        dry_run: false,
    };
    refused("a long reason", client.catalogue().retract(reason).await, Code::InvalidArgument, "reason");
    let query = v1::SearchRequest { query: "x".repeat(1_001), ..Default::default() };
    refused("a long query", client.search().search(query).await, Code::InvalidArgument, "1000");
    assert_eq!(entries(&cluster), 0);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_a_wrong_length_are_refused_everywhere() {
    let (cluster, client) = one_node().await;
    let catalogue = || client.catalogue();
    for len in [0, 1, 15, 17, 4_096] {
        let id = vec![7; len];
        let what = format!("{len} bytes");
        let request = v1::PublishRequest { request_id: id.clone(), ..publish(practice("One")) };
        refused(&what, catalogue().publish(request).await, Code::InvalidArgument, "request id");
        let read = v1::ReadRequest { record_id: id.clone() };
        refused(&what, catalogue().read(read.clone()).await, Code::InvalidArgument, "record id");
        refused(&what, catalogue().history(read.clone()).await, Code::InvalidArgument, "record id");
        refused(&what, catalogue().export(read).await, Code::InvalidArgument, "record id");
        let retract =
            v1::RetractRequest { record_id: id.clone(), request_id: vec![1; 16], ..Default::default() };
        refused(&what, catalogue().retract(retract).await, Code::InvalidArgument, "record id");
        if len > 0 {
            let request = v1::PublishRequest { record_id: id.clone(), ..publish(practice("One")) };
            refused(&what, catalogue().publish(request).await, Code::InvalidArgument, "record id");
            let request = v1::PublishRequest { expected_base: id, ..publish(practice("One")) };
            refused(&what, catalogue().publish(request).await, Code::InvalidArgument, "expected_base");
        }
    }
    let token = v1::ListRequest { page_token: "../../etc/passwd".to_owned(), ..Default::default() };
    refused("a page token", catalogue().list(token).await, Code::InvalidArgument, "page token");
    let unknown = v1::ReadRequest { record_id: vec![7; 16] };
    refused("an unknown record", catalogue().read(unknown).await, Code::NotFound, "no record");
    assert_eq!(entries(&cluster), 0);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_request_are_refused_and_the_connection_goes_on() {
    let (cluster, client) = one_node().await;
    for bytes in [vec![0xff; 40], vec![0x1a, 0x7f, 1], b"GET / HTTP/1.1".to_vec()] {
        let answer = raw::call(&client.channel(), "/wego.v1.Catalogue/Publish", bytes).await;
        assert_eq!(answer.unwrap_err().code(), Code::Internal);
    }
    client.catalogue().publish(publish(practice("After"))).await.unwrap();
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_id_yields_one_entry_also_after_a_restart() {
    let (mut cluster, client) = one_node().await;
    let request = publish(practice("Once"));
    let first = client.catalogue().publish(request.clone()).await.unwrap().into_inner();
    let other = v1::PublishRequest { request_id: request.request_id.clone(), ..publish(practice("Other")) };
    let mut at_once = Vec::new();
    for _ in 0..8 {
        let (mut catalogue, request) = (client.catalogue(), request.clone());
        at_once.push(tokio::spawn(async move { catalogue.publish(request).await.unwrap().into_inner() }));
    }
    for again in at_once {
        assert_eq!(again.await.unwrap(), first);
    }
    let retract = v1::RetractRequest {
        request_id: vec![9; 16],
        record_id: first.record_id.clone(),
        reason: "Over".to_owned(),
        dry_run: false,
    };
    let retracted = client.catalogue().retract(retract.clone()).await.unwrap().into_inner();
    assert_eq!(retracted.outcome(), Outcome::Retracted);
    for round in ["before", "after"] {
        let client = Client::of_profile(&cluster.seats[0].created.profile_dir).await;
        let again = client.catalogue().publish(request.clone()).await.unwrap().into_inner();
        assert_eq!(again, first, "{round} the restart");
        let replayed = client.catalogue().publish(other.clone()).await.unwrap().into_inner();
        assert_eq!(replayed.entry_hash, first.entry_hash, "another record under the same id, {round}");
        let again = client.catalogue().retract(retract.clone()).await.unwrap().into_inner();
        assert_eq!((again.at, again.entry_hash), (retracted.at, retracted.entry_hash.clone()), "{round}");
        cluster.down(0).await;
        cluster.up(0).await;
    }
    assert_eq!(entries(&cluster), 2);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_edits_an_old_version_is_told_and_the_newer_one_stays() {
    let (cluster, client) = one_node().await;
    let first = client.catalogue().publish(publish(practice("First"))).await.unwrap().into_inner();
    let revise = |title: &str, base: &[u8]| v1::PublishRequest {
        record_id: first.record_id.clone(),
        expected_base: base.to_vec(),
        must_exist: true,
        ..publish(practice(title))
    };
    let second = client.catalogue().publish(revise("Second", &first.entry_hash)).await.unwrap().into_inner();
    assert_eq!(second.outcome(), Outcome::Revised);
    let late = client.catalogue().publish(revise("Third", &first.entry_hash)).await;
    refused("an old base", late, Code::FailedPrecondition, "hint:");
    let nobody = v1::PublishRequest { record_id: vec![3; 16], ..revise("Nobody", &[]) };
    refused("no such record", client.catalogue().publish(nobody).await, Code::NotFound, "hint:");
    let read = v1::ReadRequest { record_id: first.record_id.clone() };
    let view = client.catalogue().read(read).await.unwrap().into_inner();
    assert_eq!((view.versions, view.provenance.unwrap().entry_hash), (2, second.entry_hash));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_owner_changes_or_withdraws_a_record() {
    let cluster = Cluster::start(2).await;
    let owner = Client::of_profile(&cluster.seats[0].created.profile_dir).await;
    let other = Client::of_profile(&cluster.seats[1].created.profile_dir).await;
    let record_id =
        owner.catalogue().publish(publish(practice("Mine"))).await.unwrap().into_inner().record_id;
    cluster.converge(0).await;
    let retract = v1::RetractRequest {
        request_id: vec![1; 16],
        record_id: record_id.clone(),
        reason: String::new(),
        dry_run: false,
    };
    refused("withdraw", other.catalogue().retract(retract).await, Code::FailedPrecondition, "owner");
    let revise = v1::PublishRequest { record_id: record_id.clone(), ..publish(practice("Yours")) };
    refused("revise", other.catalogue().publish(revise).await, Code::FailedPrecondition, "owner");
    let view = owner.catalogue().read(v1::ReadRequest { record_id }).await.unwrap().into_inner();
    assert_eq!((view.versions, view.retracted), (1, false));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_record_in_a_stream_is_answered_in_its_place_and_the_good_ones_are_written() {
    let (cluster, client) = one_node().await;
    let mut requests: Vec<_> = (0..200).map(|n| publish(practice(&format!("Practice {n}")))).collect();
    for n in [0, 77, 199] {
        requests[n] = altered(|p| p.problem.clear());
    }
    requests[100] = v1::PublishRequest { request_id: vec![1], ..publish(practice("A short id")) };
    requests[150] = requests[149].clone();
    let sent = tokio_stream::iter(requests);
    let mut answers = client.catalogue().publish_many(sent).await.unwrap().into_inner();
    let mut hashes = Vec::new();
    for n in 0..200 {
        let answer = tokio::time::timeout(Duration::from_secs(60), answers.message()).await.unwrap().unwrap();
        match answer.and_then(|answer| answer.result) {
            Some(Answer::Done(done)) => {
                assert!(![0, 77, 100, 199].contains(&n), "{n}");
                hashes.push(done.entry_hash);
            }
            Some(Answer::Refused(refusal)) => {
                assert!([0, 77, 100, 199].contains(&n), "{n}: {}", refusal.message);
                assert_eq!(refusal.code, Code::InvalidArgument as u32);
            }
            None => panic!("the stream ended at {n}"),
        }
    }
    assert!(answers.message().await.unwrap().is_none());
    hashes.dedup();
    assert_eq!((hashes.len(), entries(&cluster)), (195, 195), "one of them was sent twice");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_of_a_later_version_does_not_get_in_the_way() {
    let (cluster, client) = one_node().await;
    let mut bytes = publish(practice("From the future")).encode_to_vec();
    bytes.extend([0xfa, 0x7d, 3, 1, 2, 3]);
    let answer = raw::call(&client.channel(), "/wego.v1.Catalogue/Publish", bytes).await.unwrap().unwrap();
    assert_eq!(v1::PublishReply::decode(answer.as_slice()).unwrap().outcome(), Outcome::Created);
    cluster.stop().await;
}
