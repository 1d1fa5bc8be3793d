//! Whether a version settles a conflict: asked by whoever knows both of the versions that it names.
//!
//! Whoever knows only the branch that it follows sees an ordinary successor. So this may only refuse more than
//! [`Roster::succeeded_by`] does, never less.

use super::{Governance, Roster, RosterError};
use crate::v1;

/// Versions kept under one number. More would need a committee that signs everything it is shown.
pub const CONFLICT_VERSIONS_MAX: usize = 4;

/// Checks that `settling` is signed by enough keys of `before`, the governance that both versions of the conflict
/// had to follow, not counting those that must have signed both.
///
/// With thresholds of `k` and `one` and `other` signing the two versions, at least `2k` less all that signed either
/// must have signed both. So many of them do not count; which ones are meant nobody can know, so those that did not
/// sign `settling` are taken first. More signatures of the two versions never make it worse, so nodes that have seen
/// different ones come to the same end.
///
/// # Errors
/// [`RosterError::TooFewSignatures`].
pub fn check_settlement(
    before: &Governance,
    (one, other): (&v1::SignedRoster, &v1::SignedRoster),
    settling: &Roster,
) -> Result<(), RosterError> {
    let (one, other) = (before.signers(one), before.signers(other));
    let signers = before.signers(settling.signed());
    let twice: Vec<_> = one.intersection(&other).collect();
    let either = one.union(&other).count();
    let suspects = (2 * before.threshold).saturating_sub(either);
    let silent = twice.iter().filter(|key| !signers.contains(**key)).count();
    let have = signers.len().saturating_sub(suspects.saturating_sub(silent));
    let need = before.threshold;
    if have < need {
        return Err(RosterError::TooFewSignatures { have, need, whose: "trustworthy" });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use zeroize::Zeroizing;

    use super::*;
    use crate::{key::SecretKey, roster::add_signature};

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed(&Zeroizing::new([seed; 32]))
    }

    fn version(name: &str, keys: u8, threshold: u32, signers: &[u8]) -> v1::SignedRoster {
        let content = v1::Roster {
            format: 1,
            version: 1,
            federation_name: name.to_owned(),
            governance: Some(v1::Governance {
                keys: (1..=keys).map(|seed| key(seed).public().as_bytes().to_vec()).collect(),
                threshold,
                ..Default::default()
            }),
            ..Default::default()
        };
        let mut signed = v1::SignedRoster { roster: content.encode_to_vec(), signatures: vec![] };
        for seed in signers {
            add_signature(&mut signed, &key(*seed));
        }
        signed
    }

    /// Whether a version signed by `settles` settles a conflict of two signed by `one` and `other`.
    fn holds(keys: u8, threshold: u32, one: &[u8], other: &[u8], settles: &[u8]) -> bool {
        let [one, other] = [("one", one), ("other", other)].map(|(n, by)| version(n, keys, threshold, by));
        let settling = Roster::open(version("settling", keys, threshold, settles)).expect("signed");
        check_settlement(settling.governance(), (&one, &other), &settling).is_ok()
    }

    #[test]
    fn keys_that_must_have_signed_both_do_not_settle_it() {
        assert!(!holds(3, 2, &[1, 2], &[2, 3], &[1, 2]), "2 signed both");
        assert!(holds(3, 2, &[1, 2], &[2, 3], &[1, 3]));
        assert!(holds(5, 3, &[1, 2, 3], &[2, 3, 4], &[1, 4, 5]), "5 signed neither");
        assert!(!holds(5, 3, &[1, 2, 3], &[2, 3, 4], &[1, 2, 3]));
    }

    #[test]
    fn surplus_signatures_that_some_nodes_have_seen_change_nothing_for_the_worse() {
        assert!(holds(3, 2, &[1, 2], &[2, 3], &[1, 3]));
        assert!(holds(3, 2, &[1, 2, 3], &[2, 3], &[1, 3]));
        assert!(holds(3, 2, &[1, 2, 3], &[1, 2, 3], &[1, 3]), "one of three must have signed twice, not two");
    }
}
