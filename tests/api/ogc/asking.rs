//! The same filters as lists and counts: the same numbers.

use crate::ogc::{encode, items, march, matched};

#[test]
fn counts_are_those_of_the_aggregates_for_every_filter() {
    let (_app, analyst, _) = march();
    for query in [
        "",
        "status=all",
        "status=received",
        "status=received,rejected",
        "from=2024-03-01&to=2024-03-31",
        "from=2024-03-05&to=2024-03-20",
        "from=2024-03&to=2024-03&status=all",
        "country=SLE",
        "country=SLE,COD&status=all",
        "country=sl",
        "region=west",
        "region=central&status=all",
        "theme=rights",
        "category=rights.life_integrity",
        "category=environment.industrial_pollution.water_contaminated_industrial",
        "theme=rights,environment&status=all",
        "valence=negative",
        "valence=good_practice",
        "severity=4,5",
        "severity=5&status=all",
        "channel=api",
        "channel=sms",
        "precision=exact",
        "mapped=true",
        "mapped=false",
        "flag=country_mismatch&include=mismatch&status=all",
        "include=test,mismatch&status=all",
        "actor=state_security",
        "site_distance=none",
    ] {
        let counted = analyst.get(&format!("/v1/aggregates?{query}"));
        let path = format!("{}?{query}", crate::ogc::ITEMS);
        let mapped = analyst.get(&path);
        assert_eq!(mapped.status, counted.status, "{query}: {}", mapped.text());
        if counted.status == 200 {
            assert_eq!(
                mapped.json()["numberMatched"],
                counted.json()["total"]["incidents"],
                "{query}"
            );
        }
    }
}

#[test]
fn a_filter_counts_what_the_same_filter_of_lists_does() {
    let (_app, analyst, _) = march();
    for (filter, query) in [
        ("country = 'SLE'", "country=SLE"),
        ("country IN ('SLE','COD')", "country=SLE,COD"),
        ("status IN ('received','rejected')", "status=received,rejected"),
        ("region = 'west'", "region=west"),
        ("severity >= 4", "severity=4,5"),
        ("categories LIKE '%rights.life_integrity.%'", "category=rights.life_integrity"),
        ("themes LIKE '%environment%'", "theme=environment"),
        ("geometry IS NULL", "mapped=false"),
        ("S_INTERSECTS(geometry, BBOX(-14,6,-10,10))", "bbox=-14,6,-10,10"),
        (
            "occurred_on >= DATE('2024-03-05') AND occurred_on <= DATE('2024-03-20')",
            "from=2024-03-05&to=2024-03-20",
        ),
        ("precision = 'exact'", "precision=exact"),
        ("channels = 'api'", "channel=api"),
    ] {
        let counted = analyst.get(&format!("/v1/aggregates?{query}")).expect(200).json();
        let found = matched(&analyst, &format!("filter={}", encode(filter)));
        assert_eq!(counted["total"]["incidents"], found, "{filter}");
    }
}

#[test]
fn datetime_is_the_period_of_counts_with_what_they_leave_beside() {
    let (_app, analyst, _) = march();
    for (from, to) in
        [("2024-03-05", "2024-03-20"), ("2024-03-01", "2024-03-31"), ("2024-02-01", "2024-03-10")]
    {
        let counted =
            analyst.get(&format!("/v1/aggregates?from={from}&to={to}")).expect(200).json();
        let number = |name: &str| counted["reconciliation"][name].as_u64().expect("a number");
        let right = counted["total"]["incidents"].as_u64().expect("a number")
            + number("straddling")
            + number("undated");
        assert_eq!(matched(&analyst, &format!("datetime={from}/{to}")), right, "{from}/{to}");
    }
}

#[test]
fn a_box_here_holds_what_a_box_of_lists_does_and_what_has_no_place() {
    let (_app, analyst, _) = march();
    let unmapped = matched(&analyst, "mapped=false");
    for bbox in ["-14,6,-10,10", "-180,-90,180,90", "20,-35,35,-15", "0,0,1,1"] {
        let counted = analyst.get(&format!("/v1/aggregates?bbox={bbox}")).expect(200).json();
        let right = counted["total"]["incidents"].as_u64().expect("a number") + unmapped;
        assert_eq!(matched(&analyst, &format!("bbox={bbox}")), right, "{bbox}");
    }
}

#[test]
fn what_changes_is_seen_at_once_with_a_greater_number() {
    let (app, analyst, submitted) = march();
    let id = submitted["R7"]["incident"].as_str().expect("an id").to_owned();
    let updated = || {
        let path = format!("{}/{id}", crate::ogc::ITEMS);
        analyst.get(&path).expect(200).json()["properties"]["updated"].as_i64().expect("a number")
    };
    let before = updated();
    assert_eq!(items(&analyst, "")["numberMatched"], 8);
    app.reviewer().set_status(&submitted["R7"]["incident"], "verified");
    assert_eq!(items(&analyst, "")["numberMatched"], 9);
    assert!(updated() > before);
}
