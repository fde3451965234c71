//! Named places: what a form suggests while somebody types, and a point in the words of people.

use actix_web::{HttpRequest, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::http::{Access, AskGeotag};
use crate::context::Context;
use crate::error::{Language, Result};
use crate::geo::gazetteer::{Place, PlaceKind};
use crate::geo::locate::Geo;
use crate::geo::lonlat::LonLat;
use crate::geo::near::Near;
use crate::http::query::{self, Pairs};
use crate::intake::receipt::AreaView;

/// Longest text that is looked up, in characters; the longest name has 29.
const MAX_TEXT_CHARS: usize = 100;
/// Suggestions unless asked otherwise.
const DEFAULT_LIMIT: usize = 10;
/// Most suggestions.
const MAX_LIMIT: usize = 50;

/// A named place.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PlaceView {
    /// Its usual name.
    #[schema(example = "Tortiya")]
    pub name: String,
    /// `town`, `site` or `admin1`.
    pub kind: &'static str,
    /// The id of a site.
    pub site: Option<String>,
    /// ISO 3166-1 alpha-3.
    #[schema(example = "CIV")]
    pub country: String,
    /// First-level area; of an `admin1` itself.
    pub admin1: Option<AreaView>,
    /// Name of the second-level area, where the source has one.
    pub admin2: Option<String>,
    /// Longitude, WGS84 degrees; absent for an area, and for a site of which only the area is known.
    #[schema(example = -5.6865)]
    pub lon: Option<f64>,
    /// Latitude, WGS84 degrees.
    #[schema(example = 8.7682)]
    pub lat: Option<f64>,
}

impl PlaceView {
    /// Returns the view of `place`.
    pub fn of(place: &Place, geo: &Geo) -> Self {
        let site = match &place.kind {
            PlaceKind::Site(id) => Some(id.as_str().to_owned()),
            PlaceKind::Town | PlaceKind::Area(_) => None,
        };
        Self {
            name: place.name.as_ref().to_owned(),
            kind: place.kind.as_str(),
            site,
            country: place.country.as_str().to_owned(),
            admin1: geo
                .area_of(place)
                .map(|area| AreaView { code: area.id.to_string(), name: area.name_en.clone() }),
            admin2: place.admin2.as_deref().map(str::to_owned),
            lon: place.point.map(LonLat::lon),
            lat: place.point.map(LonLat::lat),
        }
    }
}

/// A point seen from the nearest town.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NearView {
    /// The nearest town of a thousand inhabitants within 50 km, else the nearest place.
    #[schema(example = "Carnot")]
    pub place: String,
    /// Great-circle distance in metres.
    #[schema(example = 12_040)]
    pub distance_m: u32,
    /// `N`, `NE`, `E`, `SE`, `S`, `SW`, `W` or `NW`, seen from the town.
    #[schema(example = "NE")]
    pub bearing: &'static str,
    /// In words, in the language of `Accept-Language`.
    #[schema(example = "12 km NE of Carnot")]
    pub text: String,
}

impl NearView {
    /// Returns the view of `near`.
    pub fn of(near: &Near, language: Language) -> Self {
        Self {
            place: near.town.as_ref().to_owned(),
            distance_m: near.distance_m,
            bearing: near.wind.as_str(),
            text: match language {
                Language::English => near.in_english(),
                Language::French => near.in_french(),
            },
        }
    }
}

/// Places that a text may mean.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlacesView {
    /// Best first; may be empty.
    pub items: Vec<PlaceView>,
}

/// Find places by name
///
/// For forms and screens, while somebody types: towns, sites and first-level areas whose name begins so, in French or
/// English, without regard to accents, case, hyphens and apostrophes; then names that sound alike.
#[utoipa::path(
    get, path = "/v1/places", tag = "places", operation_id = "list_places",
    params(
        ("q" = String, Query, description = "The beginning of a name", min_length = 1, max_length = 100),
        ("country" = Option<String>, Query, description = "Only in this country, alpha-3 or alpha-2"),
        ("limit" = Option<usize>, Query, description = "At most so many places", minimum = 1, maximum = 50),
    ),
    responses((status = 200, description = "The places, best first", body = PlacesView))
)]
pub async fn list_places(
    _access: Access<AskGeotag>,
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<web::Json<PlacesView>> {
    const KNOWN: [&str; 3] = ["q", "country", "limit"];
    let mut pairs = Pairs::of(&request)?;
    let text = pairs.take_one("q")?.unwrap_or_default();
    let country = pairs.take_one("country")?;
    let limit = pairs.take_one("limit")?;
    pairs.refuse_rest(&KNOWN)?;

    if !(1..=MAX_TEXT_CHARS).contains(&text.trim().chars().count()) {
        return Err(query::invalid(
            "q",
            format!("q is the beginning of a name, 1 to {MAX_TEXT_CHARS} characters"),
            format!("q est le début d'un nom, de 1 à {MAX_TEXT_CHARS} caractères"),
        ));
    }
    let geo = context.geo();
    let country = country
        .map(|code| {
            geo.countries().parse(&code).ok_or_else(|| {
                query::invalid(
                    "country",
                    "country is the alpha-3 or alpha-2 code of a country that is taken in here",
                    "country est le code alpha-3 ou alpha-2 d'un pays pris en charge",
                )
            })
        })
        .transpose()?;
    let found = geo.gazetteer().suggest(&text, country, parse_limit(limit.as_deref())?);
    let items = found.into_iter().map(|place| PlaceView::of(place, &geo)).collect();
    Ok(web::Json(PlacesView { items }))
}

fn parse_limit(text: Option<&str>) -> Result<usize> {
    let Some(text) = text else {
        return Ok(DEFAULT_LIMIT);
    };
    text.parse::<usize>().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit)).ok_or_else(|| {
        query::invalid(
            "limit",
            format!("limit is a number in 1..={MAX_LIMIT}"),
            format!("limit est un nombre de 1 à {MAX_LIMIT}"),
        )
    })
}
