//! A node changes its transport key while it runs: nobody is cut off, and nobody has to do anything.

use std::fs;

use serde_json::Value;
use wego_node::keys::TransportKeys;
use wego_tests::process::{Federation, Signal, Site, wait_for};

fn wego(site: &Site, args: &[&str]) -> Value {
    let done = site.wego(&[args, &["--json"]].concat());
    assert_eq!(done.code, Some(0), "{args:?}: {}{}", done.out, done.err);
    done.json()
}

/// Founded, with the shortest times, and running.
fn quick() -> Federation {
    let mut federation = Federation::found(&["kr-seoul", "fr-paris", "sn-dakar"]);
    for site in &mut federation.sites {
        site.set("peers", "transport_overlap_s = 1\nreceipts_s = 1");
        site.start();
    }
    federation.is_well();
    federation
}

/// Publishes a practice, once the node may write.
fn publish(site: &Site, title: &str) {
    let form = site.dir.join("form.yaml");
    fs::write(&form, site.wego(&["practice", "template"]).ok()).unwrap();
    let title = format!("en={title}");
    let publish = ["practice", "publish", "--file", form.to_str().unwrap(), "--title", &title];
    wait_for("it is published", || site.wego(&publish).code == Some(0));
}

fn shows(site: &Site, title: &str) -> bool {
    site.wego(&["practice", "list"]).out.contains(title)
}

fn pinned(site: &Site) -> toml::Table {
    fs::read_to_string(site.profile().join("profile.toml")).unwrap().parse().unwrap()
}

/// Begins a change, waits until it is over, and returns the key before and after.
fn rotated(site: &Site) -> (String, String) {
    let begun = wego(site, &["key", "rotate-transport", "--yes"]);
    let (old, new) = (begun["in_use"]["key"].clone(), begun["next"]["key"].clone());
    assert!(begun["next"]["missing"].is_array() && old != new, "{begun}");
    wait_for("the new key takes over", || wego(site, &["key", "show"])["transport"]["next"].is_null());
    let now = wego(site, &["key", "show"]);
    assert_eq!(now["transport"]["in_use"]["key"], new);
    assert_eq!(now["transport_keys"].as_array().map(Vec::len), Some(1), "{now}");
    let [old, new] = [old, new].map(|key| key.as_str().unwrap().to_owned());
    (old, new)
}

#[test]
fn a_transport_key_takes_over_while_the_node_runs() {
    let mut federation = quick();
    let (old, new) = rotated(&federation.sites[0]);
    assert_eq!(
        pinned(&federation.sites[0])["server_key"].as_str(),
        Some(new.as_str()),
        "the profile follows"
    );
    for at in 1..3 {
        let seen = || wego(&federation.sites[at], &["member", "show", "kr-seoul"])["member"].clone();
        wait_for("peers go by the new key alone", || seen()["transport_keys"][0]["key"] == new.as_str());
    }
    publish(&federation.sites[0], "After the change");
    publish(&federation.sites[1], "From Paris");
    wait_for("entries go both ways", || {
        federation.sites[1..].iter().all(|site| shows(site, "After the change"))
            && shows(&federation.sites[0], "From Paris")
    });
    federation.is_well();

    // Another time, with another log key too: the roster knows neither of them, and the node knows itself all the same.
    wego(&federation.sites[0], &["key", "rotate", "--yes"]);
    let (before, newest) = rotated(&federation.sites[0]);
    assert!(before == new && newest != old);
    let seoul = &mut federation.sites[0];
    assert!(seoul.end(Signal::TERM).success());
    fs::remove_dir_all(seoul.dir.join("data")).unwrap();
    seoul.start();
    federation.is_well();
    publish(&federation.sites[0], "After the loss");
    wait_for("it goes on", || federation.sites[1..].iter().all(|site| shows(site, "After the loss")));
}

#[test]
fn a_change_that_somebody_has_not_heard_of_waits_and_can_be_finished() {
    let mut federation = quick();
    assert!(federation.sites[2].end(Signal::TERM).success());
    let seoul = &federation.sites[0];
    let begun = wego(seoul, &["key", "rotate-transport", "--yes"]);
    let again = seoul.wego(&["key", "rotate-transport", "--yes"]);
    assert_eq!(again.code, Some(6), "{}", again.err);
    assert!(again.err.contains("under way") && again.err.contains("hint:"), "{}", again.err);
    wait_for("Paris knows it", || {
        wego(seoul, &["key", "show"])["transport"]["next"]["missing"] == serde_json::json!(["sn-dakar"])
    });
    assert_eq!(wego(seoul, &["key", "show"])["transport"]["in_use"], begun["in_use"], "it waits for Dakar");
    // The node keeps both over a restart.
    let seoul = &mut federation.sites[0];
    assert!(seoul.end(Signal::KILL).code().is_none());
    seoul.start();
    seoul.answers();
    wait_for("it may write again", || {
        let done = federation.sites[0].wego(&["key", "rotate-transport", "--finish", "--yes"]);
        assert!(matches!(done.code, Some(0 | 6)), "{}", done.err);
        done.code == Some(0)
    });
    let none = federation.sites[0].wego(&["key", "rotate-transport", "--finish", "--yes"]);
    assert!(none.code == Some(6) && none.err.contains("no change is under way"), "{}", none.err);
    // Dakar hears of it from Paris, and then knows Seoul again.
    federation.sites[2].start();
    federation.is_well();
    publish(&federation.sites[2], "From Dakar");
    wait_for("Dakar and Seoul speak", || shows(&federation.sites[0], "From Dakar"));
}

#[test]
fn a_certificate_in_the_last_third_of_its_life_is_made_anew_while_the_node_runs() {
    const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
    let mut federation = quick();
    let seoul = &mut federation.sites[0];
    let before = wego(seoul, &["key", "show"])["transport"].clone();
    let now_ms =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
    let keys = TransportKeys::of(&seoul.dir.join("keys"), &seoul.handle);
    keys.renew(now_ms - 300 * DAY_MS).unwrap();
    let old = fs::read(seoul.dir.join("keys/transport.crt")).unwrap();
    seoul.daemon().signal(Signal::HUP);
    wait_for("another certificate", || fs::read(seoul.dir.join("keys/transport.crt")).unwrap() != old);
    wait_for("it is shown", || {
        let now = wego(seoul, &["key", "show"])["transport"].clone();
        now["certificate_until"].as_str() >= before["certificate_until"].as_str()
            && now["in_use"] == before["in_use"]
    });
    assert!(seoul.daemon().log().contains("the certificate was made anew"));
    federation.is_well();
}

#[test]
fn with_a_copy_of_the_keys_from_before_a_change_the_next_key_opens_the_way() {
    let mut federation = quick();
    let seoul = &mut federation.sites[0];
    publish(seoul, "Before the loss");
    wego(seoul, &["key", "rotate-transport", "--yes"]);
    let copy = seoul.dir.join("keys-copy");
    wego_tests::process::copy(&seoul.dir.join("keys"), &copy);
    wait_for("the new key takes over", || wego(seoul, &["key", "show"])["transport"]["next"].is_null());
    assert!(seoul.end(Signal::TERM).success());
    fs::remove_dir_all(seoul.dir.join("data")).unwrap();
    fs::remove_dir_all(seoul.dir.join("keys")).unwrap();
    wego_tests::process::copy(&copy, &seoul.dir.join("keys"));
    let profile = seoul.profile().join("profile.toml");
    let old = fs::read_to_string(&profile).unwrap();
    let shown = wego_node::keys::load_transport(&copy).unwrap().1.to_string();
    let pinned = old.lines().map(|line| match line.starts_with("server_key") {
        true => format!("server_key = '{shown}'\n"),
        false => format!("{line}\n"),
    });
    fs::write(&profile, pinned.collect::<String>()).unwrap();
    seoul.start();
    seoul.answers();
    // Peers refuse the key of the copy, and the roster, which is all that is left, knows no other.
    let finished = seoul.wego(&["key", "rotate-transport", "--finish", "--yes"]);
    assert_eq!(finished.code, Some(0), "{}", finished.err);
    fs::write(&profile, old).unwrap();
    federation.is_well();
    wait_for("it has its log again", || shows(&federation.sites[0], "Before the loss"));
    publish(&federation.sites[0], "After the loss");
    wait_for("it goes on", || federation.sites[1..].iter().all(|site| shows(site, "After the loss")));
}
