//! CQL2 text: a filter as people and maps write it, read into an [`expression::Expression`].
//!
//! It knows no rows: whoever has some says what a property of a row is. What is read: comparisons, `AND`, `OR`, `NOT`, `IS
//! NULL`, `LIKE`, `BETWEEN`, `IN`, `CASEI`, and `S_INTERSECTS` with any geometry of WKT or a `BBOX`.
//!
//! # Source
//! OGC 21-065r2, *Common Query Language (CQL2)* 1.0: conformance classes basic-cql2, advanced-comparison-operators,
//! case-insensitive-comparison and basic-spatial-functions.

pub mod expression;
pub mod fault;
pub mod like;
pub mod parser;
#[cfg(test)]
mod tests;
mod tokens;
pub(crate) mod wkt;
