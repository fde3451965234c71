//! How a question reaches whoever sent a report: by the ways the report itself can have come.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::dsl::exists;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::submitters::{Account, find_account};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::{devices, passwords, tokens, users};
use crate::error::{Code, Error, Result};
use crate::incidents::opening::ERASED;
use crate::notify::notices;

/// A way by which a question goes. A further channel is a variant here, chosen in [`plan`] and served in [`deliver`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The sender finds it under `GET /v1/messages`, with the account or the phone that sent the report.
    Inbox,
    /// A mail tells the account with this row id that something is there to answer.
    Mail(i64),
}

/// The code of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryCode {
    /// It lies under `GET /v1/messages`.
    Inbox,
    /// A mail says that something is there, without a word of it.
    Mail,
}

impl From<Delivery> for DeliveryCode {
    fn from(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Inbox => Self::Inbox,
            Delivery::Mail(_) => Self::Mail,
        }
    }
}

/// Why nobody can be asked about a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unreachable {
    Withdrawn,
    Erased,
    /// Nothing leads to who sent it.
    Unknown,
    /// Their account or phone was closed.
    NoAccess,
}

impl Unreachable {
    fn error(self) -> Error {
        let (why, en, fr) = match self {
            Self::Withdrawn => (
                "withdrawn",
                "its sender took the report back: nothing is asked about it any more",
                "son expéditeur a retiré le rapport : on ne demande plus rien à son sujet",
            ),
            Self::Erased => (
                "erased",
                "the report was erased: nothing is asked about it any more",
                "le rapport a été effacé : on ne demande plus rien à son sujet",
            ),
            Self::Unknown => (
                "sender_unknown",
                "nothing leads from this report to its sender: decide on what is known",
                "rien ne mène de ce rapport à son expéditeur : décidez d'après ce qui est connu",
            ),
            Self::NoAccess => (
                "no_access",
                "the account or the phone it came from is closed, and nobody could read the question: give its sender \
                 access again first, or decide on what is known",
                "le compte ou le téléphone dont il vient est fermé, et personne ne lirait la question : rendez d'abord \
                 l'accès à l'expéditeur, ou décidez d'après ce qui est connu",
            ),
        };
        Error::new(Code::SenderUnreachable).detail(en, fr).with("why", why.into())
    }
}

/// Returns the ways to the sender of a report with this state and pseudonym.
///
/// # Errors
/// `SenderUnreachable`, which says why; the database's failure.
pub fn plan(
    conn: &mut DbConn,
    context: &Context,
    (state, submitter): (&str, Option<&[u8]>),
    now: DateTime<Utc>,
) -> Result<Vec<Delivery>> {
    if state != "active" {
        let why = if state == ERASED { Unreachable::Erased } else { Unreachable::Withdrawn };
        return Err(why.error());
    }
    let pseudonym = submitter.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    let pseudonym = pseudonym.ok_or_else(|| Unreachable::Unknown.error())?;
    let account = find_account(conn, &context.keys, pseudonym)?;
    match account.ok_or_else(|| Unreachable::Unknown.error())? {
        Account::Phone(row_id) if is_phone_open(conn, row_id)? => Ok(vec![Delivery::Inbox]),
        Account::Person(row_id) if is_person_let_in(conn, row_id, now.naive_utc())? => {
            let has_mail =
                context.notifier.mailer.is_some() && notices::find(conn, row_id)?.is_some();
            let mail = has_mail.then_some(Delivery::Mail(row_id));
            Ok(std::iter::once(Delivery::Inbox).chain(mail).collect())
        }
        Account::Phone(_) | Account::Person(_) => Err(Unreachable::NoAccess.error()),
    }
}

/// Sends a question on its way, in the transaction that stores it.
///
/// # Errors
/// When the database fails.
pub fn deliver(conn: &mut DbConn, way: Delivery, now: DateTime<Utc>) -> QueryResult<()> {
    match way {
        // It lies where the sender looks as soon as it is stored.
        Delivery::Inbox => Ok(()),
        Delivery::Mail(user) => notices::tell_asked(conn, user, now),
    }
}

fn is_phone_open(conn: &mut DbConn, device: i64) -> QueryResult<bool> {
    let open = devices::table.find(device).filter(devices::revoked_at.is_null());
    Ok(open.select(devices::id).first::<i64>(conn).optional()?.is_some())
}

/// Tells whether an account is not disabled and has something to come in with: a password, a token or a phone.
fn is_person_let_in(conn: &mut DbConn, user: i64, now: NaiveDateTime) -> QueryResult<bool> {
    let password = passwords::table.filter(passwords::user_id.eq(user));
    let token = tokens::table
        .filter(tokens::user_id.eq(user))
        .filter(tokens::revoked_at.is_null())
        .filter(tokens::expires_at.is_null().or(tokens::expires_at.gt(Some(now))));
    let phone =
        devices::table.filter(devices::owner_id.eq(user)).filter(devices::revoked_at.is_null());
    let let_in = users::table
        .find(user)
        .filter(users::disabled_at.is_null())
        .filter(exists(password).or(exists(token)).or(exists(phone)));
    Ok(let_in.select(users::id).first::<i64>(conn).optional()?.is_some())
}
