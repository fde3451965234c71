//! Whom to tell by mail that there is something new to review, or that they were asked back, and when.
//!
//! One row a person: however much comes in, it is one mail, and the next one at the earliest an hour later, or five minutes
//! where something urgent came. Like events it is taken by one server at a time; who died while sending is followed by
//! another, so that in this case a mail may come twice.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl,
};

use crate::aggregates::store::find_head;
use crate::auth::policy::{Action, visible};
use crate::auth::store::list_grants;
use crate::auth::types::{Limits, Principal, Scope};
use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::db::schema::{heads, notices, users};
use crate::db::sealed;
use crate::error::{Error, Language, Result};
use crate::ids::UserId;
use crate::incidents::facts::Status;
use crate::incidents::urgency::UrgencyClass;
use crate::incidents::view::is_seen_from;
use crate::notify::changes::{Event, list_events};
use crate::notify::mail::{MailAddress, MailError, Mailer, Topic};
use crate::notify::webhooks::outbox::wait_after;
use crate::seal::envelope::{Owner, OwnerKind, Part};

/// The head that tells up to which change it is known whom to tell.
const HEAD: &str = "notices";
/// Changes looked at in one go.
const AT_ONCE: usize = 1_000;
/// Changes that concern nobody by which the head may lag behind.
const LAG: i64 = 1_000;
/// Shortest time between two mails to one person where something urgent came.
const URGENT_INTERVAL: TimeDelta = TimeDelta::minutes(5);
/// How long a server has to hand one mail over before another may try.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// Tries of one mail.
const MOST_TRIES: i32 = 8;

/// Returns the language with this code.
pub fn parse_language(code: &str) -> Option<Language> {
    [Language::English, Language::French].into_iter().find(|one| one.tag() == code)
}

/// What a person chose, and what became of it.
#[derive(Debug, Clone, diesel::Queryable)]
pub struct NoticeRow {
    /// Code of the language.
    pub language: String,
    /// Version of the sealed address.
    pub address_version: i32,
    /// When mail was last handed over.
    pub sent_at: Option<NaiveDateTime>,
    /// When that last failed.
    pub failed_at: Option<NaiveDateTime>,
}

/// Returns what the account with row id `user` chose; `None`: no mail.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, user: i64) -> QueryResult<Option<NoticeRow>> {
    notices::table
        .find(user)
        .select((notices::language, notices::address_version, notices::sent_at, notices::failed_at))
        .first(conn)
        .optional()
}

/// Stores what an account chose, with the version of its address.
///
/// # Errors
/// When the database fails.
pub fn put(
    conn: &mut DbConn,
    user: i64,
    (language, address_version): (Language, i32),
    now: DateTime<Utc>,
) -> QueryResult<()> {
    let chosen =
        (notices::language.eq(language.tag()), notices::address_version.eq(address_version));
    let n_changed = diesel::update(notices::table.find(user)).set(chosen).execute(conn)?;
    if n_changed == 0 {
        diesel::insert_into(notices::table)
            .values((
                notices::user_id.eq(user),
                notices::language.eq(language.tag()),
                notices::address_version.eq(address_version),
                notices::is_urgent.eq(false),
                notices::n_tries.eq(0),
                notices::next_at.eq(now.naive_utc()),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Ends mail to an account.
///
/// # Errors
/// When the database fails.
pub fn remove(conn: &mut DbConn, user: i64) -> QueryResult<()> {
    diesel::delete(notices::table.find(user)).execute(conn).map(drop)
}

/// Whose address it is, as it is sealed.
pub fn owner_of(user: UserId) -> Owner {
    Owner { kind: OwnerKind::User, id: user.uuid() }
}

/// Opens the address of a person.
///
/// # Errors
/// `NotFound` where it is gone, or the failure of the database or the keys.
pub fn open_address(
    conn: &mut DbConn,
    context: &Context,
    user: UserId,
    version: i32,
) -> Result<MailAddress> {
    let owner = owner_of(user);
    let found = sealed::find_version(conn, owner, Part::Address, version)?;
    let found = found.ok_or_else(Error::not_found)?;
    let text = context.sealer.open(owner, Part::Address, version.cast_unsigned(), &found)?;
    let text = std::str::from_utf8(&text).map_err(Error::internal)?;
    MailAddress::parse(text).map_err(Error::internal)
}

/// Whoever may have to be told.
#[derive(Debug, diesel::Queryable)]
struct Reader {
    row_id: i64,
    id: UserId,
    sent_at: Option<NaiveDateTime>,
}

/// Who is to be told, and whether at once.
struct Told {
    reader: Reader,
    is_urgent: bool,
}

/// Writes down who is to be told of the changes since the last time.
///
/// # Errors
/// When the database fails.
pub fn plan(context: &Context) -> Result<()> {
    if context.notifier.mailer.is_none() {
        return Ok(());
    }
    let (now, mut position) = (context.clock.now(), None);
    loop {
        let Some(looked) = look(context)? else { return Ok(()) };
        // Where nothing was to be written, the same comes again.
        if position.replace(looked.position) == Some(looked.position) {
            return Ok(());
        }
        let told = who_is_told(context, &looked, now)?;
        let is_near = looked.next - looked.position < LAG;
        if !looked.has_readers && is_near {
            return Ok(());
        }
        let interval = context.notifier.mail_interval;
        context.db.write_here(move |tx| {
            let where_it_was = heads::table.find(HEAD).filter(heads::seq.eq(looked.position));
            let n_moved =
                diesel::update(where_it_was).set(heads::seq.eq(looked.next)).execute(tx.conn)?;
            // Otherwise another server did the same.
            if n_moved == 1 {
                told.iter().try_for_each(|one| want(tx.conn, one, interval, now))?;
            }
            Ok(())
        })?;
    }
}

/// Changes that are not planned for yet.
struct Looked {
    position: i64,
    next: i64,
    /// Those of incidents that nobody has looked at.
    fresh: Vec<Event>,
    has_readers: bool,
}

fn look(context: &Context) -> Result<Option<Looked>> {
    context.db.read_here(|conn| {
        dialect::snapshot(conn, |conn| {
            let position: i64 = heads::table.find(HEAD).select(heads::seq).first(conn)?;
            if position >= find_head(conn)? {
                return Ok(None);
            }
            let found = list_events(conn, &context.geo(), &Scope::All, position, AT_ONCE)?;
            let mut fresh = found.events;
            fresh.retain(|event| event.status == Status::Received.as_str());
            let any: Option<i64> =
                notices::table.select(notices::user_id).first(conn).optional()?;
            let has_readers = any.is_some();
            Ok(Some(Looked { position, next: found.next, fresh, has_readers }))
        })
    })
}

fn who_is_told(context: &Context, looked: &Looked, now: DateTime<Utc>) -> Result<Vec<Told>> {
    if looked.fresh.is_empty() || !looked.has_readers {
        return Ok(Vec::new());
    }
    let urgent = list_urgent(context, &looked.fresh)?;
    context.db.read_here(|conn| {
        let mut told = Vec::new();
        for reader in list_readers(conn)? {
            let scope = deciding(conn, context, (reader.row_id, reader.id), now)?;
            let is_theirs = |event: &&Event| {
                let (country, other) = &event.countries;
                is_seen_from(&scope, &context.geo(), country, other.as_deref())
            };
            let mut theirs = looked.fresh.iter().filter(is_theirs).peekable();
            if theirs.peek().is_some() {
                let is_urgent = theirs.any(|event| urgent.contains(&event.row_id));
                told.push(Told { reader, is_urgent });
            }
        }
        Ok(told)
    })
}

/// Returns the incidents among these that are urgent.
fn list_urgent(context: &Context, events: &[Event]) -> Result<Vec<i64>> {
    context.db.read_here(|conn| {
        context.live.read(conn, &context.keys.place_veil(), |columns, _| {
            let is_urgent = |id: &i64| {
                columns.urgency_of(*id).is_some_and(|it| it.class() == UrgencyClass::Urgent)
            };
            Ok(events.iter().map(|event| event.row_id).filter(is_urgent).collect())
        })
    })
}

/// Returns those who are not to be told already, or not at once.
fn list_readers(conn: &mut DbConn) -> QueryResult<Vec<Reader>> {
    notices::table
        .inner_join(users::table)
        .filter(users::disabled_at.is_null())
        .filter(notices::wanted_at.is_null().or(notices::is_urgent.eq(false)))
        .order(notices::user_id)
        .select((users::id, users::uuid, notices::sent_at))
        .load(conn)
}

/// Returns where a person decides now.
fn deciding(
    conn: &mut DbConn,
    context: &Context,
    (row_id, id): (i64, UserId),
    now: DateTime<Utc>,
) -> QueryResult<Scope> {
    let grants = list_grants(conn, row_id, now.naive_utc(), context.geo().countries())?;
    let person = Principal::User { id, grants, limits: Limits::default() };
    Ok(visible(&person, Action::Decide).unwrap_or_else(|_forbidden| Scope::nowhere()))
}

fn want(
    conn: &mut DbConn,
    told: &Told,
    interval: TimeDelta,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    let row = || notices::table.filter(notices::user_id.eq(told.reader.row_id));
    let now = now.naive_utc();
    let first = row().filter(notices::wanted_at.is_null());
    let n_first = diesel::update(first).set(notices::wanted_at.eq(Some(now))).execute(conn)?;
    if told.is_urgent {
        diesel::update(row()).set(notices::is_urgent.eq(true)).execute(conn)?;
    }
    if n_first == 0 && !told.is_urgent {
        return Ok(());
    }
    let pause = if told.is_urgent { URGENT_INTERVAL } else { interval };
    let next_at = told.reader.sent_at.map_or(now, |sent_at| now.max(sent_at + pause));
    // Whoever is just sending to them keeps the time that is theirs.
    let waiting = row().filter(notices::taken_at.is_null());
    diesel::update(waiting).set(notices::next_at.eq(next_at)).execute(conn).map(drop)
}

/// Writes down that somebody was asked about a report they sent, if they get mail.
///
/// # Errors
/// When the database fails.
pub fn tell_asked(conn: &mut DbConn, user: i64, now: DateTime<Utc>) -> QueryResult<()> {
    let row = || notices::table.filter(notices::user_id.eq(user));
    let found: Option<Option<NaiveDateTime>> =
        row().select(notices::sent_at).first(conn).optional()?;
    let Some(sent_at) = found else { return Ok(()) };
    let now = now.naive_utc();
    let next_at = sent_at.map_or(now, |sent_at| now.max(sent_at + URGENT_INTERVAL));
    diesel::update(row()).set(notices::asked_at.eq(Some(now))).execute(conn)?;
    // Whoever is just sending to them, or waits to try again, keeps the time that is theirs.
    let waiting = row().filter(notices::taken_at.is_null()).filter(notices::n_tries.eq(0));
    diesel::update(waiting).set(notices::next_at.eq(next_at)).execute(conn).map(drop)
}

/// A mail that this server hands over now.
#[derive(Debug, Clone, diesel::Queryable)]
struct Taken {
    row_id: i64,
    user: UserId,
    disabled_at: Option<NaiveDateTime>,
    language: String,
    address_version: i32,
    n_tries: i32,
    /// When they were asked back, which is then what the mail tells.
    asked_at: Option<NaiveDateTime>,
}

impl Taken {
    fn topic(&self) -> Topic {
        if self.asked_at.is_some() { Topic::Question } else { Topic::Review }
    }
}

/// Hands the first mail over that is due, if there is one; tells whether there was.
///
/// # Errors
/// When the database fails; what was taken comes due again.
pub fn send_one(context: &Context) -> Result<bool> {
    let Some(mailer) = &context.notifier.mailer else { return Ok(false) };
    let now = context.clock.now();
    let due = context.db.read_here(|conn| Ok(dialect::find_due_notice(conn, now.naive_utc())?))?;
    if due.is_none() {
        return Ok(false);
    }
    let Some(taken) = context.db.write_here(move |tx| Ok(take(tx.conn, now)?))? else {
        return Ok(false);
    };
    let outcome = send(context, mailer, &taken, now)?;
    if let Some(outcome) = outcome {
        context.notifier.counts.mail(outcome.is_ok());
        if let Err(error) = outcome {
            tracing::warn!(user = %taken.user, failure = %error, "a mail was not taken");
        }
    }
    let (now, interval) = (context.clock.now(), context.notifier.mail_interval);
    context.db.write_here(move |tx| Ok(settle(tx.conn, &taken, outcome, interval, now)?))?;
    Ok(true)
}

fn take(conn: &mut DbConn, now: DateTime<Utc>) -> QueryResult<Option<Taken>> {
    let Some(row_id) = dialect::lock_due_notice(conn, now.naive_utc())? else {
        return Ok(None);
    };
    diesel::update(notices::table.find(row_id))
        .set((
            notices::taken_at.eq(Some(now.naive_utc())),
            notices::n_tries.eq(notices::n_tries + 1),
            notices::next_at.eq((now + LEASE).naive_utc()),
        ))
        .execute(conn)?;
    // A question is told first; what is new to review waits for the next mail.
    let of_review = notices::table.find(row_id).filter(notices::asked_at.is_null());
    diesel::update(of_review)
        .set((notices::wanted_at.eq(None::<NaiveDateTime>), notices::is_urgent.eq(false)))
        .execute(conn)?;
    notices::table
        .inner_join(users::table)
        .filter(notices::user_id.eq(row_id))
        .select((
            users::id,
            users::uuid,
            users::disabled_at,
            notices::language,
            notices::address_version,
            notices::n_tries,
            notices::asked_at,
        ))
        .first(conn)
        .optional()
}

/// Sends, if the person may still come, and to tell of what is to review, still reviews anywhere.
fn send(
    context: &Context,
    mailer: &Mailer,
    taken: &Taken,
    now: DateTime<Utc>,
) -> Result<Option<std::result::Result<(), MailError>>> {
    let address = context.db.read_here(|conn| {
        let is_told = match taken.topic() {
            Topic::Question => true,
            Topic::Review => {
                let who = (taken.row_id, taken.user);
                deciding(conn, context, who, now)? != Scope::nowhere()
            }
        };
        if taken.disabled_at.is_some() || !is_told {
            return Ok(None);
        }
        open_address(conn, context, taken.user, taken.address_version).map(Some)
    })?;
    let language = parse_language(&taken.language).unwrap_or_default();
    Ok(address.map(|address| mailer.send(&address, (taken.topic(), language), now)))
}

fn is_given_up(error: MailError, taken: &Taken) -> bool {
    error != MailError::NotTaken || taken.n_tries >= MOST_TRIES
}

fn settle(
    conn: &mut DbConn,
    taken: &Taken,
    outcome: Option<std::result::Result<(), MailError>>,
    interval: TimeDelta,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    let row = || notices::table.filter(notices::user_id.eq(taken.row_id));
    let nobody = notices::taken_at.eq(None::<NaiveDateTime>);
    let at = Some(now.naive_utc());
    let is_settled = match &outcome {
        Some(Err(error)) => is_given_up(*error, taken),
        Some(Ok(())) | None => true,
    };
    if is_settled {
        // Asked once more meanwhile, they are told once more.
        let told = row().filter(notices::asked_at.eq(taken.asked_at));
        diesel::update(told).set(notices::asked_at.eq(None::<NaiveDateTime>)).execute(conn)?;
    }
    let Some(outcome) = outcome else {
        return diesel::update(row()).set((nobody, notices::n_tries.eq(0))).execute(conn).map(drop);
    };
    if outcome.is_ok() {
        let next_at = (now + interval).naive_utc();
        return diesel::update(row())
            .set((
                nobody,
                notices::n_tries.eq(0),
                notices::sent_at.eq(at),
                notices::failed_at.eq(None::<NaiveDateTime>),
                notices::next_at.eq(next_at),
            ))
            .execute(conn)
            .map(drop);
    }
    if !is_settled && taken.topic() == Topic::Review {
        let unwanted = row().filter(notices::wanted_at.is_null());
        diesel::update(unwanted).set(notices::wanted_at.eq(at)).execute(conn)?;
    }
    let n_tries = if is_settled { 0 } else { taken.n_tries };
    let next_at = (now + wait_after(taken.n_tries, 0)).naive_utc();
    diesel::update(row())
        .set((
            nobody,
            notices::n_tries.eq(n_tries),
            notices::failed_at.eq(at),
            notices::next_at.eq(next_at),
        ))
        .execute(conn)
        .map(drop)
}

/// Returns how many mails wait.
///
/// # Errors
/// When the database fails.
pub fn count_waiting(conn: &mut DbConn) -> QueryResult<i64> {
    let wanted = notices::wanted_at.is_not_null().or(notices::asked_at.is_not_null());
    let waiting = wanted.or(notices::taken_at.is_not_null());
    notices::table.filter(waiting).count().get_result(conn)
}
