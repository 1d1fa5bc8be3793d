//! The levels inside the node, read from its paths. A file uses lower levels and its own folder.

use super::Source;

/// Levels from the bottom: a module and how high it stands.
const LEVELS: &[(u8, &[&str])] = &[
    (1, &["store", "tls", "clock", "config", "keys", "operators", "telemetry", "audit"]),
    (2, &["records", "search"]),
    (3, &["engine"]),
    (4, &["peers", "enrolment", "transport"]),
    (5, &["rpc", "portal"]),
    (TOP, &["app", "demo", "init", "join", "commands"]),
];

/// Assembly: its modules may use one another.
const TOP: u8 = 6;

const FOLDER: &str = "node/src/";

/// What is wrong in `file`; `None` when it is no module of the node.
pub(super) fn of_node(file: &Source) -> Option<Vec<String>> {
    let path = file.path.strip_prefix(FOLDER)?;
    if !file.is_rust() || ["lib.rs", "main.rs"].contains(&path) || file.is_test() {
        return None;
    }
    let module = path.split('/').next()?.trim_end_matches(".rs");
    let code = without_comments(file.production());
    let mut found: Vec<_> =
        used_modules(&code).into_iter().filter_map(|used| judge(&file.path, module, &used)).collect();
    if climbs(&code) >= depth(path) {
        found.push(format!("{}: reaches the crate's root by `super`: write `crate::`", file.path));
    }
    found.dedup();
    Some(found)
}

fn judge(path: &str, module: &str, used: &str) -> Option<String> {
    let Some(own) = level(module) else {
        return Some(format!("{path}: {module} is not in the table of levels"));
    };
    let Some(theirs) = level(used) else {
        return Some(format!("{path}: {used} is not in the table of levels"));
    };
    let allowed = used == module || theirs < own || own == TOP;
    (!allowed).then(|| format!("{path}: level {own} must not use crate::{used} of level {theirs}"))
}

fn level(module: &str) -> Option<u8> {
    LEVELS.iter().find(|(_, modules)| modules.contains(&module)).map(|(level, _)| *level)
}

/// Comments and documents may speak of anything.
fn without_comments(text: &str) -> String {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

/// First names after `crate::`, those in braces included.
fn used_modules(code: &str) -> Vec<String> {
    let mut used = Vec::new();
    for (at, path) in code.match_indices("crate::") {
        // `$crate::` and `other_crate::` are not this crate's root.
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || "_$".contains(before)) {
            continue;
        }
        let rest = &code[at + path.len()..];
        match rest.strip_prefix('{') {
            Some(group) => used.extend(first_names(group)),
            None => used.push(name(rest)),
        }
    }
    used
}

/// The names at the first level of a group, up to its closing brace.
fn first_names(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut expected) = (0, Vec::new(), true);
    for (at, char) in group.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expected = true,
            _ if expected && depth == 0 && !char.is_whitespace() => {
                names.push(name(&group[at..]));
                expected = false;
            }
            _ => {}
        }
    }
    names
}

fn name(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The longest chain of `super::`.
fn climbs(code: &str) -> usize {
    (1..8).take_while(|steps| code.contains(&"super::".repeat(*steps))).count()
}

/// How many times `super` leads to the crate's root.
fn depth(path: &str) -> usize {
    let parts = path.split('/').count();
    if path.ends_with("/mod.rs") { parts - 1 } else { parts }
}

#[test]
fn a_use_of_a_higher_level_is_found_however_it_is_written() {
    let found = |path: &str, text: &str| {
        of_node(&Source { path: format!("{FOLDER}{path}"), text: text.to_owned() }).unwrap_or_default().len()
    };
    assert_eq!(found("store/mod.rs", "use crate::engine::Engine;"), 1);
    assert_eq!(
        found("store/sled/mod.rs", "use crate::{\n    store::{Cursor, put},\n    peers::Peer,\n};"),
        1
    );
    assert_eq!(found("engine/mod.rs", "fn f() { crate::rpc::serve() }"), 1);
    assert_eq!(found("rpc/status.rs", "use crate::portal::Page;"), 1, "a neighbour on the same level");
    assert_eq!(found("tls/conn.rs", "use super::super::engine::Engine;"), 1);
    assert_eq!(found("keys.rs", "use super::engine;"), 1);
    assert_eq!(found("other/mod.rs", "use crate::store::Cursor;"), 1, "a module nobody knows");
}

#[test]
fn a_use_of_a_lower_level_or_of_the_own_folder_is_no_finding() {
    let found = |path: &str, text: &str| {
        of_node(&Source { path: format!("{FOLDER}{path}"), text: text.to_owned() }).unwrap_or_default()
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(
        found("rpc/mod.rs", "use crate::{\n    engine::{Engine, Handle},\n    rpc::status,\n};"),
        none
    );
    assert_eq!(found("tls/conn.rs", "use super::gate::Permit;"), none);
    assert_eq!(found("commands/init.rs", "use crate::init;"), none, "assembly");
    assert_eq!(found("store/mod.rs", "/// See [`crate::engine`].\nuse wego_proto::crate_x;"), none);
    assert_eq!(found("store/mod.rs", "fn f() {}\n\n#[cfg(test)]\nmod tests { use crate::engine; }"), none);
}
