//! Incidents: the facts of one, lists of them, and opening the reports they rest on.
//!
//! `types` and `facts` say what is known of an incident, `rules` derives it from its reports, `urgency` how soon it wants
//! to be looked at, `store` keeps it,
//! `filter` says which ones are meant, `http` lists and shows them. `opening` unseals a report for those who may, `reveal` shows
//! who its people are, `handling` who works on it, `target` by when, `relations` links incidents that belong together, `merged`
//! says what merges left. `days` reads a settled time or place on the clock of the place, `attention` flags what changed since
//! a decision, `changing` keeps what a report contributed before a change, from which `earlier` tells an incident as it was,
//! `consent` says what a release may hold.

pub mod attention;
pub mod changing;
pub mod consent;
pub mod days;
pub mod decider;
pub mod earlier;
pub mod facts;
pub mod filter;
pub mod grade;
pub mod handling;
pub mod http;
pub mod likely;
pub mod merged;
pub mod opening;
pub mod pairs;
pub mod relations;
pub mod reveal;
pub mod rules;
pub mod search;
pub mod selection;
pub mod store;
pub mod target;
pub mod types;
pub mod urgency;
pub mod view;
