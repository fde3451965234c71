//! Briefs as pages and as PDF, and each of their charts alone.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{Datelike, Months, NaiveDate};
use sha2::{Digest, Sha256};
use utoipa::IntoParams;

use crate::aggregates::candidates::Reach;
use crate::auth::http::{Access, ReadCore};
use crate::brief::blocks::Document;
use crate::brief::compose::compose;
use crate::brief::drawing::Drawing;
use crate::brief::facts::Facts;
use crate::brief::html::{STYLE, write_html};
use crate::brief::pages::{TEXT_WIDTH, lay_out};
use crate::brief::pdf::{About, write_pdf};
use crate::brief::pictures::{Picture, Scene};
use crate::brief::png::write_png;
use crate::brief::published::PublishedScene;
use crate::brief::svg::write_svg;
use crate::brief::words::Words;
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::error::{Error, Language, Result};
use crate::geo::countries::Country;
use crate::http::frame;
use crate::http::query::{self, Pairs};
use crate::ids::ReleaseId;
use crate::incidents::filter::IncidentFilter;
use crate::incidents::selection::{Asked, refuse};
use crate::releases::period::Month;
use crate::releases::public::ask::{Filter, Purpose};
use crate::releases::public::shown::{find_shown, take_release};

/// Period and language of a brief.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the parameters; `Wish::parse` reads them")]
pub struct BriefParams {
    /// First local day, inclusive: a day or a month. Without it, the first of the twelve months that end with `to`.
    #[param(example = "2024-01")]
    from: Option<String>,
    /// Last local day, inclusive: a day or a month. Without it, the last day of last month, or today where `from` is later.
    #[param(example = "2024-12")]
    to: Option<String>,
    /// `en` or `fr`; without it, as `Accept-Language` says.
    lang: Option<String>,
    /// `publication`: the figures of a release, in which none stands for fewer than five incidents; `from` and `to` are then
    /// months or years, and without them it is all months of the release.
    #[param(example = "publication")]
    r#for: Option<String>,
    /// With `for=publication`: the id of a release; without it, the newest that is not withdrawn.
    #[param(value_type = Option<uuid::Uuid>)]
    release: Option<String>,
}

/// Which country a chart is of.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the parameter; `get_chart` reads it")]
pub struct ChartParams {
    /// Alpha-3 or alpha-2 code.
    #[param(example = "SLE")]
    country: String,
}

/// Read the brief of a country as a page
///
/// Headline figures and change, charts, a map of generalised places, tables and notes on method, of verified incidents. One
/// self-contained page.
#[utoipa::path(
    get, path = "/v1/countries/{country}/brief.html", tag = "aggregates", operation_id = "get_brief",
    params(("country" = String, Path, description = "Alpha-3 or alpha-2 code", example = "SLE"), BriefParams),
    responses(
        (status = 200, description = "The brief", body = String, content_type = "text/html"),
        (status = 410, description = "The release was withdrawn"),
    )
)]
pub async fn get_brief(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let wish = Wish::parse(&context, &request, Pairs::of(&request)?)?;
    let html = wish.brief(access, context, &path, |document| write_html(&document)).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, page_policy()))
        .body(html))
}

/// Read the brief of a country as PDF
///
/// The same as the page, on two to four sheets of A4.
#[utoipa::path(
    get, path = "/v1/countries/{country}/brief.pdf", tag = "aggregates", operation_id = "get_brief_pdf",
    params(("country" = String, Path, description = "Alpha-3 or alpha-2 code", example = "SLE"), BriefParams),
    responses(
        (status = 200, description = "The brief", body = [u8], content_type = "application/pdf"),
        (status = 410, description = "The release was withdrawn"),
    )
)]
pub async fn get_brief_pdf(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let wish = Wish::parse(&context, &request, Pairs::of(&request)?)?;
    let made_on = wish.today;
    let write = move |document: Document| (to_pdf(&document, made_on), document.file_name);
    let (pdf, name) = wish.brief(access, context, &path, write).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/pdf")
        .insert_header((header::CONTENT_DISPOSITION, format!("inline; filename=\"{name}.pdf\"")))
        .body(pdf))
}

/// Read a chart of a country
///
/// `months`, `themes`, `practice`, `areas` or `map`, as in the brief, as SVG.
#[utoipa::path(
    get, path = "/v1/charts/{name}.svg", tag = "aggregates", operation_id = "get_chart",
    params(("name" = String, Path, description = "Name of the chart", example = "months"), ChartParams, BriefParams),
    responses(
        (status = 200, description = "The chart", body = String, content_type = "image/svg+xml"),
        (status = 410, description = "The release was withdrawn"),
    )
)]
pub async fn get_chart(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let (drawing, name) = draw_chart(access, context, &request, &path).await?;
    Ok(HttpResponse::Ok().content_type("image/svg+xml").body(write_svg(&drawing, name)))
}

/// Read a chart of a country, as pixels
///
/// The same as PNG, for programs that show no SVG: two pixels for each point.
#[utoipa::path(
    get, path = "/v1/charts/{name}.png", tag = "aggregates", operation_id = "get_chart_png",
    params(("name" = String, Path, description = "Name of the chart", example = "months"), ChartParams, BriefParams),
    responses(
        (status = 200, description = "The chart", body = [u8], content_type = "image/png"),
        (status = 410, description = "The release was withdrawn"),
    )
)]
pub async fn get_chart_png(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse> {
    let (drawing, _) = draw_chart(access, context, &request, &path).await?;
    let png = web::block(move || write_png(&drawing)).await.map_err(Error::internal)?;
    Ok(HttpResponse::Ok().content_type("image/png").body(png.map_err(Error::internal)?))
}

/// Draws what is asked for; returns it with its name.
async fn draw_chart(
    access: Access<ReadCore>,
    context: web::Data<Context>,
    request: &HttpRequest,
    name: &str,
) -> Result<(Drawing, &'static str)> {
    let picture = Picture::parse(name).ok_or_else(Error::not_found)?;
    let mut pairs = Pairs::of(request)?;
    let country = pairs.take_one("country")?.ok_or_else(|| {
        query::invalid(
            "country",
            "name the country of the chart, such as country=SLE",
            "indiquez le pays du graphique, par exemple country=SLE",
        )
    })?;
    let wish = Wish { is_chart: true, ..Wish::parse(&context, request, pairs)? };
    let draw = move |seen: Seen<'_, '_>| match seen {
        Seen::Counted(scene) => Ok(scene.draw(picture, TEXT_WIDTH)),
        Seen::Published(scene) => scene.draw(picture, TEXT_WIDTH).ok_or_else(|| {
            query::invalid(
                "for",
                "no release tells good practice apart: ask for months, themes, areas or map",
                "aucune publication ne distingue les bonnes pratiques : demandez months, themes, \
                 areas ou map",
            )
        }),
    };
    Ok((wish.show(access, context, &country, draw).await?, picture.as_str()))
}

fn to_pdf(document: &Document, made_on: NaiveDate) -> Vec<u8> {
    let title = format!("{} · {}", document.title, document.subtitle);
    let part = |number: u32| u8::try_from(number).unwrap_or(1);
    let about = About {
        title: &title,
        language: document.language,
        made_on: (
            u16::try_from(made_on.year()).unwrap_or_default(),
            part(made_on.month()),
            part(made_on.day()),
        ),
    };
    write_pdf(&lay_out(document), &about)
}

/// Allows the one style sheet that the page brings, and nothing else.
fn page_policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    )
}

/// What is asked for: which figures, in which language.
struct Wish {
    which: Which,
    language: Language,
    today: NaiveDate,
    /// Whether it is one chart and no brief.
    is_chart: bool,
}

/// Which figures are asked for.
enum Which {
    /// Exact ones of these days, by `from` and `to` as they were given.
    Counted { from: NaiveDate, to: NaiveDate, pairs: Pairs },
    /// Those of a release, of all its months where none are given.
    Published { release: Option<ReleaseId>, from: Option<Month>, to: Option<Month> },
}

/// What is shown.
enum Seen<'a, 'b> {
    Counted(&'a Scene<'b>),
    Published(&'a PublishedScene<'b>),
}

impl Which {
    /// Takes it out of `pairs`, of which nothing else may be left.
    fn take(context: &Context, mut pairs: Pairs, today: NaiveDate) -> Result<Self> {
        let purpose = Purpose::take(&mut pairs)?;
        let release = match purpose {
            Purpose::Own => None,
            Purpose::Publication => take_release(&mut pairs)?,
        };
        let mut rest = pairs.clone();
        rest.0.retain(|(name, _)| name != "from" && name != "to");
        rest.refuse_rest(match purpose {
            Purpose::Own => &["from", "to", "lang", "for"],
            Purpose::Publication => &["from", "to", "lang", "for", "release"],
        })?;
        if purpose == Purpose::Publication {
            let Filter { from, to, .. } = Filter::take(&mut pairs, context)?;
            return Ok(Self::Published { release, from, to });
        }
        let filter = IncidentFilter::parse(&pairs.0, &[], &context.reference())
            .map_err(|errors| refuse(&errors))?;
        let (from, to) = period(filter.from, filter.to, today);
        Ok(Self::Counted { from, to, pairs })
    }
}

impl Wish {
    fn parse(context: &Context, request: &HttpRequest, mut pairs: Pairs) -> Result<Self> {
        let language = match pairs.take_one("lang")?.as_deref() {
            None => frame::negotiate(request.headers()),
            Some("en") => Language::English,
            Some("fr") => Language::French,
            Some(_) => return Err(query::invalid("lang", "lang is en or fr", "lang est en ou fr")),
        };
        let today = context.clock.now().date_naive();
        let which = Which::take(context, pairs, today)?;
        Ok(Self { which, language, today, is_chart: false })
    }

    async fn brief<T: Send + 'static>(
        self,
        access: Access<ReadCore>,
        context: web::Data<Context>,
        code: &str,
        write: impl FnOnce(Document) -> T + Send + 'static,
    ) -> Result<T> {
        let (shared, today) = (context.clone(), self.today);
        let composed = move |seen: Seen<'_, '_>| {
            Ok(write(match seen {
                Seen::Counted(scene) => compose(scene, &shared.lists, today),
                Seen::Published(scene) => scene.compose(),
            }))
        };
        self.show(access, context, code, composed).await
    }

    /// Has what is asked for shown.
    ///
    /// # Errors
    /// `NotFound` for a country out of scope and where there is no release; those of the filter and of `show`.
    async fn show<T: Send + 'static>(
        self,
        access: Access<ReadCore>,
        context: web::Data<Context>,
        code: &str,
        show: impl FnOnce(Seen<'_, '_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let geo = context.geo();
        let country = geo.countries().parse(code).filter(|country| access.scope.has(*country));
        let country: Country = country
            .and_then(|country| geo.countries().get(country))
            .ok_or_else(Error::not_found)?
            .clone();
        let shared = context.clone();
        let Self { which, language, is_chart: stands_alone, .. } = self;
        let (from, to, pairs) = match which {
            Which::Counted { from, to, pairs } => (from, to, pairs),
            Which::Published { release, from, to } => {
                let read = move |conn: &mut DbConn| {
                    let shown = find_shown(conn, &shared, release)?;
                    let taxonomy = &shared.taxonomy;
                    let words = Words { country: &country, geo: &geo, taxonomy, language };
                    let scene = PublishedScene::new((&shown, words), (from, to), stands_alone)?;
                    show(Seen::Published(&scene))
                };
                return context.db.read(read).await;
            }
        };
        let mut asked = Asked::parse(&pairs, &[], &access.principal, &access.scope, &context)?
            .reaching(Reach::Compared);
        (asked.filter.from, asked.filter.to) = (Some(from), Some(to));
        asked.filter.countries = vec![country.code.as_str().to_owned()];
        let read = move |conn: &mut DbConn| {
            let facts = asked.answer(conn, &shared, |columns, selector, as_of| {
                let what = (country.code, from, to);
                Facts::count(columns, &selector, what, &shared.taxonomy, as_of)
            })?;
            let taxonomy = &shared.taxonomy;
            let words = Words { country: &country, geo: &geo, taxonomy, language };
            show(Seen::Counted(&Scene { facts: &facts, words, stands_alone }))
        };
        context.db.read(read).await
    }
}

/// Returns the period that is meant: what is left open is filled up to twelve whole months.
fn period(
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    today: NaiveDate,
) -> (NaiveDate, NaiveDate) {
    let first_of = |day: NaiveDate| day.with_day(1).unwrap_or(day);
    let to = to.unwrap_or_else(|| {
        let last_month = first_of(today).pred_opt().unwrap_or(today);
        if from.is_some_and(|from| from > last_month) { today } else { last_month }
    });
    let from = from.unwrap_or_else(|| {
        first_of(to).checked_sub_months(Months::new(11)).unwrap_or(NaiveDate::MIN)
    });
    (from, to)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::period;

    #[test]
    fn a_period_that_is_left_open_is_twelve_whole_months() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let today = day("2024-06-15");
        for (from, to, expected) in [
            (None, None, ("2023-06-01", "2024-05-31")),
            (None, Some("2024-03-31"), ("2023-04-01", "2024-03-31")),
            (Some("2024-02-01"), None, ("2024-02-01", "2024-05-31")),
            (Some("2024-06-01"), None, ("2024-06-01", "2024-06-15")),
        ] {
            let (first, last) = period(from.map(day), to.map(day), today);
            assert_eq!((first, last), (day(expected.0), day(expected.1)));
        }
    }
}
