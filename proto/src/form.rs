//! The forms that values have: languages, dates, URLs, numbers, licences, places, and what looks like an address.
//!
//! Nodes and the command line judge values by the same forms, so that what one lets pass the other takes. Only
//! forms: which field needs which is the catalogue's, and whether a page answers is known to none.

mod country;

/// BCP 47 language tag: language, then script, region, variants, extensions, private use, each of its form.
#[must_use]
pub fn is_language_tag(tag: &str) -> bool {
    let mut parts = tag.split('-').peekable();
    let alphabetic = |part: &&str, lengths: &[usize]| {
        lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let alphanumeric = |part: &&str, min: usize| {
        (min..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if tag.len() > LANGUAGE_TAG_BYTES_MAX || !parts.next().is_some_and(|part| alphabetic(&part, &[2, 3])) {
        return false;
    }
    parts.next_if(|part| alphabetic(part, &[3]));
    parts.next_if(|part| alphabetic(part, &[4]));
    parts.next_if(|part| alphabetic(part, &[2]) || (part.len() == 3 && is_digits(part)));
    while parts
        .next_if(|part| {
            alphanumeric(part, 5) || (part.len() == 4 && part.starts_with(|c: char| c.is_ascii_digit()))
        })
        .is_some()
    {}
    while let Some(singleton) = parts.next() {
        let min = if singleton.eq_ignore_ascii_case("x") { 1 } else { 2 };
        let single = singleton.len() == 1 && singleton.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !single || parts.next_if(|part| alphanumeric(part, min)).is_none() {
            return false;
        }
        while parts.next_if(|part| alphanumeric(part, min)).is_some() {}
    }
    true
}

/// Twice the longest tag that RFC 5646 asks software to expect.
const LANGUAGE_TAG_BYTES_MAX: usize = 70;

/// ISO 8601: a year, a month or a day.
#[must_use]
pub fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |at: usize, len: usize| {
        parts
            .get(at)
            .filter(|part| part.len() == len && is_digits(part))
            .and_then(|part| part.parse::<u32>().ok())
    };
    let Some(year) = number(0, 4) else { return false };
    match parts.len() {
        1 => true,
        2 => number(1, 2).is_some_and(|month| (1..=12).contains(&month)),
        3 => number(1, 2).zip(number(2, 2)).is_some_and(|(month, day)| day >= 1 && day <= days(year, month)),
        _ => false,
    }
}

/// RFC 3339: a day and a time with zone.
#[must_use]
pub fn is_timestamp(text: &str) -> bool {
    let Some((day, time)) = text.split_once(['T', 't']) else { return false };
    if day.len() != 10 || !is_date(day) {
        return false;
    }
    let Some((clock, zone)) = time.find(['Z', 'z', '+', '-']).and_then(|at| time.split_at_checked(at)) else {
        return false;
    };
    let zoned = zone.eq_ignore_ascii_case("z") || zone.get(1..).is_some_and(|offset| is_clock(offset, 2));
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    zoned && is_clock(clock, 3) && is_digits(fraction)
}

/// Two or three two-digit numbers with colons: hours, minutes, seconds (60 is a leap second).
fn is_clock(text: &str, parts: usize) -> bool {
    let limits = [23, 59, 60];
    text.split(':').count() == parts
        && text.split(':').zip(limits).all(|(part, max)| {
            part.len() == 2 && is_digits(part) && part.parse::<u32>().is_ok_and(|number| number <= max)
        })
}

fn days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    }
}

/// An http or https URL with a host and without user information.
#[must_use]
pub fn is_web_url(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !r#"<>"{}|\^`"#.contains(c);
    web && is_authority(authority) && url.chars().all(plain)
}

fn is_authority(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, ""),
    };
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_is_good = match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host
                    .split('.')
                    .enumerate()
                    .all(|(at, label)| !label.is_empty() || at + 1 == host.split('.').count())
                && host.chars().all(|c| c.is_alphanumeric() || "-._~".contains(c))
        }
    };
    host_is_good && (port.is_empty() || port.parse::<u16>().is_ok())
}

/// A decimal number without sign or exponent: `1250000.50`.
#[must_use]
pub fn is_amount(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    is_digits(whole) && is_digits(fraction)
}

/// As [`is_amount`], perhaps with a minus before it.
#[must_use]
pub fn is_decimal(text: &str) -> bool {
    is_amount(text.strip_prefix('-').unwrap_or(text))
}

/// At least one digit and nothing else.
#[must_use]
pub fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// So many hexadecimal digits.
#[must_use]
pub fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// An SPDX licence expression, by its grammar and not by the list of licences, which grows.
#[must_use]
pub fn is_spdx(text: &str) -> bool {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let mut depth = 0_usize;
    let mut wants_name = true;
    for token in spaced.split_whitespace() {
        match (token, wants_name) {
            ("(", true) => depth += 1,
            (")", false) if depth > 0 => depth -= 1,
            ("AND" | "OR" | "WITH", false) => wants_name = true,
            (name, true) if is_licence_name(name) => wants_name = false,
            _ => return false,
        }
    }
    depth == 0 && !wants_name
}

fn is_licence_name(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b".-+:".contains(&byte);
    !["AND", "OR", "WITH", "(", ")"].contains(&name) && name.bytes().all(good)
}

/// An ISO 3166-1 alpha-2 code, in capitals.
#[must_use]
pub fn is_country(code: &str) -> bool {
    country::CODES.binary_search(&code).is_ok()
}

/// UN/LOCODE without space, or ISO 3166-2.
#[must_use]
pub fn is_place_code(text: &str) -> bool {
    let Some((country, rest)) = text.split_at_checked(2) else { return false };
    let symbols = |part: &str| part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let subdivision =
        rest.strip_prefix('-').is_some_and(|code| (1..=3).contains(&code.len()) && symbols(code));
    is_country(country) && (subdivision || (rest.len() == 3 && symbols(rest)))
}

/// `type/subtype`, with or without parameters.
#[must_use]
pub fn is_media_type(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or_default().trim();
    let good = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    essence.split_once('/').is_some_and(|(main, sub)| good(main) && good(sub))
}

/// A character that is invisible, moves the cursor, or turns the reading direction of what follows: text with it
/// reads otherwise than it is. Line breaks and tabs are not among them.
#[must_use]
pub fn is_deceptive(c: char) -> bool {
    let format = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}');
    format || (c.is_control() && !"\n\r\t".contains(c))
}

/// Whether something in `text` looks like an e-mail address, percent-encoded and full-width ones included.
#[must_use]
pub fn has_email(text: &str) -> bool {
    let plain = text.replace("%40", "@").replace(['\u{ff20}', '\u{fe6b}'], "@");
    plain.match_indices('@').any(|(at, _)| is_address(&plain[..at], &plain[at + 1..]))
}

/// A name directly before the `@`, and after it a host whose last label is a word.
fn is_address(before: &str, after: &str) -> bool {
    let named = before.ends_with(|c: char| c.is_alphanumeric() || "._%+-'".contains(c));
    let end = after.find(|c: char| !c.is_alphanumeric() && !".-".contains(c)).unwrap_or(after.len());
    let host = after[..end].trim_end_matches(['.', '-']);
    let last =
        host.rsplit_once('.').map(|(_, last)| last).filter(|_| host.starts_with(char::is_alphanumeric));
    named && last.is_some_and(|label| label.chars().count() >= 2 && label.chars().any(char::is_alphabetic))
}

#[cfg(test)]
mod tests;
