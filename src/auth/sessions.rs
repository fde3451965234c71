//! Sessions of people who signed in, in a table of our own: ended here, they are ended everywhere at once.

use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl,
};

use crate::auth::credential::{Credential, CredentialKind};
use crate::auth::types::{Grant, Role};
use crate::db::dialect::DbConn;
use crate::db::schema::{sessions, users};
use crate::error::{Error, Result};
use crate::ids::{SessionId, UserId};

/// Longest life of a session, used or not.
pub const LIFETIME: Duration = Duration::hours(8);
/// How long a session that reaches confidential data may lie unused.
const IDLE_STRICT: Duration = Duration::minutes(15);
/// How long any other may.
const IDLE: Duration = Duration::minutes(60);
/// A session in use is written down as seen no more often than this; so it may end up to a minute early.
const SEEN_STEP: Duration = Duration::minutes(1);

/// Tells whether whoever holds `role` must sign in with a second factor: all who can learn what is confidential, and
/// who decide who can.
pub fn needs_second_factor(role: Role) -> bool {
    match role {
        Role::Reviewer
        | Role::RegionalLead
        | Role::Coordinator
        | Role::Auditor
        | Role::Sysadmin => true,
        Role::Monitor | Role::Analyst => false,
    }
}

/// Returns how long a session of whoever holds these grants may lie unused.
pub fn idle_limit(grants: &[Grant]) -> Duration {
    if grants.iter().any(|grant| needs_second_factor(grant.role)) { IDLE_STRICT } else { IDLE }
}

/// A session as it is kept.
#[derive(Debug, Clone, diesel::Queryable)]
pub struct Session {
    /// Its id, to name it by.
    pub id: SessionId,
    /// When it began.
    pub created_at: NaiveDateTime,
    /// When it was last used, to the minute.
    pub seen_at: NaiveDateTime,
    /// When it ends, used or not.
    pub expires_at: NaiveDateTime,
    /// Whether it began with a second factor.
    pub has_second_factor: bool,
}

impl Session {
    /// Tells whether it has lain unused too long.
    pub fn is_idle(&self, now: DateTime<Utc>, limit: Duration) -> bool {
        now.naive_utc() - self.seen_at > limit
    }

    /// Tells whether its use now is worth writing down.
    pub fn is_to_be_seen(&self, now: DateTime<Utc>) -> bool {
        now.naive_utc() - self.seen_at >= SEEN_STEP
    }
}

const COLUMNS: (
    sessions::uuid,
    sessions::created_at,
    sessions::seen_at,
    sessions::expires_at,
    sessions::has_second_factor,
) = (
    sessions::uuid,
    sessions::created_at,
    sessions::seen_at,
    sessions::expires_at,
    sessions::has_second_factor,
);

/// Begins a session of the account with row id `user`, and returns its secret.
///
/// # Errors
/// When the database or the source of randomness fails.
pub fn begin(
    conn: &mut DbConn,
    user: i64,
    now: DateTime<Utc>,
    has_second_factor: bool,
) -> Result<(Session, Credential)> {
    let secret = Credential::generate(CredentialKind::Session).map_err(Error::internal)?;
    let session = Session {
        id: SessionId::random(),
        created_at: now.naive_utc(),
        seen_at: now.naive_utc(),
        expires_at: (now + LIFETIME).naive_utc(),
        has_second_factor,
    };
    diesel::insert_into(sessions::table)
        .values((
            sessions::uuid.eq(session.id),
            sessions::user_id.eq(user),
            sessions::hash.eq(secret.hash().to_vec()),
            sessions::created_at.eq(session.created_at),
            sessions::seen_at.eq(session.seen_at),
            sessions::expires_at.eq(session.expires_at),
            sessions::has_second_factor.eq(has_second_factor),
        ))
        .execute(conn)?;
    Ok((session, secret))
}

/// Returns the live session under `hash`, with the row id and the id of its account; whether it lay unused too long is
/// for the caller to ask.
///
/// # Errors
/// When the database fails.
pub fn find(
    conn: &mut DbConn,
    hash: &[u8],
    now: NaiveDateTime,
) -> QueryResult<Option<(i64, UserId, Session)>> {
    sessions::table
        .inner_join(users::table)
        .filter(sessions::hash.eq(hash).and(sessions::ended_at.is_null()))
        .filter(sessions::expires_at.gt(now).and(users::disabled_at.is_null()))
        .select((users::id, users::uuid, COLUMNS))
        .first(conn)
        .optional()
}

/// Tells whether a session began with a second factor.
///
/// # Errors
/// `NotFound` where there is none, or the database's failure.
pub fn has_second_factor(conn: &mut DbConn, id: SessionId) -> QueryResult<bool> {
    sessions::table.filter(sessions::uuid.eq(id)).select(sessions::has_second_factor).first(conn)
}

/// Writes down that a session is in use, unless that was written within the last minute.
///
/// # Errors
/// When the database fails.
pub fn see(conn: &mut DbConn, id: SessionId, now: DateTime<Utc>) -> QueryResult<usize> {
    let unseen = sessions::table
        .filter(sessions::uuid.eq(id))
        .filter(sessions::seen_at.le((now - SEEN_STEP).naive_utc()));
    diesel::update(unseen).set(sessions::seen_at.eq(now.naive_utc())).execute(conn)
}

/// Returns the live sessions of the account with row id `user`, the newest first; those that lie unused are among them
/// until the limit, which is `idle`.
///
/// # Errors
/// When the database fails.
pub fn list(
    conn: &mut DbConn,
    user: i64,
    (now, idle): (DateTime<Utc>, Duration),
    after: Option<i64>,
    limit: i64,
) -> QueryResult<Vec<(i64, Session)>> {
    let now_at = now.naive_utc();
    sessions::table
        .filter(sessions::user_id.eq(user).and(sessions::ended_at.is_null()))
        .filter(sessions::expires_at.gt(now_at).and(sessions::seen_at.ge(now_at - idle)))
        .filter(sessions::id.lt(after.unwrap_or(i64::MAX)))
        .order(sessions::id.desc())
        .limit(limit)
        .select((sessions::id, COLUMNS))
        .load(conn)
}

/// Ends one session of the account with row id `user`; `false` where there is no such live one.
///
/// # Errors
/// When the database fails.
pub fn end(conn: &mut DbConn, user: i64, id: SessionId, now: DateTime<Utc>) -> QueryResult<bool> {
    let live = sessions::table
        .filter(sessions::uuid.eq(id).and(sessions::user_id.eq(user)))
        .filter(sessions::ended_at.is_null().and(sessions::expires_at.gt(now.naive_utc())));
    let n_ended =
        diesel::update(live).set(sessions::ended_at.eq(Some(now.naive_utc()))).execute(conn)?;
    Ok(n_ended == 1)
}

/// Ends every session of the account with row id `user`: where it is disabled, its password set anew by a link.
///
/// # Errors
/// When the database fails.
pub fn end_all(conn: &mut DbConn, user: i64, now: DateTime<Utc>) -> QueryResult<usize> {
    let live = sessions::table.filter(sessions::user_id.eq(user).and(sessions::ended_at.is_null()));
    diesel::update(live).set(sessions::ended_at.eq(Some(now.naive_utc()))).execute(conn)
}

/// Ends every session of the account with row id `user` but `kept`.
///
/// # Errors
/// When the database fails.
pub fn end_others(
    conn: &mut DbConn,
    user: i64,
    kept: SessionId,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let others = sessions::table
        .filter(sessions::user_id.eq(user).and(sessions::ended_at.is_null()))
        .filter(sessions::uuid.ne(kept));
    diesel::update(others).set(sessions::ended_at.eq(Some(now.naive_utc()))).execute(conn)
}
