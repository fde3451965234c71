//! RFC 9457 problem documents: the one place that decides the HTTP status of an error and its words.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Code, Error, Language};

/// Named in the extra fields of an `Unauthenticated` error whose sender may be asked for a password.
pub const ASKS_FOR_PASSWORD: &str = "asks_for_password";

/// How a password is asked for (RFC 7617).
const BASIC: &str = "Basic realm=\"Sentinelle\", charset=\"UTF-8\"";

/// Media type of every error answer.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What an error answer looks like.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: `code` tells kinds apart.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    kind: &'static str,
    /// Stable name of the kind of error; see `api-spec/README.md`.
    #[schema(example = "invalid_fields")]
    code: &'static str,
    /// What went wrong, in the language asked for.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The fields at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ProblemField>,
    /// `coordinates_swapped`: the pair that would lie in the declared country.
    #[serde(skip_serializing_if = "Option::is_none")]
    corrected: Option<serde_json::Value>,
    /// `invalid_fields` of a place that may be in several countries: the places of this name, the largest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    candidates: Option<serde_json::Value>,
    /// `precondition_failed`: the incident as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<serde_json::Value>,
    /// `merged`: the incident that holds its reports now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<uuid::Uuid>)]
    merged_into: Option<serde_json::Value>,
    /// `id_conflict`: the fields in which the two contents differ, as JSON pointers.
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<serde_json::Value>,
    /// `sender_unreachable`: `withdrawn`, `erased`, `sender_unknown` or `no_access`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    why: Option<serde_json::Value>,
    /// `too_many_requests`: the seconds to wait, as in `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    retry_after: Option<serde_json::Value>,
    /// `search_too_wide`: how many `reports` the other filters leave, the `limit`, how many were `searched` in time, and by
    /// which filters to `narrow_by`.
    #[serde(skip_serializing_if = "Option::is_none")]
    search: Option<serde_json::Value>,
}

/// One field at fault.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemField {
    /// JSON pointer (RFC 6901) of the field, or `?name` for a query parameter.
    #[schema(example = "/location/lat")]
    pointer: String,
    /// What is wrong and what would be right.
    detail: String,
}

/// Returns the HTTP status of a kind of error.
pub fn status(code: Code) -> StatusCode {
    match code {
        Code::InvalidJson
        | Code::UnknownField
        | Code::UnknownParameter
        | Code::InvalidParameter
        | Code::InvalidCursor
        | Code::BadRequest => StatusCode::BAD_REQUEST,
        Code::Unauthenticated | Code::SignInFailed => StatusCode::UNAUTHORIZED,
        Code::Forbidden | Code::CsrfFailed => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        Code::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        Code::IdConflict
        | Code::Merged
        | Code::AlreadySetUp
        | Code::NameTaken
        | Code::InUse
        | Code::LastCoordinator
        | Code::RolesApart
        | Code::AlreadyGranted
        | Code::AccountDisabled
        | Code::Claimed
        | Code::SenderUnreachable
        | Code::SecondPersonNeeded
        | Code::ReleaseState => StatusCode::CONFLICT,
        Code::Gone | Code::ReleaseWithdrawn => StatusCode::GONE,
        Code::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Code::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UnsupportedMediaType | Code::UnsupportedEncoding => {
            StatusCode::UNSUPPORTED_MEDIA_TYPE
        }
        Code::InvalidFields
        | Code::CoordinatesSwapped
        | Code::IdRequired
        | Code::NotMergeable
        | Code::TransitionNotAllowed
        | Code::CategoryRequired
        | Code::CountryUnsettled
        | Code::SourcesNeeded
        | Code::OwnReport
        | Code::SearchTooWide => StatusCode::UNPROCESSABLE_ENTITY,
        Code::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
        Code::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
    }
}

/// Returns the title of a kind of error.
pub fn title(code: Code, language: Language) -> &'static str {
    let (en, fr) = titles(code);
    match language {
        Language::English => en,
        Language::French => fr,
    }
}

#[expect(clippy::too_many_lines, reason = "a table of words")]
fn titles(code: Code) -> (&'static str, &'static str) {
    match code {
        Code::InvalidJson => ("the body is not valid JSON", "le corps n'est pas du JSON valide"),
        Code::UnknownField => {
            ("the body has an unknown field", "le corps contient un champ inconnu")
        }
        Code::UnknownParameter => ("unknown query parameter", "paramètre de requête inconnu"),
        Code::InvalidParameter => {
            ("a query parameter is invalid", "un paramètre de requête est invalide")
        }
        Code::InvalidCursor => (
            "the cursor is not valid for this query: start again without it",
            "le curseur n'est pas valable pour cette requête : recommencez sans lui",
        ),
        Code::BadRequest => ("the request is malformed", "la requête est mal formée"),
        Code::Unauthenticated => (
            "a valid token is needed: send it as `Authorization: Bearer …`",
            "un jeton valide est nécessaire : envoyez-le par « Authorization: Bearer … »",
        ),
        Code::SignInFailed => (
            "signing in failed: check name, password and code; a code works once",
            "connexion refusée : vérifiez le nom, le mot de passe et le code ; un code ne sert qu'une fois",
        ),
        Code::Forbidden => ("your role does not allow this", "votre rôle ne le permet pas"),
        Code::CsrfFailed => (
            "send `X-CSRF-Token` as given at sign-in, from a page of this address",
            "joignez « X-CSRF-Token » tel que reçu à la connexion, depuis une page de cette adresse",
        ),
        Code::NotFound => ("not found", "introuvable"),
        Code::MethodNotAllowed => {
            ("this path does not take this method", "ce chemin n'accepte pas cette méthode")
        }
        Code::NotAcceptable => (
            "none of the formats asked for is on offer",
            "aucun des formats demandés n'est proposé",
        ),
        Code::RequestTimeout => (
            "the body did not arrive in time: send it again",
            "le corps n'est pas arrivé à temps : renvoyez-le",
        ),
        Code::IdConflict => (
            "another content was already sent under this id; the first one is kept",
            "un autre contenu a déjà été envoyé sous cet identifiant ; le premier est conservé",
        ),
        Code::AlreadySetUp => (
            "this instance is set up: ask a coordinator for an invitation",
            "cette instance est déjà configurée : demandez une invitation à un coordinateur",
        ),
        Code::Gone => (
            "this report was withdrawn or erased and cannot be sent again",
            "ce rapport a été retiré ou effacé et ne peut pas être renvoyé",
        ),
        Code::PreconditionFailed => (
            "somebody changed it since you read it: read it again and decide",
            "quelqu'un l'a modifié depuis votre lecture : relisez avant de décider",
        ),
        Code::PayloadTooLarge => ("the body is too large", "le corps est trop volumineux"),
        Code::UnsupportedMediaType => {
            ("this media type is not read here", "ce type de contenu n'est pas lu ici")
        }
        Code::UnsupportedEncoding => (
            "only uncompressed and gzip bodies are read",
            "seuls les corps non compressés ou gzip sont lus",
        ),
        Code::InvalidFields => ("some fields are invalid", "certains champs sont invalides"),
        Code::CoordinatesSwapped => (
            "latitude and longitude seem to be swapped",
            "latitude et longitude semblent inversées",
        ),
        Code::IdRequired => (
            "this channel must send an id with each report",
            "ce canal doit joindre un identifiant à chaque rapport",
        ),
        Code::Merged => (
            "this incident was merged: go on with the one in `merged_into`, or split it off first",
            "cet incident a été fusionné : poursuivez avec celui de « merged_into », ou séparez-le d'abord",
        ),
        Code::NotMergeable => {
            ("these incidents cannot be merged", "ces incidents ne peuvent pas être fusionnés")
        }
        Code::TransitionNotAllowed => (
            "the incident cannot take this status now",
            "l'incident ne peut pas prendre ce statut maintenant",
        ),
        Code::CategoryRequired => (
            "an incident needs a confirmed category before it is verified",
            "un incident doit avoir une catégorie confirmée avant d'être vérifié",
        ),
        Code::CountryUnsettled => (
            "the declared country and the point disagree: settle the location first",
            "le pays déclaré et le point divergent : réglez d'abord le lieu",
        ),
        Code::SourcesNeeded => (
            "an incident needs two independent sources before it is corroborated",
            "un incident demande deux sources indépendantes avant d'être corroboré",
        ),
        Code::OwnReport => (
            "a report of this incident is yours: ask another reviewer",
            "un rapport de cet incident est de vous : demandez à un autre réviseur",
        ),
        Code::SearchTooWide => (
            "too many texts to search: narrow your search with other filters",
            "trop de textes à parcourir : restreignez votre recherche par d'autres filtres",
        ),
        Code::PreconditionRequired => (
            "send `If-Match` with the ETag you read",
            "joignez « If-Match » avec l'ETag que vous avez lu",
        ),
        Code::NameTaken => {
            ("this name is taken: choose another", "ce nom est pris : choisissez-en un autre")
        }
        Code::InUse => ("something still needs this", "ceci est encore utilisé"),
        Code::LastCoordinator => (
            "no coordinator would be left who can sign in: give somebody else the role first, without an end",
            "il ne resterait aucun coordinateur pouvant se connecter : donnez d'abord ce rôle à quelqu'un d'autre, sans date de fin",
        ),
        Code::RolesApart => (
            "one person is not coordinator and auditor or system administrator at once",
            "une personne n'est pas à la fois coordinateur et auditeur ou administrateur système",
        ),
        Code::AlreadyGranted => (
            "the person has this role there at that time already: end it first, or give it for another time",
            "la personne a déjà ce rôle à cet endroit et à ce moment : mettez-y fin d'abord, ou donnez-le pour une autre période",
        ),
        Code::AccountDisabled => (
            "the account is disabled: enable it first",
            "le compte est désactivé : réactivez-le d'abord",
        ),
        Code::Claimed => (
            "somebody works on this incident: leave it to them, or take it over with a reason",
            "quelqu'un travaille sur cet incident : laissez-le-lui, ou reprenez-le avec un motif",
        ),
        Code::SenderUnreachable => (
            "nobody can be asked about this report any more: decide on what is known",
            "on ne peut plus interroger personne sur ce rapport : décidez d'après ce qui est connu",
        ),
        Code::SecondPersonNeeded => (
            "whoever drafted a release does not approve it: ask another coordinator",
            "qui a préparé une publication ne l'approuve pas : demandez à un autre coordinateur",
        ),
        Code::ReleaseState => (
            "the release is not in a state for this",
            "la publication n'est pas dans un état qui le permette",
        ),
        Code::ReleaseWithdrawn => (
            "this release was withdrawn: its figures are no longer shown",
            "cette publication a été retirée : ses chiffres ne sont plus montrés",
        ),
        Code::TooManyRequests => (
            "too many requests: wait before the next one",
            "trop de requêtes : attendez avant la prochaine",
        ),
        Code::Internal => {
            ("something failed on our side", "une erreur s'est produite de notre côté")
        }
        Code::Unavailable => (
            "too busy or restarting: try again shortly",
            "surcharge ou redémarrage : réessayez dans un instant",
        ),
        Code::StorageFull => (
            "the server has no room left; nothing was stored: keep the report and try again later",
            "le serveur n'a plus de place ; rien n'a été enregistré : gardez le rapport et réessayez plus tard",
        ),
    }
}

/// Returns the answer to `error` in `language`.
pub fn render(error: &Error, language: Language) -> HttpResponse<BoxBody> {
    let status = status(error.code);
    let extra = |name| {
        let (key, value) = error.extra.as_deref()?;
        (*key == name).then(|| value.clone())
    };
    let problem = Problem {
        kind: "about:blank",
        code: error.code.as_str(),
        title: title(error.code, language),
        status: status.as_u16(),
        detail: error.detail.as_ref().map(|text| text.in_language(language).to_owned()),
        errors: error
            .fields
            .iter()
            .map(|field| ProblemField {
                pointer: field.pointer.clone(),
                detail: field.text.in_language(language).to_owned(),
            })
            .collect(),
        corrected: extra("corrected"),
        candidates: extra("candidates"),
        current: extra("current"),
        merged_into: extra("merged_into"),
        fields: extra("fields"),
        why: extra("why"),
        retry_after: extra("retry_after"),
        search: extra("search"),
    };
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CONTENT_TYPE, PROBLEM_JSON));
    response.insert_header((header::CONTENT_LANGUAGE, language.tag()));
    match error.code {
        Code::Unauthenticated | Code::SignInFailed => {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            if extra(ASKS_FOR_PASSWORD).is_some() {
                response.append_header((header::WWW_AUTHENTICATE, BASIC));
            }
        }
        Code::Unavailable | Code::StorageFull => {
            response.insert_header((header::RETRY_AFTER, HeaderValue::from_static("5")));
        }
        Code::TooManyRequests => {
            let wait_s = extra("retry_after").and_then(|wait_s| wait_s.as_u64()).unwrap_or(1);
            response.insert_header((header::RETRY_AFTER, HeaderValue::from(wait_s)));
        }
        _ => {}
    }
    // `serde_json` cannot fail on this type; an empty body is still better than none at all.
    response.body(serde_json::to_string(&problem).unwrap_or_default())
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        status(self.code)
    }

    /// English; `frame` renders it again in the language of the request.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        render(self, Language::English)
    }
}
