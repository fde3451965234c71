//! Grants: who holds which role where and when, and what they follow.
//!
//! `period` reads the days of one, `types` holds one with its state, `store` keeps them. A grant that ended stays: it
//! must be told a year later who could see what.

pub mod acts;
pub mod http;
pub mod period;
pub mod store;
pub mod types;
