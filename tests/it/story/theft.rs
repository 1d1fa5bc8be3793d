//! A member rotates its log key and its transport key; a thief takes the new one and signs a second history with it; every node proves it, and
//! the recovery key heals it.

use std::fs;

use wego_proto::{
    armour::{self, Label},
    entry::{Payload, Unverified, Verified},
    id::RecordId,
    v1::{self, session_message::Body},
};
use wego_tests::{
    byzantine::Byzantine,
    process::{call, wait_for},
};

use super::{DAKAR, LEIDEN, PARIS, Published, SEOUL, Story, text};

pub(super) fn a_stolen_key_forks_a_log_and_the_recovery_key_heals_it(story: &mut Story) {
    let rotated = story.wego(LEIDEN, &["key", "rotate", "--yes"]);
    assert_eq!(rotated["opened_by"], "rotation");
    assert_eq!(story.epochs(LEIDEN).len(), 2);
    let twice = story.publish(LEIDEN, "Leiden with its second key");
    story.all_show("Leiden with its second key");
    story.wego(LEIDEN, &["member", "set", "--name", "en=Leiden renamed"]);
    all_call_it(story, "Leiden renamed");

    story.wego(LEIDEN, &["key", "rotate-transport", "--yes"]);
    wait_for("all know the new transport key", || {
        story.wego(LEIDEN, &["key", "show"])["transport"]["next"].is_null()
    });

    // The fork makes the entry void that names the transport key; without it the owner would reach nobody.
    story.stop(&[LEIDEN]);
    fork(story, &twice);
    for node in [SEOUL, PARIS, DAKAR] {
        wait_for("the proof is there", || story.member(node, "nl-leiden")["forked"] == true);
        let forks = story.wego(node, &["fork", "list"]);
        assert_eq!(forks["forks"][0]["handle"], "nl-leiden");
        let shown = story.titles(node);
        assert!(shown.contains("Leiden joins"), "before the fork: {shown:?}");
        assert!(!shown.contains("Leiden with its second key"), "{shown:?}");
        let called = story.member(node, "nl-leiden");
        assert_eq!(called["names"]["en"], "nl-leiden", "what is behind the fork counts no more");
        assert!(!called["log_keys"][1]["to"].is_null(), "no key signs what comes next: {called}");
    }
    anybody_can_check_it(story);

    story.start(&[LEIDEN]);
    wait_for("it hears of it", || !story.wego(LEIDEN, &["fork", "list"])["forks"][0].is_null());
    wait_for("it says why it does not write", || {
        story.refused(LEIDEN).contains("two histories of this member's log are proved")
    });

    let key = story.site(LEIDEN).dir.join("keys/recovery.pem");
    let healed = story.wego(LEIDEN, &["key", "recover", "--recovery-key", text(&key), "--yes"]);
    assert_eq!(healed["opened_by"], "recovery");
    story.publish(LEIDEN, "Leiden healed");
    for title in ["Leiden healed", "Leiden with its second key", "Leiden joins"] {
        story.all_show(title);
    }
    for node in story.running() {
        assert_eq!(story.member(node, "nl-leiden")["forked"], false);
    }
    all_call_it(story, "Leiden renamed");
}

fn all_call_it(story: &Story, name: &str) {
    for node in story.running() {
        wait_for("all call it so", || story.member(node, "nl-leiden")["names"]["en"] == name);
    }
}

/// The thief signs another entry where one stands, and shows both to one node, as the member.
fn fork(story: &mut Story, twice: &Published) {
    let roster = story.path("roster-2.pem");
    let _ = story.site(SEOUL).wego(&["roster", "show", "--out", text(&roster)]).ok();
    let thief = Byzantine::thief(story.site(LEIDEN), &roster);
    let proof = story.path("second.proof");
    let _ = story.site(PARIS).wego(&["record", "export", &twice.id, "--out", text(&proof)]).ok();
    let proof: v1::RecordProof =
        armour::read(Label::RecordProof, &fs::read_to_string(proof).unwrap()).unwrap();
    // Both stand in the epoch of the rotation, whose opening comes with the record's proof.
    let epochs = proof.epochs;
    let stands = v1::Entry { payload: None, ..proof.entry.unwrap() };
    let mut header = Unverified::parse(stands.clone()).unwrap().header().clone();
    header.record_id = Some(RecordId::new([0xbd; 16]));
    let payload = Payload { nonce: [7; 16], content: b"not what Leiden said".to_vec() };
    let other = Verified::sign(header, Some(payload), &thief.roster.federation(), &thief.log_key);
    let mut both =
        [(twice.hash.clone(), stands), (other.hash().to_string(), other.to_wire_without_payload())];
    both.sort_by(|one, other| one.0.cmp(&other.0));
    let [left, right] = both.map(|(_, entry)| Some(entry));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let line = thief.greet_site(story.site(SEOUL)).await;
        line.send(Body::ForkProofs(v1::ForkProofs { proofs: vec![v1::ForkProof { left, right, epochs }] }))
            .await;
        wait_for("one node has the proof", || story.member(SEOUL, "nl-leiden")["forked"] == true);
    });
}

fn anybody_can_check_it(story: &Story) {
    let (proof, roster) = (story.path("leiden.fork"), story.path("roster-2.pem"));
    let export = ["fork", "export-proof", "nl-leiden", "--out", text(&proof)];
    let _ = story.federation.sites[DAKAR].wego(&export).ok();
    let verify = ["fork", "verify", text(&proof), "--roster", text(&roster), "--json"];
    let verified = call(story.federation.dir.path(), "wego", &verify);
    assert_eq!(verified.code, Some(0), "{}", verified.err);
    assert_eq!(verified.json()["verified"], true);
}
