//! The next case for whoever asks: the most urgent one that is free, claimed in the same transaction that looked whether it
//! is.
//!
//! The columns say in which order cases stand, the database whether one still waits and is free. Of two who want the same
//! case the first locks its row; the second, at this server or another, does not wait for that and takes the one behind it.

use std::collections::{HashMap, HashSet};

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};

use crate::aggregates::queue::{Place, Queued};
use crate::audit::act::Act;
use crate::auth::http::{Access, Decide};
use crate::config::Targets;
use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::db::rows::FactsRow;
use crate::db::schema::{incident_assignees, incident_facts, incidents};
use crate::db::writer::WriteTx;
use crate::error::{Error, Result};
use crate::http::conditional::version_tag;
use crate::http::query::{self, Pairs};
use crate::ids::UserId;
use crate::incidents::decider::Decider;
use crate::incidents::facts::Status;
use crate::incidents::handling::{
    Whose, list_assigned, list_claimed, list_claims, list_handling, show_handling,
};
use crate::incidents::likely::show_likely;
use crate::incidents::store::IncidentRow;
use crate::incidents::urgency::Urgency;
use crate::incidents::view::{is_seen, list_seen};
use crate::review::claims::{Hold, find_hold, put_claim};
use crate::review::queue::{QueueItem, QueueParams, QueueQuery};

/// Candidates looked at together: with as many reviewers at work, the last of them finds a free one among these.
const WINDOW: usize = 64;

/// Statuses in which a case waits for somebody.
const WAITING: [Status; 3] = [Status::Received, Status::InReview, Status::NeedsInformation];

/// Claim the next incident
///
/// Gives the first incident of the queue, with its filters, that nobody works on and that is nobody else's case, and claims it
/// for fifteen minutes. However many ask at once, no two get the same. What you work on already is not given again:
/// `GET /v1/queue?claimed=me` lists it.
#[utoipa::path(
    post, path = "/v1/queue/next", tag = "review", operation_id = "claim_next",
    params(crate::aggregates::http::FilterParams, QueueParams),
    responses(
        (status = 200, description = "It is yours for now", body = QueueItem,
         headers(("ETag" = String, description = "Its version, for `If-Match` of a decision"))),
        (status = 204, description = "Nothing is left that is free"),
    )
)]
pub async fn claim_next(
    access: Access<Decide>,
    context: web::Data<Context>,
    targets: web::Data<Targets>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let pairs = Pairs::of(&request)?;
    let caller = (&access.principal, &access.scope);
    let query = QueueQuery::parse(pairs, caller, &context, **targets)?;
    check_statuses(&query)?;
    let taking = Taking {
        decider: Decider::of(&access, &context)?,
        query: web::Data::new(query),
        context: context.clone(),
    };
    let mut after = None;
    loop {
        let Some(window) = taking.find_candidates(after).await? else {
            return Ok(HttpResponse::NoContent().finish());
        };
        after = Some(window.end);
        if let Some((incident, urgency)) = taking.claim_first(window.candidates).await? {
            let item = taking.show(incident, urgency).await?;
            let tag = version_tag(item.version());
            return Ok(HttpResponse::Ok().insert_header((header::ETAG, tag)).json(item));
        }
    }
}

fn check_statuses(query: &QueueQuery) -> Result<()> {
    if query.statuses().iter().all(|status| WAITING.contains(status)) {
        return Ok(());
    }
    let known = WAITING.map(Status::as_str).join(", ");
    Err(query::invalid(
        "status",
        format!("only what waits is given: {known}"),
        format!("on ne donne que ce qui attend : {known}"),
    ))
}

/// A case that was free a moment ago.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    id: i64,
    urgency: Urgency,
    /// Whose it was then: the caller's, or of somebody who may not decide on it any more.
    assignee: Option<UserId>,
}

/// Cases that were free a moment ago, most urgent first.
struct Window {
    candidates: Vec<Candidate>,
    /// The last place looked at.
    end: Place,
}

struct Taking {
    decider: Decider,
    query: web::Data<QueueQuery>,
    context: web::Data<Context>,
}

impl Taking {
    /// Returns the next candidates behind `after`; `None` when there are no more.
    async fn find_candidates(&self, after: Option<Place>) -> Result<Option<Window>> {
        let (query, context) = (self.query.clone(), self.context.clone());
        let decider = self.decider.clone();
        let find = move |conn: &mut DbConn| {
            let (mut after, mut taken) = (after, None);
            loop {
                let (selection, _) =
                    query.select(conn, &context, (after, WINDOW), taken.as_ref())?;
                let Some(last) = selection.queued.last() else {
                    return Ok(None);
                };
                let end = last.place;
                let candidates = keep_free(conn, &context, &selection.queued, &decider)?;
                if !candidates.is_empty() {
                    return Ok(Some(Window { candidates, end }));
                }
                // A whole window in somebody's hands: from here on, pass over all that are.
                after = Some(end);
                if taken.is_none() {
                    taken = Some(list_taken(conn, &context, query.statuses(), &decider)?);
                }
            }
        };
        self.context.db.read(find).await
    }

    /// Claims the first of the candidates that is still free.
    async fn claim_first(&self, candidates: Vec<Candidate>) -> Result<Option<(i64, Urgency)>> {
        let (query, context) = (self.query.clone(), self.context.clone());
        let decider = self.decider.clone();
        let claim = move |tx: &mut WriteTx<'_>| {
            let left = leave_out_taken(tx.conn, candidates, &decider)?;
            for candidate in left {
                if claim_if_free(tx, &context, &query, &decider, candidate.id)? {
                    return Ok(Some((candidate.id, candidate.urgency)));
                }
            }
            Ok(None)
        };
        self.context.db.write(claim).await
    }

    async fn show(&self, incident: i64, urgency: Urgency) -> Result<QueueItem> {
        let (query, context) = (self.query.clone(), self.context.clone());
        let decider = self.decider.clone();
        let show = move |conn: &mut DbConn| {
            let mut seen = list_seen(conn, &context, &[incident], query.exact())?;
            show_handling(conn, &context.geo(), &mut seen, &decider.scope, decider.now)?;
            show_likely(conn, &context.geo(), &mut seen, &decider.scope)?;
            let seen = seen.pop().ok_or_else(Error::not_found)?;
            Ok(QueueItem::of(seen, urgency, query.deadline()))
        };
        self.context.db.read(show).await
    }
}

/// Returns what somebody works on and what is another's case.
fn list_taken(
    conn: &mut DbConn,
    context: &Context,
    statuses: &[Status],
    decider: &Decider,
) -> QueryResult<HashSet<i64>> {
    let (geo, now) = (context.geo(), decider.now);
    let mut taken = list_assigned(conn, &geo, (Whose::Anybody, statuses), now)?;
    let own = (Whose::Person(decider.by), statuses);
    for own in list_assigned(conn, &geo, own, now)? {
        taken.remove(&own);
    }
    taken.extend(list_claimed(conn, Whose::Anybody, now)?);
    Ok(taken)
}

/// Keeps what nobody works on and what is no other's case.
fn keep_free(
    conn: &mut DbConn,
    context: &Context,
    queued: &[Queued],
    decider: &Decider,
) -> Result<Vec<Candidate>> {
    let ids: Vec<i64> = queued.iter().map(|queued| queued.id).collect();
    let mut handling = list_handling(conn, &context.geo(), &ids, decider.now)?;
    let candidate = |queued: &Queued| {
        let handling = handling.remove(&queued.id).unwrap_or_default();
        let is_anothers = handling
            .assignee
            .as_ref()
            .is_some_and(|assignee| assignee.is_active && assignee.user != decider.by);
        let is_free = handling.claim.is_none() && !is_anothers;
        let assignee = handling.assignee.map(|assignee| assignee.user);
        is_free.then_some(Candidate { id: queued.id, urgency: queued.urgency, assignee })
    };
    Ok(queued.iter().filter_map(candidate).collect())
}

/// Leaves out what was claimed or given to somebody since it was found free.
fn leave_out_taken(
    conn: &mut DbConn,
    candidates: Vec<Candidate>,
    decider: &Decider,
) -> QueryResult<Vec<Candidate>> {
    let ids: Vec<i64> = candidates.iter().map(|candidate| candidate.id).collect();
    let claims = list_claims(conn, &ids, decider.now)?;
    let assignees: Vec<(i64, UserId)> = incident_assignees::table
        .filter(incident_assignees::incident_id.eq_any(ids))
        .select((incident_assignees::incident_id, incident_assignees::assignee))
        .load(conn)?;
    let assignees: HashMap<i64, UserId> = assignees.into_iter().collect();
    let is_free = |candidate: &Candidate| {
        let assignee = assignees.get(&candidate.id).copied();
        let is_still_free =
            assignee.is_none_or(|user| user == decider.by || Some(user) == candidate.assignee);
        !claims.contains_key(&candidate.id) && is_still_free
    };
    Ok(candidates.into_iter().filter(is_free).collect())
}

/// Claims a case if nobody else has its row or a claim on it and it still waits.
fn claim_if_free(
    tx: &mut WriteTx<'_>,
    context: &Context,
    query: &QueueQuery,
    decider: &Decider,
    id: i64,
) -> Result<bool> {
    if !dialect::try_lock_incident(tx.conn, id)? {
        return Ok(false);
    }
    let found: Option<(IncidentRow, FactsRow)> = incidents::table
        .inner_join(incident_facts::table)
        .filter(incidents::id.eq(id))
        .select((incidents::all_columns, incident_facts::all_columns))
        .first(tx.conn)
        .optional()?;
    let Some((incident, facts)) = found else {
        return Ok(false);
    };
    let is_waiting = Status::parse(&incident.status)
        .is_some_and(|status| query.statuses().contains(&status))
        && incident.merged_into.is_none()
        && facts.n_reports > 0
        && is_seen(&decider.scope, &context.geo(), &facts);
    let hold = find_hold(tx.conn, id, decider.by, decider.now)?;
    if !is_waiting || !matches!(hold, Hold::Free) {
        return Ok(false);
    }
    put_claim(tx.conn, id, decider.by, (decider.now, decider.now))?;
    tx.record(decider.entry(Act::ClaimedIncident, (&incident, &facts)).detail("next"));
    Ok(true)
}
