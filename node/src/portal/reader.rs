//! Who is reading: their languages and where they are, taken from the request and nothing else.
//!
//! A language chosen by `?lang=` is carried in every link, because there is no cookie to carry it.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, Query},
    http::{HeaderMap, Uri, header::ACCEPT_LANGUAGE, request::Parts},
};

use super::{
    language,
    limits::{LANGUAGES_WANTED_MAX, PATH_BYTES_MAX, QUERY_CHARS_MAX},
    ways::Ways,
    words::{self, Words},
};

/// The parameters that pages know, but for the language.
const PARAMETERS: [&str; 6] = ["q", "narrow", "without", "page", "kind", "after"];

/// One reader's request, as far as pages need to know it.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    /// The pages' own words, in the best language they have.
    pub(super) words: &'static Words,
    /// Languages the reader wants to read in, best first; never empty.
    pub(super) wanted: Vec<String>,
    /// What `?lang=` said.
    chosen: Option<String>,
    path: String,
    parameters: Vec<(String, String)>,
}

impl Reader {
    /// Reads the request's target and `Accept-Language`.
    pub(super) fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let parameters =
            Query::<Vec<(String, String)>>::try_from_uri(uri).map(|query| query.0).unwrap_or_default();
        let parameters: Vec<_> = parameters.into_iter().map(|(name, value)| (name, cut(value))).collect();
        let chosen = parameters
            .iter()
            .find(|(name, value)| name == "lang" && language::is_tag(value))
            .map(|(_, value)| value.clone());
        let header = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let accepted = language::accepted(header, LANGUAGES_WANTED_MAX);
        let mut wanted: Vec<String> = chosen.iter().cloned().chain(accepted).collect();
        let words = words::for_reader(&wanted);
        if wanted.is_empty() {
            wanted.push(words.tag.to_owned());
        }
        // A link to "//elsewhere" would leave the portal.
        let path = format!("/{}", uri.path().trim_start_matches(['/', '\\']));
        let path = if path.len() > PATH_BYTES_MAX { "/".to_owned() } else { path };
        Self { words, wanted, chosen, path, parameters }
    }

    /// The value of a parameter, trimmed; `None` when it is absent or empty.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// The language the reader chose by hand, to be kept in forms.
    pub(super) fn chosen(&self) -> Option<&str> {
        self.chosen.as_deref()
    }

    /// A link within the portal that keeps the chosen language. `path` is ours and needs no encoding.
    pub(super) fn link(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let language = self.chosen.iter().map(|lang| ("lang", lang.as_str()));
        target(path, parameters.iter().copied().chain(language))
    }

    /// This page in another language.
    pub(super) fn in_language(&self, tag: &str) -> String {
        target(&self.path, self.asked().chain([("lang", tag)]))
    }

    /// The ways to this page in other languages.
    pub(super) fn languages(&self) -> Ways {
        Ways::new("languages", &self.path, self.asked())
    }

    /// The ways on from the results of a query; they keep the chosen language.
    pub(super) fn ways_on(&self, query: &str) -> Ways {
        let language = self.chosen.iter().map(|lang| ("lang", lang.as_str()));
        Ways::new("query", "/", [("q", query)].into_iter().chain(language))
    }

    /// What was asked, but for the language: each parameter that a page knows, once.
    fn asked(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        PARAMETERS.iter().filter_map(|name| Some((*name, self.parameter(name)?)))
    }
}

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.uri, &parts.headers))
    }
}

/// One character more than any parameter may have: it is refused all the same, and the page that says so stays small.
fn cut(value: String) -> String {
    match value.char_indices().nth(QUERY_CHARS_MAX + 1) {
        Some((end, _)) => value[..end].to_owned(),
        None => value,
    }
}

pub(super) fn target<'a>(path: &str, parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut target = path.to_owned();
    for (at, (name, value)) in parameters.enumerate() {
        target.push(if at == 0 { '?' } else { '&' });
        target.push_str(&encoded(name));
        target.push('=');
        target.push_str(&encoded(value));
    }
    target
}

/// Percent-encoding of everything but RFC 3986's unreserved characters, which is right in a path and in a query.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(b"0123456789ABCDEF"[usize::from(byte >> 4)]));
            out.push(char::from(b"0123456789ABCDEF"[usize::from(byte & 15)]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(target: &str, accept: &str) -> Reader {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, accept.parse().unwrap());
        Reader::of(&target.parse().unwrap(), &headers)
    }

    #[test]
    fn a_chosen_language_wins_and_stays_in_links() {
        let chosen = reader("/?q=%EB%AC%BC&lang=fr", "de");
        assert_eq!(chosen.words.tag, "fr");
        assert_eq!(chosen.link("/about", &[]), "/about?lang=fr");
        assert_eq!(chosen.in_language("ko"), "/?q=%EB%AC%BC&lang=ko");
        assert_eq!(reader("/about", "de").link("/about", &[]), "/about");
    }

    #[test]
    fn a_language_the_pages_lack_still_chooses_texts() {
        let reader = reader("/?lang=ca", "es;q=0.9");
        assert_eq!(reader.words.tag, "es");
        assert_eq!(reader.wanted, ["ca", "es"]);
    }

    #[test]
    fn no_path_makes_a_link_that_leaves_the_portal() {
        assert_eq!(reader("//elsewhere.example/x", "").in_language("ko"), "/elsewhere.example/x?lang=ko");
        assert_eq!(reader("/\\elsewhere.example", "").in_language("ko"), "/elsewhere.example?lang=ko");
    }

    #[test]
    fn an_ill_formed_language_is_ignored() {
        let reader = reader("/?lang=%22%3E%3Cscript%3E", "");
        assert_eq!(reader.words.tag, "en");
        assert_eq!(reader.link("/", &[]), "/");
    }
}
