//! Who opened or changed what, as opaque ids.
//!
//! An entry is written in the same transaction as the act it tells of, or before what it permits is shown.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, QueryResult, RunQueryDsl};

use crate::db::dialect::DbConn;
use crate::db::schema::audit_entries;
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
pub fn record<K: 'static>(
    conn: &mut DbConn,
    actor: Option<UserId>,
    act: Act,
    subject: Id<K>,
    detail: &str,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    let (action, kind) = act.columns();
    diesel::insert_into(audit_entries::table)
        .values((
            audit_entries::at.eq(now.naive_utc()),
            audit_entries::actor.eq(actor),
            audit_entries::action.eq(action),
            audit_entries::subject_kind.eq(kind),
            audit_entries::subject_id.eq(subject),
            audit_entries::detail.eq(detail),
        ))
        .execute(conn)
        .map(drop)
}
