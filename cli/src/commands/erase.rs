//! `wego erase`: who has carried out what was ordered to be erased.

use clap::Subcommand;
use serde::Serialize;
use wego_proto::{
    id::RecordId,
    v1::{self, EraseReason},
};

use crate::{
    context::{Context, Format},
    error::{ExitCode, Outcome},
    output::{self, Table},
    records::{
        hex, position,
        seen::{Missing, missing_words},
    },
    words::Word as _,
};

/// See which members have carried out an erasure
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego record erase ID --reason personal-data    orders it; see also: wego record erase --help
  wego erase status                              who has carried it out; exit code 3 while some have not
  wego erase status ID                           of one record, also of another city")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show each erasure your city or the federation ordered, and who has yet to carry it out
    Status(Status),
}

#[derive(Debug, clap::Args)]
struct Status {
    /// Id of a record, 32 hexadecimal digits [default: all that your city ordered, and all takedowns]
    id: Option<RecordId>,
}

#[derive(Serialize)]
struct Listing {
    erasures: Vec<Erasure>,
    more: bool,
}

#[derive(Serialize)]
struct Erasure {
    record_id: Option<String>,
    handle: String,
    at: Option<String>,
    ordered_by: &'static str,
    ordered_at: Option<String>,
    reason: &'static str,
    carried_out: u32,
    members: u32,
    pending: Vec<Missing>,
    #[serde(skip)]
    ordered_ms: u64,
}

pub(crate) async fn run(args: Args, cx: &mut Context) -> Outcome {
    match args.command {
        Command::Status(args) => status(args, cx).await,
    }
}

async fn status(args: Status, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let mut client = node.delivery();
    let record_id = args.id.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
    let reply = node.ask("show the erasures", client.erasures(v1::ErasuresRequest { record_id })).await?;
    let listing = Listing { erasures: reply.erasures.into_iter().map(erasure).collect(), more: reply.more };
    let pending = listing.erasures.iter().any(|erasure| !erasure.pending.is_empty());
    match cx.format {
        Format::Json => cx.print_json(&listing)?,
        Format::Human => print(&listing, args.id, cx)?,
    }
    Ok(if pending { ExitCode::Degraded } else { ExitCode::Ok })
}

fn print(listing: &Listing, id: Option<RecordId>, cx: &mut Context) -> Result<(), crate::error::Failure> {
    if listing.erasures.is_empty() {
        cx.say(&id.map_or("nothing was ordered to be erased".to_owned(), |id| {
            format!("record {id} was not ordered to be erased")
        }));
        return Ok(());
    }
    let now_ms = cx.now_ms();
    let mut table = Table::new(&["RECORD", "OF", "ORDERED", "BY", "REASON", "CARRIED OUT", "PENDING"]);
    for erasure in &listing.erasures {
        let pending = missing_words(&erasure.pending, now_ms);
        table.row([
            erasure.record_id.as_deref().unwrap_or("not held here"),
            &erasure.handle,
            &output::ago(now_ms, erasure.ordered_ms),
            erasure.ordered_by,
            erasure.reason,
            &format!("{} of {}", erasure.carried_out, erasure.members),
            if erasure.pending.is_empty() { "nobody" } else { &pending },
        ]);
    }
    cx.print_table(table)?;
    if listing.more {
        cx.warn("there are more erasures than one answer holds: ask for a record by its id");
    }
    Ok(())
}

fn erasure(raw: v1::Erasure) -> Erasure {
    let carried_out = raw.carried_out.unwrap_or_default();
    let reason = i32::try_from(raw.reason).ok().and_then(|reason| EraseReason::try_from(reason).ok());
    Erasure {
        record_id: (!raw.record_id.is_empty()).then(|| hex(&raw.record_id)),
        handle: raw.handle,
        at: position(raw.at),
        ordered_by: if raw.takedown { "federation" } else { "owner" },
        ordered_at: output::rfc3339(raw.ordered_ms),
        ordered_ms: raw.ordered_ms,
        reason: reason.unwrap_or_default().word(),
        carried_out: carried_out.done,
        members: carried_out.members,
        pending: carried_out.missing.into_iter().map(Missing::of).collect(),
    }
}
