//! Signing in, so that whoever guesses learns nothing.
//!
//! A name that nobody has, a wrong password, a code that is missing, wrong or used, a disabled and an invited person: all
//! get the same answer after the same work. A guess is counted first (`guesses.rs`), then a password is hashed whether
//! there is one to compare or not, then something is written either way; and a refusal leaves on a grid of
//! [`REFUSAL_STEP`], so that what little differs does not show.

use std::time::{Duration, Instant};

use actix_web::web::Data;
use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::{
    ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension, QueryDsl,
    QueryResult, RunQueryDsl,
};
use uuid::Uuid;

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::credential::Credential;
use crate::auth::guesses::{self, Bucket};
use crate::auth::known::KnownDevice;
use crate::auth::passwords::Password;
use crate::auth::second_factor::{self, Code as FactorCode};
use crate::auth::sessions::{self, Session};
use crate::auth::store;
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::{passwords, second_factors, users};
use crate::db::writer::WriteTx;
use crate::error::{Code, Error, Result};
use crate::ids::UserId;
use crate::seal::envelope::Sealed;

/// A refusal is answered so long after the request came, or twice, or three times … as long.
const REFUSAL_STEP: Duration = Duration::from_millis(50);

/// What somebody signs in with.
pub struct Attempt {
    /// The name of the account.
    pub name: String,
    /// Its password.
    pub password: Password,
    /// A code of the second factor, or a recovery code.
    pub code: Option<String>,
    /// The token of a device known from before.
    pub known: Option<String>,
}

/// A session that began.
pub struct SignedIn {
    /// Whose it is.
    pub user: UserId,
    /// The session.
    pub session: Session,
    /// Its secret, to be shown once.
    pub secret: Credential,
    /// How long it may lie unused.
    pub idle: chrono::Duration,
    /// Whether roles stay away until a second factor is set up.
    pub must_enrol: bool,
    /// What makes this device known.
    pub known: KnownDevice,
}

/// Signs somebody in.
///
/// # Errors
/// `SignInFailed` for whatever is wrong; `TooManyRequests` where a guess must wait; `Unavailable`.
pub async fn sign_in(context: &Data<Context>, attempt: Attempt) -> Result<SignedIn> {
    let begun_at = Instant::now();
    let outcome = try_to(context, attempt).await;
    if let Err(Error { code: Code::SignInFailed, .. }) = outcome {
        wait_for_step(begun_at).await;
    }
    outcome
}

async fn wait_for_step(begun_at: Instant) {
    let step_ns = REFUSAL_STEP.as_nanos();
    let into_step_ns = begun_at.elapsed().as_nanos() % step_ns;
    let left_ns = u64::try_from(step_ns - into_step_ns).unwrap_or(0);
    tokio::time::sleep(Duration::from_nanos(left_ns)).await;
}

async fn try_to(context: &Data<Context>, attempt: Attempt) -> Result<SignedIn> {
    let Attempt { name, password, code, known } = attempt;
    let now = context.clock.now();
    let index = context.keys.name_index(&name);
    let known = known.and_then(|known| KnownDevice::read(&context.keys, &index, &known, now));
    let bucket = known.as_ref().map_or(index, KnownDevice::bucket);
    let look = move |conn: &mut DbConn| {
        guesses::refuse_early(conn, &bucket, now)?;
        Ok(find_candidate(conn, &index)?)
    };
    let candidate = context.db.read_at_door(look).await?;
    context.db.write(move |tx| guesses::count(tx, &bucket, now)).await?;
    let hash = candidate.as_ref().and_then(|candidate| candidate.row.hash.clone());
    let verified = context.passwords.verify(password, hash).await;
    let is_password = match verified {
        Ok(is_password) => is_password,
        Err(error) => {
            context.db.write(move |tx| Ok(guesses::take_back(tx.conn, &bucket, now)?)).await?;
            return Err(error);
        }
    };
    let user = candidate.as_ref().map(|candidate| candidate.row.user);
    let proved = match candidate {
        Some(candidate) => candidate.prove(context, is_password, code.as_deref(), now)?,
        None => None,
    };
    let begun = match proved {
        Some(proved) => begin_session(context, proved, bucket, now).await?,
        None => None,
    };
    let Some(begun) = begun else {
        context.db.write(move |tx| record_refusal(tx, user, &bucket, now)).await?;
        return Err(Error::new(Code::SignInFailed));
    };
    let known = match known {
        Some(known) => known.renewed(&context.keys, &index, now)?,
        None => KnownDevice::issue(&context.keys, &index, now)?,
    };
    let Begun { user, session, secret, idle, must_enrol } = begun;
    Ok(SignedIn { user, session, secret, idle, must_enrol, known })
}

#[derive(diesel::Queryable)]
struct CandidateRow {
    row_id: i64,
    user: UserId,
    disabled_at: Option<NaiveDateTime>,
    hash: Option<String>,
    factor_version: Option<i32>,
    last_step: Option<i64>,
}

/// The account of the name that was given.
struct Candidate {
    row: CandidateRow,
    factor: Option<Sealed>,
}

/// Returns the account under a name, by as many statements where there is none.
fn find_candidate(conn: &mut DbConn, name_index: &[u8; 32]) -> QueryResult<Option<Candidate>> {
    let row: Option<CandidateRow> = users::table
        .left_join(passwords::table.on(passwords::user_id.eq(users::id)))
        .left_join(second_factors::table.on(second_factors::user_id.eq(users::id)))
        .filter(users::name_index.eq(name_index.as_slice()))
        .select((
            users::id,
            users::uuid,
            users::disabled_at,
            passwords::hash.nullable(),
            second_factors::version.nullable(),
            second_factors::last_step.nullable(),
        ))
        .first(conn)
        .optional()?;
    let user = row.as_ref().map_or(UserId::from_uuid(Uuid::nil()), |row| row.user);
    let version = row.as_ref().and_then(|row| row.factor_version).unwrap_or_default();
    let factor = second_factor::find_sealed(conn, user, version)?;
    Ok(row.map(|row| Candidate { row, factor }))
}

/// Somebody whose password and, where there is a second factor, whose code were right; the code is not used up yet.
struct Proved {
    row: CandidateRow,
    code: Option<FactorCode>,
}

impl Candidate {
    fn prove(
        self,
        context: &Context,
        is_password: bool,
        code: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Option<Proved>> {
        let Self { row, factor } = self;
        let needs_code = row.factor_version.is_some();
        let code = match (row.factor_version, row.last_step, &factor, code) {
            (Some(version), Some(last_step), Some(sealed), Some(code)) => {
                let secret = second_factor::open(&context.sealer, row.user, version, sealed)?;
                let factor = (version, &secret, last_step);
                second_factor::read_code(&context.keys, row.user, factor, code, now)?
            }
            _ => None,
        };
        let is_right = is_password && row.disabled_at.is_none() && code.is_some() == needs_code;
        Ok(is_right.then_some(Proved { row, code }))
    }
}

struct Begun {
    user: UserId,
    session: Session,
    secret: Credential,
    idle: chrono::Duration,
    must_enrol: bool,
}

/// Begins a session if what was proved still holds; uses the code up.
async fn begin_session(
    context: &Data<Context>,
    proved: Proved,
    bucket: Bucket,
    now: DateTime<Utc>,
) -> Result<Option<Begun>> {
    let geo = context.geo();
    let work = move |tx: &mut WriteTx<'_>| {
        let Proved { row: CandidateRow { row_id, user, hash, factor_version, .. }, code } = proved;
        let unchanged = Unchanged { row_id, hash, factor_version };
        if !unchanged.still_holds(tx.conn)? || !use_up(tx, (row_id, user), code.as_ref(), now)? {
            return Ok(None);
        }
        guesses::take_back(tx.conn, &bucket, now)?;
        let grants = store::list_grants(tx.conn, row_id, now.naive_utc(), geo.countries())?;
        let needs_factor = grants.iter().any(|grant| sessions::needs_second_factor(grant.role));
        let (session, secret) = sessions::begin(tx.conn, row_id, now, code.is_some())?;
        let with = if code.is_some() { "second_factor" } else { "password" };
        tx.record(Entry::new(Act::SignedIn, user, now).by(Some(user)).detail(with));
        Ok(Some(Begun {
            user,
            session,
            secret,
            idle: sessions::idle_limit(&grants),
            must_enrol: needs_factor && code.is_none(),
        }))
    };
    context.db.write(work).await
}

/// What was read before the password was hashed, and may have been changed meanwhile.
struct Unchanged {
    row_id: i64,
    hash: Option<String>,
    factor_version: Option<i32>,
}

impl Unchanged {
    fn still_holds(&self, conn: &mut DbConn) -> QueryResult<bool> {
        let now: Option<(Option<NaiveDateTime>, String, Option<i32>)> = users::table
            .inner_join(passwords::table.on(passwords::user_id.eq(users::id)))
            .left_join(second_factors::table.on(second_factors::user_id.eq(users::id)))
            .filter(users::id.eq(self.row_id))
            .select((users::disabled_at, passwords::hash, second_factors::version.nullable()))
            .first(conn)
            .optional()?;
        Ok(now.is_some_and(|(disabled_at, hash, version)| {
            disabled_at.is_none() && Some(hash) == self.hash && version == self.factor_version
        }))
    }
}

fn use_up(
    tx: &mut WriteTx<'_>,
    (row_id, user): (i64, UserId),
    code: Option<&FactorCode>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let Some(code) = code else {
        return Ok(true);
    };
    let is_used = second_factor::use_up(tx.conn, row_id, code, now)?;
    if is_used && matches!(code, FactorCode::Recovery(_)) {
        tx.record(Entry::new(Act::UsedRecoveryCode, user, now).by(Some(user)));
    }
    Ok(is_used)
}

fn record_refusal(
    tx: &mut WriteTx<'_>,
    user: Option<UserId>,
    bucket: &Bucket,
    now: DateTime<Utc>,
) -> Result<()> {
    guesses::mark_wrong(tx.conn, bucket, now)?;
    if let Some(user) = user {
        tx.record(Entry::new(Act::SignInFailed, user, now));
    }
    Ok(())
}
