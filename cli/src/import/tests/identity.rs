//! Claims about datasets that bear one identifier: told apart, in any order, over months.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wego_proto::{id::RecordId, record::v1::LangText, v1::RecordSummary};

use super::{super::plan::gone_from, *};

/// A layer of a map service; all bear one identifier.
fn layer(title: &str, service: u32) -> Value {
    json!({"title": title, "identifier": "hub", "publisher": "P",
        "distribution": [{"accessURL": format!("https://gis.example/rest/services/Base/MapServer/{service}")}]})
}

fn read_layers(layers: &[Value]) -> Reading {
    let settings = settings();
    data_json::read(json!({"dataset": layers}).to_string().as_bytes(), &settings).expect("a catalogue")
}

/// What a node holds, month by month.
#[derive(Default)]
struct Node {
    records: BTreeMap<RecordId, RecordSummary>,
}

impl Node {
    /// Imports, and says which record each title is now.
    fn import(&mut self, layers: &[Value]) -> (BTreeMap<String, RecordId>, Plan) {
        let listed: Vec<RecordSummary> = self.records.values().cloned().collect();
        let plan = Plan::new(&mut read_layers(layers), &listed, &OWNER, "src", Unchanged::Leave);
        for step in plan.add.iter().chain(&plan.change) {
            let title = |text: &String| LangText { text: text.clone(), ..Default::default() };
            let summary = RecordSummary {
                record_id: step.record_id.as_bytes().to_vec(),
                source_id: "src".to_owned(),
                source_hash: step.item.source_hash.clone(),
                identifier: step.item.identifier.clone(),
                title: step.item.titles.iter().map(title).collect(),
                ..Default::default()
            };
            assert_eq!(summary.record_id.len(), 16);
            self.records.insert(step.record_id, summary);
        }
        for gone in &plan.withdraw {
            let record = self.records.get_mut(&gone.record_id).expect("a record");
            (record.retracted, record.retract_reason) = (true, gone_from("src"));
        }
        (self.standing(), plan)
    }

    fn standing(&self) -> BTreeMap<String, RecordId> {
        let standing =
            self.records.iter().filter(|(_, record)| !record.retracted && record.erased_by.is_none());
        standing.map(|(id, record)| (record.title[0].text.clone(), *id)).collect()
    }

    fn erase(&mut self, id: RecordId) {
        let record_id = id.as_bytes().to_vec();
        let left = RecordSummary {
            record_id,
            retracted: true,
            erased_by: Some(Default::default()),
            ..Default::default()
        };
        self.records.insert(id, left);
    }
}

#[test]
fn datasets_of_one_identifier_are_all_taken_and_keep_their_records_in_any_order() {
    let [lakes, rivers, roads] = [layer("Lakes", 0), layer("Rivers", 1), layer("Roads", 2)];
    let mut node = Node::default();
    let (first, _) = node.import(&[lakes.clone(), rivers.clone(), roads.clone()]);
    assert_eq!(first.len(), 3);
    let (second, plan) = node.import(&[roads.clone(), lakes.clone(), rivers.clone()]);
    assert_eq!((second, plan.unchanged, plan.withdraw.len()), (first.clone(), 3, 0));
    let (other_order, _) = Node::default().import(&[roads.clone(), rivers.clone(), lakes.clone()]);
    assert_eq!(other_order, first, "nor does the order of the first import matter");
    // One comes, one goes, one moves, one is renamed: each stays what it was.
    let (third, plan) = node.import(&[layer("Wells", 3), layer("Rivers", 7), lakes.clone()]);
    assert_eq!((third["Lakes"], third["Rivers"]), (first["Lakes"], first["Rivers"]));
    assert_eq!((plan.add.len(), plan.change.len(), plan.withdraw.len()), (1, 1, 1));
    let (fourth, _) = node.import(&[roads, layer("Lakes and ponds", 0), layer("Rivers", 7)]);
    assert_eq!((fourth["Lakes and ponds"], fourth["Roads"]), (first["Lakes"], first["Roads"]));
}

#[test]
fn a_dataset_that_was_alone_keeps_its_record_when_others_join_and_leave() {
    let mut node = Node::default();
    let plain = RecordId::imported(&OWNER, "src", "hub");
    let (alone, _) = node.import(&[layer("Lakes", 0)]);
    assert_eq!(alone["Lakes"], plain);
    let (joined, plan) = node.import(&[layer("Rivers", 1), layer("Lakes", 0)]);
    assert_eq!((joined["Lakes"], plan.withdraw.len()), (plain, 0));
    let (left, plan) = node.import(&[layer("Rivers", 1)]);
    assert_eq!((left["Rivers"], left.len(), plan.withdraw.len()), (joined["Rivers"], 1, 1));
}

#[test]
fn datasets_of_one_service_are_told_apart_by_their_titles() {
    let mut node = Node::default();
    let (first, _) = node.import(&[layer("Lakes", 0), layer("Rivers", 0)]);
    let (second, plan) = node.import(&[layer("Rivers", 0), layer("Wells", 0), layer("Lakes", 0)]);
    assert_eq!((second["Lakes"], second["Rivers"], plan.add.len()), (first["Lakes"], first["Rivers"], 1));
    let described = |text: &str| {
        let mut layer = layer("Lakes", 0);
        layer["description"] = text.into();
        layer
    };
    let (twins, _) = Node::default().import(&[described("a"), described("b")]);
    assert_eq!(twins.len(), 1, "of one title");
    let plan = Node::default().import(&[described("a"), described("b")]).1;
    assert_ne!(plan.add[0].record_id, plan.add[1].record_id);
}

#[test]
fn what_was_erased_stays_away_whoever_joins_or_leaves() {
    // Alone when it was erased, and one of two afterwards.
    let mut node = Node::default();
    let (first, _) = node.import(&[layer("Lakes", 0)]);
    node.erase(first["Lakes"]);
    let (_, plan) = node.import(&[layer("Lakes", 0)]);
    assert_eq!((plan.add.len(), plan.held.len()), (0, 1));
    let (now, plan) = node.import(&[layer("Rivers", 1), layer("Lakes", 0)]);
    assert_eq!(
        (now.len(), plan.held.len()),
        (0, 2),
        "which of them it was cannot be told: both wait for a yes"
    );
    // One of two when it was erased, and alone afterwards.
    let mut node = Node::default();
    let (first, _) = node.import(&[layer("Lakes", 0), layer("Rivers", 1)]);
    node.erase(first["Lakes"]);
    for layers in [&[layer("Lakes", 0)][..], &[layer("Rivers", 1), layer("Lakes", 0)]] {
        let (now, plan) = node.import(layers);
        assert!(!now.contains_key("Lakes"));
        assert_eq!(plan.held.len(), 1);
    }
    // Restored, each gets a record of its own.
    let mut node = Node::default();
    let (first, _) = node.import(&[layer("Lakes", 0)]);
    node.erase(first["Lakes"]);
    let (_, mut plan) = node.import(&[layer("Rivers", 1), layer("Lakes", 0)]);
    plan.restore();
    assert_ne!(plan.change[0].record_id, plan.change[1].record_id);
}

#[test]
fn a_part_names_its_whole_where_there_is_exactly_one() {
    let part =
        |whole: &str| json!({"title": "Part", "identifier": "part", "publisher": "P", "isPartOf": whole});
    let whole = json!({"title": "Whole", "identifier": "whole", "publisher": "P"});
    let mut reading = read_layers(&[part("whole"), whole.clone()]);
    let plan = Plan::new(&mut reading, &[], &OWNER, "src", Unchanged::Leave);
    let relations = plan.add[0].item.dataset.core.clone().expect("core").relations;
    assert_eq!((relations[0].r#type.as_str(), relations.len()), ("part_of", 1));
    assert_eq!(relations[0].target, plan.add[1].record_id.to_string());
    for other in ["elsewhere", "part"] {
        let mut reading = read_layers(&[part(other), whole.clone()]);
        Plan::new(&mut reading, &[], &OWNER, "src", Unchanged::Leave);
        assert_eq!(reading.left_out.values().map(|tally| tally.count).sum::<usize>(), 1, "{other}");
    }
}
