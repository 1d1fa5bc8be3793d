//! What tells datasets apart that bear one identifier: where the data is served, and their titles.
//!
//! A mark depends on its own record alone, never on the others or on their order, so that it is the same next month.

use serde_json::Value;

use super::field;

/// The marks of a record, from the most general to the one that no other record can have.
pub(super) fn marks(record: &Value, title: &str, source_hash: &str) -> Vec<String> {
    let title = format!("title {}", title.trim().to_lowercase());
    let mut marks = match service(record) {
        Some(service) => vec![format!("at {service}"), title.clone(), format!("at {service} {title}")],
        None => vec![title],
    };
    marks.push(format!("content {source_hash}"));
    marks
}

/// The address of the service, else of the first file in the alphabet, else of the page.
fn service(record: &Value) -> Option<String> {
    let files = field::objects(record, "distribution");
    let of = |key: &'static str| files.iter().filter_map(move |file| field::address_or_name(file, key));
    let is_service =
        |url: &String| ["/rest/services/", "/wms", "/wfs", "/ows"].iter().any(|part| url.contains(part));
    let access: Vec<String> = of("accessURL").collect();
    let served = access.iter().filter(|url| is_service(url)).min().or_else(|| access.iter().min()).cloned();
    served.or_else(|| of("downloadURL").min()).or_else(|| field::address_or_name(record, "landingPage"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_service_is_the_mark_wherever_it_stands() {
        let page = json!({"accessURL": "https://hub.example/a"});
        let layer = json!({"accessURL": "https://gis.example/arcgis/rest/services/Base/MapServer/3"});
        let file = json!({"downloadURL": "https://a.example/a.csv"});
        for files in [json!([page, layer, file]), json!([layer, file, page])] {
            let marks = marks(&json!({"distribution": files}), "Lakes ", "00");
            assert_eq!(marks[0], "at https://gis.example/arcgis/rest/services/Base/MapServer/3");
            assert_eq!((marks[1].as_str(), marks.len()), ("title lakes", 4));
        }
        assert_eq!(marks(&json!({}), "Lakes", "00"), ["title lakes", "content 00"]);
    }
}
