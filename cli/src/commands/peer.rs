//! `wego peer`: the nodes this one exchanges with.

use clap::Subcommand;
use serde::Serialize;
use wego_proto::v1;

use crate::{
    args::{DryRun, Mode, Yes},
    client::Node,
    context::{Assent, Context, Format},
    error::{ExitCode, Failure, Outcome},
    output::{self, Table},
    words::Word as _,
};

/// Show and choose the nodes this one exchanges with
///
/// The node finds peers by itself; add one to keep a session with it always, or to dial it at another address.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego peer list
  wego peer ping sn-dakar
  wego peer add sn-dakar --endpoint dakar.example:7400
  wego peer remove sn-dakar --yes")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the peers, their state and what they have that this node lacks
    List,
    /// Keep a session with a member, also after a restart
    Add(Add),
    /// Take `add` back; the node may still choose the member by itself
    Remove(Remove),
    /// Dial a member afresh and check its key; exit code 5 when that fails
    Ping {
        /// The member's handle
        handle: String,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// The member's handle
    handle: String,
    /// Dial this address besides the roster's
    #[arg(long, value_name = "HOST:PORT")]
    endpoint: Option<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

#[derive(Debug, clap::Args)]
struct Remove {
    /// The member's handle
    handle: String,
    #[command(flatten)]
    yes: Yes,
    #[command(flatten)]
    dry_run: DryRun,
}

#[derive(Serialize)]
struct Listing {
    peers: Vec<Peer>,
}

#[derive(Serialize)]
struct One {
    dry_run: bool,
    peer: Option<Peer>,
}

/// A peer as it is shown.
#[derive(Serialize)]
pub(crate) struct Peer {
    handle: String,
    endpoint: String,
    state: &'static str,
    pinned: bool,
    dialled: bool,
    since: Option<String>,
    last_contact_at: Option<String>,
    data_seen_at: Option<String>,
    next_try_at: Option<String>,
    lag_entries: u64,
    sent_bytes: u64,
    received_bytes: u64,
    last_error: Option<String>,
    #[serde(skip)]
    last_contact_ms: u64,
    #[serde(skip)]
    seen_ms: u64,
}

#[derive(Serialize)]
struct Ping {
    handle: String,
    reached: bool,
    endpoint: String,
    handshake_us: u64,
    round_trip_us: u64,
    software: String,
    error: Option<String>,
}

pub(crate) async fn run(args: Args, cx: &mut Context) -> Outcome {
    match args.command {
        Command::List => list(cx).await,
        Command::Add(args) => add(args, cx).await,
        Command::Remove(args) => remove(args, cx).await,
        Command::Ping { handle } => ping(handle, cx).await,
    }
}

async fn list(cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let mut client = node.admin();
    let reply = node.ask("list the peers", client.list_peers(v1::ListPeersRequest {})).await?;
    let peers: Vec<Peer> = reply.peers.into_iter().map(peer).collect();
    match cx.format {
        Format::Json => cx.print_json(&Listing { peers })?,
        Format::Human if peers.is_empty() => cx.say("no peers: no other member has an endpoint yet"),
        Format::Human => {
            let now_ms = cx.now_ms();
            cx.print_table(table(&peers, now_ms))?;
        }
    }
    Ok(ExitCode::Ok)
}

/// A line for each peer.
pub(crate) fn table(peers: &[Peer], now_ms: u64) -> Table {
    let headers = ["PEER", "STATE", "LAG", "DATA SEEN", "LAST CONTACT", "ENDPOINT", "LAST ERROR"];
    let mut table = Table::new(&headers);
    for peer in peers {
        let pinned = if peer.pinned { ", added" } else { "" };
        table.row([
            peer.handle.as_str(),
            &format!("{}{pinned}", peer.state),
            &peer.lag_entries.to_string(),
            &output::ago(now_ms, peer.seen_ms),
            &output::ago(now_ms, peer.last_contact_ms),
            &peer.endpoint,
            peer.last_error.as_deref().unwrap_or_default(),
        ]);
    }
    table.align_right(2);
    table
}

async fn add(args: Add, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    if args.dry_run.mode() == Mode::DryRun {
        check_member(&args.handle, &node).await?;
        let at = args.endpoint.as_deref().unwrap_or("the roster's address");
        cx.say(&format!("would keep a session with {} at {at}", args.handle));
        return answer(One { dry_run: true, peer: None }, cx);
    }
    let request = v1::AddPeerRequest { handle: args.handle, endpoint: args.endpoint.unwrap_or_default() };
    let doing = format!("add {}", request.handle);
    let mut client = node.admin();
    let added = peer(node.ask(&doing, client.add_peer(request)).await?);
    cx.say(&format!("{} is kept as a peer: {}", added.handle, added.state));
    answer(One { dry_run: false, peer: Some(added) }, cx)
}

async fn remove(args: Remove, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let federation = node.federation().await?;
    let handle = args.handle;
    let plan = format!(
        "{} of {} will not keep {handle} as a peer any more; it may still choose it by itself.",
        federation.own.handle, federation.name
    );
    if args.dry_run.mode() == Mode::DryRun {
        check_member(&handle, &node).await?;
        cx.say(&plan);
        return answer(One { dry_run: true, peer: None }, cx);
    }
    cx.confirm(&plan, Assent::from_flag(args.yes.yes)).await?;
    let doing = format!("remove {handle}");
    let mut client = node.admin();
    node.ask(&doing, client.remove_peer(v1::RemovePeerRequest { handle })).await?;
    cx.say("removed");
    answer(One { dry_run: false, peer: None }, cx)
}

async fn ping(handle: String, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let doing = format!("ping {handle}");
    let mut client = node.admin();
    let reply = node.ask(&doing, client.ping_peer(v1::PingPeerRequest { handle: handle.clone() })).await?;
    let failed = (!reply.reached).then(|| reply.error.clone());
    let ping = Ping {
        handle,
        reached: reply.reached,
        endpoint: reply.endpoint,
        handshake_us: reply.handshake_us,
        round_trip_us: reply.round_trip_us,
        software: reply.software,
        error: failed.clone(),
    };
    let ms = |us: u64| format!("{}.{:03} ms", us / 1_000, us % 1_000);
    match cx.format {
        Format::Json => cx.print_json(&ping)?,
        Format::Human if ping.reached => {
            let text = format!(
                "{} at {}: handshake {}, round trip {}, {}\n",
                output::one_line(&ping.handle),
                output::one_line(&ping.endpoint),
                ms(ping.handshake_us),
                ms(ping.round_trip_us),
                output::one_line(&ping.software)
            );
            cx.print(&text)?;
        }
        Format::Human => {}
    }
    match failed {
        None => Ok(ExitCode::Ok),
        Some(error) => Err(Failure::new(
            ExitCode::Unreachable,
            format!("{} was not reached at {}", ping.handle, ping.endpoint),
            "the cause names the step: address, connection, its key, or its greeting",
        )
        .because(error)),
    }
}

async fn check_member(handle: &str, node: &Node) -> Result<(), Failure> {
    let mut client = node.members();
    let request = v1::ShowMemberRequest { handle: handle.to_owned() };
    node.ask(&format!("find {handle}"), client.show(request)).await.map(|_| ())
}

fn answer(one: One, cx: &mut Context) -> Outcome {
    if cx.format == Format::Json {
        cx.print_json(&one)?;
    }
    Ok(ExitCode::Ok)
}

/// A peer as it is shown.
pub(crate) fn peer(view: v1::PeerView) -> Peer {
    Peer {
        state: view.state().word(),
        pinned: view.pinned,
        dialled: view.dialled,
        since: output::rfc3339(view.since_ms),
        last_contact_at: output::rfc3339(view.last_contact_ms),
        data_seen_at: output::rfc3339(view.seen_ms),
        next_try_at: output::rfc3339(view.next_try_ms),
        lag_entries: view.lag_entries,
        sent_bytes: view.sent_bytes,
        received_bytes: view.received_bytes,
        last_error: Some(view.last_error).filter(|error| !error.is_empty()),
        last_contact_ms: view.last_contact_ms,
        seen_ms: view.seen_ms,
        handle: view.handle,
        endpoint: view.endpoint,
    }
}
