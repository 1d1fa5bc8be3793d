//! `wego adoption`: who uses whose practice, signed by the adopter.

use clap::Subcommand;
use serde::Serialize;
use wego_proto::{
    id::{Hash, RecordId},
    record::v1::{self as record, AdoptionStage, LangText, RecordKind},
    v1,
};

use super::practice::lang_text;
use crate::{
    args::Mode,
    client::Node,
    context::{Assent, Context, Format},
    error::{ExitCode, Failure, Outcome},
    form::pick,
    output,
    records::{
        adopters::{self, Adopter},
        list, read, titles,
        write::{self, Target, Writing},
    },
    words::Word as _,
};

/// Say that your city uses another's practice, or no longer does
///
/// Only the adopter can say so, and only the adopter can end it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego adoption declare PRACTICE-ID --stage pilot --since 2010-09
  wego adoption declare PRACTICE-ID --stage live --since 2011 --reused 'en=The open data rules, word for word'
  wego adoption withdraw PRACTICE-ID --reason 'en=Too few displays for our stops'
  wego adoption list --practice PRACTICE-ID")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say that your city uses a practice, or that it got further with it
    ///
    /// Said again, it is a new version: what you leave out but stage and date stays as it was.
    Declare(Box<Declare>),
    /// Say that your city uses a practice no longer, and why
    Withdraw(Withdraw),
    /// List adoptions, newest first
    List(Adopted),
    /// Show an adoption and who signed it
    Show(read::Show),
}

#[derive(Debug, clap::Args)]
struct Declare {
    /// Id of the practice
    practice: RecordId,
    /// considering, planned, pilot or live
    #[arg(long, value_parser = stage)]
    stage: AdoptionStage,
    /// Since when: a year, month or day, as 2010, 2010-09 or 2010-09-07
    #[arg(long, value_name = "DATE")]
    since: String,
    /// What was changed
    #[arg(long, value_name = "LANG=TEXT", value_parser = lang_text)]
    changed: Vec<(String, String)>,
    /// What was reused
    #[arg(long, value_name = "LANG=TEXT", value_parser = lang_text)]
    reused: Vec<(String, String)>,
    /// What it cost, with the year of the prices, as '120000.50 EUR 2010'
    #[arg(long, value_name = "AMOUNT CURRENCY YEAR", value_parser = money)]
    cost: Option<record::Money>,
    /// Full-time staff, as 1.5
    #[arg(long, default_value = "")]
    fte: String,
    /// Would you recommend it? 1 (no) to 5 (by all means)
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=5))]
    recommend: Option<u32>,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Debug, clap::Args)]
struct Withdraw {
    /// Id of the practice, or of the adoption itself
    id: RecordId,
    /// Why, for everybody to read
    #[arg(long, value_name = "LANG=TEXT", value_parser = lang_text, required = true)]
    reason: Vec<(String, String)>,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Debug, clap::Args)]
struct Adopted {
    /// Only adoptions of this practice, with stage and reason
    #[arg(long, value_name = "ID", conflicts_with_all = ["source", "retracted"])]
    practice: Option<RecordId>,
    #[command(flatten)]
    list: list::List,
}

#[derive(Serialize)]
struct Adopters {
    practice_id: String,
    adoptions: Vec<Adopter>,
}

pub(crate) async fn run(args: Args, cx: &mut Context) -> Outcome {
    match args.command {
        Command::Declare(args) => declare(*args, cx).await,
        Command::Withdraw(args) => withdraw(args, cx).await,
        Command::List(args) => match args.practice {
            Some(practice) => list_of(practice, args.list.city.as_deref(), cx).await,
            None => list::list(args.list, Some(RecordKind::Adoption), cx).await,
        },
        Command::Show(args) => read::show(args, Some(RecordKind::Adoption), cx).await,
    }
}

async fn declare(args: Declare, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let own = node.federation().await?.own;
    let practice = read::read_kind(args.practice, RecordKind::Practice, &node).await?;
    let (before, target) = declared(&practice, &own.handle, &node).await?;
    let adoption = record::Adoption {
        target_id: args.practice.to_string(),
        target_version: practice.provenance.as_ref().and_then(|from| from.at).map_or(0, |at| at.seq),
        stage: args.stage as i32,
        since: args.since,
        changed: given_or(args.changed, before.changed),
        reused: given_or(args.reused, before.reused),
        cost: args.cost.or(before.cost),
        fte: if args.fte.is_empty() { before.fte } else { args.fte },
        recommend: args.recommend.unwrap_or(before.recommend),
        jurisdiction: Some(record::Jurisdiction {
            level: record::Level::City as i32,
            country: own.country.clone(),
            place: own.place.clone(),
            ..Default::default()
        }),
        ..Default::default()
    };
    write::publish(message(adoption), target, &args.writing, &node, cx).await
}

/// What the city said before. One adoption for a practice: a second statement is a new version of the first, and
/// what it does not speak of stays.
async fn declared(
    practice: &v1::RecordView,
    handle: &str,
    node: &Node,
) -> Result<(record::Adoption, Target), Failure> {
    let Some(id) = own_adoption(practice, handle) else {
        return Ok((record::Adoption::default(), Target::New(None)));
    };
    let view = read::read(id, node).await?;
    let target = Target::Revision(id, entry_hash(&view));
    match view.record.and_then(|record| record.kind) {
        Some(v1::record::Kind::Adoption(before)) => Ok((before, target)),
        _ => Ok((record::Adoption::default(), target)),
    }
}

fn given_or(given: Vec<(String, String)>, before: Vec<LangText>) -> Vec<LangText> {
    if given.is_empty() { before } else { lang_texts(given) }
}

fn entry_hash(view: &v1::RecordView) -> Option<Hash> {
    view.provenance.as_ref().and_then(|from| Hash::try_from(from.entry_hash.as_slice()).ok())
}

async fn withdraw(args: Withdraw, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let federation = node.federation().await?;
    let (id, view) = find_own(args.id, &federation.own.handle, &node).await?;
    let base = entry_hash(&view);
    let Some(v1::record::Kind::Adoption(mut adoption)) = view.record.and_then(|record| record.kind) else {
        return Err(Failure::conflict(
            format!("the adoption {id} has no content any more"),
            "declare it again first",
        ));
    };
    adoption.stage = AdoptionStage::Withdrawn as i32;
    adoption.reason_withdrawn = lang_texts(args.reason);
    let plan = format!(
        "{} in {} withdraws its adoption of practice {}.",
        federation.own.handle, federation.name, adoption.target_id
    );
    match args.writing.dry_run.mode() {
        Mode::DryRun => cx.say(&plan),
        Mode::Write => cx.confirm(&plan, Assent::from_flag(args.writing.yes.yes)).await?,
    }
    write::publish(message(adoption), Target::Revision(id, base), &args.writing, &node, cx).await
}

/// The city's own adoption, by its id or by that of the practice.
async fn find_own(id: RecordId, handle: &str, node: &Node) -> Result<(RecordId, v1::RecordView), Failure> {
    let view = read::read(id, node).await?;
    match view.record.as_ref().and_then(|record| record.kind.as_ref()) {
        Some(v1::record::Kind::Adoption(_)) => {
            let owner = view.provenance.as_ref().map(|from| from.handle.clone()).unwrap_or_default();
            if owner != handle {
                return Err(Failure::conflict(
                    format!("the adoption {id} is {owner}'s, not {handle}'s"),
                    "only the adopter can withdraw it",
                ));
            }
            Ok((id, view))
        }
        Some(v1::record::Kind::Practice(_)) => {
            let own = own_adoption(&view, handle).ok_or_else(|| {
                Failure::not_found(
                    format!("{handle} has not adopted practice {id}"),
                    format!("see who has: wego adoption list --practice {id}"),
                )
            })?;
            Ok((own, read::read(own, node).await?))
        }
        _ => Err(Failure::usage(
            format!("record {id} is no practice and no adoption"),
            "look it up: wego adoption list",
        )),
    }
}

fn own_adoption(practice: &v1::RecordView, handle: &str) -> Option<RecordId> {
    let own = practice.adoptions.iter().find(|adoption| adoption.handle == handle)?;
    RecordId::try_from(own.record_id.as_slice()).ok()
}

async fn list_of(practice: RecordId, city: Option<&str>, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let view = read::read_kind(practice, RecordKind::Practice, &node).await?;
    let adoptions: Vec<&v1::AdoptionView> =
        view.adoptions.iter().filter(|adoption| city.is_none_or(|city| city == adoption.handle)).collect();
    if cx.format == Format::Json {
        let adoptions = adoptions.into_iter().map(Adopter::from).collect();
        cx.print_json(&Adopters { practice_id: practice.to_string(), adoptions })?;
        return Ok(ExitCode::Ok);
    }
    let lang = cx.reader_lang(None);
    let table = adopters::table(adoptions.iter().copied(), &lang);
    if !table.is_empty() {
        cx.print_table(table)?;
    }
    let title = view.record.as_ref().map(|record| pick(titles(record), &lang)).unwrap_or_default();
    let counted = adoptions.iter().filter(|adoption| adopters::counts(adoption)).count();
    let noun = if counted == 1 { "adoption" } else { "adoptions" };
    let aside = match adoptions.len() - counted {
        0 => String::new(),
        aside => format!(", and {aside} that {}", if aside == 1 { "does not count" } else { "do not count" }),
    };
    cx.say(&format!("{counted} {noun} of {:?}{aside}", output::one_line(title)));
    Ok(ExitCode::Ok)
}

fn message(adoption: record::Adoption) -> v1::Record {
    v1::Record { kind: Some(v1::record::Kind::Adoption(adoption)) }
}

fn lang_texts(given: Vec<(String, String)>) -> Vec<LangText> {
    given.into_iter().map(|(lang, text)| LangText { lang, text, ..Default::default() }).collect()
}

fn stage(word: &str) -> Result<AdoptionStage, String> {
    match AdoptionStage::from_word(word) {
        Some(AdoptionStage::Withdrawn) => {
            Err("use `wego adoption withdraw`, which asks for the reason".to_owned())
        }
        Some(stage) => Ok(stage),
        None => Err("must be considering, planned, pilot or live".to_owned()),
    }
}

fn money(text: &str) -> Result<record::Money, String> {
    let mut words = text.split_whitespace();
    let parts = (words.next(), words.next(), words.next().and_then(|year| year.parse().ok()), words.next());
    match parts {
        (Some(amount), Some(currency), Some(price_year), None) => {
            Ok(record::Money { amount: amount.to_owned(), currency: currency.to_owned(), price_year })
        }
        _ => {
            Err("must be an amount, a currency and the year of the prices, as '120000.50 EUR 2010'"
                .to_owned())
        }
    }
}
