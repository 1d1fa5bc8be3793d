//! Words one or two letters away from one that no record has.
//!
//! Tried only where the exact word finds nothing, never for codes, numbers or scripts without letters. Which words
//! are tried depends on the current records alone, not on what the index still holds of earlier ones.

use std::{collections::BTreeMap, fmt};

use tantivy::{
    Searcher, SegmentReader, Term,
    postings::SegmentPostings,
    query::FuzzyTermQuery,
    schema::{Field, IndexRecordOption},
};

use super::tokenizer::{Part, Word, parts};

/// Fewest letters of a word that may have one wrong.
const ONE_WRONG_FROM: usize = 5;
/// Fewest letters of a word that may have two wrong.
const TWO_WRONG_FROM: usize = 9;
/// Words tried in place of one: the most frequent.
pub(super) const NEAR_MAX: usize = 3;

/// A word that no record has, and what was tried in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrected {
    /// As typed.
    pub word: String,
    /// Without accents, the most frequent first.
    pub instead: Vec<String>,
}

impl fmt::Display for Corrected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}", self.word, self.instead.join(", "))
    }
}

/// Words near to `word`; none where a record has the word itself.
pub(super) fn near(word: &Word, fields: &[Field], searcher: &Searcher) -> tantivy::Result<Vec<String>> {
    let letters = word.plain.chars().count();
    if letters < ONE_WRONG_FROM {
        return Ok(Vec::new());
    }
    for form in word.forms() {
        for field in fields {
            if is_alive(&Term::from_field_text(*field, form), searcher)? {
                return Ok(Vec::new());
            }
        }
    }
    let distance_max = if letters < TWO_WRONG_FROM { 1 } else { 2 };
    for distance in 1..=distance_max {
        let found = within(distance, word, fields, searcher)?;
        if !found.is_empty() {
            return Ok(most_frequent(found));
        }
    }
    Ok(Vec::new())
}

fn is_alive(term: &Term, searcher: &Searcher) -> tantivy::Result<bool> {
    for segment in searcher.segment_readers() {
        let postings = segment.inverted_index(term.field())?.read_postings(term, IndexRecordOption::Basic)?;
        if postings.is_some_and(|postings| records(&postings, segment) > 0) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Words within `distance`, with the number of their finds in current records.
fn within(
    distance: u8,
    word: &Word,
    fields: &[Field],
    searcher: &Searcher,
) -> tantivy::Result<BTreeMap<String, u64>> {
    let mut found = BTreeMap::new();
    for field in fields {
        let term = Term::from_field_text(*field, &word.plain);
        let near = FuzzyTermQuery::new(term, distance, true);
        for segment in searcher.segment_readers() {
            let index = segment.inverted_index(*field)?;
            let mut stream = index.terms().search(near.automaton()?).into_stream()?;
            while stream.advance() {
                let postings = index.read_postings_from_terminfo(stream.value(), IndexRecordOption::Basic)?;
                let records = records(&postings, segment);
                let Ok(near) = std::str::from_utf8(stream.key()) else { continue };
                if records > 0 && is_plain_language(near) {
                    *found.entry(near.to_owned()).or_default() += records;
                }
            }
        }
    }
    Ok(found)
}

fn records(postings: &SegmentPostings, segment: &SegmentReader) -> u64 {
    segment
        .alive_bitset()
        .map_or_else(|| postings.doc_freq(), |alive| postings.doc_freq_given_deletes(alive))
        .into()
}

fn is_plain_language(term: &str) -> bool {
    matches!(parts(term).as_slice(), [Part::Word(word)] if word.is_plain_language())
}

fn most_frequent(found: BTreeMap<String, u64>) -> Vec<String> {
    let mut found: Vec<(String, u64)> = found.into_iter().collect();
    found.sort_by_key(|(_, records)| std::cmp::Reverse(*records));
    found.truncate(NEAR_MAX);
    found.into_iter().map(|(word, _)| word).collect()
}
