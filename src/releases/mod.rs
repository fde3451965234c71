//! Releases: the only figures that everybody sees, and how they come about.
//!
//! A release is a fixed partition of incidents ([`partition`]), each part with one figure that is nothing or enough; every
//! public answer is a sum of whole parts, so that no two answers subtract to a small one. A coordinator builds a draft
//! ([`build`]), another approves it ([`acts`]); from then on nobody changes it. It is answered from its own tables
//! ([`store`], [`shelf`]) by [`public`], which knows no incident. Start reading at [`partition::divide`].

pub mod acts;
pub mod axis;
pub mod build;
pub mod facts;
pub mod file;
pub mod http;
pub mod partition;
pub mod period;
pub mod public;
pub mod routes;
pub mod shelf;
pub mod store;
pub mod types;
pub mod view;
