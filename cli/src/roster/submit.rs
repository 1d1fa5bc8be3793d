//! `wego roster submit`: hands a version to the node, which collects signatures and tells the others.

use std::path::PathBuf;

use serde::Serialize;
use wego_proto::{
    roster::Draft,
    v1::{self, SubmitOutcome},
};

use super::file::Sheet;
use crate::{
    args::{DryRun, Mode, Yes},
    context::{Assent, Context, Format},
    error::{ExitCode, Failure, Outcome},
    words::Word as _,
};

/// What is handed in.
#[derive(Debug, clap::Args)]
pub(crate) struct Submit {
    /// Roster file with at least your signature
    file: PathBuf,
    #[command(flatten)]
    yes: Yes,
    #[command(flatten)]
    dry_run: DryRun,
}

#[derive(Serialize)]
struct Submitted {
    dry_run: bool,
    outcome: &'static str,
    version: u64,
    hash: String,
    threshold: usize,
    signatures: usize,
    signatures_before: Option<usize>,
    threshold_before: Option<usize>,
}

pub(crate) async fn run(args: &Submit, cx: &mut Context) -> Outcome {
    let mut sheet = Sheet::read(&args.file, cx)?;
    if args.dry_run.mode() == Mode::Write {
        let Draft { content, hash, .. } = sheet.draft();
        let plan = format!(
            "hand version {} of {} ({hash}) to the node with {}: it goes to every member, and holds for all when enough \
             have signed",
            content.version,
            content.federation_name,
            sheet.count()
        );
        cx.confirm(&plan, Assent::from_flag(args.yes.yes)).await?;
    }
    let node = cx.connect().await?;
    let mut members = node.members();
    let known = node.ask("list the members", members.list(v1::ListMembersRequest {})).await?.roster_version;
    let mut client = node.governance();
    let request = v1::SubmitRequest { chain: Some(news(&sheet, known)), dry_run: args.dry_run.dry_run };
    let reply = node.ask("submit the roster", client.submit(request)).await?;
    let outcome = reply.outcome();
    if let Some(version) = reply.version {
        sheet.take_signatures(&version);
    }
    print(&sheet, outcome, args.dry_run, cx)?;
    match (outcome, args.dry_run.dry_run) {
        (_, true) => cx.say("nothing was changed"),
        (SubmitOutcome::Proposed, _) => {
            cx.say("the node tells the others; `wego roster status` shows who has signed")
        }
        (SubmitOutcome::Conflict, _) => {
            cx.warn("another version is fully signed under this number: see `wego roster status`");
        }
        _ => {}
    }
    Ok(if outcome == SubmitOutcome::Conflict { ExitCode::Degraded } else { ExitCode::Ok })
}

/// The last version, and what it follows if the node does not have that.
fn news(sheet: &Sheet, known: u64) -> v1::RosterChain {
    let versions = &sheet.chain().versions;
    let last = versions.len().saturating_sub(1);
    let known = usize::try_from(known).unwrap_or(usize::MAX);
    // A version that settles a conflict may follow one that is not in force there.
    v1::RosterChain { versions: versions[known.min(last)..].to_vec() }
}

fn print(sheet: &Sheet, outcome: SubmitOutcome, dry_run: DryRun, cx: &mut Context) -> Result<(), Failure> {
    let Draft { content, hash, governance, .. } = sheet.draft();
    if cx.format == Format::Json {
        return cx.print_json(&Submitted {
            dry_run: dry_run.dry_run,
            outcome: outcome.word(),
            version: content.version,
            hash: hash.to_string(),
            threshold: governance.threshold,
            signatures: sheet.signers().len(),
            threshold_before: sheet.before().map(|before| before.governance().threshold),
            signatures_before: sheet
                .before()
                .map(|before| before.governance().count_signatures(sheet.last())),
        });
    }
    cx.print(&format!("version {} is {}: {}\n", content.version, outcome.word(), sheet.count()))
}
