//! What a new member says about itself, looked at before it is signed. What the card itself demands is not
//! repeated here.

use wego_proto::roster::ENDPOINTS_MAX;

use super::{InitError, InitOptions};

/// Longest address in characters: a DNS name and a port.
const ENDPOINT_CHARS_MAX: usize = 253 + 6;

/// Longest portal address in characters.
const URL_CHARS_MAX: usize = 512;

pub(super) fn plausible(options: &InitOptions) -> Result<(), InitError> {
    let InitOptions { country, place, endpoints, portal_url, .. } = options;
    let upper = |text: &str| text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let is_country = country.len() == 2 && country.chars().all(|c| c.is_ascii_uppercase());
    ensure(is_country, "country", country, "an ISO 3166-1 code of two letters, as in KR")?;
    let is_place =
        place.is_empty() || (place.len() == 5 && place.starts_with(country.as_str()) && upper(place));
    ensure(is_place, "place", place, "a UN/LOCODE of the country without a space, as in KRSEL")?;
    let few = endpoints.len() <= ENDPOINTS_MAX;
    ensure(few, "endpoint", &endpoints.len().to_string(), "given 8 times at most")?;
    for endpoint in endpoints {
        ensure(is_endpoint(endpoint), "endpoint", endpoint, "host:port, as in wego.seoul.go.kr:7400")?;
    }
    let web = portal_url.starts_with("https://") || portal_url.starts_with("http://");
    let is_url = portal_url.is_empty() || (web && portal_url.len() <= URL_CHARS_MAX && printable(portal_url));
    ensure(is_url, "portal-url", portal_url, "an address that begins with https:// or http://")
}

fn is_endpoint(endpoint: &str) -> bool {
    let Some((host, port)) = endpoint.rsplit_once(':') else { return false };
    let port_fits = port.parse::<u16>().is_ok_and(|port| port != 0);
    let named = host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
    let numbered = host.starts_with('[') && host.ends_with(']');
    let numbered = numbered && host[1..host.len() - 1].parse::<std::net::Ipv6Addr>().is_ok();
    !host.is_empty() && endpoint.len() <= ENDPOINT_CHARS_MAX && port_fits && (named || numbered)
}

fn printable(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_graphic())
}

fn ensure(holds: bool, what: &'static str, value: &str, expected: &'static str) -> Result<(), InitError> {
    if holds { Ok(()) } else { Err(InitError::Answer { what, value: value.to_owned(), expected }) }
}
