//! From what portals print as JSON to what a strict parser takes.
//!
//! The problem: one unpaired surrogate, one `NaN` or one raw line break, and a parser refuses ten thousand good
//! records. The rule: whatever can be told to be the fault of one value is replaced by the mark U+FFFD, which the
//! reader of that record finds and reports. What is cut off or nested wrongly stays so: a file that may be half
//! there must never pass for a whole one.

use serde_json::Value;

/// What stands where something could not be read.
pub(super) const MARK: char = '\u{fffd}';
/// Levels kept; below the bound of the parser, which refuses the file there.
const DEPTH_MAX: usize = 100;

/// `text` as strict JSON, as far as the faults are those of single values.
pub(super) fn repaired(text: &str) -> String {
    let mut repair =
        Repair { text, at: 0, out: String::with_capacity(text.len()), open: Vec::new(), last: Last::None };
    while let Some(c) = repair.peek() {
        repair.step(c);
    }
    repair.out
}

/// The last thing that was read, spaces left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    None,
    Open,
    Comma,
    Colon,
    Value,
}

struct Repair<'a> {
    text: &'a str,
    at: usize,
    out: String,
    /// The brackets that are open.
    open: Vec<char>,
    last: Last,
}

impl Repair<'_> {
    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn step(&mut self, c: char) {
        match c {
            c if c.is_whitespace() || c == '\u{feff}' => {
                self.put(if c == '\n' { "\n" } else { " " });
                self.at += c.len_utf8();
            }
            '{' | '[' => self.open(c),
            '}' | ']' => self.close(c),
            ',' => {
                self.fill();
                if !matches!(self.last, Last::Open | Last::Comma) {
                    self.put(",");
                    self.last = Last::Comma;
                }
                self.at += 1;
            }
            ':' => {
                self.put(":");
                self.last = Last::Colon;
                self.at += 1;
            }
            '"' => self.string(),
            _ => self.word(),
        }
    }

    /// Nothing is printed of what is nested too deep.
    fn put(&mut self, text: &str) {
        if self.open.len() <= DEPTH_MAX {
            self.out.push_str(text);
        }
    }

    fn put_mark(&mut self) {
        self.put("\"\u{fffd}\"");
    }

    /// A key without a value gets the mark.
    fn fill(&mut self) {
        if self.last == Last::Colon {
            self.put_mark();
            self.last = Last::Value;
        }
    }

    /// Two values side by side lack a comma.
    fn begin_value(&mut self) {
        if self.last == Last::Value && !self.open.is_empty() {
            self.put(",");
        }
    }

    fn open(&mut self, bracket: char) {
        self.begin_value();
        if self.open.len() == DEPTH_MAX {
            self.put_mark();
        }
        self.open.push(bracket);
        self.put(if bracket == '{' { "{" } else { "[" });
        self.last = Last::Open;
        self.at += 1;
    }

    fn close(&mut self, bracket: char) {
        self.fill();
        if self.last == Last::Comma && self.open.len() <= DEPTH_MAX {
            let kept = self.out.trim_end().trim_end_matches(',').len();
            self.out.replace_range(kept..=kept, " ");
        }
        self.put(if bracket == '}' { "}" } else { "]" });
        self.open.pop();
        self.last = Last::Value;
        self.at += 1;
    }

    /// A number, `true`, or what should have been in quotes.
    fn word(&mut self) {
        let delimits = |c: char| c.is_whitespace() || ",:{}[]\"".contains(c);
        let word = &self.rest()[..self.rest().find(delimits).unwrap_or(self.rest().len())];
        let (word, end) = (word.to_owned(), self.at + word.len());
        self.at = end;
        if self.open.is_empty() || serde_json::from_str::<Value>(&word).is_ok() {
            self.begin_value();
            self.put(&word);
        } else if self.rest().trim_start().starts_with(':') && self.last != Last::Colon {
            self.begin_value();
            self.put(&Value::from(word).to_string());
        } else {
            if self.last != Last::Value {
                self.put_mark();
            }
            let left = self.rest().find([',', '}', ']', '\n']).unwrap_or(self.rest().len());
            self.at += left;
        }
        self.last = Last::Value;
    }

    fn string(&mut self) {
        self.begin_value();
        self.put("\"");
        self.at += 1;
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            match c {
                '"' if self.ends_here() => {
                    self.put("\"");
                    self.last = Last::Value;
                    return;
                }
                '"' => self.put("\\\""),
                '\\' => self.escape(),
                c if c < ' ' => self.put(&format!("\\u{:04x}", u32::from(c))),
                c => self.put(c.encode_utf8(&mut [0; 4])),
            }
        }
    }

    /// Whether a quotation mark ends its string, by what follows: one inside a text is followed by more text.
    fn ends_here(&self) -> bool {
        let rest = self.rest();
        let next = rest.trim_start();
        let broken_line = rest[..rest.len() - next.len()].contains('\n');
        match next.chars().next() {
            None | Some(':' | '}' | ']') => true,
            Some(',') if self.open.last() == Some(&'{') => {
                let after = next[1..].trim_start();
                after.is_empty() || after.starts_with(['"', '}', ',']) || next[1..].starts_with('\n')
            }
            Some(',') => true,
            Some(_) => broken_line,
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) {
        match self.peek() {
            Some(c) if "\"\\/bfnrt".contains(c) => {
                self.put("\\");
                self.put(c.encode_utf8(&mut [0; 4]));
                self.at += 1;
            }
            Some('u') => {
                let unit =
                    |at: usize| self.text.get(at..at + 4).and_then(|hex| u16::from_str_radix(hex, 16).ok());
                let first = unit(self.at + 1);
                let second = self.text.get(self.at + 5..self.at + 7).filter(|text| *text == "\\u");
                let second = second.and_then(|_| unit(self.at + 7));
                let pair = first.map(|first| [first, second.unwrap_or_default()]);
                let read = pair.and_then(|pair| char::decode_utf16(pair).next()?.ok());
                let units = read.map_or(1, char::len_utf16);
                self.put(&escaped(read.unwrap_or(MARK)));
                // Without four digits only the `u` is passed over.
                self.at += if first.is_some() { 6 * units - 1 } else { 1 };
            }
            // As in a Windows path: it was meant as it stands.
            _ => self.put("\\\\"),
        }
    }
}

/// A character inside a JSON string.
fn escaped(c: char) -> String {
    let quoted = Value::from(c.to_string()).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Value {
        let repaired = repaired(text);
        serde_json::from_str(&repaired).unwrap_or_else(|error| panic!("{error}: {repaired}"))
    }

    #[test]
    fn what_is_wrong_with_one_value_is_marked_and_the_others_stay() {
        let table = [
            (
                r#"{"a": "x \ud83d y", "b": "\ude00", "c": "\ud83d\ude00"}"#,
                json!({"a": "x \u{fffd} y", "b": "\u{fffd}", "c": "😀"}),
            ),
            (
                r#"{"a": NaN, "b": -Infinity, "c": 1e999, "d": 007, "e": None, "f": .5}"#,
                json!({"a": "\u{fffd}", "b": "\u{fffd}", "c": "\u{fffd}", "d": "\u{fffd}", "e": "\u{fffd}", "f": "\u{fffd}"}),
            ),
            ("{\"a\": \"one\ntwo\tthree\u{1}\"}", json!({"a": "one\ntwo\tthree\u{1}"})),
            (
                r#"{"a": "C:\data", "b": "\u12", "c": "\'", "d": "tab\t\"q\""}"#,
                json!({"a": "C:\\data", "b": "\u{fffd}12", "c": "\\'", "d": "tab\t\"q\""}),
            ),
            (
                r#"{"a": "The "best" parks", "b": "He said "yes", then left", "c": 1}"#,
                json!({"a": "The \"best\" parks", "b": "He said \"yes\", then left", "c": 1}),
            ),
            (
                r#"{"a": [1, 2,], "b": , "c": {"d": true,},}"#,
                json!({"a": [1, 2], "b": "\u{fffd}", "c": {"d": true}}),
            ),
            ("{\"a\": \"x\"\n\"b\": 2024-05-06 10:00, c: 3}", json!({"a": "x", "b": "\u{fffd}", "c": 3})),
        ];
        for (text, expected) in table {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_marked() {
        let deep = format!("{{\"a\": {}1{}, \"b\": 2}}", "[".repeat(5_000), "]".repeat(5_000));
        let read = read(&deep);
        assert_eq!(read["b"], 2);
        assert!(read.to_string().contains(MARK));
    }

    #[test]
    fn sound_json_stays_what_it_is_and_half_a_file_stays_half() {
        let sound = r#"[{"a": "ä\u00e9\n", "b": [1.5e3, null, {}], "c": ""}]"#;
        assert_eq!(read(sound), serde_json::from_str::<Value>(sound).expect("sound"));
        for half in [r#"{"dataset": [{"title": "A""#, r#"{"dataset": [{]}"#, r#"{"a": 1} {"b": 2}"#, "<html>"]
        {
            assert!(serde_json::from_str::<Value>(&repaired(half)).is_err(), "{half}");
        }
    }
}
