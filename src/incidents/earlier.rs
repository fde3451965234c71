//! An incident as it was at an earlier version: which reports belonged to it then, what each of them contributed and what
//! reviewers had said, put through the same derivation as its facts of today.
//!
//! What was erased since is erased there too, and told as such.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDateTime;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, QueryResult,
    RunQueryDsl,
};

use crate::db::dialect::DbConn;
use crate::db::rows::FactsRow;
use crate::db::schema::{
    decisions, regrouped_incidents, regrouped_reports, regroupings, report_changes, reports,
};
use crate::error::{Error, Result};
use crate::ids::ReportId;
use crate::incidents::facts::Status;
use crate::incidents::grade::{GRADE, Grade};
use crate::incidents::opening::ERASED;
use crate::incidents::rules::derive_facts;
use crate::incidents::store::{IncidentRow, list_facts_by_id, list_overrides_at, read_overrides};
use crate::incidents::types::{Facts, PlaceFacts, ReportFacts};

/// An incident as it was.
#[derive(Debug)]
pub struct Earlier {
    /// Its row with version, status and times of then.
    pub incident: IncidentRow,
    /// Its facts then, as far as they are not erased.
    pub facts: Facts,
    /// Its assessed grade then.
    pub grade: Option<Grade>,
    /// The reports that belonged to it then, the one that place and date came from first.
    pub reports: Vec<EarlierReport>,
}

/// A report that belonged to an incident.
#[derive(Debug)]
pub struct EarlierReport {
    row_id: i64,
    is_guest: bool,
    /// Its id.
    pub id: ReportId,
    /// Its revision then.
    pub revision: i32,
    /// Its state then.
    pub state: String,
    /// What it contributed; `None` where it was erased since.
    pub facts: Option<ReportFacts>,
}

/// Returns an incident as it was at `version`; `None` where it has no such one.
///
/// # Errors
/// When the database fails or a row is damaged.
pub fn find_earlier(
    conn: &mut DbConn,
    (now, facts_now): (&IncidentRow, &FactsRow),
    version: i32,
) -> Result<Option<Earlier>> {
    if !(1..=now.version).contains(&version) {
        return Ok(None);
    }
    let steps = list_steps(conn, now.id, version)?;
    let absorbed = Absorbed::of(now.id, &steps);
    // What an absorbed incident shows is what it was before its reports went.
    let shown = absorbed.map_or(version, |absorbed| absorbed.since - 1);
    let visits = list_visits(conn, now.id, &steps, shown)?;
    let reports = list_reports(conn, now.id, &visits, shown)?;
    let values = list_overrides_at(conn, (now.id, shown))?;
    let mut facts = derive(&reports, &values)?.unwrap_or_else(|| of_erased(facts_now));
    if absorbed.is_some() {
        facts.n_reports = 0;
    }
    let grade = values.get(GRADE).map(|grade| serde_json::from_str(grade));
    let (status, changed_at) = find_status(conn, now, version)?;
    let incident = IncidentRow {
        version,
        status,
        merged_into: absorbed.map(|absorbed| absorbed.into),
        updated_at: changed_at,
        ..now.clone()
    };
    let grade = grade.transpose().map_err(Error::internal)?;
    let reports = if absorbed.is_some() { Vec::new() } else { reports };
    Ok(Some(Earlier { incident, facts, grade, reports }))
}

/// As `incidents::store::refresh_facts` chooses what to derive from.
fn derive(reports: &[EarlierReport], values: &BTreeMap<String, String>) -> Result<Option<Facts>> {
    let in_state = |state: &str| -> Vec<ReportFacts> {
        let those = reports.iter().filter(|report| report.state == state);
        those.filter_map(|report| report.facts.clone()).collect()
    };
    let active = in_state("active");
    let is_active = !active.is_empty();
    let said = if is_active { active } else { in_state("withdrawn") };
    let facts = derive_facts(&said, &read_overrides(values)?);
    Ok(facts.map(|facts| {
        let n_reports = if is_active { facts.n_reports } else { 0 };
        Facts { n_reports, ..facts }
    }))
}

fn of_erased(facts: &FactsRow) -> Facts {
    let place = PlaceFacts::of_erased(facts.country.clone(), facts.country_computed.clone());
    Facts::of_erased(place, facts.is_test)
}

/// A merge or split that touched the incident.
#[derive(Debug, Clone, diesel::Queryable)]
struct Step {
    regrouping: i64,
    /// The version it made of the incident.
    version: i32,
    kind: String,
    /// Row id of the incident that took the reports, or that they left.
    around: i64,
}

/// Returns the merges and splits up to `version`, in order.
fn list_steps(conn: &mut DbConn, incident: i64, version: i32) -> QueryResult<Vec<Step>> {
    regrouped_incidents::table
        .inner_join(regroupings::table)
        .filter(regrouped_incidents::incident_id.eq(incident))
        .filter(regrouped_incidents::version.le(version))
        .order(regrouped_incidents::version)
        .select((
            regroupings::id,
            regrouped_incidents::version,
            regroupings::kind,
            regroupings::incident_id,
        ))
        .load(conn)
}

/// Says that an incident was merged into another, since the version that made it so.
#[derive(Debug, Clone, Copy)]
struct Absorbed {
    since: i32,
    into: i64,
}

impl Absorbed {
    fn of(incident: i64, steps: &[Step]) -> Option<Self> {
        let mut absorbed: Option<Self> = None;
        for step in steps.iter().filter(|step| step.around != incident) {
            absorbed = if step.kind == "merge" {
                let since = absorbed.map_or(step.version, |absorbed| absorbed.since);
                Some(Self { since, into: step.around })
            } else {
                None
            };
        }
        absorbed
    }
}

/// The regrouping by which each report came last, by row id; none where it opened the incident and never left.
type Visits = BTreeMap<i64, Option<i64>>;

/// Returns the reports that belonged to the incident at `version`.
fn list_visits(
    conn: &mut DbConn,
    incident: i64,
    steps: &[Step],
    version: i32,
) -> QueryResult<Visits> {
    let own: Vec<i64> = reports::table
        .filter(reports::home_incident_id.eq(incident))
        .select(reports::id)
        .load(conn)?;
    let mut visits: Visits = own.into_iter().map(|report| (report, None)).collect();
    let steps: Vec<&Step> = steps.iter().filter(|step| step.version <= version).collect();
    let ids: Vec<i64> = steps.iter().map(|step| step.regrouping).collect();
    let moved: Vec<(i64, i64, i64, i64)> = regrouped_reports::table
        .filter(regrouped_reports::regrouping_id.eq_any(ids))
        .filter(
            regrouped_reports::from_incident_id
                .eq(incident)
                .or(regrouped_reports::to_incident_id.eq(incident)),
        )
        .select((
            regrouped_reports::regrouping_id,
            regrouped_reports::report_id,
            regrouped_reports::from_incident_id,
            regrouped_reports::to_incident_id,
        ))
        .load(conn)?;
    for step in steps {
        for (_, report, _, to) in moved.iter().filter(|(id, ..)| *id == step.regrouping) {
            if *to == incident {
                visits.insert(*report, Some(step.regrouping));
            } else {
                visits.remove(report);
            }
        }
    }
    Ok(visits)
}

/// What was kept of a report before a change of it.
#[derive(Debug, diesel::Queryable)]
struct Kept {
    report: i64,
    incident: i64,
    version: i32,
    revision: i32,
    state: String,
    facts: Option<String>,
}

/// A report that went from an incident to another.
#[derive(Debug, diesel::Queryable)]
struct Departure {
    report: i64,
    regrouping: i64,
    from: i64,
    /// The version that this made of the incident it left.
    version: i32,
}

#[derive(diesel::Queryable)]
struct ReportRow {
    row_id: i64,
    id: ReportId,
    home: i64,
    revision: i32,
    state: String,
}

/// Returns what each report contributed at `version`, in the order of `list_report_facts`.
fn list_reports(
    conn: &mut DbConn,
    incident: i64,
    visits: &Visits,
    version: i32,
) -> Result<Vec<EarlierReport>> {
    let ids: Vec<i64> = visits.keys().copied().collect();
    let rows: Vec<ReportRow> = reports::table
        .filter(reports::id.eq_any(ids.clone()))
        .select((
            reports::id,
            reports::uuid,
            reports::home_incident_id,
            reports::revision,
            reports::state,
        ))
        .load(conn)?;
    let departures = list_departures(conn, &ids)?;
    let mut first_after: HashMap<i64, Kept> = HashMap::new();
    for kept in list_kept(conn, &ids)? {
        let came_by = visits.get(&kept.report).copied().flatten();
        let is_before = if kept.incident == incident {
            kept.version <= version
        } else {
            departures.iter().any(|left| is_left_since(left, &kept, came_by))
        };
        if !is_before {
            first_after.entry(kept.report).or_insert(kept);
        }
    }
    let is_as_now =
        |row: &&ReportRow| row.state != ERASED && !first_after.contains_key(&row.row_id);
    let as_now: Vec<i64> = rows.iter().filter(is_as_now).map(|row| row.row_id).collect();
    let mut facts_now = list_facts_by_id(conn, &as_now)?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let facts = facts_now.remove(&row.row_id);
        found.push(match first_after.remove(&row.row_id) {
            Some(kept) => before_change(incident, &row, kept)?,
            None => EarlierReport {
                row_id: row.row_id,
                is_guest: row.home != incident,
                id: row.id,
                revision: row.revision,
                state: row.state,
                facts,
            },
        });
    }
    found.sort_by_key(|report| (report.is_guest, report.row_id));
    Ok(found)
}

/// Tells whether a change elsewhere came before the report left that place, on its way here.
fn is_left_since(left: &Departure, kept: &Kept, came_by: Option<i64>) -> bool {
    left.report == kept.report
        && left.from == kept.incident
        && kept.version < left.version
        && came_by.is_some_and(|came_by| left.regrouping <= came_by)
}

fn list_kept(conn: &mut DbConn, reports: &[i64]) -> QueryResult<Vec<Kept>> {
    report_changes::table
        .filter(report_changes::report_id.eq_any(reports.to_vec()))
        .order(report_changes::id)
        .select((
            report_changes::report_id,
            report_changes::incident_id,
            report_changes::version,
            report_changes::revision,
            report_changes::state,
            report_changes::facts,
        ))
        .load(conn)
}

fn list_departures(conn: &mut DbConn, reports: &[i64]) -> QueryResult<Vec<Departure>> {
    regrouped_reports::table
        .inner_join(
            regrouped_incidents::table.on(regrouped_incidents::regrouping_id
                .eq(regrouped_reports::regrouping_id)
                .and(regrouped_incidents::incident_id.eq(regrouped_reports::from_incident_id))),
        )
        .filter(regrouped_reports::report_id.eq_any(reports.to_vec()))
        .select((
            regrouped_reports::report_id,
            regrouped_reports::regrouping_id,
            regrouped_reports::from_incident_id,
            regrouped_incidents::version,
        ))
        .load(conn)
}

/// Returns a report as it was before the first change after then.
fn before_change(incident: i64, row: &ReportRow, kept: Kept) -> Result<EarlierReport> {
    let facts = kept.facts.as_deref().filter(|_| row.state != ERASED).map(serde_json::from_str);
    Ok(EarlierReport {
        row_id: row.row_id,
        is_guest: row.home != incident,
        id: row.id,
        revision: kept.revision,
        state: kept.state,
        facts: facts.transpose().map_err(Error::internal)?,
    })
}

/// Returns the status at `version`, and when that version was made.
fn find_status(
    conn: &mut DbConn,
    incident: &IncidentRow,
    version: i32,
) -> QueryResult<(String, NaiveDateTime)> {
    let decided: Option<(String, i32, NaiveDateTime)> = decisions::table
        .filter(decisions::incident_id.eq(incident.id))
        .filter(decisions::version.le(version))
        .order(decisions::version.desc())
        .select((decisions::to_status, decisions::version, decisions::decided_at))
        .first(conn)
        .optional()?;
    let received = || (Status::Received.as_str().to_owned(), 1, incident.opened_at);
    let (status, decided_version, decided_at) = decided.unwrap_or_else(received);
    if decided_version == version {
        return Ok((status, decided_at));
    }
    // A sender's correction makes a version without a decision.
    let revised: Option<NaiveDateTime> = report_changes::table
        .filter(report_changes::incident_id.eq(incident.id))
        .filter(report_changes::version.eq(version))
        .select(report_changes::changed_at)
        .first(conn)
        .optional()?;
    Ok((status, revised.unwrap_or(decided_at)))
}
