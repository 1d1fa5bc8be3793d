//! What every command gets: where to print, whom to ask, which node to talk to.
//!
//! Data goes to stdout, talk to stderr, nothing else anywhere.

use std::{ffi::OsString, io, io::BufRead as _, io::Read as _, path::Path, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use wego_proto::{armour, roster::CHAIN_BYTES_MAX};

use crate::{
    args::Global,
    client::Node,
    error::{ExitCode, Failure},
    output::{self, Paint, Style, Table},
    profile::Profile,
    stdio::Stdio,
};

/// Longest answer to a prompt in bytes.
const ANSWER_BYTES_MAX: u64 = 1_024;
/// Largest form, card, proof or roster file in bytes: no file is larger than the longest roster chain.
const FILE_BYTES_MAX: u64 = armour::text_bytes_max(CHAIN_BYTES_MAX);

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Human,
    Json,
}

impl Format {
    /// What the user seems to want, where the command line cannot be understood.
    pub(crate) fn guess(args: &[OsString]) -> Self {
        let mut flags = args.iter().take_while(|arg| *arg != "--");
        if flags.any(|arg| arg == "--json") { Self::Json } else { Self::Human }
    }
}

/// Whether the user agreed beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Assent {
    Given,
    Ask,
}

impl Assent {
    /// From the flag `--yes`.
    pub(crate) fn from_flag(yes: bool) -> Self {
        if yes { Self::Given } else { Self::Ask }
    }
}

/// The surroundings of one command.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) stdio: Stdio,
    pub(crate) format: Format,
    paint: Paint,
    profile: Option<String>,
    timeout: Duration,
    audit_reason: Option<String>,
    /// Talk of a command that prints JSON: held until its end, for an error takes it into its object.
    held: Vec<String>,
}

impl Context {
    pub(crate) fn new(global: Global, stdio: Stdio, mut paint: Paint) -> Self {
        let format = if global.json { Format::Json } else { Format::Human };
        paint.err &= format == Format::Human;
        let profile = global.profile.or_else(|| stdio.env_text("WEGO_PROFILE"));
        let (timeout, audit_reason) = (global.timeout, global.audit_reason);
        Self { stdio, format, paint, profile, timeout, audit_reason, held: Vec::new() }
    }

    /// The profile named by flag or environment, or the current one.
    pub(crate) fn profile(&self) -> Result<Profile, Failure> {
        Profile::load(&self.stdio, self.profile.as_deref())
    }

    /// As [`Context::profile`]; none when no profile was named and none exists.
    pub(crate) fn profile_if_any(&self) -> Result<Option<Profile>, Failure> {
        if self.profile.is_none() && Profile::current(&self.stdio)?.is_none() {
            return Ok(None);
        }
        self.profile().map(Some)
    }

    /// Connects to the profile's node.
    pub(crate) async fn connect(&self) -> Result<Node, Failure> {
        self.connect_to(&self.profile()?).await
    }

    /// Connects to the node of `profile`.
    pub(crate) async fn connect_to(&self, profile: &Profile) -> Result<Node, Failure> {
        Node::connect(profile, self.timeout, self.audit_reason.as_deref()).await
    }

    pub(crate) fn now_ms(&self) -> u64 {
        (self.stdio.clock)()
    }

    /// The language texts are preferred in, from the flag or the locale.
    pub(crate) fn reader_lang(&self, flag: Option<&str>) -> String {
        let from_env = || ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| self.stdio.env_text(name));
        let chosen = flag.map(str::to_owned).or_else(from_env).unwrap_or_default();
        let lang = chosen.split(['.', '@']).next().unwrap_or_default().replace('_', "-");
        if matches!(lang.as_str(), "" | "C" | "POSIX") { "en".to_owned() } else { lang }
    }

    /// Prints data.
    pub(crate) fn print(&mut self, text: &str) -> Result<(), Failure> {
        let written = self.stdio.out.write_all(text.as_bytes()).and_then(|()| self.stdio.out.flush());
        match written {
            // The reader has seen enough, as with `| head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => {
                Err(Failure::failed("cannot write the output", "check where it goes").because(error))
            }
            Ok(()) => Ok(()),
        }
    }

    /// Prints `body`, a struct, as JSON.
    pub(crate) fn print_json(&mut self, body: &impl Serialize) -> Result<(), Failure> {
        let text = output::json(body)
            .map_err(|error| Failure::failed("cannot write JSON", "report this as a bug").because(error))?;
        self.print(&(text + "\n"))
    }

    /// Prints a table, fitted to the screen when there is one.
    pub(crate) fn print_table(&mut self, table: Table) -> Result<(), Failure> {
        let text = table.render(output::screen_columns(&self.stdio));
        self.print(&text)
    }

    /// Talks. Losing talk is no reason to stop.
    pub(crate) fn say(&mut self, text: &str) {
        self.talk(output::paragraph(text).into_owned());
    }

    pub(crate) fn warn(&mut self, text: &str) {
        let label = Style::Warning.on("warning:", self.paint.err);
        self.talk(format!("{label} {}", output::paragraph(text)));
    }

    fn talk(&mut self, line: String) {
        self.held.push(line);
        if self.format == Format::Human {
            self.end_talk();
        }
    }

    /// Says what was held.
    pub(crate) fn end_talk(&mut self) {
        for line in self.held.drain(..) {
            let _ = writeln!(self.stdio.err, "{line}");
        }
    }

    /// A bar on a screen, nothing elsewhere. Its length is set when it is known.
    pub(crate) fn progress(&self, doing: &'static str) -> ProgressBar {
        let target =
            if self.stdio.err_is_tty { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target).with_message(doing);
        match ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta}") {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }

    /// A word on stdout in its colour.
    pub(crate) fn styled(&self, style: Style, text: &str) -> String {
        style.on(text, self.paint.out).into_owned()
    }

    /// Reports why a command failed and returns its exit code.
    pub(crate) fn report(&mut self, failure: &Failure) -> ExitCode {
        let _ = self.stdio.out.flush();
        if self.format == Format::Json {
            let said = std::mem::take(&mut self.held);
            let _ = self.stdio.err.write_all(failure.json(&said).as_bytes());
            return failure.code;
        }
        let label = Style::Error.on("error:", self.paint.err);
        let mut text = format!("{label} {}\n", output::paragraph(&failure.what));
        for cause in failure.causes() {
            text += &format!("  caused by: {}\n", output::paragraph(&cause).replace('\n', "\n  "));
        }
        let label = Style::Hint.on("hint:", self.paint.err);
        text += &format!("\n{label} {}\n", output::paragraph(&failure.hint));
        let _ = self.stdio.err.write_all(text.as_bytes());
        failure.code
    }

    /// Asks before something that cannot be undone. `plan` was not shown yet.
    ///
    /// # Errors
    /// Usage when nobody can answer; cancelled when the answer is not yes.
    pub(crate) async fn confirm(&mut self, plan: &str, assent: Assent) -> Result<(), Failure> {
        let Some(answer) = self.ask(plan, "Proceed? [y/N]", assent).await? else { return Ok(()) };
        match answer.to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::cancelled("not confirmed: nothing was done")),
        }
    }

    /// As [`Context::confirm`], by typing a word, for what nobody may do by a slip of the finger.
    ///
    /// # Errors
    /// As [`Context::confirm`].
    pub(crate) async fn confirm_by_typing(
        &mut self,
        plan: &str,
        word: &str,
        assent: Assent,
    ) -> Result<(), Failure> {
        let prompt = format!("Type {word} to proceed:");
        match self.ask(plan, &prompt, assent).await? {
            Some(answer) if answer != word => Err(Failure::cancelled("not confirmed: nothing was done")),
            _ => Ok(()),
        }
    }

    /// The answer, or none when assent was given before.
    async fn ask(&mut self, plan: &str, prompt: &str, assent: Assent) -> Result<Option<String>, Failure> {
        self.say(plan);
        if assent == Assent::Given {
            return Ok(None);
        }
        if !self.stdio.input_is_tty {
            return Err(Failure::usage(
                "this needs a yes, and nobody can be asked: the input is no terminal",
                "add --yes when that is what you want, or --dry-run to see what would happen",
            ));
        }
        self.end_talk();
        let _ = write!(self.stdio.err, "{prompt} ");
        let _ = self.stdio.err.flush();
        Ok(Some(self.answer().await?.trim().to_owned()))
    }

    /// One line of input, read on a thread of its own so that an interrupt is noticed meanwhile.
    async fn answer(&mut self) -> Result<String, Failure> {
        let nothing = Box::new(io::empty());
        let mut input = std::mem::replace(&mut self.stdio.input, nothing);
        let read = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            let read = input.by_ref().take(ANSWER_BYTES_MAX).read_line(&mut line);
            (input, read.map(|_| line))
        });
        let cannot = || Failure::cancelled("no answer could be read");
        let (input, line) = read.await.map_err(|error| cannot().because(error))?;
        self.stdio.input = input;
        line.map_err(|error| cannot().because(error))
    }

    /// Reads a text file; `-` is stdin.
    pub(crate) fn read_text(&mut self, path: &Path) -> Result<String, Failure> {
        let fail = |error| Failure::of_file("read", path, error);
        let mut text = String::new();
        let read = if path.as_os_str() == "-" {
            self.stdio.input.by_ref().take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(fail)?
        } else {
            let file = std::fs::File::open(path).map_err(fail)?;
            file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(fail)?
        };
        if read as u64 > FILE_BYTES_MAX {
            let what = format!("{} is larger than {}", path.display(), output::bytes(FILE_BYTES_MAX));
            return Err(Failure::usage(what, "check that it is the right file"));
        }
        Ok(text)
    }
}
