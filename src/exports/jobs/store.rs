//! Jobs in the database.

use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, QueryResult,
    RunQueryDsl, TextExpressionMethods,
};

use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::export_jobs;
use crate::db::sealed;
use crate::error::{Error, Result};
use crate::exports::run::Made;
use crate::exports::wanted::Table;
use crate::geo::countries::CountryCode;
use crate::ids::{ExportId, UserId};
use crate::seal::envelope::{Owner, OwnerKind, Part};

/// How long a file is kept.
const KEPT: Duration = Duration::hours(24);
/// A job that was not touched for so long is made by nobody any more.
const ABANDONED: Duration = Duration::minutes(15);

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is being made.
    Running,
    /// It can be fetched.
    Ready,
    /// It could not be made.
    Failed,
    /// It was destroyed.
    Destroyed,
}

impl State {
    /// Returns its code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Destroyed => "destroyed",
        }
    }
}

/// A job as stored.
#[derive(Debug, Clone, diesel::Queryable)]
pub struct JobRow {
    /// Row id.
    pub row_id: i64,
    /// Public id.
    pub id: ExportId,
    /// Whoever asked.
    pub asked_by: UserId,
    /// Name of the file.
    pub file_name: String,
    /// Its media type.
    pub media_type: String,
    /// What the audit log says of it.
    pub told: String,
    /// Where incidents could be seen.
    pub scope: String,
    /// Where reports could be opened.
    pub exact: String,
    /// Code of [`State`].
    pub state: String,
    /// Sealed pieces.
    pub n_pieces: i32,
    /// Rows.
    pub n_rows: i64,
    /// Bytes.
    pub n_bytes: i64,
    /// Of the bytes.
    pub sha256: Option<Vec<u8>>,
    /// When it was asked for.
    pub created_at: NaiveDateTime,
    /// When it was last worked on.
    pub touched_at: NaiveDateTime,
}

impl JobRow {
    /// Returns where it stands at `now`.
    pub fn state_at(&self, now: DateTime<Utc>) -> State {
        let all = [State::Running, State::Ready, State::Failed, State::Destroyed];
        let state = all.into_iter().find(|state| state.as_str() == self.state);
        match state.unwrap_or(State::Failed) {
            State::Running if self.touched_at.and_utc() + ABANDONED < now => State::Failed,
            state => state,
        }
    }

    /// Returns until when its file is kept.
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.created_at.and_utc() + KEPT
    }
}

/// What a job is to make.
#[derive(Debug, Clone, PartialEq, Eq, diesel::Insertable)]
#[diesel(table_name = export_jobs)]
#[expect(missing_docs, reason = "the columns are told in the migration")]
pub struct NewJob {
    pub uuid: ExportId,
    pub asked_by: UserId,
    pub file_name: String,
    pub media_type: &'static str,
    pub told: String,
    pub scope: String,
    pub exact: String,
    pub state: &'static str,
    pub n_pieces: i32,
    pub n_rows: i64,
    pub n_bytes: i64,
    pub created_at: NaiveDateTime,
    pub touched_at: NaiveDateTime,
}

/// Writes a scope down.
pub fn written(scope: &Scope) -> String {
    match scope {
        Scope::All => "all".to_owned(),
        Scope::Countries(countries) => {
            let codes: Vec<&str> = countries.iter().map(CountryCode::as_str).collect();
            codes.join(" ")
        }
    }
}

/// Reads a scope that was written down.
pub fn read(written: &str) -> Scope {
    if written == "all" {
        return Scope::All;
    }
    Scope::Countries(
        written.split_ascii_whitespace().filter_map(CountryCode::from_alpha3).collect(),
    )
}

/// Adds a job.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut DbConn, job: &NewJob) -> QueryResult<()> {
    diesel::insert_into(export_jobs::table).values(job).execute(conn).map(drop)
}

/// Returns a job of a person.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, id: ExportId, asked_by: UserId) -> QueryResult<Option<JobRow>> {
    export_jobs::table
        .filter(export_jobs::uuid.eq(id))
        .filter(export_jobs::asked_by.eq(asked_by))
        .first(conn)
        .optional()
}

/// Counts the jobs of a person that are kept.
///
/// # Errors
/// When the database fails.
pub fn count_kept(conn: &mut DbConn, asked_by: UserId) -> QueryResult<i64> {
    export_jobs::table
        .filter(export_jobs::asked_by.eq(asked_by))
        .filter(export_jobs::state.eq_any([State::Running.as_str(), State::Ready.as_str()]))
        .count()
        .get_result(conn)
}

/// Seals the next piece of a file that is being made.
///
/// # Errors
/// `NotFound` where it was destroyed or removed meanwhile; when the database or sealing fails.
pub fn add_piece(
    conn: &mut DbConn,
    context: &Context,
    id: ExportId,
    (number, piece): (i32, &[u8]),
) -> Result<()> {
    let now = context.clock.now().naive_utc();
    let n_running = diesel::update(export_jobs::table)
        .filter(is_running(id))
        .set((export_jobs::n_pieces.eq(number), export_jobs::touched_at.eq(now)))
        .execute(conn)?;
    if n_running == 0 {
        return Err(Error::not_found());
    }
    let owner = owner_of(id);
    let closed = context.sealer.seal(owner, Part::File, number.cast_unsigned(), piece)?;
    Ok(sealed::insert_part(conn, owner, Part::File, number, &closed)?)
}

/// Opens a piece of a file; `None` where it was destroyed.
///
/// # Errors
/// When the database fails or the piece does not open.
pub fn open_piece(
    conn: &mut DbConn,
    context: &Context,
    id: ExportId,
    number: i32,
) -> Result<Option<Vec<u8>>> {
    let owner = owner_of(id);
    let Some(closed) = sealed::find_version(conn, owner, Part::File, number)? else {
        return Ok(None);
    };
    let opened = context.sealer.open(owner, Part::File, number.cast_unsigned(), &closed)?;
    Ok(Some(opened.to_vec()))
}

/// Says that a file that was being made is ready.
///
/// # Errors
/// When the database fails.
pub fn complete(
    conn: &mut DbConn,
    id: ExportId,
    made: &Made,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    diesel::update(export_jobs::table)
        .filter(is_running(id))
        .set((
            export_jobs::state.eq(State::Ready.as_str()),
            export_jobs::n_rows.eq(number(made.rows)),
            export_jobs::n_bytes.eq(number(made.bytes)),
            export_jobs::sha256.eq(Some(made.hash.to_vec())),
            export_jobs::touched_at.eq(now.naive_utc()),
        ))
        .execute(conn)
        .map(drop)
}

/// Destroys what there is of a file, for good.
///
/// # Errors
/// When the database fails.
pub fn destroy(conn: &mut DbConn, id: ExportId) -> QueryResult<()> {
    // The row comes first: whoever is adding a piece on another server holds it until that piece is there to be removed.
    diesel::update(export_jobs::table.filter(export_jobs::uuid.eq(id)))
        .set((export_jobs::state.eq(State::Destroyed.as_str()), export_jobs::n_pieces.eq(0)))
        .execute(conn)?;
    remove_pieces(conn, id)
}

/// Removes what was made of a file that is being made, and leaves it in `state`; tells whether it was being made still.
///
/// # Errors
/// When the database fails.
pub fn clear(conn: &mut DbConn, id: ExportId, state: State) -> QueryResult<bool> {
    let n_running = diesel::update(export_jobs::table)
        .filter(is_running(id))
        .set((export_jobs::state.eq(state.as_str()), export_jobs::n_pieces.eq(0)))
        .execute(conn)?;
    if n_running > 0 {
        remove_pieces(conn, id)?;
    }
    Ok(n_running > 0)
}

/// Returns files that are there, or are being made, and have a row for each incident or more; each with where whoever asked
/// could see incidents.
///
/// # Errors
/// When the database fails.
pub fn list_with_rows(conn: &mut DbConn) -> QueryResult<Vec<(ExportId, String)>> {
    let counts = format!("{}.%", Table::Aggregates.as_str());
    export_jobs::table
        .filter(export_jobs::state.eq_any([State::Running.as_str(), State::Ready.as_str()]))
        .filter(export_jobs::file_name.not_like(counts))
        .order(export_jobs::id)
        .select((export_jobs::uuid, export_jobs::scope))
        .load(conn)
}

/// Returns jobs whose day is over, at most 100.
///
/// # Errors
/// When the database fails.
pub fn list_old(conn: &mut DbConn, now: DateTime<Utc>) -> QueryResult<Vec<ExportId>> {
    export_jobs::table
        .filter(export_jobs::created_at.le((now - KEPT).naive_utc()))
        .order(export_jobs::id)
        .select(export_jobs::uuid)
        .limit(100)
        .load(conn)
}

/// Removes the files whose day is over, at most 100.
///
/// # Errors
/// When the database fails.
pub fn remove_old(conn: &mut DbConn, now: DateTime<Utc>) -> QueryResult<()> {
    for id in list_old(conn, now)? {
        diesel::delete(export_jobs::table.filter(export_jobs::uuid.eq(id))).execute(conn)?;
        remove_pieces(conn, id)?;
    }
    Ok(())
}

/// The job `id`, as long as its file is being made.
#[diesel::dsl::auto_type(no_type_alias)]
fn is_running(id: ExportId) -> _ {
    let state: &'static str = State::Running.as_str();
    export_jobs::uuid.eq(id).and(export_jobs::state.eq(state))
}

fn remove_pieces(conn: &mut DbConn, id: ExportId) -> QueryResult<()> {
    sealed::remove_part(conn, owner_of(id), Part::File)
}

fn owner_of(id: ExportId) -> Owner {
    Owner { kind: OwnerKind::Export, id: id.uuid() }
}
