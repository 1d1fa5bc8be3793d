//! The parts that records share: places, money, links, relations.

use serde::{Deserialize, Serialize};
use wego_proto::record::v1 as record;

use super::{FormError, FormProblem, Texts, is_zero, lang_texts, texts_of, word, word_of};

/// The licence of a text when the form names none.
pub(crate) const DEFAULT_LICENCE: &str = "CC-BY-4.0";
/// The scheme of a topic written without one.
pub(crate) const DEFAULT_SCHEME: &str = "wego-topic";

/// Where a record holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JurisdictionForm {
    /// city, county, state, country or supranational
    #[serde(default = "city")]
    pub(crate) level: String,
    /// ISO 3166-1 alpha-2
    pub(crate) country: String,
    /// UN/LOCODE without space, ISO 3166-2 or a GeoNames URI
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) place: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) ancestors: Vec<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) geocoding_uri: String,
}

impl JurisdictionForm {
    /// A city.
    pub(crate) fn city(country: &str, place: &str) -> Self {
        Self {
            level: city(),
            country: country.to_owned(),
            place: place.to_owned(),
            ancestors: Vec::new(),
            geocoding_uri: String::new(),
        }
    }
}

impl TryFrom<JurisdictionForm> for record::Jurisdiction {
    type Error = FormError;
    fn try_from(form: JurisdictionForm) -> Result<Self, FormError> {
        Ok(Self {
            level: word::<record::Level>("jurisdiction.level", &form.level)? as i32,
            country: form.country,
            place: form.place,
            ancestors: form.ancestors,
            geocoding_uri: form.geocoding_uri,
        })
    }
}

impl From<record::Jurisdiction> for JurisdictionForm {
    fn from(message: record::Jurisdiction) -> Self {
        Self {
            level: word_of(message.level()).unwrap_or_else(city),
            country: message.country,
            place: message.place,
            ancestors: message.ancestors,
            geocoding_uri: message.geocoding_uri,
        }
    }
}

fn city() -> String {
    "city".to_owned()
}

/// Declares a form whose keys are the fields of a message, both ways.
macro_rules! plain_form {
    ($(#[$doc:meta])* $form:ident = $message:ident { $($field:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $form {
            $(#[serde(default, skip_serializing_if = "is_zero")] pub(crate) $field: $type,)+
        }

        impl From<$form> for record::$message {
            fn from(form: $form) -> Self {
                Self { $($field: form.$field),+ }
            }
        }

        impl From<record::$message> for $form {
            fn from(message: record::$message) -> Self {
                Self { $($field: message.$field),+ }
            }
        }
    };
}

plain_form!(
    /// An amount of money, decimals as text.
    MoneyForm = Money { amount: String, currency: String, price_year: i32 }
);
plain_form!(
    /// A link.
    LinkForm = Link { rel: String, url: String, media_type: String, lang: String }
);
plain_form!(
    /// A relation to another record.
    RelationForm = Relation { r#type: String, target: String }
);
plain_form!(
    /// An id elsewhere.
    ExternalIdForm = ExternalId { scheme: String, value: String }
);
plain_form!(
    /// ISO 8601 dates.
    DatesForm = Dates {
        created: String,
        modified: String,
        valid_from: String,
        valid_to: String,
        assured_on: String,
    }
);
plain_form!(
    /// Where an imported record comes from.
    ProvenanceForm = Provenance {
        imported_from: String,
        importer: String,
        source_id: String,
        source_hash: String,
        fetched_at: String,
        original_publisher: String,
    }
);

/// A measured result.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricForm {
    pub(crate) label: Texts,
    /// Decimal text
    pub(crate) value: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) unit: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) year: i32,
}

impl TryFrom<MetricForm> for record::Metric {
    type Error = FormError;
    fn try_from(form: MetricForm) -> Result<Self, FormError> {
        Ok(Self {
            label: lang_texts("headline.label", form.label)?,
            value: form.value,
            unit: form.unit,
            year: form.year,
        })
    }
}

impl From<record::Metric> for MetricForm {
    fn from(message: record::Metric) -> Self {
        Self { label: texts_of(message.label), value: message.value, unit: message.unit, year: message.year }
    }
}

/// Whom to ask: an office, never a person.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactForm {
    pub(crate) role: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) label: Texts,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) relay_handle: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) public_url: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) public_phone: String,
}

impl TryFrom<ContactForm> for record::ContactRef {
    type Error = FormError;
    fn try_from(form: ContactForm) -> Result<Self, FormError> {
        Ok(Self {
            role: form.role,
            label: lang_texts("contacts.label", form.label)?,
            relay_handle: form.relay_handle,
            public_url: form.public_url,
            public_phone: form.public_phone,
        })
    }
}

impl From<record::ContactRef> for ContactForm {
    fn from(message: record::ContactRef) -> Self {
        Self {
            role: message.role,
            label: texts_of(message.label),
            relay_handle: message.relay_handle,
            public_url: message.public_url,
            public_phone: message.public_phone,
        }
    }
}

/// A topic as `code` or `scheme:code`.
pub(crate) fn topic(text: &str) -> Result<record::Concept, FormError> {
    let (scheme, uri) = text.split_once(':').unwrap_or((DEFAULT_SCHEME, text));
    if scheme.is_empty() || uri.is_empty() {
        let problem = FormProblem::NotA {
            found: text.to_owned(),
            expected: "a code, or a scheme and a code as scheme:CODE",
        };
        return Err(FormError { field: "topics", problem });
    }
    Ok(record::Concept { scheme: scheme.to_owned(), uri: uri.to_owned() })
}

/// A topic as it is written in a form.
pub(crate) fn topic_word(concept: &record::Concept) -> String {
    if concept.scheme == DEFAULT_SCHEME && !concept.uri.contains(':') {
        concept.uri.clone()
    } else {
        format!("{}:{}", concept.scheme, concept.uri)
    }
}

pub(crate) fn all<A, B: TryFrom<A>>(forms: Vec<A>) -> Result<Vec<B>, B::Error> {
    forms.into_iter().map(B::try_from).collect()
}

pub(crate) fn every<A, B: From<A>>(messages: Vec<A>) -> Vec<B> {
    messages.into_iter().map(B::from).collect()
}
