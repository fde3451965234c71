//! The taxonomy: three themes, their categories, and the leaves that reports are given.

use std::collections::HashMap;
use std::fmt;

use chrono::NaiveDate;
use serde::Deserialize;

use crate::taxonomy::error::{CodeError, DataError};
use crate::taxonomy::label::Label;
use crate::taxonomy::read::{Place, filled, read_lines};
use crate::taxonomy::suggest::nearest;

const FILE: &str = "taxonomy.csv";

/// The code of a leaf, `theme.category.subcategory`; only a [`Taxonomy`] makes one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CategoryCode(String);

impl CategoryCode {
    /// Returns the three parts as they are written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CategoryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a leaf tells of something good or of harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Valence {
    /// A practice worth copying.
    GoodPractice,
    /// A harm, a breach or a crime.
    Negative,
}

impl Valence {
    /// Returns the code in files and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Valence::GoodPractice => "good_practice",
            Valence::Negative => "negative",
        }
    }

    /// Finds the valence with this code.
    pub fn from_code(code: &str) -> Option<Valence> {
        [Valence::GoodPractice, Valence::Negative]
            .into_iter()
            .find(|valence| valence.as_str() == code)
    }
}

/// The kind of mining a leaf is about; a report of the leaf may still say another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeafMining {
    /// Every kind.
    Any,
    /// Mines with a plant.
    Industrial,
    /// Diggers with hand tools or small machines.
    Artisanal,
}

impl LeafMining {
    /// Returns the code in files and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            LeafMining::Any => "any",
            LeafMining::Industrial => "industrial",
            LeafMining::Artisanal => "artisanal",
        }
    }

    /// Finds the kind with this code.
    pub fn from_code(code: &str) -> Option<LeafMining> {
        [LeafMining::Any, LeafMining::Industrial, LeafMining::Artisanal]
            .into_iter()
            .find(|mining| mining.as_str() == code)
    }
}

/// The most precise category: what a report can be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// `theme.category.subcategory`.
    pub code: CategoryCode,
    /// The first part of the code.
    pub theme: String,
    /// The first two parts of the code, with the dot.
    pub category: String,
    /// The last part of the code.
    pub subcategory: String,
    /// Name of the leaf.
    pub label: Label,
    /// Name of its category.
    pub category_label: Label,
    /// Name of its theme.
    pub theme_label: Label,
    /// Good practice or harm.
    pub valence: Valence,
    /// The kind of mining it is about.
    pub mining_mode: LeafMining,
    /// Severity to assume, 1 (minor) to 5 (extreme); good practice has none.
    pub default_severity: Option<u8>,
    /// Paragraphs of Annex II of the OECD due diligence guidance, such as `1v`; may be empty.
    pub oecd_annex2_para: Vec<String>,
    /// Nearest event type of ACLED.
    pub acled_event_type: Option<String>,
    /// Nearest sub-event type of ACLED.
    pub acled_sub_event_type: Option<String>,
    /// Nearest act of the HURIDOCS micro-thesaurus.
    pub huridocs_act_code: Option<String>,
    /// Set when the leaf may no longer be given to a report, from when on.
    pub retired_on: Option<NaiveDate>,
}

/// A theme with what stands below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme<'a> {
    /// One part.
    pub code: &'a str,
    /// Name of the theme.
    pub label: &'a Label,
    /// At least one, in file order.
    pub categories: Vec<Category<'a>>,
}

/// A category with its leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category<'a> {
    /// Two parts.
    pub code: &'a str,
    /// Name of the category.
    pub label: &'a Label,
    /// At least one, in file order, retired ones too.
    pub leaves: Vec<&'a Leaf>,
}

/// All leaves, in file order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taxonomy {
    leaves: Vec<Leaf>,
}

#[derive(Deserialize)]
struct LeafLine {
    code: String,
    theme: String,
    theme_en: String,
    theme_fr: String,
    category: String,
    category_en: String,
    category_fr: String,
    subcategory: String,
    label_en: String,
    label_fr: String,
    valence: String,
    mining_mode: String,
    oecd_annex2_para: String,
    acled_event_type: String,
    acled_sub_event_type: String,
    huridocs_act_code: String,
    default_severity: String,
    retired_on: String,
}

impl Taxonomy {
    /// Reads the built-in taxonomy.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn builtin() -> Result<Taxonomy, DataError> {
        Taxonomy::from_csv(include_str!("data/taxonomy.csv"))
    }

    /// Reads a taxonomy with the columns of `data/taxonomy.csv`.
    ///
    /// # Errors
    /// A line that is not readable, a code given twice or unlike its parts, an empty label, a parent named in two ways,
    /// or a valence, mining mode, severity or day that is none.
    pub fn from_csv(text: &str) -> Result<Taxonomy, DataError> {
        let mut leaves: Vec<Leaf> = Vec::new();
        let mut line_of: HashMap<String, u64> = HashMap::new();
        for (place, line) in read_lines::<LeafLine>(FILE, text)? {
            let leaf = read_leaf(place, line)?;
            check_parents(place, &leaves, &leaf)?;
            if let Some(first) = line_of.insert(leaf.code.0.clone(), place.line) {
                return Err(
                    place.fault("code", format!("{:?} is already on line {first}", leaf.code.0))
                );
            }
            leaves.push(leaf);
        }
        if leaves.is_empty() {
            return Err(DataError::Missing { file: FILE, detail: "no category".to_owned() });
        }
        Ok(Taxonomy { leaves })
    }

    /// Returns the leaf that a sender may give to a report.
    ///
    /// # Errors
    /// `Unknown` with a proposal where one is near, `NotALeaf` for a theme or category, `Retired` as soon as the file
    /// holds a day of retirement.
    pub fn leaf(&self, code: &str) -> Result<&Leaf, CodeError> {
        let Some(leaf) = self.find_leaf(code) else {
            return Err(self.explain(code));
        };
        match leaf.retired_on {
            None => Ok(leaf),
            Some(retired_on) => Err(CodeError::Retired { code: code.to_owned(), retired_on }),
        }
    }

    /// Finds the leaf of a stored code, retired or not.
    pub fn find_leaf(&self, code: &str) -> Option<&Leaf> {
        self.leaves.iter().find(|leaf| leaf.code.as_str() == code)
    }

    /// Lists all leaves in file order, retired ones too.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// Returns whether the code is a theme, a category or a leaf, retired or not.
    pub fn covers(&self, parent_or_leaf: &str) -> bool {
        self.leaves_under(parent_or_leaf).next().is_some()
    }

    /// Lists the leaves that a theme, category or leaf code stands for, retired ones too.
    ///
    /// # Shape
    /// In file order; empty when nothing has the code.
    pub fn leaves_under<'a>(&'a self, parent_or_leaf: &'a str) -> impl Iterator<Item = &'a Leaf> {
        self.leaves.iter().filter(move |leaf| {
            [leaf.theme.as_str(), leaf.category.as_str(), leaf.code.as_str()]
                .contains(&parent_or_leaf)
        })
    }

    /// Returns the whole tree.
    ///
    /// # Shape
    /// Themes in the order of their first leaf, so are categories; leaves in file order, retired ones too.
    pub fn themes(&self) -> Vec<Theme<'_>> {
        let mut themes: Vec<Theme<'_>> = Vec::new();
        for leaf in &self.leaves {
            match themes.iter_mut().find(|theme| theme.code == leaf.theme) {
                Some(theme) => add_to_theme(theme, leaf),
                None => themes.push(Theme {
                    code: &leaf.theme,
                    label: &leaf.theme_label,
                    categories: vec![first_of_category(leaf)],
                }),
            }
        }
        themes
    }

    fn explain(&self, code: &str) -> CodeError {
        let mut children: Vec<String> = Vec::new();
        for leaf in self.leaves_under(code).filter(|leaf| leaf.retired_on.is_none()) {
            let child = if leaf.theme == code { &leaf.category } else { &leaf.code.0 };
            if !children.contains(child) {
                children.push(child.clone());
            }
        }
        let code = code.to_owned();
        if self.covers(&code) {
            return CodeError::NotALeaf { code, children };
        }
        let did_you_mean = self.propose(&code);
        CodeError::Unknown { code, did_you_mean }
    }

    /// Finds the leaf that was meant: by its whole code, or by its last part alone (`killing`).
    fn propose(&self, code: &str) -> Option<String> {
        let usable = || self.leaves.iter().filter(|leaf| leaf.retired_on.is_none());
        let whole = nearest(code, usable().map(|leaf| leaf.code.as_str()));
        if let Some(whole) = whole {
            return Some(whole.to_owned());
        }
        let last_part = code.rsplit('.').next().unwrap_or(code);
        let subcategory = nearest(last_part, usable().map(|leaf| leaf.subcategory.as_str()))?;
        usable().find(|leaf| leaf.subcategory == subcategory).map(|leaf| leaf.code.0.clone())
    }
}

fn add_to_theme<'a>(theme: &mut Theme<'a>, leaf: &'a Leaf) {
    match theme.categories.iter_mut().find(|category| category.code == leaf.category) {
        Some(category) => category.leaves.push(leaf),
        None => theme.categories.push(first_of_category(leaf)),
    }
}

fn first_of_category(leaf: &Leaf) -> Category<'_> {
    Category { code: &leaf.category, label: &leaf.category_label, leaves: vec![leaf] }
}

fn read_leaf(place: Place, line: LeafLine) -> Result<Leaf, DataError> {
    let category = format!("{}.{}", line.theme, line.category);
    let code = format!("{category}.{}", line.subcategory);
    if line.code != code {
        return Err(place.fault("code", format!("{:?} is not {code:?}", line.code)));
    }
    Ok(Leaf {
        code: CategoryCode(code),
        theme: line.theme,
        category,
        subcategory: line.subcategory,
        label: place.label(["label_en", "label_fr"], [line.label_en, line.label_fr])?,
        category_label: place
            .label(["category_en", "category_fr"], [line.category_en, line.category_fr])?,
        theme_label: place.label(["theme_en", "theme_fr"], [line.theme_en, line.theme_fr])?,
        valence: Valence::from_code(&line.valence).ok_or_else(|| {
            let detail =
                format!("{:?} is neither \"good_practice\" nor \"negative\"", line.valence);
            place.fault("valence", detail)
        })?,
        mining_mode: LeafMining::from_code(&line.mining_mode).ok_or_else(|| {
            let detail = format!("{:?} is not one of any, industrial, artisanal", line.mining_mode);
            place.fault("mining_mode", detail)
        })?,
        default_severity: read_severity(place, &line.default_severity)?,
        oecd_annex2_para: line
            .oecd_annex2_para
            .split(';')
            .filter(|para| !para.is_empty())
            .map(str::to_owned)
            .collect(),
        acled_event_type: filled(line.acled_event_type),
        acled_sub_event_type: filled(line.acled_sub_event_type),
        huridocs_act_code: filled(line.huridocs_act_code),
        retired_on: read_day(place, &line.retired_on)?,
    })
}

fn read_severity(place: Place, text: &str) -> Result<Option<u8>, DataError> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse() {
        Ok(severity @ 1..=5) => Ok(Some(severity)),
        Ok(_) | Err(_) => {
            Err(place.fault("default_severity", format!("{text:?} is not one of 1..=5")))
        }
    }
}

fn read_day(place: Place, text: &str) -> Result<Option<NaiveDate>, DataError> {
    if text.is_empty() {
        return Ok(None);
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|error| {
        place.fault("retired_on", format!("{text:?} is not a day like 2026-01-31: {error}"))
    })?;
    Ok(Some(day))
}

/// A theme or category has one name; two would make the answer depend on the order of the lines.
fn check_parents(place: Place, before: &[Leaf], leaf: &Leaf) -> Result<(), DataError> {
    let theme = before.iter().find(|known| known.theme == leaf.theme);
    if let Some(known) = theme.filter(|known| known.theme_label != leaf.theme_label) {
        return Err(
            place.fault("theme_en", format!("theme {:?} has another name above", known.theme))
        );
    }
    let category = before.iter().find(|known| known.category == leaf.category);
    if let Some(known) = category.filter(|known| known.category_label != leaf.category_label) {
        let detail = format!("category {:?} has another name above", known.category);
        return Err(place.fault("category_en", detail));
    }
    Ok(())
}
