//! A member is expelled while half of the federation is away; nothing that it writes afterwards counts anywhere.

use std::{
    fs,
    time::{Duration, Instant},
};

use wego_tests::process::wait_for;

use super::{DAKAR, LEIDEN, PARIS, SEOUL, Story};

/// What a removed member's sessions may outlive the roster's arrival.
const CUT_OFF_WITHIN: Duration = Duration::from_secs(5);

pub(super) fn who_is_expelled_during_a_partition_is_cut_off_everywhere(story: &mut Story) {
    let decided = story.decide(SEOUL, [SEOUL, PARIS], &["--expel", "nl-leiden"], "expel.pem");
    story.stop(&[SEOUL, PARIS]);
    // Those who are left know nothing of it: what Leiden writes now reaches Dakar.
    story.publish(LEIDEN, "Leiden too late");
    story.all_show("Leiden too late");
    story.wego(LEIDEN, &["member", "set", "--name", "en=Leiden afterwards"]);
    wait_for("Dakar calls it so", || story.member(DAKAR, "nl-leiden")["names"]["en"] == "Leiden afterwards");
    assert!(connected(story, DAKAR));

    // Where no network is, the complete roster is put into the folder.
    fs::copy(decided, story.site(SEOUL).dir.join("roster.pem")).unwrap();
    story.start(&[SEOUL]);
    wait_for("Dakar hears of it", || story.status(DAKAR)["roster_version"] == 3);
    let heard = Instant::now();
    wait_for("the session is closed", || !connected(story, DAKAR));
    assert!(heard.elapsed() < CUT_OFF_WITHIN, "after {:?}", heard.elapsed());
    wait_for("the late entry counts no more", || !story.titles(DAKAR).contains("Leiden too late"));

    story.publish(LEIDEN, "Leiden to itself");
    story.start(&[PARIS]);
    for site in [SEOUL, PARIS, DAKAR] {
        wait_for("all follow the roster", || story.status(site)["roster_version"] == 3);
        story.publish(site, &format!("Without Leiden, {site}"));
    }
    for site in [SEOUL, PARIS, DAKAR] {
        let expected: Vec<_> = [SEOUL, PARIS, DAKAR].map(|of| format!("Without Leiden, {of}")).into();
        wait_for("they go on", || expected.iter().all(|title| story.titles(site).contains(title)));
        let shown = story.titles(site);
        assert!(shown.contains("Leiden healed"), "up to the cut it stays valid: {shown:?}");
        assert!(!shown.contains("Leiden too late") && !shown.contains("Leiden to itself"), "{shown:?}");
        assert_eq!(story.member(site, "nl-leiden")["status"], "expelled");
        assert_eq!(story.member(site, "nl-leiden")["names"]["en"], "Leiden renamed");
        assert_eq!(story.member(site, "nl-leiden")["head"], story.member(SEOUL, "nl-leiden")["head"]);
        assert!(!connected(story, site));
    }
    assert!(!story.titles(LEIDEN).contains("Without Leiden, 0"), "it is told nothing any more");
    story.stop(&[LEIDEN]);
    story.federation.sites.truncate(LEIDEN);
}

fn connected(story: &Story, at: usize) -> bool {
    let peers = story.wego(at, &["peer", "list"]);
    let mut peers = peers["peers"].as_array().unwrap().iter();
    peers.any(|peer| peer["handle"] == "nl-leiden" && peer["state"] == "connected")
}
