//! Claims about torn and damaged segment files.

use super::*;

/// A folder with three acknowledged batches and the bytes of its last segment, whose last batch begins at `from`.
struct Torn {
    dir: tempfile::TempDir,
    path: PathBuf,
    whole: Vec<u8>,
    from: usize,
    signed: Vec<Verified>,
}

/// `batches` decides whether the last batch extends a segment or begins one.
fn torn(batches: usize) -> Torn {
    let dir = folder();
    let _acknowledged = written(dir.path(), batches - 1);
    let before = segment_files(dir.path());
    let last = before.last().expect("a segment");
    let from = fs::metadata(last).expect("a segment").len();
    let mut journal = open_small(dir.path()).expect("a journal");
    let mut ada = Author::new(1);
    let signed = ada.batch(batches * 2, 60);
    let head = journal.load().expect("a head");
    journal.replace(head.as_ref(), &signed[(batches - 1) * 2..]).expect("an append");
    let after = segment_files(dir.path());
    let path = after.last().expect("a segment").clone();
    let from = if after.len() == before.len() { from as usize } else { 0 };
    let whole = fs::read(&path).expect("a segment");
    Torn { dir, path, whole, from, signed }
}

/// Opens what an interrupted write of the last batch has left, and goes on.
fn assert_recovers(torn: &Torn, left: &[u8], batches: usize) {
    fs::write(&torn.path, left).expect("a segment");
    let mut journal = open_small(torn.dir.path()).expect("an interrupted write is cut off");
    let found = everything(&mut journal);
    let acknowledged = (batches - 1) * 2;
    assert!(found.len() >= acknowledged, "acknowledged entries are there");
    assert_eq!(found, wire(&torn.signed[..found.len()]), "and nothing else");
    let head = journal.load().expect("a head");
    journal.replace(head.as_ref(), &torn.signed[found.len()..]).map_or_else(
        |error| assert_eq!(found.len(), torn.signed.len(), "{error}"),
        |_| assert_eq!(everything(&mut journal), wire(&torn.signed)),
    );
    drop(journal);
    let mut journal = open_small(torn.dir.path()).expect("a journal");
    assert_eq!(everything(&mut journal), wire(&torn.signed));
}

#[test]
fn a_write_interrupted_at_any_byte_loses_nothing_acknowledged() {
    let mut kinds = Vec::new();
    for batches in [2, 3, 4, 5] {
        let torn = torn(batches);
        kinds.push(torn.from == 0);
        for end in torn.from..torn.whole.len() {
            let stale: Vec<_> =
                segment_files(torn.dir.path()).into_iter().filter(|path| *path > torn.path).collect();
            stale.iter().for_each(|path| fs::remove_file(path).expect("a later segment"));
            assert_recovers(&torn, &torn.whole[..end], batches);
        }
    }
    assert!(kinds.contains(&true) && kinds.contains(&false), "both kinds of last batch");
}

#[test]
fn a_tail_of_zeros_is_an_interrupted_write() {
    for batches in [2, 3, 4, 5] {
        let torn = torn(batches);
        for end in (torn.from..torn.whole.len()).step_by(7) {
            // The header's own checksum may end in zeros.
            if (28..32).contains(&end) {
                continue;
            }
            let mut left = torn.whole[..end].to_vec();
            left.resize(torn.whole.len() + 100, 0);
            let stale: Vec<_> =
                segment_files(torn.dir.path()).into_iter().filter(|path| *path > torn.path).collect();
            stale.iter().for_each(|path| fs::remove_file(path).expect("a later segment"));
            assert_recovers(&torn, &left, batches);
        }
    }
}

#[test]
fn a_flipped_bit_anywhere_is_reported_and_nothing_is_cut() {
    let dir = folder();
    written(dir.path(), 8);
    let files = segment_files(dir.path());
    let good: Vec<_> = files.iter().map(|path| fs::read(path).expect("a segment")).collect();
    let mut random = Random(20_260_823);
    for _ in 0..200 {
        let number = random.below(files.len());
        let mut bad = good[number].clone();
        let (byte, bit) = (random.below(bad.len()), random.below(8));
        bad[byte] ^= 1 << bit;
        fs::write(&files[number], &bad).expect("a segment");
        // A flip in the version makes it another format, which is refused as well.
        let error = open_small(dir.path()).expect_err("damage");
        assert!(error.is_corrupt(), "segment {number}, byte {byte}, bit {bit}: {error:?}");
        assert_eq!(fs::read(&files[number]).expect("a segment"), bad, "nothing is changed");
        fs::write(&files[number], &good[number]).expect("a segment");
    }
    open_small(dir.path()).expect("the good files again");
}

#[test]
fn a_flipped_bit_in_the_newest_record_is_not_taken_for_an_interrupted_write() {
    let dir = folder();
    let signed = written(dir.path(), 5);
    let path = segment_files(dir.path()).pop().expect("a segment");
    let good = fs::read(&path).expect("a segment");
    let newest = signed.last().expect("an entry").to_wire();
    let mut record = Vec::new();
    encode_record(&mut record, &newest);
    for byte in good.len() - record.len()..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[byte] ^= 1 << bit;
            fs::write(&path, &bad).expect("a segment");
            assert_corrupt(dir.path());
        }
    }
}

#[test]
fn a_flip_under_an_open_journal_is_reported_by_the_read() {
    let dir = folder();
    written(dir.path(), 2);
    let mut journal = open_small(dir.path()).expect("a journal");
    let path = &segment_files(dir.path())[0];
    let mut bytes = fs::read(path).expect("a segment");
    bytes[100] ^= 4;
    fs::write(path, bytes).expect("a segment");
    let error = journal.since(None, 9).expect_err("damage");
    assert!(error.is_corrupt(), "{error:?}");
}

#[test]
fn zeros_before_good_records_are_damage() {
    let dir = folder();
    written(dir.path(), 2);
    let path = &segment_files(dir.path())[0];
    let good = fs::read(path).expect("a segment");
    for from in [0, 32, 50, 200] {
        let mut bad = good.clone();
        bad[from..from + 40].fill(0);
        fs::write(path, &bad).expect("a segment");
        assert_corrupt(dir.path());
    }
}

#[test]
fn bytes_that_were_never_written_are_damage() {
    let dir = folder();
    written(dir.path(), 2);
    let path = segment_files(dir.path()).pop().expect("a segment");
    let mut bytes = fs::read(&path).expect("a segment");
    bytes.extend([0x5A; 40]);
    fs::write(&path, bytes).expect("a segment");
    assert_corrupt(dir.path());
}

#[test]
fn a_missing_renamed_or_short_segment_is_damage() {
    type Damage = fn(&[PathBuf]);
    let damages: [Damage; 4] = [
        |files| fs::remove_file(&files[1]).expect("a segment"),
        |files| fs::remove_file(&files[0]).expect("a segment"),
        |files| {
            fs::rename(&files[1], files[1].with_file_name("0000000001-0000000000000099.journal"))
                .expect("a segment")
        },
        |files| {
            let bytes = fs::read(&files[1]).expect("a segment");
            fs::write(&files[1], &bytes[..bytes.len() - 5]).expect("a segment");
        },
    ];
    for damage in damages {
        let dir = folder();
        written(dir.path(), 9);
        damage(&segment_files(dir.path()));
        assert_corrupt(dir.path());
    }
}

/// A small generator: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % end
    }
}
