//! Releases: what everybody sees.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod briefs;
mod commands;
mod figures;
mod making;
mod public;
pub(crate) mod stage;
