//! Who asks, where, when.

use chrono::{DateTime, Utc};

use crate::audit::Entry;
use crate::auth::http::Access;
use crate::auth::types::{GrantScope, Principal, Scope};
use crate::geo::countries::CountryCode;

/// Who asks, where they may, and when.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whoever asks.
    pub principal: Principal,
    /// The countries in which the action is theirs.
    pub scope: Scope,
    /// The server's clock.
    pub now: DateTime<Utc>,
}

impl Caller {
    /// Returns the caller of a request that came at `now`.
    pub fn new<P>(access: Access<P>, now: DateTime<Utc>) -> Self {
        Self { principal: access.principal, scope: access.scope, now }
    }
}

/// Returns the entry as concerning the countries that `scopes` name, two at most; a region or `all` names none.
pub fn told_in<'a>(entry: Entry, scopes: impl IntoIterator<Item = &'a GrantScope>) -> Entry {
    let countries = scopes.into_iter().filter_map(|scope| match scope {
        GrantScope::Country(country) => Some(*country),
        GrantScope::All | GrantScope::Region(_) => None,
    });
    let mut countries: Vec<CountryCode> = countries.collect();
    countries.sort_unstable();
    countries.dedup();
    match countries.as_slice() {
        [] => entry,
        [only] => entry.within(only.as_str(), None),
        [first, second, ..] => entry.within(first.as_str(), Some(second.as_str())),
    }
}
