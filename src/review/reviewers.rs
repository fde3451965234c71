//! How much each reviewer has to do and has done, for those who spread the work.
//!
//! Each number is one statement grouped by person, for the people of a page. What is overdue depends on how urgent a case
//! is, which the columns know: assigned cases pass through them a thousand at a time.

use std::collections::HashMap;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use diesel::dsl::{auto_type, count_star};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, QueryDsl, QueryResult, RunQueryDsl,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::http::{Access, OverseeReview};
use crate::auth::types::{Role, Scope};
use crate::config::Targets;
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::{
    decisions, grants, incident_assignees, incident_claims, incident_facts, incidents, users,
};
use crate::error::Result;
use crate::http::page::{self, PageParams, PageRequest};
use crate::http::query::Pairs;
use crate::ids::UserId;
use crate::incidents::facts::Status;
use crate::incidents::handling::{codes, seen_from};
use crate::incidents::http::exact_scope;
use crate::incidents::target::{Deadline, Grain};
use crate::people::grants::store::{lasts, reaches};

/// What the cursors of this list are bound to.
const BINDING: &str = "reviewers";
/// Assigned cases looked at together.
const WINDOW: i64 = 1_000;
/// Of how long decisions are counted.
const RECENTLY: Duration = Duration::days(7);

/// How much somebody has to do and has done in the countries of whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Reviewer)]
pub struct ReviewerView {
    /// The person.
    #[schema(value_type = uuid::Uuid)]
    user: UserId,
    /// Incidents that wait and are theirs.
    assigned: i64,
    /// Incidents they work on now.
    claimed: i64,
    /// Of those assigned, how many have waited longer than their target.
    overdue: i64,
    /// Their decisions of the last seven days.
    decided: i64,
}

/// A page of reviewers.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewerPage {
    /// In the order their accounts were made.
    items: Vec<ReviewerView>,
    /// Cursor of the next page; absent on the last.
    next: Option<String>,
    /// How many there are.
    total: i64,
}

/// Count the work of reviewers
///
/// For regional leads and coordinators: everybody who may decide somewhere in the caller's countries, with what is theirs,
/// what they work on, what of it is overdue and what they decided in the last seven days, there.
#[utoipa::path(
    get, path = "/v1/queue/reviewers", tag = "review", operation_id = "list_reviewers",
    params(PageParams),
    responses((status = 200, description = "One page", body = ReviewerPage,
               headers(("Link" = String, description = "The next page"))))
)]
pub async fn list_reviewers(
    access: Access<OverseeReview>,
    context: web::Data<Context>,
    targets: web::Data<Targets>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let mut pairs = Pairs::of(&request)?;
    let page = PageRequest::take(&mut pairs)?;
    pairs.refuse_rest(&["limit", "cursor"])?;
    let range = (page.position(&context.keys, BINDING)?.unwrap_or_default(), page.n_rows());
    let (now, targets) = (context.clock.now(), **targets);
    let is_exact = exact_scope(&access.principal).contains(&access.scope);
    let grain = if is_exact { Grain::Second } else { Grain::Day };
    let shared = context.clone();
    let (rows, items, total) = context
        .db
        .read(move |conn| {
            let (rows, total) = list_people(conn, &access.scope, range, now.naive_utc())?;
            let people = rows.iter().map(|(_, user)| *user).collect();
            let work = Work { people, scope: &access.scope, grain, now };
            let items = work.count(conn, &shared, &Deadline::new(targets, now))?;
            Ok((rows, items, total))
        })
        .await?;
    let next = page::next_cursor(&context.keys, &page, &rows, |(row, _)| *row, BINDING)?;
    let mut response = HttpResponse::Ok();
    if let Some(next) = &next {
        response.insert_header((header::LINK, page::next_link(&request, next)));
    }
    Ok(response.json(ReviewerPage { items, next, total }))
}

/// Returns up to `limit` people after a row who may decide somewhere in `scope` now, and how many there are.
fn list_people(
    conn: &mut DbConn,
    scope: &Scope,
    (after, limit): (i64, i64),
    now: NaiveDateTime,
) -> QueryResult<(Vec<(i64, UserId)>, i64)> {
    let deciding = || {
        let query = users::table.filter(users::disabled_at.is_null());
        let held = grants::table
            .filter(grants::role.eq_any([Role::Reviewer, Role::RegionalLead].map(Role::as_str)))
            .filter(lasts(now))
            .filter(grants::valid_from.le(now));
        match codes(scope) {
            None => query.filter(users::id.eq_any(held.select(grants::user_id))).into_boxed(),
            Some(codes) => {
                let held = held.filter(reaches(codes));
                query.filter(users::id.eq_any(held.select(grants::user_id))).into_boxed()
            }
        }
    };
    let total = deciding().count().get_result(conn)?;
    let found = deciding()
        .filter(users::id.gt(after))
        .order(users::id)
        .limit(limit)
        .select((users::id, users::uuid))
        .load(conn)?;
    Ok((found, total))
}

/// An incident that waits for somebody.
#[auto_type(no_type_alias)]
fn waits() -> _ {
    let status: diesel::dsl::EqAny<incidents::status, [&'static str; 3]> = incidents::status
        .eq_any([
            Status::Received.as_str(),
            Status::InReview.as_str(),
            Status::NeedsInformation.as_str(),
        ]);
    status.and(incidents::merged_into.is_null()).and(incident_facts::is_test.eq(false))
}

/// Limits a query that has `incident_facts` to a scope.
macro_rules! within {
    ($query:expr, $scope:expr) => {
        match codes($scope) {
            None => $query.into_boxed(),
            Some(codes) => $query.filter(seen_from(codes)).into_boxed(),
        }
    };
}

/// Whose work is counted, and where.
struct Work<'a> {
    people: Vec<UserId>,
    scope: &'a Scope,
    /// How finely the caller may know when a report came.
    grain: Grain,
    now: DateTime<Utc>,
}

type Counts = HashMap<UserId, i64>;

impl Work<'_> {
    fn count(
        &self,
        conn: &mut DbConn,
        context: &Context,
        deadline: &Deadline,
    ) -> Result<Vec<ReviewerView>> {
        let assigned = self.count_assigned(conn)?;
        let claimed = self.count_claimed(conn)?;
        let decided = self.count_decided(conn)?;
        let overdue = self.count_overdue(conn, context, deadline)?;
        let of = |counts: &Counts, user: &UserId| counts.get(user).copied().unwrap_or_default();
        let view = |user: &UserId| ReviewerView {
            user: *user,
            assigned: of(&assigned, user),
            claimed: of(&claimed, user),
            overdue: of(&overdue, user),
            decided: of(&decided, user),
        };
        Ok(self.people.iter().map(view).collect())
    }

    fn count_assigned(&self, conn: &mut DbConn) -> QueryResult<Counts> {
        let joined = incident_assignees::table
            .inner_join(incidents::table.inner_join(incident_facts::table))
            .filter(incident_assignees::assignee.eq_any(self.people.clone()))
            .filter(waits())
            .group_by(incident_assignees::assignee)
            .select((incident_assignees::assignee, count_star()));
        let rows: Vec<(UserId, i64)> = within!(joined, self.scope).load(conn)?;
        Ok(rows.into_iter().collect())
    }

    fn count_claimed(&self, conn: &mut DbConn) -> QueryResult<Counts> {
        let joined = incident_claims::table
            .inner_join(incidents::table.inner_join(incident_facts::table))
            .filter(incident_claims::held_by.eq_any(self.people.clone()))
            .filter(incident_claims::expires_at.gt(self.now.naive_utc()))
            .group_by(incident_claims::held_by)
            .select((incident_claims::held_by, count_star()));
        let rows: Vec<(UserId, i64)> = within!(joined, self.scope).load(conn)?;
        Ok(rows.into_iter().collect())
    }

    fn count_decided(&self, conn: &mut DbConn) -> QueryResult<Counts> {
        let since = (self.now - RECENTLY).naive_utc();
        let joined = decisions::table
            .inner_join(
                incident_facts::table.on(incident_facts::incident_id.eq(decisions::incident_id)),
            )
            .filter(decisions::decided_by.eq_any(self.people.iter().copied().map(Some)))
            .filter(decisions::decided_at.gt(since))
            .group_by(decisions::decided_by)
            .select((decisions::decided_by, count_star()));
        let rows: Vec<(Option<UserId>, i64)> = within!(joined, self.scope).load(conn)?;
        Ok(rows.into_iter().filter_map(|(user, count)| Some((user?, count))).collect())
    }

    fn count_overdue(
        &self,
        conn: &mut DbConn,
        context: &Context,
        deadline: &Deadline,
    ) -> Result<Counts> {
        let (mut counts, mut after) = (Counts::new(), 0);
        loop {
            let joined = incident_assignees::table
                .inner_join(incidents::table.inner_join(incident_facts::table))
                .filter(incident_assignees::assignee.eq_any(self.people.clone()))
                .filter(incident_assignees::incident_id.gt(after))
                .filter(waits())
                .order(incident_assignees::incident_id)
                .limit(WINDOW)
                .select((incident_assignees::incident_id, incident_assignees::assignee));
            let window: Vec<(i64, UserId)> = within!(joined, self.scope).load(conn)?;
            let Some((last, _)) = window.last() else {
                return Ok(counts);
            };
            after = *last;
            context.live.read(conn, &context.keys.place_veil(), |columns, _| {
                for (incident, user) in &window {
                    let waiting = columns.find_waiting(*incident);
                    let is_late = waiting.is_some_and(|(urgency, opened_s)| {
                        deadline.is_overdue(opened_s, urgency.class(), self.grain)
                    });
                    *counts.entry(*user).or_default() += i64::from(is_late);
                }
                Ok(())
            })?;
        }
    }
}
