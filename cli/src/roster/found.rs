//! The first roster, from the members' cards.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use jiff::{Timestamp, civil, tz::TimeZone};
use prost::Message as _;
use wego_proto::{
    card::MemberCard,
    found,
    key::PublicKey,
    v1::{self, MemberRole},
};

use super::{
    file::{Sheet, read_card, write_sheet},
    view,
};
use crate::{
    args::{DryRun, Mode},
    context::Context,
    error::{ExitCode, Failure, Outcome},
};

/// Days until admissions stop unless the roster is renewed.
const DEFAULT_EXPIRY_DAYS: i64 = 365;

/// Cards in, unsigned roster out.
#[derive(Debug, clap::Args)]
pub(crate) struct Founding {
    /// Name of the federation
    #[arg(long)]
    name: String,
    /// How many governance keys must sign: more than half of them
    #[arg(long, value_name = "K")]
    threshold: u32,
    /// A member's card, as `wego-node init` wrote it; repeat for each member, their numbers follow this order
    #[arg(long = "card", value_name = "FILE", required = true)]
    cards: Vec<PathBuf>,
    /// Who presides, by handle
    #[arg(long, value_name = "HANDLE")]
    president: Option<String>,
    /// A vice-president, by handle; repeat for several
    #[arg(long = "vice-president", value_name = "HANDLE")]
    vice_presidents: Vec<String>,
    /// Day from which no members are admitted until the roster is renewed [default: in a year]
    #[arg(long, value_name = "DATE")]
    expires: Option<civil::Date>,
    /// File to write
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    dry_run: DryRun,
}

pub(crate) fn run(args: &Founding, cx: &mut Context) -> Outcome {
    if args.out.exists() {
        return Err(Failure::conflict(
            format!("{} is there already", args.out.display()),
            "choose another file with --out: a roster may hold signatures that cannot be made again",
        ));
    }
    let mut cards = Vec::new();
    for path in &args.cards {
        cards.push(read_card(path, cx)?);
    }
    refuse_duplicates(&cards)?;
    let roster = roster(args, &cards, cx.now_ms())?;
    let sheet = Sheet::unsigned(&roster.encode_to_vec())?;
    if args.dry_run.mode() == Mode::Write {
        write_sheet(&args.out, &sheet)?;
    }
    view::print(&sheet, view::Told::ByRoster, cx)?;
    match args.dry_run.mode() {
        Mode::DryRun => cx.say("nothing was written"),
        Mode::Write => cx.say(&format!(
            "written to {}; now each signer: wego roster sign {} --key governance.pem",
            args.out.display(),
            args.out.display()
        )),
    }
    cx.say("compare every fingerprint with its city by telephone before you sign");
    Ok(ExitCode::Ok)
}

fn refuse_duplicates(cards: &[MemberCard]) -> Result<(), Failure> {
    let mut handles = BTreeSet::new();
    let mut keys: BTreeSet<PublicKey> = BTreeSet::new();
    for card in cards {
        let handle = &card.inception.handle;
        if !handles.insert(handle) {
            return Err(Failure::usage(
                format!("two cards have the handle {handle}"),
                "give each member's card once; two cities cannot share a handle",
            ));
        }
        let own = [Some(card.log_key), Some(card.transport_key), card.governance_key];
        if !own.into_iter().flatten().all(|key| keys.insert(key)) {
            return Err(Failure::integrity(
                format!("a key of {handle} is used twice"),
                "every key has one purpose and one owner: that city must make its keys and card again",
            ));
        }
    }
    Ok(())
}

fn roster(args: &Founding, cards: &[MemberCard], now_ms: u64) -> Result<v1::Roster, Failure> {
    let keys = cards.iter().filter(|card| card.governance_key.is_some());
    let (threshold, count) = (args.threshold as usize, keys.count());
    if threshold > count || threshold * 2 <= count {
        return Err(Failure::usage(
            format!("a threshold of {threshold} does not fit {count} governance keys"),
            match count / 2 + 1 {
                least if least < count => format!("it must be more than half of them: {least} to {count}"),
                only => format!("it must be more than half of them: {only}"),
            },
        ));
    }
    check_offices(args, cards)?;
    let founding = found::Founding {
        name: args.name.clone(),
        threshold: args.threshold,
        offices: offices(args),
        issued_at_ms: now_ms,
        soft_expires_at_ms: expiry_ms(args.expires, now_ms)?,
    };
    Ok(founding.genesis(cards))
}

fn offices(args: &Founding) -> BTreeMap<String, MemberRole> {
    let vices = args.vice_presidents.iter().map(|handle| (handle.clone(), MemberRole::VicePresident));
    let president = args.president.iter().map(|handle| (handle.clone(), MemberRole::President));
    vices.chain(president).collect()
}

/// Every office goes to a member, and to each member one.
fn check_offices(args: &Founding, cards: &[MemberCard]) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    for handle in args.president.iter().chain(&args.vice_presidents) {
        if !cards.iter().any(|card| card.inception.handle == *handle) {
            return Err(Failure::usage(
                format!("{handle} has no card here"),
                "offices go to members: add its --card",
            ));
        }
        if !seen.insert(handle) {
            return Err(Failure::usage(format!("{handle} is given two offices"), "give each member one"));
        }
    }
    Ok(())
}

fn expiry_ms(day: Option<civil::Date>, now_ms: u64) -> Result<u64, Failure> {
    let default_ms = DEFAULT_EXPIRY_DAYS.unsigned_abs() * 86_400_000;
    let Some(day) = day else {
        return Ok(now_ms.saturating_add(default_ms));
    };
    let end = day.to_zoned_datetime(TimeZone::UTC).map(|start| start.timestamp()).unwrap_or(Timestamp::MIN);
    let end_ms = u64::try_from(end.as_millisecond()).unwrap_or_default();
    if end_ms <= now_ms {
        return Err(Failure::usage(format!("{day} is past"), "give a day to come as --expires"));
    }
    Ok(end_ms)
}
