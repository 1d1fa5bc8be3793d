//! Numbers, times, sizes and keys as readers write them.
//!
//! Times are UTC, because a page is read in every time zone; ages are counted on this node's clock.

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use maud::{Markup, html};
use wego_proto::{dated::CLOCK_AHEAD_MAX_MS, id::fingerprint, record::v1::Money, v1::Position};

use super::{
    text::tamed,
    words::{Words, filled},
};

const MINUTE_MS: u64 = 60 * 1_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// `1234567` with the reader's separators.
pub(super) fn number(words: &Words, value: u64) -> String {
    grouped(words, &value.to_string())
}

fn grouped(words: &Words, digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push_str(words.thousands);
        }
        out.push(digit);
    }
    out
}

/// A decimal text with the reader's separators; anything else as it is.
pub(super) fn decimal(words: &Words, text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("−", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = !whole.is_empty() && (whole.to_owned() + fraction).bytes().all(|b| b.is_ascii_digit());
    if !is_number {
        return tamed(text).into_owned();
    }
    let point = if fraction.is_empty() { "" } else { words.decimal };
    format!("{sign}{}{point}{fraction}", grouped(words, whole))
}

/// An amount with its currency and the year of its prices; `None` when nothing was said.
pub(super) fn money(words: &Words, money: Option<&Money>) -> Option<String> {
    let money = money.filter(|money| !money.amount.is_empty())?;
    let mut text = format!("{} {}", decimal(words, &money.amount), tamed(&money.currency));
    if money.price_year != 0 {
        text += &format!(" ({})", filled(words.prices_of, &[("year", &money.price_year.to_string())]));
    }
    Some(text)
}

/// How long ago, in the largest unit that says it.
pub(super) fn age(words: &Words, now_ms: u64, then_ms: u64) -> String {
    if then_ms == 0 {
        return words.never.to_owned();
    }
    if then_ms > now_ms.saturating_add(CLOCK_AHEAD_MAX_MS) {
        return words.clock_ahead.to_owned();
    }
    let age_ms = now_ms.saturating_sub(then_ms);
    let (forms, count) = match age_ms {
        ..MINUTE_MS => return words.now.to_owned(),
        MINUTE_MS..HOUR_MS => (words.minutes, age_ms / MINUTE_MS),
        HOUR_MS..DAY_MS => (words.hours, age_ms / HOUR_MS),
        DAY_MS.. => (words.days, age_ms / DAY_MS),
    };
    let form = forms[usize::from(count != 1)];
    filled(form, &[("n", &number(words, count))])
}

/// A moment to the minute, UTC; the reader's word for unknown at zero.
pub(super) fn moment(words: &Words, ms: u64) -> Markup {
    let at = i64::try_from(ms).ok().filter(|ms| *ms > 0).and_then(|ms| Timestamp::from_millisecond(ms).ok());
    html! {
        @match at {
            Some(at) => time datetime=(at.strftime("%Y-%m-%dT%H:%M:%SZ")) { (at.strftime("%Y-%m-%d %H:%M UTC")) },
            None => (words.unknown),
        }
    }
}

/// The day of a moment, UTC.
pub(super) fn day(words: &Words, ms: u64) -> String {
    let at = i64::try_from(ms).ok().filter(|ms| *ms > 0).and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| words.unknown.to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}

/// A size in the unit that gives one to three digits before the point.
pub(super) fn bytes(words: &Words, count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut unit = 0;
    let mut tenths = u128::from(count) * 10;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1_000;
        unit += 1;
    }
    let whole = tenths / 10;
    let text = if unit == 0 || whole >= 100 { whole.to_string() } else { format!("{whole}.{}", tenths % 10) };
    format!("{} {}", decimal(words, &text), UNITS[unit])
}

/// A place in a log.
pub(super) fn position(at: Option<&Position>) -> String {
    at.map_or_else(|| "–".to_owned(), |at| format!("{}.{}", at.epoch, at.seq))
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// What a person compares over the telephone; the digits where the bytes are no key.
pub(super) fn key(bytes: &[u8]) -> String {
    bytes.try_into().map_or_else(|_| hex(bytes), fingerprint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portal::words::for_reader;

    fn words(tag: &str) -> &'static Words {
        for_reader(&[tag.to_owned()])
    }

    #[test]
    fn numbers_are_written_as_the_reader_writes_them() {
        assert_eq!(number(words("en"), 1_234_567), "1,234,567");
        assert_eq!(decimal(words("de"), "1250000.50"), "1.250.000,50");
        assert_eq!(decimal(words("en"), "-12.5"), "−12.5");
        assert_eq!(decimal(words("en"), "about 3"), "about 3");
        assert_eq!(decimal(words("en"), ""), "");
    }

    #[test]
    fn an_age_is_told_in_its_largest_unit() {
        let now = 100 * DAY_MS;
        for (then, expected) in [
            (now + MINUTE_MS, "just now"),
            (now + HOUR_MS, "dated in the future: its author’s clock is wrong"),
            (now - MINUTE_MS, "1 minute ago"),
            (now - 59 * MINUTE_MS, "59 minutes ago"),
            (now - 3 * DAY_MS, "3 days ago"),
            (0, "never reached"),
        ] {
            assert_eq!(age(words("en"), now, then), expected);
        }
        assert_eq!(age(words("fr"), now, now - DAY_MS), "il y a 1 jour");
    }

    #[test]
    fn any_size_and_any_time_can_be_written() {
        assert_eq!(bytes(words("en"), 999), "999 B");
        assert_eq!(bytes(words("de"), 1_536_000), "1,5 MB");
        assert_eq!(bytes(words("en"), u64::MAX), "18,446,744 TB");
        assert!(moment(words("en"), u64::MAX).0.contains("unknown"));
        assert!(moment(words("en"), 1_763_913_600_000).0.contains(">2025-11-23 16:00 UTC<"));
        assert_eq!(day(words("en"), 0), "unknown");
    }
}
