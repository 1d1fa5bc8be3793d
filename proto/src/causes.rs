//! Prints an error with its causes. Our texts never repeat their causes; where a library's do, they are told once.

use std::error::Error;

/// An error and its causes on one line, outermost first.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        // Some name themselves and say nothing, and some say what their cause says.
        if !text.ends_with(&said) && said != "transport error" {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::{fmt, io};

    use super::*;

    /// As libraries make them: its text ends in its cause's.
    #[derive(Debug)]
    struct Chatty(&'static str, io::Error);

    impl fmt::Display for Chatty {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Chatty {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.1)
        }
    }

    #[test]
    fn a_cause_is_told_once() {
        let cause = || io::Error::other("no route");
        assert_eq!(with_causes(&Chatty("dialling: no route", cause())), "dialling: no route");
        assert_eq!(with_causes(&Chatty("dialling", cause())), "dialling: no route");
    }
}
