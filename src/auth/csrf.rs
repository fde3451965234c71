//! Forged requests: what a page of somebody else's cannot know, and what a browser says of where a request comes from.
//!
//! Needed where a browser adds the session by itself: with the cookie, for whatever changes something. Whoever sends the
//! session in `Authorization` proves by that alone that the request is meant.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Code, Error, Result};
use crate::seal::subkeys::{Proof, SubKeySet};

/// The header that carries the token.
pub const HEADER: &str = "x-csrf-token";

/// Returns the token of the session with this hash.
pub fn token(keys: &SubKeySet, session_hash: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(keys.proof(Proof::Request, session_hash))
}

/// Refuses a request with the session cookie that changes something, unless a page of ours wrote it.
///
/// # Errors
/// `CsrfFailed`.
pub fn check(
    keys: &SubKeySet,
    session_hash: &[u8; 32],
    (method, headers): (&Method, &HeaderMap),
    own_origin: Option<&str>,
) -> Result<()> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    check_origin(headers, own_origin)?;
    let sent = one(headers, HEADER)?.ok_or_else(failed)?;
    let sent = URL_SAFE_NO_PAD.decode(sent).map_err(|_not_base64| failed())?;
    if keys.verify_proof(Proof::Request, session_hash, &sent) { Ok(()) } else { Err(failed()) }
}

/// Refuses a request of which the browser says that it comes from elsewhere. Programs that are no browsers say nothing.
///
/// `own_origin` is how browsers write our address, where that is known; else the request's own `Host` is compared.
///
/// # Errors
/// `CsrfFailed`.
pub fn check_origin(headers: &HeaderMap, own_origin: Option<&str>) -> Result<()> {
    let is_near = match one(headers, "sec-fetch-site")? {
        None => true,
        Some(site) => matches!(site, "same-origin" | "none"),
    };
    let is_ours = match (one(headers, header::ORIGIN.as_str())?, own_origin) {
        (None, _) => true,
        (Some(origin), Some(own)) => origin.eq_ignore_ascii_case(own),
        (Some(origin), None) => {
            let host = one(headers, header::HOST.as_str())?;
            let named = origin.split_once("://").map(|(_scheme, host)| host);
            named.is_some()
                && named.map(str::to_ascii_lowercase) == host.map(str::to_ascii_lowercase)
        }
    };
    if is_near && is_ours { Ok(()) } else { Err(failed()) }
}

/// Returns the one value of a header; several are as bad as a wrong one.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_not_ascii| failed()),
        (Some(_), Some(_)) => Err(failed()),
    }
}

fn failed() -> Error {
    Error::new(Code::CsrfFailed)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(sent: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            let name = HeaderName::try_from(*name).unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn only_what_comes_from_our_own_address_is_taken() {
        let ours = "https://reports.example.org";
        for (sent, own, is_right, reason) in [
            (vec![], None, true, "no browser"),
            (vec![("origin", ours)], Some(ours), true, "our page"),
            (vec![("origin", "https://REPORTS.example.org")], Some(ours), true, "in any case"),
            (vec![("origin", "http://reports.example.org")], Some(ours), false, "without TLS"),
            (vec![("origin", "https://reports.example.org:8443")], Some(ours), false, "a port"),
            (vec![("origin", "https://reports.example.org.evil")], Some(ours), false, "a suffix"),
            (vec![("origin", "null")], Some(ours), false, "a sandboxed page"),
            (vec![("origin", "")], Some(ours), false, "empty"),
            (vec![("origin", ours), ("origin", ours)], Some(ours), false, "twice"),
            (vec![("origin", ours), ("host", "reports.example.org")], None, true, "our host"),
            (vec![("origin", ours), ("host", "other.example.org")], None, false, "another host"),
            (vec![("origin", ours)], None, false, "no host to compare"),
            (vec![("origin", "null"), ("host", "null")], None, false, "no scheme"),
            (vec![("sec-fetch-site", "same-origin")], None, true, "a page of ours"),
            (vec![("sec-fetch-site", "none")], None, true, "typed by the person"),
            (vec![("sec-fetch-site", "same-site")], None, false, "a neighbour"),
            (vec![("sec-fetch-site", "cross-site")], None, false, "anybody's page"),
            (vec![("origin", ours), ("sec-fetch-site", "cross-site")], Some(ours), false, "both"),
        ] {
            assert_eq!(check_origin(&headers(&sent), own).is_ok(), is_right, "{reason}");
        }
    }
}
