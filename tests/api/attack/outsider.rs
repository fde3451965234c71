//! Somebody without a credential who asks everything that can be asked, of every release there was.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::attack::bounds::{Answers, Is};
use crate::attack::world::{COUNTRIES, Cell, MONTHS, World};
use crate::harness::Client;

/// Groupings that are asked for with every window of months.
const BY: [&str; 8] = [
    "",
    "admin1",
    "theme",
    "category",
    "admin1,category",
    "admin1,theme",
    "month,category",
    "month,admin1",
];
/// Groupings that are asked for once a country.
const FINEST: [&str; 4] =
    ["admin1,month,category", "admin1,quarter,theme", "year,admin1,category", "quarter,category"];

/// What everybody was told of one release, by whatever way.
pub(crate) fn ask_everything(anybody: &Client, world: &World, release: &str) -> Answers {
    let mut outsider = Outsider {
        anybody,
        world,
        release,
        until: String::new(),
        answers: Answers::default(),
        n_requests: 0,
    };
    outsider.ask_whole();
    outsider.ask_countries();
    outsider.ask_windows();
    outsider.ask_filters();
    assert!(outsider.n_requests > 200, "only {} requests", outsider.n_requests);
    outsider.answers
}

struct Outsider<'a> {
    anybody: &'a Client,
    world: &'a World,
    release: &'a str,
    /// Its last month: of later ones it answers nothing.
    until: String,
    answers: Answers,
    n_requests: usize,
}

/// Whether a code that an answer names, or a code below it, is that of a cell.
fn covers_category(code: &str, cell: &Cell) -> bool {
    code == "*" || cell.category == code || cell.category.split('.').next() == Some(code)
}

fn covers_time(code: &str, cell: &Cell) -> bool {
    let (year, month) = cell.month.split_once('-').expect("a month");
    let quarter = (month.parse::<u32>().expect("a number") - 1) / 3 + 1;
    code == cell.month || code == year || code == format!("{year}-Q{quarter}")
}

fn covers_place(code: &str, cell: &Cell) -> bool {
    code == "*" || code == cell.area
}

impl Outsider<'_> {
    fn get(&mut self, path: &str) -> Value {
        self.n_requests += 1;
        self.anybody.get(&format!("/v1/public/{path}")).expect(200).json()
    }

    fn take_figure(&mut self, cells: &BTreeSet<usize>, figure: &Value) {
        let is = if figure["complete"] == true { Is::Exactly } else { Is::AtLeast };
        if let Some(incidents) = figure["incidents"].as_u64() {
            self.answers.take(cells, is, incidents);
        }
    }

    fn take_atom(&mut self, atom: &Value) {
        let has = |axis: &str, covers: &dyn Fn(&str) -> bool| {
            let mut codes = atom[axis].as_array().expect("codes").iter();
            codes.any(|code| covers(code.as_str().expect("a code")))
        };
        let cells = self.world.choose(|cell| {
            atom["country"] == cell.country
                && has("admin1", &|code| covers_place(code, cell))
                && has("times", &|code| covers_time(code, cell))
                && has("categories", &|code| covers_category(code, cell))
        });
        match atom["incidents"].as_u64() {
            Some(incidents) => self.answers.take(&cells, Is::Exactly, incidents),
            // What is withheld is more than nothing.
            None => self.answers.take(&cells, Is::AtLeast, 1),
        }
    }

    fn ask_whole(&mut self) {
        let whole = self.get(&format!("releases/{}", self.release));
        whole["release"]["until"].as_str().expect("a month").clone_into(&mut self.until);
        whole["atoms"].as_array().expect("atoms").iter().for_each(|atom| self.take_atom(atom));
    }

    fn ask_countries(&mut self) {
        let list = self.get(&format!("countries?release={}", self.release));
        for item in list["items"].as_array().expect("items") {
            let cells = self.world.choose(|cell| item["country"] == cell.country);
            self.take_figure(&cells, item);
        }
        for country in COUNTRIES {
            let view = self.get(&format!("countries/{country}?release={}", self.release));
            let of_country = |cell: &Cell| cell.country == country;
            self.take_figure(&self.world.choose(of_country), &view["total"]);
            for section in ["themes", "categories", "admin1", "years", "quarters", "months"] {
                for item in view[section].as_array().expect("items") {
                    let code = item["code"].as_str().expect("a code");
                    let cells = self.world.choose(|cell| {
                        of_country(cell)
                            && match section {
                                "themes" | "categories" => covers_category(code, cell),
                                "admin1" => covers_place(code, cell),
                                _ => covers_time(code, cell),
                            }
                    });
                    self.take_figure(&cells, item);
                }
            }
        }
    }

    /// Every window of months, in every grouping.
    fn ask_windows(&mut self) {
        for country in COUNTRIES {
            for (from, to) in windows(&self.until) {
                for by in BY {
                    self.ask(&format!("country={country}&from={from}&to={to}"), by, |cell| {
                        cell.country == country && (from..=to).contains(&cell.month)
                    });
                }
            }
            for by in FINEST {
                self.ask(&format!("country={country}"), by, |cell| cell.country == country);
            }
        }
    }

    /// Every area with every theme and category, in every month and over all.
    fn ask_filters(&mut self) {
        let areas: BTreeSet<&str> =
            self.world.cells.iter().map(|cell| cell.area.as_str()).collect();
        let mut codes: BTreeSet<&str> =
            self.world.cells.iter().map(|cell| cell.category.as_str()).collect();
        codes.extend(["rights", "environment"]);
        for area in areas {
            for code in &codes {
                let filter = format!("admin1={area}&category={code}");
                let is_in = |cell: &Cell| covers_place(area, cell) && covers_category(code, cell);
                self.ask(&format!("country=LSO,SLE&{filter}"), "", is_in);
                for (month, _) in windows(&self.until).iter().filter(|(from, to)| from == to) {
                    let filter = format!("country=LSO,SLE&{filter}&from={month}&to={month}");
                    self.ask(&filter, "", |cell| is_in(cell) && cell.month == *month);
                }
            }
        }
        for (one, other) in [("rights", "environment"), ("environment", "rights")] {
            self.ask(&format!("country=LSO,SLE&theme={one},{other}"), "country", |cell| {
                COUNTRIES.contains(&cell.country)
            });
        }
    }

    fn ask(&mut self, filter: &str, by: &str, is_in: impl Fn(&Cell) -> bool) {
        let grouped = if by.is_empty() { String::new() } else { format!("&by={by}") };
        let path = format!("aggregates?release={}&{filter}{grouped}", self.release);
        let answer = self.get(&path);
        self.take_figure(&self.world.choose(&is_in), &answer["total"]);
        for atom in answer["coarser"].as_array().expect("figures") {
            self.take_atom(atom);
        }
        let cells = answer["cells"].as_array().expect("cells");
        let names: Vec<&str> = by.split(',').filter(|name| !name.is_empty()).collect();
        let is_keyed = |cell: &&Value| names.iter().all(|name| !cell[name].is_null());
        // With everything told, and nothing of it coarser than asked, a cell is all there is.
        let is_all = answer["total"]["complete"] == true
            && cells.iter().all(|cell| is_keyed(&cell) || cell["incidents"] == 0);
        let is = if is_all { Is::Exactly } else { Is::AtLeast };
        for told in cells.iter().filter(is_keyed) {
            let Some(incidents) = told["incidents"].as_u64() else { continue };
            let chosen = self.world.choose(|cell| {
                is_in(cell)
                    && names.iter().all(|name| {
                        let code = told[name].as_str().expect("a code");
                        match *name {
                            "country" => code == cell.country,
                            "admin1" => covers_place(code, cell),
                            "theme" | "category" => covers_category(code, cell),
                            _ => covers_time(code, cell),
                        }
                    })
            });
            self.answers.take(&chosen, is, incidents);
        }
    }
}

fn windows(until: &str) -> Vec<(&'static str, &'static str)> {
    let from = MONTHS.iter().enumerate();
    let all = from.flat_map(|(nth, from)| MONTHS[nth..].iter().map(|to| (*from, *to)));
    all.filter(|(_, to)| *to <= until).collect()
}
