//! For every route that takes something in: a request that is taken, with canaries wherever a person writes freely.
//!
//! A new route needs a line in [`PLANTS`], or in [`WITHOUT_WORDS`] with the reason why nobody can write into it.

use sentinelle::auth::accounts::add_user;
use sentinelle::auth::types::{GrantScope, Role};
use sentinelle::clock::Clock;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::canaries::planter::Planter;
use crate::canaries::stage::{Sent, Stage, encode};
use crate::harness::{Answer, code_of, from_base32};

/// A route that writes, and what is sent to it.
pub(crate) type Plant = (&'static str, fn(&Stage) -> Sent);

/// What is sent, in this order.
pub(crate) const PLANTS: &[Plant] = &[
    ("POST /v1/setup", |stage| {
        let name = stage.planter.name("the first coordinator");
        let password = stage.planter.words("the password of the first coordinator");
        let body = json!({"token": stage.kept("setup"), "name": name, "password": password,
            "cookie": false});
        sent("anonymous", "/v1/setup", body)
    }),
    ("POST /v1/invitations/accept", |stage| {
        let name = stage.planter.name("a person who was invited");
        add_user(&stage.app.context, &name, Role::Analyst, vec![GrantScope::All]).expect("a user");
        let link = stage.app.invitation(&name);
        stage.planter.keep("an invitation", &link, &[]);
        stage.keep("name", &name);
        stage.keep("password", &stage.planter.words("a password"));
        let body = json!({"token": link, "password": stage.kept("password"), "cookie": false});
        sent("anonymous", "/v1/invitations/accept", body)
    }),
    ("POST /v1/sessions", |stage| {
        let (name, password) = (stage.kept("name"), stage.kept("password"));
        let body = json!({"name": name, "password": password, "cookie": false});
        sent("anonymous", "/v1/sessions", body)
    }),
    ("PUT /v1/me/password", |stage| {
        let old = stage.kept("password");
        stage.keep("password", &stage.planter.words("a new password"));
        sent("signed_in", "/v1/me/password", json!({"old": old, "new": stage.kept("password")}))
    }),
    ("POST /v1/me/second-factor", |stage| {
        sent("signed_in", "/v1/me/second-factor", json!({"password": stage.kept("password")}))
    }),
    ("PUT /v1/me/second-factor", |stage| {
        let code = code_of(&from_base32(&stage.kept("secret")), Clock::system().now());
        sent("signed_in", "/v1/me/second-factor", json!({"code": code}))
    }),
    ("POST /v1/reports", |stage| {
        sent("device", "/v1/reports", report(&stage.planter, Uuid::new_v4()))
    }),
    ("PUT /v1/reports/{id}", |stage| {
        let id = Uuid::new_v4();
        let mut body = report(&stage.planter, id);
        body.as_object_mut().expect("an object").remove("id");
        sent("monitor", format!("/v1/reports/{id}"), body)
    }),
    ("POST /v1/reports/{id}/revisions", |stage| {
        let id = new_report(stage)["id"].as_str().expect("an id").to_owned();
        let body = report(&stage.planter, Uuid::parse_str(&id).expect("an id"));
        sent("monitor", format!("/v1/reports/{id}/revisions"), body)
    }),
    ("POST /v1/reports/{id}/withdrawal", |stage| {
        let id = new_report(stage)["id"].as_str().expect("an id").to_owned();
        let body = json!({"reason": stage.planter.words("the reason of a withdrawal")});
        sent("monitor", format!("/v1/reports/{id}/withdrawal"), body)
    }),
    ("POST /v1/incidents/{id}/messages", |stage| {
        let asked = new_report(stage);
        let path = format!("/v1/incidents/{}", asked["incident"].as_str().expect("an id"));
        let body = json!({"report": asked["id"], "text": stage.planter.words("a question")});
        let mut sent = sent("reviewer", format!("{path}/messages"), body);
        sent.headers.push(("if-match", "\"1\"".to_owned()));
        sent
    }),
    ("POST /v1/messages/{id}/answers", |stage| {
        let body = json!({"id": Uuid::new_v4(), "text": stage.planter.words("an answer")});
        sent("monitor", stage.path("/v1/messages/{id}/answers"), body)
    }),
    ("POST /v1/classify", |stage| {
        sent("monitor", "/v1/classify", json!({"text": stage.planter.words("a text to classify")}))
    }),
    ("POST /v1/queue/next", |stage| {
        let query = encode(&stage.planter.words("words looked for in the queue"));
        sent("reviewer", format!("/v1/queue/next?q={query}"), Value::Null)
    }),
    ("POST /v1/incidents/{id}/claim", |stage| {
        let path = stage.path("/v1/incidents/{id}/claim");
        let lead = stage.client("regional_lead");
        let held =
            json!({"take_over": true, "reason": stage.planter.words("the reason of a lead")});
        lead.post(&path, &held).expect(200);
        let reason = stage.planter.words("the reason of taking a case over");
        sent("reviewer", path, json!({"take_over": true, "reason": reason}))
    }),
    ("PUT /v1/incidents/{id}/assignee", |stage| {
        let me = stage.client("reviewer").get("/v1/me").expect(200).json()["id"].clone();
        let reason = stage.planter.words("the reason of an assignment");
        let path = stage.path("/v1/incidents/{id}/assignee");
        sent("reviewer", path, json!({"user": me, "reason": reason}))
    }),
    ("POST /v1/queue/rejections", |stage| {
        let flood = new_report(stage)["incident"].clone();
        let reason = stage.planter.words("the reason of rejecting a flood");
        sent("reviewer", "/v1/queue/rejections", json!({"incidents": [flood], "reason": reason}))
    }),
    ("POST /v1/queue/rejections/{id}/undo", |stage| {
        let path = format!("/v1/queue/rejections/{}/undo", stage.kept("rejections"));
        let reason = stage.planter.words("the reason of putting a flood back");
        sent("reviewer", path, json!({"reason": reason}))
    }),
    ("POST /v1/incidents/{id}/decisions", |stage| {
        let (lat, lon) = stage.planter.spot("a settled place");
        let body = json!({"status": "verified", "reason": stage.planter.words("a reason"),
            "location": {"lat": lat, "lon": lon, "place": stage.planter.words("a settled place")},
            "categories": ["rights.life_integrity.killing"], "occurred": "2024-03-05T09:00:00Z",
            "harm": {"killed": 2}, "actors": ["private_security"], "severity": 5,
            "mining_mode": "artisanal", "is_test": false,
            "grade": {"source_reliability": "B", "info_credibility": 2}});
        on_version(stage, "decisions", body)
    }),
    ("POST /v1/incidents/{id}/reveal", |stage| {
        let body = json!({"reason": stage.planter.words("the reason of a reveal"),
            "parts": ["identities", "text", "place"]});
        sent("reviewer", stage.path("/v1/incidents/{id}/reveal"), body)
    }),
    ("POST /v1/incidents/{id}/related", |stage| {
        let other = new_report(stage)["incident"].clone();
        stage.keep("related", other.as_str().expect("an id"));
        let reason = stage.planter.words("the reason of a link");
        let body = json!({"incidents": [other], "reason": reason});
        sent("reviewer", stage.path("/v1/incidents/{id}/related"), body)
    }),
    ("POST /v1/incidents/{id}/duplicates/dismissals", |stage| {
        let other = new_report(stage)["incident"].clone();
        let reason = stage.planter.words("the reason of a dismissal");
        let body = json!({"incident": other, "reason": reason});
        sent("reviewer", stage.path("/v1/incidents/{id}/duplicates/dismissals"), body)
    }),
    ("POST /v1/incidents/{id}/merge", |stage| {
        let absorbed = new_report(stage);
        stage.keep("absorbed", absorbed["id"].as_str().expect("an id"));
        let reason = stage.planter.words("the reason of a merge");
        on_version(stage, "merge", json!({"incidents": [absorbed["incident"]], "reason": reason}))
    }),
    ("POST /v1/incidents/{id}/split", |stage| {
        let reason = stage.planter.words("the reason of a split");
        on_version(stage, "split", json!({"reports": [stage.kept("absorbed")], "reason": reason}))
    }),
    ("DELETE /v1/reports/{id}", |stage| {
        let report = new_report(stage)["id"].as_str().expect("an id").to_owned();
        let body = json!({"reason": stage.planter.words("the reason of an erasure")});
        sent("coordinator", format!("/v1/reports/{report}"), body)
    }),
    ("POST /v1/users", |stage| {
        let body = json!({"name": stage.planter.name("somebody to invite"),
            "grants": [{"role": "monitor", "scope": "SLE"}]});
        sent("coordinator", "/v1/users", body)
    }),
    ("POST /v1/devices", |stage| {
        let body = json!({"name": stage.planter.name("a phone"), "country": "SLE"});
        sent("coordinator", "/v1/devices", body)
    }),
    ("PUT /v1/devices/{id}", |stage| {
        let body = json!({"name": stage.planter.name("a phone by another name")});
        sent("coordinator", stage.path("/v1/devices/{id}"), body)
    }),
    ("POST /v1/tokens", |_| sent("signed_in", "/v1/tokens", json!({"expires_in_days": 30}))),
    ("PUT /v1/me/notifications", |stage| {
        let address = format!("{}@example.org", stage.planter.code("an address of mail"));
        sent("reviewer", "/v1/me/notifications", json!({"mail": address, "language": "fr"}))
    }),
    ("POST /v1/webhooks", |stage| {
        sent(
            "coordinator",
            "/v1/webhooks",
            json!({"url": hook(stage, "a webhook"), "scope": "SLE"}),
        )
    }),
    ("PUT /v1/webhooks/{id}", |stage| {
        let body = json!({"url": hook(stage, "another webhook"), "scope": "SLE", "active": true,
            "new_secret": true});
        sent("coordinator", stage.path("/v1/webhooks/{id}"), body)
    }),
    ("POST /v1/releases/{id}/withdrawal", |stage| {
        let office = stage.client("coordinator");
        let draft = office.post("/v1/releases", &json!({"until": "2024-01"})).expect(201).json();
        let path = format!("/v1/releases/{}", draft["id"].as_str().expect("an id"));
        let board = stage.app.user(Role::Coordinator, "all");
        board.post(&format!("{path}/approval"), &json!({})).expect(200);
        let body = json!({"reason": stage.planter.words("the reason of withdrawing a release")});
        sent("coordinator", format!("{path}/withdrawal"), body)
    }),
    ("POST /v1/quarantine/{id}/decisions", |stage| {
        let body = json!({"outcome": "dismissed", "reason": stage.planter.words("a judgement")});
        sent("reviewer", stage.path("/v1/quarantine/{id}/decisions"), body)
    }),
];

/// Routes that change something and into which nobody can write a word, each with the reason.
pub(crate) const WITHOUT_WORDS: &[(&str, &str)] = &[
    ("DELETE /v1/incidents/{id}/related/{related}", "two ids and no body"),
    ("DELETE /v1/incidents/{id}/duplicates/dismissals/{other}", "two ids and no body"),
    ("DELETE /v1/incidents/{id}/claim", "an id and no body"),
    ("DELETE /v1/sessions/{id}", "an id and no body"),
    ("POST /v1/exports", "names of a table and a format, and filters of codes"),
    ("POST /v1/organisations", "names of organisations are public and stand in plain"),
    ("PUT /v1/organisations/{id}", "names of organisations are public and stand in plain"),
    ("PUT /v1/regions/{code}", "names of regions are public and stand in plain"),
    ("DELETE /v1/regions/{code}", "a code and no body"),
    ("POST /v1/users/{id}/invitation", "an id and no body"),
    ("POST /v1/users/{id}/disable", "an id and no body"),
    ("POST /v1/users/{id}/enable", "an id and no body"),
    ("POST /v1/users/{id}/handover", "ids alone"),
    ("POST /v1/grants", "ids, codes and times alone"),
    ("POST /v1/releases", "months alone"),
    ("POST /v1/releases/{id}/approval", "an id and no body"),
    ("DELETE /v1/grants/{id}", "an id and no body"),
    ("DELETE /v1/devices/{id}", "an id and no body"),
    ("DELETE /v1/tokens/{id}", "an id and no body"),
    ("DELETE /v1/webhooks/{id}", "an id and no body"),
    ("POST /v1/webhooks/{id}/test", "an id and no body"),
];

/// Keeps what the answer to a plant tells and later requests need, and lets nothing of it be found.
pub(crate) fn learn(stage: &Stage, route: &str, answer: &Answer) {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    match route {
        "POST /v1/setup" => stage.gather(),
        "POST /v1/sessions" => {
            let told = answer.json();
            stage.admit("signed_in", &text(&told["session"]));
            stage.planter.keep("what makes a device known", &text(&told["known"]), &[]);
        }
        "POST /v1/me/second-factor" => {
            let secret = text(&answer.json()["secret"]);
            stage.planter.keep("the secret of a second factor", &secret, &from_base32(&secret));
            stage.keep("secret", &secret);
        }
        "PUT /v1/me/second-factor" => {
            let told = answer.json();
            stage.admit("signed_in", &text(&told["session"]["session"]));
            for code in told["recovery_codes"].as_array().expect("codes") {
                stage.planter.keep("a recovery code", &text(code), &[]);
            }
        }
        "POST /v1/users" => {
            let told = answer.json();
            stage.planter.keep("the link of somebody invited", &text(&told["invitation"]), &[]);
            stage.keep("users", &text(&told["id"]));
        }
        "POST /v1/devices" => {
            let told = answer.json();
            stage.planter.keep("the key of a phone", &text(&told["key"]), &[]);
            stage.keep("devices", &text(&told["id"]));
        }
        "POST /v1/tokens" => {
            let told = answer.json();
            stage.planter.keep("a token", &text(&told["token"]), &[]);
            stage.keep("tokens", &text(&told["id"]));
        }
        "POST /v1/incidents/{id}/messages" => {
            stage.keep("messages", &text(&answer.json()["id"]));
        }
        "POST /v1/queue/rejections" => {
            stage.keep("rejections", &text(&answer.json()["id"]));
        }
        "POST /v1/webhooks" => {
            let told = answer.json();
            stage.planter.keep("the secret of a webhook", &text(&told["secret"]), &[]);
            stage.keep("webhooks", &text(&told["id"]));
        }
        "PUT /v1/webhooks/{id}" => {
            let secret = text(&answer.json()["secret"]);
            stage.planter.keep("the new secret of a webhook", &secret, &[]);
        }
        "PUT /v1/reports/{id}" => {
            let told = answer.json();
            stage.keep("reports", &text(&told["id"]));
            stage.keep("incidents", &text(&told["incident"]));
        }
        _ => {}
    }
}

fn sent(caller: &'static str, path: impl Into<String>, body: Value) -> Sent {
    let headers = vec![("content-type", "application/json".to_owned())];
    Sent { caller, path: path.into(), headers, body }
}

/// Acts on the incident at the version it has now.
fn on_version(stage: &Stage, act: &str, body: Value) -> Sent {
    let path = stage.path("/v1/incidents/{id}");
    let read = stage.client("reviewer").get(&path).expect(200);
    let tag = read.header("etag").expect("an ETag").to_owned();
    let mut sent = sent("reviewer", format!("{path}/{act}"), body);
    sent.headers.push(("if-match", tag));
    sent
}

/// The address of a webhook, which is taken; nobody listens there.
fn hook(stage: &Stage, what: &str) -> String {
    format!("http://127.0.0.1:9/{}", stage.planter.code(what))
}

/// Submits a report of its own.
fn new_report(stage: &Stage) -> Value {
    stage.client("monitor").submit(&report(&stage.planter, Uuid::new_v4()))
}

/// A report with a canary in every field that a person fills freely.
pub(crate) fn report(planter: &Planter, id: Uuid) -> Value {
    let words = |what: &str| planter.words(what);
    let (lat, lon) = planter.spot("a place");
    json!({
        "id": id, "occurred": "2024-03-05T09:00:00Z",
        "location": {"lat": lat, "lon": lon, "country": "SLE", "place": words("a place in words")},
        "categories": ["rights.life_integrity.killing"],
        "narrative": words("a narrative"), "language": "fr", "harm": {"killed": 2},
        "actors": [{"type": "private_security", "role": "perpetrator", "name": words("an actor")}],
        "people": [
            {"name": words("a victim"), "contact": planter.phone("a victim"), "role": "victim",
             "note": words("a note on a victim")},
            {"name": words("a witness"), "contact": words("a way to reach a witness"), "role": "witness"},
        ],
        "company": words("a company"),
        "smuggling": {"carats": 1.5, "origin": words("an origin"),
            "destination": words("a destination"), "route": words("a route"),
            "kp_certificate": words("a certificate")},
        "environment": {"medium": "water", "pollutant": words("a pollutant")},
        "governance": {"practice": "bad", "subject": words("a subject")},
        "source": {"type": "witness", "name": words("a source"), "contact": planter.phone("a source")},
    })
}
