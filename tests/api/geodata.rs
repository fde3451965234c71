//! Imported boundaries: what is read, what is refused, and what becomes of places, counts and stored reports.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::db::schema::{audit_entries, decisions, reports};
use sentinelle::geodata::retag::{Mode, retag};
use sentinelle::geodata::tally::RetagReport;
use sentinelle::ids::UserId;
use serde_json::{Value, json};

use crate::harness::{Client, TestApp};
use crate::process::Served;

const KILLING: &str = "rights.life_integrity.killing";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/boundaries").join(name)
}

/// Runs `sentinelle geodata` beside the running application.
fn geodata(app: &TestApp, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinelle"));
    command.arg("geodata").args(words).arg("--data-dir").arg(app.folder.path());
    command.args(["--database-url", &app.database_url]).env("SENTINELLE_LOG", "error");
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().expect("the program runs")
}

#[track_caller]
fn geodata_json(app: &TestApp, words: &[&str]) -> Value {
    let ended = geodata(app, &[words, &["--json"]].concat());
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    serde_json::from_slice(&ended.stdout).expect("JSON")
}

#[track_caller]
fn import(app: &TestApp, name: &str, words: &[&str]) -> Value {
    let path = fixture(name).display().to_string();
    let report = geodata_json(app, &[&["import", &path], words].concat());
    app.context.refresh_packs().expect("the packs are read");
    report
}

fn import_cod(app: &TestApp) -> Value {
    import(app, "cod_ab_adm1.geojson", &[])
}

fn import_geo_boundaries(app: &TestApp) -> Value {
    let words = ["--year", "2022", "--licence", "geoBoundaries, CC BY 4.0"];
    import(app, "geoboundaries_adm2.geojson", &words)
}

fn geotag(client: &Client, lat: f64, lon: f64) -> Value {
    client.get(&format!("/v1/geotag?lat={lat}&lon={lon}")).expect(200).json()
}

/// Submits a killing there and returns the incident's id.
fn submit(monitor: &Client, lat: f64, lon: f64) -> Value {
    let body = json!({"narrative": uuid::Uuid::new_v4(), "occurred": "2024-03-05", "categories": [KILLING],
        "location": {"country": "SLE", "lat": lat, "lon": lon}});
    monitor.submit(&body)["incident"].clone()
}

fn read(client: &Client, incident: &Value) -> Value {
    client.get(&format!("/v1/incidents/{}", incident.as_str().expect("an id"))).expect(200).json()
}

#[test]
fn a_cod_ab_file_gives_first_level_areas_with_iso_codes_by_name() {
    let app = TestApp::start();
    let reviewer = app.reviewer();

    let report = import_cod(&app);

    assert_eq!(
        (&report["level"], &report["source"], &report["year"]),
        (&json!(1), &json!("OCHA COD-AB"), &json!(2021)),
        "all three are in the file"
    );
    let country = &report["countries"][0];
    assert_eq!((&country["n_areas"], &country["n_by_name"]), (&json!(4), &json!(3)));
    assert_eq!(country["unmatched"], json!(["SLE-SL02 Invented South"]));
    assert_eq!(country["missing"], json!(["SL-W Western Area", "SL-N Northern"]));
    let koidu = geotag(&reviewer, 8.644, -10.971);
    assert_eq!(koidu["admin1"], json!({"code": "SL-E", "name": "Eastern"}));
    assert_eq!(koidu["source"], "OCHA COD-AB 2021");
    assert_eq!(koidu["admin2"], Value::Null);
    assert_eq!(geotag(&reviewer, 9.1, -12.0)["admin1"]["code"], "SL-NW", "a shape it never had");
    let by_pcode =
        json!({"categories": [KILLING], "location": {"country": "SLE", "admin1": "SL02"}});
    let answer = app.monitor().submit(&by_pcode);
    assert_eq!(answer["geotag"]["admin1"]["code"], "SLE-SL02", "a P-code is an alias");
}

#[test]
fn a_geoboundaries_file_gives_second_level_areas_to_places_lists_and_counts() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());

    import_geo_boundaries(&app);

    let koidu = geotag(&reviewer, 8.644, -10.971);
    let code = "SLE-11111111B1111111111111";
    assert_eq!(koidu["admin2"], json!({"code": code, "name": "Invented Kono"}));
    assert_eq!(koidu["source"], "Natural Earth 10m admin-1 2022; admin2: geoBoundaries 2022");
    let incident = submit(&monitor, 8.644, -10.971);
    submit(&monitor, 7.96, -11.74);
    assert_eq!(read(&reviewer, &incident)["admin2"]["name"], "Invented Kono");
    let counted = reviewer.get(&format!("/v1/aggregates?status=all&admin2={code}")).expect(200);
    assert_eq!(counted.json()["total"]["incidents"], 1);
    let grouped = reviewer.get("/v1/aggregates?status=all&by=admin2").expect(200).json();
    let cells = grouped["cells"].as_array().expect("cells");
    let areas: Vec<&Value> = cells.iter().map(|cell| &cell["admin2"]).collect();
    assert_eq!(areas, [&json!(code), &Value::Null], "Bo lies in none of them");
    let about = app.anonymous().get("/v1/about").expect(200).json();
    let right = json!([{"level": 2, "countries": ["SLE"], "source": "geoBoundaries", "year": 2022,
        "attribution": "geoBoundaries, CC BY 4.0"}]);
    assert_eq!(about["boundary_packs"], right);
    let sources: Vec<Option<String>> = app
        .context
        .db
        .read_here(|conn| Ok(reports::table.select(reports::boundary_source).load(conn)?))
        .expect("the reports");
    assert_eq!(sources[0].as_deref(), koidu["source"].as_str(), "stored with the areas");
}

#[test]
fn c27_the_border_decides_after_an_import_too() {
    let app = TestApp::start();
    let monitor = app.monitor();
    let words = ["--level", "1", "--source", "invented", "--year", "2024"];

    import(&app, "code_name_adm1.geojson", &words);

    let report =
        json!({"categories": [KILLING], "location": {"country": "BWA", "lat": -25.3, "lon": 27.1}});
    let pilanesberg = monitor.submit(&report)["geotag"].clone();
    assert_eq!(pilanesberg["country_computed"], "ZAF");
    assert_eq!(pilanesberg["admin1"], Value::Null, "no area of the wrong country");
    assert!(pilanesberg["flags"].to_string().contains("country_mismatch"), "{pilanesberg}");
    for (lat, lon, right) in [(4.3612, 18.5550, "CAF"), (4.3470, 18.5990, "COD")] {
        let answer = geotag(&app.reviewer(), lat, lon);
        assert_eq!(answer["country"], right);
        assert_eq!(answer["admin1"]["code"], format!("{right}-whole"), "both packs overlap there");
        assert!(answer["flags"].to_string().contains("near_border"), "{answer}");
    }
}

/// A file of one square in the east of Sierra Leone, with changes.
fn square(change: impl FnOnce(&mut Value)) -> Value {
    let ring = json!([[-11.7, 6.9], [-10.2, 6.9], [-10.2, 10.0], [-11.7, 10.0], [-11.7, 6.9]]);
    let mut file = json!({"type": "FeatureCollection", "features": [{"type": "Feature",
        "properties": {"code": "X1", "name": "Invented", "iso3": "SLE", "level": 1},
        "geometry": {"type": "Polygon", "coordinates": [ring]}}]});
    change(&mut file);
    file
}

/// A square with another ring.
fn ring(positions: &Value) -> String {
    square(|file| file["features"][0]["geometry"]["coordinates"] = json!([positions])).to_string()
}

/// Files whose shapes are not fit, with the words each is refused with.
fn unfit_shapes() -> Vec<(String, &'static str)> {
    let small = json!([[-10.9, 8.4], [-10.8, 8.4], [-10.8, 8.5], [-10.9, 8.5], [-10.9, 8.4]]);
    let swapped = json!([[7.5, -11.5], [7.5, -10.9], [9.0, -10.9], [9.0, -11.5], [7.5, -11.5]]);
    let eight = json!([[-11.7, 6.9], [-10.2, 10.0], [-10.2, 6.9], [-11.7, 10.0], [-11.7, 6.9]]);
    let abroad = json!([[20.0, -5.0], [21.0, -5.0], [21.0, -4.0], [20.0, -4.0], [20.0, -5.0]]);
    let metres = json!([[612_345.5, 956_001.0], [712_345.5, 956_001.0], [612_345.5, 956_001.0]]);
    let open = json!([[-11.7, 6.9], [-10.2, 6.9], [-10.2, 10.0], [-11.7, 10.0]]);
    vec![
        (ring(&metres), "feature 1: 612345.5, 956001 is no longitude, latitude in degrees"),
        (ring(&swapped), "feature 1 says SLE): the file has latitude first"),
        (ring(&abroad), "feature 1 says SLE and lies in COD"),
        (ring(&eight), "feature 1: ring 1 crosses itself near lat"),
        (ring(&json!([[-11.7, 6.9], [-10.2, 6.9], [-11.7, 6.9]])), "ring 1 has 3 positions"),
        (ring(&open), "is not closed"),
        (ring(&json!([["x", 6.9]])), "feature 1: its coordinates cannot be read"),
        (ring(&json!("?")).replace("\"?\"", "[[NaN, 6.9]]"), "this is not JSON"),
        (ring(&small), "the areas cover 0 % of SLE"),
    ]
}

/// Files whose words are not fit.
fn unfit_words() -> Vec<(String, &'static str)> {
    let at = |path: &'static str, value: Value| {
        square(|file| *file.pointer_mut(path).expect("a place") = value).to_string()
    };
    let crs = json!({"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32629"}});
    let again = |file: &mut Value| {
        let feature = file["features"][0].clone();
        file["features"].as_array_mut().expect("features").push(feature);
    };
    let point = json!({"type": "Point", "coordinates": [-11, 8]});
    let none = json!({"type": "FeatureCollection", "features": []});
    vec![
        ("{\"type\": \"FeatureColl".to_owned(), "this is not JSON"),
        (
            json!({"type": "Feature", "geometry": null}).to_string(),
            "not a GeoJSON FeatureCollection",
        ),
        (json!([1, 2]).to_string(), "not a GeoJSON FeatureCollection"),
        (none.to_string(), "no features"),
        (square(|file| file["crs"] = crs).to_string(), "EPSG::32629\", and only WGS 84"),
        (at("/features/0/geometry/coordinates", json!([])), "feature 1 has no shape"),
        (at("/features/0/geometry", json!(null)), "feature 1 has no shape"),
        (at("/features/0/geometry", point), "is a Point"),
        (at("/features/0/properties/iso3", json!("NGA")), "iso3 is \"NGA\", which is no country"),
        (at("/features/0/properties/code", json!(null)), "feature 1 has no code"),
        (at("/features/0/properties/level", json!(null)), "--level 1"),
        (at("/features/0/properties/level", json!(3)), "is of level 3"),
        (square(again).to_string(), "features 1 and 2 are both SLE-X1"),
    ]
}

/// Imports a file of these bytes and expects a refusal in these words.
#[track_caller]
fn expect_refusal(app: &TestApp, content: &[u8], options: &[&str], words: &str) {
    let file = app.folder.path().join("refused.geojson");
    std::fs::write(&file, content).expect("a file");
    let path = file.display().to_string();
    let ended = geodata(app, &[&["import", path.as_str()], options].concat());
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success(), "{words}: {}", String::from_utf8_lossy(content));
    assert!(told.contains(words), "{words}: {told}");
    assert!(told.contains("Nothing was imported"), "{told}");
}

#[test]
fn what_is_not_fit_is_refused_with_what_to_do_and_the_old_pack_stays() {
    let app = TestApp::start();
    import_cod(&app);
    let before = geodata_json(&app, &["list"]);
    let koidu = geotag(&app.reviewer(), 8.644, -10.971);
    let told = ["--source", "invented", "--year", "2024"];

    for (content, words) in unfit_shapes().into_iter().chain(unfit_words()) {
        expect_refusal(&app, content.as_bytes(), &told, words);
    }
    // The head of a gzipped file, and nothing behind it.
    let cut = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1];
    expect_refusal(&app, &cut, &told, "cannot read the file");

    assert_eq!(geodata_json(&app, &["list"]), before);
    app.context.refresh_packs().expect("the packs are read");
    assert_eq!(geotag(&app.reviewer(), 8.644, -10.971), koidu);
}

#[test]
fn what_a_file_does_not_say_of_itself_must_be_told() {
    let app = TestApp::start();
    let file = square(|_| {}).to_string();

    for (options, words) in [
        (&["--year", "2024"][..], "--source NAME"),
        (&["--source", "invented"], "--year YYYY"),
        (&["--source", "invented", "--year", "24"], "the year 24 is outside 1900..=2100"),
        (&["--level", "2"], "feature 1 is of level 1, not 2"),
        (&["--country", "LBR"], "no features of these countries"),
    ] {
        expect_refusal(&app, file.as_bytes(), options, words);
    }
}

fn run_retag(app: &TestApp, mode: Mode) -> RetagReport {
    let context = app.context.clone().into_inner();
    retag(&context, mode, &mut |_| {}).expect("the reports are retagged")
}

/// First- and second-level area of a report, and where they come from.
type Areas = (Option<String>, Option<String>, Option<String>);

/// What may not change in a dry run.
fn stored(app: &TestApp) -> (Vec<Areas>, i64) {
    let rows = app.context.db.read_here(|conn| {
        let columns = (reports::admin1, reports::admin2, reports::boundary_source);
        let areas = reports::table.order(reports::id).select(columns).load(conn)?;
        Ok((areas, decisions::table.count().get_result(conn)?))
    });
    rows.expect("the rows")
}

/// Who decided, the statuses before and after, the fields.
type Recorded = (Option<UserId>, String, String, String);

#[test]
fn a_place_told_in_words_is_computed_anew_too_and_an_unresolved_one_is_left() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let told = |place: &str| {
        let location = json!({"country": "SLE", "place": place});
        let answer = monitor.submit(&json!({"categories": [KILLING], "location": location}));
        (answer["geotag"]["precision"].clone(), answer["incident"].clone())
    };
    let (precision, koidu) = told("Koidu town");
    let (_, unresolved) = told("behind the old mango tree");
    assert_eq!(precision, "town");
    import_geo_boundaries(&app);

    let real = run_retag(&app, Mode::Write);

    assert_eq!((real.n_reports, real.n_incidents), (2, 1));
    assert_eq!(read(&reviewer, &koidu)["admin2"]["name"], "Invented Kono");
    assert_eq!(read(&reviewer, &unresolved)["admin2"], Value::Null);
}

#[test]
fn retag_is_a_decision_of_the_system_and_never_over_a_reviewer() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    let kenema = submit(&monitor, 7.88, -11.19);
    let koidu = submit(&monitor, 8.644, -10.971);
    let settled = submit(&monitor, 7.88, -11.19);
    let place = json!({"location": {"country": "SLE", "lat": 7.88, "lon": -11.19}, "reason": "seen on a map"});
    reviewer.decide(&settled, &place).expect(200);
    reviewer.set_status(&kenema, "verified");
    assert_eq!(read(&reviewer, &kenema)["admin1"]["code"], "SL-E");
    let before = (read(&reviewer, &settled), read(&reviewer, &koidu));
    import_cod(&app);
    let untouched = stored(&app);

    let dry = geodata_json(&app, &["retag", "--dry-run"]);
    assert_eq!(stored(&app), untouched, "a dry run stores nothing");
    let real = run_retag(&app, Mode::Write);
    let again = run_retag(&app, Mode::Write);

    assert_eq!(dry, serde_json::to_value(&real).expect("JSON"), "the dry run told the truth");
    let change = json!([{"country": "SLE", "level": "admin1", "from": "SL-E", "to": "SLE-SL02", "n_incidents": 1}]);
    assert_eq!(dry["changes"], change);
    assert_eq!((real.n_reports, real.n_incidents, real.n_kept), (3, 1, 1));
    assert_eq!((again.n_incidents, again.n_kept), (0, 1), "a second run changes nothing");
    let after = reviewer.get(&format!("/v1/incidents/{}", kenema.as_str().expect("an id")));
    let after = after.expect(200);
    assert_eq!(after.header("etag"), Some("\"3\""), "a reviewer who had read it must read again");
    let after = after.json();
    assert_eq!(
        (&after["admin1"]["code"], &after["status"]),
        (&json!("SLE-SL02"), &json!("verified"))
    );
    assert_eq!((read(&reviewer, &settled), read(&reviewer, &koidu)), before, "nothing else moved");
    let (recorded, audited): (Vec<Recorded>, i64) = app
        .context
        .db
        .read_here(|conn| {
            let columns = (
                decisions::decided_by,
                decisions::from_status,
                decisions::to_status,
                decisions::fields,
            );
            let last =
                decisions::table.order(decisions::id.desc()).limit(1).select(columns).load(conn)?;
            let n = audit_entries::table.filter(audit_entries::action.eq("retagged")).count();
            Ok((last, n.get_result(conn)?))
        })
        .expect("the rows");
    assert_eq!(recorded, [(None, "verified".into(), "verified".into(), "admin1".into())]);
    assert_eq!(audited, 1);
    let counted = reviewer.get("/v1/aggregates?by=admin1").expect(200).json();
    assert_eq!(counted["cells"][0]["admin1"], "SLE-SL02", "{counted}");
}

#[test]
fn without_its_pack_a_country_goes_back_to_the_built_in_areas() {
    let app = TestApp::start();
    let (monitor, reviewer) = (app.monitor(), app.reviewer());
    import_cod(&app);
    import_geo_boundaries(&app);
    let incident = submit(&monitor, 7.88, -11.19);
    assert_eq!(read(&reviewer, &incident)["admin1"]["code"], "SLE-SL02");

    for level in ["1", "2"] {
        let ended = geodata(&app, &["remove", "--level", level, "--country", "SLE"]);
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    let nothing = geodata(&app, &["remove", "--level", "1", "--country", "SLE"]);
    app.context.refresh_packs().expect("the packs are read");
    let real = run_retag(&app, Mode::Write);

    assert!(!nothing.status.success(), "there is nothing to remove");
    assert_eq!(geodata_json(&app, &["list"]), json!([]));
    assert_eq!((real.n_incidents, real.changes.len()), (1, 2));
    let now = read(&reviewer, &incident);
    assert_eq!((&now["admin1"]["code"], &now["admin2"]), (&json!("SL-E"), &Value::Null));
}

#[test]
fn a_running_server_takes_up_what_is_imported_beside_it() {
    let app = TestApp::start();
    let served = Served::start(&app, "UTC");
    let anyone = app.anonymous().at(&served.url);
    let packs = || anyone.get("/v1/about").expect(200).json()["boundary_packs"].clone();
    assert_eq!(packs(), json!([]));

    import_cod(&app);

    let asked_at = std::time::Instant::now();
    while packs() == json!([]) {
        assert!(asked_at.elapsed().as_secs() < 20, "the server looks once a second");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let koidu = geotag(&app.reviewer().at(&served.url), 8.644, -10.971);
    assert_eq!(koidu["source"], "OCHA COD-AB 2021");
}
