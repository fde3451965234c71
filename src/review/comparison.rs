//! Side by side: what each report of an incident says of a field, what stands, and whether a reviewer set it. Codes, days
//! and areas only, so nothing is opened.

use std::collections::BTreeMap;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::aggregates::cells;
use crate::auth::http::{Access, OpenReport};
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::db::schema::{incident_overrides, reports};
use crate::error::{Error, Result};
use crate::http::conditional::version_tag;
use crate::http::query::Pairs;
use crate::ids::{Id, IncidentId, ReportId};
use crate::incidents::grade::{Grade, list_grades, list_report_grades};
use crate::incidents::rules::derive_facts;
use crate::incidents::store::{IncidentRow, find_incident, find_overrides, list_report_facts};
use crate::incidents::types::{Facts, Overrides, PlaceFacts, ReportFacts};
use crate::incidents::view::{HarmView, is_seen};
use crate::seal::veil::PlaceVeil;

/// The fields of an incident, side by side with what its reports say.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Comparison)]
pub struct ComparisonView {
    /// The incident.
    #[schema(value_type = uuid::Uuid)]
    incident: IncidentId,
    /// Its version; the `ETag` that a decision needs.
    version: i32,
    /// The assessed grade.
    grade: Option<Grade>,
    /// Its active reports, the one that place and date come from first.
    reports: Vec<ComparedReportView>,
    /// Every field that a reviewer can correct.
    fields: Vec<ComparedFieldView>,
}

/// A report beside the others.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ComparedReport)]
pub struct ComparedReportView {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    id: ReportId,
    /// From 1; a correction of its sender is a new one.
    revision: i32,
    /// `channel` code.
    channel: String,
    /// The day it came, UTC.
    received_on: NaiveDate,
    /// `consent` code, as told.
    consent: Option<String>,
    /// `source_reliability` code that its sender gave.
    told_reliability: Option<String>,
    /// The grade that a reviewer gave it.
    grade: Option<Grade>,
}

/// One field.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ComparedField)]
pub struct ComparedFieldView {
    /// As a decision names it.
    #[schema(example = "harm")]
    field: &'static str,
    /// A reviewer set it.
    is_corrected: bool,
    /// What stands and what some report says differ.
    differs: bool,
    /// What stands; its shape is that of the incident.
    stands: Value,
    /// What each report says, in their order.
    says: Vec<SaidView>,
}

/// What one report says of one field.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Said)]
pub struct SaidView {
    /// The report.
    #[schema(value_type = uuid::Uuid)]
    report: ReportId,
    /// What it says; of the shape of `stands`.
    value: Value,
    /// It is not what stands.
    differs: bool,
}

/// Compare an incident with its reports
///
/// Field by field: what each report says, what stands, and whether a reviewer set it. For reviewers and leads of its
/// country. Words and exact places open with each report, beside what was settled.
#[utoipa::path(
    get, path = "/v1/incidents/{id}/comparison", tag = "review", operation_id = "compare_incident",
    params(("id" = uuid::Uuid, Path, description = "The incident")),
    responses((status = 200, description = "Both sides", body = ComparisonView,
               headers(("ETag" = String, description = "The version of the incident"))))
)]
pub async fn compare_incident(
    access: Access<OpenReport>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: IncidentId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let (shared, scope) = (context.clone(), access.scope);
    let compared = context
        .db
        .read(move |conn| dialect::snapshot(conn, |conn| compare(conn, &shared, &scope, id)))
        .await?;
    let tag = version_tag(compared.version);
    Ok(HttpResponse::Ok().insert_header((header::ETAG, tag)).json(compared))
}

fn compare(
    conn: &mut DbConn,
    context: &Context,
    scope: &Scope,
    id: IncidentId,
) -> Result<ComparisonView> {
    let (incident, facts) = find_incident(conn, id)?.ok_or_else(Error::not_found)?;
    if !is_seen(scope, &context.geo(), &facts) {
        return Err(Error::not_found());
    }
    let said = list_report_facts(conn, incident.id)?;
    let rows = list_rows(conn, incident.id)?;
    let ids: Vec<ReportId> = rows.iter().map(|row| row.id).collect();
    let overrides = find_overrides(conn, incident.id)?;
    let corrected: Vec<String> = incident_overrides::table
        .filter(incident_overrides::incident_id.eq(incident.id))
        .select(incident_overrides::field)
        .load(conn)?;
    let fields = compare_fields(&said, &overrides, &ids, &corrected, &context.keys.place_veil())?;
    let grade = list_grades(conn, &[incident.id])?.remove(&incident.id);
    let reports = view_reports(conn, rows, said)?;
    let IncidentRow { version, .. } = incident;
    Ok(ComparisonView { incident: id, version, grade, reports, fields })
}

#[derive(diesel::Queryable)]
struct ReportRow {
    id: ReportId,
    revision: i32,
    received_at: NaiveDateTime,
}

/// Returns the active reports of an incident in the order of [`list_report_facts`].
fn list_rows(conn: &mut DbConn, incident: i64) -> Result<Vec<ReportRow>> {
    let rows = reports::table
        .filter(reports::incident_id.eq(incident))
        .filter(reports::state.eq("active"))
        .order((reports::home_incident_id.ne(incident).asc(), reports::id.asc()))
        .select((reports::uuid, reports::revision, reports::received_at))
        .load(conn)?;
    Ok(rows)
}

fn view_reports(
    conn: &mut DbConn,
    rows: Vec<ReportRow>,
    said: Vec<ReportFacts>,
) -> Result<Vec<ComparedReportView>> {
    let ids: Vec<ReportId> = rows.iter().map(|row| row.id).collect();
    let mut grades = list_report_grades(conn, &ids)?;
    let view = |(row, facts): (ReportRow, ReportFacts)| ComparedReportView {
        id: row.id,
        revision: row.revision,
        channel: facts.channel,
        received_on: row.received_at.date(),
        consent: facts.codes.consent,
        told_reliability: facts.codes.source_reliability,
        grade: grades.remove(&row.id),
    };
    Ok(rows.into_iter().zip(said).map(view).collect())
}

/// Sets what stands beside what each report would give alone.
fn compare_fields(
    said: &[ReportFacts],
    overrides: &Overrides,
    ids: &[ReportId],
    corrected: &[String],
    veil: &PlaceVeil,
) -> Result<Vec<ComparedFieldView>> {
    let Some(stands) = derive_facts(said, overrides) else {
        return Ok(Vec::new());
    };
    let mut alone = Vec::new();
    for (id, report) in ids.iter().zip(said) {
        let facts = derive_facts(std::slice::from_ref(report), &Overrides::default());
        let facts = facts.ok_or_else(|| Error::internal("a report gave no facts"))?;
        alone.push((*id, values_of(&facts, veil)?));
    }
    let view = |(at, (field, stands)): (usize, (&'static str, Value))| {
        let says: Vec<SaidView> = alone
            .iter()
            .filter_map(|(report, values)| {
                let (_, value) = values.get(at)?;
                let differs = *value != stands;
                Some(SaidView { report: *report, value: value.clone(), differs })
            })
            .collect();
        ComparedFieldView {
            field,
            is_corrected: corrected.iter().any(|name| name == field),
            differs: says.iter().any(|said| said.differs),
            stands,
            says,
        }
    };
    Ok(values_of(&stands, veil)?.into_iter().enumerate().map(view).collect())
}

/// Returns every field that can be corrected, as a decision names it, in the shape that an incident shows it.
fn values_of(facts: &Facts, veil: &PlaceVeil) -> Result<Vec<(&'static str, Value)>> {
    let categories: Vec<&str> =
        facts.categories.iter().map(|category| category.code.as_str()).collect();
    let occurred = facts.span.map(
        |span| json!({"first_day": span.first, "last_day": span.last, "precision": span.precision}),
    );
    Ok(vec![
        ("categories", json!(categories)),
        ("location", value_of_place(&facts.place, veil)?),
        ("occurred", json!(occurred)),
        ("harm", value_of_harm(facts)),
        ("actors", json!(facts.actors)),
        ("severity", json!(facts.severity)),
        ("mining_mode", json!(facts.mining_mode)),
        ("is_test", json!(facts.is_test)),
    ])
}

/// Returns a place in the shape that fields are compared in.
///
/// # Errors
/// When a veiled place is damaged.
pub(super) fn value_of_place(place: &PlaceFacts, veil: &PlaceVeil) -> Result<Value> {
    let cell = place.cell7_veiled.as_deref().map(|veiled| veil.unveil_cell(veiled)).transpose()?;
    let site = place.site_veiled.as_deref().map(|veiled| veil.unveil_site(veiled)).transpose()?;
    Ok(json!({
        "country": place.country,
        "country_computed": place.country_computed,
        "admin1": place.admin1,
        "admin2": place.admin2,
        "precision": place.geo_precision,
        "cell": cell.map(cells::format),
        "site": site,
        "site_distance": place.site_distance,
    }))
}

fn value_of_harm(facts: &Facts) -> Value {
    let column = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let mut measures: BTreeMap<&str, HarmView> = BTreeMap::new();
    for ((measure, sex_age), (min, max)) in &facts.harm {
        let of_measure = measures.entry(measure).or_default();
        let (min, max) = (column(*min), column(*max));
        if sex_age.is_empty() {
            (of_measure.min, of_measure.max) = (min, max);
        } else {
            of_measure.by.insert(sex_age.clone(), [min, max]);
        }
    }
    json!(measures)
}
