//! The secret of an invite is on the screen of whoever made it, and nowhere else: not in a log, not in a file, not in
//! what the other end prints.

use std::{fs, path::Path};

use wego_tests::process::{Federation, Signal, call, free_address};

/// Everything in all files of a folder.
fn all_bytes(dir: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        match fs::symlink_metadata(&entry) {
            Ok(meta) if meta.is_dir() => bytes.extend(all_bytes(&entry)),
            Ok(meta) if meta.is_file() => bytes.extend(fs::read(&entry).unwrap_or_default()),
            _ => {}
        }
    }
    bytes
}

fn is_in(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[test]
fn the_secret_of_an_invite_is_in_no_log_and_in_no_file() {
    let mut federation = Federation::found(&["kr-seoul"]);
    let config = federation.sites[0].config();
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("#filter = \"info\"", "filter = \"trace\"")).unwrap();
    federation.sites[0].start();
    federation.sites[0].answers();
    let site = &mut federation.sites[0];
    let string = site.wego(&["invite", "create", "--city", "Leiden"]).ok();
    let string = string.trim();
    let (home, at) = (federation.dir.path(), free_address().to_string());
    let says = ["--dir", "leiden", "--handle", "nl-leiden", "--name", "nl=Leiden", "--country", "NL"];
    let listen = ["--peers", &at, "--clients", "127.0.0.1:0", "--portal", "off", "--no-wait"];
    let joined = call(home, "wego-node", &[&["join", string], &says[..], &listen[..]].concat());
    assert_eq!(joined.code, Some(6), "{}", joined.err);
    let listed = site.wego(&["invite", "list", "--json"]).ok();
    site.end(Signal::TERM);

    let secret = secret_of(string);
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let debug = format!("{secret:?}");
    let written =
        [all_bytes(home), listed.into_bytes(), joined.out.into_bytes(), joined.err.into_bytes()].concat();
    // The middle of the string holds the secret; a part of it is enough to know it again.
    let part = &string[60..80];
    let small = part.to_lowercase();
    let wanted: [&[u8]; 5] = [part.as_bytes(), small.as_bytes(), &secret, hex.as_bytes(), debug.as_bytes()];
    for wanted in wanted {
        assert!(!is_in(&written, wanted), "{} was written", String::from_utf8_lossy(wanted));
    }
    assert!(is_in(&written, b"an invite was used"), "the log was read");
}

/// The 16 bytes, taken out by hand: after version, federation, inviter and id.
fn secret_of(string: &str) -> Vec<u8> {
    let letters = string.strip_prefix("wego1-").unwrap().bytes();
    let bits = letters.flat_map(|letter| {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|known| *known == letter).unwrap();
        (0..5).rev().map(move |bit| (value >> bit & 1) as u8)
    });
    let bits: Vec<_> = bits.collect();
    let bytes: Vec<u8> =
        bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |all, bit| all << 1 | bit)).collect();
    bytes[33..49].to_vec()
}
