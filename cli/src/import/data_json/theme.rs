//! From keywords and themes to topics of the vocabularies: the EU data themes, or simply open data.

use std::collections::BTreeSet;

use wego_proto::record::v1::Concept;

/// Codes of the scheme `eu-data-theme`.
const CODES: [&str; 14] = [
    "AGRI",
    "ECON",
    "EDUC",
    "ENER",
    "ENVI",
    "GOVE",
    "HEAL",
    "INTR",
    "JUST",
    "OP_DATPRO",
    "REGI",
    "SOCI",
    "TECH",
    "TRAN",
];

/// Words of keywords and themes, in English and Spanish, and the theme they mean. A word matches whole words only.
const WORDS: [(&str, &[&str]); 13] = [
    ("AGRI", &["agriculture", "food", "fisheries", "forestry", "agricultura", "ganadería", "alimentos"]),
    (
        "ECON",
        &[
            "economy",
            "business",
            "finance",
            "budget",
            "taxes",
            "procurement",
            "compras",
            "contrataciones",
            "economía",
            "presupuesto",
            "finanzas",
            "trade",
        ],
    ),
    (
        "EDUC",
        &[
            "education",
            "schools",
            "school",
            "arts",
            "culture",
            "history",
            "recreation",
            "sport",
            "libraries",
            "educación",
            "cultura",
            "deportes",
        ],
    ),
    ("ENER", &["energy", "electricity", "energía"]),
    (
        "ENVI",
        &["environment", "water", "air", "climate", "parks", "trees", "waste", "ambiente", "medio ambiente"],
    ),
    ("GOVE", &["elections", "politics", "government", "administration", "gobierno", "veterans"]),
    ("HEAL", &["health", "hospitals", "salud"]),
    ("INTR", &["international", "foreign affairs"]),
    ("JUST", &["public safety", "police", "crime", "courts", "justice", "fire", "justicia", "seguridad"]),
    (
        "REGI",
        &[
            "planning",
            "zoning",
            "real estate",
            "land records",
            "boundaries",
            "neighborhoods",
            "housing",
            "cities",
            "geospatial",
            "vivienda",
        ],
    ),
    (
        "SOCI",
        &[
            "human services",
            "population",
            "demographics",
            "equity",
            "census",
            "labor",
            "employment",
            "población",
        ],
    ),
    ("TECH", &["science", "technology", "telecommunications", "tecnología", "ciencia"]),
    (
        "TRAN",
        &[
            "transportation",
            "public transit",
            "transit",
            "transport",
            "streets",
            "traffic",
            "bicycle",
            "parking",
            "transporte",
        ],
    ),
];

/// The topics of a record with these keywords and themes.
pub(super) fn topics<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<Concept> {
    let mut codes: BTreeSet<&str> = BTreeSet::new();
    for word in words {
        let last = word.trim().rsplit('/').next().unwrap_or_default().to_uppercase();
        codes.extend(CODES.iter().find(|code| **code == last));
        let spaced = format!(" {} ", word.trim().to_lowercase());
        let means = |known: &&str| spaced.contains(&format!(" {known} "));
        codes.extend(WORDS.iter().filter(|(_, known)| known.iter().any(&means)).map(|(code, _)| code));
    }
    let concept = |scheme: &str, code: &str| Concept { scheme: scheme.to_owned(), uri: code.to_owned() };
    if codes.is_empty() {
        return vec![concept("wego-topic", "open-data")];
    }
    codes.into_iter().map(|code| concept("eu-data-theme", code)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(words: &[&str]) -> Vec<String> {
        topics(words.iter().copied()).into_iter().map(|topic| topic.uri).collect()
    }

    #[test]
    fn known_words_and_codes_become_themes_and_the_rest_is_open_data() {
        assert_eq!(codes(&["Public Safety", "Police Advisory Commission"]), ["JUST"]);
        assert_eq!(
            codes(&["ECON", "http://publications.europa.eu/resource/authority/data-theme/TRAN"]),
            ["ECON", "TRAN"]
        );
        assert_eq!(codes(&["airports"]), ["open-data"]);
        assert_eq!(codes(&[]), ["open-data"]);
    }
}
