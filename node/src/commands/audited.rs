//! Commands that change a node's files, each with an event in its audit log. What cannot be recorded is not done.

use std::fs;

use super::{Exit, Failure};
use crate::{
    audit::{AUDIT_DIR, Actor, Event, Log, Outcome},
    clock::now_ms,
    config::Config,
    keys::{self, KeysError},
};

/// Where accounts have their names.
const ACCOUNTS: &str = "/etc/passwd";

/// The flag of every command that changes something.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Why {
    /// Why, for the audit log
    #[arg(long = "audit-reason", value_name = "TEXT", default_value = "")]
    reason: String,
}

impl Why {
    /// Of a command that has a flag of its own for it.
    pub(super) fn of(reason: &str) -> Self {
        Self { reason: reason.to_owned() }
    }
}

/// A command that is about to change something.
#[derive(Debug)]
pub(super) struct Audited {
    log: Log,
    event: Event,
}

impl Audited {
    /// Opens the audit log, also while the node runs. `action` is the command, `target` what it is about.
    pub(super) fn open(config: &Config, action: &str, target: &str, why: Why) -> Result<Self, Failure> {
        let key = keys::read_secret_key(&config.node.keys_dir.join(keys::LOG_KEY)).map_err(of_key)?;
        let dir = config.node.data_dir.join(AUDIT_DIR);
        // The disk's reserve is the node's: these few lines are smaller than what a node leaves free.
        let log = Log::open(&dir, key, Box::new(|_| true)).map_err(Failure::of_audit)?;
        let mut event = Event::new(now_ms(), account(), "wego-node", action, Outcome::Begun);
        target.clone_into(&mut event.target);
        event.reason = why.reason;
        Ok(Self { log, event })
    }

    /// Records that it begins, does it, and records what became of it: what ends in the middle is known as begun.
    pub(super) fn perform<T>(mut self, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        self.log.append(std::slice::from_ref(&self.event)).map_err(Failure::of_audit)?;
        let done = work();
        self.event.at_ms = now_ms();
        self.event.outcome = match &done {
            Ok(_) => Outcome::Done,
            Err(failure) => {
                Outcome::Refused { code: format!("exit {}", failure.exit().code()), text: failure.text() }
            }
        };
        match self.log.append(std::slice::from_ref(&self.event)) {
            Ok(()) => done,
            // Whoever looks finds it begun.
            Err(error) => done.and(Err(Failure::of_audit(error))),
        }
    }
}

/// The hint for a node's start would be to give the key to another account.
fn of_key(error: KeysError) -> Failure {
    match error {
        KeysError::Owner { .. } => {
            let hint = "run this as the node's user, as in `runuser -u wego-node -- wego-node ...`";
            Failure::new(Exit::Failed, error, hint)
        }
        error => Failure::of_keys(error),
    }
}

/// Who runs this process: the account's name, or its number where it has none.
fn account() -> Actor {
    let uid = rustix::process::getuid().as_raw();
    let accounts = fs::read_to_string(ACCOUNTS).unwrap_or_default();
    let named = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    let name = named.unwrap_or_else(|| format!("uid {uid}"));
    Actor { name, key: String::new(), role: "local" }
}
