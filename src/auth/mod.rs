//! Who a request acts as and what it may see.
//!
//! A request brings a bearer token; `store` finds whom it belongs to, `http` refuses it or hands the handler an
//! [`http::Access`], which names the action in its type, and `policy::visible` turns action and grants into the
//! countries every query is limited to. No handler builds a country clause of its own.
//!
//! Invariant: grants are read on every request, so one that was removed bites on the next.

pub mod accounts;
pub mod credential;
pub mod http;
pub mod invitations;
pub mod passwords;
pub mod policy;
pub mod rates;
pub mod sessions;
pub mod store;
pub mod types;
