//! The grade of a report or an incident, as it is kept and shown to those who may open reports.

use std::collections::{BTreeMap, HashMap};

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::dialect::DbConn;
use crate::db::schema::{incident_overrides, report_grades, reports};
use crate::error::{Error, Result};
use crate::ids::ReportId;

/// The override that holds the assessed grade of an incident.
pub const GRADE: &str = "grade";

/// How far a source is trusted and what it says is believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AssessedGrade)]
pub struct Grade {
    /// `source_reliability` code, A to F.
    #[schema(example = "B")]
    pub source_reliability: String,
    /// `info_credibility` code, 1 to 6.
    #[schema(example = 2)]
    pub info_credibility: i16,
}

/// Returns the assessed grades of incidents, by row id; those of none are left out.
///
/// # Errors
/// When the database fails or a row is damaged.
pub fn list_grades(conn: &mut DbConn, incidents: &[i64]) -> Result<BTreeMap<i64, Grade>> {
    let rows: Vec<(i64, String)> = incident_overrides::table
        .filter(incident_overrides::incident_id.eq_any(incidents.to_vec()))
        .filter(incident_overrides::field.eq(GRADE))
        .select((incident_overrides::incident_id, incident_overrides::value))
        .load(conn)?;
    let read = |(incident, value): (i64, String)| {
        Ok((incident, serde_json::from_str(&value).map_err(Error::internal)?))
    };
    rows.into_iter().map(read).collect()
}

/// Returns the grades of reports; those of none are left out.
///
/// # Errors
/// When the database fails.
pub fn list_report_grades(conn: &mut DbConn, ids: &[ReportId]) -> Result<HashMap<ReportId, Grade>> {
    let rows: Vec<(ReportId, String, i16)> = report_grades::table
        .inner_join(reports::table)
        .filter(reports::uuid.eq_any(ids.to_vec()))
        .select((reports::uuid, report_grades::source_reliability, report_grades::info_credibility))
        .load(conn)?;
    let read = |(id, source_reliability, info_credibility)| {
        (id, Grade { source_reliability, info_credibility })
    };
    Ok(rows.into_iter().map(read).collect())
}
