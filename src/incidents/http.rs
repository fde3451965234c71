//! Lists and reads incidents; opens reports.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::aggregates::candidates::Reach;
use crate::aggregates::columns::Selection;
use crate::audit::act::Act;
use crate::audit::{self, Entry};
use crate::auth::http::{Access, OpenReport, ReadCore};
use crate::auth::policy::{Action, visible};
use crate::auth::types::{Principal, Scope};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::writer::WriteTx;
use crate::error::{Error, Language, Result};
use crate::geo::gazetteer::{Found, Place, Within};
use crate::geo::locate::Geo;
use crate::geo::lonlat::LonLat;
use crate::http::conditional::version_tag;
use crate::http::frame;
use crate::http::page::{self, PageParams, PageRequest};
use crate::http::problem::Problem;
use crate::http::query::{self, Pairs};
use crate::ids::{Id, IncidentId, ReportId};
use crate::incidents::consent::{Release, list_releases};
use crate::incidents::days::open_settled;
use crate::incidents::filter::IncidentFilter;
use crate::incidents::grade::{Grade, list_report_grades};
use crate::incidents::handling::{renew_claim, show_handling};
use crate::incidents::likely::show_likely;
use crate::incidents::merged::list_absorbed;
use crate::incidents::opening::{self, ERASED, ReportRow, gone};
use crate::incidents::relations::list_related;
use crate::incidents::selection::Asked;
use crate::incidents::store::{find_incident, list_suggested, split_codes};
use crate::incidents::types::ReportCodes;
use crate::incidents::view::{self, IncidentView, is_seen, is_seen_from, list_seen, list_views};
use crate::intake::classify::{self, SuggestionView};
use crate::intake::places::{NearView, PlaceView};
use crate::intake::receipt::AreaView;

/// A page of incidents, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentPage {
    /// The incidents.
    items: Vec<IncidentView>,
    /// Cursor of the next page; absent on the last.
    next: Option<String>,
    /// How many match on all pages: the same as the total of the aggregate with these filters.
    total: u64,
    /// Change number the list is current to.
    as_of: i64,
}

/// List incidents
///
/// Newest first, with the filters and defaults of `GET /v1/aggregates`: without `status`, verified ones alone. With `q`
/// those that fit best come first. A search opens every text that the other filters leave; it is written to the audit log
/// first, without its words.
#[utoipa::path(
    get, path = "/v1/incidents", tag = "incidents", operation_id = "list_incidents",
    params(
        crate::aggregates::http::FilterParams,
        SortParams,
        PageParams,
    ),
    responses(
        (status = 200, description = "One page", body = IncidentPage),
        (status = 422, description = "`q` would open too many texts", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list_incidents(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let mut pairs = Pairs::of(&request)?;
    let page = PageRequest::take(&mut pairs)?;
    let sort = pairs.take_one("sort")?;
    let asked = Asked::parse(&pairs, &[], &access.principal, &access.scope, &context)?
        .reaching(Reach::Listed);
    let sort = Sort::parse(sort.as_deref(), &asked.filter)?;
    let binding = sort.bind(asked.filter.binding());
    let after = page.position(&context.keys, &binding)?;
    let exact = exact_scope(&access.principal);
    let shared = context.clone();
    let found = context
        .db
        .read(move |conn| {
            let (selection, as_of) = asked.answer(conn, &shared, |columns, selector, seq| {
                let ranked = asked.found().filter(|_| sort == Sort::Rank);
                let Some(found) = ranked else {
                    return Ok((columns.select(&selector, after, page.limit), seq));
                };
                let Selection { ids, total } = columns.select(&selector, None, usize::MAX);
                let ids = found.page(ids, after, page.limit);
                Ok((Selection { ids, total }, seq))
            })?;
            let items = list_views(conn, &shared, &selection.ids, &exact)?;
            let is_full = selection.ids.len() == page.limit;
            let ranked = asked.found().filter(|_| sort == Sort::Rank);
            let place = |id: &i64| ranked.map_or(*id, |found| found.place(*id));
            let next = selection.ids.last().filter(|_| is_full).map(place);
            let next = next.map(|last| page::cursor(&shared.keys, last, &binding)).transpose()?;
            Ok(IncidentPage { items, next, total: selection.total, as_of })
        })
        .await?;
    let mut response = HttpResponse::Ok();
    if let Some(next) = &found.next {
        response.insert_header((header::LINK, page::next_link(&request, next)));
    }
    Ok(response.json(found))
}

/// In which order incidents are listed.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the parameter; `Sort` reads it")]
pub struct SortParams {
    /// `rank`: those first that `q` fits best, the newest of equal ones first; or `newest`. Unless told, `rank` with `q`.
    #[param(example = "newest")]
    sort: Option<String>,
}

/// In which order incidents are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Newest,
    Rank,
}

impl Sort {
    fn parse(text: Option<&str>, filter: &IncidentFilter) -> Result<Self> {
        match (text, &filter.q) {
            (None | Some("rank"), Some(_)) => Ok(Self::Rank),
            (None, None) | (Some("newest"), _) => Ok(Self::Newest),
            (Some("rank"), None) => {
                Err(query::invalid("sort", "sort=rank goes with q", "sort=rank va avec q"))
            }
            (Some(_), _) => {
                Err(query::invalid("sort", "sort is newest or rank", "sort vaut newest ou rank"))
            }
        }
    }

    /// Binds a cursor to the order too.
    fn bind(self, filter: String) -> String {
        match self {
            Self::Newest => filter,
            Self::Rank => format!("by rank {filter}"),
        }
    }
}

/// Returns where a caller may open reports; nowhere for those who never may.
pub fn exact_scope(principal: &Principal) -> Scope {
    visible(principal, Action::OpenReport).unwrap_or_else(|_forbidden| Scope::nowhere())
}

/// Returns where a caller may decide; nowhere for those who never may.
pub fn deciding_scope(principal: &Principal) -> Scope {
    visible(principal, Action::Decide).unwrap_or_else(|_forbidden| Scope::nowhere())
}

/// Read an incident
///
/// Its `ETag` is what `If-Match` of a decision needs. Those who may decide on it see who works on it and whose case it is,
/// which change no version. One that was merged into another is still read here, and says into which.
#[utoipa::path(
    get, path = "/v1/incidents/{id}", tag = "incidents", operation_id = "get_incident",
    params(("id" = uuid::Uuid, Path, description = "The incident")),
    responses((status = 200, description = "The incident", body = IncidentView,
               headers(("ETag" = String, description = "Its version"))))
)]
pub async fn get_incident(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: IncidentId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let exact = exact_scope(&access.principal);
    let deciding = deciding_scope(&access.principal);
    let scope = access.scope;
    let shared = context.clone();
    let view = context
        .db
        .read(move |conn| {
            let (incident, facts) = find_incident(conn, id)?.ok_or_else(Error::not_found)?;
            if !is_seen(&scope, &shared.geo(), &facts) {
                return Err(Error::not_found());
            }
            let mut seen = list_seen(conn, &shared, &[incident.id], &exact)?;
            show_handling(conn, &shared.geo(), &mut seen, &deciding, shared.clock.now())?;
            show_likely(conn, &shared.geo(), &mut seen, &deciding)?;
            let mut view = seen.pop().ok_or_else(Error::not_found)?.view;
            let suggested = list_suggested(conn, incident.id)?;
            view.suggestions = Some(classify::view_stored(&suggested, &shared.taxonomy));
            view.related = Some(list_related(conn, &shared.geo(), &incident, &scope)?);
            view.absorbed = Some(list_absorbed(conn, incident.id)?);
            let release = list_releases(conn, &[incident.id])?.remove(&incident.id);
            view.consent = release.map(Release::as_str);
            Ok(view)
        })
        .await?;
    Ok(answer_incident(&view))
}

/// Returns the answer that shows one incident.
pub fn answer_incident(view: &IncidentView) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::ETAG, version_tag(view.version))).json(view)
}

/// A report as its reviewer reads it. Identities stay sealed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportView {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    id: ReportId,
    /// The incident it belongs to.
    #[schema(value_type = uuid::Uuid)]
    incident: IncidentId,
    /// `active` or `withdrawn`.
    state: String,
    /// From 1; a correction is a new one.
    revision: i32,
    /// `channel` code.
    channel: String,
    /// Spoken reference.
    reference: String,
    /// The server's clock when this revision came.
    received_at: chrono::DateTime<chrono::Utc>,
    /// The newest revision, where another one is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    newest_revision: Option<i32>,
    /// The grade that a reviewer gave it.
    grade: Option<Grade>,
    /// Country of the report.
    country: String,
    /// Country its point lies in.
    country_computed: Option<String>,
    /// First-level area.
    admin1: Option<AreaView>,
    /// Second-level area, where a pack has them.
    admin2: Option<AreaView>,
    /// IANA zone of the place.
    zone: Option<String>,
    /// `geo_precision` code.
    precision: String,
    /// Distance to another country in metres, under 5 km only.
    near_border_m: Option<u32>,
    /// The point seen from the nearest town.
    near: Option<NearView>,
    /// The place that the words of the report are understood as.
    matched: Option<PlaceView>,
    /// What the words may mean where they may mean several places and no point was sent, the largest first.
    candidates: Vec<PlaceView>,
    /// What to look at.
    flags: Vec<String>,
    /// Categories its narrative seemed to tell of when it came, best first, with the words that say so: positions count in
    /// `report.narrative`. Nobody has decided on them.
    suggestions: Vec<SuggestionView>,
    /// What was sent, without names and contacts; the shape of `POST /v1/reports`.
    #[schema(value_type = crate::intake::body::ReportBody)]
    report: serde_json::Value,
    /// Time and exact place that reviewers settled for its incident instead, as they told them; of the same shape.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::intake::body::ReportBody>)]
    settled: Option<serde_json::Value>,
}

/// A report as GeoJSON (RFC 7946).
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportFeature {
    /// Always `Feature`.
    #[serde(rename = "type")]
    #[schema(example = "Feature")]
    kind: &'static str,
    /// The report.
    #[schema(value_type = uuid::Uuid)]
    id: ReportId,
    /// The exact point, `[lon, lat]`; null without one.
    geometry: Option<view::PointView>,
    /// The report.
    properties: ReportView,
}

/// Open a report
///
/// Narrative and exact place, for reviewers and leads of its country. Each opening is written to the audit log first.
/// `revision` opens what was sent before a correction. `Accept: application/geo+json` answers a GeoJSON feature.
#[utoipa::path(
    get, path = "/v1/reports/{id}", tag = "reports", operation_id = "get_report",
    params(
        ("id" = uuid::Uuid, Path, description = "The report"),
        ("revision" = Option<i32>, Query, description = "From 1; the newest unless told", minimum = 1),
    ),
    responses(
        (status = 200, description = "The report",
         content((ReportView = "application/json"), (ReportFeature = "application/geo+json"))),
        (status = 410, description = "It was erased", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn get_report(
    access: Access<OpenReport>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let mut pairs = Pairs::of(&request)?;
    let revision = take_revision(&mut pairs)?;
    pairs.refuse_rest(&["revision"])?;
    let id: ReportId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let wants_geojson = accepts(&request, GEO_JSON);
    let (shared, scope) = (context.clone(), access.scope);
    let (row, newest) =
        context.db.read(move |conn| find_seen(conn, &shared, &scope, id, revision)).await?;
    audit_opening(&context, &access.principal, (&row, newest)).await?;
    let (shared, (incident, shown)) = (context.clone(), (row.incident, row.revision));
    let opened = context
        .db
        .read(move |conn| {
            let report = opening::open_text_and_place(conn, &shared.sealer, (id, shown))?;
            let settled = open_settled(conn, &shared.sealer, incident)?;
            let grade = list_report_grades(conn, &[id])?.remove(&id);
            // Looked at again, since it may have been erased meanwhile.
            if opening::is_erased(conn, id)? {
                return Err(gone());
            }
            Ok(Opened { report, settled, grade, newest })
        })
        .await?;
    let language = frame::negotiate(request.headers());
    answer_report(row, opened, &context, language, wants_geojson)
}

/// What was opened of a report.
struct Opened {
    report: serde_json::Value,
    settled: Option<serde_json::Value>,
    grade: Option<Grade>,
    newest: i32,
}

fn take_revision(pairs: &mut Pairs) -> Result<Option<i32>> {
    let Some(text) = pairs.take_one("revision")? else { return Ok(None) };
    let revision = text.parse().ok().filter(|revision| *revision >= 1);
    revision.map(Some).ok_or_else(|| {
        query::invalid(
            "revision",
            "a revision is a whole number from 1",
            "une révision est un nombre entier à partir de 1",
        )
    })
}

/// Returns a report in `scope` as it was at `revision`, else as it is, and the number of its newest revision.
fn find_seen(
    conn: &mut DbConn,
    context: &Context,
    scope: &Scope,
    id: ReportId,
    revision: Option<i32>,
) -> Result<(ReportRow, i32)> {
    let row = opening::find_report(conn, id)?.ok_or_else(Error::not_found)?;
    let (country, computed) = &row.seen_from;
    if !is_seen_from(scope, &context.geo(), country, computed.as_deref()) {
        return Err(Error::not_found());
    }
    if row.state == ERASED {
        return Err(gone());
    }
    let newest = row.revision;
    let row = row.at_revision(conn, revision.unwrap_or(newest))?.ok_or_else(Error::not_found)?;
    Ok((row, newest))
}

const GEO_JSON: &str = "application/geo+json";

fn accepts(request: &HttpRequest, media_type: &str) -> bool {
    let accept = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    accept.split(',').any(|range| range.split(';').next().unwrap_or_default().trim() == media_type)
}

/// Writes the opening to the audit log; what cannot be written there is not shown. Whoever works on the incident goes on to.
async fn audit_opening(
    context: &web::Data<Context>,
    principal: &Principal,
    (row, newest): (&ReportRow, i32),
) -> Result<()> {
    let (country, computed) = &row.seen_from;
    let (reader, incident, now) = (principal.user_id(), row.incident, context.clock.now());
    let mut entry = Entry::new(Act::OpenedReport, row.uuid, now)
        .by(reader)
        .within(country, computed.as_deref());
    if row.revision != newest {
        entry = entry.detail(format!("revision_{}", row.revision));
    }
    let record = move |tx: &mut WriteTx<'_>| {
        if let Some(reader) = reader {
            renew_claim(tx.conn, incident, reader, now)?;
        }
        tx.record(entry);
        Ok(())
    };
    context.db.write(record).await.map_err(audit::not_recorded)
}

fn answer_report(
    row: ReportRow,
    opened: Opened,
    context: &Context,
    language: Language,
    wants_geojson: bool,
) -> Result<HttpResponse> {
    let Opened { report, settled, grade, newest } = opened;
    let suggestions = explain_suggestions(&row, &report, context)?;
    let degrees = |name: &str| {
        report.pointer(&format!("/location/{name}")).and_then(serde_json::Value::as_f64)
    };
    let geometry = degrees("lon")
        .zip(degrees("lat"))
        .map(|(lon, lat)| view::PointView { kind: "Point", coordinates: [lon, lat] });
    let near_border_m = geometry.as_ref().and_then(|point| distance_to_border(point, context));
    let geo = context.geo();
    let near = geometry.as_ref().and_then(|point| {
        let [lon, lat] = point.coordinates;
        geo.near(LonLat::new(lon, lat).ok()?)
    });
    let (matched, candidates) = read_place(&report, &row.country, &geo);
    let view = ReportView {
        id: row.uuid,
        incident: row.incident,
        state: row.state,
        revision: row.revision,
        channel: row.channel,
        reference: row.reference,
        received_at: row.received_at.and_utc(),
        newest_revision: (row.revision != newest).then_some(newest),
        grade,
        country: row.country,
        country_computed: row.country_computed,
        admin1: row.admin1.as_deref().map(|code| view::view_area(code, geo.areas())),
        admin2: row.admin2.as_deref().map(|code| view::view_area(code, geo.admin2())),
        zone: row.zone,
        precision: row.geo_precision,
        near_border_m,
        near: near.map(|near| NearView::of(&near, language)),
        matched: matched.map(|place| PlaceView::of(place, &geo)),
        candidates: candidates.into_iter().map(|place| PlaceView::of(place, &geo)).collect(),
        flags: split_codes(&row.flags),
        suggestions,
        report,
        settled,
    };
    if !wants_geojson {
        return Ok(HttpResponse::Ok().json(view));
    }
    let feature = ReportFeature { kind: "Feature", id: view.id, geometry, properties: view };
    let body = serde_json::to_string(&feature).unwrap_or_default();
    Ok(HttpResponse::Ok().content_type(GEO_JSON).body(body))
}

/// Returns what was suggested, with its words: they are text, so they are kept nowhere and found again in what was opened.
fn explain_suggestions(
    row: &ReportRow,
    report: &serde_json::Value,
    context: &Context,
) -> Result<Vec<SuggestionView>> {
    let codes: ReportCodes = serde_json::from_str(&row.codes).map_err(Error::internal)?;
    let narrative = report.get("narrative").and_then(serde_json::Value::as_str);
    let language = codes.language.as_deref();
    Ok(classify::view_stored_with_reasons(&codes.suggested, narrative, language, context))
}

/// Returns what the place in words is understood as, and what it may mean. Like the distance to the border it is read
/// when the report is opened and kept nowhere: the words are sealed.
fn read_place<'a>(
    report: &serde_json::Value,
    country: &str,
    geo: &'a Geo,
) -> (Option<&'a Place>, Vec<&'a Place>) {
    let words = |name: &str| {
        report.pointer(&format!("/location/{name}")).and_then(serde_json::Value::as_str)
    };
    let Some(text) = words("place") else {
        return (None, Vec::new());
    };
    let is_without_point = report.pointer("/location/lat").is_none();
    let area = words("admin1").and_then(|code| geo.areas().find(code));
    let within = Within { country: geo.countries().parse(country), area };
    match geo.find_place(text, within) {
        Found::One(place) => (Some(place), Vec::new()),
        Found::Several(places) if is_without_point => (None, places),
        Found::Several(_) | Found::Nothing => (None, Vec::new()),
    }
}

/// Returns the distance to another country. It is computed when the report is opened and kept nowhere: with the cell
/// it would give the exact place away.
fn distance_to_border(point: &view::PointView, context: &Context) -> Option<u32> {
    let [lon, lat] = point.coordinates;
    let point = LonLat::new(lon, lat).ok()?;
    let geo = context.geo();
    let boundaries = geo.boundaries();
    boundaries.near_border_m(point, boundaries.country_at(point)?)
}
