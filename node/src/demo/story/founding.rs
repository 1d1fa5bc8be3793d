//! Chapter one: folders, keys, and a roster that five of eight signed.

use std::time::Duration;

use wego_proto::key::PublicKey;

use super::Story;
use crate::demo::{
    cities::{Founder, THRESHOLD},
    error::DemoError,
    narrator::ms,
    table::Table,
};

pub(super) fn tell(story: &mut Story<'_, '_>, founded_in: Duration) -> Result<(), DemoError> {
    let signers = signers(story)?;
    let narrator = &mut *story.narrator;
    narrator.say(
        "In September 2010 fifty cities met in Seoul and founded WeGO, to share what works in e-government. Here \
         nine of them run a node each: real nodes with their own folders, keys, certificates, databases and web \
         portals. That they share this one process and this one machine is all that is arranged.",
    )?;
    narrator.gap()?;
    narrator.say(
        "The practices are publicly known, retold in our own words. Who adopts what is made up for this \
         demonstration.",
    )?;
    narrator.chapter("Nine cities found a federation")?;
    let mut table = Table::new(&["CITY", "OWN NAME", "OFFICE", "FINGERPRINT OF ITS SIGNING KEY"]);
    for city in Founder::ALL {
        let key = story.federation.seat(city).created.log_key;
        table.row([
            city.name().to_owned(),
            city.own_name().to_owned(),
            city.office().to_owned(),
            key.fingerprint(),
        ]);
    }
    narrator.say(&format!(
        "Nine folders made, each with keys and certificates of its own, and the roster signed, in {}:",
        ms(founded_in)
    ))?;
    narrator.table(&table)?;
    narrator.say(&format!(
        "The roster is the list of members and their keys. {THRESHOLD} of the 8 cities on the committee signed it: {}. \
         Fewer could not, and no server in the middle is asked.",
        signers.join(", ")
    ))
}

/// Who signed, after counting the signatures that hold.
fn signers(story: &Story<'_, '_>) -> Result<Vec<&'static str>, DemoError> {
    let roster = story.federation.roster();
    let found = roster.governance().signers(roster.signed());
    let key = |city: Founder| story.federation.seat(city).created.governance.as_ref().map(|key| key.public());
    let signed = |city: &Founder| key(*city).is_some_and(|key: PublicKey| found.contains(&key));
    let seated = Founder::ALL.into_iter().filter(|city| key(*city).is_some()).count();
    let signers: Vec<_> = Founder::ALL.into_iter().filter(signed).map(Founder::name).collect();
    let holds = signers.len() == THRESHOLD as usize
        && found.len() == signers.len()
        && seated == 8
        && roster.governance().threshold == signers.len();
    let untrue = DemoError::Untrue { at: "the roster", claim: "five of eight signed it" };
    if holds { Ok(signers) } else { Err(untrue) }
}
