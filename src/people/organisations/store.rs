//! Organisations in the database.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};

use crate::db::dialect::{self, DbConn};
use crate::db::schema::organisations;
use crate::error::{Code, Error, Result};
use crate::geo::countries::CountryCode;
use crate::ids::OrganisationId;

/// What ties an organisation to the coalition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Membership {
    /// It belongs to it.
    Member,
    /// It sits in.
    Observer,
    /// It is about to join, or was named by somebody who handed out a phone.
    Candidate,
}

impl Membership {
    /// Every kind with its code.
    pub const CODES: [(&'static str, Self); 3] =
        [("member", Self::Member), ("observer", Self::Observer), ("candidate", Self::Candidate)];

    /// Returns its code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Observer => "observer",
            Self::Candidate => "candidate",
        }
    }
}

/// What an organisation is to be.
#[derive(Debug, Clone)]
pub struct NewOrganisation {
    /// Its name, unique.
    pub name: String,
    /// Its country; an international one has none.
    pub country: Option<CountryCode>,
    /// What ties it to the coalition.
    pub membership: Membership,
}

/// An organisation as it is stored.
#[derive(Debug, diesel::Queryable)]
pub struct OrganisationRow {
    /// Row id.
    pub row_id: i64,
    /// Public id.
    pub id: OrganisationId,
    /// Its name.
    pub name: String,
    /// Alpha-3 code.
    pub country: Option<String>,
    /// Code of [`Membership`].
    pub membership: String,
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    organisations::table.select((
        organisations::id,
        organisations::uuid,
        organisations::name,
        organisations::country,
        organisations::membership,
    ))
}

/// Returns up to `limit` organisations after a row, in the order they were added, and how many there are.
///
/// # Errors
/// When the database fails.
pub fn list_organisations(
    conn: &mut DbConn,
    after: i64,
    limit: i64,
) -> QueryResult<(Vec<OrganisationRow>, i64)> {
    let total = organisations::table.count().get_result(conn)?;
    let rows = columns()
        .filter(organisations::id.gt(after))
        .order(organisations::id)
        .limit(limit)
        .load(conn)?;
    Ok((rows, total))
}

/// Returns one organisation.
///
/// # Errors
/// When the database fails.
pub fn find_organisation(
    conn: &mut DbConn,
    id: OrganisationId,
) -> QueryResult<Option<OrganisationRow>> {
    columns().filter(organisations::uuid.eq(id)).first(conn).optional()
}

/// Returns the row id of the organisation of that name.
///
/// # Errors
/// When the database fails.
pub fn find_by_name(conn: &mut DbConn, name: &str) -> QueryResult<Option<i64>> {
    let named = organisations::table.filter(organisations::name.eq(name));
    named.select(organisations::id).first(conn).optional()
}

/// Adds an organisation.
///
/// # Errors
/// `NameTaken`; the database's failure.
pub fn insert_organisation(
    conn: &mut DbConn,
    id: OrganisationId,
    organisation: &NewOrganisation,
    now: DateTime<Utc>,
) -> Result<()> {
    let NewOrganisation { name, country, membership } = organisation;
    diesel::insert_into(organisations::table)
        .values((
            organisations::uuid.eq(id),
            organisations::name.eq(name),
            organisations::country.eq(country.as_ref().map(CountryCode::as_str)),
            organisations::membership.eq(membership.as_str()),
            organisations::created_at.eq(now.naive_utc()),
        ))
        .execute(conn)
        .map(drop)
        .map_err(taken)
}

/// Changes an organisation.
///
/// # Errors
/// `NotFound`; `NameTaken`; the database's failure.
pub fn update_organisation(
    conn: &mut DbConn,
    id: OrganisationId,
    organisation: &NewOrganisation,
) -> Result<()> {
    let NewOrganisation { name, country, membership } = organisation;
    let n_changed = diesel::update(organisations::table.filter(organisations::uuid.eq(id)))
        .set((
            organisations::name.eq(name),
            organisations::country.eq(country.as_ref().map(CountryCode::as_str)),
            organisations::membership.eq(membership.as_str()),
        ))
        .execute(conn)
        .map_err(taken)?;
    if n_changed == 0 { Err(Error::not_found()) } else { Ok(()) }
}

fn taken(error: diesel::result::Error) -> Error {
    if !dialect::is_taken(&error, "organisations_name_key", "organisations", "name") {
        return error.into();
    }
    Error::new(Code::NameTaken).detail(
        "there is an organisation of that name already",
        "une organisation porte déjà ce nom",
    )
}
