//! What the disk gives: plain append and fdatasync, nothing else.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

/// Appends `bytes` and makes them durable, again and again for `time`. Returns the time of each.
pub(crate) fn appends(dir: &Path, bytes: &[u8], time: Duration) -> Vec<Duration> {
    let path = dir.join("appended");
    let mut file = File::create(&path).expect("a file");
    let begun = Instant::now();
    let mut times = Vec::new();
    while begun.elapsed() < time {
        let one = Instant::now();
        file.write_all(bytes).expect("an append");
        file.sync_data().expect("a flush");
        times.push(one.elapsed());
    }
    std::fs::remove_file(path).expect("the file");
    times
}
