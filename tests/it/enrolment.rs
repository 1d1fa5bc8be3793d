//! Cities that come with an invite: what they reach, why they are refused, and how one becomes a member.

use std::{ffi::OsString, path::Path};

use wego_node::{
    app::{Listeners, Node},
    commands,
    config::{Config, Environment, RawConfig},
    demo::founding::Seat,
};
use wego_proto::{invite::Invite, v1::InviteState};
use wego_tests::{
    Cluster, DEADLINE,
    client::Client,
    enrol::{admit, invite, invites},
    process::free_address,
    records::{practice, publish},
    until,
};

mod liars;
mod refusals;
mod secrets;
mod strangers;

struct Done {
    code: u8,
    out: String,
    err: String,
}

/// Runs `wego-node join` off the async threads, as it brings a runtime of its own.
async fn join(invite: &str, dir: &Path, more: &[&str]) -> Done {
    let mut args = vec!["wego-node", "join", invite, "--dir", dir.to_str().unwrap(), "--no-wait"];
    args.extend(more);
    let args: Vec<_> = args.into_iter().map(OsString::from).collect();
    let run = move || {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = commands::run(args, &mut out, &mut err).code();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Done { code, out: text(out), err: text(err) }
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// What the city says of itself, with addresses for its node.
fn leiden() -> Vec<String> {
    let (peers, clients) = (free_address().to_string(), free_address().to_string());
    let mut words = vec!["--handle", "nl-leiden", "--name", "nl=Leiden", "--country", "NL"];
    words.extend(["--portal", "off", "--endpoint", &peers, "--peers", &peers, "--clients", &clients]);
    words.into_iter().map(str::to_owned).collect()
}

/// The words on the screen: six of five letters.
fn words_in(text: &str) -> String {
    let is_spoken = |word: &&str| word.split('-').count() == 6 && word.split('-').all(|one| one.len() == 5);
    let mut words = text.split(|c: char| c != '-' && !c.is_alphanumeric());
    words.find(|word| is_spoken(word) && word.to_lowercase() == **word).unwrap().to_owned()
}

async fn start(dir: &Path) -> Node {
    let file = dir.join("wego-node.toml");
    let mut raw = RawConfig::load(&file, &Environment::new()).unwrap();
    raw.store.reserve_mib = 16;
    let config = Config::check(raw, &file).unwrap();
    let bind = tokio::net::TcpListener::bind;
    let listeners = Listeners {
        peers: bind(config.listen.peers).await.unwrap(),
        clients: bind(config.listen.clients).await.unwrap(),
        portal: None,
    };
    Node::start(&config, listeners).await.unwrap()
}

async fn state(seat: &Seat) -> InviteState {
    invites(seat).await[0].state()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_city_becomes_a_member_when_the_committee_signed_and_not_before() {
    let mut cluster = Cluster::start(3).await;
    let mut seoul = Client::of_profile(&cluster.seats[0].created.profile_dir).await.catalogue();
    seoul.publish(publish(practice("One number for everything"))).await.unwrap();
    let string = invite(&cluster.seats[0]).await;
    let dir = cluster.dir.path().join("leiden");
    let says = leiden();
    let says: Vec<_> = says.iter().map(String::as_str).collect();

    let waits = join(&string, &dir, &[&says[..], &["--json"]].concat()).await;
    assert_eq!(waits.code, 6, "{}", waits.err);
    assert!(waits.err.contains("not a member yet: 0 of 2 signatures"), "{}", waits.err);
    let told: serde_json::Value = serde_json::from_str(&waits.out).unwrap();
    assert_eq!((&told["state"], &told["needed"]), (&"waiting".into(), &2.into()));
    assert!(!dir.join("roster.pem").exists(), "an invite alone makes no member");
    let seen = invites(&cluster.seats[0]).await.remove(0);
    assert_eq!((seen.state(), seen.words.as_str()), (InviteState::Used, words_in(&waits.err).as_str()));
    assert_eq!(told["words"], seen.words);

    // Interrupted and run again, with nothing said about the city: the same folder, the same words.
    let again = join(&string, &dir, &[]).await;
    assert_eq!((again.code, words_in(&again.err)), (6, seen.words.clone()), "{}", again.err);

    cluster.down(0).await;
    admit(&cluster.seats, &seen.card.unwrap());
    cluster.up(0).await;
    let admitted = join(&string, &dir, &[]).await;
    assert_eq!(admitted.code, 0, "{}", admitted.err);
    assert_eq!(admitted.out, format!("{}/roster.pem\n", dir.display()));
    assert_eq!(state(&cluster.seats[0]).await, InviteState::Admitted);
    assert_eq!(join(&string, &dir, &[]).await.code, 0, "it is a member, however often it asks");

    let leiden = start(&dir).await;
    until("the new member has what the others have", || {
        leiden.reader().view().heads == cluster.node(0).reader().view().heads
            && !leiden.reader().view().heads.is_empty()
    })
    .await;
    until("it may write", || leiden.reader().status().writable).await;
    let profile = Client::of_profile(&dir.join("profile")).await;
    profile.catalogue().publish(publish(practice("Bridges that open by themselves"))).await.unwrap();
    let entries = leiden.reader().view().cursor.0;
    until("and they have what it publishes", || {
        cluster.running().all(|node| node.reader().view().cursor.0 == entries)
    })
    .await;
    leiden.stop().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_city_that_waits_is_told_when_the_committee_has_signed() {
    let mut cluster = Cluster::start(1).await;
    let string = invite(&cluster.seats[0]).await;
    let dir = cluster.dir.path().join("leiden");
    let says = leiden();
    let dir_text = dir.to_str().unwrap().to_owned();
    let mut args = vec!["wego-node", "join", &string, "--dir", &dir_text, "--every", "1"];
    args.extend(says.iter().map(String::as_str));
    let args: Vec<_> = args.into_iter().map(OsString::from).collect();
    let waiting = tokio::task::spawn_blocking(move || {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        (commands::run(args, &mut out, &mut err).code(), String::from_utf8(err).unwrap())
    });
    let used = async {
        loop {
            if let Some(card) = invites(&cluster.seats[0]).await.remove(0).card {
                break card;
            }
        }
    };
    let used = tokio::time::timeout(DEADLINE, used).await.expect("the invite is used");
    // The inviter's node is away for a moment: the city goes on trying.
    cluster.down(0).await;
    admit(&cluster.seats, &used);
    cluster.up(0).await;
    let (code, err) = tokio::time::timeout(DEADLINE, waiting).await.expect("told in time").unwrap();
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("is a member of Test federation"), "{err}");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_makes_nothing_and_spends_nothing() {
    let cluster = Cluster::start(1).await;
    let string = invite(&cluster.seats[0]).await;
    let dir = cluster.dir.path().join("leiden");
    let done = join(&string, &dir, &["--dry-run", "--json"]).await;
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("has the key that the invite names"), "{}", done.err);
    assert!(done.out.contains("\"state\": \"authenticated\""), "{}", done.out);
    assert!(!dir.exists());
    assert_eq!(state(&cluster.seats[0]).await, InviteState::Open);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invites_survive_a_restart_also_those_that_were_spent() {
    let mut cluster = Cluster::start(1).await;
    let open = invite(&cluster.seats[0]).await;
    let used = invite(&cluster.seats[0]).await;
    let stranger = wego_tests::enrol::Stranger::new("nl-leiden");
    stranger.join(&Invite::parse(&used).unwrap()).await.unwrap();
    let before = invites(&cluster.seats[0]).await;
    cluster.down(0).await;
    cluster.up(0).await;
    assert_eq!(invites(&cluster.seats[0]).await, before);
    let other = wego_tests::enrol::Stranger::new("nl-delft");
    other.join(&Invite::parse(&open).unwrap()).await.unwrap();
    cluster.stop().await;
}
