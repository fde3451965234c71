//! Who a request acts as and what it may see.
//!
//! A request brings a bearer token or a session; `store` finds whom it belongs to, `http` refuses it or hands the handler
//! an [`http::Access`], which names the action in its type, and `policy::visible` turns action and grants into the
//! countries every query is limited to. No handler builds a country clause of its own.
//!
//! Sessions begin in `sign_in`, which says why it does what it does in that order; a password comes from a link
//! (`invitations`), the first coordinator's from `setup`.
//!
//! Invariant: grants are read on every request, so one that was removed bites on the next.

pub mod account;
pub mod account_http;
pub mod accounts;
pub mod cookies;
pub mod credential;
pub mod csrf;
pub mod guesses;
pub mod http;
pub mod invitations;
pub mod known;
pub mod links_http;
pub mod passwords;
pub mod policy;
pub mod rates;
pub mod second_factor;
pub mod sessions;
pub mod sessions_http;
pub mod setup;
pub mod sign_in;
pub mod store;
pub mod submitters;
pub mod tokens;
pub mod totp;
pub mod types;
