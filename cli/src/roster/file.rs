//! A roster file on its way to enough signatures.
//!
//! The versions before the last must hold; the last may still lack signatures.

use std::{collections::BTreeSet, path::Path};

use serde::Serialize;
use wego_proto::{
    armour::{self, Label},
    card::MemberCard,
    key::PublicKey,
    roster::{Draft, Governance, Roster, join_signatures},
    v1::{self, RosterChain, SignedRoster},
};

use super::diff::{self, Change};
use crate::{
    commands::{
        replace_file,
        roster::{fingerprint, governance_key},
    },
    context::{Context, Format},
    error::Failure,
    output::{self, one_line},
    words::Word as _,
};

#[derive(Serialize)]
struct Changed {
    version: u64,
    hash: String,
    against: u64,
    changes: Vec<Change>,
}

/// A roster chain whose last version may still be signed.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    chain: RosterChain,
    draft: Draft,
    /// The version that it follows, whose threshold counts besides the draft's own.
    before: Option<Roster>,
    /// Those that must have signed as well when it settles a conflict.
    settled_by: Option<Governance>,
}

impl Sheet {
    /// Reads a roster file.
    pub(crate) fn read(path: &Path, cx: &mut Context) -> Result<Self, Failure> {
        let text = cx.read_text(path)?;
        let chain = armour::read(Label::Roster, &text).map_err(|error| {
            let hint = "give a file that `wego roster found` or `wego roster show --out` wrote";
            Failure::integrity(format!("{} is no roster", path.display()), hint).because(error)
        })?;
        Self::of_chain(chain)
    }

    /// Checks a chain up to the signatures of its last version.
    pub(crate) fn of_chain(chain: RosterChain) -> Result<Self, Failure> {
        let broken = || Failure::integrity("the roster does not hold", "get it again from whoever made it");
        let Some((last, earlier)) = chain.versions.split_last() else {
            return Err(broken());
        };
        let draft = Draft::parse(&last.roster).map_err(|error| broken().because(error))?;
        let (mut before, mut settled_by) = (None, None);
        if !earlier.is_empty() {
            let mut versions = Roster::open_chain(RosterChain { versions: earlier.to_vec() })
                .map_err(|error| broken().because(error))?;
            before = versions.pop();
            let settles = !draft.content.resolves.is_empty();
            settled_by = versions.pop().filter(|_| settles).map(|version| version.governance().clone());
        }
        if let Some(before) = &before {
            before.precedes(&draft).map_err(|error| broken().because(error))?;
        }
        Ok(Self { chain, draft, before, settled_by })
    }

    /// Everybody whose signature counts for something.
    fn deciding(&self) -> impl Iterator<Item = &Governance> {
        let before = self.before.as_ref().map(Roster::governance);
        [Some(&self.draft.governance), before, self.settled_by.as_ref()].into_iter().flatten()
    }

    /// A roster nobody has signed.
    pub(crate) fn unsigned(roster: &[u8]) -> Result<Self, Failure> {
        let version = SignedRoster { roster: roster.to_vec(), signatures: Vec::new() };
        Self::of_chain(RosterChain { versions: vec![version] })
    }

    pub(crate) fn chain(&self) -> &RosterChain {
        &self.chain
    }

    pub(crate) fn draft(&self) -> &Draft {
        &self.draft
    }

    /// The version to be signed.
    #[expect(clippy::expect_used, reason = "a sheet is made from a chain with a last version")]
    pub(crate) fn last(&self) -> &SignedRoster {
        self.chain.versions.last().expect("a sheet has a version")
    }

    #[expect(clippy::expect_used, reason = "a sheet is made from a chain with a last version")]
    pub(crate) fn last_mut(&mut self) -> &mut SignedRoster {
        self.chain.versions.last_mut().expect("a sheet has a version")
    }

    pub(crate) fn may_sign(&self, key: &PublicKey) -> bool {
        self.deciding().any(|governance| governance.keys.contains(key))
    }

    /// Its own governance keys that have signed.
    pub(crate) fn signers(&self) -> BTreeSet<PublicKey> {
        self.draft.governance.signers(self.last())
    }

    /// Whether this key has signed, of whichever version it is.
    pub(crate) fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.deciding().any(|governance| governance.signers(self.last()).contains(key))
    }

    /// The version that it follows; none for version 1.
    pub(crate) fn before(&self) -> Option<&Roster> {
        self.before.as_ref()
    }

    /// What it changes; nothing for version 1.
    pub(crate) fn changes(&self) -> Vec<Change> {
        let changes =
            |before: &Roster| diff::changes(before.content(), &self.draft.content, &self.last().roster);
        self.before.as_ref().map(changes).unwrap_or_default()
    }

    /// Prints what it changes.
    pub(crate) fn print_changes(&self, cx: &mut Context) -> Result<(), Failure> {
        let (content, changes) = (&self.draft.content, self.changes());
        if cx.format == Format::Json {
            return cx.print_json(&Changed {
                version: content.version,
                hash: self.draft.hash.to_string(),
                against: content.version - 1,
                changes,
            });
        }
        cx.print(&format!(
            "version {} changes, against version {}:\n\n",
            content.version,
            content.version - 1
        ))?;
        diff::print(&changes, cx)
    }

    /// Whether the whole chain holds, signatures included.
    pub(crate) fn is_complete(&self) -> bool {
        Roster::open_chain(self.chain.clone()).is_ok()
    }

    /// `2 of 3 signatures`.
    pub(crate) fn count(&self) -> String {
        let own = format!("{} of {} signatures", self.signers().len(), self.draft.governance.threshold);
        match &self.before {
            Some(before) => {
                let have = before.governance().count_signatures(self.last());
                format!("{own}, {have} of {} of the version before", before.governance().threshold)
            }
            None => own,
        }
    }

    pub(crate) fn is_same_roster(&self, other: &Self) -> bool {
        self.last().roster == other.last().roster
    }

    /// Adds the other copy's signatures; only valid ones of governance keys are kept, of either.
    pub(crate) fn take_signatures(&mut self, other: &SignedRoster) {
        let joined = join_signatures(self.last(), other, &self.deciding().collect::<Vec<_>>());
        *self.last_mut() = joined;
    }

    /// What stands above the armour, for people.
    pub(crate) fn preamble(&self) -> Vec<String> {
        let content = &self.draft.content;
        let mut lines = vec![
            format!("federation: {}", one_line(&content.federation_name)),
            format!("federation id: {}", self.draft.federation),
            format!("version: {}, issued {}", content.version, time(content.issued_at_ms)),
            format!("signed: {}", self.count()),
        ];
        let signers = self.signers();
        for key in content.governance.iter().flat_map(|governance| &governance.keys) {
            let has_signed = PublicKey::from_bytes(key).is_ok_and(|key| signers.contains(&key));
            let signed = if has_signed { "signed" } else { "not signed" };
            lines.push(format!("governance key: {} {signed}", governance_key(content, key)));
        }
        lines.extend(content.members.iter().map(member_line));
        lines
    }
}

/// Reads a city's card and checks it.
pub(crate) fn read_card(path: &Path, cx: &mut Context) -> Result<MemberCard, Failure> {
    let text = cx.read_text(path)?;
    let hint = "ask the city for its card again: `wego-node init` wrote it";
    let bad = || Failure::integrity(format!("{} is no valid member card", path.display()), hint);
    let signed = armour::read(Label::MemberCard, &text).map_err(|error| bad().because(error))?;
    MemberCard::open(&signed).map_err(|error| bad().because(error))
}

/// Writes a sheet over its file, whole or not at all.
pub(crate) fn write_sheet(path: &Path, sheet: &Sheet) -> Result<(), Failure> {
    replace_file(path, armour::write(Label::Roster, &sheet.preamble(), sheet.chain()).as_bytes())
}

/// `Seoul (en), 서울 (ko)`.
pub(crate) fn read_names(names: &[v1::MemberName]) -> String {
    let name = |name: &v1::MemberName| format!("{} ({})", name.text, name.lang);
    names.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn member_line(member: &v1::Member) -> String {
    let key = member.log_keys.last().map(|key| fingerprint(&key.key)).unwrap_or_default();
    let name = member.names.first().map(|name| one_line(&name.text).into_owned()).unwrap_or_default();
    format!(
        "member {}: {} {name}, {}, log key given {key}",
        member.idx,
        one_line(&member.handle),
        member.role().word()
    )
}

pub(crate) fn time(ms: u64) -> String {
    output::rfc3339(ms).unwrap_or_else(|| "never".to_owned())
}
