//! What waits for a writer, and how it runs inside the writer's transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::{Connection, QueryResult};
use tokio::sync::oneshot;

use crate::db::dialect::{self, DbConn};
use crate::db::rows::NewRows;
use crate::db::writer::{Change, ChangeKind, Pending, WriteTx};
use crate::error::{Code, Error, Result};

/// What waits for a writer.
pub(super) enum Job {
    /// Rows, and nothing to ask the database.
    Insertion(Insertion),
    /// Reads and writes that belong together.
    Operation(Box<dyn Run>),
}

impl Job {
    /// Returns the job that runs `work`, and where its answer will come.
    pub(super) fn operation<T, F>(work: F) -> (Self, Answer<T>)
    where
        T: Send + 'static,
        F: FnOnce(&mut WriteTx<'_>) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let operation = Operation { work: Some(work), outcome: Err(not_committed()), reply };
        (Self::Operation(Box::new(operation)), answer)
    }

    /// Returns the job that files `rows`, and where its answer will come.
    pub(super) fn insertion(rows: NewRows) -> (Self, Answer<()>) {
        let (reply, answer) = oneshot::channel();
        let rows = Box::new(rows);
        (Self::Insertion(Insertion { rows, outcome: Err(not_committed()), reply }), answer)
    }

    /// Answers the sender; `lost` says why the commit failed, if it did.
    pub(super) fn answer(self, lost: Option<Code>) {
        match self {
            Self::Insertion(insertion) => answer(insertion.reply, insertion.outcome, lost),
            Self::Operation(operation) => operation.answer(lost),
        }
    }
}

/// Rows to file, and who waits for them.
pub(super) struct Insertion {
    rows: Box<NewRows>,
    outcome: Result<()>,
    reply: Reply<()>,
}

type Answer<T> = oneshot::Receiver<Result<T>>;
type Reply<T> = oneshot::Sender<Result<T>>;

/// An operation whatever it answers.
pub(super) trait Run: Send {
    /// Runs the operation in a savepoint and returns what it leaves for the end; nothing where it failed.
    fn run(&mut self, conn: &mut DbConn) -> std::result::Result<Pending, Panicked>;
    /// As [`Job::answer`].
    fn answer(self: Box<Self>, lost: Option<Code>);
}

/// An operation panicked: nobody knows how many savepoints it left open, so its whole batch is given up.
#[derive(Debug, thiserror::Error)]
#[error("a write operation panicked")]
pub(super) struct Panicked;

struct Operation<F, T> {
    work: Option<F>,
    outcome: Result<T>,
    reply: Reply<T>,
}

impl<F, T> Run for Operation<F, T>
where
    F: FnOnce(&mut WriteTx<'_>) -> Result<T> + Send,
    T: Send,
{
    fn run(&mut self, conn: &mut DbConn) -> std::result::Result<Pending, Panicked> {
        let Some(work) = self.work.take() else {
            return Ok(Pending::default());
        };
        match catch_unwind(AssertUnwindSafe(|| in_savepoint(conn, work))) {
            Ok(Ok((value, pending))) => {
                self.outcome = Ok(value);
                Ok(pending)
            }
            Ok(Err(error)) => {
                self.outcome = Err(error);
                Ok(Pending::default())
            }
            Err(_panic) => {
                self.outcome = Err(Error::internal(Panicked));
                Err(Panicked)
            }
        }
    }

    fn answer(self: Box<Self>, lost: Option<Code>) {
        answer(self.reply, self.outcome, lost);
    }
}

/// Runs `work` in a savepoint and returns its value with what it leaves for the end.
///
/// # Errors
/// Whatever `work` answers; it is undone then.
pub(super) fn in_savepoint<T>(
    conn: &mut DbConn,
    work: impl FnOnce(&mut WriteTx<'_>) -> Result<T>,
) -> Result<(T, Pending)> {
    conn.transaction(|conn| {
        let mut tx = WriteTx { conn, pending: Pending::default() };
        let value = work(&mut tx)?;
        Ok((value, tx.pending))
    })
}

fn answer<T>(reply: Reply<T>, outcome: Result<T>, lost: Option<Code>) {
    let outcome = match (outcome, lost) {
        (Ok(_), Some(code)) => Err(Error::new(code)),
        (outcome, _) => outcome,
    };
    // A client that hung up has no use for the answer; its report is stored all the same.
    drop(reply.send(outcome));
}

/// Runs the first of `jobs`, with all insertions that follow when it is one; returns how many that were.
///
/// # Errors
/// [`Panicked`].
pub(super) fn run_next(
    conn: &mut DbConn,
    jobs: &mut [Job],
    pending: &mut Pending,
) -> std::result::Result<usize, Panicked> {
    if let Some(Job::Operation(operation)) = jobs.first_mut() {
        pending.append(operation.run(conn)?);
        return Ok(1);
    }
    let insertions = jobs.iter_mut().map_while(|job| match job {
        Job::Insertion(insertion) => Some(insertion),
        Job::Operation(_) => None,
    });
    let mut insertions: Vec<&mut Insertion> = insertions.collect();
    insert_together(conn, &mut insertions, pending);
    Ok(insertions.len())
}

/// Files all `insertions` at once. One that is taken fails them all, so they are then tried in halves: the others cost
/// a few tries more, and it fails alone.
fn insert_together(conn: &mut DbConn, insertions: &mut [&mut Insertion], pending: &mut Pending) {
    let filed = conn.transaction(|conn| {
        let mut group: Vec<&mut NewRows> =
            insertions.iter_mut().map(|insertion| &mut *insertion.rows).collect();
        file(conn, &mut group)
    });
    match (filed, &mut *insertions) {
        (Ok(created), filed) => {
            pending.changes.extend(created);
            for insertion in filed.iter_mut() {
                pending.entries.append(&mut insertion.rows.audit);
                insertion.outcome = Ok(());
            }
        }
        (Err(error), [alone]) => alone.outcome = Err(error.into()),
        (Err(_), several) => {
            let (first, second) = several.split_at_mut(several.len() / 2);
            insert_together(conn, first, pending);
            insert_together(conn, second, pending);
        }
    }
}

/// Files the rows of several reports, a table at a time; returns the incidents that came to be.
///
/// # Errors
/// When the database refuses one of them.
pub(super) fn file(conn: &mut DbConn, group: &mut [&mut NewRows]) -> QueryResult<Vec<Change>> {
    let n_incidents = group.iter().filter(|rows| rows.incident.is_some()).count();
    let ids = dialect::next_incident_ids(conn, n_incidents)?;
    let opening = group.iter_mut().filter(|rows| rows.incident.is_some());
    for (rows, id) in opening.zip(&ids) {
        rows.set_incident(*id);
    }
    let group: Vec<&NewRows> = group.iter().map(|rows| &**rows).collect();
    dialect::insert_rows(conn, &group)?;
    let created = |incident| Change { incident, kind: ChangeKind::Created };
    Ok(ids.into_iter().map(created).collect())
}

fn not_committed() -> Error {
    Error::new(Code::Unavailable)
}
