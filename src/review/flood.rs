//! Rejects a flood at once, and takes that back: many received incidents, each with a decision, a version and an audit entry
//! of its own, in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use actix_web::{HttpRequest, HttpResponse, web};
use diesel::{
    ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl, QueryResult,
    RunQueryDsl,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::aggregates::candidates::Reach;
use crate::audit::act::Act;
use crate::auth::http::{Access, Decide};
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::db::rows::FactsRow;
use crate::db::schema::{bulk_rejected, bulk_rejections, incident_facts, incidents, reports};
use crate::db::writer::{ChangeKind, WriteTx};
use crate::error::{Code, Error, FieldError, Result};
use crate::http::body::JsonBody;
use crate::http::query::Pairs;
use crate::http::reason::parse_reason;
use crate::ids::{BulkRejectionId, Id, IncidentId, ReportId};
use crate::incidents::decider::Decider;
use crate::incidents::facts::Status;
use crate::incidents::selection::Asked;
use crate::incidents::store::IncidentRow;
use crate::incidents::view::{is_seen, is_seen_from};
use crate::review::claims::follow_decision;
use crate::review::decisions::{NewDecision, insert_decision};

/// Most incidents rejected at once.
const MOST_AT_ONCE: usize = 500;
/// Incidents asked about together.
const CHUNK: usize = 1_000;
/// The filter that names a sender by one of their reports.
const SAME_SENDER: &str = "same_sender_as";

/// Incidents to reject at once: either `incidents` or `filter`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FloodRejection, example = json!({
    "filter": {"same_sender_as": "3f2a9c1e-8b7d-4e65-9a10-5c3d2b1a0f9e"}, "reason": "the same text four hundred times"
}))]
pub struct FloodBody {
    /// Their ids.
    #[serde(default)]
    #[schema(value_type = Option<Vec<uuid::Uuid>>, min_items = 1, max_items = 500)]
    incidents: Option<Vec<String>>,
    /// Filters of `GET /v1/queue` but `status`, `assignee`, `claimed` and `overdue`, each with one text; and
    /// `same_sender_as`, the id of a report: all that came from whoever sent that one.
    #[serde(default)]
    filter: Option<BTreeMap<String, String>>,
    /// Why; sealed, with each of them.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// Why incidents that were rejected go back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FloodUndoing, example = json!({"reason": "some of them were true"}))]
pub struct UndoBody {
    /// Why; sealed, with each of them.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// An incident that was left as it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LeftIncident)]
pub struct LeftView {
    /// The incident.
    #[schema(value_type = uuid::Uuid)]
    incident: IncidentId,
    /// `changed`: it is not what it was, somebody decided or merged; `claimed`: another works on it; `other_senders`: reports
    /// of others belong to it.
    #[schema(example = "claimed")]
    why: &'static str,
}

/// What was rejected at once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RejectedFlood)]
pub struct FloodView {
    /// By which it is undone; null when nothing was rejected.
    #[schema(value_type = Option<uuid::Uuid>)]
    id: Option<BulkRejectionId>,
    /// What was rejected.
    #[schema(value_type = Vec<uuid::Uuid>)]
    rejected: Vec<IncidentId>,
    /// What was left, and why.
    left: Vec<LeftView>,
    /// How many more match the filter: ask again for these.
    remaining: u64,
}

/// What was put back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UndoneFlood)]
pub struct UndoneView {
    /// What is received again.
    #[schema(value_type = Vec<uuid::Uuid>)]
    restored: Vec<IncidentId>,
    /// What was left, and why.
    left: Vec<LeftView>,
}

/// Reject a flood
///
/// Rejects up to 500 received incidents at once, named by id or by a filter: with `same_sender_as` all that wait and came from
/// whoever sent one report, without telling who that is. Each gets its decision and its version. What another works on, and
/// what is not received any more, is left. `POST /v1/queue/rejections/{id}/undo` takes it back.
#[utoipa::path(
    post, path = "/v1/queue/rejections", tag = "review", operation_id = "reject_flood",
    request_body = FloodBody,
    responses(
        (status = 201, description = "Rejected", body = FloodView),
        (status = 200, description = "Nothing was there to reject", body = FloodView),
    )
)]
pub async fn reject_flood(
    access: Access<Decide>,
    context: web::Data<Context>,
    request: HttpRequest,
    body: JsonBody<FloodBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let body = body.0;
    let reason = parse_reason(&body.reason)?;
    let acting = Acting { decider: Decider::of(&access, &context)?, reason };
    let (chosen, remaining) = match (body.incidents, body.filter) {
        (Some(ids), None) => (Chosen::named(&ids)?, 0),
        (None, Some(filter)) => {
            let flood = Flood::parse(filter, &access, &context)?;
            let shared = context.clone();
            context.db.read(move |conn| flood.choose(conn, &shared)).await?
        }
        _ => return Err(one_of_both()),
    };
    let shared = context.clone();
    let view = context
        .db
        .write(move |tx| {
            let (id, rejected, left) = acting.reject(tx, &shared, &chosen)?;
            Ok(FloodView { id, rejected, left, remaining })
        })
        .await?;
    let mut response = if view.id.is_some() { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(response.json(view))
}

/// Take the rejection of a flood back
///
/// What was rejected at once and nobody decided on since is received again; what somebody changed or works on is left, and
/// told. Of the incidents outside the caller's scope nothing is done or told.
#[utoipa::path(
    post, path = "/v1/queue/rejections/{id}/undo", tag = "review", operation_id = "undo_rejection",
    params(("id" = uuid::Uuid, Path, description = "The rejection")),
    request_body = UndoBody,
    responses((status = 200, description = "Put back", body = UndoneView))
)]
pub async fn undo_rejection(
    access: Access<Decide>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<UndoBody>,
) -> Result<web::Json<UndoneView>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: BulkRejectionId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let reason = parse_reason(&body.0.reason)?;
    let acting = Acting { decider: Decider::of(&access, &context)?, reason };
    let shared = context.clone();
    Ok(web::Json(context.db.write(move |tx| acting.undo(tx, &shared, id)).await?))
}

fn one_of_both() -> Error {
    Error::invalid(vec![FieldError::new(
        "",
        "say which incidents by `incidents` or by `filter`, by one of them",
        "dites quels incidents par « incidents » ou par « filter », par l'un des deux",
    )])
}

/// What is to be rejected.
enum Chosen {
    /// Exactly these: all of them must be in scope.
    Named(Vec<IncidentId>),
    /// Row ids of what matched a moment ago, of this sender alone where one was meant.
    Found(Vec<i64>, Option<Vec<u8>>),
}

impl Chosen {
    fn named(texts: &[String]) -> Result<Self> {
        let n = texts.len();
        if !(1..=MOST_AT_ONCE).contains(&n) {
            return Err(Error::invalid(vec![FieldError::new(
                "/incidents",
                format!("name 1 to {MOST_AT_ONCE} incidents; here are {n}"),
                format!("désignez de 1 à {MOST_AT_ONCE} incidents ; en voici {n}"),
            )]));
        }
        let mut ids = Vec::with_capacity(n);
        for (nth, text) in texts.iter().enumerate() {
            let id: IncidentId = Id::parse(text).ok_or_else(|| {
                Error::invalid(vec![FieldError::new(
                    format!("/incidents/{nth}"),
                    "an incident is named by its UUID",
                    "un incident se désigne par son UUID",
                )])
            })?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(Self::Named(ids))
    }
}

/// A filter for what is to be rejected.
struct Flood {
    asked: Asked,
    same_sender_as: Option<ReportId>,
    scope: Scope,
}

impl Flood {
    fn parse(
        mut filter: BTreeMap<String, String>,
        access: &Access<Decide>,
        context: &Context,
    ) -> Result<Self> {
        if filter.is_empty() {
            return Err(invalid_filter("", "say which incidents", "dites quels incidents"));
        }
        let same_sender_as = match filter.remove(SAME_SENDER) {
            None => None,
            Some(text) => Some(Id::parse(&text).ok_or_else(|| {
                invalid_filter(
                    "/same_sender_as",
                    "a report is named by its UUID",
                    "un rapport se désigne par son UUID",
                )
            })?),
        };
        if filter.contains_key("status") {
            return Err(invalid_filter(
                "/status",
                "only what is received is rejected at once: leave it out",
                "on ne rejette en bloc que ce qui est reçu : omettez-le",
            ));
        }
        filter.insert("status".to_owned(), Status::Received.as_str().to_owned());
        filter.entry("include".to_owned()).or_insert_with(|| "mismatch".to_owned());
        let pairs = Pairs(filter.into_iter().collect());
        let asked = Asked::parse(&pairs, &[], &access.principal, &access.scope, context);
        let asked = asked.map_err(in_body)?.reaching(Reach::Listed);
        Ok(Self { asked, same_sender_as, scope: access.scope.clone() })
    }

    /// Returns the newest that match, and how many more there are.
    fn choose(&self, conn: &mut DbConn, context: &Context) -> Result<(Chosen, u64)> {
        let sender = match self.same_sender_as {
            None => None,
            Some(report) => Some(find_sender(conn, context, &self.scope, report)?),
        };
        let sent = sender.as_ref().map(|sender| list_sent_by(conn, sender)).transpose()?;
        let selected = self.asked.answer(conn, context, |columns, selector, _| {
            let selector = match &sent {
                Some(ids) => selector.among(ids),
                None => selector,
            };
            Ok(columns.select(&selector, None, MOST_AT_ONCE))
        });
        let selected = selected.map_err(in_body)?;
        let n_chosen = u64::try_from(selected.ids.len()).unwrap_or(u64::MAX);
        let remaining = selected.total.saturating_sub(n_chosen);
        Ok((Chosen::Found(selected.ids, sender), remaining))
    }
}

fn invalid_filter(pointer: &str, en: &str, fr: &str) -> Error {
    Error::invalid(vec![FieldError::new(format!("/filter{pointer}"), en, fr)])
}

/// Says of a field of the body what was said of a parameter.
fn in_body(mut error: Error) -> Error {
    error.code = match error.code {
        Code::UnknownParameter => Code::UnknownField,
        Code::InvalidParameter => Code::InvalidFields,
        other => other,
    };
    for field in &mut error.fields {
        if let Some(name) = field.pointer.strip_prefix('?') {
            field.pointer = format!("/filter/{name}");
        }
    }
    error
}

/// Returns the pseudonym of whoever sent a report in `scope`.
fn find_sender(
    conn: &mut DbConn,
    context: &Context,
    scope: &Scope,
    report: ReportId,
) -> Result<Vec<u8>> {
    let found: Option<(Option<Vec<u8>>, String, Option<String>)> = reports::table
        .inner_join(incidents::table.inner_join(incident_facts::table))
        .filter(reports::uuid.eq(report))
        .select((reports::submitter, incident_facts::country, incident_facts::country_computed))
        .first(conn)
        .optional()?;
    let geo = context.geo();
    let seen = found
        .filter(|(_, country, computed)| is_seen_from(scope, &geo, country, computed.as_deref()));
    let (sender, ..) = seen.ok_or_else(Error::not_found)?;
    sender.ok_or_else(|| {
        invalid_filter(
            "/same_sender_as",
            "nothing is known of the sender of this report",
            "on ne sait rien de l'expéditeur de ce rapport",
        )
    })
}

/// Returns the row ids of the received incidents all of whose reports are from one sender.
fn list_sent_by(conn: &mut DbConn, sender: &[u8]) -> QueryResult<HashSet<i64>> {
    let mut sent: HashSet<i64> = reports::table
        .inner_join(incidents::table)
        .filter(reports::submitter.eq(Some(sender)))
        .filter(reports::state.eq("active"))
        .filter(incidents::status.eq(Status::Received.as_str()))
        .select(reports::incident_id)
        .load::<i64>(conn)?
        .into_iter()
        .collect();
    let all: Vec<i64> = sent.iter().copied().collect();
    for chunk in all.chunks(CHUNK) {
        for other in list_of_others(conn, sender, chunk)? {
            sent.remove(&other);
        }
    }
    Ok(sent)
}

/// Returns those of these incidents to which reports of others belong.
fn list_of_others(
    conn: &mut DbConn,
    sender: &[u8],
    incidents: &[i64],
) -> QueryResult<HashSet<i64>> {
    let of_unknown = reports::submitter.is_null();
    let of_other = reports::submitter.assume_not_null().ne(sender.to_vec());
    let found: Vec<i64> = reports::table
        .filter(reports::incident_id.eq_any(incidents.to_vec()))
        .filter(reports::state.eq("active"))
        .filter(diesel::BoolExpressionMethods::or(of_unknown, of_other))
        .select(reports::incident_id)
        .load(conn)?;
    Ok(found.into_iter().collect())
}

/// Who rejects many incidents or puts them back, and why.
struct Acting {
    decider: Decider,
    reason: String,
}

type Case = (IncidentRow, FactsRow);

/// What was done and what was left.
type Done = (Vec<IncidentId>, Vec<LeftView>);

impl Acting {
    fn reject(
        &self,
        tx: &mut WriteTx<'_>,
        context: &Context,
        chosen: &Chosen,
    ) -> Result<(Option<BulkRejectionId>, Vec<IncidentId>, Vec<LeftView>)> {
        let ids = self.find_ids(tx.conn, context, chosen)?;
        let of_others = match chosen {
            Chosen::Found(ids, Some(sender)) => list_of_others(tx.conn, sender, ids)?,
            Chosen::Found(_, None) | Chosen::Named(_) => HashSet::new(),
        };
        let id = BulkRejectionId::random();
        let operation = self.insert_operation(tx.conn, id)?;
        let (mut rejected, mut left) = (Vec::new(), Vec::new());
        for row_id in ids {
            let Some(case) = self.lock(tx.conn, context, row_id)? else { continue };
            let incident = case.0.uuid;
            let is_others = of_others.contains(&row_id);
            if let Some(why) = self.try_reject(tx, context, &case, (id, is_others))? {
                left.push(LeftView { incident, why });
                continue;
            }
            keep_version(tx.conn, (operation, row_id), case.0.version + 1)?;
            rejected.push(incident);
        }
        if rejected.is_empty() {
            diesel::delete(bulk_rejections::table.find(operation)).execute(tx.conn)?;
            return Ok((None, rejected, left));
        }
        Ok((Some(id), rejected, left))
    }

    /// Rejects one of many, whose row is locked; says why where it is left.
    fn try_reject(
        &self,
        tx: &mut WriteTx<'_>,
        context: &Context,
        case: &Case,
        (operation, is_others): (BulkRejectionId, bool),
    ) -> Result<Option<&'static str>> {
        let (incident, facts) = case;
        let is_open = incident.status == Status::Received.as_str()
            && incident.merged_into.is_none()
            && facts.n_reports > 0;
        if !is_open {
            return Ok(Some("changed"));
        }
        if is_others {
            return Ok(Some("other_senders"));
        }
        let is_free = self.change(tx, context, case, (operation, Status::Rejected))?;
        Ok((!is_free).then_some("claimed"))
    }

    /// Returns the row ids in rising order, in which everybody locks them.
    fn find_ids(
        &self,
        conn: &mut DbConn,
        context: &Context,
        chosen: &Chosen,
    ) -> Result<BTreeSet<i64>> {
        let ids = match chosen {
            Chosen::Found(ids, _) => return Ok(ids.iter().copied().collect()),
            Chosen::Named(ids) => ids,
        };
        let found: Vec<Case> = incidents::table
            .inner_join(incident_facts::table)
            .filter(incidents::uuid.eq_any(ids.clone()))
            .select((incidents::all_columns, incident_facts::all_columns))
            .load(conn)?;
        let geo = context.geo();
        let is_in_scope = |case: &&Case| is_seen(&self.decider.scope, &geo, &case.1);
        let seen: BTreeSet<i64> =
            found.iter().filter(is_in_scope).map(|(incident, _)| incident.id).collect();
        if seen.len() == ids.len() { Ok(seen) } else { Err(Error::not_found()) }
    }

    /// Returns an incident in scope as it is once its row is locked.
    fn lock(&self, conn: &mut DbConn, context: &Context, id: i64) -> Result<Option<Case>> {
        dialect::lock_incident(conn, id)?;
        let found: Option<Case> = incidents::table
            .inner_join(incident_facts::table)
            .filter(incidents::id.eq(id))
            .select((incidents::all_columns, incident_facts::all_columns))
            .first(conn)
            .optional()?;
        Ok(found.filter(|(_, facts)| is_seen(&self.decider.scope, &context.geo(), facts)))
    }

    fn insert_operation(&self, conn: &mut DbConn, id: BulkRejectionId) -> QueryResult<i64> {
        diesel::insert_into(bulk_rejections::table)
            .values((
                bulk_rejections::uuid.eq(id),
                bulk_rejections::rejected_by.eq(self.decider.by),
                bulk_rejections::rejected_at.eq(self.decider.now.naive_utc()),
            ))
            .execute(conn)?;
        let row = bulk_rejections::table.filter(bulk_rejections::uuid.eq(id));
        row.select(bulk_rejections::id).first(conn)
    }

    /// Decides on one of many, whose row is locked; says whether nobody else works on it.
    fn change(
        &self,
        tx: &mut WriteTx<'_>,
        context: &Context,
        (incident, facts): &Case,
        (operation, to): (BulkRejectionId, Status),
    ) -> Result<bool> {
        let Decider { by, now, .. } = self.decider;
        match follow_decision(tx.conn, incident.id, (Some(by), to), now) {
            Err(error) if error.code == Code::Claimed => return Ok(false),
            followed => followed?,
        }
        let version = incident.version + 1;
        diesel::update(incidents::table.find(incident.id))
            .set((
                incidents::version.eq(version),
                incidents::status.eq(to.as_str()),
                incidents::updated_at.eq(now.naive_utc()),
            ))
            .execute(tx.conn)?;
        let decision = NewDecision {
            incident: incident.id,
            version,
            decided_by: Some(by),
            statuses: (&incident.status, to.as_str()),
            fields: "",
            reason: &self.reason,
            now,
        };
        insert_decision(tx.conn, &context.sealer, &decision)?;
        let detail = format!("{}>{} in {operation}", incident.status, to.as_str());
        tx.record(self.decider.entry(Act::Decided, (incident, facts)).detail(detail));
        let kind = match to {
            Status::Rejected => ChangeKind::Rejected,
            _ => ChangeKind::Decided,
        };
        tx.changed(incident.id, kind);
        Ok(true)
    }

    /// Puts back what still has the version that its rejection made. That it returns to `received`, where no decision leads,
    /// is what undoing means.
    fn undo(
        &self,
        tx: &mut WriteTx<'_>,
        context: &Context,
        id: BulkRejectionId,
    ) -> Result<UndoneView> {
        let rejected: Vec<(i64, i32)> = bulk_rejected::table
            .inner_join(bulk_rejections::table)
            .filter(bulk_rejections::uuid.eq(id))
            .order(bulk_rejected::incident_id)
            .select((bulk_rejected::incident_id, bulk_rejected::version))
            .load(tx.conn)?;
        let (mut restored, mut left): Done = (Vec::new(), Vec::new());
        for (row_id, version) in rejected {
            let Some(case) = self.lock(tx.conn, context, row_id)? else { continue };
            let incident = case.0.uuid;
            let is_as_left =
                case.0.version == version && case.0.status == Status::Rejected.as_str();
            if !is_as_left {
                left.push(LeftView { incident, why: "changed" });
            } else if self.change(tx, context, &case, (id, Status::Received))? {
                restored.push(incident);
            } else {
                left.push(LeftView { incident, why: "claimed" });
            }
        }
        if restored.is_empty() && left.is_empty() {
            return Err(Error::not_found());
        }
        Ok(UndoneView { restored, left })
    }
}

/// Keeps the version that rejecting an incident at once made.
fn keep_version(
    conn: &mut DbConn,
    (operation, incident): (i64, i64),
    version: i32,
) -> QueryResult<()> {
    diesel::insert_into(bulk_rejected::table)
        .values((
            bulk_rejected::rejection_id.eq(operation),
            bulk_rejected::incident_id.eq(incident),
            bulk_rejected::version.eq(version),
        ))
        .execute(conn)
        .map(drop)
}
