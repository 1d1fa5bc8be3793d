//! Claims about the commands that talk to a node, against a fake one behind real TLS and gRPC.

#![expect(clippy::expect_used, reason = "a test stops where its ground is missing")]

mod fake;

use std::fs;

use fake::{BackupEnd, FakeNode, real};
use serde_json::{Value, json};
use wego_proto::v1::{self, Health};

/// Publishes the template and returns its id.
fn published(node: &FakeNode) -> String {
    let template = node.wego("practice template").out;
    node.file("bus.yaml", &template);
    let written = node.wego("practice publish --file %bus.yaml --json").json();
    assert_eq!(written["outcome"], "created");
    written["record_id"].as_str().expect("an id").to_owned()
}

#[test]
fn what_show_prints_can_be_revised_and_fed_back() {
    let node = FakeNode::start();
    let id = published(&node);
    let shown = node.wego(&format!("practice show {id} --json")).json();
    assert_eq!(shown["record"]["jurisdiction"]["place"], "KRSEL");
    node.file("same.json", &shown["record"].to_string());
    let same = node.wego(&format!("practice revise {id} --file %same.json --json")).json();
    assert_eq!(same["outcome"], "unchanged");
    let ended = node.wego(&format!("practice revise {id} --stage ended --title ko=버스 --json")).json();
    assert_eq!(ended["outcome"], "revised");
    let shown = node.wego(&format!("practice show {id} --json")).json();
    assert_eq!((&shown["record"]["stage"], &shown["versions"]), (&json!("ended"), &json!(2)));
    assert_eq!(shown["record"]["title"]["ko"], "버스");
    let human = node.wego(&format!("practice show {id} --lang ko"));
    assert!(human.out.starts_with("버스\n") && human.out.contains("verified"), "{}", human.out);
    let yaml = node.wego(&format!("practice show {id} --yaml")).out;
    node.file("again.yaml", &yaml);
    assert_eq!(
        node.wego(&format!("practice revise {id} --file %again.yaml --json")).json()["outcome"],
        "unchanged"
    );
    assert_eq!(
        node.wego(&format!("practice history {id} --json")).json()["versions"].as_array().map(Vec::len),
        Some(2)
    );
}

#[test]
fn a_version_that_was_overtaken_is_a_conflict() {
    let node = FakeNode::start();
    let id = published(&node);
    let base = node.wego(&format!("practice show {id} --json")).json()["provenance"]["entry_hash"].clone();
    let base = base.as_str().expect("a hash");
    assert_eq!(node.wego(&format!("practice revise {id} --stage scaled")).code, 0);
    let late = node.wego(&format!("practice revise {id} --stage ended --expected-base {base}"));
    assert_eq!(late.code, 6, "{}", late.err);
}

#[test]
fn a_lost_answer_is_settled_by_its_request_id() {
    let node = FakeNode::start();
    node.file("bus.yaml", &node.wego("practice template").out);
    node.state().silent = true;
    let lost = node.wego("practice publish --file %bus.yaml --timeout 300ms");
    assert_eq!(lost.code, 5, "{}", lost.err);
    let id = lost.err.split("--request-id ").nth(1).and_then(|rest| rest.split(',').next()).expect("an id");
    node.state().silent = false;
    let again = node.wego(&format!("practice publish --file %bus.yaml --request-id {id} --json")).json();
    assert_eq!((&again["outcome"], node.state().records.len()), (&json!("created"), 1));
}

#[test]
fn withdrawing_shows_where_and_asks_first() {
    let node = FakeNode::start();
    let id = published(&node);
    let line = format!("practice retract {id} --reason by_mistake");
    let unasked = node.wego(&line);
    assert_eq!(unasked.code, 2);
    assert!(
        unasked.err.contains("kr-seoul in WeGO withdraws") && unasked.err.contains("add --yes"),
        "{}",
        unasked.err
    );
    assert_eq!(node.wego_answering(&line, "n\n").code, 8);
    assert_eq!(node.wego(&format!("{line} --dry-run")).code, 0);
    assert!(node.state().records.values().all(|stored| !stored.retracted));
    assert_eq!(node.wego_answering(&line, "y\n").code, 0);
    let shown = node.wego(&format!("record show {id} --json")).json();
    assert_eq!((&shown["retracted"], &shown["retract_reason"]), (&json!(true), &json!("by mistake")));
    assert_eq!(node.wego("practice list --json").json()["records"], json!([]));
}

#[test]
fn an_adoption_is_declared_once_and_withdrawn_with_its_reason() {
    let node = FakeNode::start();
    let practice = published(&node);
    let pilot =
        node.wego(&format!("adoption declare {practice} --stage pilot --since 2010-09 --json")).json();
    let live = node.wego(&format!("adoption declare {practice} --stage live --since 2011 --json")).json();
    assert_eq!((&live["outcome"], &live["record_id"]), (&json!("revised"), &pilot["record_id"]));
    let gone = node.wego(&format!("adoption withdraw {practice} --reason en=Too_dear --yes"));
    assert_eq!(gone.code, 0, "{}", gone.err);
    let listed = node.wego(&format!("adoption list --practice {practice} --json")).json();
    assert_eq!(listed["adoptions"][0]["stage"], "withdrawn");
    assert_eq!(listed["adoptions"][0]["reason_withdrawn"]["en"], "Too dear");
    assert_eq!(node.wego(&format!("dataset show {practice}")).code, 2, "a practice is no dataset");
}

#[test]
fn who_is_at_the_other_end_decides_the_exit_code() {
    let node = FakeNode::start();
    let stranger = node.wego_as("stranger", "status", None);
    assert_eq!(stranger.code, 4, "{}", stranger.err);
    let misled = node.wego_as("misled", "status", None);
    assert_eq!(misled.code, 7, "{}", misled.err);
    assert!(misled.err.contains("another key"), "{}", misled.err);
    node.state().deny = true;
    let denied = node.wego("practice publish --stage idea --title en=x");
    assert_eq!(denied.code, 4, "{}", denied.err);
    assert!(denied.err.contains("your role is reader"), "{}", denied.err);
    let gone = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let profile = node.path("operator/profile.toml");
    let moved = fs::read_to_string(&profile).expect("profile").replace(&node.address, &gone.to_string());
    fs::write(&profile, moved).expect("profile");
    assert_eq!(node.wego("status").code, 5);
}

#[test]
fn the_fingerprint_that_key_show_tells_pins_the_node() {
    let node = FakeNode::start();
    let refused = node.wego_as("misled", "status", None);
    assert!(
        refused.code == 7 && refused.err.contains("that fingerprint into profile.toml"),
        "{}",
        refused.err
    );
    let fingerprint = node.fingerprint();
    for told in [fingerprint.clone(), fingerprint.to_lowercase()] {
        node.pin("misled", &told);
        let done = node.wego_as("misled", "status", None);
        assert_eq!(done.code, 0, "{}", done.err);
    }
    let mistyped =
        fingerprint.replacen(&fingerprint[..1], if fingerprint.starts_with('A') { "B" } else { "A" }, 1);
    node.pin("misled", &mistyped);
    let refused = node.wego_as("misled", "status", None);
    assert!(refused.code == 2 && refused.err.contains("or mistyped"), "{}", refused.err);
    assert!(refused.err.contains("hint: it is the fingerprint"), "{}", refused.err);
}

#[test]
fn status_is_problems_first_and_harmless_to_the_terminal() {
    let node = FakeNode::start();
    assert_eq!(node.wego("status").code, 0);
    let problem =
        v1::Problem { health: 2, what: "\x1b]0;pwn\x07disk".to_owned(), hint: "free \u{202e}it".to_owned() };
    node.state().status.problems = vec![problem];
    node.state().status.set_health(Health::Degraded);
    let status = node.wego("status");
    assert_eq!(status.code, 3);
    assert!(
        status.out.contains("\\u{1b}]0;pwn\\u{7}disk") && status.out.contains("\\u{202e}"),
        "{}",
        status.out
    );
    assert!(!status.out.contains(['\x1b', '\x07', '\u{202e}']));
    let json = node.wego("status --json");
    assert_eq!(json.code, 3);
    assert_eq!(json.json()["problems"][0]["what"], "\x1b]0;pwn\x07disk");
    assert!(!json.out.contains(['\x1b', '\x07', '\u{202e}']));
}

#[test]
fn hits_line_up_and_cannot_drive_the_terminal() {
    let node = FakeNode::start();
    let hit = |title: &str| v1::Hit {
        record_id: vec![1; 16],
        kind: 1,
        title: Some(wego_proto::record::v1::LangText { text: title.to_owned(), ..Default::default() }),
        ..Default::default()
    };
    node.state().hits = vec![hit("서울 버스"), hit("bus\x1b[2J")];
    let found = node.wego("search bus");
    let lines: Vec<&str> = found.out.lines().collect();
    let column = |line: &str| line.find("never").map(|at| unicode_width::UnicodeWidthStr::width(&line[..at]));
    assert_eq!(column(lines[1]), column(lines[2]), "{}", found.out);
    assert!(!found.out.contains('\x1b'));
    assert_eq!(node.wego("search -tram").code, 2);
    assert_eq!(node.wego("search -- -tram").code, 0);
}

#[test]
fn a_peer_that_is_not_reached_is_exit_code_5() {
    let node = FakeNode::start();
    let ping = node.wego("peer ping sn-dakar");
    assert_eq!(ping.code, 5);
    assert!(ping.err.contains("caused by: connection refused"), "{}", ping.err);
    assert_eq!(node.wego("peer remove sn-dakar").code, 2);
    assert_eq!(node.wego("peer remove sn-dakar --yes").code, 0);
    assert_eq!(node.wego("peer add sn-dakar --dry-run").code, 9, "no such member");
}

fn catalogue(identifiers: std::ops::Range<usize>) -> Value {
    let dataset = |id: usize| {
        let title = if id == 7 { "refuse me".to_owned() } else { format!("Dataset {id}") };
        json!({"title": title, "identifier": id.to_string(), "publisher": {"name": "Parks"}})
    };
    json!({"dataset": identifiers.map(dataset).collect::<Vec<_>>()})
}

#[test]
fn an_import_survives_refusals_and_never_withdraws_much_unasked() {
    let node = FakeNode::start();
    node.file("parks.json", &catalogue(0..200).to_string());
    let first = node.wego("import data-json %parks.json --json");
    assert_eq!(first.code, 3, "{}", first.err);
    let first = first.json();
    assert_eq!(
        (&first["result"]["created"], &first["refused"][0]["message"]),
        (&json!(199), &json!("title: is refused"))
    );
    node.file("parks.json", &catalogue(100..200).to_string());
    let before = node.state().seq;
    let shrunk = node.wego("import data-json %parks.json");
    assert_eq!((shrunk.code, node.state().seq), (6, before), "{}", shrunk.err);
    assert_eq!(node.wego_answering("import data-json %parks.json", "n\n").code, 8);
    let agreed = node.wego("import data-json %parks.json --yes --json").json();
    assert_eq!((&agreed["result"]["retracted"], &agreed["result"]["unchanged"]), (&json!(99), &json!(100)));
    // What an import withdrew comes back with the source; what a person withdrew does not.
    node.file("parks.json", &catalogue(99..200).to_string());
    assert_eq!(node.wego("import data-json %parks.json --json").json()["result"]["revised"], 1);
    let listed = node.wego("dataset list --city kr-seoul --source parks --limit 0 --json").json();
    assert_eq!(listed["records"].as_array().map(Vec::len), Some(101));
    for stored in node.state().records.values_mut().filter(|stored| !stored.retracted) {
        (stored.retracted, stored.reason) = (true, "a person's reason".to_owned());
    }
    let held = node.wego("import data-json %parks.json --json").json();
    assert_eq!((&held["plan"]["held_back"], &held["plan"]["add"]), (&json!(101), &json!(0)));
}

#[test]
fn philadelphia_twice_is_402_records_once_and_three_that_vanish_are_withdrawn() {
    let Some(text) = real("datajson/philadelphia.json") else { return };
    let node = FakeNode::start();
    node.file("phila.json", &text);
    let plan = node.wego("import data-json %phila.json --dry-run --json").json();
    assert_eq!((&plan["plan"]["add"], node.state().records.len()), (&json!(402), 0));
    let first = node.wego("import data-json %phila.json --json").json();
    assert_eq!(first["result"]["created"], 402);
    assert_eq!(first["warnings"].as_array().map(Vec::len), Some(391));
    let dropped = json!({
        "contact_names": 402, "contact_emails": 402, "emails_in_texts": 1, "phones_in_texts": 4, "names_in_texts": 0,
        "publishers": 0,
    });
    assert_eq!(first["dropped"], dropped);
    let second = node.wego("import data-json %phila.json --json").json();
    assert_eq!((&second["result"]["unchanged"], node.state().seq), (&json!(402), 402));
    let mut catalogue: Value = serde_json::from_str(&text).expect("JSON");
    catalogue["dataset"].as_array_mut().expect("a list").drain(10..13);
    node.file("phila.json", &catalogue.to_string());
    let third = node.wego("import data-json %phila.json");
    assert_eq!(third.code, 0, "{}", third.err);
    assert_eq!(node.state().records.values().filter(|stored| stored.retracted).count(), 3);
    assert!(third.out.contains("withdraw"), "{}", third.out);
}

#[test]
fn a_profile_is_added_used_and_removed_with_its_key() {
    let node = FakeNode::start();
    let home = node.path("home");
    let wego = |line: &str| {
        let (mut stdio, out, err) = wego_cli::Stdio::captured("");
        let home = home.clone().into_os_string();
        stdio.env = Box::new(move |name| (name == "XDG_CONFIG_HOME").then(|| home.clone()));
        let args = std::iter::once("wego").chain(line.split(' ')).map(Into::into);
        (wego_cli::run(args.collect::<Vec<_>>(), stdio), out.text(), err.text())
    };
    let folder = node.path("operator");
    assert_eq!(wego(&format!("profile add {}", folder.display())).0, 0);
    assert_eq!(wego("status").0, 0, "the only profile is the current one");
    assert_eq!(wego(&format!("profile add {}", folder.display())).0, 6);
    assert_eq!(wego(&format!("profile add {} --name second", folder.display())).0, 0);
    assert_eq!(wego("profile use second").0, 0);
    let listed: Value = serde_json::from_str(&wego("profile list --json").1).expect("JSON");
    assert_eq!(listed["profiles"][1]["current"], true);
    assert_eq!(wego("--profile kr-seoul status").0, 0);
    assert_eq!(wego("profile remove second").0, 2);
    assert_eq!(wego("profile remove second --yes").0, 0);
    assert!(!home.join("wego/profiles/second").exists());
    assert_eq!(wego("status").0, 0);
}

#[test]
fn a_backup_that_does_not_arrive_whole_leaves_no_file() {
    let node = FakeNode::start();
    let begun = wego_proto::backup::MAGIC.to_vec();
    let cases = [
        (Vec::new(), BackupEnd::End, 7),
        (b"something else than a backup".to_vec(), BackupEnd::End, 7),
        (begun.clone(), BackupEnd::End, 7),
        (begun.clone(), BackupEnd::Error, 7),
        (begun, BackupEnd::Silence, 5),
    ];
    for (bytes, end, code) in cases {
        node.state().backup = (bytes, end);
        let done = node.wego("backup create --out %backups/one.wego --timeout 300ms");
        assert_eq!(done.code, code, "{end:?}: {}", done.err);
        assert!(done.out.is_empty() && done.err.contains("hint: "), "{end:?}: {}", done.err);
        let left: Vec<_> = fs::read_dir(node.path("backups")).expect("a folder").collect();
        assert!(left.is_empty(), "{end:?}: {left:?}");
    }
}
