//! The description of `/ogc` for map programs: OpenAPI 3.0, made from the tables that the answers are made from.
//!
//! GDAL reads from it which properties it may ask for by a parameter, QGIS which ones it may filter by.

use serde_json::{Map, Value, json};

use crate::ogc::collections::Collection;
use crate::ogc::links::{Base, GEO_JSON, JSON, OPENAPI_JSON, SCHEMA_JSON};
use crate::ogc::property::{Kind, Property};
use crate::ogc::query::{PARAMETERS_OF_STANDARD, list_own_parameters, list_shared_parameters};

/// Describes the service at `base`.
pub(crate) fn describe(base: &Base) -> Value {
    let mut paths = Map::new();
    for (path, id, kind) in [
        ("/", "getLandingPage", JSON),
        ("/api", "getApi", OPENAPI_JSON),
        ("/conformance", "getConformance", JSON),
        ("/collections", "listCollections", JSON),
    ] {
        paths.insert(path.to_owned(), operation(id, kind, &[]));
    }
    for collection in Collection::ALL {
        describe_collection(&mut paths, collection);
    }
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Sentinelle, OGC API Features",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": env!("CARGO_PKG_LICENSE")},
        },
        "servers": [{"url": base.as_str()}],
        "security": [{"password": []}, {"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "password": {"type": "http", "scheme": "basic"},
                "token": {"type": "http", "scheme": "bearer"},
            },
            "schemas": {"problem": {"type": "object"}},
        },
    })
}

fn describe_collection(paths: &mut Map<String, Value>, collection: Collection) {
    let id = collection.as_str();
    let crs = parameter_of_standard("crs", collection);
    let mut items: Vec<Value> = PARAMETERS_OF_STANDARD
        .iter()
        .filter_map(|(name, _)| parameter_of_standard(name, collection))
        .collect();
    items.extend(list_own_parameters(collection).map(parameter_of_property));
    if collection == Collection::Incidents {
        items.extend(list_shared_parameters().map(shared_parameter));
    }
    let path_id =
        json!({"name": "featureId", "in": "path", "required": true, "schema": {"type": "string"}});
    let feature: Vec<Value> = std::iter::once(path_id).chain(crs).collect();
    for (path, operation_id, kind, parameters) in [
        (String::new(), format!("describe.{id}"), JSON, Vec::new()),
        ("/queryables".to_owned(), format!("getQueryables.{id}"), SCHEMA_JSON, Vec::new()),
        ("/schema".to_owned(), format!("getSchema.{id}"), SCHEMA_JSON, Vec::new()),
        ("/items".to_owned(), format!("getFeatures.{id}"), GEO_JSON, items),
        ("/items/{featureId}".to_owned(), format!("getFeature.{id}"), GEO_JSON, feature),
    ] {
        let path = format!("/collections/{id}{path}");
        paths.insert(path, operation(&operation_id, kind, &parameters));
    }
}

fn operation(id: &str, kind: &str, parameters: &[Value]) -> Value {
    let problem = json!({
        "description": "What was wrong, as RFC 9457 says it",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}},
    });
    json!({"get": {
        "operationId": id,
        "parameters": parameters,
        "responses": {
            "200": {"description": "The answer", "content": {kind: {"schema": {"type": "object"}}}},
            "default": problem,
        },
    }})
}

fn parameter_of_standard(name: &str, collection: Collection) -> Option<Value> {
    let (usual, most) = collection.page_limits();
    let numbers = json!({
        "type": "array", "items": {"type": "number"},
        "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
    });
    let schema = match name {
        "limit" => json!({"type": "integer", "minimum": 1, "maximum": most, "default": usual}),
        "bbox" => numbers,
        "crs" | "bbox-crs" | "filter-crs" => json!({"type": "string", "format": "uri"}),
        "filter-lang" => json!({"type": "string", "enum": ["cql2-text"], "default": "cql2-text"}),
        _ => json!({"type": "string"}),
    };
    let (name, description) = PARAMETERS_OF_STANDARD.iter().find(|(known, _)| *known == name)?;
    let mut parameter = parameter(name, description, &schema);
    if *name == "bbox"
        && let Some(parameter) = parameter.as_object_mut()
    {
        parameter.insert("style".to_owned(), "form".into());
        parameter.insert("explode".to_owned(), false.into());
    }
    Some(parameter)
}

fn parameter_of_property(property: &Property) -> Value {
    parameter(property.name, property.title, &schema_of(property.kind))
}

/// A filter that lists have too. Where it has the name of a property it takes values of it.
fn shared_parameter(name: &str) -> Value {
    let mut of_name = Collection::Incidents.properties().iter();
    let property = of_name.find(|property| property.name == name);
    let kind = property.map_or(Kind::Text, |property| property.kind);
    parameter(name, "As for `GET /v1/incidents`.", &schema_of(kind))
}

fn parameter(name: &str, description: &str, schema: &Value) -> Value {
    json!({
        "name": name, "in": "query", "required": false, "description": description, "schema": schema,
    })
}

/// Returns the JSON schema of a kind of value.
pub(crate) fn schema_of(kind: Kind) -> Value {
    match kind {
        Kind::Text | Kind::Geometry => json!({"type": "string"}),
        Kind::Integer => json!({"type": "integer"}),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Day => json!({"type": "string", "format": "date"}),
    }
}
