//! Which bytes of a roster are hashed and signed, and when one version may follow another.
//!
//! A roster version decides who may write, so it is believed only with a threshold of signatures: of its
//! predecessor's governance keys and of its own, each key counted once. [`Roster`] exists only with its own
//! threshold reached; [`Roster::succeeded_by`] is the only way from one version to the next.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use thiserror::Error;

use crate::{
    convert::{FieldError, InField as _, Problem, at_most, optional},
    id::{CityId, FederationId, Hash, Origin, Position},
    key::{PublicKey, Purpose, SecretKey, Signature},
    v1::{self, MemberRole, MemberStatus},
};

/// Largest encoded version in bytes: 10,000 members of about 800 bytes.
pub const ROSTER_BYTES_MAX: usize = 8 * 1_024 * 1_024;
/// Members of one version.
pub const MEMBERS_MAX: usize = 20_000;
/// Endpoints, and transport keys, of one member.
pub const ENDPOINTS_MAX: usize = 8;
/// Governance keys, and so the signatures looked at.
pub const GOVERNANCE_KEYS_MAX: usize = 64;
/// Characters of a handle or a name.
const NAME_CHARS_MAX: usize = 200;

/// Why a roster version is refused. The version known before stays in force.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RosterError {
    /// A field is missing, wrong or over its limit.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// Too few of the keys that must sign have signed.
    #[error("{have} of the {need} signatures of {whose} keys are there")]
    TooFewSignatures {
        /// Distinct valid signatures.
        have: usize,
        /// Threshold.
        need: usize,
        /// Whose threshold: the predecessor's or its own.
        whose: &'static str,
    },
    /// It is not the next version of the one known.
    #[error("version {found} does not follow version {known}")]
    NotNext {
        /// Version in force.
        known: u64,
        /// Version offered.
        found: u64,
    },
    /// It names another predecessor.
    #[error("version {version} follows another version {} than the one known", version - 1)]
    OtherPredecessor {
        /// Version offered.
        version: u64,
    },
    /// It belongs to another federation.
    #[error("it belongs to federation {found}")]
    OtherFederation {
        /// Federation named in it.
        found: FederationId,
    },
}

/// A roster version with its own threshold of signatures.
#[derive(Debug, Clone, PartialEq)]
pub struct Roster {
    signed: v1::SignedRoster,
    content: v1::Roster,
    hash: Hash,
    federation: FederationId,
    governance: Governance,
    members: BTreeMap<Origin, Member>,
}

/// The keys that decide, and how many of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Governance {
    /// Distinct keys.
    pub keys: BTreeSet<PublicKey>,
    /// More than half of them.
    pub threshold: usize,
}

/// A member as a roster version has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Origin of its entries.
    pub origin: Origin,
    /// Permanent identity.
    pub city_id: CityId,
    /// Unique word for it.
    pub handle: String,
    /// Its names by language.
    pub names: Vec<v1::MemberName>,
    /// Keys that may speak for it in TLS.
    pub transport_keys: Vec<PublicKey>,
    /// Keys that signed or sign its log, oldest first.
    pub log_keys: Vec<LogKey>,
    /// Whether it takes part.
    pub status: MemberStatus,
    /// Its office.
    pub role: MemberRole,
    /// Last valid position, of one that no longer takes part.
    pub cut: Option<Cut>,
    /// As it stands in the roster.
    pub raw: v1::Member,
}

/// A log key and where it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogKey {
    /// Its number, from 1.
    pub key_no: u32,
    /// The key.
    pub key: PublicKey,
    /// First position it signs.
    pub from: Position,
    /// First position it no longer signs.
    pub until: Option<Position>,
}

/// The last valid position of a member that no longer takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Position.
    pub at: Position,
    /// Hash of the entry there.
    pub hash: Hash,
}

impl Member {
    /// The key with this number, if it may sign at this position.
    #[must_use]
    pub fn log_key(&self, key_no: u32, at: Position) -> Option<&PublicKey> {
        let holds = |key: &&LogKey| {
            key.key_no == key_no && key.from <= at && key.until.is_none_or(|until| at < until)
        };
        self.log_keys.iter().find(holds).map(|key| &key.key)
    }

    /// Whether it may open sessions and add entries.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == MemberStatus::Active
    }

    /// What the first entry of its log names as predecessor.
    #[must_use]
    pub fn log_root(&self) -> Hash {
        Hash::new(*self.city_id.as_bytes())
    }
}

impl Roster {
    /// Reads a version and checks its own threshold. For version 1 that is all there is to check; a later one
    /// must also be checked against its predecessor by [`Roster::succeeded_by`].
    ///
    /// # Errors
    /// [`RosterError::Field`] or [`RosterError::TooFewSignatures`].
    pub fn open(signed: v1::SignedRoster) -> Result<Self, RosterError> {
        let draft = Draft::parse(&signed.roster)?;
        let have = draft.governance.count_signatures(&signed);
        let need = draft.governance.threshold;
        if have < need {
            return Err(RosterError::TooFewSignatures { have, need, whose: "its own" });
        }
        let Draft { content, hash, federation, governance, members } = draft;
        Ok(Self { signed, content, hash, federation, governance, members })
    }

    /// Reads a chain from version 1 on.
    ///
    /// # Errors
    /// The first step that fails; or a missing version 1.
    pub fn open_chain(chain: v1::RosterChain) -> Result<Vec<Self>, RosterError> {
        let mut opened: Vec<Self> = Vec::with_capacity(chain.versions.len());
        for signed in chain.versions {
            let next = match opened.last() {
                Some(last) => last.succeeded_by(signed)?,
                None => Self::open_genesis(signed)?,
            };
            opened.push(next);
        }
        if opened.is_empty() {
            return Err(FieldError { field: "roster.versions", problem: Problem::Missing }.into());
        }
        Ok(opened)
    }

    /// Reads version 1.
    ///
    /// # Errors
    /// As [`Roster::open`]; [`RosterError::NotNext`] for a later version.
    pub fn open_genesis(signed: v1::SignedRoster) -> Result<Self, RosterError> {
        let roster = Self::open(signed)?;
        if roster.version() != 1 {
            return Err(RosterError::NotNext { known: 0, found: roster.version() });
        }
        Ok(roster)
    }

    /// Accepts `signed` as the version after this one: number, predecessor, both thresholds.
    ///
    /// # Errors
    /// [`RosterError`]; this version stays in force.
    pub fn succeeded_by(&self, signed: v1::SignedRoster) -> Result<Self, RosterError> {
        let next = Self::open(signed)?;
        if next.federation != self.federation {
            return Err(RosterError::OtherFederation { found: next.federation });
        }
        if next.version() != self.version() + 1 {
            return Err(RosterError::NotNext { known: self.version(), found: next.version() });
        }
        if next.content.prev_hash != self.hash.as_bytes() {
            return Err(RosterError::OtherPredecessor { version: next.version() });
        }
        let have = self.governance.count_signatures(&next.signed);
        let need = self.governance.threshold;
        if have < need {
            return Err(RosterError::TooFewSignatures { have, need, whose: "the predecessor's" });
        }
        Ok(next)
    }

    /// Number of the version, from 1.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.content.version
    }

    /// SHA-256 of its bytes.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// SHA-256 of version 1's bytes.
    #[must_use]
    pub fn federation(&self) -> FederationId {
        self.federation
    }

    /// As it stands in the roster.
    #[must_use]
    pub fn content(&self) -> &v1::Roster {
        &self.content
    }

    /// The signed bytes.
    #[must_use]
    pub fn signed(&self) -> &v1::SignedRoster {
        &self.signed
    }

    /// The keys that decide.
    #[must_use]
    pub fn governance(&self) -> &Governance {
        &self.governance
    }

    /// All members by origin, also those that no longer take part.
    #[must_use]
    pub fn members(&self) -> &BTreeMap<Origin, Member> {
        &self.members
    }

    /// The member with this handle.
    #[must_use]
    pub fn member_by_handle(&self, handle: &str) -> Option<&Member> {
        self.members.values().find(|member| member.handle == handle)
    }

    /// The active member that this transport key speaks for.
    #[must_use]
    pub fn member_by_transport_key(&self, key: &PublicKey) -> Option<&Member> {
        self.members.values().find(|member| member.is_active() && member.transport_keys.contains(key))
    }

    /// Past this time, ms since 1970, admissions stop and nothing else.
    #[must_use]
    pub fn is_soft_expired(&self, now_ms: u64) -> bool {
        self.content.soft_expires_at_ms != 0 && now_ms > self.content.soft_expires_at_ms
    }
}

impl Governance {
    /// How many distinct keys of these have signed.
    #[must_use]
    pub fn count_signatures(&self, signed: &v1::SignedRoster) -> usize {
        self.signers(signed).len()
    }

    /// The distinct keys of these that have signed.
    #[must_use]
    pub fn signers(&self, signed: &v1::SignedRoster) -> BTreeSet<PublicKey> {
        signed
            .signatures
            .iter()
            .take(GOVERNANCE_KEYS_MAX)
            .filter_map(|one| self.valid(&signed.roster, one))
            .collect()
    }

    fn valid(&self, roster: &[u8], one: &v1::RosterSignature) -> Option<PublicKey> {
        let key = PublicKey::from_bytes(&one.key).ok().filter(|key| self.keys.contains(key))?;
        let signature = Signature::try_from(one.signature.as_slice()).ok()?;
        key.verify(Purpose::Roster, &[roster], &signature).ok()?;
        Some(key)
    }
}

/// A well-formed roster version that need not be signed yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// As it stands in the bytes.
    pub content: v1::Roster,
    /// SHA-256 of its bytes.
    pub hash: Hash,
    /// The federation it belongs to; of version 1, its own hash.
    pub federation: FederationId,
    /// The keys that must sign.
    pub governance: Governance,
    /// All members by origin.
    pub members: BTreeMap<Origin, Member>,
}

impl Draft {
    /// Reads a roster's bytes.
    ///
    /// # Errors
    /// [`FieldError`] names the field.
    pub fn parse(bytes: &[u8]) -> Result<Self, FieldError> {
        at_most("roster", bytes.len(), ROSTER_BYTES_MAX)?;
        let content = v1::Roster::decode(bytes).map_err(|_| Problem::Undecodable).in_field("roster")?;
        if content.format != 1 || content.version == 0 {
            let problem = Problem::OutOfRange { expected: "format 1 and a version from 1" };
            return Err(FieldError { field: "roster.format", problem });
        }
        at_most("roster.members", content.members.len(), MEMBERS_MAX)?;
        let hash = Hash::of(&[bytes]);
        let federation = if content.version == 1 {
            FederationId::new(*hash.as_bytes())
        } else {
            let _: Hash = content.prev_hash.as_slice().try_into().in_field("roster.prev_hash")?;
            content.federation_id.as_slice().try_into().in_field("roster.federation_id")?
        };
        let governance = governance(content.governance.as_ref().in_field("roster.governance")?)?;
        let members = members(&content.members)?;
        Ok(Self { content, hash, federation, governance, members })
    }
}

/// Adds a signature to `signed`, replacing an earlier one of the same key.
pub fn add_signature(signed: &mut v1::SignedRoster, key: &SecretKey) {
    let public = key.public().as_bytes().to_vec();
    let signature = key.sign(Purpose::Roster, &[&signed.roster]).as_bytes().to_vec();
    signed.signatures.retain(|one| one.key != public);
    signed.signatures.push(v1::RosterSignature { key: public, signature });
}

fn governance(raw: &v1::Governance) -> Result<Governance, FieldError> {
    at_most("roster.governance.keys", raw.keys.len(), GOVERNANCE_KEYS_MAX)?;
    let keys: Result<BTreeSet<_>, _> = raw.keys.iter().map(|key| PublicKey::from_bytes(key)).collect();
    let keys = keys.in_field("roster.governance.keys")?;
    if keys.len() != raw.keys.len() {
        let problem = Problem::OutOfRange { expected: "without repetition" };
        return Err(FieldError { field: "roster.governance.keys", problem });
    }
    let threshold = raw.threshold as usize;
    if threshold > keys.len() || threshold * 2 <= keys.len() {
        let problem =
            Problem::OutOfRange { expected: "more than half of the keys, and not more than there are" };
        return Err(FieldError { field: "roster.governance.threshold", problem });
    }
    Ok(Governance { keys, threshold })
}

fn members(raw: &[v1::Member]) -> Result<BTreeMap<Origin, Member>, FieldError> {
    let mut members = BTreeMap::new();
    let mut handles = BTreeSet::new();
    let mut transport_keys = BTreeSet::new();
    for member in raw {
        let member = member_from(member)?;
        let fresh = handles.insert(member.handle.clone())
            && member.transport_keys.iter().all(|key| transport_keys.insert(*key));
        if !fresh || members.insert(member.origin, member).is_some() {
            let problem =
                Problem::OutOfRange { expected: "without two members of one idx, handle or transport key" };
            return Err(FieldError { field: "roster.members", problem });
        }
    }
    Ok(members)
}

fn member_from(raw: &v1::Member) -> Result<Member, FieldError> {
    if raw.idx == 0 {
        return Err(FieldError { field: "member.idx", problem: Problem::OutOfRange { expected: "from 1" } });
    }
    check_handle(&raw.handle).in_field("member.handle")?;
    check_names(&raw.names).in_field("member.names")?;
    at_most("member.endpoints", raw.endpoints.len(), ENDPOINTS_MAX)?;
    at_most("member.transport_keys", raw.transport_keys.len(), ENDPOINTS_MAX)?;
    let _: Option<Hash> = optional(&raw.recovery_digest).in_field("member.recovery_digest")?;
    let keys: Result<Vec<_>, _> = raw.transport_keys.iter().map(|key| PublicKey::from_bytes(key)).collect();
    Ok(Member {
        origin: Origin(raw.idx),
        city_id: raw.city_id.as_slice().try_into().in_field("member.city_id")?,
        handle: raw.handle.clone(),
        names: raw.names.clone(),
        transport_keys: keys.in_field("member.transport_keys")?,
        log_keys: raw.log_keys.iter().map(log_key).collect::<Result<_, _>>()?,
        status: known_status(raw.status()).in_field("member.status")?,
        role: raw.role(),
        cut: raw.cut.as_ref().map(cut).transpose()?,
        raw: raw.clone(),
    })
}

fn known_status(status: MemberStatus) -> Result<MemberStatus, Problem> {
    match status {
        MemberStatus::Unspecified => Err(Problem::OutOfRange { expected: "a status this version knows" }),
        known => Ok(known),
    }
}

fn log_key(raw: &v1::LogKey) -> Result<LogKey, FieldError> {
    if raw.key_no == 0 {
        return Err(FieldError {
            field: "log_key.key_no",
            problem: Problem::OutOfRange { expected: "from 1" },
        });
    }
    let from = raw.from.in_field("log_key.from")?;
    Ok(LogKey {
        key_no: raw.key_no,
        key: PublicKey::from_bytes(&raw.key).in_field("log_key.key")?,
        from: from.try_into().in_field("log_key.from")?,
        until: raw.until.map(Position::try_from).transpose().in_field("log_key.until")?,
    })
}

fn cut(raw: &v1::Cut) -> Result<Cut, FieldError> {
    let at = raw.at.in_field("cut.at")?;
    Ok(Cut {
        at: at.try_into().in_field("cut.at")?,
        hash: raw.hash.as_slice().try_into().in_field("cut.hash")?,
    })
}

/// A handle is typed, shown in terminals and used in file names: plain letters only.
pub(crate) fn check_handle(handle: &str) -> Result<(), Problem> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits = (2..=63).contains(&handle.len()) && handle.chars().all(plain) && !handle.starts_with('-');
    if fits { Ok(()) } else { Err(Problem::OutOfRange { expected: "2 to 63 of a-z, 0-9 and -" }) }
}

pub(crate) fn check_names(names: &[v1::MemberName]) -> Result<(), Problem> {
    let plain = |name: &v1::MemberName| {
        let chars = name.text.chars().count();
        (1..=NAME_CHARS_MAX).contains(&chars) && !name.text.chars().any(char::is_control)
    };
    if names.is_empty() || !names.iter().all(plain) {
        return Err(Problem::OutOfRange {
            expected: "one or more, of 1 to 200 characters without control characters",
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
