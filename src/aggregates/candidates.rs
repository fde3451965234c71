//! What a text search opens: the incidents that the other filters leave.

use crate::aggregates::columns::Columns;
use crate::aggregates::country::filter_before;
use crate::aggregates::plan::{COUNTED, DROPPED, Plan};
use crate::aggregates::query::Selector;
use crate::aggregates::scan::BLOCK;
use crate::incidents::search::Candidates;

/// How far an answer looks beyond the incidents it lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Nowhere: a list.
    Listed,
    /// To what it leaves out and tells of: other states, tests, mismatches, the edges of the period.
    Counted,
    /// To the period before too.
    Compared,
}

impl Columns {
    /// Returns the incidents with reports in which an answer of this reach searches.
    ///
    /// # Shape
    /// Ascending.
    pub fn list_candidates(&self, selector: &Selector<'_>, reach: Reach) -> Candidates {
        let before = match reach {
            Reach::Compared => filter_before(selector.filter()),
            Reach::Listed | Reach::Counted => None,
        };
        let mut plans = vec![Plan::compile(self, selector)];
        plans
            .extend(before.iter().map(|filter| Plan::compile(self, &selector.with_filter(filter))));
        let is_wanted = |verdict: u8| match reach {
            Reach::Listed => verdict == COUNTED,
            Reach::Counted | Reach::Compared => verdict & DROPPED == 0,
        };
        let mut found = Candidates::default();
        let mut is_country = vec![false; self.countries.entries().len()];
        let mut verdicts = [COUNTED; BLOCK];
        for start in (0..self.len()).step_by(BLOCK) {
            let n_rows = BLOCK.min(self.len() - start);
            let mut wanted = [false; BLOCK];
            for plan in &plans {
                let verdicts = verdicts.split_at_mut(n_rows).0;
                plan.judge(start, verdicts);
                for (wanted, verdict) in wanted.iter_mut().zip(verdicts) {
                    *wanted |= is_wanted(*verdict);
                }
            }
            for (row, _) in (start..start + n_rows).zip(wanted).filter(|(_, is_wanted)| *is_wanted)
            {
                let reports = self.reports.get(row).copied().unwrap_or_default();
                if let Some(id) = self.row_ids.get(row).filter(|_| reports > 0) {
                    found.ids.push(*id);
                    found.n_reports += u64::from(reports);
                    if let Some(seen) = is_country.get_mut(self.countries.ids.index_at(row)) {
                        *seen = true;
                    }
                }
            }
        }
        let countries = self.countries.entries().iter().zip(is_country);
        let countries = countries.filter(|(_, is_there)| *is_there);
        found.countries = countries.map(|(pair, _)| pair.declared.clone()).collect();
        found
    }
}
