//! Claims about checking a proof offline: what holds is shown, what does not is exit code 7.

#![expect(clippy::expect_used, reason = "a test stops where its ground is missing")]

use std::{fs, path::PathBuf};

use prost::Message as _;
use wego_cli::Stdio;
use wego_proto::{
    armour::{self, Label},
    entry::{Header, Payload, Verified},
    id::{FederationId, Hash, Origin, Position, RecordId},
    key::SecretKey,
    record::v1::{Core, LangText, Practice},
    roster::{Roster, add_signature},
    v1::{self, EntryKind},
};
use zeroize::Zeroizing;

struct Outsider {
    dir: tempfile::TempDir,
    federation: FederationId,
    proof: v1::RecordProof,
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([seed; 32]))
}

fn roster(name: &str) -> v1::RosterChain {
    let member = v1::Member {
        idx: 1,
        city_id: vec![1; 32],
        handle: "kr-seoul".to_owned(),
        names: vec![v1::MemberName { lang: "en".to_owned(), text: "Seoul".to_owned() }],
        transport_keys: vec![key(2).public().as_bytes().to_vec()],
        log_keys: vec![v1::LogKey {
            key_no: 1,
            key: key(1).public().as_bytes().to_vec(),
            from: Some(Position::FIRST.into()),
            until: None,
            ..Default::default()
        }],
        status: 1,
        ..Default::default()
    };
    let content = v1::Roster {
        format: 1,
        version: 1,
        federation_name: name.to_owned(),
        governance: Some(v1::Governance {
            keys: vec![key(3).public().as_bytes().to_vec()],
            threshold: 1,
            ..Default::default()
        }),
        members: vec![member],
        ..Default::default()
    };
    let mut signed = v1::SignedRoster { roster: content.encode_to_vec(), signatures: vec![] };
    add_signature(&mut signed, &key(3));
    v1::RosterChain { versions: vec![signed] }
}

impl Outsider {
    fn new() -> Self {
        let chain = roster("WeGO");
        let federation = Roster::open_chain(chain.clone()).expect("a roster")[0].federation();
        let title =
            LangText { lang: "en".to_owned(), text: "Bus\x1b[2J times".to_owned(), ..Default::default() };
        let practice =
            Practice { core: Some(Core { title: vec![title], ..Default::default() }), ..Default::default() };
        let record = v1::Record { kind: Some(v1::record::Kind::Practice(practice)) };
        let header = Header {
            origin: Origin(1),
            at: Position { epoch: 1, seq: 5 },
            prev: Hash::new([9; 32]),
            key_no: 1,
            roster_version: 1,
            hlc_ms: 1_284_076_800_000,
            kind: EntryKind::RecordPut as i32,
            record_id: Some(RecordId::new([4; 16])),
            base: None,
            payload: None,
            record_kind: 1,
            request_id: None,
            epoch_start: None,
            erase: None,
            recovery_key: None,
            endpoint_change: None,
            presentation: None,
        };
        let payload = Payload { nonce: [0; 16], content: record.encode_to_vec() };
        let entry = Verified::sign(header, Some(payload), &federation, &key(1));
        let proof = v1::RecordProof {
            entry: Some(entry.to_wire()),
            federation_id: federation.as_bytes().to_vec(),
            origin_handle: "somebody else".to_owned(),
            epochs: vec![],
        };
        let outsider = Self { dir: tempfile::tempdir().expect("a folder"), federation, proof };
        outsider.write("roster.pem", Label::Roster, &chain);
        outsider.write("other.pem", Label::Roster, &roster("Other"));
        outsider.write("bus.proof", Label::RecordProof, &outsider.proof);
        outsider
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, label: Label, message: &impl prost::Message) {
        fs::write(self.path(name), armour::write(label, &["a preamble".to_owned()], message))
            .expect("a file");
    }

    fn verify(&self, proof: &str, roster: &str, more: &[&str]) -> (u8, String, String) {
        let (stdio, out, err) = Stdio::captured("");
        let (proof, roster) = (self.path(proof).into_os_string(), self.path(roster).into_os_string());
        let mut args =
            vec!["wego".into(), "record".into(), "verify".into(), proof, "--roster".into(), roster];
        args.extend(more.iter().map(Into::into));
        (wego_cli::run(args, stdio), out.text(), err.text())
    }
}

#[test]
fn a_proof_says_who_signed_what_where_and_when() {
    let outsider = Outsider::new();
    let federation = outsider.federation.to_string();
    let (code, out, err) = outsider.verify("bus.proof", "roster.pem", &["--federation", &federation]);
    assert_eq!((code, err.as_str()), (0, ""));
    for part in
        ["kr-seoul", "1.5", "2010-09-10", &key(1).public().fingerprint(), "Bus\\u{1b}[2J times", &federation]
    {
        assert!(out.contains(part), "{part} in {out}");
    }
    assert!(!out.contains("somebody else") && !out.contains('\x1b'));
    let (_, json, _) = outsider.verify("bus.proof", "roster.pem", &["--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(
        (&json["signed_by"], &json["record"]["title"]["en"]),
        (&"kr-seoul".into(), &"Bus\x1b[2J times".into())
    );
}

#[test]
fn whatever_was_changed_is_an_integrity_violation() {
    let outsider = Outsider::new();
    let mut changed = outsider.proof.clone();
    changed.entry.as_mut().and_then(|entry| entry.payload.as_mut()).expect("payload").content[8] ^= 1;
    outsider.write("content.proof", Label::RecordProof, &changed);
    let mut changed = outsider.proof.clone();
    changed.entry.as_mut().expect("entry").signature[0] ^= 1;
    outsider.write("signature.proof", Label::RecordProof, &changed);
    fs::write(outsider.path("text.proof"), "hello").expect("a file");
    for (proof, roster, more) in [
        ("content.proof", "roster.pem", [].as_slice()),
        ("signature.proof", "roster.pem", &[]),
        ("text.proof", "roster.pem", &[]),
        ("bus.proof", "other.pem", &[]),
        ("bus.proof", "bus.proof", &[]),
        (
            "bus.proof",
            "roster.pem",
            &["--federation", "00000000000000000000000000000000ffffffffffffffffffffffffffffffff"],
        ),
    ] {
        let (code, out, err) = outsider.verify(proof, roster, more);
        assert_eq!((code, out.as_str()), (7, ""), "{proof} {roster}: {err}");
        assert!(err.contains("\n\nhint: "), "{err}");
    }
}
