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
    erasure::{self, Orders},
    sled::{SledStore, contained::Failure, rows},
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
    pub(super) fn drop_payloads(&self, targets: &[(Origin, Position)]) -> Result<(), StoreError> {
        let mut writer = self.writer();
        for targets in targets.chunks(ERASED_TOGETHER) {
            let bytes = targets.len() as u64 * HEADER_ROW_BYTES;
            self.promise(&mut writer, bytes)?;
            self.write_step(&mut writer, bytes, |tree| {
                let batch = without_payloads(tree, targets)?;
                Ok(tree.apply_batch(batch)?)
            })?;
            self.view_mut().orders = HeldOrders::Some;
        }
        self.flush(&mut writer)
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

/// The rows of these positions as they are to be: what is held without its payload, elsewhere a refusal of it.
fn without_payloads(tree: &Tree, targets: &[(Origin, Position)]) -> Result<::sled::Batch, Failure> {
    let mut batch = ::sled::Batch::default();
    for (origin, at) in targets {
        let key = rows::entry_key(*origin, at.epoch, at.seq);
        let Some(row) = tree.get(key)? else {
            batch.insert(&rows::refused_key(*origin, *at), &[]);
            continue;
        };
        let entry = chain::decode(&row)?;
        if entry.payload.is_some() {
            batch.insert(&key, v1::Entry { payload: None, ..entry }.encode_to_vec());
            batch.insert(rows::UNPURGED_KEY, &[]);
        }
    }
    Ok(batch)
}
