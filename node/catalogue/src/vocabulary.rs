//! Code lists with labels in eight languages, and the codes of currencies. Bundled: nothing is
//! ever looked up at run time.
//!
//! Codes are those of the lists they come from and are compared as they are written; labels are for readers and
//! are compared without case, accents or width.

use std::sync::LazyLock;

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

mod currency;
mod data_theme;
mod topic;

/// Scheme of the European Union's data themes.
pub const EU_DATA_THEME: &str = "eu-data-theme";
/// Scheme of the federation's own topics: the projects it was founded for, and the domains of a u-City.
pub const WEGO_TOPIC: &str = "wego-topic";
/// All schemes a topic may come from.
pub const SCHEMES: [&str; 2] = [EU_DATA_THEME, WEGO_TOPIC];

/// Languages of the labels, in the order of [`Concept::labels`].
pub const LABEL_LANGS: [&str; 8] = ["en", "de", "fr", "es", "pt", "ca", "ko", "zh"];

/// Fewest characters by which a label is found, where a character is a syllable or a word. One would find a
/// tenth of all labels.
const NAMED_CHARS_MIN_CJK: usize = 2;
/// Fewest characters by which a label is found in an alphabet: shorter ones are mostly particles.
const NAMED_CHARS_MIN: usize = 4;

/// Concepts named as near to something: what fits a line.
pub const NEAR_MAX: usize = 5;

/// One code of a scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concept {
    /// The code.
    pub code: &'static str,
    /// Its name in each of [`LABEL_LANGS`].
    pub labels: [&'static str; 8],
}

/// The concepts of a scheme in its own order; none for an unknown scheme.
#[must_use]
pub fn concepts(scheme: &str) -> &'static [Concept] {
    match scheme {
        EU_DATA_THEME => &data_theme::CONCEPTS,
        WEGO_TOPIC => &topic::CONCEPTS,
        _ => &[],
    }
}

/// Whether `scheme` is known and has `code`.
#[must_use]
pub fn exists(scheme: &str, code: &str) -> bool {
    find(scheme, code).is_some()
}

/// Whether some scheme has this code, in capitals or not; before it may stand the scheme and a colon.
#[must_use]
pub fn has_code(code: &str) -> bool {
    let is = |scheme: &str, concept: &Concept| {
        let bare = code.strip_prefix(scheme).and_then(|rest| rest.strip_prefix(':')).unwrap_or(code);
        concept.code.eq_ignore_ascii_case(bare)
    };
    SCHEMES.iter().any(|scheme| concepts(scheme).iter().any(|concept| is(scheme, concept)))
}

/// The name of a code in the language `lang` (BCP 47, of which only the language itself counts), in English
/// where that language has none; `None` for an unknown code.
#[must_use]
pub fn label(scheme: &str, code: &str, lang: &str) -> Option<&'static str> {
    let primary = lang.split('-').next().unwrap_or_default();
    let at = LABEL_LANGS.iter().position(|known| known.eq_ignore_ascii_case(primary)).unwrap_or(0);
    Some(find(scheme, code)?.labels[at])
}

/// Scheme and code of every concept with a label, in any language, that is `query` or begins with it. Case,
/// accents and width do not matter. Nothing for fewer than two characters of Chinese, Japanese or Korean, or
/// four of another script.
#[must_use]
pub fn concepts_named(query: &str) -> Vec<(&'static str, &'static str)> {
    let query = fold(query);
    let enough = if query.chars().any(is_cjk) { NAMED_CHARS_MIN_CJK } else { NAMED_CHARS_MIN };
    if query.chars().count() < enough {
        return Vec::new();
    }
    let named = FOLDED.iter().filter(|concept| concept.labels.iter().any(|label| label.starts_with(&query)));
    named.map(|concept| (concept.scheme, concept.code)).collect()
}

/// Scheme and code of at most [`NEAR_MAX`] concepts that somebody may mean by `value`, nearest first: those with a word
/// like it, in their code or in a label of any language.
#[must_use]
pub fn concepts_near(value: &str) -> Vec<(&'static str, &'static str)> {
    let wanted: Vec<String> = words(&fold(value)).map(str::to_owned).collect();
    let joined = wanted.concat();
    let mut near: Vec<(usize, &Folded)> =
        FOLDED.iter().filter_map(|concept| Some((concept.distance(&wanted, &joined)?, concept))).collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().take(NEAR_MAX).map(|(_, concept)| (concept.scheme, concept.code)).collect()
}

/// Whether `code` is an ISO 4217 code of a currency in use since 2000, in capitals: costs are told in the money
/// of their year.
#[must_use]
pub fn is_currency(code: &str) -> bool {
    currency::CODES.binary_search(&code).is_ok()
}

struct Folded {
    scheme: &'static str,
    code: &'static str,
    labels: Vec<String>,
}

impl Folded {
    /// The letters by which the least of the wanted words differs from the concept's; `None` where none is like one.
    fn distance(&self, wanted: &[String], joined: &str) -> Option<usize> {
        let names = self.labels.iter().cloned().chain([fold(self.code)]);
        let distance = |name: String| {
            let one_by_one =
                wanted.iter().flat_map(|wanted| words(&name).filter_map(|word| likeness(wanted, word)));
            one_by_one.chain(likeness(joined, &words(&name).collect::<String>())).min()
        };
        names.filter_map(distance).min()
    }
}

/// The letters by which two words differ, where these are few: one of five, or the end of the longer.
fn likeness(wanted: &str, word: &str) -> Option<usize> {
    let letters = wanted.chars().count().min(word.chars().count());
    let enough = if word.chars().any(is_cjk) { NAMED_CHARS_MIN_CJK } else { NAMED_CHARS_MIN };
    let distance = strsim::osa_distance(wanted, word);
    let alike = distance <= letters / 5 || wanted.starts_with(word) || word.starts_with(wanted);
    (letters >= enough && alike).then_some(distance)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

static FOLDED: LazyLock<Vec<Folded>> = LazyLock::new(|| {
    let folded = |scheme: &'static str, concept: &Concept| Folded {
        scheme,
        code: concept.code,
        labels: concept.labels.iter().map(|label| fold(label)).collect(),
    };
    let all = SCHEMES.into_iter().flat_map(|scheme| concepts(scheme).iter().map(move |one| (scheme, one)));
    all.map(|(scheme, concept)| folded(scheme, concept)).collect()
});

fn find(scheme: &str, code: &str) -> Option<&'static Concept> {
    concepts(scheme).iter().find(|concept| concept.code == code)
}

/// Without case, accents, width and surrounding space. Composed at the end, so that a Korean syllable does not
/// match the beginning of another.
fn fold(text: &str) -> String {
    text.trim().nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).nfc().collect()
}

/// Han, kana and Hangul: scripts in which two characters are a word.
fn is_cjk(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_concept_has_a_label_of_its_own_in_every_language() {
        for scheme in SCHEMES {
            for (at, lang) in LABEL_LANGS.iter().enumerate() {
                let labels: BTreeSet<_> = concepts(scheme).iter().map(|one| one.labels[at]).collect();
                assert_eq!(labels.len(), concepts(scheme).len(), "{scheme} {lang}");
                assert!(!labels.contains(""), "{scheme} {lang}");
            }
            let codes: BTreeSet<_> = concepts(scheme).iter().map(|one| one.code).collect();
            assert_eq!(codes.len(), concepts(scheme).len());
        }
    }

    #[test]
    fn a_topic_is_found_by_its_label_in_any_language() {
        let open_data = (WEGO_TOPIC, "open-data");
        for query in
            ["open data", "OPEN DATA", "données ouvertes", "donnees ouv", "Dades obertes", "열린 데이터"]
        {
            assert!(concepts_named(query).contains(&open_data), "{query}");
        }
        assert!(concepts_named("교육").contains(&(EU_DATA_THEME, "EDUC")));
        assert!(concepts_named("educacion").contains(&(EU_DATA_THEME, "EDUC")));
        assert!(concepts_named("Ｔｒａｎｓｐｏｒｔ").contains(&(EU_DATA_THEME, "TRAN")));
    }

    #[test]
    fn short_words_name_nothing() {
        assert_eq!(concepts_named(""), []);
        assert_eq!(concepts_named("tra"), []);
        assert_eq!(concepts_named("교"), []);
        assert_eq!(concepts_named("no such topic"), []);
    }

    #[test]
    fn a_label_falls_back_to_english_and_an_unknown_code_has_none() {
        assert_eq!(label(EU_DATA_THEME, "EDUC", "zh-Hans-CN"), label(EU_DATA_THEME, "EDUC", "ZH"));
        assert_eq!(label(EU_DATA_THEME, "EDUC", "fi"), label(EU_DATA_THEME, "EDUC", "en"));
        assert_eq!(label(EU_DATA_THEME, "EDUC", ""), label(EU_DATA_THEME, "EDUC", "en"));
        assert_eq!(label(EU_DATA_THEME, "educ", "en"), None);
        assert_eq!(label("no-scheme", "EDUC", "en"), None);
    }

    #[test]
    fn currencies_are_a_sorted_list_of_codes() {
        assert!(currency::CODES.is_sorted());
        assert!(is_currency("KRW") && is_currency("XOF") && is_currency("HRK") && !is_currency("XXX"));
    }
}
