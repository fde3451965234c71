//! Merging and splitting: one case is counted once, and what was merged comes apart as it was.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::types::Role;
use sentinelle::db::schema::{audit_entries, changes, decisions, incidents};
use sentinelle::ids::{Id, IncidentId};
use sentinelle::seal::envelope::{Owner, OwnerKind, Part};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::counts::{cells, count};
use crate::harness::{Answer, Client, TestApp, march, submit_march};
use crate::scope::let_reveal;

const MARCH: &str = "from=2024-03-01&to=2024-03-31";
const KILLING: &str = "rights.life_integrity.killing";

pub(crate) fn path_of(incident: &Value) -> String {
    format!("/v1/incidents/{}", incident.as_str().expect("an id"))
}

pub(crate) fn read(client: &Client, incident: &Value) -> Value {
    client.get(&path_of(incident)).expect(200).json()
}

/// Merges or splits at `version`.
pub(crate) fn act_on(
    client: &Client,
    (act, incident, version): (&str, &Value, &Value),
    body: &Value,
) -> Answer {
    let tag = format!("\"{version}\"");
    let headers = [("content-type", "application/json"), ("if-match", tag.as_str())];
    let path = format!("{}/{act}", path_of(incident));
    client.send("POST", &path, &headers, Some(body.to_string().as_bytes()))
}

/// Merges `absorbed` into an incident at the version it has now.
pub(crate) fn merge(client: &Client, survivor: &Value, absorbed: &[&Value]) -> Answer {
    let version = read(client, survivor)["version"].clone();
    let body = json!({"incidents": absorbed, "reason": "the same shooting"});
    act_on(client, ("merge", survivor, &version), &body)
}

/// Splits `reports` off an incident at the version it has now.
pub(crate) fn split(client: &Client, survivor: &Value, reports: &[&Value]) -> Answer {
    let version = read(client, survivor)["version"].clone();
    let body = json!({"reports": reports, "reason": "two shootings after all"});
    act_on(client, ("split", survivor, &version), &body)
}

/// A report from Sierra Leone with words of its own; the answer to its submission.
fn submit(app: &TestApp, more: &Value) -> Value {
    let mut report = json!({"narrative": Uuid::new_v4(), "occurred": "2024-03-05",
        "location": {"country": "SLE"}, "categories": [KILLING]});
    let fields = report.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    app.monitor().submit(&report)
}

fn marched(app: &TestApp) -> (Client, Map<String, Value>) {
    let reviewer = app.reviewer();
    let submitted = submit_march(&app.monitor(), &reviewer);
    (reviewer, submitted)
}

/// Incidents, killed and Sierra Leone's share.
fn c32(client: &Client) -> (u64, u64, u64) {
    let answer = count(client, &format!("by=country&{MARCH}"));
    let killed = &answer["total"]["killed"];
    assert_eq!(killed["min"], killed["max"]);
    let number = |value: &Value| value.as_u64().expect("a number");
    (number(&answer["total"]["incidents"]), number(&killed["min"]), cells(&answer)["SLE"])
}

#[track_caller]
fn expect_right(reviewer: &Client) {
    let right = march()["right"].clone();
    let by = |by: &str| count(reviewer, &format!("by={by}&{MARCH}"));
    let named = |name: &str| -> BTreeMap<String, u64> {
        let pairs = right[name].as_object().expect("pairs").iter();
        let number = |value: &Value| value.as_u64().expect("a number");
        pairs.map(|(key, value)| (key.replace("(imprecise)", "null"), number(value))).collect()
    };
    let total = count(reviewer, MARCH);
    assert_eq!(total["total"]["incidents"], right["incidents"]);
    assert_eq!(total["total"]["reports"], right["reports"]);
    for (measure, stated) in [("killed", 1), ("injured", 2)] {
        let told = json!({"min": right[measure], "max": right[measure], "stated": stated});
        assert_eq!(total["total"][measure], told);
    }
    let mut countries = named("by_country");
    let zeros = right["by_country_zero"].as_array().expect("codes").iter();
    countries.extend(zeros.map(|code| (code.as_str().expect("a code").to_owned(), 0)));
    assert_eq!(cells(&by("country")), countries);
    assert_eq!(cells(&by("theme")), named("by_theme"));
    assert_eq!(cells(&by("day")), named("by_day"));
    let category = by("category");
    assert_eq!(cells(&category), named("by_category"));
    assert_eq!(category["reconciliation"]["sum_of_cells"], right["category_sum_of_cells"]);
    assert_eq!(category["reconciliation"]["overlap"], right["category_overlap"]);
    let reconciliation = &total["reconciliation"];
    assert_eq!(reconciliation["mapped"], right["mapped"]);
    assert_eq!(reconciliation["unmapped"], right["unmapped"]);
    assert_eq!(by("day")["reconciliation"]["imprecise"], right["imprecise_in_day_view"]);
    let (excluded, wanted) = (&reconciliation["excluded"], &right["excluded"]);
    assert_eq!(
        excluded,
        &json!({"by_status": {"received": wanted["pending"], "rejected": wanted["rejected"],
            "withdrawn": wanted["withdrawn"]}, "merged": wanted["merged"], "test": 0, "mismatch": 0})
    );
    let list = reviewer.get(&format!("/v1/incidents?{MARCH}")).expect(200).json();
    assert_eq!(list["total"], right["incidents"]);
}

#[test]
fn march_with_r2_merged_into_r1_is_the_right_block_whether_r2_was_verified_or_not() {
    for is_verified in [false, true] {
        let app = TestApp::start();
        let (reviewer, submitted) = marched(&app);
        let incident = |key: &str| &submitted[key]["incident"];
        if is_verified {
            reviewer.set_status(incident("R2"), "verified");
        }

        merge(&reviewer, incident("R1"), &[incident("R2")]).expect(200);

        expect_right(&reviewer);
    }
}

#[test]
fn c32_a_case_told_twice_is_counted_once_and_comes_apart_and_together_again() {
    let app = TestApp::start();
    let (reviewer, submitted) = marched(&app);
    let incident = |key: &str| &submitted[key]["incident"];
    reviewer.set_status(incident("R2"), "verified");
    assert_eq!(c32(&reviewer), (9, 4, 3));

    merge(&reviewer, incident("R1"), &[incident("R2")]).expect(200);
    assert_eq!(c32(&reviewer), (8, 2, 2));
    split(&reviewer, incident("R1"), &[&submitted["R2"]["id"]]).expect(200);
    assert_eq!(c32(&reviewer), (9, 4, 3));
    assert_eq!(read(&reviewer, incident("R2"))["status"], "verified", "as it was");
    merge(&reviewer, incident("R1"), &[incident("R2")]).expect(200);
    assert_eq!(c32(&reviewer), (8, 2, 2));
}

#[test]
fn the_merged_one_says_where_it_went_and_is_in_no_list_queue_or_count() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let (one, other) = (submit(&app, &json!({})), submit(&app, &json!({})));
    let (survivor, absorbed) = (&one["incident"], &other["incident"]);

    let answer = merge(&reviewer, survivor, &[absorbed]).expect(200);

    assert_eq!(answer.header("etag"), Some("\"2\""));
    assert_eq!((&answer.json()["id"], &answer.json()["reports"]), (survivor, &json!(2)));
    let gone = reviewer.get(&path_of(absorbed)).expect(200);
    assert_eq!(gone.header("etag"), Some("\"2\""));
    let gone = gone.json();
    assert_eq!((&gone["merged_into"], &gone["status"]), (survivor, &json!("received")));
    assert_eq!((&gone["reports"], &gone["absorbed"]), (&json!(0), &json!([])));
    let told = json!([{"id": absorbed, "reports": [other["id"]]}]);
    assert_eq!(read(&reviewer, survivor)["absorbed"], told);
    for path in ["/v1/incidents?status=all", "/v1/queue"] {
        let listed = reviewer.get(path).expect(200).json();
        assert_eq!((&listed["total"], &listed["items"][0]["id"]), (&json!(1), survivor), "{path}");
        assert!(listed["items"][0].get("absorbed").is_none(), "lists hold no members");
    }
    let counted = count(&reviewer, "status=all");
    assert_eq!(
        (&counted["total"]["incidents"], &counted["total"]["reports"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(counted["reconciliation"]["excluded"]["merged"], 1);
    let report = format!("/v1/reports/{}", other["id"].as_str().expect("an id"));
    assert_eq!(&reviewer.get(&report).expect(200).json()["incident"], survivor);
}

#[test]
fn what_was_merged_is_not_decided_on_merged_again_split_or_linked() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let ids = [0, 1, 2].map(|_| submit(&app, &json!({})));
    let [survivor, absorbed, third] = [0, 1, 2].map(|nth| &ids[nth]["incident"]);
    merge(&reviewer, survivor, &[absorbed]).expect(200);

    let decision = json!({"status": "verified", "reason": "clear"});
    let relation = json!({"incidents": [third], "reason": "the same lot"});
    let link_to_it = json!({"incidents": [absorbed], "reason": "the same lot"});
    for (answer, pointers) in [
        (reviewer.decide(absorbed, &decision), vec![]),
        (merge(&reviewer, absorbed, &[third]), vec![]),
        (merge(&reviewer, third, &[absorbed]), vec!["/incidents/0"]),
        (merge(&reviewer, survivor, &[third, absorbed]), vec!["/incidents/1"]),
        (merge(&reviewer, absorbed, &[survivor]), vec![]),
        (split(&reviewer, absorbed, &[&ids[1]["id"]]), vec![]),
        (reviewer.post(&format!("{}/related", path_of(absorbed)), &relation), vec![]),
        (reviewer.post(&format!("{}/related", path_of(third)), &link_to_it), vec![]),
    ] {
        let answer = answer.expect_problem(409, "merged");
        assert_eq!(&answer.json()["merged_into"], survivor, "{}", answer.text());
        assert_eq!(answer.pointers(), pointers);
    }
    assert_eq!(read(&reviewer, third)["version"], 1, "where one is refused, none is merged");
}

#[test]
fn facts_of_the_survivor_are_those_of_all_its_reports() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let told = |category: &str, killed: Value, occurred: &str, lat: f64| {
        submit(
            &app,
            &json!({"categories": [category], "harm": {"killed": killed},
            "occurred": occurred, "location": {"country": "SLE", "lat": lat, "lon": -11.1}}),
        )
    };
    let one = told(
        "governance.transparency.revenue_data_withheld",
        json!({"min": 2, "max": 3}),
        "2024-03-05",
        8.0,
    );
    let two = told(KILLING, json!(1), "2024-03-07", 8.1);
    let three = told(KILLING, json!({"min": 4, "max": 6}), "2024-03-06", 8.2);
    let silent = submit(&app, &json!({}));
    let before = read(&reviewer, &one["incident"]);
    let absorbed: Vec<&Value> = [&two, &three, &silent].map(|one| &one["incident"]).to_vec();

    let facts = merge(&reviewer, &one["incident"], &absorbed).expect(200).json();

    let codes: Vec<&Value> = facts["categories"]
        .as_array()
        .expect("categories")
        .iter()
        .map(|one| &one["code"])
        .collect();
    assert_eq!(codes, ["governance.transparency.revenue_data_withheld", KILLING]);
    assert_eq!(facts["harm"]["killed"], json!({"min": 1, "max": 6}), "from least to most, no sum");
    for name in ["place", "cell", "occurred", "country", "admin1"] {
        assert_eq!(facts[name], before[name], "{name} is the survivor's");
    }
    assert_eq!(facts["severity"], read(&reviewer, &two["incident"])["severity"], "the greatest");
    assert_eq!(facts["reports"], 4);
}

#[test]
fn a_reviewers_word_on_the_survivor_stands_and_that_on_the_absorbed_one_comes_back() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let (one, other) = (submit(&app, &json!({})), submit(&app, &json!({})));
    let (survivor, absorbed) = (&one["incident"], &other["incident"]);
    let injured = "rights.life_integrity.assault_injury";
    let place = json!({"country": "SLE", "lat": 7.8769, "lon": -11.1903});
    let confirmed =
        json!({"status": "verified", "categories": [injured], "location": place, "reason": "seen"});
    reviewer.decide(absorbed, &confirmed).expect(200);
    let before = read(&reviewer, absorbed);
    reviewer.set_status(survivor, "verified");

    let merged = merge(&reviewer, survivor, &[absorbed]).expect(200).json();
    let apart = split(&reviewer, survivor, &[&other["id"]]).expect(200).json();

    assert_eq!(merged["status"], "verified");
    assert_eq!(merged["categories"][0]["code"], KILLING);
    assert_eq!(merged["categories"].as_array().map(Vec::len), Some(1), "those confirmed stand");
    let mut after = read(&reviewer, absorbed);
    assert_eq!((&before["version"], &after["version"]), (&json!(2), &json!(4)));
    after["version"] = before["version"].clone();
    assert_eq!(after, before);
    assert_eq!(apart["revived"][0]["id"], before["id"]);
    assert_eq!(apart["kept"], json!([]));
}

#[test]
fn of_a_chain_each_report_goes_home_alone() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let [a, b, c] = [0, 1, 2].map(|_| submit(&app, &json!({"harm": {"killed": 1}})));
    let [of_a, of_b, of_c] = [&a, &b, &c].map(|one| &one["incident"]);
    merge(&reviewer, of_b, &[of_c]).expect(200);

    let merged = merge(&reviewer, of_a, &[of_b]).expect(200).json();

    assert_eq!(merged["reports"], 3);
    let passed_on = read(&reviewer, of_c);
    assert_eq!((&passed_on["merged_into"], &passed_on["version"]), (of_a, &json!(3)));
    assert_eq!(
        read(&reviewer, of_a)["absorbed"],
        json!([{"id": of_b, "reports": [b["id"]]}, {"id": of_c, "reports": [c["id"]]}])
    );
    assert_eq!(read(&reviewer, of_b)["absorbed"], json!([]));

    let apart = split(&reviewer, of_a, &[&c["id"]]).expect(200).json();

    assert_eq!(apart["incident"]["reports"], 2);
    assert_eq!(apart["revived"].as_array().map(Vec::len), Some(1));
    let revived = read(&reviewer, of_c);
    assert_eq!((&revived["merged_into"], &revived["reports"]), (&Value::Null, &json!(1)));
    assert_eq!(&read(&reviewer, of_b)["merged_into"], of_a, "B stays merged");

    split(&reviewer, of_a, &[&b["id"]]).expect(200);

    for incident in [of_a, of_b, of_c] {
        let alone = read(&reviewer, incident);
        assert_eq!((&alone["merged_into"], &alone["reports"]), (&Value::Null, &json!(1)));
    }
}

#[test]
fn decisions_taken_meanwhile_stay_with_the_survivor_and_are_told() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let [one, two, three] = [0, 1, 2].map(|_| submit(&app, &json!({})));
    let survivor = &one["incident"];
    reviewer.set_status(survivor, "in_review");
    merge(&reviewer, survivor, &[&two["incident"]]).expect(200);
    let codes = json!({"categories": ["rights.life_integrity.assault_injury"], "reason": "seen"});
    reviewer.decide(survivor, &codes).expect(200);
    merge(&reviewer, survivor, &[&three["incident"]]).expect(200);
    reviewer.set_status(survivor, "verified");

    let late = split(&reviewer, survivor, &[&three["id"]]).expect(200).json();
    let early = split(&reviewer, survivor, &[&two["id"]]).expect(200).json();

    let verified = json!({"version": 6, "decided_at": "2024-04-01T12:00:00Z",
        "from_status": "in_review", "to_status": "verified", "fields": []});
    assert_eq!(late["kept"], json!([verified]));
    let named = json!({"version": 4, "decided_at": "2024-04-01T12:00:00Z",
        "from_status": "in_review", "to_status": "in_review", "fields": ["categories"]});
    assert_eq!(early["kept"], json!([named, verified]), "since the first of these came");
    let now = read(&reviewer, survivor);
    assert_eq!((&now["status"], &now["version"]), (&json!("verified"), &json!(8)));
    assert_eq!(now["categories"][0]["code"], "rights.life_integrity.assault_injury");
}

#[test]
fn what_cannot_be_merged_is_refused_with_what_to_do() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let one = submit(&app, &json!({}))["incident"].clone();
    let elsewhere = submit(&app, &json!({"location": {"country": "LBR"}}))["incident"].clone();
    let withdrawn = submit(&app, &json!({}))["incident"].clone();
    reviewer.set_status(&withdrawn, "withdrawn");
    let mismatch = json!({"location": {"country": "SLE", "lat": 4.3612, "lon": 18.555}});
    let mismatch = submit(&app, &mismatch)["incident"].clone();
    let erased = submit(&app, &json!({}));
    let coordinator = app.user(Role::Coordinator, "all");
    let report = format!("/v1/reports/{}", erased["id"].as_str().expect("an id"));
    coordinator.delete(&report, &json!({"reason": "asked for"})).expect(204);
    let many: Vec<Uuid> = (0..51).map(|_| Uuid::new_v4()).collect();

    for (into, incidents, code, pointer, words) in [
        (&one, json!([elsewhere]), "not_mergeable", "/incidents/0", "/related"),
        (&one, json!([withdrawn]), "not_mergeable", "/incidents/0", "restore it"),
        (&one, json!([erased["incident"]]), "not_mergeable", "/incidents/0", "nothing to merge"),
        (&one, json!([mismatch]), "country_unsettled", "/incidents/0", "decide `location`"),
        (&one, json!([one]), "invalid_fields", "/incidents/0", "into itself"),
        (&one, json!([]), "invalid_fields", "/incidents", "1 to 50"),
        (&one, json!(many), "invalid_fields", "/incidents", "1 to 50"),
        (&one, json!(["R2"]), "invalid_fields", "/incidents/0", "UUID"),
        (&withdrawn, json!([one]), "not_mergeable", "", "restore it"),
        (&mismatch, json!([one]), "country_unsettled", "", "decide `location`"),
        (&erased["incident"], json!([one]), "not_mergeable", "", "nothing to merge"),
    ] {
        let version = read(&reviewer, into)["version"].clone();
        let body = json!({"incidents": incidents, "reason": "the same"});
        let answer = act_on(&reviewer, ("merge", into, &version), &body).expect_problem(422, code);
        let pointers: Vec<&str> = [pointer].into_iter().filter(|one| !one.is_empty()).collect();
        assert_eq!(answer.pointers(), pointers, "{incidents}");
        assert!(answer.text().contains(words), "{words}: {}", answer.text());
    }
    let path = format!("{}/merge", path_of(&one));
    let headers = [("content-type", "application/json"), ("if-match", "\"1\"")];
    let body = json!({"incidents": [withdrawn], "reason": " "}).to_string();
    reviewer
        .send("POST", &path, &headers, Some(body.as_bytes()))
        .expect_problem(422, "invalid_fields");
    let body = json!({"incidents": [withdrawn], "reason": "x", "into": 1}).to_string();
    reviewer
        .send("POST", &path, &headers, Some(body.as_bytes()))
        .expect_problem(400, "unknown_field");
    assert_eq!(read(&reviewer, &one)["version"], 1);
}

#[test]
fn what_cannot_be_split_is_refused_with_what_to_do() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let [one, two, alone] = [0, 1, 2].map(|_| submit(&app, &json!({})));
    merge(&reviewer, &one["incident"], &[&two["incident"]]).expect(200);

    for (reports, pointer, words) in [
        (json!([one["id"]]), "/reports/0", "it opened this incident"),
        (json!([two["id"], alone["id"]]), "/reports/1", "another incident"),
        (json!([]), "/reports", "1 to 500"),
        (json!(["R2"]), "/reports/0", "UUID"),
    ] {
        let body = json!({"reports": reports, "reason": "no"});
        let answer = act_on(&reviewer, ("split", &one["incident"], &json!(2)), &body);
        let answer = answer.expect_problem(422, "invalid_fields");
        assert_eq!(answer.pointers(), [pointer]);
        assert!(answer.text().contains(words), "{words}: {}", answer.text());
    }
    let report = format!("/v1/reports/{}", two["id"].as_str().expect("an id"));
    app.user(Role::Coordinator, "all").delete(&report, &json!({"reason": "asked"})).expect(204);
    let answer = split(&reviewer, &one["incident"], &[&two["id"]]);
    assert!(answer.expect_problem(422, "invalid_fields").text().contains("erased"));
}

#[test]
fn what_is_out_of_scope_is_like_what_was_never_there() {
    let app = TestApp::start();
    let (one, two) = (submit(&app, &json!({})), submit(&app, &json!({})));
    let elsewhere = submit(&app, &json!({"location": {"country": "LBR"}}));
    let of_lbr = submit(&app, &json!({"location": {"country": "LBR"}}));
    merge(&app.reviewer(), &elsewhere["incident"], &[&of_lbr["incident"]]).expect(200);
    let reviewer = app.user(Role::Reviewer, "SLE");
    merge(&reviewer, &one["incident"], &[&two["incident"]]).expect(200);
    let nothing = json!(Uuid::new_v4());

    let none = merge(&reviewer, &one["incident"], &[&nothing]).expect_problem(404, "not_found");
    let merging = |into: &Value, other: &Value| {
        let body = json!({"incidents": [other], "reason": "the same"});
        act_on(&reviewer, ("merge", into, &json!(2)), &body)
    };
    let splitting = |from: &Value, report: &Value| {
        let body = json!({"reports": [report], "reason": "not the same"});
        act_on(&reviewer, ("split", from, &json!(2)), &body)
    };
    for answer in [
        merging(&one["incident"], &elsewhere["incident"]),
        merging(&elsewhere["incident"], &one["incident"]),
        merging(&nothing, &one["incident"]),
        splitting(&one["incident"], &nothing),
        splitting(&one["incident"], &of_lbr["id"]),
        splitting(&elsewhere["incident"], &of_lbr["id"]),
        splitting(&elsewhere["incident"], &two["id"]),
    ] {
        assert_eq!(answer.expect(404).body, none.body);
    }
}

#[test]
fn a_merge_and_a_split_are_made_on_what_was_read() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let (one, two) = (submit(&app, &json!({})), submit(&app, &json!({})));
    let merging = json!({"incidents": [two["incident"]], "reason": "the same"});
    let splitting = json!({"reports": [two["id"]], "reason": "not the same"});
    reviewer.set_status(&one["incident"], "in_review");

    for (act, body) in [("merge", &merging), ("split", &splitting)] {
        let path = format!("{}/{act}", path_of(&one["incident"]));
        reviewer.post(&path, body).expect_problem(428, "precondition_required");
        let stale = act_on(&reviewer, (act, &one["incident"], &json!(1)), body);
        let stale = stale.expect_problem(412, "precondition_failed").json();
        assert_eq!(
            (&stale["current"]["version"], &stale["current"]["status"]),
            (&json!(2), &json!("in_review"))
        );
    }
}

/// What is kept of one incident: version, statuses and fields of its decisions, acts and their details, kinds of change.
type Trail = (Vec<(i32, String, String, String)>, Vec<(String, String)>, Vec<String>);

fn trail_of(app: &TestApp, incident: &Value) -> Trail {
    let id: IncidentId = Id::parse(incident.as_str().expect("an id")).expect("an id");
    let subject = Id::<sentinelle::db::rows::Any>::from_uuid(id.uuid());
    let sealer = app.context.clone();
    let found = app.context.db.read_here(move |conn| {
        let row: i64 =
            incidents::table.filter(incidents::uuid.eq(id)).select(incidents::id).first(conn)?;
        let of_incident = decisions::table.filter(decisions::incident_id.eq(row));
        let decisions: Vec<(sentinelle::ids::DecisionId, i32, String, String, String)> =
            of_incident
                .order(decisions::version)
                .select((
                    decisions::uuid,
                    decisions::version,
                    decisions::from_status,
                    decisions::to_status,
                    decisions::fields,
                ))
                .load(conn)?;
        for (decision, ..) in &decisions {
            let owner = Owner { kind: OwnerKind::Decision, id: decision.uuid() };
            let (_, content) =
                sentinelle::db::sealed::find_part(conn, owner, Part::Reason)?.expect("a reason");
            let reason = sealer.sealer.open(owner, Part::Reason, 1, &content)?;
            assert!(
                ["the same shooting", "two shootings after all"]
                    .iter()
                    .any(|right| reason.as_slice() == right.as_bytes())
            );
        }
        let acts = audit_entries::table
            .filter(audit_entries::subject_id.eq(subject))
            .order((audit_entries::chain, audit_entries::position))
            .select((audit_entries::action, audit_entries::detail))
            .load(conn)?;
        let kinds = changes::table
            .filter(changes::incident_id.eq(row))
            .order((changes::seq, changes::kind))
            .select(changes::kind)
            .load(conn)?;
        let told =
            decisions.into_iter().map(|(_, version, from, to, fields)| (version, from, to, fields));
        Ok((told.collect(), acts, kinds))
    });
    found.expect("a trail")
}

#[test]
fn every_incident_it_touches_keeps_who_when_why_and_announces_it() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let [a, b, c] = [0, 1, 2].map(|_| submit(&app, &json!({})));
    let [of_a, of_b, of_c] = [&a, &b, &c].map(|one| &one["incident"]);
    merge(&reviewer, of_b, &[of_c]).expect(200);
    merge(&reviewer, of_a, &[of_b]).expect(200);
    split(&reviewer, of_a, &[&c["id"]]).expect(200);

    let text = |text: &Value| text.as_str().expect("an id").to_owned();
    let (into_a, into_b) = (format!("into {}", text(of_a)), format!("into {}", text(of_b)));
    let out_of_a = format!("out of {}", text(of_a));
    let made = |version: i32, fields: &str| {
        (version, "received".to_owned(), "received".to_owned(), fields.to_owned())
    };
    let act = |act: &str, detail: &str| (act.to_owned(), detail.to_owned());
    let kinds = |kinds: &[&str]| kinds.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        trail_of(&app, of_a),
        (
            vec![made(2, "reports"), made(3, "reports")],
            vec![act("merged", "took 1"), act("split", "gave 1")],
            kinds(&["created", "merged", "split"])
        )
    );
    assert_eq!(
        trail_of(&app, of_b),
        (
            vec![made(2, "reports"), made(3, "merged_into")],
            vec![act("merged", "took 1"), act("merged", &into_a)],
            kinds(&["created", "merged", "merged"])
        )
    );
    assert_eq!(
        trail_of(&app, of_c),
        (
            vec![made(2, "merged_into"), made(3, "merged_into"), made(4, "merged_into")],
            vec![act("merged", &into_b), act("merged", &into_a), act("split", &out_of_a)],
            kinds(&["created", "merged", "merged", "split"])
        )
    );
}

#[test]
fn links_of_the_merged_are_links_of_the_survivor_and_go_back_with_it() {
    let app = TestApp::start();
    let lead = app.user(Role::RegionalLead, "SLE,CAF");
    let [one, two] = [0, 1].map(|_| submit(&app, &json!({})));
    let abroad = submit(&app, &json!({"location": {"country": "CAF"}}))["incident"].clone();
    let other_abroad = submit(&app, &json!({"location": {"country": "CAF"}}))["incident"].clone();
    let (survivor, absorbed) = (&one["incident"], &two["incident"]);
    let relate = |incident: &Value, others: &[&Value]| {
        let body = json!({"incidents": others, "reason": "the same lot"});
        lead.post(&format!("{}/related", path_of(incident)), &body).expect(204);
    };
    relate(absorbed, &[survivor, &abroad]);
    relate(survivor, &[&other_abroad]);
    let related = |incident: &Value| read(&lead, incident)["related"].clone();

    merge(&lead, survivor, &[absorbed]).expect(200);
    assert_eq!(related(survivor), json!([abroad, other_abroad]), "and not itself");
    assert_eq!(related(absorbed), json!([abroad]));
    assert_eq!(related(&abroad), json!([survivor]));
    merge(&lead, &abroad, &[&other_abroad]).expect(200);
    assert_eq!(related(survivor), json!([abroad]), "once");

    let from_abroad = read(&lead, &abroad)["absorbed"][0]["reports"][0].clone();
    split(&lead, &abroad, &[&from_abroad]).expect(200);
    split(&lead, survivor, &[&two["id"]]).expect(200);
    assert_eq!(related(absorbed), json!([survivor, abroad]));
    assert_eq!(related(survivor), json!([absorbed, other_abroad]));

    merge(&lead, survivor, &[absorbed]).expect(200);
    lead.remove(&format!("{}/related/{}", path_of(survivor), abroad.as_str().expect("an id")))
        .expect(204);
    assert_eq!(related(survivor), json!([other_abroad]), "what is shown can be undone");
}

#[test]
fn a_reveal_on_the_survivor_names_the_people_of_all_its_reports() {
    let app = TestApp::start();
    let reviewer = app.user(Role::Reviewer, "SLE");
    let_reveal(&app, &reviewer);
    let people = |name: &str| json!({"people": [{"name": name, "role": "witness"}]});
    let (one, two) = (submit(&app, &people("Wata")), submit(&app, &people("Vandi")));
    merge(&reviewer, &one["incident"], &[&two["incident"]]).expect(200);
    let reveal = |incident: &Value| {
        let body = json!({"reason": "to call them back"});
        reviewer.post(&format!("{}/reveal", path_of(incident)), &body).expect(200).text()
    };

    let (of_survivor, of_absorbed) = (reveal(&one["incident"]), reveal(&two["incident"]));

    assert!(of_survivor.contains("Wata") && of_survivor.contains("Vandi"), "{of_survivor}");
    assert!(!of_absorbed.contains("Vandi"), "its report is elsewhere");
    split(&reviewer, &one["incident"], &[&two["id"]]).expect(200);
    assert!(!reveal(&one["incident"]).contains("Vandi"));
    assert!(reveal(&two["incident"]).contains("Vandi"));
}

fn erase(app: &TestApp, report: &Value) {
    let path = format!("/v1/reports/{}", report["id"].as_str().expect("an id"));
    let why = json!({"reason": "the source asked for it"});
    app.user(Role::Coordinator, "all").delete(&path, &why).expect(204);
}

#[test]
fn erasing_a_merged_report_empties_the_incident_it_opened_too() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let one = submit(&app, &json!({}));
    let two = submit(
        &app,
        &json!({"harm": {"killed": 3},
        "location": {"country": "SLE", "lat": 7.8769, "lon": -11.1903}}),
    );
    reviewer.set_status(&two["incident"], "verified");
    merge(&reviewer, &one["incident"], &[&two["incident"]]).expect(200);
    assert_eq!(read(&reviewer, &one["incident"])["harm"]["killed"]["max"], 3);

    erase(&app, &two);

    let left = read(&reviewer, &one["incident"]);
    assert_eq!((&left["reports"], &left["harm"]), (&json!(1), &json!({})));
    assert_eq!((&left["status"], &left["version"]), (&json!("received"), &json!(3)));
    let gone = read(&reviewer, &two["incident"]);
    assert_eq!((&gone["merged_into"], &gone["status"]), (&one["incident"], &json!("withdrawn")));
    assert_eq!((&gone["harm"], &gone["categories"]), (&json!({}), &json!([])));
    assert_eq!((&gone["place"], &gone["occurred"]), (&Value::Null, &Value::Null));
    assert_eq!(gone["version"], 4);
}

#[test]
fn an_incident_lives_on_by_the_reports_of_others_and_not_without_them() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let one = submit(&app, &json!({}));
    let two = submit(&app, &json!({"harm": {"killed": 3}}));
    reviewer.set_status(&one["incident"], "verified");
    merge(&reviewer, &one["incident"], &[&two["incident"]]).expect(200);

    erase(&app, &one);

    let left = read(&reviewer, &one["incident"]);
    assert_eq!((&left["status"], &left["reports"]), (&json!("verified"), &json!(1)));
    assert_eq!(left["harm"]["killed"]["min"], 3, "those of the report that is left");

    let apart = split(&reviewer, &one["incident"], &[&two["id"]]).expect(200).json();

    let left = &apart["incident"];
    assert_eq!((&left["status"], &left["reports"]), (&json!("withdrawn"), &json!(0)));
    assert_eq!((&left["harm"], &left["categories"]), (&json!({}), &json!([])), "not the other's");
    assert_eq!(apart["revived"][0]["harm"]["killed"]["min"], 3);
    assert_eq!(count(&reviewer, "status=all")["total"]["killed"]["min"], 3);
}

#[test]
fn a_verified_incident_that_could_not_be_verified_now_goes_back_to_review() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let one = submit(&app, &json!({}));
    // A point in the Central African Republic that a reviewer set right; the report itself stays as it was sent.
    let two = submit(&app, &json!({"location": {"country": "SLE", "lat": 4.3612, "lon": 18.555}}));
    let settled =
        json!({"location": {"country": "SLE", "lat": 8.0, "lon": -11.1}, "reason": "a slip"});
    reviewer.decide(&two["incident"], &settled).expect(200);
    reviewer.set_status(&one["incident"], "verified");
    merge(&reviewer, &one["incident"], &[&two["incident"]]).expect(200);
    assert_eq!(read(&reviewer, &one["incident"])["status"], "verified", "the place is its own");

    erase(&app, &one);

    let left = read(&reviewer, &one["incident"]);
    assert_eq!((&left["status"], &left["country_computed"]), (&json!("in_review"), &json!("CAF")));
    assert_eq!(count(&reviewer, "status=all")["reconciliation"]["excluded"]["mismatch"], 1);
}

#[test]
fn one_incident_takes_no_more_reports_than_can_be_overlooked() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let lines: Vec<String> = (0..501)
        .map(|_| {
            json!({"id": Uuid::new_v4(), "narrative": Uuid::new_v4(), "occurred": "2024-03-05",
                "location": {"country": "SLE"}})
            .to_string()
        })
        .collect();
    let headers = [("content-type", "application/x-ndjson")];
    app.monitor().post_bytes("/v1/reports", &headers, lines.join("\n").as_bytes()).expect(200);
    let listed = reviewer.get("/v1/incidents?status=all&limit=1000").expect(200).json();
    let ids: Vec<&Value> =
        listed["items"].as_array().expect("items").iter().map(|item| &item["id"]).collect();
    let (survivor, others) = ids.split_first().expect("a first");
    assert_eq!(others.len(), 500);

    for fifty in others[..450].chunks(50) {
        merge(&reviewer, survivor, fifty).expect(200);
    }
    let refused = merge(&reviewer, survivor, &others[450..]);

    assert!(refused.expect_problem(422, "not_mergeable").text().contains("up to 500"));
    let last = merge(&reviewer, survivor, &others[450..499]).expect(200).json();
    assert_eq!(last["reports"], 500);
    assert_eq!(count(&reviewer, "status=all")["total"], {
        let mut total = count(&reviewer, "status=received")["total"].clone();
        total["reports"] = json!(501);
        total
    });
}
