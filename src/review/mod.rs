//! Review: what to do next, decisions on incidents, what was set aside, and what is erased.
//!
//! `queue` lists what waits, most urgent first. `decisions` is the only way an incident changes while its reports last,
//! `erasure` the way one of them goes, `merging` the way several become one; `quarantine` shows content whose id was taken and takes the reviewer's word on it.

pub mod decisions;
pub mod erasure;
pub mod http;
pub mod merging;
pub mod quarantine;
pub mod queue;
