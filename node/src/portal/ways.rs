//! Ways on from a page that repeat what was asked, each with one thing changed: other languages, filters, pages.
//!
//! The problem: a page with sixty links that each repeat a query of nine kilobytes is half a megabyte, for one request
//! of a stranger. The rule: while what is repeated is short, a way is a link; else it is a button of one form that
//! holds it once. A page must never repeat a long query for each of its ways.

use maud::{Markup, html};

use super::{limits::REPEATED_BYTES_MAX, reader::target};

/// Ways that keep the same parameters.
pub(super) struct Ways {
    id: &'static str,
    path: String,
    kept: Vec<(String, String)>,
    are_buttons: bool,
}

/// One way: its look, and what assistive software is told.
#[derive(Debug, Default)]
pub(super) struct Way<'a> {
    pub(super) class: &'static str,
    pub(super) title: Option<&'a str>,
    pub(super) lang: Option<&'a str>,
    pub(super) rel: Option<&'static str>,
    pub(super) is_current: bool,
}

impl Ways {
    /// Ways to `path`; `id` is of their form, and no other on the page has it.
    pub(super) fn new<'a>(
        id: &'static str,
        path: &str,
        kept: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) -> Self {
        let are_buttons = target(path, kept.clone()).len() > REPEATED_BYTES_MAX;
        let kept = kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { id, path: path.to_owned(), kept, are_buttons }
    }

    /// What the buttons belong to; nothing where there are none. It is not seen.
    pub(super) fn form(&self) -> Markup {
        html! {
            @if self.are_buttons {
                form id=(self.id) action=(self.path) method="get" {
                    @for (name, value) in &self.kept { input type="hidden" name=(name) value=(value); }
                }
            }
        }
    }

    /// A way on: where it leads as a link, or the parameter that its button adds.
    pub(super) fn on(
        &self,
        link: impl FnOnce() -> String,
        (name, value): (&str, &str),
        way: &Way<'_>,
        label: &Markup,
    ) -> Markup {
        let current = way.is_current.then_some("true");
        html! {
            @if self.are_buttons {
                button class=(format!("way {}", way.class).trim_end()) type="submit" form=(self.id) name=(name) value=(value)
                    title=[way.title] lang=[way.lang] aria-current=[current] { (label) }
            } @else {
                a class=[Some(way.class).filter(|class| !class.is_empty())] href=(link()) rel=[way.rel] title=[way.title]
                    lang=[way.lang] hreflang=[way.lang] aria-current=[current] { (label) }
            }
        }
    }
}
