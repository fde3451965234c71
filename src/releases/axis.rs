//! The three axes along which a release divides incidents: place, time, category. Each is a tree of codes whose leaves
//! are what is known most finely.

use std::collections::{BTreeMap, BTreeSet};

use crate::releases::period::{Month, When};

/// The code of everything along an axis.
pub const ALL: &str = "*";

/// The code of incidents of which the country is known and no area.
pub const NO_AREA: &str = "none";

/// A branch of an axis: everything below `codes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// What it is called; several where it is no whole that has a name.
    pub codes: Vec<String>,
    /// What it falls into; none at a leaf.
    pub children: Vec<Branch>,
}

impl Branch {
    fn leaf(code: String) -> Self {
        Self { codes: vec![code], children: Vec::new() }
    }

    /// Returns the codes of its leaves.
    pub fn list_leaves(&self) -> Vec<&str> {
        if self.children.is_empty() {
            return self.codes.iter().map(String::as_str).collect();
        }
        self.children.iter().flat_map(Self::list_leaves).collect()
    }
}

/// Returns the areas of a country, and what lies in none of them.
pub fn places<'a>(areas: impl IntoIterator<Item = &'a str>) -> Branch {
    let mut codes: BTreeSet<&str> = areas.into_iter().collect();
    codes.insert(NO_AREA);
    let children = codes.into_iter().map(|code| Branch::leaf(code.to_owned())).collect();
    Branch { codes: vec![ALL.to_owned()], children }
}

/// Returns themes with their categories, from codes `theme.category`.
pub fn categories<'a>(codes: impl IntoIterator<Item = &'a str>) -> Branch {
    let mut themes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for code in codes {
        let theme = code.split('.').next().unwrap_or(code);
        themes.entry(theme).or_default().insert(code);
    }
    let children = themes.into_iter().map(|(theme, categories)| Branch {
        codes: vec![theme.to_owned()],
        children: categories.into_iter().map(|code| Branch::leaf(code.to_owned())).collect(),
    });
    Branch { codes: vec![ALL.to_owned()], children: children.collect() }
}

/// Returns what of a year is over with the months `from` to `to`, both of that year: its quarters and months, and what
/// is known no better than a quarter or the year where that ends within.
pub fn times(year: i32, from: u32, to: u32) -> Branch {
    let quarters: Vec<Branch> =
        (1..=4).filter_map(|quarter| quarter_of(year, quarter, from, to)).collect();
    let mut children = quarters;
    if to == 12 {
        children.push(Branch::leaf(format!("{year}-XX")));
    }
    let codes = match (from, to) {
        (1, 12) => vec![year.to_string()],
        _ => children.iter().flat_map(|child| child.codes.clone()).collect(),
    };
    Branch { codes, children }
}

fn quarter_of(year: i32, quarter: u32, from: u32, to: u32) -> Option<Branch> {
    let (first, last) = (quarter * 3 - 2, quarter * 3);
    let months = (first.max(from)..=last.min(to)).filter_map(|month| Month::new(year, month));
    let mut children: Vec<Branch> = months.map(|month| Branch::leaf(month.to_string())).collect();
    if children.is_empty() {
        return None;
    }
    if to >= last {
        children.push(Branch::leaf(format!("{year}-Q{quarter}-XX")));
    }
    let codes = if from <= first && to >= last {
        vec![format!("{year}-Q{quarter}")]
    } else {
        children.iter().flat_map(|child| child.codes.clone()).collect()
    };
    Some(Branch { codes, children })
}

/// Returns the code under which a leaf of [`times`] stands.
pub fn leaf_of(when: When) -> String {
    when.codes().into_iter().next().unwrap_or_default()
}

/// Returns the codes of what holds an area, the narrowest first.
pub fn holders_of_place(area: &str) -> [&str; 2] {
    [area, ALL]
}

/// Returns the codes of what holds a category, the narrowest first.
pub fn holders_of_category(code: &str) -> [&str; 3] {
    [code, code.split('.').next().unwrap_or(code), ALL]
}
