//! Merges, splits and decisions at once, on two servers: exactly one wins, and no report is lost.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use diesel::{ExpressionMethods, JoinOnDsl, QueryDsl, RunQueryDsl};
use sentinelle::db::schema::{incidents, reports};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::counts::count;
use crate::harness::{Client, TestApp};
use crate::merging::{act_on, merge, read, split};

fn submit(app: &TestApp) -> Value {
    app.monitor().submit(&json!({"narrative": Uuid::new_v4(), "occurred": "2024-03-05",
        "location": {"country": "SLE"}, "categories": ["rights.life_integrity.killing"]}))
}

/// Where each report is, and where its home was merged into, both null for one at home: the two must agree.
fn expect_sound(app: &TestApp, n_reports: usize) {
    let homes = diesel::alias!(incidents as homes);
    let found = app.context.db.read_here(|conn| {
        Ok(reports::table
            .inner_join(incidents::table.on(incidents::id.eq(reports::incident_id)))
            .inner_join(homes.on(homes.field(incidents::id).eq(reports::home_incident_id)))
            .select((
                incidents::id,
                incidents::merged_into,
                homes.field(incidents::id),
                homes.field(incidents::merged_into),
            ))
            .load::<(i64, Option<i64>, i64, Option<i64>)>(conn)?)
    });
    let rows = found.expect("the reports");
    assert_eq!(rows.len(), n_reports);
    for (incident, merged_into, home, home_into) in rows {
        assert_eq!(merged_into, None, "no report is with an incident that was merged");
        assert_eq!(home_into, (home != incident).then_some(incident));
    }
}

/// Runs both and returns their statuses.
fn at_once(one: impl FnOnce() -> u16 + Send, other: impl FnOnce() -> u16 + Send) -> [u16; 2] {
    std::thread::scope(|scope| {
        let (one, other) = (scope.spawn(one), scope.spawn(other));
        [one.join().expect("an answer"), other.join().expect("an answer")]
    })
}

#[test]
fn of_two_opposite_merges_exactly_one_is_made() {
    let app = TestApp::start();
    let second = app.second_server();
    let (here, there) = (app.reviewer(), app.reviewer().at(&second.url));
    for round in 1..=8 {
        let (one, two) = (submit(&app)["incident"].clone(), submit(&app)["incident"].clone());
        let merging = |client: &Client, into: &Value, other: &Value| {
            let body = json!({"incidents": [other], "reason": "the same"});
            act_on(client, ("merge", into, &json!(1)), &body).status
        };

        let mut answers = at_once(|| merging(&here, &one, &two), || merging(&there, &two, &one));

        answers.sort_unstable();
        assert_eq!(answers[0], 200, "{answers:?}");
        assert!([409, 412].contains(&answers[1]), "{answers:?}");
        expect_sound(&app, round * 2);
    }
    assert_eq!(count(&here, "status=all")["total"]["reports"], 16);
    assert_eq!(count(&there, "status=all")["total"]["incidents"], 8);
}

#[test]
fn of_a_merge_and_a_decision_on_one_version_exactly_one_is_taken() {
    let app = TestApp::start();
    let second = app.second_server();
    let (here, there) = (app.reviewer(), app.reviewer().at(&second.url));
    for _ in 0..6 {
        let (one, two) = (submit(&app)["incident"].clone(), submit(&app)["incident"].clone());
        let merging = json!({"incidents": [two], "reason": "the same"});
        let decision = json!({"status": "verified", "reason": "clear"});

        let mut answers = at_once(
            || act_on(&here, ("merge", &one, &json!(1)), &merging).status,
            || act_on(&there, ("decisions", &one, &json!(1)), &decision).status,
        );

        answers.sort_unstable();
        assert_eq!(answers, [200, 412]);
        assert_eq!(read(&here, &one)["version"], 2);
    }
}

#[test]
fn an_incident_that_two_merge_elsewhere_goes_to_one_of_them() {
    let app = TestApp::start();
    let second = app.second_server();
    let (here, there) = (app.reviewer(), app.reviewer().at(&second.url));
    for round in 1..=6 {
        let ids = [0, 1, 2].map(|_| submit(&app)["incident"].clone());
        let merging = |client: &Client, into: &Value| {
            let body = json!({"incidents": [ids[2]], "reason": "the same"});
            act_on(client, ("merge", into, &json!(1)), &body).status
        };

        let mut answers = at_once(|| merging(&here, &ids[0]), || merging(&there, &ids[1]));

        answers.sort_unstable();
        assert_eq!(answers, [200, 409]);
        expect_sound(&app, round * 3);
    }
}

#[test]
fn whatever_two_servers_merge_and_split_at_once_no_report_is_lost() {
    const N: usize = 8;
    let app = TestApp::start();
    let second = app.second_server();
    let submitted: Vec<Value> = (0..N).map(|_| submit(&app)).collect();
    let clients = [app.reviewer(), app.reviewer().at(&second.url)];

    std::thread::scope(|scope| {
        for worker in 0..6_usize {
            let (client, submitted) = (&clients[worker % 2], &submitted);
            scope.spawn(move || {
                for step in 0..20_usize {
                    let pick = |salt: usize| {
                        let mixed =
                            (worker * 131 + step * 31 + salt * 17).wrapping_mul(2_654_435_761);
                        &submitted[(mixed >> 7) % N]
                    };
                    let (one, two, three) = (pick(1), pick(2), pick(3));
                    let answer = if step % 3 == 2 {
                        let report = two["id"].as_str().expect("an id");
                        let now = client.get(&format!("/v1/reports/{report}")).expect(200).json();
                        split(client, &now["incident"], &[&two["id"]])
                    } else {
                        merge(client, &one["incident"], &[&two["incident"], &three["incident"]])
                    };
                    // 503: servers that held rows of each other in one batch; the client tries again.
                    let is_right = [200, 409, 412, 422, 503].contains(&answer.status);
                    assert!(is_right, "{} {}", answer.status, answer.text());
                }
            });
        }
    });

    expect_sound(&app, N);
    for client in &clients {
        assert_eq!(count(client, "status=all")["total"]["reports"], N);
    }
}
