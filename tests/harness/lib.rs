//! Shared by the tests: nothing else may use it.
