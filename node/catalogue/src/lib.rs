//! The rules of meaning: what each kind of record requires, and what is folded from records.
//!
//! Pure: the same records give the same answers at every node, at any time, in any order of arrival. This crate
//! must never learn how records travel, who may write them, or what time it is.
//!
//! | module | question |
//! |---|---|
//! | [`kind`] | which kinds are there, and how are they written |
//! | [`word`] | what are the stages called |
//! | [`adoption`] | who uses a practice, at which stage, and through whom |
//! | [`counting`] | what counts of what members sign about the records of others |
//! | [`text`] | what can be found and listed of a record |
//! | [`validate`] | what does each kind require before it is signed; bounds in [`limits`] |
//! | [`vocabulary`] | which codes exist, and what are they called in eight languages |

pub mod adoption;
pub mod counting;
pub mod kind;
pub mod limits;
pub mod text;
pub mod validate;
pub mod vocabulary;
pub mod word;

pub use kind::{Decoded, decode, encode, kind_of};
pub use text::{Searchable, Source};
pub use validate::{Checked, Fault, FieldProblem, Warning};
