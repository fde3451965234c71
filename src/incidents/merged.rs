//! What merges left: the incident that holds the reports of another, and those an incident absorbed.

use diesel::{ExpressionMethods, JoinOnDsl, QueryDsl, QueryResult, RunQueryDsl};
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::dialect::DbConn;
use crate::db::schema::{incidents, reports};
use crate::error::{Code, Error, Result};
use crate::ids::{IncidentId, ReportId};
use crate::incidents::opening::ERASED;
use crate::incidents::store::IncidentRow;

/// An incident that was merged into the one shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AbsorbedIncident)]
pub struct AbsorbedView {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    pub id: IncidentId,
    /// The reports that opened it and came along; splitting them off revives it. Erased ones are left out.
    #[schema(value_type = Vec<uuid::Uuid>)]
    pub reports: Vec<ReportId>,
}

/// Refuses an incident that was merged into another.
///
/// # Errors
/// `Merged`, which says into which one; the database's failure.
pub fn refuse_merged(conn: &mut DbConn, incident: &IncidentRow) -> Result<()> {
    let Some(into) = incident.merged_into else {
        return Ok(());
    };
    let into: IncidentId = incidents::table.find(into).select(incidents::uuid).first(conn)?;
    Err(Error::new(Code::Merged).with("merged_into", into.to_string().into()))
}

/// Returns the row ids of the incidents merged into any of `survivors`.
///
/// # Shape
/// Rising, each once.
///
/// # Errors
/// When the database fails.
pub fn list_absorbed_ids(conn: &mut DbConn, survivors: &[i64]) -> QueryResult<Vec<i64>> {
    let survivors: Vec<Option<i64>> = survivors.iter().copied().map(Some).collect();
    incidents::table
        .filter(incidents::merged_into.eq_any(survivors))
        .order(incidents::id)
        .select(incidents::id)
        .load(conn)
}

/// Returns the incidents merged into the one with row id `survivor`.
///
/// # Shape
/// In order of their arrival; the reports of each too.
///
/// # Errors
/// When the database fails.
pub fn list_absorbed(conn: &mut DbConn, survivor: i64) -> QueryResult<Vec<AbsorbedView>> {
    let absorbed: Vec<(i64, IncidentId)> = incidents::table
        .filter(incidents::merged_into.eq(Some(survivor)))
        .order(incidents::id)
        .select((incidents::id, incidents::uuid))
        .load(conn)?;
    if absorbed.is_empty() {
        return Ok(Vec::new());
    }
    let moved: Vec<(i64, ReportId)> = reports::table
        .inner_join(incidents::table.on(reports::home_incident_id.eq(incidents::id)))
        .filter(reports::incident_id.eq(survivor))
        .filter(reports::state.ne(ERASED))
        .order(reports::id)
        .select((incidents::id, reports::uuid))
        .load(conn)?;
    let reports_of = |home: i64| {
        moved.iter().filter(move |(other, _)| *other == home).map(|(_, report)| *report).collect()
    };
    Ok(absorbed
        .into_iter()
        .map(|(row, id)| AbsorbedView { id, reports: reports_of(row) })
        .collect())
}
