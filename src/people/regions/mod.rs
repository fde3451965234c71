//! Regions: sets of countries by a code, edited by coordinators, read by grants, filters and counts.
//!
//! A grant asks the database for its countries on each request. Filters and groupings read the copy in `context.rs`,
//! which the server that edits renews at once and every other within a second.

pub mod http;
pub mod store;
pub mod types;
