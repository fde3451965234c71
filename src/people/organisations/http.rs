//! Routes of organisations.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::auth::http::{Access, ManageCoalition, ReadDirectory};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::geo::countries::{Countries, CountryCode};
use crate::http::body::JsonBody;
use crate::http::page::{self, PageParams, PageRequest};
use crate::http::query::Pairs;
use crate::ids::{Id, OrganisationId};
use crate::people::input::{Faults, read_code, read_country, read_name};
use crate::people::organisations::store::{self, Membership, NewOrganisation, OrganisationRow};

/// What the cursors of this list are bound to.
const BINDING: &str = "organisations";

/// An organisation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Organisation)]
pub struct OrganisationView {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    id: OrganisationId,
    /// Its name.
    name: String,
    /// Alpha-3 code; null for an international one.
    country: Option<String>,
    /// `member`, `observer` or `candidate`.
    #[schema(example = "member")]
    membership: String,
}

impl From<OrganisationRow> for OrganisationView {
    fn from(row: OrganisationRow) -> Self {
        let OrganisationRow { row_id: _, id, name, country, membership } = row;
        Self { id, name, country, membership }
    }
}

/// A page of organisations.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganisationPage {
    /// In the order they were added.
    items: Vec<OrganisationView>,
    /// Cursor of the next page; absent on the last.
    next: Option<String>,
    /// How many there are.
    total: i64,
}

/// List organisations
#[utoipa::path(
    get, path = "/v1/organisations", tag = "people", operation_id = "list_organisations",
    params(PageParams),
    responses((status = 200, description = "One page", body = OrganisationPage))
)]
pub async fn list_organisations(
    _access: Access<ReadDirectory>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<web::Json<OrganisationPage>> {
    let mut pairs = Pairs::of(&request)?;
    let page = PageRequest::take(&mut pairs)?;
    pairs.refuse_rest(&["limit", "cursor"])?;
    let after = page.position(&context.keys, BINDING)?.unwrap_or_default();
    let limit = page.n_rows();
    let (rows, total) =
        context.db.read(move |conn| Ok(store::list_organisations(conn, after, limit)?)).await?;
    let next = page::next_cursor(&context.keys, &page, &rows, |row| row.row_id, BINDING)?;
    let items = rows.into_iter().map(OrganisationView::from).collect();
    Ok(web::Json(OrganisationPage { items, next, total }))
}

/// Read an organisation
#[utoipa::path(
    get, path = "/v1/organisations/{id}", tag = "people", operation_id = "get_organisation",
    params(("id" = uuid::Uuid, Path, description = "The organisation")),
    responses((status = 200, description = "The organisation", body = OrganisationView))
)]
pub async fn get_organisation(
    _access: Access<ReadDirectory>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<web::Json<OrganisationView>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: OrganisationId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let found = context.db.read(move |conn| Ok(store::find_organisation(conn, id)?)).await?;
    Ok(web::Json(found.ok_or_else(Error::not_found)?.into()))
}

/// What an organisation is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrganisationEdit, example = json!({"name": "Kono Rights Watch", "country": "SLE", "membership": "member"}))]
pub struct OrganisationBody {
    /// Its name, which no other has.
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    /// Alpha-3 or alpha-2; null or absent for an international one.
    #[serde(default)]
    country: Option<String>,
    /// `member`, `observer` or `candidate`.
    #[schema(example = "member")]
    membership: String,
}

/// Add an organisation
#[utoipa::path(
    post, path = "/v1/organisations", tag = "people", operation_id = "create_organisation",
    request_body = OrganisationBody,
    responses((status = 201, description = "Added", body = OrganisationView))
)]
pub async fn create_organisation(
    access: Access<ManageCoalition>,
    context: web::Data<Context>,
    request: HttpRequest,
    body: JsonBody<OrganisationBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let organisation = read_organisation(&body.0, context.geo().countries())?;
    let (id, now) = (OrganisationId::random(), context.clock.now());
    let entry = Entry::new(Act::AddedOrganisation, id, now).by(access.principal.user_id());
    let entry = told(entry, &organisation);
    let view = context
        .db
        .write(move |tx| {
            store::insert_organisation(tx.conn, id, &organisation, now)?;
            tx.record(entry);
            store::find_organisation(tx.conn, id)?.ok_or_else(Error::not_found)
        })
        .await?;
    Ok(HttpResponse::Created().json(OrganisationView::from(view)))
}

/// Change an organisation
#[utoipa::path(
    put, path = "/v1/organisations/{id}", tag = "people", operation_id = "put_organisation",
    params(("id" = uuid::Uuid, Path, description = "The organisation")),
    request_body = OrganisationBody,
    responses((status = 200, description = "Changed", body = OrganisationView))
)]
pub async fn put_organisation(
    access: Access<ManageCoalition>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<OrganisationBody>,
) -> Result<web::Json<OrganisationView>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: OrganisationId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let organisation = read_organisation(&body.0, context.geo().countries())?;
    let entry = Entry::new(Act::ChangedOrganisation, id, context.clock.now());
    let entry = told(entry.by(access.principal.user_id()), &organisation);
    let view = context
        .db
        .write(move |tx| {
            store::update_organisation(tx.conn, id, &organisation)?;
            tx.record(entry);
            store::find_organisation(tx.conn, id)?.ok_or_else(Error::not_found)
        })
        .await?;
    Ok(web::Json(view.into()))
}

/// Returns the entry with what the organisation is, in codes; its name is no business of the log.
fn told(entry: Entry, organisation: &NewOrganisation) -> Entry {
    let entry = entry.detail(organisation.membership.as_str());
    match &organisation.country {
        Some(country) => entry.within(country.as_str(), None),
        None => entry,
    }
}

fn read_organisation(body: &OrganisationBody, countries: &Countries) -> Result<NewOrganisation> {
    let mut faults = Faults::default();
    let name = faults.take(read_name("/name", &body.name));
    let country: Option<Option<CountryCode>> = match &body.country {
        None => Some(None),
        Some(code) => faults.take(read_country("/country", code, countries)).map(Some),
    };
    let membership = faults.take(read_code("/membership", &body.membership, &Membership::CODES));
    let organisation =
        || Some(NewOrganisation { name: name?, country: country?, membership: membership? });
    faults.settle(organisation())
}
