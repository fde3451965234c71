//! What every request passes: a net under panics, errors in the caller's language, headers, and one log line.
//!
//! The log line names method, route pattern, status and duration: never an address, a query, an agent or a body.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpResponse, ResponseError, web};
use futures_util::FutureExt;

use crate::error::{Code, Error, Language};
use crate::http::counts::RequestCounts;
use crate::http::headers::{self, Transport};
use crate::http::problem;

static N_PANICS: AtomicU64 = AtomicU64::new(0);

/// Returns how many requests panicked since the start; more than none is a defect.
pub fn count_panics() -> u64 {
    N_PANICS.load(Ordering::Relaxed)
}

/// Wraps the whole application.
///
/// # Errors
/// A panic or a failure of the framework, as a problem in the caller's language.
pub async fn frame<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let language = negotiate(request.headers());
    let transport = request.app_data::<web::Data<Transport>>().map(|data| ***data);
    let transport = transport.unwrap_or_default();
    let counts = request.app_data::<web::Data<RequestCounts>>().cloned();
    let method = known(request.method());
    let is_open = headers::is_open(request.path());
    let started_at = Instant::now();

    let answer = AssertUnwindSafe(async move { next.call(request).await }).catch_unwind().await;
    let answer = match answer {
        Ok(Ok(response)) => Ok(localise(response.map_into_boxed_body(), language)),
        Ok(Err(error)) => Err(of_framework(&error)),
        Err(_panic) => {
            N_PANICS.fetch_add(1, Ordering::Relaxed);
            tracing::error!(method, "a request panicked");
            Err(Error::new(Code::Internal))
        }
    };
    let answer = answer
        .map(|mut response| {
            headers::secure(response.headers_mut(), transport);
            if is_open {
                let is_found = response.status() == StatusCode::OK
                    || response.status() == StatusCode::NOT_MODIFIED;
                headers::open(response.headers_mut(), is_found);
            }
            response
        })
        .map_err(|error| Localised { error, language, transport });

    let (route, status) = match &answer {
        Ok(response) => (response.request().match_pattern(), response.status()),
        Err(error) => (None, error.status_code()),
    };
    let (route, duration) = (route.unwrap_or_default(), started_at.elapsed());
    if let Some(counts) = counts {
        counts.add(method, &route, status, duration);
    }
    let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(method, route, status = status.as_u16(), duration_ms, "request");
    Ok(answer?)
}

/// Returns the name of a method for logs and counts: a client may send any word as one.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|name| *name == method.as_str()).unwrap_or("other")
}

/// Returns the language to answer in: French where `Accept-Language` prefers it, else English.
pub fn negotiate(headers: &HeaderMap) -> Language {
    let Some(wanted) = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok())
    else {
        return Language::English;
    };
    let weight_of = |tag: &str| {
        wanted
            .split(',')
            .filter_map(weighted)
            .filter(|(range, _)| *range == tag)
            .map(|(_, weight)| weight)
            .max()
    };
    match (weight_of("fr"), weight_of("en")) {
        (Some(french), english) if french > english.unwrap_or(0) => Language::French,
        _ => Language::English,
    }
}

/// Reads one language range and its weight in thousandths (RFC 9110, 12.5.4).
fn weighted(range: &str) -> Option<(&str, u16)> {
    let mut parts = range.split(';');
    let tag = parts.next()?.trim();
    let language = tag.split('-').next()?;
    let weight = parts
        .find_map(|part| part.trim().strip_prefix("q="))
        .map_or(Some(1.0), |q| q.parse::<f32>().ok())?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=1000"
    )]
    let thousandths = (weight.clamp(0.0, 1.0) * 1000.0) as u16;
    Some((language, thousandths))
}

/// Turns every error answer into a problem in `language`, whoever made it, and logs failures of ours once.
fn localise(response: ServiceResponse<BoxBody>, language: Language) -> ServiceResponse<BoxBody> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    if let Some(error) = response.response().error().and_then(|error| error.as_error::<Error>()) {
        log_failure(error);
        let rendered = problem::render(error, language);
        return response.into_response(rendered);
    }
    let is_ours = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == problem::PROBLEM_JSON || kind == "application/json");
    if is_ours {
        return response;
    }
    let allow = response.headers().get(header::ALLOW).cloned();
    let mut rendered = problem::render(&Error::new(code_of(status)), language);
    if let Some(allow) = allow {
        rendered.headers_mut().insert(header::ALLOW, allow);
    }
    response.into_response(rendered)
}

fn log_failure(error: &Error) {
    if problem::status(error.code).is_server_error() {
        let cause = error.cause.as_deref().map(tracing::field::display);
        tracing::error!(code = error.code.as_str(), cause, "request failed");
    } else {
        // Not which fields: the names of those that do not exist are the sender's words.
        let n_fields = error.fields.len();
        tracing::debug!(code = error.code.as_str(), n_fields, "request refused");
    }
}

/// Returns our code for a status the framework chose.
fn code_of(status: StatusCode) -> Code {
    match status {
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        StatusCode::REQUEST_TIMEOUT => Code::RequestTimeout,
        StatusCode::PAYLOAD_TOO_LARGE => Code::PayloadTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
        StatusCode::NOT_ACCEPTABLE => Code::NotAcceptable,
        StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
        other if other.is_client_error() => Code::BadRequest,
        _ => Code::Internal,
    }
}

fn of_framework(error: &actix_web::Error) -> Error {
    Error::new(code_of(error.as_response_error().status_code()))
}

/// An error that left the frame without a request to answer on; the framework renders it.
#[derive(Debug)]
struct Localised {
    error: Error,
    language: Language,
    transport: Transport,
}

impl std::fmt::Display for Localised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)
    }
}

impl ResponseError for Localised {
    fn status_code(&self) -> StatusCode {
        problem::status(self.error.code)
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = problem::render(&self.error, self.language);
        headers::secure(response.headers_mut(), self.transport);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accept: &str, right: Language, reason: &str) {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::ACCEPT_LANGUAGE,
            header::HeaderValue::from_str(accept).expect("a header value"),
        );

        assert_eq!(negotiate(&headers), right, "{reason}");
    }

    #[test]
    fn the_language_with_the_greater_weight_answers() {
        check("fr", Language::French, "asked for alone");
        check("fr-CI,fr;q=0.9,en;q=0.8", Language::French, "a region is still French");
        check("en;q=0.4, fr;q=0.3", Language::English, "weights decide, not order");
        check("pt, fr;q=0.2", Language::French, "we do not speak the first choice");
        check("*", Language::English, "no preference");
        check("fr;q=0", Language::English, "refused");
        check("fr;q=banana", Language::English, "a broken weight is no wish");
    }
}
