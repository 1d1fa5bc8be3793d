//! One figure beside its limit, and what figures are made of: medians and percentiles.
//!
//! It must never show a value without what was measured beside it in the same run.

use std::{fmt::Write as _, time::Duration};

use serde::Serialize;

/// A figure and the limit it is read against.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    name: String,
    value: f64,
    unit: &'static str,
    limit: &'static str,
    limit_value: f64,
    ratio: f64,
}

impl Row {
    /// A figure called `name`, beside `limit`, both in `unit`.
    pub(crate) fn new(
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        limit: &'static str,
        limit_value: f64,
    ) -> Self {
        Self { name: name.into(), value, unit, limit, limit_value, ratio: value / limit_value }
    }

    /// As one line of JSON.
    pub(crate) fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

/// The rows under one another.
pub(crate) fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for row in rows {
        let (value, limit) = (number(row.value), number(row.limit_value));
        // Writing into a text cannot fail.
        let _ = writeln!(
            text,
            "{:width$} {value:>10} {:12} {:>7.2} of {limit:>10}  {}",
            row.name, row.unit, row.ratio, row.limit
        );
    }
    text
}

fn number(value: f64) -> String {
    if value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// The middle one.
pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(values, 50)
}

/// The smallest value that `percent` of all values do not exceed; NaN of none.
pub(crate) fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

/// Milliseconds.
pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
