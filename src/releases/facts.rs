//! Reads what a release counts, a window of incidents at a time: verified, no test, no mismatch, not merged, in nobody's
//! way of consent; each under its primary category.

use std::collections::{BTreeMap, HashMap};

use chrono::{Datelike, NaiveDate};
use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};

use crate::db::dialect::DbConn;
use crate::db::schema::{incident_categories, incident_facts, incidents, reports};
use crate::error::{Error, Result};
use crate::incidents::consent::Release as Consent;
use crate::incidents::facts::Status;
use crate::incidents::types::ReportCodes;
use crate::releases::partition::Senders;
use crate::releases::period::{Month, When};

/// Incidents read at once; each is a bound value of the statements that follow.
const WINDOW: i64 = 1_000;

/// An incident as a release sees it.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Alpha-3 code.
    pub country: String,
    /// First-level area.
    pub admin1: Option<String>,
    /// When it was; `None` without a day or over more than a year.
    pub when: Option<When>,
    /// Leaf of the taxonomy.
    pub category: Option<String>,
    /// Who sent its reports, as numbers.
    pub senders: Senders,
    /// What its sources agreed to.
    pub consent: Consent,
}

/// Numbers for pseudonyms. All whom nobody knows are one.
#[derive(Debug, Default)]
struct Numbers(HashMap<Vec<u8>, u32>);

impl Numbers {
    fn of(&mut self, submitter: Option<Vec<u8>>) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX).saturating_add(1);
        submitter.map_or(0, |submitter| *self.0.entry(submitter).or_insert(next))
    }
}

type Row = (i64, String, Option<String>, Option<NaiveDate>, Option<NaiveDate>);

/// Shows every incident that may be counted to `take`, in order.
///
/// # Errors
/// When the database fails or a row is damaged.
pub fn read_all(conn: &mut DbConn, mut take: impl FnMut(Fact)) -> Result<()> {
    let mut numbers = Numbers::default();
    let mut after = 0;
    loop {
        let rows = load_window(conn, after)?;
        let Some((last, ..)) = rows.last() else { return Ok(()) };
        after = *last;
        let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
        let primaries = load_primaries(conn, &ids)?;
        let mut sources = load_sources(conn, &ids, &mut numbers)?;
        for (id, country, admin1, first_day, last_day) in rows {
            let (senders, consent) =
                sources.remove(&id).unwrap_or((Senders::default(), Consent::LeftOut));
            take(Fact {
                country,
                admin1,
                when: first_day.zip(last_day).and_then(|(first, last)| when(first, last)),
                category: primaries.get(&id).cloned(),
                senders,
                consent,
            });
        }
    }
}

fn load_window(conn: &mut DbConn, after: i64) -> QueryResult<Vec<Row>> {
    incidents::table
        .inner_join(incident_facts::table)
        .filter(incidents::id.gt(after))
        .filter(incidents::status.eq(Status::Verified.as_str()))
        .filter(incidents::merged_into.is_null())
        .filter(incident_facts::is_test.eq(false))
        .filter(incident_facts::is_mismatch.eq(false))
        .order(incidents::id)
        .limit(WINDOW)
        .select((
            incidents::id,
            incident_facts::country,
            incident_facts::admin1,
            incident_facts::first_day,
            incident_facts::last_day,
        ))
        .load(conn)
}

fn load_primaries(conn: &mut DbConn, ids: &[i64]) -> QueryResult<BTreeMap<i64, String>> {
    let rows: Vec<(i64, String)> = incident_categories::table
        .filter(incident_categories::incident_id.eq_any(ids.to_vec()))
        .order((incident_categories::incident_id, incident_categories::position.desc()))
        .select((incident_categories::incident_id, incident_categories::code))
        .load(conn)?;
    // Of equal keys the last stays: the first category.
    Ok(rows.into_iter().collect())
}

fn load_sources(
    conn: &mut DbConn,
    ids: &[i64],
    numbers: &mut Numbers,
) -> Result<BTreeMap<i64, (Senders, Consent)>> {
    let rows: Vec<(i64, Option<Vec<u8>>, String)> = reports::table
        .filter(reports::incident_id.eq_any(ids.to_vec()))
        .filter(reports::state.eq("active"))
        .select((reports::incident_id, reports::submitter, reports::codes))
        .load(conn)?;
    let mut sources = BTreeMap::new();
    for (incident, submitter, codes) in rows {
        let codes: ReportCodes = serde_json::from_str(&codes).map_err(Error::internal)?;
        let consent = Consent::of(codes.consent.as_deref());
        let (senders, least) = sources.entry(incident).or_insert((Senders::default(), consent));
        senders.add(numbers.of(submitter));
        *least = consent.max(*least);
    }
    Ok(sources)
}

fn when(first: NaiveDate, last: NaiveDate) -> Option<When> {
    let month = |day: NaiveDate| Month::new(day.year(), day.month());
    When::spanning(month(first)?, month(last)?)
}
