//! Incidents to be released, filed past the API so that there may be many, and two coordinators.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::accounts::add_user;
use sentinelle::auth::types::{Grant, GrantScope, Limits, Principal, Role, Scope};
use sentinelle::db::schema::incidents;
use sentinelle::ids::UserId;
use sentinelle::intake::http::prepare_body;
use sentinelle::intake::prepare::Channel;
use sentinelle::intake::store::new_rows;
use sentinelle::releases::acts::{Actor, approve, draft};
use sentinelle::releases::build::Span;
use sentinelle::releases::partition::Rule;
use sentinelle::releases::period::Month;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApp};

pub(crate) const KILLING: &str = "rights.life_integrity.killing";

/// An incident to be.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) country: &'static str,
    pub(crate) admin1: Option<String>,
    /// A day or a month.
    pub(crate) occurred: String,
    /// A leaf.
    pub(crate) category: String,
    /// Which of the monitors sends it.
    pub(crate) sender: usize,
    pub(crate) consent: Option<&'static str>,
}

impl Told {
    /// Somewhere in Lesotho.
    pub(crate) fn new(occurred: &str, category: &str, sender: usize) -> Self {
        let (occurred, category) = (occurred.to_owned(), category.to_owned());
        Self { country: "LSO", admin1: None, occurred, category, sender, consent: None }
    }

    pub(crate) fn within(self, area: &str) -> Self {
        Self { admin1: Some(area.to_owned()), ..self }
    }

    pub(crate) fn agreed(self, consent: &'static str) -> Self {
        Self { consent: Some(consent), ..self }
    }

    fn body(&self) -> Value {
        let location = json!({"country": self.country, "admin1": self.admin1});
        let source = json!({"type": "witness", "consent": self.consent});
        json!({"id": Uuid::new_v4(), "occurred": self.occurred, "location": location,
            "categories": [self.category], "source": source, "narrative": "Canary words."})
    }
}

/// `n` incidents like one another, each of another monitor than the one before.
pub(crate) fn several(n: usize, occurred: &str, category: &str) -> Vec<Told> {
    (0..n).map(|nth| Told::new(occurred, category, nth)).collect()
}

pub(crate) struct Stage {
    pub(crate) app: TestApp,
    /// Who drafts.
    pub(crate) office: Client,
    /// Who approves.
    pub(crate) board: Client,
    ids: [UserId; 2],
    monitors: Vec<Principal>,
    /// A leaf of another theme.
    pub(crate) pollution: String,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::on(TestApp::start())
    }

    pub(crate) fn on(app: TestApp) -> Self {
        let monitor = |nth: usize| {
            let name = format!("monitor {nth}");
            let id = add_user(&app.context, &name, Role::Monitor, vec![GrantScope::All]);
            let role = Role::Monitor;
            let grants = vec![Grant { role, written: GrantScope::All, scope: Scope::All }];
            Principal::User { id: id.expect("a user"), grants, limits: Limits::default() }
        };
        let monitors = (0..5).map(monitor).collect();
        let (office, office_id) = app.user_with_id(Role::Coordinator, "all");
        let (board, board_id) = app.user_with_id(Role::Coordinator, "all");
        let leaves = app.context.taxonomy.leaves();
        let leaf =
            leaves.iter().find(|leaf| leaf.theme == "environment" && leaf.retired_on.is_none());
        let pollution = leaf.expect("a leaf").code.as_str().to_owned();
        Self { office, board, ids: [office_id, board_id], monitors, pollution, app }
    }

    /// Codes of the areas of a country.
    pub(crate) fn areas(&self, country: &str) -> Vec<String> {
        let geo = self.app.context.geo();
        let country = geo.countries().parse(country).expect("a country");
        geo.areas().in_country(country).map(|area| area.id.as_str().to_owned()).collect()
    }

    /// Files them, verified.
    pub(crate) fn tell(&self, all: &[Told]) {
        let context = self.app.context.clone();
        let prepare = |told: &Told| {
            let body = serde_json::from_value(told.body()).expect("a report");
            let sender = &self.monitors[told.sender % self.monitors.len()];
            let prepared = prepare_body(sender, &context, body, Channel::Api);
            new_rows(&prepared.unwrap_or_else(|error| panic!("{error:?}"))).expect("rows")
        };
        let mut rows: Vec<_> = all.iter().map(prepare).collect();
        let filed = context.db.write_here(move |tx| {
            for rows in &mut rows {
                tx.insert(rows)?;
            }
            let received = incidents::table.filter(incidents::status.eq("received"));
            diesel::update(received).set(incidents::status.eq("verified")).execute(tx.conn)?;
            Ok(())
        });
        filed.expect("they are filed");
    }

    /// Rejects the first `n` that are verified.
    pub(crate) fn reject(&self, n: i64) {
        let rejected = self.app.context.db.write_here(move |tx| {
            let verified = incidents::table.filter(incidents::status.eq("verified"));
            let first = verified.order(incidents::id).limit(n).select(incidents::id);
            let first: Vec<i64> = first.load(tx.conn)?;
            let first = incidents::table.filter(incidents::id.eq_any(first));
            Ok(diesel::update(first).set(incidents::status.eq("rejected")).execute(tx.conn)?)
        });
        assert_eq!(rejected.expect("they are rejected"), usize::try_from(n).expect("a number"));
    }

    /// Drafts by the API; returns the preview.
    #[track_caller]
    pub(crate) fn draft(&self, until: &str) -> Value {
        self.office.post("/v1/releases", &json!({"until": until})).expect(201).json()
    }

    /// Drafts and publishes by the API; returns the id.
    #[track_caller]
    pub(crate) fn publish(&self, until: &str) -> String {
        let id = self.draft(until)["id"].as_str().expect("an id").to_owned();
        self.board.post(&format!("/v1/releases/{id}/approval"), &json!({})).expect(200);
        id
    }

    /// Drafts and publishes under another rule, which no route can.
    pub(crate) fn publish_under(&self, rule: Rule, until: &str) -> String {
        let now = self.app.context.clock.now();
        let [office, board] = self.ids.map(|id| Actor { id, now });
        let span = Span { first: None, last: Month::parse(until).expect("a month") };
        let id = draft(&self.app.context, rule, span, office).expect("a draft");
        let approved = self.app.context.db.write_here(move |tx| approve(tx, id, board));
        approved.expect("it is published");
        id.to_string()
    }

    /// Asks as anybody.
    #[track_caller]
    pub(crate) fn public(&self, path: &str) -> Value {
        self.app.anonymous().get(&format!("/v1/public/{path}")).expect(200).json()
    }
}
