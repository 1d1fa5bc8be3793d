//! How a command ends: exit codes, and errors as people read them. Branches on no message.

use std::{
    error::Error,
    ffi::OsString,
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
    /// The person who was asked did not say yes: nothing was done.
    Cancelled,
    /// What the command names is not there.
    NotFound,
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
            Self::Cancelled => 8,
            Self::NotFound => 9,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// How an error is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Form {
    /// As the command line asks, also one that cannot be understood.
    pub(super) fn guess(args: &[OsString]) -> Self {
        if args.iter().any(|arg| arg == "--json") { Self::Json } else { Self::Text }
    }
}

/// What a command says on standard error. Of one that prints JSON it is held until its end, for an error takes it into its
/// object, or until somebody must read it: [`Write::flush`].
pub struct Talk<'a> {
    form: Form,
    held: Vec<u8>,
    err: &'a mut dyn Write,
}

impl std::fmt::Debug for Talk<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Talk")
            .field("form", &self.form)
            .field("held", &self.held.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Talk<'a> {
    /// Talk that goes to `err` in the end.
    pub fn new(form: Form, err: &'a mut dyn Write) -> Self {
        Self { form, held: Vec::new(), err }
    }
}

impl Write for Talk<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.form {
            Form::Text => self.err.write(bytes),
            Form::Json => self.held.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.err.write_all(&std::mem::take(&mut self.held))?;
        self.err.flush()
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

    /// Writes the error with all its causes, an empty line and the hint; or one JSON object, as `wego` does.
    ///
    /// # Errors
    /// Those of `err`.
    pub fn write(&self, talk: Talk<'_>) -> io::Result<()> {
        let Talk { form, held, err } = talk;
        if form == Form::Text {
            return writeln!(err, "error: {}\n\nhint: {}", self.text(), self.hint);
        }
        let (text, code) = (self.text(), self.exit.code());
        let mut object = serde_json::json!({
            "apiVersion": "wego/v1", "error": text, "hint": self.hint, "exit_code": code,
        });
        let said = String::from_utf8_lossy(&held);
        if !said.is_empty() {
            object["said"] = said.lines().collect();
        }
        writeln!(err, "{object:#}")
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
            OperatorsError::Unknown { .. } => {
                (Exit::NotFound, "`wego-node operator list` shows who is there")
            }
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
