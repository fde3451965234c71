//! Counts as CSV, and entity tags of counts.

use serde_json::{Value, json};

use crate::counts::{cells, count};
use crate::harness::{TestApp, submit_march};

#[test]
fn a_csv_has_the_mark_the_line_ends_and_the_numbers_of_the_json() {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    submit_march(&app.monitor(), &reviewer);

    let file = reviewer.get("/v1/aggregates.csv?by=country&from=2024-03&to=2024-03").expect(200);
    let bare = reviewer.get("/v1/aggregates.csv?by=country&from=2024-03&to=2024-03&bom=0");
    let negotiated = reviewer
        .get_with("/v1/aggregates?by=country&from=2024-03&to=2024-03", &[("accept", "text/csv")]);

    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(file.body.get(..3), Some(b"\xEF\xBB\xBF".as_slice()));
    assert_eq!(file.body.get(3..), Some(bare.body.as_slice()));
    assert_eq!(file.body, negotiated.body);
    let text = bare.expect(200).text();
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "CRLF only");
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    let (header, rows) = lines.split_first().expect("a header");
    assert!(header.starts_with(
        "row,country,incidents,reports,killed_min,killed_max,killed_stated,injured_min"
    ));
    let (total, rows) = rows.split_last().expect("a total");
    assert!(total.starts_with("total,,8,8,2,2,1,4,4,2,"), "{total}");
    let json = cells(&count(&reviewer, "by=country&from=2024-03&to=2024-03"));
    assert_eq!(rows.len(), json.len());
    for (country, n_incidents) in json {
        let start = format!("cell,{country},{n_incidents},");
        assert!(rows.iter().any(|row| row.starts_with(&start)), "{start}");
    }
}

#[test]
fn an_entity_tag_changes_when_and_only_when_the_numbers_do() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let submitted = submit_march(&monitor, &reviewer);
    let path = "/v1/aggregates?by=country&country=SLE&from=2024-03&to=2024-03";
    let first = reviewer.get(path).expect(200);
    let tag = first.header("etag").expect("an ETag").to_owned();

    let held = reviewer.get_with(path, &[("if-none-match", &tag)]).expect(304);
    assert!(held.body.is_empty());
    assert_eq!(held.header("etag"), Some(tag.as_str()));

    reviewer.set_status(&submitted["R7"]["incident"], "in_review");
    monitor.submit(&json!({"occurred": "2024-03-09", "location": {"country": "ZWE"},
        "categories": ["rights.life_integrity.killing"]}));
    let elsewhere = reviewer.get(path).expect(200);
    assert_eq!(elsewhere.header("etag"), Some(tag.as_str()), "as_of alone rose");
    let as_of = |answer: &Value| answer["as_of"].as_i64();
    assert!(as_of(&elsewhere.json()) > as_of(&first.json()));

    reviewer.set_status(&submitted["R2"]["incident"], "verified");
    let changed = reviewer.get_with(path, &[("if-none-match", &tag)]).expect(200);
    assert_ne!(changed.header("etag"), Some(tag.as_str()));
    reviewer.set_status(&submitted["R2"]["incident"], "in_review");
    reviewer.set_status(&submitted["R1"]["incident"], "in_review");
    let again = reviewer.get(path).expect(200);
    assert_ne!(again.header("etag"), changed.header("etag"));
    assert_ne!(again.header("etag"), Some(tag.as_str()));
}

#[test]
fn countries_come_as_csv_with_the_numbers_of_the_json() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    submit_march(&monitor, &reviewer);

    let list = reviewer.get("/v1/countries.csv?bom=0").expect(200).text();
    let country = reviewer.get("/v1/countries/SLE.csv?bom=0&from=2024-03").expect(200).text();

    let first = |text: &str, start: &str| {
        let line = text.lines().find(|line| line.starts_with(start)).map(str::to_owned);
        line.unwrap_or_else(|| panic!("no line {start} in {text}"))
    };
    assert!(first(&list, "cell,SLE,").starts_with("cell,SLE,2,2,2,2,1"), "{list}");
    assert!(first(&list, "cell,BWA,").starts_with("cell,BWA,0,0"), "{list}");
    assert!(first(&country, "total,SLE,").starts_with("total,SLE,2,2,2,2,1"), "{country}");
    assert!(first(&country, "month,2024-03,").starts_with("month,2024-03,2,2"), "{country}");
    assert_eq!(reviewer.get_with("/v1/aggregates", &[("accept", "image/png")]).status, 406);
}
