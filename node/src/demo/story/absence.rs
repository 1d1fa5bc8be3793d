//! Chapter five: Dakar's line breaks, the others go on, and Dakar catches up.

use std::time::Instant;

use wego_proto::v1;

use super::{Story, adopting, own_title};
use crate::demo::{
    adoptions,
    arrival::Sent,
    cities::Founder,
    error::DemoError,
    narrator::ms,
    practices::{self, key, written},
    table::{Table, cut},
};

/// Columns a title may take.
const TITLE_COLUMNS: usize = 44;

/// What Seoul adds to its practice: so that Dakar can read it.
const TRANSLATED_TITLE: &str = "120 Dasan : un seul numéro pour toutes les questions à la ville";

pub(super) async fn tell(story: &mut Story<'_, '_>) -> Result<(), DemoError> {
    story.narrator.chapter("Dakar's line breaks")?;
    story.narrator.working("stopping Dakar's node");
    story.federation.down(Founder::Dakar).await?;
    let (missed, table) = meanwhile(story).await?;
    story.narrator.say(&format!(
        "Dakar's node is down. Meanwhile the others publish {} records, verified at the eight that are up:",
        missed.len()
    ))?;
    story.narrator.table(&table)?;
    story.narrator.working("starting Dakar's node");
    let begun = Instant::now();
    story.federation.up(Founder::Dakar).await?;
    let up = begun.elapsed();
    story.federation.met(Founder::Dakar).await?;
    let met = begun.elapsed();
    for sent in &missed {
        sent.readable_at(story.federation, &[Founder::Dakar]).await?;
    }
    let caught_up = begun.elapsed();
    story.narrator.working("waiting for Dakar's other sessions");
    story.federation.meshed().await?;
    story.federation.current(Founder::Dakar).await?;
    let current = begun.elapsed();
    story.narrator.say(&format!(
        "Dakar's node is started again on the same folder: up after {}, in session with its first peer after {}, and \
         caught up with all {} records, each verified, after {}. In session with all eight, and its copy of every \
         city's records confirmed current, after {}.",
        ms(up),
        ms(met),
        missed.len(),
        ms(caught_up),
        ms(current),
    ))
}

/// What the eight others do, and that each of the eight can read it.
async fn meanwhile(story: &mut Story<'_, '_>) -> Result<(Vec<Sent>, Table), DemoError> {
    let others = story.federation.running();
    if others.len() + 1 != Founder::ALL.len() {
        return Err(DemoError::Untrue { at: "the federation", claim: "eight of nine nodes are up" });
    }
    let mut table = Table::new(&["CITY", "WHAT", "RECORD"]);
    let mut missed = Vec::new();
    for told in practices::later() {
        let sent = story.publish(&told).await?;
        row(&mut table, &sent, "publishes", own_title(&sent.record));
        missed.push(sent);
    }
    let sent = translate(story).await?;
    row(&mut table, &sent, "adds French", TRANSLATED_TITLE);
    missed.push(sent);
    let sent = adopting::declare(story, &adoptions::WITHDRAWAL).await?;
    row(
        &mut table,
        &sent,
        "ends a trial",
        own_title(&story.practice(adoptions::WITHDRAWAL.practice)?.record),
    );
    missed.push(sent);
    for sent in &missed {
        sent.readable_at(story.federation, &others).await?;
    }
    Ok((missed, table))
}

fn row(table: &mut Table, sent: &Sent, what: &str, title: &str) {
    table.row([sent.city.name().to_owned(), what.to_owned(), cut(title, TITLE_COLUMNS)]);
}

/// Seoul publishes its practice anew, with a French title.
async fn translate(story: &mut Story<'_, '_>) -> Result<Sent, DemoError> {
    let before = story.practice(key::DASAN)?;
    let (record_id, mut record) = (before.record_id, before.record.clone());
    if let Some(v1::record::Kind::Practice(practice)) = &mut record.kind
        && let Some(core) = &mut practice.core
    {
        let mut french = written(&[(Founder::Seoul.lang(), ""), ("fr", TRANSLATED_TITLE)]).split_off(1);
        for text in &mut french {
            text.translated_from_version = before.at.seq;
        }
        core.title.append(&mut french);
    }
    let sent = Sent::publish(story.federation.client(Founder::Seoul)?, record, Some(&record_id)).await?;
    story.practices.insert(key::DASAN, sent.clone());
    Ok(sent)
}
