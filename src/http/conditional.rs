//! Conditional requests (RFC 9110, 13): entity tags out, `If-Match` and `If-None-Match` in.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderValue};

use crate::error::{Code, Error, Result};

/// Returns the strong entity tag of a resource at `version`.
pub fn version_tag(version: i32) -> String {
    format!("\"{version}\"")
}

/// Returns the weak entity tag of an answer whose numbers have this fingerprint.
pub fn numbers_tag(fingerprint: &str) -> String {
    format!("W/\"{fingerprint}\"")
}

/// Returns the version the caller read, from `If-Match`.
///
/// # Errors
/// `PreconditionRequired` without the header; `PreconditionFailed` for a tag that is none of ours.
pub fn required_version(request: &HttpRequest) -> Result<i32> {
    let tag = request
        .headers()
        .get(header::IF_MATCH)
        .ok_or_else(|| Error::new(Code::PreconditionRequired))?;
    let tag = tag.to_str().unwrap_or_default().trim();
    let version = tag
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .and_then(|text| text.parse().ok())
        .filter(|version| (1..i32::MAX).contains(version));
    version.ok_or_else(|| Error::new(Code::PreconditionFailed))
}

/// Tells whether the caller already holds what `tag` names.
pub fn is_unchanged(request: &HttpRequest, tag: &str) -> bool {
    is_held_in(request.headers().get(header::IF_NONE_MATCH), tag)
}

/// Like [`is_unchanged`], of the value of `If-None-Match` alone.
pub fn is_held_in(held: Option<&HeaderValue>, tag: &str) -> bool {
    let bare = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    match held.map(HeaderValue::to_str) {
        Some(Ok(tags)) => tags.split(',').any(|held| bare(held) == bare(tag)),
        Some(Err(_)) | None => false,
    }
}
