//! What every answer carries for browsers, whichever route made it and whether it went well; and `security.txt`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use actix_web::web;
use sentinelle::app::{ServerOptions, guarded_routes, public_routes};
use sentinelle::auth::types::Role;
use sentinelle::config::{PublicConfig, PublicUrl, SecurityContact};
use serde_json::json;

use crate::harness::{Answer, Client, TestApp, TestOptions, submit_march};

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
     connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const ALWAYS: [(&str, &str); 6] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
];
const ONLY_HTTPS: &str = "max-age=63072000; includeSubDomains";

fn reached_at(url: Option<&str>, contact: Option<&str>) -> TestOptions {
    let public = PublicConfig {
        public_url: url.map(|url| PublicUrl::parse(url).expect("an address")),
        security_contact: contact.map(|uri| SecurityContact::parse(uri).expect("a contact")),
    };
    TestOptions { public, ..TestOptions::default() }
}

/// Fails unless `answer` carries each header once, as it must be.
#[track_caller]
fn is_secured(answer: &Answer, only_https: Option<&str>, what: &str) {
    for (name, right) in ALWAYS {
        let right = if what.starts_with("/docs") && answer.status < 400 {
            right.replace("img-src 'self' blob:", "img-src 'self' blob: data:")
        } else if what.contains(" /v1/public/") && name == "cross-origin-resource-policy" {
            "cross-origin".to_owned()
        } else if what.contains(" /v1/public/") && name == "cache-control" && answer.status < 400 {
            "public, max-age=300".to_owned()
        } else {
            right.to_owned()
        };
        let values = answer.headers.get_all(name).iter();
        let values: Vec<_> = values.map(|value| value.to_str().unwrap_or_default()).collect();
        if name == "content-security-policy" && what.contains("/brief.html") && answer.status == 200
        {
            // A page that brings its own style sheet names that one and allows nothing else.
            let [own] = values.as_slice() else { panic!("{values:?} of {what}") };
            let own: Vec<&str> = own.split("; ").collect();
            assert!(own[1].starts_with("style-src 'sha256-"), "{what}: {own:?}");
            let others = ["form-action 'none'", "frame-ancestors 'none'", "base-uri 'none'"];
            assert_eq!((own[0], &own[2..]), ("default-src 'none'", others.as_slice()), "{what}");
            continue;
        }
        assert_eq!(values, [right], "{name} of {what}: {}", answer.status);
    }
    assert_eq!(answer.header("strict-transport-security"), only_https, "{what}");
    let kind = answer.header("content-type").unwrap_or_default();
    let is_saved =
        answer.header("content-disposition").unwrap_or_default().starts_with("attachment");
    assert_eq!(is_saved, kind.starts_with("text/csv"), "{what}: {kind}");
    assert!(answer.header("server").is_none(), "{what}");
}

/// Every route with what it declares, a method it does not take, and one that nobody knows.
fn every_route_as(client: &Client, only_https: Option<&str>) -> usize {
    let routes = public_routes().into_iter().chain(guarded_routes());
    let mut n_statuses = std::collections::BTreeSet::new();
    for ((declared, path), _) in routes {
        let path = path.replace("{country}", "SLE").replace("{name}", "map");
        let path = path.replace("{table}.{format}", "incidents.csv");
        let path = path.replace("{id}", "00000000-0000-4000-8000-000000000000");
        for method in [declared.as_str(), "HEAD", "DELETE", "PATCH", "OPTIONS", "BREW"] {
            let body = (!["GET", "HEAD", "OPTIONS"].contains(&method)).then_some(b"{".as_slice());
            let answer = client.send(method, &path, &[("content-type", "application/json")], body);
            is_secured(&answer, only_https, &format!("{method} {path}"));
            n_statuses.insert(answer.status);
        }
    }
    n_statuses.len()
}

#[test]
fn every_answer_of_every_route_carries_the_headers() {
    let app = TestApp::start();

    for client in
        [app.reviewer(), app.user(Role::Sysadmin, "all"), app.device("SLE"), app.anonymous()]
    {
        assert!(every_route_as(&client, None) >= 3, "several kinds of answers");
    }
}

#[test]
fn where_people_come_by_https_browsers_are_told_to_use_nothing_else() {
    let app = TestApp::start_with(reached_at(Some("https://reports.example.org"), None));

    every_route_as(&app.reviewer(), Some(ONLY_HTTPS));
    every_route_as(&app.anonymous(), Some(ONLY_HTTPS));
    let page = app.anonymous().get("/docs/");
    assert_eq!(page.header("strict-transport-security"), Some(ONLY_HTTPS));

    let plain = TestApp::start_with(reached_at(Some("http://reports.example.org"), None));
    let claimed = [("x-forwarded-proto", "https"), ("forwarded", "proto=https")];
    let answer = plain.anonymous().get_with("/health/live", &claimed);
    assert_eq!(answer.header("strict-transport-security"), None, "a header is anybody's word");
}

#[test]
fn errors_unchanged_answers_pages_and_panics_carry_them_too() {
    fn boom(app: &mut web::ServiceConfig) {
        async fn panic_now() -> actix_web::HttpResponse {
            unreachable!("the test wants a panic")
        }
        app.route("/test/panic", web::get().to(panic_now));
    }
    let server = ServerOptions { extra: boom, ..ServerOptions::default() };
    let app = TestApp::start_with(TestOptions { server, ..TestOptions::default() });
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    submit_march(&monitor, &reviewer);
    let counts = "/v1/aggregates?by=country";
    let tag = reviewer.get(counts).expect(200).header("etag").expect("an ETag").to_owned();

    let unchanged = reviewer.get_with(counts, &[("if-none-match", &tag)]).expect(304);
    assert_eq!(unchanged.header("etag"), Some(tag.as_str()));
    is_secured(&unchanged, None, "unchanged");
    for path in ["/v1/aggregates.csv", "/v1/countries.csv", "/v1/countries/SLE.csv"] {
        is_secured(&reviewer.get(path).expect(200), None, path);
        is_secured(&reviewer.send("HEAD", path, &[], None).expect(200), None, path);
    }
    for (path, status) in [
        ("/nowhere", 404),
        ("/v1/nowhere", 404),
        ("/docs", 308),
        ("/docs/", 200),
        ("/docs/swagger-ui-bundle.js", 200),
        ("/docs/nowhere.js", 404),
        ("/v1/incidents?nothing=1", 400),
        ("/v1/incidents/%FF%00", 404),
        ("/test/panic", 500),
    ] {
        is_secured(&reviewer.get(path).expect(status), None, path);
    }
    let line =
        json!({"id": uuid::Uuid::new_v4(), "narrative": "x", "location": {"country": "SLE"}});
    let headers = [("content-type", "application/x-ndjson")];
    let lines = monitor.post_bytes("/v1/reports", &headers, line.to_string().as_bytes());
    is_secured(&lines.expect(200), None, "NDJSON");
}

#[test]
fn whoever_finds_a_fault_is_told_where_to_report_it() {
    let contact = Some("mailto:security@example.org");
    let app = TestApp::start_with(reached_at(Some("https://reports.example.org"), contact));

    let file = app.anonymous().get("/.well-known/security.txt").expect(200);

    assert_eq!(file.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(
        file.text(),
        "Contact: mailto:security@example.org\r\n\
         Expires: 2024-09-28T12:00:00Z\r\n\
         Preferred-Languages: en, fr\r\n\
         Canonical: https://reports.example.org/.well-known/security.txt\r\n"
    );
    let plain = TestApp::start_with(reached_at(None, contact));
    let text = plain.anonymous().get("/.well-known/security.txt").expect(200).text();
    assert!(!text.contains("Canonical"), "{text}");
    let silent = TestApp::start_with(reached_at(None, None));
    silent.anonymous().get("/.well-known/security.txt").expect_problem(404, "not_found");
}
