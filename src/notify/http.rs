//! The route of the change feed.

use actix_web::{HttpRequest, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::http::{Access, ReadCore};
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect;
use crate::error::{Error, Result};
use crate::http::page::take_limit;
use crate::http::query::{self, Pairs};
use crate::ids::{EventId, IncidentId};
use crate::incidents::view::{IncidentView, list_views};
use crate::notify::changes::{Event, EventKind, list_events};

/// One change of one incident.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IncidentChange)]
pub struct ChangeView {
    /// Its id; a webhook tells of the same change under the same one.
    #[schema(value_type = uuid::Uuid)]
    id: EventId,
    /// Its number; changes that were stored together share it.
    seq: i64,
    /// `created`, `changed`, `merged`, `split`, `withdrawn`, `rejected`, or `left`: it is no longer in a country of yours.
    #[schema(example = "changed")]
    kind: &'static str,
    /// The incident.
    #[schema(value_type = uuid::Uuid)]
    incident: IncidentId,
    /// Its version now; null where it left.
    version: Option<i32>,
}

impl From<&Event> for ChangeView {
    fn from(event: &Event) -> Self {
        let has_left = event.kind == EventKind::Left;
        Self {
            id: event.id(),
            seq: event.seq,
            kind: event.kind.as_str(),
            incident: event.incident,
            version: (!has_left).then_some(event.version),
        }
    }
}

/// Changes after a number, and the incidents they are about.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangePage {
    /// The changes, in the order they were stored.
    items: Vec<ChangeView>,
    /// Each incident that a change is about and that did not leave, once, as it is now: codes, days, areas and the
    /// generalised place.
    incidents: Vec<IncidentView>,
    /// The `after` of the next page. Nothing of yours changed between the last item and it.
    next: i64,
    /// The number of the last change there is: once `next` is as large, there is nothing more.
    as_of: i64,
}

/// Follow changes
///
/// What happened to incidents in scope, whatever their status, after the change with number `after`; for copies that are
/// kept elsewhere. Put in place what `incidents` holds, take out what `left`, ask again with `next`.
#[utoipa::path(
    get, path = "/v1/changes", tag = "incidents", operation_id = "list_changes",
    params(
        ("after" = Option<i64>, Query, minimum = 0,
         description = "The change after which to begin: `next` of the page before, `as_of` of a list, 0 for all there ever were"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000,
         description = "Most changes of a page, 1 to 1000, 100 unless told; those stored together are never separated, so a page may hold more"),
    ),
    responses((status = 200, description = "The changes", body = ChangePage))
)]
pub async fn list_changes(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<web::Json<ChangePage>> {
    let mut pairs = Pairs::of(&request)?;
    let limit = take_limit(&mut pairs)?;
    let after = take_after(&mut pairs)?;
    pairs.refuse_rest(&["after", "limit"])?;
    let (scope, shared) = (access.scope, context.clone());
    let page = context.db.read(move |conn| {
        dialect::snapshot(conn, |conn| {
            let found = list_events(conn, &shared.geo(), &scope, after, limit)?;
            if after > found.head {
                return Err(ahead(found.head));
            }
            // Nobody's copy holds fine places.
            let incidents = list_views(conn, &shared, &present(&found.events), &Scope::nowhere())?;
            let items = found.events.iter().map(ChangeView::from).collect();
            Ok(ChangePage { items, incidents, next: found.next, as_of: found.head })
        })
    });
    Ok(web::Json(page.await?))
}

/// Returns the error of a copy that is ahead of the data, as after a restore from a backup.
fn ahead(head: i64) -> Error {
    query::invalid(
        "after",
        format!(
            "the last change is {head}: these data are older than your copy, so begin it anew with after=0"
        ),
        format!(
            "le dernier changement est {head} : ces données sont plus anciennes que votre copie, recommencez-la avec after=0"
        ),
    )
}

/// Returns the row ids of the incidents that are still seen, each once, in the order of their first event.
fn present(events: &[Event]) -> Vec<i64> {
    let mut seen = std::collections::HashSet::new();
    let here = events.iter().filter(|event| event.kind != EventKind::Left);
    here.map(|event| event.row_id).filter(|id| seen.insert(*id)).collect()
}

fn take_after(pairs: &mut Pairs) -> Result<i64> {
    let Some(text) = pairs.take_one("after")? else {
        return Ok(0);
    };
    text.parse().ok().filter(|after| *after >= 0).ok_or_else(|| {
        query::invalid(
            "after",
            "after is the number of a change, 0 or more",
            "after est le numéro d'un changement, 0 ou plus",
        )
    })
}
