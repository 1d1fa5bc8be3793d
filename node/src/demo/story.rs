//! The story, chapter by chapter. What it tells was measured or checked a moment before; nothing is told on trust.

use std::{collections::BTreeMap, time::Duration};

use wego_proto::{
    record::v1::{AdoptionStage, LangText},
    v1,
};

use super::{
    arrival::Sent,
    cities::Founder,
    error::DemoError,
    federation::Federation,
    narrator::Narrator,
    practices::{Told, key},
    run::After,
};

mod absence;
mod adopting;
mod asking;
mod farewell;
mod founding;
mod publishing;
mod starting;

/// Everything that was told and sent so far.
pub(super) struct Story<'a, 'w> {
    federation: &'a mut Federation,
    narrator: &'a mut Narrator<'w>,
    /// Practices by key.
    practices: BTreeMap<&'static str, Sent>,
    /// Adoptions by adopter and key of the practice.
    adoptions: BTreeMap<(Founder, &'static str), Sent>,
}

impl std::fmt::Debug for Story<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Story").field("practices", &self.practices.len()).finish_non_exhaustive()
    }
}

impl<'a, 'w> Story<'a, 'w> {
    pub(super) fn new(federation: &'a mut Federation, narrator: &'a mut Narrator<'w>) -> Self {
        Self { federation, narrator, practices: BTreeMap::new(), adoptions: BTreeMap::new() }
    }

    /// Tells everything; the federation was founded in `founded_in`.
    pub(super) async fn tell(mut self, founded_in: Duration, after: &After) -> Result<(), DemoError> {
        founding::tell(&mut self, founded_in)?;
        starting::tell(&mut self).await?;
        publishing::tell(&mut self).await?;
        adopting::tell(&mut self).await?;
        absence::tell(&mut self).await?;
        asking::tell(&mut self).await?;
        farewell::tell(&mut self, after)
    }

    /// Publishes a practice at its city.
    async fn publish(&mut self, told: &Told) -> Result<Sent, DemoError> {
        let record = v1::Record { kind: Some(v1::record::Kind::Practice(told.practice.clone())) };
        let sent = Sent::publish(self.federation.client(told.city)?, record, None).await?;
        self.practices.insert(told.key, sent.clone());
        Ok(sent)
    }

    /// A practice that was published.
    fn practice(&self, key: &'static str) -> Result<&Sent, DemoError> {
        self.practices.get(key).ok_or(DemoError::Untrue { at: key, claim: "it was published" })
    }

    /// The practice that readers are sent to.
    fn datasf(&self) -> Result<&Sent, DemoError> {
        self.practice(key::DATASF)
    }
}

/// The title of a practice in its city's own language.
fn own_title(record: &v1::Record) -> &str {
    match &record.kind {
        Some(v1::record::Kind::Practice(practice)) => {
            practice.core.as_ref().and_then(|core| core.title.first()).map_or("", |title| title.text.as_str())
        }
        _ => "",
    }
}

/// How far an adoption is, in a word.
fn stage_word(stage: AdoptionStage) -> &'static str {
    wego_catalogue::word::adoption_stage(stage).unwrap_or_default()
}

/// One of several texts: the one in `lang`, else the first.
fn in_lang<'t>(texts: &'t [LangText], lang: &str) -> &'t str {
    let wanted = texts.iter().find(|text| text.lang == lang).or_else(|| texts.first());
    wanted.map_or("", |text| text.text.as_str())
}
