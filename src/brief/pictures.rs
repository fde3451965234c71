//! Which charts there are, and what each shows of a country.

use geo::{LineString, MultiPolygon};

use crate::aggregates::query::By;
use crate::brief::charts::{Bar, Chart, Series, draw_bars, draw_columns, draw_opposed};
use crate::brief::drawing::{Colour, Drawing};
use crate::brief::facts::{Facts, Split};
use crate::brief::map::{LonLatDegrees, Map, MapArea, MapWords, draw_map};
use crate::brief::words::Words;
use crate::geo::countries::CountryCode;
use crate::taxonomy::catalogue::Valence;

pub(super) const COLUMNS_HEIGHT: f32 = 196.0;
pub(super) const MAP_HEIGHT: f32 = 360.0;
/// First-level areas that have a bar of their own.
const MOST_AREAS: usize = 12;

const BAD: Colour = Colour(0xb3, 0x47, 0x2e);
const GOOD: Colour = Colour(0x2a, 0x7f, 0x62);
const PLAIN: Colour = Colour(0x27, 0x6a, 0x9b);
/// One for each theme, apart in hue and in lightness.
const THEMES: [Colour; 3] =
    [Colour(0x27, 0x6a, 0x9b), Colour(0x7f, 0xb0, 0x8c), Colour(0xc4, 0x4e, 0x1a)];

/// A chart by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// Incidents by month and theme.
    Months,
    /// Incidents by theme.
    Themes,
    /// Good practice beside bad, by category.
    Practice,
    /// Incidents by first-level area.
    Areas,
    /// Areas shaded, generalised places as circles.
    Map,
}

impl Picture {
    /// All, in the order of the documentation.
    pub const ALL: [Self; 5] = [Self::Months, Self::Themes, Self::Practice, Self::Areas, Self::Map];

    /// Returns the name it is asked for by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Months => "months",
            Self::Themes => "themes",
            Self::Practice => "practice",
            Self::Areas => "areas",
            Self::Map => "map",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|picture| picture.as_str() == name)
    }
}

/// What is drawn, and in which words.
pub struct Scene<'a> {
    /// What was counted.
    pub facts: &'a Facts,
    /// The country, and what things are called.
    pub words: Words<'a>,
    /// Whether a chart stands alone and must say itself of which country and period it is.
    pub stands_alone: bool,
}

impl Scene<'_> {
    /// Draws a chart `width` points wide.
    pub fn draw(&self, picture: Picture, width: f32) -> Drawing {
        match picture {
            Picture::Months => draw_columns(&self.months(), width, COLUMNS_HEIGHT),
            Picture::Themes => draw_bars(&self.themes(), width),
            Picture::Practice => draw_opposed(&self.practice(), width),
            Picture::Areas => draw_bars(&self.areas(), width),
            Picture::Map => draw_map(&self.map(), width, MAP_HEIGHT),
        }
    }

    fn months(&self) -> Chart {
        let themes = self.words.taxonomy.themes();
        let colours = THEMES.into_iter().chain(std::iter::repeat(PLAIN));
        let series = themes
            .iter()
            .zip(colours)
            .map(|(theme, colour)| Series { label: self.words.label(theme.label), colour });
        let bar = |(time, counts): &(String, Vec<u64>)| Bar {
            label: short_month(time),
            values: counts.clone(),
        };
        let has_years = self.facts.times.iter().all(|(time, _)| !time.contains('-'));
        self.chart(
            if has_years {
                self.say("Incidents by year and theme", "Incidents par année et par thème")
            } else {
                self.say("Incidents by month and theme", "Incidents par mois et par thème")
            },
            series.collect(),
            self.facts.times.iter().map(bar).collect(),
        )
    }

    fn themes(&self) -> Chart {
        let bars = self
            .facts
            .themes
            .iter()
            .map(|theme| Bar { label: self.words.category(&theme.code), values: vec![theme.n] });
        let title = self.say("Incidents by theme", "Incidents par thème");
        self.chart(title, one_series(), bars.collect())
    }

    fn practice(&self) -> Chart {
        let series = vec![
            Series {
                label: self.say(
                    "Violations, harm, bad practice",
                    "Violations, dommages, mauvaises pratiques",
                ),
                colour: BAD,
            },
            Series { label: self.say("Good practice", "Bonnes pratiques"), colour: GOOD },
        ];
        let bars = self.facts.categories.iter().filter(|category| self.has_good(category));
        let bars = bars.map(|category| Bar {
            label: self.words.category(&category.code),
            values: vec![category.n_bad, category.n_good],
        });
        self.chart(
            self.say(
                "Good practice beside bad, by category",
                "Bonnes et mauvaises pratiques, par catégorie",
            ),
            series,
            bars.collect(),
        )
    }

    /// Tells whether a category knows good practice at all.
    fn has_good(&self, category: &Split) -> bool {
        self.words
            .taxonomy
            .leaves_under(&category.code)
            .any(|leaf| leaf.valence == Valence::GoodPractice && leaf.retired_on.is_none())
    }

    fn areas(&self) -> Chart {
        let title =
            self.say("Incidents by first-level area", "Incidents par entité de premier niveau");
        self.chart(title, one_series(), area_bars(&self.words, &self.list_areas()))
    }

    /// Lists the first-level areas that were counted, most first; those without one by what they are.
    pub fn list_areas(&self) -> Vec<(String, u64)> {
        let areas = self.facts.view.admin1.iter().filter(|cell| cell.figures.incidents > 0);
        let named = areas.map(|cell| {
            let name = cell.keys.get(By::Admin1).map_or_else(
                || self.say("Area not known", "Entité inconnue"),
                |code| self.words.area(code),
            );
            (name, cell.figures.incidents)
        });
        largest_first(named.collect())
    }

    fn map(&self) -> Map {
        let code: CountryCode = self.words.country.code;
        let chart = self.chart(
            self.say(
                "Incidents by area and generalised place",
                "Incidents par entité et par lieu généralisé",
            ),
            Vec::new(),
            Vec::new(),
        );
        Map {
            chart: Chart { description: describe_areas(&self.list_areas()), ..chart },
            areas: map_areas(&self.words, |codes| Some(self.facts.in_areas(codes))),
            places: self.facts.places(self.words.geo, code),
            words: MapWords {
                shades: self.say("Incidents in the area", "Incidents dans l’entité"),
                circles: self.say("Incidents at the place", "Incidents au lieu"),
                none: self.say("none", "aucun"),
                untold: None,
            },
        }
    }

    fn chart(&self, title: String, series: Vec<Series>, bars: Vec<Bar>) -> Chart {
        Chart {
            description: describe(&series, &bars),
            title: self.words.head(title, &self.period(), self.stands_alone),
            series,
            bars,
            nothing: self
                .say("No incident in this period.", "Aucun incident durant cette période."),
        }
    }

    /// Returns the period in words.
    pub fn period(&self) -> String {
        self.words.language.period(self.facts.from, self.facts.to)
    }

    /// Returns the words of the language.
    pub fn say(&self, en: &str, fr: &str) -> String {
        self.words.say(en, fr)
    }
}

/// Returns what bars of incidents are that are not divided.
pub(super) fn one_series() -> Vec<Series> {
    vec![Series { label: "Incidents".to_owned(), colour: PLAIN }]
}

/// Returns a bar for each of the first [`MOST_AREAS`], and one for all others.
pub(super) fn area_bars(words: &Words<'_>, areas: &[(String, u64)]) -> Vec<Bar> {
    let (told, others) = areas.split_at(areas.len().min(MOST_AREAS));
    let bar = |(label, n): &(String, u64)| Bar { label: label.clone(), values: vec![*n] };
    let mut bars: Vec<Bar> = told.iter().map(bar).collect();
    let rest: u64 = others.iter().map(|(_, n)| n).sum();
    if rest > 0 {
        bars.push(bar(&(words.say("Other areas", "Autres entités"), rest)));
    }
    bars
}

/// Sorts names by their numbers.
pub(super) fn largest_first(mut named: Vec<(String, u64)>) -> Vec<(String, u64)> {
    named.sort_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.cmp(b)));
    named
}

/// Tells what a map shows in words.
pub(super) fn describe_areas(areas: &[(String, u64)]) -> String {
    let told: Vec<String> = areas.iter().map(|(name, n)| format!("{name}: {n}")).collect();
    told.join("; ")
}

/// Returns the areas of the country that can be drawn, with what `count` tells of their codes: an area that was cut up and is
/// drawn as it was has those of all that was cut from it.
pub(super) fn map_areas(words: &Words<'_>, count: impl Fn(&[&str]) -> Option<u64>) -> Vec<MapArea> {
    let areas = words.geo.areas();
    let drawn = areas.polygons().filter(|(area, _)| area.country == words.country.code);
    let drawn = drawn.map(|(area, shape)| {
        let cut = areas.cut_from(&area.id).filter(|other| other.id != area.id);
        let all = std::iter::once(area).chain(cut).map(|area| area.id.as_str());
        MapArea {
            name: words.area(area.id.as_str()),
            incidents: count(&all.collect::<Vec<_>>()),
            polygons: polygons_of(shape),
        }
    });
    drawn.collect()
}

fn polygons_of(shape: &MultiPolygon) -> Vec<Vec<Vec<LonLatDegrees>>> {
    let ring = |ring: &LineString| ring.coords().map(|at| (at.x, at.y)).collect();
    let polygons = shape.iter();
    polygons
        .map(|polygon| {
            std::iter::once(polygon.exterior()).chain(polygon.interiors()).map(ring).collect()
        })
        .collect()
}

/// Tells what a chart shows in words: each bar with its values.
pub(super) fn describe(series: &[Series], bars: &[Bar]) -> String {
    let value = |(value, series): (&u64, &Series)| match bars.first().map(|bar| bar.values.len()) {
        Some(1) => value.to_string(),
        _ => format!("{} {value}", series.label),
    };
    let bar = |bar: &Bar| {
        let values: Vec<String> = bar.values.iter().zip(series).map(value).collect();
        format!("{}: {}", bar.label, values.join(", "))
    };
    bars.iter().map(bar).collect::<Vec<String>>().join("; ")
}

/// Shortens `2024-03` to `03/24`; a year stays as it is.
pub(super) fn short_month(time: &str) -> String {
    match time.split_once('-') {
        Some((year, month)) => format!("{month}/{}", year.get(2..).unwrap_or(year)),
        None => time.to_owned(),
    }
}
