//! The country of a point.

use std::collections::HashMap;

use country_boundaries::{BOUNDARIES_ODBL_360X180, CountryBoundaries, LatLon};
use serde::Deserialize;

use crate::geo::countries::CountryCode;
use crate::geo::error::DataError;
use crate::geo::lonlat::LonLat;

const FILE: &str = "iso3166.csv";

/// Borders of all countries, territorial sea included.
///
/// # Source
/// (c) `OpenStreetMap` contributors, `ODbL`, through the crate `country-boundaries` (1 degree
/// raster over full borders); alpha-2 to alpha-3: ISO 3166-1.
pub struct Boundaries {
    pub(crate) borders: CountryBoundaries,
    alpha3: HashMap<String, CountryCode>,
    alpha2: HashMap<CountryCode, String>,
}

#[derive(Deserialize)]
struct CodeLine {
    alpha2: String,
    alpha3: String,
}

impl Boundaries {
    /// Reads the built-in borders.
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn builtin() -> Result<Boundaries, DataError> {
        let mut alpha3 = HashMap::new();
        let mut alpha2 = HashMap::new();
        let lines = csv::Reader::from_reader(include_str!("data/iso3166.csv").as_bytes())
            .into_deserialize();
        for line in lines {
            let line: CodeLine = line.map_err(|source| DataError::Csv { file: FILE, source })?;
            let code = CountryCode::from_alpha3(&line.alpha3).ok_or_else(|| {
                DataError::value(FILE, format!("{:?} is not an alpha-3 code", line.alpha3))
            })?;
            alpha3.insert(line.alpha2.clone(), code);
            alpha2.insert(code, line.alpha2);
        }
        let borders = CountryBoundaries::from_reader(BOUNDARIES_ODBL_360X180)
            .map_err(DataError::Boundaries)?;
        Ok(Boundaries { borders, alpha3, alpha2 })
    }

    /// Returns the country of the point, whether or not we work for it.
    ///
    /// `None` on the high seas and in Antarctica. Of two claimants the smaller country is named.
    pub fn country_at(&self, point: LonLat) -> Option<CountryCode> {
        let position = LatLon::new(point.lat(), point.lon()).ok()?;
        // Ids of parts of countries, such as US-TX, are not in the table.
        self.borders.ids(position).into_iter().find_map(|id| self.alpha3.get(id).copied())
    }

    /// Says whether the point lies in this country.
    pub fn is_in(&self, point: LonLat, country: CountryCode) -> bool {
        let Some(alpha2) = self.alpha2(country) else {
            return false;
        };
        LatLon::new(point.lat(), point.lon())
            .is_ok_and(|position| self.borders.is_in(position, alpha2))
    }

    /// Returns the two-letter code that the border data use.
    pub(crate) fn alpha2(&self, country: CountryCode) -> Option<&str> {
        self.alpha2.get(&country).map(String::as_str)
    }

    /// Says whether an id of the border data is that of a country.
    pub(crate) fn is_country(&self, id: &str) -> bool {
        self.alpha3.contains_key(id)
    }
}
