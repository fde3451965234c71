//! What was told in confidence is in no byte of the database and in no line of the log (C59).

#![expect(clippy::expect_used, reason = "a helper that cannot go on fails its test")]

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, RunQueryDsl};
use sentinelle::auth::types::Role;
use serde_json::{Value, json};
use tracing_subscriber::filter::LevelFilter;

use crate::harness::TestApp;

/// Everything logged by this test binary, whichever test caused it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a sound log").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Starts to capture at TRACE, once for the whole binary.
fn captured() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let writer = log.clone();
        tracing_subscriber::fmt()
            .json()
            .with_max_level(LevelFilter::TRACE)
            .with_writer(move || writer.clone())
            .init();
        log
    })
}

fn full_report() -> Value {
    json!({
        "occurred": "2024-03-05T09:00:00+02:00",
        "location": {"lat": -6.136_271, "lon": 23.589_813, "country": "COD", "place": "CANARY-place"},
        "categories": ["rights.life_integrity.killing"], "narrative": "CANARY-narrative: soldiers shot two diggers",
        "actors": [{"type": "private_security", "name": "CANARY-actor"}],
        "people": [{"name": "CANARY-name", "contact": "+23277000001", "role": "victim", "note": "CANARY-note"}],
        "company": "CANARY-company",
        "smuggling": {"carats": 1.5, "origin": "CANARY-origin", "destination": "CANARY-destination",
                      "route": "CANARY-route", "kp_certificate": "CANARY-certificate"},
        "environment": {"medium": "water", "pollutant": "CANARY-pollutant"},
        "governance": {"practice": "bad", "subject": "CANARY-subject"},
        "source": {"type": "witness", "name": "CANARY-source", "contact": "+23277000002"},
    })
}

#[derive(diesel::QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    text: String,
}

/// Returns every byte of the database: the files of `SQLite`, each row of `PostgreSQL` as text with bytes as hex.
fn dump(app: &TestApp) -> Vec<u8> {
    if !app.is_postgres() {
        let files = ["sentinelle.db", "sentinelle.db-wal"].map(|name| app.folder.path().join(name));
        return files.iter().flat_map(|file| std::fs::read(file).unwrap_or_default()).collect();
    }
    let mut conn = PgConnection::establish(&app.database_url).expect("a connection");
    let tables: Vec<Named> = diesel::sql_query(
        "SELECT table_name::text AS text FROM information_schema.tables WHERE table_schema = 'public'",
    )
    .load(&mut conn)
    .expect("the tables");
    let mut dump = Vec::new();
    for table in tables {
        let rows = format!("SELECT row_to_json(t)::text AS text FROM {} t", table.text);
        for row in diesel::sql_query(rows).load::<Named>(&mut conn).expect("the rows") {
            dump.extend_from_slice(row.text.as_bytes());
        }
    }
    dump
}

/// Fails when `needle` is in `hay`, as text or, as `PostgreSQL` shows bytes, as hex.
#[track_caller]
fn is_absent(hay: &[u8], needle: &str, place: &str) {
    let hex = needle.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    for form in [needle, &hex] {
        let is_in = hay.windows(form.len()).any(|window| window == form.as_bytes());
        assert!(!is_in, "{needle} is in the {place}");
    }
}

#[test]
fn c59_nothing_told_in_confidence_is_in_the_database_or_the_log() {
    let log = captured();
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let headers = [
        ("content-type", "application/json"),
        ("user-agent", "CANARY-agent"),
        ("x-forwarded-for", "203.0.113.77"),
        ("forwarded", "for=203.0.113.77"),
    ];
    let body = full_report().to_string();
    let answer = monitor.post_bytes("/v1/reports", &headers, body.as_bytes()).expect(201).json();
    let mut conflicting = full_report();
    conflicting["id"] = answer["id"].clone();
    conflicting["narrative"] = json!("CANARY-conflict");
    monitor.post_bytes("/v1/reports", &headers, conflicting.to_string().as_bytes()).expect(409);
    let decision = json!({"status": "verified", "reason": "CANARY-reason"});
    reviewer.decide(&answer["incident"], &decision).expect(200);
    reviewer.get(&format!("/v1/reports/{}", answer["id"].as_str().expect("an id"))).expect(200);
    reviewer.get("/v1/incidents?catgory=CANARY-query").expect(400);
    monitor.post("/v1/classify", &json!({"text": "CANARY-text: guards beat a digger"})).expect(200);
    monitor
        .post("/v1/reports", &json!({"mining_mode": "CANARY-code", "narrative": "x"}))
        .expect(422);
    monitor.post_bytes("/v1/reports", &headers, b"{\"narrative\": \"CANARY-broken").expect(400);

    let dump = dump(&app);
    let logged = log.0.lock().expect("a sound log").clone();

    assert!(
        String::from_utf8_lossy(&dump).contains("rights.life_integrity.killing"),
        "it is a dump"
    );
    let lines = String::from_utf8_lossy(&logged);
    assert!(lines.contains("/v1/reports") && lines.contains("duration_ms"), "it is a log");
    let secrets = [
        "CANARY",
        "soldiers",
        "diggers",
        "+23277000001",
        "+23277000002",
        "6.136271",
        "23.589813",
        "6136271",
        "23589813",
        "203.0.113.77",
        monitor.token(),
        reviewer.token(),
    ];
    for secret in secrets {
        is_absent(&dump, secret, "database");
        is_absent(&logged, secret, "log");
    }
    is_absent(&dump, "ureq/", "database");
    let bare = monitor.token().trim_start_matches("snt_u_");
    is_absent(&dump, bare, "database");
}

#[test]
fn no_column_is_made_for_addresses_agents_or_devices_of_senders() {
    let schema = include_str!("../../src/db/schema.rs").to_lowercase();

    for name in [
        "ip_address",
        "remote_addr",
        "user_agent",
        "forwarded",
        "fingerprint",
        "imei",
        "push_token",
    ] {
        assert!(!schema.contains(name), "{name}");
    }
}

#[test]
fn the_moment_of_receipt_is_a_day_outside_the_country_team() {
    let app = TestApp::start();
    let answer = app.monitor().submit(&full_report());
    let path = format!("/v1/incidents/{}", answer["incident"].as_str().expect("an incident"));
    for (role, scope) in [(Role::Analyst, "all"), (Role::Coordinator, "all")] {
        let client = app.user(role, scope);
        let shown = client.get(&path).expect(200);
        let body = shown.json();
        assert_eq!(body["opened_on"], "2024-04-01");
        for name in ["updated_at", "received_at", "opened_at", "exact"] {
            assert!(body.get(name).is_none(), "{name}");
        }
        for told in ["2024-04-01T", "12:00:00", "6.136", "23.589", "CANARY"] {
            assert!(!shown.text().contains(told), "{told} in {}", shown.text());
        }
        client.get(&format!("/v1/reports/{}", answer["id"].as_str().expect("an id"))).expect(403);
    }
    let team = app.user(Role::Reviewer, "COD").get(&path).expect(200).json();
    assert_eq!(team["updated_at"], "2024-04-01T12:00:00Z");
}
