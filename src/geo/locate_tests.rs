//! Places with a known answer, and properties over many random places.

use std::sync::LazyLock;

use chrono_tz::Africa;

use crate::geo::areas::AreaId;
use crate::geo::cells::Cell;
use crate::geo::countries::CountryCode;
use crate::geo::locate::{Geo, Location};
use crate::geo::lonlat::LonLat;
use crate::geo::sites::Site;

static GEO: LazyLock<Geo> = LazyLock::new(|| Geo::builtin().unwrap());

/// The data every test of this module shares, read once.
pub(crate) fn geo() -> &'static Geo {
    &GEO
}

/// Latitude first, as the cases are written.
pub(crate) fn at(lat: f64, lon: f64) -> LonLat {
    LonLat::new(lon, lat).unwrap()
}

pub(crate) fn code(alpha3: &str) -> CountryCode {
    CountryCode::from_alpha3(alpha3).unwrap()
}

fn country_of(location: &Location) -> &str {
    location.country.as_ref().map_or("", CountryCode::as_str)
}

/// Random points, the same in every run: a linear congruential generator over a box of degrees.
///
/// Source of the constants: D. E. Knuth, *The Art of Computer Programming* 2, MMIX.
pub(crate) fn random_points(n: usize, lon: (f64, f64), lat: (f64, f64)) -> Vec<LonLat> {
    let mut state: u64 = 42;
    let mut next = |low: f64, high: f64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let top = u32::try_from(state >> 32).unwrap();
        low + (high - low) * f64::from(top) / f64::from(u32::MAX)
    };
    (0..n)
        .map(|_| {
            let east = next(lon.0, lon.1);
            LonLat::new(east, next(lat.0, lat.1)).unwrap()
        })
        .collect()
}

fn africa(n: usize) -> Vec<LonLat> {
    random_points(n, (-18.0, 42.0), (-35.0, 25.0))
}

#[test]
fn the_named_places_lie_in_their_countries_and_current_areas() {
    let mut n_on_land = 0;
    let mut lines =
        csv::Reader::from_reader(include_str!("../../tests/data/test_points.csv").as_bytes());
    let mut codes =
        csv::Reader::from_reader(include_str!("../../tests/data/test_point_codes.csv").as_bytes());
    for (line, code) in lines.records().zip(codes.records()) {
        let (line, code) = (line.unwrap(), code.unwrap());
        let (name, expected) = (&line[0], &line[3]);
        assert_eq!(name, &code[0], "the two tables go together");

        let found = geo().locate(at(line[1].parse().unwrap(), line[2].parse().unwrap()));

        assert_eq!(found.admin1.as_ref().map_or("", AreaId::as_str), &code[1], "{name}");
        assert_eq!(found.is_off_land, expected.is_empty(), "{name}");
        if !expected.is_empty() {
            n_on_land += 1;
            assert_eq!(country_of(&found), expected, "{name}");
        }
    }
    assert_eq!(n_on_land, 36);
}

#[test]
fn bangui_and_zongo_are_right_and_near_the_border() {
    for (lat, lon, country, border_m) in
        [(4.3612, 18.5550, "CAF", 700), (4.3470, 18.5990, "COD", 2_100)]
    {
        let found = geo().locate(at(lat, lon));

        assert_eq!(country_of(&found), country);
        let measured_m = found.near_border_m.unwrap();
        assert!(measured_m.abs_diff(border_m) <= 3_000, "{country}: {measured_m}");
    }
}

#[test]
fn the_border_is_as_far_as_the_nearest_probe_abroad() {
    let borders = geo().boundaries();
    let near = africa(3_000).into_iter().filter_map(|point| {
        let country = borders.country_at(point)?;
        Some((point, country, borders.near_border_m(point, country)?))
    });
    let mut n_seen = 0;
    for (point, country, border_m) in near {
        n_seen += 1;
        let is_abroad = |distance_m: f64| {
            (0..720).any(|half_degrees| {
                let probe = point.step((f64::from(half_degrees) / 2.0).to_radians(), distance_m);
                let found = probe.and_then(|probe| borders.country_at(probe));
                found.is_some_and(|found| found != country)
            })
        };

        assert!(is_abroad(f64::from(border_m) + 20.0), "{point:?} {border_m}");
        assert!(!is_abroad(f64::from(border_m.saturating_sub(150))), "{point:?} {border_m}");
    }
    assert!(n_seen > 20, "only {n_seen} places are near a border");
}

#[test]
fn a_place_far_inside_or_at_sea_has_no_border() {
    assert_eq!(geo().locate(at(-21.31, 25.37)).near_border_m, None, "Orapa");
    assert_eq!(geo().locate(at(4.3, -7.6)).near_border_m, None, "off Cape Palmas");
    assert_eq!(geo().locate(at(0.0, 0.0)).near_border_m, None, "Gulf of Guinea");
}

#[test]
fn the_congo_keeps_two_times() {
    for (place, lat, lon, zone) in [
        ("Kinshasa", -4.32, 15.31, Africa::Kinshasa),
        ("Matadi", -5.82, 13.46, Africa::Kinshasa),
        ("Kikwit", -5.04, 18.82, Africa::Kinshasa),
        ("Mbandaka", 0.05, 18.26, Africa::Kinshasa),
        ("Zongo", 4.347, 18.599, Africa::Kinshasa),
        ("Mbuji-Mayi", -6.136, 23.589, Africa::Lubumbashi),
        ("Tshikapa", -6.416, 20.8, Africa::Lubumbashi),
        ("Kisangani", 0.52, 25.2, Africa::Lubumbashi),
        ("Lubumbashi", -11.66, 27.48, Africa::Lubumbashi),
    ] {
        assert_eq!(geo().locate(at(lat, lon)).zone, Some(zone), "{place}");
    }
    assert_eq!(geo().locate(at(-7.6, 4.3)).zone, None, "high sea");
}

#[test]
fn a_current_province_has_the_zone_of_its_former_whole() {
    for current in geo().areas().in_country(code("COD")) {
        for former in &current.former {
            assert_eq!(geo().areas().get(former).unwrap().zone, current.zone, "{}", current.id);
        }
    }
}

#[test]
fn every_former_area_exists_and_has_a_shape() {
    let drawn: Vec<&AreaId> = geo().areas().polygons().map(|(area, _)| &area.id).collect();
    for country in geo().countries().iter() {
        for area in geo().areas().in_country(country.code) {
            assert!(drawn.contains(&&area.id) || !area.former.is_empty(), "{}", area.id);
            assert!(area.former.iter().all(|id| drawn.contains(&id)), "{}", area.id);
            assert!(country.zones.contains(&area.zone), "{}", area.id);
        }
    }
}

#[test]
fn an_area_is_found_by_id_old_code_and_name() {
    let areas = geo().areas();

    assert_eq!(areas.find("sl-e").unwrap().name_en, "Eastern");
    assert_eq!(areas.find("ZA-GT").unwrap().id.as_str(), "ZA-GP");
    assert_eq!(areas.find("Eastern"), None);
    let by_name =
        |country, name| areas.find_in_country(code(country), name).map(|area| area.id.as_str());
    assert_eq!(by_name("CAF", "mambere kadei"), Some("CF-HS"));
    assert_eq!(by_name("COD", "Equateur"), Some("CD-EQ"));
    assert_eq!(by_name("COD", "Katanga"), Some("COD-1897"));
    assert_eq!(by_name("ZAF", "SL-E"), None);
    assert_eq!(AreaId::parse("eastern"), None);
}

#[test]
fn outdated_packs_are_known() {
    let is_outdated = |country| geo().areas().source(Some(code(country))).is_outdated;

    for country in ["COD", "CIV", "SLE", "GHA", "TZA", "CAF"] {
        assert!(is_outdated(country), "{country}");
    }
    for country in ["ZWE", "LSO", "CMR", "LBR", "GIN", "AGO", "ZAF"] {
        assert!(!is_outdated(country), "{country}");
    }
}

#[test]
fn the_generalised_place_stays_inside_the_country() {
    let mut n_seen = 0;
    for point in africa(2_500) {
        let found = geo().locate(point);
        let Some(country) = found.country else {
            continue;
        };
        n_seen += 1;
        let place = geo().generalise(found.cell5.unwrap(), Some(country)).unwrap();

        assert!(geo().boundaries().is_in(place, country), "{point:?} in {country}");
        assert!(place.distance_m(point) < 25_000.0, "{point:?}");
    }
    assert!(n_seen > 1_000, "only {n_seen} points on land");
}

#[test]
fn every_point_of_one_big_cell_has_one_generalised_place() {
    let cell = geo().locate(at(8.644, -10.971)).cell5.unwrap();
    let place = geo().generalise(cell, Some(code("SLE")));

    for point in random_points(200, (-11.0, -10.9), (8.6, 8.7)) {
        let other = geo().locate(point).cell5.unwrap();

        assert!(other != cell || geo().generalise(other, Some(code("SLE"))) == place);
    }
    assert_eq!(Cell::parse(&cell.to_string()), Some(cell));
}

#[test]
fn the_nearest_sites_are_those_of_a_linear_search() {
    let sites: Vec<&Site> = geo().sites().iter().collect();
    assert_eq!(sites.len(), 128);
    for point in random_points(2_000, (-180.0, 180.0), (-90.0, 90.0)) {
        let mut linear: Vec<f64> = sites.iter().map(|site| site.point.distance_m(point)).collect();
        linear.sort_by(f64::total_cmp);

        let found = geo().sites().nearest(point, f64::INFINITY, 3);

        assert_eq!(found.len(), 3);
        for ((site, distance_m), expected_m) in found.into_iter().zip(linear) {
            assert!((distance_m - expected_m).abs() < 1.0, "{point:?}: {}", site.name);
            assert!((site.point.distance_m(point) - distance_m).abs() < 1.0);
        }
    }
}

#[test]
fn no_more_than_three_sites_within_fifty_kilometres_are_named() {
    let koidu = geo().locate(at(8.6439, -10.9714));

    assert!(!koidu.sites.is_empty() && koidu.sites.len() <= 3);
    assert!(koidu.sites.is_sorted_by_key(|near| near.distance_m));
    assert!(koidu.sites.iter().all(|near| near.distance_m <= 50_000));
    assert_eq!(geo().locate(at(0.0, 0.0)).sites, []);
}

#[test]
fn every_site_lies_in_its_country_and_on_land_unless_it_is_marine() {
    for site in geo().sites().iter() {
        let found = geo().locate(site.point);

        assert_eq!(found.country, Some(site.country), "{}", site.id);
        // Two of Namibia's mines are worked from ships.
        let is_marine = ["usgs-nam001", "usgs-nam014"].contains(&site.id.as_str());
        assert_eq!(found.is_off_land, is_marine, "{}", site.id);
    }
}

#[test]
fn the_edges_of_the_map_are_places_too() {
    for (lat, lon) in
        [(90.0, 0.0), (-90.0, 0.0), (0.0, 180.0), (0.0, -180.0), (-16.8, 180.0), (66.0, -169.9)]
    {
        let found = geo().locate(at(lat, lon));

        assert!(found.cell7.is_some(), "{lat},{lon}");
        assert_eq!(found.admin1, None);
    }
}
