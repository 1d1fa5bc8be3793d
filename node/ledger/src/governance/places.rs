//! Which proposals are kept: each costs memory and disk at every node, so the places have an end.

use wego_proto::{
    roster::{Draft, Roster},
    v1,
};

use super::{Governance, Refusal, Verdict};
use crate::limits::{PROPOSALS_MAX, PROPOSALS_PER_KEY_MAX};

impl Governance {
    pub(super) fn propose_or_refuse(
        &self,
        draft: &Draft,
        version: v1::SignedRoster,
        before: &Roster,
    ) -> Result<Verdict, Refusal> {
        let signers = before.governance().signers(&version);
        if signers.is_empty() {
            return Err(Refusal::Unsigned);
        }
        match self.proposals.get(&draft.hash) {
            Some(kept) if kept.signatures == version.signatures => return Ok(Verdict::Known),
            Some(_) => return Ok(Verdict::Propose { version, instead_of: Vec::new() }),
            None => {}
        }
        let of_one_key = |kept: &&v1::SignedRoster| before.governance().signers(kept) == signers;
        if signers.len() == 1 && self.proposals.values().filter(of_one_key).count() >= PROPOSALS_PER_KEY_MAX {
            return Err(Refusal::Crowded);
        }
        let mut instead_of = Vec::new();
        if self.proposals.len() >= PROPOSALS_MAX {
            let fewest = self
                .proposals
                .iter()
                .map(|(hash, kept)| (before.governance().count_signatures(kept), *hash))
                .min();
            match fewest {
                Some((count, hash)) if count < signers.len() => instead_of.push(hash),
                _ => return Err(Refusal::Crowded),
            }
        }
        Ok(Verdict::Propose { version, instead_of })
    }
}
