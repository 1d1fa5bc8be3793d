//! `wego-node run`, `reindex`, `rebuild-store`: the daemon, and its repairs while it is stopped.

use std::io::Write;

use super::{ConfigFile, Exit, Failure};
use crate::{
    app::{
        StartError,
        run::{self, RunError},
        stores,
    },
    store::StoreError,
};

/// Run the node until SIGTERM or Ctrl-C
///
/// The log goes to standard error. SIGHUP reads the operators file again. A second signal ends the node at once.
#[derive(Debug, clap::Args)]
pub(super) struct Run {
    #[command(flatten)]
    config: ConfigFile,
}

/// Build the search index and the list of records anew from the store; the node must be stopped
///
/// Nothing is lost by it: both are made from the signed entries.
#[derive(Debug, clap::Args)]
pub(super) struct Reindex {
    #[command(flatten)]
    config: ConfigFile,
}

/// Set the store aside and fill a new one from the journal and the peers; the node must be stopped
///
/// The old folder is renamed, never deleted. Own entries come from the journal at once, other members' from the
/// peers as soon as the node runs.
#[derive(Debug, clap::Args)]
pub(super) struct RebuildStore {
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) fn run(args: &Run) -> Result<(), Failure> {
    let config = args.config.load()?;
    run::run(&config).map_err(of_run)
}

pub(super) fn reindex(args: &Reindex, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Failure> {
    let config = args.config.load()?;
    let (me, _) = run::identify(&config).map_err(of_start)?;
    let mut shown = 0;
    let entries = stores::reindex(&config, me, &mut |done, total| {
        let percent = (done * 100).checked_div(total).unwrap_or(100);
        if percent >= shown + 10 {
            shown = percent;
            // Talk only: whoever closed standard error does not want it.
            let _ = writeln!(err, "{percent} %");
        }
    });
    let entries = entries.map_err(|error| of_start(StartError::Store(error)))?;
    say(out, &format!("entries indexed: {entries}"))
}

pub(super) fn rebuild_store(
    args: &RebuildStore,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Failure> {
    let config = args.config.load()?;
    let (me, roster) = run::identify(&config).map_err(of_start)?;
    let rebuilt =
        stores::rebuild(&config, me, &roster).map_err(|error| of_start(StartError::Store(error)))?;
    if let Some(kept) = rebuilt.kept {
        let _ = writeln!(err, "the old store is kept in {}", kept.display());
    }
    let _ = writeln!(err, "start the node: it fetches the other members' entries from its peers");
    say(out, &format!("own entries restored from the journal: {}", rebuilt.own_entries))
}

fn say(out: &mut dyn Write, line: &str) -> Result<(), Failure> {
    writeln!(out, "{line}").map_err(|error| Failure::new(Exit::Failed, error, "standard output is closed"))
}

fn of_run(error: RunError) -> Failure {
    match error {
        RunError::Start(error) => of_start(error),
        error => {
            let hint = error.hint();
            let exit = if matches!(error, RunError::StoreBroke(_)) { Exit::Integrity } else { Exit::Failed };
            Failure::new(exit, error, hint)
        }
    }
}

pub(super) fn of_start(error: StartError) -> Failure {
    let hint = error.hint();
    let exit = match &error {
        StartError::Store(StoreError::Locked { .. }) | StartError::Listen { .. } => Exit::Conflict,
        StartError::Store(error) if error.is_corrupt() => Exit::Integrity,
        _ => Exit::Failed,
    };
    Failure::new(exit, error, hint)
}
