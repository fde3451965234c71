//! Grants in the database.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::dsl::{auto_type, exists};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl,
};

use crate::auth::types::{GrantScope, Role, Scope};
use crate::db::dialect::DbConn;
use crate::db::schema::{grant_tags, grants, passwords, region_countries, tokens, users};
use crate::error::{Code, Error, Result};
use crate::geo::countries::{Countries, CountryCode};
use crate::ids::{GrantId, UserId};
use crate::people::grants::period::Period;
use crate::people::grants::types::{NewGrant, StoredGrant};

/// Returns the country codes a scope is limited to; `None` for everywhere.
pub fn codes(scope: &Scope) -> Option<Vec<String>> {
    match scope {
        Scope::All => None,
        Scope::Countries(countries) => {
            Some(countries.iter().map(CountryCode::as_str).map(str::to_owned).collect())
        }
    }
}

/// A grant that reaches into one of these countries.
#[auto_type(no_type_alias)]
pub fn reaches(codes: Vec<String>) -> _ {
    let of_country: diesel::dsl::EqAny<grants::scope_value, Vec<String>> =
        grants::scope_value.eq_any(codes.clone());
    let members: diesel::dsl::EqAny<region_countries::country, Vec<String>> =
        region_countries::country.eq_any(codes);
    let regions = region_countries::table.filter(members).select(region_countries::region);
    grants::scope_kind
        .eq("all")
        .or(grants::scope_kind.eq("country").and(of_country))
        .or(grants::scope_kind.eq("region").and(grants::scope_value.eq_any(regions)))
}

/// A grant that is not over.
#[auto_type(no_type_alias)]
pub fn lasts(now: NaiveDateTime) -> _ {
    let ends_later: diesel::dsl::Gt<grants::valid_until, Option<NaiveDateTime>> =
        grants::valid_until.gt(Some(now));
    grants::revoked_at.is_null().and(grants::valid_until.is_null().or(ends_later))
}

type Row = (
    i64,
    GrantId,
    i64,
    UserId,
    String,
    String,
    String,
    NaiveDateTime,
    Option<NaiveDateTime>,
    Option<NaiveDateTime>,
);

#[auto_type(no_type_alias)]
fn columns() -> _ {
    (
        grants::id,
        grants::uuid,
        grants::user_id,
        users::uuid,
        grants::role,
        grants::scope_kind,
        grants::scope_value,
        grants::valid_from,
        grants::valid_until,
        grants::revoked_at,
    )
}

/// Which grants are asked for.
#[derive(Debug, Clone, Default)]
pub struct GrantFilter {
    /// Of this person.
    pub user: Option<UserId>,
    /// With this tag.
    pub tag: Option<String>,
    /// That reach into this country.
    pub country: Option<CountryCode>,
    /// Of this role.
    pub role: Option<Role>,
}

/// Returns up to `limit` grants after a row that are not over and reach into `scope`, oldest first, and how many there
/// are.
///
/// # Errors
/// When the database fails.
pub fn list_grants(
    conn: &mut DbConn,
    (scope, filter): (&Scope, &GrantFilter),
    (after, limit): (i64, i64),
    countries: &Countries,
    now: NaiveDateTime,
) -> QueryResult<(Vec<StoredGrant>, i64)> {
    let matching = || {
        let mut query = grants::table.inner_join(users::table).filter(lasts(now)).into_boxed();
        if let Some(codes) = codes(scope) {
            query = query.filter(reaches(codes));
        }
        if let Some(country) = filter.country {
            query = query.filter(reaches(vec![country.as_str().to_owned()]));
        }
        if let Some(user) = filter.user {
            query = query.filter(users::uuid.eq(user));
        }
        if let Some(role) = filter.role {
            query = query.filter(grants::role.eq(role.as_str()));
        }
        if let Some(tag) = filter.tag.clone() {
            let tagged = grant_tags::table.filter(grant_tags::tag.eq(tag));
            query = query.filter(grants::id.eq_any(tagged.select(grant_tags::grant_id)));
        }
        query
    };
    let total = matching().count().get_result(conn)?;
    let found: Vec<Row> = matching()
        .filter(grants::id.gt(after))
        .order(grants::id)
        .limit(limit)
        .select(columns())
        .load(conn)?;
    Ok((with_tags(conn, found, countries)?, total))
}

/// Returns every grant of these people (row ids) that there ever was, oldest first.
///
/// # Errors
/// When the database fails.
pub fn list_of_users(
    conn: &mut DbConn,
    users: &[i64],
    countries: &Countries,
) -> QueryResult<Vec<StoredGrant>> {
    let found: Vec<Row> = grants::table
        .inner_join(users::table)
        .filter(grants::user_id.eq_any(users.to_vec()))
        .order(grants::id)
        .select(columns())
        .load(conn)?;
    with_tags(conn, found, countries)
}

/// Returns one grant that reaches into `scope`.
///
/// # Errors
/// When the database fails.
pub fn find_grant(
    conn: &mut DbConn,
    scope: &Scope,
    id: GrantId,
    countries: &Countries,
) -> QueryResult<Option<StoredGrant>> {
    let mut query = grants::table.inner_join(users::table).filter(grants::uuid.eq(id)).into_boxed();
    if let Some(codes) = codes(scope) {
        query = query.filter(reaches(codes));
    }
    let found: Vec<Row> = query.select(columns()).load(conn)?;
    Ok(with_tags(conn, found, countries)?.pop())
}

fn with_tags(
    conn: &mut DbConn,
    rows: Vec<Row>,
    countries: &Countries,
) -> QueryResult<Vec<StoredGrant>> {
    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let tags: Vec<(i64, String)> = grant_tags::table
        .filter(grant_tags::grant_id.eq_any(ids))
        .order((grant_tags::grant_id, grant_tags::tag))
        .select((grant_tags::grant_id, grant_tags::tag))
        .load(conn)?;
    let stored = |row: Row| {
        let (row_id, id, user_row, user, role, kind, value, from, until, revoked_at) = row;
        let of_grant = tags.iter().filter(|(grant, _)| *grant == row_id);
        Some(StoredGrant {
            row_id,
            id,
            user_row,
            user,
            role: Role::parse(&role)?,
            scope: GrantScope::from_columns(&kind, &value, countries)?,
            period: Period { from: from.and_utc(), until: until.map(|until| until.and_utc()) },
            revoked_at: revoked_at.map(|at| at.and_utc()),
            tags: of_grant.map(|(_, tag)| tag.clone()).collect(),
        })
    };
    Ok(rows.into_iter().filter_map(stored).collect())
}

/// Gives a grant to the account with row id `user`; `giver` is nobody on the command line.
///
/// # Errors
/// When the database fails.
pub fn insert_grant(
    conn: &mut DbConn,
    user: i64,
    grant: &NewGrant,
    giver: Option<UserId>,
    now: DateTime<Utc>,
) -> QueryResult<GrantId> {
    let id = GrantId::random();
    let (kind, value) = grant.scope.columns();
    diesel::insert_into(grants::table)
        .values((
            grants::uuid.eq(id),
            grants::user_id.eq(user),
            grants::role.eq(grant.role.as_str()),
            grants::scope_kind.eq(kind),
            grants::scope_value.eq(value),
            grants::valid_from.eq(grant.period.from.naive_utc()),
            grants::valid_until.eq(grant.period.until.map(|until| until.naive_utc())),
            grants::granted_by.eq(giver),
            grants::created_at.eq(now.naive_utc()),
        ))
        .execute(conn)?;
    let row_id: i64 = grants::table.filter(grants::uuid.eq(id)).select(grants::id).first(conn)?;
    for tag in &grant.tags {
        diesel::insert_into(grant_tags::table)
            .values((grant_tags::grant_id.eq(row_id), grant_tags::tag.eq(tag)))
            .execute(conn)?;
    }
    Ok(id)
}

/// Ends a grant now; its row stays.
///
/// # Errors
/// When the database fails.
pub fn end_grant(conn: &mut DbConn, row_id: i64, now: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(grants::table.find(row_id))
        .set(grants::revoked_at.eq(Some(now.naive_utc())))
        .execute(conn)
        .map(drop)
}

/// An account that can be used: its owner has set a password, or holds a token of full width.
#[auto_type(no_type_alias)]
fn can_be_used(now: NaiveDateTime) -> _ {
    let has_password = exists(passwords::table.filter(passwords::user_id.eq(users::id)));
    let ends_later: diesel::dsl::Gt<tokens::expires_at, Option<NaiveDateTime>> =
        tokens::expires_at.gt(Some(now));
    let has_token = exists(
        tokens::table
            .filter(tokens::user_id.eq(users::id))
            .filter(tokens::revoked_at.is_null().and(tokens::actions.is_null()))
            .filter(tokens::expires_at.is_null().or(ends_later)),
    );
    has_password.or(has_token)
}

/// Returns those of these accounts (row ids) that can be used.
///
/// # Errors
/// When the database fails.
pub fn list_usable(conn: &mut DbConn, ids: &[i64], now: NaiveDateTime) -> QueryResult<Vec<i64>> {
    users::table
        .filter(users::id.eq_any(ids.to_vec()).and(can_be_used(now)))
        .select(users::id)
        .load(conn)
}

/// Refuses what leaves nobody to run the programme: a coordinator who is not disabled, can sign in now, and whose grant
/// has no end. Called after the change, under [`crate::people::lock::hold`].
///
/// # Errors
/// `LastCoordinator`; the database's failure.
pub fn require_coordinator(conn: &mut DbConn, now: NaiveDateTime) -> Result<()> {
    let found: Option<i64> = users::table
        .inner_join(grants::table)
        .filter(grants::role.eq(Role::Coordinator.as_str()))
        .filter(grants::revoked_at.is_null().and(grants::valid_until.is_null()))
        .filter(grants::valid_from.le(now).and(users::disabled_at.is_null()))
        .filter(can_be_used(now))
        .select(users::id)
        .first(conn)
        .optional()?;
    found.map(drop).ok_or_else(|| Error::new(Code::LastCoordinator))
}
