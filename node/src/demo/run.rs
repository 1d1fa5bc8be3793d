//! The demonstration from its first line to its last: folder, runtime, signals, and the cleaning up.
//!
//! Whatever happens, the nodes are stopped and a temporary folder is removed before this returns.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{error::DemoError, federation::Federation, narrator::Narrator, story::Story};

/// What is left of the runtime after all nodes stopped is not waited for longer.
const REST: Duration = Duration::from_secs(5);

/// How the demonstration runs.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Folder to make and keep; `None` for a temporary one that is removed at the end.
    pub dir: Option<PathBuf>,
    /// Stop at the end of the story instead of waiting for Ctrl-C.
    pub once: bool,
}

/// What happens after the story.
#[derive(Debug)]
pub(super) enum After {
    /// The nodes stop.
    Stop,
    /// They stay up, their folders in `dir`.
    Stay { dir: PathBuf },
}

/// Runs it. The narration goes to `out`; what is being done to `watcher`, where somebody watches.
///
/// # Errors
/// [`DemoError`]; also when Ctrl-C or SIGTERM ended it before its end.
pub fn run<'a>(
    options: &Options,
    out: &'a mut dyn Write,
    watcher: Option<&'a mut dyn Write>,
) -> Result<(), DemoError> {
    let folder = Folder::make(options.dir.as_deref())?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(DemoError::System)?;
    let after = if options.once { After::Stop } else { After::Stay { dir: folder.path().to_owned() } };
    let mut narrator = Narrator::new(out, watcher);
    let ended = runtime.block_on(Box::pin(play(folder.path(), &after, &mut narrator)));
    narrator.clear();
    runtime.shutdown_timeout(REST);
    let removed = folder.leave();
    ended.and(removed)
}

async fn play(dir: &Path, after: &After, narrator: &mut Narrator<'_>) -> Result<(), DemoError> {
    // Handlers first: a signal during the founding is not lost.
    let mut signals = Signals::listen().map_err(DemoError::System)?;
    narrator.working("founding a federation of nine cities");
    let begun = Instant::now();
    let mut federation = Federation::found(dir).await?;
    let founded_in = begun.elapsed();
    let story = Box::pin(Story::new(&mut federation, narrator).tell(founded_in, after));
    let mut ended = tokio::select! {
        // Signals first; a story that is dropped leaves its nodes to the stop below.
        biased;
        () = signals.next() => Err(DemoError::Interrupted),
        ended = story => ended,
    };
    if ended.is_ok() && matches!(after, After::Stay { .. }) {
        signals.next().await;
        ended = narrator.gap().and_then(|()| narrator.say("Stopping."));
    }
    narrator.working("stopping the nodes");
    tokio::select! {
        // A second signal does not wait for the drain.
        biased;
        () = signals.next() => {}
        () = federation.stop() => {}
    }
    ended
}

/// Ctrl-C and SIGTERM.
struct Signals {
    int: Signal,
    term: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self { int: signal(SignalKind::interrupt())?, term: signal(SignalKind::terminate())? })
    }

    /// The next of either. Cancel-safe: a signal that is not taken stays in its stream.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.int.recv() => {}
            _ = self.term.recv() => {}
        }
    }
}

/// Where the cities' folders are.
enum Folder {
    Temporary(TempDir),
    Kept(PathBuf),
}

impl Folder {
    fn make(dir: Option<&Path>) -> Result<Self, DemoError> {
        let Some(dir) = dir else {
            let made = tempfile::Builder::new().prefix("wego-demo-").tempdir();
            let failed = |source| DemoError::Folder { dir: std::env::temp_dir(), source };
            return made.map(Self::Temporary).map_err(failed);
        };
        let failed = |source| DemoError::Folder { dir: dir.to_owned(), source };
        std::fs::create_dir_all(dir).map_err(failed)?;
        // Absolute, because the commands that are told are typed elsewhere.
        let dir = dir.canonicalize().map_err(failed)?;
        match std::fs::read_dir(&dir).map_err(failed)?.next() {
            Some(_) => Err(DemoError::NotEmpty(dir)),
            None => Ok(Self::Kept(dir)),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(dir) => dir.path(),
            Self::Kept(dir) => dir,
        }
    }

    /// Removes a temporary folder.
    fn leave(self) -> Result<(), DemoError> {
        match self {
            Self::Temporary(dir) => {
                let path = dir.path().to_owned();
                dir.close().map_err(|source| DemoError::Folder { dir: path, source })
            }
            Self::Kept(_) => Ok(()),
        }
    }
}
