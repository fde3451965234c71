//! Grades: how far a source is trusted, A to F, and how far what it says is believed, 1 to 6; of each report, and one
//! assessed grade of the incident.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::dialect::DbConn;
use crate::db::schema::{report_grades, reports};
use crate::error::{Error, FieldError, Result};
use crate::ids::{Id, ReportId};
use crate::incidents::grade::Grade;
use crate::incidents::opening::ERASED;
use crate::incidents::store::keep_override;
use crate::intake::validate::{Catalogues, validate_code};
use crate::taxonomy::lists::ListName;

/// Most reports graded at once.
const MAX_REPORTS: usize = 200;

/// How far a source is trusted and what it says is believed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Grade, example = json!({"source_reliability": "B", "info_credibility": 2}))]
pub struct GradeBody {
    /// `source_reliability` code, A to F.
    source_reliability: String,
    /// `info_credibility` code, 1 to 6.
    #[schema(minimum = 1, maximum = 6)]
    info_credibility: i64,
}

/// The grade of one report.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportGrade)]
pub struct ReportGradeBody {
    /// A report of the incident.
    #[schema(value_type = uuid::Uuid)]
    id: String,
    /// `source_reliability` code, A to F.
    #[schema(example = "B")]
    source_reliability: String,
    /// `info_credibility` code, 1 to 6.
    #[schema(minimum = 1, maximum = 6)]
    info_credibility: i64,
}

/// Checks the grade of an incident.
///
/// # Errors
/// `InvalidFields`.
pub fn validate_grade(body: GradeBody, catalogues: &Catalogues<'_>) -> Result<Grade> {
    read_grade("/grade", body, catalogues)
}

/// Checks the grades of reports.
///
/// # Errors
/// `InvalidFields` for codes of no list, for ids that are none or come twice, and for too many.
pub fn validate_report_grades(
    bodies: Vec<ReportGradeBody>,
    catalogues: &Catalogues<'_>,
) -> Result<Vec<(ReportId, Grade)>> {
    if bodies.len() > MAX_REPORTS {
        return Err(Error::invalid(vec![FieldError::new(
            "/reports",
            format!("{} are too many: at most {MAX_REPORTS} are graded at once", bodies.len()),
            format!("{} sont de trop : {MAX_REPORTS} au plus sont cotés à la fois", bodies.len()),
        )]));
    }
    let mut grades: Vec<(ReportId, Grade)> = Vec::new();
    for (index, body) in bodies.into_iter().enumerate() {
        let pointer = format!("/reports/{index}");
        let id: ReportId = Id::parse(&body.id).ok_or_else(|| not_of_incident(index))?;
        if grades.iter().any(|(known, _)| *known == id) {
            return Err(Error::invalid(vec![FieldError::new(
                format!("{pointer}/id"),
                "this report is graded twice",
                "ce rapport est coté deux fois",
            )]));
        }
        let ReportGradeBody { id: _, source_reliability, info_credibility } = body;
        let grade = GradeBody { source_reliability, info_credibility };
        grades.push((id, read_grade(&pointer, grade, catalogues)?));
    }
    Ok(grades)
}

fn read_grade(pointer: &str, body: GradeBody, catalogues: &Catalogues<'_>) -> Result<Grade> {
    let GradeBody { source_reliability, info_credibility } = body;
    let at = format!("{pointer}/source_reliability");
    validate_code(&at, &source_reliability, ListName::SourceReliability, catalogues)?;
    let at = format!("{pointer}/info_credibility");
    validate_code(&at, &info_credibility.to_string(), ListName::InfoCredibility, catalogues)?;
    let info_credibility = i16::try_from(info_credibility).map_err(Error::internal)?;
    Ok(Grade { source_reliability, info_credibility })
}

/// Stores the grades of reports of an incident, at the version that the decision makes.
///
/// # Errors
/// `InvalidFields` for a report that is not one of the incident's; the database's failure.
pub fn store(
    conn: &mut DbConn,
    (incident, version): (i64, i32),
    grades: &[(ReportId, Grade)],
) -> Result<()> {
    for (index, (id, grade)) in grades.iter().enumerate() {
        let report = find_report(conn, incident, *id)?;
        let report = report.ok_or_else(|| not_of_incident(index))?;
        put(conn, report, grade)?;
        let value = serde_json::to_string(grade).map_err(Error::internal)?;
        keep_override(conn, (incident, version), &format!("grade/{id}"), Some(&value))?;
    }
    Ok(())
}

fn find_report(conn: &mut DbConn, incident: i64, id: ReportId) -> QueryResult<Option<i64>> {
    reports::table
        .filter(reports::uuid.eq(id))
        .filter(reports::incident_id.eq(incident))
        .filter(reports::state.ne(ERASED))
        .select(reports::id)
        .first(conn)
        .optional()
}

fn put(conn: &mut DbConn, report: i64, grade: &Grade) -> QueryResult<()> {
    diesel::delete(report_grades::table.find(report)).execute(conn)?;
    diesel::insert_into(report_grades::table)
        .values((
            report_grades::report_id.eq(report),
            report_grades::source_reliability.eq(&grade.source_reliability),
            report_grades::info_credibility.eq(grade.info_credibility),
        ))
        .execute(conn)?;
    Ok(())
}

fn not_of_incident(index: usize) -> Error {
    Error::invalid(vec![FieldError::new(
        format!("/reports/{index}/id"),
        "this is no report of this incident",
        "ce n'est pas un rapport de cet incident",
    )])
}
