//! One call that changes something, from the guard to its event in the audit log.
//!
//! The guard knows who calls and why; only the service, which reads the message, knows what it is about and says so
//! with [`Deed::about`]. An event is written whatever happens: a caller that leaves before the answer does not
//! escape it. It must never carry content.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::{BASE64, BASE64_NOPAD};
use tonic::{Code, Request, Status};

use crate::audit::{Actor, Audit, AuditError, Event, Outcome};

/// Metadata of a call: why, as the caller says. Binary, so that it may be in any language: UTF-8.
const REASON: &str = "wego-reason-bin";
/// Longest value of it that is looked at, in bytes: an event takes 500 characters.
const REASON_BYTES_MAX: usize = 4 * 1_024;

/// A call under way. Clones are the same call.
#[derive(Debug, Clone)]
pub struct Deed {
    audit: Audit,
    actor: Actor,
    action: String,
    reason: String,
    told: Arc<Mutex<Told>>,
}

/// What the service says of a call.
#[derive(Debug, Clone, Default)]
struct Told {
    target: String,
    request_id: String,
    reason: String,
    rehearsal: bool,
}

impl Deed {
    pub(super) fn of<B>(audit: &Audit, actor: Actor, request: &http::Request<B>) -> Self {
        let path = request.uri().path();
        let action = path.strip_prefix("/wego.v1.").unwrap_or(path).to_owned();
        let told = Arc::default();
        // Anybody can call and be refused: what fills the log must not be theirs to write.
        let reason = if actor.is_stranger() { String::new() } else { reason(request.headers()) };
        Self { audit: audit.clone(), actor, action, reason, told }
    }

    /// The deed of a request that came through the guard.
    ///
    /// # Errors
    /// `INTERNAL` for one that did not, or whose method is not marked as changing something.
    pub fn of_request<T>(request: &Request<T>) -> Result<Self, Status> {
        let found = request.extensions().get::<Self>().cloned();
        found.ok_or_else(|| Status::internal("a change outside the audit log was refused; hint: report it"))
    }

    /// Says what the call is about: a kind of thing and its name, as `record` and an id. Never content.
    pub fn about(&self, kind: &str, name: &str) {
        self.told().target = format!("{kind} {name}").trim_end().to_owned();
    }

    /// Names the caller's request id.
    pub fn request_id(&self, id: &[u8]) {
        self.told().request_id = data_encoding::HEXLOWER.encode(&id[..id.len().min(32)]);
    }

    /// A reason in the message itself, for when the caller gave none beside it.
    pub fn public_reason(&self, reason: &str) {
        reason.clone_into(&mut self.told().reason);
    }

    /// Nothing will change: a dry run. No event is written.
    pub fn rehearses(&self) {
        self.told().rehearsal = true;
    }

    /// Another deed of the same call: a message of a stream.
    #[must_use]
    pub fn another(&self) -> Self {
        Self { told: Arc::default(), ..self.clone() }
    }

    /// Performs one message of a stream, and answers when its event is on disk.
    ///
    /// # Errors
    /// That of `work`; or that the audit log cannot be written, and whether the work was done.
    pub async fn perform<T>(self, work: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
        if let Err(status) = self.admit() {
            self.denied(&status).await;
            return Err(status);
        }
        let watch = self.watch();
        let done = work.await;
        watch.end(done.as_ref().err()).await?;
        done
    }

    /// Writes that something begins that lasts: what ends with the node is known as begun.
    ///
    /// # Errors
    /// That it could not be written; nothing may be done then.
    pub(super) async fn begin(self) -> Result<Watch, Status> {
        if let Err(status) = self.admit() {
            self.denied(&status).await;
            return Err(status);
        }
        let begun = self.audit.record(self.event(Outcome::Begun)).await;
        begun.map_err(|error| unrecorded(&error, "nothing was done"))?;
        Ok(self.watch())
    }

    /// Refuses a change whose event could not be written.
    pub(super) fn admit(&self) -> Result<(), Status> {
        self.audit.admit().map_err(|error| unrecorded(&error, "nothing was done"))
    }

    /// Writes that the call was denied; the denial stands whether it could be written or not.
    pub(super) async fn denied(self, status: &Status) {
        let event = self.event(refusal(status));
        if let Err(error) = self.audit.record(event).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a denied call is not in the audit log"
            );
        }
    }

    /// Sees to it that an event is written from here on.
    pub(super) fn watch(self) -> Watch {
        Watch(Some(self))
    }

    fn event(&self, outcome: Outcome) -> Event {
        let told = self.told().clone();
        let mut event = Event::new(self.audit.now_ms(), self.actor.clone(), "rpc", &self.action, outcome);
        event.target = told.target;
        event.request_id = told.request_id;
        event.reason = if self.reason.is_empty() { told.reason } else { self.reason.clone() };
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
        let Some(deed) = &self.0 else { return Ok(()) };
        if deed.told().rehearsal {
            self.0 = None;
            return Ok(());
        }
        let event = deed.event(refused.map_or(Outcome::Done, refusal));
        let audit = deed.audit.clone();
        self.0 = None;
        let outcome = if refused.is_some() { "it was refused" } else { "it was done all the same" };
        audit.record(event).await.map_err(|error| unrecorded(&error, outcome))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(deed) = self.0.take().filter(|deed| !deed.told().rehearsal) {
            deed.audit.note(deed.event(Outcome::Unknown));
        }
    }
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
