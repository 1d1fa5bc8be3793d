//! `wego audit`: who changed what on a node, and whether the log of it is whole.
//!
//! `verify` of files must never talk to anybody, as in `wego record verify`.

use std::{path::PathBuf, str::FromStr, time::Duration};

use clap::Subcommand;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use wego_proto::{
    audit::Chain,
    id::{FederationId, Hash},
    key::PublicKey,
    v1,
};

use crate::{
    args::OfflineRoster,
    context::{Context, Format},
    error::{ExitCode, Failure, Outcome},
    output::{Style, Table, one_line},
    records::hex,
};

/// Events asked for at once.
const PAGE: u32 = 500;

/// Show who changed what on the node, and check that nobody changed the log of it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego audit list --since 24h
  wego audit list --actor awa --refused
  wego audit verify                                         through the node
  wego audit verify audit-*.jsonl --key KEY                 copied files, without any node
  wego audit verify audit-*.jsonl --roster roster.pem --member kr-seoul
  wego audit verify --head 4711/HASH                        is a head noted earlier still in it?

Give a reason with every change: wego peer remove sn-dakar --audit-reason 'ticket 4711'")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List changes and refused calls, newest first
    List(List),
    /// Check numbers, hashes and signatures; exit code 7 when the log is not what the node wrote
    Verify(Verify),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Not older than this: a time, as 2026-01-31T08:00:00Z, or how long ago, as 36h
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,
    /// Older than this
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,
    /// Only of this operator or account
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Only actions with this in their name, as publish
    #[arg(long, value_name = "TEXT")]
    action: Option<String>,
    /// Only what was refused
    #[arg(long)]
    refused: bool,
    /// Events to list at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
}

#[derive(Debug, clap::Args)]
struct Verify {
    /// Files of an audit log, as they are in data/audit, oldest first; none: the node checks its own
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Log key of the member, 64 hexadecimal digits as `wego member show --json` tells it; repeat it when it was rotated
    #[arg(long, value_name = "KEY", requires = "files", value_parser = public_key)]
    key: Vec<PublicKey>,
    /// Roster chain with the member's keys, as `wego roster show --out` wrote it
    #[arg(long, value_name = "FILE", requires_all = ["files", "member"])]
    roster: Option<PathBuf>,
    /// Whose log it is
    #[arg(long, value_name = "HANDLE", requires = "roster")]
    member: Option<String>,
    /// Federation the roster must be of, 64 hexadecimal digits
    #[arg(long, value_name = "ID", requires = "roster")]
    federation: Option<FederationId>,
    /// A head noted earlier, as `verify` prints it: only this shows that the end of a log is missing
    #[arg(long, value_name = "N/HASH")]
    head: Option<Head>,
}

/// A time, or how long ago.
#[derive(Debug, Clone, Copy)]
enum Moment {
    AtMs(u64),
    Ago(Duration),
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(time) = text.parse::<Timestamp>() {
            return u64::try_from(time.as_millisecond()).map(Self::AtMs).map_err(|_| "must be after 1970");
        }
        let ago = text.parse::<SignedDuration>().ok().and_then(|ago| Duration::try_from(ago).ok());
        ago.map(Self::Ago).ok_or("must be a time like 2026-01-31T08:00:00Z, or how long ago, like 36h")
    }
}

impl Moment {
    fn ms(self, now_ms: u64) -> u64 {
        match self {
            Self::AtMs(ms) => ms,
            Self::Ago(ago) => now_ms.saturating_sub(u64::try_from(ago.as_millis()).unwrap_or(u64::MAX)),
        }
    }
}

/// Number and hash of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    n: u64,
    hash: Hash,
}

impl FromStr for Head {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (n, hash) = text.split_once('/').ok_or("must be a number, a slash and 64 hexadecimal digits")?;
        match (n.parse(), hash.parse()) {
            (Ok(n), Ok(hash)) if n > 0 => Ok(Self { n, hash }),
            _ => Err("must be a number, a slash and 64 hexadecimal digits"),
        }
    }
}

#[derive(Serialize)]
struct Listing {
    events: Vec<Event>,
}

#[derive(Serialize)]
struct Event {
    n: u64,
    time: String,
    actor: String,
    key: String,
    role: String,
    via: String,
    action: String,
    target: String,
    reason: String,
    result: String,
    code: String,
    text: String,
    request_id: String,
    times: u64,
}

#[derive(Debug, Default, Serialize)]
struct Checked {
    verified: bool,
    first: u64,
    last: u64,
    head: Option<String>,
    breaks: Vec<String>,
}

pub(crate) async fn run(args: Args, cx: &mut Context) -> Outcome {
    match args.command {
        Command::List(args) => list(args, cx).await,
        Command::Verify(args) if args.files.is_empty() => tell(through_node(args.head, cx).await?, cx),
        Command::Verify(args) => tell(of_files(args, cx)?, cx),
    }
}

async fn list(args: List, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let now_ms = cx.now_ms();
    let mut request = v1::ListAuditRequest {
        since_ms: args.since.map_or(0, |moment| moment.ms(now_ms)),
        until_ms: args.until.map_or(0, |moment| moment.ms(now_ms)),
        actor: args.actor.unwrap_or_default(),
        action: args.action.unwrap_or_default(),
        refused: args.refused,
        page_size: PAGE.min(u32::try_from(args.limit).unwrap_or(PAGE)).max(1),
        page_token: String::new(),
    };
    let mut client = node.audit();
    let mut events: Vec<Event> = Vec::new();
    loop {
        let page = node.ask("list the audit log", client.list(request.clone())).await?;
        events.extend(page.events.into_iter().map(Event::told));
        request.page_token = page.next_page_token;
        if events.len() >= args.limit || request.page_token.is_empty() {
            break;
        }
    }
    let more = events.len() > args.limit || !request.page_token.is_empty();
    events.truncate(args.limit);
    match cx.format {
        Format::Json => cx.print_json(&Listing { events })?,
        Format::Human if events.is_empty() => cx.say("no such event"),
        Format::Human => {
            cx.print_table(table(&events))?;
            if more {
                cx.say("there may be older ones: --limit shows more");
            }
        }
    }
    Ok(ExitCode::Ok)
}

fn table(events: &[Event]) -> Table {
    let mut table = Table::new(&["EVENT", "TIME", "ACTOR", "ACTION", "TARGET", "RESULT", "REASON"]);
    table.align_right(0);
    for event in events {
        let actor = if event.actor.is_empty() { format!("? {}", event.key) } else { event.actor.clone() };
        let times = if event.times > 1 { format!(", {} times", event.times) } else { String::new() };
        let code = if event.code.is_empty() { String::new() } else { format!(": {}", event.code) };
        table.row([
            event.n.to_string(),
            event.time.clone(),
            actor,
            event.action.clone(),
            event.target.clone(),
            format!("{}{code}{times}", event.result),
            event.reason.clone(),
        ]);
    }
    table
}

async fn through_node(head: Option<Head>, cx: &mut Context) -> Result<Checked, Failure> {
    let node = cx.connect().await?;
    let mut client = node.audit();
    let mut request = v1::VerifyAuditRequest {
        from: 0,
        noted_n: head.map_or(0, |head| head.n),
        noted_hash: head.map(|head| head.hash.as_bytes().to_vec()).unwrap_or_default(),
    };
    let mut checked = Checked::default();
    loop {
        let reply = node.ask("check the audit log", client.verify(request.clone())).await?;
        if checked.first == 0 {
            checked.first = reply.first;
        }
        if reply.last > 0 {
            checked.last = reply.last;
            checked.head = Some(format!("{}/{}", reply.last, hex(&reply.last_hash)));
        }
        checked.breaks.extend(reply.breaks);
        // Forward only, whatever the node answers.
        if reply.next_from <= request.from {
            return Ok(checked);
        }
        request.from = reply.next_from;
    }
}

fn of_files(args: Verify, cx: &mut Context) -> Result<Checked, Failure> {
    let keys = keys(&args, cx)?;
    let mut chain = Chain::new(&keys, None);
    if let Some(Head { n, hash }) = args.head {
        chain = chain.expect((n, hash));
    }
    let mut checked = Checked::default();
    let (newest, older) =
        args.files.split_last().map_or((None, args.files.as_slice()), |(a, b)| (Some(a), b));
    for file in older.iter().chain(newest) {
        let mut text = cx.read_text(file)?;
        let whole = text.rfind('\n').map_or(0, |at| at + 1);
        if Some(file) == newest && whole < text.len() {
            let file = file.display();
            cx.warn(&format!("{file} ends in the middle of an event: it was copied while it was written"));
            text.truncate(whole);
        }
        for line in text.split_terminator('\n') {
            checked.breaks.extend(chain.step(line).err().map(|found| found.to_string()));
        }
    }
    checked.breaks.extend(chain.finish().err().map(|found| found.to_string()));
    checked.first = chain.first().unwrap_or(0);
    checked.last = chain.last().map_or(0, |(n, _)| n);
    checked.head = chain.last().map(|(n, hash)| format!("{n}/{hash}"));
    Ok(checked)
}

fn keys(args: &Verify, cx: &mut Context) -> Result<Vec<PublicKey>, Failure> {
    let mut keys = args.key.clone();
    if let (Some(roster), Some(handle)) = (&args.roster, &args.member) {
        let file = OfflineRoster::new(roster.clone(), args.federation);
        let versions = file.open_all(cx)?;
        let members = versions.iter().filter_map(|version| version.member_by_handle(handle));
        let before = keys.len();
        // Also the keys of earlier versions: they signed earlier events.
        keys.extend(members.flat_map(|member| member.log_keys.iter().map(|key| key.key)));
        if keys.len() == before {
            let what = format!("the roster has no member {handle}");
            return Err(Failure::usage(what, "`wego roster show FILE` lists the handles"));
        }
        file.remind(cx);
    }
    if keys.is_empty() {
        return Err(Failure::usage(
            "files can only be checked with the key that signed them",
            "give --key KEY, or --roster FILE with --member HANDLE",
        ));
    }
    Ok(keys)
}

fn tell(mut checked: Checked, cx: &mut Context) -> Outcome {
    checked.verified = checked.breaks.is_empty();
    match cx.format {
        Format::Json => cx.print_json(&checked)?,
        Format::Human if checked.verified => {
            let good = cx.styled(Style::Good, "verified");
            let text = match &checked.head {
                Some(head) => format!("{good}: events {} to {}\nhead {head}\n", checked.first, checked.last),
                None => format!("{good}: no event yet\n"),
            };
            cx.print(&text)?;
        }
        Format::Human => {}
    }
    if checked.verified {
        if checked.head.is_some() {
            cx.say("note the head elsewhere: only a noted head shows later that the end of a log is missing");
        }
        return Ok(ExitCode::Ok);
    }
    let count = checked.breaks.len();
    let what = format!(
        "the audit log is not what the node wrote, in {count} place{}",
        if count == 1 { "" } else { "s" }
    );
    let found: Vec<_> = checked.breaks.iter().map(|found| one_line(found).into_owned()).collect();
    Err(Failure::integrity(
        what,
        "keep the files as they are, and compare with copies; if the log key was rotated, give the older key too",
    )
    .because(found.join("\n")))
}

impl Event {
    fn told(event: v1::AuditEvent) -> Self {
        Self {
            n: event.n,
            time: event.time,
            actor: event.actor,
            key: event.key,
            role: event.role,
            via: event.via,
            action: event.action,
            target: event.target,
            reason: event.reason,
            result: event.result,
            code: event.code,
            text: event.text,
            request_id: event.request_id,
            times: event.times,
        }
    }
}

fn public_key(text: &str) -> Result<PublicKey, String> {
    let bytes: Hash = text.parse().map_err(|_| "must be 64 hexadecimal digits".to_owned())?;
    PublicKey::from_bytes(bytes.as_bytes()).map_err(|error| error.to_string())
}
