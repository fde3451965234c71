//! A reviewer corrects an incident; its reports stay as they were sent, and both are shown side by side.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::db::schema::{decisions, override_history};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApp, submit_march};

fn path_of(incident: &Value) -> String {
    format!("/v1/incidents/{}", incident.as_str().expect("an id"))
}

fn correct(reviewer: &Client, incident: &Value, mut correction: Value) -> Value {
    correction["reason"] = json!("the witness was asked again");
    reviewer.decide(incident, &correction).expect(200).json()
}

/// The field of that name, of the comparison of an incident.
fn compared(reviewer: &Client, incident: &Value, field: &str) -> Value {
    let view = reviewer.get(&format!("{}/comparison", path_of(incident))).expect(200).json();
    let fields = view["fields"].as_array().expect("fields");
    fields.iter().find(|one| one["field"] == field).expect("the field").clone()
}

/// The fields of every decision, and what was said of `field`, version by version.
fn remembered(app: &TestApp, field: &str) -> (Vec<String>, Vec<Option<String>>) {
    let read = app.context.db.read_here(|conn| {
        let fields =
            decisions::table.order(decisions::version).select(decisions::fields).load(conn)?;
        let said = override_history::table
            .filter(override_history::field.eq(field))
            .order(override_history::version)
            .select(override_history::value)
            .load(conn)?;
        Ok((fields, said))
    });
    read.expect("the rows")
}

fn march_total(client: &Client) -> Value {
    client.get("/v1/aggregates?from=2024-03-01&to=2024-03-31").expect(200).json()
}

#[test]
fn what_a_reviewer_sets_beats_the_report_until_it_is_taken_back() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let report = json!({"narrative": "Guards fired on diggers.", "occurred": "2024-03-05",
        "location": {"country": "SLE"}, "categories": ["rights.life_integrity.killing"],
        "harm": {"killed": 2}, "actors": [{"type": "private_security"}], "mining_mode": "industrial"});
    let sent = monitor.submit(&report);
    let (incident, before) =
        (&sent["incident"], reviewer.get(&path_of(&sent["incident"])).expect(200));

    let stands = correct(
        &reviewer,
        incident,
        json!({
            "categories": ["rights.life_integrity.assault_injury"], "occurred": "2024-03",
            "harm": {"killed": {"min": 1, "max": 3}, "injured": {"min": 2, "max": 2, "by": {"f_child": 1}}},
            "actors": ["state_army", "mob", "mob"], "severity": 2, "mining_mode": "artisanal",
        }),
    );

    assert_eq!(stands["version"], 2);
    assert_eq!(stands["categories"][0]["code"], "rights.life_integrity.assault_injury");
    assert_eq!(
        stands["occurred"],
        json!({"first_day": "2024-03-01", "last_day": "2024-03-31", "precision": "month"})
    );
    assert_eq!(stands["harm"]["killed"], json!({"min": 1, "max": 3}));
    assert_eq!(stands["harm"]["injured"], json!({"min": 2, "max": 2, "by": {"f_child": [1, 1]}}));
    assert_eq!(
        (&stands["actors"], &stands["severity"]),
        (&json!(["mob", "state_army"]), &json!(2))
    );
    assert_eq!(stands["mining_mode"], "artisanal");
    let opened = reviewer.get(&format!("/v1/reports/{}", sent["id"].as_str().expect("an id")));
    let opened = opened.expect(200).json();
    assert_eq!(opened["report"]["harm"]["killed"], json!({"min": 2, "max": 2}), "as it was sent");
    assert_eq!(opened["report"]["occurred"], "2024-03-05");
    assert_eq!(opened["settled"], json!({"occurred": "2024-03"}));

    let harm = compared(&reviewer, incident, "harm");
    assert_eq!((&harm["is_corrected"], &harm["differs"]), (&json!(true), &json!(true)));
    assert_eq!(harm["says"][0]["value"], json!({"killed": {"min": 2, "max": 2}}));
    assert_eq!(
        (&harm["says"][0]["report"], &harm["says"][0]["differs"]),
        (&sent["id"], &json!(true))
    );
    let location = compared(&reviewer, incident, "location");
    assert_eq!((&location["is_corrected"], &location["differs"]), (&json!(false), &json!(false)));

    let all = ["categories", "occurred", "harm", "actors", "severity", "mining_mode"];
    let back: serde_json::Map<String, Value> =
        all.iter().map(|field| ((*field).to_owned(), Value::Null)).collect();
    let back = correct(&reviewer, incident, Value::Object(back));
    let before = before.json();
    for field in all {
        assert_eq!(back[field], before[field], "{field}");
    }
    assert_eq!(compared(&reviewer, incident, "harm")["is_corrected"], false);
    let (fields, said) = remembered(&app, "severity");
    let right = "categories harm actors severity mining_mode occurred";
    assert_eq!(fields, [right, right], "what was set, and what was taken back");
    assert_eq!(said, [Some("2".to_owned()), None], "an earlier state can be told");
}

#[test]
fn the_day_is_read_on_the_clock_of_the_place_that_was_corrected() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    // 00:30 of 1 April in Mbuji-Mayi, 23:30 of 31 March in Kinshasa.
    let report = json!({"narrative": Uuid::new_v4(), "occurred": "2024-03-31T22:30:00Z",
        "location": {"country": "COD", "lat": -6.136, "lon": 23.5898},
        "categories": ["rights.life_integrity.assault_injury"]});
    let sent = monitor.submit(&report);
    let incident = &sent["incident"];
    let day = |view: &Value| view["occurred"]["first_day"].as_str().expect("a day").to_owned();
    assert_eq!(day(&reviewer.get(&path_of(incident)).expect(200).json()), "2024-04-01");
    let kinshasa = json!({"country": "COD", "lat": -4.3317, "lon": 15.3139, "place": "Barumbu"});

    let moved = correct(&reviewer, incident, json!({ "location": kinshasa }));
    let told = correct(&reviewer, incident, json!({"occurred": "2024-03-31T23:30:00Z"}));
    let back = correct(&reviewer, incident, json!({"location": null}));
    let untold = correct(&reviewer, incident, json!({"occurred": null}));

    assert_eq!(
        (day(&moved), moved["admin1"]["code"].as_str()),
        ("2024-03-31".into(), Some("CD-KN"))
    );
    assert_eq!(day(&told), "2024-04-01", "00:30 there");
    assert_eq!(day(&back), "2024-04-01", "01:30 in Mbuji-Mayi");
    assert_eq!(day(&untold), "2024-04-01");
    correct(&reviewer, incident, json!({ "location": kinshasa }));
    let opened = reviewer.get(&format!("/v1/reports/{}", sent["id"].as_str().expect("an id")));
    let opened = opened.expect(200).json();
    assert_eq!(opened["settled"]["location"]["place"], "Barumbu");
    assert!(opened["settled"].get("occurred").is_none(), "taken back");
    assert_eq!(opened["report"]["location"]["lat"], -6.136);
    let compared = compared(&reviewer, incident, "location");
    assert_eq!(compared["stands"]["admin1"], "CD-KN");
    assert_ne!(compared["says"][0]["value"]["cell"], compared["stands"]["cell"]);
}

#[test]
fn c74_what_is_flagged_as_a_test_is_counted_nowhere_and_told_as_excluded() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let r9 = submit_march(&monitor, &reviewer)["R9"]["incident"].clone();
    assert_eq!(march_total(&reviewer)["total"]["incidents"], 8);

    let flagged = correct(&reviewer, &r9, json!({"is_test": true}));

    assert_eq!((&flagged["is_test"], &flagged["status"]), (&json!(true), &json!("verified")));
    let counted = march_total(&reviewer);
    assert_eq!(counted["total"]["incidents"], 7);
    assert_eq!(counted["total"]["injured"]["max"], 3);
    assert_eq!(counted["reconciliation"]["excluded"]["test"], 1);
    correct(&reviewer, &r9, json!({"is_test": null}));
    let counted = march_total(&reviewer);
    assert_eq!(counted["total"]["incidents"], 8);
    assert_eq!(counted["reconciliation"]["excluded"]["test"], 0);
}

#[test]
fn c33_what_a_reviewer_withdraws_is_gone_from_every_count_and_comes_back_with_it() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let r9 = submit_march(&monitor, &reviewer)["R9"]["incident"].clone();
    let of = |query: &str| {
        let path = format!("/v1/aggregates?from=2024-03-01&to=2024-03-31{query}");
        reviewer.get(&path).expect(200).json()["total"]["incidents"].clone()
    };

    reviewer.set_status(&r9, "withdrawn");

    assert_eq!(of(""), 7);
    let day = reviewer.get("/v1/aggregates?from=2024-03-20&to=2024-03-20").expect(200).json();
    assert_eq!(day["total"]["incidents"], 0);
    assert_eq!(march_total(&reviewer)["total"]["injured"]["max"], 3);
    assert_eq!(of("&country=ZWE"), 0);
    reviewer.set_status(&r9, "verified");
    assert_eq!((of(""), of("&country=ZWE")), (json!(8), json!(1)));
}

#[test]
fn a_verified_incident_stays_whole_whatever_is_taken_back() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let bare = json!({"narrative": Uuid::new_v4(), "location": {"country": "COD", "lat": 6.4162, "lon": 20.8}});
    let incident = monitor.submit(&bare)["incident"].clone();
    let settled = json!({"status": "verified", "reason": "a lost minus sign",
        "categories": ["rights.life_integrity.killing"],
        "location": {"country": "COD", "lat": -6.4162, "lon": 20.8}});
    reviewer.decide(&incident, &settled).expect(200);

    for (field, code) in [("categories", "category_required"), ("location", "country_unsettled")] {
        let mut decision = json!({"reason": "not sure"});
        decision[field] = Value::Null;
        reviewer.decide(&incident, &decision).expect_problem(422, code);
        decision["status"] = json!("in_review");
        let reopened = reviewer.decide(&incident, &decision).expect(200).json();
        assert_eq!(reopened["status"], "in_review", "{field}");
        let mut again = settled.clone();
        again["reason"] = json!("sure again");
        reviewer.decide(&incident, &again).expect(200);
    }
}

#[test]
fn a_correction_is_checked_like_a_report() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let report = json!({"narrative": Uuid::new_v4(), "location": {"country": "SLE"}});
    let incident = app.monitor().submit(&report)["incident"].clone();

    for (correction, pointer, reason) in [
        (json!({"severity": 0}), "/severity", "1 to 5"),
        (json!({"severity": 6}), "/severity", "1 to 5"),
        (json!({"severity": "high"}), "/severity", "no number"),
        (json!({"occurred": "05/03/2024"}), "/occurred", "no time"),
        (json!({"occurred": "2031-01-01"}), "/occurred", "in the future"),
        (json!({"harm": {"hurt": 1}}), "/harm/hurt", "no such measure"),
        (json!({"harm": {"killed": {"min": 3, "max": 1}}}), "/harm/killed", "the wrong way round"),
        (json!({"actors": ["soldiers"]}), "/actors/0", "no such code"),
        (json!({"mining_mode": "deep"}), "/mining_mode", "no such code"),
        (json!({"is_test": "yes"}), "/is_test", "neither true nor false"),
    ] {
        let mut correction = correction;
        correction["reason"] = json!("asked again");
        let refused = reviewer.decide(&incident, &correction);
        assert_eq!(refused.status, 422, "{reason}: {}", refused.text());
        assert_eq!(refused.pointers(), [pointer], "{reason}");
    }
    assert_eq!(reviewer.get(&path_of(&incident)).expect(200).header("etag"), Some("\"1\""));
}
