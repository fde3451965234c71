//! What every operation of the API can answer, for its document.

use crate::http::problem;

/// Errors are global: every operation can answer these.
const SHARED_ERRORS: [(&str, &str); 15] = [
    ("400", "The request is malformed, or has an unknown field or parameter"),
    ("401", "No valid token"),
    ("403", "The caller's roles never allow this"),
    ("404", "It does not exist, or not for this caller"),
    ("405", "The path does not take this method"),
    ("406", "None of the formats asked for is on offer"),
    ("408", "The body did not arrive in time"),
    ("409", "It does not go with what is stored"),
    ("413", "The body is too large"),
    ("415", "The body's media type or content coding is not read"),
    ("422", "Some fields hold values that cannot be"),
    ("429", "Too many requests"),
    ("500", "Something failed on our side"),
    ("503", "Too busy or restarting: try again"),
    ("507", "The server has no room left; nothing was stored"),
];

/// Adds them to an operation that does not say otherwise.
pub fn add_shared_errors(operation: &mut utoipa::openapi::path::Operation) {
    use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
    for (status, description) in SHARED_ERRORS {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new()
            .description(description)
            .content(problem::PROBLEM_JSON, content)
            .build();
        operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
    }
}
