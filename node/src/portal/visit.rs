//! One visit: who reads, which library, which members, at what time. Pages are made from this and nothing else.
//!
//! It lives for one answer, so that every part of a page speaks of the same moment.

use std::{borrow::Cow, collections::BTreeMap};

use maud::{Markup, html};
use wego_proto::{record::v1::LangText, v1};

use super::{
    Library, format, language,
    reader::{Reader, encoded},
    text,
    words::Words,
};

/// What pages are made from.
pub(super) struct Visit<'a> {
    /// Who reads.
    pub(super) reader: &'a Reader,
    /// Where everything shown comes from.
    pub(super) library: &'a dyn Library,
    /// This node's clock when the visit began.
    pub(super) now_ms: u64,
    /// The federation.
    pub(super) federation: &'a v1::ListMembersReply,
    /// Handle of this node's member.
    pub(super) own_handle: &'a str,
    members: BTreeMap<&'a str, &'a v1::MemberView>,
    /// Positions of the versions of the record that is shown, oldest first.
    versions: Vec<u64>,
}

impl<'a> Visit<'a> {
    pub(super) fn new(
        reader: &'a Reader,
        library: &'a dyn Library,
        federation: &'a v1::ListMembersReply,
        own_handle: &'a str,
    ) -> Self {
        let handle =
            |view: &'a v1::MemberView| view.member.as_ref().map(|member| (member.handle.as_str(), view));
        let members = federation.members.iter().filter_map(handle).collect();
        Self {
            reader,
            library,
            now_ms: library.now_ms(),
            federation,
            own_handle,
            members,
            versions: Vec::new(),
        }
    }

    /// Remembers the versions of the record that is shown.
    pub(super) fn learn(&mut self, history: &v1::HistoryReply) {
        let position = |version: &v1::Version| Some(version.provenance.as_ref()?.at.as_ref()?.seq);
        self.versions = history.versions.iter().filter_map(position).collect();
    }

    pub(super) fn words(&self) -> &'static Words {
        self.reader.words
    }

    /// A member by its handle.
    pub(super) fn member(&self, handle: &str) -> Option<&'a v1::MemberView> {
        self.members.get(handle).copied()
    }

    /// A member's name in the reader's language; its handle where the roster has none.
    pub(super) fn city(&self, handle: &str) -> LangText {
        let member = self.member(handle).and_then(|view| view.member.as_ref());
        let names: Vec<LangText> = member.map(names).unwrap_or_default();
        let fallback = || LangText { text: handle.to_owned(), ..LangText::default() };
        language::choose(&self.reader.wanted, &names).cloned().unwrap_or_else(fallback)
    }

    /// A member's name, leading to its page.
    pub(super) fn city_link(&self, handle: &str) -> Markup {
        html! { a href=(self.member_page(handle)) { (text::isolated(&self.city(handle))) } }
    }

    pub(super) fn member_page(&self, handle: &str) -> String {
        self.reader.link(&format!("/member/{}", encoded(handle)), &[])
    }

    pub(super) fn record_page(&self, id: &[u8]) -> String {
        self.reader.link(&format!("/record/{}", format::hex(id)), &[])
    }

    pub(super) fn search_page(&self, query: &str) -> String {
        self.reader.link("/", &[("q", query)])
    }

    /// How long ago, in words.
    pub(super) fn age(&self, then_ms: u64) -> String {
        format::age(self.words(), self.now_ms, then_ms)
    }

    pub(super) fn number(&self, value: u64) -> String {
        format::number(self.words(), value)
    }

    /// Whether a translation was made from a version that has been superseded since. The version that brought the
    /// translation is itself newer than its source; only one more after it makes the translation doubtful.
    pub(super) fn is_stale(&self, translated_from: u64) -> bool {
        translated_from != 0 && self.versions.iter().filter(|seq| **seq > translated_from).count() > 1
    }

    /// The text to show of several.
    pub(super) fn chosen<'t>(&self, texts: &'t [LangText]) -> Option<&'t LangText> {
        language::choose(&self.reader.wanted, texts)
    }

    /// A title to be linked: the chosen one with its language tag, or a word for none.
    pub(super) fn title(&self, texts: &[LangText]) -> Cow<'static, str> {
        match self.chosen(texts) {
            Some(title) => Cow::Owned(text::tamed(&title.text).into_owned()),
            None => Cow::Borrowed(self.words().untitled),
        }
    }

    /// Whether the copy of a member's log was confirmed current within the last hour. The own log always is.
    pub(super) fn is_fresh(&self, handle: &str, seen_ms: u64) -> bool {
        handle == self.own_handle
            || (seen_ms != 0 && self.now_ms.saturating_sub(seen_ms) <= super::limits::FRESH_MS)
    }
}

/// A member's names as texts.
pub(super) fn names(member: &v1::Member) -> Vec<LangText> {
    let text = |name: &v1::MemberName| LangText {
        lang: name.lang.clone(),
        text: name.text.clone(),
        ..LangText::default()
    };
    member.names.iter().map(text).collect()
}
