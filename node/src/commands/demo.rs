//! `wego-node demo`: the founding cities as nine real nodes in this process, and what they do.

use std::{
    io::{self, IsTerminal as _, Write},
    path::PathBuf,
};

use super::{Exit, Failure};
use crate::demo::{self, DemoError, Options};

/// Run the nine founding cities of WeGO as nine real nodes on this machine, and tell what happens
///
/// They found a federation, publish, adopt from one another, lose a node and get it back, and answer a question.
/// All that is told is measured or checked. Then the nodes stay up until Ctrl-C, with portals to open and profiles
/// for the command `wego`. Nothing leaves the machine: everything listens on loopback, on ports that are free.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego-node demo
  wego-node demo --once
  wego-node demo --once --dir founding      keep the nine folders, to look into them or to run a node:
  wego-node run --config founding/sn-dakar/wego-node.toml")]
pub(super) struct Args {
    /// Stop at the end of the story, exit code 0
    #[arg(long)]
    once: bool,
    /// Folder to make and keep; must not exist or be empty [default: a temporary one, removed at the end]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn run(args: Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Failure> {
    let options = Options { dir: args.dir, once: args.once };
    let watcher: Option<&mut dyn Write> = if io::stderr().is_terminal() { Some(err) } else { None };
    demo::run(&options, out, watcher).map_err(of_demo)
}

fn of_demo(error: DemoError) -> Failure {
    let exit = if matches!(error, DemoError::NotEmpty(_)) { Exit::Conflict } else { Exit::Failed };
    let hint = error.hint();
    Failure::new(exit, error, hint)
}
