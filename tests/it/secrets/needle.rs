//! Every form in which a key could be written, searched for in bytes.

use data_encoding::{BASE32_NOPAD, BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

/// Bytes of a key that tell it apart: half of one is not there by chance.
const TELLING: usize = 16;
/// Bytes before the key itself in PKCS #8 DER of an Ed25519 key.
const DER_PREFIX: usize = 16;
const KEY_BYTES: usize = 32;

/// One secret in all its forms.
pub(super) struct Needles {
    what: String,
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Needles {
    /// Of a PEM private key.
    pub(super) fn of(what: &str, pem: &str) -> Self {
        let body: Vec<_> = pem.lines().filter(|line| !line.is_empty() && !line.starts_with('-')).collect();
        let der = BASE64.decode(body.concat().as_bytes()).expect("a PEM file");
        let key = &der[DER_PREFIX..DER_PREFIX + KEY_BYTES];
        let mut needles = Self::of_bytes(what, key);
        // The last line may be short: what every key has in it is no secret.
        let telling = body.into_iter().map(|line| line.as_bytes().to_vec()).filter(|line| line.len() >= 20);
        for line in telling {
            needles.forms.push(("a line of PEM", HEXLOWER.encode(&line).into_bytes()));
            needles.forms.push(("a line of PEM", numbers(&line, ", ")));
            needles.forms.push(("a line of PEM", line));
        }
        needles
    }

    /// Of any secret bytes.
    pub(super) fn of_bytes(what: &str, secret: &[u8]) -> Self {
        let mut forms = Vec::new();
        for part in secret.chunks(TELLING).filter(|part| part.len() == TELLING) {
            forms.push(("raw", part.to_vec()));
            forms.push(("hexadecimal", HEXLOWER.encode(part).into_bytes()));
            forms.push(("hexadecimal", HEXUPPER.encode(part).into_bytes()));
            for separator in [", ", ",", " "] {
                forms.push(("numbers", numbers(part, separator)));
            }
        }
        // What stands before decides where a group of letters begins.
        for shift in 0..3 {
            let groups = &secret[shift..shift + (secret.len() - shift) / 3 * 3];
            forms.push(("base64", BASE64.encode(groups).into_bytes()));
            forms.push(("base64", BASE64URL_NOPAD.encode(groups).into_bytes()));
        }
        for shift in 0..5 {
            let groups = &secret[shift..shift + (secret.len() - shift) / 5 * 5];
            forms.push(("base32", BASE32_NOPAD.encode(groups).into_bytes()));
            forms.push(("base32", BASE32_NOPAD.encode(groups).to_lowercase().into_bytes()));
        }
        Self { what: what.to_owned(), forms }
    }
}

/// Searches for many secrets at once: what is searched is megabytes, in a program that is not optimised.
pub(super) struct Search {
    forms: Vec<(String, Vec<u8>)>,
    /// Whether a form begins with these two bytes.
    begins: Vec<bool>,
}

impl Search {
    pub(super) fn of(secrets: impl IntoIterator<Item = Needles>) -> Self {
        let named = |needles: Needles| {
            let what = needles.what;
            needles.forms.into_iter().map(move |(form, bytes)| (format!("{what}, {form}"), bytes))
        };
        let forms: Vec<_> = secrets.into_iter().flat_map(named).collect();
        let mut begins = vec![false; 1 << 16];
        for (_, form) in &forms {
            begins[pair(form)] = true;
        }
        Self { forms, begins }
    }

    /// What is in `bytes`, and where.
    pub(super) fn found_in(&self, bytes: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        for (at, begin) in bytes.windows(2).enumerate() {
            if self.begins[pair(begin)] {
                let here = self.forms.iter().filter(|(_, form)| bytes[at..].starts_with(form));
                found.extend(here.map(|(what, _)| format!("{what}, at byte {at}")));
            }
        }
        found
    }
}

fn numbers(bytes: &[u8], separator: &str) -> Vec<u8> {
    bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(separator).into_bytes()
}

fn pair(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

#[test]
fn each_form_of_a_key_would_be_found() {
    let seed: Vec<u8> = (0_u8..32).map(|n| n.wrapping_mul(37) ^ 0x5a).collect();
    let key =
        wego_proto::key::SecretKey::from_seed(&zeroize::Zeroizing::new(seed.clone().try_into().unwrap()));
    let pem = key.to_pem();
    let search = Search::of([Needles::of("canary", &pem)]);
    let (spaced, debug) = (seed.iter().map(u8::to_string).collect::<Vec<_>>().join(" "), format!("{seed:?}"));
    let leaks = [
        ("raw", seed.clone()),
        ("hexadecimal", HEXLOWER.encode(&seed).into_bytes()),
        ("hexadecimal", HEXUPPER.encode(&seed).into_bytes()),
        ("numbers", debug.into_bytes()),
        ("numbers", spaced.into_bytes()),
        ("base64", BASE64.encode(&[&b"x"[..], &seed].concat()).into_bytes()),
        ("base64", BASE64URL_NOPAD.encode(&[&b"xy"[..], &seed].concat()).into_bytes()),
        ("base32", BASE32_NOPAD.encode(&[&b"xyz"[..], &seed].concat()).into_bytes()),
        ("a line of PEM", pem.as_bytes().to_vec()),
    ];
    for (form, leak) in leaks {
        let written = [&b"a line\n"[..], &leak, b"\nanother"].concat();
        let found = search.found_in(&written);
        assert!(found.iter().any(|found| found.contains(form)), "{form}: {found:?}");
    }
    let public = search.found_in(key.public().to_string().as_bytes());
    assert!(public.is_empty(), "a public key is no secret: {public:?}");
}
