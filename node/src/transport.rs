//! The transport key takes its leave: another one takes over while peers and operators know both.
//!
//! The problem: whoever has not heard of a new key refuses it, and is then not told. The rule: the own log names both
//! keys, and the new one is shown only when every active member has said that it knows, or the time for that is up; then
//! the log names the new one alone. What is under way is told by the keys folder and the log, so a crash at any step is
//! taken up by the next start. Certificates are made anew here before they end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio_util::sync::CancellationToken;
use wego_ledger::state::NotWritable;
use wego_proto::{
    causes::with_causes,
    entry::{ENDPOINT_BYTES_MAX, ENDPOINTS_MAX, EndpointChange, TRANSPORT_KEYS_MAX},
    id::{Origin, Position},
    key::{PublicKey, SecretKey},
};
use zeroize::Zeroizing;

use crate::{
    audit::{Actor, Audit, Event, Outcome},
    clock::now_ms,
    engine::{Engine, Mode, orders::OrderError, view::View},
    keys::{KeysError, TransportKeys, certificate::Validity, former_keys, load_transport},
    tls::{Face, Shown},
};

mod error;
mod standing;

pub use error::TransportError;
pub use standing::{Next, Standing};

/// How often it is looked whether something is due.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// A member that does not say that it knows the new key is waited for so many times as long as those that do.
const PATIENCE: u32 = 7;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// A certificate that the node cannot make itself is spoken of so long before it ends.
const WARN_MS: u64 = 30 * DAY_MS;

/// Changes of the transport key. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Transport(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Engine,
    keys: TransportKeys,
    shown: Arc<Shown>,
    audit: Audit,
    overlap: Duration,
    /// One change at a time.
    one: tokio::sync::Mutex<()>,
    warned_ms: AtomicU64,
}

impl Transport {
    /// Of the keys in this folder; both keys are valid for `overlap` at least.
    #[must_use]
    pub fn new(
        engine: Engine,
        keys: TransportKeys,
        shown: Arc<Shown>,
        audit: Audit,
        overlap: Duration,
    ) -> Self {
        let (one, warned_ms) = (tokio::sync::Mutex::const_new(()), AtomicU64::new(0));
        Self(Arc::new(Inner { engine, keys, shown, audit, overlap, one, warned_ms }))
    }

    /// The key in use.
    #[must_use]
    pub fn key(&self) -> PublicKey {
        self.0.shown.face().key
    }

    /// How things stand.
    ///
    /// # Errors
    /// [`TransportError`].
    pub async fn standing(&self) -> Result<Standing, TransportError> {
        let inner = &self.0;
        let (face, view) = (inner.shown.face(), inner.engine.view());
        Ok(Standing {
            key: face.key,
            listed: view.roster.transport_keys(view.me).contains(&face.key),
            certificate: Validity::of(face.identity.certificate())?,
            next: inner.next(&view).await?,
        })
    }

    /// Makes the next key and lets the log name both. Answers when that is durable.
    ///
    /// # Errors
    /// [`TransportError`].
    pub async fn begin(&self) -> Result<Standing, TransportError> {
        let inner = &self.0;
        let one = inner.one.lock().await;
        let view = inner.engine.view();
        if let Some(next) = inner.next(&view).await? {
            return Err(TransportError::UnderWay(next.key));
        }
        if inner.files(TransportKeys::last).await?.is_some_and(|last| names(&view, &last)) {
            return Err(TransportError::UnderWay(inner.shown.face().key));
        }
        let endpoints = view.roster.endpoints(view.me);
        let fits = |endpoint: &String| endpoint.len() <= ENDPOINT_BYTES_MAX && endpoint.is_ascii();
        if endpoints.len() > ENDPOINTS_MAX || !endpoints.iter().all(fits) {
            return Err(TransportError::Endpoints);
        }
        let listed = view.roster.transport_keys(view.me).to_vec();
        if !listed.contains(&inner.shown.face().key) {
            return Err(TransportError::NotListed);
        }
        if listed.len() >= TRANSPORT_KEYS_MAX {
            return Err(TransportError::TooMany(listed.len()));
        }
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(TransportError::Random)?;
        let next = inner.files(move |keys| keys.prepare(&seed, now_ms())).await?;
        let in_use = inner.files(TransportKeys::in_use).await?;
        let keys = listed.into_iter().chain([next.public()]).collect();
        // A key that the log does not name waits for nothing, and gives way to the next one that is made.
        inner.say(&view, keys, &[&in_use, &next]).await?;
        inner.shown.announce_next(Some(next.public()));
        drop(one);
        self.standing().await
    }

    /// Lets the next key take over now, if somebody knows it. Answers when the log names it alone.
    ///
    /// A start whose log, as far as it has found it, does not name the key only shows it: with a copy of the keys folder from
    /// before a change, peers may know the next key alone.
    ///
    /// # Errors
    /// [`TransportError`].
    pub async fn finish(&self) -> Result<Standing, TransportError> {
        let inner = &self.0;
        let one = inner.one.lock().await;
        let view = inner.engine.view();
        let starts = matches!(view.not_writable, Some(NotWritable::Recovering { .. }));
        let named = inner.next(&view).await?;
        if starts && named.is_none() && inner.files(TransportKeys::next).await?.is_some() {
            inner.show_next().await?;
            drop(one);
            return self.standing().await;
        }
        match named {
            Some(next) if !next.known => return Err(TransportError::Unknown(next.key)),
            None if inner.files(TransportKeys::last).await?.is_none() => {
                return Err(TransportError::NoChange);
            }
            _ => {}
        }
        inner.take_over().await?;
        drop(one);
        self.standing().await
    }

    /// Lets the log name other endpoints, with the transport keys that it names. Answers when that is durable, or, for a
    /// rehearsal, with nothing. While another key takes over, the time for that begins again: members are asked
    /// whether they know.
    ///
    /// # Errors
    /// [`TransportError`].
    pub async fn move_to(
        &self,
        endpoints: Vec<String>,
        mode: Mode,
    ) -> Result<Option<Position>, TransportError> {
        let inner = &self.0;
        let _one = inner.one.lock().await;
        let view = inner.engine.view();
        let in_use = inner.files(TransportKeys::in_use).await?;
        let listed = view.roster.transport_keys(view.me).to_vec();
        if !listed.contains(&in_use.public()) {
            return Err(TransportError::NotListed);
        }
        if listed.len() > TRANSPORT_KEYS_MAX {
            return Err(TransportError::TooMany(listed.len()));
        }
        let change = proved(&view, endpoints, listed, &[&in_use])?;
        match mode {
            Mode::DryRun => Ok(None),
            Mode::Commit => Ok(Some(inner.engine.announce(change).await?)),
        }
    }

    /// Reads certificate and key again, as when somebody has put others there.
    ///
    /// # Errors
    /// [`TransportError`]; what was shown is shown on.
    pub async fn read_again(&self) -> Result<(), TransportError> {
        let inner = &self.0;
        let _one = inner.one.lock().await;
        let face = inner.load().await?;
        if !names(&inner.engine.view(), &face.key) {
            return Err(TransportError::NotListed);
        }
        Ok(inner.shown.change(face)?)
    }

    /// Looks after what is under way until the node closes.
    pub async fn look_after(self, closing: CancellationToken) {
        let mut last = String::new();
        loop {
            let said = self.look().await.map_or_else(|error| with_causes(&error), |()| String::new());
            if !said.is_empty() && said != last {
                tracing::warn!(error = said, "the transport key is as it was; it is tried again");
            }
            last = said;
            tokio::select! {
                // Stopping first; a lost sleep is nothing.
                biased;
                () = closing.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn look(&self) -> Result<(), TransportError> {
        let inner = &self.0;
        let _one = inner.one.lock().await;
        let view = inner.engine.view();
        let next = inner.next(&view).await?;
        inner.shown.announce_next(next.as_ref().map(|next| next.key));
        let now = now_ms();
        // Before it may write, the log as it is here may not be all of it.
        if view.not_writable.is_none() {
            match next {
                Some(next) if next.is_due(now) => inner.take_over().await?,
                Some(_) => {}
                // What a crash, or a lost log, left undone.
                None => inner.name_alone().await?,
            }
            if !names(&view, &inner.shown.face().key) && inner.is_first_today(now) {
                tracing::error!("peers refuse this node: neither log nor roster name its transport key");
            }
        }
        inner.look_at_certificate(now).await
    }
}

impl Inner {
    /// The key that is to take over, when the log names it.
    async fn next(&self, view: &View) -> Result<Option<Next>, TransportError> {
        let next = self.files(TransportKeys::next).await?.map(|key| key.public());
        let announced = view.roster.announced(view.me);
        let (Some(key), Some(announced)) = (next.filter(|key| names(view, key)), announced) else {
            return Ok(None);
        };
        let overlap_ms = self.overlap.as_millis() as u64;
        let knows = |origin: &Origin| {
            let receipt = view.receipts.get(origin);
            *origin == view.me || receipt.is_some_and(|receipt| receipt.covers(view.me, announced.at))
        };
        let members = view.roster.current().members().values();
        let active: Vec<_> =
            members.filter(|member| member.is_active()).map(|member| member.origin).collect();
        let mut others = active.iter().filter(|origin| **origin != view.me).peekable();
        let known = others.peek().is_none() || others.any(knows);
        Ok(Some(Next {
            key,
            known,
            since_ms: announced.hlc_ms,
            earliest_ms: announced.hlc_ms.saturating_add(overlap_ms),
            latest_ms: announced.hlc_ms.saturating_add(overlap_ms * u64::from(PATIENCE)),
            waiting: active.into_iter().filter(|origin| !knows(origin)).collect(),
        }))
    }

    /// Shows the next key, and lets the log name it alone.
    async fn take_over(&self) -> Result<(), TransportError> {
        if let Some(why) = self.engine.view().not_writable {
            return Err(OrderError::Refused(Some(why)).into());
        }
        self.show_next().await?;
        self.name_alone().await
    }

    async fn show_next(&self) -> Result<(), TransportError> {
        self.files(TransportKeys::take_over).await?;
        self.shown.change(self.load().await?)?;
        self.shown.announce_next(None);
        Ok(())
    }

    /// Lets the log name no key that this node's key took over from, and forgets the last one; or goes back to that, where
    /// the log that named the new one was lost.
    async fn name_alone(&self) -> Result<(), TransportError> {
        let (view, key) = (self.engine.view(), self.shown.face().key);
        let last = self.files(TransportKeys::last).await?.filter(|last| *last != key);
        if !names(&view, &key) {
            if last.is_some_and(|last| names(&view, &last)) {
                self.files(|keys| keys.go_back(now_ms())).await?;
                self.shown.change(self.load().await?)?;
            }
            return Ok(());
        }
        let former = self.files(|keys| Ok(former_keys(keys.dir()))).await?;
        let goes = |listed: &PublicKey| *listed != key && (Some(*listed) == last || former.contains(listed));
        let listed = view.roster.transport_keys(view.me).iter().copied();
        let (gone, stay): (Vec<_>, Vec<_>) = listed.partition(goes);
        if !gone.is_empty() {
            let in_use = self.files(TransportKeys::in_use).await?;
            self.say(&view, stay, &[&in_use]).await?;
            let mut event = Event::new(now_ms(), Actor::node(), "wego-node", "transport-key", Outcome::Done);
            event.target = format!("transport key {}", key.fingerprint());
            self.audit.note(event);
            tracing::warn!(
                key = key.fingerprint(),
                "another transport key has taken over: copy the keys folder to where you keep its copy"
            );
        }
        self.files(TransportKeys::retire).await
    }

    /// Lets the log name these keys, with the proofs of those.
    async fn say(
        &self,
        view: &View,
        transport_keys: Vec<PublicKey>,
        proofs: &[&SecretKey],
    ) -> Result<(), TransportError> {
        let endpoints = view.roster.endpoints(view.me).to_vec();
        let change = proved(view, endpoints, transport_keys, proofs)?;
        Ok(self.engine.announce(change).await.map(drop)?)
    }

    async fn look_at_certificate(&self, now_ms: u64) -> Result<(), TransportError> {
        let certificate = Validity::of(self.shown.face().identity.certificate())?;
        if certificate.self_issued && now_ms >= certificate.renew_ms() {
            self.files(move |keys| keys.renew(now_ms)).await?;
            self.shown.change(self.load().await?)?;
            tracing::info!("the certificate was made anew, for the same key");
        }
        let ends = certificate.until_ms.saturating_sub(now_ms) < WARN_MS;
        if !certificate.self_issued && ends && self.is_first_today(now_ms) {
            tracing::warn!(
                "the certificate that was put here ends soon; peers go by its key and do not mind"
            );
        }
        Ok(())
    }

    /// Whether nothing was said to the operator for a day.
    fn is_first_today(&self, now_ms: u64) -> bool {
        let silent = now_ms.saturating_sub(self.warned_ms.load(Ordering::Relaxed)) >= DAY_MS;
        if silent {
            self.warned_ms.store(now_ms, Ordering::Relaxed);
        }
        silent
    }

    async fn load(&self) -> Result<Face, TransportError> {
        let (identity, key) = self.files(|keys| load_transport(keys.dir())).await?;
        Ok(Face { identity, key })
    }

    /// Does something with the keys folder off the async threads.
    async fn files<T: Send + 'static>(
        &self,
        work: impl FnOnce(&TransportKeys) -> Result<T, KeysError> + Send + 'static,
    ) -> Result<T, TransportError> {
        let keys = self.keys.clone();
        let done = tokio::task::spawn_blocking(move || work(&keys)).await;
        Ok(done.map_err(|_| TransportError::Ended)??)
    }
}

/// The next change of this node's member, with the proofs of these keys.
fn proved(
    view: &View,
    endpoints: Vec<String>,
    transport_keys: Vec<PublicKey>,
    proofs: &[&SecretKey],
) -> Result<EndpointChange, OrderError> {
    if !view.roster.has_room_for_a_change(view.me) {
        return Err(OrderError::PassedOver);
    }
    let number = view.roster.announced(view.me).map_or(0, |last| last.change.number) + 1;
    let change = EndpointChange { endpoints, transport_keys, number, proofs: Vec::new() };
    Ok(change.proved_by(&view.roster.ground(view.me), proofs))
}

/// Whether a key speaks for this node's member.
fn names(view: &View, key: &PublicKey) -> bool {
    view.roster.transport_keys(view.me).contains(key)
}
