//! Claims about a start that somebody wants to hold up.

use wego_proto::{
    id::Position,
    v1::{self, session_message::Body},
};

use super::*;
use crate::{
    log::Head,
    session::Side,
    sim::Federation,
    state::{
        Footing, Input, Settings, Start,
        tests::{speaker, start_of},
    },
};

const NOW: u64 = 1_000_000;
const LIAR: ConnId = ConnId(2);
const ACCOMPLICE: ConnId = ConnId(3);
const HONEST: ConnId = ConnId(4);

struct Bench {
    federation: Federation,
    state: State,
    now_ms: u64,
}

impl Bench {
    /// A start that does not trust its copy, and asks half of four others. It has met one.
    fn new() -> Self {
        let federation = Federation::new(5);
        let settings = Settings { quorum: Some(2), ..Settings::default() };
        let start = Start { footing: Footing::Unsure, settings, ..start_of(&federation, 0) };
        let mut bench = Self { federation, state: State::new(start), now_ms: NOW };
        bench.meet(2);
        bench
    }

    fn input(&mut self, input: Input) -> Vec<Output> {
        self.state.handle(self.now_ms, input)
    }

    fn receive(&mut self, conn: ConnId, body: Body) -> Vec<Output> {
        self.input(Input::Received { conn, body })
    }

    fn meet(&mut self, member: u32) {
        let conn = ConnId(u64::from(member));
        let (member, speaker) = (Origin(member), speaker(member));
        self.input(Input::Connected { conn, member, speaker, side: Side::Accepted });
        let other = State::new(start_of(&self.federation, member.0 as usize - 1));
        let hello = other.me.hello(&other.roster, other.board.digest(), self.now_ms, 0);
        self.receive(conn, Body::Hello(hello));
    }

    fn claim(&mut self, conn: ConnId, epoch: u32, seq: u64) -> Vec<Output> {
        let note = v1::Note { origin: 1, epoch, seq, hash8: vec![1; 8], want: 0 };
        self.receive(conn, Body::Notes(v1::Notes { notes: vec![note] }))
    }

    /// The own log as it was written before: so many entries.
    fn written(&self, entries: u8) -> Run {
        let mut before = State::new(start_of(&self.federation, 0));
        before.handle(NOW, Input::Tick);
        let drafts = (1..=entries).map(crate::state::tests::draft).collect();
        let outputs = before.handle(NOW, Input::Append(drafts));
        let [Output::Lock(run)] = outputs.as_slice() else { panic!("{outputs:?}") };
        run.clone()
    }
}

fn pulled(outputs: &[Output]) -> Option<(ConnId, v1::Pull)> {
    outputs.iter().find_map(|output| match output {
        Output::Send(conn, Body::Pull(pull)) => Some((*conn, *pull)),
        _ => None,
    })
}

fn opens(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| matches!(output, Output::Lock(_)))
}

#[test]
fn who_names_own_entries_again_and_again_and_shows_none_keeps_no_start_from_the_rest() {
    let mut bench = Bench::new();
    bench.meet(3);
    bench.meet(4);
    let mut asked = None;
    for _ in 0..120 {
        // When one of the two is given up, the other is there.
        let mut outputs = bench.claim(LIAR, 1, 9);
        outputs.extend(bench.claim(ACCOMPLICE, 1, 9));
        outputs.extend(bench.claim(HONEST, 2, 1));
        bench.now_ms += 1_000;
        outputs.extend(bench.input(Input::Tick));
        asked = asked.or(pulled(&outputs).filter(|(_, pull)| pull.epoch == 2));
    }
    assert!(asked.is_some_and(|(conn, _)| conn == HONEST), "{:?}", bench.state.not_writable());
}

#[test]
fn who_hands_out_the_own_log_slowly_gives_way_to_another_that_has_it() {
    let mut bench = Bench::new();
    let run = bench.written(5);
    let (conn, pull) = pulled(&bench.claim(LIAR, 1, 5)).expect("it is asked");
    assert_eq!((conn, pull.from, pull.until), (LIAR, 1, 5));
    let first = Run::own(run.iter().next().expect("five").clone(), vec![]);
    let head = Head { at: Position::FIRST, hash: first.last().hash() };
    bench.now_ms += 9_000;
    bench.input(Input::Entries { conn, request: pull.request, run: Some(first), done: false });
    bench.input(Input::Stored {
        origin: Origin(1),
        head,
        hlc_ms: NOW,
        endpoints: false,
        presentation: false,
    });
    bench.meet(4);
    assert_eq!(pulled(&bench.claim(HONEST, 1, 5)), None, "one source at a time");
    // Just often enough not to stall.
    let mut moved = None;
    for next in run.iter().skip(1) {
        bench.now_ms += 8_000;
        moved = moved.or(pulled(&bench.input(Input::Tick)));
        if moved.is_none() {
            let one = Run::own(next.clone(), vec![]);
            let head = Head { at: next.header().at, hash: next.hash() };
            bench.input(Input::Entries { conn, request: pull.request, run: Some(one), done: false });
            bench.input(Input::Stored {
                origin: Origin(1),
                head,
                hlc_ms: NOW,
                endpoints: false,
                presentation: false,
            });
        }
    }
    assert!(moved.is_some_and(|(conn, pull)| conn == HONEST && pull.from > 1), "{moved:?}");
}

#[test]
fn who_alone_has_the_own_log_is_waited_for_however_slow_it_is() {
    let mut bench = Bench::new();
    let run = bench.written(9);
    let (conn, pull) = pulled(&bench.claim(LIAR, 1, 9)).expect("it is asked");
    bench.meet(3);
    bench.meet(4);
    for next in run.iter() {
        bench.now_ms += 8_000;
        assert_eq!(pulled(&bench.input(Input::Tick)), None);
        let one = Run::own(next.clone(), vec![]);
        let head = Head { at: next.header().at, hash: next.hash() };
        bench.input(Input::Entries { conn, request: pull.request, run: Some(one), done: head.at.seq == 9 });
        let outputs = bench.input(Input::Stored {
            origin: Origin(1),
            head,
            hlc_ms: NOW,
            endpoints: false,
            presentation: false,
        });
        assert!(!opens(&outputs) || head.at.seq == 9, "it does not go on before it has all");
    }
    let head = bench.state.logs.get(&(Origin(1), 1)).and_then(|chain| chain.stored.head());
    assert_eq!(head.map(|head| head.at.seq), Some(9));
}
