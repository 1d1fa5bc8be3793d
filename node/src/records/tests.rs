//! Claims about the projection, through its answers and its digest.

use proptest::prelude::*;
use wego_proto::{
    entry::Unverified,
    id::{Position, StoreId},
    record::v1::{AdoptionStage, RecordKind},
    v1::EntryKind,
};

use super::*;
use crate::store::NoGuard;

mod lists;
mod sample;

use sample::{Draft as Entry, Sample, adoption, arrived, at, dataset, everything, id, origin, practice};

#[test]
fn a_record_is_what_its_newest_version_says_and_its_history_is_kept() {
    let sample = Sample::of(&[
        Entry::put(1, 1, 1, &practice("first")).entry(),
        Entry::put(1, 2, 1, &practice("second")).entry(),
    ]);
    let record = sample.records.record(&id(1)).unwrap().unwrap();
    assert_eq!((record.titles[0].text.as_str(), record.kind), ("second", RecordKind::Practice));
    assert_eq!((record.owner, record.at, record.content_at, record.versions), (origin(1), at(2), at(2), 2));
    let versions = sample.records.versions(&id(1)).unwrap();
    assert_eq!(versions.iter().map(|version| version.at).collect::<Vec<_>>(), [at(1), at(2)]);
    assert_eq!(versions[1].hash, record.hash);
    assert_eq!(sample.records.record(&id(2)).unwrap(), None);
    assert_eq!(sample.records.versions(&id(2)).unwrap(), []);
}

#[test]
fn a_dataset_shows_where_it_was_imported_from() {
    let sample = Sample::of(&[Entry::put(1, 1, 1, &dataset("stops", "portal")).entry()]);
    let record = sample.records.record(&id(1)).unwrap().unwrap();
    assert_eq!((record.source_id.as_str(), record.identifier.as_str()), ("portal", "stops.csv"));
    assert_eq!(record.source_hash, "ab".repeat(32));
}

#[test]
fn a_retracted_record_keeps_its_title_and_gives_the_reason_and_returns_with_a_new_version() {
    let sample = Sample::of(&[
        Entry::put(1, 1, 1, &practice("old")).entry(),
        Entry::retract(1, 2, 1, "ended").entry(),
    ]);
    let record = sample.records.record(&id(1)).unwrap().unwrap();
    assert_eq!(record.state, State::Retracted { reason: "ended".to_owned() });
    assert_eq!((record.titles[0].text.as_str(), record.at, record.content_at), ("old", at(2), at(1)));
    assert!(sample.records.counts().unwrap().is_empty());
    sample.apply(&[Entry::put(1, 3, 1, &practice("new")).entry()]);
    assert_eq!(sample.records.record(&id(1)).unwrap().unwrap().state, State::Current);
    assert_eq!(sample.records.counts().unwrap()[&(origin(1), RecordKind::Practice)], 1);
}

#[test]
fn another_members_versions_of_a_record_do_not_count_in_either_order_of_arrival() {
    let owners = Entry::put(2, 1, 1, &practice("mine")).hlc(100).entry();
    let thiefs = [
        Entry::put(1, 1, 9, &practice("own")).hlc(200).entry(),
        // Dated back before the owner's, against its own log.
        Entry::put(1, 2, 1, &practice("taken")).hlc(1).entry(),
        Entry::retract(1, 3, 1, "not yours any more").hlc(1).entry(),
    ];
    let before = Sample::of(&[&thiefs[..], std::slice::from_ref(&owners)].concat());
    let after = Sample::of(&[std::slice::from_ref(&owners), &thiefs[..]].concat());
    for sample in [&before, &after] {
        let record = sample.records.record(&id(1)).unwrap().unwrap();
        assert_eq!((record.owner, record.state, record.versions), (origin(2), State::Current, 1));
    }
    assert_eq!(before.records.digest().unwrap(), after.records.digest().unwrap());
    assert_eq!(everything(&before.records), everything(&after.records));
}

#[test]
fn a_retraction_alone_makes_no_record() {
    let sample = Sample::of(&[Entry::retract(1, 1, 1, "never was").entry()]);
    assert_eq!(sample.records.record(&id(1)).unwrap(), None);
}

#[test]
fn an_erased_record_leaves_nothing_of_its_content() {
    let put = Entry::put(1, 1, 1, &dataset("secret", "portal"));
    let erase = Entry::new(1, 2, EntryKind::Erase, 1).entry();
    let sample = Sample::of(&[put.clone().entry(), erase.clone()]);
    let record = sample.records.record(&id(1)).unwrap().unwrap();
    assert_eq!((record.state, record.titles.len(), record.versions), (State::Erased { reason: 0 }, 0, 2));
    assert!(!everything(&sample.records).contains("secret"));
    // The store has erased the payload by the time the projection is built again.
    let rebuilt = Sample::of(&[put.without_payload(), erase]);
    assert_eq!(sample.records.digest().unwrap(), rebuilt.records.digest().unwrap());
}

#[test]
fn what_a_new_epoch_leaves_behind_is_void_also_when_it_comes_late() {
    let log = [
        Entry::put(1, 1, 1, &practice("stays")).entry(),
        Entry::put(1, 2, 1, &practice("void")).entry(),
        Entry::put(1, 3, 2, &practice("void too")).entry(),
    ];
    let epoch =
        [Entry::start_epoch(1, 2, at(1)).entry(), Entry::put(1, 2, 3, &practice("new")).epoch(2).entry()];
    let dropped = Sample::of(&[&log[..], &epoch].concat());
    let late = Sample::of(&[&log[..1], &epoch, &log[1..]].concat());
    for sample in [&dropped, &late] {
        let record = sample.records.record(&id(1)).unwrap().unwrap();
        assert_eq!((record.titles[0].text.as_str(), record.versions), ("stays", 1));
        assert_eq!(sample.records.record(&id(2)).unwrap(), None);
        assert_eq!(sample.records.counts().unwrap()[&(origin(1), RecordKind::Practice)], 2);
    }
    assert_eq!(everything(&dropped.records), everything(&late.records));
}

#[test]
fn adoptions_show_the_newest_word_of_each_adopter() {
    let sample = Sample::of(&[
        Entry::put(1, 1, 1, &practice("call centre")).entry(),
        Entry::put(2, 1, 2, &adoption(1, AdoptionStage::Pilot)).entry(),
        Entry::put(2, 2, 2, &adoption(1, AdoptionStage::Withdrawn)).entry(),
        Entry::put(3, 1, 3, &adoption(1, AdoptionStage::Live)).entry(),
        Entry::put(4, 1, 4, &adoption(1, AdoptionStage::Live)).entry(),
        Entry::retract(4, 2, 4, "by mistake").entry(),
    ]);
    let found = sample.records.adoptions(&id(1)).unwrap();
    let stages: Vec<_> = found.iter().map(|row| (row.adopter, row.stage)).collect();
    assert_eq!(stages, [(origin(2), AdoptionStage::Withdrawn), (origin(3), AdoptionStage::Live)]);
    assert_eq!((found[0].since.as_str(), found[0].at), ("2024", at(2)));
    assert_eq!(found[0].reason_withdrawn[0].text, "too dear");
    assert_eq!(sample.records.counts().unwrap()[&(origin(3), RecordKind::Adoption)], 1);
}

#[test]
fn a_hostile_title_is_cut_to_what_a_list_can_show() {
    let limits = (wego_catalogue::limits::LANGS_MAX, wego_catalogue::limits::TITLE_CHARS_MAX);
    let mut record = practice(&"가".repeat(limits.1 + 1));
    if let Some(wego_proto::v1::record::Kind::Practice(practice)) = &mut record.kind {
        let titles = &mut practice.core.as_mut().unwrap().title;
        *titles = vec![titles[0].clone(); limits.0 + 1];
    }
    let sample = Sample::of(&[Entry::put(1, 1, 1, &record).entry()]);
    let titles = sample.records.record(&id(1)).unwrap().unwrap().titles;
    assert_eq!((titles.len(), titles[0].text.chars().count()), limits);
}

#[test]
fn kinds_of_later_versions_are_skipped_and_payloads_of_another_kind_are_not_read() {
    let later = Entry::new(1, 1, EntryKind::RecordPut, 1).record_kind(99).content(vec![1]);
    let sample = Sample::of(&[
        later.entry(),
        Entry::put(1, 2, 2, &practice("says dataset")).record_kind(RecordKind::Dataset as u32).entry(),
        Entry::new(1, 3, EntryKind::Maintenance, 3).entry(),
    ]);
    assert_eq!(sample.records.record(&id(1)).unwrap(), None);
    let record = sample.records.record(&id(2)).unwrap().unwrap();
    assert_eq!((record.kind, record.titles.len()), (RecordKind::Dataset, 0));
    assert_eq!(sample.records.record(&id(3)).unwrap(), None);
    assert_eq!(sample.records.cursor().unwrap(), Cursor(3));
}

#[test]
fn another_store_or_a_wipe_begins_anew() {
    let sample = Sample::of(&[Entry::put(1, 1, 1, &practice("gone")).entry()]);
    let Sample { records, dir } = sample;
    drop(records);
    let path = dir.path().join("records");
    let same = Records::open(&path, sample::STORE, &NoGuard).unwrap();
    assert_eq!(same.cursor().unwrap(), Cursor(1));
    drop(same);
    let other = Records::open(&path, StoreId::new([8; 16]), &NoGuard).unwrap();
    assert_eq!(other.cursor().unwrap(), Cursor(0));
    assert_eq!(other.record(&id(1)).unwrap(), None);
    other.apply(&arrived(&[Entry::put(1, 1, 1, &practice("back")).entry()]), Cursor(1)).unwrap();
    other.wipe().unwrap();
    assert_eq!((other.cursor().unwrap(), other.record(&id(1)).unwrap()), (Cursor(0), None));
    assert_eq!(other.digest().unwrap(), Sample::new().records.digest().unwrap());
}

#[test]
fn a_damaged_database_is_set_aside_and_built_anew() {
    for file in ["conf", "db"] {
        let Sample { records, dir } = Sample::of(&[Entry::put(1, 1, 1, &practice("lost")).entry()]);
        records.flush().unwrap();
        drop(records);
        let path = dir.path().join("records");
        let length = fs::metadata(path.join(file)).unwrap().len();
        fs::write(path.join(file), vec![0x5a; usize::try_from(length).unwrap()]).unwrap();
        let records = Records::open(&path, sample::STORE, &NoGuard).unwrap();
        assert_eq!((records.cursor().unwrap(), records.record(&id(1)).unwrap()), (Cursor(0), None), "{file}");
        records.apply(&arrived(&[Entry::put(1, 1, 1, &practice("back")).entry()]), Cursor(1)).unwrap();
        assert_eq!(
            records.digest().unwrap(),
            Sample::of(&[Entry::put(1, 1, 1, &practice("back")).entry()]).records.digest().unwrap()
        );
    }
}

/// Logs of three members about few records, so that they get into each other's way.
fn logs() -> impl Strategy<Value = Vec<Vec<Unverified>>> {
    let step = (0_u8..8, 0_u8..6, 0_u64..50, any::<bool>());
    prop::collection::vec(prop::collection::vec(step, 0..25), 3).prop_map(|logs| {
        let numbered = logs.into_iter().enumerate();
        numbered.map(|(number, steps)| log(u32::try_from(number).unwrap(), &steps)).collect()
    })
}

fn log(origin: u32, steps: &[(u8, u8, u64, bool)]) -> Vec<Unverified> {
    let (mut epoch, mut seq) = (1, 0);
    let mut entries = Vec::new();
    for (what, record, hlc, held) in steps {
        seq += 1;
        let entry = match what {
            0 => Entry::retract(origin, seq, *record, "random"),
            1 => Entry::new(origin, seq, EntryKind::Erase, *record),
            2 if seq > 1 => {
                let base = Position { epoch, seq: seq - 1 - hlc % (seq - 1) };
                (epoch, seq) = (epoch + 1, 1);
                Entry::start_epoch(origin, epoch, base)
            }
            3 => Entry::put(origin, seq, *record, &adoption(*record / 2, AdoptionStage::Live)),
            4 => Entry::put(origin, seq, *record, &dataset("data", "portal")),
            _ => Entry::put(origin, seq, *record, &practice("practice")),
        };
        let entry = entry.epoch(epoch).hlc(*hlc);
        entries.push(if *held { entry.entry() } else { entry.without_payload() });
    }
    entries
}

/// The logs in one order of arrival: each in its own order, mixed as `picks` say.
fn mixed(logs: &[Vec<Unverified>], picks: &[usize]) -> Vec<Unverified> {
    let mut logs: Vec<_> = logs.iter().map(|log| log.iter()).collect();
    let mut arrived = Vec::new();
    for pick in picks {
        let number = pick % logs.len();
        arrived.extend(logs[number].next().cloned());
    }
    arrived.extend(logs.into_iter().flatten().cloned());
    arrived
}

fn picks() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0_usize..3, 0..75)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_digest_is_that_of_a_rebuild_whatever_the_batches_and_wherever_it_crashed(
        logs in logs(),
        picks in picks(),
        sizes in prop::collection::vec(1_usize..9, 1..20),
        crash in 0_usize..20,
    ) {
        let arrived = mixed(&logs, &picks);
        let rebuilt = Sample::of(&arrived);
        let mut sample = Sample::new();
        for (number, size) in sizes.iter().cycle().enumerate() {
            if number == crash {
                sample = sample.after_a_crash();
            }
            let applied = usize::try_from(sample.records.cursor().unwrap().0).unwrap();
            if applied == arrived.len() && number > crash {
                break;
            }
            sample.apply(&arrived[applied..arrived.len().min(applied + size)]);
            if number % 3 == 0 {
                sample.records.flush().unwrap();
            }
        }
        prop_assert_eq!(sample.records.digest().unwrap(), rebuilt.records.digest().unwrap());
    }

    #[test]
    fn the_order_in_which_members_logs_arrive_does_not_matter(logs in logs(), left in picks(), right in picks()) {
        let [left, right] = [left, right].map(|picks| Sample::of(&mixed(&logs, &picks)));
        prop_assert_eq!(left.records.digest().unwrap(), right.records.digest().unwrap());
        prop_assert_eq!(everything(&left.records), everything(&right.records));
    }

    #[test]
    fn no_payload_breaks_the_projection(
        payloads in prop::collection::vec((0_u32..5, 1_i32..9, prop::collection::vec(any::<u8>(), 0..60)), 1..20),
    ) {
        let entry = |(seq, (record_kind, kind, content)): (usize, (u32, i32, Vec<u8>))| {
            let kind = EntryKind::try_from(kind).unwrap_or(EntryKind::RecordPut);
            let kind = if kind == EntryKind::EpochStart { EntryKind::RecordPut } else { kind };
            let seq = seq as u64 + 1;
            Entry::new(1, seq, kind, 1).record_kind(record_kind).content(content).entry()
        };
        let entries: Vec<_> = payloads.into_iter().enumerate().map(entry).collect();
        let sample = Sample::of(&entries);
        everything(&sample.records);
    }
}

#[test]
fn a_batch_larger_than_one_step_comes_to_the_same_and_may_come_again() {
    let title = "a title of some length ".repeat(12);
    let entries: Vec<_> =
        (1..=4_000).map(|seq| Entry::put(1, seq, (seq % 200) as u8, &practice(&title)).entry()).collect();
    let titles = title.len() * entries.len();
    assert!(titles as u64 > STEP_BYTES, "{titles} bytes are one step");
    let (singly, at_once) = (Sample::new(), Sample::of(&entries));
    entries.iter().for_each(|entry| singly.apply(std::slice::from_ref(entry)));
    assert_eq!(singly.records.digest().unwrap(), at_once.records.digest().unwrap());
    at_once.records.apply(&arrived(&entries), Cursor(entries.len() as u64)).unwrap();
    assert_eq!(singly.records.digest().unwrap(), at_once.records.digest().unwrap());
}
