//! Which charts there are, and what each shows of a country.

use crate::aggregates::query::By;
use crate::brief::charts::{Bar, Chart, Series, draw_bars, draw_columns, draw_opposed};
use crate::brief::drawing::{Colour, Drawing};
use crate::brief::facts::{Facts, Split, area_label};
use crate::brief::map::{Map, MapWords, draw_map};
use crate::error::Language;
use crate::geo::countries::{Country, CountryCode};
use crate::geo::locate::Geo;
use crate::taxonomy::catalogue::{Taxonomy, Valence};
use crate::taxonomy::label::Label;

const COLUMNS_HEIGHT: f32 = 196.0;
const MAP_HEIGHT: f32 = 360.0;
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
    /// The country.
    pub country: &'a Country,
    /// Places.
    pub geo: &'a Geo,
    /// Labels of themes and categories.
    pub taxonomy: &'a Taxonomy,
    /// The language of the words.
    pub language: Language,
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
        let themes = self.taxonomy.themes();
        let colours = THEMES.into_iter().chain(std::iter::repeat(PLAIN));
        let series = themes
            .iter()
            .zip(colours)
            .map(|(theme, colour)| Series { label: self.label(theme.label), colour });
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
            .map(|theme| Bar { label: self.theme(&theme.code), values: vec![theme.n] });
        let series = Series { label: "Incidents".to_owned(), colour: PLAIN };
        self.chart(
            self.say("Incidents by theme", "Incidents par thème"),
            vec![series],
            bars.collect(),
        )
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
            label: self.category(&category.code),
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
        self.taxonomy
            .leaves_under(&category.code)
            .any(|leaf| leaf.valence == Valence::GoodPractice && leaf.retired_on.is_none())
    }

    fn areas(&self) -> Chart {
        let mut bars: Vec<Bar> = self
            .list_areas()
            .into_iter()
            .map(|(label, n)| Bar { label, values: vec![n] })
            .collect();
        let rest: u64 = bars.iter().skip(MOST_AREAS).flat_map(|bar| bar.values.iter()).sum();
        bars.truncate(MOST_AREAS);
        if rest > 0 {
            bars.push(Bar {
                label: self.say("Other areas", "Autres entités"), values: vec![rest]
            });
        }
        let series = Series { label: "Incidents".to_owned(), colour: PLAIN };
        self.chart(
            self.say("Incidents by first-level area", "Incidents par entité de premier niveau"),
            vec![series],
            bars,
        )
    }

    /// Lists the first-level areas that were counted, most first; those without one by what they are.
    pub fn list_areas(&self) -> Vec<(String, u64)> {
        let areas = self.facts.view.admin1.iter().filter(|cell| cell.figures.incidents > 0);
        let named = areas.map(|cell| {
            let name = cell.keys.get(By::Admin1).map_or_else(
                || self.say("Area not known", "Entité inconnue"),
                |code| area_label(self.geo.areas(), code, self.language),
            );
            (name, cell.figures.incidents)
        });
        let mut areas: Vec<(String, u64)> = named.collect();
        areas.sort_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.cmp(b)));
        areas
    }

    fn map(&self) -> Map {
        let code: CountryCode = self.country.code;
        let chart = self.chart(
            self.say(
                "Incidents by area and generalised place",
                "Incidents par entité et par lieu généralisé",
            ),
            Vec::new(),
            Vec::new(),
        );
        Map {
            chart: Chart { description: self.describe_areas(), ..chart },
            areas: self.facts.map_areas(self.geo, code, self.language),
            places: self.facts.places(self.geo, code),
            words: MapWords {
                shades: self.say("Incidents in the area", "Incidents dans l’entité"),
                circles: self.say("Incidents at the place", "Incidents au lieu"),
                none: self.say("none", "aucun"),
            },
        }
    }

    fn describe_areas(&self) -> String {
        let areas = self.list_areas();
        let told: Vec<String> = areas.iter().map(|(name, n)| format!("{name}: {n}")).collect();
        told.join("; ")
    }

    fn chart(&self, title: String, series: Vec<Series>, bars: Vec<Bar>) -> Chart {
        let title = if self.stands_alone {
            format!("{title} · {} · {}", self.country_name(), self.period())
        } else {
            title
        };
        Chart {
            description: describe(&series, &bars),
            title,
            series,
            bars,
            nothing: self
                .say("No incident in this period.", "Aucun incident durant cette période."),
        }
    }

    /// Returns the name of the country.
    pub fn country_name(&self) -> String {
        self.say(&self.country.name_en, &self.country.name_fr)
    }

    /// Returns the period in words.
    pub fn period(&self) -> String {
        self.language.period(self.facts.from, self.facts.to)
    }

    /// Returns the label of a theme.
    pub fn theme(&self, code: &str) -> String {
        let themes = self.taxonomy.themes();
        let theme = themes.iter().find(|theme| theme.code == code);
        theme.map_or_else(|| code.to_owned(), |theme| self.label(theme.label))
    }

    /// Returns the label of a category.
    pub fn category(&self, code: &str) -> String {
        let themes = self.taxonomy.themes();
        let mut categories = themes.iter().flat_map(|theme| theme.categories.iter());
        let category = categories.find(|category| category.code == code);
        category.map_or_else(|| code.to_owned(), |category| self.label(category.label))
    }

    /// Returns a label in the language.
    pub fn label(&self, label: &Label) -> String {
        self.say(&label.en, &label.fr)
    }

    /// Returns the words of the language.
    pub fn say(&self, en: &str, fr: &str) -> String {
        self.language.say(en, fr).to_owned()
    }
}

/// Tells what a chart shows in words: each bar with its values.
fn describe(series: &[Series], bars: &[Bar]) -> String {
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
fn short_month(time: &str) -> String {
    match time.split_once('-') {
        Some((year, month)) => format!("{month}/{}", year.get(2..).unwrap_or(year)),
        None => time.to_owned(),
    }
}
