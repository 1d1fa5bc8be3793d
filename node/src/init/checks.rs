//! What a new member says about itself, looked at before it is signed. What the card itself demands is not
//! repeated here.

use wego_proto::{presence, roster::ENDPOINTS_MAX};

use super::{InitError, InitOptions};

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
        let good = presence::check_endpoint(endpoint).is_ok();
        ensure(good, "endpoint", endpoint, "host:port, as in wego.seoul.go.kr:7400")?;
    }
    let short = portal_url.len() <= presence::PORTAL_URL_BYTES_MAX;
    let is_url = portal_url.is_empty() || (short && presence::check_portal_url(portal_url).is_ok());
    ensure(is_url, "portal-url", portal_url, "an address that begins with https:// or http://")
}

fn ensure(holds: bool, what: &'static str, value: &str, expected: &'static str) -> Result<(), InitError> {
    if holds { Ok(()) } else { Err(InitError::Answer { what, value: value.to_owned(), expected }) }
}
