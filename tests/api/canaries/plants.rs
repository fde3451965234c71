//! For every route that takes something in: a request that is taken, with canaries wherever a person writes freely.
//!
//! A new route needs a line in [`PLANTS`], or in [`WITHOUT_WORDS`] with the reason why nobody can write into it.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::canaries::planter::Planter;
use crate::canaries::stage::{Sent, Stage};

/// A route that writes, and what is sent to it. They are sent in this order.
pub(crate) const PLANTS: &[(&str, fn(&Stage) -> Sent)] = &[
    ("POST /v1/reports", |stage| {
        sent("device", "/v1/reports", report(&stage.planter, Uuid::new_v4()))
    }),
    ("PUT /v1/reports/{id}", |stage| {
        let id = Uuid::new_v4();
        let mut body = report(&stage.planter, id);
        body.as_object_mut().expect("an object").remove("id");
        sent("monitor", format!("/v1/reports/{id}"), body)
    }),
    ("POST /v1/classify", |stage| {
        sent("monitor", "/v1/classify", json!({"text": stage.planter.words("a text to classify")}))
    }),
    ("POST /v1/incidents/{id}/decisions", |stage| {
        let path = stage.path("/v1/incidents/{id}");
        let tag = stage.client("reviewer").get(&path).expect(200);
        let (lat, lon) = stage.planter.spot("a settled place");
        let body = json!({"status": "verified", "reason": stage.planter.words("a reason"),
            "location": {"lat": lat, "lon": lon, "place": stage.planter.words("a settled place")},
            "categories": ["rights.life_integrity.killing"]});
        let tag = tag.header("etag").expect("an ETag").to_owned();
        let mut sent = sent("reviewer", format!("{path}/decisions"), body);
        sent.headers.push(("if-match", tag));
        sent
    }),
    ("POST /v1/incidents/{id}/reveal", |stage| {
        let body = json!({"reason": stage.planter.words("the reason of a reveal"),
            "parts": ["identities", "text", "place"]});
        sent("reviewer", stage.path("/v1/incidents/{id}/reveal"), body)
    }),
    ("POST /v1/incidents/{id}/related", |stage| {
        let other = new_report(stage)["incident"].clone();
        stage.remember("related", &other);
        let reason = stage.planter.words("the reason of a link");
        let body = json!({"incidents": [other], "reason": reason});
        sent("reviewer", stage.path("/v1/incidents/{id}/related"), body)
    }),
    ("DELETE /v1/reports/{id}", |stage| {
        let report = new_report(stage)["id"].as_str().expect("an id").to_owned();
        let body = json!({"reason": stage.planter.words("the reason of an erasure")});
        sent("coordinator", format!("/v1/reports/{report}"), body)
    }),
    ("POST /v1/quarantine/{id}/decisions", |stage| {
        let body = json!({"outcome": "dismissed", "reason": stage.planter.words("a judgement")});
        sent("reviewer", stage.path("/v1/quarantine/{id}/decisions"), body)
    }),
];

/// Routes that change something and into which nobody can write a word, each with the reason.
pub(crate) const WITHOUT_WORDS: &[(&str, &str)] =
    &[("DELETE /v1/incidents/{id}/related/{related}", "two ids and no body")];

fn sent(caller: &'static str, path: impl Into<String>, body: Value) -> Sent {
    let headers = vec![("content-type", "application/json".to_owned())];
    Sent { caller, path: path.into(), headers, body }
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
