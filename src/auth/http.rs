//! Bearer tokens in, principals and their access out.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use crate::auth::credential::Credential;
use crate::auth::policy::{Action, visible};
use crate::auth::store;
use crate::auth::types::{Principal, Scope};
use crate::context::Context;
use crate::error::{Code, Error, Result};

/// Refuses a request without a valid credential, with the same bytes whatever it asked for.
///
/// # Errors
/// `Unauthenticated`, or the database's failure.
pub async fn authenticate<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> std::result::Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let principal = match find_principal(&request).await {
        Ok(principal) => principal,
        Err(error) => return Ok(request.error_response(error)),
    };
    request.extensions_mut().insert(principal);
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

async fn find_principal(request: &ServiceRequest) -> Result<Principal> {
    let unauthenticated = || Error::new(Code::Unauthenticated);
    let credential = bearer(request.headers()).ok_or_else(unauthenticated)?;
    let context = request
        .app_data::<web::Data<Context>>()
        .cloned()
        .ok_or_else(|| Error::internal("the application was built without its context"))?;
    let now = context.clock.now();
    let db = context.db.clone();
    let found = db
        .read_at_door(move |conn| {
            Ok(store::find_principal(conn, &credential, now, context.geo().countries())?)
        })
        .await?;
    found.ok_or_else(unauthenticated)
}

fn bearer(headers: &HeaderMap) -> Option<Credential> {
    let mut values = headers.get_all(header::AUTHORIZATION);
    let (value, None) = (values.next()?.to_str().ok()?, values.next()) else {
        return None;
    };
    let (scheme, token) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    Credential::parse(token.trim()).ok()
}

/// Names an [`Action`] in a handler's signature.
pub trait Permission {
    /// The action.
    const ACTION: Action;
}

/// Names [`Action::SubmitReport`].
pub enum SubmitReport {}
/// Names [`Action::ReadReceipt`].
pub enum ReadReceipt {}
/// Names [`Action::ReadCore`].
pub enum ReadCore {}
/// Names [`Action::OpenReport`].
pub enum OpenReport {}
/// Names [`Action::Decide`].
pub enum Decide {}
/// Names [`Action::Geotag`].
pub enum AskGeotag {}
/// Names [`Action::Classify`].
pub enum ClassifyText {}

impl Permission for SubmitReport {
    const ACTION: Action = Action::SubmitReport;
}
impl Permission for ReadReceipt {
    const ACTION: Action = Action::ReadReceipt;
}
impl Permission for ReadCore {
    const ACTION: Action = Action::ReadCore;
}
impl Permission for OpenReport {
    const ACTION: Action = Action::OpenReport;
}
impl Permission for Decide {
    const ACTION: Action = Action::Decide;
}
impl Permission for AskGeotag {
    const ACTION: Action = Action::Geotag;
}
impl Permission for ClassifyText {
    const ACTION: Action = Action::Classify;
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
