//! `wego roster status`: what collects signatures, and whether a committee decided twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use serde::Serialize;
use wego_proto::{
    id::Hash,
    key::PublicKey,
    roster::{Draft, Governance, Roster, check_settlement},
    v1,
};

use super::{
    diff::{self, Change},
    file::read_card,
};
use crate::{
    commands::roster::{holder, of_node},
    context::{Context, Format},
    error::{ExitCode, Failure, Outcome},
    output::{self, Style, Table},
};

/// How signers are named.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// A member's card, so that its governance key is shown by handle where the roster does not say whose it is
    #[arg(long = "card", value_name = "FILE")]
    cards: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Status {
    version: u64,
    hash: String,
    soft_expires_at: Option<String>,
    expired: bool,
    in_conflict: bool,
    proposals: Vec<Proposal>,
    conflicts: Vec<Conflict>,
}

#[derive(Serialize)]
struct Proposal {
    version: u64,
    hash: String,
    threshold: usize,
    signatures: usize,
    threshold_before: usize,
    signatures_before: usize,
    signers: Vec<Signer>,
    /// Why a version that settles a conflict is not adopted, though enough keys have signed it.
    lacks: Option<String>,
    changes: Vec<Change>,
}

#[derive(Serialize)]
struct Conflict {
    version: u64,
    settled: bool,
    versions: Vec<Contested>,
}

#[derive(Serialize)]
struct Contested {
    hash: String,
    in_force: bool,
    signers: Vec<Signer>,
    changes: Vec<Change>,
}

#[derive(Clone, Serialize)]
struct Signer {
    fingerprint: String,
    handle: Option<String>,
}

/// What signers and predecessors are looked up in.
struct Known {
    versions: BTreeMap<Hash, Draft>,
    chain: Vec<Hash>,
    handles: BTreeMap<PublicKey, String>,
    contested: BTreeMap<Hash, v1::SignedRoster>,
}

pub(crate) async fn run(args: &StatusArgs, cx: &mut Context) -> Outcome {
    let chain = of_node(cx).await?;
    let node = cx.connect().await?;
    let mut client = node.governance();
    let reply = node.ask("read the proposals", client.proposals(v1::ProposalsRequest {})).await?;
    let known = Known::of(&chain, &reply, args, cx)?;
    let status = known.status(&reply, cx.now_ms())?;
    match cx.format {
        Format::Json => cx.print_json(&status)?,
        Format::Human => print(&status, cx)?,
    }
    Ok(if status.in_conflict || status.expired { ExitCode::Degraded } else { ExitCode::Ok })
}

fn unreadable() -> Failure {
    Failure::failed(
        "the node sent a roster that cannot be read",
        "use a `wego` of the same version as the node",
    )
}

impl Known {
    fn of(
        chain: &v1::RosterChain,
        reply: &v1::ProposalsReply,
        args: &StatusArgs,
        cx: &mut Context,
    ) -> Result<Self, Failure> {
        let (versions, handles) = (BTreeMap::new(), BTreeMap::new());
        let mut known = Self { versions, chain: Vec::new(), handles, contested: BTreeMap::new() };
        let contested = reply.conflicts.iter().flat_map(|conflict| &conflict.versions);
        for (in_force, version) in chain
            .versions
            .iter()
            .map(|version| (true, version))
            .chain(contested.map(|version| (false, version)))
        {
            let draft = Draft::parse(&version.roster).map_err(|error| unreadable().because(error))?;
            if in_force {
                known.chain.push(draft.hash);
            } else {
                known.contested.insert(draft.hash, version.clone());
            }
            known.learn(&draft);
            known.versions.insert(draft.hash, draft);
        }
        for draft in reply.proposals.iter().filter_map(|proposal| Draft::parse(&proposal.roster).ok()) {
            known.learn(&draft);
        }
        for path in &args.cards {
            let card = read_card(path, cx)?;
            if let Some(key) = card.governance_key {
                known.handles.insert(key, card.inception.handle);
            }
        }
        Ok(known)
    }

    /// Whose keys they are, as a version says.
    fn learn(&mut self, draft: &Draft) {
        for key in &draft.governance.keys {
            if let Some(handle) = holder(&draft.content, key.as_bytes()) {
                self.handles.insert(*key, handle.to_owned());
            }
        }
    }

    fn status(&self, reply: &v1::ProposalsReply, now_ms: u64) -> Result<Status, Failure> {
        let current = self.chain.last().and_then(|hash| self.versions.get(hash)).ok_or_else(unreadable)?;
        let expires_ms = current.content.soft_expires_at_ms;
        Ok(Status {
            version: current.content.version,
            hash: current.hash.to_string(),
            soft_expires_at: output::rfc3339(expires_ms),
            expired: expires_ms != 0 && now_ms > expires_ms,
            in_conflict: reply.in_conflict,
            proposals: reply.proposals.iter().map(|one| self.proposal(one)).collect::<Result<_, _>>()?,
            conflicts: reply
                .conflicts
                .iter()
                .map(|one| self.conflict(one, current.content.version))
                .collect::<Result<_, _>>()?,
        })
    }

    fn before(&self, draft: &Draft) -> Result<&Draft, Failure> {
        let prev = Hash::try_from(draft.content.prev_hash.as_slice())
            .map_err(|error| unreadable().because(error))?;
        self.versions.get(&prev).ok_or_else(unreadable)
    }

    fn proposal(&self, signed: &v1::SignedRoster) -> Result<Proposal, Failure> {
        let draft = Draft::parse(&signed.roster).map_err(|error| unreadable().because(error))?;
        let before = self.before(&draft)?;
        Ok(Proposal {
            version: draft.content.version,
            hash: draft.hash.to_string(),
            threshold: draft.governance.threshold,
            signatures: draft.governance.count_signatures(signed),
            threshold_before: before.governance.threshold,
            signatures_before: before.governance.count_signatures(signed),
            signers: self.signers(&[&draft.governance, &before.governance], signed),
            lacks: self.lacks(&draft, before, signed),
            changes: diff::changes(&before.content, &draft.content, &signed.roster),
        })
    }

    /// What a version that settles a conflict lacks, when it has its ordinary signatures.
    fn lacks(&self, draft: &Draft, before: &Draft, signed: &v1::SignedRoster) -> Option<String> {
        let settling = Roster::open(signed.clone()).ok()?;
        let named = |at: usize| {
            let hash = Hash::try_from(draft.content.resolves.get(at)?.as_slice()).ok()?;
            self.contested.get(&hash)
        };
        let governance = &self.before(before).ok()?.governance;
        let settled = check_settlement(governance, (named(0)?, named(1)?), &settling);
        settled.err().map(|error| error.to_string())
    }

    fn conflict(&self, conflict: &v1::RosterConflict, in_force: u64) -> Result<Conflict, Failure> {
        let mut version = 0;
        let mut versions = Vec::new();
        for signed in &conflict.versions {
            let draft = Draft::parse(&signed.roster).map_err(|error| unreadable().because(error))?;
            let before = self.before(&draft)?;
            version = draft.content.version;
            versions.push(Contested {
                hash: draft.hash.to_string(),
                in_force: self.chain.contains(&draft.hash),
                signers: self.signers(&[&before.governance], signed),
                changes: diff::changes(&before.content, &draft.content, &signed.roster),
            });
        }
        versions.sort_by_key(|contested| !contested.in_force);
        Ok(Conflict { version, settled: version < in_force, versions })
    }

    fn signers(&self, keys: &[&Governance], signed: &v1::SignedRoster) -> Vec<Signer> {
        let signers: BTreeSet<_> = keys.iter().flat_map(|governance| governance.signers(signed)).collect();
        let signer = |key: &PublicKey| Signer {
            fingerprint: key.fingerprint(),
            handle: self.handles.get(key).cloned(),
        };
        let mut signers: Vec<_> = signers.iter().map(signer).collect();
        signers.sort_by(|one, other| one.handle.cmp(&other.handle));
        signers
    }
}

fn print(status: &Status, cx: &mut Context) -> Result<(), Failure> {
    let mut facts = Table::pairs();
    facts.row(["in force", &format!("version {}, {}", status.version, status.hash)]);
    facts.row(["admits members until", status.soft_expires_at.as_deref().unwrap_or("ever")]);
    cx.print_table(facts)?;
    for conflict in &status.conflicts {
        print_conflict(conflict, cx)?;
    }
    for proposal in &status.proposals {
        cx.print(&format!("\nversion {} is proposed, {}\n", proposal.version, proposal.hash))?;
        print_changes(&proposal.changes, cx)?;
        cx.print(&format!(
            "  signed by {} of {}, {} of {} of the version before: {}\n",
            proposal.signatures,
            proposal.threshold,
            proposal.signatures_before,
            proposal.threshold_before,
            listed(&proposal.signers)
        ))?;
        if let Some(lacks) = &proposal.lacks {
            cx.print(&format!("  not enough to settle the conflict: {lacks}\n"))?;
        }
    }
    if status.proposals.is_empty() {
        cx.say("nothing is proposed");
    }
    if status.expired {
        cx.warn("the roster is past its expiry: nobody can be admitted until a version renews it");
    }
    if status.in_conflict {
        cx.warn(
            "the roster is in conflict: nothing is adopted until a version settles it (propose --resolve)",
        );
    }
    Ok(())
}

fn print_conflict(conflict: &Conflict, cx: &mut Context) -> Result<(), Failure> {
    let word = if conflict.settled { "settled".to_owned() } else { cx.styled(Style::Error, "CONFLICT") };
    let count = conflict.versions.len();
    cx.print(&format!("\n{word}: {count} versions {} are fully signed\n", conflict.version))?;
    for version in &conflict.versions {
        let in_force = if version.in_force { ", in force here" } else { "" };
        cx.print(&format!("  {}{in_force}\n", version.hash))?;
        print_changes(&version.changes, cx)?;
        cx.print(&format!("    signed by {}\n", listed(&version.signers)))?;
    }
    Ok(())
}

fn print_changes(changes: &[Change], cx: &mut Context) -> Result<(), Failure> {
    for line in diff::lines(changes) {
        cx.print(&format!("    {line}\n"))?;
    }
    Ok(())
}

fn listed(signers: &[Signer]) -> String {
    let name = |signer: &Signer| match &signer.handle {
        Some(handle) => output::one_line(handle).into_owned(),
        None => signer.fingerprint.clone(),
    };
    signers.iter().map(name).collect::<Vec<_>>().join(", ")
}
