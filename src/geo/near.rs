//! A point in the words of people: "12 km NE of Carnot".

use std::sync::Arc;

use crate::geo::gazetteer::Place;
use crate::geo::locate::Geo;
use crate::geo::lonlat::{LonLat, whole_metres};

/// A town further away says nothing to people, in metres.
const MAX_M: f64 = 50_000.0;
/// People know a town of so many inhabitants; a smaller place is named only where there is no such town.
const MIN_INHABITANTS: u32 = 1_000;
/// Below this a point is in the town, in metres.
const IN_TOWN_M: u32 = 1_000;

/// The eight winds, clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wind {
    /// North.
    North,
    /// North-east.
    NorthEast,
    /// East.
    East,
    /// South-east.
    SouthEast,
    /// South.
    South,
    /// South-west.
    SouthWest,
    /// West.
    West,
    /// North-west.
    NorthWest,
}

impl Wind {
    /// Returns the wind in which `to` lies, seen from `from`, on a locally flat Earth.
    fn between(from: LonLat, to: LonLat) -> Wind {
        let (east, north) = ((to.lon() - from.lon()) * from.shrink(), to.lat() - from.lat());
        let bearing_deg = east.atan2(north).to_degrees().rem_euclid(360.0);
        let winds = [
            Wind::North,
            Wind::NorthEast,
            Wind::East,
            Wind::SouthEast,
            Wind::South,
            Wind::SouthWest,
            Wind::West,
            Wind::NorthWest,
        ];
        let ends_deg = (0_i32..).map(|eighth| f64::from(eighth) * 45.0 + 22.5);
        let found = winds.into_iter().zip(ends_deg).find(|(_, end_deg)| bearing_deg < *end_deg);
        found.map_or(Wind::North, |(wind, _)| wind)
    }

    /// Returns the English letters.
    pub fn as_str(self) -> &'static str {
        match self {
            Wind::North => "N",
            Wind::NorthEast => "NE",
            Wind::East => "E",
            Wind::SouthEast => "SE",
            Wind::South => "S",
            Wind::SouthWest => "SW",
            Wind::West => "W",
            Wind::NorthWest => "NW",
        }
    }

    fn in_french(self) -> &'static str {
        match self {
            Wind::North => "au N",
            Wind::NorthEast => "au NE",
            Wind::East => "à l’E",
            Wind::SouthEast => "au SE",
            Wind::South => "au S",
            Wind::SouthWest => "au SO",
            Wind::West => "à l’O",
            Wind::NorthWest => "au NO",
        }
    }
}

/// A point seen from the nearest town.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// Name of the town.
    pub town: Arc<str>,
    /// Great-circle distance in metres, at most 50 km.
    pub distance_m: u32,
    /// Where the point lies, seen from the town.
    pub wind: Wind,
}

impl Near {
    /// Says it in English.
    ///
    /// # Examples
    /// `12 km NE of Carnot`, `in Carnot`.
    pub fn in_english(&self) -> String {
        match self.whole_km() {
            None => format!("in {}", self.town),
            Some(km) => format!("{km} km {} of {}", self.wind.as_str(), self.town),
        }
    }

    /// Says it in French.
    ///
    /// # Examples
    /// `12 km au NE de Carnot`, `à Carnot`.
    pub fn in_french(&self) -> String {
        let Some(km) = self.whole_km() else {
            return format!("à {}", self.town);
        };
        let vowels = ['a', 'e', 'i', 'o', 'u', 'â', 'é', 'è', 'ê', 'î', 'ô'];
        let first = self.town.chars().flat_map(char::to_lowercase).next();
        let of = if first.is_some_and(|letter| vowels.contains(&letter)) { "d’" } else { "de " };
        format!("{km} km {} {of}{}", self.wind.in_french(), self.town)
    }

    /// Returns the distance in kilometres, rounded; `None` in the town.
    fn whole_km(&self) -> Option<u32> {
        (self.distance_m >= IN_TOWN_M).then(|| (self.distance_m + 500) / 1_000)
    }
}

impl Geo {
    /// Says where a point lies, seen from the nearest town of a thousand inhabitants within 50 km, else from the
    /// nearest place of any size.
    pub fn near(&self, point: LonLat) -> Option<Near> {
        let around = || {
            self.gazetteer().towns_near(point).take_while(|(_, distance_m)| *distance_m <= MAX_M)
        };
        let is_known = |(place, _): &(&Place, f64)| place.population >= MIN_INHABITANTS;
        let (town, distance_m) = around().find(is_known).or_else(|| around().next())?;
        Some(Near {
            town: Arc::clone(&town.name),
            distance_m: whole_metres(distance_m),
            wind: Wind::between(town.point?, point),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::geo::locate_tests::{at, geo};
    use crate::geo::near::Wind;

    #[test]
    fn a_point_is_told_from_the_nearest_town() {
        let carnot = at(4.9427, 15.8774);
        let point = carnot.step(45.0_f64.to_radians(), 12_000.0).unwrap();

        let near = geo().near(point).unwrap();

        assert_eq!((near.in_english().as_str(), near.wind.as_str()), ("12 km NE of Carnot", "NE"));
        assert_eq!(near.in_french(), "12 km au NE de Carnot");
        assert_eq!(geo().near(carnot).unwrap().in_french(), "à Carnot");
        assert_eq!(geo().near(carnot).unwrap().in_english(), "in Carnot");
    }

    #[test]
    fn french_elides_before_a_vowel() {
        let point = at(-21.312, 25.377).step(270.0_f64.to_radians(), 6_000.0).unwrap();

        assert_eq!(geo().near(point).unwrap().in_french(), "6 km à l’O d’Orapa");
    }

    #[test]
    fn a_place_far_from_all_towns_has_none() {
        assert_eq!(geo().near(at(0.0, 0.0)), None);
    }

    #[test]
    fn the_winds_go_around_clockwise() {
        let centre = at(4.0, 18.0);
        let winds = [0.0, 22.0, 23.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0, 338.0, 359.0].map(
            |deg: f64| {
                Wind::between(centre, centre.step(deg.to_radians(), 10_000.0).unwrap()).as_str()
            },
        );
        assert_eq!(winds, ["N", "N", "NE", "E", "SE", "S", "SW", "W", "NW", "N", "N"]);
    }
}
