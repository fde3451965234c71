//! Jobs over HTTP.

use actix_web::http::{Method, header};
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse, Route};
use base16ct::lower;
use chrono::{DateTime, Utc};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use crate::app::{RouteName, read};
use crate::audit::act::Act;
use crate::audit::{self, Entry};
use crate::auth::http::{Access, ReadCore};
use crate::auth::policy::{Action, reach_of};
use crate::auth::types::Principal;
use crate::context::Context;
use crate::error::{Error, FieldError, Result};
use crate::exports::jobs::make::make;
use crate::exports::jobs::store::{self, JobRow, NewJob, State};
use crate::exports::selection::Question;
use crate::exports::told::{told, told_within};
use crate::exports::wanted::{Format, Table, Wanted};
use crate::http::body::JsonBody;
use crate::http::query::Pairs;
use crate::ids::{ExportId, Id};
use crate::incidents::http::exact_scope;

/// Most files that are kept for one person.
const MOST_OF_ONE: i64 = 20;

/// Returns the routes of jobs.
pub fn routes() -> Vec<(RouteName, Route)> {
    vec![
        ((Method::POST, "/v1/exports"), web::post().to(create_export)),
        ((Method::GET, "/v1/exports/jobs/{id}"), read().to(get_export)),
        ((Method::GET, "/v1/exports/jobs/{id}/file"), read().to(get_export_file)),
    ]
}

/// The routes in the API document.
#[derive(OpenApi)]
#[openapi(paths(create_export, get_export, get_export_file))]
pub struct Document;

/// What is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExportBody)]
pub struct ExportBody {
    /// What is exported.
    table: Table,
    /// What it is written as.
    format: Format,
    /// Filters and the rest, as the query of `GET /v1/exports/{table}.{format}`.
    #[serde(default)]
    #[schema(example = "status=all&lang=fr")]
    query: String,
}

/// A file in the making, or made.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportView {
    /// The job.
    #[schema(value_type = uuid::Uuid)]
    id: ExportId,
    /// `running`, `ready`, `failed`, or `destroyed`: whoever asked may no longer see all that is in it, or a report was erased that it may hold.
    #[schema(example = "ready")]
    state: &'static str,
    /// What it is, and its filter.
    #[schema(example = "incidents.csv status=verified")]
    asked: String,
    /// Rows, once it is ready.
    rows: Option<i64>,
    /// Bytes, once it is ready.
    bytes: Option<i64>,
    /// SHA-256 of the bytes, once it is ready.
    sha256: Option<String>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// Until when it is kept.
    expires_at: DateTime<Utc>,
    /// Where it is fetched, once it is ready.
    file: Option<String>,
}

impl ExportView {
    fn new(row: &JobRow, now: DateTime<Utc>) -> Self {
        let state = row.state_at(now);
        let is_ready = state == State::Ready;
        Self {
            id: row.id,
            state: state.as_str(),
            asked: row.told.clone(),
            rows: is_ready.then_some(row.n_rows),
            bytes: is_ready.then_some(row.n_bytes),
            sha256: row.sha256.as_deref().filter(|_| is_ready).map(lower::encode_string),
            created_at: row.created_at.and_utc(),
            expires_at: row.expires_at(),
            file: is_ready.then(|| format!("/v1/exports/jobs/{}/file", row.id)),
        }
    }
}

/// Have an export made
///
/// For files that take long: made in the background, sealed, and kept for a day for whoever asked, as long as they may see what is
/// in it.
#[utoipa::path(
    post, path = "/v1/exports", tag = "exports", operation_id = "create_export",
    request_body = ExportBody,
    responses((status = 202, description = "It is being made", body = ExportView,
               headers(("Location" = String, description = "The job"))))
)]
pub async fn create_export(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
    body: JsonBody<ExportBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let ExportBody { table, format, query } = body.0;
    let pairs = web::Query::<Vec<(String, String)>>::from_query(&query);
    let mut pairs = Pairs(pairs.map_err(|_broken| not_a_query())?.into_inner());
    let wanted = Wanted::take(&mut pairs, table, format)?;
    let question = Question::new(wanted, &pairs, (&access.principal, &access.scope), &context)?;
    let asked_by = access.principal.user_id().ok_or_else(Error::not_found)?;
    let shared = context.clone();
    let (question, selected) = context
        .db
        .read(move |conn| {
            let (_, selected) = question.select(conn, &shared, |_| false)?;
            Ok((question, selected))
        })
        .await?;
    let selected = selected.ok_or_else(|| Error::internal("nobody holds a file not yet made"))?;
    let (id, now) = (ExportId::random(), context.clock.now());
    let job = NewJob {
        uuid: id,
        asked_by,
        file_name: question.wanted.file_name(),
        media_type: format.media_type(),
        told: told(&question.wanted, &question.asked.filter),
        scope: store::written(&question.scope),
        exact: store::written(&question.exact),
        state: State::Running.as_str(),
        n_pieces: 0,
        n_rows: 0,
        n_bytes: 0,
        created_at: now.naive_utc(),
        touched_at: now.naive_utc(),
    };
    let row = context
        .db
        .write(move |tx| {
            store::remove_old(tx.conn, now)?;
            if store::count_kept(tx.conn, asked_by)? >= MOST_OF_ONE {
                return Err(Error::too_many_requests(3_600));
            }
            store::insert(tx.conn, &job)?;
            store::find(tx.conn, id, asked_by)?.ok_or_else(Error::not_found)
        })
        .await?;
    let shared = context.clone();
    // It goes on by itself: the job's row tells how it ends.
    drop(web::block(move || make(&shared, id, &question, selected)));
    let place = format!("/v1/exports/jobs/{id}");
    let view = ExportView::new(&row, now);
    Ok(HttpResponse::Accepted().insert_header((header::LOCATION, place)).json(view))
}

fn not_a_query() -> Error {
    Error::invalid(vec![FieldError::new(
        "/query",
        "not a query such as status=all&lang=fr",
        "ce n’est pas une requête comme status=all&lang=fr",
    )])
}

/// Read what became of an export
#[utoipa::path(
    get, path = "/v1/exports/jobs/{id}", tag = "exports", operation_id = "get_export",
    params(("id" = uuid::Uuid, Path, description = "The job")),
    responses((status = 200, description = "The job", body = ExportView))
)]
pub async fn get_export(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let row = find_own(&context, &access.principal, &path).await?;
    Ok(HttpResponse::Ok().json(ExportView::new(&row, context.clock.now())))
}

/// Fetch an export
///
/// The file of a job that is ready. It is destroyed once whoever asked may no longer see all that is in it: that answers 403.
#[utoipa::path(
    get, path = "/v1/exports/jobs/{id}/file", tag = "exports", operation_id = "get_export_file",
    params(("id" = uuid::Uuid, Path, description = "The job")),
    responses((status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream",
               headers(("Sentinelle-Rows" = u64, description = "Rows of the file, without header and tags"))))
)]
pub async fn get_export_file(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let row = find_own(&context, &access.principal, &path).await?;
    let (id, state) = (row.id, row.state_at(context.clock.now()));
    if !is_still_theirs(&access.principal, &row) {
        context.db.write(move |tx| Ok(store::destroy(tx.conn, id)?)).await?;
        return Err(Error::forbidden(Action::ReadCore.as_str()));
    }
    if state == State::Destroyed || !access.scope.contains(&store::read(&row.scope)) {
        return Err(Error::forbidden(Action::ReadCore.as_str()));
    }
    let is_within = exact_scope(&access.principal).contains(&store::read(&row.exact));
    if state != State::Ready || !is_within {
        return Err(Error::not_found());
    }
    let mut response = HttpResponse::Ok();
    let disposition = format!("attachment; filename=\"{}\"", row.file_name);
    response.insert_header((header::CONTENT_DISPOSITION, disposition));
    response.content_type(row.media_type.as_str());
    response.insert_header(("sentinelle-rows", row.n_rows.to_string()));
    if request.method() == Method::HEAD {
        return Ok(response.finish());
    }
    let sha256 = row.sha256.as_deref().map(lower::encode_string).unwrap_or_default();
    let (n_rows, n_bytes) = (row.n_rows, row.n_bytes);
    let detail = format!("fetched rows_{n_rows} bytes_{n_bytes} sha256_{sha256} {}", row.told);
    let entry = Entry::new(Act::Exported, id, context.clock.now());
    let entry = entry.by(access.principal.user_id()).detail(detail.trim_end());
    let entry = told_within(entry, &[], &store::read(&row.scope));
    context.db.record(entry).await.map_err(audit::not_recorded)?;
    response.no_chunking(row.n_bytes.unsigned_abs());
    let pieces = (1..=row.n_pieces).map(move |number| (context.clone(), number));
    let pieces = stream::unfold(pieces, move |mut pieces| async move {
        let (context, number) = pieces.next()?;
        Some((open(context, id, number).await, pieces))
    });
    Ok(response.streaming(pieces))
}

async fn open(context: web::Data<Context>, id: ExportId, number: i32) -> Result<Bytes> {
    let shared = context.clone();
    let piece = context.db.read(move |conn| store::open_piece(conn, &shared, id, number)).await?;
    piece.map(Bytes::from).ok_or_else(Error::not_found)
}

/// Returns the caller's own job; one of somebody else is as unknown as none.
async fn find_own(context: &Context, principal: &Principal, id: &str) -> Result<JobRow> {
    let id: ExportId = Id::parse(id).ok_or_else(Error::not_found)?;
    let asked_by = principal.user_id().ok_or_else(Error::not_found)?;
    let now = context.clock.now();
    let row = context.db.read(move |conn| Ok(store::find(conn, id, asked_by)?)).await?;
    row.filter(|row| row.expires_at() > now).ok_or_else(Error::not_found)
}

/// Tells whether whoever asked may see all that they could when the file was begun, by a sign-in of their own.
fn is_still_theirs(principal: &Principal, row: &JobRow) -> bool {
    let Principal::User { grants, .. } = principal else { return false };
    let reaches = |action, written: &str| reach_of(grants, action).contains(&store::read(written));
    reaches(Action::ReadCore, &row.scope) && reaches(Action::OpenReport, &row.exact)
}
