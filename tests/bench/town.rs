//! Nodes of one federation for a measure, without portals, and a fast way to fill one.
//!
//! Records go in as operators' writes do, so a filled node is like one that a city has filled.

use std::path::Path;

use futures_util::{StreamExt as _, stream};
use tempfile::TempDir;
use wego_catalogue::validate::Checked;
use wego_node::{
    app::Node,
    demo::founding::{Plan, Portals, Seat, found},
    engine::{Act, Existence, Mode, Write},
};
use wego_proto::{
    id::{RecordId, RequestId},
    v1,
};
use wego_tests::{city, until};

use crate::text;

/// Space kept free by each node, MiB: the least there is, because many nodes share one disk.
const RESERVE_MIB: u64 = 16;
/// Writes under way at once while a node is filled: a full group commit.
const WRITES_AHEAD: usize = 512;
const MIB: u64 = 1_024 * 1_024;

/// How much memory each node may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Memory {
    /// As configured when nobody says otherwise.
    Default,
    /// The least, for many nodes in one process.
    Least,
}

/// Founds a federation of `size` cities; none of them runs.
pub(crate) async fn founded(size: usize, memory: Memory) -> (TempDir, Vec<Seat>) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let plan = Plan {
        name: "Measured federation".to_owned(),
        threshold: size as u32 / 2 + 1,
        cities: (1..=size).map(city).collect(),
        portals: Portals::Off,
        reserve_mib: RESERVE_MIB,
    };
    let mut seats = found(dir.path(), &plan).await.expect("a federation can be founded");
    for seat in &mut seats {
        // What is measured begins before anybody could be asked.
        seat.config.peers.recovery_quorum = Some(0);
    }
    if memory == Memory::Least {
        for seat in &mut seats {
            seat.config.store.cache_bytes = 8 * MIB;
            seat.config.store.index_memory_bytes = 16 * MIB as usize;
        }
    }
    (dir, seats)
}

/// A write of a new record.
pub(crate) fn write(record: v1::Record) -> Write {
    let checked = Checked::parse(record).expect("a valid record");
    Write {
        request_id: RequestId::new(drawn()),
        record_id: RecordId::new(drawn()),
        record_kind: checked.kind() as u32,
        act: Act::Put { content: checked.encode(), expected_base: None, existence: Existence::Optional },
        mode: Mode::Commit,
    }
}

/// 16 random bytes.
pub(crate) fn drawn() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("randomness");
    bytes
}

/// Publishes `count` records and waits until they can be found.
pub(crate) async fn fill(node: &Node, count: u64) {
    let writes = stream::iter(0..count).map(|n| {
        let engine = node.engine().clone();
        async move { engine.write(write(text::record(n))).await.expect("a write") }
    });
    writes.buffer_unordered(WRITES_AHEAD).for_each(|_| async {}).await;
    settled(node).await;
}

/// Waits until everything held can be read and found.
pub(crate) async fn settled(node: &Node) {
    node.reader().catch_up(PATIENCE).await;
    node.reader().catch_up_search(PATIENCE).await;
    let answer = node.reader().search(&v1::SearchRequest::default()).expect("an answer");
    assert_eq!(answer.behind, 0, "not indexed within {PATIENCE:?}");
}

/// Waits until this process does next to nothing: indexes go on merging for a while after their node has stopped.
pub(crate) async fn quiet() {
    let mut used = processor_ticks();
    loop {
        tokio::time::sleep(QUIET).await;
        let before = std::mem::replace(&mut used, processor_ticks());
        if used - before <= QUIET_TICKS {
            return;
        }
    }
}

/// Time that this process has had of the processors, in hundredths of a second.
fn processor_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("what the kernel says of this process");
    // The name may hold spaces; user and system time are the 12th and 13th field after it.
    let (_, fields) = stat.rsplit_once(')').expect("the name ends");
    fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}

const QUIET: std::time::Duration = std::time::Duration::from_millis(200);
/// A tenth of one processor.
const QUIET_TICKS: u64 = 2;

/// Longer than any machine takes to index what is measured here.
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(600);

/// Waits until every one of `nodes` has a session with `sessions` others.
pub(crate) async fn connected(nodes: &[Node], sessions: usize) {
    let enough = |node: &Node| node.reader().view().sessions.len() >= sessions;
    until("sessions are open", || nodes.iter().all(enough)).await;
}

/// Bytes of all files below `dir`.
pub(crate) fn files_below(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}
