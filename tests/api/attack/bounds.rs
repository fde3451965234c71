//! What an outsider can say for certain of one cell, from all that was answered: bounds by linear programming.

use std::collections::{BTreeMap, BTreeSet};

use microlp::{ComparisonOp, Error, LinearExpr, OptimizationDirection, Problem, SolveOutcome};

/// How a sum of cells stands to what was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Is {
    Exactly,
    AtLeast,
}

/// Everything that was answered: sums of cells, each not negative.
#[derive(Debug, Default)]
pub(crate) struct Answers(BTreeMap<(Vec<usize>, Is), u64>);

impl Answers {
    /// Takes an answer in.
    pub(crate) fn take(&mut self, cells: &BTreeSet<usize>, is: Is, value: u64) {
        if cells.is_empty() {
            return;
        }
        let known = self.0.entry((cells.iter().copied().collect(), is)).or_insert(value);
        match is {
            Is::Exactly => assert_eq!(*known, value, "two answers about one thing differ"),
            Is::AtLeast => *known = value.max(*known),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the exact answers about the same cells in both, later less earlier.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let exact = self.0.iter().filter(|((_, is), _)| *is == Is::Exactly);
        let both = exact.filter_map(|(key, later)| {
            let grown = later.checked_sub(*earlier.0.get(key)?);
            Some((key.clone(), grown.expect("figures of this test only grow")))
        });
        Self(both.collect())
    }

    /// Puts cells together that stand in the same answers: whatever holds of one holds of the other.
    pub(crate) fn system(&self) -> System {
        let mut columns: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (row, (cells, _)) in self.0.keys().enumerate() {
            for cell in cells {
                columns.entry(*cell).or_default().push(row);
            }
        }
        let mut groups: BTreeMap<Vec<usize>, BTreeSet<usize>> = BTreeMap::new();
        for (cell, rows) in columns {
            groups.entry(rows).or_default().insert(cell);
        }
        let groups: Vec<(Vec<usize>, BTreeSet<usize>)> = groups.into_iter().collect();
        let rows = self.0.iter().enumerate().map(|(row, ((_, is), value))| {
            let has = |(_, (rows, _)): &(usize, &(Vec<usize>, _))| rows.contains(&row);
            let members = groups.iter().enumerate().filter(has).map(|(nth, _)| nth);
            (members.collect(), *is, *value)
        });
        let rows = rows.collect();
        System { groups: groups.into_iter().map(|(_, cells)| cells).collect(), rows }
    }
}

/// Groups of cells, and the sums of groups that were answered.
pub(crate) struct System {
    groups: Vec<BTreeSet<usize>>,
    rows: Vec<(Vec<usize>, Is, u64)>,
}

impl System {
    /// Returns the least and the most that `cells` together may hold.
    pub(crate) fn bounds(&self, cells: &BTreeSet<usize>) -> (f64, f64) {
        let whole = |group: &BTreeSet<usize>| group.is_subset(cells);
        let touched = |group: &BTreeSet<usize>| !group.is_disjoint(cells);
        let known: usize = self.groups.iter().map(|group| group.intersection(cells).count()).sum();
        let least = self.solve(OptimizationDirection::Minimize, whole);
        let most = self.solve(OptimizationDirection::Maximize, touched);
        (least, if known < cells.len() { f64::INFINITY } else { most })
    }

    fn solve(
        &self,
        direction: OptimizationDirection,
        counts: impl Fn(&BTreeSet<usize>) -> bool,
    ) -> f64 {
        let mut problem = Problem::new(direction);
        let variables: Vec<_> = self
            .groups
            .iter()
            .map(|group| problem.add_var(f64::from(u8::from(counts(group))), (0.0, f64::INFINITY)))
            .collect();
        for (members, is, value) in &self.rows {
            let mut sum = LinearExpr::empty();
            for member in members {
                sum.add(variables[*member], 1.0);
            }
            let operator = match is {
                Is::Exactly => ComparisonOp::Eq,
                Is::AtLeast => ComparisonOp::Ge,
            };
            let value = f64::from(u32::try_from(*value).expect("a small number"));
            problem.add_constraint(sum, operator, value);
        }
        match problem.solve() {
            Ok(SolveOutcome::Solution(solution)) => solution.objective(),
            Ok(SolveOutcome::Interrupted(_)) => panic!("no limit was set"),
            Err(Error::Unbounded) => f64::INFINITY,
            Err(error) => panic!("the answers contradict one another: {error}"),
        }
    }
}

#[test]
fn a_total_and_its_other_parts_give_a_cell_away() {
    let set = |cells: &[usize]| cells.iter().copied().collect::<BTreeSet<_>>();
    let mut answers = Answers::default();
    answers.take(&set(&[0, 1, 2]), Is::Exactly, 8);
    assert_eq!(answers.system().bounds(&set(&[0])), (0.0, 8.0));
    answers.take(&set(&[1, 2]), Is::AtLeast, 6);
    assert_eq!(answers.system().bounds(&set(&[0])), (0.0, 2.0));
    answers.take(&set(&[1, 2]), Is::Exactly, 7);

    assert_eq!(answers.system().bounds(&set(&[0])), (1.0, 1.0));
    assert_eq!(answers.system().bounds(&set(&[1])), (0.0, 7.0));
    assert_eq!(answers.system().bounds(&set(&[3])), (0.0, f64::INFINITY));
}
