//! What a version says of a city that it admits: all of it, for a key that nobody was shown is a key that nobody has
//! compared with the city's card; and whether somebody has.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Serialize;
use wego_proto::{card::MemberCard, id::Position, roster::Roster, v1};

use super::{
    diff::{Changes, listed, position, term},
    file::{Sheet, read_card, read_names},
};
use crate::{
    commands::roster::{digest_fingerprint, fingerprint},
    context::Context,
    error::Failure,
    words::Word as _,
};

/// Cards that a version is compared with.
#[derive(Debug, clap::Args)]
pub(crate) struct Cards {
    /// Card of a city that is admitted or given new keys, from the city itself: each key and digest must be the same
    #[arg(long = "card", value_name = "CARD")]
    paths: Vec<PathBuf>,
}

/// Whether what a version says of a city was held against the city's own word.
#[derive(Debug, Serialize)]
pub(crate) struct Compared {
    handle: String,
    /// The card it was compared with.
    with: Option<String>,
    /// Whether the version gives the city keys, or others than it had: else there is nothing to compare.
    new_keys: bool,
}

impl Cards {
    /// Compares a version with the cards, which spares people to do it letter by letter, and says of each city that it admits
    /// or changes whether that was done.
    pub(crate) fn agree(&self, sheet: &Sheet, cx: &mut Context) -> Result<Vec<Compared>, Failure> {
        let mut with = BTreeMap::new();
        for path in &self.paths {
            let card = read_card(path, cx)?;
            agrees(sheet, &card, path)?;
            with.insert(card.inception.handle, path.display().to_string());
        }
        let content = &sheet.draft().content;
        let before = sheet.before().map(Roster::content);
        let known = |member: &v1::Member| {
            before.and_then(|before| before.members.iter().find(|known| known.idx == member.idx))
        };
        let mut compared = Vec::new();
        for member in &content.members {
            let (known, with) = (known(member), with.remove(&member.handle));
            if with.is_some() || known != Some(member) {
                let new_keys = known.is_none_or(|known| keys_of(known) != keys_of(member));
                compared.push(Compared { handle: member.handle.clone(), with, new_keys });
            }
        }
        compared.iter().for_each(|city| city.tell(cx));
        Ok(compared)
    }
}

impl Compared {
    /// Whether the version gives the city keys that were not compared.
    pub(crate) const fn is_open(&self) -> bool {
        self.new_keys && self.with.is_none()
    }

    fn tell(&self, cx: &mut Context) {
        let Self { handle, with, new_keys } = self;
        match (with, new_keys) {
            (Some(card), true) => cx.say(&format!("{handle} has the keys and digests that {card} says, and no others")),
            (Some(card), false) => {
                cx.say(&format!("{handle} keeps its keys, which are those that {card} says: nothing new was compared"));
            }
            (None, false) => cx.say(&format!("{handle} keeps its keys and digests: nothing to compare")),
            (None, true) => cx.warn(&format!(
                "{handle} was NOT compared: give --card with the card that the city itself has sent, or read all its \
                 fingerprints to it by telephone"
            )),
        }
    }
}

/// Refuses a version that says something else of a city's keys than its card.
fn agrees(sheet: &Sheet, card: &MemberCard, path: &Path) -> Result<(), Failure> {
    let (handle, shown) = (&card.inception.handle, path.display());
    let content = &sheet.draft().content;
    let member = content.members.iter().find(|member| member.handle == *handle).ok_or_else(|| {
        let what = format!("the roster has no member {handle}, whose card {shown} is");
        Failure::usage(what, "`wego roster show` lists the handles")
    })?;
    let known = sheet.before().is_some_and(|before| before.member_by_handle(handle).is_some());
    let differs = if known { card.differs_from_newest(member) } else { card.differs_from_admitted(member) };
    let committee = content.governance.clone().unwrap_or_default();
    let own = card.governance_key.map(|key| key.as_bytes().to_vec());
    let mut held = committee.keys.iter().filter(|key| committee.holder(key) == Some(member.idx));
    let other_holder =
        own.as_ref().and_then(|key| committee.holder(key)).is_some_and(|idx| idx != member.idx);
    let governs = (other_holder || held.any(|key| Some(key) != own.as_ref())).then_some("governance key");
    let Some(what) = differs.or(governs) else { return Ok(()) };
    let hint = "do not sign it: call the city, and ask whoever proposed this version";
    Err(Failure::integrity(format!("the roster has another {what} for {handle} than {shown}"), hint))
}

/// What lets somebody be the city.
fn keys_of(member: &v1::Member) -> impl PartialEq + '_ {
    let v1::Member { city_id, log_keys, transport_keys, next_log_key_digest, recovery_digest, .. } = member;
    (city_id, log_keys, transport_keys, next_log_key_digest, recovery_digest)
}

/// Everything of a member that is new, what no card would say as an alarm.
pub(super) fn admission(changes: &mut Changes, member: &v1::Member) {
    // Taken apart, so that a field of a later version cannot be left out here.
    let v1::Member {
        idx,
        city_id,
        handle,
        names,
        country,
        place,
        endpoints,
        transport_keys,
        log_keys,
        next_log_key_digest,
        recovery_digest,
        status,
        role: _,
        cut,
        term_from_ms: _,
        term_until_ms: _,
        portal_url,
    } = member;
    let (names, role) = (read_names(names), member.role().word());
    changes
        .tell(format!("admits {handle} ({names}) as {role} and number {idx}, for the term {}", term(member)));
    let city_id = data_encoding::HEXLOWER.encode(city_id);
    changes.tell(format!("gives {handle} the city id {city_id}"));
    let portal = if portal_url.is_empty() { "no portal" } else { portal_url };
    let at = [country.as_str(), place].join(" ");
    changes.tell(format!("puts {handle} at {}, reached at {}, {portal}", at.trim_end(), listed(endpoints)));
    for key in log_keys {
        log_key(changes, handle, key);
    }
    if log_keys.len() != 1 {
        changes.alarm(format!("gives {handle} {} log keys where a new member has one", log_keys.len()));
    }
    for key in transport_keys {
        changes.tell(format!("lets transport key {} speak for {handle}", fingerprint(key)));
    }
    if transport_keys.len() != 1 {
        let count = transport_keys.len();
        changes.alarm(format!("gives {handle} {count} transport keys where a new member has one"));
    }
    let next = digest_fingerprint(next_log_key_digest);
    unless(changes, next_log_key_digest.is_empty(), format!("binds {handle} to next log key digest {next}"));
    let recovery = digest_fingerprint(recovery_digest);
    let text =
        format!("binds {handle} to recovery digest {recovery}: who has that key can take over its log");
    unless(changes, recovery_digest.is_empty(), text);
    // A version that says otherwise is refused when it is read against the one before; the first has none before.
    if *status != v1::MemberStatus::Active as i32 || cut.is_some() {
        let at = position(cut.as_ref().and_then(|cut| cut.at));
        changes.alarm(format!("marks {handle} as {}, cut at {at}", member.status().word()));
    }
}

fn log_key(changes: &mut Changes, handle: &str, key: &v1::LogKey) {
    let v1::LogKey { key_no, key, from, until, next_log_key_digest, recovery_digest } = key;
    let usual = *key_no == 1 && *from == Some(Position::FIRST.into()) && until.is_none();
    let until = until.map_or(String::new(), |until| format!(" until before {}", position(Some(until))));
    let (print, from) = (fingerprint(key), position(*from));
    unless(changes, !usual, format!("gives {handle} log key {key_no}, {print}, from {from} on{until}"));
    if !next_log_key_digest.is_empty() || !recovery_digest.is_empty() {
        let [next, recovery] =
            [next_log_key_digest, recovery_digest].map(|digest| digest_fingerprint(digest));
        changes.alarm(format!(
            "lets epochs under log key {key_no} of {handle} be opened by next log key digest {next} and recovery \
             digest {recovery}"
        ));
    }
}

/// Tells it, as an alarm when it is unusual.
fn unless(changes: &mut Changes, unusual: bool, text: String) {
    if unusual { changes.alarm(text) } else { changes.tell(text) }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use wego_proto::{key::SecretKey, v1::Position};

    use super::{super::diff, *};

    fn key(seed: u8) -> Vec<u8> {
        SecretKey::from_seed(&[seed; 32].into()).public().as_bytes().to_vec()
    }

    fn accra() -> v1::Member {
        v1::Member {
            idx: 4,
            city_id: vec![0xc1; 32],
            handle: "gh-accra".to_owned(),
            names: vec![v1::MemberName { lang: "en".to_owned(), text: "Accra".to_owned() }],
            country: "GH".to_owned(),
            place: "GHACC".to_owned(),
            endpoints: vec!["accra.example:7400".to_owned()],
            transport_keys: vec![key(1)],
            log_keys: vec![v1::LogKey {
                key_no: 1,
                key: key(3),
                from: Some(Position { epoch: 1, seq: 1 }),
                ..Default::default()
            }],
            next_log_key_digest: vec![4; 32],
            recovery_digest: vec![5; 32],
            status: v1::MemberStatus::Active as i32,
            role: v1::MemberRole::Candidate as i32,
            cut: None,
            term_from_ms: 1_000,
            term_until_ms: 86_400_000,
            portal_url: "https://accra.example/".to_owned(),
        }
    }

    fn told(before: &[v1::Member], after: &v1::Member) -> Vec<diff::Change> {
        let of = |members: Vec<v1::Member>| v1::Roster { members, ..Default::default() };
        let new = of(vec![after.clone()]);
        diff::changes(&of(before.to_vec()), &new, &new.encode_to_vec())
    }

    #[test]
    fn an_admission_tells_everything_of_the_member_and_nothing_usual_as_an_alarm() {
        let all = told(&[], &accra());
        let text = diff::lines(&all).join("\n");
        let plain = ["gh-accra", "Accra (en)", "number 4", "candidate", "GH GHACC", "accra.example:7400"];
        let more = ["https://accra.example/", "1970-01-01T00:00:01", "1970-01-02", &"c1".repeat(32)];
        for said in plain.into_iter().chain(more) {
            assert!(text.contains(said), "{said}: {text}");
        }
        let keys = [1, 3].map(|seed| fingerprint(&key(seed)));
        let digests = [4, 5].map(|byte| digest_fingerprint(&[byte; 32]));
        for print in keys.iter().chain(&digests) {
            assert!(text.contains(print.as_str()), "{print}: {text}");
        }
        assert!(all.iter().all(|change| !change.alarm), "{text}");
    }

    #[test]
    fn what_no_card_would_say_is_an_alarm() {
        let mut odd = accra();
        odd.transport_keys.push(key(2));
        odd.log_keys[0].until = Some(Position { epoch: 5, seq: 1 });
        odd.log_keys[0].next_log_key_digest = vec![6; 32];
        odd.log_keys[0].recovery_digest = vec![7; 32];
        let all = told(&[], &odd);
        let alarms: Vec<_> = all.iter().filter(|change| change.alarm).map(|change| &change.text).collect();
        assert_eq!(alarms.len(), 3, "{alarms:?}");
        for said in ["2 transport keys", "until before 5.1", &digest_fingerprint(&[7; 32])] {
            assert!(alarms.iter().any(|text| text.contains(said)), "{said}: {alarms:?}");
        }
        let bare =
            v1::Member { recovery_digest: vec![], next_log_key_digest: vec![], log_keys: vec![], ..accra() };
        let all = told(&[], &bare);
        for said in ["recovery digest none", "next log key digest none", "0 log keys"] {
            assert!(all.iter().any(|change| change.alarm && change.text.contains(said)), "{said}: {all:?}");
        }
    }

    #[test]
    fn new_digests_of_a_member_are_named() {
        let new = v1::Member { recovery_digest: vec![8; 32], next_log_key_digest: vec![9; 32], ..accra() };
        let text = diff::lines(&told(&[accra()], &new)).join("\n");
        for byte in [4, 5, 8, 9] {
            let print = digest_fingerprint(&[byte; 32]);
            assert!(text.contains(&print), "{byte}: {text}");
        }
    }
}
