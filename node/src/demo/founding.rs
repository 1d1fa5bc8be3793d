//! Founds a federation in a folder: one subfolder a city, made as `wego-node init` makes it, one signed roster.
//!
//! Everything is real: keys, certificates, cards, signatures, listeners. Only that one process holds them all is not.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use thiserror::Error;
use tokio::net::TcpListener;
use wego_proto::{
    armour::{self, ArmourError, Label},
    card::{CardError, MemberCard},
    found::Founding,
    prost::Message as _,
    roster::add_signature,
    v1,
};

use crate::{
    app::{Listeners, Node, StartError},
    clock::now_ms,
    config::{Config, ConfigError, Environment, RawConfig},
    init::{self, Committee, Created, InitError, InitOptions, Seeds},
};

/// What a city says about itself when it joins.
#[derive(Debug, Clone)]
pub struct City {
    /// As in `kr-seoul`.
    pub handle: String,
    /// By language.
    pub names: Vec<(String, String)>,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// UN/LOCODE without a space.
    pub place: String,
    /// Its office.
    pub role: v1::MemberRole,
    /// Whether it sits on the committee.
    pub committee: Committee,
}

/// How a federation is founded.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// How many of the committee sign.
    pub threshold: u32,
    /// Its members.
    pub cities: Vec<City>,
    /// Whether nodes open a portal.
    pub portals: Portals,
    /// Space kept free by each node, MiB: many nodes share one disk here.
    pub reserve_mib: u64,
}

/// Whether nodes open a portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Portals {
    /// They do.
    Open,
    /// They do not.
    Off,
}

/// Why a federation could not be founded.
#[derive(Debug, Error)]
pub enum FoundingError {
    /// A city's folder.
    #[error("making the folder of {handle}")]
    Init {
        /// Whose.
        handle: String,
        /// Why.
        #[source]
        source: Box<InitError>,
    },
    /// Randomness.
    #[error("the system gives no randomness")]
    Randomness(#[from] getrandom::Error),
    /// A socket or a file.
    #[error("{what}")]
    Io {
        /// Doing what.
        what: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A card.
    #[error("a card does not verify")]
    Card(#[from] CardError),
    /// A configuration.
    #[error("a configuration cannot be read")]
    Config(#[from] ConfigError),
    /// A node.
    #[error("node {handle} does not start")]
    Start {
        /// Whose.
        handle: String,
        /// Why.
        #[source]
        source: Box<StartError>,
    },
    /// The signed roster cannot be read back.
    #[error("the signed roster")]
    Armour(#[from] ArmourError),
}

/// A member with everything its node needs.
#[derive(Debug)]
pub struct Seat {
    /// As it joined.
    pub city: City,
    /// Its folder.
    pub created: Created,
    /// Its configuration.
    pub config: Config,
    listeners: Option<Listeners>,
}

impl Seat {
    /// Starts the node: the first time on the sockets that were bound when it joined, later on the same addresses.
    ///
    /// # Errors
    /// [`FoundingError::Start`] or [`FoundingError::Io`].
    pub async fn start(&mut self) -> Result<Node, FoundingError> {
        let listeners = match self.listeners.take() {
            Some(listeners) => listeners,
            None => {
                let listen = &self.config.listen;
                bind(listen.peers, listen.clients, listen.portal).await?
            }
        };
        let started = Node::start(&self.config, listeners).await;
        started.map_err(|source| FoundingError::Start {
            handle: self.city.handle.clone(),
            source: Box::new(source),
        })
    }

    /// Frees the sockets, for a node that runs in a process of its own.
    pub fn release(&mut self) {
        self.listeners = None;
    }
}

/// Makes every city's folder, founds the federation and signs its roster; no node runs yet.
///
/// # Errors
/// [`FoundingError`].
pub async fn found(dir: &Path, plan: &Plan) -> Result<Vec<Seat>, FoundingError> {
    let mut joined = Vec::new();
    for city in &plan.cities {
        joined.push(join(dir, plan, city).await?);
    }
    let cards: Result<Vec<_>, _> =
        joined.iter().map(|(_, created, _)| MemberCard::open(&created.card)).collect();
    let founding = Founding {
        name: plan.name.clone(),
        threshold: plan.threshold,
        offices: plan.cities.iter().map(|city| (city.handle.clone(), city.role)).collect(),
        issued_at_ms: now_ms(),
        soft_expires_at_ms: now_ms() + YEAR_MS,
    };
    let mut signed =
        v1::SignedRoster { roster: founding.genesis(&cards?).encode_to_vec(), signatures: Vec::new() };
    let signers = joined.iter().filter_map(|(_, created, _)| created.governance.as_ref());
    for key in signers.take(plan.threshold as usize) {
        add_signature(&mut signed, key);
    }
    let chain = v1::RosterChain { versions: vec![signed] };
    let text = armour::write(Label::Roster, &[format!("Federation: {}", plan.name)], &chain);
    joined.into_iter().map(|(city, created, listeners)| seat(city, created, listeners, &text, plan)).collect()
}

/// A year, ms.
const YEAR_MS: u64 = 365 * 24 * 60 * 60 * 1_000;

async fn join(dir: &Path, plan: &Plan, city: &City) -> Result<(City, Created, Listeners), FoundingError> {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let portal = (plan.portals == Portals::Open).then_some(free);
    let listeners = bind(free, free, portal).await?;
    let at = |listener: &TcpListener| listener.local_addr().map_err(io("asking for a socket's address"));
    let (peers, clients) = (at(&listeners.peers)?, at(&listeners.clients)?);
    let portal = listeners.portal.as_ref().map(at).transpose()?;
    let options = InitOptions {
        dir: dir.join(&city.handle),
        handle: city.handle.clone(),
        names: city
            .names
            .iter()
            .map(|(lang, text)| v1::MemberName { lang: lang.clone(), text: text.clone() })
            .collect(),
        country: city.country.clone(),
        place: city.place.clone(),
        endpoints: vec![peers.to_string()],
        peers,
        clients,
        portal,
        portal_url: portal.map(|at| format!("http://{at}/")).unwrap_or_default(),
        committee: city.committee,
        operator: "admin".to_owned(),
        issued_at_ms: now_ms(),
    };
    let seeds = Seeds::draw(getrandom::fill)?;
    let created = init::create(&options, &seeds)
        .map_err(|source| FoundingError::Init { handle: city.handle.clone(), source: Box::new(source) })?;
    Ok((city.clone(), created, listeners))
}

fn seat(
    city: City,
    created: Created,
    listeners: Listeners,
    roster: &str,
    plan: &Plan,
) -> Result<Seat, FoundingError> {
    let mut raw = RawConfig::load(&created.config, &Environment::new())?;
    raw.store.reserve_mib = plan.reserve_mib;
    let config = Config::check(raw, &created.config)?;
    write(config.node.roster.clone(), roster)?;
    Ok(Seat { city, created, config, listeners: Some(listeners) })
}

fn write(path: PathBuf, text: &str) -> Result<(), FoundingError> {
    std::fs::write(path, text).map_err(io("writing the roster"))
}

async fn bind(
    peers: SocketAddr,
    clients: SocketAddr,
    portal: Option<SocketAddr>,
) -> Result<Listeners, FoundingError> {
    let listen = async |at: SocketAddr| TcpListener::bind(at).await.map_err(io("binding a socket"));
    Ok(Listeners {
        peers: listen(peers).await?,
        clients: listen(clients).await?,
        portal: match portal {
            Some(at) => Some(listen(at).await?),
            None => None,
        },
    })
}

fn io(what: &'static str) -> impl Fn(std::io::Error) -> FoundingError {
    move |source| FoundingError::Io { what, source }
}
