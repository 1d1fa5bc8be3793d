//! Claims about receipts: whose count, when one is made, to whom it goes.

use wego_proto::id::{Position, StoreId};

use super::*;
use crate::{
    limits,
    session::Side,
    sim::Federation,
    state::{
        Input, Start,
        recovery::tests::reign,
        tests::{speaker, start_of},
    },
};

const NOW: u64 = 1_000_000;

struct Bench {
    federation: Federation,
    state: State,
}

impl Bench {
    fn new(members: usize) -> Self {
        let federation = Federation::new(members);
        let state = state_of(&federation, 0, vec![]);
        Self { federation, state }
    }

    fn applies(&mut self, now_ms: u64, seq: u64, urgency: Urgency) -> Vec<Output> {
        self.state.handle(now_ms, Input::Applied(applied(seq, urgency)))
    }

    /// Opens a session with a member, which knows nothing.
    fn meet(&mut self, conn: u64, member: usize) -> Vec<Output> {
        let (conn, origin) = (ConnId(conn), self.federation.origin(member));
        self.state.handle(
            NOW,
            Input::Connected { conn, member: origin, speaker: speaker(origin.0), side: Side::Accepted },
        );
        let other = state_of(&self.federation, member, vec![]);
        let hello = other.me.hello(&other.roster, other.board.digest(), NOW, 0);
        self.state.handle(NOW, Input::Received { conn, body: Body::Hello(hello) });
        self.hears(conn, v1::Receipts::default())
    }

    fn hears(&mut self, conn: ConnId, receipts: v1::Receipts) -> Vec<Output> {
        self.state.handle(NOW, Input::Received { conn, body: Body::Receipts(receipts) })
    }

    /// A receipt that a member signs for having applied so much of the first log.
    fn receipt_of(&self, member: usize, counter: u64, store: u8, seq: u64) -> v1::SignedReceipt {
        let origin = self.federation.origin(member);
        let draft = Draft {
            member: origin,
            key_no: 1,
            at: Position::FIRST,
            counter,
            store: StoreId::new([store; 16]),
            roster_version: 1,
            applied: vec![((Origin(1), 1), seq)],
        };
        Receipt::sign(draft, &self.federation.roster, &self.federation.log_key(origin)).signed().clone()
    }

    fn known(&self, member: usize) -> Option<(u64, u64)> {
        let receipts = self.state.receipts();
        let receipt = receipts.get(&self.federation.origin(member))?;
        Some((receipt.counter, receipt.applied_through((Origin(1), 1))))
    }
}

fn applied(seq: u64, urgency: Urgency) -> Applied {
    Applied { logs: [((Origin(1), 1), seq)].into(), roster_version: 1, urgency }
}

fn state_of(federation: &Federation, node: usize, receipts: Vec<v1::SignedReceipt>) -> State {
    State::new(Start { receipts, ..start_of(federation, node) })
}

fn many(receipts: Vec<v1::SignedReceipt>) -> v1::Receipts {
    v1::Receipts { known: vec![], receipts }
}

/// To whom receipts are sent, and how many.
fn sent(outputs: &[Output]) -> Vec<(u64, usize)> {
    let one = |output: &Output| match output {
        Output::Send(conn, Body::Receipts(message)) => Some((conn.0, message.receipts.len())),
        _ => None,
    };
    outputs.iter().filter_map(one).collect()
}

fn refused(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| matches!(output, Output::Disconnect(..)))
}

#[test]
fn a_receipt_is_made_at_most_once_a_minute_and_at_once_after_an_erasure() {
    let mut bench = Bench::new(3);
    bench.applies(NOW, 1, Urgency::InTurn);
    assert_eq!(bench.known(0), Some((NOW, 1)), "the first comes at once");
    bench.applies(NOW + 5, 2, Urgency::InTurn);
    assert_eq!(bench.known(0), Some((NOW, 1)), "the next one waits");
    let due = NOW + limits::RECEIPTS_MS;
    assert!(bench.state.next_deadline_ms().is_some_and(|at| at <= due));
    bench.state.handle(due, Input::Tick);
    assert_eq!(bench.known(0), Some((due, 2)), "and comes in its turn");
    bench.applies(due + 1, 3, Urgency::Now);
    assert_eq!(bench.known(0), Some((due + 1, 3)), "an erasure does not wait");
    let outputs = bench.applies(due + limits::RECEIPTS_MS * 2, 3, Urgency::InTurn);
    assert!(outputs.is_empty(), "without news nothing is said: {outputs:?}");
}

#[test]
fn many_erasures_make_a_receipt_every_few_seconds() {
    let mut bench = Bench::new(3);
    let mut made = Vec::new();
    for (seq, ms) in (1..).zip((0..60_000).step_by(100)) {
        bench.applies(NOW + ms, seq, Urgency::Now);
        made.extend(bench.known(0));
        let waits = bench.known(0).is_some_and(|(_, said)| said < seq);
        let due = bench.state.next_deadline_ms().is_some_and(|at| at <= NOW + ms + URGENT_RECEIPTS_MS);
        assert!(!waits || due, "the last erasure waits no longer");
    }
    made.dedup();
    assert_eq!(made.len() as u64, 60_000 / URGENT_RECEIPTS_MS, "{made:?}");
    let due = NOW + 60_000;
    bench.state.handle(due, Input::Tick);
    assert_eq!(bench.known(0), Some((due, 600)), "and what waited is said");
}

#[test]
fn members_of_a_large_federation_say_less_each() {
    let interval = |members| Bench::new(members).state.interval_ms(limits::RECEIPTS_MS);
    assert_eq!(interval(3), limits::RECEIPTS_MS);
    assert_eq!(interval(120), 120_000, "a second for each member");
}

#[test]
fn with_one_database_no_receipt_names_less_than_the_one_before() {
    let mut bench = Bench::new(2);
    bench.applies(NOW, 9, Urgency::Now);
    bench.applies(NOW + URGENT_RECEIPTS_MS, 4, Urgency::Now);
    assert_eq!(bench.known(0).map(|(_, seq)| seq), Some(9), "its own");
    bench.meet(1, 1);
    bench.hears(ConnId(1), many(vec![bench.receipt_of(1, 10, 1, 9)]));
    assert_eq!(bench.known(1), Some((10, 9)));
    bench.hears(ConnId(1), many(vec![bench.receipt_of(1, 11, 1, 8)]));
    assert_eq!(bench.known(1), Some((10, 9)), "who takes back its word is not heard");
    bench.hears(ConnId(1), many(vec![bench.receipt_of(1, 12, 2, 3)]));
    assert_eq!(bench.known(1), Some((12, 3)), "a new database has applied what it has");
}

#[test]
fn news_goes_to_everybody_who_lacks_it_and_not_back() {
    let mut bench = Bench::new(4);
    bench.meet(1, 1);
    bench.meet(2, 2);
    let receipt = bench.receipt_of(3, 5, 3, 1);
    let outputs = bench.hears(ConnId(1), many(vec![receipt.clone()]));
    assert_eq!(sent(&outputs), [(2, 1)]);
    assert!(outputs.iter().any(|output| matches!(output, Output::KeepReceipts(_))), "and it is kept");
    let outputs = bench.hears(ConnId(2), many(vec![receipt, bench.receipt_of(3, 4, 3, 1)]));
    assert!(outputs.is_empty(), "what is no news goes nowhere: {outputs:?}");
    let outputs = bench.meet(3, 3);
    assert_eq!(sent(&outputs), [(3, 1)], "who comes later is told what it lacks");
}

#[test]
fn only_what_an_active_member_signed_counts() {
    let mut bench = Bench::new(2);
    bench.meet(1, 1);
    let stranger = Bench::new(5).receipt_of(4, 9, 1, 9);
    assert!(!refused(&bench.hears(ConnId(1), many(vec![stranger]))), "the roster may be on its way");
    assert!(bench.state.receipts().is_empty());
    let forged = v1::SignedReceipt { signature: vec![7; 64], ..bench.receipt_of(1, 9, 1, 9) };
    assert!(refused(&bench.hears(ConnId(1), many(vec![forged]))), "who passes it on has not looked at it");
    assert!(bench.state.receipts().is_empty());
}

#[test]
fn one_receipt_too_many_and_one_log_too_many_are_refused() {
    let mut bench = Bench::new(2);
    bench.meet(1, 1);
    let one = bench.receipt_of(1, 9, 1, 9);
    let flood = many(vec![one; RECEIPTS_PER_MESSAGE_MAX + 1]);
    assert!(refused(&bench.hears(ConnId(1), flood)));
    bench.meet(2, 1);
    let known = vec![v1::ReceiptKnown::default(); HEADS_PER_MESSAGE_MAX + 1];
    assert!(refused(&bench.hears(ConnId(2), v1::Receipts { known, receipts: vec![] })));
    bench.meet(3, 1);
    let draft = Draft {
        member: Origin(2),
        key_no: 1,
        at: Position::FIRST,
        counter: 1,
        store: StoreId::new([1; 16]),
        roster_version: 1,
        applied: (0..=RECEIPT_LOGS_MAX as u32).map(|n| ((Origin(n), 1), 1)).collect(),
    };
    let key = bench.federation.log_key(Origin(2));
    let long = Receipt::sign(draft, &bench.federation.roster, &key).signed().clone();
    assert!(refused(&bench.hears(ConnId(3), many(vec![long]))));
    assert!(bench.state.receipts().is_empty());
}

#[test]
fn receipts_are_known_again_after_a_restart_if_they_verify() {
    let bench = Bench::new(3);
    let damaged = v1::SignedReceipt { signature: vec![0; 64], ..bench.receipt_of(2, 4, 1, 1) };
    let state = state_of(&bench.federation, 0, vec![bench.receipt_of(1, 9, 1, 7), damaged]);
    assert_eq!(state.receipts().keys().copied().collect::<Vec<_>>(), [Origin(2)]);
}

#[test]
fn who_stole_a_key_that_gave_way_speaks_for_nobody_any_more() {
    let mut bench = Bench::new(3);
    bench.meet(1, 1);
    bench.hears(ConnId(1), many(vec![bench.receipt_of(2, u64::MAX, 7, u64::MAX)]));
    assert_eq!(bench.known(2), Some((u64::MAX, u64::MAX)), "while it is in force, it is the member");
    let (_, epoch) = reign(&bench.federation, 2);
    let number = epoch.number;
    bench.state.opened(NOW, Origin(3), vec![epoch]);
    assert_eq!(bench.known(2), None, "what it said is forgotten");
    bench.hears(ConnId(1), many(vec![bench.receipt_of(2, u64::MAX, 7, u64::MAX)]));
    assert_eq!(bench.known(2), None, "and not heard again");
    let draft = Draft {
        member: Origin(3),
        key_no: 2,
        at: Position { epoch: number, seq: 2 },
        counter: 5,
        store: StoreId::new([7; 16]),
        roster_version: 1,
        applied: vec![((Origin(1), 1), 3)],
    };
    let key = bench.federation.next_log_key(Origin(3));
    let own = Receipt::sign(draft, bench.state.roster(), &key).signed().clone();
    bench.hears(ConnId(1), many(vec![own]));
    assert_eq!(bench.known(2), Some((5, 3)), "the owner is heard, whatever the thief had claimed");
}

#[test]
fn what_was_named_before_is_named_again_when_there_is_no_room_for_all() {
    let log = |n: usize| ((Origin(n as u32), 1), 1);
    let named: Vec<_> = (10..RECEIPT_LOGS_MAX + 5).map(log).collect();
    let all = (0..RECEIPT_LOGS_MAX + 50).map(log).collect();
    let bounded = bounded(all, &named);
    assert_eq!(bounded.len(), RECEIPT_LOGS_MAX);
    assert!(named.iter().all(|log| bounded.contains(log)));
}
