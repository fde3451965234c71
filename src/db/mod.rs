//! Connections and transactions. Knows no table's meaning.
//!
//! Reads take a connection of the pool ([`Db::read`]); writes go through a bounded queue to a writer that commits many
//! at once ([`Db::write`], `writer.rs`) and answers each only after its commit is durable on disk. What only one engine
//! knows stands in `dialect.rs`.

pub mod dialect;
pub mod rows;
pub mod schema;
pub mod sealed;
pub mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::web;
use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl, r2d2};

use crate::audit::Entry;
use crate::audit::keeper::Keeper;
use crate::db::dialect::{DbConn, Manager, Target};
use crate::db::rows::NewRows;
use crate::db::schema::heads;
use crate::db::writer::{WriteCounts, WriteQueue, WriteTx};
use crate::error::{Code, Error, Result};

/// How the store is opened.
#[derive(Debug, Clone)]
pub struct DbOptions {
    /// `sqlite:///path`, `sqlite://relative`, or `postgres://…`.
    pub url: String,
    /// Connections for reading.
    pub n_readers: u32,
    /// Most write operations in one commit.
    pub batch_limit: usize,
    /// Added before every commit; only measurements set it, to stand for a slower disk.
    pub commit_delay: Duration,
}

impl DbOptions {
    /// Returns the ordinary options for the store at `url`.
    ///
    /// # Source
    /// Batches of 256 were 13 times faster than one by one on `SQLite` and no larger batch gained more (measured on
    /// this stack, November 2026); eight connections were the best of one to 32 on `PostgreSQL`.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), n_readers: 8, batch_limit: 256, commit_delay: Duration::ZERO }
    }
}

/// Why the store could not be opened; the message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is not one of ours; a typo must never create an empty database silently.
    #[error("database address {0:?} is not sqlite://PATH or postgres://USER@HOST/NAME")]
    UnknownScheme(String),
    /// The folder for the file cannot be made.
    #[error("cannot make the folder {} for the database: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// No connection.
    #[error("cannot connect to the database: {0}")]
    Connect(String),
    /// The engine has a known fault.
    #[error("SQLite {0} may corrupt a WAL database; 3.51.3 or later is needed")]
    EngineTooOld(String),
    /// The schema could not be brought up to date.
    #[error("cannot migrate the database: {0}")]
    Migrate(String),
}

/// The store: cheap to clone.
#[derive(Clone)]
pub struct Db {
    readers: r2d2::Pool<Manager>,
    /// Apart from the readers, so that a slow search never keeps a report waiting for its sender's token.
    door: r2d2::Pool<Manager>,
    writer: WriteQueue,
    /// Something was deleted that the engine's log may still hold.
    has_deleted: Arc<AtomicBool>,
}

impl Db {
    /// Opens the store, brings its schema up to date and starts the writer.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(options: &DbOptions) -> std::result::Result<Self, OpenError> {
        let target = Target::parse(&options.url)?;
        target.prepare()?;
        dialect::migrate(&target)?;

        let readers = pool(&target, options.n_readers)?;
        let door = pool(&target, DOOR_CONNECTIONS)?;
        let writer = WriteQueue::start(&target, options)?;
        Ok(Self { readers, door, writer, has_deleted: Arc::default() })
    }

    /// Runs `work` on a reading connection, off the async threads.
    ///
    /// # Errors
    /// Whatever `work` answers; `Unavailable` when no connection is free within the pool's wait.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut DbConn) -> Result<T> + Send + 'static,
    {
        read_on(&self.readers, work).await
    }

    /// Runs the short read that every request begins with, whose token it is, on connections of their own.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn read_at_door<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut DbConn) -> Result<T> + Send + 'static,
    {
        read_on(&self.door, work).await
    }

    /// Tells whether what is sent is kept. After a failed commit it tries one that changes nothing, so that a server
    /// behind a balancer, which gets no writes while it is not ready, becomes ready again by itself.
    pub async fn can_write(&self) -> bool {
        self.writer.is_writing() || self.write(|tx| Ok(touch_head(tx.conn)?)).await.is_ok()
    }

    /// Runs `work` on a reading connection, on this thread; for commands and workers.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub fn read_here<T>(&self, work: impl FnOnce(&mut DbConn) -> Result<T>) -> Result<T> {
        with_reader(&self.readers, work)
    }

    /// Runs `work` in a write transaction shared with other writes, and answers once it is durable.
    ///
    /// A failure undoes this work alone.
    ///
    /// # Errors
    /// Whatever `work` answers; `Unavailable` when the queue is full or the commit failed: nothing was kept then.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut WriteTx<'_>) -> Result<T> + Send + 'static,
    {
        let answer = self.writer.submit(work)?;
        answer.await.map_err(stopped)?
    }

    /// Like [`Db::write`], waiting on this thread; for commands.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn write_here<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut WriteTx<'_>) -> Result<T> + Send + 'static,
    {
        let answer = self.writer.submit(work)?;
        answer.blocking_recv().map_err(stopped)?
    }

    /// Has `keeper` keep the audit log from now on. Before that, whatever is to be audited fails.
    pub fn keep_audit(&self, keeper: Keeper) {
        self.writer.keep_audit(keeper);
    }

    /// Leaves `entry` in the audit log, and answers once it is durable.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn record(&self, entry: Entry) -> Result<()> {
        let record = |tx: &mut WriteTx<'_>| {
            tx.record(entry);
            Ok(())
        };
        self.write(record).await
    }

    /// Leaves `entry` in the audit log soon, without waiting; for what has happened already. Where it cannot be written, the log
    /// says so.
    pub fn record_later(&self, entry: Entry) {
        let queued = self.writer.submit(move |tx| {
            tx.record(entry);
            Ok(())
        });
        if let Err(error) = queued {
            tracing::warn!(code = error.code.as_str(), "an act left no entry in the audit log");
        }
    }

    /// Files `rows` together with those of other reports, and answers once they are durable.
    ///
    /// # Errors
    /// A unique violation where one of them is taken: none of `rows` is kept then. `Unavailable` as for [`Db::write`].
    pub async fn insert(&self, rows: NewRows) -> Result<()> {
        self.writer.insert(rows)?.await.map_err(stopped)?
    }

    /// Like [`Db::insert`], waiting on this thread; for commands.
    ///
    /// # Errors
    /// As [`Db::insert`].
    pub fn insert_here(&self, rows: NewRows) -> Result<()> {
        self.writer.insert(rows)?.blocking_recv().map_err(stopped)?
    }

    /// Empties the engine's log of what was deleted, where it keeps that; what a reader holds up now,
    /// [`Db::clear_log_if_needed`] does later.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn clear_log(&self) -> Result<()> {
        self.has_deleted.store(true, Ordering::Relaxed);
        let shared = self.clone();
        web::block(move || shared.clear_log_if_needed()).await.map_err(Error::internal)?
    }

    /// Like [`Db::clear_log`], waiting on this thread; for commands.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub fn clear_log_here(&self) -> Result<()> {
        self.has_deleted.store(true, Ordering::Relaxed);
        self.clear_log_if_needed()
    }

    /// Empties the engine's log where something was deleted and that was held up; does nothing otherwise.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub fn clear_log_if_needed(&self) -> Result<()> {
        if self.has_deleted.swap(false, Ordering::Relaxed) {
            let is_clear = self.read_here(|conn| Ok(dialect::clear_log(conn)?));
            if !matches!(is_clear, Ok(true)) {
                self.has_deleted.store(true, Ordering::Relaxed);
            }
            is_clear?;
        }
        Ok(())
    }

    /// Returns what was written and refused since the start.
    pub fn write_counts(&self) -> WriteCounts {
        self.writer.counts()
    }
}

async fn read_on<T, F>(pool: &r2d2::Pool<Manager>, work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(&mut DbConn) -> Result<T> + Send + 'static,
{
    let pool = pool.clone();
    web::block(move || with_reader(&pool, work)).await.map_err(Error::internal)?
}

/// Connections for authentication: look-ups of a fraction of a millisecond.
const DOOR_CONNECTIONS: u32 = 4;

fn pool(target: &Target, size: u32) -> std::result::Result<r2d2::Pool<Manager>, OpenError> {
    r2d2::Pool::builder()
        .max_size(size)
        .min_idle(Some(1))
        .connection_timeout(Duration::from_secs(10))
        .test_on_check_out(target.can_lose_connections())
        .build(Manager::new(target.clone()))
        .map_err(|error| OpenError::Connect(error.to_string()))
}

fn with_reader<T>(
    readers: &r2d2::Pool<Manager>,
    work: impl FnOnce(&mut DbConn) -> Result<T>,
) -> Result<T> {
    let mut conn = readers
        .get()
        .map_err(|error| Error { cause: Some(Box::new(error)), ..Error::new(Code::Unavailable) })?;
    work(&mut conn)
}

/// Writes the head row as it is.
fn touch_head(conn: &mut DbConn) -> QueryResult<usize> {
    diesel::update(heads::table.find("changes")).set(heads::seq.eq(heads::seq)).execute(conn)
}

fn stopped(error: tokio::sync::oneshot::error::RecvError) -> Error {
    Error { cause: Some(Box::new(error)), ..Error::new(Code::Unavailable) }
}
