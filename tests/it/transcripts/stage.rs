//! Where a script is performed: a folder, some nodes, and the two programs run inside this process.

use std::{ffi::OsString, fs, io::Cursor, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use tempfile::TempDir;
use wego_cli::Stdio;
use wego_ledger::fork::ForkEvidence;
use wego_node::engine::view::View;
use wego_proto::v1::{self, session_message::Body};
use wego_tests::{Cluster, byzantine::Byzantine, client::Client};

use super::{
    plain::Names,
    script::{Done, Line, words},
};

/// The programs see a clock that is ahead of the nodes', so that all ages read "2 h ago".
const CLOCK_AHEAD_MS: u64 = 2 * 60 * 60 * 1_000 + 60_000;

/// Receipts come so often that nobody waits for them.
const RECEIPTS: Duration = Duration::from_secs(1);

pub(super) struct Stage {
    runtime: tokio::runtime::Runtime,
    own_dir: TempDir,
    cluster: Option<Cluster>,
    names: Names,
}

impl Stage {
    pub(super) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        Self { runtime, own_dir: tempfile::tempdir().unwrap(), cluster: None, names: Names::default() }
    }

    /// Performs a line and returns it with what came of it.
    pub(super) fn perform(&mut self, line: Line) -> Line {
        match line {
            Line::Remark(_) => line,
            Line::Action { text, file } => {
                self.act(&words(&text), &file);
                Line::Action { text, file }
            }
            Line::Command { text, answers, .. } => {
                let done = self.command(&text, &answers);
                Line::Command { text, answers, done }
            }
        }
    }

    /// Ends the nodes.
    pub(super) fn clear(self) {
        if let Some(cluster) = self.cluster {
            self.runtime.block_on(cluster.stop());
        }
    }

    fn dir(&self) -> &Path {
        self.cluster.as_ref().map_or(self.own_dir.path(), |cluster| cluster.dir.path())
    }

    fn act(&mut self, words: &[String], file: &[String]) {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let path = |word: &str| self.dir().join(word.strip_prefix("./").unwrap());
        match words[..] {
            ["found", cities] => self.found(cities.parse().unwrap()),
            ["heard"] => self.heard(),
            ["settle"] => self.runtime.block_on(self.cluster.as_ref().unwrap().converge(0)),
            ["stop", city] => {
                let n = place(city);
                self.runtime.block_on(self.cluster.as_mut().unwrap().down(n));
            }
            ["start", city] => {
                let n = place(city);
                self.runtime.block_on(self.cluster.as_mut().unwrap().up(n));
            }
            ["lonely", city] => {
                let cluster = self.cluster.as_ref().unwrap();
                let reader = cluster.node(place(city)).reader();
                let alone = wego_tests::until("the session ends", || reader.view().sessions.is_empty());
                self.runtime.block_on(alone);
                // How the session ended is drawn by chance, how a dial ends is not.
                let dialled = lost(&cluster.seats[place(city)].created.profile_dir);
                self.runtime.block_on(dialled);
            }
            ["fork", city] => self.fork(place(city)),
            ["roster", version] => {
                let version: u64 = version.parse().unwrap();
                self.wait("all have the roster", |view| view.roster.current().version() == version);
            }
            ["proposals", count] => {
                let count: usize = count.parse().unwrap();
                self.wait("all have the proposals", |view| view.governance.proposals.len() == count);
            }
            ["signatures", count] => {
                let count: usize = count.parse().unwrap();
                self.wait("all have the signatures", |view| {
                    view.governance.proposals.iter().any(|proposal| proposal.signatures.len() == count)
                });
            }
            ["contested"] => {
                self.wait("all know both versions", |view| view.governance.open_conflict.is_some())
            }
            ["file", at] => fs::write(path(at), file.join("\n") + "\n").unwrap(),
            ["copy", from, to] => drop(fs::copy(path(from), path(to)).unwrap()),
            ["mode", mode, at] => {
                let mode = u32::from_str_radix(mode, 8).unwrap();
                fs::set_permissions(path(at), fs::Permissions::from_mode(mode)).unwrap();
            }
            ["tamper", at] => tamper(&path(at)),
            ["flip", at] => flip(&path(at)),
            ["move", from, to] => fs::rename(path(from), path(to)).unwrap(),
            ["replace", at, old, new] => {
                let text = fs::read_to_string(path(at)).unwrap();
                assert!(text.contains(old));
                fs::write(path(at), text.replacen(old, new, 1)).unwrap();
            }
            _ => panic!("no such action: {words:?}"),
        }
    }

    /// Waits until something is so at every running node.
    fn wait(&self, what: &str, holds: impl Fn(&View) -> bool) {
        let cluster = self.cluster.as_ref().unwrap();
        let all = wego_tests::until(what, || cluster.running().all(|node| holds(&node.reader().view())));
        self.runtime.block_on(all);
    }

    /// Nodes that have met, with a profile for each, the first one chosen.
    fn found(&mut self, cities: usize) {
        let cluster = self.runtime.block_on(async {
            let mut cluster = Cluster::found(cities).await;
            for n in 0..cities {
                cluster.seats[n].config.peers.receipts = RECEIPTS;
                cluster.up(n).await;
            }
            for n in 0..cities {
                cluster.connected(n, cities - 1).await;
            }
            cluster
        });
        for (n, seat) in cluster.seats.iter().enumerate() {
            let listen = &seat.config.listen;
            let at = [Some(listen.peers), Some(listen.clients), listen.portal];
            for (which, address) in at.into_iter().enumerate() {
                let address = address.map(|address| address.to_string()).unwrap_or_default();
                // As wide as most ports that a system gives.
                self.names.give(&address, &format!("127.0.0.1:{}74{}{which}", 1 + n / 10, n % 10));
            }
        }
        self.cluster = Some(cluster);
        for n in 1..=cities {
            let added = self.command(&format!("wego profile add ./city-{n}/profile --name city-{n}"), &[]);
            assert_eq!(added.code, 0, "{}", added.err);
        }
        let _ = self.command("wego profile use city-1", &[]);
    }

    /// Every running node has heard that every other has all it has itself.
    fn heard(&self) {
        let cluster = self.cluster.as_ref().unwrap();
        let all_have_all = || {
            let views: Vec<_> = cluster.running().map(|node| node.reader().view()).collect();
            let has_all = |receipt: &wego_ledger::receipt::Receipt| {
                views[0].heads.iter().all(|(origin, head)| receipt.covers(*origin, head.at))
            };
            let says_so = |at: &View| {
                views.iter().all(|of| at.receipts.get(&of.me).is_some_and(|receipt| has_all(receipt)))
            };
            views.iter().all(|view| says_so(view))
        };
        self.runtime.block_on(wego_tests::until("all have heard of all", all_have_all));
    }

    /// A city's keys sign two histories; every other node hears of it.
    fn fork(&mut self, n: usize) {
        let cluster = self.cluster.as_mut().unwrap();
        self.runtime.block_on(async {
            cluster.down(n).await;
            let liar = Byzantine::holding(&cluster.seats[n]);
            let before = liar.story(&[], &["Before"]);
            let [one, other] = ["One", "Other"].map(|title| liar.story(&before, &[title]).remove(1));
            let proof = ForkEvidence::of(&one, &other, &liar.roster).unwrap().proof;
            let line = liar.greet(&cluster.seats[0]).await;
            line.send(Body::ForkProofs(v1::ForkProofs { proofs: vec![proof] })).await;
            wego_tests::until("all have the proof", || {
                cluster.running().all(|node| node.reader().view().forks().contains_key(&liar.origin))
            })
            .await;
        });
    }

    fn command(&mut self, text: &str, answers: &[String]) -> Done {
        let dir = self.dir().to_owned();
        let words = words(text);
        let args: Vec<_> = words.iter().map(|word| OsString::from(self.names.meant(word, &dir))).collect();
        let done = if words[0] == "wego-node" { wego_node(args) } else { wego(args, answers, &dir) };
        Done {
            out: self.names.plain(&done.out, &dir),
            err: self.names.plain(&done.err, &dir),
            code: done.code,
        }
    }
}

fn wego(args: Vec<OsString>, answers: &[String], dir: &Path) -> Done {
    let (mut stdio, out, err) = Stdio::captured("");
    stdio.input = Box::new(Cursor::new(answers.join("\n").into_bytes()));
    stdio.input_is_tty = !answers.is_empty();
    let home = dir.join("home");
    stdio.env = Box::new(move |name| (name == "HOME").then(|| home.clone().into_os_string()));
    let clock = stdio.clock;
    stdio.clock = Box::new(move || clock() + CLOCK_AHEAD_MS);
    let code = wego_cli::run(args, stdio);
    Done { out: out.text(), err: err.text(), code }
}

fn wego_node(args: Vec<OsString>) -> Done {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = wego_node::commands::run(args, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Done { out: text(out), err: text(err), code: exit.code() }
}

/// `city-1` is the first.
fn place(city: &str) -> usize {
    city.strip_prefix("city-").unwrap().parse::<usize>().unwrap() - 1
}

/// Changes one bit in the middle of a file.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// Changes one letter in the middle of an armoured file.
fn tamper(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    let body = text.find("-----\n").unwrap() + 6;
    let at = body + (text.len() - body) / 2;
    let at = at + text[at..].find(|c: char| c.is_ascii_lowercase()).unwrap();
    let letter = if text[at..].starts_with('a') { "b" } else { "a" };
    fs::write(path, format!("{}{letter}{}", &text[..at], &text[at + 1..])).unwrap();
}

/// Waits until a dial of each peer has failed.
async fn lost(profile: &Path) {
    let client = Client::of_profile(profile).await;
    loop {
        let status = client.admin().status(v1::StatusRequest {}).await.unwrap().into_inner();
        if status.peers.iter().all(|peer| peer.last_error.contains("connection failed")) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
