//! Who stands behind the reports of an incident: whether two of them are independent, and whether the reviewer is one.
//!
//! Nothing of it is stored: senders are looked for by their pseudonyms when a decision asks.

use std::collections::BTreeSet;

use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};

use crate::auth::submitters::{Affiliation, Pseudonym, find_affiliations};
use crate::db::dialect::DbConn;
use crate::db::schema::reports;
use crate::error::{Code, Error, FieldError, Result};
use crate::ids::UserId;
use crate::incidents::facts::Status;
use crate::seal::subkeys::SubKeySet;

/// Fewest independent sources of a corroborated incident.
pub const SOURCES_NEEDED: usize = 2;

/// Refuses to corroborate or verify an incident whose reports do not allow it: corroborating needs two independent
/// sources, and nobody confirms what they reported themselves.
///
/// # Errors
/// `OwnReport`, `SourcesNeeded`; the database's failure.
pub fn check(
    conn: &mut DbConn,
    keys: &SubKeySet,
    (incident, to): (i64, Status),
    decided_by: Option<UserId>,
) -> Result<()> {
    if !matches!(to, Status::Corroborated | Status::Verified) {
        return Ok(());
    }
    if let Some(reviewer) = decided_by
        && is_sender(conn, keys, incident, reviewer)?
    {
        return Err(own_report(to));
    }
    if to == Status::Corroborated {
        let n_sources = count_independent(conn, keys, incident)?;
        if n_sources < SOURCES_NEEDED {
            return Err(sources_needed(n_sources));
        }
    }
    Ok(())
}

/// Tells whether `person` sent a report of the incident, by whichever phone, and whatever became of it.
fn is_sender(
    conn: &mut DbConn,
    keys: &SubKeySet,
    incident: i64,
    person: UserId,
) -> QueryResult<bool> {
    let pseudonym = keys.pseudonym(person.uuid().as_bytes()).to_vec();
    let own = reports::table
        .filter(reports::incident_id.eq(incident))
        .filter(reports::submitter.eq(Some(pseudonym)));
    diesel::select(diesel::dsl::exists(own)).get_result(conn)
}

/// Returns how many sources that have nothing to do with each other stand behind the active reports of an incident. An
/// organisation is one, however many of its people and phones report; a known person of no organisation is one; all
/// whom nobody knows are one together.
///
/// # Errors
/// When the database fails.
pub fn count_independent(conn: &mut DbConn, keys: &SubKeySet, incident: i64) -> Result<usize> {
    let senders: Vec<Option<Vec<u8>>> = reports::table
        .filter(reports::incident_id.eq(incident))
        .filter(reports::state.eq("active"))
        .select(reports::submitter)
        .distinct()
        .load(conn)?;
    let pseudonyms: Vec<Option<Pseudonym>> =
        senders.iter().map(|sender| sender.as_deref()?.try_into().ok()).collect();
    let known = find_affiliations(conn, keys, pseudonyms.iter().flatten().copied().collect())?;
    let sources: BTreeSet<Option<Affiliation>> =
        pseudonyms.iter().map(|pseudonym| known.get(pseudonym.as_ref()?).copied()).collect();
    Ok(sources.len())
}

fn own_report(to: Status) -> Error {
    let to = to.as_str();
    Error::field(
        Code::OwnReport,
        FieldError::new(
            "/status",
            format!("a report of this incident is yours: another reviewer decides on {to}"),
            format!("un rapport de cet incident est de vous : un autre réviseur décide de {to}"),
        ),
    )
}

fn sources_needed(n_sources: usize) -> Error {
    Error::field(
        Code::SourcesNeeded,
        FieldError::new(
            "/status",
            format!(
                "corroborated needs {SOURCES_NEEDED} independent sources, and its reports come from {n_sources}: \
                 reports of one organisation, or of senders nobody knows, are one source; merge in a report of another"
            ),
            format!(
                "corroborated demande {SOURCES_NEEDED} sources indépendantes, et ses rapports viennent de \
                 {n_sources} : les rapports d'une même organisation, ou d'expéditeurs inconnus, sont une seule source ; \
                 fusionnez le rapport d'une autre"
            ),
        ),
    )
}
