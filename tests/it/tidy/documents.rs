//! Commands in documents: each must be one that the program knows, with flags that it knows.

/// Documents whose commands are checked.
pub(super) const CHECKED: &[&str] = &["README.md", "CONTRIBUTING.md"];

/// What is wrong with the calls of `program` in the code blocks of `text`.
pub(super) fn unknown_commands(path: &str, text: &str, program: &clap::Command) -> Vec<String> {
    let calls = calls_of(text, program.get_name());
    calls
        .into_iter()
        .filter_map(|call| unknown_word(&call, program).map(|word| (call, word)))
        .map(|(call, word)| format!("{path}: `{}` knows no `{word}`: {}", program.get_name(), call.join(" ")))
        .collect()
}

/// The words after the program's name, a call each; a line that ends in `\` goes on in the next.
fn calls_of(text: &str, program: &str) -> Vec<Vec<String>> {
    let mut calls = Vec::new();
    let blocks = text.split("```").skip(1).step_by(2);
    for line in
        blocks.flat_map(|block| block.replace("\\\n", " ").lines().map(str::to_owned).collect::<Vec<_>>())
    {
        let line = line.split(" # ").next().unwrap_or_default().to_owned();
        let mut words = line.split_whitespace().map(str::to_owned);
        if words.by_ref().any(|word| word == program) {
            calls.push(words.collect());
        }
    }
    calls
}

fn unknown_word(call: &[String], program: &clap::Command) -> Option<String> {
    let mut command = program;
    let mut words = call.iter().peekable();
    while let Some(word) = words.next_if(|word| !word.starts_with('-')) {
        match command.find_subcommand(word) {
            Some(inner) => command = inner,
            None if command.has_subcommands() => return Some(word.clone()),
            None => break,
        }
    }
    let known = |flag: &str| {
        let long = |arg: &clap::Arg| arg.get_long() == Some(flag);
        ["help", "version"].contains(&flag)
            || command.get_arguments().chain(program.get_arguments()).any(long)
    };
    let flags = call.iter().filter_map(|word| word.strip_prefix("--")).map(|flag| flag.split('=').next());
    flags.flatten().find(|flag| !flag.is_empty() && !known(flag)).map(|flag| format!("--{flag}"))
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command};

    use super::*;

    fn found(line: &str) -> Vec<String> {
        let add = Command::new("add").arg(Arg::new("name").long("name"));
        let program = Command::new("wego").subcommand(Command::new("peer").subcommand(add));
        unknown_commands(
            "README.md",
            &format!("Text.\n```sh\n{line}\n```\nwego nonsense in text\n"),
            &program,
        )
    }

    #[test]
    fn a_command_nobody_knows_is_found() {
        assert_eq!(found("wego peer add --name x").len(), 0);
        assert_eq!(found("sudo wego peer \\\n  add --name=x   # says why").len(), 0);
        assert_eq!(found("wego pear add").len(), 1);
        assert_eq!(found("wego peer addd").len(), 1);
        assert_eq!(found("wego peer add --nam x").len(), 1);
    }
}
