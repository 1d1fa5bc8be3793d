//! What surrounds every page: head, masthead, landmarks, languages, foot.
//!
//! It names no other site and asks the browser for nothing but the portal's own stylesheet and icon.

use axum::http::StatusCode;
use maud::{DOCTYPE, Markup, html};

use super::{
    assets,
    reader::Reader,
    text::{self, Foreign},
    visit::Visit,
    ways::Way,
    words,
};

/// What differs from page to page.
#[derive(Debug)]
pub(super) struct Page {
    title: String,
    body: Markup,
    here: Here,
    status: StatusCode,
}

/// Which link of the masthead leads here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Here {
    /// The start page, with its own large search box.
    Start,
    /// The list of members.
    Federation,
    /// How it works.
    About,
    /// Anywhere else.
    Elsewhere,
}

impl Page {
    /// A page that no link of the masthead leads to.
    pub(super) fn new(title: impl Into<String>, body: Markup) -> Self {
        Self { title: title.into(), body, here: Here::Elsewhere, status: StatusCode::OK }
    }

    /// The same page, marked in the masthead.
    pub(super) fn at(mut self, here: Here) -> Self {
        self.here = here;
        self
    }

    /// The same page of something that is gone, so that whoever linked or indexed it hears so.
    pub(super) fn gone(mut self) -> Self {
        self.status = StatusCode::GONE;
        self
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    /// The whole document. Without a visit, as for a refusal before the library was asked, it names no city.
    pub(super) fn document(&self, reader: &Reader, visit: Option<&Visit<'_>>) -> Markup {
        let words = reader.words;
        let federation = visit.map_or("wego", |visit| visit.federation.federation_name.as_str());
        html! {
            (DOCTYPE)
            html lang=(words.tag) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (Foreign(&self.title)) " · " (Foreign(federation)) }
                    link rel="stylesheet" href=(assets::STYLE.url());
                    link rel="icon" type="image/svg+xml" href=(assets::ICON.url());
                }
                body {
                    a.skip href="#content" { (words.skip) }
                    (masthead(reader, federation, self.here))
                    main #content tabindex="-1" { (self.body) }
                    (foot(reader, visit))
                }
            }
        }
    }
}

fn masthead(reader: &Reader, federation: &str, here: Here) -> Markup {
    let words = reader.words;
    let current = |there: Here| (there == here).then_some("page");
    html! {
        header.masthead {
            div.wide {
                a.brand href=(reader.link("/", &[])) aria-current=[current(Here::Start)] {
                    (mark()) span { (text::plain(federation)) }
                }
                nav aria-label=(words.federation) {
                    a href=(reader.link("/federation", &[])) aria-current=[current(Here::Federation)] { (words.federation) }
                    a href=(reader.link("/about", &[])) aria-current=[current(Here::About)] { (words.about) }
                }
            }
        }
    }
}

/// Nodes around nobody: the sign of the federation, also the icon.
fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false" {
            path d="M16 5 25.5 10.5v11L16 27 6.5 21.5v-11Z" {}
            @for (x, y) in [("16", "5"), ("25.5", "10.5"), ("25.5", "21.5"), ("16", "27"), ("6.5", "21.5"), ("6.5", "10.5")] {
                circle cx=(x) cy=(y) r="3" {}
            }
        }
    }
}

fn foot(reader: &Reader, visit: Option<&Visit<'_>>) -> Markup {
    let words = reader.words;
    let ways = reader.languages();
    let way = |other: &words::Words| {
        let way = Way { lang: Some(other.tag), is_current: other.tag == words.tag, ..Way::default() };
        ways.on(|| reader.in_language(other.tag), ("lang", other.tag), &way, &html! { (other.name) })
    };
    html! {
        footer.foot {
            div.wide {
                nav.languages aria-label=(words.language) {
                    ul {
                        @for other in words::ALL { li { (way(other)) } }
                    }
                    (ways.form())
                }
                div {
                    @if let Some(visit) = visit {
                        p { (words.served_by) " " (visit.city_link(visit.own_handle)) }
                    }
                    p { (words.served_how) }
                }
            }
        }
    }
}
