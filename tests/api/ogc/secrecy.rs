//! Who sees what: rights, scope, and that nothing finer than the generalised place can be found out.

use sentinelle::auth::types::Role;
use serde_json::json;

use crate::harness::{TestApp, submit_march};
use crate::ogc::{COLLECTIONS, ITEMS, encode, filtered, items, march, matched};

#[test]
fn nobody_is_told_anything_with_the_same_bytes_for_any_path() {
    let app = TestApp::start();
    let nobody = app.anonymous().get("/v1/incidents").expect_problem(401, "unauthenticated");
    for path in [
        "/ogc",
        "/ogc/",
        "/ogc/api",
        "/ogc/nothing",
        "/ogc/collections/incidents/items",
        "/ogc/collections/none/items/1",
        "/ogc/collections/incidents/items?filter=(",
    ] {
        let refused = app.anonymous().get(path).expect_problem(401, "unauthenticated");
        assert_eq!(refused.body, nobody.body, "{path}");
    }
    app.device("SLE").get(ITEMS).expect_problem(403, "forbidden");
    app.reviewer().get("/ogc/nothing").expect_problem(404, "not_found");
    app.reviewer().get("/ogcx").expect_problem(404, "not_found");
}

#[test]
fn an_analyst_of_another_country_sees_none_by_any_question() {
    let (app, _, submitted) = march();
    let other = app.user(Role::Analyst, "BWA");
    for query in ["", "status=all", "bbox=-180,-90,180,90", "datetime=../..", "limit=1000"] {
        assert_eq!(matched(&other, query), 0, "{query}");
    }
    for filter in [
        "TRUE",
        "country = 'SLE'",
        "NOT country = 'BWA'",
        "geometry IS NULL",
        "S_INTERSECTS(geometry, BBOX(-180,-90,180,90))",
    ] {
        assert_eq!(filtered(&other, filter), 0, "{filter}");
    }
    let random = other.get(&format!("{ITEMS}/00000000-0000-4000-8000-000000000000")).expect(404);
    for (key, report) in &submitted {
        let id = report["incident"].as_str().expect("an id");
        assert_eq!(other.get(&format!("{ITEMS}/{id}")).expect(404).body, random.body, "{key}");
    }
    other.get(&format!("{ITEMS}?country=SLE")).expect_problem(404, "not_found");
    let extent = &other.get("/ogc/collections/incidents").expect(200).json()["extent"];
    assert_eq!(
        extent["spatial"]["bbox"],
        json!([[-180.0, -90.0, 180.0, 90.0]]),
        "nor where they are"
    );
    assert_eq!(extent["temporal"]["interval"], json!([[null, null]]));
    let own = app.user(Role::Analyst, "SLE");
    assert_eq!(matched(&own, "status=all"), 3);
    assert_eq!(filtered(&own, "country <> 'SLE'"), 0);
}

#[test]
fn c52_nothing_of_the_exact_place_is_in_any_answer_whoever_asks() {
    let app = TestApp::start();
    let submitted = submit_march(&app.monitor(), &app.reviewer());
    let id = submitted["R1"]["incident"].as_str().expect("an id");
    let callers =
        [app.user(Role::Analyst, "all"), app.reviewer(), app.user(Role::RegionalLead, "all")];
    let mercator = encode("http://www.opengis.net/def/crs/EPSG/0/3857");
    let lat_lon = encode("http://www.opengis.net/def/crs/EPSG/0/4326");
    let paths = [
        ITEMS.to_owned(),
        format!("{ITEMS}?status=all&limit=1000"),
        format!("{ITEMS}?bbox=-11,8,-10,9"),
        format!("{ITEMS}?crs={lat_lon}"),
        format!("{ITEMS}?crs={mercator}"),
        format!("{ITEMS}?filter={}", encode("country = 'SLE'")),
        format!("{ITEMS}/{id}"),
        format!("{ITEMS}/{id}?crs={mercator}"),
        "/ogc/collections".to_owned(),
        "/ogc/collections/incidents".to_owned(),
    ];
    for path in &paths {
        let first = callers[0].get(path).expect(200);
        for caller in &callers {
            let text = caller.get(path).expect(200).text();
            // In degrees, and in metres of Web Mercator.
            for secret in [
                "8.644",
                "-10.971",
                "8.6455",
                "10.9702",
                "-1221286",
                "965916",
                "Two diggers",
                "Koidu.",
            ] {
                assert!(!text.contains(secret), "{path}: {secret}");
            }
            if path.starts_with(ITEMS) {
                assert_eq!(text, first.text(), "the same for everybody and every time: {path}");
            }
        }
    }
}

#[test]
fn c52_a_place_cannot_be_narrowed_down_by_boxes_or_filters() {
    let (_app, analyst, submitted) = march();
    let id = submitted["R1"]["incident"].as_str().expect("an id");
    let shown =
        analyst.get(&format!("{ITEMS}/{id}")).expect(200).json()["geometry"]["coordinates"].clone();
    let (lon, lat) = (shown[0].as_f64().expect("a number"), shown[1].as_f64().expect("a number"));
    let in_box = |west: f64, south: f64, east: f64, north: f64| {
        let bbox = format!("{west},{south},{east},{north}");
        let by_filter = format!("killed_min = 2 AND S_INTERSECTS(geometry, BBOX({bbox}))");
        let by_box = matched(
            &analyst,
            &format!("bbox={bbox}&filter={}", encode("geometry IS NOT NULL AND killed_min = 2")),
        );
        let by_filter = matched(&analyst, &format!("filter={}", encode(&by_filter)));
        assert_eq!(by_box, by_filter, "{bbox}");
        by_box
    };
    assert_eq!(in_box(-10.972, 8.643, -10.970, 8.645), 0, "around the exact point");
    assert_eq!(in_box(lon - 1e-6, lat - 1e-6, lon + 1e-6, lat + 1e-6), 1, "around the shown one");
    // Halving a box ends at the shown place, wherever it begins.
    let (mut west, mut east) = (-12.0, -10.0);
    while east - west > 1e-5 {
        let middle = f64::midpoint(west, east);
        if in_box(west, 8.0, middle, 9.0) > 0 { east = middle } else { west = middle }
    }
    assert!((west - lon).abs() < 2e-5, "{west} is not {lon}");
}

#[test]
fn no_property_tells_a_site_a_fine_cell_or_a_person() {
    let (app, _, _) = march();
    let lead = app.user(Role::RegionalLead, "all");
    for feature in items(&lead, "status=all")["features"].as_array().expect("features") {
        let properties = feature["properties"].as_object().expect("properties");
        for name in
            ["site", "exact", "grade", "updated_at", "is_at_risk", "claim", "assignee", "narrative"]
        {
            assert!(!properties.contains_key(name), "{name}");
        }
        if let Some(cell) = properties["cell"].as_str() {
            assert!(cell.starts_with("85"), "resolution 5: {cell}");
        }
    }
    let analyst = app.user(Role::Analyst, "all");
    analyst.get(&format!("{ITEMS}?h3=8775b4463ffffff")).expect_problem(403, "forbidden");
}

#[test]
fn roles_without_lists_have_no_maps_either() {
    let app = TestApp::start();
    for role in [Role::Monitor, Role::Auditor, Role::Sysadmin, Role::Coordinator] {
        let caller = app.user(role, "all");
        let right = caller.get("/v1/incidents").status;
        for path in ["/ogc".to_owned(), "/ogc/api".to_owned(), ITEMS.to_owned()]
            .into_iter()
            .chain(COLLECTIONS.map(|one| format!("/ogc/collections/{one}/items")))
        {
            assert_eq!(caller.get(&path).status, right, "{path}");
        }
    }
}
