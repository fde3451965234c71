//! Questions to the senders of reports, and their answers.
//!
//! A message belongs to a report and goes with it through merges and splits. `asking` puts a question, `delivery` says how
//! it reaches the sender, `inbox` is where the sender reads it, `answering` takes the answer and puts the incident back in
//! the queue, `thread` shows both to whoever may open reports. The words are sealed one by one; `store` alone opens them.

pub mod answering;
pub mod asking;
pub mod delivery;
pub mod inbox;
pub mod store;
pub mod thread;

use crate::error::{Error, FieldError, Result};

/// Longest question or answer, in characters.
const MESSAGE_CHARS: usize = 4_000;

/// How decisions name that a message came or went.
pub const MESSAGES: &str = "messages";

/// Returns the words of a message without the white space around them.
///
/// # Errors
/// `InvalidFields` when there are none or too many.
fn parse_text(text: &str) -> Result<String> {
    let text = text.trim();
    let n_chars = text.chars().count();
    if (1..=MESSAGE_CHARS).contains(&n_chars) {
        return Ok(text.to_owned());
    }
    Err(Error::invalid(vec![FieldError::new(
        "/text",
        format!("a message has 1 to {MESSAGE_CHARS} characters; this one has {n_chars}"),
        format!("un message compte de 1 à {MESSAGE_CHARS} caractères ; celui-ci en a {n_chars}"),
    )]))
}
