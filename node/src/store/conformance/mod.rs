//! What every implementation of the storage traits must hold, as functions that any test can call.
//!
//! A claim is stated once, here, and never for one implementation only: what is special to one is tested beside it.

use std::panic::Location;

use thiserror::Error;
use wego_proto::v1;

use crate::store::{EntryStore, HeadLock, StoreError};

mod author;
mod entry_store;
mod erasure;
mod head_lock;

pub use author::Author;

/// When everything is first seen, where it does not matter.
pub const SEEN_MS: u64 = 1_000;

/// What a claim function answers.
pub type Claimed = Result<(), Broken>;

/// A claim that does not hold.
#[derive(Debug, Error)]
pub enum Broken {
    /// Something was observed that must not be.
    #[error("not so: {claim} ({at})")]
    Claim {
        /// What should hold.
        claim: &'static str,
        /// Where it is stated.
        at: &'static Location<'static>,
    },
    /// A step that should succeed was refused.
    #[error("a step was refused")]
    Refused(#[from] StoreError),
}

/// Where entry stores come from.
pub trait StoreBed {
    /// The implementation.
    type Store: EntryStore;

    /// A new, empty store.
    ///
    /// # Errors
    /// That of opening it.
    fn create(&mut self) -> Result<Self::Store, StoreError>;

    /// The store as it is found after a crash; puts since the last sync may be lost, the last ones first.
    ///
    /// # Errors
    /// That of opening it.
    fn crash(&mut self, store: Self::Store) -> Result<Self::Store, StoreError>;

    /// The store closed in peace and opened again.
    ///
    /// # Errors
    /// That of opening it.
    fn reopen(&mut self, store: Self::Store) -> Result<Self::Store, StoreError>;

    /// What a store keeps of the entries it has set aside: no trait hands it out, and it must lose its payloads too.
    ///
    /// # Errors
    /// That of reading it.
    fn quarantine(store: &Self::Store) -> Result<Vec<v1::Entry>, StoreError>;
}

/// Where head locks for the log of [`Author::new`]`(1)` come from.
pub trait LockBed {
    /// The implementation.
    type Lock: HeadLock;

    /// A new, empty lock.
    ///
    /// # Errors
    /// That of opening it.
    fn create(&mut self) -> Result<Self::Lock, StoreError>;

    /// The lock as it is found after a crash.
    ///
    /// # Errors
    /// That of opening it.
    fn crash(&mut self, lock: Self::Lock) -> Result<Self::Lock, StoreError>;
}

/// Checks every claim about an [`EntryStore`], each on a bed of its own.
///
/// # Errors
/// The first claim that does not hold.
pub fn entry_store<B: StoreBed>(mut bed: impl FnMut() -> B) -> Claimed {
    for claim in entry_store::claims::<B>().into_iter().chain(erasure::store_claims()) {
        claim(&mut bed())?;
    }
    Ok(())
}

/// Checks every claim about a [`HeadLock`], each on a bed of its own.
///
/// # Errors
/// The first claim that does not hold.
pub fn head_lock<B: LockBed>(mut bed: impl FnMut() -> B) -> Claimed {
    for claim in head_lock::claims::<B>().into_iter().chain(erasure::lock_claims()) {
        claim(&mut bed())?;
    }
    Ok(())
}

#[track_caller]
fn holds(observed: bool, claim: &'static str) -> Claimed {
    if observed { Ok(()) } else { Err(Broken::Claim { claim, at: Location::caller() }) }
}
