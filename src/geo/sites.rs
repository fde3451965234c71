//! Known diamond sites, and the nearest of them.

use std::fmt;
use std::sync::Arc;

use rstar::RTree;
use rstar::primitives::GeomWithData;
use serde::Deserialize;

use crate::geo::countries::{Countries, CountryCode};
use crate::geo::error::DataError;
use crate::geo::lonlat::{EARTH_RADIUS_M, LonLat};

const FILE: &str = "sites.csv";

/// The stable name of a site, such as `usgs-ago034` or `town-sl-001`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId(Arc<str>);

impl SiteId {
    /// Returns the id when `text` has the shape of one: 1 to 64 lower-case ASCII letters, digits
    /// and hyphens.
    pub fn parse(text: &str) -> Option<SiteId> {
        let is_id = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        is_id.then(|| SiteId(text.into()))
    }

    /// Returns the text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How well the point of a site is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SitePrecision {
    /// Seen at this point.
    Exact,
    /// Within some kilometres.
    Approximate,
    /// The point is that of the town.
    Town,
    /// The point stands for a wider area.
    Area,
    /// Nobody has checked the point.
    Unverified,
}

impl SitePrecision {
    /// Returns the code.
    pub fn as_str(self) -> &'static str {
        match self {
            SitePrecision::Exact => "exact",
            SitePrecision::Approximate => "approximate",
            SitePrecision::Town => "town",
            SitePrecision::Area => "area",
            SitePrecision::Unverified => "unverified",
        }
    }

    /// Says whether the point may stand for the place of an event at this site.
    pub fn is_a_place(self) -> bool {
        match self {
            SitePrecision::Exact | SitePrecision::Approximate | SitePrecision::Town => true,
            SitePrecision::Area | SitePrecision::Unverified => false,
        }
    }
}

/// A known mine or mining town.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// Stable id.
    pub id: SiteId,
    /// Its usual name.
    pub name: Arc<str>,
    /// The country it lies in.
    pub country: CountryCode,
    /// Its point, as well known as `precision` says.
    pub point: LonLat,
    /// `artisanal_centre`, `artisanal`, `alluvial_industrial` or `industrial_kimberlite`.
    pub kind: String,
    /// `active`, `care_and_maintenance` or `unknown`.
    pub status: String,
    /// The company, where one is known.
    pub operator: Option<String>,
    /// How well the point is known.
    pub precision: SitePrecision,
    /// Where the facts come from.
    pub source: String,
    /// Terms of use of the source.
    pub licence: String,
}

#[derive(Deserialize)]
struct SiteLine {
    id: String,
    name: String,
    iso2: String,
    lat: f64,
    lon: f64,
    kind: String,
    status: String,
    operator: String,
    precision: SitePrecision,
    source: String,
    licence: String,
}

/// All sites and their index.
///
/// The index is over points of the unit sphere: on a map in degrees the nearest site is the wrong
/// one for 2 % of places.
pub struct Sites {
    list: Vec<Site>,
    tree: RTree<GeomWithData<[f64; 3], usize>>,
}

impl Sites {
    /// Reads the built-in table.
    ///
    /// # Errors
    /// When the file is damaged or names a country that is not in `countries`.
    pub fn builtin(countries: &Countries) -> Result<Sites, DataError> {
        let list = csv::Reader::from_reader(include_str!("data/sites.csv").as_bytes())
            .into_deserialize::<SiteLine>()
            .map(|line| {
                let line = line.map_err(|source| DataError::Csv { file: FILE, source })?;
                read_site(line, countries)
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Sites::new(list))
    }

    /// Builds the index over these sites.
    pub fn new(list: Vec<Site>) -> Sites {
        let points = list
            .iter()
            .enumerate()
            .map(|(index, site)| GeomWithData::new(site.point.unit_vector(), index))
            .collect();
        Sites { list, tree: RTree::bulk_load(points) }
    }

    /// Finds a site by its id.
    pub fn find(&self, id: &str) -> Option<&Site> {
        self.list.iter().find(|site| site.id.as_str() == id)
    }

    /// Lists all sites in file order.
    pub fn iter(&self) -> impl Iterator<Item = &Site> {
        self.list.iter()
    }

    /// Returns up to `n` sites within `max_m` metres, with their distance in metres.
    ///
    /// # Shape
    /// Sorted by distance, nearest first; may be empty.
    pub fn nearest(&self, point: LonLat, max_m: f64, n: usize) -> Vec<(&Site, f64)> {
        self.tree
            .nearest_neighbor_iter_with_distance_2(&point.unit_vector())
            .map(|(entry, chord2)| (entry.data, chord_to_metres(chord2)))
            .take_while(|(_, distance_m)| *distance_m <= max_m)
            .take(n)
            .filter_map(|(index, distance_m)| Some((self.list.get(index)?, distance_m)))
            .collect()
    }
}

/// Length of the arc over a chord of the unit sphere, given the chord's square.
pub(crate) fn chord_to_metres(chord2: f64) -> f64 {
    2.0 * EARTH_RADIUS_M * (chord2.sqrt() / 2.0).min(1.0).asin()
}

fn read_site(line: SiteLine, countries: &Countries) -> Result<Site, DataError> {
    let id = SiteId::parse(&line.id)
        .ok_or_else(|| DataError::value(FILE, format!("{:?} is not a site id", line.id)))?;
    let country = countries.parse(&line.iso2).ok_or_else(|| {
        DataError::value(FILE, format!("{id}: country {:?} is unknown", line.iso2))
    })?;
    let point = LonLat::new(line.lon, line.lat)
        .map_err(|error| DataError::value(FILE, format!("{id}: {error}")))?;
    Ok(Site {
        id,
        name: line.name.into(),
        country,
        point,
        kind: line.kind,
        status: line.status,
        operator: Some(line.operator).filter(|operator| !operator.is_empty()),
        precision: line.precision,
        source: line.source,
        licence: line.licence,
    })
}
