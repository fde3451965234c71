//! People: inviting, naming, disabling, handing over.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use sentinelle::auth::credential::Credential;
use sentinelle::auth::types::Role;
use sentinelle::db::schema::{audit_entries, invitations, users};
use sentinelle::ids::{Id, UserId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Client, TestApp};

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// An invitation of somebody with a role there.
fn invited(role: &str, scope: &str) -> Value {
    json!({"name": format!("Canary {}", Uuid::new_v4()), "grants": [{"role": role, "scope": scope}]})
}

#[track_caller]
fn invite(client: &Client, role: &str, scope: &str) -> String {
    let answer = client.post("/v1/users", &invited(role, scope)).expect(201).json();
    answer["id"].as_str().expect("an id").to_owned()
}

fn act(client: &Client, id: &str, act: &str) -> Answer {
    client.post_bytes(&format!("/v1/users/{id}/{act}"), &[], b"")
}

fn hand_over(client: &Client, from: &str, to: &str) -> Answer {
    client.post(&format!("/v1/users/{from}/handover"), &json!({"to": to}))
}

/// Whom a link is for now.
fn link_of(app: &TestApp, answer: &Value) -> Option<UserId> {
    let link = Credential::parse(answer["invitation"].as_str().expect("a link")).expect("a link");
    let (hash, now) = (link.hash().to_vec(), app.context.clock.now().naive_utc());
    let found = app.context.db.read_here(|conn| {
        let live = invitations::table
            .inner_join(users::table)
            .filter(invitations::hash.eq(hash).and(invitations::expires_at.gt(now)))
            .filter(invitations::used_at.is_null().and(invitations::revoked_at.is_null()));
        Ok(live.select(users::uuid).first(conn).optional()?)
    });
    found.expect("an answer")
}

fn ids(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().expect("items");
    items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn an_invitation_makes_a_pending_person_and_a_link_that_works_a_week() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let organisation = json!({"name": "Kono Watch", "membership": "member"});
    let organisation = coordinator.post("/v1/organisations", &organisation).expect(201).json();
    let body = json!({"name": "  A. Reviewer ", "organisation": organisation["id"],
    "grants": [
        {"role": "reviewer", "scope": "sl", "until": "2024-06-30",
            "tags": ["watch_kp_wgm", "lead_rights", "watch_kp_wgm"]},
        {"role": "analyst", "scope": "region:west", "from": "2024-05-01"},
    ]});

    let made = coordinator.post("/v1/users", &body).expect(201).json();

    assert_eq!(made["expires_at"], "2024-04-08T12:00:00Z");
    assert!(made["invitation"].as_str().is_some_and(|link| link.starts_with("snt_i_")));
    let id = made["id"].as_str().expect("an id");
    assert_eq!(link_of(&app, &made).map(|id| id.to_string()).as_deref(), Some(id));
    let person = coordinator.get(&format!("/v1/users/{id}")).expect(200).json();
    assert_eq!((&person["name"], &person["state"]), (&json!("A. Reviewer"), &json!("pending")));
    assert_eq!(person["organisation"], organisation["id"]);
    let grants = person["grants"].as_array().expect("grants");
    let told: Vec<Value> = grants
        .iter()
        .map(|grant| {
            json!([
                grant["role"],
                grant["scope"],
                grant["state"],
                grant["from"],
                grant["until"],
                grant["tags"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!([
                "reviewer",
                "SLE",
                "current",
                "2024-04-01T12:00:00Z",
                "2024-07-01T00:00:00Z",
                ["lead_rights", "watch_kp_wgm"]
            ]),
            json!(["analyst", "region:west", "upcoming", "2024-05-01T00:00:00Z", null, []]),
        ]
    );
    app.set_now("2024-04-08T12:00:00Z");
    assert_eq!(link_of(&app, &made), None, "a week later");
}

#[test]
fn everything_wrong_with_an_invitation_is_told_where_it_stands() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let wrong = json!({"name": "", "organisation": "x", "grants": [
        {"role": "king", "scope": "XYZ", "from": "soon", "tags": ["watch_everything"]},
        {"role": "monitor", "scope": "SLE", "until": "2024-03-31"},
    ]});

    let refused = coordinator.post("/v1/users", &wrong).expect_problem(422, "invalid_fields");

    let pointers = [
        "/name",
        "/organisation",
        "/grants/0/role",
        "/grants/0/scope",
        "/grants/0/from",
        "/grants/0/tags/0",
        "/grants/1/until",
    ];
    assert_eq!(refused.pointers(), pointers);
    for (body, pointer) in [
        (json!({"name": "A", "grants": []}), "/grants"),
        (
            json!({"name": "A", "organisation": UNKNOWN,
            "grants": [{"role": "monitor", "scope": "SLE"}]}),
            "/organisation",
        ),
        (
            json!({"name": "A", "grants": [{"role": "monitor", "scope": "region:atlantis"}]}),
            "/grants/0/scope",
        ),
    ] {
        let refused = coordinator.post("/v1/users", &body).expect_problem(422, "invalid_fields");
        assert_eq!(refused.pointers(), [pointer]);
    }
    let mut named = invited("monitor", "SLE");
    coordinator.post("/v1/users", &named).expect(201);
    let name = named["name"].as_str().expect("a name").to_uppercase();
    named["name"] = json!(format!(" {name}"));
    coordinator.post("/v1/users", &named).expect_problem(409, "name_taken");
    let apart = json!({"name": "A", "grants": [{"role": "coordinator", "scope": "all"},
        {"role": "auditor", "scope": "all"}]});
    coordinator.post("/v1/users", &apart).expect_problem(409, "roles_apart");
}

/// Who may give what: each row a giver with scope SLE (a lead: the west) and the roles they give in SLE.
#[test]
fn nobody_invites_above_their_own_role() {
    let app = TestApp::start();
    for (giver, scope, given) in [
        (Role::Monitor, "SLE", &[][..]),
        (Role::Reviewer, "SLE", &["monitor"]),
        (Role::RegionalLead, "region:west", &["monitor", "reviewer"]),
        (Role::Analyst, "SLE", &[]),
        (
            Role::Coordinator,
            "all",
            &["monitor", "reviewer", "regional_lead", "analyst", "coordinator"],
        ),
        (Role::Auditor, "all", &[]),
        (Role::Sysadmin, "all", &[]),
    ] {
        let client = app.user(giver, scope);
        for role in Role::ALL.map(Role::as_str) {
            let answer = client.post("/v1/users", &invited(role, "SLE"));
            let right = if given.contains(&role) { 201 } else { 403 };
            assert_eq!(answer.status, right, "{giver:?} gives {role}: {}", answer.text());
        }
    }
}

#[test]
fn nobody_invites_outside_their_own_scope() {
    let app = TestApp::start();
    let reviewer = app.user(Role::Reviewer, "SLE,LBR");
    let lead = app.user(Role::RegionalLead, "region:west");
    let coordinator = app.user(Role::Coordinator, "SLE");
    for (client, role, scope, right) in [
        (&reviewer, "monitor", "SLE", 201),
        (&reviewer, "monitor", "LBR", 201),
        (&reviewer, "monitor", "GIN", 403),
        (&reviewer, "monitor", "region:west", 403),
        (&reviewer, "monitor", "all", 403),
        (&lead, "reviewer", "GIN", 201),
        (&lead, "reviewer", "ZWE", 403),
        (&lead, "reviewer", "region:west", 201),
        (&lead, "reviewer", "region:southern", 403),
        (&lead, "reviewer", "all", 403),
        (&coordinator, "reviewer", "all", 201),
        (&coordinator, "regional_lead", "region:southern", 201),
    ] {
        let answer = client.post("/v1/users", &invited(role, scope));
        assert_eq!(answer.status, right, "{role} in {scope}: {}", answer.text());
    }
    let mut grown = invited("monitor", "SLE");
    grown["grants"] =
        json!([{"role": "monitor", "scope": "SLE"}, {"role": "monitor", "scope": "ZWE"}]);
    reviewer.post("/v1/users", &grown).expect_problem(403, "forbidden");
}

#[test]
fn a_new_link_revokes_the_older_ones_and_works_a_day() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let reviewer = app.user(Role::Reviewer, "SLE");
    let first = reviewer.post("/v1/users", &invited("monitor", "SLE")).expect(201).json();
    let id = first["id"].as_str().expect("an id");

    let second = act(&reviewer, id, "invitation").expect(201).json();

    assert_eq!(
        (&second["id"], &second["expires_at"]),
        (&first["id"], &json!("2024-04-02T12:00:00Z"))
    );
    assert_eq!(link_of(&app, &first), None);
    assert!(link_of(&app, &second).is_some());
    act(&coordinator, UNKNOWN, "invitation").expect_problem(404, "not_found");
    act(&coordinator, id, "disable").expect(204);
    assert_eq!(link_of(&app, &second), None, "disabled");
    act(&coordinator, id, "invitation").expect_problem(409, "account_disabled");
    act(&coordinator, id, "enable").expect(204);
    assert_eq!(link_of(&app, &second), None, "enabling revives no link");
}

#[test]
fn a_lost_password_is_reset_by_somebody_else_alone() {
    let app = TestApp::start();
    let (coordinator, id) = app.user_with_id(Role::Coordinator, "all");
    act(&coordinator, &id.to_string(), "invitation").expect_problem(403, "forbidden");
    let (lead, id) = app.user_with_id(Role::RegionalLead, "region:west");
    act(&lead, &id.to_string(), "invitation").expect_problem(403, "forbidden");
    let (_, reviewer) = app.user_with_id(Role::Reviewer, "SLE");
    act(&lead, &reviewer.to_string(), "invitation").expect(201);
}

#[test]
fn names_are_shown_to_whoever_may_manage_the_person() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let monitor = invite(&coordinator, "monitor", "SLE");
    let reviewer = invite(&coordinator, "reviewer", "SLE");
    let both = coordinator
        .post(
            "/v1/users",
            &json!({"name": "Canary of two", "grants": [
            {"role": "monitor", "scope": "SLE"}, {"role": "monitor", "scope": "ZWE"}]}),
        )
        .expect(201)
        .json()["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let far = invite(&coordinator, "monitor", "ZWE");
    let named = |client: &Client| -> Vec<String> {
        let list = client.get("/v1/users").expect(200).json();
        let items = list["items"].as_array().expect("items").clone();
        let is_canary =
            |item: &&Value| item["name"].as_str().is_some_and(|name| name.starts_with("Canary"));
        let id = |item: &Value| item["id"].as_str().expect("an id").to_owned();
        items.iter().filter(is_canary).map(id).collect()
    };

    assert_eq!(named(&coordinator), [&*monitor, &*reviewer, &*both, &*far]);
    assert_eq!(named(&app.user(Role::RegionalLead, "region:west")), [&*monitor, &*reviewer]);
    let (colleague, own) = app.user_with_id(Role::Reviewer, "SLE");
    assert_eq!(named(&colleague), [&*monitor]);
    let seen = ids(&colleague.get("/v1/users").expect(200).json());
    assert!(seen.contains(&reviewer) && seen.contains(&both) && !seen.contains(&far));
    let me = colleague.get(&format!("/v1/users/{own}")).expect(200).json();
    assert!(me["name"].is_string(), "one's own");
    let shown = colleague.get(&format!("/v1/users/{both}")).expect(200).json();
    assert_eq!(
        shown["grants"].as_array().map(Vec::len),
        Some(1),
        "what lies elsewhere is not told"
    );
    colleague.get(&format!("/v1/users/{far}")).expect_problem(404, "not_found");
    for role in [Role::Monitor, Role::Analyst, Role::Auditor, Role::Sysadmin] {
        app.user(role, "all").get("/v1/users").expect_problem(403, "forbidden");
    }
}

#[test]
fn out_of_scope_is_byte_for_byte_a_random_id() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let far = invite(&coordinator, "monitor", "ZWE");
    let near = invite(&coordinator, "monitor", "SLE");
    let reviewer = app.user(Role::Reviewer, "SLE");
    let asked = |id: &str| {
        let grant = json!({"user": id, "role": "monitor", "scope": "SLE"});
        let device = json!({"name": "phone", "country": "SLE", "owner": id});
        vec![
            reviewer.get(&format!("/v1/users/{id}")),
            act(&reviewer, id, "invitation"),
            act(&reviewer, id, "disable"),
            act(&reviewer, id, "enable"),
            hand_over(&reviewer, id, &near),
            hand_over(&reviewer, &near, id),
            reviewer.post("/v1/grants", &grant),
            reviewer.get(&format!("/v1/grants?user={id}")),
            reviewer.post("/v1/devices", &device),
            reviewer.get(&format!("/v1/tokens?user={id}")),
        ]
    };

    for (far, none) in asked(&far).iter().zip(&asked(UNKNOWN)) {
        assert_eq!((far.status, &far.body), (none.status, &none.body), "{}", far.text());
    }
    let statuses: Vec<u16> = asked(&far).iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [404, 404, 404, 404, 404, 422, 422, 200, 422, 404]);
}

#[test]
fn a_disabled_person_is_out_at_once_and_comes_back_without_old_credentials() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let (reviewer, id) = app.user_with_id(Role::Reviewer, "SLE");
    let id = id.to_string();
    reviewer.get("/v1/queue").expect(200);

    act(&coordinator, &id, "disable").expect(204);
    reviewer.get("/v1/queue").expect_problem(401, "unauthenticated");
    let path = format!("/v1/users/{id}");
    assert_eq!(coordinator.get(&path).expect(200).json()["state"], "disabled");
    act(&coordinator, &id, "disable").expect(204);
    act(&coordinator, &id, "enable").expect(204);

    reviewer.get("/v1/queue").expect_problem(401, "unauthenticated");
    let back = coordinator.get(&path).expect(200).json();
    assert_eq!(
        (&back["state"], &back["grants"][0]["state"]),
        (&json!("pending"), &json!("current"))
    );
    let acts = acts_on(&app, &id);
    assert_eq!(acts, ["added", "added_token", "disabled", "enabled"], "once each");
}

fn acts_on(app: &TestApp, id: &str) -> Vec<String> {
    let id: UserId = Id::parse(id).expect("an id");
    let subject: Id<sentinelle::db::rows::Any> = Id::from_uuid(id.uuid());
    let found = app.context.db.read_here(move |conn| {
        let of_person = audit_entries::table.filter(audit_entries::subject_id.eq(subject));
        Ok(of_person
            .order((audit_entries::chain, audit_entries::position))
            .select(audit_entries::action)
            .load(conn)?)
    });
    found.expect("entries")
}

#[test]
fn only_who_could_have_given_every_role_changes_a_person() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let reviewer = app.user(Role::Reviewer, "SLE");
    let lead = app.user(Role::RegionalLead, "region:west");
    let monitor = invite(&coordinator, "monitor", "SLE");
    let colleague = invite(&coordinator, "reviewer", "SLE");
    let (_, auditor) = app.user_with_id(Role::Auditor, "all");
    let auditor = auditor.to_string();

    for act_name in ["invitation", "disable", "enable"] {
        act(&reviewer, &colleague, act_name).expect_problem(403, "forbidden");
        act(&coordinator, &auditor, act_name).expect_problem(403, "forbidden");
    }
    act(&reviewer, &monitor, "disable").expect(204);
    act(&lead, &colleague, "disable").expect(204);
    let grown = json!({"user": colleague, "role": "analyst", "scope": "ZWE"});
    act(&lead, &colleague, "enable").expect(204);
    coordinator.post("/v1/grants", &grown).expect(201);
    act(&lead, &colleague, "disable").expect_problem(403, "forbidden");
}

#[test]
fn work_is_handed_over_with_phones_and_history_stays() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let lead = app.user(Role::RegionalLead, "region:west");
    let old = lead
        .post(
            "/v1/users",
            &json!({"name": "Old", "grants": [
            {"role": "monitor", "scope": "SLE", "until": "2024-12-31", "tags": ["lead_rights"]},
            {"role": "monitor", "scope": "LBR", "from": "2024-06-01"}]}),
        )
        .expect(201)
        .json()["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let new = invite(&lead, "monitor", "GIN");
    let phone = json!({"name": "phone 1", "country": "SLE", "owner": old});
    let phone = lead.post("/v1/devices", &phone).expect(201).json();
    let key = Client::new(&app.url, phone["key"].as_str());
    let report = json!({"id": Uuid::new_v4(), "occurred": "2024-03-05",
        "location": {"country": "SLE"}, "categories": ["rights.life_integrity.killing"]});
    key.post("/v1/reports", &report).expect(201);

    hand_over(&lead, &old, &new).expect(204);

    let devices = lead.get("/v1/devices").expect(200).json();
    assert_eq!(devices["items"][0]["owner"], new);
    key.post("/v1/reports", &report).expect(409);
    let person = |id: &str| coordinator.get(&format!("/v1/users/{id}")).expect(200).json();
    let told = |id: &str| -> Vec<String> {
        let grants = person(id)["grants"].as_array().expect("grants").clone();
        let words = |grant: &Value| {
            format!("{} {} {}", grant["scope"], grant["state"], grant["tags"]).replace('"', "")
        };
        grants.iter().map(words).collect()
    };
    assert_eq!(person(&old)["state"], "disabled");
    assert_eq!(told(&old), ["SLE ended [lead_rights]", "LBR upcoming []"]);
    assert_eq!(told(&new), ["GIN current []", "SLE current [lead_rights]"]);
    assert_eq!(person(&new)["grants"][1]["until"], "2025-01-01T00:00:00Z");
}

#[test]
fn a_handover_gives_nobody_what_the_giver_may_not_give() {
    let app = TestApp::start();
    let coordinator = app.user(Role::Coordinator, "all");
    let (lead, lead_id) = app.user_with_id(Role::RegionalLead, "region:west");
    let reviewer = invite(&coordinator, "reviewer", "SLE");
    let monitor = invite(&coordinator, "monitor", "SLE");
    let (_, auditor) = app.user_with_id(Role::Auditor, "all");
    let second = invite(&coordinator, "coordinator", "all");

    hand_over(&lead, &reviewer, &lead_id.to_string()).expect_problem(403, "forbidden");
    hand_over(&app.user(Role::Reviewer, "SLE"), &reviewer, &monitor)
        .expect_problem(403, "forbidden");
    hand_over(&coordinator, &second, &auditor.to_string()).expect_problem(409, "roles_apart");
    for to in [reviewer.as_str(), UNKNOWN] {
        let refused = hand_over(&coordinator, &reviewer, to).expect_problem(422, "invalid_fields");
        assert_eq!(refused.pointers(), ["/to"]);
    }
    let malformed = hand_over(&coordinator, &reviewer, "x").expect_problem(422, "invalid_fields");
    assert_eq!(malformed.pointers(), ["/to"]);
    act(&coordinator, &monitor, "disable").expect(204);
    hand_over(&coordinator, &reviewer, &monitor).expect_problem(422, "invalid_fields");
}

#[test]
fn the_last_coordinator_stays() {
    let app = TestApp::start();
    let (coordinator, id) = app.user_with_id(Role::Coordinator, "all");
    let id = id.to_string();
    let grant_of = |id: &str| {
        let list = coordinator.get(&format!("/v1/grants?user={id}")).expect(200).json();
        list["items"][0]["id"].as_str().expect("an id").to_owned()
    };
    let own = format!("/v1/grants/{}", grant_of(&id));
    let monitor = invite(&coordinator, "monitor", "SLE");
    let pending = invite(&coordinator, "coordinator", "all");
    let dated = json!({"name": "Dated", "grants": [
        {"role": "coordinator", "scope": "all", "until": "2024-12-31"}]});
    coordinator.post("/v1/users", &dated).expect(201);

    act(&coordinator, &id, "disable").expect_problem(409, "last_coordinator");
    coordinator.remove(&own).expect_problem(409, "last_coordinator");
    hand_over(&coordinator, &id, &monitor).expect_problem(409, "last_coordinator");
    hand_over(&coordinator, &id, &pending).expect_problem(409, "last_coordinator");
    assert_eq!(coordinator.get(&format!("/v1/users/{id}")).expect(200).json()["state"], "active");
    act(&coordinator, &pending, "disable").expect(204);

    let (other, other_id) = app.user_with_id(Role::Coordinator, "all");
    coordinator.remove(&own).expect(204);
    coordinator.get("/v1/users").expect_problem(403, "forbidden");
    act(&other, &other_id.to_string(), "disable").expect_problem(409, "last_coordinator");
}

#[test]
fn of_two_coordinators_who_remove_each_other_at_once_at_two_servers_one_stays() {
    for _ in 0..4 {
        let app = TestApp::start();
        let second = app.second_server();
        let (one, one_id) = app.user_with_id(Role::Coordinator, "all");
        let (other, other_id) = app.user_with_id(Role::Coordinator, "all");
        let (one_id, other_id) = (one_id.to_string(), other_id.to_string());
        let there = other.at(&second.url);

        let (first, last) = std::thread::scope(|scope| {
            let first = scope.spawn(|| act(&one, &other_id, "disable").status);
            let last = scope.spawn(|| act(&there, &one_id, "disable").status);
            (first.join().expect("an answer"), last.join().expect("an answer"))
        });

        // Whoever asks after being disabled is not known any more; in the same moment, the last one stays.
        let mut both = [first, last];
        both.sort_unstable();
        assert!([[204, 401], [204, 409]].contains(&both), "{both:?}");
        let (left, left_id) = if first == 204 { (&one, &one_id) } else { (&other, &other_id) };
        act(left, left_id, "disable").expect_problem(409, "last_coordinator");
    }
}
