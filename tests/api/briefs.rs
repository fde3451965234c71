//! Country briefs: the numbers of the aggregates on pages for a meeting, and their charts.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use resvg::tiny_skia::Pixmap;
use sentinelle::auth::types::Role;
use sha2::{Digest, Sha256};

use crate::harness::{Client, TestApp, march, submit_march};

const MARCH: &str = "from=2024-03&to=2024-03";
const CHARTS: [&str; 5] = ["months", "themes", "practice", "areas", "map"];

fn brief(client: &Client, country: &str, query: &str) -> String {
    client.get(&format!("/v1/countries/{country}/brief.html?{query}")).expect(200).text()
}

fn tile(html: &str, label: &str) -> (String, String) {
    let html = html.replace('\n', "");
    let (before, behind) =
        html.split_once(&format!("</strong><span>{label}</span><small>")).expect(label);
    let figure = before.rsplit_once("<strong>").expect("a figure").1;
    (figure.to_owned(), behind.split_once("</small>").expect("an end").0.to_owned())
}

#[test]
fn the_brief_of_a_country_tells_what_the_aggregates_count() {
    let app = TestApp::start();
    submit_march(&app.monitor(), &app.reviewer());
    let analyst = app.user(Role::Analyst, "all");

    let html = brief(&analyst, "SLE", &format!("{MARCH}&lang=en"));

    let counted = analyst.get(&format!("/v1/countries/SLE?{MARCH}")).expect(200).json();
    assert_eq!(counted["total"]["incidents"], 2);
    assert!(html.contains("<h1>Sierra Leone</h1>\n<p>March 2024</p>"), "{html}");
    assert_eq!(tile(&html, "Verified incidents"), ("2".to_owned(), "before: 0".to_owned()));
    assert_eq!(tile(&html, "People killed"), ("2".to_owned(), "stated by 1 incident".to_owned()));
    assert_eq!(tile(&html, "Still under review").0, "1");
    assert!(html.contains("<td>2</td></tr>\n</tbody>"), "all incidents, each once: {html}");
    assert!(html.contains("not all events that happened"));
}

#[test]
fn a_brief_speaks_the_language_that_is_asked_for() {
    let app = TestApp::start();
    submit_march(&app.monitor(), &app.reviewer());
    let analyst = app.user(Role::Analyst, "all");

    let asked = brief(&analyst, "civ", &format!("{MARCH}&lang=fr"));
    let negotiated = analyst
        .get_with(&format!("/v1/countries/CIV/brief.html?{MARCH}"), &[("accept-language", "fr")])
        .expect(200)
        .text();

    assert_eq!(asked, negotiated);
    assert!(asked.contains("<html lang=\"fr\">"));
    assert!(asked.contains("<h1>Côte d’Ivoire</h1>\n<p>mars 2024</p>"), "{asked}");
    assert_eq!(tile(&asked, "Incidents vérifiés"), ("0".to_owned(), "avant : 0".to_owned()));
    assert!(asked.contains("non tous les faits qui se sont produits"));
}

#[test]
fn a_page_brings_all_it_shows_and_may_load_nothing() {
    let app = TestApp::start();
    let analyst = app.user(Role::Analyst, "all");

    let answer = analyst.get(&format!("/v1/countries/LSO/brief.html?{MARCH}")).expect(200);

    let html = answer.text();
    let style = html.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>"));
    let hash = STANDARD.encode(Sha256::digest(style.expect("a style sheet").0.as_bytes()));
    let policy = answer.header("content-security-policy").expect("a policy");
    assert!(policy.contains(&format!("default-src 'none'; style-src 'sha256-{hash}'")), "{policy}");
    for foreign in ["<script", "href=", "src=", "url(", "style=\""] {
        assert!(!html.contains(foreign), "{foreign}");
    }
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
}

#[test]
fn the_same_brief_is_a_pdf_of_two_to_four_pages() {
    let app = TestApp::start();
    submit_march(&app.monitor(), &app.reviewer());
    let analyst = app.user(Role::Analyst, "all");

    for (country, language) in [("SLE", "en"), ("CIV", "fr"), ("COD", "fr"), ("BWA", "en")] {
        let path = format!("/v1/countries/{country}/brief.pdf?{MARCH}&lang={language}");
        let answer = analyst.get(&path).expect(200);

        assert_eq!(answer.header("content-type"), Some("application/pdf"));
        let named = format!("inline; filename=\"brief-{country}-2024-03-01-2024-03-31.pdf\"");
        assert_eq!(answer.header("content-disposition"), Some(named.as_str()));
        let file = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(file.starts_with("%PDF-1.7") && file.trim_end().ends_with("%%EOF"));
        let n_pages = file.matches("/Type /Page\n").count();
        assert!((2..=4).contains(&n_pages), "{country}: {n_pages} pages");
        assert!(file.contains(&format!("/Lang ({language})")), "{country}");
    }
}

#[test]
fn each_chart_is_a_picture_with_words_for_those_who_cannot_see_it() {
    let app = TestApp::start();
    submit_march(&app.monitor(), &app.reviewer());
    let analyst = app.user(Role::Analyst, "all");

    for name in CHARTS {
        let path = format!("/v1/charts/{name}.svg?country=SL&{MARCH}&lang=en");
        let answer = analyst.get(&path).expect(200);
        let svg = answer.text();

        assert_eq!(answer.header("content-type"), Some("image/svg+xml"));
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox="), "{name}");
        assert!(svg.contains(&format!("<title id=\"{name}-title\">")), "{name}");
        assert!(svg.contains("Sierra Leone · March 2024"), "{name}");
    }
    let themes = analyst.get(&format!("/v1/charts/themes.svg?country=SLE&{MARCH}")).expect(200);
    assert!(themes.text().contains("Rights: 2</desc>") || themes.text().contains(": 2</desc>"));
    let path = format!("/v1/charts/nothing.svg?country=SLE&{MARCH}");
    analyst.get(&path).expect_problem(404, "not_found");
    let nowhere = analyst.get(&format!("/v1/charts/map.svg?{MARCH}"));
    assert_eq!(nowhere.expect_problem(400, "invalid_parameter").pointers(), ["?country"]);
}

#[test]
fn each_chart_is_painted_in_pixels_with_its_bars_and_letters() {
    let app = TestApp::start();
    submit_march(&app.monitor(), &app.reviewer());
    let analyst = app.user(Role::Analyst, "all");

    for name in CHARTS {
        let query = format!("country=SLE&{MARCH}&lang=fr");
        let svg = analyst.get(&format!("/v1/charts/{name}.svg?{query}")).expect(200).text();
        let answer = analyst.get(&format!("/v1/charts/{name}.png?{query}")).expect(200);

        assert_eq!(answer.header("content-type"), Some("image/png"));
        let painted = Pixmap::decode_png(&answer.body).expect("a PNG");
        let size = |side: &str| {
            let (_, rest) = svg.split_once(&format!(" {side}=\"")).expect(side);
            let points: f64 = rest.split('"').next().expect("a number").parse().expect("a number");
            (2.0 * points).ceil()
        };
        assert_eq!(
            (f64::from(painted.width()), f64::from(painted.height())),
            (size("width"), size("height"))
        );
        let width = painted.width() as usize;
        let count = |rows: std::ops::Range<usize>, is_it: fn([u8; 3]) -> bool| {
            let pixels = &painted.pixels()[rows.start * width..rows.end * width];
            pixels.iter().filter(|it| is_it([it.red(), it.green(), it.blue()])).count()
        };
        let n_ink = count(0..50, |colours| colours.into_iter().all(|colour| colour < 0x48));
        assert!(n_ink > 200, "{name}: a title");
        let is_colour = |[red, _, blue]: [u8; 3]| red.abs_diff(blue) > 0x20;
        let n_coloured = count(50..painted.height() as usize, is_colour);
        assert!(n_coloured > 500, "{name}: {n_coloured} pixels of bars or areas");
    }
    let path = format!("/v1/charts/nothing.png?country=SLE&{MARCH}");
    analyst.get(&path).expect_problem(404, "not_found");
}

#[test]
fn c52_a_map_shows_one_generalised_place_and_never_the_exact_one() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let reviewer = app.reviewer();
    let told = monitor.submit(&march()["reports"][0]["body"]);
    reviewer.set_status(&told["incident"], "verified");
    let analyst = app.user(Role::Analyst, "SLE");
    let map = || {
        let svg =
            analyst.get(&format!("/v1/charts/map.svg?country=SLE&{MARCH}")).expect(200).text();
        let circles: Vec<String> =
            svg.lines().filter(|line| line.starts_with("<circle")).map(str::to_owned).collect();
        (svg, circles)
    };

    let (svg, circles) = map();

    assert_eq!(circles, map().1, "the same place each time");
    assert_eq!(circles.len(), 2, "the place and its sample in the legend: {circles:?}");
    for exact in ["8.644", "10.971"] {
        assert!(!svg.contains(exact));
        assert!(!brief(&analyst, "SLE", MARCH).contains(exact));
    }
}

#[test]
fn a_country_without_incidents_has_a_brief_that_says_so() {
    let app = TestApp::start();
    let analyst = app.user(Role::Analyst, "all");

    let html = brief(&analyst, "GIN", &format!("{MARCH}&lang=en"));

    assert_eq!(tile(&html, "Verified incidents"), ("0".to_owned(), "before: 0".to_owned()));
    assert_eq!(tile(&html, "People killed").0, "–");
    assert!(html.contains("No incident in this period."));
    assert!(!html.contains("<table"));
}

#[test]
fn what_a_brief_cannot_be_made_of_is_refused_by_its_name() {
    let app = TestApp::start();
    let analyst = app.user(Role::Analyst, "SLE");

    for (query, code, pointer) in [
        ("lang=de", "invalid_parameter", "?lang"),
        ("from=yesterday", "invalid_parameter", "?from"),
        ("from=2024-04&to=2024-03", "invalid_parameter", "?to"),
        ("status=all", "unknown_parameter", "?status"),
        ("from=2024-03&from=2024-04", "invalid_parameter", "?from"),
    ] {
        let answer = analyst.get(&format!("/v1/countries/SLE/brief.html?{query}"));
        assert_eq!(answer.expect_problem(400, code).pointers(), [pointer], "{query}");
    }
    for country in ["LBR", "XXX"] {
        for kind in ["html", "pdf"] {
            let path = format!("/v1/countries/{country}/brief.{kind}?{MARCH}");
            analyst.get(&path).expect_problem(404, "not_found");
        }
    }
}
