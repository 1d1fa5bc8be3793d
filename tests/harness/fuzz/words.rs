//! What people and other programs write: records, queries, texts, strings and files.

use std::{ffi::OsString, path::Path};

use wego_catalogue::{Checked, Decoded, Searchable};
use wego_cli::Stdio;
use wego_node::{
    config::{Environment, RawConfig},
    operators::Operators,
    portal::render_markdown,
    search::{Names, Query},
};
use wego_proto::{id::Origin, invite::Invite};

pub(super) fn record(bytes: &[u8]) {
    let Decoded::Known(record) = wego_catalogue::decode(bytes) else { return };
    let _ = Searchable::of(&record);
    if let Ok(checked) = Checked::parse(record) {
        let again = wego_catalogue::decode(&checked.encode());
        assert!(matches!(again, Decoded::Known(_)), "what may be signed can be read");
    }
}

pub(super) fn query(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Query::parse(text, &Known);
}

/// One city and one topic.
struct Known;

impl Names for Known {
    fn city(&self, name: &str) -> Option<Origin> {
        (name == "kr-seoul").then_some(Origin(1))
    }

    fn has_topic(&self, value: &str) -> bool {
        value == "tran"
    }
}

pub(super) fn markdown(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let page = render_markdown(text).into_string();
    for tag in page.split('<').skip(1) {
        let name: String =
            tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        assert!(ALLOWED.contains(&name.as_str()), "<{name}> in {page}");
        let tag = tag.split('>').next().unwrap_or_default();
        let link = tag.split("href=\"").nth(1).map(str::to_ascii_lowercase);
        let safe = |link: String| link.starts_with("http://") || link.starts_with("https://");
        assert!(link.is_none_or(safe), "{tag}");
    }
}

/// Every element that a text may become.
const ALLOWED: &[&str] = &["p", "br", "ul", "ol", "li", "em", "strong", "code", "a", "bdi"];

pub(super) fn invite(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(invite) = Invite::parse(text) {
        let again = Invite::parse(&invite.encode()).expect("what is written can be read");
        assert_eq!((again.id, again.endpoint), (invite.id, invite.endpoint));
    }
}

pub(super) fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = RawConfig::parse(text, Path::new("wego-node.toml"), &Environment::default());
}

pub(super) fn operators(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Operators::parse(text);
}

pub(super) fn form(bytes: &[u8]) {
    wego(&["practice", "publish", "--file", "-"], bytes);
}

pub(super) fn data_json(bytes: &[u8]) {
    wego(&["import", "data-json", "-", "--source", "fuzz", "--dry-run"], bytes);
}

/// Runs a command on bytes of its standard input. What it says must not drive the terminal.
fn wego(args: &[&str], input: &[u8]) {
    let (mut stdio, out, err) = Stdio::captured("");
    stdio.input = Box::new(std::io::Cursor::new(input.to_vec()));
    let args = std::iter::once("wego").chain(args.iter().copied()).map(OsString::from);
    let code = wego_cli::run(args, stdio);
    let said = out.text() + &err.text();
    assert!(!said.contains('\u{1b}') && !said.contains('\u{202e}'), "code {code}: {said:?}");
}
