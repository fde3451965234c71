//! A grant, and how it is shown.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::types::{Grant, GrantScope, Role, Scope};
use crate::error::FieldError;
use crate::geo::countries::Countries;
use crate::ids::{GrantId, UserId};
use crate::people::grants::period::Period;
use crate::people::input::{Faults, not_one_of};
use crate::people::regions::types::Region;
use crate::taxonomy::lists::{CodeLists, ListName};

/// A grant that is to be.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// What may be done.
    pub role: Role,
    /// Where.
    pub scope: GrantScope,
    /// When.
    pub period: Period,
    /// Codes of `grant_tag`, each once.
    pub tags: Vec<String>,
}

/// A grant as it is stored.
#[derive(Debug, Clone)]
pub struct StoredGrant {
    /// Row id.
    pub row_id: i64,
    /// Public id.
    pub id: GrantId,
    /// Row id of whose it is.
    pub user_row: i64,
    /// Whose it is.
    pub user: UserId,
    /// What may be done.
    pub role: Role,
    /// Where.
    pub scope: GrantScope,
    /// When.
    pub period: Period,
    /// When it was taken away, if it was.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Codes of `grant_tag`.
    pub tags: Vec<String>,
}

impl StoredGrant {
    /// Tells whether it is over at `now`, by its end or because it was taken away.
    pub fn is_over_at(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_some() || self.period.is_over_at(now)
    }

    /// Tells whether it holds at `now`.
    pub fn holds_at(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.period.holds_at(now)
    }

    /// Returns it as the policy knows it.
    pub fn resolve(&self, regions: &[Region]) -> Grant {
        let scope = resolve(&self.scope, regions);
        Grant { role: self.role, written: self.scope.clone(), scope }
    }

    fn state_at(&self, now: DateTime<Utc>) -> &'static str {
        if self.is_over_at(now) {
            "ended"
        } else if self.period.holds_at(now) {
            "current"
        } else {
            "upcoming"
        }
    }
}

/// Returns the countries a scope stands for today.
pub fn resolve(scope: &GrantScope, regions: &[Region]) -> Scope {
    let members: BTreeSet<_> = match scope {
        GrantScope::Region(code) => {
            let found = regions.iter().find(|region| region.code == *code);
            found.map(|region| region.countries.iter().copied().collect()).unwrap_or_default()
        }
        GrantScope::All | GrantScope::Country(_) => BTreeSet::new(),
    };
    scope.resolve(members)
}

/// Tells whether two scopes have a country in common.
pub fn meets(one: &Scope, other: &Scope) -> bool {
    match one.clone().intersection(other) {
        Scope::All => true,
        Scope::Countries(countries) => !countries.is_empty(),
    }
}

/// A role of a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Grant)]
pub struct GrantView {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    id: GrantId,
    /// The person.
    #[schema(value_type = uuid::Uuid)]
    user: UserId,
    /// `monitor`, `reviewer`, `regional_lead`, `analyst`, `coordinator`, `auditor`, `sysadmin`.
    #[schema(example = "reviewer")]
    role: &'static str,
    /// `all`, an alpha-3 code, or `region:CODE`.
    #[schema(example = "SLE")]
    scope: String,
    /// `upcoming`, `current` or `ended`.
    state: &'static str,
    /// Its first instant.
    from: DateTime<Utc>,
    /// The instant at which it is over; null: it has no end.
    until: Option<DateTime<Utc>>,
    /// When it was taken away; null: it was not.
    revoked_at: Option<DateTime<Utc>>,
    /// Codes of `grant_tag`: what the person follows.
    #[schema(example = json!(["watch_kp_wgm"]))]
    tags: Vec<String>,
}

impl GrantView {
    /// Returns the view of a grant at `now`.
    pub fn of(grant: &StoredGrant, now: DateTime<Utc>) -> Self {
        Self {
            id: grant.id,
            user: grant.user,
            role: grant.role.as_str(),
            scope: grant.scope.to_string(),
            state: grant.state_at(now),
            from: grant.period.from,
            until: grant.period.until,
            revoked_at: grant.revoked_at,
            tags: grant.tags.clone(),
        }
    }
}

/// A role to give.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GrantEdit, example = json!({"role": "reviewer", "scope": "SLE", "until": "2027-06-30", "tags": ["watch_kp_wgm"]}))]
pub struct GrantBody {
    /// `monitor`, `reviewer`, `regional_lead`, `analyst` or `coordinator`; the others are given on the server.
    #[schema(example = "reviewer")]
    pub role: String,
    /// `all`, a country (alpha-3 or alpha-2) or `region:CODE`.
    #[schema(example = "SLE")]
    pub scope: String,
    /// A day, which begins at midnight UTC, or an instant; now where absent or gone by.
    #[serde(default)]
    pub from: Option<String>,
    /// A day, the last in full (UTC), or an instant, which is outside; without an end where absent.
    #[serde(default)]
    pub until: Option<String>,
    /// Codes of `grant_tag`: themes the person leads, working groups the person watches.
    #[serde(default)]
    pub tags: Vec<String>,
}

impl GrantBody {
    /// Returns what is asked for, or takes down what is wrong with it, under `pointer`.
    pub fn read(
        &self,
        pointer: &str,
        countries: &Countries,
        lists: &CodeLists,
        now: DateTime<Utc>,
        faults: &mut Faults,
    ) -> Option<NewGrant> {
        let role = faults.take(read_role(&format!("{pointer}/role"), &self.role));
        let scope = faults.take(read_scope(&format!("{pointer}/scope"), &self.scope, countries));
        let (from, until) = (self.from.as_deref(), self.until.as_deref());
        let period = faults.take(Period::read(pointer, from, until, now));
        let mut tags = Vec::new();
        for (index, tag) in self.tags.iter().enumerate() {
            tags.extend(faults.take(read_tag(&format!("{pointer}/tags/{index}"), tag, lists)));
        }
        tags.sort_unstable();
        tags.dedup();
        Some(NewGrant { role: role?, scope: scope?, period: period?, tags })
    }
}

fn read_role(pointer: &str, text: &str) -> Result<Role, FieldError> {
    Role::parse(text).ok_or_else(|| not_one_of(pointer, &Role::ALL.map(Role::as_str)))
}

/// Reads `all`, a country or `region:CODE`; whether there is such a region the database says later.
///
/// # Errors
/// What is wrong with it.
pub fn read_scope(
    pointer: &str,
    text: &str,
    countries: &Countries,
) -> Result<GrantScope, FieldError> {
    if text == "all" {
        return Ok(GrantScope::All);
    }
    GrantScope::parse_one(text, countries).map_err(|_part| no_such_scope(pointer))
}

/// Returns the fault of a scope that is none.
pub fn no_such_scope(pointer: &str) -> FieldError {
    FieldError::new(
        pointer,
        "a scope is all, a country such as SLE, or a region such as region:west; there is no such one",
        "une portée est all, un pays comme SLE, ou une région comme region:west ; celle-ci n'existe pas",
    )
}

fn read_tag(pointer: &str, tag: &str, lists: &CodeLists) -> Result<String, FieldError> {
    let list = lists.list(ListName::GrantTag);
    if list.find(tag).is_some() {
        return Ok(tag.to_owned());
    }
    let known: Vec<&str> = list.codes().iter().map(|code| code.code.as_str()).collect();
    Err(not_one_of(pointer, &known))
}
