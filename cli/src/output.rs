//! How things look: tables, JSON, times, colour; and what keeps foreign text from driving the terminal.
//!
//! Every text that came over the network passes [`one_line`] or [`paragraph`] before it reaches a screen: a
//! record may be signed by an honest key and still carry an escape sequence. JSON escapes the same characters
//! in its own way, so that it stays the same value.

use std::{borrow::Cow, ffi::OsString, fmt::Write as _};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table as Grid, presets};
use jiff::Timestamp;
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use crate::{args::ColorChoice, stdio::Stdio};

/// The version of the JSON contract.
pub(crate) const API_VERSION: &str = "wego/v1";
/// Columns assumed of a screen that does not tell.
const SCREEN_COLUMNS: u16 = 100;

/// Whether colour may be used on each stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    pub(crate) out: bool,
    pub(crate) err: bool,
}

impl Paint {
    /// From the flag, wherever it stands, and the environment. Needed before the command line is parsed,
    /// because its errors are painted too.
    pub(crate) fn guess(args: &[OsString], stdio: &Stdio) -> Self {
        let text: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
        let flag = text.iter().enumerate().find_map(|(at, arg)| match arg.strip_prefix("--color") {
            Some("") => text.get(at + 1).copied(),
            Some(value) => value.strip_prefix('='),
            None => None,
        });
        match flag {
            Some("always") => Self::of(ColorChoice::Always, stdio),
            Some("never") => Self::of(ColorChoice::Never, stdio),
            _ => Self::of(ColorChoice::Auto, stdio),
        }
    }

    fn of(choice: ColorChoice, stdio: &Stdio) -> Self {
        match choice {
            ColorChoice::Always => Self { out: true, err: true },
            ColorChoice::Never => Self { out: false, err: false },
            ColorChoice::Auto => {
                let dumb = stdio.env_text("TERM").as_deref() == Some("dumb");
                let wanted = stdio.env_text("NO_COLOR").is_none() && !dumb;
                Self { out: wanted && stdio.out_is_tty, err: wanted && stdio.err_is_tty }
            }
        }
    }
}

/// ANSI styles in use. None is needed to understand the text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    Error,
    Warning,
    Good,
    Hint,
}

impl Style {
    pub(crate) fn on(self, text: &str, painted: bool) -> Cow<'_, str> {
        if !painted {
            return Cow::Borrowed(text);
        }
        let code = match self {
            Self::Error => "1;31",
            Self::Warning => "1;33",
            Self::Good => "1;32",
            Self::Hint => "1;36",
        };
        Cow::Owned(format!("\x1b[{code}m{text}\x1b[0m"))
    }
}

/// Text for a table cell or one line: every character that could move, hide or turn text is spelled out.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    escape(text, drives_a_terminal)
}

/// Text of several lines: as [`one_line`], line breaks kept.
pub(crate) fn paragraph(text: &str) -> Cow<'_, str> {
    escape(text, |c| c != '\n' && drives_a_terminal(c))
}

fn escape(text: &str, unsafe_in: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&unsafe_in) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if unsafe_in(c) {
            // Writing to a String cannot fail.
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Control characters of both sets, bidirectional controls, line separators, tags and other invisible formatting.
fn drives_a_terminal(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{206a}'..='\u{206f}' | '\u{e0000}'..='\u{e007f}')
}

/// Columns of text, aligned by display width, without borders.
#[derive(Debug)]
pub(crate) struct Table {
    grid: Grid,
}

impl Table {
    pub(crate) fn new(header: &[&str]) -> Self {
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING).set_header(header.iter().copied());
        Self { grid }
    }

    /// A list of names and values.
    pub(crate) fn pairs() -> Self {
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING);
        Self { grid }
    }

    /// Adds a row; each cell is made safe here.
    pub(crate) fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let cells = cells.into_iter().map(|cell| Cell::new(one_line(cell.as_ref())));
        self.grid.add_row(cells.collect::<Vec<_>>());
    }

    pub(crate) fn align_right(&mut self, column: usize) {
        if let Some(column) = self.grid.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.grid.row_iter().next().is_none()
    }

    /// The table as lines. A screen wraps long cells in their columns; a file gets one line a row.
    pub(crate) fn render(mut self, screen: Option<u16>) -> String {
        if let Some(columns) = screen {
            self.grid.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns);
        }
        for column in self.grid.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let mut text = String::new();
        for line in self.grid.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Columns of the screen that data goes to; none when it goes to a file or pipe.
pub(crate) fn screen_columns(stdio: &Stdio) -> Option<u16> {
    let told = || stdio.env_text("COLUMNS").and_then(|columns| columns.parse().ok()).filter(|c| *c >= 40);
    stdio.out_is_tty.then(|| told().unwrap_or(SCREEN_COLUMNS))
}

/// Cuts `text` to `columns` of display width.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut short = String::new();
    for c in text.chars() {
        if short.width() + unicode_width::UnicodeWidthChar::width(c).unwrap_or(0) + 1 > columns {
            break;
        }
        short.push(c);
    }
    short.trim_end().to_owned() + "…"
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    #[serde(flatten)]
    body: &'a T,
}

/// `body`, a struct, as versioned JSON. Characters that could drive a terminal are escaped, the values are not
/// changed by it.
///
/// # Errors
/// When `body` is no struct or map.
pub(crate) fn json(body: &impl Serialize) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string_pretty(&Envelope { api_version: API_VERSION, body })?;
    if !text.chars().any(|c| c != '\n' && drives_a_terminal(c)) {
        return Ok(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if c != '\n' && drives_a_terminal(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    Ok(safe)
}

/// Milliseconds since 1970 as RFC 3339 in UTC; 0 and times out of range are none.
pub(crate) fn rfc3339(ms: u64) -> Option<String> {
    let ms = i64::try_from(ms).ok().filter(|ms| *ms != 0)?;
    // Always with three digits: columns keep their width.
    Timestamp::from_millisecond(ms).ok().map(|time| format!("{time:.3}"))
}

/// How long ago, in words; 0 is never.
pub(crate) fn ago(now_ms: u64, then_ms: u64) -> String {
    if then_ms == 0 {
        return "never".to_owned();
    }
    if then_ms > now_ms.saturating_add(1_000) {
        return format!("in {}", span(then_ms - now_ms));
    }
    match span(now_ms.saturating_sub(then_ms)).as_str() {
        "0 s" => "just now".to_owned(),
        span => format!("{span} ago"),
    }
}

fn span(ms: u64) -> String {
    let s = ms / 1_000;
    match s {
        0..120 => format!("{s} s"),
        120..7_200 => format!("{} min", s / 60),
        7_200..172_800 => format!("{} h", s / 3_600),
        172_800..63_072_000 => format!("{} d", s / 86_400),
        _ => format!("{} years", s / 31_536_000),
    }
}

/// Bytes in words.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut scaled = bytes;
    while scaled >= 10_240 && unit + 1 < UNITS.len() {
        scaled /= 1_024;
        unit += 1;
    }
    format!("{scaled} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLE_ATTACK: &str = "\x1b]0;pwn\x07parks";
    const TURNED: &str = "safe\u{202e}gpj.exe";

    #[test]
    fn foreign_text_cannot_drive_the_terminal() {
        assert_eq!(one_line(TITLE_ATTACK), "\\u{1b}]0;pwn\\u{7}parks");
        assert_eq!(one_line(TURNED), "safe\\u{202e}gpj.exe");
        assert_eq!(one_line("a\nb\u{9b}2J"), "a\\u{a}b\\u{9b}2J");
        assert_eq!(paragraph("a\nb\u{7f}"), "a\nb\\u{7f}");
        assert_eq!(one_line("서울 🏙️ نص"), "서울 🏙️ نص");
    }

    #[test]
    fn json_is_safe_on_a_screen_and_keeps_its_values() {
        #[derive(Serialize)]
        struct Body {
            title: String,
        }
        let title = format!("{TITLE_ATTACK}{TURNED}\u{9b}\u{e0041}");
        let text = json(&Body { title: title.clone() }).expect("a struct");
        assert!(!text.chars().any(|c| c != '\n' && drives_a_terminal(c)), "{text}");
        let back: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(back["title"], title);
        assert_eq!(back["apiVersion"], "wego/v1");
    }

    #[test]
    fn columns_line_up_under_wide_letters() {
        let mut table = Table::new(&["CITY", "KIND"]);
        table.row(["서울", "practice"]);
        table.row(["Dakar", TITLE_ATTACK]);
        table.row(["北京市政府", "dataset"]);
        let text = table.render(None);
        let starts: Vec<usize> = text
            .lines()
            .zip(["KIND", "practice", "\\u{1b}", "dataset"])
            .map(|(line, word)| line[..line.find(word).expect(word)].width())
            .collect();
        assert_eq!(starts, [12; 4], "{text}");
    }

    #[test]
    fn times_read_as_a_person_would_say_them() {
        assert_eq!(ago(1_000_000, 0), "never");
        assert_eq!(ago(1_000_000, 999_900), "just now");
        assert_eq!(ago(200_000_000, 20_000_000), "2 d ago");
        assert_eq!(ago(1_000_000, 1_300_000), "in 5 min");
        assert_eq!(rfc3339(1_284_076_800_000).as_deref(), Some("2010-09-10T00:00:00.000Z"));
        assert_eq!(rfc3339(u64::MAX), None);
    }

    #[test]
    fn a_cut_counts_columns_and_not_letters() {
        assert_eq!(cut("서울특별시", 7), "서울특…");
        assert_eq!(cut("parks", 7), "parks");
    }
}
