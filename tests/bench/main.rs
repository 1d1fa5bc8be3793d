//! Measures what counts beside the limit of its parts: publishing, catching up, spreading, idling, searching,
//! starting.
//!
//! It must never claim a time: figures are read beside their limits, which are measured in the same run.

#![allow(clippy::expect_used, reason = "a measure that cannot be set up has nothing to say")]

use std::{
    io::{Write as _, stdout},
    process::ExitCode,
};

use clap::{Parser, ValueEnum};

mod catch_up;
mod disk;
mod idle;
mod process;
mod progress;
mod propagate;
mod publish;
mod row;
mod search;
mod size;
mod start_up;
mod text;
mod town;
mod wire;

use row::Row;
use size::Size;

/// As in the node.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measure a node beside the limits of its parts
///
/// Figures go to standard output, progress to standard error. Folders are made where TMPDIR says: put it on the
/// disk that is to be measured.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Args {
    /// What to measure; everything when nothing is named
    names: Vec<Name>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    /// Only see that every measure works; its figures mean nothing
    #[arg(long)]
    quick: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Durable publishes a second
    Publish,
    /// An empty node takes in everything a peer has
    CatchUp,
    /// From a publish to every other node
    Propagate,
    /// Bytes of a session that has nothing to say
    Idle,
    /// Answers of queries
    Search,
    /// Time and memory of a node that starts with a full folder
    StartUp,
}

impl Name {
    async fn measure(self, size: Size) -> Vec<Row> {
        match self {
            Self::Publish => publish::measure(size).await,
            Self::CatchUp => catch_up::measure(size).await,
            Self::Propagate => propagate::measure(size).await,
            Self::Idle => idle::measure(size).await,
            Self::Search => search::measure(size).await,
            Self::StartUp => start_up::measure(size).await,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let size = if args.quick { Size::Quick } else { Size::Full };
    let names = if args.names.is_empty() { Name::value_variants() } else { &args.names };
    let mut rows = Vec::new();
    for name in names {
        let measured = name.measure(size).await;
        if args.json && show(&lines(&measured)).is_err() {
            return ExitCode::FAILURE;
        }
        rows.extend(measured);
    }
    if !args.json && show(&row::table(&rows)).is_err() {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn lines(rows: &[Row]) -> String {
    rows.iter().map(|row| row.json().expect("numbers and texts") + "\n").collect()
}

fn show(text: &str) -> std::io::Result<()> {
    stdout().lock().write_all(text.as_bytes())
}
