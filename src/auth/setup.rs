//! The first coordinator: by a link that works once, printed where the server starts. There is never a default password.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::credential::{Credential, CredentialKind};
use crate::auth::known::KnownDevice;
use crate::auth::passwords::Password;
use crate::auth::store;
use crate::auth::types::{GrantScope, Role};
use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::db::schema::{grants, setup_links};
use crate::db::sealed;
use crate::db::writer::WriteTx;
use crate::error::{Code, Error, FieldError, Result};
use crate::ids::UserId;
use crate::seal::envelope::{Owner, OwnerKind, Part};

/// The one row there is: however many use it at once, one does.
const LINK: &str = "first_coordinator";

/// Longest name of an account, in characters.
pub const LONGEST_NAME: usize = 200;

/// Makes a link for the first coordinator, in place of one made earlier; `None` where there has been one.
///
/// # Errors
/// When the database fails.
pub fn offer(context: &Context) -> Result<Option<Credential>> {
    let link = Credential::generate(CredentialKind::Invitation).map_err(Error::internal)?;
    let (now, hash) = (context.clock.now(), link.hash());
    let put = || context.db.write_here(move |tx| put_link(tx.conn, &hash, now));
    let is_open = match put() {
        // Another server starts too, and had no row to replace either: now there is one.
        Err(error) if error.database_cause().is_some_and(is_link_taken) => put()?,
        other => other?,
    };
    Ok(is_open.then_some(link))
}

fn put_link(conn: &mut DbConn, hash: &[u8; 32], now: DateTime<Utc>) -> Result<bool> {
    if has_coordinator(conn)? {
        close(conn, now)?;
        return Ok(false);
    }
    let values = (setup_links::hash.eq(hash.to_vec()), setup_links::created_at.eq(now.naive_utc()));
    let unused = setup_links::table.find(LINK).filter(setup_links::used_at.is_null());
    let n_replaced = diesel::update(unused).set(values.clone()).execute(conn)?;
    let is_used = n_replaced == 0 && find_link(conn)?.is_some();
    if n_replaced == 0 && !is_used {
        diesel::insert_into(setup_links::table)
            .values((setup_links::name.eq(LINK), values))
            .execute(conn)?;
    }
    Ok(!is_used)
}

/// Makes every link useless for ever: there is a coordinator.
///
/// # Errors
/// When the database fails.
pub fn close(conn: &mut DbConn, now: DateTime<Utc>) -> QueryResult<()> {
    let used_at = setup_links::used_at.eq(Some(now.naive_utc()));
    let unused = setup_links::table.find(LINK).filter(setup_links::used_at.is_null());
    let n_closed = diesel::update(unused).set(used_at).execute(conn)?;
    if n_closed == 0 && find_link(conn)?.is_none() {
        let no_link = (
            setup_links::name.eq(LINK),
            setup_links::hash.eq(Vec::new()),
            setup_links::created_at.eq(now.naive_utc()),
            used_at,
        );
        diesel::insert_into(setup_links::table).values(no_link).execute(conn)?;
    }
    Ok(())
}

/// Makes the first coordinator, with the whole programme in their hands, and makes the device known.
///
/// # Errors
/// `NotFound` for a link that was never the one, `AlreadySetUp` for the right one when it was used, `InvalidFields`.
pub async fn set_up(
    context: &Data<Context>,
    link: &str,
    name: String,
    password: Password,
) -> Result<(UserId, KnownDevice)> {
    let link = Credential::parse(link).map_err(|_no_link| Error::not_found())?.hash();
    context.db.read(move |conn| refuse_early(conn, &link)).await?;
    let name = checked_name(name)?;
    password.check(name.clone(), "/password").await?;
    let hash = context.passwords.hash(password).await?;
    let (now, index, user) =
        (context.clock.now(), context.keys.name_index(&name), UserId::random());
    let owner = Owner { kind: OwnerKind::User, id: user.uuid() };
    let identity = context.sealer.seal(owner, Part::Identity, 1, name.as_bytes())?;
    let work = move |tx: &mut WriteTx<'_>| {
        use_link(tx.conn, &link, now)?;
        store::insert_user(tx.conn, user, &index, Role::Coordinator, &[GrantScope::All], now)?;
        sealed::insert_part(tx.conn, owner, Part::Identity, 1, &identity)?;
        let row_id = store::find_row_id(tx.conn, user)?;
        store::put_password(tx.conn, row_id, &hash, now)?;
        tx.record(Entry::new(Act::SetUp, user, now).by(Some(user)));
        Ok(())
    };
    context.db.write(work).await.map_err(|error| {
        let is_taken = error.database_cause().is_some_and(store::is_name_taken);
        if is_taken { name_taken() } else { error }
    })?;
    let known = KnownDevice::issue(&context.keys, &index, now)?;
    Ok((user, known))
}

/// Refuses a link that cannot be used, before a password is hashed for it.
fn refuse_early(conn: &mut DbConn, hash: &[u8; 32]) -> Result<()> {
    match find_link(conn)? {
        Some((link, is_used)) if link == hash => {
            if is_used {
                Err(Error::new(Code::AlreadySetUp))
            } else {
                Ok(())
            }
        }
        Some(_) | None => Err(Error::not_found()),
    }
}

fn use_link(conn: &mut DbConn, hash: &[u8; 32], now: DateTime<Utc>) -> Result<()> {
    let unused = setup_links::table
        .find(LINK)
        .filter(setup_links::hash.eq(hash.as_slice()))
        .filter(setup_links::used_at.is_null());
    let n_used =
        diesel::update(unused).set(setup_links::used_at.eq(Some(now.naive_utc()))).execute(conn)?;
    if n_used == 1 && !has_coordinator(conn)? {
        Ok(())
    } else {
        Err(Error::new(Code::AlreadySetUp))
    }
}

fn checked_name(name: String) -> Result<String> {
    let n_chars = name.trim().chars().take(LONGEST_NAME + 1).count();
    if (1..=LONGEST_NAME).contains(&n_chars) {
        return Ok(name.trim().to_owned());
    }
    Err(Error::invalid(vec![FieldError::new(
        "/name",
        format!("a name has 1 to {LONGEST_NAME} characters"),
        format!("un nom compte de 1 à {LONGEST_NAME} caractères"),
    )]))
}

fn name_taken() -> Error {
    Error::invalid(vec![FieldError::new(
        "/name",
        "there is somebody of that name already; choose another",
        "ce nom est déjà pris ; choisissez-en un autre",
    )])
}

/// Returns the hash of the link, and whether it was used.
fn find_link(conn: &mut DbConn) -> QueryResult<Option<(Vec<u8>, bool)>> {
    setup_links::table
        .find(LINK)
        .select((setup_links::hash, setup_links::used_at.is_not_null()))
        .first(conn)
        .optional()
}

fn has_coordinator(conn: &mut DbConn) -> QueryResult<bool> {
    let grant: Option<i64> = grants::table
        .filter(grants::role.eq(Role::Coordinator.as_str()))
        .filter(grants::revoked_at.is_null())
        .select(grants::id)
        .first(conn)
        .optional()?;
    Ok(grant.is_some())
}

fn is_link_taken(error: &diesel::result::Error) -> bool {
    dialect::is_taken(error, "setup_links_pkey", "setup_links", "name")
}
