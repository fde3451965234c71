//! Asking back: a question reaches the sender of one report, the answer stays with it, and the case comes back.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::types::Role;
use sentinelle::db::schema::{audit_entries, messages, outbox, reports, sealed};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Client, TestApp, submit_march};
use crate::merging::{act_on, merge, path_of, read, split};
use crate::scope::{disable, end_token};

pub(crate) fn ask(reviewer: &Client, report: &Value, text: &str) -> Answer {
    let body = json!({"report": report["id"], "text": text});
    let version = read(reviewer, &report["incident"])["version"].clone();
    act_on(reviewer, ("messages", &report["incident"], &version), &body)
}

pub(crate) fn answer(sender: &Client, question: &Value, body: &Value) -> Answer {
    let id = question["id"].as_str().expect("an id");
    sender.post(&format!("/v1/messages/{id}/answers"), body)
}

fn inbox(sender: &Client) -> Vec<Value> {
    let page = sender.get("/v1/messages").expect(200).json();
    page["items"].as_array().expect("questions").clone()
}

fn thread(reviewer: &Client, incident: &Value) -> Vec<Value> {
    let page = reviewer.get(&format!("{}/messages", path_of(incident))).expect(200).json();
    page["items"].as_array().expect("questions").clone()
}

fn report(country: &str) -> Value {
    json!({"id": Uuid::new_v4(), "narrative": Uuid::new_v4(), "occurred": "2024-03-05",
        "location": {"country": country}, "categories": ["rights.life_integrity.killing"]})
}

/// Submits a report and returns it with its incident.
fn submit(sender: &Client) -> Value {
    sender.submit(&report("SLE"))
}

fn count_reports(app: &TestApp) -> i64 {
    let count = |conn: &mut _| Ok(reports::table.count().get_result(conn)?);
    app.context.db.read_here(count).expect("a count")
}

fn queue_flags(reviewer: &Client, incident: &Value) -> Value {
    let page = reviewer.get("/v1/queue?limit=1000").expect(200).json();
    let mut items = page["items"].as_array().expect("items").iter();
    items.find(|item| item["id"] == *incident).map_or(Value::Null, |item| item["flags"].clone())
}

#[test]
fn c10_the_answer_is_kept_with_r4_makes_no_report_and_r4_comes_back_to_its_reviewer() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let (reviewer_of_cod, asker_id) = app.user_with_id(Role::Reviewer, "COD");
    let r4 = submit_march(&monitor, &reviewer)["R4"].clone();
    reviewer.set_status(&r4["incident"], "in_review");
    let total = |query: &str| reviewer.get(&format!("/v1/aggregates?{query}")).expect(200).json();
    let (all_before, n_before) = (total("status=all")["total"].clone(), count_reports(&app));

    let asked = ask(&reviewer_of_cod, &r4, "Combien de blessés ?").expect(201);

    let told = asked.json();
    assert_eq!(told["delivery"], json!(["inbox"]));
    assert_eq!(told["incident"]["status"], "needs_information");
    assert_eq!(asked.header("etag"), Some(format!("\"{}\"", told["incident"]["version"]).as_str()));
    let id = r4["id"].as_str().expect("an id");
    let receipt = || monitor.get(&format!("/v1/reports/{id}/receipt")).expect(200).json();
    assert_eq!(
        (&receipt()["state"], &receipt()["open_questions"]),
        (&json!("question"), &json!(1))
    );
    let own = inbox(&monitor);
    assert_eq!(own.len(), 1);
    assert_eq!((&own[0]["report"], &own[0]["text"]), (&r4["id"], &json!("Combien de blessés ?")));
    assert_eq!((&own[0]["is_open"], &own[0]["reference"]), (&json!(true), &receipt()["reference"]));

    let taken = answer(&monitor, &own[0], &json!({"text": "oui, 3 blessés"})).expect(201).json();

    assert_eq!((&taken["report"], &taken["question"]), (&r4["id"], &told["id"]));
    let shown = read(&reviewer_of_cod, &r4["incident"]);
    assert_eq!((&shown["status"], &shown["reports"]), (&json!("in_review"), &json!(1)));
    assert!(shown["flags"].as_array().expect("flags").contains(&json!("answered")), "{shown}");
    assert_eq!(shown["assignee"]["user"], asker_id.to_string(), "the case of whoever asked");
    let mine = reviewer_of_cod.get("/v1/queue?assignee=me").expect(200).json();
    assert_eq!(mine["items"][0]["id"], r4["incident"]);
    assert_eq!(count_reports(&app), n_before, "no report of its own");
    assert_eq!(total("status=all")["total"], all_before, "no count changes by a message");
    let words = thread(&reviewer_of_cod, &r4["incident"]);
    assert_eq!((words.len(), &words[0]["report"]), (1, &r4["id"]));
    assert_eq!(words[0]["answers"][0]["text"], "oui, 3 blessés");
    assert_eq!(words[0]["asked_by"], asker_id.to_string());
    assert_eq!(
        (&receipt()["state"], &receipt()["open_questions"]),
        (&json!("received"), &json!(0))
    );
    let own = inbox(&monitor);
    assert_eq!(
        (&own[0]["is_open"], own[0]["answers"].as_array().map(Vec::len)),
        (&json!(false), Some(1))
    );
    assert!(!own[0].to_string().contains("3 blessés"), "a phone in other hands does not tell it");

    reviewer_of_cod.set_status(&r4["incident"], "verified");
    let shown = read(&reviewer_of_cod, &r4["incident"]);
    assert!(!shown["flags"].to_string().contains("answered"), "a decision lowers it: {shown}");
}

#[test]
fn asking_is_an_act_on_what_was_read_by_whoever_may_decide_there() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.user(Role::Reviewer, "SLE"));
    let sent = submit(&monitor);
    let path = format!("{}/messages", path_of(&sent["incident"]));
    let body = json!({"report": sent["id"], "text": "Who?"});
    let json_type = ("content-type", "application/json");
    let ask_with = |client: &Client, tag: Option<&str>, body: &Value| {
        let headers: Vec<_> =
            [json_type].into_iter().chain(tag.map(|tag| ("if-match", tag))).collect();
        client.send("POST", &path, &headers, Some(body.to_string().as_bytes()))
    };

    ask_with(&reviewer, None, &body).expect_problem(428, "precondition_required");
    let stale =
        ask_with(&reviewer, Some("\"7\""), &body).expect_problem(412, "precondition_failed");
    assert_eq!(stale.json()["current"]["version"], 1);
    ask_with(&app.user(Role::Reviewer, "ZWE"), Some("\"1\""), &body)
        .expect_problem(404, "not_found");
    ask_with(&app.user(Role::Analyst, "SLE"), Some("\"1\""), &body)
        .expect_problem(403, "forbidden");
    ask_with(&app.user(Role::Coordinator, "all"), Some("\"1\""), &body)
        .expect_problem(403, "forbidden");
    ask_with(&monitor, Some("\"1\""), &body).expect_problem(403, "forbidden");
    let other = submit(&monitor);
    for (wrong, pointer) in [
        (json!({"report": other["id"], "text": "Who?"}), "/report"),
        (json!({"report": "x", "text": "Who?"}), "/report"),
        (json!({"report": sent["id"], "text": "  "}), "/text"),
        (json!({"report": sent["id"], "text": "é".repeat(4_001)}), "/text"),
    ] {
        let refused =
            ask_with(&reviewer, Some("\"1\""), &wrong).expect_problem(422, "invalid_fields");
        assert_eq!(refused.pointers(), [pointer]);
    }
    let typo = json!({"report": sent["id"], "text": "Who?", "urgent": true});
    ask_with(&reviewer, Some("\"1\""), &typo).expect_problem(400, "unknown_field");
    assert_eq!(read(&reviewer, &sent["incident"])["version"], 1, "nothing changed");
    assert!(inbox(&monitor).is_empty());

    let colleague = app.user(Role::Reviewer, "SLE");
    let claim = format!("{}/claim", path_of(&sent["incident"]));
    colleague.send("POST", &claim, &[], None).expect(200);
    ask_with(&reviewer, Some("\"1\""), &body).expect_problem(409, "claimed");
    ask_with(&colleague, Some("\"1\""), &body).expect(201);
    let shown = read(&colleague, &sent["incident"]);
    assert_eq!(shown["claim"], Value::Null, "it is nobody's turn until the answer comes");
    ask_with(&reviewer, Some("\"2\""), &body).expect(201);
    assert_eq!(inbox(&monitor).len(), 2, "who waits for one answer may ask more");

    reviewer.set_status(&sent["incident"], "verified");
    let refused = ask(&reviewer, &sent, "Again?");
    refused.expect_problem(422, "transition_not_allowed");
}

#[test]
fn an_answer_is_its_senders_alone_and_nobody_else_learns_of_the_question() {
    let app = TestApp::start();
    let (monitor, other, reviewer) = (app.monitor(), app.monitor(), app.reviewer());
    let sent = submit(&monitor);
    let asked = ask(&reviewer, &sent, "Who?").expect(201).json();

    for stranger in [&other, &app.device("SLE"), &app.reviewer()] {
        assert!(inbox(stranger).is_empty());
        answer(stranger, &asked, &json!({"id": Uuid::new_v4(), "text": "I know"}))
            .expect_problem(404, "not_found");
        let after =
            stranger.get(&format!("/v1/messages?after={}", asked["id"].as_str().expect("an id")));
        after.expect_problem(404, "not_found");
    }
    for role in [Role::Analyst, Role::Coordinator, Role::Auditor, Role::Sysadmin] {
        let client = app.user(role, "all");
        answer(&client, &asked, &json!({"text": "I know"})).expect_problem(403, "forbidden");
        client.get("/v1/messages").expect_problem(403, "forbidden");
        client
            .get(&format!("{}/messages", path_of(&sent["incident"])))
            .expect_problem(403, "forbidden");
    }
    let elsewhere = app.user(Role::Reviewer, "ZWE");
    let path = format!("{}/messages", path_of(&sent["incident"]));
    elsewhere.get(&path).expect_problem(404, "not_found");
    assert_eq!(read(&reviewer, &sent["incident"])["status"], "needs_information");
    let taken = answer(&monitor, &asked, &json!({"text": "my uncle"})).expect(201).json();
    let of_answer = json!({"id": taken["id"]});
    answer(&monitor, &of_answer, &json!({"text": "to an answer"})).expect_problem(404, "not_found");
}

#[test]
fn a_phone_that_was_offline_answers_twice_and_is_heard_once() {
    let app = TestApp::start();
    let (phone, reviewer) = (app.device("SLE"), app.reviewer());
    let told = report("SLE");
    phone.post("/v1/reports", &told).expect(201);
    let id = told["id"].as_str().expect("an id");
    let opened = reviewer.get(&format!("/v1/reports/{id}")).expect(200).json();
    let sent = json!({"id": told["id"], "incident": opened["incident"]});
    let asked = ask(&reviewer, &sent, "Combien ?").expect(201).json();
    assert_eq!(inbox(&phone).len(), 1);

    let bare = answer(&phone, &asked, &json!({"text": "trois"}));
    assert_eq!(bare.expect_problem(422, "id_required").pointers(), ["/id"]);
    let body = json!({"id": Uuid::new_v4(), "text": "trois"});
    let first = answer(&phone, &asked, &body).expect(201).json();
    app.set_now("2024-04-02T12:00:00Z");
    let again = answer(&phone, &asked, &body).expect(200).json();

    assert_eq!(first, again);
    let changed = json!({"id": body["id"], "text": "quatre"});
    answer(&phone, &asked, &changed).expect_problem(409, "id_conflict");
    assert_eq!(
        thread(&reviewer, &sent["incident"])[0]["answers"].as_array().map(Vec::len),
        Some(1)
    );
    let version = read(&reviewer, &sent["incident"])["version"].clone();
    let correction = json!({"id": Uuid::new_v4(), "text": "quatre"});
    answer(&phone, &asked, &correction).expect(201);
    let words = thread(&reviewer, &sent["incident"]);
    let texts: Vec<&Value> =
        words[0]["answers"].as_array().expect("two").iter().map(|one| &one["text"]).collect();
    assert_eq!(texts, ["trois", "quatre"]);
    assert_ne!(read(&reviewer, &sent["incident"])["version"], version, "its reviewer sees that");
    let receipt = phone.get(&format!("/v1/reports/{id}/receipt")).expect(200).json();
    assert_eq!(receipt["open_questions"], 0);
}

#[test]
fn of_sixteen_that_send_one_answer_at_once_one_is_kept() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let sent = submit(&monitor);
    let asked = ask(&reviewer, &sent, "Who?").expect(201).json();
    let second = app.second_server();
    let body = json!({"id": Uuid::new_v4(), "text": "my uncle"});

    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..16)
            .map(|nth| {
                let client = if nth % 2 == 0 { monitor.clone() } else { monitor.at(&second.url) };
                let (asked, body) = (&asked, &body);
                scope.spawn(move || {
                    loop {
                        let status = answer(&client, asked, body).status;
                        if status != 503 {
                            return status;
                        }
                    }
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().expect("an answer")).collect()
    });

    statuses.sort_unstable();
    assert_eq!(statuses, [vec![200; 15], vec![201]].concat());
    assert_eq!(read(&reviewer, &sent["incident"])["version"], 3, "asked, answered, no more");
    let n: i64 = app
        .context
        .db
        .read_here(|conn| Ok(messages::table.count().get_result(conn)?))
        .expect("a count");
    assert_eq!(n, 2);
}

#[test]
fn who_cannot_be_reached_is_not_asked_and_nothing_changes() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let coordinator = app.user(Role::Coordinator, "all");
    let expect = |sent: &Value, why: &str| {
        let before = read(&reviewer, &sent["incident"]);
        let refused = ask(&reviewer, sent, "Who?").expect_problem(409, "sender_unreachable").json();
        assert_eq!(refused["why"], why);
        assert_eq!(read(&reviewer, &sent["incident"]), before, "{why}");
    };

    let (one, two) = (app.monitor(), app.monitor());
    let (stays, goes) = (submit(&one), submit(&two));
    merge(&reviewer, &stays["incident"], &[&goes["incident"]]).expect(200);
    let gone = json!({"id": goes["id"], "incident": stays["incident"]});
    let path = format!("/v1/reports/{}", goes["id"].as_str().expect("an id"));
    two.post(&format!("{path}/withdrawal"), &json!({})).expect(200);
    expect(&gone, "withdrawn");
    coordinator.delete(&path, &json!({"reason": "asked for"})).expect(204);
    expect(&gone, "erased");

    let closed = app.monitor();
    let sent = submit(&closed);
    disable(&app, &closed);
    expect(&sent, "no_access");
    let revoked = app.monitor();
    let sent = submit(&revoked);
    end_token(&app, &revoked, true);
    expect(&sent, "no_access");
    let unknown = submit(&one);
    let id = sentinelle::ids::Id::parse(unknown["id"].as_str().expect("an id")).expect("an id");
    forget_sender(&app, id);
    expect(&unknown, "sender_unknown");
    let asked: i64 = app
        .context
        .db
        .read_here(|conn| Ok(messages::table.count().get_result(conn)?))
        .expect("a count");
    assert_eq!(asked, 0);
}

/// As reports of another system come in, whose senders are nobody's here.
fn forget_sender(app: &TestApp, report: sentinelle::ids::ReportId) {
    let done = app.context.db.write_here(move |tx| {
        let report = reports::table.filter(reports::uuid.eq(report));
        Ok(diesel::update(report).set(reports::submitter.eq(None::<Vec<u8>>)).execute(tx.conn)?)
    });
    assert_eq!(done.expect("an update"), 1);
}

#[test]
fn the_answer_to_what_was_decided_meanwhile_is_kept_and_undoes_nothing() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    for (status, receipt) in
        [("verified", "closed"), ("rejected", "closed"), ("in_review", "received")]
    {
        let sent = submit(&monitor);
        let asked = ask(&reviewer, &sent, "Who?").expect(201).json();
        reviewer.set_status(&sent["incident"], status);
        let path = format!("/v1/reports/{}/receipt", sent["id"].as_str().expect("an id"));
        let seen = monitor.get(&path).expect(200).json();
        assert_eq!((&seen["state"], &seen["open_questions"]), (&json!(receipt), &json!(1)));

        answer(&monitor, &asked, &json!({"text": "my uncle"})).expect(201);

        let shown = read(&reviewer, &sent["incident"]);
        assert_eq!((&shown["status"], &shown["flags"]), (&json!(status), &json!(["answered"])));
        assert_eq!(thread(&reviewer, &sent["incident"])[0]["answers"][0]["text"], "my uncle");
    }
}

#[test]
fn an_answer_goes_where_its_report_is_now() {
    let app = TestApp::start();
    let (one, two, reviewer) = (app.monitor(), app.monitor(), app.reviewer());
    let (first, second) = (submit(&one), submit(&two));
    let asked = ask(&reviewer, &second, "Who?").expect(201).json();
    merge(&reviewer, &first["incident"], &[&second["incident"]]).expect(200);
    reviewer.set_status(&first["incident"], "needs_information");

    answer(&two, &asked, &json!({"text": "my uncle"})).expect(201);

    let shown = read(&reviewer, &first["incident"]);
    assert_eq!((&shown["status"], &shown["reports"]), (&json!("in_review"), &json!(2)));
    assert_eq!(queue_flags(&reviewer, &first["incident"]), json!(["answered"]));
    assert_eq!(thread(&reviewer, &first["incident"])[0]["report"], second["id"]);
    assert!(thread(&reviewer, &second["incident"]).is_empty());

    split(&reviewer, &first["incident"], &[&second["id"]]).expect(200);
    let revived = read(&reviewer, &second["incident"]);
    assert_eq!(
        (&revived["status"], &revived["flags"]),
        (&json!("in_review"), &json!(["answered"]))
    );
    assert_eq!(thread(&reviewer, &second["incident"])[0]["answers"][0]["text"], "my uncle");
    assert!(thread(&reviewer, &first["incident"]).is_empty());
}

#[test]
fn a_question_on_a_guest_report_brings_back_both_once_it_went_home() {
    let app = TestApp::start();
    let (one, two, reviewer) = (app.monitor(), app.monitor(), app.reviewer());
    let (first, second) = (submit(&one), submit(&two));
    merge(&reviewer, &first["incident"], &[&second["incident"]]).expect(200);
    let guest = json!({"id": second["id"], "incident": first["incident"]});
    let asked = ask(&reviewer, &guest, "Who?").expect(201).json();
    split(&reviewer, &first["incident"], &[&second["id"]]).expect(200);
    assert_eq!(read(&reviewer, &first["incident"])["status"], "needs_information");

    answer(&two, &asked, &json!({"text": "my uncle"})).expect(201);

    assert_eq!(read(&reviewer, &first["incident"])["status"], "in_review", "it waited for this");
    let home = read(&reviewer, &second["incident"]);
    assert_eq!((&home["status"], &home["flags"]), (&json!("received"), &json!(["answered"])));
}

#[test]
fn with_a_report_its_messages_are_erased() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let sent = submit(&monitor);
    let asked = ask(&reviewer, &sent, "Who?").expect(201).json();
    answer(&monitor, &asked, &json!({"text": "my uncle"})).expect(201);
    let opening = |conn: &mut _| {
        let kept = sealed::table.filter(sealed::owner_kind.eq("message"));
        let open = kept.filter(sealed::key_id.is_not_null());
        Ok(open.count().get_result::<i64>(conn)?)
    };
    let open = || app.context.db.read_here(opening).expect("a count");
    assert_eq!(open(), 2);

    let path = format!("/v1/reports/{}", sent["id"].as_str().expect("an id"));
    let coordinator = app.user(Role::Coordinator, "all");
    coordinator.delete(&path, &json!({"reason": "asked for"})).expect(204);

    assert_eq!(open(), 0, "their keys are gone");
    assert!(thread(&reviewer, &sent["incident"]).is_empty());
    assert!(inbox(&monitor).is_empty());
    answer(&monitor, &asked, &json!({"text": "my aunt"})).expect_problem(410, "gone");
}

#[test]
fn of_a_withdrawn_report_nothing_is_asked_or_answered_any_more() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let sent = submit(&monitor);
    let asked = ask(&reviewer, &sent, "Who?").expect(201).json();
    let path = format!("/v1/reports/{}", sent["id"].as_str().expect("an id"));
    monitor.post(&format!("{path}/withdrawal"), &json!({})).expect(200);

    assert!(inbox(&monitor).is_empty());
    answer(&monitor, &asked, &json!({"text": "my uncle"})).expect_problem(410, "gone");
    let receipt = monitor.get(&format!("{path}/receipt")).expect(200).json();
    assert_eq!((&receipt["state"], &receipt["open_questions"]), (&json!("closed"), &json!(0)));
    assert_eq!(
        thread(&reviewer, &sent["incident"])[0]["text"],
        "Who?",
        "its reviewers still read it"
    );
}

#[test]
fn an_inbox_has_open_questions_first_and_is_read_page_by_page() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let mut asked = Vec::new();
    for nth in 0..6 {
        let question = format!("question {nth}");
        asked.push(ask(&reviewer, &submit(&monitor), &question).expect(201).json());
    }
    for nth in [1, 4] {
        answer(&monitor, &asked[nth], &json!({"text": "yes"})).expect(201);
    }

    let mut texts = Vec::new();
    let mut path = "/v1/messages?limit=2".to_owned();
    loop {
        let page = monitor.get(&path).expect(200).json();
        let items = page["items"].as_array().expect("items").iter();
        texts.extend(items.map(|item| item["text"].as_str().expect("words").to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/messages?limit=2&cursor={next}");
    }

    let right = [5, 3, 2, 0, 4, 1].map(|nth| format!("question {nth}"));
    assert_eq!(texts, right);
    let after = format!("/v1/messages?after={}", asked[3]["id"].as_str().expect("an id"));
    let newer = monitor.get(&after).expect(200).json();
    let newer: Vec<&Value> =
        newer["items"].as_array().expect("items").iter().map(|item| &item["text"]).collect();
    assert_eq!(newer, ["question 5", "question 4"]);
    let cursor = path.split_once("cursor=").map(|(_, cursor)| cursor).expect("a cursor");
    app.monitor()
        .get(&format!("/v1/messages?limit=2&cursor={cursor}"))
        .expect_problem(400, "invalid_cursor");
    monitor.get("/v1/messages?since=1").expect_problem(400, "unknown_parameter");
    monitor.get("/v1/messages?after=x").expect_problem(400, "invalid_parameter");
}

#[test]
fn a_question_takes_no_more_than_twenty_answers() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let asked = ask(&reviewer, &submit(&monitor), "Who?").expect(201).json();
    for nth in 0..20 {
        answer(&monitor, &asked, &json!({"text": format!("answer {nth}")})).expect(201);
    }

    let refused = answer(&monitor, &asked, &json!({"text": "one more"}));

    refused.expect_problem(422, "invalid_fields");
}

#[test]
fn the_log_says_that_it_was_asked_answered_and_opened_and_no_word_of_it() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let sent = submit(&monitor);
    let asked = ask(&reviewer, &sent, "CANARY one").expect(201).json();
    answer(&monitor, &asked, &json!({"text": "CANARY two"})).expect(201);
    thread(&reviewer, &sent["incident"]);

    let rows: Vec<(String, String, String, bool)> = app
        .context
        .db
        .read_here(|conn| {
            Ok(audit_entries::table
                .filter(audit_entries::action.eq_any(["asked", "answered", "opened"]))
                .order(audit_entries::position)
                .select((
                    audit_entries::action,
                    audit_entries::subject_kind,
                    audit_entries::detail,
                    audit_entries::actor.is_not_null(),
                ))
                .load(conn)?)
        })
        .expect("entries");
    let report = sent["id"].as_str().expect("an id");
    let right = [
        ("asked", "incident", format!("received>needs_information {report}"), true),
        ("answered", "report", "needs_information>in_review".to_owned(), false),
        ("opened", "incident", "messages".to_owned(), true),
    ];
    let right = right.map(|(act, kind, detail, by)| (act.to_owned(), kind.to_owned(), detail, by));
    assert_eq!(rows, right);
    let audit = reviewer.get("/v1/audit").expect(200).text();
    assert!(!audit.contains("CANARY"), "{audit}");
    let changes = reviewer.get("/v1/changes?after=0").expect(200).json();
    let kinds: Vec<&Value> =
        changes["items"].as_array().expect("events").iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, ["created", "changed", "changed"]);
    assert!(!changes.to_string().contains("CANARY"));
    let sent_out: i64 = app
        .context
        .db
        .read_here(|conn| Ok(outbox::table.count().get_result(conn)?))
        .expect("a count");
    assert_eq!(sent_out, 0);
}

#[test]
fn c62_the_number_of_who_reported_by_phone_is_in_no_view_of_messages() {
    let app = TestApp::start();
    let (phone, reviewer) = (app.device("SLE"), app.reviewer());
    let mut told = report("SLE");
    told["source"] = json!({"type": "witness", "name": "Kadiatu", "contact": "+23277123456"});
    phone.post("/v1/reports", &told).expect(201);
    let id = told["id"].as_str().expect("an id");
    let opened = reviewer.get(&format!("/v1/reports/{id}")).expect(200).json();
    let sent = json!({"id": told["id"], "incident": opened["incident"]});
    let asked = ask(&reviewer, &sent, "Who?").expect(201);
    let taken = answer(&phone, &asked.json(), &json!({"id": Uuid::new_v4(), "text": "two men"}));

    let path = format!("{}/messages", path_of(&sent["incident"]));
    for shown in
        [asked, taken.expect(201), reviewer.get(&path).expect(200), phone.get("/v1/messages")]
    {
        let text = shown.text();
        assert!(!text.contains("77123456") && !text.contains("Kadiatu"), "{text}");
    }
}
