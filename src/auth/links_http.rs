//! Routes of links that work once: take an invitation up, set the instance up. They need no credential but the link.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::known::KnownDevice;
use crate::auth::passwords::Password;
use crate::auth::sessions_http::{Delivery, deliver_known};
use crate::auth::{csrf, invitations, setup};
use crate::context::Context;
use crate::error::Result;
use crate::http::body::JsonBody;
use crate::http::query::Pairs;
use crate::ids::UserId;

/// A link of an invitation, taken up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptBody {
    /// The secret of the link.
    #[schema(example = "snt_i_…")]
    token: String,
    /// The password from now on: 12 to 128 characters, not soon guessed, without the name.
    #[schema(value_type = String)]
    password: Password,
    /// `false`: what makes the device known comes in the body, and no cookie is set.
    #[serde(default = "with_cookie")]
    cookie: bool,
}

/// The link of the first start, taken up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUpBody {
    /// The secret of the link.
    #[schema(example = "snt_i_…")]
    token: String,
    /// The name of the first coordinator, to sign in with.
    name: String,
    /// Their password: 12 to 128 characters, not soon guessed, without the name.
    #[schema(value_type = String)]
    password: Password,
    /// `false`: what makes the device known comes in the body, and no cookie is set.
    #[serde(default = "with_cookie")]
    cookie: bool,
}

fn with_cookie() -> bool {
    true
}

/// An account that can sign in now.
#[derive(Serialize, ToSchema)]
pub struct ReadyView {
    /// The account.
    #[schema(value_type = uuid::Uuid)]
    user: UserId,
    /// For the first sign-in from here, where no cookie was wanted: it has its own guesses.
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<String>,
}

/// Take an invitation up
///
/// Sets the password of the account the link is for: the first, or a new one. Sessions end, and so does a second factor.
/// A link works once and for a time; whatever is wrong with it, the answer is the same 404.
#[utoipa::path(
    post, path = "/v1/invitations/accept", tag = "account", operation_id = "accept_invitation",
    request_body = AcceptBody,
    responses((status = 200, description = "The account can sign in", body = ReadyView)),
    security(()),
)]
pub async fn accept_invitation(
    request: HttpRequest,
    context: Data<Context>,
    body: JsonBody<AcceptBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    csrf::check_origin(request.headers(), context.own_origin())?;
    let AcceptBody { token, password, cookie } = body.0;
    let accepted = invitations::accept(&context, &token, password).await?;
    Ok(answer(&context, accepted, cookie, HttpResponse::Ok()))
}

/// Set the instance up
///
/// Makes the first coordinator, once, by the link printed where the server started.
#[utoipa::path(
    post, path = "/v1/setup", tag = "account", operation_id = "set_up",
    request_body = SetUpBody,
    responses((status = 201, description = "The coordinator can sign in", body = ReadyView)),
    security(()),
)]
pub async fn set_up(
    request: HttpRequest,
    context: Data<Context>,
    body: JsonBody<SetUpBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    csrf::check_origin(request.headers(), context.own_origin())?;
    let SetUpBody { token, name, password, cookie } = body.0;
    let made = setup::set_up(&context, &token, name, password).await?;
    Ok(answer(&context, made, cookie, HttpResponse::Created()))
}

fn answer(
    context: &Context,
    (user, known): (UserId, KnownDevice),
    cookie: bool,
    mut response: actix_web::HttpResponseBuilder,
) -> HttpResponse {
    let delivery = if cookie { Delivery::Cookie } else { Delivery::Body };
    let known = deliver_known(&mut response, delivery, &known, context.clock.now());
    response.json(ReadyView { user, known })
}
