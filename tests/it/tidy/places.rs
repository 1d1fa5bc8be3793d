//! What stands where: the top of the repository, and paths that exist on one machine only.

use super::Source;

/// All that may stand at the top. A new name is a decision about the whole.
const TOP: &[&str] = &[
    "proto",
    "node",
    "cli",
    "deploy",
    "tests",
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "ARCHITECTURE.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "clippy.toml",
    "deny.toml",
    ".ci",
    ".config",
    ".gitignore",
];

/// What is there without being in the repository.
const NOT_OURS: &[&str] = &[".git", "target"];

/// First folders of paths that mean somebody's own machine.
const MACHINES: &[&str] = &["work", "root"];

pub(super) fn unknown_at_the_top(name: &str) -> Option<String> {
    let known = TOP.contains(&name) || NOT_OURS.contains(&name);
    (!known).then(|| format!("{name} stands at the top: which of the folders does it belong to?"))
}

pub(super) fn machine_paths(file: &Source) -> Vec<String> {
    let named = |line: &str| {
        MACHINES
            .iter()
            .map(|first| format!("/{first}/"))
            .find(|path| line.match_indices(path.as_str()).any(|(at, _)| begins_a_path(&line[..at])))
    };
    let lines = file.text.lines().enumerate();
    lines.filter_map(|(at, line)| Some(format!("{}:{}: names {}", file.path, at + 1, named(line)?))).collect()
}

/// Not the middle of a longer path or of an address on the web.
fn begins_a_path(before: &str) -> bool {
    !before.ends_with(|c: char| c.is_alphanumeric() || "._-~/}".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_name_at_the_top_is_found() {
        assert!(unknown_at_the_top("scripts").is_some());
        assert!(unknown_at_the_top("node").is_none());
    }

    #[test]
    fn a_path_of_one_machine_is_found_and_an_address_is_not() {
        let found = |line: String| machine_paths(&Source { path: "a.md".to_owned(), text: line }).len();
        assert_eq!(found(format!("see /{}/shared", MACHINES[0])), 1);
        assert_eq!(found(format!("`/{}/.cargo`", MACHINES[1])), 1);
        assert_eq!(found(format!("https://example.org/{}/plan", MACHINES[0])), 0);
        assert_eq!(found(format!("node/{}/x.rs", MACHINES[1])), 0);
    }
}
