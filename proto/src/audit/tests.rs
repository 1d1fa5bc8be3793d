//! Claims about a log that somebody changed: whatever was done to it shows, and where.

use zeroize::Zeroizing;

use super::*;

const EVENTS: u64 = 6;

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([seed; 32]))
}

fn members(n: u64) -> String {
    format!("\"actor\":\"kim\",\"target\":\"record {n}\"")
}

fn log() -> Vec<String> {
    let mut lines = Vec::new();
    let mut prev = NO_EVENT;
    for n in 1..=EVENTS {
        let line = seal(&key(1), n, &members(n), &prev);
        prev = hash_of(&line);
        lines.push(line);
    }
    lines
}

fn breaks(lines: &[String]) -> Vec<Break> {
    breaks_expecting(lines, None)
}

fn breaks_expecting(lines: &[String], head: Option<(u64, Hash)>) -> Vec<Break> {
    let keys = [key(1).public()];
    let mut chain = Chain::new(&keys, None);
    if let Some(head) = head {
        chain = chain.expect(head);
    }
    let mut found: Vec<_> = lines.iter().filter_map(|line| chain.step(line).err()).collect();
    found.extend(chain.finish().err());
    found
}

#[test]
fn a_log_as_it_was_written_has_no_break() {
    assert_eq!(breaks(&log()), []);
    assert_eq!(breaks(&log()[2..]), [], "older events may be archived elsewhere");
    assert!(log()[0].starts_with("{\"n\":1,\"actor\":\"kim\",\"target\":\"record 1\",\"prev\":\"0000"));
    assert!(log()[0].ends_with("\"}"));
}

#[test]
fn a_change_of_any_one_byte_shows() {
    let whole = log();
    for (at, line) in whole.iter().enumerate() {
        for byte in 0..line.len() {
            let mut bytes = line.clone().into_bytes();
            // Stays a letter or sign: the file stays text.
            bytes[byte] ^= 1;
            let mut changed = whole.clone();
            changed[at] = String::from_utf8(bytes).expect("ASCII");
            assert!(!breaks(&changed).is_empty(), "line {at} byte {byte} was changed unnoticed");
        }
    }
}

#[test]
fn a_dropped_line_shows_wherever_it_stood_but_at_an_end() {
    for at in 1..log().len() - 1 {
        let mut lines = log();
        lines.remove(at);
        let n = at as u64 + 1;
        assert_eq!(breaks(&lines), [Break::Order { expected: n, found: n + 1 }]);
    }
}

#[test]
fn swapped_repeated_and_foreign_lines_show() {
    let mut swapped = log();
    swapped.swap(2, 3);
    assert_eq!(breaks(&swapped)[0], Break::Order { expected: 3, found: 4 });
    let mut repeated = log();
    repeated.insert(3, repeated[2].clone());
    assert_eq!(breaks(&repeated)[0], Break::Order { expected: 4, found: 3 });
    let mut foreign = log();
    foreign.push("{\"n\":7}".to_owned());
    assert_eq!(breaks(&foreign), [Break::NotAnEvent { after: EVENTS }]);
}

#[test]
fn a_line_forged_with_another_key_shows_at_its_place() {
    let mut lines = log();
    let prev = hash_of(&lines[lines.len() - 1]);
    lines.push(seal(&key(2), EVENTS + 1, &members(7), &prev));
    assert_eq!(breaks(&lines), [Break::Signature { n: EVENTS + 1 }]);
    let entry = key(1).sign(Purpose::Entry, &[b"x"]);
    assert!(
        key(1).public().verify(Purpose::Audit, &[b"x"], &entry).is_err(),
        "no signature serves for two things"
    );
}

#[test]
fn a_line_replaced_by_a_genuine_one_shows_at_the_next() {
    // With the node's own key, but without writing all later lines anew.
    let mut lines = log();
    let prev = hash_of(&lines[1]);
    lines[2] = seal(&key(1), 3, &members(99), &prev);
    assert_eq!(breaks(&lines), [Break::Chain { n: 4 }]);
}

#[test]
fn a_missing_end_shows_to_whoever_noted_a_head() {
    let whole = log();
    let head = (EVENTS, hash_of(&whole[whole.len() - 1]));
    assert_eq!(breaks_expecting(&whole, Some(head)), []);
    assert_eq!(breaks(&whole[..4]), [], "the lines alone do not tell");
    assert_eq!(breaks_expecting(&whole[..4], Some(head)), [Break::Missing { n: EVENTS }]);
}

#[test]
fn a_log_written_anew_with_a_stolen_key_shows_to_whoever_noted_a_head() {
    let head = (EVENTS, hash_of(&log()[5]));
    let mut prev = NO_EVENT;
    let mut anew = Vec::new();
    for n in 1..=EVENTS {
        anew.push(seal(&key(1), n, &members(n + 100), &prev));
        prev = hash_of(&anew[anew.len() - 1]);
    }
    assert_eq!(breaks(&anew), []);
    assert_eq!(breaks_expecting(&anew, Some(head)), [Break::Other { n: EVENTS }]);
}

#[test]
fn a_line_has_one_form_only() {
    let line = log().remove(0);
    assert!(Line::parse(&line).is_some());
    for other in
        [line.replace("\"n\":1,", "\"n\":01,"), line.to_uppercase(), format!(" {line}"), String::new()]
    {
        assert!(Line::parse(&other).is_none(), "{other}");
    }
    let long = seal(&key(1), 1, &format!("\"a\":\"{}\"", "x".repeat(LINE_BYTES_MAX)), &NO_EVENT);
    assert!(Line::parse(&long).is_none(), "longer than any event");
}
