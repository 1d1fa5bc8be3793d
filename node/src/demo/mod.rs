//! The demonstration: the founding cities as real nodes in one process on loopback, and the story they act.
//!
//! It tells nothing that was not measured or checked a moment before: a check that fails ends it with an error.

pub use self::{
    cities::Founder,
    error::{DemoError, ProfileError},
    run::{Options, run},
};

mod adoptions;
mod arrival;
mod cities;
mod client;
mod error;
mod federation;
pub mod founding;
mod narrator;
mod portal_page;
pub mod practices;
mod run;
mod story;
mod table;
