//! Claims about the files: what was recorded is read back and holds together, and what somebody did to it shows.

use std::{collections::BTreeSet, fs, sync::Arc};

use proptest::prelude::*;
use wego_proto::{audit::LINE_BYTES_MAX, key::SecretKey};
use zeroize::Zeroizing;

use super::{files::segments, flood::STRANGER_KINDS_MAX, *};

const NOW_MS: u64 = 1_284_076_800_000;

fn key() -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([5; 32]))
}

fn room() -> Room {
    Box::new(|_| true)
}

fn operator(name: &str) -> Actor {
    Actor { name: name.to_owned(), key: "AAAAA-BBBBB".to_owned(), role: "admin" }
}

fn done(name: &str, n: u64) -> Event {
    let mut event = Event::new(NOW_MS + n, operator(name), "rpc", "Admin/AddPeer", Outcome::Done);
    event.target = format!("peer city-{n}");
    event
}

fn refused(actor: Actor, action: &str, at_ms: u64) -> Event {
    let outcome = Outcome::Refused { code: "PERMISSION_DENIED".to_owned(), text: "no".to_owned() };
    Event::new(at_ms, actor, "rpc", action, outcome)
}

fn stranger(n: usize) -> Actor {
    Actor { name: String::new(), key: format!("KEY{n}"), role: "" }
}

/// A folder with `events` events in one file.
fn written(events: u64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), key(), room()).unwrap();
    for n in 1..=events {
        log.append(&[done("kim", n)]).unwrap();
    }
    dir
}

fn breaks(dir: &Path) -> Vec<String> {
    let checked = verify(dir, &[key().public()], 0, None).unwrap();
    checked.breaks.iter().map(ToString::to_string).collect()
}

fn last(dir: &Path) -> u64 {
    verify(dir, &[key().public()], 0, None).unwrap().last.map_or(0, |(n, _)| n)
}

fn all(dir: &Path) -> Vec<Entry> {
    let mut page = list(dir, &Filter::default(), None, usize::MAX).unwrap();
    let mut events = page.events;
    while let Some(next) = page.next {
        page = list(dir, &Filter::default(), Some(next), usize::MAX).unwrap();
        events.append(&mut page.events);
    }
    events
}

fn lines_of(dir: &Path) -> Vec<String> {
    let path = segments(dir).unwrap().remove(0).path;
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

fn put_lines(dir: &Path, lines: &[String]) {
    let path = segments(dir).unwrap().remove(0).path;
    fs::write(path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}

#[test]
fn what_was_recorded_is_read_back_newest_first() {
    let dir = written(3);
    let events = all(dir.path());
    assert_eq!(events.iter().map(|event| event.n).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!((events[0].actor.as_str(), events[0].target.as_str()), ("kim", "peer city-3"));
    assert_eq!((events[0].result.as_str(), events[0].at_ms()), ("ok", NOW_MS + 3));
    assert_eq!(breaks(dir.path()), [""; 0]);
    let line: serde_json::Value = serde_json::from_str(&lines_of(dir.path())[0]).unwrap();
    assert_eq!(line["time"], "2010-09-10T00:00:00.001Z", "each line is JSON by itself");
}

#[test]
fn a_page_goes_on_where_the_one_before_ended() {
    let dir = written(5);
    let page = list(dir.path(), &Filter::default(), None, 2).unwrap();
    assert_eq!((page.events[1].n, page.next), (4, Some(4)));
    let page = list(dir.path(), &Filter::default(), page.next, 2).unwrap();
    assert_eq!((page.events[0].n, page.events[1].n, page.next), (3, 2, Some(2)));
    let page = list(dir.path(), &Filter::default(), page.next, 2).unwrap();
    assert_eq!((page.events[0].n, page.next), (1, None));
}

#[test]
fn a_filter_keeps_what_matches_all_of_it() {
    let dir = written(3);
    let mut log = Log::open(dir.path(), key(), room()).unwrap();
    log.append(&[refused(operator("awa"), "Catalogue/Publish", NOW_MS + 9)]).unwrap();
    let found = |filter: Filter| list(dir.path(), &filter, None, 10).unwrap().events.len();
    let any = Filter::default;
    assert_eq!(found(Filter { actor: "awa".to_owned(), ..any() }), 1);
    assert_eq!(found(Filter { action: "addpeer".to_owned(), ..any() }), 3);
    assert_eq!(found(Filter { refused: true, ..any() }), 1);
    assert_eq!(found(Filter { since_ms: NOW_MS + 2, until_ms: NOW_MS + 9, ..any() }), 2);
}

#[test]
fn a_full_file_is_kept_and_the_chain_goes_on_in_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open_with(dir.path(), key(), room(), 1_200).unwrap();
    for n in 1..=20 {
        log.append(&[done("kim", n)]).unwrap();
    }
    assert!(segments(dir.path()).unwrap().len() > 5);
    assert_eq!((breaks(dir.path()), last(dir.path()), all(dir.path()).len()), (Vec::new(), 20, 20));
    for from in 1..=20 {
        let checked = verify(dir.path(), &[key().public()], from, None).unwrap();
        assert_eq!((checked.first, checked.breaks.len()), (Some(from), 0));
    }
    fs::remove_file(segments(dir.path()).unwrap().remove(0).path).unwrap();
    assert_eq!(breaks(dir.path()), [""; 0], "older files may be archived elsewhere");
    fs::remove_file(segments(dir.path()).unwrap().remove(1).path).unwrap();
    assert_eq!(breaks(dir.path()).len(), 1, "a file in the middle may not");
}

#[test]
fn two_processes_write_one_chain() {
    let dir = tempfile::tempdir().unwrap();
    let mut node = Log::open_with(dir.path(), key(), room(), 4_000).unwrap();
    let mut command = Log::open_with(dir.path(), key(), room(), 4_000).unwrap();
    for n in 0..20 {
        let log = if n % 3 == 0 { &mut command } else { &mut node };
        log.append(&[done("kim", n), done("lee", n)]).unwrap();
    }
    assert_eq!((breaks(dir.path()), last(dir.path())), (Vec::new(), 40));
}

#[test]
fn the_rest_of_an_interrupted_write_is_cut_off_and_told() {
    let dir = written(2);
    let path = segments(dir.path()).unwrap().remove(0).path;
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{whole}{}", &whole[..100])).unwrap();
    Log::open(dir.path(), key(), room()).unwrap().append(&[done("kim", 3)]).unwrap();
    let events = all(dir.path());
    assert_eq!((breaks(dir.path()), last(dir.path())), (Vec::new(), 4));
    assert!(events[1].reason.contains("100 bytes of an interrupted write"), "{:?}", events[1]);
}

#[test]
fn a_missing_end_leaves_a_gap_for_ever() {
    for while_open in [false, true] {
        let dir = written(5);
        let mut log = Log::open(dir.path(), key(), room()).unwrap();
        let cut = lines_of(dir.path())[..3].to_vec();
        put_lines(dir.path(), &cut);
        if !while_open {
            log = Log::open(dir.path(), key(), room()).unwrap();
        }
        log.append(&[done("kim", 6)]).unwrap();
        let told = &all(dir.path())[1];
        assert!(told.reason.contains("up to 5 were written, the files end at 3"), "{told:?}");
        assert_eq!(breaks(dir.path()), ["event 6 stands where event 4 must stand"]);
    }
}

#[test]
fn an_exchanged_last_line_shows() {
    let dir = written(3);
    let other = written(2);
    let mut log = Log::open(other.path(), key(), room()).unwrap();
    log.append(&[done("mallory", 3)]).unwrap();
    put_lines(dir.path(), &lines_of(other.path()));
    assert_eq!(breaks(dir.path()), [""; 0], "it is genuine by itself: the node's own key signed it");
    Log::open(dir.path(), key(), room()).unwrap().append(&[done("kim", 4)]).unwrap();
    assert_eq!(breaks(dir.path()), ["event 4 does not follow from the event before it"]);
}

#[test]
fn a_line_of_somebody_elses_key_shows_and_what_follows_holds() {
    let dir = written(2);
    let mut forger = Log::open(dir.path(), SecretKey::from_seed(&Zeroizing::new([6; 32])), room()).unwrap();
    forger.append(&[done("mallory", 3)]).unwrap();
    Log::open(dir.path(), key(), room()).unwrap().append(&[done("kim", 4)]).unwrap();
    assert_eq!(breaks(dir.path()), ["event 3 is not signed by this member's key"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_done_to_the_lines_before_the_last_shows(at in 0_usize..5, other in 0_usize..5, byte: usize, how in 0..4) {
        let dir = written(6);
        let mut lines = lines_of(dir.path());
        match how {
            0 => {
                let mut bytes = lines[at].clone().into_bytes();
                let byte = byte % bytes.len();
                bytes[byte] ^= 1;
                lines[at] = String::from_utf8(bytes).unwrap();
            }
            1 => drop(lines.remove(at.max(1))),
            2 if at != other => lines.swap(at, other),
            _ => {
                let line = lines[at].clone();
                lines.insert(other, line);
            }
        }
        put_lines(dir.path(), &lines);
        prop_assert!(!breaks(dir.path()).is_empty(), "{how} {at} {other} {byte}");
        // And goes on to show when the node writes on.
        Log::open(dir.path(), key(), room()).unwrap().append(&[done("kim", 7)]).unwrap();
        prop_assert!(!breaks(dir.path()).is_empty());
    }
}

#[test]
fn without_space_nothing_is_begun_and_what_is_under_way_is_still_written() {
    let dir = tempfile::tempdir().unwrap();
    let full = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let asked = full.clone();
    let room = Box::new(move |_| !asked.load(std::sync::atomic::Ordering::Relaxed));
    let mut log = Log::open(dir.path(), key(), room).unwrap();
    log.append(&[done("kim", 1)]).unwrap();
    assert!(log.has_spare());
    full.store(true, std::sync::atomic::Ordering::Relaxed);
    let group: Vec<_> = (0..100).map(|n| done("kim", n)).collect();
    while log.has_spare() {
        log.append(&group).unwrap();
    }
    let mut more = 0;
    let refused = loop {
        match log.append(&group) {
            Ok(()) => more += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, AuditError::Full { .. }), "{refused}");
    assert!(more > 0, "the spare space is for what is under way");
    assert_eq!(breaks(dir.path()), [""; 0], "no half group");
    full.store(false, std::sync::atomic::Ordering::Relaxed);
    log.append(&group).unwrap();
    assert!(log.has_spare());
    assert_eq!(breaks(dir.path()), [""; 0]);
}

#[test]
fn the_longest_event_is_a_line_that_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), key(), room()).unwrap();
    let mut event = done(&"\"".repeat(5_000), 1);
    for text in [&mut event.target, &mut event.reason, &mut event.request_id, &mut event.action] {
        *text = "\\\u{10ffff}".repeat(5_000);
    }
    event.outcome = Outcome::Refused { code: "\u{1b}".repeat(5_000), text: "\n\"".repeat(5_000) };
    log.append(&[event]).unwrap();
    assert!(lines_of(dir.path())[0].len() < LINE_BYTES_MAX);
    assert_eq!((breaks(dir.path()), all(dir.path()).len()), (Vec::new(), 1));
}

#[test]
fn a_text_of_a_caller_cannot_forge_a_line_or_drive_a_terminal() {
    assert_eq!(clean(" a\n{\"n\":1}\u{1b}[31m\u{202e}b ", 50), "a {\"n\":1} [31m b");
    assert_eq!(clean("서울시 요청 4711", 50), "서울시 요청 4711");
    assert_eq!(clean("abcdef", 3), "abc…");
}

#[test]
fn a_flood_of_strangers_becomes_a_few_events_that_count_all() {
    let mut flood = flood::Flood::default();
    let calls = 50_000;
    let mut events = Vec::new();
    for n in 0..calls {
        events.extend(flood.admit(refused(stranger(n % 5_000), "Admin/AddPeer", NOW_MS)));
    }
    assert_eq!(events.len(), STRANGER_KINDS_MAX + 1, "{}", events.len());
    let mut person = 0;
    for _ in 0..20 {
        person += usize::from(flood.admit(refused(operator("awa"), "Admin/AddPeer", NOW_MS)).is_some());
    }
    assert_eq!(person, 20, "a stranger cannot hide what an operator does");
    assert!(flood.due(NOW_MS + 1).is_empty());
    events.extend(flood.due(NOW_MS + 60_000));
    assert_eq!(events.iter().map(|event| event.times).sum::<u64>(), calls as u64);
    assert!(flood.is_empty());
}

#[test]
fn strangers_that_go_on_for_a_day_write_little_and_are_counted() {
    const SECONDS: u64 = 24 * 60 * 60;
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), key(), room()).unwrap();
    let mut flood = flood::Flood::default();
    for second in 0..SECONDS {
        let at_ms = NOW_MS + second * 1_000;
        let mut events = flood.due(at_ms);
        for method in 0..13 {
            let who = stranger((second * 13 + method) as usize % 20);
            events.extend(flood.admit(refused(who, &format!("Admin/Method{method}"), at_ms)));
        }
        if !events.is_empty() {
            log.append(&events).unwrap();
        }
    }
    log.append(&flood.all()).unwrap();
    let bytes: u64 =
        segments(dir.path()).unwrap().iter().map(|file| file.path.metadata().unwrap().len()).sum();
    assert!(bytes < 512 * 1_024, "{bytes} bytes");
    assert_eq!(all(dir.path()).iter().map(|event| event.times).sum::<u64>(), SECONDS * 13);
}

#[test]
fn after_an_hour_of_rest_a_stranger_is_told_of_within_a_minute_again() {
    let mut flood = flood::Flood::default();
    let mut waited = |at_ms: u64| {
        for _ in 0..2 {
            flood.admit(refused(stranger(1), "Admin/AddPeer", at_ms));
        }
        (0..).step_by(60_000).find(|ms| !flood.due(at_ms + ms).is_empty())
    };
    let minute = 60_000;
    assert_eq!(waited(NOW_MS), Some(minute));
    assert_eq!(waited(NOW_MS + 2 * minute), Some(2 * minute), "it goes on");
    assert_eq!(waited(NOW_MS + 4 * minute), Some(4 * minute));
    assert_eq!(waited(NOW_MS + 100 * minute), Some(minute), "it rested");
}

#[test]
fn what_was_done_is_never_counted_together() {
    let mut flood = flood::Flood::default();
    assert!((0..10_000).all(|n| flood.admit(done("kim", n)).is_some()));
}

#[test]
fn a_call_reads_so_many_lines_and_the_next_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), key(), room()).unwrap();
    let total = read::LINES_MAX as u64 + 500;
    let group: Vec<_> = (0..500).map(|n| done("kim", n)).collect();
    while log.head().n < total {
        log.append(&group).unwrap();
    }
    let one = verify(dir.path(), &[key().public()], 0, None).unwrap();
    assert_eq!((one.first, one.next, one.breaks.len()), (Some(1), Some(total - 499), 0));
    let two = verify(dir.path(), &[key().public()], one.next.unwrap(), None).unwrap();
    assert_eq!((two.first, two.next, two.breaks.len()), (one.next, None, 0));
    assert_eq!(two.last.map(|(n, _)| n), Some(total));
    let nobody = Filter { actor: "nobody".to_owned(), ..Filter::default() };
    let page = list(dir.path(), &nobody, None, 10).unwrap();
    assert_eq!((page.events.len(), page.next), (0, Some(501)));
    assert_eq!(list(dir.path(), &nobody, page.next, 10).unwrap().next, None);
}

#[test]
fn events_that_find_no_place_are_counted_and_what_somebody_waits_for_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let writer = Writer::start(dir.path(), Log::open(dir.path(), key(), room()).unwrap(), || NOW_MS).unwrap();
    let audit = writer.audit();
    // As another process holds it while it writes.
    let other = fs::File::options().write(true).open(dir.path().join("LOCK")).unwrap();
    other.lock().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for n in 0..2 * writer::WAITING_MAX as u64 {
        audit.note(done("kim", n));
    }
    let refused = runtime.block_on(audit.record(done("kim", 0)));
    assert!(matches!(refused, Err(AuditError::Busy)), "{refused:?}");
    other.unlock().unwrap();
    writer.stop();
    let events = all(dir.path());
    let (lost, kept): (Vec<_>, Vec<_>) = events.iter().partition(|event| event.result == "unknown");
    let lost: u64 = lost.iter().map(|event| event.times).sum();
    assert_eq!(lost + kept.len() as u64, 2 * writer::WAITING_MAX as u64);
    assert!(lost > 0 && breaks(dir.path()).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_many_calls_at_once_are_all_on_disk_when_they_are_answered() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path(), key(), room()).unwrap();
    let writer = Writer::start(dir.path(), log, || NOW_MS).unwrap();
    let audit = writer.audit();
    let calls = (0..200).map(|n| {
        let audit = audit.clone();
        tokio::spawn(async move { audit.record(done("kim", n)).await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    let targets: BTreeSet<_> = all(dir.path()).into_iter().map(|event| event.target).collect();
    assert_eq!((targets.len(), audit.head().0), (200, 200));
    for _ in 0..3 {
        audit.record(refused(stranger(1), "Admin/AddPeer", NOW_MS)).await.unwrap();
    }
    audit.note(done("left", 1));
    tokio::task::spawn_blocking(|| writer.stop()).await.unwrap();
    let times: u64 = all(dir.path()).iter().filter(|e| e.result == "refused").map(|e| e.times).sum();
    assert_eq!(times, 3, "counts are written when the node stops");
    assert_eq!((breaks(dir.path()), last(dir.path())), (Vec::new(), 203));
    assert!(matches!(audit.record(done("late", 1)).await, Err(AuditError::Stopped)));
}
