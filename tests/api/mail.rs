//! Mail: that there is something new to review, to whoever decides there, seldom, and without a word of what it is.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use chrono::TimeDelta;
use sentinelle::auth::types::Role;
use sentinelle::config::{NotifyConfig, PublicConfig, PublicUrl};
use sentinelle::notify::mail::{MailAddress, SmtpUrl};
use sentinelle::notify::worker::run_once;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApp, TestOptions};
use crate::receiver::Mailbox;
use crate::scope::disable;

fn start(mailbox: &Mailbox) -> TestApp {
    let notify = NotifyConfig {
        smtp_url: Some(SmtpUrl::parse(&mailbox.url()).expect("an address")),
        mail_from: Some(MailAddress::parse("no-reply@example.org").expect("an address")),
        ..NotifyConfig::default()
    };
    let public = PublicConfig {
        public_url: Some(PublicUrl::parse("https://reports.example.org").expect("an address")),
        ..PublicConfig::default()
    };
    TestApp::start_with(TestOptions { public, notify, ..TestOptions::default() })
}

fn quiet(country: &str) -> Value {
    json!({"id": Uuid::new_v4(), "occurred": "2024-03-05", "location": {"country": country},
        "categories": ["rights.life_integrity.assault_injury"], "narrative": "CANARY: two were beaten"})
}

fn urgent(country: &str) -> Value {
    let mut report = quiet(country);
    report["source"] = json!({"type": "witness", "at_risk": true});
    report
}

fn subscribe(client: &Client, address: &str, language: &str) {
    let body = json!({"mail": address, "language": language});
    client.put("/v1/me/notifications", &body).expect(200);
}

fn pass(app: &TestApp, minutes: i64) {
    let later = app.context.clock.now() + TimeDelta::minutes(minutes);
    app.set_now(&later.to_rfc3339());
}

fn deliver(app: &TestApp) {
    run_once(&app.context).expect("the database works");
}

#[test]
fn whoever_decides_in_the_country_is_told_once_an_hour_in_their_language() {
    let mailbox = Mailbox::start();
    let app = start(&mailbox);
    let monitor = app.monitor();
    let (reviewer, lead) =
        (app.user(Role::Reviewer, "SLE"), app.user(Role::RegionalLead, "region:west"));
    let (elsewhere, analyst) = (app.user(Role::Reviewer, "ZWE"), app.user(Role::Analyst, "SLE"));
    subscribe(&reviewer, "reviewer@example.org", "en");
    subscribe(&lead, "lead@example.org", "fr");
    subscribe(&elsewhere, "elsewhere@example.org", "en");
    subscribe(&analyst, "analyst@example.org", "en");
    for _ in 0..5 {
        monitor.submit(&quiet("SLE"));
    }

    deliver(&app);

    let mut mails = mailbox.taken();
    mails.sort();
    let to: Vec<&str> = mails.iter().filter_map(|mail| mail.lines().next()).collect();
    assert_eq!(to, ["RCPT TO:<lead@example.org>", "RCPT TO:<reviewer@example.org>"]);
    assert!(mails[1].contains("Subject: Something new to review\n"), "{}", mails[1]);
    assert!(mails[1].contains("There is something new to review in your queue."), "{}", mails[1]);
    assert!(mails[1].contains("https://reports.example.org"), "{}", mails[1]);
    assert!(mails[0].contains("=?utf-8?"), "French, with its accents: {}", mails[0]);
    for word in ["CANARY", "SLE", "Sierra", "rights", "assault", "severity"] {
        assert!(mails.iter().all(|mail| !mail.contains(word)), "{word} in {mails:?}");
    }

    pass(&app, 20);
    monitor.submit(&quiet("SLE"));
    deliver(&app);
    assert_eq!(mailbox.taken().len(), 2, "not twice an hour");
    pass(&app, 41);
    deliver(&app);
    assert_eq!(mailbox.taken().len(), 4, "what came meanwhile is told then");
    pass(&app, 600);
    deliver(&app);
    assert_eq!(mailbox.taken().len(), 4, "and nothing when nothing came");
}

#[test]
fn what_is_urgent_does_not_wait_for_the_hour() {
    let mailbox = Mailbox::start();
    let app = start(&mailbox);
    let (monitor, reviewer) = (app.monitor(), app.user(Role::Reviewer, "SLE"));
    subscribe(&reviewer, "reviewer@example.org", "en");
    monitor.submit(&quiet("SLE"));
    deliver(&app);
    let first = mailbox.taken();
    assert_eq!(first.len(), 1);

    pass(&app, 6);
    monitor.submit(&quiet("SLE"));
    deliver(&app);
    assert_eq!(mailbox.taken().len(), 1);
    monitor.submit(&urgent("SLE"));
    deliver(&app);
    assert_eq!(mailbox.taken().len(), 2);
    monitor.submit(&urgent("SLE"));
    deliver(&app);
    assert_eq!(mailbox.taken().len(), 2, "five minutes between them all the same");
    pass(&app, 6);
    deliver(&app);
    assert_eq!(mailbox.taken().len(), 3);
    let words = |mail: &str| mail.split_once("\n\n").map(|(_, body)| body.to_owned());
    assert_eq!(words(&first[0]), words(&mailbox.taken()[2]), "the words are the same");
}

#[test]
fn a_server_that_takes_nothing_is_tried_again_and_what_it_refuses_for_good_is_not() {
    let mailbox = Mailbox::start();
    let app = start(&mailbox);
    let (monitor, reviewer) = (app.monitor(), app.user(Role::Reviewer, "SLE"));
    subscribe(&reviewer, "reviewer@example.org", "en");
    mailbox.refuse(Some("451 try again later"));
    monitor.submit(&quiet("SLE"));
    deliver(&app);
    assert!(mailbox.taken().is_empty());
    let seen = reviewer.get("/v1/me/notifications").expect(200).json();
    assert!(seen["failed_at"].is_string(), "{seen}");

    mailbox.refuse(None);
    deliver(&app);
    assert!(mailbox.taken().is_empty(), "not at once");
    pass(&app, 1);
    deliver(&app);
    assert_eq!(mailbox.taken().len(), 1);
    let seen = reviewer.get("/v1/me/notifications").expect(200).json();
    assert_eq!((&seen["failed_at"], seen["sent_at"].is_string()), (&Value::Null, true));

    mailbox.refuse(Some("550 nobody here"));
    pass(&app, 61);
    monitor.submit(&quiet("SLE"));
    deliver(&app);
    mailbox.refuse(None);
    pass(&app, 600);
    deliver(&app);
    assert_eq!(mailbox.taken().len(), 1, "it is given up");
}

#[test]
fn who_ends_it_or_whose_account_ends_gets_none() {
    let mailbox = Mailbox::start();
    let app = start(&mailbox);
    let monitor = app.monitor();
    let (leaving, disabled) = (app.user(Role::Reviewer, "SLE"), app.user(Role::Reviewer, "SLE"));
    subscribe(&leaving, "leaving@example.org", "en");
    subscribe(&disabled, "disabled@example.org", "en");
    monitor.submit(&quiet("SLE"));
    leaving.put("/v1/me/notifications", &json!({"mail": null})).expect(200);
    disable(&app, &disabled);

    deliver(&app);

    assert!(mailbox.taken().is_empty());
    let seen = leaving.get("/v1/me/notifications").expect(200).json();
    assert_eq!((&seen["mail"], &seen["is_sending"]), (&Value::Null, &json!(true)));
}

#[test]
fn an_address_is_shown_to_its_owner_and_may_be_changed() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    subscribe(&reviewer, "first@example.org", "fr");
    subscribe(&reviewer, "second@example.org", "en");

    let seen = reviewer.get("/v1/me/notifications").expect(200).json();
    assert_eq!((&seen["mail"], &seen["language"]), (&json!("second@example.org"), &json!("en")));
    assert_eq!(seen["is_sending"], false, "no server of mail is named here");
    reviewer.put("/v1/me/notifications", &json!({"mail": null})).expect(200);
    subscribe(&reviewer, "third@example.org", "en");
    for (body, pointer) in [
        (json!({"mail": "nobody"}), "/mail"),
        (json!({"mail": "a@example.org\r\nBcc: b@example.org"}), "/mail"),
        (json!({"mail": "a@example.org", "language": "de"}), "/language"),
    ] {
        let refused = reviewer.put("/v1/me/notifications", &body);
        assert_eq!(refused.expect_problem(422, "invalid_fields").pointers(), [pointer]);
    }
    let analyst = app.user(Role::Analyst, "SLE");
    assert_eq!(analyst.get("/v1/me/notifications").expect(200).json()["mail"], Value::Null);
}
