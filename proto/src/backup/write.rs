//! Writing a backup from front to back, checked like one that is read.
//!
//! It must never sign a trailer over anything that a reader would refuse.

use std::io::{self, Write};

use prost::Message as _;
use thiserror::Error;

use super::{Fault, Kind, Part, check::Check, fits, frame::FrameWriter};
use crate::{
    convert::{InField as _, Problem as FieldProblem},
    id::FederationId,
    key::SecretKey,
    v1,
};

/// Why a backup was not finished. What was written of it is no backup.
#[derive(Debug, Error)]
pub enum WriteError {
    /// It cannot be written.
    #[error("the backup cannot be written")]
    Io(#[from] io::Error),
    /// What should go into it does not hold.
    #[error("what should go into the backup does not hold")]
    Fault(#[from] Fault),
}

/// A backup being written. Parts go in in the order of their methods.
#[derive(Debug)]
pub struct Writer<W> {
    frames: FrameWriter<W>,
    check: Check,
    key: SecretKey,
    federation: FederationId,
}

impl<W: Write> Writer<W> {
    /// Begins, and signs the manifest with the log key that it names.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn begin(out: W, manifest: &v1::BackupManifest, key: SecretKey) -> Result<Self, WriteError> {
        let frames = FrameWriter::begin(out)?;
        let federation: Result<_, _> = FederationId::try_from(manifest.federation_id.as_slice())
            .map_err(FieldProblem::Id)
            .in_field("manifest.federation_id");
        let federation = federation.map_err(|error| frames.place.fault(error))?;
        let mut writer = Self { frames, check: Check::default(), key, federation };
        let manifest = manifest.encode_to_vec();
        let signature = Part::Manifest.sign(&federation, &manifest, &writer.key);
        writer.put(Kind::Manifest, &v1::SignedBackupManifest { manifest, signature }.encode_to_vec())?;
        Ok(writer)
    }

    /// The next roster version.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn roster(&mut self, version: &v1::SignedRoster) -> Result<(), WriteError> {
        self.put(Kind::Roster, &version.encode_to_vec())
    }

    /// A fork proof.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn fork(&mut self, proof: &v1::ForkProof) -> Result<(), WriteError> {
        self.put(Kind::Fork, &proof.encode_to_vec())
    }

    /// The next entry: by origin, epoch and seq.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn entry(&mut self, entry: &v1::Entry) -> Result<(), WriteError> {
        self.put(Kind::Entry, &entry.encode_to_vec())
    }

    /// A small file of the data folder.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn file(&mut self, file: &v1::BackupFile) -> Result<(), WriteError> {
        self.put(Kind::File, &file.encode_to_vec())
    }

    /// Where it goes.
    pub fn out_mut(&mut self) -> &mut W {
        self.frames.out_mut()
    }

    /// Signs and writes the trailer: nothing can follow it.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn finish(&mut self) -> Result<(), WriteError> {
        let place = self.frames.place;
        let trailer = v1::BackupTrailer {
            frames: place.frames,
            bytes: place.bytes,
            link: place.link.as_bytes().to_vec(),
        };
        let trailer = trailer.encode_to_vec();
        let signature = Part::Trailer.sign(&self.federation, &trailer, &self.key);
        self.put(Kind::Trailer, &v1::SignedBackupTrailer { trailer, signature }.encode_to_vec())?;
        Ok(self.frames.out_mut().flush()?)
    }

    fn put(&mut self, kind: Kind, content: &[u8]) -> Result<(), WriteError> {
        let place = self.frames.place;
        let end = place.end(content);
        let checked = fits(kind, content.len()).and_then(|()| self.check.take(kind, content, place, end));
        checked.map_err(|problem| place.fault(problem))?;
        // Who writes has no use for what a reader would get.
        self.check.ready.clear();
        Ok(self.frames.put(kind, content)?)
    }
}
