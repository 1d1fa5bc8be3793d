//! The one table from our errors to gRPC statuses. Each text says what to do.

use tonic::Status;
use wego_ledger::state::NotWritable;
use wego_proto::causes::with_causes;

use crate::{
    clock::now_ms,
    engine::{WriteError, orders::OrderError, read::ReadError, words},
    enrolment::{BookError, InvitesError},
    keys::KeysError,
    peers::PinsError,
    store::StoreError,
    transport::TransportError,
};

pub(super) fn write(error: &WriteError) -> Status {
    match error {
        WriteError::NotWritable(why) => Status::failed_precondition(not_writable(*why)),
        WriteError::Stale { .. } => {
            Status::failed_precondition(format!("{error}; hint: show the record and revise that version"))
        }
        WriteError::NotFound(_) => {
            Status::not_found(format!("{error}; hint: list the records of this member"))
        }
        WriteError::NotOwner { .. } => {
            Status::failed_precondition(format!("{error}; hint: only its owner's node may change a record"))
        }
        WriteError::OtherKind(_) => {
            Status::failed_precondition(format!("{error}; hint: publish it as a new record"))
        }
        WriteError::Store(error) => store(error),
        WriteError::Stopping => {
            Status::unavailable("the node is stopping; hint: try again with the same request id")
        }
        WriteError::Busy => {
            Status::resource_exhausted("too many writes wait; hint: try again with the same request id")
        }
    }
}

pub(super) fn store(error: &StoreError) -> Status {
    match error {
        StoreError::Full { free_bytes, reserve_bytes } => Status::resource_exhausted(format!(
            "the disk reserve is reached: {free_bytes} bytes free, {reserve_bytes} reserved; nothing was written; \
             hint: make space on the data folder's file system, then write again"
        )),
        StoreError::Conflict | StoreError::Fenced => Status::aborted(format!("{error}; hint: try again")),
        _ => Status::internal(format!("{}; hint: see the node's log", with_causes(error))),
    }
}

pub(super) fn read(error: &ReadError) -> Status {
    match error {
        ReadError::Query(error) => Status::invalid_argument(format!("{error}")),
        ReadError::PageToken => {
            Status::invalid_argument("page token is none of this node; hint: start from the first page")
        }
        ReadError::Erased => {
            Status::failed_precondition("the record's content was erased; its header remains")
        }
        ReadError::UnknownMember(handle) => Status::not_found(format!(
            "no member has the handle {handle:?}; hint: `wego member list` shows the handles"
        )),
        ReadError::Corrupt { .. } => Status::data_loss(format!(
            "{error}; hint: run wego-node rebuild-store, which fetches a good copy from the peers"
        )),
        ReadError::Store(error) => store(error),
    }
}

pub(super) fn order(error: &OrderError) -> Status {
    match error {
        OrderError::NoBase(_) => Status::not_found(format!("{error}; hint: wego key show lists the epochs")),
        OrderError::NoEpoch => {
            Status::failed_precondition(format!("{error}; hint: a recovery, or the committee, begins anew"))
        }
        OrderError::Refused(Some(why)) => Status::failed_precondition(not_writable(*why)),
        OrderError::Refused(None) => {
            Status::failed_precondition(format!("{error}: the log has moved on; hint: try again"))
        }
        OrderError::PassedOver => Status::failed_precondition(format!(
            "{error}: as many changes as are looked at stand in the log; hint: let the committee name the new keys"
        )),
        OrderError::Store(error) => store(error),
        OrderError::Busy => Status::unavailable(format!("{error}; hint: try again")),
    }
}

pub(super) fn transport(error: &TransportError) -> Status {
    let hint = match error {
        TransportError::UnderWay(_) => "wego key show says when it ends; --finish ends it now",
        TransportError::NoChange => "wego key rotate-transport begins one",
        TransportError::NotListed => {
            "put back the transport.pem of today, or let the committee name this one"
        }
        TransportError::Endpoints => {
            "name at most 4 of at most 100 characters with wego member set --endpoint"
        }
        TransportError::Unknown(_) => {
            "wait until wego key show says that a member knows it: nobody else lets this node in"
        }
        TransportError::TooMany(_) => "let the committee take one away that is not used",
        TransportError::Keys(error) => return keys(error),
        TransportError::Order(error) => return order(error),
        TransportError::Random(_)
        | TransportError::Identity(_)
        | TransportError::Certificate(_)
        | TransportError::Ended => {
            return Status::internal(format!("{}; hint: see the node's log", with_causes(error)));
        }
    };
    Status::failed_precondition(format!("{error}; hint: {hint}"))
}

pub(super) fn keys(error: &KeysError) -> Status {
    Status::failed_precondition(format!("{}; hint: {}", with_causes(error), error.hint()))
}

pub(super) fn pins(error: &PinsError) -> Status {
    match error {
        PinsError::TooMany => Status::resource_exhausted(format!("{error}; hint: remove one first")),
        _ => Status::internal(format!("{}; hint: see the node's log", with_causes(error))),
    }
}

pub(super) fn invites(error: &InvitesError) -> Status {
    match error {
        InvitesError::City | InvitesError::Handle | InvitesError::Ttl | InvitesError::Endpoint(_) => {
            Status::invalid_argument(format!("{error}; hint: correct it and send it again"))
        }
        InvitesError::HandleTaken(_) => {
            Status::failed_precondition(format!("{error}; hint: agree on another handle with the city"))
        }
        InvitesError::NoEndpoint => Status::failed_precondition(format!(
            "{error}; hint: name the address where the city reaches this node: --endpoint HOST:PORT"
        )),
        InvitesError::Unknown(_) => {
            Status::not_found(format!("{error}; hint: `wego invite list` shows the invites"))
        }
        InvitesError::Admitted(_) => Status::failed_precondition(format!(
            "{error}; hint: a membership is ended by the roster, not by its invite"
        )),
        InvitesError::Book(BookError::TooMany) => Status::resource_exhausted(format!(
            "{error}; hint: revoke those that nobody will use: `wego invite revoke ID`"
        )),
        InvitesError::Book(error) => {
            Status::internal(format!("{}; hint: see the node's log", with_causes(error)))
        }
    }
}

/// Why the node may not write, and what to do.
fn not_writable(why: NotWritable) -> String {
    words::against(why, now_ms()).to_string()
}
