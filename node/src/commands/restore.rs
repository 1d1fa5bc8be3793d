//! `wego-node restore`: a data folder from a backup, while the node is stopped.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use jiff::Timestamp;

use super::{
    ConfigFile, Exit, Failure,
    assent::Assent,
    audited::{Audited, Why},
};
use crate::{
    app::restore::{self, Plan, RestoreError, Target},
    clock::now_ms,
};

/// Make the data folder from a backup; the node must be stopped
///
/// Checks the whole backup first, and refuses one that is damaged, another member's or another federation's, and a
/// data folder that is not empty. Keys are not in a backup: the keys folder must hold the member's.
///
/// The folder that comes of it is fenced: its log may be older than what the other nodes hold, and the node writes
/// nothing before it has asked them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  wego-node restore --from seoul-2010-09-07.wego --dry-run
  wego-node restore --from seoul-2010-09-07.wego --yes")]
pub(super) struct Args {
    /// Backup, as `wego backup create` wrote it
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    #[command(flatten)]
    config: ConfigFile,
    /// Check everything and say what would happen; change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    assent: Assent,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Failure> {
    let config = args.config.load()?;
    let plan = restore::plan(&config, &args.from).map_err(refused)?;
    tell(&plan, err)?;
    if args.dry_run {
        writeln!(out, "would restore {}", what(&plan))?;
        return Ok(());
    }
    args.assent.ask(&format!("restore {}: the log of this member goes on from there", what(&plan)), err)?;
    let (total, mut shown) = (plan.manifest.content.entries, 0);
    let begun = restore::begin(&plan, now_ms()).map_err(refused)?;
    let audited = Audited::open(&config, "restore", &what(&plan), Why::default())?;
    let mut tell = |done: u64| {
        let percent = (done * 100).checked_div(total).unwrap_or(100);
        if percent >= shown + 10 {
            shown = percent;
            // Talk only: whoever closed standard error does not want it.
            let _ = writeln!(err, "{percent} %");
        }
    };
    audited.perform(|| begun.finish(&config, &mut tell).map_err(refused))?;
    writeln!(out, "restored {}", what(&plan))?;
    Ok(())
}

fn what(plan: &Plan) -> String {
    let content = &plan.manifest.content;
    let logs = plan.manifest.heads.len();
    format!("{}: entries {}, logs {logs}, own log up to {}", content.handle, content.entries, own_head(plan))
}

fn own_head(plan: &Plan) -> String {
    plan.manifest.own_head().map_or_else(|| "nothing".to_owned(), |(at, _)| at.to_string())
}

fn tell(plan: &Plan, err: &mut dyn Write) -> io::Result<()> {
    let content = &plan.manifest.content;
    let taken = i64::try_from(content.taken_at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let taken = taken.map_or_else(|| "unknown".to_owned(), |time| time.to_string());
    let target = match plan.target {
        Target::Empty => "empty",
        Target::Interrupted => "an interrupted restore, which is removed",
    };
    writeln!(
        err,
        "plan: restore {data_dir} from {from}
  member      {handle}; the log key in the keys folder is its own
  federation  {name}, {federation}
  taken       {taken}, {age}
  own log     up to {head}
  entries     {entries}, logs {logs}, roster version {version}, fork proofs {forks}
  target      {target}
  afterwards  the node writes nothing before it has asked its peers how far its log goes",
        data_dir = plan.data_dir.display(),
        from = plan.from.display(),
        handle = content.handle,
        name = plan.roster.content().federation_name,
        federation = plan.manifest.federation,
        age = age(now_ms().saturating_sub(content.taken_at_ms)),
        head = own_head(plan),
        entries = content.entries,
        logs = plan.manifest.heads.len(),
        version = content.roster_version,
        forks = content.forks,
    )
}

fn age(ms: u64) -> String {
    const HOUR_MS: u64 = 60 * 60 * 1_000;
    match ms / HOUR_MS {
        0 => "less than an hour old".to_owned(),
        hours @ 1..48 => format!("{hours} h old"),
        hours => format!("{} d old", hours / 24),
    }
}

fn refused(error: RestoreError) -> Failure {
    let exit = match &error {
        RestoreError::NotEmpty { .. } | RestoreError::UnderWay { .. } => Exit::Conflict,
        RestoreError::Fault(_)
        | RestoreError::Disagreement(_)
        | RestoreError::OtherMember { .. }
        | RestoreError::OtherKey { .. }
        | RestoreError::Changed { .. }
        | RestoreError::NotAsInBackup => Exit::Integrity,
        RestoreError::Store(error) if error.is_corrupt() => Exit::Integrity,
        _ => Exit::Failed,
    };
    let hint = error.hint();
    Failure::new(exit, error, hint)
}
