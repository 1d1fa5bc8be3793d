//! Claims about the command line: what is data, what is talk, and which exit code each end has.

use std::{fs, path::Path};

use clap::CommandFactory as _;
use wego_proto::{
    armour::{self, Label},
    card::MemberCard,
    roster, v1,
};

use super::*;
use crate::keys;

struct Done {
    exit: Exit,
    out: String,
    err: String,
}

fn wego_node(args: &[&str]) -> Done {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["wego-node"].iter().chain(args).map(OsString::from);
    let exit = run(args, &mut out, &mut err);
    Done { exit, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

fn init(parent: &Path) -> String {
    let dir = parent.join("node").display().to_string();
    let done = wego_node(&[
        "init",
        "--dir",
        &dir,
        "--handle",
        "kr-seoul",
        "--name",
        "en=Seoul",
        "--name",
        "ko=서울",
        "--country",
        "KR",
        "--place",
        "KRSEL",
        "--endpoint",
        "127.0.0.1:7400",
        "--peers",
        "127.0.0.1:0",
        "--clients",
        "127.0.0.1:0",
        "--portal",
        "off",
    ]);
    assert_eq!(done.exit, Exit::Done, "{}", done.err);
    assert_eq!(done.out, format!("{dir}/member-card.pem\n"), "data is the card's path alone");
    assert!(done.err.contains("recovery.pem") && done.err.contains("fingerprint"), "{}", done.err);
    dir
}

/// A federation of this one member.
fn found(dir: &str) {
    let text = fs::read_to_string(format!("{dir}/member-card.pem")).unwrap();
    let card = MemberCard::open(&armour::read(Label::MemberCard, &text).unwrap()).unwrap();
    let governance = keys::read_secret_key(Path::new(&format!("{dir}/keys/governance.pem"))).unwrap();
    let member = v1::Member {
        idx: 1,
        city_id: card.city_id.as_bytes().to_vec(),
        handle: card.inception.handle,
        names: card.inception.names,
        transport_keys: vec![card.transport_key.as_bytes().to_vec()],
        log_keys: vec![v1::LogKey {
            key_no: 1,
            key: card.log_key.as_bytes().to_vec(),
            from: Some(v1::Position { epoch: 1, seq: 1 }),
            until: None,
            ..Default::default()
        }],
        status: v1::MemberStatus::Active.into(),
        role: v1::MemberRole::Member.into(),
        ..Default::default()
    };
    let content = v1::Roster {
        format: 1,
        version: 1,
        federation_name: "WeGO".to_owned(),
        governance: Some(v1::Governance {
            keys: vec![governance.public().as_bytes().to_vec()],
            threshold: 1,
            ..Default::default()
        }),
        wire_min: 1,
        wire_max: 1,
        entry_format: 1,
        members: vec![member],
        ..Default::default()
    };
    let mut signed = v1::SignedRoster { roster: prost::Message::encode_to_vec(&content), signatures: vec![] };
    roster::add_signature(&mut signed, &governance);
    let text = armour::write(Label::Roster, &[], &v1::RosterChain { versions: vec![signed] });
    fs::write(format!("{dir}/roster.pem"), text).unwrap();
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn help_is_data_and_nonsense_is_a_usage_error() {
    let help = wego_node(&["--help"]);
    assert_eq!((help.exit, help.err.as_str()), (Exit::Done, ""));
    assert!(help.out.contains("Exit codes:"));
    let nonsense = wego_node(&["dance"]);
    assert_eq!((nonsense.exit, nonsense.out.as_str()), (Exit::Usage, ""));
    assert_eq!(wego_node(&[]).exit, Exit::Usage);
}

#[test]
fn exit_codes_are_those_of_the_contract() {
    let all = [Exit::Done, Exit::Failed, Exit::Usage, Exit::Unreachable, Exit::Conflict, Exit::Integrity];
    assert_eq!(all.map(Exit::code), [0, 1, 2, 5, 6, 7]);
}

#[test]
fn a_second_init_is_a_conflict_and_a_bad_answer_a_usage_error() {
    let parent = tempfile::tempdir().unwrap();
    let dir = init(parent.path());
    let again = |dir: &str, country: &str| {
        wego_node(&["init", "--dir", dir, "--handle", "kr-seoul", "--name", "en=Seoul", "--country", country])
    };
    let second = again(&dir, "KR");
    assert_eq!(second.exit, Exit::Conflict);
    assert!(second.err.contains("\n\nhint: keys are never overwritten"), "{}", second.err);
    assert_eq!(again(&format!("{dir}-2"), "Korea").exit, Exit::Usage);
}

#[test]
fn a_founded_node_passes_the_check() {
    let parent = tempfile::tempdir().unwrap();
    let dir = init(parent.path());
    found(&dir);
    let done = wego_node(&["check-config", "--config", &format!("{dir}/wego-node.toml")]);
    assert_eq!(done.exit, Exit::Done, "{}", done.err);
    assert!(done.err.contains("version 1, has kr-seoul with this key"), "{}", done.err);
    assert!(done.err.contains("advice:") && done.err.contains("recovery.pem"), "{}", done.err);
    let effective: toml::Table = toml::from_str(&done.out).unwrap();
    assert_eq!(effective["store"]["cache_mib"].as_integer(), Some(64), "defaults are shown");
}

#[test]
fn every_problem_is_told_with_a_hint() {
    let parent = tempfile::tempdir().unwrap();
    let dir = init(parent.path());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = format!("{dir}/wego-node.toml");
    let text = fs::read_to_string(&config).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    fs::write(&config, text.replacen("127.0.0.1:0", &address, 1)).unwrap();
    fs::remove_file(format!("{dir}/keys/log.pem")).unwrap();
    let done = wego_node(&["check-config", "--config", &config]);
    assert_eq!(done.exit, Exit::Failed);
    for what in ["keys/log.pem cannot be read", "roster.pem cannot be read", "cannot be listened on"] {
        assert!(done.err.contains(what), "{what}: {}", done.err);
    }
    let hints = done.err.matches("hint:").count();
    assert!(hints > done.err.matches("problem:").count(), "each has its hint, and the whole: {}", done.err);
    let running = wego_node(&["check-config", "--config", &config, "--running"]);
    assert!(!running.err.contains("listened on"), "{}", running.err);
}

#[test]
fn a_roster_of_another_folder_is_told_apart() {
    let parents = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, two] = parents.each_ref().map(|parent| init(parent.path()));
    found(&one);
    fs::copy(format!("{one}/roster.pem"), format!("{two}/roster.pem")).unwrap();
    let done = wego_node(&["check-config", "--config", &format!("{two}/wego-node.toml")]);
    assert_eq!(done.exit, Exit::Failed);
    assert!(done.err.contains("another transport key for kr-seoul"), "{}", done.err);
}

#[test]
fn an_operator_is_added_listed_and_removed() {
    let parent = tempfile::tempdir().unwrap();
    let dir = init(parent.path());
    let (config, out) = (format!("{dir}/wego-node.toml"), format!("{}/awa", parent.path().display()));
    let add = |name: &str, out: &str| {
        wego_node(&[
            "operator", "add", "--name", name, "--role", "editor", "--out", out, "--yes", "--config", &config,
        ])
    };
    let added = add("Awa", &out);
    assert_eq!((added.exit, added.out), (Exit::Done, format!("{out}\n")), "{}", added.err);
    assert!(Path::new(&out).join("profile.toml").exists());
    let twice = add("Awa", &format!("{out}-2"));
    assert_eq!(twice.exit, Exit::Conflict);
    assert!(!Path::new(&format!("{out}-2")).exists(), "nothing is left of it");

    let listed = wego_node(&["operator", "list", "--config", &config, "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
    assert_eq!((&listed[0]["name"], &listed[0]["role"]), (&"Awa".into(), &"editor".into()));
    assert_eq!(wego_node(&["operator", "list", "--config", &config]).out.lines().count(), 2);

    let remove = |name: &str| wego_node(&["operator", "remove", "--name", name, "--config", &config]);
    assert_eq!(remove("Awa").exit, Exit::Done);
    assert_eq!(remove("Awa").exit, Exit::NotFound);
    assert_eq!(remove("admin").exit, Exit::Conflict, "the last admin stays");

    for (flags, code) in [(&["--config", "/nowhere"][..], 1), (&["--none"][..], 2)] {
        let refused = wego_node(&[&["operator", "list", "--json"], flags].concat());
        let object: serde_json::Value = serde_json::from_str(&refused.err).unwrap();
        assert_eq!((&object["exit_code"], refused.exit.code()), (&code.into(), code), "{object}");
        assert!(
            object["hint"].is_string() && !object["error"].as_str().unwrap().starts_with("error"),
            "{object}"
        );
    }
}
