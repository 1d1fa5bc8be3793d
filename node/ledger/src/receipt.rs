//! A member's word for what it has applied: entries kept, erasures carried out.
//!
//! The problem: whoever ordered an erasure must be able to show who has carried it out, and cannot ask everybody. The
//! rule: each member signs, now and then, up to where it has applied every log, and everybody passes the newest on.
//! An erasure is an entry, so that one number of that list answers for all erasures before it. A receipt speaks for its
//! signer alone and must never be taken for a statement about anybody else.

use wego_proto::{
    convert::{FieldError, InField as _, Problem, at_most},
    id::{Origin, Position, StoreId},
    key::{PublicKey, Purpose, SecretKey, Signature},
    prost::Message as _,
    v1,
};

use crate::{
    heads::LogKey,
    limits::{RECEIPT_BYTES_MAX, RECEIPT_LOGS_MAX},
    roster::History,
};

/// The epoch and the counter of a receipt.
pub type Recency = (u32, u64);

/// A receipt whose signature verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Whose word it is.
    pub member: Origin,
    /// Where in the member's log its key signs next.
    pub at: Position,
    /// Larger in each receipt of an epoch than in the one before: ms since 1970 by the member's clock, for display.
    pub counter: u64,
    /// The incarnation of the member's database.
    pub store: StoreId,
    /// The takedowns up to this roster version have been carried out.
    pub roster_version: u64,
    /// Sorted, each log once.
    applied: Vec<(LogKey, u64)>,
    signed: v1::SignedReceipt,
}

/// What a receipt is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) member: Origin,
    pub(crate) key_no: u32,
    /// A position that the key may sign.
    pub(crate) at: Position,
    pub(crate) counter: u64,
    pub(crate) store: StoreId,
    pub(crate) roster_version: u64,
    /// Sorted, each log once.
    pub(crate) applied: Vec<(LogKey, u64)>,
}

impl Receipt {
    /// Checks a received receipt. `None` when it counts for nothing here: its signer is no active member of the newest
    /// roster, or has no such key in the newest epoch of its log; rosters and openings arrive at different times, so that
    /// is nobody's fault.
    ///
    /// # Errors
    /// [`FieldError`] when it is malformed or its signature is not that of the key it names.
    pub fn verify(signed: v1::SignedReceipt, roster: &History) -> Result<Option<Self>, FieldError> {
        at_most("receipt", signed.receipt.len(), RECEIPT_BYTES_MAX)?;
        let raw = v1::Receipt::decode(signed.receipt.as_slice());
        let raw = raw.map_err(|_| Problem::Undecodable).in_field("receipt")?;
        let at = Position::try_from(raw.at.in_field("receipt.at")?).in_field("receipt.at")?;
        let receipt = Self {
            member: Origin(raw.member),
            at,
            counter: raw.counter,
            store: raw.store_id.as_slice().try_into().in_field("receipt.store_id")?,
            roster_version: raw.roster_version,
            applied: applied(&raw.applied)?,
            signed,
        };
        let signature =
            Signature::try_from(receipt.signed.signature.as_slice()).in_field("receipt.signature")?;
        let Some(key) = signing_key(roster, receipt.member, raw.key_no, at) else { return Ok(None) };
        let federation = roster.federation();
        key.verify(Purpose::Receipt, &[federation.as_bytes(), &receipt.signed.receipt], &signature)
            .in_field("receipt.signature")?;
        Ok(Some(receipt))
    }

    pub(crate) fn sign(draft: Draft, roster: &History, key: &SecretKey) -> Self {
        let applied = draft.applied.iter().map(|((origin, epoch), seq)| v1::Applied {
            origin: origin.0,
            epoch: *epoch,
            seq: *seq,
        });
        let receipt = v1::Receipt {
            member: draft.member.0,
            key_no: draft.key_no,
            at: Some(draft.at.into()),
            counter: draft.counter,
            store_id: draft.store.as_bytes().to_vec(),
            roster_version: draft.roster_version,
            applied: applied.collect(),
        };
        let receipt = receipt.encode_to_vec();
        let signature = key.sign(Purpose::Receipt, &[roster.federation().as_bytes(), &receipt]);
        Self {
            member: draft.member,
            at: draft.at,
            counter: draft.counter,
            store: draft.store,
            roster_version: draft.roster_version,
            applied: draft.applied,
            signed: v1::SignedReceipt { receipt, signature: signature.as_bytes().to_vec() },
        }
    }

    /// Of two receipts of a member, the one with the higher recency is the newer: a later epoch is another reign, in which
    /// nothing counts that the keys before it said.
    #[must_use]
    pub fn recency(&self) -> Recency {
        (self.at.epoch, self.counter)
    }

    /// Whether its signer has applied this position.
    #[must_use]
    pub fn covers(&self, origin: Origin, at: Position) -> bool {
        self.applied_through((origin, at.epoch)) >= at.seq
    }

    /// Up to where its signer has applied a log; 0 not at all.
    #[must_use]
    pub fn applied_through(&self, log: LogKey) -> u64 {
        let found = self.applied.binary_search_by_key(&log, |(log, _)| *log);
        found.map_or(0, |index| self.applied[index].1)
    }

    /// Whether it names no less than `earlier`.
    #[must_use]
    pub fn names_all_of(&self, earlier: &Self) -> bool {
        self.roster_version >= earlier.roster_version
            && earlier.applied.iter().all(|(log, seq)| self.applied_through(*log) >= *seq)
    }

    /// The logs it names, sorted.
    pub(crate) fn applied(&self) -> &[(LogKey, u64)] {
        &self.applied
    }

    /// As it is sent and kept.
    #[must_use]
    pub fn signed(&self) -> &v1::SignedReceipt {
        &self.signed
    }
}

/// The key that may sign a member's receipts while it signs this position of its log. The only place that says so. Of a key
/// that gave way nothing is believed: receipts have no place in the log by which one from before could be told.
pub(crate) fn signing_key(roster: &History, member: Origin, key_no: u32, at: Position) -> Option<PublicKey> {
    let active = roster.member(member).is_some_and(wego_proto::roster::Member::is_active);
    let reigns = at.epoch == roster.epochs(member).tip();
    (active && reigns).then(|| roster.log_key(member, key_no, at)).flatten()
}

fn applied(raw: &[v1::Applied]) -> Result<Vec<(LogKey, u64)>, FieldError> {
    at_most("receipt.applied", raw.len(), RECEIPT_LOGS_MAX)?;
    let logs: Vec<_> = raw.iter().map(|one| ((Origin(one.origin), one.epoch), one.seq)).collect();
    if !logs.is_sorted_by(|(one, _), (next, _)| one < next) {
        let problem = Problem::OutOfRange { expected: "sorted, each log once" };
        return Err(FieldError { field: "receipt.applied", problem });
    }
    Ok(logs)
}
