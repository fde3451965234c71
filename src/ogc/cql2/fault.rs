//! Where a filter cannot be understood, and why.

/// A fault in a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The character at which it stands, from 1.
    pub at: usize,
    /// What is wrong, in English.
    pub en: String,
    /// What is wrong, in French.
    pub fr: String,
}

impl Fault {
    /// Builds a fault.
    pub fn new(at: usize, en: impl Into<String>, fr: impl Into<String>) -> Self {
        Self { at, en: en.into(), fr: fr.into() }
    }

    /// Returns the sentence in English.
    pub fn message_en(&self) -> String {
        format!("at character {}: {}", self.at, self.en)
    }

    /// Returns the sentence in French.
    pub fn message_fr(&self) -> String {
        format!("au caractère {} : {}", self.at, self.fr)
    }
}
