//! Says on standard error what is being measured, so that nobody takes a long measure for a hung one.

use std::io::{Write as _, stderr};

/// Says it.
pub(crate) fn say(what: &str) {
    // Whoever closed standard error does not want to read it.
    let _ = writeln!(stderr().lock(), "{what}");
}
