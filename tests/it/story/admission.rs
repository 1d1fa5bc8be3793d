//! A city becomes a member with one string, six words and two signatures.

use super::{CONFLICT, LEIDEN, PARIS, QUICK, SEOUL, Story, text};

pub(super) fn a_fourth_joins_with_an_invite(story: &mut Story) {
    let invite = ["invite", "create", "--city", "Leiden", "--handle", "nl-leiden"];
    let invite = story.wego(SEOUL, &invite)["string"].as_str().unwrap().to_owned();
    let leiden = story.federation.newcomer("nl-leiden");
    let waits = leiden.join(&invite);
    assert_eq!(waits.code, CONFLICT, "{}", waits.err);
    let words = waits.json()["words"].clone();

    // The telephone call.
    let used = story.wego(SEOUL, &["invite", "list"])["invites"][0].clone();
    assert!(words.is_string());
    assert_eq!(used["words"], words, "both read the same words to each other");

    let card = story.path("leiden.pem");
    let id = used["id"].as_str().unwrap();
    let _ = story.site(SEOUL).wego(&["invite", "card", id, "--out", text(&card)]).ok();
    let next = story.decide(SEOUL, [SEOUL, PARIS], &["--admit", text(&card)], "admit.pem");
    assert_eq!(leiden.join(&invite).code, CONFLICT, "signed, and not handed in yet");
    assert_eq!(story.wego(PARIS, &["roster", "submit", "--yes", text(&next)])["outcome"], "adopted");
    story.follow(2);

    let _ = leiden.join(&invite).ok();
    leiden.set("peers", QUICK);
    story.federation.sites.push(leiden);
    story.start(&[LEIDEN]);
    story.federation.is_well();
    story.publish(LEIDEN, "Leiden joins");
    story.all_show("Leiden joins");
    story.all_show("First of 2");
}
