//! Which proposals are kept: each costs memory and disk at every node, so the places have an end.
//!
//! Whoever has too few keys to decide must not keep others from deciding either: no key takes more than its share, what
//! a key has signed gives way to nothing that it has not signed, and a key that has no place yet always finds one.

use std::collections::BTreeSet;

use wego_proto::{
    id::Hash,
    key::PublicKey,
    roster::{self, Draft, Roster},
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
        let signers = signers(&version, before.governance());
        if signers.is_empty() {
            return Err(Refusal::Unsigned);
        }
        match self.proposals.get(&draft.hash) {
            Some(kept) if kept.signatures == version.signatures => Ok(Verdict::Known),
            Some(_) => Ok(Verdict::Propose { version, instead_of: Vec::new() }),
            None => {
                let instead_of = self.make_room(&signers, before.governance())?;
                Ok(Verdict::Propose { version, instead_of: instead_of.into_iter().collect() })
            }
        }
    }

    /// What makes room for another proposal, if anything has to.
    fn make_room(
        &self,
        of: &BTreeSet<PublicKey>,
        keys: &roster::Governance,
    ) -> Result<Option<Hash>, Refusal> {
        let kept: Vec<_> = self.proposals.iter().map(|(hash, one)| (*hash, signers(one, keys))).collect();
        let places = |key: &PublicKey| kept.iter().filter(|(_, signers)| signers.contains(key)).count();
        // Of the signer that has fewest: others could add their signatures to fill the share of an honest one.
        let fewest = of.iter().map(places).min().unwrap_or(0);
        if fewest >= PROPOSALS_PER_KEY_MAX {
            return Err(Refusal::Crowded);
        }
        if kept.len() < PROPOSALS_MAX || fewest == 0 {
            return Ok(None);
        }
        let gives_way = kept.iter().filter(|(_, signers)| signers.len() < of.len() && signers.is_subset(of));
        let fewest_signed = gives_way.min_by_key(|(hash, signers)| (signers.len(), *hash));
        fewest_signed.map(|(hash, _)| Some(*hash)).ok_or(Refusal::Crowded)
    }
}

/// Those of these keys that have signed a copy whose signatures were checked when it was joined.
fn signers(joined: &v1::SignedRoster, keys: &roster::Governance) -> BTreeSet<PublicKey> {
    let has_signed = |key: &&PublicKey| joined.signatures.iter().any(|one| one.key == key.as_bytes());
    keys.keys.iter().filter(has_signed).copied().collect()
}
