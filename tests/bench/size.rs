//! How much is measured: the whole, or just enough to see that every measure still works.

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// What figures are read from.
    Full,
    /// Every row appears; its figures mean nothing.
    Quick,
}

impl Size {
    /// One of the two.
    pub(crate) fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Self::Full => full,
            Self::Quick => quick,
        }
    }
}
