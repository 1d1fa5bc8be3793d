//! Claims about what a member's log says of its transport keys.

use wego_proto::{id::Hash, key::SecretKey, v1::EntryKind};

use super::*;
use crate::{sim::Federation, standing::Standing, state::recovery::tests::reign as recovered};

const SEOUL: Origin = Origin(1);

struct Bench {
    federation: Federation,
    roster: History,
}

impl Bench {
    fn new() -> Self {
        let federation = Federation::new(2);
        Self { roster: federation.roster.clone(), federation }
    }

    fn old(&self) -> SecretKey {
        self.federation.transport_key(SEOUL)
    }

    /// A change with this number, to these keys, proved by those.
    fn says(&self, seq: u64, number: u32, keys: &[&SecretKey], proofs: &[&SecretKey]) -> Header {
        let change = EndpointChange {
            endpoints: vec!["seoul.example:7400".to_owned()],
            transport_keys: keys.iter().map(|key| key.public()).collect(),
            number,
            proofs: Vec::new(),
        };
        let change = change.proved_by(&self.roster.ground(SEOUL), proofs);
        Header {
            origin: SEOUL,
            at: Position { epoch: 1, seq },
            prev: Hash::new([1; 32]),
            key_no: 1,
            roster_version: 1,
            hlc_ms: seq,
            kind: EntryKind::Endpoint as i32,
            record_id: None,
            base: None,
            payload: None,
            record_kind: 0,
            request_id: None,
            epoch_start: None,
            recovery_key: None,
            endpoint_change: Some(change),
            presentation: None,
            erase: None,
        }
    }

    /// The log's word on its name, by an author that knew this roster version.
    fn calls(&self, roster_version: u64, name: &str, portal_url: Option<&str>) -> Header {
        let names = match name {
            "" => Vec::new(),
            name => vec![v1::MemberName { lang: "en".to_owned(), text: name.to_owned() }],
        };
        let said = Presentation { names, portal_url: portal_url.map(str::to_owned) };
        let plain = self.says(4, 1, &[], &[]);
        Header { endpoint_change: None, presentation: Some(said), roster_version, ..plain }
    }

    fn adopts(&mut self, change: impl FnOnce(&mut v1::Member)) {
        let next = self.federation.next_version(|roster| change(&mut roster.members[0]));
        self.federation.roster.adopt(next.clone()).unwrap();
        self.roster.adopt(next).unwrap();
    }

    fn name(&self) -> &str {
        &self.roster.names(SEOUL)[0].text
    }

    fn speaks(&self, key: &SecretKey) -> bool {
        self.roster.speaker(&key.public()).is_some_and(|member| member.origin == SEOUL)
    }
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32].into())
}

#[test]
fn one_key_takes_over_from_another_in_two_steps() {
    let mut bench = Bench::new();
    let (old, new) = (bench.old(), key(50));
    let both = bench.says(4, 1, &[&old, &new], &[&old, &new]);
    assert!(bench.roster.hear(SEOUL, std::slice::from_ref(&both)));
    assert!(bench.speaks(&old) && bench.speaks(&new));
    let alone = bench.says(5, 2, &[&new], &[&new]);
    assert!(bench.roster.hear(SEOUL, &[both.clone(), alone.clone()]));
    assert!(!bench.speaks(&old) && bench.speaks(&new));
    assert!(!bench.roster.hear(SEOUL, &[both, alone]), "once is enough");
}

#[test]
fn a_thief_of_the_log_key_cannot_take_back_what_was_heard_and_the_recovery_key_can() {
    let mut bench = Bench::new();
    let (old, new, thief) = (bench.old(), key(50), key(60));
    let both = bench.says(4, 1, &[&old, &new], &[&old, &new]);
    let alone = bench.says(5, 2, &[&new], &[&new]);
    bench.roster.hear(SEOUL, &[both, alone]);
    let posing = bench.says(6, 9, &[&thief], &[&thief]);
    assert!(!bench.roster.hear(SEOUL, &[posing]), "nobody who was known agrees");
    // A fork, or an epoch that goes on from before, and nothing counts of it.
    assert!(!bench.roster.hear(SEOUL, &[]));
    assert!(bench.speaks(&new) && !bench.speaks(&old));
    let (_, epoch) = recovered(&bench.federation, 0);
    bench.roster.hold(SEOUL, epoch);
    assert!(bench.roster.hear(SEOUL, &[]));
    assert!(bench.speaks(&old) && !bench.speaks(&new), "whoever recovers says what counts");
}

#[test]
fn of_many_changes_no_more_are_asked_for_than_are_looked_at() {
    let mut bench = Bench::new();
    let old = bench.old();
    let change = |number| bench.says(u64::from(number), number, &[&old], &[&old]);
    let all: Vec<_> = (1..=ENDPOINT_CHANGES_MAX as u32).map(change).collect();
    bench.roster.hear(SEOUL, &all[1..]);
    assert!(bench.roster.has_room_for_a_change(SEOUL));
    bench.roster.hear(SEOUL, &all);
    assert!(!bench.roster.has_room_for_a_change(SEOUL));
}

#[test]
fn nobody_speaks_for_two_members() {
    let mut bench = Bench::new();
    let (old, dakar) = (bench.old(), bench.federation.transport_key(Origin(2)));
    let posing = bench.says(4, 1, &[&old, &dakar], &[&old]);
    assert!(!bench.roster.hear(SEOUL, &[posing]));
    assert!(!bench.speaks(&dakar));
}

#[test]
fn the_last_word_of_the_log_on_a_name_holds_until_the_roster_says_something_new_of_it() {
    let mut bench = Bench::new();
    let given = bench.name().to_owned();
    let said = bench.calls(1, "Seoul Metropolitan Government", Some("https://wego.seoul.go.kr/"));
    assert!(bench.roster.hear_presentation(SEOUL, Some(&said)));
    assert!(!bench.roster.hear_presentation(SEOUL, Some(&said)), "once is enough");
    assert_eq!(bench.name(), "Seoul Metropolitan Government");
    assert_eq!(bench.roster.portal_url(SEOUL), "https://wego.seoul.go.kr/");
    // What it does not speak of is as the roster has it.
    assert!(bench.roster.hear_presentation(SEOUL, Some(&bench.calls(1, "", Some("")))));
    assert_eq!((bench.name(), bench.roster.portal_url(SEOUL)), (given.as_str(), ""));
    // A fork, a cut or another epoch has made it void.
    assert!(bench.roster.hear_presentation(SEOUL, None));
    assert_eq!(bench.name(), given);

    bench.adopts(|member| member.names[0].text = "Soul".to_owned());
    assert!(!bench.roster.hear_presentation(SEOUL, Some(&said)), "its author did not know the roster's word");
    assert_eq!(bench.name(), "Soul");
    assert!(bench.roster.hear_presentation(SEOUL, Some(&bench.calls(2, "Seoul", None))));
    bench.adopts(|member| member.country = "KP".to_owned());
    assert!(
        !bench.roster.hear_presentation(SEOUL, Some(&bench.calls(2, "Seoul", None))),
        "it spoke of something else"
    );
    assert_eq!(bench.name(), "Seoul");
}

#[test]
fn the_keys_of_a_member_are_those_of_its_epochs_each_with_its_range() {
    let mut bench = Bench::new();
    let shown = |roster: &History| {
        let standing = Standing::of(roster.epochs(SEOUL), &BTreeMap::new(), None);
        roster.log_keys(SEOUL, Some(&standing))
    };
    let first = shown(&bench.roster);
    assert_eq!(first.len(), 1);
    assert!(first[0].until.is_none() && first[0].key_no == 1);
    let before = bench.roster.committed(SEOUL);
    let base = Position { epoch: 1, seq: 57 };
    let epoch = Epoch { base, ..recovered(&bench.federation, 0).1 };
    bench.roster.hold(SEOUL, epoch.clone());
    let now = shown(&bench.roster);
    assert_eq!(now.len(), 2, "{now:?}");
    let next = v1::Position { epoch: epoch.base.epoch, seq: epoch.base.seq + 1 };
    assert_eq!((now[0].until, now[0].key.clone()), (Some(next), first[0].key.clone()));
    assert_eq!(now[1].from, Some(v1::Position { epoch: epoch.number, seq: 1 }));
    assert_eq!((now[1].key.as_slice(), now[1].until), (epoch.key.as_bytes().as_slice(), None));
    assert_eq!(bench.roster.committed(SEOUL).next_log_key, epoch.next_digest);
    assert_eq!(bench.roster.committed(SEOUL).recovery, before.recovery);
    // Expelled before the second epoch: nothing signs any more.
    let cut = wego_proto::roster::Cut { at: Position { epoch: 1, seq: 1 }, hash: Hash::new([1; 32]) };
    let cut = Standing::of(bench.roster.epochs(SEOUL), &BTreeMap::new(), Some(cut));
    let cut = bench.roster.log_keys(SEOUL, Some(&cut));
    assert!(cut.iter().all(|key| key.until.is_some()), "{cut:?}");
}
