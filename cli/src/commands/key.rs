//! `wego key`: this member's keys, and how they change.

use std::path::PathBuf;

use clap::Subcommand;
use serde::Serialize;
use wego_proto::{
    id::Position,
    key::{Purpose, SecretKey},
    v1,
};

use crate::{
    args::Yes,
    commands::roster::{digest_fingerprint, fingerprint},
    context::{Assent, Context, Format},
    error::{ExitCode, Failure, Outcome},
    output::Table,
    profile::read_secret,
    words::Word as _,
};

mod transport;

/// Show this member's keys, change them, heal the log after a theft or a fork
///
/// A log key changes by opening a new epoch of the log; what was signed before stays valid and checkable for ever.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego key show
  wego key rotate                                    next-log.pem must be in the node's keys folder
  wego key rotate-transport                          peers and operators know both keys for a day
  wego key recover --recovery-key recovery.pem       after a fork, or when somebody else has the log key
  wego key recover --recovery-key recovery.pem --base 1.57    keep nothing after entry 57")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the log keys by epoch, the transport keys, and what is committed to
    Show,
    /// Let the next log key take over, and make the one after it
    Rotate(Rotate),
    /// Make a new transport key, which takes over when all members know it
    RotateTransport(transport::Args),
    /// Open a new epoch with the recovery key: heals a fork, and makes void what a thief wrote
    Recover(Recover),
}

#[derive(Debug, clap::Args)]
struct Rotate {
    #[command(flatten)]
    yes: Yes,
}

#[derive(Debug, clap::Args)]
struct Recover {
    /// The recovery key that `wego-node init` made; it is used here and never sent to the node
    #[arg(long, value_name = "FILE")]
    recovery_key: PathBuf,
    /// The last own entry that stays valid, as EPOCH.SEQ; the last one the node wrote when it is not given
    #[arg(long, value_name = "EPOCH.SEQ", value_parser = position)]
    base: Option<Position>,
    #[command(flatten)]
    yes: Yes,
}

#[derive(Serialize)]
struct Keys {
    log_key: Key,
    in_force: bool,
    next_log_key_digest: Option<String>,
    next_log_key_digest_fingerprint: String,
    next_log_key_here: bool,
    recovery_digest: Option<String>,
    recovery_digest_fingerprint: String,
    transport_keys: Vec<Key>,
    transport: transport::Transport,
    epochs: Vec<Epoch>,
}

#[derive(Serialize)]
struct Key {
    key: String,
    fingerprint: String,
}

#[derive(Serialize)]
struct Epoch {
    number: u32,
    opened_by: &'static str,
    base: Option<String>,
    key_no: u32,
    key: Key,
    counts: bool,
}

#[derive(Serialize)]
struct Opened {
    at: String,
    opened_by: &'static str,
    base: String,
    log_key: Key,
}

pub(crate) async fn run(args: Args, cx: &mut Context) -> Outcome {
    match args.command {
        Command::Show => show(cx).await,
        Command::Rotate(args) => rotate(args, cx).await,
        Command::RotateTransport(args) => transport::run(args, cx).await,
        Command::Recover(args) => recover(args, cx).await,
    }
}

async fn show(cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let reply = node.ask("show the keys", node.keys().show(v1::ShowKeysRequest {})).await?;
    let keys = Keys {
        log_key: key(&reply.log_key),
        in_force: reply.key_no > 0,
        next_log_key_digest: hex(&reply.next_log_key_digest),
        next_log_key_digest_fingerprint: digest_fingerprint(&reply.next_log_key_digest),
        next_log_key_here: reply.next_log_key_here,
        recovery_digest: hex(&reply.recovery_digest),
        recovery_digest_fingerprint: digest_fingerprint(&reply.recovery_digest),
        transport_keys: reply.transport_keys.iter().map(|bytes| key(bytes)).collect(),
        transport: transport::Transport::of(reply.transport.unwrap_or_default()),
        epochs: reply.epochs.iter().map(epoch).collect(),
    };
    if cx.format == Format::Json {
        cx.print_json(&keys)?;
        return Ok(ExitCode::Ok);
    }
    let mut facts = Table::pairs();
    let in_force = if keys.in_force { "in force" } else { "NOT in force" };
    facts.row(["log key", &format!("{} ({in_force})", keys.log_key.fingerprint)]);
    let next = match (&keys.next_log_key_digest, keys.next_log_key_here) {
        (None, _) => "none is committed to: only the recovery key can change the log key",
        (Some(_), true) => "in the keys folder; keep it elsewhere until you rotate",
        (Some(_), false) => "kept elsewhere, as it should be",
    };
    facts.row(["next log key", next]);
    keys.transport.tell(&mut facts);
    for other in keys.transport_keys.iter().filter(|key| !keys.transport.is(key)) {
        facts.row(["also valid", &other.fingerprint]);
    }
    facts.row(["next log key digest", &keys.next_log_key_digest_fingerprint]);
    facts.row(["recovery digest", &keys.recovery_digest_fingerprint]);
    cx.print_table(facts)?;
    cx.print("\n")?;
    let mut table = Table::new(&["EPOCH", "OPENED BY", "AFTER", "KEY", "FINGERPRINT", "COUNTS"]);
    for epoch in &keys.epochs {
        table.row([
            epoch.number.to_string().as_str(),
            epoch.opened_by,
            epoch.base.as_deref().unwrap_or("-"),
            &epoch.key_no.to_string(),
            &epoch.key.fingerprint,
            if epoch.counts { "yes" } else { "no" },
        ]);
    }
    table.align_right(0);
    cx.print_table(table)?;
    Ok(ExitCode::Ok)
}

async fn rotate(args: Rotate, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let federation = node.federation().await?;
    let plan = format!(
        "{} of {}: the next log key takes over, and the one in use until now can sign nothing any more",
        federation.own.handle, federation.name
    );
    cx.confirm(&plan, Assent::from_flag(args.yes.yes)).await?;
    let opened = node.ask("rotate the log key", node.keys().rotate(v1::RotateRequest {})).await?;
    tell(&opened, cx)?;
    cx.say("move next-log.pem in the node's keys folder to an offline medium: it is for the next rotation");
    Ok(ExitCode::Ok)
}

async fn recover(args: Recover, cx: &mut Context) -> Outcome {
    let pem = read_secret(&args.recovery_key)?;
    let secret = SecretKey::from_pem(&pem).map_err(|error| {
        let what = format!("{} cannot be used to sign", args.recovery_key.display());
        Failure::usage(what, "give the recovery.pem that `wego-node init` wrote").because(error)
    })?;
    let node = cx.connect().await?;
    let federation = node.federation().await?;
    let request = v1::PrepareRecoveryRequest {
        recovery_key: secret.public().as_bytes().to_vec(),
        base: args.base.map(Into::into),
    };
    let prepared = node.ask("prepare the recovery", node.keys().prepare_recovery(request)).await?;
    let base = prepared.base.map_or_else(|| "nothing".to_owned(), |at| format!("{}.{}", at.epoch, at.seq));
    let plan = format!(
        "{} of {}: a new epoch with a new log key goes on after entry {base}. Everything this member signed after it is \
         void from then on, at every node. Entries you want back are published again by hand",
        federation.own.handle, federation.name
    );
    cx.confirm(&plan, Assent::from_flag(args.yes.yes)).await?;
    let signature = secret.sign(Purpose::Entry, &[&prepared.federation_id, &prepared.header]);
    let commit =
        v1::CommitRecoveryRequest { header: prepared.header, signature: signature.as_bytes().to_vec() };
    let opened = node.ask("open the epoch", node.keys().commit_recovery(commit)).await?;
    tell(&opened, cx)?;
    cx.say("make new copies of the keys folder's next-log.pem; the recovery key stays the same");
    Ok(ExitCode::Ok)
}

fn tell(opened: &v1::OpenedEpoch, cx: &mut Context) -> Result<(), Failure> {
    let place =
        |at: Option<v1::Position>| at.map_or_else(|| "-".to_owned(), |at| format!("{}.{}", at.epoch, at.seq));
    let opened = Opened {
        at: place(opened.at),
        opened_by: opened.rank().word(),
        base: place(opened.base),
        log_key: key(&opened.key),
    };
    match cx.format {
        Format::Json => cx.print_json(&opened),
        Format::Human => {
            let mut facts = Table::pairs();
            facts.row(["opened", opened.at.as_str()]);
            facts.row(["after", opened.base.as_str()]);
            facts.row(["log key", opened.log_key.fingerprint.as_str()]);
            cx.print_table(facts)
        }
    }
}

fn epoch(view: &v1::EpochView) -> Epoch {
    Epoch {
        number: view.number,
        opened_by: view.rank().word(),
        base: view.base.map(|at| format!("{}.{}", at.epoch, at.seq)),
        key_no: view.key_no,
        key: key(&view.key),
        counts: view.counts,
    }
}

fn key(bytes: &[u8]) -> Key {
    Key { key: hex(bytes).unwrap_or_default(), fingerprint: fingerprint(bytes) }
}

fn hex(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty()).then(|| data_encoding::HEXLOWER.encode(bytes))
}

/// Reads EPOCH.SEQ.
fn position(text: &str) -> Result<Position, String> {
    let wrong = || "must be EPOCH.SEQ, as 1.57".to_owned();
    let (epoch, seq) = text.split_once('.').ok_or_else(wrong)?;
    let position =
        v1::Position { epoch: epoch.parse().map_err(|_| wrong())?, seq: seq.parse().map_err(|_| wrong())? };
    position.try_into().map_err(|_| wrong())
}
