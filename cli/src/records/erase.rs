//! Ordering the contents of a record to be erased everywhere.
//!
//! It cannot be taken back, so it must never happen by a slip: part of the id has to be typed again.

use wego_proto::{
    id::RecordId,
    v1::{self, EraseReason},
};

use super::{
    read, titles,
    write::{self, Writing},
};
use crate::{
    args::Mode,
    context::{Assent, Context},
    error::Outcome,
    form::pick,
    output,
    words::Word as _,
};

/// Digits of the id that are typed again.
const TYPED_DIGITS: usize = 8;

/// Which record to erase, and why.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Every member deletes the contents of all versions and keeps the signed headers, which say that there was something and \
that it was erased. It cannot be taken back. What others copied out of the federation is not reached; backups erase \
again when they are restored. `wego erase status` shows who has done it.")]
pub(crate) struct Erase {
    /// Id of the record, 32 hexadecimal digits
    id: RecordId,
    /// Why, as a code for everybody to read: personal-data, consent-withdrawn, legal-order, rights or mistake
    #[arg(long, value_name = "CODE", value_parser = reason)]
    reason: EraseReason,
    #[command(flatten)]
    writing: Writing,
}

pub(crate) async fn erase(args: Erase, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let federation = node.federation().await?;
    let view = read::read(args.id, &node).await?;
    write::refuse_foreign(args.id, &view, &federation)?;
    let title = view.record.as_ref().map(|record| pick(titles(record), "en")).unwrap_or_default();
    let what = match output::one_line(title) {
        title if title.is_empty() => format!("record {}", args.id),
        title => format!("{title:?} ({})", args.id),
    };
    let plan = format!(
        "{} in {} erases every version of {what}, at every member and for ever. Nobody can bring it back.",
        federation.own.handle, federation.name
    );
    let mode = args.writing.dry_run.mode();
    match mode {
        Mode::DryRun => cx.say(&plan),
        Mode::Write => {
            let digits: String = args.id.to_string().chars().take(TYPED_DIGITS).collect();
            cx.confirm_by_typing(&plan, &digits, Assent::from_flag(args.writing.yes.yes)).await?;
        }
    }
    let request_id = write::chosen_or_random(&args.writing)?;
    let request = v1::EraseRequest {
        request_id: request_id.as_bytes().to_vec(),
        record_id: args.id.as_bytes().to_vec(),
        reason: args.reason as i32,
        dry_run: mode == Mode::DryRun,
    };
    let mut client = node.catalogue();
    let reply = node.ask("erase the record", client.erase(request)).await;
    let reply = reply.map_err(|failure| write::retry_hint(failure, request_id))?;
    let outcome = write::print(&reply, "record", request_id, mode, cx)?;
    if mode == Mode::Write {
        cx.say("`wego erase status` shows who has carried it out; see to backups and copies outside as well");
    }
    Ok(outcome)
}

fn reason(word: &str) -> Result<EraseReason, String> {
    EraseReason::from_word(word).ok_or_else(|| format!("must be one of {}", EraseReason::all_words()))
}
