//! `wego dataset`: the open data of the federation's cities.

use clap::Subcommand;
use wego_proto::record::v1::RecordKind;

use crate::{
    context::Context,
    error::Outcome,
    records::{list, read, write},
};

/// Show datasets, and withdraw one; `wego import` brings them in
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego dataset list --city us-sanfrancisco --limit 0
  wego dataset list --city us-philadelphia --source phila --json")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List datasets, newest first
    List(list::List),
    /// Show a dataset and who signed it
    Show(read::Show),
    /// Withdraw a dataset: it leaves lists and search, and stays away from later imports
    Retract(write::Retract),
}

pub(crate) async fn run(args: Args, cx: &mut Context) -> Outcome {
    match args.command {
        Command::List(args) => list::list(args, Some(RecordKind::Dataset), cx).await,
        Command::Show(args) => read::show(args, Some(RecordKind::Dataset), cx).await,
        Command::Retract(args) => write::retract(args, RecordKind::Dataset, cx).await,
    }
}
