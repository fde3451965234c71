//! The first coordinator: by a link that works once.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::accounts::add_user;
use sentinelle::auth::setup::offer;
use sentinelle::auth::types::{GrantScope, Role};
use sentinelle::db::schema::grants;
use serde_json::json;

use crate::harness::{Answer, Client, PASSWORD, TestApp};

fn link(app: &TestApp) -> Option<String> {
    offer(&app.context).expect("the database works").map(|link| link.expose().to_owned())
}

fn set_up(app: &TestApp, token: &str, name: &str) -> Answer {
    let body = json!({"token": token, "name": name, "password": PASSWORD, "cookie": false});
    app.anonymous().post("/v1/setup", &body)
}

fn count_coordinators(app: &TestApp) -> i64 {
    let counted = app.context.db.read_here(|conn| {
        Ok(grants::table.filter(grants::role.eq("coordinator")).count().get_result(conn)?)
    });
    counted.expect("a count")
}

#[test]
fn fifty_who_set_up_at_once_leave_one_coordinator() {
    let app = TestApp::start();
    let token = link(&app).expect("nobody is there yet");

    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..50)
            .map(|nth| {
                let (app, token) = (&app, &token);
                scope.spawn(move || set_up(app, token, &format!("Coordinator {nth}")).status)
            })
            .collect();
        tries.into_iter().map(|tried| tried.join().expect("an answer")).collect()
    });

    let n = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((n(201), n(409)), (1, 49), "{statuses:?}");
    assert_eq!(count_coordinators(&app), 1);
    set_up(&app, &token, "Late").expect_problem(409, "already_set_up");
    set_up(&app, "snt_i_x", "Late").expect_problem(404, "not_found");
    assert_eq!(link(&app), None, "no further start offers one");
}

#[test]
fn the_first_coordinator_signs_in_and_must_set_a_second_factor_up() {
    let app = TestApp::start();
    let token = link(&app).expect("nobody is there yet");
    for (name, password, pointer) in [
        ("", PASSWORD, "/name"),
        ("A. First", "short", "/password"),
        ("Otter", PASSWORD, "/password"),
    ] {
        let body = json!({"token": token, "name": name, "password": password});
        let refused = app.anonymous().post("/v1/setup", &body);
        assert_eq!(refused.expect_problem(422, "invalid_fields").pointers(), [pointer]);
    }
    add_user(&app.context, "An Auditor", Role::Auditor, vec![GrantScope::All]).expect("a user");
    assert_eq!(set_up(&app, &token, "an auditor").expect(422).pointers(), ["/name"]);

    let made = set_up(&app, &token, "  A. First ").expect(201).json();
    let begun = app.sign_in("a. first", None).expect(201).json();
    assert_eq!((&begun["user"], &begun["must_enrol"]), (&made["user"], &json!(true)));
    let (client, ..) = app.enrol(&Client::new(&app.url, begun["session"].as_str()));
    let me = client.get("/v1/me").expect(200).json();
    assert_eq!(
        (&me["roles"][0]["role"], &me["roles"][0]["scope"]),
        (&json!("coordinator"), &json!("all"))
    );
    assert_eq!(me["name"], "A. First");
}

#[test]
fn each_start_makes_a_new_link_and_the_last_one_works() {
    let app = TestApp::start();
    let first = link(&app).expect("nobody is there yet");
    let second = link(&app).expect("nobody is there yet");

    set_up(&app, &first, "A. First").expect_problem(404, "not_found");
    set_up(&app, &second, "A. First").expect(201);
}

#[test]
fn a_coordinator_made_on_the_server_ends_every_link() {
    let app = TestApp::start();
    let token = link(&app).expect("nobody is there yet");
    add_user(&app.context, "A. Made", Role::Coordinator, vec![GrantScope::All]).expect("a user");

    set_up(&app, &token, "A. Late").expect_problem(409, "already_set_up");
    assert_eq!(link(&app), None);
    assert_eq!(count_coordinators(&app), 1);

    let other = TestApp::start();
    add_user(&other.context, "A. Made", Role::Coordinator, vec![GrantScope::All]).expect("a user");
    assert_eq!(link(&other), None, "before there was any link");
}
