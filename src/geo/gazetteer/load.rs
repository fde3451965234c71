//! Reads the built-in places and gives every one its spellings.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use flate2::read::GzDecoder;
use serde::Deserialize;

use crate::geo::areas::{Area, AreaId, Areas};
use crate::geo::countries::{Countries, CountryCode};
use crate::geo::error::DataError;
use crate::geo::gazetteer::index::{Names, compact};
use crate::geo::gazetteer::phrase::{Role, role};
use crate::geo::gazetteer::{Gazetteer, Place, PlaceKind};
use crate::geo::lonlat::LonLat;
use crate::geo::names::fold;
use crate::geo::sites::{Site, SitePrecision, Sites};

const FILE: &str = "places.csv.gz";

/// Words of site names that are no part of what people call the site.
const SITE_WORDS: [&str; 10] = [
    "alluvial",
    "asm",
    "complex",
    "deposit",
    "operations",
    "other",
    "project",
    "several",
    "two",
    "various",
];

/// What else people call a site.
const SITE_OTHER_NAMES: [(&str, &str); 10] = [
    ("town-cm-018", "Kenzou"),
    ("town-sl-003", "Tongo"),
    ("town-tz-056", "Mwadui"),
    ("town-zw-061", "Chiadzwa"),
    ("town-zw-061", "Marange"),
    ("usgs-cod034", "MIBA"),
    ("usgs-cod034", "Bakwanga"),
    ("usgs-nam019", "Auchas"),
    ("usgs-nam020", "Daberas"),
    ("usgs-tza029", "Mwadui"),
];

#[derive(Deserialize)]
struct PlaceLine<'a> {
    country: &'a str,
    name: &'a str,
    other_names: &'a str,
    admin1: &'a str,
    admin2: &'a str,
    lat: f64,
    lon: f64,
    population: u32,
}

/// What is read so far.
struct Reader<'a> {
    areas: &'a Areas,
    places: Vec<Place>,
    /// Compact spelling, place, whether it is an other name.
    spellings: Vec<(String, u32, bool)>,
    /// Second-level names are shared by many places.
    admin2: HashMap<String, Arc<str>>,
}

impl Gazetteer {
    /// Reads the built-in places.
    ///
    /// # Errors
    /// When the file is damaged or names a country or area that is not there.
    pub fn builtin(
        countries: &Countries,
        areas: &Areas,
        sites: &Sites,
    ) -> Result<Gazetteer, DataError> {
        let mut reader =
            Reader { areas, places: Vec::new(), spellings: Vec::new(), admin2: HashMap::new() };
        reader.read_towns()?;
        for site in sites.iter().filter(|site| site.precision != SitePrecision::Area) {
            reader.add_site(site);
        }
        for country in countries.iter() {
            for area in areas.in_country(country.code) {
                reader.add_area(area);
            }
        }
        reader.places.shrink_to_fit();
        Ok(Gazetteer::new(reader.places, Names::new(reader.spellings)))
    }
}

impl Reader<'_> {
    fn read_towns(&mut self) -> Result<(), DataError> {
        let mut table = Vec::new();
        GzDecoder::new(include_bytes!("../data/places.csv.gz").as_slice())
            .read_to_end(&mut table)
            .map_err(|error| DataError::value(FILE, error.to_string()))?;
        let mut lines = csv::Reader::from_reader(table.as_slice());
        let headers =
            lines.headers().map_err(|source| DataError::Csv { file: FILE, source })?.clone();
        let mut line = csv::StringRecord::new();
        let damaged = |source| DataError::Csv { file: FILE, source };
        while lines.read_record(&mut line).map_err(damaged)? {
            let town = line.deserialize(Some(&headers)).map_err(damaged)?;
            self.add_town(&town)?;
        }
        Ok(())
    }

    fn add_town(&mut self, line: &PlaceLine<'_>) -> Result<(), DataError> {
        let wrong = |detail: String| DataError::value(FILE, format!("{}: {detail}", line.name));
        let country = CountryCode::from_alpha3(line.country)
            .ok_or_else(|| wrong(format!("{:?} is not an alpha-3 code", line.country)))?;
        let point = LonLat::new(line.lon, line.lat).map_err(|error| wrong(error.to_string()))?;
        let area = Some(line.admin1)
            .filter(|code| !code.is_empty())
            .map(|code| {
                let area = AreaId::parse(code).and_then(|id| self.areas.get(&id));
                area.ok_or_else(|| wrong(format!("area {code:?} is unknown")))
            })
            .transpose()?;
        let place = Place {
            name: line.name.into(),
            kind: PlaceKind::Town,
            country,
            area: area.map(|area| area.id.clone()),
            admin2: self.share(line.admin2),
            point: Some(point),
            population: line.population,
        };
        let others = line.other_names.split('|').filter(|name| !name.is_empty());
        self.add(place, std::iter::once(line.name), others);
        Ok(())
    }

    fn add_site(&mut self, site: &Site) {
        let place = Place {
            name: Arc::clone(&site.name),
            kind: PlaceKind::Site(site.id.clone()),
            country: site.country,
            area: None,
            admin2: None,
            point: site.precision.is_a_place().then_some(site.point),
            population: 0,
        };
        let own = called(&site.name);
        let others = SITE_OTHER_NAMES.iter().filter(|(id, _)| *id == site.id.as_str());
        self.add(place, [site.name.as_ref(), &own], others.map(|(_, name)| *name));
    }

    fn add_area(&mut self, area: &Area) {
        let place = Place {
            name: area.name_en.as_str().into(),
            kind: PlaceKind::Area(area.id.clone()),
            country: area.country,
            area: Some(area.id.clone()),
            admin2: None,
            point: None,
            population: 0,
        };
        let own = [area.name_en.as_str(), area.name_fr.as_str()];
        self.add(place, own, area.aliases.iter().map(String::as_str));
    }

    fn add<'b>(
        &mut self,
        place: Place,
        own: impl IntoIterator<Item = &'b str>,
        others: impl Iterator<Item = &'b str>,
    ) {
        let Ok(index) = u32::try_from(self.places.len()) else {
            return;
        };
        self.places.push(place);
        let own = own.into_iter().map(|name| (name, false));
        for (name, is_other) in own.chain(others.map(|name| (name, true))) {
            let spelling = compact(name);
            if !spelling.is_empty() {
                self.spellings.push((spelling, index, is_other));
            }
        }
    }

    fn share(&mut self, name: &str) -> Option<Arc<str>> {
        if name.is_empty() {
            return None;
        }
        let shared = self.admin2.entry(name.to_owned()).or_insert_with(|| name.into());
        Some(Arc::clone(shared))
    }
}

/// Returns what people call a site: the content words of the first part of its name.
///
/// # Examples
/// `Catoca Kimberlite Mine` is called `catoca`, `Mines at Mbuji Mayi` `mbuji mayi`.
fn called(name: &str) -> String {
    let first = name.split(['(', ',', '/']).next().unwrap_or_default();
    let folded = fold(first);
    let words =
        folded.split(' ').filter(|word| role(word) == Role::Content && !SITE_WORDS.contains(word));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use crate::geo::gazetteer::load::called;
    use crate::geo::locate_tests::geo;

    #[test]
    fn a_site_is_called_by_its_own_name() {
        for (name, expected) in [
            ("Catoca Kimberlite Mine", "catoca"),
            ("Mines at Mbuji Mayi", "mbuji mayi"),
            ("Two kimberlite pipes near Koidu", "koidu"),
            ("Panguma (Tongo fields)", "panguma"),
            ("Lulo Diamond Project", "lulo"),
            ("Chiadzwa / Marange fields (ASM)", "chiadzwa"),
            ("Garoua Boulaï (smuggling crossing)", "garoua boulai"),
            ("Henry Town", "henry"),
        ] {
            assert_eq!(called(name), expected, "{name}");
        }
    }

    #[test]
    fn every_area_of_today_has_a_town_that_tells_it_from_its_sisters() {
        let geo = geo();
        for country in geo.countries().iter() {
            for area in geo.areas().in_country(country.code) {
                let n_sisters = area.former.iter().flat_map(|id| geo.areas().cut_from(id)).count();
                let has_town = geo
                    .gazetteer()
                    .iter()
                    .any(|place| place.point.is_some() && place.area.as_ref() == Some(&area.id));
                assert!(has_town || n_sisters <= 1, "{}", area.id);
            }
        }
    }
}
