//! What a retag changed, counted by incident. Pure.

use std::collections::BTreeMap;

/// What changed, or would.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct RetagReport {
    /// Reports looked at.
    pub n_reports: usize,
    /// Incidents whose areas change.
    pub n_incidents: usize,
    /// Incidents that would change, were their place not a reviewer's word.
    pub n_kept: usize,
    /// Reports whose place cannot be computed any more; they stay.
    pub n_unplaced: usize,
    /// By country, level, old and new area.
    pub changes: Vec<AreaChange>,
}

/// Incidents that go from one area to another.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AreaChange {
    /// Alpha-3 code.
    pub country: String,
    /// `admin1` or `admin2`.
    pub level: &'static str,
    /// Old area.
    pub from: Option<String>,
    /// New area.
    pub to: Option<String>,
    /// How many.
    pub n_incidents: usize,
}

/// Areas of one report or incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AreaPair {
    pub(crate) admin1: Option<String>,
    pub(crate) admin2: Option<String>,
}

/// What a change of reports does to their incident.
pub(crate) struct Foreseen {
    pub(crate) country: String,
    /// A reviewer settled the place.
    pub(crate) is_kept: bool,
    pub(crate) before: AreaPair,
    pub(crate) after: AreaPair,
}

impl Foreseen {
    /// Returns the names of the fields that change.
    pub(crate) fn fields(&self) -> Vec<&'static str> {
        let admin1 = (self.before.admin1 != self.after.admin1).then_some("admin1");
        let admin2 = (self.before.admin2 != self.after.admin2).then_some("admin2");
        admin1.into_iter().chain(admin2).collect()
    }
}

/// Country, level, old and new area.
type ChangeKey = (String, &'static str, Option<String>, Option<String>);

/// Counts incidents, by what becomes of their areas.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) report: RetagReport,
    changes: BTreeMap<ChangeKey, usize>,
}

impl Tally {
    pub(crate) fn add(&mut self, foreseen: &Foreseen) {
        let fields = foreseen.fields();
        if fields.is_empty() {
            return;
        }
        if foreseen.is_kept {
            self.report.n_kept += 1;
            return;
        }
        self.report.n_incidents += 1;
        for field in fields {
            let (before, after) = (foreseen.before.clone(), foreseen.after.clone());
            let (from, to) = if field == "admin1" {
                (before.admin1, after.admin1)
            } else {
                (before.admin2, after.admin2)
            };
            *self.changes.entry((foreseen.country.clone(), field, from, to)).or_default() += 1;
        }
    }

    pub(crate) fn finish(self) -> RetagReport {
        let changes = self.changes.into_iter().map(|((country, level, from, to), n_incidents)| {
            AreaChange { country, level, from, to, n_incidents }
        });
        RetagReport { changes: changes.collect(), ..self.report }
    }
}
