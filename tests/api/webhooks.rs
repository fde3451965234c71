//! Webhooks: one event a change, the same on every try, in order, for as long as its owner may see it, and never inwards.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, TimeDelta};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::types::Role;
use sentinelle::config::NotifyConfig;
use sentinelle::db::schema::{outbox, sealed};
use sentinelle::error::{Code, Error};
use sentinelle::notify::webhooks::outbox as events;
use sentinelle::notify::worker::run_once;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApp, TestOptions};
use crate::process::Served;
use crate::receiver::Receiver;
use crate::scope::disable;

fn killing(country: &str) -> Value {
    json!({"id": Uuid::new_v4(), "occurred": "2024-03-05", "location": {"country": country, "place": "CANARY"},
        "categories": ["rights.life_integrity.killing"], "narrative": "CANARY: two were shot",
        "people": [{"name": "CANARY-name", "role": "victim"}]})
}

fn open_case(app: &TestApp, country: &str) -> Value {
    app.monitor().submit(&killing(country))["incident"].clone()
}

/// Makes a webhook to `receiver`; returns its path and secret.
fn hook(owner: &Client, receiver: &Receiver, scope: &str) -> (String, String) {
    let body = json!({"url": receiver.url(), "scope": scope});
    let made = owner.post("/v1/webhooks", &body).expect(201).json();
    let text = |name: &str| made[name].as_str().expect("a text").to_owned();
    (format!("/v1/webhooks/{}", text("id")), text("secret"))
}

/// Moves the clock on by so many minutes.
fn pass(app: &TestApp, minutes: i64) {
    let later = app.context.clock.now() + TimeDelta::minutes(minutes);
    app.set_now(&later.to_rfc3339());
}

fn deliver(app: &TestApp) {
    run_once(&app.context).expect("the database works");
}

#[test]
fn c70_a_change_is_one_event_with_one_body_however_often_it_is_tried() {
    let app = TestApp::start();
    let (reviewer, lead) = (app.reviewer(), app.user(Role::RegionalLead, "region:west"));
    let receiver = Receiver::start(&[500, 500, 200]);
    let (path, secret) = hook(&lead, &receiver, "SLE");
    let incident = open_case(&app, "SLE");

    deliver(&app);
    assert_eq!(receiver.taken().len(), 1, "it is not tried again at once");
    // The report is edited meanwhile.
    reviewer.set_status(&incident, "in_review");
    pass(&app, 1);
    deliver(&app);
    assert_eq!(receiver.taken().len(), 2, "the later event waits for the first");
    let seen = lead.get(&path).expect(200).json();
    assert_eq!((&seen["state"], &seen["pending"]), (&json!("active"), &json!(2)));
    assert_eq!(seen["failure"], "http_500");
    pass(&app, 2);
    deliver(&app);

    let taken = receiver.taken();
    assert_eq!(taken.len(), 4);
    let ids: BTreeSet<&String> = taken[..3].iter().map(|one| &one.headers["webhook-id"]).collect();
    let bodies: BTreeSet<&String> = taken[..3].iter().map(|one| &one.body).collect();
    assert_eq!((ids.len(), bodies.len()), (1, 1), "one event on all three tries");
    let (first, second) = (taken[2].json(), taken[3].json());
    assert_eq!(first["id"], json!(taken[2].headers["webhook-id"]));
    assert_eq!((&first["kind"], &second["kind"]), (&json!("created"), &json!("changed")));
    assert_eq!(
        (&first["type"], &second["type"]),
        (&json!("incident.created"), &json!("incident.changed"))
    );
    assert_eq!((&first["incident"], &first["country"]), (&incident, &json!("SLE")));
    assert_eq!((&first["version"], &second["version"]), (&json!(1), &json!(2)));
    assert_ne!(second["id"], first["id"]);
    assert!(second["seq"].as_i64() > first["seq"].as_i64());
    for one in &taken {
        assert_eq!(one.head, "POST /hook?for=sentinelle HTTP/1.1");
        assert_eq!(one.headers["content-type"], "application/json");
        assert!(one.is_signed(&secret), "{one:?}");
        assert!(!one.body.contains("CANARY") && !one.body.contains("killing"), "{one:?}");
        let names: BTreeSet<String> =
            one.json().as_object().expect("an object").keys().cloned().collect();
        let right = ["changed_at", "country", "id", "incident", "kind", "seq", "type", "version"];
        assert_eq!(names, right.map(str::to_owned).into());
    }
    assert!(DateTime::parse_from_rfc3339(first["changed_at"].as_str().expect("a time")).is_ok());
    // The signature is made anew on each try: its time is that of the try.
    assert_ne!(taken[0].headers["webhook-timestamp"], taken[2].headers["webhook-timestamp"]);
    let seen = lead.get(&path).expect(200).json();
    assert_eq!((&seen["pending"], &seen["sent_at"].is_string()), (&json!(0), &true));
    let told = lead.get("/v1/changes?after=0").expect(200).json();
    assert_eq!(told["items"][0]["id"], first["id"], "the feed tells of it under the same id");
    deliver(&app);
    assert_eq!(receiver.taken().len(), 4, "and never again");
}

#[test]
fn what_was_rolled_back_is_not_sent_and_what_a_dead_server_left_is() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let receiver = Receiver::start(&[]);
    hook(&coordinator, &receiver, "all");
    let incident = open_case(&app, "ZWE");
    deliver(&app);
    assert_eq!(receiver.taken().len(), 1);

    let rolled_back = app.context.db.write_here(|tx| {
        tx.changed(1, sentinelle::db::writer::ChangeKind::Decided);
        Err::<(), _>(Error::new(Code::Unavailable))
    });
    assert!(rolled_back.is_err());
    deliver(&app);
    assert_eq!(receiver.taken().len(), 1, "nothing is sent of what never was");

    app.reviewer().set_status(&incident, "verified");
    assert_eq!(events::fill(&app.context).expect("the database works"), 1);
    // A server takes the event and dies before it sends.
    let now = app.context.clock.now();
    let taken = app.context.db.write_here(move |tx| Ok(events::take(tx.conn, now)?));
    assert!(taken.expect("the database works").is_some());
    deliver(&app);
    assert_eq!(receiver.taken().len(), 1, "meanwhile it belongs to whoever took it");
    pass(&app, 2);
    deliver(&app);
    assert_eq!(receiver.taken().len(), 2);
    assert_eq!(receiver.taken()[1].json()["kind"], "changed");
}

#[test]
fn of_two_servers_each_event_is_sent_by_one() {
    let app = TestApp::start();
    let second = app.second_server();
    let coordinator = app.user(Role::Coordinator, "all");
    let receivers: Vec<Receiver> = (0..4).map(|_| Receiver::start(&[])).collect();
    for receiver in &receivers {
        hook(&coordinator, receiver, "SLE");
    }
    let (monitor, is_done) = (app.monitor(), AtomicBool::new(false));

    std::thread::scope(|scope| {
        scope.spawn(|| {
            for nth in 0..40 {
                let monitor = monitor.at(if nth % 2 == 0 { &app.url } else { &second.url });
                monitor.submit(&killing("SLE"));
            }
            is_done.store(true, Ordering::Relaxed);
        });
        for context in [&app.context, &second.context, &app.context, &second.context] {
            let is_done = &is_done;
            scope.spawn(move || {
                while !is_done.load(Ordering::Relaxed) {
                    run_once(context).expect("the database works");
                }
            });
        }
    });
    deliver(&app);

    for receiver in &receivers {
        let taken = receiver.taken();
        let ids: BTreeSet<&String> = taken.iter().map(|one| &one.headers["webhook-id"]).collect();
        assert_eq!((taken.len(), ids.len()), (40, 40), "each once");
        let seqs: Vec<i64> =
            taken.iter().map(|one| one.json()["seq"].as_i64().expect("a number")).collect();
        assert!(seqs.is_sorted(), "in order: {seqs:?}");
    }
}

#[test]
fn a_server_that_is_killed_leaves_its_events_to_the_next() {
    let app = TestApp::start();
    let owner = app.user(Role::Coordinator, "all");
    let receiver = Receiver::start(&[]);
    hook(&owner, &receiver, "all");
    let lab = ["--webhook-allow", "127.0.0.0/8"];
    let mut served = Served::start_with(&app, "UTC", &lab);
    let monitor = app.monitor().at(&served.url);
    for _ in 0..5 {
        monitor.submit(&killing("SLE"));
    }
    served.kill();

    let served = Served::start_with(&app, "UTC", &lab);
    let begun_at = std::time::Instant::now();
    // The program has the machine's clock: an event that the first one had taken comes due after half a minute.
    let is_there = || {
        let ids: BTreeSet<String> =
            receiver.taken().iter().map(|one| one.headers["webhook-id"].clone()).collect();
        ids.len() == 5
    };
    while !is_there() && begun_at.elapsed().as_secs() < 90 {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(is_there(), "{:?}", receiver.taken());
    assert!(receiver.taken().len() <= 6, "at most the one that was on its way came twice");
    let words = String::from_utf8_lossy(&served.end_and_tell()).into_owned();
    assert!(!words.contains("hook?for"), "{words}");
}

#[test]
fn who_lost_a_country_a_role_or_the_account_is_sent_nothing_more() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let (lead, id) = app.user_with_id(Role::RegionalLead, "SLE,LBR");
    let receiver = Receiver::start(&[500]);
    let (path, _) = hook(&lead, &receiver, "SLE,LBR");
    open_case(&app, "SLE");
    deliver(&app);
    assert_eq!(receiver.taken().len(), 1, "it is tried, and to be tried again");

    let grants = coordinator.get(&format!("/v1/grants?user={id}")).expect(200).json();
    let grant = grants["items"].as_array().expect("items").iter().find(|one| one["scope"] == "SLE");
    let grant = grant.expect("a grant")["id"].as_str().expect("an id").to_owned();
    coordinator.remove(&format!("/v1/grants/{grant}")).expect(204);
    pass(&app, 5);
    deliver(&app);
    assert_eq!(receiver.taken().len(), 1, "the country is not theirs any more");
    open_case(&app, "SLE");
    open_case(&app, "LBR");
    deliver(&app);
    assert_eq!(receiver.taken().len(), 2);
    assert_eq!(receiver.taken()[1].json()["country"], "LBR");
    assert_eq!(lead.get(&path).expect(200).json()["pending"], 0);

    open_case(&app, "LBR");
    disable(&app, &lead);
    deliver(&app);
    assert_eq!(receiver.taken().len(), 2, "nor is anything, once the account is disabled");
}

#[test]
fn what_is_not_delivered_in_two_days_stops_the_webhook_until_its_owner_sets_it_going() {
    let app = TestApp::start();
    let lead = app.user(Role::RegionalLead, "SLE");
    let receiver = Receiver::start(&[503; 100]);
    let (path, _) = hook(&lead, &receiver, "SLE");
    for _ in 0..2 {
        open_case(&app, "SLE");
    }
    for _ in 0..20 {
        deliver(&app);
        pass(&app, 10 * 60);
    }
    assert_eq!(receiver.taken().len(), 15, "fifteen tries of the first, none of the second");
    let seen = lead.get(&path).expect(200).json();
    assert_eq!((&seen["state"], &seen["failure"]), (&json!("failing"), &json!("http_503")));

    receiver.answer(&[]);
    deliver(&app);
    assert_eq!(receiver.taken().len(), 15);
    let body = json!({"url": receiver.url(), "scope": "SLE", "active": true});
    lead.put(&path, &body).expect(200);
    deliver(&app);
    let taken = receiver.taken();
    assert_eq!(taken.len(), 17, "nothing is lost");
    assert_eq!(taken[15].headers["webhook-id"], taken[0].headers["webhook-id"]);

    receiver.answer(&[410]);
    open_case(&app, "SLE");
    deliver(&app);
    assert_eq!(lead.get(&path).expect(200).json()["state"], "gone");
}

#[test]
fn a_secret_is_shown_once_and_sealed_and_a_new_one_ends_it() {
    let app = TestApp::start();
    let lead = app.user(Role::RegionalLead, "SLE");
    let receiver = Receiver::start(&[]);
    let (path, secret) = hook(&lead, &receiver, "SLE");
    assert!(!lead.get(&path).expect(200).text().contains("whsec_"));
    assert!(!lead.get("/v1/webhooks").expect(200).text().contains("whsec_"));
    let blobs: Vec<Vec<u8>> = app
        .context
        .db
        .read_here(|conn| {
            let of_hooks = sealed::table.filter(sealed::owner_kind.eq("webhook"));
            Ok(of_hooks.select(sealed::blob).load(conn)?)
        })
        .expect("the blobs");
    assert_eq!(blobs.len(), 2, "address and secret");

    let tried = lead.post(&format!("{path}/test"), &json!({})).expect(200).json();
    assert_eq!((&tried["delivered"], &tried["status"]), (&json!(true), &json!(204)));
    let test = receiver.taken().pop().expect("a trial");
    assert_eq!(test.json(), json!({"type": "test", "id": tried["id"]}));
    assert!(test.is_signed(&secret));

    let body = json!({"url": receiver.url(), "scope": "SLE", "active": true, "new_secret": true});
    let changed = lead.put(&path, &body).expect(200).json();
    let new = changed["secret"].as_str().expect("a secret").to_owned();
    lead.post(&format!("{path}/test"), &json!({})).expect(200);
    let test = receiver.taken().pop().expect("a trial");
    assert!(test.is_signed(&new) && !test.is_signed(&secret));

    lead.remove(&path).expect(204);
    lead.get(&path).expect_problem(404, "not_found");
    let n_left: i64 = app
        .context
        .db
        .read_here(|conn| Ok(outbox::table.count().get_result(conn)?))
        .expect("a count");
    assert_eq!(n_left, 0);
}

#[test]
fn a_webhook_tells_of_the_kinds_and_from_the_change_that_were_asked_for() {
    let app = TestApp::start();
    let lead = app.user(Role::RegionalLead, "SLE");
    let (reviewer, receiver) = (app.reviewer(), Receiver::start(&[]));
    let incident = open_case(&app, "SLE");
    let as_of = lead.get("/v1/incidents?status=all").expect(200).json()["as_of"].clone();
    reviewer.set_status(&incident, "in_review");
    reviewer.set_status(&incident, "rejected");
    let body = json!({"url": receiver.url(), "scope": "SLE", "kinds": ["rejected", "withdrawn"], "after": as_of});
    lead.post("/v1/webhooks", &body).expect(201);

    deliver(&app);

    let kinds: Vec<Value> = receiver.taken().iter().map(|one| one.json()["kind"].clone()).collect();
    assert_eq!(kinds, ["rejected"]);
}

#[test]
fn what_cannot_be_is_refused_where_it_stands() {
    let app = TestApp::start();
    let lead = app.user(Role::RegionalLead, "SLE");
    let right = json!({"url": "http://127.0.0.1:9/", "scope": "SLE"});
    for (name, value, pointer) in [
        ("url", json!("ftp://127.0.0.1/"), "/url"),
        ("url", json!("https://user@127.0.0.1/"), "/url"),
        ("scope", json!("XYZ"), "/scope"),
        ("scope", json!("LBR"), "/scope"),
        ("scope", json!("all"), "/scope"),
        ("scope", json!("region:nowhere"), "/scope"),
        ("kinds", json!([]), "/kinds"),
        ("kinds", json!(["created", "made"]), "/kinds/1"),
        ("after", json!(-1), "/after"),
        ("after", json!(1_000_000), "/after"),
    ] {
        let mut body = right.clone();
        body[name] = value;
        let refused = lead.post("/v1/webhooks", &body).expect_problem(422, "invalid_fields");
        assert_eq!(refused.pointers(), [pointer], "{body}");
    }
    let mut body = right.clone();
    body["headers"] = json!({"x": "y"});
    lead.post("/v1/webhooks", &body).expect_problem(400, "unknown_field");
    for _ in 0..20 {
        lead.post("/v1/webhooks", &right).expect(201);
    }
    lead.post("/v1/webhooks", &right).expect_problem(422, "invalid_fields");
}

/// Hosts by which a webhook would be led inwards, however they are written.
const INSIDE: &[&str] = &[
    "127.0.0.1",
    "127.0.0.2",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "017700000001",
    "0.0.0.0",
    "localhost",
    "localhost.localdomain",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[0:0:0:0:0:ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "192.0.0.192",
    "100.100.100.200",
    "168.63.129.16",
    "224.0.0.1",
    "255.255.255.255",
    "203.0.113.1",
    "[2001:db8::1]",
    "user@127.0.0.1",
    "example.org@127.0.0.1",
    "127.0.0.1#.example.org",
    "127.0.0.1\\.example.org",
    "\u{2460}27.0.0.1",
];

/// As security.md 30 and 31 have them: the ways in which a webhook is led inwards.
#[test]
fn s30_s31_nothing_inside_is_ever_connected_to() {
    let open = TestOptions { notify: NotifyConfig::default(), ..TestOptions::default() };
    let app = TestApp::start_with(open);
    let lead = app.user(Role::RegionalLead, "SLE");
    let inside = Receiver::start(&[]);
    let port = inside.port();
    let mut n_refused = 0;
    for host in INSIDE {
        for url in [
            format!("https://{host}/"),
            format!("https://{host}:{port}/"),
            format!("http://{host}:{port}/"),
        ] {
            let body = json!({"url": url, "scope": "SLE"});
            let refused = lead.post("/v1/webhooks", &body).expect_problem(422, "invalid_fields");
            assert_eq!(refused.pointers(), ["/url"], "{url}");
            assert!(!refused.text().contains(host), "it is not repeated: {}", refused.text());
            n_refused += 1;
        }
    }
    assert!(n_refused >= 60);
    assert_eq!(inside.taken(), []);
}

#[test]
fn what_was_made_where_a_lab_allowed_it_is_refused_on_test_update_and_sending() {
    let open = TestOptions { notify: NotifyConfig::default(), ..TestOptions::default() };
    let app = TestApp::start_with(open);
    let lead = app.user(Role::RegionalLead, "SLE");
    let inside = Receiver::start(&[]);
    let lab = app.second_server();
    let lead_there = lead.at(&lab.url);
    let (path, _) = hook(&lead_there, &inside, "SLE");
    let tried = lead.post(&format!("{path}/test"), &json!({})).expect(200).json();
    assert_eq!(
        (&tried["delivered"], &tried["failure"]),
        (&json!(false), &json!("address_refused"))
    );
    let same = json!({"url": inside.url(), "scope": "SLE", "active": true});
    lead.put(&path, &same).expect_problem(422, "invalid_fields");
    open_case(&app, "SLE");
    deliver(&app);
    assert_eq!(inside.taken(), []);
    assert_eq!(lead.get(&path).expect(200).json()["failure"], "address_refused");
}

#[test]
fn webhooks_of_others_are_there_for_whoever_manages_them() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let (lead, id) = app.user_with_id(Role::RegionalLead, "SLE");
    let other = app.user(Role::RegionalLead, "SLE");
    let receiver = Receiver::start(&[]);
    let (path, _) = hook(&lead, &receiver, "SLE");

    let list = coordinator.get(&format!("/v1/webhooks?user={id}")).expect(200).json();
    assert_eq!((&list["total"], &list["items"][0]["owner"]), (&json!(1), &json!(id.to_string())));
    assert_eq!(coordinator.get("/v1/webhooks").expect(200).json()["total"], 0);
    other.get(&format!("/v1/webhooks?user={id}")).expect_problem(404, "not_found");
    other.get(&path).expect_problem(404, "not_found");
    other.remove(&path).expect_problem(404, "not_found");
    coordinator.remove(&path).expect(204);
}
