//! Texts as portals publish them, made fit for a record: no markup, no control characters, no persons.
//!
//! It must never drop a word that belongs to none of them.

use unicode_normalization::UnicodeNormalization as _;
use wego_proto::form;

use super::{markup, person};

/// What stands where an address was.
pub(super) const EMAIL: &str = "[e-mail removed]";
/// What stands where a telephone number was.
pub(super) const PHONE: &str = "[telephone removed]";
/// What stands where the name of a person was.
pub(super) const NAME: &str = "[name removed]";

/// Cleans the texts of one record and counts what it removed.
#[derive(Debug, Default)]
pub(super) struct Cleaner {
    /// Persons whose names are known.
    names: Vec<String>,
    pub(super) removed: Removed,
}

/// What stood in the texts of a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Removed {
    pub(super) emails: usize,
    pub(super) phones: usize,
    pub(super) names: usize,
}

impl Cleaner {
    /// For a record that names these persons.
    pub(super) fn of(names: Vec<String>) -> Self {
        Self { names, removed: Removed::default() }
    }

    /// One line of at most `chars` characters.
    pub(super) fn line(&mut self, text: &str, chars: usize) -> String {
        cut(&flat(&self.paragraphs(text)), chars)
    }

    /// One line of letters and digits that are for machines: in these no name and no telephone number is looked for.
    pub(super) fn code(&mut self, text: &str, chars: usize) -> String {
        cut(&flat(&self.without_emails(&readable(text))), chars)
    }

    /// Readable text of several lines.
    pub(super) fn paragraphs(&mut self, text: &str) -> String {
        let text = self.without_emails(&readable(&markup::plain(text)));
        let text = self.without_persons(text);
        let mut lines: Vec<String> = Vec::new();
        for line in text.lines() {
            let line = flat(line);
            // One empty line separates paragraphs; markup leaves many.
            if !(line.is_empty() && lines.last().is_none_or(String::is_empty)) {
                lines.push(line);
            }
        }
        lines.join("\n").trim_end().to_owned()
    }

    fn without_emails(&mut self, text: &str) -> String {
        let (text, disguised) = person::without_disguised_emails(text);
        self.removed.emails += disguised;
        let mut rest = text.as_str();
        let mut clean = String::with_capacity(text.len());
        while let Some((start, end)) = address(rest, 0) {
            clean.push_str(&rest[..start]);
            clean.push_str(EMAIL);
            rest = &rest[end..];
            self.removed.emails += 1;
        }
        clean + rest
    }

    fn without_persons(&mut self, text: String) -> String {
        let (text, phones) = person::without_phones(&text);
        let (text, names) = person::without_names(&text, &mut self.names);
        self.removed.phones += phones;
        self.removed.names += names;
        text
    }
}

/// In composed letters, without what cannot be read.
fn readable(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.nfc().map(|c| if c != '\n' && is_unreadable(c) { ' ' } else { c }).collect()
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` cut at a word to at most `chars` characters.
pub(super) fn cut(text: &str, chars: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(chars) else {
        return text.to_owned();
    };
    let short = &text[..text[..end].char_indices().next_back().map_or(0, |(at, _)| at)];
    let word_end = short.rfind(char::is_whitespace).filter(|at| *at > short.len() / 2);
    short[..word_end.unwrap_or(short.len())].trim_end().to_owned() + "…"
}

/// Where the first address after `from` begins and ends, `mailto:` included.
fn address(text: &str, from: usize) -> Option<(usize, usize)> {
    let tail = text.get(from..)?;
    let signs = ["@", "\u{ff20}", "\u{fe6b}", "%40"];
    let (at, sign) = signs.iter().filter_map(|sign| tail.find(sign).map(|at| (at + from, *sign))).min()?;
    let local = |c: char| c.is_alphanumeric() || "._%+-'".contains(c);
    let before = &text[..at];
    let start = before.char_indices().rev().take_while(|(_, c)| local(*c)).last().map(|(start, _)| start);
    let after = &text[at + sign.len()..];
    let host_end = after.find(|c: char| !c.is_alphanumeric() && !".-".contains(c)).unwrap_or(after.len());
    let host = after[..host_end].trim_end_matches(['.', '-']);
    let is_word = |label: &str| label.chars().count() >= 2 && label.chars().any(char::is_alphabetic);
    let named = host.starts_with(char::is_alphanumeric)
        && host.rsplit_once('.').is_some_and(|(_, last)| is_word(last));
    match start {
        Some(start) if named => {
            let start = before[..start].strip_suffix("mailto:").map_or(start, str::len);
            Some((start, at + sign.len() + host.len()))
        }
        _ => address(text, at + sign.len()),
    }
}

/// Characters that move the cursor, turn or hide text, or are seen by none.
fn is_unreadable(c: char) -> bool {
    c.is_control() || form::is_deceptive(c) || matches!(c, '\u{a0}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(text: &str) -> (String, usize) {
        let mut cleaner = Cleaner::default();
        (cleaner.paragraphs(text), cleaner.removed.emails)
    }

    #[test]
    fn addresses_go_however_they_are_written_and_nothing_else_does() {
        let addresses = [
            "a.b+c@city.gov",
            "mailto:a@city.gov",
            "x%40city.example",
            "이름@도시.한국",
            "a\u{ff20}city.gov",
            "a&#64;city.gov",
        ];
        for address in addresses {
            let (text, removed) = cleaned(&format!("Ask {address}, please."));
            assert_eq!((text.as_str(), removed), ("Ask [e-mail removed], please.", 1), "{address}");
            assert!(!form::has_email(&text));
        }
        assert_eq!(cleaned("a@b@c.org and d@e.org.").1, 2);
        for kept in ["5 @ 3.50", "@mayor on Sunday", "maps/@39.95,-75.16", "user@localhost", "R@D"] {
            assert_eq!(cleaned(kept), (kept.to_owned(), 0));
        }
    }

    #[test]
    fn markup_becomes_text_and_mathematics_stays() {
        let html =
            "<p style='a: \">\"'>One&nbsp;&amp; two</p><ul><li>x <5</li><li>y</li></ul><script>z</script>";
        assert_eq!(cleaned(html).0, "One & two\n\n- x <5\n- y");
        let html = "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>";
        assert_eq!(cleaned(html).0, "a | b\n\nc");
    }

    #[test]
    fn control_characters_become_spaces_and_letters_are_composed() {
        assert_eq!(cleaned("a\x1b[2Jb\u{202e}c\tcafe\u{301}").0, "a [2Jb c café");
        assert_eq!(Cleaner::default().line("a\nb", 10), "a b");
    }

    #[test]
    fn a_cut_ends_at_a_word_within_the_limit() {
        assert_eq!(cut("one two three", 9), "one two…");
        assert_eq!(cut("서울특별시", 3), "서울…");
        assert_eq!(cut("exactly", 7), "exactly");
        assert!(cut(&"word ".repeat(500), 1_000).chars().count() <= 1_000);
    }
}
