//! A record is erased while one node is away: the receipts say who has done it.

use wego_tests::process::wait_for;

use super::{DAKAR, PARIS, SEOUL, Story};

pub(super) fn an_erasure_shows_who_has_carried_it_out(story: &mut Story) {
    let record = story.publish(SEOUL, "Seoul says too much");
    story.all_show("Seoul says too much");
    story.stop(&[DAKAR]);
    let _ = story.wego(SEOUL, &["record", "erase", &record.id, "--reason", "personal-data", "--yes"]);
    let status = |site: usize| {
        let done = story.federation.sites[site].wego(&["erase", "status", &record.id, "--json"]);
        (done.code, done.json()["erasures"][0].clone())
    };
    wait_for("both that are there have done it", || status(SEOUL).1["carried_out"] == 2);
    let (code, pending) = status(SEOUL);
    assert_eq!((code, pending["members"].as_u64()), (Some(3), Some(3)), "{pending}");
    assert_eq!(pending["pending"].as_array().unwrap().len(), 1);
    assert_eq!(pending["pending"][0]["handle"], "sn-dakar");

    story.start(&[DAKAR]);
    for site in [SEOUL, PARIS] {
        let status = || {
            let done = story.federation.sites[site].wego(&["erase", "status", &record.id, "--json"]);
            (done.code, done.json()["erasures"][0]["carried_out"].as_u64())
        };
        wait_for("all have done it", || status() == (Some(0), Some(3)));
    }
    assert!(!story.titles(DAKAR).contains("Seoul says too much"));
}
