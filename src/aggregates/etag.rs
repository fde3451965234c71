//! A fingerprint of an answer: it changes when and only when what the answer says does.

use crate::aggregates::answer::{Aggregate, Figures, Reconciliation};

/// Returns 32 hexadecimal digits that are equal for answers equal in everything but `as_of`.
///
/// It is no secret and withstands accidents, not attackers.
pub fn etag(aggregate: &Aggregate) -> String {
    let mut digest = Digest::new();
    digest.add_text(&format!("{:?}{:?}{:?}", aggregate.by, aggregate.filters, aggregate.scope));
    digest.add_text(&aggregate.coverage);
    digest.add_figures(&aggregate.total);
    digest.add_reconciliation(&aggregate.reconciliation);
    for cell in &aggregate.cells {
        for (_, key) in &cell.keys.0 {
            digest.add_key(key.as_deref());
        }
        digest.add_figures(&cell.figures);
    }
    digest.finish()
}

/// Two 64-bit lanes over words.
///
/// # Source
/// FNV-1a, <http://www.isthe.com/chongo/tech/comp/fnv/>, on words instead of bytes, each step folding the
/// upper half down; the second lane has its own odd factor.
struct Digest {
    lanes: [u64; 2],
}

const OFFSET: u64 = 0xCBF2_9CE4_8422_2325;
const FACTORS: [u64; 2] = [0x0000_0100_0000_01B3, 0x9E37_79B9_7F4A_7C15];

impl Digest {
    fn new() -> Self {
        Self { lanes: [OFFSET; 2] }
    }

    fn add(&mut self, word: u64) {
        for (lane, factor) in self.lanes.iter_mut().zip(FACTORS) {
            let mixed = (*lane ^ word).wrapping_mul(factor);
            *lane = mixed ^ (mixed >> 32);
        }
    }

    fn add_text(&mut self, text: &str) {
        for chunk in text.as_bytes().chunks(8) {
            let word = chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
            self.add(word);
        }
        // The length ends a text, so that two in a row cannot be read as another two.
        self.add(u64::try_from(text.len()).unwrap_or(u64::MAX));
    }

    fn add_key(&mut self, key: Option<&str>) {
        self.add(u64::from(key.is_some()));
        self.add_text(key.unwrap_or_default());
    }

    fn add_figures(&mut self, figures: &Figures) {
        self.add(figures.incidents);
        self.add(figures.reports);
        for figure in figures.harm.list() {
            self.add(u64::from(figure.is_some()));
            if let Some(figure) = figure {
                for part in [figure.min, figure.max, figure.stated] {
                    self.add(part);
                }
            }
        }
    }

    fn add_reconciliation(&mut self, reconciliation: &Reconciliation) {
        let Reconciliation {
            sum_of_cells,
            overlap,
            overlap_by_measure,
            mapped,
            unmapped,
            imprecise,
            straddling,
            undated,
            excluded,
        } = reconciliation;
        for number in [sum_of_cells, overlap, mapped, unmapped, imprecise, straddling, undated] {
            self.add(*number);
        }
        self.add_figures(&Figures {
            incidents: 0,
            reports: overlap_by_measure.reports,
            harm: overlap_by_measure.harm,
        });
        for number in [excluded.merged, excluded.test, excluded.mismatch] {
            self.add(number);
        }
        for (status, count) in &excluded.by_status {
            self.add_text(status);
            self.add(*count);
        }
    }

    fn finish(self) -> String {
        let [first, second] = self.lanes;
        format!("{first:016x}{second:016x}")
    }
}

#[cfg(test)]
mod tests {
    use crate::aggregates::answer::Aggregate;
    use crate::aggregates::etag::etag;
    use crate::aggregates::fixture::{ask, march};
    use crate::incidents::facts::Status;

    #[test]
    fn it_does_not_depend_on_as_of() {
        let answer = ask(&march(), "", "country");
        let later = Aggregate { as_of: answer.as_of + 1, ..answer.clone() };

        assert_eq!(etag(&answer), etag(&later));
        assert_eq!(etag(&answer).len(), 32);
    }

    #[test]
    fn it_changes_with_the_numbers_and_returns_with_them() {
        let mut facts = march();
        let before = etag(&ask(&facts, "", "country"));

        facts.change(9, |facts| facts.status = Status::Withdrawn);
        let withdrawn = etag(&ask(&facts, "", "country"));
        facts.change(9, |facts| facts.status = Status::Verified);

        assert_ne!(before, withdrawn);
        assert_eq!(before, etag(&ask(&facts, "", "country")));
    }

    #[test]
    fn a_change_that_no_number_shows_keeps_it() {
        let mut facts = march();
        let before = etag(&ask(&facts, "", "country"));

        facts.change(9, |facts| facts.channels = &["sms"]);

        assert_eq!(before, etag(&ask(&facts, "", "country")));
    }
}
