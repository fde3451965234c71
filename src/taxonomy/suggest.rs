//! What somebody meant who wrote a code wrongly.

/// Longer input is no slip of the pen, and comparing it would cost time.
const MAX_CHARS: usize = 100;
/// Beyond so many wrong letters a proposal is a guess.
const MAX_EDITS: usize = 4;

/// Returns the candidate written most like `written`, when one is near enough; the first of several equally near.
///
/// At most a third of the letters and never more than four may differ; upper and lower case are the same.
///
/// # Source
/// Edit distance: V. I. Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals",
/// Soviet Physics Doklady 10 (1966), pp. 707–710.
pub fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written: Vec<char> = written.trim().to_lowercase().chars().take(MAX_CHARS + 1).collect();
    if written.len() > MAX_CHARS {
        return None;
    }
    let limit = (written.len() / 3).min(MAX_EDITS);
    candidates
        .into_iter()
        .map(|candidate| (edit_distance(&written, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Counts the letters to insert, delete or replace.
fn edit_distance(written: &[char], candidate: &str) -> usize {
    // One row of the usual table: the distance of the candidate read so far to each beginning of `written`.
    let mut row: Vec<usize> = (0..=written.len()).collect();
    for letter in candidate.to_lowercase().chars() {
        let mut cells = row.iter_mut();
        let Some(first) = cells.next() else { break };
        let mut diagonal = *first;
        *first += 1;
        let mut left = *first;
        for (cell, other) in cells.zip(written) {
            let above = *cell;
            let replaced = diagonal + usize::from(*other != letter);
            *cell = replaced.min(above + 1).min(left + 1);
            diagonal = above;
            left = *cell;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use crate::taxonomy::suggest::{edit_distance, nearest};

    #[test]
    fn the_distance_counts_inserted_deleted_and_replaced_letters() {
        let cases = [
            ("kitten", "sitting", 3, "two replaced, one inserted"),
            ("", "abc", 3, "all inserted"),
            ("abc", "", 3, "all deleted"),
            ("flaw", "lawn", 2, "one deleted, one inserted"),
            ("Été", "été", 0, "case is ignored beyond ASCII"),
        ];

        for (written, candidate, distance, reason) in cases {
            let letters: Vec<char> = written.to_lowercase().chars().collect();
            assert_eq!(edit_distance(&letters, candidate), distance, "{reason}");
        }
    }

    #[test]
    fn only_a_near_candidate_is_proposed_and_the_first_of_equals() {
        let candidates = ["state_army", "state_police", "wgm", "wgs"];
        let cases = [
            ("state_polise", Some("state_police"), "one letter of twelve"),
            ("State Army", Some("state_army"), "case and a space"),
            ("wga", Some("wgm"), "two are equally near"),
            ("w", None, "a single letter says nothing"),
            ("", None, "nothing was written"),
            ("customs_border", None, "unlike all"),
        ];

        for (written, expected, reason) in cases {
            assert_eq!(nearest(written, candidates), expected, "{reason}");
        }
    }

    #[test]
    fn a_very_long_text_is_not_compared() {
        let written = "killing".repeat(1_000_000);

        assert_eq!(nearest(&written, [written.as_str()]), None);
    }
}
