//! Claims about invites: what is written is read, every misprint is refused, and a proof is worth nothing elsewhere.

use super::*;

fn invite(endpoint: &str) -> Invite {
    Invite {
        federation: [1; 8],
        inviter: [2; 16],
        id: InviteId::new([3; 8]),
        secret: InviteSecret::new(Zeroizing::new([4; 16])),
        expires_s: 1_800_000_000,
        endpoint: endpoint.to_owned(),
    }
}

/// As an attacker would make it: any content with a checksum that fits.
fn string_of(content: &[u8]) -> String {
    let bytes = [content, &checksum(content)].concat();
    format!("{PREFIX}{}", BASE32_NOPAD.encode(&bytes))
}

fn content_of(text: &str) -> Vec<u8> {
    let mut bytes = BASE32_NOPAD.decode(&text.as_bytes()[PREFIX.len()..]).expect("base32");
    bytes.truncate(bytes.len() - CHECKSUM_BYTES);
    bytes
}

#[test]
fn what_is_written_is_read_also_in_small_letters_and_broken_lines() {
    let text = invite("leiden.example:7400").encode();
    let broken = format!(" {}\r\n  {}\n", &text[..40].to_lowercase(), &text[40..]);
    for text in [text.to_string(), broken] {
        let read = Invite::parse(&text).expect("an invite");
        assert_eq!((read.federation, read.inviter, read.id), ([1; 8], [2; 16], InviteId::new([3; 8])));
        assert_eq!((read.expires_s, read.endpoint.as_str()), (1_800_000_000, "leiden.example:7400"));
        assert_eq!(read.secret.key().public(), invite("x:1").secret.key().public());
    }
}

#[test]
fn every_wrong_missing_or_swapped_letter_is_refused() {
    let text = invite("[2001:db8::1]:7400").encode();
    for at in 0..text.len() {
        let mut letters: Vec<char> = text.chars().collect();
        for wrong in ['A', '7', '1', '-', 'é'] {
            let before = std::mem::replace(&mut letters[at], wrong);
            let altered: String = letters.iter().collect();
            let same = before.eq_ignore_ascii_case(&wrong);
            assert_eq!(Invite::parse(&altered).is_ok(), same, "{wrong} at {at}");
            letters[at] = before;
        }
        let shorter: String = text.chars().enumerate().filter(|(n, _)| *n != at).map(|(_, c)| c).collect();
        assert!(Invite::parse(&shorter).is_err(), "without letter {at}");
        assert!(Invite::parse(&text[..at]).is_err(), "cut at {at}");
        if at > 0 && letters[at] != letters[at - 1] {
            letters.swap(at, at - 1);
            assert!(Invite::parse(&letters.iter().collect::<String>()).is_err(), "swapped at {at}");
        }
    }
}

#[test]
fn a_string_that_is_not_ours_is_told_apart() {
    let error = |text: &str| Invite::parse(text).expect_err("no invite");
    assert_eq!(error(""), InviteError::NotAnInvite);
    assert_eq!(error("fed1-AAAA"), InviteError::NotAnInvite);
    assert_eq!(error(PREFIX), InviteError::Damaged);
    let mut later = content_of(&invite("a.example:1").encode());
    later[0] = 2;
    assert_eq!(error(&string_of(&later)), InviteError::Version(2));
}

#[test]
fn a_hostile_string_is_refused_before_anything_is_made_of_it() {
    let long = format!("{PREFIX}{}", "A".repeat(64 * 1_024 * 1_024));
    assert_eq!(Invite::parse(&long).expect_err("too long"), InviteError::NotAnInvite);
    let head = &content_of(&invite("a:1").encode())[..FIXED_BYTES];
    let with = |endpoint: &[u8]| Invite::parse(&string_of(&[head, endpoint].concat())).map(|_| ());
    assert_eq!(with(b"a.example:7400"), Ok(()));
    let longest = format!("{}:7400", "a".repeat(ENDPOINT_BYTES_MAX - 5));
    assert_eq!(with(longest.as_bytes()), Ok(()));
    let longer = format!("a{longest}");
    let hostile: [&[u8]; 8] = [b"", b":1", b"a", b"a:", b"a:0", b"a:65536", b"a\x1b[2J:1", longer.as_bytes()];
    for endpoint in hostile {
        assert_eq!(with(endpoint), Err(InviteError::Endpoint), "{endpoint:?}");
    }
    assert_eq!(with(&[0xff, b':', b'1']), Err(InviteError::Endpoint));
}

#[test]
fn a_proof_is_worth_nothing_on_another_connection_or_for_another_card_or_invite() {
    let invite = invite("a.example:1");
    let kept = invite.secret.key().public();
    let card = |n| v1::SignedMemberCard { card: vec![n], signature: vec![n; 64] };
    let binding = |n| Binding::new([n; 32]);
    let proof = prove(&invite.secret, &invite.id, &binding(1), &card(1));
    assert_eq!(check_proof(&kept, &invite.id, &binding(1), &card(1), &proof), Ok(()));
    let other_id = InviteId::new([9; 8]);
    for (id, bound, card) in [
        (&invite.id, binding(2), card(1)),
        (&invite.id, binding(1), card(2)),
        (&other_id, binding(1), card(1)),
    ] {
        assert_eq!(check_proof(&kept, id, &bound, &card, &proof), Err(KeyError::BadSignature));
    }
    let other = InviteSecret::new(Zeroizing::new([5; 16])).key().public();
    assert!(check_proof(&other, &invite.id, &binding(1), &card(1), &proof).is_err());
}

#[test]
fn a_secret_never_prints() {
    let shown = format!("{:?}", invite("a.example:1"));
    assert!(shown.contains("InviteSecret,") && !shown.contains("4, 4"), "{shown}");
}
