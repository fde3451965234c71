//! Giving and ending grants, each in one transaction that begins with the lock.

use chrono::{DateTime, Utc};

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::types::{Grant, GrantScope, Role};
use crate::context::Context;
use crate::db::writer::WriteTx;
use crate::error::{Code, Error, FieldError, Result};
use crate::ids::{GrantId, UserId};
use crate::people::caller::{Caller, told_in};
use crate::people::grants::store;
use crate::people::grants::types::{NewGrant, StoredGrant, no_such_scope, resolve};
use crate::people::lock;
use crate::people::regions::store::list_regions;
use crate::people::regions::types::Region;
use crate::people::users::person::Person;
use crate::people::users::rules::{
    require_another, require_compatible, require_may_grant, require_new,
};

/// Gives a role to a person.
///
/// # Errors
/// `InvalidFields`, `Forbidden`, `AccountDisabled`, `RolesApart`, `AlreadyGranted`; the database's failure.
pub fn give(
    tx: &mut WriteTx<'_>,
    context: &Context,
    caller: &Caller,
    (user, grant): (UserId, &NewGrant),
) -> Result<StoredGrant> {
    lock::hold(tx.conn)?;
    let person = Person::find(tx.conn, context, caller, user)?.ok_or_else(nobody)?;
    let geo = context.geo();
    let regions = list_regions(tx.conn, geo.countries())?;
    let resolved = check_region("/scope", grant, &regions)?;
    require_another(&caller.principal, user)?;
    require_may_grant(&caller.principal, &resolved)?;
    if person.row.disabled_at.is_some() {
        return Err(Error::new(Code::AccountDisabled));
    }
    require_compatible(grant.role, person.roles())?;
    require_new(grant, &person.lasting)?;
    let giver = caller.principal.user_id();
    let id = store::insert_grant(tx.conn, person.row.row_id, grant, giver, caller.now)?;
    tx.record(entry_of(Act::AddedGrant, user, grant, caller));
    let stored = store::find_grant(tx.conn, &caller.scope, id, geo.countries())?;
    stored.ok_or_else(Error::not_found)
}

fn nobody() -> Error {
    Error::invalid(vec![FieldError::new(
        "/user",
        "nobody with this id is here",
        "personne n'a cet identifiant ici",
    )])
}

/// Returns the grant as the policy knows it, if its region exists.
///
/// # Errors
/// `InvalidFields` at `pointer`.
pub fn check_region(pointer: &str, grant: &NewGrant, regions: &[Region]) -> Result<Grant> {
    if !is_known_region(&grant.scope, regions) {
        return Err(Error::invalid(vec![no_such_scope(pointer)]));
    }
    let scope = resolve(&grant.scope, regions);
    Ok(Grant { role: grant.role, written: grant.scope.clone(), scope })
}

/// Tells whether the region that `scope` names exists; one that names none is fine.
pub fn is_known_region(scope: &GrantScope, regions: &[Region]) -> bool {
    match scope {
        GrantScope::Region(code) => regions.iter().any(|region| region.code == *code),
        GrantScope::All | GrantScope::Country(_) => true,
    }
}

/// Ends a grant now; one that is over already stays as it is.
///
/// # Errors
/// `NotFound`, `Forbidden`, `LastCoordinator`; the database's failure.
pub fn end(tx: &mut WriteTx<'_>, context: &Context, caller: &Caller, id: GrantId) -> Result<()> {
    lock::hold(tx.conn)?;
    let geo = context.geo();
    let found = store::find_grant(tx.conn, &caller.scope, id, geo.countries())?;
    let grant = found.ok_or_else(Error::not_found)?;
    let regions = list_regions(tx.conn, geo.countries())?;
    require_may_grant(&caller.principal, &grant.resolve(&regions))?;
    if grant.is_over_at(caller.now) {
        return Ok(());
    }
    store::end_grant(tx.conn, grant.row_id, caller.now)?;
    let StoredGrant { role, scope, period, tags, user, .. } = grant;
    let ended = NewGrant { role, scope, period, tags };
    tx.record(entry_of(Act::RevokedGrant, user, &ended, caller));
    if role == Role::Coordinator {
        store::require_coordinator(tx.conn, caller.now.naive_utc())?;
    }
    Ok(())
}

/// Returns the audit entry of `act` on a grant of `user`: which role where, from when to when, with which tags.
pub fn entry_of(act: Act, user: UserId, grant: &NewGrant, caller: &Caller) -> Entry {
    let NewGrant { role, scope, period, tags } = grant;
    let at = |at: &DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let begins = (period.from > caller.now).then(|| format!("from {}", at(&period.from)));
    let ends = period.until.as_ref().map(|until| format!("until {}", at(until)));
    let role_and_scope = [role.as_str().to_owned(), scope.to_string()];
    let words = role_and_scope.into_iter().chain(begins).chain(ends).chain(tags.iter().cloned());
    let detail = words.collect::<Vec<String>>().join(" ");
    let entry = Entry::new(act, user, caller.now).by(caller.principal.user_id()).detail(detail);
    told_in(entry, [scope])
}
