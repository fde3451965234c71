//! What a demonstration must show, whatever the seed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Months, NaiveDate};
use serde_json::Value;
use uuid::Uuid;

use crate::cli::demo::invent::{DemoPlace, InventedReport, invent};
use crate::cli::demo::narratives::Language;
use crate::taxonomy::catalogue::Taxonomy;
use crate::taxonomy::lists::{CodeLists, ListName};

const SEEDS: [u64; 3] = [1, 42, u64::MAX];

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 25).unwrap()
}

/// Towns and a few sites of the ten member countries, coordinates rounded (`GeoNames`, CC-BY).
fn places() -> Vec<DemoPlace> {
    let rows = [
        ("BWA", Language::En, 25.37, -21.31, Some("site-orapa")),
        ("ZWE", Language::En, 32.33, -19.62, Some("site-marange")),
        ("LSO", Language::En, 28.86, -29.00, None),
        ("COD", Language::Fr, 23.59, -6.14, None),
        ("COD", Language::Fr, 20.80, -6.42, None),
        ("CMR", Language::Fr, 14.37, 4.58, None),
        ("CMR", Language::En, 14.55, 4.92, None),
        ("CAF", Language::Fr, 15.88, 4.94, None),
        ("CAF", Language::Fr, 21.99, 6.51, None),
        ("SLE", Language::En, -10.97, 8.64, Some("site-kono")),
        ("SLE", Language::En, -11.19, 7.88, None),
        ("LBR", Language::En, -9.98, 7.00, None),
        ("GIN", Language::Fr, -8.83, 8.54, None),
        ("CIV", Language::Fr, -6.67, 7.96, None),
    ];
    rows.into_iter()
        .map(|(country, language, lon, lat, site)| DemoPlace {
            country: country.to_owned(),
            language,
            lon,
            lat,
            site: site.map(str::to_owned),
        })
        .collect()
}

fn invent_400(seed: u64) -> Vec<InventedReport> {
    invent(seed, 400, &places(), today()).unwrap()
}

fn text<'a>(report: &'a InventedReport, pointer: &str) -> Option<&'a str> {
    report.body.pointer(pointer).map(|value| value.as_str().unwrap())
}

fn list<'a>(report: &'a InventedReport, pointer: &str) -> Vec<&'a Value> {
    report
        .body
        .pointer(pointer)
        .map_or_else(Vec::new, |value| value.as_array().unwrap().iter().collect())
}

fn last_status(report: &InventedReport) -> &str {
    report.decide.as_ref().map_or("received", |decision| decision.statuses.last().unwrap())
}

#[test]
fn one_seed_gives_the_same_reports_and_another_seed_gives_others() {
    assert_eq!(invent_400(42), invent_400(42));
    assert_ne!(invent_400(42), invent_400(43));
}

#[test]
fn all_countries_languages_and_leaves_are_told_of() {
    let taxonomy = Taxonomy::builtin().unwrap();
    for seed in SEEDS {
        let reports = invent_400(seed);

        let countries: BTreeSet<&str> =
            reports.iter().filter_map(|report| text(report, "/location/country")).collect();
        let languages: BTreeSet<&str> =
            reports.iter().filter_map(|report| text(report, "/language")).collect();
        let leaves: BTreeSet<&str> = reports
            .iter()
            .flat_map(|report| list(report, "/categories"))
            .map(|code| code.as_str().unwrap())
            .collect();
        let themes: BTreeSet<&str> =
            leaves.iter().map(|code| taxonomy.leaf(code).unwrap().theme.as_str()).collect();

        assert_eq!(reports.len(), 400);
        assert_eq!(countries.len(), 10, "{countries:?}");
        assert_eq!(languages, BTreeSet::from(["en", "fr"]));
        assert_eq!(leaves.len(), 60);
        assert_eq!(themes.len(), 3);
    }
}

#[test]
fn ids_are_unique_and_of_version_4() {
    let reports = invent_400(1);

    let ids: BTreeSet<&str> = reports.iter().filter_map(|report| text(report, "/id")).collect();

    assert_eq!(ids.len(), 400);
    for id in ids {
        let id: Uuid = id.parse().unwrap();
        assert_eq!((id.get_version_num(), id.get_variant()), (4, uuid::Variant::RFC4122));
    }
}

#[test]
fn every_code_is_known() {
    let taxonomy = Taxonomy::builtin().unwrap();
    let lists = CodeLists::builtin().unwrap();
    let assert_in = |name: ListName, code: &str| {
        assert!(lists.list(name).find(code).is_some(), "{} {code}", name.as_str());
    };
    for report in SEEDS.into_iter().flat_map(invent_400) {
        for code in list(&report, "/categories") {
            taxonomy.leaf(code.as_str().unwrap()).unwrap();
        }
        for actor in list(&report, "/actors") {
            assert_in(ListName::ActorType, actor["type"].as_str().unwrap());
            assert_in(ListName::ActorRole, actor["role"].as_str().unwrap());
        }
        if let Some(mode) = text(&report, "/mining_mode") {
            assert_in(ListName::MiningMode, mode);
        }
        if let Some(harm) = report.body.get("harm") {
            for measure in harm.as_object().unwrap().keys() {
                assert_in(ListName::AffectedCount, measure);
            }
        }
        assert_in(ListName::SourceType, text(&report, "/source/type").unwrap());
        assert_in(ListName::SourceReliability, text(&report, "/source/reliability").unwrap());
        assert_in(ListName::Consent, text(&report, "/source/consent").unwrap());
        for status in report.decide.iter().flat_map(|decision| &decision.statuses) {
            assert_in(ListName::Status, status);
        }
    }
}

#[test]
fn every_narrative_says_that_it_is_invented() {
    for report in invent_400(1) {
        let mark = match text(&report, "/language").unwrap() {
            "fr" => "[exemple inventé]",
            _ => "[invented example]",
        };
        let narrative = text(&report, "/narrative").unwrap();
        assert!(narrative.ends_with(mark), "{narrative}");
        assert!(!narrative.contains(".."), "{narrative}");
    }
}

/// Returns the precision and the last day that the text can mean.
fn read_occurred(occurred: &str) -> (&'static str, NaiveDate) {
    let day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap();
    if let Some((first, last)) = occurred.split_once('/') {
        assert!(day(first) < day(last), "{occurred}");
        return ("range", day(last));
    }
    match occurred.len() {
        7 => ("month", day(&format!("{occurred}-01"))),
        10 => ("day", day(occurred)),
        _ => ("time", DateTime::parse_from_rfc3339(occurred).unwrap().date_naive()),
    }
}

#[test]
fn times_have_all_precisions_and_are_never_after_today() {
    let first = today().checked_sub_months(Months::new(19)).unwrap();
    for seed in SEEDS {
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        for report in invent_400(seed) {
            let Some(occurred) = text(&report, "/occurred") else {
                *counts.entry("none").or_default() += 1;
                continue;
            };
            let (precision, last_day) = read_occurred(occurred);
            assert!((first..=today()).contains(&last_day), "{occurred}");
            *counts.entry(precision).or_default() += 1;
        }
        assert!(counts["day"] > 240, "{counts:?}");
        assert!(counts["time"] > 30 && counts["month"] > 10, "{counts:?}");
        assert!(counts["range"] > 5 && counts["none"] > 2, "{counts:?}");
    }
}

#[test]
fn points_lie_near_a_place_of_their_country_and_some_have_none() {
    let places = places();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for report in invent_400(42) {
        let location = &report.body["location"];
        if location.get("site").is_some() {
            *counts.entry("site").or_default() += 1;
        } else if let (Some(lat), Some(lon)) = (location.get("lat"), location.get("lon")) {
            let (lat, lon) = (lat.as_f64().unwrap(), lon.as_f64().unwrap());
            let is_near = places.iter().any(|place| {
                let north_km = (lat - place.lat) * 111.195;
                let east_km = (lon - place.lon) * 111.195 * place.lat.to_radians().cos();
                location["country"] == place.country.as_str() && north_km.hypot(east_km) < 8.01
            });
            assert!(is_near, "{location}");
            *counts.entry("point").or_default() += 1;
        } else {
            *counts.entry("country").or_default() += 1;
        }
    }
    assert!(counts["point"] > 300 && counts["country"] > 10 && counts["site"] > 5, "{counts:?}");
}

#[test]
fn about_half_are_verified_and_all_other_statuses_occur() {
    for seed in SEEDS {
        let reports = invent_400(seed);

        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        for report in &reports {
            *counts.entry(last_status(report)).or_default() += 1;
        }

        assert!((160..=240).contains(&counts["verified"]), "{counts:?}");
        for status in
            ["received", "in_review", "needs_information", "disputed", "rejected", "unverifiable"]
        {
            assert!(counts[status] > 3, "{status}: {counts:?}");
        }
    }
}

#[test]
fn a_report_without_categories_waits_for_its_reviewer() {
    let reports = invent_400(42);

    let waiting: Vec<&InventedReport> =
        reports.iter().filter(|report| report.body.get("categories").is_none()).collect();

    assert!((5..40).contains(&waiting.len()), "{}", waiting.len());
    for report in waiting {
        assert!(["received", "in_review"].contains(&last_status(report)));
    }
}

#[test]
fn no_digger_works_where_only_plants_do() {
    for report in SEEDS.into_iter().flat_map(invent_400) {
        let country = text(&report, "/location/country").unwrap();
        let mode = text(&report, "/mining_mode").unwrap_or("none_trade");
        match country {
            "BWA" | "LSO" => {
                assert!(["industrial", "none_trade"].contains(&mode), "{country} {mode}");
            }
            "CAF" | "CMR" | "LBR" | "CIV" => assert_ne!(mode, "industrial", "{country}"),
            _ => {}
        }
    }
}

#[test]
fn places_that_no_text_fits_are_an_error_and_no_report_needs_no_place() {
    let error = invent(1, 5, &[], today()).unwrap_err();

    assert_eq!(error.to_string(), "narratives.csv: no text fits any of the 0 places");
    assert_eq!(invent(1, 0, &[], today()).unwrap(), []);
}
