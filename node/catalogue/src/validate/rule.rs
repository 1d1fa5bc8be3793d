//! The rules for single values. Each is a function of the walk and the value, so that a kind's file reads as a
//! table of its fields.

use unicode_normalization::is_nfc;
use wego_proto::{
    form as shape,
    record::v1::{LangText, Metric, Money},
};

use super::{Fault, check::Check};
use crate::{
    limits::{DECIMAL_CHARS_MAX, LANGS_MAX, LINE_CHARS_MAX, TITLE_CHARS_MAX, URL_CHARS_MAX, YEARS},
    vocabulary,
};

/// Applies `rule` unless the text is empty.
pub(super) fn optional(rule: impl Fn(&mut Check, &str)) -> impl Fn(&mut Check, &str) {
    move |check, text| {
        if !text.is_empty() {
            rule(check, text);
        }
    }
}

/// Applies `rule`; an empty text, or one of spaces, is missing.
pub(super) fn required(remedy: &'static str, rule: impl Fn(&mut Check, &str)) -> impl Fn(&mut Check, &str) {
    move |check, text| match text.trim() {
        "" => check.fault(Fault::Missing { remedy }),
        _ => rule(check, text),
    }
}

/// One line of readable text.
pub(super) fn line(max: usize) -> impl Fn(&mut Check, &str) {
    move |check, text| {
        if text.contains(['\n', '\r', '\t']) {
            check.fault(Fault::LineBreak);
        }
        paragraphs(max)(check, text);
    }
}

/// Readable text of several lines.
pub(super) fn paragraphs(max: usize) -> impl Fn(&mut Check, &str) {
    move |check, text| {
        readable(check, text, max);
        if !is_nfc(text) {
            check.fault(Fault::NotNormal);
        }
    }
}

/// Not over `max` characters, none of them deceptive, nothing that looks like an address.
fn readable(check: &mut Check, text: &str, max: usize) {
    let chars = text.chars().count();
    if chars > max {
        check.fault(Fault::TooLong { chars, max });
    }
    if let Some((at, bad)) = text.chars().enumerate().find(|(_, c)| shape::is_deceptive(*c)) {
        check.fault(Fault::Control { code: u32::from(bad), at: at + 1 });
    }
    if shape::has_email(text) {
        check.fault(Fault::EmailAddress);
    }
}

/// A value of a form that leaves no room for anything else.
pub(super) fn form(matches: fn(&str) -> bool, expected: &'static str) -> impl Fn(&mut Check, &str) {
    move |check, text| {
        if !matches(text) {
            check.fault(Fault::NotA { expected });
        }
    }
}

/// An http or https URL. It is not normalised: servers tell the forms apart.
pub(super) fn url(check: &mut Check, text: &str) {
    readable(check, text, URL_CHARS_MAX);
    form(shape::is_web_url, "an http or https URL without spaces or a user name: correct or remove it")(
        check, text,
    );
}

/// A BCP 47 language tag.
pub(super) fn language(check: &mut Check, text: &str) {
    form(shape::is_language_tag, "a BCP 47 language tag such as ko, pt-BR or zh-Hans")(check, text);
}

/// A day, a month, a year, or a time with zone.
pub(super) fn date_or_time(check: &mut Check, text: &str) {
    let either = |text: &str| shape::is_date(text) || shape::is_timestamp(text);
    form(either, "an ISO 8601 date: 2024, 2024-05, 2024-05-17 or 2024-05-17T10:00:00Z")(check, text);
}

/// A decimal number of a reasonable length, perhaps negative.
pub(super) fn decimal(check: &mut Check, text: &str) {
    let short = |text: &str| text.len() <= DECIMAL_CHARS_MAX && shape::is_decimal(text);
    form(short, "a decimal number of at most 24 characters such as 1250000.50: no separators, no exponent")(
        check, text,
    );
}

/// A decimal number of a reasonable length, not negative.
pub(super) fn amount(check: &mut Check, text: &str) {
    let short = |text: &str| text.len() <= DECIMAL_CHARS_MAX && shape::is_amount(text);
    form(
        short,
        "a decimal number of at most 24 characters such as 1250000.50: no sign, separators or exponent",
    )(check, text);
}

/// The id of a record.
pub(super) fn record_id(check: &mut Check, text: &str) {
    form(|text| shape::is_hex(text, 32), "a record id: 32 hexadecimal digits")(check, text);
}

/// A year in which something can have happened.
pub(super) fn year(check: &mut Check, name: &str, year: i32) {
    check.field(name, |check| {
        if !YEARS.contains(&year) {
            check.fault(Fault::NotA { expected: "a year from 1900 to 2100" });
        }
    });
}

/// A number from 0 to `max`, `expected` says so.
pub(super) fn at_most(check: &mut Check, name: &str, number: u64, max: u64, expected: &'static str) {
    check.field(name, |check| {
        if number > max {
            check.fault(Fault::NotA { expected });
        }
    });
}

/// Money, where it is given.
pub(super) fn money(check: &mut Check, name: &str, money: Option<&Money>) {
    let Some(money) = money else { return };
    check.field(name, |check| {
        let known = form(vocabulary::is_currency, "an ISO 4217 currency code such as KRW or EUR");
        check.text("currency", &money.currency, required("give an ISO 4217 code such as KRW or EUR", known));
        check.text("amount", &money.amount, required("give a decimal number", amount));
        match money.price_year {
            0 => check.field("price_year", |check| {
                check.warn("is missing: costs of different years cannot be compared without it");
            }),
            given => year(check, "price_year", given),
        }
    });
}

/// One figure with its label.
pub(super) fn metric(check: &mut Check, metric: &Metric) {
    texts(check, "label", &metric.label, Form::Line(TITLE_CHARS_MAX));
    needed(check, "label", &metric.label, "say what the figure counts");
    check.text("value", &metric.value, required("give a decimal number", decimal));
    check.text("unit", &metric.unit, optional(line(LINE_CHARS_MAX)));
    if metric.year != 0 {
        year(check, "year", metric.year);
    }
}

/// How a text in several languages is written, and how long it may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    Line(usize),
    Paragraphs(usize),
}

/// A text in several languages, each once.
pub(super) fn texts(check: &mut Check, name: &str, texts: &[LangText], form: Form) {
    let mut langs: Vec<String> = Vec::new();
    check.each(name, texts, LANGS_MAX, |check, text| {
        let lang = text.lang.to_ascii_lowercase();
        check.text("lang", &text.lang, |check, lang| {
            required("say the language as a BCP 47 tag, languages are never guessed", language)(check, lang);
        });
        if langs.contains(&lang) {
            check.field("lang", |check| check.fault(Fault::RepeatedLanguage { lang: text.lang.clone() }));
        }
        langs.push(lang);
        let remedy = "write it or leave this language out";
        check.text("text", &text.text, |check, text| match form {
            Form::Line(max) => required(remedy, line(max))(check, text),
            Form::Paragraphs(max) => required(remedy, paragraphs(max))(check, text),
        });
        check.text("source_lang", &text.source_lang, optional(language));
        check.text("translator_city", &text.translator_city, optional(line(LINE_CHARS_MAX)));
    });
}

/// A list that must not be empty.
pub(super) fn needed<T>(check: &mut Check, name: &str, items: &[T], remedy: &'static str) {
    if items.is_empty() {
        check.field(name, |check| check.fault(Fault::Missing { remedy }));
    }
}

/// A recommended field: `advice` when it was not given.
pub(super) fn advised(check: &mut Check, name: &str, given: Option<()>, advice: &'static str) {
    if given.is_none() {
        check.field(name, |check| check.warn(advice));
    }
}

/// `Some` when there is something in the list.
pub(super) fn given<T>(items: &[T]) -> Option<()> {
    (!items.is_empty()).then_some(())
}
