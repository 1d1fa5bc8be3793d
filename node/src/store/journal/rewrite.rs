//! Erasing payloads from the journal: the segments that hold them are written anew, without them.
//!
//! The problem: the journal is the only copy of what this member alone has, and a crash may come at any step. The
//! rule: the new segment stands whole and durable beside the old one before it takes its name, so either the one or
//! the other is found. It must never change a header, a position or the order of records.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufReader, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use wego_proto::id::Position;

use crate::store::{
    StoreError,
    journal::{
        Condition, Failed, Journal,
        disk::Disk,
        format::{HEADER_BYTES, Mark, RecordReader, Segment, encode_header, encode_record},
        scan::REWRITE_SUFFIX,
    },
};

/// Bytes of the new segment written at once.
const WRITE_BYTES: usize = 1_024 * 1_024;

impl Journal {
    pub(super) fn drop_payloads(&mut self, targets: &[Position]) -> Result<(), StoreError> {
        let targets: BTreeSet<_> = targets.iter().copied().collect();
        for number in 0..self.segments.len() {
            let segment = &self.segments[number];
            let next = self.segments.get(number + 1).and_then(Segment::first);
            let Some(first) = segment.first() else { continue };
            let mut within = targets.range(first..).take_while(|at| next.is_none_or(|next| **at < next));
            if within.next().is_some() && holds_payload(segment, &targets)? {
                self.rewrite(number, &targets)?;
            }
        }
        Ok(())
    }

    fn rewrite(&mut self, number: usize, targets: &BTreeSet<Position>) -> Result<(), StoreError> {
        let segment = &self.segments[number];
        let (path, beside, bytes) = (segment.path.clone(), beside(&segment.path), segment.bytes);
        self.space.admit(bytes)?;
        let outcome = self.write_beside(number, &beside, targets);
        self.space.settle(bytes);
        let (file, segment) = match outcome {
            Ok(written) => written,
            Err(error) => {
                // The old segment was not touched; what stays beside it is removed at the next start.
                let _ = self.disk.remove(&beside);
                return Err(error);
            }
        };
        if let Err(error) = self.disk.rename(&beside, &path).and_then(|()| self.disk.sync_folder(&self.dir)) {
            // Which of the two has the name is not known, and the open file may be the one that has lost it.
            return Err(self.refuse(Failed { error, condition: Condition::MustBeReopened }));
        }
        if number + 1 == self.segments.len() {
            self.tail = Some(file);
        }
        self.segments[number] = segment;
        Ok(())
    }

    /// The segment without these payloads, durable under the name `beside`.
    fn write_beside(
        &mut self,
        number: usize,
        beside: &Path,
        targets: &BTreeSet<Position>,
    ) -> Result<(File, Segment), StoreError> {
        let old = &self.segments[number];
        let mut out = Out::create(self.disk.as_mut(), beside)?;
        let mut segment = Segment::new(old.path.clone());
        let mut buffer = old.first().map(|first| encode_header(self.origin, first)).unwrap_or_default();
        let mut reader = records(old)?;
        while let Some((mut entry, at)) = reader.next_record().map_err(|damage| damage.in_file(&old.path))? {
            segment.mark(Mark { at, offset: out.bytes + buffer.len() as u64 });
            entry.payload = entry.payload.filter(|_| !targets.contains(&at));
            encode_record(&mut buffer, &entry);
            if buffer.len() >= WRITE_BYTES {
                out.write(self.disk.as_mut(), &std::mem::take(&mut buffer))?;
            }
        }
        out.write(self.disk.as_mut(), &buffer)?;
        self.disk.sync(&out.file).map_err(StoreError::io("flushing a rewritten journal segment"))?;
        segment.bytes = out.bytes;
        Ok((out.file, segment))
    }
}

/// A file being written from its beginning to its end.
struct Out {
    file: File,
    bytes: u64,
}

impl Out {
    fn create(disk: &mut dyn Disk, path: &Path) -> Result<Self, StoreError> {
        // One that an earlier try has left is of no use.
        let created = disk.remove(path).and_then(|()| disk.create(path));
        let file = created.map_err(StoreError::io("creating a rewritten journal segment"))?;
        Ok(Self { file, bytes: 0 })
    }

    fn write(&mut self, disk: &mut dyn Disk, bytes: &[u8]) -> Result<(), StoreError> {
        disk.write(&self.file, self.bytes, bytes)
            .map_err(StoreError::io("writing a rewritten journal segment"))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(REWRITE_SUFFIX);
    PathBuf::from(name)
}

/// All records of a segment, up to its acknowledged length.
fn records(segment: &Segment) -> Result<RecordReader<BufReader<File>>, StoreError> {
    let mut file = File::open(&segment.path).map_err(StoreError::io("opening a journal segment"))?;
    file.seek(SeekFrom::Start(HEADER_BYTES as u64)).map_err(StoreError::io("reading a journal segment"))?;
    Ok(RecordReader::new(BufReader::new(file), segment.bytes - HEADER_BYTES as u64))
}

fn holds_payload(segment: &Segment, targets: &BTreeSet<Position>) -> Result<bool, StoreError> {
    let mut reader = records(segment)?;
    while let Some((entry, at)) = reader.next_record().map_err(|damage| damage.in_file(&segment.path))? {
        if entry.payload.is_some() && targets.contains(&at) {
            return Ok(true);
        }
    }
    Ok(false)
}
