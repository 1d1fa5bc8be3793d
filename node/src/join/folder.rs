//! The newcomer's folder: keys and card as `wego-node init` made them, what was asked so far, and the roster at the end.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use wego_ledger::roster::History;
use wego_proto::{
    armour::{self, Label},
    card::{CARD_BYTES_MAX, MemberCard},
    id::{FederationId, InviteId},
    key::PublicKey,
    pin::Identity,
    prost::Message,
    roster::{CHAIN_BYTES_MAX, LogKey},
    v1,
};

use super::JoinError;
use crate::{
    config::{Config, Environment},
    init::{CARD_FILE, CONFIG_FILE},
    keys::NodeKeys,
};

/// What was asked and answered, until the roster is there. No secret in it.
const ASKED_FILE: &str = "joining.toml";

/// A city that wants to join.
#[derive(Debug)]
pub struct Newcomer {
    /// As it will speak in TLS.
    pub identity: Identity,
    /// The key in that.
    pub transport_key: PublicKey,
    /// What it shows to the federation.
    pub card: v1::SignedMemberCard,
    /// What is in that.
    opened: MemberCard,
    /// As in `nl-leiden`.
    pub handle: String,
    /// Where its roster belongs.
    pub roster: PathBuf,
    /// Its configuration.
    pub config: PathBuf,
    dir: PathBuf,
}

/// What an inviter's node answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which invite was spent.
    pub invite: InviteId,
    /// The federation.
    pub federation: FederationId,
    /// Its name.
    pub federation_name: String,
    /// To compare by telephone.
    pub words: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedFile {
    invite: String,
    federation: String,
    federation_name: String,
    words: String,
}

impl Newcomer {
    /// Reads the folder that `wego-node init` made; `None` when there is none yet. `env` overrides its configuration,
    /// as when the node runs.
    ///
    /// # Errors
    /// [`JoinError`] names the file.
    pub fn open(dir: &Path, env: &Environment) -> Result<Option<Self>, JoinError> {
        let path = dir.join(CONFIG_FILE);
        if !path.exists() {
            return Ok(None);
        }
        let config = Config::load(&path, env)?;
        let keys = NodeKeys::load(&config.node.keys_dir)?;
        let card: v1::SignedMemberCard = armoured(&dir.join(CARD_FILE), Label::MemberCard, CARD_BYTES_MAX)?;
        let opened = MemberCard::open(&card)?;
        if opened.transport_key != keys.transport_key || opened.log_key != keys.log.public() {
            return Err(JoinError::OtherCard);
        }
        Ok(Some(Self {
            identity: keys.transport,
            transport_key: keys.transport_key,
            card,
            handle: opened.inception.handle.clone(),
            opened,
            roster: config.node.roster,
            config: path,
            dir: dir.to_owned(),
        }))
    }

    /// The roster that the folder has already.
    ///
    /// # Errors
    /// [`JoinError`] names the file.
    pub fn roster(&self) -> Result<Option<History>, JoinError> {
        if !self.roster.exists() {
            return Ok(None);
        }
        let chain = armoured(&self.roster, Label::Roster, CHAIN_BYTES_MAX)?;
        History::open(chain).map(Some).map_err(JoinError::Roster)
    }

    /// Whether this is an active member there, with these keys.
    ///
    /// # Errors
    /// [`JoinError::ForeignKey`] when somebody else has a key there that counts as this city's.
    pub fn is_member_in(&self, roster: &History) -> Result<bool, JoinError> {
        let own_key = |key: &LogKey| key.key == self.opened.log_key;
        match roster.speaker(&self.transport_key) {
            Some(member) if member.log_keys.iter().any(own_key) => self
                .opened
                .differs_from_admitted(&member.raw)
                .map_or(Ok(true), |what| Err(JoinError::ForeignKey { what })),
            _ => Ok(false),
        }
    }

    /// What was answered to this invite before.
    ///
    /// # Errors
    /// [`JoinError::File`].
    pub fn asked(&self, invite: &InviteId) -> Result<Option<Asked>, JoinError> {
        let path = self.dir.join(ASKED_FILE);
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(of_file(&path, source)),
            // What cannot be read is asked again.
            Ok(text) => Ok(read(&text).filter(|asked| asked.invite == *invite)),
        }
    }

    /// Keeps the answer for the next time. Durable on return.
    ///
    /// # Errors
    /// [`JoinError::File`].
    pub fn remember(&self, asked: &Asked) -> Result<(), JoinError> {
        let path = self.dir.join(ASKED_FILE);
        let file = AskedFile {
            invite: asked.invite.to_string(),
            federation: asked.federation.to_string(),
            federation_name: asked.federation_name.clone(),
            words: asked.words.clone(),
        };
        let text = toml::to_string(&file).map_err(|error| of_file(&path, io::Error::other(error)))?;
        replace(&path, &text)
    }

    /// Puts the roster where the node looks for it. Durable on return.
    ///
    /// # Errors
    /// [`JoinError::File`].
    pub fn take(&self, roster: &History) -> Result<(), JoinError> {
        let chain = v1::RosterChain { versions: roster.since(0, usize::MAX) };
        let preamble = [
            format!("federation id: {}", roster.federation()),
            format!("version: {}", roster.current().version()),
        ];
        replace(&self.roster, &armour::write(Label::Roster, &preamble, &chain))?;
        self.forget();
        Ok(())
    }

    /// Forgets what was answered. It is of no harm when it stays.
    pub fn forget(&self) {
        let _ = fs::remove_file(self.dir.join(ASKED_FILE));
    }
}

fn read(text: &str) -> Option<Asked> {
    let file: AskedFile = toml::from_str(text).ok()?;
    Some(Asked {
        invite: file.invite.parse().ok()?,
        federation: file.federation.parse().ok()?,
        federation_name: file.federation_name,
        words: file.words,
    })
}

fn armoured<M: Message + Default>(path: &Path, label: Label, bytes_max: usize) -> Result<M, JoinError> {
    let bytes = fs::metadata(path).map_err(|source| of_file(path, source))?.len();
    let too_large = || of_file(path, io::ErrorKind::FileTooLarge.into());
    if bytes > armour::text_bytes_max(bytes_max) {
        return Err(too_large());
    }
    let text = fs::read_to_string(path).map_err(|source| of_file(path, source))?;
    let message: M = armour::read(label, &text)
        .map_err(|source| JoinError::Armour { file: path.display().to_string(), source })?;
    if message.encoded_len() > bytes_max { Err(too_large()) } else { Ok(message) }
}

/// Whole or not at all: a new file takes the old one's place.
fn replace(path: &Path, text: &str) -> Result<(), JoinError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        fs::File::open(folder)?.sync_all()
    };
    write().map_err(|source| of_file(path, source))
}

fn of_file(path: &Path, source: io::Error) -> JoinError {
    JoinError::File { file: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_refused_for_the_bytes_in_it_and_not_for_its_armour() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("roster.pem");
        let version = v1::SignedRoster { roster: vec![7; 3_000_000], signatures: Vec::new() };
        let chain = v1::RosterChain { versions: vec![version; 3] };
        fs::write(&path, armour::write(Label::Roster, &[], &chain)).expect("a file");
        let bytes = chain.encoded_len();
        let read = armoured::<v1::RosterChain>(&path, Label::Roster, bytes).expect("it has no more");
        assert_eq!(read, chain);
        let refused = armoured::<v1::RosterChain>(&path, Label::Roster, bytes - 1);
        assert!(matches!(&refused, Err(JoinError::File { source, .. })
            if source.kind() == io::ErrorKind::FileTooLarge));
    }
}
