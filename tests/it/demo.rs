//! The demonstration ends well, tells what it claims to tell, and leaves nothing behind.

use std::{ffi::OsString, fs, path::Path};

use wego_node::commands::{self, Exit};

struct Told {
    exit: Exit,
    out: String,
    err: String,
}

fn demo(args: &[&str]) -> Told {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["wego-node", "demo", "--once"].iter().chain(args).map(OsString::from);
    let exit = commands::run(args, &mut out, &mut err);
    Told { exit, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

fn in_folder(dir: &Path) -> Told {
    demo(&["--dir", dir.to_str().unwrap()])
}

#[test]
fn the_story_is_told_to_its_end_and_every_claim_is_in_it() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("founding");
    let told = in_folder(&dir);
    assert_eq!(told.exit, Exit::Done, "{}{}", told.out, told.err);
    // Paragraphs are broken where lines end.
    let words = told.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for claim in [
        "5 of the 8 cities on the committee signed it: Seoul, Paris, Edmonton, São Paulo, Barcelona.",
        "All nine nodes are up",
        "36 sessions of mutual TLS",
        "the door stays shut",
        "Each was received and verified at all nine",
        "(135 proofs)",
        "(p50)",
        "Only the adopting city can say that it adopts",
        "All 8 were received and verified at all nine",
        "Meanwhile the others publish 6 records",
        "caught up with all 6 records, each verified",
        "DataSF: the city's data",
        "An open data catalogue for Edmonton",
        "156 is the number everybody knows already",
        "9 villes sur 9",
        "All is told and checked",
    ] {
        assert!(words.contains(claim), "{claim:?} is not in:\n{}", told.out);
    }
    let nodes = fs::read_dir(&dir).unwrap().count();
    assert_eq!(nodes, 9, "a folder that was named is kept");

    let again = in_folder(&dir);
    assert_eq!((again.exit, again.out.as_str()), (Exit::Conflict, ""));
    assert!(again.err.contains("hint: "), "{}", again.err);
}
