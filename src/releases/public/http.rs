//! Routes that need no credential: figures of releases, open to scripts of any page and to caches.

use std::collections::BTreeSet;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use base16ct::lower;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;

use crate::aggregates::csv::ByteOrderMark;
use crate::auth::rates::RateLimits;
use crate::auth::types::Scope;
use crate::context::Context;
use crate::error::{Error, Language, Result};
use crate::geo::countries::Country;
use crate::http::conditional::{is_unchanged, numbers_tag};
use crate::http::frame;
use crate::http::query::{self, Pairs};
use crate::ids::{Id, ReleaseId};
use crate::names::Names;
use crate::releases::axis::NO_AREA;
use crate::releases::file::write_atoms;
use crate::releases::public::answer::{Cell, Figure, aggregate, figure, list_figures};
use crate::releases::public::ask::{By, FILTERS, Filter, take_by};
use crate::releases::public::csv::{Tags, write_cells, write_countries};
use crate::releases::public::shown::{Shown, find_shown, take_release};
use crate::releases::public::view::{
    CellView, PublicAggregate, PublicCountry, PublicCountryItem, PublicCountryList, PublicItem,
    PublicReleaseList, PublicReleaseWhole, StampView,
};
use crate::releases::public::words::method_note;
use crate::releases::store;
use crate::releases::types::ReleasedAtom;
use crate::releases::view::AtomView;

/// Most figures listed that filters would cut.
const MAX_COARSER: usize = 500;

/// Which release, and which of its figures.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the parameters; `Filter::take` reads them")]
pub struct PublicFilterParams {
    /// The id of a release; without it, the newest that is not withdrawn.
    #[param(value_type = Option<uuid::Uuid>)]
    release: Option<String>,
    /// Alpha-3 or alpha-2 codes. Values with commas or repeated are OR; names together are AND.
    #[param(example = "SLE")]
    country: Option<String>,
    /// First-level area codes; `none` is what lies in no known one.
    admin1: Option<String>,
    /// Theme or category codes; a theme selects its categories.
    theme: Option<String>,
    /// The same as `theme`.
    category: Option<String>,
    /// First month, or a year.
    #[param(example = "2024-01")]
    from: Option<String>,
    /// Last month, or a year.
    #[param(example = "2024-03")]
    to: Option<String>,
}

/// What figures are grouped by.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the parameter")]
pub struct PublicGroupParams {
    /// Up to three of `country admin1 theme category year quarter month`.
    #[param(example = "country")]
    by: Option<String>,
}

/// How a CSV file begins.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the parameters")]
pub struct PublicFileParams {
    /// 0 leaves out the byte order mark that Excel needs.
    #[param(minimum = 0, maximum = 1)]
    bom: Option<u8>,
    /// `true` adds the row of HXL tags.
    hxl: Option<bool>,
}

/// Which release.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the parameter")]
pub struct ReleaseParam {
    /// The id of a release; without it, the newest that is not withdrawn.
    #[param(value_type = Option<uuid::Uuid>)]
    release: Option<String>,
}

/// What every public request begins with.
struct Caller {
    pairs: Pairs,
    language: Language,
}

fn admit(request: &HttpRequest, rates: &RateLimits) -> Result<Caller> {
    rates.count_public()?;
    let language = frame::negotiate(request.headers());
    Ok(Caller { pairs: Pairs::of(request)?, language })
}

fn take_style(pairs: &mut Pairs) -> Result<(ByteOrderMark, Tags)> {
    let mark = ByteOrderMark::take(pairs)?;
    let tags = match pairs.take_one("hxl")?.as_deref() {
        None | Some("false") => Tags::Omitted,
        Some("true") => Tags::Written,
        Some(_) => {
            return Err(query::invalid("hxl", "hxl is true or false", "hxl est true ou false"));
        }
    };
    Ok((mark, tags))
}

/// Answers with bytes that a cache may keep, or that the caller has.
fn answer(request: &HttpRequest, kind: &str, body: Vec<u8>) -> HttpResponse {
    let digest = lower::encode_string(&Sha256::digest(&body));
    let tag = numbers_tag(digest.get(..32).unwrap_or_default());
    let is_known = is_unchanged(request, &tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, tag));
    response.insert_header((header::VARY, "Accept-Language"));
    if is_known { response.finish() } else { response.content_type(kind).body(body) }
}

fn answer_json(request: &HttpRequest, value: &impl Serialize) -> Result<HttpResponse> {
    let body = serde_json::to_vec(value).map_err(Error::internal)?;
    Ok(answer(request, "application/json", body))
}

fn answer_csv(request: &HttpRequest, body: Vec<u8>) -> HttpResponse {
    answer(request, "text/csv; charset=utf-8", body)
}

/// List public releases
///
/// Every data set that was published, the newest first, withdrawn ones too.
#[utoipa::path(
    get, path = "/v1/public/releases", tag = "public", operation_id = "list_public_releases", security(()),
    responses((status = 200, description = "The releases", body = PublicReleaseList))
)]
pub async fn list_public_releases(
    context: web::Data<Context>,
    rates: web::Data<RateLimits>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    admit(&request, &rates)?.pairs.refuse_rest(&[])?;
    let published = context.db.read(store::list_published).await?;
    let items = published.iter().filter_map(StampView::of).collect();
    answer_json(&request, &PublicReleaseList { items })
}

/// Read a public release
///
/// Every figure of it.
#[utoipa::path(
    get, path = "/v1/public/releases/{id}", tag = "public", operation_id = "get_public_release", security(()),
    params(("id" = uuid::Uuid, Path, description = "The release")),
    responses(
        (status = 200, description = "The release", body = PublicReleaseWhole),
        (status = 410, description = "It was withdrawn"),
    )
)]
pub async fn get_public_release(
    context: web::Data<Context>,
    rates: web::Data<RateLimits>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let caller = admit(&request, &rates)?;
    caller.pairs.refuse_rest(&[])?;
    let shown = read_named(&context, &path).await?;
    let note = method_note(&shown.release, caller.language);
    let atoms = shown.atoms.iter().map(AtomView::of).collect();
    answer_json(&request, &PublicReleaseWhole { release: shown.stamp, atoms, note })
}

/// Read a public release, as CSV
///
/// The file whose SHA-256 the release names, while no month of it is withdrawn; `bom=0` for its very bytes.
#[utoipa::path(
    get, path = "/v1/public/releases/{id}.csv", tag = "public", operation_id = "get_public_release_csv", security(()),
    params(
        ("id" = uuid::Uuid, Path, description = "The release"),
        ("bom" = Option<u8>, Query, description = "0 leaves out the byte order mark that Excel needs", minimum = 0, maximum = 1),
    ),
    responses(
        (status = 200, description = "The release", body = String, content_type = "text/csv"),
        (status = 410, description = "It was withdrawn"),
    )
)]
pub async fn get_public_release_csv(
    context: web::Data<Context>,
    rates: web::Data<RateLimits>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let mut caller = admit(&request, &rates)?;
    let mark = ByteOrderMark::take(&mut caller.pairs)?;
    caller.pairs.refuse_rest(&["bom"])?;
    let shown = read_named(&context, &path).await?;
    let start = if mark == ByteOrderMark::Written { "\u{feff}" } else { "" };
    Ok(answer_csv(&request, format!("{start}{}", write_atoms(shown.atoms.iter())).into_bytes()))
}

async fn read_named(context: &web::Data<Context>, id: &str) -> Result<Shown> {
    let id: ReleaseId = Id::parse(id).ok_or_else(Error::not_found)?;
    let shared = context.clone();
    context.db.read(move |conn| find_shown(conn, &shared, Some(id))).await
}

/// Count public figures
///
/// Sums of whole figures of one release, so that no two answers can be subtracted to a small one. What a filter would
/// cut is listed as it is under `coarser`.
#[utoipa::path(
    get, path = "/v1/public/aggregates", tag = "public", operation_id = "get_public_aggregates", security(()),
    params(PublicGroupParams, PublicFilterParams),
    responses(
        (status = 200, description = "The figures", body = PublicAggregate,
         headers(("ETag" = String, description = "Changes when and only when the answer does"))),
        (status = 304, description = "The answer is that of `If-None-Match`"),
        (status = 410, description = "The release was withdrawn"),
    )
)]
pub async fn get_public_aggregates(
    context: web::Data<Context>,
    rates: web::Data<RateLimits>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let caller = admit(&request, &rates)?;
    let mut asked = Asked::take(caller.pairs, &context, &[])?;
    let shown = asked.read(&context).await?;
    answer_json(&request, &view_aggregate(&asked, shown, caller.language))
}

/// Count public figures, as CSV
///
/// The cells of `GET /v1/public/aggregates`; empty where a figure is told coarser or not at all.
#[utoipa::path(
    get, path = "/v1/public/aggregates.csv", tag = "public", operation_id = "get_public_aggregates_csv", security(()),
    params(PublicGroupParams, PublicFilterParams, PublicFileParams),
    responses(
        (status = 200, description = "The figures", body = String, content_type = "text/csv"),
        (status = 304, description = "The answer is that of `If-None-Match`"),
        (status = 410, description = "The release was withdrawn"),
    )
)]
pub async fn get_public_aggregates_csv(
    context: web::Data<Context>,
    rates: web::Data<RateLimits>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let mut caller = admit(&request, &rates)?;
    let style = take_style(&mut caller.pairs)?;
    let mut asked = Asked::take(caller.pairs, &context, &["bom", "hxl"])?;
    let shown = asked.read(&context).await?;
    Ok(answer_csv(&request, asked.write_csv(&shown, style)?))
}

/// Answers somebody signed in who counts for a publication: the same figures as everybody's, in the countries of `scope`.
/// Exact figures of today could be subtracted from them, so none are mixed in.
///
/// # Errors
/// As the public routes; `NotFound` for a country out of scope.
pub async fn answer_for_publication(
    (context, scope): (web::Data<Context>, &Scope),
    request: &HttpRequest,
    mut pairs: Pairs,
    is_csv: bool,
) -> Result<HttpResponse> {
    let language = frame::negotiate(request.headers());
    let style = if is_csv { Some(take_style(&mut pairs)?) } else { None };
    let mut asked = Asked::take(pairs, &context, &["for"])?;
    asked.limit_to(scope, &context)?;
    let shown = asked.read(&context).await?;
    match style {
        Some(style) => Ok(answer_csv(request, asked.write_csv(&shown, style)?)),
        None => answer_json(request, &view_aggregate(&asked, shown, language)),
    }
}

/// What is asked of a release.
struct Asked {
    release: Option<ReleaseId>,
    by: Vec<By>,
    filter: Filter,
}

impl Asked {
    fn take(mut pairs: Pairs, context: &Context, others: &[&str]) -> Result<Self> {
        let release = take_release(&mut pairs)?;
        let by = take_by(&mut pairs)?;
        let filter = Filter::take(&mut pairs, context)?;
        pairs.refuse_rest(&[&["release", "by"], FILTERS.as_slice(), others].concat())?;
        Ok(Self { release, by, filter })
    }

    /// Leaves of every country only those of `scope`.
    fn limit_to(&mut self, scope: &Scope, context: &Context) -> Result<()> {
        if *scope == Scope::All {
            return Ok(());
        }
        let geo = context.geo();
        let own = geo.countries().members().filter(|country| scope.has(country.code));
        let own = own.map(|country| country.code.as_str().to_owned()).collect();
        let asked = self.filter.countries.get_or_insert_with(|| BTreeSet::clone(&own));
        if asked.is_subset(&own) { Ok(()) } else { Err(Error::not_found()) }
    }

    /// Reads the release, and takes up its months in the filter.
    async fn read(&mut self, context: &web::Data<Context>) -> Result<Shown> {
        let (shared, wanted) = (context.clone(), self.release);
        let shown = context.db.read(move |conn| find_shown(conn, &shared, wanted)).await?;
        self.filter = std::mem::take(&mut self.filter).within(&shown.release)?;
        Ok(shown)
    }

    fn write_csv(&self, shown: &Shown, style: (ByteOrderMark, Tags)) -> Result<Vec<u8>> {
        let mut answer = aggregate(&shown.atoms, &self.filter, &self.by);
        if self.by.is_empty() {
            answer.cells.push(Cell { keys: Vec::new(), figure: answer.total });
        }
        write_cells(&self.by, &answer.cells, style)
    }
}

fn view_aggregate(asked: &Asked, shown: Shown, language: Language) -> PublicAggregate {
    let answer = aggregate(&shown.atoms, &asked.filter, &asked.by);
    let names = asked.by.iter().map(|by| by.as_str());
    let cell = |cell: Cell| CellView {
        keys: names.clone().zip(cell.keys).collect(),
        figure: cell.figure.into(),
    };
    PublicAggregate {
        by: names.clone().collect(),
        filters: asked.filter.told(),
        cells: answer.cells.into_iter().map(cell).collect(),
        total: answer.total.into(),
        n_coarser: answer.untold.len(),
        coarser: answer.untold.into_iter().take(MAX_COARSER).map(AtomView::of).collect(),
        note: method_note(&shown.release, language),
        release: shown.stamp,
    }
}

/// List countries of a public release
///
/// Every country with a member of the coalition, those with nothing too.
#[utoipa::path(
    get, path = "/v1/public/countries", tag = "public", operation_id = "list_public_countries", security(()),
    params(ReleaseParam),
    responses(
        (status = 200, description = "The countries", body = PublicCountryList),
        (status = 410, description = "The release was withdrawn"),
    )
)]
pub async fn list_public_countries(
    context: web::Data<Context>,
    rates: web::Data<RateLimits>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let mut caller = admit(&request, &rates)?;
    let wanted = take_release(&mut caller.pairs)?;
    caller.pairs.refuse_rest(&["release"])?;
    let shared = context.clone();
    let shown = context.db.read(move |conn| find_shown(conn, &shared, wanted)).await?;
    let item = |(country, name, figure): (String, String, Figure)| PublicCountryItem {
        country,
        name,
        figure: figure.into(),
    };
    let items = list_countries(&context, &shown, caller.language).into_iter().map(item).collect();
    let note = method_note(&shown.release, caller.language);
    answer_json(&request, &PublicCountryList { release: shown.stamp, items, note })
}

/// List countries of a public release, as CSV
///
/// With `hxl=true`, tagged as humanitarian data exchange has them.
#[utoipa::path(
    get, path = "/v1/public/countries.csv", tag = "public", operation_id = "list_public_countries_csv", security(()),
    params(ReleaseParam, PublicFileParams),
    responses(
        (status = 200, description = "The countries", body = String, content_type = "text/csv"),
        (status = 410, description = "The release was withdrawn"),
    )
)]
pub async fn list_public_countries_csv(
    context: web::Data<Context>,
    rates: web::Data<RateLimits>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let mut caller = admit(&request, &rates)?;
    let wanted = take_release(&mut caller.pairs)?;
    let style = take_style(&mut caller.pairs)?;
    caller.pairs.refuse_rest(&["release", "bom", "hxl"])?;
    let shared = context.clone();
    let shown = context.db.read(move |conn| find_shown(conn, &shared, wanted)).await?;
    let rows = list_countries(&context, &shown, caller.language).into_iter();
    let months = (shown.release.first.to_string(), shown.release.last.to_string());
    Ok(answer_csv(&request, write_countries(rows, months, style)?))
}

/// Lists every country of a release with its name and figure.
fn list_countries(
    context: &Context,
    shown: &Shown,
    language: Language,
) -> Vec<(String, String, Figure)> {
    let atoms: Vec<&ReleasedAtom> = shown.atoms.iter().collect();
    let figures = list_figures(&atoms, By::Country, [], |code| Filter::of(By::Country, code));
    let geo = context.geo();
    let names = Names { geo: &geo, taxonomy: &context.taxonomy, language };
    let item = |(country, figure): (String, Figure)| {
        let name = names.country(&country).unwrap_or(&country).to_owned();
        (country, name, figure)
    };
    figures.into_iter().map(item).collect()
}

/// Read a country of a public release
///
/// Themes, categories, areas, years, quarters and months, and the figures that these are sums of.
#[utoipa::path(
    get, path = "/v1/public/countries/{country}", tag = "public", operation_id = "get_public_country", security(()),
    params(("country" = String, Path, description = "Alpha-3 or alpha-2 code", example = "SLE"), ReleaseParam),
    responses(
        (status = 200, description = "The country", body = PublicCountry),
        (status = 410, description = "The release was withdrawn"),
    )
)]
pub async fn get_public_country(
    context: web::Data<Context>,
    rates: web::Data<RateLimits>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let mut caller = admit(&request, &rates)?;
    let wanted = take_release(&mut caller.pairs)?;
    caller.pairs.refuse_rest(&["release"])?;
    let geo = context.geo();
    let country = geo.countries().find(&path).ok_or_else(Error::not_found)?;
    let shared = context.clone();
    let shown = context.db.read(move |conn| find_shown(conn, &shared, wanted)).await?;
    answer_json(&request, &view_country(&context, country, shown, caller.language)?)
}

fn view_country(
    context: &Context,
    country: &Country,
    shown: Shown,
    language: Language,
) -> Result<PublicCountry> {
    let code = country.code.as_str();
    let atoms: Vec<&ReleasedAtom> =
        shown.atoms.iter().filter(|atom| atom.country == code).collect();
    if atoms.is_empty() {
        return Err(Error::not_found());
    }
    let (taxonomy, geo) = (&context.taxonomy, context.geo());
    let names = Names { geo: &geo, taxonomy, language };
    let items = |by: By, codes: Vec<String>| {
        let codes = codes.iter().map(String::as_str);
        let figures = list_figures(&atoms, by, codes, |code| Filter::of(by, code));
        let item = |(code, figure): (String, Figure)| {
            let name = match by {
                By::Theme | By::Category => names.category(&code),
                By::Admin1 => names.admin1(&code),
                By::Country | By::Year | By::Quarter | By::Month => None,
            };
            PublicItem { name: name.map(str::to_owned), code, figure: figure.into() }
        };
        figures.into_iter().map(item).collect()
    };
    let of_leaves = |code: fn(&crate::taxonomy::catalogue::Leaf) -> &String| {
        taxonomy.leaves().iter().map(|leaf| code(leaf).clone()).collect()
    };
    let areas = geo.areas().in_country(country.code).map(|area| area.id.as_str().to_owned());
    let areas = areas.chain([NO_AREA.to_owned()]);
    Ok(PublicCountry {
        country: code.to_owned(),
        name: language.say(&country.name_en, &country.name_fr).to_owned(),
        total: figure(atoms.iter().copied(), &Filter::default()).into(),
        themes: items(By::Theme, of_leaves(|leaf| &leaf.theme)),
        categories: items(By::Category, of_leaves(|leaf| &leaf.category)),
        admin1: items(By::Admin1, areas.collect()),
        years: items(By::Year, Vec::new()),
        quarters: items(By::Quarter, Vec::new()),
        months: items(By::Month, Vec::new()),
        atoms: atoms.iter().map(|atom| AtomView::of(atom)).collect(),
        note: method_note(&shown.release, language),
        release: shown.stamp,
    })
}
