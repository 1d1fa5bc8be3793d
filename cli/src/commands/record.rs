//! `wego record`: any record, and the proof that it says what it says.
//!
//! `verify` must never talk to anybody: it is for those who trust nobody but the roster they hold.

use std::path::PathBuf;

use clap::Subcommand;
use serde::Serialize;
use wego_proto::{
    armour::{self, Label},
    id::RecordId,
    proof::{self, Proven},
    roster::Roster,
    v1,
};

use crate::{
    args::{OfflineRoster, OutFile},
    context::{Context, Format},
    error::{ExitCode, Failure, Outcome},
    form::{RecordForm, pick},
    output::{self, Style, Table, one_line},
    records::{erase, hex, kind_of, list, read, seen, titles},
    words::Word as _,
};

/// Show any record, export its proof, and check proofs offline
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego record export ID --out bus.proof             from your node
  wego roster show --out roster.pem
  wego record verify bus.proof --roster roster.pem  anywhere, without any node")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List records of all kinds, newest first
    List(list::List),
    /// Show a record and who signed it
    Show(read::Show),
    /// Show all versions of a record
    History(read::Which),
    /// Write the proof that a record says what it says, for people without a node
    Export(Export),
    /// Have the contents of one of your records erased at every member, for ever
    Erase(erase::Erase),
    /// Show which members have a record
    Seen(seen::Seen),
    /// Check a proof against a roster, offline; exit code 7 when it does not hold
    Verify(Verify),
}

#[derive(Debug, clap::Args)]
struct Export {
    /// Id of the record, 32 hexadecimal digits
    id: RecordId,
    #[command(flatten)]
    out: OutFile,
}

#[derive(Debug, clap::Args)]
struct Verify {
    /// Proof, as `wego record export` wrote it; - reads stdin
    proof: PathBuf,
    #[command(flatten)]
    against: OfflineRoster,
}

#[derive(Serialize)]
struct Verified {
    verified: bool,
    federation_name: String,
    federation_id: String,
    roster_version: u64,
    signed_by: String,
    at: String,
    signed_at: Option<String>,
    key_no: u32,
    key_fingerprint: String,
    record_id: Option<String>,
    entry_hash: String,
    kind: &'static str,
    title: Option<String>,
    record: Option<RecordForm>,
}

pub(crate) async fn run(args: Args, cx: &mut Context) -> Outcome {
    match args.command {
        Command::List(args) => list::list(args, None, cx).await,
        Command::Show(args) => read::show(args, None, cx).await,
        Command::History(args) => read::history(args, cx).await,
        Command::Export(args) => export(args, cx).await,
        Command::Erase(args) => erase::erase(args, cx).await,
        Command::Seen(args) => seen::seen(args, cx).await,
        Command::Verify(args) => verify(&args, cx),
    }
}

async fn export(args: Export, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let view = read::read(args.id, &node).await?;
    let mut client = node.catalogue();
    let request = v1::ReadRequest { record_id: args.id.as_bytes().to_vec() };
    let proof = node.ask(&format!("export {}", args.id), client.export(request)).await?;
    let title = view.record.as_ref().map(|record| pick(titles(record), "en")).unwrap_or_default();
    let preamble = [
        format!("record: {} {}", args.id, one_line(title)),
        format!("signed by: {}", one_line(&proof.origin_handle)),
        format!("federation: {}", hex(&proof.federation_id)),
        "check it: wego record verify THIS-FILE --roster roster.pem".to_owned(),
    ];
    let text = armour::write(Label::RecordProof, &preamble, &proof);
    args.out.write("proof", &text, cx)?;
    Ok(ExitCode::Ok)
}

fn verify(args: &Verify, cx: &mut Context) -> Outcome {
    let roster = args.against.open(cx)?;
    let text = cx.read_text(&args.proof)?;
    let not_proven = || {
        Failure::integrity(
            format!("{} proves nothing", args.proof.display()),
            "do not rely on the record: export it again from a node, and ask where this file comes from",
        )
    };
    let proof: v1::RecordProof =
        armour::read(Label::RecordProof, &text).map_err(|error| not_proven().because(error))?;
    let proven = proof::verify(&proof, &roster).map_err(|error| not_proven().because(error))?;
    let verified = verified(proven, &roster);
    match cx.format {
        Format::Json => cx.print_json(&verified)?,
        Format::Human => print(&verified, cx)?,
    }
    args.against.remind(cx);
    Ok(ExitCode::Ok)
}

fn verified(proven: Proven, roster: &Roster) -> Verified {
    let header = proven.entry.header();
    let kind = proven.record.as_ref().map_or("withdrawal", |record| kind_of(record).word());
    let title = proven.record.as_ref().map(|record| pick(titles(record), "en").to_owned());
    Verified {
        verified: true,
        federation_name: roster.content().federation_name.clone(),
        federation_id: roster.federation().to_string(),
        roster_version: roster.version(),
        signed_by: proven.member.handle.clone(),
        at: header.at.to_string(),
        signed_at: output::rfc3339(header.hlc_ms),
        key_no: header.key_no,
        key_fingerprint: proven.key.fingerprint(),
        record_id: header.record_id.map(|id| id.to_string()),
        entry_hash: proven.entry.hash().to_string(),
        kind,
        title: title.filter(|title| !title.is_empty()),
        record: proven.record.and_then(RecordForm::of),
    }
}

fn print(verified: &Verified, cx: &mut Context) -> Result<(), Failure> {
    let good = cx.styled(Style::Good, "verified");
    cx.print(&format!("{good}: signed by {}\n\n", one_line(&verified.signed_by)))?;
    let mut table = Table::pairs();
    if let Some(title) = &verified.title {
        table.row(["title", title]);
    }
    let id = verified.record_id.as_deref().unwrap_or("none");
    table.row(["record", &format!("{id} ({})", verified.kind)]);
    table.row(["signed by", &verified.signed_by]);
    table.row(["position", &verified.at]);
    table.row([
        "signed at",
        &format!("{} (author's clock)", verified.signed_at.as_deref().unwrap_or("unknown")),
    ]);
    table.row(["key", &format!("{}  number {}", verified.key_fingerprint, verified.key_no)]);
    table.row(["entry", &verified.entry_hash]);
    let federation = format!("{}, roster version {}", verified.federation_name, verified.roster_version);
    table.row(["federation", &federation]);
    table.row(["federation id", &verified.federation_id]);
    cx.print_table(table)
}
