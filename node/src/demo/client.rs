//! A clerk's connection to the own node: gRPC with the profile that the founding made, every call with a deadline.
//!
//! The story goes through here and not through the engine, so that what it tells is what a client gets.

use std::{fs, future::Future, path::Path, sync::Arc, time::Duration};

use serde::Deserialize;
use tonic::{Response, Status, transport::Channel};
use wego_proto::{
    id::{Hash, RecordId},
    key::PublicKey,
    pin::{self, Identity},
    v1::{
        self, admin_client::AdminClient, catalogue_client::CatalogueClient, members_client::MembersClient,
        search_client::SearchClient,
    },
};

use super::{
    cities::Founder,
    error::{DemoError, ProfileError},
};

/// An answer of a node takes longer only where something is wrong.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection to one city's node.
#[derive(Debug, Clone)]
pub(super) struct Client {
    city: Founder,
    channel: Channel,
}

#[derive(Deserialize)]
struct ProfileFile {
    address: String,
    server_key: String,
    certificate: String,
    key: String,
}

/// Whom to call, and as whom.
struct Profile {
    address: String,
    server_key: PublicKey,
    identity: Identity,
}

impl Client {
    /// Connects to the node of `city` with the profile in `dir`.
    pub(super) async fn connect(city: Founder, dir: &Path) -> Result<Self, DemoError> {
        let profile = Profile::load(dir)?;
        Self::call(city, &profile.address, profile.server_key, profile.identity).await
    }

    /// Calls the node of `city`, whose profile is in `dir`, as the operator of the profile in `guest_dir`.
    pub(super) async fn connect_as(city: Founder, dir: &Path, guest_dir: &Path) -> Result<Self, DemoError> {
        let (profile, guest) = (Profile::load(dir)?, Profile::load(guest_dir)?);
        Self::call(city, &profile.address, profile.server_key, guest.identity).await
    }

    async fn call(
        city: Founder,
        address: &str,
        server_key: PublicKey,
        identity: Identity,
    ) -> Result<Self, DemoError> {
        let failed = |source| DemoError::Connect { handle: city.handle(), source };
        let config =
            pin::client_config(identity, Arc::new(move |found| *found == server_key)).map_err(failed)?;
        let connecting = pin::connect(address, Arc::new(config), ANSWER_TIMEOUT);
        let connected = tokio::time::timeout(ANSWER_TIMEOUT, connecting).await;
        let late = DemoError::Late { what: "a connection to a node", within: ANSWER_TIMEOUT };
        let channel = connected.map_err(|_| late)?.map_err(failed)?;
        Ok(Self { city, channel })
    }

    /// Whose node this is.
    pub(super) fn city(&self) -> Founder {
        self.city
    }

    /// Publishes a record, or a new version of one.
    pub(super) async fn publish(
        &self,
        record: v1::Record,
        record_id: Option<&RecordId>,
    ) -> Result<v1::PublishReply, DemoError> {
        let mut request_id = vec![0; 16];
        getrandom::fill(&mut request_id)
            .map_err(|error| DemoError::System(std::io::Error::other(error.to_string())))?;
        let request = v1::PublishRequest {
            request_id,
            record_id: record_id.map(|id| id.as_bytes().to_vec()).unwrap_or_default(),
            must_exist: record_id.is_some(),
            record: Some(record),
            ..Default::default()
        };
        let mut client = CatalogueClient::new(self.channel.clone());
        self.ask("publish a record", client.publish(request)).await
    }

    /// The newest version of a record.
    pub(super) async fn read(&self, id: &RecordId) -> Result<v1::RecordView, DemoError> {
        let mut client = CatalogueClient::new(self.channel.clone());
        let request = v1::ReadRequest { record_id: id.as_bytes().to_vec() };
        self.ask("read a record", client.read(request)).await
    }

    /// The proof of a record.
    pub(super) async fn export(&self, id: &RecordId) -> Result<v1::RecordProof, DemoError> {
        let mut client = CatalogueClient::new(self.channel.clone());
        let request = v1::ReadRequest { record_id: id.as_bytes().to_vec() };
        self.ask("export a proof", client.export(request)).await
    }

    pub(super) async fn search(&self, query: &str, reader_lang: &str) -> Result<v1::SearchReply, DemoError> {
        let mut client = SearchClient::new(self.channel.clone());
        let request = v1::SearchRequest {
            query: query.to_owned(),
            reader_lang: reader_lang.to_owned(),
            ..Default::default()
        };
        self.ask("search", client.search(request)).await
    }

    pub(super) async fn peers(&self) -> Result<Vec<v1::PeerView>, DemoError> {
        let mut client = AdminClient::new(self.channel.clone());
        let reply = self.ask("list its peers", client.list_peers(v1::ListPeersRequest {})).await?;
        Ok(reply.peers)
    }

    /// The roster versions, as the node has them.
    pub(super) async fn roster(&self) -> Result<v1::RosterChain, DemoError> {
        let mut client = MembersClient::new(self.channel.clone());
        self.ask("show the roster", client.roster(v1::RosterRequest {})).await
    }

    async fn ask<T>(
        &self,
        doing: &'static str,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, DemoError> {
        match tokio::time::timeout(ANSWER_TIMEOUT, call).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => {
                Err(DemoError::Refused { handle: self.city.handle(), doing, source: Box::new(status) })
            }
            Err(_) => Err(DemoError::Late { what: "an answer of a node", within: ANSWER_TIMEOUT }),
        }
    }
}

impl Profile {
    fn load(dir: &Path) -> Result<Self, DemoError> {
        Self::parse(dir).map_err(|source| DemoError::Profile { dir: dir.to_owned(), source })
    }

    fn parse(dir: &Path) -> Result<Self, ProfileError> {
        let read = |name: &str| {
            fs::read_to_string(dir.join(name))
                .map_err(|source| ProfileError::Read { name: name.to_owned(), source })
        };
        let file: ProfileFile = toml::from_str(&read("profile.toml")?)?;
        let key: Hash = file.server_key.parse().map_err(|_| ProfileError::ServerKey)?;
        Ok(Self {
            server_key: PublicKey::from_bytes(key.as_bytes()).map_err(|_| ProfileError::ServerKey)?,
            identity: Identity::from_pem(&read(&file.certificate)?, &read(&file.key)?)?,
            address: file.address,
        })
    }
}
