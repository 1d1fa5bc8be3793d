//! Lists of records, a page at a time, newest first.
//!
//! A page token names the last row seen and not a number of rows, so it stays good while records arrive: what is
//! new or revised moves before it, and nothing that stays is passed over.

use data_encoding::BASE64URL_NOPAD;
use thiserror::Error;
use wego_proto::{
    id::{Hash, Origin},
    record::v1::RecordKind,
};

use super::{
    RecordRow, Records, State, corrupt, draft, failed,
    keys::{self, LIST_PLACE_BYTES, Scope},
};
use crate::store::StoreError;

/// Records on one page: with titles in all languages they still fit a message.
pub const LIST_PAGE_MAX: usize = 1_000;
/// Rows looked at for one page: a filter that hits nearly nothing answers short pages instead of a late one.
pub const LIST_SCAN_MAX: usize = 20_000;

/// Which records a list is of; everything by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only this kind.
    pub kind: Option<RecordKind>,
    /// Only this owner's.
    pub owner: Option<Origin>,
    /// Only imported from this source; needs `owner`, because two members may name a source alike.
    pub source_id: Option<String>,
    /// Whether records that no longer stand are listed too.
    pub withdrawn: Withdrawn,
}

/// What becomes of retracted and erased records in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Withdrawn {
    /// They are left out.
    #[default]
    Hidden,
    /// They are listed, marked.
    Shown,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Newest first; may be fewer than asked for, or none, although there are more.
    pub records: Vec<RecordRow>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
}

/// Why there is no list.
#[derive(Debug, Error)]
pub enum ListError {
    /// The token was not made here for this filter. The client starts again without one.
    #[error("page token does not belong to this list: start again without one")]
    PageToken,
    /// A source without its owner. The client names the owner.
    #[error("a source is listed with its owner: give the owner as well")]
    SourceWithoutOwner,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Records {
    /// Records that pass `filter`, at most `page_size` (itself at most [`LIST_PAGE_MAX`], at least 1), from the
    /// beginning or from where the page before ended.
    ///
    /// # Errors
    /// [`ListError`].
    pub fn list(&self, filter: &Filter, page_size: usize, token: Option<&str>) -> Result<Page, ListError> {
        let page_size = page_size.clamp(1, LIST_PAGE_MAX);
        let prefix = keys::list(filter.scope()?);
        let from = match token {
            None => prefix.clone(),
            // The first key after the one named.
            Some(token) => [&prefix[..], &filter.place(token)?, &[0]].concat(),
        };
        let mut records = Vec::new();
        let mut last = None;
        for (looked_at, row) in self.rows.range(from..draft::after(&prefix)).enumerate() {
            if records.len() == page_size || looked_at == LIST_SCAN_MAX {
                return Ok(Page { records, next: last.map(|place: Vec<u8>| filter.token(&place)) });
            }
            let (key, value) = row.map_err(failed)?;
            if filter.passes(&value)? {
                let id = keys::ends_in_record(&key).ok_or_else(corrupt)?;
                // What changed meanwhile is shown as it is now, or not at all.
                records.extend(self.record(&id)?.filter(|record| filter.suits(record)));
            }
            last = Some(key[prefix.len()..].to_vec());
        }
        Ok(Page { records, next: None })
    }
}

impl Filter {
    /// The narrowest list that holds everything asked for.
    fn scope(&self) -> Result<Scope, ListError> {
        Ok(match (self.owner, &self.source_id, self.kind) {
            (Some(owner), Some(source_id), _) => Scope::Source(owner, keys::source(source_id)),
            (None, Some(_), _) => return Err(ListError::SourceWithoutOwner),
            (Some(owner), None, _) => Scope::Origin(owner),
            (None, None, Some(kind)) => Scope::Kind(kind),
            (None, None, None) => Scope::All,
        })
    }

    /// Judges a list row, which holds whether the record stands, and its kind.
    fn passes(&self, row: &[u8]) -> Result<bool, StoreError> {
        let (stands, kind) = row.split_first().ok_or_else(corrupt)?;
        let wanted = self.kind.is_none_or(|wanted| kind == (wanted as u32).to_be_bytes().as_slice());
        Ok(wanted && (*stands == 1 || self.withdrawn == Withdrawn::Shown))
    }

    fn suits(&self, record: &RecordRow) -> bool {
        let shown = self.withdrawn == Withdrawn::Shown || record.state == State::Current;
        shown && self.owner.is_none_or(|owner| owner == record.owner)
    }

    /// A token for the place, bound to this filter.
    fn token(&self, place: &[u8]) -> String {
        BASE64URL_NOPAD.encode(&[&self.mark()[..], place].concat())
    }

    fn place(&self, token: &str) -> Result<[u8; LIST_PLACE_BYTES], ListError> {
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| ListError::PageToken)?;
        let place = bytes.strip_prefix(&self.mark()).ok_or(ListError::PageToken)?;
        place.try_into().map_err(|_| ListError::PageToken)
    }

    fn mark(&self) -> [u8; 8] {
        let kind = self.kind.map_or(0, |kind| kind as u32).to_be_bytes();
        let owner = self.owner.map_or(u64::MAX, |owner| u64::from(owner.0)).to_be_bytes();
        let withdrawn = [u8::from(self.withdrawn == Withdrawn::Shown)];
        let source = self.source_id.as_deref().unwrap_or_default();
        let hash = Hash::of(&[b"wego-list-v1", &kind, &owner, &withdrawn, source.as_bytes()]);
        let mut mark = [0; 8];
        mark.copy_from_slice(&hash.as_bytes()[..8]);
        mark
    }
}
