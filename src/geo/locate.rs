//! The whole answer to "where is this point".

use std::sync::Arc;

use chrono_tz::Tz;

use crate::geo::areas::{AreaId, Areas, PackSource};
use crate::geo::boundaries::Boundaries;
use crate::geo::cells::Cell;
use crate::geo::countries::{Countries, Country, CountryCode};
use crate::geo::current::AreaBasis;
use crate::geo::error::DataError;
use crate::geo::gazetteer::Gazetteer;
use crate::geo::lonlat::{LonLat, whole_metres};
use crate::geo::packs::{Level, Pack};
use crate::geo::sites::{SiteId, SitePrecision, Sites};

/// Sites further away than this are not named, in metres.
pub const NEARBY_SITE_M: f64 = 50_000.0;
/// No more sites than this are named.
const NEARBY_SITES: usize = 3;

/// All geographic data, read once and shared by everybody.
pub struct Geo {
    countries: Arc<Countries>,
    sites: Arc<Sites>,
    boundaries: Arc<Boundaries>,
    gazetteer: Arc<Gazetteer>,
    builtin: Arc<Areas>,
    areas: Arc<Areas>,
    /// Second-level areas, of the countries that a pack was imported for.
    admin2: Arc<Areas>,
}

/// A known site near a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearSite {
    /// Stable id.
    pub id: SiteId,
    /// Its usual name.
    pub name: Arc<str>,
    /// Great-circle distance in metres.
    pub distance_m: u32,
    /// How well the site's own point is known: beyond `town` the distance is only a hint.
    pub precision: SitePrecision,
}

/// What is known about a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The country, also one we do not work for; `None` on the high seas.
    pub country: Option<CountryCode>,
    /// The area of today at the point, see [`Geo::area_today`].
    pub admin1: Option<AreaId>,
    /// The second-level area that holds the point; a country's pack may leave ground out.
    pub admin2: Option<AreaId>,
    /// The drawn area of that country that holds the point, or the nearest within 5 km.
    pub admin1_drawn: Option<AreaId>,
    /// Whether the point may lie in another area cut from the drawn one.
    pub is_admin1_unsure: bool,
    /// The area's zone, else the country's if it has only one.
    pub zone: Option<Tz>,
    /// Cell of resolution 7.
    pub cell7: Option<Cell>,
    /// The parent of `cell7`, resolution 5.
    pub cell5: Option<Cell>,
    /// Metres to the nearest other country, when below 5 km.
    pub near_border_m: Option<u32>,
    /// In no country; or in one of ours, but more than 5 km from all its areas (territorial sea).
    pub is_off_land: bool,
    /// Up to 3 sites within 50 km, nearest first.
    pub sites: Vec<NearSite>,
    /// Where the shapes of the country's areas come from.
    pub source: PackSource,
    /// Where `admin2` comes from, present when it is.
    pub admin2_source: Option<PackSource>,
}

impl Geo {
    /// Reads the built-in data; takes some tens of milliseconds.
    ///
    /// # Errors
    /// When a file is damaged, which is a fault of the build.
    pub fn builtin() -> Result<Geo, DataError> {
        let countries = Countries::builtin()?;
        let sites = Sites::builtin(&countries)?;
        let builtin = Arc::new(Areas::builtin()?);
        let gazetteer = Gazetteer::builtin(&countries, &builtin, &sites)?;
        Ok(Geo {
            countries: Arc::new(countries),
            sites: Arc::new(sites),
            boundaries: Arc::new(Boundaries::builtin()?),
            gazetteer: Arc::new(gazetteer),
            areas: Arc::clone(&builtin),
            builtin,
            admin2: Arc::new(Areas::none()),
        })
    }

    /// Returns the same data with these packs, and no others, in the place of built-in areas.
    pub fn with_packs(&self, packs: Vec<Pack>) -> Geo {
        let (first, second): (Vec<Pack>, Vec<Pack>) =
            packs.into_iter().partition(|pack| pack.level == Level::Admin1);
        let areas = if first.is_empty() {
            Arc::clone(&self.builtin)
        } else {
            Arc::new(self.builtin.with_packs(first))
        };
        Geo {
            countries: Arc::clone(&self.countries),
            sites: Arc::clone(&self.sites),
            boundaries: Arc::clone(&self.boundaries),
            gazetteer: Arc::clone(&self.gazetteer),
            builtin: Arc::clone(&self.builtin),
            areas,
            admin2: Arc::new(Areas::none().with_packs(second)),
        }
    }

    /// Returns the countries we work for.
    pub fn countries(&self) -> &Countries {
        &self.countries
    }

    /// Returns the first-level areas.
    pub fn areas(&self) -> &Areas {
        &self.areas
    }

    /// Returns the first-level areas without any imported pack.
    pub fn builtin_areas(&self) -> &Areas {
        &self.builtin
    }

    /// Returns the second-level areas.
    pub fn admin2(&self) -> &Areas {
        &self.admin2
    }

    /// Returns the known sites.
    pub fn sites(&self) -> &Sites {
        &self.sites
    }

    /// Returns the country borders.
    pub fn boundaries(&self) -> &Boundaries {
        &self.boundaries
    }

    /// Returns the named places.
    pub fn gazetteer(&self) -> &Gazetteer {
        &self.gazetteer
    }

    /// Says all that is known about a point.
    pub fn locate(&self, point: LonLat) -> Location {
        let country = self.boundaries.country_at(point);
        let ours = country.and_then(|code| self.countries.get(code));
        let drawn = ours.and_then(|country| self.areas.locate(point, country.code));
        let today = drawn.map(|drawn| self.area_today(drawn, point));
        let area = today.map(|(area, _)| area);
        let basis = today.map_or(AreaBasis::Shape, |(_, basis)| basis);
        let admin2 = ours.and_then(|country| self.admin2.covering(point, country.code));
        let cell7 = Cell::at_resolution_7(point);
        Location {
            country,
            admin1: area.map(|area| area.id.clone()),
            admin2: admin2.map(|area| area.id.clone()),
            admin1_drawn: drawn.map(|area| area.id.clone()),
            is_admin1_unsure: basis == AreaBasis::UnsureTown,
            zone: area.map(|area| area.zone).or_else(|| ours.and_then(Country::only_zone)),
            cell7,
            cell5: cell7.and_then(|cell| cell.parent(5)),
            near_border_m: country.and_then(|code| self.boundaries.near_border_m(point, code)),
            is_off_land: country.is_none() || (ours.is_some() && area.is_none()),
            sites: self.sites_near(point),
            source: match basis {
                AreaBasis::Shape => self.areas.source(country),
                AreaBasis::Town | AreaBasis::UnsureTown => self.areas.source(country).by_towns(),
            },
            admin2_source: admin2.map(|area| self.admin2.source(Some(area.country))),
        }
    }

    /// Returns the place that everybody may see: the centre of the cell, moved inside the country
    /// where it falls out.
    ///
    /// # Examples
    /// A report from the bank of the Oubangui in Bangui never shows up as a point in the Congo.
    pub fn generalise(&self, cell5: Cell, country: Option<CountryCode>) -> Option<LonLat> {
        match country {
            Some(code) => cell5.centre_inside(|point| self.boundaries.is_in(point, code)),
            None => cell5.centre(),
        }
    }

    fn sites_near(&self, point: LonLat) -> Vec<NearSite> {
        self.sites
            .nearest(point, NEARBY_SITE_M, NEARBY_SITES)
            .into_iter()
            .map(|(site, distance_m)| NearSite {
                id: site.id.clone(),
                name: Arc::clone(&site.name),
                distance_m: whole_metres(distance_m),
                precision: site.precision,
            })
            .collect()
    }
}
