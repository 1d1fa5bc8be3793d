//! Who may call this node: a file of client keys, each with a name and a role. A key that is not in it is nobody.
//!
//! The file is read whole or refused whole: half a list could leave a removed operator in. This file must
//! never decide what a role allows; that is beside each call.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::Deserialize;
use thiserror::Error;
use wego_proto::key::PublicKey;

pub use self::edit::{Editing, added, removed};

mod edit;

/// Operators in one file: far above any city's staff, far below what would slow a handshake.
pub const OPERATORS_MAX: usize = 1_024;

/// Longest operator's name in characters: it fits a line of the log.
pub const NAME_CHARS_MAX: usize = 64;

/// What an operator may do; each role includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Search and read.
    Reader,
    /// Publish and retract records too.
    Editor,
    /// Administer the node too.
    Admin,
}

impl Role {
    /// The word in the file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Editor => "editor",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a role: reader, editor or admin")]
pub struct NotARole;

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        [Self::Reader, Self::Editor, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(NotARole)
    }
}

/// One person or program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// For logs and audit; unique in the file.
    pub name: String,
    /// The key in the client certificate.
    pub key: PublicKey,
    /// What it may do.
    pub role: Role,
}

/// Everybody who may call this node, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Operators(BTreeMap<PublicKey, Operator>);

impl Operators {
    /// Reads `path`. For a reload call it again and keep the old value on an error.
    ///
    /// # Errors
    /// [`OperatorsError`]; nobody was admitted or removed.
    pub fn load(path: &Path) -> Result<Self, OperatorsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| OperatorsError::Read { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    /// Reads the text of an operators file.
    ///
    /// # Errors
    /// [`OperatorsError`].
    pub fn parse(text: &str) -> Result<Self, OperatorsError> {
        let file: OperatorsFile = toml::from_str(text).map_err(|e| OperatorsError::Syntax(Box::new(e)))?;
        if file.operator.len() > OPERATORS_MAX {
            return Err(OperatorsError::TooMany { found: file.operator.len() });
        }
        let mut names = BTreeSet::new();
        let mut by_key = BTreeMap::new();
        for raw in file.operator {
            let operator = checked(raw)?;
            let name = operator.name.clone();
            if !names.insert(name.clone()) || by_key.insert(operator.key, operator).is_some() {
                return Err(OperatorsError::Twice { name });
            }
        }
        Ok(Self(by_key))
    }

    /// Name and role of the holder of `key`; `None` for a stranger.
    #[must_use]
    pub fn role_of(&self, key: &PublicKey) -> Option<(&str, Role)> {
        self.0.get(key).map(|operator| (operator.name.as_str(), operator.role))
    }

    /// All of them, by key.
    pub fn iter(&self) -> impl Iterator<Item = &Operator> {
        self.0.values()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nobody may call.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Why an operators file was refused. The operator acts; what was in force stays in force.
#[derive(Debug, Error)]
pub enum OperatorsError {
    /// The file cannot be read.
    #[error("operators file {} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file cannot be written; it is as it was.
    #[error("operators file {} cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not TOML, or not `[[operator]]` with name, key and role.
    #[error("operators file cannot be understood")]
    Syntax(#[source] Box<toml::de::Error>),
    /// More than [`OPERATORS_MAX`].
    #[error("{found} operators, {OPERATORS_MAX} at most")]
    TooMany {
        /// How many.
        found: usize,
    },
    /// An empty or long name, or one with control characters.
    #[error("operator name {name:?} is not 1 to {NAME_CHARS_MAX} characters without control characters")]
    Name {
        /// What was written.
        name: String,
    },
    /// Not 64 hexadecimal digits of a strong Ed25519 public key.
    #[error("key of operator {name:?} is not the hexadecimal form of an Ed25519 public key")]
    Key {
        /// Whose.
        name: String,
    },
    /// Not a role.
    #[error("role of operator {name:?}")]
    Role {
        /// Whose.
        name: String,
        /// What there is.
        #[source]
        source: NotARole,
    },
    /// A name or key is in the file twice.
    #[error("operator {name:?} is listed already, by name or by key")]
    Twice {
        /// Whose.
        name: String,
    },
    /// No operator has this name.
    #[error("no operator is called {name:?}")]
    Unknown {
        /// Who was looked for.
        name: String,
    },
    /// Removing would leave nobody who can administer the node.
    #[error("{name:?} is the last admin")]
    LastAdmin {
        /// Who should go.
        name: String,
    },
    /// The text is valid but not laid out in blocks that begin with `[[operator]]`.
    #[error("operators file is not in blocks that begin with [[operator]]")]
    Layout,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperatorsFile {
    #[serde(default)]
    operator: Vec<RawOperator>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOperator {
    name: String,
    key: String,
    role: String,
}

fn checked(raw: RawOperator) -> Result<Operator, OperatorsError> {
    let RawOperator { name, key, role } = raw;
    let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if !fits {
        return Err(OperatorsError::Name { name });
    }
    let bytes = HEXLOWER_PERMISSIVE.decode(key.as_bytes()).ok();
    let Some(key) = bytes.and_then(|bytes| PublicKey::from_bytes(&bytes).ok()) else {
        return Err(OperatorsError::Key { name });
    };
    match role.parse() {
        Ok(role) => Ok(Operator { name, key, role }),
        Err(source) => Err(OperatorsError::Role { name, source }),
    }
}

#[cfg(test)]
mod tests;
