//! Profiles: what `wego` needs to call a node as one operator. A key of its own for each, made here, never sent.

use std::path::Path;

use serde::Serialize;
use wego_proto::key::{PublicKey, SecretKey};

use super::{InitError, whole::Whole};
use crate::keys::certificate::{Life, self_signed};

const PROFILE_FILE: &str = "profile.toml";
const CERTIFICATE_FILE: &str = "cert.pem";
const KEY_FILE: &str = "key.pem";

/// Whom a new profile calls, as whom.
#[derive(Debug, Clone)]
pub struct NewProfile {
    /// Where the node's listener for operators is reached, `host:port`.
    pub address: String,
    /// The key the node shows there.
    pub server_key: PublicKey,
    /// The member, for the prompt.
    pub handle: String,
    /// The operator's name.
    pub operator: String,
}

/// A profile that was made.
#[derive(Debug, Clone)]
pub struct Profile {
    /// To be listed in the operators file.
    pub key: PublicKey,
}

impl NewProfile {
    /// Makes the profile in the folder `dir`, which must not exist or be empty. On an error nothing is left of it.
    ///
    /// # Errors
    /// [`InitError`].
    pub fn create(&self, dir: &Path, key: &SecretKey) -> Result<Profile, InitError> {
        let whole = Whole::begin(dir)?;
        let profile = write_into(&whole, "", self, key)?;
        whole.finish()?;
        Ok(profile)
    }
}

/// Writes the profile into the folder `name` of `whole`.
pub(super) fn write(
    whole: &Whole,
    name: &str,
    new: &NewProfile,
    key: SecretKey,
) -> Result<Profile, InitError> {
    whole.folder(name)?;
    let profile = write_into(whole, &format!("{name}/"), new, &key)?;
    whole.sync(name)?;
    Ok(profile)
}

#[derive(Serialize)]
struct ProfileFile<'a> {
    address: &'a str,
    server_key: String,
    handle: &'a str,
    certificate: &'a str,
    key: &'a str,
}

fn write_into(whole: &Whole, prefix: &str, new: &NewProfile, key: &SecretKey) -> Result<Profile, InitError> {
    let file = ProfileFile {
        address: &new.address,
        server_key: new.server_key.to_string(),
        handle: &new.handle,
        certificate: CERTIFICATE_FILE,
        key: KEY_FILE,
    };
    let content = toml::to_string(&file).map_err(InitError::Profile)?;
    let text = format!("# How `wego` calls this node. Paths are relative to this file.\n{content}");
    whole.file(&format!("{prefix}{PROFILE_FILE}"), text.as_bytes())?;
    let certificate = self_signed(key, &new.operator, Life::Unending)?;
    whole.file(&format!("{prefix}{CERTIFICATE_FILE}"), certificate.as_bytes())?;
    whole.file(&format!("{prefix}{KEY_FILE}"), key.to_pem().as_bytes())?;
    Ok(Profile { key: key.public() })
}
