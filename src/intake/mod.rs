//! The one path by which a report comes in, whatever channel brought it.
//!
//! `body` is what clients send; `validate` makes a `types::NewReport` of it or says what is wrong; `prepare` places it,
//! screens it and seals it; `store` writes report, incident, facts and sealed parts in one transaction and recognises
//! what it has seen before. `http` and `ndjson` are the JSON channel; `classify` suggests categories. `revisions` takes in
//! corrections, and `own` finds a report for its sender alone.
//!
//! Invariant: nothing is acknowledged before its commit is durable. Invariant: the text of a report leaves this folder
//! sealed.

pub mod body;
pub mod classify;
pub mod fields;
pub mod http;
pub mod ndjson;
pub mod occurred;
pub mod own;
pub mod places;
pub mod prepare;
pub mod receipt;
pub mod revisions;
pub mod store;
pub mod types;
pub mod validate;
