//! Texts as portals publish them, made fit for a record: no markup, no control characters, no e-mail addresses.
//!
//! It must never drop a word that is no address.

use unicode_normalization::UnicodeNormalization as _;

/// What stands where an address was.
pub(super) const REMOVED: &str = "[e-mail removed]";

/// Cleans texts and counts the addresses it removed.
#[derive(Debug, Default)]
pub(super) struct Cleaner {
    pub(super) emails: usize,
}

impl Cleaner {
    /// One line of at most `chars` characters.
    pub(super) fn line(&mut self, text: &str, chars: usize) -> String {
        let flat: Vec<String> = self.paragraphs(text).split_whitespace().map(str::to_owned).collect();
        cut(&flat.join(" "), chars)
    }

    /// Readable text of several lines.
    pub(super) fn paragraphs(&mut self, text: &str) -> String {
        let text = without_markup(text).replace("\r\n", "\n").replace('\r', "\n");
        let readable = text.nfc().map(|c| if c != '\n' && is_unreadable(c) { ' ' } else { c });
        let readable: String = readable.collect();
        let text = self.without_emails(&readable);
        let mut lines: Vec<String> = Vec::new();
        for line in text.lines() {
            let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
            // One empty line separates paragraphs; markup leaves many.
            if !(line.is_empty() && lines.last().is_none_or(String::is_empty)) {
                lines.push(line);
            }
        }
        lines.join("\n").trim_end().to_owned()
    }

    fn without_emails(&mut self, text: &str) -> String {
        let mut rest = text;
        let mut clean = String::with_capacity(text.len());
        while let Some((start, end)) = address(rest, 0) {
            clean.push_str(&rest[..start]);
            clean.push_str(REMOVED);
            rest = &rest[end..];
            self.emails += 1;
        }
        clean + rest
    }
}

/// Whether something in `text` looks like an e-mail address.
pub(super) fn has_email(text: &str) -> bool {
    address(text, 0).is_some()
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

/// Characters that move the cursor, turn or hide text, or are seen by nobody.
fn is_unreadable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{a0}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// HTML as text: tags go, paragraphs and list items become lines, entities become letters.
fn without_markup(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some((name, length)) = tag(rest) else {
            plain.push('<');
            rest = &rest[1..];
            continue;
        };
        rest = &rest[length..];
        match name.as_str() {
            "li" => plain.push_str("\n- "),
            "br" | "p" | "/p" | "div" | "/div" | "tr" | "/tr" | "/ul" | "/ol" | "h1" | "h2" | "h3" | "h4"
            | "/h1" | "/h2" | "/h3" | "/h4" => plain.push('\n'),
            "script" | "style" => rest = after_end_of(&name, rest),
            _ => {}
        }
    }
    plain.push_str(rest);
    with_entities_read(&plain)
}

/// Name and length of the tag that `text` begins with; none when it is no tag, as in `x <5` or `<http://...>`.
fn tag(text: &str) -> Option<(String, usize)> {
    if let Some(comment) = text.strip_prefix("<!--") {
        return comment.find("-->").map(|end| ("!".to_owned(), end + 7));
    }
    let inner = &text[1..];
    let name_end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '/').unwrap_or(inner.len());
    let name = inner[..name_end].to_ascii_lowercase();
    let is_name = name.trim_start_matches('/').starts_with(|c: char| c.is_ascii_alphabetic());
    if !is_name || !inner[name_end..].starts_with([' ', '\n', '\t', '\r', '/', '>']) {
        return None;
    }
    let mut quote = None;
    for (at, c) in inner.char_indices() {
        match (quote, c) {
            (None, '>') => return Some((name.trim_end_matches('/').to_owned(), at + 2)),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

fn after_end_of<'a>(name: &str, text: &'a str) -> &'a str {
    let end = format!("</{name}");
    // ASCII lower case keeps every byte's place.
    text.to_ascii_lowercase().find(&end).map_or("", |at| &text[at..])
}

/// Entities a description is likely to hold; others stay as they are.
fn with_entities_read(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|byte| byte == b';');
        match end.and_then(|end| Some((entity(&rest[1..end])?, end + 1))) {
            Some((c, length)) => {
                plain.push(c);
                rest = &rest[length..];
            }
            None => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain + rest
}

fn entity(name: &str) -> Option<char> {
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        "ndash" => Some('–'),
        "mdash" => Some('—'),
        "rsquo" => Some('’'),
        "lsquo" => Some('‘'),
        "ldquo" => Some('“'),
        "rdquo" => Some('”'),
        "hellip" => Some('…'),
        "bull" => Some('•'),
        _ => match name.strip_prefix('#') {
            Some(hex) if hex.starts_with(['x', 'X']) => number(&hex[1..], 16),
            Some(digits) => number(digits, 10),
            None => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(text: &str) -> (String, usize) {
        let mut cleaner = Cleaner::default();
        (cleaner.paragraphs(text), cleaner.emails)
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
            assert!(!has_email(&text));
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
        assert_eq!(
            cleaned("see <http://a.example> & a < b, c > d").0,
            "see <http://a.example> & a < b, c > d"
        );
        assert_eq!(cleaned("<!-- hidden -->shown <b").0, "shown <b");
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
