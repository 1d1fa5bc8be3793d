//! `wego member`: the cities of the federation as this node knows them, and what this one says of itself.

use clap::Subcommand;
use serde::Serialize;
use wego_proto::{roster::last_signed, v1};

use crate::{
    commands::roster::{digest_fingerprint, fingerprint},
    context::{Context, Format},
    error::{ExitCode, Failure, Outcome},
    output::{self, Table},
    roster::diff::{listed, position},
    words::Word as _,
};

mod set;

/// Show the members of the federation, and say how this one is called and reached
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego member list
  wego member show sn-dakar
  wego member set --endpoint wego.seoul.go.kr:7400
  wego member set --name 'fr=Séoul' --portal-url https://wego.seoul.go.kr/ --dry-run")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List all members and how current their data is here
    List,
    /// Show one member with its keys' fingerprints
    Show {
        /// The member's handle, as kr-seoul
        handle: String,
    },
    /// Say in this member's log how it is called, where its node is reached and where its pages are
    Set(set::Set),
}

#[derive(Serialize)]
struct Listing {
    federation_name: String,
    federation_id: String,
    roster_version: u64,
    roster_expired: bool,
    members: Vec<Member>,
}

#[derive(Serialize)]
struct One {
    member: Member,
}

#[derive(Serialize)]
struct Member {
    handle: String,
    names: std::collections::BTreeMap<String, String>,
    country: String,
    place: String,
    status: &'static str,
    cut_at: Option<String>,
    role: &'static str,
    term_from: Option<String>,
    term_until: Option<String>,
    #[serde(rename = "self")]
    own: bool,
    connected: bool,
    records: u64,
    head: Option<String>,
    seen_at: Option<String>,
    forked: bool,
    fork_at: Option<String>,
    city_id: String,
    endpoints: Vec<String>,
    portal_url: Option<String>,
    log_keys: Vec<LogKey>,
    transport_keys: Vec<Key>,
    next_log_key_digest_fingerprint: String,
    recovery_digest_fingerprint: String,
    #[serde(skip)]
    seen_ms: u64,
}

#[derive(Serialize)]
struct Key {
    key: String,
    fingerprint: String,
}

#[derive(Serialize)]
struct LogKey {
    key_no: u32,
    #[serde(flatten)]
    key: Key,
    from: String,
    /// The last entry it signs; none where it signs what comes next.
    to: Option<String>,
}

pub(crate) async fn run(args: Args, cx: &mut Context) -> Outcome {
    match args.command {
        Command::List => list(cx).await,
        Command::Show { handle } => show(handle, cx).await,
        Command::Set(args) => set::run(args, cx).await,
    }
}

async fn list(cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let mut client = node.members();
    let reply = node.ask("list the members", client.list(v1::ListMembersRequest {})).await?;
    let listing = Listing {
        federation_name: reply.federation_name,
        federation_id: data_encoding::HEXLOWER.encode(&reply.federation_id),
        roster_version: reply.roster_version,
        roster_expired: reply.roster_expired,
        members: reply.members.into_iter().map(member).collect(),
    };
    if cx.format == Format::Json {
        cx.print_json(&listing)?;
        return Ok(ExitCode::Ok);
    }
    let now_ms = cx.now_ms();
    let mut table = Table::new(&["HANDLE", "NAME", "ROLE", "STATUS", "RECORDS", "DATA SEEN", ""]);
    for member in &listing.members {
        table.row([
            member.handle.as_str(),
            &any_name(member),
            member.role,
            member.status,
            &member.records.to_string(),
            &if member.own { "here".to_owned() } else { output::ago(now_ms, member.seen_ms) },
            remark(member),
        ]);
    }
    table.align_right(4);
    cx.print_table(table)?;
    let count = listing.members.len();
    cx.say(&format!(
        "{count} members of {}, roster version {}",
        listing.federation_name, listing.roster_version
    ));
    if listing.roster_expired {
        cx.warn("the roster is past its expiry: nobody can be admitted until a version renews it");
    }
    Ok(ExitCode::Ok)
}

async fn show(handle: String, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let mut client = node.members();
    let doing = format!("show {handle}");
    let view = node.ask(&doing, client.show(v1::ShowMemberRequest { handle })).await?;
    let member = member(view);
    match cx.format {
        Format::Json => cx.print_json(&One { member })?,
        Format::Human => print(&member, cx)?,
    }
    Ok(ExitCode::Ok)
}

fn print(member: &Member, cx: &mut Context) -> Result<(), Failure> {
    let mut table = Table::pairs();
    table.row(["handle", &member.handle]);
    for (lang, name) in &member.names {
        table.row([&format!("name ({lang})"), name]);
    }
    table.row(["place", &format!("{} {}", member.country, member.place)]);
    table.row(["role", member.role]);
    let [from, until] = [&member.term_from, &member.term_until].map(|day| day.as_deref().unwrap_or("open"));
    table.row(["term", &format!("{from} to {until}")]);
    let cut = member.cut_at.as_ref().map(|at| format!("its entries after {at} count no more"));
    let remark = cut.as_deref().or(Some(remark(member))).filter(|remark| !remark.is_empty());
    table
        .row(["status", &[Some(member.status), remark].into_iter().flatten().collect::<Vec<_>>().join(", ")]);
    table.row(["records", &member.records.to_string()]);
    table.row(["log", member.head.as_deref().unwrap_or("nothing held yet")]);
    table.row(["data seen", &output::ago(cx.now_ms(), member.seen_ms)]);
    table.row(["endpoints", &listed(&member.endpoints)]);
    table.row(["portal", member.portal_url.as_deref().unwrap_or("none")]);
    table.row(["city id", &member.city_id]);
    for LogKey { key_no, key, from, to } in &member.log_keys {
        let signs = match to {
            Some(to) => format!("signed {from} to {to}"),
            None => format!("signs from {from} on"),
        };
        table.row([&format!("log key {key_no}"), &format!("{}  {signs}", key.fingerprint)]);
    }
    for key in &member.transport_keys {
        table.row(["transport key", &key.fingerprint]);
    }
    table.row(["next log key digest", &member.next_log_key_digest_fingerprint]);
    table.row(["recovery digest", &member.recovery_digest_fingerprint]);
    cx.print_table(table)
}

fn remark(member: &Member) -> &'static str {
    if member.forked {
        "signed two histories"
    } else if member.connected {
        "connected"
    } else {
        ""
    }
}

fn any_name(member: &Member) -> String {
    let name = member.names.get("en").or_else(|| member.names.values().next());
    name.cloned().unwrap_or_default()
}

fn member(view: v1::MemberView) -> Member {
    let dotted = |at: v1::Position| position(Some(at));
    let raw = view.member.unwrap_or_default();
    let (status, role) = (raw.status().word(), raw.role().word());
    Member {
        status,
        cut_at: raw.cut.and_then(|cut| cut.at).map(dotted),
        role,
        term_from: output::rfc3339(raw.term_from_ms),
        term_until: output::rfc3339(raw.term_until_ms),
        own: view.self_,
        connected: view.connected,
        records: view.records,
        head: view.head.map(|head| format!("{}.{}", head.epoch, head.seq)),
        seen_at: output::rfc3339(view.seen_ms),
        seen_ms: view.seen_ms,
        forked: view.forked,
        fork_at: view.fork_at.map(dotted),
        city_id: data_encoding::HEXLOWER.encode(&raw.city_id),
        log_keys: raw.log_keys.iter().map(log_key).collect(),
        transport_keys: raw.transport_keys.iter().map(|bytes| key(bytes)).collect(),
        next_log_key_digest_fingerprint: digest_fingerprint(&raw.next_log_key_digest),
        recovery_digest_fingerprint: digest_fingerprint(&raw.recovery_digest),
        names: raw.names.into_iter().map(|name| (name.lang, name.text)).collect(),
        handle: raw.handle,
        country: raw.country,
        place: raw.place,
        endpoints: raw.endpoints,
        portal_url: Some(raw.portal_url).filter(|url| !url.is_empty()),
    }
}

fn log_key(raw: &v1::LogKey) -> LogKey {
    let to = last_signed(raw).map(|last| position(Some(last)));
    LogKey { key_no: raw.key_no, key: key(&raw.key), from: position(raw.from), to }
}

fn key(bytes: &[u8]) -> Key {
    Key { key: data_encoding::HEXLOWER.encode(bytes), fingerprint: fingerprint(bytes) }
}
