//! Who tells the story: paragraphs and tables to one writer, what is being done to another. Knows no facts.

use std::{io, io::Write, time::Duration};

use super::{
    error::DemoError,
    table::{Table, wrapped},
};

/// Columns of a paragraph.
const COLUMNS: usize = 88;

/// Tells the story.
pub(super) struct Narrator<'a> {
    out: &'a mut dyn Write,
    /// Where somebody watches, for what is being done; `None` where nobody does.
    watcher: Option<&'a mut dyn Write>,
    chapters: usize,
}

impl std::fmt::Debug for Narrator<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Narrator").field("chapters", &self.chapters).finish_non_exhaustive()
    }
}

impl<'a> Narrator<'a> {
    pub(super) fn new(out: &'a mut dyn Write, watcher: Option<&'a mut dyn Write>) -> Self {
        Self { out, watcher, chapters: 0 }
    }

    /// Opens a chapter.
    pub(super) fn chapter(&mut self, title: &str) -> Result<(), DemoError> {
        self.chapters += 1;
        let heading = format!("{}. {title}", self.chapters);
        self.lines(["", &heading, ""])
    }

    /// A paragraph.
    pub(super) fn say(&mut self, text: &str) -> Result<(), DemoError> {
        self.lines(wrapped(text, COLUMNS))
    }

    /// A table, set off by empty lines.
    pub(super) fn table(&mut self, table: &Table) -> Result<(), DemoError> {
        self.gap()?;
        self.lines(table.lines().iter().map(|line| format!("  {line}")))?;
        self.gap()
    }

    /// Lines to be copied, never broken.
    pub(super) fn verbatim<'t>(&mut self, lines: impl IntoIterator<Item = &'t str>) -> Result<(), DemoError> {
        self.lines(lines.into_iter().map(|line| format!("  {line}")))
    }

    /// An empty line.
    pub(super) fn gap(&mut self) -> Result<(), DemoError> {
        self.lines([""])
    }

    /// Says what is being done, to whoever watches; the next line told takes its place.
    pub(super) fn working(&mut self, what: &str) {
        if let Some(watcher) = &mut self.watcher {
            // Talk only: whoever closed standard error does not want it.
            let _ = write!(watcher, "\r\x1b[2K{what} ...").and_then(|()| watcher.flush());
        }
    }

    fn lines<T: AsRef<str>>(&mut self, lines: impl IntoIterator<Item = T>) -> Result<(), DemoError> {
        self.clear();
        let write = || -> io::Result<()> {
            for line in lines {
                writeln!(self.out, "{}", line.as_ref())?;
            }
            self.out.flush()
        };
        write().map_err(DemoError::Narration)
    }

    /// Takes back what was said to whoever watches.
    pub(super) fn clear(&mut self) {
        if let Some(watcher) = &mut self.watcher {
            let _ = write!(watcher, "\r\x1b[2K").and_then(|()| watcher.flush());
        }
    }
}

/// A duration as it is read: milliseconds, with a decimal below ten.
pub(super) fn ms(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1_000.0;
    if ms < 10.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_times_have_a_decimal() {
        assert_eq!(ms(Duration::from_micros(3_440)), "3.4 ms");
        assert_eq!(ms(Duration::from_micros(12_700)), "13 ms");
        assert_eq!(ms(Duration::from_secs(2)), "2000 ms");
    }

    #[test]
    fn what_is_being_done_never_reaches_the_narration() {
        let (mut out, mut watched) = (Vec::new(), Vec::new());
        let mut narrator = Narrator::new(&mut out, Some(&mut watched));
        narrator.working("starting");
        narrator.say("started").unwrap();
        assert_eq!(out, b"started\n");
        assert!(String::from_utf8(watched).unwrap().contains("starting ..."));
    }
}
