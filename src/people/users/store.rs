//! People in the database.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::{
    ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl, QueryResult,
    RunQueryDsl,
};

use crate::auth::types::Scope;
use crate::db::dialect::DbConn;
use crate::db::schema::{devices, grants, organisations, users};
use crate::ids::{OrganisationId, UserId};
use crate::people::grants::store::{codes, lasts, reaches};

/// A person as stored, without the name.
#[derive(Debug, Clone, diesel::Queryable)]
pub struct UserRow {
    /// Row id.
    pub row_id: i64,
    /// Public id.
    pub id: UserId,
    /// The organisation, where one is known.
    pub organisation: Option<OrganisationId>,
    /// When the account was disabled, if it is.
    pub disabled_at: Option<NaiveDateTime>,
}

#[diesel::dsl::auto_type(no_type_alias)]
fn joined() -> _ {
    users::table.left_join(organisations::table)
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (users::id, users::uuid, organisations::uuid.nullable(), users::disabled_at)
}

/// Returns up to `limit` people after a row, in the order they were added, and how many there are: those with a grant
/// that is not over and reaches into `scope`; with an unlimited scope everybody.
///
/// # Errors
/// When the database fails.
pub fn list_users(
    conn: &mut DbConn,
    scope: &Scope,
    (after, limit): (i64, i64),
    now: NaiveDateTime,
) -> QueryResult<(Vec<UserRow>, i64)> {
    let matching = || {
        let query = joined().into_boxed();
        match codes(scope) {
            None => query,
            Some(codes) => {
                let seen = grants::table.filter(lasts(now)).filter(reaches(codes));
                query.filter(users::id.eq_any(seen.select(grants::user_id)))
            }
        }
    };
    let total = matching().count().get_result(conn)?;
    let found = matching()
        .filter(users::id.gt(after))
        .order(users::id)
        .limit(limit)
        .select(columns())
        .load(conn)?;
    Ok((found, total))
}

/// Returns one person whom [`list_users`] would list.
///
/// # Errors
/// When the database fails.
pub fn find_user(
    conn: &mut DbConn,
    scope: &Scope,
    id: UserId,
    now: NaiveDateTime,
) -> QueryResult<Option<UserRow>> {
    let query = joined().filter(users::uuid.eq(id)).select(columns()).into_boxed();
    let query = match codes(scope) {
        None => query,
        Some(codes) => {
            let seen = grants::table.filter(lasts(now)).filter(reaches(codes));
            query.filter(users::id.eq_any(seen.select(grants::user_id)))
        }
    };
    query.first(conn).optional()
}

/// Adds an account without a grant and without a way to sign in; returns its row id.
///
/// # Errors
/// A unique violation when the name is taken; see [`crate::auth::store::is_name_taken`].
pub fn insert_user(
    conn: &mut DbConn,
    id: UserId,
    name_index: [u8; 32],
    organisation: Option<i64>,
    now: DateTime<Utc>,
) -> QueryResult<i64> {
    diesel::insert_into(users::table)
        .values((
            users::uuid.eq(id),
            users::name_index.eq(name_index.to_vec()),
            users::organisation_id.eq(organisation),
            users::created_at.eq(now.naive_utc()),
        ))
        .execute(conn)?;
    users::table.filter(users::uuid.eq(id)).select(users::id).first(conn)
}

/// Disables the account from `at` on, or enables it again with `None`.
///
/// # Errors
/// When the database fails.
pub fn set_disabled(conn: &mut DbConn, row_id: i64, at: Option<DateTime<Utc>>) -> QueryResult<()> {
    diesel::update(users::table.find(row_id))
        .set(users::disabled_at.eq(at.map(|at| at.naive_utc())))
        .execute(conn)
        .map(drop)
}

/// Gives the live phones of one person to another.
///
/// # Errors
/// When the database fails.
pub fn move_devices(conn: &mut DbConn, from: i64, to: i64) -> QueryResult<usize> {
    let live =
        devices::table.filter(devices::owner_id.eq(from)).filter(devices::revoked_at.is_null());
    diesel::update(live).set(devices::owner_id.eq(Some(to))).execute(conn)
}
