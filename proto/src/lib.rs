//! The words of the federation: messages, ids, keys, and which bytes are hashed and signed.
//!
//! This crate decides what things are called and what a signature covers. It must never decide what is
//! accepted: the rules are in `wego-ledger` (trust, replication) and `wego-catalogue` (meaning).
//!
//! # Glossary
//!
//! One word per idea, in code, protos, command line, portal and documents alike.
//!
//! | word | meaning |
//! |---|---|
//! | federation | all members under one roster |
//! | member | a city, local government or associate organisation |
//! | node | the daemon a member runs |
//! | peer | a node this node exchanges with |
//! | roster | the threshold-signed, versioned list of members, keys, roles and cut-offs |
//! | log | a member's signed, hash-chained, append-only sequence |
//! | entry | one signed item of a log |
//! | epoch | a part of a log with one key; a later one pins what stays valid of an earlier one |
//! | head | a log's last entry |
//! | record | what an entry says, with a stable id over its versions |
//! | kind | a record's type |
//! | payload | a record's bytes, detached from the entry so that they can be erased |
//! | session | one exchange between two nodes |
//! | fork | two entries signed at one position |
//! | erasure | an order to delete payloads everywhere; by the owner in its log, or a takedown in the roster |
//! | receipt | a member's signed word for what it has applied |
//! | projection | anything derived from logs that can be rebuilt |
//! | invite | one string with which a city that is no member yet may ask one node to become one |
//! | portal | the public web pages |
//! | operator | a person with a client certificate |
//! | backup | one file with all that a node holds, but its private keys |
//! | fence | the mark of a data folder that came from a backup: its own log may be behind |
//! | audit log | a member's own signed list of who changed what on its node, and who was refused |
//! | event | one line of an audit log |

pub mod armour;
pub mod audit;
pub mod backup;
pub mod card;
pub mod causes;
pub mod convert;
#[cfg(feature = "rpc")]
pub mod dated;
pub mod entry;
pub mod epochs;
pub mod fork;
pub mod form;
pub mod found;
pub mod id;
pub mod invite;
pub mod key;
#[cfg(feature = "rpc")]
pub mod pin;
pub mod presence;
pub mod proof;
pub mod roster;
pub mod spoken;

/// Services and what travels between nodes and to operators (`wego/v1/*.proto`).
#[allow(clippy::all, unreachable_pub, missing_debug_implementations, unused_qualifications)]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/wego.v1.rs"));
}

/// What records say (`wego/record/v1/*.proto`).
pub mod record {
    /// Version 1 of the record messages.
    #[allow(clippy::all, unreachable_pub, missing_debug_implementations, unused_qualifications)]
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/wego.record.v1.rs"));
    }
}

// Generated code reaches its sibling packages by these paths.
pub use prost;

/// The compiled descriptors of every `.proto` file, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/wego.bin"));

/// Wire versions this software speaks.
pub const WIRE_VERSIONS: std::ops::RangeInclusive<u32> = 1..=1;
