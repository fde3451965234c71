//! Finds the names that are written or sound like a given one.
//!
//! Two sorted lists: the compact spellings, for the same name and for beginnings; and the sound of each with every
//! single letter left out in turn, so that two sounds one slip apart meet in the same entry. What is looked up also
//! has two letters left out where it is long, which finds most of two slips without a list three times as long.
//!
//! # Source
//! Symmetric deletion: T. Bocek, E. Hunt, B. Stiller, *Fast similarity search in large dictionaries*, University of
//! Zurich (2007).

use std::ops::Range;

use crate::geo::gazetteer::spelling::sound;
use crate::geo::names::fold;

/// Nobody needs more beginnings than this; it bounds the work of a single letter.
const MAX_COMPLETIONS: usize = 10_000;
/// Sounds of so many letters are looked up with two of them left out; a longer one is a phrase, not a name.
const MIN_LETTERS_FOR_TWO: usize = 7;
const MAX_LETTERS_FOR_TWO: usize = 24;

/// One spelling of one place.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    letters: Range<u32>,
    /// Index of the place.
    pub(crate) place: u32,
    /// Whether the place is better known under another name.
    pub(crate) is_other: bool,
}

/// All spellings.
pub(crate) struct Names {
    /// The compact spellings, one after the other.
    letters: String,
    /// Sorted by spelling.
    sorted: Vec<Name>,
    /// Hash of a sound, or of a sound with one letter left out, and index into `sorted`; sorted.
    sounds: Vec<(u32, u32)>,
}

/// Returns the letters and digits of a name alone: hyphens, apostrophes and spaces are written at will.
pub(crate) fn compact(name: &str) -> String {
    fold(name).split(' ').collect()
}

impl Names {
    /// Builds the lists from compact spellings, each with its place and whether it is an other name.
    pub(crate) fn new(mut spellings: Vec<(String, u32, bool)>) -> Names {
        spellings.sort_unstable();
        spellings.dedup_by(|next, kept| next.0 == kept.0 && next.1 == kept.1);
        let mut letters = String::new();
        let mut sorted = Vec::with_capacity(spellings.len());
        let mut sounds = Vec::new();
        for (number, (spelling, place, is_other)) in (0_u32..).zip(&spellings) {
            let start = u32::try_from(letters.len()).unwrap_or(u32::MAX);
            letters.push_str(spelling);
            let end = u32::try_from(letters.len()).unwrap_or(u32::MAX);
            sorted.push(Name { letters: start..end, place: *place, is_other: *is_other });
            sounds.extend(neighbours(&sound(spelling)).map(|hash| (hash, number)));
        }
        sounds.sort_unstable();
        sounds.dedup();
        sounds.shrink_to_fit();
        letters.shrink_to_fit();
        Names { letters, sorted, sounds }
    }

    /// Returns the compact spelling.
    pub(crate) fn spelling(&self, name: &Name) -> &str {
        let bounds =
            usize::try_from(name.letters.start).ok().zip(usize::try_from(name.letters.end).ok());
        bounds.and_then(|(start, end)| self.letters.get(start..end)).unwrap_or_default()
    }

    /// Lists the names of exactly this compact spelling.
    pub(crate) fn written(&self, compact: &str) -> &[Name] {
        let start = self.sorted.partition_point(|name| self.spelling(name) < compact);
        let rest = self.sorted.get(start..).unwrap_or_default();
        let n_same = rest.iter().take_while(|name| self.spelling(name) == compact).count();
        rest.get(..n_same).unwrap_or_default()
    }

    /// Lists the names that begin with this compact spelling, in alphabetical order.
    pub(crate) fn beginning(&self, compact: &str) -> impl Iterator<Item = &Name> {
        let start = self.sorted.partition_point(|name| self.spelling(name) < compact);
        self.sorted
            .get(start..)
            .unwrap_or_default()
            .iter()
            .take_while(move |name| self.spelling(name).starts_with(compact))
            .take(MAX_COMPLETIONS)
    }

    /// Lists names whose sound is at most about one slip away, each once; some of them are further away.
    pub(crate) fn sounding_like(&self, compact: &str) -> Vec<&Name> {
        let heard = sound(compact);
        let is_long = (MIN_LETTERS_FOR_TWO..=MAX_LETTERS_FOR_TWO).contains(&heard.len());
        let further = is_long.then(|| without_two(&heard)).into_iter().flatten();
        let mut numbers: Vec<u32> = neighbours(&heard)
            .chain(further)
            .flat_map(|hash| {
                let start = self.sounds.partition_point(|(known, _)| *known < hash);
                let rest = self.sounds.get(start..).unwrap_or_default();
                rest.iter().take_while(move |(known, _)| *known == hash).map(|(_, number)| *number)
            })
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
            .into_iter()
            .filter_map(|number| self.sorted.get(usize::try_from(number).ok()?))
            .collect()
    }
}

/// Returns hashes of the sound and of the sound less each of its letters.
fn neighbours(sound: &str) -> impl Iterator<Item = u32> {
    let less_one = sound.char_indices().map(|(at, letter)| {
        let after = sound.get(at + letter.len_utf8()..).unwrap_or_default();
        hash(sound.get(..at).unwrap_or_default().bytes().chain(after.bytes()))
    });
    std::iter::once(hash(sound.bytes())).chain(less_one)
}

/// Returns hashes of the sound less each two of its letters.
fn without_two(sound: &str) -> impl Iterator<Item = u32> {
    let sound = sound.as_bytes();
    (0..sound.len()).flat_map(move |first| {
        (first + 1..sound.len()).map(move |second| {
            let kept =
                sound.iter().enumerate().filter(move |(at, _)| *at != first && *at != second);
            hash(kept.map(|(_, byte)| *byte))
        })
    })
}

/// Hashes bytes; equal hashes of different sounds are told apart by comparing the spellings.
///
/// # Source
/// FNV-1a, 32 bit: G. Fowler, L. C. Noll, K.-P. Vo, D. Eastlake, *The FNV Non-Cryptographic Hash Algorithm*.
fn hash(bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use crate::geo::gazetteer::index::{Names, compact};

    fn names() -> Names {
        let spellings = ["Mbuji-Mayi", "Carnot", "Carnotville", "Koïdou", "Boda"];
        let numbered = (0_u32..).zip(spellings);
        Names::new(numbered.map(|(place, name)| (compact(name), place, false)).collect())
    }

    #[test]
    fn hyphens_spaces_and_apostrophes_do_not_matter() {
        for name in ["M'Buji Mayi", "MBUJIMAYI", "mbuji–mayi"] {
            let places: Vec<u32> =
                names().written(&compact(name)).iter().map(|name| name.place).collect();
            assert_eq!(places, [0], "{name}");
        }
        assert!(names().written("carno").is_empty());
    }

    #[test]
    fn a_beginning_lists_all_names_that_continue_it() {
        let names = names();

        let found: Vec<&str> = names.beginning("carno").map(|name| names.spelling(name)).collect();

        assert_eq!(found, ["carnot", "carnotville"]);
    }

    #[test]
    fn a_slip_anywhere_in_the_sound_is_met() {
        for written in ["koidu", "kodu", "kouidu", "kioudu", "goidou", "koiddu", "oidou"] {
            let names = names();
            let places: Vec<u32> =
                names.sounding_like(written).into_iter().map(|name| name.place).collect();
            assert!(places.contains(&3), "{written}");
        }
    }
}
