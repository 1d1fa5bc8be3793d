//! What a version says of a city that it admits: all of it, for a key that nobody was shown is a key that nobody has
//! compared with the city's card.

use std::path::PathBuf;

use wego_proto::v1;

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

impl Cards {
    /// Compares a version with the cards, so that nobody has to do it letter by letter.
    pub(crate) fn agree(&self, sheet: &Sheet, cx: &mut Context) -> Result<(), Failure> {
        for path in &self.paths {
            let card = read_card(path, cx)?;
            let (handle, shown) = (&card.inception.handle, path.display());
            let of_handle = |member: &&v1::Member| member.handle == *handle;
            let member = sheet.draft().content.members.iter().find(of_handle).ok_or_else(|| {
                let what = format!("the roster has no member {handle}, whose card {shown} is");
                Failure::usage(what, "`wego roster show` lists the handles")
            })?;
            let known = sheet.before().is_some_and(|before| before.member_by_handle(handle).is_some());
            let differs =
                if known { card.differs_from_newest(member) } else { card.differs_from_admitted(member) };
            if let Some(what) = differs {
                let hint = "do not sign it: call the city, and ask whoever proposed this version";
                let what = format!("the roster has another {what} for {handle} than {shown}");
                return Err(Failure::integrity(what, hint));
            }
            cx.say(&format!("{handle} has the keys and digests that {shown} says, and no others"));
        }
        Ok(())
    }
}

/// Everything of a member that is new. Whoever has one of its keys can be the member, so each of them is an alarm.
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
    if log_keys.is_empty() {
        changes.alarm(format!("gives {handle} no log key"));
    }
    for key in transport_keys {
        changes.alarm(format!("lets transport key {} speak for {handle}", fingerprint(key)));
    }
    let next = digest_fingerprint(next_log_key_digest);
    changes.alarm(format!("binds {handle} to next log key digest {next}"));
    let recovery = digest_fingerprint(recovery_digest);
    changes.alarm(format!(
        "binds {handle} to recovery digest {recovery}: who has that key can take over its log"
    ));
    // A version that says otherwise is refused when it is read against the one before; the first has none before.
    if *status != v1::MemberStatus::Active as i32 || cut.is_some() {
        let at = position(cut.as_ref().and_then(|cut| cut.at));
        changes.alarm(format!("marks {handle} as {}, cut at {at}", member.status().word()));
    }
}

fn log_key(changes: &mut Changes, handle: &str, key: &v1::LogKey) {
    let v1::LogKey { key_no, key, from, until, next_log_key_digest, recovery_digest } = key;
    let until = until.map_or(String::new(), |until| format!(" until before {}", position(Some(until))));
    let (print, from) = (fingerprint(key), position(*from));
    changes.alarm(format!("gives {handle} log key {key_no}, {print}, from {from} on{until}"));
    if !next_log_key_digest.is_empty() || !recovery_digest.is_empty() {
        let [next, recovery] =
            [next_log_key_digest, recovery_digest].map(|digest| digest_fingerprint(digest));
        changes.alarm(format!(
            "lets epochs under log key {key_no} of {handle} be opened by next log key digest {next} and recovery \
             digest {recovery}"
        ));
    }
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
            transport_keys: vec![key(1), key(2)],
            log_keys: vec![v1::LogKey {
                key_no: 1,
                key: key(3),
                from: Some(Position { epoch: 1, seq: 1 }),
                until: Some(Position { epoch: 5, seq: 1 }),
                next_log_key_digest: vec![6; 32],
                recovery_digest: vec![7; 32],
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
    fn an_admission_tells_everything_of_the_member_and_its_keys_as_alarms() {
        let all = told(&[], &accra());
        let text = diff::lines(&all).join("\n");
        let plain = ["gh-accra", "Accra (en)", "number 4", "candidate", "GH GHACC", "accra.example:7400"];
        let more = ["https://accra.example/", "1970-01-01T00:00:01", "1970-01-02", &"c1".repeat(32)];
        for said in plain.into_iter().chain(more) {
            assert!(text.contains(said), "{said}: {text}");
        }
        let keys = [1, 2, 3].map(|seed| fingerprint(&key(seed)));
        let digests = [4, 5, 6, 7].map(|byte| digest_fingerprint(&[byte; 32]));
        for print in keys.iter().chain(&digests) {
            let alarmed = all.iter().any(|change| change.alarm && change.text.contains(print.as_str()));
            assert!(alarmed, "{print}: {text}");
        }
        assert!(text.contains("until before 5.1"), "{text}");
    }

    #[test]
    fn a_member_that_commits_to_nothing_is_told_as_such() {
        let bare =
            v1::Member { recovery_digest: vec![], next_log_key_digest: vec![], log_keys: vec![], ..accra() };
        let text = diff::lines(&told(&[], &bare)).join("\n");
        for said in ["recovery digest none", "next log key digest none", "no log key"] {
            assert!(text.contains(said), "{said}: {text}");
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
