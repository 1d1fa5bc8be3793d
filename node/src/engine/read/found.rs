//! Answers of searches: hits with their texts from the store, facets with labels, coverage.

use wego_catalogue::{Searchable, vocabulary};
use wego_proto::{
    id::{Origin, RecordId},
    prost::Message as _,
    record::v1::{LangText, RecordKind},
    v1,
};

use super::{QueryProblem, ReadError, ReadHandle, erased};
use crate::clock::now_ms;
use crate::{
    engine::view::View,
    search::{self, Query},
};

impl ReadHandle {
    /// Finds records.
    ///
    /// # Errors
    /// [`ReadError::Query`], [`ReadError::Corrupt`] or [`ReadError::Store`].
    pub fn search(&self, request: &v1::SearchRequest) -> Result<v1::SearchReply, ReadError> {
        let view = self.view();
        let query = Query::parse(&request.query, &Named { view: &view, search: &self.inner.search });
        let query = query.map_err(text_problem)?;
        let page = search::Page::new(request.limit, request.offset)
            .map_err(|error| ReadError::Query(QueryProblem::Page(error)))?;
        let facets = if request.facets { search::Facets::Count } else { search::Facets::Skip };
        let found = self.inner.search.find(&query, page, facets)?;
        let lang = request.reader_lang.as_str();
        let mut hits = Vec::with_capacity(found.hits.len());
        for hit in &found.hits {
            match self.hit(&view, hit, lang) {
                Ok(hit) => hits.extend(hit),
                // One entry that cannot be read must not hide the others.
                Err(error @ ReadError::Corrupt { .. }) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "a hit was left out");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(v1::SearchReply {
            hits,
            total: found.total,
            facets: found
                .facets
                .into_iter()
                .map(|(field, values)| facet(&view, field, values, lang))
                .collect(),
            coverage: coverage(&view),
            also_searched: found
                .also_searched
                .iter()
                .map(|topic| topic_label(topic.scheme, topic.code, lang))
                .collect(),
            corrected: found.corrected.iter().map(ToString::to_string).collect(),
            behind: self.search_behind(),
        })
    }

    /// One hit with its texts, read and verified now; none if its author's log is frozen before it.
    fn hit(&self, view: &View, hit: &search::FoundHit, lang: &str) -> Result<Option<v1::Hit>, ReadError> {
        if !view.counts(hit.origin, hit.at) {
            return Ok(None);
        }
        let entry = self.verified(view, hit.origin, hit.at)?;
        // Of an erased record the index knows nothing but its id.
        let erased = match hit.kind {
            RecordKind::Unspecified => self.current(view, &hit.record_id)?,
            _ => None,
        };
        let erased_by = erased.as_ref().and_then(|row| erased::erased_by(view, row));
        let record = entry.payload().and_then(|payload| v1::Record::decode(payload.content.as_slice()).ok());
        let texts = record.as_ref().and_then(Searchable::of);
        let pick = |texts: &[&LangText]| best(texts, lang).cloned();
        let title = match &record {
            Some(v1::Record { kind: Some(v1::record::Kind::Adoption(adoption)) }) => {
                self.adoption_title(&adoption.target_id, lang)?
            }
            _ => texts.as_ref().and_then(|texts| pick(&texts.titles)),
        };
        Ok(Some(v1::Hit {
            record_id: hit.record_id.as_bytes().to_vec(),
            kind: erased.map_or(hit.kind, |row| row.kind) as i32,
            title,
            summary: texts.as_ref().and_then(|texts| pick(&texts.summaries)),
            provenance: Some(self.provenance(view, &entry)),
            score: hit.score,
            erased_by,
        }))
    }

    /// An adoption is called after what it adopts.
    fn adoption_title(&self, target: &str, lang: &str) -> Result<Option<LangText>, ReadError> {
        let Ok(target) = target.parse::<RecordId>() else { return Ok(None) };
        let Some(row) = self.inner.records.record(&target)? else { return Ok(None) };
        Ok(best(&row.titles.iter().collect::<Vec<_>>(), lang).cloned())
    }
}

/// The text in the reader's language, else in English, else the first.
fn best<'a>(texts: &[&'a LangText], lang: &str) -> Option<&'a LangText> {
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let in_lang =
        |wanted: &str| texts.iter().find(|text| !wanted.is_empty() && primary(&text.lang) == wanted).copied();
    in_lang(&primary(lang)).or_else(|| in_lang("en")).or_else(|| texts.first().copied())
}

/// Members by the roster, topics by the vocabulary and by what some record has.
struct Named<'a> {
    view: &'a View,
    search: &'a search::Search,
}

impl search::Names for Named<'_> {
    fn city(&self, name: &str) -> Option<Origin> {
        let is = |member: &&wego_proto::roster::Member| {
            member.handle.eq_ignore_ascii_case(name) || member.raw.place.eq_ignore_ascii_case(name)
        };
        self.view.roster.current().members().values().find(is).map(|member| member.origin)
    }

    fn has_topic(&self, value: &str) -> bool {
        // An index that cannot be asked must not make a query wrong.
        vocabulary::has_code(value) || self.search.has(search::Filter::Topic, value).unwrap_or(true)
    }
}

fn text_problem(error: search::QueryError) -> ReadError {
    ReadError::Query(QueryProblem::Text(error))
}

fn coverage(view: &View) -> Vec<v1::Coverage> {
    let mut coverage: Vec<_> = view
        .roster
        .current()
        .members()
        .values()
        .map(|member| v1::Coverage {
            handle: member.handle.clone(),
            seq: view.heads.get(&member.origin).map_or(0, |head| head.at.seq),
            seen_ms: view.seen_ms(member.origin, now_ms()),
        })
        .collect();
    coverage.sort_by(|one, other| one.handle.cmp(&other.handle));
    coverage
}

fn facet(view: &View, field: &str, values: Vec<(String, u64)>, lang: &str) -> v1::Facet {
    let value = |(value, count): (String, u64)| {
        let (value, label) = labelled(view, field, value, lang);
        v1::FacetValue { value, label, count }
    };
    v1::Facet { field: field.to_owned(), values: values.into_iter().map(value).collect() }
}

/// A facet's value as it is written in a filter, and as it is read.
fn labelled(view: &View, field: &str, value: String, lang: &str) -> (String, String) {
    match field {
        "city" => {
            let member = value.parse().ok().and_then(|origin| view.roster.member(Origin(origin)));
            let Some(member) = member else { return (value.clone(), value) };
            let names: Vec<_> = view.roster.names(member.origin).iter().map(super::lang_text).collect();
            let label = best(&names.iter().collect::<Vec<_>>(), lang)
                .map_or_else(String::new, |name| name.text.clone());
            (member.handle.clone(), label)
        }
        "topic" => {
            let (scheme, code) = value.split_once(':').unwrap_or(("", &value));
            let label = topic_label(scheme, code, lang);
            (value, label)
        }
        _ => (value.clone(), value),
    }
}

fn topic_label(scheme: &str, code: &str, lang: &str) -> String {
    let primary = lang.split('-').next().unwrap_or_default();
    let label = vocabulary::label(scheme, code, primary).or_else(|| vocabulary::label(scheme, code, "en"));
    label.unwrap_or(code).to_owned()
}
