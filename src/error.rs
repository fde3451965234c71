//! What can go wrong, said twice: to the person who can mend it, in English and French, and to the log.
//!
//! An [`Error`] knows nothing of HTTP; `http::problem` decides the status. Its texts name the field, the value, the
//! limit and what to do, and never hold report text, names, contacts, exact places or secrets.

use std::fmt;

/// One sentence in both languages of the coalition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: String,
    /// French.
    pub fr: String,
}

impl Text {
    /// Returns the pair.
    pub fn new(en: impl Into<String>, fr: impl Into<String>) -> Self {
        Self { en: en.into(), fr: fr.into() }
    }

    /// Returns the sentence in `language`.
    pub fn in_language(&self, language: Language) -> &str {
        language.say(&self.en, &self.fr)
    }
}

/// A language we answer in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English, the default.
    #[default]
    English,
    /// French.
    French,
}

impl Language {
    /// Returns the BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// Returns the words of this language.
    pub fn say<'a>(self, en: &'a str, fr: &'a str) -> &'a str {
        match self {
            Self::English => en,
            Self::French => fr,
        }
    }
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) of the field, or `?name` for a query parameter.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub text: Text,
}

impl FieldError {
    /// Returns the error of the field at `pointer`.
    pub fn new(pointer: impl Into<String>, en: impl Into<String>, fr: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), text: Text::new(en, fr) }
    }
}

/// The stable name of a kind of error: part of the API contract, listed in `api-spec/README.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The body is not well-formed JSON (`NaN`, a bare `1e309`, cut off, too deep).
    InvalidJson,
    /// The body has a field that does not exist.
    UnknownField,
    /// The query has a parameter that does not exist.
    UnknownParameter,
    /// A query parameter has a value that cannot be.
    InvalidParameter,
    /// The cursor was not made by us for this query.
    InvalidCursor,
    /// The request itself is malformed.
    BadRequest,
    /// No valid credential came with the request.
    Unauthenticated,
    /// Name, password and code together are nobody's who may sign in.
    SignInFailed,
    /// The caller's roles never allow this.
    Forbidden,
    /// A request with the session cookie that no page of ours has written.
    CsrfFailed,
    /// It does not exist, or not for this caller.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// None of the formats asked for is on offer.
    NotAcceptable,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The id is taken by other content.
    IdConflict,
    /// The instance has its first coordinator.
    AlreadySetUp,
    /// The report was withdrawn or erased; it cannot be sent again.
    Gone,
    /// Somebody changed it since it was read.
    PreconditionFailed,
    /// The body is larger than allowed.
    PayloadTooLarge,
    /// The body has a media type we do not read.
    UnsupportedMediaType,
    /// The body has a content coding we do not read.
    UnsupportedEncoding,
    /// Some fields of the body hold values that cannot be.
    InvalidFields,
    /// Latitude and longitude stand in each other's place.
    CoordinatesSwapped,
    /// This channel must send an id.
    IdRequired,
    /// The incident was merged into another.
    Merged,
    /// The incidents cannot become one.
    NotMergeable,
    /// The incident cannot go from its status to the one asked for.
    TransitionNotAllowed,
    /// An incident without a category cannot be verified.
    CategoryRequired,
    /// The country of the incident is not settled.
    CountryUnsettled,
    /// Corroborating needs two independent sources.
    SourcesNeeded,
    /// Nobody confirms what they reported themselves.
    OwnReport,
    /// A text search would open more than is opened at once, or did not end in time.
    SearchTooWide,
    /// `If-Match` is missing.
    PreconditionRequired,
    /// The name belongs to another.
    NameTaken,
    /// Something still needs it.
    InUse,
    /// Nobody would be left who may run the programme.
    LastCoordinator,
    /// One person may not hold both roles.
    RolesApart,
    /// The person has this already.
    AlreadyGranted,
    /// The account is disabled.
    AccountDisabled,
    /// Another works on the incident.
    Claimed,
    /// Nobody is left who could answer for the report.
    SenderUnreachable,
    /// What one person drafted, another approves.
    SecondPersonNeeded,
    /// The release is not where this could be done to it.
    ReleaseState,
    /// The release is no longer shown.
    ReleaseWithdrawn,
    /// The caller asks more than its share.
    TooManyRequests,
    /// Our fault.
    Internal,
    /// Overloaded or shutting down: try again.
    Unavailable,
    /// The store cannot take more.
    StorageFull,
}

impl Code {
    /// Every code, in the order of `api-spec/README.md`.
    pub const ALL: [Self; 48] = [
        Self::InvalidJson,
        Self::UnknownField,
        Self::UnknownParameter,
        Self::InvalidParameter,
        Self::InvalidCursor,
        Self::BadRequest,
        Self::Unauthenticated,
        Self::SignInFailed,
        Self::Forbidden,
        Self::CsrfFailed,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::RequestTimeout,
        Self::IdConflict,
        Self::AlreadySetUp,
        Self::Gone,
        Self::PreconditionFailed,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::UnsupportedEncoding,
        Self::InvalidFields,
        Self::CoordinatesSwapped,
        Self::IdRequired,
        Self::Merged,
        Self::NotMergeable,
        Self::TransitionNotAllowed,
        Self::CategoryRequired,
        Self::CountryUnsettled,
        Self::SourcesNeeded,
        Self::OwnReport,
        Self::SearchTooWide,
        Self::PreconditionRequired,
        Self::NameTaken,
        Self::InUse,
        Self::LastCoordinator,
        Self::RolesApart,
        Self::AlreadyGranted,
        Self::AccountDisabled,
        Self::Claimed,
        Self::SenderUnreachable,
        Self::SecondPersonNeeded,
        Self::ReleaseState,
        Self::ReleaseWithdrawn,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
        Self::StorageFull,
    ];

    /// Returns the name that clients match on.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::UnknownField => "unknown_field",
            Self::UnknownParameter => "unknown_parameter",
            Self::InvalidParameter => "invalid_parameter",
            Self::InvalidCursor => "invalid_cursor",
            Self::BadRequest => "bad_request",
            Self::Unauthenticated => "unauthenticated",
            Self::SignInFailed => "sign_in_failed",
            Self::Forbidden => "forbidden",
            Self::CsrfFailed => "csrf_failed",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::NotAcceptable => "not_acceptable",
            Self::RequestTimeout => "request_timeout",
            Self::IdConflict => "id_conflict",
            Self::AlreadySetUp => "already_set_up",
            Self::Gone => "gone",
            Self::PreconditionFailed => "precondition_failed",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::UnsupportedEncoding => "unsupported_encoding",
            Self::InvalidFields => "invalid_fields",
            Self::CoordinatesSwapped => "coordinates_swapped",
            Self::IdRequired => "id_required",
            Self::Merged => "merged",
            Self::NotMergeable => "not_mergeable",
            Self::TransitionNotAllowed => "transition_not_allowed",
            Self::CategoryRequired => "category_required",
            Self::CountryUnsettled => "country_unsettled",
            Self::SourcesNeeded => "sources_needed",
            Self::OwnReport => "own_report",
            Self::SearchTooWide => "search_too_wide",
            Self::PreconditionRequired => "precondition_required",
            Self::NameTaken => "name_taken",
            Self::InUse => "in_use",
            Self::LastCoordinator => "last_coordinator",
            Self::RolesApart => "roles_apart",
            Self::AlreadyGranted => "already_granted",
            Self::AccountDisabled => "account_disabled",
            Self::Claimed => "claimed",
            Self::SenderUnreachable => "sender_unreachable",
            Self::SecondPersonNeeded => "second_person_needed",
            Self::ReleaseState => "release_state",
            Self::ReleaseWithdrawn => "release_withdrawn",
            Self::TooManyRequests => "too_many_requests",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
            Self::StorageFull => "storage_full",
        }
    }
}

/// The source of an error, for the log.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What every fallible operation above the leaves returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Something went wrong.
#[derive(Debug)]
pub struct Error {
    /// Its kind.
    pub code: Code,
    /// What to do, where the title of the code does not say enough.
    pub detail: Option<Box<Text>>,
    /// The fields at fault; empty where none is.
    pub fields: Vec<FieldError>,
    /// Values the client can act on: a corrected pair, the current state.
    pub extra: Option<Box<(&'static str, serde_json::Value)>>,
    /// What happened inside; logged once, never answered.
    pub cause: Option<Cause>,
}

impl Error {
    /// Returns an error that its code explains fully.
    pub fn new(code: Code) -> Self {
        Self { code, detail: None, fields: Vec::new(), extra: None, cause: None }
    }

    /// Returns the same error with a sentence on what to do.
    pub fn detail(mut self, en: impl Into<String>, fr: impl Into<String>) -> Self {
        self.detail = Some(Box::new(Text::new(en, fr)));
        self
    }

    /// Returns the same error with a value for the client.
    pub fn with(mut self, name: &'static str, value: serde_json::Value) -> Self {
        self.extra = Some(Box::new((name, value)));
        self
    }

    /// Returns the error of a body whose `fields` hold what cannot be.
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        Self { fields, ..Self::new(Code::InvalidFields) }
    }

    /// Returns the error of one field.
    pub fn field(code: Code, field: FieldError) -> Self {
        Self { fields: vec![field], ..Self::new(code) }
    }

    /// Returns an error of ours, with what happened.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self { cause: Some(cause.into()), ..Self::new(Code::Internal) }
    }

    /// Returns the error of a caller whose roles never allow `action`, a code for the audit entry.
    pub fn forbidden(action: &'static str) -> Self {
        Self::new(Code::Forbidden).with("action", action.into())
    }

    /// Returns the error of a caller who must wait so many seconds.
    pub fn too_many_requests(wait_s: u32) -> Self {
        Self::new(Code::TooManyRequests).with("retry_after", wait_s.into())
    }

    /// Returns what the database said, where that is the cause.
    pub fn database_cause(&self) -> Option<&diesel::result::Error> {
        self.cause.as_deref().and_then(|cause| cause.downcast_ref())
    }

    /// Returns "it does not exist, or not for you".
    pub fn not_found() -> Self {
        Self::new(Code::NotFound)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())?;
        if let Some(detail) = &self.detail {
            write!(f, ": {}", detail.en)?;
        }
        for field in &self.fields {
            write!(f, "; {}: {}", field.pointer, field.text.en)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        if error == diesel::result::Error::NotFound {
            return Self::not_found();
        }
        let code = if crate::db::dialect::is_storage_full(&error) {
            Code::StorageFull
        } else if crate::db::dialect::is_worth_a_retry(&error) {
            Code::Unavailable
        } else {
            Code::Internal
        };
        Self { cause: Some(Box::new(error)), ..Self::new(code) }
    }
}

impl From<crate::seal::envelope::SealError> for Error {
    fn from(error: crate::seal::envelope::SealError) -> Self {
        let code = match error {
            // The instance key was changed while this server did not look: another server, or this one started anew, can.
            crate::seal::envelope::SealError::WrongKey { .. } => Code::Unavailable,
            _ => Code::Internal,
        };
        Self { cause: Some(Box::new(error)), ..Self::new(code) }
    }
}
