//! `wego status`: how the node is, problems first; the exit code says it too.

use serde::Serialize;
use wego_proto::v1::{self, Health};

use super::peer::{self, Peer};
use crate::{
    context::{Context, Format},
    error::{ExitCode, Outcome},
    output::{self, Style, Table},
    words::Word as _,
};

/// Show how the node is, problems first
///
/// The exit code is 0 when all is well, 3 when something needs a look, 1 when the node has failed, and 5 when it
/// cannot be reached.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego status
  wego status --json | jq .problems
  wego status || mail -s 'the node needs a look' it@city.example")]
pub(crate) struct Args {}

#[derive(Serialize)]
struct Status {
    health: &'static str,
    problems: Vec<Problem>,
    address: String,
    handle: String,
    federation_name: String,
    federation_id: String,
    roster_version: u64,
    roster_expired: bool,
    software: String,
    store_id: String,
    started_at: Option<String>,
    own_head: Option<String>,
    entries: u64,
    indexed_behind: u64,
    sessions: u32,
    peers: Vec<Peer>,
    members: u32,
    writable: bool,
    not_writable_because: Option<String>,
    disk_free_bytes: u64,
    disk_reserve_bytes: u64,
    refused: Vec<Refused>,
}

#[derive(Serialize)]
struct Problem {
    health: &'static str,
    what: String,
    hint: String,
}

#[derive(Serialize)]
struct Refused {
    reason: String,
    count: u64,
}

pub(crate) async fn run(_args: Args, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let mut client = node.admin();
    let reply = node.ask("read the status", client.status(v1::StatusRequest {})).await?;
    let health = reply.health();
    let started_ms = reply.started_ms;
    let status = status(reply, node.address());
    match cx.format {
        Format::Json => cx.print_json(&status)?,
        Format::Human => print(&status, health, started_ms, cx)?,
    }
    Ok(match health {
        Health::Ok => ExitCode::Ok,
        Health::Degraded => ExitCode::Degraded,
        Health::Failed | Health::Unspecified => ExitCode::Failed,
    })
}

fn status(reply: v1::StatusReply, address: &str) -> Status {
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    let problem = |problem: v1::Problem| Problem {
        health: problem.health().word(),
        what: problem.what,
        hint: problem.hint,
    };
    Status {
        health: reply.health().word(),
        problems: reply.problems.into_iter().map(problem).collect(),
        address: address.to_owned(),
        handle: reply.handle,
        federation_name: reply.federation_name,
        federation_id: hex(&reply.federation_id),
        roster_version: reply.roster_version,
        roster_expired: reply.roster_expired,
        software: reply.software,
        store_id: hex(&reply.store_id),
        started_at: output::rfc3339(reply.started_ms),
        own_head: reply.own_head.map(|head| format!("{}.{}", head.epoch, head.seq)),
        entries: reply.entries,
        indexed_behind: reply.indexed_behind,
        sessions: reply.sessions,
        peers: reply.peers.into_iter().map(peer::peer).collect(),
        members: reply.members,
        writable: reply.writable,
        not_writable_because: (!reply.writable).then_some(reply.not_writable_because),
        disk_free_bytes: reply.disk_free_bytes,
        disk_reserve_bytes: reply.disk_reserve_bytes,
        refused: reply
            .refused
            .into_iter()
            .map(|refused| Refused { reason: refused.reason, count: refused.count })
            .collect(),
    }
}

fn print(
    status: &Status,
    health: Health,
    started_ms: u64,
    cx: &mut Context,
) -> Result<(), crate::error::Failure> {
    let style = match health {
        Health::Ok => Style::Good,
        Health::Degraded => Style::Warning,
        Health::Failed | Health::Unspecified => Style::Error,
    };
    let mut text = format!("{} at {}: ", output::one_line(&status.handle), status.address);
    text += &cx.styled(style, status.health);
    text.push('\n');
    for problem in &status.problems {
        text += &format!("\n{}: {}\n", problem.health, output::one_line(&problem.what));
        text += &format!("  {}\n", output::one_line(&problem.hint));
    }
    cx.print(&(text + "\n"))?;
    let mut table = Table::pairs();
    let expired = if status.roster_expired { ", past its expiry" } else { "" };
    table.row(["federation", &format!("{} ({} members)", status.federation_name, status.members)]);
    table.row(["federation id", &status.federation_id]);
    table.row(["roster", &format!("version {}{expired}", status.roster_version)]);
    table.row(["own log", status.own_head.as_deref().unwrap_or("empty")]);
    table.row(["entries held", &status.entries.to_string()]);
    table.row(["search", &behind(status.indexed_behind)]);
    table.row(["sessions", &status.sessions.to_string()]);
    table.row([
        "writing",
        &status.not_writable_because.as_deref().map_or("yes".to_owned(), |why| format!("no: {why}")),
    ]);
    let disk = (output::bytes(status.disk_free_bytes), output::bytes(status.disk_reserve_bytes));
    table.row(["disk", &format!("{} free, {} kept in reserve", disk.0, disk.1)]);
    table.row(["running", &format!("{}, started {}", status.software, output::ago(cx.now_ms(), started_ms))]);
    for refused in &status.refused {
        table.row(["refused", &format!("{} × {}", refused.count, refused.reason)]);
    }
    cx.print_table(table)?;
    if status.peers.is_empty() {
        return Ok(());
    }
    cx.print("\n")?;
    let now_ms = cx.now_ms();
    cx.print_table(peer::table(&status.peers, now_ms))
}

fn behind(entries: u64) -> String {
    match entries {
        0 => "up to date".to_owned(),
        entries => format!("{entries} entries behind"),
    }
}
