//! Opens the audit log of a node, and says what the node itself does for a signal.

use std::sync::Arc;

use tokio::task::JoinHandle;
use wego_proto::{causes::with_causes, key::PublicKey};

use super::StartError;
use crate::{
    audit::{AUDIT_DIR, Actor, Audit, Event, Log, Outcome},
    clock::now_ms,
    config::Config,
    keys,
    operators::{Operators, OperatorsError},
    store::Space,
};

/// That the operators file was read again: from then on other people may do other things.
pub(super) fn reloaded(read: &Result<Operators, OperatorsError>) -> Event {
    let outcome = match read {
        Ok(_) => Outcome::Done,
        Err(error) => Outcome::Refused { code: "signal".to_owned(), text: with_causes(error) },
    };
    let mut event = Event::new(now_ms(), Actor::node(), "wego-node", "reload", outcome);
    event.target = match read {
        Ok(operators) => format!("operators, {} of them", operators.len()),
        Err(_) => "operators".to_owned(),
    };
    event
}

/// Checks the newest file beside the start, which does not wait for it.
pub(super) fn check(audit: Audit, mut keys: Vec<PublicKey>) -> JoinHandle<()> {
    keys.push(audit.public_key());
    tokio::task::spawn_blocking(move || audit.check_newest(&keys))
}

/// The audit log, signed with the log key; takes no space that the stores were promised.
pub(super) fn open(config: &Config, space: Arc<dyn Space>) -> Result<Log, StartError> {
    let key = keys::read_secret_key(&config.node.keys_dir.join(keys::LOG_KEY))?;
    let room = move |bytes| {
        let admitted = space.admit(bytes).is_ok();
        if admitted {
            space.settle(bytes);
        }
        admitted
    };
    Ok(Log::open(&config.node.data_dir.join(AUDIT_DIR), key, Box::new(room))?)
}
