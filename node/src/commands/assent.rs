//! Asks before a command that gives away power or that nothing can undo. The one place that does: a command that asked in
//! its own way would sooner or later take silence for a yes.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write};

use super::{Exit, Failure};

/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 1_024;

/// The flag of commands that ask before they act.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Assent {
    /// Do not ask; needed where nobody can be asked
    #[arg(long, short = 'y')]
    yes: bool,
}

impl Assent {
    /// Says what is about to happen, and returns when that is wanted.
    ///
    /// # Errors
    /// Usage where nobody can answer; that nothing was done when the answer is not yes.
    pub(super) fn ask(self, plan: &str, err: &mut dyn Write) -> Result<(), Failure> {
        writeln!(err, "{plan}")?;
        if self.yes {
            return Ok(());
        }
        let input = io::stdin();
        if !input.is_terminal() {
            return Err(Failure::new(
                Exit::Usage,
                "this needs a yes, and nobody can be asked: the input is no terminal",
                "add --yes when that is what you want",
            ));
        }
        write!(err, "Proceed? [y/N] ")?;
        err.flush()?;
        let mut answer = String::new();
        input.lock().take(ANSWER_BYTES_MAX).read_line(&mut answer)?;
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::new(
                Exit::Cancelled,
                "not confirmed: nothing was done",
                "run it again and answer y when that is what you want",
            )),
        }
    }
}
