//! What is ordered of the own log beside records: another key, or where the member is reached.

use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use wego_ledger::state::{Draft, Input, NewKeys, NotWritable};
use wego_proto::{
    entry::{EndpointChange, Header, Verified},
    epochs::Rank,
    id::{Hash, Position, RequestId},
    key::SecretKey,
    presence::Presentation,
    v1::EntryKind,
};

use super::{Engine, worker::Worker};
use crate::{
    clock::now_ms,
    store::{StoreError, entry_hash},
};

/// Orders that may wait: people give them, one at a time.
pub(super) const ORDERS_MAX: usize = 16;

/// An order, and who waits for its outcome.
#[derive(Debug)]
pub(super) enum Order {
    Prepare(Rank, Box<NewKeys>, Option<Position>, oneshot::Sender<Result<Header, OrderError>>),
    Open(Box<Verified>, SecretKey, oneshot::Sender<Result<Position, OrderError>>),
    Announce(Box<EndpointChange>, oneshot::Sender<Result<Position, OrderError>>),
    Present(Box<Presentation>, oneshot::Sender<Result<Position, OrderError>>),
}

/// Why an order was not carried out. Nothing changed.
#[derive(Debug, Error)]
pub enum OrderError {
    /// The base is no entry of the own log that this node holds.
    #[error("this node holds no own entry {0}")]
    NoBase(Position),
    /// There is no number left for such an epoch, or nothing it could continue from.
    #[error("no such epoch can be opened any more")]
    NoEpoch,
    /// The entry does not fit the log as it is now, or the node may not write.
    #[error("the entry was not written")]
    Refused(Option<NotWritable>),
    /// The entry was written, and does not change where the member is reached.
    #[error("the change was passed over")]
    PassedOver,
    /// The store or the journal failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The node is stopping, or many orders wait.
    #[error("the node takes no orders")]
    Busy,
}

impl Engine {
    /// The header of an opening that changes the log key, to be signed by the key its rank asks for.
    ///
    /// # Errors
    /// [`OrderError`].
    pub async fn prepare_opening(
        &self,
        rank: Rank,
        keys: NewKeys,
        base: Option<Position>,
    ) -> Result<Header, OrderError> {
        let (reply, answer) = oneshot::channel();
        self.order(Order::Prepare(rank, Box::new(keys), base, reply))?;
        answer.await.unwrap_or(Err(OrderError::Busy))
    }

    /// Opens an own epoch; `key` signs in it from then on. Answers when the opening is durable.
    ///
    /// # Errors
    /// [`OrderError`].
    pub async fn open_epoch(&self, opening: Verified, key: SecretKey) -> Result<Position, OrderError> {
        let (reply, answer) = oneshot::channel();
        self.order(Order::Open(Box::new(opening), key, reply))?;
        answer.await.unwrap_or(Err(OrderError::Busy))
    }

    /// Says in the own log where, and with which transport keys, the member is reached. Answers when the entry is durable
    /// and counts.
    ///
    /// # Errors
    /// [`OrderError`].
    pub async fn announce(&self, change: EndpointChange) -> Result<Position, OrderError> {
        let (reply, answer) = oneshot::channel();
        self.order(Order::Announce(Box::new(change), reply))?;
        answer.await.unwrap_or(Err(OrderError::Busy))
    }

    /// Says in the own log what the member is called and where its pages are. Answers when the entry is durable and counts.
    ///
    /// # Errors
    /// [`OrderError`].
    pub async fn present(&self, presentation: Presentation) -> Result<Position, OrderError> {
        let (reply, answer) = oneshot::channel();
        self.order(Order::Present(Box::new(presentation), reply))?;
        answer.await.unwrap_or(Err(OrderError::Busy))
    }

    fn order(&self, order: Order) -> Result<(), OrderError> {
        self.orders.try_send(order).map_err(|_: mpsc::error::TrySendError<Order>| OrderError::Busy)
    }
}

impl Worker {
    pub(super) fn take_order(&mut self, order: Order) {
        // Whoever has gone away sees the outcome in the log.
        match order {
            Order::Prepare(rank, keys, base, reply) => {
                let _ = reply.send(self.prepare(rank, *keys, base));
            }
            Order::Open(opening, key, reply) => {
                let _ = reply.send(self.open(opening, key));
            }
            Order::Announce(change, reply) => {
                let _ = reply.send(self.announce(*change));
            }
            Order::Present(presentation, reply) => {
                let _ = reply.send(self.present(*presentation));
            }
        }
    }

    fn prepare(&mut self, rank: Rank, keys: NewKeys, base: Option<Position>) -> Result<Header, OrderError> {
        let base = base.map(|at| self.own_hash(at).map(|hash| (at, hash))).transpose()?;
        self.state.opening(now_ms(), rank, keys, base).ok_or(OrderError::NoEpoch)
    }

    fn own_hash(&self, at: Position) -> Result<Hash, OrderError> {
        let entry = self.store.entry(self.state_origin(), at)?;
        entry.map(|entry| entry_hash(&entry)).ok_or(OrderError::NoBase(at))
    }

    fn open(&mut self, opening: Box<Verified>, key: SecretKey) -> Result<Position, OrderError> {
        self.commit = Ok(Vec::new());
        self.feed(Input::Open { opening, key });
        let positions = std::mem::replace(&mut self.commit, Ok(Vec::new()))?;
        let opened = positions.first().map(|(at, _)| *at);
        opened.ok_or_else(|| OrderError::Refused(self.state.not_writable()))
    }

    fn announce(&mut self, change: EndpointChange) -> Result<Position, OrderError> {
        let draft = Draft { endpoint_change: Some(change), ..plain(EntryKind::Endpoint)? };
        let at = self.append_one(draft)?.ok_or_else(|| OrderError::Refused(self.state.not_writable()))?;
        let counts = self.state.roster().announced(self.me).is_some_and(|announced| announced.at == at);
        // Whoever ordered it looks next what is known.
        self.publish_view();
        if counts { Ok(at) } else { Err(OrderError::PassedOver) }
    }

    fn present(&mut self, presentation: Presentation) -> Result<Position, OrderError> {
        let draft = Draft { presentation: Some(presentation), ..plain(EntryKind::Presentation)? };
        let at = self.append_one(draft)?.ok_or_else(|| OrderError::Refused(self.state.not_writable()))?;
        self.publish_view();
        Ok(at)
    }

    /// Writes one entry that is about no record. `None` when the log may not be written.
    fn append_one(&mut self, draft: Draft) -> Result<Option<Position>, StoreError> {
        if self.state.not_writable().is_some() {
            return Ok(None);
        }
        let drafts = vec![draft];
        self.room_for(&drafts)?;
        self.commit = Ok(Vec::new());
        self.feed(Input::Append(drafts));
        let positions = std::mem::replace(&mut self.commit, Ok(Vec::new()))?;
        Ok(positions.first().map(|(at, _)| *at))
    }
}

/// An entry about no record.
fn plain(kind: EntryKind) -> Result<Draft, OrderError> {
    let mut request_id = [0; 16];
    getrandom::fill(&mut request_id).map_err(|error| {
        let source = std::io::Error::other(error);
        StoreError::Io { what: "drawing a request id", source }
    })?;
    Ok(Draft {
        kind: kind as i32,
        record_id: None,
        base: None,
        record_kind: 0,
        request_id: RequestId::new(request_id),
        payload: None,
        erase: None,
        endpoint_change: None,
        presentation: None,
    })
}
