//! What a caller asks for, joined to what the caller may see: the one way to the rows of lists, counts and exports.

use std::collections::HashSet;

use crate::aggregates::columns::Columns;
use crate::aggregates::query::{Rights, Scope as CountedScope, Selector};
use crate::auth::policy::{Action, visible};
use crate::auth::types::{Principal, Scope};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::error::{Code, Error, FieldError, Result};
use crate::http::query::Pairs;
use crate::incidents::filter::{FilterError, IncidentFilter};
use crate::incidents::search::search_text;

/// A filter within a scope.
pub struct Asked {
    /// The filter.
    pub filter: IncidentFilter,
    /// The countries the caller counts in.
    pub scope: CountedScope,
    /// Whether fine places may be asked for.
    pub rights: Rights,
    /// Where the caller may search in narratives, when the filter has `q`.
    search_scope: Option<Scope>,
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
        let search_scope =
            filter.q.as_ref().map(|_| visible(principal, Action::SearchText)).transpose()?;
        // Fine places may be asked for only where every country counted is one whose reports the caller may open.
        let can_see_fine_cells =
            visible(principal, Action::OpenReport).is_ok_and(|exact| exact == *scope);
        Ok(Self {
            filter,
            scope: counted(scope),
            rights: Rights { can_see_fine_cells },
            search_scope,
        })
    }

    /// Answers `ask` on columns current to the last commit.
    ///
    /// # Errors
    /// `NotFound` for a place out of scope, `Forbidden` for a fine one; the database's failure; whatever `ask` answers.
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
            let selector = match &found {
                Some(ids) => selector.among(ids),
                None => selector,
            };
            ask(columns, selector, seq)
        })
    }

    fn search(&self, conn: &mut DbConn, context: &Context) -> Result<Option<HashSet<i64>>> {
        let (Some(query), Some(scope)) = (&self.filter.q, &self.search_scope) else {
            return Ok(None);
        };
        search_text(conn, &context.sealer, scope, query).map(Some)
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
