//! One call that changes something, from the guard to its event in the audit log.
//!
//! The guard knows who calls and why; what it is about, the message says ([`Change`]). An event is written whatever
//! happens: a caller that leaves before the answer does not escape it. It must never carry content.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use data_encoding::{BASE64, BASE64_NOPAD};
use tonic::{Code, Request, Response, Status};

use super::change::{Change, Said};
use crate::{
    audit::{Actor, Audit, AuditError, Event, Outcome, Submitted},
    engine::Mode,
};

/// Metadata of a call: why, as the caller says. Binary, so that it may be in any language: UTF-8.
const REASON: &str = "wego-reason-bin";
/// Longest value of it that is looked at, in bytes: an event takes 500 characters.
const REASON_BYTES_MAX: usize = 4 * 1_024;
/// What a service is told that changes something without [`Deed::perform`] or [`Deed::begin`].
pub(super) const UNRECORDED_CHANGE: &str = "a change outside the audit log was refused; hint: report it";

/// A call under way. Clones are the same call.
#[derive(Debug, Clone)]
pub struct Deed {
    audit: Audit,
    actor: Actor,
    action: String,
    reason: String,
    /// Whether a service has taken the call on: it then writes the event, and otherwise the guard does.
    taken: Arc<AtomicBool>,
    told: Arc<Mutex<Told>>,
}

/// What is known of a call beside who makes it.
#[derive(Debug, Default)]
struct Told {
    target: String,
    request_id: String,
    reason: String,
    rehearsal: bool,
    /// The event of what is about to be done, when it was handed over ahead.
    ahead: Option<Result<Submitted, AuditError>>,
}

impl Deed {
    pub(super) fn of<B>(audit: &Audit, actor: Actor, request: &http::Request<B>) -> Self {
        let path = request.uri().path();
        let action = path.strip_prefix("/wego.v1.").unwrap_or(path).to_owned();
        // Anybody can call and be refused: what fills the log must not be theirs to write.
        let reason = if actor.is_stranger() { String::new() } else { reason(request.headers()) };
        let (taken, told) = Default::default();
        Self { audit: audit.clone(), actor, action, reason, taken, told }
    }

    /// Performs the change that a request asks for, and answers when its event is on disk. The one way to the message.
    ///
    /// # Errors
    /// That of `work`; or that the audit log cannot be written, and whether the work was done.
    pub(super) async fn perform<M, T, W>(
        request: Request<M>,
        work: impl FnOnce(M, Self) -> W,
    ) -> Result<Response<T>, Status>
    where
        M: Change,
        W: Future<Output = Result<T, Status>>,
    {
        let deed = Self::take(&request)?;
        deed.perform_message(request.into_inner(), work).await.map(Response::new)
    }

    /// Takes on a request whose messages come as a stream: each is one change of its own.
    ///
    /// # Errors
    /// `INTERNAL` for a request that did not come through the guard.
    pub(super) fn of_stream<T>(request: &Request<T>) -> Result<Self, Status> {
        Self::take(request)
    }

    /// Performs one message of a stream, and answers when its event is on disk.
    ///
    /// # Errors
    /// As [`perform`](Self::perform).
    pub(super) async fn perform_message<M, T, W>(
        &self,
        message: M,
        work: impl FnOnce(M, Self) -> W,
    ) -> Result<T, Status>
    where
        M: Change,
        W: Future<Output = Result<T, Status>>,
    {
        let deed = self.with(message.said());
        deed.admit().await?;
        let watch = Watch(Some(deed.clone()));
        let done = work(message, deed).await;
        watch.end(done.as_ref().err()).await?;
        done
    }

    /// Writes that something begins that lasts: what ends with the node is known as begun.
    ///
    /// # Errors
    /// That it could not be written; nothing may be done then.
    pub(super) async fn begin<M: Change>(request: &Request<M>) -> Result<Watch, Status> {
        let deed = Self::take(request)?.with(request.get_ref().said());
        deed.admit().await?;
        let begun = deed.audit.record(deed.event(Outcome::Begun)).await;
        begun.map_err(|error| unrecorded(&error, "nothing was done"))?;
        Ok(Watch(Some(deed)))
    }

    /// Says more precisely what the call is about than its message could: a kind of thing and its name. Never content.
    pub(super) fn about(&self, kind: &str, name: &str) {
        self.told().target = target(kind, name);
    }

    /// Hands over the event of a change that is about to be made durable, so that the disk takes both at once. To be
    /// called when nothing but the disk can prevent it; [`Watch::end`] waits for it, and writes another event where the
    /// change failed all the same.
    pub(super) fn ahead(&self) -> impl FnOnce() + Send + 'static {
        let deed = self.clone();
        move || {
            let submitted = deed.audit.submit(deed.event(Outcome::Done));
            deed.told().ahead = Some(submitted);
        }
    }

    /// Whether a service took the call on.
    pub(super) fn is_taken(&self) -> bool {
        self.taken.load(Ordering::Acquire)
    }

    /// The deed of a request that came through the guard.
    fn take<T>(request: &Request<T>) -> Result<Self, Status> {
        let found = request.extensions().get::<Self>().cloned();
        let deed = found.ok_or_else(|| Status::internal(UNRECORDED_CHANGE))?;
        deed.taken.store(true, Ordering::Release);
        Ok(deed)
    }

    /// The same call, with what one message says of itself.
    fn with(&self, said: Said) -> Self {
        let (kind, name) = said.subject;
        let told = Told {
            target: target(kind, &name),
            request_id: said.request_id,
            reason: said.reason,
            rehearsal: said.mode == Mode::DryRun,
            ahead: None,
        };
        Self { told: Arc::new(Mutex::new(told)), ..self.clone() }
    }

    /// Refuses a change whose event could not be written.
    async fn admit(&self) -> Result<(), Status> {
        let Err(error) = self.audit.admit() else { return Ok(()) };
        let status = unrecorded(&error, "nothing was done");
        self.clone().refused(&status).await;
        Err(status)
    }

    /// Writes that the call was refused before any service did something; that stands whether it could be written or
    /// not.
    pub(super) async fn refused(self, status: &Status) {
        let event = self.event(refusal(status));
        if let Err(error) = self.audit.record(event).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a refused call is not in the audit log"
            );
        }
    }

    fn event(&self, outcome: Outcome) -> Event {
        let mut event = Event::new(self.audit.now_ms(), self.actor.clone(), "rpc", &self.action, outcome);
        let told = self.told();
        event.target.clone_from(&told.target);
        event.request_id.clone_from(&told.request_id);
        event.reason.clone_from(if self.reason.is_empty() { &told.reason } else { &self.reason });
        event
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A deed that was begun. Dropped before its end, the caller left.
#[derive(Debug)]
pub(super) struct Watch(Option<Deed>);

impl Watch {
    /// Writes what became of it.
    ///
    /// # Errors
    /// That it could not be written.
    pub(super) async fn end(mut self, refused: Option<&Status>) -> Result<(), Status> {
        let Some(deed) = self.0.take() else { return Ok(()) };
        let (rehearsal, ahead) = {
            let mut told = deed.told();
            (told.rehearsal, told.ahead.take())
        };
        let recorded = match (ahead, refused) {
            _ if rehearsal => Ok(()),
            (Some(Ok(submitted)), None) => submitted.durable().await,
            (Some(Err(error)), None) => Err(error),
            (_, refused) => deed.audit.record(deed.event(refused.map_or(Outcome::Done, refusal))).await,
        };
        let outcome = if refused.is_some() { "it was refused" } else { "it was done all the same" };
        recorded.map_err(|error| unrecorded(&error, outcome))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let Some(deed) = self.0.take() else { return };
        let is_written = {
            let told = deed.told();
            told.rehearsal || matches!(told.ahead, Some(Ok(_)))
        };
        if !is_written {
            deed.audit.note(deed.event(Outcome::Unknown));
        }
    }
}

fn target(kind: &str, name: &str) -> String {
    format!("{kind} {}", name.trim()).trim_end().to_owned()
}

fn refusal(status: &Status) -> Outcome {
    let text = status.message().split("; hint: ").next().unwrap_or_default().to_owned();
    Outcome::Refused { code: name(status.code()), text }
}

/// As it is written in the .proto files.
fn name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_uppercase());
    }
    name
}

fn unrecorded(error: &AuditError, outcome: &str) -> Status {
    let text = format!("{error}; {outcome}; hint: {}", error.hint());
    match error {
        AuditError::Full { .. } | AuditError::Busy => Status::resource_exhausted(text),
        AuditError::Stopped => Status::unavailable(text),
        AuditError::Io { .. } | AuditError::MustBeReopened => Status::internal(text),
    }
}

fn reason(headers: &http::HeaderMap) -> String {
    let Some(value) = headers.get(REASON).map(http::HeaderValue::as_bytes) else { return String::new() };
    if value.len() > REASON_BYTES_MAX {
        return String::new();
    }
    let bytes = BASE64_NOPAD.decode(value).or_else(|_| BASE64.decode(value)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
