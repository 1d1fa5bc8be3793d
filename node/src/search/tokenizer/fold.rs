//! How a word is written when case, accents, width and spelling tradition no longer matter.
//!
//! Indexing and querying fold by the same code, so whatever this makes of a word, both meet. It must never fold
//! what carries meaning: Hangul and kana stay composed, identifiers do not come here.

use std::borrow::Cow;

use unicode_normalization::{
    IsNormalized, UnicodeNormalization as _, char::is_combining_mark, is_nfkc_quick,
};

use super::hanzi::simplified;

/// Longest form of a word in characters; the rest is cut off, in the index and in queries alike. Longer than the
/// longest words of any language we know, shorter than what would bloat the dictionary.
pub const WORD_CHARS_MAX: usize = 64;

/// The text in compatibility form and lower case: full-width letters become plain, ligatures fall apart.
pub(super) fn normalised(text: &str) -> String {
    // Most text is in that form already, and seeing it costs a fraction of making it.
    let text = match is_nfkc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(text.nfkc().collect()),
    };
    text.chars().flat_map(char::to_lowercase).collect()
}

/// A word without accents; and, where German or Nordic letters allow it, with ä as ae, ö as oe, ü as ue, å as aa.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Forms {
    pub(super) plain: String,
    pub(super) digraph: Option<String>,
}

/// Folds one normalised word of an alphabetic script.
pub(super) fn forms(word: &str) -> Forms {
    if word.is_ascii() {
        return Forms { plain: cut(word.to_owned()), digraph: None };
    }
    let (mut plain, mut digraph) = (String::new(), String::new());
    let mut accents_fold = true;
    for c in word.nfc() {
        if let Some((one, two)) = spelt_two_ways(c) {
            plain.push_str(one);
            digraph.push_str(two);
            continue;
        }
        for part in std::iter::once(c).nfd() {
            if !is_combining_mark(part) {
                accents_fold = is_latin_or_greek(part);
            } else if accents_fold {
                continue;
            }
            let folded = special_letter(part);
            push(&mut plain, folded, part);
            push(&mut digraph, folded, part);
        }
    }
    let plain = cut(plain);
    let digraph = Some(cut(digraph)).filter(|digraph| *digraph != plain);
    Forms { plain, digraph }
}

/// Folds one normalised character of a script written without spaces.
pub(super) fn ideograph(c: char) -> char {
    simplified(c)
}

fn push(form: &mut String, folded: Option<&str>, original: char) {
    match folded {
        Some(folded) => form.push_str(folded),
        None => form.push(original),
    }
}

/// At most [`WORD_CHARS_MAX`] characters of a form.
pub(super) fn cut(form: String) -> String {
    match form.char_indices().nth(WORD_CHARS_MAX) {
        Some((end, _)) => form[..end].to_owned(),
        None => form,
    }
}

fn spelt_two_ways(c: char) -> Option<(&'static str, &'static str)> {
    Some(match c {
        'ä' => ("a", "ae"),
        'ö' => ("o", "oe"),
        'ü' => ("u", "ue"),
        'ø' => ("o", "oe"),
        'å' => ("a", "aa"),
        _ => return None,
    })
}

/// Letters that do not decompose but are written with plain ones where the keyboard lacks them.
fn special_letter(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ł' => "l",
        'ı' => "i",
        'ħ' => "h",
        'ŋ' => "n",
        'ŧ' => "t",
        'ς' => "σ",
        _ => return None,
    })
}

fn is_latin_or_greek(c: char) -> bool {
    matches!(c, 'a'..='z' | '0'..='9' | '\u{80}'..='\u{24f}' | '\u{370}'..='\u{3ff}' | '\u{1e00}'..='\u{1fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(word: &str) -> String {
        forms(&normalised(word)).plain
    }

    #[test]
    fn case_accents_and_width_fold() {
        assert_eq!(plain("PARTICIPAÇÃO"), "participacao");
        assert_eq!(plain("Ｓｔｒａßｅ"), "strasse");
        assert_eq!(plain("STRAẞE"), "strasse");
        assert_eq!(plain("İstanbul"), "istanbul");
        assert_eq!(plain("e\u{301}te\u{301}"), "ete");
        assert_eq!(plain("Αθήνα"), "αθηνα");
    }

    #[test]
    fn an_umlaut_folds_both_ways() {
        let both = forms("münchen");
        assert_eq!((both.plain.as_str(), both.digraph.as_deref()), ("munchen", Some("muenchen")));
        assert_eq!(forms("muenchen").digraph, None);
    }

    #[test]
    fn letters_that_only_look_accented_stay() {
        assert_eq!(plain("йод"), "йод".nfd().collect::<String>());
        assert_eq!(ideograph('가'), '가');
        assert_eq!(ideograph('ガ'), 'ガ');
        assert_eq!(ideograph('電'), '电');
    }

    #[test]
    fn a_word_beyond_the_limit_is_cut() {
        assert_eq!(plain(&"ä".repeat(WORD_CHARS_MAX + 1)).chars().count(), WORD_CHARS_MAX);
    }
}
