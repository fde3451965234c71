//! Files over HTTP.

use actix_web::http::{Method, header};
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, Route};
use futures_util::StreamExt;
use futures_util::stream;
use utoipa::OpenApi;
use utoipa::openapi::RefOr;

use crate::aggregates::http::FilterParams;
use crate::app::{RouteName, read};
use crate::auth::http::{Access, ReadCore};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exports::jobs;
use crate::exports::run::Run;
use crate::exports::selection::{Question, Selected};
use crate::exports::wanted::{ExportParams, Format, Table, Wanted};
use crate::http::conditional::is_held_in;
use crate::http::page;
use crate::http::query::Pairs;

/// Returns the routes of exports.
pub fn routes() -> Vec<(RouteName, Route)> {
    let mut routes = vec![((Method::GET, "/v1/exports/{table}.{format}"), read().to(export_table))];
    routes.extend(jobs::http::routes());
    routes
}

/// The routes in the API document.
#[derive(OpenApi)]
#[openapi(paths(export_table))]
struct Document;

/// Returns what the API document says of exports, whose filters are those of counts but for `q`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    document.merge(jobs::http::Document::openapi());
    let operations = document.paths.paths.values_mut().filter_map(|path| path.get.as_mut());
    for parameters in operations.filter_map(|operation| operation.parameters.as_mut()) {
        parameters.retain(|one| !matches!(one, RefOr::T(parameter) if parameter.name == "q"));
    }
    document
}

/// Export a table
///
/// A file with the filters and defaults of `GET /v1/aggregates`, without `q`: without `status`, verified incidents alone. Rows are
/// those of the list, newest first; `api-spec/columns.csv` says what stands in which column. `Sentinelle-Rows` announces how many
/// there are; a file that ends before is cut off in its transfer, and goes on with `after`. What leaves is written to the audit
/// log: filter, rows and SHA-256.
#[utoipa::path(
    get, path = "/v1/exports/{table}.{format}", tag = "exports", operation_id = "export_table",
    params(
        ("table" = Table, Path, description = "What is exported", example = "incidents"),
        ("format" = Format, Path, description = "What it is written as; `geojson` for incidents and reports", example = "csv"),
        ExportParams,
        FilterParams,
    ),
    responses(
        (status = 200, description = "The file", content(
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            (serde_json::Value = "application/geo+json"),
            (String = "application/x-ndjson"),
            (Vec<u8> = "application/vnd.apache.parquet"),
         ),
         headers(
            ("ETag" = String, description = "Changes with the rows, the format and the language"),
            ("Link" = String, description = "The next part, where `limit` leaves one"),
            ("Sentinelle-Rows" = u64, description = "Rows of the file, without header and tags"),
            ("Sentinelle-As-Of" = i64, description = "Change number the selection is current to"),
         )),
        (status = 304, description = "The file is that of `If-None-Match`"),
    )
)]
pub async fn export_table(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let (table, format) = path.into_inner();
    let (Some(table), Some(format)) = (Table::parse(&table), Format::parse(&format)) else {
        return Err(Error::not_found());
    };
    let mut pairs = Pairs::of(&request)?;
    let wanted = Wanted::take(&mut pairs, table, format)?;
    let asked_by = (&access.principal, &access.scope);
    let question = Question::new(wanted, &pairs, asked_by, &context)?;
    let held = request.headers().get(header::IF_NONE_MATCH).cloned();
    let shared = context.clone();
    let (question, tag, selected) = context
        .db
        .read(move |conn| {
            let is_held = |tag: &str| is_held_in(held.as_ref(), tag);
            let (tag, selected) = question.select(conn, &shared, is_held)?;
            Ok((question, tag, selected))
        })
        .await?;
    let Some(selected) = selected else {
        return Ok(HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish());
    };
    let mut response = describe(&request, &question.wanted, &selected);
    if request.method() == Method::HEAD {
        return Ok(response.finish());
    }
    let run = Run::new(&context, &question, selected)?;
    let (run, first) = step(run).await?;
    if run.is_finished() {
        return Ok(response.body(first.unwrap_or_default()));
    }
    let rest = stream::unfold(Some(run), next_piece);
    Ok(response.streaming(stream::iter(first.map(Ok)).chain(rest)))
}

fn describe(request: &HttpRequest, wanted: &Wanted, selected: &Selected) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    let disposition = format!("attachment; filename=\"{}\"", wanted.file_name());
    response.insert_header((header::CONTENT_DISPOSITION, disposition));
    response.content_type(wanted.format.media_type());
    response.insert_header((header::ETAG, selected.tag.clone()));
    response.insert_header(("sentinelle-rows", selected.n_rows.to_string()));
    response.insert_header(("sentinelle-as-of", selected.as_of.to_string()));
    if let Some(next) = &selected.next {
        response.insert_header((header::LINK, page::next_link(request, next)));
    }
    response
}

/// Takes one step off the async threads.
async fn step(mut run: Run) -> Result<(Run, Option<Bytes>)> {
    let stepped = web::block(move || {
        let piece = run.step();
        (run, piece)
    });
    let (run, piece) = stepped.await.map_err(Error::internal)?;
    piece.map(|piece| (run, piece))
}

/// Returns the next piece; after a failure none, so that the transfer is cut.
async fn next_piece(run: Option<Run>) -> Option<(Result<Bytes>, Option<Run>)> {
    match step(run?).await {
        Ok((run, Some(piece))) => Some((Ok(piece), Some(run))),
        Ok((_, None)) => None,
        Err(error) => {
            tracing::warn!(code = error.code.as_str(), "an export was cut");
            Some((Err(error), None))
        }
    }
}
