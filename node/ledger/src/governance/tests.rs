//! Claims about single verdicts: what is refused, and what has an end.

use wego_proto::{
    id::Hash,
    v1::{self, session_message::Body},
};

use super::{
    bench::{Disk, after, genesis, hash, hears, history, key, settling, signed, submit},
    *,
};
use crate::{limits::PROPOSALS_MAX, reject::Reject, state::Output};

fn judge(kept: &Governance, signed: &v1::SignedRoster) -> Result<Verdict, Refusal> {
    kept.judge(&history(&[genesis()]), signed)
}

fn proposed(kept: &mut Governance, signed: &v1::SignedRoster) -> Result<Vec<Hash>, Refusal> {
    match judge(kept, signed)? {
        Verdict::Propose { version, instead_of } => {
            kept.drop_proposals(&instead_of);
            kept.propose(version);
            Ok(instead_of)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_proposal_needs_one_key_that_may_decide() {
    let content = after(&genesis(), "next");
    let kept = Governance::default();
    assert_eq!(judge(&kept, &signed(&content, &[])), Err(Refusal::Unsigned));
    assert_eq!(judge(&kept, &signed(&content, &[7])), Err(Refusal::Unsigned));
    assert!(matches!(judge(&kept, &signed(&content, &[1])), Ok(Verdict::Propose { .. })));
    assert!(matches!(judge(&kept, &signed(&content, &[1, 3])), Ok(Verdict::Adopt(_))));
}

#[test]
fn signatures_that_come_one_by_one_are_joined_and_foreign_ones_are_not_kept() {
    let content = after(&genesis(), "next");
    let mut kept = Governance::default();
    proposed(&mut kept, &signed(&content, &[1, 7])).expect("taken");
    let only = kept.proposals().next().expect("kept").clone();
    assert_eq!(only.signatures.len(), 1, "7 is nobody");
    assert_eq!(judge(&kept, &signed(&content, &[1])), Ok(Verdict::Known));
    let Ok(Verdict::Adopt(branch)) = judge(&kept, &signed(&content, &[2])) else { panic!("two of three") };
    assert_eq!(branch[0].signed().signatures.len(), 2);
}

#[test]
fn what_does_not_follow_the_version_in_force_is_told_apart() {
    let kept = Governance::default();
    let first = genesis();
    let next = after(&first, "next");
    let later = after(&signed(&next, &[1, 2]), "later");
    assert_eq!(judge(&kept, &signed(&later, &[1, 2])), Err(Refusal::NotNext { known: 1, found: 3 }));
    let other = v1::Roster { prev_hash: vec![7; 32], ..next.clone() };
    assert_eq!(judge(&kept, &signed(&other, &[1, 2])), Err(Refusal::OtherBranch { found: 2 }));
    let leaves_out = v1::Roster { members: vec![], ..next.clone() };
    assert!(matches!(
        judge(&kept, &signed(&leaves_out, &[1])),
        Err(Refusal::Bad(RosterError::Breaks { .. }))
    ));
    let stale = signed(&after(&first, "too late"), &[1]);
    let history = history(&[first, signed(&next, &[1, 2])]);
    assert_eq!(kept.judge(&history, &stale), Err(Refusal::NotNext { known: 2, found: 2 }));
}

/// With signatures of these keys that do not hold, many of each.
fn with_forged(mut signed: v1::SignedRoster, seeds: &[u8]) -> v1::SignedRoster {
    let forged = |seed: &u8| {
        let key = key(*seed).public().as_bytes().to_vec();
        (0..40).map(move |n| v1::RosterSignature { key: key.clone(), signature: vec![n; 64] })
    };
    signed.signatures.extend(seeds.iter().flat_map(forged));
    signed
}

#[test]
fn a_copy_with_a_made_up_signature_is_told_apart_unless_enough_others_hold() {
    let first = genesis();
    let (next, late) = (after(&first, "next"), after(&first, "too late"));
    let mut kept = Governance::default();
    assert!(matches!(judge(&kept, &with_forged(signed(&next, &[]), &[1])), Err(Refusal::Forged(_))));
    assert!(matches!(judge(&kept, &with_forged(signed(&next, &[1]), &[2])), Err(Refusal::Forged(_))));
    assert!(matches!(judge(&kept, &with_forged(signed(&next, &[1, 2]), &[3])), Ok(Verdict::Adopt(_))));
    assert!(matches!(judge(&kept, &with_forged(signed(&next, &[1]), &[7])), Ok(Verdict::Propose { .. })));
    proposed(&mut kept, &signed(&next, &[1])).expect("taken");
    assert!(matches!(judge(&kept, &with_forged(signed(&next, &[]), &[2])), Err(Refusal::Forged(_))));
    // Nobody looks at a second signature of a key that has signed.
    assert_eq!(judge(&kept, &with_forged(signed(&next, &[]), &[1])), Ok(Verdict::Known));
    let decided = history(&[first, signed(&next, &[1, 2])]);
    let stale = with_forged(signed(&late, &[1]), &[2, 3]);
    assert!(matches!(kept.judge(&decided, &stale), Err(Refusal::Forged(_))));
    let mends = signed(&late, &[1]);
    assert_eq!(kept.judge(&decided, &mends), Err(Refusal::NotNext { known: 2, found: 2 }));
}

#[test]
fn what_could_never_follow_is_refused_before_its_signatures_are_looked_at() {
    let first = genesis();
    let decided = history(&[first.clone(), signed(&after(&first, "next"), &[1, 2])]);
    let leaves_out = v1::Roster { members: vec![], ..after(&first, "too late") };
    let forged = with_forged(signed(&leaves_out, &[]), &[1, 2, 3]);
    let refusal = Governance::default().judge(&decided, &forged);
    assert!(matches!(refusal, Err(Refusal::Bad(RosterError::Breaks { .. }))), "{refusal:?}");
}

#[test]
fn a_peer_that_makes_signatures_up_is_hung_up_on_at_the_first_copy() {
    let first = genesis();
    let mut disks = vec![Disk::new(), Disk::new()];
    submit(&mut disks, 0, &signed(&after(&first, "next"), &[1, 2]));
    let forged = with_forged(signed(&after(&first, "too late"), &[]), &[1, 2, 3]);
    let chain = v1::RosterChain { versions: vec![forged.clone(); 70] };
    let proposal = v1::RosterProposal { roster: Some(forged.clone()) };
    let conflict = v1::RosterConflict { versions: vec![forged] };
    for body in [Body::RosterChain(chain), Body::RosterProposal(proposal), Body::RosterConflict(conflict)] {
        let outputs = hears(&mut disks, body);
        let hung_up = |output: &Output| matches!(output, Output::Disconnect(_, Reject::BadRoster(_)));
        assert!(outputs.iter().any(hung_up), "{outputs:?}");
        assert!(!outputs.iter().any(|output| matches!(output, Output::KeepProposal(_))), "{outputs:?}");
    }
}

#[test]
fn one_key_holder_cannot_fill_the_places_for_proposals() {
    let mut kept = Governance::default();
    let version = |name: &str, signers: &[u8]| signed(&after(&genesis(), name), signers);
    for name in ["a", "b"] {
        assert_eq!(proposed(&mut kept, &version(name, &[1])), Ok(vec![]));
    }
    assert_eq!(proposed(&mut kept, &version("c", &[1])), Err(Refusal::Crowded));
    assert_eq!(proposed(&mut kept, &version("c", &[2])), Ok(vec![]));
}

/// Places for the proposals of a committee of so many keys, a bare majority of which decides.
struct Places {
    first: v1::SignedRoster,
    history: History,
    kept: Governance,
}

impl Places {
    fn of(keys: u8) -> Self {
        let all: Vec<u8> = (1..=keys).collect();
        let first = v1::Roster {
            governance: Some(v1::Governance {
                keys: all.iter().map(|seed| key(*seed).public().as_bytes().to_vec()).collect(),
                threshold: u32::from(keys / 2 + 1),
                ..Default::default()
            }),
            ..Draft::parse(&genesis().roster).expect("a roster").content
        };
        let first = signed(&first, &all);
        Self { history: history(std::slice::from_ref(&first)), first, kept: Governance::default() }
    }

    /// How many give way, and how many there are then.
    fn take(&mut self, name: &str, signers: &[u8]) -> Result<(usize, usize), Refusal> {
        let verdict = self.kept.judge(&self.history, &signed(&after(&self.first, name), signers))?;
        let Verdict::Propose { version, instead_of } = verdict else { panic!("{verdict:?}") };
        self.kept.drop_proposals(&instead_of);
        self.kept.propose(version);
        Ok((instead_of.len(), self.kept.proposals().count()))
    }

    fn has(&self, name: &str) -> bool {
        let is_named = |kept: &v1::SignedRoster| {
            Draft::parse(&kept.roster).is_ok_and(|draft| draft.content.federation_name == name)
        };
        self.kept.proposals().any(is_named)
    }
}

#[test]
fn when_all_places_are_taken_what_the_same_keys_and_fewer_have_signed_gives_way() {
    let mut places = Places::of(9);
    for n in 0..PROPOSALS_MAX {
        let signers = [n as u8 + 1, n as u8 + 2];
        assert_eq!(places.take(&format!("{n}"), &signers), Ok((0, n + 1)));
    }
    assert_eq!(places.take("too much", &[1, 9]), Err(Refusal::Crowded));
    assert_eq!(places.take("without 2", &[1, 3, 9]), Err(Refusal::Crowded));
    assert_eq!(places.take("better", &[1, 2, 3]), Ok((1, PROPOSALS_MAX)));
    assert_ne!(places.has("0"), places.has("1"), "one of the two that only 1, 2 and 3 have signed");
}

#[test]
fn keys_that_are_too_few_to_decide_can_neither_close_the_places_nor_take_those_of_others() {
    for keys in [3_u8, 7, 15, 31] {
        let (colluding, honest) = (keys / 2, keys);
        let mut places = Places::of(keys);
        places.take("first", &[honest]).expect("there is room");
        for one in 1..=colluding {
            for n in 0..20 {
                // Alone, with the next, and all together.
                let _ = places.take(&format!("{one} {n}"), &[one]);
                let _ = places.take(&format!("{one} and next {n}"), &[one, one % colluding + 1]);
                let all: Vec<u8> = (1..=colluding).collect();
                let _ = places.take(&format!("all {one} {n}"), &all);
            }
        }
        assert!(places.has("first"), "of {keys}: it made room for what its signer has not signed");
        assert!(places.take("second", &[honest - 1]).is_ok(), "of {keys}: another honest key finds a place");
        let kept = places.kept.proposals().count();
        assert!(kept <= PROPOSALS_MAX + usize::from(keys), "of {keys}: {kept} are kept");
    }
}

#[test]
fn while_two_versions_are_fully_signed_nothing_else_is_taken() {
    let first = genesis();
    let (one, other) = (signed(&after(&first, "one"), &[1, 2]), signed(&after(&first, "other"), &[2, 3]));
    let mut kept = Governance::default();
    let neither = history(std::slice::from_ref(&first));
    let news = kept.contest(&neither, &[one.clone(), other.clone()]).expect("both are fully signed");
    assert_eq!(news.len(), 2);
    kept.keep_conflict(news);
    assert_eq!(kept.open_conflict(&neither), Some(2));
    assert_eq!(kept.judge(&neither, &one), Ok(Verdict::Known));
    let third = signed(&after(&first, "third"), &[1, 3]);
    assert!(matches!(kept.judge(&neither, &third), Ok(Verdict::Conflict(_))));

    let adopted = history(&[first.clone(), one.clone()]);
    let goes_on = signed(&after(&one, "goes on"), &[1, 2, 3]);
    assert_eq!(kept.judge(&adopted, &goes_on), Err(Refusal::InConflict { version: 2 }));
    for (holds, gives_way) in [(&one, &other), (&other, &one)] {
        let settles = settling(holds, gives_way);
        let Ok(Verdict::Adopt(branch)) = kept.judge(&neither, &signed(&settles, &[1, 3])) else { panic!() };
        assert_eq!(branch.iter().map(Roster::hash).collect::<Vec<_>>()[0], hash(holds));
        let by_who_signed_both = kept.judge(&neither, &signed(&settles, &[1, 2]));
        assert!(matches!(by_who_signed_both, Ok(Verdict::Propose { .. })), "2 signed both versions");
    }
}

#[test]
fn what_settles_a_conflict_nobody_here_knows_waits_for_it() {
    let first = genesis();
    let (one, other) = (signed(&after(&first, "one"), &[1, 2]), signed(&after(&first, "other"), &[2, 3]));
    let settles = signed(&settling(&one, &other), &[1, 3]);
    let adopted = history(&[first, one]);
    assert_eq!(Governance::default().judge(&adopted, &settles), Err(Refusal::UnknownConflict));
}

#[test]
fn a_number_that_versions_have_followed_is_not_opened_again() {
    let first = genesis();
    let one = signed(&after(&first, "one"), &[1, 2]);
    let then = signed(&after(&one, "then"), &[1, 2]);
    let other = signed(&after(&first, "other"), &[2, 3]);
    let history = history(&[first, one, then]);
    let kept = Governance::default();
    assert_eq!(kept.judge(&history, &other), Err(Refusal::Decided { known: 3, found: 2 }));
    assert_eq!(kept.contest(&history, &[other]), Ok(vec![]));
}

#[test]
fn one_message_brings_as_many_contested_versions_as_are_kept() {
    let message = |count| {
        let versions = vec![v1::SignedRoster::default(); count];
        crate::state::check_counts(&Body::RosterConflict(v1::RosterConflict { versions }))
    };
    assert!(message(CONFLICT_VERSIONS_MAX).is_ok());
    assert_eq!(message(CONFLICT_VERSIONS_MAX + 1).expect_err("too many").word(), "too_large");
}

#[test]
fn versions_under_one_number_have_an_end() {
    let first = genesis();
    let neither = history(std::slice::from_ref(&first));
    let mut kept = Governance::default();
    let many: Vec<_> =
        (0..CONFLICT_VERSIONS_MAX + 2).map(|n| signed(&after(&first, &format!("{n}")), &[1, 2])).collect();
    let news = kept.contest(&neither, &many).expect("fully signed");
    assert_eq!(news.len(), CONFLICT_VERSIONS_MAX);
    kept.keep_conflict(news);
    let more = signed(&after(&first, "more"), &[1, 2]);
    assert!(kept.judge(&neither, &more).is_err());
    assert_eq!(kept.conflicts().next().map(|(_, versions)| versions.len()), Some(CONFLICT_VERSIONS_MAX));
}
