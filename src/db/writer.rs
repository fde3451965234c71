//! Group commit: many write operations, one durable commit.
//!
//! A writer thread takes the first waiting job, opens a transaction, runs it and whatever else is waiting (up to the
//! batch limit), takes the next change number, commits, and only then answers them all. New rows that wait side by side
//! are filed together, a table at a time; an operation with reads of its own runs in a savepoint. One job that fails is
//! undone alone.
//!
//! One writer a server, on `PostgreSQL` too: jobs never wait for each other's locks, and since every commit waits for the
//! head of the change sequence, two writers with half the batch each were slower than one (`make bench`).

mod job;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use diesel::QueryResult;
use tokio::sync::oneshot;

use crate::audit::Entry;
use crate::audit::keeper::{KeepError, Keeper};
use crate::db::dialect::{self, DbConn, Target};
use crate::db::rows::NewRows;
use crate::db::writer::job::{Job, Panicked, file, in_savepoint, run_next};
use crate::db::{DbOptions, OpenError};
use crate::error::{Code, Error, Result};

/// Jobs that may wait for the writer; one more is answered "try again" rather than held in memory.
const QUEUE_LENGTH: usize = 2_048;

/// Where several jobs shared the last commit, the next one waits so long for company: the commit costs as much for one.
/// Whoever comes alone does not wait.
const COMPANY_WAIT: Duration = Duration::from_millis(1);

/// What one operation writes through: the connection, and what it leaves for the end of the transaction.
pub struct WriteTx<'a> {
    /// The connection, inside the operation's savepoint.
    pub conn: &'a mut DbConn,
    pending: Pending,
}

/// What is written once for all operations of a transaction, at its end.
#[derive(Debug, Default)]
struct Pending {
    entries: Vec<Entry>,
    changes: Vec<Change>,
}

impl Pending {
    fn append(&mut self, mut other: Self) {
        self.entries.append(&mut other.entries);
        self.changes.append(&mut other.changes);
    }
}

/// What happened to an incident, for the change sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It came to be.
    Created,
    /// A decision changed it.
    Decided,
    /// It took the reports of another, or was absorbed by one.
    Merged,
    /// A report went back to the incident it came from, or came back.
    Split,
    /// It was taken back.
    Withdrawn,
    /// It was found false or out of scope.
    Rejected,
}

impl ChangeKind {
    /// Returns its code in the `changes` table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Decided => "decided",
            Self::Merged => "merged",
            Self::Split => "split",
            Self::Withdrawn => "withdrawn",
            Self::Rejected => "rejected",
        }
    }
}

/// One entry of the change sequence before it has its number.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// Row id of the incident.
    pub incident: i64,
    /// What happened.
    pub kind: ChangeKind,
}

impl WriteTx<'_> {
    /// Announces that the facts of `incident` (its row id) changed.
    pub fn changed(&mut self, incident: i64, kind: ChangeKind) {
        self.pending.changes.push(Change { incident, kind });
    }

    /// Leaves `entry` in the audit log, if this operation succeeds.
    pub fn record(&mut self, entry: Entry) {
        self.pending.entries.push(entry);
    }

    /// Files `rows`, and announces the incident among them.
    ///
    /// # Errors
    /// The database's failure; a unique violation where one of them is taken.
    pub fn insert(&mut self, rows: &mut NewRows) -> QueryResult<()> {
        self.pending.changes.extend(file(self.conn, &mut [rows])?);
        self.pending.entries.append(&mut rows.audit);
        Ok(())
    }

    /// Runs `work` in a savepoint of its own: an error undoes it, with its changes and entries, and leaves the rest.
    ///
    /// # Errors
    /// Whatever `work` answers.
    pub fn attempt<T>(&mut self, work: impl FnOnce(&mut WriteTx<'_>) -> Result<T>) -> Result<T> {
        let (value, pending) = in_savepoint(self.conn, work)?;
        self.pending.append(pending);
        Ok(value)
    }
}

/// The way to the running writer; cheap to clone.
#[derive(Clone)]
pub struct WriteQueue {
    jobs: SyncSender<Job>,
    keeper: Arc<OnceLock<Keeper>>,
    counters: Arc<Counters>,
}

#[derive(Default)]
struct Counters {
    commits: AtomicU64,
    /// Failed commits since the last good one.
    failures: AtomicU64,
    jobs: AtomicU64,
    /// Jobs that found the queue full.
    full: AtomicU64,
}

/// What the writer did since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteCounts {
    /// Transactions made durable.
    pub commits: u64,
    /// Operations in them.
    pub jobs: u64,
    /// Operations refused because the queue was full.
    pub full: u64,
}

impl WriteQueue {
    /// Starts the writer thread for `target`.
    ///
    /// # Errors
    /// When a first connection cannot be had.
    pub fn start(target: &Target, options: &DbOptions) -> std::result::Result<Self, OpenError> {
        let (counters, keeper) = (Arc::new(Counters::default()), Arc::default());
        let (jobs, waiting) = sync_channel(QUEUE_LENGTH);
        let writer = Writer {
            session: Some(Session::open(target)?),
            target: target.clone(),
            keeper: Arc::clone(&keeper),
            batch_limit: options.batch_limit.max(1),
            commit_delay: options.commit_delay,
            counters: Arc::clone(&counters),
        };
        std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || writer.run(&waiting))
            .map_err(|error| OpenError::Connect(error.to_string()))?;
        Ok(Self { jobs, keeper, counters })
    }

    /// Has `keeper` keep the audit entries from now on; a second one is not taken.
    pub fn keep_audit(&self, keeper: Keeper) {
        // What is handed back is the refused one.
        drop(self.keeper.set(keeper));
    }

    /// Queues `work` and returns where its answer will come.
    ///
    /// # Errors
    /// `Unavailable` when the queue is full or the writer is gone.
    pub fn submit<T, F>(&self, work: F) -> Result<oneshot::Receiver<Result<T>>>
    where
        T: Send + 'static,
        F: FnOnce(&mut WriteTx<'_>) -> Result<T> + Send + 'static,
    {
        let (job, answer) = Job::operation(work);
        self.queue(job)?;
        Ok(answer)
    }

    /// Queues `rows` and returns where their answer will come.
    ///
    /// # Errors
    /// As [`WriteQueue::submit`].
    pub fn insert(&self, rows: NewRows) -> Result<oneshot::Receiver<Result<()>>> {
        let (job, answer) = Job::insertion(rows);
        self.queue(job)?;
        Ok(answer)
    }

    fn queue(&self, job: Job) -> Result<()> {
        self.jobs.try_send(job).map_err(|refusal| {
            if matches!(refusal, TrySendError::Full(_)) {
                self.counters.full.fetch_add(1, Ordering::Relaxed);
            }
            Error::new(Code::Unavailable)
        })
    }

    /// Tells whether the last commit succeeded, or none was tried.
    pub fn is_writing(&self) -> bool {
        self.counters.failures.load(Ordering::Relaxed) == 0
    }

    /// Returns what was done since the start.
    pub fn counts(&self) -> WriteCounts {
        let Counters { commits, jobs, full, failures: _ } = self.counters.as_ref();
        let [commits, jobs, full] =
            [commits, jobs, full].map(|counter| counter.load(Ordering::Relaxed));
        WriteCounts { commits, jobs, full }
    }
}

/// A writer's connection, and the audit chain that is its own.
struct Session {
    conn: DbConn,
    chain: i32,
}

impl Session {
    fn open(target: &Target) -> std::result::Result<Self, OpenError> {
        let mut conn = target.connect_writer()?;
        let chain = dialect::claim_chain(&mut conn);
        let chain = chain.map_err(|error| OpenError::Connect(error.to_string()))?;
        Ok(Self { conn, chain })
    }
}

struct Writer {
    session: Option<Session>,
    target: Target,
    keeper: Arc<OnceLock<Keeper>>,
    batch_limit: usize,
    commit_delay: Duration,
    counters: Arc<Counters>,
}

impl Writer {
    fn run(mut self, waiting: &Receiver<Job>) {
        let mut n_before = 0;
        while let Ok(first) = waiting.recv() {
            if n_before > 1 && self.batch_limit > 1 {
                std::thread::sleep(COMPANY_WAIT);
            }
            let mut batch = vec![first];
            let lost = self.write(&mut batch, waiting).err();
            n_before = batch.len();
            for job in batch {
                job.answer(lost);
            }
        }
    }

    /// Runs the batch, taking in what waits meanwhile; says what to tell its senders when it is not durable.
    fn write(
        &mut self,
        batch: &mut Vec<Job>,
        waiting: &Receiver<Job>,
    ) -> std::result::Result<(), Code> {
        let Err(error) = self.try_write(batch, waiting) else {
            self.counters.failures.store(0, Ordering::Relaxed);
            return Ok(());
        };
        tracing::error!(n_jobs = batch.len(), %error, "a write transaction was not committed");
        self.counters.failures.fetch_add(1, Ordering::Relaxed);
        Err(error.code())
    }

    /// Begins a transaction; where the kept connection broke while idle, on a new one.
    fn begin(&mut self) -> std::result::Result<Session, WriteError> {
        if let Some(mut session) = self.session.take()
            && dialect::begin_write(&mut session.conn).is_ok()
        {
            return Ok(session);
        }
        let mut session = Session::open(&self.target)?;
        dialect::begin_write(&mut session.conn)?;
        Ok(session)
    }

    fn try_write(
        &mut self,
        batch: &mut Vec<Job>,
        waiting: &Receiver<Job>,
    ) -> std::result::Result<(), WriteError> {
        // Put back only after a commit: one that failed may be broken, or in the middle of something.
        let mut session = self.begin()?;
        let conn = &mut session.conn;
        let mut pending = Pending::default();
        let mut n_done = 0;
        while n_done < batch.len() {
            let room = self.batch_limit.saturating_sub(batch.len());
            batch.extend(waiting.try_iter().take(room));
            let (_, rest) = batch.split_at_mut(n_done);
            n_done += run_next(conn, rest, &mut pending)?;
        }
        self.keep(conn, session.chain, pending.entries)?;
        dialect::record_changes(conn, &pending.changes)?;
        if !self.commit_delay.is_zero() {
            std::thread::sleep(self.commit_delay);
        }
        dialect::commit(conn)?;
        self.session = Some(session);
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        let n_jobs = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        self.counters.jobs.fetch_add(n_jobs, Ordering::Relaxed);
        Ok(())
    }

    fn keep(
        &self,
        conn: &mut DbConn,
        chain: i32,
        entries: Vec<Entry>,
    ) -> std::result::Result<(), WriteError> {
        if entries.is_empty() {
            return Ok(());
        }
        let keeper = self.keeper.get().ok_or(WriteError::NoKeeper)?;
        Ok(keeper.append(conn, chain, entries)?)
    }
}

#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
    #[error(transparent)]
    Connect(#[from] OpenError),
    #[error(transparent)]
    Panicked(#[from] Panicked),
    #[error(transparent)]
    Audit(KeepError),
    #[error("something was to be audited before the instance's keys were opened")]
    NoKeeper,
}

impl From<KeepError> for WriteError {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Database(error) => Self::Database(error),
            KeepError::Forged(_) => Self::Audit(error),
        }
    }
}

impl WriteError {
    /// Returns what the senders are told: nothing was kept, and whether room or time is what is missing.
    fn code(&self) -> Code {
        match self {
            Self::Database(error) if dialect::is_storage_full(error) => Code::StorageFull,
            Self::Database(_)
            | Self::Connect(_)
            | Self::Panicked(_)
            | Self::Audit(_)
            | Self::NoKeeper => Code::Unavailable,
        }
    }
}
