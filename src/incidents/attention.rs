//! Flags that say what a decision rests on has changed since, or that an answer came. They stand with the reports of the incident, and its next
//! decision lowers them.

use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};

use crate::db::dialect::DbConn;
use crate::db::schema::{decisions, reports};
use crate::error::Result;
use crate::incidents::changing::{Moment, ReportChange, keep_report};
use crate::incidents::rules::{ANSWERED, REPORT_WITHDRAWN, REVISED_AFTER_DECISION};
use crate::incidents::store::split_codes;

/// The flags that the next decision lowers.
const WAITING: [&str; 3] = [REVISED_AFTER_DECISION, REPORT_WITHDRAWN, ANSWERED];

/// Tells whether a reviewer has decided anything of the incident.
///
/// # Errors
/// When the database fails.
pub fn is_decided(conn: &mut DbConn, incident: i64) -> QueryResult<bool> {
    let of_person = decisions::decided_by.is_not_null();
    diesel::select(diesel::dsl::exists(
        decisions::table
            .filter(decisions::incident_id.eq(incident))
            .filter(of_person.or(decisions::from_status.ne(decisions::to_status))),
    ))
    .get_result(conn)
}

/// Raises `flag` on a report of the incident whose `moment` it is, by its row id.
///
/// # Errors
/// When the database fails.
pub fn raise(conn: &mut DbConn, moment: Moment, report: i64, flag: &str) -> Result<()> {
    let mut flags: String = reports::table.find(report).select(reports::flags).first(conn)?;
    if split_codes(&flags).iter().any(|known| known == flag) {
        return Ok(());
    }
    keep_report(conn, report, moment, ReportChange::Flagged)?;
    if !flags.is_empty() {
        flags.push(' ');
    }
    flags.push_str(flag);
    diesel::update(reports::table.find(report)).set(reports::flags.eq(flags)).execute(conn)?;
    Ok(())
}

/// Lowers every waiting flag of an incident: somebody decides, having seen them.
///
/// # Errors
/// When the database fails.
pub fn lower_all(conn: &mut DbConn, moment: Moment) -> Result<()> {
    let rows: Vec<(i64, String)> = reports::table
        .filter(reports::incident_id.eq(moment.incident))
        .select((reports::id, reports::flags))
        .load(conn)?;
    for (report, flags) in rows {
        let mut kept = split_codes(&flags);
        kept.retain(|flag| !WAITING.contains(&flag.as_str()));
        let kept = kept.join(" ");
        if kept != flags {
            keep_report(conn, report, moment, ReportChange::Flagged)?;
            diesel::update(reports::table.find(report))
                .set(reports::flags.eq(kept))
                .execute(conn)?;
        }
    }
    Ok(())
}
