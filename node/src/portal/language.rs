//! Languages: which ones the pages speak, which one a reader wants, and which of several texts to show first.
//!
//! Languages are declared by whoever wrote a text; nothing here guesses one from the words.

use wego_proto::record::v1::{LangText, TextOrigin};

/// Longest language tag that is looked at: RFC 5646 asks for buffers of 35.
const TAG_BYTES_MAX: usize = 35;

/// Names of languages in themselves, by primary subtag: the visible tags.
const ENDONYMS: [(&str, &str); 44] = [
    ("am", "አማርኛ"),
    ("ar", "العربية"),
    ("bg", "Български"),
    ("bn", "বাংলা"),
    ("ca", "Català"),
    ("cs", "Čeština"),
    ("da", "Dansk"),
    ("de", "Deutsch"),
    ("el", "Ελληνικά"),
    ("en", "English"),
    ("es", "Español"),
    ("et", "Eesti"),
    ("eu", "Euskara"),
    ("fa", "فارسی"),
    ("fi", "Suomi"),
    ("fr", "Français"),
    ("ga", "Gaeilge"),
    ("gl", "Galego"),
    ("he", "עברית"),
    ("hi", "हिन्दी"),
    ("hr", "Hrvatski"),
    ("hu", "Magyar"),
    ("id", "Bahasa Indonesia"),
    ("it", "Italiano"),
    ("ja", "日本語"),
    ("ko", "한국어"),
    ("lt", "Lietuvių"),
    ("lv", "Latviešu"),
    ("nb", "Norsk bokmål"),
    ("nl", "Nederlands"),
    ("pl", "Polski"),
    ("pt", "Português"),
    ("ro", "Română"),
    ("ru", "Русский"),
    ("sk", "Slovenčina"),
    ("sl", "Slovenščina"),
    ("sv", "Svenska"),
    ("sw", "Kiswahili"),
    ("th", "ไทย"),
    ("tr", "Türkçe"),
    ("uk", "Українська"),
    ("vi", "Tiếng Việt"),
    ("wo", "Wolof"),
    ("zh", "中文"),
];

/// The first part of a tag: `pt` of `pt-BR`.
pub(super) fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or(tag)
}

/// Whether `tag` is well-formed enough to stand in a `lang` attribute or a link.
pub(super) fn is_tag(tag: &str) -> bool {
    tag.len() <= TAG_BYTES_MAX
        && primary(tag).len() >= 2
        && tag
            .split('-')
            .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Whether both tags name one language, whatever region or script.
pub(super) fn is_same(left: &str, right: &str) -> bool {
    primary(left).eq_ignore_ascii_case(primary(right))
}

/// The language's own name for itself, or the tag where it is not in the table.
pub(super) fn endonym(tag: &str) -> &str {
    let found = ENDONYMS.iter().find(|(code, _)| is_same(code, tag));
    found.map_or(tag, |(_, name)| name)
}

/// The tags of an `Accept-Language` header, best first; `*` and refused ones (`q=0`) are left out.
pub(super) fn accepted(header: &str, max: usize) -> Vec<String> {
    let mut wanted: Vec<(u16, &str)> = header.split(',').take(max).filter_map(weighted).collect();
    // The sort is stable: among equals the header's order stands.
    wanted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    wanted.into_iter().map(|(_, tag)| tag.to_owned()).collect()
}

fn weighted(item: &str) -> Option<(u16, &str)> {
    let (tag, parameter) = item.split_once(';').unwrap_or((item, "q=1"));
    let quality: f32 = parameter.trim().strip_prefix("q=")?.parse().ok()?;
    let tag = tag.trim();
    // A thousandth is the finest weight that HTTP knows.
    let weight = (quality.clamp(0.0, 1.0) * 1_000.0) as u16;
    (weight > 0 && is_tag(tag)).then_some((weight, tag))
}

/// Whether text in this language runs from right to left.
pub(super) fn direction(tag: &str) -> Option<&'static str> {
    const RIGHT_TO_LEFT: [&str; 8] = ["ar", "fa", "he", "ur", "ps", "ckb", "dv", "yi"];
    RIGHT_TO_LEFT.iter().any(|code| is_same(code, tag)).then_some("rtl")
}

/// The text to show first: in a language the reader wants (the exact tag before the same language), else in
/// English, else the original, else the first.
pub(super) fn choose<'a>(wanted: &[String], texts: &'a [LangText]) -> Option<&'a LangText> {
    let exact = |tag: &str| texts.iter().find(|text| text.lang.eq_ignore_ascii_case(tag));
    let close = |tag: &str| texts.iter().find(|text| is_same(&text.lang, tag));
    wanted
        .iter()
        .find_map(|tag| exact(tag).or_else(|| close(tag)))
        .or_else(|| close("en"))
        .or_else(|| texts.iter().find(|text| text.origin() == TextOrigin::Original))
        .or_else(|| texts.first())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lang: &str) -> LangText {
        LangText { lang: lang.to_owned(), text: lang.to_owned(), ..LangText::default() }
    }

    fn chosen(wanted: &[&str], langs: &[&str]) -> Option<String> {
        let wanted: Vec<String> = wanted.iter().map(|tag| (*tag).to_owned()).collect();
        let texts: Vec<LangText> = langs.iter().map(|lang| text(lang)).collect();
        choose(&wanted, &texts).map(|text| text.lang.clone())
    }

    #[test]
    fn the_readers_first_readable_language_is_shown() {
        assert_eq!(chosen(&["ko", "fr"], &["en", "fr"]), Some("fr".to_owned()));
        assert_eq!(chosen(&["pt-BR"], &["pt-PT", "pt-BR"]), Some("pt-BR".to_owned()));
        assert_eq!(chosen(&["pt"], &["en", "pt-BR"]), Some("pt-BR".to_owned()));
        assert_eq!(chosen(&["ja"], &["ko", "en"]), Some("en".to_owned()));
        assert_eq!(chosen(&["ja"], &["ko"]), Some("ko".to_owned()));
        assert_eq!(chosen(&["ja"], &[]), None);
    }

    #[test]
    fn the_header_is_read_by_weight_and_nonsense_is_dropped() {
        assert_eq!(accepted("en;q=0.5, ko-KR, fr;q=0.8, de;q=0, *;q=0.1", 8), ["ko-KR", "fr", "en"]);
        assert_eq!(accepted("<script>, en;q=x, k, ko;q=NaN", 8), Vec::<String>::new());
        assert_eq!(accepted(&"aa,".repeat(100), 8).len(), 8);
    }

    #[test]
    fn only_well_formed_tags_pass() {
        assert!(is_tag("zh-Hant-TW"));
        for wrong in ["", "e", "en_US", "en-", "\"onload=", "abcdefghi", &"en-ab".repeat(20)] {
            assert!(!is_tag(wrong), "{wrong}");
        }
    }
}
