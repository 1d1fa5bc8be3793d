//! `wego roster propose`: the next version as an unsigned file.

use std::{collections::BTreeSet, path::PathBuf};

use clap::ArgGroup;
use jiff::civil;
use prost::Message as _;
use wego_proto::{
    id::Hash,
    key::PublicKey,
    roster::{Draft, Roster, RosterError},
    v1::{self, MemberStatus},
};

use super::{
    diff,
    edit::{CutFlag, Edits, RoleFlag, TakedownFlag, TermFlag, day_ms},
    file::{Sheet, read_card, time, write_sheet},
};
use crate::{
    args::{DryRun, Mode},
    commands::roster::of_node,
    context::{Context, Format},
    error::{ExitCode, Failure, Outcome},
};

/// Which version is followed, and what changes.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("source").args(["roster"])))]
pub(crate) struct Proposal {
    /// Roster chain to follow, where no node can be asked [default: the node's roster]
    #[arg(long, value_name = "FILE")]
    roster: Option<PathBuf>,
    /// Admit the city with this card; --role and --term may name it
    #[arg(long, value_name = "CARD")]
    admit: Vec<PathBuf>,
    /// Suspend a member
    #[arg(long, value_name = "HANDLE")]
    suspend: Vec<String>,
    /// Make a member active again, also one that left or was expelled; this takes its cut back
    #[arg(long, value_name = "HANDLE")]
    reinstate: Vec<String>,
    /// Expel a member
    #[arg(long, value_name = "HANDLE")]
    expel: Vec<String>,
    /// Let a member go that wants to leave
    #[arg(long, value_name = "HANDLE")]
    leave: Vec<String>,
    /// Last entry that stays valid of a member that is removed [default: the newest this node holds]
    #[arg(long, value_name = "HANDLE=EPOCH.SEQ:HASH")]
    cut: Vec<CutFlag>,
    /// Give a member an office
    #[arg(long, value_name = "HANDLE=ROLE")]
    role: Vec<RoleFlag>,
    /// Set the term of a member's office
    #[arg(long, value_name = "HANDLE=FROM..UNTIL")]
    term: Vec<TermFlag>,
    /// Day from which no members are admitted until the roster is renewed
    #[arg(long, value_name = "DATE")]
    expires: Option<civil::Date>,
    /// How many governance keys must sign: more than half of them
    #[arg(long, value_name = "K")]
    threshold: Option<u32>,
    /// Let another governance key sign: its city's card, or 64 hexadecimal digits for a key of no member
    #[arg(long, value_name = "CARD|KEY")]
    add_governance_key: Vec<String>,
    /// Take a governance key away: a card, or the key's fingerprint
    #[arg(long, value_name = "CARD|FINGERPRINT")]
    remove_governance_key: Vec<String>,
    /// Have an entry's content erased everywhere, for a member that does not answer
    #[arg(long, value_name = "HANDLE=EPOCH.SEQ", requires = "reason")]
    takedown: Vec<TakedownFlag>,
    /// Reason of the takedowns, a number the federation agreed on
    #[arg(long, value_name = "CODE", requires = "takedown")]
    reason: Option<u32>,
    /// Give new keys to a member that lost everything, from its new card
    #[arg(long, value_name = "CARD")]
    reinception: Option<PathBuf>,
    /// Settle a conflict: the version that shall hold, then the one that is given up
    #[arg(long, num_args = 2, value_names = ["HASH", "HASH"])]
    resolve: Option<Vec<Hash>>,
    /// File to write
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    dry_run: DryRun,
}

pub(crate) async fn run(args: &Proposal, cx: &mut Context) -> Outcome {
    if args.out.exists() {
        return Err(Failure::conflict(
            format!("{} is there already", args.out.display()),
            "choose another file with --out: it may hold signatures that cannot be made again",
        ));
    }
    let mut versions = followed(args, cx).await?;
    let before = newest(&versions)?;
    let edits = edits(args, &before, cx).await?;
    refuse_admission(&before, &edits, cx.now_ms())?;
    let mut next = v1::Roster {
        version: before.version() + 1,
        prev_hash: before.hash().as_bytes().to_vec(),
        federation_id: before.federation().as_bytes().to_vec(),
        issued_at_ms: cx.now_ms(),
        resolves: resolved(args, &before)?,
        ..before.content().clone()
    };
    edits.apply(&mut next, cx.now_ms())?;
    let bytes = next.encode_to_vec();
    let changes = diff::changes(before.content(), &next, &bytes);
    if changes.is_empty() {
        return Err(Failure::usage("nothing is to change", "`wego roster propose --help` shows what can"));
    }
    check(&before, &bytes)?;
    versions.push(v1::SignedRoster { roster: bytes, signatures: Vec::new() });
    let sheet = Sheet::of_chain(v1::RosterChain { versions })?;
    if args.dry_run.mode() == Mode::Write {
        write_sheet(&args.out, &sheet)?;
    }
    sheet.print_changes(cx)?;
    tell(args, &edits, &sheet, cx);
    Ok(ExitCode::Ok)
}

fn tell(args: &Proposal, edits: &Edits, sheet: &Sheet, cx: &mut Context) {
    for card in edits.admitted.iter().filter(|card| card.governance_key.is_some()) {
        let handle = &card.inception.handle;
        cx.say(&format!(
            "the card of {handle} has a governance key, which decides only with --add-governance-key"
        ));
    }
    let out = args.out.display();
    match args.dry_run.mode() {
        Mode::DryRun => cx.say("nothing was written"),
        Mode::Write => cx.say(&format!(
            "written to {out}; now enough signers: wego roster sign {out} --key governance.pem, then wego roster \
             submit {out}"
        )),
    }
    if cx.format == Format::Human {
        cx.say(&format!("compare the hash by telephone before you sign: {}", sheet.draft().hash));
    }
}

/// The versions up to the one that is followed.
async fn followed(args: &Proposal, cx: &mut Context) -> Result<Vec<v1::SignedRoster>, Failure> {
    if let Some(path) = &args.roster {
        let sheet = Sheet::read(path, cx)?;
        if !sheet.is_complete() {
            let what = format!("{} is not complete, so nothing follows it yet", path.display());
            return Err(Failure::conflict(what, "let enough keys sign it first"));
        }
        return Ok(sheet.chain().versions.clone());
    }
    let mut versions = of_node(cx).await?.versions;
    let Some(holds) = args.resolve.as_ref().and_then(|hashes| hashes.first()) else { return Ok(versions) };
    let node = cx.connect().await?;
    let mut client = node.governance();
    let reply = node.ask("read the proposals", client.proposals(v1::ProposalsRequest {})).await?;
    let contested = reply.conflicts.into_iter().flat_map(|conflict| conflict.versions);
    let holds = contested.into_iter().find(|version| Hash::of(&[&version.roster]) == *holds);
    let draft = holds.as_ref().and_then(|version| Draft::parse(&version.roster).ok());
    let (Some(holds), Some(draft)) = (holds, draft) else {
        let what = "the node knows no such version";
        return Err(Failure::usage(what, "`wego roster status` shows the hashes of both"));
    };
    versions.truncate((draft.content.version - 1) as usize);
    versions.push(holds);
    Ok(versions)
}

fn newest(versions: &[v1::SignedRoster]) -> Result<Roster, Failure> {
    let chain = v1::RosterChain { versions: versions.to_vec() };
    let opened = Roster::open_chain(chain).ok().and_then(|mut versions| versions.pop());
    opened.ok_or_else(|| Failure::integrity("the roster does not hold", "get it again from whoever made it"))
}

fn resolved(args: &Proposal, before: &Roster) -> Result<Vec<Vec<u8>>, Failure> {
    let Some(hashes) = &args.resolve else { return Ok(Vec::new()) };
    if hashes.first() != Some(&before.hash()) {
        let what = format!(
            "the roster that is followed ends in {}, which is not the first of the two",
            before.hash()
        );
        return Err(Failure::usage(
            what,
            "give the version that shall hold first, and a roster that ends in it",
        ));
    }
    let mut both: Vec<_> = hashes.iter().map(|hash| hash.as_bytes().to_vec()).collect();
    both.sort();
    Ok(both)
}

/// A version that would be refused everywhere is not worth a signature.
fn check(before: &Roster, bytes: &[u8]) -> Result<(), Failure> {
    let checked = Draft::parse(bytes).map_err(RosterError::from).and_then(|draft| before.precedes(&draft));
    checked.map_err(|error| {
        Failure::usage("such a version would be refused everywhere", "change what is named below it")
            .because(error)
    })
}

fn refuse_admission(before: &Roster, edits: &Edits, now_ms: u64) -> Result<(), Failure> {
    match edits.admitted.first() {
        Some(card) if before.is_soft_expired(now_ms) => Err(Failure::conflict(
            format!(
                "the roster expired at {}: {} cannot be admitted",
                time(before.content().soft_expires_at_ms),
                card.inception.handle
            ),
            "renew it first, in a version of its own: wego roster propose --expires DATE",
        )),
        _ => Ok(()),
    }
}

async fn edits(args: &Proposal, before: &Roster, cx: &mut Context) -> Result<Edits, Failure> {
    let mut edits = Edits {
        roles: args.role.clone(),
        terms: args.term.clone(),
        threshold: args.threshold,
        takedowns: args.takedown.clone(),
        reason: args.reason.unwrap_or_default(),
        ..Edits::default()
    };
    for path in &args.admit {
        edits.admitted.push(read_card(path, cx)?);
    }
    if let Some(path) = &args.reinception {
        edits.reinception = Some(read_card(path, cx)?);
    }
    if let Some(day) = args.expires {
        let ms = day_ms(day);
        if ms <= cx.now_ms() {
            return Err(Failure::usage(format!("{day} is past"), "give a day to come as --expires"));
        }
        edits.expires_ms = Some(ms);
    }
    edits.keys_added = governance_keys(&args.add_governance_key, before, cx)?;
    let removed = governance_keys(&args.remove_governance_key, before, cx)?;
    edits.keys_removed = removed.into_iter().map(|(key, _)| key).collect();
    edits.statuses = statuses(args)?;
    edits.cuts = args.cut.iter().map(|flag| (flag.handle.clone(), flag.cut.clone())).collect();
    add_cuts(args, before, &mut edits, cx).await?;
    Ok(edits)
}

fn statuses(args: &Proposal) -> Result<Vec<(String, MemberStatus)>, Failure> {
    let flags = [
        (&args.suspend, MemberStatus::Suspended),
        (&args.reinstate, MemberStatus::Active),
        (&args.expel, MemberStatus::Expelled),
        (&args.leave, MemberStatus::Left),
    ];
    let mut seen = BTreeSet::new();
    let mut statuses = Vec::new();
    for (handle, status) in
        flags.iter().flat_map(|(handles, status)| handles.iter().map(|h| (h.clone(), *status)))
    {
        if !seen.insert(handle.clone()) {
            let what = format!("{handle} is to be two things at once");
            return Err(Failure::usage(
                what,
                "name a member in one of --suspend, --reinstate, --expel, --leave",
            ));
        }
        statuses.push((handle, status));
    }
    if let Some(flag) = args.cut.iter().find(|flag| !seen.contains(&flag.handle)) {
        let what = format!("{} is cut and not removed", flag.handle);
        return Err(Failure::usage(what, "a cut goes with --suspend, --expel or --leave"));
    }
    Ok(statuses)
}

/// Who is removed without a --cut is cut at the newest entry that the node holds.
async fn add_cuts(
    args: &Proposal,
    before: &Roster,
    edits: &mut Edits,
    cx: &mut Context,
) -> Result<(), Failure> {
    let removed = edits.statuses.iter().filter(|(_, status)| *status != MemberStatus::Active);
    let removed: Vec<_> = removed.map(|(handle, _)| handle.clone()).collect();
    for handle in removed {
        // Who is no member is refused when the flags are applied.
        let to_cut = before.member_by_handle(&handle).is_some_and(|member| member.cut.is_none());
        if !to_cut || edits.cuts.contains_key(&handle) {
            continue;
        }
        if args.roster.is_some() {
            let what = format!("where is {handle} to be cut?");
            return Err(Failure::usage(what, format!("without a node, give --cut {handle}=EPOCH.SEQ:HASH")));
        }
        let cut = newest_entry(&handle, cx).await?;
        cx.say(&format!("{handle} is cut at {}, the newest entry this node holds", diff::position(cut.at)));
        edits.cuts.insert(handle, cut);
    }
    Ok(())
}

async fn newest_entry(handle: &str, cx: &mut Context) -> Result<v1::Cut, Failure> {
    let node = cx.connect().await?;
    let mut client = node.members();
    let request = v1::ShowMemberRequest { handle: handle.to_owned() };
    let view = node.ask(&format!("show {handle}"), client.show(request)).await?;
    Ok(match view.head {
        Some(head) => {
            v1::Cut { at: Some(v1::Position { epoch: head.epoch, seq: head.seq }), hash: head.hash }
        }
        // It never wrote: the cut lies before its first entry.
        None => v1::Cut {
            at: Some(v1::Position { epoch: 1, seq: 0 }),
            hash: view.member.unwrap_or_default().city_id,
        },
    })
}

/// Keys as they are given: a card, whose city holds the key, 64 hexadecimal digits, or a fingerprint of the roster's.
fn governance_keys(
    given: &[String],
    before: &Roster,
    cx: &mut Context,
) -> Result<Vec<(PublicKey, Option<String>)>, Failure> {
    let mut keys = Vec::new();
    for text in given {
        let written =
            text.parse::<Hash>().ok().and_then(|bytes| PublicKey::from_bytes(bytes.as_bytes()).ok());
        let known = || before.governance().keys.iter().find(|key| key.fingerprint() == *text).copied();
        if let Some(key) = written.or_else(known) {
            keys.push((key, None));
            continue;
        }
        let card = read_card(text.as_ref(), cx)?;
        let key = card.governance_key.ok_or_else(|| {
            let what = format!("the card {text} has no governance key");
            Failure::usage(what, "its city does not sit on the committee")
        })?;
        keys.push((key, Some(card.inception.handle)));
    }
    Ok(keys)
}
