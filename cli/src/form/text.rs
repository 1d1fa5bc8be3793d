//! Texts by language, as they stand in a form: `title: {en: ..., ko: ...}`.
//!
//! A language is declared, never guessed.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use wego_proto::record::v1::{LangText, TextOrigin};

use super::{FormError, is_zero, word, word_of};

/// Texts by BCP 47 language.
pub(crate) type Texts = BTreeMap<String, Text>;

/// A text in one language: plain, or with where its translation comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Text {
    Plain(String),
    Told(Told),
}

/// A text and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Told {
    text: String,
    /// original, human or machine
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    translated_from_version: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    source_lang: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    translator_city: String,
}

impl Text {
    fn into_message(self, lang: String, field: &'static str) -> Result<LangText, FormError> {
        Ok(match self {
            Self::Plain(text) => LangText { lang, text, ..Default::default() },
            Self::Told(told) => LangText {
                lang,
                text: told.text,
                origin: told
                    .origin
                    .map_or(Ok(TextOrigin::Unspecified), |origin| word::<TextOrigin>(field, &origin))?
                    as i32,
                translated_from_version: told.translated_from_version,
                source_lang: told.source_lang,
                translator_city: told.translator_city,
            },
        })
    }
}

impl From<LangText> for Text {
    fn from(message: LangText) -> Self {
        let told = Told {
            origin: word_of(message.origin()),
            text: message.text,
            translated_from_version: message.translated_from_version,
            source_lang: message.source_lang,
            translator_city: message.translator_city,
        };
        let plain = Told {
            text: String::new(),
            origin: None,
            translated_from_version: 0,
            source_lang: String::new(),
            translator_city: String::new(),
        };
        if (Told { text: String::new(), ..told.clone() }) == plain {
            Self::Plain(told.text)
        } else {
            Self::Told(told)
        }
    }
}

// By hand: an untagged enum would lose the line of a mistake and the name of a wrong key.
impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AText;
        impl<'de> Visitor<'de> for AText {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text (quote it when it looks like a number or a yes)")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text::Plain(text.trim_end().to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Text, A::Error> {
                Told::deserialize(MapAccessDeserializer::new(map)).map(Text::Told)
            }
        }
        deserializer.deserialize_any(AText)
    }
}

/// Texts as messages, by language.
pub(crate) fn lang_texts(field: &'static str, texts: Texts) -> Result<Vec<LangText>, FormError> {
    texts.into_iter().map(|(lang, text)| text.into_message(lang, field)).collect()
}

/// Messages as texts. Of two texts in one language the first is shown.
pub(crate) fn texts_of(messages: Vec<LangText>) -> Texts {
    let mut texts = Texts::new();
    for message in messages {
        texts.entry(message.lang.clone()).or_insert_with(|| message.into());
    }
    texts
}

/// The text to show a reader of `lang`: that language, its family, English, or the first there is.
pub(crate) fn pick<'a>(texts: &'a [LangText], lang: &str) -> &'a str {
    let family = |lang: &str| lang.split('-').next().unwrap_or_default().to_lowercase();
    let exact = texts.iter().find(|text| text.lang.eq_ignore_ascii_case(lang));
    let related = || texts.iter().find(|text| family(&text.lang) == family(lang));
    let english = || texts.iter().find(|text| family(&text.lang) == "en");
    let best = exact.or_else(related).or_else(english).or_else(|| texts.first());
    best.map_or("", |text| text.text.as_str())
}
