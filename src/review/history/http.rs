//! `GET /v1/incidents/{id}/history`: the story, page by page.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::audit::act::Act;
use crate::audit::{self, Entry};
use crate::auth::http::{Access, ReadCore};
use crate::auth::policy::{Action, visible};
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::db::writer::WriteTx;
use crate::error::{Error, Result};
use crate::http::page::{self, PageParams, PageRequest, cursor};
use crate::http::problem::Problem;
use crate::http::query::Pairs;
use crate::ids::{Id, IncidentId};
use crate::incidents::http::exact_scope;
use crate::incidents::store::find_incident;
use crate::incidents::view::is_seen;
use crate::review::history::events::{Cast, Start};
use crate::review::history::view::{EntryView, Sight, view};

/// A page of the story of an incident.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = History)]
pub struct HistoryPage {
    /// The incident.
    #[schema(value_type = uuid::Uuid)]
    incident: IncidentId,
    /// Its version now.
    version: i32,
    /// What happened, the oldest first.
    items: Vec<EntryView>,
    /// Cursor of the next page; absent on the last.
    next: Option<String>,
}

/// Read the story of an incident
///
/// Everything that was done to it and its reports, in order: what senders sent, corrected, took back and answered, decisions,
/// corrections and grades with what they changed, merges and splits. Who reads the audit log of its country also reads who
/// claimed, took over, assigned, opened and revealed. People are told by role and country; by id and name as far as the caller
/// may know them. Reasons are for those who may open reports there, and for them each page is written to the audit log
/// first. The story of an incident that took others is that of all of them.
#[utoipa::path(
    get, path = "/v1/incidents/{id}/history", tag = "review", operation_id = "list_history",
    params(("id" = uuid::Uuid, Path, description = "The incident"), PageParams),
    responses(
        (status = 200, description = "One page", body = HistoryPage),
        (status = 507, description = "It could not be written down, so nothing is shown", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list_history(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let mut pairs = Pairs::of(&request)?;
    let page = PageRequest::take(&mut pairs)?;
    pairs.refuse_rest(&["limit", "cursor"])?;
    let id: IncidentId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let Access { principal, scope, .. } = access;
    let acts = visible(&principal, Action::ReadAudit);
    let scopes = Scopes {
        core: scope,
        exact: exact_scope(&principal),
        acts: acts.unwrap_or_else(|_forbidden| Scope::nowhere()),
    };
    let (shared, seen_from) = (context.clone(), scopes.clone());
    let found = context.db.read(move |conn| find(conn, &shared, &seen_from, id)).await?;
    if found.is_exact {
        let entry = Entry::new(Act::OpenedIncident, id, context.clock.now())
            .by(principal.user_id())
            .detail("history")
            .within(&found.country, found.country_computed.as_deref());
        let record = move |tx: &mut WriteTx<'_>| {
            tx.record(entry);
            Ok(())
        };
        context.db.write(record).await.map_err(audit::not_recorded)?;
    }
    let binding = format!("history {id} {}", found.sees_acts);
    let from = Start::of_position(page.position(&context.keys, &binding)?);
    let (shared, limit) = (context.clone(), page.limit);
    let (is_exact, sees_acts) = (found.is_exact, found.sees_acts);
    let (items, next) = context
        .db
        .read(move |conn| {
            dialect::snapshot(conn, |conn| {
                let cast = Cast::of(conn, found.row_id)?;
                let (events, next) = cast.list(conn, (from, limit), sees_acts)?;
                let principal = &principal;
                let sight = Sight { principal, scope: &scopes.core, is_exact, sees_acts };
                Ok::<_, Error>((view(conn, &shared, sight, events)?, next))
            })
        })
        .await?;
    let next = next.map(|position| cursor(&context.keys, position, &binding)).transpose()?;
    let mut response = HttpResponse::Ok();
    if let Some(next) = &next {
        response.insert_header((header::LINK, page::next_link(&request, next)));
    }
    Ok(response.json(HistoryPage { incident: id, version: found.version, items, next }))
}

/// Where the caller sees what.
#[derive(Debug, Clone)]
struct Scopes {
    core: Scope,
    exact: Scope,
    acts: Scope,
}

/// An incident that the caller sees.
struct Found {
    row_id: i64,
    version: i32,
    country: String,
    country_computed: Option<String>,
    is_exact: bool,
    sees_acts: bool,
}

fn find(conn: &mut DbConn, context: &Context, scopes: &Scopes, id: IncidentId) -> Result<Found> {
    let (incident, facts) = find_incident(conn, id)?.ok_or_else(Error::not_found)?;
    let geo = context.geo();
    if !is_seen(&scopes.core, &geo, &facts) {
        return Err(Error::not_found());
    }
    Ok(Found {
        row_id: incident.id,
        version: incident.version,
        is_exact: is_seen(&scopes.exact, &geo, &facts),
        sees_acts: is_seen(&scopes.acts, &geo, &facts),
        country: facts.country,
        country_computed: facts.country_computed,
    })
}
