//! What the node tells on standard error: one event, one line, as text or as JSON.
//!
//! Fields carry words of peers and clients. One that contained a line break or a terminal sequence could
//! forge events or take over an operator's terminal, so control characters never leave this file unescaped.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use thiserror::Error;
use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Registry,
    filter::ParseError,
    fmt::MakeWriter,
    layer::{Layer, SubscriberExt as _},
    reload,
};

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A line of words per event.
    Text,
    /// A JSON object per event.
    Json,
}

/// Changes the filter of a running log.
#[derive(Debug, Clone)]
pub struct LogControl(reload::Handle<EnvFilter, Registry>);

impl LogControl {
    /// Takes `filter` from the next event on.
    ///
    /// # Errors
    /// [`TelemetryError`]; the filter stays as it was.
    pub fn set_filter(&self, filter: &str) -> Result<(), TelemetryError> {
        let filter = EnvFilter::try_new(filter).map_err(TelemetryError::Filter)?;
        self.0.reload(filter).map_err(TelemetryError::Reload)
    }
}

/// Why the log cannot be started or changed.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// A directive cannot be understood.
    #[error("log filter cannot be understood")]
    Filter(#[source] ParseError),
    /// The log has ended.
    #[error("log filter cannot be changed")]
    Reload(#[source] reload::Error),
    /// The process has a log already.
    #[error("the log was started before")]
    Started(#[source] tracing::subscriber::SetGlobalDefaultError),
}

/// Starts the process's log on standard error. Once, by whoever owns the process.
///
/// # Errors
/// [`TelemetryError`].
pub fn start(format: Format, filter: &str) -> Result<LogControl, TelemetryError> {
    let (log, control) = log(format, filter, io::stderr)?;
    tracing::subscriber::set_global_default(log).map_err(TelemetryError::Started)?;
    Ok(control)
}

/// A log into `writer`, for one thread or test.
///
/// # Errors
/// [`TelemetryError::Filter`].
pub fn log<W>(
    format: Format,
    filter: &str,
    writer: W,
) -> Result<(impl Subscriber + Send + Sync, LogControl), TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(filter).map_err(TelemetryError::Filter)?;
    let (filter, handle) = reload::Layer::new(filter);
    let writer = Escaping(writer);
    // Never coloured: nothing may need colour to be understood, and escapes are escaped below.
    let base = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(writer);
    let lines: Box<dyn Layer<_> + Send + Sync> = match format {
        Format::Text => Box::new(base),
        Format::Json => Box::new(base.json().flatten_event(true).with_current_span(false)),
    };
    Ok((tracing_subscriber::registry().with(filter).with(lines), LogControl(handle)))
}

/// Escapes control characters in what passes through, except the line break that ends an event.
#[derive(Debug)]
struct Escaping<W>(W);

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Escaping<W> {
    type Writer = EscapingWriter<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        EscapingWriter(self.0.make_writer())
    }
}

struct EscapingWriter<W>(W);

impl<W: Write> Write for EscapingWriter<W> {
    /// Takes one whole event, as the format layer writes it.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.write_all(escaped(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// In the form that JSON has for them, which people can read in text too.
fn escaped(event: &str) -> String {
    let (line, end) = event.strip_suffix('\n').map_or((event, ""), |line| (line, "\n"));
    let mut out = String::with_capacity(event.len());
    for char in line.chars() {
        if char.is_control() || is_direction_mark(char) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{:04x}", u32::from(char));
        } else {
            out.push(char);
        }
    }
    out + end
}

/// Characters that make a terminal show text in another order than it is stored.
fn is_direction_mark(char: char) -> bool {
    matches!(char, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    const HOSTILE: &str = "\u{1b}]0;pwn\u{7}\n{\"level\":\"INFO\"}\u{9b}31m\u{202e}dlrow";

    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: Format, filter: &str, emit: impl FnOnce(&LogControl)) -> String {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let into = lines.clone();
        let (log, control) = log(format, filter, move || Sink(into.clone())).unwrap();
        tracing::subscriber::with_default(log, || emit(&control));
        let bytes = lines.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn hostile(_: &LogControl) {
        tracing::info!(member = HOSTILE, shown = %HOSTILE, "{HOSTILE}");
    }

    #[test]
    fn a_hostile_name_stays_on_its_line() {
        for format in [Format::Text, Format::Json] {
            let out = logged(format, "info", hostile);
            assert_eq!(out.matches('\n').count(), 1, "{out:?}");
            assert!(out.trim_end().chars().all(|c| !c.is_control() && !is_direction_mark(c)), "{out:?}");
        }
    }

    #[test]
    fn a_json_line_stays_json_and_keeps_the_name() {
        let out = logged(Format::Json, "info", hostile);
        let line: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(line["member"], HOSTILE);
    }

    #[test]
    fn the_filter_can_be_changed_while_it_runs() {
        let out = logged(Format::Text, "info", |control| {
            tracing::debug!("before");
            control.set_filter("debug").unwrap();
            tracing::debug!("after");
            assert!(control.set_filter("wego=loud").is_err());
            tracing::debug!("still");
        });
        assert!(!out.contains("before") && out.contains("after") && out.contains("still"), "{out}");
    }
}
