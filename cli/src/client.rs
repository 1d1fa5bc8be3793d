//! The connection to one node: its key pinned, every call with a deadline.
//!
//! It must never talk to a server with another key than the profile's, whatever name or address it has.

use std::{future::Future, sync::Arc, time::Duration};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{io::AsyncReadExt as _, net::TcpStream};
use tonic::{Response, Status, transport::Channel};
use wego_proto::{
    pin::{self, PinError},
    v1::{
        self, admin_client::AdminClient, catalogue_client::CatalogueClient, delivery_client::DeliveryClient,
        invites_client::InvitesClient, keys_client::KeysClient, members_client::MembersClient,
        roster_governance_client::RosterGovernanceClient, search_client::SearchClient,
    },
};

use crate::{
    error::{ExitCode, Failure, NOT_LET_IN, refused_by_tls, tls_error},
    profile::Profile,
};

/// Largest answer in bytes: a roster chain of eight full versions.
const ANSWER_BYTES_MAX: usize = 64 * 1_024 * 1_024;

/// A node, connected.
#[derive(Debug)]
pub(crate) struct Node {
    channel: Channel,
    timeout: Duration,
    address: String,
    config: Arc<ClientConfig>,
}

impl Node {
    /// Connects within `timeout`.
    pub(crate) async fn connect(profile: &Profile, timeout: Duration) -> Result<Self, Failure> {
        let pinned = profile.server_key;
        let config = pin::client_config(profile.identity.clone(), Arc::new(move |key| *key == pinned))
            .map_err(|error| not_connected(profile, error))?;
        let config = Arc::new(config);
        let connecting = pin::connect(&profile.address, config.clone(), timeout);
        // The connector's own limit covers TCP only.
        let channel = match tokio::time::timeout(timeout, connecting).await {
            Ok(connected) => connected.map_err(|error| not_connected(profile, error))?,
            Err(_) => return Err(late(&format!("connect to {}", profile.address), timeout)),
        };
        Ok(Self { channel, timeout, address: profile.address.clone(), config })
    }

    pub(crate) fn catalogue(&self) -> CatalogueClient<Channel> {
        CatalogueClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn search(&self) -> SearchClient<Channel> {
        SearchClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn members(&self) -> MembersClient<Channel> {
        MembersClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn delivery(&self) -> DeliveryClient<Channel> {
        DeliveryClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn admin(&self) -> AdminClient<Channel> {
        AdminClient::new(self.channel.clone())
    }

    pub(crate) fn keys(&self) -> KeysClient<Channel> {
        KeysClient::new(self.channel.clone())
    }

    pub(crate) fn invites(&self) -> InvitesClient<Channel> {
        InvitesClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn governance(&self) -> RosterGovernanceClient<Channel> {
        RosterGovernanceClient::new(self.channel.clone())
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
            Ok(Ok(answer)) => Ok(answer.into_inner()),
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
                "the server there has another key than {folder} pins: it is another node, or somebody is in \
                 between; compare keys with the node's administrator"
            ),
        ),
        _ => {
            Failure::new(ExitCode::Unreachable, what, "see that the node runs and that the address is right")
        }
    };
    failure.because(error)
}
