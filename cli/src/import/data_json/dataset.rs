//! One source record to one dataset.
//!
//! What the source says wrongly is reported, what it says about persons is counted and left behind.

use prost::Message as _;
use serde_json::Value;
use wego_proto::{
    entry::PAYLOAD_BYTES_MAX,
    record::v1::{Core, Dataset, Distribution, LangText, Period, Provenance, PublicationState},
};

use super::{
    Catalogue, IMPORTER, Standard,
    clean::{Cleaner, cut},
    field, lang, theme, url,
};
use crate::{
    import::{Finding, Item, Lang, Reading, Settings},
    output,
};

/// Bounds of a record's fields, in characters.
const TITLE_CHARS_MAX: usize = 300;
const SUMMARY_CHARS_MAX: usize = 1_000;
const TEXT_CHARS_MAX: usize = 65_536;
const LINE_CHARS_MAX: usize = 500;
const KEYWORD_CHARS_MAX: usize = 200;
const PUBLISHED_CHARS_MAX: usize = 4_000;
/// Bounds of a record's lists.
const KEYWORDS_MAX: usize = 50;
const THEMES_MAX: usize = 50;
const LANGUAGES_MAX: usize = 50;
const DISTRIBUTIONS_MAX: usize = 500;
/// Bytes of a payload left free for what is added on the way.
const PAYLOAD_SPARE_BYTES: usize = 4_096;
/// Columns of a title in a place.
const PLACE_COLUMNS: usize = 60;

/// Reads one record into `reading`.
pub(super) fn take(
    index: usize,
    record: &Value,
    catalogue: &Catalogue,
    settings: &Settings,
    reading: &mut Reading,
) {
    let title = field::text(record, "title");
    let named = title.as_ref().map(|title| format!(" \"{}\"", output::cut(&title.text, PLACE_COLUMNS)));
    let place = format!("dataset[{index}]{}", named.unwrap_or_default());
    let mut reader = Reader { record, catalogue, settings, reading, place, cleaner: Cleaner::default() };
    reader.count_persons();
    let result = reader.read(title);
    let (place, emails) = (reader.place, reader.cleaner.emails);
    reading.dropped.emails_in_texts += emails;
    match result {
        Ok(item) => reading.items.push(item),
        Err(message) => {
            reading.findings.errors.push(Finding::new(&place, message));
            match field::identifier(record) {
                Some(identifier) => reading.skipped.push(identifier),
                None => reading.unknown += 1,
            }
        }
    }
}

struct Reader<'a> {
    record: &'a Value,
    catalogue: &'a Catalogue,
    settings: &'a Settings,
    reading: &'a mut Reading,
    place: String,
    cleaner: Cleaner,
}

impl Reader<'_> {
    fn read(&mut self, title: Option<field::Found>) -> Result<Item, String> {
        if !self.record.is_object() {
            return Err("is no object".to_owned());
        }
        let title = title.ok_or("title is missing")?;
        if !title.is_text {
            self.warn("title is a number, not a text");
        }
        let identifier = self.identity()?;
        let publisher = self.publisher()?;
        let title = self.bounded_line("title", &title.text, TITLE_CHARS_MAX);
        let (summary, body) = self.description();
        let lang = self.lang();
        let text = |text: String| LangText { lang: lang.clone(), text, ..Default::default() };
        let texts = |words: String| if words.is_empty() { Vec::new() } else { vec![text(words)] };
        let keywords = self.words("keyword", KEYWORDS_MAX, KEYWORD_CHARS_MAX);
        let themes = self.words("theme", THEMES_MAX, LINE_CHARS_MAX);
        if keywords.is_empty() && self.catalogue.standard != Standard::DcatUs3 {
            self.warn("keyword is missing");
        }
        let broad = field::list(self.record, "superTheme");
        let all = keywords.iter().chain(&themes).chain(&broad).map(String::as_str);
        let source_hash = field::canonical_hash(self.record);
        let core = Core {
            title: texts(title),
            summary: texts(summary),
            body: texts(body),
            topics: theme::topics(all),
            jurisdiction: self.settings.jurisdiction.clone(),
            licence: self.settings.text_licence.clone(),
            provenance: Some(Provenance {
                imported_from: self.settings.imported_from.clone(),
                importer: IMPORTER.to_owned(),
                source_hash: source_hash.clone(),
                // Left out, so that importing the same again changes nothing.
                fetched_at: String::new(),
                original_publisher: publisher.clone(),
                source_id: self.settings.source.clone(),
            }),
            keywords,
            ..Default::default()
        };
        let mut dataset = self.facts(core, publisher, themes);
        dataset.identifier = self.cleaner.line(&identifier, PUBLISHED_CHARS_MAX);
        self.fit(&mut dataset);
        Ok(Item { place: self.place.clone(), identifier, source_hash, dataset })
    }

    /// What makes it the same record at the next import.
    fn identity(&mut self) -> Result<String, String> {
        let identifier = match field::identifier(self.record) {
            Some(identifier) => identifier,
            None => {
                let page = ["landingPage", "@id", "url"].iter().find_map(|key| field::text(self.record, key));
                let (instead, kind) = match page {
                    Some(page) => (page.text, "its page"),
                    None => (format!("sha256:{}", field::canonical_hash(self.record)), "its content"),
                };
                self.warn(format!("identifier is missing: it is known by {kind} instead"));
                instead
            }
        };
        if let Some(earlier) = self.reading.places.get(&identifier) {
            return Err(format!("its identifier is already that of {earlier}"));
        }
        self.reading.places.insert(identifier.clone(), self.place.clone());
        Ok(identifier)
    }

    fn publisher(&mut self) -> Result<String, String> {
        let own = field::text(self.record, "publisher").map(|found| found.text);
        let publisher = match (own, &self.catalogue.publisher, &self.settings.publisher) {
            (Some(own), _, _) => own,
            (None, Some(catalogue), _) => {
                self.notice("publisher is missing: the catalogue's is used");
                catalogue.clone()
            }
            (None, None, Some(city)) => {
                self.warn("publisher is missing: the city is used");
                city.clone()
            }
            (None, None, None) => return Err("publisher is missing".to_owned()),
        };
        Ok(self.cleaner.line(&publisher, LINE_CHARS_MAX))
    }

    /// The description, short and, where that is shorter, whole.
    fn description(&mut self) -> (String, String) {
        let Some(found) = field::text(self.record, "description") else {
            self.warn("description is missing");
            return (String::new(), String::new());
        };
        let whole = self.cleaner.paragraphs(&found.text);
        let short = cut(&whole, SUMMARY_CHARS_MAX);
        if short == whole {
            return (short, String::new());
        }
        let body = cut(&whole, TEXT_CHARS_MAX);
        if body != whole {
            self.notice(format!("description is longer than {TEXT_CHARS_MAX} characters: it was cut"));
        }
        (short, body)
    }

    fn lang(&self) -> String {
        match &self.settings.lang {
            Lang::Fixed(lang) => lang.clone(),
            Lang::Declared { or } => {
                let own = lang::tags(self.record);
                own.first().or(self.catalogue.languages.first()).unwrap_or(or).clone()
            }
        }
    }

    fn facts(&mut self, core: Core, publisher: String, themes: Vec<String>) -> Dataset {
        let distributions = self.distributions();
        let access_level = self.line("accessLevel", LINE_CHARS_MAX);
        if access_level.is_empty() && self.catalogue.standard == Standard::Pod {
            self.warn("accessLevel is missing");
        }
        Dataset {
            core: Some(core),
            publisher,
            distributions,
            frequency: self.line("accrualPeriodicity", PUBLISHED_CHARS_MAX),
            temporal: self.temporal(),
            access_level,
            state: PublicationState::Published as i32,
            spatial: self.spatial(),
            languages: lang::tags(self.record).into_iter().take(LANGUAGES_MAX).collect(),
            landing_page: self.url("landingPage", self.record),
            dataset_licence: self.line("license", PUBLISHED_CHARS_MAX),
            themes,
            modified: self.modified(),
            issued: self.line("issued", LINE_CHARS_MAX),
            described_by: self.url("describedBy", self.record),
            ..Default::default()
        }
    }

    fn modified(&mut self) -> String {
        let modified = self.line("modified", LINE_CHARS_MAX);
        if modified.is_empty() {
            if self.catalogue.standard != Standard::DcatUs3 {
                self.warn("modified is missing");
            }
        } else if !is_time(&modified) {
            self.warn(format!("modified is no date: {modified:?}"));
        }
        modified
    }

    fn distributions(&mut self) -> Vec<Distribution> {
        let raw = field::objects(self.record, "distribution");
        if raw.is_empty() {
            self.notice("has no distribution: nobody can get the data");
        }
        if raw.len() > DISTRIBUTIONS_MAX {
            self.notice(format!("has {} distributions: the first {DISTRIBUTIONS_MAX} are taken", raw.len()));
        }
        raw.into_iter().take(DISTRIBUTIONS_MAX).filter_map(|raw| self.distribution(raw)).collect()
    }

    /// A way to get the data; one whose only link is unusable is left out.
    fn distribution(&mut self, raw: &Value) -> Option<Distribution> {
        let line = |cleaner: &mut Cleaner, key: &str, max: usize| {
            field::text(raw, key).map(|found| cleaner.line(&found.text, max)).unwrap_or_default()
        };
        let size = raw.get("byteSize").and_then(|size| match size {
            Value::String(text) => text.trim().parse().ok(),
            number => number.as_u64(),
        });
        let description = field::text(raw, "description").map(|found| self.cleaner.paragraphs(&found.text));
        let distribution = Distribution {
            access_url: self.url("accessURL", raw),
            download_url: self.url("downloadURL", raw),
            media_type: line(&mut self.cleaner, "mediaType", LINE_CHARS_MAX),
            format: line(&mut self.cleaner, "format", LINE_CHARS_MAX),
            title: line(&mut self.cleaner, "title", LINE_CHARS_MAX),
            description: cut(&description.unwrap_or_default(), SUMMARY_CHARS_MAX),
            byte_size: size.unwrap_or_default(),
            conforms_to: line(&mut self.cleaner, "conformsTo", PUBLISHED_CHARS_MAX),
        };
        let reachable = !distribution.access_url.is_empty() || !distribution.download_url.is_empty();
        reachable.then_some(distribution)
    }

    fn url(&mut self, key: &str, record: &Value) -> String {
        let Some(found) = field::text(record, key) else {
            return String::new();
        };
        url::usable(&found.text).unwrap_or_else(|| {
            let shown = self.cleaner.line(&found.text, PLACE_COLUMNS);
            self.notice(format!("{key} is no usable web address and was left out: {shown}"));
            String::new()
        })
    }

    fn spatial(&mut self) -> String {
        let text = match self.record.get("spatial") {
            Some(value @ (Value::Object(_) | Value::Array(_))) => value.to_string(),
            _ => field::text(self.record, "spatial").map(|found| found.text).unwrap_or_default(),
        };
        if text.chars().count() > PUBLISHED_CHARS_MAX {
            self.notice(format!("spatial is longer than {PUBLISHED_CHARS_MAX} characters and was left out"));
            return String::new();
        }
        self.cleaner.paragraphs(&text)
    }

    fn temporal(&mut self) -> Option<Period> {
        let text = self.line("temporal", LINE_CHARS_MAX);
        if text.is_empty() {
            return None;
        }
        let (start, end) = text.split_once('/').unwrap_or((&text, ""));
        Some(Period { start: start.trim().to_owned(), end: end.trim().to_owned() })
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
        let excess = dataset.encoded_len().saturating_sub(room);
        let body = dataset.core.as_mut().and_then(|core| core.body.first_mut());
        if let Some(body) = body.filter(|_| excess > 0) {
            let chars = body.text.chars().count();
            body.text = cut(&body.text, chars.saturating_sub(excess).max(SUMMARY_CHARS_MAX));
            self.notice("description was cut to fit into one record");
        }
        while dataset.encoded_len() > room && !dataset.distributions.is_empty() {
            dataset.distributions.truncate(dataset.distributions.len() / 2);
            self.notice("has more distributions than fit into one record: some were left out");
        }
    }

    fn count_persons(&mut self) {
        let mut dropped = self.reading.dropped;
        for contact in field::objects(self.record, "contactPoint") {
            dropped.contact_names += usize::from(field::text(contact, "fn").is_some());
            dropped.contact_emails += usize::from(field::text(contact, "hasEmail").is_some());
        }
        for publisher in field::objects(self.record, "publisher") {
            dropped.contact_emails += usize::from(field::text(publisher, "mbox").is_some());
        }
        self.reading.dropped = dropped;
    }

    fn line(&mut self, key: &str, max: usize) -> String {
        field::text(self.record, key).map(|found| self.cleaner.line(&found.text, max)).unwrap_or_default()
    }

    fn bounded_line(&mut self, key: &str, text: &str, max: usize) -> String {
        let whole = self.cleaner.line(text, usize::MAX);
        if whole.chars().count() > max {
            self.notice(format!("{key} is longer than {max} characters: it was cut"));
        }
        cut(&whole, max)
    }

    fn warn(&mut self, message: impl Into<String>) {
        self.reading.findings.warnings.push(Finding::new(&self.place, message));
    }

    fn notice(&mut self, message: impl Into<String>) {
        self.reading.findings.notices.push(Finding::new(&self.place, message));
    }
}

/// A date, a time, a month, a year, or a repetition such as `R/P1D`.
fn is_time(text: &str) -> bool {
    let year = |text: &str| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.starts_with("R/")
        || year(text)
        || (text.len() == 7 && format!("{text}-01").parse::<jiff::civil::Date>().is_ok())
        || text.parse::<jiff::civil::Date>().is_ok()
        || text.parse::<jiff::civil::DateTime>().is_ok()
        || text.parse::<jiff::Timestamp>().is_ok()
}
