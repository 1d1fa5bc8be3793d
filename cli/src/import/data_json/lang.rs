//! Languages as portals write them, as BCP 47: two letters where there are two, names by their codes.
//!
//! It must never make a language of a word that names none.

use std::{collections::BTreeMap, sync::LazyLock};

use isolang::Language;
use serde_json::Value;

use super::field;

/// Bibliographic codes of ISO 639-2, which the list of ISO 639-3 does not have, and codes that were replaced.
const OLDER: [(&str, &str); 25] = [
    ("alb", "sq"),
    ("arm", "hy"),
    ("baq", "eu"),
    ("bur", "my"),
    ("chi", "zh"),
    ("cze", "cs"),
    ("dut", "nl"),
    ("fre", "fr"),
    ("geo", "ka"),
    ("ger", "de"),
    ("gre", "el"),
    ("ice", "is"),
    ("mac", "mk"),
    ("mao", "mi"),
    ("may", "ms"),
    ("per", "fa"),
    ("rum", "ro"),
    ("slo", "sk"),
    ("tib", "bo"),
    ("wel", "cy"),
    ("in", "id"),
    ("iw", "he"),
    ("ji", "yi"),
    ("mo", "ro"),
    ("sh", "sr-Latn"),
];
/// Names that the lists of names do not have.
const NAMES: [(&str, &str); 8] = [
    ("castellano", "es"),
    ("castilian", "es"),
    ("greek", "el"),
    ("farsi", "fa"),
    ("flemish", "nl"),
    ("valencian", "ca-valencia"),
    ("valencià", "ca-valencia"),
    ("mandarin", "zh"),
];
/// What a locale says after `@`, as a part of a tag.
const MODIFIERS: [(&str, &str); 4] =
    [("latin", "Latn"), ("cyrillic", "Cyrl"), ("arabic", "Arab"), ("valencia", "valencia")];

/// What a record or catalogue declares.
#[derive(Debug, Clone, Default)]
pub(super) struct Declared {
    /// Each once, in its order.
    pub(super) tags: Vec<String>,
    /// What names no language.
    pub(super) unknown: Option<String>,
}

/// The languages of a record or catalogue.
pub(super) fn declared(record: &Value) -> Declared {
    let mut declared = Declared::default();
    for text in field::list(record, "language") {
        match tag(&text) {
            Some(tag) if declared.tags.contains(&tag) => {}
            Some(tag) => declared.tags.push(tag),
            None => declared.unknown = Some(text),
        }
    }
    declared
}

/// The tag of a code, a locale, a name, or a URI that ends in one.
pub(super) fn tag(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('/').rsplit(['/', '#']).next().unwrap_or_default();
    code(text).or_else(|| name(text))
}

/// The tag of a code or a locale.
pub(super) fn code(text: &str) -> Option<String> {
    let (locale, modifier) = text.trim().split_once('@').unwrap_or((text.trim(), ""));
    let locale = locale.split('.').next().unwrap_or_default().replace('_', "-");
    let mut parts = locale.split('-');
    let mut tag = primary(parts.next()?)?;
    for part in parts {
        let letters = part.bytes().all(|byte| byte.is_ascii_alphabetic());
        tag.push('-');
        match part.len() {
            2 if letters => tag += &part.to_ascii_uppercase(),
            4 if letters => tag += &(part[..1].to_ascii_uppercase() + &part[1..].to_ascii_lowercase()),
            _ => tag += &part.to_ascii_lowercase(),
        }
    }
    let modifier = modifier.to_lowercase();
    if let Some((_, part)) = MODIFIERS.iter().find(|(known, _)| *known == modifier) {
        // A script stands behind the language, a variant at the end.
        let at = if part.len() == 4 { tag.find('-').unwrap_or(tag.len()) } else { tag.len() };
        tag.insert_str(at, &format!("-{part}"));
    }
    wego_proto::form::is_language_tag(&tag).then_some(tag)
}

fn primary(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    if let Some((_, shorter)) = OLDER.iter().find(|(older, _)| *older == lower) {
        return Some((*shorter).to_owned());
    }
    match lower.len() {
        2 => Language::from_639_1(&lower).map(|_| lower),
        3 => Language::from_639_3(&lower).map(shortest),
        _ => None,
    }
}

/// As in `French`, `Français` or `English (US)`.
fn name(text: &str) -> Option<String> {
    let name = text.split('(').next().unwrap_or_default().trim().to_lowercase();
    if name.chars().count() < 2 {
        return None;
    }
    if let Some((_, tag)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some((*tag).to_owned());
    }
    NAMED.get(&name).cloned()
}

/// Languages by their names in English and in themselves: those that have two letters, for many small ones share a
/// name with a word.
static NAMED: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let of = |language: Language| {
        let tag = language.to_639_1()?.to_owned();
        let names = [Some(language.to_name()), language.to_autonym()];
        Some(names.into_iter().flatten().map(move |name| (name.to_lowercase(), tag.clone())))
    };
    isolang::languages().filter_map(of).flatten().collect()
});

fn shortest(language: Language) -> String {
    language.to_639_1().unwrap_or_else(|| language.to_639_3()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_read_as_portals_write_them() {
        let table = [
            ("spa", Some("es")),
            ("SPA", Some("es")),
            ("fin", Some("fi")),
            ("ces", Some("cs")),
            ("cze", Some("cs")),
            ("ell", Some("el")),
            ("dan", Some("da")),
            ("ast", Some("ast")),
            ("en-US", Some("en-US")),
            ("en_US.UTF-8", Some("en-US")),
            ("eN", Some("en")),
            ("http://publications.europa.eu/resource/authority/language/KOR", Some("ko")),
            ("http://id.loc.gov/vocabulary/iso639-1/nl/", Some("nl")),
            ("zh-Hans-CN", Some("zh-Hans-CN")),
            ("ca@valencia", Some("ca-valencia")),
            ("sr_RS@latin", Some("sr-Latn-RS")),
            ("sr@latin", Some("sr-Latn")),
            ("English", Some("en")),
            ("French", Some("fr")),
            ("Français", Some("fr")),
            ("한국어", Some("ko")),
            ("English (US)", Some("en")),
            ("Valencià", Some("ca-valencia")),
            ("Klingon", None),
            ("xx", None),
            ("qqq", None),
            ("all of them", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(tag(text).as_deref(), expected, "{text}");
        }
    }
}
