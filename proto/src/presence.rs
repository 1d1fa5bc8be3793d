//! What a member may say of itself: how it is called, where its pages are, where its node is reached.
//!
//! People read names in terminals and on pages, and follow the address, at every member: so nothing here may turn a line
//! around, hide in it, or lead elsewhere than it shows. The one place that says what is acceptable, for the writer and
//! for every reader. Whether an address answers is not known here.

use crate::{
    convert::{FieldError, InField as _, Problem, at_most},
    entry::{ENDPOINT_BYTES_MAX, ENDPOINTS_MAX},
    v1,
};

/// Names that a log may give a member: with all of them a header stays within its limit.
pub const NAMES_MAX: usize = 8;
/// Bytes of their texts and language tags together.
pub const NAMES_BYTES_MAX: usize = 600;
/// Characters of one name.
pub const NAME_CHARS_MAX: usize = 200;
/// Bytes of a portal address.
pub const PORTAL_URL_BYTES_MAX: usize = 200;
/// Bytes of a language tag; RFC 5646 asks software to expect 35.
const LANG_BYTES_MAX: usize = 35;

/// What a member's log says of its names and portal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Presentation {
    /// In place of the roster's, unless empty.
    pub names: Vec<v1::MemberName>,
    /// In place of the roster's, if given; empty for none.
    pub portal_url: Option<String>,
}

impl Presentation {
    /// What is acceptable of it.
    ///
    /// # Errors
    /// [`FieldError`] names what is not.
    pub fn parse(raw: v1::Presentation) -> Result<Self, FieldError> {
        at_most("names", raw.names.len(), NAMES_MAX)?;
        let bytes = raw.names.iter().map(|name| name.text.len() + name.lang.len()).sum();
        at_most("names", bytes, NAMES_BYTES_MAX)?;
        for (n, name) in raw.names.iter().enumerate() {
            check_name(name).in_field("names")?;
            let same = |other: &v1::MemberName| other.lang.eq_ignore_ascii_case(&name.lang);
            if raw.names[..n].iter().any(same) {
                return Err(Problem::OutOfRange { expected: "one name for each language" }).in_field("names");
            }
        }
        if let Some(url) = raw.portal_url.as_deref().filter(|url| !url.is_empty()) {
            at_most("portal_url", url.len(), PORTAL_URL_BYTES_MAX)?;
            check_portal_url(url).in_field("portal_url")?;
        }
        Ok(Self { names: raw.names, portal_url: raw.portal_url })
    }

    /// As it is written.
    #[must_use]
    pub fn to_wire(&self) -> v1::Presentation {
        v1::Presentation { names: self.names.clone(), portal_url: self.portal_url.clone() }
    }
}

/// Checks the addresses that one entry may name.
///
/// # Errors
/// [`FieldError`].
pub fn check_endpoints(endpoints: &[String]) -> Result<(), FieldError> {
    at_most("endpoints", endpoints.len(), ENDPOINTS_MAX)?;
    for endpoint in endpoints {
        at_most("endpoints", endpoint.len(), ENDPOINT_BYTES_MAX)?;
        check_endpoint(endpoint).in_field("endpoints")?;
    }
    Ok(())
}

/// Checks an address of a peer listener.
///
/// # Errors
/// [`Problem::OutOfRange`].
pub fn check_endpoint(endpoint: &str) -> Result<(), Problem> {
    let (host, port) = endpoint.rsplit_once(':').unwrap_or_default();
    let port_fits = port.parse::<u16>().is_ok_and(|port| port != 0);
    let named = host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
    let numbered = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let numbered = numbered.is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
    let fits =
        !host.is_empty() && endpoint.len() <= HOST_AND_PORT_BYTES_MAX && port_fits && (named || numbered);
    if fits {
        Ok(())
    } else {
        Err(Problem::OutOfRange { expected: "host:port, as in wego.seoul.go.kr:7400" })
    }
}

/// A DNS name and a port.
const HOST_AND_PORT_BYTES_MAX: usize = 253 + 6;

/// Checks the address of public pages. A user name in it would let it look like another city's.
///
/// # Errors
/// [`Problem::OutOfRange`].
pub fn check_portal_url(url: &str) -> Result<(), Problem> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.unwrap_or_default().split(['/', '?', '#']).next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_graphic() && !r#"<>"{}|\^`"#.contains(c);
    let named = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
    if !host.is_empty() && host.chars().all(named) && url.chars().all(plain) {
        return Ok(());
    }
    Err(Problem::OutOfRange {
        expected: "an address that begins with https:// or http://, without a user name",
    })
}

/// Checks one name.
///
/// # Errors
/// [`Problem::OutOfRange`].
pub fn check_name(name: &v1::MemberName) -> Result<(), Problem> {
    let mut subtags = name.lang.split('-');
    let plain =
        |tag: &str| (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let language =
        |tag: &str| matches!(tag.len(), 2 | 3) && tag.bytes().all(|byte| byte.is_ascii_alphabetic());
    if name.lang.len() > LANG_BYTES_MAX || !subtags.next().is_some_and(language) || !subtags.all(plain) {
        return Err(Problem::OutOfRange { expected: "called in a language as ko or pt-BR" });
    }
    let chars = name.text.chars().count();
    if !(1..=NAME_CHARS_MAX).contains(&chars)
        || name.text.trim() != name.text
        || name.text.chars().any(is_unsafe)
    {
        let expected = "of 1 to 200 characters in one line, with nothing invisible in it";
        return Err(Problem::OutOfRange { expected });
    }
    Ok(())
}

/// Whether a character breaks or turns a line around, or stands there unseen.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(lang: &str, text: &str) -> v1::MemberName {
        v1::MemberName { lang: lang.to_owned(), text: text.to_owned() }
    }

    fn said(names: Vec<v1::MemberName>, url: &str) -> Result<Presentation, FieldError> {
        Presentation::parse(v1::Presentation { names, portal_url: Some(url.to_owned()) })
    }

    #[test]
    fn what_a_city_says_of_itself_is_taken() {
        for url in ["", "https://wego.seoul.go.kr/", "http://127.0.0.1:7412/a?b=c#d", "https://[::1]:8080"] {
            said(vec![name("en", "Seoul"), name("ko", "서울"), name("zh-Hant", "首爾")], url).unwrap();
        }
        for endpoint in ["wego.seoul.go.kr:7400", "127.0.0.1:1", "[2001:db8::1]:7400"] {
            check_endpoint(endpoint).unwrap();
        }
    }

    #[test]
    fn what_deceives_or_is_too_much_is_not() {
        let turned =
            ["", " Seoul", "Se\u{202e}oul", "Seo\nul", "Se\u{200b}oul", "Se\u{e0041}oul", &"x".repeat(201)];
        for text in turned {
            assert!(said(vec![name("en", text)], "").is_err(), "{text:?}");
        }
        for lang in ["", "e", "english-language", "en_US", "en--US", "1n"] {
            assert!(said(vec![name(lang, "Seoul")], "").is_err(), "{lang:?}");
        }
        let twice = said(vec![name("en", "Seoul"), name("EN", "Séoul")], "").unwrap_err();
        assert_eq!(twice.to_string(), "names: must be one name for each language");
        let many = (0..9).map(|n| name(&format!("a{}", char::from(b'a' + n)), "Seoul")).collect();
        assert!(said(many, "").is_err());
        assert!(
            said((0..4).map(|n| name(["en", "ko", "fr", "de"][n], &"서".repeat(60))).collect(), "").is_err()
        );
        let long = format!("https://x.example/{}", "x".repeat(200));
        let urls =
            ["javascript:alert(1)", "ftp://x.example/", "https://", "https://a@b.example/", "https://a b/"];
        for url in urls.into_iter().chain(["https://x.example/\u{202e}", "https://x.example/<b>", &long]) {
            assert!(said(vec![], url).is_err(), "{url}");
        }
        for endpoint in
            ["", "seoul", "seoul:", "seoul:0", "seoul:70000", ":7400", "se oul:1", "[::1:7400", "a/b:1"]
        {
            assert!(check_endpoint(endpoint).is_err(), "{endpoint}");
        }
        let five = vec!["a:1".to_owned(); 5];
        assert!(check_endpoints(&five).is_err() && check_endpoints(&five[..4]).is_ok());
        assert!(check_endpoints(&[format!("{}:1", "a".repeat(100))]).is_err());
    }
}
