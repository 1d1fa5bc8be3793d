//! Why a configuration was refused, and what to do about it. Nothing was changed or opened.

use std::{io, net::SocketAddr, path::PathBuf};

use thiserror::Error;

/// Why a configuration was refused. The operator acts; the node does not start, or keeps what it has.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("configuration {} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not TOML, or a value of the wrong type.
    #[error("{}:{line}: not a valid configuration", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What was expected.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A section or key that means nothing.
    #[error("{}:{line}: unknown key `{key}`", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// `section` or `section.key`.
        key: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// An environment variable of ours that means nothing.
    #[error("unknown environment variable {variable}")]
    UnknownVariable {
        /// Its name.
        variable: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// An environment variable whose value does not have the key's type.
    #[error("environment variable {variable} is no value for `{key}`")]
    Environment {
        /// Its name.
        variable: String,
        /// The key it overrides.
        key: String,
    },
    /// A key without a default is absent.
    #[error("`{key}` is missing")]
    Missing {
        /// `section.key`
        key: &'static str,
    },
    /// Not a handle.
    #[error("`node.handle` is {value:?}, not of a-z, 0-9 and -")]
    Handle {
        /// What was written.
        value: String,
    },
    /// Neither half of the others nor a number.
    #[error("`peers.recovery_quorum` is {value:?}, neither \"half\" nor a number in quotes")]
    Quorum {
        /// What was written.
        value: String,
    },
    /// A number outside its range.
    #[error("`{key}` is {value}, not between {min} and {max}")]
    Range {
        /// `section.key`; the unit is its last part.
        key: &'static str,
        /// What was written.
        value: u64,
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// Not an address to listen on.
    #[error("`{key}` is {value:?}, not an IP address with a port")]
    Address {
        /// `section.key`
        key: &'static str,
        /// What was written.
        value: String,
    },
    /// Two listeners at one address.
    #[error("two listeners at {address}")]
    SameAddress {
        /// The address.
        address: SocketAddr,
    },
    /// Not a log format.
    #[error("`log.format` is {value:?}, not \"text\" or \"json\"")]
    LogFormat {
        /// What was written.
        value: String,
    },
    /// Not a log filter.
    #[error("`log.filter` {value:?} cannot be understood")]
    LogFilter {
        /// What was written.
        value: String,
        /// Which directive.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
}

impl ConfigError {
    pub(super) fn syntax(path: PathBuf, line: usize, mut source: toml::de::Error) -> Self {
        // The line is told already; without the input the message is one line.
        source.set_input(None);
        Self::Syntax { path, line, source: Box::new(source) }
    }

    /// What the operator can do, as one sentence.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Read { .. } => {
                "name the file with --config or WEGO_NODE_CONFIG; `wego-node init` makes one".to_owned()
            }
            Self::UnknownKey { nearest: Some(nearest), .. }
            | Self::UnknownVariable { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::Missing { .. } => "add it; deploy/wego-node.example.toml shows every key".to_owned(),
            Self::Address { key: "listen.portal", .. } => {
                "write it as \"127.0.0.1:7480\" or \"[::1]:7480\", or \"off\"".to_owned()
            }
            Self::Address { .. } => "write it as \"0.0.0.0:7400\" or \"[::]:7400\"".to_owned(),
            Self::SameAddress { .. } => "give each of [listen] its own port".to_owned(),
            Self::LogFilter { .. } => "write it as \"info\" or \"info,wego_node::peers=debug\"".to_owned(),
            Self::Handle { .. } => "use the handle that the roster has for this member".to_owned(),
            _ => "deploy/wego-node.example.toml explains every key".to_owned(),
        }
    }
}
