//! A decision as it is sent, checked field by field.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::{Error, FieldError, Result};
use crate::http::reason::parse_reason;
use crate::ids::ReportId;
use crate::incidents::facts::Status;
use crate::incidents::grade::Grade;
use crate::intake::body::{CountBody, LocationBody};
use crate::intake::occurred::Occurred;
use crate::intake::validate::{
    Catalogues, validate_categories, validate_code, validate_codes, validate_harm,
    validate_location, validate_occurred,
};
use crate::review::correction::Correction;
use crate::review::corrections::Corrections;
use crate::review::grades::{GradeBody, ReportGradeBody, validate_grade, validate_report_grades};
use crate::taxonomy::lists::ListName;

/// A decision on an incident: a status, corrections of its fields, grades, or any of them together. A corrected field
/// beats the reports; `null` lets them speak again. The reports stay as they were sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Decision, example = json!({"status": "verified", "reason": "two witnesses agree"}))]
pub struct DecisionBody {
    /// `status` code.
    #[schema(example = "verified")]
    #[serde(default)]
    status: Option<String>,
    /// Why; sealed.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
    /// Confirmed leaf codes, primary first, in place of all there are.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 20)]
    categories: Correction<Vec<String>>,
    /// The settled place. The country that the point lies in, alone, keeps the point.
    #[serde(default)]
    #[schema(value_type = Option<LocationBody>)]
    location: Correction<LocationBody>,
    /// When it happened, as in a report; counted on the local day at the place.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "2024-03-05")]
    occurred: Correction<String>,
    /// People harmed, by `affected_count` code, in place of all that the reports state.
    #[serde(default)]
    #[schema(value_type = Option<BTreeMap<String, CountBody>>)]
    harm: Correction<BTreeMap<String, CountBody>>,
    /// `actor_type` codes, in place of all there are.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 50)]
    actors: Correction<Vec<String>>,
    /// 1 (minor) to 5 (extreme).
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 5)]
    severity: Correction<i64>,
    /// `mining_mode` code.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "artisanal")]
    mining_mode: Correction<String>,
    /// Whether it is only a test, which is counted nowhere.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    is_test: Correction<bool>,
    /// The assessed grade of the incident.
    #[serde(default)]
    #[schema(value_type = Option<GradeBody>)]
    grade: Correction<GradeBody>,
    /// Grades of its reports.
    #[serde(default)]
    #[schema(max_items = 200)]
    reports: Vec<ReportGradeBody>,
}

/// What a decision says, checked.
pub struct Decided {
    /// The new status; absent keeps it.
    pub status: Option<Status>,
    /// What is said of fields.
    pub corrections: Corrections,
    /// Grades of its reports.
    pub report_grades: Vec<(ReportId, Grade)>,
    /// Why.
    pub reason: String,
}

impl DecisionBody {
    /// Checks each field on its own.
    ///
    /// # Errors
    /// `InvalidFields`; also for a decision that decides nothing.
    pub fn check(self, catalogues: &Catalogues<'_>, now: DateTime<Utc>) -> Result<Decided> {
        let status = parse_status(self.status.as_deref())?;
        let checked_mode = self.mining_mode.try_map(|mode| {
            validate_code("/mining_mode", &mode, ListName::MiningMode, catalogues)?;
            Ok::<_, Error>(mode)
        });
        let checked_actors = self.actors.try_map(|actors| {
            validate_codes("/actors", &actors, ListName::ActorType, catalogues)?;
            Ok::<_, Error>(actors)
        });
        let corrections = Corrections {
            categories: self.categories.try_map(|codes| validate_categories(&codes, catalogues))?,
            place: self.location.try_map(|location| validate_location(location, catalogues))?,
            occurred: self.occurred.try_map(|told| read_occurred(told, catalogues, now))?,
            harm: self.harm.try_map(|harm| validate_harm(harm, catalogues))?,
            actors: checked_actors?,
            severity: self.severity.try_map(read_severity)?,
            mining_mode: checked_mode?,
            is_test: self.is_test,
            grade: self.grade.try_map(|grade| validate_grade(grade, catalogues))?,
        };
        let report_grades = validate_report_grades(self.reports, catalogues)?;
        if status.is_none() && corrections.is_empty() && report_grades.is_empty() {
            return Err(Error::invalid(vec![FieldError::new(
                "",
                "a decision changes the status, corrects a field or gives a grade",
                "une décision change le statut, corrige un champ ou donne une cote",
            )]));
        }
        let reason = parse_reason(&self.reason)?;
        Ok(Decided { status, corrections, report_grades, reason })
    }
}

fn parse_status(text: Option<&str>) -> Result<Option<Status>> {
    let Some(text) = text else { return Ok(None) };
    if let Some(status) = Status::parse(text) {
        return Ok(Some(status));
    }
    let known = Status::ALL.map(Status::as_str).join(", ");
    Err(Error::invalid(vec![FieldError::new(
        "/status",
        format!("a status is one of {known}"),
        format!("un statut est l'un de {known}"),
    )]))
}

/// A phone may have an absurd clock, which is flagged; a reviewer who corrects it has none.
fn read_occurred(
    told: String,
    catalogues: &Catalogues<'_>,
    now: DateTime<Utc>,
) -> Result<Occurred> {
    let told = validate_occurred(told, catalogues)?;
    let told = told.ok_or_else(|| Error::internal("a time that was sent is not there"))?;
    if told.is_implausible(now) {
        let shown = told.canonical();
        return Err(Error::invalid(vec![FieldError::new(
            "/occurred",
            format!("{shown} lies in the future, or before phones told the time"),
            format!("{shown} est dans le futur, ou d'avant l'heure des téléphones"),
        )]));
    }
    Ok(told)
}

fn read_severity(severity: i64) -> Result<u8> {
    let read = u8::try_from(severity).ok().filter(|severity| (1..=5).contains(severity));
    read.ok_or_else(|| {
        Error::invalid(vec![FieldError::new(
            "/severity",
            format!("severity {severity} is outside 1..=5"),
            format!("la gravité {severity} est hors de 1..=5"),
        )])
    })
}
