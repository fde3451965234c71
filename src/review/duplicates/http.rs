//! Likely duplicates over HTTP.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::http::{Access, Decide};
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::error::{Error, FieldError, Language, Result, Text};
use crate::http::body::JsonBody;
use crate::http::frame;
use crate::http::query::{self, Pairs};
use crate::http::reason::parse_reason;
use crate::ids::{Id, IncidentId};
use crate::incidents::decider::Decider;
use crate::incidents::likely::{Figures, HarmSays, Likely, SenderSays, find_figures, list_likely};
use crate::incidents::pairs::list_group;
use crate::incidents::store::{IncidentRow, find_incident};
use crate::incidents::view::is_seen;
use crate::review::duplicates::dismissal::Judgement;
use crate::review::duplicates::store::{find_position, is_flood};

/// Most that one answer holds, the likeliest.
const MOST_LISTED: usize = 100;

/// Why two incidents are likely one, in a word for programs and in words for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DuplicateReason)]
pub struct ReasonView {
    /// `distance`, `same_site`, `same_area`, `same_day`, `days_apart`, `day_unknown`, `same_category`, `related_category`,
    /// `similar_text`, `other_language`, `harm_agrees`, `harm_differs`, `same_sender`, `other_sender`.
    #[schema(example = "distance")]
    code: &'static str,
    /// In the language asked for.
    #[schema(example = "at most 200 m apart")]
    text: String,
}

/// Another incident that is likely the same event.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = LikelyDuplicate)]
pub struct LikelyView {
    /// The other incident.
    #[schema(value_type = uuid::Uuid)]
    incident: IncidentId,
    /// Its version.
    version: i32,
    /// Its status.
    #[schema(example = "received")]
    status: String,
    /// Its country. Incidents of two countries are linked, not merged.
    #[schema(example = "SLE")]
    country: String,
    /// From 0 to 1; 0.6 and more is listed.
    #[schema(example = 0.93)]
    score: f64,
    /// Metres between them at most: the distance rounded up to 1, 2 or 5 times a power of ten; null where either has no point.
    #[schema(example = 200)]
    distance_m: Option<u32>,
    /// Whole days between them; null where either is undated or told coarser than a month.
    #[schema(example = 0)]
    days_apart: Option<u16>,
    /// Categories of both; where they share no leaf, what is above.
    categories: Vec<String>,
    /// How alike their narratives are, from 0 to 1; null where there is nothing to compare. Between two languages it is the
    /// subjects, names and numbers that are compared.
    #[schema(example = 0.7)]
    text_similarity: Option<f64>,
    /// The same known mine is nearest to both.
    is_same_site: bool,
    /// `agrees`, `differs` or `unknown`.
    #[schema(value_type = String, example = "agrees")]
    harm: HarmSays,
    /// `same` (one sender told it twice), `other` or `unknown`.
    #[schema(value_type = String, example = "other")]
    sender: SenderSays,
    /// The same in words.
    reasons: Vec<ReasonView>,
}

/// Incidents that are likely the same event, the likeliest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = LikelyDuplicates)]
pub struct DuplicatesView {
    /// The incident asked about.
    #[schema(value_type = uuid::Uuid)]
    incident: IncidentId,
    /// At most 100.
    items: Vec<LikelyView>,
    /// How many there are.
    total: usize,
    /// More came from its neighbourhood in those days than is compared: some duplicates may be missing here.
    is_flood: bool,
    /// Change number up to which duplicates were looked for.
    as_of: i64,
}

/// List likely duplicates
///
/// Incidents in the caller's scope that likely tell of the same event, with a score and its reasons. They are looked for
/// after a report was stored, so a new one may have none for some seconds (`as_of`). Those withdrawn, rejected or dismissed
/// are left out; `dismissed=true` lists the dismissed ones instead. One merged into another is listed as that one; what
/// was merged into this one is not listed. `POST …/merge` makes them one.
#[utoipa::path(
    get, path = "/v1/incidents/{id}/duplicates", tag = "review", operation_id = "list_duplicates",
    params(
        ("id" = uuid::Uuid, Path, description = "The incident"),
        ("dismissed" = Option<bool>, Query, description = "Those a reviewer dismissed, instead of the others"),
    ),
    responses((status = 200, description = "Likely duplicates", body = DuplicatesView))
)]
pub async fn list_duplicates(
    access: Access<Decide>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let mut pairs = Pairs::of(&request)?;
    let is_dismissed = take_dismissed(&mut pairs)?;
    pairs.refuse_rest(&["dismissed"])?;
    let id: IncidentId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let language = frame::negotiate(request.headers());
    let (shared, scope) = (context.clone(), access.scope);
    let view = context
        .db
        .read(move |conn| {
            dialect::snapshot(conn, |conn| {
                let found = find_incident(conn, id)?;
                let seen = found.filter(|(_, facts)| is_seen(&scope, &shared.geo(), facts));
                let (incident, _) = seen.ok_or_else(Error::not_found)?;
                view(conn, &shared, &incident, (&scope, is_dismissed, language))
            })
        })
        .await?;
    Ok(HttpResponse::Ok().json(view))
}

fn take_dismissed(pairs: &mut Pairs) -> Result<bool> {
    let text = pairs.take_one("dismissed")?;
    text.as_deref().unwrap_or("false").parse().map_err(|_not_a_flag| {
        query::invalid("dismissed", "dismissed is true or false", "dismissed vaut true ou false")
    })
}

fn view(
    conn: &mut DbConn,
    context: &Context,
    incident: &IncidentRow,
    (scope, is_dismissed, language): (&Scope, bool, Language),
) -> Result<DuplicatesView> {
    let (as_of, _) = find_position(conn)?;
    let group = list_group(conn, incident.id)?;
    let mut likely = list_likely(conn, (&context.geo(), scope), &[incident.id])?
        .remove(&incident.id)
        .unwrap_or_default();
    likely.retain(|one| one.is_dismissed == is_dismissed && incident.merged_into.is_none());
    let total = likely.len();
    likely.truncate(MOST_LISTED);
    let veil = context.keys.place_veil();
    let items = likely
        .into_iter()
        .map(|one| Ok(view_one(find_figures(conn, &veil, one.pair)?, one, language)))
        .collect::<Result<_>>()?;
    let is_flood = is_flood(conn, &group)?;
    Ok(DuplicatesView { incident: incident.uuid, items, total, is_flood, as_of })
}

fn view_one(figures: Figures, likely: Likely, language: Language) -> LikelyView {
    let share = |hundredths: i16| f64::from(hundredths) / 100.0;
    let reasons = reasons(&figures)
        .into_iter()
        .map(|(code, text)| ReasonView { code, text: text.in_language(language).to_owned() })
        .collect();
    LikelyView {
        incident: likely.incident,
        version: likely.version,
        status: likely.status,
        country: likely.country,
        score: share(likely.score),
        distance_m: figures.distance_m,
        days_apart: figures.days_apart,
        categories: figures.categories,
        text_similarity: figures.text.map(share),
        is_same_site: figures.is_same_site,
        harm: figures.harm,
        sender: figures.sender,
        reasons,
    }
}

/// Narratives are called alike from here on, in hundredths.
const ALIKE: i16 = 40;

fn reasons(figures: &Figures) -> Vec<(&'static str, Text)> {
    let mut reasons = vec![where_it_was(figures)];
    if figures.is_same_site {
        reasons.push((
            "same_site",
            Text::new("the same mine is nearest", "la même mine est la plus proche"),
        ));
    }
    reasons.push(when_it_was(figures));
    reasons.extend(what_it_was(figures));
    match figures.harm {
        HarmSays::Agrees => reasons.push((
            "harm_agrees",
            Text::new("the numbers of people harmed fit", "les nombres de victimes concordent"),
        )),
        HarmSays::Differs => reasons.push((
            "harm_differs",
            Text::new("the numbers of people harmed differ", "les nombres de victimes diffèrent"),
        )),
        HarmSays::Unknown => {}
    }
    match figures.sender {
        SenderSays::Same => {
            reasons.push((
                "same_sender",
                Text::new("one sender told both", "le même expéditeur a dit les deux"),
            ));
        }
        SenderSays::Other => {
            reasons.push(("other_sender", Text::new("two senders", "deux expéditeurs")));
        }
        SenderSays::Unknown => {}
    }
    reasons
}

fn where_it_was(figures: &Figures) -> (&'static str, Text) {
    match figures.distance_m {
        Some(metres) if metres < 1_000 => (
            "distance",
            Text::new(format!("at most {metres} m apart"), format!("à {metres} m au plus")),
        ),
        Some(metres) => {
            let km = metres / 1_000;
            ("distance", Text::new(format!("at most {km} km apart"), format!("à {km} km au plus")))
        }
        None => (
            "same_area",
            Text::new("the same area, as far as told", "la même zone, autant qu'on sache"),
        ),
    }
}

fn when_it_was(figures: &Figures) -> (&'static str, Text) {
    match figures.days_apart {
        Some(0) => {
            ("same_day", Text::new("the same day may be meant", "il peut s'agir du même jour"))
        }
        Some(1) => ("days_apart", Text::new("1 day apart", "à 1 jour d'intervalle")),
        Some(days) => (
            "days_apart",
            Text::new(format!("{days} days apart"), format!("à {days} jours d'intervalle")),
        ),
        None => ("day_unknown", Text::new("a day is not known", "un jour n'est pas connu")),
    }
}

fn what_it_was(figures: &Figures) -> Vec<(&'static str, Text)> {
    let mut reasons = Vec::new();
    let is_leaf = |code: &String| code.split('.').count() == 3;
    if figures.categories.iter().any(is_leaf) {
        reasons
            .push(("same_category", Text::new("a category in common", "une catégorie en commun")));
    } else if !figures.categories.is_empty() {
        reasons
            .push(("related_category", Text::new("related categories", "des catégories voisines")));
    }
    if let Some(text) = figures.text.filter(|text| *text >= ALIKE) {
        reasons.push((
            "similar_text",
            Text::new(
                format!("narratives alike to {text} %"),
                format!("récits semblables à {text} %"),
            ),
        ));
    }
    if figures.is_translated {
        reasons.push(("other_language", Text::new("told in two languages", "dit en deux langues")));
    }
    reasons
}

/// A pair that is not one event.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Dismissal, example = json!({
    "incident": "3f2a9c1e-8b7d-4e65-9a10-5c3d2b1a0f9e", "reason": "another pit, other victims"
}))]
pub struct DismissalBody {
    /// The other incident.
    #[schema(value_type = uuid::Uuid)]
    incident: String,
    /// Why; sealed.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// Say that two incidents are not one
///
/// The pair is not listed any more, on either side, however either of them changes. Both must be in the caller's scope.
/// What was said already stays as it is.
#[utoipa::path(
    post, path = "/v1/incidents/{id}/duplicates/dismissals", tag = "review", operation_id = "dismiss_duplicate",
    params(("id" = uuid::Uuid, Path, description = "One of them")),
    request_body = DismissalBody,
    responses((status = 204, description = "Dismissed"))
)]
pub async fn dismiss_duplicate(
    access: Access<Decide>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<DismissalBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let incident: IncidentId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let other = parse_other(incident, &body.0.incident)?;
    let reason = parse_reason(&body.0.reason)?;
    let judgement = judgement(&access, &context, (incident, other))?;
    let shared = context.clone();
    context.db.write(move |tx| judgement.dismiss(tx, &shared, &reason)).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn parse_other(incident: IncidentId, text: &str) -> Result<IncidentId> {
    let invalid = |en: &'static str, fr: &'static str| {
        Error::invalid(vec![FieldError::new("/incident", en, fr)])
    };
    let other = Id::parse(text).ok_or_else(|| {
        invalid("an incident is named by its UUID", "un incident se désigne par son UUID")
    })?;
    if other == incident {
        return Err(invalid(
            "an incident is no duplicate of itself",
            "un incident n'est pas un doublon de lui-même",
        ));
    }
    Ok(other)
}

/// Take back that two incidents are not one
///
/// Where they are likely one, they are listed again.
#[utoipa::path(
    delete, path = "/v1/incidents/{id}/duplicates/dismissals/{other}", tag = "review",
    operation_id = "undo_dismissal",
    params(
        ("id" = uuid::Uuid, Path, description = "One of them"),
        ("other" = uuid::Uuid, Path, description = "The other"),
    ),
    responses((status = 204, description = "Taken back"))
)]
pub async fn undo_dismissal(
    access: Access<Decide>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let (incident, other) = path.into_inner();
    let incident: IncidentId = Id::parse(&incident).ok_or_else(Error::not_found)?;
    let other: IncidentId = Id::parse(&other).ok_or_else(Error::not_found)?;
    let judgement = judgement(&access, &context, (incident, other))?;
    let shared = context.clone();
    context.db.write(move |tx| judgement.undo(tx, &shared)).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn judgement(
    access: &Access<Decide>,
    context: &Context,
    (incident, other): (IncidentId, IncidentId),
) -> Result<Judgement> {
    Ok(Judgement { decider: Decider::of(access, context)?, incident, other })
}
