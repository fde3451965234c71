//! What is done to people, each in one transaction that begins with the lock.

use chrono::Duration;

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::invitations::{self, Invitation};
use crate::auth::store::is_name_taken;
use crate::context::Context;
use crate::db::sealed;
use crate::db::writer::WriteTx;
use crate::error::{Code, Error, FieldError, Result};
use crate::ids::{OrganisationId, UserId};
use crate::people::caller::{Caller, told_in};
use crate::people::commands::shut;
use crate::people::grants::acts::{check_region, entry_of};
use crate::people::grants::period::Period;
use crate::people::grants::store::{end_grant, insert_grant, require_coordinator};
use crate::people::grants::types::{NewGrant, StoredGrant};
use crate::people::lock;
use crate::people::organisations::store::find_organisation;
use crate::people::regions::store::list_regions;
use crate::people::users::person::Person;
use crate::people::users::rules::{
    require_another, require_compatible, require_may_grant, require_may_manage,
};
use crate::people::users::store;
use crate::review::assignments::hand_over_cases;
use crate::seal::envelope::{Owner, OwnerKind, Part, Sealed};

/// How long the first link works.
const INVITATION: Duration = Duration::days(7);
/// How long a link works by which somebody sets a new password.
const RENEWAL: Duration = Duration::hours(24);

/// A person who is to be.
pub struct NewUser {
    /// The id.
    pub id: UserId,
    /// Keyed hash of the name.
    pub name_index: [u8; 32],
    /// The name.
    pub name: Sealed,
    /// The organisation.
    pub organisation: Option<OrganisationId>,
    /// What they may do, at least one.
    pub grants: Vec<NewGrant>,
}

/// Adds a person with grants and the link by which they set a password.
///
/// # Errors
/// `InvalidFields`, `Forbidden`, `RolesApart`, `NameTaken`; the database's failure.
pub fn invite(
    tx: &mut WriteTx<'_>,
    context: &Context,
    caller: &Caller,
    new: &NewUser,
) -> Result<Invitation> {
    lock::hold(tx.conn)?;
    let organisation = match new.organisation {
        None => None,
        Some(id) => {
            let found = find_organisation(tx.conn, id)?;
            Some(found.ok_or_else(no_organisation)?.row_id)
        }
    };
    let regions = list_regions(tx.conn, context.geo().countries())?;
    for (index, grant) in new.grants.iter().enumerate() {
        let resolved = check_region(&format!("/grants/{index}/scope"), grant, &regions)?;
        require_may_grant(&caller.principal, &resolved)?;
        require_compatible(grant.role, new.grants.iter().map(|other| other.role))?;
    }
    let row_id = store::insert_user(tx.conn, new.id, new.name_index, organisation, caller.now)
        .map_err(name_taken)?;
    let owner = Owner { kind: OwnerKind::User, id: new.id.uuid() };
    sealed::insert_part(tx.conn, owner, Part::Identity, 1, &new.name)?;
    let told = |act| {
        let entry = Entry::new(act, new.id, caller.now).by(caller.principal.user_id());
        told_in(entry, new.grants.iter().map(|grant| &grant.scope))
    };
    tx.record(told(Act::AddedUser));
    for grant in &new.grants {
        insert_grant(tx.conn, row_id, grant, caller.principal.user_id(), caller.now)?;
        tx.record(entry_of(Act::AddedGrant, new.id, grant, caller));
    }
    tx.record(told(Act::InvitedUser));
    invitations::insert(tx, row_id, caller.now, INVITATION)
}

fn no_organisation() -> Error {
    Error::invalid(vec![FieldError::new(
        "/organisation",
        "there is no organisation of this id",
        "aucune organisation n'a cet identifiant",
    )])
}

fn name_taken(error: diesel::result::Error) -> Error {
    if is_name_taken(&error) { Error::new(Code::NameTaken) } else { error.into() }
}

/// Makes a new link for a person, by which they set a new password; older links stop working.
///
/// # Errors
/// `NotFound`, `Forbidden`, `AccountDisabled`; the database's failure.
pub fn renew_invitation(
    tx: &mut WriteTx<'_>,
    context: &Context,
    caller: &Caller,
    id: UserId,
) -> Result<Invitation> {
    let person = find_managed(tx, context, caller, id)?;
    require_another(&caller.principal, id)?;
    if person.row.disabled_at.is_some() {
        return Err(Error::new(Code::AccountDisabled));
    }
    tx.record(entry_on(&person, Act::InvitedUser, caller));
    invitations::insert(tx, person.row.row_id, caller.now, RENEWAL)
}

/// Disables an account: nothing of it works from now on, and its links, sessions and tokens never again.
///
/// # Errors
/// `NotFound`, `Forbidden`, `LastCoordinator`; the database's failure.
pub fn disable(tx: &mut WriteTx<'_>, context: &Context, caller: &Caller, id: UserId) -> Result<()> {
    let person = find_managed(tx, context, caller, id)?;
    if person.row.disabled_at.is_some() {
        return Ok(());
    }
    shut_account(tx, caller, &person)?;
    if person.is_coordinator() {
        require_coordinator(tx.conn, caller.now.naive_utc())?;
    }
    Ok(())
}

fn shut_account(tx: &mut WriteTx<'_>, caller: &Caller, person: &Person) -> Result<()> {
    shut(tx, person.row.row_id, caller.now)?;
    tx.record(entry_on(person, Act::DisabledUser, caller));
    Ok(())
}

/// Enables an account again: its grants hold as before; signing in needs the password, or a new link.
///
/// # Errors
/// `NotFound`, `Forbidden`; the database's failure.
pub fn enable(tx: &mut WriteTx<'_>, context: &Context, caller: &Caller, id: UserId) -> Result<()> {
    let person = find_managed(tx, context, caller, id)?;
    if person.row.disabled_at.is_none() {
        return Ok(());
    }
    store::set_disabled(tx.conn, person.row.row_id, None)?;
    tx.record(entry_on(&person, Act::EnabledUser, caller));
    Ok(())
}

/// Gives what one person does today, their phones and their cases to another, and disables the first.
///
/// # Errors
/// `NotFound`, `InvalidFields` for the other one, `Forbidden`, `RolesApart`, `LastCoordinator`; the database's failure.
pub fn hand_over(
    tx: &mut WriteTx<'_>,
    context: &Context,
    caller: &Caller,
    (from, to): (UserId, UserId),
) -> Result<()> {
    let giver = find_managed(tx, context, caller, from)?;
    require_another(&caller.principal, to)?;
    let taker = Person::find(tx.conn, context, caller, to)?;
    let taker = taker.filter(|taker| to != from && taker.row.disabled_at.is_none());
    let taker = taker.ok_or_else(no_taker)?;
    for grant in giver.lasting.iter().filter(|grant| grant.holds_at(caller.now)) {
        require_compatible(grant.role, taker.roles())?;
        hand_over_grant(tx, caller, grant, &taker)?;
    }
    let n_devices = store::move_devices(tx.conn, giver.row.row_id, taker.row.row_id)?;
    let n_cases = hand_over_cases(tx.conn, (from, to), caller.now)?;
    let entry = entry_on(&giver, Act::HandedOver, caller);
    tx.record(entry.detail(format!("to {to} devices {n_devices} cases {n_cases}")));
    if giver.row.disabled_at.is_none() {
        shut_account(tx, caller, &giver)?;
    }
    if giver.is_coordinator() {
        require_coordinator(tx.conn, caller.now.naive_utc())?;
    }
    Ok(())
}

fn hand_over_grant(
    tx: &mut WriteTx<'_>,
    caller: &Caller,
    grant: &StoredGrant,
    taker: &Person,
) -> Result<()> {
    let given = NewGrant {
        role: grant.role,
        scope: grant.scope.clone(),
        period: Period { from: caller.now, until: grant.period.until },
        tags: grant.tags.clone(),
    };
    end_grant(tx.conn, grant.row_id, caller.now)?;
    tx.record(entry_of(Act::RevokedGrant, grant.user, &given, caller));
    insert_grant(tx.conn, taker.row.row_id, &given, caller.principal.user_id(), caller.now)?;
    tx.record(entry_of(Act::AddedGrant, taker.row.id, &given, caller));
    Ok(())
}

fn no_taker() -> Error {
    Error::invalid(vec![FieldError::new(
        "/to",
        "nobody else with this id is here, or the account is disabled",
        "personne d'autre n'a cet identifiant ici, ou le compte est désactivé",
    )])
}

/// Returns a person whom the caller may change, under the lock.
fn find_managed(
    tx: &mut WriteTx<'_>,
    context: &Context,
    caller: &Caller,
    id: UserId,
) -> Result<Person> {
    lock::hold(tx.conn)?;
    let person = Person::find(tx.conn, context, caller, id)?.ok_or_else(Error::not_found)?;
    require_may_manage(&caller.principal, &person.held)?;
    Ok(person)
}

fn entry_on(person: &Person, act: Act, caller: &Caller) -> Entry {
    let entry = Entry::new(act, person.row.id, caller.now).by(caller.principal.user_id());
    told_in(entry, person.lasting.iter().map(|grant| &grant.scope))
}
