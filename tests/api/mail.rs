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
use crate::messages::ask;
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

#[test]
fn whoever_is_asked_back_is_told_that_there_is_a_question_and_nothing_else() {
    let mailbox = Mailbox::start();
    let app = start(&mailbox);
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    subscribe(&monitor, "monitor@example.org", "fr");
    let one = monitor.submit(&quiet("SLE"));
    deliver(&app);
    assert!(mailbox.taken().is_empty(), "a monitor reviews nothing");

    let asked = ask(&reviewer, &one, "CANARY: how many?").expect(201).json();

    assert_eq!(asked["delivery"], json!(["inbox", "mail"]));
    mailbox.refuse(Some("451 try again later"));
    deliver(&app);
    assert!(mailbox.taken().is_empty());
    mailbox.refuse(None);
    pass(&app, 2);
    deliver(&app);
    let mails = mailbox.taken();
    assert_eq!(mails.len(), 1, "tried again");
    assert!(mails[0].contains("RCPT TO:<monitor@example.org>"), "{}", mails[0]);
    assert!(mails[0].contains("=?utf-8?"), "French, with its accents: {}", mails[0]);
    for word in ["CANARY", "SLE", "rights", "assault", "how many"] {
        assert!(!mails[0].contains(word), "{word} in {}", mails[0]);
    }
    pass(&app, 600);
    deliver(&app);
    assert_eq!(mailbox.taken().len(), 1, "once");

    let two = monitor.submit(&quiet("SLE"));
    let refused = ask(&reviewer, &json!({"id": one["id"], "incident": two["incident"]}), "Who?");
    refused.expect_problem(422, "invalid_fields");
    deliver(&app);
    assert_eq!(mailbox.taken().len(), 1, "nothing was asked, nothing is told");
}

#[test]
fn a_reviewer_who_is_asked_back_is_told_of_the_question_and_then_of_the_queue() {
    let mailbox = Mailbox::start();
    let app = start(&mailbox);
    let (reviewer, colleague) = (app.user(Role::Reviewer, "SLE"), app.reviewer());
    subscribe(&reviewer, "reviewer@example.org", "en");
    let sent = reviewer.submit(&quiet("SLE"));
    ask(&colleague, &sent, "How many?").expect(201);
    reviewer.submit(&quiet("SLE"));

    deliver(&app);
    pass(&app, 61);
    deliver(&app);

    let subjects: Vec<String> = mailbox
        .taken()
        .iter()
        .flat_map(|mail| {
            mail.lines()
                .filter(|line| line.starts_with("Subject"))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(subjects, ["Subject: Something to answer", "Subject: Something new to review"]);
}
