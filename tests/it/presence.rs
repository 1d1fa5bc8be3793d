//! What members say of themselves in their logs: every other node goes by it, and shows it, without a signature of the committee.

use std::fs;

use serde_json::Value;
use wego_tests::process::{Federation, Signal, Site, free_address, wait_for};

fn wego(site: &Site, args: &[&str]) -> Value {
    let done = site.wego(&[args, &["--json"]].concat());
    assert_eq!(done.code, Some(0), "{args:?}: {}{}", done.out, done.err);
    done.json()
}

fn member(site: &Site, handle: &str) -> Value {
    wego(site, &["member", "show", handle])["member"].clone()
}

#[test]
fn a_node_that_moves_is_dialled_at_its_new_address() {
    let mut federation = Federation::start(&["kr-seoul", "fr-paris", "sn-dakar"]);
    let (old, new) = (federation.sites[2].peers, free_address());
    let [old_text, new_text] = [old, new].map(|address| address.to_string());
    let set = ["member", "set", "--endpoint", &new_text];
    let rehearsed = wego(&federation.sites[2], &[&set[..], &["--dry-run"]].concat());
    assert_eq!(rehearsed["member"]["endpoints"][0], new_text.as_str());
    assert_eq!((&rehearsed["changes"], &rehearsed["written"]), (&Value::Bool(true), &serde_json::json!([])));
    assert_eq!(member(&federation.sites[2], "sn-dakar")["endpoints"][0], old_text.as_str());
    let said = wego(&federation.sites[2], &set);
    assert_eq!(said["written"].as_array().map(Vec::len), Some(1), "{said}");
    let again = wego(&federation.sites[2], &set);
    assert_eq!((&again["changes"], &again["written"]), (&Value::Bool(false), &serde_json::json!([])));
    for site in &federation.sites[..2] {
        wait_for("others know it", || member(site, "sn-dakar")["endpoints"] == serde_json::json!([new_text]));
    }

    let dakar = &mut federation.sites[2];
    assert!(dakar.end(Signal::TERM).success());
    let config = fs::read_to_string(dakar.config()).unwrap();
    fs::write(dakar.config(), config.replace(&old_text, &new_text)).unwrap();
    dakar.start();
    for site in &federation.sites[..2] {
        wait_for("it is reached there", || {
            let ping = site.wego(&["peer", "ping", "sn-dakar", "--json"]);
            ping.code == Some(0) && ping.json()["endpoint"] == new_text.as_str()
        });
    }
    // No operator told a node where to dial.
    federation.is_well();
    let audit = wego(&federation.sites[2], &["audit", "list"]);
    let events: Vec<_> = audit["events"].as_array().unwrap().iter().collect();
    let sets: Vec<_> = events.iter().filter(|event| event["action"] == "Members/Set").collect();
    assert_eq!(sets.len(), 2, "a dry run is no event: {audit}");
    assert!(sets.iter().all(|event| event["target"] == "member sn-dakar"), "{audit}");
}

#[test]
fn a_name_and_a_portal_are_shown_everywhere_until_they_count_no_more() {
    let federation = Federation::start(&["kr-seoul", "fr-paris", "sn-dakar"]);
    let dakar = &federation.sites[2];
    wego(
        dakar,
        &[
            "member",
            "set",
            "--name",
            "fr=Ville de Dakar",
            "--name",
            "en=City of Dakar",
            "--portal-url",
            "https://d.example/",
        ],
    );
    for site in &federation.sites {
        wait_for("all call it so", || member(site, "sn-dakar")["names"]["en"] == "City of Dakar");
        let shown = member(site, "sn-dakar");
        assert_eq!(shown["names"]["fr"], "Ville de Dakar");
        assert_eq!(shown["portal_url"], "https://d.example/");
        assert!(site.wego(&["roster", "show"]).ok().contains("City of Dakar"));
    }
    let form = dakar.dir.join("form.yaml");
    fs::write(&form, dakar.wego(&["practice", "template"]).ok()).unwrap();
    let published = wego(dakar, &["practice", "publish", "--file", form.to_str().unwrap()]);
    let id = published["record_id"].as_str().unwrap();
    let (seoul, search) = (&federation.sites[0], ["search", "bus", "--facets", "--json"]);
    wait_for("it is found", || seoul.wego(&search).json()["total"] == 1);
    assert_eq!(wego(seoul, &["record", "show", id])["provenance"]["city"]["en"], "City of Dakar");
    assert!(seoul.wego(&search).out.contains("City of Dakar"), "the facet too");
    wego(dakar, &["member", "set", "--name", "fr=", "--portal-url", ""]);
    wait_for("it is taken back", || {
        let shown = member(&federation.sites[0], "sn-dakar");
        shown["names"] == serde_json::json!({"en": "City of Dakar"}) && shown["portal_url"].is_null()
    });
    for (bad, what) in [
        (["--name", "en=Da\u{202e}kar"], "nothing invisible"),
        (["--name", "Dakar"], "LANG=TEXT"),
        (["--portal-url", "javascript:alert(1)"], "https://"),
        (["--endpoint", "dakar"], "host:port"),
    ] {
        let refused = dakar.wego(&[&["member", "set"][..], &bad].concat());
        assert_eq!(refused.code, Some(2), "{bad:?}: {}", refused.err);
        assert!(refused.err.contains(what) && refused.err.contains("hint:"), "{bad:?}: {}", refused.err);
    }
    let long = format!("en={}", "서".repeat(200));
    let more = ["--name", &long, "--name", &long.replacen("en", "ko", 1)];
    let refused = dakar.wego(&[&["member", "set"][..], &more].concat());
    assert!(refused.code == Some(2) && refused.err.contains("over the limit of 600"), "{}", refused.err);
    let none = dakar.wego(&["member", "set", "--name", "en="]);
    assert!(none.code == Some(2) && none.err.contains("none would be left"), "{}", none.err);
    let nothing = dakar.wego(&["member", "set"]);
    assert!(nothing.code == Some(2) && nothing.err.contains("--endpoint"), "{}", nothing.err);
}

#[test]
fn after_a_rotation_the_key_that_signs_is_shown_with_its_range() {
    let federation = Federation::start(&["kr-seoul", "fr-paris", "sn-dakar"]);
    let seoul = &federation.sites[0];
    wego(seoul, &["member", "set", "--name", "ko=서울"]);
    let before = member(seoul, "kr-seoul");
    let old = before["log_keys"][0]["fingerprint"].as_str().unwrap().to_owned();
    assert!(before["log_keys"][0]["to"].is_null(), "{before}");
    let opened = wego(seoul, &["key", "rotate", "--yes"]);
    let new = opened["log_key"]["fingerprint"].as_str().unwrap().to_owned();
    for site in &federation.sites {
        wait_for("all know it", || member(site, "kr-seoul")["log_keys"].as_array().map(Vec::len) == Some(2));
        let shown = member(site, "kr-seoul");
        assert_eq!(shown["log_keys"][0]["fingerprint"], old.as_str());
        assert_eq!(shown["log_keys"][0]["to"], opened["base"]);
        assert_eq!(shown["log_keys"][1]["fingerprint"], new.as_str());
        assert_eq!(
            (&shown["log_keys"][1]["from"], &shown["log_keys"][1]["to"]),
            (&opened["at"], &Value::Null)
        );
        let next = "next_log_key_digest_fingerprint";
        assert_ne!(shown[next], before[next], "the key after the next is committed to");
        assert_eq!(shown[next], wego(seoul, &["key", "show"])[next]);
        let text = site.wego(&["member", "show", "kr-seoul"]).ok();
        assert!(
            text.contains(&format!("{new}  signs from")) && text.contains(&format!("{old}  signed 1.1 to")),
            "{text}"
        );
        let roster = site.wego(&["roster", "show", "--json"]).json();
        assert_eq!(roster["members"][0]["log_key_fingerprint"], new.as_str());
        assert_eq!((&roster["members"][0][next], &roster["keys_from"]), (&shown[next], &Value::from("logs")));
    }
    // Where there is only the file, it says so.
    let file = seoul.dir.join("roster.pem");
    let offline = seoul.wego(&["roster", "show", file.to_str().unwrap()]);
    assert!(offline.out.contains(&old) && offline.out.contains("LOG KEY GIVEN"), "{}", offline.out);
    assert!(offline.err.contains("may have gone on to others"), "{}", offline.err);
}
