//! A report whose every field has been checked.
//!
//! Its JSON form is canonical: the same testimony gives the same bytes, whichever way its client wrote it. Its MAC
//! tells a retry from a conflict, and its parts are what is sealed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::geo::areas::AreaId;
use crate::geo::countries::CountryCode;
use crate::geo::lonlat::LonLat;
use crate::geo::sites::SiteId;
use crate::ids::ReportId;
use crate::intake::occurred::Occurred;

/// Version of the canonical form; it is part of the MAC, so that a change never makes old retries look like conflicts
/// silently.
pub const CANONICAL_VERSION: u8 = 1;

/// A checked report.
#[derive(Debug, Clone)]
pub struct NewReport {
    /// The client's id, where it gave one.
    pub id: Option<ReportId>,
    /// When it happened.
    pub occurred: Option<Occurred>,
    /// Where, as claimed.
    pub place: ClaimedPlace,
    /// Everything else, in canonical form.
    pub content: Content,
}

/// Where it happened, as claimed and checked field by field (not yet against each other).
#[derive(Debug, Clone, Default)]
pub struct ClaimedPlace {
    /// The fix.
    pub point: Option<LonLat>,
    /// The declared country.
    pub country: Option<CountryCode>,
    /// The declared first-level area.
    pub admin1: Option<AreaId>,
    /// The declared site.
    pub site: Option<SiteId>,
}

/// The canonical form, as JSON objects of the shape clients send. Absent is absent, never null.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Content {
    /// See `api-spec/fields.csv` for this and every other field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follows: Option<ReportId>,
    /// In the canonical spelling of [`Occurred`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred: Option<String>,
    /// As claimed.
    #[serde(skip_serializing_if = "Location::is_empty")]
    pub location: Location,
    /// Leaf codes, primary first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// The witness's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub narrative: Option<String>,
    /// ISO 639 code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// By measure.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub harm: BTreeMap<String, Count>,
    /// In the sender's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actors: Vec<Actor>,
    /// In the sender's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
    /// `mining_mode` code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mining_mode: Option<String>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smuggling: Option<Smuggling>,
    /// Checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// Checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub governance: Option<Governance>,
    /// Checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Absent is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ongoing: Option<bool>,
    /// Present only when true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
}

/// See [`crate::intake::body::LocationBody`].
#[expect(missing_docs, reason = "the fields are those of the body, told there and in fields.csv")]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lat: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lon: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy_m: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
}

impl Location {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A number of people, `min <= max`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// At least.
    pub min: u32,
    /// At most.
    pub max: u32,
    /// How many of them, by `sex_age` code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by: BTreeMap<String, u32>,
}

/// Somebody who took part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// `actor_type` code.
    #[serde(rename = "type")]
    pub kind: String,
    /// `actor_role` code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// See [`crate::intake::body::PersonBody`].
#[expect(missing_docs, reason = "the fields are those of the body, told there and in fields.csv")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Person {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sex_age: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// See [`crate::intake::body::SmugglingBody`].
#[expect(missing_docs, reason = "the fields are those of the body, told there and in fields.csv")]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Smuggling {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carats: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kp_certificate: Option<String>,
}

/// See [`crate::intake::body::EnvironmentBody`].
#[expect(missing_docs, reason = "the fields are those of the body, told there and in fields.csv")]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Environment {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pollutant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area_ha: Option<f64>,
}

/// See [`crate::intake::body::GovernanceBody`].
#[expect(missing_docs, reason = "the fields are those of the body, told there and in fields.csv")]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Governance {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub practice: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// See [`crate::intake::body::SourceBody`].
#[expect(missing_docs, reason = "the fields are those of the body, told there and in fields.csv")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Source {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reliability: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_risk: Option<bool>,
}
