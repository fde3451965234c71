//! The JSON channel: submit one report, or a stream of them; read a receipt.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::auth::http::{Access, ReadReceipt, SubmitReport};
use crate::auth::policy::submission_scope;
use crate::auth::types::Principal;
use crate::context::Context;
use crate::error::{Code, Error, FieldError, Language, Result};
use crate::http::body::{self, JsonBody, media_type};
use crate::http::frame;
use crate::http::problem::Problem;
use crate::http::query::{self, Pairs};
use crate::ids::{Id, ReportId};
use crate::intake::body::ReportBody;
use crate::intake::ndjson;
use crate::intake::prepare::{self, Channel, Prepared};
use crate::intake::receipt::{GeotagView, ReceiptView, SubmissionAnswer, SubmissionView};
use crate::intake::store::{self, Outcome, Stored};
use crate::intake::validate::{validate, validate_location};

/// Submit a report
///
/// One JSON document, or `application/x-ndjson` with one report a line and an id in each. The same id with the same
/// content again answers 200 and stores nothing; with other content 409, and the first one is kept.
#[utoipa::path(
    post, path = "/v1/reports", tag = "reports", operation_id = "create_report",
    request_body(content((ReportBody = "application/json"), (String = "application/x-ndjson"))),
    responses(
        (status = 201, description = "Stored, durably", body = SubmissionAnswer),
        (status = 200, description = "It had come before; or, for NDJSON, one outcome a line and a summary",
         content((SubmissionAnswer = "application/json"), (String = "application/x-ndjson"))),
        (status = 409, description = "The id is taken by other content", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "It was withdrawn or erased", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn create_report(
    access: Access<SubmitReport>,
    context: web::Data<Context>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let mut payload = payload.into_inner();
    let media_type = media_type(request.headers());
    if media_type == ndjson::MEDIA_TYPE {
        return ndjson::submit_lines(access.principal, context, &request, &mut payload).await;
    }
    if media_type != "application/json" {
        return Err(Error::new(Code::UnsupportedMediaType).detail(
            "send `Content-Type: application/json` or `application/x-ndjson`",
            "envoyez « Content-Type: application/json » ou « application/x-ndjson »",
        ));
    }
    let document = body::read_json_bytes(&request, &mut payload).await?;
    let body = body::parse_json(&document)?;
    submit(&access.principal, &context, body, frame::negotiate(request.headers())).await
}

/// Submit a report under its id
///
/// The same as `POST /v1/reports` with the id in the path.
#[utoipa::path(
    put, path = "/v1/reports/{id}", tag = "reports", operation_id = "put_report",
    params(("id" = uuid::Uuid, Path, description = "The client's id of the report")),
    request_body = ReportBody,
    responses(
        (status = 201, description = "Stored, durably", body = SubmissionAnswer),
        (status = 200, description = "It had come before", body = SubmissionAnswer),
        (status = 409, description = "The id is taken by other content", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "It was withdrawn or erased", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn put_report(
    access: Access<SubmitReport>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<ReportBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: ReportId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let body = check_same_id(body.0, id)?;
    submit(&access.principal, &context, body, frame::negotiate(request.headers())).await
}

/// Returns the report under the id of the path.
///
/// # Errors
/// `InvalidFields` when it names another itself.
pub fn check_same_id(mut body: ReportBody, id: ReportId) -> Result<ReportBody> {
    let is_other = body.id.as_deref().is_some_and(|told| Id::parse(told) != Some(id));
    if is_other {
        return Err(Error::invalid(vec![FieldError::new(
            "/id",
            "the id differs from the one in the path",
            "l'identifiant diffère de celui du chemin",
        )]));
    }
    body.id = Some(id.to_string());
    Ok(body)
}

async fn submit(
    principal: &Principal,
    context: &web::Data<Context>,
    body: ReportBody,
    language: Language,
) -> Result<HttpResponse> {
    let prepared = Arc::new(prepare_body(principal, context, body, Channel::Api)?);
    let (status, stored) = match store_prepared(context, &prepared).await? {
        Outcome::Created(stored) => (StatusCode::CREATED, stored),
        Outcome::Same(stored) => (StatusCode::OK, stored),
        Outcome::Conflict => return Err(name_conflict(principal, context, prepared).await?),
        Outcome::ForeignConflict => return Err(Error::new(Code::IdConflict)),
        Outcome::Gone => return Err(Error::new(Code::Gone)),
    };
    let answer = answer(principal, context, &prepared, &stored, language);
    let location = format!("/v1/reports/{}", stored.report);
    Ok(HttpResponse::build(status).insert_header((header::LOCATION, location)).json(answer))
}

/// Checks, places and seals one body for `principal`.
///
/// # Errors
/// What is wrong with it.
pub fn prepare_body(
    principal: &Principal,
    context: &Context,
    body: ReportBody,
    channel: Channel,
) -> Result<Prepared> {
    let report = validate(body, &context.catalogues())?;
    let needs_id = matches!(principal, Principal::Device { .. }) || channel == Channel::Import;
    if needs_id && report.id.is_none() {
        return Err(Error::field(
            Code::IdRequired,
            FieldError::new(
                "/id",
                "send a UUID of your own with each report",
                "joignez votre propre UUID à chaque rapport",
            ),
        ));
    }
    let prepared = prepare::prepare(
        &context.workbench(),
        &report,
        channel,
        context.submitter(principal),
        context.clock.now(),
    )?;
    check_scope(principal, &prepared)?;
    Ok(prepared)
}

/// A reviewer sends for the own countries; a monitor for any.
fn check_scope(principal: &Principal, prepared: &Prepared) -> Result<()> {
    let country = prepared.geotag.country;
    if submission_scope(principal).has(country) {
        return Ok(());
    }
    Err(Error::invalid(vec![FieldError::new(
        "/location/country",
        format!(
            "{country} is outside your countries: a monitor or a reviewer of {country} can send it"
        ),
        format!(
            "{country} est hors de vos pays : un moniteur ou un réviseur de {country} peut l'envoyer"
        ),
    )]))
}

/// Stores a prepared report and says what became of it.
///
/// # Errors
/// When the store fails; `Unavailable` is worth another try.
pub async fn store_prepared(
    context: &web::Data<Context>,
    prepared: &Arc<Prepared>,
) -> Result<Outcome> {
    let stored = if prepared.is_id_made_here {
        let new = Arc::clone(prepared);
        context.db.write(move |tx| store::submit(tx, &new)).await
    } else {
        let filed = context.db.insert(store::new_rows(prepared)?).await;
        filed.map(|()| store::created(prepared))
    };
    match stored {
        Err(error) if store::is_already_there(&error) => {
            let (shared, sent) = (context.clone(), Arc::clone(prepared));
            context.db.write(move |tx| store::answer_earlier(tx, &sent, &shared.sealer)).await
        }
        stored => stored,
    }
}

/// Returns the answer for whoever sent it: device keys get the receipt only.
pub fn answer(
    principal: &Principal,
    context: &Context,
    prepared: &Prepared,
    stored: &Stored,
    language: Language,
) -> SubmissionAnswer {
    match principal {
        Principal::Device { .. } => {
            SubmissionAnswer::Receipt(ReceiptView::of(stored, prepared.is_id_made_here))
        }
        Principal::User { .. } => SubmissionAnswer::Full(Box::new(SubmissionView::of(
            prepared,
            stored,
            &context.geo(),
            &context.taxonomy,
            language,
        ))),
    }
}

/// Returns the conflict with the fields that differ; a device key is told the bare fact.
async fn name_conflict(
    principal: &Principal,
    context: &web::Data<Context>,
    prepared: Arc<Prepared>,
) -> Result<Error> {
    let conflict = Error::new(Code::IdConflict);
    if matches!(principal, Principal::Device { .. }) {
        return Ok(conflict);
    }
    let shared = context.clone();
    let fields = context
        .db
        .read(move |conn| {
            let stored = crate::incidents::opening::open_report(conn, &shared.sealer, prepared.id)?;
            Ok(differing(&stored, &prepared.canonical))
        })
        .await?;
    Ok(conflict.with("fields", serde_json::json!(fields)))
}

/// Returns pointers of the fields, down to the second level, in which two canonical reports differ.
fn differing(left: &serde_json::Value, right: &serde_json::Value) -> Vec<String> {
    let mut pointers = Vec::new();
    for name in names(left, right) {
        let (ours, theirs) = (left.get(&name), right.get(&name));
        if ours == theirs {
            continue;
        }
        match (ours, theirs) {
            (Some(ours), Some(theirs)) if ours.is_object() && theirs.is_object() => {
                let below =
                    names(ours, theirs).into_iter().filter(|key| ours.get(key) != theirs.get(key));
                pointers.extend(below.map(|key| format!("/{name}/{key}")));
            }
            _ => pointers.push(format!("/{name}")),
        }
    }
    pointers
}

fn names(
    left: &serde_json::Value,
    right: &serde_json::Value,
) -> std::collections::BTreeSet<String> {
    let of = |value: &serde_json::Value| {
        value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>())
    };
    of(left).into_iter().chain(of(right)).flatten().collect()
}

/// Read the receipt of a report
///
/// For its sender, and for reviewers of its country: that it arrived and whether a question waits, never the outcome.
#[utoipa::path(
    get, path = "/v1/reports/{id}/receipt", tag = "reports", operation_id = "get_receipt",
    params(("id" = uuid::Uuid, Path, description = "The report")),
    responses((status = 200, description = "The receipt", body = ReceiptView))
)]
pub async fn get_receipt(
    access: Access<ReadReceipt>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<web::Json<ReceiptView>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: ReportId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let submitter = context.submitter(&access.principal);
    let scope = access.scope;
    let stored = context
        .db
        .read(move |conn| {
            store::find_receipt(conn, id, &submitter, &scope)?.ok_or_else(Error::not_found)
        })
        .await?;
    Ok(web::Json(ReceiptView::of(&stored, false)))
}

/// Ask where a point lies
///
/// The same answer as intake would give for this point and this declared country.
#[utoipa::path(
    get, path = "/v1/geotag", tag = "places", operation_id = "get_geotag",
    params(
        ("lat" = f64, Query, description = "Latitude, WGS84 degrees", minimum = -90, maximum = 90),
        ("lon" = f64, Query, description = "Longitude, WGS84 degrees", minimum = -180, maximum = 180),
        ("country" = Option<String>, Query, description = "Declared country, alpha-3 or alpha-2"),
    ),
    responses((status = 200, description = "Where it lies", body = GeotagView))
)]
pub async fn get_geotag(
    _access: Access<crate::auth::http::AskGeotag>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<web::Json<GeotagView>> {
    const KNOWN: [&str; 3] = ["lat", "lon", "country"];
    let mut pairs = Pairs::of(&request)?;
    let degrees = |pairs: &mut Pairs, name: &str| -> Result<serde_json::Value> {
        let text = pairs.take_one(name)?.ok_or_else(|| {
            query::invalid(
                name,
                format!("{name} is needed, in decimal degrees"),
                format!("{name} est nécessaire, en degrés décimaux"),
            )
        })?;
        let number = text.parse::<f64>().ok().and_then(serde_json::Number::from_f64);
        Ok(number.map_or(serde_json::Value::String(text), serde_json::Value::Number))
    };
    let lat = degrees(&mut pairs, "lat")?;
    let lon = degrees(&mut pairs, "lon")?;
    let country = pairs.take_one("country")?;
    pairs.refuse_rest(&KNOWN)?;

    let body = crate::intake::body::LocationBody {
        lat: Some(lat),
        lon: Some(lon),
        country,
        ..Default::default()
    };
    let (place, _) = validate_location(body, &context.catalogues())?;
    let geo = context.geo();
    let geotag = prepare::geotag(&geo, &place, None)?;
    Ok(web::Json(GeotagView::of(&geotag, &geo, frame::negotiate(request.headers()))))
}
