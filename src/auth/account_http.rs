//! Routes of one's own account: who one is and may what, the password, the second factor.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::account::{self, Enrolled, NewFactor};
use crate::auth::accounts;
use crate::auth::http::{Access, ManageCredentials, Presented, PresentedBy, UseAccount};
use crate::auth::passwords::Password;
use crate::auth::policy::Action;
use crate::auth::sessions_http::{Delivery, NewSessionView, person};
use crate::auth::types::{Limits, Principal, Scope};
use crate::auth::{csrf, second_factor, sessions, store, totp};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::{grants, organisations, users};
use crate::error::{Error, Result};
use crate::geo::countries::CountryCode;
use crate::http::body::JsonBody;
use crate::http::query::Pairs;
use crate::ids::{GrantId, OrganisationId, SessionId, UserId};

/// Who the caller is.
#[derive(Serialize, ToSchema)]
pub struct AccountView {
    /// The account.
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    /// Its name, which nobody else is shown.
    name: String,
    /// The organisation it belongs to.
    organisation: Option<OrganisationOfAccount>,
    /// What it may do, where and when.
    roles: Vec<RoleView>,
    /// Its second factor.
    second_factor: SecondFactorView,
    /// What the credential of this request may do of it.
    credential: CredentialView,
}

/// An organisation.
#[derive(Serialize, ToSchema)]
pub struct OrganisationOfAccount {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    id: OrganisationId,
    /// Its name.
    name: String,
}

/// A role within a scope, for a time.
#[derive(Serialize, ToSchema)]
pub struct RoleView {
    /// The grant.
    #[schema(value_type = uuid::Uuid)]
    id: GrantId,
    /// The role.
    #[schema(example = "reviewer")]
    role: String,
    /// `all`, a country, or `region:` with its code.
    #[schema(example = "SLE")]
    scope: String,
    /// Since when, or from when on.
    from: DateTime<Utc>,
    /// Until when.
    until: Option<DateTime<Utc>>,
}

/// The state of a second factor.
#[derive(Serialize, ToSchema)]
pub struct SecondFactorView {
    /// Some role needs one.
    is_needed: bool,
    /// Since when one is in force.
    since: Option<DateTime<Utc>>,
    /// Recovery codes that were not used yet.
    recovery_codes_left: i64,
}

/// What a credential may do of what its owner may.
#[derive(Serialize, ToSchema)]
pub struct CredentialView {
    /// `session` or `token`.
    kind: &'static str,
    /// The session.
    #[schema(value_type = Option<uuid::Uuid>)]
    session: Option<SessionId>,
    /// To be sent as `X-CSRF-Token`, where the session came by cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf: Option<String>,
    /// Some roles stay away until a second factor is set up.
    must_enrol: bool,
    /// These actions alone; absent where it is not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    actions: Option<Vec<&'static str>>,
    /// In these countries alone; absent where it is not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    countries: Option<Vec<String>>,
    /// Whether it may reveal identities, where the roles do.
    may_reveal: bool,
}

/// Who am I
///
/// The account, its roles, and what this credential may do of them.
#[utoipa::path(
    get, path = "/v1/me", tag = "account", operation_id = "get_account",
    responses((status = 200, description = "The caller", body = AccountView)),
)]
pub async fn get_account(
    request: HttpRequest,
    context: Data<Context>,
    access: Access<UseAccount>,
    presented: Presented,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let (user, _) = person(&access)?;
    let Principal::User { limits, .. } = access.principal else {
        return Err(Error::not_found());
    };
    let csrf =
        (presented.by == PresentedBy::Cookie).then(|| csrf::token(&context.keys, &presented.hash));
    let (reader, now) = (context.clone(), context.clock.now());
    let view = move |conn: &mut DbConn| view_account(conn, &reader, user, (limits, csrf), now);
    Ok(HttpResponse::Ok().json(context.db.read(view).await?))
}

fn view_account(
    conn: &mut DbConn,
    context: &Context,
    user: UserId,
    (limits, csrf): (Limits, Option<String>),
    now: DateTime<Utc>,
) -> Result<AccountView> {
    let row_id = store::find_row_id(conn, user)?;
    let held = store::list_grants(conn, row_id, now.naive_utc(), context.geo().countries())?;
    let is_needed = held.iter().any(|grant| sessions::needs_second_factor(grant.role));
    let factor = second_factor::find(conn, row_id)?;
    let has_factor = match limits.session {
        Some(session) => sessions::has_second_factor(conn, session)?,
        None => true,
    };
    Ok(AccountView {
        id: user,
        name: accounts::open_name(conn, &context.sealer, user)?.to_string(),
        organisation: find_organisation(conn, row_id)?,
        roles: list_roles(conn, row_id, now.naive_utc())?,
        second_factor: SecondFactorView {
            is_needed,
            since: factor.and_then(|row| row.confirmed_at).map(|at| at.and_utc()),
            recovery_codes_left: second_factor::count_recovery_codes(conn, row_id)?,
        },
        credential: view_credential(limits, csrf, is_needed && !has_factor),
    })
}

fn view_credential(limits: Limits, csrf: Option<String>, must_enrol: bool) -> CredentialView {
    let Limits { actions, scope, may_reveal, session } = limits;
    let codes = |countries: &std::collections::BTreeSet<CountryCode>| {
        countries.iter().map(|country| country.as_str().to_owned()).collect()
    };
    CredentialView {
        kind: if session.is_some() { "session" } else { "token" },
        session,
        csrf,
        must_enrol,
        actions: actions.map(|actions| actions.into_iter().map(Action::as_str).collect()),
        countries: match &scope {
            None | Some(Scope::All) => None,
            Some(Scope::Countries(countries)) => Some(codes(countries)),
        },
        may_reveal,
    }
}

fn find_organisation(conn: &mut DbConn, user: i64) -> QueryResult<Option<OrganisationOfAccount>> {
    let found: Option<(OrganisationId, String)> = users::table
        .inner_join(organisations::table)
        .filter(users::id.eq(user))
        .select((organisations::uuid, organisations::name))
        .first(conn)
        .optional()?;
    Ok(found.map(|(id, name)| OrganisationOfAccount { id, name }))
}

/// Returns the grants that hold or will hold.
fn list_roles(conn: &mut DbConn, user: i64, now: NaiveDateTime) -> QueryResult<Vec<RoleView>> {
    type Row = (GrantId, String, String, String, NaiveDateTime, Option<NaiveDateTime>);
    let rows: Vec<Row> = grants::table
        .filter(grants::user_id.eq(user).and(grants::revoked_at.is_null()))
        .filter(grants::valid_until.is_null().or(grants::valid_until.gt(Some(now))))
        .order(grants::id)
        .select((
            grants::uuid,
            grants::role,
            grants::scope_kind,
            grants::scope_value,
            grants::valid_from,
            grants::valid_until,
        ))
        .load(conn)?;
    let view = |(id, role, kind, value, from, until): Row| RoleView {
        id,
        role,
        scope: match kind.as_str() {
            "all" => kind,
            "region" => format!("region:{value}"),
            _ => value,
        },
        from: from.and_utc(),
        until: until.map(|until| until.and_utc()),
    };
    Ok(rows.into_iter().map(view).collect())
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordBody {
    /// The one until now.
    #[schema(value_type = String)]
    old: Password,
    /// The one from now on: 12 to 128 characters, not soon guessed, without the name.
    #[schema(value_type = String)]
    new: Password,
}

/// Change one's password
///
/// Ends every other session. Only in a session.
#[utoipa::path(
    put, path = "/v1/me/password", tag = "account", operation_id = "put_password",
    request_body = PasswordBody,
    responses((status = 204, description = "It is changed")),
)]
pub async fn put_password(
    request: HttpRequest,
    context: Data<Context>,
    access: Access<ManageCredentials>,
    body: JsonBody<PasswordBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let PasswordBody { old, new } = body.0;
    account::change_password(&context, in_session(&access)?, old, new).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What setting up a second factor begins with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFactorBody {
    /// The password of the account.
    #[schema(value_type = String)]
    password: Password,
    /// Where a second factor is in force: a code of it, or a recovery code.
    code: Option<String>,
}

/// A secret for an authenticator program; shown only now.
#[derive(Serialize, ToSchema)]
pub struct NewFactorView {
    /// To be typed into the program, base32.
    #[schema(value_type = String)]
    secret: String,
    /// To be opened by the program.
    uri: String,
    /// To be scanned by the program: an SVG document.
    qr_svg: String,
}

/// Begin to set up a second factor
///
/// Nothing changes until its first code is sent. Only in a session.
#[utoipa::path(
    post, path = "/v1/me/second-factor", tag = "account", operation_id = "begin_second_factor",
    request_body = NewFactorBody,
    responses((status = 200, description = "A new secret", body = NewFactorView)),
)]
pub async fn begin_second_factor(
    request: HttpRequest,
    context: Data<Context>,
    access: Access<ManageCredentials>,
    body: JsonBody<NewFactorBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let (user, _) = in_session(&access)?;
    let NewFactorBody { password, code } = body.0;
    let NewFactor { name, secret } = account::begin_factor(&context, user, password, code).await?;
    let uri = totp::uri(&name, &secret);
    Ok(HttpResponse::Ok().json(NewFactorView {
        secret: totp::base32(&secret).to_string(),
        qr_svg: totp::qr_svg(&uri)?,
        uri: uri.to_string(),
    }))
}

/// The first code of a new second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstCodeBody {
    /// Six digits.
    #[schema(example = "287082")]
    code: String,
}

/// A second factor in force.
#[derive(Serialize, ToSchema)]
pub struct EnrolledView {
    /// One each for when the factor is lost; shown only now.
    recovery_codes: Vec<String>,
    /// The session that goes on, under a new id; every other has ended.
    session: NewSessionView,
}

/// Put the new second factor in force
///
/// By its first code. The session goes on under a new id, with every role; all others end.
#[utoipa::path(
    put, path = "/v1/me/second-factor", tag = "account", operation_id = "confirm_second_factor",
    request_body = FirstCodeBody,
    responses((status = 200, description = "It is in force", body = EnrolledView)),
)]
pub async fn confirm_second_factor(
    request: HttpRequest,
    context: Data<Context>,
    access: Access<ManageCredentials>,
    presented: Presented,
    body: JsonBody<FirstCodeBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let (user, _) = in_session(&access)?;
    let enrolled = account::confirm_factor(&context, user, body.0.code).await?;
    let Enrolled { session, secret, idle, recovery_codes } = enrolled;
    let mut response = HttpResponse::Ok();
    let session = NewSessionView::deliver(
        &context,
        &mut response,
        Delivery::from(presented.by),
        (user, &session, idle),
        &secret,
    );
    let recovery_codes = recovery_codes.iter().map(|code| code.to_string()).collect();
    Ok(response.json(EnrolledView { recovery_codes, session }))
}

/// The person and the session in which they ask; the gate lets nobody else here.
fn in_session(access: &Access<ManageCredentials>) -> Result<(UserId, SessionId)> {
    let (user, session) = person(access)?;
    session.map(|session| (user, session)).ok_or_else(Error::not_found)
}
