//! The safe part of Markdown: paragraphs, lists, headings shown as bold lines, emphasis, code, http(s) links.
//!
//! It builds its output only from fixed elements and escaped text, so there is no markup to filter out
//! afterwards: HTML in the source is shown as the characters it consists of. It reads every character once and
//! looks ahead at most [`SPAN_BYTES_MAX`], so that no text can make it slow.

use maud::{Markup, html};

use super::text::{Foreign, is_web_address, outward};

/// Longest emphasised, quoted or linked stretch: beyond it the marks are shown as they are. It bounds looking
/// ahead, which would otherwise be quadratic in a text of opening marks alone.
const SPAN_BYTES_MAX: usize = 2_000;

/// Depth of emphasis within emphasis and links; bold italics within a link are three.
const DEPTH_MAX: usize = 3;

/// Renders `source`.
pub(super) fn render(source: &str) -> Markup {
    html! { @for block in blocks(source) { (block.markup()) } }
}

#[derive(Debug, PartialEq, Eq)]
enum Block {
    Paragraph(Vec<String>),
    Heading(String),
    Bullets(Vec<String>),
    Numbers(Vec<String>),
}

impl Block {
    fn markup(&self) -> Markup {
        html! {
            @match self {
                Self::Paragraph(lines) => p {
                    @for (at, line) in lines.iter().enumerate() { @if at > 0 { br; } (inline(line, 0)) }
                },
                // Not a heading element: the page's own headings stay in order whatever a record contains.
                Self::Heading(line) => p.heading { strong { (inline(line, 0)) } },
                Self::Bullets(items) => ul { @for item in items { li { (inline(item, 0)) } } },
                Self::Numbers(items) => ol { @for item in items { li { (inline(item, 0)) } } },
            }
        }
    }
}

enum Line<'a> {
    Empty,
    Heading(&'a str),
    Bullet(&'a str),
    Number(&'a str),
    Text(&'a str),
}

fn blocks(source: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in source.lines() {
        let (next, item) = match line_kind(line) {
            Line::Empty => {
                blocks.extend(open.take());
                continue;
            }
            Line::Heading(text) => {
                blocks.extend(open.take());
                blocks.push(Block::Heading(text.to_owned()));
                continue;
            }
            Line::Bullet(item) => (Block::Bullets(Vec::new()), item),
            Line::Number(item) => (Block::Numbers(Vec::new()), item),
            Line::Text(text) => (Block::Paragraph(Vec::new()), text),
        };
        let same =
            open.as_ref().is_some_and(|open| std::mem::discriminant(open) == std::mem::discriminant(&next));
        if !same {
            blocks.extend(open.replace(next));
        }
        if let Some(Block::Paragraph(items) | Block::Bullets(items) | Block::Numbers(items)) = &mut open {
            items.push(item.to_owned());
        }
    }
    blocks.extend(open);
    blocks
}

fn line_kind(line: &str) -> Line<'_> {
    let line = line.trim();
    if line.is_empty() {
        return Line::Empty;
    }
    let heading = line.trim_start_matches('#');
    if line.starts_with('#') && heading.starts_with(' ') {
        return Line::Heading(heading.trim());
    }
    if let Some(item) = ["- ", "* ", "+ "].iter().find_map(|mark| line.strip_prefix(mark)) {
        return Line::Bullet(item.trim());
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    match line[digits..].strip_prefix(". ").or_else(|| line[digits..].strip_prefix(") ")) {
        Some(item) if (1..=3).contains(&digits) => Line::Number(item.trim()),
        _ => Line::Text(line),
    }
}

/// What a mark in a line opens, and the rest of the line behind it.
enum Span<'a> {
    Strong(&'a str),
    Emphasis(&'a str),
    Code(&'a str),
    Link { text: &'a str, url: &'a str },
    Address(&'a str),
}

fn inline(line: &str, depth: usize) -> Markup {
    html! { @for piece in pieces(line, depth) { (piece) } }
}

fn pieces(line: &str, depth: usize) -> Vec<Markup> {
    let mut out = Vec::new();
    let mut plain_from = 0;
    let mut at = 0;
    while at < line.len() {
        if let Some((span, len)) = span_at(line, at, depth) {
            out.push(html! { (Foreign(&line[plain_from..at])) (markup(&span, depth)) });
            at += len;
            plain_from = at;
        } else {
            at += line[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    out.push(html! { (Foreign(&line[plain_from..])) });
    out
}

fn markup(span: &Span<'_>, depth: usize) -> Markup {
    html! {
        @match span {
            Span::Strong(text) => strong { (inline(text, depth + 1)) },
            Span::Emphasis(text) => em { (inline(text, depth + 1)) },
            Span::Code(text) => code { (Foreign(text)) },
            // Within a link there is no further link.
            Span::Link { text, url } => (outward(url, inline(text, DEPTH_MAX))),
            Span::Address(url) => (outward(url, html! { (Foreign(url)) })),
        }
    }
}

/// The span that begins at `at`, and its length with its marks.
fn span_at(line: &str, at: usize, depth: usize) -> Option<(Span<'_>, usize)> {
    if depth >= DEPTH_MAX {
        return None;
    }
    let rest = &line[at..];
    match rest.as_bytes()[0] {
        b'*' | b'_' => emphasis(line, at),
        b'`' => enclosed(&rest[1..], "`").map(|text| (Span::Code(text), text.len() + 2)),
        b'[' => link(rest),
        b'h' | b'H' if !ends_in_word(&line[..at]) => address(rest),
        _ => None,
    }
}

fn emphasis(line: &str, at: usize) -> Option<(Span<'_>, usize)> {
    let rest = &line[at..];
    let mark = &rest[..1];
    // An underscore within a word belongs to the word: file_name_here.
    if mark == "_" && ends_in_word(&line[..at]) {
        return None;
    }
    let double = mark.repeat(2);
    if let Some(inner) = rest.strip_prefix(&double) {
        let text = enclosed(inner, &double)?;
        return Some((Span::Strong(text), text.len() + 4));
    }
    let text = enclosed(&rest[1..], mark)?;
    Some((Span::Emphasis(text), text.len() + 2))
}

/// The text up to `mark`: not empty, not surrounded by space, not too long.
fn enclosed<'a>(rest: &'a str, mark: &str) -> Option<&'a str> {
    let text = &rest[..within(rest).find(mark)?];
    (!text.is_empty() && text.trim().len() == text.len()).then_some(text)
}

fn link(rest: &str) -> Option<(Span<'_>, usize)> {
    let text = &rest[1..][..within(&rest[1..]).find(']')?];
    let target = rest[text.len() + 2..].strip_prefix('(')?;
    let url = &target[..within(target).find(')')?];
    // A link that leads nowhere safe shows its text; the address is dropped.
    let len = text.len() + url.len() + 4;
    (!text.is_empty()).then_some((Span::Link { text, url: url.trim() }, len))
}

/// A bare web address, without the punctuation that ends the sentence around it.
fn address(rest: &str) -> Option<(Span<'_>, usize)> {
    let rest = within(rest);
    let end = rest.find(|c: char| c.is_whitespace() || "<>\"')]*`".contains(c)).unwrap_or(rest.len());
    let url = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '。', '，']);
    is_web_address(url).then_some((Span::Address(url), url.len()))
}

/// As much of `rest` as is looked at.
fn within(rest: &str) -> &str {
    &rest[..rest.floor_char_boundary(SPAN_BYTES_MAX)]
}

fn ends_in_word(before: &str) -> bool {
    before.chars().next_back().is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(source: &str) -> String {
        render(source).0
    }

    #[test]
    fn paragraphs_lists_and_emphasis_are_shown() {
        assert_eq!(rendered("one\ntwo\n\nthree"), "<p>one<br>two</p><p>three</p>");
        assert_eq!(
            rendered("- **a**\n- *b* c\n1. d"),
            "<ul><li><strong>a</strong></li><li><em>b</em> c</li></ul><ol><li>d</li></ol>"
        );
        assert_eq!(rendered("## Steps\ntext"), "<p class=\"heading\"><strong>Steps</strong></p><p>text</p>");
        assert_eq!(rendered("a `<b>` c"), "<p>a <code>&lt;b&gt;</code> c</p>");
        assert_eq!(rendered("**bold *and* more**"), "<p><strong>bold <em>and</em> more</strong></p>");
    }

    #[test]
    fn marks_that_open_nothing_stay_as_they_are() {
        for text in
            ["2 * 3 * 4", "a ** b", "file_name_here", "[text] only", "*open", "5)text", "2010. ", "#tag"]
        {
            assert_eq!(rendered(text), format!("<p>{}</p>", text.trim()));
        }
    }

    #[test]
    fn links_lead_to_the_web_or_nowhere() {
        assert_eq!(
            rendered("see [the *page*](https://a.example/x?y=1&z=2)."),
            "<p>see <a class=\"outward\" href=\"https://a.example/x?y=1&amp;z=2\" rel=\"nofollow noopener\">the *page*</a>.</p>"
        );
        assert_eq!(
            rendered("(https://a.example/b)."),
            "<p>(<a class=\"outward\" href=\"https://a.example/b\" rel=\"nofollow noopener\">https://a.example/b</a>).</p>"
        );
        for url in [
            "javascript:alert(1",
            "data:text/html;base64,AA",
            "//x.example",
            "\tjavascript:x",
            "&#106;avascript:x",
        ] {
            let html = rendered(&format!("[click]({url})"));
            assert_eq!(html, "<p>click</p>", "{url}");
        }
    }

    #[test]
    fn html_is_text_wherever_it_stands() {
        let evil = "<script>alert(1)</script>";
        for source in [
            evil.to_owned(),
            format!("- {evil}"),
            format!("1. {evil}"),
            format!("# {evil}"),
            format!("**{evil}** *{evil}* `{evil}`"),
            format!("[{evil}](https://a.example/{evil})"),
            format!("[x](https://a.example/\"onmouseover=\"{evil})"),
            format!("https://a.example/{evil}"),
        ] {
            let html = rendered(&source);
            assert!(!html.contains("<script") && !html.contains("\"onmouseover"), "{source} became {html}");
        }
    }

    #[test]
    fn a_text_of_opening_marks_is_rendered_in_one_pass() {
        let text = "[*_`".repeat(60_000);
        let html = rendered(&text);
        assert!(html.len() >= text.len());
        let deep = format!("{}x{}", "*_".repeat(500), "_*".repeat(500));
        assert!(rendered(&deep).matches("<em>").count() <= DEPTH_MAX * 500);
    }

    #[test]
    fn a_span_longer_than_the_bound_keeps_its_marks() {
        let long = "x".repeat(SPAN_BYTES_MAX + 1);
        assert_eq!(rendered(&format!("**{long}**")), format!("<p>**{long}**</p>"));
    }
}
