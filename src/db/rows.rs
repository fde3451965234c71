//! Rows as a new report writes them, one struct a table, and the set of them that is filed together.
//!
//! The slices fill a [`NewRows`]; `dialect` files one, or those of a whole batch of reports, a table at a time.

use chrono::{NaiveDate, NaiveDateTime};

use crate::audit::Entry;
use crate::db::schema::{
    audit_chains, audit_entries, data_keys, incident_actors, incident_categories, incident_facts,
    incident_harm, incidents, release_atoms, reports, sealed,
};
use crate::ids::{Id, IncidentId, ReportId, UserId};

/// Kind of the ids of data keys, and of ids in tables that hold those of several kinds.
#[derive(Debug)]
pub enum Any {}

/// Rows to insert, by table, in an order that satisfies every reference. At most one incident; the rows that belong to
/// it get its row id when they are filed. The entries of the audit log wait for the end of the transaction.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "named as the tables")]
pub struct NewRows {
    pub incident: Option<NewIncidentRow>,
    pub report: Option<NewReportRow>,
    pub facts: Option<FactsRow>,
    pub categories: Vec<NewCategoryRow>,
    pub harm: Vec<NewHarmRow>,
    pub actors: Vec<NewActorRow>,
    pub data_keys: Vec<NewDataKeyRow>,
    pub sealed: Vec<NewSealedRow>,
    pub audit: Vec<Entry>,
}

impl NewRows {
    /// Makes all rows those of the incident with this row id.
    pub fn set_incident(&mut self, id: i64) {
        if let Some(row) = &mut self.incident {
            row.id = id;
        }
        if let Some(row) = &mut self.report {
            (row.incident_id, row.home_incident_id) = (id, id);
        }
        if let Some(row) = &mut self.facts {
            row.incident_id = id;
        }
        self.categories.iter_mut().for_each(|row| row.incident_id = id);
        self.harm.iter_mut().for_each(|row| row.incident_id = id);
        self.actors.iter_mut().for_each(|row| row.incident_id = id);
    }
}

/// An incident as it opens.
#[derive(Debug, diesel::Insertable)]
#[diesel(table_name = incidents, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "the columns are told in the migration")]
pub struct NewIncidentRow {
    pub id: i64,
    pub uuid: IncidentId,
    pub version: i32,
    pub status: &'static str,
    pub opened_at: NaiveDateTime,
    pub updated_at: NaiveDateTime,
}

/// The facts of an incident.
#[derive(Debug, Clone, diesel::Queryable, diesel::Insertable)]
#[diesel(table_name = incident_facts, treat_none_as_default_value = false)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column")]
#[expect(missing_docs, reason = "the columns are told in the migration")]
pub struct FactsRow {
    pub incident_id: i64,
    pub country: String,
    pub country_computed: Option<String>,
    pub admin1: Option<String>,
    pub admin2: Option<String>,
    pub zone: Option<String>,
    pub geo_precision: String,
    pub cell5: Option<i64>,
    pub place_lon_e6: Option<i32>,
    pub place_lat_e6: Option<i32>,
    pub cell7_veiled: Option<Vec<u8>>,
    pub site_veiled: Option<Vec<u8>>,
    pub site_distance: Option<String>,
    pub boundary_source: Option<String>,
    pub first_day: Option<NaiveDate>,
    pub last_day: Option<NaiveDate>,
    pub date_precision: Option<String>,
    pub severity: Option<i16>,
    pub mining_mode: Option<String>,
    pub flags: String,
    pub channels: String,
    pub n_reports: i32,
    pub is_test: bool,
    pub is_mismatch: bool,
    pub is_ongoing: bool,
    pub is_at_risk: bool,
}

/// A category of an incident.
#[derive(Debug, diesel::Insertable)]
#[diesel(table_name = incident_categories, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "the columns are told in the migration")]
pub struct NewCategoryRow {
    pub incident_id: i64,
    pub position: i32,
    pub code: String,
    pub is_confirmed: bool,
}

/// A count of people harmed.
#[derive(Debug, diesel::Insertable)]
#[diesel(table_name = incident_harm, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "the columns are told in the migration")]
pub struct NewHarmRow {
    pub incident_id: i64,
    pub measure: String,
    pub sex_age: String,
    pub min_count: i32,
    pub max_count: i32,
}

/// A type of actor in an incident.
#[derive(Debug, diesel::Insertable)]
#[diesel(table_name = incident_actors, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "the columns are told in the migration")]
pub struct NewActorRow {
    pub incident_id: i64,
    pub actor_type: String,
}

/// A report as it was sent.
#[derive(Debug, diesel::Insertable)]
#[diesel(table_name = reports, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "the columns are told in the migration")]
pub struct NewReportRow {
    pub uuid: ReportId,
    pub incident_id: i64,
    pub home_incident_id: i64,
    pub state: &'static str,
    pub revision: i32,
    pub follows: Option<ReportId>,
    pub channel: String,
    pub submitter: Option<Vec<u8>>,
    pub content_mac: Vec<u8>,
    pub retry_key: Option<Vec<u8>>,
    pub reference: String,
    pub received_at: NaiveDateTime,
    pub country: String,
    pub country_computed: Option<String>,
    pub admin1: Option<String>,
    pub admin2: Option<String>,
    pub zone: Option<String>,
    pub geo_precision: String,
    pub cell5: Option<i64>,
    pub place_lon_e6: Option<i32>,
    pub place_lat_e6: Option<i32>,
    pub cell7_veiled: Option<Vec<u8>>,
    pub site_veiled: Option<Vec<u8>>,
    pub site_distance: Option<String>,
    pub boundary_source: Option<String>,
    pub first_day: Option<NaiveDate>,
    pub last_day: Option<NaiveDate>,
    pub date_precision: Option<String>,
    pub flags: String,
    pub codes: String,
}

/// The wrapped key of one sealed part.
#[derive(Debug, diesel::Insertable)]
#[diesel(table_name = data_keys, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "the columns are told in the migration")]
pub struct NewDataKeyRow {
    pub id: Id<Any>,
    pub wrapped: Vec<u8>,
    pub kek_id: String,
}

/// A sealed part.
#[derive(Debug, diesel::Insertable)]
#[diesel(table_name = sealed, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "the columns are told in the migration")]
pub struct NewSealedRow {
    pub owner_kind: &'static str,
    pub owner_id: Id<Any>,
    pub part: &'static str,
    pub version: i32,
    pub key_id: Option<Id<Any>>,
    pub blob: Vec<u8>,
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, diesel::Queryable, diesel::Insertable)]
#[diesel(table_name = audit_entries, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "the columns are told in the migration")]
pub struct AuditRow {
    pub chain: i32,
    pub position: i64,
    pub at: NaiveDateTime,
    pub actor: Option<UserId>,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: Id<Any>,
    pub domain: String,
    pub detail: String,
    pub country: Option<String>,
    pub country_other: Option<String>,
    pub chained: Vec<u8>,
}

/// How far a chain of the audit log has grown, and its signed head.
#[derive(
    Debug, Clone, PartialEq, Eq, diesel::Queryable, diesel::Insertable, diesel::AsChangeset,
)]
#[diesel(table_name = audit_chains)]
#[expect(missing_docs, reason = "the columns are told in the migration")]
pub struct ChainRow {
    pub chain: i32,
    pub size: i64,
    pub peaks: Vec<u8>,
    pub root: Vec<u8>,
    pub chained: Vec<u8>,
    pub signed_at: NaiveDateTime,
    pub signature: Vec<u8>,
}

/// What a release tells as one figure.
#[derive(Debug, diesel::Queryable, diesel::Insertable)]
#[diesel(table_name = release_atoms, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "the columns are told in the migration")]
pub struct ReleaseAtomRow {
    pub release_id: i64,
    pub position: i32,
    pub country: String,
    pub places: String,
    pub times: String,
    pub categories: String,
    pub incidents: Option<i32>,
    pub is_kept: bool,
    pub folded: String,
}
