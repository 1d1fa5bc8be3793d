//! Texts written elsewhere, made safe to show: escaped, isolated, in their language, with a visible tag.
//!
//! Every word of a record goes through here or through [`super::markdown`]. Nothing here may produce markup from
//! what it is given, and no link may have another scheme than http and https.

use std::borrow::Cow;

use maud::{Markup, Render, html};
use wego_proto::record::v1::{LangText, TextOrigin};

use super::{language, markdown, visit::Visit, words::filled};

/// Foreign text: escaped like any other, and without the characters that reorder or break what stands around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Foreign<'a>(pub(super) &'a str);

impl Render for Foreign<'_> {
    fn render_to(&self, out: &mut String) {
        tamed(self.0).as_ref().render_to(out);
    }
}

/// `text` with control characters and direction overrides shown as such instead of obeyed. Line breaks stay.
pub(super) fn tamed(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_wild) {
        Cow::Owned(text.chars().map(|c| if is_wild(c) { char::REPLACEMENT_CHARACTER } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn is_wild(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A short text in its language, isolated from the direction of what surrounds it.
pub(super) fn isolated(text: &LangText) -> Markup {
    html! { bdi lang=(attribute(&text.lang)) { (Foreign(&text.text)) } }
}

/// A short text of which the language is not known: names of files, handles, identifiers.
pub(super) fn plain(text: &str) -> Markup {
    html! { bdi { (Foreign(text)) } }
}

/// The language as a small visible tag; nothing where the reader expects that language anyway.
pub(super) fn tag(visit: &Visit<'_>, lang: &str) -> Markup {
    html! {
        @if !language::is_same(lang, visit.words().tag) {
            span.tag lang=(attribute(lang)) { (language::endonym(attribute(lang))) }
        }
    }
}

/// `lang` where it may stand in an attribute; the empty tag says that the language is unknown.
pub(super) fn attribute(lang: &str) -> &str {
    if language::is_tag(lang) { lang } else { "" }
}

/// How a longer text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Paragraphs and line breaks.
    Plain,
    /// The safe part of Markdown.
    Markdown,
}

/// A longer text in all its languages: the reader's first, the others to be opened.
pub(super) fn in_all_languages(visit: &Visit<'_>, texts: &[LangText], form: Form) -> Markup {
    let Some(first) = language::choose(&visit.reader.wanted, texts) else {
        return Markup::default();
    };
    let others = texts.iter().filter(|text| !std::ptr::eq(*text, first));
    html! {
        (version(visit, first, form, Tagged::WhenForeign))
        @for text in others {
            details.translation {
                summary {
                    (visit.words().also_in) " "
                    span.tag lang=(attribute(&text.lang)) { (language::endonym(attribute(&text.lang))) }
                }
                (version(visit, text, form, Tagged::Never))
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tagged {
    WhenForeign,
    Never,
}

fn version(visit: &Visit<'_>, text: &LangText, form: Form, tagged: Tagged) -> Markup {
    let lang = attribute(&text.lang);
    html! {
        div.prose lang=(lang) dir=[language::direction(lang)] {
            @match form {
                Form::Plain => (paragraphs(&text.text)),
                Form::Markdown => (markdown::render(&text.text)),
            }
        }
        @let tag = if tagged == Tagged::WhenForeign { tag(visit, &text.lang) } else { Markup::default() };
        @let note = note(visit, text);
        @if !note.0.is_empty() || !tag.0.is_empty() { p.notes { (tag) " " (note) } }
    }
}

/// Who translated from what, in small; nothing for an original.
fn note(visit: &Visit<'_>, text: &LangText) -> Markup {
    let parts = translation_note(visit, text);
    html! { @if !parts.is_empty() { span.note { (parts.join(", ")) } } }
}

/// That a machine translated a title: what a reader should know at a glance.
pub(super) fn machine_note(visit: &Visit<'_>, text: &LangText) -> Markup {
    html! { @if text.origin() == TextOrigin::Machine { span.note { (visit.words().translated_by_machine) } } }
}

fn translation_note(visit: &Visit<'_>, text: &LangText) -> Vec<String> {
    let words = visit.words();
    let how = match text.origin() {
        TextOrigin::Human => words.translated_by_person,
        TextOrigin::Machine => words.translated_by_machine,
        TextOrigin::Original | TextOrigin::Unspecified => return Vec::new(),
    };
    let mut note = vec![how.to_owned()];
    if language::is_tag(&text.source_lang) {
        note.push(filled(words.translated_from, &[("lang", language::endonym(&text.source_lang))]));
    }
    if !text.translator_city.is_empty() {
        let city = visit.city(&text.translator_city);
        note.push(filled(words.translated_for, &[("city", &tamed(&city.text))]));
    }
    if visit.is_stale(text.translated_from_version) {
        note.push(words.translation_stale.to_owned());
    }
    note
}

/// Paragraphs at empty lines, breaks at line ends, nothing else.
pub(super) fn paragraphs(text: &str) -> Markup {
    let text = text.replace("\r\n", "\n");
    let blocks = text.split("\n\n").map(str::trim).filter(|block| !block.is_empty());
    html! {
        @for block in blocks {
            p { @for (at, line) in block.lines().enumerate() { @if at > 0 { br; } (Foreign(line)) } }
        }
    }
}

/// A link out of the portal, if `url` is an ordinary web address; its text alone if not.
pub(super) fn outward(url: &str, label: Markup) -> Markup {
    html! {
        @if is_web_address(url) {
            a.outward href=(url) rel="nofollow noopener" { (label) }
        } @else {
            (label)
        }
    }
}

/// Whether `url` may be a link: http or https with a host, and no character that a browser would drop from it or
/// that would show another address than the one it leads to.
pub(super) fn is_web_address(url: &str) -> bool {
    let lower: String = url.chars().take("https://".len()).collect::<String>().to_ascii_lowercase();
    let rest =
        ["http://", "https://"].iter().find_map(|scheme| lower.starts_with(scheme).then_some(scheme.len()));
    let Some(start) = rest else { return false };
    let starts_with_host = url[start..].chars().next().is_some_and(|c| c.is_alphanumeric() || c == '[');
    starts_with_host && !url.chars().any(|c| c.is_whitespace() || is_wild(c) || c.is_control() || c == '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ordinary_web_addresses_become_links() {
        for good in
            ["https://data.seoul.go.kr/a?b=c&d=e", "HTTP://EXAMPLE.ORG", "https://서울.kr/", "http://[::1]/"]
        {
            assert!(is_web_address(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "data:text/html,<script>",
            "vbscript:x",
            "//example.org",
            "/local",
            "https://",
            "https:///path",
            "https:\\\\example.org",
            "java\nscript:alert(1)",
            " https://example.org",
            "https://exam\u{202e}gro.elp",
            "https://example.org/\u{0}",
            "ftp://example.org",
            "mailto:a@example.org",
        ] {
            assert!(!is_web_address(bad), "{bad:?}");
            assert!(!outward(bad, html! { "x" }).0.contains("href"), "{bad:?}");
        }
    }

    #[test]
    fn overrides_and_controls_are_shown_not_obeyed() {
        assert_eq!(tamed("a\u{202e}b\u{1b}[31m\n"), "a\u{fffd}b\u{fffd}[31m\n");
        assert!(matches!(tamed("서울 São Paulo العربية"), Cow::Borrowed(_)));
    }

    #[test]
    fn text_is_escaped_in_elements_and_attributes() {
        let text = LangText {
            lang: "\"><script>".to_owned(),
            text: "<script>&\"'".to_owned(),
            ..LangText::default()
        };
        assert_eq!(isolated(&text).0, "<bdi lang=\"\">&lt;script&gt;&amp;&quot;'</bdi>");
    }

    #[test]
    fn empty_lines_make_paragraphs_and_line_ends_make_breaks() {
        assert_eq!(paragraphs("a\r\nb\n\n\n<i>c").0, "<p>a<br>b</p><p>&lt;i&gt;c</p>");
    }
}
