//! The HTTP toolkit: bodies in, problems out, pages, headers. Knows no slice.
//!
//! Start at [`frame`], which every request passes; [`body`] reads what clients send, [`problem`] says what went wrong.

pub mod body;
pub mod conditional;
pub mod counts;
pub mod frame;
pub mod headers;
pub mod page;
pub mod problem;
pub mod query;
pub mod reason;
pub mod shared_errors;
