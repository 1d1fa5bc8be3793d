//! The command line: what every command shares, and the list of commands.
//!
//! Each command's own arguments are in its file; nothing is decided here.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, Parser, Subcommand, ValueEnum, error::ErrorKind};
use wego_proto::{
    armour::{self, Label},
    id::FederationId,
    roster::Roster,
    v1,
};

use crate::{
    commands::{
        adoption, audit, backup, completion, dataset, erase, exit_codes, fork, import, invite, key, man,
        member, peer, practice, profile, record, replace_file, roster, search, status,
    },
    context::{Context, Format},
    error::{ExitCode, Failure},
    output::Paint,
    stdio::Stdio,
};

/// Share e-government records with the other cities of the federation
///
/// Every city runs its own node. This command talks to yours: it publishes your city's records, searches those
/// of all cities, and shows who signed what. Checking a proof or signing a roster needs no node at all.
#[derive(Debug, Parser)]
#[command(name = "wego", version, propagate_version = true, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  wego search bus tracking city:kr-seoul      find what works elsewhere
  wego practice template > bus.yaml           start a practice, then:
  wego practice publish --file bus.yaml
  wego import data-json data.json --source phila --dry-run
  wego status                                 problems first; the exit code says how it is

`wego exit-codes` explains the exit codes; data goes to stdout, everything else to stderr.";

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Profile to use: a name, or a folder (with a slash in it) [env: WEGO_PROFILE]
    #[arg(long, global = true, value_name = "NAME|DIR")]
    pub(crate) profile: Option<String>,
    /// How long to wait for each answer, as 30s, 500ms or 2m
    #[arg(long, global = true, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// Print JSON with stable field names
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// When to use colour; NO_COLOR and TERM=dumb are honoured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
    /// Why you do this, for the audit log of your node; at most 500 characters
    #[arg(long, global = true, value_name = "TEXT", value_parser = audit_reason)]
    pub(crate) audit_reason: Option<String>,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a screen
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Practice(practice::Args),
    Adoption(adoption::Args),
    Dataset(dataset::Args),
    Search(search::Args),
    Record(record::Args),
    Import(import::Args),
    Member(member::Args),
    Fork(fork::Args),
    Backup(backup::Args),
    Erase(erase::Args),
    Key(key::Args),
    Invite(invite::Args),
    Peer(peer::Args),
    Status(status::Args),
    Audit(audit::Args),
    Roster(roster::Args),
    Profile(profile::Args),
    Completion(completion::Args),
    Man(man::Args),
    ExitCodes(exit_codes::Args),
}

/// Whether a command writes or only says what it would write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    DryRun,
}

/// The flag every command has that changes something.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct DryRun {
    /// Check everything and say what would happen; change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl DryRun {
    pub(crate) fn mode(self) -> Mode {
        if self.dry_run { Mode::DryRun } else { Mode::Write }
    }
}

/// The flag of commands that ask before they act.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Yes {
    /// Do not ask; needed where nobody can be asked
    #[arg(long, short = 'y')]
    pub(crate) yes: bool,
}

/// A file to write, or stdout.
#[derive(Debug, Clone, Args)]
pub(crate) struct OutFile {
    /// File to write [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// What a proof is checked against, without any node.
#[derive(Debug, Clone, Args)]
pub(crate) struct OfflineRoster {
    /// Roster chain, as `wego roster show --out` wrote it
    #[arg(long, value_name = "FILE")]
    roster: PathBuf,
    /// Federation the roster must be of, 64 hexadecimal digits
    #[arg(long, value_name = "ID")]
    federation: Option<FederationId>,
}

impl OfflineRoster {
    pub(crate) const fn new(roster: PathBuf, federation: Option<FederationId>) -> Self {
        Self { roster, federation }
    }

    /// The newest version of the file, when its whole chain holds.
    pub(crate) fn open(&self, cx: &mut Context) -> Result<Roster, Failure> {
        let mut versions = self.open_all(cx)?;
        versions.pop().ok_or_else(|| not_a_roster(&self.roster))
    }

    /// All versions of the file, when its whole chain holds, oldest first.
    pub(crate) fn open_all(&self, cx: &mut Context) -> Result<Vec<Roster>, Failure> {
        let versions = roster_chain(&self.roster, cx)?;
        let roster = versions.last().ok_or_else(|| not_a_roster(&self.roster))?;
        if let Some(expected) = self.federation.filter(|expected| *expected != roster.federation()) {
            return Err(Failure::integrity(
                format!("the roster is of federation {}, not {expected}", roster.federation()),
                "get the roster of the right federation, and ask where this one comes from",
            ));
        }
        Ok(versions)
    }

    /// Says what was believed without a check.
    pub(crate) fn remind(&self, cx: &mut Context) {
        if self.federation.is_none() {
            cx.say("the roster itself was taken as given: --federation ID pins the federation it must be of");
        }
    }
}

/// All versions in a file, when the whole chain holds.
pub(crate) fn roster_chain(path: &Path, cx: &mut Context) -> Result<Vec<Roster>, Failure> {
    let text = cx.read_text(path)?;
    let chain: v1::RosterChain =
        armour::read(Label::Roster, &text).map_err(|error| not_a_roster(path).because(error))?;
    Roster::open_chain(chain).map_err(|error| not_a_roster(path).because(error))
}

fn not_a_roster(path: &Path) -> Failure {
    Failure::integrity(
        format!("{} is no complete roster", path.display()),
        "save one with `wego roster show --out roster.pem`, from a node you trust",
    )
}

impl OutFile {
    /// Writes `text`, which is a `what`.
    pub(crate) fn write(&self, what: &str, text: &str, cx: &mut Context) -> Result<(), Failure> {
        let Some(path) = &self.out else { return cx.print(text) };
        replace_file(path, text.as_bytes())?;
        cx.say(&format!("{what} written to {}", path.display()));
        Ok(())
    }
}

/// Prints what clap has to say: help to stdout, mistakes to stderr with a hint as its last line.
pub(crate) fn answer(error: &clap::Error, stdio: &mut Stdio, paint: Paint, format: Format) -> ExitCode {
    let rendered = error.render();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let text = if paint.out { rendered.ansi().to_string() } else { rendered.to_string() };
        let _ = stdio.out.write_all(text.as_bytes()).and_then(|()| stdio.out.flush());
        return ExitCode::Ok;
    }
    let painted = paint.err && format == Format::Human;
    let text = if painted { rendered.ansi().to_string() } else { rendered.to_string() };
    let text = text.trim_end();
    let hint = "add --help to a command to see its arguments and examples";
    // Clap's own last line says the same without the word that scripts and eyes look for.
    let body = match text.rfind("\n\nFor more information, try") {
        Some(end) => &text[..end],
        None => text,
    };
    let _ = match format {
        Format::Human => writeln!(stdio.err, "{body}\n\nhint: {hint}"),
        Format::Json => {
            let what = body.strip_prefix("error: ").unwrap_or(body);
            stdio.err.write_all(Failure::usage(what, hint).json(&[]).as_bytes())
        }
    };
    ExitCode::Usage
}

/// As many as an event of the audit log takes; the node cuts what is longer.
const REASON_CHARS_MAX: usize = 500;

fn audit_reason(text: &str) -> Result<String, String> {
    if text.chars().count() > REASON_CHARS_MAX || text.chars().any(char::is_control) {
        return Err("must have at most 500 characters and no control characters".to_owned());
    }
    Ok(text.to_owned())
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let spelled = if text.bytes().all(|b| b.is_ascii_digit()) { format!("{text}s") } else { text.to_owned() };
    let parsed: jiff::SignedDuration =
        spelled.parse().map_err(|_| "must be a time like 30s, 500ms or 2m".to_owned())?;
    match Duration::try_from(parsed) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err("must be longer than nothing".to_owned()),
    }
}
