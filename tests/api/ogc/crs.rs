//! Part 2: the reference systems of answers, boxes and filters.

use serde_json::Value;

use crate::ogc::{COLLECTIONS, ITEMS, encode, features, filtered, items, march, matched};

const CRS84: &str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";
const LAT_LON: &str = "http://www.opengis.net/def/crs/EPSG/0/4326";
const MERCATOR: &str = "http://www.opengis.net/def/crs/EPSG/0/3857";

fn position(feature: &Value) -> [f64; 2] {
    serde_json::from_value(feature["geometry"]["coordinates"].clone()).expect("two numbers")
}

#[test]
fn a_collection_lists_its_systems_and_that_of_its_data() {
    let (_app, analyst, _) = march();
    for collection in COLLECTIONS {
        let about = analyst.get(&format!("/ogc/collections/{collection}")).expect(200).json();
        assert_eq!(about["crs"], serde_json::json!([CRS84, LAT_LON, MERCATOR]));
        assert_eq!(about["storageCrs"], CRS84);
    }
}

#[test]
fn an_answer_names_its_system_which_is_crs84_unless_told() {
    let (_app, analyst, submitted) = march();
    let id = submitted["R1"]["incident"].as_str().expect("an id");
    for path in
        [ITEMS.to_owned(), format!("{ITEMS}/{id}"), "/ogc/collections/areas/items".to_owned()]
    {
        for (query, right) in [(String::new(), CRS84)]
            .into_iter()
            .chain([CRS84, LAT_LON, MERCATOR].map(|crs| (format!("?crs={}", encode(crs)), crs)))
        {
            let answer = analyst.get(&format!("{path}{query}")).expect(200);
            assert_eq!(
                answer.header("content-crs"),
                Some(format!("<{right}>").as_str()),
                "{path}{query}"
            );
        }
    }
}

#[test]
fn positions_are_in_the_axes_and_units_of_the_system() {
    let (_app, analyst, submitted) = march();
    let id = submitted["R1"]["incident"].as_str().expect("an id");
    let get = |crs: &str| {
        position(&analyst.get(&format!("{ITEMS}/{id}?crs={}", encode(crs))).expect(200).json())
    };
    let [lon, lat] = get(CRS84);
    assert_eq!(get(LAT_LON).map(f64::to_bits), [lat, lon].map(f64::to_bits));
    let [east, north] = get(MERCATOR);
    assert!((east / 6_378_137.0 - lon.to_radians()).abs() < 1e-8, "{east}");
    assert!((north / 6_378_137.0 - lat.to_radians().tan().asinh()).abs() < 1e-8, "{north}");
    let area = |crs: &str| {
        analyst
            .get(&format!("/ogc/collections/areas/items?limit=1&crs={}", encode(crs)))
            .expect(200)
            .json()
    };
    let first = |crs: &str| features(&area(crs))[0]["geometry"]["coordinates"][0][0][0].clone();
    let (plain, turned) = (first(CRS84), first(LAT_LON));
    assert_eq!((&plain[0], &plain[1]), (&turned[1], &turned[0]));
}

#[test]
fn a_box_is_read_in_its_system() {
    let (_app, analyst, _) = march();
    for (bbox, crs, right) in [
        ("-14,6,-10,10", CRS84, 3),
        ("6,-14,10,-10", LAT_LON, 3),
        ("-14,6,-10,10", LAT_LON, 1),
        ("-1558472,669141,-1113194,1118889", MERCATOR, 3),
        ("-20037508.3428,-20048966.1,20037508.3428,20048966.1", MERCATOR, 8),
    ] {
        let query = format!("bbox={bbox}&bbox-crs={}", encode(crs));
        assert_eq!(matched(&analyst, &query), right, "{query}");
    }
}

#[test]
fn coordinates_of_a_filter_are_read_in_their_system() {
    let (_app, analyst, _) = march();
    let filter = |bbox: &str, crs: &str| {
        let filter = encode(&format!("S_INTERSECTS(geometry, BBOX({bbox}))"));
        matched(&analyst, &format!("filter={filter}&filter-crs={}", encode(crs)))
    };
    assert_eq!(filter("-14,6,-10,10", CRS84), 2);
    assert_eq!(filter("6,-14,10,-10", LAT_LON), 2);
    assert_eq!(filter("-1558472,669141,-1113194,1118889", MERCATOR), 2);
    assert_eq!(
        filtered(&analyst, "S_INTERSECTS(geometry, BBOX(-14,6,-10,10))"),
        3,
        "R2 too, received"
    );
}

#[test]
fn a_system_that_is_not_on_offer_is_400() {
    let (_app, analyst, submitted) = march();
    let id = submitted["R1"]["incident"].as_str().expect("an id");
    let utm = encode("http://www.opengis.net/def/crs/EPSG/0/32629");
    for name in ["crs", "bbox-crs", "filter-crs"] {
        let refused =
            analyst.get(&format!("{ITEMS}?{name}={utm}")).expect_problem(400, "invalid_parameter");
        assert_eq!(refused.pointers(), [format!("?{name}")]);
        assert!(refused.text().contains(MERCATOR), "it says which are");
    }
    analyst.get(&format!("{ITEMS}/{id}?crs={utm}")).expect_problem(400, "invalid_parameter");
}

#[test]
fn pages_go_on_in_the_same_system() {
    let (app, analyst, _) = march();
    let query = format!("limit=3&crs={}", encode(MERCATOR));
    let page = items(&analyst, &query);
    let next = crate::ogc::link(&app, &page, "next").expect("a link");
    let answer = analyst.get(next).expect(200);
    assert_eq!(answer.header("content-crs"), Some(format!("<{MERCATOR}>").as_str()));
}
