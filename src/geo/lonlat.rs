//! A point on the Earth.

use thiserror::Error;

/// Mean radius of the Earth in metres.
///
/// # Source
/// R1 of the GRS 80 ellipsoid, 6 371 008.7714 m: H. Moritz, *Geodetic Reference System 1980*,
/// Journal of Geodesy 74 (2000).
pub const EARTH_RADIUS_M: f64 = 6_371_008.771_4;

/// Length of one degree of latitude in metres, on the sphere of [`EARTH_RADIUS_M`].
pub const METRES_PER_DEGREE: f64 = EARTH_RADIUS_M * std::f64::consts::PI / 180.0;

/// Coordinates closer to zero than this, on both axes, are a device's "I do not know" (0.1 m; no
/// fix is that exact).
const NULL_ISLAND_DEG: f64 = 1e-6;

/// A position in WGS 84 degrees, longitude first.
///
/// # Units
/// Longitude in -180..=180, latitude in -90..=90, both finite.
///
/// # Examples
/// ```text
/// let koidu = LonLat::new(-10.9714, 8.6439)?;
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LonLat {
    lon: f64,
    lat: f64,
}

/// Reasons why two numbers are not a position.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum CoordinateError {
    /// The longitude is not a number or out of range.
    #[error("longitude {0} is outside -180..=180")]
    Longitude(f64),
    /// The latitude is not a number or out of range.
    #[error("latitude {0} is outside -90..=90")]
    Latitude(f64),
}

impl LonLat {
    /// Returns the position.
    ///
    /// # Errors
    /// The first axis that is out of range, NaN or infinite; longitude is looked at first.
    pub fn new(lon: f64, lat: f64) -> Result<LonLat, CoordinateError> {
        if !(-180.0..=180.0).contains(&lon) {
            return Err(CoordinateError::Longitude(lon));
        }
        if !(-90.0..=90.0).contains(&lat) {
            return Err(CoordinateError::Latitude(lat));
        }
        Ok(LonLat { lon, lat })
    }

    /// Returns the longitude in degrees, east positive.
    pub fn lon(self) -> f64 {
        self.lon
    }

    /// Returns the latitude in degrees, north positive.
    pub fn lat(self) -> f64 {
        self.lat
    }

    /// Says whether this is 0,0, which means "no fix" and never the Gulf of Guinea.
    pub fn is_null_island(self) -> bool {
        self.lon.abs() < NULL_ISLAND_DEG && self.lat.abs() < NULL_ISLAND_DEG
    }

    /// Returns the position with its axes exchanged, if that is a position at all.
    pub fn swapped(self) -> Option<LonLat> {
        LonLat::new(self.lat, self.lon).ok()
    }

    /// Returns the great-circle distance in metres (haversine on a sphere; up to 0.6 % off the
    /// ellipsoid).
    pub fn distance_m(self, other: LonLat) -> f64 {
        let half_lat = (other.lat - self.lat).to_radians() / 2.0;
        let half_lon = (other.lon - self.lon).to_radians() / 2.0;
        let h = half_lat.sin().powi(2)
            + self.lat.to_radians().cos() * other.lat.to_radians().cos() * half_lon.sin().powi(2);
        2.0 * EARTH_RADIUS_M * h.sqrt().min(1.0).asin()
    }

    /// Returns the position some kilometres away, on a locally flat Earth.
    ///
    /// # Units
    /// `bearing_rad` clockwise from north, `distance_m` up to about 50 km; below 0.1 % off between
    /// 60° S and 60° N. `None` when the step leaves the map at ±180 or a pole.
    pub(crate) fn step(self, bearing_rad: f64, distance_m: f64) -> Option<LonLat> {
        let north_deg = distance_m * bearing_rad.cos() / METRES_PER_DEGREE;
        let east_deg = distance_m * bearing_rad.sin() / (METRES_PER_DEGREE * self.shrink());
        LonLat::new(self.lon + east_deg, self.lat + north_deg).ok()
    }

    /// Returns how much shorter a degree of longitude is here than at the equator, never quite
    /// zero.
    pub(crate) fn shrink(self) -> f64 {
        self.lat.to_radians().cos().max(0.01)
    }

    /// Returns the point on the unit sphere, where straight-line order is great-circle order.
    pub(crate) fn unit_vector(self) -> [f64; 3] {
        let (sin_lat, cos_lat) = self.lat.to_radians().sin_cos();
        let (sin_lon, cos_lon) = self.lon.to_radians().sin_cos();
        [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat]
    }
}

/// Rounds a distance to whole metres.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of u32 first"
)]
pub(crate) fn whole_metres(distance_m: f64) -> u32 {
    distance_m.round().clamp(0.0, f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use crate::geo::lonlat::{CoordinateError, LonLat};

    #[test]
    fn numbers_that_are_no_position_are_refused_and_named() {
        let nan = LonLat::new(f64::NAN, 0.0);

        assert!(matches!(nan, Err(CoordinateError::Longitude(v)) if v.is_nan()));
        assert_eq!(LonLat::new(0.0, 91.2), Err(CoordinateError::Latitude(91.2)));
        assert_eq!(LonLat::new(f64::INFINITY, 0.0), Err(CoordinateError::Longitude(f64::INFINITY)));
        assert_eq!(
            LonLat::new(0.0, 91.2).unwrap_err().to_string(),
            "latitude 91.2 is outside -90..=90"
        );
        assert!(LonLat::new(180.0, -90.0).is_ok());
    }

    #[test]
    fn one_degree_of_latitude_is_111_km() {
        let a = LonLat::new(20.0, 0.0).unwrap();
        let b = LonLat::new(20.0, 1.0).unwrap();

        assert!((a.distance_m(b) - 111_195.0).abs() < 1.0);
    }

    #[test]
    fn a_step_is_as_long_as_asked() {
        let start = LonLat::new(24.7623, -28.7282).unwrap();

        for bearing_deg in [0.0_f64, 45.0, 200.0, 330.0] {
            let end = start.step(bearing_deg.to_radians(), 5_000.0).unwrap();

            assert!((start.distance_m(end) - 5_000.0).abs() < 5.0);
        }
    }

    #[test]
    fn a_longitude_beyond_90_cannot_be_swapped() {
        assert_eq!(LonLat::new(120.0, 10.0).unwrap().swapped(), None);
        assert_eq!(LonLat::new(23.5, -6.1).unwrap().swapped(), LonLat::new(-6.1, 23.5).ok());
    }

    #[test]
    fn only_zero_zero_is_null_island() {
        assert!(LonLat::new(0.0, -0.0).unwrap().is_null_island());
        assert!(!LonLat::new(0.0, 5.6).unwrap().is_null_island());
    }
}
