//! Who publishes a dataset: organisations stay, persons are counted, named to the operator, and left behind.

use serde_json::Value;

use super::{
    dataset::{LINE_CHARS_MAX, Reader},
    field, person,
};

/// Organisations above a publisher that are looked at.
const ABOVE_MAX: usize = 10;
/// Fields of a publisher that are kept, or are persons'.
const KEPT: [&str; 8] = ["@type", "@id", "name", "title", "prefLabel", "label", "mbox", "subOrganizationOf"];

/// The contacts of a record that are persons, as far as their names show.
pub(super) fn persons(record: &Value) -> Vec<String> {
    contacts(record).into_iter().filter(|name| person::is_person(name)).collect()
}

fn contacts(record: &Value) -> Vec<String> {
    let named = field::objects(record, "contactPoint");
    let named = named.into_iter().flat_map(|contact| ["fn", "name"].map(|key| field::text(contact, key)));
    named.flatten().map(|found| found.text).collect()
}

impl Reader<'_> {
    /// Counts the contact of the record; persons in its texts were met on the way.
    pub(super) fn tell_removed(&mut self) {
        let record = self.record;
        let dropped = &mut self.reading.dropped;
        for contact in field::objects(record, "contactPoint") {
            dropped.contact_names += usize::from(field::text(contact, "fn").is_some());
            dropped.contact_emails += usize::from(field::text(contact, "hasEmail").is_some());
        }
        for publisher in field::objects(record, "publisher") {
            dropped.contact_emails += usize::from(field::text(publisher, "mbox").is_some());
        }
        let removed = self.cleaner.removed;
        dropped.emails_in_texts += removed.emails;
        dropped.phones_in_texts += removed.phones;
        dropped.names_in_texts += removed.names;
        let sorts = [
            (removed.emails, "e-mail address", "e-mail addresses"),
            (removed.phones, "telephone number", "telephone numbers"),
            (removed.names, "name of a person", "names of persons"),
        ];
        let said: Vec<String> = sorts
            .iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }))
            .collect();
        if !said.is_empty() {
            self.person(format!("removed from its texts: {}", said.join(", ")));
        }
    }

    pub(super) fn publisher(&mut self) -> Result<String, String> {
        let own = field::text(self.record, "publisher").map(|found| found.text);
        let own = own.filter(|own| !self.is_a_person(own));
        let publisher = match (own, &self.catalogue.publisher, &self.settings.publisher) {
            (Some(own), _, _) => own,
            (None, Some(catalogue), _) => {
                self.notice("publisher is missing: the catalogue's is used");
                catalogue.clone()
            }
            (None, None, Some(city)) => {
                self.warn("publisher is missing: the city is used");
                city.clone()
            }
            (None, None, None) => return Err("publisher is missing".to_owned()),
        };
        for publisher in field::objects(self.record, "publisher") {
            if let Value::Object(fields) = publisher {
                self.leave_out(fields, &KEPT, "publisher.");
            }
        }
        Ok(self.bounded_line("publisher", &publisher, LINE_CHARS_MAX))
    }

    /// A publisher who is the contact, or is said to be a person.
    fn is_a_person(&mut self, publisher: &str) -> bool {
        let types = field::objects(self.record, "publisher");
        let said = types.iter().any(|publisher| {
            let kind = publisher.get("@type").map(Value::to_string).unwrap_or_default();
            kind.contains("Person") || kind.contains("Individual")
        });
        let contact = contacts(self.record).iter().any(|contact| person::is_same(contact, publisher));
        let is_a_person = said || (contact && !person::is_organisation(publisher));
        if is_a_person {
            self.reading.dropped.publishers += 1;
            self.person("its publisher is its contact person and was dropped");
        }
        is_a_person
    }

    /// The organisations above the publisher, nearest first.
    pub(super) fn publisher_within(&mut self) -> Vec<String> {
        let mut above = Vec::new();
        let mut at = self.record.get("publisher").map(first);
        while let Some(parent) = at.and_then(|at| at.get("subOrganizationOf")).map(first) {
            let one = serde_json::json!({ "name": parent });
            let Some(name) = field::text(&one, "name").filter(|_| above.len() < ABOVE_MAX) else { break };
            let name = self.bounded_line("publisher.subOrganizationOf", &name.text, LINE_CHARS_MAX);
            above.extend(Some(name).filter(|name| !name.is_empty()));
            at = Some(parent);
        }
        above
    }
}

fn first(value: &Value) -> &Value {
    match value {
        Value::Array(values) => values.first().unwrap_or(&Value::Null),
        value => value,
    }
}
