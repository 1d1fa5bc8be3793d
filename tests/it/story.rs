//! One federation through everything that trust has to survive, with the programs that people have and nothing else:
//! a city joins, its key is stolen, it is healed, it is expelled, another loses its disk, a record is erased. The
//! runbook tells what people do in the same order. Nothing here may reach into a node.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use wego_tests::process::{Federation, Signal, Site, call, wait_for};

mod admission;
mod erasure;
mod loss;
mod removal;
mod theft;

const SEOUL: usize = 0;
const PARIS: usize = 1;
const DAKAR: usize = 2;
const LEIDEN: usize = 3;

/// How often somebody can be asked to wait for a refusal, and what it says then.
const CONFLICT: Option<i32> = Some(6);
/// A transport key takes over when all have said that they know it, which nobody waits a day for here.
const QUICK: &str = "transport_overlap_s = 1\nreceipts_s = 1";

#[test]
fn a_federation_survives_theft_a_fork_an_expulsion_and_lost_disks() {
    let mut federation = Federation::found(&["kr-seoul", "fr-paris", "sn-dakar"]);
    for site in &mut federation.sites {
        site.set("peers", QUICK);
        site.start();
    }
    federation.is_well();
    let mut story = Story { federation };
    for site in [SEOUL, PARIS, DAKAR] {
        story.publish(site, &format!("First of {site}"));
    }
    admission::a_fourth_joins_with_an_invite(&mut story);
    theft::a_stolen_key_forks_a_log_and_the_recovery_key_heals_it(&mut story);
    removal::who_is_expelled_during_a_partition_is_cut_off_everywhere(&mut story);
    loss::an_old_backup_goes_on_in_a_new_epoch(&mut story);
    loss::a_lost_disk_comes_back_from_the_peers(&mut story);
    erasure::an_erasure_shows_who_has_carried_it_out(&mut story);
}

struct Story {
    federation: Federation,
}

/// What a command that published said.
struct Published {
    id: String,
    hash: String,
}

impl Story {
    fn site(&mut self, site: usize) -> &mut Site {
        &mut self.federation.sites[site]
    }

    fn path(&self, name: &str) -> PathBuf {
        self.federation.dir.path().join(name)
    }

    fn wego(&self, site: usize, args: &[&str]) -> Value {
        let done = self.federation.sites[site].wego(&[args, &["--json"]].concat());
        assert_eq!(done.code, Some(0), "{args:?}: {}{}", done.out, done.err);
        done.json()
    }

    fn status(&self, site: usize) -> Value {
        self.federation.sites[site].wego(&["status", "--json"]).json()
    }

    fn running(&self) -> impl Iterator<Item = usize> {
        (0..self.federation.sites.len()).filter(|site| self.federation.sites[*site].daemon.is_some())
    }

    fn stop(&mut self, sites: &[usize]) {
        for site in sites {
            assert!(self.site(*site).end(Signal::TERM).success());
        }
    }

    /// Starts nodes and waits until they answer.
    fn start(&mut self, sites: &[usize]) {
        for site in sites {
            self.site(*site).start();
        }
        for site in sites {
            self.site(*site).answers();
        }
    }

    fn wait_until_it_writes(&self, site: usize) {
        wait_for("it may write", || self.status(site)["writable"] == true);
    }

    /// Publishes a practice at a node that may write, or soon will.
    fn publish(&self, site: usize, title: &str) -> Published {
        self.wait_until_it_writes(site);
        let form = self.form();
        let title = format!("en={title}");
        let said = self.wego(site, &["practice", "publish", "--file", &form, "--title", &title, "--yes"]);
        let text = |name: &str| said[name].as_str().unwrap().to_owned();
        Published { id: text("record_id"), hash: text("entry_hash") }
    }

    /// Why a node does not publish.
    fn refused(&self, site: usize) -> String {
        let form = self.form();
        let done = self.federation.sites[site].wego(&["practice", "publish", "--file", &form]);
        assert_eq!(done.code, CONFLICT, "{}{}", done.out, done.err);
        assert!(done.err.contains("hint:"), "{}", done.err);
        done.err
    }

    fn form(&self) -> String {
        let form = self.path("practice.yaml");
        if !form.exists() {
            let template = call(self.federation.dir.path(), "wego", &["practice", "template"]).ok();
            fs::write(&form, template).unwrap();
        }
        form.to_str().unwrap().to_owned()
    }

    /// The titles of all records that a node shows.
    fn titles(&self, site: usize) -> BTreeSet<String> {
        let listed = self.wego(site, &["record", "list", "--limit", "0"]);
        let titles = listed["records"].as_array().unwrap().iter();
        titles.filter_map(|record| record["title"]["en"].as_str()).map(str::to_owned).collect()
    }

    /// Waits until all running nodes show this title.
    fn all_show(&self, title: &str) {
        wait_for(title, || self.running().all(|site| self.titles(site).contains(title)));
    }

    /// What a node says of a member.
    fn member(&self, site: usize, handle: &str) -> Value {
        let said = self.wego(site, &["member", "list"]);
        let members = said["members"].as_array().unwrap();
        members.iter().find(|member| member["handle"] == handle).unwrap().clone()
    }

    /// Whether the newest version of a record is the acknowledged one.
    fn holds(&self, site: usize, published: &Published) -> bool {
        let listed = self.wego(site, &["record", "list", "--limit", "0"]);
        let mut records = listed["records"].as_array().unwrap().iter();
        records.any(|one| one["record_id"] == *published.id && one["entry_hash"] == *published.hash)
    }

    /// `wego roster propose` at a node, and `wego roster sign` by two members; the file.
    fn decide(&self, at: usize, signers: [usize; 2], change: &[&str], name: &str) -> PathBuf {
        let file = self.path(name);
        let out = ["--out", file.to_str().unwrap()];
        let _ = self.federation.sites[at].wego(&[&["roster", "propose"], change, &out].concat()).ok();
        for signer in signers {
            let key = self.federation.sites[signer].dir.join("keys/governance.pem");
            let key = ["--key", key.to_str().unwrap()];
            let sign = [&["roster", "sign", "--yes", file.to_str().unwrap()], &key[..]].concat();
            let _ = call(self.federation.dir.path(), "wego", &sign).ok();
        }
        file
    }

    fn follow(&self, version: u64) {
        let follows = |site| self.status(site)["roster_version"] == version;
        wait_for("all follow the new roster", || self.running().all(follows));
    }

    /// The numbers of the epochs of a member's own log.
    fn epochs(&self, site: usize) -> Vec<u64> {
        let keys = self.wego(site, &["key", "show"]);
        keys["epochs"].as_array().unwrap().iter().filter_map(|epoch| epoch["number"].as_u64()).collect()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
