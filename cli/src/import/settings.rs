//! What an import is told by its flags. All of it is judged before the file is opened, by the same forms as at a
//! node, so that a dry run finds what the real one would.

use encoding_rs::Encoding;
use wego_proto::{
    form,
    record::v1::{Jurisdiction, Level},
};

use crate::error::Failure;

/// Characters of a name and of an address.
const LINE_CHARS_MAX: usize = 500;
const URL_CHARS_MAX: usize = 4_096;

/// What the reader of a source must be told.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Stable name of the source.
    pub(crate) source: String,
    /// Where the source was read.
    pub(crate) imported_from: String,
    /// Where the records hold; unknown when reading without a node.
    pub(crate) jurisdiction: Option<Jurisdiction>,
    /// Language of the texts where the source does not say.
    pub(crate) lang: Lang,
    /// Licence of the texts.
    pub(crate) text_licence: String,
    /// Publisher where neither record nor catalogue names one.
    pub(crate) publisher: Option<String>,
    /// Encoding of the file; UTF-8 if none is named.
    pub(crate) encoding: Option<&'static Encoding>,
}

/// Which language texts are in that do not name their own.
#[derive(Debug, Clone)]
pub(crate) enum Lang {
    /// This one, whatever the source declares.
    Fixed(String),
    /// The record's own, the catalogue's, or this one.
    Declared { or: String },
}

impl Settings {
    /// Judges the values.
    ///
    /// # Errors
    /// [`Failure`] that names the flag and what it takes.
    pub(crate) fn checked(self) -> Result<Self, Failure> {
        let (Lang::Fixed(lang) | Lang::Declared { or: lang }) = &self.lang;
        demand(form::is_language_tag(lang), "--lang", lang, "a BCP 47 tag such as ko, pt-BR or zh-Hans")?;
        let licence = &self.text_licence;
        let known = form::is_spdx(licence) || form::is_web_url(licence);
        demand(
            known,
            "--text-licence",
            licence,
            "an SPDX expression such as CC-BY-4.0, or the URI of a licence",
        )?;
        if let Some(Jurisdiction { country, place, .. }) = &self.jurisdiction {
            demand(
                form::is_country(country),
                "--country",
                country,
                "an ISO 3166-1 code in capitals such as KR",
            )?;
            let known = place.is_empty() || form::is_place_code(place) || form::is_web_url(place);
            demand(
                known,
                "--place",
                place,
                "a UN/LOCODE without space such as KRSEL, or an ISO 3166-2 code",
            )?;
        }
        let line = |text: &str, max: usize| {
            let visible =
                !text.trim().is_empty() && !text.chars().any(|c| c.is_control() || form::is_deceptive(c));
            visible && text.chars().count() <= max && !form::has_email(text)
        };
        let wanted = "one line without an e-mail address";
        demand(line(&self.source, LINE_CHARS_MAX), "--source", &self.source, wanted)?;
        let from = &self.imported_from;
        demand(line(from, URL_CHARS_MAX) || has_credentials(from), "--imported-from", from, wanted)?;
        if let Some(publisher) = &self.publisher {
            demand(line(publisher, LINE_CHARS_MAX), "--publisher", publisher, wanted)?;
        }
        for (flag, text) in [("--imported-from", from), ("--source", &self.source)] {
            if has_credentials(text) {
                // The value stays out of the message, which ends up in logs.
                return Err(Failure::usage(
                    format!("{flag} holds a password or a key, and is published with every record"),
                    "nothing was written; give it without the part before @ and without such parameters",
                ));
            }
        }
        Ok(self)
    }
}

/// A city.
pub(crate) fn city(country: &str, place: &str) -> Jurisdiction {
    Jurisdiction {
        level: Level::City as i32,
        country: country.to_owned(),
        place: place.to_owned(),
        ..Default::default()
    }
}

fn demand(good: bool, flag: &str, text: &str, wanted: &str) -> Result<(), Failure> {
    if good {
        return Ok(());
    }
    Err(Failure::usage(
        format!("{flag} {text:?} is not right"),
        format!("nothing was written; it takes {wanted}"),
    ))
}

/// Whether an address names a user, or has a parameter that opens something.
fn has_credentials(address: &str) -> bool {
    let authority = address.split_once("://").map_or("", |(_, rest)| rest);
    let user = authority.split(['/', '?', '#']).next().unwrap_or_default().contains('@');
    let parameters = address.split(['?', '#']).skip(1).flat_map(|part| part.split(['&', ';']));
    let opens = |parameter: &str| {
        let name = parameter.split('=').next().unwrap_or_default().to_lowercase();
        let name = name.replace("%5f", "").replace("%2d", "").replace(['_', '-', '.'], "");
        let words =
            ["token", "secret", "password", "passwd", "pwd", "auth", "signature", "credential", "session"];
        name.ends_with("key")
            || words.iter().any(|word| name.contains(word))
            || ["sig", "sid", "pass"].contains(&&*name)
    };
    user || parameters.into_iter().any(|parameter| parameter.contains('=') && opens(parameter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            source: "src".to_owned(),
            imported_from: "https://data.city.example/data.json?page=2".to_owned(),
            jurisdiction: Some(city("KR", "KRSEL")),
            lang: Lang::Fixed("ko".to_owned()),
            text_licence: "CC0-1.0".to_owned(),
            publisher: None,
            encoding: None,
        }
    }

    #[test]
    fn a_value_that_a_node_refuses_is_refused_before_the_file_is_read() {
        assert!(settings().checked().is_ok());
        type Spoil = fn(&mut Settings);
        let bad: [(&str, Spoil); 8] = [
            ("--lang", |s| s.lang = Lang::Fixed("english please".to_owned())),
            ("--text-licence", |s| s.text_licence = "free for all".to_owned()),
            ("--country", |s| s.jurisdiction = Some(city("ZZ", ""))),
            ("--country", |s| s.jurisdiction = Some(city("kr", ""))),
            ("--place", |s| s.jurisdiction = Some(city("KR", "Seoul"))),
            ("--source", |s| s.source = " ".to_owned()),
            ("--source", |s| s.source = "a@city.example".to_owned()),
            ("--publisher", |s| s.publisher = Some("x".repeat(501))),
        ];
        for (flag, spoil) in bad {
            let mut settings = settings();
            spoil(&mut settings);
            let failure = settings.checked().expect_err(flag);
            assert!(failure.what.starts_with(flag), "{}", failure.what);
        }
    }

    #[test]
    fn keys_and_passwords_in_an_address_are_refused_and_not_repeated() {
        for address in [
            "https://data.city.example/data.json?api_key=s3cret",
            "https://data.city.example/data.json?page=1&access_token=s3cret",
            "https://data.city.example/data.json?Subscription-Key=s3cret",
            "https://data.city.example/d?X-Amz-Signature=s3cret",
            "https://user:s3cret@data.city.example/",
            "data.json?apikey=s3cret",
        ] {
            let failure =
                Settings { imported_from: address.to_owned(), ..settings() }.checked().expect_err(address);
            assert!(
                !failure.what.contains("s3cret") && failure.what.contains("--imported-from"),
                "{}",
                failure.what
            );
        }
        for address in [
            "https://data.city.example/key/data.json",
            "data.json",
            "https://a.example/?keyword=trees&sigma=1",
        ] {
            assert!(
                Settings { imported_from: address.to_owned(), ..settings() }.checked().is_ok(),
                "{address}"
            );
        }
    }
}
