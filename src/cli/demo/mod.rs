//! What `sentinelle demo` shows: reports that are invented and say so.
//!
//! Start with [`invent::invent`], which makes the same reports from the same seed. The texts stand in
//! `data/narratives.csv`; they name no real person, company, place or event. Only `run` knows a database and a server.

pub mod invent;
#[cfg(test)]
mod invent_tests;
mod invented_body;
pub mod narratives;
mod random;
pub mod run;
