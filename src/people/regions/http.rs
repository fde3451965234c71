//! Routes of regions.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::http::{Access, ManageCoalition, ReadDirectory};
use crate::auth::types::Principal;
use crate::context::Context;
use crate::error::{FieldError, Result};
use crate::geo::countries::{Countries, CountryCode};
use crate::http::body::JsonBody;
use crate::http::query::Pairs;
use crate::people::input::{Faults, read_code, read_country, read_name};
use crate::people::regions::store;
use crate::people::regions::types::{Region, RegionLevel};

/// Most characters of a region's code.
const CODE_CHARS: usize = 32;

/// A region.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Region)]
pub struct RegionView {
    /// Its code, in `region=` and in `region:CODE` scopes.
    #[schema(example = "west")]
    code: String,
    /// English name.
    #[schema(example = "West Africa")]
    name_en: String,
    /// French name.
    #[schema(example = "Afrique de l'Ouest")]
    name_fr: String,
    /// `regional` (`by=region` counts by it) or `international` (a scope and a filter alone).
    level: &'static str,
    /// Alpha-3 codes, sorted.
    #[schema(example = json!(["SLE", "LBR"]))]
    countries: Vec<String>,
}

impl From<&Region> for RegionView {
    fn from(region: &Region) -> Self {
        let Region { code, name_en, name_fr, level, countries } = region;
        Self {
            code: code.clone(),
            name_en: name_en.clone(),
            name_fr: name_fr.clone(),
            level: level.as_str(),
            countries: countries.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Every region.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegionList {
    /// By code.
    items: Vec<RegionView>,
}

/// List the regions
#[utoipa::path(
    get, path = "/v1/regions", tag = "people", operation_id = "list_regions",
    responses((status = 200, description = "Every region", body = RegionList))
)]
pub async fn list_regions(
    _access: Access<ReadDirectory>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<web::Json<RegionList>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let geo = context.geo();
    let regions =
        context.db.read(move |conn| Ok(store::list_regions(conn, geo.countries())?)).await?;
    Ok(web::Json(RegionList { items: regions.iter().map(RegionView::from).collect() }))
}

/// What a region is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RegionEdit, example = json!({
    "name_en": "West Africa", "name_fr": "Afrique de l'Ouest", "level": "regional", "countries": ["SLE", "LBR"]
}))]
pub struct RegionBody {
    /// English name.
    name_en: String,
    /// French name.
    name_fr: String,
    /// `regional` or `international`.
    #[schema(example = "regional")]
    level: String,
    /// Its countries, alpha-3 or alpha-2; those it had before and that are not named leave it.
    countries: Vec<String>,
}

/// Make or change a region
///
/// Its leads see the countries it has now from their next request on; counts by region follow at once at this server
/// and within a second at others.
#[utoipa::path(
    put, path = "/v1/regions/{code}", tag = "people", operation_id = "put_region",
    params(("code" = String, Path, description = "Lower-case letters, digits and underscores")),
    request_body = RegionBody,
    responses(
        (status = 200, description = "Changed", body = RegionView),
        (status = 201, description = "Made", body = RegionView),
    )
)]
pub async fn put_region(
    access: Access<ManageCoalition>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<RegionBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let region = read_region(path.into_inner(), &body.0, context.geo().countries())?;
    let view = RegionView::from(&region);
    let codes: Vec<&str> = region.countries.iter().map(CountryCode::as_str).collect();
    let detail = format!("{} {} {}", region.code, region.level.as_str(), codes.join(","));
    let entry = entry_of(&access.principal, context.clock.now(), detail);
    let is_new = context
        .db
        .write(move |tx| {
            tx.record(entry);
            Ok(store::put_region(tx.conn, &region)?)
        })
        .await?;
    take_up(&context).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(HttpResponse::build(status).json(view))
}

/// Remove a region
///
/// Refused while a grant holds or will hold in it.
#[utoipa::path(
    delete, path = "/v1/regions/{code}", tag = "people", operation_id = "delete_region",
    params(("code" = String, Path, description = "The region")),
    responses((status = 204, description = "Removed"))
)]
pub async fn delete_region(
    access: Access<ManageCoalition>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let code = path.into_inner();
    let now = context.clock.now();
    let principal = access.principal;
    context
        .db
        .write(move |tx| {
            store::remove_region(tx.conn, &code, now.naive_utc())?;
            tx.record(entry_of(&principal, now, format!("{code} removed")));
            Ok(())
        })
        .await?;
    take_up(&context).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A region has a code and no id: the entry tells it with its countries, so that it can be told later who saw what.
fn entry_of(principal: &Principal, now: DateTime<Utc>, detail: String) -> Entry {
    Entry::of_instance(Act::ChangedRegion, now).by(principal.user_id()).detail(detail)
}

async fn take_up(context: &web::Data<Context>) -> Result<()> {
    let shared = context.clone();
    context.db.read(move |conn| shared.refresh_regions(conn)).await
}

fn read_region(code: String, body: &RegionBody, countries: &Countries) -> Result<Region> {
    let mut faults = Faults::default();
    let code = faults.take(read_region_code(code));
    let name_en = faults.take(read_name("/name_en", &body.name_en));
    let name_fr = faults.take(read_name("/name_fr", &body.name_fr));
    let level = faults.take(read_code("/level", &body.level, &RegionLevel::CODES));
    let listed = body.countries.iter().enumerate().map(|(index, country)| {
        faults.take(read_country(&format!("/countries/{index}"), country, countries))
    });
    let mut members: Vec<CountryCode> = listed.flatten().collect();
    members.sort_unstable();
    members.dedup();
    let region = || {
        Some(Region {
            code: code?,
            name_en: name_en?,
            name_fr: name_fr?,
            level: level?,
            countries: members,
        })
    };
    faults.settle(region())
}

fn read_region_code(code: String) -> std::result::Result<String, FieldError> {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if (1..=CODE_CHARS).contains(&code.len()) && code.bytes().all(is_letter) {
        return Ok(code);
    }
    Err(FieldError::new(
        "/code",
        format!("a region's code has 1 to {CODE_CHARS} lower-case letters, digits and underscores"),
        format!(
            "le code d'une région compte de 1 à {CODE_CHARS} minuscules, chiffres et tirets bas"
        ),
    ))
}
