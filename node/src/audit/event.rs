//! What an event says, and its form in the file. Texts of callers are cut and cleaned here, once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Characters of the reason a caller gives.
const REASON_CHARS_MAX: usize = 500;
/// Characters of any other text: a refusal's is two sentences, a target an id or a handle.
const TEXT_CHARS_MAX: usize = 300;

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Actor {
    /// Operator's name or local account; empty for somebody unknown.
    pub name: String,
    /// Fingerprint of the key in the client certificate; empty for a local command.
    pub key: String,
    /// As in the operators file; `local` for a local command; empty for somebody unknown.
    pub role: &'static str,
}

impl Actor {
    /// The node itself, for what a signal or its own care makes it do.
    #[must_use]
    pub fn node() -> Self {
        Self { name: "wego-node".to_owned(), key: String::new(), role: "node" }
    }

    /// Whether it is nobody that this node knows: its key costs it nothing.
    #[must_use]
    pub fn is_stranger(&self) -> bool {
        self.name.is_empty()
    }
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It was refused, and nothing changed unless the text says so.
    Refused {
        /// gRPC code or exit code.
        code: String,
        /// The first of the answer's text.
        text: String,
    },
    /// It is about to be tried; another event says how it ended, unless the node ended before.
    Begun,
    /// The caller left before the answer; it may have been done.
    Unknown,
}

/// Something that was done or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When the outcome was known, ms since 1970.
    pub at_ms: u64,
    /// Who.
    pub actor: Actor,
    /// `rpc`, or the program.
    pub via: &'static str,
    /// Method, as `Catalogue/Publish`, or command, as `rebuild-store`.
    pub action: String,
    /// What it was about: `record` and an id, `member` and a handle. Never content.
    pub target: String,
    /// Why, as the caller says.
    pub reason: String,
    /// The caller's request id, hexadecimal.
    pub request_id: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Alike events counted in this one.
    pub times: u64,
}

impl Event {
    /// One event of `actor`, about nothing and for no reason yet.
    #[must_use]
    pub fn new(at_ms: u64, actor: Actor, via: &'static str, action: &str, outcome: Outcome) -> Self {
        let [target, reason, request_id] = [const { String::new() }; 3];
        Self { at_ms, actor, via, action: action.to_owned(), target, reason, request_id, outcome, times: 1 }
    }

    /// The inside of its JSON object.
    pub(super) fn members(&self) -> String {
        let (result, code, text) = match &self.outcome {
            Outcome::Done => ("ok", "", ""),
            Outcome::Refused { code, text } => ("refused", code.as_str(), text.as_str()),
            Outcome::Begun => ("begun", "", ""),
            Outcome::Unknown => ("unknown", "", ""),
        };
        let short = |text: &str| clean(text, TEXT_CHARS_MAX);
        let entry = Entry {
            n: 0,
            time: time(self.at_ms),
            actor: short(&self.actor.name),
            key: short(&self.actor.key),
            role: self.actor.role.to_owned(),
            via: self.via.to_owned(),
            action: short(&self.action),
            target: short(&self.target),
            reason: clean(&self.reason, REASON_CHARS_MAX),
            result: result.to_owned(),
            code: short(code),
            text: short(text),
            request_id: short(&self.request_id),
            times: self.times,
        };
        // A struct of texts and numbers always has a JSON form.
        let object = serde_json::to_string(&entry).unwrap_or_default();
        object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default().to_owned()
    }
}

/// An event as it stands in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// Its number; written before everything else.
    #[serde(skip_serializing)]
    pub n: u64,
    /// RFC 3339, in UTC.
    pub time: String,
    /// See [`Actor`].
    pub actor: String,
    /// See [`Actor`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// See [`Actor`].
    pub role: String,
    /// See [`Event`].
    pub via: String,
    /// See [`Event`].
    pub action: String,
    /// See [`Event`].
    pub target: String,
    /// See [`Event`].
    pub reason: String,
    /// `ok`, `refused`, `begun` or `unknown`.
    pub result: String,
    /// Of a refusal.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// Of a refusal.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// See [`Event`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// See [`Event`].
    pub times: u64,
}

impl Entry {
    /// Reads a line; none when it is no event.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// Its time in ms since 1970; 0 when it has none.
    #[must_use]
    pub fn at_ms(&self) -> u64 {
        let time = self.time.parse::<Timestamp>().ok();
        time.and_then(|time| u64::try_from(time.as_millisecond()).ok()).unwrap_or(0)
    }
}

fn time(at_ms: u64) -> String {
    let time = i64::try_from(at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    // Always with three digits, so that lines compare as times do.
    format!("{:.3}", time.unwrap_or_default())
}

/// `text` without what could drive a terminal or break a line, cut to `chars`.
#[must_use]
pub fn clean(text: &str, chars: usize) -> String {
    let plain = |c: char| if c.is_control() || turns_text(c) { ' ' } else { c };
    let mut cleaned: String = text.trim().chars().map(plain).take(chars).collect();
    if text.trim().chars().nth(chars).is_some() {
        cleaned.push('…');
    }
    cleaned
}

/// Marks that make a screen show text in another order or hide it.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
