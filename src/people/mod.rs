//! The coalition as data: organisations, regions, people with what they may do where, their phones and tokens.
//!
//! Who may give what to whom is told by `auth::policy`; this slice keeps the rows and the rules that need them: an
//! organisation's name is its own, a region in use stays, a coordinator is always left. Names of people and phones are
//! sealed; they are opened here alone, for those who may manage the person or the phone.
//!
//! Invariant: whatever changes regions or grants first takes [`lock::hold`], so that two servers decide one after the
//! other.

pub mod caller;
pub mod commands;
pub mod devices;
pub mod grants;
pub mod input;
pub mod lock;
pub mod organisations;
pub mod regions;
pub mod tokens;
pub mod users;
