//! Sealed texts of reports in windows: each is a read of its own, so that nothing is held up however long a search takes.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl,
    QueryResult, RunQueryDsl,
};

use crate::db::dialect::DbConn;
use crate::db::schema::{data_keys, reports, sealed};
use crate::error::{Error, Result};
use crate::ids::ReportId;
use crate::seal::envelope::{Owner, OwnerKind, Part, Sealed};

/// Incidents whose reports are asked for together.
pub const CHUNK: usize = 512;
/// Most reports opened together.
const WINDOW: usize = 256;

/// The sealed words of a report, as it is said now.
#[derive(Debug)]
pub struct SealedReport {
    /// Its incident.
    pub incident: i64,
    /// Whose they are.
    pub owner: Owner,
    /// Its revision.
    pub version: u32,
    /// The part `text`.
    pub text: Option<Sealed>,
    /// The part `place`.
    pub place: Option<Sealed>,
}

/// Shows the sealed words of the active reports of some incidents, a window at a time, until `show` says that it is enough.
///
/// What is shown is what is said now: the revision in force, of reports neither withdrawn nor erased at that moment.
///
/// # Errors
/// When the database fails, or whatever `show` answers.
pub fn for_each_window(
    conn: &mut DbConn,
    incidents: &[i64],
    mut show: impl FnMut(Vec<SealedReport>) -> Result<bool>,
) -> Result<()> {
    for chunk in incidents.chunks(CHUNK) {
        let ids: Vec<i64> = reports::table
            .filter(reports::incident_id.eq_any(chunk.to_vec()))
            .filter(reports::state.eq("active"))
            .order(reports::id)
            .select(reports::id)
            .load(conn)?;
        for window in ids.chunks(WINDOW) {
            let rows = list_parts(conn, window)?;
            if !show(join(rows)?)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// A sealed part: report's row id, its id, incident, part, version, blob, wrapped key, id of the key that wraps it.
type PartRow = (i64, ReportId, i64, String, i32, Vec<u8>, Vec<u8>, String);

fn list_parts(conn: &mut DbConn, ids: &[i64]) -> QueryResult<Vec<PartRow>> {
    reports::table
        .inner_join(
            sealed::table.on(sealed::owner_id
                .eq(reports::uuid)
                .and(sealed::owner_kind.eq(OwnerKind::Report.as_str()))
                .and(sealed::version.eq(reports::revision))
                .and(sealed::part.eq_any([Part::Text.as_str(), Part::Place.as_str()]))),
        )
        .inner_join(data_keys::table.on(sealed::key_id.eq(data_keys::id.nullable())))
        .filter(reports::id.eq_any(ids.to_vec()))
        .filter(reports::state.eq("active"))
        .order(reports::id)
        .select((
            reports::id,
            reports::uuid,
            reports::incident_id,
            sealed::part,
            sealed::version,
            sealed::blob,
            data_keys::wrapped,
            data_keys::kek_id,
        ))
        .load(conn)
}

fn join(rows: Vec<PartRow>) -> Result<Vec<SealedReport>> {
    let mut joined: Vec<SealedReport> = Vec::with_capacity(rows.len());
    let mut last = None;
    for (row_id, id, incident, part, version, blob, wrapped_key, key_id) in rows {
        if last != Some(row_id) {
            last = Some(row_id);
            joined.push(SealedReport {
                incident,
                owner: Owner { kind: OwnerKind::Report, id: id.uuid() },
                version: u32::try_from(version).map_err(Error::internal)?,
                text: None,
                place: None,
            });
        }
        let content = Some(Sealed { wrapped_key, key_id, blob });
        if let Some(report) = joined.last_mut() {
            let is_text = part == Part::Text.as_str();
            *(if is_text { &mut report.text } else { &mut report.place }) = content;
        }
    }
    Ok(joined)
}
