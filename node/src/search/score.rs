//! How many points a find is worth.
//!
//! The problem: textbook scores weigh a word by how rare it is among the documents of an index, deleted ones
//! included, so two nodes with the same records but another history would rank them differently. The rule: points
//! depend on the record and the query alone, are whole numbers, and stay so small that sums of them are exact
//! whatever their order. Nothing here may look at statistics of the index.

use tantivy::{
    DocId, DocSet, Score, SegmentReader, TantivyError, Term,
    fieldnorm::FieldNormReader,
    postings::{Postings as _, SegmentPostings},
    query::{EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight},
    schema::IndexRecordOption,
};

/// A word or phrase that is one of the record's identifiers.
pub(super) const IDENTIFIER: u32 = 10_000;
/// The query is the whole title.
pub(super) const WHOLE_TITLE: u32 = 5_000;
/// The words of the query follow one another in the title.
pub(super) const ADJACENT_IN_TITLE: u32 = 200;
/// A word in the title.
pub(super) const TITLE: u32 = 100;
/// A word among the keywords.
pub(super) const KEYWORD: u32 = 60;
/// A word in a summary.
pub(super) const SUMMARY: u32 = 40;
/// A topic that the query names, in place of its words.
pub(super) const TOPIC: u32 = 25;
/// A word in a longer text.
pub(super) const BODY: u32 = 10;
/// Another form of a word in the title. Less than the word itself is worth anywhere: what was typed comes first.
pub(super) const OTHER_FORM_IN_TITLE: u32 = 9;
/// Another form of a word elsewhere.
pub(super) const OTHER_FORM: u32 = 7;
/// A word near to one that some record has, in the title.
pub(super) const NEAR_IN_TITLE: u32 = 5;
/// The same elsewhere.
pub(super) const NEAR: u32 = 3;
/// Most that a word gains by being a large part of its field: less than the distance between two kinds of find.
const CLOSENESS_MAX: u32 = 9;

/// Points as a score; exact below 2^24.
#[expect(clippy::cast_precision_loss, reason = "sums of points stay far below 2^24")]
pub(super) const fn score(points: u32) -> Score {
    points as Score
}

/// More for a word that makes up more of its field: 0 to [`CLOSENESS_MAX`].
fn closeness(frequency: u32, field_words: u32) -> u32 {
    let share = u64::from(frequency) * 64 / (u64::from(field_words) + 16);
    u32::try_from(share).unwrap_or(CLOSENESS_MAX).min(CLOSENESS_MAX)
}

/// Finds one term, for `points` and up to [`CLOSENESS_MAX`] more.
#[derive(Debug, Clone)]
pub(super) struct WordQuery {
    pub(super) term: Term,
    pub(super) points: u32,
}

impl Query for WordQuery {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }

    fn query_terms<'a>(&'a self, visitor: &mut dyn FnMut(&'a Term, bool)) {
        visitor(&self.term, false);
    }
}

impl Weight for WordQuery {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let field = self.term.field();
        let postings =
            reader.inverted_index(field)?.read_postings(&self.term, IndexRecordOption::WithFreqs)?;
        let Some(postings) = postings else { return Ok(Box::new(EmptyScorer)) };
        let lengths = reader.get_fieldnorms_reader(field)?;
        Ok(Box::new(WordScorer { postings, lengths, points: self.points, boost }))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        let mut scorer = self.scorer(reader, 1.0)?;
        if scorer.doc() > doc || scorer.seek(doc) != doc {
            return Err(TantivyError::InvalidArgument("the document does not match".to_owned()));
        }
        Ok(Explanation::new("points of a word", scorer.score()))
    }
}

struct WordScorer {
    postings: SegmentPostings,
    lengths: FieldNormReader,
    points: u32,
    boost: Score,
}

impl DocSet for WordScorer {
    fn advance(&mut self) -> DocId {
        self.postings.advance()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.postings.seek(target)
    }

    fn doc(&self) -> DocId {
        self.postings.doc()
    }

    fn size_hint(&self) -> u32 {
        self.postings.size_hint()
    }
}

impl Scorer for WordScorer {
    fn score(&mut self) -> Score {
        let field_words = self.lengths.fieldnorm(self.postings.doc());
        score(self.points + closeness(self.postings.term_freq(), field_words)) * self.boost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::query::CLAUSES_MAX;

    #[test]
    fn a_better_kind_of_find_outweighs_any_closeness() {
        let ladder = [BODY, TOPIC, SUMMARY, KEYWORD, TITLE];
        assert!(ladder.windows(2).all(|pair| pair[0] + CLOSENESS_MAX < pair[1]));
        assert!(
            [NEAR, NEAR_IN_TITLE, OTHER_FORM, OTHER_FORM_IN_TITLE, BODY]
                .is_sorted_by(|less, more| less < more)
        );
        assert_eq!(closeness(u32::MAX, 1), CLOSENESS_MAX);
        assert!(closeness(1, 3) > closeness(1, 30));
    }

    #[test]
    fn sums_of_the_largest_query_are_exact() {
        let clauses = u32::try_from(CLAUSES_MAX).unwrap();
        let most = clauses * (IDENTIFIER + TITLE + CLOSENESS_MAX) + WHOLE_TITLE + ADJACENT_IN_TITLE;
        assert!(most < 1 << 24);
    }
}
