//! A member as a roster version has it.

use super::ENDPOINTS_MAX;
use crate::{
    convert::{FieldError, InField as _, Problem, at_most, optional},
    epochs::FIRST_EPOCH,
    id::{CityId, Hash, Origin, Position},
    key::PublicKey,
    v1::{self, MemberRole, MemberStatus},
};

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
    /// What it commits to under its newest key.
    pub commits: Committed,
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
    /// What the member had committed to under this key, when a reinception has replaced it since.
    pub committed: Committed,
}

/// Digests of the keys that may open a member's next epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Committed {
    /// Of the next log key.
    pub next_log_key: Option<Hash>,
    /// Of the recovery key.
    pub recovery: Option<Hash>,
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

    /// What the member has committed to for openings with a number below the next reinception's.
    #[must_use]
    pub fn committed(&self, epoch: u32) -> Committed {
        let reinceptions = self.log_keys.iter().filter(|key| key.from.epoch > FIRST_EPOCH);
        let next = reinceptions.map(|key| key.from.epoch).find(|from| *from > epoch);
        let Some(next) = next else { return self.commits };
        let before = self.log_keys.iter().rev().find(|key| key.from.epoch < next);
        before.map(|key| key.committed).unwrap_or_default()
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

/// The last position that a key signs; none where it signs what comes next. A key that the roster ends where another epoch
/// begins signs until the member has opened that one.
#[must_use]
pub fn last_signed(key: &v1::LogKey) -> Option<v1::Position> {
    let epoch = key.from?.epoch;
    let until = key.until.filter(|until| until.epoch == epoch)?;
    Some(v1::Position { seq: until.seq.saturating_sub(1), ..until })
}

pub(super) fn member_from(raw: &v1::Member) -> Result<Member, FieldError> {
    if raw.idx == 0 {
        return Err(FieldError { field: "member.idx", problem: Problem::OutOfRange { expected: "from 1" } });
    }
    check_handle(&raw.handle).in_field("member.handle")?;
    check_names(&raw.names).in_field("member.names")?;
    at_most("member.endpoints", raw.endpoints.len(), ENDPOINTS_MAX)?;
    at_most("member.transport_keys", raw.transport_keys.len(), ENDPOINTS_MAX)?;
    let commits = committed(&raw.next_log_key_digest, &raw.recovery_digest)?;
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
        commits,
        cut: raw.cut.as_ref().map(|cut| cut_from(cut, &raw.city_id)).transpose()?,
        raw: raw.clone(),
    })
}

fn committed(next_log_key: &[u8], recovery: &[u8]) -> Result<Committed, FieldError> {
    Ok(Committed {
        next_log_key: optional(next_log_key).in_field("member.next_log_key_digest")?,
        recovery: optional(recovery).in_field("member.recovery_digest")?,
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
        committed: committed(&raw.next_log_key_digest, &raw.recovery_digest)?,
    })
}

/// A member that never wrote is cut before its first entry: at 1.0, whose hash is the log's root.
fn cut_from(raw: &v1::Cut, root: &[u8]) -> Result<Cut, FieldError> {
    let at = raw.at.in_field("cut.at")?;
    let before_all = at == v1::Position { epoch: 1, seq: 0 } && raw.hash == root;
    let at = if before_all { Ok(Position { epoch: 1, seq: 0 }) } else { at.try_into() };
    Ok(Cut { at: at.in_field("cut.at")?, hash: raw.hash.as_slice().try_into().in_field("cut.hash")? })
}

/// A handle is typed, shown in terminals and used in file names: plain letters only.
///
/// # Errors
/// [`Problem::OutOfRange`].
pub fn check_handle(handle: &str) -> Result<(), Problem> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits = (2..=63).contains(&handle.len()) && handle.chars().all(plain) && !handle.starts_with('-');
    if fits { Ok(()) } else { Err(Problem::OutOfRange { expected: "2 to 63 of a-z, 0-9 and -" }) }
}

pub(crate) fn check_names(names: &[v1::MemberName]) -> Result<(), Problem> {
    let plain = |name: &v1::MemberName| {
        let chars = name.text.chars().count();
        (1..=crate::presence::NAME_CHARS_MAX).contains(&chars) && !name.text.chars().any(char::is_control)
    };
    if names.is_empty() || !names.iter().all(plain) {
        return Err(Problem::OutOfRange {
            expected: "one or more, of 1 to 200 characters without control characters",
        });
    }
    Ok(())
}
