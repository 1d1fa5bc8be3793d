//! The rules of an adoption. Whether the practice exists is not asked: it may still be on its way here.

use wego_proto::{
    form as shape,
    record::v1::{Adoption, AdoptionStage},
};

use super::{
    Fault,
    check::Check,
    core,
    rule::{
        Form, advised, amount, at_most, form, given, money, needed, optional, record_id, required, texts,
    },
};
use crate::limits::{SUMMARY_CHARS_MAX, TEXT_CHARS_MAX};

/// Checks an adoption.
pub(super) fn check(check: &mut Check, adoption: &Adoption) {
    check.text("target_id", &adoption.target_id, required("give the record id of the practice", record_id));
    let since = form(shape::is_date, "an ISO 8601 day, month or year: 2024-05-17, 2024-05 or 2024");
    check.text("since", &adoption.since, required("say since when, at least the year", since));
    core::jurisdiction(check, adoption.jurisdiction.as_ref());
    let parts = [
        ("changed", &adoption.changed, TEXT_CHARS_MAX),
        ("reused", &adoption.reused, TEXT_CHARS_MAX),
        ("reason_withdrawn", &adoption.reason_withdrawn, SUMMARY_CHARS_MAX),
    ];
    for (name, part, max) in parts {
        texts(check, name, part, Form::Paragraphs(max));
    }
    stage(check, adoption);
    money(check, "cost", adoption.cost.as_ref());
    check.text("fte", &adoption.fte, optional(amount));
    at_most(check, "recommend", u64::from(adoption.recommend), 5, "from 1 to 5, or 0 to leave it unsaid");
}

fn stage(check: &mut Check, adoption: &Adoption) {
    match adoption.stage() {
        AdoptionStage::Unspecified => check.field("stage", |check| {
            check.fault(Fault::Missing { remedy: "say considering, planned, pilot, live or withdrawn" });
        }),
        AdoptionStage::Withdrawn => {
            let remedy = "say why: a withdrawal with its reason helps the next city most";
            needed(check, "reason_withdrawn", &adoption.reason_withdrawn, remedy);
        }
        AdoptionStage::Considering | AdoptionStage::Planned => {}
        AdoptionStage::Pilot | AdoptionStage::Live => {
            let reused = given(&adoption.reused);
            advised(check, "reused", reused, "is missing: others cannot tell what could be taken over");
            let changed = given(&adoption.changed);
            advised(check, "changed", changed, "is missing: others cannot tell what had to be adapted");
            let cost = adoption.cost.as_ref().map(|_| ());
            advised(check, "cost", cost, "is missing: others cannot compare it with starting anew");
        }
    }
}
