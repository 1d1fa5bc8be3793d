//! The daemon: from a configuration file to the exit code, with signals and the service manager.

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

use rustix::process::{Resource, Rlimit, setrlimit};
use sd_notify::NotifyState;
use thiserror::Error;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use wego_ledger::roster::History;
use wego_proto::id::Origin;

use super::{Listeners, Node, StartError, own_member, restore, rosters, stores};
use crate::{
    clock::now_ms,
    config::{Config, LogFormat},
    engine::view::Broken,
    keys::NodeKeys,
    telemetry::{self, TelemetryError},
};

/// The loop that answers the service manager's watchdog and looks at the node's health.
const PULSE: Duration = Duration::from_secs(1);

/// The engine looks at the clock every few seconds; without a word for so long it stands still, and the service
/// manager's watchdog ends the process. Nothing acknowledged is lost by that.
const STANDS_STILL_MS: u64 = 60_000;

/// Why the daemon ended.
#[derive(Debug, Error)]
pub enum RunError {
    /// It did not start.
    #[error("the node does not start")]
    Start(#[from] StartError),
    /// The log could not be set up.
    #[error("the log")]
    Telemetry(#[from] TelemetryError),
    /// The runtime or a signal handler could not be set up.
    #[error("the system")]
    System(#[from] io::Error),
    /// The store broke while it ran; the next start sets it aside and fills a new one.
    #[error("the store in {} broke", .0.display())]
    StoreBroke(PathBuf),
    /// The journal could not be written; what was acknowledged is in it.
    #[error("the journal in {} cannot be written", .0.display())]
    JournalBroke(PathBuf),
}

impl RunError {
    /// What the operator can do.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Start(error) => error.hint(),
            Self::Telemetry(_) => "mend [log] in the configuration".to_owned(),
            Self::System(_) => "see the system's log".to_owned(),
            Self::JournalBroke(_) => "look at the disk, then start the node again".to_owned(),
            Self::StoreBroke(_) => {
                "start the node again: it sets the store aside and fills a new one; look at the disk"
                    .to_owned()
            }
        }
    }
}

/// Runs a node until SIGTERM or SIGINT; a second one ends it at once.
///
/// # Errors
/// [`RunError`].
pub fn run(config: &Config) -> Result<(), RunError> {
    leave_no_core_file()?;
    let log = telemetry::start(format(config), &config.log.filter)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(daemon(config));
    drop(log);
    ended
}

/// A core file would hold the keys.
fn leave_no_core_file() -> io::Result<()> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none).map_err(io::Error::from)
}

fn format(config: &Config) -> telemetry::Format {
    match config.log.format {
        LogFormat::Text => telemetry::Format::Text,
        LogFormat::Json => telemetry::Format::Json,
    }
}

async fn daemon(config: &Config) -> Result<(), RunError> {
    // Handlers first: a signal during the start is not lost.
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hangup = signal(SignalKind::hangup())?;
    let node = Node::start(config, bind(config).await?).await?;
    notify(&[NotifyState::Ready]);
    let broke = loop {
        tokio::select! {
            // Stopping first; signals are kept by their streams, a lost pulse is nothing.
            biased;
            _ = term.recv() => break None,
            _ = int.recv() => break None,
            _ = hangup.recv() => reload(&node).await,
            () = tokio::time::sleep(PULSE) => {
                if let Some(broken) = pulse(&node) { break Some(broken) }
            }
        }
    };
    notify(&[NotifyState::Stopping]);
    tokio::select! {
        // A second signal does not wait for the drain.
        biased;
        _ = term.recv() => return Ok(()),
        _ = int.recv() => return Ok(()),
        () = node.stop() => {}
    }
    let data = config.node.data_dir.clone();
    match broke {
        None => Ok(()),
        Some(Broken::Journal) => Err(RunError::JournalBroke(data)),
        Some(Broken::Store) => {
            stores::mark_broken(&data)?;
            Err(RunError::StoreBroke(data))
        }
    }
}

async fn bind(config: &Config) -> Result<Listeners, StartError> {
    let portal = match config.listen.portal {
        Some(at) => Some(listen(at).await?),
        None => None,
    };
    Ok(Listeners {
        peers: listen(config.listen.peers).await?,
        clients: listen(config.listen.clients).await?,
        portal,
    })
}

async fn listen(at: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(at).await.map_err(|source| StartError::Listen { at, source })
}

async fn reload(node: &Node) {
    match node.reload_transport().await {
        Ok(()) => tracing::info!("transport key and certificate read again"),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "transport key and certificate not read again; what was shown is shown on"
            );
        }
    }
    match node.reload_operators() {
        Ok(()) => tracing::info!("operators read again"),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "operators not read again; the old list stays"
            );
        }
    }
}

/// Tells the service manager that the node lives, unless its engine stands still. Returns what broke.
fn pulse(node: &Node) -> Option<Broken> {
    let view = node.reader().view();
    if now_ms().saturating_sub(view.at_ms) < STANDS_STILL_MS {
        let status = format!("{} entries, {} sessions", view.cursor.0, view.sessions.len());
        notify(&[NotifyState::Watchdog, NotifyState::Status(&status)]);
    }
    view.broken
}

fn notify(states: &[NotifyState<'_>]) {
    // Without a service manager there is nobody to tell.
    let _ = sd_notify::notify(states);
}

/// What `reindex` and `rebuild-store` need to know before they touch anything.
///
/// # Errors
/// [`StartError`].
pub fn identify(config: &Config) -> Result<(Origin, History), StartError> {
    restore::is_finished(config)?;
    let keys = NodeKeys::load(&config.node.keys_dir)?;
    let roster = rosters::history(&rosters::open(config)?)?;
    let me = own_member(config, &keys, &roster)?;
    Ok((me, roster))
}
