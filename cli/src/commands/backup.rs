//! `wego backup`: making, checking and listing backups of a node.

use std::{fs, path::PathBuf};

use clap::Subcommand;
use serde::Serialize;
use wego_proto::{backup::KnownVersions, id::FederationId};

use crate::{
    args::roster_chain,
    backup::{self, Against, Backup, State},
    context::{Context, Format},
    error::{ExitCode, Failure, Outcome},
    output::{self, Table},
};

/// Make a backup of the node while it runs, check backups, and list them
///
/// A backup is one file with all entries the node holds, its own log, the rosters, fork proofs and pinned peers,
/// signed by the member's log key. No private key is in it. `wego-node restore` makes a data folder from it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego backup create --out seoul-2010-09-07.wego
  wego backup verify seoul-2010-09-07.wego --roster roster.pem   anywhere, without any node
  wego backup list /mnt/backups --verify")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fetch a backup from the node and check it; needs the role admin
    Create(Create),
    /// Check a backup from its first byte to its last, offline; exit code 7 when it does not hold
    Verify(Verify),
    /// List the backups in a folder by what they say of themselves, newest first
    List(List),
}

#[derive(Debug, clap::Args)]
struct Create {
    /// File to write; must not exist. It gets its name only when it is whole and checked
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, clap::Args)]
struct Verify {
    /// Backup, as `wego backup create` wrote it
    file: PathBuf,
    /// Roster chain, as `wego roster show --out` wrote it, that the backup's must agree with
    #[arg(long, value_name = "FILE")]
    roster: Option<PathBuf>,
    /// Federation the backup must be of, 64 hexadecimal digits
    #[arg(long, value_name = "ID")]
    federation: Option<FederationId>,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Folder
    #[arg(default_value = ".", value_name = "DIR")]
    folder: PathBuf,
    /// Check each file from its first byte to its last; exit code 7 when one does not hold
    #[arg(long)]
    verify: bool,
}

#[derive(Serialize)]
struct Listing {
    backups: Vec<Backup>,
}

pub(crate) async fn run(args: Args, cx: &mut Context) -> Outcome {
    match args.command {
        Command::Create(args) => create(args, cx).await,
        Command::Verify(args) => verify(&args, cx).await,
        Command::List(args) => list(&args, cx).await,
    }
}

async fn create(args: Create, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let checked = backup::create::fetch(&args.out, &node, cx).await?;
    let made = Backup::whole(args.out.display().to_string(), &checked);
    backup::print(&made, cx)?;
    cx.say(&format!("backup written to {}; private keys are not in it: keep them apart", args.out.display()));
    Ok(ExitCode::Ok)
}

async fn verify(args: &Verify, cx: &mut Context) -> Outcome {
    let known = match &args.roster {
        Some(path) => KnownVersions::of(&roster_chain(path, cx)?),
        None => KnownVersions::default(),
    };
    let against = Against { known, federation: args.federation };
    let checked = backup::check(&args.file, against, cx.progress("checking")).await?;
    backup::print(&Backup::whole(args.file.display().to_string(), &checked), cx)?;
    if args.roster.is_none() && args.federation.is_none() {
        cx.say("the federation was taken as given: --roster FILE or --federation ID pins it");
    }
    Ok(ExitCode::Ok)
}

async fn list(args: &List, cx: &mut Context) -> Outcome {
    let backups = found(args, cx).await?;
    let count = backups.len();
    let damaged = backups.iter().any(|backup| backup.state == State::Damaged);
    if cx.format == Format::Json {
        cx.print_json(&Listing { backups })?;
    } else if count > 0 {
        let now_ms = cx.now_ms();
        let mut table = Table::new(&["FILE", "CITY", "TAKEN", "HEAD", "ENTRIES", "SIZE", "STATE"]);
        for backup in &backups {
            let told = backup.taken_at_ms != 0;
            let taken = if told { output::ago(now_ms, backup.taken_at_ms) } else { "-".to_owned() };
            let entries = if told { backup.entries.to_string() } else { "-".to_owned() };
            table.row([
                backup.file.as_str(),
                &backup.handle,
                &taken,
                backup.own_head.as_deref().unwrap_or("-"),
                &entries,
                &output::bytes(backup.bytes),
                backup.state.word(),
            ]);
        }
        table.align_right(4);
        table.align_right(5);
        cx.print_table(table)?;
    } else {
        cx.say(&format!("no backup in {}", args.folder.display()));
    }
    Ok(if damaged { ExitCode::Integrity } else { ExitCode::Ok })
}

/// The backups of the folder; files that are none are passed over.
async fn found(args: &List, cx: &mut Context) -> Result<Vec<Backup>, Failure> {
    let unreadable = |error| Failure::of_file("read", &args.folder, error);
    let mut backups = Vec::new();
    for entry in fs::read_dir(&args.folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (path, meta) = (entry.path(), entry.metadata().map_err(unreadable)?);
        let file = entry.file_name().to_string_lossy().into_owned();
        // One that is being written has a name with a dot.
        if !meta.is_file() || file.starts_with('.') {
            continue;
        }
        let told = match backup::opening(&path) {
            Ok(None) => continue,
            Ok(Some((manifest, roster))) => Ok(Backup::told(file.clone(), &manifest, &roster, meta.len())),
            Err(failure) => Err((failure, Backup::damaged(file.clone(), meta.len()))),
        };
        let checked = match told {
            Ok(told) if !args.verify => Ok(told),
            Ok(mut told) => match backup::check(&path, Against::default(), cx.progress("checking")).await {
                Ok(checked) => Ok(Backup::whole(file, &checked)),
                Err(failure) => {
                    told.state = State::Damaged;
                    Err((failure, told))
                }
            },
            Err(damaged) => Err(damaged),
        };
        backups.push(checked.unwrap_or_else(|(failure, damaged)| {
            cx.warn(&format!("{failure}: {}", failure.causes().join(": ")));
            damaged
        }));
    }
    backups.sort_by(|one, other| {
        other.taken_at_ms.cmp(&one.taken_at_ms).then_with(|| one.file.cmp(&other.file))
    });
    Ok(backups)
}
