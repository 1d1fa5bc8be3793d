//! `wego roster history`, `verify` and `diff`: all versions, each against the one before.
//!
//! `verify` and `diff` must never talk to anybody.

use std::path::PathBuf;

use serde::Serialize;
use wego_proto::{
    armour::{self, Label},
    id::FederationId,
    roster::Roster,
    v1,
};

use super::{
    admission::Cards,
    diff,
    file::{Sheet, time},
};
use crate::{
    commands::roster::of_node,
    context::{Context, Format},
    error::{ExitCode, Failure, Outcome},
    output::{self, Style, Table},
};

/// Whose versions are listed.
#[derive(Debug, clap::Args)]
pub(crate) struct History {
    /// Roster file [default: the node's roster]
    file: Option<PathBuf>,
}

/// What is checked, and against what.
#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// Roster file, from version 1 on; - reads stdin
    file: PathBuf,
    /// Federation it must be of, 64 hexadecimal digits
    #[arg(long, value_name = "ID")]
    federation: Option<FederationId>,
}

/// What is compared.
#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// Roster file, whose last version is compared with the one before
    file: PathBuf,
    #[command(flatten)]
    cards: Cards,
}

#[derive(Serialize)]
struct Listing {
    federation_id: String,
    versions: Vec<Version>,
}

#[derive(Serialize)]
struct Checked {
    verified: bool,
    federation_name: String,
    federation_id: String,
    version: u64,
    hash: String,
    members: usize,
}

#[derive(Serialize)]
struct Version {
    version: u64,
    hash: String,
    issued_at: Option<String>,
    threshold: usize,
    signer_fingerprints: Vec<String>,
    changes: Vec<diff::Change>,
}

pub(crate) async fn history(args: &History, cx: &mut Context) -> Outcome {
    let chain = match &args.file {
        Some(file) => opened(Sheet::read(file, cx)?.chain().clone())?,
        None => opened(of_node(cx).await?)?,
    };
    let versions: Vec<_> = (0..chain.len()).map(|at| version(&chain, at)).collect();
    if cx.format == Format::Json {
        let federation_id = chain.first().map(|first| first.federation().to_string()).unwrap_or_default();
        cx.print_json(&Listing { federation_id, versions })?;
        return Ok(ExitCode::Ok);
    }
    let mut table = Table::new(&["VERSION", "ISSUED", "SIGNED", "CHANGES"]);
    for version in &versions {
        let issued = version.issued_at.as_deref().unwrap_or("never");
        let signed = format!("{} of {}", version.signer_fingerprints.len(), version.threshold);
        let changes = match version.version {
            1 => "founds the federation".to_owned(),
            _ => diff::lines(&version.changes).join("; "),
        };
        table.row([version.version.to_string().as_str(), issued, &signed, &changes]);
    }
    cx.print_table(table)?;
    Ok(ExitCode::Ok)
}

fn version(chain: &[Roster], at: usize) -> Version {
    let roster = &chain[at];
    let before = at.checked_sub(1).map(|at| &chain[at]);
    let signers = roster.governance().signers(roster.signed()).into_iter();
    let signers =
        signers.chain(before.into_iter().flat_map(|before| before.governance().signers(roster.signed())));
    let signers: std::collections::BTreeSet<_> = signers.collect();
    Version {
        version: roster.version(),
        hash: roster.hash().to_string(),
        issued_at: output::rfc3339(roster.content().issued_at_ms),
        threshold: roster.governance().threshold,
        signer_fingerprints: signers.iter().map(|key| key.fingerprint()).collect(),
        changes: before.map_or_else(Vec::new, |before| {
            diff::changes(before.content(), roster.content(), &roster.signed().roster)
        }),
    }
}

fn opened(chain: v1::RosterChain) -> Result<Vec<Roster>, Failure> {
    Roster::open_chain(chain).map_err(|error| {
        let hint = "`wego roster status` shows versions that still collect signatures";
        Failure::integrity("the roster does not hold", hint).because(error)
    })
}

pub(crate) fn verify(args: &Verify, cx: &mut Context) -> Outcome {
    let text = cx.read_text(&args.file)?;
    let broken = |what: String| Failure::integrity(what, "get the roster again, from a member you trust");
    let chain: v1::RosterChain = armour::read(Label::Roster, &text)
        .map_err(|error| broken(format!("{} is no roster", args.file.display())).because(error))?;
    let count = chain.versions.len();
    let chain = match Roster::open_chain(chain.clone()) {
        Ok(opened) => opened,
        Err(error) => {
            let holds = |length: &usize| {
                let versions = chain.versions[..*length].to_vec();
                Roster::open_chain(v1::RosterChain { versions }).is_ok()
            };
            let good = (1..count).take_while(holds).count();
            let what = format!("{}: {good} of {count} versions hold", args.file.display());
            return Err(broken(what).because(error));
        }
    };
    let newest = chain.last().ok_or_else(|| broken("there is no version in it".to_owned()))?;
    if let Some(expected) = args.federation.filter(|expected| *expected != newest.federation()) {
        let what = format!("the roster is of federation {}, not {expected}", newest.federation());
        return Err(broken(what));
    }
    print_verified(newest, cx)?;
    if args.federation.is_none() {
        cx.say("compare the federation id with one you know; --federation ID checks it");
    }
    Ok(ExitCode::Ok)
}

fn print_verified(newest: &Roster, cx: &mut Context) -> Result<(), Failure> {
    let content = newest.content();
    if cx.format == Format::Json {
        return cx.print_json(&Checked {
            verified: true,
            federation_name: content.federation_name.clone(),
            federation_id: newest.federation().to_string(),
            version: newest.version(),
            hash: newest.hash().to_string(),
            members: newest.members().len(),
        });
    }
    let good = cx.styled(Style::Good, "verified");
    cx.print(&format!("{good}: all versions from 1 to {}\n\n", newest.version()))?;
    let mut table = Table::pairs();
    table.row(["federation", &content.federation_name]);
    table.row(["federation id", &newest.federation().to_string()]);
    table.row(["newest version", &format!("{}, {}", newest.version(), newest.hash())]);
    table.row(["issued", &time(content.issued_at_ms)]);
    table.row(["members", &newest.members().len().to_string()]);
    cx.print_table(table)
}

pub(crate) fn diff(args: &Diff, cx: &mut Context) -> Outcome {
    let sheet = Sheet::read(&args.file, cx)?;
    if sheet.before().is_none() {
        let what = format!("{} has version 1 only: there is nothing before it", args.file.display());
        return Err(Failure::usage(what, "`wego roster show` shows what is in it"));
    }
    sheet.print_changes(cx)?;
    args.cards.agree(&sheet, cx)?;
    Ok(ExitCode::Ok)
}
