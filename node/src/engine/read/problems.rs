//! What an operator should look at. Each problem says what to do about it.

use wego_proto::v1::{Health, Problem};

use super::ReadHandle;
use crate::{
    clock::now_ms,
    engine::{
        view::View,
        words::{Against, against_writing},
    },
};

/// A member's clock further off than this is shown, ms.
const SKEW_SHOWN_MS: i64 = 60_000;
/// A member not heard of for so long is shown, ms: one day.
const SILENT_SHOWN_MS: u64 = 24 * 60 * 60 * 1_000;
/// Entries not indexed that are shown.
const BEHIND_SHOWN: u64 = 10_000;

impl ReadHandle {
    /// Everything worth a look, worst first.
    pub(super) fn problems(&self, view: &View) -> Vec<Problem> {
        let mut problems = of_writing(view);
        problems.extend(of_the_federation(view));
        problems.extend(of_peers(view));
        problems.extend(self.of_the_index());
        problems.extend(self.of_the_start());
        problems.sort_by_key(|problem| std::cmp::Reverse(problem.health));
        problems
    }

    fn of_the_index(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.behind() > BEHIND_SHOWN {
            let what = format!("{} entries are not indexed yet", self.behind());
            problems.push(degraded(what, "search is incomplete until then"));
        }
        let skipped = self.inner.search_progress.skipped() + self.inner.records_progress.skipped();
        if skipped > 0 {
            let what = format!("{skipped} entries could not be indexed");
            problems.push(degraded(what, "the node's log names them; try wego-node reindex"));
        }
        problems
    }
}

fn of_writing(view: &View) -> Vec<Problem> {
    let problem =
        |Against { health, what, hint }| Problem { health: health as i32, what, hint: hint.to_owned() };
    against_writing(view, now_ms()).into_iter().map(problem).collect()
}

fn of_the_federation(view: &View) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (origin, at) in view.forks() {
        let handle = view.handle(origin);
        let what = format!("{handle} has signed two histories from {at} on");
        let hint = format!("`wego fork show {handle}` says what happened; tell the executive committee");
        problems.push(degraded(what, &hint));
    }
    if view.roster.current().is_soft_expired(now_ms()) {
        let hint = "ask the executive committee to sign the next version";
        problems.push(degraded("the roster's term is over; nobody can be admitted".to_owned(), hint));
    }
    if let Some(version) = view.governance.open_conflict {
        let what = format!("the roster is in conflict: two versions {version} are fully signed");
        let hint = "`wego roster status` shows both; see deploy/README.md, when a committee decided twice";
        problems.push(degraded(what, hint));
    } else if view.roster_conflicts > 0 {
        let hint = "compare wego roster show with the other members";
        problems.push(degraded("a peer has another roster under the same number".to_owned(), hint));
    }
    problems
}

fn of_peers(view: &View) -> Vec<Problem> {
    let mut problems = Vec::new();
    if view.sessions.is_empty() && view.roster.current().members().len() > 1 {
        problems.push(degraded("no session with any peer".to_owned(), "look at `wego peer list`"));
    }
    for (origin, session) in &view.sessions {
        if session.skew_ms.abs() > SKEW_SHOWN_MS {
            let what =
                format!("the clock of {} differs by {} s", view.handle(*origin), session.skew_ms / 1_000);
            problems.push(degraded(what, "set both clocks by NTP; entries are accepted all the same"));
        }
    }
    let now = now_ms();
    for member in view.roster.current().members().values() {
        let seen = view.seen_ms(member.origin, now);
        if member.is_active() && seen > 0 && now.saturating_sub(seen) > SILENT_SHOWN_MS {
            let what = format!("{} has not been heard of for a day", member.handle);
            problems.push(degraded(what, "its records are shown with their age; look at `wego peer list`"));
        }
    }
    problems
}

fn degraded(what: String, hint: &str) -> Problem {
    Problem { health: Health::Degraded as i32, what, hint: hint.to_owned() }
}
