//! What waits for review: the pending incidents of a scope, most urgent first, longest waiting before the rest.

use std::collections::{HashMap, HashSet};

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::aggregates::query::{Overdue, Selector};
use crate::aggregates::queue::{Place, QueueSelection};
use crate::auth::http::{Access, ReadCore};
use crate::auth::policy::{Action, visible};
use crate::auth::types::{Principal, Scope};
use crate::config::Targets;
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::error::Result;
use crate::http::page::{self, PageParams, PageRequest};
use crate::http::query::{self, Pairs};
use crate::ids::{Id, UserId};
use crate::incidents::facts::Status;
use crate::incidents::handling::{Whose, list_assigned, list_claimed, show_handling};
use crate::incidents::http::{deciding_scope, exact_scope};
use crate::incidents::likely::show_likely;
use crate::incidents::selection::{Asked, counted};
use crate::incidents::target::Deadline;
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
    /// By when it is to be decided on: as finely as `waiting_since`.
    #[schema(value_type = String, example = "2024-04-02T12:00:00Z")]
    due_at: OpenedView,
    /// Whether it has waited longer; where `due_at` is a day, from the day after.
    is_overdue: bool,
}

impl QueueItem {
    /// Returns an incident as the queue shows it.
    pub fn of(seen: SeenIncident, urgency: Urgency, deadline: &Deadline) -> Self {
        let (class, grain) = (urgency.class(), seen.opened.grain());
        Self {
            incident: seen.view,
            urgency: class,
            urgency_reasons: urgency.reasons().map(Reason::as_str).collect(),
            waiting_since: seen.opened,
            due_at: deadline.due_at(seen.opened_s, class, grain),
            is_overdue: deadline.is_overdue(seen.opened_s, class, grain),
        }
    }

    /// Returns the version of the incident.
    pub fn version(&self) -> i32 {
        self.incident.version
    }
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

/// The filters of the queue beside those of the incidents.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the parameters; `QueueQuery` reads them")]
pub struct QueueParams {
    /// Whose case it is: the id of a person, `me`, `any`, or `none`, where those of people who may not decide on it any more
    /// are too. For those who may decide.
    assignee: Option<String>,
    /// Who works on it now: the id of a person, `me`, `any` or `none`. For those who may decide.
    claimed: Option<String>,
    /// Whether it has waited longer than its target.
    #[param(value_type = Option<bool>)]
    overdue: Option<String>,
}

/// What is asked of the queue.
pub struct QueueQuery {
    asked: Asked,
    assignee: Option<Whose>,
    claimed: Option<Whose>,
    overdue: Option<bool>,
    deadline: Deadline,
    now: DateTime<Utc>,
    /// Where the caller may open reports.
    exact: Scope,
}

impl QueueQuery {
    /// Reads the filters of the queue out of `pairs`, with its defaults, within `scope`.
    ///
    /// # Errors
    /// As [`Asked::parse`]; `Forbidden` for `assignee` and `claimed` without the right to decide.
    pub fn parse(
        mut pairs: Pairs,
        (principal, scope): (&Principal, &Scope),
        context: &Context,
        targets: Targets,
    ) -> Result<Self> {
        let me = principal.user_id();
        let assignee = take_whose(&mut pairs, "assignee", me)?;
        let claimed = take_whose(&mut pairs, "claimed", me)?;
        let overdue = take_flag(&mut pairs, "overdue")?;
        add_defaults(&mut pairs);
        // Who works on what is told to those who may decide there: asked about that, the queue ends where they may.
        let scope = match (assignee, claimed) {
            (None, None) => scope.clone(),
            _ => visible(principal, Action::Decide)?.intersection(scope),
        };
        let asked = Asked::parse(&pairs, &[], principal, &scope, context)?;
        let now = context.clock.now();
        let (deadline, exact) = (Deadline::new(targets, now), exact_scope(principal));
        Ok(Self { asked, assignee, claimed, overdue, deadline, now, exact })
    }

    /// Returns the statuses asked for.
    pub fn statuses(&self) -> &[Status] {
        &self.asked.filter.statuses
    }

    /// Returns what was due when it was asked.
    pub fn deadline(&self) -> &Deadline {
        &self.deadline
    }

    /// Returns where the caller may open reports.
    pub fn exact(&self) -> &Scope {
        &self.exact
    }

    /// Named, so that a cursor of another list with these filters is refused.
    fn binding(&self) -> String {
        let (assignee, claimed, overdue) = (self.assignee, self.claimed, self.overdue);
        format!("queue {assignee:?} {claimed:?} {overdue:?} {}", self.asked.filter.binding())
    }

    /// Returns up to `limit` incidents behind `after` but those of `passed_over`, and the change number they are current to.
    ///
    /// # Errors
    /// As [`Asked::answer`].
    pub fn select(
        &self,
        conn: &mut DbConn,
        context: &Context,
        (after, limit): (Option<Place>, usize),
        passed_over: Option<&HashSet<i64>>,
    ) -> Result<(QueueSelection, i64)> {
        let claimed = match self.claimed {
            None => None,
            Some(whose) => Some((whose, list_claimed(conn, whose, self.now)?)),
        };
        let assigned = match self.assignee {
            None => None,
            Some(whose) => {
                let asked = (whose, self.statuses());
                Some((whose, list_assigned(conn, &context.geo(), asked, self.now)?))
            }
        };
        let overdue = self.overdue.map(|is_wanted| Overdue {
            is_wanted,
            deadline: self.deadline,
            exact: counted(&self.exact),
        });
        self.asked.answer(conn, context, |columns, selector, seq| {
            // For as long as what is borrowed here.
            let mut selector: Selector<'_> = selector;
            for (whose, ids) in claimed.iter().chain(&assigned) {
                selector = match whose {
                    Whose::Nobody => selector.except(ids),
                    Whose::Anybody | Whose::Person(_) => selector.among(ids),
                };
            }
            if let Some(overdue) = &overdue {
                selector = selector.overdue(overdue);
            }
            if let Some(ids) = passed_over {
                selector = selector.except(ids);
            }
            Ok((columns.queue(&selector, after, limit), seq))
        })
    }
}

fn take_whose(pairs: &mut Pairs, name: &str, me: Option<UserId>) -> Result<Option<Whose>> {
    let Some(text) = pairs.take_one(name)? else {
        return Ok(None);
    };
    let whose = match text.as_str() {
        "none" => Some(Whose::Nobody),
        "any" => Some(Whose::Anybody),
        "me" => me.map(Whose::Person),
        id => Id::parse(id).map(Whose::Person),
    };
    whose.map(Some).ok_or_else(|| {
        query::invalid(
            name,
            format!("{name} is the id of a person, me, any or none"),
            format!("{name} est l'identifiant d'une personne, me, any ou none"),
        )
    })
}

fn take_flag(pairs: &mut Pairs, name: &str) -> Result<Option<bool>> {
    let text = pairs.take_one(name)?;
    text.map(|text| text.parse::<bool>()).transpose().map_err(|_not_a_flag| {
        query::invalid(
            name,
            format!("{name} is true or false"),
            format!("{name} vaut true ou false"),
        )
    })
}

/// List what to do next
///
/// The incidents of the caller's scope that wait for review: the most urgent first, among equally urgent ones the
/// longest waiting. With the filters of `GET /v1/incidents`, but without `status` those received, in review or in need
/// of information, and without `include` those whose country is in question too (`flag=country_mismatch` lists these alone).
/// A page goes on behind the last one shown: what was decided meanwhile is gone, and what came in before that place stands
/// on the first page. An urgent incident is due in 24 hours and any other in 7 days, unless the server is told otherwise.
#[utoipa::path(
    get, path = "/v1/queue", tag = "review", operation_id = "list_queue",
    params(
        crate::aggregates::http::FilterParams,
        QueueParams,
        PageParams,
    ),
    responses((status = 200, description = "One page", body = QueuePage,
               headers(("Link" = String, description = "The next page"))))
)]
pub async fn list_queue(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    targets: web::Data<Targets>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let mut pairs = Pairs::of(&request)?;
    let page = PageRequest::take(&mut pairs)?;
    let query = QueueQuery::parse(pairs, (&access.principal, &access.scope), &context, **targets)?;
    let binding = query.binding();
    let after = page.position(&context.keys, &binding)?.map(Place::from_number);
    let deciding = deciding_scope(&access.principal);
    let shared = context.clone();
    let found = context
        .db
        .read(move |conn| {
            let (selection, as_of) = query.select(conn, &shared, (after, page.limit), None)?;
            let ids: Vec<i64> = selection.queued.iter().map(|queued| queued.id).collect();
            let mut seen = list_seen(conn, &shared, &ids, &query.exact)?;
            show_handling(conn, &shared.geo(), &mut seen, &deciding, query.now)?;
            show_likely(conn, &shared.geo(), &mut seen, &deciding)?;
            let last = selection.queued.last().filter(|_| selection.has_more);
            let next = last
                .map(|last| page::cursor(&shared.keys, last.place.number(), &binding))
                .transpose()?;
            Ok(view_page(selection, seen, &query.deadline, (next, as_of)))
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
    deadline: &Deadline,
    (next, as_of): (Option<String>, i64),
) -> QueuePage {
    let urgencies: HashMap<i64, Urgency> =
        selection.queued.into_iter().map(|queued| (queued.id, queued.urgency)).collect();
    let view_item = |seen: SeenIncident| {
        let urgency = urgencies.get(&seen.row_id).copied().unwrap_or_default();
        QueueItem::of(seen, urgency, deadline)
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
