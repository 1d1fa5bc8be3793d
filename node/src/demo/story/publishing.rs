//! Chapter three: each city publishes, and every city can read and prove it.

use super::{Story, own_title};
use crate::demo::{
    arrival::Spread,
    cities::Founder,
    error::DemoError,
    narrator::ms,
    practices,
    table::{Table, cut},
};

/// Columns a title may take.
const TITLE_COLUMNS: usize = 56;

pub(super) async fn tell(story: &mut Story<'_, '_>) -> Result<(), DemoError> {
    story.narrator.chapter("Each city publishes what works")?;
    let mut table = Table::new(&["CITY", "PRACTICE, IN THE CITY'S OWN WORDS", "AT ALL NINE"]);
    let mut spread = Spread::default();
    let told = practices::at_first();
    for practice in &told {
        story.narrator.working(&format!("{} publishes", practice.city.name()));
        let sent = story.publish(practice).await?;
        let readable = sent.readable_at(story.federation, &Founder::ALL).await?;
        spread.add(readable);
        table.row([
            practice.city.name().to_owned(),
            cut(own_title(&sent.record), TITLE_COLUMNS),
            ms(readable),
        ]);
    }
    story.narrator.say(&format!("{} practices, each in its city's language and in English:", told.len()))?;
    story.narrator.table(&table)?;
    story.narrator.say(&format!(
        "Each was received and verified at all nine: read there by a clerk, equal to what was sent, and its proof \
         checked against the roster outside the node ({} proofs).",
        told.len() * Founder::ALL.len()
    ))?;
    story.narrator.gap()?;
    story.narrator.say(&format!(
        "From the owner's acknowledgement, when the record is on its disk, to readable at all nine: half within {} \
         (p50), 99 of 100 within {} (p99), the slowest {} (max).",
        ms(spread.percentile(50)),
        ms(spread.percentile(99)),
        ms(spread.percentile(100)),
    ))
}
