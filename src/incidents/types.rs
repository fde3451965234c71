//! Facts of reports and of incidents: what counting and lists know, as codes.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::error::Result;
use crate::geo::geotag::{Flag, Geotag, Precision};
use crate::incidents::facts::DaySpan;
use crate::intake::types::Count;
use crate::seal::veil::PlaceVeil;

/// Where something happened, in the columns of the store: plain where coarse, veiled where fine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceFacts {
    /// ISO 3166-1 alpha-3; the declared one where there is one.
    pub country: String,
    /// The country the point lies in.
    pub country_computed: Option<String>,
    /// First-level area.
    pub admin1: Option<String>,
    /// Second-level area.
    pub admin2: Option<String>,
    /// IANA zone.
    pub zone: Option<String>,
    /// `geo_precision` code.
    pub geo_precision: String,
    /// H3 cell at resolution 5.
    pub cell5: Option<i64>,
    /// Generalised longitude in microdegrees.
    pub place_lon_e6: Option<i32>,
    /// Generalised latitude in microdegrees.
    pub place_lat_e6: Option<i32>,
    /// H3 cell at resolution 7, veiled.
    pub cell7_veiled: Option<Vec<u8>>,
    /// Site, veiled.
    pub site_veiled: Option<Vec<u8>>,
    /// Band of the distance to the nearest site.
    pub site_distance: Option<String>,
    /// Packs and years that gave the areas, see `Geotag::boundary_source`.
    pub boundary_source: Option<String>,
    /// Flags that come from the place.
    pub flags: Vec<String>,
}

impl PlaceFacts {
    /// Returns the columns for `geotag`.
    ///
    /// # Errors
    /// When a cell or site cannot be veiled.
    pub fn of(geotag: &Geotag, veil: &PlaceVeil) -> Result<Self> {
        let cell7_veiled = geotag.cell7.map(|cell| veil.veil_cell(cell.index())).transpose()?;
        let site_veiled =
            geotag.site.as_ref().map(|site| veil.veil_site(site.as_str())).transpose()?;
        Ok(Self {
            country: geotag.country.as_str().to_owned(),
            country_computed: geotag.country_computed.map(|country| country.as_str().to_owned()),
            admin1: geotag.admin1.as_ref().map(|area| area.as_str().to_owned()),
            admin2: geotag.admin2.as_ref().map(|area| area.as_str().to_owned()),
            zone: geotag.zone.map(|zone| zone.name().to_owned()),
            geo_precision: geotag.precision.as_str().to_owned(),
            cell5: geotag.cell5.map(|cell| cell.index().cast_signed()),
            place_lon_e6: geotag.place.map(|place| microdegrees(place.lon())),
            place_lat_e6: geotag.place.map(|place| microdegrees(place.lat())),
            cell7_veiled,
            site_veiled,
            site_distance: geotag.site_distance.map(|band| band.as_str().to_owned()),
            boundary_source: geotag.boundary_source(),
            flags: geotag.flags.iter().map(|flag| flag.as_str().to_owned()).collect(),
        })
    }

    /// Returns the columns of a place of which only the countries are left.
    pub fn of_erased(country: String, country_computed: Option<String>) -> Self {
        Self {
            country,
            country_computed,
            admin1: None,
            admin2: None,
            zone: None,
            geo_precision: Precision::None.as_str().to_owned(),
            cell5: None,
            place_lon_e6: None,
            place_lat_e6: None,
            cell7_veiled: None,
            site_veiled: None,
            site_distance: None,
            boundary_source: None,
            flags: Vec::new(),
        }
    }

    /// Tells whether the declared country and the point disagree.
    pub fn is_mismatch(&self) -> bool {
        self.flags.iter().any(|flag| flag == Flag::CountryMismatch.as_str())
    }
}

/// Returns degrees as whole microdegrees (0.11 m), so that both engines and the columns compare alike.
fn microdegrees(degrees: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "at most 180,000,000")]
    let microdegrees = (degrees * 1e6).round() as i32;
    microdegrees
}

/// What a report says in codes; the column `reports.codes`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReportCodes {
    /// Leaf codes, primary first.
    pub categories: Vec<String>,
    /// By measure.
    pub harm: BTreeMap<String, Count>,
    /// Types and roles, in the sender's order.
    pub actors: Vec<ActorCode>,
    /// 1..=5.
    pub severity: Option<u8>,
    /// `mining_mode` code.
    pub mining_mode: Option<String>,
    /// ISO 639 code.
    pub language: Option<String>,
    /// `source_type` code.
    pub source_type: Option<String>,
    /// `source_reliability` code.
    pub source_reliability: Option<String>,
    /// `consent` code.
    pub consent: Option<String>,
    /// The source is in danger.
    pub is_at_risk: bool,
    /// It goes on.
    pub is_ongoing: bool,
    /// A test.
    pub is_test: bool,
    /// What the lexicon suggested for the narrative when it came, by falling score. Facts are never made of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suggested: Vec<SuggestedCategory>,
}

/// A category that seemed to apply, without the words that said so: those are text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuggestedCategory {
    /// Leaf code.
    pub code: String,
    /// Per mille, 600..=1000.
    pub score: u16,
}

/// One actor in codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorCode {
    /// `actor_type` code.
    #[serde(rename = "type")]
    pub kind: String,
    /// `actor_role` code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<String>,
}

/// What one report contributes to the facts of its incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportFacts {
    /// Where.
    pub place: PlaceFacts,
    /// When.
    pub span: Option<DaySpan>,
    /// Flags that do not come from the place.
    pub flags: Vec<String>,
    /// What.
    pub codes: ReportCodes,
    /// `channel` code.
    pub channel: String,
}

/// A reviewer's word on single fields; absent where the reports speak.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// Confirmed categories, primary first.
    pub categories: Option<Vec<String>>,
    /// The settled place.
    pub place: Option<PlaceFacts>,
    /// The corrected days; or those of the reports' own time, read on the clock of the settled place.
    pub days: Option<SettledDays>,
    /// By measure, in place of all that the reports state.
    pub harm: Option<BTreeMap<String, Count>>,
    /// `actor_type` codes.
    pub actors: Option<Vec<String>>,
    /// 1..=5.
    pub severity: Option<u8>,
    /// `mining_mode` code.
    pub mining_mode: Option<String>,
    /// Whether it is only a test.
    pub is_test: Option<bool>,
}

/// Days that are not the reports' own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettledDays {
    /// The days.
    pub span: DaySpan,
    /// They were told in UTC for a place without a zone, so the country's first one was taken.
    pub is_zone_assumed: bool,
    /// A reviewer told the time, rather than the place alone.
    pub is_told: bool,
}

/// One category of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryFact {
    /// Leaf code.
    pub code: String,
    /// A reviewer said so.
    pub is_confirmed: bool,
}

/// Everything counting knows of an incident, as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Where.
    pub place: PlaceFacts,
    /// First and last local day with precision.
    pub span: Option<DaySpan>,
    /// Primary first.
    pub categories: Vec<CategoryFact>,
    /// Total and parts by `(measure, sex_age)`, the total under an empty `sex_age`.
    pub harm: BTreeMap<(String, String), (u32, u32)>,
    /// Distinct types, sorted.
    pub actors: Vec<String>,
    /// Distinct channels, sorted.
    pub channels: Vec<String>,
    /// All flags, sorted.
    pub flags: Vec<String>,
    /// Greatest of the reports.
    pub severity: Option<u8>,
    /// The survivor's.
    pub mining_mode: Option<String>,
    /// Active reports.
    pub n_reports: usize,
    /// Every report is a test.
    pub is_test: bool,
    /// Some report says it goes on.
    pub is_ongoing: bool,
    /// Some source is in danger.
    pub is_at_risk: bool,
}

impl Facts {
    /// Returns the facts of an incident whose reports were all erased.
    pub fn of_erased(place: PlaceFacts, is_test: bool) -> Self {
        Self {
            place,
            span: None,
            categories: Vec::new(),
            harm: BTreeMap::new(),
            actors: Vec::new(),
            channels: Vec::new(),
            flags: Vec::new(),
            severity: None,
            mining_mode: None,
            n_reports: 0,
            is_test,
            is_ongoing: false,
            is_at_risk: false,
        }
    }

    /// Returns the first day; `None` when undated.
    pub fn first_day(&self) -> Option<NaiveDate> {
        self.span.map(|span| span.first)
    }
}
