//! Lists of facts: a name and a value each, with the empty ones left out.
//!
//! A fact that was not told is not shown as zero, unknown or a dash.

use maud::{Markup, html};

use crate::portal::text;

/// A list of facts being written.
#[derive(Debug, Default)]
pub(super) struct Facts(Vec<(&'static str, Markup)>);

impl Facts {
    /// Adds a fact, unless it is empty.
    pub(super) fn add(&mut self, name: &'static str, value: Markup) {
        if !value.0.is_empty() {
            self.0.push((name, value));
        }
    }

    /// Adds a text of unknown language, unless it is empty.
    pub(super) fn text(&mut self, name: &'static str, value: &str) {
        if !value.trim().is_empty() {
            self.0.push((name, text::plain(value.trim())));
        }
    }

    /// Adds one of our own words, if there is one.
    pub(super) fn word(&mut self, name: &'static str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.0.push((name, html! { (value.as_ref()) }));
        }
    }

    /// Adds an address, as a link where it may be one.
    pub(super) fn address(&mut self, name: &'static str, url: &str) {
        if !url.trim().is_empty() {
            self.0.push((name, text::outward(url.trim(), text::plain(url.trim()))));
        }
    }

    /// Adds a number, unless it is zero.
    pub(super) fn number(&mut self, name: &'static str, value: u64, written: impl FnOnce(u64) -> String) {
        if value != 0 {
            self.0.push((name, html! { (written(value)) }));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn list(&self) -> Markup {
        html! { dl.facts { @for (name, value) in &self.0 { div { dt { (name) } dd { (value) } } } } }
    }
}

/// Values one below the other.
pub(super) fn stacked(values: impl IntoIterator<Item = Markup>) -> Markup {
    let values: Vec<Markup> = values.into_iter().collect();
    html! { @if !values.is_empty() { ul.plain { @for value in values { li { (value) } } } } }
}
