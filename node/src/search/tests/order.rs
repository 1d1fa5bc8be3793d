//! The same records give the same answer in the same order, whatever order and portions they came in.

use wego_proto::entry::Unverified;

use super::corpus::{EDMONTON, GAVA, Indexed, Log, MUNICH, SEOUL, feed, titled};
use crate::search::Found;

const WORDS: [&str; 12] = [
    "open",
    "data",
    "transport",
    "수돗물",
    "전자정부",
    "电子政务",
    "münchen",
    "straße",
    "habitatge",
    "budget",
    "parking",
    "portal",
];

/// Four logs with many revised and some withdrawn records; words fall unevenly on titles, summaries and texts.
fn logs() -> Vec<Vec<Unverified>> {
    let word = |n: usize| WORDS[n % WORDS.len()];
    let log = |(member, origin)| {
        let mut log = Log::of(origin);
        let mut entries = Vec::new();
        for n in 0..120_usize {
            let id = u8::try_from((n * 7 + member) % 60).unwrap();
            if n % 11 == 10 {
                entries.push(log.retract(id));
                continue;
            }
            let title = format!("{} {}", word(n * 5 + member), word(n / 3));
            let record = titled(&[("en", title.as_str())])
                .summary("en", &[word(n + 1), word(n + 4), word(n + member)].join(" "))
                .results("ko", &[word(n * n), word(n + 2), word(n / 2)].join(" ").repeat(n % 4))
                .at("KR", "KRSEL");
            entries.push(log.put(id, &record.practice()));
        }
        entries
    };
    [SEOUL, MUNICH, GAVA, EDMONTON].into_iter().enumerate().map(log).collect()
}

fn answers(indexed: &Indexed) -> Vec<Found> {
    let pairs = WORDS.iter().zip(WORDS.iter().skip(3)).map(|(one, other)| format!("{one} {other}"));
    let queries = WORDS.iter().map(|word| (*word).to_owned()).chain(pairs).chain([
        String::new(),
        "transprt".to_owned(),
        "\"open data\" -parking".to_owned(),
    ]);
    queries.map(|query| indexed.found(&query)).collect()
}

#[test]
fn arrival_order_and_segments_do_not_show_in_answers() {
    let logs = logs();
    let one_by_one: Vec<Unverified> = logs.concat();
    let by_turns: Vec<Unverified> =
        (0..logs[0].len()).flat_map(|n| logs.iter().rev().map(move |log| log[n].clone())).collect();

    let small = Indexed::empty();
    feed(&small.search, &one_by_one, 7);
    let large = Indexed::empty();
    feed(&large.search, &by_turns, 100);
    let whole = Indexed::empty();
    feed(&whole.search, &by_turns, 1_000);

    let expected = answers(&small);
    assert!(expected.iter().filter(|found| found.total > 10).count() > 10, "the corpus must not be trivial");
    assert_eq!(expected, answers(&large));
    assert_eq!(expected, answers(&whole));
}
