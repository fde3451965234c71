//! Links that work once, by which a person sets a password: the first one, and a new one where it is forgotten.

use chrono::{DateTime, Duration, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl,
};

use crate::auth::credential::{Credential, CredentialKind};
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

/// Returns whom a link is for, with their row id: `None` where it was used, revoked, replaced, is too old, or the person
/// is disabled.
///
/// # Errors
/// When the database fails.
pub fn find_invited(
    conn: &mut DbConn,
    link: &Credential,
    now: DateTime<Utc>,
) -> QueryResult<Option<(i64, UserId)>> {
    if link.kind() != CredentialKind::Invitation {
        return Ok(None);
    }
    invitations::table
        .inner_join(users::table)
        .filter(invitations::hash.eq(link.hash().to_vec()))
        .filter(invitations::used_at.is_null().and(invitations::revoked_at.is_null()))
        .filter(invitations::expires_at.gt(now.naive_utc()).and(users::disabled_at.is_null()))
        .select((users::id, users::uuid))
        .first(conn)
        .optional()
}

/// Uses a link up; `false` where somebody was faster.
///
/// # Errors
/// When the database fails.
pub fn use_up(conn: &mut DbConn, link: &Credential, now: DateTime<Utc>) -> QueryResult<bool> {
    let unused = invitations::table
        .filter(invitations::hash.eq(link.hash().to_vec()))
        .filter(invitations::used_at.is_null().and(invitations::revoked_at.is_null()));
    let n_used =
        diesel::update(unused).set(invitations::used_at.eq(Some(now.naive_utc()))).execute(conn)?;
    Ok(n_used == 1)
}
