//! Claims about sessions and limits: what a peer can do, and what it cannot.

use wego_proto::id::{Hash, Position, RequestId};

use super::*;
use crate::{limits, reject::Reject, session::Side, sim::Federation};

const NOW: u64 = 1_000_000;
const PEER: ConnId = ConnId(1);

struct Bench {
    federation: Federation,
    state: State,
}

impl Bench {
    fn new(members: usize) -> Self {
        let federation = Federation::new(members);
        let mut state = state_of(&federation, 0);
        // What a start puts out comes with the first input.
        state.handle(NOW, Input::Tick);
        Self { federation, state }
    }

    fn hello_of(&self, member: u32) -> v1::Hello {
        let other = state_of(&self.federation, member as usize - 1);
        other.me.hello(&other.roster, other.board.digest(), NOW, 0)
    }

    fn input(&mut self, input: Input) -> Vec<Output> {
        self.state.handle(NOW, input)
    }

    fn receive(&mut self, body: Body) -> Vec<Output> {
        self.input(Input::Received { conn: PEER, body })
    }

    /// Opens a session with member 2.
    fn meet(&mut self) {
        self.input(Input::Connected {
            conn: PEER,
            member: Origin(2),
            speaker: speaker(2),
            side: Side::Accepted,
        });
        let hello = self.hello_of(2);
        self.receive(Body::Hello(hello));
        assert_eq!(self.state.sessions().count(), 1);
    }

    /// Member 2 says that it has three entries of this node's own log; returns what it is asked.
    fn claim_more_of_the_own_log(&mut self) -> v1::Pull {
        let note = v1::Note { origin: 1, epoch: 1, seq: 3, hash8: vec![1; 8], want: 0 };
        let outputs = self.receive(Body::Notes(v1::Notes { notes: vec![note] }));
        let [Output::Send(PEER, Body::Pull(pull))] = outputs.as_slice() else { panic!("{outputs:?}") };
        *pull
    }

    fn digest(&self) -> Hash {
        self.state.board.digest()
    }
}

/// The transport key of a member of any simulated federation.
pub(in crate::state) fn speaker(member: u32) -> PublicKey {
    Federation::new(1).transport_key(Origin(member)).public()
}

fn state_of(federation: &Federation, node: usize) -> State {
    State::new(start_of(federation, node))
}

pub(in crate::state) fn start_of(federation: &Federation, node: usize) -> Start {
    let origin = federation.origin(node);
    Start {
        me: Me {
            origin,
            federation: federation.roster.federation(),
            store: StoreId::new([node as u8; 16]),
            node_id: *federation.transport_key(origin).public().as_bytes(),
            software: "test".to_owned(),
            run: crate::session::Start::sign(
                origin,
                [node as u8; 16],
                NOW,
                &federation.roster.federation(),
                &federation.log_key(origin),
            ),
        },
        key: federation.log_key(origin),
        roster: federation.roster.clone(),
        heads: vec![],
        locked: None,
        forks: vec![],
        receipts: vec![],
        footing: Footing::Sound,
        previous_run: None,
        now_ms: NOW,
        seed: 7,
        settings: Settings { quorum: Some(0), ..Settings::default() },
    }
}

fn refusal(outputs: &[Output]) -> Option<&Reject> {
    outputs.iter().find_map(|output| match output {
        Output::Disconnect(_, reject) => Some(reject),
        _ => None,
    })
}

pub(in crate::state) fn draft(n: u8) -> Draft {
    Draft {
        kind: 1,
        record_id: None,
        base: None,
        record_kind: 1,
        request_id: RequestId::new([n; 16]),
        payload: None,
        erase: None,
        endpoint_change: None,
        presentation: None,
    }
}

#[test]
fn after_a_restart_an_author_was_seen_when_it_signed_what_is_held() {
    let federation = Federation::new(3);
    let head = Head { at: Position::FIRST, hash: Hash::new([1; 32]) };
    let mut start = start_of(&federation, 0);
    start.heads = vec![(Origin(2), head, NOW - 5_000), (Origin(3), head, NOW + 5_000)];
    let state = State::new(start);
    assert_eq!(state.seen_ms(Origin(2), NOW + 1), Some(NOW - 5_000));
    assert_eq!(state.seen_ms(Origin(3), NOW + 1), Some(NOW), "a clock that runs ahead is not believed");
}

#[test]
fn nothing_is_announced_before_it_was_locked_and_stored() {
    let mut bench = Bench::new(3);
    bench.meet();
    let says =
        |outputs: &[Output]| outputs.iter().any(|output| matches!(output, Output::Send(_, Body::Notes(_))));
    let outputs = bench.input(Input::Append(vec![draft(1), draft(2)]));
    assert!(matches!(outputs.as_slice(), [Output::Lock(run)] if run.len() == 2), "{outputs:?}");
    let outputs = bench.input(Input::Locked);
    let [Output::Store(run)] = outputs.as_slice() else { panic!("{outputs:?}") };
    let head = Head { at: run.last().header().at, hash: run.last().hash() };
    assert!(!says(&outputs));
    let outputs = bench.input(Input::Stored {
        origin: Origin(1),
        head,
        hlc_ms: NOW,
        endpoints: false,
        presentation: false,
    });
    assert!(says(&outputs), "{outputs:?}");
}

#[test]
fn a_batch_that_was_not_locked_leaves_its_positions_free() {
    let mut bench = Bench::new(1);
    bench.input(Input::Append(vec![draft(1)]));
    bench.input(Input::LockFailed);
    let outputs = bench.input(Input::Append(vec![draft(2)]));
    assert!(matches!(outputs.as_slice(), [Output::Lock(run)] if run.first_at().seq == 1), "{outputs:?}");
}

#[test]
fn a_hello_of_somebody_else_opens_nothing() {
    let strange = Federation::new(5);
    type Spoil = Box<dyn Fn(v1::Hello) -> v1::Hello>;
    let cases: Vec<(&str, Spoil)> = vec![
        (
            "different_federation",
            Box::new(move |hello| v1::Hello {
                federation_id: strange.roster.federation().as_bytes().to_vec(),
                ..hello
            }),
        ),
        ("version_unsupported", Box::new(|hello| v1::Hello { wire_min: 7, wire_max: 9, ..hello })),
        ("wrong_member", Box::new(|hello| v1::Hello { member: 3, ..hello })),
        ("wrong_member", Box::new(|hello| v1::Hello { member: 1, ..hello })),
        ("malformed", Box::new(|hello| v1::Hello { store_id: vec![1; 3], ..hello })),
        ("malformed", Box::new(|hello| v1::Hello { federation_id: vec![], ..hello })),
    ];
    for (word, spoil) in cases {
        let mut bench = Bench::new(3);
        bench.input(Input::Connected {
            conn: PEER,
            member: Origin(2),
            speaker: speaker(2),
            side: Side::Accepted,
        });
        let hello = spoil(bench.hello_of(2));
        let outputs = bench.receive(Body::Hello(hello));
        assert_eq!(refusal(&outputs).map(Reject::word), Some(word));
        assert_eq!(bench.state.sessions().count(), 0, "{word}");
    }
}

#[test]
fn the_first_message_must_be_a_hello_and_there_is_only_one() {
    let mut bench = Bench::new(2);
    bench.input(Input::Connected {
        conn: PEER,
        member: Origin(2),
        speaker: speaker(2),
        side: Side::Accepted,
    });
    let outputs = bench.receive(Body::Notes(v1::Notes::default()));
    assert_eq!(refusal(&outputs).map(Reject::word), Some("out_of_order"));

    let mut bench = Bench::new(2);
    bench.meet();
    let hello = bench.hello_of(2);
    assert_eq!(refusal(&bench.receive(Body::Hello(hello))).map(Reject::word), Some("out_of_order"));
}

#[test]
fn who_says_nothing_is_hung_up_on() {
    let mut bench = Bench::new(2);
    bench.input(Input::Connected {
        conn: PEER,
        member: Origin(2),
        speaker: speaker(2),
        side: Side::Accepted,
    });
    assert_eq!(bench.state.next_deadline_ms(), Some(NOW + limits::HELLO_MS));
    let outputs = bench.state.handle(NOW + limits::HELLO_MS, Input::Tick);
    assert_eq!(refusal(&outputs).map(Reject::word), Some("silent"));
}

#[test]
fn every_list_of_a_message_has_an_end() {
    let many = |n: usize| vec![v1::Note { origin: 2, epoch: 1, seq: 0, hash8: vec![0; 8], want: 0 }; n];
    let cases = [
        Body::Notes(v1::Notes { notes: many(limits::HEADS_PER_MESSAGE_MAX + 1) }),
        Body::Heads(v1::HeadsAnswer {
            heads: vec![v1::Head::default(); limits::HEADS_PER_MESSAGE_MAX + 1],
            ..Default::default()
        }),
        Body::ForkProofs(v1::ForkProofs {
            proofs: vec![v1::ForkProof::default(); limits::FORK_PROOFS_PER_MESSAGE_MAX + 1],
        }),
        Body::RosterChain(v1::RosterChain {
            versions: vec![v1::SignedRoster::default(); limits::ROSTER_STEPS_MAX + 1],
        }),
        Body::HeadsRequest(v1::HeadsRequest { since: 0, buckets: vec![0; 129] }),
        // Many openings, which nobody has to check before they are counted.
        Body::ForkProofs(v1::ForkProofs {
            proofs: vec![v1::ForkProof {
                epochs: vec![v1::Entry { header: vec![0; 1_024], ..Default::default() }; 256],
                ..Default::default()
            }],
        }),
    ];
    for body in cases {
        let mut bench = Bench::new(2);
        bench.meet();
        let outputs = bench.receive(body.clone());
        assert_eq!(refusal(&outputs).map(Reject::word), Some("too_large"));
    }
    let mut bench = Bench::new(2);
    bench.meet();
    let outputs = bench.receive(Body::Notes(v1::Notes { notes: many(limits::HEADS_PER_MESSAGE_MAX) }));
    assert!(refusal(&outputs).is_none(), "the limit itself is allowed");
}

#[test]
fn a_peer_has_so_many_requests_answered_at_once_and_no_more() {
    let mut bench = Bench::new(2);
    bench.meet();
    let pull = || {
        Body::Pull(v1::Pull {
            request: 1,
            origin: 1,
            epoch: 1,
            from: 1,
            until: u64::MAX,
            headers_only: false,
        })
    };
    for _ in 0..limits::SERVED_PER_PEER_MAX {
        assert!(refusal(&bench.receive(pull())).is_none());
    }
    bench.input(Input::Served { conn: PEER });
    assert!(refusal(&bench.receive(pull())).is_none(), "one was answered");
    assert_eq!(refusal(&bench.receive(pull())).map(Reject::word), Some("too_large"));
}

#[test]
fn one_session_too_many_is_asked_to_come_back() {
    let mut bench = Bench::new(limits::SESSIONS_MAX + 3);
    let mut greet = |member: usize, side| {
        let input = Input::Connected {
            conn: ConnId(member as u64),
            member: Origin(member as u32),
            speaker: speaker(member as u32),
            side,
        };
        refusal(&bench.input(input)).cloned()
    };
    for member in 2..limits::SESSIONS_MAX + 2 {
        assert_eq!(greet(member, Side::Accepted), None);
    }
    assert!(matches!(greet(limits::SESSIONS_MAX + 2, Side::Accepted), Some(Reject::Busy { .. })));
    assert_eq!(greet(limits::SESSIONS_MAX + 2, Side::Dialled), None, "what this node wants gets through");
}

#[test]
fn one_member_cannot_take_all_places_by_greeting_again_and_again() {
    let mut bench = Bench::new(3);
    for conn in 0..limits::SESSIONS_MAX as u64 * 2 {
        bench.input(Input::Connected {
            conn: ConnId(conn),
            member: Origin(2),
            speaker: speaker(2),
            side: Side::Accepted,
        });
    }
    assert_eq!(bench.state.greetings.len(), 1);
}

#[test]
fn logs_that_no_roster_knows_are_not_remembered() {
    let mut bench = Bench::new(2);
    bench.meet();
    let note = |origin, epoch| v1::Note { origin, epoch, seq: 9, hash8: vec![0; 8], want: 0 };
    let before = bench.digest();
    let notes =
        (3..5_000).map(|origin| note(origin, 1)).chain((2..4_000).map(|epoch| note(2, epoch))).collect();
    let outputs = bench.receive(Body::Notes(v1::Notes { notes }));
    let pulls: Vec<_> = outputs
        .iter()
        .map(|output| match output {
            Output::Send(PEER, Body::Pull(pull)) => (pull.origin, pull.epoch, pull.from, pull.until),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(pulls, [(2, 2, 1, 1)], "of epochs that nobody has opened, the opening of the lowest");
    let remembered = bench.state.sessions().next().unwrap().1.theirs.heads.len();
    assert_eq!(remembered, limits::UNKNOWN_EPOCHS_MAX);
    assert_eq!(bench.digest(), before);
}

#[test]
fn answers_nobody_asked_for_end_the_session() {
    for body in [
        Body::Heads(v1::HeadsAnswer::default()),
        Body::Payloads(v1::Payloads::default()),
        Body::HashAnswer(v1::HashAnswer::default()),
    ] {
        let mut bench = Bench::new(2);
        bench.meet();
        assert_eq!(refusal(&bench.receive(body)).map(Reject::word), Some("out_of_order"));
    }
    let mut bench = Bench::new(2);
    bench.meet();
    let outputs = bench.input(Input::Entries { conn: PEER, request: 5, run: None, done: true });
    assert_eq!(refusal(&outputs).map(Reject::word), Some("out_of_order"));
}

#[test]
fn what_a_later_version_asks_is_declined_and_the_session_goes_on() {
    let mut bench = Bench::new(2);
    bench.meet();
    let outputs = bench.receive(Body::PayloadRequest(v1::PayloadRequest::default()));
    let declined = |output: &Output| {
        matches!(output, Output::Send(_, Body::Reject(reject))
            if reject.reason() == v1::reject::Reason::NotSupportedYet)
    };
    assert!(outputs.iter().any(declined), "{outputs:?}");
    assert_eq!(bench.state.sessions().count(), 1);
}

#[test]
fn a_source_that_does_not_deliver_is_left_for_another() {
    let mut bench = Bench::new(3);
    bench.meet();
    let second = ConnId(2);
    bench.input(Input::Connected {
        conn: second,
        member: Origin(3),
        speaker: speaker(3),
        side: Side::Accepted,
    });
    let hello = bench.hello_of(3);
    bench.input(Input::Received { conn: second, body: Body::Hello(hello) });
    let notes = |seq| {
        let note = v1::Note { origin: 3, epoch: 1, seq, hash8: vec![1; 8], want: 0 };
        Body::Notes(v1::Notes { notes: vec![note] })
    };
    let pulled = |outputs: &[Output]| {
        outputs.iter().find_map(|output| match output {
            Output::Send(conn, Body::Pull(pull)) => Some((*conn, pull.request)),
            _ => None,
        })
    };
    assert_eq!(pulled(&bench.receive(notes(4))), Some((PEER, 1)));
    let outputs = bench.input(Input::Received { conn: second, body: notes(4) });
    assert_eq!(pulled(&outputs), None, "one source at a time");
    let outputs = bench.state.handle(NOW + limits::PULL_STALL_MS, Input::Tick);
    assert_eq!(pulled(&outputs), Some((second, 1)));

    bench.input(Input::Entries { conn: second, request: 1, run: None, done: true });
    assert_eq!(pulled(&bench.receive(notes(9))), Some((PEER, 2)), "nobody else has it");
    let outputs = bench.input(Input::Received { conn: second, body: notes(5) });
    assert_eq!(pulled(&outputs), Some((second, 2)), "it is not waited for again");
}

#[test]
fn seeing_more_of_the_own_log_than_it_has_stops_a_node_from_writing() {
    let mut bench = Bench::new(2);
    bench.meet();
    let mut before = state_of(&bench.federation, 0);
    before.handle(NOW, Input::Tick);
    let outputs = before.handle(NOW, Input::Append(vec![draft(1), draft(2)]));
    let [Output::Lock(run)] = outputs.as_slice() else { panic!("{outputs:?}") };
    let pull = bench.claim_more_of_the_own_log();
    assert_eq!((pull.from, pull.until, pull.headers_only), (1, 3, true));
    let shown = Input::Entries { conn: PEER, request: pull.request, run: Some(run.clone()), done: true };
    bench.input(shown);
    assert_eq!(bench.state.not_writable(), Some(NotWritable::OwnLogAhead { seen_seq: 2 }));
    assert!(bench.input(Input::Append(vec![draft(1)])).is_empty());
}

#[test]
fn saying_that_there_is_more_of_the_own_log_without_showing_it_stops_nobody() {
    let mut bench = Bench::new(2);
    bench.meet();
    let pull = bench.claim_more_of_the_own_log();
    bench.input(Input::Entries { conn: PEER, request: pull.request, run: None, done: true });
    bench.claim_more_of_the_own_log();
    bench.input(Input::Closed { conn: PEER });
    assert_eq!(bench.state.not_writable(), None);
    let outputs = bench.input(Input::Append(vec![draft(1)]));
    assert!(matches!(outputs.as_slice(), [Output::Lock(_)]), "{outputs:?}");
}

/// A start of member 1's process, signed by `signer`.
fn start_by(federation: &Federation, id: u8, started_ms: u64, signer: u32) -> v1::Run {
    let key = federation.log_key(Origin(signer));
    crate::session::Start::sign(Origin(1), [id; 16], started_ms, &federation.roster.federation(), &key).signed
}

#[test]
fn a_later_start_of_the_same_member_stops_a_node_and_nothing_else_does() {
    let cases = [
        ("its own voice", 0, NOW, 1, None),
        ("an earlier start", 9, NOW - 1, 1, None),
        ("a later start", 9, NOW + 1, 1, Some(NotWritable::Twin)),
        ("a start that somebody else made up", 9, NOW + 1, 2, None),
    ];
    for (case, id, started_ms, signer, expected) in cases {
        let mut bench = Bench::new(2);
        let run = start_by(&bench.federation, id, started_ms, signer);
        bench.input(Input::Connected {
            conn: PEER,
            member: Origin(1),
            speaker: speaker(1),
            side: Side::Accepted,
        });
        let hello = v1::Hello { run: Some(run.clone()), ..bench.hello_of(1) };
        let outputs = bench.receive(Body::Hello(hello));
        assert_eq!(refusal(&outputs).map(Reject::word), Some("twin_detected"), "{case}");
        assert_eq!(bench.state.not_writable(), expected, "{case}, met");

        let mut bench = Bench::new(2);
        bench.meet();
        let reason = v1::reject::Reason::TwinDetected as i32;
        bench.receive(Body::Reject(v1::Reject { reason, run: Some(run), ..Default::default() }));
        assert_eq!(bench.state.not_writable(), expected, "{case}, told of by a peer");
    }
}

#[test]
fn a_peer_shows_the_earlier_start_of_a_member_the_later_one() {
    let mut bench = Bench::new(3);
    bench.meet();
    let later = ConnId(2);
    bench.input(Input::Connected {
        conn: later,
        member: Origin(2),
        speaker: speaker(2),
        side: Side::Accepted,
    });
    let federation = bench.federation.roster.federation();
    let key = bench.federation.log_key(Origin(2));
    let run = crate::session::Start::sign(Origin(2), [77; 16], NOW + 5, &federation, &key).signed;
    let hello = v1::Hello { run: Some(run.clone()), ..bench.hello_of(2) };
    let outputs = bench.input(Input::Received { conn: later, body: Body::Hello(hello) });
    let told = outputs.iter().find_map(|output| match output {
        Output::Disconnect(PEER, reject) => reject.to_wire().run,
        _ => None,
    });
    assert_eq!(told, Some(run));
}

#[test]
fn a_start_that_the_log_key_did_not_sign_or_of_a_time_to_come_displaces_nobody() {
    let far_ms = NOW + 365 * 24 * 60 * 60 * 1_000;
    for (case, started_ms, signer) in [("signed by another", NOW + 5, 3), ("of next year", far_ms, 2)] {
        let mut bench = Bench::new(3);
        bench.meet();
        let later = ConnId(2);
        bench.input(Input::Connected {
            conn: later,
            member: Origin(2),
            speaker: speaker(2),
            side: Side::Accepted,
        });
        let federation = bench.federation.roster.federation();
        let key = bench.federation.log_key(Origin(signer));
        let run = crate::session::Start::sign(Origin(2), [77; 16], started_ms, &federation, &key).signed;
        let hello = v1::Hello { run: Some(run), ..bench.hello_of(2) };
        let outputs = bench.input(Input::Received { conn: later, body: Body::Hello(hello) });
        let refused =
            outputs.iter().any(|output| matches!(output, Output::Disconnect(conn, _) if *conn == later));
        assert!(refused, "{case}: {outputs:?}");
        assert_eq!(bench.state.sessions().count(), 1, "{case}: the member itself stays");
    }
}

#[test]
fn the_largest_numbers_a_peer_can_name_overflow_nothing() {
    let mut bench = Bench::new(3);
    bench.meet();
    let note = |origin| v1::Note { origin, epoch: 1, seq: u64::MAX, hash8: vec![1; 8], want: 0 };
    bench.receive(Body::Notes(v1::Notes { notes: vec![note(1), note(2), note(3)] }));
    let (_, open) = bench.state.sessions().next().unwrap();
    assert_eq!(bench.state.lag(open), u64::MAX);
}

#[test]
fn a_roster_of_another_federation_is_refused_whatever_its_number() {
    let mut bench = Bench::new(2);
    bench.meet();
    let versions = Federation::new(5).roster.since(0, 1);
    let outputs = bench.receive(Body::RosterChain(v1::RosterChain { versions }));
    assert_eq!(refusal(&outputs).map(Reject::word), Some("different_federation"));
}

#[test]
fn an_answer_brings_no_more_openings_than_are_sent() {
    let federation = Federation::new(2);
    let opening = v1::EntryHeader { format: 1, epoch: 1, seq: 2, prev: vec![0; 32], ..Default::default() };
    let entry = v1::Entry {
        header: wego_proto::prost::Message::encode_to_vec(&opening),
        signature: vec![0; 64],
        payload: None,
    };
    let judged = |count| verify_entries(Vec::new(), vec![entry.clone(); count], &federation.roster);
    assert_eq!(judged(limits::OPENINGS_MAX), Ok(None));
    let refused = judged(limits::OPENINGS_MAX + 1).err();
    assert_eq!(refused.as_ref().map(Reject::word), Some("too_large"));
}
