//! `GET /v1/incidents/{id}/history/{version}`: an incident as it was.

use actix_web::{HttpRequest, web};
use diesel::{QueryDsl, RunQueryDsl};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::http::{Access, ReadCore};
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::db::schema::incidents;
use crate::error::{Error, Result};
use crate::http::query::Pairs;
use crate::ids::{Id, IncidentId, ReportId};
use crate::incidents::earlier::{EarlierReport, find_earlier};
use crate::incidents::http::exact_scope;
use crate::incidents::store::find_incident;
use crate::incidents::view::{IncidentView, is_seen, view_derived};

/// An incident as it was at a version.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EarlierIncident)]
pub struct EarlierView {
    /// What reading it showed then, in the words and names of today.
    incident: IncidentView,
    /// The reports that belonged to it then, the one that place and date came from first.
    reports: Vec<EarlierReportView>,
    /// Whether nothing of it was erased since. Where something was, what that report said is missing from what is shown.
    is_complete: bool,
}

/// A report that belonged to it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EarlierReport)]
pub struct EarlierReportView {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    id: ReportId,
    /// Its revision then.
    revision: i32,
    /// `active` or `withdrawn` then; `erased` where it is by now.
    state: String,
}

impl From<EarlierReport> for EarlierReportView {
    fn from(report: EarlierReport) -> Self {
        let EarlierReport { id, revision, state, facts, .. } = report;
        let state = if facts.is_some() { state } else { "erased".to_owned() };
        Self { id, revision, state }
    }
}

/// Read an incident as it was
///
/// Its facts and status at an earlier version, derived as they were then: from the reports that belonged to it and what they
/// said by then, and what reviewers had said. Reports withdrawn since count as they counted; what was erased stays erased.
#[utoipa::path(
    get, path = "/v1/incidents/{id}/history/{version}", tag = "review", operation_id = "get_earlier_incident",
    params(
        ("id" = uuid::Uuid, Path, description = "The incident"),
        ("version" = i32, Path, description = "From 1 to its version now", minimum = 1),
    ),
    responses((status = 200, description = "As it was", body = EarlierView))
)]
pub async fn get_earlier_incident(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<web::Json<EarlierView>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let (id, version) = path.into_inner();
    let id: IncidentId = Id::parse(&id).ok_or_else(Error::not_found)?;
    let version: i32 = version.parse().map_err(|_no_number| Error::not_found())?;
    let scopes = (access.scope, exact_scope(&access.principal));
    let shared = context.clone();
    let read = move |conn: &mut DbConn| {
        dialect::snapshot(conn, |conn| view(conn, &shared, &scopes, (id, version)))
    };
    Ok(web::Json(context.db.read(read).await?))
}

fn view(
    conn: &mut DbConn,
    context: &Context,
    (scope, exact): &(Scope, Scope),
    (id, version): (IncidentId, i32),
) -> Result<EarlierView> {
    let (incident, facts) = find_incident(conn, id)?.ok_or_else(Error::not_found)?;
    if !is_seen(scope, &context.geo(), &facts) {
        return Err(Error::not_found());
    }
    let is_exact = is_seen(exact, &context.geo(), &facts);
    let found = find_earlier(conn, (&incident, &facts), version)?.ok_or_else(Error::not_found)?;
    let into = found.incident.merged_into;
    let into = into.map(|row| incidents::table.find(row).select(incidents::uuid).first(conn));
    let derived = (&found.facts, found.grade);
    let incident = view_derived(context, found.incident, derived, into.transpose()?, is_exact)?;
    let is_complete = found.reports.iter().all(|report| report.facts.is_some());
    let reports = found.reports.into_iter().map(EarlierReportView::from).collect();
    Ok(EarlierView { incident, reports, is_complete })
}
