//! The command line of `wego-node`: what can be asked for, and the exit code of each answer.
//!
//! Standard output is data, standard error is talk. A command does its work through the library and never holds
//! rules of its own.

use std::{ffi::OsString, io::Write, path::PathBuf};

use clap::{Parser, Subcommand, error::ErrorKind};

pub use self::failure::{Exit, Failure, Form, Talk};
use crate::config::{Config, ENVIRONMENT_PREFIX, Environment, RawConfig};

mod assent;
mod audited;
mod check_config;
mod demo;
mod failure;
mod init;
mod join;
mod node_run;
mod operator;
mod recover;
mod restore;

/// Names the configuration file when `--config` does not.
const CONFIG_VARIABLE: &str = "WEGO_NODE_CONFIG";

/// The node every city runs: keeps the city's records, signs them, exchanges with peers, answers queries.
///
/// A city begins with `wego-node init`, hands its member card to whoever founds the federation, puts the signed
/// roster into the folder and starts the node. `deploy/README.md` walks through it.
#[derive(Debug, Parser)]
#[command(name = "wego-node", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed
  2  the command line cannot be understood
  5  something could not be reached in time
  6  the state does not allow it: something exists already, or is held by another process
  7  integrity violation: a signature, a chain or the own log is not what it must be
  8  cancelled by the user

Every key of the configuration can be overridden: WEGO_NODE_<SECTION>_<KEY>, as in WEGO_NODE_STORE_CACHE_MIB=128.";

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Join(join::Args),
    Run(node_run::Run),
    CheckConfig(check_config::Args),
    #[command(subcommand)]
    Operator(operator::Command),
    Reindex(node_run::Reindex),
    RebuildStore(node_run::RebuildStore),
    Restore(restore::Args),
    Recover(recover::Args),
    Demo(demo::Args),
}

/// Which configuration file.
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigFile {
    /// Configuration file of the node
    #[arg(
        long = "config",
        short = 'c',
        env = CONFIG_VARIABLE,
        default_value = "/var/lib/wego-node/node/wego-node.toml",
        value_name = "FILE"
    )]
    path: PathBuf,
}

impl ConfigFile {
    fn raw(&self) -> Result<RawConfig, Failure> {
        RawConfig::load(&self.path, &environment()).map_err(Failure::of_config)
    }

    fn checked(&self, raw: RawConfig) -> Result<Config, Failure> {
        Config::check(raw, &self.path).map_err(Failure::of_config)
    }

    /// Reads and checks it.
    pub(crate) fn load(&self) -> Result<Config, Failure> {
        self.checked(self.raw()?)
    }
}

/// Runs the command in `args`, the program's name first. Data goes to `out`, talk to `err`.
pub fn run<I>(args: I, out: &mut dyn Write, err: &mut dyn Write) -> Exit
where
    I: IntoIterator<Item = OsString>,
{
    let args: Vec<OsString> = args.into_iter().collect();
    let mut talk = Talk::new(Form::guess(&args), err);
    let done = match Cli::try_parse_from(args) {
        Ok(cli) => perform(cli.command, out, &mut talk),
        Err(usage) => return refuse(&usage, out, talk),
    };
    match done {
        Ok(()) => {
            let _ = talk.flush();
            Exit::Done
        }
        Err(failure) => {
            let exit = failure.exit();
            // A reader that closed standard error does not want to read it.
            let _ = failure.write(talk);
            exit
        }
    }
}

fn perform(command: Command, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Failure> {
    match command {
        Command::Init(args) => init::run(args, out, err),
        Command::Join(args) => join::run(args, out, err),
        Command::Run(args) => node_run::run(&args),
        Command::Restore(args) => restore::run(&args, out, err),
        Command::Recover(args) => recover::run(&args, out, err),
        Command::Reindex(args) => node_run::reindex(args, out, err),
        Command::RebuildStore(args) => node_run::rebuild_store(args, out, err),
        Command::CheckConfig(args) => check_config::run(&args, out, err),
        Command::Operator(command) => operator::run(command, out, err),
        Command::Demo(args) => demo::run(args, out, err),
    }
}

/// Help and version are data; anything else is a usage error.
fn refuse(usage: &clap::Error, out: &mut dyn Write, mut talk: Talk<'_>) -> Exit {
    let asked_for = matches!(usage.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let text = usage.to_string();
    // Clap's own last line says the same without the word that scripts and eyes look for.
    let body =
        text.trim_end().strip_suffix("For more information, try '--help'.").unwrap_or(&text).trim_end();
    if asked_for {
        return if write!(out, "{text}").is_ok() { Exit::Done } else { Exit::Usage };
    }
    let hint = "add --help to a command to see its arguments and examples";
    let _ = match body.strip_prefix("error: ") {
        Some(error) => Failure::new(Exit::Usage, error, hint).write(talk),
        // The help, where no command is given.
        None => writeln!(talk, "{body}\n\nhint: {hint}").and_then(|()| talk.flush()),
    };
    Exit::Usage
}

/// The variables of this process that can override the configuration.
fn environment() -> Environment {
    std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX) && name != CONFIG_VARIABLE)
        .collect()
}

#[cfg(test)]
mod tests;
