//! People: who there is, with which grants, in which organisation; inviting, disabling, handing over.
//!
//! A name is sealed and shown to those alone who may manage the person. `rules` decides who may change whom, `acts` does
//! it in one transaction, `person` is somebody with their grants, `store` keeps the rows, `view` shows them.

pub mod acts;
pub mod http;
pub mod person;
pub mod rules;
pub mod store;
pub mod view;
