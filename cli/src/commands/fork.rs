//! `wego fork`: members that signed two histories, and the proof of it.
//!
//! `verify` must never talk to anybody, as in `wego record verify`.

use std::path::PathBuf;

use clap::{Subcommand, builder::NonEmptyStringValueParser};
use serde::Serialize;
use wego_proto::{
    armour::{self, Label},
    entry::{Header, Unverified, Verified},
    fork::{self, ProvenFork},
    id::Hash,
    roster::Roster,
    v1::{self, EntryKind},
};

use crate::{
    args::{OfflineRoster, OutFile},
    context::{Context, Format},
    error::{ExitCode, Failure, Outcome},
    output::{self, Style, Table, one_line},
    records::hex,
    words::Word as _,
};

/// Show members that signed two histories, export the proof, and check proofs offline
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego fork list
  wego fork show sn-dakar                            what happened, in words
  wego fork export-proof sn-dakar --out dakar.fork
  wego roster show --out roster.pem
  wego fork verify dakar.fork --roster roster.pem    anywhere, without any node")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the members whose logs are frozen because they signed two histories
    List,
    /// Show what a member signed twice, and what follows from it
    Show(Which),
    /// Write the proof, for people without a node
    ExportProof(ExportProof),
    /// Check a proof against a roster, offline; exit code 7 when it does not hold
    Verify(Verify),
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The member's handle, as kr-seoul
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    handle: String,
}

#[derive(Debug, clap::Args)]
struct ExportProof {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    out: OutFile,
}

#[derive(Debug, clap::Args)]
struct Verify {
    /// Proof, as `wego fork export-proof` wrote it; - reads stdin
    proof: PathBuf,
    #[command(flatten)]
    against: OfflineRoster,
}

#[derive(Serialize)]
struct Listing {
    forks: Vec<Fork>,
}

#[derive(Serialize)]
struct One {
    fork: Fork,
}

#[derive(Serialize)]
struct Checked {
    verified: bool,
    federation_name: String,
    federation_id: String,
    roster_version: u64,
    fork: Fork,
}

#[derive(Serialize)]
struct Fork {
    handle: String,
    at: String,
    prev: String,
    entries: [Side; 2],
}

/// One of the two entries.
#[derive(Serialize)]
struct Side {
    entry_hash: String,
    kind: &'static str,
    record_id: Option<String>,
    key_no: u32,
    signed_at: Option<String>,
    #[serde(skip)]
    signed_ms: u64,
}

pub(crate) async fn run(args: Args, cx: &mut Context) -> Outcome {
    match args.command {
        Command::List => list(cx).await,
        Command::Show(which) => show(&which, cx).await,
        Command::ExportProof(args) => export_proof(args, cx).await,
        Command::Verify(args) => verify(&args, cx),
    }
}

async fn list(cx: &mut Context) -> Outcome {
    let files = ask("", "list the forks", cx).await?;
    let forks = files.iter().map(Fork::told).collect::<Result<Vec<_>, _>>()?;
    let count = forks.len();
    if cx.format == Format::Json {
        cx.print_json(&Listing { forks })?;
        return Ok(ExitCode::Ok);
    }
    let now_ms = cx.now_ms();
    let mut table = Table::new(&["HANDLE", "AT", "ONE SIGNED", "OTHER SIGNED"]);
    for fork in &forks {
        let [one, other] = fork.entries.each_ref().map(|side| output::ago(now_ms, side.signed_ms));
        table.row([fork.handle.as_str(), &fork.at, &one, &other]);
    }
    if count > 0 {
        cx.print_table(table)?;
    }
    cx.say(match count {
        0 => "no member is known to have signed two histories",
        _ => "entries from these positions on count nowhere; `wego fork show HANDLE` says what happened",
    });
    Ok(ExitCode::Ok)
}

async fn show(which: &Which, cx: &mut Context) -> Outcome {
    let fork = Fork::told(&newest(which, cx).await?)?;
    match cx.format {
        Format::Json => cx.print_json(&One { fork })?,
        Format::Human => explain(&fork, cx)?,
    }
    Ok(ExitCode::Ok)
}

async fn export_proof(args: ExportProof, cx: &mut Context) -> Outcome {
    let file = newest(&args.which, cx).await?;
    let preamble = [
        format!("signed two histories: {}", one_line(&file.origin_handle)),
        format!("federation: {}", hex(&file.federation_id)),
        "check it: wego fork verify THIS-FILE --roster roster.pem".to_owned(),
    ];
    let text = armour::write(Label::ForkProof, &preamble, &file);
    args.out.write("proof", &text, cx)?;
    Ok(ExitCode::Ok)
}

fn verify(args: &Verify, cx: &mut Context) -> Outcome {
    let roster = args.against.open(cx)?;
    let text = cx.read_text(&args.proof)?;
    let not_proven = || {
        Failure::integrity(
            format!("{} proves nothing", args.proof.display()),
            "do not accuse anybody: export it again from a node, and ask where this file comes from",
        )
    };
    let file: v1::ForkProofFile =
        armour::read(Label::ForkProof, &text).map_err(|error| not_proven().because(error))?;
    if file.federation_id != roster.federation().as_bytes() {
        let found = format!(
            "it is of federation {}, the roster of {}",
            hex(&file.federation_id),
            roster.federation()
        );
        return Err(not_proven().because(found));
    }
    let proof = file.proof.unwrap_or_default();
    let proven = fork::verify(&proof, &roster).map_err(|error| not_proven().because(error))?;
    let checked = checked(&proven, &roster);
    match cx.format {
        Format::Json => cx.print_json(&checked)?,
        Format::Human => {
            let good = cx.styled(Style::Good, "verified");
            cx.print(&format!("{good}: "))?;
            explain(&checked.fork, cx)?;
        }
    }
    args.against.remind(cx);
    Ok(ExitCode::Ok)
}

fn checked(proven: &ProvenFork, roster: &Roster) -> Checked {
    Checked {
        verified: true,
        federation_name: roster.content().federation_name.clone(),
        federation_id: roster.federation().to_string(),
        roster_version: roster.version(),
        fork: Fork::of(&proven.member.handle, proven.entries.each_ref().map(Side::proven)),
    }
}

async fn ask(handle: &str, doing: &str, cx: &mut Context) -> Result<Vec<v1::ForkProofFile>, Failure> {
    let node = cx.connect().await?;
    let mut client = node.members();
    let request = v1::ForksRequest { handle: handle.to_owned() };
    Ok(node.ask(doing, client.forks(request)).await?.forks)
}

/// The proof of a member's newest fork.
async fn newest(which: &Which, cx: &mut Context) -> Result<v1::ForkProofFile, Failure> {
    let handle = &which.handle;
    let forks = ask(handle, &format!("show the fork of {handle}"), cx).await?;
    forks.into_iter().next_back().ok_or_else(|| {
        let what = format!("{handle} is not known to have signed two histories");
        Failure::failed(what, "`wego fork list` shows who has")
    })
}

impl Fork {
    /// As a node tells it, which has checked it.
    fn told(file: &v1::ForkProofFile) -> Result<Self, Failure> {
        let proof = file.proof.clone().unwrap_or_default();
        let unreadable = || {
            let what = "the node sent a proof that cannot be read";
            Failure::failed(what, "use a `wego` of the same version as the node")
        };
        let side = |entry: Option<v1::Entry>| {
            let entry = Unverified::parse(entry.ok_or_else(unreadable)?);
            entry.map(|entry| Side::told(&entry)).map_err(|error| unreadable().because(error))
        };
        Ok(Self::of(&file.origin_handle, [side(proof.left)?, side(proof.right)?]))
    }

    fn of(handle: &str, sides: [(Header, Side); 2]) -> Self {
        let [(header, one), (_, other)] = sides;
        Self {
            handle: handle.to_owned(),
            at: header.at.to_string(),
            prev: header.prev.to_string(),
            entries: [one, other],
        }
    }
}

impl Side {
    fn told(entry: &Unverified) -> (Header, Self) {
        Self::of(entry.header(), entry.hash())
    }

    fn proven(entry: &Verified) -> (Header, Self) {
        Self::of(entry.header(), entry.hash())
    }

    fn of(header: &Header, hash: Hash) -> (Header, Self) {
        let side = Self {
            entry_hash: hash.to_string(),
            kind: header.known_kind().unwrap_or(EntryKind::Unspecified).word(),
            record_id: header.record_id.map(|id| id.to_string()),
            key_no: header.key_no,
            signed_at: output::rfc3339(header.hlc_ms),
            signed_ms: header.hlc_ms,
        };
        (header.clone(), side)
    }
}

/// What happened, in words.
fn explain(fork: &Fork, cx: &mut Context) -> Result<(), Failure> {
    let handle = one_line(&fork.handle);
    cx.print(&format!("{handle} signed two different entries at {}\n\n", fork.at))?;
    let mut table = Table::pairs();
    table.row(["after", &fork.prev]);
    for (which, side) in ["one", "other"].into_iter().zip(&fork.entries) {
        table.row([which, &side.entry_hash]);
        let record = side.record_id.as_deref().map_or(String::new(), |id| format!(" record {id}"));
        let signed_at = side.signed_at.as_deref().unwrap_or("unknown");
        table.row(["", &format!("{}{record}, {signed_at} (author's clock), key {}", side.kind, side.key_no)]);
    }
    cx.print_table(table)?;
    cx.print(&format!(
        "\n\
         Everything before {at} stays valid. Nothing from {at} on counts, at any node, whichever\n\
         entry came first. An honest node never signs twice at one position: the log key was stolen,\n\
         or a copied or restored folder was started beside the real one.\n",
        at = fork.at
    ))
}
