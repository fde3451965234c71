//! Merging and splitting over HTTP.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::auth::http::{Access, Decide};
use crate::context::Context;
use crate::error::{Code, Error, FieldError, Result};
use crate::http::body::JsonBody;
use crate::http::conditional::{required_version, version_tag};
use crate::http::problem::Problem;
use crate::http::query::Pairs;
use crate::http::reason::parse_reason;
use crate::ids::{Id, IncidentId, ReportId};
use crate::incidents::http::answer_incident;
use crate::incidents::view::IncidentView;
use crate::review::merging::merge::merge;
use crate::review::merging::rules::MOST_REPORTS;
use crate::review::merging::split::{SplitView, split};
use crate::review::merging::store::Acting;

/// Most incidents that one request merges.
const MOST_AT_ONCE: usize = 50;

/// Incidents to merge into one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Merge, example = json!({
    "incidents": ["3f2a9c1e-8b7d-4e65-9a10-5c3d2b1a0f9e"], "reason": "the same shooting, told twice"
}))]
pub struct MergeBody {
    /// Their ids.
    #[schema(value_type = Vec<uuid::Uuid>, min_items = 1, max_items = 50)]
    incidents: Vec<String>,
    /// Why; sealed, with each of them.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// Reports to send back to the incidents they opened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Splitting, example = json!({
    "reports": ["7c1d5b2e-4a3f-4d10-8e6b-2f9a0c8d7e61"], "reason": "another day, other victims"
}))]
pub struct SplitBody {
    /// Their ids.
    #[schema(value_type = Vec<uuid::Uuid>, min_items = 1, max_items = 500)]
    reports: Vec<String>,
    /// Why; sealed, with each incident it touches.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// Merge incidents
///
/// Moves all reports of up to 50 incidents of the same country into this one, those merged into them before too. Place,
/// day and primary category stay this one's; categories add up, harm reaches from the least to the most that a report
/// states, and a reviewer's word on a field stands. The others keep their status and what reviewers said of them, say in
/// `merged_into` where they went, and are in no list and no count until `POST …/split`. `If-Match` carries the `ETag` of
/// this one.
#[utoipa::path(
    post, path = "/v1/incidents/{id}/merge", tag = "review", operation_id = "merge_incidents",
    params(
        ("id" = uuid::Uuid, Path, description = "The incident that stays"),
        ("If-Match" = String, Header, description = "The `ETag` read", example = "\"1\""),
    ),
    request_body = MergeBody,
    responses(
        (status = 200, description = "The incident that stays, as it is now", body = IncidentView,
         headers(("ETag" = String, description = "Its version"))),
        (status = 412, description = "Somebody changed it; `current` is what it is now", body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "`If-Match` is missing", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn merge_incidents(
    access: Access<Decide>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<MergeBody>,
) -> Result<HttpResponse> {
    let acting = parse_acting(access, &context, &request, &path, &body.0.reason)?;
    let kinds =
        Kinds { field: "incidents", en: "an incident", fr: "un incident", most: MOST_AT_ONCE };
    let absorbed: Vec<IncidentId> = kinds.parse(&body.0.incidents)?;
    if let Some(nth) = absorbed.iter().position(|id| *id == acting.incident) {
        return Err(Error::invalid(vec![FieldError::new(
            format!("/incidents/{nth}"),
            "an incident is not merged into itself",
            "un incident ne se fusionne pas avec lui-même",
        )]));
    }
    let shared = context.clone();
    let view = context.db.write(move |tx| merge(tx, &shared, &acting, &absorbed)).await?;
    Ok(answer_incident(&view))
}

/// Split an incident
///
/// Sends reports back, each to the incident it opened, which is then as it was before it was merged: its status, and what
/// reviewers said of it. What was decided on this incident meanwhile stays with it, and is told in `kept`. The report that
/// opened this incident stays.
#[utoipa::path(
    post, path = "/v1/incidents/{id}/split", tag = "review", operation_id = "split_incident",
    params(
        ("id" = uuid::Uuid, Path, description = "The incident that the reports leave"),
        ("If-Match" = String, Header, description = "The `ETag` read", example = "\"2\""),
    ),
    request_body = SplitBody,
    responses(
        (status = 200, description = "Both sides as they are now", body = SplitView,
         headers(("ETag" = String, description = "The version of the incident they left"))),
        (status = 412, description = "Somebody changed it; `current` is what it is now", body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "`If-Match` is missing", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn split_incident(
    access: Access<Decide>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<SplitBody>,
) -> Result<HttpResponse> {
    let acting = parse_acting(access, &context, &request, &path, &body.0.reason)?;
    let kinds = Kinds { field: "reports", en: "a report", fr: "un rapport", most: MOST_REPORTS };
    let reports: Vec<ReportId> = kinds.parse(&body.0.reports)?;
    let shared = context.clone();
    let view = context.db.write(move |tx| split(tx, &shared, &acting, &reports)).await?;
    let tag = version_tag(view.incident.version);
    Ok(HttpResponse::Ok().insert_header((actix_web::http::header::ETAG, tag)).json(view))
}

fn parse_acting(
    access: Access<Decide>,
    context: &Context,
    request: &HttpRequest,
    path: &str,
    reason: &str,
) -> Result<Acting> {
    Pairs::of(request)?.refuse_rest(&[])?;
    Ok(Acting {
        incident: Id::parse(path).ok_or_else(Error::not_found)?,
        version: required_version(request)?,
        reason: parse_reason(reason)?,
        by: access.principal.user_id().ok_or_else(|| Error::new(Code::Forbidden))?,
        scope: access.scope,
        now: context.clock.now(),
    })
}

/// What a list of ids names.
struct Kinds {
    field: &'static str,
    en: &'static str,
    fr: &'static str,
    most: usize,
}

impl Kinds {
    /// Returns the ids, each once, at its first place.
    fn parse<K>(&self, texts: &[String]) -> Result<Vec<Id<K>>> {
        let Self { field, en, fr, most } = *self;
        let n = texts.len();
        if !(1..=most).contains(&n) {
            return Err(Error::invalid(vec![FieldError::new(
                format!("/{field}"),
                format!("name 1 to {most} {field} at once; here are {n}"),
                format!("désignez-en de 1 à {most} à la fois ; en voici {n}"),
            )]));
        }
        let mut ids = Vec::with_capacity(n);
        for (nth, text) in texts.iter().enumerate() {
            let id = Id::parse(text).ok_or_else(|| {
                Error::invalid(vec![FieldError::new(
                    format!("/{field}/{nth}"),
                    format!("{en} is named by its UUID"),
                    format!("{fr} se désigne par son UUID"),
                )])
            })?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(ids)
    }
}
