//! What an import found and did, for people and for programs.

use serde::Serialize;

use super::{Dropped, Finding, Findings, plan::Plan, send::Sent};
use crate::{
    args::Mode,
    context::{Context, Format},
    error::Failure,
    output::Table,
};

/// Findings of one sort shown to a person unless all are asked for.
const SHOWN_FINDINGS: usize = 20;

/// Everything there is to say about an import.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    source: String,
    dry_run: bool,
    listed: usize,
    plan: Counts,
    result: Option<Results>,
    #[serde(flatten)]
    findings: Findings,
    dropped: Dropped,
}

/// The plan in numbers.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Counts {
    add: usize,
    change: usize,
    unchanged: usize,
    withdraw: usize,
    held_back: usize,
    errors: usize,
}

impl Counts {
    /// `held_back` records stay withdrawn because a person withdrew them.
    pub(crate) fn of(plan: &Plan, errors: usize) -> Self {
        Self {
            add: plan.add.len(),
            change: plan.change.len(),
            unchanged: plan.unchanged,
            withdraw: plan.withdraw.len(),
            held_back: plan.withdrawn.len(),
            errors,
        }
    }
}

/// How many findings of a sort a person is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shown {
    Some,
    All,
}

#[derive(Debug, Serialize)]
struct Results {
    created: usize,
    revised: usize,
    unchanged: usize,
    retracted: usize,
    refused: Vec<Finding>,
}

impl Report {
    pub(crate) fn new(
        source: &str,
        listed: usize,
        plan: Counts,
        findings: Findings,
        dropped: Dropped,
    ) -> Self {
        Self { source: source.to_owned(), dry_run: true, listed, plan, result: None, findings, dropped }
    }

    /// Adds what came of the plan.
    pub(crate) fn done(mut self, sent: Sent) -> Self {
        self.dry_run = false;
        self.result = Some(Results {
            created: sent.created,
            revised: sent.revised,
            unchanged: sent.unchanged,
            retracted: sent.retracted,
            refused: sent.refused,
        });
        self
    }

    /// Whether every record of the source was taken.
    pub(crate) fn is_clean(&self) -> bool {
        let refused = self.result.as_ref().is_some_and(|result| !result.refused.is_empty());
        self.findings.errors.is_empty() && !refused
    }

    /// Numbers to stdout, findings to stderr; as JSON all of it to stdout.
    pub(crate) fn print(&self, mode: Mode, shown: Shown, cx: &mut Context) -> Result<(), Failure> {
        if cx.format == Format::Json {
            return cx.print_json(self);
        }
        let refused = self.result.as_ref().map(|result| result.refused.as_slice()).unwrap_or_default();
        let sorts = [
            ("notice", self.findings.notices.as_slice()),
            ("warning", &self.findings.warnings),
            ("skipped", &self.findings.errors),
            ("refused by the node", refused),
        ];
        for (sort, findings) in sorts {
            say(sort, findings, shown, cx);
        }
        cx.say(&self.persons());
        cx.print_table(self.table(mode))
    }

    fn persons(&self) -> String {
        let Dropped { contact_names, contact_emails, emails_in_texts } = self.dropped;
        let addresses = |count| match count {
            1 => "1 e-mail address".to_owned(),
            many => format!("{many} e-mail addresses"),
        };
        let names = if contact_names == 1 { "name" } else { "names" };
        let texts = match emails_in_texts {
            0 => String::new(),
            some => format!("; removed {} from texts", addresses(some)),
        };
        format!("dropped {contact_names} {names} of contact persons and {}{texts}", addresses(contact_emails))
    }

    fn table(&self, mode: Mode) -> Table {
        let mut table = Table::new(&["", "PLAN", "DONE"]);
        let done = |number: fn(&Results) -> usize| match (&self.result, mode) {
            (Some(result), _) => number(result).to_string(),
            (None, Mode::DryRun) => "-".to_owned(),
            (None, Mode::Write) => "0".to_owned(),
        };
        let plan = &self.plan;
        table.row(["add", &plan.add.to_string(), &done(|result| result.created)]);
        table.row(["change", &plan.change.to_string(), &done(|result| result.revised)]);
        table.row(["unchanged", &plan.unchanged.to_string(), &done(|result| result.unchanged)]);
        table.row(["withdraw", &plan.withdraw.to_string(), &done(|result| result.retracted)]);
        if plan.held_back > 0 {
            table.row(["stay withdrawn", &plan.held_back.to_string(), ""]);
        }
        table.row(["skipped", &plan.errors.to_string(), ""]);
        if self.result.as_ref().is_some_and(|result| !result.refused.is_empty()) {
            table.row(["refused", "", &done(|result| result.refused.len())]);
        }
        table.row(["in the source", &self.listed.to_string(), ""]);
        table.row(["warnings", &self.findings.warnings.len().to_string(), ""]);
        table.align_right(1);
        table.align_right(2);
        table
    }
}

fn say(sort: &str, findings: &[Finding], shown: Shown, cx: &mut Context) {
    let limit = match shown {
        Shown::Some => SHOWN_FINDINGS,
        Shown::All => usize::MAX,
    };
    for finding in findings.iter().take(limit) {
        cx.say(&format!("{sort}: {}: {}", finding.place, finding.message));
    }
    let left = findings.len().saturating_sub(limit);
    if left > 0 {
        cx.say(&format!("{sort}: and {left} more (--all-findings or --json lists them)"));
    }
}
