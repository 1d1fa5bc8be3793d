//! Chapter two: nine nodes, a session between every two, and a door that stays shut.

use std::time::Instant;

use super::Story;
use crate::demo::{cities::Founder, client::Client, error::DemoError, narrator::ms};

pub(super) async fn tell(story: &mut Story<'_, '_>) -> Result<(), DemoError> {
    story.narrator.chapter("Nine nodes start")?;
    story.narrator.working("starting nine nodes");
    let begun = Instant::now();
    story.federation.start_all().await?;
    let up = begun.elapsed();
    story
        .narrator
        .say(&format!("All nine nodes are up, and a clerk is connected to each, after {}.", ms(up)))?;
    story.narrator.gap()?;
    story.narrator.working("waiting for a session between every two nodes");
    let sessions = story.federation.meshed().await?;
    let meshed = begun.elapsed();
    story.narrator.say(&format!(
        "{sessions} sessions of mutual TLS, one between every two nodes, are open after {}: both ends show a \
         certificate, and only keys in the roster are let in.",
        ms(meshed)
    ))?;
    refused(story).await?;
    story.narrator.gap()?;
    story.narrator.say(
        "When Dakar's clerk knocks at Seoul's node, with a key that is good in Dakar, the door stays shut: each city \
         lets in its own people only.",
    )
}

/// Checks that a clerk of one city can do nothing at another's node.
async fn refused(story: &Story<'_, '_>) -> Result<(), DemoError> {
    let profile = |city: Founder| &story.federation.seat(city).created.profile_dir;
    let guest = Client::connect_as(Founder::Seoul, profile(Founder::Seoul), profile(Founder::Dakar)).await;
    let asked = match guest {
        Ok(guest) => guest.roster().await.map(|_| ()),
        Err(error) => Err(error),
    };
    let turned_away = match &asked {
        Err(DemoError::Connect { .. }) => true,
        Err(DemoError::Refused { source, .. }) => source.code() != tonic::Code::Ok,
        _ => false,
    };
    let untrue = DemoError::Untrue { at: Founder::Seoul.handle(), claim: "a stranger is turned away" };
    if turned_away { Ok(()) } else { Err(untrue) }
}
