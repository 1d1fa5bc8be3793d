//! Cities that are no members: strangers with keys and cards of their own who ask to join by hand, and the committee that
//! admits them by hand. What `wego-node join` would never say can be said here.

use std::{fs, sync::Arc, time::Duration};

use wego_node::{
    clock::now_ms,
    demo::founding::Seat,
    keys::{self, GOVERNANCE_KEY},
};
use wego_proto::{
    armour::{self, Label},
    card::{self, MemberCard},
    found::Founding,
    invite::{self, Invite},
    key::{PublicKey, SecretKey},
    pin::{self, Identity, JoinConnection, PinError},
    prost::Message as _,
    roster::{Roster, add_signature},
    v1::{
        self, enrolment_client::EnrolmentClient, join_refusal::Reason, join_reply::Outcome,
        progress_reply::State,
    },
};
use zeroize::Zeroizing;

use crate::client::Client;

/// A connection must stand within this time.
const PATIENCE: Duration = Duration::from_secs(20);

/// A city that is no member.
#[derive(Debug)]
pub struct Stranger {
    /// Shown in TLS.
    pub identity: Identity,
    /// The key in that.
    pub key: PublicKey,
    /// Of the same key.
    pub card: v1::SignedMemberCard,
}

impl Stranger {
    /// Draws keys and signs a card.
    #[must_use]
    pub fn new(handle: &str) -> Self {
        let (log, transport) = (secret(), secret());
        let inception = v1::Inception {
            handle: handle.to_owned(),
            names: vec![v1::MemberName { lang: "en".to_owned(), text: handle.to_owned() }],
            country: "NL".to_owned(),
            log_key: log.public().as_bytes().to_vec(),
            transport_key: transport.public().as_bytes().to_vec(),
            ..Default::default()
        };
        let card = card::sign(&inception, vec![], None, String::new(), now_ms(), &log);
        let pair = rcgen::KeyPair::from_pem(&transport.to_pem()).expect("a key");
        let params = rcgen::CertificateParams::new([]).expect("parameters");
        let certificate = params.self_signed(&pair).expect("a certificate");
        let identity = Identity::from_pem(&certificate.pem(), &transport.to_pem()).expect("an identity");
        Self { identity, key: transport.public(), card }
    }

    /// Connects as newcomers do.
    ///
    /// # Errors
    /// [`PinError`].
    pub async fn dial(&self, invite: &Invite) -> Result<JoinConnection, PinError> {
        let expected = invite.inviter;
        let judge = move |key: &PublicKey| invite::key_hash(key) == expected;
        let config = pin::join_client_config(self.identity.clone(), Arc::new(judge))?;
        pin::connect_to_join(&invite.endpoint, Arc::new(config), PATIENCE).await
    }

    /// What an honest newcomer asks on this connection.
    #[must_use]
    pub fn request(&self, invite: &Invite, connection: &JoinConnection) -> v1::JoinRequest {
        let proof = invite::prove(&invite.secret, &invite.id, &connection.binding, &self.card);
        v1::JoinRequest {
            invite_id: invite.id.as_bytes().to_vec(),
            federation_prefix: invite.federation.to_vec(),
            wire_min: 1,
            wire_max: 1,
            clock_ms: now_ms(),
            software: "stranger/1".to_owned(),
            card: Some(self.card.clone()),
            proof: proof.as_bytes().to_vec(),
        }
    }

    /// Asks to join; why not, if it was refused.
    ///
    /// # Errors
    /// The refusal.
    pub async fn join(&self, invite: &Invite) -> Result<v1::JoinAccepted, v1::JoinRefusal> {
        self.join_with(invite, |_| {}).await
    }

    /// As [`Stranger::join`], with a request that was altered.
    ///
    /// # Errors
    /// The refusal.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn join_with(
        &self,
        invite: &Invite,
        alter: impl FnOnce(&mut v1::JoinRequest),
    ) -> Result<v1::JoinAccepted, v1::JoinRefusal> {
        let connection = self.dial(invite).await.expect("strangers may knock");
        let mut request = self.request(invite, &connection);
        alter(&mut request);
        let reply = EnrolmentClient::new(connection.channel).join(request).await.expect("an answer");
        match reply.into_inner().outcome.expect("an outcome") {
            Outcome::Accepted(accepted) => Ok(accepted),
            Outcome::Refused(refused) => Err(refused),
        }
    }

    /// Why a join was refused.
    ///
    /// # Panics
    /// When it was not.
    pub async fn refused(&self, invite: &Invite) -> Reason {
        self.join(invite).await.expect_err("a refusal").reason()
    }

    /// How far the admission is.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn progress(&self, invite: &Invite) -> State {
        let connection = self.dial(invite).await.expect("strangers may knock");
        let request = v1::ProgressRequest { invite_id: invite.id.as_bytes().to_vec(), roster_version: 0 };
        let reply = EnrolmentClient::new(connection.channel).progress(request).await.expect("an answer");
        reply.into_inner().state.expect("a state")
    }
}

/// Makes an invite at a seat's node.
///
/// # Panics
/// When it is refused.
pub async fn invite(seat: &Seat) -> String {
    invite_with(seat, v1::CreateInviteRequest { city: "Leiden".to_owned(), ..Default::default() }).await
}

/// As [`invite()`], with everything that can be said.
///
/// # Panics
/// When it is refused.
pub async fn invite_with(seat: &Seat, request: v1::CreateInviteRequest) -> String {
    let mut invites = Client::of_profile(&seat.created.profile_dir).await.invites();
    invites.create(request).await.expect("an invite").into_inner().invite
}

/// The invites of a seat's node.
///
/// # Panics
/// When it does not answer.
pub async fn invites(seat: &Seat) -> Vec<v1::InviteView> {
    let mut invites = Client::of_profile(&seat.created.profile_dir).await.invites();
    invites.list(v1::ListInvitesRequest {}).await.expect("a list").into_inner().invites
}

/// Writes the next roster version, with one more member, into the first seat's file, signed by a threshold of the
/// seats. Its node must not run; it takes the version at its start.
///
/// # Panics
/// When the roster does not hold.
pub fn admit(seats: &[Seat], card: &v1::SignedMemberCard) {
    admit_as(seats, card, |_| ());
}

/// As [`admit`], with a member that is not as the card says.
///
/// # Panics
/// When the roster does not hold.
pub fn admit_as(seats: &[Seat], card: &v1::SignedMemberCard, alter: impl FnOnce(&mut v1::Member)) {
    let path = &seats[0].config.node.roster;
    let text = fs::read_to_string(path).expect("the roster file");
    let mut chain: v1::RosterChain = armour::read(Label::Roster, &text).expect("a roster");
    let current = Roster::open_chain(chain.clone()).expect("it is signed").pop().expect("a version");
    let card = MemberCard::open(card).expect("a card");
    let founding = Founding {
        name: String::new(),
        threshold: 1,
        offices: Default::default(),
        issued_at_ms: now_ms(),
        soft_expires_at_ms: 0,
    };
    let mut content = current.content().clone();
    let idx = content.members.iter().map(|member| member.idx).max().unwrap_or(0) + 1;
    let mut member = founding.genesis(&[card]).members.remove(0);
    member.idx = idx;
    alter(&mut member);
    content.members.push(member);
    content.version += 1;
    content.prev_hash = current.hash().as_bytes().to_vec();
    content.federation_id = current.federation().as_bytes().to_vec();
    let mut signed = v1::SignedRoster { roster: content.encode_to_vec(), signatures: Vec::new() };
    for seat in &seats[..current.governance().threshold] {
        let key = keys::read_secret_key(&seat.config.node.keys_dir.join(GOVERNANCE_KEY));
        add_signature(&mut signed, &key.expect("a governance key"));
    }
    chain.versions.push(signed);
    let _ = Roster::open_chain(chain.clone()).expect("the next version follows");
    fs::write(path, armour::write(Label::Roster, &[], &chain)).expect("it can be written");
}

fn secret() -> SecretKey {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice()).expect("randomness");
    SecretKey::from_seed(&seed)
}
