//! Phones: write-only keys, each with a name, a country, and where known a person and an organisation.
//!
//! A key is shown once, with the code that sets ODK Collect up (`settings`); it may send reports and read receipts and
//! nothing else. A phone is managed by whoever manages phones in its country.

pub mod acts;
pub mod http;
pub mod settings;
pub mod store;
