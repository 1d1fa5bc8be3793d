//! The demonstration: the founding cities as real nodes in one process on loopback.

pub mod founding;
