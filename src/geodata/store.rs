//! Boundary packs in the database.

use chrono::NaiveDateTime;
use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};

use crate::db::dialect::{self, DbConn};
use crate::db::schema::{boundary_packs, heads};
use crate::error::{Error, Result};
use crate::geo::areas::PackSource;
use crate::geo::countries::CountryCode;
use crate::geo::packs::{Level, Pack, decode};
use crate::ids::ImportId;

/// The head that rises with every import and removal.
const HEAD: &str = "packs";

/// A pack without its areas.
#[derive(Debug, Clone, PartialEq, Eq, diesel::Queryable)]
pub struct PackRow {
    /// Alpha-3 code.
    pub country: String,
    /// 1 or 2.
    pub level: i16,
    /// Name of the data set.
    pub source: String,
    /// Year the shapes describe.
    pub year: i32,
    /// Words to show.
    pub licence: String,
    /// Number of areas.
    pub n_areas: i32,
    /// The server's clock.
    pub imported_at: NaiveDateTime,
}

/// A pack to be stored.
#[derive(Debug, diesel::Insertable)]
#[diesel(table_name = boundary_packs)]
#[expect(missing_docs, reason = "the columns are told in the migration")]
pub struct NewPackRow {
    pub country: String,
    pub level: i16,
    pub import_id: ImportId,
    pub source: String,
    pub year: i32,
    pub licence: String,
    pub file_sha256: Vec<u8>,
    pub n_areas: i32,
    pub imported_at: NaiveDateTime,
    pub content: Vec<u8>,
}

/// Lists the packs by country and level.
///
/// # Errors
/// When the database fails.
pub fn list_packs(conn: &mut DbConn) -> QueryResult<Vec<PackRow>> {
    boundary_packs::table
        .order((boundary_packs::country, boundary_packs::level))
        .select((
            boundary_packs::country,
            boundary_packs::level,
            boundary_packs::source,
            boundary_packs::year,
            boundary_packs::licence,
            boundary_packs::n_areas,
            boundary_packs::imported_at,
        ))
        .load(conn)
}

/// Returns all packs with their version, unless `known` is the version already.
///
/// # Errors
/// When the database fails or a pack is damaged.
pub fn load_newer_than(conn: &mut DbConn, known: i64) -> Result<Option<(i64, Vec<Pack>)>> {
    if find_version(conn)? == known {
        return Ok(None);
    }
    dialect::snapshot(conn, |conn| {
        let version = find_version(conn)?;
        Ok(Some((version, load_packs(conn)?)))
    })
}

fn find_version(conn: &mut DbConn) -> QueryResult<i64> {
    heads::table.find(HEAD).select(heads::seq).first(conn)
}

type LoadedRow = (String, i16, String, i32, String, Vec<u8>);

fn load_packs(conn: &mut DbConn) -> Result<Vec<Pack>> {
    let rows: Vec<LoadedRow> = boundary_packs::table
        .order((boundary_packs::country, boundary_packs::level))
        .select((
            boundary_packs::country,
            boundary_packs::level,
            boundary_packs::source,
            boundary_packs::year,
            boundary_packs::licence,
            boundary_packs::content,
        ))
        .load(conn)?;
    rows.into_iter().map(pack).collect()
}

fn pack((country, level, source, year, licence, content): LoadedRow) -> Result<Pack> {
    let unknown = || Error::internal("a stored pack has a country or level that is none");
    Ok(Pack {
        country: CountryCode::from_alpha3(&country).ok_or_else(unknown)?,
        level: Level::parse(level.into()).ok_or_else(unknown)?,
        source: PackSource {
            name: source.into(),
            year: u16::try_from(year).map_err(Error::internal)?,
            licence: licence.into(),
            is_outdated: false,
        },
        areas: decode(&content).map_err(Error::internal)?,
    })
}

/// Stores packs, each in the place of an earlier one of its country and level, and lets running servers know.
///
/// # Errors
/// When the database fails.
pub fn replace_packs(conn: &mut DbConn, packs: &[NewPackRow]) -> QueryResult<()> {
    raise_version(conn)?;
    for pack in packs {
        delete_pack(conn, &pack.country, pack.level)?;
        diesel::insert_into(boundary_packs::table).values(pack).execute(conn)?;
    }
    Ok(())
}

/// Removes the pack of a country and level; tells whether there was one.
///
/// # Errors
/// When the database fails.
pub fn remove_pack(conn: &mut DbConn, country: &str, level: i16) -> QueryResult<bool> {
    raise_version(conn)?;
    Ok(delete_pack(conn, country, level)? > 0)
}

fn delete_pack(conn: &mut DbConn, country: &str, level: i16) -> QueryResult<usize> {
    diesel::delete(boundary_packs::table.find((country, level))).execute(conn)
}

/// Its row lock also lets one import wait for another.
fn raise_version(conn: &mut DbConn) -> QueryResult<()> {
    diesel::update(heads::table.find(HEAD)).set(heads::seq.eq(heads::seq + 1)).execute(conn)?;
    Ok(())
}
