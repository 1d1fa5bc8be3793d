//! What a real `wego-node run` with a full folder needs: time until it is ready, and memory.

use std::{
    fs,
    io::Read as _,
    path::Path,
    time::{Duration, Instant},
};

use wego_node::demo::founding::Seat;
use wego_proto::v1;
use wego_tests::client::Client;

use crate::{
    process::{Running, program},
    progress::say,
    row::{Row, median, ms},
    size::Size,
    text, town,
};

/// Memory that a node of this size may use, MiB.
const MEMORY_MIB: f64 = 256.0;
const READ: &str = "reading the folder's bytes once";
const ALLOWED: &str = "allowed";

/// Measures.
pub(crate) async fn measure(size: Size) -> Vec<Row> {
    let (rounds, records) = size.pick((5, 100_000), (1, 200));
    let program = program();
    let (_dir, mut seats) = town::founded(1, town::Memory::Default).await;
    say(&format!("start-up: storing {records} records"));
    let node = seats[0].start().await.expect("a node starts");
    town::fill(&node, records).await;
    node.stop().await;
    let (mut reads, mut starts, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        say(&format!("start-up: round {round} of {rounds}"));
        reads.push(ms(read_all(&seats[0].config.node.data_dir)));
        let (start, used) = start_once(&program, &seats[0]).await;
        starts.push(ms(start));
        memory.push(used);
    }
    let mib = |part: fn(&Memory) -> f64| median(&memory.iter().map(part).collect::<Vec<_>>());
    vec![
        Row::new("start-up-time", median(&starts), "ms", READ, median(&reads)),
        Row::new("start-up-rss-ready", mib(|memory| memory.ready_mib), "MiB", ALLOWED, MEMORY_MIB),
        Row::new("start-up-rss-asked", mib(|memory| memory.asked_mib), "MiB", ALLOWED, MEMORY_MIB),
        Row::new("start-up-rss-peak", mib(|memory| memory.peak_mib), "MiB", ALLOWED, MEMORY_MIB),
    ]
}

/// Memory of the process: when it was ready, after it answered queries, and the most it ever was.
struct Memory {
    ready_mib: f64,
    asked_mib: f64,
    peak_mib: f64,
}

async fn start_once(program: &Path, seat: &Seat) -> (Duration, Memory) {
    let begun = Instant::now();
    let node = Running::start(program, seat).await;
    let start = begun.elapsed();
    let ready_mib = node.memory_mib("VmRSS:");
    ask(seat).await;
    let memory =
        Memory { ready_mib, asked_mib: node.memory_mib("VmRSS:"), peak_mib: node.memory_mib("VmHWM:") };
    node.stop().await;
    (start, memory)
}

async fn ask(seat: &Seat) {
    let mut client = Client::of_profile(&seat.created.profile_dir).await.search();
    for query in text::QUERIES {
        let request = v1::SearchRequest { query: query.to_owned(), facets: true, ..Default::default() };
        client.search(request).await.expect("an answer");
    }
}

/// Time to read every file of the folder once.
fn read_all(dir: &Path) -> Duration {
    let begun = Instant::now();
    let mut buffer = vec![0; 1_024 * 1_024];
    for path in town::files_below(dir) {
        // The reserve holds nothing.
        if path.file_name().is_some_and(|name| name == "ballast") {
            continue;
        }
        let mut file = fs::File::open(path).expect("a file");
        while file.read(&mut buffer).expect("its bytes") > 0 {}
    }
    begun.elapsed()
}
