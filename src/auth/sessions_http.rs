//! Routes of sessions: sign in, list and end one's own, sign out.

use actix_web::http::header;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::credential::Credential;
use crate::auth::http::{Access, Presented, PresentedBy, UseAccount};
use crate::auth::known::KnownDevice;
use crate::auth::passwords::Password;
use crate::auth::sessions::{self, Session};
use crate::auth::sign_in::{Attempt, SignedIn, sign_in};
use crate::auth::types::Principal;
use crate::auth::{cookies, csrf, store};
use crate::context::Context;
use crate::db::writer::WriteTx;
use crate::error::{Error, Result};
use crate::http::body::JsonBody;
use crate::http::page::{self, PageParams, PageRequest};
use crate::http::query::Pairs;
use crate::ids::{SessionId, UserId};

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInBody {
    /// The name of the account.
    name: String,
    /// Its password.
    #[schema(value_type = String)]
    password: Password,
    /// The code of an authenticator program, or a recovery code; needed once a second factor is set up.
    code: Option<String>,
    /// `false`: the session comes in the body, to be sent as `Authorization: Bearer …`, and no cookie is set.
    #[serde(default = "with_cookie")]
    cookie: bool,
    /// What an earlier sign-in gave as `known`, for callers without cookies.
    known: Option<String>,
}

fn with_cookie() -> bool {
    true
}

/// A session that began.
#[derive(Serialize, ToSchema)]
pub struct NewSessionView {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    id: SessionId,
    /// Whose it is.
    #[schema(value_type = uuid::Uuid)]
    user: UserId,
    /// To be sent as `X-CSRF-Token` with whatever changes something; sessions in `Authorization` need none.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf: Option<String>,
    /// The session itself, where no cookie was wanted; shown only now.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    /// For the next sign-in from here, where no cookie was wanted: it has its own guesses.
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<String>,
    /// When it ends, used or not.
    expires_at: DateTime<Utc>,
    /// Unused so long, it ends.
    idle_timeout_s: i64,
    /// The roles of this account need a second factor: until it is set up, only the account itself can be used.
    must_enrol: bool,
}

/// How the secrets of a new session reach the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// In cookies that no script reads.
    Cookie,
    /// In the body.
    Body,
}

impl From<PresentedBy> for Delivery {
    fn from(by: PresentedBy) -> Self {
        match by {
            PresentedBy::Cookie => Self::Cookie,
            PresentedBy::Header => Self::Body,
        }
    }
}

impl NewSessionView {
    /// Returns the view of a session that just began; its secret is in it, or in the cookie added to `response`.
    pub fn deliver(
        context: &Context,
        response: &mut HttpResponseBuilder,
        delivery: Delivery,
        (user, session, idle): (UserId, &Session, chrono::Duration),
        secret: &Credential,
    ) -> Self {
        let (csrf, session_text) = match delivery {
            Delivery::Cookie => {
                let cookie = cookies::of_browser_session(cookies::SESSION, secret.expose());
                response.append_header((header::SET_COOKIE, cookie));
                (Some(csrf::token(&context.keys, &secret.hash())), None)
            }
            Delivery::Body => (None, Some(secret.expose().to_owned())),
        };
        Self {
            id: session.id,
            user,
            csrf,
            session: session_text,
            known: None,
            expires_at: session.expires_at.and_utc(),
            idle_timeout_s: idle.num_seconds(),
            must_enrol: false,
        }
    }
}

/// Makes the device known: by a cookie, or by the text to be sent along next time.
pub fn deliver_known(
    response: &mut HttpResponseBuilder,
    delivery: Delivery,
    known: &KnownDevice,
    now: DateTime<Utc>,
) -> Option<String> {
    match delivery {
        Delivery::Cookie => {
            let cookie = cookies::lasting(cookies::KNOWN, known.text(), known.seconds_left(now));
            response.append_header((header::SET_COOKIE, cookie));
            None
        }
        Delivery::Body => Some(known.text().to_owned()),
    }
}

/// Sign in
///
/// Sets the session's cookie, and a second one by which this device is known: its guesses are counted apart, so that
/// nobody elsewhere can keep the owner out. Whatever is wrong, the answer is the same 401. After five guesses each costs
/// a wait: 429.
#[utoipa::path(
    post, path = "/v1/sessions", tag = "account", operation_id = "create_session",
    request_body = SignInBody,
    responses((status = 201, description = "Signed in", body = NewSessionView)),
    security(()),
)]
pub async fn create_session(
    request: HttpRequest,
    context: Data<Context>,
    body: JsonBody<SignInBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    csrf::check_origin(request.headers(), context.own_origin())?;
    let SignInBody { name, password, code, cookie, known } = body.0;
    let delivery = if cookie { Delivery::Cookie } else { Delivery::Body };
    let known =
        known.or_else(|| cookies::find(request.headers(), cookies::KNOWN).map(ToOwned::to_owned));
    let signed_in = sign_in(&context, Attempt { name, password, code, known }).await?;
    let SignedIn { user, session, secret, idle, must_enrol, known } = signed_in;
    let mut response = HttpResponse::Created();
    let view =
        NewSessionView::deliver(&context, &mut response, delivery, (user, &session, idle), &secret);
    let known = deliver_known(&mut response, delivery, &known, context.clock.now());
    Ok(response.json(NewSessionView { known, must_enrol, ..view }))
}

/// One of the caller's sessions.
#[derive(Serialize, ToSchema)]
pub struct SessionView {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    id: SessionId,
    /// When it began.
    created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    seen_at: DateTime<Utc>,
    /// When it ends, used or not.
    expires_at: DateTime<Utc>,
    /// Whether it began with a second factor.
    has_second_factor: bool,
    /// Whether it is the one that asks.
    is_current: bool,
}

impl SessionView {
    fn of(session: &Session, current: Option<SessionId>) -> Self {
        let Session { id, created_at, seen_at, expires_at, has_second_factor } = *session;
        Self {
            id,
            created_at: created_at.and_utc(),
            seen_at: seen_at.and_utc(),
            expires_at: expires_at.and_utc(),
            has_second_factor,
            is_current: current == Some(id),
        }
    }
}

/// A page of the caller's sessions.
#[derive(Serialize, ToSchema)]
pub struct SessionPage {
    /// Newest first.
    items: Vec<SessionView>,
    /// Cursor of the next page; absent on the last.
    next: Option<String>,
}

/// The person that asks, and the session in which they do.
pub(in crate::auth) fn person<P>(access: &Access<P>) -> Result<(UserId, Option<SessionId>)> {
    match &access.principal {
        Principal::User { id, limits, .. } => Ok((*id, limits.session)),
        Principal::Device { .. } => Err(Error::not_found()),
    }
}

/// List one's own sessions
///
/// Those that live, newest first. A session is told by its times alone: no address is kept.
#[utoipa::path(
    get, path = "/v1/sessions", tag = "account", operation_id = "list_sessions",
    params(PageParams),
    responses((status = 200, description = "The caller's sessions", body = SessionPage)),
)]
pub async fn list_sessions(
    request: HttpRequest,
    context: Data<Context>,
    access: Access<UseAccount>,
) -> Result<HttpResponse> {
    let mut pairs = Pairs::of(&request)?;
    let page = PageRequest::take(&mut pairs)?;
    pairs.refuse_rest(&["limit", "cursor"])?;
    let (user, current) = person(&access)?;
    let (now, geo) = (context.clock.now(), context.geo());
    let binding = format!("sessions {user}");
    let after = page.position(&context.keys, &binding)?;
    let limit = i64::try_from(page.limit).unwrap_or(i64::MAX);
    let find = move |conn: &mut crate::db::dialect::DbConn| {
        let row_id = store::find_row_id(conn, user)?;
        let grants = store::list_grants(conn, row_id, now.naive_utc(), geo.countries())?;
        let idle = sessions::idle_limit(&grants);
        Ok(sessions::list(conn, row_id, (now, idle), after, limit)?)
    };
    let rows = context.db.read(find).await?;
    let last = rows.last().filter(|_| rows.len() == page.limit).map(|(row_id, _)| *row_id);
    let next = last.map(|row_id| page::cursor(&context.keys, row_id, &binding)).transpose()?;
    let items = rows.into_iter().map(|(_, session)| SessionView::of(&session, current)).collect();
    let mut response = HttpResponse::Ok();
    if let Some(next) = &next {
        response.insert_header((header::LINK, page::next_link(&request, next)));
    }
    Ok(response.json(SessionPage { items, next }))
}

/// End one of one's own sessions
///
/// `current` signs out.
#[utoipa::path(
    delete, path = "/v1/sessions/{id}", tag = "account", operation_id = "delete_session",
    params(("id" = String, Path, description = "Id of a session of one's own, or `current`")),
    responses((status = 204, description = "It has ended, everywhere")),
)]
pub async fn delete_session(
    request: HttpRequest,
    context: Data<Context>,
    access: Access<UseAccount>,
    presented: Presented,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let (user, current) = person(&access)?;
    let wanted = match id.as_str() {
        "current" => current,
        other => SessionId::parse(other),
    };
    let wanted = wanted.ok_or_else(Error::not_found)?;
    let is_current = current == Some(wanted);
    let act = if is_current { Act::SignedOut } else { Act::EndedSession };
    let now = context.clock.now();
    let end = move |tx: &mut WriteTx<'_>| {
        let row_id = store::find_row_id(tx.conn, user)?;
        if !sessions::end(tx.conn, row_id, wanted, now)? {
            return Err(Error::not_found());
        }
        tx.record(Entry::new(act, user, now).by(Some(user)));
        Ok(())
    };
    context.db.write(end).await?;
    let mut response = HttpResponse::NoContent();
    if is_current && presented.by == PresentedBy::Cookie {
        // Not its "cookies", which would take the known device along.
        response.insert_header(("Clear-Site-Data", "\"cache\", \"storage\""));
        let gone = cookies::lasting(cookies::SESSION, "", 0);
        response.insert_header((header::SET_COOKIE, gone));
    }
    Ok(response.finish())
}
