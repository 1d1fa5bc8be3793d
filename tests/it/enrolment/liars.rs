//! Inviters that lie. Whoever makes a string may say anything afterwards: a city believes what it can check.

use std::{path::PathBuf, sync::Arc};

use futures_util::stream;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_rustls::TlsAcceptor;
use tonic::{Request, Response, Status, transport::Server};
use wego_proto::{
    armour::{self, Label},
    id::InviteId,
    invite::{self, Invite, InviteSecret},
    pin,
    roster::Roster,
    v1::{
        self,
        enrolment_server::{Enrolment, EnrolmentServer},
        join_reply::Outcome,
        progress_reply::State,
    },
};
use wego_tests::{Cluster, enrol::admit_as, identity};

use super::{Done, join, leiden};

/// Says the same to everybody.
#[derive(Clone)]
struct Liar {
    joined: v1::JoinReply,
    progress: v1::ProgressReply,
}

#[tonic::async_trait]
impl Enrolment for Liar {
    async fn join(&self, _: Request<v1::JoinRequest>) -> Result<Response<v1::JoinReply>, Status> {
        Ok(Response::new(self.joined.clone()))
    }

    async fn progress(&self, _: Request<v1::ProgressRequest>) -> Result<Response<v1::ProgressReply>, Status> {
        Ok(Response::new(self.progress.clone()))
    }
}

/// Listens with a key of its own; its string and its task.
async fn host(liar: Liar, roster: &Roster) -> (String, JoinHandle<()>) {
    let own = identity::fresh();
    let key = identity::key_of(&own);
    let acceptor = TlsAcceptor::from(Arc::new(pin::join_server_config(own).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let invite = Invite {
        federation: invite::prefix_of(&roster.federation()),
        inviter: invite::key_hash(&key),
        id: InviteId::new([1; 8]),
        secret: InviteSecret::new([2; 16].into()),
        expires_s: u32::MAX,
        endpoint: listener.local_addr().unwrap().to_string(),
    };
    let connections = stream::unfold((listener, acceptor), |(listener, acceptor)| async move {
        let (tcp, _) = listener.accept().await.unwrap();
        Some((acceptor.accept(tcp).await, (listener, acceptor)))
    });
    let serving =
        Server::builder().add_service(EnrolmentServer::new(liar)).serve_with_incoming(Box::pin(connections));
    (invite.encode().to_string(), tokio::spawn(async move { serving.await.unwrap() }))
}

/// A federation's roster chain, and where a city's folder would be.
async fn scene() -> (Cluster, v1::RosterChain, Roster, PathBuf) {
    let cluster = Cluster::found(1).await;
    let text = std::fs::read_to_string(&cluster.seats[0].config.node.roster).unwrap();
    let chain: v1::RosterChain = armour::read(Label::Roster, &text).unwrap();
    let roster = Roster::open_chain(chain.clone()).unwrap().pop().unwrap();
    let dir = cluster.dir.path().join("leiden");
    (cluster, chain, roster, dir)
}

fn accepted(roster: &Roster, name: &str) -> v1::JoinReply {
    let federation_id = roster.federation().as_bytes().to_vec();
    let accepted = v1::JoinAccepted { federation_id, federation_name: name.to_owned() };
    v1::JoinReply { outcome: Some(Outcome::Accepted(accepted)) }
}

fn admitted(chain: v1::RosterChain, newest_version: u64) -> v1::ProgressReply {
    let admitted = v1::JoinAdmitted { chain: Some(chain), newest_version };
    v1::ProgressReply { state: Some(State::Admitted(admitted)) }
}

async fn told(liar: Liar, roster: &Roster, dir: &std::path::Path) -> Done {
    let (string, serving) = host(liar, roster).await;
    let says = leiden();
    let done = join(&string, dir, &says.iter().map(String::as_str).collect::<Vec<_>>()).await;
    serving.abort();
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn no_roster_is_taken_that_does_not_hold_or_does_not_have_the_city() {
    let (cluster, chain, roster, dir) = scene().await;
    let mut forged = chain.clone();
    forged.versions[0].signatures.clear();
    let other = Cluster::found(1).await;
    let text = std::fs::read_to_string(&other.seats[0].config.node.roster).unwrap();
    let elsewhere: v1::RosterChain = armour::read(Label::Roster, &text).unwrap();
    for (lie, newest, said) in [
        (chain, 1, "its roster does not have this city's keys"),
        (forged, 1, "the roster from the inviter's node does not hold"),
        (elsewhere, 1, "its roster is of another federation than the invite"),
        (v1::RosterChain::default(), 5, "its roster does not become complete"),
        (v1::RosterChain::default(), 0, "the roster from the inviter's node does not hold"),
    ] {
        let liar = Liar { joined: accepted(&roster, "Test"), progress: admitted(lie, newest) };
        let done = told(liar, &roster, &dir).await;
        assert_eq!(done.code, 7, "{said}: {}", done.err);
        assert!(done.err.contains(said), "{said}: {}", done.err);
        assert!(!dir.join("roster.pem").exists(), "{said}");
    }
    cluster.stop().await;
}

type Alter = fn(&mut v1::Member);

#[tokio::test(flavor = "multi_thread")]
async fn no_roster_is_taken_that_lets_somebody_else_be_the_city() {
    let (cluster, chain, roster, dir) = scene().await;
    let file = &cluster.seats[0].config.node.roster;
    let before = std::fs::read(file).unwrap();
    let waiting = v1::ProgressReply { state: Some(State::Waiting(v1::JoinWaiting::default())) };
    let asks = told(Liar { joined: accepted(&roster, "Test"), progress: waiting }, &roster, &dir).await;
    assert_eq!(asks.code, 6, "{}", asks.err);
    let card = std::fs::read_to_string(dir.join("member-card.pem")).unwrap();
    let card: v1::SignedMemberCard = armour::read(Label::MemberCard, &card).unwrap();
    let own: Alter = |member| member.place = "NLLID".to_owned();
    let altered: [(&str, Alter); 6] = [
        ("recovery digest", |member| member.recovery_digest = vec![7; 32]),
        ("next log key digest", |member| member.next_log_key_digest.clear()),
        ("transport key", |member| {
            member.transport_keys.push(identity::key_of(&identity::fresh()).as_bytes().to_vec());
        }),
        ("log key", |member| {
            let key = identity::key_of(&identity::fresh()).as_bytes().to_vec();
            let from = Some(v1::Position { epoch: 2, seq: 1 });
            member.log_keys.push(v1::LogKey { key_no: 2, key, from, ..Default::default() });
        }),
        ("city id", |member| member.city_id = vec![7; 32]),
        ("", own),
    ];
    for (what, alter) in altered {
        std::fs::write(file, &before).unwrap();
        admit_as(&cluster.seats, &card, alter);
        let text = std::fs::read_to_string(file).unwrap();
        let lie: v1::RosterChain = armour::read(Label::Roster, &text).unwrap();
        assert_eq!(lie.versions.len(), chain.versions.len() + 1);
        let liar = Liar { joined: accepted(&roster, "Test"), progress: admitted(lie, 2) };
        let done = told(liar, &roster, &dir).await;
        if what.is_empty() {
            assert_eq!(done.code, 0, "the committee may put a place right: {}", done.err);
            continue;
        }
        assert_eq!(done.code, 7, "{what}: {}", done.err);
        let said = format!("error: the roster has another {what} for this city than its member card");
        assert!(done.err.contains(&said), "{said}: {}", done.err);
        assert!(done.err.contains("do not start the node, and call the committee"), "{}", done.err);
        assert!(!dir.join("roster.pem").exists(), "{what}");
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_empty_of_another_federation_or_drives_the_terminal_does_nothing() {
    let (cluster, _, roster, dir) = scene().await;
    let waiting = v1::ProgressReply { state: Some(State::Waiting(v1::JoinWaiting::default())) };
    let mut elsewhere = accepted(&roster, "Test");
    if let Some(Outcome::Accepted(accepted)) = &mut elsewhere.outcome {
        accepted.federation_id = vec![7; 32];
    }
    for (joined, said) in [
        (v1::JoinReply::default(), "it is empty"),
        (elsewhere, "it names another federation than the invite"),
    ] {
        let done = told(Liar { joined, progress: waiting.clone() }, &roster, &dir).await;
        assert_eq!(done.code, 7, "{}", done.err);
        assert!(done.err.contains(said), "{said}: {}", done.err);
    }
    let liar = Liar { joined: accepted(&roster, "\u{1b}]0;pwn\u{7}Test"), progress: waiting };
    let done = told(liar, &roster, &dir).await;
    assert_eq!(done.code, 6, "{}", done.err);
    assert!(done.err.contains("Test") && !done.err.contains('\u{1b}'), "{:?}", done.err);
    cluster.stop().await;
}
