//! Says what was set aside in the data folder, now or at an earlier start, and what came in its place.

use std::path::Path;

use crate::{
    engine::read::Noticed,
    store::aside::{found, name_before},
};

/// What each kind of thing comes back from, by the first part of its path.
const COMES_BACK: [(&str, &str); 6] = [
    ("journal", "the own log was put together from it, the store and the peers, and went on in a new epoch"),
    ("store", "a new one was filled from the journal and the peers"),
    ("roster", "what was in it came from its copy, node.roster or the peers"),
    ("peers.toml", "pin the peers again: `wego peer add`"),
    ("invites", "the invite is void; make a new one: `wego invite create`"),
    ("anchor.toml", "the own log went on in a new epoch"),
];

/// One line for each thing that is still there.
pub(super) fn noticed(data_dir: &Path) -> Vec<Noticed> {
    let line = |path: std::path::PathBuf| {
        let before = name_before(&path)?;
        let before = before.strip_prefix(data_dir).unwrap_or(&before).to_owned();
        let first = before.components().next()?.as_os_str().to_owned();
        let known = COMES_BACK.iter().find(|(name, _)| first == *name);
        let back = known.map_or("the node goes on without it", |(_, back)| back);
        Some(Noticed {
            what: format!("{} was damaged and is set aside as {}", before.display(), path.display()),
            hint: format!("{back}; look at the disk, then remove what was set aside"),
            path: Some(path),
        })
    };
    found(data_dir).into_iter().filter_map(line).collect()
}
