//! The audit log of a running node: one thread writes what all calls hand over, everything that waits in one flush.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use tokio::sync::oneshot;
use wego_proto::{id::Hash, key::PublicKey};

use super::{
    AuditError,
    event::{Actor, Event, Outcome},
    files::Head,
    flood::Flood,
    log::Log,
    read::verify_newest,
};

/// Events written in one flush: all calls that a node serves at once, several times over.
const GROUP_MAX: usize = 1_024;
/// Events that wait; more are refused, with the commands they belong to. Above what the doors let in at once.
pub(super) const WAITING_MAX: usize = 16_384;
/// How often counts are looked at, and space is asked for again, while there is a reason to.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How often the head is told to the node's own log, which may be kept on another machine.
const TELL_HEAD_MS: u64 = 60 * 60 * 1_000;

/// The time in ms since 1970.
pub type Clock = fn() -> u64;

/// Hands events to the log of a running node. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Audit(Arc<Shared>);

/// An event on its way to the disk.
#[derive(Debug)]
pub struct Submitted(oneshot::Receiver<Result<(), AuditError>>);

impl Submitted {
    /// Waits until it is there.
    ///
    /// # Errors
    /// [`AuditError`]; the event may be missing from the log.
    pub async fn durable(self) -> Result<(), AuditError> {
        self.0.await.unwrap_or(Err(AuditError::Stopped))
    }
}

/// The thread that writes; to be stopped after everything that may hand over events.
#[derive(Debug)]
pub struct Writer {
    audit: Audit,
    thread: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    news: Condvar,
    dir: PathBuf,
    key: PublicKey,
    clock: Clock,
    /// What the check at the start found.
    damage: OnceLock<String>,
}

#[derive(Debug)]
struct Queue {
    waiting: Vec<Waiting>,
    flood: Flood,
    /// Events nobody waited for and that found no place.
    lost: u64,
    /// Why nothing may be begun.
    closed_to: Option<AuditError>,
    head: Head,
    stopped: bool,
}

#[derive(Debug)]
struct Waiting {
    event: Event,
    reply: Option<oneshot::Sender<Result<(), AuditError>>>,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`AuditError::Io`] when the system gives no thread.
    pub fn start(dir: &Path, log: Log, clock: Clock) -> Result<Self, AuditError> {
        let queue = Queue {
            waiting: Vec::new(),
            flood: Flood::default(),
            lost: 0,
            closed_to: state_of(&log, dir),
            head: log.head(),
            stopped: false,
        };
        let (queue, key) = (Mutex::new(queue), log.public_key());
        let (news, dir_owned, damage) = (Condvar::new(), dir.to_owned(), OnceLock::new());
        let audit = Audit(Arc::new(Shared { queue, news, dir: dir_owned, key, clock, damage }));
        let shared = audit.0.clone();
        let spawned = std::thread::Builder::new().name("audit".to_owned()).spawn(move || shared.work(log));
        let thread = spawned.map_err(AuditError::io("starting a thread for", dir))?;
        Ok(Self { audit, thread })
    }

    /// For whoever has events.
    #[must_use]
    pub fn audit(&self) -> Audit {
        self.audit.clone()
    }

    /// Writes what waits and ends the thread. Blocking.
    pub fn stop(self) {
        self.audit.0.queue().stopped = true;
        self.audit.0.news.notify_all();
        if self.thread.join().is_err() {
            tracing::error!("the audit log's thread panicked");
        }
    }
}

impl Audit {
    /// Whether a command that changes something may begin: its event could be written.
    ///
    /// # Errors
    /// [`AuditError`]; the command is to be refused, nothing may change.
    pub fn admit(&self) -> Result<(), AuditError> {
        self.0.queue().closed_to.clone().map_or(Ok(()), Err)
    }

    /// Writes an event, durable on return. One of many alike refusals is only counted.
    ///
    /// # Errors
    /// [`AuditError`]; the event may be missing from the log.
    pub async fn record(&self, event: Event) -> Result<(), AuditError> {
        self.submit(event)?.durable().await
    }

    /// Hands over an event that is made durable while the caller does something else.
    ///
    /// # Errors
    /// [`AuditError`]; the event is not in the log.
    pub fn submit(&self, event: Event) -> Result<Submitted, AuditError> {
        let (reply, told) = oneshot::channel();
        self.hand_over(event, Some(reply))?;
        Ok(Submitted(told))
    }

    /// Writes an event that nobody waits for. What finds no place is counted, and the count is written.
    pub fn note(&self, event: Event) {
        if self.hand_over(event, None).is_err() {
            self.0.queue().lost += 1;
        }
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// The key that signs.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.0.key
    }

    /// The newest event's number and hash; 0 in an empty log.
    #[must_use]
    pub fn head(&self) -> (u64, Hash) {
        let head = self.0.queue().head;
        (head.n, head.hash)
    }

    /// Looks once whether the newest file is what was written, by these keys; what it finds is said in the node's log and
    /// by [`Audit::damage`], and stops nothing. Blocking.
    pub fn check_newest(&self, keys: &[PublicKey]) {
        let found = match verify_newest(&self.0.dir, keys) {
            Ok(breaks) => match breaks.as_slice() {
                [] => return,
                [only] => only.to_string(),
                [first, others @ ..] => format!("{first}, and {} more", others.len()),
            },
            Err(error) => error.to_string(),
        };
        tracing::error!(dir = %self.0.dir.display(), found, "the newest audit file is damaged");
        let _ = self.0.damage.set(found);
    }

    /// What is wrong with the newest file, and what to do about it, if the start found that something is.
    #[must_use]
    pub fn damage(&self) -> Option<(String, String)> {
        let what = format!("the newest audit file is damaged: {}", self.0.damage.get()?);
        let hint = "`wego audit verify` names every place; look at the disk, and see deploy/README.md, 13";
        Some((what, hint.to_owned()))
    }

    /// The time that events are to have.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        (self.0.clock)()
    }

    fn hand_over(
        &self,
        event: Event,
        reply: Option<oneshot::Sender<Result<(), AuditError>>>,
    ) -> Result<(), AuditError> {
        let mut queue = self.0.queue();
        if queue.stopped {
            return Err(AuditError::Stopped);
        }
        if queue.waiting.len() >= WAITING_MAX {
            return Err(AuditError::Busy);
        }
        match queue.flood.admit(event) {
            Some(event) => queue.waiting.push(Waiting { event, reply }),
            None => drop(reply.map(|reply| reply.send(Ok(())))),
        }
        drop(queue);
        self.0.news.notify_one();
        Ok(())
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, mut log: Log) {
        let mut tell_head_at = 0;
        while let Some(group) = self.next() {
            let (events, replies): (Vec<_>, Vec<_>) =
                group.into_iter().map(|waiting| (waiting.event, waiting.reply)).unzip();
            let done = if events.is_empty() { log.reserve() } else { log.append(&events) };
            if let Err(error) = &done {
                tracing::error!(
                    error = error as &dyn std::error::Error,
                    events = events.len(),
                    "the audit log was not written"
                );
            }
            self.settle(&log, &done);
            for reply in replies.into_iter().flatten() {
                // Whoever left does not want to know.
                let _ = reply.send(done.clone());
            }
            let now_ms = (self.clock)();
            if done.is_ok() && now_ms >= tell_head_at {
                tell_head_at = now_ms.saturating_add(TELL_HEAD_MS);
                tracing::info!(event = log.head().n, hash = %log.head().hash, "head of the audit log");
            }
        }
        tracing::info!(event = log.head().n, hash = %log.head().hash, "audit log closed");
    }

    /// What is to be written next; nothing to ask for space; none at the end.
    fn next(&self) -> Option<Vec<Waiting>> {
        let mut queue = self.queue();
        loop {
            let now_ms = (self.clock)();
            let due = if queue.stopped { queue.flood.all() } else { queue.flood.due(now_ms) };
            queue.waiting.extend(due.into_iter().map(|event| Waiting { event, reply: None }));
            let lost = std::mem::take(&mut queue.lost);
            if lost > 0 {
                let event = lost_events(now_ms, lost);
                queue.waiting.push(Waiting { event, reply: None });
            }
            if !queue.waiting.is_empty() {
                let many = queue.waiting.len().min(GROUP_MAX);
                return Some(queue.waiting.drain(..many).collect());
            }
            if queue.stopped {
                return None;
            }
            if queue.closed_to.is_none() && queue.flood.is_empty() {
                queue = self.news.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let waited = self.news.wait_timeout(queue, LOOK_AGAIN);
            let (after, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            queue = after;
            if timeout.timed_out() && queue.closed_to.is_some() && queue.waiting.is_empty() {
                return Some(Vec::new());
            }
        }
    }

    fn settle(&self, log: &Log, done: &Result<(), AuditError>) {
        let mut queue = self.queue();
        queue.head = log.head();
        queue.closed_to = done.as_ref().err().cloned().or_else(|| state_of(log, &self.dir));
    }
}

fn state_of(log: &Log, dir: &Path) -> Option<AuditError> {
    (!log.has_spare()).then(|| AuditError::Full { dir: dir.to_owned() })
}

fn lost_events(at_ms: u64, times: u64) -> Event {
    let mut event = Event::new(at_ms, Actor::node(), "wego-node", "audit-log", Outcome::Unknown);
    "events that could not be written".clone_into(&mut event.reason);
    event.times = times;
    event
}
