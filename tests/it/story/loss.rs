//! A member loses its disk, with an old backup and with none: it refuses to write, fetches its own log, and goes on in a
//! new epoch.

use std::fs;

use wego_tests::process::wait_for;

use super::{DAKAR, PARIS, Published, SEOUL, Story, text};

pub(super) fn an_old_backup_goes_on_in_a_new_epoch(story: &mut Story) {
    let before = story.publish(PARIS, "Paris before the backup");
    let backup = story.path("paris.wego");
    let _ = story.wego(PARIS, &["backup", "create", "--out", text(&backup)]);
    let after = ["one", "two", "three"].map(|n| story.publish(PARIS, &format!("Paris after it, {n}")));
    story.all_show("Paris after it, three");
    story.stop(&[SEOUL, PARIS, DAKAR]);

    let dir = story.site(PARIS).dir.clone();
    fs::rename(dir.join("data"), dir.join("data.aside")).unwrap();
    let _ = story.site(PARIS).wego_node(&["restore", "--from", text(&backup), "--yes"]).ok();
    let mut acknowledged = vec![before];
    acknowledged.extend(after);
    it_recovers(story, &acknowledged);
}

pub(super) fn a_lost_disk_comes_back_from_the_peers(story: &mut Story) {
    // Its log has more than one epoch by now, and entries in each.
    let acknowledged = ["one", "two"].map(|n| story.publish(PARIS, &format!("Paris before the loss, {n}")));
    story.all_show("Paris before the loss, two");
    story.stop(&[SEOUL, PARIS, DAKAR]);
    fs::remove_dir_all(story.site(PARIS).dir.join("data")).unwrap();
    it_recovers(story, &acknowledged);
}

/// Starts Paris alone, which refuses to write, and then the others.
fn it_recovers(story: &mut Story, acknowledged: &[Published]) {
    story.start(&[PARIS]);
    let why = story.refused(PARIS);
    assert!(why.contains("asks its peers for its own log before it writes"), "{why}");
    let before = story.epochs(PARIS);

    story.start(&[SEOUL, DAKAR]);
    let next = story.publish(PARIS, "Paris goes on");
    let epochs = story.epochs(PARIS);
    assert!(
        epochs.len() > before.len() && epochs.iter().max() > before.iter().max(),
        "{before:?}, {epochs:?}"
    );
    story.all_show("Paris goes on");
    story.federation.is_well();
    for site in [SEOUL, PARIS, DAKAR] {
        for published in acknowledged.iter().chain([&next]) {
            wait_for("nothing acknowledged is lost", || story.holds(site, published));
        }
        assert_eq!(story.member(site, "fr-paris")["forked"], false);
    }
}
