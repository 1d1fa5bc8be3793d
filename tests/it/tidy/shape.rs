//! How files look: length, purpose, name. Reads text as rustfmt leaves it.

use super::Source;

/// Longest file in lines, its tests not counted.
const FILE_LINES_MAX: usize = 400;

/// Longest function in lines, from its name to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;

/// Names that say nothing about what may not go there.
const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "handler", "handlers", "common", "misc"];

pub(super) fn long_file(file: &Source) -> Option<String> {
    let lines = file.production().lines().count();
    let long = !file.is_test() && lines > FILE_LINES_MAX;
    long.then(|| format!("{}: {lines} lines, at most {FILE_LINES_MAX}", file.path))
}

/// Each with its `path::name`.
pub(super) fn long_functions(file: &Source) -> Vec<(String, String)> {
    let lines: Vec<_> = file.text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let length = function_lines(&lines[at..]);
        if length > FUNCTION_LINES_MAX {
            let what =
                format!("{}:{}: {name} has {length} lines, at most {FUNCTION_LINES_MAX}", file.path, at + 1);
            found.push((format!("{}::{name}", file.path), what));
        }
    }
    found
}

pub(super) fn no_purpose(file: &Source) -> Option<String> {
    let told = file.text.strip_prefix("//! ").is_some_and(|rest| !rest.starts_with('\n'));
    (!told).then(|| format!("{}: begins without `//! ` and what it is for", file.path))
}

pub(super) fn empty_name(path: &str) -> Option<String> {
    let empty = path.trim_end_matches(".rs").split('/').find(|part| EMPTY_NAMES.contains(part))?;
    Some(format!("{path}: `{empty}` says nothing: what is in it?"))
}

fn function_name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    loop {
        if let Some(name) = rest.strip_prefix("fn ") {
            return name.split(['(', '<']).next();
        }
        let (word, after) = rest.split_once(' ')?;
        let qualifier =
            word.starts_with("pub") || ["const", "async", "unsafe", "extern", "in"].contains(&word);
        if !qualifier && !word.starts_with('"') && !word.ends_with(')') {
            return None;
        }
        rest = after;
    }
}

/// rustfmt closes a function with a brace as far in as its first line.
fn function_lines(lines: &[&str]) -> usize {
    let first = lines[0];
    if first.ends_with('}') || first.ends_with(';') {
        return 1;
    }
    let indent = &first[..first.len() - first.trim_start().len()];
    let ends = |line: &&str| {
        let Some(rest) = line.strip_prefix(indent) else { return false };
        rest == "}" || (rest.starts_with(')') && (rest.ends_with(';') || rest.ends_with('}')))
    };
    lines.iter().skip(1).position(ends).map_or(lines.len(), |after| after + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: String) -> Source {
        Source { path: path.to_owned(), text }
    }

    #[test]
    fn a_long_file_is_found_and_its_tests_are_not_counted() {
        let long = "//! x\n".to_owned() + &"// y\n".repeat(FILE_LINES_MAX);
        assert!(long_file(&source("node/src/a.rs", long.clone())).is_some());
        assert!(long_file(&source("node/src/a/tests.rs", long)).is_none());
        let tested = format!("//! x\n\n#[cfg(test)]\nmod tests {{\n{}}}\n", "// y\n".repeat(FILE_LINES_MAX));
        assert!(long_file(&source("node/src/a.rs", tested)).is_none());
    }

    #[test]
    fn a_long_function_is_found_by_name() {
        let body = "        step();\n".repeat(FUNCTION_LINES_MAX);
        let text = format!(
            "impl X {{\n    pub(in crate::a) const unsafe fn long<T>(\n        a: T,\n    ) -> T {{\n{body}    }}\n\n    \
             fn short() {{}}\n\n    fn declared(\n        a: u8,\n    ) -> u8;\n}}\n"
        );
        let found = long_functions(&source("a.rs", text));
        let what = format!("a.rs:2: long has 74 lines, at most {FUNCTION_LINES_MAX}");
        assert_eq!(found, [("a.rs::long".to_owned(), what)]);
    }

    #[test]
    fn a_function_of_the_longest_length_is_no_finding() {
        let text = format!("fn f() {{\n{}}}\n", "    step();\n".repeat(FUNCTION_LINES_MAX - 2));
        assert!(long_functions(&source("a.rs", text.clone())).is_empty());
        let text = text.replacen("    step();", "    step();\n    step();", 1);
        assert_eq!(long_functions(&source("a.rs", text)).len(), 1);
    }

    #[test]
    fn a_file_without_a_purpose_is_found() {
        assert!(no_purpose(&source("a.rs", "use std::fs;\n".to_owned())).is_some());
        assert!(no_purpose(&source("a.rs", "//! Keys on disk.\n".to_owned())).is_none());
    }

    #[test]
    fn a_name_that_says_nothing_is_found() {
        assert!(empty_name("node/src/rpc/helpers.rs").is_some());
        assert!(empty_name("cli/src/util/mod.rs").is_some());
        assert!(empty_name("node/src/commands.rs").is_none());
    }
}
