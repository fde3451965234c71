//! Answers clients of OGC API Features.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use utoipa::IntoParams;

use crate::auth::http::{Access, ReadCore};
use crate::auth::types::{Principal, Scope};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::http::query::Pairs;
use crate::ids::Id;
use crate::ogc::api;
use crate::ogc::collections::Collection;
use crate::ogc::crs::Crs;
use crate::ogc::feature::FeaturePage;
use crate::ogc::incidents::list::{self, Page};
use crate::ogc::links::{Base, GEO_JSON, JSON, OPENAPI_JSON, SCHEMA_JSON};
use crate::ogc::places;
use crate::ogc::property::{Kind, Property};
use crate::ogc::query::{FeatureQuery, take_crs};

/// The relation of the queryables of a collection.
const QUERYABLES: &str = "http://www.opengis.net/def/rel/ogc/1.0/queryables";

/// What of the standards holds here. A class stands here only when all of it does: clients send what they read.
pub const CONFORMANCE: [&str; 15] = [
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
    "http://www.opengis.net/spec/cql2/1.0/conf/advanced-comparison-operators",
    "http://www.opengis.net/spec/cql2/1.0/conf/case-insensitive-comparison",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions-plus",
    // The name of drafts; QGIS before 3.44 knows no other.
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-operators",
];

/// Open the map service
///
/// The landing page of OGC API Features: links to what there is. Give a map program this address, a feed key as password.
#[utoipa::path(
    get, path = "/ogc", tag = "ogc", operation_id = "get_ogc_landing",
    responses((status = 200, description = "The links", body = Value))
)]
pub async fn get_landing(
    _: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let base = Base::of(&request, &context);
    let links = [
        base.link("self", "", JSON, "this document"),
        base.link("service-desc", "/api", OPENAPI_JSON, "the API, for programs"),
        base.link_to_docs(),
        base.link("conformance", "/conformance", JSON, "what of the standards holds here"),
        base.link("data", "/collections", JSON, "the collections"),
    ];
    Ok(answer(
        JSON,
        &json!({
            "title": "Sentinelle",
            "description": "Incidents reported to the coalition at their generalised place, known mines, and administrative areas.",
            "links": links,
        }),
    ))
}

/// Read what of the standards holds
#[utoipa::path(
    get, path = "/ogc/conformance", tag = "ogc", operation_id = "get_ogc_conformance",
    responses((status = 200, description = "The classes", body = Value))
)]
pub async fn get_conformance(_: Access<ReadCore>, request: HttpRequest) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    Ok(answer(JSON, &json!({"conformsTo": CONFORMANCE})))
}

/// Read the description of the map service
///
/// OpenAPI 3.0, which is what map programs read; the whole API is described by `/openapi.json`.
#[utoipa::path(
    get, path = "/ogc/api", tag = "ogc", operation_id = "get_ogc_api",
    responses((status = 200, description = "The document", body = Value, content_type = "application/vnd.oai.openapi+json;version=3.0"))
)]
pub async fn get_api(
    _: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    Ok(answer(OPENAPI_JSON, &api::describe(&Base::of(&request, &context))))
}

/// List collections
#[utoipa::path(
    get, path = "/ogc/collections", tag = "ogc", operation_id = "list_ogc_collections",
    responses((status = 200, description = "The collections", body = Value))
)]
pub async fn list_collections(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let base = Base::of(&request, &context);
    let mut collections = Vec::new();
    for collection in Collection::ALL {
        collections.push(describe(&context, &base, &access, collection).await?);
    }
    let links = [base.link("self", "/collections", JSON, "this document")];
    let body = json!({"links": links, "crs": Crs::ALL.map(Crs::uri), "collections": collections});
    Ok(answer(JSON, &body))
}

/// Read a collection
#[utoipa::path(
    get, path = "/ogc/collections/{collection}", tag = "ogc", operation_id = "get_ogc_collection",
    params(("collection" = String, Path, description = "`incidents`, `sites` or `areas`", example = "incidents")),
    responses((status = 200, description = "The collection", body = Value))
)]
pub async fn get_collection(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let collection = Collection::parse(&path).ok_or_else(Error::not_found)?;
    let base = Base::of(&request, &context);
    Ok(answer(JSON, &describe(&context, &base, &access, collection).await?))
}

/// Read what a collection can be filtered by
///
/// JSON Schema; each property is also a parameter of its own.
#[utoipa::path(
    get, path = "/ogc/collections/{collection}/queryables", tag = "ogc", operation_id = "get_ogc_queryables",
    params(("collection" = String, Path, description = "`incidents`, `sites` or `areas`", example = "incidents")),
    responses((status = 200, description = "The schema", body = Value, content_type = "application/schema+json"))
)]
pub async fn get_queryables(
    _: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let collection = Collection::parse(&path).ok_or_else(Error::not_found)?;
    let properties = schemas_of(collection, |property| property.is_queryable);
    let base = Base::of(&request, &context);
    Ok(answer(
        SCHEMA_JSON,
        &json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": format!("{}/collections/{}/queryables", base.as_str(), collection.as_str()),
            "type": "object",
            "title": collection.title(),
            "properties": properties,
            "additionalProperties": false,
        }),
    ))
}

/// Describes the properties of a collection that are wanted, by their names.
fn schemas_of(
    collection: Collection,
    is_wanted: impl Fn(&Property) -> bool,
) -> serde_json::Map<String, Value> {
    let wanted = collection.properties().iter().filter(|property| is_wanted(property));
    wanted
        .map(|property| (property.name.to_owned(), schema_of_property(property, collection)))
        .collect()
}

fn schema_of_property(property: &Property, collection: Collection) -> Value {
    if property.kind == Kind::Geometry {
        let format = collection.geometry_format();
        return json!({"title": property.title, "x-ogc-role": "primary-geometry", "format": format});
    }
    let mut schema = api::schema_of(property.kind);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("title".to_owned(), property.title.into());
    }
    schema
}

/// Read what the features of a collection are
///
/// JSON Schema of a feature, with the type of each property; so a map need not guess types where the first features lack them.
#[utoipa::path(
    get, path = "/ogc/collections/{collection}/schema", tag = "ogc", operation_id = "get_ogc_schema",
    params(("collection" = String, Path, description = "`incidents`, `sites` or `areas`", example = "incidents")),
    responses((status = 200, description = "The schema", body = Value, content_type = "application/schema+json"))
)]
pub async fn get_schema(
    _: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let collection = Collection::parse(&path).ok_or_else(Error::not_found)?;
    let properties = schemas_of(collection, |property| property.kind != Kind::Geometry);
    let geometry = match collection {
        Collection::Incidents | Collection::Sites => "https://geojson.org/schema/Point.json",
        Collection::Areas => "https://geojson.org/schema/MultiPolygon.json",
    };
    let base = Base::of(&request, &context);
    Ok(answer(
        SCHEMA_JSON,
        &json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": format!("{}/collections/{}/schema", base.as_str(), collection.as_str()),
            "type": "object",
            "title": collection.title(),
            "properties": {
                "type": {"const": "Feature"},
                "id": {"type": "string"},
                "geometry": {"$ref": geometry},
                "properties": {"type": "object", "properties": properties},
            },
        }),
    ))
}

/// The parameters of the standard.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the parameters; `FeatureQuery::take` reads them")]
pub struct FeatureParams {
    /// Features of a page: 100 unless told, at most 1000 (of areas 10 and 100); more than the most is the most.
    #[param(minimum = 1)]
    limit: Option<u32>,
    /// Where the page begins: from the link `next`.
    cursor: Option<String>,
    /// `west,south,east,north`; what has no geometry matches every box, unlike in `/v1`.
    #[param(example = "-12,6,-10,10")]
    bbox: Option<String>,
    /// Reference system of `bbox`.
    #[param(rename = "bbox-crs")]
    bbox_crs: Option<String>,
    /// Reference system of the answer: CRS84, EPSG:4326 or EPSG:3857 by its URI.
    crs: Option<String>,
    /// An instant, a day, or an interval such as `2024-03-01/..`; what has no date matches every interval.
    #[param(example = "2024-03-01/..")]
    datetime: Option<String>,
    /// CQL2 text over the queryables. One that speaks of `status` is not narrowed to verified incidents.
    #[param(example = "severity >= 4 AND country IN ('SLE','GIN')")]
    filter: Option<String>,
    /// `cql2-text`.
    #[param(rename = "filter-lang")]
    filter_lang: Option<String>,
    /// Reference system of the coordinates in `filter`.
    #[param(rename = "filter-crs")]
    filter_crs: Option<String>,
}

/// List features
///
/// Incidents take the filters of `GET /v1/incidents` too, but for `q`; every queryable is a parameter.
#[utoipa::path(
    get, path = "/ogc/collections/{collection}/items", tag = "ogc", operation_id = "list_ogc_features",
    params(
        ("collection" = String, Path, description = "`incidents`, `sites` or `areas`", example = "incidents"),
        FeatureParams,
    ),
    responses((status = 200, description = "One page", body = Value, content_type = "application/geo+json",
               headers(("Content-Crs" = String, description = "The reference system of the coordinates"))))
)]
pub async fn list_features(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let collection = Collection::parse(&path).ok_or_else(Error::not_found)?;
    let mut pairs = Pairs::of(&request)?;
    let query = FeatureQuery::take(&mut pairs, collection)?;
    let crs = query.crs;
    let page = match collection {
        Collection::Incidents => list_incidents(access, &context, &pairs, query).await?,
        Collection::Sites | Collection::Areas => {
            let shared = context.clone();
            web::block(move || places::list(&shared, collection, &query))
                .await
                .map_err(Error::internal)??
        }
    };
    let path = format!("/collections/{}/items", collection.as_str());
    let base = Base::of(&request, &context);
    let mut links = base.pages(&path, request.query_string(), page.next.as_deref());
    let about = format!("/collections/{}", collection.as_str());
    links.push(base.link("collection", &about, JSON, collection.title()));
    let time_stamp = context.clock.now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let body = FeaturePage::new(page.features, page.n_matched, links, time_stamp);
    Ok(answer_in(crs, &body))
}

async fn list_incidents(
    access: Access<ReadCore>,
    context: &web::Data<Context>,
    pairs: &Pairs,
    query: FeatureQuery,
) -> Result<Page> {
    let asked = list::ask(pairs, &query.wanted, (&access.principal, &access.scope), context)?;
    let shared = context.clone();
    context.db.read(move |conn| list::list(conn, &shared, &asked, &query)).await
}

/// Read a feature
#[utoipa::path(
    get, path = "/ogc/collections/{collection}/items/{id}", tag = "ogc", operation_id = "get_ogc_feature",
    params(
        ("collection" = String, Path, description = "`incidents`, `sites` or `areas`", example = "incidents"),
        ("id" = String, Path, description = "The feature"),
        ("crs" = Option<String>, Query, description = "Reference system of the answer"),
    ),
    responses((status = 200, description = "The feature", body = Value, content_type = "application/geo+json",
               headers(("Content-Crs" = String, description = "The reference system of the coordinates"))))
)]
pub async fn get_feature(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let (collection, id) = path.into_inner();
    let collection = Collection::parse(&collection).ok_or_else(Error::not_found)?;
    let mut pairs = Pairs::of(&request)?;
    let crs = take_crs(&mut pairs, "crs")?;
    pairs.refuse_rest(&["crs"])?;
    let feature = match collection {
        Collection::Incidents => {
            let incident = Id::parse(&id).ok_or_else(Error::not_found)?;
            let (shared, scope) = (context.clone(), access.scope);
            let find = move |conn: &mut _| list::find(conn, &shared, (incident, &scope), crs);
            context.db.read(find).await?
        }
        Collection::Sites | Collection::Areas => places::find(&context, collection, &id, crs)?,
    };
    let base = Base::of(&request, &context);
    let about = format!("/collections/{}", collection.as_str());
    let joint = if request.query_string().is_empty() { "" } else { "?" };
    let own = format!("{about}/items/{id}{joint}{}", request.query_string());
    let links = vec![
        base.link("self", &own, GEO_JSON, "this feature"),
        base.link("collection", &about, JSON, collection.title()),
    ];
    Ok(answer_in(crs, &feature.with_links(links)))
}

/// Describes a collection as the caller may see it.
async fn describe(
    context: &web::Data<Context>,
    base: &Base,
    access: &Access<ReadCore>,
    collection: Collection,
) -> Result<Value> {
    let about = format!("/collections/{}", collection.as_str());
    let items = format!("{about}/items");
    let queryables = format!("{about}/queryables");
    let schema = format!("{about}/schema");
    let links = [
        base.link("self", &about, JSON, collection.title()),
        base.link("items", &items, GEO_JSON, "the features"),
        base.link(QUERYABLES, &queryables, SCHEMA_JSON, "what it can be filtered by"),
        // Relations are the same in any case (RFC 8288); GDAL knows it so.
        base.link("describedBy", &schema, SCHEMA_JSON, "what the features are"),
    ];
    Ok(json!({
        "id": collection.as_str(),
        "title": collection.title(),
        "description": collection.description(),
        "itemType": "feature",
        "extent": find_extent(context, access, collection).await?,
        "crs": Crs::ALL.map(Crs::uri),
        "storageCrs": Crs::default().uri(),
        "links": links,
    }))
}

async fn find_extent(
    context: &web::Data<Context>,
    access: &Access<ReadCore>,
    collection: Collection,
) -> Result<Value> {
    let (edges, days) = match collection {
        Collection::Incidents => {
            let caller: (Principal, Scope) = (access.principal.clone(), access.scope.clone());
            let shared = context.clone();
            let find = move |conn: &mut _| list::find_extent(conn, &shared, (&caller.0, &caller.1));
            let extent = context.db.read(find).await?;
            let degrees = |edges: [i32; 4]| edges.map(|edge_e6| f64::from(edge_e6) / 1e6);
            (extent.edges_e6.map(degrees), extent.days)
        }
        Collection::Sites | Collection::Areas => (places::find_extent(context, collection), None),
    };
    let world = [-180.0, -90.0, 180.0, 90.0];
    let interval = days
        .map(|(first, last)| [format!("{first}T00:00:00Z"), format!("{last}T23:59:59Z")].map(Some));
    Ok(json!({
        "spatial": {"bbox": [edges.unwrap_or(world)], "crs": Crs::default().uri()},
        "temporal": {
            "interval": [interval.unwrap_or([None, None])],
            "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian",
        },
    }))
}

fn answer(kind: &str, body: &Value) -> HttpResponse {
    HttpResponse::Ok().content_type(kind).body(body.to_string())
}

fn answer_in(crs: Crs, body: &impl serde::Serialize) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header(("Content-Crs", format!("<{}>", crs.uri())));
    match serde_json::to_vec(body) {
        Ok(bytes) => response.content_type(GEO_JSON).body(bytes),
        Err(error) => HttpResponse::from_error(Error::internal(error)),
    }
}
