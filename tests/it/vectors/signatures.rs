//! Signatures and keys on which libraries differ. Two verifiers that differ here would split a federation.

use curve25519_dalek::Scalar;
use sha2::{Digest as _, Sha512};
use wego_proto::{
    armour::Label,
    key::{KeyError, PublicKey, Purpose},
    v1,
};

use super::{
    Vector,
    cast::{GOVERNANCE, chain, first, genesis, key, public, signed_by},
};

/// The order of the group, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
/// The neutral point, which is of order 1.
const NEUTRAL: [u8; 32] = {
    let mut point = [0; 32];
    point[0] = 1;
    point
};

pub(super) fn all() -> Vec<Vector> {
    let cases = [
        ("roster-signed-as-entry", false, "the signatures were made for entries", signed_as_entry()),
        ("roster-noncanonical-s", false, "S of a signature is not below the group's order", noncanonical_s()),
        (
            "roster-small-order-r",
            false,
            "R of a signature is of small order, and the equation holds",
            small_r(),
        ),
        (
            "roster-small-order-key",
            false,
            "a key is of small order: its signature holds for anything",
            small_key(),
        ),
        ("roster-key-off-curve", false, "a transport key is no point of the curve", with_key(off_curve())),
        (
            "roster-key-noncanonical-y",
            true,
            "a transport key, which signs nothing, is encoded with a y above the field's order",
            with_key(noncanonical_y()),
        ),
    ];
    cases
        .into_iter()
        .map(|(name, holds, why, signed)| {
            Vector::armoured((name, holds, why), "roster", Label::Roster, &chain([signed]))
        })
        .collect()
}

fn signed_as_entry() -> v1::SignedRoster {
    let mut signed = first();
    for (seed, one) in GOVERNANCE.iter().zip(&mut signed.signatures) {
        one.signature = key(*seed).sign(Purpose::Entry, &[&signed.roster]).as_bytes().to_vec();
    }
    signed
}

fn noncanonical_s() -> v1::SignedRoster {
    let mut signed = first();
    let mut carry = 0;
    for (byte, add) in signed.signatures[0].signature[32..].iter_mut().zip(ORDER) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry as u8;
        carry >>= 8;
    }
    signed
}

/// With R neutral, S = k * a fulfils the equation: whoever has the key can make it.
fn small_r() -> v1::SignedRoster {
    let mut signed = first();
    let seed = GOVERNANCE[0];
    let mut secret: [u8; 32] = Sha512::digest([seed; 32])[..32].try_into().unwrap();
    secret[0] &= 248;
    secret[31] = (secret[31] & 127) | 64;
    let mut hashed = Sha512::new();
    for part in [&NEUTRAL[..], &public(seed), b"wego-roster-v1", &signed.roster] {
        hashed.update(part);
    }
    let k = Scalar::from_bytes_mod_order_wide(&hashed.finalize().into());
    let s = k * Scalar::from_bytes_mod_order(secret);
    signed.signatures[0].signature = [NEUTRAL, s.to_bytes()].concat();
    signed
}

fn small_key() -> v1::SignedRoster {
    let mut roster = genesis();
    let keys = vec![public(1), NEUTRAL.to_vec(), public(3)];
    roster.governance = Some(v1::Governance { keys, threshold: 2, ..Default::default() });
    let mut signed = signed_by(&[1], &roster);
    // S = 1 and R the base point: under the neutral key it holds for every message.
    let mut base_point = [0x66; 32];
    base_point[0] = 0x58;
    let signature = [base_point, NEUTRAL].concat();
    signed.signatures.push(v1::RosterSignature { key: NEUTRAL.to_vec(), signature });
    signed
}

fn with_key(transport_key: [u8; 32]) -> v1::SignedRoster {
    let mut roster = genesis();
    roster.members[0].transport_keys.push(transport_key.to_vec());
    signed_by(&GOVERNANCE, &roster)
}

fn off_curve() -> [u8; 32] {
    let mut points = (2..).map(|y| {
        let mut point = [0; 32];
        point[0] = y;
        point
    });
    points.find(|point| PublicKey::from_bytes(point) == Err(KeyError::NotAKey)).unwrap()
}

/// 2^255 - 19 and a little more.
fn noncanonical_y() -> [u8; 32] {
    let mut points = (0xed..=0xff).map(|low| {
        let mut point = [0xff; 32];
        (point[0], point[31]) = (low, 0x7f);
        point
    });
    points.find(|point| PublicKey::from_bytes(point).is_ok()).unwrap()
}
