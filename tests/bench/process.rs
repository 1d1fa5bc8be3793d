//! `wego-node` as a process of its own, as a city runs it.

use std::{
    env, fs,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use wego_node::demo::founding::Seat;

use crate::progress::say;

/// A node must be ready within this time.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running `wego-node run`.
pub(crate) struct Running(Child);

impl Running {
    /// Starts a node and waits until it is ready.
    pub(crate) async fn start(program: &Path, seat: &Seat) -> Self {
        let told = seat.created.dir.join("ready");
        let socket = UnixDatagram::bind(&told).expect("a socket");
        socket.set_read_timeout(Some(PATIENCE)).expect("an option");
        let node = Self::spawn(program, seat, &told);
        let waiting = tokio::task::spawn_blocking(move || wait_until_ready(&socket));
        waiting.await.expect("the waiting");
        fs::remove_file(&told).expect("the socket");
        node
    }

    fn spawn(program: &Path, seat: &Seat, told: &Path) -> Self {
        let mut command = Command::new(program);
        command.args(["run", "--config"]).arg(&seat.created.config);
        command.env("NOTIFY_SOCKET", told).env("WEGO_NODE_LOG_FILTER", "error").stdin(Stdio::null());
        Self(command.spawn().expect("wego-node starts"))
    }

    /// A line of what the kernel says of the process, in MiB.
    pub(crate) fn memory_mib(&self, line: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).expect("its status");
        let found = status.lines().find_map(|text| text.strip_prefix(line)).expect("the line");
        let kib: f64 = found.trim().trim_end_matches(" kB").parse().expect("a number");
        kib / 1_024.0
    }

    /// Stops it in order.
    pub(crate) async fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a signal");
        let ended = tokio::task::spawn_blocking(move || self.0.wait().expect("its end").success()).await;
        assert!(ended.expect("the waiting"), "wego-node ended badly");
    }
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

/// `wego-node` beside this program, built when it is not there.
pub(crate) fn program() -> PathBuf {
    let own = env::current_exe().expect("this program's path");
    let dir = own.parent().expect("a folder");
    let program = dir.join("wego-node");
    if !program.exists() {
        say(&format!("{} is missing, building it", program.display()));
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
