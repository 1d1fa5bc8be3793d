//! `wego man`: the manual pages, one for each command. Needs no node.

use std::{fs, path::PathBuf};

use clap::CommandFactory as _;

use crate::{
    args::Cli,
    context::Context,
    error::{ExitCode, Failure, Outcome},
};

/// Write the manual pages, one for each command
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego man --out /usr/local/share/man/man1
  wego man --out /tmp/man && man /tmp/man/wego.1")]
pub(crate) struct Args {
    /// Folder to write into; made when it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(crate) fn run(args: &Args, cx: &mut Context) -> Outcome {
    let fail = |error| Failure::of_file("write manual pages into", &args.out, error);
    fs::create_dir_all(&args.out).map_err(fail)?;
    clap_mangen::generate_to(Cli::command(), &args.out).map_err(fail)?;
    cx.say(&format!("manual pages written to {}", args.out.display()));
    Ok(ExitCode::Ok)
}
