//! Reads query strings. An unknown or repeated single parameter is an error: a typo must never widen a query.

use actix_web::{HttpRequest, web};

use crate::error::{Code, Error, FieldError, Result};

/// The parameters of a request, in order, percent-decoded.
#[derive(Debug, Clone, Default)]
pub struct Pairs(pub Vec<(String, String)>);

impl Pairs {
    /// Reads the query of `request`.
    ///
    /// # Errors
    /// `InvalidParameter` when it cannot be decoded.
    pub fn of(request: &HttpRequest) -> Result<Self> {
        web::Query::<Vec<(String, String)>>::from_query(request.query_string())
            .map(|pairs| Self(pairs.into_inner()))
            .map_err(|error| Error {
                cause: Some(Box::new(std::io::Error::other(error.to_string()))),
                ..Error::new(Code::InvalidParameter)
            })
    }

    /// Takes the parameter `name` out; `None` where it is absent.
    ///
    /// # Errors
    /// `InvalidParameter` when it is given twice.
    pub fn take_one(&mut self, name: &str) -> Result<Option<String>> {
        let mut found = Vec::new();
        self.0.retain(|(key, value)| {
            let is_it = key == name;
            if is_it {
                found.push(value.clone());
            }
            !is_it
        });
        match found.len() {
            0 | 1 => Ok(found.pop()),
            n => Err(invalid(
                name,
                format!("it is given {n} times; give it once"),
                format!("il est donné {n} fois ; donnez-le une fois"),
            )),
        }
    }

    /// Refuses whatever was not taken.
    ///
    /// # Errors
    /// `UnknownParameter` naming each and the `known` ones.
    pub fn refuse_rest(&self, known: &[&str]) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let known = known.join(", ");
        let fields = self.0.iter().map(|(name, _)| unknown(name, &known)).collect();
        Err(Error { fields, ..Error::new(Code::UnknownParameter) })
    }
}

/// Returns what is wrong with the parameter `name` that does not exist.
fn unknown(name: &str, known: &str) -> FieldError {
    let name: String = name.chars().take(64).collect();
    let (en, fr) = match known {
        "" => ("no parameter is known here".to_owned(), "aucun n'est connu ici".to_owned()),
        known => (format!("known here: {known}"), format!("connus ici : {known}")),
    };
    FieldError::new(
        format!("?{name}"),
        format!("unknown parameter {name}; {en}"),
        format!("paramètre inconnu {name} ; {fr}"),
    )
}

/// Returns the error of one parameter.
pub fn invalid(name: &str, en: impl Into<String>, fr: impl Into<String>) -> Error {
    Error::field(Code::InvalidParameter, FieldError::new(format!("?{name}"), en, fr))
}
