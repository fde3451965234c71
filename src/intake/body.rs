//! A report as clients send it. Every field is told in `api-spec/fields.csv`; unknown ones are refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A report as sent. Everything is optional except a narrative or one category.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = Report, example = json!({
    "id": "3f2a9c1e-8b7d-4e65-9a10-5c3d2b1a0f9e", "occurred": "2024-03-05",
    "location": {"lat": 8.644, "lon": -10.971, "country": "SLE"},
    "categories": ["rights.life_integrity.assault_injury"],
    "narrative": "Two diggers were beaten by guards at the pit.", "language": "en",
    "harm": {"injured": 2}
}))]
pub struct ReportBody {
    /// The client's UUID: the same id again is a retry. Needed from device keys, NDJSON and imports.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub id: Option<String>,
    /// The report this one follows up, by its id.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub follows: Option<String>,
    /// When it happened: an instant with offset, a day, a month, a year, or `day/day`.
    #[schema(example = "2024-03-05")]
    pub occurred: Option<String>,
    /// Where it happened.
    pub location: Option<LocationBody>,
    /// Leaf codes of `GET /v1/taxonomy`, the primary one first.
    #[schema(max_items = 20)]
    pub categories: Vec<String>,
    /// What happened, in the witness's words.
    #[schema(max_length = 20000)]
    pub narrative: Option<String>,
    /// Language of the narrative, ISO 639-1 or 639-3.
    #[schema(example = "fr", pattern = "^[a-z]{2,3}$")]
    pub language: Option<String>,
    /// People harmed, by `affected_count` code.
    pub harm: BTreeMap<String, CountBody>,
    /// Who took part.
    #[schema(max_items = 50)]
    pub actors: Vec<ActorBody>,
    /// People concerned; sealed apart from the narrative.
    #[schema(max_items = 100)]
    pub people: Vec<PersonBody>,
    /// `mining_mode` code.
    #[schema(example = "artisanal")]
    pub mining_mode: Option<String>,
    /// The company concerned.
    #[schema(max_length = 300)]
    pub company: Option<String>,
    /// Details of smuggling.
    pub smuggling: Option<SmugglingBody>,
    /// Details of environmental harm or care.
    pub environment: Option<EnvironmentBody>,
    /// Details of governance.
    pub governance: Option<GovernanceBody>,
    /// Where the report has it from.
    pub source: Option<SourceBody>,
    /// Whether it goes on.
    pub ongoing: Option<bool>,
    /// Whether this is only a test; counted nowhere.
    pub test: Option<bool>,
}

/// Where it happened.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ReportLocation)]
pub struct LocationBody {
    /// Latitude, WGS84 decimal degrees, -90..=90.
    #[schema(value_type = Option<f64>, minimum = -90, maximum = 90)]
    pub lat: Option<serde_json::Value>,
    /// Longitude, WGS84 decimal degrees, -180..=180.
    #[schema(value_type = Option<f64>, minimum = -180, maximum = 180)]
    pub lon: Option<serde_json::Value>,
    /// Radius of the fix in metres.
    #[schema(minimum = 0, maximum = 100_000)]
    pub accuracy_m: Option<f64>,
    /// ISO 3166-1 alpha-3 or alpha-2.
    #[schema(example = "SLE")]
    pub country: Option<String>,
    /// First-level area: its ISO 3166-2 code or its name.
    #[schema(max_length = 100)]
    pub admin1: Option<String>,
    /// The place in words.
    #[schema(max_length = 300)]
    pub place: Option<String>,
    /// Id of a known site.
    #[schema(max_length = 64)]
    pub site: Option<String>,
}

/// A number of people: exact, or at least and at most, with parts where known.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(untagged, expecting = "a whole number, or {\"min\", \"max\", \"by\"}")]
#[schema(as = Count)]
pub enum CountBody {
    /// Exactly so many.
    Exact(u32),
    /// Between two numbers, with parts by sex and age.
    Range(CountRangeBody),
}

/// A number of people between two bounds.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = CountRange)]
pub struct CountRangeBody {
    /// At least.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub min: Option<u32>,
    /// At most.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub max: Option<u32>,
    /// How many of them, by `sex_age` code.
    pub by: BTreeMap<String, u32>,
}

/// Somebody who took part.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Actor)]
pub struct ActorBody {
    /// `actor_type` code.
    #[serde(rename = "type")]
    #[schema(example = "private_security")]
    pub kind: String,
    /// `actor_role` code.
    #[schema(example = "perpetrator")]
    pub role: Option<String>,
    /// Name or unit; sealed.
    #[schema(max_length = 300)]
    pub name: Option<String>,
}

/// Somebody concerned.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = Person)]
pub struct PersonBody {
    /// Name; sealed.
    #[schema(max_length = 300)]
    pub name: Option<String>,
    /// Phone, address or other way to reach them; sealed.
    #[schema(max_length = 300)]
    pub contact: Option<String>,
    /// `victim`, `witness`, `relative`, `alleged_perpetrator` or `other`.
    pub role: Option<String>,
    /// `sex_age` code.
    pub sex_age: Option<String>,
    /// `affected_group` code.
    pub group: Option<String>,
    /// Anything else; sealed.
    #[schema(max_length = 2000)]
    pub note: Option<String>,
}

/// Details of smuggling; sealed.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = Smuggling)]
pub struct SmugglingBody {
    /// Weight in carats.
    #[schema(minimum = 0)]
    pub carats: Option<f64>,
    /// Value of the goods, in `currency`.
    #[schema(minimum = 0)]
    pub value: Option<f64>,
    /// ISO 4217 code.
    #[schema(pattern = "^[A-Z]{3}$")]
    pub currency: Option<String>,
    /// Where the goods come from.
    #[schema(max_length = 300)]
    pub origin: Option<String>,
    /// Where they go.
    #[schema(max_length = 300)]
    pub destination: Option<String>,
    /// The way they take.
    #[schema(max_length = 300)]
    pub route: Option<String>,
    /// Kimberley Process certificate, as written on it.
    #[schema(max_length = 100)]
    pub kp_certificate: Option<String>,
}

/// Details of environmental harm or care; sealed.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = Environment)]
pub struct EnvironmentBody {
    /// `water`, `soil`, `air`, `forest`, `wildlife` or `other`.
    pub medium: Option<String>,
    /// What pollutes.
    #[schema(max_length = 300)]
    pub pollutant: Option<String>,
    /// Area concerned in hectares.
    #[schema(minimum = 0)]
    pub area_ha: Option<f64>,
}

/// Details of governance; sealed.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = Governance)]
pub struct GovernanceBody {
    /// `good` or `bad`.
    pub practice: Option<String>,
    /// What it is about.
    #[schema(max_length = 300)]
    pub subject: Option<String>,
    /// Amount of money, in `currency`.
    #[schema(minimum = 0)]
    pub amount: Option<f64>,
    /// ISO 4217 code.
    #[schema(pattern = "^[A-Z]{3}$")]
    pub currency: Option<String>,
}

/// Where the report has it from.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = Source)]
pub struct SourceBody {
    /// `source_type` code.
    #[serde(rename = "type")]
    #[schema(example = "witness")]
    pub kind: Option<String>,
    /// `source_reliability` code, A to F.
    #[schema(example = "B")]
    pub reliability: Option<String>,
    /// Name; sealed.
    #[schema(max_length = 300)]
    pub name: Option<String>,
    /// Phone, address or other way to reach them; sealed.
    #[schema(max_length = 300)]
    pub contact: Option<String>,
    /// `consent` code. Without one the report is counted and never quoted.
    pub consent: Option<String>,
    /// Whether the source is in danger.
    pub at_risk: Option<bool>,
}
