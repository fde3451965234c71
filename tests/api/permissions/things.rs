//! What is asked for: one thing a kind and relation, made past the API so that nobody's rights decide what exists.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::accounts::{add_token, add_user};
use sentinelle::auth::sessions::begin;
use sentinelle::auth::store::find_row_id;
use sentinelle::auth::types::{GrantScope, Principal, Role};
use sentinelle::db::schema::{
    bulk_rejected, bulk_rejections, duplicate_dismissals, incident_relations, incidents,
    quarantined, reports,
};
use sentinelle::ids::{
    BulkRejectionId, DismissalId, IncidentId, MessageId, QuarantinedId, RelationId, UserId,
};
use sentinelle::incidents::store::find_incident;
use sentinelle::intake::http::prepare_body;
use sentinelle::intake::prepare::{Channel, Prepared};
use sentinelle::intake::store::{answer_earlier, new_rows};
use sentinelle::review::messages::store::{Kind as MessageKind, NewMessage, insert};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::TestApp;
use crate::permissions::callers::{Caller, monitor};
use crate::permissions::coalition;

/// How a thing stands to a caller whose country is Sierra Leone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Relation {
    /// Made by the caller, in the caller's country.
    Own,
    /// Somebody else's, in the caller's country.
    OwnCountry,
    /// In another country of the region.
    SameRegion,
    /// In another region.
    OtherRegion,
    /// In a country that is in no region.
    NoRegion,
    /// A random id, a country that is none.
    NotExisting,
}

impl Relation {
    pub(super) const ALL: [Self; 6] = [
        Self::Own,
        Self::OwnCountry,
        Self::SameRegion,
        Self::OtherRegion,
        Self::NoRegion,
        Self::NotExisting,
    ];

    /// The column of the matrix.
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::OwnCountry => "own_country",
            Self::SameRegion => "same_region",
            Self::OtherRegion => "other_region",
            Self::NoRegion => "no_region",
            Self::NotExisting => "not_existing",
        }
    }

    fn country(self) -> &'static str {
        match self {
            Self::Own | Self::OwnCountry => "SLE",
            Self::SameRegion => "LBR",
            Self::OtherRegion => "ZWE",
            Self::NoRegion => "TZA",
            Self::NotExisting => "XYZ",
        }
    }
}

/// What the id in a route's path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A country, or nothing at all.
    Country,
    Report,
    Incident,
    /// Two incidents of one country.
    Pair,
    /// Two incidents of one country that are linked.
    LinkedPair,
    /// Two incidents of one country that somebody said are not one.
    DismissedPair,
    /// Two incidents of one country, the second merged into the first; `other` is the report it brought.
    MergedPair,
    Quarantined,
    /// A question about a report; one's own is about one's own report.
    Question,
    /// Incidents of one country that were rejected at once.
    Rejection,
    /// A session: the caller's own, or of somebody else in the country.
    Session,
    /// A monitor; one's own is the caller.
    Person,
    /// A grant of a monitor, or of the caller.
    Grant,
    Phone,
    /// A token of a monitor, or of the caller.
    Token,
    /// In no country: it stands alike to everybody.
    Organisation,
    /// In no country: it stands alike to everybody.
    Region,
    /// A webhook of a regional lead, or of the caller.
    Webhook,
    /// A release that was withdrawn, in no country: it stands alike to everybody.
    Release,
}

impl Kind {
    /// Tells whether it belongs to the coalition's structure rather than to reports.
    fn is_of_coalition(self) -> bool {
        match self {
            Self::Country
            | Self::Report
            | Self::Incident
            | Self::Quarantined
            | Self::Question
            | Self::Rejection
            | Self::Pair
            | Self::LinkedPair
            | Self::DismissedPair
            | Self::MergedPair
            | Self::Session => false,
            Self::Person
            | Self::Grant
            | Self::Phone
            | Self::Token
            | Self::Organisation
            | Self::Region
            | Self::Webhook
            | Self::Release => true,
        }
    }
}

/// One thing.
#[derive(Debug)]
pub(super) struct Thing {
    /// What stands for `{id}`.
    pub(super) id: String,
    /// The second of a pair; a random id for everything else.
    pub(super) other: String,
    pub(super) country: &'static str,
    /// The report behind it, as it was sent.
    pub(super) report: Value,
    /// Ids by which a caller would learn that it exists.
    pub(super) telling: Vec<String>,
}

/// Makes things, and keeps those that nobody changes.
pub(super) struct Things<'a> {
    app: &'a TestApp,
    stranger: Principal,
    stranger_id: UserId,
    kept: Mutex<Kept>,
}

/// What is asked about more than once.
type Kept = HashMap<(Kind, &'static str, Relation), Arc<Thing>>;

impl<'a> Things<'a> {
    pub(super) fn new(app: &'a TestApp) -> Self {
        // Somebody who can be asked back.
        let name = Uuid::new_v4().to_string();
        let added = add_user(&app.context, &name, Role::Monitor, vec![GrantScope::All]);
        let stranger_id = added.expect("a new user");
        add_token(&app.context, &name, None).expect("a token");
        Self { app, stranger: monitor(stranger_id), stranger_id, kept: Mutex::default() }
    }

    /// The thing that stands so to the caller; the same one each time.
    pub(super) fn kept(&self, kind: Kind, caller: &Caller, relation: Relation) -> Arc<Thing> {
        let whose = if relation == Relation::Own { caller.name } else { "" };
        let mut kept = self.kept.lock().expect("no test has failed");
        let thing = kept.entry((kind, whose, relation));
        Arc::clone(thing.or_insert_with(|| Arc::new(self.make(kind, caller, relation))))
    }

    /// A new thing that stands so to the caller.
    pub(super) fn make(&self, kind: Kind, caller: &Caller, relation: Relation) -> Thing {
        let is_own = relation == Relation::Own;
        let maker = caller.maker.as_ref().filter(|_| is_own).unwrap_or(&self.stranger);
        let country = relation.country();
        if kind == Kind::Country || relation == Relation::NotExisting {
            let [id, other] = [Uuid::new_v4(), Uuid::new_v4()].map(|id| id.to_string());
            let id = if kind == Kind::Region { coalition::unknown_region() } else { id };
            return Thing { id, other, country, report: killing("SLE"), telling: Vec::new() };
        }
        if kind.is_of_coalition() {
            let own = caller.maker.as_ref().filter(|_| is_own).and_then(Principal::user_id);
            let id = coalition::make(self.app, kind, country, own);
            let (other, telling) = (String::new(), vec![id.clone()]);
            return Thing { id, other, country, report: Value::Null, telling };
        }
        let report = killing(country);
        let prepared = self.submit(maker, &report);
        let (of_report, of_incident) = (prepared.id.to_string(), prepared.incident.to_string());
        let mut other = Uuid::new_v4().to_string();
        let id = match kind {
            Kind::Country | Kind::Report => of_report.clone(),
            Kind::Incident => of_incident.clone(),
            Kind::Pair | Kind::LinkedPair | Kind::DismissedPair => {
                let second = self.submit(maker, &killing(country));
                other = second.incident.to_string();
                if kind == Kind::LinkedPair {
                    self.link(prepared.incident, second.incident);
                }
                if kind == Kind::DismissedPair {
                    self.dismiss(prepared.incident, second.incident);
                }
                of_incident.clone()
            }
            Kind::MergedPair => {
                let second = self.submit(maker, &killing(country));
                other = second.id.to_string();
                self.merge(&second, prepared.incident);
                of_incident.clone()
            }
            Kind::Quarantined => self.set_aside(maker, &report, &prepared),
            Kind::Question => self.ask(&prepared),
            Kind::Rejection => self.reject(prepared.incident),
            Kind::Session => self.begin_session(maker, country),
            Kind::Person
            | Kind::Grant
            | Kind::Phone
            | Kind::Token
            | Kind::Organisation
            | Kind::Region
            | Kind::Webhook
            | Kind::Release => unreachable!("of the coalition"),
        };
        let telling = vec![of_report, of_incident, id.clone()];
        Thing { id, other, country, report, telling }
    }

    /// Begins a session of the maker, or of a reviewer of the country where that is nobody with an account.
    fn begin_session(&self, maker: &Principal, country: &str) -> String {
        let now = self.app.context.clock.now();
        let user = match maker.user_id() {
            Some(id) if id != self.stranger_id => id,
            _ => {
                let countries = self.app.context.geo();
                let scope = GrantScope::parse_list(country, countries.countries());
                let scope = scope.expect("a country");
                let name = Uuid::new_v4().to_string();
                add_user(&self.app.context, &name, Role::Reviewer, scope).expect("a new user")
            }
        };
        let begun = self.app.context.db.write_here(move |tx| {
            let row_id = find_row_id(tx.conn, user)?;
            Ok(begin(tx.conn, row_id, now, true)?.0.id)
        });
        begun.expect("a session").to_string()
    }

    fn submit(&self, maker: &Principal, report: &Value) -> Prepared {
        let prepared = self.prepare(maker, report);
        let filed = self.app.context.db.insert_here(new_rows(&prepared).expect("rows"));
        filed.expect("the report is new");
        prepared
    }

    fn prepare(&self, maker: &Principal, report: &Value) -> Prepared {
        let body = serde_json::from_value(report.clone()).expect("a report");
        prepare_body(maker, &self.app.context, body, Channel::Api).expect("a good report")
    }

    fn link(&self, one: IncidentId, other: IncidentId) {
        let now = self.app.context.clock.now().naive_utc();
        let linked = self.app.context.db.write_here(move |tx| {
            let (one, _) = find_incident(tx.conn, one)?.expect("an incident");
            let (other, _) = find_incident(tx.conn, other)?.expect("an incident");
            let row = (
                incident_relations::uuid.eq(RelationId::random()),
                incident_relations::one_id.eq(one.id.min(other.id)),
                incident_relations::other_id.eq(one.id.max(other.id)),
                incident_relations::related_by.eq(UserId::random()),
                incident_relations::related_at.eq(now),
            );
            Ok(diesel::insert_into(incident_relations::table).values(row).execute(tx.conn)?)
        });
        linked.expect("they are linked");
    }

    fn dismiss(&self, one: IncidentId, other: IncidentId) {
        let now = self.app.context.clock.now().naive_utc();
        let dismissed = self.app.context.db.write_here(move |tx| {
            let (one, _) = find_incident(tx.conn, one)?.expect("an incident");
            let (other, _) = find_incident(tx.conn, other)?.expect("an incident");
            let row = (
                duplicate_dismissals::uuid.eq(DismissalId::random()),
                duplicate_dismissals::low_id.eq(one.id.min(other.id)),
                duplicate_dismissals::high_id.eq(one.id.max(other.id)),
                duplicate_dismissals::dismissed_by.eq(UserId::random()),
                duplicate_dismissals::dismissed_at.eq(now),
            );
            Ok(diesel::insert_into(duplicate_dismissals::table).values(row).execute(tx.conn)?)
        });
        dismissed.expect("they are dismissed");
    }

    /// Marks the incident of `absorbed` as merged, with its report, and leaves both at their first version.
    fn merge(&self, absorbed: &Prepared, survivor: IncidentId) {
        let (report, home) = (absorbed.id, absorbed.incident);
        let merged = self.app.context.db.write_here(move |tx| {
            let (home, _) = find_incident(tx.conn, home)?.expect("an incident");
            let (survivor, _) = find_incident(tx.conn, survivor)?.expect("an incident");
            diesel::update(reports::table.filter(reports::uuid.eq(report)))
                .set(reports::incident_id.eq(survivor.id))
                .execute(tx.conn)?;
            let merged = incidents::merged_into.eq(Some(survivor.id));
            Ok(diesel::update(incidents::table.find(home.id)).set(merged).execute(tx.conn)?)
        });
        assert_eq!(merged.expect("an update"), 1);
    }

    /// Asks about a report, past what that does to its incident; returns the id of the question.
    fn ask(&self, prepared: &Prepared) -> String {
        let (context, now) = (self.app.context.clone(), self.app.context.clock.now());
        let (id, report, incident) = (MessageId::random(), prepared.id, prepared.incident);
        let asked = self.app.context.db.write_here(move |tx| {
            let (incident, _) = find_incident(tx.conn, incident)?.expect("an incident");
            let report = reports::table.filter(reports::uuid.eq(report));
            let question = NewMessage {
                id,
                report: report.select(reports::id).first(tx.conn)?,
                incident: (incident.id, 1),
                kind: MessageKind::Question(UserId::random()),
                text: "How many?",
                now,
            };
            insert(tx.conn, &context.sealer, &question)
        });
        asked.expect("a question");
        id.to_string()
    }

    /// Makes the rejection of one incident, whose version it did not make; returns its id.
    fn reject(&self, incident: IncidentId) -> String {
        let id = BulkRejectionId::random();
        let now = self.app.context.clock.now().naive_utc();
        let rejected = self.app.context.db.write_here(move |tx| {
            let (incident, _) = find_incident(tx.conn, incident)?.expect("an incident");
            let row = (
                bulk_rejections::uuid.eq(id),
                bulk_rejections::rejected_by.eq(UserId::random()),
                bulk_rejections::rejected_at.eq(now),
            );
            diesel::insert_into(bulk_rejections::table).values(row).execute(tx.conn)?;
            let made = bulk_rejections::table.filter(bulk_rejections::uuid.eq(id));
            let made: i64 = made.select(bulk_rejections::id).first(tx.conn)?;
            let row = (
                bulk_rejected::rejection_id.eq(made),
                bulk_rejected::incident_id.eq(incident.id),
                bulk_rejected::version.eq(2),
            );
            Ok(diesel::insert_into(bulk_rejected::table).values(row).execute(tx.conn)?)
        });
        rejected.expect("a rejection");
        id.to_string()
    }

    /// Sends other content under the id of a stored report; returns the id under which it was set aside.
    fn set_aside(&self, maker: &Principal, report: &Value, stored: &Prepared) -> String {
        let mut other = report.clone();
        other["harm"] = json!({"killed": 3});
        let other = self.prepare(maker, &other);
        let (context, report) = (self.app.context.clone(), stored.id);
        let set_aside = self.app.context.db.write_here(move |tx| {
            answer_earlier(tx, &other, &context.sealer)?;
            let entry = quarantined::table.filter(quarantined::report_uuid.eq(report));
            Ok(entry.select(quarantined::uuid).first::<QuarantinedId>(tx.conn)?)
        });
        set_aside.expect("it is set aside").to_string()
    }
}

/// A report with an id of its own.
pub(super) fn killing(country: &str) -> Value {
    json!({"id": Uuid::new_v4(), "occurred": "2024-03-05", "location": {"country": country},
        "categories": ["rights.life_integrity.killing"], "narrative": Uuid::new_v4()})
}
