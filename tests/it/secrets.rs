//! No key is in anything that a node or a command writes: a real federation of real processes, its log at `trace`,
//! commands that succeed and commands that fail over damaged keys, and at the end a search through every byte of it.
//!
//! What is secret is one table, [`CANARIES`]: a new kind of secret is one line in it.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use data_encoding::BASE32_NOPAD;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wego_proto::{invite::Invite, key::SecretKey};
use wego_tests::process::{Daemon, Signal, free_address, programs, wait_for};

mod needle;

use needle::{Needles, Search};

/// Files that hold a secret, by what it is. Nothing else may hold it.
const CANARIES: &[(&str, &str)] = &[
    ("log key", "kr-seoul/keys/log.pem"),
    ("next log key", "kr-seoul/keys/next-log.pem"),
    ("recovery key", "kr-seoul/keys/recovery.pem"),
    ("governance key", "kr-seoul/keys/governance.pem"),
    ("transport key", "kr-seoul/keys/transport.pem"),
    ("first operator's key", "kr-seoul/profile/key.pem"),
    ("another operator's key", "awa/key.pem"),
    ("log key of a peer", "fr-paris/keys/log.pem"),
    ("transport key of a peer", "fr-paris/keys/transport.pem"),
];

/// Where keys belong: in the keys folder of a node, and in profiles.
fn holds_a_key(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "key.pem")
        || path.components().any(|part| part.as_os_str() == "keys")
}

/// A folder where commands run, and everything they said.
struct Stage {
    dir: tempfile::TempDir,
    said: Vec<(String, Vec<u8>)>,
}

impl Stage {
    /// Runs a command line and keeps what it says; returns its exit code.
    fn run(&mut self, line: &str) -> Option<i32> {
        self.run_with(line, &[])
    }

    fn run_with(&mut self, line: &str, env: &[(&str, &str)]) -> Option<i32> {
        let mut words = line.split(' ');
        let program = programs().join(words.next().unwrap());
        let mut command = Command::new(program);
        command.args(words).current_dir(self.dir.path()).env_clear().stdin(Stdio::null());
        command.env("HOME", self.dir.path()).env("RUST_BACKTRACE", "full").env("RUST_LOG", "trace");
        command.env("WEGO_NODE_STORE_RESERVE_MIB", "16").envs(env.iter().copied());
        let done = command.output().unwrap();
        self.said.push((format!("standard output of {line}"), done.stdout));
        self.said.push((format!("standard error of {line}"), done.stderr));
        done.status.code()
    }

    /// As [`Stage::run`], of a command that must succeed.
    fn ok(&mut self, line: &str) {
        let code = self.run(line);
        let said: Vec<_> =
            self.said[self.said.len() - 2..].iter().map(|(_, b)| String::from_utf8_lossy(b)).collect();
        assert!(matches!(code, Some(0 | 3)), "{line}: {code:?} {said:?}");
    }

    /// As [`Stage::run`], of a command that must fail.
    fn fails(&mut self, line: &str) {
        let code = self.run(line);
        assert!(!matches!(code, Some(0 | 3)), "{line} succeeded");
    }

    /// Makes an invite, which is printed once, for one reader: that print alone is not kept.
    fn invite(&mut self) -> [Needles; 2] {
        self.ok("wego invite create --city Leiden --json");
        let (_, printed) = self.said.remove(self.said.len() - 2);
        let printed: serde_json::Value = serde_json::from_slice(&printed).unwrap();
        let text = printed["string"].as_str().unwrap();
        let invite = Invite::parse(text).unwrap();
        let bytes = BASE32_NOPAD.decode(text.rsplit_once('-').unwrap().1.as_bytes()).unwrap();
        let id = invite.id.as_bytes();
        let at = bytes.windows(id.len()).position(|window| window == id).unwrap() + id.len();
        let secret = Needles::of_bytes("an invite's secret", &bytes[at..at + 16]);
        [secret, Needles::of("an invite's key", &invite.secret.key().to_pem())]
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Members with their log at `trace`, one as text and one as JSON.
    fn found() -> Self {
        let mut stage = Self { dir: tempfile::tempdir().unwrap(), said: Vec::new() };
        for (handle, format) in [("kr-seoul", "text"), ("fr-paris", "json")] {
            let at = [free_address(), free_address(), free_address()].map(|at| at.to_string());
            let [peers, clients, portal] = &at;
            stage.ok(&format!(
                "wego-node init --dir {handle} --handle {handle} --name en={handle} --country KR --place KRSEL \
                 --endpoint {peers} --peers {peers} --clients {clients} --portal {portal}"
            ));
            let config = stage.path(&format!("{handle}/wego-node.toml"));
            let text = fs::read_to_string(&config).unwrap();
            let text = text.replace("#filter = \"info\"", "filter = \"trace\"");
            fs::write(&config, text.replace("#format = \"text\"", &format!("format = \"{format}\"")))
                .unwrap();
        }
        stage.ok(
            "wego roster found --name T --threshold 2 --card kr-seoul/member-card.pem --card fr-paris/member-card.pem \
             --president kr-seoul --out roster.pem",
        );
        for handle in ["kr-seoul", "fr-paris"] {
            stage.ok(&format!("wego roster sign roster.pem --yes --key {handle}/keys/governance.pem"));
        }
        for handle in ["kr-seoul", "fr-paris"] {
            fs::copy(stage.path("roster.pem"), stage.path(&format!("{handle}/roster.pem"))).unwrap();
        }
        stage
            .ok("wego-node operator add --name awa --role reader --out awa --yes --config kr-seoul/wego-node.toml");
        stage.ok("wego profile add kr-seoul/profile --name seoul");
        stage
    }

    fn start(&self, handle: &str) -> Daemon {
        let config = self.path(&format!("{handle}/wego-node.toml"));
        Daemon::start(self.dir.path(), &config, &self.path(&format!("{handle}.log")))
    }

    /// Waits until the node of the profile answers.
    fn answers(&mut self) {
        wait_for("the node answers", || matches!(self.run("wego status --json"), Some(0 | 3)));
    }
}

/// Runs `work` while the file is damaged by `damage`; afterwards it is as before, mode and all.
fn while_damaged(stage: &mut Stage, file: &str, damage: impl Fn(&Path), work: impl FnOnce(&mut Stage)) {
    let path = stage.path(file);
    let (whole, mode) = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().permissions());
    damage(&path);
    work(stage);
    fs::write(&path, whole).unwrap();
    fs::set_permissions(&path, mode).unwrap();
}

fn readable_by_all(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
}

/// All of the key is there, and yet it is none.
fn mislabelled(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, text.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY")).unwrap();
}

fn without_end(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, text.split("-----END").next().unwrap()).unwrap();
}

fn with_one_letter_more(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, text.replacen("\n-----END", "!\n-----END", 1)).unwrap();
}

const DAMAGES: [fn(&Path); 4] = [readable_by_all, mislabelled, without_end, with_one_letter_more];

/// Commands of a running node, those that it refuses among them.
fn exercise_running(stage: &mut Stage) {
    let template = Command::new(programs().join("wego")).args(["practice", "template"]).output().unwrap();
    fs::write(stage.path("bus.yaml"), template.stdout).unwrap();
    for line in [
        "wego practice publish --file bus.yaml --audit-reason reason",
        "wego practice list --json",
        "wego search bus --json",
        "wego status --json",
        "wego member list --json",
        "wego peer list --json",
        "wego peer ping fr-paris --json",
        "wego peer add fr-paris",
        "wego peer remove fr-paris --yes",
        "wego roster show --out chain.pem",
        "wego fork list --json",
        "wego audit list --json",
        "wego audit verify --json",
        "wego invite list --json",
        "wego roster status --json",
        "wego key show --json",
        "wego backup create --out seoul.backup",
        "wego backup verify seoul.backup --json",
        "wego profile list --json",
        "wego-node operator list --json --config kr-seoul/wego-node.toml",
        "wego-node check-config --running --config kr-seoul/wego-node.toml",
    ] {
        stage.ok(line);
    }
    for line in [
        "wego peer add nowhere",
        "wego practice publish --file kr-seoul/keys/log.pem",
        "wego record verify kr-seoul/keys/recovery.pem --roster chain.pem",
        "wego roster show kr-seoul/keys/governance.pem",
        "wego roster sign roster.pem --yes --key fr-paris/keys/transport.pem",
        "wego audit verify kr-seoul/keys/log.pem --roster chain.pem --member kr-seoul",
        "wego-node run --config kr-seoul/keys/log.pem",
        "wego-node reindex --config kr-seoul/wego-node.toml",
        "wego --profile ./awa practice publish --file bus.yaml",
    ] {
        stage.fails(line);
    }
    for damage in DAMAGES {
        while_damaged(stage, "awa/key.pem", damage, |stage| stage.fails("wego --profile ./awa status"));
        while_damaged(stage, "kr-seoul/keys/governance.pem", damage, |stage| {
            stage.fails("wego roster sign roster.pem --yes --key kr-seoul/keys/governance.pem");
        });
    }
    while_damaged(stage, "kr-seoul/operators.toml", keys_in_the_wrong_file, |stage| {
        stage.fails("wego-node operator list --config kr-seoul/wego-node.toml");
    });
}

/// Somebody pasted a private key where a public one belongs. That file is then one that holds it, so it is put back.
fn keys_in_the_wrong_file(path: &Path) {
    let key = path.parent().unwrap().join("keys/log.pem");
    let pem = fs::read_to_string(key).unwrap();
    fs::write(path, format!("[[operator]]\nname = \"kim\"\nrole = \"admin\"\nkey = '''{pem}'''\n")).unwrap();
}

/// Starts and repairs of a stopped node over keys that cannot be used.
fn exercise_stopped(stage: &mut Stage) {
    for key in ["log", "transport"] {
        let file = format!("kr-seoul/keys/{key}.pem");
        for damage in DAMAGES {
            while_damaged(stage, &file, damage, |stage| {
                for command in ["run", "check-config", "reindex", "rebuild-store"] {
                    stage.fails(&format!("wego-node {command} --config kr-seoul/wego-node.toml"));
                }
            });
        }
    }
    // Keys in each other's place.
    let swapped = |path: &Path| assert!(fs::copy(path.with_file_name("recovery.pem"), path).unwrap() > 0);
    while_damaged(stage, "kr-seoul/keys/transport.pem", swapped, |stage| {
        stage.fails("wego-node run --config kr-seoul/wego-node.toml");
    });
    while_damaged(stage, "kr-seoul/keys/log.pem", swapped, |stage| {
        // The log may have to say which key took over: not a reason not to start.
        let _ = stage.run("wego-node check-config --config kr-seoul/wego-node.toml");
    });
    stage.ok("wego-node reindex --config kr-seoul/wego-node.toml");
    stage.ok("wego-node rebuild-store --config kr-seoul/wego-node.toml --audit-reason test");
    stage.ok("wego-node operator remove --name awa --config kr-seoul/wego-node.toml");
    stage.fails("wego-node init --dir kr-seoul --handle kr-seoul --name en=S --country KR");
}

/// Everything written, as far as keys do not belong there, each with a name; without the ballast, which is never
/// written to.
fn everything(stage: &Stage) -> Vec<(String, Vec<u8>)> {
    let mut all = stage.said.clone();
    let mut folders = vec![stage.dir.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if !holds_a_key(&path) && path.file_name().is_none_or(|name| name != "ballast") {
                all.push((path.display().to_string(), fs::read(&path).unwrap()));
            }
        }
    }
    all
}

#[test]
fn no_key_is_in_anything_that_was_written() {
    // So that a core file would be left, were it not for the node.
    let allowed = getrlimit(Resource::Core).maximum;
    setrlimit(Resource::Core, Rlimit { current: allowed, maximum: allowed }).unwrap();
    let mut stage = Stage::found();
    let mut daemons = [stage.start("kr-seoul"), stage.start("fr-paris")];
    stage.answers();
    wait_for("the two have met", || stage.run("wego status") == Some(0));
    let invite = stage.invite();
    exercise_running(&mut stage);
    daemons[0].signal(Signal::HUP);
    daemons[0].signal(Signal::TERM);
    assert!(daemons[0].ended().success(), "{}", daemons[0].log());
    exercise_stopped(&mut stage);
    let mut again = stage.start("kr-seoul");
    stage.answers();
    for daemon in [&mut again, &mut daemons[1]] {
        // As a broken invariant would end it.
        daemon.signal(Signal::ABORT);
        assert!(!daemon.ended().success());
    }

    let canary =
        |(what, file): &(&str, &str)| Needles::of(what, &fs::read_to_string(stage.path(file)).unwrap());
    let search = Search::of(CANARIES.iter().map(canary).chain(invite));
    let all = everything(&stage);
    let (names, sizes): (Vec<_>, Vec<_>) =
        all.iter().map(|(name, bytes)| (name.as_str(), bytes.len())).unzip();
    for expected in [
        "kr-seoul.log",
        "fr-paris.log",
        "data/audit/audit-",
        "data/journal",
        "data/store",
        "seoul.backup",
        "config.toml",
    ] {
        assert!(names.iter().any(|name| name.contains(expected)), "{expected} was not looked at: {names:?}");
    }
    let log = sizes[names.iter().position(|name| name.ends_with("kr-seoul.log")).unwrap()];
    assert!(log > 100_000, "a log at trace is longer: {log} bytes");
    assert!(!names.iter().any(|name| name.contains("/core")), "a core file: {names:?}");
    let found: Vec<_> = all
        .iter()
        .flat_map(|(name, bytes)| {
            search.found_in(bytes).into_iter().map(move |found| format!("{name}: {found}"))
        })
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn what_prints_itself_prints_no_key() {
    let dir = tempfile::tempdir().unwrap();
    let seed = zeroize::Zeroizing::new([0xa7; 32]);
    let key = SecretKey::from_seed(&seed);
    let search = Search::of([Needles::of("a key", &key.to_pem())]);
    let path = dir.path().join("log.pem");
    for text in [key.to_pem().to_string(), key.to_pem().replace("-----END", "!-----END")] {
        fs::write(&path, &text).unwrap();
        for mode in [0o600, 0o644] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let read = wego_node::keys::read_secret_key(&path);
            let printed = match &read {
                Ok(key) => format!("{key:?} {key:#?}"),
                Err(error) => format!("{error} {error:?} {error:#?} {}", error.hint()),
            };
            assert!(search.found_in(printed.as_bytes()).is_empty(), "{printed}");
        }
    }
    let caught = std::panic::catch_unwind(|| panic!("{:?}", SecretKey::from_seed(&seed)));
    let said = caught.unwrap_err().downcast::<String>().unwrap();
    assert!(search.found_in(said.as_bytes()).is_empty(), "{said}");
}
