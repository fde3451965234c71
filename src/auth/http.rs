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
use crate::auth::rates::RateLimits;
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
    let principal = match admit(&request).await {
        Ok(principal) => principal,
        Err(error) => return Ok(request.error_response(error)),
    };
    request.extensions_mut().insert(principal);
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

/// Returns who comes, once they are known and have not asked more than their share.
async fn admit(request: &ServiceRequest) -> Result<Principal> {
    let credential = bearer(request.headers()).ok_or_else(|| Error::new(Code::Unauthenticated))?;
    let hash = credential.hash();
    let principal = find_principal(request, credential).await?;
    of_application::<RateLimits>(request)?.count(&principal, hash)?;
    Ok(principal)
}

fn of_application<T: 'static>(request: &ServiceRequest) -> Result<web::Data<T>> {
    let missing = || Error::internal("the application was built without what it works with");
    request.app_data::<web::Data<T>>().cloned().ok_or_else(missing)
}

async fn find_principal(request: &ServiceRequest, credential: Credential) -> Result<Principal> {
    let context = of_application::<Context>(request)?;
    let now = context.clock.now();
    let db = context.db.clone();
    let found = db
        .read_at_door(move |conn| {
            Ok(store::find_principal(conn, &credential, now, context.geo().countries())?)
        })
        .await?;
    found.ok_or_else(|| Error::new(Code::Unauthenticated))
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
    UseAccount = UseAccount,
    ManageCredentials = ManageCredentials,
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
