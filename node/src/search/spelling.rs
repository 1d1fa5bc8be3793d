//! Words one or two letters away from one that no record has, or hardly any: a slip of the pen may be published too.
//!
//! Never tried for codes, numbers or scripts without letters. Which words are tried depends on the current records
//! alone, not on what the index still holds of earlier ones.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use tantivy::{
    Searcher, SegmentReader, Term,
    postings::SegmentPostings,
    query::FuzzyTermQuery,
    schema::{Field, IndexRecordOption},
};

use super::{
    stems,
    tokenizer::{Part, Word, parts},
};

/// Fewest letters of a word that may have one wrong.
const ONE_WRONG_FROM: usize = 5;
/// Fewest letters of a word that may have two wrong.
const TWO_WRONG_FROM: usize = 9;
/// A word found in more places is no slip.
const SLIPS_MAX: u64 = 20;
/// Beside a word that some record has, another one is tried if it is found in so many times as many places.
const MORE_FREQUENT: u64 = 2;
/// Words tried in place of one: the most frequent.
pub(super) const NEAR_MAX: usize = 3;

/// A word that few records have or none, and what was tried beside it.
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

/// What there is near to a word.
#[derive(Debug, Default)]
pub(super) struct Near {
    /// Whether some record has the word itself, in whatever form.
    pub(super) known: bool,
    /// Other words, the most frequent first.
    pub(super) words: Vec<String>,
}

impl Near {
    /// Looks in `fields` for words, and in `stem_fields` for forms of them.
    pub(super) fn to(
        word: &Word,
        fields: &[Field],
        stem_fields: &[Field],
        searcher: &Searcher,
    ) -> tantivy::Result<Self> {
        let letters = word.plain.chars().count();
        if letters < ONE_WRONG_FROM {
            return Ok(Self::default());
        }
        let stems = stems::of_word(word);
        let exact = finds(fields, word.forms(), searcher)?;
        let finds = exact.max(finds(stem_fields, stems.iter().map(String::as_str), searcher)?);
        let known = finds > 0;
        if finds > SLIPS_MAX {
            return Ok(Self { known, words: Vec::new() });
        }
        let distance_max = if letters < TWO_WRONG_FROM || known { 1 } else { 2 };
        for distance in 1..=distance_max {
            let mut found = within(distance, word, fields, searcher)?;
            // Other forms are found by their stems, and a slip in the first letter is rarer than two like words.
            let begins = |near: &str| near.chars().next() == word.plain.chars().next();
            found.retain(|near, records| {
                !known || *records >= finds * MORE_FREQUENT && begins(near) && !is_form(near, &stems)
            });
            if !found.is_empty() {
                return Ok(Self { known, words: most_frequent(found) });
            }
        }
        Ok(Self { known, words: Vec::new() })
    }
}

/// In how many places current records have any of the terms.
pub(super) fn finds<'a>(
    fields: &[Field],
    terms: impl Iterator<Item = &'a str>,
    searcher: &Searcher,
) -> tantivy::Result<u64> {
    let mut finds = 0;
    for term in terms {
        for field in fields {
            let term = Term::from_field_text(*field, term);
            for segment in searcher.segment_readers() {
                let index = segment.inverted_index(*field)?;
                let postings = index.read_postings(&term, IndexRecordOption::Basic)?;
                finds += postings.map_or(0, |postings| records(&postings, segment));
            }
        }
    }
    Ok(finds)
}

fn is_form(near: &str, stems: &BTreeSet<String>) -> bool {
    matches!(parts(near).as_slice(), [Part::Word(near)] if !stems::of_word(near).is_disjoint(stems))
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
