//! Imported boundary packs: the areas of one country and level, in the compact form they are kept in.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use geo::{LineString, MultiPolygon};

use crate::geo::areas::{Area, PackSource};
use crate::geo::countries::CountryCode;
use crate::geo::error::DataError;
use crate::geo::pack::{PackedArea, STEPS_PER_DEGREE, unpack};

/// What errors call an imported pack.
const FILE: &str = "boundary pack";

/// Which division of a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// First-level areas.
    Admin1,
    /// Second-level areas.
    Admin2,
}

impl Level {
    /// Returns 1 or 2.
    pub fn number(self) -> i16 {
        match self {
            Level::Admin1 => 1,
            Level::Admin2 => 2,
        }
    }

    /// Reads 1 or 2.
    pub fn parse(number: i64) -> Option<Level> {
        match number {
            1 => Some(Level::Admin1),
            2 => Some(Level::Admin2),
            _ => None,
        }
    }
}

/// All areas of one level of one country, from one data set.
#[derive(Debug, Clone)]
pub struct Pack {
    /// The level.
    pub level: Level,
    /// The country.
    pub country: CountryCode,
    /// The data set.
    pub source: PackSource,
    /// The areas with their shapes.
    pub areas: Vec<(Area, MultiPolygon)>,
}

/// Returns the compact form of areas: gzipped JSON, each ring as steps of 1e-4 degrees.
///
/// # Errors
/// When the areas cannot be written, which does not happen in memory.
pub fn encode<'a>(
    areas: impl IntoIterator<Item = &'a (Area, MultiPolygon)>,
) -> std::io::Result<Vec<u8>> {
    let mut zip = GzEncoder::new(Vec::new(), Compression::best());
    zip.write_all(b"[")?;
    for (position, (area, shape)) in areas.into_iter().enumerate() {
        if position > 0 {
            zip.write_all(b",")?;
        }
        serde_json::to_writer(&mut zip, &pack(area, shape))?;
    }
    zip.write_all(b"]")?;
    zip.finish()
}

/// Reads what [`encode`] wrote.
///
/// # Errors
/// When the bytes are damaged.
pub fn decode(content: &[u8]) -> Result<Vec<(Area, MultiPolygon)>, DataError> {
    let mut json = Vec::new();
    GzDecoder::new(content)
        .read_to_end(&mut json)
        .map_err(|error| DataError::value(FILE, error.to_string()))?;
    let packed: Vec<PackedArea> =
        serde_json::from_slice(&json).map_err(|source| DataError::Json { file: FILE, source })?;
    packed.into_iter().map(|area| unpack(FILE, area)).collect()
}

fn pack(area: &Area, shape: &MultiPolygon) -> PackedArea {
    let rings = |polygon: &geo::Polygon| {
        std::iter::once(polygon.exterior()).chain(polygon.interiors()).map(steps).collect()
    };
    PackedArea {
        id: area.id.as_str().to_owned(),
        country: area.country.as_str().to_owned(),
        name_en: area.name_en.clone(),
        name_fr: area.name_fr.clone(),
        aliases: area.aliases.clone(),
        zone: area.zone.name().to_owned(),
        polygons: shape.iter().map(rings).collect(),
    }
}

/// Returns a ring as steps from 0,0: lon, lat, lon, lat, ...
fn steps(ring: &LineString) -> Vec<i32> {
    let (mut lon, mut lat) = (0, 0);
    let step = |coord: &geo::Coord| {
        let (next_lon, next_lat) = (whole_steps(coord.x), whole_steps(coord.y));
        let step = [next_lon - lon, next_lat - lat];
        (lon, lat) = (next_lon, next_lat);
        step
    };
    ring.0.iter().flat_map(step).collect()
}

/// Returns degrees as whole steps of 1e-4.
pub fn whole_steps(degrees: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "at most 1,800,000")]
    let steps = (degrees.clamp(-180.0, 180.0) * STEPS_PER_DEGREE).round() as i32;
    steps
}

/// Returns whole steps as degrees.
pub fn degrees(steps: i32) -> f64 {
    f64::from(steps) / STEPS_PER_DEGREE
}
