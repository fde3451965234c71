//! Who opened or changed what, as opaque ids.
//!
//! A log that cannot be edited quietly: entries are chained and signed, each server's in a chain of its own.
//!
//! A slice says what was done with an [`Entry`]: `tx.record(entry)` in a write transaction, or `rows.audit.push(entry)`
//! with the rows of a report. The writer has the [`keeper::Keeper`] append the entries of all its operations together, at
//! the end of the transaction that holds the acts themselves; those of an operation that failed go with it.

pub mod act;
pub mod adopt;
pub mod chain;
pub mod head;
pub mod http;
pub mod keeper;
pub mod list;
pub mod store;
pub mod tree;
pub mod verify;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::audit::act::Act;
use crate::db::rows::{Any, AuditRow};
use crate::error::{Code, Error};
use crate::geo::countries::CountryCode;
use crate::ids::{Id, UserId};

/// What is written of one act. Ids and codes only: an entry outlives the shredding of what it speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Who did it; nobody for intake, devices, the system and commands on the server.
    pub actor: Option<UserId>,
    /// What was done.
    pub act: Act,
    /// The thing it was done to; what kind of thing follows from the act.
    pub subject: Id<Any>,
    /// The server's clock.
    pub at: DateTime<Utc>,
    /// More about it, in codes.
    pub detail: String,
    /// The countries whose reviewers may see the entry: that of the case, and another one where two are told.
    pub countries: [Option<CountryCode>; 2],
}

impl Entry {
    /// Returns the entry of `act` on `subject`, by nobody, in no country.
    pub fn new<K>(act: Act, subject: Id<K>, at: DateTime<Utc>) -> Self {
        let subject = Id::from_uuid(subject.uuid());
        Self { actor: None, act, subject, at, detail: String::new(), countries: [None; 2] }
    }

    /// Returns the entry of `act` on the instance itself.
    pub fn of_instance(act: Act, at: DateTime<Utc>) -> Self {
        Self::new(act, Id::<Any>::from_uuid(Uuid::nil()), at)
    }

    /// Returns it as an act of `actor`.
    pub fn by(self, actor: Option<UserId>) -> Self {
        Self { actor, ..self }
    }

    /// Returns it with `detail`, which holds codes only.
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    /// Returns it as concerning `country` and, where that is another, `other`; both are alpha-3 codes.
    pub fn within(self, country: &str, other: Option<&str>) -> Self {
        let country = CountryCode::from_alpha3(country);
        let other =
            other.and_then(CountryCode::from_alpha3).filter(|other| Some(*other) != country);
        Self { countries: [country, other], ..self }
    }

    /// Returns the row of the entry at its place in a chain, not yet linked to those before it.
    pub fn into_row(self, chain: i32, position: i64) -> AuditRow {
        let Self { actor, act, subject, at, detail, countries } = self;
        let [country, country_other] = countries.map(|code| code.map(|code| code.to_string()));
        AuditRow {
            chain,
            position,
            at: at.naive_utc(),
            actor,
            action: act.code().to_owned(),
            subject_kind: act.subject_kind().to_owned(),
            subject_id: subject,
            domain: act.domain().as_str().to_owned(),
            detail,
            country,
            country_other,
            chained: Vec::new(),
        }
    }
}

/// Returns the error of an opening that could not be written down: it is a lack of room, and nothing is shown.
pub fn not_recorded(error: Error) -> Error {
    match error.code {
        Code::Internal => Error { code: Code::StorageFull, ..error },
        _ => error,
    }
}
