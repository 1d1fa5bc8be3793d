//! `wego import`: bring in what a city publishes elsewhere. With `--dry-run` and no profile it needs no node.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use clap::Subcommand;
use wego_proto::{id::CityId, record::v1::RecordKind, v1};

use crate::{
    args::{DryRun, Mode, Yes},
    client::{Federation, Node},
    context::{Assent, Context, Format},
    error::{ExitCode, Failure, Outcome},
    import::{
        Finding, Lang, Reading, Settings,
        data_json::{self, SOURCE_BYTES_MAX, encoding},
        plan::{Plan, Unchanged},
        report::{Counts, Report, Shown},
        send,
        settings::city,
    },
    output,
    records::list,
};

/// Language of texts where nobody says.
const DEFAULT_LANG: &str = "en";
/// Publisher of datasets that name none, where the city is not known.
const UNKNOWN_CITY: &str = "(the city)";

/// Bring in what your city publishes elsewhere
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    DataJson(Box<DataJson>),
}

/// Import the datasets of a data.json file (Project Open Data 1.1, DCAT-US 3 and relatives)
///
/// Running it again changes nothing; with a newer file it revises what changed and withdraws what vanished.
/// What a person withdrew or erased stays away. Contact persons are never taken over. A bad record is reported and skipped: the exit code is 3 then.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego import data-json phila.json --dry-run          what would happen; without a profile all counts as new
  wego import data-json phila.json
  wego import data-json data.json --source phila --imported-from https://data.phila.example/data.json")]
struct DataJson {
    /// The file; - reads stdin
    file: PathBuf,
    /// Stable name of the source: the same at every import [default: the file's name]
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Where the file was read, as recorded with each dataset [default: the file's name]
    #[arg(long, value_name = "URL")]
    imported_from: Option<String>,
    /// Language of titles and descriptions that do not name theirs [default: as declared, else en and a warning]
    #[arg(long, value_name = "LANG")]
    lang: Option<String>,
    /// Licence of titles and descriptions; that of the data comes from the file
    #[arg(long, value_name = "SPDX", default_value = "CC0-1.0")]
    text_licence: String,
    /// Country the data is of, as ISO code [default: the city's]
    #[arg(long, value_name = "CODE")]
    country: Option<String>,
    /// Place the data is of, as UN/LOCODE without space [default: the city's]
    #[arg(long, value_name = "CODE", requires = "country")]
    place: Option<String>,
    /// Publisher of datasets that name none [default: the city]
    #[arg(long, value_name = "NAME")]
    publisher: Option<String>,
    /// Ask before withdrawing more than this share of what was imported
    #[arg(long, value_name = "PERCENT", default_value = "20", value_parser = clap::value_parser!(u32).range(0..=100))]
    max_withdraw: u32,
    /// Send unchanged datasets too, after another --lang, --text-licence or place
    #[arg(long)]
    refresh: bool,
    /// Publish again what a person withdrew or erased
    #[arg(long)]
    restore: bool,
    /// Encoding of the file, as web pages name it [default: utf-8; another one is refused and named]
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// Print every sort of warning and notice
    #[arg(long)]
    all_findings: bool,
    #[command(flatten)]
    yes: Yes,
    #[command(flatten)]
    dry_run: DryRun,
}

pub(crate) async fn run(args: Args, cx: &mut Context) -> Outcome {
    match args.command {
        Command::DataJson(args) => data_json(*args, cx).await,
    }
}

async fn data_json(args: DataJson, cx: &mut Context) -> Outcome {
    let mut settings = settings(&args)?.checked()?;
    let bytes = read_source(&args.file, SOURCE_BYTES_MAX, cx)?;
    let mode = args.dry_run.mode();
    let profile = match mode {
        Mode::DryRun => cx.profile_if_any()?,
        Mode::Write => Some(cx.profile()?),
    };
    let Some(profile) = profile else {
        cx.say("no profile: the file is checked by itself, and everything counts as new");
        settings.publisher.get_or_insert_with(|| UNKNOWN_CITY.to_owned());
        let mut reading = data_json::read(&bytes, &settings)?;
        let plan = Plan::new(&mut reading, &[], &CityId::new([0; 32]), &settings.source, Unchanged::Leave);
        let counts = Counts::of(&plan, reading.findings.errors.len());
        return finish(&Report::new(&settings.source, counts, reading), &args, cx);
    };
    // A file that is no catalogue is refused before anybody is bothered.
    drop(data_json::read(&bytes, &settings)?);
    let node = cx.connect_to(&profile).await?;
    let federation = node.federation().await?;
    complete(&mut settings, &federation.own);
    let reading = data_json::read(&bytes, &settings)?;
    import(reading, &settings, &federation, &args, &node, cx).await
}

async fn import(
    mut reading: Reading,
    settings: &Settings,
    federation: &Federation,
    args: &DataJson,
    node: &Node,
    cx: &mut Context,
) -> Outcome {
    let mode = args.dry_run.mode();
    let mut plan = plan(&mut reading, settings, federation, args, node).await?;
    let counts = Counts::of(&plan, reading.findings.errors.len());
    let question = question(&plan, settings, federation, args);
    if mode == Mode::Write
        && let Some(question) = &question
    {
        agree(question, args, cx).await?;
    }
    let steps = std::mem::take(&mut plan.add).into_iter().chain(std::mem::take(&mut plan.change)).collect();
    let mut sent = send::publish(steps, mode, node, cx).await?;
    sent.unchanged += plan.unchanged;
    send::withdraw(&plan.withdraw, &settings.source, &mut sent, mode, node, cx).await?;
    let code = finish(&Report::new(&settings.source, counts, reading).done(sent, mode), args, cx)?;
    match question.filter(|_| mode == Mode::DryRun && !args.yes.yes) {
        Some(question) if cx.stdio.input_is_tty => cx.say(&format!("{question} This needs a yes.")),
        Some(question) => return Err(refused(question)),
        None => {}
    }
    Ok(code)
}

/// Compares the source with all that was ever published here: what was erased does not tell its source any more.
async fn plan(
    reading: &mut Reading,
    settings: &Settings,
    federation: &Federation,
    args: &DataJson,
    node: &Node,
) -> Result<Plan, Failure> {
    let own = &federation.own;
    let owner = CityId::try_from(own.city_id.as_slice()).map_err(|error| {
        Failure::failed("the node's own member has no city id", "see `wego status`").because(error)
    })?;
    let query = v1::ListRequest {
        kind: RecordKind::Dataset as i32,
        handle: own.handle.clone(),
        retracted: true,
        ..Default::default()
    };
    let listed = list::pages(query, usize::MAX, node).await?;
    let unchanged = if args.refresh { Unchanged::Send } else { Unchanged::Leave };
    let mut plan = Plan::new(reading, &listed, &owner, &settings.source, unchanged);
    if reading.unknown > 0 {
        let message = "nothing is withdrawn, because what is bad and bears no identifier may be any of them";
        reading.findings.notices.push(Finding::new("catalogue", message));
    }
    if args.restore {
        plan.restore();
    }
    for held in &plan.held {
        let message = format!("was {} and stays so (--restore publishes it again)", held.why);
        reading.findings.notices.push(Finding::new(&held.step.item.place, message));
    }
    Ok(plan)
}

/// What must be agreed to: a source that shrank a lot is more often broken than smaller.
fn question(plan: &Plan, settings: &Settings, federation: &Federation, args: &DataJson) -> Option<String> {
    plan.withdraws_over(args.max_withdraw).then(|| {
        format!(
            "{} in {} withdraws {} of the {} datasets imported from {}: more than {} %.",
            federation.own.handle,
            federation.name,
            plan.withdraw.len(),
            plan.published,
            settings.source,
            args.max_withdraw
        )
    })
}

async fn agree(question: &str, args: &DataJson, cx: &mut Context) -> Result<(), Failure> {
    let assent = Assent::from_flag(args.yes.yes);
    if assent == Assent::Ask && !cx.stdio.input_is_tty {
        return Err(refused(question.to_owned()));
    }
    cx.confirm(question, assent).await
}

fn refused(question: String) -> Failure {
    Failure::conflict(
        question,
        "nothing was written; look at the file, then add --yes or raise --max-withdraw",
    )
}

fn finish(report: &Report, args: &DataJson, cx: &mut Context) -> Outcome {
    let shown = if args.all_findings { Shown::All } else { Shown::Some };
    report.print(args.dry_run.mode(), shown, cx)?;
    if args.dry_run.dry_run && cx.format == Format::Human {
        cx.say("nothing was written");
    }
    Ok(if report.is_clean() { ExitCode::Ok } else { ExitCode::Degraded })
}

fn settings(args: &DataJson) -> Result<Settings, Failure> {
    let name = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = args.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let source = match (&args.source, stem.as_str()) {
        (Some(source), _) => source.clone(),
        // Every portal calls its file that: two of them would withdraw each other's records.
        (None, "data" | "-" | "") => {
            return Err(Failure::usage(
                "the source has no name",
                "give it one that stays the same at every import, as --source phila",
            ));
        }
        (None, _) => stem,
    };
    let place = args.place.clone().unwrap_or_default();
    Ok(Settings {
        source,
        imported_from: args.imported_from.clone().unwrap_or(name),
        jurisdiction: args.country.as_ref().map(|country| city(country, &place)),
        lang: match &args.lang {
            Some(lang) => Lang::Fixed(lang.clone()),
            None => Lang::Declared { or: DEFAULT_LANG.to_owned() },
        },
        text_licence: args.text_licence.clone(),
        publisher: args.publisher.clone(),
        encoding: args.encoding.as_deref().map(encoding::named).transpose()?,
    })
}

/// Fills in what the owner's roster entry knows.
fn complete(settings: &mut Settings, own: &v1::Member) {
    settings.jurisdiction.get_or_insert_with(|| city(&own.country, &own.place));
    if settings.publisher.is_none() {
        let name = own.names.iter().find(|name| name.lang == DEFAULT_LANG).or(own.names.first());
        settings.publisher = name.map(|name| name.text.clone());
    }
}

fn read_source(path: &Path, bytes_max: u64, cx: &mut Context) -> Result<Vec<u8>, Failure> {
    let fail = |error: io::Error| Failure::of_file("read", path, error);
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        cx.stdio.input.by_ref().take(bytes_max + 1).read_to_end(&mut bytes).map_err(fail)?;
    } else {
        fs::File::open(path).map_err(fail)?.take(bytes_max + 1).read_to_end(&mut bytes).map_err(fail)?;
    }
    if bytes.len() as u64 > bytes_max {
        return Err(Failure::failed(
            format!("{} is larger than {}", path.display(), output::bytes(bytes_max)),
            "nothing was written; split the catalogue, one source for each part",
        ));
    }
    Ok(bytes)
}
