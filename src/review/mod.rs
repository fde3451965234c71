//! Review: decisions on incidents, and what was set aside.
//!
//! `decisions` is the only way an incident changes; `quarantine` shows content whose id was taken and takes the
//! reviewer's word on it.

pub mod decisions;
pub mod http;
pub mod quarantine;
