//! Places told in words, suggested to forms, and points told in words.

#![expect(clippy::expect_used, reason = "a helper that cannot go on fails its test")]

use serde_json::{Value, json};

use crate::harness::{Client, TestApp};

const KILLING: &str = "rights.life_integrity.killing";

fn named(country: &str, place: &str) -> Value {
    json!({"categories": [KILLING], "location": {"country": country, "place": place}})
}

#[test]
fn a_report_that_says_pres_de_tortiya_lands_in_tortiya() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());

    let answer = monitor.submit(&named("CIV", "près de Tortiya"));

    let geotag = &answer["geotag"];
    assert_eq!(geotag["precision"], "town");
    assert_eq!(geotag["admin1"]["code"], "CI-VB");
    assert_eq!(geotag["matched"]["name"], "Tortiya");
    assert_eq!(geotag["matched"]["kind"], "town");
    assert_eq!(geotag["candidates"], json!([]));
    assert!(geotag["cell"].is_string(), "{geotag}");
    assert_eq!(answer["flags"], json!([]));
    let place = read(&reviewer, &answer)["place"]["coordinates"].clone();
    let degrees = |index: usize| place[index].as_f64().expect("degrees");
    assert!((degrees(0) + 5.6865).abs() < 0.2 && (degrees(1) - 8.7682).abs() < 0.2, "{place}");
    let opened = reviewer.get(&format!("/v1/reports/{}", answer["id"].as_str().expect("an id")));
    assert_eq!(opened.expect(200).json()["matched"]["name"], "Tortiya");
}

#[test]
fn ten_towns_are_found_in_every_spelling() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let towns: [(&str, &str, &[&str]); 10] = [
        (
            "CIV",
            "Séguéla",
            &["Séguéla", "Seguela", "SEGUELA", "Se\u{301}gue\u{301}la", "à Séguela"],
        ),
        ("CIV", "Yamoussoukro", &["Yamoussoukro", "Yamusukro", "YAMOUSSOUKRO", "Yamoussokro"]),
        ("SLE", "Koidu", &["Koidu", "Koïdu", "Koidou", "Koidu Town", "Sefadu", "near Koidu"]),
        ("SLE", "Kenema", &["Kenema", "Kénéma", "KENEMA town", "Kennema"]),
        (
            "COD",
            "Mbuji-Mayi",
            &["Mbuji-Mayi", "M’buji Mayi", "M'Buji-Mayi", "mbujimayi", "Mbuji Mai"],
        ),
        ("COD", "Kinshasa", &["Kinshasa", "Kinchasa", "Léopoldville", "LEOPOLDVILLE"]),
        (
            "CAF",
            "Berbérati",
            &["Berbérati", "Berberati", "BERBÉRATI", "Berberaty", "près de Berbérrati"],
        ),
        ("CAF", "Carnot", &["Carnot", "CARNOT", "village de Carnot", "Carnott"]),
        ("GIN", "Nzérékoré", &["Nzérékoré", "N’Zérékoré", "N'zerekore", "NZEREKORE"]),
        ("CMR", "Bétaré Oya", &["Bétaré Oya", "Betare-Oya", "BÉTARÉ OYA", "Betare Oya"]),
    ];
    for (country, name, spellings) in towns {
        for spelling in spellings {
            let geotag = monitor.submit(&named(country, spelling))["geotag"].clone();
            assert_eq!(geotag["matched"]["name"], name, "{spelling}");
            assert_eq!(geotag["precision"], "town", "{spelling}");
        }
    }
}

#[test]
fn of_several_places_of_one_name_none_is_chosen_and_all_are_told() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());

    let answer = monitor.submit(&named("SLE", "Giehun"));

    assert!(has_flag(&answer, "place_ambiguous"), "{answer}");
    assert_eq!(answer["geotag"]["precision"], "country");
    assert_eq!(answer["geotag"]["cell"], Value::Null);
    assert_eq!(answer["geotag"]["candidates"].as_array().expect("candidates").len(), 2);
    assert!(!read(&reviewer, &answer).to_string().contains("Giehun"), "the core has no place name");
    let opened = reviewer.get(&format!("/v1/reports/{}", answer["id"].as_str().expect("an id")));
    assert_eq!(opened.expect(200).json()["candidates"][0]["name"], "Giehun");
    let mut in_huambo = named("AGO", "Bailundo");
    in_huambo["location"]["admin1"] = json!("AO-HUA");
    let geotag = monitor.submit(&in_huambo)["geotag"].clone();
    assert_eq!(geotag["precision"], "town", "the declared area decides");
    assert_eq!(geotag["admin1"]["code"], "AO-HUA");
}

#[test]
fn a_place_that_nobody_knows_is_flagged_and_a_point_wins_over_a_name() {
    let app = TestApp::start();
    let monitor = app.monitor();

    let unknown = monitor.submit(&named("CIV", "Nulle-Part-sur-Mer"));
    let mut far = named("SLE", "Freetown");
    far["location"]["lat"] = json!(8.644);
    far["location"]["lon"] = json!(-10.971);
    let far = monitor.submit(&far);

    assert!(has_flag(&unknown, "place_unresolved"), "{unknown}");
    assert_eq!(unknown["geotag"]["precision"], "country");
    assert!(has_flag(&far, "place_far"), "{far}");
    assert_eq!(far["geotag"]["precision"], "exact");
    assert_eq!(far["geotag"]["admin1"]["code"], "SL-E");
}

#[test]
fn without_a_country_a_name_must_say_which() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let send = |place: &str| {
        monitor.post("/v1/reports", &json!({"categories": [KILLING], "location": {"place": place}}))
    };

    let only_one = send("Tortiya").expect(201).json();
    let several = send("Bouca").status;
    let ambiguous = send("Kimberley et Bria").expect_problem(422, "invalid_fields");
    let unknown = send("Nulle-Part").expect_problem(422, "invalid_fields");

    assert_eq!(only_one["geotag"]["country"], "CIV");
    assert!([201, 422].contains(&several));
    assert_eq!(ambiguous.pointers(), ["/location/country"]);
    assert!(ambiguous.json()["candidates"].as_array().expect("candidates").len() >= 2);
    assert_eq!(unknown.json()["candidates"], Value::Null);
}

#[test]
fn a_mine_is_matched_against_the_known_sites() {
    let app = TestApp::start();
    let monitor = app.monitor();

    let catoca = monitor.submit(&named("AGO", "mine de Catoca"))["geotag"].clone();
    let nzako = monitor.submit(&named("CAF", "chantier de Nzako"));

    assert_eq!(catoca["precision"], "mine_site");
    assert_eq!(catoca["matched"]["site"], "usgs-ago035");
    assert!(catoca["cell"].is_string());
    assert!(has_flag(&nzako, "site_imprecise"), "{nzako}");
    assert_eq!(nzako["geotag"]["cell"], Value::Null);
    assert_eq!(nzako["geotag"]["matched"]["lon"], Value::Null);
}

#[test]
fn a_reviewer_may_settle_a_place_by_its_name() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let answer = app.monitor().submit(&named("CAF", "Nulle-Part"));
    let settled = json!({"location": {"country": "CAF", "place": "Bria"}, "reason": "asked back"});

    let settled = reviewer.decide(&answer["incident"], &settled).expect(200).json();

    assert_eq!(
        (&settled["precision"], &settled["admin1"]["code"]),
        (&json!("town"), &json!("CF-HK"))
    );
    assert!(settled["place"].is_object() && !has_flag(&settled, "place_unresolved"), "{settled}");
}

#[test]
fn a_point_is_told_in_the_words_of_people() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let path = "/v1/geotag?lat=5.019&lon=15.954";

    let english = reviewer.get(path).expect(200).json()["near"].clone();
    let french = reviewer.get_with(path, &[("accept-language", "fr")]).expect(200).json();

    assert_eq!(english["text"], "12 km NE of Carnot");
    assert_eq!((&english["place"], &english["bearing"]), (&json!("Carnot"), &json!("NE")));
    let distance_m = english["distance_m"].as_i64().expect("metres");
    assert!((11_500..12_500).contains(&distance_m), "{distance_m}");
    assert_eq!(french["near"]["text"], "12 km au NE de Carnot");
    let mut koidu = named("SLE", "Koidu");
    koidu["location"]["lat"] = json!(8.644);
    koidu["location"]["lon"] = json!(-10.971);
    let answer = app.monitor().submit(&koidu);
    let core = read(&reviewer, &answer);
    assert!(core["near"].is_null() && !core.to_string().contains("km "), "{core}");
    let opened = reviewer.get(&format!("/v1/reports/{}", answer["id"].as_str().expect("an id")));
    assert_eq!(opened.expect(200).json()["near"]["place"], "Koidu");
}

#[test]
fn places_are_suggested_while_somebody_types() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let first = |query: &str| {
        let body = monitor.get(&format!("/v1/places?{query}")).expect(200).json();
        body["items"][0].clone()
    };

    let tortiya = first("q=tort&country=CIV");
    let area = first("q=haute-k&country=CF");
    let accents = first("q=S%C3%89GU&country=CIV");
    let misspelt = first("q=Tortya&country=CIV");

    assert_eq!(tortiya["name"], "Tortiya");
    assert_eq!((&tortiya["kind"], &tortiya["country"]), (&json!("town"), &json!("CIV")));
    assert_eq!(tortiya["admin1"], json!({"code": "CI-VB", "name": "Vallée du Bandama"}));
    assert_eq!((&tortiya["lon"], &tortiya["lat"]), (&json!(-5.6865), &json!(8.7682)));
    assert_eq!((&area["kind"], &area["admin1"]["code"]), (&json!("admin1"), &json!("CF-HK")));
    assert_eq!(area["lon"], Value::Null);
    assert_eq!(accents["name"], "Séguéla");
    assert_eq!(misspelt["name"], "Tortiya");
    let none = monitor.get("/v1/places?q=nzako&country=CAF").expect(200).json();
    let site = none["items"].as_array().expect("items").iter().find(|item| item["kind"] == "site");
    assert_eq!(
        site.expect("the site of Nzako")["lon"],
        Value::Null,
        "nobody has checked its point"
    );
    let items = |query: &str| {
        let body = monitor.get(&format!("/v1/places?{query}")).expect(200).json();
        body["items"].as_array().expect("items").len()
    };
    assert_eq!((items("q=k"), items("q=k&limit=3"), items("q=%E2%80%A6")), (10, 3, 0));
    for (query, pointer) in [
        ("", "?q"),
        ("q=", "?q"),
        ("q=k&limit=0", "?limit"),
        ("q=k&limit=51", "?limit"),
        ("q=k&country=NGA", "?country"),
    ] {
        let refused = monitor.get(&format!("/v1/places?{query}"));
        assert_eq!(refused.expect_problem(400, "invalid_parameter").pointers(), [pointer]);
    }
    monitor.get("/v1/places?q=k&contry=SLE").expect_problem(400, "unknown_parameter");
}

#[test]
fn an_area_is_declared_by_name_old_name_or_code() {
    let app = TestApp::start();
    let monitor = app.monitor();
    for (country, admin1, code) in [
        ("SLE", "SL-E", "SL-E"),
        ("COD", "Kasaï central", "CD-KC"),
        ("COD", "kasai central", "CD-KC"),
        ("COD", "Katanga", "COD-1897"),
        ("CAF", "Haute-Sangha", "CF-HS"),
        ("CAF", "Lim-Pendé", "CAF-21"),
    ] {
        let location = json!({"country": country, "admin1": admin1});
        let report = json!({"categories": [KILLING], "location": location, "narrative": admin1});
        let geotag = monitor.submit(&report)["geotag"].clone();
        assert_eq!(geotag["admin1"]["code"], code, "{admin1}");
        assert_eq!(geotag["precision"], "admin1", "{admin1}");
    }
}

fn has_flag(body: &Value, flag: &str) -> bool {
    body["flags"].as_array().is_some_and(|flags| flags.iter().any(|it| it == flag))
}

#[track_caller]
fn read(client: &Client, answer: &Value) -> Value {
    let id = answer["incident"].as_str().expect("an incident");
    client.get(&format!("/v1/incidents/{id}")).expect(200).json()
}
