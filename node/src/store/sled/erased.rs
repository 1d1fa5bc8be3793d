//! Storing entries without the payloads that were erased, and dropping those that are held.
//!
//! An order to erase is written in the same step as the entry that gives it, so that no crash comes between them. It
//! must never drop a header.

use std::{collections::BTreeMap, ops::Bound};

use ::sled::Tree;
use prost::Message as _;
use wego_proto::{
    entry::Verified,
    id::{Origin, Position, RecordId},
    v1,
};

use crate::store::{
    StoreError, chain,
    erasure::{self, Orders, Target},
    sled::{STEP_BYTES, SledStore, contained::Failure, rows},
};

/// Entries rewritten at once: with headers of at most a kibibyte they fit into one step.
const ERASED_TOGETHER: usize = 256;
/// Bytes of a row without its payload, at most.
const HEADER_ROW_BYTES: u64 = 1_024 + rows::ROW_BYTES_MAX;

/// An entry to be stored, and what is known of erasures about it.
pub(super) struct Fresh<'batch> {
    pub(super) entry: &'batch Verified,
    /// Its payload must not be kept.
    pub(super) erased: bool,
    /// The record that it orders to erase, and up to where.
    pub(super) orders: Option<(RecordId, Position)>,
}

impl<'batch> Fresh<'batch> {
    /// What is to be stored of new entries.
    pub(super) fn of(
        entries: &[&'batch Verified],
        tree: &Tree,
        held: HeldOrders,
    ) -> Result<Vec<Self>, Failure> {
        let mut orders = erasure::orders_of(entries.iter().copied());
        if held == HeldOrders::Some {
            for ((origin, record), at) in &mut orders {
                *at = (*at).max(order(tree, *origin, record)?.unwrap_or(*at));
            }
        }
        entries.iter().map(|entry| Self::one(entry, tree, &orders, held)).collect()
    }

    fn one(entry: &'batch Verified, tree: &Tree, orders: &Orders, held: HeldOrders) -> Result<Self, Failure> {
        let header = entry.header();
        let mut erased = erasure::covers(orders, header);
        if !erased && held == HeldOrders::Some && entry.payload().is_some() {
            let before = header.record_id.map(|record| order(tree, header.origin, &record)).transpose()?;
            erased = before.flatten().is_some_and(|until| header.at < until)
                || tree.contains_key(rows::refused_key(header.origin, header.at))?;
        }
        let ordered = erasure::ordered_by(header);
        let ordered = ordered.map(|record| (record, orders.get(&(header.origin, record))));
        let orders = ordered.map(|(record, until)| (record, until.copied().unwrap_or(header.at)));
        Ok(Self { entry, erased, orders })
    }

    pub(super) fn to_store(&self) -> v1::Entry {
        if self.erased { self.entry.to_wire_without_payload() } else { self.entry.to_wire() }
    }
}

/// Whether anything was ever ordered to be erased: without it nothing needs to be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeldOrders {
    Some,
    None,
}

impl HeldOrders {
    pub(super) fn read(tree: &Tree) -> Result<Self, Failure> {
        for prefix in [rows::ORDER, rows::REFUSED] {
            if tree.scan_prefix([prefix]).next().transpose()?.is_some() {
                return Ok(Self::Some);
            }
        }
        Ok(Self::None)
    }
}

fn order(tree: &Tree, origin: Origin, record: &RecordId) -> Result<Option<Position>, Failure> {
    let row = tree.get(rows::order_key(origin, record))?;
    Ok(row.map(|row| rows::read_order(&row)).transpose()?)
}

impl SledStore {
    pub(super) fn drop_payloads(&self, targets: &[Target]) -> Result<(), StoreError> {
        let mut writer = self.writer();
        let mut left = targets;
        while !left.is_empty() {
            // While the writer is held nobody moves what was just read.
            let Dropped { batch, bytes, targets } = self.db.run(|tree| Dropped::of(tree, left))?;
            self.promise(&mut writer, bytes)?;
            self.write_step(&mut writer, bytes, |tree| Ok(tree.apply_batch(batch)?))?;
            self.view_mut().orders = HeldOrders::Some;
            left = &left[targets..];
        }
        self.flush(&mut writer)
    }

    pub(super) fn drop_set_aside(
        &self,
        origin: Origin,
        records: &BTreeMap<RecordId, Position>,
    ) -> Result<(), StoreError> {
        let mut writer = self.writer();
        let mut last: Vec<u8> = rows::of_origin(rows::QUARANTINE, origin).to_vec();
        let end = rows::of_origin(rows::QUARANTINE, Origin(origin.0.saturating_add(1)));
        loop {
            let bytes = ERASED_TOGETHER as u64 * HEADER_ROW_BYTES;
            self.promise(&mut writer, bytes)?;
            let mut looked_at = 0;
            self.write_step(&mut writer, bytes, |tree| {
                let mut batch = ::sled::Batch::default();
                let after = (Bound::Excluded(last.clone()), Bound::Excluded(end.to_vec()));
                for row in tree.range::<Vec<u8>, _>(after).take(ERASED_TOGETHER) {
                    let (key, row) = row?;
                    looked_at += 1;
                    let entry = chain::decode(&row)?;
                    if entry.payload.is_some() && is_ordered(&entry, records)? {
                        batch.insert(&key, v1::Entry { payload: None, ..entry }.encode_to_vec());
                        batch.insert(rows::UNPURGED_KEY, &[]);
                    }
                    last = key.to_vec();
                }
                Ok(tree.apply_batch(batch)?)
            })?;
            if looked_at < ERASED_TOGETHER {
                return self.flush(&mut writer);
            }
        }
    }

    pub(super) fn read_orders(
        &self,
        origin: Origin,
        max: usize,
    ) -> Result<BTreeMap<RecordId, Position>, StoreError> {
        self.db.run(|tree| {
            let mut found = BTreeMap::new();
            for row in tree.scan_prefix(rows::of_origin(rows::ORDER, origin)).take(max) {
                let (key, row) = row?;
                found.insert(rows::read_order_key(&key)?, rows::read_order(&row)?);
            }
            Ok(found)
        })
    }

    pub(super) fn write_receipts(&self, receipts: &[(Origin, v1::SignedReceipt)]) -> Result<(), StoreError> {
        let mut writer = self.writer();
        for (member, receipt) in receipts {
            let encoded = receipt.encode_to_vec();
            let bytes = encoded.len() as u64 + rows::ROW_BYTES_MAX;
            self.promise(&mut writer, bytes)?;
            self.write_step(&mut writer, bytes, |tree| {
                tree.insert(rows::of_origin(rows::RECEIPT, *member), encoded)?;
                Ok(())
            })?;
        }
        Ok(())
    }

    pub(super) fn read_receipts(&self) -> Result<BTreeMap<Origin, v1::SignedReceipt>, StoreError> {
        self.db.run(|tree| {
            let mut found = BTreeMap::new();
            for row in tree.scan_prefix([rows::RECEIPT]) {
                let (key, row) = row?;
                let receipt = v1::SignedReceipt::decode(&*row);
                let receipt = receipt.map_err(|_| StoreError::Corrupt { what: "receipt" })?;
                found.insert(rows::read_origin_key(&key)?, receipt);
            }
            Ok(found)
        })
    }
}

fn is_ordered(entry: &v1::Entry, records: &BTreeMap<RecordId, Position>) -> Result<bool, StoreError> {
    let corrupt = |_| StoreError::Corrupt { what: "quarantine" };
    let header = v1::EntryHeader::decode(entry.header.as_slice()).map_err(corrupt)?;
    let Ok(record) = RecordId::try_from(header.record_id.as_slice()) else { return Ok(false) };
    let at = Position { epoch: header.epoch, seq: header.seq };
    Ok(records.get(&record).is_some_and(|until| at < *until))
}

/// What one step drops.
struct Dropped {
    batch: ::sled::Batch,
    /// Encoded bytes, rows included.
    bytes: u64,
    /// How many of the targets it carries out.
    targets: usize,
}

impl Dropped {
    /// The rows of the first targets as they are to be, as many as a step may: what is held without its payload, and of
    /// a place also what was set aside there, with a refusal of what may come to stand there.
    fn of(tree: &Tree, targets: &[Target]) -> Result<Self, Failure> {
        let mut dropped = Self { batch: ::sled::Batch::default(), bytes: 0, targets: 0 };
        for target in targets {
            let (origin, at) = target.place();
            let key = rows::entry_key(origin, at.epoch, at.seq);
            if let Some(row) = tree.get(key)? {
                dropped.payload_of(&key, &row, *target)?;
            }
            if matches!(target, Target::Place(..)) {
                for row in tree.scan_prefix(rows::quarantine_prefix(origin, at)) {
                    let (key, row) = row?;
                    dropped.payload_of(&key, &row, *target)?;
                }
                let refused = rows::refused_key(origin, at);
                if !tree.contains_key(refused)? {
                    dropped.batch.insert(&refused, &[]);
                    dropped.bytes += rows::ROW_BYTES_MAX;
                }
            }
            dropped.targets += 1;
            if dropped.bytes >= STEP_BYTES / 2 {
                break;
            }
        }
        Ok(dropped)
    }

    fn payload_of(&mut self, key: &[u8], row: &[u8], target: Target) -> Result<(), StoreError> {
        let entry = chain::decode(row)?;
        if entry.payload.is_some() && target.is(|| chain::entry_hash(&entry)) {
            self.batch.insert(key, v1::Entry { payload: None, ..entry }.encode_to_vec());
            self.batch.insert(rows::UNPURGED_KEY, &[]);
            self.bytes += HEADER_ROW_BYTES;
        }
        Ok(())
    }
}
