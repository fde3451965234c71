//! The life of the instance key: changed while servers run, written down on paper, and what is erased with a data key.
//!
//! It knows where keys lie and which of them wraps what; what a key does to bytes is `crate::seal`, and what was sealed
//! is never opened here. Start reading at [`rotation`].

pub mod files;
pub mod opening;
pub mod paper;
pub mod rotation;
pub mod store;
