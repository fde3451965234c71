//! Places by name and by point: towns and villages, known sites, first-level areas.
//!
//! Knows no report: it turns a name or a phrase into places (`Geo::find_place` in `find.rs`), the beginning of a
//! name into suggestions (`suggest.rs`), and a point into its nearest places. `phrase.rs` reads "près de Tortiya",
//! `spelling.rs` says what sounds alike, `index.rs` finds a spelling without walking through all of them.
//!
//! # Source
//! `GeoNames`, CC-BY 4.0, as `data/build_places.mjs` packs it.

mod find;
#[cfg(test)]
mod find_tests;
mod index;
mod load;
mod phrase;
mod spelling;
mod suggest;

use std::sync::Arc;

use rstar::RTree;
use rstar::primitives::GeomWithData;

use crate::geo::areas::AreaId;
use crate::geo::countries::CountryCode;
use crate::geo::gazetteer::index::Names;
use crate::geo::lonlat::LonLat;
use crate::geo::sites::{SiteId, chord_to_metres};

pub use crate::geo::gazetteer::find::{Found, Within};

/// What a place of the gazetteer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceKind {
    /// A town or village.
    Town,
    /// A known site.
    Site(SiteId),
    /// A first-level area.
    Area(AreaId),
}

impl PlaceKind {
    /// Returns the code.
    pub fn as_str(&self) -> &'static str {
        match self {
            PlaceKind::Town => "town",
            PlaceKind::Site(_) => "site",
            PlaceKind::Area(_) => "admin1",
        }
    }
}

/// A named place.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Its usual name.
    pub name: Arc<str>,
    /// What it is.
    pub kind: PlaceKind,
    /// The country it lies in.
    pub country: CountryCode,
    /// The area of today it lies in, where the source is sure.
    pub area: Option<AreaId>,
    /// Name of the second-level area, where the source has one.
    pub admin2: Option<Arc<str>>,
    /// Its point; none for an area and for a site of which only the area is known.
    pub point: Option<LonLat>,
    /// Inhabitants, 0 where unknown.
    pub population: u32,
}

/// All places, by name and by point.
pub struct Gazetteer {
    places: Vec<Place>,
    names: Names,
    /// Towns only, on the unit sphere.
    towns: RTree<GeomWithData<[f64; 3], u32>>,
}

impl Gazetteer {
    fn new(places: Vec<Place>, names: Names) -> Gazetteer {
        let towns = (0_u32..)
            .zip(&places)
            .filter(|(_, place)| place.kind == PlaceKind::Town)
            .filter_map(|(index, place)| Some(GeomWithData::new(place.point?.unit_vector(), index)))
            .collect();
        Gazetteer { places, names, towns: RTree::bulk_load(towns) }
    }

    /// Lists all places: towns by country and name, then sites, then areas.
    pub fn iter(&self) -> impl Iterator<Item = &Place> {
        self.places.iter()
    }

    /// Lists towns, nearest first, with their distance in metres.
    pub fn towns_near(&self, point: LonLat) -> impl Iterator<Item = (&Place, f64)> {
        self.towns
            .nearest_neighbor_iter_with_distance_2(&point.unit_vector())
            .filter_map(|(entry, chord2)| Some((self.place(entry.data)?, chord_to_metres(chord2))))
    }

    fn place(&self, index: u32) -> Option<&Place> {
        self.places.get(usize::try_from(index).ok()?)
    }
}
