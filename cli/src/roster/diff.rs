//! What a version changes, in plain language. Whoever signs reads this, so nothing may be left out: what has no
//! sentence of its own is told as a change all the same.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use serde::Serialize;
use wego_proto::v1::{self, MemberStatus};

use super::{
    admission::admission,
    file::{read_names, time},
};
use crate::{
    commands::roster::{digest_fingerprint, fingerprint, governance_key, holder},
    context::Context,
    error::Failure,
    output::{Table, one_line},
    words::Word as _,
};

/// Stands before what takes something from somebody, changes who decides, or is unusual for such a version. What every
/// founding and every admission says is none: who reads it on each line does not see it where it counts.
pub(crate) const ALARM: &str = "ALARM";

/// One sentence.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Change {
    /// See [`ALARM`].
    pub(crate) alarm: bool,
    pub(crate) text: String,
}

/// Collects sentences.
#[derive(Default)]
pub(super) struct Changes(Vec<Change>);

impl Changes {
    pub(super) fn tell(&mut self, text: impl Into<String>) {
        self.0.push(Change { alarm: false, text: text.into() });
    }

    pub(super) fn alarm(&mut self, text: impl Into<String>) {
        self.0.push(Change { alarm: true, text: text.into() });
    }

    fn of<T: PartialEq>(&mut self, old: &T, new: &T, text: impl FnOnce() -> String) {
        if old != new {
            self.tell(text());
        }
    }

    fn alarm_of<T: PartialEq>(&mut self, old: &T, new: &T, text: impl FnOnce() -> String) {
        if old != new {
            self.alarm(text());
        }
    }
}

/// Everything that `new` changes against `old`, alarms first.
pub(crate) fn changes(old: &v1::Roster, new: &v1::Roster, new_bytes: &[u8]) -> Vec<Change> {
    let mut changes = Changes::default();
    if let [one, other] = new.resolves.as_slice() {
        let given_up = if *one == new.prev_hash { other } else { one };
        changes.alarm(format!("settles a conflict: version {} is given up", hex(given_up)));
    }
    governance(&mut changes, old, new);
    members(&mut changes, old, new);
    for order in new.takedowns.iter().filter(|order| !old.takedowns.contains(order)) {
        let handle = new.members.iter().find(|member| member.idx == order.origin);
        let handle = handle.map_or("nobody", |member| &member.handle);
        let at = position(order.at);
        changes.alarm(format!("has entry {at} of {handle} erased everywhere, reason {}", order.reason));
    }
    rules(&mut changes, old, new);
    if new.encode_to_vec() != new_bytes {
        changes.alarm("has contents that this version of wego cannot show: use a newer one before you sign");
    }
    changes.0.sort_by_key(|change| !change.alarm);
    changes.0
}

/// Everything that version 1 says of who decides and who is a member, alarms first.
pub(crate) fn founding(first: &v1::Roster) -> Vec<Change> {
    let mut changes = Changes::default();
    committee(&mut changes, first);
    members(&mut changes, &v1::Roster::default(), first);
    changes.0.sort_by_key(|change| !change.alarm);
    changes.0
}

/// The changes as lines, the alarms marked.
pub(crate) fn lines(changes: &[Change]) -> Vec<String> {
    if changes.is_empty() {
        return vec!["nothing".to_owned()];
    }
    let line = |change: &Change| {
        if change.alarm { format!("{ALARM}: {}", change.text) } else { change.text.clone() }
    };
    changes.iter().map(line).map(|line| one_line(&line).into_owned()).collect()
}

/// Prints the changes as a table.
pub(crate) fn print(changes: &[Change], cx: &mut Context) -> Result<(), Failure> {
    let mut table = Table::pairs();
    for change in changes {
        table.row([if change.alarm { ALARM } else { "" }, &change.text]);
    }
    if changes.is_empty() {
        return cx.print("nothing\n");
    }
    cx.print_table(table)
}

fn governance(changes: &mut Changes, old: &v1::Roster, new: &v1::Roster) {
    let committees = [old, new].map(|roster| roster.governance.clone().unwrap_or_default());
    let [before, after] = &committees;
    if before.threshold != after.threshold || before.keys.len() != after.keys.len() {
        changes.alarm(format!(
            "{} of {} governance keys decide, until now {} of {}",
            after.threshold,
            after.keys.len(),
            before.threshold,
            before.keys.len()
        ));
    }
    let (kept, added): (Vec<_>, Vec<_>) = after.keys.iter().partition(|key| before.keys.contains(key));
    for key in added {
        changes.alarm(format!("adds governance key {}", governance_key(new, key)));
    }
    for key in before.keys.iter().filter(|key| !after.keys.contains(key)) {
        changes.alarm(format!("removes governance key {}", governance_key(old, key)));
    }
    for key in kept {
        changes.alarm_of(&before.holder(key), &after.holder(key), || {
            let [now, until_now] = [new, old].map(|roster| holder(roster, key).unwrap_or("no member"));
            format!("says that governance key {} is of {now}, until now of {until_now}", fingerprint(key))
        });
    }
}

/// Who decides from the beginning. That somebody does is no alarm; a key of an unknown holder is.
fn committee(changes: &mut Changes, first: &v1::Roster) {
    let committee = first.governance.clone().unwrap_or_default();
    changes.tell(format!("{} of {} governance keys decide", committee.threshold, committee.keys.len()));
    let mut holders = BTreeSet::new();
    for key in &committee.keys {
        let text = format!("lets governance key {} decide", governance_key(first, key));
        match holder(first, key) {
            Some(city) if !holders.insert(city) => changes.alarm(format!("{text}, which has one already")),
            None if committee.says_holders() => changes.alarm(format!("{text}, which is of no member")),
            _ => changes.tell(text),
        }
    }
}

fn rules(changes: &mut Changes, old: &v1::Roster, new: &v1::Roster) {
    changes.of(&old.soft_expires_at_ms, &new.soft_expires_at_ms, || {
        format!(
            "admits members until {}, before until {}",
            time(new.soft_expires_at_ms),
            time(old.soft_expires_at_ms)
        )
    });
    changes.alarm_of(&old.federation_name, &new.federation_name, || {
        format!("names the federation {}, before {}", new.federation_name, old.federation_name)
    });
    changes.alarm_of(&old.witnesses, &new.witnesses, || "changes who witnesses".to_owned());
    changes
        .alarm_of(&old.limits, &new.limits, || "changes the limits that the federation agreed on".to_owned());
    changes.alarm_of(&(old.wire_min, old.wire_max), &(new.wire_min, new.wire_max), || {
        format!(
            "needs wire versions {} to {}, before {} to {}",
            new.wire_min, new.wire_max, old.wire_min, old.wire_max
        )
    });
    changes.alarm_of(&old.entry_format, &new.entry_format, || {
        format!("needs entries of format {}, before {}", new.entry_format, old.entry_format)
    });
}

fn members(changes: &mut Changes, old: &v1::Roster, new: &v1::Roster) {
    let before: BTreeMap<u32, &v1::Member> = old.members.iter().map(|member| (member.idx, member)).collect();
    let after: BTreeSet<u32> = new.members.iter().map(|member| member.idx).collect();
    for member in &new.members {
        match before.get(&member.idx) {
            Some(old) => member_changes(changes, old, member),
            None => admission(changes, member),
        }
    }
    for gone in old.members.iter().filter(|member| !after.contains(&member.idx)) {
        changes.alarm(format!("leaves out {}", gone.handle));
    }
}

fn member_changes(changes: &mut Changes, old: &v1::Member, new: &v1::Member) {
    let who = &old.handle;
    changes.alarm_of(&old.handle, &new.handle, || format!("renames {who} to {}", new.handle));
    changes.alarm_of(&old.city_id, &new.city_id, || format!("gives {who} another city id"));
    standing(changes, old, new);
    keys(changes, old, new);
    changes.of(&old.role, &new.role, || {
        format!("makes {who} {}, before {}", new.role().word(), old.role().word())
    });
    changes
        .of(&term(old), &term(new), || format!("gives {who} the term {}, before {}", term(new), term(old)));
    changes.of(&old.names, &new.names, || {
        format!("calls {who} {}, before {}", read_names(&new.names), read_names(&old.names))
    });
    changes.of(&(&old.country, &old.place), &(&new.country, &new.place), || {
        format!("puts {who} at {} {}", new.country, new.place)
    });
    changes.of(&old.endpoints, &new.endpoints, || {
        format!("{who} is reached at {}, before at {}", listed(&new.endpoints), listed(&old.endpoints))
    });
    changes.of(&old.portal_url, &new.portal_url, || format!("{who} has its portal at {}", new.portal_url));
}

/// Status and cut belong together: what a member loses is said in one sentence.
fn standing(changes: &mut Changes, old: &v1::Member, new: &v1::Member) {
    let who = &old.handle;
    let cut = match &new.cut {
        Some(cut) => format!("; its entries after {} count no more", position(cut.at)),
        None => String::new(),
    };
    if old.status == new.status {
        changes.alarm_of(&old.cut, &new.cut, || format!("moves the cut of {who}{cut}"));
        return;
    }
    match new.status() {
        MemberStatus::Active => changes.tell(format!(
            "reinstates {who}, which was {}: its entries after the cut count again",
            old.status().word()
        )),
        MemberStatus::Suspended => changes.alarm(format!("SUSPENDS {who}{cut}")),
        MemberStatus::Expelled => changes.alarm(format!("EXPELS {who}{cut}")),
        MemberStatus::Left => changes.alarm(format!("{who} LEAVES{cut}")),
        other => changes.alarm(format!("marks {who} as {}{cut}", other.word())),
    }
}

fn keys(changes: &mut Changes, old: &v1::Member, new: &v1::Member) {
    let who = &old.handle;
    for key in new.log_keys.iter().filter(|key| !old.log_keys.iter().any(|known| known.key_no == key.key_no))
    {
        let (print, from) = (fingerprint(&key.key), position(key.from));
        changes.alarm(format!("gives {who} log key {}, {print}, from {from} on", key.key_no));
    }
    for known in &old.log_keys {
        match new.log_keys.iter().find(|key| key.key_no == known.key_no) {
            Some(key) if key == known => {}
            Some(key) if (&key.key, key.from) == (&known.key, known.from) => {
                changes.alarm(format!("ends log key {} of {who} before {}", key.key_no, position(key.until)));
            }
            _ => changes.alarm(format!("changes log key {} of {who}", known.key_no)),
        }
    }
    let sets = [old, new].map(|member| member.transport_keys.iter().collect::<BTreeSet<_>>());
    for key in sets[1].difference(&sets[0]) {
        changes.alarm(format!("lets transport key {} speak for {who}", fingerprint(key)));
    }
    for key in sets[0].difference(&sets[1]) {
        changes.alarm(format!("lets transport key {} speak for {who} no more", fingerprint(key)));
    }
    changes.alarm_of(&old.next_log_key_digest, &new.next_log_key_digest, || {
        let [new, old] = [new, old].map(|member| digest_fingerprint(&member.next_log_key_digest));
        format!("changes which log key {who} must take next: next log key digest {new}, before {old}")
    });
    changes.alarm_of(&old.recovery_digest, &new.recovery_digest, || {
        let [new, old] = [new, old].map(|member| digest_fingerprint(&member.recovery_digest));
        format!("changes the recovery key of {who}: recovery digest {new}, before {old}")
    });
}

pub(crate) fn listed(words: &[String]) -> String {
    if words.is_empty() { "no address".to_owned() } else { words.join(", ") }
}

pub(super) fn term(member: &v1::Member) -> String {
    format!("{} to {}", or_open(member.term_from_ms), or_open(member.term_until_ms))
}

fn or_open(ms: u64) -> String {
    if ms == 0 { "open".to_owned() } else { time(ms) }
}

pub(crate) fn position(at: Option<v1::Position>) -> String {
    at.map_or("nowhere".to_owned(), |at| format!("{}.{}", at.epoch, at.seq))
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}
