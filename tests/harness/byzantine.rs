//! A peer that holds a member's real keys and says whatever a test wants, by hand. It must never use the code that
//! nodes speak with: what that code cannot say is what is asked here.

use std::{fs, path::Path, sync::Arc};

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming, transport::Channel};
use wego_catalogue::validate::Checked;
use wego_ledger::{heads::hash8, roster::History, session::Start};
use wego_node::{
    clock::now_ms,
    demo::founding::Seat,
    keys::{self, LOG_KEY},
};
use wego_proto::{
    armour::{self, Label},
    entry::{Header, Payload, Verified},
    id::{Origin, Position, RecordId},
    key::SecretKey,
    pin,
    prost::Message as _,
    v1::{self, EntryKind, SessionMessage, session_message::Body},
};

use crate::{DEADLINE, identity, process::Site, raw, records::practice};

const SESSION: &str = "/wego.v1.Peering/Session";
/// Messages said ahead of the network.
const AHEAD: usize = 64;

/// A member gone rogue.
#[derive(Debug)]
pub struct Byzantine {
    /// Its roster index.
    pub origin: Origin,
    /// Signs its entries.
    pub log_key: SecretKey,
    /// The federation it belongs to.
    pub roster: History,
    identity: pin::Identity,
    node_id: Vec<u8>,
}

impl Byzantine {
    /// Takes the keys and the roster out of a seat's folder.
    #[must_use]
    pub fn holding(seat: &Seat) -> Self {
        let text = fs::read_to_string(&seat.config.node.roster).expect("the roster file");
        let roster =
            History::open(armour::read(Label::Roster, &text).expect("a roster")).expect("it is signed");
        let member = roster.current().member_by_handle(&seat.city.handle).expect("a member");
        Self {
            origin: member.origin,
            log_key: keys::read_secret_key(&seat.config.node.keys_dir.join(LOG_KEY)).expect("a log key"),
            identity: identity::transport(seat),
            node_id: seat.created.transport_key.as_bytes().to_vec(),
            roster,
        }
    }

    /// Takes the keys out of a site's folder, as a thief does, and reads the roster in the file `roster`.
    ///
    /// # Panics
    /// When something of it cannot be read.
    #[must_use]
    pub fn thief(site: &Site, roster: &Path) -> Self {
        let text = fs::read_to_string(roster).expect("the roster file");
        let roster =
            History::open(armour::read(Label::Roster, &text).expect("a roster")).expect("it is signed");
        let member = roster.current().member_by_handle(&site.handle).expect("a member");
        let keys_dir = site.dir.join("keys");
        let (identity, key) = keys::load_transport(&keys_dir).expect("transport keys");
        Self {
            origin: member.origin,
            log_key: keys::read_secret_key(&keys_dir.join(LOG_KEY)).expect("a log key"),
            identity,
            node_id: key.as_bytes().to_vec(),
            roster,
        }
    }

    /// As [`Byzantine::greet`], to the node of a site.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn greet_site(&self, site: &Site) -> Line {
        let (_, server) = keys::load_transport(&site.dir.join("keys")).expect("transport keys");
        let config = pin::client_config(self.identity.clone(), Arc::new(move |key| *key == server));
        let config = Arc::new(config.expect("a configuration"));
        let channel =
            pin::connect(&site.peers.to_string(), config, DEADLINE).await.expect("members are let in");
        let line = Line::open(channel).await;
        line.send(Body::Hello(self.hello(&line.hello))).await;
        line
    }

    /// A connection to the peer listener of a seat's node.
    pub async fn connect(&self, seat: &Seat) -> Channel {
        let address = seat.config.listen.peers.to_string();
        identity::connect(seat, &address, self.identity.clone()).await.expect("members are let in")
    }

    /// Opens a session and says nothing.
    pub async fn call(&self, seat: &Seat) -> Line {
        Line::open(self.connect(seat).await).await
    }

    /// Opens a session and greets as an honest node would that has the same heads.
    pub async fn greet(&self, seat: &Seat) -> Line {
        let line = self.call(seat).await;
        line.send(Body::Hello(self.hello(&line.hello))).await;
        line
    }

    /// A session whose request is this body, and nothing more.
    pub async fn post(&self, seat: &Seat, body: String) -> Line {
        let channel = self.connect(seat).await;
        let heard = raw::post(&channel, SESSION, body).await.expect("an answer");
        Line { say: mpsc::channel(1).0, heard, hello: v1::Hello::default(), _channel: channel }
    }

    /// The greeting that answers `theirs`.
    #[must_use]
    pub fn hello(&self, theirs: &v1::Hello) -> v1::Hello {
        v1::Hello {
            member: self.origin.0,
            node_id: self.node_id.clone(),
            store_id: vec![0xbd; 16],
            clock_ms: now_ms(),
            software: "byzantine/1".to_owned(),
            run: Some(
                Start::sign(self.origin, [0xbd; 16], 1, &self.roster.federation(), &self.log_key).signed,
            ),
            other_run: Vec::new(),
            ..theirs.clone()
        }
    }

    /// The header of its entry after `before`.
    #[must_use]
    pub fn header(&self, before: Option<&Verified>) -> Header {
        let root = self.roster.member(self.origin).expect("a member").log_root();
        let at = before.map_or(Some(Position::FIRST), |before| before.header().at.next());
        let mut record_id = [0; 16];
        getrandom::fill(&mut record_id).expect("randomness");
        Header {
            origin: self.origin,
            at: at.expect("room in the log"),
            prev: before.map_or(root, Verified::hash),
            key_no: 1,
            roster_version: 1,
            hlc_ms: now_ms(),
            kind: EntryKind::RecordPut as i32,
            record_id: Some(RecordId::new(record_id)),
            base: None,
            payload: None,
            record_kind: 1,
            request_id: None,
            epoch_start: None,
            erase: None,
            recovery_key: None,
            endpoint_change: None,
            presentation: None,
        }
    }

    /// Signs an entry that publishes a practice of this title.
    #[must_use]
    pub fn sign(&self, header: Header, title: &str) -> Verified {
        let content = Checked::parse(practice(title)).expect("a valid record").encode();
        let payload = Payload { nonce: [7; 16], content };
        Verified::sign(header, Some(payload), &self.roster.federation(), &self.log_key)
    }

    /// A log that begins with `before` and goes on with practices of these titles.
    #[must_use]
    pub fn story(&self, before: &[Verified], titles: &[&str]) -> Vec<Verified> {
        let mut log = before.to_vec();
        for title in titles {
            log.push(self.sign(self.header(log.last()), title));
        }
        log
    }
}

/// A session under way.
#[derive(Debug)]
pub struct Line {
    say: mpsc::Sender<Vec<u8>>,
    heard: Streaming<Vec<u8>>,
    /// How the node greeted.
    pub hello: v1::Hello,
    _channel: Channel,
}

impl Line {
    async fn open(channel: Channel) -> Self {
        let (say, said) = mpsc::channel(AHEAD);
        let heard = raw::open(&channel, SESSION, ReceiverStream::new(said)).await.expect("a session");
        let mut line = Self { say, heard, hello: v1::Hello::default(), _channel: channel };
        match line.next().await {
            Some(Body::Hello(hello)) => line.hello = hello,
            other => panic!("greeted with {other:?}"),
        }
        line
    }

    /// Says something. That the node has hung up is heard, not noticed here.
    pub async fn send(&self, body: Body) {
        self.send_bytes(encode(body)).await;
    }

    /// Says any bytes.
    pub async fn send_bytes(&self, bytes: Vec<u8>) {
        let _ = tokio::time::timeout(DEADLINE, self.say.send(bytes)).await.expect("the network takes it");
    }

    /// Says it if the network takes it without waiting; returns whether the session still stands.
    #[must_use]
    pub fn try_send(&self, body: Body) -> bool {
        !matches!(self.say.try_send(encode(body)), Err(mpsc::error::TrySendError::Closed(_)))
    }

    /// The next message; `None` when the node has closed the session.
    pub async fn next(&mut self) -> Option<Body> {
        let heard = self.heard().await.unwrap_or_else(|status| panic!("the session broke: {status}"))?;
        SessionMessage::decode(heard.as_slice()).expect("nodes send messages").body
    }

    async fn heard(&mut self) -> Result<Option<Vec<u8>>, Status> {
        tokio::time::timeout(DEADLINE, self.heard.message()).await.expect("a message in time")
    }

    /// Waits until the session is over, in whichever way.
    pub async fn ended(&mut self) {
        while let Ok(Some(_)) = self.heard().await {}
    }

    /// Passes over messages until one is wanted.
    ///
    /// # Panics
    /// When the session ends before.
    pub async fn until<T>(&mut self, wanted: impl Fn(&Body) -> Option<T>) -> T {
        loop {
            let body = self.next().await.expect("the session goes on");
            if let Some(found) = wanted(&body) {
                return found;
            }
        }
    }

    /// The reason why the node closes the session, which it does next.
    pub async fn rejected(&mut self) -> v1::Reject {
        let reject = self
            .until(|body| match body {
                Body::Reject(reject) => Some(reject.clone()),
                _ => None,
            })
            .await;
        assert_eq!(self.next().await, None, "after {reject:?} nothing is said");
        reject
    }

    /// What the node asks for next.
    pub async fn asked(&mut self) -> v1::Pull {
        self.until(|body| match body {
            Body::Pull(pull) => Some(*pull),
            _ => None,
        })
        .await
    }

    /// Says that it has this log.
    pub async fn announce(&self, log: &[Verified]) {
        let head = log.last().expect("an entry");
        let note = v1::Note {
            origin: head.header().origin.0,
            epoch: head.header().at.epoch,
            seq: head.header().at.seq,
            hash8: hash8(&head.hash()).to_vec(),
            want: 0,
        };
        self.send(Body::Notes(v1::Notes { notes: vec![note] })).await;
    }

    /// Answers one request out of this log.
    pub async fn serve(&self, pull: &v1::Pull, log: &[Verified]) {
        let asked = |entry: &&Verified| (pull.from..=pull.until).contains(&entry.header().at.seq);
        let entries = log.iter().filter(asked).map(Verified::to_wire).collect();
        self.send(Body::Entries(v1::Entries {
            request: pull.request,
            entries,
            done: true,
            epochs: Vec::new(),
        }))
        .await;
    }
}

/// A message as bytes.
#[must_use]
pub fn encode(body: Body) -> Vec<u8> {
    SessionMessage { body: Some(body) }.encode_to_vec()
}
