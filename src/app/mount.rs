//! How the routes are mounted: what is public, what is guarded, and what is answered where there is none.

use std::collections::BTreeSet;
use std::future::ready;

use actix_web::http::Method;
use actix_web::http::header::{ALLOW, CONTENT_SECURITY_POLICY, LOCATION};
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource, Route, guard};
use utoipa_swagger_ui::SwaggerUi;

use crate::app::{RouteName, guarded_routes, public_routes, read};
use crate::auth;
use crate::error::{Code, Error};
use crate::http::headers;

/// Mounts every route on `app`.
pub fn configure(app: &mut ServiceConfig) {
    let (public, guarded_routes) = (public_routes(), guarded_routes());
    let shared = shared_paths(&public, &guarded_routes);
    for resource in resources(public, &shared) {
        app.service(resource);
    }
    let swagger =
        utoipa_swagger_ui::Config::from("/openapi.json").use_base_layout().validator_url("none");
    let docs = web::scope("/docs")
        .wrap(DefaultHeaders::new().add((CONTENT_SECURITY_POLICY, headers::DOCS_POLICY)))
        .service(SwaggerUi::new("/{_:.*}").config(swagger))
        .route("", read().to(redirect_to_docs));
    app.service(docs);
    let mut elsewhere = guarded_routes;
    for prefix in ["/v1", "/ogc"] {
        let (in_scope, others): (Vec<_>, Vec<_>) =
            elsewhere.into_iter().partition(|((_, path), _)| is_below(path, prefix));
        elsewhere = others;
        let mut guarded = web::scope(prefix).wrap(from_fn(auth::http::authenticate));
        for resource in resources(below(prefix, in_scope), &[]) {
            guarded = guarded.service(resource);
        }
        app.service(guarded.default_service(web::to(answer_not_found)));
    }
    for resource in resources(elsewhere, &[]) {
        app.service(resource.wrap(from_fn(auth::http::authenticate)));
    }
}

fn is_below(path: &str, prefix: &str) -> bool {
    let rest = path.strip_prefix(prefix);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn below(prefix: &'static str, routes: Vec<(RouteName, Route)>) -> Vec<(RouteName, Route)> {
    let cut = |((method, path), route): (RouteName, Route)| {
        ((method, path.strip_prefix(prefix).unwrap_or(path)), route)
    };
    routes.into_iter().map(cut).collect()
}

/// Returns the paths that have public and guarded routes: there, whatever is not public is for the guard.
fn shared_paths(
    public: &[(RouteName, Route)],
    guarded: &[(RouteName, Route)],
) -> Vec<&'static str> {
    let is_guarded = |path: &str| guarded.iter().any(|((_, other), _)| *other == path);
    public.iter().map(|((_, path), _)| *path).filter(|path| is_guarded(path)).collect()
}

/// Gathers the routes of one path into one resource that says 405, with `Allow`, to every other method; one of a
/// `shared` path lets those pass by.
fn resources(routes: Vec<(RouteName, Route)>, shared: &[&'static str]) -> Vec<Resource> {
    let mut by_path: Vec<(&'static str, Vec<Method>, Resource)> = Vec::new();
    for ((method, path), route) in routes {
        let position = by_path.iter().position(|(known, _, _)| *known == path);
        let (_, mut methods, resource) = match position {
            Some(position) => by_path.remove(position),
            // A scope itself, which some clients write with a slash at the end.
            None if path.is_empty() => (path, Vec::new(), web::resource(["", "/"])),
            None => (path, Vec::new(), web::resource(path)),
        };
        methods.push(method);
        by_path.push((path, methods, resource.route(route)));
    }
    let finish = |(path, methods, resource): (&'static str, Vec<Method>, Resource)| {
        if shared.contains(&path) {
            return resource
                .guard(guard::fn_guard(move |ctx| methods.contains(&ctx.head().method)));
        }
        let is_read = methods.contains(&Method::GET);
        let named = methods.iter().map(Method::as_str).chain(is_read.then_some("HEAD"));
        // In an order of its own, whichever list of routes comes first.
        let allow = named.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ");
        resource.default_service(web::to(move || ready(answer_method_not_allowed(&allow))))
    };
    by_path.into_iter().map(finish).collect()
}

fn answer_method_not_allowed(allow: &str) -> HttpResponse {
    let mut response = HttpResponse::MethodNotAllowed();
    response.insert_header((ALLOW, allow)).finish()
}

async fn redirect_to_docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/docs/")).finish()
}

pub(super) async fn answer_not_found() -> Result<HttpResponse, Error> {
    Err(Error::new(Code::NotFound))
}
