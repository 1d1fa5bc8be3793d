//! Records that are valid, for tests that are about something else.

use wego_proto::{
    record::v1::{Concept, Core, Jurisdiction, LangText, Level, Practice, Stage},
    v1::{self, record::Kind},
};

/// A text in English.
#[must_use]
pub fn english(text: &str) -> Vec<LangText> {
    vec![LangText { lang: "en".to_owned(), text: text.to_owned(), ..Default::default() }]
}

/// A practice with this title.
#[must_use]
pub fn practice(title: &str) -> v1::Record {
    let core = Core {
        title: english(title),
        summary: english("What was done, in a sentence."),
        topics: vec![Concept { scheme: "wego-topic".to_owned(), uri: "open-data".to_owned() }],
        jurisdiction: Some(Jurisdiction {
            level: Level::City as i32,
            country: "KR".to_owned(),
            place: "KRSEL".to_owned(),
            ..Default::default()
        }),
        licence: "CC-BY-4.0".to_owned(),
        ..Default::default()
    };
    let practice = Practice {
        core: Some(core),
        problem: english("Nobody could find anything."),
        approach: english("Everything was put in one place."),
        results: english("Half the calls are answered at once."),
        what_failed: english("The first index was too slow."),
        conditions: english("The departments must take part."),
        stage: Stage::Live as i32,
        started_year: 2010,
        owner_organisation: "Office of information".to_owned(),
        ..Default::default()
    };
    v1::Record { kind: Some(Kind::Practice(practice)) }
}

/// A request to publish a record, with a request id of its own.
#[must_use]
pub fn publish(record: v1::Record) -> v1::PublishRequest {
    let mut request_id = vec![0; 16];
    getrandom::fill(&mut request_id).expect("randomness");
    v1::PublishRequest { request_id, record: Some(record), ..Default::default() }
}
