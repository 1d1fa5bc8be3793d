//! The binary `wego`: hands arguments and the terminal to the library. It must never hold logic of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(wego_cli::run(std::env::args_os(), wego_cli::Stdio::of_process()))
}
