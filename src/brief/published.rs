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
    COLUMNS_HEIGHT, MAP_HEIGHT, Picture, area_bars, describe, describe_areas, largest_first,
    map_areas, one_series, short_month,
};
use crate::brief::words::Words;
use crate::error::{Error, Result};
use crate::releases::axis::{ALL, NO_AREA};
use crate::releases::period::{Month, months_of};
use crate::releases::public::answer::{Figure, figure, list_figures};
use crate::releases::public::ask::{By, Filter, Fit};
use crate::releases::public::shown::Shown;
use crate::releases::public::words::method_note;
use crate::releases::types::ReleasedAtom;

/// Columns that fit on a page, so that each can be told from the next.
const MOST_COLUMNS: usize = 36;
/// Figures listed that are told together.
const MOST_TOGETHER: usize = 20;
/// A map without places needs less room: so it stands on the first page where little is told before it.
const PAGE_MAP_HEIGHT: f32 = 0.75 * MAP_HEIGHT;
/// No incident, and none that is not told.
const NOTHING: Figure = Figure { incidents: Some(0), is_complete: true };

/// What a release tells of a country in a period, and in which words.
pub struct PublishedScene<'a> {
    /// The release.
    shown: &'a Shown,
    /// The country, and what things are called.
    words: Words<'a>,
    /// Whether a chart stands alone and must say itself of which country and period it is.
    stands_alone: bool,
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
    ///
    /// # Errors
    /// `NotFound` for a country that the release does not cover, `InvalidParameter` for months that it does not.
    pub fn new(
        (shown, words): (&'a Shown, Words<'a>),
        (from, to): (Option<Month>, Option<Month>),
        stands_alone: bool,
    ) -> Result<Self> {
        let filter = Filter { from, to, ..Filter::default() }.within(&shown.release)?;
        let (from, to) = (from.unwrap_or(shown.release.first), to.unwrap_or(shown.release.last));
        let code = words.country.code.as_str();
        let own: Vec<&ReleasedAtom> =
            shown.atoms.iter().filter(|atom| atom.country == code).collect();
        if own.is_empty() {
            return Err(Error::not_found());
        }
        let (mut atoms, mut reaching) = (Vec::new(), Vec::new());
        for atom in own {
            match filter.fit(atom) {
                Fit::Outside => {}
                Fit::Cut if atom.incidents != Some(0) => {
                    atoms.push(ReleasedAtom { incidents: None, ..atom.clone() });
                    reaching.push(atom.clone());
                }
                Fit::Cut | Fit::Inside => atoms.push(atom.clone()),
            }
        }
        Ok(Self { shown, words, stands_alone, from, to, atoms, reaching })
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
        let (times, is_whole) = self.times();
        let heading = |en, fr| Some(Block::Heading(self.say(en, fr)));
        let if_any = |chart: Chart| {
            (!chart.bars.is_empty()).then(|| Block::Picture(draw_bars(&chart, TEXT_WIDTH)))
        };
        let categories = self.categories();
        let together = self.together();
        let blocks = [
            Some(Block::Tiles(self.tiles())),
            Some(Block::Paragraph(self.summary(is_whole))),
            Some(Block::Picture(draw_columns(&times, TEXT_WIDTH, COLUMNS_HEIGHT))),
            if_any(self.themes()),
            heading("Where it happened", "Où cela s’est passé"),
            Some(Block::Picture(draw_map(&self.map(), TEXT_WIDTH, PAGE_MAP_HEIGHT))),
            Some(Block::Paragraph(self.places_note())),
            if_any(self.areas()),
            heading("What it was about", "De quoi il s’agissait"),
            (!categories.rows.is_empty()).then_some(Block::Table(categories)),
            (!together.is_empty()).then_some(Block::Notes(together)),
            heading("How to read these figures", "Comment lire ces chiffres"),
            Some(Block::Notes(self.notes())),
        ];
        let (release, code) = (self.release_name(), self.words.country.code.as_str());
        let sha256 = &self.shown.release.sha256;
        let hash = format!("SHA-256 {}…", sha256.get(..16).unwrap_or(sha256));
        let foot = [self.words.country_name(), self.period(), release.clone(), hash];
        Document {
            language: self.words.language.tag(),
            kind: self.say(
                "Country brief · monitoring of diamond mining",
                "Note pays · suivi de l’extraction du diamant",
            ),
            title: self.words.country_name(),
            subtitle: self.period(),
            file_name: format!("brief-{code}-release-{}-{}-{}", self.version(), self.from, self.to),
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
        let all = [Time::Month, Time::Quarter, Time::Year].map(|time| {
            let codes = self.list_times(time);
            let n = codes.len();
            (time, n, self.figures(time.by(), &codes))
        });
        let is_whole = |figures: &[(String, Figure)]| figures.iter().all(|(_, it)| it.is_complete);
        let finest = all.iter().find(|(_, n, figures)| *n <= MOST_COLUMNS && is_whole(figures));
        let [.., years] = &all;
        let (time, _, figures) = finest.unwrap_or(years);
        let title = match time {
            Time::Month => self.say("Incidents by month", "Incidents par mois"),
            Time::Quarter => self.say("Incidents by quarter", "Incidents par trimestre"),
            Time::Year => self.say("Incidents by year", "Incidents par année"),
        };
        (self.chart(title, bars(figures, |code| self.name_time(code))), is_whole(figures))
    }

    /// Names a month, quarter or year under its bar; of which months it is, where the period does not have all of them.
    fn name_time(&self, code: &str) -> String {
        match months_of(code) {
            Some((from, to)) if from == to => short_month(code),
            Some((from, to)) if from < self.from || to > self.to => {
                let (from, to) = (from.max(self.from), to.min(self.to));
                format!("{code} ({:02}–{:02})", from.month, to.month)
            }
            _ => code.to_owned(),
        }
    }

    /// Lists the months, quarters or years of the period.
    fn list_times(&self, time: Time) -> Vec<String> {
        let months = std::iter::successors(Some(self.from), |month| Some(month.next()));
        let code = |month: Month| match time {
            Time::Month => month.to_string(),
            Time::Quarter => format!("{}-Q{}", month.year, month.quarter()),
            Time::Year => month.year.to_string(),
        };
        let mut codes: Vec<String> = months.take_while(|it| *it <= self.to).map(code).collect();
        codes.dedup();
        codes
    }

    fn themes(&self) -> Chart {
        let codes: Vec<String> =
            self.words.taxonomy.themes().iter().map(|theme| theme.code.to_owned()).collect();
        let bars = bars(&self.figures(By::Theme, &codes), |code| self.words.category(code));
        self.chart(self.say("Incidents told by theme", "Incidents donnés par thème"), bars)
    }

    fn areas(&self) -> Chart {
        let title = self.say(
            "Incidents told by first-level area",
            "Incidents donnés par entité de premier niveau",
        );
        self.chart(title, area_bars(&self.words, &self.list_areas()))
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
            areas: map_areas(&self.words, |codes| self.in_areas(codes)),
            places: Vec::new(),
            words: MapWords {
                shades: self.say("Incidents in the area", "Incidents dans l’entité"),
                circles: String::new(),
                none: self.say("none", "aucun"),
                untold: Some(self.say("not told alone", "non donné seul")),
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
            nothing: if self.figure(&Filter::default()) == NOTHING {
                self.say("No incident in this period.", "Aucun incident durant cette période.")
            } else {
                self.say("No figure is told alone here.", "Aucun chiffre n’est donné seul ici.")
            },
        }
    }

    /// Returns what is told of areas as one; `None` too where the release does not know them, as after new boundaries.
    fn in_areas(&self, codes: &[&str]) -> Option<u64> {
        let areas = codes.iter().map(|code| ((*code).to_owned(), None)).collect();
        let filter = Filter { areas: Some(areas), ..Filter::default() };
        self.figure(&filter).incidents
    }

    fn tiles(&self) -> Vec<Tile> {
        let all = self.figure(&Filter::default());
        let beside = match (all.incidents, all.is_complete) {
            (Some(_), true) => self.say("all there are", "tous"),
            (Some(_), false) => self.say("not all are told alone", "pas tous donnés seuls"),
            (None, _) => self.say("not told alone", "non donné seul"),
        };
        let label = self.say("Verified incidents", "Incidents vérifiés");
        let parts = [
            (By::Theme, ["Told by theme", "Donnés par thème"]),
            (By::Admin1, ["Told by area", "Donnés par entité"]),
            (By::Month, ["Told by month", "Donnés par mois"]),
        ];
        let parts = parts.map(|(by, [en, fr])| Tile {
            figure: self.words.language.number(self.count_told(by)),
            label: self.say(en, fr),
            beside: format!("{} {}", self.say("of", "sur"), self.told(all)),
        });
        let all = Tile { figure: self.told(all), label, beside };
        std::iter::once(all).chain(parts).collect()
    }

    /// Counts the incidents that are told with their theme, area or month.
    fn count_told(&self, by: By) -> u64 {
        let is_told = |code: String| code != NO_AREA;
        let told = self.atoms.iter().filter(|atom| by.key(atom).is_some_and(is_told));
        told.filter_map(|atom| atom.incidents).map(u64::from).sum()
    }

    fn told(&self, figure: Figure) -> String {
        figure.incidents.map_or_else(|| "–".to_owned(), |n| self.words.language.number(n))
    }

    /// Says how much there is; and where it is so, that the chart by time leaves something out.
    fn summary(&self, is_whole_by_time: bool) -> String {
        let (country, period) = (self.words.country_name(), self.period());
        let language = self.words.language;
        let all = self.figure(&Filter::default());
        let mut words = match all.incidents {
            Some(n) => {
                let nouns = [["verified incident", "verified incidents"], ["incident vérifié", "incidents vérifiés"]];
                let [en, fr] = nouns.map(|nouns| language.counted(n, nouns));
                let [en, fr] = if all.is_complete { [en, fr] } else { [format!("at least {en}"), format!("au moins {fr}")] };
                self.say(
                    &format!("The coalition counts {en} in {country} for {period}."),
                    &format!("La coalition dénombre {fr} pour le pays ({country}) et la période ({period})."),
                )
            }
            None => self.say(
                &format!(
                    "Of {country} in {period} no figure is told alone: there are too few incidents, they are told over a \
                     longer time, or their months were withdrawn."
                ),
                &format!(
                    "Pour le pays ({country}) et la période ({period}), aucun chiffre n’est donné seul : les incidents \
                     sont trop peu nombreux, donnés sur une durée plus longue, ou leurs mois ont été retirés."
                ),
            ),
        };
        if !is_whole_by_time {
            words.push(' ');
            words.push_str(&self.say(
                "The chart by time leaves out what is told over a longer time only, or not at all.",
                "Le graphique par période omet ce qui n’est donné que sur une durée plus longue, ou pas du tout.",
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
            &format!("Les publications ne donnent aucun lieu plus fin que les entités de premier niveau. Tracés : {source} ; ils ne disent rien du statut d’un territoire."),
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
            if figure == NOTHING {
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

    /// Lists the figures that stand for several categories, areas or months, and those that reach beyond the period.
    fn together(&self) -> Vec<(String, String)> {
        let inside = self.atoms.iter().filter(|atom| !atom.is_finest());
        let mut atoms: Vec<(&ReleasedAtom, u32)> = inside
            .chain(&self.reaching)
            .filter_map(|atom| Some((atom, atom.incidents.filter(|incidents| *incidents > 0)?)))
            .collect();
        atoms.sort_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.times.cmp(&b.times)));
        let n_more = atoms.len().saturating_sub(MOST_TOGETHER);
        let language = self.words.language;
        let told = atoms.iter().take(MOST_TOGETHER).map(|(atom, incidents)| {
            let n = language.counted((*incidents).into(), ["incident", "incidents"]);
            let as_one = self.say("told as one figure", "donnés en un seul chiffre");
            (format!("{n}, {as_one}"), self.name_atom(atom))
        });
        let mut told: Vec<(String, String)> = told.collect();
        if n_more > 0 {
            let nouns = [["more figure", "more figures"], ["autre chiffre", "autres chiffres"]];
            let [en, fr] = nouns.map(|nouns| language.counted(n_more as u64, nouns));
            let code = self.words.country.code.as_str();
            let all = format!("/v1/public/countries/{code}?release={}", self.shown.release.id);
            told.push((self.say(&en, &fr), all));
        }
        told
    }

    fn name_atom(&self, atom: &ReleasedAtom) -> String {
        let kind = |code: &String| match code.as_str() {
            ALL => self.say("all categories", "toutes les catégories"),
            code => self.words.category(code),
        };
        let place = |code: &String| match code.as_str() {
            ALL => self.say("all areas", "toutes les entités"),
            code => self.area(code),
        };
        let list = |codes: &[String], name: &dyn Fn(&String) -> String| {
            let mut names: Vec<String> = codes.iter().map(name).collect();
            names.sort();
            names.dedup();
            names.join(", ")
        };
        let parts = [
            list(&atom.categories, &kind),
            list(&atom.places, &place),
            self.name_times(&atom.times),
        ];
        parts.join(" · ")
    }

    /// Names the months of codes, those that follow one another as one period; then quarters and years of which no month is
    /// known, unless they lie in such a period.
    fn name_times(&self, codes: &[String]) -> String {
        let (vague, exact): (Vec<&String>, Vec<&String>) =
            codes.iter().partition(|code| code.ends_with("-XX"));
        let mut spans: Vec<(Month, Month)> =
            exact.into_iter().filter_map(|code| months_of(code)).collect();
        spans.sort_unstable();
        let mut periods: Vec<(Month, Month)> = Vec::new();
        for (from, to) in spans {
            match periods.last_mut() {
                Some(last) if from <= last.1.next() => last.1 = last.1.max(to),
                _ => periods.push((from, to)),
            }
        }
        let name = |(from, to): &(Month, Month)| {
            self.words.language.period(from.first_day(), to.last_day())
        };
        let mut names: Vec<String> = periods.iter().map(name).collect();
        let month_unknown = self.say("month not known", "mois inconnu");
        names.extend(vague.into_iter().filter_map(|code| {
            let (first, last) = months_of(code)?;
            let is_named = periods.iter().any(|(from, to)| *from <= first && last <= *to);
            let period = self.words.language.period(first.first_day(), last.last_day());
            (!is_named).then(|| format!("{period}, {month_unknown}"))
        }));
        names.join("; ")
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
        // What is null in an answer of the API is a dash here.
        let method = method_note(&self.shown.release, self.words.language).replace("null", "–");
        let mut notes = vec![
            (self.say("Method.", "Méthode."), method),
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
        ];
        let withdrawn: Vec<String> = self
            .shown
            .release
            .withdrawn_months()
            .map(|(from, to)| self.words.language.period(from.first_day(), to.last_day()))
            .collect();
        if !withdrawn.is_empty() {
            let heading = self.say("Withdrawn since.", "Retiré depuis.");
            notes.push((heading, withdrawn.join("; ")));
        }
        notes
    }

    fn release_name(&self) -> String {
        let version = self.version();
        self.say(&format!("Release {version}"), &format!("Publication {version}"))
    }

    fn version(&self) -> i32 {
        self.shown.release.approval.map_or(0, |approval| approval.version)
    }

    /// Returns the period in words.
    fn period(&self) -> String {
        self.words.language.period(self.from.first_day(), self.to.last_day())
    }

    fn say(&self, en: &str, fr: &str) -> String {
        self.words.say(en, fr)
    }
}

/// What a chart by time has its bars for.
#[derive(Debug, Clone, Copy)]
enum Time {
    Month,
    Quarter,
    Year,
}

impl Time {
    fn by(self) -> By {
        match self {
            Self::Month => By::Month,
            Self::Quarter => By::Quarter,
            Self::Year => By::Year,
        }
    }
}

/// Returns a bar for each figure that is told.
fn bars(figures: &[(String, Figure)], label: impl Fn(&str) -> String) -> Vec<Bar> {
    let bar = |(code, figure): &(String, Figure)| {
        Some(Bar { label: label(code), values: vec![figure.incidents?] })
    };
    figures.iter().filter_map(bar).collect()
}
