//! How each route is asked: a line or two a route. What the answers must be stands in `tests/permissions.csv`.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Client, PASSWORD};
use crate::permissions::things::{Kind, Thing, killing};

/// One route and how it is asked.
pub(super) struct Spec {
    /// Method and path, as in `app.rs`.
    pub(super) route: &'static str,
    /// What the id in its path names.
    pub(super) kind: Kind,
    /// Whether it changes the thing, so that each cell needs a new one.
    pub(super) is_change: bool,
    query: fn(&Thing) -> String,
    headers: &'static [(&'static str, &'static str)],
    body: Option<fn(&Thing) -> Value>,
}

impl Spec {
    const fn read(route: &'static str, kind: Kind) -> Self {
        let query: fn(&Thing) -> String = |_| String::new();
        Self { route, kind, is_change: false, query, headers: &[], body: None }
    }

    /// Reads what a filter by country selects.
    const fn list(route: &'static str) -> Self {
        Self::read(route, Kind::Country).with_query(|thing| format!("?country={}", thing.country))
    }

    const fn send(route: &'static str, kind: Kind, body: fn(&Thing) -> Value) -> Self {
        let body = Some(body);
        let headers = &[("content-type", "application/json")];
        Self { is_change: true, body, headers, ..Self::read(route, kind) }
    }

    const fn remove(route: &'static str, kind: Kind) -> Self {
        Self { is_change: true, ..Self::read(route, kind) }
    }

    const fn with_query(self, query: fn(&Thing) -> String) -> Self {
        Self { query, ..self }
    }

    /// Sends the version that a new incident has.
    const fn on_first_version(self) -> Self {
        let headers = &[("content-type", "application/json"), ("if-match", "\"1\"")];
        Self { headers, ..self }
    }

    /// Sends the request about `thing` as `client`.
    pub(super) fn ask(&self, client: &Client, thing: &Thing) -> Answer {
        let (method, pattern) = self.route.split_once(' ').expect("a method and a path");
        let path = pattern.replace("{id}", &thing.id).replace("{code}", &thing.id);
        let path = path
            .replace("{country}", thing.country)
            .replace("{version}", "1")
            .replace("{name}", "map");
        let path = path.replace("{table}.{format}", "incidents.ndjson");
        let path = path.replace("{related}", &thing.other).replace("{other}", &thing.other);
        let path = path.replace("{collection}", "incidents");
        let path = format!("{path}{}", (self.query)(thing));
        let body = self.body.map(|body| body(thing).to_string());
        client.send(method, &path, self.headers, body.as_deref().map(str::as_bytes))
    }
}

/// Where nobody listens.
const HOOK: &str = "http://127.0.0.1:9/";

/// Every route, public ones too.
#[rustfmt::skip]
#[expect(clippy::too_many_lines, reason = "a table of routes")]
pub(super) fn all() -> Vec<Spec> {
    use Kind::{
        Country, DismissedPair, Grant, Incident, LinkedPair, MergedPair, Organisation, Pair, Person, Phone, Quarantined,
        Question, Region, Rejection, Release, Report, Session, Token, Webhook,
    };
    vec![
        // public
        Spec::read("GET /health/live", Country),
        Spec::read("GET /health/ready", Country),
        Spec::read("GET /openapi.json", Country),
        Spec::read("GET /.well-known/security.txt", Country),
        Spec::read("GET /v1/about", Country),
        Spec::read("GET /v1/taxonomy", Country),
        // account, public: what is missing is told to anybody, what is wrong looks as if it never was
        Spec::send("POST /v1/sessions", Country, |_| json!({})),
        Spec::send("POST /v1/invitations/accept", Country, |_| json!({"token": "x", "password": PASSWORD})),
        Spec::send("POST /v1/setup", Country, |_| json!({"token": "x", "name": "x", "password": PASSWORD})),
        // account: tokens skip the second factor, so they change nothing of what signs in
        Spec::read("GET /v1/me", Country),
        Spec::send("PUT /v1/me/password", Country, |_| json!({"old": PASSWORD, "new": PASSWORD})),
        Spec::send("POST /v1/me/second-factor", Country, |_| json!({"password": PASSWORD})),
        Spec::send("PUT /v1/me/second-factor", Country, |_| json!({"code": "123456"})),
        Spec::read("GET /v1/me/notifications", Country),
        Spec::send("PUT /v1/me/notifications", Country, |_| json!({"mail": "a@example.org", "language": "fr"})),
        Spec::read("GET /v1/sessions", Country),
        Spec::remove("DELETE /v1/sessions/{id}", Session),
        // operation
        Spec::read("GET /metrics", Country),
        // intake
        Spec::send("POST /v1/reports", Country, |thing| killing(thing.country)),
        // The sender's own report again is a retry, another's id is taken.
        Spec::send("PUT /v1/reports/{id}", Report, |thing| with_id(&thing.report, &thing.id)),
        Spec::read("GET /v1/reports/{id}", Report),
        Spec::send("DELETE /v1/reports/{id}", Report, |_| json!({"reason": "the source asks for it"})),
        Spec::read("GET /v1/reports/{id}/receipt", Report),
        // The same content again; whoever is not its sender never learns that there is a report.
        Spec::send("POST /v1/reports/{id}/revisions", Report, |thing| with_id(&thing.report, &thing.id)),
        Spec::send("POST /v1/reports/{id}/withdrawal", Report, |_| json!({"reason": "I was told wrong"})),
        Spec::read("GET /v1/messages", Country),
        Spec::send("POST /v1/messages/{id}/answers", Question, |_| json!({"id": Uuid::new_v4(), "text": "three"})),
        Spec::read("GET /v1/geotag", Country).with_query(|_| "?lat=8.644&lon=-10.971".into()),
        Spec::read("GET /v1/places", Country).with_query(|_| "?q=tortiya".into()),
        Spec::send("POST /v1/classify", Country, |_| json!({"text": "Two diggers were beaten."})),
        // review
        Spec::list("GET /v1/queue"),
        // Nothing came by this channel, whatever others submit meanwhile.
        Spec::remove("POST /v1/queue/next", Country).with_query(|thing| format!("?channel=sms&country={}", thing.country)),
        Spec::read("GET /v1/queue/reviewers", Country),
        Spec::send("POST /v1/queue/rejections", Incident, |thing| json!({"incidents": [thing.id], "reason": "ok"})),
        Spec::send("POST /v1/queue/rejections/{id}/undo", Rejection, |_| json!({"reason": "ok"})),
        Spec::list("GET /v1/incidents"),
        Spec::read("GET /v1/incidents/{id}", Incident),
        Spec::remove("POST /v1/incidents/{id}/claim", Incident),
        Spec::remove("DELETE /v1/incidents/{id}/claim", Incident),
        Spec::send("PUT /v1/incidents/{id}/assignee", Incident, |_| json!({"user": null})),
        Spec::read("GET /v1/webhooks", Country),
        Spec::send("POST /v1/webhooks", Country, |thing| json!({"url": HOOK, "scope": thing.country})),
        Spec::read("GET /v1/webhooks/{id}", Webhook),
        Spec::send("PUT /v1/webhooks/{id}", Webhook, |_| json!({"url": HOOK, "scope": "SLE", "active": false})),
        Spec::remove("DELETE /v1/webhooks/{id}", Webhook),
        Spec::remove("POST /v1/webhooks/{id}/test", Webhook),
        Spec::read("GET /v1/changes", Country).with_query(|_| "?after=0&limit=1000".into()),
        Spec::send("POST /v1/incidents/{id}/decisions", Incident, |_| json!({"status": "verified", "reason": "ok"}))
            .on_first_version(),
        Spec::read("GET /v1/incidents/{id}/comparison", Incident),
        Spec::read("GET /v1/incidents/{id}/history", Incident),
        Spec::read("GET /v1/incidents/{id}/history/{version}", Incident),
        Spec::read("GET /v1/incidents/{id}/messages", Incident),
        Spec::send("POST /v1/incidents/{id}/messages", Incident, |thing| json!({"report": thing.report["id"], "text": "Who?"}))
            .on_first_version(),
        Spec::read("GET /v1/incidents/{id}/duplicates", Incident),
        Spec::send("POST /v1/incidents/{id}/duplicates/dismissals", Pair, |thing| json!({"incident": thing.other, "reason": "ok"})),
        Spec::remove("DELETE /v1/incidents/{id}/duplicates/dismissals/{other}", DismissedPair),
        Spec::send("POST /v1/incidents/{id}/reveal", Incident, |_| json!({"reason": "ok"})),
        Spec::send("POST /v1/incidents/{id}/related", Pair, |thing| json!({"incidents": [thing.other], "reason": "ok"})),
        Spec::remove("DELETE /v1/incidents/{id}/related/{related}", LinkedPair),
        Spec::send("POST /v1/incidents/{id}/merge", Pair, |thing| json!({"incidents": [thing.other], "reason": "ok"}))
            .on_first_version(),
        Spec::send("POST /v1/incidents/{id}/split", MergedPair, |thing| json!({"reports": [thing.other], "reason": "ok"}))
            .on_first_version(),
        Spec::read("GET /v1/quarantine", Country),
        Spec::read("GET /v1/quarantine/{id}", Quarantined),
        Spec::send("POST /v1/quarantine/{id}/decisions", Quarantined, |_| json!({"outcome": "kept", "reason": "ok"})),
        // counts
        Spec::list("GET /v1/aggregates"),
        Spec::list("GET /v1/aggregates.csv"),
        Spec::list("GET /v1/exports/{table}.{format}"),
        Spec::send("POST /v1/exports", Country, |thing| json!({"table": "harm", "format": "csv", "query": format!("country={}", thing.country)})),
        Spec::read("GET /v1/exports/jobs/{id}", Country),
        Spec::read("GET /v1/exports/jobs/{id}/file", Country),
        Spec::list("GET /v1/countries"),
        Spec::list("GET /v1/countries.csv"),
        Spec::read("GET /v1/countries/{country}", Country),
        Spec::read("GET /v1/countries/{country}.csv", Country),
        Spec::read("GET /v1/countries/{country}/brief.html", Country),
        Spec::read("GET /v1/countries/{country}/brief.pdf", Country),
        Spec::list("GET /v1/charts/{name}.svg"),
        Spec::list("GET /v1/charts/{name}.png"),
        // maps
        Spec::read("GET /ogc", Country),
        Spec::read("GET /ogc/api", Country),
        Spec::read("GET /ogc/conformance", Country),
        Spec::read("GET /ogc/collections", Country),
        Spec::read("GET /ogc/collections/{collection}", Country),
        Spec::read("GET /ogc/collections/{collection}/queryables", Country),
        Spec::read("GET /ogc/collections/{collection}/schema", Country),
        Spec::list("GET /ogc/collections/{collection}/items"),
        Spec::read("GET /ogc/collections/{collection}/items/{id}", Incident),
        // releases: one that was withdrawn, so that nothing more becomes of it
        Spec::read("GET /v1/releases", Country),
        Spec::send("POST /v1/releases", Country, |_| json!({"until": "2024-02"})),
        Spec::read("GET /v1/releases/{id}", Release),
        Spec::remove("POST /v1/releases/{id}/approval", Release),
        Spec::send("POST /v1/releases/{id}/withdrawal", Release, |_| json!({"reason": "ok"})),
        Spec::read("GET /v1/public/releases", Country),
        Spec::read("GET /v1/public/releases/{id}", Release),
        Spec::read("GET /v1/public/releases/{id}.csv", Release),
        // Of a release that is not there.
        Spec::read("GET /v1/public/aggregates", Country).with_query(|_| format!("?release={}", Uuid::new_v4())),
        Spec::read("GET /v1/public/aggregates.csv", Country).with_query(|_| format!("?release={}", Uuid::new_v4())),
        Spec::read("GET /v1/public/countries", Country).with_query(|_| format!("?release={}", Uuid::new_v4())),
        Spec::read("GET /v1/public/countries.csv", Country).with_query(|_| format!("?release={}", Uuid::new_v4())),
        Spec::read("GET /v1/public/countries/{country}", Country).with_query(|_| format!("?release={}", Uuid::new_v4())),
        // audit
        Spec::read("GET /v1/audit", Country),
        Spec::read("GET /v1/audit/heads", Country),
        // people
        Spec::read("GET /v1/regions", Country),
        Spec::send("PUT /v1/regions/{code}", Region, |_| {
            json!({"name_en": "a", "name_fr": "b", "level": "international", "countries": []})
        }),
        Spec::remove("DELETE /v1/regions/{code}", Region),
        Spec::read("GET /v1/organisations", Country),
        Spec::send("POST /v1/organisations", Country, |_| json!({"name": Uuid::new_v4(), "membership": "member"})),
        Spec::read("GET /v1/organisations/{id}", Organisation),
        Spec::send("PUT /v1/organisations/{id}", Organisation, |_| json!({"name": Uuid::new_v4(), "membership": "observer"})),
        Spec::read("GET /v1/users", Country),
        Spec::send("POST /v1/users", Country, |thing| {
            json!({"name": Uuid::new_v4(), "grants": [{"role": "monitor", "scope": thing.country}]})
        }),
        Spec::read("GET /v1/users/{id}", Person),
        Spec::remove("POST /v1/users/{id}/invitation", Person),
        Spec::remove("POST /v1/users/{id}/disable", Person),
        Spec::remove("POST /v1/users/{id}/enable", Person),
        // To nobody: whoever may hand over is told so.
        Spec::send("POST /v1/users/{id}/handover", Person, |_| json!({"to": Uuid::new_v4()})),
        Spec::list("GET /v1/grants"),
        // Who is a monitor there already cannot become one.
        Spec::send("POST /v1/grants", Person, |thing| json!({"user": thing.id, "role": "monitor", "scope": "SLE"})),
        Spec::remove("DELETE /v1/grants/{id}", Grant),
        Spec::read("GET /v1/devices", Country),
        Spec::send("POST /v1/devices", Country, |thing| json!({"name": Uuid::new_v4(), "country": thing.country})),
        Spec::send("PUT /v1/devices/{id}", Phone, |_| json!({"name": Uuid::new_v4()})),
        Spec::remove("DELETE /v1/devices/{id}", Phone),
        Spec::read("GET /v1/tokens", Country),
        Spec::send("POST /v1/tokens", Country, |_| json!({"expires_in_days": 1})),
        Spec::remove("DELETE /v1/tokens/{id}", Token),
    ]
}

/// The report under the id in the path; where that is a random one, a new report.
fn with_id(report: &Value, id: &str) -> Value {
    let mut report = report.clone();
    report["id"] = json!(id);
    report
}
