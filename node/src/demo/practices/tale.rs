//! How a practice is written down here: one call a section, each text in every language of its city.

use wego_catalogue::vocabulary::WEGO_TOPIC;
use wego_proto::record::v1::{
    Concept, ContactRef, Core, Jurisdiction, LangText, Level, Link, Practice, Stage, TextOrigin,
};

use crate::demo::cities::Founder;

/// A text by language, the one it was written in first.
type Texts = [(&'static str, &'static str)];

/// A practice with its teller.
#[derive(Debug, Clone)]
pub struct Told {
    /// Short name within the story.
    pub key: &'static str,
    /// Whose.
    pub city: Founder,
    /// As it is published.
    pub practice: Practice,
    /// Whether it is published only while Dakar is away.
    pub while_dakar_is_away: bool,
}

/// A practice that is being written.
#[derive(Debug)]
pub(super) struct Tale {
    told: Told,
    core: Core,
}

impl Tale {
    /// A practice of `city` at `stage` since `year`.
    pub(super) fn new(city: Founder, key: &'static str, stage: Stage, year: i32) -> Self {
        let core = Core {
            jurisdiction: Some(jurisdiction(city)),
            licence: "CC-BY-4.0".to_owned(),
            ..Default::default()
        };
        let practice = Practice { stage: stage as i32, started_year: year, ..Default::default() };
        Self { told: Told { key, city, practice, while_dakar_is_away: false }, core }
    }

    /// Published only while Dakar is away.
    pub(super) fn later(mut self) -> Self {
        self.told.while_dakar_is_away = true;
        self
    }

    /// The office that did it, in the city's language, and what to ask for.
    pub(super) fn office(mut self, owner: &str, role: &str) -> Self {
        self.told.practice.owner_organisation = owner.to_owned();
        self.core.contacts.push(ContactRef { role: role.to_owned(), ..Default::default() });
        self
    }

    pub(super) fn topics(mut self, codes: &[&str]) -> Self {
        let concept = |code: &&str| Concept { scheme: WEGO_TOPIC.to_owned(), uri: (*code).to_owned() };
        self.core.topics = codes.iter().map(concept).collect();
        self
    }

    pub(super) fn link(mut self, url: &str) -> Self {
        self.core.links.push(Link { rel: "about".to_owned(), url: url.to_owned(), ..Default::default() });
        self
    }

    pub(super) fn title(mut self, texts: &Texts) -> Self {
        self.core.title = written(texts);
        self
    }

    pub(super) fn summary(mut self, texts: &Texts) -> Self {
        self.core.summary = written(texts);
        self
    }

    pub(super) fn problem(mut self, texts: &Texts) -> Self {
        self.told.practice.problem = written(texts);
        self
    }

    pub(super) fn approach(mut self, texts: &Texts) -> Self {
        self.told.practice.approach = written(texts);
        self
    }

    pub(super) fn results(mut self, texts: &Texts) -> Self {
        self.told.practice.results = written(texts);
        self
    }

    pub(super) fn what_failed(mut self, texts: &Texts) -> Self {
        self.told.practice.what_failed = written(texts);
        self
    }

    pub(super) fn conditions(mut self, texts: &Texts) -> Self {
        self.told.practice.conditions = written(texts);
        self
    }

    /// The end of the writing.
    pub(super) fn told(self) -> Told {
        let Self { mut told, core } = self;
        told.practice.core = Some(core);
        told
    }
}

/// A city's own.
pub(in crate::demo) fn jurisdiction(city: Founder) -> Jurisdiction {
    Jurisdiction {
        level: Level::City as i32,
        country: city.country().to_owned(),
        place: city.place().to_owned(),
        ..Default::default()
    }
}

/// The first text is the original, the others say what they were translated from.
pub(in crate::demo) fn written(texts: &Texts) -> Vec<LangText> {
    let Some(((source_lang, original), translations)) = texts.split_first() else { return Vec::new() };
    let original = LangText {
        lang: (*source_lang).to_owned(),
        text: (*original).to_owned(),
        origin: TextOrigin::Original as i32,
        ..Default::default()
    };
    let translated = translations.iter().map(|(lang, text)| LangText {
        lang: (*lang).to_owned(),
        text: (*text).to_owned(),
        origin: TextOrigin::Machine as i32,
        source_lang: (*source_lang).to_owned(),
        ..Default::default()
    });
    std::iter::once(original).chain(translated).collect()
}
