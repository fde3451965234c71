//! Makes several incidents one, and undoes it.
//!
//! A report keeps the incident it opened as its home for ever; `incident_id` says where it is now. `merge` moves all
//! reports of some incidents to another and marks those as merged into it; `split` sends reports home. What both do to
//! an incident (version, decision, audit entry, change) and the row of the operation itself stand in `store`; `rules`
//! says, without a database, what may become one and what becomes of a status.
//!
//! `merged_into` always names an incident that is not merged itself: where B absorbed C and is merged into A, both point
//! at A. So of a chain each report goes home alone, whatever it passed through: splitting C's report off A revives C, and
//! B stays merged.

pub mod http;
pub mod merge;
pub mod rules;
pub mod split;
pub mod store;
