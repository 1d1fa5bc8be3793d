//! Receipts: when this node signs one, which of others' it keeps, and to whom it passes them on.
//!
//! A receipt must never say more than the driver reported with [`super::Input::Applied`], and with one incarnation of
//! the database never less than the one before it.

use std::{collections::BTreeMap, sync::Arc};

use wego_proto::{
    id::{Origin, Position},
    prost::Message as _,
    v1::{self, session_message::Body},
};

use super::{Output, State};
use crate::{
    heads::LogKey,
    limits::{
        ENTRIES_BYTES, HEADS_PER_MESSAGE_MAX, RECEIPT_LOGS_MAX, RECEIPTS_PER_MESSAGE_MAX, URGENT_RECEIPTS_MS,
    },
    receipt::{Draft, Receipt, Recency, signing_key},
    reject::Reject,
    roster::History,
    session::ConnId,
};

/// Members for which a receipt every [`super::Settings::receipts_ms`] is not too many: with more, each makes fewer, so
/// that the traffic of a node does not grow with the square of the federation.
const MEMBERS_AT_FULL_RATE: u64 = 60;

/// The newest receipt of each member, shared with readers.
pub type Kept = Arc<BTreeMap<Origin, Arc<Receipt>>>;

/// What has been applied, durably and with all erasures carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Up to where, by log.
    pub logs: BTreeMap<LogKey, u64>,
    /// The takedowns up to this roster version.
    pub roster_version: u64,
    /// Whether an erasure is among it, which somebody waits to hear of.
    pub urgency: Urgency,
}

/// How soon a receipt is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// When its time has come.
    InTurn,
    /// At once, but for the rest that follows another one of its kind.
    Now,
}

/// What is known of receipts.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    kept: Kept,
    /// What this node has not said yet.
    unsaid: Option<Applied>,
    /// The highest recency seen of this node's own receipts.
    own: Recency,
    /// When the next may be made in turn, in ms.
    due_ms: u64,
    /// When the next may be made because of an erasure.
    urgent_ms: u64,
}

impl Receipts {
    /// Those of members of the roster among what was kept.
    pub(super) fn of(kept: Vec<v1::SignedReceipt>, roster: &History, me: Origin) -> Self {
        let valid = kept.into_iter().filter_map(|one| Receipt::verify(one, roster).ok().flatten());
        let kept: BTreeMap<_, _> = valid.map(|receipt| (receipt.member, Arc::new(receipt))).collect();
        let own = kept.get(&me).map_or((0, 0), |receipt| receipt.recency());
        Self { kept: Arc::new(kept), unsaid: None, own, due_ms: 0, urgent_ms: 0 }
    }

    pub(super) fn deadline_ms(&self) -> Option<u64> {
        self.unsaid.as_ref().map(|unsaid| match unsaid.urgency {
            Urgency::InTurn => self.due_ms,
            Urgency::Now => self.due_ms.min(self.urgent_ms),
        })
    }
}

impl State {
    /// The newest receipt of each active member that is known.
    #[must_use]
    pub fn receipts(&self) -> Kept {
        self.receipts.kept.clone()
    }

    pub(super) fn applied(&mut self, now_ms: u64, applied: Applied) {
        let before = self.receipts.unsaid.take().map_or(Urgency::InTurn, |unsaid| unsaid.urgency);
        self.receipts.unsaid = Some(Applied { urgency: applied.urgency.max(before), ..applied });
        self.make_receipt(now_ms);
    }

    /// Signs what was not said, when there is news and its time has come.
    pub(super) fn make_receipt(&mut self, now_ms: u64) {
        let Some(unsaid) = &self.receipts.unsaid else { return };
        if self.receipts.deadline_ms().is_some_and(|due_ms| now_ms < due_ms) {
            return;
        }
        let urgency = unsaid.urgency;
        let Some(draft) = self.receipt_draft(now_ms, unsaid) else {
            self.receipts.unsaid = None;
            return;
        };
        self.receipts.unsaid = None;
        self.receipts.due_ms = now_ms.saturating_add(self.interval_ms(self.settings.receipts_ms));
        if urgency == Urgency::Now {
            self.receipts.urgent_ms = now_ms.saturating_add(self.interval_ms(URGENT_RECEIPTS_MS));
        }
        let receipt = Receipt::sign(draft, &self.roster, &self.key);
        self.keep_receipts(vec![receipt], None);
    }

    /// What there is to say; `None` when it was said already, or may not be said under this key.
    fn receipt_draft(&self, now_ms: u64, unsaid: &Applied) -> Option<Draft> {
        let me = self.me.origin;
        let own = self.logs.get(&self.own_key());
        let at = own.map_or(Some(Position::FIRST), |chain| chain.accepted.next())?;
        if signing_key(&self.roster, me, self.key_no, at) != Some(self.key.public()) {
            return None;
        }
        let last = self.receipts.kept.get(&me);
        let mut logs = unsaid.logs.clone();
        let mut roster_version = unsaid.roster_version;
        if let Some(same) = last.filter(|last| last.store == self.me.store) {
            roster_version = roster_version.max(same.roster_version);
            for (log, seq) in same.applied() {
                let named = logs.entry(*log).or_default();
                *named = (*named).max(*seq);
            }
        }
        let (epoch, counter) = self.receipts.own;
        let before = if epoch == at.epoch { counter } else { 0 };
        let draft = Draft {
            member: me,
            key_no: self.key_no,
            at,
            counter: now_ms.max(before.saturating_add(1)),
            store: self.me.store,
            roster_version,
            applied: bounded(logs, last.map_or(&[], |last| last.applied())),
        };
        let said = last.is_some_and(|last| {
            last.store == draft.store
                && last.at.epoch == draft.at.epoch
                && last.roster_version == draft.roster_version
                && last.applied() == draft.applied
        });
        (!said).then_some(draft)
    }

    fn interval_ms(&self, interval_ms: u64) -> u64 {
        let members = self.roster.current().members().len() as u64;
        interval_ms.max(members.saturating_mul(interval_ms) / MEMBERS_AT_FULL_RATE)
    }

    /// At the start of a session: what this node knows, so that the other side sends what is newer there.
    pub(super) fn share_known_receipts(&mut self, conn: ConnId) {
        let known = |(member, receipt): (&Origin, &Arc<Receipt>)| v1::ReceiptKnown {
            member: member.0,
            epoch: receipt.at.epoch,
            counter: receipt.counter,
        };
        let known = self.receipts.kept.iter().map(known).collect();
        self.send(conn, Body::Receipts(v1::Receipts { known, receipts: vec![] }));
    }

    pub(super) fn receipts_message(&mut self, conn: ConnId, message: v1::Receipts) -> Result<(), Reject> {
        if message.receipts.is_empty() {
            self.receipts_known(conn, &message.known);
            return Ok(());
        }
        let receipts = verify_receipts(message.receipts, &self.roster, &BTreeMap::new())?;
        self.receipts_heard(conn, receipts);
        Ok(())
    }

    /// Sends the peer what is newer here than what it says it knows.
    fn receipts_known(&mut self, conn: ConnId, known: &[v1::ReceiptKnown]) {
        let Some(open) = self.sessions.get_mut(&conn) else { return };
        // Members only, so that a peer cannot make this grow.
        for one in known.iter().filter(|one| self.roster.member(Origin(one.member)).is_some()) {
            open.receipts.insert(Origin(one.member), (one.epoch, one.counter));
        }
        self.pass_on(conn);
    }

    /// Takes in receipts that verified.
    pub(super) fn receipts_heard(&mut self, conn: ConnId, receipts: Vec<Receipt>) {
        self.keep_receipts(receipts, Some(conn));
    }

    fn keep_receipts(&mut self, receipts: Vec<Receipt>, from: Option<ConnId>) {
        let mut news = Vec::new();
        for receipt in receipts {
            let (member, recency) = (receipt.member, receipt.recency());
            if let Some(open) = from.and_then(|conn| self.sessions.get_mut(&conn)) {
                let known = open.receipts.entry(member).or_default();
                *known = recency.max(*known);
            }
            if member == self.me.origin {
                self.receipts.own = recency.max(self.receipts.own);
                // An old copy of this node may hear what the newer one had applied: it must not repeat it.
                if from.is_some() {
                    continue;
                }
            }
            let active = self.roster.member(member).is_some_and(wego_proto::roster::Member::is_active);
            if !active || !self.is_news(&receipt) {
                continue;
            }
            news.push((member, receipt.signed().clone()));
            Arc::make_mut(&mut self.receipts.kept).insert(member, Arc::new(receipt));
        }
        if news.is_empty() {
            return;
        }
        self.outputs.push(Output::KeepReceipts(news));
        for conn in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.pass_on(conn);
        }
    }

    /// Newer than what is kept, and not a smaller claim about the same database: who takes back its word is not heard,
    /// unless in another epoch.
    fn is_news(&self, receipt: &Receipt) -> bool {
        self.receipts.kept.get(&receipt.member).is_none_or(|kept| {
            let other = receipt.at.epoch != kept.at.epoch || receipt.store != kept.store;
            receipt.recency() > kept.recency() && (other || receipt.names_all_of(kept))
        })
    }

    /// Sends a peer every receipt that is newer here than the one it is known to have.
    fn pass_on(&mut self, conn: ConnId) {
        let Some(open) = self.sessions.get_mut(&conn) else { return };
        let mut messages: Vec<Vec<v1::SignedReceipt>> = Vec::new();
        let mut bytes = 0;
        for (member, receipt) in self.receipts.kept.iter() {
            let known = open.receipts.entry(*member).or_default();
            if *known >= receipt.recency() {
                continue;
            }
            *known = receipt.recency();
            let size = receipt.signed().encoded_len();
            match messages.last_mut() {
                Some(last) if last.len() < RECEIPTS_PER_MESSAGE_MAX && bytes + size <= ENTRIES_BYTES => {
                    last.push(receipt.signed().clone());
                }
                _ => {
                    messages.push(vec![receipt.signed().clone()]);
                    bytes = 0;
                }
            }
            bytes += size;
        }
        for receipts in messages {
            self.send(conn, Body::Receipts(v1::Receipts { known: vec![], receipts }));
        }
    }

    /// Forgets the receipts of members that no longer take part, and those of an epoch before a member's newest one.
    pub(super) fn review_receipts(&mut self) {
        let roster = &self.roster;
        let counts = |member: &Origin, receipt: &Arc<Receipt>| {
            let active = roster.member(*member).is_some_and(wego_proto::roster::Member::is_active);
            active && receipt.at.epoch == roster.epochs(*member).tip()
        };
        if !self.receipts.kept.iter().all(|(member, receipt)| counts(member, receipt)) {
            Arc::make_mut(&mut self.receipts.kept).retain(|member, receipt| counts(member, receipt));
        }
    }
}

/// At most [`RECEIPT_LOGS_MAX`] logs, those first that were named before: a receipt that names less than the one before it
/// is not heard.
fn bounded(mut logs: BTreeMap<LogKey, u64>, named: &[(LogKey, u64)]) -> Vec<(LogKey, u64)> {
    let mut room = RECEIPT_LOGS_MAX.saturating_sub(named.len());
    logs.retain(|log, _| {
        let before = named.binary_search_by_key(log, |(log, _)| *log).is_ok();
        let stays = before || room > 0;
        room -= usize::from(stays && !before);
        stays
    });
    logs.into_iter().collect()
}

/// What a message of receipts is bounded by.
pub(super) fn counts(message: &v1::Receipts) -> (&'static str, usize, usize) {
    match message.receipts.len() {
        0 => ("known receipts", message.known.len(), HEADS_PER_MESSAGE_MAX),
        receipts => ("receipts", receipts, RECEIPTS_PER_MESSAGE_MAX),
    }
}

/// Verifies the receipts of a message that are newer than those kept. Costs no state, so it can run on any thread.
///
/// # Errors
/// [`Reject`] for [`super::Input::Refused`].
pub fn verify_receipts(
    receipts: Vec<v1::SignedReceipt>,
    roster: &History,
    kept: &BTreeMap<Origin, Arc<Receipt>>,
) -> Result<Vec<Receipt>, Reject> {
    let mut verified = Vec::new();
    for signed in receipts {
        if kept.values().any(|known| *known.signed() == signed) {
            continue;
        }
        verified.extend(Receipt::verify(signed, roster)?);
    }
    Ok(verified)
}

#[cfg(test)]
mod tests;
