//! Claims about founding a federation and collecting signatures, through the command line.

use std::{
    fs,
    path::{Path, PathBuf},
};

use prost::Message as _;
use wego_proto::{
    armour::{self, Label},
    card,
    key::SecretKey,
    roster::Roster,
    v1,
};
use zeroize::Zeroizing;

use crate::{Stdio, run};

struct Office {
    dir: tempfile::TempDir,
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([seed; 32]))
}

impl Office {
    /// Cards and governance keys of three cities.
    fn new() -> Self {
        let office = Self { dir: tempfile::tempdir().expect("a folder") };
        for (seed, handle) in [(1, "kr-seoul"), (2, "fr-paris"), (3, "sn-dakar")] {
            office.card(handle, handle, seed);
            office.secret(&format!("{handle}.key"), &key(seed + 100));
        }
        office
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect(name)
    }

    fn card(&self, file: &str, handle: &str, seed: u8) {
        let inception = v1::Inception {
            handle: handle.to_owned(),
            names: vec![v1::MemberName { lang: "en".to_owned(), text: handle.to_owned() }],
            country: handle[..2].to_uppercase(),
            log_key: key(seed).public().as_bytes().to_vec(),
            transport_key: key(seed + 50).public().as_bytes().to_vec(),
            ..Default::default()
        };
        let card =
            card::sign(&inception, vec![], Some(key(seed + 100).public()), String::new(), 1, &key(seed));
        fs::write(self.path(file), armour::write(Label::MemberCard, &[], &card)).expect("a card");
    }

    fn secret(&self, file: &str, key: &SecretKey) {
        use std::os::unix::fs::PermissionsExt as _;
        fs::write(self.path(file), key.to_pem().as_bytes()).expect("a key");
        fs::set_permissions(self.path(file), fs::Permissions::from_mode(0o600)).expect("a mode");
    }

    /// Exit code, stdout and stderr of a command; words with a percent sign are files of the office.
    fn wego(&self, line: &str) -> (u8, String, String) {
        self.wego_after(0, line)
    }

    /// As [`Office::wego`], so many days from now.
    fn wego_after(&self, days: u64, line: &str) -> (u8, String, String) {
        self.called("", line, |stdio| {
            let clock = std::mem::replace(&mut stdio.clock, Box::new(|| 0));
            stdio.clock = Box::new(move || clock() + days * 86_400_000);
        })
    }

    /// As [`Office::wego`], with somebody at a terminal who types an answer.
    fn wego_at_a_terminal(&self, answer: &str, line: &str) -> (u8, String, String) {
        self.called(answer, line, |stdio| stdio.input_is_tty = true)
    }

    fn called(&self, input: &str, line: &str, set: impl FnOnce(&mut Stdio)) -> (u8, String, String) {
        let word = |word: &str| match word.strip_prefix('%') {
            Some(name) => self.path(name).into_os_string(),
            None => word.into(),
        };
        let args = std::iter::once("wego".into()).chain(line.split(' ').map(word));
        let (mut stdio, out, err) = Stdio::captured(input);
        set(&mut stdio);
        let code = run(args.collect::<Vec<_>>(), stdio);
        (code, out.text(), err.text())
    }

    fn found(&self) -> (u8, String, String) {
        self.wego(
            "roster found --name WeGO --threshold 2 --card %kr-seoul --card %fr-paris --card %sn-dakar \
             --president kr-seoul --vice-president fr-paris --out %roster.pem",
        )
    }
}

fn open(path: &Path) -> Result<Vec<Roster>, String> {
    let text = fs::read_to_string(path).expect("a roster");
    let chain = armour::read(Label::Roster, &text).expect("armour");
    Roster::open_chain(chain).map_err(|error| error.to_string())
}

#[test]
fn three_cities_found_a_federation_and_two_signatures_make_it_hold() {
    let office = Office::new();
    let (code, out, _) = office.found();
    assert_eq!(code, 0);
    for seed in 1..=3 {
        assert!(out.contains(&key(seed).public().fingerprint()), "{out}");
    }
    assert!(office.text("roster.pem").contains("signed: 0 of 2 signatures"));
    assert!(open(&office.path("roster.pem")).is_err());
    let (code, out, _) = office.wego("roster sign %roster.pem --key %kr-seoul.key --yes");
    assert_eq!((code, out.as_str()), (0, "1 of 2 signatures\n"));
    assert_eq!(office.wego("roster sign %roster.pem --key %kr-seoul.key --yes").1, "1 of 2 signatures\n");
    let (_, out, _) = office.wego("roster sign %roster.pem --key %sn-dakar.key --yes");
    assert_eq!(out, "2 of 2 signatures: the roster is complete\n");
    let roster = open(&office.path("roster.pem")).expect("complete").remove(0);
    let offices: Vec<(&str, i32)> =
        roster.members().values().map(|member| (member.handle.as_str(), member.role as i32)).collect();
    assert_eq!(offices, [("kr-seoul", 2), ("fr-paris", 3), ("sn-dakar", 1)]);
    let (_, json, _) = office.wego("roster show %roster.pem --json");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["complete"], &json["signatures"]), (&true.into(), &2.into()));
    assert_eq!(json["federation_id"], roster.federation().to_string());
}

#[test]
fn signatures_collected_apart_are_combined() {
    let office = Office::new();
    assert_eq!(office.found().0, 0);
    for (copy, signer) in [("a.pem", "kr-seoul"), ("b.pem", "fr-paris")] {
        fs::copy(office.path("roster.pem"), office.path(copy)).expect("a copy");
        assert_eq!(office.wego(&format!("roster sign %{copy} --key %{signer}.key --yes")).0, 0);
    }
    let (code, out, _) = office.wego("roster combine %a.pem %b.pem --out %roster.pem");
    assert_eq!((code, out.as_str()), (0, "2 of 2 signatures: the roster is complete\n"));
    assert!(open(&office.path("roster.pem")).is_ok());
}

#[test]
fn a_stranger_cannot_sign_and_the_file_stays_as_it_was() {
    let office = Office::new();
    assert_eq!(office.found().0, 0);
    let before = office.text("roster.pem");
    office.secret("stranger.key", &key(9));
    let (code, _, err) = office.wego("roster sign %roster.pem --key %stranger.key --yes");
    assert_eq!(code, 6, "{err}");
    assert!(err.contains("none of the roster's governance keys") && err.contains("\n\nhint: "), "{err}");
    assert_eq!(office.text("roster.pem"), before);
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let office = Office::new();
    assert_eq!(office.found().0, 0);
    fs::set_permissions(office.path("kr-seoul.key"), fs::Permissions::from_mode(0o640)).expect("a mode");
    let (code, _, err) = office.wego("roster sign %roster.pem --key %kr-seoul.key --yes");
    assert_eq!(code, 4);
    assert!(err.contains("mode 0640") && err.contains("chmod 600"), "{err}");
}

#[test]
fn founders_must_be_distinct_and_the_threshold_a_majority() {
    let office = Office::new();
    office.card("twin", "kr-seoul", 7);
    office.card("thief", "it-rome", 1);
    let found =
        |rest: &str| office.wego(&format!("roster found --name W --out %r.pem --card %kr-seoul {rest}"));
    assert_eq!(found("--threshold 1 --card %twin").0, 2);
    assert_eq!(found("--threshold 2 --card %thief").0, 7);
    assert_eq!(found("--threshold 1 --card %fr-paris").0, 2);
    assert_eq!(found("--threshold 3 --card %fr-paris").0, 2);
    assert_eq!(found("--threshold 2 --card %fr-paris --president us-nowhere").0, 2);
    assert!(!office.path("r.pem").exists());
    assert_eq!(found("--threshold 2 --card %fr-paris --dry-run").0, 0);
    assert!(!office.path("r.pem").exists());
    assert_eq!(found("--threshold 2 --card %fr-paris").0, 0);
    assert_eq!(found("--threshold 2 --card %fr-paris").0, 6, "a roster is never overwritten");
}

/// A federation of three with a complete roster.
fn founded() -> Office {
    let office = Office::new();
    assert_eq!(office.found().0, 0);
    for signer in ["kr-seoul", "fr-paris"] {
        assert_eq!(office.wego(&format!("roster sign %roster.pem --key %{signer}.key --yes")).0, 0);
    }
    office
}

#[test]
fn past_its_expiry_nobody_is_admitted_before_the_roster_is_renewed() {
    let office = founded();
    office.card("gh-accra", "gh-accra", 4);
    let admit = "roster propose --admit %gh-accra --roster";
    assert_eq!(office.wego_after(364, &format!("{admit} %roster.pem --out %early.pem")).0, 0);
    let (code, _, err) = office.wego_after(366, &format!("{admit} %roster.pem --out %late.pem"));
    assert!(code == 6 && err.contains("hint: renew it first"), "{err}");
    let (code, _, err) = office.wego_after(366, "roster sign %early.pem --key %kr-seoul.key --yes");
    assert!(code == 6 && err.contains("this version admits gh-accra"), "{err}");
    let both = format!("{admit} %roster.pem --expires 2999-01-01 --out %late.pem");
    assert_eq!(office.wego_after(366, &both).0, 6, "the expiry is moved in a version of its own");
    let renew = "roster propose --roster %roster.pem --expires 2999-01-01 --out %renewed.pem";
    assert_eq!(office.wego_after(366, renew).0, 0);
    for signer in ["kr-seoul", "sn-dakar"] {
        assert_eq!(
            office.wego_after(366, &format!("roster sign %renewed.pem --key %{signer}.key --yes")).0,
            0
        );
    }
    assert_eq!(office.wego_after(366, &format!("{admit} %renewed.pem --out %late.pem")).0, 0);
}

#[test]
fn a_version_that_everybody_would_refuse_is_not_written() {
    let office = founded();
    let propose =
        |rest: &str| office.wego(&format!("roster propose --roster %roster.pem --out %next.pem {rest}"));
    let two = "--role sn-dakar=president";
    assert!(propose(two).2.contains("gives the presidency to two members"));
    assert!(propose("--role sn-dakar=emperor").2.contains("vice-president"));
    assert!(propose("--cut sn-dakar=1.1:00").2.contains("64 hexadecimal digits"));
    let cut = format!("--cut sn-dakar=1.1:{}", "ab".repeat(32));
    assert!(propose(&cut).2.contains("cut and not removed"));
    assert!(propose("--term sn-dakar=2026-02-01..2026-01-01").2.contains("ends the term of sn-dakar"));
    assert!(propose("--remove-governance-key %kr-seoul --threshold 1").2.contains("does not fit 2"));
    assert!(!office.path("next.pem").exists());
    assert_eq!(propose(&format!("--expel sn-dakar {cut}")).0, 0);
}

#[test]
fn a_proposal_that_follows_another_roster_is_not_signed() {
    let office = founded();
    let propose = "roster propose --roster %roster.pem --role sn-dakar=associate --out %next.pem";
    assert_eq!(office.wego(propose).0, 0);
    let chain =
        |name: &str| -> v1::RosterChain { armour::read(Label::Roster, &office.text(name)).expect("armour") };
    let mut spliced = chain("next.pem");
    // The same members, founded a second time.
    let again = office.wego_after(
        1,
        "roster found --name WeGO --threshold 2 --card %kr-seoul --card %fr-paris --out %again.pem",
    );
    assert_eq!(again.0, 0);
    for signer in ["kr-seoul", "fr-paris"] {
        assert_eq!(office.wego(&format!("roster sign %again.pem --key %{signer}.key --yes")).0, 0);
    }
    spliced.versions[0] = chain("again.pem").versions[0].clone();
    fs::write(office.path("spliced.pem"), armour::write(Label::Roster, &[], &spliced)).expect("a file");
    assert_eq!(office.wego("roster sign %spliced.pem --key %kr-seoul.key --yes").0, 7);
    assert_eq!(office.wego("roster diff %spliced.pem").0, 7);
    assert_eq!(office.wego("roster verify %next.pem").0, 7, "nobody has signed it");
}

#[test]
fn whoever_signs_the_first_version_is_shown_every_key_in_it() {
    let office = Office::new();
    assert_eq!(office.found().0, 0);
    let (code, _, err) = office.wego("roster sign %roster.pem --key %kr-seoul.key --dry-run");
    assert_eq!(code, 0, "{err}");
    for seed in [1, 2, 3, 51, 52, 53, 101, 102, 103] {
        let print = key(seed).public().fingerprint();
        assert!(err.contains(&print), "{seed}: {err}");
    }
    for (seed, handle) in [(101, "kr-seoul"), (102, "fr-paris"), (103, "sn-dakar")] {
        let said = format!("governance key {} of {handle} decide", key(seed).public().fingerprint());
        assert!(err.contains(&said), "{said}: {err}");
    }
    // No card of these cities commits to a recovery key, which is unusual; nothing else is.
    let alarms: Vec<_> = err.lines().filter(|line| line.contains("ALARM")).collect();
    assert!(alarms.len() == 6 && alarms.iter().all(|line| line.contains("digest none")), "{alarms:?}");
}

#[test]
fn a_signature_is_given_only_to_who_says_yes() {
    let office = Office::new();
    assert_eq!(office.found().0, 0);
    let before = office.text("roster.pem");
    let sign = "roster sign %roster.pem --key %kr-seoul.key";
    let (code, _, err) = office.wego(sign);
    assert!(code == 2 && err.contains("a signature cannot be taken back"), "{err}");
    assert!(err.contains("hint: add --yes"), "{err}");
    let (code, _, err) = office.wego_at_a_terminal("n\n", sign);
    assert!(code == 8 && err.contains("Proceed? [y/N]"), "{code}: {err}");
    assert_eq!(office.text("roster.pem"), before);
    let (code, out, err) = office.wego_at_a_terminal("y\n", sign);
    assert_eq!((code, out.as_str()), (0, "1 of 2 signatures\n"), "{err}");
}

#[test]
fn a_signer_is_told_of_each_city_whether_it_was_compared() {
    let office = founded();
    office.card("nl-leiden", "nl-leiden", 4);
    let propose =
        "roster propose --roster %roster.pem --admit %nl-leiden --role sn-dakar=associate --out %next.pem";
    assert_eq!(office.wego(propose).0, 0);
    let sign = "roster sign %next.pem --key %kr-seoul.key --yes --json";
    let (code, out, err) = office.wego(&format!("{sign} --dry-run --card %sn-dakar"));
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("nl-leiden was NOT compared"), "{err}");
    assert!(err.contains("sn-dakar keeps its keys, which are those that"), "{err}");
    assert!(!err.contains("kr-seoul keeps"), "nothing of it changes: {err}");
    let said: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let city = |at: usize| said["compared"][at].clone();
    assert_eq!((&city(0)["handle"], &city(0)["new_keys"]), (&"sn-dakar".into(), &false.into()));
    assert_eq!((&city(1)["handle"], &city(1)["with"]), (&"nl-leiden".into(), &serde_json::Value::Null));
    let (code, out, err) = office.wego(&format!("{sign} --card %nl-leiden"));
    assert!(code == 0 && err.contains("nl-leiden has the keys and digests that"), "{err}");
    assert!(err.contains("sn-dakar keeps its keys and digests: nothing to compare"), "{err}");
    assert!(!err.contains("were not compared"), "{err}");
    let said: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert!(said["compared"][1]["with"].as_str().is_some_and(|path| path.ends_with("nl-leiden")), "{out}");
}

#[test]
fn a_governance_key_that_is_of_another_city_is_an_alarm_and_no_card_agrees() {
    let office = Office::new();
    assert_eq!(office.found().0, 0);
    let mut chain: v1::RosterChain = armour::read(Label::Roster, &office.text("roster.pem")).expect("armour");
    let mut content: v1::Roster =
        prost::Message::decode(chain.versions[0].roster.as_slice()).expect("a roster");
    let committee = content.governance.as_mut().expect("a committee");
    assert_eq!(committee.holders, [1, 2, 3]);
    committee.holders = vec![1, 1, 0];
    chain.versions[0].roster = content.encode_to_vec();
    fs::write(office.path("odd.pem"), armour::write(Label::Roster, &[], &chain)).expect("a file");
    let sign = "roster sign %odd.pem --key %kr-seoul.key --dry-run";
    let (_, _, err) = office.wego(sign);
    for said in ["of kr-seoul decide, which has one already", "decide, which is of no member"] {
        assert!(err.lines().any(|line| line.contains("ALARM") && line.contains(said)), "{said}: {err}");
    }
    let (code, _, err) = office.wego(&format!("{sign} --card %kr-seoul"));
    assert!(code == 7 && err.contains("another governance key for kr-seoul"), "{err}");
}

#[test]
fn a_version_that_is_not_as_the_citys_card_says_is_not_signed() {
    let office = founded();
    office.card("gh-accra", "gh-accra", 4);
    let propose = "roster propose --roster %roster.pem --admit %gh-accra --out %next.pem";
    assert_eq!(office.wego(propose).0, 0);
    let sign = "roster sign %next.pem --key %kr-seoul.key --yes --card %gh-accra";
    let (code, _, err) = office.wego(&format!("{sign} --dry-run"));
    assert!(code == 0 && err.contains("gh-accra has the keys and digests that"), "{err}");
    let honest: v1::RosterChain = armour::read(Label::Roster, &office.text("next.pem")).expect("armour");
    let spoiled = |spoil: &dyn Fn(&mut v1::Member)| {
        let mut chain = honest.clone();
        let mut content: v1::Roster =
            prost::Message::decode(chain.versions[1].roster.as_slice()).expect("a roster");
        spoil(&mut content.members[3]);
        chain.versions[1].roster = content.encode_to_vec();
        fs::write(office.path("next.pem"), armour::write(Label::Roster, &[], &chain)).expect("a file");
        let (code, _, err) = office.wego(sign);
        assert_eq!(code, 7, "{err}");
        assert_eq!(office.wego("roster diff %next.pem --card %gh-accra").0, 7);
        let kept: v1::RosterChain = armour::read(Label::Roster, &office.text("next.pem")).expect("armour");
        assert!(kept.versions[1].signatures.is_empty());
        err
    };
    let err = spoiled(&|member| member.recovery_digest = vec![7; 32]);
    assert!(err.contains("another recovery digest for gh-accra"), "{err}");
    let err = spoiled(&|member| member.transport_keys.push(key(9).public().as_bytes().to_vec()));
    assert!(err.contains("another transport key for gh-accra"), "{err}");
    assert_eq!(office.wego("roster sign %roster.pem --key %kr-seoul.key --yes --card %gh-accra").0, 2);
}

#[test]
fn joining_copies_leaves_out_signatures_that_do_not_hold() {
    let office = Office::new();
    assert_eq!(office.found().0, 0);
    assert_eq!(office.wego("roster sign %roster.pem --key %kr-seoul.key --yes").0, 0);
    let mut spoiled: v1::RosterChain =
        armour::read(Label::Roster, &office.text("roster.pem")).expect("armour");
    spoiled.versions[0].signatures[0].signature[7] ^= 1;
    fs::write(office.path("spoiled.pem"), armour::write(Label::Roster, &[], &spoiled)).expect("a file");
    let (code, _, err) = office.wego("roster combine %spoiled.pem %roster.pem --out %joined.pem");
    assert_eq!(code, 0, "{err}");
    let joined: v1::RosterChain = armour::read(Label::Roster, &office.text("joined.pem")).expect("armour");
    let signed: v1::RosterChain = armour::read(Label::Roster, &office.text("roster.pem")).expect("armour");
    assert_eq!(joined, signed);
    assert_eq!(office.wego("roster combine %spoiled.pem --out %alone.pem").0, 0);
    let alone: v1::RosterChain = armour::read(Label::Roster, &office.text("alone.pem")).expect("armour");
    assert_eq!(alone.versions[0].signatures, []);
}
