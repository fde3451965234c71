//! The pass over the rows: block by block, verdicts first, then the cells of those that count.

use crate::aggregates::answer::{AggregateCell, CellKeys, Figures};
use crate::aggregates::columns::{Columns, Selection};
use crate::aggregates::group::{Grouping, Key};
use crate::aggregates::plan::{COUNTED, Plan};
use crate::aggregates::query::{By, MAX_BY, Query};
use crate::aggregates::sums::{Cells, HarmEntry, Sums, list_stated};
use crate::incidents::facts::DaySpan;

/// Rows looked at together; their verdicts and cells stay in the processor's first cache.
pub(crate) const BLOCK: usize = 2048;
/// Added to a cell number, shifted by the place in `by`, when the row is in several groups there.
const SEVERAL: u64 = 1 << 60;

const IS_MAPPED: u8 = 1;
const IS_IMPRECISE: u8 = 2;
const HAS_HARM: u8 = 4;

/// What one pass found.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Cells with at least one incident, in the order of their keys; none without groupings.
    pub(crate) cells: Vec<AggregateCell>,
    /// Sum over the cells, the total without groupings.
    pub(crate) sum_of_cells: Sums,
    pub(crate) total: Sums,
    pub(crate) mapped: u64,
    pub(crate) imprecise: u64,
    /// Rows by verdict.
    pub(crate) verdicts: [u64; 256],
}

impl Tally {
    /// Returns the number of rows with this verdict.
    pub(crate) fn with_verdict(&self, verdict: u8) -> u64 {
        self.verdicts.get(usize::from(verdict)).copied().unwrap_or_default()
    }
}

/// Counts what a query asks for.
pub(crate) fn count(columns: &Columns, query: &Query<'_>) -> Tally {
    let plan = Plan::compile(columns, query.selector());
    let mut pass = Pass::new(columns, query);
    let mut verdicts = [COUNTED; BLOCK];
    for start in (0..columns.len()).step_by(BLOCK) {
        let n_rows = BLOCK.min(columns.len() - start);
        let verdicts = verdicts.split_at_mut(n_rows).0;
        plan.judge(start, verdicts);
        pass.take_block(start, verdicts);
    }
    pass.finish()
}

/// Lists the rows a plan counts and `is_wanted` keeps, newest first.
pub(crate) fn list(
    columns: &Columns,
    plan: &Plan<'_>,
    (after, limit): (Option<i64>, usize),
    mut is_wanted: impl FnMut(usize) -> bool,
) -> Selection {
    let mut selection = Selection { ids: Vec::new(), total: 0 };
    let mut verdicts = [COUNTED; BLOCK];
    for start in (0..columns.len()).step_by(BLOCK).rev() {
        let n_rows = BLOCK.min(columns.len() - start);
        let verdicts = verdicts.split_at_mut(n_rows).0;
        plan.judge(start, verdicts);
        let ids = columns.row_ids.get(start..start + n_rows).unwrap_or_default();
        let rows = ids.iter().enumerate().zip(verdicts.iter()).rev();
        for ((at, id), _) in rows.filter(|(_, verdict)| **verdict == COUNTED) {
            if !is_wanted(start + at) {
                continue;
            }
            selection.total += 1;
            if selection.ids.len() < limit && after.is_none_or(|after| *id < after) {
                selection.ids.push(*id);
            }
        }
    }
    selection
}

struct Pass<'a> {
    columns: &'a Columns,
    by: &'a [By],
    groupings: Vec<Grouping<'a>>,
    strides: Vec<u64>,
    /// Per grouping and dictionary entry, what it adds to the cell number.
    steps: Vec<Vec<u64>>,
    /// Per dictionary entry of cells, spans and harm, the marks of its rows.
    marks: [Vec<u8>; 3],
    /// The dictionary of harm.
    harm: Vec<HarmEntry>,
    cells: Cells,
    reports: u64,
    mapped: u64,
    imprecise: u64,
    verdicts: [u64; 256],
}

impl<'a> Pass<'a> {
    fn new(columns: &'a Columns, query: &'a Query<'_>) -> Self {
        let by = query.by();
        let groupings: Vec<_> =
            by.iter().map(|by| Grouping::compile(columns, *by, query.h3_resolution())).collect();
        let mut strides = vec![1; groupings.len()];
        let mut n_cells = 1_u64;
        for (stride, grouping) in strides.iter_mut().zip(&groupings).rev() {
            *stride = n_cells;
            // Days, cells and sites together have fewer than 2^60 combinations.
            n_cells =
                n_cells.saturating_mul(u64::try_from(grouping.keys.len()).unwrap_or(u64::MAX));
        }
        let steps = (0..)
            .zip(groupings.iter().zip(&strides))
            .map(|(at, (grouping, stride))| list_steps(grouping, *stride, SEVERAL << at));
        Self {
            columns,
            by,
            steps: steps.collect(),
            marks: list_marks(columns),
            harm: columns.harm.entries().iter().map(|harm| (list_stated(harm), 0)).collect(),
            cells: Cells::new(n_cells),
            groupings,
            strides,
            reports: 0,
            mapped: 0,
            imprecise: 0,
            verdicts: [0; 256],
        }
    }

    fn take_block(&mut self, start: usize, verdicts: &[u8]) {
        let mut counted = [0; BLOCK];
        let counted = self.take_verdicts(verdicts, &mut counted);
        if counted.is_empty() {
            return;
        }
        let (mut cells, mut marks) = ([0; BLOCK], [0; BLOCK]);
        self.look_up(start, &mut cells, &mut marks);
        let reports = self.columns.reports.get(start..).unwrap_or_default();
        for offset in counted.iter().map(|offset| usize::from(*offset)) {
            if let (Some(cell), Some(mark), Some(reports)) =
                (cells.get(offset), marks.get(offset), reports.get(offset))
            {
                self.take_row(start + offset, *cell, *mark, u64::from(*reports));
            }
        }
        self.cells.settle_harm(&self.harm);
    }

    /// Counts the verdicts and returns which rows of the block count; a branch per row would be guessed wrong too often.
    fn take_verdicts<'c>(&mut self, verdicts: &[u8], counted: &'c mut [u16; BLOCK]) -> &'c [u16] {
        let mut n_counted = 0;
        for (offset, verdict) in (0_u16..).zip(verdicts) {
            if let Some(count) = self.verdicts.get_mut(usize::from(*verdict)) {
                *count += 1;
            }
            if let Some(place) = counted.get_mut(n_counted) {
                *place = offset;
            }
            n_counted += usize::from(*verdict == COUNTED);
        }
        counted.get(..n_counted).unwrap_or_default()
    }

    fn look_up(&self, start: usize, cells: &mut [u64], marks: &mut [u8]) {
        for (grouping, steps) in self.groupings.iter().zip(&self.steps) {
            grouping.ids.look_up(start, steps, cells, |sum, step| sum + step);
        }
        let columns = self.columns;
        for (ids, table) in [&columns.cells5.ids, &columns.spans.ids, &columns.harm.ids]
            .into_iter()
            .zip(&self.marks)
        {
            ids.look_up(start, table, marks, |before, mark| before | mark);
        }
    }

    fn take_row(&mut self, row: usize, cell: u64, mark: u8, reports: u64) {
        self.mapped += u64::from(mark & IS_MAPPED != 0);
        self.imprecise += u64::from(mark & IS_IMPRECISE != 0);
        self.reports += reports;
        let harm = (mark & HAS_HARM != 0).then(|| self.columns.harm.ids.index_at(row));
        if let Some((_, count)) = harm.and_then(|harm| self.harm.get_mut(harm)) {
            *count += 1;
        }
        if cell < SEVERAL {
            self.cells.add(cell, reports, harm);
            return;
        }
        let mut groups = [([0].as_slice(), 0); MAX_BY];
        for (at, (place, (grouping, stride))) in
            groups.iter_mut().zip(self.groupings.iter().zip(&self.strides)).enumerate()
        {
            if cell & (SEVERAL << at) != 0 {
                *place = (grouping.groups_at(row), *stride);
            }
        }
        add_to_several(&mut self.cells, cell & (SEVERAL - 1), groups, reports, harm);
    }

    fn finish(self) -> Tally {
        let mut sum_of_cells = Sums::default();
        let found = self.cells.list();
        let mut cells = Vec::with_capacity(found.len());
        for (cell, slot) in found {
            let sums = self.cells.sums_of(slot);
            sum_of_cells.join(&sums, u64::saturating_add);
            if !self.groupings.is_empty() {
                cells
                    .push(AggregateCell { keys: self.keys_of(cell), figures: Figures::from(sums) });
            }
        }
        Tally {
            cells,
            sum_of_cells,
            total: self.total(),
            mapped: self.mapped,
            imprecise: self.imprecise,
            verdicts: self.verdicts,
        }
    }

    fn total(&self) -> Sums {
        let incidents = self.verdicts.get(usize::from(COUNTED)).copied().unwrap_or_default();
        let mut total = Sums { incidents, reports: self.reports, ..Sums::default() };
        for (entry, count) in &self.harm {
            for stated in entry {
                if let Some(sum) = total.harm.get_mut(stated.measure) {
                    sum.add(stated.range, *count);
                }
            }
        }
        total
    }

    fn keys_of(&self, cell: u64) -> CellKeys {
        let groupings = self.by.iter().zip(&self.groupings).zip(&self.strides);
        CellKeys(
            groupings
                .map(|((by, grouping), stride)| (*by, key_at(grouping, cell / stride)))
                .collect(),
        )
    }
}

/// Adds a row to every combination of its groups; a grouping it is in once is one group that adds nothing to `cell`.
fn add_to_several(
    cells: &mut Cells,
    cell: u64,
    groups: [(&[u32], u64); MAX_BY],
    reports: u64,
    harm: Option<usize>,
) {
    let [(firsts, first_stride), (seconds, second_stride), (thirds, third_stride)] = groups;
    for first in firsts {
        let cell = cell + u64::from(*first) * first_stride;
        for second in seconds {
            let cell = cell + u64::from(*second) * second_stride;
            for third in thirds {
                cells.add(cell + u64::from(*third) * third_stride, reports, harm);
            }
        }
    }
}

/// Returns the marks of the entries of cells, spans and harm.
fn list_marks(columns: &Columns) -> [Vec<u8>; 3] {
    let mark = |is_marked: bool, mark: u8| if is_marked { mark } else { 0 };
    let is_imprecise =
        |span: &Option<DaySpan>| span.is_none_or(|span| span.precision.is_coarser_than_a_day());
    [
        columns.cells5.entries().iter().map(|cell| mark(cell.is_some(), IS_MAPPED)).collect(),
        columns.spans.entries().iter().map(|span| mark(is_imprecise(span), IS_IMPRECISE)).collect(),
        columns
            .harm
            .entries()
            .iter()
            .map(|harm| mark(harm.iter().any(Option::is_some), HAS_HARM))
            .collect(),
    ]
}

/// Returns what the entries of a grouping add to a cell number.
fn list_steps(grouping: &Grouping<'_>, stride: u64, several: u64) -> Vec<u64> {
    let step = |entry| match grouping.groups_of(entry) {
        [group] => u64::from(*group) * stride,
        _ => several,
    };
    (0..grouping.n_entries()).map(step).collect()
}

fn key_at(grouping: &Grouping<'_>, ordinal: u64) -> Key {
    let ordinal =
        usize::try_from(ordinal).ok().and_then(|ordinal| ordinal.checked_rem(grouping.keys.len()));
    ordinal.and_then(|ordinal| grouping.keys.get(ordinal)).cloned().flatten()
}
