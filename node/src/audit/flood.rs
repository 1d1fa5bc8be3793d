//! Many alike refusals of one caller become one event with a count: a stranger must not fill the disk. Decides only;
//! the time comes in as an argument.

use std::collections::BTreeMap;

use super::event::{Actor, Event, Outcome};

/// Refusals are counted over this time.
const WINDOW_MS: u64 = 60_000;
/// Alike refusals of an operator that are written one by one in a window: more than a person causes.
const OPERATOR_MAX: u64 = 100;
/// The same of somebody unknown.
const STRANGER_MAX: u64 = 1;
/// Refusals of strangers counted apart in a window. Keys cost a stranger nothing; those beyond are counted together.
/// Operators are counted apart always: there are few, and a stranger must not hide what they do.
pub(super) const KINDS_MAX: usize = 256;

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
pub(super) struct Flood(BTreeMap<Kind, Counted>);

impl Flood {
    /// Gives an event back when it is to be written at once, or counts it.
    pub(super) fn admit(&mut self, mut event: Event) -> Option<Event> {
        let Outcome::Refused { code, .. } = &event.outcome else { return Some(event) };
        let mut kind = Kind { actor: event.actor.clone(), action: event.action.clone(), code: code.clone() };
        let stranger = kind.actor.name.is_empty();
        if stranger && !self.0.contains_key(&kind) && self.0.len() >= KINDS_MAX {
            kind.actor.key.clear();
            "many".clone_into(&mut kind.action);
            event.actor.key.clear();
            "many".clone_into(&mut event.action);
        }
        let limit = if stranger { STRANGER_MAX } else { OPERATOR_MAX };
        let until_ms = event.at_ms.saturating_add(WINDOW_MS);
        let counted = self.0.entry(kind).or_insert(Counted { until_ms, written: 0, held: None });
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
        let mut due = Vec::new();
        self.0.retain(|_, counted| {
            let over = counted.until_ms <= now_ms;
            if over {
                due.extend(counted.held.take());
            }
            !over
        });
        due
    }

    /// All counts: the node stops.
    pub(super) fn all(&mut self) -> Vec<Event> {
        self.due(u64::MAX)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
