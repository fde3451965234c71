//! Reads the built-in admin1 pack: the drawn areas and the current ones that it cannot draw. Imported packs are kept in
//! the same form ([`PackedArea`]).

use std::io::Read;

use chrono_tz::Tz;
use flate2::read::GzDecoder;
use geo::{Coord, LineString, MultiPolygon, Polygon};
use serde::{Deserialize, Serialize};

use crate::geo::areas::{Area, AreaId};
use crate::geo::countries::CountryCode;
use crate::geo::error::DataError;

const PACK: &str = "admin1.json.gz";
const CURRENT: &str = "admin1_current.csv";

/// Steps of a ring are in units of 1e-4 degrees (`build_admin1.mjs`): at most 11 m.
pub(crate) const STEPS_PER_DEGREE: f64 = 10_000.0;

/// An area as it is stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct PackedArea {
    pub(crate) id: String,
    pub(crate) country: String,
    pub(crate) name_en: String,
    pub(crate) name_fr: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) zone: String,
    /// Rings of each polygon, the outer one first, as steps lon, lat, lon, lat, ...
    pub(crate) polygons: Vec<Vec<Vec<i32>>>,
}

#[derive(Deserialize)]
struct CurrentLine {
    id: String,
    country: String,
    former: String,
    name_en: String,
    name_fr: String,
    zone: String,
}

/// Reads the areas that have a shape.
pub(crate) fn read_drawn() -> Result<Vec<(Area, MultiPolygon)>, DataError> {
    let mut json = Vec::new();
    GzDecoder::new(include_bytes!("data/admin1.json.gz").as_slice())
        .read_to_end(&mut json)
        .map_err(|error| DataError::value(PACK, error.to_string()))?;
    let packed: Vec<PackedArea> =
        serde_json::from_slice(&json).map_err(|source| DataError::Json { file: PACK, source })?;
    packed.into_iter().map(|area| unpack(PACK, area)).collect()
}

/// Reads the areas of today that lie somewhere inside areas drawn as they were.
pub(crate) fn read_current() -> Result<Vec<Area>, DataError> {
    csv::Reader::from_reader(include_str!("data/admin1_current.csv").as_bytes())
        .into_deserialize::<CurrentLine>()
        .map(|line| {
            let line = line.map_err(|source| DataError::Csv { file: CURRENT, source })?;
            Ok(Area {
                id: area_id(CURRENT, &line.id)?,
                country: country(CURRENT, &line.country)?,
                name_en: line.name_en,
                name_fr: line.name_fr,
                aliases: Vec::new(),
                zone: zone(CURRENT, &line.zone)?,
                former: line
                    .former
                    .split('|')
                    .map(|id| area_id(CURRENT, id))
                    .collect::<Result<_, _>>()?,
            })
        })
        .collect()
}

/// Reads a stored area of the pack `file`.
pub(crate) fn unpack(
    file: &'static str,
    packed: PackedArea,
) -> Result<(Area, MultiPolygon), DataError> {
    let shape = packed
        .polygons
        .into_iter()
        .map(|rings| {
            let mut rings = rings.iter().map(|steps| ring(steps));
            let exterior = rings.next().unwrap_or_else(LineString::empty);
            Polygon::new(exterior, rings.collect())
        })
        .collect();
    let area = Area {
        id: area_id(file, &packed.id)?,
        country: country(file, &packed.country)?,
        name_en: packed.name_en,
        name_fr: packed.name_fr,
        aliases: packed.aliases,
        zone: zone(file, &packed.zone)?,
        former: Vec::new(),
    };
    Ok((area, shape))
}

/// Sums up the steps lon, lat, lon, lat, ... of a ring.
fn ring(steps: &[i32]) -> LineString {
    let (mut lon, mut lat) = (0, 0);
    steps
        .as_chunks::<2>()
        .0
        .iter()
        .map(|[east, north]| {
            lon += east;
            lat += north;
            Coord { x: f64::from(lon) / STEPS_PER_DEGREE, y: f64::from(lat) / STEPS_PER_DEGREE }
        })
        .collect()
}

fn area_id(file: &'static str, text: &str) -> Result<AreaId, DataError> {
    AreaId::parse(text).ok_or_else(|| DataError::value(file, format!("{text:?} is not an area id")))
}

fn country(file: &'static str, text: &str) -> Result<CountryCode, DataError> {
    CountryCode::from_alpha3(text)
        .ok_or_else(|| DataError::value(file, format!("{text:?} is not an alpha-3 code")))
}

fn zone(file: &'static str, text: &str) -> Result<Tz, DataError> {
    text.parse().map_err(|error| DataError::value(file, format!("zone {text:?}: {error}")))
}
