//! Routes of phones.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::credential::{Credential, CredentialKind};
use crate::auth::http::{Access, ManageDevices};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::error::{Error, FieldError, Result};
use crate::http::body::JsonBody;
use crate::http::page::{self, PageParams, PageRequest};
use crate::http::query::Pairs;
use crate::ids::{DeviceId, Id, OrganisationId, UserId};
use crate::people::caller::Caller;
use crate::people::devices::acts::{self, Described};
use crate::people::devices::settings::{base_of, qr_code, settings};
use crate::people::devices::store::{self, DeviceRow};
use crate::people::input::{Faults, read_country, read_id, read_name};
use crate::people::users::view::open_name;
use crate::seal::envelope::OwnerKind;

/// What the cursors of this list are bound to.
const BINDING: &str = "devices";

/// A phone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Device)]
pub struct DeviceView {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    id: DeviceId,
    /// Its name; null where its key was destroyed.
    name: Option<String>,
    /// The country it works in, alpha-3.
    #[schema(example = "SLE")]
    country: String,
    /// The person it belongs to; null: nobody known.
    #[schema(value_type = Option<uuid::Uuid>)]
    owner: Option<UserId>,
    /// The organisation that handed it out.
    #[schema(value_type = Option<uuid::Uuid>)]
    organisation: Option<OrganisationId>,
    /// When its key was made.
    created_at: DateTime<Utc>,
    /// When its key was revoked; null: it works.
    revoked_at: Option<DateTime<Utc>>,
}

fn view(conn: &mut DbConn, context: &Context, row: DeviceRow) -> Result<DeviceView> {
    let name = open_name(conn, &context.sealer, OwnerKind::Device, row.id.uuid())?;
    let DeviceRow { row_id: _, id, country, owner, organisation, created_at, revoked_at } = row;
    Ok(DeviceView {
        id,
        name,
        country,
        owner,
        organisation,
        created_at: created_at.and_utc(),
        revoked_at: revoked_at.map(|at| at.and_utc()),
    })
}

/// A page of phones.
#[derive(Debug, Serialize, ToSchema)]
pub struct DevicePage {
    /// In the order they were added, revoked ones among them.
    items: Vec<DeviceView>,
    /// Cursor of the next page; absent on the last.
    next: Option<String>,
    /// How many there are.
    total: i64,
}

/// List phones
///
/// Those of your countries; never a key.
#[utoipa::path(
    get, path = "/v1/devices", tag = "people", operation_id = "list_devices",
    params(PageParams),
    responses((status = 200, description = "One page", body = DevicePage))
)]
pub async fn list_devices(
    access: Access<ManageDevices>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<web::Json<DevicePage>> {
    let mut pairs = Pairs::of(&request)?;
    let page = PageRequest::take(&mut pairs)?;
    pairs.refuse_rest(&["limit", "cursor"])?;
    let range = (page.position(&context.keys, BINDING)?.unwrap_or_default(), page.n_rows());
    let shared = context.clone();
    let found = context
        .db
        .read(move |conn| {
            let (rows, total) = store::list_devices(conn, &access.scope, range)?;
            let next = page::next_cursor(&shared.keys, &page, &rows, |row| row.row_id, BINDING)?;
            let items = rows.into_iter().map(|row| view(conn, &shared, row));
            Ok(DevicePage { items: items.collect::<Result<_>>()?, next, total })
        })
        .await?;
    Ok(web::Json(found))
}

/// A phone to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeviceToAdd, example = json!({"name": "phone 7", "country": "SLE"}))]
pub struct NewDeviceBody {
    /// What it is called; sealed, and no other live phone's.
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    /// The country it works in, one of yours.
    #[schema(example = "SLE")]
    country: String,
    /// Id of the person it belongs to: reports of one person's phones count as one monitor's.
    #[serde(default)]
    owner: Option<String>,
    /// Id of the organisation that hands it out.
    #[serde(default)]
    organisation: Option<String>,
}

/// A phone's key, shown once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeviceKey)]
pub struct DeviceKeyView {
    /// The phone.
    #[schema(value_type = uuid::Uuid)]
    id: DeviceId,
    /// Its key: it sends reports and reads their receipts, and nothing else. It is shown only now.
    #[schema(example = "snt_d_…")]
    key: String,
    /// Settings of ODK Collect; they hold the key.
    #[schema(value_type = Object)]
    settings: serde_json::Value,
    /// The same as a QR code, in SVG, to be scanned by Collect. Treat it as a password.
    #[schema(example = "<svg …>")]
    settings_qr: String,
}

/// Add a phone
#[utoipa::path(
    post, path = "/v1/devices", tag = "people", operation_id = "create_device",
    request_body = NewDeviceBody,
    responses((status = 201, description = "Added", body = DeviceKeyView))
)]
pub async fn create_device(
    access: Access<ManageDevices>,
    context: web::Data<Context>,
    request: HttpRequest,
    body: JsonBody<NewDeviceBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let base = base_of(context.public_url.as_ref(), &request)?;
    let caller = Caller::new(access, context.clock.now());
    let NewDeviceBody { name, country, owner, organisation } = &body.0;
    let mut faults = Faults::default();
    let country = faults.take(read_country("/country", country, context.geo().countries()));
    if country.is_some_and(|country| !caller.scope.has(country)) {
        faults.add(FieldError::new(
            "/country",
            "this country is not one of yours",
            "ce pays n'est pas l'un des vôtres",
        ));
    }
    let described = read_described(name, owner.as_deref(), organisation.as_deref(), &mut faults);
    let (country, described) = faults.settle(country.zip(described))?;
    let key = Credential::generate(CredentialKind::Device).map_err(Error::internal)?;
    let (id, hash) = (DeviceId::random(), key.hash());
    let shared = context.clone();
    context
        .db
        .write(move |tx| acts::add(tx, &shared, &caller, &described, (id, country, hash)))
        .await?;
    let settings = settings(&base, &key);
    let settings_qr = qr_code(&settings)?;
    let key = key.expose().to_owned();
    Ok(HttpResponse::Created().json(DeviceKeyView { id, key, settings, settings_qr }))
}

fn read_described(
    name: &str,
    owner: Option<&str>,
    organisation: Option<&str>,
    faults: &mut Faults,
) -> Option<Described> {
    let name = faults.take(read_name("/name", name));
    let owner = owner.map(|id| faults.take(read_id("/owner", id)));
    let organisation = organisation.map(|id| faults.take(read_id("/organisation", id)));
    Some(Described { name: name?, owner: owner.flatten(), organisation: organisation.flatten() })
}

/// What a phone is to be told by.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeviceEdit, example = json!({"name": "phone 7b"}))]
pub struct DeviceBody {
    /// What it is called.
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    /// Id of the person it belongs to; absent or null: nobody known.
    #[serde(default)]
    owner: Option<String>,
    /// Id of the organisation that handed it out; absent or null: none known.
    #[serde(default)]
    organisation: Option<String>,
}

/// Rename a phone, or give it to another person
///
/// What is not named is taken away. Key and country stay.
#[utoipa::path(
    put, path = "/v1/devices/{id}", tag = "people", operation_id = "put_device",
    params(("id" = uuid::Uuid, Path, description = "The phone")),
    request_body = DeviceBody,
    responses((status = 200, description = "Changed", body = DeviceView))
)]
pub async fn put_device(
    access: Access<ManageDevices>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<DeviceBody>,
) -> Result<web::Json<DeviceView>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: DeviceId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let DeviceBody { name, owner, organisation } = &body.0;
    let mut faults = Faults::default();
    let described = read_described(name, owner.as_deref(), organisation.as_deref(), &mut faults);
    let described = faults.settle(described)?;
    let caller = Caller::new(access, context.clock.now());
    let shared = context.clone();
    let changed = context
        .db
        .write(move |tx| {
            let row = acts::change(tx, &shared, &caller, &described, id)?;
            view(tx.conn, &shared, row)
        })
        .await?;
    Ok(web::Json(changed))
}

/// Revoke a phone's key
///
/// It works no longer from the next request on.
#[utoipa::path(
    delete, path = "/v1/devices/{id}", tag = "people", operation_id = "delete_device",
    params(("id" = uuid::Uuid, Path, description = "The phone")),
    responses((status = 204, description = "Revoked"))
)]
pub async fn delete_device(
    access: Access<ManageDevices>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let id: DeviceId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let caller = Caller::new(access, context.clock.now());
    context.db.write(move |tx| acts::revoke(tx, &caller, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
