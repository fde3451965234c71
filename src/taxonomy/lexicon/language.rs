//! The two languages texts are read in.

/// A language with a lexicon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// English, with Krio and Pidgin, which are read as English.
    English,
    /// French.
    French,
}

impl Language {
    /// Both, in the order in which texts of an unclear language are read.
    pub const ALL: [Language; 2] = [Language::English, Language::French];

    /// Returns the ISO 639-1 code.
    pub fn as_str(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::French => "fr",
        }
    }

    /// Finds the language in which a text of this code is read: `en`, `fr`, and what is near one of them.
    ///
    /// `kri` (Krio), `pcm` (Pidgin) and `wes` (Cameroon Pidgin) are read as English. Other languages have no lexicon.
    ///
    /// # Source
    /// Codes of ISO 639-1 and ISO 639-3, two or three letters.
    pub fn from_code(code: &str) -> Option<Language> {
        match code {
            "en" | "eng" | "kri" | "pcm" | "wes" => Some(Language::English),
            "fr" | "fra" | "fre" => Some(Language::French),
            _ => None,
        }
    }
}
