//! The nine cities with their folders, nodes and clerks. Starts, stops and watches; tells nothing.

use std::{
    future::Future,
    path::Path,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};
use wego_proto::{
    armour::{self, Label},
    id::Origin,
    roster::Roster,
    v1,
};

use super::{
    cities::{self, Founder},
    client::Client,
    error::DemoError,
    founding::{FoundingError, Seat, found},
};
use crate::app::Node;

/// Whatever is waited for is there within this time, or the story ends with an error.
pub(super) const DEADLINE: Duration = Duration::from_secs(60);
/// Between two looks at a value in memory.
pub(super) const GLANCE: Duration = Duration::from_millis(1);
/// Between two questions about sessions.
const LOOK: Duration = Duration::from_millis(20);
/// All nodes stop within their drain time, or the process ends without them.
const STOP_WITHIN: Duration = Duration::from_secs(60);

/// The founding cities.
pub(super) struct Federation {
    seats: Vec<Seat>,
    nodes: Vec<Option<Node>>,
    clients: Vec<Option<Client>>,
    roster: Roster,
}

impl std::fmt::Debug for Federation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Federation").field("cities", &self.seats.len()).finish_non_exhaustive()
    }
}

impl Federation {
    /// Makes every folder in `dir` and signs the roster; no node runs.
    pub(super) async fn found(dir: &Path) -> Result<Self, DemoError> {
        let seats = found(dir, &cities::plan()).await?;
        let roster = roster_of(&seats[Founder::Seoul.index()])?;
        let nodes = seats.iter().map(|_| None).collect();
        let clients = seats.iter().map(|_| None).collect();
        Ok(Self { seats, nodes, clients, roster })
    }

    /// The roster that was signed.
    pub(super) fn roster(&self) -> &Roster {
        &self.roster
    }

    pub(super) fn seat(&self, city: Founder) -> &Seat {
        &self.seats[city.index()]
    }

    /// The cities whose nodes run.
    pub(super) fn running(&self) -> Vec<Founder> {
        Founder::ALL.into_iter().filter(|city| self.nodes[city.index()].is_some()).collect()
    }

    /// A node that runs.
    pub(super) fn node(&self, city: Founder) -> Result<&Node, DemoError> {
        self.nodes[city.index()].as_ref().ok_or_else(|| down(city))
    }

    /// The clerk of a city whose node runs.
    pub(super) fn client(&self, city: Founder) -> Result<&Client, DemoError> {
        self.clients[city.index()].as_ref().ok_or_else(|| down(city))
    }

    /// Starts all nodes at once.
    pub(super) async fn start_all(&mut self) -> Result<(), DemoError> {
        let started = within("nine nodes start", join_all(self.seats.iter_mut().map(Seat::start))).await?;
        let mut failed = None;
        // Those that did start are kept, so that they can be stopped.
        for (place, node) in self.nodes.iter_mut().zip(started) {
            match node {
                Ok(node) => *place = Some(node),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) => Err(error.into()),
            None => self.connect_all().await,
        }
    }

    async fn connect_all(&mut self) -> Result<(), DemoError> {
        for city in Founder::ALL {
            self.connect(city).await?;
        }
        Ok(())
    }

    async fn connect(&mut self, city: Founder) -> Result<(), DemoError> {
        let client = Client::connect(city, &self.seat(city).created.profile_dir).await?;
        self.clients[city.index()] = Some(client);
        Ok(())
    }

    /// Starts a node that was stopped.
    pub(super) async fn up(&mut self, city: Founder) -> Result<(), DemoError> {
        let node = within("a node starts", self.seats[city.index()].start()).await??;
        self.nodes[city.index()] = Some(node);
        self.connect(city).await
    }

    /// Stops a node in order, and makes sure that nobody answers there.
    pub(super) async fn down(&mut self, city: Founder) -> Result<(), DemoError> {
        self.clients[city.index()] = None;
        if let Some(node) = self.nodes[city.index()].take() {
            within("a node stops", node.stop()).await?;
        }
        // Told only when nobody answers there.
        let knocked = TcpStream::connect(self.seat(city).config.listen.peers).await;
        let untrue = DemoError::Untrue { at: city.handle(), claim: "a node that was stopped is silent" };
        if knocked.is_err() { Ok(()) } else { Err(untrue) }
    }

    /// Waits until every running node has a session with every other; the number of sessions.
    pub(super) async fn meshed(&self) -> Result<usize, DemoError> {
        let begun = Instant::now();
        let running = self.running();
        loop {
            let mut ends = 0;
            for city in &running {
                ends += connected(&self.client(*city)?.peers().await?);
            }
            if ends == running.len() * (running.len() - 1) {
                // Each session has two ends.
                return Ok(ends / 2);
            }
            patient(begun, "a session between every two nodes")?;
            sleep(LOOK).await;
        }
    }

    /// Waits until a node has a session with anybody.
    pub(super) async fn met(&self, city: Founder) -> Result<(), DemoError> {
        let begun = Instant::now();
        while self.node(city)?.reader().view().sessions.is_empty() {
            patient(begun, "a session with any peer")?;
            sleep(GLANCE).await;
        }
        Ok(())
    }

    /// Waits until a node has noticed that another is gone.
    pub(super) async fn parted(&self, city: Founder, gone: Founder) -> Result<(), DemoError> {
        let begun = Instant::now();
        let origin = self.origin(gone)?;
        while self.node(city)?.reader().view().sessions.contains_key(&origin) {
            patient(begun, "the end of a session")?;
            sleep(GLANCE).await;
        }
        Ok(())
    }

    /// A city as the roster numbers it.
    pub(super) fn origin(&self, city: Founder) -> Result<Origin, DemoError> {
        let member = self.roster.member_by_handle(city.handle());
        let untrue = DemoError::Untrue { at: city.handle(), claim: "it is in the roster" };
        member.map(|member| member.origin).ok_or(untrue)
    }

    /// Waits until a node knows of every other member that it holds all of that member's records.
    pub(super) async fn current(&self, city: Founder) -> Result<(), DemoError> {
        let begun = Instant::now();
        let reader = self.node(city)?.reader();
        while reader.view().seen_ms.len() + 1 < Founder::ALL.len() {
            patient(begun, "every city's data confirmed current")?;
            sleep(GLANCE).await;
        }
        Ok(())
    }

    /// Stops whatever runs.
    pub(super) async fn stop(&mut self) {
        self.clients.fill(None);
        let stopping = self.nodes.iter_mut().filter_map(Option::take).map(Node::stop);
        // What does not stop in time ends with the process.
        let _ = timeout(STOP_WITHIN, join_all(stopping)).await;
    }
}

/// Fails when `begun` is longer ago than anything takes.
pub(super) fn patient(begun: Instant, what: &'static str) -> Result<(), DemoError> {
    if begun.elapsed() < DEADLINE { Ok(()) } else { Err(DemoError::Late { what, within: DEADLINE }) }
}

async fn within<T>(what: &'static str, doing: impl Future<Output = T>) -> Result<T, DemoError> {
    timeout(DEADLINE, doing).await.map_err(|_| DemoError::Late { what, within: DEADLINE })
}

fn connected(peers: &[v1::PeerView]) -> usize {
    peers.iter().filter(|peer| peer.state() == v1::PeerState::Connected).count()
}

fn down(city: Founder) -> DemoError {
    DemoError::Untrue { at: city.handle(), claim: "its node runs" }
}

fn roster_of(seat: &Seat) -> Result<Roster, DemoError> {
    let path = &seat.config.node.roster;
    let read = std::fs::read_to_string(path)
        .map_err(|source| FoundingError::Io { what: "reading the roster", source })?;
    let chain: v1::RosterChain = armour::read(Label::Roster, &read).map_err(FoundingError::Armour)?;
    let untrue = DemoError::Untrue { at: "the founding", claim: "there is a roster" };
    Roster::open_chain(chain)?.pop().ok_or(untrue)
}
