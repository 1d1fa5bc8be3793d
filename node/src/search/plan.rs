//! From what was asked to what is looked up: fields, points, topics named in any language, misspelt words.
//!
//! It looks only at words of records that are current, so that every node with the same records looks up the same.

use tantivy::{
    Searcher, Term,
    query::{BooleanQuery, ConstScoreQuery, DisjunctionMaxQuery, EmptyQuery, Occur, PhraseQuery, TermQuery},
    schema::{Field, IndexRecordOption},
};

use super::{
    concepts::{self, Topic},
    query::{Query, Text},
    schema::{Fields, topic},
    score::{
        self, ADJACENT_IN_TITLE, BODY, IDENTIFIER, KEYWORD, NEAR, NEAR_IN_TITLE, OTHER_FORM,
        OTHER_FORM_IN_TITLE, SUMMARY, TITLE, TOPIC, WHOLE_TITLE, WordQuery,
    },
    spelling::{Corrected, Near},
    stems,
    tokenizer::{Part, Word, parts, whole},
};

type Lookup = Box<dyn tantivy::query::Query>;

/// What will be looked up.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) lookup: Lookup,
    pub(super) also_searched: Vec<Topic>,
    pub(super) corrected: Vec<Corrected>,
}

impl Plan {
    /// The plan for `query` over the records that `searcher` sees.
    pub(super) fn of(query: &Query, fields: &Fields, searcher: &Searcher) -> tantivy::Result<Self> {
        let mut planner = Planner { fields, searcher, clauses: Vec::new(), corrected: Vec::new() };
        let asked: Vec<Asked<'_>> =
            query.texts.iter().map(Asked::of).filter(|asked| !asked.parts.is_empty()).collect();
        if asked.is_empty() && !query.texts.is_empty() {
            let lookup = Box::new(EmptyQuery);
            return Ok(Self { lookup, also_searched: Vec::new(), corrected: Vec::new() });
        }
        let also_searched = planner.texts(&asked)?;
        planner.filters(query);
        planner.exclusions(query);
        planner.whole_query(&asked);
        let lookup = Box::new(BooleanQuery::new(planner.clauses));
        Ok(Self { lookup, also_searched, corrected: planner.corrected })
    }
}

/// A word or phrase and its parts.
struct Asked<'a> {
    text: &'a Text,
    parts: Vec<Part>,
}

impl<'a> Asked<'a> {
    fn of(text: &'a Text) -> Self {
        Self { text, parts: parts(&text.text) }
    }

    /// The word, where it is one that has other forms and may be misspelt.
    fn plain_word(&self) -> Option<&Word> {
        match self.parts.as_slice() {
            [Part::Word(word)] if !self.text.quoted && word.is_plain_language() => Some(word),
            _ => None,
        }
    }
}

struct Planner<'a> {
    fields: &'a Fields,
    searcher: &'a Searcher,
    clauses: Vec<(Occur, Lookup)>,
    corrected: Vec<Corrected>,
}

impl Planner<'_> {
    /// Every word and phrase must be found, or the topic that a run of words names.
    fn texts(&mut self, asked: &[Asked<'_>]) -> tantivy::Result<Vec<Topic>> {
        let bare: Vec<Option<&str>> =
            asked.iter().map(|asked| (!asked.text.quoted).then_some(asked.text.text.as_str())).collect();
        let mut also_searched = Vec::new();
        for run in concepts::runs(&bare) {
            let words = &asked[run.words];
            if run.topics.is_empty() {
                for word in words {
                    let lookup = self.word_or_near(word)?;
                    self.clauses.push((Occur::Must, lookup));
                }
                continue;
            }
            let literal = words.iter().map(|word| (Occur::Must, self.word(word)));
            let literal: Lookup = Box::new(BooleanQuery::new(literal.collect()));
            let points = TOPIC * points_of(words.len());
            let topics = run.topics.iter().map(|named| self.topic(named, points));
            self.clauses.push((Occur::Must, any([literal].into_iter().chain(topics).collect())));
            also_searched.extend(run.topics);
        }
        Ok(also_searched)
    }

    fn filters(&mut self, query: &Query) {
        for terms in query.filters.values() {
            let terms = terms.iter().map(|term| constant(self.exact(self.fields.filter, term), 0)).collect();
            self.clauses.push((Occur::Must, any(terms)));
        }
        if self.clauses.is_empty() {
            let all = TermQuery::new(self.fields.shown_term(), IndexRecordOption::Basic);
            self.clauses.push((Occur::Must, constant(Box::new(all), 0)));
        }
    }

    fn exclusions(&mut self, query: &Query) {
        for text in &query.excluded {
            let parts = parts(&text.text);
            if !parts.is_empty() {
                self.clauses.push((Occur::MustNot, self.text(&parts, &text.text)));
            }
        }
        for term in &query.excluded_filters {
            self.clauses.push((Occur::MustNot, self.exact(self.fields.filter, term)));
        }
    }

    /// More points where the title is what was asked, or has it in one piece.
    fn whole_query(&mut self, asked: &[Asked<'_>]) {
        let parts: Vec<Part> = asked.iter().flat_map(|asked| asked.parts.iter().cloned()).collect();
        if parts.is_empty() {
            return;
        }
        let titles = whole(&parts).into_iter();
        let titles =
            titles.map(|title| constant(self.exact(self.fields.title_whole, &title), WHOLE_TITLE)).collect();
        self.clauses.push((Occur::Should, any(titles)));
        let adjacent: Vec<Lookup> = phrases(&parts)
            .iter()
            .filter_map(|terms| phrase(self.fields.title, terms))
            .map(|phrase| constant(Box::new(phrase), ADJACENT_IN_TITLE))
            .collect();
        if !adjacent.is_empty() {
            self.clauses.push((Occur::Should, any(adjacent)));
        }
    }

    fn word_or_near(&mut self, asked: &Asked<'_>) -> tantivy::Result<Lookup> {
        let mut lookups = vec![self.word(asked)];
        let Some(word) = asked.plain_word() else { return Ok(any(lookups)) };
        let near = Near::to(word, &self.text_fields(), &self.stem_fields(), self.searcher)?;
        if near.words.is_empty() {
            return Ok(any(lookups));
        }
        for (field, points) in self.tiers() {
            lookups.extend(near.words.iter().map(|word| match near.known {
                false => found(field, word, points / 2),
                true if field == self.fields.title => constant(self.exact(field, word), NEAR_IN_TITLE),
                true => constant(self.exact(field, word), NEAR),
            }));
        }
        self.corrected.push(Corrected { word: asked.text.text.clone(), instead: near.words });
        Ok(any(lookups))
    }

    /// A word or phrase as it was typed, and the other forms of a word.
    fn word(&self, asked: &Asked<'_>) -> Lookup {
        let mut lookups = vec![self.text(&asked.parts, &asked.text.text)];
        for stem in asked.plain_word().map(stems::of_word).unwrap_or_default() {
            lookups.push(constant(self.exact(self.fields.title_stem, &stem), OTHER_FORM_IN_TITLE));
            lookups.push(constant(self.exact(self.fields.text_stem, &stem), OTHER_FORM));
        }
        any(lookups)
    }

    /// A word or phrase in any field, or as an identifier.
    fn text(&self, parts: &[Part], typed: &str) -> Lookup {
        let typed = typed.trim();
        let mut lookups = vec![
            constant(self.exact(self.fields.identifier, typed), IDENTIFIER),
            constant(self.exact(self.fields.identifier, &typed.to_lowercase()), IDENTIFIER),
        ];
        for (field, points) in self.tiers() {
            for terms in phrases(parts) {
                lookups.push(match (phrase(field, &terms), terms.first()) {
                    (Some(phrase), _) => constant(Box::new(phrase), points * points_of(parts.len())),
                    (None, Some((_, term))) => found(field, term, points),
                    (None, None) => continue,
                });
            }
            lookups.extend(in_one_word(parts).map(|word| found(field, word, points)));
        }
        any(lookups)
    }

    fn topic(&self, named: &Topic, points: u32) -> Lookup {
        let term = super::query::Filter::Topic.term(&topic(named.scheme, named.code));
        constant(self.exact(self.fields.filter, &term), points)
    }

    fn exact(&self, field: Field, value: &str) -> Lookup {
        Box::new(TermQuery::new(Term::from_field_text(field, value), IndexRecordOption::Basic))
    }

    fn tiers(&self) -> [(Field, u32); 4] {
        let fields = self.fields;
        [(fields.title, TITLE), (fields.keyword, KEYWORD), (fields.summary, SUMMARY), (fields.body, BODY)]
    }

    fn text_fields(&self) -> [Field; 4] {
        self.tiers().map(|(field, _)| field)
    }

    fn stem_fields(&self) -> [Field; 2] {
        [self.fields.title_stem, self.fields.text_stem]
    }
}

/// The terms of `parts` with their positions, once for each way of spelling umlauts.
fn phrases(parts: &[Part]) -> Vec<Vec<(usize, String)>> {
    let plain = terms(parts, |word| &word.plain);
    let digraph = terms(parts, |word| word.digraph.as_ref().unwrap_or(&word.plain));
    if plain == digraph { vec![plain] } else { vec![plain, digraph] }
}

fn terms(parts: &[Part], form: impl Fn(&Word) -> &String) -> Vec<(usize, String)> {
    let mut terms = Vec::new();
    let mut position = 0;
    for part in parts {
        match part {
            Part::Word(word) => terms.push((position, form(word).clone())),
            Part::Run(chars) if chars.len() == 1 || is_spaced_at_will(part) => {
                terms.extend(chars.iter().enumerate().map(|(at, c)| (position + at, c.to_string())));
            }
            Part::Run(chars) => {
                let pairs = chars.windows(2).enumerate();
                terms.extend(pairs.map(|(at, pair)| (position + at, pair.iter().collect())));
            }
        }
        position += part.width();
    }
    terms
}

/// Korean of more than a word's two syllables is asked for syllable by syllable, because a pair would not span the
/// space that another writer puts there. Two syllables in a row are too often parts of two words.
fn is_spaced_at_will(part: &Part) -> bool {
    part.is_hangul() && part.width() > 2
}

/// A phrase, where there are several terms.
fn phrase(field: Field, terms: &[(usize, String)]) -> Option<PhraseQuery> {
    let terms = terms.iter().map(|(at, term)| (*at, Term::from_field_text(field, term)));
    (terms.len() > 1).then(|| PhraseQuery::new_with_offset(terms.collect()))
}

/// The hyphenated word that `parts` are, written in one.
fn in_one_word(parts: &[Part]) -> Option<&str> {
    let Some(Part::Word(Word { joined: Some(joined), .. })) = parts.first() else { return None };
    let width: usize =
        parts.iter().map(|part| if let Part::Word(word) = part { word.plain.len() } else { 0 }).sum();
    (joined.len() == width).then_some(joined)
}

fn found(field: Field, term: &str, points: u32) -> Lookup {
    Box::new(WordQuery { term: Term::from_field_text(field, term), points })
}

fn constant(lookup: Lookup, points: u32) -> Lookup {
    Box::new(ConstScoreQuery::new(lookup, score::score(points)))
}

/// The best of several finds counts.
fn any(mut lookups: Vec<Lookup>) -> Lookup {
    match lookups.len() {
        1 => lookups.remove(0),
        _ => Box::new(DisjunctionMaxQuery::new(lookups)),
    }
}

fn points_of(words: usize) -> u32 {
    u32::try_from(words).unwrap_or(u32::MAX).min(super::query::CLAUSES_MAX as u32)
}
