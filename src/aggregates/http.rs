//! Counts and country views over HTTP, as JSON and CSV.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use utoipa::{IntoParams, ToSchema};

use crate::aggregates::answer::{Aggregate, Note};
use crate::aggregates::candidates::Reach;
use crate::aggregates::country::{CountryList, CountryView};
use crate::aggregates::csv::{ByteOrderMark, write_country_csv, write_csv};
use crate::aggregates::etag::etag;
use crate::aggregates::query::{By, GENERAL_RESOLUTION, Query, parse_h3_resolution};
use crate::auth::http::{Access, ReadCore};
use crate::context::Context;
use crate::error::{Code, Error, Language, Result};
use crate::http::conditional::{is_unchanged, numbers_tag};
use crate::http::frame;
use crate::http::query::{self, Pairs};
use crate::incidents::selection::{Asked, refuse};
use crate::releases::public::ask::Purpose;
use crate::releases::public::http::answer_for_publication;
use crate::releases::public::view::PublicAggregate;

/// The filters of lists and counts. Values of one name, with commas or repeated, are OR; names together are AND.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the parameters; `IncidentFilter::parse` reads them")]
pub struct FilterParams {
    /// First local day, inclusive: a day or a month.
    #[param(example = "2024-03-01")]
    from: Option<String>,
    /// Last local day, inclusive: a day or a month.
    #[param(example = "2024-03-31")]
    to: Option<String>,
    /// Alpha-3 or alpha-2 codes.
    #[param(example = "SLE")]
    country: Option<String>,
    /// Region codes: `southern`, `central`, `west`.
    region: Option<String>,
    /// First-level area codes.
    admin1: Option<String>,
    /// Second-level area codes.
    admin2: Option<String>,
    /// Theme, category or leaf codes; a parent selects its children.
    theme: Option<String>,
    /// The same as `theme`.
    #[param(example = "rights.life_integrity")]
    category: Option<String>,
    /// `good_practice`, `negative`.
    valence: Option<String>,
    /// `status` codes, or `all`; without it, `verified`, and in the queue what is pending.
    #[param(example = "verified")]
    status: Option<String>,
    /// 1 to 5.
    severity: Option<String>,
    /// `channel` codes.
    channel: Option<String>,
    /// `mining_mode` codes.
    mining_mode: Option<String>,
    /// `actor_type` codes.
    actor: Option<String>,
    /// Site ids; for reviewers.
    site: Option<String>,
    /// Bands of the distance to the nearest site.
    site_distance: Option<String>,
    /// `west,south,east,north` in degrees, over the generalised place.
    #[param(example = "-12,6,-10,10")]
    bbox: Option<String>,
    /// H3 cells at resolution 3 to 5; 7 for reviewers.
    h3: Option<String>,
    /// Flags.
    flag: Option<String>,
    /// `geo_precision` codes.
    precision: Option<String>,
    /// Whether it has a place on the map.
    #[param(value_type = Option<bool>)]
    mapped: Option<String>,
    /// Words in what reports tell; for reviewers. All words must be there, in any form; `kill*` begins a word, `"pit collapse"`
    /// stands as written, `-army` leaves out. Up to 200 characters and 16 words.
    #[param(max_length = 200)]
    q: Option<String>,
    /// `test`, `mismatch`: count these too. Without it, neither, and in the queue `mismatch`.
    include: Option<String>,
}

/// What a count is for.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the parameter; `Purpose::take` reads it")]
pub struct PurposeParam {
    /// `publication`: the figures of a release, in the caller's countries, none of fewer than five incidents; with the
    /// parameters and the answer of `GET /v1/public/aggregates`. Without it, exact figures of now, which are not to be published.
    #[param(example = "publication")]
    r#for: Option<String>,
}

/// What a count is made by.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the parameters")]
pub struct GroupParams {
    /// Up to three of `country region admin1 admin2 theme category subcategory valence day week month quarter year status
    /// severity channel mining_mode actor site site_distance h3`.
    #[param(example = "country")]
    by: Option<String>,
    /// Resolution of `by=h3`: 3 to 5; 7 for reviewers.
    h3_resolution: Option<u8>,
}

/// What a count answers with.
#[derive(ToSchema)]
#[schema(as = Counted)]
#[expect(clippy::large_enum_variant, reason = "it documents the two answers and is never made")]
#[serde(untagged)]
pub enum Counted {
    /// Exact figures.
    Own(Aggregate),
    /// With `for=publication`.
    Publication(PublicAggregate),
}

/// Count incidents
///
/// Cells by up to three groupings, their total, and how the two add up.
#[utoipa::path(
    get, path = "/v1/aggregates", tag = "aggregates", operation_id = "get_aggregates",
    params(PurposeParam, GroupParams, FilterParams),
    responses(
        (status = 200, description = "The counts", content((Counted = "application/json"), (String = "text/csv")),
         headers(("ETag" = String, description = "Changes when and only when the numbers do"))),
        (status = 304, description = "The numbers are those of `If-None-Match`"),
        (status = 410, description = "The release was withdrawn"),
    )
)]
pub async fn get_aggregates(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let format = negotiate_format(&request)?;
    answer_aggregates(access, context, request, format).await
}

/// Count incidents, as CSV
///
/// The same numbers as `GET /v1/aggregates`, one row a cell and one for the total.
#[utoipa::path(
    get, path = "/v1/aggregates.csv", tag = "aggregates", operation_id = "get_aggregates_csv",
    params(PurposeParam, GroupParams, FilterParams, MarkParams),
    responses(
        (status = 200, description = "The counts", body = String, content_type = "text/csv",
         headers(("ETag" = String, description = "Changes when and only when the numbers do"))),
        (status = 304, description = "The numbers are those of `If-None-Match`"),
        (status = 410, description = "The release was withdrawn"),
    )
)]
pub async fn get_aggregates_csv(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    answer_aggregates(access, context, request, Format::Csv).await
}

/// Whether a CSV file starts with the mark that Excel needs.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the parameter; `take_mark` reads it")]
pub struct MarkParams {
    /// 0 leaves out the byte order mark that Excel needs.
    #[param(minimum = 0, maximum = 1)]
    bom: Option<u8>,
}

/// Most cells of one answer. A question with more of them, such as days by cells by subcategories, is an export.
const MAX_CELLS: usize = 200_000;

async fn answer_aggregates(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
    format: Format,
) -> Result<HttpResponse> {
    let mut pairs = Pairs::of(&request)?;
    if Purpose::take(&mut pairs)? == Purpose::Publication {
        let is_csv = format == Format::Csv;
        return answer_for_publication((context, &access.scope), &request, pairs, is_csv).await;
    }
    let by = pairs.take_one("by")?.unwrap_or_default();
    let by = By::parse_list(&by).map_err(|error| refuse(&[error]))?;
    let resolution = match pairs.take_one("h3_resolution")? {
        None => GENERAL_RESOLUTION,
        Some(text) => parse_h3_resolution(&text).map_err(|error| refuse(&[error]))?,
    };
    let mark = take_mark(&mut pairs, format)?;
    let asked = Asked::parse(&pairs, &[], &access.principal, &access.scope, &context)?;
    let note = Note { coverage: coverage_note(frame::negotiate(request.headers())), as_of: 0 };
    let shared = context.clone();
    let (tag, file) = context
        .db
        .read(move |conn| {
            asked.answer(conn, &shared, |columns, selector, as_of| {
                let query =
                    Query::new(by, resolution, selector).map_err(|error| refuse(&[error]))?;
                let aggregate = columns.aggregate(&query, &Note { as_of, ..note });
                if aggregate.cells.len() > MAX_CELLS {
                    return Err(too_many_cells(aggregate.cells.len()));
                }
                let file = match format {
                    Format::Json => aggregate.to_json().map_err(Error::internal)?,
                    Format::Csv => in_memory(|file| write_csv(&aggregate, mark, file))?,
                };
                Ok((numbers_tag(&etag(&aggregate)), file))
            })
        })
        .await?;
    if is_unchanged(&request, &tag) {
        return Ok(HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish());
    }
    let mut response = answer_file(format, "aggregates.csv");
    response.insert_header((header::ETAG, tag));
    response.insert_header((header::VARY, "Accept, Accept-Language"));
    Ok(response.body(file))
}

fn too_many_cells(n_cells: usize) -> Error {
    query::invalid(
        "by",
        format!(
            "this gives {n_cells} cells; at most {MAX_CELLS} are answered: filter more, or group by less"
        ),
        format!(
            "cela donne {n_cells} cellules ; {MAX_CELLS} au plus sont rendues : filtrez plus ou groupez moins"
        ),
    )
}

/// What an answer is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
}

/// Returns the first format of `Accept` that is on offer; JSON where any will do.
fn negotiate_format(request: &HttpRequest) -> Result<Format> {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else {
        return Ok(Format::Json);
    };
    let ranges = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    let mut offers = ranges.filter_map(|range| match range {
        "application/json" | "application/*" | "*/*" => Some(Format::Json),
        "text/csv" | "text/*" => Some(Format::Csv),
        _ => None,
    });
    offers.next().ok_or_else(|| {
        Error::new(Code::NotAcceptable)
            .detail("ask for application/json or text/csv", "demandez application/json ou text/csv")
    })
}

fn answer_file(format: Format, name: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    match format {
        Format::Json => response.content_type("application/json"),
        Format::Csv => {
            let disposition = format!("attachment; filename=\"{name}\"");
            response.insert_header((header::CONTENT_DISPOSITION, disposition));
            response.content_type("text/csv; charset=utf-8")
        }
    };
    response
}

fn in_memory(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    write(&mut file).map_err(Error::internal)?;
    Ok(file)
}

fn take_mark(pairs: &mut Pairs, format: Format) -> Result<ByteOrderMark> {
    if format == Format::Json {
        return Ok(ByteOrderMark::Omitted);
    }
    ByteOrderMark::take(pairs)
}

/// Returns the sentence every count carries: what these numbers are not.
fn coverage_note(language: Language) -> String {
    let note = match language {
        Language::English => {
            "Incidents reported to the coalition: no census and no rate. Where few report, little is counted. \
             Several reports of one event are one incident."
        }
        Language::French => {
            "Incidents signalés à la coalition : ni recensement ni taux. Où peu signalent, peu est compté. \
             Plusieurs rapports d'un même événement font un incident."
        }
    };
    note.to_owned()
}

/// List countries
///
/// Every country in scope with its counts, and the change against the period before where `from` and `to` are given.
#[utoipa::path(
    get, path = "/v1/countries", tag = "aggregates", operation_id = "list_countries",
    params(FilterParams),
    responses((status = 200, description = "The countries", body = CountryList))
)]
pub async fn list_countries(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<web::Json<CountryList>> {
    let pairs = Pairs::of(&request)?;
    let asked = Asked::parse(&pairs, &[], &access.principal, &access.scope, &context)?
        .reaching(Reach::Compared);
    let coverage = coverage_note(frame::negotiate(request.headers()));
    let shared = context.clone();
    let list = context
        .db
        .read(move |conn| {
            asked.answer(conn, &shared, |columns, selector, as_of| {
                Ok(columns.list_countries(&selector, &Note { coverage, as_of }))
            })
        })
        .await?;
    Ok(web::Json(list))
}

/// List countries, as CSV
///
/// The rows of `GET /v1/aggregates.csv?by=country`.
#[utoipa::path(
    get, path = "/v1/countries.csv", tag = "aggregates", operation_id = "list_countries_csv",
    params(FilterParams, MarkParams),
    responses((status = 200, description = "The countries", body = String, content_type = "text/csv"))
)]
pub async fn list_countries_csv(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let mut pairs = Pairs::of(&request)?;
    let mark = take_mark(&mut pairs, Format::Csv)?;
    let asked = Asked::parse(&pairs, &[], &access.principal, &access.scope, &context)?;
    let shared = context.clone();
    let file = context
        .db
        .read(move |conn| {
            asked.answer(conn, &shared, |columns, selector, as_of| {
                let query = Query::new(vec![By::Country], GENERAL_RESOLUTION, selector)
                    .map_err(|error| refuse(&[error]))?;
                let note = Note { coverage: String::new(), as_of };
                in_memory(|file| write_csv(&columns.aggregate(&query, &note), mark, file))
            })
        })
        .await?;
    Ok(answer_file(Format::Csv, "countries.csv").body(file))
}

/// Read a country
///
/// Totals, themes, categories, months, areas, status, hot cells, and the change against the period before. Sites are
/// shown to those who may open reports.
#[utoipa::path(
    get, path = "/v1/countries/{country}", tag = "aggregates", operation_id = "get_country",
    params(("country" = String, Path, description = "Alpha-3 or alpha-2 code", example = "SLE"), FilterParams),
    responses((status = 200, description = "The country", body = CountryView))
)]
pub async fn get_country(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<web::Json<CountryView>> {
    let pairs = Pairs::of(&request)?;
    view_country(access, context, &request, &path, pairs).await.map(web::Json)
}

/// Read a country, as CSV
///
/// The sections of `GET /v1/countries/{country}` below one another.
#[utoipa::path(
    get, path = "/v1/countries/{country}.csv", tag = "aggregates", operation_id = "get_country_csv",
    params(
        ("country" = String, Path, description = "Alpha-3 or alpha-2 code", example = "SLE"),
        FilterParams, MarkParams,
    ),
    responses((status = 200, description = "The country", body = String, content_type = "text/csv"))
)]
pub async fn get_country_csv(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let mut pairs = Pairs::of(&request)?;
    let mark = take_mark(&mut pairs, Format::Csv)?;
    let view = view_country(access, context, &request, &path, pairs).await?;
    let file = in_memory(|file| write_country_csv(&view, mark, file))?;
    Ok(answer_file(Format::Csv, &format!("{}.csv", view.country)).body(file))
}

async fn view_country(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: &HttpRequest,
    code: &str,
    pairs: Pairs,
) -> Result<CountryView> {
    let geo = context.geo();
    let country = geo.countries().parse(code).filter(|country| access.scope.has(*country));
    let country = country.ok_or_else(Error::not_found)?;
    if pairs.0.iter().any(|(name, _)| name == "country") {
        return Err(query::invalid(
            "country",
            "the path names the country",
            "le chemin désigne le pays",
        ));
    }
    let mut asked = Asked::parse(&pairs, &[], &access.principal, &access.scope, &context)?
        .reaching(Reach::Compared);
    asked.filter.countries = vec![country.as_str().to_owned()];
    let coverage = coverage_note(frame::negotiate(request.headers()));
    let shared = context.clone();
    context
        .db
        .read(move |conn| {
            asked.answer(conn, &shared, |columns, selector, as_of| {
                Ok(columns.view_country(country.as_str(), &selector, &Note { coverage, as_of }))
            })
        })
        .await
}
