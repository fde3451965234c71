//! Releases in the database. Rows are only ever added.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::{
    ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension, QueryDsl,
    QueryResult, RunQueryDsl,
};

use crate::db::dialect::{self, DbConn};
use crate::db::rows::ReleaseAtomRow;
use crate::db::schema::{release_approvals, release_atoms, release_withdrawals, releases};
use crate::error::{Error, Result};
use crate::ids::{ReleaseId, ReleaseWithdrawalId, UserId};
use crate::releases::build::{Built, Former};
use crate::releases::file::hash_atoms;
use crate::releases::partition::{Folding, Rule};
use crate::releases::period::Month;
use crate::releases::types::{Approval, LeftOut, Release, ReleasedAtom, Withdrawal};

/// Atoms written in one statement.
const CHUNK: usize = 500;

#[derive(Debug, diesel::Queryable)]
struct ReleaseRow {
    id: i64,
    uuid: ReleaseId,
    first_month: String,
    last_month: String,
    k: i32,
    senders: i32,
    based_on: Option<i64>,
    built_by: UserId,
    built_at: NaiveDateTime,
    n_atoms: i32,
    sha256: String,
    left_out: String,
    approval: Option<(i32, UserId, NaiveDateTime)>,
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    releases::table
        .left_join(release_approvals::table.on(release_approvals::release_id.eq(releases::id)))
        .select((
            releases::id,
            releases::uuid,
            releases::first_month,
            releases::last_month,
            releases::k,
            releases::senders,
            releases::based_on,
            releases::built_by,
            releases::built_at,
            releases::n_atoms,
            releases::sha256,
            releases::left_out,
            (
                release_approvals::version,
                release_approvals::approved_by,
                release_approvals::approved_at,
            )
                .nullable(),
        ))
}

/// Returns up to `limit` releases, drafts too, before a row; the newest first, and how many there are.
///
/// # Errors
/// When the database fails or a row is damaged.
pub fn list_releases(conn: &mut DbConn, before: i64, limit: i64) -> Result<(Vec<Release>, i64)> {
    let total = releases::table.count().get_result(conn)?;
    let rows: Vec<ReleaseRow> = columns()
        .filter(releases::id.lt(before))
        .order(releases::id.desc())
        .limit(limit)
        .load(conn)?;
    Ok((with_withdrawals(conn, rows)?, total))
}

/// Returns every release that was published, whatever became of it; the newest version first.
///
/// # Errors
/// When the database fails or a row is damaged.
pub fn list_published(conn: &mut DbConn) -> Result<Vec<Release>> {
    let rows: Vec<ReleaseRow> = columns()
        .filter(release_approvals::version.is_not_null())
        .order(release_approvals::version.desc())
        .load(conn)?;
    with_withdrawals(conn, rows)
}

/// Returns a release.
///
/// # Errors
/// When the database fails or the row is damaged.
pub fn find_release(conn: &mut DbConn, id: ReleaseId) -> Result<Option<Release>> {
    let row: Option<ReleaseRow> = columns().filter(releases::uuid.eq(id)).first(conn).optional()?;
    Ok(with_withdrawals(conn, row.into_iter().collect())?.pop())
}

fn with_withdrawals(conn: &mut DbConn, rows: Vec<ReleaseRow>) -> Result<Vec<Release>> {
    type Row = (i64, Option<String>, Option<String>, UserId, NaiveDateTime);
    // All there are, and they are few: what is withdrawn from one release is so from others.
    let withdrawn: Vec<Row> = release_withdrawals::table
        .order(release_withdrawals::id)
        .select((
            release_withdrawals::release_id,
            release_withdrawals::first_month,
            release_withdrawals::last_month,
            release_withdrawals::withdrawn_by,
            release_withdrawals::withdrawn_at,
        ))
        .load(conn)?;
    let mut by_release: BTreeMap<i64, Vec<Withdrawal>> = BTreeMap::new();
    for (release, first, last, by, at) in withdrawn {
        let months = first.zip(last).map(|(first, last)| read_months(&first, &last));
        let months = months.transpose()?;
        let withdrawal = Withdrawal { months, by, at: at.and_utc() };
        by_release.entry(release).or_default().push(withdrawal);
    }
    rows.into_iter().map(|row| read_release(row, &by_release)).collect()
}

fn read_release(row: ReleaseRow, withdrawn: &BTreeMap<i64, Vec<Withdrawal>>) -> Result<Release> {
    let ReleaseRow {
        id,
        uuid,
        first_month,
        last_month,
        k,
        senders,
        based_on,
        built_by,
        built_at,
        n_atoms,
        sha256,
        left_out,
        approval,
    } = row;
    let rule = Rule {
        k: u32::try_from(k).map_err(Error::internal)?,
        senders: usize::try_from(senders).map_err(Error::internal)?,
    };
    let approval = approval.map(|(version, by, at)| Approval { version, by, at: at.and_utc() });
    let (first, last) = read_months(&first_month, &last_month)?;
    let others = withdrawn.iter().filter(|(release, _)| **release != id).flat_map(|(_, all)| all);
    let since = others.filter(|it| approval.is_none_or(|approval| it.at > approval.at));
    let within =
        since.filter_map(|it| it.months).filter(|(from, to)| *from <= last && *to >= first);
    Ok(Release {
        row_id: id,
        id: uuid,
        first,
        last,
        rule,
        based_on,
        built_by,
        built_at: built_at.and_utc(),
        n_atoms,
        sha256,
        left_out: serde_json::from_str::<LeftOut>(&left_out).map_err(Error::internal)?,
        approval,
        withdrawals: withdrawn.get(&id).cloned().unwrap_or_default(),
        withdrawn_elsewhere: within.collect(),
    })
}

fn read_months(first: &str, last: &str) -> Result<(Month, Month)> {
    Ok((month(first)?, month(last)?))
}

fn month(text: &str) -> Result<Month> {
    Month::parse(text).ok_or_else(|| Error::internal(format!("{text:?} is no month")))
}

/// Returns the atoms of a release, in their order.
///
/// # Errors
/// When the database fails or a row is damaged.
pub fn list_atoms(conn: &mut DbConn, release: i64) -> Result<Vec<ReleasedAtom>> {
    let rows: Vec<ReleaseAtomRow> = release_atoms::table
        .filter(release_atoms::release_id.eq(release))
        .order(release_atoms::position)
        .load(conn)?;
    rows.into_iter().map(read_atom).collect()
}

fn read_atom(row: ReleaseAtomRow) -> Result<ReleasedAtom> {
    let codes = |text: &str| text.split(' ').map(str::to_owned).collect();
    let mut folded = row.folded.split(' ').map(Folding::parse);
    let mut next = || folded.next().flatten();
    Ok(ReleasedAtom {
        country: row.country,
        places: codes(&row.places),
        times: codes(&row.times),
        categories: codes(&row.categories),
        incidents: row.incidents.map(u32::try_from).transpose().map_err(Error::internal)?,
        is_kept: row.is_kept,
        folded: [next(), next(), next()],
    })
}

/// Returns the release that was published last, with the figures of all before it; `None` where there is none.
///
/// # Errors
/// When the database fails or a row is damaged.
pub fn find_former(conn: &mut DbConn) -> Result<Option<Former>> {
    let published = list_published(conn)?;
    let Some(last) = published.first() else {
        return Ok(None);
    };
    let atoms = list_atoms(conn, last.row_id)?;
    let mut figures: Vec<Vec<Option<u32>>> = vec![Vec::new(); atoms.len()];
    for release in published.iter().rev() {
        let told: Vec<Option<i32>> = release_atoms::table
            .filter(release_atoms::release_id.eq(release.row_id))
            .order(release_atoms::position)
            .select(release_atoms::incidents)
            .load(conn)?;
        for (figures, told) in figures.iter_mut().zip(told) {
            figures.push(told.map(u32::try_from).transpose().map_err(Error::internal)?);
        }
    }
    let (row_id, first, last) = (last.row_id, last.first, last.last);
    Ok(Some(Former { row_id, first, last, atoms, figures }))
}

/// Returns the row id of the release that was published last.
///
/// # Errors
/// When the database fails.
pub fn find_last_published(conn: &mut DbConn) -> QueryResult<Option<(i64, i32)>> {
    release_approvals::table
        .order(release_approvals::version.desc())
        .select((release_approvals::release_id, release_approvals::version))
        .first(conn)
        .optional()
}

/// Adds a draft.
///
/// # Errors
/// When the database fails.
pub fn insert_draft(
    conn: &mut DbConn,
    id: ReleaseId,
    (built, rule): (&Built, Rule),
    (by, at): (UserId, NaiveDateTime),
) -> Result<()> {
    let left_out = serde_json::to_string(&built.left_out).map_err(Error::internal)?;
    diesel::insert_into(releases::table)
        .values((
            releases::uuid.eq(id),
            releases::first_month.eq(built.first.to_string()),
            releases::last_month.eq(built.last.to_string()),
            releases::k.eq(i32::try_from(rule.k).map_err(Error::internal)?),
            releases::senders.eq(i32::try_from(rule.senders).map_err(Error::internal)?),
            releases::based_on.eq(built.based_on),
            releases::built_by.eq(by),
            releases::built_at.eq(at),
            releases::n_atoms.eq(i32::try_from(built.atoms.len()).map_err(Error::internal)?),
            releases::sha256.eq(hash_atoms(&built.atoms)),
            releases::left_out.eq(left_out),
        ))
        .execute(conn)?;
    let row_id: i64 =
        releases::table.filter(releases::uuid.eq(id)).select(releases::id).first(conn)?;
    let rows = built.atoms.iter().enumerate().map(|(nth, atom)| atom_row(row_id, nth, atom));
    let rows: Vec<ReleaseAtomRow> = rows.collect::<Result<_>>()?;
    for chunk in rows.chunks(CHUNK) {
        dialect::insert_release_atoms(conn, chunk)?;
    }
    Ok(())
}

fn atom_row(release_id: i64, nth: usize, atom: &ReleasedAtom) -> Result<ReleaseAtomRow> {
    let folded = atom.folded.map(|folding| folding.map_or("-", Folding::as_str));
    Ok(ReleaseAtomRow {
        release_id,
        position: i32::try_from(nth).map_err(Error::internal)?,
        country: atom.country.clone(),
        places: atom.places.join(" "),
        times: atom.times.join(" "),
        categories: atom.categories.join(" "),
        incidents: atom.incidents.map(i32::try_from).transpose().map_err(Error::internal)?,
        is_kept: atom.is_kept,
        folded: folded.join(" "),
    })
}

/// Publishes a release as the next version.
///
/// # Errors
/// A unique violation where it, or that version, was published meanwhile; the database's failure.
pub fn insert_approval(
    conn: &mut DbConn,
    release: i64,
    version: i32,
    (by, at): (UserId, NaiveDateTime),
) -> QueryResult<()> {
    diesel::insert_into(release_approvals::table)
        .values((
            release_approvals::release_id.eq(release),
            release_approvals::version.eq(version),
            release_approvals::approved_by.eq(by),
            release_approvals::approved_at.eq(at),
        ))
        .execute(conn)
        .map(drop)
}

/// Writes down that a release, or months of it, are no longer shown.
///
/// # Errors
/// When the database fails.
pub fn insert_withdrawal(
    conn: &mut DbConn,
    id: ReleaseWithdrawalId,
    (release, months): (i64, Option<(Month, Month)>),
    (by, at): (UserId, NaiveDateTime),
) -> QueryResult<()> {
    diesel::insert_into(release_withdrawals::table)
        .values((
            release_withdrawals::uuid.eq(id),
            release_withdrawals::release_id.eq(release),
            release_withdrawals::first_month.eq(months.map(|(first, _)| first.to_string())),
            release_withdrawals::last_month.eq(months.map(|(_, last)| last.to_string())),
            release_withdrawals::withdrawn_by.eq(by),
            release_withdrawals::withdrawn_at.eq(at),
        ))
        .execute(conn)
        .map(drop)
}

/// Returns the ids under which the reasons of a release's withdrawals are sealed, in order.
///
/// # Errors
/// When the database fails.
pub fn list_withdrawal_ids(
    conn: &mut DbConn,
    release: i64,
) -> QueryResult<Vec<ReleaseWithdrawalId>> {
    release_withdrawals::table
        .filter(release_withdrawals::release_id.eq(release))
        .order(release_withdrawals::id)
        .select(release_withdrawals::uuid)
        .load(conn)
}
