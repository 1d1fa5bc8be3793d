//! Claims about forms, by example and by random text.

use proptest::prelude::*;

use super::*;

fn all(accepted: bool, form: fn(&str) -> bool, texts: &[&str]) {
    for text in texts {
        assert_eq!(form(text), accepted, "{text:?}");
    }
}

#[test]
fn language_tags_have_the_form_of_bcp_47() {
    all(true, is_language_tag, &["en", "KO", "pt-BR", "zh-Hans-CN", "sr-Latn", "es-419", "gsw", "de-1996"]);
    all(true, is_language_tag, &["zh-yue", "sl-rozaj-biske", "en-a-bbb-x-a", "de-x-simple"]);
    all(false, is_language_tag, &["", "e", "english", "en_US", "en-", "-en", "en-a", "en--GB", "1n", "한국"]);
}

#[test]
fn dates_are_days_that_exist() {
    all(true, is_date, &["2024", "2024-02", "2024-02-29", "2000-02-29", "1999-12-31"]);
    all(
        false,
        is_date,
        &["", "24", "2023-02-29", "1900-02-29", "2024-13", "2024-00-10", "2024-4-1", "2024-04-31"],
    );
    all(false, is_date, &["2024-04-01-01", "2024-04-01T00:00:00Z", "２０２４", "+024"]);
}

#[test]
fn timestamps_name_their_zone() {
    all(
        true,
        is_timestamp,
        &["2024-02-29T23:59:60Z", "2024-01-01T00:00:00.123+09:00", "2024-01-01t10:00:00z"],
    );
    all(
        false,
        is_timestamp,
        &["2024-01-01T10:00:00", "2024-01-01 10:00:00Z", "2024-01T10:00:00Z", "T", "TZ"],
    );
    all(false, is_timestamp, &["2024-01-01T24:00:00Z", "2024-01-01T10:00Z", "2024-01-01T10:00:00.Z"]);
    all(false, is_timestamp, &["2024-01-01T10:00:00+0900", "2024-01-01T10:00:00+99:00"]);
}

#[test]
fn only_web_urls_with_a_host_are_urls() {
    all(
        true,
        is_web_url,
        &["https://example.org", "HTTP://example.org:8080/a?b=c#d", "https://서울.한국/길"],
    );
    all(true, is_web_url, &["http://[2001:db8::1]:80/", "https://example.org./", "https://x.org/@39.9,-75"]);
    all(
        false,
        is_web_url,
        &["", "javascript:alert(1)", "ftp://x.org", "hhttps://x.org", "https://", "http:///p"],
    );
    all(false, is_web_url, &["https://user:word@x.org/", "https://x.org/a b", "https://x.org/\"onclick"]);
    all(
        false,
        is_web_url,
        &["//x.org", "https://x.org:99999", "https://a..b", "data:text/html,x", "http://[::g]/"],
    );
}

#[test]
fn numbers_are_plain_decimals() {
    all(true, is_amount, &["0", "1250000.50"]);
    all(false, is_amount, &["", "-1", "1,000", "1e6", ".5", "5.", "1.2.3", "٣", "NaN", " 1"]);
    all(true, is_decimal, &["-0.5", "17"]);
    all(false, is_decimal, &["--1", "-", "+1"]);
}

#[test]
fn licences_follow_the_grammar_of_spdx() {
    all(
        true,
        is_spdx,
        &["CC-BY-4.0", "EUPL-1.2 OR MIT", "(GPL-2.0-only WITH Classpath-exception-2.0) AND MIT"],
    );
    all(
        false,
        is_spdx,
        &["", "Public Domain", "MIT OR", "AND", "(MIT", "MIT)", "Lizenz: frei", "MIT/Apache-2.0"],
    );
}

#[test]
fn places_are_codes_of_a_country_that_exists() {
    all(true, is_place_code, &["KRSEL", "USSFO", "DE-HE", "ES-B", "FR-01"]);
    all(false, is_place_code, &["", "Seoul", "XXSEL", "krsel", "DE-", "DE-HESS", "서울", "KR SEL"]);
}

#[test]
fn addresses_are_recognised_however_they_are_dressed() {
    all(
        true,
        has_email,
        &["write to a.b+c@example.org.", "mailto:x@y.kr", "김@서울.한국", "a＠b.de", "?m=a%40b.de"],
    );
    all(true, has_email, &["<a@b.co.uk>", "a@b-c.museum,"]);
    all(
        false,
        has_email,
        &["", "@seoul", "https://x.org/@39.9,-75", "wego@1.2.3", "a @ b.org", "3 @ 5", "a@b"],
    );
    all(false, has_email, &["@", "a@.", "a@-.", "a@..org"]);
}

#[test]
fn countries_are_a_sorted_list_of_codes() {
    assert!(country::CODES.is_sorted());
    all(true, is_country, &["KR", "SN"]);
    all(false, is_country, &["kr", "UK", ""]);
}

proptest! {
    #[test]
    fn no_text_breaks_a_form(text in "\\PC*|[a-z0-9@.:/+TZ%-]{0,40}") {
        let forms = [is_language_tag, is_date, is_timestamp, is_web_url, is_decimal, is_spdx, is_place_code,
            is_media_type, has_email];
        for form in forms {
            form(&text);
        }
    }
}
