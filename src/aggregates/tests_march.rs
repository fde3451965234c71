//! The totals of March 2024 and the cases around them, value by value.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::aggregates::answer::{Aggregate, Excluded, HarmFigure};
use crate::aggregates::cells::{format, parent_at};
use crate::aggregates::fixture::{
    March, ask, ask_as, bare, filter, harm, march, note, reference, span,
};
use crate::aggregates::query::{By, Query, Rights, Scope, Selector};
use crate::incidents::facts::{DatePrecision, HarmRange, IncidentFacts, Status};

const MARCH: &str = "from=2024-03-01&to=2024-03-31";

/// Returns the cells above zero as `key:incidents`, keys joined by a slash.
fn cells(answer: &Aggregate) -> Vec<String> {
    let counted = answer.cells.iter().filter(|cell| cell.figures.incidents > 0);
    let name = |keys: &[(By, Option<Arc<str>>)]| {
        let keys: Vec<&str> =
            keys.iter().map(|(_, key)| key.as_deref().unwrap_or("null")).collect();
        keys.join("/")
    };
    counted.map(|cell| format!("{}:{}", name(&cell.keys.0), cell.figures.incidents)).collect()
}

fn exactly(number: u64, stated: u64) -> HarmFigure {
    HarmFigure { min: number, max: number, stated }
}

fn ids(march: &March, query: &str) -> Vec<i64> {
    let (columns, filter) = (march.columns(), filter(query));
    let selector =
        Selector::new(&filter, &Scope::All, Rights::default(), columns.reference()).unwrap();
    let selection = columns.select(&selector, None, 100);
    assert_eq!(selection.total, u64::try_from(selection.ids.len()).unwrap());
    assert_eq!(selection.total, ask(march, query, "").total.incidents, "list and count agree");
    selection.ids
}

#[test]
fn march_counts_eight_incidents() {
    let answer = ask(&march(), MARCH, "");

    assert_eq!((answer.total.incidents, answer.total.reports), (8, 8));
    assert_eq!(
        (answer.total.harm.killed, answer.total.harm.injured),
        (Some(exactly(2, 1)), Some(exactly(4, 2)))
    );
    assert_eq!(answer.total.harm.detained, None, "unknown is not 0");
    assert_eq!((answer.reconciliation.sum_of_cells, answer.reconciliation.overlap), (8, 0));
    assert_eq!(
        (
            answer.reconciliation.mapped,
            answer.reconciliation.unmapped,
            answer.reconciliation.imprecise
        ),
        (7, 1, 1)
    );
    let by_status = [("received", 2), ("rejected", 1), ("withdrawn", 1)]
        .map(|(status, count)| (status.to_owned(), count));
    assert_eq!(
        answer.reconciliation.excluded,
        Excluded { by_status: by_status.into(), ..Excluded::default() }
    );
    assert!(answer.cells.is_empty());
}

#[test]
fn a_merged_incident_is_left_out_and_its_report_counts_with_the_survivor() {
    let mut facts = march();
    facts.change(2, |facts| facts.is_merged = true);
    facts.change(1, |facts| facts.reports = 2);

    let answer = ask(&facts, MARCH, "");

    assert_eq!(
        (answer.total.incidents, answer.total.reports, answer.total.harm.killed),
        (8, 9, Some(exactly(2, 1)))
    );
    let excluded = answer.reconciliation.excluded;
    assert_eq!((excluded.merged, excluded.by_status["received"]), (1, 1));
}

#[test]
fn march_by_country_lists_all_ten_with_zeros() {
    let answer = ask(&march(), MARCH, "country");

    let listed: Vec<String> = answer
        .cells
        .iter()
        .map(|cell| format!("{}:{}", cell.keys.get(By::Country).unwrap(), cell.figures.incidents))
        .collect();
    assert_eq!(
        listed,
        ["BWA:0", "ZWE:1", "LSO:1", "COD:2", "CMR:0", "CAF:1", "SLE:2", "LBR:0", "GIN:1", "CIV:0"]
    );
    assert_eq!(answer.scope.len(), 10);
}

#[test]
fn march_by_region_lists_all_three() {
    assert_eq!(cells(&ask(&march(), MARCH, "region")), ["southern:2", "central:3", "west:3"]);
    let empty = ask(&march(), "from=2023-01&to=2023-01", "region");
    assert_eq!(empty.cells.len(), 3);
}

#[test]
fn c31_an_incident_in_two_categories_is_in_both_cells_and_once_in_the_total() {
    let themes = ask(&march(), MARCH, "theme");
    let categories = ask(&march(), MARCH, "category");

    assert_eq!(cells(&themes), ["environment:1", "governance:1", "rights:7"]);
    assert_eq!(
        cells(&categories),
        [
            "environment.industrial_pollution:1",
            "governance.transparency:1",
            "rights.land_displacement:1",
            "rights.life_integrity:4",
            "rights.smuggling_illicit_trade:2"
        ]
    );
    let reconciliation = categories.reconciliation;
    assert_eq!(
        (reconciliation.sum_of_cells, categories.total.incidents, reconciliation.overlap),
        (9, 8, 1)
    );
    assert_eq!(reconciliation.overlap_by_measure.reports, 1);
    assert_eq!(reconciliation.overlap_by_measure.harm.killed, Some(exactly(0, 0)));
    assert_eq!(reconciliation.overlap_by_measure.harm.missing, None);
}

#[test]
fn people_of_an_incident_in_two_cells_overlap_too() {
    let mut facts = march();
    facts.change(5, |facts| facts.harm = harm(Some(3), None));

    let answer = ask(&facts, MARCH, "theme");

    assert_eq!(answer.reconciliation.overlap_by_measure.harm.killed, Some(exactly(3, 1)));
}

#[test]
fn c18_a_month_is_no_day() {
    let days = ask(&march(), MARCH, "day");
    let months = ask(&march(), MARCH, "month");

    assert_eq!(
        cells(&days),
        [
            "2024-03-01:1",
            "2024-03-05:1",
            "2024-03-15:1",
            "2024-03-20:1",
            "2024-03-21:1",
            "2024-03-25:1",
            "2024-03-31:1",
            "null:1"
        ]
    );
    assert_eq!(cells(&months), ["2024-03:8"]);
    assert_eq!(days.reconciliation.imprecise, 1);
    assert_eq!(cells(&ask(&march(), "country=CAF", "week")), ["null:1"]);
    assert_eq!(cells(&ask(&march(), "country=CAF", "quarter")), ["2024-Q1:1"]);
}

#[test]
fn c33_a_withdrawn_incident_leaves_every_number_and_returns() {
    let mut facts = march();
    facts.change(9, |facts| facts.status = Status::Withdrawn);

    let without = ask(&facts, MARCH, "country,day");
    facts.change(9, |facts| facts.status = Status::Verified);
    let with = ask(&facts, MARCH, "country,day");

    assert_eq!((without.total.incidents, without.total.harm.injured), (7, Some(exactly(3, 1))));
    assert!(
        !cells(&without).iter().any(|cell| cell.starts_with("ZWE") || cell.contains("2024-03-20"))
    );
    assert_eq!((with.total.incidents, with), (8, ask(&march(), MARCH, "country,day")));
}

#[test]
fn c35_an_incident_without_a_place_counts_as_unmapped() {
    for (query, expected, reason) in [
        ("country=GIN", (1, 0, 1), "R12 has no location"),
        ("country=SLE", (2, 2, 0), "R1 and R3 have one"),
        ("mapped=false", (1, 0, 1), "only R12 has none"),
        ("mapped=true", (7, 7, 0), "all others"),
    ] {
        let answer = ask(&march(), query, "");
        assert_eq!(
            (answer.total.incidents, answer.reconciliation.mapped, answer.reconciliation.unmapped),
            expected,
            "{reason}"
        );
    }
}

#[test]
fn c36_categories_select_their_children_in_list_and_count() {
    for (query, expected) in [
        ("category=rights.life_integrity&country=SLE", vec![1]),
        ("category=rights.life_integrity,rights.smuggling_illicit_trade&country=SLE", vec![3, 1]),
        (
            "category=rights.life_integrity,rights.land_displacement&from=2024-03-01&to=2024-03-15",
            vec![5, 4, 1],
        ),
        ("category=rights.life_integrity.killing", vec![1]),
    ] {
        assert_eq!(ids(&march(), query), expected, "{query}");
    }
}

#[test]
fn every_filter_selects_its_rows() {
    let mut facts = march();
    facts.change(1, |facts| {
        facts.severity = Some(5);
        facts.channels = &["sms", "web"];
        facts.mining_mode = Some("artisanal");
        facts.actors = &["private_security", "unknown"];
        facts.site_distance = Some("under_1_km");
        facts.flags = &["near_border"];
        facts.admin2 = Some("SLE-kono");
    });
    facts.change(10, |facts| {
        facts.categories = &["governance.transparency.revenue_data_disclosed"];
    });
    for (query, expected) in [
        ("severity=4,5", vec![1]),
        ("channel=sms", vec![1]),
        ("channel=web,odk", vec![1]),
        ("mining_mode=artisanal", vec![1]),
        ("actor=unknown,state_army", vec![1]),
        ("site_distance=under_1_km", vec![1]),
        ("flag=near_border", vec![1]),
        ("admin1=SL-E,SL-S", vec![3, 1]),
        ("admin2=SLE-kono", vec![1]),
        ("region=west", vec![12, 3, 1]),
        ("region=west&country=SLE", vec![3, 1]),
        ("valence=good_practice", vec![10]),
        ("precision=country", vec![12]),
        ("bbox=-11,8,-10,9", vec![1]),
        ("bbox=-10.971,8.644,-10.971,8.644", vec![1]),
        ("status=received", vec![7, 2]),
        ("status=received,verified&country=SL", vec![3, 2, 1]),
        ("status=all&country=CMR", vec![8]),
    ] {
        assert_eq!(ids(&facts, query), expected, "{query}");
    }
}

#[test]
fn cells_are_found_by_their_parents() {
    let cell5 = march().0[0].cell5.unwrap();
    let at = |resolution| format(parent_at(cell5, resolution).unwrap());

    assert_eq!(ids(&march(), &format!("h3={}", at(5))), [1]);
    assert_eq!(ids(&march(), &format!("h3={}&status=all", at(3))), [2, 1]);
    assert_eq!(cells(&ask(&march(), "country=SLE", "h3")).len(), 2);
}

#[test]
fn fine_cells_and_sites_are_filtered_by_those_who_may() {
    let facts = march();
    let cell7 = format(facts.0[0].cell7.unwrap());

    assert_eq!(ask(&facts, &format!("h3={cell7}"), "").total.incidents, 1);
    assert_eq!(ask(&facts, "site=koidu&status=all", "").total.incidents, 2);
    assert_eq!(cells(&ask(&facts, "", "site")), ["koidu:1", "null:7"]);
}

#[test]
fn a_span_across_an_edge_straddles_and_a_missing_one_is_undated() {
    let mut facts = march();
    facts.0.push(IncidentFacts {
        span: Some(span("2024-03-25", "2024-04-02", DatePrecision::Range)),
        ..bare(13, "SLE")
    });
    facts.0.push(IncidentFacts { span: None, ..bare(14, "SLE") });
    facts.0.push(IncidentFacts { span: None, status: Status::Received, ..bare(15, "SLE") });
    facts.0.push(IncidentFacts {
        span: Some(span("2024-01-01", "2024-12-31", DatePrecision::Year)),
        ..bare(16, "COD")
    });

    let inside = ask(&facts, MARCH, "month").reconciliation;
    let in_sle = ask(&facts, "from=2024-03&country=SLE", "").reconciliation;
    let all = ask(&facts, "", "month");

    assert_eq!((inside.sum_of_cells, inside.straddling, inside.undated), (8, 2, 1));
    assert_eq!(
        (in_sle.sum_of_cells, in_sle.straddling, in_sle.undated),
        (3, 0, 1),
        "open at the end, so April is inside"
    );
    assert_eq!(cells(&all), ["2024-03:8", "null:3"]);
    assert_eq!(
        (all.reconciliation.straddling, all.reconciliation.undated, all.reconciliation.imprecise),
        (0, 0, 4)
    );
}

#[test]
fn each_incident_is_left_out_for_one_reason_and_include_lifts_two() {
    let mut facts = march();
    facts.change(9, |facts| facts.is_test = true);
    facts.change(7, |facts| (facts.is_test, facts.is_mismatch) = (true, true));
    facts.change(10, |facts| facts.is_mismatch = true);
    facts.change(2, |facts| {
        (facts.is_merged, facts.is_mismatch) = (true, true);
    });
    let counts = |query: &str| {
        let answer = ask(&facts, query, "");
        let excluded = answer.reconciliation.excluded;
        let by_status: u64 = excluded.by_status.values().sum();
        assert_eq!(
            answer.total.incidents
                + excluded.test
                + excluded.merged
                + excluded.mismatch
                + by_status,
            12
        );
        (answer.total.incidents, excluded.test, excluded.merged, excluded.mismatch, by_status)
    };

    assert_eq!(counts(MARCH), (6, 2, 1, 1, 2));
    assert_eq!(counts("include=test"), (7, 0, 1, 2, 2));
    assert_eq!(counts("include=test,mismatch"), (8, 0, 1, 0, 3));
    assert_eq!(counts("include=test,mismatch&status=all"), (11, 0, 1, 0, 0));
}

#[test]
fn a_scope_shows_declared_and_computed_countries_and_nothing_else() {
    let mut facts = march();
    facts.change(5, |facts| {
        (facts.country_computed, facts.is_mismatch) = (Some("CAF"), true);
    });
    let scope = Scope::Countries(vec!["CAF".to_owned(), "CMR".to_owned()]);

    let plain = ask_as(&facts, MARCH, "country", &scope);
    let wide = ask_as(&facts, "status=all&include=mismatch", "country", &scope);

    assert_eq!(plain.scope, ["CMR", "CAF"]);
    assert_eq!(plain.cells.len(), 2);
    assert_eq!(
        (cells(&plain), plain.reconciliation.excluded.mismatch),
        (vec!["CAF:1".to_owned()], 1)
    );
    assert_eq!(cells(&wide), ["COD:1", "CMR:1", "CAF:2"]);
}

#[test]
fn a_text_search_narrows_count_and_list_alike() {
    let (columns, filter, found) = (march().columns(), filter(""), HashSet::from([1, 2, 5, 99]));
    let selector = Selector::new(&filter, &Scope::All, Rights::default(), columns.reference())
        .unwrap()
        .among(&found);

    let selection = columns.select(&selector, None, 10);

    assert_eq!((selection.ids, selection.total), (vec![5, 1], 2));
}

#[test]
fn pages_go_down_strictly_below_the_last_id() {
    let (columns, filter) = (march().columns(), filter(""));
    let selector =
        Selector::new(&filter, &Scope::All, Rights::default(), columns.reference()).unwrap();

    let first = columns.select(&selector, None, 3);
    let second = columns.select(&selector, Some(9), 3);
    let last = columns.select(&selector, Some(4), 3);

    assert_eq!((first.ids, first.total), (vec![12, 10, 9], 8));
    assert_eq!((second.ids, second.total), (vec![6, 5, 4], 8));
    assert_eq!((last.ids, last.total), (vec![3, 1], 8));
}

#[test]
fn a_wider_region_is_a_filter_and_no_bucket() {
    let facts = march();
    let mut columns = facts.columns();
    let mut reference = reference();
    for country in &mut reference.countries {
        if ["SLE", "COD"].contains(&country.alpha3.as_str()) {
            country.regions.push("international".to_owned());
        }
    }
    columns.set_reference(Arc::new(reference));
    let count = |parameters: &str| {
        let filter = filter(parameters);
        let selector =
            Selector::new(&filter, &Scope::All, Rights::default(), columns.reference()).unwrap();
        columns.aggregate(&Query::new(vec![By::Region], 5, selector).unwrap(), &note())
    };

    let all = count(MARCH);
    let wider = count(&format!("{MARCH}&region=international"));
    let empty = count("from=2023-01&to=2023-01&region=international");

    assert_eq!(cells(&all), ["southern:2", "central:3", "west:3"]);
    assert_eq!(
        (cells(&wider), wider.total.incidents),
        (vec!["central:2".to_owned(), "west:2".to_owned()], 4)
    );
    let zeros: Vec<_> = empty.cells.iter().filter_map(|cell| cell.keys.get(By::Region)).collect();
    assert_eq!(zeros, ["central", "west"]);
}

#[test]
fn a_country_in_two_regions_counts_in_both() {
    let facts = march();
    let mut columns = facts.columns();
    let mut reference = reference();
    reference.countries[3].regions.push("southern".to_owned());
    columns.set_reference(Arc::new(reference));
    let filter = filter(MARCH);
    let selector =
        Selector::new(&filter, &Scope::All, Rights::default(), columns.reference()).unwrap();
    let query = Query::new(vec![By::Region], 5, selector).unwrap();

    let answer = columns.aggregate(&query, &note());

    assert_eq!(cells(&answer), ["southern:4", "central:3", "west:3"]);
    assert_eq!((answer.total.incidents, answer.reconciliation.overlap), (8, 2));
}

#[test]
fn facts_are_replaced_and_forgotten() {
    let facts = march();
    let mut columns = facts.columns();

    facts.0.iter().rev().for_each(|facts| columns.upsert(facts));
    assert_eq!(columns.len(), 12);
    assert!(columns.remove(1) && !columns.remove(1) && !columns.remove(99));

    let filter = filter(MARCH);
    let selector =
        Selector::new(&filter, &Scope::All, Rights::default(), columns.reference()).unwrap();
    assert_eq!(columns.select(&selector, None, 9).ids, [12, 10, 9, 6, 5, 4, 3]);
    assert!(columns.memory_bytes() > 0 && !columns.is_empty());
}

#[test]
fn ranges_add_up_as_minima_and_maxima() {
    let mut facts = march();
    facts.change(3, |facts| {
        facts.harm[0] = Some(HarmRange { min: 0, max: 5 });
    });

    let killed = ask(&facts, MARCH, "").total.harm.killed;

    assert_eq!(killed, Some(HarmFigure { min: 2, max: 7, stated: 2 }));
}

#[test]
fn the_answer_looks_as_documented() {
    let mut facts = march();
    facts.change(1, |facts| facts.severity = Some(5));

    let body = serde_json::to_value(ask(
        &facts,
        &format!("{MARCH}&category=rights.life_integrity.killing"),
        "country,severity,day",
    ))
    .unwrap();

    let none: serde_json::Map<String, Value> = [
        "injured",
        "missing",
        "detained",
        "displaced",
        "sexual_violence_survivors",
        "affected_total",
    ]
    .map(|m| (m.to_owned(), Value::Null))
    .into_iter()
    .collect();
    let with = |first: Value| -> Value {
        let mut object = first.as_object().unwrap().clone();
        object.extend(none.clone());
        Value::Object(object)
    };
    assert_eq!(
        body,
        json!({
            "by": ["country", "severity", "day"],
            "filters": {"from": "2024-03-01", "to": "2024-03-31", "category": ["rights.life_integrity.killing"], "status": ["verified"]},
            "cells": [with(json!({"country": "SLE", "severity": 5, "day": "2024-03-05", "incidents": 1, "reports": 1,
                "killed": {"min": 2, "max": 2, "stated": 1}}))],
            "total": with(json!({"incidents": 1, "reports": 1, "killed": {"min": 2, "max": 2, "stated": 1}})),
            "reconciliation": {"sum_of_cells": 1, "overlap": 0,
                "overlap_by_measure": with(json!({"reports": 0, "killed": {"min": 0, "max": 0, "stated": 0}})),
                "mapped": 1, "unmapped": 0, "imprecise": 0, "straddling": 0, "undated": 0,
                "excluded": {"by_status": {"received": 1}, "merged": 0, "test": 0, "mismatch": 0}},
            "scope": ["BWA", "ZWE", "LSO", "COD", "CMR", "CAF", "SLE", "LBR", "GIN", "CIV"],
            "coverage": "fifteen organisations",
            "as_of": 4711
        })
    );
}
