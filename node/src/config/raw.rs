//! The configuration file as written: keys, types and defaults, before any value was checked.
//!
//! The defaults here are the documented ones; a test compares them with the example file. Nothing outside
//! this folder may act on a raw value.

use std::{ops::Range, path::Path};

use serde::{Deserialize, Serialize};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{ConfigError, ENVIRONMENT_PREFIX, Environment, nearest::nearest};

/// `wego-node.toml`, one field a section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawConfig {
    /// `[node]`
    pub node: RawNode,
    /// `[listen]`
    pub listen: RawListen,
    /// `[store]`
    pub store: RawStore,
    /// `[peers]`
    pub peers: RawPeers,
    /// `[limits]`
    pub limits: RawLimits,
    /// `[log]`
    pub log: RawLog,
}

/// `[node]`: fields as in [`super::Node`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawNode {
    pub handle: String,
    pub keys_dir: String,
    pub data_dir: String,
    pub roster: String,
    pub operators: String,
}

impl Default for RawNode {
    fn default() -> Self {
        Self {
            // Empty is refused: nobody has the same one.
            handle: String::new(),
            keys_dir: "keys".to_owned(),
            data_dir: "data".to_owned(),
            roster: "roster.pem".to_owned(),
            operators: "operators.toml".to_owned(),
        }
    }
}

/// `[listen]`: addresses as text; `portal` may be `off`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawListen {
    pub peers: String,
    pub clients: String,
    pub portal: String,
}

impl Default for RawListen {
    fn default() -> Self {
        Self {
            peers: "0.0.0.0:7400".to_owned(),
            clients: "127.0.0.1:7401".to_owned(),
            portal: "127.0.0.1:7480".to_owned(),
        }
    }
}

/// `[store]`: sizes in MiB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawStore {
    pub cache_mib: u64,
    pub reserve_mib: u64,
    pub index_memory_mib: u64,
}

impl Default for RawStore {
    fn default() -> Self {
        Self { cache_mib: 64, reserve_mib: 256, index_memory_mib: 30 }
    }
}

/// `[peers]`: times in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawPeers {
    pub sessions_max: u64,
    pub anti_entropy_s: u64,
    pub receipts_s: u64,
    pub degree: u64,
    pub recovery_quorum: String,
    pub transport_overlap_s: u64,
}

impl Default for RawPeers {
    fn default() -> Self {
        Self {
            sessions_max: 64,
            anti_entropy_s: 60,
            receipts_s: 60,
            degree: 16,
            recovery_quorum: "half".to_owned(),
            transport_overlap_s: 86_400,
        }
    }
}

/// `[limits]`: times in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawLimits {
    pub handshake_timeout_s: u64,
    pub connections_max: u64,
    pub connections_per_ip_max: u64,
    pub publish_queue_max: u64,
    pub drain_s: u64,
}

impl Default for RawLimits {
    fn default() -> Self {
        Self {
            handshake_timeout_s: 10,
            connections_max: 1_024,
            connections_per_ip_max: 64,
            publish_queue_max: 1_024,
            drain_s: 25,
        }
    }
}

/// `[log]`: format and filter as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawLog {
    pub format: String,
    pub filter: String,
}

impl Default for RawLog {
    fn default() -> Self {
        Self { format: "text".to_owned(), filter: "info".to_owned() }
    }
}

impl RawConfig {
    /// Reads `path` and applies the overrides in `env`.
    ///
    /// # Errors
    /// As [`RawConfig::parse`], and [`ConfigError::Read`].
    pub fn load(path: &Path, env: &Environment) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path, env)
    }

    /// Reads `text`, the content of `path`, and applies the overrides in `env`.
    ///
    /// # Errors
    /// [`ConfigError`] for text that is not TOML, unknown keys and values of the wrong type.
    pub fn parse(text: &str, path: &Path, env: &Environment) -> Result<Self, ConfigError> {
        let place = |span: Option<Range<usize>>| (path.to_owned(), line_of(text, span));
        let syntax = |source: toml::de::Error| {
            let (path, line) = place(source.span());
            ConfigError::syntax(path, line, source)
        };
        let document = DeTable::parse(text).map_err(syntax)?;
        if let Some((key, span)) = first_unknown_key(document.get_ref()) {
            let (path, line) = place(Some(span));
            let nearest = nearest(&key, &Self::known_keys());
            return Err(ConfigError::UnknownKey { path, line, key, nearest });
        }
        let written: Self = toml::from_str(text).map_err(syntax)?;
        written.overridden_by(env)
    }

    /// Every key, as `section.key`, in alphabetical order.
    #[must_use]
    pub fn known_keys() -> Vec<String> {
        let mut keys = Vec::new();
        for (section, content) in &Self::default().to_table() {
            keys.extend(content.as_table().into_iter().flatten().map(|(key, _)| format!("{section}.{key}")));
        }
        keys
    }

    /// As a TOML document, defaults included.
    ///
    /// # Panics
    /// Never: text and numbers below 2^63 are always TOML.
    #[must_use]
    #[expect(clippy::expect_used, reason = "text and numbers below 2^63 are always TOML")]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a configuration is tables of text and numbers")
    }

    #[expect(clippy::expect_used, reason = "text and numbers below 2^63 are always TOML")]
    fn to_table(&self) -> toml::Table {
        toml::Table::try_from(self).expect("a configuration is tables of text and numbers")
    }

    fn overridden_by(self, env: &Environment) -> Result<Self, ConfigError> {
        let mut effective = self;
        for (variable, value) in env {
            let Some(key) = overridden_key(variable)? else { continue };
            let wrong = || ConfigError::Environment { variable: variable.clone(), key: key.clone() };
            let (section, name) = key.split_once('.').ok_or_else(wrong)?;
            let mut table = effective.to_table();
            let slot = table.get_mut(section).and_then(|section| section.get_mut(name)).ok_or_else(wrong)?;
            *slot = match slot {
                toml::Value::Integer(_) => toml::Value::Integer(value.parse().map_err(|_| wrong())?),
                _ => toml::Value::String(value.clone()),
            };
            effective = table.try_into().map_err(|_| wrong())?;
        }
        Ok(effective)
    }
}

/// The key that `variable` overrides; `None` when it is none of ours.
///
/// Only names that begin with a section are ours: Kubernetes gives every pod `WEGO_NODE_PORT` and the like for
/// a service called `wego-node`.
fn overridden_key(variable: &str) -> Result<Option<String>, ConfigError> {
    let Some(name) = variable.strip_prefix(ENVIRONMENT_PREFIX) else { return Ok(None) };
    let known = RawConfig::known_keys();
    if let Some(key) = known.iter().find(|key| variable_part(key) == name) {
        return Ok(Some(key.clone()));
    }
    let of_a_section = |key: &String| {
        let section = key.split('.').next().unwrap_or_default().to_uppercase();
        name.strip_prefix(&section).is_some_and(|rest| rest.starts_with('_'))
    };
    if !known.iter().any(of_a_section) {
        return Ok(None);
    }
    let candidates: Vec<String> = known.iter().map(|key| variable_part(key)).collect();
    let nearest = nearest(name, &candidates).map(|part| format!("{ENVIRONMENT_PREFIX}{part}"));
    Err(ConfigError::UnknownVariable { variable: variable.to_owned(), nearest })
}

fn variable_part(key: &str) -> String {
    key.replace('.', "_").to_uppercase()
}

fn first_unknown_key(document: &DeTable<'_>) -> Option<(String, Range<usize>)> {
    let known = RawConfig::known_keys();
    let mut unknown = Vec::new();
    for (section, content) in document.iter() {
        let name = section.get_ref().as_ref();
        if !known.iter().any(|key| key.split('.').next() == Some(name)) {
            unknown.push((name.to_owned(), section.span()));
            continue;
        }
        unknown.extend(keys_of(content).filter_map(|(key, span)| {
            let key = format!("{name}.{key}");
            (!known.contains(&key)).then_some((key, span))
        }));
    }
    unknown.into_iter().min_by_key(|(_, span)| span.start)
}

fn keys_of<'a>(section: &'a Spanned<DeValue<'_>>) -> impl Iterator<Item = (&'a str, Range<usize>)> {
    let table = section.get_ref().as_table();
    table.into_iter().flat_map(|table| table.iter().map(|(key, _)| (key.get_ref().as_ref(), key.span())))
}

fn line_of(text: &str, span: Option<Range<usize>>) -> usize {
    let until = span.map_or(0, |span| span.start).min(text.len());
    text.as_bytes()[..until].iter().filter(|byte| **byte == b'\n').count() + 1
}
