//! Frames: their bytes, and the chain of hashes that binds each to all before it.
//!
//! It must never know what is in a frame, and never reserves memory for a length before it is in range.

use std::io::{self, Read, Write};

use super::{Fault, Kind, MAGIC, Problem, fits};
use crate::id::Hash;

/// Kind and length.
const HEADER_BYTES: usize = 5;
/// How much of a link stands behind its frame: enough to find the place, the trailer has the whole.
const CHECK_BYTES: usize = 8;

/// Where a stream of frames stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Frames so far.
    pub(super) frames: u64,
    /// Bytes so far.
    pub(super) bytes: u64,
    /// Hash of all of them.
    pub(super) link: Hash,
}

impl Place {
    pub(super) fn start() -> Self {
        Self { frames: 0, bytes: MAGIC.len() as u64, link: Hash::of(&[MAGIC]) }
    }

    fn after(self, header: &[u8], content: &[u8]) -> Self {
        Self {
            frames: self.frames + 1,
            bytes: self.end(content),
            link: Hash::of(&[self.link.as_bytes(), header, content]),
        }
    }

    fn check(&self) -> &[u8] {
        &self.link.as_bytes()[..CHECK_BYTES]
    }

    /// How far a frame with this content would reach.
    pub(super) fn end(self, content: &[u8]) -> u64 {
        self.bytes + (HEADER_BYTES + content.len() + CHECK_BYTES) as u64
    }

    /// Something is wrong with the frame that begins here.
    pub(super) fn fault(self, problem: impl Into<Problem>) -> Fault {
        Fault { frame: self.frames, offset: self.bytes, problem: problem.into() }
    }
}

/// Puts frames.
#[derive(Debug)]
pub(super) struct FrameWriter<W> {
    out: W,
    pub(super) place: Place,
}

impl<W: Write> FrameWriter<W> {
    pub(super) fn begin(mut out: W) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        Ok(Self { out, place: Place::start() })
    }

    /// The content must fit its kind, as [`fits`] says.
    pub(super) fn put(&mut self, kind: Kind, content: &[u8]) -> io::Result<()> {
        let len = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes();
        let mut header = [kind as u8; HEADER_BYTES];
        header[1..].copy_from_slice(&len);
        let next = self.place.after(&header, content);
        self.out.write_all(&header)?;
        self.out.write_all(content)?;
        self.out.write_all(next.check())?;
        self.place = next;
        Ok(())
    }

    pub(super) fn out_mut(&mut self) -> &mut W {
        &mut self.out
    }
}

/// Gets frames.
#[derive(Debug)]
pub(super) struct FrameReader<R> {
    source: R,
    pub(super) place: Place,
}

impl<R: Read> FrameReader<R> {
    pub(super) fn begin(mut source: R) -> Result<Self, Fault> {
        let mut magic = [0; MAGIC.len()];
        let fault = |problem| Fault { frame: 0, offset: 0, problem };
        match source.read_exact(&mut magic) {
            Ok(()) if magic == *MAGIC => Ok(Self { source, place: Place::start() }),
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(fault(Problem::Io(error))),
            _ => Err(fault(Problem::NotABackup)),
        }
    }

    /// The next frame, its check good; `None` at the end of the file.
    pub(super) fn next_frame(&mut self) -> Result<Option<(Kind, Vec<u8>)>, Fault> {
        let begin = self.place;
        let mut header = [0; HEADER_BYTES];
        if self.source.read(&mut header[..1]).map_err(|error| begin.fault(Problem::Io(error)))? == 0 {
            return Ok(None);
        }
        self.fill(&mut header[1..])?;
        let kind = Kind::of(header[0]).ok_or_else(|| begin.fault(Problem::UnknownKind(header[0])))?;
        let len = header[1..].iter().fold(0, |number, byte| (number << 8) | usize::from(*byte));
        fits(kind, len).map_err(|problem| begin.fault(problem))?;
        let mut content = vec![0; len + CHECK_BYTES];
        self.fill(&mut content)?;
        let check = content.split_off(len);
        let next = begin.after(&header, &content);
        if next.check() != check {
            return Err(begin.fault(Problem::Check));
        }
        self.place = next;
        Ok(Some((kind, content)))
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Fault> {
        self.source.read_exact(bytes).map_err(|error| {
            let ended = error.kind() == io::ErrorKind::UnexpectedEof;
            self.place.fault(if ended { Problem::Truncated } else { Problem::Io(error) })
        })
    }
}
