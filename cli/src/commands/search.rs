//! `wego search`: find records of all cities, from this node's copy.

use serde::Serialize;
use wego_proto::v1;

use crate::{
    context::{Context, Format},
    error::{ExitCode, Failure, Outcome},
    form::Texts,
    output::{self, Table, one_line},
    records::{ErasedBy, Provenance, erased_by, hex, signed},
    words::Word as _,
};

/// Columns a title may take in a table.
const TITLE_COLUMNS: usize = 60;
/// Data not confirmed for longer than this is pointed out.
const OLD_MS: u64 = 24 * 3_600 * 1_000;
/// Cities named one by one before the rest is counted.
const NAMED_CITIES: usize = 5;

/// Find records of all cities, offline too: the node searches its own copy
///
/// DATA says when the copy of each city's records was last confirmed current.
/// Words are joined by AND. "a phrase" and -word work (quote them for the shell), and so do the filters
/// city:kr-seoul kind:practice topic:CODE lang:ko country:KR licence:CC-BY-4.0 stage:live.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego search bus arrival
  wego search 'bus -tram' kind:practice stage:live
  wego search '\"open data\"' country:KR --facets
  wego search -- -tram                            a query that begins with a dash")]
pub(crate) struct Args {
    /// What to look for; nothing finds everything
    #[arg(value_name = "QUERY")]
    query: Vec<String>,
    /// Hits to show, at most 100
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: u32,
    /// Hits to skip, at most 10,000
    #[arg(long, value_name = "N", default_value = "0", value_parser = clap::value_parser!(u32).range(..=10_000))]
    offset: u32,
    /// Count the hits by kind, city, topic and more
    #[arg(long)]
    facets: bool,
    /// Language to show titles in, where there is a choice [default: that of the locale]
    #[arg(long, value_name = "LANG")]
    lang: Option<String>,
}

#[derive(Serialize)]
struct Found {
    query: String,
    total: u64,
    hits: Vec<Hit>,
    facets: Vec<Facet>,
    coverage: Vec<Coverage>,
    also_searched: Vec<String>,
    corrected: Vec<String>,
    behind: u64,
}

#[derive(Serialize)]
struct Hit {
    record_id: String,
    kind: &'static str,
    title: Texts,
    summary: Texts,
    score: f32,
    provenance: Option<Provenance>,
    #[serde(skip_serializing_if = "Option::is_none")]
    erased_by: Option<ErasedBy>,
    /// Seconds since the city's data was last confirmed current here; none for never.
    data_age_s: Option<u64>,
}

#[derive(Serialize)]
struct Facet {
    field: String,
    values: Vec<FacetValue>,
}

#[derive(Serialize)]
struct FacetValue {
    value: String,
    label: String,
    count: u64,
}

#[derive(Serialize)]
struct Coverage {
    handle: String,
    seq: u64,
    seen_at: Option<String>,
    data_age_s: Option<u64>,
}

pub(crate) async fn run(args: Args, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let query = args.query.join(" ");
    let request = v1::SearchRequest {
        query: query.clone(),
        limit: args.limit,
        offset: args.offset,
        facets: args.facets,
        reader_lang: cx.reader_lang(args.lang.as_deref()),
    };
    let mut client = node.search();
    let reply = node.ask("search", client.search(request)).await?;
    match cx.format {
        Format::Json => cx.print_json(&found(query, reply, cx.now_ms()))?,
        Format::Human => print(&reply, args.offset, cx)?,
    }
    Ok(ExitCode::Ok)
}

fn print(reply: &v1::SearchReply, offset: u32, cx: &mut Context) -> Result<(), Failure> {
    let now_ms = cx.now_ms();
    let mut table = Table::new(&["KIND", "CITY", "DATA", "TITLE", "SIGNED", "ID"]);
    for hit in &reply.hits {
        let from = hit.provenance.as_ref();
        let title = match &hit.erased_by {
            Some(by) => format!("(erased {})", erased_by(by, now_ms)),
            None => hit.title.as_ref().map(|title| title.text.clone()).unwrap_or_default(),
        };
        table.row([
            hit.kind().word(),
            from.map(|from| from.handle.as_str()).unwrap_or_default(),
            &output::ago(now_ms, from.map_or(0, |from| from.origin_seen_ms)),
            &output::cut(&title, TITLE_COLUMNS),
            &from.map(|from| signed(now_ms, from.dated())).unwrap_or_default(),
            &hex(&hit.record_id),
        ]);
    }
    if !table.is_empty() {
        cx.print_table(table)?;
    }
    if !reply.facets.is_empty() {
        let mut table = Table::new(&["FILTER", "COUNT", "LABEL"]);
        for facet in &reply.facets {
            for value in &facet.values {
                let filter = format!("{}:{}", facet.field, value.value);
                table.row([filter.as_str(), &value.count.to_string(), &value.label]);
            }
        }
        table.align_right(1);
        cx.print("\n")?;
        cx.print_table(table)?;
    }
    let shown = reply.hits.len() as u64 + u64::from(offset);
    let text = match reply.total {
        0 => "nothing found: try fewer or other words; without any, --facets shows what there is".to_owned(),
        total if reply.hits.is_empty() => format!("no more: {total} in all"),
        total if shown < total => format!("{shown} of {total} hits; --offset {shown} shows the next"),
        1 => "1 hit".to_owned(),
        total => format!("{total} hits"),
    };
    cx.say(&text);
    talk(reply, now_ms, cx);
    Ok(())
}

/// What the answer rests on: words that were changed, and how old the data is.
fn talk(reply: &v1::SearchReply, now_ms: u64, cx: &mut Context) {
    if !reply.also_searched.is_empty() {
        cx.say(&format!("also searched the topics: {}", one_line(&reply.also_searched.join(", "))));
    }
    if !reply.corrected.is_empty() {
        let words = one_line(&reply.corrected.join(", ")).into_owned();
        cx.say(&format!("also tried with a letter wrong: {words}"));
    }
    if reply.behind > 0 {
        cx.say(&format!("{} entries are held but not searchable yet", reply.behind));
    }
    let old: Vec<&v1::Coverage> =
        reply.coverage.iter().filter(|city| city.seen_ms + OLD_MS < now_ms).collect();
    if !old.is_empty() {
        let named = old.iter().take(NAMED_CITIES);
        let named: Vec<String> = named
            .map(|city| format!("{} ({})", one_line(&city.handle), output::ago(now_ms, city.seen_ms)))
            .collect();
        let more = old.len().saturating_sub(NAMED_CITIES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        cx.say(&format!(
            "data of {} of {} cities was last confirmed over a day ago: {}{more}",
            old.len(),
            reply.coverage.len(),
            named.join(", ")
        ));
    }
}

fn found(query: String, reply: v1::SearchReply, now_ms: u64) -> Found {
    let age_s = |seen_ms: u64| (seen_ms != 0).then(|| now_ms.saturating_sub(seen_ms) / 1_000);
    let text = |text: wego_proto::record::v1::LangText| crate::form::texts_of(vec![text]);
    let hit = |hit: v1::Hit| Hit {
        record_id: hex(&hit.record_id),
        kind: hit.kind().word(),
        provenance: hit.provenance.as_ref().map(Provenance::from),
        data_age_s: hit.provenance.as_ref().and_then(|from| age_s(from.origin_seen_ms)),
        title: hit.title.map(text).unwrap_or_default(),
        summary: hit.summary.map(text).unwrap_or_default(),
        score: hit.score,
        erased_by: hit.erased_by.map(ErasedBy::from),
    };
    let value =
        |value: v1::FacetValue| FacetValue { value: value.value, label: value.label, count: value.count };
    let facet = |facet: v1::Facet| Facet {
        field: facet.field,
        values: facet.values.into_iter().map(value).collect(),
    };
    let city = |city: v1::Coverage| Coverage {
        handle: city.handle,
        seq: city.seq,
        seen_at: output::rfc3339(city.seen_ms),
        data_age_s: age_s(city.seen_ms),
    };
    Found {
        query,
        total: reply.total,
        hits: reply.hits.into_iter().map(hit).collect(),
        facets: reply.facets.into_iter().map(facet).collect(),
        coverage: reply.coverage.into_iter().map(city).collect(),
        also_searched: reply.also_searched,
        corrected: reply.corrected,
        behind: reply.behind,
    }
}
