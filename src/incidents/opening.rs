//! Opens sealed reports. Whoever calls has asked the policy and written the audit entry.

use chrono::NaiveDateTime;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use serde_json::Value;

use crate::db::dialect::DbConn;
use crate::db::schema::{incident_facts, incidents, reports};
use crate::db::sealed;
use crate::error::{Code, Error, Result};
use crate::ids::{IncidentId, ReportId};
use crate::incidents::types::ReportFacts;
use crate::intake::fields;
use crate::intake::revisions::find_revision;
use crate::keys;
use crate::seal::envelope::{Owner, OwnerKind, Part, Sealer};

/// The state of an erased report, and of what was set aside under its id.
pub const ERASED: &str = "erased";

/// Returns the error of what was erased.
pub fn gone() -> Error {
    Error::new(Code::Gone).detail(
        "the report was erased: its key is destroyed and nobody can open it any more",
        "le rapport a été effacé : sa clé est détruite et plus personne ne peut l'ouvrir",
    )
}

/// The plain columns of a report that its reader sees.
#[derive(Debug, Clone, diesel::Queryable)]
pub struct ReportRow {
    /// Public id.
    pub uuid: ReportId,
    /// The incident it belongs to.
    pub incident: IncidentId,
    /// `active`, `withdrawn` or `erased`.
    pub state: String,
    /// From 1.
    pub revision: i32,
    /// `channel` code.
    pub channel: String,
    /// Spoken reference.
    pub reference: String,
    /// The server's clock.
    pub received_at: NaiveDateTime,
    /// Country of the report.
    pub country: String,
    /// Country its point lies in.
    pub country_computed: Option<String>,
    /// First-level area.
    pub admin1: Option<String>,
    /// Second-level area.
    pub admin2: Option<String>,
    /// IANA zone.
    pub zone: Option<String>,
    /// `geo_precision` code.
    pub geo_precision: String,
    /// Space-separated.
    pub flags: String,
    /// What it says in codes, as JSON.
    pub codes: String,
    /// The countries from which its incident is seen.
    pub seen_from: (String, Option<String>),
}

/// Returns the plain columns of a report.
///
/// # Errors
/// When the database fails.
pub fn find_report(conn: &mut DbConn, id: ReportId) -> Result<Option<ReportRow>> {
    let found = reports::table
        .inner_join(incidents::table.inner_join(incident_facts::table))
        .filter(reports::uuid.eq(id))
        .select((
            reports::uuid,
            incidents::uuid,
            reports::state,
            reports::revision,
            reports::channel,
            reports::reference,
            reports::received_at,
            reports::country,
            reports::country_computed,
            reports::admin1,
            reports::admin2,
            reports::zone,
            reports::geo_precision,
            reports::flags,
            reports::codes,
            (incident_facts::country, incident_facts::country_computed),
        ))
        .first(conn)
        .optional()?;
    Ok(found)
}

impl ReportRow {
    /// Returns the row as it was at a revision; `None` where there is no such one.
    ///
    /// # Errors
    /// When the database fails or what was kept of it is damaged.
    pub fn at_revision(self, conn: &mut DbConn, revision: i32) -> Result<Option<Self>> {
        let newest = self.revision;
        let Some(found) = find_revision(conn, self.uuid, revision)? else {
            // Of a report that was never corrected nothing is kept apart from its row.
            return Ok(Some(self).filter(|_| revision == newest));
        };
        let row = Self { revision, received_at: found.received_at, ..self };
        if revision == newest {
            return Ok(Some(row));
        }
        let ReportFacts { place, flags, codes, channel, span: _ } = found.facts;
        Ok(Some(Self {
            channel,
            country: place.country,
            country_computed: place.country_computed,
            admin1: place.admin1,
            admin2: place.admin2,
            zone: place.zone,
            geo_precision: place.geo_precision,
            flags: [place.flags, flags].concat().join(" "),
            codes: serde_json::to_string(&codes).map_err(Error::internal)?,
            ..row
        }))
    }
}

/// Tells whether a report was erased.
///
/// # Errors
/// When the database fails.
pub fn is_erased(conn: &mut DbConn, id: ReportId) -> Result<bool> {
    let state: String =
        reports::table.filter(reports::uuid.eq(id)).select(reports::state).first(conn)?;
    Ok(state == ERASED)
}

/// Opens one sealed part as JSON; `None` where there is none or it was shredded.
///
/// # Errors
/// When the database fails or the part does not open.
pub fn open_part(
    conn: &mut DbConn,
    sealer: &Sealer,
    owner: Owner,
    part: Part,
) -> Result<Option<Value>> {
    let Some((version, content)) = sealed::find_part(conn, owner, part)? else {
        return Ok(None);
    };
    let version = u32::try_from(version).map_err(Error::internal)?;
    let bytes = keys::opening::open(conn, sealer, (owner, part, version), &content)?;
    serde_json::from_slice(&bytes).map(Some).map_err(Error::internal)
}

/// Opens narrative and exact place of one revision of a report, in the form clients send; identities stay sealed.
///
/// # Errors
/// As [`open_part`].
pub fn open_text_and_place(
    conn: &mut DbConn,
    sealer: &Sealer,
    (id, revision): (ReportId, i32),
) -> Result<Value> {
    let owner = Owner { kind: OwnerKind::Report, id: id.uuid() };
    let mut open = |part: Part| -> Result<Option<Value>> {
        let Some(content) = sealed::find_version(conn, owner, part, revision)? else {
            return Ok(None);
        };
        let version = u32::try_from(revision).map_err(Error::internal)?;
        let bytes = keys::opening::open(conn, sealer, (owner, part, version), &content)?;
        serde_json::from_slice(&bytes).map(Some).map_err(Error::internal)
    };
    let text = open(Part::Text)?.unwrap_or_else(|| Value::Object(serde_json::Map::default()));
    Ok(fields::join(text, open(Part::Place)?))
}

/// Opens a report whole, to compare it with what came under its id. Never shown.
///
/// # Errors
/// As [`open_part`].
pub fn open_report(conn: &mut DbConn, sealer: &Sealer, id: ReportId) -> Result<Value> {
    let owner = Owner { kind: OwnerKind::Report, id: id.uuid() };
    let text = open_part(conn, sealer, owner, Part::Text)?
        .unwrap_or_else(|| Value::Object(serde_json::Map::default()));
    let place = open_part(conn, sealer, owner, Part::Place)?;
    let identity = open_part(conn, sealer, owner, Part::Identity)?;
    Ok(fields::join(text, place.into_iter().chain(identity)))
}
