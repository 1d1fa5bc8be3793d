//! Which links are kept: http and https with a host and without a user name.

use std::net::Ipv6Addr;

use super::clean::has_email;

/// Longest URL in characters that records take.
const URL_CHARS_MAX: usize = 4_096;

/// A usable URL, spaces in it encoded; none when it cannot be one.
pub(super) fn usable(text: &str) -> Option<String> {
    let url = text.trim().replace(' ', "%20");
    let (scheme, rest) = url.split_once("://")?;
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !r#"<>"{}|\^`"#.contains(c);
    let good = web
        && is_authority(authority)
        && url.chars().all(plain)
        && url.chars().count() <= URL_CHARS_MAX
        && !has_email(&url);
    good.then_some(url)
}

fn is_authority(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, ""),
    };
    let host_is_good = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            let name = host.strip_suffix('.').unwrap_or(host);
            let label = |label: &str| {
                !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || "-_~".contains(c))
            };
            name.split('.').all(label)
        }
    };
    host_is_good && (port.is_empty() || port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_are_kept() {
        let good =
            ["https://a.example/x?y=%2A", "HTTP://127.0.0.1:80/", "https://[::1]/", "https://도시.한국/"];
        for url in good {
            assert_eq!(usable(url).as_deref(), Some(url));
        }
        assert_eq!(usable(" https://a.example/a b ").as_deref(), Some("https://a.example/a%20b"));
        let bad = [
            "hhttps://a.example/",
            "//////not-a-url.example.com/",
            "ftp://a.example/",
            "https:///x",
            "https://user@a.example/",
            "https://a.example/?to=b@c.org",
            "javascript:alert(1)",
            "https://a..example/",
            "not a url",
        ];
        for url in bad {
            assert_eq!(usable(url), None, "{url}");
        }
        assert_eq!(usable(&format!("https://a.example/{}", "x".repeat(URL_CHARS_MAX))), None);
    }
}
