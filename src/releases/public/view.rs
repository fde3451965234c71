//! What public answers look like.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::ids::ReleaseId;
use crate::releases::public::answer::Figure;
use crate::releases::types::{Release, State};
use crate::releases::view::{AtomView, MonthsView, RuleView};

/// A release, as everybody sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PublicRelease)]
pub struct StampView {
    /// Its id, for `release=`.
    #[schema(value_type = uuid::Uuid)]
    pub id: ReleaseId,
    /// 1 for the first.
    version: i32,
    /// `published` or `withdrawn`.
    #[schema(example = "published")]
    state: &'static str,
    /// The first month.
    #[schema(example = "2023-01")]
    from: String,
    /// The last month.
    #[schema(example = "2024-03")]
    until: String,
    /// When it was published.
    published_at: DateTime<Utc>,
    /// The rule of its figures.
    rule: RuleView,
    /// How many figures it has.
    n_atoms: i32,
    /// SHA-256 of the file of its figures, as it was published: `GET /v1/public/releases/{id}.csv?bom=0`.
    sha256: String,
    /// Months that are no longer shown.
    withdrawn: Vec<MonthsView>,
}

impl StampView {
    /// Returns the view of a release that was published; `None` of a draft.
    pub fn of(release: &Release) -> Option<Self> {
        let approval = release.approval?;
        let state = release.state();
        Some(Self {
            id: release.id,
            version: approval.version,
            state: if state == State::Draft { return None } else { state.as_str() },
            from: release.first.to_string(),
            until: release.last.to_string(),
            published_at: approval.at,
            rule: RuleView::of(release),
            n_atoms: release.n_atoms,
            sha256: release.sha256.clone(),
            withdrawn: release.withdrawn_months().map(MonthsView::of).collect(),
        })
    }
}

/// The releases there were.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicReleaseList {
    /// The newest first; withdrawn ones too.
    pub items: Vec<StampView>,
}

/// A release with every figure.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicReleaseWhole {
    /// The release.
    pub release: StampView,
    /// Its figures: each incident that is counted is in one of them.
    pub atoms: Vec<AtomView>,
    /// How they were made, and what they are not.
    pub note: String,
}

/// A figure.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = PublicFigure)]
pub struct FigureView {
    /// Incidents; null where they are told coarser or not at all.
    incidents: Option<u64>,
    /// Whether that is all there are, with nothing told coarser or withheld beside it.
    complete: bool,
}

impl From<Figure> for FigureView {
    fn from(figure: Figure) -> Self {
        let Figure { incidents, is_complete } = figure;
        Self { incidents, complete: is_complete }
    }
}

/// A cell: its keys, null where it is told coarser, and its figure.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PublicCell, example = json!({"country": "LSO", "incidents": 8, "complete": true}))]
pub struct CellView {
    /// One for every name of `by`.
    #[serde(flatten)]
    #[schema(additional_properties)]
    pub keys: BTreeMap<&'static str, Option<String>>,
    /// Its figure.
    #[serde(flatten)]
    pub figure: FigureView,
}

/// Sums of whole figures of a release.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicAggregate {
    /// The release they are of.
    pub release: StampView,
    /// What they are grouped by.
    #[schema(value_type = Vec<String>)]
    pub by: Vec<&'static str>,
    /// The filters, as understood.
    pub filters: BTreeMap<&'static str, Vec<String>>,
    /// One for every group; only what the filters select whole.
    pub cells: Vec<CellView>,
    /// All that the filters select whole.
    pub total: FigureView,
    /// Figures that the filters would cut, at their own level: none is ever divided. Up to 500.
    pub coarser: Vec<AtomView>,
    /// How many of them there are.
    pub n_coarser: usize,
    /// How the figures were made, and what they are not.
    pub note: String,
}

/// A country with its figure.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicCountryItem {
    /// Alpha-3 code.
    #[schema(example = "LSO")]
    pub country: String,
    /// Its name.
    pub name: String,
    /// Its figure.
    #[serde(flatten)]
    pub figure: FigureView,
}

/// Every country of a release, those with nothing too.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicCountryList {
    /// The release.
    pub release: StampView,
    /// In order of their codes.
    pub items: Vec<PublicCountryItem>,
    /// How the figures were made, and what they are not.
    pub note: String,
}

/// A code with its figure.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicItem {
    /// The code.
    #[schema(example = "rights")]
    pub code: String,
    /// What it is called; null where it needs no name.
    pub name: Option<String>,
    /// Its figure.
    #[serde(flatten)]
    pub figure: FigureView,
}

/// A country.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicCountry {
    /// The release.
    pub release: StampView,
    /// Alpha-3 code.
    #[schema(example = "LSO")]
    pub country: String,
    /// Its name.
    pub name: String,
    /// All of it.
    pub total: FigureView,
    /// Every theme.
    pub themes: Vec<PublicItem>,
    /// Every category.
    pub categories: Vec<PublicItem>,
    /// Every first-level area; `none` is what lies in no known one.
    pub admin1: Vec<PublicItem>,
    /// Every year.
    pub years: Vec<PublicItem>,
    /// Every quarter.
    pub quarters: Vec<PublicItem>,
    /// Every month.
    pub months: Vec<PublicItem>,
    /// The figures that all of the above are sums of.
    pub atoms: Vec<AtomView>,
    /// How the figures were made, and what they are not.
    pub note: String,
}
