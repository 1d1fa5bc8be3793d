//! `wego roster`: found a federation, change its roster, collect signatures, show who is a member. Founding, signing and
//! checking need no node.

use std::path::PathBuf;

use clap::Subcommand;
use serde::Serialize;
use wego_proto::{
    armour::{self, Label},
    id,
    key::{PublicKey, SecretKey},
    roster::{Draft, Roster, add_signature},
    v1,
};

use super::replace_file;
use crate::{
    args::{DryRun, Mode, Yes},
    context::{Assent, Context, Format},
    error::{ExitCode, Failure, Outcome},
    profile::read_secret,
    roster::{
        admission::{Cards, Compared},
        chain, diff,
        file::{Sheet, time, write_sheet},
        found::{self, Founding},
        propose::{self, Proposal},
        status::{self, StatusArgs},
        submit::{self, Submit},
        view::{self, Told},
    },
};

/// Found a federation, change and sign its roster, show its members
///
/// The roster says who is a member, with which keys. It is believed once enough governance keys have signed it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego roster found --name 'World e-Governments Organization' --threshold 2 \\
      --card seoul.pem --card paris.pem --card dakar.pem --president kr-seoul --out roster.pem
  wego roster sign roster.pem --key governance.pem     each signer, one after the other; or each a copy, then:
  wego roster combine seoul.pem paris.pem --out roster.pem
  wego roster show roster.pem                          compare the fingerprints by telephone
  wego roster show --out roster.pem                    save the node's roster for checking proofs offline

  wego roster propose --admit accra.pem --out next.pem who may sign compares it, signs it, hands it in:
  wego roster diff next.pem --card accra.pem           compare it with the card that the city itself has sent
  wego roster sign next.pem --key governance.pem
  wego roster submit next.pem                          the node adopts it when enough have signed
  wego roster status")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the first roster from the members' cards, to be signed
    Found(Founding),
    /// Write the next version, to be signed: members admitted, removed, given offices, and who decides
    Propose(Box<Proposal>),
    /// Say in plain language what a version changes
    Diff(chain::Diff),
    /// Add your signature to a roster file, in place
    Sign(Sign),
    /// Join the signatures of several copies of one roster
    Combine(Combine),
    /// Hand a signed version to the node, which tells the others
    Submit(Submit),
    /// Show the versions that collect signatures, and whether the roster is in conflict
    Status(StatusArgs),
    /// List all versions with what each changed
    History(chain::History),
    /// Check a roster file from version 1 on, offline; exit code 7 when it does not hold
    Verify(chain::Verify),
    /// Show a roster file, or the node's roster
    Show(Show),
}

#[derive(Debug, clap::Args)]
struct Sign {
    /// Roster file
    file: PathBuf,
    /// Your governance key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    cards: Cards,
    #[command(flatten)]
    yes: Yes,
    #[command(flatten)]
    dry_run: DryRun,
}

#[derive(Debug, clap::Args)]
struct Combine {
    /// Copies of one roster, signed by different people
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// File to write
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    dry_run: DryRun,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// Roster file [default: the node's roster]
    file: Option<PathBuf>,
    /// Save the roster chain here, for `wego record verify`
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) async fn run(args: Args, cx: &mut Context) -> Outcome {
    match args.command {
        Command::Found(args) => found::run(&args, cx),
        Command::Propose(args) => propose::run(&args, cx).await,
        Command::Diff(args) => chain::diff(&args, cx),
        Command::Sign(args) => sign(&args, cx).await,
        Command::Submit(args) => submit::run(&args, cx).await,
        Command::Status(args) => status::run(&args, cx).await,
        Command::History(args) => chain::history(&args, cx).await,
        Command::Verify(args) => chain::verify(&args, cx),
        Command::Combine(args) => combine(&args, cx),
        Command::Show(args) => show(args, cx).await,
    }
}

async fn sign(args: &Sign, cx: &mut Context) -> Outcome {
    let mut sheet = Sheet::read(&args.file, cx)?;
    let pem = read_secret(&args.key)?;
    let key = SecretKey::from_pem(&pem).map_err(|error| {
        let hint = "give the governance key that `wego-node init` wrote";
        Failure::usage(format!("{} cannot be used to sign", args.key.display()), hint).because(error)
    })?;
    if !sheet.may_sign(&key.public()) {
        return Err(Failure::conflict(
            format!("the key in {} is none of the roster's governance keys", args.key.display()),
            format!(
                "its fingerprint is {}; `wego roster show` lists those that may sign",
                key.public().fingerprint()
            ),
        ));
    }
    refuse_admission(&sheet, cx.now_ms())?;
    let content = &sheet.draft().content;
    let changes = match sheet.before() {
        Some(_) => {
            cx.say(&format!("version {} changes:", content.version));
            sheet.changes()
        }
        None => {
            cx.say("the first version says:");
            diff::founding(content)
        }
    };
    for line in diff::lines(&changes) {
        cx.say(&format!("  {line}"));
    }
    let compared = args.cards.agree(&sheet, cx)?;
    let signer = governance_key(&sheet.draft().content, key.public().as_bytes());
    let mode = args.dry_run.mode();
    match mode {
        _ if sheet.is_signed_by(&key.public()) => cx.say(&format!("signed already with {signer}")),
        Mode::DryRun => cx.say(&format!("would sign with {signer}; so far:")),
        Mode::Write => {
            cx.confirm(&plan(&sheet, &signer, &compared), Assent::from_flag(args.yes.yes)).await?;
            add_signature(sheet.last_mut(), &key);
            write_sheet(&args.file, &sheet)?;
            cx.say(&format!("signed with {signer}"));
        }
    }
    report(&sheet, compared, mode, cx)
}

/// What a signature gives away, and what was not compared before.
fn plan(sheet: &Sheet, signer: &str, compared: &[Compared]) -> String {
    let Draft { content, hash, .. } = sheet.draft();
    let open = compared.iter().filter(|city| city.is_open()).count();
    let unseen = match open {
        0 => String::new(),
        1 => "; the keys of 1 city in it were not compared".to_owned(),
        _ => format!("; the keys of {open} cities in it were not compared"),
    };
    format!(
        "sign version {} of {} ({hash}) with {signer}: a signature cannot be taken back{unseen}",
        content.version, content.federation_name
    )
}

/// Past its expiry a roster admits nobody, and no signature should say otherwise.
fn refuse_admission(sheet: &Sheet, now_ms: u64) -> Result<(), Failure> {
    let expired = sheet.before().filter(|before| before.is_soft_expired(now_ms));
    let Some((before, admitted)) =
        expired.and_then(|before| Some((before, before.admitted_by(sheet.draft()).next()?)))
    else {
        return Ok(());
    };
    let since = time(before.content().soft_expires_at_ms);
    Err(Failure::conflict(
        format!("the roster expired at {since}, and this version admits {}", admitted.handle),
        "renew it first, in a version of its own: wego roster propose --expires DATE",
    ))
}

fn combine(args: &Combine, cx: &mut Context) -> Outcome {
    let mut sheets = Vec::new();
    for file in &args.files {
        sheets.push((file, Sheet::read(file, cx)?));
    }
    let mut sheets = sheets.into_iter();
    let Some((first_file, mut combined)) = sheets.next() else {
        return Err(Failure::usage("no files to combine", "name the signed copies"));
    };
    let first = combined.last().clone();
    combined.take_signatures(&first);
    for (file, sheet) in sheets {
        if !combined.is_same_roster(&sheet) {
            return Err(Failure::conflict(
                format!("{} and {} are different rosters", first_file.display(), file.display()),
                "compare them with `wego roster show`; signatures of one do not count for another",
            ));
        }
        combined.take_signatures(sheet.last());
    }
    match args.dry_run.mode() {
        Mode::Write => {
            write_sheet(&args.out, &combined)?;
            cx.say(&format!("written to {}", args.out.display()));
        }
        Mode::DryRun => cx.say("nothing was written"),
    }
    report(&combined, Vec::new(), args.dry_run.mode(), cx)
}

#[derive(Serialize)]
struct Signed {
    dry_run: bool,
    complete: bool,
    threshold: usize,
    signatures: usize,
    compared: Vec<Compared>,
}

/// `2 of 3 signatures`, on stdout: it is what the command was run for.
fn report(sheet: &Sheet, compared: Vec<Compared>, mode: Mode, cx: &mut Context) -> Outcome {
    if cx.format == Format::Json {
        cx.print_json(&Signed {
            dry_run: mode == Mode::DryRun,
            complete: sheet.is_complete(),
            threshold: sheet.draft().governance.threshold,
            signatures: sheet.signers().len(),
            compared,
        })?;
        return Ok(ExitCode::Ok);
    }
    if sheet.is_complete() && !sheet.draft().content.resolves.is_empty() {
        cx.say("keys that signed both versions of a conflict may not suffice to settle it: submit it to see");
    }
    let complete = if sheet.is_complete() { ": the roster is complete" } else { "" };
    cx.print(&format!("{}{complete}\n", sheet.count()))?;
    Ok(ExitCode::Ok)
}

async fn show(args: Show, cx: &mut Context) -> Outcome {
    let (sheet, members) = match &args.file {
        Some(file) => (Sheet::read(file, cx)?, None),
        None => (Sheet::of_chain(of_node(cx).await?)?, Some(members_now(cx).await?)),
    };
    if let Some(out) = &args.out {
        replace_file(out, armour::write(Label::Roster, &sheet.preamble(), sheet.chain()).as_bytes())?;
        cx.say(&format!("roster written to {}", out.display()));
    }
    let Some(members) = members else {
        view::print(&sheet, Told::ByRoster, cx)?;
        cx.say(
            "these are the keys that the roster gave; a member's log may have gone on to others since: `wego member show` \
             tells them",
        );
        return Ok(ExitCode::Ok);
    };
    view::print(&sheet, Told::ByNode(&members), cx)?;
    Ok(ExitCode::Ok)
}

/// The members as the node has them: their logs say what the roster does not know.
async fn members_now(cx: &mut Context) -> Result<Vec<v1::MemberView>, Failure> {
    let node = cx.connect().await?;
    let reply = node.ask("list the members", node.members().list(v1::ListMembersRequest {})).await?;
    Ok(reply.members)
}

/// The node's chain, checked here: a node is asked, not believed.
pub(crate) async fn of_node(cx: &mut Context) -> Result<v1::RosterChain, Failure> {
    let node = cx.connect().await?;
    let mut client = node.members();
    let chain = node.ask("read the roster", client.roster(v1::RosterRequest {})).await?;
    Roster::open_chain(chain.clone()).map_err(|error| {
        let hint = "do not use this node before its administrator has looked at it";
        Failure::integrity("the node's roster does not hold", hint).because(error)
    })?;
    Ok(chain)
}

/// What a person compares, or the bytes when they are no key.
pub(crate) fn fingerprint(key: &[u8]) -> String {
    PublicKey::from_bytes(key).map_or_else(|_| "not a key".to_owned(), |key| key.fingerprint())
}

/// A governance key, with the city whose it is where the roster says that.
pub(crate) fn governance_key(roster: &v1::Roster, key: &[u8]) -> String {
    match holder(roster, key) {
        Some(handle) => format!("{} of {handle}", fingerprint(key)),
        None => fingerprint(key),
    }
}

/// The handle of the city whose governance key this is, where the roster says it.
pub(crate) fn holder<'a>(roster: &'a v1::Roster, key: &[u8]) -> Option<&'a str> {
    let idx = roster.governance.as_ref()?.holder(key)?;
    roster.members.iter().find(|member| member.idx == idx).map(|member| member.handle.as_str())
}

/// What a person compares with the member's card, of a digest of a key.
pub(crate) fn digest_fingerprint(digest: &[u8]) -> String {
    match <&[u8; 32]>::try_from(digest) {
        Ok(digest) => id::fingerprint(digest),
        Err(_) if digest.is_empty() => "none".to_owned(),
        Err(_) => "not a digest".to_owned(),
    }
}
