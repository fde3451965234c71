//! Regions in the database.

use chrono::NaiveDateTime;
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};

use crate::db::dialect::{self, DbConn};
use crate::db::schema::{grants, heads, region_countries, regions};
use crate::error::{Code, Error, Result};
use crate::geo::countries::Countries;
use crate::people::lock;
use crate::people::regions::types::{Region, RegionLevel};

/// Returns all regions with their version, unless `known` is the version already.
///
/// # Errors
/// When the database fails.
pub fn load_newer_than(
    conn: &mut DbConn,
    known: i64,
    countries: &Countries,
) -> Result<Option<(i64, Vec<Region>)>> {
    if find_version(conn)? == known {
        return Ok(None);
    }
    dialect::snapshot(conn, |conn| {
        let version = find_version(conn)?;
        Ok(Some((version, list_regions(conn, countries)?)))
    })
}

fn find_version(conn: &mut DbConn) -> QueryResult<i64> {
    heads::table.find(lock::HEAD).select(heads::seq).first(conn)
}

/// Lists the regions by code; countries that are no longer ours are left out.
///
/// # Errors
/// When the database fails.
pub fn list_regions(conn: &mut DbConn, countries: &Countries) -> QueryResult<Vec<Region>> {
    let members: Vec<(String, String)> = region_countries::table
        .order((region_countries::region, region_countries::country))
        .select((region_countries::region, region_countries::country))
        .load(conn)?;
    let rows: Vec<(String, String, String, String)> = regions::table
        .order(regions::code)
        .select((regions::code, regions::name_en, regions::name_fr, regions::level))
        .load(conn)?;
    let region = |(code, name_en, name_fr, level): (String, String, String, String)| {
        let level = RegionLevel::parse(&level)?;
        let of_region = members.iter().filter(|(region, _)| *region == code);
        let countries = of_region.filter_map(|(_, country)| countries.parse(country)).collect();
        Some(Region { code, name_en, name_fr, level, countries })
    };
    Ok(rows.into_iter().filter_map(region).collect())
}

/// Stores a region, in the place of one of its code where there is one; tells whether it is new.
///
/// # Errors
/// When the database fails.
pub fn put_region(conn: &mut DbConn, region: &Region) -> QueryResult<bool> {
    raise_version(conn)?;
    let columns = (
        regions::name_en.eq(&region.name_en),
        regions::name_fr.eq(&region.name_fr),
        regions::level.eq(region.level.as_str()),
    );
    let n_changed = diesel::update(regions::table.find(&region.code)).set(columns).execute(conn)?;
    if n_changed == 0 {
        diesel::insert_into(regions::table)
            .values((regions::code.eq(&region.code), columns.0, columns.1, columns.2))
            .execute(conn)?;
    }
    delete_members(conn, &region.code)?;
    for country in &region.countries {
        diesel::insert_into(region_countries::table)
            .values((
                region_countries::region.eq(&region.code),
                region_countries::country.eq(country.as_str()),
            ))
            .execute(conn)?;
    }
    Ok(n_changed == 0)
}

/// Removes a region that no grant needs any more.
///
/// # Errors
/// `NotFound`; `InUse` where a grant holds or will hold; the database's failure.
pub fn remove_region(conn: &mut DbConn, code: &str, now: NaiveDateTime) -> Result<()> {
    raise_version(conn)?;
    let is_of_region = grants::scope_kind.eq("region").and(grants::scope_value.eq(code));
    let n_grants: i64 = grants::table
        .filter(is_of_region.and(grants::revoked_at.is_null()))
        .filter(grants::valid_until.is_null().or(grants::valid_until.gt(Some(now))))
        .count()
        .get_result(conn)?;
    if n_grants > 0 {
        return Err(Error::new(Code::InUse).detail(
            format!("{n_grants} grants hold in this region: end them or give them elsewhere first"),
            format!("{n_grants} droits valent dans cette région : mettez-y fin ou donnez-les ailleurs d'abord"),
        ));
    }
    delete_members(conn, code)?;
    let n_removed = diesel::delete(regions::table.find(code)).execute(conn)?;
    if n_removed == 0 { Err(Error::not_found()) } else { Ok(()) }
}

fn delete_members(conn: &mut DbConn, region: &str) -> QueryResult<usize> {
    diesel::delete(region_countries::table.filter(region_countries::region.eq(region)))
        .execute(conn)
}

/// Lets running servers know; as [`lock::hold`], its row lock lets one edit wait for another.
fn raise_version(conn: &mut DbConn) -> QueryResult<()> {
    diesel::update(heads::table.find(lock::HEAD))
        .set(heads::seq.eq(heads::seq + 1))
        .execute(conn)?;
    Ok(())
}
