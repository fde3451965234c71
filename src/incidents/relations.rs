//! Links incidents that belong together without being one, across countries too. Whoever links them sees both; whoever
//! sees one of them learns nothing of the other.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::{HttpRequest, HttpResponse, web};
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::audit::act::Act;
use crate::auth::http::{Access, Decide};
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::db::schema::{incident_facts, incident_relations, incidents};
use crate::db::sealed;
use crate::db::writer::WriteTx;
use crate::error::{Error, FieldError, Result};
use crate::geo::locate::Geo;
use crate::http::body::JsonBody;
use crate::http::query::Pairs;
use crate::http::reason::parse_reason;
use crate::ids::{Id, IncidentId, RelationId};
use crate::incidents::decider::{Decider, Seen};
use crate::incidents::pairs::{list_group, pair_of, record_both};
use crate::incidents::store::IncidentRow;
use crate::incidents::view::is_seen_from;
use crate::seal::envelope::{Owner, OwnerKind, Part};

/// Most incidents that one request links.
const MOST_AT_ONCE: usize = 50;

/// Incidents to link to one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Relation, example = json!({
    "incidents": ["3f2a9c1e-8b7d-4e65-9a10-5c3d2b1a0f9e"], "reason": "the same lot on both sides of the river"
}))]
pub struct RelationBody {
    /// Their ids.
    #[schema(value_type = Vec<uuid::Uuid>, min_items = 1, max_items = 50)]
    incidents: Vec<String>,
    /// Why; sealed.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// Link incidents
///
/// Links the incident to others that belong with it without being the same, in any country. All of them must be in the
/// caller's scope, and none merged into another. A link that is there already stays as it is.
#[utoipa::path(
    post, path = "/v1/incidents/{id}/related", tag = "review", operation_id = "relate_incidents",
    params(("id" = uuid::Uuid, Path, description = "The incident")),
    request_body = RelationBody,
    responses((status = 204, description = "Linked"))
)]
pub async fn relate_incidents(
    access: Access<Decide>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<String>,
    body: JsonBody<RelationBody>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let incident: IncidentId = Id::parse(&path).ok_or_else(Error::not_found)?;
    let others = parse_others(incident, &body.0.incidents)?;
    let reason = parse_reason(&body.0.reason)?;
    let link = Linking(Decider::of(&access, &context)?);
    let shared = context.clone();
    context.db.write(move |tx| link.relate(tx, &shared, incident, &others, &reason)).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn parse_others(incident: IncidentId, texts: &[String]) -> Result<Vec<IncidentId>> {
    let invalid = |pointer: String, en: String, fr: String| {
        Err(Error::invalid(vec![FieldError::new(pointer, en, fr)]))
    };
    if !(1..=MOST_AT_ONCE).contains(&texts.len()) {
        let n = texts.len();
        return invalid(
            "/incidents".into(),
            format!("name 1 to {MOST_AT_ONCE} incidents; here are {n}"),
            format!("désignez de 1 à {MOST_AT_ONCE} incidents ; en voici {n}"),
        );
    }
    let mut others = Vec::new();
    for (nth, text) in texts.iter().enumerate() {
        let Some(other) = Id::parse(text) else {
            return invalid(
                format!("/incidents/{nth}"),
                "an incident is named by its UUID".into(),
                "un incident se désigne par son UUID".into(),
            );
        };
        if other == incident {
            return invalid(
                format!("/incidents/{nth}"),
                "an incident is not linked to itself".into(),
                "un incident ne se lie pas à lui-même".into(),
            );
        }
        if !others.contains(&other) {
            others.push(other);
        }
    }
    Ok(others)
}

/// Undo a link between incidents
///
/// Both must be in the caller's scope.
#[utoipa::path(
    delete, path = "/v1/incidents/{id}/related/{related}", tag = "review", operation_id = "unrelate_incident",
    params(
        ("id" = uuid::Uuid, Path, description = "The incident"),
        ("related" = uuid::Uuid, Path, description = "The incident it is linked to"),
    ),
    responses((status = 204, description = "No longer linked"))
)]
pub async fn unrelate_incident(
    access: Access<Decide>,
    context: web::Data<Context>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let (incident, other) = path.into_inner();
    let incident: IncidentId = Id::parse(&incident).ok_or_else(Error::not_found)?;
    let other: IncidentId = Id::parse(&other).ok_or_else(Error::not_found)?;
    let link = Linking(Decider::of(&access, &context)?);
    let shared = context.clone();
    context.db.write(move |tx| link.unrelate(tx, &shared, incident, other)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Who links or undoes, where and when.
struct Linking(Decider);

impl Linking {
    fn relate(
        &self,
        tx: &mut WriteTx<'_>,
        context: &Context,
        id: IncidentId,
        others: &[IncidentId],
        reason: &str,
    ) -> Result<()> {
        let incident = self.0.find_unmerged(tx.conn, context, id)?;
        for other in others {
            let other = self.0.find_unmerged(tx.conn, context, *other)?;
            let pair = pair_of(&incident, &other);
            let linked = tx.attempt(|tx| self.insert(tx, context, pair, reason));
            match linked {
                Err(error) if is_linked_already(&error) => {}
                Err(error) => return Err(error),
                Ok(()) => self.record(tx, (&incident, &other), "linked"),
            }
        }
        Ok(())
    }

    fn insert(
        &self,
        tx: &mut WriteTx<'_>,
        context: &Context,
        (one, other): (i64, i64),
        reason: &str,
    ) -> Result<()> {
        let id = RelationId::random();
        diesel::insert_into(incident_relations::table)
            .values((
                incident_relations::uuid.eq(id),
                incident_relations::one_id.eq(one),
                incident_relations::other_id.eq(other),
                incident_relations::related_by.eq(self.0.by),
                incident_relations::related_at.eq(self.0.now.naive_utc()),
            ))
            .execute(tx.conn)?;
        let owner = Owner { kind: OwnerKind::Relation, id: id.uuid() };
        let sealed_reason = context.sealer.seal(owner, Part::Reason, 1, reason.as_bytes())?;
        sealed::insert_part(tx.conn, owner, Part::Reason, 1, &sealed_reason)?;
        Ok(())
    }

    fn unrelate(
        &self,
        tx: &mut WriteTx<'_>,
        context: &Context,
        id: IncidentId,
        other: IncidentId,
    ) -> Result<()> {
        let incident = self.0.find(tx.conn, context, id)?;
        let other = self.0.find(tx.conn, context, other)?;
        // What is shown as theirs may be a link of incidents merged into them.
        let (ours, theirs) =
            (list_group(tx.conn, incident.0.id)?, list_group(tx.conn, other.0.id)?);
        let (one_id, other_id) = (incident_relations::one_id, incident_relations::other_id);
        let is_between = one_id
            .eq_any(ours.clone())
            .and(other_id.eq_any(theirs.clone()))
            .or(one_id.eq_any(theirs).and(other_id.eq_any(ours)));
        let link = incident_relations::table
            .filter(is_between)
            .filter(incident_relations::unrelated_at.is_null());
        let n_ended = diesel::update(link)
            .set((
                incident_relations::unrelated_by.eq(Some(self.0.by)),
                incident_relations::unrelated_at.eq(Some(self.0.now.naive_utc())),
            ))
            .execute(tx.conn)?;
        if n_ended == 0 {
            return Err(Error::not_found());
        }
        self.record(tx, (&incident, &other), "unlinked");
        Ok(())
    }

    fn record(&self, tx: &mut WriteTx<'_>, both: (&Seen, &Seen), what: &str) {
        record_both(tx, &self.0, Act::RelatedIncidents, both, what);
    }
}

fn is_linked_already(error: &Error) -> bool {
    let (name, table) = ("incident_relations_pair_key", "incident_relations");
    error.database_cause().is_some_and(|cause| dialect::is_taken(cause, name, table, "other_id"))
}

/// Returns the incidents that `incident` is linked to, as far as they are seen from `scope`. A link of one that was merged
/// is one of the incident it was merged into.
///
/// # Shape
/// In order of linking, each once.
///
/// # Errors
/// When the database fails.
pub fn list_related(
    conn: &mut DbConn,
    geo: &Geo,
    incident: &IncidentRow,
    scope: &Scope,
) -> Result<Vec<IncidentId>> {
    let group = list_group(conn, incident.id)?;
    let pairs: Vec<(i64, i64)> = incident_relations::table
        .filter(
            incident_relations::one_id
                .eq_any(group.clone())
                .or(incident_relations::other_id.eq_any(group.clone())),
        )
        .filter(incident_relations::unrelated_at.is_null())
        .order(incident_relations::id)
        .select((incident_relations::one_id, incident_relations::other_id))
        .load(conn)?;
    let partner = |(one, other): (i64, i64)| if group.contains(&one) { other } else { one };
    let mut partners: Vec<i64> = pairs.into_iter().map(partner).collect();
    replace_by_survivors(conn, &mut partners)?;
    let is_own = |id: &i64| group.contains(id) || incident.merged_into == Some(*id);
    let mut known = BTreeSet::new();
    partners.retain(|id| !is_own(id) && known.insert(*id));
    let rows: Vec<(i64, IncidentId, String, Option<String>)> = incidents::table
        .inner_join(incident_facts::table)
        .filter(incidents::id.eq_any(partners.clone()))
        .select((
            incidents::id,
            incidents::uuid,
            incident_facts::country,
            incident_facts::country_computed,
        ))
        .load(conn)?;
    let seen: BTreeMap<i64, IncidentId> = rows
        .into_iter()
        .filter(|(_, _, country, computed)| is_seen_from(scope, geo, country, computed.as_deref()))
        .map(|(id, uuid, ..)| (id, uuid))
        .collect();
    Ok(partners.into_iter().filter_map(|id| seen.get(&id).copied()).collect())
}

/// Puts the incident that holds the reports of a merged one in its place.
fn replace_by_survivors(conn: &mut DbConn, ids: &mut [i64]) -> QueryResult<()> {
    let merged: Vec<(i64, Option<i64>)> = incidents::table
        .filter(incidents::id.eq_any(ids.to_vec()))
        .filter(incidents::merged_into.is_not_null())
        .select((incidents::id, incidents::merged_into))
        .load(conn)?;
    let survivors: BTreeMap<i64, Option<i64>> = merged.into_iter().collect();
    for id in ids {
        *id = survivors.get(id).copied().flatten().unwrap_or(*id);
    }
    Ok(())
}
