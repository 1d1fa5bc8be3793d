//! The last chapter: what the reader can do now, with commands that work as they stand.

use std::path::Path;

use super::Story;
use crate::demo::{cities::Founder, error::DemoError, run::After, table::Table};

pub(super) fn tell(story: &mut Story<'_, '_>, after: &After) -> Result<(), DemoError> {
    story.narrator.chapter("Your turn")?;
    let record = story.datasf()?.record_id.to_string();
    match after {
        After::Stay { dir } => {
            portals(story)?;
            commands(story, dir, &record)?;
            story.narrator.gap()?;
            story.narrator.say("The nodes stay up until Ctrl-C.")
        }
        After::Stop => story.narrator.say(
            "All is told and checked; the nine nodes stop now. Without --once they stay up: nine portals to open, \
             and a profile for each city with which the command wego searches, shows, proves and publishes.",
        ),
    }
}

fn portals(story: &mut Story<'_, '_>) -> Result<(), DemoError> {
    let mut table = Table::new(&["CITY", "PORTAL"]);
    for city in Founder::ALL {
        let portal = story.federation.node(city)?.addresses().portal;
        let untrue = DemoError::Untrue { at: city.handle(), claim: "its portal is open" };
        table.row([city.name().to_owned(), format!("http://{}/", portal.ok_or(untrue)?)]);
    }
    story.narrator.say("Open a portal; each shows all nine cities, from its own copy:")?;
    story.narrator.table(&table)
}

fn commands(story: &mut Story<'_, '_>, dir: &Path, record: &str) -> Result<(), DemoError> {
    let narrator = &mut *story.narrator;
    let profile = |city: Founder| dir.join(city.handle()).join("profile").display().to_string();
    narrator.say("Or be the clerk in Dakar, in a second terminal, in the folder of the source:")?;
    narrator.gap()?;
    let dakar = format!("export WEGO_PROFILE={}", profile(Founder::Dakar));
    let show = format!("wego practice show {record}");
    let history = format!("wego practice history {record}");
    let export = format!("wego record export {record} --out datasf.proof");
    narrator.verbatim([
        "alias wego='cargo run --quiet --release -p wego-cli --'",
        &dakar,
        "wego status",
        "wego search \"open data\"",
        "wego search données ouvertes",
        "wego practice list",
        &show,
        &history,
        "wego adoption list",
        "wego member list",
        "wego peer list",
    ])?;
    narrator.gap()?;
    narrator.say("Prove a record to somebody who trusts no node, offline:")?;
    narrator.gap()?;
    narrator.verbatim([
        &export,
        "wego roster show --out roster.pem",
        "wego record verify datasf.proof --roster roster.pem",
    ])?;
    narrator.gap()?;
    narrator.say("Publish at Seoul, and find it in Dakar:")?;
    narrator.gap()?;
    let publish = format!("wego --profile {} practice publish --file bus.yaml", profile(Founder::Seoul));
    narrator.verbatim(["wego practice template > bus.yaml", &publish, "wego search bus arrival"])
}
