//! Profiles: which node to talk to, with which certificate.
//!
//! A profile is a folder with `profile.toml`, `cert.pem` and `key.pem`, as `wego-node init` writes it. A private
//! key that others on the machine can read is refused, never quietly used.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use wego_proto::pin::Identity;
use zeroize::Zeroizing;

use crate::{
    error::{ExitCode, Failure},
    stdio::Stdio,
};

mod pinned;

pub(crate) use pinned::Pinned;

/// The file that makes a folder a profile.
pub(crate) const PROFILE_FILE: &str = "profile.toml";
const CONFIG_FILE: &str = "config.toml";
/// Bits of a file's mode that give the group or the world anything.
const OTHERS: u32 = 0o077;

/// `profile.toml`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawProfile {
    address: String,
    server_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_server_key: Option<String>,
    handle: String,
    #[serde(default = "default_certificate")]
    certificate: PathBuf,
    #[serde(default = "default_key")]
    key: PathBuf,
}

/// `config.toml`, beside the profiles.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
}

/// A profile whose files were read and checked.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) folder: PathBuf,
    pub(crate) address: String,
    pub(crate) pinned: Arc<Pinned>,
    pub(crate) handle: String,
    pub(crate) identity: Identity,
    /// Certificate and key files, for copying.
    pub(crate) files: [PathBuf; 2],
}

impl Profile {
    /// Loads the named profile or folder; without a name the current profile.
    pub(crate) fn load(stdio: &Stdio, name: Option<&str>) -> Result<Self, Failure> {
        let folder = match name {
            Some(name) if looks_like_a_path(name) => PathBuf::from(name),
            Some(name) => profiles_dir(stdio)?.join(checked_name(name)?),
            None => match Self::current(stdio)? {
                Some(name) => profiles_dir(stdio)?.join(name),
                None => return Err(no_profile()),
            },
        };
        Self::open(&folder)
    }

    /// Reads the profile in `folder`.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(PROFILE_FILE);
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Failure::not_found(
                format!("there is no profile in {}", folder.display()),
                "`wego profile list` shows the profiles; `wego-node init` writes one, `wego profile add` copies it",
            ),
            _ => Failure::of_file("read", &path, error),
        })?;
        let raw: RawProfile = toml::from_str(&text).map_err(|error| {
            let hint = "the keys are address, server_key, next_server_key, handle, certificate, key";
            Failure::usage(format!("{} is not a profile", path.display()), hint).because(error.to_string())
        })?;
        let pinned = Arc::new(Pinned::read(path, raw.clone())?);
        let files = [inside(folder, &raw.certificate)?, inside(folder, &raw.key)?];
        let certificate = fs::read_to_string(&files[0])
            .map_err(|error| Failure::of_file("read the certificate", &files[0], error))?;
        let key = read_secret(&files[1])?;
        let identity = Identity::from_pem(&certificate, &key).map_err(|error| {
            let hint = "write the profile again with `wego-node init`, or copy it again";
            Failure::usage(format!("the identity in {} is damaged", folder.display()), hint).because(error)
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            address: raw.address,
            pinned,
            handle: raw.handle,
            identity,
            files,
        })
    }

    /// The profile in use: the one chosen by `wego profile use`, or the only one.
    pub(crate) fn current(stdio: &Stdio) -> Result<Option<String>, Failure> {
        if config_dir(stdio).is_none() {
            return Ok(None);
        }
        if let Some(name) = read_config(stdio)?.profile {
            return Ok(Some(name));
        }
        let mut names = Self::names(stdio)?;
        Ok(if names.len() == 1 { names.pop() } else { None })
    }

    /// Names of the profiles, sorted.
    pub(crate) fn names(stdio: &Stdio) -> Result<Vec<String>, Failure> {
        let dir = profiles_dir(stdio)?;
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Failure::of_file("read", &dir, error)),
        };
        let mut names: Vec<String> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().join(PROFILE_FILE).is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        Ok(names)
    }

    /// Makes `name` the current profile; none forgets the choice.
    pub(crate) fn choose(stdio: &Stdio, name: Option<&str>) -> Result<(), Failure> {
        let path = config_dir(stdio).ok_or_else(no_home)?.join(CONFIG_FILE);
        let config = Config { profile: name.map(str::to_owned) };
        let text = toml::to_string(&config).map_err(|error| {
            Failure::failed("cannot write the choice", "report this as a bug").because(error)
        })?;
        crate::commands::replace_file(&path, text.as_bytes())
    }
}

/// `$XDG_CONFIG_HOME/wego/profiles`.
pub(crate) fn profiles_dir(stdio: &Stdio) -> Result<PathBuf, Failure> {
    Ok(config_dir(stdio).ok_or_else(no_home)?.join("profiles"))
}

/// A name that is one folder and no path.
pub(crate) fn checked_name(name: &str) -> Result<&str, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        return Err(Failure::usage(
            format!("{name:?} is no name for a profile"),
            "use letters, digits, - and _; a folder is given with a slash in it, as ./profile",
        ));
    }
    Ok(name)
}

/// Reads a private key's PEM text, if only its owner can.
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<String>, Failure> {
    refuse_shared(path)?;
    let text =
        fs::read_to_string(path).map_err(|error| Failure::of_file("read the private key", path, error))?;
    Ok(Zeroizing::new(text))
}

#[cfg(unix)]
fn refuse_shared(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let meta = fs::metadata(path).map_err(|error| Failure::of_file("read the private key", path, error))?;
    let mode = meta.permissions().mode() & 0o777;
    if mode & OTHERS != 0 {
        return Err(Failure::new(
            ExitCode::NotAuthorised,
            format!("the private key {} can be read by others (mode {mode:04o})", path.display()),
            format!("chmod 600 {}; if others use this machine, make a new key", path.display()),
        ));
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_shared(_path: &Path) -> Result<(), Failure> {
    Ok(())
}

fn config_dir(stdio: &Stdio) -> Option<PathBuf> {
    let base = stdio
        .env_text("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| stdio.env_text("HOME").map(|home| Path::new(&home).join(".config")))?;
    Some(base.join("wego"))
}

fn read_config(stdio: &Stdio) -> Result<Config, Failure> {
    let path = config_dir(stdio).ok_or_else(no_home)?.join(CONFIG_FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Config::default()),
        Err(error) => return Err(Failure::of_file("read", &path, error)),
    };
    toml::from_str(&text).map_err(|error| {
        let hint = "its only key is profile; `wego profile use NAME` writes it";
        Failure::usage(format!("{} is damaged", path.display()), hint).because(error.to_string())
    })
}

/// Certificate and key lie in the profile's folder, so that the folder can be copied as one.
fn inside(folder: &Path, name: &Path) -> Result<PathBuf, Failure> {
    let mut parts = name.components();
    match (parts.next(), parts.next()) {
        (Some(std::path::Component::Normal(_)), None) => Ok(folder.join(name)),
        _ => Err(Failure::usage(
            format!("{} in {} is no file name", name.display(), folder.join(PROFILE_FILE).display()),
            "certificate and key are file names in the profile's own folder",
        )),
    }
}

fn looks_like_a_path(name: &str) -> bool {
    name.contains(['/', '\\']) || matches!(name, "." | "..")
}

fn no_profile() -> Failure {
    Failure::usage(
        "no profile is chosen",
        "name one with --profile or WEGO_PROFILE, or choose one with `wego profile use NAME`",
    )
}

fn no_home() -> Failure {
    Failure::usage(
        "neither XDG_CONFIG_HOME nor HOME is set",
        "set one, or name a folder with --profile ./folder",
    )
}

fn default_certificate() -> PathBuf {
    PathBuf::from("cert.pem")
}

fn default_key() -> PathBuf {
    PathBuf::from("key.pem")
}
