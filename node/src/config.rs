//! The node's configuration: what an operator wrote in `wego-node.toml` becomes a [`Config`] or one clear error.
//!
//! A typing mistake in a configuration is silent where unknown keys are ignored: the operator believes in a
//! limit that nobody keeps. So every key is known or refused with its line, and every value is in its range
//! before anything starts. This file must never open a key, a port or a store: it reads one file and decides.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use tracing_subscriber::EnvFilter;

pub use self::{
    error::ConfigError,
    raw::{RawConfig, RawLimits, RawListen, RawLog, RawNode, RawPeers, RawStore},
};

mod error;
mod nearest;
mod raw;

/// Environment variables by name. Passed in, so that a test's configuration is its own.
pub type Environment = BTreeMap<String, String>;

/// `WEGO_NODE_<SECTION>_<KEY>` overrides the file: `WEGO_NODE_STORE_CACHE_MIB=128`.
pub const ENVIRONMENT_PREFIX: &str = "WEGO_NODE_";

/// The example file, with every key and its default: what `wego-node init` starts from.
pub const EXAMPLE: &str = include_str!("../../deploy/wego-node.example.toml");

/// Everything the node needs to know before it starts, in range. Relative paths were resolved against the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// Who this node is and where its files are.
    pub node: Node,
    /// Where it listens.
    pub listen: Listen,
    /// How much it keeps and caches.
    pub store: Store,
    /// How it exchanges with peers.
    pub peers: Peers,
    /// What callers may make it spend.
    pub limits: Limits,
    /// What it tells.
    pub log: Log,
}

/// Who this node is and where its files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The member's handle in the roster.
    pub handle: String,
    /// Folder of `log.pem`, `transport.pem` and `transport.crt`.
    pub keys_dir: PathBuf,
    /// Folder of the own-log journal, the store and the search index.
    pub data_dir: PathBuf,
    /// Roster file to start from; later versions come from peers and are kept in `data_dir`.
    pub roster: PathBuf,
    /// File of the operators' keys and roles.
    pub operators: PathBuf,
}

/// Where the node listens. Port 0 lets the system choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Other nodes, mutual TLS.
    pub peers: SocketAddr,
    /// Operators' clients, mutual TLS.
    pub clients: SocketAddr,
    /// Public web pages, plain HTTP for a reverse proxy; `None` when off.
    pub portal: Option<SocketAddr>,
}

/// How much the node keeps and caches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Page cache of the entry store in bytes.
    pub cache_bytes: u64,
    /// Disk space in bytes below which nothing is written any more.
    pub reserve_bytes: u64,
    /// Memory of the search index writer in bytes.
    pub index_memory_bytes: usize,
}

/// How the node exchanges with peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peers {
    /// Sessions open at once, dialled and accepted.
    pub sessions_max: usize,
    /// Time between comparisons with a random member.
    pub anti_entropy: Duration,
    /// Time between two receipts.
    pub receipts: Duration,
    /// Sessions the overlay wants.
    pub degree: usize,
    /// Members that must have confirmed the own log before a start writes; half of the others when it is not given.
    pub recovery_quorum: Option<usize>,
    /// How long a transport key and the one that takes over from it are both valid, at least.
    pub transport_overlap: Duration,
}

/// What callers may make the node spend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// From TCP accept to the end of the TLS handshake.
    pub handshake_timeout: Duration,
    /// Connections open at once on one listener, handshakes included.
    pub connections_max: usize,
    /// Of these from one IPv4 address or IPv6 /64 network.
    pub connections_per_ip_max: usize,
    /// Records waiting to be written; one more is refused.
    pub publish_queue_max: usize,
    /// Longest time for open calls after the order to stop.
    pub drain: Duration,
}

/// What the node tells on standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Its form.
    pub format: LogFormat,
    /// Directives as in `info,wego_node::peers=debug`; parsed once to be sure they are well-formed.
    pub filter: String,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A line of words per event.
    Text,
    /// A JSON object per event.
    Json,
}

impl Config {
    /// Reads `path`, applies the overrides in `env` and checks every value.
    ///
    /// # Errors
    /// [`ConfigError`], which names the file and line, or the variable.
    pub fn load(path: &Path, env: &Environment) -> Result<Self, ConfigError> {
        Self::check(RawConfig::load(path, env)?, path)
    }

    /// Checks values that were read from `path`, against whose folder relative paths are resolved.
    ///
    /// # Errors
    /// [`ConfigError`] of the first value that is out of range.
    pub fn check(raw: RawConfig, path: &Path) -> Result<Self, ConfigError> {
        // The file's own folder, not the working one: a unit file and a shell must mean the same.
        let base = path.parent().unwrap_or(Path::new("."));
        Ok(Self {
            file: path.to_owned(),
            node: node(raw.node, base)?,
            listen: listen(&raw.listen)?,
            store: store(&raw.store)?,
            peers: peers(&raw.peers)?,
            limits: limits(&raw.limits)?,
            log: log(raw.log)?,
        })
    }
}

fn node(raw: RawNode, base: &Path) -> Result<Node, ConfigError> {
    if raw.handle.is_empty() {
        return Err(ConfigError::Missing { key: "node.handle" });
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !raw.handle.chars().all(plain) {
        return Err(ConfigError::Handle { value: raw.handle });
    }
    Ok(Node {
        handle: raw.handle,
        keys_dir: base.join(raw.keys_dir),
        data_dir: base.join(raw.data_dir),
        roster: base.join(raw.roster),
        operators: base.join(raw.operators),
    })
}

fn listen(raw: &RawListen) -> Result<Listen, ConfigError> {
    let listen = Listen {
        peers: address("listen.peers", &raw.peers)?,
        clients: address("listen.clients", &raw.clients)?,
        portal: match raw.portal.as_str() {
            "off" => None,
            text => Some(address("listen.portal", text)?),
        },
    };
    let all = [Some(listen.peers), Some(listen.clients), listen.portal];
    let mut taken: Vec<SocketAddr> = Vec::with_capacity(all.len());
    for one in all.into_iter().flatten().filter(|one| one.port() != 0) {
        if taken.contains(&one) {
            return Err(ConfigError::SameAddress { address: one });
        }
        taken.push(one);
    }
    Ok(listen)
}

fn store(raw: &RawStore) -> Result<Store, ConfigError> {
    Ok(Store {
        cache_bytes: in_range("store.cache_mib", raw.cache_mib, 8..=65_536)? * MIB,
        // Below 16 MiB a single batch could meet the full disk that breaks the store.
        reserve_bytes: in_range("store.reserve_mib", raw.reserve_mib, 16..=1_048_576)? * MIB,
        // The index writer refuses less than 15 MB.
        index_memory_bytes: count("store.index_memory_mib", raw.index_memory_mib, 16..=4_095)? * MIB as usize,
    })
}

fn peers(raw: &RawPeers) -> Result<Peers, ConfigError> {
    Ok(Peers {
        sessions_max: count("peers.sessions_max", raw.sessions_max, 2..=4_096)?,
        anti_entropy: seconds("peers.anti_entropy_s", raw.anti_entropy_s, 1..=86_400)?,
        receipts: seconds("peers.receipts_s", raw.receipts_s, 1..=86_400)?,
        transport_overlap: seconds("peers.transport_overlap_s", raw.transport_overlap_s, 1..=2_678_400)?,
        degree: count("peers.degree", raw.degree, 1..=64)?,
        recovery_quorum: quorum(&raw.recovery_quorum)?,
    })
}

fn quorum(raw: &str) -> Result<Option<usize>, ConfigError> {
    if raw == "half" {
        return Ok(None);
    }
    let wrong = || ConfigError::Quorum { value: raw.to_owned() };
    count("peers.recovery_quorum", raw.parse().map_err(|_| wrong())?, 0..=64).map(Some)
}

fn limits(raw: &RawLimits) -> Result<Limits, ConfigError> {
    Ok(Limits {
        handshake_timeout: seconds("limits.handshake_timeout_s", raw.handshake_timeout_s, 1..=120)?,
        connections_max: count("limits.connections_max", raw.connections_max, 4..=65_536)?,
        connections_per_ip_max: count(
            "limits.connections_per_ip_max",
            raw.connections_per_ip_max,
            1..=65_536,
        )?,
        publish_queue_max: count("limits.publish_queue_max", raw.publish_queue_max, 1..=65_536)?,
        drain: seconds("limits.drain_s", raw.drain_s, 0..=600)?,
    })
}

fn log(raw: RawLog) -> Result<Log, ConfigError> {
    let format = match raw.format.as_str() {
        "text" => LogFormat::Text,
        "json" => LogFormat::Json,
        _ => return Err(ConfigError::LogFormat { value: raw.format }),
    };
    EnvFilter::try_new(&raw.filter)
        .map_err(|source| ConfigError::LogFilter { value: raw.filter.clone(), source })?;
    Ok(Log { format, filter: raw.filter })
}

const MIB: u64 = 1_024 * 1_024;

fn address(key: &'static str, text: &str) -> Result<SocketAddr, ConfigError> {
    text.parse().map_err(|_| ConfigError::Address { key, value: text.to_owned() })
}

fn seconds(key: &'static str, value: u64, range: RangeInclusive<u64>) -> Result<Duration, ConfigError> {
    in_range(key, value, range).map(Duration::from_secs)
}

fn count(key: &'static str, value: u64, range: RangeInclusive<u64>) -> Result<usize, ConfigError> {
    let value = in_range(key, value, range.clone())?;
    usize::try_from(value).map_err(|_| ConfigError::Range {
        key,
        value,
        min: *range.start(),
        max: *range.end(),
    })
}

fn in_range(key: &'static str, value: u64, range: RangeInclusive<u64>) -> Result<u64, ConfigError> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(ConfigError::Range { key, value, min: *range.start(), max: *range.end() })
}

#[cfg(test)]
mod tests;
