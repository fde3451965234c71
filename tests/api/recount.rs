//! C38: for any filter, the list, the count and a recount in SQL are one number, and the cells add up.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::harness::{Client, TestApp};
use sentinelle::aggregates::query::By;

const N_REPORTS: usize = 150;
const N_FILTERS: u32 = 250;
const STATUSES: [&str; 6] =
    ["received", "in_review", "needs_information", "verified", "rejected", "withdrawn"];
const CODES: [&str; 5] = [
    "rights.life_integrity.killing",
    "rights.life_integrity.assault_injury",
    "rights.land_displacement.forced_eviction",
    "environment.industrial_pollution.water_contaminated_industrial",
    "governance.transparency.revenue_data_withheld",
];
const ACTORS: [&str; 2] = ["private_security", "state_army"];
const MODES: [&str; 2] = ["industrial", "artisanal"];

fn report() -> impl Strategy<Value = Value> {
    let place = select(vec![
        json!({"country": "SLE", "lat": 8.644, "lon": -10.971}),
        json!({"country": "SLE", "lat": 7.8769, "lon": -11.1903}),
        json!({"country": "COD", "lat": -6.136, "lon": 23.5898}),
        // A lost minus sign: a mismatch.
        json!({"country": "COD", "lat": 6.4162, "lon": 20.8}),
        json!({"country": "CAF", "lat": 4.3612, "lon": 18.555}),
        json!({"country": "ZWE", "lat": -19.6, "lon": 32.35}),
        json!({"country": "GIN"}),
    ]);
    let occurred = prop_oneof![
        6 => (1..=31_u8).prop_map(|day| json!(format!("2024-03-{day:02}"))),
        2 => select(vec![json!("2024-02"), json!("2024-03"), json!("2023"),
            json!("2024-02-27/2024-03-04")]),
        1 => Just(Value::Null),
    ];
    let codes = proptest::sample::subsequence(CODES.to_vec(), 1..=3);
    let actors = proptest::sample::subsequence(ACTORS.to_vec(), 0..=2);
    let killed =
        prop_oneof![Just(Value::Null), (0..4_u8).prop_map(|n| json!({"min": n, "max": n + 1}))];
    let mode = prop_oneof![Just(Value::Null), select(MODES.to_vec()).prop_map(|mode| json!(mode))];
    (place, occurred, codes, actors, killed, mode, prop::bool::weighted(0.1)).prop_map(
        |(location, occurred, codes, actors, killed, mode, is_test)| {
            let mut report = json!({"location": location, "categories": codes, "test": is_test,
                "narrative": uuid::Uuid::new_v4(),
                "actors": actors.iter().map(|actor| json!({"type": actor})).collect::<Vec<_>>()});
            for (name, value) in [("occurred", occurred), ("mining_mode", mode)] {
                if !value.is_null() {
                    report[name] = value;
                }
            }
            if !killed.is_null() {
                report["harm"] = json!({ "killed": killed });
            }
            report
        },
    )
}

/// A condition as query parameters and, written apart from the product, as SQL.
#[derive(Debug, Clone, Default)]
struct Condition {
    query: Vec<String>,
    sql: Vec<String>,
}

fn list(values: &[&str]) -> String {
    values.iter().map(|value| format!("'{value}'")).collect::<Vec<_>>().join(",")
}

fn condition(name: &'static str, values: &[&'static str], sql: String) -> Condition {
    Condition { query: vec![format!("{name}={}", values.join(","))], sql: vec![sql] }
}

fn some_of(values: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(values.to_vec(), 1..=2)
}

fn one_condition() -> impl Strategy<Value = Condition> {
    const COUNTRIES: [&str; 5] = ["SLE", "COD", "CAF", "ZWE", "GIN"];
    const PARENTS: [&str; 5] = [
        "rights",
        "environment",
        "rights.life_integrity",
        "governance.transparency",
        "rights.life_integrity.killing",
    ];
    prop_oneof![
        some_of(&COUNTRIES).prop_map(|values| {
            condition("country", &values, format!("f.country IN ({})", list(&values)))
        }),
        Just(condition("region", &["west"], "f.country IN ('SLE','LBR','GIN','CIV')".into())),
        some_of(&PARENTS).prop_map(|values| {
            let like: Vec<String> = values
                .iter()
                .map(|value| format!("c.code = '{value}' OR c.code LIKE '{value}.%'"))
                .collect();
            let sql = format!("EXISTS (SELECT 1 FROM incident_categories c WHERE c.incident_id = i.id AND ({}))", like.join(" OR "));
            condition("category", &values, sql)
        }),
        some_of(&ACTORS).prop_map(|values| {
            let sql = format!("EXISTS (SELECT 1 FROM incident_actors a WHERE a.incident_id = i.id AND a.actor_type IN ({}))", list(&values));
            condition("actor", &values, sql)
        }),
        some_of(&MODES).prop_map(|values| {
            condition("mining_mode", &values, format!("f.mining_mode IN ({})", list(&values)))
        }),
        Just(condition("mapped", &["true"], "f.cell5 IS NOT NULL".into())),
        Just(condition("mapped", &["false"], "f.cell5 IS NULL".into())),
        Just(condition("severity", &["4", "5"], "f.severity IN (4,5)".into())),
        Just(condition("channel", &["api"], "' ' || f.channels || ' ' LIKE '% api %'".into())),
        Just(condition("channel", &["sms"], "' ' || f.channels || ' ' LIKE '% sms %'".into())),
        Just(condition("flag", &["near_border"], "' ' || f.flags || ' ' LIKE '% near_border %'".into())),
    ]
}

#[derive(Debug, Clone)]
struct Question {
    /// Filters that do not decide what is excluded.
    others: Vec<Condition>,
    statuses: Vec<&'static str>,
    days: Option<(u8, u8)>,
    include_test: bool,
    include_mismatch: bool,
    by: Vec<&'static str>,
}

fn question() -> impl Strategy<Value = Question> {
    (
        vec(one_condition(), 0..3),
        proptest::sample::subsequence(STATUSES.to_vec(), 0..=3),
        prop::option::of((1..=20_u8, 0..=11_u8).prop_map(|(from, more)| (from, from + more))),
        any::<bool>(),
        any::<bool>(),
        proptest::sample::subsequence(By::ALL.map(By::as_str).to_vec(), 0..=3),
    )
        .prop_map(|(mut others, statuses, days, include_test, include_mismatch, by)| {
            // The same name twice would be OR.
            let mut names = std::collections::BTreeSet::new();
            others
                .retain(|other| names.insert(other.query[0].split('=').next().map(str::to_owned)));
            Question { others, statuses, days, include_test, include_mismatch, by }
        })
}

impl Question {
    fn query(&self) -> String {
        let mut parts: Vec<String> =
            self.others.iter().flat_map(|other| other.query.clone()).collect();
        if !self.statuses.is_empty() {
            parts.push(format!("status={}", self.statuses.join(",")));
        }
        if let Some((from, to)) = self.days {
            parts.push(format!("from=2024-03-{from:02}&to=2024-03-{to:02}"));
        }
        parts.extend(self.include_test.then(|| "include=test".to_owned()));
        parts.extend(self.include_mismatch.then(|| "include=mismatch".to_owned()));
        parts.join("&")
    }

    fn others(&self) -> String {
        let parts = self.others.iter().flat_map(|other| other.sql.clone());
        parts.chain(["1 = 1".to_owned()]).collect::<Vec<_>>().join(" AND ")
    }

    /// Wholly inside the period.
    fn inside(&self) -> String {
        self.days.map_or("1 = 1".to_owned(), |(from, to)| {
            format!("f.first_day >= '2024-03-{from:02}' AND f.last_day <= '2024-03-{to:02}'")
        })
    }

    /// Not wholly outside the period.
    fn touching(&self) -> String {
        self.days.map_or("1 = 1".to_owned(), |(from, to)| {
            format!(
                "(f.first_day IS NULL OR (f.last_day >= '2024-03-{from:02}' AND f.first_day <= '2024-03-{to:02}'))"
            )
        })
    }

    /// Left in by status, test, merge and mismatch.
    fn kept(&self) -> String {
        let statuses = if self.statuses.is_empty() { &["verified"][..] } else { &self.statuses };
        let mut parts =
            vec![format!("i.status IN ({})", list(statuses)), "i.merged_into IS NULL".to_owned()];
        parts.extend((!self.include_test).then(|| "NOT f.is_test".to_owned()));
        parts.extend((!self.include_mismatch).then(|| "NOT f.is_mismatch".to_owned()));
        parts.join(" AND ")
    }
}

#[derive(QueryableByName)]
struct Recount {
    #[diesel(sql_type = BigInt)]
    incidents: i64,
    #[diesel(sql_type = BigInt)]
    killed: i64,
}

fn recount(app: &TestApp, conditions: &[String]) -> Recount {
    let condition = conditions.join(" AND ");
    let sql = format!(
        "SELECT COUNT(*) AS incidents, CAST(COALESCE(SUM(h.min_count), 0) AS BIGINT) AS killed \
         FROM incidents i JOIN incident_facts f ON f.incident_id = i.id \
         LEFT JOIN incident_harm h ON h.incident_id = i.id AND h.measure = 'killed' AND h.sex_age = '' \
         WHERE {condition}"
    );
    let found = app.context.db.read_here(|conn| Ok(sql_query(sql).get_result(conn)?));
    found.expect("a recount")
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

fn check(app: &TestApp, reviewer: &Client, question: &Question) {
    let query = question.query();
    let by = question.by.join(",");
    let answer = reviewer.get(&format!("/v1/aggregates?by={by}&{query}")).expect(200).json();
    let total = number(&answer["total"]["incidents"]);
    let right = recount(app, &[question.others(), question.inside(), question.kept()]);
    assert_eq!(total, right.incidents, "{query}");
    assert_eq!(number(&answer["total"]["killed"]["min"]), right.killed, "{query}");

    let mut n_rows = 0;
    let mut path = format!("/v1/incidents?limit=40&{query}");
    loop {
        let page = reviewer.get(&path).expect(200).json();
        assert_eq!(number(&page["total"]), total, "the list: {query}");
        n_rows += page["items"].as_array().map_or(0, Vec::len);
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/incidents?limit=40&{query}&cursor={next}");
    }
    assert_eq!(i64::try_from(n_rows), Ok(total), "rows over all pages: {query}");

    let reconciliation = &answer["reconciliation"];
    if !question.by.is_empty() {
        let cells = answer["cells"].as_array().cloned().unwrap_or_default();
        let sum: i64 = cells.iter().map(|cell| number(&cell["incidents"])).sum();
        assert_eq!(sum - number(&reconciliation["overlap"]), total, "by={by}&{query}");
    }
    let excluded = &reconciliation["excluded"];
    let by_status = excluded["by_status"].as_object().cloned().unwrap_or_default();
    let left_out = by_status.values().map(number).sum::<i64>()
        + ["merged", "test", "mismatch"].map(|name| number(&excluded[name])).iter().sum::<i64>();
    let inside = recount(app, &[question.others(), question.inside()]);
    assert_eq!(total + left_out, inside.incidents, "total + excluded = all inside: {query}");
    let dateless = number(&reconciliation["straddling"]) + number(&reconciliation["undated"]);
    let kept = recount(app, &[question.others(), question.touching(), question.kept()]);
    assert_eq!(total + dateless, kept.incidents, "total + straddling + undated: {query}");
}

#[test]
fn any_filter_gives_one_number_in_list_count_and_recount() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let config = Config { cases: N_FILTERS, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let seeds = vec((report(), select(STATUSES.to_vec())), N_REPORTS);
    let seeds = seeds.new_tree(&mut runner).expect("reports").current();
    for (report, status) in seeds {
        let submitted = monitor.submit(&report);
        if status != "received" {
            let decision = json!({"status": status, "reason": "for the test"});
            let answer = reviewer.decide(&submitted["incident"], &decision);
            assert!([200, 422].contains(&answer.status), "a mismatch may not be verified");
        }
    }

    let checked = runner.run(&question(), |question| {
        check(&app, &reviewer, &question);
        Ok(())
    });

    if let Err(error) = checked {
        unreachable!("{error}");
    }
}
