//! From bytes to text: UTF-8, or the encoding that the operator names.
//!
//! It must never take a guess for the truth: a wrong one turns every accent of a city into something else.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::error::Failure;

/// The encoding that `--encoding` names.
///
/// # Errors
/// [`Failure`] when there is none of that name.
pub(crate) fn named(label: &str) -> Result<&'static Encoding, Failure> {
    Encoding::for_label(label.as_bytes()).ok_or_else(|| {
        Failure::usage(
            format!("{label} is no encoding"),
            "name it as web pages do: windows-1252, iso-8859-15, euc-kr, gb18030, utf-16le",
        )
    })
}

/// The text of a file, without the mark that some portals begin with. A character that cannot be read becomes U+FFFD.
pub(super) fn text<'a>(bytes: &'a [u8], named: Option<&'static Encoding>) -> Result<Cow<'a, str>, Failure> {
    if let Some(encoding) = named {
        return Ok(encoding.decode_with_bom_removal(bytes).0);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let wide = match bytes {
        [0xff, 0xfe, ..] | [b'{' | b'[', 0, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] | [0, b'{' | b'[', ..] => Some(UTF_16BE),
        _ => None,
    };
    match (wide, std::str::from_utf8(bytes)) {
        (None, Ok(text)) => Ok(Cow::Borrowed(text)),
        (None, Err(_)) if is_damaged_utf8(bytes) => Ok(String::from_utf8_lossy(bytes)),
        (wide, _) => Err(refused(wide.unwrap_or_else(|| guess(bytes)))),
    }
}

/// Whether most characters beyond ASCII are sound UTF-8: in another encoding hardly any is.
fn is_damaged_utf8(bytes: &[u8]) -> bool {
    let (mut sound, mut broken) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        sound += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    sound > broken
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Deny)
}

fn refused(probably: &'static Encoding) -> Failure {
    let name = probably.name().to_lowercase();
    Failure::failed(
        format!("the file is not in {}, but probably in {}", UTF_8.name(), probably.name()),
        format!(
            "nothing was written; if so, add --encoding {name}; --encoding utf-8 takes it as it is, with every \
             broken character replaced"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_encoding_is_named_and_read_when_the_operator_agrees() {
        let catalogue = r#"{"dataset": [{"title": "Straßenbäume und Grünflächen, Größe und Höhe"}]}"#;
        let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(catalogue);
        let failure = text(&latin, None).expect_err("not UTF-8");
        assert!(failure.what.contains("probably in windows-1252"), "{}", failure.what);
        assert!(failure.hint.contains("--encoding windows-1252"), "{}", failure.hint);
        assert_eq!(text(&latin, named("latin1").ok()).expect("decoded"), catalogue);
        let wide: Vec<u8> = catalogue.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [wide.clone(), [&[0xff, 0xfe], wide.as_slice()].concat()] {
            assert!(text(&bytes, None).expect_err("UTF-16").what.contains("UTF-16LE"));
            assert_eq!(text(&bytes, named("utf-16le").ok()).expect("decoded"), catalogue);
        }
        assert!(named("klingon").is_err());
    }

    #[test]
    fn a_broken_character_in_utf_8_is_replaced() {
        let bytes = b"\xef\xbb\xbf\xc3\xa9\xc3\xa8 \xff";
        assert_eq!(text(bytes, None).expect("UTF-8"), "éè \u{fffd}");
    }
}
