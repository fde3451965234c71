//! What many labelled texts taught: how much each sign of a text speaks for each leaf, and for none of them.
//!
//! The terms of the lexicon say what a text means where somebody thought of its words; most people use others. Weights
//! of a multinomial logistic regression over signs and over what the lexicon found weigh both together. They are learnt
//! by `data/learn_signs.py` from `tests/data/narratives_develop.csv`, never from the part that measures them.

use std::collections::HashMap;
use std::io::Read;

use flate2::read::GzDecoder;
use serde::Deserialize;

use crate::taxonomy::catalogue::Taxonomy;
use crate::taxonomy::error::DataError;
use crate::taxonomy::lexicon::language::Language;
use crate::taxonomy::lexicon::signs::Sign;
use crate::taxonomy::lexicon::sources::Spoken;
use crate::taxonomy::read::read_lines;

const FILE: &str = "signs.csv.gz";
/// What every text gives.
const BIAS: &str = "#any";
/// The class of texts that tell of no leaf.
const NONE: &str = "none";

/// A weight for one class.
#[derive(Debug, Clone, Copy)]
struct Weight {
    class: usize,
    weight: f64,
}

/// The weights of one language.
pub(crate) struct Learned {
    /// Whether each leaf, in the order of the taxonomy, may be suggested: a retired one is no more. The class behind them
    /// is none of them.
    is_live: Vec<bool>,
    weights: HashMap<Box<str>, Box<[Weight]>>,
}

/// What the signs say of a leaf.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judged {
    pub(crate) leaf: usize,
    /// How likely the text tells of this leaf, among all leaves and nothing, 0..=1.
    pub(crate) score: f64,
    /// How likely it tells of this leaf rather than of nothing, 0..=1.
    pub(crate) certainty: f64,
}

#[derive(Deserialize)]
struct WeightLine {
    language: String,
    sign: String,
    code: String,
    weight: f64,
}

/// Unpacks the built-in weights.
///
/// # Errors
/// When the file is damaged.
pub(crate) fn unpack() -> Result<String, DataError> {
    let mut text = String::new();
    GzDecoder::new(include_bytes!("../data/signs.csv.gz").as_slice())
        .read_to_string(&mut text)
        .map_err(|error| DataError::Missing { file: FILE, detail: error.to_string() })?;
    Ok(text)
}

impl Learned {
    /// Reads the weights of each language, in the order of [`Language::ALL`], from a text with the columns
    /// `language,sign,code,weight`.
    ///
    /// # Errors
    /// A line that is not readable, a language or a code that is none.
    pub(crate) fn read(
        text: &str,
        taxonomy: &Taxonomy,
    ) -> Result<[Learned; Language::ALL.len()], DataError> {
        let leaves = taxonomy.leaves();
        let classes = leaves.iter().map(|leaf| leaf.code.as_str()).chain([NONE]);
        let classes: HashMap<&str, usize> = classes.zip(0..).collect();
        let mut of_languages = Language::ALL.map(|_| HashMap::<Box<str>, Vec<Weight>>::new());
        for (place, line) in read_lines::<WeightLine>(FILE, text)? {
            let spoken = Spoken::read(place, &line.language)?;
            let class = classes.get(line.code.as_str()).copied();
            let class =
                class.ok_or_else(|| place.fault("code", format!("{:?} is no leaf", line.code)))?;
            let weight = Weight { class, weight: line.weight };
            for (language, weights) in Language::ALL.into_iter().zip(&mut of_languages) {
                if spoken.covers(language) {
                    weights.entry(line.sign.as_str().into()).or_default().push(weight);
                }
            }
        }
        Ok(of_languages.map(|weights| Learned {
            is_live: leaves.iter().map(|leaf| leaf.retired_on.is_none()).collect(),
            weights: weights.into_iter().map(|(sign, list)| (sign, list.into())).collect(),
        }))
    }

    /// Says whether nothing was learnt: then the terms of the lexicon speak alone.
    pub(crate) fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// Weighs the signs of a text and what the terms of the lexicon say in it: code and score.
    ///
    /// # Shape
    /// All leaves that may be suggested, in their order.
    pub(crate) fn judge(&self, signs: &[Sign], terms: &[(&str, f64)]) -> Vec<Judged> {
        let mut sums = vec![0.0; self.is_live.len() + 1];
        let mut add = |sign: &str, times: f64| {
            for weight in self.weights_of(sign) {
                if let Some(sum) = sums.get_mut(weight.class) {
                    *sum += weight.weight * times;
                }
            }
        };
        add(BIAS, 1.0);
        for (code, score) in terms {
            add(code, *score);
        }
        // A long text gives more signs, and each of them says less.
        let share = 1.0 / count(signs.len().max(1)).sqrt();
        for sign in signs {
            add(&sign.name, share);
        }
        let largest = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let odds: Vec<f64> = sums.iter().map(|sum| (sum - largest).exp()).collect();
        let all: f64 = odds.iter().sum();
        let none = odds.last().copied().unwrap_or_default();
        let of_leaves = odds.iter().zip(&self.is_live).enumerate();
        of_leaves
            .filter(|(_, (_, is_live))| **is_live)
            .map(|(leaf, (odds, _))| Judged {
                leaf,
                score: odds / all,
                certainty: odds / (odds + none),
            })
            .collect()
    }

    /// Lists the signs that speak for a leaf, the loudest first.
    pub(crate) fn speaking_for<'a>(&self, leaf: usize, signs: &'a [Sign]) -> Vec<&'a Sign> {
        let weight_of = |sign: &Sign| {
            let mut weights = self.weights_of(&sign.name).iter();
            weights.find(|weight| weight.class == leaf).map_or(0.0, |weight| weight.weight)
        };
        let weighed = signs.iter().map(|sign| (weight_of(sign), sign));
        let mut speaking: Vec<(f64, &Sign)> = weighed.filter(|(weight, _)| *weight > 0.0).collect();
        speaking.sort_by(|one, other| other.0.total_cmp(&one.0));
        speaking.into_iter().map(|(_, sign)| sign).collect()
    }

    fn weights_of(&self, sign: &str) -> &[Weight] {
        self.weights.get(sign).map_or(&[], |weights| weights)
    }
}

/// Returns a small number as a fraction.
fn count(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use crate::taxonomy::catalogue::Taxonomy;
    use crate::taxonomy::lexicon::learned::Learned;
    use crate::taxonomy::lexicon::signs::Sign;

    const KILLING: &str = "rights.life_integrity.killing";

    fn read(lines: &str) -> Result<Learned, String> {
        let text = format!("language,sign,code,weight\n{lines}");
        let taxonomy = Taxonomy::builtin().unwrap();
        let read = Learned::read(&text, &taxonomy).map_err(|error| error.to_string());
        read.map(|[english, _french]| english)
    }

    fn sign(name: &str) -> Sign {
        Sign { name: name.to_owned(), first: 0, last: 0 }
    }

    #[test]
    fn signs_and_terms_speak_for_a_leaf_or_for_none() {
        let lines = format!(
            "en,shoot,{KILLING},9\n*,{{soldiers}},{KILLING},1\nfr,shoot,none,99\n\
             en,football,none,9\n*,{KILLING},{KILLING},9\n*,#any,none,5"
        );
        let learned = read(&lines).unwrap();
        let taxonomy = Taxonomy::builtin().unwrap();
        let killing =
            taxonomy.leaves().iter().position(|leaf| leaf.code.as_str() == KILLING).unwrap();
        let certainty = |signs: &[Sign], terms: &[(&str, f64)]| {
            let judged = learned.judge(signs, terms);
            judged.iter().find(|judged| judged.leaf == killing).unwrap().certainty
        };

        assert!(certainty(&[sign("shoot")], &[]) > 0.9);
        assert!(certainty(&[sign("shoot"), sign("football")], &[]) < 0.1);
        assert!(certainty(&[sign("unheard")], &[]) < 0.1);
        assert!(certainty(&[sign("unheard")], &[(KILLING, 1.0)]) > 0.9);
        let signs = [sign("{soldiers}"), sign("football"), sign("shoot")];
        let speaking = learned.speaking_for(killing, &signs);
        let names: Vec<&str> = speaking.iter().map(|sign| sign.name.as_str()).collect();
        assert_eq!(names, ["shoot", "{soldiers}"], "the loudest first");
    }

    #[test]
    fn a_code_that_is_no_leaf_is_refused_by_its_line() {
        let refused = read("en,shoot,rights.life_integrity.kiling,1").err().unwrap();

        assert!(refused.contains("signs.csv.gz") && refused.contains('2'), "{refused}");
    }
}
