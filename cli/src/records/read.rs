//! Showing one record and its versions.

use serde::Serialize;
use wego_proto::{id::RecordId, record::v1::RecordKind, v1};

use super::{Provenance, adopters::Adopter, hex, kind_of, print_record};
use crate::{
    client::Node,
    context::{Context, Format},
    error::{ExitCode, Failure, Outcome},
    form::RecordForm,
    output::{self, Table},
    words::Word as _,
};

/// Which record, and how to show it.
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// Id of the record, 32 hexadecimal digits
    pub(crate) id: RecordId,
    /// Language to show texts in, where there is a choice [default: that of the locale]
    #[arg(long, value_name = "LANG")]
    pub(crate) lang: Option<String>,
    /// Print only the record, as a YAML form that can be edited and handed back
    #[arg(long, conflicts_with = "json")]
    pub(crate) yaml: bool,
}

/// Which record.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Id of the record, 32 hexadecimal digits
    pub(crate) id: RecordId,
}

#[derive(Serialize)]
struct View {
    record_id: String,
    kind: &'static str,
    versions: u32,
    retracted: bool,
    erased: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    erased_by: Option<super::ErasedBy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retract_reason: Option<String>,
    provenance: Provenance,
    adoptions: Vec<Adopter>,
    record: Option<RecordForm>,
}

#[derive(Serialize)]
struct Versions {
    record_id: String,
    versions: Vec<Version>,
}

#[derive(Serialize)]
struct Version {
    kind: &'static str,
    payload_bytes: u32,
    payload_held: bool,
    provenance: Provenance,
}

/// Reads the newest version of a record.
pub(crate) async fn read(id: RecordId, node: &Node) -> Result<v1::RecordView, Failure> {
    let request = v1::ReadRequest { record_id: id.as_bytes().to_vec() };
    let mut client = node.catalogue();
    node.ask(&format!("read record {id}"), client.read(request)).await
}

/// As [`read`], refusing a record of another kind than the command is about.
pub(crate) async fn read_kind(
    id: RecordId,
    kind: RecordKind,
    node: &Node,
) -> Result<v1::RecordView, Failure> {
    let view = read(id, node).await?;
    let found = view.record.as_ref().map_or(RecordKind::Unspecified, kind_of);
    // An erased record has no kind any more; it is shown all the same.
    if found != kind && view.record.is_some() {
        return Err(Failure::usage(
            format!("record {id} is no {}", kind.word()),
            format!("it is of kind {}: wego record show {id}", found.word()),
        ));
    }
    Ok(view)
}

/// `show` of any noun; without a kind any record will do.
pub(crate) async fn show(args: Show, kind: Option<RecordKind>, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let view = match kind {
        Some(kind) => read_kind(args.id, kind, &node).await?,
        None => read(args.id, &node).await?,
    };
    if args.yaml {
        let form = view.record.and_then(RecordForm::of).ok_or_else(erased)?;
        cx.print(&form.yaml()?)?;
    } else if cx.format == Format::Json {
        cx.print_json(&json(view))?;
    } else {
        let lang = cx.reader_lang(args.lang.as_deref());
        print_record(&view, &lang, cx)?;
    }
    Ok(ExitCode::Ok)
}

/// `history` of any noun.
pub(crate) async fn history(args: Which, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let mut client = node.catalogue();
    let request = v1::ReadRequest { record_id: args.id.as_bytes().to_vec() };
    let doing = format!("read the history of {}", args.id);
    let reply = node.ask(&doing, client.history(request)).await?;
    if cx.format == Format::Json {
        let versions = reply.versions.iter().map(version).collect();
        cx.print_json(&Versions { record_id: args.id.to_string(), versions })?;
        return Ok(ExitCode::Ok);
    }
    let now_ms = cx.now_ms();
    let mut table = Table::new(&["AT", "WHAT", "SIGNED", "BY", "KEY", "CONTENT", "ENTRY"]);
    for one in &reply.versions {
        let Some(from) = &one.provenance else { continue };
        let content = match (one.payload_bytes, one.payload_held) {
            (0, _) => "none".to_owned(),
            (_, false) => "erased".to_owned(),
            (bytes, true) => output::bytes(bytes.into()),
        };
        let entry = hex(&from.entry_hash);
        table.row([
            super::position(from.at).unwrap_or_default().as_str(),
            one.kind().word(),
            &super::signed(now_ms, from.dated()),
            &from.handle,
            &from.key_no.to_string(),
            &content,
            entry.get(..16).unwrap_or(&entry),
        ]);
    }
    cx.print_table(table)?;
    Ok(ExitCode::Ok)
}

fn version(version: &v1::Version) -> Version {
    Version {
        kind: version.kind().word(),
        payload_bytes: version.payload_bytes,
        payload_held: version.payload_held,
        provenance: version.provenance.as_ref().map(Provenance::from).unwrap_or_else(nowhere),
    }
}

fn json(view: v1::RecordView) -> View {
    View {
        record_id: hex(&view.record_id),
        kind: view.record.as_ref().map_or("unknown", |record| kind_of(record).word()),
        versions: view.versions,
        retracted: view.retracted,
        erased: view.erased,
        erased_by: view.erased_by.map(super::ErasedBy::from),
        retract_reason: view.retracted.then_some(view.retract_reason),
        provenance: view.provenance.as_ref().map(Provenance::from).unwrap_or_else(nowhere),
        adoptions: view.adoptions.iter().map(Adopter::from).collect(),
        record: view.record.and_then(RecordForm::of),
    }
}

fn nowhere() -> Provenance {
    Provenance::from(&v1::Provenance::default())
}

fn erased() -> Failure {
    Failure::failed(
        "the record has no content: it was erased",
        "`wego record history` shows what is left of it",
    )
}
