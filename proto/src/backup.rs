//! A backup file: which bytes it is made of, and when it is whole. The only place that says so.
//!
//! The problem: a backup is believed on the worst day, by somebody who has nothing else left, and it may have been
//! cut short, damaged or changed where it was kept. The rule: every frame carries a check over all frames before it,
//! the trailer is signed by the log key of the member it is of, and everything inside is checked as a stranger would
//! check it: the roster chain, each log from its first entry to the head that the manifest names, and the signatures
//! that vouch for it. Whoever writes a backup runs the same check over what it writes. A reader must never act on a
//! part before [`Reading`] has reached the end, and never holds more than one run of entries.
//!
//! The layout is specified in `wego/v1/backup.proto`.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::{
    convert::{FieldError, InField as _, Problem as FieldProblem, at_most},
    entry::Verified,
    id::{FederationId, Hash, Origin, Position, StoreId},
    key::{PublicKey, Purpose, SecretKey, Signature},
    roster::Roster,
    v1,
};

mod check;
mod fault;
mod frame;
mod logs;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use fault::{Fault, Problem, Wanted};
pub use read::Reading;
pub use write::{WriteError, Writer};

/// The only format there is.
pub const FORMAT: u32 = 1;
/// How every backup begins.
pub const MAGIC: &[u8; 8] = b"WEGOBKP1";
/// The name of the pinned peers in a backup, the one small file that goes into it.
pub const PEERS_FILE: &str = "peers.toml";

/// What a backup is of: its fields in range, and signed by the log key that it names. Whose key that is, the roster
/// behind it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// As it stands in the file.
    pub content: v1::BackupManifest,
    /// The federation.
    pub federation: FederationId,
    /// The member whose node was backed up.
    pub origin: Origin,
    /// Its log key, which signed.
    pub log_key: PublicKey,
    /// The database incarnation.
    pub store: StoreId,
    /// The last entry of each origin and epoch, sorted by these.
    pub heads: Vec<(Origin, Position, Hash)>,
}

impl Manifest {
    /// Reads a manifest and checks its signature under the key it names.
    ///
    /// # Errors
    /// [`Problem::Field`] or [`Problem::Signature`].
    pub fn open(signed: &v1::SignedBackupManifest) -> Result<Self, Problem> {
        let manifest = Self::parse(&signed.manifest)?;
        let part = Part::Manifest;
        manifest.check_signature(part, &signed.manifest, &signed.signature)?;
        Ok(manifest)
    }

    fn parse(bytes: &[u8]) -> Result<Self, FieldError> {
        use prost::Message as _;
        let content = v1::BackupManifest::decode(bytes)
            .map_err(|_| FieldProblem::Undecodable)
            .in_field("backup.manifest")?;
        if content.format != FORMAT || content.secrets {
            let problem = FieldProblem::OutOfRange { expected: "format 1, which holds no private key" };
            return Err(FieldError { field: "manifest.format", problem });
        }
        Ok(Self {
            federation: content.federation_id.as_slice().try_into().in_field("manifest.federation_id")?,
            origin: Origin(content.origin),
            log_key: PublicKey::from_bytes(&content.log_key).in_field("manifest.log_key")?,
            store: content.store_id.as_slice().try_into().in_field("manifest.store_id")?,
            heads: heads(&content)?,
            content,
        })
    }

    fn check_signature(&self, part: Part, bytes: &[u8], signature: &[u8]) -> Result<(), Problem> {
        let signature = Signature::try_from(signature).in_field("backup.signature")?;
        let signed = self.log_key.verify(Purpose::Backup, &part.signed(&self.federation, bytes), &signature);
        signed.map_err(Problem::Signature)
    }

    /// The member's own head, none when it had written nothing.
    #[must_use]
    pub fn own_head(&self) -> Option<(Position, Hash)> {
        let own = self.heads.iter().rev().find(|(origin, ..)| *origin == self.origin);
        own.map(|(_, at, hash)| (*at, *hash))
    }
}

fn heads(content: &v1::BackupManifest) -> Result<Vec<(Origin, Position, Hash)>, FieldError> {
    let mut heads: Vec<(Origin, Position, Hash)> = Vec::new();
    let mut entries = 0_u64;
    for head in &content.heads {
        let at = v1::Position { epoch: head.epoch, seq: head.seq };
        let at = Position::try_from(at).in_field("manifest.heads")?;
        let hash = Hash::try_from(head.hash.as_slice()).in_field("manifest.heads")?;
        let log = |origin: Origin, at: Position| (origin, at.epoch);
        let origin = Origin(head.origin);
        if heads.last().is_some_and(|(o, a, _)| log(*o, *a) >= log(origin, at)) {
            let problem = FieldProblem::OutOfRange { expected: "sorted by origin and epoch" };
            return Err(FieldError { field: "manifest.heads", problem });
        }
        entries = entries.saturating_add(at.seq);
        heads.push((origin, at, hash));
    }
    if entries != content.entries {
        let problem = FieldProblem::OutOfRange { expected: "the sum of the heads' seq" };
        return Err(FieldError { field: "manifest.entries", problem });
    }
    Ok(heads)
}

/// Which of its two signed parts, so that one cannot stand for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Manifest,
    Trailer,
}

impl Part {
    fn signed<'a>(self, federation: &'a FederationId, bytes: &'a [u8]) -> [&'a [u8]; 3] {
        let part: &[u8] = match self {
            Self::Manifest => &[1],
            Self::Trailer => &[2],
        };
        [part, federation.as_bytes(), bytes]
    }

    fn sign(self, federation: &FederationId, bytes: &[u8], key: &SecretKey) -> Vec<u8> {
        key.sign(Purpose::Backup, &self.signed(federation, bytes)).as_bytes().to_vec()
    }
}

/// What a reader gets, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// What the backup is of.
    Manifest(Manifest),
    /// The next roster version, its predecessor checked.
    Roster(Roster),
    /// A fork proof, well-formed, with the epoch it stands for.
    Fork(Origin, u32, v1::ForkProof),
    /// Consecutive entries of one log, at most a thousand or so: a few MiB.
    Entries(Vec<Verified>),
    /// A small file of the data folder.
    File(v1::BackupFile),
    /// The end: everything before it belongs to the backup, and nothing is missing.
    End(Whole),
}

/// A backup that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// Hash of everything before the trailer: two backups with one digest are one backup.
    pub digest: Hash,
    /// Length of the file.
    pub bytes: u64,
    /// What the member's log had committed to: the digest of the log key that may come next.
    pub next_log_key: Option<Hash>,
}

/// Roster versions known from elsewhere, against which those in a backup are held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownVersions {
    known: BTreeMap<u64, Hash>,
    /// The first version that was known otherwise, unless a later one says that what is known was given up.
    other_branch: Option<u64>,
}

impl KnownVersions {
    /// Those of a chain.
    #[must_use]
    pub fn of(chain: &[Roster]) -> Self {
        let known = chain.iter().map(|roster| (roster.version(), roster.hash())).collect();
        Self { known, other_branch: None }
    }

    /// Takes the next version of the backup; whether all of them agree is said by [`KnownVersions::agree`] at the end.
    ///
    /// # Errors
    /// [`Disagreement::OtherFederation`].
    pub fn compare(&mut self, roster: &Roster) -> Result<(), Disagreement> {
        let version = roster.version();
        match self.known.get(&version) {
            Some(known) if *known != roster.hash() && version == 1 => {
                return Err(Disagreement::OtherFederation { found: roster.federation() });
            }
            Some(known) if *known != roster.hash() => _ = self.other_branch.get_or_insert(version),
            _ => {}
        }
        let newest = self.known.last_key_value().filter(|(newest, _)| **newest + 1 == version);
        if newest.is_some_and(|(_, hash)| roster.gives_up(hash)) {
            self.other_branch = None;
        }
        Ok(())
    }

    /// Refuses versions that are known otherwise, unless what is known was given up when a conflict was settled.
    ///
    /// # Errors
    /// [`Disagreement::OtherBranch`].
    pub fn agree(&self) -> Result<(), Disagreement> {
        self.other_branch.map_or(Ok(()), |version| Err(Disagreement::OtherBranch { version }))
    }
}

/// Why a backup's roster is not the one that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Disagreement {
    /// It is of another federation.
    #[error("the backup is of federation {found}")]
    OtherFederation {
        /// Which.
        found: FederationId,
    },
    /// One version differs: two committees, or two decisions.
    #[error("the backup has another roster version {version}")]
    OtherBranch {
        /// The first that differs.
        version: u64,
    },
}

/// The kinds of frames, in the order in which they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Manifest = 1,
    Roster = 2,
    Fork = 3,
    Entry = 4,
    File = 5,
    Trailer = 6,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Manifest, Self::Roster, Self::Fork, Self::Entry, Self::File, Self::Trailer];

    fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Roster => "roster",
            Self::Fork => "fork proof",
            Self::Entry => "entry",
            Self::File => "file",
            Self::Trailer => "trailer",
        }
    }

    /// Longest content in bytes: what decides how much a reader must hold.
    fn bytes_max(self) -> usize {
        match self {
            // 160,000 heads: every member there can be, with eight epochs each.
            Self::Manifest => 8 * 1_024 * 1_024,
            // A version with all its signatures fits into a session message.
            Self::Roster | Self::File => 1_024 * 1_024,
            // Two headers with their signatures.
            Self::Fork => 4_096,
            // The largest entry with its framing.
            Self::Entry => crate::entry::HEADER_BYTES_MAX + crate::entry::PAYLOAD_BYTES_MAX + 256,
            Self::Trailer => 1_024,
        }
    }
}

fn fits(kind: Kind, len: usize) -> Result<(), Problem> {
    at_most(kind.word(), len, kind.bytes_max())
        .map_err(|_| Problem::TooLarge { what: kind.word(), bytes: len })
}
