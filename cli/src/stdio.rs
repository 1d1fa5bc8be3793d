//! What a command sees of the world: three streams, the environment and the clock.
//!
//! Everything a command reads or writes besides named files and the network goes through here, so that a test
//! runs it in process. Commands must never reach for the process's own streams.

use std::{
    ffi::OsString,
    fmt,
    io::{self, BufRead, IsTerminal as _, Write},
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

/// Looks up an environment variable.
pub type Env = Box<dyn Fn(&str) -> Option<OsString> + Send + Sync>;
/// Milliseconds since 1970.
pub type Clock = Box<dyn Fn() -> u64 + Send + Sync>;

/// The streams, environment and clock of one command.
pub struct Stdio {
    /// Answers to prompts, and files named `-`.
    pub input: Box<dyn BufRead + Send>,
    /// Data.
    pub out: Box<dyn Write + Send>,
    /// Talk: progress, warnings, prompts, errors.
    pub err: Box<dyn Write + Send>,
    /// Whether somebody can answer a prompt.
    pub input_is_tty: bool,
    /// Whether data goes to a screen.
    pub out_is_tty: bool,
    /// Whether talk goes to a screen.
    pub err_is_tty: bool,
    /// Environment.
    pub env: Env,
    /// Clock.
    pub clock: Clock,
}

impl Stdio {
    /// Those of the process.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            input: Box::new(io::BufReader::new(io::stdin())),
            out: Box::new(io::BufWriter::new(io::stdout())),
            err: Box::new(io::stderr()),
            input_is_tty: io::stdin().is_terminal(),
            out_is_tty: io::stdout().is_terminal(),
            err_is_tty: io::stderr().is_terminal(),
            env: Box::new(|name| std::env::var_os(name)),
            clock: Box::new(system_now_ms),
        }
    }

    /// Streams kept in memory, no terminal, an empty environment and the system's clock: for tests.
    #[must_use]
    pub fn captured(input: &str) -> (Self, Capture, Capture) {
        let (out, err) = (Capture::default(), Capture::default());
        let stdio = Self {
            input: Box::new(io::Cursor::new(input.as_bytes().to_vec())),
            out: Box::new(out.clone()),
            err: Box::new(err.clone()),
            input_is_tty: false,
            out_is_tty: false,
            err_is_tty: false,
            env: Box::new(|_| None),
            clock: Box::new(system_now_ms),
        };
        (stdio, out, err)
    }

    /// An environment variable that is set, not empty and UTF-8.
    #[must_use]
    pub fn env_text(&self, name: &str) -> Option<String> {
        (self.env)(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Stdio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stdio")
            .field("input_is_tty", &self.input_is_tty)
            .field("out_is_tty", &self.out_is_tty)
            .field("err_is_tty", &self.err_is_tty)
            .finish_non_exhaustive()
    }
}

/// A stream that remembers what was written to it.
#[derive(Debug, Clone, Default)]
pub struct Capture(Arc<Mutex<Vec<u8>>>);

impl Capture {
    /// What was written so far.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn system_now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
