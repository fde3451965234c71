//! `/.well-known/security.txt` (RFC 9116): where whoever finds a fault of security can tell us.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Days, SecondsFormat, Utc};

use crate::config::{PublicUrl, SecurityContact};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::http::query::Pairs;

/// Path of the file, fixed by RFC 9116, 3.
const PATH: &str = "/.well-known/security.txt";

/// Days the file stays valid after it was fetched.
///
/// # Source
/// RFC 9116, 2.5.5: less than a year, so that nobody writes to an address that was given up.
const VALID_DAYS: Days = Days::new(180);

/// Where to report a fault of security
///
/// 404 where the operator named no contact.
#[utoipa::path(
    get, path = "/.well-known/security.txt", tag = "reference", operation_id = "get_security_txt",
    security(()),
    responses((status = 200, description = "Contact and languages (RFC 9116)", body = String, content_type = "text/plain"))
)]
pub async fn get_security_txt(
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let contact = context.security_contact.as_ref().ok_or_else(Error::not_found)?;
    let text = write(contact, context.public_url.as_ref(), context.clock.now());
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .body(text))
}

/// Writes the file. `Canonical` must be an https address (RFC 9116, 2.5.2), so it is left out where people come by http.
fn write(contact: &SecurityContact, url: Option<&PublicUrl>, now: DateTime<Utc>) -> String {
    let until = now.checked_add_days(VALID_DAYS).unwrap_or(now);
    let until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
    let canonical = url
        .filter(|url| url.is_https())
        .map(|url| format!("Canonical: {}\r\n", url.of(PATH)))
        .unwrap_or_default();
    format!(
        "Contact: {}\r\nExpires: {until}\r\nPreferred-Languages: en, fr\r\n{canonical}",
        contact.as_str()
    )
}
