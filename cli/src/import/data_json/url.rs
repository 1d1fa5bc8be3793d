//! Which links are kept: http and https with a host and without a user name.

use wego_proto::form;

/// Longest URL in characters that records take.
const URL_CHARS_MAX: usize = 4_096;

/// A usable URL, spaces in it encoded; none when it cannot be one.
pub(super) fn usable(text: &str) -> Option<String> {
    let url = text.trim().replace(' ', "%20");
    let good = form::is_web_url(&url) && url.chars().count() <= URL_CHARS_MAX && !form::has_email(&url);
    good.then_some(url)
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
