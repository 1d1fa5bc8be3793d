//! HTML as text: paragraphs, items and rows become lines, cells are kept apart, links keep where they lead.
//!
//! It must never take for markup what is none: `x <5`, `<https://a.example>` and `a?b&copy=c` stay as they are.

use std::cell::{Cell, RefCell};

use html5ever::{
    buffer_queue::BufferQueue,
    tendril::StrTendril,
    tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, states::RawKind},
};

/// Elements that texts hold. Another word between angle brackets is a word.
const ELEMENTS: &str = " a abbr address article aside b big blockquote body br caption center cite code col colgroup \
    dd del details dfn div dl dt em figcaption figure font footer form h1 h2 h3 h4 h5 h6 head header hr html i \
    iframe img ins kbd label li link main mark meta nav noscript ol p pre q s samp script section small span strike \
    strong style sub summary sup svg table tbody td tfoot th thead time title tr tt u ul var wbr o:p ";
/// Those that begin a line, and end it.
const BLOCKS: &str = " address article aside blockquote body br caption center dd details div dl dt figcaption \
    figure footer form h1 h2 h3 h4 h5 h6 header hr main nav ol p pre section table tr ul ";
/// Longest entity looked for, in bytes: the longest there is has 33.
const ENTITY_BYTES_MAX: usize = 34;

/// `text` without markup, its entities read.
pub(super) fn plain(text: &str) -> String {
    if !text.contains(['<', '&']) {
        return text.to_owned();
    }
    let tokenizer = Tokenizer::new(Text::default(), Default::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(&literal(text)));
    // The sink never asks for a pause.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.end_link();
    tokenizer.sink.out.into_inner()
}

/// With every `<` and `&` that begins neither tag nor entity escaped, so that the tokenizer leaves it alone.
fn literal(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        escaped.push_str(&rest[..at]);
        rest = &rest[at..];
        let (sign, written) = match rest.as_bytes()[0] {
            b'<' if is_tag(rest) => ("<", "<"),
            b'<' => ("<", "&lt;"),
            _ if is_entity(rest) => ("&", "&"),
            _ => ("&", "&amp;"),
        };
        escaped.push_str(written);
        rest = &rest[sign.len()..];
    }
    escaped + rest
}

fn is_tag(text: &str) -> bool {
    if let Some(comment) = text.strip_prefix("<!--") {
        return comment.contains("-->");
    }
    let inner = text[1..].strip_prefix('/').unwrap_or(&text[1..]);
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != ':').unwrap_or(inner.len());
    let name = &inner[..end];
    let closes = inner[end..].starts_with(['>', '/', ' ', '\n', '\t', '\r']) && inner[end..].contains('>');
    closes && !name.is_empty() && among(ELEMENTS, &name.to_ascii_lowercase())
}

fn is_entity(text: &str) -> bool {
    let Some(end) = text.bytes().take(ENTITY_BYTES_MAX).position(|byte| byte == b';') else { return false };
    let name = text[1..end].strip_prefix('#').unwrap_or(&text[1..end]);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn among(list: &str, name: &str) -> bool {
    list.contains(&format!(" {name} "))
}

/// The text so far.
#[derive(Default)]
struct Text {
    out: RefCell<String>,
    /// Where the link that is open began, and where it leads.
    link: RefCell<Option<(usize, String)>>,
    /// Inside a script or a style.
    hidden: Cell<bool>,
}

impl TokenSink for Text {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::CharacterTokens(text) if !self.hidden.get() => self.out.borrow_mut().push_str(&text),
            Token::TagToken(tag) => return self.tag(&tag),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Text {
    fn tag(&self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        let starts = tag.kind == TagKind::StartTag;
        match (name, starts) {
            ("script" | "style", true) => {
                self.hidden.set(true);
                return TokenSinkResult::RawData(RawKind::Rawtext);
            }
            ("script" | "style", false) => self.hidden.set(false),
            ("a", true) => self.begin_link(tag),
            ("a", false) => self.end_link(),
            ("img", true) => self.out.borrow_mut().push_str(attribute(tag, "alt").unwrap_or_default()),
            ("li", true) => self.out.borrow_mut().push_str("\n- "),
            ("td" | "th", true) => self.next_cell(),
            _ if among(BLOCKS, name) => self.out.borrow_mut().push('\n'),
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn next_cell(&self) {
        let mut out = self.out.borrow_mut();
        let line = out.rsplit('\n').next().unwrap_or_default();
        if !line.trim().is_empty() {
            out.push_str(" | ");
        }
    }

    fn begin_link(&self, tag: &Tag) {
        self.end_link();
        let target = attribute(tag, "href").unwrap_or_default().trim();
        if ["http://", "https://", "mailto:", "tel:", "ftp://"]
            .iter()
            .any(|scheme| target.starts_with(scheme))
        {
            *self.link.borrow_mut() = Some((self.out.borrow().len(), target.to_owned()));
        }
    }

    fn end_link(&self) {
        let Some((start, target)) = self.link.borrow_mut().take() else { return };
        let mut out = self.out.borrow_mut();
        let words = out.get(start..).unwrap_or_default().trim();
        let bare = target.split_once(':').map_or(target.as_str(), |(_, rest)| rest.trim_start_matches('/'));
        match words {
            "" => out.push_str(&target),
            words if words == target || words.trim_end_matches('/') == bare.trim_end_matches('/') => {}
            _ => *out += &format!(" ({target})"),
        }
    }
}

fn attribute<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| &*attribute.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text_and_what_is_none_stays() {
        let table = [
            (
                "&eacute;cole, S&atilde;o, Stra&szlig;e, 5 &euro;, &#8364; &#x20AC; &hearts;",
                "école, São, Straße, 5 €, € € ♥",
            ),
            ("AT&amp;amp;T &lt;script&gt;", "AT&amp;T <script>"),
            ("<b>one</b><script>x = '<b>';</script> two<style>p {}</style>", "one two"),
            (
                "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>",
                "\n\na | b\n\n1 | 2\n\n",
            ),
            (
                "see <a href='https://x.example/m.pdf?a=1&amp;b=2'>the manual</a>.",
                "see the manual (https://x.example/m.pdf?a=1&b=2).",
            ),
            (
                "<a href=\"https://x.example/\">x.example</a> <a href='/local'>here</a> <a href='javascript:x'>y</a>",
                "x.example here y",
            ),
            ("<a href=\"https://x.example/\"><img src=x alt='a map'></a>", "a map (https://x.example/)"),
            ("<a href=mailto:a@b.example>Jane", "Jane (mailto:a@b.example)"),
            (
                "x <5 & y> 3, <https://a.example>, <your name>, R&D, ?a=1&copy=2",
                "x <5 & y> 3, <https://a.example>, <your name>, R&D, ?a=1&copy=2",
            ),
            ("<!-- hidden -->shown <b", "shown <b"),
            ("PM<sub>2.5</sub> & NO₂", "PM2.5 & NO₂"),
            ("<p style='a: \">\"'>quoted", "\nquoted"),
        ];
        for (html, text) in table {
            assert_eq!(plain(html), text, "{html}");
        }
    }
}
