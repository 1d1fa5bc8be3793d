//! Claims about what an import plans.

use serde_json::json;
use wego_proto::{
    id::{CityId, RecordId},
    v1::RecordSummary,
};

use super::{
    Lang, Reading, Settings, data_json,
    plan::{Plan, Unchanged},
};

mod identity;

const OWNER: CityId = CityId::new([7; 32]);

fn read(identifiers: &[&str]) -> Reading {
    let dataset = |id: &&str| match *id {
        "unnamed" => json!({}),
        id if id.starts_with("bad-") => json!({"identifier": id}),
        id => json!({"title": id, "identifier": id, "publisher": "P"}),
    };
    let records: Vec<_> = identifiers.iter().map(dataset).collect();
    data_json::read(json!({"dataset": records}).to_string().as_bytes(), &settings()).expect("a catalogue")
}

fn settings() -> Settings {
    Settings {
        source: "src".to_owned(),
        imported_from: String::new(),
        jurisdiction: None,
        lang: Lang::Declared { or: "en".to_owned() },
        text_licence: "CC0-1.0".to_owned(),
        publisher: None,
        encoding: None,
    }
}

/// What a node lists after `identifiers` were imported.
fn listed(identifiers: &[&str]) -> Vec<RecordSummary> {
    read(identifiers)
        .items
        .into_iter()
        .map(|item| RecordSummary {
            record_id: RecordId::imported(&OWNER, "src", &item.identifier).as_bytes().to_vec(),
            source_hash: item.source_hash,
            identifier: item.identifier,
            source_id: "src".to_owned(),
            ..Default::default()
        })
        .collect()
}

fn plan(now: &[&str], before: &[RecordSummary]) -> Plan {
    Plan::new(&mut read(now), before, &OWNER, "src", Unchanged::Leave)
}

fn gone(plan: &Plan) -> Vec<&str> {
    plan.withdraw.iter().map(|gone| gone.identifier.as_str()).collect()
}

#[test]
fn a_second_import_of_the_same_changes_nothing() {
    let plan = plan(&["a", "b"], &listed(&["a", "b"]));
    assert_eq!((plan.add.len(), plan.change.len(), plan.unchanged, plan.withdraw.len()), (0, 0, 2, 0));
}

#[test]
fn what_is_new_is_added_what_changed_is_revised_and_what_vanished_is_withdrawn() {
    let mut before = listed(&["a", "b", "c"]);
    before[1].source_hash = "other".to_owned();
    let plan = plan(&["a", "b", "d"], &before);
    assert_eq!((plan.add[0].item.identifier.as_str(), plan.change[0].item.identifier.as_str()), ("d", "b"));
    assert_eq!((plan.unchanged, gone(&plan)), (1, vec!["c"]));
    let refreshed = Plan::new(&mut read(&["a"]), &before, &OWNER, "src", Unchanged::Send);
    assert_eq!((refreshed.change.len(), refreshed.unchanged), (1, 0));
}

#[test]
fn a_record_that_became_bad_is_not_taken_for_vanished() {
    let mut before = listed(&["a", "b"]);
    before[1].record_id = RecordId::imported(&OWNER, "src", "bad-b").as_bytes().to_vec();
    assert_eq!(gone(&plan(&["a", "bad-b"], &before)), Vec::<&str>::new());
    // A bad record without a name may be any of them.
    assert_eq!(gone(&plan(&["a", "unnamed"], &before)), Vec::<&str>::new());
    assert_eq!(gone(&plan(&["a"], &before)), ["b"]);
}

#[test]
fn what_a_person_removed_stays_away_and_what_an_import_withdrew_comes_back() {
    let before = listed(&["hand", "import", "erased", "stands"]);
    let removed = |erased: bool, reason: &str, record: &RecordSummary| RecordSummary {
        retracted: true,
        retract_reason: reason.to_owned(),
        erased_by: erased.then(Default::default),
        ..record.clone()
    };
    // Of what was erased the node knows nothing but the id.
    let erased = RecordSummary { record_id: before[2].record_id.clone(), ..Default::default() };
    let before = [
        removed(false, "a mistake", &before[0]),
        removed(false, "no longer in the source src", &before[1]),
        removed(true, "", &erased),
        before[3].clone(),
    ];
    let mut plan = plan(&["hand", "import", "erased", "stands"], &before);
    let held: Vec<_> = plan.held.iter().map(|held| (held.step.item.identifier.as_str(), held.why)).collect();
    assert_eq!(held, [("hand", "withdrawn by hand"), ("erased", "erased")]);
    assert_eq!((plan.add.len(), plan.unchanged, plan.published), (0, 1, 1));
    assert_eq!(plan.change[0].item.identifier, "import");
    plan.restore();
    assert_eq!((plan.change.len(), plan.held.len()), (3, 0));
    assert_eq!(plan.change[2].record_id.as_bytes(), before[2].record_id.as_slice());
}

#[test]
fn a_withdrawn_record_is_never_withdrawn_twice() {
    let mut before = listed(&["a", "b"]);
    before.iter_mut().for_each(|record| record.retracted = true);
    let plan = plan(&["a"], &before);
    assert_eq!((plan.add.len(), plan.held.len(), plan.withdraw.len(), plan.published), (0, 1, 0, 0));
}

#[test]
fn a_source_that_shrank_too_much_needs_a_yes() {
    let before = listed(&["a", "b", "c", "d", "e"]);
    assert!(!plan(&["a", "b", "c", "d"], &before).withdraws_over(20));
    assert!(plan(&["a", "b", "c"], &before).withdraws_over(20));
    assert!(plan(&["a", "b", "c", "d"], &before).withdraws_over(0));
}
