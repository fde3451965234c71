//! Assignments: whose case an incident is, without an end. Reviewers take cases for themselves, regional leads give them to
//! whoever may decide on them.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::{ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::act::Act;
use crate::auth::http::{Access, Decide};
use crate::auth::policy::{Action, visible};
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::rows::FactsRow;
use crate::db::schema::{incident_assignees, incident_claims, users};
use crate::db::writer::WriteTx;
use crate::error::{Error, FieldError, Result};
use crate::http::body::JsonBody;
use crate::http::query::Pairs;
use crate::http::reason::parse_reason;
use crate::ids::{Id, IncidentId, UserId};
use crate::incidents::decider::Decider;
use crate::incidents::handling::{AssigneeView, Deciders};
use crate::incidents::merged::refuse_merged;
use crate::incidents::store::IncidentRow;
use crate::incidents::view::is_seen;
use crate::review::moves::{Move, MoveKind, insert_move};

/// Whose case an incident is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Assignment, example = json!({"user": "3f2a9c1e-8b7d-4e65-9a10-5c3d2b1a0f9e", "reason": "he speaks Kono"}))]
pub struct AssignmentBody {
    /// Id of a person who may decide on it; null for nobody.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(value_type = Option<uuid::Uuid>, required)]
    user: Option<String>,
    /// Why; sealed. Needed where it is taken from another.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 4000)]
    reason: Option<String>,
}

/// Whose case an incident is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssignedIncident)]
pub struct AssignedView {
    /// The incident.
    #[schema(value_type = uuid::Uuid)]
    incident: IncidentId,
    /// The person; null for nobody.
    assignee: Option<AssigneeView>,
}

/// Assign an incident
///
/// Makes it the case of one person, or of nobody. Reviewers take cases for themselves and give their own back; regional leads
/// give any case in their scope to anybody who may decide on it. Taking it from another needs a reason. It changes neither
/// version nor `ETag`, and a case of somebody whose account is disabled or whose role is over is as free as one of nobody.
#[utoipa::path(
    put, path = "/v1/incidents/{id}/assignee", tag = "review", operation_id = "assign_incident",
    params(("id" = uuid::Uuid, Path, description = "The incident")),
    request_body = AssignmentBody,
    responses((status = 200, description = "Whose it is now", body = AssignedView))
)]
pub async fn assign_incident(
    access: Access<Decide>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<AssignmentBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let incident: IncidentId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let to = match &body.0.user {
        None => None,
        Some(text) => Some(Id::parse(text).ok_or_else(no_decider)?),
    };
    let overseeing = visible(&access.principal, Action::OverseeReview);
    let assigning = Assigning {
        to,
        reason: body.0.reason.as_deref().map(parse_reason).transpose()?,
        overseeing: overseeing.unwrap_or_else(|_forbidden| Scope::nowhere()),
        decider: Decider::of(&access, &context)?,
    };
    let shared = context.clone();
    let assignee = context.db.write(move |tx| assigning.assign(tx, &shared, incident)).await?;
    Ok(HttpResponse::Ok().json(AssignedView { incident, assignee }))
}

fn no_decider() -> Error {
    Error::invalid(vec![FieldError::new(
        "/user",
        "nobody with this id may decide on incidents of this country",
        "personne de cet identifiant ne peut décider des incidents de ce pays",
    )])
}

fn only_leads() -> Error {
    Error::forbidden(Action::OverseeReview.as_str()).detail(
        "reviewers take cases for themselves and give their own back: ask a regional lead",
        "on ne prend un dossier que pour soi et ne rend que le sien : adressez-vous au responsable régional",
    )
}

fn reason_needed() -> Error {
    Error::invalid(vec![FieldError::new(
        "/reason",
        "it is the case of another: say why it is taken from them",
        "c'est le dossier d'un autre : dites pourquoi on le lui retire",
    )])
}

/// Somebody gives a case to somebody.
struct Assigning {
    to: Option<UserId>,
    reason: Option<String>,
    /// Where the giver gives cases to others.
    overseeing: Scope,
    decider: Decider,
}

impl Assigning {
    /// Everything is looked at in this transaction. A role taken away at another server in the same moment leaves a case that
    /// is as free as one of nobody, so roles need not stand still for it.
    fn assign(
        &self,
        tx: &mut WriteTx<'_>,
        context: &Context,
        id: IncidentId,
    ) -> Result<Option<AssigneeView>> {
        let now = self.decider.now;
        let (incident, facts) = self.decider.lock(tx.conn, context, id)?;
        refuse_merged(tx.conn, &incident)?;
        let geo = context.geo();
        let mut deciders = Deciders::new(&geo, now);
        let countries = (facts.country.as_str(), facts.country_computed.as_deref());
        let before = find_assignment(tx.conn, incident.id)?;
        let active = find_active(tx.conn, &mut deciders, before.as_ref(), countries)?;
        self.check_rights(context, &facts, active)?;
        if let Some(to) = self.to {
            let row = find_enabled(tx.conn, to)?.ok_or_else(no_decider)?;
            if !deciders.may_decide(tx.conn, row, countries)? {
                return Err(no_decider());
            }
        }
        let from = before.as_ref().map(|held| held.assignee);
        if from != self.to {
            self.put(tx, context, (&incident, &facts), from)?;
        }
        let kept_since = before.map(|held| held.assigned_at.and_utc()).filter(|_| from == self.to);
        let since = kept_since.unwrap_or(now);
        Ok(self.to.map(|user| AssigneeView { user, since, is_active: true }))
    }

    /// `active` is whose case it is, if they may decide on it.
    fn check_rights(
        &self,
        context: &Context,
        facts: &FactsRow,
        active: Option<UserId>,
    ) -> Result<()> {
        let by = self.decider.by;
        let is_of_another = active.is_some_and(|active| active != by);
        let is_own_business = match self.to {
            Some(to) => to == by,
            None => !is_of_another,
        };
        if !is_own_business && !is_seen(&self.overseeing, &context.geo(), facts) {
            return Err(only_leads());
        }
        if is_of_another && active != self.to && self.reason.is_none() {
            return Err(reason_needed());
        }
        Ok(())
    }

    fn put(
        &self,
        tx: &mut WriteTx<'_>,
        context: &Context,
        (incident, facts): (&IncidentRow, &FactsRow),
        from: Option<UserId>,
    ) -> Result<()> {
        put_assignee(tx.conn, incident.id, self.to, self.decider.now)?;
        self.keep(tx, context, incident.id, from)?;
        let to = self.to.map_or_else(|| "nobody".to_owned(), |to| to.to_string());
        let entry = self.decider.entry(Act::AssignedIncident, (incident, facts));
        tx.record(entry.detail(format!("to {to}")));
        Ok(())
    }

    fn keep(
        &self,
        tx: &mut WriteTx<'_>,
        context: &Context,
        incident: i64,
        from: Option<UserId>,
    ) -> Result<()> {
        let moved = Move {
            incident,
            kind: MoveKind::Assigned,
            from,
            to: self.to,
            by: self.decider.by,
            reason: self.reason.as_deref(),
            now: self.decider.now,
        };
        insert_move(tx.conn, &context.sealer, &moved)
    }
}

/// An assignment with the account of its holder.
#[derive(diesel::Queryable)]
struct Held {
    assignee: UserId,
    assigned_at: NaiveDateTime,
    user_row: i64,
    disabled_at: Option<NaiveDateTime>,
}

/// Returns whose case it is, if they may decide on it.
fn find_active(
    conn: &mut DbConn,
    deciders: &mut Deciders<'_>,
    held: Option<&Held>,
    countries: (&str, Option<&str>),
) -> Result<Option<UserId>> {
    let Some(held) = held.filter(|held| held.disabled_at.is_none()) else {
        return Ok(None);
    };
    Ok(deciders.may_decide(conn, held.user_row, countries)?.then_some(held.assignee))
}

fn find_assignment(conn: &mut DbConn, incident: i64) -> QueryResult<Option<Held>> {
    incident_assignees::table
        .inner_join(users::table.on(users::uuid.eq(incident_assignees::assignee)))
        .filter(incident_assignees::incident_id.eq(incident))
        .select((
            incident_assignees::assignee,
            incident_assignees::assigned_at,
            users::id,
            users::disabled_at,
        ))
        .first(conn)
        .optional()
}

/// Returns the row id of an account that is not disabled.
fn find_enabled(conn: &mut DbConn, user: UserId) -> QueryResult<Option<i64>> {
    users::table
        .filter(users::uuid.eq(user))
        .filter(users::disabled_at.is_null())
        .select(users::id)
        .first(conn)
        .optional()
}

/// Makes an incident, whose row is locked, the case of `to`.
fn put_assignee(
    conn: &mut DbConn,
    incident: i64,
    to: Option<UserId>,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::delete(incident_assignees::table.find(incident)).execute(conn)?;
    if let Some(to) = to {
        diesel::insert_into(incident_assignees::table)
            .values((
                incident_assignees::incident_id.eq(incident),
                incident_assignees::assignee.eq(to),
                incident_assignees::assigned_at.eq(now.naive_utc()),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Makes a case, whose row is locked, the decider's where it is nobody's, or of somebody who may not decide on it any more.
///
/// # Errors
/// When the database fails.
pub(super) fn take_if_free(
    tx: &mut WriteTx<'_>,
    context: &Context,
    decider: &Decider,
    (incident, facts): (&IncidentRow, &FactsRow),
) -> Result<()> {
    let geo = context.geo();
    let countries = (facts.country.as_str(), facts.country_computed.as_deref());
    let before = find_assignment(tx.conn, incident.id)?;
    let mut deciders = Deciders::new(&geo, decider.now);
    if find_active(tx.conn, &mut deciders, before.as_ref(), countries)?.is_some() {
        return Ok(());
    }
    let (to, overseeing) = (Some(decider.by), Scope::nowhere());
    let assigning = Assigning { to, reason: None, overseeing, decider: decider.clone() };
    assigning.put(tx, context, (incident, facts), before.map(|held| held.assignee))
}

/// Makes what is one person's case, or claimed by them, another's; returns how many cases that were. The entry of the
/// handover tells of it.
///
/// # Errors
/// When the database fails.
pub fn hand_over_cases(
    conn: &mut DbConn,
    (from, to): (UserId, UserId),
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let claims = incident_claims::table
        .filter(incident_claims::held_by.eq(from))
        .filter(incident_claims::expires_at.gt(now.naive_utc()));
    diesel::update(claims).set(incident_claims::held_by.eq(to)).execute(conn)?;
    let cases = incident_assignees::table.filter(incident_assignees::assignee.eq(from));
    diesel::update(cases)
        .set((
            incident_assignees::assignee.eq(to),
            incident_assignees::assigned_at.eq(now.naive_utc()),
        ))
        .execute(conn)
}
