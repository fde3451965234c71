//! What is done to webhooks, each in one transaction with its entry in the audit log.

use crate::aggregates::store::find_head;
use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::store::find_row_id;
use crate::auth::types::{GrantScope, Scope};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::sealed;
use crate::db::writer::WriteTx;
use crate::error::{Error, FieldError, Result};
use crate::ids::{UserId, WebhookId};
use crate::notify::changes::EventKind;
use crate::notify::webhooks::store::{self, Settings, State, WebhookRow};
use crate::people::caller::{Caller, told_in};
use crate::people::grants::acts::is_known_region;
use crate::people::grants::types::{no_such_scope, resolve};
use crate::people::regions::store::list_regions;
use crate::people::tokens::require_may_end;
use crate::seal::envelope::{Owner, OwnerKind, Part};

/// Most webhooks of one person.
const MOST_OF_ONE: i64 = 20;

/// What a webhook is to be, checked as far as that goes without the database.
#[derive(Debug)]
pub struct Wanted {
    /// Where to; in full.
    pub url: String,
    /// Of which countries.
    pub scope: Vec<GrantScope>,
    /// Of which kinds of change.
    pub kinds: Vec<EventKind>,
    /// Whether it sends.
    pub state: State,
    /// The change after which it begins; the last one where it does not say.
    pub after: Option<i64>,
    /// A secret to sign with; one that exists keeps its own where there is none.
    pub secret: Option<Vec<u8>>,
}

impl Wanted {
    fn settings(&self) -> Settings {
        let scope: Vec<String> = self.scope.iter().map(ToString::to_string).collect();
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.as_str()).collect();
        Settings { scope: scope.join(","), kinds: kinds.join(" "), state: self.state }
    }
}

/// Adds a webhook of the caller.
///
/// # Errors
/// `InvalidFields`; the database's failure.
pub fn add(
    tx: &mut WriteTx<'_>,
    context: &Context,
    caller: &Caller,
    wanted: &Wanted,
) -> Result<WebhookRow> {
    check_scope(tx.conn, context, caller, &wanted.scope)?;
    let owner = caller.principal.user_id().ok_or_else(Error::not_found)?;
    let (_, n_there) = store::list_of_user(tx.conn, owner, (0, 0))?;
    if n_there >= MOST_OF_ONE {
        return Err(too_many());
    }
    let head = find_head(tx.conn)?;
    let after = wanted.after.unwrap_or(head);
    if after > head {
        return Err(beyond_last(head));
    }
    let id = WebhookId::random();
    let row_id = find_row_id(tx.conn, owner)?;
    store::insert(tx.conn, (id, row_id), &wanted.settings(), after, caller.now)?;
    seal(tx.conn, context, id, (Part::Address, 1), wanted.url.as_bytes())?;
    let secret = wanted.secret.as_deref().unwrap_or_default();
    seal(tx.conn, context, id, (Part::Secret, 1), secret)?;
    tx.record(entry(Act::AddedWebhook, id, caller, &wanted.scope));
    store::find(tx.conn, id)?.ok_or_else(Error::not_found)
}

/// Changes a webhook that the caller may see.
///
/// # Errors
/// `NotFound`, `InvalidFields`; the database's failure.
pub fn change(
    tx: &mut WriteTx<'_>,
    context: &Context,
    caller: &Caller,
    (id, wanted): (WebhookId, &Wanted),
) -> Result<WebhookRow> {
    let row = find(tx.conn, context, caller, id)?;
    check_scope(tx.conn, context, caller, &wanted.scope)?;
    let address = replace(
        tx.conn,
        context,
        &row,
        (Part::Address, row.address_version),
        Some(wanted.url.as_bytes()),
    )?;
    let secret = replace(
        tx.conn,
        context,
        &row,
        (Part::Secret, row.secret_version),
        wanted.secret.as_deref(),
    )?;
    store::update(tx.conn, &row, &wanted.settings(), (address, secret), caller.now)?;
    tx.record(entry(Act::ChangedWebhook, id, caller, &wanted.scope));
    store::find(tx.conn, id)?.ok_or_else(Error::not_found)
}

/// Removes a webhook that the caller may see; nobody can open its address and secret any more.
///
/// # Errors
/// `NotFound`; the database's failure.
pub fn remove(
    tx: &mut WriteTx<'_>,
    context: &Context,
    caller: &Caller,
    id: WebhookId,
) -> Result<()> {
    let row = find(tx.conn, context, caller, id)?;
    store::remove(tx.conn, row.row_id)?;
    sealed::destroy_keys(tx.conn, owner_of(id), None)?;
    let entry = Entry::new(Act::RemovedWebhook, id, caller.now);
    tx.record(entry.by(caller.principal.user_id()));
    Ok(())
}

/// Returns a webhook of the caller, or of somebody the caller manages.
///
/// # Errors
/// `NotFound`; the database's failure.
pub fn find(
    conn: &mut DbConn,
    context: &Context,
    caller: &Caller,
    id: WebhookId,
) -> Result<WebhookRow> {
    let row = store::find(conn, id)?.ok_or_else(Error::not_found)?;
    require_may_end(conn, context, caller, row.owner)?;
    Ok(row)
}

/// Opens a sealed part of a webhook.
///
/// # Errors
/// `NotFound` where it is gone, or the failure of the database or the keys.
pub fn open(
    conn: &mut DbConn,
    context: &Context,
    (id, part, version): (WebhookId, Part, i32),
) -> Result<zeroize::Zeroizing<Vec<u8>>> {
    let owner = owner_of(id);
    let found = sealed::find_version(conn, owner, part, version)?.ok_or_else(Error::not_found)?;
    Ok(context.sealer.open(owner, part, version.cast_unsigned(), &found)?)
}

/// Returns the entry that somebody tried a webhook out.
pub fn tested(
    id: WebhookId,
    caller: Option<UserId>,
    now: chrono::DateTime<chrono::Utc>,
    failure: Option<String>,
) -> Entry {
    Entry::new(Act::TestedWebhook, id, now).by(caller).detail(failure.unwrap_or_default())
}

fn entry(act: Act, id: WebhookId, caller: &Caller, scope: &[GrantScope]) -> Entry {
    told_in(Entry::new(act, id, caller.now).by(caller.principal.user_id()), scope)
}

fn owner_of(id: WebhookId) -> Owner {
    Owner { kind: OwnerKind::Webhook, id: id.uuid() }
}

fn seal(
    conn: &mut DbConn,
    context: &Context,
    id: WebhookId,
    (part, version): (Part, i32),
    plain: &[u8],
) -> Result<()> {
    let owner = owner_of(id);
    let sealed_part = context.sealer.seal(owner, part, version.cast_unsigned(), plain)?;
    Ok(sealed::insert_part(conn, owner, part, version, &sealed_part)?)
}

/// Seals another content in the place of a part's, whose key is destroyed; returns the version that counts from now on.
fn replace(
    conn: &mut DbConn,
    context: &Context,
    row: &WebhookRow,
    (part, version): (Part, i32),
    plain: Option<&[u8]>,
) -> Result<i32> {
    let Some(plain) = plain else { return Ok(version) };
    sealed::destroy_keys(conn, owner_of(row.id), Some(part))?;
    seal(conn, context, row.id, (part, version + 1), plain)?;
    Ok(version + 1)
}

/// A webhook tells of no country in which the caller could not have it told.
fn check_scope(
    conn: &mut DbConn,
    context: &Context,
    caller: &Caller,
    scope: &[GrantScope],
) -> Result<()> {
    let regions = list_regions(conn, context.geo().countries())?;
    if !scope.iter().all(|one| is_known_region(one, &regions)) {
        return Err(Error::invalid(vec![no_such_scope("/scope")]));
    }
    let resolved = scope.iter().map(|one| resolve(one, &regions)).reduce(Scope::union);
    if resolved.is_some_and(|resolved| caller.scope.contains(&resolved)) {
        return Ok(());
    }
    Err(Error::invalid(vec![FieldError::new(
        "/scope",
        "this is beyond where you may have changes sent from",
        "ceci dépasse les pays dont vous pouvez faire envoyer les changements",
    )]))
}

fn too_many() -> Error {
    Error::invalid(vec![FieldError::new(
        "",
        format!("one person keeps {MOST_OF_ONE} webhooks at most: remove one first"),
        format!("une personne garde {MOST_OF_ONE} webhooks au plus : supprimez-en un d'abord"),
    )])
}

fn beyond_last(head: i64) -> Error {
    Error::invalid(vec![FieldError::new(
        "/after",
        format!("the last change is {head}"),
        format!("le dernier changement est {head}"),
    )])
}
