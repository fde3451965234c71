//! A brief that may be published: sums of whole atoms of a release, and what is said of them.
//!
//! Exact figures of today could be subtracted from them, so nothing here is counted: people harmed, good practice and places
//! are in no release.

use crate::brief::blocks::{Block, Document, Row, Table, Tile};
use crate::brief::charts::{Bar, Chart, draw_bars, draw_columns};
use crate::brief::drawing::Drawing;
use crate::brief::map::{Map, MapWords, draw_map};
use crate::brief::pages::TEXT_WIDTH;
use crate::brief::pictures::{
    COLUMNS_HEIGHT, MAP_HEIGHT, Picture, area_bars, areas_title, describe, describe_areas,
    largest_first, map_areas, one_series, short_month,
};
use crate::brief::words::Words;
use crate::releases::axis::{ALL, NO_AREA};
use crate::releases::period::Month;
use crate::releases::public::answer::{Figure, figure, list_figures};
use crate::releases::public::ask::{By, Filter, Fit};
use crate::releases::public::shown::Shown;
use crate::releases::public::words::method_note;
use crate::releases::types::ReleasedAtom;

/// Columns that fit on a page, so that each can be told from the next.
const MOST_COLUMNS: usize = 36;
/// Rows of figures that are told together.
const MOST_TOGETHER: usize = 30;

/// What a release tells of a country in a period, and in which words.
pub struct PublishedScene<'a> {
    /// The release.
    pub shown: &'a Shown,
    /// The country, and what things are called.
    pub words: Words<'a>,
    /// Whether a chart stands alone and must say itself of which country and period it is.
    pub stands_alone: bool,
    /// First month.
    from: Month,
    /// Last month.
    to: Month,
    /// What touches the period. What reaches beyond it has no figure here.
    atoms: Vec<ReleasedAtom>,
    /// What reaches beyond it, whole.
    reaching: Vec<ReleasedAtom>,
}

impl<'a> PublishedScene<'a> {
    /// Selects what a release tells of a country from a month to a month, or in all its months.
    pub fn new(
        (shown, words): (&'a Shown, Words<'a>),
        (from, to): (Option<Month>, Option<Month>),
        stands_alone: bool,
    ) -> Self {
        let (from, to) = (from.unwrap_or(shown.release.first), to.unwrap_or(shown.release.last));
        let filter = Filter { from: Some(from), to: Some(to), ..Filter::default() };
        let code = words.country.code.as_str();
        let (mut atoms, mut reaching) = (Vec::new(), Vec::new());
        for atom in shown.atoms.iter().filter(|atom| atom.country == code) {
            match filter.fit(atom) {
                Fit::Outside => {}
                Fit::Cut if atom.incidents != Some(0) => {
                    atoms.push(ReleasedAtom { incidents: None, ..atom.clone() });
                    reaching.push(atom.clone());
                }
                Fit::Cut | Fit::Inside => atoms.push(atom.clone()),
            }
        }
        Self { shown, words, stands_alone, from, to, atoms, reaching }
    }

    /// Draws a chart `width` points wide; `None` of what no release tells.
    pub fn draw(&self, picture: Picture, width: f32) -> Option<Drawing> {
        Some(match picture {
            Picture::Months => draw_columns(&self.times().0, width, COLUMNS_HEIGHT),
            Picture::Themes => draw_bars(&self.themes(), width),
            Picture::Areas => draw_bars(&self.areas(), width),
            Picture::Map => draw_map(&self.map(), width, MAP_HEIGHT),
            Picture::Practice => return None,
        })
    }

    /// Composes the brief.
    pub fn compose(&self) -> Document {
        let picture = |picture| self.draw(picture, TEXT_WIDTH).map(Block::Picture);
        let heading = |en, fr| Some(Block::Heading(self.say(en, fr)));
        let rows = |table: Table| (!table.rows.is_empty()).then_some(Block::Table(table));
        let blocks = [
            Some(Block::Tiles(self.tiles())),
            Some(Block::Paragraph(self.summary())),
            picture(Picture::Months),
            picture(Picture::Themes),
            heading("Where it happened", "Où cela s’est passé"),
            picture(Picture::Map),
            Some(Block::Paragraph(self.places_note())),
            picture(Picture::Areas),
            heading("What it was about", "De quoi il s’agissait"),
            rows(self.categories()),
            rows(self.together()),
            heading("How to read these figures", "Comment lire ces chiffres"),
            Some(Block::Notes(self.notes())),
        ];
        let release = self.release_name();
        let sha256 = &self.shown.release.sha256;
        let foot = [
            self.words.country_name(),
            self.period(),
            release.clone(),
            format!("SHA-256 {}…", sha256.get(..16).unwrap_or(sha256)),
        ];
        Document {
            language: self.words.language.tag(),
            kind: self.say(
                "Country brief · monitoring of diamond mining",
                "Note pays · suivi de l’extraction du diamant",
            ),
            title: self.words.country_name(),
            subtitle: self.period(),
            mark: release.to_uppercase(),
            foot: foot.join(" · "),
            blocks: blocks.into_iter().flatten().collect(),
        }
    }

    fn figure(&self, filter: &Filter) -> Figure {
        figure(&self.atoms, filter)
    }

    fn figures(&self, by: By, codes: &[String]) -> Vec<(String, Figure)> {
        let atoms: Vec<&ReleasedAtom> = self.atoms.iter().collect();
        list_figures(&atoms, by, codes.iter().map(String::as_str), |code| Filter::of(by, code))
    }

    /// Charts the finest of months, quarters and years in which all is told, else years; says whether all is.
    fn times(&self) -> (Chart, bool) {
        let all = [By::Month, By::Quarter, By::Year].map(|by| {
            let codes = self.list_times(by);
            let n = codes.len();
            (by, n, self.figures(by, &codes))
        });
        let is_whole = |figures: &[(String, Figure)]| figures.iter().all(|(_, it)| it.is_complete);
        let finest = all.iter().find(|(_, n, figures)| *n <= MOST_COLUMNS && is_whole(figures));
        let [.., years] = &all;
        let (by, _, figures) = finest.unwrap_or(years);
        let bars = bars(figures, |code| match by {
            By::Month => short_month(code),
            _ => code.to_owned(),
        });
        let title = match by {
            By::Month => ["Incidents by month", "Incidents par mois"],
            By::Quarter => ["Incidents by quarter", "Incidents par trimestre"],
            _ => ["Incidents by year", "Incidents par année"],
        };
        (self.chart(self.say(title[0], title[1]), bars), is_whole(figures))
    }

    /// Lists the months, quarters or years of the period.
    fn list_times(&self, by: By) -> Vec<String> {
        let months = std::iter::successors(Some(self.from), |month| Some(month.next()));
        let code = |month: Month| match by {
            By::Month => month.to_string(),
            By::Quarter => format!("{}-Q{}", month.year, month.quarter()),
            _ => month.year.to_string(),
        };
        let mut codes: Vec<String> = months.take_while(|it| *it <= self.to).map(code).collect();
        codes.dedup();
        codes
    }

    fn themes(&self) -> Chart {
        let codes: Vec<String> =
            self.words.taxonomy.themes().iter().map(|theme| theme.code.to_owned()).collect();
        let bars = bars(&self.figures(By::Theme, &codes), |code| self.words.theme(code));
        self.chart(self.say("Incidents told by theme", "Incidents donnés par thème"), bars)
    }

    fn areas(&self) -> Chart {
        self.chart(areas_title(&self.words), area_bars(&self.words, &self.list_areas()))
    }

    /// Lists the areas that are told alone, most first.
    fn list_areas(&self) -> Vec<(String, u64)> {
        let figures = self.figures(By::Admin1, &[]).into_iter();
        let told = figures.filter_map(|(code, figure)| {
            let incidents = figure.incidents.filter(|incidents| *incidents > 0)?;
            Some((self.area(&code), incidents))
        });
        largest_first(told.collect())
    }

    fn map(&self) -> Map {
        let title = self.say("Incidents told by area", "Incidents donnés par entité");
        let chart = self.chart(title, Vec::new());
        Map {
            chart: Chart { description: describe_areas(&self.list_areas()), ..chart },
            areas: map_areas(&self.words, |code| {
                self.figure(&Filter::of(By::Admin1, code)).incidents
            }),
            places: Vec::new(),
            words: MapWords {
                shades: self.say("Incidents in the area", "Incidents dans l’entité"),
                circles: String::new(),
                none: self.say("none", "aucun"),
                untold: Some(self.say("told with others", "donné avec d’autres")),
            },
        }
    }

    fn chart(&self, title: String, bars: Vec<Bar>) -> Chart {
        let series = one_series();
        Chart {
            description: describe(&series, &bars),
            title: self.words.head(title, &self.period(), self.stands_alone),
            series,
            bars,
            nothing: self.say(
                "No figure of this release stands alone here.",
                "Aucun chiffre de cette diffusion n’est donné seul ici.",
            ),
        }
    }

    fn tiles(&self) -> Vec<Tile> {
        let tile = |figure: Figure, label: String| Tile {
            figure: self.told(figure),
            label,
            beside: match figure {
                Figure { is_complete: true, .. } => self.say("all there are", "tous"),
                Figure { incidents: Some(_), .. } => {
                    self.say("and others, told together", "et d’autres, donnés ensemble")
                }
                Figure { incidents: None, .. } => {
                    self.say("told with others, or too few", "donnés avec d’autres, ou trop peu")
                }
            },
        };
        let all = self.figure(&Filter::default());
        let all = tile(all, self.say("Verified incidents", "Incidents vérifiés"));
        let themes = self.words.taxonomy.themes();
        let themes = themes.iter().map(|theme| {
            let figure = self.figure(&Filter::of(By::Theme, theme.code));
            tile(figure, self.words.label(theme.label))
        });
        std::iter::once(all).chain(themes).collect()
    }

    fn told(&self, figure: Figure) -> String {
        figure.incidents.map_or_else(|| "–".to_owned(), |n| self.words.language.number(n))
    }

    fn summary(&self) -> String {
        let all = self.figure(&Filter::default());
        let (country, period) = (self.words.country_name(), self.period());
        let k = self.shown.release.rule.k;
        let mut words = match all.incidents {
            Some(_) => {
                let n = self.told(all);
                self.say(
                    &format!("The coalition tells {n} verified incidents in {country} for {period}."),
                    &format!("La coalition donne {n} incidents vérifiés pour le pays ({country}) et la période ({period})."),
                )
            }
            None => self.say(
                &format!("Of {country} in {period} no figure can be told: there are fewer than {k} incidents, or they are told over a longer time."),
                &format!("Pour le pays ({country}) et la période ({period}), aucun chiffre ne peut être donné : il y a moins de {k} incidents, ou ils sont donnés sur une durée plus longue."),
            ),
        };
        if !self.times().1 {
            words.push(' ');
            words.push_str(&self.say(
                "The chart by time leaves out what is told over a longer time only.",
                "Le graphique par période omet ce qui n’est donné que sur une durée plus longue.",
            ));
        }
        words.push(' ');
        words.push_str(&self.say(
            "These are reports received and checked, not all events that happened.",
            "Ce sont les rapports reçus et vérifiés, non tous les faits qui se sont produits.",
        ));
        words
    }

    fn places_note(&self) -> String {
        let source = self.words.geo.areas().source(Some(self.words.country.code));
        self.say(
            &format!("Releases tell no place finer than first-level areas. Outlines: {source}; they say nothing about the status of any territory."),
            &format!("Les diffusions ne donnent aucun lieu plus fin que les entités de premier niveau. Tracés : {source} ; ils ne disent rien du statut d’un territoire."),
        )
    }

    fn categories(&self) -> Table {
        let row = |label: String, figure: Figure, is_strong| {
            let whole = if figure.is_complete { ["yes", "oui"] } else { ["no", "non"] };
            Row { cells: vec![label, self.told(figure), self.say(whole[0], whole[1])], is_strong }
        };
        let mut rows = Vec::new();
        for theme in self.words.taxonomy.themes() {
            let figure = self.figure(&Filter::of(By::Theme, theme.code));
            if figure.incidents == Some(0) && figure.is_complete {
                continue;
            }
            rows.push(row(self.words.label(theme.label), figure, true));
            for category in theme.categories {
                let figure = self.figure(&Filter::of(By::Category, category.code));
                if figure.incidents.is_some_and(|incidents| incidents > 0) {
                    let label = format!("\u{a0}\u{a0}{}", self.words.label(category.label));
                    rows.push(row(label, figure, false));
                }
            }
        }
        Table {
            caption: self.say(
                "Incidents by main category, as far as they are told alone",
                "Incidents par catégorie principale, dans la mesure où ils sont donnés seuls",
            ),
            head: vec![
                self.say("Category", "Catégorie"),
                "Incidents".to_owned(),
                self.say("All there are", "Tous"),
            ],
            rows,
        }
    }

    /// Lists the figures that stand for several categories, and those that reach beyond the period.
    fn together(&self) -> Table {
        let is_several = |atom: &&ReleasedAtom| By::Category.key(atom).is_none();
        let mut atoms: Vec<(&ReleasedAtom, u32)> = self
            .atoms
            .iter()
            .filter(is_several)
            .chain(&self.reaching)
            .filter_map(|atom| Some((atom, atom.incidents.filter(|incidents| *incidents > 0)?)))
            .collect();
        atoms.sort_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.times.cmp(&b.times)));
        let left_out = atoms.len().saturating_sub(MOST_TOGETHER);
        let row = |(atom, incidents): &(&ReleasedAtom, u32)| Row {
            cells: vec![
                self.name_atom(atom),
                atom.times.join(", "),
                self.words.language.number(u64::from(*incidents)),
            ],
            is_strong: false,
        };
        let mut caption = self.say(
            "Incidents told together, each once",
            "Incidents donnés ensemble, chacun une fois",
        );
        if left_out > 0 {
            let more = format!(
                " (+{left_out}: /v1/public/countries/{})",
                self.words.country.code.as_str()
            );
            caption.push_str(&more);
        }
        Table {
            caption,
            head: vec![
                self.say("Of which kinds, and where", "De quelles sortes, et où"),
                self.say("When", "Quand"),
                "Incidents".to_owned(),
            ],
            rows: atoms.iter().take(MOST_TOGETHER).map(row).collect(),
        }
    }

    fn name_atom(&self, atom: &ReleasedAtom) -> String {
        let kind = |code: &String| match code.as_str() {
            ALL => self.say("all categories", "toutes les catégories"),
            code if code.contains('.') => self.words.category(code),
            code => self.words.theme(code),
        };
        let place = |code: &String| match code.as_str() {
            ALL => self.say("all areas", "toutes les entités"),
            code => self.area(code),
        };
        let kinds: Vec<String> = atom.categories.iter().map(kind).collect();
        let places: Vec<String> = atom.places.iter().map(place).collect();
        format!("{} · {}", kinds.join(", "), places.join(", "))
    }

    fn area(&self, code: &str) -> String {
        match code {
            NO_AREA => self.say("Area not known", "Entité inconnue"),
            code => self.words.area(code),
        }
    }

    fn notes(&self) -> Vec<(String, String)> {
        let (id, sha256) = (self.shown.release.id, &self.shown.release.sha256);
        let name = self.release_name();
        vec![
            (
                self.say("Method.", "Méthode."),
                method_note(&self.shown.release, self.words.language),
            ),
            (
                self.say("Reports, not events.", "Des rapports, non des faits."),
                self.say(
                    "Where few report, little is counted: a low number is no proof of calm, and areas must not be ranked by it.",
                    "Là où peu signalent, peu est compté : un chiffre bas ne prouve pas le calme et ne permet pas de classer les entités.",
                ),
            ),
            (
                "Source.".to_owned(),
                self.say(
                    &format!("{name}, id {id}, SHA-256 of its figures {sha256}: /v1/public/releases"),
                    &format!("{name}, identifiant {id}, SHA-256 de ses chiffres {sha256} : /v1/public/releases"),
                ),
            ),
        ]
    }

    fn release_name(&self) -> String {
        let version = self.shown.release.approval.map_or(0, |approval| approval.version);
        self.say(&format!("Release {version}"), &format!("Diffusion {version}"))
    }

    /// Returns the period in words.
    fn period(&self) -> String {
        self.words.language.period(self.from.first_day(), self.to.last_day())
    }

    fn say(&self, en: &str, fr: &str) -> String {
        self.words.say(en, fr)
    }
}

fn bars(figures: &[(String, Figure)], label: impl Fn(&str) -> String) -> Vec<Bar> {
    let bar = |(code, figure): &(String, Figure)| Bar {
        label: label(code),
        values: vec![figure.incidents.unwrap_or(0)],
    };
    figures.iter().map(bar).collect()
}
