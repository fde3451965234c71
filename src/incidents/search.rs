//! Text search: opens the sealed text inside the caller's scope and scans it. There is no plaintext index.
//!
//! [`search`] is the one way in. What it opens was chosen by the other filters from the columns (`Candidates`), is
//! bounded (`limits`) and written to the audit log first. One thread reads windows of sealed texts (`texts`), others open
//! them (`told`), cut them into words (`words`) and say whether they are what is looked for (`query`, `matching`). Only
//! ids and ranks outlive a window.

pub mod limits;
pub mod matching;
pub mod query;
pub mod texts;
pub mod told;
pub mod words;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::mpsc::{Receiver, sync_channel};

use zeroize::Zeroizing;

use crate::audit::act::Act;
use crate::audit::{self, Entry};
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::rows::Any;
use crate::db::writer::WriteTx;
use crate::error::{Error, Result};
use crate::ids::{Id, UserId};
use crate::incidents::filter::IncidentFilter;
use crate::incidents::search::matching::{Matcher, Rank, Scratch};
use crate::incidents::search::query::TextQuery;
use crate::incidents::search::texts::{SealedReport, for_each_window};
use crate::incidents::search::told::{Opened, Told};
use crate::keys;
use crate::seal::envelope::{Part, SealError, Sealed, Sealer};

/// Most threads that open texts for one search.
const MOST_THREADS: usize = 4;
/// Bits of a row id in a place.
const ID_BITS: u32 = 47;
/// Most countries that the detail of an audit entry names.
const MOST_NAMED: usize = 12;

/// Incidents that the other filters leave, in which is searched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Their row ids, each once.
    pub ids: Vec<i64>,
    /// How many reports they have.
    pub n_reports: u64,
    /// Their declared countries, alpha-3.
    pub countries: BTreeSet<String>,
}

/// Who searches where for what.
#[derive(Debug)]
pub struct Search<'a> {
    /// What is looked for.
    pub query: &'a TextQuery,
    /// The other filters, which chose the candidates.
    pub filter: &'a IncidentFilter,
    /// Where the caller may search.
    pub scope: &'a Scope,
    /// The caller.
    pub by: Option<UserId>,
}

/// The incidents that were found, with their ranks.
#[derive(Debug, Default)]
pub struct Found {
    ids: HashSet<i64>,
    ranks: HashMap<i64, Rank>,
}

impl Found {
    /// Returns the row ids.
    pub fn ids(&self) -> &HashSet<i64> {
        &self.ids
    }

    /// Returns up to `limit` of these incidents in order of rank, the newest of equal ones first, behind the place
    /// `after`.
    pub fn page(&self, mut ids: Vec<i64>, after: Option<i64>, limit: usize) -> Vec<i64> {
        ids.retain(|id| after.is_none_or(|after| self.place(*id) < after));
        ids.sort_unstable_by_key(|id| std::cmp::Reverse(self.place(*id)));
        ids.truncate(limit);
        ids
    }

    /// Returns where an incident stands, as one number for a cursor: more is nearer to the front, no two are equal.
    pub fn place(&self, id: i64) -> i64 {
        let rank = self.ranks.get(&id).copied().unwrap_or_default();
        (i64::from(rank) << ID_BITS) | id
    }

    fn take(&mut self, found: Vec<(i64, Rank)>) {
        for (incident, rank) in found {
            self.ids.insert(incident);
            let best = self.ranks.entry(incident).or_default();
            *best = rank.max(*best);
        }
    }
}

/// Returns those of the candidates with an active report that is what is looked for. An incident ranks as the best of its
/// reports.
///
/// # Errors
/// `Unavailable` when too many search; `SearchTooWide`; `StorageFull` when it cannot be written down; when the database
/// fails or a part does not open.
pub fn search(
    conn: &mut DbConn,
    context: &Context,
    search: &Search<'_>,
    candidates: &Candidates,
) -> Result<Found> {
    let searches = &context.searches;
    let _turn = searches.begin()?;
    searches.check(candidates.n_reports, search.filter)?;
    record(context, search, candidates)?;
    let ends_at = context.clock.elapsed() + searches.time;
    let mut n_searched: u64 = 0;
    let scanned = scan(conn, &context.sealer, search.query, candidates, |window| {
        if context.clock.elapsed() >= ends_at {
            return false;
        }
        n_searched += u64::try_from(window.len()).unwrap_or(u64::MAX);
        true
    })?;
    scanned.ok_or_else(|| searches.took_too_long((candidates.n_reports, n_searched), search.filter))
}

/// Writes down who is going to search how many reports where; never what for. What cannot be written is not searched.
fn record(context: &Context, search: &Search<'_>, candidates: &Candidates) -> Result<()> {
    let named: Vec<&str> =
        candidates.countries.iter().map(String::as_str).take(MOST_NAMED).collect();
    let scope = match search.scope {
        Scope::All => "all".to_owned(),
        Scope::Countries(_) => named.join(" "),
    };
    let detail = format!("reports_{} {scope}", candidates.n_reports);
    let entry = Entry::new(Act::SearchedReports, Id::<Any>::random(), context.clock.now())
        .by(search.by)
        .detail(detail.trim_end());
    // An entry tells two countries; of a wider search everybody who reads all entries learns.
    let entry = match named.as_slice() {
        [country] => entry.within(country, None),
        [country, other] => entry.within(country, Some(other)),
        _ => entry,
    };
    let record = move |tx: &mut WriteTx<'_>| {
        tx.record(entry);
        Ok(())
    };
    context.db.write_here(record).map_err(audit::not_recorded)
}

/// Opens and matches the reports of the candidates; `None` when `goes_on` stopped it.
///
/// # Errors
/// When the database fails or a part does not open.
pub fn scan(
    conn: &mut DbConn,
    sealer: &Sealer,
    query: &TextQuery,
    candidates: &Candidates,
    mut goes_on: impl FnMut(&[SealedReport]) -> bool,
) -> Result<Option<Found>> {
    let matcher = Matcher::new(query);
    let n_threads = std::thread::available_parallelism().map_or(1, |n| n.get().div_ceil(2));
    let (mut is_whole, mut found, mut later) = (true, Found::default(), Vec::new());
    std::thread::scope(|threads| {
        let mut lanes = Vec::new();
        let mut openers = Vec::new();
        for _ in 0..n_threads.min(MOST_THREADS) {
            let (lane, windows) = sync_channel(1);
            lanes.push(lane);
            let matcher = &matcher;
            openers.push(threads.spawn(move || match_windows(sealer, matcher, &windows)));
        }
        let mut turns = (0..lanes.len()).cycle();
        let read = for_each_window(conn, &candidates.ids, |window| {
            is_whole = goes_on(&window);
            let lane = turns.next().and_then(|turn| lanes.get(turn));
            // Whoever failed takes no more, and says why below.
            Ok(is_whole && lane.is_some_and(|lane| lane.send(window).is_ok()))
        });
        drop(lanes);
        for opener in openers {
            let done = opener.join().map_err(|_panic| Error::internal("a search panicked"))??;
            found.take(done.found);
            later.extend(done.later);
        }
        read
    })?;
    // Under a key that came while this server did not look.
    let mut scratch = Scratch::default();
    for report in later {
        let parts = open_parts(&report, |part, content| {
            keys::opening::open(conn, sealer, (report.owner, part, report.version), content)
        })?;
        let rank = rank(&parts, &matcher, &mut scratch)?;
        found.take(rank.map(|rank| (report.incident, rank)).into_iter().collect());
    }
    Ok(is_whole.then_some(found))
}

/// What one thread made of its windows.
#[derive(Default)]
struct Matched {
    found: Vec<(i64, Rank)>,
    /// Sealed under a key that is not held yet.
    later: Vec<SealedReport>,
}

fn match_windows(
    sealer: &Sealer,
    matcher: &Matcher,
    windows: &Receiver<Vec<SealedReport>>,
) -> Result<Matched> {
    let (mut done, mut scratch) = (Matched::default(), Scratch::default());
    for report in windows.iter().flatten() {
        let opened = open_parts(&report, |part, content| {
            sealer.open(report.owner, part, report.version, content)
        });
        match opened {
            Ok(parts) => {
                let rank = rank(&parts, matcher, &mut scratch)?;
                done.found.extend(rank.map(|rank| (report.incident, rank)));
            }
            Err(SealError::WrongKey { .. }) => done.later.push(report),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(done)
}

/// The opened words of a report; forgotten for good when dropped.
struct Parts {
    text: Option<Zeroizing<Vec<u8>>>,
    place: Option<Zeroizing<Vec<u8>>>,
}

fn open_parts<E>(
    report: &SealedReport,
    mut open: impl FnMut(Part, &Sealed) -> std::result::Result<Zeroizing<Vec<u8>>, E>,
) -> std::result::Result<Parts, E> {
    let mut open =
        |part, content: Option<&Sealed>| content.map(|content| open(part, content)).transpose();
    Ok(Parts {
        text: open(Part::Text, report.text.as_ref())?,
        place: open(Part::Place, report.place.as_ref())?,
    })
}

fn rank(parts: &Parts, matcher: &Matcher, scratch: &mut Scratch) -> Result<Option<Rank>> {
    let opened = Opened {
        text: parts.text.as_ref().map(|bytes| bytes.as_slice()),
        place: parts.place.as_ref().map(|bytes| bytes.as_slice()),
    };
    // A fault of JSON would quote what it found.
    let told =
        Told::read(&opened).map_err(|_quotes| Error::internal("a sealed part is no report"))?;
    Ok(matcher.rank(&told, scratch))
}

#[cfg(test)]
mod tests {
    use crate::incidents::search::Found;

    #[test]
    fn pages_stand_in_order_of_rank_and_the_newest_of_equal_ones_first() {
        let mut found = Found::default();
        found.take(vec![(1, 5), (2, 9), (3, 5), (4, 1), (5, 9)]);
        found.take(vec![(4, 7), (2, 3)]);
        let all = || found.ids().iter().copied().collect::<Vec<_>>();

        let first = found.page(all(), None, 2);
        let second = found.page(all(), Some(found.place(2)), 2);
        let third = found.page(all(), Some(found.place(3)), 2);

        assert_eq!((first, second, third), (vec![5, 2], vec![4, 3], vec![1]));
    }
}
