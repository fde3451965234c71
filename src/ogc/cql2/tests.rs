use std::borrow::Cow;

use geo::{Geometry, Point};
use proptest::prelude::*;

use crate::ogc::cql2::like::Pattern;
use crate::ogc::cql2::parser::{MAX_CHARS, MAX_DEPTH, parse};
use crate::ogc::crs::Crs;
use crate::ogc::property::{Kind, Property, Value};

const PROPERTIES: [Property; 6] = [
    Property::queryable("country", Kind::Text, ""),
    Property::queryable("severity", Kind::Integer, ""),
    Property::queryable("is_test", Kind::Flag, ""),
    Property::queryable("occurred_on", Kind::Day, ""),
    Property::queryable("geometry", Kind::Geometry, ""),
    Property::shown("updated", Kind::Integer, ""),
];

/// Koidu on 5 March 2024, of severity 4, and what is unknown of it.
fn koidu(property: usize) -> Value<'static> {
    match property {
        0 => Value::text("Côte d'Ivoire"),
        1 => Value::Number(4),
        2 => Value::Flag(false),
        3 => Value::Day("2024-03-05".parse().unwrap()),
        _ => Value::Shape(Cow::Owned(Geometry::Point(Point::new(-10.97, 8.64)))),
    }
}

#[track_caller]
fn judge(filter: &str) -> Option<bool> {
    match parse(filter, &PROPERTIES, Crs::Crs84) {
        Ok(expression) => expression.judge(&koidu),
        Err(fault) => panic!("{filter}: {}", fault.message_en()),
    }
}

#[track_caller]
fn fault(filter: &str) -> String {
    parse(filter, &PROPERTIES, Crs::Crs84).expect_err(filter).message_en()
}

#[test]
fn comparisons_hold_as_they_read() {
    for filter in [
        "country = 'Côte d''Ivoire'",
        r"country = 'Côte d\'Ivoire'",
        "\"country\"<>'SLE'",
        "severity > 3 AND severity<5 and severity >= 4.0 And severity <= 4e0",
        "3 < severity",
        "severity = 4 OR severity = 5 AND severity = 6",
        "NOT (severity = 4 AND severity = 5)",
        "not severity = 5",
        "is_test = FALSE",
        "FALSE = is_test",
        "is_test <> true",
        "TRUE",
        "NOT FALSE",
        "occurred_on = DATE('2024-03-05')",
        "occurred_on >= '2024-03-05' AND occurred_on < TIMESTAMP('2024-03-06T00:00:00Z')",
        "DATE('2024-03-01') <= occurred_on",
        "severity IS NOT NULL AND NOT country IS NULL",
        "severity BETWEEN 4 AND 5 AND severity NOT BETWEEN -1 AND 3.9",
        "country > 'A' AND country < 'D'",
        "country IN ('SLE', 'Côte d''Ivoire') AND severity IN (4) AND severity NOT IN (1,2)",
        "country LIKE 'C_te%' AND country NOT LIKE 'c%' AND country LIKE '%'",
        "CASEI(country) = CASEI('CÔTE D''IVOIRE')",
        "CASEI(country) LIKE casei('CÔTE%')",
        "CASEI(country) IN (CASEI('X'), CASEI('côte D''ivoire'))",
        "CASEI('CÔTE D''IVOIRE') = CASEI(country)",
        "((((severity = 4))))",
    ] {
        assert_eq!(judge(filter), Some(true), "{filter}");
    }
    for filter in [
        "country = 'SLE'",
        "CASEI(country) = 'CÔTE D''IVOIRE'",
        "severity = 4 AND FALSE",
        "severity NOT IN (4)",
    ] {
        assert_eq!(judge(filter), Some(false), "{filter}");
    }
}

#[test]
fn places_meet_geometries_of_every_kind() {
    for shape in [
        "POINT(-10.97 8.64)",
        "POINT Z (-10.97 8.64 12)",
        "point(-10.97 8.64 12)",
        "BBOX(-11,8,-10,9)",
        "BBOX(-11,8,0,-10,9,100)",
        "BBOX(-10.97,8.64,-10.97,8.64)",
        "BBOX(170,8,-10,9)",
        "LINESTRING(-10.97 8.64, 0 0)",
        "POLYGON((-11 8, -10 8, -10 9, -11 9, -11 8))",
        "MULTIPOINT(0 0, -10.97 8.64)",
        "MULTIPOINT((0 0), (-10.97 8.64))",
        "MULTILINESTRING((0 0, 1 1), (-10.97 8.64, 5 5))",
        "MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)), ((-11 8, -10 8, -10 9, -11 9, -11 8)))",
        "GEOMETRYCOLLECTION(POINT(0 0), BBOX(-11,8,-10,9))",
    ] {
        assert_eq!(judge(&format!("S_INTERSECTS(geometry, {shape})")), Some(true), "{shape}");
        assert_eq!(
            judge(&format!("NOT s_intersects({shape}, \"geometry\")")),
            Some(false),
            "{shape}"
        );
    }
    for shape in [
        "POINT(-10.97 8.65)",
        "BBOX(-10,8,-9,9)",
        "BBOX(170,8,-11,9)",
        "POLYGON((-11 8, -10 8, -10 9, -11 9, -11 8), (-10.98 8.63, -10.96 8.63, -10.96 8.65, -10.98 8.65, -10.98 8.63))",
    ] {
        assert_eq!(judge(&format!("S_INTERSECTS(geometry,{shape})")), Some(false), "{shape}");
    }
}

#[test]
fn the_system_of_the_coordinates_is_that_of_the_filter() {
    let holds = |filter: &str, crs| parse(filter, &PROPERTIES, crs).unwrap().judge(&koidu);
    assert_eq!(holds("S_INTERSECTS(geometry, BBOX(8,-11,9,-10))", Crs::Epsg4326), Some(true));
    let mercator = "S_INTERSECTS(geometry, BBOX(-1222000,965000,-1221000,966000))";
    assert_eq!(holds(mercator, Crs::Epsg3857), Some(true));
}

#[test]
fn null_leaves_it_open() {
    let nothing = |_: usize| Value::Missing;
    for (filter, right) in [
        ("severity = 4", None),
        ("NOT severity = 4", None),
        ("severity <> 4", None),
        ("severity = 4 OR TRUE", Some(true)),
        ("severity = 4 AND FALSE", Some(false)),
        ("severity = 4 AND TRUE", None),
        ("severity IN (4) OR country LIKE '%' OR severity BETWEEN 1 AND 2", None),
        ("severity IS NULL", Some(true)),
        ("severity IS NOT NULL", Some(false)),
        ("CASEI(country) = 'x'", None),
        ("S_INTERSECTS(geometry, BBOX(-180,-90,180,90))", None),
        ("geometry IS NULL", Some(true)),
    ] {
        let expression = parse(filter, &PROPERTIES, Crs::Crs84).unwrap();
        assert_eq!(expression.judge(&nothing), right, "{filter}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn a_fault_says_where_and_what() {
    for (filter, right) in [
        ("", "at character 1: a property is missing before the end"),
        ("severity", "at character 9: a comparison is missing before the end"),
        (
            "severity =",
            "at character 11: a value is missing: the end is none, a text stands in single quotes",
        ),
        ("severity = 'x'", "at character 12: severity compares with a number"),
        (
            "country = SLE",
            "at character 11: a value is missing: SLE is none, a text stands in single quotes",
        ),
        (
            "country = \"SLE\"",
            "at character 11: a value is missing: \"SLE\" is none, a text stands in single quotes",
        ),
        ("country = 'SLE", "at character 11: the closing ' is missing"),
        ("country = 'é' AND severity ! 3", "at character 28: '!' means nothing here"),
        (
            "updated = 1",
            "at character 1: updated is no property to filter by; these are: country, severity, is_test, occurred_on, geometry",
        ),
        (
            "AVG(severity) = 1",
            "at character 1: AVG is no function here; these are: CASEI, DATE, TIMESTAMP, S_INTERSECTS, BBOX",
        ),
        (
            "severity = ACCENTI('x')",
            "at character 12: ACCENTI is no function here; these are: CASEI, DATE, TIMESTAMP, S_INTERSECTS, BBOX",
        ),
        ("(severity = 1", "at character 14: ) is missing before the end"),
        ("severity = 1)", "at character 13: AND, OR or the end is missing before )"),
        (
            "severity = 1 severity = 2",
            "at character 14: AND, OR or the end is missing before severity",
        ),
        ("severity NOT 3", "at character 14: LIKE, BETWEEN or IN is missing before 3"),
        ("severity IS 3", "at character 13: NULL is missing before 3"),
        ("severity BETWEEN 1 OR 2", "at character 20: AND is missing before OR"),
        (
            "severity IN ()",
            "at character 14: a value is missing: ) is none, a text stands in single quotes",
        ),
        ("severity LIKE '1%'", "at character 15: LIKE compares a text with a pattern in quotes"),
        ("CASEI(severity) = 1", "at character 1: CASEI takes a text, and severity is none"),
        ("is_test > FALSE", "at character 1: is_test is TRUE or FALSE: it has no order"),
        ("geometry = 1", "at character 1: geometry is asked by S_INTERSECTS or IS NULL"),
        ("1 = geometry", "at character 1: geometry compares with a geometry"),
        ("S_INTERSECTS(country, POINT(1 1))", "at character 14: country is no geometry"),
        (
            "S_INTERSECTS(geometry, CIRCLE(1))",
            "at character 24: a geometry is missing: POINT, LINESTRING, POLYGON, one of several or BBOX",
        ),
        ("S_INTERSECTS(geometry, POINT(1))", "at character 31: a number is missing before )"),
        (
            "S_INTERSECTS(geometry, POINT(181 1))",
            "at character 30: 181 1 lies off the map of http://www.opengis.net/def/crs/OGC/1.3/CRS84",
        ),
        (
            "S_INTERSECTS(geometry, BBOX(1,2,3))",
            "at character 28: a BBOX has four numbers, or six with heights",
        ),
        (
            "S_INTERSECTS(geometry, BBOX(1,3,2,2))",
            "at character 28: the south of a BBOX lies south of its north",
        ),
        (
            "S_INTERSECTS(geometry, POLYGON((1 1, 2 2, 1 1)))",
            "at character 32: 4 positions at least are needed here",
        ),
        ("severity = 1e999", "at character 12: 1e999 is no number"),
        ("severity = 1x", "at character 12: 1x is no number"),
    ] {
        assert_eq!(fault(filter), right, "{filter}");
    }
    for filter in [
        "occurred_on = DATE('2024-02-30')",
        "occurred_on = 'March'",
        "occurred_on > TIMESTAMP('2024-03-05T12:00:00Z')",
    ] {
        assert!(fault(filter).contains("a day is written DATE('2024-03-05')"), "{filter}");
    }
}

#[test]
fn depth_and_length_have_an_end() {
    let nested = |depth: usize| format!("{}severity = 4{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(judge(&nested(MAX_DEPTH)), Some(true));
    assert!(fault(&nested(MAX_DEPTH + 1)).ends_with("nested deeper than 40"));
    assert!(fault(&format!("{}TRUE", "NOT ".repeat(10_00))).ends_with("nested deeper than 40"));
    let collections = format!("S_INTERSECTS(geometry, {}", "GEOMETRYCOLLECTION(".repeat(700));
    assert!(fault(&collections).ends_with("nested deeper than 40"));
    assert!(fault(&"CASEI(".repeat(1_000)).ends_with("nested deeper than 40"));
    let long = vec!["severity = 4"; 1_200].join(" OR ");
    assert!(long.len() > MAX_CHARS);
    assert!(fault(&long).ends_with("at most 16000 characters"));
}

#[test]
fn patterns_that_could_take_for_ever_do_not() {
    let pattern = Pattern::parse(&"%a".repeat(2_000));
    assert!(!pattern.fits(&"a".repeat(1_999)));
    assert!(Pattern::parse(r"100\% \_ \\").fits(r"100% _ \"));
    assert!(
        !Pattern::parse("").fits("a")
            && Pattern::parse("%%").fits("")
            && !Pattern::parse("_").fits("")
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is sent is read or refused, at a place within it.
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        if let Err(fault) = parse(&text, &PROPERTIES, Crs::Crs84) {
            prop_assert!(fault.at <= text.chars().count() + 1, "{fault:?}");
        }
    }

    /// The same for texts of words that mean something, which get further into it.
    #[test]
    fn any_words_are_read_or_refused(words in prop::collection::vec(prop::sample::select(WORDS), 0..25), crs in prop::sample::select(&Crs::ALL[..])) {
        let text = words.join(" ");
        match parse(&text, &PROPERTIES, crs) {
            Ok(expression) => {
                let twice = format!("NOT (NOT ({text}))");
                let twice = parse(&twice, &PROPERTIES, crs).unwrap();
                prop_assert_eq!(expression.judge(&koidu), twice.judge(&koidu));
            }
            Err(fault) => prop_assert!(fault.at <= text.chars().count() + 1, "{:?}", fault),
        }
    }
}

const WORDS: &[&str] = &[
    "country",
    "severity",
    "geometry",
    "occurred_on",
    "is_test",
    "=",
    "<>",
    "<",
    ">=",
    "(",
    ")",
    ",",
    "AND",
    "OR",
    "NOT",
    "IS",
    "NULL",
    "LIKE",
    "BETWEEN",
    "IN",
    "TRUE",
    "FALSE",
    "CASEI",
    "DATE",
    "TIMESTAMP",
    "S_INTERSECTS",
    "BBOX",
    "POINT",
    "POLYGON",
    "MULTIPOINT",
    "GEOMETRYCOLLECTION",
    "LINESTRING",
    "Z",
    "'a'",
    "'%'",
    "'2024-03-05'",
    "1",
    "-10.5",
    "8",
    "91",
    "\"country\"",
    "'",
    "\"",
    "\\",
    "severity = 4",
    "country = 'x'",
    "(1 1)",
    "POINT(1 1)",
];
