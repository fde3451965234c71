//! Public answers: without a credential, open to scripts and caches, as JSON, CSV and HXL.

use std::num::NonZeroU32;

use sentinelle::app::ServerOptions;
use sentinelle::auth::types::Role;
use sentinelle::config::{Rate, Rates};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{TestApp, TestOptions, sha256};
use crate::releases::stage::{KILLING, Stage, several};

fn stage() -> (Stage, String) {
    let stage = Stage::new();
    stage.tell(&several(6, "2024-02-05", KILLING));
    stage.tell(&several(7, "2024-03-06", &stage.pollution));
    let id = stage.publish("2024-03");
    (stage, id)
}

#[test]
fn without_a_token_there_are_releases_and_nothing_else() {
    let (stage, _) = stage();
    let anybody = stage.app.anonymous();

    for path in ["aggregates", "aggregates.csv", "countries", "incidents", "releases"] {
        anybody.get(&format!("/v1/{path}")).expect_problem(401, "unauthenticated");
    }
    let told = anybody.get("/v1/public/aggregates?by=country").expect(200);
    stage.tell(&several(9, "2024-03-07", KILLING));
    let later = anybody.get("/v1/public/aggregates?by=country").expect(200);
    assert_eq!(told.body, later.body, "what came since is in no answer");
    assert_eq!(told.header("etag"), later.header("etag"));
}

#[test]
fn answers_are_open_to_scripts_and_caches_and_set_no_cookie() {
    let (stage, id) = stage();
    let anybody = stage.app.anonymous();
    let paths = [
        "releases".to_owned(),
        format!("releases/{id}"),
        format!("releases/{id}.csv"),
        "aggregates".to_owned(),
        "aggregates.csv".to_owned(),
        "countries".to_owned(),
        "countries.csv".to_owned(),
        "countries/LSO".to_owned(),
    ];
    for path in paths {
        let path = format!("/v1/public/{path}");
        let answer = anybody.get(&path).expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"), "{path}");
        assert_eq!(answer.header("set-cookie"), None, "{path}");
        let tag = answer.header("etag").expect("an ETag").to_owned();
        let again = anybody.get_with(&path, &[("if-none-match", &tag)]).expect(304);
        assert_eq!(again.body, b"", "{path}");
        assert_eq!(again.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(again.header("etag"), Some(tag.as_str()), "{path}");
    }
    let about = anybody.get("/v1/about").expect(200);
    assert_eq!(about.header("access-control-allow-origin"), None);
    let missing = anybody.get("/v1/public/countries/XYZ").expect_problem(404, "not_found");
    assert_eq!(missing.header("cache-control"), Some("no-store"));
}

#[test]
fn csv_has_a_mark_crlf_and_hxl_tags_where_they_are_asked_for() {
    let (stage, _) = stage();
    let anybody = stage.app.anonymous();

    let csv = anybody.get("/v1/public/aggregates.csv?by=month,theme&country=LSO").expect(200);

    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    let lines =
        "month,theme,incidents,complete\r\n2024-02,rights,6,true\r\n2024-03,environment,7,true\r\n";
    let of_nothing = csv.text();
    assert!(of_nothing.starts_with("\u{feff}month,theme,incidents,complete\r\n"), "{of_nothing}");
    for line in lines.lines().skip(1) {
        assert!(of_nothing.contains(line), "{line} in {of_nothing}");
    }
    let plain = anybody.get("/v1/public/aggregates.csv?by=country&hxl=true&bom=0").expect(200);
    let start = "country,incidents,complete\r\n#country+code+v_iso3,#event+num,#meta+complete\r\n";
    assert!(plain.text().starts_with(start), "{}", plain.text());
    let countries = anybody.get("/v1/public/countries.csv?hxl=true").expect(200).text();
    let start = "\u{feff}country_name,country,from,until,incidents,complete\r\n\
                 #country+name,#country+code+v_iso3,#date+start,#date+end,#event+num,#meta+complete\r\n";
    assert!(countries.starts_with(start), "{countries}");
    assert!(countries.contains("\r\nLesotho,LSO,2024-01,2024-03,13,true\r\n"), "{countries}");
    assert!(countries.contains("\r\nSierra Leone,SLE,2024-01,2024-03,0,true\r\n"), "{countries}");
    anybody.get("/v1/public/aggregates.csv?hxl=yes").expect_problem(400, "invalid_parameter");
    anybody.get("/v1/public/aggregates?hxl=true").expect_problem(400, "unknown_parameter");
}

#[test]
fn the_hash_of_a_release_is_that_of_its_file() {
    let (stage, id) = stage();
    let anybody = stage.app.anonymous();

    let file = anybody.get(&format!("/v1/public/releases/{id}.csv?bom=0")).expect(200).body;

    let digest = sha256(&file);
    let whole = stage.public(&format!("releases/{id}"));
    assert_eq!(whole["release"]["sha256"], digest);
    let lines = String::from_utf8(file).expect("text").lines().count();
    assert_eq!(lines - 1, whole["atoms"].as_array().expect("atoms").len());
    assert_eq!(whole["release"]["n_atoms"], json!(lines - 1));
}

#[test]
fn words_are_french_where_french_is_asked_for() {
    let (stage, _) = stage();
    let anybody = stage.app.anonymous();
    let french = [("accept-language", "fr")];

    let countries = anybody.get_with("/v1/public/countries", &french).expect(200);

    assert_eq!(countries.header("vary"), Some("Accept-Language"));
    let countries = countries.json();
    let names = countries["items"].as_array().expect("items").iter();
    assert!(
        names
            .clone()
            .any(|item| item["name"] == "Côte d'Ivoire" || item["name"] == "Côte d’Ivoire")
    );
    assert!(names.clone().any(|item| item["name"] == "République centrafricaine"));
    assert!(countries["note"].as_str().expect("a note").starts_with("Incidents vérifiés"));
    let country = anybody.get_with("/v1/public/countries/LS", &french).expect(200).json();
    let theme = |code: &str| {
        let themes = country["themes"].as_array().expect("themes").iter();
        themes.clone().find(|item| item["code"] == code).expect("a theme")["name"].clone()
    };
    assert_ne!(theme("rights"), Value::Null);
    let refused = anybody.get_with("/v1/public/aggregates?theme=x", &french);
    assert!(refused.expect_problem(400, "invalid_parameter").text().contains("aucun thème"));
}

#[test]
fn what_releases_do_not_tell_is_refused_and_says_what_they_do() {
    let (stage, _) = stage();
    let anybody = stage.app.anonymous();
    let refused = |query: &str, words: &str| {
        let answer = anybody.get(&format!("/v1/public/aggregates?{query}"));
        let text = answer.expect_problem(400, "invalid_parameter").text();
        assert!(text.contains(words), "{words} in {text}");
    };

    refused(&format!("category={KILLING}"), "nothing finer");
    refused("from=2024-03-05", "whole months");
    refused("by=day", "country, admin1, theme, category, year, quarter, month");
    refused("by=country,country", "each once");
    refused("by=country,month,theme,year", "up to three");
    refused("admin1=XX-9", "first-level area");
    refused("country=XYZ", "no country");
    refused("release=1", "UUID");
    refused("from=2024-03&to=2024-01", "from is after to");
    for name in ["status", "severity", "site", "actor", "q", "bbox", "h3", "admin2"] {
        let path = format!("/v1/public/aggregates?{name}=1");
        anybody.get(&path).expect_problem(400, "unknown_parameter");
    }
    let unknown = format!("/v1/public/aggregates?release={}", Uuid::new_v4());
    anybody.get(&unknown).expect_problem(404, "not_found");
}

#[test]
fn no_public_answer_leads_to_an_incident() {
    let (stage, id) = stage();
    let reviewer = stage.app.user(Role::Reviewer, "all");
    let listed = reviewer.get("/v1/incidents?limit=1000").expect(200).json();
    let ids = listed["items"].as_array().expect("items").iter();
    let ids: Vec<&str> = ids.map(|item| item["id"].as_str().expect("an id")).collect();
    assert_eq!(ids.len(), 13);
    let anybody = stage.app.anonymous();

    for path in [
        "releases",
        &format!("releases/{id}"),
        "aggregates?by=category,month,admin1",
        "countries",
        "countries/LSO",
    ] {
        let answer = anybody.get(&format!("/v1/public/{path}")).expect(200).text();
        assert!(!ids.iter().any(|id| answer.contains(id)), "{path}");
        for word in ["Canary", "narrative", "2024-03-0", "2024-02-0", "lat\"", "h3"] {
            assert!(!answer.contains(word), "{path} tells of {word}");
        }
    }
}

#[test]
fn everybody_together_may_ask_so_much_and_people_are_not_kept_waiting() {
    let at_once = |n: u32| {
        let (per_minute, at_once) = (NonZeroU32::MIN, NonZeroU32::new(n).expect("some"));
        Rate::Limited { per_minute, at_once }
    };
    let rates = Rates { public: at_once(3), ..Rates::UNLIMITED };
    let server = ServerOptions { rates, ..ServerOptions::default() };
    let app = TestApp::start_with(TestOptions { server, ..TestOptions::default() });
    let anybody = app.anonymous();

    for _ in 0..3 {
        anybody.get("/v1/public/releases").expect(200);
    }
    let refused = anybody.get("/v1/public/releases").expect_problem(429, "too_many_requests");

    assert_eq!(refused.header("retry-after"), Some("60"));
    assert_eq!(refused.header("access-control-allow-origin"), Some("*"));
    app.user(Role::Analyst, "all").get("/v1/aggregates").expect(200);
}

#[test]
fn what_is_counted_for_a_publication_is_of_a_release_and_in_scope() {
    let (stage, _) = stage();
    stage.tell(&several(1, "2024-03-07", KILLING));
    let analyst = stage.app.user(Role::Analyst, "LSO,SLE");
    let exact = analyst.get("/v1/aggregates?country=LSO").expect(200).json();
    assert_eq!(exact["total"]["incidents"], 14, "exact for whoever may");

    let path = "/v1/aggregates?for=publication&by=country";
    let told = analyst.get(path).expect(200);

    assert_eq!(told.header("cache-control"), Some("no-store"));
    let told = told.json();
    assert_eq!(told["total"], json!({"incidents": 13, "complete": true}));
    let cells = json!([
        {"country": "LSO", "incidents": 13, "complete": true},
        {"country": "SLE", "incidents": 0, "complete": true}
    ]);
    assert_eq!(told["cells"], cells);
    let cut = analyst.get("/v1/aggregates?for=publication&country=LSO&from=2024-03").expect(200);
    assert_eq!(cut.json()["total"]["incidents"], 7);
    let csv = analyst.get("/v1/aggregates.csv?for=publication&by=country&bom=0").expect(200);
    assert_eq!(csv.text(), "country,incidents,complete\r\nLSO,13,true\r\nSLE,0,true\r\n");
    analyst.get("/v1/aggregates?for=publication&country=CIV").expect_problem(404, "not_found");
    let finer = analyst.get("/v1/aggregates?for=publication&status=all");
    finer.expect_problem(400, "unknown_parameter");
    analyst.get("/v1/aggregates?for=fun").expect_problem(400, "invalid_parameter");
    stage.app.monitor().get(path).expect_problem(403, "forbidden");
}
