//! Organisations of the coalition.

pub mod http;
pub mod store;
