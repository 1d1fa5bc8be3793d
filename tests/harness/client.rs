//! Speaks to a node as an operator does: gRPC with a client certificate from a profile folder.

use std::{fs, path::Path, sync::Arc, time::Duration};

use tonic::transport::Channel;
use wego_proto::{
    key::PublicKey,
    pin::{self, Identity},
    v1::{
        admin_client::AdminClient, catalogue_client::CatalogueClient, delivery_client::DeliveryClient,
        invites_client::InvitesClient, members_client::MembersClient,
        roster_governance_client::RosterGovernanceClient, search_client::SearchClient,
    },
};

/// Clients of one node.
#[derive(Debug, Clone)]
pub struct Client {
    channel: Channel,
}

impl Client {
    /// Connects with the profile in `dir`.
    ///
    /// # Panics
    /// When the profile or the node does not work.
    pub async fn of_profile(dir: &Path) -> Self {
        let read = |name: &str| fs::read_to_string(dir.join(name)).expect("a file of the profile");
        let profile: toml::Table = read("profile.toml").parse().expect("profile.toml");
        let text = |key: &str| profile[key].as_str().expect("a text").to_owned();
        let identity =
            Identity::from_pem(&read(&text("certificate")), &read(&text("key"))).expect("an identity");
        Self::connect(&text("address"), &text("server_key"), identity).await
    }

    /// Connects to `address`, whose key must be `server_key` (hex), showing `identity`.
    ///
    /// # Panics
    /// When the node cannot be reached.
    pub async fn connect(address: &str, server_key: &str, identity: Identity) -> Self {
        let key: wego_proto::id::Hash = server_key.parse().expect("hex");
        let key = PublicKey::from_bytes(key.as_bytes()).expect("a key");
        let config =
            pin::client_config(identity, Arc::new(move |found| *found == key)).expect("a configuration");
        let channel =
            pin::connect(address, Arc::new(config), Duration::from_secs(10)).await.expect("a connection");
        Self { channel }
    }

    /// The connection.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Records.
    #[must_use]
    pub fn catalogue(&self) -> CatalogueClient<Channel> {
        CatalogueClient::new(self.channel.clone())
    }

    /// Search.
    #[must_use]
    pub fn search(&self) -> SearchClient<Channel> {
        SearchClient::new(self.channel.clone())
    }

    /// Members.
    #[must_use]
    pub fn members(&self) -> MembersClient<Channel> {
        MembersClient::new(self.channel.clone())
    }

    /// Who has applied what.
    #[must_use]
    pub fn delivery(&self) -> DeliveryClient<Channel> {
        DeliveryClient::new(self.channel.clone())
    }

    /// Invites.
    #[must_use]
    pub fn invites(&self) -> InvitesClient<Channel> {
        InvitesClient::new(self.channel.clone())
    }

    /// Changing the roster.
    #[must_use]
    pub fn governance(&self) -> RosterGovernanceClient<Channel> {
        RosterGovernanceClient::new(self.channel.clone())
    }

    /// Administration.
    #[must_use]
    pub fn admin(&self) -> AdminClient<Channel> {
        AdminClient::new(self.channel.clone())
    }
}
