//! What commands on the server do to people and phones; they act as nobody, and the log says so.

use chrono::{DateTime, Utc};

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::accounts::AccountError;
use crate::auth::store::{find_unknown_region, find_user_by_name, insert_grants};
use crate::auth::types::{GrantScope, Role, Scope};
use crate::auth::{invitations, sessions, tokens};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::writer::WriteTx;
use crate::error::{Code, Error, Result};
use crate::ids::{DeviceId, Id, UserId};
use crate::people::caller::told_in;
use crate::people::devices::store::{self as devices, DeviceRow};
use crate::people::grants::store::{list_of_users, list_usable, require_coordinator};
use crate::people::grants::types::StoredGrant;
use crate::people::lock;
use crate::people::users::rules::require_compatible;
use crate::people::users::store::{self as users, UserRow};
use crate::people::users::view::{open_name, state};
use crate::seal::envelope::OwnerKind;

/// Rows that are read at once.
const PAGE: i64 = 1_000;

/// A person, for whoever runs the server.
#[derive(Debug)]
pub struct ListedUser {
    /// The id.
    pub id: UserId,
    /// The name; `None` where its key was destroyed.
    pub name: Option<String>,
    /// `pending`, `active` or `disabled`.
    pub state: &'static str,
    /// Roles that are not over, such as `reviewer SLE`.
    pub grants: Vec<String>,
}

/// Returns everybody, in the order they were added.
///
/// # Errors
/// When the database fails or a name does not open.
pub fn list_users(context: &Context) -> Result<Vec<ListedUser>> {
    let now = context.clock.now();
    context.db.read_here(|conn| {
        let mut listed = Vec::new();
        let mut after = 0;
        loop {
            let (rows, _) = users::list_users(conn, &Scope::All, (after, PAGE), now.naive_utc())?;
            let Some(last) = rows.last() else { return Ok(listed) };
            after = last.row_id;
            listed.extend(list_page(conn, context, &rows, now)?);
        }
    })
}

fn list_page(
    conn: &mut DbConn,
    context: &Context,
    rows: &[UserRow],
    now: DateTime<Utc>,
) -> Result<Vec<ListedUser>> {
    let ids: Vec<i64> = rows.iter().map(|row| row.row_id).collect();
    let grants = list_of_users(conn, &ids, context.geo().countries())?;
    let usable = list_usable(conn, &ids, now.naive_utc())?;
    let told = |grant: &StoredGrant| format!("{} {}", grant.role.as_str(), grant.scope);
    let listed = rows.iter().map(|row| {
        let own = grants.iter().filter(|grant| grant.user_row == row.row_id);
        Ok(ListedUser {
            id: row.id,
            name: open_name(conn, &context.sealer, OwnerKind::User, row.id.uuid())?,
            state: state(row, &usable),
            grants: own.filter(|grant| !grant.is_over_at(now)).map(told).collect(),
        })
    });
    listed.collect()
}

/// Gives a person another role, from now on without an end.
///
/// # Errors
/// When there is no such person or region, the roles go with each other never, or the database fails.
pub fn grant_role(
    context: &Context,
    name: &str,
    role: Role,
    scopes: Vec<GrantScope>,
) -> std::result::Result<UserId, AccountError> {
    let (now, index) = (context.clock.now(), context.keys.name_index(name));
    let geo = context.geo();
    context.db.write_here(move |tx| {
        lock::hold(tx.conn)?;
        if let Some(region) = find_unknown_region(tx.conn, &scopes)? {
            return Ok(Err(AccountError::NoSuchRegion(region)));
        }
        let Some((row_id, id)) = find_user_by_name(tx.conn, &index)? else {
            return Ok(Err(AccountError::NoSuchUser));
        };
        let held = list_of_users(tx.conn, &[row_id], geo.countries())?;
        let roles = held.iter().filter(|grant| !grant.is_over_at(now)).map(|grant| grant.role);
        if require_compatible(role, roles).is_err() {
            return Ok(Err(AccountError::RolesApart));
        }
        insert_grants(tx.conn, row_id, role, &scopes, now)?;
        for scope in &scopes {
            let entry = Entry::new(Act::AddedGrant, id, now);
            let entry = entry.detail(format!("{} {scope}", role.as_str()));
            tx.record(told_in(entry, [scope]));
        }
        Ok(Ok(id))
    })?
}

/// Disables the account of that name; tells whether it was enabled.
///
/// # Errors
/// When there is no such person, nobody would be left to run the programme, or the database fails.
pub fn disable_user(context: &Context, name: &str) -> std::result::Result<bool, AccountError> {
    let (now, index) = (context.clock.now(), context.keys.name_index(name));
    let geo = context.geo();
    let disabled = context.db.write_here(move |tx| {
        lock::hold(tx.conn)?;
        let Some((row_id, id)) = find_user_by_name(tx.conn, &index)? else {
            return Ok(Err(AccountError::NoSuchUser));
        };
        let row = users::find_user(tx.conn, &Scope::All, id, now.naive_utc())?;
        if row.is_none_or(|row| row.disabled_at.is_some()) {
            return Ok(Ok(false));
        }
        let grants = list_of_users(tx.conn, &[row_id], geo.countries())?;
        let lasting: Vec<&StoredGrant> =
            grants.iter().filter(|grant| !grant.is_over_at(now)).collect();
        shut(tx, row_id, now)?;
        let entry = Entry::new(Act::DisabledUser, id, now);
        tx.record(told_in(entry, lasting.iter().map(|grant| &grant.scope)));
        if lasting.iter().any(|grant| grant.role == Role::Coordinator) {
            require_coordinator(tx.conn, now.naive_utc())?;
        }
        Ok(Ok(true))
    });
    disabled.map_err(last_coordinator)?
}

/// Disables an account and makes its links, sessions and tokens useless for good.
///
/// # Errors
/// When the database fails.
pub fn shut(tx: &mut WriteTx<'_>, row_id: i64, now: DateTime<Utc>) -> Result<()> {
    users::set_disabled(tx.conn, row_id, Some(now))?;
    invitations::revoke_all(tx.conn, row_id, now)?;
    sessions::end_all(tx.conn, row_id, now)?;
    tokens::revoke_all(tx.conn, row_id, now)?;
    Ok(())
}

fn last_coordinator(error: Error) -> AccountError {
    if error.code == Code::LastCoordinator {
        AccountError::LastCoordinator
    } else {
        AccountError::Store(error)
    }
}

/// Returns every phone with its name, in the order they were added.
///
/// # Errors
/// When the database fails or a name does not open.
pub fn list_devices(context: &Context) -> Result<Vec<(DeviceRow, Option<String>)>> {
    context.db.read_here(|conn| {
        let mut listed = Vec::new();
        let mut after = 0;
        loop {
            let (rows, _) = devices::list_devices(conn, &Scope::All, (after, PAGE))?;
            let Some(last) = rows.last() else { return Ok(listed) };
            after = last.row_id;
            for row in rows {
                let name = open_name(conn, &context.sealer, OwnerKind::Device, row.id.uuid())?;
                listed.push((row, name));
            }
        }
    })
}

/// Makes the key of a phone, by its name or id, useless; tells whether it was of use.
///
/// # Errors
/// When there is no such phone or the database fails.
pub fn revoke_device(
    context: &Context,
    name_or_id: &str,
) -> std::result::Result<bool, AccountError> {
    let (now, index) = (context.clock.now(), context.keys.name_index(name_or_id));
    let id: Option<DeviceId> = Id::parse(name_or_id);
    context.db.write_here(move |tx| {
        let named = devices::find_by_name(tx.conn, index)?;
        let found = match named.or(id) {
            Some(id) => devices::find_device(tx.conn, &Scope::All, id)?,
            None => None,
        };
        let Some(device) = found else {
            return Ok(Err(AccountError::NoSuchDevice));
        };
        let was_live = device.revoked_at.is_none();
        if was_live {
            devices::revoke_device(tx.conn, device.row_id, now)?;
            let entry = Entry::new(Act::RevokedDevice, device.id, now);
            tx.record(entry.within(&device.country, None));
        }
        Ok(Ok(was_live))
    })?
}
