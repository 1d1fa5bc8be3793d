//! The program `wego-node`. Everything is in the library; nothing is decided here.

use std::{io, process::ExitCode};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Not locked: the log writes to standard error too, from other threads.
    wego_node::commands::run(std::env::args_os(), &mut io::stdout(), &mut io::stderr()).into()
}
