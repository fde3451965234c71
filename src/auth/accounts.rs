//! Makes accounts, tokens and device keys, each audited in its own transaction.

use chrono::{DateTime, Duration, Utc};
use zeroize::Zeroizing;

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::credential::{Credential, CredentialKind};
use crate::auth::invitations::{self, Invitation};
use crate::auth::setup;
use crate::auth::store::{self, NewDevice};
use crate::auth::tokens::{self, Narrowing};
use crate::auth::types::{GrantScope, Role};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::sealed;
use crate::db::writer::WriteTx;
use crate::error::{Error, Result};
use crate::geo::countries::CountryCode;
use crate::ids::{DeviceId, OrganisationId, TokenId, UserId};
use crate::people::caller::told_in;
use crate::people::organisations::store::{self as organisations, Membership, NewOrganisation};
use crate::seal::envelope::{Owner, OwnerKind, Part, Sealer};

/// Why an account could not be made; the message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The name is in use.
    #[error("there is a user or a device of that name already; choose another")]
    NameTaken,
    /// Nobody has the name.
    #[error("there is no user of that name; add one with `user add`")]
    NoSuchUser,
    /// No live phone has the name, none the id.
    #[error("there is no such phone; `device list` shows those there are")]
    NoSuchDevice,
    /// No token has the id.
    #[error("there is no token of that id; `GET /v1/tokens` lists them to their owner")]
    NoSuchToken,
    /// One person may not hold both roles.
    #[error(
        "one person is not coordinator and auditor or system administrator at once: add another user"
    )]
    RolesApart,
    /// Nobody could run the programme.
    #[error("no coordinator would be left who can sign in: add another one first")]
    LastCoordinator,
    /// No region has the code.
    #[error("{0:?} is no region; `GET /v1/regions` lists them")]
    NoSuchRegion(String),
    /// No country has the code.
    #[error("{0:?} is no country taken in here; give one such as SLE")]
    NoSuchCountry(String),
    /// The store or the keys.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Adds a person with one role.
///
/// # Errors
/// When the name is taken, a region is unknown, or the database fails.
pub fn add_user(
    context: &Context,
    name: &str,
    role: Role,
    scopes: Vec<GrantScope>,
) -> std::result::Result<UserId, AccountError> {
    let id = UserId::random();
    let now = context.clock.now();
    let index = context.keys.name_index(name);
    let owner = Owner { kind: OwnerKind::User, id: id.uuid() };
    let identity =
        context.sealer.seal(owner, Part::Identity, 1, name.as_bytes()).map_err(Error::from)?;
    let added = context.db.write_here(move |tx| {
        if let Some(region) = store::find_unknown_region(tx.conn, &scopes)? {
            return Ok(Err(AccountError::NoSuchRegion(region)));
        }
        store::insert_user(tx.conn, id, &index, role, &scopes, now)?;
        sealed::insert_part(tx.conn, owner, Part::Identity, 1, &identity)?;
        if role == Role::Coordinator {
            setup::close(tx.conn, now)?;
        }
        let entry = Entry::new(Act::AddedUser, id, now).detail(role.as_str());
        tx.record(told_in(entry, &scopes));
        Ok(Ok(id))
    });
    added.map_err(taken)?
}

/// Makes a token for the person of that name, as wide as its owner but for revealing.
///
/// # Errors
/// When there is none or the database fails.
pub fn add_token(
    context: &Context,
    name: &str,
    expires_at: Option<DateTime<Utc>>,
) -> std::result::Result<Credential, AccountError> {
    add_narrow_token(context, name, expires_at, Narrowing::default())
}

/// Makes a token for the person of that name.
///
/// # Errors
/// When there is none, a region is unknown, or the database fails.
pub fn add_narrow_token(
    context: &Context,
    name: &str,
    expires_at: Option<DateTime<Utc>>,
    narrowing: Narrowing,
) -> std::result::Result<Credential, AccountError> {
    let token = Credential::generate(narrowing.kind()).map_err(Error::internal)?;
    let hash = token.hash();
    let now = context.clock.now();
    let index = context.keys.name_index(name);
    context.db.write_here(move |tx| {
        let scopes = narrowing.scope.as_deref().unwrap_or_default();
        if let Some(region) = store::find_unknown_region(tx.conn, scopes)? {
            return Ok(Err(AccountError::NoSuchRegion(region)));
        }
        let Some((row_id, user)) = store::find_user_by_name(tx.conn, &index)? else {
            return Ok(Err(AccountError::NoSuchUser));
        };
        tokens::insert(tx.conn, (row_id, hash), &narrowing, now, expires_at)?;
        tx.record(Entry::new(Act::AddedToken, user, now));
        Ok(Ok(()))
    })??;
    Ok(token)
}

/// Makes a token useless; tells whether it was of use.
///
/// # Errors
/// When there is none or the database fails.
pub fn revoke_token(context: &Context, id: TokenId) -> std::result::Result<bool, AccountError> {
    let now = context.clock.now();
    context.db.write_here(move |tx| {
        let Some(token) = tokens::find(tx.conn, id)? else {
            return Ok(Err(AccountError::NoSuchToken));
        };
        let was_live = token.revoked_at.is_none();
        if was_live {
            tokens::revoke(tx.conn, token.row_id, now)?;
            tx.record(Entry::new(Act::RevokedToken, id, now));
        }
        Ok(Ok(was_live))
    })?
}

/// Adds a phone. An organisation that is not known yet becomes a candidate.
///
/// # Errors
/// When the country or the owner is unknown, the name is taken, or the database fails.
pub fn add_device(
    context: &Context,
    name: &str,
    country: &str,
    owner: Option<&str>,
    organisation: Option<String>,
) -> std::result::Result<(DeviceId, Credential), AccountError> {
    let country = context
        .geo()
        .countries()
        .parse(country)
        .ok_or_else(|| AccountError::NoSuchCountry(country.to_owned()))?;
    let key = Credential::generate(CredentialKind::Device).map_err(Error::internal)?;
    let id = DeviceId::random();
    let now = context.clock.now();
    let (hash, index) = (key.hash(), context.keys.name_index(name));
    let owner_index = owner.map(|owner| context.keys.name_index(owner));
    let sealed_under = Owner { kind: OwnerKind::Device, id: id.uuid() };
    let identity = context
        .sealer
        .seal(sealed_under, Part::Identity, 1, name.as_bytes())
        .map_err(Error::from)?;
    let added = context.db.write_here(move |tx| {
        let owner =
            owner_index.map(|index| store::find_user_by_name(tx.conn, &index)).transpose()?;
        if owner == Some(None) {
            return Ok(Err(AccountError::NoSuchUser));
        }
        let owner = owner.flatten().map(|(row_id, _)| row_id);
        let organisation =
            organisation.map(|name| find_or_add(tx, name, country, now)).transpose()?;
        let device = NewDevice { id, name_index: index, country, owner, organisation };
        store::insert_device(tx.conn, &device, hash, now)?;
        sealed::insert_part(tx.conn, sealed_under, Part::Identity, 1, &identity)?;
        tx.record(Entry::new(Act::AddedDevice, id, now).within(country.as_str(), None));
        Ok(Ok(()))
    });
    added.map_err(taken)??;
    Ok((id, key))
}

/// Returns the row id of the organisation of that name; where there is none, one is added that is to be looked at.
fn find_or_add(
    tx: &mut WriteTx<'_>,
    name: String,
    country: CountryCode,
    now: DateTime<Utc>,
) -> Result<i64> {
    if let Some(row_id) = organisations::find_by_name(tx.conn, &name)? {
        return Ok(row_id);
    }
    let id = OrganisationId::random();
    let new = NewOrganisation { name, country: Some(country), membership: Membership::Candidate };
    organisations::insert_organisation(tx.conn, id, &new, now)?;
    let entry = Entry::new(Act::AddedOrganisation, id, now).detail(new.membership.as_str());
    tx.record(entry.within(country.as_str(), None));
    let row = organisations::find_organisation(tx.conn, id)?;
    row.map(|row| row.row_id).ok_or_else(Error::not_found)
}

/// Makes a link by which the person of that name sets a password; earlier ones stop working.
///
/// # Errors
/// When there is none or the database fails.
pub fn invite(
    context: &Context,
    name: &str,
    lifetime: Duration,
) -> std::result::Result<Invitation, AccountError> {
    let now = context.clock.now();
    let index = context.keys.name_index(name);
    let made = context.db.write_here(move |tx| {
        let Some((row_id, user)) = store::find_user_by_name(tx.conn, &index)? else {
            return Ok(None);
        };
        tx.record(Entry::new(Act::InvitedUser, user, now));
        invitations::insert(tx, row_id, now, lifetime).map(Some)
    })?;
    made.ok_or(AccountError::NoSuchUser)
}

/// Opens the name of an account.
///
/// # Errors
/// `NotFound` where it has none any more, or the failure of the database or the keys.
pub fn open_name(conn: &mut DbConn, sealer: &Sealer, user: UserId) -> Result<Zeroizing<String>> {
    let owner = Owner { kind: OwnerKind::User, id: user.uuid() };
    let found = sealed::find_part(conn, owner, Part::Identity)?;
    let (version, content) = found.ok_or_else(Error::not_found)?;
    let opened = sealer.open(owner, Part::Identity, version.cast_unsigned(), &content)?;
    let name = std::str::from_utf8(&opened).map_err(Error::internal)?;
    Ok(Zeroizing::new(name.to_owned()))
}

fn taken(error: Error) -> AccountError {
    if error.database_cause().is_some_and(store::is_name_taken) {
        AccountError::NameTaken
    } else {
        AccountError::Store(error)
    }
}
