//! The text of a transcript: read as a script, printed with what came of it.

/// A line of a script, with what it prints when it is performed.
pub(super) enum Line {
    /// `# ...`: said to the reader.
    Remark(String),
    /// `% ...`: done by the stage, with the text of a file in lines that begin with `|`.
    Action { text: String, file: Vec<String> },
    /// `$ ...`: run, with answers to prompts in lines that begin with `<`.
    Command { text: String, answers: Vec<String>, done: Done },
}

/// What a command left.
#[derive(Default)]
pub(super) struct Done {
    pub(super) out: String,
    pub(super) err: String,
    pub(super) code: u8,
}

/// Output of more lines is cut to its beginning: what a program reads, or a person nobody expects to.
const LINES_SHOWN_MAX: usize = 130;
const LINES_SHOWN_OF_LONG: usize = 10;

/// The lines that say what to do; earlier output is left out.
pub(super) fn read(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for line in text.lines() {
        let (mark, rest) = line.split_at_checked(2).unwrap_or((line, ""));
        let rest = rest.to_owned();
        match (mark.trim_end(), lines.last_mut()) {
            ("#", _) => lines.push(Line::Remark(rest)),
            ("%", _) => lines.push(Line::Action { text: rest, file: Vec::new() }),
            ("$", _) => {
                lines.push(Line::Command { text: rest, answers: Vec::new(), done: Done::default() });
            }
            ("|", Some(Line::Action { file, .. })) => file.push(rest),
            ("<", Some(Line::Command { answers, .. })) => answers.push(rest),
            ("" | "!" | "=", _) => {}
            _ => panic!("a transcript has no such line: {line}"),
        }
    }
    lines
}

pub(super) fn print(lines: impl IntoIterator<Item = Line>) -> String {
    let mut text = String::new();
    let mut in_remark = false;
    for line in lines {
        let is_remark = matches!(line, Line::Remark(_));
        if !(text.is_empty() || in_remark && is_remark) {
            text.push('\n');
        }
        in_remark = is_remark;
        match line {
            Line::Remark(said) => add(&mut text, "#", &said),
            Line::Action { text: action, file } => {
                add(&mut text, "%", &action);
                file.iter().for_each(|line| add(&mut text, "|", line));
            }
            Line::Command { text: command, answers, done } => {
                add(&mut text, "$", &command);
                answers.iter().for_each(|answer| add(&mut text, "<", answer));
                add_output(&mut text, " ", &done.out);
                add_output(&mut text, "!", &done.err);
                add(&mut text, "=", &done.code.to_string());
            }
        }
    }
    text
}

fn add_output(text: &mut String, mark: &str, output: &str) {
    let long = output.lines().count() > LINES_SHOWN_MAX;
    let shown = if long { LINES_SHOWN_OF_LONG } else { LINES_SHOWN_MAX };
    output.lines().take(shown).for_each(|line| add(text, mark, line));
    if long {
        add(text, mark, "... and so on");
    }
}

fn add(text: &mut String, mark: &str, line: &str) {
    text.push_str(format!("{mark} {line}").trim_end());
    text.push('\n');
}

/// The words of a command line; single quotes keep spaces.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let (mut quoted, mut open) = (false, false);
    for char in line.chars() {
        match char {
            '\'' => {
                quoted = !quoted;
                if !open {
                    words.push(String::new());
                }
                open = true;
            }
            ' ' if !quoted => open = false,
            _ => {
                if !open {
                    words.push(String::new());
                }
                open = true;
                words.last_mut().unwrap().push(char);
            }
        }
    }
    words
}

#[test]
fn a_printed_script_reads_as_the_same_script() {
    let text = "# Said.\n\n% file ./a\n| one\n|\n| two\n\n$ wego 'a b' c\n< y\n  out\n\n  more\n! err\n= 3\n";
    assert_eq!(words("wego 'a b' '' c='d e'"), ["wego", "a b", "", "c=d e"]);
    let mut lines = read(text);
    assert_eq!(lines.len(), 3);
    let Some(Line::Command { done, .. }) = lines.last_mut() else { panic!("a command is last") };
    *done = Done { out: "out\n\nmore\n".to_owned(), err: "err\n".to_owned(), code: 3 };
    assert_eq!(print(lines), text);
}
