//! Real nodes in this process, for tests and benchmarks: founded as cities found them, joined over mutual TLS on
//! loopback. It waits for conditions with a deadline, never for a time.

#![allow(clippy::expect_used, reason = "a harness that cannot be set up fails its test")]

use std::time::{Duration, Instant};

use tempfile::TempDir;
use wego_node::{
    app::Node,
    demo::founding::{City, Plan, Portals, Seat, found},
    init::Committee,
};
use wego_proto::v1::MemberRole;

pub mod byzantine;
pub mod client;
pub mod enrol;
pub mod fuzz;
pub mod identity;
pub mod process;
pub mod raw;
pub mod records;
pub mod seeded;

/// How long a condition may take to come true before a test fails.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Some nodes of one federation.
#[derive(Debug)]
pub struct Cluster {
    /// Each member with its folder and configuration.
    pub seats: Vec<Seat>,
    nodes: Vec<Option<Node>>,
    /// Where their folders are; removed at the end.
    pub dir: TempDir,
}

impl Cluster {
    /// Founds a federation of `size` cities and starts all of them.
    pub async fn start(size: usize) -> Self {
        let mut cluster = Self::found(size).await;
        for n in 0..size {
            cluster.up(n).await;
        }
        cluster.writable().await;
        cluster
    }

    /// Founds a federation of `size` cities; none of them runs.
    pub async fn found(size: usize) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let plan = Plan {
            name: "Test federation".to_owned(),
            threshold: size as u32 / 2 + 1,
            cities: (1..=size).map(city).collect(),
            portals: Portals::Open,
            reserve_mib: 16,
        };
        let seats = found(dir.path(), &plan).await.expect("a federation can be founded");
        Self { nodes: seats.iter().map(|_| None).collect(), seats, dir }
    }

    /// Starts a node.
    pub async fn up(&mut self, n: usize) {
        let node = self.seats[n].start().await.expect("a node starts");
        self.nodes[n] = Some(node);
    }

    /// Stops a node in order.
    pub async fn down(&mut self, n: usize) {
        if let Some(node) = self.nodes[n].take() {
            node.stop().await;
        }
    }

    /// A running node.
    #[must_use]
    pub fn node(&self, n: usize) -> &Node {
        self.nodes[n].as_ref().expect("the node runs")
    }

    /// The running nodes.
    pub fn running(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().flatten()
    }

    /// Waits until every running node holds the same heads as node `n` and can read them.
    pub async fn converge(&self, n: usize) {
        until("all nodes hold the same", || {
            let want = self.node(n).reader().view().heads.clone();
            self.running().all(|node| node.reader().view().heads == want)
        })
        .await;
        for node in self.running() {
            node.reader().catch_up(DEADLINE).await;
        }
        until("everything is indexed", || {
            self.running().all(|node| node.reader().status().indexed_behind == 0)
        })
        .await;
    }

    /// Waits until every running node may write: each start first asks its peers for its own log.
    pub async fn writable(&self) {
        until("all nodes may write", || {
            self.running().all(|node| node.reader().view().not_writable.is_none())
        })
        .await;
    }

    /// Waits until node `n` has sessions with `sessions` peers.
    pub async fn connected(&self, n: usize, sessions: usize) {
        until("sessions are open", || self.node(n).reader().view().sessions.len() >= sessions).await;
    }

    /// Stops everything.
    pub async fn stop(mut self) {
        for n in 0..self.nodes.len() {
            self.down(n).await;
        }
    }
}

/// The `n`th city of a test federation.
#[must_use]
pub fn city(n: usize) -> City {
    City {
        handle: format!("city-{n}"),
        names: vec![("en".to_owned(), format!("City {n}"))],
        country: "KR".to_owned(),
        place: format!("KRC{n:02}"),
        role: MemberRole::Member,
        committee: Committee::Sits,
    }
}

/// Waits until `condition` holds.
///
/// # Panics
/// After [`DEADLINE`], naming `what`.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
