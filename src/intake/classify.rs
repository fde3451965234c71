//! Suggested categories: asked for a text alone, and shown beside a report. A suggestion counts nowhere until a
//! reviewer gives the category.

use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::http::{Access, ClassifyText};
use crate::context::Context;
use crate::error::Result;
use crate::http::body::JsonBody;
use crate::http::problem::Problem;
use crate::http::query::Pairs;
use crate::incidents::types::SuggestedCategory;
use crate::intake::receipt::LabelView;
use crate::intake::validate::validate_text;
use crate::taxonomy::catalogue::Taxonomy;
use crate::taxonomy::lexicon::classify::{Classifier, Reason, Suggestion};
use crate::taxonomy::lexicon::language::Language;

/// A text to find categories for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassifyBody {
    /// As long as a narrative may be: 20,000 characters.
    #[schema(max_length = 20000, example = "Vigiles ont tiré sur creuseurs, deux blessés")]
    pub text: String,
    /// ISO 639 code of two or three letters; found from the text where it is absent.
    pub language: Option<String>,
}

/// What a text seems to tell of.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClassifyView {
    /// The language it was read in, `en` or `fr`; absent where it is unclear and both were tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<&'static str>,
    /// By falling score, at most five; none where nothing applies.
    pub suggestions: Vec<SuggestionView>,
}

/// A category that seems to apply; nobody has decided on it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SuggestionView {
    /// Leaf code.
    #[schema(example = "rights.life_integrity.assault_injury")]
    pub code: String,
    /// Its label.
    pub label: Option<LabelView>,
    /// How likely the text tells of it, above 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub score: f64,
    /// The words that say so, for those who may read them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Vec<ReasonView>>,
}

/// Words of a narrative.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReasonView {
    /// As they are written.
    pub words: String,
    /// First character in the narrative, in Unicode characters (code points) from 0.
    pub start: usize,
    /// The character after the last.
    pub end: usize,
}

impl From<&Reason> for ReasonView {
    fn from(Reason { words, start, end }: &Reason) -> Self {
        Self { words: words.clone(), start: *start, end: *end }
    }
}

/// Suggest categories for a text
///
/// Nothing is kept of it. English and French; every report with a narrative is read in the same way.
#[utoipa::path(
    post, path = "/v1/classify", tag = "reports", operation_id = "classify_text",
    request_body = ClassifyBody,
    responses(
        (status = 200, description = "Suggestions, or none", body = ClassifyView),
        (status = 422, description = "The text is too long, or the language no code", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn classify_text(
    _access: Access<ClassifyText>,
    context: web::Data<Context>,
    request: HttpRequest,
    body: JsonBody<ClassifyBody>,
) -> Result<web::Json<ClassifyView>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let ClassifyBody { text, language } = body.0;
    let language = validate_text(&text, language, &context.catalogues())?;
    let classification = context.classifier.classify(&text, language.as_deref());
    Ok(web::Json(ClassifyView {
        language: classification.language.map(Language::as_str),
        suggestions: view_with_reasons(&classification.suggestions, &context.taxonomy),
    }))
}

/// Suggests categories for a narrative; none without one.
pub fn suggest(
    classifier: &Classifier,
    narrative: Option<&str>,
    language: Option<&str>,
) -> Vec<Suggestion> {
    narrative.map_or_else(Vec::new, |text| classifier.classify(text, language).suggestions)
}

/// Shows suggestions with their words, to somebody who may read the text.
pub fn view_with_reasons(suggestions: &[Suggestion], taxonomy: &Taxonomy) -> Vec<SuggestionView> {
    suggestions
        .iter()
        .map(|suggestion| SuggestionView {
            reasons: Some(suggestion.reasons.iter().map(ReasonView::from).collect()),
            ..view_score(suggestion.code.as_str(), suggestion.score, taxonomy)
        })
        .collect()
}

/// Shows what was suggested when a report came, without its words.
pub fn view_stored(suggested: &[SuggestedCategory], taxonomy: &Taxonomy) -> Vec<SuggestionView> {
    suggested.iter().map(|one| view_score(&one.code, one.score, taxonomy)).collect()
}

/// Shows what was suggested when a report came, with the words that today's lexicon finds for it in the opened text.
pub fn view_stored_with_reasons(
    suggested: &[SuggestedCategory],
    narrative: Option<&str>,
    language: Option<&str>,
    context: &Context,
) -> Vec<SuggestionView> {
    let found = suggest(&context.classifier, narrative, language);
    let mut views = view_stored(suggested, &context.taxonomy);
    for view in &mut views {
        let same = found.iter().find(|suggestion| suggestion.code.as_str() == view.code);
        let reasons = same.map_or(&[][..], |suggestion| &suggestion.reasons);
        view.reasons = Some(reasons.iter().map(ReasonView::from).collect());
    }
    views
}

fn view_score(code: &str, score: u16, taxonomy: &Taxonomy) -> SuggestionView {
    SuggestionView {
        code: code.to_owned(),
        label: taxonomy.find_leaf(code).map(|leaf| LabelView::from(&leaf.label)),
        score: f64::from(score) / 1000.0,
        reasons: None,
    }
}
