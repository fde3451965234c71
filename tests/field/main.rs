//! Tests on real data that is not part of the repository: `make field` reads it from the folder beside this one.

#![expect(clippy::expect_used, reason = "without its data a test must fail")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use sentinelle::geo::locate::Geo;
use sentinelle::geo::lonlat::LonLat;

fn shared(file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared").join(file);
    std::fs::read_to_string(path).expect("these tests read the shared data beside the repository")
}

/// Country as the sample says, and where the place was put.
struct Tally {
    n_places: u32,
    n_right: u32,
}

#[test]
fn named_places_lie_in_their_country_but_for_one_in_a_hundred() {
    let geo = Geo::builtin().expect("the built-in places");
    let sample = shared("data/places_sample.csv");
    let mut by_country: BTreeMap<String, Tally> = BTreeMap::new();

    for record in csv::Reader::from_reader(sample.as_bytes()).records() {
        let record = record.expect("a row");
        let field = |index: usize| record.get(index).expect("a field");
        let degrees = |index: usize| field(index).parse::<f64>().expect("degrees");
        let point = LonLat::new(degrees(4), degrees(3)).expect("a point");
        let is_right = geo.locate(point).country.is_some_and(|found| found.as_str() == field(0));
        let tally =
            by_country.entry(field(0).to_owned()).or_insert(Tally { n_places: 0, n_right: 0 });
        tally.n_places += 1;
        tally.n_right += u32::from(is_right);
    }

    let n_places: u32 = by_country.values().map(|tally| tally.n_places).sum();
    assert_eq!(n_places, 5_585, "the whole sample");
    for (country, tally) in by_country {
        // The sample itself is noisy at borders; the worst country has two in a hundred elsewhere.
        let floor = tally.n_places * 97 / 100;
        assert!(tally.n_right >= floor, "{country}: {} of {}", tally.n_right, tally.n_places);
    }
}

#[test]
fn what_was_copied_into_the_product_is_what_it_was_copied_from() {
    let copies = [
        ("cases/fx.json", include_str!("../data/fx.json")),
        ("data/test_points.csv", include_str!("../data/test_points.csv")),
        ("data/countries.csv", include_str!("../../src/geo/data/countries.csv")),
        ("data/sites.csv", include_str!("../../src/geo/data/sites.csv")),
        ("data/codelists.csv", include_str!("../../src/taxonomy/data/codelists.csv")),
    ];
    for (file, copy) in copies {
        assert_eq!(shared(file), copy, "{file}");
    }
}
