//! What a signed-in person does to the own account: another password, a second factor, and what is told of oneself.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use zeroize::Zeroizing;

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::accounts;
use crate::auth::credential::Credential;
use crate::auth::guesses::{self, Bucket};
use crate::auth::invitations;
use crate::auth::passwords::Password;
use crate::auth::second_factor::{self, Code as FactorCode};
use crate::auth::sessions::{self, Session};
use crate::auth::store;
use crate::auth::totp::{self, FactorSecret};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::passwords;
use crate::db::writer::WriteTx;
use crate::error::{Error, FieldError, Result};
use crate::ids::{SessionId, UserId};
use crate::seal::subkeys::Proof;

/// Changes the password of `user`, and ends every session but the one this is done in.
///
/// # Errors
/// `InvalidFields` where the old one is wrong or the new one soon guessed; `TooManyRequests` after several wrong ones.
pub async fn change_password(
    context: &Data<Context>,
    (user, session): (UserId, SessionId),
    old: Password,
    new: Password,
) -> Result<()> {
    let own = verify_own(context, user, old, "/old").await?;
    new.check(own.name.to_string(), "/new").await?;
    let hash = context.passwords.hash(new).await?;
    let (now, row_id) = (context.clock.now(), own.row_id);
    let change = move |tx: &mut WriteTx<'_>| {
        let unchanged = passwords::table.find(row_id).filter(passwords::hash.eq(own.hash));
        let n_changed = diesel::update(unchanged)
            .set((passwords::hash.eq(hash), passwords::changed_at.eq(now.naive_utc())))
            .execute(tx.conn)?;
        if n_changed == 0 {
            return Err(wrong_password("/old"));
        }
        sessions::end_others(tx.conn, row_id, session, now)?;
        invitations::revoke_all(tx.conn, row_id, now)?;
        tx.record(Entry::new(Act::ChangedPassword, user, now).by(Some(user)));
        Ok(())
    };
    context.db.write(change).await
}

/// A secret for an authenticator program, not in force yet.
pub struct NewFactor {
    /// Whose it is, for the program to show.
    pub name: Zeroizing<String>,
    /// The secret.
    pub secret: FactorSecret,
}

/// Makes a secret for a second factor that waits for its first code. Where a factor is in force, a code of it is
/// needed, and it stays until then.
///
/// # Errors
/// `InvalidFields` where the password or the code is wrong; `TooManyRequests` after several wrong ones.
pub async fn begin_factor(
    context: &Data<Context>,
    user: UserId,
    password: Password,
    code: Option<String>,
) -> Result<NewFactor> {
    let own = verify_own(context, user, password, "/password").await?;
    let (now, row_id) = (context.clock.now(), own.row_id);
    let secret = totp::new_secret()?;
    let (writer, pending) = (context.clone(), secret.clone());
    let bucket = bucket_of(context, user);
    // A wrong code is a guess as well, and one that is found out only now.
    context.db.write(move |tx| guesses::count(tx, &bucket, now)).await?;
    let begin = move |tx: &mut WriteTx<'_>| {
        use_up_own(tx, &writer, (row_id, user), code.as_deref(), now)?;
        guesses::take_back(tx.conn, &bucket, now)?;
        second_factor::put_pending(tx.conn, &writer.sealer, (row_id, user), &pending)
    };
    context.db.write(begin).await?;
    Ok(NewFactor { name: own.name, secret })
}

/// A second factor that came into force.
pub struct Enrolled {
    /// The session that goes on in place of the one it was set up in.
    pub session: Session,
    /// Its secret.
    pub secret: Credential,
    /// How long it may lie unused.
    pub idle: chrono::Duration,
    /// Codes for when the factor is lost.
    pub recovery_codes: Vec<Zeroizing<String>>,
}

/// Puts the second factor that waits in force. Every session ends; a new one begins, which has it.
///
/// # Errors
/// `InvalidFields` where the code is none of the new secret, or none waits.
pub async fn confirm_factor(
    context: &Data<Context>,
    user: UserId,
    code: String,
) -> Result<Enrolled> {
    let (now, geo) = (context.clock.now(), context.geo());
    let writer = context.clone();
    let recovery_codes = totp::new_recovery_codes()?;
    let work = move |tx: &mut WriteTx<'_>| {
        let row_id = store::find_row_id(tx.conn, user)?;
        if !second_factor::confirm(tx.conn, &writer.sealer, (row_id, user), &code, now)? {
            return Err(wrong_code());
        }
        second_factor::put_recovery_codes(tx.conn, &writer.keys, (row_id, user), &recovery_codes)?;
        sessions::end_all(tx.conn, row_id, now)?;
        let (session, secret) = sessions::begin(tx.conn, row_id, now, true)?;
        let confirmed = Entry::new(Act::ChangedSecondFactor, user, now).by(Some(user));
        tx.record(confirmed.detail("confirmed"));
        let grants = store::list_grants(tx.conn, row_id, now.naive_utc(), geo.countries())?;
        let idle = sessions::idle_limit(&grants);
        Ok(Enrolled { session, secret, idle, recovery_codes })
    };
    context.db.write(work).await
}

/// An account whose password was given rightly.
struct Own {
    row_id: i64,
    name: Zeroizing<String>,
    hash: String,
}

/// Checks the password of somebody who is signed in: a session left open must not be enough to take the account over.
async fn verify_own(
    context: &Data<Context>,
    user: UserId,
    password: Password,
    pointer: &'static str,
) -> Result<Own> {
    let (now, bucket) = (context.clock.now(), bucket_of(context, user));
    context.db.write(move |tx| guesses::count(tx, &bucket, now)).await?;
    let reader = context.clone();
    let find = move |conn: &mut DbConn| {
        let row_id = store::find_row_id(conn, user)?;
        let name = accounts::open_name(conn, &reader.sealer, user)?;
        Ok((row_id, name, store::find_password(conn, row_id)?))
    };
    let (row_id, name, hash) = context.db.read(find).await?;
    let verified = context.passwords.verify(password, hash.clone()).await;
    let is_wrong = matches!(verified, Ok(false));
    if !is_wrong {
        context.db.write(move |tx| Ok(guesses::take_back(tx.conn, &bucket, now)?)).await?;
    }
    match (verified?, hash) {
        (true, Some(hash)) => Ok(Own { row_id, name, hash }),
        (true, None) | (false, _) => Err(wrong_password(pointer)),
    }
}

/// Uses up a code of the factor in force, if there is one.
fn use_up_own(
    tx: &mut WriteTx<'_>,
    context: &Context,
    (row_id, user): (i64, UserId),
    code: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    let row = second_factor::find(tx.conn, row_id)?;
    let Some((version, last_step)) = row.and_then(|row| Some((row.version?, row.last_step))) else {
        return Ok(());
    };
    let sealed = second_factor::find_sealed(tx.conn, user, version)?;
    let secret =
        second_factor::open(&context.sealer, user, version, &sealed.ok_or_else(Error::not_found)?)?;
    let factor = (version, &secret, last_step);
    let read = second_factor::read_code(&context.keys, user, factor, code.unwrap_or(""), now)?;
    let read = read.ok_or_else(wrong_code)?;
    if !second_factor::use_up(tx.conn, row_id, &read, now)? {
        return Err(wrong_code());
    }
    if matches!(read, FactorCode::Recovery(_)) {
        tx.record(Entry::new(Act::UsedRecoveryCode, user, now).by(Some(user)));
    }
    Ok(())
}

fn bucket_of(context: &Context, user: UserId) -> Bucket {
    context.keys.proof(Proof::OwnAccount, user.uuid().as_bytes())
}

fn wrong_password(pointer: &str) -> Error {
    Error::invalid(vec![FieldError::new(
        pointer,
        "this is not the password of the account",
        "ce n'est pas le mot de passe du compte",
    )])
}

fn wrong_code() -> Error {
    Error::invalid(vec![FieldError::new(
        "/code",
        "the code is wrong or was used: wait for the next one of the authenticator program",
        "le code est faux ou a déjà servi : attendez le suivant de l'application d'authentification",
    )])
}
