//! Why a node may not write, in words for its operator: every reason there is has some.

use wego_ledger::state::NotWritable;
use wego_proto::v1::Health;

use super::view::{Broken, View};

/// A peer that runs is dialled and greeted, and has answered, within seconds; one that is being started anew or looked up
/// by a slow name server, within a minute. Nothing else is advised to a start before, ms.
const PEERS_ANSWER_MS: u64 = 60_000;

/// A reason for not writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Against {
    /// How bad it is.
    pub health: Health,
    /// What stands against writing.
    pub what: String,
    /// What to do about it.
    pub hint: &'static str,
}

impl std::fmt::Display for Against {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; hint: {}", self.what, self.hint)
    }
}

/// Everything that stands against writing; nothing when the node may write.
#[must_use]
pub fn against_writing(view: &View, now_ms: u64) -> Vec<Against> {
    let failed = |what: &str, hint| Against { health: Health::Failed, what: what.to_owned(), hint };
    let broken = view.broken.map(|broken| match broken {
        Broken::Store => failed("the store broke", "the node stops, and fills a new one at its next start"),
        Broken::Journal => {
            failed("the journal cannot be written", "the node stops; look at its disk, then start it")
        }
    });
    let of_the_log = view.not_writable.map(|why| against(why, now_ms));
    let hint = "make space on the data folder's file system; the node writes again by itself";
    let full = view.disk_full.then(|| failed("the disk reserve is reached", hint));
    [broken, of_the_log, full].into_iter().flatten().collect()
}

/// One reason that the own log gives.
#[must_use]
pub fn against(why: NotWritable, now_ms: u64) -> Against {
    let starts = matches!(why, NotWritable::Recovering { .. });
    let health = if starts { Health::Degraded } else { Health::Failed };
    Against { health, what: what(why), hint: hint(why, now_ms) }
}

fn what(why: NotWritable) -> String {
    match why {
        NotWritable::Recovering { confirmed, needed, .. } => format!(
            "this node has started and asks its peers for its own log before it writes: {confirmed} of {needed} have \
             answered"
        ),
        NotWritable::NotActive => "this node's log key is not that of an active member".to_owned(),
        NotWritable::KeyReplaced => {
            "this member's log goes on with another log key than this node has".to_owned()
        }
        NotWritable::OwnLogAhead { seen_seq } => format!(
            "peers hold this member's log up to {seen_seq}, more than this node has: it runs on an old copy, or \
             somebody else has its key"
        ),
        NotWritable::Contradicted { epoch } => {
            format!("epoch {epoch}, which this node did not open, makes void what it wrote")
        }
        NotWritable::Twin => "a later start of this member speaks with its key".to_owned(),
        NotWritable::Forked => "two histories of this member's log are proved".to_owned(),
    }
}

fn hint(why: NotWritable, now_ms: u64) -> &'static str {
    match why {
        NotWritable::Recovering { since_ms, .. } if now_ms.saturating_sub(since_ms) < PEERS_ANSWER_MS => {
            "wait: peers that run answer within a minute"
        }
        NotWritable::Recovering { .. } => {
            "wait, or look at `wego peer list`; where nobody can be reached, wego-node recover --i-am-alone"
        }
        NotWritable::NotActive => "compare keys with wego roster show",
        NotWritable::KeyReplaced => {
            "put the newest log key into the keys folder (a damaged log.pem is another key too), or recover with the \
             recovery key"
        }
        NotWritable::OwnLogAhead { .. } => {
            "if this was an old copy, start the node again: it fetches the rest; if nobody of yours wrote it, see \
             deploy/README.md, a stolen key"
        }
        NotWritable::Contradicted { .. } => "see deploy/README.md, a stolen key: wego key recover heals it",
        NotWritable::Twin => "stop one of the two nodes, then start the other again",
        NotWritable::Forked => "wego key recover heals it with the recovery key; see deploy/README.md, forks",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_told_of_the_way_alone_only_after_its_peers_had_time_to_answer() {
        let why = NotWritable::Recovering { confirmed: 0, needed: 1, since_ms: 1_000_000 };
        for (after_ms, alone) in [(0, false), (1_000, false), (59_000, false), (61_000, true)] {
            let said = against(why, 1_000_000 + after_ms).to_string();
            assert_eq!(said.contains("--i-am-alone"), alone, "{after_ms}: {said}");
            assert!(said.contains("wait"), "{said}");
        }
    }

    #[test]
    fn every_reason_has_words_and_a_hint() {
        let reasons = [
            NotWritable::Recovering { confirmed: 0, needed: 1, since_ms: 0 },
            NotWritable::NotActive,
            NotWritable::KeyReplaced,
            NotWritable::OwnLogAhead { seen_seq: 7 },
            NotWritable::Contradicted { epoch: 2 },
            NotWritable::Twin,
            NotWritable::Forked,
        ];
        for why in reasons {
            let Against { what, hint, .. } = against(why, 0);
            assert!(what.len() > 10 && hint.len() > 10, "{why:?}");
        }
    }
}
