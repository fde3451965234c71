//! Exports: the same rows in every format, harmless in spreadsheets, coarse for outsiders, written down.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod columns;
mod files;
mod jobs;
pub(crate) mod leaving;
mod reading;
mod together;
