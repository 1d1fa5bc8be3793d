//! What a member may say in a session, in any order: the ledger must answer or hang up, and go on.

use wego_ledger::{
    limits::MESSAGE_BYTES_MAX,
    roster::History,
    session::{ConnId, Me, Side, Start as Run},
    state::{Footing, Input, Output, Settings, Start, State, check_counts, verify_entries, verify_receipts},
};
use wego_proto::{
    id::{Origin, StoreId},
    key::SecretKey,
    prost::Message as _,
    v1::{self, session_message::Body},
};
use zeroize::Zeroizing;

use super::files::VERSIONS;

const ME: Origin = Origin(1);
const PEER: Origin = Origin(2);
const CONN: ConnId = ConnId(1);
const NOW_MS: u64 = 1_284_076_800_000;

/// Bytes: messages, each after its length in two bytes.
pub(super) fn session(bytes: &[u8]) {
    let mut state = state();
    let speaker = state.roster().transport_keys(PEER).first().copied().expect("the vector has its key");
    let connected = Input::Connected { conn: CONN, member: PEER, speaker, side: Side::Accepted };
    let _ = state.handle(NOW_MS, connected);
    let mut rest = bytes;
    let mut now_ms = NOW_MS;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(after.len());
        let (message, after) = after.split_at(length);
        rest = after;
        now_ms += 10;
        let Ok(message) = v1::SessionMessage::decode(message) else { continue };
        let Some(input) = judged(message, &state) else { continue };
        for output in state.handle(now_ms, input) {
            if let Output::Send(_, body) = output {
                let message = v1::SessionMessage { body: Some(body) };
                assert!(message.encoded_len() <= MESSAGE_BYTES_MAX, "an answer has its bound");
            }
        }
    }
}

fn state() -> State {
    let roster = History::open(VERSIONS.clone()).expect("the vector holds");
    let key = SecretKey::from_seed(&Zeroizing::new([1; 32]));
    let me = Me {
        origin: ME,
        federation: roster.federation(),
        store: StoreId::new([1; 16]),
        node_id: *key.public().as_bytes(),
        software: "fuzz".to_owned(),
        run: Run { member: ME, id: vec![1; 16], started_ms: NOW_MS, signed: v1::Run::default() },
    };
    State::new(Start {
        me,
        key,
        roster,
        heads: Vec::new(),
        locked: None,
        forks: Vec::new(),
        receipts: Vec::new(),
        footing: Footing::Sound,
        previous_run: None,
        now_ms: NOW_MS,
        seed: 1,
        settings: Settings::default(),
    })
}

/// As a connection's task judges a message before the ledger sees it.
fn judged(message: v1::SessionMessage, state: &State) -> Option<Input> {
    let refused = |reject| Input::Refused { conn: CONN, reject };
    Some(match message.body? {
        Body::Entries(entries) => match verify_entries(entries.entries, entries.epochs, state.roster()) {
            Ok(run) => Input::Entries { conn: CONN, request: entries.request, run, done: entries.done },
            Err(reject) => refused(reject),
        },
        Body::Receipts(receipts) => {
            match verify_receipts(receipts.receipts, state.roster(), &state.receipts()) {
                Ok(receipts) => Input::Receipts { conn: CONN, receipts },
                Err(reject) => refused(reject),
            }
        }
        body => match check_counts(&body) {
            Ok(()) => Input::Received { conn: CONN, body },
            Err(reject) => refused(reject),
        },
    })
}
