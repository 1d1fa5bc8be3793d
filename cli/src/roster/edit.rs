//! The next version, from the newest one and what is to change. What may follow is decided in `wego-proto`; here the
//! flags become fields.

use std::{collections::BTreeMap, str::FromStr};

use jiff::{civil, tz::TimeZone};
use wego_proto::{
    card::MemberCard,
    epochs::{FIRST_EPOCH, Rank, next_number},
    id::Hash,
    key::PublicKey,
    v1::{self, MemberRole, MemberStatus},
};

use crate::{error::Failure, words::Word};

/// `HANDLE=EPOCH.SEQ:HASH`
#[derive(Debug, Clone)]
pub(crate) struct CutFlag {
    pub(crate) handle: String,
    pub(crate) cut: v1::Cut,
}

/// `HANDLE=ROLE`
#[derive(Debug, Clone)]
pub(crate) struct RoleFlag {
    handle: String,
    role: MemberRole,
}

/// `HANDLE=FROM..UNTIL`
#[derive(Debug, Clone)]
pub(crate) struct TermFlag {
    handle: String,
    from_ms: u64,
    until_ms: u64,
}

/// `HANDLE=EPOCH.SEQ`
#[derive(Debug, Clone)]
pub(crate) struct TakedownFlag {
    handle: String,
    at: v1::Position,
}

fn of_handle<'a>(text: &'a str, example: &str) -> Result<(String, &'a str), String> {
    let (handle, rest) = text.split_once('=').ok_or_else(|| format!("expected {example}"))?;
    Ok((handle.to_owned(), rest))
}

fn position(text: &str) -> Result<v1::Position, String> {
    let parsed = text.split_once('.').and_then(|(epoch, seq)| Some((epoch.parse().ok()?, seq.parse().ok()?)));
    let (epoch, seq) = parsed.ok_or("expected a position as 1.25: epoch and number")?;
    Ok(v1::Position { epoch, seq })
}

impl FromStr for CutFlag {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let example = "HANDLE=EPOCH.SEQ:HASH";
        let (handle, rest) = of_handle(text, example)?;
        let (at, hash) = rest.split_once(':').ok_or_else(|| format!("expected {example}"))?;
        let hash: Hash = hash.parse().map_err(|_| "expected 64 hexadecimal digits after the colon")?;
        Ok(Self { handle, cut: v1::Cut { at: Some(position(at)?), hash: hash.as_bytes().to_vec() } })
    }
}

impl FromStr for RoleFlag {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (handle, role) = of_handle(text, "HANDLE=ROLE")?;
        let role = MemberRole::from_word(role)
            .ok_or_else(|| format!("expected one of {}", MemberRole::all_words()))?;
        Ok(Self { handle, role })
    }
}

impl FromStr for TermFlag {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let example = "HANDLE=FROM..UNTIL, as kr-seoul=2026-01-01..2028-12-31, or FROM.. for an open end";
        let (handle, term) = of_handle(text, example)?;
        let (from, until) = term.split_once("..").ok_or_else(|| format!("expected {example}"))?;
        let day = |text: &str| match text {
            "" => Ok(0),
            text => text.parse().map(day_ms).map_err(|_| format!("{text} is no day: expected {example}")),
        };
        Ok(Self { handle, from_ms: day(from)?, until_ms: day(until)? })
    }
}

impl FromStr for TakedownFlag {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (handle, at) = of_handle(text, "HANDLE=EPOCH.SEQ")?;
        Ok(Self { handle, at: position(at)? })
    }
}

/// The beginning of a day in UTC, ms since 1970.
pub(crate) fn day_ms(day: civil::Date) -> u64 {
    let begins = day.to_zoned_datetime(TimeZone::UTC).map(|day| day.timestamp().as_millisecond());
    begins.ok().and_then(|ms| u64::try_from(ms).ok()).unwrap_or_default()
}

/// What is to change.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    pub(crate) admitted: Vec<MemberCard>,
    pub(crate) statuses: Vec<(String, MemberStatus)>,
    pub(crate) cuts: BTreeMap<String, v1::Cut>,
    pub(crate) roles: Vec<RoleFlag>,
    pub(crate) terms: Vec<TermFlag>,
    pub(crate) expires_ms: Option<u64>,
    pub(crate) threshold: Option<u32>,
    /// With the handle of the city whose card it is from.
    pub(crate) keys_added: Vec<(PublicKey, Option<String>)>,
    pub(crate) keys_removed: Vec<PublicKey>,
    pub(crate) takedowns: Vec<TakedownFlag>,
    pub(crate) reason: u32,
    pub(crate) reinception: Option<MemberCard>,
}

impl Edits {
    /// Applies them to a copy of the newest version.
    pub(crate) fn apply(&self, roster: &mut v1::Roster, now_ms: u64) -> Result<(), Failure> {
        for card in &self.admitted {
            admit(roster, card, now_ms)?;
        }
        for (handle, status) in &self.statuses {
            let cut = if *status == MemberStatus::Active { None } else { self.cuts.get(handle).cloned() };
            let member = named(roster, handle)?;
            // A cut stays where it was set until the member is active again.
            let kept = member.cut.take().filter(|_| *status != MemberStatus::Active);
            member.cut = kept.or(cut);
            member.status = *status as i32;
        }
        if let Some(card) = &self.reinception {
            reincept(named(roster, &card.inception.handle)?, card)?;
        }
        for flag in &self.roles {
            named(roster, &flag.handle)?.role = flag.role as i32;
        }
        for flag in &self.terms {
            let member = named(roster, &flag.handle)?;
            (member.term_from_ms, member.term_until_ms) = (flag.from_ms, flag.until_ms);
        }
        for flag in &self.takedowns {
            let origin = named(roster, &flag.handle)?.idx;
            roster.takedowns.push(v1::Takedown { origin, at: Some(flag.at), reason: self.reason });
        }
        if let Some(ms) = self.expires_ms {
            roster.soft_expires_at_ms = ms;
        }
        self.govern(roster)
    }

    fn govern(&self, roster: &mut v1::Roster) -> Result<(), Failure> {
        let governance = roster.governance.get_or_insert_default();
        for key in &self.keys_removed {
            if !governance.remove_key(key.as_bytes()) {
                let what = format!("{} is no governance key", key.fingerprint());
                return Err(Failure::usage(what, "`wego roster show` lists them"));
            }
        }
        for (key, handle) in &self.keys_added {
            if governance.keys.iter().any(|known| known == key.as_bytes()) {
                let what = format!("{} is a governance key already", key.fingerprint());
                return Err(Failure::usage(what, "`wego roster show` lists them"));
            }
            let holder = roster.members.iter().find(|member| Some(&member.handle) == handle.as_ref());
            governance.add_key(key.as_bytes().to_vec(), holder.map_or(0, |member| member.idx));
        }
        governance.threshold = self.threshold.unwrap_or(governance.threshold);
        let (threshold, count) = (governance.threshold as usize, governance.keys.len());
        if threshold > count || threshold * 2 <= count {
            return Err(Failure::usage(
                format!("a threshold of {threshold} does not fit {count} governance keys"),
                format!("give --threshold as well: more than half of them, {} to {count}", count / 2 + 1),
            ));
        }
        Ok(())
    }
}

/// The member with this handle.
pub(crate) fn named<'a>(roster: &'a mut v1::Roster, handle: &str) -> Result<&'a mut v1::Member, Failure> {
    let member = roster.members.iter_mut().find(|member| member.handle == handle);
    member.ok_or_else(|| {
        let what = format!("no member has the handle {handle:?}");
        Failure::usage(what, "`wego roster show` lists the handles")
    })
}

fn admit(roster: &mut v1::Roster, card: &MemberCard, now_ms: u64) -> Result<(), Failure> {
    let inception = &card.inception;
    if roster.members.iter().any(|member| member.handle == inception.handle) {
        let what = format!("{} is a member already", inception.handle);
        return Err(Failure::usage(what, "--reinstate brings a member back; a handle is never given again"));
    }
    let idx = roster.members.iter().map(|member| member.idx).max().unwrap_or(0).saturating_add(1);
    roster.members.push(card.member(idx, MemberRole::Member, now_ms));
    Ok(())
}

/// New keys for a member that lost everything: the old log key ends where the new epoch begins.
fn reincept(member: &mut v1::Member, card: &MemberCard) -> Result<(), Failure> {
    let last = member.log_keys.last().and_then(|key| key.from).map_or(FIRST_EPOCH, |from| from.epoch);
    // Above every epoch that any key of the member could ever open.
    let epoch = next_number(Rank::Reinception, last, last, 0).ok_or_else(|| {
        let what = format!("{} was given new keys too often", member.handle);
        Failure::conflict(what, "admit it under another handle")
    })?;
    let begins = v1::Position { epoch, seq: 1 };
    let key_no = member.log_keys.iter().map(|key| key.key_no).max().unwrap_or(0).saturating_add(1);
    if let Some(key) = member.log_keys.last_mut() {
        key.until = key.until.or(Some(begins));
        // What went with the old keys is needed to check what they opened.
        key.next_log_key_digest = member.next_log_key_digest.clone();
        key.recovery_digest = member.recovery_digest.clone();
    }
    let key = card.log_key.as_bytes().to_vec();
    member.log_keys.push(v1::LogKey { key_no, key, from: Some(begins), ..Default::default() });
    member.transport_keys = vec![card.transport_key.as_bytes().to_vec()];
    member.next_log_key_digest = card.inception.next_log_key_digest.clone();
    member.recovery_digest = card.inception.recovery_digest.clone();
    if !card.endpoints.is_empty() {
        member.endpoints = card.endpoints.clone();
    }
    Ok(())
}
