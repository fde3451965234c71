//! Counts incidents from facts held in columns in memory: any filter, any grouping, one pass.
//!
//! The engine is pure: it knows no database, no HTTP, no clock and no geometry. Whoever owns it feeds
//! [`columns::Columns`] with facts in the order of their ids and answers with what comes out.
//!
//! Start reading at [`query`] (what may be asked), then [`columns`] (what is held), `plan` (which rows
//! count), `group` (into which cells), `scan` and `sums` (the pass) and [`answer`] (what is said). [`queue`] is another
//! pass over the same rows, most urgent first.

pub mod answer;
pub mod candidates;
pub mod cells;
pub mod columns;
pub mod country;
pub mod csv;
pub(crate) mod dictionary;
pub mod etag;
pub mod filter_parser;
#[cfg(test)]
pub(crate) mod fixture;
mod group;
pub mod http;
pub mod live;
pub mod parts;
mod plan;
pub mod query;
pub mod queue;
pub mod reference;
mod scan;
pub mod store;
mod sums;
#[cfg(test)]
mod tests_march;
#[cfg(test)]
mod tests_recount;
pub(crate) mod values;
