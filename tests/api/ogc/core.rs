//! Part 1, Core: one test for each abstract test of Annex A, named by its section and requirement.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::Client;
use crate::ogc::{
    COLLECTIONS, ITEMS, features, ids, items, link, march, matched, media_type, walk,
};

const CRS84: &str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";

fn paths() -> Vec<String> {
    let mut paths: Vec<String> =
        ["", "/api", "/conformance", "/collections"].map(|path| format!("/ogc{path}")).to_vec();
    for collection in COLLECTIONS {
        let below = ["", "/items", "/queryables", "/schema"];
        paths.extend(below.map(|rest| format!("/ogc/collections/{collection}{rest}")));
    }
    paths
}

/// The parameters of the items of a collection in the API document, by name.
fn parameter(client: &Client, collection: &str, name: &str) -> Value {
    let api = client.get("/ogc/api").expect(200).json();
    let path = format!("/collections/{collection}/items");
    let parameters = api["paths"][path]["get"]["parameters"].as_array().expect("parameters");
    let found = parameters.iter().find(|parameter| parameter["name"] == name);
    found.unwrap_or_else(|| unreachable!("{collection} has no {name}")).clone()
}

#[test]
fn a_2_1_http_every_path_answers_get_and_head_and_no_other_method() {
    let (_app, analyst, _) = march();
    for path in paths() {
        analyst.get(&path).expect(200);
        assert_eq!(analyst.send("HEAD", &path, &[], None).status, 200, "{path}");
        let refused = analyst.send("POST", &path, &[], None);
        assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")), "{path}");
    }
}

#[test]
fn a_2_2_root_op_the_landing_page_is_there_with_and_without_a_slash() {
    let (_app, analyst, _) = march();
    let landing = analyst.get("/ogc").expect(200);
    assert_eq!(media_type(&landing), "application/json");
    assert_eq!(analyst.get("/ogc/").expect(200).body, landing.body);
}

#[test]
fn a_2_2_root_success_it_links_to_description_conformance_and_data() {
    let (app, analyst, _) = march();
    let landing = analyst.get("/ogc").expect(200).json();
    for (rel, path) in [
        ("self", "/ogc"),
        ("service-desc", "/ogc/api"),
        ("service-doc", "/docs/"),
        ("conformance", "/ogc/conformance"),
        ("data", "/ogc/collections"),
    ] {
        assert_eq!(link(&app, &landing, rel), Some(path), "{rel}");
        assert_eq!(analyst.get(path).status, 200, "{rel}");
    }
}

#[test]
fn a_2_3_api_definition_op_the_description_is_where_the_landing_page_says() {
    let (app, analyst, _) = march();
    let landing = analyst.get("/ogc").expect(200).json();
    let path = link(&app, &landing, "service-desc").expect("a link");
    assert_eq!(
        media_type(&analyst.get(path).expect(200)),
        "application/vnd.oai.openapi+json;version=3.0"
    );
}

#[test]
fn a_2_3_api_definition_success_it_is_open_api_3_0_of_every_path() {
    let (app, analyst, _) = march();
    let api = analyst.get("/ogc/api").expect(200).json();
    assert_eq!(api["openapi"], "3.0.3");
    assert_eq!(api["servers"][0]["url"], format!("{}/ogc", app.url));
    let described: BTreeSet<String> =
        api["paths"].as_object().expect("paths").keys().cloned().collect();
    let mut right: BTreeSet<String> =
        paths().iter().map(|path| path.trim_start_matches("/ogc").to_owned()).collect();
    right.remove("");
    right.insert("/".to_owned());
    right.extend(COLLECTIONS.map(|one| format!("/collections/{one}/items/{{featureId}}")));
    assert_eq!(described, right);
}

#[test]
fn a_2_4_conformance_op_the_declaration_is_there() {
    let (app, analyst, _) = march();
    let landing = analyst.get("/ogc").expect(200).json();
    let path = link(&app, &landing, "conformance").expect("a link");
    assert_eq!(media_type(&analyst.get(path).expect(200)), "application/json");
}

#[test]
fn a_2_4_conformance_success_it_names_what_holds() {
    let (_app, analyst, _) = march();
    let declared = analyst.get("/ogc/conformance").expect(200).json();
    let declared: Vec<&str> = declared["conformsTo"]
        .as_array()
        .expect("classes")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for class in [
        "ogcapi-features-1/1.0/conf/core",
        "ogcapi-features-1/1.0/conf/geojson",
        "ogcapi-features-1/1.0/conf/oas30",
        "ogcapi-features-2/1.0/conf/crs",
        "ogcapi-features-3/1.0/conf/queryables",
        "ogcapi-features-3/1.0/conf/queryables-query-parameters",
        "ogcapi-features-3/1.0/conf/filter",
        "ogcapi-features-3/1.0/conf/features-filter",
        "cql2/1.0/conf/cql2-text",
        "cql2/1.0/conf/basic-cql2",
        "cql2/1.0/conf/advanced-comparison-operators",
        "cql2/1.0/conf/case-insensitive-comparison",
        "cql2/1.0/conf/basic-spatial-functions",
        "cql2/1.0/conf/basic-spatial-operators",
    ] {
        let class = format!("http://www.opengis.net/spec/{class}");
        assert!(declared.contains(&class.as_str()), "{class}");
    }
}

#[test]
fn a_2_5_fc_md_op_the_collections_are_listed() {
    let (app, analyst, _) = march();
    let landing = analyst.get("/ogc").expect(200).json();
    let path = link(&app, &landing, "data").expect("a link");
    assert_eq!(media_type(&analyst.get(path).expect(200)), "application/json");
}

#[test]
fn a_2_5_fc_md_success_each_has_its_links() {
    let (app, analyst, _) = march();
    let listed = analyst.get("/ogc/collections").expect(200).json();
    assert_eq!(link(&app, &listed, "self"), Some("/ogc/collections"));
    let collections = listed["collections"].as_array().expect("collections");
    let names: Vec<&str> = collections.iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(names, COLLECTIONS);
    for one in collections {
        let items = link(&app, one, "items").expect("a link");
        assert_eq!(media_type(&analyst.get(items).expect(200)), "application/geo+json");
        let queryables = link(&app, one, "http://www.opengis.net/def/rel/ogc/1.0/queryables");
        assert_eq!(
            media_type(&analyst.get(queryables.expect("a link")).expect(200)),
            "application/schema+json"
        );
    }
}

#[test]
fn a_2_6_sfc_md_op_each_collection_is_there_and_no_other() {
    let (_app, analyst, _) = march();
    for collection in COLLECTIONS {
        let answer = analyst.get(&format!("/ogc/collections/{collection}")).expect(200);
        assert_eq!(media_type(&answer), "application/json");
    }
    for unknown in ["reports", "incident", "INCIDENTS", "%00"] {
        for rest in ["", "/items", "/queryables", "/schema", "/items/x"] {
            let path = format!("/ogc/collections/{unknown}{rest}");
            analyst.get(&path).expect_problem(404, "not_found");
        }
    }
}

#[test]
fn a_2_6_sfc_md_success_it_is_as_it_is_listed_and_its_extent_holds_its_features() {
    let (_app, analyst, _) = march();
    let listed = analyst.get("/ogc/collections").expect(200).json();
    for one in listed["collections"].as_array().expect("collections") {
        let id = one["id"].as_str().expect("an id");
        let alone = analyst.get(&format!("/ogc/collections/{id}")).expect(200).json();
        assert_eq!(&alone, one);
        assert_eq!(alone["extent"]["spatial"]["crs"], CRS84);
        let edges: Vec<f64> =
            serde_json::from_value(alone["extent"]["spatial"]["bbox"][0].clone()).expect("edges");
        let page =
            analyst.get(&format!("/ogc/collections/{id}/items?limit=1000")).expect(200).json();
        let points =
            features(&page).into_iter().filter(|feature| feature["geometry"]["type"] == "Point");
        for point in points {
            let (lon, lat) = (
                point["geometry"]["coordinates"][0].as_f64(),
                point["geometry"]["coordinates"][1].as_f64(),
            );
            let (lon, lat) = (lon.expect("a longitude"), lat.expect("a latitude"));
            assert!(
                edges[0] <= lon && lon <= edges[2] && edges[1] <= lat && lat <= edges[3],
                "{point}"
            );
        }
    }
    let incidents = &listed["collections"][0]["extent"]["temporal"]["interval"][0];
    assert_eq!(incidents, &serde_json::json!(["2024-03-01T00:00:00Z", "2024-03-31T23:59:59Z"]));
}

#[test]
fn a_2_7_fc_op_features_are_listed() {
    let (_app, analyst, _) = march();
    for collection in COLLECTIONS {
        let answer = analyst.get(&format!("/ogc/collections/{collection}/items")).expect(200);
        assert_eq!(media_type(&answer), "application/geo+json", "{collection}");
        assert_eq!(answer.json()["type"], "FeatureCollection");
    }
}

#[test]
fn a_2_7_fc_response_a_page_is_a_feature_collection_of_geo_json() {
    let (_app, analyst, submitted) = march();
    let page = items(&analyst, "");
    assert_eq!((features(&page).len(), page["numberMatched"].as_u64()), (8, Some(8)));
    let verified = ["R12", "R10", "R9", "R6", "R5", "R4", "R3", "R1"];
    let right: Vec<&str> =
        verified.iter().filter_map(|key| submitted[*key]["incident"].as_str()).collect();
    assert_eq!(ids(&page), right, "newest first");
    for feature in features(&page) {
        assert_eq!(feature["type"], "Feature");
        assert!(feature["properties"].is_object() && feature.get("geometry").is_some());
    }
}

#[test]
fn a_2_7_fc_bbox_definition_four_or_six_numbers() {
    let (_app, analyst, _) = march();
    for collection in COLLECTIONS {
        let bbox = parameter(&analyst, collection, "bbox");
        assert_eq!((&bbox["in"], &bbox["required"]), (&"query".into(), &false.into()));
        assert_eq!((&bbox["style"], &bbox["explode"]), (&"form".into(), &false.into()));
        assert_eq!(bbox["schema"]["items"]["type"], "number");
        assert_eq!(bbox["schema"]["oneOf"][0]["minItems"], 4);
        assert_eq!(bbox["schema"]["oneOf"][1]["maxItems"], 6);
    }
}

#[test]
fn a_2_7_fc_bbox_response_what_lies_in_the_box_or_has_no_geometry() {
    let (_app, analyst, _) = march();
    // R12 has no place.
    for (bbox, right) in [
        ("-180,-90,180,90", 8),
        ("-14,6,-10,10", 3),
        ("-14,6,0,-10,10,5000", 3),
        ("0,0,1,1", 1),
        ("12,-14,32,6", 4),
        ("20,-35,180,-15", 3),
        // Over the date line.
        ("20,-35,-170,-15", 3),
        ("170,-90,-10.5,90", 3),
    ] {
        assert_eq!(matched(&analyst, &format!("bbox={bbox}")), right, "{bbox}");
    }
}

#[test]
fn a_2_7_fc_bbox_response_the_edges_are_of_the_box() {
    let (_app, analyst, submitted) = march();
    let id = submitted["R1"]["incident"].as_str().expect("an id");
    let place = analyst.get(&format!("{ITEMS}/{id}")).expect(200).json();
    let (lon, lat) = (&place["geometry"]["coordinates"][0], &place["geometry"]["coordinates"][1]);
    assert_eq!(matched(&analyst, &format!("bbox={lon},{lat},{lon},{lat}")), 2);
}

#[test]
fn a_2_7_fc_limit_definition_a_whole_number_from_one_with_its_most() {
    let (_app, analyst, _) = march();
    for (collection, usual, most) in
        [("incidents", 100, 1_000), ("sites", 100, 1_000), ("areas", 10, 100)]
    {
        let limit = parameter(&analyst, collection, "limit");
        assert_eq!(
            limit["schema"],
            serde_json::json!({"type": "integer", "minimum": 1, "maximum": most, "default": usual})
        );
    }
}

#[test]
fn a_2_7_fc_limit_response_no_page_has_more_and_above_the_most_is_the_most() {
    let (_app, analyst, _) = march();
    for (limit, right) in
        [("1", 1), ("3", 3), ("8", 8), ("1000", 8), ("1001", 8), ("99999999999999999999999", 8)]
    {
        let page = items(&analyst, &format!("limit={limit}"));
        assert_eq!(features(&page).len(), right, "{limit}");
        assert_eq!(page["numberMatched"], 8);
    }
    let areas = analyst.get("/ogc/collections/areas/items?limit=5000").expect(200).json();
    assert_eq!(features(&areas).len(), 100);
    for wrong in ["0", "-1", "1.5", "ten", ""] {
        let path = format!("{ITEMS}?limit={wrong}");
        assert_eq!(
            analyst.get(&path).expect_problem(400, "invalid_parameter").pointers(),
            ["?limit"]
        );
    }
}

#[test]
fn a_2_7_fc_time_definition_a_text() {
    let (_app, analyst, _) = march();
    for collection in COLLECTIONS {
        let datetime = parameter(&analyst, collection, "datetime");
        assert_eq!(
            (&datetime["in"], &datetime["schema"]["type"]),
            (&"query".into(), &"string".into())
        );
    }
}

#[test]
fn a_2_7_fc_time_response_what_touches_the_interval_or_has_no_time() {
    let (app, analyst, _) = march();
    // R6 is of March and no day of it.
    for (datetime, right) in [
        ("2024-03-05T09:00:00Z", 2),
        ("2024-03-05", 2),
        ("2024-03-05T00:00:00Z/2024-03-15T23:59:59Z", 3),
        ("2024-03-20T00:00:00Z/..", 5),
        ("2024-03-20T00:00:00Z/", 5),
        ("../2024-03-05T00:00:00Z", 3),
        ("/2024-03-05T00:00:00Z", 3),
        ("../..", 8),
        ("2024-04-01/..", 0),
    ] {
        assert_eq!(matched(&analyst, &format!("datetime={datetime}")), right, "{datetime}");
    }
    let undated = serde_json::json!({"location": {"country": "SLE"}, "occurred": null,
        "categories": ["rights.life_integrity.killing"], "narrative": "Nobody knows when."});
    let undated = app.monitor().submit(&undated)["incident"].clone();
    app.reviewer().set_status(&undated, "verified");
    assert_eq!(
        matched(&analyst, "datetime=2024-04-01/.."),
        1,
        "without a time it matches every one"
    );
    let sites = analyst.get("/ogc/collections/sites/items").expect(200).json();
    let dated = analyst.get("/ogc/collections/sites/items?datetime=1900-01-01").expect(200).json();
    assert_eq!(sites["numberMatched"], dated["numberMatched"]);
}

#[test]
fn a_2_7_query_param_unknown_is_400() {
    let (_app, analyst, _) = march();
    for collection in COLLECTIONS {
        let path = format!("/ogc/collections/{collection}/items?unknown=1");
        let refused = analyst.get(&path).expect_problem(400, "unknown_parameter");
        assert_eq!(refused.pointers(), ["?unknown"]);
    }
    for path in paths().into_iter().filter(|path| !path.ends_with("/items")) {
        analyst.get(&format!("{path}?limit=1")).expect_problem(400, "unknown_parameter");
    }
    // Texts are not searched from here, and a typing error is told.
    analyst.get(&format!("{ITEMS}?q=guards")).expect_problem(400, "unknown_parameter");
    let refused =
        analyst.get(&format!("{ITEMS}?contry=SLE")).expect_problem(400, "unknown_parameter");
    assert!(refused.text().contains("did you mean country?"), "{}", refused.text());
}

#[test]
fn a_2_7_query_param_invalid_is_400() {
    let (_app, analyst, _) = march();
    for (query, pointer) in [
        ("bbox=1,2,3", "?bbox"),
        ("bbox=1,2,3,4,5", "?bbox"),
        ("bbox=a,b,c,d", "?bbox"),
        ("bbox=0,10,1,5", "?bbox"),
        ("bbox=0,0,181,1", "?bbox"),
        ("bbox=0,0,NaN,1", "?bbox"),
        ("bbox=0,0,inf,1", "?bbox"),
        ("bbox=1,1,2,2&bbox=1,1,2,2", "?bbox"),
        ("datetime=2024", "?datetime"),
        ("datetime=now", "?datetime"),
        ("datetime=..", "?datetime"),
        ("datetime=2024-03-05/2024-03-04", "?datetime"),
        ("datetime=2024-02-30T00:00:00Z", "?datetime"),
        ("crs=EPSG:4326", "?crs"),
        ("filter=severity", "?filter"),
        ("filter-lang=cql2-json&filter=TRUE", "?filter-lang"),
        ("severity=9", "?severity"),
        ("status=unknown", "?status"),
        ("killed_min=two", "?killed_min"),
        ("is_test=perhaps", "?is_test"),
        ("occurred_on=March", "?occurred_on"),
    ] {
        let path = format!("{ITEMS}?{query}");
        assert_eq!(
            analyst.get(&path).expect_problem(400, "invalid_parameter").pointers(),
            [pointer],
            "{query}"
        );
    }
    analyst.get(&format!("{ITEMS}?cursor=x")).expect_problem(400, "invalid_cursor");
}

#[test]
fn a_2_7_fc_links_self_and_next_lead_through_all_pages() {
    let (app, analyst, _) = march();
    let query = "limit=3&status=all&bbox=-180,-90,180,90";
    let page = items(&analyst, query);
    assert_eq!(link(&app, &page, "self"), Some(format!("{ITEMS}?{query}").as_str()));
    let next = link(&app, &page, "next").expect("a link");
    assert!(
        next.starts_with(&format!("{ITEMS}?{query}&cursor=")),
        "it repeats all that was asked: {next}"
    );
    let walked = walk(&app, &analyst, query);
    assert_eq!(walked, ids(&items(&analyst, "status=all")));
    assert_eq!(walked.iter().collect::<BTreeSet<_>>().len(), 12);
    let last = items(&analyst, "limit=8");
    assert_eq!(link(&app, &last, "next"), None);
    for collection in ["sites", "areas"] {
        let mut path = format!("/ogc/collections/{collection}/items?limit=97&country=COD");
        let mut found = BTreeSet::new();
        let mut n_matched = None;
        loop {
            let page = analyst.get(&path).expect(200).json();
            found.extend(ids(&page));
            n_matched = n_matched.or(page["numberMatched"].as_u64());
            let Some(next) = link(&app, &page, "next") else { break };
            path = next.to_owned();
        }
        assert_eq!(u64::try_from(found.len()).ok(), n_matched, "{collection}");
    }
}

#[test]
fn a_2_7_fc_time_stamp_says_when_it_was_answered() {
    let (_app, analyst, _) = march();
    assert_eq!(items(&analyst, "")["timeStamp"], "2024-04-01T12:00:00Z");
}

#[test]
fn a_2_7_fc_number_matched_is_of_all_pages() {
    let (_app, analyst, _) = march();
    assert_eq!(items(&analyst, "limit=1")["numberMatched"], 8);
    assert_eq!(items(&analyst, "limit=1&country=SLE")["numberMatched"], 2);
}

#[test]
fn a_2_7_fc_number_returned_is_of_this_page() {
    let (_app, analyst, _) = march();
    for (query, right) in [("limit=1", 1), ("limit=5", 5), ("", 8), ("country=BWA", 0)] {
        let page = items(&analyst, query);
        assert_eq!(page["numberReturned"], right, "{query}");
        assert_eq!(features(&page).len(), right, "{query}");
    }
}

#[test]
fn a_2_8_f_op_a_feature_is_there_and_what_is_none_is_404() {
    let (_app, analyst, submitted) = march();
    let id = submitted["R1"]["incident"].as_str().expect("an id");
    let answer = analyst.get(&format!("{ITEMS}/{id}")).expect(200);
    assert_eq!(media_type(&answer), "application/geo+json");
    for unknown in ["x", "00000000-0000-4000-8000-000000000000"] {
        analyst.get(&format!("{ITEMS}/{unknown}")).expect_problem(404, "not_found");
        analyst
            .get(&format!("/ogc/collections/sites/items/{unknown}"))
            .expect_problem(404, "not_found");
    }
    analyst.get(&format!("{ITEMS}/{id}?limit=1")).expect_problem(400, "unknown_parameter");
}

#[test]
fn a_2_8_f_success_it_is_as_it_is_listed_with_links_to_itself_and_its_collection() {
    let (app, analyst, _) = march();
    for collection in COLLECTIONS {
        let page = analyst
            .get(&format!("/ogc/collections/{collection}/items?limit=10"))
            .expect(200)
            .json();
        assert!(!features(&page).is_empty());
        for feature in features(&page) {
            let id = feature["id"].as_str().expect("an id");
            let path = format!("/ogc/collections/{collection}/items/{id}");
            let mut alone = analyst.get(&path).expect(200).json();
            assert_eq!(link(&app, &alone, "self"), Some(path.as_str()));
            let about = format!("/ogc/collections/{collection}");
            assert_eq!(link(&app, &alone, "collection"), Some(about.as_str()));
            alone.as_object_mut().expect("a feature").remove("links");
            assert_eq!(alone, feature);
        }
    }
}

#[test]
fn a_3_geojson_content_positions_are_numbers_longitude_first() {
    let (_app, analyst, submitted) = march();
    let id = submitted["R1"]["incident"].as_str().expect("an id");
    let feature = analyst.get(&format!("{ITEMS}/{id}")).expect(200).json();
    let position: [f64; 2] =
        serde_json::from_value(feature["geometry"]["coordinates"].clone()).expect("two numbers");
    assert!(
        (-12.0..-10.0).contains(&position[0]) && (8.0..9.0).contains(&position[1]),
        "{position:?}"
    );
    assert!(feature.get("crs").is_none(), "RFC 7946 has no such member");
    let unmapped = submitted["R12"]["incident"].as_str().expect("an id");
    let feature = analyst.get(&format!("{ITEMS}/{unmapped}")).expect(200).json();
    assert_eq!(feature["geometry"], Value::Null);
}

#[test]
fn a_5_oas30_completeness_every_parameter_described_is_taken() {
    let (_app, analyst, _) = march();
    let api = analyst.get("/ogc/api").expect(200).json();
    for collection in COLLECTIONS {
        let path = format!("/collections/{collection}/items");
        for parameter in api["paths"][&path]["get"]["parameters"].as_array().expect("parameters") {
            let name = parameter["name"].as_str().expect("a name");
            let answer = analyst.get(&format!("/ogc{path}?{name}=1"));
            assert_ne!(answer.json()["code"], "unknown_parameter", "{collection}: {name}");
        }
    }
}
