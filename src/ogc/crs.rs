//! The three reference systems that places are asked for and shown in.

use std::f64::consts::PI;

/// Equatorial radius of WGS 84 in metres.
///
/// # Source
/// EPSG:7030; Web Mercator, EPSG:3857, takes it for the radius of a sphere.
const RADIUS_M: f64 = 6_378_137.0;
/// Latitude at which Web Mercator is cut, so that it is a square.
///
/// # Source
/// EPSG:3857, area of use: 85.06° S to 85.06° N.
const LAST_MERCATOR_LAT_DEG: f64 = 85.051_128_779_806_6;

/// A reference system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Crs {
    /// WGS 84, longitude before latitude, degrees: what GeoJSON is in.
    #[default]
    Crs84,
    /// WGS 84, latitude before longitude, degrees.
    Epsg4326,
    /// Web Mercator, easting before northing, metres.
    Epsg3857,
}

impl Crs {
    /// All of them, the default one first.
    pub const ALL: [Self; 3] = [Self::Crs84, Self::Epsg4326, Self::Epsg3857];

    /// Returns its URI.
    pub fn uri(self) -> &'static str {
        match self {
            Self::Crs84 => "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
            Self::Epsg4326 => "http://www.opengis.net/def/crs/EPSG/0/4326",
            Self::Epsg3857 => "http://www.opengis.net/def/crs/EPSG/0/3857",
        }
    }

    /// Reads a URI, by `http` or `https`.
    pub fn parse(uri: &str) -> Option<Self> {
        let rest = |uri: &str| uri.split_once("://").map(|(_, rest)| rest.to_owned());
        let is_web = uri.starts_with("http://") || uri.starts_with("https://");
        Self::ALL.into_iter().find(|crs| is_web && rest(uri) == rest(crs.uri()))
    }

    /// Returns longitude and latitude of a position in this system; `None` where it lies off the map.
    pub fn to_lon_lat(self, (first, second): (f64, f64)) -> Option<(f64, f64)> {
        let (lon, lat) = match self {
            Self::Crs84 => (first, second),
            Self::Epsg4326 => (second, first),
            Self::Epsg3857 => {
                let lat = (2.0 * (second / RADIUS_M).exp().atan() - PI / 2.0).to_degrees();
                // Half a square of the map is 180° but for the last digit of a number.
                ((first / RADIUS_M).to_degrees().clamp(-180.000_001, 180.000_001), lat)
            }
        };
        let is_there = lon.abs() <= 180.000_001 && lat.abs() <= 90.000_001;
        is_there.then_some((lon.clamp(-180.0, 180.0), lat.clamp(-90.0, 90.0)))
    }

    /// Returns a longitude and latitude as a position in this system.
    pub fn from_lon_lat(self, (lon, lat): (f64, f64)) -> [f64; 2] {
        match self {
            Self::Crs84 => [lon, lat],
            Self::Epsg4326 => [lat, lon],
            Self::Epsg3857 => {
                let lat = lat.clamp(-LAST_MERCATOR_LAT_DEG, LAST_MERCATOR_LAT_DEG).to_radians();
                let northing = RADIUS_M * (PI / 4.0 + lat / 2.0).tan().ln();
                [to_millimetres(RADIUS_M * lon.to_radians()), to_millimetres(northing)]
            }
        }
    }
}

fn to_millimetres(metres: f64) -> f64 {
    (metres * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_known_by_its_uri_alone() {
        for crs in Crs::ALL {
            assert_eq!(Crs::parse(crs.uri()), Some(crs));
            assert_eq!(Crs::parse(&crs.uri().replace("http:", "https:")), Some(crs));
        }
        for wrong in [
            "",
            "EPSG:4326",
            "http://www.opengis.net/def/crs/EPSG/0/32629",
            "ftp://www.opengis.net/def/crs/EPSG/0/4326",
        ] {
            assert_eq!(Crs::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn koidu_lies_where_proj_puts_it() {
        // `echo 8.644 -10.971 | cs2cs EPSG:4326 EPSG:3857` (PROJ 9).
        let koidu = (-10.971, 8.644);
        let turned = Crs::Epsg4326.from_lon_lat(koidu).map(f64::to_bits);
        assert_eq!(turned, [8.644_f64, -10.971].map(f64::to_bits));
        let [east, north] = Crs::Epsg3857.from_lon_lat(koidu);
        assert!(
            (east - -1_221_286.13).abs() < 0.01 && (north - 965_916.81).abs() < 0.01,
            "{east} {north}"
        );
        let (lon, lat) = Crs::Epsg3857.to_lon_lat((east, north)).unwrap();
        assert!((lon - koidu.0).abs() < 1e-8 && (lat - koidu.1).abs() < 1e-8);
    }

    #[test]
    fn what_lies_off_the_map_is_no_place() {
        assert_eq!(Crs::Crs84.to_lon_lat((181.0, 0.0)), None);
        assert_eq!(Crs::Epsg4326.to_lon_lat((0.0, 181.0)), None);
        assert_eq!(Crs::Crs84.to_lon_lat((f64::NAN, 0.0)), None);
        assert_eq!(Crs::Epsg3857.to_lon_lat((2.1e7, 0.0)).map(|(lon, _)| lon), Some(180.0));
    }
}
