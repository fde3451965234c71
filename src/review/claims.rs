//! Claims: a lease of fifteen minutes on an incident, so that no two people work on one case.
//!
//! A claim ends by itself, by giving it back, or by a decision that takes the case out of its holder's hands; what the
//! holder does to the incident renews it. Another takes it over with a reason alone. It changes no version. Whoever writes
//! a claim has the row of the incident locked: of two servers, the second sees what the first did.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::{ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::audit::act::Act;
use crate::auth::http::{Access, Decide};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::{incident_claims, users};
use crate::db::writer::WriteTx;
use crate::error::{Code, Error, FieldError, Result};
use crate::http::body::OptionalJsonBody;
use crate::http::problem::Problem;
use crate::http::query::Pairs;
use crate::http::reason::parse_reason;
use crate::ids::{Id, IncidentId, UserId};
use crate::incidents::decider::Decider;
use crate::incidents::facts::Status;
use crate::incidents::handling::{ClaimView, LEASE};
use crate::incidents::merged::refuse_merged;
use crate::review::moves::{Move, MoveKind, insert_move};

/// How an incident is claimed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClaimRequest, example = json!({"take_over": true, "reason": "she is ill today"}))]
pub struct ClaimBody {
    /// Take it over where another works on it.
    #[serde(default)]
    take_over: bool,
    /// Why; sealed. Needed to take over, and for nothing else.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 4000)]
    reason: Option<String>,
}

impl ClaimBody {
    /// Returns the reason to take over; `None` where that is not asked for.
    fn reason_to_take_over(&self) -> Result<Option<String>> {
        match (self.take_over, &self.reason) {
            (false, None) => Ok(None),
            (true, Some(reason)) => parse_reason(reason).map(Some),
            (true, None) => Err(Error::invalid(vec![FieldError::new(
                "/reason",
                "say why you take it over",
                "dites pourquoi vous le reprenez",
            )])),
            (false, Some(_)) => Err(Error::invalid(vec![FieldError::new(
                "/reason",
                "a reason goes with `take_over` alone",
                "un motif ne va qu'avec « take_over »",
            )])),
        }
    }
}

/// Claim an incident
///
/// For fifteen minutes it is yours: `POST /v1/queue/next` gives it to nobody else and others cannot decide on it. Claiming it
/// again renews the claim, and so does opening its reports and deciding on it; a decision that ends the work on it, or asks
/// back, gives it back. Where another works on it: 409 with their claim in `current`, unless you take it over with a reason.
/// A claim changes neither version nor `ETag`.
#[utoipa::path(
    post, path = "/v1/incidents/{id}/claim", tag = "review", operation_id = "claim_incident",
    params(("id" = uuid::Uuid, Path, description = "The incident")),
    request_body(content = Option<ClaimBody>, description = "May be left out"),
    responses(
        (status = 200, description = "It is yours until then", body = ClaimView),
        (status = 409, description = "Another works on it; `current` says who and until when", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn claim_incident(
    access: Access<Decide>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: OptionalJsonBody<ClaimBody>,
) -> Result<web::Json<ClaimView>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: IncidentId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let reason = body.0.reason_to_take_over()?;
    let decider = Decider::of(&access, &context)?;
    let shared = context.clone();
    let work = move |tx: &mut WriteTx<'_>| decider.claim(tx, &shared, id, reason.as_deref());
    Ok(web::Json(context.db.write(work).await?))
}

/// Give an incident back
///
/// Ends your claim on it; without one it does nothing. Another's is not yours to end: 409.
#[utoipa::path(
    delete, path = "/v1/incidents/{id}/claim", tag = "review", operation_id = "release_incident",
    params(("id" = uuid::Uuid, Path, description = "The incident")),
    responses(
        (status = 204, description = "It is not yours any more"),
        (status = 409, description = "Another works on it; `current` says who and until when", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn release_incident(
    access: Access<Decide>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: IncidentId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let decider = Decider::of(&access, &context)?;
    let shared = context.clone();
    context.db.write(move |tx| decider.release(tx, &shared, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

impl Decider {
    fn claim(
        &self,
        tx: &mut WriteTx<'_>,
        context: &Context,
        id: IncidentId,
        reason: Option<&str>,
    ) -> Result<ClaimView> {
        let (incident, facts) = self.lock(tx.conn, context, id)?;
        refuse_merged(tx.conn, &incident)?;
        let case = (&incident, &facts);
        let mut since = self.now;
        let entry = match find_hold(tx.conn, incident.id, self.by, self.now)? {
            Hold::Free => self.entry(Act::ClaimedIncident, case),
            Hold::Own(claim) => {
                since = claim.since;
                self.entry(Act::ClaimedIncident, case).detail("renewed")
            }
            Hold::Other(claim) => {
                let reason = reason.ok_or_else(|| claimed(&claim))?;
                self.take_over(tx, context, incident.id, (&claim, reason))?;
                self.entry(Act::TookOverClaim, case).detail(format!("from {}", claim.user))
            }
        };
        tx.record(entry);
        Ok(put_claim(tx.conn, incident.id, self.by, (since, self.now))?)
    }

    fn take_over(
        &self,
        tx: &mut WriteTx<'_>,
        context: &Context,
        incident: i64,
        (claim, reason): (&ClaimView, &str),
    ) -> Result<()> {
        let taken_over = Move {
            incident,
            kind: MoveKind::TakenOver,
            from: Some(claim.user),
            to: Some(self.by),
            by: self.by,
            reason: Some(reason),
            now: self.now,
        };
        insert_move(tx.conn, &context.sealer, &taken_over)
    }

    fn release(&self, tx: &mut WriteTx<'_>, context: &Context, id: IncidentId) -> Result<()> {
        let (incident, facts) = self.lock(tx.conn, context, id)?;
        match find_hold(tx.conn, incident.id, self.by, self.now)? {
            Hold::Free => {}
            Hold::Other(claim) => return Err(claimed(&claim)),
            Hold::Own(_) => {
                end_claim(tx.conn, incident.id, self.by)?;
                tx.record(self.entry(Act::ReleasedClaim, (&incident, &facts)));
            }
        }
        Ok(())
    }
}

/// How a claim on an incident stands to somebody.
#[derive(Debug)]
pub enum Hold {
    /// Nobody works on it.
    Free,
    /// They do.
    Own(ClaimView),
    /// Another does.
    Other(ClaimView),
}

/// Returns how the claim on an incident, whose row is locked, stands to `by`.
///
/// # Errors
/// When the database fails.
pub fn find_hold(
    conn: &mut DbConn,
    incident: i64,
    by: UserId,
    now: DateTime<Utc>,
) -> QueryResult<Hold> {
    let found: Option<(UserId, NaiveDateTime, NaiveDateTime, Option<NaiveDateTime>)> =
        incident_claims::table
            .inner_join(users::table.on(users::uuid.eq(incident_claims::held_by)))
            .filter(incident_claims::incident_id.eq(incident))
            .select((
                incident_claims::held_by,
                incident_claims::since,
                incident_claims::expires_at,
                users::disabled_at,
            ))
            .first(conn)
            .optional()?;
    Ok(match found {
        Some((user, since, until, None)) if until > now.naive_utc() => {
            let claim = ClaimView { user, since: since.and_utc(), until: until.and_utc() };
            if user == by { Hold::Own(claim) } else { Hold::Other(claim) }
        }
        Some(_) | None => Hold::Free,
    })
}

/// Returns the error of an incident that another works on.
pub fn claimed(claim: &ClaimView) -> Error {
    let current = serde_json::json!({
        "user": claim.user, "since": claim.since, "until": claim.until,
    });
    Error::new(Code::Claimed).with("current", current)
}

/// Gives the lease on an incident, whose row is locked, to `by`, who works on it since `since`.
///
/// # Errors
/// When the database fails.
pub fn put_claim(
    conn: &mut DbConn,
    incident: i64,
    by: UserId,
    (since, now): (DateTime<Utc>, DateTime<Utc>),
) -> QueryResult<ClaimView> {
    let until = now + LEASE;
    let row = (
        incident_claims::held_by.eq(by),
        incident_claims::since.eq(since.naive_utc()),
        incident_claims::expires_at.eq(until.naive_utc()),
    );
    let n_updated = diesel::update(incident_claims::table.find(incident)).set(row).execute(conn)?;
    if n_updated == 0 {
        let (held_by, since, expires_at) = row;
        diesel::insert_into(incident_claims::table)
            .values((incident_claims::incident_id.eq(incident), held_by, since, expires_at))
            .execute(conn)?;
    }
    Ok(ClaimView { user: by, since, until })
}

fn end_claim(conn: &mut DbConn, incident: i64, by: UserId) -> QueryResult<()> {
    let own = incident_claims::table.find(incident).filter(incident_claims::held_by.eq(by));
    diesel::delete(own).execute(conn).map(drop)
}

/// What a decision means for the claim on its incident, whose row is locked: another's refuses it, the decider's own is
/// renewed while there is work to do on it, and ends with it. The system asks nobody.
///
/// # Errors
/// `Claimed`; the database's failure.
pub fn follow_decision(
    conn: &mut DbConn,
    incident: i64,
    (by, to): (Option<UserId>, Status),
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(by) = by else { return Ok(()) };
    match find_hold(conn, incident, by, now)? {
        Hold::Free => {}
        Hold::Other(claim) => return Err(claimed(&claim)),
        Hold::Own(claim) if matches!(to, Status::Received | Status::InReview) => {
            put_claim(conn, incident, by, (claim.since, now))?;
        }
        Hold::Own(_) => end_claim(conn, incident, by)?,
    }
    Ok(())
}

/// What being merged into another means for the claim on an incident, whose row is locked: that of somebody else refuses
/// it, one's own ends with it.
///
/// # Errors
/// `Claimed`; the database's failure.
pub fn follow_merge(
    conn: &mut DbConn,
    incident: i64,
    by: UserId,
    now: DateTime<Utc>,
) -> Result<()> {
    match find_hold(conn, incident, by, now)? {
        Hold::Free => Ok(()),
        Hold::Other(claim) => Err(claimed(&claim)),
        Hold::Own(_) => Ok(end_claim(conn, incident, by)?),
    }
}
