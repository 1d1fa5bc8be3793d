//! What a publication would double or bring back: said, and asked about, before it is done.
//!
//! It must never ask about a write that was done already: a repetition by its request id goes through.

use wego_proto::{
    id::RecordId,
    record::v1::LangText,
    v1::{self, RecordSummary},
};

use super::{hex, kind_of, list, titles, write::Writing};
use crate::{
    args::Mode,
    client::{Federation, Node},
    context::{Assent, Context},
    error::Failure,
    form::pick,
    output,
    words::Word as _,
};

/// Asks when a new record has the title of one that the city has published, or takes the place of a withdrawn one.
pub(crate) async fn ask_before_new(
    record: &v1::Record,
    id: Option<RecordId>,
    writing: &Writing,
    node: &Node,
    cx: &mut Context,
) -> Result<(), Failure> {
    let federation = node.federation().await?;
    let own = own_records(record, &federation, node).await?;
    let known = id.and_then(|id| own.iter().find(|one| one.record_id == id.as_bytes()));
    if let Some(known) = known {
        return match known.retracted {
            true => ask_before_return(&known.record_id, "", writing, cx).await,
            false => Ok(()),
        };
    }
    let Some(twin) = own.iter().find(|one| share_title(&one.title, titles(record))) else { return Ok(()) };
    let (kind, id) = (kind_of(record).word(), hex(&twin.record_id));
    let title = pick(&twin.title, &cx.reader_lang(None)).to_owned();
    let withdrawn = if twin.retracted { ", and withdrawn it" } else { "" };
    let plan = format!(
        "{} has published the {kind} {:?} already{withdrawn}: {id}. This makes a second one.\n\
         Did you mean `wego {kind} revise {id}`?",
        federation.own.handle,
        output::one_line(&title),
    );
    ask(&plan, writing, cx).await
}

/// Asks before a record that was withdrawn comes back into lists and search.
pub(crate) async fn ask_before_return(
    id: &[u8],
    reason: &str,
    writing: &Writing,
    cx: &mut Context,
) -> Result<(), Failure> {
    let why = if reason.is_empty() { String::new() } else { format!(" ({})", output::one_line(reason)) };
    let plan = format!("Record {} was withdrawn{why}. This brings it back into lists and search.", hex(id));
    ask(&plan, writing, cx).await
}

async fn ask(plan: &str, writing: &Writing, cx: &mut Context) -> Result<(), Failure> {
    match writing.dry_run.mode() {
        Mode::DryRun => {
            cx.warn(plan);
            Ok(())
        }
        Mode::Write => cx.confirm(plan, Assent::from_flag(writing.yes.yes)).await,
    }
}

/// The city's records of the same kind, withdrawn ones too; none for a kind without titles.
async fn own_records(
    record: &v1::Record,
    federation: &Federation,
    node: &Node,
) -> Result<Vec<RecordSummary>, Failure> {
    if titles(record).is_empty() {
        return Ok(Vec::new());
    }
    let query = v1::ListRequest {
        kind: kind_of(record) as i32,
        handle: federation.own.handle.clone(),
        retracted: true,
        ..Default::default()
    };
    list::pages(query, usize::MAX, node).await
}

/// Whether both have the same title in each language that both have.
fn share_title(one: &[LangText], other: &[LangText]) -> bool {
    let in_both = |title: &LangText| {
        let same_language = other.iter().find(|text| text.lang.eq_ignore_ascii_case(&title.lang))?;
        Some(plain(&title.text) == plain(&same_language.text))
    };
    let agree: Vec<bool> = one.iter().filter_map(in_both).collect();
    !agree.is_empty() && agree.into_iter().all(|agrees| agrees)
}

fn plain(title: &str) -> String {
    title.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}
