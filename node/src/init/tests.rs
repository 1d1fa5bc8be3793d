//! Claims about a new member's folder: complete, private, readable by those who need it, or not there at all.

use std::{collections::BTreeSet, convert::Infallible, fs, os::unix::fs::PermissionsExt as _, path::Path};

use super::*;
use crate::{
    keys::{self, NodeKeys},
    operators::Operators,
    store::anchor::{Anchor, Copy},
};

fn seeds(first: u8) -> Seeds {
    let mut next = first;
    let fill = |bytes: &mut [u8]| {
        bytes.fill(next);
        next += 1;
        Ok::<_, Infallible>(())
    };
    Seeds::draw(fill).unwrap()
}

fn name(lang: &str, text: &str) -> v1::MemberName {
    v1::MemberName { lang: lang.to_owned(), text: text.to_owned() }
}

fn options(parent: &Path) -> InitOptions {
    InitOptions {
        dir: parent.join("seoul"),
        handle: "kr-seoul".to_owned(),
        names: vec![name("en", "Seoul"), name("ko", "서울")],
        country: "KR".to_owned(),
        place: "KRSEL".to_owned(),
        endpoints: vec!["wego.seoul.go.kr:7400".to_owned()],
        peers: "0.0.0.0:7400".parse().unwrap(),
        clients: "0.0.0.0:7501".parse().unwrap(),
        portal: None,
        portal_url: "https://wego.seoul.go.kr/".to_owned(),
        committee: Committee::Sits,
        operator: "Kim \"MJ\"".to_owned(),
        issued_at_ms: 1_285_000_000_000,
    }
}

fn files(dir: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|inner| format!("{name}/{inner}")));
        } else {
            found.insert(name);
        }
    }
    found
}

#[test]
fn a_new_folder_has_everything_and_only_its_user_can_read_it() {
    let parent = tempfile::tempdir().unwrap();
    let created = create(&options(parent.path()), &seeds(1)).unwrap();
    let expected = "data/unsigned keys/governance.pem keys/log.pem keys/next-log.pem keys/recovery.pem \
                    keys/transport.crt keys/transport.pem member-card.pem operators.toml profile/cert.pem profile/key.pem \
                    profile/profile.toml wego-node.toml";
    let found = files(&created.dir);
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>().join(" "), expected);
    for name in found {
        let mode = fs::metadata(created.dir.join(&name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
    for folder in [&created.dir, &created.keys_dir, &created.profile_dir] {
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700, "{}", folder.display());
    }
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1, "nothing is left beside it");
    let copy = Anchor::of(&created.dir.join("data")).judge(true).unwrap();
    assert_eq!(copy, Copy::Sound(None), "it is where it was made");
}

#[test]
fn the_node_reads_what_init_wrote() {
    let parent = tempfile::tempdir().unwrap();
    let created = create(&options(parent.path()), &seeds(1)).unwrap();
    let config = Config::load(&created.config, &Environment::new()).unwrap();
    assert_eq!(config.node.handle, "kr-seoul");
    assert_eq!((config.listen.clients.port(), config.listen.portal), (7_501, None));
    let keys = NodeKeys::load(&config.node.keys_dir).unwrap();
    assert_eq!((keys.log.public(), keys.transport_key), (created.log_key, created.transport_key));
    wego_proto::pin::server_config(keys.transport, std::sync::Arc::new(|_| true)).unwrap();
    let operators = Operators::load(&config.node.operators).unwrap();
    let admin = keys::read_secret_key(&created.profile_dir.join("key.pem")).unwrap().public();
    assert_eq!(operators.role_of(&admin), Some(("Kim \"MJ\"", Role::Admin)));
    let text = fs::read_to_string(&created.config).unwrap();
    assert!(text.contains("# Page cache of the entry store"), "the comments are kept");
}

#[test]
fn a_client_reads_the_profile() {
    let parent = tempfile::tempdir().unwrap();
    let created = create(&options(parent.path()), &seeds(1)).unwrap();
    let text = fs::read_to_string(created.profile_dir.join("profile.toml")).unwrap();
    let profile: toml::Table = toml::from_str(&text).unwrap();
    assert_eq!(profile["address"].as_str(), Some("127.0.0.1:7501"), "where a client reaches a wildcard");
    assert_eq!(profile["server_key"].as_str(), Some(created.transport_key.to_string().as_str()));
    let read =
        |key: &str| fs::read_to_string(created.profile_dir.join(profile[key].as_str().unwrap())).unwrap();
    let identity = Identity::from_pem(&read("certificate"), &read("key")).unwrap();
    wego_proto::pin::client_config(identity, std::sync::Arc::new(|_| true)).unwrap();
}

#[test]
fn the_card_says_who_the_member_is_and_commits_to_the_offline_keys() {
    let parent = tempfile::tempdir().unwrap();
    let created = create(&options(parent.path()), &seeds(1)).unwrap();
    let text = fs::read_to_string(&created.card_path).unwrap();
    let card = MemberCard::open(&armour::read(Label::MemberCard, &text).unwrap()).unwrap();
    assert_eq!(card.city_id, created.city_id);
    assert_eq!(card.inception.names[1].text, "서울");
    let digest = |file: &str| {
        let key = keys::read_secret_key(&created.keys_dir.join(file)).unwrap();
        key.public().digest().as_bytes().to_vec()
    };
    assert_eq!(card.inception.next_log_key_digest, digest(NEXT_LOG_KEY));
    assert_eq!(card.inception.recovery_digest, digest(RECOVERY_KEY));
    assert_eq!(card.governance_key, Some(created.governance.unwrap().public()));
    assert!(text.contains(&created.log_key.fingerprint()));
}

#[test]
fn a_member_outside_the_committee_has_no_governance_key() {
    let parent = tempfile::tempdir().unwrap();
    let options = InitOptions { committee: Committee::Abstains, ..options(parent.path()) };
    let created = create(&options, &seeds(1)).unwrap();
    assert!(created.governance.is_none() && !created.keys_dir.join(GOVERNANCE_KEY).exists());
    assert_eq!(MemberCard::open(&created.card).unwrap().governance_key, None);
}

#[test]
fn keys_are_never_overwritten() {
    let parent = tempfile::tempdir().unwrap();
    let first = create(&options(parent.path()), &seeds(1)).unwrap();
    let error = create(&options(parent.path()), &seeds(50)).unwrap_err();
    assert!(matches!(error, InitError::NotEmpty { .. }), "{error}");
    assert_eq!(NodeKeys::load(&first.keys_dir).unwrap().log.public(), first.log_key);
}

#[test]
fn an_empty_folder_is_filled_and_a_missing_parent_is_not_made() {
    let parent = tempfile::tempdir().unwrap();
    fs::create_dir(parent.path().join("seoul")).unwrap();
    create(&options(parent.path()), &seeds(1)).unwrap();
    let error = create(&options(&parent.path().join("nowhere")), &seeds(1)).unwrap_err();
    assert_eq!(error.hint(), "make the folder above it first");
}

#[test]
fn an_answer_that_cannot_be_true_leaves_nothing_behind() {
    let parent = tempfile::tempdir().unwrap();
    let good = options(parent.path());
    let bad = [
        InitOptions { country: "KOR".to_owned(), ..good.clone() },
        InitOptions { place: "FRPAR".to_owned(), ..good.clone() },
        InitOptions { endpoints: vec!["wego.seoul.go.kr".to_owned()], ..good.clone() },
        InitOptions { endpoints: vec!["evil host:7400".to_owned()], ..good.clone() },
        InitOptions { endpoints: vec!["a:1".to_owned(); 9], ..good.clone() },
        InitOptions { portal_url: "javascript:alert(1)".to_owned(), ..good.clone() },
        InitOptions { handle: "Seoul".to_owned(), ..good.clone() },
        InitOptions { names: vec![], ..good.clone() },
        InitOptions { names: vec![name("en", "Se\u{1b}oul")], ..good.clone() },
        InitOptions { operator: String::new(), ..good.clone() },
        InitOptions { clients: good.peers, ..good },
    ];
    for options in bad {
        create(&options, &seeds(1)).unwrap_err();
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0, "{options:?}");
    }
}

#[test]
fn the_same_seeds_make_the_same_member() {
    let parents = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, two] = parents.each_ref().map(|parent| create(&options(parent.path()), &seeds(7)).unwrap());
    assert_eq!(one.card, two.card);
    assert_ne!(
        one.city_id,
        create(&InitOptions { dir: parents[0].path().join("x"), ..options(parents[0].path()) }, &seeds(8))
            .unwrap()
            .city_id
    );
}
