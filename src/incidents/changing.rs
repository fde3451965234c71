//! Keeps what a report contributed until a change, so that its incident can be told as it was at each version. Whoever
//! changes the row of a report calls this before.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};

use crate::db::dialect::DbConn;
use crate::db::schema::{report_changes, reports};
use crate::error::{Error, Result};
use crate::incidents::opening::ERASED;
use crate::incidents::store::find_report_facts;

/// A version of an incident as it comes to be.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Row id of the incident.
    pub incident: i64,
    /// The version that is made of it.
    pub version: i32,
    /// The server's clock.
    pub now: DateTime<Utc>,
}

/// What happens to a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportChange {
    /// Its sender corrected it.
    Revised,
    /// Its sender took it back.
    Withdrawn,
    /// It was erased.
    Erased,
    /// Its areas were computed anew.
    Retagged,
    /// A flag was raised or lowered.
    Flagged,
}

impl ReportChange {
    /// Returns its stored code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Revised => "revised",
            Self::Withdrawn => "withdrawn",
            Self::Erased => ERASED,
            Self::Retagged => "retagged",
            Self::Flagged => "flagged",
        }
    }
}

/// Keeps what a report, by its row id, contributes until now. Of several changes at one moment the first is kept.
///
/// # Errors
/// When the database fails or the row is damaged.
pub fn keep_report(
    conn: &mut DbConn,
    report: i64,
    moment: Moment,
    change: ReportChange,
) -> Result<()> {
    let kept: Option<i64> = report_changes::table
        .filter(report_changes::incident_id.eq(moment.incident))
        .filter(report_changes::version.eq(moment.version))
        .filter(report_changes::report_id.eq(report))
        .select(report_changes::id)
        .first(conn)
        .optional()?;
    if kept.is_some() {
        return Ok(());
    }
    let (revision, state): (i32, String) =
        reports::table.find(report).select((reports::revision, reports::state)).first(conn)?;
    let facts = if change == ReportChange::Erased || state == ERASED {
        None
    } else {
        let facts = find_report_facts(conn, report)?;
        Some(serde_json::to_string(&facts).map_err(Error::internal)?)
    };
    diesel::insert_into(report_changes::table)
        .values((
            report_changes::report_id.eq(report),
            report_changes::incident_id.eq(moment.incident),
            report_changes::version.eq(moment.version),
            report_changes::kind.eq(change.as_str()),
            report_changes::changed_at.eq(moment.now.naive_utc()),
            report_changes::revision.eq(revision),
            report_changes::state.eq(state),
            report_changes::facts.eq(facts),
        ))
        .execute(conn)?;
    Ok(())
}

/// Empties what was kept of a report that is erased; that it changed, and when, stays.
///
/// # Errors
/// When the database fails.
pub fn forget_report(conn: &mut DbConn, report: i64) -> QueryResult<()> {
    let kept = report_changes::table.filter(report_changes::report_id.eq(report));
    diesel::update(kept).set(report_changes::facts.eq(None::<String>)).execute(conn).map(drop)
}
