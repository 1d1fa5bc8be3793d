//! The audit log through its edges: every call that changes something has its event, whoever made it and however it
//! ended, and who touches the files is found out.

use std::{collections::BTreeSet, fs, path::Path};

use prost_types::FileDescriptorSet;
use tokio_stream::StreamExt as _;
use tonic::{Code, Request};
use wego_node::{demo::founding::Seat, operators::Role, rpc::roles::Effect};
use wego_proto::{
    prost::Message as _,
    v1::{self, audit_client::AuditClient},
};
use wego_tests::{
    Cluster,
    client::Client,
    identity,
    process::{Federation, Signal, call},
    raw,
    records::{practice, publish},
    until,
};

use super::roles::TABLE;

async fn events(admin: &Client) -> Vec<v1::AuditEvent> {
    let request = v1::ListAuditRequest { page_size: 1_000, ..Default::default() };
    let mut events = AuditClient::new(admin.channel()).list(request).await.unwrap().into_inner().events;
    events.reverse();
    events
}

async fn admin_of(seat: &Seat) -> Client {
    Client::of_profile(&seat.created.profile_dir).await
}

async fn client(seat: &Seat, identity: wego_proto::pin::Identity) -> tonic::transport::Channel {
    identity::connect(seat, &seat.config.listen.clients.to_string(), identity).await.unwrap()
}

fn action(path: &str) -> &str {
    path.strip_prefix("/wego.v1.").unwrap_or(path)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_method_that_changes_something_leaves_an_event_and_no_other_does() {
    let cluster = Cluster::start(1).await;
    let admin = admin_of(&cluster.seats[0]).await;
    let changing = TABLE.iter().filter(|(.., effect)| *effect != Effect::Reads);
    assert!(changing.clone().count() >= 5, "the table was not read");
    for (path, _, effect) in TABLE {
        let before = events(&admin).await.len();
        let _ = raw::call(&admin.channel(), path, Vec::new()).await;
        let after = events(&admin).await;
        let new = &after[before..];
        match effect {
            Effect::Reads => assert!(new.is_empty(), "{path}: {new:?}"),
            Effect::Changes => {
                assert!(!new.is_empty(), "{path}");
                // What lasts may not have its end written yet.
                assert!(new.iter().all(|event| event.action == action(path)), "{path}: {new:?}");
                assert!(new.iter().all(|event| !event.target.is_empty()), "{path} is about nothing: {new:?}");
            }
        }
    }
    cluster.stop().await;
}

/// The number of a field of a message in the .proto files.
fn field(message: &str, name: &str) -> Option<u32> {
    let files = FileDescriptorSet::decode(wego_proto::FILE_DESCRIPTOR_SET).unwrap().file;
    let messages = files.into_iter().flat_map(|file| file.message_type);
    let found = messages.into_iter().find(|found| found.name() == message)?;
    let field = found.field.iter().find(|field| field.name() == name)?;
    Some(field.number() as u32)
}

/// The name of the message that a method takes.
fn input(path: &str) -> String {
    let files = FileDescriptorSet::decode(wego_proto::FILE_DESCRIPTOR_SET).unwrap().file;
    let (service, method) = path.trim_start_matches("/wego.v1.").split_once('/').unwrap();
    let services = files.into_iter().flat_map(|file| file.service);
    let found = services.into_iter().find(|found| found.name() == service).unwrap();
    let method = found.method.iter().find(|found| found.name() == method).unwrap();
    method.input_type().rsplit('.').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_message_with_a_request_id_shows_it_and_each_dry_run_leaves_no_event() {
    let cluster = Cluster::start(1).await;
    let admin = admin_of(&cluster.seats[0]).await;
    let mut seen = (0, 0);
    for (path, _, effect) in TABLE.iter().filter(|(path, ..)| path.starts_with("/wego.v1.")) {
        let (message, before) = (input(path), events(&admin).await.len());
        let id = field(&message, "request_id").filter(|_| *effect == Effect::Changes);
        let rehearsal = field(&message, "dry_run");
        if let Some(id) = id {
            let bytes = [&[(id << 3 | 2) as u8, 16][..], &[7; 16]].concat();
            let _ = raw::call(&admin.channel(), path, bytes).await;
            let written = events(&admin).await;
            assert_eq!(written.last().unwrap().request_id, "07".repeat(16), "{path}");
            seen.0 += 1;
        }
        if let Some(rehearsal) = rehearsal {
            let before = before + usize::from(id.is_some());
            let _ = raw::call(&admin.channel(), path, vec![(rehearsal << 3) as u8, 1]).await;
            assert_eq!(events(&admin).await.len(), before, "{path}: a dry run changes nothing");
            seen.1 += 1;
        }
    }
    assert!(seen.0 >= 4 && seen.1 >= 6, "the .proto files were not read: {seen:?}");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_denied_is_in_it_once_and_counted_after_that() {
    let mut cluster = Cluster::found(1).await;
    let reader = identity::operator(&cluster.seats[0], "reads", Role::Reader);
    cluster.up(0).await;
    let seat = &cluster.seats[0];
    let admin = admin_of(seat).await;
    let stranger = identity::fresh();
    let key = identity::key_of(&stranger).fingerprint();
    for identity in [reader, stranger] {
        let channel = client(seat, identity).await;
        for (path, ..) in TABLE.iter().filter(|(.., effect)| *effect != Effect::Reads) {
            for _ in 0..20 {
                let refused = raw::call(&channel, path, Vec::new()).await.unwrap_err();
                assert_eq!(refused.code(), Code::PermissionDenied);
            }
        }
    }
    let written = events(&admin).await;
    assert!(written.iter().all(|event| event.result == "refused" && event.code == "PERMISSION_DENIED"));
    let of = |name: &str| written.iter().filter(|event| event.actor == name).collect::<Vec<_>>();
    let methods = TABLE.iter().filter(|(.., effect)| *effect != Effect::Reads).count();
    assert_eq!(of("reads").len(), methods * 20, "a person's calls are few");
    let strangers = of("");
    assert!(strangers.len() < methods, "a stranger's could be many: {}", strangers.len());
    let first = strangers.iter().min_by_key(|event| event.n).unwrap();
    assert!(first.key == key && first.role.is_empty(), "{first:?}");
    assert!(of("reads").iter().all(|event| event.role == "reader" && event.text.contains("reads")));
    cluster.down(0).await;
    cluster.up(0).await;
    let written = events(&admin_of(&cluster.seats[0]).await).await;
    let times: u64 = written.iter().filter(|event| event.actor.is_empty()).map(|event| event.times).sum();
    assert_eq!(times, methods as u64 * 20, "each of them is counted");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_says_who_did_what_to_what_and_why_in_any_language() {
    let cluster = Cluster::start(2).await;
    cluster.connected(0, 1).await;
    until("the node may write", || cluster.node(0).reader().view().not_writable.is_none()).await;
    let admin = admin_of(&cluster.seats[0]).await;
    let mut request = publish(practice("Kept"));
    let request_id = request.request_id.clone();
    let mut with_reason = Request::new(request.clone());
    let reason = tonic::metadata::MetadataValue::from_bytes("시장 요청\u{1b}[2J\n4711".as_bytes());
    with_reason.metadata_mut().insert_bin("wego-reason-bin", reason);
    let record_id = admin.catalogue().publish(with_reason).await.unwrap().into_inner().record_id;
    request.dry_run = true;
    admin.catalogue().publish(request).await.unwrap();
    let retract = v1::RetractRequest {
        request_id: vec![9; 16],
        record_id: record_id.clone(),
        reason: "published twice".to_owned(),
        dry_run: false,
    };
    admin.catalogue().retract(retract).await.unwrap();
    let peer = v1::AddPeerRequest { handle: "city-2".to_owned(), endpoint: String::new() };
    admin.admin().add_peer(peer).await.unwrap();

    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let events = events(&admin).await;
    let said: Vec<_> =
        events.iter().map(|e| [&e.action, &e.target, &e.reason, &e.result, &e.request_id]).collect();
    let record = format!("record {}", hex(&record_id));
    let (first, second) = (hex(&request_id), hex(&[9; 16]));
    assert_eq!(
        said,
        [
            ["Catalogue/Publish", &record, "시장 요청 [2J 4711", "ok", &first],
            ["Catalogue/Retract", &record, "published twice", "ok", &second],
            ["Admin/AddPeer", "peer city-2", "", "ok", ""],
        ],
        "a dry run changes nothing"
    );
    assert!(events.iter().all(|event| event.actor == "admin" && event.role == "admin" && event.via == "rpc"));
    assert!(events.iter().all(|event| event.key.len() == 35 && !event.time.is_empty()));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_record_of_a_stream_has_its_event_before_it_is_answered() {
    const RECORDS: usize = 300;
    let cluster = Cluster::start(1).await;
    let admin = admin_of(&cluster.seats[0]).await;
    let mut requests: Vec<_> = (0..RECORDS).map(|n| publish(practice(&format!("Practice {n}")))).collect();
    requests[7].record = None;
    let answers = admin.catalogue().publish_many(tokio_stream::iter(requests)).await.unwrap().into_inner();
    let answers: Vec<_> = answers.map(Result::unwrap).collect().await;
    let published: BTreeSet<_> = answers
        .iter()
        .filter_map(|answer| match answer.result.as_ref().unwrap() {
            v1::publish_many_reply::Result::Done(done) => Some(done.record_id.clone()),
            v1::publish_many_reply::Result::Refused(_) => None,
        })
        .map(|id| format!("record {}", id.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
        .collect();
    assert_eq!(published.len(), RECORDS - 1);
    let events = events(&admin).await;
    let targets = events.iter().filter(|event| event.result == "ok").map(|event| event.target.clone());
    assert_eq!(targets.collect::<BTreeSet<_>>(), published);
    let refused: Vec<_> = events.iter().filter(|event| event.result == "refused").collect();
    assert_eq!((refused.len(), refused[0].code.as_str()), (1, "INVALID_ARGUMENT"));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_begun_before_its_first_byte_and_has_an_end() {
    let cluster = Cluster::start(1).await;
    let admin = admin_of(&cluster.seats[0]).await;
    let mut backups = v1::backups_client::BackupsClient::new(admin.channel());
    let mut pieces = backups.create(v1::CreateBackupRequest {}).await.unwrap().into_inner();
    while pieces.message().await.unwrap().is_some() {}
    let written = events(&admin).await;
    let written: Vec<_> =
        written.iter().map(|event| (event.action.as_str(), event.result.as_str())).collect();
    assert_eq!(written, [("Backups/Create", "begun"), ("Backups/Create", "ok")]);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_before_the_answer_does_not_escape_it() {
    let cluster = Cluster::start(1).await;
    let seat = &cluster.seats[0];
    for n in 0..30 {
        let leaver = admin_of(seat).await;
        let mut catalogue = leaver.catalogue();
        let call = tokio::spawn(async move { catalogue.publish(publish(practice(&format!("{n}")))).await });
        // Whether the call, its change or its answer comes first is drawn by the machine.
        tokio::task::yield_now().await;
        call.abort();
        let _ = call.await;
    }
    let admin = admin_of(seat).await;
    admin.catalogue().publish(publish(practice("the last one"))).await.unwrap();
    cluster.node(0).reader().catch_up(wego_tests::DEADLINE).await;
    let records = v1::ListRequest { page_size: 1_000, ..Default::default() };
    let records = admin.catalogue().list(records).await.unwrap().into_inner().records;
    let mut named = BTreeSet::new();
    for event in events(&admin).await {
        // Refused, when it left before its message had come.
        if matches!(event.result.as_str(), "ok" | "unknown") {
            named.insert(event.target);
        }
    }
    for record in records {
        let id: String = record.record_id.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(named.contains(&format!("record {id}")), "record {id} was published by nobody: {named:?}");
    }
    cluster.stop().await;
}

fn files(dir: &Path) -> Vec<String> {
    let mut files: Vec<_> = fs::read_dir(dir.join("data/audit"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    files.sort();
    files
}

#[test]
fn a_killed_node_has_an_event_for_all_it_answered_and_its_log_holds() {
    let mut federation = Federation::found(&["kr-seoul"]);
    federation.sites[0].start();
    federation.sites[0].answers();
    let template = call(federation.dir.path(), "wego", &["practice", "template"]).ok();
    fs::write(federation.dir.path().join("bus.yaml"), template).unwrap();
    let mut ids = BTreeSet::new();
    for n in 0..6 {
        let published = federation.sites[0]
            .wego(&["practice", "publish", "--file", "bus.yaml", "--yes", "--json"])
            .json();
        ids.insert(format!("record {}", published["record_id"].as_str().unwrap()));
        if n % 2 == 1 {
            let _ = federation.sites[0].end(Signal::KILL);
            federation.sites[0].start();
            federation.sites[0].answers();
        }
    }
    let site = &federation.sites[0];
    let verified = site.wego(&["audit", "verify", "--json"]);
    assert_eq!(verified.code, Some(0), "{}{}", verified.out, verified.err);
    let listed = site.wego(&["audit", "list", "--action", "publish", "--json"]).json();
    let targets =
        listed["events"].as_array().unwrap().iter().map(|e| e["target"].as_str().unwrap().to_owned());
    assert_eq!(targets.collect::<BTreeSet<_>>(), ids);

    // Beside the running node, into the same chain.
    let config = site.config();
    let add = ["operator", "add", "--name", "awa", "--role", "reader", "--out", "awa", "--yes", "--config"];
    let _ = call(federation.dir.path(), "wego-node", &[&add[..], &[config.to_str().unwrap()]].concat()).ok();
    let peer = site.wego(&["peer", "add", "nobody", "--audit-reason", "after the command"]);
    assert_eq!(peer.code, Some(9), "{}", peer.err);
    let listed = site.wego(&["audit", "list", "--limit", "3", "--json"]).json();
    let actions: Vec<_> =
        listed["events"].as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["Admin/AddPeer", "operator add", "operator add"]);
    assert_eq!(site.wego(&["audit", "verify"]).code, Some(0));

    // Anybody with the files and the roster.
    let verify = [&["audit", "verify", "--roster", "roster.pem", "--member", "kr-seoul"][..]].concat();
    let offline = |site: &wego_tests::process::Site| {
        let files = files(&site.dir);
        let files: Vec<_> = files.iter().map(String::as_str).collect();
        call(federation.dir.path(), "wego", &[&verify[..], &files].concat())
    };
    assert_eq!(offline(site).code, Some(0), "{}", offline(site).err);

    // Somebody takes the newest events away, from under the running node.
    let file = files(&site.dir).pop().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let shorter: String = text.lines().take(4).map(|line| format!("{line}\n")).collect();
    fs::write(&file, &shorter).unwrap();
    assert_eq!(offline(site).code, Some(0), "the lines alone do not tell");
    let found = site.wego(&["audit", "verify"]);
    assert_eq!(found.code, Some(7), "{}{}", found.out, found.err);
    let _ = federation.sites[0].end(Signal::KILL);
    federation.sites[0].start();
    federation.sites[0].answers();
    let site = &federation.sites[0];
    assert_eq!(site.wego(&["audit", "verify"]).code, Some(7), "nor by a restart");
    assert_eq!(site.wego(&["peer", "add", "nobody"]).code, Some(9), "the log goes on");
    let found = offline(site);
    assert_eq!(found.code, Some(7), "the gap shows for ever: {}", found.out);
    assert!(found.err.contains("stands where event 5 must stand"), "{}", found.err);
}
