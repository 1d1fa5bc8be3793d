//! The rules of trust and replication. Pure: no runtime, disk, clock or randomness comes in except as arguments.
//!
//! # The model
//!
//! A federation is a list of members under one [roster], signed by a threshold of governance keys. Each
//! member writes one [log]: entries signed with its log key, numbered without gaps, each naming the hash of
//! the one before. A record is what entries say; this crate never looks into it.
//!
//! Every node wants every log. It keeps [sessions](session) with [some other nodes](gossip), compares
//! [heads], asks one of them at a time for what it lacks, verifies, stores, and only then tells others.
//! Nobody forwards what it has not verified, so a lie never travels further than its first hearer.
//!
//! # What holds
//!
//! 1. *Nothing forged.* An entry becomes a [`log::Run`] only by a signature under a key that the roster gives its
//!    author at its position, or as ancestor of one that did.
//! 2. *No gaps, no reordering.* [`log::Log::place`] lets an epoch of a log grow at its head only.
//! 3. *Nothing before it is durable.* An own entry is stored after it was locked and announced after it was
//!    stored; see [`state`]. A fork proof counts after it was kept, a roster after it was written.
//! 4. *One history, or a proof.* Two signed entries with one predecessor freeze the log before them, until an epoch with
//!    another key heals it. How far a log counts follows from what is known, in any order of arrival ([`standing`]).
//! 5. *Never self-fork.* A start signs nothing before peers have said that they hold no more of the own log, and
//!    where something was lost it goes on in a new epoch. It stops when a later start of the same member speaks.
//! 6. *Bounded.* Whatever a peer can make grow has a number in [`limits`].
//!
//! # Reading order
//!
//! [`log`], [`fork`], [`roster`], [`governance`], [`standing`], [`session`], [`state`]; then [`heads`] and [`gossip`].
//! The feature `sim` runs many nodes in one thread under virtual time, which is how the rules above are tested together.

pub mod fork;
pub mod gossip;
pub mod governance;
pub mod heads;
pub mod limits;
pub mod log;
pub mod receipt;
pub mod reject;
pub mod roster;
pub mod session;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
pub mod standing;
pub mod state;
