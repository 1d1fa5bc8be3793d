//! What a real `wego-node run` with a full folder needs: time until it is ready, and memory.

use std::{
    env, fs,
    io::Read as _,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use wego_node::demo::founding::Seat;
use wego_proto::v1;
use wego_tests::client::Client;

use crate::{
    progress::say,
    row::{Row, median, ms},
    size::Size,
    text, town,
};

/// Memory that a node of this size may use, MiB.
const MEMORY_MIB: f64 = 256.0;
/// A node must be ready within this time.
const PATIENCE: Duration = Duration::from_secs(120);
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
    let told = seat.created.dir.join("ready");
    let socket = UnixDatagram::bind(&told).expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("an option");
    let begun = Instant::now();
    let node = Running::start(program, seat, &told);
    let socket = tokio::task::spawn_blocking(move || wait_until_ready(&socket));
    socket.await.expect("the waiting");
    let start = begun.elapsed();
    fs::remove_file(&told).expect("the socket");
    let ready_mib = node.memory_mib("VmRSS:");
    ask(seat).await;
    let memory =
        Memory { ready_mib, asked_mib: node.memory_mib("VmRSS:"), peak_mib: node.memory_mib("VmHWM:") };
    node.stop().await;
    (start, memory)
}

/// As the service manager is told.
fn wait_until_ready(socket: &UnixDatagram) {
    let mut message = [0; 1_024];
    loop {
        let read = socket.recv(&mut message).expect("the node's word that it is ready");
        if String::from_utf8_lossy(&message[..read]).lines().any(|line| line == "READY=1") {
            return;
        }
    }
}

async fn ask(seat: &Seat) {
    let mut client = Client::of_profile(&seat.created.profile_dir).await.search();
    for query in text::QUERIES {
        let request = v1::SearchRequest { query: query.to_owned(), facets: true, ..Default::default() };
        client.search(request).await.expect("an answer");
    }
}

struct Running(Child);

impl Running {
    fn start(program: &Path, seat: &Seat, told: &Path) -> Self {
        let mut command = Command::new(program);
        command.args(["run", "--config"]).arg(&seat.created.config);
        command.env("NOTIFY_SOCKET", told).env("WEGO_NODE_LOG_FILTER", "error").stdin(Stdio::null());
        Self(command.spawn().expect("wego-node starts"))
    }

    /// A line of what the kernel says of the process, in MiB.
    fn memory_mib(&self, line: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).expect("its status");
        let found = status.lines().find_map(|text| text.strip_prefix(line)).expect("the line");
        let kib: f64 = found.trim().trim_end_matches(" kB").parse().expect("a number");
        kib / 1_024.0
    }

    async fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a signal");
        let ended = tokio::task::spawn_blocking(move || self.0.wait().expect("its end").success()).await;
        assert!(ended.expect("the waiting"), "wego-node ended badly");
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

/// `wego-node` beside this program, built when it is not there.
fn program() -> PathBuf {
    let own = env::current_exe().expect("this program's path");
    let dir = own.parent().expect("a folder");
    let program = dir.join("wego-node");
    if !program.exists() {
        say(&format!("start-up: {} is missing, building it", program.display()));
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "-p", "wego-node"]);
        if dir.ends_with("release") {
            build.arg("--release");
        }
        let built = build.stdout(Stdio::null()).status().expect("cargo runs");
        assert!(
            built.success() && program.exists(),
            "wego-node could not be built; run cargo build -p wego-node"
        );
    }
    program
}
