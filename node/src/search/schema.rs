//! How a record lies in the index: its fields, and the document made of one version.
//!
//! Nothing is stored for reading back: a hit names the record and its version, and the store has the rest. A
//! change here must raise [`SCHEMA_VERSION`], or old indexes would be read by new rules.

use tantivy::{
    TantivyDocument, Term,
    schema::{
        BytesOptions, Field, IndexRecordOption, NumericOptions, Schema, SchemaBuilder, TextFieldIndexing,
        TextOptions,
    },
};
use wego_catalogue::{Searchable, kind};
use wego_proto::{
    id::{Origin, Position, RecordId},
    record::v1::LangText,
};

use super::{query::Filter, stems, tokenizer};

/// Raised with every change of the fields, the tokenizer or the terms: an index of another version is rebuilt.
pub(super) const SCHEMA_VERSION: u32 = 2;
/// The name under which the tokenizer is registered.
pub(super) const TOKENIZER: &str = "wego";
/// Longest identifier in characters that is indexed whole; a longer one is still found by its parts.
pub(super) const IDENTIFIER_CHARS_MAX: usize = 500;

/// Longest value of a facet in characters; a longer one is a text, and no filter finds it.
pub(super) const FACET_VALUE_CHARS_MAX: usize = 200;

/// Names of the columns that answers are made of.
pub(super) mod column {
    pub(in crate::search) const ID_HIGH: &str = "id_high";
    pub(in crate::search) const ID_LOW: &str = "id_low";
    pub(in crate::search) const ORIGIN: &str = "origin";
    pub(in crate::search) const EPOCH: &str = "epoch";
    pub(in crate::search) const SEQ: &str = "seq";
    pub(in crate::search) const KIND: &str = "kind";
}

/// Facets whose values are texts, each in a column of its own.
pub(super) const TEXT_FACETS: [Filter; 5] =
    [Filter::Country, Filter::Topic, Filter::Lang, Filter::Licence, Filter::Stage];

/// What a document stands for: a record of one owner. Another member that uses the same id has its own document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) record_id: RecordId,
    pub(super) origin: Origin,
}

/// The fields of the schema.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub(super) key: Field,
    shown: Field,
    pub(super) origin: Field,
    pub(super) title: Field,
    pub(super) keyword: Field,
    pub(super) summary: Field,
    pub(super) body: Field,
    pub(super) title_whole: Field,
    pub(super) title_stem: Field,
    pub(super) text_stem: Field,
    pub(super) identifier: Field,
    pub(super) filter: Field,
    id_high: Field,
    id_low: Field,
    epoch: Field,
    seq: Field,
    kind: Field,
    facets: [Field; TEXT_FACETS.len()],
}

impl Fields {
    /// The schema and its fields.
    pub(super) fn schema() -> (Schema, Self) {
        let mut schema = Schema::builder();
        let number = NumericOptions::default().set_fast();
        let fields = Self {
            key: schema.add_bytes_field("key", BytesOptions::default().set_indexed()),
            shown: schema.add_u64_field("shown", NumericOptions::default().set_indexed()),
            origin: schema.add_u64_field(column::ORIGIN, number.clone().set_indexed()),
            title: words(&mut schema, "title"),
            keyword: words(&mut schema, "keyword"),
            summary: words(&mut schema, "summary"),
            body: words(&mut schema, "body"),
            title_whole: exact(&mut schema, "title_whole"),
            title_stem: exact(&mut schema, "title_stem"),
            text_stem: exact(&mut schema, "text_stem"),
            identifier: exact(&mut schema, "identifier"),
            filter: exact(&mut schema, "filter"),
            id_high: schema.add_u64_field(column::ID_HIGH, number.clone()),
            id_low: schema.add_u64_field(column::ID_LOW, number.clone()),
            epoch: schema.add_u64_field(column::EPOCH, number.clone()),
            seq: schema.add_u64_field(column::SEQ, number.clone()),
            kind: schema.add_u64_field(column::KIND, number),
            facets: TEXT_FACETS
                .map(|facet| schema.add_text_field(facet.name(), TextOptions::default().set_fast("raw"))),
        };
        (schema.build(), fields)
    }

    /// The term of the document of `key`.
    pub(super) fn key_term(&self, key: &Key) -> Term {
        Term::from_field_bytes(self.key, &key_bytes(key))
    }

    /// The term that all records have and no withdrawn one.
    pub(super) fn shown_term(&self) -> Term {
        Term::from_field_u64(self.shown, 1)
    }

    /// The document of a version that cannot be found but still bars older ones from coming back.
    pub(super) fn hidden(&self, key: &Key, at: Position) -> TantivyDocument {
        self.numbers(key, at, 0)
    }

    /// The document of a version whose content was erased: found by the record's own id and by nothing else.
    pub(super) fn erased(&self, key: &Key, at: Position) -> TantivyDocument {
        let mut doc = self.hidden(key, at);
        doc.add_text(self.identifier, key.record_id.to_string());
        doc
    }

    /// The document of a version.
    pub(super) fn document(&self, key: &Key, at: Position, found: &Searchable<'_>) -> TantivyDocument {
        let mut doc = self.numbers(key, at, kind::number(found.kind).into());
        doc.add_u64(self.shown, 1);
        add_texts(&mut doc, self.title, &found.titles);
        add_texts(&mut doc, self.summary, &found.summaries);
        add_texts(&mut doc, self.body, &found.bodies);
        for keyword in &found.keywords {
            doc.add_text(self.keyword, keyword);
        }
        let wholes = found.titles.iter().flat_map(|title| tokenizer::whole(&tokenizer::parts(&title.text)));
        distinct(wholes).iter().for_each(|whole| doc.add_text(self.title_whole, whole));
        self.add_stems(&mut doc, found);
        self.add_identifiers(&mut doc, key, found);
        self.add_filters(&mut doc, key, found);
        doc
    }

    fn numbers(&self, key: &Key, at: Position, kind: u64) -> TantivyDocument {
        let mut doc = TantivyDocument::default();
        let id = u128::from_be_bytes(*key.record_id.as_bytes());
        doc.add_bytes(self.key, &key_bytes(key));
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of the id")]
        let (high, low) = ((id >> 64) as u64, id as u64);
        doc.add_u64(self.id_high, high);
        doc.add_u64(self.id_low, low);
        doc.add_u64(self.origin, key.origin.0.into());
        doc.add_u64(self.epoch, at.epoch.into());
        doc.add_u64(self.seq, at.seq);
        doc.add_u64(self.kind, kind);
        doc
    }

    /// Keywords declare no language, so they are read in those of the record.
    fn add_stems(&self, doc: &mut TantivyDocument, found: &Searchable<'_>) {
        let stems = |text: &&LangText| stems::of_text(&text.lang, &text.text);
        distinct(found.titles.iter().flat_map(stems))
            .iter()
            .for_each(|stem| doc.add_text(self.title_stem, stem));
        let texts = found.summaries.iter().chain(&found.bodies).flat_map(stems);
        let keywords = found.keywords.join(" ");
        let keywords = found.languages.iter().flat_map(|lang| stems::of_text(lang, &keywords));
        distinct(texts.chain(keywords)).iter().for_each(|stem| doc.add_text(self.text_stem, stem));
    }

    /// Identifiers as they are and in lower case. Their words are found too, but with fewer points.
    fn add_identifiers(&self, doc: &mut TantivyDocument, key: &Key, found: &Searchable<'_>) {
        let own = key.record_id.to_string();
        let whole = found.identifiers.iter().copied().chain([found.place, own.as_str()]);
        let whole = whole.map(str::trim).filter(|id| id.chars().count() <= IDENTIFIER_CHARS_MAX);
        let forms = whole.filter(|id| !id.is_empty()).flat_map(|id| [id.to_owned(), id.to_lowercase()]);
        distinct(forms).iter().for_each(|id| doc.add_text(self.identifier, id));
        for identifier in &found.identifiers {
            doc.add_text(self.body, identifier);
        }
    }

    fn add_filters(&self, doc: &mut TantivyDocument, key: &Key, found: &Searchable<'_>) {
        let mut terms =
            vec![Filter::City.term(&key.origin.to_string()), Filter::Kind.term(kind::word(found.kind))];
        for (facet, field) in TEXT_FACETS.into_iter().zip(self.facets) {
            let values =
                distinct(facet_values(facet, found).into_iter().map(|value| value.trim().to_owned()));
            for value in
                values.iter().filter(|value| (1..=FACET_VALUE_CHARS_MAX).contains(&value.chars().count()))
            {
                doc.add_text(field, value);
                terms.push(facet.term(value));
            }
        }
        terms.extend(found.topics.iter().map(|(_, code)| Filter::Topic.term(code)));
        distinct(terms.into_iter()).iter().for_each(|term| doc.add_text(self.filter, term));
    }
}

/// The values of a record by which a facet counts and a filter finds it.
fn facet_values(facet: Filter, found: &Searchable<'_>) -> Vec<String> {
    match facet {
        Filter::Country => vec![found.country.to_uppercase()],
        Filter::Topic => found.topics.iter().map(|(scheme, code)| topic(scheme, code)).collect(),
        Filter::Lang => found.languages.iter().flat_map(|lang| lang_and_primary(lang)).collect(),
        Filter::Licence => vec![found.licence.to_owned()],
        Filter::Stage => found.stage.map(str::to_owned).into_iter().collect(),
        Filter::City | Filter::Kind => Vec::new(),
    }
}

/// A topic as facets and filters name it.
pub(super) fn topic(scheme: &str, code: &str) -> String {
    format!("{scheme}:{code}")
}

/// `pt-br` is also Portuguese.
fn lang_and_primary(lang: &str) -> Vec<String> {
    let lang = lang.to_lowercase();
    let primary = lang.split('-').next().unwrap_or_default().to_owned();
    if primary == lang { vec![lang] } else { vec![primary, lang] }
}

fn words(schema: &mut SchemaBuilder, name: &str) -> Field {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(TOKENIZER)
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    schema.add_text_field(name, TextOptions::default().set_indexing_options(indexing))
}

fn exact(schema: &mut SchemaBuilder, name: &str) -> Field {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_fieldnorms(false)
        .set_index_option(IndexRecordOption::Basic);
    schema.add_text_field(name, TextOptions::default().set_indexing_options(indexing))
}

fn add_texts(doc: &mut TantivyDocument, field: Field, texts: &[&LangText]) {
    for text in texts {
        doc.add_text(field, &text.text);
    }
}

fn distinct(values: impl Iterator<Item = String>) -> std::collections::BTreeSet<String> {
    values.collect()
}

fn key_bytes(key: &Key) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes[..16].copy_from_slice(key.record_id.as_bytes());
    bytes[16..].copy_from_slice(&key.origin.0.to_be_bytes());
    bytes
}
