//! Which version of each record the last commit holds.

use std::sync::Arc;

use tantivy::{
    DocId, DocSet as _, InvertedIndexReader, Searcher, SegmentReader, TERMINATED, Term,
    columnar::ColumnValues, schema::IndexRecordOption,
};
use wego_proto::id::{Origin, Position};

use super::schema::{Fields, Key, column};

/// A view of one commit; later commits do not show in it.
pub(super) struct Held {
    fields: Fields,
    segments: Vec<Segment>,
}

struct Segment {
    reader: SegmentReader,
    keys: Arc<InvertedIndexReader>,
    epoch: Arc<dyn ColumnValues<u64>>,
    seq: Arc<dyn ColumnValues<u64>>,
}

impl Held {
    pub(super) fn of(searcher: &Searcher, fields: Fields) -> tantivy::Result<Self> {
        let open = |reader: &SegmentReader| {
            Ok(Segment {
                keys: reader.inverted_index(fields.key)?,
                epoch: reader.fast_fields().column_first_or_default(column::EPOCH)?,
                seq: reader.fast_fields().column_first_or_default(column::SEQ)?,
                reader: reader.clone(),
            })
        };
        let segments = searcher.segment_readers().iter().map(open).collect::<tantivy::Result<_>>()?;
        Ok(Self { fields, segments })
    }

    /// The version held of a record, hidden ones included.
    pub(super) fn position_of(&self, key: &Key) -> tantivy::Result<Option<Position>> {
        let term = self.fields.key_term(key);
        for segment in &self.segments {
            if let Some(at) = segment.positions(&segment.keys, &term)?.pop() {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// The versions held of all records of one owner, hidden ones included.
    pub(super) fn positions_of(&self, origin: Origin) -> tantivy::Result<Vec<Position>> {
        let term = Term::from_field_u64(self.fields.origin, origin.0.into());
        let mut found = Vec::new();
        for segment in &self.segments {
            let origins = segment.reader.inverted_index(self.fields.origin)?;
            found.extend(segment.positions(&origins, &term)?);
        }
        Ok(found)
    }
}

impl Segment {
    fn positions(&self, index: &InvertedIndexReader, term: &Term) -> tantivy::Result<Vec<Position>> {
        let Some(mut postings) = index.read_postings(term, IndexRecordOption::Basic)? else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        let mut doc = postings.doc();
        while doc != TERMINATED {
            if !self.reader.is_deleted(doc) {
                found.push(self.position(doc));
            }
            doc = postings.advance();
        }
        Ok(found)
    }

    fn position(&self, doc: DocId) -> Position {
        let epoch = u32::try_from(self.epoch.get_val(doc)).unwrap_or(u32::MAX);
        Position { epoch, seq: self.seq.get_val(doc) }
    }
}
