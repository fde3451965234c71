//! The story of an incident: everything that was done to it and to its reports, in order, and how it stood at each version.
//!
//! `events` gathers what happened from the tables that keep it, one page at a time; `details` looks up what a page needs
//! beside that, `pairs` what was said of two of them, `people` who did it, as far as the caller may know them, `changes` what
//! became of which field; `view` puts it into words, `http` answers. `state` shows an earlier state. Of an incident that took
//! others the story is that of all of them; that of an absorbed one ends with where it went.

pub mod changes;
pub mod details;
pub mod events;
pub mod http;
pub mod pairs;
pub mod people;
pub mod state;
pub mod view;
