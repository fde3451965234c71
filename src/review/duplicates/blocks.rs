//! Where an incident is looked for: blocks of place and days, so that it is compared with its neighbours alone.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};

use crate::db::dialect::DbConn;
use crate::db::rows::FactsRow;
use crate::db::schema::duplicate_blocks;
use crate::geo::cells::Cell;
use crate::review::duplicates::score::{Days, MOST_DAYS};

/// Longest span in days that says when something was. What is told coarser stands with the month before it came in.
const MOST_SPAN: TimeDelta = TimeDelta::days(31);
/// Incidents taken from one block; of more, the latest days, then the latest to come in.
const MOST_OF_BLOCK: i64 = 200;
/// Marks blocks of what lasted more than a day.
const LONG: char = '~';
/// Marks the block of those in a country whose point nobody knows.
const WITHOUT_POINT: char = '-';

/// Where an incident stands, and where others are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocks {
    /// Where it is found by others.
    pub own: Vec<String>,
    /// Where it looks for others.
    searched: Vec<String>,
    /// When.
    pub days: Days,
}

/// Those an incident is compared with.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// Their row ids.
    pub ids: BTreeSet<i64>,
    /// There were more in one of the blocks.
    pub is_flood: bool,
}

impl Blocks {
    /// Returns the blocks of an incident that was opened at `opened_at`.
    pub fn of(facts: &FactsRow, opened_at: NaiveDateTime) -> Self {
        let days = days_of(facts, opened_at);
        let country = facts.country.as_str();
        let cell = facts.cell5.map(|cell| crate::aggregates::cells::format(cell.cast_unsigned()));
        let cell = cell.and_then(|text| Cell::parse(&text));
        let without_point = format!("{country}{WITHOUT_POINT}");
        let (mut own, mut searched) = match cell {
            Some(cell) => {
                let near = cell.with_neighbours().into_iter().map(|cell| cell.to_string());
                let searched = near.chain([without_point]).collect();
                (vec![country.to_owned(), cell.to_string()], searched)
            }
            None => (vec![country.to_owned(), without_point], vec![country.to_owned()]),
        };
        searched.sort();
        if days.first != days.last {
            for block in &mut own {
                block.push(LONG);
            }
        }
        Self { own, searched, days }
    }

    /// Returns the incidents whose blocks and days are near.
    ///
    /// # Errors
    /// When the database fails.
    pub fn find_neighbours(&self, conn: &mut DbConn) -> QueryResult<Neighbours> {
        let mut found = Neighbours::default();
        let (near, late) = (
            self.days.first - TimeDelta::days(MOST_DAYS),
            self.days.last + TimeDelta::days(MOST_DAYS),
        );
        for block in &self.searched {
            found.add(list_block(conn, block, (near, late), near)?);
            let long = format!("{block}{LONG}");
            found.add(list_block(conn, &long, (near - MOST_SPAN, late), near)?);
        }
        Ok(found)
    }
}

impl Neighbours {
    fn add(&mut self, ids: Vec<i64>) {
        self.is_flood |= i64::try_from(ids.len()).is_ok_and(|n| n >= MOST_OF_BLOCK);
        self.ids.extend(ids);
    }
}

/// Returns those of a block that begin in these days and last until `near` at least.
fn list_block(
    conn: &mut DbConn,
    block: &str,
    (from, to): (NaiveDate, NaiveDate),
    near: NaiveDate,
) -> QueryResult<Vec<i64>> {
    duplicate_blocks::table
        .filter(duplicate_blocks::block.eq(block))
        .filter(duplicate_blocks::first_day.ge(from))
        .filter(duplicate_blocks::first_day.le(to))
        .filter(duplicate_blocks::last_day.ge(near))
        .order((duplicate_blocks::first_day.desc(), duplicate_blocks::incident_id.desc()))
        .limit(MOST_OF_BLOCK)
        .select(duplicate_blocks::incident_id)
        .load(conn)
}

fn days_of(facts: &FactsRow, opened_at: NaiveDateTime) -> Days {
    let told = facts.first_day.zip(facts.last_day);
    if let Some((first, last)) = told.filter(|(first, last)| *last - *first <= MOST_SPAN) {
        return Days { first, last, is_told: true };
    }
    let last = opened_at.date();
    Days { first: last - MOST_SPAN, last, is_told: false }
}

/// Files incidents under their blocks, in place of those they had; one without is found nowhere any more.
///
/// # Errors
/// When the database fails.
pub fn put_blocks(conn: &mut DbConn, all: &BTreeMap<i64, Option<Blocks>>) -> QueryResult<()> {
    let ids: Vec<i64> = all.keys().copied().collect();
    diesel::delete(duplicate_blocks::table.filter(duplicate_blocks::incident_id.eq_any(ids)))
        .execute(conn)?;
    for (incident, blocks) in all {
        for block in
            blocks.iter().flat_map(|blocks| blocks.own.iter().map(move |own| (own, blocks.days)))
        {
            let (block, days) = block;
            diesel::insert_into(duplicate_blocks::table)
                .values((
                    duplicate_blocks::incident_id.eq(incident),
                    duplicate_blocks::block.eq(block),
                    duplicate_blocks::first_day.eq(days.first),
                    duplicate_blocks::last_day.eq(days.last),
                ))
                .execute(conn)?;
        }
    }
    Ok(())
}
