//! What an import found and did, for people and for programs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Dropped, Finding, Findings, Reading, plan::Plan, send::Sent, tally::Tally};
use crate::{
    args::Mode,
    context::{Context, Format},
    error::Failure,
    output::Table,
};

/// Different findings of one sort shown to a person unless all are asked for.
const SHOWN_FINDINGS: usize = 20;

/// Everything there is to say about an import.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    source: String,
    dry_run: bool,
    listed: usize,
    identical: usize,
    plan: Counts,
    result: Option<Results>,
    /// By the node, or by what it answered to a dry run.
    refused: Vec<Finding>,
    #[serde(flatten)]
    findings: Findings,
    dropped: Dropped,
    left_out: BTreeMap<String, Tally>,
    guesses: Vec<Guess>,
}

/// A language that is not known.
#[derive(Debug, Serialize)]
struct Guess {
    lang: String,
    why: String,
    #[serde(flatten)]
    records: Tally,
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
    /// `held_back` records stay away because a person removed them.
    pub(crate) fn of(plan: &Plan, errors: usize) -> Self {
        Self {
            add: plan.add.len(),
            change: plan.change.len(),
            unchanged: plan.unchanged,
            withdraw: plan.withdraw.len(),
            held_back: plan.held.len(),
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
}

impl Report {
    pub(crate) fn new(source: &str, plan: Counts, reading: Reading) -> Self {
        let guess = |((lang, why), records)| Guess { lang, why, records };
        Self {
            source: source.to_owned(),
            dry_run: true,
            listed: reading.listed,
            identical: reading.identical,
            plan,
            result: None,
            refused: Vec::new(),
            findings: reading.findings,
            dropped: reading.dropped,
            left_out: reading.left_out,
            guesses: reading.guesses.into_iter().map(guess).collect(),
        }
    }

    /// Adds what came of the plan, or would come of it.
    pub(crate) fn done(mut self, sent: Sent, mode: Mode) -> Self {
        self.refused = sent.refused;
        self.dry_run = mode == Mode::DryRun;
        self.result = (mode == Mode::Write).then_some(Results {
            created: sent.created,
            revised: sent.revised,
            unchanged: sent.unchanged,
            retracted: sent.retracted,
        });
        self
    }

    /// Whether every record of the source was taken.
    pub(crate) fn is_clean(&self) -> bool {
        self.findings.errors.is_empty() && self.refused.is_empty()
    }

    /// Numbers to stdout, findings to stderr; as JSON all of it to stdout.
    pub(crate) fn print(&self, mode: Mode, shown: Shown, cx: &mut Context) -> Result<(), Failure> {
        if cx.format == Format::Json {
            return cx.print_json(self);
        }
        let Findings { errors, warnings, notices, persons } = &self.findings;
        say("notice", &together(notices), shown, cx);
        let left_out = |(field, records): (&String, &Tally)| {
            format!(
                "{field} has no place in a record and is left out {} ({})",
                times(records.count),
                records.places()
            )
        };
        let left_out: Vec<String> = self.left_out.iter().map(left_out).collect();
        say("notice", &left_out, shown, cx);
        // Each record concerned is named, however many there are.
        for (message, places) in grouped(persons) {
            let places: Vec<&str> =
                places.iter().map(|place| place.split(' ').next().unwrap_or_default()).collect();
            cx.say(&format!("person: {message}: {}", places.join(", ")));
        }
        for Guess { lang, why, records } in &self.guesses {
            let count = if records.count == 1 {
                "1 dataset".to_owned()
            } else {
                format!("{} datasets", records.count)
            };
            let hint = "a guess; --lang says it";
            cx.say(&format!("warning: {why} in {count} ({}): taken as {lang}: {hint}", records.places()));
        }
        say("warning", &together(warnings), shown, cx);
        say("skipped", &together(errors), shown, cx);
        say("refused by the node", &together(&self.refused), shown, cx);
        cx.say(&self.persons());
        cx.print_table(self.table(mode))
    }

    fn persons(&self) -> String {
        let dropped = &self.dropped;
        let counted = |count: usize, one: &str, many: &str| match count {
            1 => format!("1 {one}"),
            many_of => format!("{many_of} {many}"),
        };
        let addresses = |count| counted(count, "e-mail address", "e-mail addresses");
        let names = counted(dropped.contact_names, "name", "names");
        let texts = [
            (dropped.emails_in_texts, "e-mail address", "e-mail addresses"),
            (dropped.phones_in_texts, "telephone number", "telephone numbers"),
            (dropped.names_in_texts, "name", "names"),
        ];
        let removed: Vec<String> = texts
            .iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, many)| counted(*count, one, many))
            .collect();
        let texts = if removed.is_empty() {
            String::new()
        } else {
            format!("; removed {} from texts", removed.join(", "))
        };
        format!("dropped {names} of contact persons and {}{texts}", addresses(dropped.contact_emails))
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
            table.row(["stay removed", &plan.held_back.to_string(), ""]);
        }
        if self.identical > 0 {
            table.row(["twice in the source", &self.identical.to_string(), ""]);
        }
        table.row(["skipped", &plan.errors.to_string(), ""]);
        if !self.refused.is_empty() {
            table.row(["refused", &self.refused.len().to_string(), ""]);
        }
        table.row(["in the source", &self.listed.to_string(), ""]);
        table.row(["warnings", &self.findings.warnings.len().to_string(), ""]);
        table.align_right(1);
        table.align_right(2);
        table
    }
}

/// The places of each message, in the order in which the messages come.
fn grouped(findings: &[Finding]) -> Vec<(&str, Vec<&str>)> {
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for finding in findings {
        let at = *known.entry(&finding.message).or_insert_with(|| {
            groups.push((&finding.message, Vec::new()));
            groups.len() - 1
        });
        groups[at].1.push(&finding.place);
    }
    groups
}

/// Findings as lines: those that say the same are counted, with examples.
fn together(findings: &[Finding]) -> Vec<String> {
    let line = |(message, places): (&str, Vec<&str>)| match places.as_slice() {
        [place] => format!("{place}: {message}"),
        places => {
            let mut tally = Tally::default();
            places.iter().for_each(|place| tally.note(place));
            format!("{message} ({}: {})", times(tally.count), tally.places())
        }
    };
    grouped(findings).into_iter().map(line).collect()
}

fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        many => format!("{many} times"),
    }
}

fn say(sort: &str, lines: &[String], shown: Shown, cx: &mut Context) {
    let limit = match shown {
        Shown::Some => SHOWN_FINDINGS,
        Shown::All => usize::MAX,
    };
    for line in lines.iter().take(limit) {
        cx.say(&format!("{sort}: {line}"));
    }
    let left = lines.len().saturating_sub(limit);
    if left > 0 {
        cx.say(&format!("{sort}: and {left} more (--all-findings or --json lists them)"));
    }
}
