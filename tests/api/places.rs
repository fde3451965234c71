//! Places and days: diagnosed, never repaired silently.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a helper that cannot go on fails its test"
)]

use serde_json::{Value, json};

use crate::harness::{Client, TestApp, march};
use crate::process::Served;

const KILLING: &str = "rights.life_integrity.killing";

fn at(lat: f64, lon: f64, country: &str) -> Value {
    json!({"categories": [KILLING], "location": {"lat": lat, "lon": lon, "country": country}})
}

fn of_march(key: &str) -> Value {
    let march = march();
    let reports = march["reports"].as_array().expect("reports");
    let report = reports.iter().find(|report| report["key"] == key).expect("the report");
    report["body"].clone()
}

fn has_flag(body: &Value, flag: &str) -> bool {
    body["flags"].as_array().is_some_and(|flags| flags.iter().any(|it| it == flag))
}

#[track_caller]
fn read(client: &Client, answer: &Value) -> Value {
    let id = answer["incident"].as_str().expect("an incident");
    client.get(&format!("/v1/incidents/{id}")).expect(200).json()
}

#[track_caller]
fn total(client: &Client, query: &str) -> Value {
    client.get(&format!("/v1/aggregates?{query}")).expect(200).json()["total"]["incidents"].clone()
}

#[test]
fn c20_exchanged_coordinates_are_refused_with_the_corrected_pair() {
    let app = TestApp::start();

    let refused = app.monitor().post("/v1/reports", &at(23.5898, -6.1360, "COD"));

    let refused = refused.expect_problem(422, "coordinates_swapped").json();
    assert_eq!(refused["corrected"], json!({"lat": -6.136, "lon": 23.5898}));
    assert_eq!(app.reviewer().get("/v1/incidents?status=all").expect(200).json()["total"], 0);
}

#[test]
fn c21_a_lost_minus_sign_is_counted_nowhere_until_a_reviewer_decides() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());

    for (lat, lon, declared, computed) in
        [(6.4162, 20.8, "COD", "CAF"), (8.644, 10.971, "SLE", "NGA")]
    {
        let answer = monitor.submit(&at(lat, lon, declared));

        assert_eq!(answer["geotag"]["country"], declared);
        assert_eq!(answer["geotag"]["country_computed"], computed);
        assert!(has_flag(&answer, "country_mismatch"), "{answer}");
    }
    let counted = reviewer.get("/v1/aggregates?status=all").expect(200).json();
    assert_eq!(counted["total"]["incidents"], 0);
    assert_eq!(counted["reconciliation"]["excluded"]["mismatch"], 2);
    assert_eq!(total(&reviewer, "status=all&include=mismatch"), 2);
}

#[test]
fn a_mismatch_is_verified_only_once_its_place_is_settled() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let answer = app.monitor().submit(&at(6.4162, 20.8, "COD"));
    let verify = json!({"status": "verified", "reason": "for the test"});

    let refused = reviewer.decide(&answer["incident"], &verify);
    let settled = json!({"location": {"country": "CAF"}, "reason": "the declaration was wrong"});
    let settled = reviewer.decide(&answer["incident"], &settled).expect(200).json();
    let verified = reviewer.decide(&answer["incident"], &verify).expect(200).json();

    assert_eq!(refused.expect_problem(422, "country_unsettled").pointers(), ["/location"]);
    assert_eq!(settled["country"], "CAF");
    assert_eq!(settled["precision"], "exact", "the point is kept");
    assert!(settled["place"].is_object() && settled["exact"]["cell"].is_string());
    assert!(!has_flag(&settled, "country_mismatch"));
    assert_eq!(verified["status"], "verified");
    assert_eq!(total(&reviewer, "country=CAF"), 1);
    assert_eq!(total(&reviewer, "country=COD"), 0);
    let other = json!({"location": {"country": "COD"}, "reason": "still wrong"});
    let answer = app.monitor().submit(&at(6.42, 20.8, "COD"));
    let decided = reviewer.decide(&answer["incident"], &other).expect(200).json();
    assert_eq!(decided["precision"], "country", "the declared country wins, without the point");
}

#[test]
fn c22_geojson_puts_longitude_first() {
    let app = TestApp::start();
    let answer = app.monitor().submit(&of_march("R1"));
    let path = format!("/v1/reports/{}", answer["id"].as_str().expect("an id"));

    let feature = app.reviewer().get_with(&path, &[("accept", "application/geo+json")]).expect(200);

    assert_eq!(feature.header("content-type"), Some("application/geo+json"));
    let feature = feature.json();
    assert_eq!(feature["type"], "Feature");
    assert_eq!(feature["geometry"], json!({"type": "Point", "coordinates": [-10.971, 8.644]}));
}

#[test]
fn c25_zero_zero_is_no_location_and_not_dropped() {
    let app = TestApp::start();

    let answer = app.monitor().submit(&at(0.0, 0.0, "SLE"));

    assert!(has_flag(&answer, "null_island"), "{answer}");
    assert_eq!(answer["geotag"]["precision"], "country");
    assert_eq!(answer["geotag"]["cell"], Value::Null);
    let counted = app.reviewer().get("/v1/aggregates?status=all").expect(200).json();
    assert_eq!(counted["total"]["incidents"], 1);
    assert_eq!(counted["reconciliation"]["unmapped"], 1);
    assert_eq!(counted["reconciliation"]["mapped"], 0);
}

#[test]
fn c26_a_report_without_a_point_is_listed_and_counted_as_unmapped() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let answer = app.monitor().submit(&of_march("R12"));
    reviewer.set_status(&answer["incident"], "verified");

    let list = reviewer.get("/v1/incidents?country=GIN").expect(200).json();
    let counted = reviewer.get("/v1/aggregates?country=GIN").expect(200).json();

    assert_eq!(list["total"], 1);
    assert_eq!(list["items"][0]["id"], answer["incident"]);
    assert_eq!(list["items"][0]["place"], Value::Null);
    assert_eq!(counted["total"]["incidents"], 1);
    assert_eq!(counted["reconciliation"]["unmapped"], 1);
    assert_eq!(counted["reconciliation"]["mapped"], 0);
}

#[test]
fn c27_the_border_decides_and_nearness_to_it_is_told() {
    let app = TestApp::start();
    let monitor = app.monitor();

    let pilanesberg = monitor.submit(&at(-25.3, 27.1, "BWA"));

    assert_eq!(pilanesberg["geotag"]["country_computed"], "ZAF");
    assert!(has_flag(&pilanesberg, "country_mismatch"));
    for (lat, lon, right, metres) in
        [(4.3612, 18.5550, "CAF", 700_i64), (4.3470, 18.5990, "COD", 2_100)]
    {
        let report = json!({"categories": [KILLING], "location": {"lat": lat, "lon": lon}});
        let answer = monitor.submit(&report);
        assert_eq!(answer["geotag"]["country"], right);
        assert!(has_flag(&answer, "near_border"), "{answer}");
        let near = answer["geotag"]["near_border_m"].as_i64().expect("a distance");
        assert!((near - metres).abs() <= 3_000, "{right} at {near} m");
    }
}

#[test]
fn c30_a_coordinate_that_is_none_is_refused_with_field_and_value() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let cases = [
        (json!({"lat": 91, "lon": 0}), "/location/lat", "latitude 91 is outside -90..=90"),
        (
            json!({"lat": 0, "lon": -180.5}),
            "/location/lon",
            "longitude -180.5 is outside -180..=180",
        ),
        (json!({"lat": "8.644N", "lon": -10.9}), "/location/lat", r#""8.644N" is not a number"#),
        (json!({"lat": "8°38'38\"N", "lon": 1}), "/location/lat", "8°38'38\"N"),
        (json!({"lat": 8.6}), "/location/lon", "lat and lon go together"),
    ];
    for (location, pointer, words) in cases {
        let refused =
            monitor.post("/v1/reports", &json!({"categories": [KILLING], "location": location}));
        let refused = refused.expect_problem(422, "invalid_fields");
        assert_eq!(refused.pointers(), [pointer]);
        let detail = refused.json()["errors"][0]["detail"].as_str().expect("words").to_owned();
        assert!(detail.contains(words), "{words} in {detail}");
    }
    for number in ["NaN", "1e309", "Infinity"] {
        let body = format!(
            r#"{{"categories": ["{KILLING}"], "location": {{"lat": {number}, "lon": 1}}}}"#
        );
        let headers = [("content-type", "application/json")];
        let refused = monitor.post_bytes("/v1/reports", &headers, body.as_bytes());
        refused.expect_problem(400, "invalid_json");
    }
}

#[test]
fn named_points_lie_where_they_are_known_to_lie() {
    let app = TestApp::start();
    let analyst = app.reviewer();
    let codes = include_str!("../data/test_point_codes.csv").lines().skip(1);
    for (line, code) in include_str!("../data/test_points.csv").lines().skip(1).zip(codes) {
        let columns: Vec<&str> = line.splitn(6, ',').collect();
        let (name, country) = (columns[0], columns[3]);
        let code = code.split(',').nth(1).expect("a code");
        let answer = analyst.get(&format!("/v1/geotag?lat={}&lon={}", columns[1], columns[2]));
        if !country.is_empty() {
            let geotag = answer.expect(200).json();
            assert_eq!(geotag["country"], country, "{name}");
            assert_eq!(geotag["admin1"]["code"], code, "{name}");
        } else if answer.status == 200 {
            assert!(has_flag(&answer.json(), "off_land"), "{name} is at sea");
        } else {
            let refused = answer.expect_problem(422, "invalid_fields");
            assert_eq!(refused.pointers(), ["/location/country"], "{name}");
        }
    }
}

#[test]
fn geotag_answers_what_intake_would() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    for (lat, lon, country) in
        [(8.644, -10.971, "SLE"), (6.4162, 20.8, "COD"), (0.0, 0.0, "SLE"), (-25.3, 27.1, "BWA")]
    {
        let taken_in = monitor.submit(&at(lat, lon, country))["geotag"].clone();
        let asked = reviewer.get(&format!("/v1/geotag?lat={lat}&lon={lon}&country={country}"));
        assert_eq!(asked.expect(200).json(), taken_in, "{lat} {lon} {country}");
    }
    reviewer.get("/v1/geotag?lat=1").expect_problem(400, "invalid_parameter");
    reviewer.get("/v1/geotag?lat=1&lon=2&contry=SLE").expect_problem(400, "unknown_parameter");
}

#[test]
fn the_day_is_that_of_the_place_and_no_precision_is_invented() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let cases = [
        ("R4", "2024-03-01", "2024-03-01", "time", "C12: half past midnight in Mbuji-Mayi"),
        ("R5", "2024-03-15", "2024-03-15", "day", "C13: a day stays a day"),
        ("R6", "2024-03-01", "2024-03-31", "month", "C18: a month stays a month"),
        ("R9", "2024-03-20", "2024-03-20", "time", "C15: a quarter past ten in Marange"),
    ];
    for (key, first, last, precision, reason) in cases {
        let sent = of_march(key);
        let answer = monitor.submit(&sent);
        let right = json!({"first_day": first, "last_day": last, "precision": precision});
        assert_eq!(read(&reviewer, &answer)["occurred"], right, "{reason}");
        let opened =
            reviewer.get(&format!("/v1/reports/{}", answer["id"].as_str().expect("an id")));
        assert_eq!(opened.expect(200).json()["report"]["occurred"], sent["occurred"], "{reason}");
    }
    assert_eq!(total(&reviewer, "status=all&from=2024-03-01&to=2024-03-31"), 4);
    assert_eq!(total(&reviewer, "status=all&from=2024-02-01&to=2024-02-29"), 0);
}

#[test]
fn c13_the_zone_of_the_server_plays_no_part() {
    for zone in ["Pacific/Auckland", "America/Los_Angeles"] {
        let app = TestApp::start();
        let served = Served::start(&app, zone);
        let (monitor, reviewer) = (app.monitor().at(&served.url), app.reviewer().at(&served.url));

        for (key, day) in [("R4", "2024-03-01"), ("R5", "2024-03-15"), ("R9", "2024-03-20")] {
            let answer = monitor.submit(&of_march(key));

            let shown = read(&reviewer, &answer)["occurred"].clone();
            assert_eq!(shown["first_day"], day, "{key} in {zone}");
            assert_eq!(shown["last_day"], day, "{key} in {zone}");
        }
    }
}
