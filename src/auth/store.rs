//! Accounts, tokens, devices and grants in the database.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods,
    OptionalExtension, QueryDsl, QueryResult, RunQueryDsl,
};

use crate::auth::credential::{Credential, CredentialKind};
use crate::auth::policy::Action;
use crate::auth::sessions;
use crate::auth::types::{Grant, GrantScope, Limits, Principal, Role, Scope};
use crate::db::dialect::{self, DbConn};
use crate::db::schema::{devices, grants, passwords, region_countries, regions, tokens, users};
use crate::geo::countries::{Countries, CountryCode};
use crate::ids::{DeviceId, GrantId, SessionId, UserId};

/// Whom a credential belongs to.
pub struct Caller {
    /// Whoever asks.
    pub principal: Principal,
    /// A session whose use is to be written down.
    pub unseen: Option<SessionId>,
}

impl From<Principal> for Caller {
    fn from(principal: Principal) -> Self {
        Self { principal, unseen: None }
    }
}

/// Returns whom a credential belongs to now: not revoked, not expired, not disabled.
///
/// # Errors
/// When the database fails.
pub fn find_caller(
    conn: &mut DbConn,
    credential: &Credential,
    now: DateTime<Utc>,
    countries: &Countries,
) -> QueryResult<Option<Caller>> {
    let hash = credential.hash().to_vec();
    Ok(match credential.kind() {
        CredentialKind::User | CredentialKind::Feed => {
            find_user(conn, &hash, now.naive_utc(), countries)?.map(Caller::from)
        }
        CredentialKind::Session => find_session(conn, &hash, now, countries)?,
        CredentialKind::Device => find_device(conn, &hash)?.map(Caller::from),
        CredentialKind::Invitation => None,
    })
}

fn find_user(
    conn: &mut DbConn,
    hash: &[u8],
    now: NaiveDateTime,
    countries: &Countries,
) -> QueryResult<Option<Principal>> {
    let found: Option<TokenRow> = tokens::table
        .inner_join(users::table)
        .filter(
            tokens::hash
                .eq(hash)
                .and(tokens::revoked_at.is_null())
                .and(users::disabled_at.is_null()),
        )
        .filter(tokens::expires_at.is_null().or(tokens::expires_at.gt(Some(now))))
        .select((users::id, users::uuid, tokens::actions, tokens::scope, tokens::may_reveal))
        .first(conn)
        .optional()?;
    let Some(row) = found else {
        return Ok(None);
    };
    let grants = list_grants(conn, row.user_row_id, now, countries)?;
    let limits = row.limits(conn, countries)?;
    Ok(Some(Principal::User { id: row.user, grants, limits }))
}

/// Returns whoever signed in. Without the second factor that a role needs, that role's grants stay away.
fn find_session(
    conn: &mut DbConn,
    hash: &[u8],
    now: DateTime<Utc>,
    countries: &Countries,
) -> QueryResult<Option<Caller>> {
    let Some((user_row_id, id, session)) = sessions::find(conn, hash, now.naive_utc())? else {
        return Ok(None);
    };
    let mut grants = list_grants(conn, user_row_id, now.naive_utc(), countries)?;
    if session.is_idle(now, sessions::idle_limit(&grants)) {
        return Ok(None);
    }
    grants.retain(|grant| session.has_second_factor || !sessions::needs_second_factor(grant.role));
    let limits = Limits { session: Some(session.id), may_reveal: true, ..Limits::default() };
    let unseen = session.is_to_be_seen(now).then_some(session.id);
    Ok(Some(Caller { principal: Principal::User { id, grants, limits }, unseen }))
}

#[derive(diesel::Queryable)]
struct TokenRow {
    user_row_id: i64,
    user: UserId,
    actions: Option<String>,
    scope: Option<String>,
    may_reveal: bool,
}

impl TokenRow {
    /// Returns what the token may do; what it names and we no longer know allows nothing.
    fn limits(&self, conn: &mut DbConn, countries: &Countries) -> QueryResult<Limits> {
        let actions = self.actions.as_deref().map(|actions| {
            actions.split_whitespace().filter_map(Action::parse).collect::<BTreeSet<_>>()
        });
        let scope = match &self.scope {
            None => None,
            Some(written) => Some(resolve_list(conn, written, countries)?),
        };
        Ok(Limits { actions, scope, may_reveal: self.may_reveal, session: None })
    }
}

/// Returns what the account with row id `user` may do at `now`.
///
/// # Errors
/// When the database fails.
pub fn list_grants(
    conn: &mut DbConn,
    user: i64,
    now: NaiveDateTime,
    countries: &Countries,
) -> QueryResult<Vec<Grant>> {
    let rows: Vec<(String, String, String)> = grants::table
        .filter(grants::user_id.eq(user))
        .filter(grants::revoked_at.is_null().and(grants::valid_from.le(now)))
        .filter(grants::valid_until.is_null().or(grants::valid_until.gt(Some(now))))
        .order(grants::id)
        .select((grants::role, grants::scope_kind, grants::scope_value))
        .load(conn)?;
    let mut found = Vec::with_capacity(rows.len());
    for (role, kind, value) in rows {
        let written = GrantScope::from_columns(&kind, &value, countries);
        let (Some(role), Some(written)) = (Role::parse(&role), written) else {
            continue;
        };
        let scope = resolve(conn, &written, countries)?;
        found.push(Grant { role, written, scope });
    }
    Ok(found)
}

/// Returns the countries a scope stands for now: regions are asked of the database, so that an edit bites on the next
/// request at every server.
///
/// # Errors
/// When the database fails.
pub fn resolve(
    conn: &mut DbConn,
    written: &GrantScope,
    countries: &Countries,
) -> QueryResult<Scope> {
    let members: Vec<String> = match written {
        GrantScope::All | GrantScope::Country(_) => Vec::new(),
        GrantScope::Region(region) => region_countries::table
            .filter(region_countries::region.eq(region))
            .select(region_countries::country)
            .load(conn)?,
    };
    Ok(written.resolve(members.iter().filter_map(|code| countries.parse(code)).collect()))
}

/// Returns the first region of `scopes` that does not exist.
///
/// # Errors
/// When the database fails.
pub fn find_unknown_region(
    conn: &mut DbConn,
    scopes: &[GrantScope],
) -> QueryResult<Option<String>> {
    for scope in scopes {
        let GrantScope::Region(code) = scope else { continue };
        let found: Option<String> =
            regions::table.find(code).select(regions::code).first(conn).optional()?;
        if found.is_none() {
            return Ok(Some(code.clone()));
        }
    }
    Ok(None)
}

/// Returns the countries of a list such as `SLE,region:west`; what is not known stands for none.
///
/// # Errors
/// When the database fails.
pub fn resolve_list(conn: &mut DbConn, list: &str, countries: &Countries) -> QueryResult<Scope> {
    let mut scope = Scope::nowhere();
    for part in list.split(',') {
        let written = match part.strip_prefix("region:") {
            Some(region) => Some(GrantScope::Region(region.to_owned())),
            None if part == "all" => Some(GrantScope::All),
            None => countries.parse(part).map(GrantScope::Country),
        };
        if let Some(written) = written {
            scope = scope.union(resolve(conn, &written, countries)?);
        }
    }
    Ok(scope)
}

fn find_device(conn: &mut DbConn, hash: &[u8]) -> QueryResult<Option<Principal>> {
    let found: Option<(DeviceId, Option<UserId>)> = devices::table
        .left_join(users::table.on(devices::owner_id.eq(users::id.nullable())))
        .filter(
            devices::hash
                .eq(hash)
                .and(devices::revoked_at.is_null())
                .and(users::disabled_at.is_null()),
        )
        .select((devices::uuid, users::uuid.nullable()))
        .first(conn)
        .optional()?;
    Ok(found.map(|(id, owner)| Principal::Device { id, owner }))
}

/// Returns the row id of an account.
///
/// # Errors
/// `NotFound` where there is none, or the database's failure.
pub fn find_row_id(conn: &mut DbConn, user: UserId) -> QueryResult<i64> {
    users::table.filter(users::uuid.eq(user)).select(users::id).first(conn)
}

/// Returns the hash of the password of the account with row id `user`.
///
/// # Errors
/// When the database fails.
pub fn find_password(conn: &mut DbConn, user: i64) -> QueryResult<Option<String>> {
    passwords::table.find(user).select(passwords::hash).first(conn).optional()
}

/// Stores the hash of the password of the account with row id `user`, the first or a new one.
///
/// # Errors
/// When the database fails.
pub fn put_password(
    conn: &mut DbConn,
    user: i64,
    hash: &str,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    let values = (passwords::hash.eq(hash), passwords::changed_at.eq(now.naive_utc()));
    let n_changed = diesel::update(passwords::table.find(user)).set(values).execute(conn)?;
    if n_changed == 0 {
        diesel::insert_into(passwords::table)
            .values((passwords::user_id.eq(user), values))
            .execute(conn)?;
    }
    Ok(())
}

/// Returns the account under `name_index`.
///
/// # Errors
/// When the database fails.
pub fn find_user_by_name(
    conn: &mut DbConn,
    name_index: &[u8],
) -> QueryResult<Option<(i64, UserId)>> {
    users::table
        .filter(users::name_index.eq(name_index))
        .select((users::id, users::uuid))
        .first(conn)
        .optional()
}

/// Adds an account with its grants.
///
/// # Errors
/// A unique violation when the name is taken; see [`is_name_taken`].
pub fn insert_user(
    conn: &mut DbConn,
    id: UserId,
    name_index: &[u8],
    role: Role,
    scopes: &[GrantScope],
    now: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::insert_into(users::table)
        .values((
            users::uuid.eq(id),
            users::name_index.eq(name_index),
            users::created_at.eq(now.naive_utc()),
        ))
        .execute(conn)?;
    let row_id: i64 = users::table.filter(users::uuid.eq(id)).select(users::id).first(conn)?;
    insert_grants(conn, row_id, role, scopes, now)
}

/// Gives the account with row id `user` a role in each of these scopes, from now on without an end.
///
/// # Errors
/// When the database fails.
pub fn insert_grants(
    conn: &mut DbConn,
    user: i64,
    role: Role,
    scopes: &[GrantScope],
    now: DateTime<Utc>,
) -> QueryResult<()> {
    for scope in scopes {
        let (kind, value) = scope.columns();
        diesel::insert_into(grants::table)
            .values((
                grants::uuid.eq(GrantId::random()),
                grants::user_id.eq(user),
                grants::role.eq(role.as_str()),
                grants::scope_kind.eq(kind),
                grants::scope_value.eq(value),
                grants::valid_from.eq(now.naive_utc()),
                grants::created_at.eq(now.naive_utc()),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Tells whether `error` says that a user or a device of that name exists.
pub fn is_name_taken(error: &diesel::result::Error) -> bool {
    dialect::is_taken(error, "users_name_index_key", "users", "name_index")
        || dialect::is_taken(error, "devices_name_index_key", "devices", "name_index")
}

/// What is kept of a new device.
pub struct NewDevice {
    /// Its id.
    pub id: DeviceId,
    /// Keyed hash of its name.
    pub name_index: [u8; 32],
    /// The country it works in; no declaration of where a report belongs.
    pub country: CountryCode,
    /// Row id of the person it belongs to.
    pub owner: Option<i64>,
    /// Row id of the organisation that handed it out.
    pub organisation: Option<i64>,
}

/// Adds a device with the hash of its key.
///
/// # Errors
/// A unique violation when the name is taken; see [`is_name_taken`].
pub fn insert_device(
    conn: &mut DbConn,
    device: &NewDevice,
    hash: [u8; 32],
    now: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::insert_into(devices::table)
        .values((
            devices::uuid.eq(device.id),
            devices::name_index.eq(device.name_index.to_vec()),
            devices::country.eq(device.country.as_str()),
            devices::owner_id.eq(device.owner),
            devices::organisation_id.eq(device.organisation),
            devices::hash.eq(hash.to_vec()),
            devices::created_at.eq(now.naive_utc()),
        ))
        .execute(conn)
        .map(drop)
}
