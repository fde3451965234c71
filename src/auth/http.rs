//! Bearer tokens and session cookies in, principals and their access out.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::credential::{Credential, CredentialKind};
use crate::auth::policy::{Action, visible};
use crate::auth::rates::RateLimits;
use crate::auth::store::{self, Caller};
use crate::auth::types::{Principal, Scope};
use crate::auth::{cookies, csrf, sessions};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::error::{Code, Error, Result};
use crate::http::problem::ASKS_FOR_PASSWORD;
use crate::ids::{SessionId, UserId};

/// Refuses a request without a valid credential, with the same bytes whatever it asked for.
///
/// # Errors
/// `Unauthenticated`, `CsrfFailed` for a request by cookie that no page of ours wrote, or the database's failure.
pub async fn authenticate<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> std::result::Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let (principal, presented) = match admit(&request).await {
        Ok(admitted) => admitted,
        Err(error) if error.code == Code::Unauthenticated && may_be_prompted(&request) => {
            let asking = error.with(ASKS_FOR_PASSWORD, true.into());
            return Ok(request.error_response(asking));
        }
        Err(error) => return Ok(request.error_response(error)),
    };
    let caller = principal.user_id();
    request.extensions_mut().insert(principal);
    request.extensions_mut().insert(presented);
    let response = next.call(request).await?.map_into_boxed_body();
    if let Some(caller) = caller.filter(|_| response.status() == StatusCode::FORBIDDEN) {
        record_refusal(&response, caller).await;
    }
    Ok(response)
}

/// Leaves an entry of a person who asked for what they may not. The answer is decided: when the entry cannot be
/// written, it stays as it is.
async fn record_refusal(response: &ServiceResponse<BoxBody>, caller: UserId) {
    let Some(context) = response.request().app_data::<web::Data<Context>>() else {
        return;
    };
    let error = response.response().error().and_then(|error| error.as_error::<Error>());
    let extra = error.and_then(|error| error.extra.as_deref());
    let action =
        extra.filter(|(name, _)| *name == "action").and_then(|(_, action)| action.as_str());
    let entry = Entry::new(Act::Refused, caller, context.clock.now())
        .by(Some(caller))
        .detail(action.unwrap_or_default());
    let written = context.db.write(move |tx| {
        tx.record(entry);
        Ok(())
    });
    if let Err(error) = written.await {
        tracing::warn!(code = error.code.as_str(), "a refusal left no entry in the audit log");
    }
}

/// The credential a request came with.
#[derive(Debug, Clone, Copy)]
pub struct Presented {
    /// Its hash.
    pub hash: [u8; 32],
    /// How it came.
    pub by: PresentedBy,
}

/// How a credential comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresentedBy {
    /// In `Authorization`, put there on purpose.
    Header,
    /// In the session's cookie, put there by a browser.
    Cookie,
}

impl FromRequest for Presented {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let presented = request.extensions().get::<Self>().copied();
        ready(presented.ok_or_else(|| Error::new(Code::Unauthenticated)))
    }
}

/// Returns who comes, once they are known and have not asked more than their share.
async fn admit(request: &ServiceRequest) -> Result<(Principal, Presented)> {
    let unauthenticated = || Error::new(Code::Unauthenticated);
    let (credential, by) = find_credential(request.headers()).ok_or_else(unauthenticated)?;
    let presented = Presented { hash: credential.hash(), by };
    let is_reading_only = credential.kind() == CredentialKind::Feed;
    let context = of_application::<Context>(request)?;
    let caller = find_caller(&context, credential).await?.ok_or_else(unauthenticated)?;
    if is_reading_only && !request.method().is_safe() {
        return Err(Error::new(Code::Forbidden).detail(
            "a feed key only reads: send this with a token or in a session",
            "une clé de flux ne fait que lire : envoyez ceci avec un jeton ou en session",
        ));
    }
    if by == PresentedBy::Cookie {
        let (method, headers) = (request.method(), request.headers());
        csrf::check(&context.keys, &presented.hash, (method, headers), context.own_origin())?;
    }
    of_application::<RateLimits>(request)?.count(&caller.principal, presented.hash)?;
    if let Some(session) = caller.unseen {
        see(&context, session).await;
    }
    Ok((caller.principal, presented))
}

fn of_application<T: 'static>(request: &ServiceRequest) -> Result<web::Data<T>> {
    let missing = || Error::internal("the application was built without what it works with");
    request.app_data::<web::Data<T>>().cloned().ok_or_else(missing)
}

async fn find_caller(
    context: &web::Data<Context>,
    credential: Credential,
) -> Result<Option<Caller>> {
    let (now, geo) = (context.clock.now(), context.geo());
    let find =
        move |conn: &mut DbConn| Ok(store::find_caller(conn, &credential, now, geo.countries())?);
    context.db.read_at_door(find).await
}

/// Writes down that a session is in use. Where that cannot be written, the request goes on: a full disk must not keep
/// people from reading.
async fn see(context: &Context, session: SessionId) {
    let now = context.clock.now();
    let seen = context.db.write(move |tx| Ok(sessions::see(tx.conn, session, now)?)).await;
    if let Err(error) = seen {
        tracing::warn!(code = error.code.as_str(), "the use of a session was not written down");
    }
}

/// Returns what a request comes with: what `Authorization` says, or else the session's cookie.
fn find_credential(headers: &HeaderMap) -> Option<(Credential, PresentedBy)> {
    if headers.contains_key(header::AUTHORIZATION) {
        return Some((in_header(headers)?, PresentedBy::Header));
    }
    let credential = Credential::parse(cookies::find(headers, cookies::SESSION)?).ok()?;
    let is_session = credential.kind() == CredentialKind::Session;
    is_session.then_some((credential, PresentedBy::Cookie))
}

/// Reads `Authorization: Bearer` with a token of any kind, and `Basic` with a feed key as password: spreadsheets and maps
/// know nothing else. Other kinds do more than read, and programs of that sort keep passwords carelessly.
fn in_header(headers: &HeaderMap) -> Option<Credential> {
    let mut values = headers.get_all(header::AUTHORIZATION);
    let (value, None) = (values.next()?.to_str().ok()?, values.next()) else {
        return None;
    };
    let (scheme, content) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Credential::parse(content.trim()).ok();
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = Zeroizing::new(STANDARD.decode(content.trim()).ok()?);
    let (_, password) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
    let key = Credential::parse(password).ok()?;
    (key.kind() == CredentialKind::Feed).then_some(key)
}

/// Tells whether whoever asked is told that a password would do, as spreadsheets and maps need to be. The scripts of a page are
/// not: a browser would put up a window of its own over it. It does not depend on what was asked for.
fn may_be_prompted(request: &ServiceRequest) -> bool {
    request.headers().get("sec-fetch-mode").is_none_or(|mode| mode == "navigate")
}

/// Names an [`Action`] in a handler's signature.
pub trait Permission {
    /// The action.
    const ACTION: Action;
}

/// Makes a type for each action that handlers name in their signature.
macro_rules! permissions {
    ($($name:ident = $action:ident),* $(,)?) => {$(
        #[doc = concat!("Names [`Action::", stringify!($action), "`].")]
        pub enum $name {}
        impl Permission for $name {
            const ACTION: Action = Action::$action;
        }
    )*};
}

permissions! {
    SubmitReport = SubmitReport,
    ReadReceipt = ReadReceipt,
    ReadCore = ReadCore,
    OpenReport = OpenReport,
    Decide = Decide,
    OverseeReview = OverseeReview,
    AskGeotag = Geotag,
    ClassifyText = Classify,
    RevealIdentities = RevealIdentities,
    EraseReport = EraseReport,
    ReadAudit = ReadAudit,
    ReadAuditHeads = ReadAuditHeads,
    ReadDirectory = ReadDirectory,
    ReadPeople = ReadPeople,
    ManagePeople = ManagePeople,
    ManageDevices = ManageDevices,
    ManageCoalition = ManageCoalition,
    ManageReleases = ManageReleases,
    UseAccount = UseAccount,
    ManageCredentials = ManageCredentials,
    ManageWebhooks = ManageWebhooks,
    ReadMetrics = ReadMetrics,
}

/// Proof that the caller may do `P` somewhere, and where.
pub struct Access<P> {
    /// Whoever asks.
    pub principal: Principal,
    /// The countries in which the action is theirs.
    pub scope: Scope,
    permission: PhantomData<P>,
}

impl<P: Permission> FromRequest for Access<P> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let principal = request.extensions().get::<Principal>().cloned();
        ready(principal.ok_or_else(|| Error::new(Code::Unauthenticated)).and_then(|principal| {
            let scope = visible(&principal, P::ACTION)?;
            Ok(Self { principal, scope, permission: PhantomData })
        }))
    }
}
