//! What waits for review: the pending incidents of a scope, most urgent first, longest waiting before the rest.

use std::collections::HashMap;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::aggregates::queue::{Place, QueueSelection};
use crate::auth::http::{Access, ReadCore};
use crate::context::Context;
use crate::error::Result;
use crate::http::page::{self, PageParams, PageRequest};
use crate::http::query::Pairs;
use crate::incidents::facts::Status;
use crate::incidents::http::exact_scope;
use crate::incidents::selection::Asked;
use crate::incidents::urgency::{Reason, Urgency, UrgencyClass};
use crate::incidents::view::{IncidentView, OpenedView, SeenIncident, list_seen};

/// The filters of the queue where the caller gives none: what nobody has decided, and what no count holds because its
/// place is in question.
const DEFAULT_FILTERS: [(&str, &str); 2] =
    [("status", "received,in_review,needs_information"), ("include", "mismatch")];

/// An incident that waits, and why it waits here.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueueItem {
    /// The incident.
    #[serde(flatten)]
    incident: IncidentView,
    /// Before all others, or in turn.
    urgency: UrgencyClass,
    /// Codes, the severity first: `severity_1` to `severity_5`, `uncategorised` (it ranks like a serious one until
    /// somebody knows better), `killed`, `sexual_violence`, `minors`, `ongoing`, `source_at_risk`.
    #[schema(example = json!(["severity_5", "killed", "ongoing"]))]
    urgency_reasons: Vec<&'static str>,
    /// When its first report was received: an instant for those who may open reports of this country, else a day, UTC.
    #[schema(value_type = String, example = "2024-04-01T12:00:00Z")]
    waiting_since: OpenedView,
}

/// How many wait in each status, whatever `status` asks for: within the scope and the other filters.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueueCounts {
    /// Nobody has looked at them.
    received: u64,
    /// A reviewer works on them.
    in_review: u64,
    /// Asked back to their senders.
    needs_information: u64,
}

/// A page of the queue, most urgent first.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueuePage {
    /// What to do next, in this order.
    items: Vec<QueueItem>,
    /// Cursor of the next page; absent on the last.
    next: Option<String>,
    /// How many match on all pages.
    total: u64,
    /// Change number the queue is current to.
    as_of: i64,
    /// How many wait, by status.
    counts: QueueCounts,
}

/// List what to do next
///
/// The incidents of the caller's scope that wait for review: the most urgent first, among equally urgent ones the
/// longest waiting. With the filters of `GET /v1/incidents`, but without `status` those received, in review or in need
/// of information, and without `include` those whose country is in question too. A page goes on behind the last one
/// shown: what was decided meanwhile is gone, and what came in before that place stands on the first page.
#[utoipa::path(
    get, path = "/v1/queue", tag = "review", operation_id = "list_queue",
    params(
        crate::aggregates::http::FilterParams,
        PageParams,
    ),
    responses((status = 200, description = "One page", body = QueuePage,
               headers(("Link" = String, description = "The next page"))))
)]
pub async fn list_queue(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let mut pairs = Pairs::of(&request)?;
    let page = PageRequest::take(&mut pairs)?;
    add_defaults(&mut pairs);
    let asked = Asked::parse(&pairs, &[], &access.principal, &access.scope, &context)?;
    // Named, so that a cursor of another list with these filters is refused.
    let binding = format!("queue {}", asked.filter.binding());
    let after = page.position(&context.keys, &binding)?.map(Place::from_number);
    let exact = exact_scope(&access.principal);
    let shared = context.clone();
    let found = context
        .db
        .read(move |conn| {
            let (selection, as_of) = asked.answer(conn, &shared, |columns, selector, seq| {
                Ok((columns.queue(&selector, after, page.limit), seq))
            })?;
            let ids: Vec<i64> = selection.queued.iter().map(|queued| queued.id).collect();
            let seen = list_seen(conn, &shared, &ids, &exact)?;
            let last = selection.queued.last().filter(|_| selection.has_more);
            let next = last
                .map(|last| page::cursor(&shared.keys, last.place.number(), &binding))
                .transpose()?;
            Ok(view_page(selection, seen, next, as_of))
        })
        .await?;
    let mut response = HttpResponse::Ok();
    if let Some(next) = &found.next {
        response.insert_header((header::LINK, page::next_link(&request, next)));
    }
    Ok(response.json(found))
}

/// Adds the filters of the queue that the caller gave no other value.
fn add_defaults(pairs: &mut Pairs) {
    for (name, value) in DEFAULT_FILTERS {
        if !pairs.0.iter().any(|(given, _)| given == name) {
            pairs.0.push((name.to_owned(), value.to_owned()));
        }
    }
}

fn view_page(
    selection: QueueSelection,
    seen: Vec<SeenIncident>,
    next: Option<String>,
    as_of: i64,
) -> QueuePage {
    let urgencies: HashMap<i64, Urgency> =
        selection.queued.into_iter().map(|queued| (queued.id, queued.urgency)).collect();
    let view_item = |seen: SeenIncident| {
        let urgency = urgencies.get(&seen.row_id).copied().unwrap_or_default();
        QueueItem {
            incident: seen.view,
            urgency: urgency.class(),
            urgency_reasons: urgency.reasons().map(Reason::as_str).collect(),
            waiting_since: seen.opened,
        }
    };
    let count = |status: Status| selection.by_status.get(&status).copied().unwrap_or_default();
    QueuePage {
        items: seen.into_iter().map(view_item).collect(),
        next,
        total: selection.total,
        as_of,
        counts: QueueCounts {
            received: count(Status::Received),
            in_review: count(Status::InReview),
            needs_information: count(Status::NeedsInformation),
        },
    }
}
