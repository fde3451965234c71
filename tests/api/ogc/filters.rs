//! Part 3 and CQL2: queryables, what filters keep, and what is said of a wrong one.

use serde_json::Value;

use crate::harness::TestApp;
use crate::ogc::{COLLECTIONS, ITEMS, encode, features, filtered, ids, items, march, matched};

#[test]
fn queryables_are_a_closed_schema_with_one_date() {
    let (_app, analyst, _) = march();
    for collection in COLLECTIONS {
        let schema =
            analyst.get(&format!("/ogc/collections/{collection}/queryables")).expect(200).json();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(
            (&schema["type"], &schema["additionalProperties"]),
            (&"object".into(), &false.into())
        );
        assert_eq!(schema["properties"]["geometry"]["x-ogc-role"], "primary-geometry");
        let properties = schema["properties"].as_object().expect("properties");
        let dates = properties
            .iter()
            .filter(|(_, schema)| schema["format"] == "date" || schema["format"] == "date-time");
        let dates: Vec<&String> = dates.map(|(name, _)| name).collect();
        let right: &[&str] = if collection == "incidents" { &["occurred_on"] } else { &[] };
        assert_eq!(dates, right);
    }
    let schema = analyst.get("/ogc/collections/incidents/queryables").expect(200).json();
    assert_eq!(schema["properties"]["severity"]["type"], "integer");
    assert!(schema["properties"].get("updated").is_none(), "shown, not asked");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn filters_keep_exactly_what_they_say() {
    let (_app, analyst, _) = march();
    for (filter, right) in [
        // basic
        ("TRUE", 12),
        ("FALSE", 0),
        ("country = 'SLE'", 3),
        ("country <> 'SLE'", 9),
        ("'SLE' = country", 3),
        ("country = 'sle'", 0),
        ("country = 'SLE' AND status = 'verified'", 2),
        ("country = 'SLE' OR country = 'COD'", 5),
        ("NOT (country = 'SLE' OR country = 'COD')", 7),
        ("country = 'SLE' OR country = 'COD' AND status = 'received'", 3),
        ("(country = 'SLE' OR country = 'COD') AND status = 'received'", 1),
        ("status = 'received'", 2),
        ("status = 'withdrawn' OR status = 'rejected'", 2),
        ("region = 'west'", 5),
        ("killed_min >= 2", 2),
        ("killed_max > 2", 0),
        ("injured_min = 3", 1),
        ("injured_min <= 3", 2),
        ("injured_min IS NULL", 10),
        ("NOT injured_min = 3", 1),
        ("reports = 1", 12),
        ("reports < 1 OR reports > 1", 0),
        ("is_test = FALSE", 12),
        ("is_test = TRUE", 0),
        ("geometry IS NULL", 1),
        ("cell IS NOT NULL", 11),
        ("occurred_on = DATE('2024-03-05')", 2),
        ("occurred_on >= DATE('2024-03-20') AND occurred_on < '2024-03-25'", 3),
        ("occurred_on > TIMESTAMP('2024-03-25T00:00:00Z')", 1),
        ("occurred_on IS NULL", 1),
        ("occurred_month = '2024-03'", 12),
        ("occurred_year = 2024", 12),
        ("occurred_year = 2024.5", 0),
        ("occurred_precision = 'month'", 1),
        // advanced comparison
        ("country IN ('SLE', 'COD', 'XXX')", 5),
        ("country NOT IN ('SLE', 'COD')", 7),
        ("killed_min BETWEEN 1 AND 2", 2),
        ("killed_min NOT BETWEEN 1 AND 2", 0),
        ("occurred_on BETWEEN DATE('2024-03-01') AND DATE('2024-03-10')", 4),
        ("categories LIKE '%killing%'", 2),
        ("categories LIKE 'rights.%'", 8),
        ("categories NOT LIKE 'rights.%'", 4),
        ("categories LIKE '%,%'", 1),
        ("themes = 'environment,rights'", 1),
        ("themes LIKE '%environment%'", 3),
        ("country LIKE 'C__'", 6),
        ("country LIKE 'C\\__'", 0),
        // case-insensitive
        ("CASEI(country) = CASEI('sle')", 3),
        ("CASEI(country) IN (CASEI('sle'), CASEI('Cod'))", 5),
        ("CASEI(status) LIKE CASEI('REC%')", 2),
        // spatial
        ("S_INTERSECTS(geometry, BBOX(-14,6,-10,10))", 3),
        ("s_intersects(geometry,POLYGON((-14 6,-10 6,-10 10,-14 10,-14 6)))", 3),
        ("NOT S_INTERSECTS(geometry, BBOX(-14,6,-10,10))", 8),
        ("S_INTERSECTS(geometry, BBOX(-180,-90,180,90))", 11),
        ("S_INTERSECTS(geometry, BBOX(170,-90,-10.5,90))", 3),
        (
            "S_INTERSECTS(geometry, MULTIPOLYGON(((-14 6,-10 6,-10 10,-14 10,-14 6)),((30 -21,34 -21,34 -18,30 -18,30 -21))))",
            4,
        ),
        ("S_INTERSECTS(geometry, POINT(0 0))", 0),
        ("S_INTERSECTS(geometry, BBOX(-14,6,-10,10)) AND killed_min > 0", 2),
        ("\"country\"='SLE'and(not\"status\"='verified')", 1),
    ] {
        assert_eq!(filtered(&analyst, filter), right, "{filter}");
    }
}

#[test]
fn what_is_shown_is_what_a_filter_finds() {
    let (_app, analyst, _) = march();
    let schema = analyst.get("/ogc/collections/incidents/queryables").expect(200).json();
    let names: Vec<&String> =
        schema["properties"].as_object().expect("properties").keys().collect();
    let all = items(&analyst, "status=all");
    for name in names.into_iter().filter(|name| *name != "geometry") {
        for feature in features(&all) {
            let value = feature["properties"].get(name).expect("each property, null included");
            let filter = match value {
                Value::Null => format!("{name} IS NULL"),
                Value::String(text) => format!("{name} = '{text}'"),
                other => format!("{name} = {other}"),
            };
            let found = items(&analyst, &format!("status=all&filter={}", encode(&filter)));
            let same =
                features(&all).iter().filter(|other| other["properties"][name] == *value).count();
            assert_eq!(found["numberMatched"], same, "{filter}");
            assert!(
                ids(&found).contains(&feature["id"].as_str().expect("an id").to_owned()),
                "{filter}"
            );
            // Each is a parameter too.
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if !value.is_null() && name != "status" {
                assert_eq!(
                    matched(&analyst, &format!("status=all&{name}={}", encode(&text))),
                    u64::try_from(same).expect("few"),
                    "{name}={text}"
                );
            }
        }
    }
}

#[test]
fn a_filter_that_speaks_of_the_status_is_not_narrowed_to_verified() {
    let (_app, analyst, _) = march();
    let count =
        |filter: &str, more: &str| matched(&analyst, &format!("filter={}{more}", encode(filter)));
    assert_eq!(count("country = 'SLE'", ""), 2);
    assert_eq!(count("status = 'received'", ""), 2);
    assert_eq!(count("status <> 'verified'", ""), 4);
    assert_eq!(count("status = 'received'", "&status=verified"), 0);
    assert_eq!(count("country = 'SLE' OR status = 'rejected'", ""), 4);
}

#[test]
fn tests_are_shown_to_those_who_ask_for_them() {
    let (app, analyst, _) = march();
    let test = serde_json::json!({"location": {"country": "SLE"}, "occurred": "2024-03-05", "test": true,
        "categories": ["rights.life_integrity.killing"], "narrative": "A trial of the telephone."});
    app.monitor().submit(&test);
    assert_eq!(filtered(&analyst, "TRUE"), 12);
    assert_eq!(filtered(&analyst, "is_test = TRUE"), 1);
    assert_eq!(matched(&analyst, "status=all&is_test=true"), 1);
}

#[test]
fn a_wrong_filter_is_told_where_and_what_in_both_languages() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    for (filter, en, fr) in [
        (
            "contry = 'SLE'",
            "at character 1: contry is no property to filter by",
            "au caractère 1 : contry n'est pas une propriété de filtre",
        ),
        (
            "severity = 'high'",
            "at character 12: severity compares with a number",
            "au caractère 12 : severity se compare à un nombre",
        ),
        (
            "updated > 3",
            "at character 1: updated is no property",
            "au caractère 1 : updated n'est pas",
        ),
        ("site = 'x'", "at character 1: site is no property", "au caractère 1 : site n'est pas"),
        (
            "S_WITHIN(geometry, POINT(0 0))",
            "at character 1: S_WITHIN is no function here",
            "au caractère 1 : S_WITHIN n'est pas une fonction ici",
        ),
        (
            "country = 'SLE",
            "at character 11: the closing ' is missing",
            "au caractère 11 : le ' fermant manque",
        ),
        (
            "",
            "at character 1: a property is missing before the end",
            "au caractère 1 : il manque une propriété",
        ),
    ] {
        let path = format!("{ITEMS}?filter={}", encode(filter));
        let refused = reviewer.get(&path).expect_problem(400, "invalid_parameter");
        assert_eq!(refused.pointers(), ["?filter"]);
        assert!(refused.text().contains(en), "{filter}: {}", refused.text());
        let refused = reviewer.get_with(&path, &[("accept-language", "fr")]);
        assert!(refused.text().contains(fr), "{filter}: {}", refused.text());
    }
}

#[test]
fn sites_and_areas_are_filtered_in_the_same_way() {
    let (_app, analyst, _) = march();
    let count = |collection: &str, query: &str| {
        let path = format!("/ogc/collections/{collection}/items?limit=1&{query}");
        analyst.get(&path).expect(200).json()["numberMatched"].as_u64().expect("a number")
    };
    let by_filter =
        |collection: &str, filter: &str| count(collection, &format!("filter={}", encode(filter)));
    assert_eq!(by_filter("sites", "country = 'SLE'"), count("sites", "country=SLE"));
    assert!(count("sites", "country=SLE") > 0);
    assert_eq!(by_filter("sites", "country = 'SLE' OR NOT country = 'SLE'"), count("sites", ""));
    assert_eq!(
        by_filter("sites", "operator IS NULL") + by_filter("sites", "operator IS NOT NULL"),
        count("sites", "")
    );
    assert!(by_filter("sites", "CASEI(name) LIKE CASEI('%koidu%')") > 0);
    // Sierra Leone's five provinces, of which Koidu lies in the eastern one.
    assert_eq!(
        by_filter("areas", "country = 'SLE' AND S_INTERSECTS(geometry, POINT(-10.97 8.64))"),
        1
    );
    let path = format!(
        "/ogc/collections/areas/items?filter={}",
        encode("S_INTERSECTS(geometry, POINT(-10.97 8.64))")
    );
    let page = analyst.get(&path).expect(200).json();
    assert_eq!(features(&page)[0]["id"], "SL-E");
    assert_eq!(by_filter("areas", "level = 1"), count("areas", ""));
    let undrawn = by_filter("areas", "geometry IS NULL");
    assert!(undrawn > 0);
    let there = by_filter("areas", "S_INTERSECTS(geometry, BBOX(-11,8,-10.9,8.7))");
    assert_eq!(
        count("areas", "bbox=-11,8,-10.9,8.7"),
        there + undrawn,
        "without an outline it is in every box"
    );
}
