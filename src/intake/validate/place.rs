//! Checks the parts of a place.

use crate::geo::countries::CountryCode;
use crate::geo::lonlat::{CoordinateError, LonLat};
use crate::geo::sites::SiteId;
use crate::intake::body::LocationBody;
use crate::intake::types::{ClaimedPlace, Location};
use crate::intake::validate::value::{shown, shown_coordinate};
use crate::intake::validate::{Check, SHORT_CHARS};

/// Largest radius of a fix that still says anything.
const MAX_ACCURACY_M: f64 = 100_000.0;

impl Check<'_> {
    pub(super) fn location(&mut self, body: LocationBody) -> (ClaimedPlace, Location) {
        let point = self.point(body.lat.as_ref(), body.lon.as_ref());
        let country = self.country(body.country);
        let claimed = ClaimedPlace {
            point,
            country,
            admin1: self.admin1(body.admin1, country),
            site: self.site(body.site),
        };
        let location = Location {
            lat: point.map(LonLat::lat),
            lon: point.map(LonLat::lon),
            accuracy_m: self.number("/location/accuracy_m", body.accuracy_m, MAX_ACCURACY_M),
            country: country.map(|country| country.as_str().to_owned()),
            admin1: claimed.admin1.as_ref().map(|area| area.as_str().to_owned()),
            place: self.text("/location/place", body.place, SHORT_CHARS),
            site: claimed.site.as_ref().map(|site| site.as_str().to_owned()),
        };
        (claimed, location)
    }

    pub(super) fn point(
        &mut self,
        lat: Option<&serde_json::Value>,
        lon: Option<&serde_json::Value>,
    ) -> Option<LonLat> {
        let n_errors = self.errors.len();
        let lat_deg = self.degrees("/location/lat", lat);
        let lon_deg = self.degrees("/location/lon", lon);
        match (lat_deg, lon_deg) {
            (Some(lat_deg), Some(lon_deg)) => match LonLat::new(lon_deg, lat_deg) {
                Ok(point) => Some(point),
                Err(error) => {
                    self.fail_coordinate(&error);
                    None
                }
            },
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                if self.errors.len() == n_errors {
                    let missing = if lat_deg.is_none() { "/location/lat" } else { "/location/lon" };
                    self.fail(missing, "lat and lon go together", "lat et lon vont ensemble");
                }
                None
            }
        }
    }

    pub(super) fn degrees(
        &mut self,
        pointer: &str,
        value: Option<&serde_json::Value>,
    ) -> Option<f64> {
        let value = value?;
        let degrees = value.as_f64();
        if degrees.is_none() {
            let shown = shown_coordinate(value);
            self.fail(
                pointer,
                format!("{shown} is not a number: send decimal degrees such as -6.1360"),
                format!(
                    "{shown} n'est pas un nombre : envoyez des degrés décimaux tels que -6.1360"
                ),
            );
        }
        degrees
    }

    pub(super) fn fail_coordinate(&mut self, error: &CoordinateError) {
        match error {
            CoordinateError::Longitude(lon) => self.fail(
                "/location/lon",
                format!("longitude {lon} is outside -180..=180"),
                format!("la longitude {lon} est hors de -180..=180"),
            ),
            CoordinateError::Latitude(lat) => self.fail(
                "/location/lat",
                format!("latitude {lat} is outside -90..=90"),
                format!("la latitude {lat} est hors de -90..=90"),
            ),
        }
    }

    pub(super) fn country(&mut self, text: Option<String>) -> Option<CountryCode> {
        let text = text?;
        let country = self.catalogues.geo.countries().parse(text.trim());
        if country.is_none() {
            let shown = shown(&text);
            let known: Vec<&str> = self
                .catalogues
                .geo
                .countries()
                .iter()
                .map(|country| country.code.as_str())
                .collect();
            let known = known.join(", ");
            self.fail(
                "/location/country",
                format!("{shown} is none of the countries taken in here: {known}"),
                format!("{shown} n'est pas un des pays pris en charge : {known}"),
            );
        }
        country
    }

    pub(super) fn admin1(
        &mut self,
        text: Option<String>,
        country: Option<CountryCode>,
    ) -> Option<crate::geo::areas::AreaId> {
        let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())?;
        let areas = self.catalogues.geo.areas();
        let by_name = country.and_then(|country| areas.find_in_country(country, &text));
        let found = by_name.or_else(|| areas.find(&text)).map(|area| area.id.clone());
        if found.is_none() {
            self.fail(
                "/location/admin1",
                "no such area in the declared country: give its ISO 3166-2 code such as SL-E, or leave it out",
                "aucune zone de ce nom dans le pays déclaré : donnez son code ISO 3166-2 tel que SL-E, ou omettez-la",
            );
        }
        found
    }

    pub(super) fn site(&mut self, text: Option<String>) -> Option<SiteId> {
        let text = text?;
        let known = SiteId::parse(text.trim())
            .filter(|site| self.catalogues.geo.sites().find(site.as_str()).is_some());
        if known.is_none() {
            let shown = shown(&text);
            self.fail(
                "/location/site",
                format!("{shown} is no known site: give its id, or name it in /location/place"),
                format!("{shown} n'est pas un site connu : donnez son identifiant, ou nommez-le dans /location/place"),
            );
        }
        known
    }
}
