//! Reasons people give for what they do.

use crate::error::{Error, FieldError, Result};

/// Longest reason, in characters.
const REASON_CHARS: usize = 4_000;

/// Returns the reason without the white space around it.
///
/// # Errors
/// `InvalidFields` when it is empty or too long.
pub fn parse_reason(text: &str) -> Result<String> {
    let reason = text.trim();
    let n_chars = reason.chars().count();
    if (1..=REASON_CHARS).contains(&n_chars) {
        return Ok(reason.to_owned());
    }
    Err(Error::invalid(vec![FieldError::new(
        "/reason",
        format!("a reason has 1 to {REASON_CHARS} characters; this one has {n_chars}"),
        format!("un motif compte de 1 à {REASON_CHARS} caractères ; celui-ci en a {n_chars}"),
    )]))
}
