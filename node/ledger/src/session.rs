//! One exchange with one peer, as states that consume each other.
//!
//! A [`Greeting`] waits for the other side's hello and becomes an [`Open`] session or nothing. Only an open
//! session has heads to compare, requests to answer and pulls to count; a message that comes too early finds no
//! state that could take it.

use std::collections::{BTreeMap, BTreeSet};

use wego_proto::{
    WIRE_VERSIONS,
    convert::{InField as _, Problem},
    id::{FederationId, Hash, Origin, StoreId},
    key::{PublicKey, Purpose, SecretKey, Signature},
    prost::Message as _,
    v1,
};

use crate::{
    heads::{LogKey, PeerHeads},
    receipt::Recency,
    reject::Reject,
    roster::History,
};

/// Names one connection of this process; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnId(pub u64);

/// Who opened the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// This node.
    Dialled,
    /// The peer.
    Accepted,
}

/// A connection whose other end has not said hello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// Whose transport key is at the other end.
    pub member: Origin,
    /// That key.
    pub speaker: PublicKey,
    /// Who opened it.
    pub side: Side,
    /// When, in ms.
    pub since_ms: u64,
}

/// What this node is, as far as a hello needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// This node's member.
    pub origin: Origin,
    /// Its federation.
    pub federation: FederationId,
    /// This incarnation of its database.
    pub store: StoreId,
    /// Its transport key.
    pub node_id: [u8; 32],
    /// Its software and version.
    pub software: String,
    /// This start of its process.
    pub run: Start,
}

/// One start of a member's process, as it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Whose.
    pub member: Origin,
    /// 16 random bytes.
    pub id: Vec<u8>,
    /// When, by the member's clock, ms since 1970; later than every earlier start that it knows of.
    pub started_ms: u64,
    /// As it is sent.
    pub signed: v1::Run,
}

impl Start {
    /// Signs a start.
    #[must_use]
    pub fn sign(
        member: Origin,
        id: [u8; 16],
        started_ms: u64,
        federation: &FederationId,
        key: &SecretKey,
    ) -> Self {
        let statement = v1::RunStatement { member: member.0, id: id.to_vec(), started_ms };
        let run = statement.encode_to_vec();
        let signature = key.sign(Purpose::Run, &[federation.as_bytes(), &run]);
        Self {
            member,
            id: id.to_vec(),
            started_ms,
            signed: v1::Run { run, signature: signature.as_bytes().to_vec() },
        }
    }

    /// Reads a start that somebody shows. Whether it is signed is asked by [`Start::is_signed_by`].
    #[must_use]
    pub fn read(signed: &v1::Run) -> Option<Self> {
        let statement = v1::RunStatement::decode(signed.run.as_slice()).ok()?;
        if statement.id.len() != 16 || signed.signature.len() != 64 {
            return None;
        }
        Some(Self {
            member: Origin(statement.member),
            id: statement.id,
            started_ms: statement.started_ms,
            signed: signed.clone(),
        })
    }

    /// Whether the member's log key has signed it.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey, federation: &FederationId) -> bool {
        let signature = Signature::try_from(self.signed.signature.as_slice());
        let parts: [&[u8]; 2] = [federation.as_bytes(), &self.signed.run];
        signature.is_ok_and(|signature| key.verify(Purpose::Run, &parts, &signature).is_ok())
    }

    /// Of two starts the one with the higher rank is the later.
    #[must_use]
    pub fn rank(&self) -> (u64, &[u8]) {
        (self.started_ms, &self.id)
    }
}

impl Me {
    /// The greeting to send first.
    #[must_use]
    pub fn hello(&self, roster: &History, digest: Hash, clock_ms: u64, fork_proofs: usize) -> v1::Hello {
        v1::Hello {
            federation_id: self.federation.as_bytes().to_vec(),
            wire_min: *WIRE_VERSIONS.start(),
            wire_max: *WIRE_VERSIONS.end(),
            features: 0,
            member: self.origin.0,
            node_id: self.node_id.to_vec(),
            store_id: self.store.as_bytes().to_vec(),
            roster_version: roster.current().version(),
            roster_hash: roster.current().hash().as_bytes().to_vec(),
            heads_digest: digest.as_bytes().to_vec(),
            clock_ms,
            software: self.software.clone(),
            message_bytes_max: crate::limits::MESSAGE_BYTES_MAX as u32,
            maintenance: String::new(),
            fork_proofs: fork_proofs as u32,
            run: Some(self.run.signed.clone()),
            other_run: Vec::new(),
        }
    }
}

impl Greeting {
    /// Opens the session if the hello is one of a member of this federation that speaks a known version.
    ///
    /// # Errors
    /// [`Reject`]; the connection is to be closed with it.
    pub fn open(self, hello: v1::Hello, me: &Me, roster: &History) -> Result<Open, Reject> {
        let federation =
            FederationId::try_from(hello.federation_id.as_slice()).in_field("hello.federation_id")?;
        if federation != me.federation {
            return Err(Reject::DifferentFederation);
        }
        if hello.wire_min > *WIRE_VERSIONS.end() || hello.wire_max < *WIRE_VERSIONS.start() {
            return Err(Reject::VersionUnsupported { min: hello.wire_min, max: hello.wire_max });
        }
        if hello.member != self.member.0 {
            return Err(Reject::WrongMember(hello.member));
        }
        // Only who holds this member's own transport key comes here.
        if self.member == me.origin {
            return Err(Reject::TwinDetected);
        }
        if !roster.member(self.member).is_some_and(wego_proto::roster::Member::is_active) {
            return Err(Reject::UnknownMember(self.member));
        }
        let store = StoreId::try_from(hello.store_id.as_slice()).in_field("hello.store_id")?;
        let run = hello.run.as_ref().and_then(Start::read).filter(|run| run.member == self.member);
        let run = run.ok_or(Problem::Missing).in_field("hello.run")?;
        Ok(Open {
            run,
            speaker: self.speaker,
            member: self.member,
            side: self.side,
            store,
            roster_version: hello.roster_version,
            software: hello.software.chars().filter(|c| !c.is_control()).take(100).collect(),
            clock_ms: hello.clock_ms,
            theirs: PeerHeads::default(),
            awaits_heads: false,
            told_own: false,
            believed: false,
            asked_heads_ms: None,
            compare_at_ms: 0,
            next_request: 1,
            serving: 0,
            stalls: 0,
            notes_due: BTreeSet::new(),
            notes_at_ms: 0,
            receipts: BTreeMap::new(),
        })
    }
}

/// An exchange under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The peer's member.
    pub member: Origin,
    /// Who opened it.
    pub side: Side,
    /// The start of the peer's process, as it says: only its own member can be deceived by it, and checks it.
    pub run: Start,
    /// The transport key at the other end.
    pub speaker: PublicKey,
    /// The incarnation of the peer's database.
    pub store: StoreId,
    /// The newest roster it knew at the start.
    pub roster_version: u64,
    /// Its software and version, as it says.
    pub software: String,
    /// Its clock at the start, in ms: advisory.
    pub clock_ms: u64,
    /// What it is known to have.
    pub theirs: PeerHeads,
    /// Whether its heads were asked for and not answered.
    pub(crate) awaits_heads: bool,
    /// Whether the member's newest log key says that its start is the member's.
    pub(crate) believed: bool,
    /// Whether it has said all that it holds of this node's own log.
    pub(crate) told_own: bool,
    /// When its heads were asked for last, in ms.
    pub(crate) asked_heads_ms: Option<u64>,
    /// When digests are compared next, in ms.
    pub(crate) compare_at_ms: u64,
    /// Number of the next pull.
    pub(crate) next_request: u32,
    /// Its pulls being answered.
    pub(crate) serving: usize,
    /// Requests it let stall.
    pub(crate) stalls: u32,
    /// Logs it is to be told of.
    pub(crate) notes_due: BTreeSet<LogKey>,
    /// When the next notes may go, in ms.
    pub(crate) notes_at_ms: u64,
    /// The newest receipt of each member that it is known to have, by its counter.
    pub(crate) receipts: BTreeMap<Origin, Recency>,
}
