//! Who opened or changed what, as opaque ids.
//!
//! An entry is written in the same transaction as the act it tells of, or before what it permits is shown.

use chrono::{DateTime, Utc};
use diesel::QueryResult;

use crate::db::dialect::{self, DbConn};
use crate::db::rows::{NewAuditRow, NewRows};
use crate::ids::{Id, UserId};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// A report came in; without an actor, so that the log never tells who reports.
    ReceivedReport,
    /// Content was set aside; without an actor.
    SetAside,
    /// A narrative and exact place were opened.
    OpenedReport,
    /// Content in quarantine was opened.
    OpenedQuarantined,
    /// An incident was decided on.
    Decided,
    /// Content in quarantine was judged.
    JudgedQuarantined,
    /// An account was made.
    AddedUser,
    /// A token was made; it skips the second factor.
    AddedToken,
    /// A device key was made.
    AddedDevice,
    /// Boundary packs were imported or removed.
    ChangedPacks,
    /// The areas of an incident were computed anew; without an actor.
    Retagged,
}

impl Act {
    /// Returns the act's code and the kind of thing it was done to.
    fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::ReceivedReport => ("received", "report"),
            Self::SetAside => ("set_aside", "quarantined"),
            Self::OpenedReport => ("opened", "report"),
            Self::OpenedQuarantined => ("opened", "quarantined"),
            Self::Decided => ("decided", "incident"),
            Self::JudgedQuarantined => ("judged", "quarantined"),
            Self::AddedUser => ("added", "user"),
            Self::AddedToken => ("added_token", "user"),
            Self::AddedDevice => ("added", "device"),
            Self::ChangedPacks => ("changed", "boundary_pack"),
            Self::Retagged => ("retagged", "incident"),
        }
    }
}

/// Writes that `actor` (nobody for commands on the server) did `act` to `subject`; `detail` holds codes only.
///
/// # Errors
/// When the database fails.
pub fn record<K>(
    conn: &mut DbConn,
    actor: Option<UserId>,
    act: Act,
    subject: Id<K>,
    detail: &str,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    let mut rows = NewRows::default();
    add_entry(&mut rows, actor, act, subject, detail, now);
    dialect::insert_rows(conn, &[&rows])
}

/// Adds the entry that [`record`] writes.
pub fn add_entry<K>(
    rows: &mut NewRows,
    actor: Option<UserId>,
    act: Act,
    subject: Id<K>,
    detail: &str,
    now: DateTime<Utc>,
) {
    let (action, subject_kind) = act.columns();
    rows.audit.push(NewAuditRow {
        at: now.naive_utc(),
        actor,
        action,
        subject_kind,
        subject_id: Id::from_uuid(subject.uuid()),
        detail: detail.to_owned(),
    });
}
