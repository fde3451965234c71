//! Review: what to do next and who does it, decisions on incidents, what was set aside, and what is erased.
//!
//! `queue` lists what waits, most urgent first, `next` gives the first of it to whoever asks, `claims` and `assignments` say
//! who works on what (`moves` keeps how that changed), `reviewers` counts it by person. `decisions` is the only way an
//! incident changes while its reports last: `decision_body` is what is sent, `corrections` and `grades` what is said of
//! fields and reports, `sources` who stands behind them; `comparison` shows both sides, `history` how it came to be so.
//! `duplicates` finds what is likely one, `merging` makes several incidents one and undoes it, `messages` asks senders back
//! and takes their answers, `flood` takes many at once and back, `erasure` is the way a report goes, `withdrawal` the way its
//! sender takes it back; `quarantine` shows content whose id was taken and takes the reviewer's word on it.

pub mod assignments;
pub mod claims;
pub mod comparison;
pub mod correction;
pub mod corrections;
pub mod decision_body;
pub mod decisions;
pub mod duplicates;
pub mod erasure;
pub mod flood;
pub mod grades;
pub mod history;
pub mod http;
pub mod merging;
pub mod messages;
pub mod moves;
pub mod next;
pub mod quarantine;
pub mod queue;
pub mod reviewers;
pub mod sources;
pub mod withdrawal;
