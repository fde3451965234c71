//! The signs a text gives beside the terms of the lexicon: each of its words, each pair of words, the concepts it holds.

use crate::taxonomy::lexicon::cues::Cue;
use crate::taxonomy::lexicon::reading::Reading;
use crate::taxonomy::lexicon::scope::Meant;
use crate::taxonomy::lexicon::tokens::{Gap, Tokens};
use crate::taxonomy::lexicon::vocabulary::ElementId;

/// Something a text gives, by the name it has in `data/signs.csv.gz`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sign {
    /// `shoot`, `~shoot` where it is denied, `shoot digger` for a pair, `{soldiers}` for a concept, `#lesson` for a cue.
    pub name: String,
    /// Index of its first word in the text.
    pub first: usize,
    /// Index of its last word.
    pub last: usize,
}

/// Lists the signs of a text, each name once, where it stands first.
pub(crate) fn list_signs(
    tokens: &Tokens,
    reading: &Reading,
    meant: &[Meant],
    concepts: &[(String, ElementId)],
) -> Vec<Sign> {
    let mut signs = words_and_pairs(tokens, reading, meant);
    for (name, element) in concepts {
        signs.extend(reading.places(*element).iter().map(|found| Sign {
            name: named(name, meant.get(found.first)),
            first: found.first,
            last: found.last,
        }));
    }
    for (element, (_, code)) in Cue::ALL.iter().enumerate() {
        signs.extend(reading.places(element).iter().map(|found| Sign {
            name: format!("#{code}"),
            first: found.first,
            last: found.last,
        }));
    }
    signs.sort();
    signs.dedup_by(|later, first| later.name == first.name);
    signs
}

fn words_and_pairs(tokens: &Tokens, reading: &Reading, meant: &[Meant]) -> Vec<Sign> {
    let mut signs = Vec::new();
    let mut before: Option<(&str, usize)> = None;
    for (key, index) in reading.keys() {
        let name = named(key, meant.get(index));
        signs.push(Sign { name, first: index, last: index });
        if let Some((other, first)) = before.filter(|(_, first)| are_joined(tokens, *first, index))
        {
            signs.push(Sign { name: format!("{other} {key}"), first, last: index });
        }
        before = Some((key, index));
    }
    signs
}

/// Says whether no clause ends between two words.
fn are_joined(tokens: &Tokens, first: usize, last: usize) -> bool {
    let between = tokens.words.get(first + 1..=last).unwrap_or_default();
    between.iter().all(|token| token.gap == Gap::Word)
}

fn named(key: &str, meant: Option<&Meant>) -> String {
    match meant {
        Some(meant) if meant.is_denied => format!("~{key}"),
        Some(meant) if meant.is_unreal || meant.is_lesson || meant.is_idiom => format!("?{key}"),
        Some(_) | None => key.to_owned(),
    }
}
