//! What the founding cities tell one another: publicly known practices of about 2010, in prose of our own.
//!
//! A number that is not certain is left out. The words are no statement of these cities, and no record leaves the
//! demonstration.

use self::tale::Tale;
pub use self::tale::Told;
pub(super) use self::tale::{jurisdiction, written};

mod barcelona;
mod beijing;
mod dakar;
mod edmonton;
mod frankfurt;
mod paris;
mod san_francisco;
mod sao_paulo;
mod seoul;
mod tale;

/// Practices that other parts of the story name.
pub(super) mod key {
    pub(in crate::demo) const DASAN: &str = "seoul-120";
    pub(in crate::demo) const DATASF: &str = "san-francisco-datasf";
    pub(in crate::demo) const EDMONTON_DATA: &str = "edmonton-open-data";
    pub(in crate::demo) const APPS: &str = "edmonton-apps";
    pub(in crate::demo) const NUMBER_115: &str = "frankfurt-115";
    pub(in crate::demo) const TELECENTROS: &str = "sao-paulo-telecentros";
    pub(in crate::demo) const INVOICE: &str = "sao-paulo-invoice";
    pub(in crate::demo) const GRID: &str = "beijing-grid";
}

/// Those with which the story begins.
#[must_use]
pub fn at_first() -> Vec<Told> {
    all().into_iter().filter(|told| !told.while_dakar_is_away).collect()
}

/// Those published while Dakar is away.
#[must_use]
pub fn later() -> Vec<Told> {
    all().into_iter().filter(|told| told.while_dakar_is_away).collect()
}

/// All of them, by city.
#[must_use]
pub fn all() -> Vec<Told> {
    let cities = [
        seoul::tales(),
        paris::tales(),
        edmonton::tales(),
        sao_paulo::tales(),
        barcelona::tales(),
        san_francisco::tales(),
        frankfurt::tales(),
        beijing::tales(),
        dakar::tales(),
    ];
    cities.into_iter().flatten().map(Tale::told).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wego_catalogue::validate::Checked;
    use wego_proto::{record::v1::LangText, v1};

    use super::*;
    use crate::demo::cities::Founder;

    #[test]
    fn every_practice_may_be_signed() {
        for told in all() {
            let record = v1::Record { kind: Some(v1::record::Kind::Practice(told.practice.clone())) };
            let problems = Checked::parse(record).err();
            assert_eq!(problems, None, "{}", told.key);
        }
    }

    #[test]
    fn every_city_tells_in_its_own_language_and_in_english() {
        for told in all() {
            let core = told.practice.core.clone().unwrap();
            let story = [&told.practice.problem, &told.practice.approach, &told.practice.results];
            for texts in [&core.title, &core.summary].into_iter().chain(story) {
                let langs: Vec<&str> = texts.iter().map(|LangText { lang, .. }| lang.as_str()).collect();
                assert_eq!(langs[0], told.city.lang(), "{}: {langs:?}", told.key);
                assert!(langs.contains(&"en"), "{}: {langs:?}", told.key);
            }
        }
        let tellers: BTreeSet<Founder> = all().iter().map(|told| told.city).collect();
        assert_eq!(tellers.len(), Founder::ALL.len());
    }

    #[test]
    fn practices_have_keys_of_their_own() {
        let keys: BTreeSet<&str> = all().iter().map(|told| told.key).collect();
        assert_eq!(keys.len(), all().len());
        assert!(keys.len() >= 14);
    }

    #[test]
    fn summaries_fit_a_list() {
        for told in all() {
            for LangText { lang, text, .. } in told.practice.core.unwrap().summary {
                assert!(text.chars().count() <= 150, "{} {lang}: {text}", told.key);
            }
        }
    }

    #[test]
    fn open_data_is_told_in_english_alone_where_the_story_asks_in_french() {
        for told in all().into_iter().filter(|told| [key::DATASF, key::EDMONTON_DATA].contains(&told.key)) {
            let core = told.practice.core.unwrap();
            assert!(core.title.iter().all(|title| title.lang == "en"));
            assert!(core.topics.iter().any(|topic| topic.uri == "open-data"));
        }
    }
}
