//! Publishing, revising and withdrawing.
//!
//! Every write carries a request id, so that one whose answer was lost can be repeated without writing twice.

use serde::Serialize;
use wego_proto::{
    id::{Hash, RecordId, RequestId},
    record::v1::RecordKind,
    v1,
};

use super::{hex, position, titles, twice};
use crate::{
    args::{DryRun, Mode, Yes},
    client::{Federation, Node},
    context::{Assent, Context, Format},
    error::{ExitCode, Failure, Outcome, as_in_forms},
    form::pick,
    output,
    words::Word as _,
};

/// What every write takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Writing {
    /// Repeat an earlier write whose answer was lost, by the id its error printed: it is written once at most
    #[arg(long, value_name = "HEX")]
    pub(crate) request_id: Option<RequestId>,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    #[command(flatten)]
    pub(crate) yes: Yes,
}

/// Which record to withdraw, and why.
#[derive(Debug, clap::Args)]
pub(crate) struct Retract {
    /// Id of the record, 32 hexadecimal digits
    pub(crate) id: RecordId,
    /// Why, for everybody to read; at most 1,000 characters
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) writing: Writing,
}

/// A new record, or a version that supersedes another.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// The id may be given; the node chooses otherwise.
    New(Option<RecordId>),
    /// The record, and the newest version the editor saw.
    Revision(RecordId, Option<Hash>),
}

#[derive(Serialize)]
struct Written {
    record_id: String,
    outcome: &'static str,
    dry_run: bool,
    at: Option<String>,
    entry_hash: Option<String>,
    request_id: String,
    warnings: Vec<String>,
}

/// Publishes `record` and prints what became of it.
pub(crate) async fn publish(
    record: v1::Record,
    target: Target,
    writing: &Writing,
    node: &Node,
    cx: &mut Context,
) -> Outcome {
    let kind = super::kind_of(&record);
    let request_id = chosen_or_random(writing)?;
    let (record_id, expected_base, must_exist) = match target {
        Target::New(id) => (id, None, false),
        Target::Revision(id, base) => (Some(id), base, true),
    };
    let request = v1::PublishRequest {
        request_id: request_id.as_bytes().to_vec(),
        record_id: record_id.map(|id| id.as_bytes().to_vec()).unwrap_or_default(),
        record: Some(record),
        expected_base: expected_base.map(|hash| hash.as_bytes().to_vec()).unwrap_or_default(),
        must_exist,
        dry_run: writing.dry_run.mode() == Mode::DryRun,
    };
    let doing = format!("publish the {}", kind.word());
    let mut client = node.catalogue();
    if let Target::New(id) = target {
        // What is wrong with it comes before any question, and what was done already needs none.
        let rehearsal = v1::PublishRequest { dry_run: true, ..request.clone() };
        let judged = node.ask(&doing, client.publish(rehearsal)).await?;
        if let (None, Some(record)) = (judged.at, &request.record) {
            twice::ask_before_new(record, id, writing, node, cx).await?;
        }
    }
    let reply = node.ask(&doing, client.publish(request)).await;
    let reply = reply.map_err(|failure| retry_hint(failure, request_id))?;
    print(&reply, kind.word(), request_id, writing.dry_run.mode(), cx)
}

/// Withdraws a record after showing what and where.
pub(crate) async fn retract(args: Retract, kind: RecordKind, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let federation = node.federation().await?;
    let view = super::read::read_kind(args.id, kind, &node).await?;
    refuse_foreign(args.id, &view, &federation)?;
    let lang = cx.reader_lang(None);
    let title = view.record.as_ref().map(|record| pick(titles(record), &lang)).unwrap_or_default();
    let plan = format!(
        "{} in {} withdraws the {} {:?} ({}). It leaves lists and search; its history stays.",
        federation.own.handle,
        federation.name,
        kind.word(),
        output::one_line(title),
        args.id
    );
    let mode = args.writing.dry_run.mode();
    match mode {
        Mode::DryRun => cx.say(&plan),
        Mode::Write => cx.confirm(&plan, Assent::from_flag(args.writing.yes.yes)).await?,
    }
    let request_id = chosen_or_random(&args.writing)?;
    let request = v1::RetractRequest {
        request_id: request_id.as_bytes().to_vec(),
        record_id: args.id.as_bytes().to_vec(),
        reason: args.reason,
        dry_run: mode == Mode::DryRun,
    };
    let mut client = node.catalogue();
    let reply = node.ask("withdraw the record", client.retract(request)).await;
    let reply = reply.map_err(|failure| retry_hint(failure, request_id))?;
    print(&reply, kind.word(), request_id, mode, cx)
}

/// Told here, where the owner's handle is known; a node would refuse it as well.
pub(crate) fn refuse_foreign(
    id: RecordId,
    view: &v1::RecordView,
    federation: &Federation,
) -> Result<(), Failure> {
    let owner = view.provenance.as_ref().map(|from| from.handle.as_str()).unwrap_or_default();
    if owner == federation.own.handle {
        return Ok(());
    }
    Err(Failure::conflict(
        format!("record {id} belongs to {owner}, not to {}", federation.own.handle),
        "only its owner can revise or withdraw a record; `wego adoption declare` says that your city uses it",
    ))
}

/// 16 random bytes that name one intended write.
pub(crate) fn random_request_id() -> Result<RequestId, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::failed("no random numbers to be had", "the system's random source is broken").because(error)
    })?;
    Ok(RequestId::new(bytes))
}

pub(crate) fn chosen_or_random(writing: &Writing) -> Result<RequestId, Failure> {
    writing.request_id.map_or_else(random_request_id, Ok)
}

/// After a lost answer nobody knows whether it was written; the same id settles it.
pub(crate) fn retry_hint(mut failure: Failure, request_id: RequestId) -> Failure {
    if failure.code == ExitCode::Unreachable {
        failure.hint = format!(
            "it may have been written or not; repeat the command with --request-id {request_id}, which writes it \
             once at most"
        );
    }
    failure
}

pub(crate) fn print(
    reply: &v1::PublishReply,
    noun: &str,
    request_id: RequestId,
    mode: Mode,
    cx: &mut Context,
) -> Outcome {
    let written = Written {
        record_id: hex(&reply.record_id),
        outcome: reply.outcome().word(),
        dry_run: mode == Mode::DryRun,
        at: position(reply.at),
        entry_hash: (!reply.entry_hash.is_empty()).then(|| hex(&reply.entry_hash)),
        request_id: request_id.to_string(),
        warnings: reply.warnings.iter().map(|warning| as_in_forms(warning)).collect(),
    };
    if cx.format == Format::Json {
        cx.print_json(&written)?;
        return Ok(ExitCode::Ok);
    }
    for warning in &written.warnings {
        cx.warn(warning);
    }
    let would = if written.dry_run { "would be " } else { "" };
    let at = written.at.map(|at| format!(" at {at}")).unwrap_or_default();
    cx.print(&format!("{noun} {} {would}{}{at}\n", written.record_id, written.outcome))?;
    Ok(ExitCode::Ok)
}
