//! The programs `wego-node` and `wego` as users have them: built, started as processes, ended by signals.
//!
//! It waits for conditions with a deadline, never for a time, and leaves no process behind. It must never reach
//! into a node but through the two programs and their files.

use std::{
    env, fs,
    io::Write as _,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process, kill_process_group};

use crate::DEADLINE;

mod site;

pub use site::{Federation, Site, copy};

/// How often a condition outside this process is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Many nodes share the disk of one test run; the least that a node accepts is enough for it.
const SMALL_RESERVE: (&str, &str) = ("WEGO_NODE_STORE_RESERVE_MIB", "16");

/// The folder of the built programs, for `PATH`. Builds them once for a run of tests, as the test itself is built.
///
/// # Panics
/// When they cannot be built.
#[must_use]
pub fn programs() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build)
}

fn build() -> PathBuf {
    // target/debug/deps/it-0123: the programs of this profile lie two folders up.
    let test = env::current_exe().expect("this test's own path");
    let dir = test.ancestors().nth(2).expect("a target folder").to_owned();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "-p", "wego-node", "-p", "wego-cli"]);
    command.arg("--manifest-path").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"));
    command.arg("--target-dir").arg(dir.parent().expect("a target folder"));
    if dir.ends_with("release") {
        command.arg("--release");
    }
    assert!(command.status().expect("cargo can be started").success(), "the programs cannot be built");
    dir
}

/// What a finished program left.
#[derive(Debug)]
pub struct Done {
    /// Exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Data.
    pub out: String,
    /// Talk.
    pub err: String,
}

impl Done {
    /// Data, of a program that must have succeeded.
    ///
    /// # Panics
    /// When it has not.
    #[must_use]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self.out
    }

    /// Data as JSON, whatever the exit code.
    ///
    /// # Panics
    /// When it is no JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

/// Runs `program` in `dir` with no environment but a home that does not exist.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn call<A: AsRef<std::ffi::OsStr>>(dir: &Path, program: &str, args: &[A]) -> Done {
    let mut command = Command::new(programs().join(program));
    command.args(args).current_dir(dir).env_clear().env("HOME", dir.join("no-home")).stdin(Stdio::null());
    let done = command.output().expect("the program can be started");
    Done {
        code: done.status.code(),
        out: String::from_utf8_lossy(&done.stdout).into_owned(),
        err: String::from_utf8_lossy(&done.stderr).into_owned(),
    }
}

/// An address on loopback that was free a moment ago, and is not given twice.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_address() -> SocketAddr {
    // Remembered until the end of the run, so that tests beside one another get different ones.
    static GIVEN: std::sync::Mutex<Vec<u16>> = std::sync::Mutex::new(Vec::new());
    loop {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let at = socket.local_addr().expect("its address");
        let mut given = GIVEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !given.contains(&at.port()) {
            given.push(at.port());
            return at;
        }
    }
}

/// Waits until `condition` holds.
///
/// # Panics
/// After [`DEADLINE`], naming `what`.
pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let came = look(DEADLINE, || condition().then_some(()));
    assert!(came.is_some(), "not within {DEADLINE:?}: {what}");
}

/// Looks again and again until there is something to see; none after `deadline`.
fn look<T>(deadline: Duration, mut see: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        match see() {
            None if begun.elapsed() < deadline => pause(),
            seen => return seen,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "nothing in this process tells of a change in another one")]
fn pause() {
    std::thread::sleep(LOOK);
}

/// A running `wego-node`; killed when dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `wego-node run`, with its log appended to the file `log`. It need not be ready yet.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(dir: &Path, config: &Path, log: &Path) -> Self {
        let file = fs::File::options().create(true).append(true).open(log).expect("a log file");
        let mut command = Command::new(programs().join("wego-node"));
        command.arg("run").arg("--config").arg(config).current_dir(dir).env_clear().envs([SMALL_RESERVE]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        Self { child: command.spawn().expect("the node can be started"), log: log.to_owned() }
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the node runs");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end within [`DEADLINE`].
    pub fn ended(&mut self) -> ExitStatus {
        look(DEADLINE, || self.child.try_wait().expect("its state")).expect("the node ends")
    }

    /// What it logged, in all its runs.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether it still runs.
    ///
    /// # Panics
    /// When its state cannot be read.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_none()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The commands that a document asks its reader to run, block by block: those marked `sh setup`.
///
/// # Panics
/// When there is no such document.
#[must_use]
pub fn documented(name: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name));
    let text = text.expect("a document");
    let blocks = text.split("```sh setup\n").skip(1);
    blocks.filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
}

/// Runs a shell script in a process group of its own, which is ended with it: nothing it started stays.
///
/// # Panics
/// When there is no shell, or it does not end within ten times [`DEADLINE`].
#[must_use]
pub fn shell(dir: &Path, script: &str) -> Done {
    use std::os::unix::process::CommandExt as _;
    let files = ["script.out", "script.err"].map(|name| dir.join(name));
    let [out, err] = files.each_ref().map(|path| fs::File::create(path).expect("a file"));
    let path =
        env::join_paths([programs(), Path::new("/usr/local/bin"), Path::new("/usr/bin"), Path::new("/bin")]);
    let mut command = Command::new("sh");
    command.args(["-eu", "-s"]).current_dir(dir).env_clear().env("PATH", path.expect("a path"));
    command
        .env("HOME", dir)
        .envs([SMALL_RESERVE])
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(out)
        .stderr(err);
    let mut child = command.spawn().expect("a shell");
    let group = Pid::from_child(&child);
    let mut input = child.stdin.take().expect("its input");
    input.write_all(script.as_bytes()).expect("the script can be given");
    drop(input);
    let status = look(DEADLINE * 10, || child.try_wait().expect("its state"));
    // The group of a script that left nothing behind is gone.
    let _ = kill_process_group(group, Signal::KILL);
    let _ = child.wait();
    let [out, err] = files.map(|path| fs::read_to_string(path).unwrap_or_default());
    assert!(status.is_some(), "the script does not end: {out}{err}");
    Done { code: status.and_then(|status| status.code()), out, err }
}
