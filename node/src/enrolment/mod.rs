//! Invites: how a city that is no member yet comes to this node, and what became of it.
//!
//! The problem: somebody without a key in the roster must be let in far enough to show its keys, and no further. The
//! rule: an invite is spent on one card, by whoever proves on this very connection that it holds the secret; what it
//! asks for becomes a proposal, and the committee's signatures on a roster make the member. This room must never
//! change a roster, never keep a secret, and never do anything dear for whoever does not know an invite's id.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use thiserror::Error;
use wego_proto::{
    id::{Hash, InviteId},
    invite::{self, Invite, InviteSecret},
    roster::{Roster, check_handle},
    v1,
};

use crate::{
    engine::{governance::GovernanceView, view::View},
    tls::Shown,
};

mod book;
mod judge;
mod kept;
mod service;
mod standing;

pub use book::{Book, BookError, INVITES_KEPT_MAX, INVITES_WAITING_MAX};
pub use kept::{Kept, Spent};
pub use service::{JOIN_REQUEST_BYTES_MAX, JOIN_STREAMS_MAX, JOIN_WINDOW_BYTES, beside};
pub use standing::{Collecting, Standing, standing};

/// Characters of a city's name in an invite.
const CITY_CHARS_MAX: usize = 120;
/// How long an invite is good when nothing else is said, s.
pub const TTL_DEFAULT_S: u64 = 24 * 60 * 60;
/// Longest time an invite is good, s: a month for a committee of another continent.
pub const TTL_MAX_S: u64 = 30 * 24 * 60 * 60;

/// Why an invite was not made or taken back. Nothing changed.
#[derive(Debug, Error)]
pub enum InvitesError {
    /// The city's name is empty, too long, or has control characters. The caller corrects it.
    #[error("city must have 1 to {CITY_CHARS_MAX} characters and no control characters")]
    City,
    /// The handle is none. The caller corrects it.
    #[error("handle must be 2 to 63 of a-z, 0-9 and -")]
    Handle,
    /// The handle is somebody's. The caller chooses another.
    #[error("the roster has a member {0:?} already")]
    HandleTaken(String),
    /// The time is out of range. The caller corrects it.
    #[error("an invite is good for 1 s to 30 days")]
    Ttl,
    /// The endpoint is none. The caller corrects it.
    #[error("endpoint {0:?} is not host:port")]
    Endpoint(String),
    /// Nobody could reach this node. The caller names an endpoint.
    #[error("neither log nor roster name an endpoint of this member")]
    NoEndpoint,
    /// No invite has this id.
    #[error("no invite {0} here")]
    Unknown(InviteId),
    /// The city is a member already.
    #[error("the city of invite {0} is a member")]
    Admitted(InviteId),
    /// The book of invites.
    #[error(transparent)]
    Book(#[from] BookError),
}

/// What an operator asks for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// For people.
    pub city: String,
    /// The handle the city must take; empty: its own choice.
    pub handle: String,
    /// How long it is good.
    pub ttl_s: u64,
    /// Where the city reaches this node; empty: this member's first endpoint.
    pub endpoint: String,
}

/// The invites of this node. Cheap to clone.
#[derive(Clone)]
pub struct Enrolment {
    book: Arc<Mutex<Book>>,
    view: Arc<ArcSwap<View>>,
    shown: Arc<Shown>,
    proposals: Arc<Mutex<Proposals>>,
}

/// What was read of the roster versions that collect signatures, and of which moment of the engine it is.
#[derive(Debug, Default)]
struct Proposals {
    of: Option<(Arc<GovernanceView>, Hash)>,
    collecting: Arc<[Collecting]>,
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Enrolment")
    }
}

impl Enrolment {
    /// Newcomers find the key that is `shown`.
    #[must_use]
    pub fn new(book: Book, view: Arc<ArcSwap<View>>, shown: Arc<Shown>) -> Self {
        Self { book: Arc::new(Mutex::new(book)), view, shown, proposals: Arc::default() }
    }

    /// Checks what [`Enrolment::create`] would be asked for.
    ///
    /// # Errors
    /// [`InvitesError`].
    pub fn plan(&self, wanted: Wanted, id: InviteId, now_ms: u64) -> Result<Kept, InvitesError> {
        let view = self.view.load();
        let Wanted { city, handle, ttl_s, endpoint } = wanted;
        let chars = city.chars().count();
        if !(1..=CITY_CHARS_MAX).contains(&chars) || city.chars().any(char::is_control) {
            return Err(InvitesError::City);
        }
        if !handle.is_empty() {
            check_handle(&handle).map_err(|_| InvitesError::Handle)?;
            if view.roster.current().member_by_handle(&handle).is_some() {
                return Err(InvitesError::HandleTaken(handle));
            }
        }
        if !(1..=TTL_MAX_S).contains(&ttl_s) {
            return Err(InvitesError::Ttl);
        }
        let endpoint = if endpoint.is_empty() { own_endpoint(&view)? } else { endpoint };
        invite::check_endpoint(&endpoint).map_err(|_| InvitesError::Endpoint(endpoint.clone()))?;
        self.book().room(view.roster.current(), now_ms)?;
        Ok(Kept {
            id,
            city,
            handle,
            endpoint,
            inviter: invite::key_hash(&self.shown.face().key),
            created_ms: now_ms,
            expires_ms: now_ms + ttl_s * 1_000,
            revoked_ms: 0,
            spent: None,
        })
    }

    /// Makes an invite of what [`Enrolment::plan`] returned. Durable on return. Touches the disk.
    ///
    /// # Errors
    /// [`InvitesError`].
    pub fn create(&self, kept: Kept, secret: InviteSecret, now_ms: u64) -> Result<Invite, InvitesError> {
        let view = self.view.load();
        let invite = Invite {
            federation: invite::prefix_of(&view.roster.federation()),
            inviter: kept.inviter,
            id: kept.id,
            expires_s: u32::try_from(kept.expires_ms / 1_000).unwrap_or(u32::MAX),
            endpoint: kept.endpoint.clone(),
            secret,
        };
        self.book().add(kept, invite.secret.key().public(), view.roster.current(), now_ms)?;
        Ok(invite)
    }

    /// Takes an invite back. Durable on return. Touches the disk.
    ///
    /// # Errors
    /// [`InvitesError`].
    pub fn revoke(&self, id: InviteId, now_ms: u64) -> Result<v1::InviteView, InvitesError> {
        let view = self.view.load();
        let mut book = self.book();
        let kept = book.get(&id).ok_or(InvitesError::Unknown(id))?;
        if kept.state(view.roster.current(), now_ms) == v1::InviteState::Admitted {
            return Err(InvitesError::Admitted(id));
        }
        book.revoke(&id, now_ms)?;
        let kept = book.get(&id).ok_or(InvitesError::Unknown(id))?;
        Ok(shown(kept, view.roster.current(), &self.collecting(&view), now_ms))
    }

    /// All invites, newest first.
    #[must_use]
    pub fn list(&self, now_ms: u64) -> Vec<v1::InviteView> {
        let view = self.view.load();
        let book = self.book();
        let mut all: Vec<_> = book.all().collect();
        all.sort_by_key(|kept| std::cmp::Reverse((kept.created_ms, kept.id)));
        let (roster, collecting) = (view.roster.current(), self.collecting(&view));
        all.into_iter().map(|kept| shown(kept, roster, &collecting, now_ms)).collect()
    }

    /// The roster versions that this node holds and that still collect signatures. Read anew only when the engine has
    /// others: a stranger may ask as often as it likes.
    fn collecting(&self, view: &View) -> Arc<[Collecting]> {
        let roster = view.roster.current();
        let mut known = self.proposals.lock().unwrap_or_else(PoisonError::into_inner);
        let same = known
            .of
            .as_ref()
            .is_some_and(|(of, hash)| Arc::ptr_eq(of, &view.governance) && *hash == roster.hash());
        if !same {
            known.collecting = Collecting::of(roster, &view.governance.proposals).into();
            known.of = Some((view.governance.clone(), roster.hash()));
        }
        known.collecting.clone()
    }

    /// As operators see it.
    #[must_use]
    pub fn shown(&self, kept: &Kept, now_ms: u64) -> v1::InviteView {
        let view = self.view.load();
        shown(kept, view.roster.current(), &self.collecting(&view), now_ms)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // The book changes in memory only after the disk did, in one statement.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn own_endpoint(view: &View) -> Result<String, InvitesError> {
    view.roster.endpoints(view.me).first().cloned().ok_or(InvitesError::NoEndpoint)
}

fn shown(kept: &Kept, roster: &Roster, collecting: &[Collecting], now_ms: u64) -> v1::InviteView {
    let spent = kept.spent.as_ref();
    let standing = spent.map(|spent| standing(roster, collecting, &spent.keys)).unwrap_or_default();
    v1::InviteView {
        id: kept.id.as_bytes().to_vec(),
        state: kept.state(roster, now_ms) as i32,
        city: kept.city.clone(),
        handle: kept.handle.clone(),
        created_ms: kept.created_ms,
        expires_ms: kept.expires_ms,
        endpoint: kept.endpoint.clone(),
        used_ms: spent.map_or(0, |spent| spent.at_ms),
        words: spent.map(|spent| spent.words.clone()).unwrap_or_default(),
        card: spent.map(|spent| spent.card.clone()),
        signatures: standing.signatures as u32,
        needed: standing.needed as u32,
    }
}

#[cfg(test)]
mod tests;
