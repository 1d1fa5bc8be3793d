//! The example configuration with a new member's answers filled in, its comments kept. Decides no default.

use super::InitOptions;
use crate::config::EXAMPLE;

/// The text of `wego-node.toml`.
pub(super) fn filled_in(options: &InitOptions) -> String {
    let portal = options.portal.map_or("off".to_owned(), |address| address.to_string());
    let answers = [
        ("node", "handle", options.handle.clone()),
        ("listen", "peers", options.peers.to_string()),
        ("listen", "clients", options.clients.to_string()),
        ("listen", "portal", portal),
    ];
    answers.iter().fold(EXAMPLE.to_owned(), |text, (section, key, answer)| with(&text, section, key, answer))
}

/// `text` with the line of `key` in `[section]` taken in and given `answer`.
fn with(text: &str, section: &str, key: &str, answer: &str) -> String {
    let answer = toml::Value::String(answer.to_owned());
    let header = format!("[{section}]");
    let mut within = false;
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        within = if line.starts_with('[') { line == header } else { within };
        let of_key =
            line.trim_start_matches('#').strip_prefix(key).is_some_and(|rest| rest.starts_with(" = "));
        if within && of_key {
            out.push_str(&format!("{key} = {answer}"));
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}
