//! Boundary packs: imported areas in the place of built-in ones. Knows no HTTP.

pub mod store;
