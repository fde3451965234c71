//! What is written down of what leaves, tags, parts, and files that were cut.

use std::io::Read;
use std::process::{Command, Stdio};

use actix_web::web::Data;
use diesel::connection::SimpleConnection;
use sentinelle::auth::types::Role;
use sentinelle::error::Result;
use sentinelle::exports::run::Run;
use sentinelle::exports::selection::{Question, Selected};
use sentinelle::exports::wanted::{Format, Table, Wanted};
use sentinelle::http::query::Pairs;
use serde_json::{Value, json};

use crate::exports::reading::{FORMATS, rows};
use crate::harness::{Client, TestApp, sha256, submit_march};

/// What the audit log tells of exports, newest first.
pub(crate) fn exported(app: &TestApp) -> Vec<String> {
    let auditor = app.user(Role::Auditor, "all");
    let entries = auditor.get("/v1/audit?limit=1000").expect(200).json();
    let entries = entries["items"].as_array().cloned().expect("entries");
    let of_exports = entries.iter().filter(|entry| entry["action"] == "exported");
    of_exports.map(|entry| entry["detail"].as_str().expect("a detail").to_owned()).collect()
}

/// Sends reports of SLE, none of them decided on.
pub(crate) fn submit_many(app: &TestApp, n_reports: usize) {
    let line = |number: usize| {
        let body = json!({"id": uuid::Uuid::new_v4(), "occurred": "2024-03-05", "location": {"country": "SLE"},
            "categories": ["rights.life_integrity.killing"], "harm": {"killed": 1},
            "narrative": format!("number {number}")});
        format!("{body}\n")
    };
    let monitor = app.monitor();
    let lines: Vec<String> = (0..n_reports).map(line).collect();
    for lines in lines.chunks(500) {
        let headers = [("content-type", "application/x-ndjson")];
        let answer = monitor.post_bytes("/v1/reports", &headers, lines.concat().as_bytes());
        assert!(answer.status < 300, "{}", answer.text());
    }
}

#[test]
fn what_leaves_is_written_down_with_filter_rows_and_hash() {
    let app = TestApp::start();
    submit_march(&app.monitor(), &app.reviewer());
    let analyst = app.user(Role::Analyst, "all");

    for format in FORMATS {
        let file = analyst
            .get(&format!("/v1/exports/incidents.{format}?country=SLE&bbox=-12,6,-10,10"))
            .expect(200);
        let told = exported(&app).first().cloned().expect("an entry");
        assert!(told.starts_with("whole rows_2 "), "{told}");
        assert!(told.contains(&format!("bytes_{}", file.body.len())), "{told}");
        assert!(told.contains(&format!("sha256_{}", sha256(&file.body))), "{told}");
        assert!(
            told.ends_with(&format!("incidents.{format} bbox=given country=SLE status=verified")),
            "{told}"
        );
    }
    let before = exported(&app).len();
    analyst.get("/v1/exports/incidents.csv?status=nothing").expect(400);
    let head = analyst.send("HEAD", "/v1/exports/incidents.csv", &[], None).expect(200);
    assert_eq!(head.header("sentinelle-rows"), Some("8"));
    assert_eq!(exported(&app).len(), before, "nothing left");
}

#[test]
fn a_lead_reads_of_every_file_of_their_country_whether_it_was_named_or_not() {
    let app = TestApp::start();
    submit_march(&app.monitor(), &app.reviewer());
    let (near, two) = (app.user(Role::Analyst, "SLE"), app.user(Role::Analyst, "SLE,COD"));
    let (all, far) = (app.user(Role::Analyst, "all"), app.user(Role::Analyst, "COD"));
    near.get("/v1/exports/incidents.csv").expect(200);
    two.get("/v1/exports/harm.csv").expect(200);
    two.get("/v1/exports/harm.csv?country=COD").expect(200);
    all.get("/v1/exports/actors.csv?country=SLE").expect(200);
    all.get("/v1/exports/reports.csv").expect(200);
    far.get("/v1/exports/reports.csv").expect(200);

    let lead = app.user(Role::RegionalLead, "SLE");
    let entries = lead.get("/v1/audit?limit=1000").expect(200).json();

    let entries = entries["items"].as_array().cloned().expect("entries");
    let of_exports = entries.iter().filter(|entry| entry["action"] == "exported");
    let files = of_exports.map(|entry| {
        let detail = entry["detail"].as_str().expect("a detail");
        detail.split(' ').find(|word| word.contains(".csv")).expect("a file").to_owned()
    });
    assert_eq!(files.collect::<Vec<_>>(), ["actors.csv", "harm.csv", "incidents.csv"]);
}

#[test]
fn a_tag_is_of_the_rows_the_format_the_language_and_the_caller() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let submitted = submit_march(&monitor, &reviewer);
    let analyst = app.user(Role::Analyst, "all");
    let tag = |client: &Client, path: &str| {
        let answer = client.get(&format!("/v1/exports/{path}")).expect(200);
        answer.header("etag").expect("an ETag").to_owned()
    };
    let first = tag(&analyst, "incidents.csv");

    let others = [
        "incidents.xlsx",
        "incidents.csv?lang=fr",
        "incidents.csv?country=SLE",
        "harm.csv",
        "incidents.csv?hxl=true",
        "incidents.csv?bom=0",
        "incidents.csv?limit=1",
    ];
    for path in others {
        assert_ne!(tag(&analyst, path), first, "{path}");
    }
    assert_ne!(tag(&reviewer, "incidents.csv"), first, "fine places are in it");
    assert_eq!(tag(&analyst, "incidents.csv"), first);

    let n_entries = exported(&app).len();
    let headers = [("if-none-match", first.as_str())];
    let held = analyst.get_with("/v1/exports/incidents.csv", &headers).expect(304);
    assert!(held.body.is_empty());
    assert_eq!(exported(&app).len(), n_entries, "nothing left");
    reviewer.set_status(&submitted["R7"]["incident"], "verified");
    let changed = analyst.get_with("/v1/exports/incidents.csv", &headers).expect(200);
    assert_eq!(changed.header("sentinelle-rows"), Some("9"));
}

#[test]
fn parts_make_up_the_whole_and_a_cut_file_goes_on_behind_its_last_row() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    submit_march(&app.monitor(), &reviewer);
    for format in ["csv", "ndjson"] {
        let get = |path: &str| reviewer.get(path).expect(200);
        let whole = rows(format, &get(&format!("/v1/exports/incidents.{format}?status=all")));
        let mut parts = Vec::new();
        let mut path = format!("/v1/exports/incidents.{format}?status=all&limit=5");
        loop {
            let part = get(&path);
            parts.extend(rows(format, &part));
            let Some(link) = part.header("link") else { break };
            path = link.trim_start_matches('<').split('>').next().expect("a path").to_owned();
        }
        assert_eq!(parts, whole, "{format}");

        let after = &whole[3]["id"];
        let rest = get(&format!("/v1/exports/incidents.{format}?status=all&after={after}"));
        assert_eq!(rows(format, &rest), whole[4..], "{format}");
    }
    let cursor = reviewer.get("/v1/exports/incidents.csv?status=all&limit=5").expect(200);
    let cursor =
        cursor.header("link").and_then(|link| link.split("cursor=").nth(1)).expect("a cursor");
    let cursor = cursor.split('>').next().expect("a cursor");
    let elsewhere = format!("/v1/exports/incidents.csv?cursor={cursor}");
    reviewer.get(&elsewhere).expect_problem(400, "invalid_cursor");
    let unseen = app.user(Role::Analyst, "BWA");
    let after =
        rows("csv", &reviewer.get("/v1/exports/incidents.csv").expect(200))[0]["id"].clone();
    unseen
        .get(&format!("/v1/exports/incidents.csv?after={after}"))
        .expect_problem(404, "not_found");
}

/// What a coordinator asks for, and what is found.
pub(crate) fn ask(app: &TestApp, table: Table, format: Format) -> (Question, Selected) {
    let context: Data<_> = app.context.clone();
    let mut pairs = Pairs(vec![("status".to_owned(), "all".to_owned())]);
    let wanted = Wanted::take(&mut pairs, table, format).expect("a file");
    let question = Question::of_server(wanted, &pairs, &context).expect("a filter");
    let selected = context.db.read_here(|conn| question.select(conn, &context, |_| false));
    let (_, selected) = selected.expect("a selection");
    (question, selected.expect("not held"))
}

/// A file in the making, as of a coordinator.
fn begin(app: &TestApp, table: Table, format: Format) -> Run {
    let (question, selected) = ask(app, table, format);
    Run::new(&app.context, &question, selected).expect("a file")
}

fn make(mut run: Run) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    while let Some(piece) = run.step()? {
        file.extend_from_slice(&piece);
    }
    Ok(file)
}

#[test]
fn thousands_of_rows_come_in_pieces_and_are_all_there() {
    let app = TestApp::start();
    submit_many(&app, 3_001);
    let reviewer = app.reviewer();

    for format in FORMATS {
        let file = reviewer.get(&format!("/v1/exports/incidents.{format}?status=all")).expect(200);
        assert_eq!(file.header("sentinelle-rows"), Some("3001"));
        assert_eq!(rows(format, &file).len(), 3_001, "{format}");
        let told = exported(&app).first().cloned().expect("an entry");
        assert!(told.contains(&sha256(&file.body)), "{format}: {told}");
    }
    let file = reviewer.get("/v1/exports/incidents.csv?status=all").expect(200);
    assert_eq!(file.header("transfer-encoding"), Some("chunked"), "no more than a piece is kept");
    let mut run = begin(&app, Table::Incidents, Format::Csv);
    let first = run.step().expect("a piece").expect("a piece");
    assert!(first.len() < file.body.len() / 2, "{} bytes of {}", first.len(), file.body.len());
}

#[test]
fn a_file_that_was_not_fetched_to_its_end_is_told_as_cut() {
    let app = TestApp::start();
    submit_many(&app, 2_500);

    let mut run = begin(&app, Table::Incidents, Format::Ndjson);
    let first = run.step().expect("a piece").expect("a piece");
    drop(run);

    let told = (0..100).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        exported(&app).first().cloned()
    });
    let told = told.expect("an entry");
    assert!(told.starts_with("cut rows_1000 "), "{told}");
    assert!(told.contains(&sha256(&first)), "{told}");
}

#[test]
fn the_last_rows_leave_behind_the_entry_and_the_first_behind_one_that_they_will() {
    let app = TestApp::start();
    submit_many(&app, 2_500);

    for (format, end) in [(Format::Csv, "\r\n"), (Format::Ndjson, "\n")] {
        let before = exported(&app).len();
        let mut run = begin(&app, Table::Incidents, format);
        let (mut n_lines, mut told) = (0, Vec::new());
        while let Some(piece) = run.step().expect("a piece") {
            n_lines += String::from_utf8_lossy(&piece).matches(end).count();
            let entries = exported(&app);
            let newest = entries[..entries.len() - before].iter().map(String::as_str);
            let hows = newest.map(|told| told.split(' ').take(2).collect::<Vec<_>>().join(" "));
            told.push((n_lines, hows.collect::<Vec<_>>()));
        }

        let header = usize::from(format == Format::Csv);
        let [begun, whole] = ["begun rows_2500", "whole rows_2500"].map(str::to_owned);
        let right = [
            (header + 1_000, vec![begun.clone()]),
            (header + 2_000, vec![begun.clone()]),
            (header + 2_500, vec![whole, begun]),
        ];
        assert_eq!(told, right, "{format:?}");
    }
    let begun = exported(&app)[1].clone();
    let right = "begun rows_2500 incidents.ndjson status=received,in_review,";
    assert!(begun.starts_with(right), "rows and filter: {begun}");
}

/// Makes the audit log take nothing, or all again.
fn block_audit(app: &TestApp, is_blocked: bool) {
    let rename = if is_blocked {
        "ALTER TABLE audit_entries RENAME TO audit_entries_aside"
    } else {
        "ALTER TABLE audit_entries_aside RENAME TO audit_entries"
    };
    let renamed = app.context.db.write_here(move |tx| Ok(tx.conn.batch_execute(rename)?));
    renamed.expect("the table is renamed");
}

#[test]
fn what_cannot_be_written_down_does_not_leave_neither_at_the_beginning_nor_at_the_end() {
    let app = TestApp::start();
    submit_many(&app, 2_500);
    let reviewer = app.reviewer();
    let path = "/v1/exports/incidents.ndjson?status=all";

    let mut run = begin(&app, Table::Incidents, Format::Ndjson);
    let mut out = run.step().expect("a piece").expect("a piece").to_vec();
    out.extend(run.step().expect("a piece").expect("a piece"));
    block_audit(&app, true);
    let last = run.step().map(|piece| piece.map(|piece| piece.len()));
    let at_once = reviewer.get(path);
    let small = reviewer.get(&format!("{path}&limit=1"));
    block_audit(&app, false);

    assert_eq!(String::from_utf8_lossy(&out).lines().count(), 2_000);
    last.expect_err("no rows leave");
    for answer in [at_once, small] {
        assert!([503, 507].contains(&answer.status), "{}", answer.status);
        assert!(!answer.text().contains("SLE"), "no rows");
    }
    drop(run);
    let told = (0..100).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        exported(&app).first().filter(|told| told.starts_with("cut ")).cloned()
    });
    let told = told.expect("an entry");
    assert!(told.starts_with("cut rows_2000 ") && told.contains(&sha256(&out)), "{told}");
}

#[test]
fn a_command_whose_reader_goes_away_says_before_it_ends_that_the_file_was_cut() {
    let app = TestApp::start();
    submit_many(&app, 2_500);
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinelle"));
    command.args(["export", "incidents.ndjson", "--query", "status=all", "--data-dir"]);
    command.arg(app.folder.path()).args(["--database-url", &app.database_url]);
    let mut running =
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program runs");

    let mut head = [0; 100];
    running.stdout.take().expect("its output").read_exact(&mut head).expect("some of it");
    let ended = running.wait().expect("an end");

    assert!(!ended.success());
    let told = exported(&app);
    let hows = told.iter().map(|told| told.split(' ').take(2).collect::<Vec<_>>().join(" "));
    assert_eq!(hows.collect::<Vec<_>>(), ["cut rows_1000", "begun rows_2500"]);
}

#[test]
fn what_changed_while_a_file_was_made_is_marked_and_never_makes_it_wrong() {
    let app = TestApp::start();
    submit_many(&app, 2_500);
    let reviewer = app.reviewer();
    let listed = reviewer.get("/v1/incidents?status=all&limit=1").expect(200).json();
    let parts = reviewer.get("/v1/exports/incidents.ndjson?status=all").expect(200);
    let ids: Vec<Value> = rows("ndjson", &parts).iter().map(|row| json!(row["id"])).collect();
    assert_eq!(listed["items"][0]["id"], ids[0]);

    let mut run = begin(&app, Table::Incidents, Format::Ndjson);
    let mut harm = begin(&app, Table::Harm, Format::Ndjson);
    let mut file = run.step().expect("a piece").expect("a piece").to_vec();
    harm.step().expect("a piece");
    reviewer.set_status(&ids[2_400], "rejected");
    let correction = json!({"harm": {}, "reason": "nobody", "status": "verified"});
    reviewer.decide(&ids[2_401], &correction).expect(200);
    submit_many(&app, 1);
    file.extend(make(run).expect("a whole file"));

    let lines = String::from_utf8(file).expect("text");
    let rows: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rows.len(), 2_500, "what came later is not in it");
    let newer: Vec<&Value> = rows.iter().filter(|row| row["is_newer"] == true).collect();
    assert_eq!(newer.len(), 2);
    assert_eq!((&newer[0]["id"], &newer[0]["status"]), (&ids[2_400], &json!("rejected")));
    let cut = make(harm).expect_err("it has a row less than it announced");
    assert_eq!(cut.code.as_str(), "unavailable");
    let told = exported(&app);
    assert!(
        told.iter().any(|told| told.starts_with("cut ") && told.contains("harm.ndjson")),
        "{told:?}"
    );
}
