//! The two cookies: the session's, and that of a device known from before.
//!
//! `__Host-` ties a cookie to this very host, by TLS, for all paths (RFC 6265bis); no script reads it, and no other
//! site's page has it sent along.

use actix_web::http::header::{self, HeaderMap};

/// The session.
pub const SESSION: &str = "__Host-session";
/// A device known from before.
pub const KNOWN: &str = "__Host-known";

/// Returns the value of a cookie; `None` where it is absent or sent twice.
pub fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    let mut values = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value),
        (None, _) | (Some(_), Some(_)) => None,
    }
}

/// Returns the `Set-Cookie` of one that goes with the browser's session.
pub fn of_browser_session(name: &str, value: &str) -> String {
    format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict")
}

/// Returns the `Set-Cookie` of one that lasts so many seconds; none at all removes it.
pub fn lasting(name: &str, value: &str, max_age_s: i64) -> String {
    format!("{}; Max-Age={max_age_s}", of_browser_session(name, value))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name_and_only_once() {
        for (line, right) in [
            ("__Host-session=a", Some("a")),
            ("x=1; __Host-session=a=b; y=2", Some("a=b")),
            ("__Host-session=", Some("")),
            ("__Host-sessionx=a", None),
            ("x__Host-session=a", None),
            ("__host-session=a", None),
            ("__Host-session=a; __Host-session=b", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_str(line).unwrap());
            assert_eq!(find(&headers, SESSION), right, "{line}");
        }
    }
}
