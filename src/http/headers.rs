//! The headers of every answer, so that a browser does with it only what it is for (SECURITY (g)10).
//!
//! What the framework answers by itself to bytes that are no HTTP request (400, 408, 431) has no body and passes here
//! not at all.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// How people come, as the operator says: a header such as `X-Forwarded-Proto` could be anybody's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// By http, or not known.
    #[default]
    Plain,
    /// By https, through a proxy.
    Https,
}

const ALWAYS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    (header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
];

/// What a page may load and do; nothing from elsewhere, nothing inline.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
     connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The same for the documentation page, which draws two of its icons from its own style sheet.
pub const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
     connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Two years of https alone (RFC 6797).
const STRICT_TRANSPORT_SECURITY: &str = "max-age=63072000; includeSubDomains";

/// Where everything is open to scripts of any page and to caches: public figures, which need no credential.
const OPEN: &str = "/v1/public/";

/// Tells whether what lies at `path` is open to everybody.
pub fn is_open(path: &str) -> bool {
    path.starts_with(OPEN)
}

/// Sets what an answer carries that is open to everybody; a cache keeps what was found for five minutes.
pub fn open(headers: &mut HeaderMap, is_found: bool) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("ETag"));
    let anywhere = HeaderValue::from_static("cross-origin");
    headers.insert(header::CROSS_ORIGIN_RESOURCE_POLICY, anywhere);
    if is_found {
        let kept = HeaderValue::from_static("public, max-age=300");
        headers.insert(header::CACHE_CONTROL, kept);
    }
}

/// Media types that are saved, never shown: a spreadsheet or a file of a stranger must not open in the page's origin.
const DOWNLOADS: [&str; 3] = ["text/csv", "application/octet-stream", "application/zip"];

/// Sets what every answer carries. Only a content policy of the handler's own stays.
pub fn secure(headers: &mut HeaderMap, transport: Transport) {
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    // Over plain http it must not be sent (RFC 6797, 7.2).
    if transport == Transport::Https {
        let only_https = HeaderValue::from_static(STRICT_TRANSPORT_SECURITY);
        headers.insert(header::STRICT_TRANSPORT_SECURITY, only_https);
    }
    if is_download(headers) && !headers.contains_key(header::CONTENT_DISPOSITION) {
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    }
}

fn is_download(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    DOWNLOADS.contains(&kind)
}
