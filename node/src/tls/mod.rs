//! The doors: an accept loop that hands on only connections whose key was proved, and never ends because of one.
//!
//! The problem: whoever can reach a port can make a node spend memory, descriptors and signatures before it says
//! who it is. The rule: a connection is counted before its first byte is read, has one deadline for its whole
//! handshake, and failed handshakes are rationed. Without it five hundred silent sockets stay open for ever.
//!
//! Which keys are known is the caller's business, in the `ServerConfig` ([`wego_proto::pin::server_config`]);
//! this folder must never decide it, and must never hand on a connection without a key.

pub use self::{
    conn::{Conn, ConnectInfo},
    counters::{Refusal, TlsCounters},
    gate::Loopback,
    http2::harden,
    incoming::{Incoming, ListenLimits, incoming},
    shown::{Face, Shown},
    side::{SideEntrance, SideIncoming},
};

mod conn;
mod counters;
mod gate;
pub mod http2;
mod incoming;
mod shown;
mod side;

#[cfg(test)]
mod tests;
