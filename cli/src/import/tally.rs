//! Counting what occurs often, with the first places as examples: a million findings are as many lines as there are
//! different ones.

use serde::Serialize;

/// Places kept of each.
const EXAMPLES: usize = 3;

/// How often, and where first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Tally {
    pub(crate) count: usize,
    pub(crate) examples: Vec<String>,
}

impl Tally {
    pub(crate) fn note(&mut self, place: &str) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(place.to_owned());
        }
    }

    /// The examples, and that there are more.
    pub(crate) fn places(&self) -> String {
        let more = if self.count > self.examples.len() { ", ..." } else { "" };
        format!("{}{more}", self.examples.join(", "))
    }
}
