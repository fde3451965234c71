//! Webhooks: changes sent to an address that a person keeps, for as long as that person may see them.
//!
//! Address and secret are sealed. What is sent holds ids and codes alone, and is written down once, when it goes into the
//! outbox: every try sends the same bytes. Start at [`outbox`] for how nothing is lost or told twice as two events.

pub mod acts;
pub mod http;
pub mod outbox;
pub mod sender;
pub mod store;
