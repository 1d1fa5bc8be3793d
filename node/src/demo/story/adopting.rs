//! Chapter four: cities say which practices of others they take over, each under its own signature.

use super::{Story, own_title, stage_word};
use crate::demo::{
    adoptions::{self, Declared},
    arrival::{Sent, Spread},
    cities::Founder,
    error::DemoError,
    narrator::ms,
    table::{Table, cut},
};

/// Columns a title may take.
const TITLE_COLUMNS: usize = 44;

pub(super) async fn tell(story: &mut Story<'_, '_>) -> Result<(), DemoError> {
    story.narrator.chapter("Cities adopt from one another")?;
    let mut table = Table::new(&["ADOPTER", "STAGE", "FROM", "PRACTICE"]);
    let mut spread = Spread::default();
    for declared in &adoptions::ALL {
        story.narrator.working(&format!("{} adopts", declared.adopter.name()));
        let sent = declare(story, declared).await?;
        spread.add(sent.readable_at(story.federation, &Founder::ALL).await?);
        let practice = story.practice(declared.practice)?;
        table.row([
            declared.adopter.name().to_owned(),
            stage_word(declared.stage).to_owned(),
            practice.city.name().to_owned(),
            cut(own_title(&practice.record), TITLE_COLUMNS),
        ]);
    }
    story.narrator.say(
        "Only the adopting city can say that it adopts: each line is a record that the adopter signed, not the \
         city that had the idea.",
    )?;
    story.narrator.table(&table)?;
    story.narrator.say(&format!(
        "All {} were received and verified at all nine, the slowest after {}.",
        adoptions::ALL.len(),
        ms(spread.percentile(100))
    ))
}

/// Publishes an adoption: the next version of what the adopter declared of that practice before, if it did.
pub(super) async fn declare(story: &mut Story<'_, '_>, declared: &Declared) -> Result<Sent, DemoError> {
    let target = story.practice(declared.practice)?.record_id;
    let place = (declared.adopter, declared.practice);
    let before = story.adoptions.get(&place).map(|sent| sent.record_id);
    let client = story.federation.client(declared.adopter)?;
    let sent = Sent::publish(client, declared.record(&target), before.as_ref()).await?;
    story.adoptions.insert(place, sent.clone());
    Ok(sent)
}
