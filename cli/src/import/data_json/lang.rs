//! Languages as portals write them, as BCP 47.

use serde_json::Value;

use super::field;

/// Three-letter codes that portals use where BCP 47 wants two letters.
const SHORTER: [(&str, &str); 22] = [
    ("ara", "ar"),
    ("cat", "ca"),
    ("chi", "zh"),
    ("deu", "de"),
    ("eng", "en"),
    ("eus", "eu"),
    ("fra", "fr"),
    ("fre", "fr"),
    ("ger", "de"),
    ("glg", "gl"),
    ("ita", "it"),
    ("jpn", "ja"),
    ("kor", "ko"),
    ("nld", "nl"),
    ("nor", "no"),
    ("pol", "pl"),
    ("por", "pt"),
    ("rus", "ru"),
    ("spa", "es"),
    ("swe", "sv"),
    ("tur", "tr"),
    ("zho", "zh"),
];

/// The languages of a record or catalogue, each once, in its order.
pub(super) fn tags(record: &Value) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for text in field::list(record, "language") {
        if let Some(tag) = tag(&text).filter(|tag| !tags.contains(tag)) {
            tags.push(tag);
        }
    }
    tags
}

/// A language tag, or the last part of a URI that names one.
pub(super) fn tag(text: &str) -> Option<String> {
    let text = text.trim().rsplit('/').next().unwrap_or_default().replace('_', "-");
    let lower = text.to_ascii_lowercase();
    if let Some((_, short)) = SHORTER.iter().find(|(long, _)| *long == lower) {
        return Some((*short).to_owned());
    }
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    let is_language =
        matches!(language.len(), 2 | 3) && language.bytes().all(|byte| byte.is_ascii_alphabetic());
    let script = |part: &str| part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let region = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let rest: Vec<&str> = parts.collect();
    let good = match rest.as_slice() {
        [] => true,
        [one] => script(one) || region(one),
        [first, second] => script(first) && region(second),
        _ => false,
    };
    (is_language && good).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_read_as_portals_write_them() {
        let table = [
            ("spa", Some("es")),
            ("en-US", Some("en-US")),
            ("en_US", Some("en-US")),
            ("http://publications.europa.eu/resource/authority/language/KOR", Some("ko")),
            ("zh-Hans-CN", Some("zh-Hans-CN")),
            ("English", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(tag(text).as_deref(), expected, "{text}");
        }
    }
}
