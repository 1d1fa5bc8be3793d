//! The real programs: three `wego-node` processes founded, run, watched and stopped with the commands of the README.

use std::{fs, path::Path};

use wego_tests::process::{Daemon, Federation, Signal, call, documented, free_address, shell, wait_for};

const CITIES: [&str; 3] = ["kr-seoul", "fr-paris", "sn-dakar"];

/// Publishes the example of `wego practice template` under a title, and returns its record id.
fn publish(federation: &Federation, n: usize, title: &str) -> String {
    let template = call(federation.dir.path(), "wego", &["practice", "template"]).ok();
    let file = federation.dir.path().join("practice.yaml");
    fs::write(&file, template).unwrap();
    let title = format!("en={title}");
    let args = ["practice", "publish", "--json", "--file", file.to_str().unwrap(), "--title", &title];
    let done = federation.sites[n].wego(&args);
    assert_eq!(done.code, Some(0), "{}", done.err);
    done.json()["record_id"].as_str().unwrap().to_owned()
}

#[test]
fn three_processes_exchange_records_and_say_that_all_is_well() {
    let federation = Federation::start(&CITIES);
    let id = publish(&federation, 0, "One number for everything");
    federation.converge(0);
    for site in &federation.sites {
        let status = site.wego(&["status", "--json"]);
        assert_eq!(status.code, Some(0), "{}", status.out);
        assert_eq!(status.json()["members"], 3);
        let shown = site.wego(&["record", "show", &id, "--json"]).json();
        assert_eq!(shown["provenance"]["handle"], "kr-seoul", "{shown}");
        assert_eq!(shown["provenance"]["verified"], true);
        let found = site.wego(&["search", "one", "number", "--json"]).json();
        assert_eq!(found["hits"][0]["record_id"], id.as_str());
        let own = found["coverage"].as_array().unwrap().iter().find(|city| city["handle"] == *site.handle);
        assert!(own.unwrap()["seen_at"].is_string(), "a node's own data is always current: {found}");
        let members = site.wego(&["member", "list", "--json"]).json();
        let handles: Vec<_> = members["members"].as_array().unwrap().iter().map(|m| &m["handle"]).collect();
        assert_eq!(handles, ["fr-paris", "kr-seoul", "sn-dakar"]);
    }
    let human = federation.sites[1].wego(&["member", "list"]);
    assert!(human.out.contains("kr-seoul") && human.out.contains("connected"), "{}", human.out);
}

#[test]
fn a_peer_is_listed_pinged_added_and_removed() {
    let mut federation = Federation::start(&CITIES[..2]);
    let seoul = &federation.sites[0];
    let peers = seoul.wego(&["peer", "list", "--json"]).json();
    assert_eq!(
        (&peers["peers"][0]["handle"], &peers["peers"][0]["state"]),
        (&"fr-paris".into(), &"connected".into())
    );
    let ping = seoul.wego(&["peer", "ping", "fr-paris", "--json"]);
    assert_eq!((ping.code, &ping.json()["reached"]), (Some(0), &true.into()));

    let pinned = |federation: &Federation| {
        federation.sites[0].wego(&["peer", "list", "--json"]).json()["peers"][0]["pinned"].as_bool().unwrap()
    };
    assert!(!pinned(&federation));
    assert_eq!(seoul.wego(&["peer", "add", "fr-paris"]).code, Some(0));
    assert!(pinned(&federation));
    let refused = seoul.wego(&["peer", "remove", "fr-paris"]);
    assert_eq!(refused.code, Some(2), "nobody can be asked: {}", refused.err);
    assert_eq!(seoul.wego(&["peer", "remove", "fr-paris", "--yes"]).code, Some(0));
    assert!(!pinned(&federation));
    assert_eq!(seoul.wego(&["peer", "add", "de-nowhere"]).code, Some(9), "no such member");

    assert!(federation.sites[1].end(Signal::TERM).success());
    let ping = federation.sites[0].wego(&["peer", "ping", "fr-paris"]);
    assert_eq!(ping.code, Some(5), "{}{}", ping.out, ping.err);
    wait_for("the loss shows in the status", || federation.sites[0].wego(&["status"]).code == Some(3));
    let status = federation.sites[0].wego(&["status"]);
    assert!(status.out.contains("degraded"), "{}", status.out);
}

#[test]
fn a_node_that_does_not_run_is_unreachable_and_an_unknown_operator_is_not_let_in() {
    let mut federation = Federation::found(&CITIES[..2]);
    let silent = federation.sites[0].wego(&["status"]);
    assert_eq!(silent.code, Some(5), "{}", silent.err);
    assert!(silent.err.contains("hint: "), "{}", silent.err);

    federation.sites[0].start();
    federation.sites[0].answers();
    // The address and key of one node with the certificate of another one's operator.
    let [ours, theirs] = [federation.sites[0].profile(), federation.sites[1].profile()];
    let text = fs::read_to_string(ours.join("profile.toml")).unwrap();
    fs::write(theirs.join("profile.toml"), text).unwrap();
    let stranger = federation.sites[1].wego(&["status"]);
    assert_eq!(stranger.code, Some(4), "{}", stranger.err);
}

#[test]
fn sigterm_ends_a_node_in_order_and_it_starts_again_with_everything() {
    let mut federation = Federation::start(&CITIES[..2]);
    let id = publish(&federation, 0, "Kept over a restart");
    assert_eq!(federation.sites[0].end(Signal::TERM).code(), Some(0));
    federation.sites[0].start();
    federation.is_well();
    let shown = federation.sites[0].wego(&["record", "show", &id]);
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    assert_eq!(federation.sites[0].end(Signal::INT).code(), Some(0), "Ctrl-C too");
}

#[test]
fn what_gives_away_power_is_not_done_without_a_yes() {
    let federation = Federation::found(&CITIES[..1]);
    let site = &federation.sites[0];
    let operators = || fs::read_to_string(site.dir.join("operators.toml")).unwrap();
    let before = operators();
    let add = ["operator", "add", "--name", "awa", "--role", "admin", "--out", "awa"];
    let alone = ["recover", "--i-am-alone", "--reason", "no member answers"];
    for (command, what) in
        [(&add[..], "awa with the new key may call the node as admin"), (&alone, "is void then")]
    {
        let refused = site.wego_node(command);
        assert_eq!(refused.code, Some(2), "{}", refused.err);
        assert!(refused.err.contains(what) && refused.err.contains("hint: add --yes"), "{}", refused.err);
    }
    assert!(operators() == before && !federation.dir.path().join("awa").exists());
    let next = site.wego_node(&["recover"]).ok();
    assert!(!next.contains("without asking"), "{next}");
    let _ = site.wego_node(&[&alone[..], &["--yes"]].concat()).ok();
    assert!(site.wego_node(&["recover"]).ok().contains("without asking"));
    let _ = site.wego_node(&[&add[..], &["--yes"]].concat()).ok();
    assert!(operators().contains("awa"));
}

#[test]
fn sighup_admits_a_new_operator_and_refuses_a_removed_one() {
    let mut federation = Federation::found(&CITIES[..1]);
    let site = &mut federation.sites[0];
    site.start();
    site.answers();
    let (config, home) = (site.config(), federation.dir.path());
    let operator = |args: &[&str]| {
        let config = ["--config", config.to_str().unwrap()];
        call(home, "wego-node", &[&["operator"], args, &config].concat())
    };
    let awa = || call(home, "wego", &["--profile", "./awa", "search", "anything"]).code;
    let _ = operator(&["add", "--name", "awa", "--role", "reader", "--out", "awa", "--yes"]).ok();
    assert_eq!(awa(), Some(4), "the file alone admits nobody");
    site.daemon().signal(Signal::HUP);
    wait_for("the new operator is let in", || awa() == Some(0));

    fs::write(home.join("bus.yaml"), call(home, "wego", &["practice", "template"]).ok()).unwrap();
    let write = call(home, "wego", &["--profile", "./awa", "practice", "publish", "--file", "bus.yaml"]);
    assert_eq!(write.code, Some(4), "a reader does not write: {}", write.err);

    let _ = operator(&["remove", "--name", "awa"]).ok();
    site.daemon().signal(Signal::HUP);
    wait_for("the removed operator is refused", || awa() == Some(4));

    fs::write(site.dir.join("operators.toml"), "nonsense").unwrap();
    site.daemon().signal(Signal::HUP);
    wait_for("the reload fails", || site.daemon().log().contains("operators not read again"));
    assert!(matches!(site.wego(&["status"]).code, Some(0 | 3)), "the old list stays");
}

#[test]
fn a_second_process_in_the_same_folder_is_refused() {
    let mut federation = Federation::found(&CITIES[..1]);
    federation.sites[0].start();
    federation.sites[0].answers();
    let site = &federation.sites[0];
    // On other ports: not the sockets refuse it but the folder.
    let mut text = fs::read_to_string(site.config()).unwrap();
    for taken in [site.peers, site.clients] {
        text = text.replace(&taken.to_string(), &free_address().to_string());
    }
    let second = site.dir.join("second.toml");
    fs::write(&second, text).unwrap();
    let log = federation.dir.path().join("second.log");
    let mut twin = Daemon::start(federation.dir.path(), &second, &log);
    assert_eq!(twin.ended().code(), Some(6), "{}", twin.log());
    assert!(twin.log().contains("hint: stop the other node"), "{}", twin.log());
    assert!(matches!(federation.sites[0].wego(&["status"]).code, Some(0 | 3)), "the first one goes on");
}

#[test]
fn a_proof_is_checked_offline_and_a_tampered_one_is_an_integrity_violation() {
    let federation = Federation::start(&CITIES[..2]);
    let id = publish(&federation, 0, "Anybody can check this");
    federation.converge(0);
    let (proof, roster) = (federation.dir.path().join("bus.proof"), federation.dir.path().join("chain.pem"));
    let other = &federation.sites[1];
    let _ = other.wego(&["record", "export", &id, "--out", proof.to_str().unwrap()]).ok();
    let _ = other.wego(&["roster", "show", "--out", roster.to_str().unwrap()]).ok();
    drop(federation.sites);

    let elsewhere = tempfile::tempdir().unwrap();
    let verify = |proof: &Path, roster: &Path| {
        let files = [proof, roster].map(|path| path.to_str().unwrap().to_owned());
        call(elsewhere.path(), "wego", &["record", "verify", &files[0], "--roster", &files[1], "--json"])
    };
    let verified = verify(&proof, &roster);
    assert_eq!(verified.code, Some(0), "{}", verified.err);
    let said = verified.json();
    assert_eq!((&said["signed_by"], &said["verified"]), (&"kr-seoul".into(), &true.into()));
    assert_eq!(said["record_id"], id.as_str());

    let text = fs::read_to_string(&proof).unwrap();
    let body = text.find("-----\n").unwrap();
    let letters = text.match_indices(|c: char| c.is_ascii_alphanumeric()).filter(|(at, _)| *at > body);
    let (mut changed, mut refused) = (0, 0);
    for (at, letter) in letters.step_by(97) {
        let mut tampered = text.clone();
        tampered.replace_range(at..=at, if letter == "A" { "B" } else { "A" });
        let file = elsewhere.path().join("tampered.proof");
        fs::write(&file, tampered).unwrap();
        let done = verify(&file, &roster);
        changed += 1;
        refused += usize::from(done.code == Some(7) && done.out.is_empty());
        // The author's handle at the end of a proof is a label: what counts, and is shown, is the roster's.
        assert!(done.code == Some(7) || done.out == verified.out, "letter {at}: {}{}", done.out, done.err);
    }
    assert!(changed > 10 && refused >= changed - 1, "{refused} of {changed} were refused");
    let foreign = Federation::found(&CITIES[..1]);
    let refused = verify(&proof, &foreign.dir.path().join("roster.pem"));
    assert_eq!(refused.code, Some(7), "the roster of another federation: {}", refused.err);
}

/// Waits, in the script, until all three nodes hold and show the same: a person reads on meanwhile.
const SETTLE: &str = "
until [ \"$(for city in seoul paris dakar; do
    wego --profile ./$city/profile status --json | grep -E '\"entries\"|\"indexed_behind\": 0'
done | sort -u | wc -l)\" = 2 ]; do sleep 0.1; done
";

/// The README's commands in order, each address on loopback replaced by a free one.
fn commands_of_readme() -> String {
    let mut script = String::new();
    for block in documented("README.md") {
        script += &block;
        // What is published while the nodes run is read at another node by the next block.
        if block.contains("practice publish") || block.contains("import data-json") {
            script += SETTLE;
        }
    }
    assert!(script.matches(SETTLE).count() == 2, "the README's blocks are marked `sh setup`");
    while let Some(at) = script.find("127.0.0.1:74") {
        let address = script[at..at + "127.0.0.1:74xx".len()].to_owned();
        // Marked while others are searched for: a free port may begin with 74 as well.
        script = script.replace(&address, &format!("127.0.0.one:{}", free_address().port()));
    }
    script.replace("127.0.0.one", "127.0.0.1")
}

#[test]
fn the_commands_of_the_readme_work_as_they_stand() {
    let home = tempfile::tempdir().unwrap();
    let done = shell(home.path(), &commands_of_readme());
    assert_eq!(done.code, Some(0), "{}\n{}", done.out, done.err);
    for said in [
        "2 of 2 signatures: the roster is complete",
        "Bus arrival times on every stop",
        "verified: signed by kr-seoul",
        "Street trees",
    ] {
        assert!(done.out.contains(said), "{said}: {}\n{}", done.out, done.err);
    }
    assert!(done.err.contains("dropped 1 name of contact persons"), "{}", done.err);
}
