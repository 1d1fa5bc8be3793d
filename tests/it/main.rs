//! The system through its edges, one file a claim area.

mod tidy;
mod unit_file;
