//! How commands end: the exit codes, and errors that say what to do.
//!
//! Every error has a hint. The one table from gRPC codes to exit codes is here; no command makes up its own.

use std::{error::Error, fmt, io, path::Path};

use serde::Serialize;
use tonic::{Code, Status};

use crate::output;

/// What scripts branch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Done.
    Ok = 0,
    /// It failed, for a reason no other code names.
    Failed = 1,
    /// The command line, a file or a query is wrong; nothing was done.
    Usage = 2,
    /// Done, and something needs a look.
    Degraded = 3,
    /// The node does not let this operator do that.
    NotAuthorised = 4,
    /// The node cannot be reached, or did not answer in time.
    Unreachable = 5,
    /// Something changed in between, or a precondition does not hold.
    Conflict = 6,
    /// A signature, a key or a chain is not what it must be.
    Integrity = 7,
    /// Stopped by the user.
    Cancelled = 8,
    /// What the command names is not there.
    NotFound = 9,
}

impl ExitCode {
    /// All codes with what they mean, as `wego exit-codes` prints them.
    pub const MEANINGS: [(Self, &'static str); 10] = [
        (Self::Ok, "done"),
        (Self::Failed, "failed; nothing below says more exactly why"),
        (Self::Usage, "wrong usage: the command line, a file or a query; nothing was done"),
        (
            Self::Degraded,
            "done, and something needs a look: degraded status, skipped records, pending erasures",
        ),
        (Self::NotAuthorised, "not authorised: the node does not let this operator do that"),
        (Self::Unreachable, "unreachable, or no answer in time; writes may be retried with their request id"),
        (Self::Conflict, "conflict or precondition: something changed in between; read again and decide"),
        (Self::Integrity, "integrity violation: a signature, key or chain is not what it must be"),
        (Self::Cancelled, "cancelled by the user"),
        (Self::NotFound, "not found: no such record, member, peer, invite, profile or file here"),
    ];

    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// How a command ends.
pub(crate) type Outcome = Result<ExitCode, Failure>;

/// An error as programs read it.
#[derive(Serialize)]
struct Report<'a> {
    error: &'a str,
    caused_by: Vec<String>,
    hint: &'a str,
    exit_code: u8,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    said: &'a [String],
}

/// An error as the user reads it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: ExitCode,
    pub(crate) what: String,
    pub(crate) hint: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    pub(crate) fn new(code: ExitCode, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, what: what.into(), hint: hint.into(), source: None }
    }

    pub(crate) fn failed(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ExitCode::Failed, what, hint)
    }

    pub(crate) fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ExitCode::Usage, what, hint)
    }

    pub(crate) fn conflict(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ExitCode::Conflict, what, hint)
    }

    pub(crate) fn integrity(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ExitCode::Integrity, what, hint)
    }

    pub(crate) fn not_found(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ExitCode::NotFound, what, hint)
    }

    pub(crate) fn cancelled(what: impl Into<String>) -> Self {
        Self::new(ExitCode::Cancelled, what, "run the command again when you want it done")
    }

    /// Attaches the cause.
    pub(crate) fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// A file that cannot be read or written.
    pub(crate) fn of_file(doing: &str, path: &Path, error: io::Error) -> Self {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => "check the path",
            io::ErrorKind::PermissionDenied => "check the file's owner and mode",
            io::ErrorKind::StorageFull => "free space on the disk",
            _ => "check the file and its disk",
        };
        let code = match error.kind() {
            io::ErrorKind::NotFound => ExitCode::NotFound,
            _ => ExitCode::Failed,
        };
        Self::new(code, format!("cannot {doing} {}", path.display()), hint).because(error)
    }

    /// An answer of the node that is not the one asked for.
    pub(crate) fn of_status(doing: &str, status: &Status) -> Self {
        let (code, general) = meaning_of(status);
        // A node ends its message in what to do, where it knows better than this table.
        let (said, hint) = status.message().rsplit_once("; hint: ").unwrap_or((status.message(), general));
        let said = if said.is_empty() { status.code().description() } else { said };
        let said = as_in_forms(said);
        Self::new(code, format!("cannot {doing}"), hint).because(said)
    }

    /// The error as one JSON object, with what the command had `said` before.
    pub(crate) fn json(&self, said: &[String]) -> String {
        let report = Report {
            error: &self.what,
            caused_by: self.causes(),
            hint: &self.hint,
            exit_code: self.code.code(),
            said,
        };
        // A struct of texts and numbers always has a JSON form.
        output::json(&report).unwrap_or_default() + "\n"
    }

    /// The causes, outermost first.
    pub(crate) fn causes(&self) -> Vec<String> {
        let mut causes: Vec<String> = Vec::new();
        let mut next: Option<&(dyn Error + 'static)> =
            self.source.as_ref().map(|source| source.as_ref() as _);
        while let Some(error) = next {
            let text = error.to_string();
            // Some libraries repeat their cause in their own text.
            // And one names itself without saying anything.
            if text != "transport error" && causes.last().is_none_or(|last| !last.contains(&text)) {
                causes.push(text);
            }
            next = error.source();
        }
        causes
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// What a node says of a record's fields, with the names that they have in forms: what cities share has no group of
/// its own there, and a topic is one word.
pub(crate) fn as_in_forms(said: &str) -> String {
    let line = |line: &str| {
        let (indent, text) = line.split_at(line.len() - line.trim_start().len());
        let text = text.strip_prefix("core.").unwrap_or(text);
        match text.split_once("].uri ").filter(|(field, _)| field.starts_with("topics[")) {
            Some((field, rest)) => format!("{indent}{field}] {rest}"),
            None => format!("{indent}{text}"),
        }
    };
    said.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The one table from gRPC codes to exit codes and hints.
fn meaning_of(status: &Status) -> (ExitCode, &'static str) {
    if refused_by_tls(status) {
        return (ExitCode::NotAuthorised, NOT_LET_IN);
    }
    match status.code() {
        Code::Ok => (ExitCode::Ok, "nothing to do"),
        Code::Unauthenticated | Code::PermissionDenied => (ExitCode::NotAuthorised, NOT_LET_IN),
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => {
            (ExitCode::Unreachable, "see that the node runs and is reachable, then try again")
        }
        Code::Unknown if status.source().is_some() => {
            (ExitCode::Unreachable, "the connection broke: see that the node runs, then try again")
        }
        Code::FailedPrecondition | Code::Aborted | Code::AlreadyExists => {
            (ExitCode::Conflict, "read what is there now and decide again; `wego status` tells of the node")
        }
        Code::DataLoss => (ExitCode::Integrity, "stop writing and look at `wego status`"),
        Code::InvalidArgument | Code::OutOfRange => (ExitCode::Usage, "correct it and send it again"),
        Code::NotFound => (
            ExitCode::NotFound,
            "look it up with `wego search` or a list command; it may still be on its way",
        ),
        Code::ResourceExhausted => {
            (ExitCode::Failed, "nothing was written: see `wego status`, then try again later")
        }
        Code::Unimplemented => (ExitCode::Failed, "this node is of another version: upgrade the older side"),
        Code::Unknown | Code::Internal => (ExitCode::Failed, "the node's log says more"),
    }
}

/// Both ends speak pinned keys, so a refused certificate means an operator the node does not know.
pub(crate) const NOT_LET_IN: &str = "ask the node's administrator to put your certificate's key into its operators \
     file, with the role it needs";

/// Whether the node hung up on our certificate.
pub(crate) fn refused_by_tls(error: &(dyn Error + 'static)) -> bool {
    tls_error(error).is_some_and(|tls| matches!(tls, rustls::Error::AlertReceived(_)))
}

/// The TLS error in a chain of causes; `io::Error` hides what it wraps from `source()`.
pub(crate) fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
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
    use super::*;

    #[test]
    fn fields_are_named_as_in_forms() {
        let said = "the record is not right yet:\n  core.summary is missing\n  core.topics[0].uri is no code";
        let told = "the record is not right yet:\n  summary is missing\n  topics[0] is no code";
        assert_eq!(as_in_forms(said), told);
        assert_eq!(as_in_forms("links[0].uri is no address"), "links[0].uri is no address");
    }

    #[test]
    fn every_exit_code_is_documented_under_its_own_number() {
        for (at, (code, _)) in ExitCode::MEANINGS.iter().enumerate() {
            assert_eq!(usize::from(code.code()), at);
        }
    }

    #[test]
    fn a_hint_of_the_node_is_better_than_one_of_the_table() {
        let status = Status::invalid_argument("no such filter; hint: name another");
        let failure = Failure::of_status("search", &status);
        assert_eq!(
            (failure.hint.as_str(), failure.causes()),
            ("name another", vec!["no such filter".to_owned()])
        );
    }

    #[test]
    fn what_a_node_answers_becomes_the_documented_code() {
        let table = [
            (Code::Unauthenticated, 4),
            (Code::PermissionDenied, 4),
            (Code::Unavailable, 5),
            (Code::DeadlineExceeded, 5),
            (Code::FailedPrecondition, 6),
            (Code::Aborted, 6),
            (Code::DataLoss, 7),
            (Code::InvalidArgument, 2),
            (Code::NotFound, 9),
            (Code::ResourceExhausted, 1),
            (Code::Internal, 1),
        ];
        for (grpc, exit) in table {
            let failure = Failure::of_status("publish", &Status::new(grpc, "why"));
            assert_eq!(failure.code.code(), exit, "{grpc:?}");
            assert!(!failure.hint.is_empty());
            assert_eq!(failure.causes(), ["why"]);
        }
    }
}
