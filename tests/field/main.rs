//! Tests on real data that is not part of the repository: `make field` reads it from the folder beside this one.

#![expect(clippy::expect_used, reason = "without its data a test must fail")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use sentinelle::geo::locate::Geo;
use sentinelle::geo::lonlat::LonLat;
use sentinelle::geo::names::fold;
use sentinelle::geo::packs::Pack;
use sentinelle::geodata::import::{ImportOptions, ImportReport, read};

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
        ("data/sites.csv", include_str!("../../src/geo/data/sites.csv")),
    ];
    for (file, copy) in copies {
        assert_eq!(shared(file), copy, "{file}");
    }
    // Tags of grants are a list of the product's own.
    let lists = include_str!("../../src/taxonomy/data/codelists.csv");
    let is_copied = |line: &&str| !line.starts_with("grant_tag,");
    let copied_lines: Vec<&str> = lists.lines().filter(is_copied).collect();
    assert_eq!(shared("data/codelists.csv").lines().collect::<Vec<_>>(), copied_lines);
}

/// Rows of a table without the column `dropped`.
fn rows_without(table: &str, dropped: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(table.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let header = rows.first().expect("a header");
    let place = header.iter().position(|name| name == dropped);
    let kept = |row: &csv::StringRecord| {
        let fields = row.iter().enumerate().filter(|(nth, _)| Some(*nth) != place);
        fields.map(|(_, field)| field.to_owned()).collect()
    };
    rows.iter().map(kept).collect()
}

#[test]
fn countries_are_those_copied_and_their_regions_the_ones_first_stored() {
    let (theirs, ours) =
        (shared("data/countries.csv"), include_str!("../../src/geo/data/countries.csv"));
    assert_eq!(rows_without(&theirs, "region"), rows_without(ours, "region"));

    let seed = include_str!("../../migrations/sqlite/2026-11-26-000040_people/up.sql");
    let mut reader = csv::Reader::from_reader(theirs.as_bytes());
    let mut n_members = 0;
    for row in reader.records().map(|row| row.expect("a row")).filter(|row| &row[5] == "1") {
        n_members += 1;
        let pair = format!("('{}', '{}')", &row[4], &row[0]);
        assert!(seed.contains(&pair), "{pair} is among the regions that are stored first");
    }
    assert_eq!(n_members, 10);
}

/// Reads a boundary file as `geodata import` does.
fn read_boundaries(geo: &Geo, file: &str) -> (Vec<Pack>, ImportReport) {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/boundaries").join(file);
    let file = std::fs::File::open(path).expect("the boundary files beside the repository");
    let options = ImportOptions {
        source: Some("Who's On First".to_owned()),
        year: Some(2020),
        ..ImportOptions::default()
    };
    read(file, geo, &options, &mut |_| {}).expect("a fit file")
}

fn areas_of(report: &ImportReport) -> BTreeMap<&str, usize> {
    report.countries.iter().map(|country| (country.country.as_str(), country.n_areas)).collect()
}

#[test]
fn the_first_level_of_fourteen_countries_is_read_and_its_provinces_are_todays() {
    let geo = Geo::builtin().expect("the built-in places");

    let (packs, report) = read_boundaries(&geo, "adm1_wof.geojson.gz");

    assert_eq!((report.level, report.n_features, report.n_skipped), (1, 222, 0));
    assert_eq!(report.countries.len(), 14);
    let areas = areas_of(&report);
    assert_eq!((areas["COD"], areas["CIV"], areas["SLE"], areas["GHA"]), (26, 14, 4, 10));
    for country in &report.countries {
        let name = &country.country;
        assert!(country.unmatched.is_empty(), "{name}: {:?}", country.unmatched);
        assert_eq!(country.n_sites_inside, country.n_sites, "{name}");
        assert!(country.gap_percent <= 8 && country.overlap_percent <= 1, "{country:?}");
        assert_eq!(country.n_by_code, country.n_areas, "{name}: the file has ISO codes");
        if name == "COD" {
            assert!(country.missing.is_empty(), "{:?}", country.missing);
        }
    }
    let with = geo.with_packs(packs);
    let mut n_named = 0;
    for line in include_str!("../data/test_points.csv").lines().skip(1) {
        let columns: Vec<&str> = line.splitn(6, ',').collect();
        let &[name, lat, lon, country, admin1, _] = columns.as_slice() else { continue };
        let degrees = |text: &str| text.parse::<f64>().expect("degrees");
        let point = LonLat::new(degrees(lon), degrees(lat)).expect("a point");
        // The file is of 14 countries, and draws Guinea's prefectures in the place of its regions.
        if admin1.is_empty() || country == "GIN" || !areas.contains_key(country) {
            continue;
        }
        n_named += 1;
        let found = with.locate(point).admin1.expect("an area");
        let area = with.areas().get(&found).expect("a known area");
        // Jwaneng is a town with an ISO code of its own, in the middle of the Southern district.
        let admin1 = if name == "Jwaneng" { name } else { admin1 };
        let names = [&area.name_en, &area.name_fr].into_iter().chain(&area.aliases);
        let is_right = names.map(|name| fold(name)).any(|name| name == fold(admin1));
        assert!(is_right, "{name}: {} {} is not {admin1}", area.id, area.name_en);
    }
    assert_eq!(n_named, 34);
}

#[test]
fn the_second_level_of_twelve_countries_is_read_and_places_known_towns() {
    let geo = Geo::builtin().expect("the built-in places");

    let (packs, report) = read_boundaries(&geo, "adm2_wof.geojson.gz");

    assert_eq!((report.level, report.n_features, report.n_skipped), (2, 912, 0));
    let areas = areas_of(&report);
    assert_eq!(areas.len(), 12, "none of Botswana and Lesotho");
    let right = [("AGO", 164), ("TZA", 169), ("GHA", 110), ("COD", 51), ("SLE", 13), ("LBR", 67)];
    for (country, n_areas) in right {
        assert_eq!(areas[country], n_areas, "{country}");
    }
    for country in &report.countries {
        let name = &country.country;
        assert!(country.gap_percent <= 8 && country.overlap_percent <= 1, "{country:?}");
        assert_eq!(country.n_sites_inside, country.n_sites, "{name}");
        let n_unnamed = if name == "LBR" { 2 } else { 0 };
        assert_eq!(country.unnamed.len(), n_unnamed, "{name}: {:?}", country.unnamed);
    }
    let with = geo.with_packs(packs);
    for (name, lat, lon, right) in [
        ("Koidu", 8.6439, -10.9714, Some("Kono")),
        ("Kimberley", -28.7282, 24.7623, Some("Frances Baard")),
        ("Berberati", 4.261, 15.786, Some("Berberati")),
        ("Kentzou", 4.17, 15.04, Some("Kadey")),
        ("Saurimo", -9.66, 20.39, Some("Saurimo")),
        ("Venetia", -22.44, 29.32, Some("Vhembe")),
        ("Orapa: the file leaves Botswana out", -21.31, 25.37, None),
    ] {
        let found = with.locate(LonLat::new(lon, lat).expect("a point")).admin2;
        let area = found.as_ref().map(|id| with.admin2().get(id).expect("a known area"));
        assert_eq!(area.map(|area| area.name_en.as_str()), right, "{name}");
    }
}
