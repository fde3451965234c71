//! Reads what callers write: each function takes the pointer of a field and says in both languages what is wrong.

use crate::error::{Error, FieldError, Result};
use crate::geo::countries::{Countries, CountryCode};
use crate::ids::Id;

/// Most characters of a name, of whatever.
pub const NAME_CHARS: usize = 120;

/// What is wrong with a body so far; a caller is told everything at once.
#[derive(Debug, Default)]
pub struct Faults(Vec<FieldError>);

impl Faults {
    /// Returns the value, or takes the fault down.
    pub fn take<T>(&mut self, read: std::result::Result<T, FieldError>) -> Option<T> {
        read.map_err(|fault| self.0.push(fault)).ok()
    }

    /// Takes one fault down.
    pub fn add(&mut self, fault: FieldError) {
        self.0.push(fault);
    }

    /// Returns the value that was read, if it and everything beside it was right.
    ///
    /// # Errors
    /// `InvalidFields` with every fault.
    pub fn settle<T>(self, value: Option<T>) -> Result<T> {
        value.filter(|_| self.0.is_empty()).ok_or_else(|| Error::invalid(self.0))
    }
}

/// Reads a name: trimmed, on one line.
///
/// # Errors
/// What is wrong with it; a name is never repeated.
pub fn read_name(pointer: &str, text: &str) -> std::result::Result<String, FieldError> {
    let name = text.trim();
    let n_chars = name.chars().count();
    if (1..=NAME_CHARS).contains(&n_chars) && !name.contains(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(FieldError::new(
        pointer,
        format!("a name has 1 to {NAME_CHARS} characters on one line; this one has {n_chars}"),
        format!(
            "un nom compte de 1 à {NAME_CHARS} caractères sur une ligne ; celui-ci en a {n_chars}"
        ),
    ))
}

/// Reads an id.
///
/// # Errors
/// What is wrong with it.
pub fn read_id<K>(pointer: &str, text: &str) -> std::result::Result<Id<K>, FieldError> {
    Id::parse(text).ok_or_else(|| {
        FieldError::new(
            pointer,
            "this is an id such as 00000000-0000-4000-8000-000000000000",
            "la valeur est un identifiant comme 00000000-0000-4000-8000-000000000000",
        )
    })
}

/// Reads a country of ours.
///
/// # Errors
/// What is wrong with it.
pub fn read_country(
    pointer: &str,
    code: &str,
    countries: &Countries,
) -> std::result::Result<CountryCode, FieldError> {
    countries.parse(code).ok_or_else(|| {
        let known: Vec<&str> = countries.iter().map(|country| country.code.as_str()).collect();
        not_one_of(pointer, &known)
    })
}

/// Reads one of a few codes.
///
/// # Errors
/// What is wrong with it.
pub fn read_code<T: Copy>(
    pointer: &str,
    code: &str,
    known: &[(&str, T)],
) -> std::result::Result<T, FieldError> {
    let found = known.iter().find(|(name, _)| *name == code);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        not_one_of(pointer, &names)
    })
}

/// Returns the fault of a field that holds none of the codes it may.
pub fn not_one_of(pointer: &str, known: &[&str]) -> FieldError {
    let known = known.join(", ");
    FieldError::new(
        pointer,
        format!("this is one of {known}"),
        format!("la valeur est l'une de {known}"),
    )
}
