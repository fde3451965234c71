//! Routes of people.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::http::{Access, ManagePeople, ReadPeople};
use crate::auth::invitations::Invitation;
use crate::context::Context;
use crate::db::writer::WriteTx;
use crate::error::{Error, FieldError, Result};
use crate::http::body::JsonBody;
use crate::http::page::{self, PageParams, PageRequest};
use crate::http::query::Pairs;
use crate::ids::{Id, UserId};
use crate::people::caller::Caller;
use crate::people::grants::types::{GrantBody, NewGrant};
use crate::people::input::{Faults, read_id, read_name};
use crate::people::users::acts::{self, NewUser};
use crate::people::users::store;
use crate::people::users::view::{Shown, UserView, view_users};
use crate::seal::envelope::{Owner, OwnerKind, Part};

/// What the cursors of this list are bound to.
const BINDING: &str = "users";
/// Most roles an invitation gives.
const MOST_GRANTS: usize = 20;

/// A page of people.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserPage {
    /// In the order they were added.
    items: Vec<UserView>,
    /// Cursor of the next page; absent on the last.
    next: Option<String>,
    /// How many there are.
    total: i64,
}

/// List people
///
/// Those with a role in your countries. Names of those alone whom you may manage; coordinators know all.
#[utoipa::path(
    get, path = "/v1/users", tag = "people", operation_id = "list_users",
    params(PageParams),
    responses((status = 200, description = "One page", body = UserPage))
)]
pub async fn list_users(
    access: Access<ReadPeople>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<web::Json<UserPage>> {
    let mut pairs = Pairs::of(&request)?;
    let page = PageRequest::take(&mut pairs)?;
    pairs.refuse_rest(&["limit", "cursor"])?;
    let range = (page.position(&context.keys, BINDING)?.unwrap_or_default(), page.n_rows());
    let caller = Caller::new(access, context.clock.now());
    let shared = context.clone();
    let (rows, items, total) = context
        .db
        .read(move |conn| {
            let now = caller.now.naive_utc();
            let (rows, total) = store::list_users(conn, &caller.scope, range, now)?;
            let views = view_users(conn, &shared, &caller, &rows, Shown::Lasting)?;
            Ok((rows, views, total))
        })
        .await?;
    let next = page::next_cursor(&context.keys, &page, &rows, |row| row.row_id, BINDING)?;
    Ok(web::Json(UserPage { items, next, total }))
}

/// Read a person
///
/// With the roles in your countries that are over.
#[utoipa::path(
    get, path = "/v1/users/{id}", tag = "people", operation_id = "get_user",
    params(("id" = uuid::Uuid, Path, description = "The person")),
    responses((status = 200, description = "The person", body = UserView))
)]
pub async fn get_user(
    access: Access<ReadPeople>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<web::Json<UserView>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: UserId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let caller = Caller::new(access, context.clock.now());
    let shared = context.clone();
    let view = context
        .db
        .read(move |conn| {
            let row = store::find_user(conn, &caller.scope, id, caller.now.naive_utc())?;
            let row = row.ok_or_else(Error::not_found)?;
            let mut views = view_users(conn, &shared, &caller, &[row], Shown::History)?;
            views.pop().ok_or_else(Error::not_found)
        })
        .await?;
    Ok(web::Json(view))
}

/// A person to invite.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserToInvite, example = json!({
    "name": "A. Reviewer", "grants": [{"role": "reviewer", "scope": "SLE", "tags": ["watch_kp_wgm"]}]
}))]
pub struct InvitedBody {
    /// What the person signs in with; sealed, and nobody else's.
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    /// Id of the organisation.
    #[serde(default)]
    organisation: Option<String>,
    /// What the person may do, one to twenty roles.
    #[schema(min_items = 1, max_items = 20)]
    grants: Vec<GrantBody>,
}

/// A link that works once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub struct InvitationView {
    /// The person.
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    /// What the person sets a password with, once. It is shown only now: hand it over by a safe way.
    #[schema(example = "snt_i_…")]
    invitation: String,
    /// When it stops working.
    expires_at: DateTime<Utc>,
}

impl InvitationView {
    fn of(id: UserId, invitation: &Invitation) -> Self {
        let invitation_text = invitation.link.expose().to_owned();
        Self { id, invitation: invitation_text, expires_at: invitation.expires_at }
    }
}

/// Invite a person
///
/// The link works once, for seven days. Nobody invites above the own role or outside the own countries; auditors and
/// system administrators are made on the server.
#[utoipa::path(
    post, path = "/v1/users", tag = "people", operation_id = "create_user",
    request_body = InvitedBody,
    responses((status = 201, description = "Invited", body = InvitationView))
)]
pub async fn create_user(
    access: Access<ManagePeople>,
    context: web::Data<Context>,
    request: HttpRequest,
    body: JsonBody<InvitedBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let caller = Caller::new(access, context.clock.now());
    let new = read_invited(&body.0, &context, caller.now)?;
    let id = new.id;
    let shared = context.clone();
    let made = context.db.write(move |tx| acts::invite(tx, &shared, &caller, &new)).await?;
    Ok(HttpResponse::Created().json(InvitationView::of(id, &made)))
}

fn read_invited(body: &InvitedBody, context: &Context, now: DateTime<Utc>) -> Result<NewUser> {
    let mut faults = Faults::default();
    let name = faults.take(read_name("/name", &body.name));
    let organisation = match &body.organisation {
        None => Some(None),
        Some(id) => faults.take(read_id("/organisation", id)).map(Some),
    };
    if !(1..=MOST_GRANTS).contains(&body.grants.len()) {
        faults.add(FieldError::new(
            "/grants",
            format!("give 1 to {MOST_GRANTS} roles"),
            format!("donnez de 1 à {MOST_GRANTS} rôles"),
        ));
    }
    let geo = context.geo();
    let mut read_grant = |(index, grant): (usize, &GrantBody)| {
        let pointer = format!("/grants/{index}");
        grant.read(&pointer, geo.countries(), &context.lists, now, &mut faults)
    };
    let few = body.grants.iter().take(MOST_GRANTS).enumerate();
    let grants: Vec<Option<NewGrant>> = few.map(&mut read_grant).collect();
    let grants: Option<Vec<NewGrant>> = grants.into_iter().collect();
    let read = || Some((name?, organisation?, grants?));
    let (name, organisation, grants) = faults.settle(read())?;
    let id = UserId::random();
    let name_index = context.keys.name_index(&name);
    let owner = Owner { kind: OwnerKind::User, id: id.uuid() };
    let name = context.sealer.seal(owner, Part::Identity, 1, name.as_bytes())?;
    Ok(NewUser { id, name_index, name, organisation, grants })
}

/// Make a new link for a person
///
/// By it the person sets a new password, once, within a day. Earlier links stop working.
#[utoipa::path(
    post, path = "/v1/users/{id}/invitation", tag = "people", operation_id = "create_invitation",
    params(("id" = uuid::Uuid, Path, description = "The person")),
    responses((status = 201, description = "Made", body = InvitationView))
)]
pub async fn create_invitation(
    access: Access<ManagePeople>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: UserId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let caller = Caller::new(access, context.clock.now());
    let shared = context.clone();
    let made = context.db.write(move |tx| acts::renew_invitation(tx, &shared, &caller, id)).await?;
    Ok(HttpResponse::Created().json(InvitationView::of(id, &made)))
}

/// Disable an account
///
/// Nothing of it works from the next request on; its links, sessions and tokens never again. Phones of the person are
/// refused while the account is disabled.
#[utoipa::path(
    post, path = "/v1/users/{id}/disable", tag = "people", operation_id = "disable_user",
    params(("id" = uuid::Uuid, Path, description = "The person")),
    responses((status = 204, description = "Disabled"))
)]
pub async fn disable_user(
    access: Access<ManagePeople>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    change(access, &context, &request, &path, acts::disable).await
}

/// Enable an account again
///
/// The roles hold as before. The person signs in with the password; where it is lost, make a new link.
#[utoipa::path(
    post, path = "/v1/users/{id}/enable", tag = "people", operation_id = "enable_user",
    params(("id" = uuid::Uuid, Path, description = "The person")),
    responses((status = 204, description = "Enabled"))
)]
pub async fn enable_user(
    access: Access<ManagePeople>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    change(access, &context, &request, &path, acts::enable).await
}

/// Does `act` to the person named in the path.
async fn change(
    access: Access<ManagePeople>,
    context: &web::Data<Context>,
    request: &HttpRequest,
    path: &str,
    act: fn(&mut WriteTx<'_>, &Context, &Caller, UserId) -> Result<()>,
) -> Result<HttpResponse> {
    Pairs::of(request)?.refuse_rest(&[])?;
    let id: UserId = Id::parse(path).ok_or_else(Error::not_found)?;
    let caller = Caller::new(access, context.clock.now());
    let shared = context.clone();
    context.db.write(move |tx| act(tx, &shared, &caller, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// To whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Handover)]
pub struct HandoverBody {
    /// Id of the person who takes over.
    #[schema(value_type = uuid::Uuid)]
    to: String,
}

/// Hand a person's work over to another
///
/// The roles that hold today, the live phones, and the incidents that are theirs or that they work on go to the other person,
/// and the account of the first is disabled. What was, stays to be read.
#[utoipa::path(
    post, path = "/v1/users/{id}/handover", tag = "people", operation_id = "hand_over_user",
    params(("id" = uuid::Uuid, Path, description = "The person who leaves")),
    request_body = HandoverBody,
    responses((status = 204, description = "Handed over"))
)]
pub async fn hand_over_user(
    access: Access<ManagePeople>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<HandoverBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let from: UserId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let mut faults = Faults::default();
    let to: Option<UserId> = faults.take(read_id("/to", &body.0.to));
    let to = faults.settle(to)?;
    let caller = Caller::new(access, context.clock.now());
    let shared = context.clone();
    context.db.write(move |tx| acts::hand_over(tx, &shared, &caller, (from, to))).await?;
    Ok(HttpResponse::NoContent().finish())
}
