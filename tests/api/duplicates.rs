//! Likely duplicates: found after the commit by place, day and what is told, in either language; shown within scope alone.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::types::Role;
use sentinelle::db::schema::{audit_entries, duplicate_pairs, sealed};
use sentinelle::ids::Id;
use sentinelle::review::duplicates::load::Memory;
use sentinelle::review::duplicates::worker::{Step, run_once, step};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApp, march, submit_march};
use crate::merging::{merge, path_of, read, split};
use crate::process::Served;

fn look(app: &TestApp) {
    run_once(&app.context).expect("the database works");
}

fn ask(client: &Client, incident: &Value) -> Value {
    client.get(&format!("{}/duplicates", path_of(incident))).expect(200).json()
}

fn listed(client: &Client, incident: &Value) -> Vec<Value> {
    let items = ask(client, incident)["items"].as_array().expect("a list").clone();
    items.into_iter().map(|item| item["incident"].clone()).collect()
}

fn dismiss(client: &Client, incident: &Value, other: &Value) -> u16 {
    let body = json!({"incident": other, "reason": "another pit"});
    client.post(&format!("{}/duplicates/dismissals", path_of(incident)), &body).status
}

/// Two guards shot two men near Koidu.
fn shooting(day: &str, narrative: &str) -> Value {
    json!({"occurred": day, "location": {"country": "SLE", "lat": 8.644, "lon": -10.971},
        "categories": ["rights.life_integrity.killing"], "narrative": narrative, "harm": {"killed": 2}})
}

const TOLD: &str =
    "Two diggers were shot dead by mine guards at the pit near Koidu. It was before dawn.";
const AGAIN: &str =
    "Before dawn the guards of the mine shot and killed two diggers close to Koidu.";
const IN_FRENCH: &str =
    "Avant l'aube les gardes de la mine ont abattu deux creuseurs dans la fosse près de Koidu.";

/// Tells of the shooting twice; returns both incidents.
fn told_twice(app: &TestApp) -> (Value, Value) {
    let submit = |text| app.monitor().submit(&shooting("2024-03-05", text))["incident"].clone();
    let both = (submit(TOLD), submit(AGAIN));
    look(app);
    both
}

#[test]
fn r1_and_r2_are_each_others_likely_duplicate_and_nothing_else_of_march_is() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let submitted = submit_march(&app.monitor(), &reviewer);
    let incident = |key: &str| &submitted[key]["incident"];
    assert_eq!(ask(&reviewer, incident("R1"))["as_of"], 0, "nothing was looked for yet");
    let coordinator = app.user(Role::Coordinator, "all");
    let metrics = || coordinator.get("/metrics").expect(200).text();
    assert!(!metrics().contains("\nsentinelle_duplicates_pending 0\n"), "it is behind");

    look(&app);
    assert!(metrics().contains("\nsentinelle_duplicates_pending 0\n"), "{}", metrics());

    for (one, other) in [("R1", "R2"), ("R2", "R1")] {
        let found = ask(&reviewer, incident(one));
        assert_eq!((&found["total"], &found["is_flood"]), (&json!(1), &json!(false)));
        let item = &found["items"][0];
        assert_eq!(&item["incident"], incident(other));
        assert!(item["score"].as_f64().expect("a number") >= 0.8, "{item}");
        assert_eq!(item["distance_m"], 200, "189 m, rounded up");
        assert_eq!(item["days_apart"], 0);
        assert_eq!(item["categories"], json!(["rights.life_integrity.killing"]));
        assert_eq!((&item["harm"], &item["sender"]), (&json!("agrees"), &json!("same")));
        assert!(item["text_similarity"].as_f64().expect("a number") > 0.3, "{item}");
        let codes: Vec<&str> = item["reasons"]
            .as_array()
            .expect("reasons")
            .iter()
            .map(|reason| reason["code"].as_str().expect("a code"))
            .collect();
        for code in ["distance", "same_day", "same_category", "harm_agrees", "same_sender"] {
            assert!(codes.contains(&code), "{code} in {codes:?}");
        }
    }
    for report in march()["reports"].as_array().expect("reports") {
        let key = report["key"].as_str().expect("a key");
        if !["R1", "R2"].contains(&key) {
            assert_eq!(listed(&reviewer, incident(key)), Vec::<Value>::new(), "{key}");
        }
    }
    let french = [("accept-language", "fr")];
    let path = format!("{}/duplicates", path_of(incident("R1")));
    let told = reviewer.get_with(&path, &french).expect(200).text();
    assert!(told.contains("à 200 m au plus"), "{told}");
}

#[test]
fn two_killings_at_one_mine_ten_days_apart_are_not_and_a_retelling_in_french_is() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let first = monitor.submit(&shooting("2024-03-05", TOLD))["incident"].clone();
    let later = monitor.submit(&shooting("2024-03-15", TOLD))["incident"].clone();
    let mut retold = shooting("2024-03-06", IN_FRENCH);
    retold["location"] = json!({"country": "SLE", "lat": 8.65, "lon": -10.98});
    retold.as_object_mut().expect("a report").remove("harm");
    let retold = app.user(Role::Monitor, "SLE").submit(&retold)["incident"].clone();

    look(&app);

    assert_eq!(listed(&reviewer, &first), std::slice::from_ref(&retold));
    assert_eq!(listed(&reviewer, &later), Vec::<Value>::new());
    let item = &ask(&reviewer, &retold)["items"][0];
    assert_eq!((&item["incident"], &item["days_apart"]), (&first, &json!(1)));
    let codes = item["reasons"].to_string();
    assert!(codes.contains("other_language") && codes.contains("other_sender"), "{codes}");
}

#[test]
fn what_is_found_does_not_depend_on_what_came_first() {
    let bodies: Vec<Value> = [
        ("2024-03-05", TOLD),
        ("2024-03-06", AGAIN),
        ("2024-03-07", IN_FRENCH),
        ("2024-03", "Guards killed two men at Koidu this month."),
        ("2024-03-05", "The river at Koidu is muddy since the dredges came."),
    ]
    .into_iter()
    .map(|(day, text)| {
        let mut body = shooting(day, text);
        body["id"] = json!(Uuid::new_v4());
        body
    })
    .chain([json!({"id": Uuid::new_v4(), "occurred": "2024-03-05", "narrative": AGAIN,
        "location": {"country": "SLE"}})])
    .collect();
    let found = |order: &[usize], is_looked_each: bool| -> Vec<String> {
        let app = TestApp::start();
        let mut told = Vec::new();
        for nth in order {
            let incident = app.monitor().submit(&bodies[*nth])["incident"].clone();
            told.push((*nth, incident));
            if is_looked_each {
                look(&app);
            }
        }
        look(&app);
        let reviewer = app.reviewer();
        let number =
            |id: &Value| told.iter().find(|(_, known)| known == id).expect("one of them").0;
        let mut pairs = Vec::new();
        for (nth, incident) in &told {
            for item in ask(&reviewer, incident)["items"].as_array().expect("a list") {
                pairs.push(format!("{nth} {} {}", number(&item["incident"]), item["score"]));
            }
        }
        pairs.sort();
        pairs
    };

    let at_once = found(&[0, 1, 2, 3, 4, 5], false);

    assert!(at_once.len() >= 6, "{at_once:?}");
    assert_eq!(found(&[5, 4, 3, 2, 1, 0], true), at_once);
    assert_eq!(found(&[2, 0, 5, 1, 4, 3], true), at_once);
}

#[test]
fn nobody_learns_of_one_outside_their_scope() {
    let app = TestApp::start();
    // On two sides of a border, some hundred metres apart; the second was placed in the other country by its sender.
    let (one, _) = told_twice(&app);
    let mut abroad = shooting("2024-03-05", AGAIN);
    abroad["location"] = json!({"country": "LBR"});
    let reviewer = app.reviewer();
    let abroad = app.monitor().submit(&abroad)["incident"].clone();
    look(&app);
    assert_eq!(
        listed(&reviewer, &abroad),
        Vec::<Value>::new(),
        "without points countries part them"
    );

    let moved = json!({"status": "in_review", "reason": "it was there",
        "location": {"country": "LBR", "lat": 7.1, "lon": -9.5}});
    let (first, second) = told_twice(&app);
    assert!(listed(&reviewer, &first).contains(&second));
    reviewer.decide(&second, &moved).expect(200);
    let local = app.user(Role::Reviewer, "SLE");
    // Before the worker has looked again.
    assert!(!listed(&local, &first).contains(&second));
    assert!(listed(&reviewer, &first).contains(&second));
    assert!(listed(&local, &first).contains(&one));
    let n_known = ask(&local, &first)["total"].as_u64().expect("a number");
    assert_eq!(read(&local, &first)["likely_duplicates"], n_known);
    assert_eq!(read(&reviewer, &first)["likely_duplicates"], n_known + 1);
    let path = format!("{}/duplicates", path_of(&second));
    local.get(&path).expect_problem(404, "not_found");
    assert_eq!(dismiss(&local, &first, &second), 404);
    assert_eq!(dismiss(&local, &first, &json!(Uuid::new_v4())), 404);
    // And after: 25 km are too far.
    look(&app);
    assert!(!listed(&reviewer, &first).contains(&second));
    for (role, right) in [(Role::Analyst, 403), (Role::Coordinator, 403), (Role::Monitor, 403)] {
        let path = format!("{}/duplicates", path_of(&first));
        assert_eq!(app.user(role, "SLE").get(&path).status, right, "{role:?}");
    }
    let analyst = read(&app.user(Role::Analyst, "SLE"), &first);
    assert_eq!(analyst.get("likely_duplicates"), None);
}

#[test]
fn what_was_merged_is_listed_no_more_and_comes_back_after_a_split() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let (one, other) = told_twice(&app);
    let third = app.monitor().submit(&shooting("2024-03-06", IN_FRENCH));
    look(&app);
    let third_incident = third["incident"].clone();
    let before: Vec<Value> = [&one, &other, &third_incident]
        .map(|incident| ask(&reviewer, incident)["items"].clone())
        .into();
    assert_eq!(before[0].as_array().map(Vec::len), Some(2));

    merge(&reviewer, &one, &[&other]).expect(200);

    for is_looked in [false, true] {
        assert_eq!(
            listed(&reviewer, &one),
            std::slice::from_ref(&third_incident),
            "looked again: {is_looked}"
        );
        assert_eq!(listed(&reviewer, &third_incident), std::slice::from_ref(&one));
        assert_eq!(listed(&reviewer, &other), Vec::<Value>::new());
        assert_eq!(read(&reviewer, &third_incident)["likely_duplicates"], 1);
        look(&app);
    }
    let report = read(&reviewer, &one)["absorbed"][0]["reports"][0].clone();
    split(&reviewer, &one, &[&report]).expect(200);
    for _ in 0..2 {
        for (incident, right) in [&one, &other, &third_incident].into_iter().zip(&before) {
            let mut now = ask(&reviewer, incident)["items"].clone();
            for item in now.as_array_mut().expect("a list") {
                // Merging and splitting are decisions.
                let known = right.as_array().expect("a list").iter();
                let same = known.clone().find(|known| known["incident"] == item["incident"]);
                item["version"] = same.expect("it was there")["version"].clone();
            }
            assert_eq!(&now, right);
        }
        look(&app);
    }
}

#[test]
fn a_withdrawn_rejected_or_erased_one_is_listed_no_more() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let coordinator = app.user(Role::Coordinator, "all");
    let first = monitor.submit(&shooting("2024-03-05", TOLD))["incident"].clone();
    let submit = |text: &str| monitor.submit(&shooting("2024-03-05", text));
    let (withdrawn, rejected, erased) =
        (submit(AGAIN), submit(IN_FRENCH), submit("Two diggers shot by guards near Koidu."));
    look(&app);
    assert_eq!(listed(&reviewer, &first).len(), 3);

    let report = |answer: &Value| answer["id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/reports/{}/withdrawal", report(&withdrawn));
    monitor.post(&path, &json!({"reason": "I was told wrong"})).expect(200);
    reviewer.set_status(&rejected["incident"], "rejected");
    let path = format!("/v1/reports/{}", report(&erased));
    coordinator.delete(&path, &json!({"reason": "asked for"})).expect(204);

    assert_eq!(listed(&reviewer, &first), Vec::<Value>::new());
    look(&app);
    assert_eq!(listed(&reviewer, &first), Vec::<Value>::new());
    assert_eq!(read(&reviewer, &first)["likely_duplicates"], 0);
    // A rejection may be taken back; of the others no figure is left.
    let n_left: i64 = app
        .context
        .db
        .read_here(|conn| Ok(duplicate_pairs::table.count().get_result(conn)?))
        .expect("a count");
    assert_eq!(n_left, 1);
    reviewer.set_status(&rejected["incident"], "in_review");
    assert_eq!(listed(&reviewer, &first), [rejected["incident"].clone()]);
}

#[test]
fn a_dismissed_pair_stays_dismissed_until_that_is_taken_back() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let (one, other) = told_twice(&app);

    assert_eq!(dismiss(&reviewer, &other, &one), 204);
    assert_eq!(dismiss(&reviewer, &one, &other), 204, "said already");

    for is_looked in [false, true] {
        assert_eq!(listed(&reviewer, &one), Vec::<Value>::new(), "looked again: {is_looked}");
        assert_eq!(listed(&reviewer, &other), Vec::<Value>::new());
        let path = format!("{}/duplicates?dismissed=true", path_of(&one));
        assert_eq!(reviewer.get(&path).expect(200).json()["items"][0]["incident"], other);
        assert_eq!(read(&reviewer, &one)["likely_duplicates"], 0);
        reviewer.set_status(&one, if is_looked { "verified" } else { "in_review" });
        look(&app);
    }
    // A third telling, merged into one of them, is not the other's either.
    let third = app.monitor().submit(&shooting("2024-03-05", IN_FRENCH))["incident"].clone();
    look(&app);
    assert_eq!(listed(&reviewer, &other), std::slice::from_ref(&third));
    merge(&reviewer, &one, &[&third]).expect(200);
    assert_eq!(listed(&reviewer, &other), Vec::<Value>::new());

    let undo =
        format!("{}/duplicates/dismissals/{}", path_of(&one), other.as_str().expect("an id"));
    reviewer.remove(&undo).expect(204);
    reviewer.remove(&undo).expect_problem(404, "not_found");
    assert_eq!(listed(&reviewer, &other), std::slice::from_ref(&one));

    for (told, its_other) in [(&one, &other), (&other, &one)] {
        let story = reviewer.get(&format!("{}/history", path_of(told))).expect(200).json();
        let of_pair = |kind: &str| {
            let items = story["items"].as_array().expect("a story");
            let found = items.iter().find(|entry| entry["kind"] == kind);
            found.expect("it is told").clone()
        };
        let said = of_pair("told_apart");
        assert_eq!(
            (&said["incidents"], &said["reason"]),
            (&json!([its_other]), &json!("another pit"))
        );
        assert_eq!(of_pair("told_apart_undone")["incidents"], json!([its_other]));
    }

    let (n_entries, n_reasons) = app
        .context
        .db
        .read_here(|conn| {
            let entries = audit_entries::table.filter(audit_entries::action.eq("judged_duplicate"));
            let reasons = sealed::table.filter(sealed::owner_kind.eq("dismissal"));
            Ok((entries.count().get_result::<i64>(conn)?, reasons.count().get_result::<i64>(conn)?))
        })
        .expect("counts");
    assert_eq!((n_entries, n_reasons), (4, 1), "one entry a side; the reason is sealed once");
}

#[test]
fn what_is_asked_wrongly_is_refused_with_the_field() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let (one, other) = told_twice(&app);
    let path = format!("{}/duplicates", path_of(&one));
    let send = |body: Value| reviewer.post(&format!("{path}/dismissals"), &body);

    for (body, pointer) in [
        (json!({"incident": one, "reason": "x"}), "/incident"),
        (json!({"incident": "R2", "reason": "x"}), "/incident"),
        (json!({"incident": other, "reason": " "}), "/reason"),
    ] {
        assert_eq!(send(body).expect_problem(422, "invalid_fields").pointers(), [pointer]);
    }
    send(json!({"incident": other, "reason": "x", "why": 1})).expect_problem(400, "unknown_field");
    reviewer.get(&format!("{path}?dismissed=1")).expect_problem(400, "invalid_parameter");
    reviewer.get(&format!("{path}?flag=x")).expect_problem(400, "unknown_parameter");
    merge(&reviewer, &one, &[&other]).expect(200);
    let third = app.monitor().submit(&shooting("2024-03-05", IN_FRENCH))["incident"].clone();
    assert_eq!(dismiss(&reviewer, &third, &other), 409, "it was merged: name the survivor");
}

#[test]
fn a_correction_and_a_revision_are_looked_at_anew() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let one = monitor.submit(&shooting("2024-03-05", TOLD))["incident"].clone();
    let later = monitor.submit(&shooting("2024-03-25", AGAIN))["incident"].clone();
    look(&app);
    assert_eq!(listed(&reviewer, &one), Vec::<Value>::new());

    let decision = json!({"status": "in_review", "reason": "the 5th", "occurred": "2024-03-05"});
    reviewer.decide(&later, &decision).expect(200);
    look(&app);

    assert_eq!(listed(&reviewer, &one), std::slice::from_ref(&later));
    let elsewhere = json!({"status": "verified", "reason": "it was at Kenema",
        "location": {"country": "SLE", "lat": 7.8769, "lon": -11.1903}});
    reviewer.decide(&later, &elsewhere).expect(200);
    look(&app);
    assert_eq!(listed(&reviewer, &one), Vec::<Value>::new());
}

#[test]
fn a_worker_that_dies_loses_nothing_and_two_servers_take_turns() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let submit = |text| app.monitor().submit(&shooting("2024-03-05", text))["incident"].clone();
    let second = app.second_server();
    // Takes the turn, looks at something and is never heard of again.
    let first = submit(TOLD);
    let dead = Id::random();
    assert_eq!(step(&app.context, &mut Memory::default(), dead).expect("a step"), Step::Done);
    let other = submit(AGAIN);

    assert_eq!(
        step(&second.context, &mut Memory::default(), Id::random()).expect("a step"),
        Step::NotOurs
    );
    run_once(&second.context).expect("nothing to do");
    assert_eq!(listed(&reviewer, &first), Vec::<Value>::new());
    app.set_now("2024-04-01T12:03:00Z");
    run_once(&second.context).expect("a step");

    assert_eq!(listed(&reviewer, &first), std::slice::from_ref(&other));
    assert_eq!(
        step(&app.context, &mut Memory::default(), dead).expect("a step"),
        Step::NothingToDo
    );
    // Both at once: each pair is there once.
    let more: Vec<Value> = (0..40).map(|_| submit(AGAIN)).collect();
    std::thread::scope(|scope| {
        for context in [&app.context, &second.context] {
            scope.spawn(move || run_once(context).expect("a step"));
        }
    });
    run_once(&app.context).expect("a step");
    run_once(&second.context).expect("a step");
    assert_eq!(ask(&reviewer, &first)["total"], 41);
    assert_eq!(ask(&reviewer, &more[0])["total"], 41);
    let n_pairs: i64 = app
        .context
        .db
        .read_here(|conn| Ok(duplicate_pairs::table.count().get_result(conn)?))
        .expect("a count");
    assert_eq!(n_pairs, 42 * 41 / 2);
}

#[test]
fn a_flood_is_capped_and_says_so() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let one_more = |_| {
        let mut body = shooting("2024-03-05", AGAIN);
        body["id"] = json!(Uuid::new_v4());
        body.to_string()
    };
    let flood = (0..260).map(one_more).collect::<Vec<_>>().join("\n");
    let headers = [("content-type", "application/x-ndjson")];
    app.monitor().post_bytes("/v1/reports", &headers, flood.as_bytes()).expect(200);
    let last = app.monitor().submit(&shooting("2024-03-05", TOLD))["incident"].clone();

    look(&app);

    let found = ask(&reviewer, &last);
    assert_eq!(found["is_flood"], true);
    assert!((1..=100).contains(&found["items"].as_array().expect("a list").len()));
    let n_pairs: i64 = app
        .context
        .db
        .read_here(|conn| Ok(duplicate_pairs::table.count().get_result(conn)?))
        .expect("a count");
    assert!(n_pairs <= 261 * 50, "{n_pairs}");
}

#[test]
fn the_queue_tells_how_many_are_likely_the_same_and_the_running_server_looks_by_itself() {
    let app = TestApp::start();
    let served = Served::start(&app, "UTC");
    let (monitor, reviewer) = (app.monitor().at(&served.url), app.reviewer().at(&served.url));
    let first = monitor.submit(&shooting("2024-03-05", TOLD))["incident"].clone();
    monitor.submit(&shooting("2024-03-05", AGAIN));
    let waited = (0..150).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        listed(&reviewer, &first).len() == 1
    });
    assert!(waited, "the worker looks once a second");

    let queue = reviewer.get("/v1/queue").expect(200).json();
    let counts: Vec<&Value> = queue["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| &item["likely_duplicates"])
        .collect();
    assert_eq!(counts, [&json!(1), &json!(1)]);
}
