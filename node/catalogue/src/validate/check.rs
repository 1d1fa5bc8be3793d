//! Walks a record, knows where it is, and collects what is wrong there. It knows no rule.

use super::{Fault, FieldProblem, Warning};
use crate::limits::PROBLEMS_MAX;

/// Where the walk is, and what it has found.
#[derive(Debug, Default)]
pub(super) struct Check {
    path: String,
    pub(super) problems: Vec<FieldProblem>,
    pub(super) warnings: Vec<Warning>,
}

impl Check {
    /// Something is wrong with the field the walk is at.
    pub(super) fn fault(&mut self, fault: Fault) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(FieldProblem { path: self.here(), fault });
        }
    }

    /// Something about the field the walk is at that its readers will miss.
    pub(super) fn warn(&mut self, advice: &'static str) {
        if self.warnings.len() < PROBLEMS_MAX {
            self.warnings.push(Warning { path: self.here(), advice });
        }
    }

    /// Walks into the field `name`.
    pub(super) fn field(&mut self, name: &str, rule: impl FnOnce(&mut Self)) {
        let outside = self.path.len();
        if outside > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        rule(self);
        self.path.truncate(outside);
    }

    /// Applies `rule` to the text of the field `name`.
    pub(super) fn text(&mut self, name: &str, text: &str, rule: impl FnOnce(&mut Self, &str)) {
        self.field(name, |check| rule(check, text));
    }

    /// Walks over the items of the field `name`, of which there may be `max`; what is over is not looked at.
    pub(super) fn each<T>(
        &mut self,
        name: &str,
        items: &[T],
        max: usize,
        mut rule: impl FnMut(&mut Self, &T),
    ) {
        self.field(name, |check| {
            if items.len() > max {
                check.fault(Fault::TooMany { count: items.len(), max });
            }
            let outside = check.path.len();
            for (at, item) in items.iter().take(max).enumerate() {
                check.path.push_str(&format!("[{at}]"));
                rule(check, item);
                check.path.truncate(outside);
            }
        });
    }

    fn here(&self) -> String {
        if self.path.is_empty() { "record".to_owned() } else { self.path.clone() }
    }
}
