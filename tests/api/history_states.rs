//! Whatever is done to some incidents in whatever order, each of their versions is told later as it was shown then.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApp};
use crate::history::Recorder;
use crate::merging::{merge, split};
use crate::messages::{answer, ask};

const N_CASES: u32 = 6;
const N_STEPS: usize = 14;
const N_REPORTS: usize = 4;

#[derive(Debug, Clone)]
enum Step {
    Merge(usize, usize),
    /// A report goes home from where it is.
    Split(usize),
    /// Fields of a decision on an incident.
    Decide(usize, Value),
    Revise(usize, u8),
    Withdraw(usize),
    Ask(usize),
    /// The last question to the sender of a report.
    Answer(usize),
}

fn decision() -> impl Strategy<Value = Value> {
    let status = select(vec!["in_review", "verified", "rejected", "disputed", "withdrawn"]);
    prop_oneof![
        2 => status.prop_map(|status| json!({ "status": status })),
        1 => (0..9_u8).prop_map(|n| json!({"harm": {"killed": n}, "severity": 1 + n % 5})),
        1 => Just(json!({"harm": null, "severity": null})),
        1 => Just(json!({"location": {"country": "SLE", "lat": 7.8769, "lon": -11.1903}})),
        1 => Just(json!({"location": null})),
        1 => Just(json!({"occurred": "2024-03-09T23:30:00Z"})),
        1 => Just(json!({"occurred": null, "categories": null})),
        1 => Just(json!({"grade": {"source_reliability": "B", "info_credibility": 2}, "is_test": false})),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let one = || 0..N_REPORTS;
    prop_oneof![
        4 => (one(), one()).prop_map(|(into, other)| Step::Merge(into, other)),
        3 => one().prop_map(Step::Split),
        4 => (one(), decision()).prop_map(|(nth, decision)| Step::Decide(nth, decision)),
        3 => (one(), 0..9_u8).prop_map(|(nth, killed)| Step::Revise(nth, killed)),
        1 => one().prop_map(Step::Withdraw),
        2 => one().prop_map(Step::Ask),
        2 => one().prop_map(Step::Answer),
    ]
}

fn report() -> impl Strategy<Value = Value> {
    let place = select(vec![
        json!({"country": "SLE", "lat": 8.644, "lon": -10.971}),
        json!({"country": "SLE"}),
    ]);
    let occurred = select(vec!["2024-03-05", "2024-03-05T23:50:00-01:00", "2024-03"]);
    let actors = subsequence(vec!["private_security", "state_army"], 0..=2);
    (place, occurred, actors).prop_map(|(place, occurred, actors)| {
        let actors: Vec<Value> = actors.iter().map(|actor| json!({"type": actor})).collect();
        json!({"id": Uuid::new_v4(), "location": place, "occurred": occurred, "actors": actors,
            "categories": ["rights.life_integrity.killing"], "narrative": Uuid::new_v4(),
            "harm": {"killed": {"min": 1, "max": 3}}})
    })
}

/// What is worked on; of what is refused, nothing is to be seen.
struct Work<'a> {
    reviewer: &'a Client,
    /// Each with its sender, as it was sent, and with the incident it opened.
    reports: Vec<(Client, Value, Value)>,
    asked: Vec<Option<Value>>,
}

impl Work<'_> {
    fn incident_of(&self, nth: usize) -> Value {
        let (_, sent, _) = &self.reports[nth];
        let path = format!("/v1/reports/{}", sent["id"].as_str().expect("an id"));
        self.reviewer.get(&path).expect(200).json()["incident"].clone()
    }

    fn take(&mut self, step: &Step) {
        let home = |nth: usize| self.reports[nth].2.clone();
        let path = |nth: usize, act: &str| {
            format!("/v1/reports/{}/{act}", self.reports[nth].1["id"].as_str().expect("an id"))
        };
        let status = match step {
            Step::Merge(into, other) => merge(self.reviewer, &home(*into), &[&home(*other)]).status,
            Step::Split(nth) => {
                let id = self.reports[*nth].1["id"].clone();
                split(self.reviewer, &self.incident_of(*nth), &[&id]).status
            }
            Step::Decide(nth, fields) => {
                let mut decision = fields.clone();
                decision["reason"] = json!("seen");
                self.reviewer.decide(&home(*nth), &decision).status
            }
            Step::Revise(nth, killed) => {
                let (sender, sent, _) = &self.reports[*nth];
                let mut again = sent.clone();
                again["harm"] = json!({ "killed": killed });
                sender.post(&path(*nth, "revisions"), &again).status
            }
            Step::Withdraw(nth) => {
                self.reports[*nth].0.post(&path(*nth, "withdrawal"), &json!({})).status
            }
            Step::Ask(nth) => {
                let incident = self.incident_of(*nth);
                let about = json!({"id": self.reports[*nth].1["id"], "incident": incident});
                let asked = ask(self.reviewer, &about, "How many?");
                if asked.status == 201 {
                    self.asked[*nth] = Some(asked.json());
                }
                asked.status
            }
            Step::Answer(nth) => match &self.asked[*nth] {
                Some(asked) => {
                    answer(&self.reports[*nth].0, asked, &json!({"text": "three"})).status
                }
                None => 404,
            },
        };
        assert!(status < 500, "{step:?}: {status}");
    }
}

#[test]
fn every_version_is_told_as_it_was_shown_whatever_was_done() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let config = Config { cases: N_CASES, failure_persistence: None, ..Config::default() };
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[55; 32]);
    let mut runner = TestRunner::new_with_rng(config, seed);
    let all = (
        proptest::collection::vec(report(), N_REPORTS),
        proptest::collection::vec(step(), N_STEPS),
    );

    let told = runner.run(&all, |(reports, steps)| {
        let submit = |report: Value| {
            let sender = app.monitor();
            // A case that is tried again is sent anew.
            let mut report = report;
            report["id"] = json!(Uuid::new_v4());
            let incident = sender.submit(&report)["incident"].clone();
            (sender, report, incident)
        };
        let reports: Vec<_> = reports.into_iter().map(submit).collect();
        let incidents: Vec<Value> =
            reports.iter().map(|(_, _, incident)| incident.clone()).collect();
        let incidents: Vec<&Value> = incidents.iter().collect();
        let mut work = Work { reviewer: &reviewer, reports, asked: vec![None; N_REPORTS] };
        let mut recorder = Recorder::default();
        recorder.record(&app, &reviewer, &incidents);
        for step in &steps {
            work.take(step);
            recorder.record(&app, &reviewer, &incidents);
        }
        recorder.expect_all_told(&reviewer);
        Ok(())
    });

    assert!(told.is_ok(), "{told:?}");
}
