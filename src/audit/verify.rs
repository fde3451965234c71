//! Proves that the log is as it was written: every entry against its chain, every chain against its signed head, and
//! both against heads that were published before.
//!
//! Memory is bounded: entries stream by, and of each chain only its peaks are kept.

use std::collections::{BTreeMap, BTreeSet};

use diesel::result::Error as DieselError;
use serde::Serialize;

use crate::audit::chain::{FIRST_LINK, canonical, link};
use crate::audit::head::{Head, NotOurs, PublishedHead, Verifier};
use crate::audit::store;
use crate::audit::tree::{Hash, Peaks, leaf_hash};
use crate::db::dialect::DbConn;
use crate::db::rows::{AuditRow, ChainRow};
use crate::error::Result;

/// Entries read at a time.
const PAGE: i64 = 5_000;

/// Faults told; the rest is counted.
const MAX_TOLD: usize = 100;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether there is no fault.
    pub is_sound: bool,
    /// Entries read.
    pub n_entries: u64,
    /// Published heads that the log was compared with.
    pub n_compared: usize,
    /// The chains, by number.
    pub chains: Vec<ChainVerdict>,
    /// Faults in all.
    pub n_faults: usize,
    /// The first of them.
    pub faults: Vec<Fault>,
}

/// What was found of one chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainVerdict {
    /// Its number.
    pub chain: i32,
    /// Entries in it.
    pub n_entries: u64,
    /// Whether it has no fault of its own.
    pub is_sound: bool,
}

/// Something wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The chain; absent where a published head is of no use.
    pub chain: Option<i32>,
    /// The entry; absent where it is about the chain as a whole.
    pub position: Option<i64>,
    /// What is wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// An entry is not what its chain says.
    #[error("this entry, or the running hash beside it, was altered")]
    Altered,
    /// An entry is not there.
    #[error("entries are missing from here up to the next one")]
    Missing,
    /// An entry stands where none belongs.
    #[error("an entry stands here that was never appended")]
    Foreign,
    /// A row is no entry.
    #[error("what stands here cannot be read as an entry")]
    Unreadable,
    /// A row stands twice.
    #[error("it has more rows than entries: some stand twice")]
    Doubled,
    /// A chain has no head.
    #[error("it has entries and no head")]
    NoHead,
    /// A head is none of this instance's.
    #[error("its head was not signed by this instance")]
    NotSigned,
    /// A head is damaged.
    #[error("what its next entry builds on does not fit its head")]
    HeadAltered,
    /// All entries agree with each other and not with the head.
    #[error(
        "its entries are not those that were signed: they were rewritten together with their hashes"
    )]
    Rewritten,
    /// A chain is not there any more.
    #[error("it was published with {published} entries and is gone")]
    Gone {
        /// Entries it had.
        published: u64,
    },
    /// A chain is shorter than it was.
    #[error("it was published with {published} entries and has {found}: it was cut off")]
    CutOff {
        /// Entries it had.
        published: u64,
        /// Entries it has.
        found: u64,
    },
    /// A chain is another one than was published.
    #[error("its first {published} entries are not those that were published")]
    Differs {
        /// Entries it had.
        published: u64,
    },
    /// A published head says nothing about this log.
    #[error("published head {number} {reason}")]
    NotOurs {
        /// Which of them, from 1.
        number: usize,
        /// Why.
        reason: NotOurs,
    },
}

/// Verifies the log that `conn` sees, which is in a snapshot. `progress` is told the number of entries read.
///
/// # Errors
/// When the database fails; what is wrong with the log itself is in the verdict.
pub fn verify(
    conn: &mut DbConn,
    verifier: &Verifier,
    published: &[PublishedHead],
    progress: &mut dyn FnMut(u64),
) -> Result<Verdict> {
    let mut found = Findings::default();
    let published = accept(published, verifier, &mut found);
    let heads: BTreeMap<i32, ChainRow> =
        store::list_chains(conn)?.into_iter().map(|row| (row.chain, row)).collect();
    let mut numbers: BTreeSet<i32> = heads.keys().copied().collect();
    let mut after = None;
    while let Some(number) = store::find_chain_after(conn, after)? {
        numbers.insert(number);
        after = Some(number);
    }
    for number in &numbers {
        let mut walk = Walk::new(*number, heads.get(number), published.get(number), &mut found);
        read_chain(conn, &mut walk, progress)?;
        walk.finish(verifier);
    }
    for (chain, roots) in published.iter().filter(|(chain, _)| !numbers.contains(chain)) {
        let published = roots.keys().next_back().copied().unwrap_or_default();
        found.tell(Some(*chain), None, FaultKind::Gone { published });
    }
    Ok(found.verdict(published.values().map(BTreeMap::len).sum()))
}

/// Roots by size, of one chain.
type Roots = BTreeMap<u64, Hash>;

/// Returns the published roots by chain, and tells of heads that are not ours.
fn accept(
    published: &[PublishedHead],
    verifier: &Verifier,
    found: &mut Findings,
) -> BTreeMap<i32, Roots> {
    let mut chains: BTreeMap<i32, Roots> = BTreeMap::new();
    for (number, head) in (1..).zip(published) {
        match verifier.accept(head) {
            Ok(Head { chain, size, root, signed_at: _ }) => {
                chains.entry(chain).or_default().insert(size, root);
            }
            Err(reason) => found.tell(None, None, FaultKind::NotOurs { number, reason }),
        }
    }
    chains
}

fn read_chain(conn: &mut DbConn, walk: &mut Walk<'_>, progress: &mut dyn FnMut(u64)) -> Result<()> {
    let (chain, mut n_rows) = (walk.number, 0);
    let mut from = Some(i64::MIN);
    while let Some(position) = from {
        let last = match store::list_from(conn, chain, position, PAGE) {
            Ok(rows) => {
                for row in &rows {
                    walk.take(row);
                }
                n_rows += rows.len();
                rows.last().map(|row| row.position)
            }
            Err(DieselError::DeserializationError(_)) => {
                let (n_read, last) = read_one_by_one(conn, walk, position)?;
                n_rows += n_read;
                last
            }
            Err(error) => return Err(error.into()),
        };
        progress(walk.found.n_entries);
        from = last.and_then(|last| last.checked_add(1));
    }
    if usize::try_from(store::count_entries(conn, chain)?) != Ok(n_rows) {
        walk.tell(None, FaultKind::Doubled);
    }
    Ok(())
}

/// Reads up to the first row that is no entry; returns how many rows that were, and the position of the last.
fn read_one_by_one(
    conn: &mut DbConn,
    walk: &mut Walk<'_>,
    from: i64,
) -> Result<(usize, Option<i64>)> {
    let mut n_rows = 0;
    let mut next = from;
    while let Some(position) = store::find_position_from(conn, walk.number, next)? {
        n_rows += 1;
        match store::list_from(conn, walk.number, position, 1) {
            Ok(rows) => {
                for row in &rows {
                    walk.take(row);
                }
            }
            Err(DieselError::DeserializationError(_)) => {
                walk.skip(position);
                return Ok((n_rows, Some(position)));
            }
            Err(error) => return Err(error.into()),
        }
        next = position.saturating_add(1);
    }
    Ok((n_rows, None))
}

/// What was found so far.
#[derive(Debug, Default)]
struct Findings {
    n_entries: u64,
    n_faults: usize,
    faults: Vec<Fault>,
    chains: Vec<ChainVerdict>,
}

impl Findings {
    fn tell(&mut self, chain: Option<i32>, position: Option<i64>, kind: FaultKind) {
        self.n_faults += 1;
        if self.faults.len() < MAX_TOLD {
            self.faults.push(Fault { chain, position, kind });
        }
    }

    fn verdict(self, n_compared: usize) -> Verdict {
        let Self { n_entries, n_faults, faults, chains } = self;
        Verdict { is_sound: n_faults == 0, n_entries, n_compared, chains, n_faults, faults }
    }
}

/// Goes along one chain.
struct Walk<'a> {
    number: i32,
    head: Option<&'a ChainRow>,
    published: Option<&'a Roots>,
    found: &'a mut Findings,
    n_entries: u64,
    n_faults_before: usize,
    /// Position of the next entry.
    next: i64,
    peaks: Peaks,
    /// Running hashes that the next entry may go on from: what is stored, and after a fault also what should be. None
    /// where that cannot be known.
    previous: Vec<Hash>,
}

impl<'a> Walk<'a> {
    fn new(
        number: i32,
        head: Option<&'a ChainRow>,
        published: Option<&'a Roots>,
        found: &'a mut Findings,
    ) -> Self {
        Self {
            number,
            head,
            published,
            n_entries: 0,
            n_faults_before: found.n_faults,
            found,
            next: 0,
            peaks: Peaks::default(),
            previous: vec![FIRST_LINK],
        }
    }

    fn tell(&mut self, position: Option<i64>, kind: FaultKind) {
        self.found.tell(Some(self.number), position, kind);
    }

    fn is_sound(&self) -> bool {
        self.found.n_faults == self.n_faults_before
    }

    fn count(&mut self) {
        self.n_entries += 1;
        self.found.n_entries += 1;
    }

    /// Takes the next row; rows come by rising position.
    fn take(&mut self, row: &AuditRow) {
        self.count();
        let is_beyond = self.head.is_some_and(|head| row.position >= head.size);
        if row.position < self.next || is_beyond {
            return self.tell(Some(row.position), FaultKind::Foreign);
        }
        self.close_gap(row.position);
        let leaf = leaf_hash(&canonical(row));
        self.peaks.push(leaf);
        let right: Vec<Hash> = self.previous.iter().map(|previous| link(previous, &leaf)).collect();
        self.previous = row.chained.as_slice().try_into().into_iter().collect();
        if !right.is_empty() && right.iter().all(|right| right[..] != row.chained[..]) {
            self.tell(Some(row.position), FaultKind::Altered);
            self.previous.extend(right.first());
        }
        self.next = row.position.saturating_add(1);
        self.compare_with_published();
    }

    /// Takes a row that is no entry.
    fn skip(&mut self, position: i64) {
        self.count();
        self.close_gap(position);
        self.tell(Some(position), FaultKind::Unreadable);
        self.previous.clear();
        self.next = position.saturating_add(1);
    }

    fn close_gap(&mut self, position: i64) {
        if position > self.next {
            self.tell(Some(self.next), FaultKind::Missing);
            self.previous.clear();
        }
    }

    fn compare_with_published(&mut self) {
        let size = self.peaks.size();
        let root = self.published.and_then(|roots| roots.get(&size));
        if root.is_some_and(|root| *root != self.peaks.root()) {
            self.tell(None, FaultKind::Differs { published: size });
        }
    }

    /// Compares what was walked along with the head of the chain.
    fn finish(mut self, verifier: &Verifier) {
        match self.head {
            None => self.tell(None, FaultKind::NoHead),
            Some(head) => self.compare_with_head(head, verifier),
        }
        let found = self.peaks.size();
        let published = self.published.and_then(|roots| roots.keys().next_back().copied());
        if let Some(published) = published.filter(|published| *published > found) {
            self.tell(None, FaultKind::CutOff { published, found });
        }
        let (chain, n_entries) = (self.number, self.n_entries);
        let is_sound = self.is_sound();
        self.found.chains.push(ChainVerdict { chain, n_entries, is_sound });
    }

    fn compare_with_head(&mut self, row: &ChainRow, verifier: &Verifier) {
        if self.next < row.size {
            self.tell(Some(self.next), FaultKind::Missing);
        }
        let is_sound = self.is_sound();
        if is_sound && self.peaks.root()[..] != row.root[..] {
            self.tell(None, FaultKind::Rewritten);
        }
        let size = u64::try_from(row.size).unwrap_or_default();
        let goes_on = Peaks::from_bytes(size, &row.peaks);
        let fits_root = goes_on.is_some_and(|peaks| peaks.root()[..] == row.root[..]);
        let fits_last = self.previous.first().is_some_and(|last| last[..] == row.chained[..]);
        if !fits_root || (is_sound && !fits_last) {
            self.tell(None, FaultKind::HeadAltered);
        }
        let head = Head::of_row(row);
        if head.is_none_or(|head| !verifier.is_signed(&head, &row.signature)) {
            self.tell(None, FaultKind::NotSigned);
        }
    }
}

#[cfg(test)]
mod tests;
