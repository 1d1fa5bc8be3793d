//! `wego practice`: what works, told by the city that did it.

use std::path::PathBuf;

use clap::Subcommand;
use wego_proto::{
    id::{Hash, RecordId},
    record::v1::{self as record, RecordKind},
    v1,
};

use crate::{
    context::Context,
    error::{ExitCode, Failure, Outcome},
    form::{
        self, Texts,
        core::JurisdictionForm,
        practice::{PracticeForm, TEMPLATE},
    },
    records::{
        list, read, twice,
        write::{self, Target, Writing},
    },
};

/// Publish what works, and read what others did
///
/// A practice is written in a file (`wego practice template` shows one); flags override single keys of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego practice template > bus.yaml
  wego practice publish --file bus.yaml --dry-run
  wego practice publish --file bus.yaml
  wego practice revise ID --stage ended             change one thing, keep the rest
  wego practice show ID --yaml > bus.yaml           and: wego practice revise ID --file bus.yaml
  wego practice retract ID --reason 'published by mistake'")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print an example file, ready to be edited; needs no node
    Template,
    /// Publish a practice of your city
    Publish(Box<Publish>),
    /// Publish a new version of one
    Revise(Box<Revise>),
    /// Withdraw one: it leaves lists and search, its history stays
    Retract(write::Retract),
    /// List practices of all cities, newest first
    List(list::List),
    /// Show a practice, who signed it and who adopted it
    Show(read::Show),
    /// Show all versions of one
    History(read::Which),
}

#[derive(Debug, clap::Args)]
struct Publish {
    /// YAML or JSON file with the practice; - reads stdin
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Publish under this id instead of one the node chooses
    #[arg(long, value_name = "ID")]
    record_id: Option<RecordId>,
    #[command(flatten)]
    flags: Flags,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Debug, clap::Args)]
struct Revise {
    /// Id of the practice, 32 hexadecimal digits
    id: RecordId,
    /// YAML or JSON file with the whole practice; - reads stdin [default: what is published now]
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Entry hash of the version that was edited; exit code 6 when there is a newer one [default: the newest]
    #[arg(long, value_name = "HASH")]
    expected_base: Option<Hash>,
    #[command(flatten)]
    flags: Flags,
    #[command(flatten)]
    writing: Writing,
}

/// Single keys of the form.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Keys of the practice, overriding the file")]
struct Flags {
    /// Title
    #[arg(long, value_name = "LANG=TEXT", value_parser = lang_text)]
    title: Vec<(String, String)>,
    /// Summary, at most 150 characters
    #[arg(long, value_name = "LANG=TEXT", value_parser = lang_text)]
    summary: Vec<(String, String)>,
    /// What the problem was
    #[arg(long, value_name = "LANG=TEXT", value_parser = lang_text)]
    problem: Vec<(String, String)>,
    /// What was done
    #[arg(long, value_name = "LANG=TEXT", value_parser = lang_text)]
    approach: Vec<(String, String)>,
    /// What came of it
    #[arg(long, value_name = "LANG=TEXT", value_parser = lang_text)]
    results: Vec<(String, String)>,
    /// What did not work
    #[arg(long, value_name = "LANG=TEXT", value_parser = lang_text)]
    what_failed: Vec<(String, String)>,
    /// Conditions for success
    #[arg(long, value_name = "LANG=TEXT", value_parser = lang_text)]
    conditions: Vec<(String, String)>,
    /// Lessons
    #[arg(long, value_name = "LANG=TEXT", value_parser = lang_text)]
    lessons: Vec<(String, String)>,
    /// Topic as CODE or scheme:CODE; repeat for several
    #[arg(long, value_name = "TOPIC")]
    topic: Vec<String>,
    /// Keyword; repeat for several
    #[arg(long, value_name = "WORD")]
    keyword: Vec<String>,
    /// idea, pilot, live, scaled or ended
    #[arg(long)]
    stage: Option<String>,
    /// Year it started
    #[arg(long, value_name = "YEAR")]
    started_year: Option<i32>,
    /// The office responsible, never a person
    #[arg(long, value_name = "NAME")]
    owner_organisation: Option<String>,
    /// Licence of the text, as SPDX expression
    #[arg(long, value_name = "SPDX")]
    licence: Option<String>,
    /// Evidence, 1 to 5
    #[arg(long, value_name = "LEVEL")]
    evidence: Option<u32>,
    /// How many people it serves
    #[arg(long, value_name = "N")]
    population_served: Option<u64>,
}

impl Flags {
    /// A text replaces the one in its language, a list the whole list.
    fn over(self, mut form: PracticeForm) -> PracticeForm {
        let texts = [
            (&mut form.title, self.title),
            (&mut form.summary, self.summary),
            (&mut form.problem, self.problem),
            (&mut form.approach, self.approach),
            (&mut form.results, self.results),
            (&mut form.what_failed, self.what_failed),
            (&mut form.conditions, self.conditions),
            (&mut form.lessons, self.lessons),
        ];
        for (key, given) in texts {
            set_texts(key, given);
        }
        if !self.topic.is_empty() {
            form.topics = self.topic;
        }
        if !self.keyword.is_empty() {
            form.keywords = self.keyword;
        }
        form.stage = self.stage.unwrap_or(form.stage);
        form.started_year = self.started_year.unwrap_or(form.started_year);
        form.owner_organisation = self.owner_organisation.unwrap_or(form.owner_organisation);
        form.licence = self.licence.unwrap_or(form.licence);
        form.evidence = self.evidence.unwrap_or(form.evidence);
        form.population_served = self.population_served.unwrap_or(form.population_served);
        form
    }
}

pub(crate) async fn run(args: Args, cx: &mut Context) -> Outcome {
    let kind = RecordKind::Practice;
    match args.command {
        Command::Template => {
            cx.print(TEMPLATE)?;
            Ok(ExitCode::Ok)
        }
        Command::Publish(args) => publish(*args, cx).await,
        Command::Revise(args) => revise(*args, cx).await,
        Command::Retract(args) => write::retract(args, kind, cx).await,
        Command::List(args) => list::list(args, Some(kind), cx).await,
        Command::Show(args) => read::show(args, Some(kind), cx).await,
        Command::History(args) => read::history(args, cx).await,
    }
}

async fn publish(args: Publish, cx: &mut Context) -> Outcome {
    let form = match &args.file {
        Some(path) => form::parse(path, &cx.read_text(path)?)?,
        None => PracticeForm::default(),
    };
    let form = args.flags.over(form);
    let node = cx.connect().await?;
    let record = record(form, &node).await?;
    write::publish(record, Target::New(args.record_id), &args.writing, &node, cx).await
}

async fn revise(args: Revise, cx: &mut Context) -> Outcome {
    let edited: Option<PracticeForm> = match &args.file {
        Some(path) => Some(form::parse(path, &cx.read_text(path)?)?),
        None => None,
    };
    let node = cx.connect().await?;
    let view = read::read_kind(args.id, RecordKind::Practice, &node).await?;
    write::refuse_foreign(args.id, &view, &node.federation().await?)?;
    if view.retracted {
        twice::ask_before_return(&view.record_id, &view.retract_reason, &args.writing, cx).await?;
    }
    let seen = view.provenance.as_ref().and_then(|from| Hash::try_from(from.entry_hash.as_slice()).ok());
    let form = match (edited, view.record.and_then(|record| record.kind)) {
        (Some(form), _) => form,
        (None, Some(v1::record::Kind::Practice(practice))) => practice.into(),
        (None, _) => {
            return Err(Failure::usage(
                "the practice has no content to start from",
                "give the whole of it with --file",
            ));
        }
    };
    let record = record(args.flags.over(form), &node).await?;
    let target = Target::Revision(args.id, args.expected_base.or(seen));
    write::publish(record, target, &args.writing, &node, cx).await
}

/// The message of a form; a jurisdiction that is left out is the city's own.
async fn record(mut form: PracticeForm, node: &crate::client::Node) -> Result<v1::Record, Failure> {
    if form.jurisdiction.is_none() {
        let own = node.federation().await?.own;
        form.jurisdiction = Some(JurisdictionForm::city(&own.country, &own.place));
    }
    let practice: record::Practice = form.try_into()?;
    Ok(v1::Record { kind: Some(v1::record::Kind::Practice(practice)) })
}

fn set_texts(texts: &mut Texts, given: Vec<(String, String)>) {
    texts.extend(given.into_iter().map(|(lang, text)| (lang, form::Text::Plain(text))));
}

/// `en=Text`.
pub(crate) fn lang_text(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((lang, text)) if !lang.is_empty() && lang.len() <= 35 && !lang.contains(char::is_whitespace) => {
            Ok((lang.to_owned(), text.to_owned()))
        }
        _ => Err("give the language first, as en=Text".to_owned()),
    }
}
