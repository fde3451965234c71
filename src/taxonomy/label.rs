//! What people read instead of a code.

/// A text in both languages of the coalition; neither is empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Label {
    /// English.
    pub en: String,
    /// French.
    pub fr: String,
}
