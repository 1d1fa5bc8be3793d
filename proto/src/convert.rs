//! From received messages to checked values, at the door. Every error names the field.

use thiserror::Error;

use crate::{
    id::{IdError, Position, SEQ_END},
    key::KeyError,
    v1,
};

/// A field of a received message that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{field}: {problem}")]
pub struct FieldError {
    /// Path of the field within the message.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What can be wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// Nothing where something must be.
    #[error("is missing")]
    Missing,
    /// Something where nothing may be.
    #[error("must not be given here")]
    Unexpected,
    /// Too long, too many or too large.
    #[error("is over the limit of {max}")]
    TooLarge {
        /// The limit.
        max: u64,
    },
    /// A number or text outside its range.
    #[error("must be {expected}")]
    OutOfRange {
        /// What it must be.
        expected: &'static str,
    },
    /// The bytes are no protobuf message of this type.
    #[error("cannot be decoded")]
    Undecodable,
    /// Bytes that are not the id they should be.
    #[error(transparent)]
    Id(#[from] IdError),
    /// Bytes that are not a usable key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Attaches the field's name to an error about its value.
pub trait InField<T> {
    /// `self`, its error naming `field`.
    ///
    /// # Errors
    /// The error of `self`, as a [`FieldError`].
    fn in_field(self, field: &'static str) -> Result<T, FieldError>;
}

impl<T, E: Into<Problem>> InField<T> for Result<T, E> {
    fn in_field(self, field: &'static str) -> Result<T, FieldError> {
        self.map_err(|problem| FieldError { field, problem: problem.into() })
    }
}

impl<T> InField<T> for Option<T> {
    fn in_field(self, field: &'static str) -> Result<T, FieldError> {
        self.ok_or(FieldError { field, problem: Problem::Missing })
    }
}

/// Refuses a length over `max`.
///
/// # Errors
/// [`Problem::TooLarge`].
pub fn at_most(field: &'static str, len: usize, max: usize) -> Result<(), FieldError> {
    if len > max {
        return Err(FieldError { field, problem: Problem::TooLarge { max: max as u64 } });
    }
    Ok(())
}

/// Bytes that may be left out.
///
/// # Errors
/// Those of the conversion, when there are bytes.
pub fn optional<'a, T>(bytes: &'a [u8]) -> Result<Option<T>, T::Error>
where
    T: TryFrom<&'a [u8]>,
{
    if bytes.is_empty() { Ok(None) } else { T::try_from(bytes).map(Some) }
}

impl TryFrom<v1::Position> for Position {
    type Error = Problem;
    fn try_from(position: v1::Position) -> Result<Self, Problem> {
        if position.epoch == 0 {
            return Err(Problem::OutOfRange { expected: "an epoch from 1" });
        }
        if position.seq == 0 || position.seq >= SEQ_END {
            return Err(Problem::OutOfRange { expected: "a seq from 1 and below 2^53" });
        }
        Ok(Self { epoch: position.epoch, seq: position.seq })
    }
}

impl From<Position> for v1::Position {
    fn from(position: Position) -> Self {
        Self { epoch: position.epoch, seq: position.seq }
    }
}
