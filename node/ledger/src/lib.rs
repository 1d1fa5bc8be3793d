//! The rules of trust and replication. Pure: no runtime, disk, clock or randomness.
pub mod gossip;
pub mod heads;
pub mod limits;
pub mod log;
pub mod reject;
pub mod roster;
pub mod session;
#[cfg(feature = "sim")]
pub mod sim;
pub mod state;
