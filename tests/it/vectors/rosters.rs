//! Roster chains: thresholds, numbers, and promises that no committee may break.

use wego_proto::{
    armour::Label,
    id::Hash,
    prost::Message as _,
    v1::{self, MemberRole, MemberStatus},
};

use super::{
    Vector,
    cast::{
        DAKAR, GOVERNANCE, PARIS, SEOUL, after, at, chain, digest, expel, first, genesis, member, public,
        reincept, signed_by, then,
    },
};

type Case = (&'static str, bool, &'static str, v1::RosterChain);

pub(super) fn all() -> Vec<Vector> {
    let cases = [holding(), unsigned(), out_of_line(), breaking(), malformed()].into_iter().flatten();
    cases
        .map(|(name, holds, why, chain)| {
            Vector::armoured((name, holds, why), "roster", Label::Roster, &chain)
        })
        .collect()
}

fn holding() -> Vec<Case> {
    let governed = after(&first(), |roster| govern(roster, &[2, 3, 4]));
    let admitted =
        signed_by(&GOVERNANCE, &after(&first(), |roster| roster.members.push(member(4, "gh-accra"))));
    let expelled = after(&admitted, |roster| expel(roster, DAKAR, at(1, 2), &[9; 32]));
    let expelled = signed_by(&GOVERNANCE, &expelled);
    let back = after(&expelled, |roster| {
        roster.members[DAKAR as usize - 1].status = MemberStatus::Active as i32;
        roster.members[DAKAR as usize - 1].cut = None;
    });
    let back = signed_by(&[2, 3], &back);
    let mut trailing = first();
    trailing
        .signatures
        .push(v1::RosterSignature { signature: vec![7; 64], ..trailing.signatures[0].clone() });
    vec![
        ("roster-first", true, "one version, signed by two of three", chain([first()])),
        (
            "roster-signature-before-another",
            true,
            "a key's first signature holds, and its second is not looked at",
            chain([trailing]),
        ),
        (
            "roster-four-versions",
            true,
            "a member is admitted, another expelled and taken back",
            chain([first(), admitted, expelled, back]),
        ),
        (
            "roster-other-committee",
            true,
            "two of the old keys and two of the new have signed, which are the same two",
            chain([first(), signed_by(&[2, 3], &governed)]),
        ),
        ("roster-reinception", true, "a member gets a log key from a later epoch on", then(reincept)),
        (
            "roster-settles",
            true,
            "it settles a conflict that its predecessor is part of",
            then(|roster| resolve(roster, [0xff; 32])),
        ),
    ]
}

/// Gives the federation these governance keys, of which two must sign.
fn govern(roster: &mut v1::Roster, seeds: &[u8]) {
    let keys = seeds.iter().map(|seed| public(*seed)).collect();
    roster.governance = Some(v1::Governance { keys, threshold: 2, ..Default::default() });
}

fn resolve(roster: &mut v1::Roster, other: [u8; 32]) {
    let mut both = [roster.prev_hash.clone(), other.to_vec()];
    both.sort();
    roster.resolves = both.to_vec();
}

fn unsigned() -> Vec<Case> {
    let mut flipped = first();
    let name = flipped.roster.windows(7).position(|bytes| bytes == b"Vectors").unwrap();
    flipped.roster[name] ^= 1;
    let mut flipped_signature = first();
    flipped_signature.signatures[1].signature[5] ^= 1;
    let mut second_counts = first();
    second_counts.signatures.insert(0, flipped_signature.signatures[1].clone());
    let governed = after(&first(), |roster| govern(roster, &[4, 5, 6]));
    let twice =
        v1::Governance { keys: vec![public(1), public(1), public(2)], threshold: 2, ..Default::default() };
    let half = v1::Governance { keys: vec![public(1), public(2)], threshold: 1, ..Default::default() };
    let with = |governance| {
        let roster = v1::Roster { governance: Some(governance), ..genesis() };
        chain([signed_by(&GOVERNANCE, &roster)])
    };
    vec![
        ("roster-below-threshold", false, "one of three has signed", chain([signed_by(&[1], &genesis())])),
        (
            "roster-repeated-signer",
            false,
            "one key has signed twice, and counts once",
            chain([signed_by(&[1, 1], &genesis())]),
        ),
        (
            "roster-stranger-signs",
            false,
            "one of the two signatures is of a key that does not decide",
            chain([signed_by(&[1, 99], &genesis())]),
        ),
        (
            "roster-new-keys-alone",
            false,
            "the new keys have signed, the predecessor's have not",
            chain([first(), signed_by(&[4, 5], &governed)]),
        ),
        (
            "roster-old-keys-alone",
            false,
            "the predecessor's keys have signed, its own have not",
            chain([first(), signed_by(&[1, 2], &governed)]),
        ),
        ("roster-flipped-bit", false, "one bit of the roster is another", chain([flipped])),
        ("roster-flipped-signature", false, "one bit of a signature is another", chain([flipped_signature])),
        (
            "roster-signature-behind-another",
            false,
            "a key's first signature does not hold, and its second is not looked at",
            chain([second_counts]),
        ),
        ("roster-key-twice", false, "a governance key is listed twice", with(twice)),
        ("roster-half", false, "the threshold is half of the keys", with(half)),
    ]
}

fn out_of_line() -> Vec<Case> {
    let second = signed_by(&GOVERNANCE, &after(&first(), |_| {}));
    let third = signed_by(&GOVERNANCE, &after(&second, |_| {}));
    let elsewhere = |roster: &mut v1::Roster| roster.federation_id = vec![5; 32];
    vec![
        ("roster-skipped-version", false, "version 3 comes after version 1", chain([first(), third])),
        ("roster-no-first", false, "it begins with version 2", chain([second])),
        ("roster-empty", false, "there is no version in it", chain([])),
        (
            "roster-other-predecessor",
            false,
            "version 2 follows another version 1",
            then(|roster| roster.prev_hash = Hash::of(&[b"another"]).as_bytes().to_vec()),
        ),
        ("roster-other-federation", false, "version 2 is of another federation", then(elsewhere)),
        ("roster-same-number", false, "version 2 has the number 1", {
            let mut again = after(&first(), |_| {});
            again.version = 1;
            chain([first(), signed_by(&GOVERNANCE, &again)])
        }),
    ]
}

/// Fully signed, and refused.
fn breaking() -> Vec<Case> {
    let president = |roster: &mut v1::Roster, origin: u32| {
        roster.members[origin as usize - 1].role = MemberRole::President as i32;
    };
    let seoul = |roster: &mut v1::Roster, change: fn(&mut v1::Member)| change(&mut roster.members[0]);
    let takedown = v1::Takedown { origin: DAKAR, at: Some(at(1, 2)), reason: 4 };
    let ordered = signed_by(&GOVERNANCE, &after(&first(), |roster| roster.takedowns.push(takedown)));
    let taken_back = signed_by(&GOVERNANCE, &after(&ordered, |roster| roster.takedowns.clear()));
    let expelled = |roster: &mut v1::Roster| expel(roster, DAKAR, at(1, 2), &[9; 32]);
    let expelled = signed_by(&GOVERNANCE, &after(&first(), expelled));
    let moved = after(&expelled, |roster| expel(roster, DAKAR, at(1, 3), &[9; 32]));
    vec![
        (
            "roster-member-left-out",
            false,
            "a member is no longer in it",
            then(|roster| drop(roster.members.remove(1))),
        ),
        (
            "roster-handle-changes",
            false,
            "a member has another handle",
            then(|roster| seoul(roster, |member| member.handle = "kr-busan".to_owned())),
        ),
        (
            "roster-city-id-changes",
            false,
            "a member has another city id",
            then(|roster| seoul(roster, |member| member.city_id = vec![77; 32])),
        ),
        (
            "roster-log-key-changes",
            false,
            "a log key is replaced where it stood",
            then(|roster| seoul(roster, |member| member.log_keys[0].key = public(99))),
        ),
        ("roster-log-key-opens-again", false, "a log key that was closed is open again", {
            let close = |roster: &mut v1::Roster| {
                seoul(roster, |member| member.log_keys[0].until = Some(at(1, 9)));
            };
            let closed = signed_by(&GOVERNANCE, &after(&first(), close));
            let open = after(&closed, |roster| seoul(roster, |member| member.log_keys[0].until = None));
            chain([first(), closed, signed_by(&GOVERNANCE, &open)])
        }),
        (
            "roster-commitment-changes",
            false,
            "the recovery key changes without a new log key",
            then(|roster| seoul(roster, |member| member.recovery_digest = digest(99))),
        ),
        (
            "roster-commitment-lost",
            false,
            "a new log key, and what the old one had committed to is not kept beside it",
            then(|roster| {
                reincept(roster);
                seoul(roster, |member| member.log_keys[0].recovery_digest = Vec::new());
            }),
        ),
        (
            "roster-removed-without-cut",
            false,
            "a member is expelled without a cut",
            then(|roster| seoul(roster, |member| member.status = MemberStatus::Expelled as i32)),
        ),
        (
            "roster-cut-moves",
            false,
            "the cut of an expelled member is another",
            chain([first(), expelled, signed_by(&GOVERNANCE, &moved)]),
        ),
        ("roster-two-presidents", false, "two active members preside", {
            then(|roster| {
                president(roster, SEOUL);
                president(roster, PARIS);
            })
        }),
        (
            "roster-takedown-taken-back",
            false,
            "an ordered erasure is no longer in it",
            chain([first(), ordered, taken_back]),
        ),
        ("roster-admitted-below", false, "a new member has an idx that is not above all others", {
            let mut high = genesis();
            high.members[2].idx = 9;
            let high = signed_by(&GOVERNANCE, &high);
            let mut low = v1::Roster::decode(high.roster.as_slice()).unwrap();
            let hash = Hash::of(&[&high.roster]).as_bytes().to_vec();
            (low.version, low.federation_id, low.prev_hash) = (2, hash.clone(), hash);
            low.members.push(member(4, "gh-accra"));
            chain([high, signed_by(&GOVERNANCE, &low)])
        }),
        (
            "roster-resolves-nothing",
            false,
            "it resolves a conflict that its predecessor is not part of",
            then(|roster| roster.resolves = vec![vec![1; 32], vec![2; 32]]),
        ),
    ]
}

/// Not what a roster can be, whoever signed it.
fn malformed() -> Vec<Case> {
    let with = |change: fn(&mut v1::Roster)| {
        let mut roster = genesis();
        change(&mut roster);
        chain([signed_by(&GOVERNANCE, &roster)])
    };
    let accra = |change: fn(&mut v1::Member)| {
        then(|roster| {
            let mut accra = member(4, "gh-accra");
            change(&mut accra);
            roster.members.push(accra);
        })
    };
    let named = |text: &str| v1::MemberName { lang: "en".to_owned(), text: text.to_owned() };
    let mut control = genesis();
    control.members[0].names.push(named("Seo\u{7}ul"));
    let mut long = genesis();
    long.members[0].names.push(named(&"서".repeat(201)));
    let mut fits = genesis();
    fits.members[0].names.push(named(&"서".repeat(200)));
    let signed = |roster: &v1::Roster| chain([signed_by(&GOVERNANCE, roster)]);
    vec![
        ("roster-other-format", false, "another format", with(|roster| roster.format = 2)),
        ("roster-no-governance", false, "nobody decides", with(|roster| roster.governance = None)),
        (
            "roster-handle-twice",
            false,
            "two members have one handle",
            with(|roster| roster.members[1].handle = "kr-seoul".to_owned()),
        ),
        ("roster-idx-twice", false, "two members have one idx", with(|roster| roster.members[1].idx = 1)),
        ("roster-idx-zero", false, "a member has the idx 0", with(|roster| roster.members[1].idx = 0)),
        (
            "roster-transport-key-twice",
            false,
            "two members have one transport key",
            with(|roster| {
                roster.members[1].transport_keys = roster.members[0].transport_keys.clone();
            }),
        ),
        (
            "roster-handle-capital",
            false,
            "a handle with a capital letter",
            with(|roster| roster.members[0].handle = "kr-Seoul".to_owned()),
        ),
        (
            "roster-handle-newline",
            false,
            "a handle that ends with a line feed",
            with(|roster| roster.members[0].handle = "kr-seoul\n".to_owned()),
        ),
        ("roster-no-name", false, "a member without a name", with(|roster| roster.members[0].names.clear())),
        ("roster-name-control", false, "a name with a control character", signed(&control)),
        ("roster-name-long", false, "a name of 201 characters", signed(&long)),
        ("roster-name-fits", true, "a name of 200 characters and 600 bytes", signed(&fits)),
        (
            "roster-status-unknown",
            false,
            "a status that is not known",
            with(|roster| roster.members[0].status = 99),
        ),
        ("roster-no-status", false, "a member without a status", with(|roster| roster.members[0].status = 0)),
        (
            "roster-role-unknown",
            true,
            "an office that is not known",
            with(|roster| roster.members[0].role = 99),
        ),
        (
            "roster-nine-endpoints",
            false,
            "more than eight endpoints",
            with(|roster| roster.members[0].endpoints = vec!["a:1".to_owned(); 9]),
        ),
        (
            "roster-key-no-zero",
            false,
            "a log key with the number 0",
            with(|roster| roster.members[0].log_keys[0].key_no = 0),
        ),
        (
            "roster-key-from-zero",
            false,
            "a log key from before the first entry on",
            with(|roster| roster.members[0].log_keys[0].from = Some(at(1, 0))),
        ),
        (
            "roster-key-from-nowhere",
            false,
            "a log key that says not where it begins",
            with(|roster| roster.members[0].log_keys[0].from = None),
        ),
        (
            "roster-short-city-id",
            false,
            "a city id of 31 bytes",
            with(|roster| roster.members[0].city_id = vec![1; 31]),
        ),
        (
            "roster-admitted-inactive",
            false,
            "a new member is not active",
            accra(|accra| {
                accra.status = MemberStatus::Suspended as i32;
                accra.cut = Some(v1::Cut { at: Some(at(1, 1)), hash: vec![1; 32] });
            }),
        ),
        (
            "roster-admitted-keys-unordered",
            false,
            "the log keys of a new member do not go up",
            accra(|accra| {
                accra.log_keys.push(accra.log_keys[0].clone());
            }),
        ),
        (
            "roster-term-backwards",
            false,
            "a term ends before it begins",
            accra(|accra| {
                (accra.term_from_ms, accra.term_until_ms) = (9, 8);
            }),
        ),
    ]
}
