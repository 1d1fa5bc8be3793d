//! What can be found and listed of a record, whatever its kind.
//!
//! It reads; it never validates: the records of other members come as their authors wrote them.

use wego_proto::{
    record::v1::{Adoption, Core, Dataset, Jurisdiction, LangText, Practice, RecordKind},
    v1::{self, record},
};

use crate::word;

/// A record as search and lists see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Searchable<'a> {
    /// Its kind.
    pub kind: RecordKind,
    /// Title in every language it was given in. None for an adoption.
    pub titles: Vec<&'a LangText>,
    /// Summaries.
    pub summaries: Vec<&'a LangText>,
    /// All longer texts, in the order in which a reader meets them.
    pub bodies: Vec<&'a LangText>,
    /// Keywords, themes as published, the organisation responsible, titles of files: words without a language.
    pub keywords: Vec<&'a str>,
    /// Scheme and code of each topic.
    pub topics: Vec<(&'a str, &'a str)>,
    /// Other names of the record: the publisher's identifier, ids elsewhere, the record it points at.
    pub identifiers: Vec<&'a str>,
    /// The licence of the text; of a dataset that of the data, and empty where it is not stated.
    pub licence: &'a str,
    /// Word for the stage of a practice or adoption, or the publication state of a dataset.
    pub stage: Option<&'static str>,
    /// Languages of its texts and of its data, each once, as written.
    pub languages: Vec<&'a str>,
    /// ISO 3166-1 alpha-2, or empty.
    pub country: &'a str,
    /// Place code, or empty.
    pub place: &'a str,
    /// The year it began: practice started, adopted since, dataset issued.
    pub years: Option<i32>,
}

impl<'a> Searchable<'a> {
    /// The view of a record; `None` when this version does not know its kind.
    #[must_use]
    pub fn of(record: &'a v1::Record) -> Option<Self> {
        let mut found = match record.kind.as_ref()? {
            record::Kind::Practice(practice) => Self::of_practice(practice),
            record::Kind::Adoption(adoption) => Self::of_adoption(adoption),
            record::Kind::Dataset(dataset) => Self::of_dataset(dataset),
        };
        found.collect_languages();
        Some(found)
    }

    fn of_practice(practice: &'a Practice) -> Self {
        let mut found = Self::empty(RecordKind::Practice);
        found.take_core(practice.core.as_ref());
        let texts = [
            &practice.problem,
            &practice.approach,
            &practice.results,
            &practice.what_failed,
            &practice.conditions,
            &practice.lessons,
        ];
        found.bodies.extend(texts.into_iter().flatten());
        found.bodies.extend(practice.headline.iter().flat_map(|metric| &metric.label));
        found.keywords.extend(nonempty(&practice.owner_organisation));
        found.stage = word::stage(practice.stage());
        found.years = (practice.started_year != 0).then_some(practice.started_year);
        found
    }

    fn of_adoption(adoption: &'a Adoption) -> Self {
        let mut found = Self::empty(RecordKind::Adoption);
        found.take_place(adoption.jurisdiction.as_ref());
        found
            .bodies
            .extend(adoption.changed.iter().chain(&adoption.reused).chain(&adoption.reason_withdrawn));
        found.identifiers.extend(nonempty(&adoption.target_id));
        found.stage = word::adoption_stage(adoption.stage());
        found.years = year_of(&adoption.since);
        found
    }

    fn of_dataset(dataset: &'a Dataset) -> Self {
        let mut found = Self::empty(RecordKind::Dataset);
        found.take_core(dataset.core.as_ref());
        found.identifiers.extend(nonempty(&dataset.identifier));
        found.keywords.extend(dataset.themes.iter().filter_map(|theme| nonempty(theme)));
        found.keywords.extend(nonempty(&dataset.publisher));
        found.keywords.extend(dataset.distributions.iter().filter_map(|file| nonempty(&file.title)));
        found.licence = data_licence(dataset).unwrap_or_default();
        found.stage = word::publication_state(dataset.state());
        found.languages.extend(dataset.languages.iter().filter_map(|lang| nonempty(lang)));
        found.years = year_of(&dataset.issued);
        found
    }

    const fn empty(kind: RecordKind) -> Self {
        Self {
            kind,
            titles: Vec::new(),
            summaries: Vec::new(),
            bodies: Vec::new(),
            keywords: Vec::new(),
            topics: Vec::new(),
            identifiers: Vec::new(),
            licence: "",
            stage: None,
            languages: Vec::new(),
            country: "",
            place: "",
            years: None,
        }
    }

    fn take_core(&mut self, core: Option<&'a Core>) {
        let Some(core) = core else { return };
        self.titles.extend(&core.title);
        self.summaries.extend(&core.summary);
        self.bodies.extend(&core.body);
        self.keywords.extend(core.keywords.iter().filter_map(|keyword| nonempty(keyword)));
        self.topics.extend(core.topics.iter().map(|topic| (topic.scheme.as_str(), topic.uri.as_str())));
        self.identifiers.extend(core.alt_ids.iter().filter_map(|id| nonempty(&id.value)));
        self.licence = &core.licence;
        self.take_place(core.jurisdiction.as_ref());
    }

    fn take_place(&mut self, jurisdiction: Option<&'a Jurisdiction>) {
        let Some(jurisdiction) = jurisdiction else { return };
        self.country = &jurisdiction.country;
        self.place = &jurisdiction.place;
    }

    fn collect_languages(&mut self) {
        let texts = self.titles.iter().chain(&self.summaries).chain(&self.bodies);
        let mut all: Vec<&'a str> = texts.filter_map(|text| nonempty(&text.lang)).collect();
        all.append(&mut self.languages);
        for lang in all {
            if !self.languages.contains(&lang) {
                self.languages.push(lang);
            }
        }
    }
}

/// Where an imported record was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    /// Stable name of the source.
    pub id: &'a str,
    /// SHA-256 of the source record, hex.
    pub hash: &'a str,
}

impl<'a> Source<'a> {
    /// The source of a record; `None` for one that was not imported.
    #[must_use]
    pub fn of(record: &'a v1::Record) -> Option<Self> {
        let provenance = core_of(record)?.provenance.as_ref()?;
        let id = nonempty(&provenance.source_id)?;
        Some(Self { id, hash: &provenance.source_hash })
    }
}

/// The publisher's own identifier of a dataset; empty for other kinds.
#[must_use]
pub fn dataset_identifier(record: &v1::Record) -> &str {
    match record.kind.as_ref() {
        Some(record::Kind::Dataset(dataset)) => &dataset.identifier,
        _ => "",
    }
}

/// The licence of a dataset's data: its own, or the one that all its files name. Never that of its texts.
#[must_use]
pub fn data_licence(dataset: &Dataset) -> Option<&str> {
    let of_files = || {
        let first = dataset.distributions.first()?.licence.as_str();
        dataset.distributions.iter().all(|file| file.licence == first).then_some(first)
    };
    nonempty(&dataset.dataset_licence).or_else(|| of_files().and_then(nonempty))
}

fn core_of(record: &v1::Record) -> Option<&Core> {
    match record.kind.as_ref()? {
        record::Kind::Practice(practice) => practice.core.as_ref(),
        record::Kind::Dataset(dataset) => dataset.core.as_ref(),
        record::Kind::Adoption(_) => None,
    }
}

fn nonempty(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// The year a date begins with, whatever follows it.
fn year_of(date: &str) -> Option<i32> {
    let digits = date.get(..4).filter(|year| year.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use wego_proto::record::v1::{Concept, Distribution, Provenance};

    use super::*;

    fn text(lang: &str) -> LangText {
        LangText { lang: lang.to_owned(), ..Default::default() }
    }

    #[test]
    fn a_dataset_is_found_by_its_publisher_files_and_identifier_and_by_the_licence_of_the_data() {
        let dataset = Dataset {
            core: Some(Core {
                title: vec![text("en"), text("ko")],
                topics: vec![Concept { scheme: "eu-data-theme".to_owned(), uri: "TRAN".to_owned() }],
                licence: "CC0-1.0".to_owned(),
                provenance: Some(Provenance { source_id: "portal".to_owned(), ..Default::default() }),
                ..Default::default()
            }),
            identifier: "bus-stops".to_owned(),
            publisher: "City".to_owned(),
            dataset_licence: "ODbL-1.0".to_owned(),
            languages: vec!["ko".to_owned(), "fr".to_owned()],
            issued: "2011-03-04T00:00:00Z".to_owned(),
            ..Default::default()
        };
        let record = v1::Record { kind: Some(record::Kind::Dataset(dataset)) };
        let found = Searchable::of(&record).unwrap();
        assert_eq!(found.languages, ["en", "ko", "fr"]);
        assert_eq!((found.licence, found.years), ("ODbL-1.0", Some(2011)));
        assert_eq!((found.identifiers, found.keywords), (vec!["bus-stops"], vec!["City"]));
        assert_eq!(found.topics, [("eu-data-theme", "TRAN")]);
        assert_eq!(dataset_identifier(&record), "bus-stops");
        assert_eq!(Source::of(&record), Some(Source { id: "portal", hash: "" }));
    }

    #[test]
    fn a_dataset_without_a_licence_is_not_found_under_that_of_its_text() {
        let core = Core { licence: "CC0-1.0".to_owned(), ..Default::default() };
        let licence_of = |files: &[&str]| {
            let file = |licence: &&str| Distribution { licence: (*licence).to_owned(), ..Default::default() };
            let distributions = files.iter().map(file).collect();
            let dataset = Dataset { core: Some(core.clone()), distributions, ..Default::default() };
            let record = v1::Record { kind: Some(record::Kind::Dataset(dataset)) };
            Searchable::of(&record).unwrap().licence.to_owned()
        };
        for none in [&[][..], &[""], &["MIT", ""], &["MIT", "ODbL-1.0"]] {
            assert_eq!(licence_of(none), "", "{none:?}");
        }
        assert_eq!(licence_of(&["MIT", "MIT"]), "MIT");
    }

    #[test]
    fn an_adoption_is_found_by_the_practice_it_names_and_has_no_title() {
        let adoption = Adoption {
            target_id: "0a".repeat(16),
            stage: 4,
            since: "20".to_owned(),
            changed: vec![text("fr")],
            ..Default::default()
        };
        let record = v1::Record { kind: Some(record::Kind::Adoption(adoption)) };
        let found = Searchable::of(&record).unwrap();
        assert_eq!((found.identifiers, found.stage), (vec!["0a".repeat(16).as_str()], Some("live")));
        assert_eq!((found.titles.len(), found.years, found.languages), (0, None, vec!["fr"]));
        assert_eq!(Searchable::of(&v1::Record { kind: None }), None);
    }
}
