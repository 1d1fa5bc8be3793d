//! What can still be read in segments that were set aside: every record whose checksums are good, wherever it stands.
//!
//! It must never be believed: whoever reads it verifies each entry, and takes only what follows what it has.

use std::{fs, path::Path, vec};

use wego_proto::{prost::Message as _, v1};

use crate::store::{
    StoreError,
    aside::name_before,
    journal::format::{RECORD_HEADER_BYTES, declared_content},
};

/// The entries in the segments of a journal that were set aside, in the order of the log. One segment is in memory at a
/// time.
#[derive(Debug)]
pub struct Salvage {
    segments: vec::IntoIter<std::path::PathBuf>,
    bytes: Vec<u8>,
    at: usize,
}

impl Salvage {
    /// Of the journal in `dir`.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn of(dir: &Path) -> Result<Self, StoreError> {
        let failed = || StoreError::io("reading the journal folder");
        let mut segments = Vec::new();
        for entry in fs::read_dir(dir).map_err(failed())? {
            let path = entry.map_err(failed())?.path();
            if name_before(&path).is_some_and(|name| name.extension().is_some_and(|end| end == "journal")) {
                segments.push(path);
            }
        }
        segments.sort();
        Ok(Self { segments: segments.into_iter(), bytes: Vec::new(), at: 0 })
    }

    /// The next record's content in this segment. What is none is passed over byte by byte.
    fn next_content(&mut self) -> Option<&[u8]> {
        while let Some(rest) = self.bytes.get(self.at..).filter(|rest| rest.len() > RECORD_HEADER_BYTES) {
            if let Some((len, crc)) = declared_content(rest)
                && let Some(content) = rest.get(RECORD_HEADER_BYTES..RECORD_HEADER_BYTES + len)
                && crc32fast::hash(content) == crc
            {
                let begin = self.at + RECORD_HEADER_BYTES;
                self.at = begin + len;
                return self.bytes.get(begin..begin + len);
            }
            self.at += 1;
        }
        None
    }
}

impl Iterator for Salvage {
    type Item = v1::Entry;

    fn next(&mut self) -> Option<v1::Entry> {
        loop {
            while let Some(content) = self.next_content() {
                if let Ok(entry) = v1::Entry::decode(content) {
                    return Some(entry);
                }
            }
            let path = self.segments.next()?;
            // A file that the disk does not give is as good as none: peers may have what was in it.
            self.bytes = fs::read(&path).unwrap_or_default();
            self.at = 0;
        }
    }
}
