//! A node that is killed in the middle of publishing: what it acknowledged stays, and it never signs two histories.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use wego_proto::v1::{self, catalogue_client::CatalogueClient};
use wego_tests::{
    client::Client,
    process::{Federation, Signal},
    records::practice,
    seeded::Seeded,
};

/// How often the node is killed.
const ROUNDS: u32 = 12;
/// A client has this many requests on their way: the kill meets some before, some amid and some after their sync.
const IN_FLIGHT: u64 = 16;
/// Longest life of a node in a round, from its first acknowledgement on.
const LIFE_MS_MAX: u64 = 400;

type Position = (u32, u64);
type Catalogue = CatalogueClient<tonic::transport::Channel>;

/// What a client was told, and what anybody ever saw.
#[derive(Default)]
struct Memory {
    /// Position and hash of each acknowledged request, by the number it was made from.
    acknowledged: BTreeMap<u64, (Position, Vec<u8>)>,
    /// Requests without an answer: they are sent again.
    unanswered: Vec<u64>,
    /// The hash at each position of the log, whoever told it.
    seen: BTreeMap<Position, Vec<u8>>,
    /// The next number to make a request from.
    next: u64,
}

impl Memory {
    /// Fails when one position has two hashes: the node signed two histories.
    fn see(&mut self, at: Position, hash: Vec<u8>, who: &str) {
        let before = self.seen.entry(at).or_insert_with(|| hash.clone());
        assert_eq!(*before, hash, "{who} has another entry at {at:?}: the node forked itself");
    }

    fn acknowledge(&mut self, number: u64, reply: v1::PublishReply) {
        let at = position(reply.at);
        self.see(at, reply.entry_hash.clone(), "an acknowledgement");
        let before = self.acknowledged.insert(number, (at, reply.entry_hash.clone()));
        if let Some(before) = before {
            assert_eq!(before, (at, reply.entry_hash), "request {number} was answered differently again");
        }
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9_and_a_retry_yields_one_entry() {
    let mut random = Seeded::drawn();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut federation = Federation::start(&["kr-seoul", "fr-paris"]);
    let mut memory = Memory::default();
    let mut cut_short = 0;
    for round in 0..ROUNDS {
        let alive = Duration::from_millis(random.below(LIFE_MS_MAX));
        publish_until_killed(&runtime, &mut federation, &mut memory, alive);
        cut_short += memory.unanswered.len();
        look_at_peer(&runtime, &federation, &mut memory);
        federation.sites[0].start();
        federation.sites[0].answers();
        runtime.block_on(check(&federation, &mut memory, round));
    }
    println!("{} acknowledged, {cut_short} cut short", memory.acknowledged.len());
    assert!(cut_short > 0, "no kill met a request on its way: the test claims nothing");
    assert!(memory.acknowledged.len() > 100, "too little was published to claim anything");

    federation.is_well();
    federation.converge(0);
    let published = memory.next;
    for site in &federation.sites {
        let status = site.wego(&["status", "--json"]).json();
        assert_eq!(status["entries"].as_u64(), Some(published), "one entry for each request: {status}");
    }
    look_at_peer(&runtime, &federation, &mut memory);
    assert_eq!(memory.seen.len() as u64, published);
    let members = federation.sites[1].wego(&["member", "list", "--json"]).json();
    assert!(members["members"].as_array().unwrap().iter().all(|m| m["forked"] == false), "{members}");
}

/// Publishes over [`IN_FLIGHT`] calls at a time; kills the node `alive` after its first acknowledgement.
fn publish_until_killed(
    runtime: &tokio::runtime::Runtime,
    federation: &mut Federation,
    memory: &mut Memory,
    alive: Duration,
) {
    let client = runtime.block_on(Client::of_profile(&federation.sites[0].profile()));
    let (answers, heard) = std::sync::mpsc::channel();
    let mut callers = Vec::new();
    for caller in 0..IN_FLIGHT {
        let (mut catalogue, answers) = (client.catalogue(), answers.clone());
        let first = memory.next + caller;
        callers.push(runtime.spawn(async move {
            let mut number = first;
            loop {
                let answer = catalogue.publish(request(number)).await.map(tonic::Response::into_inner);
                let broke = answer.is_err();
                let _ = answers.send((number, answer));
                if broke {
                    return;
                }
                number += IN_FLIGHT;
            }
        }));
    }
    drop(answers);
    let mut highest = memory.next;
    let mut kill_at = None;
    let mut numbers = Vec::new();
    // Ends when every caller has met the kill.
    loop {
        let wait = kill_at
            .map_or(Duration::from_secs(60), |at: Instant| at.saturating_duration_since(Instant::now()));
        match heard.recv_timeout(wait) {
            Ok((number, answer)) => {
                numbers.push(number);
                highest = highest.max(number);
                match answer {
                    Ok(reply) => {
                        kill_at.get_or_insert_with(|| Instant::now() + alive);
                        memory.acknowledge(number, reply);
                    }
                    Err(status) => {
                        assert!(federation.sites[0].daemon.is_none(), "refused by a living node: {status}");
                        memory.unanswered.push(number);
                    }
                }
            }
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) if federation.sites[0].daemon.is_some() => {
                let ended = federation.sites[0].end(Signal::KILL);
                assert!(!ended.success());
                kill_at = None;
            }
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("calls to a dead node do not end"),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    // Numbers that no caller reached are requests too: the check sends them for the first time.
    memory.unanswered.extend((memory.next..=highest).filter(|number| !numbers.contains(number)));
    memory.next = highest + 1;
    for caller in callers {
        runtime.block_on(caller).unwrap();
    }
}

/// After a restart: every acknowledged entry is there, and every request that was cut short yields one entry.
async fn check(federation: &Federation, memory: &mut Memory, round: u32) {
    let client = Client::of_profile(&federation.sites[0].profile()).await;
    let mut catalogue = client.catalogue();
    writes(&client).await;
    let held = listed(&client).await;
    for (at, hash) in &held {
        memory.see(*at, hash.clone(), "the restarted node");
    }
    for (number, (at, hash)) in &memory.acknowledged {
        assert_eq!(held.get(at), Some(hash), "round {round}: request {number} was acknowledged and is gone");
    }
    for number in std::mem::take(&mut memory.unanswered) {
        let first = publish(&mut catalogue, number).await;
        let again = publish(&mut catalogue, number).await;
        assert_eq!(first, again, "round {round}: a request id yields one entry");
        memory.acknowledge(number, again);
    }
    // An acknowledged request that is sent again is told the same.
    if let Some((number, (at, hash))) = memory.acknowledged.iter().next() {
        let again = publish(&mut catalogue, *number).await;
        assert_eq!((position(again.at), &again.entry_hash), (*at, hash));
    }
}

/// Waits until the restarted node has asked its peer for its own log.
async fn writes(client: &Client) {
    let begun = Instant::now();
    while !client.admin().status(v1::StatusRequest {}).await.unwrap().into_inner().writable {
        assert!(begun.elapsed() < wego_tests::DEADLINE, "the node may not write");
    }
}

/// What the restarted node lists, once its list has caught up with its log.
async fn listed(client: &Client) -> BTreeMap<Position, Vec<u8>> {
    let begun = Instant::now();
    loop {
        let status = client.admin().status(v1::StatusRequest {}).await.unwrap().into_inner();
        let held = held(&mut client.catalogue()).await;
        if held.len() as u64 >= status.own_head.map_or(0, |head| head.seq) {
            return held;
        }
        assert!(begun.elapsed() < wego_tests::DEADLINE, "the list does not catch up with the log");
    }
}

/// What the other node holds of the killed one's log.
fn look_at_peer(runtime: &tokio::runtime::Runtime, federation: &Federation, memory: &mut Memory) {
    let held = runtime.block_on(async {
        held(&mut Client::of_profile(&federation.sites[1].profile()).await.catalogue()).await
    });
    for (at, hash) in held {
        memory.see(at, hash, "the peer");
    }
}

/// Position and hash of every record of the published log, as a node lists them.
async fn held(catalogue: &mut Catalogue) -> BTreeMap<Position, Vec<u8>> {
    let (mut held, mut page_token) = (BTreeMap::new(), String::new());
    loop {
        let handle = "kr-seoul".to_owned();
        let page = v1::ListRequest { handle, page_size: 1_000, page_token, ..Default::default() };
        let page = catalogue.list(page).await.unwrap().into_inner();
        for record in page.records {
            let twice = held.insert(position(record.at), record.entry_hash);
            assert_eq!(twice, None, "two records at one position");
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return held;
        }
    }
}

async fn publish(catalogue: &mut Catalogue, number: u64) -> v1::PublishReply {
    catalogue.publish(request(number)).await.unwrap().into_inner()
}

/// The same number gives the same request, its id included.
fn request(number: u64) -> v1::PublishRequest {
    let mut request_id = vec![7; 8];
    request_id.extend(number.to_be_bytes());
    let record = practice(&format!("Practice {number}"));
    v1::PublishRequest { request_id, record: Some(record), ..Default::default() }
}

fn position(at: Option<v1::Position>) -> Position {
    let at = at.unwrap();
    (at.epoch, at.seq)
}
