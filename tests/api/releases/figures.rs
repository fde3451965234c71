//! Which figures come out, and which never do.

use sentinelle::auth::types::Role;
use serde_json::{Value, json};

use crate::releases::stage::{KILLING, Stage, Told, several};

/// Figures that are more than nothing, as text.
fn told(atoms: &Value) -> Vec<String> {
    let codes = |list: &Value| {
        let codes = list.as_array().expect("codes").iter();
        codes.map(|code| code.as_str().expect("a code")).collect::<Vec<_>>().join("+")
    };
    let atoms = atoms.as_array().expect("atoms").iter();
    let atoms = atoms.filter(|atom| atom["incidents"].as_u64() != Some(0));
    atoms
        .map(|atom| {
            let axes = ["admin1", "times", "categories"].map(|axis| codes(&atom[axis])).join(" ");
            format!("{} {axes} {}", atom["country"].as_str().expect("a code"), atom["incidents"])
        })
        .collect()
}

#[test]
fn one_of_rights_and_seven_of_environment_are_one_figure_of_eight() {
    let stage = Stage::new();
    stage.tell(&several(1, "2024-03-05", KILLING));
    stage.tell(&several(7, "2024-03-06", &stage.pollution));

    stage.publish("2024-03");

    let country = stage.public("countries/LSO");
    assert_eq!(told(&country["atoms"]), ["LSO none 2024-03 * 8"]);
    assert_eq!(country["total"], json!({"incidents": 8, "complete": true}));
    for theme in country["themes"].as_array().expect("themes") {
        assert_eq!(theme["incidents"], Value::Null, "{theme}");
    }
    let rights = stage.public("aggregates?theme=rights&country=LSO");
    assert_eq!(rights["total"], json!({"incidents": null, "complete": false}));
    assert_eq!(told(&rights["coarser"]), ["LSO none 2024-03 * 8"]);
}

#[test]
fn two_windows_that_differ_by_one_incident_are_not_both_answered() {
    let stage = Stage::new();
    stage.tell(&several(8, "2024-01-15", KILLING));
    stage.tell(&several(1, "2024-03-15", KILLING));
    stage.publish("2024-03");

    let quarter = stage.public("aggregates?country=LSO&from=2024-01&to=2024-03");
    let two_months = stage.public("aggregates?country=LSO&from=2024-01&to=2024-02");

    assert_eq!(quarter["total"], json!({"incidents": 9, "complete": true}));
    assert_eq!(two_months["total"]["complete"], false);
    assert_eq!(two_months["total"]["incidents"], Value::Null);
    assert_eq!(two_months["n_coarser"], 1);
    assert_eq!(two_months["coarser"][0]["incidents"], 9);
}

#[test]
fn enough_incidents_of_two_monitors_are_too_few() {
    let stage = Stage::new();
    let of_two = |nth: usize| Told::new("2024-03-05", KILLING, nth % 2);
    stage.tell(&(0..9).map(of_two).collect::<Vec<_>>());

    let preview = stage.draft("2024-03");

    assert_eq!(told(&preview["atoms"]), ["LSO * 2024-Q1 * null"]);
    assert_eq!(preview["left_out"]["withheld"], 9);
    let withheld = preview["atoms"].as_array().expect("atoms").iter();
    let mut withheld = withheld.filter(|atom| atom["incidents"].is_null());
    assert_eq!(withheld.next().expect("one")["folded"]["admin1"], "few_senders");
}

#[test]
fn a_country_with_too_few_has_no_figure_and_one_with_none_has_zero() {
    let stage = Stage::new();
    stage.tell(&several(4, "2024-02-05", KILLING));
    stage.publish("2024-03");

    let countries = stage.public("countries");
    let items = countries["items"].as_array().expect("items");

    assert_eq!(items.len(), 10);
    let of = |code: &str| items.iter().find(|item| item["country"] == code).expect("a country");
    assert_eq!(
        *of("LSO"),
        json!({"country": "LSO", "name": "Lesotho", "incidents": null, "complete": false})
    );
    assert_eq!(of("SLE")["incidents"], 0);
    assert_eq!(of("SLE")["complete"], true);
    let by_country = stage.public("aggregates?by=country");
    assert_eq!(by_country["total"], json!({"incidents": null, "complete": false}), "no zero");
    let cells = by_country["cells"].as_array().expect("cells");
    assert_eq!(cells.len(), 10);
    assert!(cells.contains(&json!({"country": "LSO", "incidents": null, "complete": false})));
    let area = &stage.public("countries/SLE")["admin1"][0];
    assert_eq!((&area["incidents"], &area["complete"]), (&json!(0), &json!(true)));
    let area = &stage.public("countries/LSO")["admin1"][0];
    assert_eq!((&area["incidents"], &area["complete"]), (&Value::Null, &json!(false)));
}

#[test]
fn areas_that_stand_alone_are_told_and_the_others_together() {
    let stage = Stage::new();
    let areas = stage.areas("LSO");
    let within = |n: usize, area: &str| {
        let all = several(n, "2024-02-05", KILLING).into_iter();
        all.map(|told| told.within(area)).collect::<Vec<_>>()
    };
    for (n, area) in [(9, &areas[0]), (3, &areas[1]), (4, &areas[2])] {
        stage.tell(&within(n, area));
    }
    stage.publish("2024-03");

    let country = stage.public("countries/LSO");

    let of = |code: &str| {
        let listed = country["admin1"].as_array().expect("areas").iter();
        listed.clone().find(|item| item["code"] == code).expect("an area").clone()
    };
    assert_eq!(of(&areas[0])["incidents"], 9);
    for area in [&areas[1], &areas[2], &areas[3], &"none".to_owned()] {
        assert_eq!((&of(area)["incidents"], &of(area)["complete"]), (&Value::Null, &json!(false)));
    }
    assert_eq!(country["total"]["incidents"], 16);
    let by_area = stage.public("aggregates?country=LSO&by=admin1");
    assert_eq!(
        by_area["cells"],
        json!([
            {"admin1": areas[0], "incidents": 9, "complete": true},
            {"admin1": null, "incidents": 7, "complete": true}
        ])
    );
}

#[test]
fn what_is_known_no_better_than_its_quarter_or_year_waits_for_its_end() {
    let stage = Stage::new();
    stage.app.set_now("2025-02-01T00:00:00Z");
    stage.tell(&several(6, "2024-02-05", KILLING));
    stage.tell(&several(6, "2024", KILLING));
    let first = stage.draft("2024-03");
    assert_eq!(
        (&first["shares"]["incidents"], &first["left_out"]["other_times"]),
        (&json!(6), &json!(6))
    );

    stage.publish("2024-12");

    let by_month = stage.public("aggregates?country=LSO&by=month");
    let cells = by_month["cells"].as_array().expect("cells");
    assert!(cells.contains(&json!({"month": "2024-02", "incidents": 6, "complete": true})));
    assert_eq!(cells.last(), Some(&json!({"month": null, "incidents": 6, "complete": true})));
}

#[test]
fn tests_the_unverified_the_merged_and_those_without_consent_are_left_out() {
    let stage = Stage::new();
    stage.tell(&several(6, "2024-02-05", KILLING));
    let internal = |told: Told| told.agreed("internal_use");
    stage.tell(&several(3, "2024-02-05", KILLING).into_iter().map(internal).collect::<Vec<_>>());
    let report =
        json!({"occurred": "2024-02-05", "location": {"country": "LSO"}, "categories": [KILLING]});
    let monitor = stage.app.user(Role::Monitor, "LSO");
    let reviewer = stage.app.reviewer();
    monitor.submit(&report);
    let rejected = monitor
        .submit(&json!({"occurred": "2024-02-06", "location": {"country": "LSO"},
        "categories": [KILLING]}));
    reviewer.set_status(&rejected["incident"], "rejected");
    let test = monitor.submit(&json!({"occurred": "2024-02-07", "location": {"country": "LSO"},
        "categories": [KILLING]}));
    let decision = json!({"status": "verified", "is_test": true, "reason": "a test"});
    reviewer.decide(&test["incident"], &decision).expect(200);

    let preview = stage.draft("2024-03");

    assert_eq!(
        told(&preview["atoms"]),
        [format!("LSO none 2024-02 {} 6", "rights.life_integrity")]
    );
    assert_eq!(preview["left_out"]["consent"], 3);
}

#[test]
fn a_figure_changes_by_nothing_or_by_enough_against_every_release_before() {
    let stage = Stage::new();
    stage.tell(&several(8, "2024-02-05", KILLING));
    let (first, mut figures) = (stage.publish("2024-03"), Vec::new());
    for later in [4, 1, 2, 3] {
        stage.tell(&several(later, "2024-02-06", KILLING));
        stage.publish("2024-03");
        figures.push(stage.public("countries/LSO")["total"]["incidents"].clone());
    }

    assert_eq!(figures, [8, 13, 13, 18]);
    let old = stage.public(&format!("countries/LSO?release={first}"));
    assert_eq!(old["total"]["incidents"], 8);
    // What was nothing and what was withheld wait as well.
    let mut elsewhere = several(4, "2024-02-06", KILLING);
    for told in &mut elsewhere {
        told.country = "SLE";
    }
    stage.tell(&elsewhere);
    let preview = stage.draft("2024-03");
    assert_eq!(preview["shares"]["kept"], 1);
    stage.publish("2024-03");
    assert_eq!(stage.public("countries/SLE")["total"], json!({"incidents": 0, "complete": true}));
}

#[test]
fn a_figure_that_was_wrong_and_may_not_be_told_as_it_is_now_is_told_no_longer() {
    let stage = Stage::new();
    stage.tell(&several(12, "2024-02-05", KILLING));
    stage.publish("2024-03");
    stage.reject(4);
    stage.publish("2024-03");
    assert_eq!(stage.public("countries/LSO")["total"]["incidents"], 12, "8 differ by too little");

    stage.reject(6);
    stage.publish("2024-03");

    let two_are_left = stage.public("countries/LSO")["total"].clone();
    assert_eq!(two_are_left, json!({"incidents": null, "complete": false}));
    stage.tell(&several(5, "2024-02-05", KILLING));
    stage.publish("2024-03");
    assert_eq!(stage.public("countries/LSO")["total"]["incidents"], 7);
}

#[test]
fn months_that_the_release_does_not_cover_are_refused_and_never_told_as_none() {
    let stage = Stage::new();
    stage.tell(&several(8, "2024-02-05", KILLING));
    stage.publish("2024-02");
    let analyst = stage.app.user(Role::Analyst, "LSO");

    for (months, name) in [
        ("from=2024-03", "from"),
        ("to=2024-03", "to"),
        ("from=2023&to=2024-02", "from"),
        ("from=2024&to=2024", "to"),
    ] {
        let paths = ["public/aggregates?", "public/aggregates.csv?", "aggregates?for=publication&"];
        for path in paths {
            let refused = analyst.get(&format!("/v1/{path}country=LSO&{months}"));
            let text = refused.expect_problem(400, "invalid_parameter").text();
            let words = "the release covers 2024-01 to 2024-02";
            assert!(text.contains(words) && text.contains(&format!("\"?{name}\"")), "{text}");
        }
    }
}

#[test]
fn the_shape_of_a_month_stays_as_it_was_first_released() {
    let stage = Stage::new();
    stage.tell(&several(3, "2024-01-05", KILLING));
    stage.tell(&several(3, "2024-01-05", &stage.pollution));
    stage.publish("2024-01");
    let shape = stage.public("countries/LSO")["atoms"].clone();

    stage.tell(&several(20, "2024-01-06", KILLING));
    stage.tell(&several(6, "2024-02-06", KILLING));
    stage.publish("2024-02");

    let atoms = stage.public("countries/LSO")["atoms"].clone();
    let of = |atoms: &Value, axis: &str| -> Vec<Value> {
        atoms.as_array().expect("atoms").iter().map(|atom| atom[axis].clone()).collect()
    };
    let n = of(&shape, "times").len();
    for axis in ["admin1", "times", "categories"] {
        assert_eq!(of(&atoms, axis)[..n], of(&shape, axis), "{axis}");
    }
    assert_eq!(told(&shape), ["LSO none 2024-01 * 6"]);
    assert_eq!(told(&atoms)[..1], ["LSO none 2024-01 * 26"]);
    assert!(of(&atoms, "times")[n..].iter().all(|times| times == &json!(["2024-02"])));
}
