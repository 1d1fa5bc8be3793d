//! Many alike refusals become one event with a count: a stranger must not fill the disk. Decides only; the time comes in
//! as an argument.
//!
//! The problem: keys cost a stranger nothing, so whatever is written for each key or each minute adds up until the disk
//! is full and the node refuses every change. The rule: all strangers share a few counts, over a time that grows while
//! they go on; operators are counted apart, each for itself. It must never let a stranger hide what an operator does.

use std::collections::BTreeMap;

use super::event::{Actor, Event, Outcome};

/// Refusals are counted over this time.
const WINDOW_MS: u64 = 60_000;
/// The same of strangers that go on, at most; and how long they must rest before it is short again.
const LONG_WINDOW_MS: u64 = 60 * 60 * 1_000;
/// Alike refusals of an operator that are written one by one in a window: more than a person causes.
const OPERATOR_MAX: u64 = 100;
/// The same of somebody unknown.
const STRANGER_MAX: u64 = 1;
/// Refusals of strangers counted apart in a window, enough to see one who lost a profile; those beyond are counted
/// together.
pub(super) const STRANGER_KINDS_MAX: usize = 8;

/// What makes refusals alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    actor: Actor,
    action: String,
    code: String,
}

#[derive(Debug)]
struct Counted {
    until_ms: u64,
    written: u64,
    /// The last that was not written, standing for all of them.
    held: Option<Event>,
}

/// What was refused lately.
#[derive(Debug, Default)]
pub(super) struct Flood {
    operators: BTreeMap<Kind, Counted>,
    strangers: BTreeMap<Kind, Counted>,
    window: StrangerWindow,
}

/// The time over which all strangers are counted.
#[derive(Debug)]
struct StrangerWindow {
    length_ms: u64,
    until_ms: u64,
    /// When it ended last with more than one refusal in it.
    busy_ms: u64,
}

impl Default for StrangerWindow {
    fn default() -> Self {
        Self { length_ms: WINDOW_MS, until_ms: 0, busy_ms: 0 }
    }
}

impl StrangerWindow {
    fn begin(&mut self, now_ms: u64) {
        if now_ms >= self.busy_ms.saturating_add(LONG_WINDOW_MS) {
            self.length_ms = WINDOW_MS;
        }
        self.until_ms = now_ms.saturating_add(self.length_ms);
    }

    fn end(&mut self, busy: bool) {
        if busy {
            self.busy_ms = self.until_ms;
            self.length_ms = (2 * self.length_ms).min(LONG_WINDOW_MS);
        }
    }
}

impl Flood {
    /// Gives an event back when it is to be written at once, or counts it.
    pub(super) fn admit(&mut self, mut event: Event) -> Option<Event> {
        let Outcome::Refused { code, .. } = &event.outcome else { return Some(event) };
        let mut kind = Kind { actor: event.actor.clone(), action: event.action.clone(), code: code.clone() };
        let (kinds, limit, until_ms) = if kind.actor.is_stranger() {
            if self.strangers.is_empty() {
                self.window.begin(event.at_ms);
            }
            if !self.strangers.contains_key(&kind) && self.strangers.len() >= STRANGER_KINDS_MAX {
                kind.actor.key.clear();
                "many".clone_into(&mut kind.action);
                kind.code.clear();
                event.actor.key.clear();
                "many".clone_into(&mut event.action);
            }
            (&mut self.strangers, STRANGER_MAX, self.window.until_ms)
        } else {
            (&mut self.operators, OPERATOR_MAX, event.at_ms.saturating_add(WINDOW_MS))
        };
        let counted = kinds.entry(kind).or_insert(Counted { until_ms, written: 0, held: None });
        if counted.written < limit {
            counted.written += 1;
            return Some(event);
        }
        let times = counted.held.as_ref().map_or(0, |held| held.times) + event.times;
        counted.held = Some(Event { times, ..event });
        None
    }

    /// The counts of windows that are over.
    pub(super) fn due(&mut self, now_ms: u64) -> Vec<Event> {
        let mut due = ended(&mut self.operators, now_ms);
        let kinds = self.strangers.len();
        let counts = ended(&mut self.strangers, now_ms);
        if kinds > self.strangers.len() {
            self.window.end(kinds > 1 || !counts.is_empty());
        }
        due.extend(counts);
        due
    }

    /// All counts: the node stops.
    pub(super) fn all(&mut self) -> Vec<Event> {
        self.due(u64::MAX)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.operators.is_empty() && self.strangers.is_empty()
    }
}

fn ended(kinds: &mut BTreeMap<Kind, Counted>, now_ms: u64) -> Vec<Event> {
    let mut counts = Vec::new();
    kinds.retain(|_, counted| {
        let over = counted.until_ms <= now_ms;
        if over {
            counts.extend(counted.held.take());
        }
        !over
    });
    counts
}
