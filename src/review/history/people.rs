//! Who did something: by role and country to everybody, by id to whoever reads the audit log there, by name to whoever may
//! manage the person.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::policy::may_name;
use crate::auth::types::{Grant, Principal};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::users;
use crate::db::sealed;
use crate::error::{Error, Result};
use crate::ids::{Id, UserId};
use crate::keys;
use crate::people::grants::store::list_of_users;
use crate::people::grants::types::StoredGrant;
use crate::people::regions::store::list_regions;
use crate::review::history::events::{Actor, Event};
use crate::seal::envelope::{Owner, OwnerKind, Part};

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = HistoryActor)]
pub struct ActorView {
    /// `person`, `sender` (of the report, whoever that is) or `system`.
    #[schema(example = "person")]
    kind: &'static str,
    /// The person's id; absent for those who do not read the audit log of this country.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<uuid::Uuid>)]
    id: Option<UserId>,
    /// The name; absent for all who may not manage the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The roles that the person had then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<RoleView>,
}

/// A role somebody had.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[schema(as = HistoryRole)]
pub struct RoleView {
    /// Which.
    #[schema(example = "reviewer")]
    role: &'static str,
    /// Where: `all`, an alpha-3 code, or `region:CODE`.
    #[schema(example = "SLE")]
    scope: String,
}

/// The people of a page, as far as the caller may know them.
#[derive(Debug)]
pub struct People {
    grants: HashMap<Uuid, Vec<StoredGrant>>,
    names: HashMap<Uuid, String>,
    with_ids: bool,
}

impl People {
    /// Returns the people of some events.
    ///
    /// # Errors
    /// When the database fails or a name does not open.
    pub fn of(
        conn: &mut DbConn,
        context: &Context,
        (principal, with_ids): (&Principal, bool),
        events: &[Event],
    ) -> Result<Self> {
        let mut ids: BTreeSet<Uuid> = BTreeSet::new();
        for event in events {
            let (from, to) = event.handed.unwrap_or_default();
            let by = match event.by {
                Actor::Person(id) => Some(id),
                Actor::Sender | Actor::System => None,
            };
            ids.extend([by, from, to].into_iter().flatten().map(Id::uuid));
        }
        let ids: Vec<UserId> = ids.into_iter().map(Id::from_uuid).collect();
        let rows: Vec<(i64, UserId)> = users::table
            .filter(users::uuid.eq_any(ids))
            .select((users::id, users::uuid))
            .load(conn)?;
        let row_ids: Vec<i64> = rows.iter().map(|(row_id, _)| *row_id).collect();
        let mut grants: HashMap<Uuid, Vec<StoredGrant>> = HashMap::new();
        for grant in list_of_users(conn, &row_ids, context.geo().countries())? {
            grants.entry(grant.user.uuid()).or_default().push(grant);
        }
        let nameable = list_nameable(conn, context, principal, &rows, &grants)?;
        let names = open_names(conn, context, &nameable)?;
        Ok(Self { grants, names, with_ids })
    }

    /// Returns who did something at an instant.
    pub fn view(&self, actor: Actor, at: NaiveDateTime) -> ActorView {
        let of = |kind| ActorView { kind, id: None, name: None, roles: Vec::new() };
        match actor {
            Actor::Sender => of("sender"),
            Actor::System => of("system"),
            Actor::Person(id) => ActorView {
                id: self.with_ids.then_some(id),
                name: self.names.get(&id.uuid()).cloned(),
                roles: self.roles(id, at.and_utc()),
                ..of("person")
            },
        }
    }

    fn roles(&self, id: UserId, at: DateTime<Utc>) -> Vec<RoleView> {
        let held = self.grants.get(&id.uuid()).into_iter().flatten().filter(|grant| {
            grant.period.holds_at(at) && grant.revoked_at.is_none_or(|revoked| revoked > at)
        });
        let roles = held
            .map(|grant| RoleView { role: grant.role.as_str(), scope: grant.scope.to_string() });
        roles.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// Returns those whom the caller may know by name.
fn list_nameable(
    conn: &mut DbConn,
    context: &Context,
    principal: &Principal,
    rows: &[(i64, UserId)],
    grants: &HashMap<Uuid, Vec<StoredGrant>>,
) -> Result<Vec<Uuid>> {
    let regions = list_regions(conn, context.geo().countries())?;
    let now = context.clock.now();
    let is_nameable = |id: UserId| {
        let own = grants.get(&id.uuid()).into_iter().flatten();
        let lasting = own.filter(|grant| !grant.is_over_at(now));
        let held: Vec<Grant> = lasting.map(|grant| grant.resolve(&regions)).collect();
        may_name(principal, id, &held)
    };
    Ok(rows.iter().map(|(_, id)| *id).filter(|id| is_nameable(*id)).map(Id::uuid).collect())
}

fn open_names(conn: &mut DbConn, context: &Context, ids: &[Uuid]) -> Result<HashMap<Uuid, String>> {
    let (kind, part) = (OwnerKind::User, Part::Identity);
    let mut names = HashMap::with_capacity(ids.len());
    for (id, (version, content)) in sealed::list_parts(conn, kind, part, ids)? {
        let version = u32::try_from(version).map_err(Error::internal)?;
        let of = (Owner { kind, id }, part, version);
        let bytes = keys::opening::open(conn, &context.sealer, of, &content)?;
        names.insert(id, String::from_utf8(bytes.to_vec()).map_err(Error::internal)?);
    }
    Ok(names)
}
