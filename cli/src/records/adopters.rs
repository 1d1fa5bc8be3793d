//! How other cities stand to a practice, as JSON and as a table. What does not count is shown with the reason, never
//! left out.

use serde::Serialize;
use wego_proto::v1::{AdoptionView, Uncounted};

use super::hex;
use crate::{
    form::{Texts, pick, texts_of},
    output::Table,
    words::Word as _,
};

/// An adoption, as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Adopter {
    record_id: String,
    handle: String,
    stage: &'static str,
    since: String,
    reason_withdrawn: Texts,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_counted: Option<String>,
}

impl From<&AdoptionView> for Adopter {
    fn from(adoption: &AdoptionView) -> Self {
        Self {
            record_id: hex(&adoption.record_id),
            handle: adoption.handle.clone(),
            stage: adoption.stage().word(),
            since: adoption.since.clone(),
            reason_withdrawn: texts_of(adoption.reason_withdrawn.clone()),
            not_counted: not_counted(adoption),
        }
    }
}

/// A line for each adoption; empty when there are none.
pub(crate) fn table<'a>(adoptions: impl IntoIterator<Item = &'a AdoptionView> + Clone, lang: &str) -> Table {
    const HEADERS: [&str; 6] = ["ADOPTED BY", "STAGE", "SINCE", "REASON WITHDRAWN", "ID", "NOT COUNTED"];
    let all_count = adoptions.clone().into_iter().all(counts);
    let shown = if all_count { HEADERS.len() - 1 } else { HEADERS.len() };
    let mut table = Table::new(&HEADERS[..shown]);
    for adoption in adoptions {
        let (id, why) = (hex(&adoption.record_id), not_counted(adoption).unwrap_or_default());
        let reason = pick(&adoption.reason_withdrawn, lang);
        let cells = [adoption.handle.as_str(), adoption.stage().word(), &adoption.since, reason, &id, &why];
        table.row(cells.into_iter().take(shown));
    }
    table
}

/// Whether it is the word of another active member.
pub(crate) fn counts(adoption: &AdoptionView) -> bool {
    adoption.uncounted() == Uncounted::Unspecified
}

fn not_counted(adoption: &AdoptionView) -> Option<String> {
    match adoption.uncounted() {
        Uncounted::Unspecified => None,
        Uncounted::OwnRecord => Some("a city cannot adopt its own record".to_owned()),
        Uncounted::NotActive if adoption.handle.is_empty() => Some("is signed by no member".to_owned()),
        Uncounted::NotActive => Some(format!("{} is {}", adoption.handle, adoption.member_status().word())),
    }
}
