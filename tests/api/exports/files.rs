//! What a file holds, for whom, and how it looks to the program that opens it.

use sentinelle::auth::types::Role;
use serde_json::{Value, json};

use crate::counts::count;
use crate::exports::reading::{FORMATS, Row, rows, sheet};
use crate::harness::{Answer, Client, TestApp, submit_march};

const MARCH: &str = "from=2024-03&to=2024-03";

fn export(client: &Client, file: &str, query: &str) -> Answer {
    client.get(&format!("/v1/exports/{file}?{query}")).expect(200)
}

fn march() -> (TestApp, Client, serde_json::Map<String, Value>) {
    let app = TestApp::start();
    let reviewer = app.reviewer();
    let submitted = submit_march(&app.monitor(), &reviewer);
    (app, reviewer, submitted)
}

fn find<'r>(rows: &'r [Row], column: &str, value: &Value) -> &'r Row {
    let value = value.as_str().expect("a text");
    rows.iter().find(|row| row[column] == value).expect("the row")
}

#[test]
fn a_csv_opens_in_excel_with_its_accents() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let sent = monitor
        .submit(&json!({"occurred": "2024-03-22", "narrative": "Le marigot est rouge.",
        "location": {"country": "CIV", "lat": 7.9611, "lon": -6.6731}, "categories": []}));
    let id = sent["incident"].as_str().expect("an id");

    let file = export(&reviewer, "incidents.csv", "status=all&lang=fr");
    let bare = export(&reviewer, "incidents.csv", "status=all&lang=fr&bom=0");

    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"incidents.csv\""));
    assert_eq!(file.body.get(..3), Some(b"\xEF\xBB\xBF".as_slice()));
    assert_eq!(file.body.get(3..), Some(bare.body.as_slice()));
    assert!(file.body.windows(5).any(|part| part == b"\x43\xC3\xB4\x74\x65"), "Côte");
    let text = bare.text();
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "CRLF only");
    assert!(text.starts_with("id;version;status;status_label;occurred_on;"), "{text}");
    assert!(text.contains(";CIV;Côte d’Ivoire;"), "{text}");
    let rows = rows("csv", &file);
    assert_eq!(find(&rows, "id", &sent["incident"])["id"], id);
    let english = export(&reviewer, "incidents.csv", "status=all&bom=0").text();
    assert!(english.starts_with("id,version,"), "{english}");
}

#[test]
fn negative_degrees_and_counts_are_numbers() {
    let (_app, reviewer, submitted) = march();

    let text = export(&reviewer, "incidents.csv", &format!("bom=0&{MARCH}&country=ZWE")).text();

    let row = text.lines().nth(1).expect("a row");
    let latitude = row.split(',').find(|cell| cell.starts_with("-19.")).expect("a latitude");
    assert_eq!(latitude.split('.').nth(1).map(str::len), Some(6), "{latitude}");
    assert!(!text.contains('\''), "nothing is escaped: {text}");
    let rows = rows("ndjson", &export(&reviewer, "incidents.ndjson", MARCH));
    let row = find(&rows, "id", &submitted["R9"]["incident"]);
    assert_eq!((row["injured_min"].as_str(), row["killed_min"].as_str()), ("1", ""));
}

#[test]
fn a_geojson_is_at_the_generalised_place_longitude_first_in_numbers() {
    let (_app, reviewer, submitted) = march();

    let file = export(&reviewer, "incidents.geojson", MARCH);

    assert_eq!(file.header("content-type"), Some("application/geo+json"));
    let file = file.json();
    let features = file["features"].as_array().expect("features");
    let feature = features.iter().find(|one| one["id"] == submitted["R1"]["incident"]);
    let point = &feature.expect("R1")["geometry"]["coordinates"];
    let [lon, lat] = [0, 1].map(|at| point[at].as_f64().expect("a number"));
    assert!((lon - -10.971).abs() < 0.2 && (lat - 8.644).abs() < 0.2, "{point}");
    let listed = reviewer
        .get(&format!("/v1/incidents/{}", submitted["R1"]["incident"].as_str().expect("an id")));
    assert_eq!(listed.json()["place"]["coordinates"], *point, "that of the lists");
    let unmapped = features.iter().find(|one| one["id"] == submitted["R12"]["incident"]);
    assert_eq!(unmapped.expect("R12")["geometry"], json!(null));
    for table in ["harm", "actors", "aggregates"] {
        let refused = reviewer.get(&format!("/v1/exports/{table}.geojson"));
        refused.expect_problem(406, "not_acceptable");
    }
}

#[test]
fn dates_are_as_precise_as_they_are_known() {
    let (_app, reviewer, submitted) = march();

    let file = export(&reviewer, "incidents.xlsx", MARCH);

    let of = rows("xlsx", &file);
    let on = |key: &str| {
        let row = find(&of, "id", &submitted[key]["incident"]);
        (row["occurred_on"].clone(), row["date_precision"].clone(), row["first_day"].clone())
    };
    let right = |on: &str, precision: &str, first: &str| {
        (on.to_owned(), precision.to_owned(), first.to_owned())
    };
    assert_eq!(on("R4"), right("2024-03-01", "time", "2024-03-01"), "the local day");
    assert_eq!(on("R6"), right("2024-03", "month", "2024-03-01"));
    assert_eq!(on("R5"), right("2024-03-15", "day", "2024-03-15"));
    let header: Vec<_> = sheet(&file.body)[0].values().cloned().collect();
    assert!(header.contains(&"occurred_on".to_owned()));
}

#[test]
fn codes_stand_beside_their_labels_in_two_languages() {
    let (_app, reviewer, submitted) = march();
    let labels = |language: &str| {
        let query = format!("{MARCH}&lang={language}");
        let of = rows("ndjson", &export(&reviewer, "incidents.ndjson", &query));
        let row = find(&of, "id", &submitted["R9"]["incident"]);
        assert_eq!(row["status"], "verified");
        [row["country_name"].clone(), row["status_label"].clone(), row["theme_label"].clone()]
    };

    let (english, french) = (labels("en"), labels("fr"));

    assert_eq!(english[0], "Zimbabwe");
    assert_ne!(english[1..], french[1..]);
    let refused = reviewer.get("/v1/exports/incidents.csv?lang=pt");
    assert_eq!(refused.expect_problem(400, "invalid_parameter").pointers(), ["?lang"]);
}

#[test]
fn the_keys_of_what_belongs_to_an_incident_resolve() {
    let (app, reviewer, _) = march();
    app.monitor().submit(&json!({"occurred": "2024-03-05", "location": {"country": "SLE"},
        "categories": ["rights.life_integrity.killing"],
        "actors": [{"type": "state_army"}, {"type": "state_police"}],
        "harm": {"killed": {"min": 1, "max": 3, "by": {"f_adult": 1}}, "injured": 2}}));
    let query = "status=all";
    let incidents = rows("ndjson", &export(&reviewer, "incidents.ndjson", query));
    let ids: Vec<&String> = incidents.iter().map(|row| &row["id"]).collect();

    for table in ["reports", "harm", "actors"] {
        let file = export(&reviewer, &format!("{table}.ndjson"), query);
        let n_rows = file.header("sentinelle-rows").map(str::to_owned);
        let of = rows("ndjson", &file);
        assert_eq!(n_rows, Some(of.len().to_string()), "{table}");
        assert!(of.iter().all(|row| ids.contains(&&row["incident_id"])), "{table}");
    }
    let harm = rows("csv", &export(&reviewer, "harm.csv", query));
    let killed = harm.iter().find(|row| row["max"] == "3").expect("the row");
    assert_eq!((killed["measure"].as_str(), killed["min"].as_str()), ("killed", "1"));
    assert_eq!((killed["f_adult_max"].as_str(), killed["m_adult_min"].as_str()), ("1", ""));
    let actors = rows("csv", &export(&reviewer, "actors.csv", query));
    let kinds: Vec<&str> = actors.iter().map(|row| row["actor"].as_str()).collect();
    assert_eq!(kinds, ["state_army", "state_police"]);
}

#[test]
fn every_format_says_the_same() {
    let (_app, reviewer, _) = march();

    for table in ["incidents", "reports", "harm", "actors", "aggregates"] {
        let by = if table == "aggregates" { "&by=country,severity,month" } else { "" };
        let query = format!("status=all&lang=fr{by}");
        let right = rows("ndjson", &export(&reviewer, &format!("{table}.ndjson"), &query));
        assert!(table == "actors" || !right.is_empty(), "{table}");
        for format in FORMATS {
            if format == "geojson" && !["incidents", "reports"].contains(&table) {
                continue;
            }
            let file = export(&reviewer, &format!("{table}.{format}"), &query);
            assert_eq!(rows(format, &file), right, "{table}.{format}");
        }
    }
}

#[test]
fn for_any_filter_the_list_the_count_and_every_export_have_the_same_rows() {
    let (app, reviewer, _) = march();
    let analyst = app.user(Role::Analyst, "SLE,COD,CAF");
    let filters = [
        "",
        "status=all",
        "status=received",
        "country=SLE",
        "region=central&status=all",
        "from=2024-03-05",
        "to=2024-03-15&status=all",
        "theme=rights",
        "severity=4,5",
        "mapped=false",
        "category=rights.life_integrity&status=all",
        "bbox=-12,6,-10,10",
        "precision=none,country",
        "include=test,mismatch&status=all",
        "channel=sms",
        "country=COD&from=2024-03-15&to=2024-03-15",
    ];
    let (mut n_checked, mut n_found) = (0, 0);
    for query in filters {
        for client in [&reviewer, &analyst] {
            let counted = count(client, query);
            let total = usize::try_from(counted["total"]["incidents"].as_u64().expect("a total"));
            let total = total.expect("64 bits");
            let listed = client.get(&format!("/v1/incidents?{query}")).expect(200).json();
            assert_eq!(listed["total"], total, "{query}");
            for format in FORMATS {
                let file = export(client, &format!("incidents.{format}"), query);
                assert_eq!(rows(format, &file).len(), total, "{format} {query}");
                assert_eq!(file.header("sentinelle-rows"), Some(&*total.to_string()), "{query}");
                n_checked += 1;
            }
            let reports = rows("csv", &export(client, "reports.csv", query)).len();
            assert_eq!(counted["total"]["reports"], reports, "{query}");
            let cells =
                rows("csv", &export(client, "aggregates.csv", &format!("by=month&{query}")));
            let sum: usize =
                cells.iter().map(|row| row["incidents"].parse::<usize>().expect("a number")).sum();
            assert_eq!(sum, total, "{query}");
            n_found += total;
        }
    }
    assert!(n_checked > 150 && n_found > 50, "{n_checked} files, {n_found} rows");
}

#[test]
fn outsiders_get_no_fine_place_in_any_format() {
    let (app, reviewer, submitted) = march();
    let analyst = app.user(Role::Analyst, "all");
    let exact = ["8.644", "10.971", "8.6455", "10.9702"];
    let mut before = Vec::new();
    for (table, format) in [
        ("incidents", "csv"),
        ("incidents", "geojson"),
        ("incidents", "ndjson"),
        ("reports", "csv"),
        ("reports", "ndjson"),
        ("harm", "csv"),
        ("actors", "ndjson"),
        ("aggregates", "ndjson"),
    ] {
        let file = export(&analyst, &format!("{table}.{format}"), "status=all");
        let again = export(&analyst, &format!("{table}.{format}"), "status=all");
        assert_eq!(file.body, again.body, "one place, however often");
        for word in exact {
            assert!(!file.text().contains(word), "{word} in {table}.{format}");
        }
        for word in ["shot by guards", "Koidu", "cell7\":\"8", "submitter", "SL-"] {
            assert!(word == "SL-" || !file.text().contains(word), "{word} in {table}.{format}");
        }
        before.push(file);
    }
    for format in ["xlsx", "parquet"] {
        for row in rows(format, &export(&analyst, &format!("incidents.{format}"), "status=all")) {
            assert_eq!((row["site"].as_str(), row["cell7"].as_str()), ("", ""));
            assert!(!exact.iter().any(|word| row.values().any(|cell| cell.contains(word))));
        }
    }
    let fine = rows("csv", &export(&reviewer, "incidents.csv", "status=all"));
    let row = find(&fine, "id", &submitted["R1"]["incident"]);
    assert!(row["cell7"].starts_with("87"), "who may open the report may group by it: {row:?}");
    analyst.get("/v1/exports/incidents.csv?h3=8775b4463ffffff").expect_problem(403, "forbidden");
    analyst.get("/v1/exports/aggregates.csv?by=site").expect_problem(403, "forbidden");
}

#[test]
fn a_lead_exports_what_waits_in_their_countries_and_nobody_without_a_token() {
    let (app, _reviewer, submitted) = march();
    let lead = app.user(Role::RegionalLead, "CAF");

    let waiting = rows("csv", &export(&lead, "incidents.csv", "status=received"));
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0]["id"], submitted["R7"]["incident"]);
    assert_eq!(rows("csv", &export(&lead, "incidents.csv", "status=all")).len(), 2);
    lead.get("/v1/exports/incidents.csv?country=SLE").expect_problem(404, "not_found");
    for table in ["incidents", "reports", "harm", "actors", "aggregates", "nothing"] {
        let refused = app.anonymous().get(&format!("/v1/exports/{table}.csv?status=received"));
        refused.expect_problem(401, "unauthenticated");
    }
    app.user(Role::Monitor, "CAF")
        .get("/v1/exports/incidents.csv")
        .expect_problem(403, "forbidden");
    app.user(Role::Auditor, "all").get("/v1/exports/harm.csv").expect_problem(403, "forbidden");
}

#[test]
fn what_is_asked_wrongly_is_named() {
    let app = TestApp::start();
    let analyst = app.user(Role::Analyst, "all");
    let pointers = |path: &str, status: u16, code: &str| {
        analyst.get(&format!("/v1/exports/{path}")).expect_problem(status, code).pointers()
    };

    assert_eq!(pointers("incidents.csv?q=guards", 400, "invalid_parameter"), ["?q"]);
    assert_eq!(pointers("incidents.csv?by=country", 400, "unknown_parameter"), ["?by"]);
    assert_eq!(pointers("incidents.xlsx?bom=0", 400, "unknown_parameter"), ["?bom"]);
    assert_eq!(pointers("incidents.csv?limit=0", 400, "invalid_parameter"), ["?limit"]);
    assert_eq!(pointers("aggregates.csv?limit=5", 400, "unknown_parameter"), ["?limit"]);
    assert_eq!(pointers("incidents.ndjson?hxl=true", 400, "invalid_parameter"), ["?hxl"]);
    assert_eq!(pointers("harm.csv?hxl=true", 400, "invalid_parameter"), ["?hxl"]);
    assert_eq!(pointers("aggregates.csv?hxl=true&by=month", 400, "invalid_parameter"), ["?hxl"]);
    assert!(pointers("incidents.csv?cursor=abc", 400, "invalid_cursor").is_empty());
    for path in ["incidents.pdf", "nothing.csv", "incidents"] {
        analyst.get(&format!("/v1/exports/{path}")).expect_problem(404, "not_found");
    }
}

#[test]
fn hxl_has_its_row_of_tags_below_the_header() {
    let (_app, reviewer, _) = march();

    let incidents = export(&reviewer, "incidents.csv", "hxl=true&bom=0&status=all").text();
    let countries = export(&reviewer, "aggregates.csv", &format!("hxl=true&bom=0&{MARCH}")).text();
    let workbook = export(&reviewer, "incidents.xlsx", "hxl=true");

    let lines: Vec<&str> = incidents.split_terminator("\r\n").collect();
    assert_eq!(
        lines[1],
        "#event+id+code,#date+occurred,#meta+date+precision,#country+name,#country+code+v_iso3,#adm1+name,#adm1+code,\
         #geo+lat,#geo+lon,#meta+geo+precision,#event+type+list,#org+alleged+type+list,#affected+killed,\
         #affected+injured,#affected+displaced,#affected+f+adults,#affected+f+children,#status+verification,\
         #meta+source+type,#date+updated"
    );
    assert_eq!(lines.len(), 2 + 12);
    assert!(lines[2].starts_with("DM-2024-"), "{}", lines[2]);
    let lines: Vec<&str> = countries.split_terminator("\r\n").collect();
    assert_eq!(
        lines[1],
        "#country+name,#country+code+v_iso3,#date+start,#date+end,#event+num,#affected+killed+num,\
         #affected+injured+num,#affected+displaced+num,#event+verified+num"
    );
    assert!(lines.contains(&"Sierra Leone,SLE,2024-03-01,2024-03-31,2,2,,,2"), "{countries}");
    assert_eq!(lines.len(), 2 + 10, "all members, zeros included");
    let tags: Vec<_> = sheet(&workbook.body)[1].values().cloned().collect();
    assert!(tags.contains(&"#country+code+v_iso3".to_owned()));
    assert_eq!(workbook.header("sentinelle-rows"), Some("8"));
}
