//! When two spellings mean one name: French and English ears, and slips of the finger.

/// Where both spellings have fewer letters than this, they are too few to guess at.
const MIN_GUESS_LETTERS: usize = 5;
/// From so many letters on, two slips are forgiven.
const MIN_LETTERS_FOR_TWO: usize = 8;
/// Names that sound alike may still differ in no more letters than this.
const MAX_ALIKE: usize = 3;
/// Longer names are compared by their first letters only, which bounds the work.
const MAX_LETTERS: usize = 40;

/// What French and English write differently, longest first; the right side is the common form.
///
/// Made from pairs in the gazetteer's own other names: *Koidu, Koïdou*; *Jenne, Djenné*; *Tshikapa, Tchikapa*.
const SOUNDS: [(&str, &str); 17] = [
    ("tch", "c"),
    ("tsh", "c"),
    ("sch", "c"),
    ("ch", "c"),
    ("sh", "c"),
    ("ph", "f"),
    ("ou", "u"),
    ("oo", "u"),
    ("ee", "i"),
    ("dj", "j"),
    ("gn", "ni"),
    ("qu", "k"),
    ("ck", "k"),
    ("ce", "se"),
    ("ci", "si"),
    ("ge", "je"),
    ("gi", "ji"),
];

/// Returns how a compact spelling sounds: its letters without what is mute, doubled or a matter of language.
///
/// # Examples
/// `kouroussa` and `kurusa` both give `kurusa`.
pub(crate) fn sound(compact: &str) -> String {
    let mut heard = String::with_capacity(compact.len());
    let mut rest = compact;
    while let Some(letter) = rest.chars().next() {
        let (found, length) = match SOUNDS.iter().find(|(written, _)| rest.starts_with(written)) {
            Some((written, sound)) => (*sound, written.len()),
            None => (plain(letter), letter.len_utf8()),
        };
        if found.is_empty() && letter != 'h' {
            push(&mut heard, letter);
        }
        found.chars().for_each(|letter| push(&mut heard, letter));
        rest = rest.get(length..).unwrap_or_default();
    }
    heard
}

/// Returns the common form of a single letter; empty where the letter stands for itself or is mute.
fn plain(letter: char) -> &'static str {
    match letter {
        'y' => "i",
        'w' => "u",
        'c' | 'q' => "k",
        'z' => "s",
        _ => "",
    }
}

fn push(heard: &mut String, letter: char) {
    if !heard.ends_with(letter) {
        heard.push(letter);
    }
}

/// How far a spelling is from a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Closeness {
    /// The same letters.
    Same,
    /// It sounds the same.
    SoundsAlike,
    /// One slip.
    OneSlip,
    /// Two slips in a long name.
    TwoSlips,
}

/// Compares two compact spellings; `None` when they are not the same name.
pub(crate) fn compare(written: &str, known: &str) -> Option<Closeness> {
    if written == known {
        return Some(Closeness::Same);
    }
    let n_slips = count_slips(written, known);
    if n_slips <= MAX_ALIKE && sound(written) == sound(known) {
        return Some(Closeness::SoundsAlike);
    }
    let n_letters = written.chars().count().max(known.chars().count());
    match n_slips {
        1 if n_letters >= MIN_GUESS_LETTERS => Some(Closeness::OneSlip),
        2 if n_letters >= MIN_LETTERS_FOR_TWO => Some(Closeness::TwoSlips),
        _ => None,
    }
}

/// Counts the letters to insert, drop, change or swap with their neighbour.
///
/// # Source
/// Optimal string alignment distance: F. J. Damerau, *A technique for computer detection and correction of spelling
/// errors*, Communications of the ACM 7 (1964).
fn count_slips(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().take(MAX_LETTERS).collect();
    let right: Vec<char> = right.chars().take(MAX_LETTERS).collect();
    if left.len().abs_diff(right.len()) > MAX_ALIKE {
        return MAX_ALIKE + 1;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    let mut previous = None;
    for (row, letter) in left.iter().enumerate() {
        let mut line = vec![row + 1];
        let mut other_previous = None;
        for (column, other) in right.iter().enumerate() {
            let at =
                |line: &[usize], column: usize| line.get(column).copied().unwrap_or(MAX_LETTERS);
            let change = at(&above, column) + usize::from(letter != other);
            let insert = at(&line, column) + 1;
            let drop = at(&above, column + 1) + 1;
            let is_swap = previous == Some(other) && other_previous == Some(letter);
            let swap = match column.checked_sub(1) {
                Some(column) if is_swap => at(&before, column) + 1,
                Some(_) | None => MAX_LETTERS,
            };
            line.push(change.min(insert).min(drop).min(swap));
            other_previous = Some(other);
        }
        previous = Some(letter);
        before = std::mem::replace(&mut above, line);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use crate::geo::gazetteer::spelling::{Closeness, compare, count_slips, sound};

    #[test]
    fn french_and_english_spellings_sound_the_same() {
        for (french, english) in [
            ("koidou", "koidu"),
            ("kouroussa", "kurusa"),
            ("djenne", "jenne"),
            ("tchikapa", "tshikapa"),
            ("sefadou", "sefadu"),
            ("ouassou", "wasu"),
            ("kankan", "cancan"),
            ("mbujimayi", "mbujimai"),
            ("quinhamel", "kinamel"),
        ] {
            assert_eq!(sound(french), sound(english), "{french} {english}");
        }
        assert_ne!(sound("bria"), sound("boda"));
    }

    #[test]
    fn a_slip_is_one_letter_inserted_dropped_changed_or_swapped() {
        for (written, n_slips) in [
            ("tortiya", 0),
            ("tortya", 1),
            ("torttiya", 1),
            ("tortija", 1),
            ("totriya", 1),
            ("totrija", 2),
            ("abc", 4),
        ] {
            assert_eq!(count_slips(written, "tortiya"), n_slips, "{written}");
        }
    }

    #[test]
    fn short_names_are_not_guessed_at() {
        assert_eq!(compare("bira", "bria"), None);
        assert_eq!(compare("boda", "bodda"), Some(Closeness::SoundsAlike));
        assert_eq!(compare("torciya", "tortiya"), Some(Closeness::OneSlip));
        assert_eq!(compare("torciha", "tortiya"), None);
        assert_eq!(compare("berbiratti", "berberati"), Some(Closeness::TwoSlips));
        assert_eq!(compare("carnot", "carnot"), Some(Closeness::Same));
    }
}
