//! The corpus of each fuzz target, and small changes of it: what a fuzzer found once is not found again.

use std::{fs, path::Path};

use wego_tests::fuzz::TARGETS;

/// Changed inputs for each file of a corpus.
const CHANGES: u64 = 40;
/// Files of a corpus are small, so that many changes of them are tried in a second.
const FILE_BYTES_MAX: usize = 64 * 1_024;

/// Vectors that are a corpus as well: names of targets with the beginnings of their files.
const VECTORS: &[(&str, &[&str])] = &[
    ("roster", &["roster-", "proof-roster"]),
    ("record_proof", &["record-"]),
    ("fork_proof", &["fork-"]),
    ("backup", &["backup-", "epoch-", "manifest-"]),
];

fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = (here.join("fuzz/corpus").join(target), &[""][..]);
    let vectors = VECTORS.iter().filter(|(name, _)| *name == target);
    let vectors = vectors.map(|(_, beginnings)| (here.join("../proto/vectors"), *beginnings));
    let mut inputs = Vec::new();
    for (dir, beginnings) in std::iter::once(corpus).chain(vectors) {
        for file in fs::read_dir(&dir).into_iter().flatten() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if beginnings.iter().any(|beginning| name.starts_with(beginning)) {
                inputs.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    inputs.sort();
    inputs
}

/// A small generator (splitmix64, Steele et al. 2014), so that every run tries the same.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn changed(input: &[u8], seed: u64) -> Vec<u8> {
    let (mut bytes, mut state) = (input.to_vec(), seed);
    for _ in 0..=next(&mut state) % 3 {
        let at = next(&mut state) as usize % bytes.len().max(1);
        match next(&mut state) % 4 {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << (next(&mut state) % 8),
            1 => bytes.truncate(at),
            2 => bytes.insert(at.min(bytes.len()), next(&mut state) as u8),
            _ => bytes.extend_from_within(at.min(bytes.len())..),
        }
    }
    bytes
}

#[test]
fn no_input_of_a_corpus_and_no_small_change_of_one_breaks_a_decoder() {
    for target in TARGETS {
        let inputs = inputs(target.name);
        assert!(!inputs.is_empty(), "{} has no corpus", target.name);
        for (name, bytes) in inputs {
            assert!(bytes.len() <= FILE_BYTES_MAX || name.ends_with(".wego"), "{name} is large");
            (target.run)(&bytes);
            for seed in 0..CHANGES {
                let changed = changed(&bytes, seed);
                let held = std::panic::catch_unwind(|| (target.run)(&changed));
                assert!(held.is_ok(), "{} breaks on {name} changed with seed {seed}", target.name);
            }
        }
    }
}

#[test]
fn every_target_can_be_driven_by_the_fuzzer() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml");
    let manifest: toml::Table = fs::read_to_string(manifest).unwrap().parse().unwrap();
    let bins = manifest["bin"].as_array().unwrap().iter().map(|bin| bin["name"].as_str().unwrap());
    let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(bins.collect::<Vec<_>>(), names);
}
