//! Listing records, page by page.

use serde::Serialize;
use wego_proto::{
    record::v1::RecordKind,
    v1::{self, RecordSummary},
};

use super::{ErasedBy, erased_by, hex, position, signed};
use crate::{
    client::Node,
    context::{Context, Format},
    error::{ExitCode, Failure, Outcome},
    form::{Texts, pick, texts_of},
    output::{self, Table},
    words::Word as _,
};

/// Records of one page, the most a node gives.
const PAGE_RECORDS: u32 = 1_000;
/// Records shown unless more are asked for.
const SHOWN_RECORDS: &str = "100";
/// Columns a title may take in a table.
const TITLE_COLUMNS: usize = 60;

/// Which records to list.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only records of this city, by handle
    #[arg(long, value_name = "HANDLE")]
    pub(crate) city: Option<String>,
    /// Only records imported from this source; needs --city
    #[arg(long, value_name = "NAME", requires = "city")]
    pub(crate) source: Option<String>,
    /// Withdrawn records too
    #[arg(long)]
    pub(crate) retracted: bool,
    /// How many to show at most; 0 shows all
    #[arg(long, value_name = "N", default_value = SHOWN_RECORDS)]
    pub(crate) limit: usize,
    /// Language to show titles in, where there is a choice [default: that of the locale]
    #[arg(long, value_name = "LANG")]
    pub(crate) lang: Option<String>,
}

#[derive(Serialize)]
struct Listing {
    records: Vec<Row>,
    more: bool,
}

#[derive(Serialize)]
struct Row {
    record_id: String,
    kind: &'static str,
    title: Texts,
    handle: String,
    at: Option<String>,
    entry_hash: String,
    signed_at: Option<String>,
    received_at: Option<String>,
    retracted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    erased_by: Option<ErasedBy>,
    #[serde(skip_serializing_if = "String::is_empty")]
    source_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    source_hash: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    identifier: String,
}

/// `list` of any noun; without a kind all kinds.
pub(crate) async fn list(args: List, kind: Option<RecordKind>, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let query = v1::ListRequest {
        kind: kind.unwrap_or(RecordKind::Unspecified) as i32,
        handle: args.city.unwrap_or_default(),
        source_id: args.source.unwrap_or_default(),
        retracted: args.retracted,
        ..Default::default()
    };
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    // One more than is shown, to know whether there are more.
    let mut records = pages(query, limit.saturating_add(1), &node).await?;
    let more = records.len() > limit;
    records.truncate(limit);
    if cx.format == Format::Json {
        cx.print_json(&Listing { records: records.into_iter().map(row).collect(), more })?;
        return Ok(ExitCode::Ok);
    }
    let lang = cx.reader_lang(args.lang.as_deref());
    print(&records, &lang, cx)?;
    if more {
        cx.say(&format!("there are more: --limit 0 shows all, the first {limit} are shown"));
    }
    Ok(ExitCode::Ok)
}

/// Up to `limit` records, newest first, over as many pages as it takes.
pub(crate) async fn pages(
    mut query: v1::ListRequest,
    limit: usize,
    node: &Node,
) -> Result<Vec<RecordSummary>, Failure> {
    let mut client = node.catalogue();
    let mut records = Vec::new();
    loop {
        let wanted = u32::try_from(limit - records.len()).unwrap_or(PAGE_RECORDS);
        query.page_size = wanted.min(PAGE_RECORDS);
        let reply = node.ask("list records", client.list(query.clone())).await?;
        records.extend(reply.records);
        if reply.next_page_token.is_empty() || records.len() >= limit {
            return Ok(records);
        }
        if reply.next_page_token == query.page_token {
            return Err(Failure::failed("the node's list has no end", "the node's log says more"));
        }
        query.page_token = reply.next_page_token;
    }
}

fn print(records: &[RecordSummary], lang: &str, cx: &mut Context) -> Result<(), Failure> {
    let now_ms = cx.now_ms();
    let mut table = Table::new(&["KIND", "CITY", "TITLE", "SIGNED", "ID"]);
    for record in records {
        let (title, state) = match &record.erased_by {
            Some(by) => (format!("(erased {})", erased_by(by, now_ms)), ", erased"),
            None => (pick(&record.title, lang).to_owned(), if record.retracted { ", withdrawn" } else { "" }),
        };
        table.row([
            record.kind().word(),
            &record.handle,
            &output::cut(&title, TITLE_COLUMNS),
            &format!("{}{state}", signed(now_ms, record.dated())),
            &hex(&record.record_id),
        ]);
    }
    if table.is_empty() {
        cx.say("no such records here");
        return Ok(());
    }
    cx.print_table(table)
}

fn row(record: RecordSummary) -> Row {
    Row {
        record_id: hex(&record.record_id),
        kind: record.kind().word(),
        title: texts_of(record.title),
        handle: record.handle,
        at: position(record.at),
        entry_hash: hex(&record.entry_hash),
        signed_at: output::rfc3339(record.signed_at_ms),
        received_at: output::rfc3339(record.received_at_ms),
        retracted: record.retracted,
        erased_by: record.erased_by.map(ErasedBy::from),
        source_id: record.source_id,
        source_hash: record.source_hash,
        identifier: record.identifier,
    }
}
