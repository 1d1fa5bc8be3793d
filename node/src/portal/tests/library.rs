//! The library over the fixture's records: a search by plain comparison. It stands for the node's verified copy
//! and must not be cleverer than it.

use std::collections::BTreeMap;

use wego_catalogue::{Searchable, kind};
use wego_proto::{
    id::RecordId,
    record::v1::{LangText, RecordKind},
    v1::{self, record::Kind},
};

use super::fixture::{Fixture, Held, NOW_MS, Trouble};
use crate::portal::{Library, LibraryError};

impl Fixture {
    fn trouble(&self) -> Result<(), LibraryError> {
        match self.trouble {
            None => Ok(()),
            Some(Trouble::Unavailable) => Err(LibraryError::Unavailable),
            Some(Trouble::Panics) => panic!("a bug in the library"),
        }
    }

    fn newest_first(&self) -> Vec<&Held> {
        let mut held: Vec<&Held> = self.records.values().collect();
        held.sort_by_key(|held| std::cmp::Reverse(held.provenance().dated().ms));
        held
    }

    fn adoptions_of(&self, id: &RecordId) -> Vec<v1::AdoptionView> {
        let adopts = |held: &&Held| matches!(held.kind(), Some(Kind::Adoption(adoption)) if adoption.target_id == id.to_string());
        let view = |held: &Held| {
            let Some(Kind::Adoption(adoption)) = held.kind() else { unreachable!("filtered") };
            let owner = &self.records[id].provenance().handle;
            let uncounted = match &held.provenance().handle == owner {
                true => v1::Uncounted::OwnRecord,
                false => v1::Uncounted::Unspecified,
            };
            v1::AdoptionView {
                record_id: held.view.record_id.clone(),
                handle: held.provenance().handle.clone(),
                stage: adoption.stage,
                since: adoption.since.clone(),
                reason_withdrawn: adoption.reason_withdrawn.clone(),
                uncounted: uncounted as i32,
                member_status: v1::MemberStatus::Active as i32,
            }
        };
        self.records.values().filter(adopts).map(view).collect()
    }
}

impl Held {
    pub(super) fn provenance(&self) -> &v1::Provenance {
        self.view.provenance.as_ref().unwrap()
    }

    fn kind(&self) -> Option<&Kind> {
        self.view.record.as_ref()?.kind.as_ref()
    }

    fn record_kind(&self) -> RecordKind {
        self.view.record.as_ref().and_then(kind::kind_of).unwrap_or_default()
    }

    fn texts(&self) -> (&[LangText], &[LangText]) {
        let core = match self.kind() {
            Some(Kind::Practice(practice)) => practice.core.as_ref(),
            Some(Kind::Dataset(dataset)) => dataset.core.as_ref(),
            _ => None,
        };
        core.map_or((&[], &[]), |core| (&core.title, &core.summary))
    }

    /// What filters compare: field and value.
    fn values(&self) -> Vec<(&'static str, String)> {
        let mut values = vec![
            ("kind", kind::word(self.record_kind()).to_owned()),
            ("city", self.provenance().handle.clone()),
            ("country", self.provenance().handle[..2].to_uppercase()),
        ];
        if let Some(searchable) = self.view.record.as_ref().and_then(Searchable::of) {
            values.extend(searchable.topics.iter().map(|(_, code)| ("topic", (*code).to_owned())));
            values.extend(searchable.stage.map(|word| ("stage", word.to_owned())));
        }
        values.extend(self.texts().0.iter().map(|title| ("lang", title.lang.clone())));
        values
    }

    fn matches(&self, query: &str) -> bool {
        let all = format!("{:?}", self.view.record).to_lowercase();
        query.split_whitespace().all(|word| match word.split_once(':') {
            Some((field, value)) => {
                self.values().iter().any(|(known, found)| *known == field && found == value)
            }
            None => all.contains(&word.to_lowercase()),
        })
    }
}

impl Library for Fixture {
    fn search(&self, request: v1::SearchRequest) -> Result<v1::SearchReply, LibraryError> {
        self.trouble()?;
        if !request.query.matches('"').count().is_multiple_of(2) {
            return Err(LibraryError::BadQuery("at character 1: this phrase is not finished <b>".into()));
        }
        let found = self
            .newest_first()
            .into_iter()
            .filter(|held| !held.view.retracted && held.matches(&request.query));
        let found: Vec<&Held> = found.collect();
        let wanted = [request.reader_lang.clone()];
        let choose = |texts: &[LangText]| crate::portal::language::choose(&wanted, texts).cloned();
        let hit = |held: &&Held| v1::Hit {
            record_id: held.view.record_id.clone(),
            kind: held.record_kind().into(),
            title: choose(held.texts().0),
            summary: choose(held.texts().1),
            provenance: held.view.provenance.clone(),
            score: 1.0,
            erased_by: held.view.erased_by.clone(),
        };
        let coverage = |city: &v1::MemberView| v1::Coverage {
            handle: city.member.as_ref().unwrap().handle.clone(),
            seq: city.head.as_ref().map_or(0, |head| head.seq),
            seen_ms: city.seen_ms,
        };
        let is = |word: &str| request.query.contains(word);
        Ok(v1::SearchReply {
            total: found.len() as u64,
            facets: if request.facets { facets(&found) } else { Vec::new() },
            hits: found.iter().skip(request.offset as usize).take(request.limit as usize).map(hit).collect(),
            coverage: self.federation.members.iter().map(coverage).collect(),
            also_searched: if is("open") { vec!["Open data".to_owned()] } else { Vec::new() },
            corrected: if is("goverment") { vec!["government".to_owned()] } else { Vec::new() },
            behind: if is("behind") { 12 } else { 0 },
        })
    }

    fn record(&self, id: &RecordId) -> Result<Option<v1::RecordView>, LibraryError> {
        self.trouble()?;
        let Some(held) = self.records.get(id) else { return Ok(None) };
        Ok(Some(v1::RecordView { adoptions: self.adoptions_of(id), ..held.view.clone() }))
    }

    fn history(&self, id: &RecordId) -> Result<Option<v1::HistoryReply>, LibraryError> {
        self.trouble()?;
        Ok(self.records.get(id).map(|held| v1::HistoryReply { versions: held.versions.clone() }))
    }

    fn list(&self, request: v1::ListRequest) -> Result<v1::ListReply, LibraryError> {
        self.trouble()?;
        let is_asked = |held: &&Held| {
            (request.kind == 0 || held.record_kind() == request.kind())
                && (request.handle.is_empty() || held.provenance().handle == request.handle)
                && (request.retracted || !held.view.retracted)
        };
        let summary = |held: &Held| v1::RecordSummary {
            record_id: held.view.record_id.clone(),
            kind: held.record_kind().into(),
            title: held.texts().0.to_vec(),
            handle: held.provenance().handle.clone(),
            at: held.provenance().at,
            signed_at_ms: held.provenance().signed_at_ms,
            received_at_ms: held.provenance().received_at_ms,
            retracted: held.view.retracted,
            erased_by: held.view.erased_by.clone(),
            ..v1::RecordSummary::default()
        };
        let from: usize = request.page_token.parse().unwrap_or(0);
        let all: Vec<v1::RecordSummary> =
            self.newest_first().into_iter().filter(is_asked).map(summary).collect();
        let until = (from + request.page_size as usize).min(all.len());
        let next_page_token = if until < all.len() { until.to_string() } else { String::new() };
        Ok(v1::ListReply { records: all[from.min(until)..until].to_vec(), next_page_token })
    }

    fn export(&self, id: &RecordId) -> Result<Option<v1::RecordProof>, LibraryError> {
        self.trouble()?;
        Ok(self.records.get(id).filter(|held| held.view.record.is_some()).map(|held| held.proof.clone()))
    }

    fn members(&self) -> v1::ListMembersReply {
        self.federation.clone()
    }

    fn roster_chain(&self) -> v1::RosterChain {
        self.chain.clone()
    }

    fn now_ms(&self) -> u64 {
        NOW_MS
    }

    fn own_handle(&self) -> String {
        self.own_handle.clone()
    }
}

fn facets(found: &[&Held]) -> Vec<v1::Facet> {
    let mut counts: BTreeMap<&str, BTreeMap<String, u64>> = BTreeMap::new();
    for (field, value) in found.iter().flat_map(|held| held.values()) {
        *counts.entry(field).or_default().entry(value).or_default() += 1;
    }
    let facet = |(field, values): (&str, BTreeMap<String, u64>)| {
        let mut values: Vec<v1::FacetValue> = values
            .into_iter()
            .map(|(value, count)| v1::FacetValue { label: value.clone(), value, count })
            .collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.count));
        v1::Facet { field: field.to_owned(), values }
    };
    counts.into_iter().map(facet).collect()
}
