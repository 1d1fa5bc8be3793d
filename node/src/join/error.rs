//! Why a city could not join, each reason with its own words and with who should do what.

use std::{error::Error, io};

use rustls::AlertDescription;
use thiserror::Error;
use tonic::Status;
use wego_proto::{
    armour::ArmourError,
    card::CardError,
    invite::InviteError,
    pin::PinError,
    roster::RosterError,
    v1::{self, join_refusal::Reason},
};

use crate::{config::ConfigError, keys::KeysError};

/// Why joining did not go on. What was made in the folder stays and is used the next time.
#[derive(Debug, Error)]
pub enum JoinError {
    /// The string. The operator asks for it again; nothing was sent.
    #[error(transparent)]
    Invite(#[from] InviteError),
    /// The other end has another key than the invite names. Nothing was sent.
    #[error("the node at {endpoint} does not have the key that the invite names")]
    OtherKey {
        /// Where.
        endpoint: String,
    },
    /// The other end does not know how to enrol. Nothing was sent.
    #[error("the node at {endpoint} takes no newcomers: its version is too old")]
    NoEnrolment {
        /// Where.
        endpoint: String,
    },
    /// The other end could not be reached. Nothing was sent.
    #[error("the inviter's node at {endpoint} was not reached")]
    Connect {
        /// Where.
        endpoint: String,
        /// Why.
        #[source]
        source: PinError,
    },
    /// Nothing came in time.
    #[error("the inviter's node did not answer in time")]
    Late,
    /// The connection broke, or the node is busy or stopping.
    #[error("the inviter's node gave no answer")]
    Call(#[source] Status),
    /// The inviter's node refused. Nothing was changed there.
    #[error("{0}")]
    Refused(Refusal),
    /// An answer that cannot be true.
    #[error("the inviter's node gave an answer that does not hold: {0}")]
    Answer(&'static str),
    /// A roster that does not verify.
    #[error("the roster from the inviter's node does not hold")]
    Roster(#[source] RosterError),
    /// A roster that gives this city a key that is not its own. Whoever put it there could take the city's log over.
    #[error("the roster has another {what} for this city than its member card")]
    ForeignKey {
        /// Which.
        what: &'static str,
    },
    /// The folder is of another federation than the invite.
    #[error("the folder has the roster of another federation than the invite")]
    OtherFederation,
    /// The card in the folder is not of the keys in it.
    #[error("the member card in the folder is not of the keys in it")]
    OtherCard,
    /// Keys of the folder.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Configuration of the folder.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The card or roster of the folder.
    #[error("{file}")]
    Armour {
        /// Which file.
        file: String,
        /// What it is instead.
        #[source]
        source: ArmourError,
    },
    /// The card of the folder.
    #[error("member card")]
    Card(#[from] CardError),
    /// The own certificate.
    #[error("certificate or key")]
    Identity(#[source] PinError),
    /// A file of the folder.
    #[error("{file}")]
    File {
        /// Which file.
        file: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl JoinError {
    pub(super) fn of_connection(endpoint: &str, source: PinError) -> Self {
        let endpoint = endpoint.to_owned();
        match tls_error(&source) {
            Some(rustls::Error::InvalidCertificate(_)) => Self::OtherKey { endpoint },
            Some(rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol)) => {
                Self::NoEnrolment { endpoint }
            }
            _ => Self::Connect { endpoint, source },
        }
    }

    /// Whether the same call may succeed in a moment.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Late | Self::Call(_))
    }

    /// What to do, as one sentence.
    #[must_use]
    pub fn hint(&self) -> String {
        let hint = match self {
            Self::Invite(InviteError::Version(_)) => "upgrade wego-node",
            Self::Invite(_) => "copy the whole string again, or ask the inviter for a new one",
            Self::OtherKey { .. } => {
                "stop here: somebody may stand in between, or the inviter changed its key; ask by telephone for a \
                 new invite"
            }
            Self::NoEnrolment { .. } => "ask the inviter to upgrade its node, or hand over the card by mail",
            Self::Connect { .. } | Self::Late | Self::Call(_) => {
                "run the same command again later; see that the address is reachable from here"
            }
            Self::Refused(refusal) => return refusal.hint(),
            Self::Answer(_) | Self::Roster(_) => "stop here, and ask another member of the federation",
            Self::ForeignKey { .. } => {
                "stop here, do not start the node, and call the committee: somebody may want to be this city; \
                 the member card has the fingerprints to compare"
            }
            Self::OtherFederation => "one node belongs to one federation: name another folder with --dir",
            Self::OtherCard => {
                "put back the files that `wego-node init` made, or name another folder with --dir"
            }
            Self::Keys(error) => return error.hint(),
            Self::Config(error) => return error.hint(),
            Self::Armour { .. } | Self::Card(_) | Self::Identity(_) => {
                "put back what `wego-node init` made, or name another folder with --dir"
            }
            Self::File { .. } => "run this as the node's user, on a disk with space",
        };
        hint.to_owned()
    }
}

/// Why the inviter's node refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No such invite, or the proof does not hold.
    #[error("the inviter's node does not know this invite")]
    Unknown,
    /// Too late.
    #[error("the invite has expired")]
    Expired,
    /// Spent on another key.
    #[error("the invite was used already, by another key")]
    Used,
    /// Taken back.
    #[error("the inviter has revoked the invite")]
    Revoked,
    /// The node belongs to another federation.
    #[error("the invite is for another federation than the inviter's node belongs to")]
    WrongFederation,
    /// The clocks differ.
    #[error("this machine's clock is {} {} the inviter's", span(*.by_ms), if *.ahead { "ahead of" } else { "behind" })]
    ClockSkew {
        /// By how much, ms.
        by_ms: u64,
        /// Whether ours is ahead.
        ahead: bool,
    },
    /// This software is too old.
    #[error("this version is too old: the federation speaks wire version {min} or later")]
    VersionTooOld {
        /// Lowest version spoken there.
        min: u32,
    },
    /// This software is too new.
    #[error("this version is too new: the federation speaks wire versions up to {max}")]
    VersionTooNew {
        /// Highest version spoken there.
        max: u32,
    },
    /// The handle is a member's.
    #[error("the federation has a member with this handle already")]
    HandleTaken,
    /// The invite is for another handle.
    #[error("the invite is for the handle {0}")]
    HandleOther(String),
    /// The card.
    #[error("the inviter's node does not take the member card")]
    Card,
    /// Suspended, expelled, or gone.
    #[error("the roster has this city, and not as an active member")]
    NotActive,
    /// A reason of a later version.
    #[error("the inviter's node refused: {0}")]
    Other(String),
}

impl Refusal {
    /// Reads what was sent; `now_ms` is the clock that was sent.
    #[must_use]
    pub fn read(wire: &v1::JoinRefusal, now_ms: u64) -> Self {
        match wire.reason() {
            Reason::Unknown => Self::Unknown,
            Reason::Expired => Self::Expired,
            Reason::Used => Self::Used,
            Reason::Revoked => Self::Revoked,
            Reason::WrongFederation => Self::WrongFederation,
            Reason::ClockSkew => {
                Self::ClockSkew { by_ms: now_ms.abs_diff(wire.clock_ms), ahead: now_ms > wire.clock_ms }
            }
            Reason::VersionTooOld => Self::VersionTooOld { min: wire.wire_min },
            Reason::VersionTooNew => Self::VersionTooNew { max: wire.wire_max },
            Reason::Handle if wire.handle.is_empty() => Self::HandleTaken,
            Reason::Handle => Self::HandleOther(super::printable(&wire.handle)),
            Reason::Card => Self::Card,
            Reason::NotActive => Self::NotActive,
            Reason::Unspecified => Self::Other(super::printable(&wire.text)),
        }
    }

    fn hint(&self) -> String {
        let hint = match self {
            Self::Unknown => {
                "ask the inviter whether `wego invite list` still has it; a node that lost its data forgot its invites"
            }
            Self::Expired => "ask the inviter for a new one: `wego invite create`",
            Self::Used => {
                "if it was not you, from another folder, then somebody else has read it: call the inviter, who revokes \
                 it and makes a new one"
            }
            Self::Revoked => "call the inviter, who can make a new one",
            Self::WrongFederation => "ask the inviter for an invite of the federation that you want to join",
            Self::ClockSkew { .. } => "set the clock (NTP) on the one that is wrong, then run this again",
            Self::VersionTooOld { .. } => "upgrade wego-node, then run this again",
            Self::VersionTooNew { .. } => "install the version that the federation uses, then run this again",
            Self::HandleTaken => "choose another handle: a new folder with --dir and --handle",
            Self::HandleOther(_) => {
                "make a new folder with --dir and that --handle, or ask for another invite"
            }
            Self::Card => {
                "put back the card that `wego-node init` made, or compare the versions of both nodes"
            }
            Self::NotActive => "ask the committee; the roster decides who takes part",
            Self::Other(_) => "upgrade wego-node, which may know the reason",
        };
        hint.to_owned()
    }
}

/// A time as a person says it.
fn span(ms: u64) -> String {
    let minutes = ms / 60_000;
    match minutes {
        0 => format!("{} s", ms / 1_000),
        1..60 => format!("{minutes} min"),
        60..2_880 => format!("{} h {} min", minutes / 60, minutes % 60),
        _ => format!("{} d", minutes / 1_440),
    }
}

/// The TLS error in a chain of causes; `io::Error` hides what it wraps from `source()`.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn refused(reason: Reason) -> v1::JoinRefusal {
        v1::JoinRefusal { reason: reason as i32, wire_min: 2, wire_max: 3, ..Default::default() }
    }

    #[test]
    fn every_reason_has_words_and_a_hint_of_its_own() {
        let reasons = (1..).map_while(|number| Reason::try_from(number).ok());
        let mut read: Vec<_> = reasons.map(|reason| Refusal::read(&refused(reason), 600_000)).collect();
        let handle = v1::JoinRefusal { handle: "nl-leiden".to_owned(), ..refused(Reason::Handle) };
        read.push(Refusal::read(&handle, 0));
        let texts: BTreeSet<_> = read.iter().map(ToString::to_string).collect();
        let hints: BTreeSet<_> = read.iter().map(Refusal::hint).collect();
        assert_eq!((texts.len(), hints.len()), (read.len(), read.len()), "{texts:?} {hints:?}");
        assert!(read.len() >= 12, "{read:?}");
    }

    #[test]
    fn it_says_by_how_much_and_which_way_a_clock_is_wrong() {
        let inviter = v1::JoinRefusal { clock_ms: 100_000_000, ..refused(Reason::ClockSkew) };
        for (ours, said) in [
            (100_000_000 + 11_520_000, "this machine's clock is 3 h 12 min ahead of the inviter's"),
            (100_000_000 - 360_000, "this machine's clock is 6 min behind the inviter's"),
            (1_000_000_000_000, "this machine's clock is 11572 d ahead of the inviter's"),
        ] {
            assert_eq!(Refusal::read(&inviter, ours).to_string(), said);
        }
    }

    #[test]
    fn a_reason_of_a_later_version_is_told_without_driving_the_terminal() {
        let later = v1::JoinRefusal { reason: 99, text: "no \u{1b}[2Jroom".to_owned(), ..Default::default() };
        assert_eq!(Refusal::read(&later, 0).to_string(), "the inviter's node refused: no [2Jroom");
    }
}
