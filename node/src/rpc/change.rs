//! What each message that changes something says of itself. A service gets at such a message only through
//! [`Deed::perform`](super::Deed::perform) or [`Deed::begin`](super::Deed::begin), which ask for all of it: so no change
//! is without its subject in the audit log, and no dry run stands there as done. It must never give content.

use data_encoding::HEXLOWER;
use wego_proto::{
    id::Hash,
    prost::Message as _,
    v1::{self, EraseReason},
};

use crate::engine::Mode;

/// Bytes of an id that are shown: a caller may send any number.
const ID_BYTES_MAX: usize = 32;
/// Characters of a version's hash: enough to find it.
const HASH_CHARS: usize = 12;

/// What a message says of itself.
#[derive(Debug, Clone)]
pub(super) struct Said {
    /// A kind of thing and its name, as `record` and an id, as far as the message knows. A service that learns more
    /// says so with [`Deed::about`](super::Deed::about).
    pub(super) subject: (&'static str, String),
    /// The caller's id for this change, as hexadecimal digits; empty where the message has none.
    pub(super) request_id: String,
    /// Whether anything will change.
    pub(super) mode: Mode,
    /// Why, where the message itself says so.
    pub(super) reason: String,
}

impl Said {
    /// Of a message without request id, dry run and reason.
    fn of(kind: &'static str, name: impl Into<String>) -> Self {
        let [request_id, reason] = [const { String::new() }; 2];
        Self { subject: (kind, name.into()), request_id, mode: Mode::Commit, reason }
    }
}

/// A message that changes something.
pub(super) trait Change {
    /// What it says of itself.
    fn said(&self) -> Said;
}

/// The mode of a message with the field `dry_run`.
pub(super) const fn mode(dry_run: bool) -> Mode {
    if dry_run { Mode::DryRun } else { Mode::Commit }
}

impl Change for v1::PublishRequest {
    fn said(&self) -> Said {
        Said {
            subject: ("record", hex(&self.record_id)),
            request_id: hex(&self.request_id),
            mode: mode(self.dry_run),
            reason: String::new(),
        }
    }
}

impl Change for v1::RetractRequest {
    fn said(&self) -> Said {
        Said {
            subject: ("record", hex(&self.record_id)),
            request_id: hex(&self.request_id),
            mode: mode(self.dry_run),
            reason: self.reason.clone(),
        }
    }
}

impl Change for v1::EraseRequest {
    fn said(&self) -> Said {
        Said {
            subject: ("record", hex(&self.record_id)),
            request_id: hex(&self.request_id),
            mode: mode(self.dry_run),
            reason: erase_reason(self.reason),
        }
    }
}

impl Change for v1::SubmitRequest {
    fn said(&self) -> Said {
        let newest = self.chain.as_ref().and_then(|chain| chain.versions.last());
        let name = newest.map(version_name).unwrap_or_default();
        Said { mode: mode(self.dry_run), ..Said::of("roster version", name) }
    }
}

impl Change for v1::CreateInviteRequest {
    fn said(&self) -> Said {
        Said { mode: mode(self.dry_run), ..Said::of("invite for", &self.city) }
    }
}

impl Change for v1::SetMemberRequest {
    fn said(&self) -> Said {
        let request_id = hex(&self.request_id);
        Said { request_id, mode: mode(self.dry_run), ..Said::of("member", "") }
    }
}

impl Change for v1::RevokeInviteRequest {
    fn said(&self) -> Said {
        Said::of("invite", hex(&self.id))
    }
}

impl Change for v1::AddPeerRequest {
    fn said(&self) -> Said {
        Said::of("peer", format!("{} {}", self.handle, self.endpoint))
    }
}

impl Change for v1::RemovePeerRequest {
    fn said(&self) -> Said {
        Said::of("peer", &self.handle)
    }
}

impl Change for v1::RotateRequest {
    fn said(&self) -> Said {
        Said::of("log key", "")
    }
}

impl Change for v1::RotateTransportRequest {
    fn said(&self) -> Said {
        Said::of("transport key", "")
    }
}

impl Change for v1::PrepareRecoveryRequest {
    fn said(&self) -> Said {
        Said::of("log key", "")
    }
}

impl Change for v1::CommitRecoveryRequest {
    fn said(&self) -> Said {
        Said::of("log key", "")
    }
}

impl Change for v1::CreateBackupRequest {
    fn said(&self) -> Said {
        Said::of("backup", "")
    }
}

fn hex(id: &[u8]) -> String {
    HEXLOWER.encode(&id[..id.len().min(ID_BYTES_MAX)])
}

/// The reason code as `wego record erase` takes it.
fn erase_reason(number: i32) -> String {
    let word = |reason: EraseReason| {
        reason.as_str_name().trim_start_matches("ERASE_REASON_").replace('_', "-").to_lowercase()
    };
    EraseReason::try_from(number).map_or_else(|_| format!("reason {number}"), word)
}

/// A version's number and the beginning of its hash, as far as it can be read.
pub(super) fn version_name(version: &v1::SignedRoster) -> String {
    let number = v1::Roster::decode(version.roster.as_slice()).map_or(0, |content| content.version);
    let hash = Hash::of(&[&version.roster]).to_string();
    format!("{number} {}", hash.get(..HASH_CHARS).unwrap_or_default())
}
