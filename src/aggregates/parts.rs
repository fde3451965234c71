//! How many rows incidents have in what belongs to them.

use crate::aggregates::columns::Columns;

/// Rows that belong to some incidents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Parts {
    /// Active reports.
    pub reports: u64,
    /// Measures of harm that they state.
    pub harm: u64,
    /// Kinds of actors, in each of them.
    pub actors: u64,
}

impl Columns {
    /// Counts what belongs to these incidents.
    pub fn count_parts(&self, ids: &[i64]) -> Parts {
        let n_measures: Vec<usize> = self
            .harm
            .entries()
            .iter()
            .map(|harm| harm.iter().filter(|measure| measure.is_some()).count())
            .collect();
        let mut parts = Parts::default();
        for row in ids.iter().filter_map(|id| self.row_ids.binary_search(id).ok()) {
            let n_measures = n_measures.get(self.harm.ids.index_at(row)).copied();
            let n_actors = self.actors.sets().get(self.actors.ids.index_at(row)).map(Vec::len);
            parts.reports += u64::from(self.reports.get(row).copied().unwrap_or_default());
            parts.harm += u64::try_from(n_measures.unwrap_or_default()).unwrap_or_default();
            parts.actors += u64::try_from(n_actors.unwrap_or_default()).unwrap_or_default();
        }
        parts
    }
}
