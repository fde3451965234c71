//! Links that work once, by which a person sets a password: the first one, and a new one where it is forgotten.
//!
//! Whoever takes a link up begins anew: sessions end, and so does the second factor, since a lost phone is mended by
//! the same kind of link. So making a link for somebody is a right of those who may give that person's roles.

use actix_web::web::Data;
use chrono::{DateTime, Duration, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl,
};

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::accounts;
use crate::auth::credential::{Credential, CredentialKind};
use crate::auth::known::KnownDevice;
use crate::auth::passwords::Password;
use crate::auth::{second_factor, sessions, store};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::{invitations, users};
use crate::db::writer::WriteTx;
use crate::error::{Error, Result};
use crate::ids::{InvitationId, UserId};

/// How long a link works unless told otherwise, in hours: it may have to reach a place without a network.
pub const DEFAULT_HOURS: u16 = 72;
/// Longest time a link may work, in hours: thirty days.
pub const MOST_HOURS: u16 = 720;

/// A new link.
pub struct Invitation {
    /// Its id, to revoke it by.
    pub id: InvitationId,
    /// Its secret, to be shown once.
    pub link: Credential,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
}

/// Makes a link for the account with row id `user`; those made before stop working. The caller records the act.
///
/// # Errors
/// When the database fails.
pub fn insert(
    tx: &mut WriteTx<'_>,
    user: i64,
    now: DateTime<Utc>,
    lifetime: Duration,
) -> Result<Invitation> {
    revoke_all(tx.conn, user, now)?;
    let link = Credential::generate(CredentialKind::Invitation).map_err(Error::internal)?;
    let (id, expires_at) = (InvitationId::random(), now + lifetime);
    diesel::insert_into(invitations::table)
        .values((
            invitations::uuid.eq(id),
            invitations::user_id.eq(user),
            invitations::hash.eq(link.hash().to_vec()),
            invitations::created_at.eq(now.naive_utc()),
            invitations::expires_at.eq(expires_at.naive_utc()),
        ))
        .execute(tx.conn)?;
    Ok(Invitation { id, link, expires_at })
}

/// Makes every link of the account with row id `user` useless.
///
/// # Errors
/// When the database fails.
pub fn revoke_all(conn: &mut DbConn, user: i64, now: DateTime<Utc>) -> QueryResult<usize> {
    let open = invitations::table.filter(
        invitations::user_id
            .eq(user)
            .and(invitations::used_at.is_null())
            .and(invitations::revoked_at.is_null()),
    );
    diesel::update(open).set(invitations::revoked_at.eq(Some(now.naive_utc()))).execute(conn)
}

/// Sets the password of whom `link` is for, and makes the device known on which that was done.
///
/// # Errors
/// `NotFound` for every link that does not work, whatever the reason; `InvalidFields` for a password that is soon
/// guessed.
pub async fn accept(
    context: &Data<Context>,
    link: &str,
    password: Password,
) -> Result<(UserId, KnownDevice)> {
    let link = Credential::parse(link).map_err(|_no_link| Error::not_found())?;
    let (now, hash_of_link) = (context.clock.now(), link.hash());
    let reader = context.clone();
    let find = move |conn: &mut DbConn| {
        let (_, user) = find_invited(conn, &link, now)?.ok_or_else(Error::not_found)?;
        accounts::open_name(conn, &reader.sealer, user)
    };
    let name = context.db.read(find).await?;
    password.check(name.to_string(), "/password").await?;
    let hash = context.passwords.hash(password).await?;
    let take_up = move |tx: &mut WriteTx<'_>| {
        let invited = find_by_hash(tx.conn, &hash_of_link, now)?;
        let (row_id, user) = invited.ok_or_else(Error::not_found)?;
        if !use_up(tx.conn, &hash_of_link, now)? {
            return Err(Error::not_found());
        }
        store::put_password(tx.conn, row_id, &hash, now)?;
        sessions::end_all(tx.conn, row_id, now)?;
        tx.record(Entry::new(Act::AcceptedInvitation, user, now).by(Some(user)));
        if second_factor::remove(tx.conn, (row_id, user))? {
            let removed = Entry::new(Act::ChangedSecondFactor, user, now).by(Some(user));
            tx.record(removed.detail("removed"));
        }
        Ok(user)
    };
    let user = context.db.write(take_up).await?;
    let known = KnownDevice::issue(&context.keys, &context.keys.name_index(&name), now)?;
    Ok((user, known))
}

/// Returns whom a link is for, with their row id: `None` where it was used, revoked, replaced, is too old, or the person
/// is disabled.
fn find_invited(
    conn: &mut DbConn,
    link: &Credential,
    now: DateTime<Utc>,
) -> QueryResult<Option<(i64, UserId)>> {
    if link.kind() == CredentialKind::Invitation {
        find_by_hash(conn, &link.hash(), now)
    } else {
        Ok(None)
    }
}

fn find_by_hash(
    conn: &mut DbConn,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> QueryResult<Option<(i64, UserId)>> {
    invitations::table
        .inner_join(users::table)
        .filter(invitations::hash.eq(hash.as_slice()))
        .filter(invitations::used_at.is_null().and(invitations::revoked_at.is_null()))
        .filter(invitations::expires_at.gt(now.naive_utc()).and(users::disabled_at.is_null()))
        .select((users::id, users::uuid))
        .first(conn)
        .optional()
}

/// Uses a link up; `false` where somebody was faster.
fn use_up(conn: &mut DbConn, hash: &[u8; 32], now: DateTime<Utc>) -> QueryResult<bool> {
    let unused = invitations::table
        .filter(invitations::hash.eq(hash.as_slice()))
        .filter(invitations::used_at.is_null().and(invitations::revoked_at.is_null()));
    let n_used =
        diesel::update(unused).set(invitations::used_at.eq(Some(now.naive_utc()))).execute(conn)?;
    Ok(n_used == 1)
}
