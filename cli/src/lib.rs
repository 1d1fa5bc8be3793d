//! The command `wego`: administer a node, publish and search records, check proofs offline.
//!
//! It knows the words of `wego-proto` and speaks gRPC like any stranger; it must never open a node's files or
//! decide what the federation accepts. Start at [`run`]; a command is one file in `commands/`.

mod args;
mod backup;
mod client;
mod commands;
mod context;
mod error;
mod form;
mod import;
mod output;
mod profile;
mod records;
mod roster;
mod stdio;
mod words;

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::{
    args::Cli,
    context::{Context, Format},
    error::{Failure, Outcome},
    output::Paint,
};

pub use crate::{
    error::ExitCode,
    stdio::{Capture, Clock, Env, Stdio},
};

/// Runs one command line, program name first, and returns its exit code ([`ExitCode`]).
///
/// It blocks, and brings a runtime of its own: inside another one call it from a blocking thread.
#[must_use]
pub fn run(args: impl IntoIterator<Item = OsString>, mut stdio: Stdio) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    let (paint, format) = (Paint::guess(&args, &stdio), Format::guess(&args));
    match Cli::command().try_get_matches_from(args).and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => run_parsed(cli, stdio, paint),
        Err(error) => args::answer(&error, &mut stdio, paint, format),
    }
    .code()
}

/// The tree of commands, for who checks or documents it.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

fn run_parsed(cli: Cli, stdio: Stdio, paint: Paint) -> ExitCode {
    let mut cx = Context::new(cli.global, stdio, paint);
    let outcome = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let outcome = runtime.block_on(until_interrupted(cli.command, &mut cx));
            // A prompt may still wait for a line that will never come.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(Failure::failed("cannot start", "free memory or file handles").because(error)),
    };
    match outcome {
        Ok(code) => {
            cx.end_talk();
            code
        }
        Err(failure) => cx.report(&failure),
    }
}

async fn until_interrupted(command: args::Command, cx: &mut Context) -> Outcome {
    tokio::select! {
        // The command first: what finished is not cancelled. Dropping it is safe, every call is idempotent.
        biased;
        outcome = Box::pin(commands::run(command, cx)) => outcome,
        () = interrupt() => Err(Failure::cancelled("interrupted")),
    }
}

async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
