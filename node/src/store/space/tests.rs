//! Claims about the disk guard on real file systems.

use super::{
    small_disk::{Kind, SmallDisk},
    *,
};

const RESERVE: u64 = 8 * 1_024 * 1_024;

#[test]
fn the_ballast_holds_the_reserve_and_is_found_again() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for _ in 0..2 {
        let guard = DiskGuard::open(dir.path(), RESERVE).expect("a guard");
        let held = std::fs::metadata(dir.path().join(BALLAST)).expect("a ballast");
        assert!(held.blocks() * 512 >= RESERVE, "blocks are allocated");
        assert_eq!(guard.check().expect("an answer").writes, Writes::Accepted);
    }
    let guard = DiskGuard::open(dir.path(), RESERVE / 2).expect("a smaller reserve");
    let held = std::fs::metadata(dir.path().join(BALLAST)).expect("a ballast");
    assert_eq!((held.len(), guard.reserve_bytes), (RESERVE / 2, RESERVE / 2));
}

#[test]
fn zeros_hold_the_reserve_where_nothing_can_be_preallocated() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join(BALLAST);
    let file = File::create(&path).expect("a file");
    write_zeros(&file, RESERVE + 1).expect("zeros");
    assert_eq!(std::fs::metadata(&path).expect("a file").len(), RESERVE + 1);
}

#[test]
fn more_than_fits_is_not_promised_and_what_is_settled_is_free_again() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let guard = DiskGuard::open(dir.path(), RESERVE).expect("a guard");
    assert!(matches!(guard.admit(u64::MAX / 2), Err(StoreError::Full { reserve_bytes: RESERVE, .. })));
    guard.admit(1_000).expect("little fits");
    guard.admit(500).expect("little fits");
    guard.settle(1_000);
    assert_eq!(guard.check().expect("an answer").promised_bytes, 500);
}

#[test]
fn promises_are_counted_against_each_other() {
    for kind in Kind::ALL {
        let Some(disk) = SmallDisk::mount(kind) else { return };
        let guard = DiskGuard::open(disk.path(), RESERVE).expect("a guard");
        let free = guard.check().expect("an answer").free_bytes;
        let most = free - MARGIN_BYTES;
        guard.admit(most / 2).expect("half fits");
        assert!(matches!(guard.admit(most), Err(StoreError::Full { .. })), "{kind:?}");
        guard.settle(most / 2);
        guard.admit(most - 4_096).expect("alone it fits");
    }
}

#[test]
fn a_full_disk_costs_the_ballast_until_there_is_space_again() {
    for kind in Kind::ALL {
        let Some(disk) = SmallDisk::mount(kind) else { return };
        let guard = DiskGuard::open(disk.path(), RESERVE).expect("a guard");
        guard.admit(1_024).expect("there is space");
        let filler = disk.fill("filler");
        let report = guard.check().expect("an answer");
        assert_eq!(report.writes, Writes::Refused, "{kind:?}");
        // Part of it goes to the blocks that ext4 keeps for root, which the filler has used.
        assert!(report.free_bytes >= RESERVE / 2, "{kind:?}: the ballast is given away: {report:?}");
        assert!(matches!(guard.admit(1), Err(StoreError::Full { .. })), "{kind:?}");
        std::fs::remove_file(filler).expect("the filler");
        assert_eq!(guard.check().expect("an answer").writes, Writes::Accepted, "{kind:?}");
        assert!(disk.path().join(BALLAST).exists(), "{kind:?}: the ballast is taken back");
        guard.admit(1).expect("there is space");
    }
}

#[test]
fn a_disk_without_room_for_the_reserve_is_read_only() {
    let Some(disk) = SmallDisk::mount(Kind::Tmpfs) else { return };
    let guard = DiskGuard::open(disk.path(), 1 << 40).expect("too little space is no error");
    assert_eq!(guard.check().expect("an answer").writes, Writes::Refused);
    assert!(matches!(guard.admit(1), Err(StoreError::Full { .. })));
}
