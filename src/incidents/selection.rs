//! What a caller asks for, joined to what the caller may see: the one way to the rows of lists, counts and exports.

use std::sync::OnceLock;

use crate::aggregates::candidates::Reach;
use crate::aggregates::columns::Columns;
use crate::aggregates::query::{Rights, Scope as CountedScope, Selector};
use crate::auth::policy::{Action, visible};
use crate::auth::types::{Principal, Scope};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::error::{Code, Error, FieldError, Result};
use crate::http::query::Pairs;
use crate::ids::UserId;
use crate::incidents::filter::{FilterError, IncidentFilter};
use crate::incidents::search::{Found, Search, search};

/// A filter within a scope.
pub struct Asked {
    /// The filter.
    pub filter: IncidentFilter,
    /// The countries the caller counts in.
    pub scope: CountedScope,
    /// Whether fine places may be asked for.
    pub rights: Rights,
    /// Where the caller may search in texts, when the filter has `q`.
    searched: Option<Searched>,
    reach: Reach,
    /// What was found, once for all that one request asks.
    found: OnceLock<Found>,
}

/// Where is searched, and by whom.
struct Searched {
    scope: Scope,
    counted: CountedScope,
    by: Option<UserId>,
}

impl Asked {
    /// Reads the filter out of `pairs`; `accepted` are names the caller reads itself.
    ///
    /// # Errors
    /// `UnknownParameter`, `InvalidParameter`; `Forbidden` for `q` without the right to narratives.
    pub fn parse(
        pairs: &Pairs,
        accepted: &[&str],
        principal: &Principal,
        scope: &Scope,
        context: &Context,
    ) -> Result<Self> {
        let filter = IncidentFilter::parse(&pairs.0, accepted, &context.reference())
            .map_err(|errors| refuse(&errors))?;
        let searched = if filter.q.is_some() {
            let scope = visible(principal, Action::SearchText)?.intersection(scope);
            Some(Searched { counted: counted(&scope), scope, by: principal.user_id() })
        } else {
            None
        };
        // Fine places may be asked for only where every country counted is one whose reports the caller may open.
        let can_see_fine_cells =
            visible(principal, Action::OpenReport).is_ok_and(|exact| exact == *scope);
        Ok(Self {
            filter,
            scope: counted(scope),
            rights: Rights { can_see_fine_cells },
            searched,
            reach: Reach::Counted,
            found: OnceLock::new(),
        })
    }

    /// Returns it for an answer of another reach than that of counts.
    #[must_use]
    pub fn reaching(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    /// Answers `ask` on columns current to the last commit.
    ///
    /// # Errors
    /// `NotFound` for a place out of scope, `Forbidden` for a fine one; those of [`search`]; the database's failure;
    /// whatever `ask` answers.
    pub fn answer<T>(
        &self,
        conn: &mut DbConn,
        context: &Context,
        ask: impl FnOnce(&Columns, Selector<'_>, i64) -> Result<T>,
    ) -> Result<T> {
        let found = self.search(conn, context)?;
        context.live.read(conn, &context.keys.place_veil(), |columns, seq| {
            let selector =
                Selector::new(&self.filter, &self.scope, self.rights, columns.reference())
                    .map_err(|errors| refuse(&errors))?;
            let selector = match (found, &self.searched) {
                (Some(found), Some(searched)) => {
                    selector.within(&searched.counted).among(found.ids())
                }
                _ => selector,
            };
            ask(columns, selector, seq)
        })
    }

    /// Returns what was found when this was answered; `None` without `q`.
    pub fn found(&self) -> Option<&Found> {
        self.found.get()
    }

    /// Searches what the other filters leave, unless this request already did.
    fn search(&self, conn: &mut DbConn, context: &Context) -> Result<Option<&Found>> {
        let (Some(query), Some(searched)) = (&self.filter.q, &self.searched) else {
            return Ok(None);
        };
        if self.found.get().is_none() {
            let candidates =
                context.live.read(conn, &context.keys.place_veil(), |columns, _| {
                    let selector =
                        Selector::new(&self.filter, &self.scope, self.rights, columns.reference())
                            .map_err(|errors| refuse(&errors))?;
                    Ok(columns.list_candidates(&selector.within(&searched.counted), self.reach))
                })?;
            let asked =
                Search { query, filter: &self.filter, scope: &searched.scope, by: searched.by };
            let found = search(conn, context, &asked, &candidates)?;
            return Ok(Some(self.found.get_or_init(|| found)));
        }
        Ok(self.found.get())
    }
}

/// Returns a scope in the words of the columns.
pub fn counted(scope: &Scope) -> CountedScope {
    match scope {
        Scope::All => CountedScope::All,
        Scope::Countries(countries) => CountedScope::Countries(
            countries.iter().map(|country| country.as_str().to_owned()).collect(),
        ),
    }
}

/// Returns the one error that `errors` amount to: what is malformed first, then what is not allowed, then what is not
/// there.
pub fn refuse(errors: &[FilterError]) -> Error {
    let code_of = |error: &FilterError| match error {
        FilterError::UnknownParameter { .. } => (0, Code::UnknownParameter),
        FilterError::Invalid { .. } => (1, Code::InvalidParameter),
        FilterError::Forbidden { .. } => (2, Code::Forbidden),
        FilterError::NotFound { .. } => (3, Code::NotFound),
    };
    let worst = errors.iter().map(code_of).min_by_key(|(rank, _)| *rank);
    let Some((rank, code)) = worst else {
        return Error::internal("a query was refused without a reason");
    };
    if code == Code::NotFound {
        // A place out of scope is the same 404 as one that does not exist: nothing is named.
        return Error::not_found();
    }
    let fields = errors.iter().filter(|error| code_of(error).0 == rank).map(|error| {
        FieldError::new(format!("?{}", error.parameter()), error.message_en(), error.message_fr())
    });
    let fields: Vec<FieldError> = fields.collect();
    if code == Code::Forbidden {
        let is_search = fields.iter().any(|field| field.pointer == "?q");
        let action = if is_search { Action::SearchText } else { Action::OpenReport };
        return Error { fields, ..Error::forbidden(action.as_str()) };
    }
    Error { fields, ..Error::new(code) }
}
