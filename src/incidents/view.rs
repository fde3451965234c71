//! An incident as the API shows it: its core for everybody in scope, the fine face of its place for those who may.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::rows::FactsRow;
use crate::db::schema::{
    incident_actors, incident_categories, incident_facts, incident_harm, incidents,
};
use crate::error::Result;
use crate::geo::areas::Areas;
use crate::geo::locate::Geo;
use crate::ids::IncidentId;
use crate::incidents::grade::{Grade, list_grades};
use crate::incidents::handling::{AssigneeView, ClaimView};
use crate::incidents::merged::AbsorbedView;
use crate::incidents::store::{IncidentRow, facts_row, split_codes};
use crate::incidents::target::{Grain, second_of};
use crate::incidents::types::Facts;
use crate::intake::classify::SuggestionView;
use crate::intake::receipt::{AreaView, LabelView};
use crate::seal::veil::PlaceVeil;
use crate::taxonomy::catalogue::Taxonomy;

/// An incident in codes, days, areas and the generalised place.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IncidentView {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    pub id: IncidentId,
    /// Rises with every decision; the `ETag` of the incident.
    pub version: i32,
    /// `status` code.
    #[schema(example = "received")]
    pub status: String,
    /// The incident it was merged into, which holds its reports and is not merged itself.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub merged_into: Option<IncidentId>,
    /// ISO 3166-1 alpha-3.
    #[schema(example = "SLE")]
    pub country: String,
    /// The country its point lies in.
    pub country_computed: Option<String>,
    /// First-level area.
    pub admin1: Option<AreaView>,
    /// Second-level area, where a pack has them.
    pub admin2: Option<AreaView>,
    /// `geo_precision` code.
    pub precision: String,
    /// The generalised place, GeoJSON, `[lon, lat]`; absent when unmapped.
    pub place: Option<PointView>,
    /// H3 cell at resolution 5; absent when unmapped.
    pub cell: Option<String>,
    /// Band of the distance to the nearest site.
    pub site_distance: Option<String>,
    /// For those who may open reports of this country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<FinePlaceView>,
    /// The assessed grade, once there is one; for those who may open reports of this country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    /// When it happened, in local days; absent when undated.
    pub occurred: Option<OccurredView>,
    /// Primary first; none means it waits as uncategorised.
    pub categories: Vec<IncidentCategoryView>,
    /// Categories the narratives of its reports seem to tell of, best first, when it is read alone. Nobody has decided on
    /// them, and they count nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestions: Option<Vec<SuggestionView>>,
    /// Incidents it was linked to, when it is read alone; those the caller may not see are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<uuid::Uuid>>)]
    pub related: Option<Vec<IncidentId>>,
    /// Incidents merged into it, with the reports they brought, when it is read alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absorbed: Option<Vec<AbsorbedView>>,
    /// What a release may hold of it, by what its sources agreed to, when it is read alone: `shared`, `counted` (never
    /// quoted) or `left_out`; absent without an active report.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "counted")]
    pub consent: Option<&'static str>,
    /// By `affected_count` code; a measure nobody stated is absent.
    pub harm: BTreeMap<String, HarmView>,
    /// `actor_type` codes.
    pub actors: Vec<String>,
    /// `mining_mode` code.
    pub mining_mode: Option<String>,
    /// 1 to 5.
    pub severity: Option<i16>,
    /// `channel` codes.
    pub channels: Vec<String>,
    /// What a reviewer should look at.
    pub flags: Vec<String>,
    /// Active reports.
    pub reports: i32,
    /// It goes on.
    pub is_ongoing: bool,
    /// A source is in danger.
    pub is_at_risk: bool,
    /// A test; counted nowhere.
    pub is_test: bool,
    /// The day its first report was received, UTC.
    pub opened_on: NaiveDate,
    /// When it last changed; for those who may open reports of this country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime<Utc>>,
    /// Who works on it now, in the queue and where it is read alone, for those who may decide on it; absent when nobody
    /// does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<ClaimView>,
    /// How many other incidents are likely the same event, as `claim`; `GET …/duplicates` lists them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub likely_duplicates: Option<usize>,
    /// Whose case it is, as `claim`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<AssigneeView>,
}

/// A GeoJSON point.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PointView {
    /// Always `Point`.
    #[serde(rename = "type")]
    #[schema(example = "Point")]
    pub kind: &'static str,
    /// `[lon, lat]`, WGS84 degrees.
    #[schema(example = json!([-10.97, 8.64]))]
    pub coordinates: [f64; 2],
}

/// The fine face of a place: still no coordinates, those open with the report.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FinePlaceView {
    /// H3 cell at resolution 7.
    pub cell: Option<String>,
    /// Site id.
    pub site: Option<String>,
}

/// Local days with their precision.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OccurredView {
    /// First local day.
    pub first_day: NaiveDate,
    /// Last local day.
    pub last_day: NaiveDate,
    /// `date_precision` code.
    #[schema(example = "day")]
    pub precision: String,
}

/// A category of an incident.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IncidentCategoryView {
    /// Leaf code.
    pub code: String,
    /// Its label.
    pub label: Option<LabelView>,
    /// A reviewer said so.
    pub is_confirmed: bool,
}

/// A number of people.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct HarmView {
    /// At least.
    pub min: i32,
    /// At most.
    pub max: i32,
    /// By `sex_age` code, where known.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub by: BTreeMap<String, [i32; 2]>,
}

/// When an incident was opened, or is due, as finely as the caller may know: to the day outside the country team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum OpenedView {
    /// For those who may open reports of its country.
    At(DateTime<Utc>),
    /// For everybody else, UTC.
    On(NaiveDate),
}

impl OpenedView {
    /// Tells how finely.
    pub fn grain(self) -> Grain {
        match self {
            Self::At(_) => Grain::Second,
            Self::On(_) => Grain::Day,
        }
    }
}

/// An incident as the API shows it, with what its view leaves out.
#[derive(Debug, Clone)]
pub struct SeenIncident {
    /// Row id.
    pub row_id: i64,
    /// When its first report was received.
    pub opened: OpenedView,
    /// The same in whole seconds, for the server alone: see [`second_of`].
    pub opened_s: u32,
    /// What is shown.
    pub view: IncidentView,
}

/// The rows of some incidents.
struct Loaded {
    incident: IncidentRow,
    facts: FactsRow,
    merged_into: Option<IncidentId>,
}

/// Returns the views of incidents by row id, in the order of `ids`; one that is gone is left out.
///
/// `exact` is where the caller may open reports.
///
/// # Errors
/// When the database fails.
pub fn list_views(
    conn: &mut DbConn,
    context: &Context,
    ids: &[i64],
    exact: &Scope,
) -> Result<Vec<IncidentView>> {
    Ok(list_seen(conn, context, ids, exact)?.into_iter().map(|seen| seen.view).collect())
}

/// Like [`list_views`], each with its row id and when it was opened.
///
/// # Errors
/// When the database fails.
pub fn list_seen(
    conn: &mut DbConn,
    context: &Context,
    ids: &[i64],
    exact: &Scope,
) -> Result<Vec<SeenIncident>> {
    let mut views = BTreeMap::new();
    let survivors = diesel::alias!(incidents as survivors);
    let rows: Vec<(IncidentRow, FactsRow, Option<IncidentId>)> = incidents::table
        .inner_join(incident_facts::table)
        .left_join(diesel::JoinOnDsl::on(
            survivors,
            incidents::merged_into
                .eq(diesel::NullableExpressionMethods::nullable(survivors.field(incidents::id))),
        ))
        .filter(incidents::id.eq_any(ids.to_vec()))
        .select((
            incidents::all_columns,
            incident_facts::all_columns,
            diesel::NullableExpressionMethods::nullable(survivors.field(incidents::uuid)),
        ))
        .load(conn)?;
    let mut details = load_details(conn, ids)?;
    let geo = context.geo();
    for (incident, facts, merged_into) in rows {
        let (id, opened_at) = (incident.id, incident.opened_at);
        let details = details.remove(&id).unwrap_or_default();
        let is_exact = is_seen(exact, &geo, &facts);
        let opened = if is_exact {
            OpenedView::At(opened_at.and_utc())
        } else {
            OpenedView::On(opened_at.date())
        };
        let view = view(&Loaded { incident, facts, merged_into }, details, context, is_exact)?;
        let opened_s = second_of(opened_at);
        views.insert(id, SeenIncident { row_id: id, opened, opened_s, view });
    }
    Ok(ids.iter().filter_map(|id| views.remove(id)).collect())
}

#[derive(Default)]
struct Details {
    categories: Vec<(String, bool)>,
    harm: BTreeMap<String, HarmView>,
    actors: Vec<String>,
    grade: Option<Grade>,
}

fn load_details(conn: &mut DbConn, ids: &[i64]) -> Result<HashMap<i64, Details>> {
    let mut details: HashMap<i64, Details> = HashMap::new();
    let categories: Vec<(i64, String, bool)> = incident_categories::table
        .filter(incident_categories::incident_id.eq_any(ids.to_vec()))
        .order((incident_categories::incident_id, incident_categories::position))
        .select((
            incident_categories::incident_id,
            incident_categories::code,
            incident_categories::is_confirmed,
        ))
        .load(conn)?;
    for (incident, code, is_confirmed) in categories {
        details.entry(incident).or_default().categories.push((code, is_confirmed));
    }
    let harm: Vec<(i64, String, String, i32, i32)> =
        incident_harm::table.filter(incident_harm::incident_id.eq_any(ids.to_vec())).load(conn)?;
    for (incident, measure, sex_age, min, max) in harm {
        let of_measure = details.entry(incident).or_default().harm.entry(measure).or_default();
        if sex_age.is_empty() {
            (of_measure.min, of_measure.max) = (min, max);
        } else {
            of_measure.by.insert(sex_age, [min, max]);
        }
    }
    let actors: Vec<(i64, String)> = incident_actors::table
        .filter(incident_actors::incident_id.eq_any(ids.to_vec()))
        .order((incident_actors::incident_id, incident_actors::actor_type))
        .load(conn)?;
    for (incident, actor) in actors {
        details.entry(incident).or_default().actors.push(actor);
    }
    for (incident, grade) in list_grades(conn, ids)? {
        details.entry(incident).or_default().grade = Some(grade);
    }
    Ok(details)
}

fn view(
    loaded: &Loaded,
    details: Details,
    context: &Context,
    is_exact: bool,
) -> Result<IncidentView> {
    let Loaded { incident, facts, merged_into } = loaded;
    let geo = context.geo();
    Ok(IncidentView {
        id: incident.uuid,
        version: incident.version,
        status: incident.status.clone(),
        merged_into: *merged_into,
        country: facts.country.clone(),
        country_computed: facts.country_computed.clone(),
        admin1: facts.admin1.as_deref().map(|code| view_area(code, geo.areas())),
        admin2: facts.admin2.as_deref().map(|code| view_area(code, geo.admin2())),
        precision: facts.geo_precision.clone(),
        place: facts.place_lon_e6.zip(facts.place_lat_e6).map(point),
        cell: facts.cell5.map(|cell| crate::aggregates::cells::format(cell.cast_unsigned())),
        site_distance: facts.site_distance.clone(),
        exact: if is_exact { Some(fine_place(facts, &context.keys.place_veil())?) } else { None },
        occurred: occurred(facts),
        grade: details.grade.filter(|_| is_exact),
        suggestions: None,
        related: None,
        absorbed: None,
        consent: None,
        categories: details
            .categories
            .into_iter()
            .map(|(code, is_confirmed)| view_category(code, is_confirmed, &context.taxonomy))
            .collect(),
        harm: details.harm,
        actors: details.actors,
        mining_mode: facts.mining_mode.clone(),
        severity: facts.severity,
        channels: split_codes(&facts.channels),
        flags: split_codes(&facts.flags),
        reports: facts.n_reports,
        is_ongoing: facts.is_ongoing,
        is_at_risk: facts.is_at_risk,
        is_test: facts.is_test,
        opened_on: incident.opened_at.date(),
        updated_at: is_exact.then(|| incident.updated_at.and_utc()),
        claim: None,
        likely_duplicates: None,
        assignee: None,
    })
}

/// Returns the view of an incident whose facts are not the stored ones.
///
/// # Errors
/// When a veiled place is damaged.
pub fn view_derived(
    context: &Context,
    incident: IncidentRow,
    (facts, grade): (&Facts, Option<Grade>),
    merged_into: Option<IncidentId>,
    is_exact: bool,
) -> Result<IncidentView> {
    let column = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let mut harm: BTreeMap<String, HarmView> = BTreeMap::new();
    for ((measure, sex_age), (min, max)) in &facts.harm {
        let of_measure = harm.entry(measure.clone()).or_default();
        if sex_age.is_empty() {
            (of_measure.min, of_measure.max) = (column(*min), column(*max));
        } else {
            of_measure.by.insert(sex_age.clone(), [column(*min), column(*max)]);
        }
    }
    let categories = facts.categories.iter();
    let categories = categories.map(|one| (one.code.clone(), one.is_confirmed)).collect();
    let details = Details { categories, harm, actors: facts.actors.clone(), grade };
    let facts = facts_row(facts);
    view(&Loaded { incident, facts, merged_into }, details, context, is_exact)
}

/// Tells whether an incident is seen from `scope`: by its country, or by the country its point lies in.
pub fn is_seen(scope: &Scope, geo: &Geo, facts: &FactsRow) -> bool {
    is_seen_from(scope, geo, &facts.country, facts.country_computed.as_deref())
}

/// Like [`is_seen`], with the two countries alone.
pub fn is_seen_from(scope: &Scope, geo: &Geo, country: &str, computed: Option<&str>) -> bool {
    let has = |country: &str| match scope {
        Scope::All => true,
        Scope::Countries(_) => {
            geo.countries().parse(country).is_some_and(|country| scope.has(country))
        }
    };
    has(country) || computed.is_some_and(has)
}

/// Returns an area with its name.
pub fn view_area(code: &str, areas: &Areas) -> AreaView {
    let name = areas.find(code).map(|area| area.name_en.clone()).unwrap_or_default();
    AreaView { code: code.to_owned(), name }
}

fn point((lon_e6, lat_e6): (i32, i32)) -> PointView {
    PointView { kind: "Point", coordinates: [f64::from(lon_e6) / 1e6, f64::from(lat_e6) / 1e6] }
}

fn fine_place(facts: &FactsRow, veil: &PlaceVeil) -> Result<FinePlaceView> {
    let cell = facts.cell7_veiled.as_deref().map(|veiled| veil.unveil_cell(veiled)).transpose()?;
    let site = facts.site_veiled.as_deref().map(|veiled| veil.unveil_site(veiled)).transpose()?;
    Ok(FinePlaceView { cell: cell.map(crate::aggregates::cells::format), site })
}

fn occurred(facts: &FactsRow) -> Option<OccurredView> {
    Some(OccurredView {
        first_day: facts.first_day?,
        last_day: facts.last_day?,
        precision: facts.date_precision.clone()?,
    })
}

fn view_category(code: String, is_confirmed: bool, taxonomy: &Taxonomy) -> IncidentCategoryView {
    let label = taxonomy.find_leaf(&code).map(|leaf| LabelView::from(&leaf.label));
    IncidentCategoryView { code, label, is_confirmed }
}
