//! A roster file on its way to enough signatures.
//!
//! The versions before the last must hold; the last may still lack signatures.

use std::{collections::BTreeSet, path::Path};

use wego_proto::{
    armour::{self, Label},
    key::PublicKey,
    roster::{Draft, Governance, Roster},
    v1::{self, RosterChain, SignedRoster},
};

use crate::{
    commands::{replace_file, roster::fingerprint},
    context::Context,
    error::Failure,
    output::{self, one_line},
    words::Word as _,
};

/// A roster chain whose last version may still be signed.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    chain: RosterChain,
    draft: Draft,
    /// Those whose threshold counts besides the draft's own.
    before: Option<Governance>,
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
        let before = if earlier.is_empty() {
            None
        } else {
            let versions = Roster::open_chain(RosterChain { versions: earlier.to_vec() })
                .map_err(|error| broken().because(error))?;
            versions.last().map(|version| version.governance().clone())
        };
        Ok(Self { chain, draft, before })
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
        let before = self.before.as_ref().is_some_and(|before| before.keys.contains(key));
        before || self.draft.governance.keys.contains(key)
    }

    /// The governance keys that have signed.
    pub(crate) fn signers(&self) -> BTreeSet<PublicKey> {
        self.draft.governance.signers(self.last())
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
                let have = before.count_signatures(self.last());
                format!("{own}, {have} of {} of the version before", before.threshold)
            }
            None => own,
        }
    }

    pub(crate) fn is_same_roster(&self, other: &Self) -> bool {
        self.last().roster == other.last().roster
    }

    /// Adds the other copy's signatures; only valid ones of governance keys are worth keeping.
    pub(crate) fn take_signatures(&mut self, other: Self) {
        for signature in other.last().signatures.clone() {
            let one = SignedRoster { signatures: vec![signature.clone()], ..self.last().clone() };
            let counts = self.draft.governance.count_signatures(&one) == 1
                || self.before.as_ref().is_some_and(|before| before.count_signatures(&one) == 1);
            let known = self.last().signatures.iter().any(|own| own.key == signature.key);
            if counts && !known {
                self.last_mut().signatures.push(signature);
            }
        }
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
        for key in &self.draft.governance.keys {
            let signed = if signers.contains(key) { "signed" } else { "not signed" };
            lines.push(format!("governance key: {} {signed}", key.fingerprint()));
        }
        lines.extend(content.members.iter().map(member_line));
        lines
    }
}

/// Writes a sheet over its file, whole or not at all.
pub(crate) fn write_sheet(path: &Path, sheet: &Sheet) -> Result<(), Failure> {
    replace_file(path, armour::write(Label::Roster, &sheet.preamble(), sheet.chain()).as_bytes())
}

fn member_line(member: &v1::Member) -> String {
    let key = member.log_keys.last().map(|key| fingerprint(&key.key)).unwrap_or_default();
    let name = member.names.first().map(|name| one_line(&name.text).into_owned()).unwrap_or_default();
    format!("member {}: {} {name}, {}, {key}", member.idx, one_line(&member.handle), member.role().word())
}

pub(crate) fn time(ms: u64) -> String {
    output::rfc3339(ms).unwrap_or_else(|| "never".to_owned())
}
