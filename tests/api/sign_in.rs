//! Signing in: passwords, second factors, sessions, and requests that a browser was tricked into.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::types::Role;
use sentinelle::db::schema::{
    audit_entries, invitations, passwords, recovery_codes, sessions, tokens, users,
};
use serde_json::{Value, json};

use crate::harness::{Answer, Client, PASSWORD, TestApp, code_of};

const OTHER_PASSWORD: &str = "pebble-heron-sudden-eight";

/// The value of a cookie that an answer sets, and the whole line.
fn cookie(answer: &Answer, name: &str) -> Option<(String, String)> {
    let lines = answer.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
    let mut found = lines.filter_map(|line| {
        let value = line.strip_prefix(name)?.strip_prefix('=')?.split(';').next()?;
        Some((value.to_owned(), line.to_owned()))
    });
    found.next()
}

fn sign_in(app: &TestApp, name: &str, password: &str, code: Option<&str>) -> Answer {
    let body = json!({"name": name, "password": password, "code": code, "cookie": false});
    app.anonymous().post("/v1/sessions", &body)
}

fn session_of(app: &TestApp, answer: &Answer) -> Client {
    Client::new(&app.url, answer.json()["session"].as_str())
}

fn disable(app: &TestApp, name: &str) {
    let (index, now) = (app.context.keys.name_index(name), app.context.clock.now().naive_utc());
    let done = app.context.db.write_here(move |tx| {
        let user = users::table.filter(users::name_index.eq(index.to_vec()));
        Ok(diesel::update(user).set(users::disabled_at.eq(Some(now))).execute(tx.conn)?)
    });
    assert_eq!(done.expect("an update"), 1);
}

fn audited(app: &TestApp, code: &str) -> usize {
    let code = code.to_owned();
    let counted: i64 = app
        .context
        .db
        .read_here(move |conn| {
            let entries = audit_entries::table.filter(audit_entries::action.eq(code));
            Ok(entries.count().get_result(conn)?)
        })
        .expect("a count");
    usize::try_from(counted).expect("a count")
}

#[test]
fn a_person_takes_an_invitation_up_signs_in_and_signs_out() {
    let app = TestApp::start();
    let name = app.person(Role::Analyst, "SLE");

    let body = json!({"name": name.to_uppercase(), "password": PASSWORD});
    let begun = app.anonymous().post("/v1/sessions", &body).expect(201);
    let (session, line) = cookie(&begun, "__Host-session").expect("a session");
    assert_eq!(
        line,
        format!("__Host-session={session}; Path=/; Secure; HttpOnly; SameSite=Strict")
    );
    let (_, line) = cookie(&begun, "__Host-known").expect("a known device");
    assert!(
        line.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=15552000"),
        "{line}"
    );
    let told = begun.json();
    assert!(told.get("session").is_none() && told.get("known").is_none(), "they are in cookies");
    assert!(!begun.text().contains(&session) && !begun.text().contains(&name));
    assert_eq!((&told["must_enrol"], &told["idle_timeout_s"]), (&json!(false), &json!(3600)));
    assert_eq!(told["expires_at"], "2024-04-01T20:00:00Z");

    let browser = format!("other=1; __Host-session={session}");
    let headers = [("cookie", browser.as_str())];
    let me = app.anonymous().get_with("/v1/me", &headers).expect(200).json();
    assert_eq!(me["name"], name);
    assert_eq!((&me["id"], &me["credential"]["csrf"]), (&told["user"], &told["csrf"]));
    assert_eq!(me["roles"][0]["role"], "analyst");
    assert_eq!(me["roles"][0]["scope"], "SLE");
    app.anonymous().get_with("/v1/incidents", &headers).expect(200);

    let csrf = told["csrf"].as_str().expect("a token");
    let headers = [("cookie", browser.as_str()), ("x-csrf-token", csrf)];
    let ended = app.anonymous().send("DELETE", "/v1/sessions/current", &headers, None).expect(204);
    assert_eq!(ended.header("clear-site-data"), Some("\"cache\", \"storage\""));
    assert_eq!(cookie(&ended, "__Host-session").expect("a removal").0, "");
    assert!(cookie(&ended, "__Host-known").is_none(), "the device stays known");
    app.anonymous().get_with("/v1/me", &headers).expect_problem(401, "unauthenticated");
    assert_eq!([audited(&app, "signed_in"), audited(&app, "signed_out")], [1, 1]);
}

#[test]
fn whatever_is_wrong_a_sign_in_gets_the_same_bytes() {
    let app = TestApp::start();
    let enrolled = app.person(Role::Reviewer, "SLE");
    let begun = sign_in(&app, &enrolled, PASSWORD, None).expect(201);
    let (_, secret, _) = app.enrol(&session_of(&app, &begun));
    let used = code_of(&secret, app.context.clock.now());
    let plain = app.person(Role::Analyst, "SLE");
    let disabled = app.person(Role::Analyst, "SLE");
    disable(&app, &disabled);
    let pending = "A. Pending";
    sentinelle::auth::accounts::add_user(&app.context, pending, Role::Analyst, vec![])
        .expect("a user");

    let first = sign_in(&app, "Nobody At All", PASSWORD, None);
    let first = first.expect_problem(401, "sign_in_failed");
    for (name, password, code, reason) in [
        (plain.as_str(), OTHER_PASSWORD, None, "a wrong password"),
        (plain.as_str(), "", None, "no password"),
        (enrolled.as_str(), PASSWORD, None, "no code"),
        (enrolled.as_str(), PASSWORD, Some("000000"), "a wrong code"),
        (enrolled.as_str(), PASSWORD, Some(used.as_str()), "a used code"),
        (enrolled.as_str(), OTHER_PASSWORD, Some(used.as_str()), "both"),
        (disabled.as_str(), PASSWORD, None, "disabled"),
        (pending, PASSWORD, None, "invited only"),
        ("", "", None, "nothing"),
    ] {
        let answer = sign_in(&app, name, password, code).expect(401);
        assert_eq!(answer.body, first.body, "{reason}");
        let (mut ours, mut firsts) = (answer.headers.clone(), first.headers.clone());
        (ours.remove("date"), firsts.remove("date"));
        assert_eq!(ours, firsts, "{reason}");
    }
    assert_eq!(audited(&app, "sign_in_failed"), 8, "of known accounts only");
}

#[test]
fn a_step_of_the_second_factor_is_taken_once() {
    let app = TestApp::start();
    let name = app.person(Role::Reviewer, "SLE");
    let (_, secret, _) = app.enrol(&session_of(&app, &sign_in(&app, &name, PASSWORD, None)));
    let code = |seconds: i64| {
        code_of(&secret, app.context.clock.now() + chrono::Duration::seconds(seconds))
    };

    sign_in(&app, &name, PASSWORD, Some(&code(0))).expect(401);
    sign_in(&app, &name, PASSWORD, Some(&code(-30))).expect(401);
    let next = code(30);
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| sign_in(&app, &name, PASSWORD, Some(&next)).status))
            .collect();
        tries.into_iter().map(|tried| tried.join().expect("an answer")).collect()
    });
    assert_eq!(answers.iter().filter(|status| **status == 201).count(), 1, "{answers:?}");
    app.set_now("2024-04-01T12:01:30Z");
    sign_in(&app, &name, PASSWORD, Some(&code(-30))).expect(201);
    sign_in(&app, &name, PASSWORD, Some(&code(-30))).expect(401);
    sign_in(&app, &name, PASSWORD, Some(&code(0))).expect(201);
}

#[test]
fn a_recovery_code_lets_in_once() {
    let app = TestApp::start();
    let name = app.person(Role::Coordinator, "all");
    let (client, _, codes) = app.enrol(&session_of(&app, &sign_in(&app, &name, PASSWORD, None)));
    let other = app.session(Role::Coordinator, "all");
    assert_eq!(codes.len(), 10);

    let careless = codes[3].to_lowercase().replace('-', " ");
    sign_in(&app, &name, PASSWORD, Some(&careless)).expect(201);
    sign_in(&app, &name, PASSWORD, Some(&codes[3])).expect(401);
    sign_in(&app, &name, OTHER_PASSWORD, Some(&codes[4])).expect(401);
    let me = |client: &Client| client.get("/v1/me").expect(200).json()["second_factor"].clone();
    assert_eq!(me(&client)["recovery_codes_left"], 9);
    assert_eq!(me(&other)["recovery_codes_left"], 10);
    let second = sign_in(&app, &name, PASSWORD, Some(&codes[4])).expect(201);

    // With one, a new factor is set up; the old one and the other codes are worth nothing then.
    let begin = |code: Option<&str>| {
        let body = json!({"password": PASSWORD, "code": code});
        session_of(&app, &second).post("/v1/me/second-factor", &body)
    };
    assert_eq!(begin(None).expect_problem(422, "invalid_fields").pointers(), ["/code"]);
    begin(Some(&codes[4])).expect(422);
    begin(Some(&codes[5])).expect(200);
    assert_eq!(audited(&app, "used_recovery_code"), 3);
}

#[test]
fn without_the_second_factor_a_role_needs_its_grants_stay_away() {
    let app = TestApp::start();
    for (role, path) in [
        (Role::Reviewer, "/v1/incidents"),
        (Role::RegionalLead, "/v1/queue"),
        (Role::Coordinator, "/v1/incidents"),
        (Role::Auditor, "/v1/geotag?lat=8.644&lon=-10.971"),
        (Role::Sysadmin, "/v1/geotag?lat=8.644&lon=-10.971"),
    ] {
        let name = app.person(role, "all");
        let begun = sign_in(&app, &name, PASSWORD, None).expect(201);
        assert_eq!(begun.json()["must_enrol"], true, "{role:?}");
        let before = session_of(&app, &begun);
        before.get(path).expect_problem(403, "forbidden");
        let me = before.get("/v1/me").expect(200).json();
        assert_eq!(me["credential"]["must_enrol"], true);
        assert_eq!(me["second_factor"]["is_needed"], true);

        let (after, ..) = app.enrol(&before);
        after.get(path).expect(200);
        before.get("/v1/me").expect_problem(401, "unauthenticated");
        let me = after.get("/v1/me").expect(200).json();
        assert_eq!(me["credential"]["must_enrol"], false);
        assert_eq!(me["second_factor"]["since"], "2024-04-01T12:00:00Z");
        assert_ne!(me["credential"]["session"], begun.json()["id"], "a new id");
    }
    for role in [Role::Monitor, Role::Analyst] {
        let name = app.person(role, "SLE");
        assert_eq!(sign_in(&app, &name, PASSWORD, None).json()["must_enrol"], false, "{role:?}");
    }
}

#[test]
fn a_new_second_factor_holds_from_its_first_code_and_only_with_the_password() {
    let app = TestApp::start();
    let name = app.person(Role::Analyst, "SLE");
    let client = session_of(&app, &sign_in(&app, &name, PASSWORD, None));
    let begin =
        |password: &str| client.post("/v1/me/second-factor", &json!({"password": password}));
    let confirm = |code: &str| client.put("/v1/me/second-factor", &json!({"code": code}));

    assert_eq!(confirm("123456").expect_problem(422, "invalid_fields").pointers(), ["/code"]);
    assert_eq!(begin(OTHER_PASSWORD).expect(422).pointers(), ["/password"]);
    let told = begin(PASSWORD).expect(200).json();
    let secret = told["secret"].as_str().expect("a secret");
    let uri = told["uri"].as_str().expect("an address");
    assert!(uri.starts_with("otpauth://totp/Sentinelle:Person%20"), "{uri}");
    assert!(uri.contains(secret) && uri.ends_with("&algorithm=SHA1&digits=6&period=30"), "{uri}");
    assert!(told["qr_svg"].as_str().expect("a picture").contains("<svg"));
    confirm("000000").expect(422);
    sign_in(&app, &name, PASSWORD, None).expect(201);
    let token = app.user(Role::Analyst, "SLE");
    token.post("/v1/me/second-factor", &json!({"password": PASSWORD})).expect(403);

    app.enrol(&client);
    sign_in(&app, &name, PASSWORD, None).expect(401);
}

#[test]
fn a_session_ends_when_it_lies_unused_and_after_a_working_day() {
    let app = TestApp::start();
    let reviewer = app.session(Role::Reviewer, "SLE");
    let name = app.person(Role::Analyst, "SLE");
    let analyst = session_of(&app, &sign_in(&app, &name, PASSWORD, None));

    app.set_now("2024-04-01T12:15:00Z");
    reviewer.get("/v1/me").expect(200);
    app.set_now("2024-04-01T12:30:01Z");
    reviewer.get("/v1/me").expect_problem(401, "unauthenticated");
    for minutes in (30..480).step_by(55) {
        app.set_now(&format!("2024-04-01T{:02}:{:02}:00Z", 12 + minutes / 60, minutes % 60));
        analyst.get("/v1/me").expect(200);
    }
    app.set_now("2024-04-01T19:59:59Z");
    analyst.get("/v1/me").expect(200);
    app.set_now("2024-04-01T20:00:00Z");
    analyst.get("/v1/me").expect_problem(401, "unauthenticated");

    let second = session_of(&app, &sign_in(&app, &name, PASSWORD, None));
    app.set_now("2024-04-01T21:00:01Z");
    second.get("/v1/me").expect_problem(401, "unauthenticated");
}

#[test]
fn the_use_of_a_session_is_written_down_at_most_once_a_minute() {
    let app = TestApp::start();
    let name = app.person(Role::Analyst, "SLE");
    let client = session_of(&app, &sign_in(&app, &name, PASSWORD, None));
    let before = app.context.db.write_counts().commits;

    for second in 0..60 {
        app.set_now(&format!("2024-04-01T12:00:{second:02}Z"));
        client.get("/v1/me").expect(200);
    }
    assert_eq!(app.context.db.write_counts().commits - before, 0);
    for _ in 0..3 {
        app.set_now("2024-04-01T12:01:00Z");
        client.get("/v1/me").expect(200);
    }
    assert_eq!(app.context.db.write_counts().commits - before, 1);
    let listed = client.get("/v1/sessions").expect(200).json();
    assert_eq!(listed["items"][0]["seen_at"], "2024-04-01T12:01:00Z");
}

#[test]
fn people_list_and_end_their_own_sessions_and_nobody_elses() {
    let app = TestApp::start();
    let name = app.person(Role::Analyst, "SLE");
    let begun: Vec<Answer> =
        (0..3).map(|_| sign_in(&app, &name, PASSWORD, None).expect(201)).collect();
    let clients: Vec<Client> = begun.iter().map(|answer| session_of(&app, answer)).collect();
    let other = app.session(Role::Analyst, "SLE");
    let id = |nth: usize| begun[nth].json()["id"].as_str().expect("an id").to_owned();

    let listed = clients[1].get("/v1/sessions?limit=2").expect(200).json();
    let next = listed["next"].as_str().expect("another page");
    let rest = clients[1].get(&format!("/v1/sessions?limit=2&cursor={next}")).expect(200).json();
    let both = [listed["items"].as_array(), rest["items"].as_array()];
    let both: Vec<&Value> = both.into_iter().flatten().flatten().collect();
    assert_eq!(both.iter().map(|item| &item["id"]).collect::<Vec<_>>(), [&id(2), &id(1), &id(0)]);
    assert_eq!(
        both.iter().map(|item| item["is_current"] == true).collect::<Vec<_>>(),
        [false, true, false]
    );
    other.get(&format!("/v1/sessions?limit=2&cursor={next}")).expect_problem(400, "invalid_cursor");

    other.remove(&format!("/v1/sessions/{}", id(0))).expect_problem(404, "not_found");
    clients[1].remove("/v1/sessions/00000000-0000-4000-8000-000000000000").expect(404);
    clients[1].remove("/v1/sessions/x").expect(404);
    clients[1].remove(&format!("/v1/sessions/{}", id(0))).expect(204);
    clients[0].get("/v1/me").expect(401);
    clients[1].remove(&format!("/v1/sessions/{}", id(0))).expect(404);
    clients[1].remove("/v1/sessions/current").expect(204);
    clients[1].get("/v1/me").expect(401);
    clients[2].get("/v1/me").expect(200);
    app.user(Role::Analyst, "SLE").remove("/v1/sessions/current").expect(404);
}

#[test]
fn another_password_ends_all_other_sessions() {
    let app = TestApp::start();
    let name = app.person(Role::Analyst, "SLE");
    let [client, other] = [0, 1].map(|_| session_of(&app, &sign_in(&app, &name, PASSWORD, None)));
    let link = app.invitation(&name);
    let change =
        |old: &str, new: &str| client.put("/v1/me/password", &json!({"old": old, "new": new}));

    assert_eq!(change(OTHER_PASSWORD, OTHER_PASSWORD).expect(422).pointers(), ["/old"]);
    for weak in ["short", "password1234", &"x".repeat(129), &name, "aaaaaaaaaaaaaaaaaaa"] {
        let refused = change(PASSWORD, weak).expect_problem(422, "invalid_fields");
        assert_eq!(refused.pointers(), ["/new"], "{weak}");
        assert!(!refused.text().contains(weak), "it is not repeated");
    }
    other.get("/v1/me").expect(200);
    change(PASSWORD, OTHER_PASSWORD).expect(204);

    client.get("/v1/me").expect(200);
    other.get("/v1/me").expect_problem(401, "unauthenticated");
    sign_in(&app, &name, PASSWORD, None).expect(401);
    sign_in(&app, &name, OTHER_PASSWORD, None).expect(201);
    let body = json!({"token": link, "password": PASSWORD});
    app.anonymous().post("/v1/invitations/accept", &body).expect(404);
    app.user(Role::Analyst, "SLE")
        .put("/v1/me/password", &json!({"old": PASSWORD, "new": OTHER_PASSWORD}))
        .expect_problem(403, "forbidden");
}

#[test]
fn a_link_works_once_for_a_time_and_every_other_gets_the_same_bytes() {
    let app = TestApp::start();
    let accept = |token: &str, password: &str| {
        let body = json!({"token": token, "password": password});
        app.anonymous().post("/v1/invitations/accept", &body)
    };
    let name = app.person(Role::Analyst, "SLE");
    let old = session_of(&app, &sign_in(&app, &name, PASSWORD, None));
    app.enrol(&old);
    let used = app.invitation(&name);
    let french = app.anonymous().send(
        "POST",
        "/v1/invitations/accept",
        &[("content-type", "application/json"), ("accept-language", "fr")],
        Some(json!({"token": used, "password": "court"}).to_string().as_bytes()),
    );
    assert!(french.expect(422).text().contains("mot de passe"));
    let accepted = accept(&used, OTHER_PASSWORD).expect(200);
    assert!(cookie(&accepted, "__Host-known").is_some());
    old.get("/v1/me").expect(401);
    sign_in(&app, &name, OTHER_PASSWORD, None).expect(201);

    let replaced = app.invitation(&name);
    let revoked = app.invitation(&name);
    app.context
        .db
        .write_here({
            let now = app.context.clock.now();
            let index = app.context.keys.name_index(&name);
            move |tx| {
                let user = sentinelle::auth::store::find_user_by_name(tx.conn, &index)?;
                let (row_id, _) = user.expect("a user");
                Ok(sentinelle::auth::invitations::revoke_all(tx.conn, row_id, now)?)
            }
        })
        .expect("a write");
    let disabled_name = app.person(Role::Analyst, "SLE");
    let disabled = app.invitation(&disabled_name);
    disable(&app, &disabled_name);
    let expired_name = app.person(Role::Analyst, "SLE");
    let expired = app.invitation(&expired_name);
    app.set_now("2024-04-01T13:00:00Z");
    let never = sentinelle::auth::credential::Credential::generate(
        sentinelle::auth::credential::CredentialKind::Invitation,
    );
    let never = never.expect("a token").expose().to_owned();
    let token = app.user(Role::Analyst, "SLE").token().to_owned();
    let first = accept(&never, PASSWORD).expect_problem(404, "not_found");
    for (link, reason) in [
        (used, "used"),
        (replaced, "replaced"),
        (revoked, "revoked"),
        (disabled, "disabled"),
        (expired, "expired"),
        (token, "another kind of token"),
        (format!("{never}x"), "a typo"),
        (String::new(), "nothing"),
    ] {
        assert_eq!(accept(&link, PASSWORD).expect(404).body, first.body, "{reason}");
    }
}

#[test]
fn of_several_who_use_one_link_at_once_one_sets_the_password() {
    let app = TestApp::start();
    let name = app.person(Role::Analyst, "SLE");
    let link = app.invitation(&name);
    let words =
        ["amber", "basalt", "cobalt", "dolomite", "emerald", "feldspar", "garnet", "halite"];

    let done: Vec<(String, u16)> = std::thread::scope(|scope| {
        let tries: Vec<_> = words
            .iter()
            .map(|word| {
                let password = format!("{word} otter plain nine");
                let body = json!({"token": link, "password": password});
                let client = app.anonymous();
                scope.spawn(move || (password, client.post("/v1/invitations/accept", &body).status))
            })
            .collect();
        tries.into_iter().map(|tried| tried.join().expect("an answer")).collect()
    });

    let set: Vec<&(String, u16)> = done.iter().filter(|(_, status)| *status == 200).collect();
    assert_eq!(set.len(), 1, "{done:?}");
    assert!(done.iter().all(|(_, status)| [200, 404].contains(status)), "{done:?}");
    sign_in(&app, &name, &set[0].0, None).expect(201);
}

#[test]
fn a_request_by_cookie_that_changes_something_must_come_from_a_page_of_ours() {
    let app = TestApp::start();
    let name = app.person(Role::Analyst, "SLE");
    let body = json!({"name": name, "password": PASSWORD});
    let begun = app.anonymous().post("/v1/sessions", &body).expect(201);
    let session = cookie(&begun, "__Host-session").expect("a session").0;
    let csrf = begun.json()["csrf"].as_str().expect("a token").to_owned();
    let second = app.anonymous().post("/v1/sessions", &body).expect(201);
    let others = second.json()["csrf"].as_str().expect("a token").to_owned();
    let line = format!("__Host-session={session}");
    let own = format!("http://{}", app.address());
    let ask = |sent: &[(&str, &str)]| {
        let mut headers = vec![("content-type", "application/json"), ("cookie", line.as_str())];
        headers.extend_from_slice(sent);
        let text = json!({"text": "Two diggers were beaten."}).to_string();
        app.anonymous().send("POST", "/v1/classify", &headers, Some(text.as_bytes()))
    };
    let with =
        |name: &'static str, value: &'static str| [("x-csrf-token", csrf.as_str()), (name, value)];

    ask(&[("x-csrf-token", &csrf)]).expect(200);
    ask(&[("x-csrf-token", &csrf), ("origin", &own)]).expect(200);
    ask(&with("sec-fetch-site", "same-origin")).expect(200);
    ask(&with("sec-fetch-site", "none")).expect(200);
    for (sent, reason) in [
        (vec![], "no token"),
        (vec![("x-csrf-token", "")], "an empty token"),
        (vec![("x-csrf-token", others.as_str())], "the token of another session"),
        (vec![("x-csrf-token", csrf.as_str()), ("x-csrf-token", csrf.as_str())], "two tokens"),
        (with("origin", "https://evil.example").to_vec(), "another origin"),
        (with("origin", "null").to_vec(), "a hidden origin"),
        (with("sec-fetch-site", "cross-site").to_vec(), "another site"),
        (with("sec-fetch-site", "same-site").to_vec(), "a neighbour"),
        (vec![("origin", own.as_str())], "our origin without a token"),
    ] {
        let refused = ask(&sent);
        assert_eq!(
            (refused.status, &refused.json()["code"]),
            (403, &json!("csrf_failed")),
            "{reason}"
        );
    }
    app.anonymous().get_with("/v1/me", &[("cookie", &line)]).expect(200);
    let bearer = Client::new(&app.url, Some(&session));
    bearer.post("/v1/classify", &json!({"text": "x"})).expect(200);
    for path in ["/v1/sessions", "/v1/setup", "/v1/invitations/accept"] {
        let headers = [("content-type", "application/json"), ("origin", "https://evil.example")];
        let body = match path {
            "/v1/sessions" => body.clone(),
            "/v1/setup" => json!({"token": "x", "name": "x", "password": "x"}),
            _ => json!({"token": "x", "password": "x"}),
        };
        let sent = body.to_string();
        app.anonymous()
            .send("POST", path, &headers, Some(sent.as_bytes()))
            .expect_problem(403, "csrf_failed");
    }
}

#[test]
fn a_tampered_or_foreign_cookie_is_nobody() {
    let app = TestApp::start();
    let name = app.person(Role::Analyst, "SLE");
    let begun = sign_in(&app, &name, PASSWORD, None).expect(201).json();
    let session = begun["session"].as_str().expect("a session").to_owned();
    let (token, key) = (app.user(Role::Analyst, "SLE"), app.device("SLE"));
    let ask = |line: &str| app.anonymous().get_with("/v1/me", &[("cookie", line)]);
    let first = app.anonymous().get("/v1/me").expect_problem(401, "unauthenticated");

    ask(&format!("__Host-session={session}")).expect(200);
    for place in 0..session.len() {
        let mut letters: Vec<char> = session.chars().collect();
        letters[place] = if letters[place] == 'a' { 'b' } else { 'a' };
        let tampered: String = letters.into_iter().collect();
        let refused = ask(&format!("__Host-session={tampered}")).expect(401);
        assert_eq!(refused.body, first.body, "{place}");
    }
    for (line, reason) in [
        (format!("__Host-session={}", token.token()), "a token is no session"),
        (format!("__Host-session={}", key.token()), "a key is no session"),
        (format!("session={session}"), "another name"),
        (format!("__Host-session={session}; __Host-session={session}"), "two of them"),
        (format!("__Host-session=\"{session}\""), "in quotes"),
        ("__Host-session=".to_owned(), "empty"),
        (format!("__Host-known={session}"), "the cookie of known devices"),
    ] {
        assert_eq!(ask(&line).expect(401).body, first.body, "{reason}");
    }
    let both =
        [("cookie", format!("__Host-session={session}")), ("authorization", "Bearer x".into())];
    let both = both.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(app.anonymous().get_with("/v1/me", &both).expect(401).body, first.body);
}

#[test]
fn nothing_that_is_stored_signs_anybody_in() {
    let app = TestApp::start();
    let name = app.person(Role::Reviewer, "SLE");
    let (client, _, codes) = app.enrol(&session_of(&app, &sign_in(&app, &name, PASSWORD, None)));
    let link = app.invitation(&name);
    let token = app.user(Role::Reviewer, "SLE");
    let stored = app.context.db.read_here(|conn| {
        let mut bytes: Vec<Vec<u8>> = sessions::table.select(sessions::hash).load(conn)?;
        bytes.extend(tokens::table.select(tokens::hash).load::<Vec<u8>>(conn)?);
        bytes.extend(invitations::table.select(invitations::hash).load::<Vec<u8>>(conn)?);
        bytes.extend(recovery_codes::table.select(recovery_codes::hash).load::<Vec<u8>>(conn)?);
        let hashes: Vec<String> = passwords::table.select(passwords::hash).load(conn)?;
        Ok((bytes, hashes))
    });
    let (bytes, hashes) = stored.expect("rows");
    assert!(bytes.len() >= 15 && hashes.len() == 1);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut values: BTreeSet<String> = hashes.into_iter().collect();
    for value in &bytes {
        values.insert(hex(value));
        values.insert(
            String::from_utf8_lossy(value).chars().filter(char::is_ascii_graphic).collect(),
        );
    }

    for (nth, value) in values.iter().enumerate() {
        for prefix in ["", "snt_s_", "snt_u_"] {
            let replayed = format!("Bearer {prefix}{value}");
            app.anonymous().get_with("/v1/me", &[("authorization", &replayed)]).expect(401);
            let replayed = format!("__Host-session={prefix}{value}");
            app.anonymous().get_with("/v1/me", &[("cookie", &replayed)]).expect(401);
        }
        let accept = json!({"token": value, "password": PASSWORD});
        app.anonymous().post("/v1/invitations/accept", &accept).expect(404);
        if nth < 4 {
            sign_in(&app, &name, value, Some(&codes[0])).expect(401);
        }
    }
    // A link is no credential, a session no link.
    for secret in [link.as_str(), codes[0].as_str()] {
        Client::new(&app.url, Some(secret)).get("/v1/me").expect(401);
    }
    for secret in [client.token(), token.token()] {
        let accept = json!({"token": secret, "password": PASSWORD});
        app.anonymous().post("/v1/invitations/accept", &accept).expect(404);
    }
    client.get("/v1/me").expect(200);
}

#[test]
fn bodies_of_the_account_routes_take_no_field_they_do_not_know() {
    let app = TestApp::start();
    let client = app.session(Role::Analyst, "SLE");
    for (path, body) in [
        ("/v1/sessions", json!({"name": "a", "password": "b", "role": "coordinator"})),
        ("/v1/invitations/accept", json!({"token": "a", "password": "b", "name": "c"})),
        ("/v1/setup", json!({"token": "a", "name": "b", "password": "c", "role": "sysadmin"})),
        ("/v1/me/second-factor", json!({"password": "b", "secret": "AAAA"})),
    ] {
        client.post(path, &body).expect_problem(400, "unknown_field");
    }
    client
        .put("/v1/me/password", &json!({"old": "a", "new": "b", "user": "c"}))
        .expect_problem(400, "unknown_field");
    client.get("/v1/me?as=other").expect_problem(400, "unknown_parameter");
    client.get("/v1/sessions?user=other").expect_problem(400, "unknown_parameter");
}
