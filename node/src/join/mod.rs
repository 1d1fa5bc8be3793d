//! How a city that is no member yet becomes one, with one invite: authenticate the inviter, show the own keys, wait for
//! the committee, take the roster.
//!
//! Nothing is sent before the other end has shown the key that the invite names, and the invite's secret is never
//! sent at all. Every step may be interrupted and repeated; a folder with keys is used as it is. This room must never
//! believe an answer that it can check, and never overwrites a roster.

use std::{sync::Arc, time::Duration};

use tonic::transport::Channel;
use wego_ledger::roster::History;
use wego_proto::{
    WIRE_VERSIONS,
    id::FederationId,
    invite::{self, Invite},
    key::PublicKey,
    pin::{self, Identity, JoinConnection},
    prost::Message as _,
    roster::CHAIN_BYTES_MAX,
    spoken,
    v1::{self, enrolment_client::EnrolmentClient, join_reply::Outcome, progress_reply::State},
};

mod error;
mod folder;

pub use error::{JoinError, Refusal};
pub use folder::{Asked, Newcomer};

/// TCP, TLS and HTTP/2 must stand within this time, and each answer be there.
const PATIENCE: Duration = Duration::from_secs(20);
/// Largest answer in bytes: 2 MiB of roster versions and one more of the largest.
const ANSWER_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// How far an admission is.
#[derive(Debug)]
pub enum Progress {
    /// The committee has not signed yet.
    Waiting(v1::JoinWaiting),
    /// A member; the roster that says so.
    Admitted(Box<History>),
}

/// Checks that the node at the invite's endpoint has the key that the invite names. Nothing is sent but a certificate
/// (`anybody`: of any key).
///
/// # Errors
/// [`JoinError::Connect`] and its relatives.
pub async fn authenticate(invite: &Invite, anybody: Identity) -> Result<(), JoinError> {
    connect(invite, anybody).await.map(|_| ())
}

/// Spends the invite on the newcomer's keys. Repeated, it changes nothing but the words.
///
/// # Errors
/// [`JoinError`].
pub async fn ask(invite: &Invite, newcomer: &Newcomer, now_ms: u64) -> Result<Asked, JoinError> {
    let connection = connect(invite, newcomer.identity.clone()).await?;
    let binding = connection.binding;
    let proof = invite::prove(&invite.secret, &invite.id, &binding, &newcomer.card);
    let request = v1::JoinRequest {
        invite_id: invite.id.as_bytes().to_vec(),
        federation_prefix: invite.federation.to_vec(),
        wire_min: *WIRE_VERSIONS.start(),
        wire_max: *WIRE_VERSIONS.end(),
        clock_ms: now_ms,
        software: format!("wego-node/{}", env!("CARGO_PKG_VERSION")),
        card: Some(newcomer.card.clone()),
        proof: proof.as_bytes().to_vec(),
    };
    let mut client = client(connection.channel);
    let reply = timely(client.join(request)).await?;
    match reply.outcome {
        Some(Outcome::Accepted(accepted)) => {
            let federation = FederationId::try_from(accepted.federation_id.as_slice())
                .ok()
                .filter(|federation| invite::prefix_of(federation) == invite.federation)
                .ok_or(JoinError::Answer("it names another federation than the invite"))?;
            let words = spoken::words(&invite.inviter, &newcomer.transport_key, &invite.id, &binding);
            let name = printable(&accepted.federation_name);
            Ok(Asked { invite: invite.id, federation, federation_name: name, words })
        }
        Some(Outcome::Refused(refused)) => Err(JoinError::Refused(Refusal::read(&refused, now_ms))),
        None => Err(JoinError::Answer("it is empty")),
    }
}

/// Asks how far the admission is. `chain` keeps what was fetched of the roster, for the next time.
///
/// # Errors
/// [`JoinError`].
pub async fn progress(
    invite: &Invite,
    newcomer: &Newcomer,
    chain: &mut v1::RosterChain,
    now_ms: u64,
) -> Result<Progress, JoinError> {
    let connection = connect(invite, newcomer.identity.clone()).await?;
    let mut client = client(connection.channel);
    loop {
        let known = chain.versions.len() as u64;
        let request = v1::ProgressRequest { invite_id: invite.id.as_bytes().to_vec(), roster_version: known };
        let admitted = match timely(client.progress(request)).await?.state {
            Some(State::Waiting(waiting)) => return Ok(Progress::Waiting(waiting)),
            Some(State::Refused(refused)) => {
                return Err(JoinError::Refused(Refusal::read(&refused, now_ms)));
            }
            Some(State::Admitted(admitted)) => admitted,
            None => return Err(JoinError::Answer("it is empty")),
        };
        chain.versions.extend(admitted.chain.unwrap_or_default().versions);
        if chain.encoded_len() > CHAIN_BYTES_MAX {
            return Err(JoinError::Answer("its roster is larger than any roster"));
        }
        let have = chain.versions.len() as u64;
        if have >= admitted.newest_version {
            return checked(chain.clone(), invite, newcomer)
                .map(|roster| Progress::Admitted(Box::new(roster)));
        }
        if have == known {
            return Err(JoinError::Answer("its roster does not become complete"));
        }
    }
}

/// Believes a roster: of the invite's federation, and with this city's keys.
fn checked(chain: v1::RosterChain, invite: &Invite, newcomer: &Newcomer) -> Result<History, JoinError> {
    let history = History::open(chain).map_err(JoinError::Roster)?;
    if invite::prefix_of(&history.federation()) != invite.federation {
        return Err(JoinError::Answer("its roster is of another federation than the invite"));
    }
    if !newcomer.is_member_in(&history)? {
        return Err(JoinError::Answer("its roster does not have this city's keys"));
    }
    Ok(history)
}

async fn connect(invite: &Invite, identity: Identity) -> Result<JoinConnection, JoinError> {
    let expected = invite.inviter;
    let judge = move |key: &PublicKey| invite::key_hash(key) == expected;
    let config = pin::join_client_config(identity, Arc::new(judge)).map_err(JoinError::Identity)?;
    let connecting = pin::connect_to_join(&invite.endpoint, Arc::new(config), PATIENCE);
    match tokio::time::timeout(PATIENCE, connecting).await {
        Ok(connected) => connected.map_err(|error| JoinError::of_connection(&invite.endpoint, error)),
        Err(_) => Err(JoinError::Late),
    }
}

fn client(channel: Channel) -> EnrolmentClient<Channel> {
    EnrolmentClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX)
}

async fn timely<T>(
    call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
) -> Result<T, JoinError> {
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(answer) => answer.map(tonic::Response::into_inner).map_err(JoinError::Call),
        Err(_) => Err(JoinError::Late),
    }
}

/// For a screen: what another node says must not drive it.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
