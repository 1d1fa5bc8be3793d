//! How the federation works and how to check it, in a minute's reading. It promises nothing that the code does not do.

use maud::html;

use crate::portal::{
    downloads::ROSTER_NAME,
    format,
    frame::{Here, Page},
    visit::Visit,
};

/// The page.
pub(in crate::portal) fn about(visit: &Visit<'_>) -> Page {
    let words = visit.words();
    let body = html! {
        article.reading-page {
            h1 { (words.about_title) }
            @for (heading, text) in words.about_sections {
                h2 { (heading) }
                p { (text) }
            }
            pre { code { "wego record verify wego-….pem --roster " (ROSTER_NAME) } }
            dl.facts {
                dt { (words.federation_id) }
                dd.hash { (format::hex(&visit.federation.federation_id)) }
            }
            p { a.button href="/roster.pem" download=(ROSTER_NAME) { (words.roster_file) } }
        }
    };
    Page::new(words.about_title, body).at(Here::About)
}
