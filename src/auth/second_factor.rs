//! The second factor of an account in the database: the one in force, the one that waits for its first code, and the
//! recovery codes. A step and a recovery code are taken once, whoever is faster.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};
use zeroize::Zeroizing;

use crate::auth::totp::{self, FactorSecret};
use crate::db::dialect::DbConn;
use crate::db::schema::{recovery_codes, second_factors};
use crate::db::sealed;
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::seal::envelope::{Owner, OwnerKind, Part, Sealed, Sealer};
use crate::seal::subkeys::{Proof, SubKeySet};

/// What is kept of a second factor beside its sealed secret.
#[derive(Debug, Clone, diesel::Queryable)]
pub struct FactorRow {
    /// The version of the secret in force.
    pub version: Option<i32>,
    /// The version that waits for its first code.
    pub pending_version: Option<i32>,
    /// Since when one is in force.
    pub confirmed_at: Option<NaiveDateTime>,
    /// The last step a code was taken for.
    pub last_step: i64,
}

/// What a person proved beside the password; used up in the transaction that acts on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// A step of the secret of this version.
    Step {
        /// The version of the secret.
        version: i32,
        /// The step.
        step: i64,
    },
    /// A recovery code, as its keyed hash.
    Recovery([u8; 32]),
}

/// Returns the factor of the account with row id `user`.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, user: i64) -> QueryResult<Option<FactorRow>> {
    second_factors::table
        .find(user)
        .select((
            second_factors::version,
            second_factors::pending_version,
            second_factors::confirmed_at,
            second_factors::last_step,
        ))
        .first(conn)
        .optional()
}

/// Returns a sealed secret.
///
/// # Errors
/// When the database fails.
pub fn find_sealed(conn: &mut DbConn, user: UserId, version: i32) -> QueryResult<Option<Sealed>> {
    sealed::find_version(conn, owner(user), Part::SecondFactor, version)
}

/// Opens a secret.
///
/// # Errors
/// When it was sealed for somebody else or under another key.
pub fn open(sealer: &Sealer, user: UserId, version: i32, sealed: &Sealed) -> Result<FactorSecret> {
    let opened = sealer.open(owner(user), Part::SecondFactor, version.cast_unsigned(), sealed)?;
    let secret = <[u8; totp::SECRET_BYTES]>::try_from(opened.as_slice());
    secret.map(Zeroizing::new).map_err(Error::internal)
}

/// Returns what `code` proves: a step after `last_step`, or a recovery code, which only using it up can tell.
///
/// # Errors
/// When the secret cannot be one.
pub fn read_code(
    keys: &SubKeySet,
    user: UserId,
    (version, secret, last_step): (i32, &FactorSecret, i64),
    code: &str,
    now: DateTime<Utc>,
) -> Result<Option<Code>> {
    let step = totp::matching_step(secret, code, now)?.filter(|step| *step > last_step);
    let step = step.map(|step| Code::Step { version, step });
    let digits = totp::recovery_digits(code);
    let recovery = digits.map(|digits| Code::Recovery(hash_of(keys, user, &digits)));
    Ok(step.or(recovery))
}

/// Uses up what was proved; `false` where somebody was faster, or there is no such code.
///
/// # Errors
/// When the database fails.
pub fn use_up(conn: &mut DbConn, user: i64, code: &Code, now: DateTime<Utc>) -> QueryResult<bool> {
    let n_used = match code {
        Code::Step { version, step } => {
            let earlier = second_factors::table
                .find(user)
                .filter(second_factors::version.eq(Some(*version)))
                .filter(second_factors::last_step.lt(*step));
            diesel::update(earlier).set(second_factors::last_step.eq(*step)).execute(conn)?
        }
        Code::Recovery(hash) => {
            let unused = recovery_codes::table
                .find(hash.as_slice())
                .filter(recovery_codes::user_id.eq(user))
                .filter(recovery_codes::used_at.is_null());
            diesel::update(unused)
                .set(recovery_codes::used_at.eq(Some(now.naive_utc())))
                .execute(conn)?
        }
    };
    Ok(n_used == 1)
}

/// Seals a secret that waits for its first code; one that waited before is gone.
///
/// # Errors
/// When the database fails or the secret cannot be sealed.
pub fn put_pending(
    conn: &mut DbConn,
    sealer: &Sealer,
    (row_id, user): (i64, UserId),
    secret: &FactorSecret,
) -> Result<()> {
    let row = find(conn, row_id)?;
    if let Some(pending) = row.as_ref().and_then(|row| row.pending_version) {
        sealed::remove_version(conn, owner(user), Part::SecondFactor, pending)?;
    }
    let in_force = row.as_ref().and_then(|row| row.version);
    let version = in_force.unwrap_or(0) + 1;
    let content =
        sealer.seal(owner(user), Part::SecondFactor, version.cast_unsigned(), secret.as_slice())?;
    sealed::insert_part(conn, owner(user), Part::SecondFactor, version, &content)?;
    if row.is_some() {
        diesel::update(second_factors::table.find(row_id))
            .set(second_factors::pending_version.eq(Some(version)))
            .execute(conn)?;
    } else {
        diesel::insert_into(second_factors::table)
            .values((
                second_factors::user_id.eq(row_id),
                second_factors::pending_version.eq(Some(version)),
                second_factors::last_step.eq(0),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Puts the secret that waits in force, if `code` is one of it, in place of the one before; `false` where it is not, or
/// none waits.
///
/// # Errors
/// When the database fails or the secret cannot be opened.
pub fn confirm(
    conn: &mut DbConn,
    sealer: &Sealer,
    (row_id, user): (i64, UserId),
    code: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let Some(row) = find(conn, row_id)? else {
        return Ok(false);
    };
    let Some(pending) = row.pending_version else {
        return Ok(false);
    };
    let sealed = find_sealed(conn, user, pending)?.ok_or_else(Error::not_found)?;
    let secret = open(sealer, user, pending, &sealed)?;
    let Some(step) = totp::matching_step(&secret, code, now)? else {
        return Ok(false);
    };
    if let Some(earlier) = row.version {
        sealed::remove_version(conn, owner(user), Part::SecondFactor, earlier)?;
    }
    diesel::update(second_factors::table.find(row_id))
        .set((
            second_factors::version.eq(Some(pending)),
            second_factors::pending_version.eq(None::<i32>),
            second_factors::confirmed_at.eq(Some(now.naive_utc())),
            second_factors::last_step.eq(step),
        ))
        .execute(conn)?;
    Ok(true)
}

/// Replaces the recovery codes of an account.
///
/// # Errors
/// When the database fails.
pub fn put_recovery_codes(
    conn: &mut DbConn,
    keys: &SubKeySet,
    (row_id, user): (i64, UserId),
    codes: &[Zeroizing<String>],
) -> QueryResult<()> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(row_id)))
        .execute(conn)?;
    for digits in codes.iter().filter_map(|code| totp::recovery_digits(code)) {
        diesel::insert_into(recovery_codes::table)
            .values((
                recovery_codes::hash.eq(hash_of(keys, user, &digits).to_vec()),
                recovery_codes::user_id.eq(row_id),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Returns how many recovery codes are left.
///
/// # Errors
/// When the database fails.
pub fn count_recovery_codes(conn: &mut DbConn, user: i64) -> QueryResult<i64> {
    recovery_codes::table
        .filter(recovery_codes::user_id.eq(user))
        .filter(recovery_codes::used_at.is_null())
        .count()
        .get_result(conn)
}

/// Removes the factor of an account with its recovery codes; `false` where it had none in force.
///
/// # Errors
/// When the database fails.
pub fn remove(conn: &mut DbConn, (row_id, user): (i64, UserId)) -> QueryResult<bool> {
    let Some(row) = find(conn, row_id)? else {
        return Ok(false);
    };
    for version in [row.version, row.pending_version].into_iter().flatten() {
        sealed::remove_version(conn, owner(user), Part::SecondFactor, version)?;
    }
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(row_id)))
        .execute(conn)?;
    diesel::delete(second_factors::table.find(row_id)).execute(conn)?;
    Ok(row.version.is_some())
}

fn owner(user: UserId) -> Owner {
    Owner { kind: OwnerKind::User, id: user.uuid() }
}

fn hash_of(keys: &SubKeySet, user: UserId, digits: &[u8]) -> [u8; 32] {
    let message = Zeroizing::new([user.uuid().as_bytes().as_slice(), digits].concat());
    keys.proof(Proof::RecoveryCode, &message)
}
