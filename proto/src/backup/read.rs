//! Reading a backup from front to back. Nothing it hands out counts before [`Item::End`] came.

use std::io::Read;

use super::{Fault, Item, Problem, check::Check, frame::FrameReader};

/// A backup being read, with little memory.
#[derive(Debug)]
pub struct Reading<R> {
    frames: FrameReader<R>,
    check: Check,
}

impl<R: Read> Reading<R> {
    /// Begins.
    ///
    /// # Errors
    /// [`Problem::NotABackup`] or [`Problem::Io`].
    pub fn begin(source: R) -> Result<Self, Fault> {
        Ok(Self { frames: FrameReader::begin(source)?, check: Check::default() })
    }

    /// The next item; `None` after [`Item::End`].
    ///
    /// # Errors
    /// [`Fault`]: nothing of the backup counts.
    pub fn next_item(&mut self) -> Result<Option<Item>, Fault> {
        loop {
            if let Some(item) = self.check.ready.pop_front() {
                return self.ends(&item).map(|()| Some(item));
            }
            let begin = self.frames.place;
            match self.frames.next_frame()? {
                Some((kind, content)) => {
                    let taken = self.check.take(kind, &content, begin, self.frames.place.bytes);
                    taken.map_err(|problem| begin.fault(problem))?;
                }
                None if self.check.is_done() => return Ok(None),
                None => return Err(begin.fault(Problem::Truncated)),
            }
        }
    }

    /// Bytes read.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.frames.place.bytes
    }

    /// The end is the end only when nothing follows.
    fn ends(&mut self, item: &Item) -> Result<(), Fault> {
        let end = self.frames.place;
        let ends = matches!(item, Item::End(_));
        if ends && self.frames.next_frame().map_or(true, |more| more.is_some()) {
            return Err(end.fault(Problem::Trailing));
        }
        Ok(())
    }
}
