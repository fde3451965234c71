//! How coordinators make releases: two of them, and once for all.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::types::Role;
use sentinelle::db::schema::{
    release_approvals, release_atoms, release_withdrawals, releases, sealed,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::releases::stage::{KILLING, Stage, several};

#[test]
fn who_drafts_does_not_approve_and_nobody_sees_a_draft() {
    let stage = Stage::new();
    stage.tell(&several(6, "2024-03-05", KILLING));
    let draft = stage.draft("2024-03");
    let id = draft["id"].as_str().expect("an id");
    let approval = format!("/v1/releases/{id}/approval");
    let anybody = stage.app.anonymous();

    assert_eq!((&draft["state"], &draft["version"]), (&json!("draft"), &Value::Null));
    stage.office.post(&approval, &json!({})).expect_problem(409, "second_person_needed");
    stage.app.user(Role::RegionalLead, "all").post(&approval, &json!({})).expect(403);
    anybody.post(&approval, &json!({})).expect_problem(401, "unauthenticated");
    for path in [format!("releases/{id}"), format!("aggregates?release={id}"), "countries".into()] {
        anybody.get(&format!("/v1/public/{path}")).expect_problem(404, "not_found");
    }
    assert_eq!(stage.public("releases")["items"], json!([]));

    let approved = stage.board.post(&approval, &json!({})).expect(200).json();

    assert_eq!((&approved["state"], &approved["version"]), (&json!("published"), &json!(1)));
    assert_ne!(approved["built_by"], approved["approved_by"]);
    stage.board.post(&approval, &json!({})).expect_problem(409, "release_state");
    let told = stage.public("releases");
    assert_eq!(told["items"][0]["id"], id);
    let told = told.to_string();
    assert!(!told.contains("_by"), "the public learns of nobody: {told}");
    stage.public(&format!("releases/{id}"));
}

#[test]
fn a_draft_that_another_release_overtook_is_built_again() {
    let stage = Stage::new();
    stage.tell(&several(6, "2024-03-05", KILLING));
    let early = stage.draft("2024-02")["id"].as_str().expect("an id").to_owned();
    stage.publish("2024-03");

    let path = format!("/v1/releases/{early}/approval");
    let refused = stage.board.post(&path, &json!({})).expect_problem(409, "release_state");

    assert!(refused.text().contains("build it again"));
    stage
        .office
        .post("/v1/releases", &json!({"until": "2024-02"}))
        .expect_problem(422, "invalid_fields");
    let list = stage.office.get("/v1/releases?limit=1").expect(200).json();
    assert_eq!((&list["total"], &list["items"][0]["state"]), (&json!(2), &json!("published")));
    let next = list["next"].as_str().expect("a cursor");
    let rest = stage.office.get(&format!("/v1/releases?cursor={next}")).expect(200).json();
    assert_eq!(rest["items"][0]["id"], early.as_str());
}

#[test]
fn a_draft_of_last_week_is_built_again() {
    let stage = Stage::new();
    stage.tell(&several(6, "2024-03-05", KILLING));
    let draft = stage.draft("2024-03")["id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/releases/{draft}/approval");

    stage.app.set_now("2024-04-08T12:00:01Z");
    let refused = stage.board.post(&path, &json!({})).expect_problem(409, "release_state");
    assert!(refused.text().contains("more than 7 days ago"), "{}", refused.text());

    stage.app.set_now("2024-04-08T12:00:00Z");
    stage.board.post(&path, &json!({})).expect(200);
}

#[test]
fn months_that_are_withdrawn_from_one_release_are_shown_by_none_before_and_told_again_knowingly() {
    let stage = Stage::new();
    stage.tell(&several(6, "2024-01-05", KILLING));
    stage.tell(&several(7, "2024-02-05", KILLING));
    let first = stage.publish("2024-02");
    stage.app.set_now("2024-04-02T12:00:00Z");
    let second = stage.publish("2024-02");
    stage.app.set_now("2024-04-03T12:00:00Z");
    let months = json!({"reason": "a source is in danger", "from": "2024-02", "until": "2024-02"});
    stage.office.post(&format!("/v1/releases/{second}/withdrawal"), &months).expect(200);

    let withdrawn = json!([{"from": "2024-02", "until": "2024-02"}]);
    for id in [&first, &second] {
        let country = stage.public(&format!("countries/LSO?release={id}"));
        assert_eq!(country["total"], json!({"incidents": 6, "complete": false}));
        assert_eq!(country["release"]["withdrawn"], withdrawn);
    }
    let draft = stage.draft("2024-03");
    assert_eq!(draft["withdrawn_elsewhere"], withdrawn, "whoever approves is told");
    let path = format!("/v1/releases/{}/approval", draft["id"].as_str().expect("an id"));
    stage.board.post(&path, &json!({})).expect(200);
    let country = stage.public("countries/LSO");
    assert_eq!(country["total"], json!({"incidents": 13, "complete": true}));
    assert_eq!(country["release"]["withdrawn"], json!([]));
}

#[test]
fn a_release_covers_whole_months_that_are_over() {
    let stage = Stage::new();
    let refused = |body: Value, pointer: &str| {
        let refused = stage.office.post("/v1/releases", &body);
        assert_eq!(refused.expect_problem(422, "invalid_fields").pointers(), [pointer], "{body}");
    };

    refused(json!({"until": "2024-04"}), "/until");
    refused(json!({"until": "2024-13"}), "/until");
    refused(json!({"until": "2024-03-31"}), "/until");
    refused(json!({"until": "2024-02", "from": "2024-03"}), "/from");
    stage.office.post("/v1/releases", &json!({"until": "2024-02", "to": "x"})).expect(400);
    let headers = [("content-type", "application/json"), ("accept-language", "fr")];
    let french = stage.office.post_bytes("/v1/releases", &headers, br#"{"until": "2024-04"}"#);
    assert!(french.text().contains("n'est pas terminé"), "{}", french.text());
    let body = json!({"until": "2024-02", "from": "2023-11"});
    let built = stage.office.post("/v1/releases", &body).expect(201).json();
    assert_eq!((&built["from"], &built["until"]), (&json!("2023-11"), &json!("2024-02")));
}

#[test]
fn a_token_for_some_countries_makes_no_release() {
    let stage = Stage::new();
    let narrow = json!({"expires_in_days": 1, "scope": "SLE"});
    let session = stage.app.session(Role::Coordinator, "all");
    let made = session.post("/v1/tokens", &narrow).expect(201).json();
    let narrow = crate::harness::Client::new(&stage.app.url, made["token"].as_str());

    narrow.get("/v1/releases").expect_problem(403, "forbidden");
    narrow.post("/v1/releases", &json!({"until": "2024-03"})).expect_problem(403, "forbidden");
}

#[test]
fn a_withdrawn_release_is_gone_and_the_one_before_is_current_again() {
    let stage = Stage::new();
    stage.tell(&several(6, "2024-01-05", KILLING));
    let first = stage.publish("2024-01");
    stage.tell(&several(7, "2024-02-05", KILLING));
    let second = stage.publish("2024-02");
    let reason = "Canary: a source was recognised.";
    let path = format!("/v1/releases/{second}/withdrawal");
    let withdrawn = stage.office.post(&path, &json!({"reason": reason})).expect(200).json();

    assert_eq!(withdrawn["state"], "withdrawn");
    let anybody = stage.app.anonymous();
    for path in ["aggregates", "countries", "countries/LSO"] {
        let path = format!("/v1/public/{path}?release={second}");
        let gone = anybody.get(&path).expect_problem(410, "release_withdrawn");
        assert!(!gone.text().contains("Canary"));
        assert_eq!(gone.header("access-control-allow-origin"), Some("*"));
    }
    anybody.get(&format!("/v1/public/releases/{second}")).expect(410);
    assert_eq!(stage.public("aggregates")["release"]["id"], first.as_str());
    assert_eq!(stage.public("releases")["items"][0]["state"], "withdrawn");
    stage.office.post(&path, &json!({"reason": reason})).expect_problem(409, "release_state");

    let opened = stage.office.get(&format!("/v1/releases/{second}")).expect(200).json();
    assert_eq!(opened["withdrawals"][0]["reason"], reason);
    let acts = stage.board.get("/v1/audit?limit=1000").expect(200).text();
    for act in ["built", "approved", "withdrew", "opened"] {
        let act = format!("\"{act}\"");
        assert!(acts.contains(&act), "{act} in {acts}");
    }
    assert!(!acts.contains("Canary"));
    let n_sealed = stage.app.context.db.read_here(|conn| {
        let reasons = sealed::table.filter(sealed::owner_kind.eq("release_withdrawal"));
        Ok(reasons.count().get_result::<i64>(conn)?)
    });
    assert_eq!(n_sealed.expect("a count"), 1);
    // What was withdrawn was seen: figures are held against it all the same.
    stage.tell(&several(4, "2024-02-06", KILLING));
    stage.publish("2024-02");
    let months = stage.public("aggregates?by=month&country=LSO&from=2024-02")["cells"].clone();
    assert_eq!(months[0], json!({"month": "2024-02", "incidents": 7, "complete": true}));
}

#[test]
fn months_of_a_release_are_withdrawn_with_every_figure_that_touches_them() {
    let stage = Stage::new();
    stage.tell(&several(6, "2024-01-05", KILLING));
    let id = stage.publish("2024-01");
    stage.tell(&several(7, "2024-02-05", KILLING));
    let id_of_both = stage.publish("2024-02");
    let path = format!("/v1/releases/{id_of_both}/withdrawal");
    let months = json!({"reason": "a mistake", "from": "2024-02", "until": "2024-02"});
    stage.office.post(&path, &months).expect(200);

    let country = stage.public("countries/LSO");

    assert_eq!(country["total"], json!({"incidents": 6, "complete": false}));
    let withdrawn = json!([{"from": "2024-02", "until": "2024-02"}]);
    assert_eq!(country["release"]["withdrawn"], withdrawn);
    let old = stage.public(&format!("countries/LSO?release={id}"));
    assert_eq!(old["total"], json!({"incidents": 6, "complete": true}));
    let outside = json!({"reason": "a mistake", "from": "2024-01", "until": "2024-07"});
    stage.office.post(&path, &outside).expect_problem(422, "invalid_fields");
    let unknown = format!("/v1/releases/{}/withdrawal", Uuid::new_v4());
    stage.office.post(&unknown, &months).expect_problem(404, "not_found");
}

#[test]
fn what_was_released_is_never_changed_or_deleted() {
    let stage = Stage::new();
    stage.tell(&several(6, "2024-01-05", KILLING));
    let id = stage.publish("2024-01");
    let before = stage.public(&format!("releases/{id}"));
    stage
        .office
        .post(
            &format!("/v1/releases/{id}/withdrawal"),
            &json!({"reason": "a mistake", "from": "2024-01"}),
        )
        .expect(200);
    let db = &stage.app.context.db;
    let refused = |result: sentinelle::error::Result<usize>| {
        let error = result.expect_err("a trigger refuses it");
        let cause = error.database_cause().expect("the database").to_string();
        assert!(cause.contains("what was released is never"), "{cause}");
    };

    refused(db.write_here(|tx| {
        Ok(diesel::update(releases::table).set(releases::k.eq(1)).execute(tx.conn)?)
    }));
    refused(db.write_here(|tx| {
        let one = release_atoms::incidents.eq(Some(1));
        Ok(diesel::update(release_atoms::table).set(one).execute(tx.conn)?)
    }));
    refused(db.write_here(|tx| Ok(diesel::delete(release_approvals::table).execute(tx.conn)?)));
    refused(db.write_here(|tx| Ok(diesel::delete(release_withdrawals::table).execute(tx.conn)?)));
    refused(db.write_here(|tx| Ok(diesel::delete(release_atoms::table).execute(tx.conn)?)));
    let after = stage.public(&format!("releases/{id}"));
    assert_eq!(before["release"]["sha256"], after["release"]["sha256"]);
}

#[test]
fn the_preview_says_what_was_folded_and_why() {
    let stage = Stage::new();
    stage.tell(&several(1, "2024-03-05", KILLING));
    stage.tell(&several(7, "2024-03-06", &stage.pollution));

    let draft = stage.draft("2024-03");

    let atoms = draft["atoms"].as_array().expect("atoms").iter();
    let mut told = atoms.filter(|atom| atom["incidents"] == 8);
    let folded = json!({"admin1": null, "times": null, "categories": "few_incidents"});
    assert_eq!(told.next().expect("the figure")["folded"], folded);
    assert_eq!(
        draft["shares"],
        json!({"incidents": 8, "full_detail": 0, "withheld": 0, "kept": 0})
    );
    let again = stage.office.get(&format!("/v1/releases/{}", draft["id"].as_str().expect("an id")));
    assert_eq!(again.expect(200).json()["atoms"], draft["atoms"]);
}
