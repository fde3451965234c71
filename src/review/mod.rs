//! Review: what to do next, decisions on incidents, and what was set aside.
//!
//! `queue` lists what waits, most urgent first. `decisions` is the only way an incident changes; `quarantine` shows content whose id was taken and takes the
//! reviewer's word on it.

pub mod decisions;
pub mod http;
pub mod quarantine;
pub mod queue;
