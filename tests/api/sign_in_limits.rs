//! Guesses of passwords: slow for whoever guesses, never in the way of the owner.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use chrono::Duration;
use diesel::{QueryDsl, RunQueryDsl};
use sentinelle::auth::types::Role;
use sentinelle::db::schema::sign_in_failures;
use serde_json::{Value, json};

use crate::harness::{Answer, PASSWORD, TestApp};

fn guess(app: &TestApp, url: &str, name: &str, known: Option<&str>) -> Answer {
    let body = json!({"name": name, "password": "wrong", "cookie": false, "known": known});
    app.anonymous().at(url).post("/v1/sessions", &body)
}

fn sign_in(app: &TestApp, name: &str, known: Option<&str>) -> Answer {
    let body = json!({"name": name, "password": PASSWORD, "cookie": false, "known": known});
    app.anonymous().post("/v1/sessions", &body)
}

fn after(app: &TestApp, seconds: i64) {
    let at = app.context.clock.now() + Duration::seconds(seconds);
    app.set_now(&at.to_rfc3339());
}

fn known(answer: &Answer) -> String {
    answer.json()["known"].as_str().expect("a known device").to_owned()
}

#[test]
fn after_five_guesses_each_costs_twice_the_wait_for_known_and_unknown_names_alike() {
    let app = TestApp::start();
    let real = app.person(Role::Analyst, "SLE");
    let mut answers: Vec<Vec<(u16, Vec<u8>, Option<String>)>> = Vec::new();
    let ask = |name: &str| {
        let answer = guess(&app, &app.url, name, None);
        let wait = answer.header("retry-after").map(str::to_owned);
        (answer.status, answer.body, wait)
    };

    for wait in [None, None, None, None, None, Some(1), Some(2), Some(4), Some(8)] {
        let passed = [ask(&real), ask("Nobody At All")];
        assert_eq!(passed[0].0, 401);
        answers.push(passed.to_vec());
        if let Some(wait) = wait {
            let refused = [ask(&real), ask("Nobody At All")];
            assert_eq!(
                (refused[0].0, refused[0].2.as_deref()),
                (429, Some(wait.to_string().as_str()))
            );
            let told: Value = serde_json::from_slice(&refused[0].1).expect("a problem");
            assert_eq!(
                (&told["code"], &told["retry_after"]),
                (&json!("too_many_requests"), &json!(wait))
            );
            answers.push(refused.to_vec());
            after(&app, wait);
        }
    }
    for pair in answers {
        assert_eq!(pair[0], pair[1], "the same status, bytes and wait");
    }
}

#[test]
fn guesses_at_several_servers_count_together_and_a_hundred_at_once_do_not_pass() {
    let app = TestApp::start();
    let second = app.second_server();
    let name = app.person(Role::Analyst, "SLE");

    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..40)
            .map(|nth| {
                let url = if nth % 2 == 0 { &app.url } else { &second.url };
                let (app, name) = (&app, &name);
                scope.spawn(move || guess(app, url, name, None).status)
            })
            .collect();
        tries.into_iter().map(|tried| tried.join().expect("an answer")).collect()
    });

    let n = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    // The sixth is let through and makes the seventh wait.
    assert_eq!((n(401), n(429)), (6, 34), "{statuses:?}");
    sign_in(&app, &name, None).expect(429);
}

#[test]
fn a_flood_of_guesses_keeps_neither_the_owner_nor_tokens_nor_phones_out() {
    let app = TestApp::start();
    let name = app.person(Role::Analyst, "SLE");
    let (token, phone) = (app.user(Role::Analyst, "SLE"), app.device("SLE"));
    let begun = sign_in(&app, &name, None).expect(201);
    let (session, device) = (begun.json()["session"].clone(), known(&begun));
    let session = crate::harness::Client::new(&app.url, session.as_str());
    for _ in 0..20 {
        guess(&app, &app.url, &name, None);
    }
    sign_in(&app, &name, None).expect_problem(429, "too_many_requests");

    for _ in 0..3 {
        let again = sign_in(&app, &name, Some(&device)).expect(201);
        assert_eq!(known(&again), device, "it stays the same device");
    }
    let report = json!({"id": uuid::Uuid::new_v4(), "occurred": "2024-03-05",
        "location": {"country": "SLE"}, "categories": ["rights.life_integrity.killing"]});
    phone.post("/v1/reports", &report).expect(201);
    token.get("/v1/incidents").expect(200);
    session.get("/v1/incidents").expect(200);
    let browser =
        [("content-type", "application/json"), ("cookie", &format!("__Host-known={device}"))];
    let body = json!({"name": name, "password": PASSWORD}).to_string();
    app.anonymous().send("POST", "/v1/sessions", &browser, Some(body.as_bytes())).expect(201);
}

#[test]
fn a_stolen_known_device_is_throttled_by_itself_and_worth_nothing_for_another_name() {
    let app = TestApp::start();
    let (name, other) = (app.person(Role::Analyst, "SLE"), app.person(Role::Analyst, "SLE"));
    let device = known(&sign_in(&app, &name, None).expect(201));

    let passed = (0..20).filter(|_| guess(&app, &app.url, &name, Some(&device)).status == 401);
    assert_eq!(passed.count(), 6);
    sign_in(&app, &name, Some(&device)).expect(429);
    sign_in(&app, &name, None).expect(201);

    for _ in 0..6 {
        guess(&app, &app.url, &other, None).expect(401);
    }
    guess(&app, &app.url, &other, Some(&device)).expect(429);
    guess(&app, &app.url, &other, Some("x")).expect(429);
    after(&app, 181 * 86_400);
    for _ in 0..6 {
        guess(&app, &app.url, &name, None).expect(401);
    }
    guess(&app, &app.url, &name, Some(&device)).expect(429);
}

#[test]
fn what_was_guessed_is_forgotten_in_time() {
    let app = TestApp::start();
    let count = || -> i64 {
        let counted = app
            .context
            .db
            .read_here(|conn| Ok(sign_in_failures::table.count().get_result(conn)?));
        counted.expect("a count")
    };
    for nth in 0..3 {
        guess(&app, &app.url, &format!("nobody {nth}"), None).expect(401);
    }
    assert_eq!(count(), 3);

    after(&app, 3_601);
    guess(&app, &app.url, "somebody else", None).expect(401);
    assert_eq!(count(), 1, "an hour later one guess says nothing any more");
}

#[test]
fn guesses_within_a_session_are_counted_as_well() {
    let app = TestApp::start();
    let client = app.session(Role::Analyst, "SLE");
    let change = |old: &str| {
        let body = json!({"old": old, "new": "pebble-heron-sudden-eight"});
        client.put("/v1/me/password", &body)
    };

    for _ in 0..6 {
        change("wrong").expect(422);
    }
    change("wrong").expect_problem(429, "too_many_requests");
    change(PASSWORD).expect(429);
    let body = json!({"password": PASSWORD});
    client.post("/v1/me/second-factor", &body).expect(429);
    after(&app, 1);
    change(PASSWORD).expect(204);
}
