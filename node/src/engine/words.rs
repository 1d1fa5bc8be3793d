//! Why a node may not write, in words for its operator.

use wego_ledger::state::NotWritable;

/// What stands against writing.
#[must_use]
pub fn what(why: NotWritable) -> String {
    match why {
        NotWritable::Recovering { confirmed, needed } => format!(
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

/// What to do about it.
#[must_use]
pub fn hint(why: NotWritable) -> &'static str {
    match why {
        NotWritable::Recovering { .. } => {
            "wait, or look at `wego peer list`; where nobody can be reached, wego-node recover --i-am-alone"
        }
        NotWritable::NotActive => "compare keys with wego roster show",
        NotWritable::KeyReplaced => {
            "put the newest log key into the keys folder, or recover with the recovery key"
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
