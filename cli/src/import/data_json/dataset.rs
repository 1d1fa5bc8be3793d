//! One source record to one dataset.
//!
//! What the source says wrongly is reported, what has no place in a record is counted, and what it says about
//! persons is named and left behind.

use prost::Message as _;
use serde_json::{Map, Value};
use wego_proto::{
    entry::PAYLOAD_BYTES_MAX,
    record::v1::{Core, Dataset, LangText, Provenance, PublicationState},
};

use super::{
    Catalogue, IMPORTER, Standard,
    clean::{Cleaner, cut},
    contact, field, lang, mark, texts, theme, url,
};
use crate::{
    import::{Finding, Item, Reading, Settings},
    output,
};

/// Bounds of a record's fields, in characters.
const TITLE_CHARS_MAX: usize = 300;
const SUMMARY_CHARS_MAX: usize = 1_000;
const TEXT_CHARS_MAX: usize = 65_536;
pub(super) const LINE_CHARS_MAX: usize = 500;
const KEYWORD_CHARS_MAX: usize = 200;
pub(super) const PUBLISHED_CHARS_MAX: usize = 4_000;
pub(super) const DESCRIPTION_CHARS_MAX: usize = TEXT_CHARS_MAX;
/// Bounds of a record's lists.
const KEYWORDS_MAX: usize = 50;
const THEMES_MAX: usize = 50;
const LANGUAGES_MAX: usize = 50;
/// Bytes of a payload left free for what is added on the way.
const PAYLOAD_SPARE_BYTES: usize = 4_096;
/// Columns of a title in a place.
const PLACE_COLUMNS: usize = 60;
/// Fields of a record that are kept, or say nothing of the data.
const KEPT: [&str; 34] = [
    "@type",
    "@id",
    "@context",
    "title",
    "description",
    "identifier",
    "otherIdentifier",
    "keyword",
    "theme",
    "superTheme",
    "modified",
    "issued",
    "publisher",
    "contactPoint",
    "mbox",
    "accessLevel",
    "accessRights",
    "license",
    "rights",
    "spatial",
    "temporal",
    "language",
    "accrualPeriodicity",
    "describedBy",
    "landingPage",
    "url",
    "distribution",
    "accessURL",
    "downloadURL",
    "webService",
    "format",
    "mediaType",
    "isPartOf",
    "state",
];
/// Fields whose objects are read for one name or address; what else they hold is counted.
const NAMED: [&str; 8] = [
    "license",
    "theme",
    "accrualPeriodicity",
    "describedBy",
    "landingPage",
    "conformsTo",
    "references",
    "keyword",
];

/// Reads one record into `reading`.
pub(super) fn take(
    at: &str,
    mut record: Value,
    catalogue: &Catalogue,
    settings: &Settings,
    reading: &mut Reading,
) {
    let unreadable = field::take_out_unreadable(&mut record);
    let title = field::text(&record, "title");
    let named = title.as_ref().map(|title| format!(" \"{}\"", output::cut(&title.text, PLACE_COLUMNS)));
    let place = format!("{at}{}", named.unwrap_or_default());
    let cleaner = Cleaner::of(contact::persons(&record));
    let mut reader =
        Reader { record: &record, catalogue, settings, reading, at, place, cleaner, untagged: None };
    if !unreadable.is_empty() {
        reader.warn(format!("cannot be read in part and was replaced there: {}", unreadable.join(", ")));
    }
    let result = reader.read();
    reader.tell_removed();
    let place = reader.place;
    match result {
        Ok(item) => reading.add(item),
        Err(message) => {
            reading.findings.errors.push(Finding::new(&place, message));
            match field::identifier(&record) {
                Some(identifier) => reading.skipped.push(identifier),
                None => reading.unknown += 1,
            }
        }
    }
}

pub(super) struct Reader<'a> {
    pub(super) record: &'a Value,
    pub(super) catalogue: &'a Catalogue,
    pub(super) settings: &'a Settings,
    pub(super) reading: &'a mut Reading,
    /// Place without title.
    pub(super) at: &'a str,
    place: String,
    pub(super) cleaner: Cleaner,
    /// Language of texts that do not say theirs.
    pub(super) untagged: Option<String>,
}

impl Reader<'_> {
    fn read(&mut self) -> Result<Item, String> {
        let Value::Object(fields) = self.record else { return Err("is no object".to_owned()) };
        let title = field::text(self.record, "title").ok_or("title is missing")?;
        if !title.is_text {
            self.warn("title is a number, not a text");
        }
        let identifier = self.identifier(&title.text);
        let publisher = self.publisher()?;
        let source_hash = field::canonical_hash(self.record);
        let core = self.core(&publisher, &source_hash);
        let mut dataset = self.facts(core, publisher);
        dataset.identifier = self.cleaner.code(&identifier, PUBLISHED_CHARS_MAX);
        self.fit(&mut dataset);
        self.count_left_out(fields);
        let titles =
            dataset.core.iter().flat_map(|core| &core.title).map(|title| title.text.clone()).collect();
        Ok(Item {
            place: self.place.clone(),
            at: self.at.to_owned(),
            marks: mark::marks(self.record, &title.text, &source_hash),
            part_of: field::address_or_name(self.record, "isPartOf"),
            identifier,
            titles,
            source_hash,
            dataset,
        })
    }

    fn core(&mut self, publisher: &str, source_hash: &str) -> Core {
        let (title, summary, body) = self.texts();
        let keywords = self.words("keyword", KEYWORDS_MAX, KEYWORD_CHARS_MAX);
        if keywords.is_empty() && self.catalogue.standard != Standard::DcatUs3 {
            self.warn("keyword is missing");
        }
        let themes = field::list(self.record, "theme");
        let broad = field::list(self.record, "superTheme");
        let all = keywords.iter().chain(&themes).chain(&broad).map(String::as_str);
        Core {
            title,
            summary,
            body,
            topics: theme::topics(all),
            jurisdiction: self.settings.jurisdiction.clone(),
            licence: self.settings.text_licence.clone(),
            provenance: Some(Provenance {
                imported_from: self.settings.imported_from.clone(),
                importer: IMPORTER.to_owned(),
                source_hash: source_hash.to_owned(),
                // Left out, so that importing the same again changes nothing.
                fetched_at: String::new(),
                original_publisher: publisher.to_owned(),
                source_id: self.settings.source.clone(),
            }),
            keywords,
            links: self.links(),
            alt_ids: self.other_identifiers(),
            ..Default::default()
        }
    }

    /// Title, summary, and where a text is longer than that, the whole, each in every language.
    fn texts(&mut self) -> (Vec<LangText>, Vec<LangText>, Vec<LangText>) {
        let (mut titles, mut summaries, mut bodies) = (Vec::new(), Vec::new(), Vec::new());
        let text = |lang: &str, text: String| LangText { lang: lang.to_owned(), text, ..Default::default() };
        for (lang, title) in self.tagged("title", " / ") {
            let title = self.bounded_line("title", &title, TITLE_CHARS_MAX);
            titles.push(text(&lang, title));
        }
        for (lang, description) in self.tagged("description", "\n\n") {
            let whole = self.cleaner.paragraphs(&description);
            let short = cut(&whole, SUMMARY_CHARS_MAX);
            if short != whole {
                let body = cut(&whole, TEXT_CHARS_MAX);
                if body != whole {
                    self.notice(format!(
                        "description is longer than {TEXT_CHARS_MAX} characters: it was cut"
                    ));
                }
                bodies.push(text(&lang, body));
            }
            summaries.push(text(&lang, short));
        }
        if summaries.is_empty() {
            self.warn("description is missing");
        }
        let said = |texts: Vec<LangText>| texts.into_iter().filter(|text| !text.text.is_empty()).collect();
        (said(titles), said(summaries), said(bodies))
    }

    /// What makes it the same record at the next import.
    fn identifier(&mut self, title: &str) -> String {
        if let Some(identifier) = field::identifier(self.record) {
            return identifier;
        }
        let page =
            ["landingPage", "@id", "url"].iter().find_map(|key| field::address_or_name(self.record, key));
        let (instead, kind) = match page {
            Some(page) => (page, "its page"),
            None => (format!("title:{title}"), "its title"),
        };
        self.warn(format!("identifier is missing: it is known by {kind} instead"));
        instead
    }

    fn facts(&mut self, core: Core, publisher: String) -> Dataset {
        let distributions = self.distributions();
        let access_level = self.code("accessLevel", LINE_CHARS_MAX);
        if access_level.is_empty() && self.catalogue.standard == Standard::Pod {
            self.warn("accessLevel is missing");
        }
        let record = self.record;
        Dataset {
            core: Some(core),
            publisher,
            publisher_within: self.publisher_within(),
            distributions,
            frequency: self.code("accrualPeriodicity", PUBLISHED_CHARS_MAX),
            temporal: self.temporal(),
            access_level,
            state: PublicationState::Published as i32,
            spatial: self.spatial(),
            languages: lang::declared(record).tags.into_iter().take(LANGUAGES_MAX).collect(),
            landing_page: self.url("landingPage", record),
            dataset_licence: self.licence(record),
            rights: self.rights(record),
            themes: self.words("theme", THEMES_MAX, LINE_CHARS_MAX),
            modified: self.modified(),
            issued: self.code("issued", LINE_CHARS_MAX),
            described_by: self.url("describedBy", record),
            ..Default::default()
        }
    }

    /// The licence of the data: an address before a name. Words for nothing are nothing.
    pub(super) fn licence(&mut self, record: &Value) -> String {
        let licence = field::address_or_name(record, "license").unwrap_or_default();
        let nothing = ["null", "none", "n/a", "na", "undefined", "notspecified", "not specified", "-"];
        if nothing.contains(&licence.to_lowercase().as_str()) {
            return String::new();
        }
        self.bounded_line("license", &licence, PUBLISHED_CHARS_MAX)
    }

    /// Conditions beside the licence.
    pub(super) fn rights(&mut self, record: &Value) -> String {
        let said = ["rights", "accessRights"].into_iter().flat_map(|key| field::texts(record, key));
        let said: Vec<String> = said.map(|found| found.text).collect();
        let rights = self.cleaner.paragraphs(&said.join("\n"));
        if rights.chars().count() > PUBLISHED_CHARS_MAX {
            self.notice(format!("rights is longer than {PUBLISHED_CHARS_MAX} characters: it was cut"));
        }
        cut(&rights, PUBLISHED_CHARS_MAX)
    }

    pub(super) fn url(&mut self, key: &str, record: &Value) -> String {
        let Some(address) = field::address_or_name(record, key) else {
            return String::new();
        };
        url::usable(&address).unwrap_or_else(|| {
            let shown = self.cleaner.line(&address, PLACE_COLUMNS);
            self.notice(format!("{key} is no usable web address and was left out: {shown}"));
            String::new()
        })
    }

    fn words(&mut self, key: &str, count: usize, chars: usize) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for text in field::list(self.record, key) {
            let word = self.cleaner.line(&text, chars);
            if !word.is_empty() && !words.contains(&word) {
                words.push(word);
            }
        }
        if words.len() > count {
            self.notice(format!("has {} entries in {key}: the first {count} are taken", words.len()));
            words.truncate(count);
        }
        words
    }

    /// A body that does not fit the payload is cut further.
    fn fit(&mut self, dataset: &mut Dataset) {
        let room = PAYLOAD_BYTES_MAX - PAYLOAD_SPARE_BYTES;
        let bodies = dataset.core.as_ref().map_or(0, |core| core.body.len());
        for at in (0..bodies).rev() {
            let excess = dataset.encoded_len().saturating_sub(room);
            let body = dataset.core.as_mut().and_then(|core| core.body.get_mut(at));
            if let Some(body) = body.filter(|_| excess > 0) {
                let chars = body.text.chars().count();
                body.text = cut(&body.text, chars.saturating_sub(excess).max(SUMMARY_CHARS_MAX));
                self.notice("description was cut to fit into one record");
            }
        }
        while dataset.encoded_len() > room && !dataset.distributions.is_empty() {
            let all = dataset.distributions.len();
            dataset.distributions.truncate(all / 2);
            self.notice(format!(
                "has {all} distributions, more than fit into one record: {} are taken",
                all / 2
            ));
        }
    }

    /// Counts what the record says and nobody will find.
    fn count_left_out(&mut self, fields: &Map<String, Value>) {
        let kept: Vec<&str> = KEPT.iter().chain(&texts::LINKS).copied().collect();
        self.leave_out(fields, &kept, "");
        for key in NAMED {
            for object in field::objects(self.record, key) {
                let Value::Object(fields) = object else { continue };
                for passed in field::passed_over(fields) {
                    self.reading.left_out(&format!("{key}.{passed}"), self.at);
                }
            }
        }
    }

    pub(super) fn leave_out(&mut self, fields: &Map<String, Value>, kept: &[&str], prefix: &str) {
        for (key, value) in fields {
            if !kept.contains(&key.as_str()) && field::says_something(value) {
                self.reading.left_out(&format!("{prefix}{key}"), self.at);
            }
        }
    }

    /// A value for machines.
    pub(super) fn code(&mut self, key: &str, max: usize) -> String {
        field::text(self.record, key).map(|found| self.cleaner.code(&found.text, max)).unwrap_or_default()
    }

    pub(super) fn bounded_line(&mut self, key: &str, text: &str, max: usize) -> String {
        let whole = self.cleaner.line(text, usize::MAX);
        if whole.chars().count() > max {
            self.notice(format!("{key} is longer than {max} characters: it was cut"));
        }
        cut(&whole, max)
    }

    pub(super) fn warn(&mut self, message: impl Into<String>) {
        self.reading.findings.warnings.push(Finding::new(&self.place, message));
    }

    pub(super) fn notice(&mut self, message: impl Into<String>) {
        self.reading.findings.notices.push(Finding::new(&self.place, message));
    }

    pub(super) fn person(&mut self, message: impl Into<String>) {
        self.reading.findings.persons.push(Finding::new(&self.place, message));
    }
}
