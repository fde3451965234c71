//! Why a boundary file is not imported. Nothing is stored then, and the packs that are there stay.

use crate::geo::areas::AreaId;
use crate::geo::countries::CountryCode;

/// What every message about the reference system ends with.
const AS_WGS84: &str = "export it as WGS 84 (EPSG:4326), longitude first";

/// Why a file is refused; the message names feature, property and value, and says what to do.
///
/// Features are counted from 1, as the file has them.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are the values in the messages")]
pub enum Refusal {
    /// The file cannot be read.
    #[error("cannot read the file: {0}")]
    Io(#[from] std::io::Error),
    /// Larger than memory should bear.
    #[error(
        "the file holds more than {limit_mb} MB: simplify it first, or import one country at a time"
    )]
    TooLarge { limit_mb: u64 },
    /// Too many positions.
    #[error("the areas have more than {limit} positions: simplify them to some 10 m first")]
    TooFine { limit: usize },
    /// No JSON at all.
    #[error("this is not JSON: {detail}; a GeoJSON file is needed, gzipped or not")]
    NotJson { detail: String },
    /// JSON of another kind.
    #[error("this is not a GeoJSON FeatureCollection: {detail}")]
    NotGeoJson { detail: String },
    /// Nothing in it.
    #[error("the file has no features{skipped}")]
    NoFeatures { skipped: &'static str },
    /// Another reference system.
    #[error("its reference system is {name:?}, and only WGS 84 is read: {AS_WGS84}")]
    Crs { name: String },
    /// Numbers that are no degrees.
    #[error("feature {feature}: {lon}, {lat} is no longitude, latitude in degrees: {AS_WGS84}")]
    NotDegrees { feature: usize, lon: f64, lat: f64 },
    /// Latitude first.
    #[error(
        "{n_swapped} of {n_areas} areas lie in their countries only with longitude and latitude exchanged \
         (feature {feature} says {country}): the file has latitude first; {AS_WGS84}"
    )]
    Axes { n_swapped: usize, n_areas: usize, feature: usize, country: CountryCode },
    /// Elsewhere.
    #[error(
        "{n_outside} of {n_areas} areas do not lie in their countries (feature {feature} says {country} and lies in \
         {found}): check the country codes and the reference system"
    )]
    Elsewhere {
        n_outside: usize,
        n_areas: usize,
        feature: usize,
        country: CountryCode,
        found: String,
    },
    /// No polygon.
    #[error(
        "feature {feature} is a {kind}, and an area is a Polygon or MultiPolygon: leave it out"
    )]
    NotAnArea { feature: usize, kind: String },
    /// Nothing drawn.
    #[error("feature {feature} has no shape: draw it, or leave it out")]
    Empty { feature: usize },
    /// Unreadable numbers.
    #[error("feature {feature}: its coordinates cannot be read: {detail}")]
    Coordinates { feature: usize, detail: String },
    /// An open or short ring.
    #[error("feature {feature}: ring {ring} {fault}: mend it (QGIS: Fix geometries)")]
    Ring { feature: usize, ring: usize, fault: String },
    /// A ring that crosses itself.
    #[error(
        "feature {feature}: ring {ring} crosses itself near lat {lat:.2}, lon {lon:.2} and so encloses no certain \
         ground: mend it (QGIS: Fix geometries)"
    )]
    Crossing { feature: usize, ring: usize, lat: f64, lon: f64 },
    /// A country that is none of ours.
    #[error(
        "feature {feature}: {property} is {value:?}, which is no country taken in here ({known}); name the countries to \
         import with --country"
    )]
    Country { feature: usize, property: String, value: String, known: String },
    /// Nothing says where it is.
    #[error(
        "feature {feature} names no country and lies in {found}: add a property such as ADM0_PCODE or iso3, or name the \
         countries to import with --country"
    )]
    NoCountry { feature: usize, found: String },
    /// No code.
    #[error("feature {feature} has no code: one of the properties {expected} is needed")]
    NoCode { feature: usize, expected: String },
    /// A code that cannot be part of an id.
    #[error("feature {feature}: the code {value:?} has no letter or digit, or more than 32")]
    BadCode { feature: usize, value: String },
    /// The same code twice.
    #[error("features {first} and {second} are both {id}: give each its own code, or join them")]
    Duplicate { first: usize, second: usize, id: AreaId },
    /// Which level is not told.
    #[error("the file does not say which level its areas are: give --level 1 or --level 2")]
    LevelUnknown,
    /// Two levels.
    #[error(
        "feature {feature} is of level {found}, not {level}: import each level by itself, and only levels 1 and 2"
    )]
    Level { feature: usize, found: i64, level: i64 },
    /// Where it comes from is not told.
    #[error("the file does not say {what}: give {option}")]
    Provenance { what: &'static str, option: &'static str },
    /// A year that cannot be.
    #[error("the year {year} is outside 1900..=2100")]
    Year { year: i64 },
    /// A first level with holes as large as provinces.
    #[error(
        "the areas cover {percent} % of {country}, and a first level must cover a country: import the whole country, or \
         leave it out by naming others with --country"
    )]
    Partial { country: CountryCode, percent: usize },
}
