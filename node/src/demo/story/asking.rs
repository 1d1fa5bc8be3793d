//! Chapter six: a clerk in Dakar asks in French, and a citizen reads the portal.

use std::time::{Duration, Instant};

use wego_proto::v1;

use super::{Story, in_lang, stage_word};
use crate::{
    clock::now_ms,
    demo::{
        adoptions,
        cities::Founder,
        error::DemoError,
        narrator::ms,
        portal_page,
        practices::key,
        table::{Table, cut},
    },
};

/// What the clerk asks for: open data.
const QUESTION: &str = "données ouvertes";
/// The same on the portal.
const QUESTION_PAGE: &str = "/?q=donn%C3%A9es+ouvertes&lang=fr";
/// A city whose node is down meanwhile, though its records are asked for.
const ASLEEP: Founder = Founder::SanFrancisco;
/// The language of the clerk.
const LANG: &str = "fr";
/// Columns a title may take.
const TITLE_COLUMNS: usize = 32;

pub(super) async fn tell(story: &mut Story<'_, '_>) -> Result<(), DemoError> {
    story.narrator.chapter("A clerk in Dakar asks")?;
    story.narrator.working("stopping San Francisco's node");
    story.federation.down(ASLEEP).await?;
    story.federation.parted(Founder::Dakar, ASLEEP).await?;
    ask(story).await?;
    story.narrator.working("starting San Francisco's node");
    story.federation.up(ASLEEP).await?;
    story.federation.meshed().await?;
    story.narrator.gap()?;
    adopters(story).await?;
    story.narrator.gap()?;
    portal(story).await
}

async fn ask(story: &mut Story<'_, '_>) -> Result<(), DemoError> {
    let begun = Instant::now();
    let reply = story.federation.client(Founder::Dakar)?.search(QUESTION, LANG).await?;
    let answered = begun.elapsed();
    found_by_topic(story, &reply)?;
    let question = QUESTION.replace(' ', "\u{a0}");
    let mut table = Table::new(&["CITY", "RECORD", "SIGNED WITH KEY", "CHECK", "AT", "DATA AGE"]);
    for hit in &reply.hits {
        table.row(answer(story, hit)?);
    }
    story.narrator.say(&format!(
        "It is night in San Francisco, and its node is down. The clerk asks in French, at Dakar's own node, which \
         searches its own copy: «\u{a0}{question}\u{a0}». {} answers after {}.",
        reply.total,
        ms(answered)
    ))?;
    story.narrator.table(&table)?;
    story.narrator.say(&format!(
        "The records of San Francisco and Edmonton have no word of French in them: the node knows «\u{a0}{}\u{a0}» as the name \
         of a topic. CHECK says whether the signature holds under the city's key in the roster; AT is the place in \
         that city's log, 1.2 its second entry; DATA AGE is current while Dakar \
         is in session with that city, else the time since the city itself confirmed that Dakar has all of its records.",
        reply.also_searched.first().map_or(QUESTION, String::as_str),
    ))
}

/// A line of the answer, its signature state checked against the key that the founding made.
fn answer(story: &Story<'_, '_>, hit: &v1::Hit) -> Result<[String; 6], DemoError> {
    let incomplete = DemoError::Untrue { at: Founder::Dakar.handle(), claim: "an answer says who signed it" };
    let Some(from) = &hit.provenance else { return Err(incomplete) };
    let city = Founder::ALL.into_iter().find(|city| city.handle() == from.handle).ok_or(incomplete)?;
    let key = story.federation.seat(city).created.log_key;
    let untrue = DemoError::Untrue { at: city.handle(), claim: "its answers are signed with its key" };
    if !from.verified || from.key != key.as_bytes() {
        return Err(untrue);
    }
    let at = from.at.as_ref().map(|at| format!("{}.{}", at.epoch, at.seq)).unwrap_or_default();
    let title = hit.title.as_ref().map_or("", |title| title.text.as_str());
    let fingerprint = key.fingerprint();
    let begin: Vec<&str> = fingerprint.split('-').take(2).collect();
    Ok([
        in_lang(&from.city, LANG).to_owned(),
        cut(title, TITLE_COLUMNS),
        format!("{}-…", begin.join("-")),
        "valid".to_owned(),
        at,
        age(story, city, from.origin_seen_ms)?,
    ])
}

/// How old Dakar's copy of a city's records may be.
fn age(story: &Story<'_, '_>, city: Founder, seen_ms: u64) -> Result<String, DemoError> {
    let view = story.federation.node(Founder::Dakar)?.reader().view();
    if city == Founder::Dakar || view.sessions.contains_key(&story.federation.origin(city)?) {
        return Ok("current".to_owned());
    }
    if seen_ms == 0 {
        return Err(DemoError::Untrue { at: city.handle(), claim: "its data was confirmed current" });
    }
    Ok(ms(Duration::from_millis(now_ms().saturating_sub(seen_ms))))
}

/// Checks that the English records were found, and why.
fn found_by_topic(story: &Story<'_, '_>, reply: &v1::SearchReply) -> Result<(), DemoError> {
    let found = |sent: &crate::demo::arrival::Sent| {
        reply.hits.iter().any(|hit| hit.record_id == sent.record_id.as_bytes())
    };
    let both = found(story.datasf()?) && found(story.practice(key::EDMONTON_DATA)?);
    let untrue = DemoError::Untrue {
        at: Founder::Dakar.handle(),
        claim: "a question in French finds English records",
    };
    if both && !reply.also_searched.is_empty() { Ok(()) } else { Err(untrue) }
}

/// Who uses two practices, as Dakar sees it.
async fn adopters(story: &mut Story<'_, '_>) -> Result<(), DemoError> {
    let dakar = story.federation.client(Founder::Dakar)?;
    let datasf = dakar.read(&story.datasf()?.record_id).await?;
    let number = dakar.read(&story.practice(adoptions::TRIAL.practice)?.record_id).await?;
    let untrue = |claim| DemoError::Untrue { at: Founder::Dakar.handle(), claim };
    let ended = number.adoptions.iter().find(|adoption| adoption.handle == adoptions::TRIAL.adopter.handle());
    let reason = ended.map_or("", |ended| in_lang(&ended.reason_withdrawn, "en"));
    if datasf.adoptions.is_empty() || reason.is_empty() {
        return Err(untrue("adoptions and the reason for their end are known there"));
    }
    let users: Vec<String> = datasf
        .adoptions
        .iter()
        .map(|adoption| {
            let stage = stage_word(adoption.stage());
            format!("{} ({stage})", name_of(&adoption.handle))
        })
        .collect();
    story.narrator.say(&format!(
        "Who uses DataSF, as each adopter signed it: {}. Frankfurt's 115 was given up by {}, which says why: \
         \"{reason}\"",
        users.join(", "),
        adoptions::TRIAL.adopter.name(),
    ))
}

fn name_of(handle: &str) -> &str {
    let city = Founder::ALL.into_iter().find(|city| city.handle() == handle);
    city.map_or(handle, |city| city.name())
}

/// What the public web page of Dakar answers to the same question.
async fn portal(story: &mut Story<'_, '_>) -> Result<(), DemoError> {
    let handle = Founder::Dakar.handle();
    let untrue = |claim| DemoError::Untrue { at: handle, claim };
    let at = story.federation.node(Founder::Dakar)?.addresses().portal.ok_or(untrue("its portal is open"))?;
    let page = portal_page::fetch(at, QUESTION_PAGE).await;
    let page = page.map_err(|source| DemoError::Portal { handle, source })?;
    let marks = [("h2", r#"id="found""#), ("p", r#"class="reading""#), ("p", r#"class="coverage""#)];
    let lines: Option<Vec<String>> =
        marks.iter().map(|(tag, mark)| portal_page::words_of(&page, tag, mark)).collect();
    let lines = lines.ok_or(untrue("its portal says what it found, and how old its data is"))?;
    story
        .narrator
        .say("Dakar's public web portal, which needs no account, answers a citizen the same, in French:")?;
    story.narrator.gap()?;
    story.narrator.verbatim(lines.iter().map(String::as_str))
}
