//! What a reviewer says of one field: nothing, something, or that the reports shall speak again.

use serde::{Deserialize, Deserializer};

/// A reviewer's word on one field of an incident; in JSON absent, `null` or a value.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Correction<T> {
    /// What stands goes on.
    #[default]
    Keep,
    /// The reports speak again.
    TakeBack,
    /// This stands, whatever the reports say.
    Set(T),
}

impl<T> Correction<T> {
    /// Tells whether nothing is said.
    pub fn is_kept(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// Returns the same word on a reference to its value.
    pub fn as_ref(&self) -> Correction<&T> {
        match self {
            Self::Keep => Correction::Keep,
            Self::TakeBack => Correction::TakeBack,
            Self::Set(value) => Correction::Set(value),
        }
    }

    /// Returns the same word with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Correction<U> {
        match self {
            Self::Keep => Correction::Keep,
            Self::TakeBack => Correction::TakeBack,
            Self::Set(value) => Correction::Set(change(value)),
        }
    }

    /// Returns the same word with its value checked.
    ///
    /// # Errors
    /// Whatever `check` answers.
    pub fn try_map<U, E>(self, check: impl FnOnce(T) -> Result<U, E>) -> Result<Correction<U>, E> {
        Ok(match self {
            Self::Keep => Correction::Keep,
            Self::TakeBack => Correction::TakeBack,
            Self::Set(value) => Correction::Set(check(value)?),
        })
    }
}

/// Where the field is there at all, `null` takes back.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Correction<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::deserialize(deserializer)?;
        Ok(value.map_or(Self::TakeBack, Self::Set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Body {
        #[serde(default)]
        severity: Correction<u8>,
    }

    #[track_caller]
    fn check(json: &str, right: &Correction<u8>) {
        let body: Body = serde_json::from_str(json).expect("a body");
        assert_eq!(&body.severity, right, "{json}");
    }

    #[test]
    fn absent_keeps_null_takes_back_and_a_value_stands() {
        check("{}", &Correction::Keep);
        check(r#"{"severity": null}"#, &Correction::TakeBack);
        check(r#"{"severity": 3}"#, &Correction::Set(3));
    }
}
