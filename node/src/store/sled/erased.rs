//! Storing entries without the payloads that were erased, and dropping those that are held.
//!
//! An order to erase is written in the same step as the entry that gives it, so that no crash comes between them. It
//! must never drop a header.

use std::collections::BTreeMap;

use ::sled::Tree;
use prost::Message as _;
use wego_proto::{
    entry::Verified,
    id::{Origin, Position, RecordId},
    v1,
};

use crate::store::{
    StoreError, chain,
    erasure::{self, Orders, Place, Records},
    sled::{STEP_BYTES, SledStore, contained::Failure, rows},
};

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

    pub(super) fn has_payload(&self) -> bool {
        !self.erased && self.entry.payload().is_some()
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
    pub(super) fn drop_places(&self, places: &[Place]) -> Result<(), StoreError> {
        // First: a put that comes right after the last step must look for refusals already.
        self.view_mut().orders = HeldOrders::Some;
        self.drop_in_steps(places, Dropped::places)
    }

    pub(super) fn drop_records(&self, origin: Origin, records: &Records) -> Result<(), StoreError> {
        let records: Vec<_> = records.iter().map(|(record, until)| (*record, *until)).collect();
        self.drop_in_steps(&records, |tree, records| Dropped::records(tree, origin, records))
    }

    fn drop_in_steps<T>(
        &self,
        all: &[T],
        step: impl Fn(&Tree, &[T]) -> Result<Dropped, Failure>,
    ) -> Result<(), StoreError> {
        let mut writer = self.writer();
        let mut left = all;
        while !left.is_empty() {
            // While the writer is held nobody moves what was just read.
            let Dropped { batch, bytes, done } = self.db.run(|tree| step(tree, left))?;
            if bytes > 0 {
                self.promise(&mut writer, bytes)?;
                self.write_step(&mut writer, bytes, |tree| Ok(tree.apply_batch(batch)?))?;
            }
            left = &left[done..];
        }
        // What is held without its payload already costs no flush, unless an earlier try was not made durable.
        if writer.bytes() > 0 { self.flush(&mut writer) } else { Ok(()) }
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

/// What one step drops.
#[derive(Default)]
struct Dropped {
    batch: ::sled::Batch,
    /// Encoded bytes, rows included.
    bytes: u64,
    /// How many of the places or records are done with it.
    done: usize,
}

impl Dropped {
    /// The rows of the first places as they are to be, as many as a step may: what stands there or was set aside from
    /// there without its payload, and a refusal of what may come to stand there.
    fn places(tree: &Tree, places: &[Place]) -> Result<Self, Failure> {
        let mut dropped = Self::default();
        for (origin, at) in places {
            dropped.payloads_at(tree, (*origin, *at), |_| Ok(true))?;
            let refused = rows::refused_key(*origin, *at);
            if !tree.contains_key(refused)? {
                dropped.batch.insert(&refused, &[]);
                dropped.bytes += rows::ROW_BYTES_MAX;
            }
            dropped.done += 1;
            if dropped.is_full() {
                break;
            }
        }
        Ok(dropped)
    }

    /// The same of the versions of the first records before their places. No other entry of the log is read, for an
    /// author may order as many erasures as it likes.
    fn records(tree: &Tree, origin: Origin, records: &[(RecordId, Position)]) -> Result<Self, Failure> {
        let mut dropped = Self::default();
        for (record, until) in records {
            let first = rows::version_key(origin, record, Position { epoch: 0, seq: 0 });
            for row in tree.range(first..rows::version_key(origin, record, *until)).keys() {
                let key = row?;
                let at = rows::read_version_key(&key)?;
                dropped.payloads_at(tree, (origin, at), |entry| is_version(entry, record))?;
                dropped.batch.remove(key);
                dropped.bytes += rows::ROW_BYTES_MAX;
                if dropped.is_full() {
                    return Ok(dropped);
                }
            }
            dropped.done += 1;
        }
        Ok(dropped)
    }

    fn is_full(&self) -> bool {
        self.bytes >= STEP_BYTES / 2
    }

    fn payloads_at(
        &mut self,
        tree: &Tree,
        (origin, at): Place,
        goes: impl Fn(&v1::Entry) -> Result<bool, StoreError>,
    ) -> Result<(), Failure> {
        let key = rows::entry_key(origin, at.epoch, at.seq);
        let live = tree.get(key)?.map(|row| (key.as_slice().into(), row));
        let set_aside = tree.scan_prefix(rows::quarantine_prefix(origin, at));
        for row in live.map(Ok).into_iter().chain(set_aside) {
            let (key, row) = row?;
            let entry = chain::decode(&row)?;
            if entry.payload.is_some() && goes(&entry)? {
                self.batch.insert(key, v1::Entry { payload: None, ..entry }.encode_to_vec());
                self.batch.insert(rows::UNPURGED_KEY, &[]);
                self.bytes += HEADER_ROW_BYTES;
            }
        }
        Ok(())
    }
}

fn is_version(entry: &v1::Entry, record: &RecordId) -> Result<bool, StoreError> {
    let header = v1::EntryHeader::decode(entry.header.as_slice());
    let header = header.map_err(|_| StoreError::Corrupt { what: "entry" })?;
    Ok(header.record_id == record.as_bytes())
}
