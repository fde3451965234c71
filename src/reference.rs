//! Reference data for everybody: the taxonomy with its code lists, and what this service is made of.

use actix_web::{HttpRequest, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::context::Context;
use crate::error::Result;
use crate::geo::locate::Geo;
use crate::geo::packs::Level;
use crate::http::query::Pairs;
use crate::intake::receipt::LabelView;
use crate::taxonomy::catalogue::{Category, Leaf, Theme};
use crate::taxonomy::lists::{CodeLists, ListName};

/// The taxonomy and the code lists.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaxonomyView {
    /// Themes in order.
    themes: Vec<ThemeView>,
    /// Code lists by name.
    lists: Vec<ListView>,
}

/// One of the three themes.
#[derive(Debug, Serialize, ToSchema)]
pub struct ThemeView {
    /// `governance`, `environment`, `rights`.
    code: String,
    /// Its label.
    label: LabelView,
    /// Categories in order.
    categories: Vec<ThemeCategoryView>,
}

/// A category of a theme.
#[derive(Debug, Serialize, ToSchema)]
pub struct ThemeCategoryView {
    /// `theme.category`.
    #[schema(example = "rights.life_integrity")]
    code: String,
    /// Its label.
    label: LabelView,
    /// Leaves in order.
    subcategories: Vec<LeafView>,
}

/// A leaf: what a report is given.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeafView {
    /// `theme.category.subcategory`.
    #[schema(example = "rights.life_integrity.killing")]
    code: String,
    /// Its label.
    label: LabelView,
    /// `good_practice` or `negative`.
    valence: &'static str,
    /// `any`, `industrial`, `artisanal`.
    mining_mode: &'static str,
    /// 1 to 5; good practices have none.
    default_severity: Option<u8>,
    /// Paragraphs of Annex II of the OECD guidance.
    oecd_annex2_para: Vec<String>,
    /// Nearest ACLED event type.
    acled_event_type: Option<String>,
    /// Nearest ACLED sub-event type.
    acled_sub_event_type: Option<String>,
    /// Nearest HURIDOCS act code.
    huridocs_act_code: Option<String>,
    /// No longer taken since this day.
    retired_on: Option<chrono::NaiveDate>,
}

/// A code list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListView {
    /// Its name.
    #[schema(example = "mining_mode")]
    name: &'static str,
    /// Codes in order.
    codes: Vec<CodeView>,
}

/// A code of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct CodeView {
    /// The code.
    code: String,
    /// Its label.
    label: LabelView,
    /// What it maps to in other standards.
    maps_to: Option<String>,
}

impl From<&Theme<'_>> for ThemeView {
    fn from(theme: &Theme<'_>) -> Self {
        Self {
            code: theme.code.to_owned(),
            label: theme.label.into(),
            categories: theme.categories.iter().map(ThemeCategoryView::from).collect(),
        }
    }
}

impl From<&Category<'_>> for ThemeCategoryView {
    fn from(category: &Category<'_>) -> Self {
        Self {
            code: category.code.to_owned(),
            label: category.label.into(),
            subcategories: category.leaves.iter().copied().map(LeafView::from).collect(),
        }
    }
}

impl From<&Leaf> for LeafView {
    fn from(leaf: &Leaf) -> Self {
        Self {
            code: leaf.code.as_str().to_owned(),
            label: (&leaf.label).into(),
            valence: leaf.valence.as_str(),
            mining_mode: leaf.mining_mode.as_str(),
            default_severity: leaf.default_severity,
            oecd_annex2_para: leaf.oecd_annex2_para.clone(),
            acled_event_type: leaf.acled_event_type.clone(),
            acled_sub_event_type: leaf.acled_sub_event_type.clone(),
            huridocs_act_code: leaf.huridocs_act_code.clone(),
            retired_on: leaf.retired_on,
        }
    }
}

/// Read the taxonomy
///
/// Themes, categories and leaves, and every code list, with labels in English and French.
#[utoipa::path(
    get, path = "/v1/taxonomy", tag = "reference", operation_id = "get_taxonomy",
    security(()),
    responses((status = 200, description = "The taxonomy", body = TaxonomyView))
)]
pub async fn get_taxonomy(
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<web::Json<TaxonomyView>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let themes = context.taxonomy.themes().iter().map(ThemeView::from).collect();
    let lists = ListName::ALL.into_iter().map(|name| view_list(name, &context.lists)).collect();
    Ok(web::Json(TaxonomyView { themes, lists }))
}

fn view_list(name: ListName, lists: &CodeLists) -> ListView {
    let codes = lists.list(name).codes().iter().map(|code| CodeView {
        code: code.code.clone(),
        label: (&code.label).into(),
        maps_to: code.maps_to.clone(),
    });
    ListView { name: name.as_str(), codes: codes.collect() }
}

/// What this service is.
#[derive(Debug, Serialize, ToSchema)]
pub struct AboutView {
    /// Its name.
    name: &'static str,
    /// Its version.
    version: &'static str,
    /// Licence of the code.
    licence: &'static str,
    /// Whose data it uses; show these wherever its maps and places are shown.
    attributions: Vec<Attribution>,
    /// Imported boundaries in use; they take the place of the built-in areas of their countries.
    boundary_packs: Vec<PackView>,
}

/// Boundaries imported from one data set.
#[derive(Debug, Serialize, ToSchema)]
pub struct PackView {
    /// 1 or 2.
    #[schema(example = 2)]
    level: i16,
    /// Alpha-3 codes.
    #[schema(example = json!(["SLE"]))]
    countries: Vec<String>,
    /// Name of the data set.
    #[schema(example = "OCHA COD-AB")]
    source: String,
    /// Year the areas are of.
    #[schema(example = 2024)]
    year: u16,
    /// The words to show; empty where the importer gave none.
    attribution: String,
}

/// Whose data is used.
#[derive(Debug, Serialize, ToSchema)]
pub struct Attribution {
    /// What for.
    data: &'static str,
    /// The words to show.
    notice: &'static str,
    /// Its licence.
    licence: &'static str,
}

/// Read about this service
#[utoipa::path(
    get, path = "/v1/about", tag = "reference", operation_id = "get_about",
    security(()),
    responses((status = 200, description = "What it is and whose data it uses", body = AboutView))
)]
pub async fn get_about(
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<web::Json<AboutView>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let attributions = vec![
        Attribution {
            data: "country borders",
            notice: "© OpenStreetMap contributors",
            licence: "ODbL-1.0",
        },
        Attribution {
            data: "first-level areas",
            notice: "Made with Natural Earth",
            licence: "public domain",
        },
        Attribution {
            data: "industrial sites",
            notice: "U.S. Geological Survey, Mineral Industries of Africa",
            licence: "public domain",
        },
        Attribution {
            data: "towns, their names and areas; artisanal centres",
            notice: "GeoNames",
            licence: "CC-BY-4.0",
        },
    ];
    Ok(web::Json(AboutView {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        licence: env!("CARGO_PKG_LICENSE"),
        attributions,
        boundary_packs: view_packs(&context.geo()),
    }))
}

fn view_packs(geo: &Geo) -> Vec<PackView> {
    let mut views: Vec<PackView> = Vec::new();
    for (level, areas) in [(Level::Admin1, geo.areas()), (Level::Admin2, geo.admin2())] {
        for (country, source) in areas.imported_sources() {
            let level = level.number();
            let is_same = |view: &&mut PackView| {
                (view.level, view.source.as_str(), view.year) == (level, &source.name, source.year)
                    && *view.attribution == *source.licence
            };
            match views.iter_mut().find(is_same) {
                Some(view) => view.countries.push(country.to_string()),
                None => views.push(PackView {
                    level,
                    countries: vec![country.to_string()],
                    source: source.name.as_ref().to_owned(),
                    year: source.year,
                    attribution: source.licence.as_ref().to_owned(),
                }),
            }
        }
    }
    views
}
