//! Principals, roles, grants and scopes.

use std::collections::BTreeSet;
use std::fmt;

use crate::auth::policy::Action;
use crate::geo::countries::{Countries, CountryCode};
use crate::ids::{DeviceId, SessionId, UserId};

/// What a person may do, within the scope of the grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Sends reports.
    Monitor,
    /// Checks the reports of a country.
    Reviewer,
    /// Checks the reports of a region.
    RegionalLead,
    /// Counts and exports.
    Analyst,
    /// Runs the programme.
    Coordinator,
    /// Proves who did what.
    Auditor,
    /// Runs the machines, sees no report.
    Sysadmin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] = [
        Self::Monitor,
        Self::Reviewer,
        Self::RegionalLead,
        Self::Analyst,
        Self::Coordinator,
        Self::Auditor,
        Self::Sysadmin,
    ];

    /// Returns its name in commands, database and API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::Reviewer => "reviewer",
            Self::RegionalLead => "regional_lead",
            Self::Analyst => "analyst",
            Self::Coordinator => "coordinator",
            Self::Auditor => "auditor",
            Self::Sysadmin => "sysadmin",
        }
    }

    /// Reads a role's name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// Countries a caller sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every country, those outside every region included.
    All,
    /// These alone.
    Countries(BTreeSet<CountryCode>),
}

impl Scope {
    /// Returns the scope without a country.
    pub fn nowhere() -> Self {
        Self::Countries(BTreeSet::new())
    }

    /// Tells whether `country` is in it.
    pub fn has(&self, country: CountryCode) -> bool {
        match self {
            Self::All => true,
            Self::Countries(countries) => countries.contains(&country),
        }
    }

    /// Returns what either sees.
    pub fn union(self, other: Self) -> Self {
        match (self, other) {
            (Self::Countries(mut left), Self::Countries(mut right)) => {
                left.append(&mut right);
                Self::Countries(left)
            }
            _ => Self::All,
        }
    }

    /// Returns what both see.
    pub fn intersection(self, other: &Self) -> Self {
        match (self, other) {
            (Self::All, other) => other.clone(),
            (mine, Self::All) => mine,
            (Self::Countries(left), Self::Countries(right)) => {
                Self::Countries(left.intersection(right).copied().collect())
            }
        }
    }

    /// Tells whether everything `other` sees is in it.
    pub fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::Countries(_), Self::All) => false,
            (Self::Countries(mine), Self::Countries(others)) => others.is_subset(mine),
        }
    }
}

/// The scope of a grant as it is written: `all`, a country, or a region (data, so resolved on each request).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantScope {
    /// Everywhere.
    All,
    /// One country.
    Country(CountryCode),
    /// A set of countries by its code.
    Region(String),
}

impl GrantScope {
    /// Reads `all`, `SLE,COD`, `region:west` or a mixture of the latter two.
    ///
    /// Whether there is such a region only the database can say, when the grant is stored.
    ///
    /// # Errors
    /// The part that names no country of ours and has not the form of a region.
    pub fn parse_list(text: &str, countries: &Countries) -> Result<Vec<Self>, String> {
        if text == "all" {
            return Ok(vec![Self::All]);
        }
        text.split(',').map(|part| Self::parse_one(part.trim(), countries)).collect()
    }

    /// Reads one part of such a list: `SLE` or `region:west`.
    ///
    /// # Errors
    /// The part itself, as [`GrantScope::parse_list`].
    pub fn parse_one(part: &str, countries: &Countries) -> Result<Self, String> {
        if let Some(region) = part.strip_prefix("region:") {
            let is_code = !region.is_empty() && !region.contains(char::is_whitespace);
            return if is_code {
                Ok(Self::Region(region.to_owned()))
            } else {
                Err(part.to_owned())
            };
        }
        countries.parse(part).map(Self::Country).ok_or_else(|| part.to_owned())
    }

    /// Returns the two columns it is stored in.
    pub fn columns(&self) -> (&'static str, String) {
        match self {
            Self::All => ("all", String::new()),
            Self::Country(country) => ("country", country.as_str().to_owned()),
            Self::Region(region) => ("region", region.clone()),
        }
    }

    /// Reads the two columns it is stored in; `None` when they hold nothing of ours.
    pub fn from_columns(kind: &str, value: &str, countries: &Countries) -> Option<Self> {
        match kind {
            "all" => Some(Self::All),
            "country" => countries.parse(value).map(Self::Country),
            "region" => Some(Self::Region(value.to_owned())),
            _ => None,
        }
    }

    /// Returns the countries it stands for today; `members` are those of its region.
    pub fn resolve(&self, members: BTreeSet<CountryCode>) -> Scope {
        match self {
            Self::All => Scope::All,
            Self::Country(country) => Scope::Countries([*country].into()),
            Self::Region(_) => Scope::Countries(members),
        }
    }
}

/// As [`GrantScope::parse_one`] reads it, and `all`.
impl fmt::Display for GrantScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Country(country) => write!(f, "{country}"),
            Self::Region(region) => write!(f, "region:{region}"),
        }
    }
}

/// A role within a scope, now.
#[derive(Debug, Clone)]
pub struct Grant {
    /// What may be done.
    pub role: Role,
    /// Where, as it was granted.
    pub written: GrantScope,
    /// Where, today.
    pub scope: Scope,
}

/// What one credential may do of what its owner may. A sign-in is as wide as its owner.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// These actions alone; `None`: whatever the owner may.
    pub actions: Option<BTreeSet<Action>>,
    /// There alone; `None`: wherever the owner may.
    pub scope: Option<Scope>,
    /// Whether it may reveal identities, which a token may only when it was issued for that.
    pub may_reveal: bool,
    /// The signed-in session; a bearer token has none.
    pub session: Option<SessionId>,
}

/// Whoever a request acts as.
#[derive(Debug, Clone)]
pub enum Principal {
    /// A person.
    User {
        /// The account.
        id: UserId,
        /// What it may do, where, today.
        grants: Vec<Grant>,
        /// What the credential may do of it.
        limits: Limits,
    },
    /// A phone that can only submit and read its receipts.
    Device {
        /// The device.
        id: DeviceId,
        /// The person it belongs to, where known.
        owner: Option<UserId>,
    },
}

impl Principal {
    /// Returns the user id for decisions and the audit; devices have none.
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(*id),
            Self::Device { .. } => None,
        }
    }

    /// Returns the bytes whose keyed hash stands for the submitter: the person where known, else the device.
    pub fn submitter_bytes(&self) -> [u8; 16] {
        match self {
            Self::User { id, .. } | Self::Device { owner: Some(id), .. } => id.uuid().into_bytes(),
            Self::Device { id, owner: None } => id.uuid().into_bytes(),
        }
    }
}

#[cfg(test)]
mod tests;
