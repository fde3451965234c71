//! Routes of grants: who follows what where, giving and ending.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::http::{Access, ManagePeople, ReadPeople};
use crate::auth::types::Role;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::http::body::JsonBody;
use crate::http::page::{self, PageParams, PageRequest};
use crate::http::query::{self, Pairs};
use crate::ids::{GrantId, Id, UserId};
use crate::people::caller::Caller;
use crate::people::grants::acts;
use crate::people::grants::store::{self, GrantFilter};
use crate::people::grants::types::{GrantBody, GrantView};
use crate::people::input::{Faults, read_id};
use crate::taxonomy::lists::ListName;

/// A page of grants.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantPage {
    /// Those that hold or will hold, in the order they were given.
    items: Vec<GrantView>,
    /// Cursor of the next page; absent on the last.
    next: Option<String>,
    /// How many there are.
    total: i64,
}

/// List grants
///
/// Who may do what where, and who follows what: with `tag` and `country`, the people an incident is to be brought to.
/// Ids only; names are with people.
#[utoipa::path(
    get, path = "/v1/grants", tag = "people", operation_id = "list_grants",
    params(
        ("user" = Option<uuid::Uuid>, Query, description = "Of this person"),
        ("tag" = Option<String>, Query, description = "With this code of `grant_tag`"),
        ("country" = Option<String>, Query, description = "That reach into this country: its own, its regions', `all`"),
        ("role" = Option<String>, Query, description = "Of this role"),
        PageParams,
    ),
    responses((status = 200, description = "One page", body = GrantPage))
)]
pub async fn list_grants(
    access: Access<ReadPeople>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<web::Json<GrantPage>> {
    let mut pairs = Pairs::of(&request)?;
    let page = PageRequest::take(&mut pairs)?;
    let filter = read_filter(&mut pairs, &context)?;
    pairs.refuse_rest(&["user", "tag", "country", "role", "limit", "cursor"])?;
    let caller = Caller::new(access, context.clock.now());
    if filter.country.is_some_and(|country| !caller.scope.has(country)) {
        return Err(Error::not_found());
    }
    let bound_to = format!("grants {filter:?}");
    let range = (page.position(&context.keys, &bound_to)?.unwrap_or_default(), page.n_rows());
    let (geo, now) = (context.geo(), caller.now);
    let (grants, total) = context
        .db
        .read(move |conn| {
            let asked = (&caller.scope, &filter);
            Ok(store::list_grants(conn, asked, range, geo.countries(), now.naive_utc())?)
        })
        .await?;
    let next = page::next_cursor(&context.keys, &page, &grants, |grant| grant.row_id, &bound_to)?;
    let items = grants.iter().map(|grant| GrantView::of(grant, now)).collect();
    Ok(web::Json(GrantPage { items, next, total }))
}

fn read_filter(pairs: &mut Pairs, context: &Context) -> Result<GrantFilter> {
    let none_of = |name: &str, known: &str| {
        query::invalid(name, format!("one of {known}"), format!("l'une des valeurs {known}"))
    };
    let user = match pairs.take_one("user")? {
        None => None,
        Some(text) => Some(Id::parse(&text).ok_or_else(|| none_of("user", "the ids of people"))?),
    };
    let role = match pairs.take_one("role")? {
        None => None,
        Some(text) => {
            let known = Role::ALL.map(Role::as_str).join(", ");
            Some(Role::parse(&text).ok_or_else(|| none_of("role", &known))?)
        }
    };
    let list = context.lists.list(ListName::GrantTag);
    let tag = pairs.take_one("tag")?;
    if tag.as_deref().is_some_and(|tag| list.find(tag).is_none()) {
        let known: Vec<&str> = list.codes().iter().map(|code| code.code.as_str()).collect();
        return Err(none_of("tag", &known.join(", ")));
    }
    // A country out of scope and one that does not exist are the same.
    let country = match pairs.take_one("country")? {
        None => None,
        Some(code) => Some(context.geo().countries().parse(&code).ok_or_else(Error::not_found)?),
    };
    Ok(GrantFilter { user, tag, country, role })
}

/// A role to give to a person.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = GrantToGive, example = json!({"user": "00000000-0000-4000-8000-000000000000", "role": "reviewer", "scope": "SLE", "until": "2027-06-30"}))]
#[serde(deny_unknown_fields)]
pub struct GivenBody {
    /// Id of the person.
    user: String,
    /// `monitor`, `reviewer`, `regional_lead`, `analyst` or `coordinator`; the others are given on the server.
    #[schema(example = "reviewer")]
    role: String,
    /// `all`, a country (alpha-3 or alpha-2) or `region:CODE`.
    #[schema(example = "SLE")]
    scope: String,
    /// A day, which begins at midnight UTC, or an instant; now where absent or gone by.
    #[serde(default)]
    from: Option<String>,
    /// A day, the last in full (UTC), or an instant, which is outside; without an end where absent.
    #[serde(default)]
    until: Option<String>,
    /// Codes of `grant_tag`: themes the person leads, working groups the person watches.
    #[serde(default)]
    tags: Vec<String>,
}

/// Give a role
///
/// Nobody gives above the own role or outside the own countries, or to themselves.
#[utoipa::path(
    post, path = "/v1/grants", tag = "people", operation_id = "create_grant",
    request_body = GivenBody,
    responses((status = 201, description = "Given", body = GrantView))
)]
pub async fn create_grant(
    access: Access<ManagePeople>,
    context: web::Data<Context>,
    request: HttpRequest,
    body: JsonBody<GivenBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let caller = Caller::new(access, context.clock.now());
    let now = caller.now;
    let GivenBody { user, role, scope, from, until, tags } = body.0;
    let mut faults = Faults::default();
    let user: Option<UserId> = faults.take(read_id("/user", &user));
    let grant = GrantBody { role, scope, from, until, tags };
    let grant = grant.read("", context.geo().countries(), &context.lists, now, &mut faults);
    let (user, grant) = faults.settle(user.zip(grant))?;
    let shared = context.clone();
    let given =
        context.db.write(move |tx| acts::give(tx, &shared, &caller, (user, &grant))).await?;
    Ok(HttpResponse::Created().json(GrantView::of(&given, now)))
}

/// End a grant
///
/// It holds no longer from the next request on; its row stays. One that is over already stays as it is.
#[utoipa::path(
    delete, path = "/v1/grants/{id}", tag = "people", operation_id = "delete_grant",
    params(("id" = uuid::Uuid, Path, description = "The grant")),
    responses((status = 204, description = "Over"))
)]
pub async fn delete_grant(
    access: Access<ManagePeople>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: GrantId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let caller = Caller::new(access, context.clock.now());
    let shared = context.clone();
    context.db.write(move |tx| acts::end(tx, &shared, &caller, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
