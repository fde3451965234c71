//! How well suggestions fit texts whose categories are known. Used by the tests and by `make bench`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::taxonomy::error::DataError;
use crate::taxonomy::read::read_lines;

const FILE: &str = "narratives";
/// How many suggestions are looked at for recall.
const TOP: usize = 3;

/// A text and what it tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// Unique in its file.
    pub id: String,
    /// `en` or `fr`.
    pub language: String,
    /// `field_note`, `sms`, `speech`, `press`, `regional`, `none` or `misleading`.
    pub kind: String,
    /// Leaf codes; empty where the text tells of none.
    pub categories: Vec<String>,
    /// The text.
    pub text: String,
}

#[derive(Deserialize)]
struct LabelledLine {
    id: String,
    language: String,
    kind: String,
    categories: String,
    text: String,
}

/// Reads texts with the columns `id,language,kind,categories,text`, the categories separated by semicolons.
///
/// # Errors
/// A line that is not readable.
pub fn read_labelled(text: &str) -> Result<Vec<Labelled>, DataError> {
    let lines = read_lines::<LabelledLine>(FILE, text)?;
    let labelled = lines.into_iter().map(|(_, line)| Labelled {
        id: line.id,
        language: line.language,
        kind: line.kind,
        categories: line
            .categories
            .split(';')
            .map(str::trim)
            .filter(|code| !code.is_empty())
            .map(str::to_owned)
            .collect(),
        text: line.text,
    });
    Ok(labelled.collect())
}

/// How well suggestions fit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// Texts in all.
    pub n_texts: usize,
    /// Leaves that at least one text tells of.
    pub n_leaves: usize,
    /// Share of a leaf's texts whose first suggestion is one of their categories, 0..=1, averaged over the leaves.
    pub precision_at_1: f64,
    /// Share of a leaf's texts that have it among their first three suggestions, 0..=1, averaged over the leaves.
    pub recall_at_3: f64,
    /// Texts that tell of no leaf.
    pub n_without: usize,
    /// Those of them that got a suggestion.
    pub n_false_alarms: usize,
}

impl Figures {
    /// Returns the share of texts without a category that got a suggestion, 0..=1.
    pub fn false_alarms(&self) -> f64 {
        share(self.n_false_alarms, self.n_without)
    }
}

#[derive(Default)]
struct OfLeaf {
    texts: usize,
    right_first: usize,
    right_on_top: usize,
}

/// Asks `suggest` for the codes of each text, best first, and compares.
///
/// Every leaf weighs the same, however many texts tell of it; silence is a miss.
pub fn measure(
    labelled: &[Labelled],
    mut suggest: impl FnMut(&Labelled) -> Vec<String>,
) -> Figures {
    let mut figures = Figures { n_texts: labelled.len(), ..Figures::default() };
    let mut leaves: BTreeMap<&str, OfLeaf> = BTreeMap::new();
    for one in labelled {
        let suggested = suggest(one);
        if one.categories.is_empty() {
            figures.n_without += 1;
            figures.n_false_alarms += usize::from(!suggested.is_empty());
        }
        let is_first_right = suggested.first().is_some_and(|code| one.categories.contains(code));
        let top: BTreeSet<&String> = suggested.iter().take(TOP).collect();
        for code in &one.categories {
            let leaf = leaves.entry(code).or_default();
            leaf.texts += 1;
            leaf.right_first += usize::from(is_first_right);
            leaf.right_on_top += usize::from(top.contains(code));
        }
    }
    figures.n_leaves = leaves.len();
    figures.precision_at_1 = mean(leaves.values().map(|leaf| share(leaf.right_first, leaf.texts)));
    figures.recall_at_3 = mean(leaves.values().map(|leaf| share(leaf.right_on_top, leaf.texts)));
    figures
}

fn share(part: usize, whole: usize) -> f64 {
    let count = |n: usize| u32::try_from(n).map_or(f64::INFINITY, f64::from);
    if whole == 0 { 0.0 } else { count(part) / count(whole) }
}

fn mean(shares: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = u32::try_from(shares.len()).map_or(f64::INFINITY, f64::from);
    if n == 0.0 { 0.0 } else { shares.sum::<f64>() / n }
}
