//! `wego-node recover`: what a start will find of the own log's copy, and the operator's word that nobody need be asked.

use std::io::Write;

use super::{
    ConfigFile, Exit, Failure,
    assent::Assent,
    audited::{Audited, Why},
};
use crate::{
    app::{run, stores},
    store::anchor::{Anchor, Copy},
};

/// Show whether this node will write at its next start, or let it write without asking its peers
///
/// Every start asks the other members what they hold of this member's log before it signs anything, fetches what it
/// lacks, and goes on in a new epoch where something may have been lost. Where nobody can be reached for long,
/// --i-am-alone lets the next start do without. What only others hold of this member's log is void then: they show it
/// as such, and it can be published again. The node must be stopped.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego-node recover --config wego-node.toml
  wego-node recover --config wego-node.toml --i-am-alone --reason 'disk lost, no member can be reached'")]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// At the next start, open a new epoch without asking anybody
    #[arg(long, requires = "reason")]
    i_am_alone: bool,
    /// Why; it is kept, and in the audit log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    assent: Assent,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Failure> {
    let config = args.config.load()?;
    let (me, _) = run::identify(&config).map_err(super::node_run::of_start)?;
    // Its lock keeps the daemon away meanwhile, and says so when it runs.
    let head = stores::own_head(&config, me)
        .map_err(|error| super::node_run::of_start(crate::app::StartError::Store(error)))?;
    let anchor = Anchor::of(&config.node.data_dir);
    let copy = anchor.judge(head.is_none());
    let copy = copy.map_err(|error| super::node_run::of_start(crate::app::StartError::Store(error)))?;
    let held =
        head.map_or_else(|| "no own entry".to_owned(), |head| format!("own entries up to {}", head.at));
    let next = match &copy {
        Copy::Sound(_) => "it goes on with them once its peers hold no more".to_owned(),
        Copy::Unsure(why) => format!("it asks its peers, and goes on in a new epoch: {why}"),
        Copy::Alone => "it goes on in a new epoch without asking anybody".to_owned(),
    };
    writeln!(out, "journal: {held}\nnext start: {next}")?;
    let Some(reason) = args.reason.as_ref().filter(|_| args.i_am_alone) else { return Ok(()) };
    let plan = format!(
        "{}: the next start asks no other member; what the other members hold of its log beyond {held} is void then, for ever",
        config.node.handle
    );
    args.assent.ask(&plan, err)?;
    Audited::open(&config, "recover --i-am-alone", "own log", Why::of(reason))?.perform(|| {
        anchor.mark_alone(reason).map_err(|error| {
            Failure::new(Exit::Failed, error, "the node's user must be able to write the data folder")
        })
    })?;
    let _ = writeln!(err, "the next start opens a new epoch without asking anybody; start the node");
    Ok(())
}
