//! What map programs really send, and the traps in it (INTEROP 3).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sentinelle::app::ServerOptions;
use sentinelle::auth::types::Role;
use sentinelle::config::{Rate, Rates};
use serde_json::{Value, json};

use crate::harness::{Client, TestApp, TestOptions, submit_march};
use crate::ogc::{
    COLLECTIONS, ITEMS, features, ids, items, link, march, matched, media_type, walk,
};

#[test]
fn trap_a_bare_days_and_days_with_a_t_are_taken_as_gdal_writes_them() {
    let (_app, analyst, _) = march();
    for (datetime, right) in
        [("2024-03-20T%2F..", 5), ("..%2F2024-03-05T", 3), ("2024-03-05", 2), ("2024-03-05T", 2)]
    {
        assert_eq!(matched(&analyst, &format!("datetime={datetime}")), right, "{datetime}");
    }
}

#[test]
fn trap_b_no_property_but_one_looks_like_a_date() {
    let (_app, analyst, _) = march();
    let looks_like_a_date = |text: &str| {
        let parts: Vec<&str> = text.get(..10).unwrap_or_default().split(['-', '/']).collect();
        parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok())
    };
    for feature in features(&items(&analyst, "status=all")) {
        for (name, value) in feature["properties"].as_object().expect("properties") {
            let is_date = value.as_str().is_some_and(looks_like_a_date);
            assert!(!is_date || name == "occurred_on", "{name} is sent as datetime: {value}");
        }
        assert!(feature["properties"]["updated"].is_i64());
    }
}

#[test]
fn trap_c_every_property_is_always_there_and_of_one_type() {
    let (_app, analyst, _) = march();
    let kind = |value: &Value| match value {
        Value::String(_) => "text",
        Value::Number(_) => "number",
        Value::Bool(_) => "flag",
        _ => "null",
    };
    let all = features(&items(&analyst, "status=all"));
    let names: Vec<&String> =
        all[0]["properties"].as_object().expect("properties").keys().collect();
    assert!(names.len() > 30, "{names:?}");
    let mut kinds = std::collections::BTreeMap::new();
    for feature in &all {
        let properties = feature["properties"].as_object().expect("properties");
        assert_eq!(properties.keys().collect::<Vec<_>>(), names);
        for (name, value) in properties.iter().filter(|(_, value)| !value.is_null()) {
            assert_eq!(*kinds.entry(name.clone()).or_insert(kind(value)), kind(value), "{name}");
        }
    }
}

#[test]
fn the_schema_of_a_feature_tells_the_type_of_every_property_even_where_all_are_null() {
    let (app, analyst, _) = march();
    for collection in COLLECTIONS {
        let about = analyst.get(&format!("/ogc/collections/{collection}")).expect(200).json();
        let path = link(&app, &about, "describedBy").expect("a link");
        let answer = analyst.get(path).expect(200);
        assert_eq!(media_type(&answer), "application/schema+json");
        let schema = answer.json();
        let told =
            schema["properties"]["properties"]["properties"].as_object().expect("properties");
        let page = analyst.get(&format!("/ogc/collections/{collection}/items")).expect(200).json();
        for feature in features(&page) {
            let properties = feature["properties"].as_object().expect("properties");
            assert_eq!(properties.len(), told.len(), "{collection}");
            for (name, value) in properties {
                let right = match value {
                    Value::String(_) => "string",
                    Value::Number(_) => "integer",
                    Value::Bool(_) => "boolean",
                    _ => continue,
                };
                assert_eq!(told[name]["type"], right, "{collection}: {name}");
            }
        }
    }
}

#[test]
fn a_month_is_never_shown_as_its_first_day() {
    let (_app, analyst, submitted) = march();
    let of = |key: &str| {
        let id = submitted[key]["incident"].as_str().expect("an id");
        analyst.get(&format!("{ITEMS}/{id}")).expect(200).json()["properties"].clone()
    };
    let month = of("R6");
    assert_eq!(month["occurred_on"], Value::Null);
    assert_eq!(
        (&month["occurred_precision"], &month["occurred_month"]),
        (&json!("month"), &json!("2024-03"))
    );
    let day = of("R4");
    assert_eq!(day["occurred_on"], "2024-03-01", "the day at the place");
    assert_eq!((&day["occurred_month"], &day["occurred_year"]), (&json!("2024-03"), &json!(2024)));
}

#[test]
fn whatever_is_accepted_the_answer_is_json() {
    let (_app, analyst, _) = march();
    for accept in [
        "*/*",
        "application/geo+json, application/json",
        "text/html,application/xhtml+xml,*/*;q=0.8",
        "application/vnd.oai.openapi+json;version=3.0, application/json",
    ] {
        for (path, right) in [("/ogc", "application/json"), (ITEMS, "application/geo+json")] {
            let answer = analyst.get_with(path, &[("accept", accept)]).expect(200);
            assert_eq!(media_type(&answer), right);
        }
    }
}

#[test]
fn equality_is_asked_by_a_parameter_of_the_document_that_has_the_name_of_a_property() {
    let (_app, analyst, _) = march();
    let api = analyst.get("/ogc/api").expect(200).json();
    let parameters = api["paths"]["/collections/incidents/items"]["get"]["parameters"]
        .as_array()
        .expect("parameters")
        .clone();
    let schema = analyst.get("/ogc/collections/incidents/queryables").expect(200).json();
    for (name, property) in schema["properties"]
        .as_object()
        .expect("properties")
        .iter()
        .filter(|(name, _)| *name != "geometry")
    {
        let parameter = parameters.iter().find(|parameter| parameter["name"] == name.as_str());
        let parameter = parameter.unwrap_or_else(|| unreachable!("{name} is no parameter"));
        assert_eq!(
            (&parameter["in"], &parameter["schema"]["type"]),
            (&json!("query"), &property["type"]),
            "{name}"
        );
    }
}

fn feed(app: &TestApp) -> String {
    let session = app.session(Role::Analyst, "all");
    let made =
        session.post("/v1/tokens", &json!({"expires_in_days": 90, "feed": true})).expect(201);
    made.json()["token"].as_str().expect("a token").to_owned()
}

#[test]
fn a_feed_key_is_the_password_of_a_map() {
    let (app, analyst, _) = march();
    let key = feed(&app);
    let basic = format!("Basic {}", STANDARD.encode(format!("map:{key}")));
    for path in ["/ogc", "/ogc/", "/ogc/api", "/ogc/conformance", "/ogc/collections", ITEMS] {
        let answer = app.anonymous().get_with(path, &[("authorization", &basic)]).expect(200);
        assert_eq!(answer.body, analyst.get(path).expect(200).body, "{path}");
    }
    let bearer = Client::new(&app.url, Some(&key));
    assert_eq!(matched(&bearer, ""), 8);
    bearer.get(&format!("{ITEMS}?site=x")).expect(404);
}

#[test]
fn a_map_pages_through_five_thousand_incidents_ten_at_a_time_within_its_limits() {
    let rate = Rate::parse("1200:3000").expect("a rate");
    let account = Rate::parse("2400:6000").expect("a rate");
    let rates = Rates { credential: rate, account, ..Rates::UNLIMITED };
    let server = ServerOptions { rates, ..ServerOptions::default() };
    let app = TestApp::start_with(TestOptions { server, ..TestOptions::default() });
    let reviewer = app.reviewer();
    let report = |number: usize| {
        json!({"occurred": "2024-03-05", "location": {"lat": 8.644, "lon": -10.971}, "categories": ["rights.life_integrity.killing"],
            "narrative": format!("Number {number} of many.")})
    };
    app.monitor().submit(&report(0));
    let key = Client::new(&app.url, Some(&feed(&app)));
    // As many requests as the pages of five thousand.
    for _ in 0..505 {
        assert_eq!(key.get(&format!("{ITEMS}?status=all&limit=10")).status, 200);
    }
    assert_eq!(matched(&reviewer, "status=all"), 1);
}

#[test]
fn c71_pages_are_bounded_and_their_total_is_that_of_all() {
    let app = TestApp::start();
    let (monitor, analyst) = (app.monitor(), app.user(Role::Analyst, "all"));
    let line = |number: usize| {
        let (lat, country) =
            if number.is_multiple_of(3) { (-6.136, "COD") } else { (8.644, "SLE") };
        let lon = if country == "COD" { 23.59 } else { -10.971 };
        json!({"id": uuid::Uuid::new_v4(), "occurred": "2024-03-05", "location": {"lat": lat, "lon": lon},
            "categories": ["rights.life_integrity.killing"], "narrative": format!("Number {number} of many.")})
    };
    let lines: Vec<String> = (0..330).map(|number| line(number).to_string()).collect();
    monitor.post_bytes(
        "/v1/reports",
        &[("content-type", "application/x-ndjson")],
        lines.join("\n").as_bytes(),
    );
    let query = "status=all&country=SLE&limit=50&filter=severity%20IS%20NOT%20NULL%20OR%20killed_min%20IS%20NULL";
    let page = items(&analyst, query);
    assert_eq!((&page["numberMatched"], &page["numberReturned"]), (&json!(220), &json!(50)));
    let walked = walk(&app, &analyst, query);
    assert_eq!(walked.len(), 220);
    assert_eq!(walked.iter().collect::<std::collections::BTreeSet<_>>().len(), 220);
    let listed = analyst.get("/v1/incidents?status=all&country=SLE").expect(200).json();
    assert_eq!(listed["total"], 220);
}

#[test]
fn a_cursor_of_another_question_is_refused() {
    let (app, analyst, _) = march();
    let page = items(&analyst, "limit=1&country=SLE");
    let next = link(&app, &page, "next").expect("a link");
    let (_, cursor) = next.split_once("cursor=").expect("a cursor");
    for query in [
        "limit=1",
        "limit=1&country=COD",
        "limit=1&country=SLE&datetime=2024-03-05",
        "limit=1&country=SLE&filter=TRUE",
    ] {
        analyst
            .get(&format!("{ITEMS}?{query}&cursor={cursor}"))
            .expect_problem(400, "invalid_cursor");
    }
    analyst
        .get(&format!("/ogc/collections/sites/items?cursor={cursor}"))
        .expect_problem(400, "invalid_cursor");
    analyst
        .get(&format!("/v1/incidents?country=SLE&cursor={cursor}"))
        .expect_problem(400, "invalid_cursor");
}

#[test]
fn links_carry_the_address_the_operator_gave() {
    let public_url =
        sentinelle::config::PublicUrl::parse("https://reports.example.org").expect("an address");
    let mut options = TestOptions::default();
    options.public.public_url = Some(public_url);
    let app = TestApp::start_with(options);
    submit_march(&app.monitor(), &app.reviewer());
    let landing = app.reviewer().get("/ogc").expect(200).json();
    assert_eq!(landing["links"][0]["href"], "https://reports.example.org/ogc");
    let page = app.reviewer().get(&format!("{ITEMS}?limit=1")).expect(200);
    assert!(!page.text().contains(&app.url), "{}", page.text());
    assert_eq!(ids(&page.json()).len(), 1);
}
