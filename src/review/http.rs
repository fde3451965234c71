//! Decisions, quarantine and erasing over HTTP.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::audit;
use crate::auth::http::{Access, Decide, EraseReport};
use crate::context::Context;
use crate::error::{Error, FieldError, Result};
use crate::http::body::JsonBody;
use crate::http::conditional::required_version;
use crate::http::page::{PageParams, PageRequest};
use crate::http::problem::Problem;
use crate::http::query::Pairs;
use crate::http::reason::parse_reason;
use crate::ids::{Id, IncidentId, QuarantinedId, ReportId};
use crate::incidents::http::answer_incident;
use crate::incidents::view::IncidentView;
use crate::review::decision_body::DecisionBody;
use crate::review::decisions::{Decision, decide};
use crate::review::erasure::{Erasure, erase};
use crate::review::quarantine::{self, Judgement, QuarantinePage, QuarantinedView};

/// Decide on an incident
///
/// An incident changes only here: its status, what a reviewer corrects, and grades. `If-Match` carries the `ETag` that was
/// read: 428 without it, 412 with the current state when somebody decided meanwhile. Where another works on it: 409, until
/// you take it over. `corroborated` needs two independent sources, and nobody corroborates or verifies what they reported
/// themselves.
#[utoipa::path(
    post, path = "/v1/incidents/{id}/decisions", tag = "review", operation_id = "decide_incident",
    params(
        ("id" = uuid::Uuid, Path, description = "The incident"),
        ("If-Match" = String, Header, description = "The `ETag` read", example = "\"1\""),
    ),
    request_body = DecisionBody,
    responses(
        (status = 200, description = "The incident as it is now", body = IncidentView,
         headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "Another works on it; `current` says who and until when", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "Somebody changed it; `current` is what it is now", body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "`If-Match` is missing", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn decide_incident(
    access: Access<Decide>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<DecisionBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let incident: IncidentId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let version = required_version(&request)?;
    let now = context.clock.now();
    let decided = body.0.check(&context.catalogues(), now)?;
    let decision = Decision {
        incident,
        version,
        status: decided.status,
        corrections: decided.corrections,
        report_grades: decided.report_grades,
        reason: decided.reason,
        decided_by: access.principal.user_id(),
        scope: access.scope,
        now,
    };
    let shared = context.clone();
    let view = context.db.write(move |tx| decide(tx, &shared, &decision)).await?;
    Ok(answer_incident(&view))
}

/// List what was set aside
///
/// Content that came under an id taken by other content, newest first.
#[utoipa::path(
    get, path = "/v1/quarantine", tag = "review", operation_id = "list_quarantined",
    params(PageParams),
    responses((status = 200, description = "One page", body = QuarantinePage))
)]
pub async fn list_quarantined(
    access: Access<Decide>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<web::Json<QuarantinePage>> {
    let mut pairs = Pairs::of(&request)?;
    let page = PageRequest::take(&mut pairs)?;
    pairs.refuse_rest(&["limit", "cursor"])?;
    let shared = context.clone();
    let found =
        context.db.read(move |conn| quarantine::list(conn, &shared, &access.scope, &page)).await?;
    Ok(web::Json(found))
}

/// Open what was set aside
///
/// The content as it came, without names and contacts. Each opening is written to the audit log first.
#[utoipa::path(
    get, path = "/v1/quarantine/{id}", tag = "review", operation_id = "get_quarantined",
    params(("id" = uuid::Uuid, Path, description = "The entry")),
    responses((status = 200, description = "The content", body = QuarantinedView))
)]
pub async fn get_quarantined(
    access: Access<Decide>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<web::Json<QuarantinedView>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: QuarantinedId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let (actor, now) = (access.principal.user_id(), context.clock.now());
    let row = context
        .db
        .write(move |tx| quarantine::record_opening(tx, &access.scope, id, (actor, now)))
        .await
        .map_err(audit::not_recorded)?;
    let shared = context.clone();
    let view = context.db.read(move |conn| quarantine::open(conn, &shared, row)).await?;
    Ok(web::Json(view))
}

/// A reviewer's word on what was set aside.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuarantineDecision, example = json!({"outcome": "kept", "reason": "the sender corrected a number"}))]
pub struct JudgementBody {
    /// `kept` (it stays beside the report as what was also said) or `dismissed` (noise).
    #[schema(example = "kept")]
    outcome: String,
    /// Why; sealed.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// Judge what was set aside
#[utoipa::path(
    post, path = "/v1/quarantine/{id}/decisions", tag = "review", operation_id = "decide_quarantined",
    params(("id" = uuid::Uuid, Path, description = "The entry")),
    request_body = JudgementBody,
    responses((status = 204, description = "Taken down"))
)]
pub async fn decide_quarantined(
    access: Access<Decide>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<JudgementBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: QuarantinedId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let judgement = Judgement {
        outcome: parse_outcome(&body.0.outcome)?,
        reason: parse_reason(&body.0.reason)?,
        decided_by: access.principal.user_id(),
        now: context.clock.now(),
    };
    let shared = context.clone();
    context
        .db
        .write(move |tx| quarantine::judge(tx, &shared, &access.scope, id, &judgement))
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn parse_outcome(text: &str) -> Result<&'static str> {
    const OUTCOMES: [&str; 2] = ["kept", "dismissed"];
    OUTCOMES.into_iter().find(|outcome| *outcome == text).ok_or_else(|| {
        Error::invalid(vec![FieldError::new(
            "/outcome",
            "an outcome is kept or dismissed",
            "une issue est kept ou dismissed",
        )])
    })
}

/// Why a report is erased.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Erasure, example = json!({"reason": "the source asked for it"}))]
pub struct ErasureBody {
    /// Why; sealed, and kept with the incident.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// Erase a report
///
/// For coordinators. Its data keys, and those of what was set aside under its id, are destroyed: nobody can open it any
/// more. An incident without another report becomes `withdrawn`, and nothing is left of it but its countries and its
/// decisions. Sending the report again answers 410.
#[utoipa::path(
    delete, path = "/v1/reports/{id}", tag = "review", operation_id = "erase_report",
    params(("id" = uuid::Uuid, Path, description = "The report")),
    request_body = ErasureBody,
    responses(
        (status = 204, description = "Erased"),
        (status = 410, description = "It was erased before", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn erase_report(
    access: Access<EraseReport>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<ErasureBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let report: ReportId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let erasure = Erasure {
        report,
        reason: parse_reason(&body.0.reason)?,
        erased_by: access.principal.user_id(),
        scope: access.scope,
        now: context.clock.now(),
    };
    let shared = context.clone();
    context.db.write(move |tx| erase(tx, &shared, &erasure)).await?;
    // It is erased by now; where a reader holds the log up, the server tries again every second.
    if let Err(error) = context.db.clear_log().await {
        tracing::warn!(code = error.code.as_str(), "the database's log could not be emptied");
    }
    Ok(HttpResponse::NoContent().finish())
}
