//! The one filter of lists, counts, exports and maps: the same names and the same defaults everywhere.
//!
//! `IncidentFilter::parse` stands in `crate::aggregates::filter_parser`; what a caller may see is checked
//! by `crate::aggregates::query::Selector`.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::aggregates::cells;
use crate::incidents::facts::Status;
use crate::incidents::search::query::TextQuery;

const MAX_ECHO_CHARS: usize = 80;

/// Which incidents are meant: AND across fields, OR within one; an empty list asks nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentFilter {
    /// First local day, inclusive.
    pub from: Option<NaiveDate>,
    /// Last local day, inclusive.
    pub to: Option<NaiveDate>,
    /// Declared countries, alpha-3.
    pub countries: Vec<String>,
    /// Regions of the declared country.
    pub regions: Vec<String>,
    /// First-level areas.
    pub admin1: Vec<String>,
    /// Second-level areas.
    pub admin2: Vec<String>,
    /// Leaves of the taxonomy or parents of them.
    pub categories: Vec<String>,
    /// Valences; any category of the incident may have it.
    pub valences: Vec<String>,
    /// Review states; never empty, verified alone by default.
    pub statuses: Vec<Status>,
    /// Severities, 1 to 5.
    pub severities: Vec<u8>,
    /// Channels.
    pub channels: Vec<String>,
    /// Mining modes.
    pub mining_modes: Vec<String>,
    /// Actor types.
    pub actors: Vec<String>,
    /// Nearest known sites; needs the right to fine places.
    pub sites: Vec<String>,
    /// Distance bands to the nearest site.
    pub site_distances: Vec<String>,
    /// Box around the generalised place.
    pub bbox: Option<BoundingBox>,
    /// H3 cells; finer than resolution 5 needs the right to fine places.
    pub h3: Option<CellFilter>,
    /// Flags.
    pub flags: Vec<String>,
    /// Precisions of the place.
    pub geo_precisions: Vec<String>,
    /// With or without a cell.
    pub mapped: Option<bool>,
    /// Text to search, evaluated by whoever may open the sealed text; never shown or logged.
    pub q: Option<TextQuery>,
    /// Count test entries too.
    pub include_test: bool,
    /// Count unsettled country mismatches too.
    pub include_mismatch: bool,
}

/// A box of WGS84 microdegrees, edges included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoundingBox {
    /// Western edge.
    pub west_e6: i32,
    /// Southern edge.
    pub south_e6: i32,
    /// Eastern edge, not west of the western.
    pub east_e6: i32,
    /// Northern edge, not south of the southern.
    pub north_e6: i32,
}

/// H3 cells of one resolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellFilter {
    /// Resolution of all of them, 0 to 7.
    pub resolution: u8,
    /// Sorted cell numbers, at least one.
    pub cells: Vec<u64>,
}

/// Why a query is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// No such parameter here: a typo must not widen a query (400).
    #[error("unknown parameter {name}{}", suggest(.did_you_mean.as_deref(), "; did you mean ", "?"))]
    UnknownParameter {
        /// As sent.
        name: String,
        /// The nearest name that exists.
        did_you_mean: Option<String>,
    },
    /// The value is not one of those possible (422).
    #[error("{parameter} {value:?} is not {}", .expected.en)]
    Invalid {
        /// Name of the parameter.
        parameter: String,
        /// As sent, shortened; empty for text searched for.
        value: String,
        /// What would be right.
        expected: Expected,
    },
    /// A place that does not exist or is not the caller's; which of the two is not told (404).
    #[error("{parameter} {value:?} is not known")]
    NotFound {
        /// Name of the parameter.
        parameter: String,
        /// As sent.
        value: String,
    },
    /// A place finer than the caller may see (403).
    #[error("{parameter} needs the right to see fine places")]
    Forbidden {
        /// Name of the parameter.
        parameter: String,
    },
}

/// What a value should have been, in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// English, follows "is not".
    pub en: String,
    /// French, follows "n’est pas".
    pub fr: String,
}

impl FilterError {
    /// Builds the refusal of a value.
    pub fn invalid(
        parameter: &str,
        value: &str,
        en: impl Into<String>,
        fr: impl Into<String>,
    ) -> Self {
        let value = value.chars().take(MAX_ECHO_CHARS).collect();
        Self::Invalid {
            parameter: parameter.to_owned(),
            value,
            expected: Expected { en: en.into(), fr: fr.into() },
        }
    }

    /// Builds the answer for a place that does not exist or is not the caller's.
    pub fn not_found(parameter: &str, value: &str) -> Self {
        let value = value.chars().take(MAX_ECHO_CHARS).collect();
        Self::NotFound { parameter: parameter.to_owned(), value }
    }

    /// Returns the parameter it is about.
    pub fn parameter(&self) -> &str {
        match self {
            Self::UnknownParameter { name, .. } => name,
            Self::Invalid { parameter, .. }
            | Self::NotFound { parameter, .. }
            | Self::Forbidden { parameter } => parameter,
        }
    }

    /// Returns the message in English.
    pub fn message_en(&self) -> String {
        self.to_string()
    }

    /// Returns the message in French.
    pub fn message_fr(&self) -> String {
        match self {
            Self::UnknownParameter { name, did_you_mean } => {
                format!(
                    "paramètre inconnu {name}{}",
                    suggest(did_you_mean.as_deref(), " ; vouliez-vous dire ", " ?")
                )
            }
            Self::Invalid { parameter, value, expected } => {
                format!("{parameter} « {value} » n’est pas {}", expected.fr)
            }
            Self::NotFound { parameter, value } => {
                format!("{parameter} « {value} » n’est pas connu")
            }
            Self::Forbidden { parameter } => {
                format!("{parameter} demande le droit de voir les lieux précis")
            }
        }
    }
}

impl Default for IncidentFilter {
    fn default() -> Self {
        Self {
            from: None,
            to: None,
            countries: Vec::new(),
            regions: Vec::new(),
            admin1: Vec::new(),
            admin2: Vec::new(),
            categories: Vec::new(),
            valences: Vec::new(),
            statuses: vec![Status::Verified],
            severities: Vec::new(),
            channels: Vec::new(),
            mining_modes: Vec::new(),
            actors: Vec::new(),
            sites: Vec::new(),
            site_distances: Vec::new(),
            bbox: None,
            h3: None,
            flags: Vec::new(),
            geo_precisions: Vec::new(),
            mapped: None,
            q: None,
            include_test: false,
            include_mismatch: false,
        }
    }
}

impl IncidentFilter {
    /// Returns the filter as answers echo it: what was given, and the status.
    pub fn canonical(&self) -> CanonicalFilters {
        CanonicalFilters {
            from: self.from,
            to: self.to,
            country: given(&self.countries),
            region: given(&self.regions),
            admin1: given(&self.admin1),
            admin2: given(&self.admin2),
            category: given(&self.categories),
            valence: given(&self.valences),
            status: self.statuses.iter().map(|status| status.as_str().to_owned()).collect(),
            severity: given(&self.severities),
            channel: given(&self.channels),
            mining_mode: given(&self.mining_modes),
            actor: given(&self.actors),
            site: given(&self.sites),
            site_distance: given(&self.site_distances),
            bbox: self.bbox.map(BoundingBox::degrees),
            h3: self
                .h3
                .as_ref()
                .map(|filter| filter.cells.iter().copied().map(cells::format).collect()),
            flag: given(&self.flags),
            precision: given(&self.geo_precisions),
            mapped: self.mapped,
            q: self.q.as_ref().map(|_| true),
            include: self.list_included(),
        }
    }

    /// Returns a string that is equal for equal filters, to bind a cursor to its query.
    ///
    /// It holds the searched text: hash it, do not show or log it.
    pub fn binding(&self) -> String {
        format!("{self:?}")
    }

    fn list_included(&self) -> Option<Vec<String>> {
        let mut included = Vec::new();
        if self.include_test {
            included.push("test".to_owned());
        }
        if self.include_mismatch {
            included.push("mismatch".to_owned());
        }
        (!included.is_empty()).then_some(included)
    }
}

impl BoundingBox {
    /// Tells whether a place, longitude then latitude in microdegrees, lies inside or on the edge.
    pub fn contains(self, (lon_e6, lat_e6): (i32, i32)) -> bool {
        (self.west_e6..=self.east_e6).contains(&lon_e6)
            && (self.south_e6..=self.north_e6).contains(&lat_e6)
    }

    fn degrees(self) -> [f64; 4] {
        [self.west_e6, self.south_e6, self.east_e6, self.north_e6]
            .map(|edge_e6| f64::from(edge_e6) / 1e6)
    }
}

/// The filter in force, as answers echo it.
///
/// # Shape
/// Only what was given, and `status`. The text searched for is not repeated: `q` is just `true`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub struct CanonicalFilters {
    /// First local day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date, example = "2024-03-01")]
    pub from: Option<NaiveDate>,
    /// Last local day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date, example = "2024-03-31")]
    pub to: Option<NaiveDate>,
    /// Alpha-3 codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<Vec<String>>,
    /// Region codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Vec<String>>,
    /// First-level area codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin1: Option<Vec<String>>,
    /// Second-level area codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin2: Option<Vec<String>>,
    /// Category codes, leaves or parents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Vec<String>>,
    /// Valence codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valence: Option<Vec<String>>,
    /// Review states.
    pub status: Vec<String>,
    /// 1 to 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Vec<u8>>,
    /// Channel codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Vec<String>>,
    /// Mining mode codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mining_mode: Option<Vec<String>>,
    /// Actor type codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Vec<String>>,
    /// Site ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<Vec<String>>,
    /// Distance bands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site_distance: Option<Vec<String>>,
    /// West, south, east, north in degrees.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<f64>>)]
    pub bbox: Option<[f64; 4]>,
    /// H3 cells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub h3: Option<Vec<String>>,
    /// Flags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<Vec<String>>,
    /// Precisions of the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<Vec<String>>,
    /// With or without a cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapped: Option<bool>,
    /// A text was searched for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<bool>,
    /// What is counted beyond the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include: Option<Vec<String>>,
}

fn given<T: Clone>(values: &[T]) -> Option<Vec<T>> {
    (!values.is_empty()).then(|| values.to_vec())
}

fn suggest(name: Option<&str>, before: &str, after: &str) -> String {
    name.map_or_else(String::new, |name| format!("{before}{name}{after}"))
}
