//! What is done to phones, each in one transaction.

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::policy::may_manage;
use crate::auth::store::{NewDevice, insert_device, is_name_taken};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::sealed;
use crate::db::writer::WriteTx;
use crate::error::{Code, Error, FieldError, Result};
use crate::geo::countries::CountryCode;
use crate::ids::{DeviceId, OrganisationId, UserId};
use crate::people::caller::Caller;
use crate::people::devices::store::{self, DeviceRow};
use crate::people::organisations::store::find_organisation;
use crate::people::users::person::Person;
use crate::seal::envelope::{Owner, OwnerKind, Part};

/// What a phone is told by.
pub struct Described {
    /// Its name, unique among live phones.
    pub name: String,
    /// The person it belongs to.
    pub owner: Option<UserId>,
    /// The organisation that handed it out.
    pub organisation: Option<OrganisationId>,
}

/// Adds a phone with the hash of its key.
///
/// # Errors
/// `InvalidFields`, `NameTaken`; the database's failure.
pub fn add(
    tx: &mut WriteTx<'_>,
    context: &Context,
    caller: &Caller,
    described: &Described,
    (id, country, hash): (DeviceId, CountryCode, [u8; 32]),
) -> Result<DeviceRow> {
    let (owner, organisation) = find_tied(tx.conn, context, caller, described, None)?;
    let name_index = context.keys.name_index(&described.name);
    let device = NewDevice { id, name_index, country, owner, organisation };
    insert_device(tx.conn, &device, hash, caller.now).map_err(name_taken)?;
    seal_name(tx.conn, context, id, &described.name, 1)?;
    let entry = Entry::new(Act::AddedDevice, id, caller.now).by(caller.principal.user_id());
    tx.record(entry.within(country.as_str(), None));
    store::find_device(tx.conn, &caller.scope, id)?.ok_or_else(Error::not_found)
}

/// Changes what a phone is told by.
///
/// # Errors
/// `NotFound`, `InvalidFields`, `NameTaken`; the database's failure.
pub fn change(
    tx: &mut WriteTx<'_>,
    context: &Context,
    caller: &Caller,
    described: &Described,
    id: DeviceId,
) -> Result<DeviceRow> {
    let device = store::find_device(tx.conn, &caller.scope, id)?.ok_or_else(Error::not_found)?;
    let tied = find_tied(tx.conn, context, caller, described, device.owner)?;
    let name_index = context.keys.name_index(&described.name);
    store::update_device(tx.conn, device.row_id, name_index, tied).map_err(name_taken)?;
    let owner = Owner { kind: OwnerKind::Device, id: id.uuid() };
    let version =
        sealed::find_part(tx.conn, owner, Part::Identity)?.map_or(0, |(number, _)| number);
    // The name it had is nobody's business any more.
    sealed::destroy_keys(tx.conn, owner, Some(Part::Identity))?;
    seal_name(tx.conn, context, id, &described.name, version + 1)?;
    tx.record(entry_on(&device, Act::RenamedDevice, caller));
    store::find_device(tx.conn, &caller.scope, id)?.ok_or_else(Error::not_found)
}

/// Makes a phone's key useless from the next request on; one that is already stays as it is.
///
/// # Errors
/// `NotFound`; the database's failure.
pub fn revoke(tx: &mut WriteTx<'_>, caller: &Caller, id: DeviceId) -> Result<()> {
    let device = store::find_device(tx.conn, &caller.scope, id)?.ok_or_else(Error::not_found)?;
    if device.revoked_at.is_none() {
        store::revoke_device(tx.conn, device.row_id, caller.now)?;
        tx.record(entry_on(&device, Act::RevokedDevice, caller));
    }
    Ok(())
}

fn entry_on(device: &DeviceRow, act: Act, caller: &Caller) -> Entry {
    let entry = Entry::new(act, device.id, caller.now).by(caller.principal.user_id());
    entry.within(&device.country, None)
}

fn seal_name(
    conn: &mut DbConn,
    context: &Context,
    id: DeviceId,
    name: &str,
    version: i32,
) -> Result<()> {
    let owner = Owner { kind: OwnerKind::Device, id: id.uuid() };
    let number = u32::try_from(version).map_err(Error::internal)?;
    let name = context.sealer.seal(owner, Part::Identity, number, name.as_bytes())?;
    Ok(sealed::insert_part(conn, owner, Part::Identity, version, &name)?)
}

fn name_taken(error: diesel::result::Error) -> Error {
    if is_name_taken(&error) { Error::new(Code::NameTaken) } else { error.into() }
}

/// Returns the row ids of owner and organisation. Reports of a phone count as its owner's, so the owner is somebody whom
/// the caller manages, or the caller; whoever it was before (`kept`) may stay.
fn find_tied(
    conn: &mut DbConn,
    context: &Context,
    caller: &Caller,
    described: &Described,
    kept: Option<UserId>,
) -> Result<(Option<i64>, Option<i64>)> {
    let owner = match described.owner {
        None => None,
        Some(id) => {
            let is_own = caller.principal.user_id() == Some(id) || kept == Some(id);
            let person = Person::find(conn, context, caller, id)?;
            let person = person.filter(|person| {
                let is_mine = is_own || may_manage(&caller.principal, &person.held);
                is_mine && person.row.disabled_at.is_none()
            });
            Some(person.ok_or_else(no_owner)?.row.row_id)
        }
    };
    let organisation = match described.organisation {
        None => None,
        Some(id) => {
            let found = find_organisation(conn, id)?;
            Some(found.ok_or_else(no_organisation)?.row_id)
        }
    };
    Ok((owner, organisation))
}

fn no_owner() -> Error {
    Error::invalid(vec![FieldError::new(
        "/owner",
        "nobody whom you manage has this id, or the account is disabled",
        "aucune personne que vous gérez n'a cet identifiant, ou le compte est désactivé",
    )])
}

fn no_organisation() -> Error {
    Error::invalid(vec![FieldError::new(
        "/organisation",
        "there is no organisation of this id",
        "aucune organisation n'a cet identifiant",
    )])
}
