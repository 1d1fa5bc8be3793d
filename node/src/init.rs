//! A new member's folder: keys, certificate, configuration, first operator and member card, all or nothing.
//!
//! Half a set of keys is worse than none: a card that went out without its recovery key cannot be taken back. So
//! everything is made in a folder beside and moved into place at the end. This module must never overwrite
//! anything, and never draws randomness or reads the clock itself.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use wego_proto::{
    armour::{self, Label},
    card::{self, MemberCard},
    id::CityId,
    key::{PublicKey, SecretKey},
    pin::Identity,
    v1,
};
use zeroize::Zeroizing;

use self::whole::Whole;
pub use self::{
    error::InitError,
    profile::{NewProfile, Profile},
    seeds::Seeds,
};
use crate::{
    config::{Config, Environment, RawConfig},
    keys::{
        GOVERNANCE_KEY, LOG_KEY, NEXT_LOG_KEY, RECOVERY_KEY, TRANSPORT_CERTIFICATE, TRANSPORT_KEY,
        certificate::{Life, self_signed},
    },
    operators::{self, Operator, Role},
};

mod checks;
mod config_file;
mod error;
mod profile;
mod seeds;
mod whole;

/// Configuration file of the folder.
pub const CONFIG_FILE: &str = "wego-node.toml";
/// What the member hands to whoever founds or administers the federation.
pub const CARD_FILE: &str = "member-card.pem";
/// The first operator's profile, for `wego`.
pub const PROFILE_DIR: &str = "profile";

/// Whether the member sits on the committee that signs rosters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committee {
    /// It gets a governance key.
    Sits,
    /// It does not.
    Abstains,
}

/// What a new member says about itself.
#[derive(Debug, Clone)]
pub struct InitOptions {
    /// Folder to make; must not exist, or be empty. Its parent must exist.
    pub dir: PathBuf,
    /// As in `kr-seoul`: 2 to 63 of a-z, 0-9 and -.
    pub handle: String,
    /// At least one.
    pub names: Vec<v1::MemberName>,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// UN/LOCODE without a space, as in `KRSEL`; empty when it has none.
    pub place: String,
    /// Where other nodes reach this one, `host:port`; empty for a node that only dials.
    pub endpoints: Vec<String>,
    /// Listener for other nodes.
    pub peers: SocketAddr,
    /// Listener for operators.
    pub clients: SocketAddr,
    /// Listener for web pages; `None` when off.
    pub portal: Option<SocketAddr>,
    /// Where citizens read; may be empty.
    pub portal_url: String,
    /// Whether it gets a governance key.
    pub committee: Committee,
    /// The first operator, an admin.
    pub operator: String,
    /// Now, in ms since 1970.
    pub issued_at_ms: u64,
}

/// What was made.
#[derive(Debug)]
pub struct Created {
    /// The folder.
    pub dir: PathBuf,
    /// Its configuration file.
    pub config: PathBuf,
    /// Its keys.
    pub keys_dir: PathBuf,
    /// Where the first operator's profile is.
    pub profile_dir: PathBuf,
    /// Where the member card is.
    pub card_path: PathBuf,
    /// The member card.
    pub card: v1::SignedMemberCard,
    /// The member's permanent identity.
    pub city_id: CityId,
    /// What is read over the telephone: see [`MemberCard::fingerprints`].
    pub fingerprints: Vec<(&'static str, String)>,
    /// Signs entries.
    pub log_key: PublicKey,
    /// Speaks for the node in TLS.
    pub transport_key: PublicKey,
    /// Signs rosters, when the member sits on the committee.
    pub governance: Option<SecretKey>,
}

/// Makes the folder `options.dir` with everything a new node needs. On an error nothing is left of it.
///
/// # Errors
/// [`InitError`].
pub fn create(options: &InitOptions, seeds: &Seeds) -> Result<Created, InitError> {
    checks::plausible(options)?;
    let keys = Keys::of(seeds, options.committee);
    let card = signed_card(options, &keys, seeds);
    // Opened as the founder will open it: whatever is refused there is refused here.
    let opened = MemberCard::open(&card)?;
    let whole = Whole::begin(&options.dir)?;
    write_keys(&whole, &keys, &options.handle, options.issued_at_ms)?;
    write_config(&whole, options)?;
    let data = RawConfig::default().node.data_dir;
    whole.folder(&data)?;
    whole.mark_unsigned(&data)?;
    let profile = NewProfile {
        address: reachable(options.clients).to_string(),
        server_key: keys.transport.public(),
        handle: options.handle.clone(),
        operator: options.operator.clone(),
    };
    let profile = profile::write(&whole, PROFILE_DIR, &profile, seeds.operator_key())?;
    let admin = Operator { name: options.operator.clone(), key: profile.key, role: Role::Admin };
    let list = operators::added(OPERATORS_PREAMBLE, &admin)?;
    whole.file(&RawConfig::default().node.operators, list.as_bytes())?;
    let text = armour::write(Label::MemberCard, &preamble(&opened), &card);
    whole.file(CARD_FILE, text.as_bytes())?;
    whole.finish()?;
    Ok(Created {
        dir: options.dir.clone(),
        config: options.dir.join(CONFIG_FILE),
        keys_dir: options.dir.join(RawConfig::default().node.keys_dir),
        profile_dir: options.dir.join(PROFILE_DIR),
        card_path: options.dir.join(CARD_FILE),
        card,
        city_id: opened.city_id,
        fingerprints: opened.fingerprints(),
        log_key: opened.log_key,
        transport_key: opened.transport_key,
        governance: keys.governance,
    })
}

const OPERATORS_PREAMBLE: &str = "\
# Who may call this node. Change it with `wego-node operator`, then reload the node (SIGHUP).
# Roles: reader (search, read), editor (publish too), admin (administer too).
";

struct Keys {
    log: SecretKey,
    next_log: SecretKey,
    recovery: SecretKey,
    transport: SecretKey,
    governance: Option<SecretKey>,
}

impl Keys {
    fn of(seeds: &Seeds, committee: Committee) -> Self {
        Self {
            log: seeds.log_key(),
            next_log: seeds.next_log_key(),
            recovery: seeds.recovery_key(),
            transport: seeds.transport_key(),
            governance: (committee == Committee::Sits).then(|| seeds.governance_key()),
        }
    }
}

fn signed_card(options: &InitOptions, keys: &Keys, seeds: &Seeds) -> v1::SignedMemberCard {
    let inception = v1::Inception {
        handle: options.handle.clone(),
        names: options.names.clone(),
        country: options.country.clone(),
        place: options.place.clone(),
        log_key: keys.log.public().as_bytes().to_vec(),
        transport_key: keys.transport.public().as_bytes().to_vec(),
        next_log_key_digest: keys.next_log.public().digest().as_bytes().to_vec(),
        recovery_digest: keys.recovery.public().digest().as_bytes().to_vec(),
        nonce: seeds.nonce().to_vec(),
    };
    card::sign(
        &inception,
        options.endpoints.clone(),
        keys.governance.as_ref().map(SecretKey::public),
        options.portal_url.clone(),
        options.issued_at_ms,
        &keys.log,
    )
}

fn write_keys(whole: &Whole, keys: &Keys, handle: &str, issued_at_ms: u64) -> Result<(), InitError> {
    let folder = RawConfig::default().node.keys_dir;
    whole.folder(&folder)?;
    let path = |name: &str| format!("{folder}/{name}");
    let mut secrets = vec![
        (LOG_KEY, &keys.log),
        (NEXT_LOG_KEY, &keys.next_log),
        (RECOVERY_KEY, &keys.recovery),
        (TRANSPORT_KEY, &keys.transport),
    ];
    secrets.extend(keys.governance.as_ref().map(|key| (GOVERNANCE_KEY, key)));
    for (name, key) in secrets {
        whole.file(&path(name), key.to_pem().as_bytes())?;
    }
    let certificate = self_signed(&keys.transport, handle, Life::From(issued_at_ms))?;
    whole.file(&path(TRANSPORT_CERTIFICATE), certificate.as_bytes())?;
    whole.sync(&folder)
}

fn write_config(whole: &Whole, options: &InitOptions) -> Result<(), InitError> {
    let text = config_file::filled_in(options);
    // What was written must be what the node will read.
    let path = options.dir.join(CONFIG_FILE);
    let none = Environment::new();
    Config::check(RawConfig::parse(&text, &path, &none)?, &path)?;
    whole.file(CONFIG_FILE, text.as_bytes())
}

/// A certificate of a key that is used once, for a node that speaks before it has keys of its own.
///
/// # Errors
/// [`InitError::Certificate`].
pub fn passing_identity(seed: &Zeroizing<[u8; 32]>) -> Result<Identity, InitError> {
    let key = SecretKey::from_seed(seed);
    let certificate = self_signed(&key, "newcomer", Life::Unending)?;
    Identity::from_pem(&certificate, &key.to_pem()).map_err(InitError::Identity)
}

/// Where a client on this machine reaches `listener`, which may be at all addresses.
#[must_use]
pub fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        ip if !ip.is_unspecified() => ip,
        _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    SocketAddr::new(ip, listener.port())
}

/// For whoever opens the card in an editor. Never believed by a program.
fn preamble(card: &MemberCard) -> Vec<String> {
    let names: Vec<_> =
        card.inception.names.iter().map(|name| format!("{} ({})", name.text, name.lang)).collect();
    let endpoints =
        if card.endpoints.is_empty() { "none, dials only".to_owned() } else { card.endpoints.join(", ") };
    let portal = if card.portal_url.is_empty() { "none" } else { &card.portal_url };
    let committee = card.governance_key.as_ref().map_or("no".to_owned(), |_| "yes".to_owned());
    let mut lines = vec![
        "WeGO member card. No secret in it: hand it to whoever founds or administers the federation."
            .to_owned(),
        format!("handle:      {}", card.inception.handle),
        format!("name:        {}", names.join(", ")),
        format!("country:     {}  {}", card.inception.country, card.inception.place),
        format!("endpoint:    {endpoints}"),
        format!("portal:      {portal}"),
        format!("committee:   {committee}"),
        "Compare these over the telephone before you believe this card, or sign a roster with it:".to_owned(),
    ];
    lines.extend(card.fingerprints().iter().map(|(what, print)| format!("{what}: {print}")));
    lines
}

#[cfg(test)]
mod tests;
