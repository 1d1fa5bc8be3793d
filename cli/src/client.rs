//! The connection to one node: its key pinned, every call with a deadline.
//!
//! It must never talk to a server with another key than the profile's, whatever name or address it has.

use std::{future::Future, sync::Arc, time::Duration};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{io::AsyncReadExt as _, net::TcpStream};
use tonic::{
    Request, Response, Status,
    metadata::{BinaryMetadataValue, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};
use wego_proto::{
    pin::{self, PinError},
    v1::{
        self, admin_client::AdminClient, audit_client::AuditClient, backups_client::BackupsClient,
        catalogue_client::CatalogueClient, delivery_client::DeliveryClient, invites_client::InvitesClient,
        keys_client::KeysClient, members_client::MembersClient,
        roster_governance_client::RosterGovernanceClient, search_client::SearchClient,
    },
};

use crate::{
    error::{ExitCode, Failure, NOT_LET_IN, refused_by_tls, tls_error},
    profile::{Pinned, Profile},
};

/// Largest answer in bytes: a roster chain of eight full versions.
const ANSWER_BYTES_MAX: usize = 64 * 1_024 * 1_024;

/// Metadata of every call: why, for the node's audit log. Binary, because it may be in any language.
const REASON: &str = "wego-reason-bin";

/// A connection whose calls say why they are made.
pub(crate) type Wire = InterceptedService<Channel, Reason>;

/// Says why with every call, when the user did.
#[derive(Debug, Clone)]
pub(crate) struct Reason(Option<BinaryMetadataValue>);

impl Interceptor for Reason {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(reason) = &self.0 {
            request.metadata_mut().insert_bin(REASON, reason.clone());
        }
        Ok(request)
    }
}

/// A node, connected.
#[derive(Debug)]
pub(crate) struct Node {
    wire: Wire,
    timeout: Duration,
    address: String,
    config: Arc<ClientConfig>,
    pinned: Arc<Pinned>,
}

impl Node {
    /// Connects within `timeout`. Calls carry `reason` for the audit log.
    pub(crate) async fn connect(
        profile: &Profile,
        timeout: Duration,
        reason: Option<&str>,
    ) -> Result<Self, Failure> {
        let pinned = profile.pinned.clone();
        let config = pin::client_config(profile.identity.clone(), Arc::new(move |key| pinned.admits(key)))
            .map_err(|error| not_connected(profile, error))?;
        let config = Arc::new(config);
        let connecting = pin::connect(&profile.address, config.clone(), timeout);
        // The connector's own limit covers TCP only.
        let channel = match tokio::time::timeout(timeout, connecting).await {
            Ok(connected) => connected.map_err(|error| not_connected(profile, error))?,
            Err(_) => return Err(late(&format!("connect to {}", profile.address), timeout)),
        };
        profile.pinned.connected();
        let reason = Reason(reason.map(|reason| MetadataValue::from_bytes(reason.as_bytes())));
        let wire = InterceptedService::new(channel, reason);
        let (address, pinned) = (profile.address.clone(), profile.pinned.clone());
        Ok(Self { wire, timeout, address, config, pinned })
    }

    pub(crate) fn catalogue(&self) -> CatalogueClient<Wire> {
        CatalogueClient::new(self.wire.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn search(&self) -> SearchClient<Wire> {
        SearchClient::new(self.wire.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn members(&self) -> MembersClient<Wire> {
        MembersClient::new(self.wire.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn delivery(&self) -> DeliveryClient<Wire> {
        DeliveryClient::new(self.wire.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn admin(&self) -> AdminClient<Wire> {
        AdminClient::new(self.wire.clone())
    }

    pub(crate) fn audit(&self) -> AuditClient<Wire> {
        AuditClient::new(self.wire.clone())
    }

    pub(crate) fn backups(&self) -> BackupsClient<Wire> {
        BackupsClient::new(self.wire.clone())
    }

    pub(crate) fn keys(&self) -> KeysClient<Wire> {
        KeysClient::new(self.wire.clone())
    }

    pub(crate) fn invites(&self) -> InvitesClient<Wire> {
        InvitesClient::new(self.wire.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn governance(&self) -> RosterGovernanceClient<Wire> {
        RosterGovernanceClient::new(self.wire.clone())
            .max_decoding_message_size(ANSWER_BYTES_MAX)
            .max_encoding_message_size(ANSWER_BYTES_MAX)
    }

    /// Where the node is.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Waits for an answer, no longer than the timeout. `doing` completes "cannot …".
    pub(crate) async fn ask<T>(
        &self,
        doing: &str,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Failure> {
        // Boxed, as the calls of generated clients are large.
        match tokio::time::timeout(self.timeout, Box::pin(call)).await {
            Ok(Ok(answer)) => {
                self.pinned.hear(answer.metadata());
                Ok(answer.into_inner())
            }
            Ok(Err(status)) => Err(Box::pin(self.explain(Failure::of_status(doing, &status))).await),
            Err(_) => Err(late(doing, self.timeout)),
        }
    }

    /// A server that refuses a certificate hangs up after the handshake, and HTTP/2 only sees a closed
    /// connection: one more handshake tells why.
    async fn explain(&self, mut failure: Failure) -> Failure {
        if failure.code == ExitCode::Unreachable {
            let probe = tokio::time::timeout(self.timeout, self.first_byte()).await;
            if let Ok(Err(error)) = probe
                && refused_by_tls(&error)
            {
                failure.code = ExitCode::NotAuthorised;
                failure.hint = format!("{NOT_LET_IN}; or {} is its port for other nodes", self.address);
                return failure.because(error);
            }
        }
        failure
    }

    async fn first_byte(&self) -> std::io::Result<u8> {
        let tcp = TcpStream::connect(&self.address).await?;
        let name = ServerName::try_from("wego.invalid").map_err(std::io::Error::other)?;
        tokio_rustls::TlsConnector::from(self.config.clone()).connect(name, tcp).await?.read_u8().await
    }

    /// As [`Node::ask`], for the next message of a stream.
    pub(crate) async fn next<T>(
        &self,
        doing: &str,
        stream: &mut tonic::Streaming<T>,
    ) -> Result<Option<T>, Failure> {
        match tokio::time::timeout(self.timeout, stream.message()).await {
            Ok(Ok(message)) => Ok(message),
            Ok(Err(status)) => Err(Failure::of_status(doing, &status)),
            Err(_) => Err(late(doing, self.timeout)),
        }
    }

    /// The federation and its members, the node's own among them.
    pub(crate) async fn federation(&self) -> Result<Federation, Failure> {
        let mut client = self.members();
        let reply = self.ask("list the members", client.list(v1::ListMembersRequest {})).await?;
        let own = reply.members.iter().find(|view| view.self_).and_then(|view| view.member.clone());
        let own = own.ok_or_else(|| {
            Failure::conflict(
                "the node's own member is not in its roster",
                "the node is not admitted: see `wego status`",
            )
        })?;
        Ok(Federation { name: reply.federation_name, own })
    }
}

/// Where a command acts.
#[derive(Debug)]
pub(crate) struct Federation {
    pub(crate) name: String,
    /// The node's own member.
    pub(crate) own: v1::Member,
}

fn late(doing: &str, timeout: Duration) -> Failure {
    Failure::new(
        ExitCode::Unreachable,
        format!("cannot {doing}: no answer within {} s", timeout.as_secs_f32()),
        "see that the node runs and is reachable; --timeout gives it longer",
    )
}

fn not_connected(profile: &Profile, error: PinError) -> Failure {
    let what = format!("cannot connect to {}", profile.address);
    let folder = profile.folder.display();
    let failure = match (&error, tls_error(&error)) {
        (PinError::Endpoint(_), _) => Failure::usage(what, format!("address in {folder} must be host:port")),
        (PinError::Pem(_) | PinError::Identity(_), _) => Failure::usage(
            what,
            format!("certificate and key in {folder} do not fit: copy the profile again"),
        ),
        _ if refused_by_tls(&error) => Failure::new(ExitCode::NotAuthorised, what, NOT_LET_IN),
        (_, Some(rustls::Error::InvalidCertificate(_))) => Failure::integrity(
            what,
            format!(
                "the server there has another key than {folder} pins: it is another node, somebody is in between, or \
                 the node has changed its key while you did not call; ask the node's administrator for the transport key \
                 that `wego key show` tells there, and put that fingerprint into profile.toml as server_key"
            ),
        ),
        _ => {
            Failure::new(ExitCode::Unreachable, what, "see that the node runs and that the address is right")
        }
    };
    failure.because(error)
}
