//! The search projection, asserted through its answers.

mod corpus;
mod golden;
mod order;
mod projection;
mod queries;
