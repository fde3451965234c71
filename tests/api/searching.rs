//! Text search: what words find, in which order, for whom, how much at once, and what is left of it.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use sentinelle::auth::types::Role;
use sentinelle::config::SearchConfig;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApp, TestOptions};

fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"))
}

fn report(narrative: &str) -> Value {
    json!({"id": Uuid::new_v4(), "occurred": "2024-03-05",
        "location": {"lat": 8.644, "lon": -10.971},
        "categories": ["rights.life_integrity.killing"], "narrative": narrative})
}

/// A report from the Central African Republic.
fn report_of_caf(narrative: &str) -> Value {
    let mut body = report(narrative);
    body["location"] = json!({"country": "CAF"});
    body
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

/// Incidents by the keys that a test gave their reports.
struct Told {
    keys: BTreeMap<String, String>,
}

impl Told {
    fn new() -> Self {
        Self { keys: BTreeMap::new() }
    }

    #[track_caller]
    fn send(&mut self, sender: &Client, key: &str, body: &Value) -> Value {
        let sent = sender.submit(body);
        let incident = sent["incident"].as_str().expect("an id").to_owned();
        self.keys.insert(incident, key.to_owned());
        sent
    }

    fn name(&self, page: &Value) -> Vec<String> {
        let items = page["items"].as_array().expect("items").iter();
        let key = |item: &Value| self.keys[item["id"].as_str().expect("an id")].clone();
        items.map(key).collect()
    }

    /// The keys that `query` finds, best first.
    #[track_caller]
    fn find(&self, reader: &Client, query: &str) -> Vec<String> {
        let path = format!("/v1/incidents?status=all&q={}", encode(query));
        let page = reader.get(&path).expect(200).json();
        let found = self.name(&page);
        assert_eq!(page["total"], found.len(), "{query}");
        found
    }
}

fn limited(max_reports: u32, seconds: u16, at_once: u16) -> TestApp {
    let search = SearchConfig { max_reports, seconds, at_once };
    TestApp::start_with(TestOptions { search, ..TestOptions::default() })
}

/// What the audit log has of searches: who did it, the detail, the country; newest first.
fn searches(app: &TestApp) -> Vec<(Value, String, Value)> {
    let auditor = app.user(Role::Auditor, "all");
    let page = auditor.get("/v1/audit?action=searched&limit=1000").expect(200).json();
    let told = |entry: &Value| {
        assert_eq!(entry["subject"]["kind"], "search");
        let detail = entry["detail"].as_str().expect("a text").to_owned();
        (entry["actor"].clone(), detail, entry["countries"].clone())
    };
    page["items"].as_array().expect("items").iter().map(told).collect()
}

#[test]
fn words_are_found_whatever_their_accents_case_form_and_elision() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let mut told = Told::new();
    for (key, narrative) in [
        ("gold", "On parle de l’orpaillage à Séguéla."),
        ("killed", "Two diggers were killed; the pit, they say, will collapse."),
        ("army", "The army came to determine who dug."),
        ("river", "Les rivie\u{300}res sont polluées par la mine."),
        ("hidden", "A kil\u{200b}ler ⛏️ hid at \u{202e}the\u{202c} BRIDGE."),
    ] {
        told.send(&monitor, key, &report(narrative));
    }

    for (query, right, reason) in [
        ("seguela", vec!["gold"], "no accents"),
        ("SÉGUÉLA", vec!["gold"], "upper case"),
        ("se\u{301}gue\u{301}la", vec!["gold"], "accents apart"),
        ("orpaillage à Séguéla", vec!["gold"], "a word of one letter asks for nothing"),
        ("d'orpaillage", vec!["gold"], "elision"),
        ("rivière polluée", vec!["river"], "French forms"),
        ("digger killing", vec!["killed"], "English forms"),
        ("mine", vec!["river"], "not within determine"),
        ("kill*", vec!["hidden", "killed"], "a beginning; equal ones, the newest first"),
        ("\"will collapse\"", vec!["killed"], "a phrase"),
        ("\"collapse will\"", vec![], "another order"),
        ("\"kill\"", vec![], "as written"),
        ("kill* -bridge", vec!["killed"], "without"),
        ("army digger", vec![], "all words"),
        ("ollapse", vec![], "no end of a word"),
    ] {
        assert_eq!(told.find(&reviewer, query), right, "{reason}: {query}");
    }
}

#[test]
fn words_of_company_details_and_place_are_found_and_those_of_people_are_not() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let mut told = Told::new();
    let body = with(report("It happened."), "company", json!("Marigold Gems"));
    let body = with(body, "smuggling", json!({"route": "by the heather path"}));
    let body = with(
        body,
        "location",
        json!({"lat": 8.644, "lon": -10.971, "place": "the foxglove bridge"}),
    );
    let body = with(body, "actors", json!([{"type": "private_security", "name": "Tansy Guards"}]));
    let body = with(
        body,
        "people",
        json!([{"name": "Vandi Yarrow", "role": "victim",
        "contact": "+23277000001", "note": "sister of sorrel"}]),
    );
    let body = with(body, "source", json!({"type": "witness", "name": "Sia Clover"}));
    told.send(&monitor, "told", &body);

    for word in ["marigold", "heather", "foxglove", "happened", "foxglove heather marigold"] {
        assert_eq!(told.find(&reviewer, word), ["told"], "{word}");
    }
    for word in [
        "tansy",
        "guards",
        "vandi",
        "yarrow",
        "23277000001",
        "sorrel",
        "clover",
        "witness",
        "private_security",
        "route",
        "smuggling",
    ] {
        assert_eq!(told.find(&reviewer, word), Vec::<String>::new(), "{word}");
    }
}

#[test]
fn the_best_come_first_and_pages_stay_while_reports_come_in() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let mut told = Told::new();
    told.send(&monitor, "once, older", &report("a bridge"));
    told.send(&monitor, "another form", &report("two bridges"));
    let place = json!({"lat": 8.644, "lon": -10.971, "place": "the old bridge"});
    told.send(&monitor, "place", &with(report("there"), "location", place));
    told.send(&monitor, "once, newer", &report("the bridge"));
    told.send(&monitor, "twice", &report("bridge after bridge"));
    told.send(&monitor, "none", &report("a river"));
    let right = ["place", "twice", "once, newer", "once, older", "another form"];

    assert_eq!(told.find(&reviewer, "bridge"), right);
    let newest = reviewer.get("/v1/incidents?status=all&q=bridge&sort=newest").expect(200).json();
    assert_eq!(
        told.name(&newest),
        ["twice", "once, newer", "place", "another form", "once, older"]
    );
    let mut seen = Vec::new();
    let mut path = "/v1/incidents?status=all&q=bridge&limit=2".to_owned();
    for turn in 0.. {
        let answer = reviewer.get(&path).expect(200);
        let page = answer.json();
        assert_eq!(page["total"], 5 + turn, "those that came in count");
        seen.extend(told.name(&page));
        let Some(link) = answer.header("link") else { break };
        path = link.trim_start_matches('<').split('>').next().expect("a path").to_owned();
        let company = with(report("late"), "company", json!("Bridge Co"));
        told.send(&monitor, &format!("late {turn}"), &company);
    }
    assert_eq!(seen, right, "each once, in order, and nothing that came before the place");
    let text = reviewer.get("/v1/incidents?status=all&q=bridge").expect(200).text();
    for word in ["bridge", "rank", "score"] {
        assert!(!text.contains(word), "no excerpt and no score: {word}");
    }
}

#[test]
fn an_order_goes_with_its_query_and_its_cursor() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    for _ in 0..2 {
        monitor.submit(&report("a bridge"));
    }
    let list = |query: &str| reviewer.get(&format!("/v1/incidents?status=all&{query}"));

    list("sort=newest").expect(200);
    list("sort=rank&q=bridge").expect(200);
    for query in ["sort=rank", "sort=oldest&q=bridge", "sort=", "sort=rank&sort=rank&q=bridge"] {
        let refused = list(query).expect_problem(400, "invalid_parameter");
        assert_eq!(refused.pointers(), ["?sort"], "{query}");
    }
    let page = list("q=bridge&limit=1").expect(200).json();
    let cursor = page["next"].as_str().expect("a cursor");
    list(&format!("q=bridge&limit=1&cursor={cursor}")).expect(200);
    for query in ["q=bridge&sort=newest", "q=river", "q=bridge+old", "sort=newest"] {
        list(&format!("{query}&cursor={cursor}")).expect_problem(400, "invalid_cursor");
    }
}

#[test]
fn what_cannot_be_looked_for_is_refused_without_being_repeated() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    for (query, right) in [
        ("", "q \"\" is not a word of at least 2 letters that is not in every text"),
        ("+", "q \"\" is not a word of at least 2 letters that is not in every text"),
        ("the+a", "q \"\" is not a word of at least 2 letters that is not in every text"),
        ("-secret", "q \"\" is not also a word to look for, beside what - leaves out"),
        ("se*", "q \"\" is not without a * that follows fewer than 3 letters or ends no word"),
    ] {
        let answer = reviewer.get(&format!("/v1/incidents?q={query}"));
        let answer = answer.expect_problem(400, "invalid_parameter");
        assert_eq!(
            answer.json()["errors"][0],
            json!({"pointer": "?q", "detail": right}),
            "{query}"
        );
        assert!(!answer.text().contains("secret"));
    }
    for query in ["a".repeat(201), (0..17).map(|n| format!("w{n}")).collect::<Vec<_>>().join("+")] {
        let answer = reviewer.get(&format!("/v1/incidents?q={query}"));
        answer.expect_problem(400, "invalid_parameter");
    }
    assert_eq!(searches(&app), [], "nothing was searched");
}

#[test]
fn only_what_is_said_now_is_found() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let coordinator = app.user(Role::Coordinator, "all");
    let mut told = Told::new();
    let place = json!({"lat": 8.644, "lon": -10.971, "place": "the foxglove bridge"});
    let revised = with(report("under the marigold"), "location", place);
    let sent = told.send(&monitor, "revised", &revised);
    let withdrawn = told.send(&monitor, "withdrawn", &report("the heather field"));
    let erased = told.send(&monitor, "erased", &report("the yarrow field"));
    let path = |sent: &Value| format!("/v1/reports/{}", sent["id"].as_str().expect("an id"));
    for word in ["marigold", "foxglove", "heather", "yarrow"] {
        assert_eq!(told.find(&reviewer, word).len(), 1, "{word}");
    }

    let corrected = with(revised, "narrative", json!("under the tansy"));
    let corrected = with(corrected, "location", json!({"lat": 8.644, "lon": -10.971}));
    monitor.post(&format!("{}/revisions", path(&sent)), &corrected).expect(201);
    monitor
        .post(&format!("{}/withdrawal", path(&withdrawn)), &json!({"reason": "a mistake"}))
        .expect(200);
    coordinator.delete(&path(&erased), &json!({"reason": "the witness asked"})).expect(204);

    assert_eq!(told.find(&reviewer, "tansy"), ["revised"]);
    for word in ["marigold", "foxglove", "heather", "yarrow", "field"] {
        assert_eq!(told.find(&reviewer, word), Vec::<String>::new(), "{word}");
    }
}

#[test]
fn other_filters_come_first_and_too_much_is_refused_with_figures() {
    let app = limited(3, 10, 3);
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let lead = app.user(Role::RegionalLead, "SLE");
    for n in 0..3 {
        let mut body = report("a bridge");
        body["occurred"] = json!(format!("2024-03-0{}", n + 1));
        monitor.submit(&body);
    }
    for _ in 0..2 {
        app.user(Role::Monitor, "CAF").submit(&report_of_caf("un bridge"));
    }
    let total = |reader: &Client, query: &str| {
        reader.get(&format!("/v1/incidents?q=bridge&{query}")).expect(200).json()["total"].clone()
    };

    let refused = reviewer.get("/v1/incidents?q=bridge&status=all");
    let problem = refused.expect_problem(422, "search_too_wide").json();
    assert_eq!(
        problem["search"],
        json!({"reports": 5, "limit": 3, "searched": 0,
            "narrow_by": ["country", "from", "to", "category", "admin1"]})
    );
    assert_eq!(
        problem["detail"],
        "the other filters leave 5 reports to search and at most 3 are searched at once: narrow your search by country, from, to, category, admin1"
    );
    let french = [("accept-language", "fr")];
    let refused = reviewer.get_with("/v1/incidents?q=bridge&status=all&from=2024-01", &french);
    let problem = refused.expect_problem(422, "search_too_wide").json();
    assert_eq!(
        problem["detail"],
        "les autres filtres laissent 5 rapports à parcourir et 3 au plus le sont à la fois : restreignez votre recherche par country, to, category, admin1"
    );
    assert_eq!(searches(&app), [], "nothing was opened");
    assert_eq!(total(&reviewer, "status=all&country=SLE"), 3);
    assert_eq!(total(&reviewer, "status=all&country=SLE&from=2024-03-02&to=2024-03-02"), 1);
    assert_eq!(total(&reviewer, "status=verified"), 0, "no report is verified, none is opened");
    assert_eq!(total(&lead, "status=all"), 3, "what is out of scope counts nowhere");
    let details: Vec<String> = searches(&app).into_iter().map(|entry| entry.1).collect();
    assert_eq!(details, ["reports_3 SLE", "reports_0 all", "reports_1 all", "reports_3 all"]);
}

#[test]
fn a_search_that_takes_too_long_is_ended() {
    let app = limited(100, 0, 3);
    app.monitor().submit(&report("a bridge"));
    let refused = app.reviewer().get("/v1/incidents?q=bridge&status=all&country=SLE");

    let problem = refused.expect_problem(422, "search_too_wide").json();

    assert_eq!(
        (&problem["search"]["reports"], &problem["search"]["searched"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(
        problem["detail"],
        "of 1 reports that the other filters leave, 0 could be searched in 0 s: narrow your search by from, to, category, admin1"
    );
}

#[test]
fn as_many_search_at_once_as_may_and_the_others_come_again() {
    let app = limited(100, 10, 2);
    let reviewer = app.reviewer();
    app.monitor().submit(&report("a bridge"));
    let searching = [(); 2].map(|()| app.context.searches.begin().expect("a turn"));

    let refused =
        reviewer.get("/v1/incidents?q=bridge&status=all").expect_problem(503, "unavailable");

    assert_eq!(refused.header("retry-after"), Some("5"));
    reviewer.get("/v1/incidents?status=all").expect(200);
    app.monitor().submit(&report("another"));
    drop(searching);
    reviewer.get("/v1/incidents?q=bridge&status=all").expect(200);
}

#[test]
fn who_may_not_read_what_was_told_may_not_search_it() {
    let app = TestApp::start();
    app.monitor().submit(&report("a bridge"));
    for (role, scope) in [(Role::Analyst, "SLE"), (Role::Coordinator, "all")] {
        let reader = app.user(role, scope);
        for path in [
            "/v1/incidents?",
            "/v1/queue?",
            "/v1/aggregates?",
            "/v1/countries?",
            "/v1/countries/SLE?",
        ] {
            reader.get(&format!("{path}q=bridge")).expect_problem(403, "forbidden");
        }
        reader.get("/v1/incidents?q=%20").expect_problem(400, "invalid_parameter");
    }
    for role in [Role::Monitor, Role::Auditor, Role::Sysadmin] {
        app.user(role, "all").get("/v1/incidents?q=bridge").expect_problem(403, "forbidden");
    }
    app.anonymous().get("/v1/incidents?q=bridge").expect(401);
    assert_eq!(searches(&app), []);
}

#[test]
fn a_reviewer_here_and_analyst_there_searches_here_alone() {
    let app = TestApp::start();
    let (reader, id) = app.user_with_id(Role::Reviewer, "SLE");
    let grant = json!({"user": id, "role": "analyst", "scope": "CAF"});
    app.user(Role::Coordinator, "all").post("/v1/grants", &grant).expect(201);
    let mut told = Told::new();
    told.send(&app.monitor(), "here", &report("a bridge"));
    told.send(&app.user(Role::Monitor, "CAF"), "there", &report_of_caf("a bridge"));

    let all = reader.get("/v1/incidents?status=all").expect(200).json();
    assert_eq!(told.name(&all), ["there", "here"]);
    assert_eq!(told.find(&reader, "bridge"), ["here"]);
    let there = reader.get("/v1/incidents?status=all&q=bridge&country=CAF").expect(200).json();
    assert_eq!(there["total"], 0);
    let counted = reader.get("/v1/aggregates?status=all&q=bridge").expect(200).json();
    assert_eq!((&counted["total"]["incidents"], &counted["scope"]), (&json!(1), &json!(["SLE"])));
    reader.get("/v1/incidents?q=bridge&country=COD").expect_problem(404, "not_found");
}

#[test]
fn a_search_is_written_down_without_its_words() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let (reviewer, id) = app.user_with_id(Role::Reviewer, "SLE");
    for narrative in ["under the marigold", "a bridge"] {
        monitor.submit(&report(narrative));
    }

    let path = "/v1/incidents?status=all&q=marigold%20-heather&limit=1";
    reviewer.get(path).expect(200);
    reviewer.post("/v1/queue/next?q=marigold", &Value::Null).expect(200);

    let by = json!(id);
    let entries = searches(&app);
    assert_eq!(entries.len(), 2, "one a request, however often it looks");
    for (actor, detail, countries) in entries {
        assert_eq!((actor, detail.as_str()), (by.clone(), "reports_2 SLE"));
        assert_eq!(countries, json!(["SLE"]));
    }
    let auditor = app.user(Role::Auditor, "all");
    let log = auditor.get("/v1/audit?limit=1000").expect(200).text();
    let metrics = auditor.get("/metrics").expect(200).text();
    for word in ["marigold", "heather", "bridge"] {
        assert!(!log.contains(word) && !metrics.contains(word), "{word}");
    }
}

#[test]
fn what_cannot_be_written_down_is_not_searched() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    app.monitor().submit(&report("under the marigold"));
    let rename = "ALTER TABLE audit_entries RENAME TO audit_entries_gone";
    let renamed = app.context.db.write_here(move |tx| Ok(tx.conn.batch_execute(rename)?));
    renamed.expect("the log is out of reach");

    for path in ["/v1/incidents?status=all&", "/v1/aggregates?status=all&", "/v1/queue?"] {
        let refused = reviewer.get(&format!("{path}q=marigold"));
        assert!([503, 507].contains(&refused.status), "{path}: {}", refused.text());
        reviewer.get(path.trim_end_matches(['&', '?'])).expect(200);
    }
}

#[test]
fn a_full_disk_searches_nothing() {
    let app = TestApp::start();
    if app.is_postgres() {
        return;
    }
    let reviewer = app.reviewer();
    app.monitor().submit(&report("under the marigold"));
    // No more pages than there are now: the entries of some searches still find room on them.
    let limit = "PRAGMA max_page_count = 1";
    let limited = app.context.db.write_here(move |tx| Ok(tx.conn.batch_execute(limit)?));
    limited.expect("a limit");

    let answers = (0..200).map(|_| reviewer.get("/v1/incidents?status=all&q=marigold"));
    let refused = answers.into_iter().find(|answer| answer.status != 200).expect("it is full");

    refused.expect_problem(507, "storage_full");
    reviewer.get("/v1/incidents?status=all").expect(200);
}

#[test]
fn lists_and_counts_of_a_search_agree() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let mut sent = Vec::new();
    for (day, narrative) in [
        ("2024-03-05", "a bridge"),
        ("2024-03-06", "two bridges"),
        ("2024-02-10", "the bridge"),
        ("2024-03-07", "a river"),
    ] {
        sent.push(
            monitor.submit(&with(report(narrative), "occurred", json!(day)))["incident"].clone(),
        );
    }
    reviewer.set_status(&sent[0], "verified");
    reviewer.set_status(&sent[2], "verified");
    let get = |path: &str| reviewer.get(path).expect(200).json();

    assert_eq!(get("/v1/incidents?q=bridge")["total"], 2);
    let counted = get("/v1/aggregates?q=bridge&by=status");
    assert_eq!(counted["total"]["incidents"], 2);
    assert_eq!(counted["filters"]["q"], true);
    assert_eq!(
        counted["reconciliation"]["excluded"]["by_status"],
        json!({"received": 1}),
        "what is left out was searched too"
    );
    let march = "q=bridge&from=2024-03-01&to=2024-03-31";
    assert_eq!(get(&format!("/v1/incidents?{march}"))["total"], 1);
    assert_eq!(get(&format!("/v1/aggregates?{march}"))["total"]["incidents"], 1);
    for path in ["/v1/countries", "/v1/countries/SLE"] {
        let told = get(&format!("{path}?{march}"));
        assert_eq!(told["total"]["incidents"], 1, "{path}");
        assert_eq!(told["change"]["previous"]["incidents"], 1, "the period before too: {path}");
    }
    let queue = get("/v1/queue?q=bridge");
    assert_eq!((&queue["total"], &queue["counts"]["received"]), (&json!(1), &json!(1)));
    let one = get("/v1/queue?q=bridge&status=in_review");
    assert_eq!((&one["total"], &one["counts"]["received"]), (&json!(0), &json!(1)));
}

#[test]
fn an_incident_is_found_by_any_of_its_reports_and_ranks_as_the_best() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let mut told = Told::new();
    told.send(&monitor, "merged", &report("a bridge"));
    let best =
        told.send(&monitor, "best", &with(report("a marigold"), "company", json!("Bridge Co")));
    told.send(&monitor, "once", &report("the bridge and the bridge"));
    let stays = told.keys.iter().find(|(_, key)| *key == "merged").expect("sent").0.clone();
    let path = format!("/v1/incidents/{stays}");
    let tag = reviewer.get(&path).expect(200).header("etag").expect("an ETag").to_owned();
    let body = json!({"incidents": [best["incident"]], "reason": "the same"}).to_string();
    let headers = [("content-type", "application/json"), ("if-match", tag.as_str())];
    reviewer.post_bytes(&format!("{path}/merge"), &headers, body.as_bytes()).expect(200);

    assert_eq!(told.find(&reviewer, "bridge"), ["merged", "once"]);
    assert_eq!(told.find(&reviewer, "marigold"), ["merged"]);
    assert_eq!(told.find(&reviewer, "marigold bridge"), ["merged"], "one report has both");
}
