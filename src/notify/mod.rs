//! Tells others of changes: a feed that copies are kept by, webhooks, and mail to whoever reviews.
//!
//! Everything here is read from `changes`, after the commit, and never written by a handler that changes an incident: so
//! nothing is told that was rolled back, nothing is lost when a process dies, and taking a report in waits for none of
//! it. It knows of incidents what lists show, and no word of a report. Start at [`changes`], then
//! [`webhooks::outbox`].

pub mod address;
pub mod changes;
pub mod gate;
pub mod http;
pub mod mail;
pub mod notices;
pub mod notices_http;
pub mod notifier;
pub mod webhooks;
pub mod worker;
