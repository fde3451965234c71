//! Counting: the right totals, and how they reconcile.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use sentinelle::aggregates::query::By;
use sentinelle::auth::types::Role;
use serde_json::{Value, json};

use crate::harness::{Answer, Client, TestApp, submit_march};

const MARCH: &str = "from=2024-03-01&to=2024-03-31";

/// The twelve reports taken in and decided on, with somebody who sees everything.
fn march_app() -> (TestApp, Client, serde_json::Map<String, Value>) {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let submitted = submit_march(&monitor, &reviewer);
    let submitted = submitted.into_iter().collect();
    (app, reviewer, submitted)
}

/// The count of these filters.
#[track_caller]
pub(crate) fn count(client: &Client, query: &str) -> Value {
    client.get(&format!("/v1/aggregates?{query}")).expect(200).json()
}

/// Incidents by the one key the answer was grouped by; the null cell is called `null`.
pub(crate) fn cells(answer: &Value) -> BTreeMap<String, u64> {
    let by = answer["by"][0].as_str().unwrap_or_default();
    let cells = answer["cells"].as_array().cloned().unwrap_or_default();
    let key = |cell: &Value| match &cell[by] {
        Value::String(key) => key.clone(),
        other => other.to_string(),
    };
    cells.iter().map(|cell| (key(cell), cell["incidents"].as_u64().unwrap_or(u64::MAX))).collect()
}

fn right(pairs: &[(&str, u64)]) -> BTreeMap<String, u64> {
    pairs.iter().map(|(key, count)| ((*key).to_owned(), *count)).collect()
}

#[track_caller]
fn expect_total(client: &Client, query: &str, right: u64, reason: &str) {
    assert_eq!(count(client, query)["total"]["incidents"], right, "{reason}: {query}");
    let list = client.get(&format!("/v1/incidents?{query}")).expect(200).json();
    assert_eq!(list["total"], right, "the list: {reason}: {query}");
    assert_eq!(list["items"].as_array().map(Vec::len), usize::try_from(right).ok(), "{query}");
}

#[track_caller]
fn expect_reconciled(answer: &Value, query: &str) {
    let cells: u64 = cells_sum(answer);
    let reconciliation = &answer["reconciliation"];
    let number = |value: &Value| value.as_u64().unwrap_or(u64::MAX);
    assert_eq!(number(&reconciliation["sum_of_cells"]), cells, "{query}");
    assert_eq!(
        cells - number(&reconciliation["overlap"]),
        number(&answer["total"]["incidents"]),
        "{query}"
    );
    assert_eq!(
        number(&reconciliation["mapped"]) + number(&reconciliation["unmapped"]),
        number(&answer["total"]["incidents"]),
        "{query}"
    );
}

fn cells_sum(answer: &Value) -> u64 {
    let cells = answer["cells"].as_array().cloned().unwrap_or_default();
    cells.iter().filter_map(|cell| cell["incidents"].as_u64()).sum()
}

#[test]
fn march_counts_eight_incidents_two_killed_and_four_injured() {
    let (_app, reviewer, _) = march_app();

    let answer = count(&reviewer, MARCH);

    assert_eq!(answer["total"]["incidents"], 8);
    assert_eq!(answer["total"]["reports"], 8);
    assert_eq!(answer["total"]["killed"], json!({"min": 2, "max": 2, "stated": 1}));
    assert_eq!(answer["total"]["injured"], json!({"min": 4, "max": 4, "stated": 2}));
    assert_eq!(answer["total"]["detained"], json!(null));
    let excluded = &answer["reconciliation"]["excluded"];
    assert_eq!(
        excluded,
        &json!({"by_status": {"received": 2, "rejected": 1, "withdrawn": 1}, "merged": 0, "test": 0, "mismatch": 0})
    );
    assert_eq!(answer["reconciliation"]["mapped"], 7);
    assert_eq!(answer["reconciliation"]["unmapped"], 1);
    assert_eq!(answer["reconciliation"]["imprecise"], 1);
}

#[test]
fn march_by_country_theme_category_and_day_is_as_worked_out_by_hand() {
    let (_app, reviewer, _) = march_app();
    let by = |by: &str| count(&reviewer, &format!("by={by}&{MARCH}"));

    let countries = right(&[
        ("SLE", 2),
        ("COD", 2),
        ("CAF", 1),
        ("ZWE", 1),
        ("LSO", 1),
        ("GIN", 1),
        ("BWA", 0),
        ("CMR", 0),
        ("CIV", 0),
        ("LBR", 0),
    ]);
    assert_eq!(cells(&by("country")), countries);
    let themes = right(&[("rights", 7), ("environment", 1), ("governance", 1)]);
    assert_eq!(cells(&by("theme")), themes);
    let categories = right(&[
        ("rights.life_integrity", 4),
        ("rights.smuggling_illicit_trade", 2),
        ("environment.industrial_pollution", 1),
        ("rights.land_displacement", 1),
        ("governance.transparency", 1),
    ]);
    let category = by("category");
    assert_eq!(cells(&category), categories, "C31");
    assert_eq!(category["reconciliation"]["sum_of_cells"], 9);
    assert_eq!(category["reconciliation"]["overlap"], 1);
    assert_eq!(category["total"]["incidents"], 8);
    let days = right(&[
        ("2024-03-01", 1),
        ("2024-03-05", 1),
        ("2024-03-15", 1),
        ("2024-03-20", 1),
        ("2024-03-21", 1),
        ("2024-03-25", 1),
        ("2024-03-31", 1),
        ("null", 1),
    ]);
    assert_eq!(cells(&by("day")), days);
    assert_eq!(cells(&by("month")), right(&[("2024-03", 8)]), "C18: a month counts in its month");
    assert_eq!(cells(&by("region")), right(&[("southern", 2), ("central", 3), ("west", 3)]));
}

#[test]
fn both_ends_of_a_period_are_local_days_at_the_place() {
    let (_app, reviewer, _) = march_app();

    for (query, right, reason) in [
        ("from=2024-03&to=2024-03", 8, "C16: a month means its first and last day"),
        ("from=2024-02&to=2024-02", 0, "C12: R4 is 22:30 of 29 February in UTC, 1 March there"),
        ("from=2024-03-01&to=2024-03-01", 1, "C12: R4"),
        ("from=2024-03-31&to=2024-03-31", 1, "C16: R3, half an hour before April"),
        ("from=2024-03-20&to=2024-03-20", 1, "C15: R9"),
        ("from=2024-04-01", 0, "nothing runs over into April"),
        ("country=GIN", 1, "C35"),
        ("country=SLE", 2, "C35"),
        ("country=SL", 2, "alpha-2 is accepted"),
        ("category=rights.life_integrity&country=SLE", 1, "C36: R1"),
        (
            "category=rights.life_integrity,rights.smuggling_illicit_trade&country=SLE",
            2,
            "C36: R1, R3",
        ),
        (
            "category=rights.life_integrity,rights.land_displacement&from=2024-03-01&to=2024-03-15",
            3,
            "C36: R1, R4, R5",
        ),
        ("theme=rights", 7, "a parent selects its children"),
        ("category=rights.life_integrity.killing", 1, "a leaf selects itself"),
        ("mapped=false", 1, "R12"),
        ("status=all", 12, "everything"),
        ("status=received,rejected", 3, "R2, R7, R8"),
        ("region=west", 3, "R1, R3, R12"),
    ] {
        expect_total(&reviewer, query, right, reason);
    }
    for (country, mapped, unmapped) in [("GIN", 0, 1), ("SLE", 2, 0)] {
        let reconciliation =
            count(&reviewer, &format!("country={country}"))["reconciliation"].clone();
        assert_eq!(reconciliation["mapped"], mapped, "C35 {country}");
        assert_eq!(reconciliation["unmapped"], unmapped, "C35 {country}");
    }
}

#[test]
fn a_withdrawn_incident_leaves_every_number_and_restoring_brings_it_back() {
    let (_app, reviewer, submitted) = march_app();
    let r9 = &submitted["R9"]["incident"];

    reviewer.set_status(r9, "withdrawn");

    let answer = count(&reviewer, &format!("by=country&{MARCH}"));
    assert_eq!(answer["total"]["incidents"], 7, "C33");
    assert_eq!(answer["total"]["injured"], json!({"min": 3, "max": 3, "stated": 1}));
    assert_eq!(cells(&answer)["ZWE"], 0);
    let days = cells(&count(&reviewer, &format!("by=day&{MARCH}")));
    assert_eq!(days.get("2024-03-20").copied().unwrap_or(0), 0);

    reviewer.set_status(r9, "verified");
    expect_total(&reviewer, MARCH, 8, "C33: restored");
}

#[test]
fn a_country_page_and_the_list_of_countries_say_the_same_as_the_count() {
    let (app, reviewer, _) = march_app();

    let before = reviewer.get("/v1/countries/LSO?from=2024-01&to=2024-02").expect(200).json();
    let march = reviewer.get("/v1/countries/LS?from=2024-03&to=2024-03").expect(200).json();
    let list = reviewer.get(&format!("/v1/countries?{MARCH}")).expect(200).json();

    assert_eq!(before["total"]["incidents"], 0, "C40");
    assert_eq!(march["total"]["incidents"], 1, "C40");
    assert_eq!(march["country"], "LSO");
    assert_eq!(march["change"]["incidents"], 1);
    assert_eq!(march["change"]["from"], "2024-02-01");
    let countries = list["countries"].as_array().expect("countries");
    assert_eq!(countries.len(), 10, "all ten members, zeros included");
    let counted = cells(&count(&reviewer, &format!("by=country&{MARCH}")));
    for country in countries {
        let code = country["country"].as_str().expect("a code");
        assert_eq!(country["incidents"], counted[code], "{code}");
    }
    let analyst = app.user(Role::Analyst, "SLE,COD");
    let list = analyst.get("/v1/countries").expect(200).json();
    assert_eq!(list["scope"], json!(["COD", "SLE"]));
    assert_eq!(list["countries"].as_array().map(Vec::len), Some(2));
    let out_of_scope = analyst.get("/v1/countries/LSO").expect(404);
    assert_eq!(out_of_scope.body, analyst.get("/v1/countries/XYZ").expect(404).body);
}

#[test]
fn a_typing_error_in_a_parameter_is_refused_and_the_right_name_offered() {
    let app = TestApp::start();
    let reviewer = app.reviewer();

    for path in ["/v1/aggregates", "/v1/incidents", "/v1/countries", "/v1/countries/SLE"] {
        let answer = reviewer.get(&format!("{path}?catgory=rights"));
        let answer = answer.expect_problem(400, "unknown_parameter");
        let text = answer.text();
        assert!(text.contains("catgory") && text.contains("category"), "C41 {path}: {text}");
    }
}

#[test]
fn a_date_that_runs_over_the_edge_or_is_missing_is_told_apart() {
    let (app, reviewer, _) = march_app();
    let undated = app.monitor().submit(&json!({
        "location": {"country": "SLE"}, "categories": ["rights.life_integrity.killing"],
    }));
    reviewer.set_status(&undated["incident"], "verified");

    let second_half = count(&reviewer, "from=2024-03-10&to=2024-03-31");
    let open = count(&reviewer, "by=day");

    assert_eq!(second_half["total"]["incidents"], 5);
    assert_eq!(second_half["reconciliation"]["straddling"], 1, "R6 is all of March");
    assert_eq!(second_half["reconciliation"]["undated"], 1);
    assert_eq!(
        second_half["reconciliation"]["excluded"]["by_status"],
        json!({"received": 1, "rejected": 1, "withdrawn": 1})
    );
    assert_eq!(open["total"]["incidents"], 9, "undated counts where no date is asked");
    assert_eq!(open["reconciliation"]["undated"], 0);
    assert_eq!(cells(&open)["null"], 2, "R6 and the undated one");
    expect_reconciled(&open, "by=day");
}

#[test]
fn a_test_report_is_left_out_told_and_included_on_request() {
    let (app, reviewer, _) = march_app();
    let test = app.monitor().submit(&json!({
        "occurred": "2024-03-20", "location": {"country": "ZWE"}, "test": true,
        "categories": ["rights.life_integrity.killing"],
    }));
    reviewer.set_status(&test["incident"], "verified");

    expect_total(&reviewer, MARCH, 8, "C74");
    assert_eq!(count(&reviewer, MARCH)["reconciliation"]["excluded"]["test"], 1);
    expect_total(&reviewer, &format!("{MARCH}&include=test"), 9, "C74: asked for");
}

#[test]
fn every_grouping_reconciles_and_agrees_with_the_filter_of_its_name() {
    let (app, reviewer, _) = march_app();
    let rich = app.monitor().submit(&json!({
        "occurred": "2024-03-14", "location": {"lat": 7.8769, "lon": -11.1903},
        "categories": ["rights.life_integrity.killing"], "mining_mode": "artisanal",
        "actors": [{"type": "private_security"}, {"type": "state_army"}],
    }));
    reviewer.set_status(&rich["incident"], "verified");

    for by in By::ALL.map(By::as_str) {
        let answer = count(&reviewer, &format!("by={by}&status=all"));
        assert_eq!(answer["total"]["incidents"], 13, "{by}");
        expect_reconciled(&answer, by);
        if ["day", "week", "month", "quarter", "year"].contains(&by) {
            continue;
        }
        let filter = if by == "subcategory" { "category" } else { by };
        let statuses = if by == "status" { "" } else { "&status=all" };
        for (key, n_incidents) in cells(&answer).into_iter().filter(|(key, _)| key != "null") {
            expect_total(&reviewer, &format!("{filter}={key}{statuses}"), n_incidents, by);
        }
    }
    let actors = count(&reviewer, "by=actor");
    assert_eq!(cells(&actors)["private_security"], 1);
    assert_eq!(cells(&actors)["state_army"], 1);
    assert_eq!(actors["reconciliation"]["overlap"], 1);
    assert_eq!(cells(&count(&reviewer, "by=mining_mode"))["artisanal"], 1);
    assert_eq!(cells(&count(&reviewer, "by=channel")), right(&[("api", 9)]));
}

#[test]
fn three_groupings_at_once_reconcile_and_a_fourth_is_refused() {
    let (_app, reviewer, _) = march_app();

    let three = count(&reviewer, "by=country,category,month");
    expect_reconciled(&three, "three");
    assert_eq!(three["by"], json!(["country", "category", "month"]));
    assert_eq!(three["reconciliation"]["overlap"], 1);

    for by in ["country,category,month,status", "country,country", "continent"] {
        reviewer.get(&format!("/v1/aggregates?by={by}")).expect_problem(400, "invalid_parameter");
    }
}

#[test]
fn cells_are_counted_at_resolutions_three_to_five_and_seven_for_reviewers_only() {
    let (app, reviewer, _) = march_app();
    let analyst = app.user(Role::Analyst, "all");

    for resolution in [3, 4, 5] {
        let query = format!("by=h3&h3_resolution={resolution}");
        let answer = count(&analyst, &query);
        assert_eq!(answer["total"]["incidents"], 8);
        assert_eq!(cells(&answer)["null"], 1, "R12 has no cell");
        expect_reconciled(&answer, &query);
    }
    count(&reviewer, "by=h3&h3_resolution=7");
    for path in ["by=h3&h3_resolution=7", "by=site"] {
        analyst.get(&format!("/v1/aggregates?{path}")).expect_problem(403, "forbidden");
    }
    reviewer.get("/v1/aggregates?by=h3&h3_resolution=6").expect_problem(400, "invalid_parameter");
}

#[test]
fn a_box_acts_on_the_generalised_place_and_not_on_the_exact_point() {
    let (_app, reviewer, submitted) = march_app();
    let r1 = submitted["R1"]["incident"].as_str().expect("an id");
    let incident = reviewer.get(&format!("/v1/incidents/{r1}")).expect(200).json();
    let place = &incident["place"]["coordinates"];
    let (lon, lat) = (place[0].as_f64().expect("lon"), place[1].as_f64().expect("lat"));
    let around = |lon: f64, lat: f64| {
        let (west, south, east, north) = (lon - 1e-4, lat - 1e-4, lon + 1e-4, lat + 1e-4);
        format!("bbox={west:.6},{south:.6},{east:.6},{north:.6}")
    };

    expect_total(&reviewer, &around(lon, lat), 1, "the generalised place");
    expect_total(&reviewer, &around(-10.971, 8.644), 0, "a box must not find the exact point");
    expect_total(&reviewer, "bbox=-180,-90,180,90", 7, "everything that is mapped");
}

#[test]
fn text_search_is_blind_to_accents_and_closed_to_analysts() {
    let (app, reviewer, _) = march_app();

    expect_total(&reviewer, "q=riviere%20POLLUEE", 1, "R5");
    expect_total(&reviewer, "q=seguela&status=all", 1, "R11");
    expect_total(&app.user(Role::Reviewer, "SLE"), "q=riviere", 0, "R5 is not in its scope");
    let analyst = app.user(Role::Analyst, "all");
    for path in ["/v1/incidents", "/v1/aggregates", "/v1/countries"] {
        let answer = analyst.get(&format!("{path}?q=riviere")).expect_problem(403, "forbidden");
        assert!(!answer.text().contains("riviere"), "the text is not repeated");
    }
}

#[test]
fn notes_are_in_the_callers_language() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let note = |language: &str| {
        let answer = reviewer.get_with("/v1/aggregates", &[("accept-language", language)]);
        answer.expect(200).json()["coverage"].as_str().expect("a note").to_owned()
    };

    assert!(note("fr").starts_with("Incidents signalés à la coalition"));
    assert!(note("en").starts_with("Incidents reported to the coalition"));
}

#[test]
fn a_second_server_answers_with_what_the_first_one_wrote_last() {
    let (app, reviewer, submitted) = march_app();
    let second = app.second_server();
    let other = reviewer.at(&second.url);

    expect_total(&other, MARCH, 8, "what was there at its start");
    reviewer.set_status(&submitted["R7"]["incident"], "verified");
    expect_total(&other, MARCH, 9, "what came after");
    other.set_status(&submitted["R7"]["incident"], "rejected");
    expect_total(&reviewer, MARCH, 8, "and the other way round");
}

#[test]
fn an_analyst_never_sees_the_exact_place_and_always_the_same_general_one() {
    let (app, reviewer, submitted) = march_app();
    let analyst = app.user(Role::Analyst, "all");
    let r1 = submitted["R1"]["incident"].as_str().expect("an id");
    let fine = reviewer.get(&format!("/v1/incidents/{r1}")).expect(200).json();
    let cell7 = fine["exact"]["cell"].as_str().expect("a fine cell for the reviewer").to_owned();

    let outlets = [
        format!("/v1/incidents/{r1}"),
        "/v1/incidents".to_owned(),
        "/v1/aggregates?by=h3".to_owned(),
        "/v1/aggregates.csv?by=h3".to_owned(),
        "/v1/aggregates?by=site_distance,admin1,h3".to_owned(),
        "/v1/countries/SLE".to_owned(),
        "/v1/countries".to_owned(),
    ];
    for path in &outlets {
        let read = || -> Answer { analyst.get(path).expect(200) };
        let (first, second) = (read(), read());
        let text = format!("{:?} {}", first.headers, first.text());
        for secret in ["8.644", "10.971", cell7.as_str(), "Two diggers"] {
            assert!(!text.contains(secret), "C52 {path}: {secret}");
        }
        assert_eq!(first.body, second.body, "C52: no jitter that averages away: {path}");
    }
    let report = submitted["R1"]["id"].as_str().expect("an id");
    analyst.get(&format!("/v1/reports/{report}")).expect_problem(403, "forbidden");
}
