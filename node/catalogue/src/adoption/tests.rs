//! Claims about the adoption graph, most of all that the order of arrival does not matter.

use proptest::prelude::*;
use wego_proto::record::v1::{Core, Practice, Relation};

use super::*;

const PRACTICE: RecordId = RecordId::new([1; 16]);

fn says(adopter: u32, seq: u64, record: u8, target: RecordId, stage: AdoptionStage) -> Statement {
    let adoption = Adoption { target_id: target.to_string(), stage: stage.into(), ..Default::default() };
    statement(adopter, seq, record, Some(adoption))
}

fn statement(adopter: u32, seq: u64, record: u8, said: Option<Adoption>) -> Statement {
    let at = Position { epoch: 1, seq };
    Statement { adopter: Origin(adopter), at, record_id: RecordId::new([record; 16]), said }
}

#[test]
fn the_newest_word_of_each_adopter_counts() {
    let graph = Graph::of([
        says(2, 5, 20, PRACTICE, AdoptionStage::Withdrawn),
        says(2, 1, 20, PRACTICE, AdoptionStage::Live),
        says(3, 9, 30, PRACTICE, AdoptionStage::Live),
    ]);
    assert_eq!(
        graph.counts(&PRACTICE),
        BTreeMap::from([(AdoptionStage::Live, 1), (AdoptionStage::Withdrawn, 1)])
    );
    assert_eq!(graph.counts(&RecordId::new([9; 16])), BTreeMap::new());
}

#[test]
fn a_retracted_record_gives_way_to_the_adopters_other_one() {
    let pilot = says(2, 1, 20, PRACTICE, AdoptionStage::Pilot);
    let live = says(2, 2, 21, PRACTICE, AdoptionStage::Live);
    let graph = Graph::of([pilot.clone(), live.clone(), statement(2, 3, 21, None)]);
    assert_eq!(graph.counts(&PRACTICE), BTreeMap::from([(AdoptionStage::Pilot, 1)]));
    assert_eq!(Graph::of([pilot, live]).counts(&PRACTICE), BTreeMap::from([(AdoptionStage::Live, 1)]));
}

#[test]
fn a_record_that_turns_to_another_practice_leaves_the_first() {
    let other = RecordId::new([2; 16]);
    let graph = Graph::of([
        says(2, 1, 20, PRACTICE, AdoptionStage::Live),
        says(2, 2, 20, other, AdoptionStage::Live),
        statement(3, 1, 30, Some(Adoption { target_id: "no id".to_owned(), ..Default::default() })),
    ]);
    assert_eq!(graph.adopters(&PRACTICE).count(), 0);
    assert_eq!(graph.adopters(&other).map(|(adopter, _)| adopter).collect::<Vec<_>>(), [Origin(2)]);
}

#[test]
fn use_reaches_through_derivations_and_ends_in_a_circle() {
    let ids = [1, 2, 3].map(|byte| RecordId::new([byte; 16]));
    let mut derivations = Derivations::default();
    for (child, parent) in [(1, 0), (2, 1), (0, 2)] {
        derivations.note(ids[child], &based_on(&ids[parent]));
    }
    let graph = Graph::of([
        says(5, 1, 50, ids[0], AdoptionStage::Live),
        says(6, 1, 60, ids[2], AdoptionStage::Live),
        says(6, 2, 61, ids[1], AdoptionStage::Withdrawn),
        says(7, 1, 70, ids[1], AdoptionStage::Pilot),
    ]);
    let reached = graph.reach(&ids[0], &derivations);
    assert_eq!(reached, BTreeMap::from([(Origin(5), 0), (Origin(6), 2), (Origin(7), 1)]));
}

fn based_on(parent: &RecordId) -> v1::Record {
    let relation = Relation { r#type: BASED_ON.to_owned(), target: parent.to_string() };
    let core = Core { relations: vec![relation], ..Default::default() };
    let practice = Practice { core: Some(core), ..Default::default() };
    v1::Record { kind: Some(v1::record::Kind::Practice(practice)) }
}

fn statements() -> impl Strategy<Value = Vec<Statement>> {
    let said = prop::option::of((0_u8..3, 0_i32..7));
    let one = (0_u32..4, 1_u64..12, 0_u8..3, said);
    prop::collection::vec(one, 0..40).prop_map(|all| {
        let unique: BTreeMap<_, _> = all.into_iter().map(|one| ((one.0, one.1), one)).collect();
        let spoken = |(adopter, seq, record, said): (u32, u64, u8, Option<(u8, i32)>)| {
            let said = said.map(|(target, stage)| Adoption {
                target_id: RecordId::new([target; 16]).to_string(),
                stage,
                ..Default::default()
            });
            statement(adopter, seq, record, said)
        };
        unique.into_values().map(spoken).collect()
    })
}

proptest! {
    #[test]
    fn any_order_of_arrival_gives_the_same_graph(
        (ordered, shuffled) in statements().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let twice = shuffled.iter().chain(&ordered).cloned();
        prop_assert_eq!(Graph::of(twice), Graph::of(ordered.clone()));
        prop_assert_eq!(Graph::of(shuffled), Graph::of(ordered));
    }
}
