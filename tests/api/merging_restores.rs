//! Merge and split restore every number: random merges, splits and decisions on one application, the decisions alone on
//! a twin. Once all is apart again, both count the same; in between, counts agree with a model and a recount in SQL.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::counts::count;
use crate::harness::{Client, TestApp};
use crate::merging::{merge, split};

const N_CASES: u32 = 8;
const N_REPORTS: usize = 6;
const STATUSES: [&str; 5] = ["in_review", "verified", "rejected", "disputed", "unverifiable"];
const CODES: [&str; 4] = [
    "rights.life_integrity.killing",
    "rights.land_displacement.forced_eviction",
    "environment.industrial_pollution.water_contaminated_industrial",
    "governance.transparency.revenue_data_withheld",
];
/// Together they show every column that a merge can change.
const QUERIES: [&str; 8] = [
    "by=country,category,month&status=all",
    "by=subcategory,status&status=all",
    "by=day,severity&status=all",
    "by=h3,channel&status=all",
    "by=actor,mining_mode&status=all",
    "by=admin1,status&status=all&include=test,mismatch",
    "by=country",
    "by=category&from=2024-03-01&to=2024-03-15",
];

#[derive(Debug, Clone)]
enum Step {
    /// Into the first, the others.
    Merge(usize, Vec<usize>),
    /// Reports to send home from where they are.
    Split(Vec<usize>),
    /// A status and categories.
    Decide(usize, &'static str, Vec<&'static str>),
}

fn step() -> impl Strategy<Value = Step> {
    let some = || subsequence((0..N_REPORTS).collect::<Vec<_>>(), 1..=3);
    prop_oneof![
        4 => (0..N_REPORTS, some()).prop_map(|(into, others)| Step::Merge(into, others)),
        3 => some().prop_map(Step::Split),
        3 => (0..N_REPORTS, select(STATUSES.to_vec()), subsequence(CODES.to_vec(), 1..=2))
            .prop_map(|(one, status, codes)| Step::Decide(one, status, codes)),
    ]
}

fn report() -> impl Strategy<Value = Value> {
    let place = select(vec![
        json!({"country": "SLE", "lat": 8.644, "lon": -10.971}),
        json!({"country": "SLE", "lat": 7.8769, "lon": -11.1903}),
        json!({"country": "SLE"}),
    ]);
    let day = (1..=31_u8).prop_map(|day| format!("2024-03-{day:02}"));
    let killed =
        prop_oneof![Just(Value::Null), (0..4_u8).prop_map(|n| json!({"min": n, "max": n + 1}))];
    let actors = subsequence(vec!["private_security", "state_army"], 0..=2);
    let mode = select(vec!["industrial", "artisanal"]);
    let codes = subsequence(CODES.to_vec(), 1..=3);
    (place, day, killed, codes, actors, mode).prop_map(
        |(place, day, killed, codes, actors, mode)| {
            let mut report = json!({"location": place, "occurred": day, "categories": codes,
            "narrative": Uuid::new_v4(), "mining_mode": mode,
            "actors": actors.iter().map(|actor| json!({"type": actor})).collect::<Vec<_>>()});
            if !killed.is_null() {
                report["harm"] = json!({ "killed": killed });
            }
            report
        },
    )
}

/// One application, and what was submitted to it in this case.
struct Side<'a> {
    app: &'a TestApp,
    reviewer: &'a Client,
    submitted: Vec<Value>,
}

impl Side<'_> {
    fn incident(&self, nth: usize) -> &Value {
        &self.submitted[nth]["incident"]
    }

    fn decide(&self, nth: usize, status: &str, codes: &[&str]) -> u16 {
        let decision = json!({"status": status, "categories": codes, "reason": "seen"});
        self.reviewer.decide(self.incident(nth), &decision).status
    }

    /// Every number, without what is no number of the incidents.
    fn numbers(&self) -> Vec<Value> {
        let parts = |query: &&str| {
            let answer = count(self.reviewer, query);
            json!([answer["cells"], answer["total"], answer["reconciliation"]])
        };
        QUERIES.iter().map(parts).collect()
    }
}

/// With which incident the model has each report.
struct Model {
    with: [usize; N_REPORTS],
    reports: Vec<Value>,
}

impl Model {
    fn is_merged(&self, nth: usize) -> bool {
        self.with[nth] != nth
    }

    fn may_merge(&self, into: usize, others: &[usize]) -> bool {
        !self.is_merged(into)
            && others.iter().all(|other| *other != into && !self.is_merged(*other))
    }

    fn merge(&mut self, into: usize, others: &[usize]) {
        for place in &mut self.with {
            if others.contains(place) {
                *place = into;
            }
        }
    }

    /// Incidents and killed (least, most, incidents that state it).
    fn total(&self) -> (i64, i64, i64, i64) {
        let (mut n, mut least, mut most, mut stated) = (0, 0, 0, 0);
        for incident in (0..N_REPORTS).filter(|nth| !self.is_merged(*nth)) {
            n += 1;
            let told = (0..N_REPORTS).filter(|nth| self.with[*nth] == incident);
            let killed = told.map(|nth| &self.reports[nth]["harm"]["killed"]);
            let killed: Vec<(i64, i64)> = killed
                .filter_map(|killed| killed["min"].as_i64().zip(killed["max"].as_i64()))
                .collect();
            if let Some(min) = killed.iter().map(|range| range.0).min() {
                least += min;
                most += killed.iter().map(|range| range.1).max().unwrap_or(0);
                stated += 1;
            }
        }
        (n, least, most, stated)
    }
}

#[derive(QueryableByName)]
struct Recount {
    #[diesel(sql_type = BigInt)]
    incidents: i64,
    #[diesel(sql_type = BigInt)]
    reports: i64,
    #[diesel(sql_type = BigInt)]
    merged: i64,
}

fn recount(app: &TestApp) -> Recount {
    let sql = "SELECT (SELECT COUNT(*) FROM incidents WHERE merged_into IS NULL) AS incidents, \
        (SELECT COUNT(*) FROM reports r JOIN incidents i ON i.id = r.incident_id WHERE i.merged_into IS NULL) AS reports, \
        (SELECT COUNT(*) FROM incidents WHERE merged_into IS NOT NULL) AS merged";
    app.context.db.read_here(|conn| Ok(sql_query(sql).get_result(conn)?)).expect("a recount")
}

/// Applies one step to the application, to its twin where it is a decision, and to the model.
fn apply(side: &Side<'_>, twin: &Side<'_>, model: &mut Model, step: &Step) {
    match step {
        Step::Merge(into, others) => {
            let absorbed: Vec<&Value> = others.iter().map(|nth| side.incident(*nth)).collect();
            let status = merge(side.reviewer, side.incident(*into), &absorbed).status;
            let is_right = model.may_merge(*into, others);
            assert_eq!(status == 200, is_right, "{step:?}: {status}");
            if is_right {
                model.merge(*into, others);
            }
        }
        Step::Split(guests) => {
            let from = model.with[guests[0]];
            let reports: Vec<&Value> =
                guests.iter().map(|nth| &side.submitted[*nth]["id"]).collect();
            let status = split(side.reviewer, side.incident(from), &reports).status;
            let is_right =
                guests.iter().all(|nth| model.is_merged(*nth) && model.with[*nth] == from);
            assert_eq!(status == 200, is_right, "{step:?}: {status}");
            if is_right {
                for nth in guests {
                    model.with[*nth] = *nth;
                }
            }
        }
        Step::Decide(nth, status, codes) => {
            let answer = side.decide(*nth, status, codes);
            if model.is_merged(*nth) {
                assert_eq!(answer, 409, "{step:?}");
            } else {
                assert_eq!(answer, twin.decide(*nth, status, codes), "{step:?}");
            }
        }
    }
}

fn check(side: &Side<'_>, model: &Model, before: &Value) {
    let total = count(side.reviewer, "status=all")["total"].clone();
    let since = |pointer: &str| {
        let number = |value: &Value| value.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
        number(&total) - number(before)
    };
    let (incidents, least, most, stated) = model.total();
    assert_eq!(since("/incidents"), incidents);
    assert_eq!(since("/reports"), i64::try_from(N_REPORTS).expect("few"));
    assert_eq!(since("/killed/min"), least);
    assert_eq!(since("/killed/max"), most);
    assert_eq!(since("/killed/stated"), stated);
    let recount = recount(side.app);
    assert_eq!(total["incidents"], recount.incidents);
    assert_eq!(total["reports"], recount.reports);
    let excluded = count(side.reviewer, "")["reconciliation"]["excluded"].clone();
    assert_eq!(excluded["merged"], recount.merged);
}

#[test]
fn whatever_was_merged_and_split_every_number_comes_back() {
    let (app, other) = (TestApp::start(), TestApp::start());
    let clients = [(app.monitor(), app.reviewer()), (other.monitor(), other.reviewer())];
    let config = Config { cases: N_CASES, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);

    let checked =
        runner.run(&(vec(report(), N_REPORTS), vec(step(), 10..24)), |(reports, steps)| {
            let before = count(&clients[0].1, "status=all")["total"].clone();
            let submit = |side: usize| -> Vec<Value> {
                reports.iter().map(|report| clients[side].0.submit(report)).collect()
            };
            let side = Side { app: &app, reviewer: &clients[0].1, submitted: submit(0) };
            let twin = Side { app: &other, reviewer: &clients[1].1, submitted: submit(1) };
            let with = std::array::from_fn(|nth| nth);
            let mut model = Model { with, reports: reports.clone() };
            for step in &steps {
                apply(&side, &twin, &mut model, step);
                check(&side, &model, &before);
            }
            for nth in 0..N_REPORTS {
                if model.is_merged(nth) {
                    apply(&side, &twin, &mut model, &Step::Split(vec![nth]));
                }
            }
            assert_eq!(side.numbers(), twin.numbers());
            Ok(())
        });

    if let Err(error) = checked {
        unreachable!("{error}");
    }
}
