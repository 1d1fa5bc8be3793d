//! Never self-fork, with real processes and disks: killed, put back to a copy of any age, torn, lost, cloned. No member
//! signs two histories, and nothing acknowledged that anybody else held is lost or replaced.

use std::{collections::BTreeMap, fs, io::Write as _, path::PathBuf, time::Duration};

use wego_proto::v1::{self, catalogue_client::CatalogueClient};
use wego_tests::{
    client::Client,
    process::{Federation, Signal, Site, copy, wait_for},
    records::{practice, publish},
    seeded::Seeded,
};

/// Trials when nobody says how many with `WEGO_TRIALS`; before a release it is 300.
const TRIALS: u64 = 20;
const CITIES: [&str; 3] = ["kr-seoul", "fr-paris", "sn-dakar"];
/// Records on their way at once: a kill meets some before, some amid and some after their sync.
const CALLERS: u64 = 4;
/// Longest life of a node after its first acknowledgement in a trial, ms.
const LIFE_MS_MAX: u64 = 120;
/// Copies kept of a member's data, of different ages.
const COPIES: usize = 4;

/// Bytes of a journal's file before its first record.
const SEGMENT_HEADER: usize = 32;
/// Bytes of a record before its content, the first four of them its length.
const RECORD_HEADER: usize = 12;

type Position = (u32, u64);
type Hashes = BTreeMap<Position, Vec<u8>>;

/// What a trial does to a member's node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    /// Killed amid its writing.
    Killed,
    /// Killed, and what it was writing to its journal is torn.
    Torn,
    /// Killed; then it is put back to a copy.
    PutBack,
    /// Killed; then it has nothing but its keys.
    Lost,
    /// A copy of its whole folder is started beside it.
    Cloned,
}

const BLOWS: [Blow; 5] = [Blow::Killed, Blow::Torn, Blow::PutBack, Blow::Lost, Blow::Cloned];

struct Trials {
    runtime: tokio::runtime::Runtime,
    federation: Federation,
    random: Seeded,
    copies: Vec<Vec<PathBuf>>,
    /// By member, what its node acknowledged.
    acknowledged: Vec<Hashes>,
}

#[test]
fn no_member_forks_itself_or_loses_what_was_acknowledged_whatever_happens_to_its_disk() {
    let count = std::env::var("WEGO_TRIALS").map_or(TRIALS, |text| text.parse().expect("a number"));
    println!("WEGO_TRIALS={count}");
    let mut trials = Trials {
        runtime: tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap(),
        federation: Federation::start(&CITIES),
        random: Seeded::drawn(),
        copies: vec![Vec::new(); CITIES.len()],
        acknowledged: vec![Hashes::new(); CITIES.len()],
    };
    let begun = std::time::Instant::now();
    for trial in 0..count {
        let member = trials.random.below(CITIES.len() as u64) as usize;
        let blow = BLOWS[(trial % BLOWS.len() as u64) as usize];
        println!("trial {trial}: {blow:?} {} after {:?}", CITIES[member], begun.elapsed());
        trials.suffer(member, blow);
        trials.check(member);
    }
    for member in 0..CITIES.len() {
        trials.check(member);
    }
    let acknowledged: usize = trials.acknowledged.iter().map(BTreeMap::len).sum();
    let epochs: Vec<_> = (0..CITIES.len()).map(|member| trials.epochs(member)).collect();
    println!("{count} trials, {acknowledged} acknowledged, epochs {epochs:?}");
    assert!(acknowledged as u64 >= count, "too little was acknowledged to claim anything");
    assert!(epochs.iter().sum::<usize>() > CITIES.len(), "no trial lost anything: they mean nothing");
}

impl Trials {
    fn suffer(&mut self, member: usize, blow: Blow) {
        if blow == Blow::Cloned {
            self.clone_beside(member);
            return;
        }
        self.write_until_killed(member);
        let data = self.federation.sites[member].dir.join("data");
        match blow {
            Blow::Killed | Blow::Cloned => self.keep_copy(member),
            Blow::Torn => self.tear(member),
            Blow::PutBack | Blow::Lost => {
                // Up again for a moment: what it alone has of what it acknowledged would be gone with its disk.
                up(&mut self.federation.sites[member]);
                self.check(member);
                assert!(!self.federation.sites[member].end(Signal::KILL).success());
                self.keep_copy(member);
                let any = self.random.below(self.copies[member].len() as u64) as usize;
                match blow {
                    Blow::Lost => fs::remove_dir_all(&data).unwrap(),
                    _ => copy(&self.copies[member][any], &data),
                }
            }
        }
        up(&mut self.federation.sites[member]);
    }

    /// Publishes over some calls at a time; kills the node a moment after the first acknowledgement.
    fn write_until_killed(&mut self, member: usize) {
        let site = &self.federation.sites[member];
        let client = self.runtime.block_on(Client::of_profile(&site.profile()));
        let (answers, heard) = std::sync::mpsc::channel();
        for _ in 0..CALLERS {
            let (mut catalogue, answers) = (client.catalogue(), answers.clone());
            self.runtime.spawn(async move {
                while let Ok(reply) = catalogue.publish(publish(practice("Any"))).await {
                    let _ = answers.send(reply.into_inner());
                }
            });
        }
        drop(answers);
        let first = heard.recv().expect("a node that may write acknowledges");
        let life = Duration::from_millis(self.random.below(LIFE_MS_MAX));
        let _passed =
            self.runtime.block_on(async { tokio::time::timeout(life, std::future::pending::<()>()).await });
        assert!(!self.federation.sites[member].end(Signal::KILL).success());
        for reply in std::iter::once(first).chain(heard) {
            self.acknowledge(member, reply);
        }
    }

    fn acknowledge(&mut self, member: usize, reply: v1::PublishReply) {
        let at = position(reply.at);
        let before = self.acknowledged[member].insert(at, reply.entry_hash.clone());
        assert!(before.is_none_or(|before| before == reply.entry_hash), "{at:?} was acknowledged twice");
    }

    fn keep_copy(&mut self, member: usize) {
        let copies = &mut self.copies[member];
        let slot =
            if copies.len() < COPIES { copies.len() } else { self.random.below(COPIES as u64) as usize };
        let kept = self.federation.dir.path().join(format!("copy-{member}-{slot}"));
        copy(&self.federation.sites[member].dir.join("data"), &kept);
        if slot == copies.len() {
            copies.push(kept);
        }
    }

    /// Begins a record after all that was acknowledged, as a write that was cut off leaves it.
    fn tear(&mut self, member: usize) {
        let journal = self.federation.sites[member].dir.join("data/journal");
        let files = fs::read_dir(journal).unwrap().map(|entry| entry.unwrap().path());
        let newest = files.filter(|path| path.extension().is_some_and(|end| end == "journal")).max().unwrap();
        let bytes = fs::read(&newest).unwrap();
        // Without a record in it yet, any few bytes are the beginning of one.
        let record = bytes.get(SEGMENT_HEADER..).filter(|records| records.len() > RECORD_HEADER);
        let record = record.unwrap_or(&[0xbd; RECORD_HEADER]);
        let content = u32::from_be_bytes([record[0], record[1], record[2], record[3]]);
        let whole = (RECORD_HEADER + content as usize + 1).min(record.len());
        let torn = &record[..1 + self.random.below(whole as u64 - 1) as usize];
        fs::File::options().append(true).open(&newest).unwrap().write_all(torn).unwrap();
    }

    /// A copy of the whole folder, started beside it: one of the two stops writing, and is ended by its operator.
    fn clone_beside(&mut self, member: usize) {
        self.check(member);
        assert!(self.federation.sites[member].end(Signal::TERM).success());
        let mut twin = self.federation.sites[member].copied("twin");
        let copy_first = self.random.below(2) == 0;
        let site = &mut self.federation.sites[member];
        let (first, second) = if copy_first { (&mut twin, site) } else { (site, &mut twin) };
        up(first);
        second.start();
        second.answers();
        // Every attempt to write, at the worst moments too. What the one that has to stop acknowledges before it knows
        // may be void later; that both write on must not be.
        let profiles = [first.profile(), second.profile()];
        let clients = profiles.map(|profile| self.runtime.block_on(Client::of_profile(&profile)));
        wait_for("the later start goes on, and the other one stops", || {
            for client in &clients {
                let _ = self.runtime.block_on(client.catalogue().publish(publish(practice("Twin"))));
            }
            !may_write(first) && may_write(second)
        });
        assert!(!first.end(Signal::KILL).success());
        let reply = self.runtime.block_on(clients[1].catalogue().publish(publish(practice("One of two"))));
        self.acknowledge(member, reply.unwrap().into_inner());
        self.check(member);
        if !copy_first {
            // The one that goes on moves into the member's folder.
            assert!(twin.end(Signal::TERM).success());
            copy(&twin.dir.join("data"), &self.federation.sites[member].dir.join("data"));
            up(&mut self.federation.sites[member]);
        }
        fs::remove_dir_all(&twin.dir).unwrap();
    }

    /// Nobody is proved to have written two histories, and all that was acknowledged is at everybody.
    fn check(&mut self, member: usize) {
        let acknowledged = &self.acknowledged[member];
        for site in self.federation.sites.iter().filter(|site| site.daemon.is_some()) {
            let client = self.runtime.block_on(Client::of_profile(&site.profile()));
            let lacks = || {
                let held = self.runtime.block_on(held(&mut client.catalogue(), CITIES[member]));
                acknowledged.iter().filter(|(at, hash)| held.get(at) != Some(hash)).count()
            };
            wait_for(&format!("{} shows all of {}", site.handle, CITIES[member]), || lacks() == 0);
            let forks = site.wego(&["fork", "list", "--json"]).json();
            assert_eq!(forks["forks"], serde_json::json!([]), "{} has a proof", site.handle);
        }
    }

    fn epochs(&self, member: usize) -> usize {
        let keys = self.federation.sites[member].wego(&["key", "show", "--json"]).json();
        keys["epochs"].as_array().unwrap().len()
    }
}

fn up(site: &mut Site) {
    site.start();
    site.answers();
    site.is_well();
}

fn may_write(site: &Site) -> bool {
    site.wego(&["status", "--json"]).json()["writable"] == true
}

/// Position and hash of every record of a member, as a node lists them.
async fn held(catalogue: &mut CatalogueClient<tonic::transport::Channel>, handle: &str) -> Hashes {
    let (mut held, mut page_token) = (Hashes::new(), String::new());
    loop {
        let handle = handle.to_owned();
        let page = v1::ListRequest { handle, page_size: 1_000, page_token, ..Default::default() };
        let page = catalogue.list(page).await.unwrap().into_inner();
        held.extend(page.records.into_iter().map(|record| (position(record.at), record.entry_hash)));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return held;
        }
    }
}

fn position(at: Option<v1::Position>) -> Position {
    let at = at.unwrap();
    (at.epoch, at.seq)
}
