//! Makes output the same at every run: ids, hashes, keys, times and ports get names, in the order in which they are
//! met. A name has the width of what it stands for, so that columns stay where they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// The name of every time.
const TIME: &str = "2010-09-07T09:00:00.000Z";
/// The name of every fingerprint.
const FINGERPRINT: &str = "FINGE-RPRIN-TFING-ERPRI-NTFIN-GERPR";
/// The name of every six words that people compare by telephone.
const SPOKEN: &str = "spoke-words-spoke-words-spoke-words";
/// JSON numbers and words that differ from run to run, with what stands for them.
const VOLATILE: &[(&str, &str)] = &[
    ("disk_free_bytes", "0"),
    ("sent_bytes", "0"),
    ("received_bytes", "0"),
    ("handshake_us", "0"),
    ("round_trip_us", "0"),
    ("score", "1.0"),
    ("data_age_s", "7200"),
    ("dialled", "true"),
    ("actor", "\"somebody\""),
];

/// Names given so far.
#[derive(Default)]
pub(super) struct Names {
    /// By what they stand for.
    given: BTreeMap<String, String>,
    /// Numbers of later epochs, whose last part is drawn by chance.
    epochs: BTreeSet<u32>,
}

/// The part of an epoch's number that is drawn by chance, and how much of it a transcript uses up: other large numbers
/// are no epochs.
const BY_CHANCE: u32 = 0xffff;
const DRAWN_MAX: u32 = 512;

impl Names {
    /// Gives `text` a name before it is met.
    pub(super) fn give(&mut self, text: &str, name: &str) {
        self.given.insert(text.to_owned(), name.to_owned());
    }

    /// What a word of a command stands for.
    pub(super) fn meant(&self, word: &str, dir: &Path) -> String {
        if let Some(path) = word.strip_prefix("./") {
            return dir.join(path).to_str().unwrap().to_owned();
        }
        let meant = self.given.iter().find(|(_, name)| *name == word).map(|(text, _)| text.clone());
        meant.unwrap_or_else(|| word.to_owned())
    }

    /// The text with names.
    pub(super) fn plain(&mut self, text: &str, dir: &Path) -> String {
        let dir = dir.display().to_string();
        let text = text.replace(&format!("{dir}/"), "./").replace(&dir, ".");
        let text = without_bodies(&text);
        let lines: Vec<_> = text.lines().map(|line| self.plain_line(line)).collect();
        lines.join("\n")
    }

    fn plain_line(&mut self, line: &str) -> String {
        if let Some(line) = volatile(line) {
            return line;
        }
        let mut plain = String::new();
        let mut rest = line;
        while !rest.is_empty() {
            let word_end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
            if word_end == 0 {
                let char = rest.chars().next().unwrap();
                plain.push(char);
                rest = &rest[char.len_utf8()..];
                continue;
            }
            let (word, after) = rest.split_at(word_end);
            plain.push_str(&self.named(word));
            rest = after;
        }
        plain_amounts(&plain)
    }

    fn named(&mut self, word: &str) -> String {
        // A word may end a sentence.
        let (word, stop) =
            word.strip_suffix(['.', ':']).map_or((word, ""), |short| (short, &word[short.len()..]));
        format!("{}{stop}", self.name_of(word))
    }

    fn name_of(&mut self, word: &str) -> String {
        if is_time(word) {
            return TIME.to_owned();
        }
        if is_fingerprint(word) {
            return FINGERPRINT.to_owned();
        }
        if is_spoken(word) {
            return SPOKEN.to_owned();
        }
        if let Some(name) = self.given.get(word) {
            return name.clone();
        }
        if let Some(name) = self.without_chance(word) {
            return name;
        }
        if is_invite(word) {
            let number = self.given.keys().filter(|text| is_invite(text)).count() + 1;
            let name = format!("wego1-INVITE-{number}");
            self.given.insert(word.to_owned(), name.clone());
            return name;
        }
        let hex = word.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !(hex && [16, 32, 64].contains(&word.len())) || is_chosen(word) {
            return word.to_owned();
        }
        let number = self.given.keys().filter(|text| text.len() == word.len()).count() + 1;
        let name = format!("{number:0>width$}", width = word.len());
        self.given.insert(word.to_owned(), name.clone());
        name
    }

    /// A position in a later epoch, or the number of an epoch met in one.
    fn without_chance(&mut self, word: &str) -> Option<String> {
        let (epoch, seq) = word.split_once('.').map_or((word, None), |(epoch, seq)| (epoch, Some(seq)));
        let epoch: u32 =
            epoch.parse().ok().filter(|epoch| *epoch > BY_CHANCE && epoch & BY_CHANCE <= DRAWN_MAX)?;
        let seq = seq.map(|seq| seq.parse().map(|seq: u64| format!(".{seq}"))).transpose().ok()?;
        if seq.is_some() {
            self.epochs.insert(epoch);
        }
        self.epochs.contains(&epoch).then(|| format!("{}{}", epoch & !BY_CHANCE, seq.unwrap_or_default()))
    }
}

/// Ids that a script or a document chose begin with many of one digit, or count up.
fn is_chosen(word: &str) -> bool {
    let first = &word[..1];
    word.starts_with(&first.repeat(word.len() / 2)) || word.starts_with("00112233")
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || ".:-".contains(c)
}

fn is_time(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let shape = word.len() >= 20 && word.as_bytes()[10] == b'T' && word.ends_with('Z');
    shape && digits >= 14 && word.bytes().all(|b| b.is_ascii_digit() || b"-:.TZ".contains(&b))
}

fn is_fingerprint(word: &str) -> bool {
    let group =
        |group: &str| group.len() == 5 && group.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    word.len() == FINGERPRINT.len() && word.split('-').all(group)
}

fn is_spoken(word: &str) -> bool {
    let said = |one: &str| one.len() == 5 && one.bytes().all(|b| b.is_ascii_lowercase());
    word.len() == SPOKEN.len() && word.split('-').all(said)
}

fn is_invite(word: &str) -> bool {
    word.len() > 80 && word.starts_with("wego1-")
}

/// A line of JSON whose value differs from run to run.
fn volatile(line: &str) -> Option<String> {
    let (key, value) = line.trim_start().strip_prefix('"')?.split_once("\": ")?;
    let (_, name) = VOLATILE.iter().find(|(volatile, _)| *volatile == key)?;
    let comma = if value.ends_with(',') { "," } else { "" };
    let indent = &line[..line.len() - line.trim_start().len()];
    Some(format!("{indent}\"{key}\": {name}{comma}"))
}

/// Free space and round trips: the number before its unit and word.
fn plain_amounts(line: &str) -> String {
    let mut line = line.to_owned();
    for (before, after, name) in [
        ("disk           ", " free, ", "50 GiB"),
        ("can be written, ", " MiB free", "50000"),
        ("handshake ", " ms, ", "1.000"),
        ("round trip ", " ms, ", "1.000"),
    ] {
        let Some(from) = line.find(before).map(|at| at + before.len()) else { continue };
        let Some(length) = line[from..].find(after) else { continue };
        line.replace_range(from..from + length, name);
    }
    line
}

/// Without the letters between `BEGIN` and `END`.
fn without_bodies(text: &str) -> String {
    let mut inside = false;
    let mut plain = String::new();
    for line in text.lines() {
        let ends = line.starts_with("-----END");
        if !inside || ends {
            plain += line;
            plain.push('\n');
        }
        if line.starts_with("-----BEGIN") {
            plain += "...\n";
        }
        inside = (inside || line.starts_with("-----BEGIN")) && !ends;
    }
    plain
}

#[test]
fn what_differs_gets_a_name_of_its_width_and_the_rest_stays() {
    let mut names = Names::default();
    let dir = Path::new("/tmp/x");
    let [one, other] = ["ab".repeat(16), "cd".repeat(16)];
    let said = names.plain(&format!("{one} {other}, {one}. /tmp/x/bus.yaml 2026-01-02T03:04:05.67Z"), dir);
    let named = |n: u32| format!("{n:0>32}");
    assert_eq!(said, format!("{} {}, {}. ./bus.yaml {TIME}", named(1), named(2), named(1)));
    assert_eq!(names.meant(&named(2), dir), other);
    assert_eq!(names.meant("./bus.yaml", dir), "/tmp/x/bus.yaml");
    assert_eq!(names.plain("    \"score\": 1.25,", dir), "    \"score\": 1.0,");
    assert_eq!(
        names.plain("-----BEGIN A-----\nabc\n-----END A-----\n", dir),
        "-----BEGIN A-----\n...\n-----END A-----"
    );
    let chosen = format!("{:0>32}", "b05");
    assert_eq!(names.plain(&chosen, dir), chosen);
    let invite = format!("wego1-{}", "A7".repeat(60));
    let said = names.plain(&format!("{invite}, apple-bread-cabin-dance-eagle-flute"), dir);
    assert_eq!(said, format!("wego1-INVITE-1, {SPOKEN}"));
    assert_eq!(names.meant("wego1-INVITE-1", dir), invite);
    let said = names.plain("120000.50 at 65582.2, 131076.1, 65582", dir);
    assert_eq!(said, "120000.50 at 65536.2, 131072.1, 65536");
    for stays in ["a bed of 32 hex", "deadbeef", "kr-seoul at 1.1: ok", "wego-topic:open-data"] {
        assert_eq!(names.plain(stays, dir), stays);
    }
}
