//! Words in another number or case: the stem that they have in common, in each language that has rules here.
//!
//! A text is read in the language that its author declared, a query in all of them, because it declares none. So a
//! stem bears its language, and a rule of one never joins words of another. It must never guess a language.

use std::collections::BTreeSet;

use frostem::{Algorithm, Stemmer};

use super::tokenizer::{Part, Word, folded, parts};

/// A language: its stemmer, and endings of the plural with those of the singular where the stemmer leaves the number,
/// as in vélos or hospitais.
struct Language {
    tag: &'static str,
    rules: Algorithm,
    plurals: &'static [(&'static str, &'static str)],
}

/// The languages of the pages that inflect, and Catalan.
const LANGUAGES: [Language; 6] = [
    Language {
        tag: "ca",
        rules: Algorithm::Catalan,
        plurals: &[
            ("ions", "ió"),
            ("ions", "io"),
            ("ques", "ca"),
            ("gues", "ga"),
            ("ges", "ja"),
            ("ces", "ça"),
            ("es", "a"),
            ("s", ""),
        ],
    },
    Language { tag: "de", rules: Algorithm::German, plurals: &[("s", "")] },
    Language { tag: "en", rules: Algorithm::English, plurals: &[("ses", "s")] },
    Language { tag: "es", rules: Algorithm::Spanish, plurals: &[("ces", "z"), ("s", "")] },
    Language { tag: "fr", rules: Algorithm::French, plurals: &[("s", ""), ("x", "")] },
    Language {
        tag: "pt",
        rules: Algorithm::Portuguese,
        plurals: &[
            ("ões", "ão"),
            ("ães", "ão"),
            ("oes", "ao"),
            ("aes", "ao"),
            ("ais", "al"),
            ("eis", "el"),
            ("ns", "m"),
            ("s", ""),
        ],
    },
];

/// Fewest letters before an ending, so that it is one.
const LETTERS_BEFORE_ENDING: usize = 2;

/// The stems of the words of a text in its language; none where that has no rules here.
pub(super) fn of_text(lang: &str, text: &str) -> BTreeSet<String> {
    let Some(language) = LANGUAGES.iter().find(|known| is_language(lang, known.tag)) else {
        return BTreeSet::new();
    };
    let parts = parts(text);
    let words: BTreeSet<&str> =
        parts.iter().filter_map(plain_word).map(|word| word.written.as_str()).collect();
    words.into_iter().flat_map(|word| language.stems(word)).collect()
}

/// The stems of one word in every language.
pub(super) fn of_word(word: &Word) -> BTreeSet<String> {
    if !word.is_plain_language() {
        return BTreeSet::new();
    }
    LANGUAGES.iter().flat_map(|language| language.stems(&word.written)).collect()
}

/// Codes and numbers have no other form.
fn plain_word(part: &Part) -> Option<&Word> {
    match part {
        Part::Word(word) if word.is_plain_language() => Some(word),
        _ => None,
    }
}

impl Language {
    /// The stems of a word and of what it may be the plural of. Accents matter to the rules, and readers leave them
    /// out: so it is stemmed with and without them, and the stem has none.
    fn stems(&self, word: &str) -> BTreeSet<String> {
        let plain = folded(word);
        let spellings = [word, plain.as_str()].into_iter().take(if plain == word { 1 } else { 2 });
        let forms = spellings.flat_map(|word| self.singulars(word).chain([word.to_owned()]));
        forms.map(|form| format!("{}:{}", self.tag, folded(&Stemmer::new(self.rules).stem(&form)))).collect()
    }

    fn singulars(&self, word: &str) -> impl Iterator<Item = String> {
        let singular = move |(plural, singular): &(&str, &str)| {
            let before =
                word.strip_suffix(plural).filter(|rest| rest.chars().count() >= LETTERS_BEFORE_ENDING)?;
            Some(format!("{before}{singular}"))
        };
        self.plurals.iter().filter_map(singular)
    }
}

fn is_language(tag: &str, known: &str) -> bool {
    tag.split('-').next().is_some_and(|primary| primary.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meet(lang: &str, one: &str, other: &str) -> bool {
        !of_text(lang, one).is_disjoint(&of_text(lang, other))
    }

    #[test]
    fn both_numbers_of_a_word_have_a_stem_in_common_in_its_language() {
        for (lang, one, many) in [
            ("fr", "vélo", "vélos"),
            ("fr", "velos", "vélo"),
            ("fr", "hôpital", "hôpitaux"),
            ("fr", "jeu", "jeux"),
            ("en", "bicycle", "bicycles"),
            ("en-CA", "library", "libraries"),
            ("en", "bus", "buses"),
            ("de", "Fahrrad", "Fahrräder"),
            ("de", "fahrrad", "fahrraeder"),
            ("de", "Auto", "Autos"),
            ("pt-BR", "localização", "localizações"),
            ("pt", "localizacao", "localizações"),
            ("pt", "localização", "localizacoes"),
            ("pt", "hospital", "hospitais"),
            ("pt", "cidade", "cidades"),
            ("ca", "ajuntament", "ajuntaments"),
            ("ca", "bicicleta", "bicicletes"),
            ("ca", "estació", "estacions"),
            ("ca", "estacio", "estacions"),
            ("es", "estación", "estaciones"),
            ("es", "luz", "luces"),
        ] {
            assert!(meet(lang, one, many), "{one}: {:?} {:?}", of_text(lang, one), of_text(lang, many));
        }
    }

    #[test]
    fn other_words_have_other_stems() {
        for (lang, one, other) in [
            ("fr", "vélo", "ville"),
            ("en", "bus", "business"),
            ("de", "Stadt", "Staat"),
            ("pt", "cidade", "cidadão"),
        ] {
            assert!(!meet(lang, one, other), "{one} {other}");
        }
    }

    #[test]
    fn a_stem_is_of_its_language_and_codes_and_other_languages_have_none() {
        assert!(of_text("en", "tram").is_disjoint(&of_text("fr", "tram")));
        assert!(of_text("en", "OA15488 99012").is_empty());
        assert!(of_text("ko", "tram").is_empty() && of_text("", "tram").is_empty());
        let Some(Part::Word(tram)) = parts("tram").pop() else { panic!("one word") };
        assert_eq!(of_word(&tram).len(), LANGUAGES.len());
    }
}
