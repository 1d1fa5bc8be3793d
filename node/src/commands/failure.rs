//! How a command ends: exit codes, and errors as people read them. Branches on no message.

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use wego_proto::causes::with_causes;

use crate::{
    audit::AuditError, config::ConfigError, init::InitError, join::JoinError, keys::KeysError,
    operators::OperatorsError,
};

/// Exit codes, the same in `wego-node` and `wego`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// The command line cannot be understood.
    Usage,
    /// Something could not be reached in time.
    Unreachable,
    /// The state does not allow it.
    Conflict,
    /// A signature, a chain or the own log is not what it must be.
    Integrity,
}

impl Exit {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unreachable => 5,
            Self::Conflict => 6,
            Self::Integrity => 7,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command failed, with what the operator can do.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    error: Box<dyn Error + Send + Sync>,
    hint: String,
}

impl Failure {
    /// `error` with its causes, ended by `hint`, one sentence.
    pub fn new(exit: Exit, error: impl Into<Box<dyn Error + Send + Sync>>, hint: impl Into<String>) -> Self {
        Self { exit, error: error.into(), hint: hint.into() }
    }

    /// The exit code.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        self.exit
    }

    /// The error with all its causes.
    pub(super) fn text(&self) -> String {
        with_causes(self.error.as_ref())
    }

    /// Writes the error with all its causes, an empty line and the hint.
    ///
    /// # Errors
    /// Those of `err`.
    pub fn write(&self, err: &mut dyn Write) -> io::Result<()> {
        writeln!(err, "error: {}\n\nhint: {}", self.text(), self.hint)
    }

    pub(super) fn of_config(error: ConfigError) -> Self {
        let hint = error.hint();
        Self::new(Exit::Failed, error, hint)
    }

    pub(super) fn of_keys(error: KeysError) -> Self {
        let hint = error.hint();
        Self::new(Exit::Failed, error, hint)
    }

    pub(super) fn of_audit(error: AuditError) -> Self {
        let hint = format!("run this as the node's user; {}", error.hint());
        Self::new(Exit::Failed, error, hint)
    }

    pub(super) fn of_init(error: InitError) -> Self {
        let exit = match error {
            InitError::Answer { .. } | InitError::Card(_) => Exit::Usage,
            InitError::NotEmpty { .. } => Exit::Conflict,
            _ => Exit::Failed,
        };
        let hint = error.hint();
        Self::new(exit, error, hint)
    }

    pub(super) fn of_join(error: JoinError) -> Self {
        let exit = match error {
            JoinError::Invite(_) => Exit::Usage,
            JoinError::OtherKey { .. }
            | JoinError::Answer(_)
            | JoinError::Roster(_)
            | JoinError::ForeignKey { .. } => Exit::Integrity,
            JoinError::Connect { .. } | JoinError::Late | JoinError::Call(_) => Exit::Unreachable,
            JoinError::Refused(_) | JoinError::NoEnrolment { .. } | JoinError::OtherFederation => {
                Exit::Conflict
            }
            _ => Exit::Failed,
        };
        let hint = error.hint();
        Self::new(exit, error, hint)
    }

    pub(super) fn of_operators(error: OperatorsError) -> Self {
        let (exit, hint) = match error {
            OperatorsError::Twice { .. } => (Exit::Conflict, "`wego-node operator list` shows who is there"),
            OperatorsError::Unknown { .. } => (Exit::Failed, "`wego-node operator list` shows who is there"),
            OperatorsError::LastAdmin { .. } => (Exit::Conflict, "add another admin first"),
            OperatorsError::Read { .. } | OperatorsError::Write { .. } => {
                (Exit::Failed, "run this as the node's user; node.operators says where the file is")
            }
            _ => (Exit::Failed, "correct the file; each block is [[operator]] with name, key and role"),
        };
        Self::new(exit, error, hint)
    }
}

impl From<io::Error> for Failure {
    /// Of writing to standard output or error.
    fn from(error: io::Error) -> Self {
        Self::new(Exit::Failed, error, "the output could not be written")
    }
}
