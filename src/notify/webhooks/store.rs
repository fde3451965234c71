//! Webhooks in the database.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};

use crate::auth::policy::{Action, visible};
use crate::auth::store::{list_grants, resolve_list};
use crate::auth::types::{Limits, Principal, Scope};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::{outbox, users, webhooks};
use crate::ids::{UserId, WebhookId};

/// Whether a webhook sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It sends.
    Active,
    /// Its owner stopped it.
    Paused,
    /// An event could not be delivered in two days: it waits for its owner.
    Failing,
    /// The receiver answered 410: it waits for its owner.
    Gone,
}

impl State {
    /// Returns its code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Failing => "failing",
            Self::Gone => "gone",
        }
    }
}

/// A webhook as stored; address and secret are sealed apart from it.
#[derive(Debug, Clone, diesel::Queryable)]
pub struct WebhookRow {
    /// Row id.
    pub row_id: i64,
    /// Public id.
    pub id: WebhookId,
    /// Row id of its owner.
    pub owner_row: i64,
    /// Its owner.
    pub owner: UserId,
    /// When its owner's account was disabled, if it was.
    pub disabled_at: Option<NaiveDateTime>,
    /// As [`crate::auth::types::GrantScope::parse_list`] reads it.
    pub scope: String,
    /// Codes of kinds, with spaces between.
    pub kinds: String,
    /// Code of [`State`].
    pub state: String,
    /// The change up to which events are in the outbox.
    pub position: i64,
    /// Version of the sealed address.
    pub address_version: i32,
    /// Version of the sealed secret.
    pub secret_version: i32,
    /// When it was made.
    pub created_at: NaiveDateTime,
    /// When an event was last taken.
    pub sent_at: Option<NaiveDateTime>,
    /// When a try last failed.
    pub failed_at: Option<NaiveDateTime>,
    /// Why.
    pub failure: Option<String>,
}

#[diesel::dsl::auto_type(no_type_alias)]
fn rows() -> _ {
    webhooks::table.inner_join(users::table).select((
        webhooks::id,
        webhooks::uuid,
        webhooks::owner_id,
        users::uuid,
        users::disabled_at,
        webhooks::scope,
        webhooks::kinds,
        webhooks::state,
        webhooks::position,
        webhooks::address_version,
        webhooks::secret_version,
        webhooks::created_at,
        webhooks::sent_at,
        webhooks::failed_at,
        webhooks::failure,
    ))
}

/// Returns one webhook.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, id: WebhookId) -> QueryResult<Option<WebhookRow>> {
    rows().filter(webhooks::uuid.eq(id)).first(conn).optional()
}

/// Returns one webhook by its row id.
///
/// # Errors
/// When the database fails.
pub fn find_by_row(conn: &mut DbConn, row_id: i64) -> QueryResult<Option<WebhookRow>> {
    rows().filter(webhooks::id.eq(row_id)).first(conn).optional()
}

/// Returns up to `limit` webhooks of a person after a row, oldest first, and how many there are.
///
/// # Errors
/// When the database fails.
pub fn list_of_user(
    conn: &mut DbConn,
    user: UserId,
    (after, limit): (i64, i64),
) -> QueryResult<(Vec<WebhookRow>, i64)> {
    let total = webhooks::table
        .inner_join(users::table)
        .filter(users::uuid.eq(user))
        .count()
        .get_result(conn)?;
    let found = rows()
        .filter(users::uuid.eq(user))
        .filter(webhooks::id.gt(after))
        .order(webhooks::id)
        .limit(limit)
        .load(conn)?;
    Ok((found, total))
}

/// Returns up to `limit` webhooks that send and have not come to change `head`, after a row.
///
/// # Errors
/// When the database fails.
pub fn list_behind(
    conn: &mut DbConn,
    head: i64,
    (after, limit): (i64, i64),
) -> QueryResult<Vec<WebhookRow>> {
    rows()
        .filter(webhooks::state.eq(State::Active.as_str()))
        .filter(webhooks::position.lt(head))
        .filter(webhooks::id.gt(after))
        .order(webhooks::id)
        .limit(limit)
        .load(conn)
}

/// Returns how many events wait for a webhook.
///
/// # Errors
/// When the database fails.
pub fn count_pending(conn: &mut DbConn, row_id: i64) -> QueryResult<i64> {
    outbox::table
        .filter(outbox::webhook_id.eq(row_id))
        .filter(outbox::state.eq("pending"))
        .count()
        .get_result(conn)
}

/// Returns the countries of which a webhook tells now: those it was made for, as far as its owner may still have them
/// sent. Nowhere for an account that is disabled.
///
/// # Errors
/// When the database fails.
pub fn scope_now(
    conn: &mut DbConn,
    context: &Context,
    webhook: &WebhookRow,
    now: DateTime<Utc>,
) -> QueryResult<Scope> {
    if webhook.disabled_at.is_some() {
        return Ok(Scope::nowhere());
    }
    let geo = context.geo();
    let grants = list_grants(conn, webhook.owner_row, now.naive_utc(), geo.countries())?;
    let owner = Principal::User { id: webhook.owner, grants, limits: Limits::default() };
    let Ok(scope) = visible(&owner, Action::ManageWebhooks) else {
        return Ok(Scope::nowhere());
    };
    Ok(resolve_list(conn, &webhook.scope, geo.countries())?.intersection(&scope))
}

/// What is stored of a webhook beside what is sealed.
#[derive(Debug)]
pub struct Settings {
    /// As [`crate::auth::types::GrantScope::parse_list`] reads it.
    pub scope: String,
    /// Codes of kinds, with spaces between.
    pub kinds: String,
    /// Whether it sends.
    pub state: State,
}

/// Adds a webhook of the account with row id `owner`, which tells of what comes after change `position`.
///
/// # Errors
/// When the database fails.
pub fn insert(
    conn: &mut DbConn,
    (id, owner): (WebhookId, i64),
    settings: &Settings,
    position: i64,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::insert_into(webhooks::table)
        .values((
            webhooks::uuid.eq(id),
            webhooks::owner_id.eq(owner),
            webhooks::scope.eq(&settings.scope),
            webhooks::kinds.eq(&settings.kinds),
            webhooks::state.eq(settings.state.as_str()),
            webhooks::position.eq(position),
            webhooks::address_version.eq(1),
            webhooks::secret_version.eq(1),
            webhooks::created_at.eq(now.naive_utc()),
        ))
        .execute(conn)
        .map(drop)
}

/// Changes a webhook. One that sends again tries at once what waits, and what had been given up.
///
/// # Errors
/// When the database fails.
pub fn update(
    conn: &mut DbConn,
    row: &WebhookRow,
    settings: &Settings,
    (address_version, secret_version): (i32, i32),
    now: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::update(webhooks::table.find(row.row_id))
        .set((
            webhooks::scope.eq(&settings.scope),
            webhooks::kinds.eq(&settings.kinds),
            webhooks::state.eq(settings.state.as_str()),
            webhooks::address_version.eq(address_version),
            webhooks::secret_version.eq(secret_version),
        ))
        .execute(conn)?;
    if settings.state == State::Active {
        let waiting = outbox::table
            .filter(outbox::webhook_id.eq(row.row_id))
            .filter(outbox::state.eq_any(["pending", "dead"]));
        diesel::update(waiting)
            .set((
                outbox::state.eq("pending"),
                outbox::n_tries.eq(0),
                outbox::next_at.eq(now.naive_utc()),
                outbox::done_at.eq(None::<NaiveDateTime>),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Removes a webhook with all that waits for it.
///
/// # Errors
/// When the database fails.
pub fn remove(conn: &mut DbConn, row_id: i64) -> QueryResult<()> {
    diesel::delete(outbox::table.filter(outbox::webhook_id.eq(row_id))).execute(conn)?;
    diesel::delete(webhooks::table.find(row_id)).execute(conn).map(drop)
}
