//! Everything that can happen to three nodes in six events, and what must hold whatever happened.
//!
//! An event is a version handed in at some node, alone or while it is connected to another, or two nodes that meet,
//! perhaps only for a few messages. Nodes start from their disks for every event, so a restart lies before each.
//! Worlds that are alike are looked at once.

use std::collections::{BTreeMap, BTreeSet};

use wego_proto::{id::Hash, roster::Draft, v1};

use super::bench::{Disk, after, genesis, hash, meet, settling, signed, submit, submit_while_connected};

const NODES: usize = 3;
const EVENTS: usize = 6;
const PAIRS: [[usize; 2]; 3] = [[0, 1], [1, 2], [0, 2]];
/// A connection breaks after both hellos and some of what follows them.
const BREAKS_AFTER: usize = 4;

type World = Vec<Disk>;

/// A version and the node whose operator has it.
type Hand = (usize, v1::SignedRoster);

/// Every world that `hands` and meetings can lead to, after at most `events` of them.
fn worlds(hands: &[Hand], events: usize) -> BTreeSet<World> {
    let begin: World = (0..NODES).map(|_| Disk::new()).collect();
    let mut seen = BTreeSet::from([begin.clone()]);
    let mut edge = vec![begin];
    for _ in 0..events {
        let next: Vec<_> = edge.iter().flat_map(|world| successors(world, hands)).collect();
        edge = next.into_iter().filter(|world| seen.insert(world.clone())).collect();
    }
    seen
}

fn successors(world: &World, hands: &[Hand]) -> Vec<World> {
    let after = |event: &dyn Fn(&mut World)| {
        let mut world = world.clone();
        event(&mut world);
        world
    };
    let mut next = Vec::new();
    for (node, version) in hands {
        next.push(after(&|world| submit(world, *node, version)));
        let other = (node + 1) % NODES;
        next.push(after(&|world| submit_while_connected(world, [*node, other], version)));
    }
    for pair in PAIRS {
        next.push(after(&|world| meet(world, pair, usize::MAX)));
        next.push(after(&|world| meet(world, pair, BREAKS_AFTER)));
    }
    next
}

/// What worlds become when everybody meets everybody until nobody learns anything.
#[derive(Default)]
struct Healer(BTreeMap<World, World>);

impl Healer {
    fn heal(&mut self, world: World) -> World {
        if let Some(healed) = self.0.get(&world) {
            return healed.clone();
        }
        let mut next = world.clone();
        for pair in PAIRS {
            meet(&mut next, pair, usize::MAX);
        }
        let healed = if next == world { next } else { self.heal(next) };
        self.0.insert(world, healed.clone());
        healed
    }
}

fn agree(world: &World) {
    for disk in &world[1..] {
        assert_eq!(disk.roster().hash(), world[0].roster().hash());
        assert!(disk.proposals == world[0].proposals, "{:?} {:?}", names(disk), names(&world[0]));
        assert_eq!(known(disk), known(&world[0]));
    }
}

/// The proposals with how many have signed each.
fn names(disk: &Disk) -> Vec<(String, usize)> {
    let name = |bytes: &Vec<u8>| {
        let signed: v1::SignedRoster = wego_proto::prost::Message::decode(bytes.as_slice()).expect("kept");
        let draft = Draft::parse(&signed.roster).expect("a roster");
        (draft.content.federation_name, signed.signatures.len())
    };
    disk.proposals.values().map(name).collect()
}

/// The conflicts, whatever surplus signatures were seen.
fn known(disk: &Disk) -> BTreeSet<(u64, Hash)> {
    disk.contested.keys().copied().collect()
}

/// Versions above the first that are in force somewhere, with how many worlds they are in.
fn in_force(worlds: &BTreeSet<World>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for roster in worlds.iter().flatten().map(Disk::roster).filter(|roster| roster.version() > 1) {
        *counts.entry(roster.content().federation_name.clone()).or_default() += 1;
    }
    counts
}

#[test]
fn fewer_than_a_threshold_of_keys_can_do_nothing_to_the_roster() {
    let first = genesis();
    let own = after(&first, "mine");
    // One key holder makes the key set its own, and signs with every key it has.
    let coup = v1::Roster {
        governance: Some(v1::Governance {
            keys: vec![super::bench::key(9).public().as_bytes().to_vec()],
            threshold: 1,
            ..Default::default()
        }),
        ..after(&first, "coup")
    };
    let hands = [(0, signed(&own, &[1])), (1, signed(&coup, &[1, 9])), (2, signed(&own, &[1, 9]))];
    let worlds = worlds(&hands, EVENTS);
    assert!(worlds.len() > 20, "{} worlds: nothing happened", worlds.len());
    assert_eq!(in_force(&worlds), BTreeMap::new());
    let mut healer = Healer::default();
    for world in worlds {
        agree(&healer.heal(world));
    }
}

#[test]
fn signatures_that_take_any_way_end_in_the_same_roster() {
    let first = genesis();
    let [one, other] = ["one", "other"].map(|name| after(&first, name));
    let hands = [(0, signed(&one, &[1])), (1, signed(&one, &[2])), (2, signed(&other, &[3]))];
    let worlds = worlds(&hands, EVENTS);
    assert!(in_force(&worlds).contains_key("one"));
    let mut healer = Healer::default();
    for world in worlds {
        let healed = healer.heal(world);
        agree(&healed);
        let signatures: usize = healed[0].proposals.len();
        let adopted = healed[0].roster().version() == 2;
        assert!(!adopted || signatures == 0, "what an adopted version supersedes is dropped");
    }
}

#[test]
fn a_conflict_is_known_to_everybody_and_settled_everywhere_alike() {
    let first = genesis();
    let (one, other) = (signed(&after(&first, "one"), &[1, 2]), signed(&after(&first, "other"), &[2, 3]));
    let settles = settling(&other, &one);
    let by = |signers| signed(&settles, signers);
    let hands = [(0, one.clone()), (1, other.clone()), (2, by(&[1, 3])), (0, by(&[2]))];
    let worlds = worlds(&hands, EVENTS);
    assert!(in_force(&worlds).contains_key("settled"), "{:?}", in_force(&worlds));
    let both = BTreeSet::from([(2, hash(&one)), (2, hash(&other))]);
    let mut healer = Healer::default();
    for world in worlds {
        let mut healed = healer.heal(world);
        if known(&healed[0]).is_empty() {
            agree(&healed);
            continue;
        }
        assert!(healed.iter().all(|disk| known(disk) == both));
        submit(&mut healed, 2, &signed(&settles, &[1, 3]));
        let healed = healer.heal(healed);
        agree(&healed);
        assert_eq!(healed[0].roster().content().federation_name, "settled");
        assert_eq!(chain(&healed[1]), ["simulated", "other", "settled"]);
    }
}

fn chain(disk: &Disk) -> Vec<String> {
    let name = |bytes: &Vec<u8>| {
        let signed: v1::SignedRoster = wego_proto::prost::Message::decode(bytes.as_slice()).expect("kept");
        Draft::parse(&signed.roster).expect("a roster").content.federation_name
    };
    disk.chain.iter().map(name).collect()
}
