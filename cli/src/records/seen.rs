//! Who has a record: counted from what the members signed themselves.

use std::str::FromStr;

use serde::Serialize;
use wego_proto::{
    id::{Position, RecordId},
    v1,
};

use super::position;
use crate::{
    context::{Context, Format},
    error::{ExitCode, Outcome},
    output,
};

/// Which entry.
#[derive(Debug, clap::Args)]
pub(crate) struct Seen {
    /// Id of a record, whose newest version is meant; or a position, as kr-seoul@1.5
    #[arg(value_name = "ID|HANDLE@EPOCH.SEQ")]
    what: Sought,
}

#[derive(Debug, Clone)]
enum Sought {
    Record(RecordId),
    Entry(String, Position),
}

impl FromStr for Sought {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let Some((handle, at)) = text.split_once('@') else {
            return text.parse().map(Self::Record).map_err(|error| format!("{error}"));
        };
        let place = at.split_once('.').and_then(|(epoch, seq)| {
            let at = v1::Position { epoch: epoch.parse().ok()?, seq: seq.parse().ok()? };
            Position::try_from(at).ok()
        });
        let place = place.ok_or_else(|| "a position is written as kr-seoul@1.5".to_owned())?;
        Ok(Self::Entry(handle.to_owned(), place))
    }
}

#[derive(Serialize)]
struct Reply {
    handle: String,
    at: Option<String>,
    seen: u32,
    members: u32,
    missing: Vec<Missing>,
}

/// A member that has not said yet that it has applied something.
#[derive(Debug, Serialize)]
pub(crate) struct Missing {
    handle: String,
    seen_at: Option<String>,
    #[serde(skip)]
    seen_ms: u64,
}

impl Missing {
    pub(crate) fn of(raw: v1::Missing) -> Self {
        Self { handle: raw.handle, seen_at: output::rfc3339(raw.seen_ms), seen_ms: raw.seen_ms }
    }
}

/// Handles, each with when the member was last heard.
pub(crate) fn missing_words(missing: &[Missing], now_ms: u64) -> String {
    let word = |one: &Missing| format!("{} (heard {})", one.handle, output::ago(now_ms, one.seen_ms));
    missing.iter().map(word).collect::<Vec<_>>().join(", ")
}

pub(crate) async fn seen(args: Seen, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let mut client = node.delivery();
    let request = match args.what {
        Sought::Record(id) => v1::SeenRequest { record_id: id.as_bytes().to_vec(), ..Default::default() },
        Sought::Entry(handle, at) => v1::SeenRequest { handle, at: Some(at.into()), ..Default::default() },
    };
    let reply = node.ask("tell who has it", client.seen(request)).await?;
    let seen = reply.seen.unwrap_or_default();
    let reply = Reply {
        handle: reply.handle,
        at: position(reply.at),
        seen: seen.done,
        members: seen.members,
        missing: seen.missing.into_iter().map(Missing::of).collect(),
    };
    if cx.format == Format::Json {
        cx.print_json(&reply)?;
        return Ok(ExitCode::Ok);
    }
    let missing = missing_words(&reply.missing, cx.now_ms());
    let rest = if missing.is_empty() { String::new() } else { format!(", missing: {missing}") };
    let at = format!("{} {}", reply.handle, reply.at.as_deref().unwrap_or_default());
    cx.print(&format!(
        "{}: seen by {} of {} members{rest}\n",
        output::one_line(&at),
        reply.seen,
        reply.members
    ))?;
    cx.say("members say what they have at most once a minute; who is missing may have it already");
    Ok(ExitCode::Ok)
}
