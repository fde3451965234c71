//! Phones in the database.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::{
    ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension, QueryDsl,
    QueryResult, RunQueryDsl,
};

use crate::auth::types::Scope;
use crate::db::dialect::DbConn;
use crate::db::schema::{devices, organisations, users};
use crate::ids::{DeviceId, OrganisationId, UserId};
use crate::people::grants::store::codes;

/// A phone as stored, without its name; its key is nowhere.
#[derive(Debug, Clone, diesel::Queryable)]
pub struct DeviceRow {
    /// Row id.
    pub row_id: i64,
    /// Public id.
    pub id: DeviceId,
    /// Alpha-3 code.
    pub country: String,
    /// The person it belongs to.
    pub owner: Option<UserId>,
    /// The organisation that handed it out.
    pub organisation: Option<OrganisationId>,
    /// When its key was made.
    pub created_at: NaiveDateTime,
    /// When its key was revoked, if it was.
    pub revoked_at: Option<NaiveDateTime>,
}

#[diesel::dsl::auto_type(no_type_alias)]
fn joined() -> _ {
    devices::table.left_join(users::table.on(devices::owner_id.eq(users::id.nullable()))).left_join(
        organisations::table.on(devices::organisation_id.eq(organisations::id.nullable())),
    )
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        devices::id,
        devices::uuid,
        devices::country,
        users::uuid.nullable(),
        organisations::uuid.nullable(),
        devices::created_at,
        devices::revoked_at,
    )
}

/// Returns up to `limit` phones after a row, in the order they were added, and how many there are in `scope`.
///
/// # Errors
/// When the database fails.
pub fn list_devices(
    conn: &mut DbConn,
    scope: &Scope,
    (after, limit): (i64, i64),
) -> QueryResult<(Vec<DeviceRow>, i64)> {
    let matching = || {
        let query = joined().into_boxed();
        match codes(scope) {
            None => query,
            Some(codes) => query.filter(devices::country.eq_any(codes)),
        }
    };
    let total = matching().count().get_result(conn)?;
    let found = matching()
        .filter(devices::id.gt(after))
        .order(devices::id)
        .limit(limit)
        .select(columns())
        .load(conn)?;
    Ok((found, total))
}

/// Returns one phone in `scope`.
///
/// # Errors
/// When the database fails.
pub fn find_device(
    conn: &mut DbConn,
    scope: &Scope,
    id: DeviceId,
) -> QueryResult<Option<DeviceRow>> {
    let query = joined().filter(devices::uuid.eq(id)).into_boxed();
    let query = match codes(scope) {
        None => query,
        Some(codes) => query.filter(devices::country.eq_any(codes)),
    };
    query.select(columns()).first(conn).optional()
}

/// Returns the live phone under `name_index`.
///
/// # Errors
/// When the database fails.
pub fn find_by_name(conn: &mut DbConn, name_index: [u8; 32]) -> QueryResult<Option<DeviceId>> {
    devices::table
        .filter(devices::name_index.eq(name_index.to_vec()))
        .filter(devices::revoked_at.is_null())
        .select(devices::uuid)
        .first(conn)
        .optional()
}

/// Gives a phone a name, an owner and an organisation (row ids), in the place of those it had.
///
/// # Errors
/// A unique violation when the name is taken; see [`crate::auth::store::is_name_taken`].
pub fn update_device(
    conn: &mut DbConn,
    row_id: i64,
    name_index: [u8; 32],
    (owner, organisation): (Option<i64>, Option<i64>),
) -> QueryResult<()> {
    diesel::update(devices::table.find(row_id))
        .set((
            devices::name_index.eq(name_index.to_vec()),
            devices::owner_id.eq(owner),
            devices::organisation_id.eq(organisation),
        ))
        .execute(conn)
        .map(drop)
}

/// Makes a key useless.
///
/// # Errors
/// When the database fails.
pub fn revoke_device(conn: &mut DbConn, row_id: i64, now: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(devices::table.find(row_id))
        .set(devices::revoked_at.eq(Some(now.naive_utc())))
        .execute(conn)
        .map(drop)
}
