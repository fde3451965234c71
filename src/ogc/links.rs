//! Links between answers: absolute, since not every client resolves them.

use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::http::uri::Authority;
use serde::Serialize;

use crate::context::Context;

/// Media type of a feature and of features.
pub(crate) const GEO_JSON: &str = "application/geo+json";
/// Media type of what describes a collection.
pub(crate) const JSON: &str = "application/json";
/// Media type of a JSON schema.
pub(crate) const SCHEMA_JSON: &str = "application/schema+json";
/// Media type of the API document.
pub(crate) const OPENAPI_JSON: &str = "application/vnd.oai.openapi+json;version=3.0";

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Link {
    href: String,
    rel: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
}

/// Where we are reached, without a slash at the end.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    origin: String,
    root: String,
}

impl Base {
    /// Returns the address the operator gave, else that under which this request came.
    pub(crate) fn of(request: &HttpRequest, context: &Context) -> Self {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| request.uri().authority().map(Authority::as_str));
        let origin = context.own_origin().map(str::to_owned);
        let origin = origin.unwrap_or_else(|| format!("http://{}", host.unwrap_or("localhost")));
        Self { root: format!("{origin}/ogc"), origin }
    }

    /// Returns the address itself.
    pub(crate) fn as_str(&self) -> &str {
        &self.root
    }

    /// Returns the link to the documentation for people.
    pub(crate) fn link_to_docs(&self) -> Link {
        let href = format!("{}/docs/", self.origin);
        Link { href, rel: "service-doc", kind: "text/html", title: "the API, for people" }
    }

    /// Returns a link to a path below it.
    pub(crate) fn link(
        &self,
        rel: &'static str,
        path: &str,
        kind: &'static str,
        title: &'static str,
    ) -> Link {
        Link { href: format!("{}{path}", self.root), rel, kind, title }
    }

    /// Returns the links of a page: to itself and to the next one, which asks the same with another cursor.
    pub(crate) fn pages(&self, path: &str, query: &str, next: Option<&str>) -> Vec<Link> {
        let joint = if query.is_empty() { "" } else { "?" };
        let mut links =
            vec![self.link("self", &format!("{path}{joint}{query}"), GEO_JSON, "this page")];
        let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
        let kept: Vec<&str> = kept.collect();
        if let Some(next) = next {
            let joint = if kept.is_empty() { "" } else { "&" };
            let path = format!("{path}?{}{joint}cursor={next}", kept.join("&"));
            links.push(self.link("next", &path, GEO_JSON, "the next page"));
        }
        links
    }
}
