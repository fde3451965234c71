//! Routes by which people choose whether and where they get mail.

use actix_web::{HttpRequest, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::http::{Access, UseAccount};
use crate::auth::store::find_row_id;
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::sealed;
use crate::db::writer::WriteTx;
use crate::error::{Error, FieldError, Language, Result};
use crate::http::body::JsonBody;
use crate::http::query::Pairs;
use crate::ids::UserId;
use crate::notify::mail::MailAddress;
use crate::notify::notices::{self, owner_of, parse_language};
use crate::people::input::{Faults, not_one_of};
use crate::seal::envelope::Part;

/// Whether and where a person gets mail.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notifications)]
pub struct NoticesView {
    /// The address, which nobody else is shown; null: no mail.
    #[schema(example = "lead@example.org")]
    mail: Option<String>,
    /// Its language, `en` or `fr`; null without an address.
    #[schema(example = "fr")]
    language: Option<String>,
    /// Whether this server sends mail at all.
    is_sending: bool,
    /// When mail was last handed over.
    sent_at: Option<DateTime<Utc>>,
    /// When that last failed and has not succeeded since.
    failed_at: Option<DateTime<Utc>>,
}

/// Whether and where to get mail.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NotificationsEdit, example = json!({"mail": "lead@example.org", "language": "fr"}))]
pub struct NoticesBody {
    /// The address; null: no mail. Sealed.
    #[schema(max_length = 254)]
    mail: Option<String>,
    /// The language of the mails, `en` or `fr`.
    #[serde(default)]
    language: Option<String>,
}

/// Read whether you get mail
#[utoipa::path(
    get, path = "/v1/me/notifications", tag = "account", operation_id = "get_notifications",
    responses((status = 200, description = "What you chose", body = NoticesView))
)]
pub async fn get_notifications(
    access: Access<UseAccount>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<web::Json<NoticesView>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let user = access.principal.user_id().ok_or_else(Error::not_found)?;
    let shared = context.clone();
    Ok(web::Json(context.db.read(move |conn| view(conn, &shared, user)).await?))
}

/// Choose whether you get mail
///
/// At most one an hour (or what the server says), five minutes after the last where something is urgent: that there is
/// something new to review in a country where you decide, or that somebody asks about a report of yours, and no word of it.
#[utoipa::path(
    put, path = "/v1/me/notifications", tag = "account", operation_id = "put_notifications",
    request_body = NoticesBody,
    responses((status = 200, description = "What you chose", body = NoticesView))
)]
pub async fn put_notifications(
    access: Access<UseAccount>,
    context: web::Data<Context>,
    request: HttpRequest,
    body: JsonBody<NoticesBody>,
) -> Result<web::Json<NoticesView>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let user = access.principal.user_id().ok_or_else(Error::not_found)?;
    let (address, language) = read(&body.0)?;
    let (shared, now) = (context.clone(), context.clock.now());
    let put = move |tx: &mut WriteTx<'_>| {
        store(tx, &shared, user, (address.as_ref(), language), now)?;
        view(tx.conn, &shared, user)
    };
    Ok(web::Json(context.db.write(put).await?))
}

fn read(body: &NoticesBody) -> Result<(Option<MailAddress>, Language)> {
    let mut faults = Faults::default();
    let wrong = |en: String| {
        FieldError::new("/mail", en, "donnez une adresse comme responsable@example.org")
    };
    let address = body.mail.as_deref().map(|text| MailAddress::parse(text).map_err(wrong));
    let address = faults.take(address.transpose());
    let language = match body.language.as_deref() {
        None => Some(Language::default()),
        Some(code) => {
            let read = parse_language(code).ok_or_else(|| not_one_of("/language", &["en", "fr"]));
            faults.take(read)
        }
    };
    faults.settle(address.zip(language))
}

/// Stores the choice, sealing the address; the one there was can be opened by nobody any more.
fn store(
    tx: &mut WriteTx<'_>,
    context: &Context,
    user: UserId,
    (address, language): (Option<&MailAddress>, Language),
    now: DateTime<Utc>,
) -> Result<()> {
    let (row_id, owner) = (find_row_id(tx.conn, user)?, owner_of(user));
    let version = next_version(tx.conn, user)?;
    sealed::destroy_keys(tx.conn, owner, Some(Part::Address))?;
    match address {
        None => notices::remove(tx.conn, row_id)?,
        Some(address) => {
            let text = address.as_str().as_bytes();
            let sealed_part =
                context.sealer.seal(owner, Part::Address, version.cast_unsigned(), text)?;
            sealed::insert_part(tx.conn, owner, Part::Address, version, &sealed_part)?;
            notices::put(tx.conn, row_id, (language, version), now)?;
        }
    }
    let detail = if address.is_some() { "on" } else { "off" };
    tx.record(Entry::new(Act::ChangedNotices, user, now).by(Some(user)).detail(detail));
    Ok(())
}

/// Returns a version that no address of the person has had.
fn next_version(conn: &mut DbConn, user: UserId) -> Result<i32> {
    Ok(sealed::find_last_version(conn, owner_of(user), Part::Address)?.unwrap_or(0) + 1)
}

fn view(conn: &mut DbConn, context: &Context, user: UserId) -> Result<NoticesView> {
    let row_id = find_row_id(conn, user)?;
    let row = notices::find(conn, row_id)?;
    let mail = row.as_ref().map(|row| {
        notices::open_address(conn, context, user, row.address_version)
            .map(|address| address.as_str().to_owned())
    });
    Ok(NoticesView {
        mail: mail.transpose()?,
        language: row.as_ref().map(|row| row.language.clone()),
        is_sending: context.notifier.mailer.is_some(),
        sent_at: row.as_ref().and_then(|row| row.sent_at).map(|at| at.and_utc()),
        failed_at: row.and_then(|row| row.failed_at).map(|at| at.and_utc()),
    })
}
