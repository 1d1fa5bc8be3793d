//! `wego completion`: scripts that complete commands in a shell. Needs no node.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{
    args::Cli,
    context::Context,
    error::{ExitCode, Outcome},
};

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego completion bash > /etc/bash_completion.d/wego
  wego completion zsh > ~/.zfunc/_wego
  wego completion fish > ~/.config/fish/completions/wego.fish")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args, cx: &mut Context) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "wego", &mut script);
    cx.print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::Ok)
}
