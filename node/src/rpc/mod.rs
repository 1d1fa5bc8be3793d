//! The doors for operators and other programs: gRPC over mutual TLS on the client listener.
//!
//! A door asks who you are and whether you may, turns messages into calls and errors into statuses, and decides
//! nothing else.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tonic::service::Routes;
use wego_proto::v1::{
    admin_server::AdminServer, audit_server::AuditServer, backups_server::BackupsServer,
    catalogue_server::CatalogueServer, delivery_server::DeliveryServer, invites_server::InvitesServer,
    keys_server::KeysServer, members_server::MembersServer, roster_governance_server::RosterGovernanceServer,
    search_server::SearchServer,
};

use crate::{
    audit::Audit,
    engine::{Engine, read::ReadHandle},
    enrolment::Enrolment,
    keys::LogKeys,
    operators::Operators,
    peers::Peers,
    transport::Transport,
};

mod admin;
mod audit;
mod backup;
mod catalogue;
mod change;
mod deed;
mod delivery;
mod governance;
mod guard;
mod invite;
mod keys;
mod member;
mod next_key;
mod peers;
pub mod roles;
mod search;
mod status;

pub use backup::BackupDoor;
pub use deed::Deed;
pub use guard::{Guard, GuardLayer};
pub use next_key::tell_next_key;

/// Largest request in bytes: a record of the largest payload with room for its envelope.
pub const REQUEST_BYTES_MAX: usize = 1_024 * 1_024;
/// Largest answer in bytes: a page of a thousand summaries, or the roster chain.
pub const ANSWER_BYTES_MAX: usize = 64 * 1_024 * 1_024;
/// A read waits at most so long for a projection to reach what was stored when it came.
pub const READ_PATIENCE: Duration = Duration::from_secs(2);

/// What the services share.
#[derive(Debug, Clone)]
pub struct Doors {
    /// Writes.
    pub engine: Engine,
    /// Reads.
    pub reader: ReadHandle,
    /// Peers.
    pub peers: Peers,
    /// Backups.
    pub backups: BackupDoor,
    /// The log key's files.
    pub keys: LogKeys,
    /// Held while they change, from making new ones to their taking effect, and while the log says something else of this
    /// member: what is written stands on what was read.
    pub key_change: Arc<tokio::sync::Mutex<()>>,
    /// The transport key.
    pub transport: Transport,
    /// Invites.
    pub enrolment: Enrolment,
    /// Who may; replaced as a whole when the file is read again.
    pub operators: Arc<ArcSwap<Operators>>,
    /// Who changed what.
    pub audit: Audit,
}

impl Doors {
    /// All services of the client listener. [`GuardLayer`] must stand before them.
    #[must_use]
    pub fn routes(&self) -> Routes {
        // Only what is served here: the descriptors also hold the peer listener's service.
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(wego_proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
        let reflection = roles::services()
            .into_iter()
            .fold(reflection, |all, name| all.with_service_name(name))
            .build_v1();
        let routes = Routes::new(
            CatalogueServer::new(self.clone())
                .max_decoding_message_size(REQUEST_BYTES_MAX)
                .max_encoding_message_size(ANSWER_BYTES_MAX),
        )
        .add_service(SearchServer::new(self.clone()).max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(
            MembersServer::new(self.clone())
                .max_decoding_message_size(REQUEST_BYTES_MAX)
                .max_encoding_message_size(ANSWER_BYTES_MAX),
        )
        .add_service(DeliveryServer::new(self.clone()).max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(
            RosterGovernanceServer::new(self.clone())
                .max_decoding_message_size(ANSWER_BYTES_MAX)
                .max_encoding_message_size(ANSWER_BYTES_MAX),
        )
        .add_service(AdminServer::new(self.clone()).max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(BackupsServer::new(self.backups.clone()))
        .add_service(KeysServer::new(self.clone()).max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(
            InvitesServer::new(self.clone())
                .max_decoding_message_size(REQUEST_BYTES_MAX)
                .max_encoding_message_size(ANSWER_BYTES_MAX),
        )
        .add_service(AuditServer::new(self.clone()).max_decoding_message_size(REQUEST_BYTES_MAX));
        match reflection {
            Ok(reflection) => routes.add_service(reflection),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "no server reflection");
                routes
            }
        }
    }
}

/// Runs a read that touches the disk off the async threads.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, tonic::Status> + Send + 'static,
) -> Result<T, tonic::Status> {
    tokio::task::spawn_blocking(read)
        .await
        .unwrap_or_else(|error| Err(tonic::Status::internal(format!("a read ended abnormally: {error}"))))
}
