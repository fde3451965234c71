//! Briefs that may be published: the figures of a release, and nothing of today.

use sentinelle::auth::types::Role;
use serde_json::json;

use crate::harness::Client;
use crate::releases::stage::{KILLING, Stage, several};

const BRIEF: &str = "/v1/countries/LSO/brief.html?for=publication&lang=en";

/// Nine in one area and seven in two others in February, eight of two themes in March; then one more, after the release.
fn stage() -> (Stage, Vec<String>) {
    let stage = Stage::new();
    let areas = stage.areas("LSO");
    for (n, area) in [(9, &areas[0]), (3, &areas[1]), (4, &areas[2])] {
        let all = several(n, "2024-02-05", KILLING).into_iter();
        stage.tell(&all.map(|told| told.within(area)).collect::<Vec<_>>());
    }
    stage.tell(&several(1, "2024-03-05", KILLING));
    stage.tell(&several(7, "2024-03-06", &stage.pollution));
    stage.publish("2024-03");
    stage.tell(&several(1, "2024-03-07", KILLING));
    (stage, areas)
}

fn tile(html: &str, label: &str) -> String {
    let (before, _) = html.split_once(&format!("</strong><span>{label}</span>")).expect(label);
    before.rsplit_once("<strong>").expect("a figure").1.to_owned()
}

fn page(client: &Client, path: &str) -> String {
    client.get(path).expect(200).text()
}

#[test]
fn a_brief_for_publication_tells_whole_figures_of_a_release() {
    let (stage, areas) = stage();
    let analyst = stage.app.user(Role::Analyst, "LSO,SLE");
    let exact = page(&analyst, "/v1/countries/LSO/brief.html?from=2024-01&to=2024-03&lang=en");
    assert_eq!(tile(&exact, "Verified incidents"), "25", "exact for whoever may");
    assert!(exact.contains("NOT FOR PUBLICATION"));

    let told = page(&analyst, BRIEF);

    assert_eq!(tile(&told, "Verified incidents"), "24", "as it was released");
    assert!(!told.contains("NOT FOR PUBLICATION") && told.contains("RELEASE 1"), "{told}");
    let country = stage.public("countries/LSO");
    for (theme, right) in [("rights", "16"), ("environment", "–"), ("governance", "–")] {
        let themes = country["themes"].as_array().expect("themes").iter();
        let mut theme = themes.filter(|item| item["code"] == theme);
        let name = theme.next().expect("a theme")["name"].as_str().expect("a name");
        // 0 beside what is told together would read as none.
        let row = format!("<th scope=\"row\">{name}</th><td>{right}</td><td>no</td>");
        assert!(told.contains(&row), "{row}: {told}");
    }
    let told_by = ["Told by theme", "Told by area", "Told by month"].map(|name| tile(&told, name));
    assert_eq!(told_by, ["16", "9", "24"]);
    assert!(told.contains("<dt>8 incidents, told as one figure</dt>"), "{told}");
    assert!(told.contains("<dt>7 incidents, told as one figure</dt>"), "two areas: {told}");
    let geo = stage.app.context.geo();
    let name = |code: &String| geo.areas().find(code).expect("an area").name_en.clone();
    assert!(told.contains(&format!("{}: 9", name(&areas[0]))), "a figure of its own: {told}");
    for area in &areas[1..3] {
        assert!(!told.contains(&format!("{}: ", name(area))), "{area} is told with others");
    }
    let note = country["note"].as_str().expect("a note").replace("null", "–");
    assert!(told.contains(&note), "the method of the release");
    assert!(told.contains(country["release"]["sha256"].as_str().expect("a hash")));
    for absent in ["People killed", "Good practice", "<circle"] {
        assert!(!told.contains(absent), "no release tells it: {absent}");
    }
}

#[test]
fn a_period_gets_what_lies_in_it_whole_and_the_rest_as_it_is() {
    let stage = Stage::new();
    stage.tell(&several(8, "2024-01-15", KILLING));
    stage.tell(&several(1, "2024-03-15", KILLING));
    stage.publish("2024-03");
    let analyst = stage.app.user(Role::Analyst, "all");
    let whole = page(&analyst, BRIEF);
    assert_eq!(tile(&whole, "Verified incidents"), "9");
    assert!(whole.contains("Incidents by quarter"), "no month is told alone: {whole}");

    let two_months = page(&analyst, &format!("{BRIEF}&to=2024-02"));

    assert!(two_months.contains("<p>January 2024 to February 2024</p>"), "{two_months}");
    assert_eq!(tile(&two_months, "Verified incidents"), "–", "9 less one could be told");
    assert!(two_months.contains("<dt>9 incidents, told as one figure</dt>"), "{two_months}");
    assert!(two_months.contains("January 2024 to March 2024"), "of which months it is");
    assert!(!two_months.contains(">8<"), "{two_months}");
    for months in ["to=2024-04", "from=2023-12", "from=2024-03&to=2024-02", "from=2025"] {
        let refused = analyst.get(&format!("{BRIEF}&{months}"));
        refused.expect_problem(400, "invalid_parameter");
    }
}

#[test]
fn what_is_known_no_better_than_its_year_is_named_so_and_lies_in_the_months_of_the_release() {
    let stage = Stage::new();
    stage.tell(&several(8, "2022-07-15", KILLING));
    stage.tell(&several(3, "2022-03-15", KILLING));
    stage.tell(&several(3, "2022", KILLING));
    let body = json!({"from": "2022-03", "until": "2023-01"});
    let draft = stage.office.post("/v1/releases", &body).expect(201).json();
    let path = format!("/v1/releases/{}/approval", draft["id"].as_str().expect("an id"));
    stage.board.post(&path, &json!({})).expect(200);
    let analyst = stage.app.user(Role::Analyst, "all");

    let told = page(&analyst, BRIEF);

    assert_eq!(tile(&told, "Verified incidents"), "14");
    assert!(told.contains("2022, month not known</dd>"), "{told}");
    let from_first = stage.public("aggregates?country=LSO&from=2022-03");
    assert_eq!(from_first["total"], json!({"incidents": 14, "complete": true}));
}

#[test]
fn a_country_without_incidents_has_none_and_one_that_no_release_covers_has_no_brief() {
    let (stage, _) = stage();
    let analyst = stage.app.user(Role::Analyst, "all");

    let nothing = page(&analyst, "/v1/countries/SLE/brief.html?for=publication&lang=en");

    assert_eq!(tile(&nothing, "Verified incidents"), "0");
    assert!(nothing.contains("all there are") && nothing.contains("No incident in this period."));
    let none = "/v1/countries/AGO/brief.html?for=publication";
    analyst.get(none).expect_problem(404, "not_found");
}

#[test]
fn months_that_were_withdrawn_are_told_by_no_brief() {
    let (stage, _) = stage();
    let analyst = stage.app.user(Role::Analyst, "all");
    let id = stage.public("releases")["items"][0]["id"].as_str().expect("an id").to_owned();
    let months = json!({"from": "2024-03", "until": "2024-03", "reason": "a count was wrong"});
    stage.office.post(&format!("/v1/releases/{id}/withdrawal"), &months).expect(200);

    let told = page(&analyst, BRIEF);
    assert_eq!(tile(&told, "Verified incidents"), "16");
    assert!(told.contains("<dt>Withdrawn since.</dt><dd>March 2024</dd>"), "{told}");
    assert!(!told.contains("<dt>8 incidents"), "{told}");
    assert!(told.contains("counts at least 16 verified incidents"), "not all of them: {told}");

    let all = json!({"reason": "all of it was wrong"});
    stage.office.post(&format!("/v1/releases/{id}/withdrawal"), &all).expect(200);
    let named = analyst.get(&format!("{BRIEF}&release={id}"));
    named.expect_problem(410, "release_withdrawn");
}

#[test]
fn a_brief_for_publication_is_of_a_release_that_is_shown_and_a_country_in_scope() {
    let stage = Stage::new();
    let analyst = stage.app.user(Role::Analyst, "LSO");
    analyst.get(BRIEF).expect_problem(404, "not_found");
    stage.tell(&several(8, "2024-02-05", KILLING));
    let id = stage.publish("2024-03");

    let named = page(&analyst, &format!("{BRIEF}&release={id}"));
    assert_eq!(named, page(&analyst, BRIEF));
    let pdf = analyst.get("/v1/countries/LSO/brief.pdf?for=publication&lang=fr").expect(200);
    let named = "inline; filename=\"brief-LSO-release-1-2024-01-2024-03.pdf\"";
    assert_eq!(pdf.header("content-disposition"), Some(named));
    let n_pages = String::from_utf8_lossy(&pdf.body).matches("/Type /Page\n").count();
    assert!((1..=4).contains(&n_pages), "{n_pages} pages");
    for (name, right) in
        [("months", 200), ("themes", 200), ("areas", 200), ("map", 200), ("practice", 400)]
    {
        for format in ["svg", "png"] {
            let path = format!("/v1/charts/{name}.{format}?country=LSO&for=publication");
            assert_eq!(analyst.get(&path).status, right, "{path}");
        }
    }
    let elsewhere = "/v1/countries/SLE/brief.html?for=publication";
    analyst.get(elsewhere).expect_problem(404, "not_found");
    for (more, code) in [
        ("&from=2024-02-03", "invalid_parameter"),
        ("&status=all", "unknown_parameter"),
        ("&release=1", "invalid_parameter"),
    ] {
        analyst.get(&format!("{BRIEF}{more}")).expect_problem(400, code);
    }
    let own = "/v1/countries/LSO/brief.html?release=1";
    analyst.get(own).expect_problem(400, "unknown_parameter");
    let draft = stage.draft("2024-03")["id"].as_str().expect("an id").to_owned();
    let unseen = analyst.get(&format!("{BRIEF}&release={draft}"));
    unseen.expect_problem(404, "not_found");
}
