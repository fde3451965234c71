//! The queue: what waits, most urgent first, for whom, page by page.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::types::Role;
use sentinelle::db::schema::incidents;
use sentinelle::db::writer::ChangeKind;
use sentinelle::ids::{Id, IncidentId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApp};
use crate::together::add_source;

const CLASH: &str = "rights.armed_actors.security_miners_clash";
const BREACH: &str = "governance.benefit_sharing.benefit_agreement_breached";
const KILLING: &str = "rights.life_integrity.killing";

/// A report from Sierra Leone with words of its own; the same content twice from one sender is a retry.
fn report(category: Option<&str>, more: &Value) -> Value {
    let mut report = json!({"narrative": Uuid::new_v4(), "occurred": "2024-03-05",
        "location": {"country": "SLE"}, "categories": category.into_iter().collect::<Vec<_>>()});
    let fields = report.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    report
}

fn submit(app: &TestApp, category: Option<&str>, more: &Value) -> Value {
    app.monitor().submit(&report(category, more))["incident"].clone()
}

fn queue(client: &Client, query: &str) -> Value {
    client.get(&format!("/v1/queue{query}")).expect(200).json()
}

fn ids(page: &Value) -> Vec<Value> {
    let items = page["items"].as_array().expect("items");
    items.iter().map(|item| item["id"].clone()).collect()
}

/// Marks an incident as merged into another, as a merge will.
fn merge(app: &TestApp, from: &Value, into: &Value) {
    let id = |id: &Value| -> IncidentId { Id::parse(id.as_str().expect("an id")).expect("an id") };
    let (from, into) = (id(from), id(into));
    let done = app.context.db.write_here(move |tx| {
        let find = |id| incidents::table.filter(incidents::uuid.eq(id)).select(incidents::id);
        let into: i64 = find(into).first(tx.conn)?;
        let from: i64 = find(from).first(tx.conn)?;
        diesel::update(incidents::table.find(from))
            .set(incidents::merged_into.eq(Some(into)))
            .execute(tx.conn)?;
        tx.changed(from, ChangeKind::Decided);
        Ok(())
    });
    done.expect("an update");
}

#[test]
fn the_most_urgent_comes_first_and_of_equals_the_oldest() {
    let app = TestApp::start();
    let good = Some("governance.benefit_sharing.community_fund_paid");
    let by_child = json!({"harm": {"injured": {"min": 1, "max": 2, "by": {"f_child": 1}}}});
    let none = json!({});
    let cases = [
        // Category, what else is told, its place in the queue, class, reasons.
        (good, none.clone(), 9, "normal", vec![]),
        (Some(CLASH), none.clone(), 5, "normal", vec!["severity_4"]),
        (Some(BREACH), none.clone(), 8, "normal", vec!["severity_2"]),
        (None, none.clone(), 7, "normal", vec!["uncategorised"]),
        (Some(KILLING), none.clone(), 2, "urgent", vec!["severity_5", "killed"]),
        (Some(CLASH), none.clone(), 6, "normal", vec!["severity_4"]),
        (Some(CLASH), by_child, 3, "urgent", vec!["severity_4", "minors"]),
        (Some(CLASH), json!({"ongoing": true}), 4, "urgent", vec!["severity_4", "ongoing"]),
        (
            Some(BREACH),
            json!({"source": {"at_risk": true}}),
            0,
            "urgent",
            vec!["severity_2", "source_at_risk"],
        ),
        (
            None,
            json!({"harm": {"killed": 1, "sexual_violence_survivors": 1}}),
            1,
            "urgent",
            vec!["severity_5", "uncategorised", "killed", "sexual_violence"],
        ),
    ];
    let mut right: Vec<(usize, Value, &str, Vec<&str>)> = cases
        .into_iter()
        .enumerate()
        .map(|(minute, (category, more, place, class, reasons))| {
            app.set_now(&format!("2024-04-01T12:{minute:02}:00Z"));
            (place, submit(&app, category, &more), class, reasons)
        })
        .collect();
    right.sort_by_key(|(place, ..)| *place);

    let page = queue(&app.reviewer(), "");

    let right_ids: Vec<Value> = right.iter().map(|(_, id, ..)| id.clone()).collect();
    assert_eq!(ids(&page), right_ids);
    for (item, (_, _, class, reasons)) in
        page["items"].as_array().expect("items").iter().zip(&right)
    {
        assert_eq!(item["urgency"], *class, "{item}");
        assert_eq!(item["urgency_reasons"], json!(reasons), "{item}");
    }
    assert_eq!(page["total"], 10);
    assert_eq!(page["next"], Value::Null);
}

#[test]
fn a_report_without_a_category_waits_as_uncategorised_and_cannot_be_verified() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let clash = submit(&app, Some(CLASH), &json!({}));
    let breach = submit(&app, Some(BREACH), &json!({}));
    let bare = submit(&app, None, &json!({}));

    let page = queue(&reviewer, "");
    let waiting = queue(&reviewer, "?flag=uncategorised");

    assert_eq!(ids(&page), [clash.clone(), bare.clone(), breach.clone()], "as a serious one");
    assert_eq!(ids(&waiting), std::slice::from_ref(&bare));
    let item = &waiting["items"][0];
    assert_eq!(item["flags"], json!(["uncategorised"]));
    assert_eq!((&item["categories"], &item["severity"]), (&json!([]), &Value::Null));
    let verified = json!({"status": "verified", "reason": "seen"});
    reviewer.decide(&bare, &verified).expect_problem(422, "category_required");
    assert_eq!(queue(&reviewer, "")["total"], 3, "it still waits");

    let categorised = json!({"categories": [KILLING], "reason": "a body was found"});
    reviewer.decide(&bare, &categorised).expect(200);
    let page = queue(&reviewer, "");
    assert_eq!(ids(&page), [bare.clone(), clash.clone(), breach.clone()], "and now it is urgent");
    assert_eq!(page["items"][0]["urgency_reasons"], json!(["severity_5", "killed"]));
    assert_eq!(queue(&reviewer, "?flag=uncategorised")["total"], 0);
    reviewer.decide(&bare, &verified).expect(200);
    assert_eq!(ids(&queue(&reviewer, "")), [clash, breach]);
}

#[test]
fn only_what_nobody_has_decided_waits() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let new = |status: &str| {
        let id = submit(&app, Some(CLASH), &json!({}));
        if status == "corroborated" {
            add_source(&app, &id);
        }
        if status != "received" {
            reviewer.set_status(&id, status);
        }
        id
    };
    let pending = ["received", "in_review", "needs_information", "received"].map(new);
    let decided =
        ["corroborated", "verified", "disputed", "unverifiable", "rejected", "withdrawn"].map(new);
    let test = submit(&app, Some(KILLING), &json!({"test": true}));
    let merged = new("received");
    merge(&app, &merged, &pending[0]);

    let page = queue(&reviewer, "");

    assert_eq!(ids(&page), pending);
    assert_eq!(page["total"], 4);
    let counts = json!({"received": 2, "in_review": 1, "needs_information": 1});
    assert_eq!(page["counts"], counts);
    let asked = queue(&reviewer, "?status=in_review");
    assert_eq!(ids(&asked), [pending[1].clone()]);
    assert_eq!((&asked["total"], &asked["counts"]), (&json!(1), &counts), "of all pending ones");
    let verified = queue(&reviewer, "?status=verified");
    assert_eq!(ids(&verified), [decided[1].clone()], "asked for, it is shown");
    assert_eq!(verified["counts"], counts);
    assert_eq!(queue(&reviewer, "?status=all")["total"], 10);
    assert_eq!(ids(&queue(&reviewer, "?include=test"))[0], test);
    reviewer.set_status(&decided[1], "in_review");
    assert_eq!(queue(&reviewer, "")["total"], 5, "reopened, it waits again");
}

#[test]
fn a_mismatch_waits_in_the_queues_of_both_countries() {
    let app = TestApp::start();
    let place = json!({"country": "COD", "lat": 6.4162, "lon": 20.8});
    let mismatch = submit(&app, Some(CLASH), &json!({"location": place}));
    let elsewhere = submit(&app, Some(CLASH), &json!({}));
    let of = |scope| app.user(Role::Reviewer, scope);

    for scope in ["COD", "CAF"] {
        let page = queue(&of(scope), "");
        assert_eq!(ids(&page), std::slice::from_ref(&mismatch), "{scope}");
        assert_eq!(page["items"][0]["flags"], json!(["country_mismatch"]));
        assert_eq!(page["counts"]["received"], 1, "{scope}");
        let flagged = queue(&of(scope), "?flag=country_mismatch");
        assert_eq!(ids(&flagged), std::slice::from_ref(&mismatch), "{scope}: a list of their own");
        assert_eq!(queue(&of(scope), "?include=test")["total"], 0, "{scope}: left out when asked");
    }
    assert_eq!(ids(&queue(&of("SLE"), "")), [elsewhere], "out of scope is absent");
    of("SLE").get("/v1/queue?country=COD").expect_problem(404, "not_found");
    let settled = json!({"reason": "a lost minus sign",
        "location": {"country": "COD", "lat": -6.4162, "lon": 20.8}});
    of("COD").decide(&mismatch, &settled).expect(200);
    assert_eq!(queue(&of("COD"), "")["total"], 1);
    assert_eq!(queue(&of("COD"), "?flag=country_mismatch")["total"], 0);
    assert_eq!(queue(&of("CAF"), "")["total"], 0);
}

#[test]
fn page_by_page_everything_comes_once_and_in_order_whatever_arrives_between() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let kinds = [Some(BREACH), Some(CLASH), None, Some(KILLING), Some(BREACH), Some(KILLING)];
    let first = kinds.map(|category| submit(&app, category, &json!({})));
    let right = [3, 5, 1, 2, 0, 4].map(|at: usize| first[at].clone());
    assert_eq!(ids(&queue(&reviewer, "?limit=6")), right);

    let mut path = "/v1/queue?limit=1".to_owned();
    let mut walked = Vec::new();
    let (mut urgent, mut late) = (Value::Null, Value::Null);
    for turn in 0.. {
        let answer = reviewer.get(&path).expect(200);
        let page = answer.json();
        walked.extend(ids(&page));
        let Some(next) = page["next"].as_str() else {
            assert_eq!(answer.header("link"), None);
            break;
        };
        let link = answer.header("link").expect("a link").to_owned();
        assert!(link.ends_with(">; rel=\"next\"") && link.contains(next), "{link}");
        path = link.trim_start_matches('<').split('>').next().expect("a path").to_owned();
        if turn == 2 {
            urgent = submit(&app, Some(KILLING), &json!({"ongoing": true}));
            late = submit(&app, Some(BREACH), &json!({}));
            reviewer.set_status(&first[2], "rejected");
            reviewer.set_status(&first[3], "verified");
        }
    }

    let [killed, killed_too, clash, _, breach, breach_too] = right;
    let expected = [&killed, &killed_too, &clash, &breach, &breach_too, &late].map(Clone::clone);
    assert_eq!(walked, expected, "what is decided is gone, nothing twice, nothing skipped");
    let anew = [urgent, killed_too, clash, breach, breach_too, late];
    assert_eq!(ids(&queue(&reviewer, "")), anew, "the newcomer stands on the first page");
}

#[test]
fn filters_narrow_the_queue_and_its_counts() {
    let app = TestApp::start();
    let clash = submit(&app, Some(CLASH), &json!({}));
    let ongoing = submit(&app, Some(KILLING), &json!({"location": {"country": "ZWE"}}));
    let breach = submit(&app, Some(BREACH), &json!({"occurred": "2024-02-01"}));
    let reviewer = app.reviewer();
    reviewer.set_status(&breach, "in_review");

    for (query, right) in [
        ("country=SLE", vec![&clash, &breach]),
        ("region=southern", vec![&ongoing]),
        ("theme=rights", vec![&ongoing, &clash]),
        ("category=governance.benefit_sharing", vec![&breach]),
        ("severity=4,5", vec![&ongoing, &clash]),
        ("channel=api", vec![&ongoing, &clash, &breach]),
        ("channel=sms", vec![]),
        ("from=2024-03", vec![&ongoing, &clash]),
        ("mapped=true", vec![]),
        ("status=received&country=SLE", vec![&clash]),
    ] {
        let page = queue(&reviewer, &format!("?{query}"));
        let right: Vec<Value> = right.into_iter().cloned().collect();
        assert_eq!(ids(&page), right, "{query}");
        assert_eq!(page["total"], right.len(), "{query}");
    }
    let counts = queue(&reviewer, "?country=SLE")["counts"].clone();
    assert_eq!(counts, json!({"received": 1, "in_review": 1, "needs_information": 0}));
    reviewer.get("/v1/queue?catgory=rights").expect_problem(400, "unknown_parameter");
    reviewer.get("/v1/queue?status=").expect_problem(400, "invalid_parameter");
    reviewer.get("/v1/queue?limit=0").expect_problem(400, "invalid_parameter");
    app.user(Role::Analyst, "all").get("/v1/queue?q=word").expect_problem(403, "forbidden");
}

#[test]
fn a_cursor_serves_its_own_queue_alone() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    for _ in 0..3 {
        submit(&app, Some(CLASH), &json!({}));
    }
    // The same filter, so that nothing but the route tells the two apart.
    let filters = "status=received,in_review,needs_information&include=mismatch&limit=1";
    let of_list = reviewer.get(&format!("/v1/incidents?{filters}")).expect(200).json();
    let of_list = of_list["next"].as_str().expect("a cursor").to_owned();
    let of_queue = queue(&reviewer, "?limit=1")["next"].as_str().expect("a cursor").to_owned();

    queue(&reviewer, &format!("?cursor={of_queue}"));
    queue(&reviewer, &format!("?{filters}&cursor={of_queue}"));
    for path in [
        format!("/v1/queue?cursor={of_list}"),
        format!("/v1/queue?{filters}&cursor={of_list}"),
        format!("/v1/incidents?{filters}&cursor={of_queue}"),
        format!("/v1/queue?country=SLE&cursor={of_queue}"),
        format!("/v1/queue?cursor={}", &of_queue[1..]),
        format!("/v1/queue?cursor=A{of_queue}"),
        "/v1/queue?cursor=".to_owned(),
        "/v1/queue?cursor=100".to_owned(),
    ] {
        reviewer.get(&path).expect_problem(400, "invalid_cursor");
    }
}

#[test]
fn an_item_is_the_core_and_the_time_only_its_country_team_sees() {
    let app = TestApp::start();
    let id = submit(&app, Some(CLASH), &json!({"narrative": "Words stay out of the queue."}));
    let path = format!("/v1/incidents/{}", id.as_str().expect("an id"));

    for (role, since, due) in [
        (Role::Reviewer, "2024-04-01T12:00:00Z", "2024-04-08T12:00:00Z"),
        (Role::RegionalLead, "2024-04-01T12:00:00Z", "2024-04-08T12:00:00Z"),
        (Role::Analyst, "2024-04-01", "2024-04-08"),
        (Role::Coordinator, "2024-04-01", "2024-04-08"),
    ] {
        let client = app.user(role, "SLE");
        let page = queue(&client, "");
        let keys: BTreeSet<&str> =
            page.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(keys, BTreeSet::from(["items", "next", "total", "as_of", "counts"]));
        let mut item = page["items"][0].clone();
        assert!(!item.to_string().contains("stay out"), "{role:?}");
        let fields = item.as_object_mut().expect("an object");
        assert_eq!(fields.remove("waiting_since"), Some(json!(since)), "{role:?}");
        assert_eq!(fields.remove("due_at"), Some(json!(due)), "{role:?}");
        assert_eq!(fields.remove("is_overdue"), Some(json!(false)));
        assert_eq!(fields.remove("urgency"), Some(json!("normal")));
        assert_eq!(fields.remove("urgency_reasons"), Some(json!(["severity_4"])));
        let mut incident = client.get(&path).expect(200).json();
        // Read alone it shows what its words suggest, what it is linked to and what it absorbed as well.
        for name in ["suggestions", "related", "absorbed", "consent"] {
            assert!(incident.as_object_mut().expect("an object").remove(name).is_some(), "{name}");
        }
        assert_eq!(item, incident, "{role:?}: the incident itself");
    }
    for role in [Role::Monitor, Role::Auditor, Role::Sysadmin] {
        app.user(role, "SLE").get("/v1/queue").expect_problem(403, "forbidden");
    }
    app.device("SLE").get("/v1/queue").expect_problem(403, "forbidden");
    app.anonymous().get("/v1/queue").expect_problem(401, "unauthenticated");
}
