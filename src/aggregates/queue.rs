//! The pass for the queue: most urgent first, then longest waiting, one page and its numbers in one go.
//!
//! Nothing is sorted but the page: the rows of a page stand in a heap of its size, and a row that comes after the last
//! of them is passed over.

use std::collections::{BTreeMap, BinaryHeap};

use crate::aggregates::columns::Columns;
use crate::aggregates::plan::{COUNTED, Exclusion, Plan};
use crate::aggregates::scan::BLOCK;
use crate::incidents::facts::Status;
use crate::incidents::urgency::Urgency;

/// Bits of a row id in a [`Place`]; a table of 3.6 × 10^16 incidents is never reached.
const ID_BITS: u32 = 55;

/// Where an incident stands in the queue: smaller is nearer to the front, no two are equal.
///
/// Its score turned round, then its row id. Row ids rise with arrival, so among equally urgent ones the longest waiting
/// comes first. They are given when a report is stored, some milliseconds after it was received: two reports received
/// at the same moment may stand either way round, but always the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(i64);

impl Place {
    fn of(score: u8, id: i64) -> Self {
        Self((i64::from(u8::MAX - score) << ID_BITS) | id)
    }

    /// Returns the place with this number.
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// Returns its number, for a cursor.
    pub const fn number(self) -> i64 {
        self.0
    }

    const fn id(self) -> i64 {
        self.0 & ((1 << ID_BITS) - 1)
    }
}

/// An incident that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queued {
    /// Its row id.
    pub id: i64,
    /// Where it stands.
    pub place: Place,
    /// Why it stands there.
    pub urgency: Urgency,
}

/// One page of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSelection {
    /// The page, nearest to the front first.
    pub queued: Vec<Queued>,
    /// Whether others stand behind the page.
    pub has_more: bool,
    /// How many match on all pages.
    pub total: u64,
    /// How many match in each status, were that status asked for.
    pub by_status: BTreeMap<Status, u64>,
}

/// Lists the rows a plan counts, behind `after` in the queue, at most `limit`.
pub(crate) fn list(
    columns: &Columns,
    plan: &Plan<'_>,
    after: Option<Place>,
    limit: usize,
) -> QueueSelection {
    let mut pass = Pass::new(columns, after, limit);
    let mut verdicts = [COUNTED; BLOCK];
    for start in (0..columns.len()).step_by(BLOCK) {
        let n_rows = BLOCK.min(columns.len() - start);
        let verdicts = verdicts.split_at_mut(n_rows).0;
        plan.judge(start, verdicts);
        for (row, verdict) in (start..).zip(verdicts.iter()) {
            pass.take_row(row, *verdict);
        }
    }
    pass.finish()
}

struct Pass<'a> {
    columns: &'a Columns,
    /// Score of each entry of the dictionary of urgencies.
    scores: Vec<u8>,
    after: Option<Place>,
    limit: usize,
    /// The rows of the page so far, each with its entry in that dictionary; the hindmost on top.
    page: BinaryHeap<(Place, usize)>,
    /// How many stand behind `after`.
    n_behind: u64,
    /// Counted rows by entry of the dictionary of states.
    by_state: Vec<u64>,
    /// Rows by verdict.
    verdicts: [u64; 256],
}

impl<'a> Pass<'a> {
    fn new(columns: &'a Columns, after: Option<Place>, limit: usize) -> Self {
        Self {
            columns,
            scores: columns.urgencies.entries().iter().map(|urgency| urgency.score()).collect(),
            after,
            limit,
            page: BinaryHeap::with_capacity(limit.saturating_add(1)),
            n_behind: 0,
            by_state: vec![0; columns.states.entries().len()],
            verdicts: [0; 256],
        }
    }

    fn take_row(&mut self, row: usize, verdict: u8) {
        if let Some(count) = self.verdicts.get_mut(usize::from(verdict)) {
            *count += 1;
        }
        if verdict != COUNTED {
            return;
        }
        if let Some(count) = self.by_state.get_mut(self.columns.states.ids.index_at(row)) {
            *count += 1;
        }
        let entry = self.columns.urgencies.ids.index_at(row);
        if let (Some(score), Some(id)) = (self.scores.get(entry), self.columns.row_ids.get(row)) {
            self.queue_up(Place::of(*score, *id), entry);
        }
    }

    fn queue_up(&mut self, place: Place, entry: usize) {
        if self.after.is_some_and(|after| place <= after) {
            return;
        }
        self.n_behind += 1;
        let is_full = self.page.len() == self.limit;
        if is_full && self.page.peek().is_none_or(|(hindmost, _)| place > *hindmost) {
            return;
        }
        self.page.push((place, entry));
        if is_full {
            self.page.pop();
        }
    }

    fn finish(self) -> QueueSelection {
        let by_status = Status::ALL.map(|status| (status, self.count_status(status))).into();
        let total = self.verdicts.get(usize::from(COUNTED)).copied().unwrap_or_default();
        let n_listed = u64::try_from(self.page.len()).unwrap_or(u64::MAX);
        let urgencies = self.columns.urgencies.entries();
        let page = self.page.into_sorted_vec().into_iter();
        let queued = page.map(|(place, entry)| Queued {
            id: place.id(),
            place,
            urgency: urgencies.get(entry).copied().unwrap_or_default(),
        });
        let has_more = self.n_behind > n_listed;
        QueueSelection { queued: queued.collect(), has_more, total, by_status }
    }

    /// Rows of a status that was asked for are counted by state, those of another one by why they were left out.
    fn count_status(&self, status: Status) -> u64 {
        let entries = self.columns.states.entries().iter().zip(&self.by_state);
        let counted = entries.filter(|(state, _)| state.status == status).map(|(_, count)| count);
        let verdict = usize::from(Exclusion::Status(status).verdict());
        counted.sum::<u64>() + self.verdicts.get(verdict).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::HashSet;
    use std::sync::Arc;

    use chrono::{DateTime, Utc};

    use crate::aggregates::columns::Columns;
    use crate::aggregates::fixture::{bare, filter, reference};
    use crate::aggregates::query::{Overdue, Rights, Scope, Selector};
    use crate::aggregates::queue::{Place, QueueSelection};
    use crate::config::Targets;
    use crate::incidents::facts::{IncidentFacts, Status};
    use crate::incidents::target::{Deadline, second_of};
    use crate::incidents::urgency::Urgency;

    const KILLING: &[&str] = &["rights.life_integrity.killing"];
    const SMUGGLING: &[&str] = &["rights.smuggling_illicit_trade.cross_border_smuggling"];
    const PENDING: &str = "status=received,in_review,needs_information&include=mismatch";

    fn columns(rows: &[IncidentFacts<'static>]) -> Columns {
        let mut columns = Columns::new(Arc::new(reference()));
        for facts in rows {
            columns.upsert(facts);
        }
        columns
    }

    fn page(columns: &Columns, query: &str, after: Option<Place>, limit: usize) -> QueueSelection {
        let filter = filter(query);
        let selector =
            Selector::new(&filter, &Scope::All, Rights::default(), columns.reference()).unwrap();
        columns.queue(&selector, after, limit)
    }

    fn ids(page: &QueueSelection) -> Vec<i64> {
        page.queued.iter().map(|queued| queued.id).collect()
    }

    /// Every severity, sign and status in turn, over several blocks of the pass.
    fn many() -> Vec<IncidentFacts<'static>> {
        let row = |id: i64| IncidentFacts {
            status: Status::ALL[usize::try_from(id % 9).unwrap()],
            severity: u8::try_from(id * 7 % 6).ok().filter(|severity| *severity > 0),
            categories: [&[], KILLING, SMUGGLING, SMUGGLING][usize::try_from(id % 4).unwrap()],
            has_minors: id % 5 == 0,
            is_ongoing: id % 11 < 4,
            is_at_risk: id % 13 == 0,
            is_mismatch: id % 17 == 0,
            is_test: id % 19 == 0,
            is_merged: id % 23 == 0,
            ..bare(id, "SLE")
        };
        (1..=5_000).map(row).collect()
    }

    #[test]
    fn pages_of_any_size_are_cut_from_the_sorted_whole() {
        let rows = many();
        let columns = columns(&rows);
        let pending = [Status::Received, Status::InReview, Status::NeedsInformation];
        let mut right: Vec<&IncidentFacts> = rows
            .iter()
            .filter(|row| pending.contains(&row.status) && !row.is_test && !row.is_merged)
            .collect();
        let score = |row: &IncidentFacts| {
            let is_killing = row.categories.contains(&KILLING[0]);
            Urgency::of(row, is_killing.then_some(5)).score()
        };
        right.sort_by_key(|row| (Reverse(score(row)), row.id));
        let right: Vec<i64> = right.iter().map(|row| row.id).collect();

        for limit in [1, 7, 100, 1_000, right.len(), 5_000] {
            let (mut walked, mut after) = (Vec::new(), None);
            loop {
                let page = page(&columns, PENDING, after, limit);
                assert_eq!(page.total, u64::try_from(right.len()).unwrap());
                walked.extend(ids(&page));
                assert_eq!(page.has_more, walked.len() < right.len(), "limit {limit}");
                after = page.queued.last().map(|last| last.place);
                if !page.has_more {
                    break;
                }
            }
            assert_eq!(walked, right, "limit {limit}");
        }
    }

    #[test]
    fn what_is_counted_by_status_does_not_depend_on_the_statuses_asked_for() {
        let rows = many();
        let columns = columns(&rows);
        let count = |status| {
            let is_it = |row: &&IncidentFacts| {
                row.status == status && !row.is_test && !row.is_merged && row.severity == Some(5)
            };
            u64::try_from(rows.iter().filter(is_it).count()).unwrap()
        };

        for statuses in ["received,in_review,needs_information", "received", "verified", "all"] {
            let query = format!("status={statuses}&include=mismatch&severity=5");
            let page = page(&columns, &query, None, 3);
            for status in Status::ALL {
                assert_eq!(page.by_status[&status], count(status), "{statuses}: {status:?}");
            }
        }
    }

    #[test]
    fn a_newcomer_at_the_front_moves_nothing_behind_the_cursor() {
        let waiting = |id, severity| IncidentFacts {
            status: Status::Received,
            severity: Some(severity),
            categories: &["rights.life_integrity.assault_injury"],
            ..bare(id, "SLE")
        };
        let mut columns = columns(&[waiting(1, 2), waiting(2, 4), waiting(3, 4), waiting(4, 1)]);
        let first = page(&columns, PENDING, None, 2);

        columns.upsert(&waiting(5, 5));
        columns.upsert(&IncidentFacts { status: Status::Verified, ..waiting(1, 2) });
        let second = page(&columns, PENDING, first.queued.last().map(|last| last.place), 2);

        assert_eq!(ids(&first), [2, 3]);
        assert_eq!((ids(&second), second.has_more), (vec![4], false), "1 is decided");
        assert_eq!(ids(&page(&columns, PENDING, None, 9)), [5, 2, 3, 4]);
    }

    #[test]
    fn what_is_late_is_known_to_the_second_or_by_the_day() {
        let noon: DateTime<Utc> = "2024-04-08T12:00:00Z".parse().unwrap();
        let opened = |id, country, at: &str| IncidentFacts {
            status: Status::Received,
            opened_s: second_of(at.parse().unwrap()),
            ..bare(id, country)
        };
        let columns = columns(&[
            opened(1, "SLE", "2024-04-01T12:00:00"),
            opened(2, "SLE", "2024-04-01T12:00:01"),
            opened(3, "COD", "2024-04-01T12:00:00"),
            opened(4, "COD", "2024-03-31T23:59:59"),
            IncidentFacts {
                country_computed: Some("SLE"),
                ..opened(5, "COD", "2024-04-01T12:00:00")
            },
            IncidentFacts { status: Status::Verified, ..opened(6, "SLE", "2024-01-01T00:00:00") },
            IncidentFacts { severity: Some(5), ..opened(7, "COD", "2024-04-06T23:59:59") },
        ]);
        let filter = filter(PENDING);
        let late = |is_wanted| {
            let exact = Scope::Countries(vec!["SLE".to_owned()]);
            let deadline = Deadline::new(Targets::default(), noon);
            let overdue = Overdue { is_wanted, deadline, exact };
            let reference = columns.reference();
            let selector = Selector::new(&filter, &Scope::All, Rights::default(), reference);
            columns.queue(&selector.unwrap().overdue(&overdue), None, 9)
        };

        assert_eq!(ids(&late(true)), [7, 1, 4, 5]);
        assert_eq!(ids(&late(false)), [2, 3]);
        assert_eq!(late(true).by_status[&Status::Received], 4, "counts are of what is late");
        assert_eq!(late(true).by_status[&Status::Verified], 1);
    }

    #[test]
    fn a_row_is_in_every_set_asked_for_and_in_none_left_out() {
        let rows: Vec<IncidentFacts> = (1..=9)
            .map(|id| IncidentFacts { status: Status::Received, ..bare(id, "SLE") })
            .collect();
        let columns = columns(&rows);
        let filter = filter(PENDING);
        let plain =
            || Selector::new(&filter, &Scope::All, Rights::default(), columns.reference()).unwrap();
        let set = |ids: &[i64]| ids.iter().copied().collect::<HashSet<i64>>();
        let (low, even, some) = (set(&[1, 2, 3, 4, 99]), set(&[2, 4, 6, 8]), set(&[4, 5, 77]));
        let listed = |selector: Selector<'_>| ids(&columns.queue(&selector, None, 9));

        assert_eq!(listed(plain().among(&low)), [1, 2, 3, 4]);
        assert_eq!(listed(plain().among(&low).among(&even)), [2, 4]);
        assert_eq!(listed(plain().among(&low).among(&even).except(&some)), [2]);
        assert_eq!(listed(plain().except(&some).except(&even)), [1, 3, 7, 9]);
    }

    #[test]
    fn a_place_survives_as_a_number() {
        for (score, id) in [(0, 1), (130, 1), (255, (1 << 55) - 1)] {
            let place = Place::of(score, id);

            assert_eq!(Place::from_number(place.number()), place);
            assert_eq!(place.id(), id);
            assert!(place.number() > 0);
        }
        assert!(Place::of(50, 9) < Place::of(40, 1), "urgency before age");
    }
}
