//! What a sender is told: the whole outcome to people, only a receipt to phones.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Language;
use crate::geo::areas::{AreaId, Areas};
use crate::geo::geotag::Geotag;
use crate::geo::locate::Geo;
use crate::ids::{IncidentId, ReportId};
use crate::intake::classify::{SuggestionView, view_with_reasons};
use crate::intake::places::{NearView, PlaceView};
use crate::intake::prepare::Prepared;
use crate::intake::store::{Stored, utc};
use crate::taxonomy::catalogue::Taxonomy;
use crate::taxonomy::label::Label;

/// A label in both languages.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LabelView {
    /// English.
    pub en: String,
    /// French.
    pub fr: String,
}

impl From<&Label> for LabelView {
    fn from(label: &Label) -> Self {
        Self { en: label.en.clone(), fr: label.fr.clone() }
    }
}

/// A category with its label.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CategoryView {
    /// Leaf code.
    #[schema(example = "rights.life_integrity.killing")]
    pub code: String,
    /// Its label.
    pub label: LabelView,
}

/// An area with its name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AreaView {
    /// ISO 3166-2 code where one exists.
    #[schema(example = "SL-E")]
    pub code: String,
    /// Its name.
    pub name: String,
}

/// A site nearby.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SiteView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Great-circle distance in metres.
    pub distance_m: u32,
    /// How well its point is known: `exact`, `approximate`, `town`, `area`, `unverified`.
    pub precision: String,
}

/// Where something was placed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GeotagView {
    /// ISO 3166-1 alpha-3; the declared one where there is one.
    #[schema(example = "SLE")]
    pub country: String,
    /// The country the point lies in.
    pub country_computed: Option<String>,
    /// First-level area.
    pub admin1: Option<AreaView>,
    /// Second-level area, where a pack has them.
    pub admin2: Option<AreaView>,
    /// IANA zone of the place.
    #[schema(example = "Africa/Freetown")]
    pub zone: Option<String>,
    /// H3 cell at resolution 7.
    #[schema(example = "877556d84ffffff")]
    pub cell: Option<String>,
    /// `geo_precision` code.
    #[schema(example = "exact")]
    pub precision: String,
    /// Distance to another country in metres, under 5 km only.
    pub near_border_m: Option<u32>,
    /// Up to three known sites within 50 km, nearest first.
    pub sites: Vec<SiteView>,
    /// The point seen from the nearest town.
    pub near: Option<NearView>,
    /// The place that the words of the report were understood as.
    pub matched: Option<PlaceView>,
    /// What the words may mean where they may mean several places, the largest first: none was chosen.
    pub candidates: Vec<PlaceView>,
    /// What a reviewer should look at.
    #[schema(example = json!(["near_border"]))]
    pub flags: Vec<String>,
    /// Data set and year of the areas; of the second level too, where there is one.
    #[schema(example = "OCHA COD-AB 2024; admin2: OCHA COD-AB 2024")]
    pub source: String,
    /// The areas of this country are known to be out of date.
    pub is_outdated: bool,
}

impl GeotagView {
    /// Returns the view of `geotag`, its words in `language`.
    pub fn of(geotag: &Geotag, geo: &Geo, language: Language) -> Self {
        let near = geotag.point.and_then(|point| geo.near(point));
        let view_area = |id: &AreaId, areas: &Areas| AreaView {
            code: id.as_str().to_owned(),
            name: areas.get(id).map(|area| area.name_en.clone()).unwrap_or_default(),
        };
        Self {
            country: geotag.country.as_str().to_owned(),
            country_computed: geotag.country_computed.map(|country| country.as_str().to_owned()),
            admin1: geotag.admin1.as_ref().map(|id| view_area(id, geo.areas())),
            admin2: geotag.admin2.as_ref().map(|id| view_area(id, geo.admin2())),
            zone: geotag.zone.map(|zone| zone.name().to_owned()),
            cell: geotag.cell7.map(|cell| cell.to_string()),
            precision: geotag.precision.as_str().to_owned(),
            near_border_m: geotag.near_border_m,
            sites: geotag
                .sites
                .iter()
                .map(|site| SiteView {
                    id: site.id.as_str().to_owned(),
                    name: site.name.as_ref().to_owned(),
                    distance_m: site.distance_m,
                    precision: site.precision.as_str().to_owned(),
                })
                .collect(),
            near: near.map(|near| NearView::of(&near, language)),
            matched: geotag.matched.as_ref().map(|place| PlaceView::of(place, geo)),
            candidates: geotag.candidates.iter().map(|place| PlaceView::of(place, geo)).collect(),
            flags: geotag.flags.iter().map(|flag| flag.as_str().to_owned()).collect(),
            source: geotag.boundary_source().unwrap_or_else(|| geotag.source.to_string()),
            is_outdated: geotag.source.is_outdated,
        }
    }
}

/// What became of a report, for people who may see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubmissionView {
    /// The report.
    #[schema(value_type = uuid::Uuid)]
    pub id: ReportId,
    /// No id was sent: this one was made here. Keep it.
    pub is_id_made_here: bool,
    /// From 1; a correction of its sender is a new one.
    pub revision: i32,
    /// Spoken reference with a check character.
    #[schema(example = "K7QM-3XFD-K")]
    pub reference: String,
    /// The incident it belongs to.
    #[schema(value_type = uuid::Uuid)]
    pub incident: IncidentId,
    /// Status of the incident.
    #[schema(example = "received")]
    pub status: String,
    /// The server's clock.
    pub received_at: DateTime<Utc>,
    /// Where it was placed.
    pub geotag: GeotagView,
    /// As sent, primary first; none yet means it waits as uncategorised.
    pub categories: Vec<CategoryView>,
    /// Categories its narrative seems to tell of, best first, with the words that say so. Positions count from the first
    /// character that is no white space. They count nowhere until a reviewer gives them.
    pub suggestions: Vec<SuggestionView>,
    /// What a reviewer should look at.
    pub flags: Vec<String>,
}

impl SubmissionView {
    /// Returns the view of a stored report.
    pub fn of(
        prepared: &Prepared,
        stored: &Stored,
        geo: &Geo,
        taxonomy: &Taxonomy,
        language: Language,
    ) -> Self {
        Self {
            id: stored.report,
            is_id_made_here: prepared.is_id_made_here,
            revision: stored.revision,
            reference: stored.reference.clone(),
            incident: stored.incident,
            status: stored.status.clone(),
            received_at: utc(stored.received_at),
            geotag: GeotagView::of(&prepared.geotag, geo, language),
            categories: view_categories(&prepared.report.codes.categories, taxonomy),
            suggestions: view_with_reasons(&prepared.suggestions, taxonomy),
            flags: prepared.facts.flags.clone(),
        }
    }
}

/// Returns leaf codes with their labels.
pub fn view_categories(codes: &[String], taxonomy: &Taxonomy) -> Vec<CategoryView> {
    let leaves = codes.iter().filter_map(|code| taxonomy.find_leaf(code));
    leaves
        .map(|leaf| CategoryView {
            code: leaf.code.as_str().to_owned(),
            label: LabelView::from(&leaf.label),
        })
        .collect()
}

/// A receipt: that it arrived, never what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReceiptView {
    /// The report.
    #[schema(value_type = uuid::Uuid)]
    pub id: ReportId,
    /// No id was sent: this one was made here. Keep it.
    pub is_id_made_here: bool,
    /// From 1; a correction of its sender is a new one.
    pub revision: i32,
    /// Spoken reference with a check character.
    #[schema(example = "K7QM-3XFD-K")]
    pub reference: String,
    /// `received`, `question` or `closed`; the outcome is not told.
    #[schema(example = "received")]
    pub state: &'static str,
    /// The day the server received it, UTC.
    pub received_on: NaiveDate,
    /// Questions about it that wait for an answer: `GET /v1/messages`.
    pub open_questions: i64,
}

impl ReceiptView {
    /// Returns the receipt of a stored report.
    pub fn of(stored: &Stored, is_id_made_here: bool) -> Self {
        Self {
            id: stored.report,
            is_id_made_here,
            revision: stored.revision,
            reference: stored.reference.clone(),
            state: if stored.state == "active" { receipt_state(&stored.status) } else { "closed" },
            received_on: stored.received_at.date(),
            open_questions: if stored.state == "active" {
                stored.n_open_questions.unwrap_or(0)
            } else {
                0
            },
        }
    }
}

/// Returns what a sender is told of an incident's status.
fn receipt_state(status: &str) -> &'static str {
    use crate::incidents::facts::Status;
    match Status::parse(status) {
        Some(Status::NeedsInformation) => "question",
        Some(Status::Received | Status::InReview) | None => "received",
        Some(
            Status::Corroborated
            | Status::Verified
            | Status::Disputed
            | Status::Unverifiable
            | Status::Rejected
            | Status::Withdrawn,
        ) => "closed",
    }
}

/// The answer to a submission.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum SubmissionAnswer {
    /// To people.
    Full(Box<SubmissionView>),
    /// To device keys.
    Receipt(ReceiptView),
}
